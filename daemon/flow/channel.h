/* Where a target's messages go, and what pauses together: the relay, or a hook's host with all its
 * targets. The courier and the teller ask the same functions. */
#pragma once

#include "flow/app.h"
#include "store/outbox.h"

typedef struct Aim {
        bool is_mail;
        char *address;     /* mail address or URL, resolved; NULL when it cannot be used */
        char host[256];    /* with its port, for the limit per host; "" with no address */
        char channel[256]; /* paused by this name: "smtp" or "hook:HOST" */
        int error;         /* why the address or secret cannot be used; 0 */
} Aim;

/* -ENOMEM alone is returned: an address that cannot be used is the aim's error, its channel is
 * named after the target then. */
int channel_aim(App *app, const TargetRow *target, Aim *ret);
void channel_aim_done(Aim *aim);

/* The value of a configuration key that may be a reference to a secret. Heap. */
int channel_resolve(const App *app, const char *text, char **ret);

/* Paused channels as they are now: read once, asked often. */
typedef struct Pauses {
        ChannelRow *rows;
        size_t n;
} Pauses;
int pauses_load(App *app, Pauses *ret);
void pauses_done(Pauses *p);
const ChannelRow *pauses_find(const Pauses *p, const char *channel); /* or NULL */
