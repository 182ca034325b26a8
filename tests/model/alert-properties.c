/* alert-properties RUNS [SEED]: random lives of alerts, judged, planned and booked by the real code.
 *
 * Each run publishes months late or in pieces, revises and restates, silences, acknowledges, changes
 * the rule's limit, restarts, and lets deliveries arrive, fail, or do either without a word. After
 * every judgement judging again must add nothing; a unit without a figure must neither open nor
 * close; an end is told only to who was told of the opening, and once; officials get at most one
 * message a day. When all that is over and everything is delivered, the ledger says what is true. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine.h"
#include "core/plan.h"

#define UNITS 4u
#define PERIODS 12u
#define EPISODES 256u
#define FIGURES (UNITS * PERIODS)
#define TARGETS 2u /* an official with a digest, a program at once */
#define VERSIONS 16u
#define FIRST_PERIOD 2024101
#define DIGEST_MINUTE 480u

typedef struct Letter {
        PlanItem *items;
        size_t n;
        bool is_waiting, is_maybe; /* unsettled; its bytes may have arrived */
} Letter;

typedef struct Target {
        Told told[EPISODES];
        size_t n_told;
        ToldFigure figures[FIGURES];
        size_t n_figures;
        bool stands[EPISODES + 1]; /* an own account, by item: who was told of what stands */
        Letter letter;
        int64_t last_release;
        int64_t messages;
} Target;

typedef struct World {
        uint64_t seed, state;
        int64_t now;
        int64_t value[PERIODS * UNITS];
        UnitId units[UNITS];
        size_t n_periods; /* published */
        Episode episodes[EPISODES];
        Severity acked[EPISODES + 1]; /* NONE: not */
        size_t n_episodes;
        RuleDef rules[VERSIONS];
        RuleVersion versions[VERSIONS];
        size_t n_versions;
        int64_t silence[UNITS];
        Target targets[TARGETS];
} World;

static const IndicatorDef indicator = {
        .name = "progress", .decimals = 2, .restated_min = 100, .id = 1};
static const Calendar calendar = {.work_mask = 0x1f};

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

/* Around the limits, so that everything happens often; 12 % without a value. */
static int64_t draw_value(World *w) {
        static const int64_t near[] = {7800, 7999, 8000, 9100, 9450, 9499, 9500, 9550, 9600, 9900};
        return below(w, 8) == 0 ? VALUE_NONE : near[below(w, ELEMENTSOF(near))];
}

static PeriodId period_at(size_t i) {
        return period_add(FIRST_PERIOD, (int) i);
}

static PeriodId newest_of(const World *w) {
        return period_at(w->n_periods - 1);
}

/* ---- judging --------------------------------------------------------------------------------- */

typedef struct Step {
        PeriodId restated, first_seen;
        bool is_restated[UNITS];
        bool is_new_rule;
} Step;

static bool has_value(const World *w, PeriodId period, UnitId unit) {
        int p = period_distance(FIRST_PERIOD, period);
        return w->value[(size_t) p * UNITS + unit - 1] != VALUE_NONE;
}

/* A publication alone cannot open or close what it says nothing about. */
static void check_missing(const World *w, const JudgeResult *r, const Step *step) {
        for (size_t i = 0; i < r->n_transitions; i++) {
                const Transition *t = &r->transitions[i];
                if (t->kind != TRANSITION_OPENED && t->kind != TRANSITION_CLOSED)
                        continue;
                must(w,
                     has_value(w, t->period, r->episodes[t->episode].unit) || step->restated != 0 ||
                             step->is_new_rule,
                     "a missing figure opened or closed");
        }
}

static void store_result(World *w, const JudgeResult *r) {
        for (size_t i = 0; i < r->n_episodes; i++) {
                Episode e = r->episodes[i];
                if (e.id == 0) {
                        must(w, w->n_episodes < EPISODES, "too many episodes");
                        e.id = (int64_t) ++w->n_episodes;
                }
                w->episodes[e.id - 1] = e;
        }
}

static size_t judge_once(World *w, const Step *step) {
        Panel panel = {.n_units = UNITS,
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
                         .restated = step->restated,
                         .is_restated_unit = step->is_restated,
                         .first_seen = step->first_seen,
                         .is_new_rule = step->is_new_rule,
                         .stored = w->episodes,
                         .n_stored = w->n_episodes};
        CLEANUP(judge_result_done) JudgeResult result = {0};
        in.fold_from = engine_fold_from(w->episodes, w->n_episodes, changed, in.newest);
        must(w, engine_judge(&in, &result) == 0, "no memory");
        check_missing(w, &result, step);
        store_result(w, &result);
        return result.n_episodes + result.n_transitions;
}

static void judge(World *w, const Step *step) {
        Step again = {0};
        (void) judge_once(w, step);
        must(w, judge_once(w, &again) == 0, "judging again added something");
}

/* ---- telling --------------------------------------------------------------------------------- */

static int64_t figure_now(const World *w, const ToldFigure *f) {
        int p = period_distance(FIRST_PERIOD, f->period);
        return w->value[(size_t) p * UNITS + f->unit - 1];
}

static void plan(World *w, size_t t, PlanItem **ret, size_t *ret_n) {
        Target *target = &w->targets[t];
        PlanEpisode CLEANUP_FREE *episodes = calloc(w->n_episodes + 1, sizeof *episodes);
        UnitId muted[UNITS];
        size_t n_muted = 0;
        const RuleDef *rule = w->versions[w->n_versions - 1].rule;
        must(w, episodes, "no memory");
        for (size_t i = 0; i < w->n_episodes; i++) {
                const Episode *e = &w->episodes[i];
                episodes[i] = (PlanEpisode){
                        .e = *e,
                        .indicator = 1,
                        .is_muted = w->silence[e->unit - 1] > w->now,
                        .is_acked =
                                w->acked[e->id] != SEVERITY_NONE && e->severity <= w->acked[e->id],
                        .is_trembling = e->state == EPISODE_GONE && e->first == newest_of(w) &&
                                        rule_is_between(rule, e->value, e->limit),
                        .is_unknown = e->state == EPISODE_OPEN && e->last < newest_of(w) &&
                                      !has_value(w, newest_of(w), e->unit),
                        .amend_min = indicator.restated_min,
                        .newest = newest_of(w)};
        }
        for (size_t u = 0; u < UNITS; u++)
                if (w->silence[u] > w->now)
                        muted[n_muted++] = (UnitId) u + 1;
        for (size_t i = 0; i < target->n_figures; i++)
                target->figures[i].now_value = figure_now(w, &target->figures[i]);
        PlanInput in = {.role = ROLE_OFFICIAL,
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

/* What the one who reads the letters knows by now. */
static void check_pairing(World *w, Target *t, const PlanItem *item) {
        bool *stands = &t->stands[item->episode];
        switch (item->say) {
        case SAY_OPENING:
                must(w, !*stands, "an opening was told twice");
                *stands = true;
                break;
        case SAY_CONTINUED:
        case SAY_WORSE:
                must(w, *stands, "something went on that was never told");
                break;
        case SAY_CLOSING:
                must(w, *stands, "an end was told to somebody never told of the opening");
                *stands = false;
                break;
        default:
                *stands = false;
                break;
        }
}

static void book(World *w, Target *t) {
        for (size_t i = 0; i < t->letter.n; i++) {
                const PlanItem *item = &t->letter.items[i];
                Told none = {0}, *told = item->episode ? told_row(w, t, item->episode) : &none;
                ToldFigure figure = {0};
                bool has_figure = false;
                if (item->episode)
                        check_pairing(w, t, item);
                plan_book(item, ++t->messages, w->now, told, &figure, &has_figure);
                if (has_figure)
                        book_figure(w, t, &figure);
        }
}

static void drop_letter(Target *t) {
        free(t->letter.items);
        t->letter = (Letter){0};
}

/* 0 arrives, 1 arrives without a word, 2 certainly lost and tried again, 3 dead. */
static void attempt(World *w, Target *t, size_t fate) {
        if (!t->letter.is_waiting)
                return;
        if (fate == 1) {
                t->letter.is_maybe = true; /* the bytes are fixed from now on */
                return;
        }
        if (fate == 2)
                return;
        if (fate == 3 && !t->letter.is_maybe) {
                for (size_t i = 0; i < t->letter.n; i++)
                        if (t->letter.items[i].say == SAY_OPENING)
                                (void) plan_give_up(&t->letter.items[i],
                                                    told_row(w, t, t->letter.items[i].episode));
                drop_letter(t);
                return;
        }
        book(w, t); /* arrived, or dead but may have */
        drop_letter(t);
}

static void release(World *w, size_t i) {
        Target *t = &w->targets[i];
        GateInput gate = {.role = ROLE_OFFICIAL,
                          .is_immediate = i == 1,
                          .digest_minute = DIGEST_MINUTE,
                          .calendar = &calendar,
                          .last_release_ms = t->last_release,
                          .now_ms = w->now};
        bool is_remade = t->letter.is_waiting && !t->letter.is_maybe;
        if ((t->letter.is_waiting && !is_remade) || (!is_remade && plan_gate(&gate) > w->now))
                return;
        PlanItem *items;
        size_t n;
        plan(w, i, &items, &n);
        drop_letter(t);
        if (n == 0) {
                free(items);
                return;
        }
        if (i == 0 && !is_remade) {
                must(w,
                     t->last_release == 0 ||
                             day_of_instant(t->last_release) != day_of_instant(w->now),
                     "two messages on one day");
                must(w, calendar_is_working(&calendar, day_of_instant(w->now)),
                     "a message on a day off");
        }
        if (!is_remade)
                t->last_release = w->now;
        t->letter = (Letter){.items = items, .n = n, .is_waiting = true};
}

static void tell(World *w, bool is_fine) {
        for (size_t i = 0; i < TARGETS; i++) {
                release(w, i);
                attempt(w, &w->targets[i], is_fine ? 0 : below(w, 10) < 6 ? 0 : below(w, 4));
        }
}

/* ---- events ---------------------------------------------------------------------------------- */

static void publish(World *w) {
        if (w->n_periods == PERIODS)
                return;
        int64_t *row = w->value + w->n_periods++ * UNITS;
        for (size_t u = 0; u < UNITS; u++)
                row[u] = draw_value(w);
        w->now = MAX(w->now, day_start_ms(period_end(newest_of(w)) + 3));
        judge(w, &(Step){.first_seen = newest_of(w)});
}

static void revise(World *w) {
        size_t p = below(w, 3) == 0 ? below(w, w->n_periods) : w->n_periods - 1;
        size_t u = below(w, UNITS);
        Step step = {0};
        int64_t value = draw_value(w), *cell = &w->value[p * UNITS + u];
        if (value == *cell)
                return;
        if (*cell == VALUE_NONE) {
                step.first_seen = period_at(p);
        } else {
                step.restated = period_at(p);
                step.is_restated[u] = true;
        }
        *cell = value;
        judge(w, &step);
}

static void reload(World *w) {
        static const int64_t limits[] = {9300, 9400, 9500, 9580};
        if (w->n_versions == VERSIONS)
                return;
        RuleDef *rule = &w->rules[w->n_versions];
        bool is_same = w->versions[w->n_versions - 1].from == newest_of(w);
        size_t at = is_same ? w->n_versions - 1 : w->n_versions++;
        *rule = *w->versions[at - (is_same ? 0 : 1)].rule;
        if (is_same)
                rule = &w->rules[at];
        rule->when.amount = limits[below(w, ELEMENTSOF(limits))];
        w->versions[at] = (RuleVersion){.from = newest_of(w), .rule = rule};
        judge(w, &(Step){.is_new_rule = true});
}

static void acknowledge(World *w) {
        if (w->n_episodes == 0)
                return;
        Episode *e = &w->episodes[below(w, w->n_episodes)];
        if (e->state == EPISODE_OPEN)
                w->acked[e->id] = e->severity;
}

/* What was under way is found started: it may have arrived, and goes out again as it is. */
static void restart(World *w) {
        for (size_t i = 0; i < TARGETS; i++)
                if (w->targets[i].letter.is_waiting)
                        w->targets[i].letter.is_maybe = true;
        must(w, judge_once(w, &(Step){0}) == 0, "a restart changed something");
}

static void event(World *w) {
        switch (below(w, 12)) {
        case 0:
        case 1:
        case 2:
                publish(w);
                break;
        case 3:
        case 4:
        case 5:
                revise(w);
                break;
        case 6:
                reload(w);
                break;
        case 7:
                w->silence[below(w, UNITS)] = w->now + (int64_t) below(w, 40) * MS_PER_DAY;
                break;
        case 8:
                acknowledge(w);
                break;
        case 9:
                restart(w);
                break;
        default:
                break;
        }
        tell(w, false);
        w->now += (int64_t) below(w, 36) * MS_PER_HOUR;
}

/* ---- at rest --------------------------------------------------------------------------------- */

static const Told *told_of(const Target *t, int64_t episode) {
        for (size_t i = 0; i < t->n_told; i++)
                if (t->told[i].episode == episode)
                        return &t->told[i];
        return NULL;
}

static void check_truth(World *w, size_t i) {
        Target *t = &w->targets[i];
        PlanItem *items;
        size_t n;
        plan(w, i, &items, &n);
        free(items);
        must(w, n == 0, "something is left to tell");
        for (size_t k = 0; k < w->n_episodes; k++) {
                const Episode *e = &w->episodes[k];
                const Told *told = told_of(t, e->id);
                bool is_open = e->state == EPISODE_OPEN;
                bool waits = e->tell_from > newest_of(w) || (told && told->gave_up);
                bool trembles = e->state == EPISODE_GONE && e->first == newest_of(w);
                /* The figure that ended it went missing: open again, and nothing to say. */
                waits |= told && told->said == SAY_CLOSING && e->last < newest_of(w) &&
                         !has_value(w, newest_of(w), e->unit);
                must(w, !is_open || t->stands[e->id] || waits, "an open alert was never told");
                must(w, is_open || !t->stands[e->id] || trembles, "an end was never told");
        }
        for (size_t k = 0; k < t->n_figures; k++) {
                const ToldFigure *f = &t->figures[k];
                int64_t now = figure_now(w, f);
                bool is_near = now != VALUE_NONE && f->value != VALUE_NONE &&
                               llabs((long long) (now - f->value)) < indicator.restated_min;
                must(w, now == f->value || is_near, "a printed figure was never corrected");
        }
}

static void rest(World *w) {
        memset(w->silence, 0, sizeof w->silence);
        memset(w->acked, 0, sizeof w->acked);
        for (int day = 0; day < 10; day++) {
                w->now = day_start_ms(day_of_instant(w->now) + 1) +
                         (DIGEST_MINUTE + 1) * MS_PER_MINUTE;
                tell(w, true);
        }
        for (size_t i = 0; i < TARGETS; i++)
                check_truth(w, i);
}

static void run(World *w, uint64_t seed) {
        *w = (World){.seed = seed, .state = seed};
        w->rules[0] = (RuleDef){.name = "low",
                                .period = PERIOD_MONTH,
                                .when = {.kind = CONDITION_BELOW, .amount = 9500},
                                .critical = {.kind = CONDITION_BELOW, .amount = 8000},
                                .clear = 100,
                                .for_n = 1 + (int) below(w, 2),
                                .volume_indicator = -1};
        w->versions[0] = (RuleVersion){.from = FIRST_PERIOD, .rule = &w->rules[0]};
        w->n_versions = 1;
        for (size_t u = 0; u < UNITS; u++)
                w->units[u] = (UnitId) u + 1;
        publish(w);
        for (size_t i = 20 + below(w, 30); i > 0; i--)
                event(w);
        rest(w);
        for (size_t i = 0; i < TARGETS; i++)
                drop_letter(&w->targets[i]);
}

int main(int argc, char **argv) {
        uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
        uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
        World *w = calloc(1, sizeof *w);
        if (!w)
                return 1;
        for (uint64_t i = 0; i < n; i++)
                run(w, first + i);
        free(w);
        printf("alert-properties: %llu runs\n", (unsigned long long) n);
        return 0;
}
