/* Everything on the wire: one curl multi on one sd-event loop. A slot owns one transfer; dropping
 * the slot cancels it.
 *
 * The timer callback only arms, the socket callback only adds, changes and removes io sources;
 * finished transfers are drained from a defer source, so that completion callbacks may start and
 * drop slots freely. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Mux Mux;
typedef struct Slot Slot;

typedef struct MuxOptions {
        const char *user_agent; /* "chisod/VERSION" */
        const char *proxy;      /* or NULL */
        const char *ca_file;    /* or NULL: the system's */
} MuxOptions;

int mux_new(sd_event *event, const MuxOptions *options, Mux **ret);
/* All slots must be gone. */
void mux_free(Mux *m);
DEFINE_CLEANUP(Mux, mux_free)

/* The end of the certificate that a peer last showed: of its whole chain, the first to expire. Known of
 * peers that were spoken to since the start, the newest MUX_CERTIFICATES of them. */
#define MUX_CERTIFICATES 64u
typedef struct MuxCertificate {
        char host[256];
        int64_t expires_ms;
} MuxCertificate;
const MuxCertificate *mux_certificates(const Mux *m, size_t *ret_n);

/* Cancels (no callback) and frees. */
void slot_free(Slot *s);
DEFINE_CLEANUP(Slot, slot_free)
