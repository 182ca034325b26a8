/* What http.c and smtp.c share of the multi handle. curl's types stay in this folder. */
#pragma once

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Mux Mux;
typedef struct Slot Slot;
struct MuxOptions;

typedef struct Transfer Transfer;

/* One easy handle in the multi; an easy handle's CURLOPT_PRIVATE points to it. Embedded in what
 * owns the transfer. */
struct Transfer {
        Mux *mux;
        CURL *easy;
        bool is_added;   /* in the multi: also after the end, until removed */
        bool is_running; /* counted as under way */
        /* Called once from the drain source; may drop the transfer and any other. */
        void (*on_finished)(Transfer *t, CURLcode code);
};

/* A new easy handle with what every transfer here has in common: no signals, no redirects, error
 * buffer, TLS anchors. */
int transfer_init(Transfer *t, Mux *m, const char *ca_file, char *error_buffer);
int transfer_start(Transfer *t);
/* Removes it from the multi (cancels) and frees the handle; idempotent. Never from within a curl
 * callback. */
void transfer_done(Transfer *t);
bool transfer_is_tls_failure(CURLcode code);

struct Slot {
        void (*on_free)(Slot *s);
};

sd_event *mux_event(Mux *m);
const struct MuxOptions *mux_options(const Mux *m);

/* Kept SMTP connections live with the multi; mux.c knows only how to drop them. */
typedef struct MuxKept {
        void *list;
        void (*drop)(void *list);
} MuxKept;
MuxKept *mux_kept(Mux *m);

/* A list under construction: NULL keeps the old one intact for its clean-up. */
int headers_append(struct curl_slist **list, const char *line);
