/* Operator conditions: what a source owes and does not deliver, although (or before) nothing fails.
 *
 * Each is a pure look at durable rows, asked anew at every attempt and every local midnight, so
 * that nothing is remembered but the episode itself. A period that was never asked for is not
 * overdue: on the first day of an installation everything would be.
 *
 * Two of the looks read figures of the whole country, and were a third of the work of a province's
 * evaluation. What they found is kept in memory, and an evaluation looks anew at its own scope only;
 * nothing of it is needed after a restart.
 *
 * An office with 0 dossiers (reason `empty`) has a figure without a value; it is not missing. */
#include "flow/watch.h"

#include <errno.h>
#include <stdio.h>

#include "flow/judge.h"
#include "store/figure.h"
#include "store/registry.h"

#define FAILING_DEFAULT 3 /* attempts, when no rule says source_failing N */
#define NAMED_UNITS 5u
#define REACH_PERIODS 24 /* how far an overdue period is looked for */

/* Of one source and period. */
typedef struct ChangedMemo {
        const SourceDef *source;
        PeriodId period;
        int64_t at_ms;
} ChangedMemo;

/* Of one rule, source and period. */
typedef struct MissingMemo {
        const RuleDef *rule;
        const SourceDef *source;
        PeriodId period;
        UnitId *units;
        size_t n, cap;
} MissingMemo;

struct WatchMemo {
        ChangedMemo *changed;
        size_t n_changed, cap_changed;
        MissingMemo *missing;
        size_t n_missing, cap_missing;
};

void watch_forget(App *app) {
        WatchMemo *m = app->watch;
        for (size_t i = 0; m && i < m->n_missing; i++)
                free(m->missing[i].units);
        if (m) {
                free(m->missing);
                free(m->changed);
        }
        free(m);
        app->watch = NULL;
}

static int memo_of(App *app, WatchMemo **ret) {
        if (!app->watch)
                app->watch = calloc(1, sizeof *app->watch);
        *ret = app->watch;
        return app->watch ? 0 : -ENOMEM;
}

typedef struct WatchCase {
        App *app;
        const WatchScope *scope;
        const SourceDef *source;
        const RuleDef *rule;
        PeriodType type;
        Day today;
} WatchCase;

#define SAID(w, vi, en) (app_is_vi((w)->app) ? (vi) : (en))

static const char *period_text(const WatchCase *w, PeriodId p, char text[static 48]) {
        return app_is_vi(w->app) ? period_format_vi(text, p) : period_format_en(text, p);
}

typedef struct WatchFinding {
        WatchLook look;
        Buf text;
} WatchFinding;

static int put_finding(const WatchCase *w, const WatchFinding *f) {
        char subject[300];
        (void) snprintf(subject, sizeof subject, "source:%s/%s", w->source->name,
                        period_type_name(w->type));
        return judge_subject(w->app, w->scope->step, w->scope->now_ms, w->rule->name, subject,
                             f->look.is_on, SEVERITY_WARNING, buf_text(&f->text));
}

/* ---- overdue --------------------------------------------------------------------------------- */

static PeriodId last_due(const WatchCase *w) {
        PeriodId p = period_last_ended(w->type, w->today);
        for (int i = 0; i < REACH_PERIODS; i++, p = period_previous(p))
                if (period_end(p) + w->source->due_days + w->rule->when.count <= w->today)
                        return p;
        return 0;
}

static int find_overdue(const WatchCase *w, WatchFinding *f) {
        PeriodId p = last_due(w);
        size_t n = 0;
        for (size_t i = 0; p && i < w->source->n_scopes; i++) {
                int64_t last = 0, first = 0;
                JobSeen seen = {0};
                int r = store_seen(w->app->store, w->source->name, w->source->scopes[i], p, &last,
                                   &first);
                if (r >= 0 && first == 0)
                        r = store_job_seen(w->app->store, w->source->name, w->source->scopes[i], p,
                                           &seen);
                if (r < 0)
                        return r;
                n += first == 0 && seen.at_ms > 0;
        }
        char period[48];
        int64_t days = p ? w->today - period_end(p) - w->source->due_days : 0;
        f->look = (WatchLook){
                .is_on = n > 0, .period = p, .n = n, .of = w->source->n_scopes, .days = days};
        if (!f->look.is_on)
                return p ? buf_printf(&f->text,
                                      SAID(w, "đã có số liệu %s", "there are figures of %s"),
                                      period_text(w, p, period))
                         : 0;
        return buf_printf(
                &f->text,
                SAID(w,
                     "chưa có số liệu %s (%zu/%zu phạm vi), quá hạn %lld ngày; số liệu đã có được "
                     "giữ nguyên",
                     "no figures of %s yet (%zu/%zu scopes), %lld days overdue; the figures stay "
                     "as "
                     "they were"),
                period_text(w, p, period), n, w->source->n_scopes, (long long) days);
}

/* ---- stale ----------------------------------------------------------------------------------- */

/* The running period where it has figures, else the newest ended one until it is closed. */
static int stale_period(const WatchCase *w, PeriodId *ret) {
        PeriodId running = period_of_day(w->type, w->today), ended = period_previous(running);
        int64_t last = 0, first = 0;
        *ret = 0;
        if (w->source->has_running) {
                int r = store_seen(w->app->store, w->source->name, NULL, running, &last, &first);
                if (r < 0)
                        return r;
                if (first) {
                        *ret = running;
                        return 0;
                }
        }
        if (period_status(ended, w->today, w->source->final_after_days) != PERIOD_CLOSED)
                *ret = ended;
        return 0;
}

/* When the figures of the period last changed. */
static int figures_changed(const WatchCase *w, PeriodId p, int64_t *ret_ms) {
        WatchMemo *m = NULL;
        size_t i = 0;
        int r = memo_of(w->app, &m);
        if (r < 0)
                return r;
        while (i < m->n_changed &&
               !(m->changed[i].source == w->source && m->changed[i].period == p))
                i++;
        bool is_new = i == m->n_changed;
        if (is_new) {
                r = ARRAY_GROW(m->changed, m->cap_changed, i + 1);
                if (r < 0)
                        return r;
                m->changed[i] = (ChangedMemo){w->source, p, 0};
                r = store_figures_changed(w->app->store, w->source->name, p, &m->changed[i].at_ms);
                m->n_changed += r >= 0;
        } else if (w->scope->n_changes > 0 && w->scope->period == p) {
                m->changed[i].at_ms = w->scope->now_ms;
        }
        *ret_ms = r < 0 ? 0 : m->changed[i].at_ms;
        return MIN(r, 0);
}

static int find_stale(const WatchCase *w, WatchFinding *f) {
        PeriodId p = 0;
        int64_t last = 0, first = 0, changed = 0;
        int r = stale_period(w, &p);
        if (r >= 0 && p)
                r = store_seen(w->app->store, w->source->name, NULL, p, &last, &first);
        if (r >= 0 && first)
                r = figures_changed(w, p, &changed);
        f->look.period = p;
        if (r < 0 || !changed)
                return r;
        char period[48], at[24];
        int64_t days = (last - changed) / MS_PER_DAY;
        f->look.is_on = last - changed >= w->rule->when.count * MS_PER_DAY;
        f->look.days = MAX(days, 0);
        f->look.changed_ms = changed;
        f->look.last_ms = last;
        return buf_printf(
                &f->text,
                SAID(w, "số liệu %s lấy được nhưng không đổi %lld ngày, từ %s",
                     "figures of %s are fetched and have not changed for %lld days, since "
                     "%s"),
                period_text(w, p, period), (long long) MAX(days, 0),
                instant_format_vi(at, changed));
}

/* ---- missing --------------------------------------------------------------------------------- */

static int add_unit(MissingMemo *l, UnitId id) {
        for (size_t i = 0; i < l->n; i++)
                if (l->units[i] == id)
                        return 0;
        int r = ARRAY_GROW(l->units, l->cap, l->n + 1);
        if (r >= 0)
                l->units[l->n++] = id;
        return MIN(r, 0);
}

static int compare_units(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        return (x > y) - (x < y);
}

static bool is_watched_indicator(const WatchCase *w, size_t i) {
        const Config *c = w->app->config;
        const IndicatorDef *d = &c->indicators[i];
        return d->id && d->derive == DERIVE_NONE && d->source >= 0 &&
               &c->sources[d->source] == w->source &&
               (w->rule->indicator < 0 || (size_t) w->rule->indicator == i);
}

/* Of a scope that has no figures of the period at all: that is for `overdue`. */
static int is_scope_awaited(const WatchCase *w, PeriodId p, const Unit *u, bool *ret) {
        *ret = false;
        for (size_t i = 0; i < w->source->n_scopes; i++) {
                UnitId id = 0;
                int64_t last = 0, first = 0;
                int r = store_scope_get(w->app->store, w->source->name, w->source->scopes[i], &id);
                if (r == 0 && (id == u->parent || id == u->id))
                        r = store_seen(w->app->store, w->source->name, w->source->scopes[i], p,
                                       &last, &first);
                else
                        first = 1;
                if (r < 0)
                        return r;
                *ret = *ret || first == 0;
        }
        return 0;
}

static int check_unit(const WatchCase *w, PeriodId p, UnitId id, MissingMemo *found) {
        const Unit *u = unit_get(&w->app->units, id);
        Day day = period_end(p) - 1;
        bool is_awaited = false;
        if (!u || u->until <= day || u->from > day ||
            (w->rule->units.is_set && !unit_selected(&w->app->units, &w->rule->units, id, day)))
                return 0;
        int r = is_scope_awaited(w, p, u, &is_awaited);
        return r < 0 || is_awaited ? r : add_unit(found, id);
}

/* Is there any figure of it anywhere? The publisher may no longer have the indicator: then nobody
 * misses it. */
static int is_published(const WatchCase *w, PeriodId p, IndicatorId id, bool *ret) {
        UnitId *units = NULL;
        size_t n = 0;
        int r = store_units_of(w->app->store, p, id, 0, &units, &n);
        free(units);
        *ret = n > 0;
        return r;
}

/* Who had a value before a boundary need not have one after it. */
static bool is_new_era(const WatchCase *w, PeriodId p, const IndicatorDef *def, UnitId id) {
        const Unit *u = unit_get(&w->app->units, id);
        return u && app_era_between(w->app, period_previous(p), p, def, u->parent);
}

/* Both sorted by unit: a value before, and neither a value nor a stated `empty` now. `scope`: of its
 * units only; 0 = all. */
static int compare_periods(const WatchCase *w, PeriodId p, const IndicatorDef *def, UnitId scope,
                           MissingMemo *found) {
        FigureRow CLEANUP_FREE *before = NULL, *now = NULL;
        IndicatorId id = def->id;
        size_t n_before = 0, n_now = 0, k = 0;
        bool is_there_at_all = true;
        int r = store_figures_of(w->app->store, period_previous(p), &id, 1, scope, &before,
                                 &n_before);
        if (r >= 0)
                r = store_figures_of(w->app->store, p, &id, 1, scope, &now, &n_now);
        if (r >= 0 && n_now == 0)
                r = is_published(w, p, id, &is_there_at_all);
        if (r < 0 || !is_there_at_all)
                return r;
        for (size_t i = 0; r >= 0 && i < n_before; i++) {
                if (before[i].value == VALUE_NONE)
                        continue;
                while (k < n_now && now[k].unit < before[i].unit)
                        k++;
                bool is_there = k < n_now && now[k].unit == before[i].unit &&
                                (now[k].value != VALUE_NONE || now[k].why == WHY_EMPTY);
                if (!is_there && !is_new_era(w, p, def, before[i].unit))
                        r = check_unit(w, p, before[i].unit, found);
        }
        return r;
}

static int name_missing(const WatchCase *w, PeriodId p, const MissingMemo *found, Buf *out) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < MIN(found->n, (size_t) NAMED_UNITS); i++)
                r = buf_printf(out, "%s%s", i ? ", " : "",
                               app_unit_label(w->app, found->units[i], period_end(p) - 1));
        return r >= 0 && found->n > NAMED_UNITS ? buf_str(out, "; ...") : r;
}

static int compare_indicators(const WatchCase *w, PeriodId p, UnitId scope, MissingMemo *found) {
        const Config *c = w->app->config;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < c->n_indicators; i++)
                if (is_watched_indicator(w, i))
                        r = compare_periods(w, p, &c->indicators[i], scope, found);
        if (found->n > 1)
                qsort(found->units, found->n, sizeof *found->units, compare_units);
        return r;
}

static void leave_out_scope(const WatchCase *w, UnitId scope, MissingMemo *found) {
        size_t n = 0;
        for (size_t i = 0; i < found->n; i++) {
                const Unit *u = unit_get(&w->app->units, found->units[i]);
                if (u && u->id != scope && u->parent != scope)
                        found->units[n++] = found->units[i];
        }
        found->n = n;
}

/* A failure leaves nothing behind: the transaction is rolled back, and that forgets all. */
static int missing_units(const WatchCase *w, PeriodId p, MissingMemo **ret) {
        WatchMemo *m = NULL;
        size_t i = 0;
        int r = memo_of(w->app, &m);
        if (r < 0)
                return r;
        while (i < m->n_missing &&
               !(m->missing[i].rule == w->rule && m->missing[i].source == w->source &&
                 period_type(m->missing[i].period) == w->type))
                i++;
        bool is_current = i < m->n_missing && m->missing[i].period == p;
        bool is_kept = is_current && w->scope->scope_unit;
        if (i == m->n_missing) {
                r = ARRAY_GROW(m->missing, m->cap_missing, i + 1);
                if (r < 0)
                        return r;
                m->missing[m->n_missing++] = (MissingMemo){.rule = w->rule, .source = w->source};
        }
        *ret = &m->missing[i];
        if (is_current && w->scope->is_same)
                return 0;
        (*ret)->period = p;
        if (is_kept)
                leave_out_scope(w, w->scope->scope_unit, *ret);
        else
                (*ret)->n = 0;
        return compare_indicators(w, p, is_kept ? w->scope->scope_unit : 0, *ret);
}

static int find_missing(const WatchCase *w, WatchFinding *f) {
        PeriodId p = period_last_ended(w->type, w->today);
        int64_t last = 0, first = 0;
        MissingMemo *found = NULL;
        int r = store_seen(w->app->store, w->source->name, NULL, p, &last, &first);
        if (r < 0 || first == 0)
                return r;
        r = missing_units(w, p, &found);
        f->look.period = p;
        f->look.n = r >= 0 ? found->n : 0;
        f->look.is_on = f->look.n > 0;
        if (r < 0 || !f->look.is_on)
                return r;
        Buf CLEANUP(buf_done) names = BUF_INIT(8192);
        char period[48];
        r = name_missing(w, p, found, &names);
        (void) snprintf(f->look.names, sizeof f->look.names, "%s", buf_text(&names));
        return r < 0 ? r
                     : buf_printf(&f->text,
                                  SAID(w, "%s: %zu đơn vị kỳ trước có số liệu, kỳ này không có: %s",
                                       "%s: %zu units had figures in the period before and have "
                                       "none: %s"),
                                  period_text(w, p, period), found->n, buf_text(&names));
}

/* ---- restated -------------------------------------------------------------------------------- */

static const IndicatorDef *changed_indicator(const WatchCase *w, const FigureChange *change) {
        const Config *c = w->app->config;
        for (size_t i = 0; i < c->n_indicators; i++)
                if (c->indicators[i].id == change->now.indicator)
                        return w->rule->indicator < 0 || (size_t) w->rule->indicator == i
                                       ? &c->indicators[i]
                                       : NULL;
        return NULL;
}

static bool is_restatement(const WatchCase *w, const FigureChange *change,
                           const IndicatorDef *def) {
        if (!change->had_old || change->old_value == VALUE_NONE)
                return false;
        if (w->rule->units.is_set &&
            !unit_selected(&w->app->units, &w->rule->units, change->now.unit,
                           period_end(w->scope->period) - 1))
                return false;
        if (change->now.value == VALUE_NONE)
                return true;
        int64_t size = change->now.value > change->old_value
                               ? change->now.value - change->old_value
                               : change->old_value - change->now.value;
        int64_t least = w->rule->indicator < 0 ? decimal_rescale(w->rule->when.amount,
                                                                 RULE_DECIMALS, def->decimals)
                                               : w->rule->when.amount;
        return size >= MAX(least, 1);
}

static int add_restatement(const WatchCase *w, const FigureChange *change, const IndicatorDef *def,
                           Buf *out) {
        char before[DECIMAL_TEXT_MAX], now[DECIMAL_TEXT_MAX];
        (void) snprintf(now, sizeof now, "%s", SAID(w, "không còn", "none"));
        (void) decimal_format_vi(before, change->old_value, def->decimals, 0);
        if (change->now.value != VALUE_NONE)
                (void) decimal_format_vi(now, change->now.value, def->decimals, 0);
        return buf_printf(
                out, "%s%s %s %s \u2192 %s", out->len ? "; " : "",
                app_unit_label(w->app, change->now.unit, period_end(w->scope->period) - 1),
                def->brief ? def->brief : def->name, before, now);
}

/* A notice: one item, told once, nothing that could close. */
static int watch_restated(const WatchCase *w) {
        const WatchScope *scope = w->scope;
        Buf CLEANUP(buf_done) named = BUF_INIT(8192), text = BUF_INIT(16384);
        char subject[300], period[48], id[16];
        size_t n = 0;
        int r = 0;
        if (scope->n_changes == 0 || period_type(scope->period) != w->type ||
            period_status(scope->period, w->today, w->source->final_after_days) != PERIOD_CLOSED)
                return 0;
        for (size_t i = 0; r >= 0 && i < scope->n_changes; i++) {
                const FigureChange *change = &scope->changes[i];
                const IndicatorDef *def = changed_indicator(w, change);
                if (!def || !is_restatement(w, change, def))
                        continue;
                if (n++ < NAMED_UNITS)
                        r = add_restatement(w, change, def, &named);
        }
        if (r < 0 || n == 0)
                return r;
        r = buf_printf(&text,
                       scope->is_by_hand
                               ? SAID(w, "%s đã chốt nhưng có người sửa %zu số liệu: %s%s",
                                      "%s is final, and %zu figures were changed by hand: %s%s")
                               : SAID(w, "%s đã chốt nhưng nguồn sửa %zu số liệu: %s%s",
                                      "%s is final, and the source changed %zu figures: %s%s"),
                       period_text(w, scope->period, period), n, buf_text(&named),
                       n > NAMED_UNITS ? "; ..." : "");
        (void) snprintf(subject, sizeof subject, "restated:%s/%s", w->source->name,
                        period_format(id, scope->period));
        return r < 0 ? r
                     : judge_notice(w->app, scope->step, scope->now_ms, w->rule->name, subject,
                                    buf_text(&text));
}

/* ---- all ------------------------------------------------------------------------------------- */

static int is_failing(const WatchCase *w, bool *ret) {
        const Config *c = w->app->config;
        PoliteState polite = {0};
        int least = 0, r = store_polite_get(w->app->store, w->source->name, &polite);
        for (size_t i = 0; i < c->n_rules; i++)
                if (!c->rules[i].is_off && c->rules[i].when.kind == CONDITION_SOURCE_FAILING)
                        least = least ? MIN(least, c->rules[i].when.count) : c->rules[i].when.count;
        *ret = polite.is_stopped || polite.refused_days > 0 ||
               polite.failures >= (least ? least : FAILING_DEFAULT);
        return MIN(r, 0);
}

static int find(const WatchCase *w, WatchFinding *f) {
        switch (w->rule->when.kind) {
        case CONDITION_OVERDUE:
                return find_overdue(w, f);
        case CONDITION_STALE:
                return find_stale(w, f);
        default:
                return find_missing(w, f);
        }
}

static int watch_case(const WatchCase *w, bool is_source_failing) {
        WatchFinding f = {.text = BUF_INIT(8192)};
        ConditionKind kind = w->rule->when.kind;
        if (kind == CONDITION_RESTATED)
                return watch_restated(w);
        if (kind != CONDITION_OVERDUE && kind != CONDITION_STALE && kind != CONDITION_MISSING)
                return 0;
        int r = find(w, &f);
        if (r >= 0 && !is_source_failing)
                r = put_finding(w, &f);
        buf_done(&f.text);
        return r;
}

static int watch_source(App *app, const WatchScope *scope, const SourceDef *source) {
        WatchCase w = {.app = app,
                       .scope = scope,
                       .source = source,
                       .today = day_of_instant(scope->now_ms)};
        bool is_source_failing = false;
        int r = is_failing(&w, &is_source_failing);
        for (size_t i = 0; r >= 0 && i < app->config->n_rules; i++) {
                const RuleDef *rule = &app->config->rules[i];
                if (rule->is_off || condition_is_value(rule->when.kind))
                        continue;
                w.rule = rule;
                for (size_t t = 0; r >= 0 && t < source->n_periods; t++) {
                        w.type = source->periods[t];
                        r = watch_case(&w, is_source_failing);
                }
        }
        return r;
}

int watch_run(App *app, const WatchScope *scope) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < app->config->n_sources; i++)
                if (scope->source < 0 || (size_t) scope->source == i)
                        r = watch_source(app, scope, &app->config->sources[i]);
        return r;
}

/* The scope that fails most, as daemon/flow/cycle counts it. */
static int look_failing(const WatchCase *w, WatchLook *ret) {
        ret->period = period_last_ended(w->type, w->today);
        for (size_t i = 0; i < w->source->n_scopes; i++) {
                const char *scope = w->source->scopes[i];
                int failures = 0;
                int r = store_scope_failures(w->app->store, w->source->name, scope, ret->period,
                                             &failures);
                if (r < 0)
                        return r;
                if ((size_t) failures <= ret->n)
                        continue;
                ret->n = (size_t) failures;
                (void) snprintf(ret->names, sizeof ret->names, "%s", scope);
        }
        ret->is_on = ret->n >= (size_t) w->rule->when.count;
        return 0;
}

int watch_look(App *app, const RuleDef *rule, const SourceDef *source, PeriodType type,
               int64_t now_ms, WatchLook *ret) {
        const WatchScope scope = {.now_ms = now_ms, .source = -1, .is_same = true};
        const WatchCase w = {.app = app,
                             .scope = &scope,
                             .source = source,
                             .rule = rule,
                             .type = type,
                             .today = day_of_instant(now_ms)};
        WatchFinding f = {.text = BUF_INIT(8192)};
        ConditionKind kind = rule->when.kind;
        int r = 0;
        if (kind == CONDITION_SOURCE_FAILING)
                r = look_failing(&w, &f.look);
        else if (kind != CONDITION_RESTATED)
                r = find(&w, &f);
        buf_done(&f.text);
        *ret = f.look;
        return r < 0 || kind == CONDITION_SOURCE_FAILING ? r : is_failing(&w, &ret->is_inhibited);
}
