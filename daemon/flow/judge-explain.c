/* Why a rule fires or not for one unit: the same panels and verdicts, nothing written. */
#include <errno.h>

#include "core/rank.h"
#include "flow/judge-private.h"

static const RuleDef *text_for(const RuleTexts *t, PeriodId period) {
        const RuleDef *rule = NULL;
        for (size_t i = 0; i < t->n && t->versions[i].from <= period; i++)
                rule = t->versions[i].rule;
        return rule;
}

/* As rule_judge counts places: among the units with a figure in both periods. */
static int explain_move(const CohortWork *w, Direction direction, size_t p, size_t u,
                        JudgeExplanation *ret) {
        const Panel *panel = w->value;
        const RuleDef *rule = ret->text;
        bool is_used = rule->when.kind == CONDITION_RANK_DROP ||
                       rule->critical.kind == CONDITION_RANK_DROP;
        RankMoves CLEANUP(rank_moves_done) moves = {0};
        if (p == 0 || !is_used)
                return 0;
        int r = rank_moves(panel->value + (p - 1) * panel->n_units,
                           panel->value + p * panel->n_units, panel->n_units, direction, &moves);
        if (r < 0)
                return r;
        ret->move_from = moves.before[u];
        ret->move_to = moves.now[u];
        ret->move_of = moves.of;
        ret->is_move_comparable = moves.is_comparable;
        return 0;
}

static int explain_figures(CohortWork *w, size_t u, JudgeExplanation *ret) {
        const Config *c = w->app->config;
        const IndicatorDef *indicator = &c->indicators[w->rule->indicator];
        const Unit *parent = unit_get(&w->app->units, w->cohort->parent);
        size_t p = w->value->n_periods - 1;
        Judgement CLEANUP_FREE *all = calloc(w->cohort->n, sizeof *all);
        if (!all)
                return -ENOMEM;
        RuleContext context = {.rule = ret->text,
                               .indicators = c->indicators,
                               .value = w->value,
                               .volume = w->volume,
                               .eras = w->cohort->eras,
                               .n_eras = w->cohort->n_eras,
                               .source = c->sources[indicator->source].name,
                               .parent = parent ? parent->key : NULL,
                               .valid_from = w->cohort->from,
                               .is_running = w->rule->watch == WATCH_RUNNING};
        int r = rule_judge(&context, p, all);
        if (r >= 0)
                r = rank_median(w->value->value + p * w->value->n_units, w->value->n_units, 5,
                                &ret->median);
        if (r >= 0)
                r = explain_move(w, indicator->direction, p, u, ret);
        if (r < 0)
                return r;
        ret->judgement = all[u];
        ret->is_watched = w->is_watched[u];
        ret->n_units = w->cohort->n;
        ret->volume = w->volume ? panel_at(w->volume, p, u) : VALUE_NONE;
        for (size_t i = 0; i < w->value->n_units; i++)
                ret->n_values += panel_at(w->value, p, i) != VALUE_NONE;
        for (size_t k = 0; k <= p && k < EXPLAIN_PERIODS; k++)
                ret->value[ret->n_periods++] = panel_at(w->value, p - k, u);
        return 0;
}

static int explain_cohort(App *app, size_t rule, UnitId unit, JudgeExplanation *ret) {
        Cohort CLEANUP(judge_cohort_freep) *cohort = NULL;
        UnitSelection CLEANUP(unit_selection_done) watched = {0};
        const Unit *u = unit_get(&app->units, unit);
        Day day = period_end(ret->period) - 1;
        int r = judge_cohort_new(app, u->kind, u->parent, day, &cohort);
        if (r >= 0)
                r = unit_selection_init(&watched, &app->units, &app->config->rules[rule].units,
                                        day);
        if (r < 0)
                return r;
        CohortWork CLEANUP(judge_work_done) w = {.app = app,
                                                 .rule = &app->config->rules[rule],
                                                 .texts = &app->judge->rules[rule],
                                                 .cohort = cohort,
                                                 .watched = &watched,
                                                 .newest = ret->period};
        r = judge_load_panels(&w, period_add(ret->period, 1 - (int) EXPLAIN_PERIODS));
        if (r >= 0)
                r = judge_fill_units(&w);
        if (r < 0)
                return r;
        size_t index = judge_cohort_place(cohort, unit);
        return index == SIZE_MAX ? 0 : explain_figures(&w, index, ret);
}

static int is_selected(const App *app, const RuleDef *rule, UnitId unit, PeriodId period,
                       bool *ret) {
        UnitSelection CLEANUP(unit_selection_done) watched = {0};
        int r = unit_selection_init(&watched, &app->units, &rule->units, period_end(period) - 1);
        if (r >= 0)
                *ret = unit_selection_has(&watched, &app->units, unit);
        return r;
}

static PeriodId next_period(const RuleDef *rule, PeriodId newest, Day today) {
        PeriodId next = newest ? period_next(newest) : period_last_ended(rule->period, today);
        if (rule->watch == WATCH_RUNNING)
                next = period_of_day(rule->period, today);
        if (next == newest)
                next = period_next(next);
        return MAX(next, rule->from);
}

/* The next period and the first day on which it can be judged; none where the rule is over by then, or
 * the unit none of its. */
static int explain_deadline(const App *app, const RuleDef *rule, UnitId unit, int64_t now_ms,
                            JudgeExplanation *ret) {
        PeriodId next = next_period(rule, ret->period, day_of_instant(now_ms));
        bool is_in = false;
        int r = is_selected(app, rule, unit, ret->period ? ret->period : next, &ret->is_watched);
        if (r >= 0)
                r = is_selected(app, rule, unit, next, &is_in);
        if (r < 0 || !is_in || (rule->until && next > rule->until))
                return r;
        ret->next = next;
        ret->next_day = rule->watch == WATCH_RUNNING ? period_start(next) + EARLY_DAYS
                                                     : period_end(next) + rule->settle_days;
        return 0;
}

int judge_explain(App *app, size_t rule, UnitId unit, int64_t now_ms, JudgeExplanation *ret) {
        const RuleDef *def = &app->config->rules[rule];
        *ret = (JudgeExplanation){
                .judgement = {.value = VALUE_NONE, .limit = VALUE_NONE, .delta = VALUE_NONE},
                .median = VALUE_NONE,
                .volume = VALUE_NONE};
        if (!app->judge || !judge_is_judged(app, def))
                return 0;
        int r = judge_newest(app, def, now_ms, &ret->period);
        if (r < 0)
                return r;
        r = explain_deadline(app, def, unit, now_ms, ret);
        if (r < 0)
                return r;
        ret->text = ret->period ? text_for(&app->judge->rules[rule], ret->period) : NULL;
        /* A dated rule says nothing of what lies outside. */
        if (ret->text && ret->text->until && ret->period > ret->text->until)
                ret->text = NULL;
        if (!ret->text)
                return 0;
        return explain_cohort(app, rule, unit, ret);
}
