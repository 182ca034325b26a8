/* Delivery: 8 messages under way in all, 2 per host, 1 per target; settle transactions write the
 * outcomes, the ledgers, and the next batch as started: only what is handed to the wire with this
 * commit is marked. */
#pragma once

#include "flow/app.h"
#include "store/outbox.h"

int courier_new(App *app, Courier **ret);
void courier_free(Courier *c);
/* Rows found started at start-up: maybe arrived; again with the same id. */
int courier_recover(App *app, int64_t now_ms);
/* A configuration was loaded: what was paused under the one before is probed now, not when its 15
 * minutes are over. Inside of the binding transaction. */
int courier_rebind(App *app, int64_t now_ms);
/* Settles what came back and starts what is due. */
void courier_run(App *app, int64_t now_ms);
/* When the courier has to run next, as its last run found it; INT64_MAX. */
int64_t courier_next(const App *app);
/* An attempt is older than it can be; for the watchdog. */
bool courier_is_stuck(const App *app, int64_t awake_ms);
/* --once: every due row gets one attempt. True when nothing is under way and nothing due is
 * left. */
bool courier_is_idle(const App *app, int64_t now_ms, size_t *ret_refused);
/* A person's retry of a dead letter: planned again at once. 0, -ENOENT, -EBUSY. */
int courier_retry(App *app, int64_t message, int64_t now_ms);
/* What arrived (or may have, once it is dead) becomes the ledger; what certainly did not is given up.
 * Inside of a settling transaction. */
int courier_book(App *app, StepId step, const MessageRow *row, int64_t now_ms, bool is_arrived);
