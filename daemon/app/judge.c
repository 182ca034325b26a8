/* Judging inside the evaluation transaction.
 *
 * For each rule and cohort: load the panel from where no run is open, fold, compare with the
 * stored episodes, write what differs. Because the panel is read through the writing connection,
 * figures written a moment ago in the same transaction are seen, and a rollback forgets both.
 *
 * How far back a fold begins: at the oldest changed period, or at the beginning of any stored run
 * that reaches it or is still alive. Runs that ended before cannot change. */
#include "app/judge.h"

#include <errno.h>
#include <stdio.h>

#include "os/log.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/registry.h"

#define PANEL_MAX_PERIODS 400 /* 33 years of months */
#define DEADLINE_REACH                                                                             \
        3 /* periods that a deadline looks back: several can become due in one absence */

typedef struct RuleTexts {
        RuleVersion *versions;
        RuleDef **parsed; /* those that are not the configuration's own */
        size_t n, n_parsed;
        bool is_new;     /* text is new at this load */
        PeriodId judged; /* newest period judged since the start; 0 = not yet */
} RuleTexts;

struct JudgeState {
        RuleTexts *rules; /* one per config->rules */
        size_t n;
};

static void rule_texts_done(RuleTexts *t) {
        for (size_t i = 0; i < t->n_parsed; i++)
                rule_text_free(t->parsed[i]);
        free(t->parsed);
        free(t->versions);
}

void judge_done(App *app) {
        if (!app->judge)
                return;
        for (size_t i = 0; i < app->judge->n; i++)
                rule_texts_done(&app->judge->rules[i]);
        free(app->judge->rules);
        free(app->judge);
        app->judge = NULL;
}

static bool is_judged_rule(const App *app, const RuleDef *rule) {
        return !rule->is_off && rule->indicator >= 0 && condition_is_value(rule->when.kind) &&
               app->config->indicators[rule->indicator].id != 0;
}

/* ---- rule versions --------------------------------------------------------------------------- */

/* A changed text judges from the latest period that is not closed: closed ones keep the text that
 * held for them. A rule's first text has no predecessor, so it begins at the last ended period
 * even when that is closed: otherwise an installation late in a month would show nothing for
 * weeks. */
static PeriodId first_period_of(const App *app, const RuleDef *rule, bool is_first,
                                int64_t now_ms) {
        if (rule->from)
                return rule->from;
        Day today = day_of_instant(now_ms);
        PeriodId ended = period_last_ended(rule->period, today);
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        if (is_first || period_status(ended, today, source->final_after_days) != PERIOD_CLOSED)
                return ended;
        return period_next(ended);
}

static int texts_add(const App *app, RuleTexts *t, const RuleTextRow *row, const RuleDef *rule) {
        const RuleDef *def = rule;
        if (!streq(row->text, rule->text)) {
                RuleDef *parsed = NULL;
                int r = rule_from_text(row->text, app->config->indicators,
                                       app->config->n_indicators, &parsed);
                if (r == -EINVAL) {
                        log_warning(
                                "rule %s: its text of %d can no longer be read, judging that time "
                                "by the "
                                "present text",
                                rule->name, row->from);
                } else if (r < 0) {
                        return r;
                } else {
                        t->parsed[t->n_parsed++] = parsed;
                        def = parsed;
                }
        }
        t->versions[t->n++] = (RuleVersion){.from = row->from, .rule = def};
        return 0;
}

static int texts_load(const App *app, const RuleDef *rule, RuleTexts *ret) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(app->store, rule->name, &rows, &n);
        if (r < 0)
                return r;
        ret->versions = calloc(n + 1, sizeof *ret->versions);
        ret->parsed = calloc(n + 1, sizeof *ret->parsed);
        if (!ret->versions || !ret->parsed)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = texts_add(app, ret, &rows[i], rule);
        rule_text_rows_free(rows, n);
        return r;
}

static int sync_rule(App *app, StepId step, int64_t now_ms, const RuleDef *rule, RuleTexts *t) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(app->store, rule->name, &rows, &n);
        if (r < 0)
                return r;
        bool is_first = n == 0;
        t->is_new = is_first || !streq(rows[n - 1].text, rule->text);
        rule_text_rows_free(rows, n);
        if (t->is_new)
                r = store_rule_text_put(app->store, step, rule->name,
                                        first_period_of(app, rule, is_first, now_ms), rule->text);
        return r < 0 ? r : texts_load(app, rule, t);
}

static bool is_configured(const App *app, const char *name) {
        int i = config_rule(app->config, name);
        return i >= 0 && !app->config->rules[i].is_off;
}

/* Episodes of rules that are no longer configured end; whoever was told of them is told of that. */
static int end_removed_rules(App *app, StepId step, int64_t now_ms) {
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(app->store, &(EpisodeFilter){.is_live = true}, &e, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (e[i].unit == 0 || is_configured(app, e[i].rule))
                        continue;
                bool was_open = e[i].state == EPISODE_OPEN;
                e[i].state = was_open ? EPISODE_CLOSED : EPISODE_GONE;
                e[i].end = END_RULE_REMOVED;
                r = store_episode_put(app->store, step, &e[i]);
                TransitionRow row = {.episode = e[i].id,
                                     .step = step,
                                     .at_ms = now_ms,
                                     .kind = TRANSITION_RULE_REMOVED,
                                     .period = e[i].last,
                                     .value = e[i].value,
                                     .previous_value = e[i].previous,
                                     .limit = e[i].limit,
                                     .severity = e[i].severity};
                if (r >= 0)
                        r = store_transition_add(app->store, step, &e[i], &row);
        }
        store_episodes_free(e, n);
        return r;
}

int judge_sync_rules(App *app, StepId step, int64_t now_ms) {
        judge_done(app);
        app->judge = calloc(1, sizeof *app->judge);
        if (!app->judge)
                return -ENOMEM;
        size_t n = app->config->n_rules;
        app->judge->rules = calloc(n + 1, sizeof *app->judge->rules);
        if (!app->judge->rules)
                return -ENOMEM;
        app->judge->n = n;
        for (size_t i = 0; i < n; i++) {
                if (!is_judged_rule(app, &app->config->rules[i]))
                        continue;
                int r = sync_rule(app, step, now_ms, &app->config->rules[i], &app->judge->rules[i]);
                if (r < 0)
                        return r;
        }
        return end_removed_rules(app, step, now_ms);
}

/* ---- what may be judged ---------------------------------------------------------------------- */

int judge_newest(App *app, const RuleDef *rule, int64_t now_ms, PeriodId *ret) {
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        Day today = day_of_instant(now_ms);
        PeriodId p = period_last_ended(rule->period, today);
        for (int back = 0; back < 24; back++, p = period_previous(p)) {
                if (period_end(p) + rule->settle_days > today)
                        continue;
                int64_t last = 0, first = 0;
                int r = store_seen(app->store, source->name, NULL, p, &last, &first);
                if (r < 0)
                        return r;
                if (first && last >= day_start_ms(period_end(p))) {
                        *ret = p;
                        return 0;
                }
        }
        *ret = 0;
        return 0;
}

int64_t judge_next(App *app, int64_t now_ms) {
        (void) app;
        /* Every deadline (settle, period end, final_after, from, until, era, due, stale) is a
         * local midnight. */
        return day_start_ms(day_of_instant(now_ms) + 1);
}

/* ---- one cohort ------------------------------------------------------------------------------ */

typedef struct Cohort {
        const char *kind;
        UnitId parent;
        UnitId *units; /* by code */
        size_t n, cap;
} Cohort;

typedef struct CohortList {
        Cohort *items;
        size_t n, cap;
} CohortList;

static void cohorts_done(CohortList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].units);
        free(l->items);
}

static Cohort *cohort_find(CohortList *l, const char *kind, UnitId parent) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].parent == parent && streq(l->items[i].kind, kind))
                        return &l->items[i];
        return NULL;
}

static int cohort_add(CohortList *l, const char *kind, UnitId parent) {
        if (cohort_find(l, kind, parent))
                return 0;
        int r = ARRAY_GROW(l->items, l->cap, l->n + 1);
        if (r < 0)
                return r;
        l->items[l->n++] = (Cohort){.kind = kind, .parent = parent};
        return 0;
}

typedef struct SortContext {
        const UnitRegistry *units;
        Day day;
} SortContext;

static int compare_codes(const void *a, const void *b, void *userdata) {
        const SortContext *c = userdata;
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        int d = strcmp(unit_code_on(c->units, x, c->day), unit_code_on(c->units, y, c->day));
        return d ? d : (x > y) - (x < y);
}

/* The units of every cohort in the list, sorted by code. */
static int cohorts_fill(const App *app, CohortList *l, Day day) {
        for (size_t i = 0; i < app->units.n; i++) {
                const Unit *u = &app->units.units[i];
                Cohort *c = cohort_find(l, u->kind, u->parent);
                if (!c)
                        continue;
                int r = ARRAY_GROW(c->units, c->cap, c->n + 1);
                if (r < 0)
                        return r;
                c->units[c->n++] = u->id;
        }
        SortContext context = {&app->units, day};
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].n > 1)
                        qsort_r(l->items[i].units, l->items[i].n, sizeof(UnitId), compare_codes,
                                &context);
        return 0;
}

/* Cohorts that the rule watches and that the changes touch (all of them at deadlines). */
static int cohorts_of(const App *app, const RuleDef *rule, const JudgeScope *scope, bool is_all,
                      Day day, CohortList *ret) {
        int r = 0;
        for (size_t i = 0; is_all && r >= 0 && i < app->units.n; i++) {
                const Unit *u = &app->units.units[i];
                if (unit_selected(&app->units, &rule->units, u->id, day))
                        r = cohort_add(ret, u->kind, u->parent);
        }
        UnitId last = 0;
        for (size_t i = 0; r >= 0 && i < scope->n_changes; i++) {
                UnitId id = scope->changes[i].now.unit;
                const Unit *u = id == last ? NULL : unit_get(&app->units, id);
                last = id;
                if (u)
                        r = cohort_add(ret, u->kind, u->parent);
        }
        return r < 0 ? r : cohorts_fill(app, ret, day);
}

typedef struct CohortWork {
        App *app;
        const JudgeScope *scope;
        const RuleDef *rule;
        const RuleTexts *texts;
        const Cohort *cohort;
        PeriodId newest;
        bool is_all, is_new_rule;
        Panel *value, *volume;
        bool *is_watched, *is_restated;
        Day *from, *until;
        Episode *stored;
        size_t n_stored;
        char subject[256]; /* of its hold */
} CohortWork;

static void cohort_work_done(CohortWork *w) {
        if (w->value)
                panel_free(w->value);
        if (w->volume)
                panel_free(w->volume);
        free(w->is_watched);
        free(w->is_restated);
        free(w->from);
        free(w->until);
        store_episodes_free(w->stored, w->n_stored);
}

static int compare_ids(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        return (x > y) - (x < y);
}

static int load_stored(CohortWork *w, PeriodId touched) {
        UnitId CLEANUP_FREE *sorted = calloc(w->cohort->n + 1, sizeof *sorted);
        if (!sorted)
                return -ENOMEM;
        memcpy(sorted, w->cohort->units, w->cohort->n * sizeof *sorted);
        qsort(sorted, w->cohort->n, sizeof *sorted, compare_ids);
        EpisodeFilter filter = {.rule = w->rule->name,
                                .units = sorted,
                                .n_units = w->cohort->n,
                                .is_live = true,
                                .touched_from = touched};
        return store_episodes(w->app->store, &filter, &w->stored, &w->n_stored);
}

/* The stored episodes, and the period to fold from. A run that reaches further back than was loaded
 * widens the load, until nothing between is missing. */
static int load_runs(CohortWork *w, PeriodId touched, PeriodId *ret_from) {
        for (PeriodId from = touched;;) {
                store_episodes_free(w->stored, w->n_stored);
                w->stored = NULL;
                w->n_stored = 0;
                int r = load_stored(w, from);
                if (r < 0)
                        return r;
                PeriodId earlier = engine_fold_from(w->stored, w->n_stored, touched, w->newest);
                if (earlier >= from) {
                        *ret_from = earlier;
                        return 0;
                }
                from = earlier;
        }
}

static int max_lookback(const RuleTexts *t) {
        int n = 1; /* the previous value is part of every transition */
        for (size_t i = 0; i < t->n; i++)
                n = MAX(n, rule_lookback(t->versions[i].rule));
        return n;
}

static int load_panels(CohortWork *w, PeriodId fold_from) {
        const Config *c = w->app->config;
        PeriodId first = period_add(fold_from, -max_lookback(w->texts));
        int n = period_distance(first, w->newest) + 1;
        if (n > PANEL_MAX_PERIODS) {
                first = period_add(w->newest, 1 - PANEL_MAX_PERIODS);
                n = PANEL_MAX_PERIODS;
        }
        int r = panel_new(w->cohort->units, w->cohort->n, first, (size_t) n, &w->value);
        if (r >= 0)
                r = store_panel_load(w->app->store, c->indicators[w->rule->indicator].id, 0,
                                     w->value);
        if (r < 0 || w->rule->volume_indicator < 0)
                return r;
        r = panel_new(w->cohort->units, w->cohort->n, first, (size_t) n, &w->volume);
        if (r < 0)
                return r;
        return store_panel_load(w->app->store, c->indicators[w->rule->volume_indicator].id, 0,
                                w->volume);
}

static int fill_unit_facts(CohortWork *w, Day day) {
        size_t n = w->cohort->n;
        w->is_watched = calloc(n + 1, sizeof *w->is_watched);
        w->is_restated = calloc(n + 1, sizeof *w->is_restated);
        w->from = calloc(n + 1, sizeof *w->from);
        w->until = calloc(n + 1, sizeof *w->until);
        if (!w->is_watched || !w->is_restated || !w->from || !w->until)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const Unit *u = unit_get(&w->app->units, w->cohort->units[i]);
                w->from[i] = u->from;
                w->until[i] = u->until;
                w->is_watched[i] = unit_selected(&w->app->units, &w->rule->units, u->id, day);
        }
        return 0;
}

/* Which of the rule's figures existed before and changed in this step; which came for the first
 * time. */
static void note_changes(CohortWork *w, JudgeInput *in) {
        const Config *c = w->app->config;
        IndicatorId own = c->indicators[w->rule->indicator].id;
        IndicatorId volume =
                w->rule->volume_indicator >= 0 ? c->indicators[w->rule->volume_indicator].id : 0;
        for (size_t i = 0; i < w->scope->n_changes; i++) {
                const FigureChange *f = &w->scope->changes[i];
                if (f->now.indicator != own && f->now.indicator != volume)
                        continue;
                int u = panel_unit(w->value, f->now.unit);
                if (u < 0)
                        continue;
                if (!f->had_old) {
                        in->first_seen = w->scope->period;
                        continue;
                }
                in->restated = w->scope->period;
                w->is_restated[u] = true;
        }
}

static int write_result(CohortWork *w, JudgeResult *result) {
        const JudgeScope *scope = w->scope;
        for (size_t i = 0; i < result->n_episodes; i++) {
                result->episodes[i].rule = w->rule->name;
                int r = store_episode_put(w->app->store, scope->step, &result->episodes[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < result->n_transitions; i++) {
                const Transition *t = &result->transitions[i];
                const Episode *e = &result->episodes[t->episode];
                TransitionRow row = {.episode = e->id,
                                     .step = scope->step,
                                     .at_ms = scope->now_ms,
                                     .kind = t->kind,
                                     .period = t->period,
                                     .value = t->value,
                                     .previous_value = t->previous_value,
                                     .limit = t->limit,
                                     .place = t->place,
                                     .of = t->of,
                                     .severity = e->severity,
                                     .reason = (char *) t->reason};
                int r = store_transition_add(w->app->store, scope->step, e, &row);
                if (r < 0)
                        return r;
        }
        if (scope->ret_n_transitions)
                *scope->ret_n_transitions += result->n_transitions;
        return 0;
}

/* Operators, and those who answer for the parent, get one message instead of a hundred. */
static int write_hold(CohortWork *w, const JudgeResult *result) {
        char period[48], text[512];
        (void) snprintf(text, sizeof text,
                        "%zu/%zu đơn vị mở cảnh báo %s %s%s: kiểm tra ngưỡng, công thức hoặc "
                        "nguồn; các cảnh báo mở mới đang được giữ "
                        "lại",
                        result->guard_opening, result->guard_of, w->rule->name,
                        period_format_vi(period, w->newest),
                        result->is_guard_by_jump ? " (trung vị thay đổi đột ngột)" : "");
        return judge_subject(w->app, w->scope->step, w->scope->now_ms, "mass-guard", w->subject,
                             result->is_guard_tripped, SEVERITY_CRITICAL, text);
}

static int judge_cohort(CohortWork *w, Day day) {
        const Config *c = w->app->config;
        const IndicatorDef *indicator = &c->indicators[w->rule->indicator];
        PeriodId touched = w->is_all ? period_add(w->newest, -DEADLINE_REACH) : w->newest;
        if (w->scope->n_changes && period_type(w->scope->period) == w->rule->period)
                touched = MIN(touched, w->scope->period);
        touched = MAX(touched, w->texts->versions[0].from);
        if (touched > w->newest)
                return 0;
        PeriodId fold_from = 0;
        int r = load_runs(w, touched, &fold_from);
        if (r < 0)
                return r;
        r = load_panels(w, fold_from);
        if (r >= 0)
                r = fill_unit_facts(w, day);
        if (r < 0)
                return r;
        const Unit *parent = unit_get(&w->app->units, w->cohort->parent);
        (void) snprintf(w->subject, sizeof w->subject, "hold:%s/%s/%s", w->rule->name,
                        parent ? parent->key : "-", w->cohort->kind);
        JudgeInput in = {
                .versions = w->texts->versions,
                .n_versions = w->texts->n,
                .indicators = c->indicators,
                .value = w->value,
                .volume = w->volume,
                .fold_from = MAX(fold_from, w->value->first),
                .newest = w->newest,
                .is_watched = w->is_watched,
                .valid_from = w->from,
                .valid_until = w->until,
                .eras = c->eras,
                .n_eras = c->n_eras,
                .source = c->sources[indicator->source].name,
                .parent = parent ? parent->key : NULL,
                .is_restated_unit = w->is_restated,
                .is_new_rule = w->is_new_rule,
                .stored = w->stored,
                .n_stored = w->n_stored,
                .guard_percent = c->daemon.mass_guard_percent,
                .guard_jump = decimal_rescale(c->daemon.guard_jump_points, 0, indicator->decimals)};
        note_changes(w, &in);
        r = store_hold_released(w->app->store, w->subject, &in.is_guard_released);
        if (r < 0)
                return r;
        JudgeResult CLEANUP(judge_result_done) result = {0};
        r = engine_judge(&in, &result);
        if (r >= 0)
                r = write_result(w, &result);
        return r < 0 ? r : write_hold(w, &result);
}

static bool touches(const App *app, const RuleDef *rule, const JudgeScope *scope) {
        IndicatorId own = app->config->indicators[rule->indicator].id;
        IndicatorId volume = rule->volume_indicator >= 0
                                     ? app->config->indicators[rule->volume_indicator].id
                                     : 0;
        for (size_t i = 0; i < scope->n_changes; i++)
                if (scope->changes[i].now.indicator == own ||
                    (volume && scope->changes[i].now.indicator == volume))
                        return true;
        return false;
}

static int judge_rule(App *app, const RuleDef *rule, RuleTexts *texts, const JudgeScope *scope) {
        bool is_new_rule = texts->is_new; /* only the judging at load finds it set */
        texts->is_new = false;
        PeriodId newest = 0;
        int r = judge_newest(app, rule, scope->now_ms, &newest);
        if (r < 0 || newest == 0)
                return r;
        /* A period that has just become judgeable concerns every unit, whatever changed. */
        bool is_all = newest != texts->judged;
        if (!is_all && (scope->n_changes == 0 || period_type(scope->period) != rule->period ||
                        !touches(app, rule, scope)))
                return 0;
        Day day = period_end(newest) - 1;
        CohortList CLEANUP(cohorts_done) cohorts = {0};
        r = cohorts_of(app, rule, scope, is_all, day, &cohorts);
        for (size_t i = 0; r >= 0 && i < cohorts.n; i++) {
                CohortWork CLEANUP(cohort_work_done) w = {.app = app,
                                                          .scope = scope,
                                                          .rule = rule,
                                                          .texts = texts,
                                                          .cohort = &cohorts.items[i],
                                                          .newest = newest,
                                                          .is_all = is_all,
                                                          .is_new_rule = is_new_rule};
                r = judge_cohort(&w, day);
        }
        if (r < 0)
                return r;
        texts->judged = newest;
        return 0;
}

int judge_run(App *app, const JudgeScope *scope) {
        assert(app->judge && app->judge->n == app->config->n_rules);
        for (size_t i = 0; i < app->config->n_rules; i++) {
                const RuleDef *rule = &app->config->rules[i];
                if (!is_judged_rule(app, rule) || app->judge->rules[i].n == 0)
                        continue;
                if (scope->source >= 0 &&
                    app->config->indicators[rule->indicator].source != scope->source)
                        continue;
                int r = judge_rule(app, rule, &app->judge->rules[i], scope);
                if (r < 0)
                        return r;
        }
        return 0;
}

void judge_forget(App *app) {
        for (size_t i = 0; app->judge && i < app->judge->n; i++)
                app->judge->rules[i].judged = 0;
}

/* ---- subjects -------------------------------------------------------------------------------- */

int judge_subject(App *app, StepId step, int64_t now_ms, const char *rule, const char *subject,
                  bool is_on, Severity severity, const char *text) {
        Episode *e = NULL;
        size_t n = 0, found = 0;
        int r = store_episodes(app->store,
                               &(EpisodeFilter){.rule = rule, .is_live = true, .is_subject = true},
                               &e, &n);
        if (r < 0)
                return r;
        while (found < n && !streq_ptr(e[found].subject, subject))
                found++;
        /* `last` dates a subject's episode by the month, so that old ones fall out of what the
         * teller reads. */
        PeriodId month = period_of_day(PERIOD_MONTH, day_of_instant(now_ms));
        Episode made = {.rule = rule,
                        .subject = subject,
                        .first = step,
                        .last = month,
                        .state = EPISODE_OPEN,
                        .severity = severity,
                        .value = VALUE_NONE,
                        .previous = VALUE_NONE,
                        .limit = VALUE_NONE,
                        .delta = VALUE_NONE,
                        .length = 1};
        Episode *one = found < n ? &e[found] : is_on ? &made : NULL;
        TransitionKind kind = TRANSITION_OPENED;
        if (one == &e[found] && found < n) {
                kind = !is_on ? TRANSITION_CLOSED : severity > one->severity ? TRANSITION_WORSE : 0;
                one->state = is_on ? EPISODE_OPEN : EPISODE_CLOSED;
                one->end = is_on ? END_NONE : END_CLEAR;
                one->severity = MAX(severity, one->severity);
                one->last = month;
        }
        if (one && kind) {
                r = store_episode_put(app->store, step, one);
                TransitionRow row = {.episode = one->id,
                                     .step = step,
                                     .at_ms = now_ms,
                                     .kind = kind,
                                     .value = VALUE_NONE,
                                     .previous_value = VALUE_NONE,
                                     .limit = VALUE_NONE,
                                     .severity = one->severity,
                                     .reason = (char *) text};
                if (r >= 0)
                        r = store_transition_add(app->store, step, one, &row);
        }
        store_episodes_free(e, n);
        return r < 0 ? r : 0;
}
