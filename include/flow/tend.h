/* What the database needs of itself: once a day the retention of what need not be kept, and the check
 * of the whole file; whenever somebody asks, that check and a copy.
 *
 * Retention is done in slices by the loop, which writes alone. Checks and copies are made by threads
 * with read connections of their own: no answer waits for them. A finding is the operator's at once,
 * as an episode that ends when a later check is clean; what is found rotten was never served. */
#pragma once

#include "flow/app.h"

enum {
        TEND_E_RUNNING = 1, /* ask again */
};

typedef struct TendCheck {
        int64_t started_ms, ended_ms; /* by the wall clock; 0: never */
        bool is_running;
        int result; /* 0 clean, -EBADMSG with findings, other errno: could not be done */
        const Diag *diag;
} TendCheck;

/* Runs what is due. The day's turn is at 02:30 local time; one that was missed is made up once. */
void tend_run(App *app, int64_t now_ms);
int64_t tend_next(const App *app, int64_t now_ms);
/* A check that began at `after_ms` or later; begins one when there is none. What is known so far is in
 * *ret also with TEND_E_RUNNING. Borrowed until the next event. */
int tend_check(App *app, int64_t after_ms, TendCheck *ret);
/* A whole, verified copy of the database as an open file that has no name any more; the caller closes
 * it. TEND_E_RUNNING while it is made (which the first call begins); each copy is handed out once. */
int tend_copy(App *app, int *ret_fd);
/* A thread is at work, and will be left behind by tend_done. */
bool tend_is_busy(const App *app);
void tend_done(App *app);
