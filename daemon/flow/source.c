/* Schedules without a queue of their own on disk: what is due follows from the attempts that are
 * stored.
 *
 * A job is due when it was not asked since the last regular time, or when its last answer failed
 * and the back-off is over. So a time missed while the machine was off is made up once, a backfill
 * goes on where it stopped, and nothing is asked twice. The queue in memory is the list of what
 * was found due, newest period first. */
#include <errno.h>
#include <stdio.h>

#include "flow/cycle.h"
#include "flow/fetch.h"
#include "flow/registry.h"
#include "flow/source-private.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/log.h"
#include "store/figure.h"

#define STORE_RETRY_MS (30 * MS_PER_SECOND)
#define STUCK_MS (30 * MS_PER_MINUTE)
#define RETRY_MIN_MS (15 * MS_PER_MINUTE)
#define RETRY_MAX_MS (4 * MS_PER_HOUR)

int64_t source_offset(const SourceState *s) {
        return s->def->spread_ms > 0 ? s->app->offset_ms % s->def->spread_ms : 0;
}

static void drop_job(SourceState *s) {
        fetch_free(s->job);
        s->job = NULL;
        if (s->result)
                fetch_result_free(TAKE_PTR(s->result));
        if (s->last)
                snapshot_row_free(s->last);
        s->last = NULL;
}

void source_done(App *app) {
        for (size_t i = 0; i < app->n_sources; i++) {
                SourceState *s = &app->sources[i];
                drop_job(s);
                if (s->token)
                        explicit_bzero(s->token, strlen(s->token));
                free(s->token);
                free(s->queue);
        }
        free(app->sources);
        app->sources = NULL;
        app->n_sources = 0;
}

int source_init(App *app) {
        size_t n = app->config->n_sources;
        app->sources = calloc(n + 1, sizeof *app->sources);
        if (!app->sources)
                return -ENOMEM;
        app->n_sources = n;
        for (size_t i = 0; i < n; i++) {
                SourceState *s = &app->sources[i];
                *s = (SourceState){.app = app, .def = &app->config->sources[i], .index = i};
                JobSeen seen = {0};
                int r = store_polite_get(app->store, s->def->name, &s->polite);
                if (r >= 0)
                        r = store_source_seen(app->store, s->def->name, &seen);
                if (r < 0)
                        return r;
                s->last_ms = seen.at_ms;
                s->last_good_ms = seen.good_ms;
                s->last_outcome = seen.outcome;
                (void) snprintf(s->last_reason, sizeof s->last_reason, "%s", seen.reason);
        }
        return 0;
}

/* ---- what is due ----------------------------------------------------------------------------- */

static int enqueue(SourceState *s, QueuedJob job) {
        for (size_t i = s->head; i < s->n; i++)
                if (s->queue[i].period == job.period && streq(s->queue[i].scope, job.scope)) {
                        s->queue[i].request = MAX(s->queue[i].request, job.request);
                        return 0;
                }
        if (s->head == s->n)
                s->head = s->n = 0;
        int r = ARRAY_GROW(s->queue, s->cap, s->n + 1);
        if (r < 0)
                return r;
        s->queue[s->n++] = job;
        return 0;
}

typedef struct Scan {
        SourceState *s;
        int64_t now_ms, regular_ms; /* the last regular time */
        int64_t retry_ms;           /* earliest retry of a failed job; INT64_MAX */
} Scan;

static bool is_failure(FetchOutcome o) {
        return o == OUTCOME_FAILED || o == OUTCOME_REJECTED;
}

/* A rejected answer, or one with a 404 or 500, is a matter of its own job, which comes again after the
 * back-off; the other scopes and periods do not wait for it. Everything else is about the host. */
int64_t source_blocked_until(const SourceState *s) {
        FetchFault last = s->polite.last;
        bool is_of_job = last == FETCH_CONTENT || last == FETCH_SUSPECT || last == FETCH_SERVER;
        return MAX(is_of_job ? 0 : s->polite.next_ms, s->hold_ms);
}

/* When a failed job comes again before the next regular time: with the host's back-off while that
 * lasts, else after as long as it has failed already (15 minutes to 4 hours). */
static int64_t retry_of(const Scan *scan, const JobSeen *seen) {
        const SourceState *s = scan->s;
        int64_t failing = seen->at_ms - scan->regular_ms;
        if (seen->outcome == OUTCOME_FAILED && s->polite.next_ms)
                return s->polite.next_ms;
        return MAX(seen->at_ms + CLAMP(failing, RETRY_MIN_MS, RETRY_MAX_MS),
                   source_blocked_until(s));
}

static int scan_job(Scan *scan, const char *scope, PeriodId period, bool is_backfill) {
        SourceState *s = scan->s;
        JobSeen seen = {0};
        int r = store_job_seen(s->app->store, s->def->name, scope, period, &seen);
        if (r < 0)
                return r;
        if (is_backfill) {
                s->backfill_of++;
                s->backfill_done += seen.good_ms > 0;
                if (seen.good_ms > 0)
                        return 0;
        }
        /* An instant that is still to come was written by a clock that was ahead. */
        bool is_due = seen.at_ms == 0 || seen.at_ms < scan->regular_ms || seen.at_ms > scan->now_ms;
        if (!is_due && !is_backfill && is_failure(seen.outcome)) {
                int64_t retry_ms = retry_of(scan, &seen);
                is_due = retry_ms <= scan->now_ms;
                if (!is_due)
                        scan->retry_ms = MIN(scan->retry_ms, retry_ms);
        }
        return is_due ? enqueue(s, (QueuedJob){.scope = scope,
                                               .period = period,
                                               .is_backfill = is_backfill})
                      : 0;
}

PeriodId source_rechecked(const SourceDef *def, PeriodId newest, Day today) {
        return period_add(newest, -(1 + today % (def->recheck - 1)));
}

/* The newest ended period every time until it is closed, the others of `recheck` one a day in
 * turn. */
static int scan_type(Scan *scan, const char *scope, PeriodType type) {
        const SourceDef *def = scan->s->def;
        Day today = day_of_instant(scan->now_ms);
        PeriodId newest = period_last_ended(type, today);
        int r = scan_job(scan, scope, newest, false);
        if (r >= 0 && def->has_running)
                r = scan_job(scan, scope, period_next(newest), false);
        if (r >= 0 && def->recheck > 1)
                r = scan_job(scan, scope, source_rechecked(def, newest, today), false);
        for (int i = 1; r >= 0 && i < def->backfill; i++)
                r = scan_job(scan, scope, period_add(newest, -i), true);
        return r;
}

static size_t backfill_left(const SourceState *s) {
        size_t n = s->job && s->current.is_backfill;
        for (size_t i = s->head; i < s->n; i++)
                n += s->queue[i].is_backfill;
        return n;
}

/* By the pace of this life: what an earlier one did says nothing about how the publisher answers now. */
int64_t source_backfill_until(const SourceState *s, int64_t now_ms) {
        size_t left = backfill_left(s), ended = s->backfill_done - s->backfill_first;
        if (left == 0 || s->backfill_done <= s->backfill_first)
                return 0;
        return now_ms + (clock_boot_ms() - s->backfill_boot_ms) * (int64_t) left / (int64_t) ended;
}

static void note_backfill(SourceState *s) {
        bool is_waiting = backfill_left(s) > 0;
        if (is_waiting && s->backfill_boot_ms)
                return;
        s->backfill_boot_ms = is_waiting ? clock_boot_ms() : 0;
        s->backfill_first = s->backfill_done;
}

static int scan_source(SourceState *s, int64_t now_ms) {
        Scan scan = {.s = s,
                     .now_ms = now_ms,
                     .retry_ms = INT64_MAX,
                     .regular_ms = polite_regular_last(s->def, source_offset(s), now_ms)};
        s->backfill_done = s->backfill_of = 0;
        for (size_t i = 0; i < s->def->n_scopes; i++)
                for (size_t t = 0; t < s->def->n_periods; t++) {
                        int r = scan_type(&scan, s->def->scopes[i], s->def->periods[t]);
                        if (r < 0)
                                return r;
                }
        s->scan_ms = MIN(polite_regular_next(s->def, source_offset(s), now_ms), scan.retry_ms);
        note_backfill(s);
        return 0;
}

/* ---- a job's end ----------------------------------------------------------------------------- */

static void on_store_failure(SourceState *s, int error, int64_t now_ms) {
        s->hold_ms = now_ms + STORE_RETRY_MS;
        s->app->health.store_error = error;
        s->app->health.store_error_ms = now_ms;
        LogFields fields = {.source = s->def->name, .message_id = LOG_ID_STORAGE};
        log_full(LOG_ERR, &fields,
                 "%s: the database refused (%s), keeping the last figures and asking again in 30 s",
                 s->def->name, strerror(-error));
        /* Asked again: nothing of this attempt is stored. */
        if (enqueue(s, s->current) < 0)
                s->scan_ms = s->hold_ms;
}

/* Nobody waits until tomorrow for a publisher that refuses: what a person asked for stays queued, but
 * the request is answered. */
static void release_requests(SourceState *s) {
        for (size_t i = s->head; i < s->n; i++) {
                s->failed_request = MAX(s->failed_request, s->queue[i].request);
                s->queue[i].request = 0;
        }
}

/* A publisher that lacks last year's months is not failing. */
static void count_job(SourceState *s, bool is_failed, int64_t now_ms) {
        PeriodId newest = period_last_ended(period_type(s->current.period), day_of_instant(now_ms));
        s->app->n_jobs_done++;
        s->app->n_jobs_failed += is_failed && s->current.period >= newest;
}

/* Reading an answer and evaluating it are two pieces of work: between them the loop turns, and who
 * asks something meanwhile has his answer. */
static void on_done(FetchJob *job, FetchResult *result, void *userdata) {
        SourceState *s = userdata;
        (void) job;
        s->result = result;
        app_wake(s->app);
}

static void evaluate(SourceState *s) {
        FetchResult CLEANUP(fetch_result_freep) *owned = TAKE_PTR(s->result);
        App *app = s->app;
        CycleReport report;
        int64_t now = clock_now_ms();
        PoliteState polite = s->polite;
        polite_after(&polite, owned->fault, owned->retry_after_ms, now,
                     polite_regular_next(s->def, source_offset(s), now), crypto_random01());
        drop_job(s); /* and the answer's bytes, before evaluating takes as much again */
        int r = cycle_evaluate(app, owned, &polite, now, &report);
        app_wake(app);
        if (r < 0) {
                on_store_failure(s, r, now);
                return;
        }
        app->health.store_error = 0;
        s->polite = polite;
        s->last_ms = now;
        s->last_outcome = report.outcome;
        (void) snprintf(s->last_reason, sizeof s->last_reason, "%s", report.reason);
        if (report.outcome <= OUTCOME_NOT_MODIFIED)
                s->last_good_ms = now;
        else
                s->n_failed++;
        count_job(s, report.outcome > OUTCOME_NOT_MODIFIED, now);
        if (report.outcome > OUTCOME_NOT_MODIFIED)
                s->failed_request = MAX(s->failed_request, s->current.request);
        if (s->current.is_backfill && report.outcome <= OUTCOME_NOT_MODIFIED)
                s->backfill_done++;
        /* After a failure the next look is when the back-off ends; nothing else is asked of this
         * source before that. */
        if (s->head == s->n)
                s->scan_ms = now;
        s->current = (QueuedJob){0};
        if (polite.is_stopped || source_blocked_until(s) > now)
                release_requests(s);
}

/* A snapshot from before people changed the registry may have rows in quarantine that have a unit
 * now: it is not compared with, and all parts are read anew. */
static int forget_older_than_registry(SourceState *s) {
        char CLEANUP_FREE *text = NULL;
        int r = s->last ? store_meta_get(s->app->store, REGISTRY_STEP, &text) : STORE_E_NONE;
        if (r != 0)
                return MIN(r, 0);
        if (s->last->step < strtoll(text, NULL, 10)) {
                snapshot_row_free(s->last);
                s->last = NULL;
        }
        return 0;
}

static int start_job(SourceState *s) {
        App *app = s->app;
        s->current = s->queue[s->head++];
        int r = store_snapshot_last(app->store, s->def->name, s->current.scope, s->current.period,
                                    false, &s->last);
        if (r >= 0)
                r = forget_older_than_registry(s);
        if (r < 0)
                return r;
        FetchOptions options = {.event = app->event,
                                .mux = app->mux,
                                .hosts = app->hosts,
                                .config = app->config,
                                .last = s->last,
                                .store = app->store,
                                .token = &s->token};
        s->job_awake_ms = clock_awake_ms();
        return fetch_start(&options, s->index, s->current.scope, s->current.period, on_done, s,
                           &s->job);
}

/* ---- running --------------------------------------------------------------------------------- */

static bool may_ask(const SourceState *s, int64_t now_ms) {
        return !s->job && !s->polite.is_stopped && source_blocked_until(s) <= now_ms;
}

/* What a clock that was ahead has put off is not waited for: nothing is ever put off for longer than a
 * day or the source's own interval. */
static void forget_far_times(SourceState *s, int64_t now_ms) {
        int64_t far =
                now_ms + MAX(26 * MS_PER_HOUR, s->def->every_ms + s->def->spread_ms + MS_PER_HOUR);
        if (s->polite.next_ms > far)
                s->polite.next_ms = 0;
        if (s->hold_ms > far)
                s->hold_ms = 0;
        if (s->scan_ms > far)
                s->scan_ms = now_ms;
}

static void run_source(SourceState *s, int64_t now_ms) {
        int r = 0;
        forget_far_times(s, now_ms);
        if (s->def->kind != SOURCE_HTTP || !may_ask(s, now_ms))
                return;
        if (s->head == s->n && s->scan_ms <= now_ms && !s->app->is_once)
                r = scan_source(s, now_ms);
        if (r >= 0 && s->head < s->n)
                r = start_job(s);
        if (r < 0)
                on_store_failure(s, r, now_ms);
}

bool source_take(App *app) {
        for (size_t i = 0; i < app->n_sources; i++)
                if (app->sources[i].result) {
                        evaluate(&app->sources[i]);
                        return true;
                }
        return false;
}

void source_run(App *app, int64_t now_ms) {
        for (size_t i = 0; i < app->n_sources && !app->is_stopping; i++)
                run_source(&app->sources[i], now_ms);
}

/* When the source is asked next; INT64_MAX for not by itself. The wait after unclean ends holds all of
 * them. */
int64_t source_next_of(const SourceState *s, int64_t now_ms) {
        int64_t quiet_ms = s->app->quiet_until_boot_ms - clock_boot_ms();
        int64_t at = s->head < s->n ? now_ms : s->app->is_once ? INT64_MAX : s->scan_ms;

        if (s->polite.is_stopped || s->def->kind != SOURCE_HTTP)
                return INT64_MAX;
        at = MAX(at, source_blocked_until(s));
        return quiet_ms > 0 ? MAX(at, now_ms + quiet_ms) : at;
}

int64_t source_next(const App *app, int64_t now_ms) {
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < app->n_sources; i++)
                if (!app->sources[i].job)
                        next = MIN(next, source_next_of(&app->sources[i], now_ms));
        return next;
}

bool source_fetches(const SourceDef *def, PeriodType type) {
        for (size_t i = 0; i < def->n_periods; i++)
                if (def->periods[i] == type)
                        return true;
        return false;
}

/* ---- a person's request ---------------------------------------------------------------------- */

static int request_range(SourceState *s, PeriodId from, PeriodId to, int64_t id) {
        int r = 0;
        for (PeriodId p = to; r >= 0 && p >= from; p = period_previous(p))
                for (size_t i = 0; r >= 0 && i < s->def->n_scopes; i++)
                        r = enqueue(s, (QueuedJob){.scope = s->def->scopes[i],
                                                   .period = p,
                                                   .request = id});
        return r;
}

/* What is due regularly, whenever it was asked last. */
static int request_regular(SourceState *s, int64_t now_ms, int64_t id) {
        int r = 0;
        for (size_t t = 0; r >= 0 && t < s->def->n_periods; t++) {
                PeriodId newest = period_last_ended(s->def->periods[t], day_of_instant(now_ms));
                r = request_range(s, newest, s->def->has_running ? period_next(newest) : newest,
                                  id);
        }
        return r;
}

int source_request(App *app, const char *source, PeriodId from, PeriodId to, int64_t *ret_id) {
        int index = source ? config_source(app->config, source) : -1;
        if (source && index < 0)
                return -ENOENT;
        if (app->n_sources == 0)
                return -ENOENT;
        if ((from || to) && (!from || !to || period_type(from) != period_type(to) ||
                             period_distance(from, to) < 0 || period_distance(from, to) > 1200))
                return -EINVAL;
        int64_t id = ++app->sources[0].requests;
        bool has_any = false;
        for (size_t i = 0; i < app->n_sources; i++) {
                SourceState *s = &app->sources[i];
                if ((index >= 0 && (size_t) index != i) || s->def->kind != SOURCE_HTTP ||
                    (from && !source_fetches(s->def, period_type(from))))
                        continue;
                has_any = true;
                s->polite.is_stopped = false;
                s->polite.next_ms = 0;
                int r = from ? request_range(s, from, to, id)
                             : request_regular(s, clock_now_ms(), id);
                if (r < 0)
                        return r;
        }
        if (!has_any)
                return -EINVAL;
        *ret_id = id;
        /* A person asks: a crash loop's wait is over. */
        app->quiet_until_boot_ms = MIN(app->quiet_until_boot_ms, clock_boot_ms());
        app_wake(app);
        return 0;
}

bool source_request_done(const App *app, int64_t id) {
        for (size_t i = 0; i < app->n_sources; i++) {
                const SourceState *s = &app->sources[i];
                if (s->job && s->current.request == id)
                        return false;
                for (size_t k = s->head; k < s->n; k++)
                        if (s->queue[k].request == id)
                                return false;
        }
        return true;
}

bool source_request_failed(const App *app, int64_t id) {
        for (size_t i = 0; i < app->n_sources; i++)
                if (app->sources[i].failed_request == id)
                        return true;
        return false;
}

int source_request_all(App *app) {
        int64_t now = clock_now_ms();
        for (size_t i = 0; i < app->n_sources; i++) {
                SourceState *s = &app->sources[i];
                if (s->def->kind != SOURCE_HTTP)
                        continue;
                int r = request_regular(s, now, 0);
                Scan scan = {.s = s, .now_ms = now, .retry_ms = INT64_MAX, .regular_ms = now};
                for (size_t k = 0; r >= 0 && k < s->def->n_scopes; k++)
                        for (size_t t = 0; r >= 0 && t < s->def->n_periods; t++)
                                r = scan_type(&scan, s->def->scopes[k], s->def->periods[t]);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool source_is_idle(const App *app, int64_t now_ms, size_t *ret_failed) {
        size_t n_failed = 0;
        bool is_idle = true;
        for (size_t i = 0; i < app->n_sources; i++) {
                const SourceState *s = &app->sources[i];
                n_failed += s->n_failed;
                /* --once: what may not be asked now is not waited for. */
                if (s->job || (s->head < s->n && may_ask(s, now_ms)))
                        is_idle = false;
                else if (app->is_once)
                        n_failed += s->n - s->head;
        }
        *ret_failed = n_failed;
        return is_idle;
}

/* A job ends by itself after JOB_MAX of fetch and the time-out of the request under way then. */
const char *source_stuck(const App *app, int64_t awake_ms) {
        for (size_t i = 0; i < app->n_sources; i++) {
                const SourceState *s = &app->sources[i];
                int64_t longest = STUCK_MS + 2 * (s->def->timeout_ms + s->def->pace_ms);
                if (s->job && awake_ms - s->job_awake_ms > longest)
                        return s->def->name;
        }
        return NULL;
}
