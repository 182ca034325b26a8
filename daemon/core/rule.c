/* Verdicts: a condition held against the figures of one period, for a whole cohort at once, because
 * median, places and moves are properties of the cohort and are computed once.
 *
 * Truth has three values and is computed so that a known figure is enough whenever it decides: in
 * `falling 3` one rise makes the condition false although an older figure is missing, and a false
 * `and` clause makes it false whatever the rest. Otherwise an alert could not end for want of a
 * figure that cannot matter. `critical` adds severity (and a breach of its own, should `when` not
 * hold), but never makes a known verdict unknown. */
#include "core/rule.h"

#include <errno.h>

#include "core/rank.h"
#include "core/unit.h"

#define BEHIND_MIN_UNITS 5u

typedef struct Boundary {
        const EraDef *era; /* or NULL */
} Boundary;

typedef struct Scene {
        const RuleContext *context;
        size_t p;
        Boundary *eras; /* [k]: between period p - k - 1 and p - k */
        size_t n_eras;
        int64_t median;
        RankMoves moves;
} Scene;

static void scene_done(Scene *s) {
        free(s->eras);
        rank_moves_done(&s->moves);
}

static int streak_of(const Condition *c) {
        return c->kind == CONDITION_FALLING || c->kind == CONDITION_FLAT ? MAX(c->count, 1) : 1;
}

int rule_lookback(const RuleDef *rule) {
        return MAX(streak_of(&rule->when), streak_of(&rule->critical));
}

bool rule_is_relative(const RuleDef *rule) {
        return rule->when.kind == CONDITION_BEHIND || rule->when.kind == CONDITION_RANK_DROP ||
               rule->critical.kind == CONDITION_BEHIND ||
               rule->critical.kind == CONDITION_RANK_DROP;
}

static bool rule_uses(const RuleDef *rule, ConditionKind kind) {
        return rule->when.kind == kind || rule->critical.kind == kind;
}

/* ---- what is computed once per period -------------------------------------------------------- */

static const IndicatorDef *indicator_of(const RuleContext *c) {
        return &c->indicators[c->rule->indicator];
}

static int scene_eras(Scene *s) {
        const RuleContext *c = s->context;

        s->n_eras = (size_t) rule_lookback(c->rule);
        s->eras = calloc(s->n_eras, sizeof(*s->eras));
        if (!s->eras)
                return -ENOMEM;
        for (size_t k = 0; k < MIN(s->n_eras, s->p); k++) {
                PeriodId now = period_add(c->value->first, (int) (s->p - k));
                s->eras[k].era = delta_era_between(c->eras, c->n_eras, period_previous(now), now,
                                                   c->source, indicator_of(c)->name, c->parent);
        }
        return 0;
}

static const int64_t *row(const Panel *panel, size_t p) {
        return panel->value + p * panel->n_units;
}

static int scene_init(Scene *s, const RuleContext *c, size_t p) {
        const Panel *panel = c->value;
        int r;

        *s = (Scene){.context = c, .p = p, .median = VALUE_NONE};
        r = scene_eras(s);
        if (r == 0 && rule_uses(c->rule, CONDITION_BEHIND))
                r = rank_median(row(panel, p), panel->n_units, BEHIND_MIN_UNITS, &s->median);
        if (r == 0 && p > 0 && rule_uses(c->rule, CONDITION_RANK_DROP))
                r = rank_moves(row(panel, p - 1), row(panel, p), panel->n_units,
                               indicator_of(c)->direction, &s->moves);
        return r;
}

static Delta delta_back(const Scene *s, size_t u, size_t k) {
        const RuleContext *c = s->context;

        if (k > s->p)
                return (Delta){VALUE_NONE, DELTA_MISSING, NULL};
        return delta_make(c->value, s->p - k, u, c->valid_from ? c->valid_from[u] : DAY_EVER,
                          s->eras[k].era, k == 0 && c->is_running);
}

/* ---- conditions ------------------------------------------------------------------------------ */

static Verdict verdict_of(bool is_true) {
        return is_true ? VERDICT_BREACH : VERDICT_CLEAR;
}

static Verdict judge_below(int64_t value, int64_t limit, int64_t clear) {
        if (value < limit)
                return VERDICT_BREACH;
        return value < limit + clear ? VERDICT_BETWEEN : VERDICT_CLEAR;
}

static Verdict judge_above(int64_t value, int64_t limit, int64_t clear) {
        if (value > limit)
                return VERDICT_BREACH;
        return value > limit - clear ? VERDICT_BETWEEN : VERDICT_CLEAR;
}

static bool delta_holds(const Condition *c, int64_t delta) {
        switch (c->kind) {
        case CONDITION_DROP:
                return delta <= -c->amount;
        case CONDITION_FALLING:
                return delta < 0;
        default: /* flat */
                return -c->amount <= delta && delta <= c->amount;
        }
}

static Verdict judge_deltas(const Scene *s, const Condition *c, size_t u) {
        bool is_unknown = false;

        for (size_t k = 0; k < (size_t) streak_of(c); k++) {
                Delta d = delta_back(s, u, k);
                if (d.reason != DELTA_OK)
                        is_unknown = true;
                else if (!delta_holds(c, d.value))
                        return VERDICT_CLEAR;
        }
        return is_unknown ? VERDICT_UNKNOWN : VERDICT_BREACH;
}

static Verdict judge_moves(const Scene *s, const Condition *c, size_t u) {
        if (!s->moves.is_comparable || s->moves.now[u] == 0 ||
            delta_back(s, u, 0).reason != DELTA_OK)
                return VERDICT_UNKNOWN;
        return verdict_of((int64_t) s->moves.now[u] - (int64_t) s->moves.before[u] >= c->count);
}

static Verdict judge_main(const Scene *s, const Condition *c, size_t u, int64_t *ret_limit) {
        int64_t value = panel_at(s->context->value, s->p, u), clear = s->context->rule->clear;

        switch (c->kind) {
        case CONDITION_BELOW:
                *ret_limit = c->amount;
                return judge_below(value, c->amount, clear);
        case CONDITION_ABOVE:
                *ret_limit = c->amount;
                return judge_above(value, c->amount, clear);
        case CONDITION_BEHIND:
                if (s->median == VALUE_NONE)
                        return VERDICT_UNKNOWN;
                *ret_limit = s->median - c->amount;
                return judge_below(value, s->median - c->amount, clear);
        case CONDITION_DROP:
        case CONDITION_FALLING:
        case CONDITION_FLAT:
                return judge_deltas(s, c, u);
        case CONDITION_RANK_DROP:
                return judge_moves(s, c, u);
        default:
                return VERDICT_UNKNOWN;
        }
}

static bool and_holds(const Condition *c, int64_t value) {
        if (c->and_kind == CONDITION_NONE)
                return true;
        return c->and_kind == CONDITION_BELOW ? value < c->and_amount : value > c->and_amount;
}

/* The value is there. *ret_limit: what it was held against, VALUE_NONE where the condition has no
 * such number. */
static Verdict judge_condition(const Scene *s, const Condition *c, size_t u, int64_t *ret_limit) {
        int64_t value = panel_at(s->context->value, s->p, u);
        *ret_limit = VALUE_NONE;
        Verdict verdict = judge_main(s, c, u, ret_limit);

        if (c->and_kind == CONDITION_NONE)
                return verdict;
        if (*ret_limit == VALUE_NONE)
                *ret_limit = c->and_amount;
        return and_holds(c, value) ? verdict : VERDICT_CLEAR;
}

/* ---- units ----------------------------------------------------------------------------------- */

static bool is_volume_low(const RuleContext *c, size_t p, size_t u) {
        if (c->rule->min_volume <= 0)
                return false;
        int64_t volume = c->volume ? panel_at(c->volume, p, u) : VALUE_NONE;
        return volume == VALUE_NONE ||
               volume < c->rule->min_volume; /* an unpublished count decides nothing */
}

static void judge_unit(const Scene *s, size_t u, Judgement *j) {
        const RuleDef *rule = s->context->rule;
        int64_t critical_limit;

        if (j->value == VALUE_NONE)
                return;
        if (is_volume_low(s->context, s->p, u)) {
                j->is_low_volume = true;
                return;
        }
        j->verdict = judge_condition(s, &rule->when, u, &j->limit);
        if (j->verdict == VERDICT_BREACH)
                j->severity = SEVERITY_WARNING;
        if (rule->critical.kind != CONDITION_NONE &&
            judge_condition(s, &rule->critical, u, &critical_limit) == VERDICT_BREACH) {
                if (j->verdict != VERDICT_BREACH)
                        j->limit = critical_limit;
                j->verdict = VERDICT_BREACH;
                j->severity = SEVERITY_CRITICAL;
        }
}

int rule_judge(const RuleContext *context, size_t p, Judgement *ret) {
        const Panel *panel = context->value;
        CLEANUP_FREE uint32_t *place = calloc(MAX(panel->n_units, 1u), sizeof(uint32_t));
        CLEANUP(scene_done) Scene scene = {0};
        size_t of;
        int r;

        if (!place)
                return -ENOMEM;
        r = rank_build(row(panel, p), panel->n_units, indicator_of(context)->direction, place, &of);
        if (r == 0)
                r = scene_init(&scene, context, p);
        if (r != 0)
                return r;
        for (size_t u = 0; u < panel->n_units; u++) {
                Delta d = delta_back(&scene, u, 0);
                ret[u] = (Judgement){.verdict = VERDICT_UNKNOWN,
                                     .value = panel_at(panel, p, u),
                                     .limit = VALUE_NONE,
                                     .delta = d.value,
                                     .delta_reason = d.reason,
                                     .place = place[u],
                                     .of = place[u] ? (uint32_t) of : 0};
                judge_unit(&scene, u, &ret[u]);
        }
        return 0;
}

bool rule_is_between(const RuleDef *rule, int64_t value, int64_t limit) {
        if (value == VALUE_NONE || limit == VALUE_NONE || !and_holds(&rule->when, value))
                return false;
        switch (rule->when.kind) {
        case CONDITION_BELOW:
        case CONDITION_BEHIND:
                return judge_below(value, limit, rule->clear) == VERDICT_BETWEEN;
        case CONDITION_ABOVE:
                return judge_above(value, limit, rule->clear) == VERDICT_BETWEEN;
        default:
                return false;
        }
}
