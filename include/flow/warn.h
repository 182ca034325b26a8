/* Warnings that come before trouble (interfaces, "Warnings"): found anew whenever they are asked for,
 * since most of them come with time and not with a reload. */
#pragma once

#include "flow/app.h"

typedef struct Warning {
        char subject[300]; /* "warning:certificate/mail.example.vn" */
        char text[400];    /* in the daemon's language */
        bool is_told;      /* operators get a message when it comes and when it is over */
} Warning;

typedef struct Warnings {
        Warning *items;
        size_t n, cap;
} Warnings;

/* All that hold now: those of the configuration as it was loaded, calendar, rules that end, units
 * without an address, addresses that bounce, certificates, disk. 0 or negative errno (what was found
 * until then is in *ret). */
int warn_find(App *app, int64_t now_ms, Warnings *ret);
void warn_done(Warnings *w);

/* Operators hear of what is_told came since and what is over. A transaction of its own when there is
 * a difference. */
int warn_tell(App *app, int64_t now_ms);
