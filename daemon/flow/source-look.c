/* What is told of a source: how it does, and when it will ask again. */
#include <stdio.h>

#include "core/reason.h"
#include "flow/source-private.h"

static const char *state_name(const SourceState *s, int64_t now_ms) {
        if (s->job)
                return "fetching";
        if (s->polite.is_stopped)
                return "stopped";
        if (s->polite.refused_days > 0)
                return "refused";
        if (s->polite.failures > 0)
                return "failing";
        return source_blocked_until(s) > now_ms ? "waiting" : "idle";
}

static int failing_limit(const Config *c) {
        int limit = INT32_MAX;
        for (size_t i = 0; i < c->n_rules; i++)
                if (!c->rules[i].is_off && c->rules[i].when.kind == CONDITION_SOURCE_FAILING)
                        limit = MIN(limit, c->rules[i].when.count);
        return limit;
}

/* "nguồn portal không lấy được 3 ngày (HTTP 403), số liệu đến 20/11" */
static void trouble_text(const SourceState *s, int64_t now_ms, char *text, size_t size) {
        bool is_vi = app_is_vi(s->app);
        CLEANUP(buf_done) Buf words = BUF_INIT(4096);
        const char *status = strstr(s->last_reason, "(HTTP ");
        bool is_known = is_vi && reason_words(s->last_reason, &words) == 0;
        const char *reason = is_known ? buf_text(&words) : s->last_reason;
        char days[32] = "", until[48] = "";
        int n = day_of_instant(now_ms) - day_of_instant(s->last_good_ms);
        Civil day = civil_from_day(day_of_instant(s->last_good_ms));
        if (s->last_good_ms && n > 0)
                (void) snprintf(days, sizeof days, is_vi ? " %d ngày" : " for %d days", n);
        if (s->last_good_ms)
                (void) snprintf(until, sizeof until,
                                is_vi ? ", số liệu đến %02u/%02u" : ", figures of %02u/%02u",
                                day.day, day.month);
        (void) snprintf(text, size,
                        is_vi ? "nguồn %s không lấy được%s %s%s%s%s"
                              : "source %s not fetched%s %s%s%s%s",
                        s->def->name, days, status ? "" : "(", status ? status : reason,
                        status ? "" : ")", until);
}

bool source_trouble(const App *app, int64_t now_ms, char *text, size_t size) {
        int limit = failing_limit(app->config);
        for (size_t i = 0; i < app->n_sources; i++) {
                const SourceState *s = &app->sources[i];
                if (!s->polite.is_stopped && s->polite.refused_days == 0 &&
                    s->polite.failures < limit)
                        continue;
                trouble_text(s, now_ms, text, size);
                return true;
        }
        return false;
}

void source_look(const App *app, size_t index, int64_t now_ms, SourceLook *ret) {
        const SourceState *s = &app->sources[index];
        int64_t next = source_next_of(s, now_ms);
        *ret = (SourceLook){.name = s->def->name,
                            .label = s->def->label,
                            .state = state_name(s, now_ms),
                            .outcome = s->last_outcome ? fetch_outcome_name(s->last_outcome) : NULL,
                            .reason = *s->last_reason ? s->last_reason : NULL,
                            .failures = s->polite.failures,
                            .refused_days = s->polite.refused_days,
                            .n_queued = s->n - s->head,
                            .n_scopes = s->def->n_scopes,
                            .last_ms = s->last_ms,
                            .good_ms = s->last_good_ms,
                            .next_ms = next == INT64_MAX ? 0 : next,
                            .backfill_done = s->backfill_done,
                            .backfill_of = s->backfill_of,
                            .backfill_until_ms = source_backfill_until(s, now_ms)};
        if (!s->job)
                return;
        ret->scope = s->current.scope;
        ret->period = s->current.period;
        fetch_progress(s->job, &ret->part, &ret->n_parts);
}

/* ---- when a job comes again ------------------------------------------------------------------ */

static bool is_queued(const SourceState *s, const char *scope, PeriodId period) {
        for (size_t i = s->head; i < s->n; i++)
                if (s->queue[i].period == period && streq(s->queue[i].scope, scope))
                        return true;
        return false;
}

/* Whether the regular time of a day asks for it, as in scan_type(). */
static bool is_asked_on(const SourceDef *def, PeriodId period, Day day) {
        PeriodId newest = period_last_ended(period_type(period), day);
        return period == newest || (def->has_running && period == period_next(newest)) ||
               (def->recheck > 1 && period == source_rechecked(def, newest, day));
}

int64_t source_job_next(const App *app, size_t index, const char *scope, PeriodId period,
                        int64_t now_ms) {
        const SourceState *s = &app->sources[index];
        int64_t at = polite_regular_next(s->def, source_offset(s), now_ms);
        if (s->def->kind != SOURCE_HTTP || s->polite.is_stopped ||
            !source_fetches(s->def, period_type(period)))
                return 0;
        if (is_queued(s, scope, period))
                return MAX(now_ms, source_blocked_until(s));
        /* each day asks for another one of those that are looked at again */
        for (int i = 0; i <= 2 * s->def->recheck; i++) {
                Day day = day_of_instant(at);
                if (is_asked_on(s->def, period, day))
                        return MAX(at, source_blocked_until(s));
                at = polite_regular_next(s->def, source_offset(s),
                                         MAX(at, day_start_ms(day + 1) - 1));
        }
        return 0;
}
