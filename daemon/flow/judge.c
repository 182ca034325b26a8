/* Judging inside the evaluation transaction.
 *
 * For each rule and cohort: load the panel from where no run is open (judge-load.c), fold, compare
 * with the stored episodes, write what differs.
 *
 * How far back a fold begins: at the oldest changed period, or at the beginning of any stored run
 * that reaches it or is still alive. Runs that ended before cannot change. */
#include <errno.h>
#include <stdio.h>

#include "flow/judge-private.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/registry.h"

#define DEADLINE_REACH                                                                             \
        3 /* periods that a deadline looks back: several can become due in one absence */

/* Operators get one summary of what a load did; officials hear at the next publication. Nothing to
 * say on the first start, when every rule is new and nothing is known. */
static int write_summary(App *app, const JudgeScope *scope) {
        JudgeState *s = app->judge;
        char text[800];
        bool is_said = s->n_opened + s->n_ended + s->n_removed > 0;
        (void) snprintf(
                text, sizeof text,
                app_is_vi(app) ? "quy tắc mới hoặc đổi: %s; mở %zu cảnh báo, kết thúc %zu, %zu kết "
                                 "thúc vì quy tắc đã bỏ; cán bộ được báo ở kỳ công bố tới"
                               : "new or changed rules: %s; %zu alerts opened, %zu ended, %zu "
                                 "ended with rules that are gone; officials hear at the next "
                                 "publication",
                *s->names ? s->names : "-", s->n_opened, s->n_ended, s->n_removed);
        s->n_new_rules = s->n_opened = s->n_ended = s->n_removed = 0;
        s->names[0] = '\0';
        return is_said ? judge_notice(app, scope->step, scope->now_ms, "rules-changed",
                                      app_is_vi(app) ? "rules:cấu hình" : "rules:configuration",
                                      text)
                       : 0;
}

/* ---- what may be judged ---------------------------------------------------------------------- */

/* An early warning looks at the running period from its 10th day on; before that at what was the
 * running one. */
static int newest_running(App *app, const RuleDef *rule, Day today, PeriodId *ret) {
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        PeriodId p = period_of_day(rule->period, today);
        for (int back = 0; back < 2; back++, p = period_previous(p)) {
                Day from = period_start(p) + EARLY_DAYS;
                int64_t last = 0, first = 0;
                int r = today >= from ? store_seen(app->store, source->name, NULL, p, &last, &first)
                                      : 0;
                if (r < 0)
                        return r;
                if (first && last >= day_start_ms(from)) {
                        *ret = p;
                        return 0;
                }
        }
        *ret = 0;
        return 0;
}

int judge_newest(App *app, const RuleDef *rule, int64_t now_ms, PeriodId *ret) {
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        Day today = day_of_instant(now_ms);
        if (rule->watch == WATCH_RUNNING)
                return newest_running(app, rule, today, ret);
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

/* ---- which cohorts ---------------------------------------------------------------------------- */

typedef struct CohortList {
        Cohort **items;
        size_t n, cap;
} CohortList;

/* Of the run: owns its cohorts. */
static void cohorts_done(CohortList *l) {
        for (size_t i = 0; i < l->n; i++)
                judge_cohort_free(l->items[i]);
        free(l->items);
}

/* Of one rule: borrows them. */
static void cohorts_drop(CohortList *l) {
        free(l->items);
}

static Cohort *cohort_find(const CohortList *l, const char *kind, UnitId parent, Day day) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i]->parent == parent && l->items[i]->day == day &&
                    streq(l->items[i]->kind, kind))
                        return l->items[i];
        return NULL;
}

static int cohorts_append(CohortList *l, Cohort *c) {
        int r = ARRAY_GROW(l->items, l->cap, l->n + 1);
        if (r >= 0)
                l->items[l->n++] = c;
        return r;
}

typedef struct JudgeRun {
        App *app;
        const JudgeScope *scope;
        CohortList cohorts; /* made so far */
} JudgeRun;

static void judge_run_done(JudgeRun *run) {
        cohorts_done(&run->cohorts);
}

/* The unit's cohort joins the list, once. */
static int cohort_add(JudgeRun *run, const Unit *u, Day day, CohortList *list) {
        if (cohort_find(list, u->kind, u->parent, day))
                return 0;
        Cohort *c = cohort_find(&run->cohorts, u->kind, u->parent, day);
        if (!c) {
                int r = judge_cohort_new(run->app, u->kind, u->parent, day, &c);
                if (r < 0)
                        return r;
                r = cohorts_append(&run->cohorts, c);
                if (r < 0) {
                        judge_cohort_free(c);
                        return r;
                }
        }
        return cohorts_append(list, c);
}

static IndicatorId volume_of(const Config *c, const RuleDef *rule) {
        return rule->volume_indicator >= 0 ? c->indicators[rule->volume_indicator].id : 0;
}

/* Cohorts that the rule watches and that changes of its figures touch (all of them at deadlines). */
static int cohorts_of(JudgeRun *run, const RuleDef *rule, const UnitSelection *watched, bool is_all,
                      Day day, CohortList *ret) {
        const App *app = run->app;
        const JudgeScope *scope = run->scope;
        IndicatorId own = app->config->indicators[rule->indicator].id;
        IndicatorId volume = volume_of(app->config, rule);
        int r = 0;
        for (size_t i = 0; is_all && r >= 0 && i < app->units.n; i++)
                if (unit_selection_has(watched, &app->units, app->units.units[i].id))
                        r = cohort_add(run, &app->units.units[i], day, ret);
        for (size_t i = 0; r >= 0 && i < scope->n_changes; i++) {
                const FigureRow *f = &scope->changes[i].now;
                if (f->indicator != own && f->indicator != volume)
                        continue;
                const Unit *u = unit_get(&app->units, f->unit);
                if (u)
                        r = cohort_add(run, u, day, ret);
        }
        return r;
}

/* ---- one cohort ------------------------------------------------------------------------------ */

/* Which of the rule's figures existed before and changed in this step; which came for the first
 * time. */
static void note_changes(CohortWork *w, JudgeInput *in) {
        const Config *c = w->app->config;
        IndicatorId own = c->indicators[w->rule->indicator].id;
        IndicatorId volume = volume_of(c, w->rule);
        for (size_t i = 0; i < w->scope->n_changes; i++) {
                const FigureChange *f = &w->scope->changes[i];
                if (f->now.indicator != own && f->now.indicator != volume)
                        continue;
                size_t u = judge_cohort_place(w->cohort, f->now.unit);
                if (u == SIZE_MAX)
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
        for (size_t i = 0; w->is_new_rule && i < result->n_transitions; i++) {
                TransitionKind kind = result->transitions[i].kind;
                w->app->judge->n_opened += kind == TRANSITION_OPENED;
                w->app->judge->n_ended +=
                        kind == TRANSITION_CLOSED || kind == TRANSITION_RULE_CHANGED;
        }
        return 0;
}

/* Operators, and those who answer for the parent, get one message instead of a hundred. */
static int write_hold(CohortWork *w, const JudgeInput *in, const JudgeResult *result) {
        return judge_hold(w->app, w->scope,
                          &(Hold){.subject = w->subject,
                                  .rule = w->rule->name,
                                  .kind = w->cohort->kind,
                                  .period = w->newest,
                                  .n_opening = result->guard_opening,
                                  .n_units = result->guard_of,
                                  .is_on = result->is_guard_tripped,
                                  .is_by_jump = result->is_guard_by_jump,
                                  .is_released = in->is_guard_released});
}

/* Of several rules for one figure the first speaks; what runs still has nothing to say of eras. */
static bool speaks_of_era(const Config *c, const RuleDef *rule) {
        const RuleDef *first = c->rules;
        while (first->is_off || first->watch != WATCH_ENDED ||
               first->indicator != rule->indicator || first->period != rule->period)
                if (++first > rule)
                        return false;
        return first == rule && c->indicators[rule->indicator].unit != INDICATOR_COUNT;
}

static int suggest_era(CohortWork *w, const JudgeResult *result) {
        const Config *c = w->app->config;
        const Unit *parent = unit_get(&w->app->units, w->cohort->parent);
        if (!speaks_of_era(c, w->rule))
                return 0;
        return judge_era(w->app, w->scope,
                         &(EraHint){.indicator = &c->indicators[w->rule->indicator],
                                    .parent = parent ? parent->key : "-",
                                    .kind = w->cohort->kind,
                                    .period = w->newest,
                                    .n_units = result->guard_of,
                                    .before = result->jump_from,
                                    .now = result->jump_to});
}

static int judge_cohort(CohortWork *w) {
        const Config *c = w->app->config;
        const IndicatorDef *indicator = &c->indicators[w->rule->indicator];
        PeriodId touched = w->is_all ? period_add(w->newest, -DEADLINE_REACH) : w->newest;
        if (w->scope->n_changes && period_type(w->scope->period) == w->rule->period)
                touched = MIN(touched, w->scope->period);
        touched = MAX(touched, w->texts->versions[0].from);
        if (touched > w->newest)
                return 0;
        PeriodId fold_from = 0;
        int r = judge_load_runs(w, touched, &fold_from);
        if (r < 0)
                return r;
        r = judge_load_panels(w, fold_from);
        if (r >= 0)
                r = judge_fill_units(w);
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
                .valid_from = w->cohort->from,
                .valid_until = w->cohort->until,
                .eras = w->cohort->eras,
                .n_eras = w->cohort->n_eras,
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
        if (r >= 0)
                r = write_hold(w, &in, &result);
        return r < 0 ? r : suggest_era(w, &result);
}

static bool touches(const App *app, const RuleDef *rule, const JudgeScope *scope) {
        IndicatorId own = app->config->indicators[rule->indicator].id;
        IndicatorId volume = volume_of(app->config, rule);
        for (size_t i = 0; i < scope->n_changes; i++)
                if (scope->changes[i].now.indicator == own ||
                    (volume && scope->changes[i].now.indicator == volume))
                        return true;
        return false;
}

static int judge_rule(JudgeRun *run, const RuleDef *rule, RuleTexts *texts) {
        App *app = run->app;
        const JudgeScope *scope = run->scope;
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
        app->is_tell_due |= is_all; /* another period is the newest: more may be told */
        Day day = period_end(newest) - 1;
        CohortList CLEANUP(cohorts_drop) cohorts = {0};
        UnitSelection CLEANUP(unit_selection_done) watched = {0};
        r = unit_selection_init(&watched, &app->units, &rule->units, day);
        if (r >= 0)
                r = cohorts_of(run, rule, &watched, is_all, day, &cohorts);
        for (size_t i = 0; r >= 0 && i < cohorts.n; i++) {
                CohortWork CLEANUP(judge_work_done) w = {.app = app,
                                                         .scope = scope,
                                                         .rule = rule,
                                                         .texts = texts,
                                                         .cohort = cohorts.items[i],
                                                         .watched = &watched,
                                                         .newest = newest,
                                                         .is_all = is_all,
                                                         .is_new_rule = is_new_rule};
                r = judge_cohort(&w);
        }
        if (r < 0)
                return r;
        texts->judged = newest;
        return 0;
}

int judge_run(App *app, const JudgeScope *scope) {
        JudgeRun CLEANUP(judge_run_done) run = {.app = app, .scope = scope};
        assert(app->judge && app->judge->n == app->config->n_rules);
        for (size_t i = 0; i < app->config->n_rules; i++) {
                const RuleDef *rule = &app->config->rules[i];
                if (!judge_is_judged(app, rule) || app->judge->rules[i].n == 0)
                        continue;
                if (scope->source >= 0 &&
                    app->config->indicators[rule->indicator].source != scope->source)
                        continue;
                int r = judge_rule(&run, rule, &app->judge->rules[i]);
                if (r < 0)
                        return r;
        }
        return scope->source < 0 ? write_summary(app, scope) : 0;
}

void judge_forget(App *app) {
        for (size_t i = 0; app->judge && i < app->judge->n; i++)
                app->judge->rules[i].judged = 0;
}

/* ---- release --------------------------------------------------------------------------------- */

static int release_holds(App *app, StepId step, const RuleDef *rule, size_t *ret_n) {
        Episode *e = NULL;
        size_t n = 0, size = strlen(rule->name);
        int r = store_episodes(
                app->store,
                &(EpisodeFilter){.rule = "mass-guard", .is_live = true, .is_subject = true}, &e,
                &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *name = e[i].subject ? strchr(e[i].subject, ':') : NULL;
                if (!name || strncmp(name + 1, rule->name, size) != 0 || name[1 + size] != '/')
                        continue;
                r = store_hold_release(app->store, step, e[i].subject);
                ++*ret_n;
        }
        store_episodes_free(e, n);
        return MIN(r, 0);
}

/* Two steps: a release holds until the hold closes in a later one, so that it is used up by the
 * judgement that follows and the guard watches again. */
static int release_inside(App *app, size_t i, int64_t now_ms, size_t *ret_n) {
        const RuleDef *rule = &app->config->rules[i];
        StepId step = 0;
        int r = store_step(app->store, CAUSE_OPERATOR, now_ms, &step);
        if (r >= 0)
                r = release_holds(app, step, rule, ret_n);
        if (r < 0 || *ret_n == 0)
                return r;
        app->judge->rules[i].judged = 0; /* every cohort */
        r = store_step(app->store, CAUSE_OPERATOR, now_ms, &step);
        JudgeScope scope = {.step = step, .now_ms = now_ms, .source = -1};
        JudgeRun CLEANUP(judge_run_done) run = {.app = app, .scope = &scope};
        return r < 0 ? r : judge_rule(&run, rule, &app->judge->rules[i]);
}

int judge_release(App *app, size_t rule, int64_t now_ms, size_t *ret_n) {
        size_t n = 0;
        if (!app->judge || !judge_is_judged(app, &app->config->rules[rule])) {
                *ret_n = 0;
                return 0;
        }
        int r = store_begin(app->store);
        if (r >= 0)
                r = release_inside(app, rule, now_ms, &n);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0) {
                store_rollback(app->store);
                judge_forget(app);
                return r;
        }
        *ret_n = n;
        app->is_tell_due = true;
        app_wake(app);
        return 0;
}
