/* The operator's peace: that silence means "all is well".
 *
 * Once a week operators get one line, that all is well or what is not; after each whole cycle the
 * heartbeat's address is asked, so that somebody else notices when the daemon is silent because it
 * is dead. */
#pragma once

#include "flow/app.h"

/* At the end of a tick, when everything that was due has run. */
void peace_run(App *app, int64_t now_ms);
/* Next instant at which the report is due; INT64_MAX. */
int64_t peace_next(const App *app, int64_t now_ms);
void peace_done(App *app);

/* When the report that precedes or is at `now` was due; INT64_MIN without one. */
int64_t peace_report_due(const Config *c, int64_t now_ms);
