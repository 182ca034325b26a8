/* Which job of which source is due, and what follows from its result.
 *
 * Jobs are (scope, period): with `running` the current period; ended periods of `recheck`: the
 * newest every regular time until it is closed, the others one a day in turn; `backfill` ended
 * periods once, newest first, resumable (a job is done when an attempt saw it); what a person
 * asked for by `fetch`. A regular time missed while the machine was off is made up once. */
#pragma once

#include "core/polite.h"
#include "flow/app.h"

/* (Re)builds app->sources from the configuration and the database. */
int source_init(App *app);
void source_done(App *app);

/* Evaluates one result that has come; false when there is none. */
bool source_take(App *app);
/* Starts what is due now (one job at a time per source). */
void source_run(App *app, int64_t now_ms);
/* Next instant at which source_run has something to do, after the wait that follows unclean ends
 * (life.h); INT64_MAX when only a completion can. */
int64_t source_next(const App *app, int64_t now_ms);

/* A person's request: source NULL = all; from/to 0 = what is due regularly. Clears a stop. *ret_id
 * counts up; it is done when source_request_done(id). Returns 0, -ENOENT (no such source), -EINVAL
 * (period type not fetched). */
int source_request(App *app, const char *source, PeriodId from, PeriodId to, int64_t *ret_id);
bool source_request_done(const App *app, int64_t id);
/* True when a job of it was not accepted, unchanged or not modified, or was not asked at all (known of
 * each source's newest such request). */
bool source_request_failed(const App *app, int64_t id);
/* True when nothing is under way or due (for --once). *ret_failed counts jobs of this run that
 * were not accepted, unchanged or not modified. */
bool source_is_idle(const App *app, int64_t now_ms, size_t *ret_failed);
/* Name of a source whose job is older than it can be, or NULL; for the watchdog. */
const char *source_stuck(const App *app, int64_t awake_ms);
/* --once: every job once, now. */
int source_request_all(App *app);

/* What the status line says of a source in trouble: refused, stopped, or failing as often as a `source_failing` rule allows.
 * False when there is none. */
bool source_trouble(const App *app, int64_t now_ms, char *text, size_t size);

/* What is known of a source now; texts are borrowed from the app, instants 0 = none. */
typedef struct SourceLook {
        const char *name, *label, *state;
        const char *outcome, *reason; /* of the last attempt, or NULL */
        int failures, refused_days;
        size_t n_queued, n_scopes;
        int64_t last_ms, good_ms;
        int64_t next_ms; /* as source_next, of this source */
        size_t backfill_done, backfill_of;
        int64_t backfill_until_ms; /* when what is waiting of it will be there, as it goes; 0 = not known, or nothing waits */
        const char *scope; /* of the job under way; NULL = none is */
        PeriodId period;
        size_t part, n_parts;
} SourceLook;
void source_look(const App *app, size_t index, int64_t now_ms, SourceLook *ret);

/* When the source will by itself ask for the job again, as configured and as it goes now; 0: it will not (a folder, a source that
 * is stopped, a period that is not looked at any more). */
int64_t source_job_next(const App *app, size_t index, const char *scope, PeriodId period,
                        int64_t now_ms);
