/* The daemon among its kind: crash loops and the watchdog.
 *
 * Crash loop: a start that follows unclean ends waits before it fetches by itself, so that what
 * kills the daemon does not also hammer a publisher. Two ends in a row are free (a power cut, a
 * SIGKILL are normal stops), then 1, 2, 4, 8, 15 minutes; ten minutes of work or a regular stop
 * forget them. The count lives in the database. The sockets answer meanwhile, and a person's
 * request to fetch ends the wait.
 *
 * Watchdog: systemd hears from us only while the loop turns, the tick comes when it is due, and no
 * fetch or delivery is older than it can be. */
#pragma once

#include "flow/app.h"

#define LIFE_HEALTHY_MS (10 * MS_PER_MINUTE)

/* How long to wait after this many unclean ends in a row. */
int64_t life_quiet_ms(unsigned n_unclean);

/* Counts this start as not yet ended and sets app->quiet_until_boot_ms. A database that cannot be
 * written is told and changes nothing. */
void life_begin(App *app);
/* The end was regular. */
void life_end(App *app);
/* In the tick: forgets the ends once this life is long enough. */
void life_run(App *app);
/* Milliseconds until life_run or the end of the wait needs a tick; INT64_MAX for never. */
int64_t life_next(const App *app);

/* True while the daemon waits before it fetches by itself. */
bool life_is_quiet(const App *app);
/* How long that goes on; 0 when it does not wait. */
int64_t life_quiet_left_ms(const App *app);

/* Arms the watchdog's timer when systemd asks for one ($WATCHDOG_USEC). */
int life_watch(App *app);
/* What does not go on ("the tick", "source portal", "deliveries"), or NULL. */
const char *life_stuck(const App *app, int64_t boot_ms, int64_t awake_ms);
