/* The world of alert-properties: figures, the rule with its texts, episodes, targets with their two
 * ledgers, and an account of its own that knows only what arrived. Judging, planning and booking are
 * the real code; what daemon/flow/facts reads from the database is filled here from the world. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine.h"
#include "core/plan.h"

#define MAX_UNITS 12u
#define PERIODS 12u
#define EPISODES 512u
#define FIGURES (MAX_UNITS * PERIODS)
#define VERSIONS 16u
#define FIRST_PERIOD 2024101
#define DIGEST_MINUTE 480u
#define ESCALATE_AFTER 2
#define GUARD_PERCENT 50
#define ERA_PERIOD 5

/* An official with a digest, a program at once, an operator, a superior who hears of escalated
 * alerts only. */
typedef enum Who { OFFICIAL, PROGRAM, OPERATOR, SUPERIOR, TARGETS } Who;

typedef struct Letter {
        PlanItem *items;
        size_t n;
        bool is_waiting, is_maybe; /* unsettled; its bytes may have arrived */
} Letter;

/* What the one who reads the letters knows by now, from their items alone. */
typedef struct Heard {
        bool stands;
        bool is_any;
        Day day; /* of the last word about it */
        Severity severity;
        PeriodId period;
        Say said;
} Heard;

typedef struct Printed {
        bool is_any, is_early; /* early: while its period still ran */
        int64_t value;
} Printed;

typedef struct Target {
        Told told[EPISODES];
        size_t n_told;
        ToldFigure figures[FIGURES];
        size_t n_figures;
        Heard heard[EPISODES + 1];
        Printed printed[PERIODS * MAX_UNITS];
        Day last_day; /* of its last own message */
        Letter letter;
        int64_t last_release;
        int64_t messages;
} Target;

typedef struct World {
        uint64_t seed, state;
        int64_t now;
        size_t n_units;
        int64_t value[PERIODS * MAX_UNITS];
        UnitId units[MAX_UNITS];
        size_t n_periods; /* published */
        Episode episodes[EPISODES];
        Severity acked[EPISODES + 1]; /* NONE: not */
        int64_t ack_end[EPISODES + 1];
        PeriodId quiet_until[EPISODES + 1]; /* opened by a changed rule: silent before this month */
        size_t n_episodes;
        RuleDef rules[VERSIONS];
        RuleVersion versions[VERSIONS];
        size_t n_versions;
        EraDef era; /* its name: NULL without one */
        RepeatKind repeat;
        int repeat_days;
        int64_t silence[MAX_UNITS];
        DayRange off, working;
        Calendar calendar;
        Target targets[TARGETS];
} World;

static const IndicatorDef indicator = {
        .name = "progress", .decimals = 2, .restated_min = 100, .id = 1};
static const int final_after[PERIOD_N_TYPES] = {0, 15, 30, 45, 60};

static void must(const World *w, bool is_true, const char *what) {
        if (is_true)
                return;
        (void) fprintf(stderr, "alert-properties: seed %llu: %s\n", (unsigned long long) w->seed,
                       what);
        exit(1);
}

/* splitmix64: the same on every machine. */
static uint64_t draw(World *w) {
        uint64_t z = (w->state += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static size_t below(World *w, size_t n) {
        return (size_t) (draw(w) % n);
}

static PeriodId period_at(size_t i) {
        return period_add(FIRST_PERIOD, (int) i);
}

static PeriodId newest_of(const World *w) {
        return period_at(w->n_periods - 1);
}

static const RuleDef *rule_of(const World *w) {
        return w->versions[w->n_versions - 1].rule;
}

static bool is_early_warning(const World *w) {
        return rule_of(w)->watch == WATCH_RUNNING;
}

static size_t cell_of(const World *w, PeriodId period, UnitId unit) {
        return (size_t) period_distance(FIRST_PERIOD, period) * w->n_units + unit - 1;
}

static int64_t value_of(const World *w, PeriodId period, UnitId unit) {
        return w->value[cell_of(w, period, unit)];
}

static bool is_closed(const World *w, PeriodId period) {
        return period_status(period, day_of_instant(w->now), final_after) == PERIOD_CLOSED;
}

static bool is_acked(const World *w, const Episode *e) {
        return e->severity <= w->acked[e->id] && w->ack_end[e->id] > w->now;
}

/* Its figure moved over a limit by less than is told of a figure alone. */
static bool is_flipped(const World *w, PeriodId period, int64_t was, int64_t is) {
        const RuleDef *rule = rule_of(w);
        int64_t limit = rule->when.amount, clear = limit + rule->clear;
        if (was == VALUE_NONE || is == VALUE_NONE || (was < limit) == (is < limit))
                return false;
        bool is_between = (was >= limit && was < clear) || (is >= limit && is < clear);
        return is_closed(w, period) || !is_between;
}

static bool is_trembling(const World *w, const Episode *e) {
        if (e->state != EPISODE_GONE || is_closed(w, (PeriodId) e->first))
                return false;
        return e->value == VALUE_NONE ||
               (e->first == newest_of(w) && rule_is_between(rule_of(w), e->value, e->limit));
}

static bool is_unknown(const World *w, const Episode *e) {
        int64_t newest = value_of(w, newest_of(w), e->unit);
        if (e->state != EPISODE_OPEN)
                return false;
        return e->last < newest_of(w) ? newest == VALUE_NONE : newest != e->value;
}

/* ---- judging --------------------------------------------------------------------------------- */

typedef struct Step {
        PeriodId restated, first_seen;
        bool is_restated[MAX_UNITS];
        bool is_new_rule, is_released;
} Step;

static void world_store(World *w, JudgeResult *r) {
        for (size_t i = 0; i < r->n_episodes; i++) {
                Episode *e = &r->episodes[i];
                if (e->id == 0) {
                        must(w, w->n_episodes < EPISODES, "too many episodes");
                        e->id = (int64_t) ++w->n_episodes;
                }
                w->episodes[e->id - 1] = *e;
        }
}

static void world_judge(World *w, const Step *step, JudgeResult *ret) {
        Panel panel = {.n_units = w->n_units,
                       .n_periods = w->n_periods,
                       .first = FIRST_PERIOD,
                       .units = w->units,
                       .value = w->value};
        PeriodId changed = step->restated ? step->restated : step->first_seen;
        if (step->restated && step->first_seen)
                changed = MIN(step->restated, step->first_seen);
        if (step->is_new_rule)
                changed = w->versions[w->n_versions - 1].from;
        JudgeInput in = {.versions = w->versions,
                         .n_versions = w->n_versions,
                         .indicators = &indicator,
                         .value = &panel,
                         .newest = newest_of(w),
                         .eras = &w->era,
                         .n_eras = w->era.name ? 1 : 0,
                         .restated = step->restated,
                         .is_restated_unit = step->is_restated,
                         .first_seen = step->first_seen,
                         .is_new_rule = step->is_new_rule,
                         .stored = w->episodes,
                         .n_stored = w->n_episodes,
                         .guard_percent = GUARD_PERCENT,
                         .is_guard_released = step->is_released};
        in.fold_from = engine_fold_from(w->episodes, w->n_episodes, changed, in.newest);
        must(w, engine_judge(&in, ret) == 0, "no memory");
        world_store(w, ret);
}

/* ---- planning -------------------------------------------------------------------------------- */

static PlanEpisode world_plan_episode(const World *w, const Episode *e, Who who) {
        const Episode *of = e;
        return (PlanEpisode){
                .e = *e,
                .indicator = 1,
                .is_muted = w->silence[e->unit - 1] > w->now,
                .is_acked = is_acked(w, of),
                .is_trembling = is_trembling(w, e),
                .is_unknown = is_unknown(w, e),
                .repeat = w->repeat,
                .repeat_days = w->repeat_days,
                .amend_min = indicator.restated_min,
                .quiet_days = is_early_warning(w) ? 7 : 0,
                .is_waiting = who == SUPERIOR && (e->length < ESCALATE_AFTER || is_acked(w, of)),
                .newest = newest_of(w),
        };
}

static void world_fill_figures(const World *w, Target *t) {
        for (size_t i = 0; i < t->n_figures; i++) {
                ToldFigure *f = &t->figures[i];
                const Printed *printed = &t->printed[cell_of(w, f->period, f->unit)];
                bool is_running = period_end(f->period) > day_of_instant(w->now);
                f->now_value = value_of(w, f->period, f->unit);
                if (is_running || printed->is_early)
                        f->now_value = f->value;
                f->is_flipped = is_flipped(w, f->period, f->value, f->now_value);
        }
}

static void world_plan(World *w, Who who, PlanItem **ret, size_t *ret_n) {
        Target *target = &w->targets[who];
        PlanEpisode CLEANUP_FREE *episodes = calloc(w->n_episodes + 1, sizeof *episodes);
        UnitId muted[MAX_UNITS];
        size_t n_muted = 0;
        must(w, episodes, "no memory");
        for (size_t i = 0; i < w->n_episodes; i++)
                episodes[i] = world_plan_episode(w, &w->episodes[i], who);
        for (size_t u = 0; u < w->n_units; u++)
                if (w->silence[u] > w->now)
                        muted[n_muted++] = (UnitId) u + 1;
        world_fill_figures(w, target);
        PlanInput in = {.role = who == OPERATOR ? ROLE_OPERATOR : ROLE_OFFICIAL,
                        .episodes = episodes,
                        .n_episodes = w->n_episodes,
                        .told = target->told,
                        .n_told = target->n_told,
                        .figures = target->figures,
                        .n_figures = target->n_figures,
                        .muted_units = muted,
                        .n_muted_units = n_muted,
                        .now_ms = w->now};
        in.publication[PERIOD_MONTH] = newest_of(w);
        *ret = NULL;
        must(w, plan_make(&in, ret, ret_n) == 0, "no memory");
}

/* ---- booking --------------------------------------------------------------------------------- */

static Told *told_row(World *w, Target *t, int64_t episode) {
        size_t i = 0;
        while (i < t->n_told && t->told[i].episode < episode)
                i++;
        if (i < t->n_told && t->told[i].episode == episode)
                return &t->told[i];
        must(w, t->n_told < EPISODES, "too many rows");
        memmove(&t->told[i + 1], &t->told[i], (t->n_told++ - i) * sizeof t->told[0]);
        t->told[i] = (Told){.episode = episode};
        return &t->told[i];
}

static void book_figure(World *w, Target *t, const ToldFigure *figure) {
        size_t i = 0;
        while (i < t->n_figures &&
               (t->figures[i].period < figure->period ||
                (t->figures[i].period == figure->period && t->figures[i].unit < figure->unit)))
                i++;
        if (i == t->n_figures || t->figures[i].period != figure->period ||
            t->figures[i].unit != figure->unit) {
                must(w, t->n_figures < FIGURES, "too many figures");
                memmove(&t->figures[i + 1], &t->figures[i],
                        (t->n_figures++ - i) * sizeof t->figures[0]);
        }
        t->figures[i] = *figure;
        t->figures[i].restated_min = indicator.restated_min;
}

static void world_book(World *w, Target *t) {
        for (size_t i = 0; i < t->letter.n; i++) {
                const PlanItem *item = &t->letter.items[i];
                Told none = {0}, *told = item->episode ? told_row(w, t, item->episode) : &none;
                ToldFigure figure = {0};
                bool has_figure = false;
                plan_book(item, ++t->messages, w->now, told, &figure, &has_figure);
                if (has_figure)
                        book_figure(w, t, &figure);
        }
}

static void world_give_up(World *w, Target *t) {
        for (size_t i = 0; i < t->letter.n; i++)
                if (t->letter.items[i].say == SAY_OPENING)
                        (void) plan_give_up(&t->letter.items[i],
                                            told_row(w, t, t->letter.items[i].episode));
}

static void drop_letter(Target *t) {
        free(t->letter.items);
        t->letter = (Letter){0};
}
