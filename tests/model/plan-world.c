/* Drives the real engine and plan through the worlds of tests/model/ledger.py: figures in, told
 * ledgers out.
 *
 * The courier and the booking belong to app/ and the store; here they are a simulation of a hundred
 * lines, which is also where seven mistakes can be switched on (plan-world BUG), so that the
 * comparison proves that it would notice them. Events are lines on stdin, see run-worlds.py, which
 * writes them and compares what is printed here with the oracle. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/decimal.h"
#include "core/engine.h"
#include "core/plan.h"

#define UNITS 4u
#define TARGETS 3u
#define PERIODS_MAX 1000u
#define FIRST_PERIOD 2001101
#define MAX_TRIES 6
#define GROUP_WAIT 2

typedef enum Bug {
        BUG_NONE,
        BUG_DEAD_NOT_BOOKED,  /* a dead row that may have arrived */
        BUG_GO_LIVE_TOLD,     /* go-live written as told */
        BUG_REMADE_AMBIGUOUS, /* made anew although it may have arrived */
        BUG_NO_FIGURE_LEDGER, /* corrections from the alert's row only */
        BUG_BOOKED_AT_RELEASE,
        BUG_TWO_UNSETTLED,
        BUG_SILENCE_DROPS_CLOSING,
} Bug;

typedef struct Message {
        size_t target;
        PlanItem *items;
        size_t n;
        bool is_queued, is_ambiguous;
        int tries;
        int64_t next;
} Message;

typedef struct Ledger { /* of one target */
        Told *told;
        size_t n_told, cap_told;
        ToldFigure *figures;
        size_t n_figures, cap_figures;
        bool is_up;
        int64_t since; /* when the plan first became non-empty; -1 */
        uint64_t attempts;
} Ledger;

typedef struct World {
        Bug bug;
        uint64_t seed;
        int64_t now, quiet_until;
        Panel panel;
        int64_t silence[UNITS];
        Episode *episodes;
        bool *is_acked; /* per episode */
        size_t n_episodes, cap_episodes, cap_acked;
        Episode *loaded; /* for one judgement */
        size_t n_loaded, cap_loaded;
        Ledger ledgers[TARGETS];
        Message *messages;
        size_t n_messages, cap_messages;
        size_t first_live; /* messages before it are settled */
} World;

static const IndicatorDef indicator = {.name = "progress", .decimals = 2, .restated_min = 1};
static const RuleDef rule = {
        .name = "low",
        .period = PERIOD_MONTH,
        .when = {.kind = CONDITION_BELOW, .amount = 9500},
        .clear = 100,
        .for_n = 1,
        .volume_indicator = -1,
};

static void must(bool is_true, const char *what) {
        if (!is_true) {
                fprintf(stderr, "plan-world: %s\n", what);
                exit(2);
        }
}

/* ---- the world ------------------------------------------------------------------------------- */

static void world_clear(World *w) {
        for (size_t t = 0; t < TARGETS; t++) {
                free(w->ledgers[t].told);
                free(w->ledgers[t].figures);
        }
        for (size_t i = 0; i < w->n_messages; i++)
                free(w->messages[i].items);
        free(w->messages);
        free(w->episodes);
        free(w->is_acked);
        free(w->loaded);
        free(w->panel.units);
        free(w->panel.value);
        *w = (World){.bug = w->bug};
}

static void world_begin(World *w, uint64_t seed) {
        world_clear(w);
        w->seed = seed;
        w->panel.n_units = UNITS;
        w->panel.first = FIRST_PERIOD;
        w->panel.units = calloc(UNITS, sizeof(UnitId));
        w->panel.value = calloc(UNITS * PERIODS_MAX, sizeof(int64_t));
        must(w->panel.units && w->panel.value, "no memory");
        for (size_t u = 0; u < UNITS; u++)
                w->panel.units[u] = (UnitId) u + 1;
        for (size_t t = 0; t < TARGETS; t++) {
                w->ledgers[t].is_up = true;
                w->ledgers[t].since = -1;
        }
}

static PeriodId period_at(size_t i) {
        return period_add(FIRST_PERIOD, (int) i);
}

static PeriodId newest_of(const World *w) {
        return period_at(w->panel.n_periods - 1);
}

/* ---- judging --------------------------------------------------------------------------------- */

static void store_result(World *w, const JudgeResult *result) {
        for (size_t i = 0; i < result->n_episodes; i++) {
                Episode e = result->episodes[i];
                if (e.id == 0) {
                        must(ARRAY_GROW(w->episodes, w->cap_episodes, w->n_episodes + 1) == 0 &&
                                     ARRAY_GROW(w->is_acked, w->cap_acked, w->n_episodes + 1) == 0,
                             "no memory");
                        e.id = (int64_t) ++w->n_episodes;
                        w->is_acked[e.id - 1] = false;
                }
                w->episodes[e.id - 1] = e;
        }
}

/* As from the store: live ones, and those that end at `from` or later. */
static void load(World *w, PeriodId from) {
        w->n_loaded = 0;
        for (size_t i = 0; i < w->n_episodes; i++) {
                const Episode *e = &w->episodes[i];
                if (e->state != EPISODE_OPEN && e->state != EPISODE_PENDING && e->last < from)
                        continue;
                must(ARRAY_GROW(w->loaded, w->cap_loaded, w->n_loaded + 1) == 0, "no memory");
                w->loaded[w->n_loaded++] = *e;
        }
}

static size_t judge_once(World *w, PeriodId restated, const bool *is_restated_unit,
                         PeriodId first_seen) {
        const RuleVersion version = {FIRST_PERIOD, &rule};
        PeriodId changed = restated ? restated : first_seen;
        JudgeInput in = {
                .versions = &version,
                .n_versions = 1,
                .indicators = &indicator,
                .value = &w->panel,
                .newest = newest_of(w),
                .restated = restated,
                .is_restated_unit = is_restated_unit,
                .first_seen = first_seen,
        };
        CLEANUP(judge_result_done) JudgeResult result = {0};

        load(w, changed);
        in.fold_from = engine_fold_from(w->loaded, w->n_loaded, changed, in.newest);
        load(w, in.fold_from);
        in.stored = w->loaded;
        in.n_stored = w->n_loaded;
        must(engine_judge(&in, &result) == 0, "no memory");
        store_result(w, &result);
        return result.n_episodes + result.n_transitions;
}

static void judge(World *w, PeriodId restated, const bool *is_restated_unit, PeriodId first_seen) {
        judge_once(w, restated, is_restated_unit, first_seen);
        must(judge_once(w, restated, is_restated_unit, first_seen) == 0,
             "judging again adds something");
}

/* ---- planning -------------------------------------------------------------------------------- */

static const Told *told_of(const Ledger *l, int64_t episode) {
        for (size_t i = 0; i < l->n_told; i++)
                if (l->told[i].episode == episode)
                        return &l->told[i];
        return NULL;
}

static Told *told_row(Ledger *l, int64_t episode) {
        size_t i = 0;

        while (i < l->n_told && l->told[i].episode < episode)
                i++;
        if (i < l->n_told && l->told[i].episode == episode)
                return &l->told[i];
        must(ARRAY_GROW(l->told, l->cap_told, l->n_told + 1) == 0, "no memory");
        memmove(&l->told[i + 1], &l->told[i], (l->n_told++ - i) * sizeof(Told));
        l->told[i] = (Told){.episode = episode};
        return &l->told[i];
}

static ToldFigure *figure_row(Ledger *l, PeriodId period, UnitId unit) {
        size_t i = 0;

        while (i < l->n_figures && (l->figures[i].period < period ||
                                    (l->figures[i].period == period && l->figures[i].unit < unit)))
                i++;
        if (i < l->n_figures && l->figures[i].period == period && l->figures[i].unit == unit)
                return &l->figures[i];
        must(ARRAY_GROW(l->figures, l->cap_figures, l->n_figures + 1) == 0, "no memory");
        memmove(&l->figures[i + 1], &l->figures[i], (l->n_figures++ - i) * sizeof(ToldFigure));
        l->figures[i] =
                (ToldFigure){.indicator = 1, .period = period, .unit = unit, .restated_min = 1};
        return &l->figures[i];
}

static PlanEpisode plan_episode(const World *w, size_t i) {
        const Episode *e = &w->episodes[i];

        return (PlanEpisode){
                .e = *e,
                .indicator = 1,
                .is_muted = w->silence[e->unit - 1] > w->now,
                .is_acked = w->is_acked[i],
                .is_trembling = e->state == EPISODE_GONE && e->first == newest_of(w) &&
                                rule_is_between(&rule, e->value, e->limit),
                .amend_min = 1,
        };
}

/* What a wrong reading of "silence" would do: the closing counts as told. */
static void drop_muted_closings(World *w, Ledger *l) {
        for (size_t i = 0; i < l->n_told; i++) {
                const Episode *e = &w->episodes[l->told[i].episode - 1];
                Say said = l->told[i].said;
                if (e->state == EPISODE_CLOSED && w->silence[e->unit - 1] > w->now &&
                    (said == SAY_OPENING || said == SAY_CONTINUED))
                        l->told[i].said = SAY_CLOSING;
        }
}

static void plan(World *w, size_t target, PlanItem **ret, size_t *ret_n) {
        Ledger *l = &w->ledgers[target];
        CLEANUP_FREE PlanEpisode *episodes = calloc(MAX(w->n_episodes, 1u), sizeof(*episodes));
        UnitId muted[UNITS];
        size_t n_muted = 0;

        must(episodes, "no memory");
        if (w->bug == BUG_SILENCE_DROPS_CLOSING)
                drop_muted_closings(w, l);
        for (size_t i = 0; i < w->n_episodes; i++)
                episodes[i] = plan_episode(w, i);
        for (size_t u = 0; u < UNITS; u++)
                if (w->silence[u] > w->now)
                        muted[n_muted++] = (UnitId) u + 1;
        for (size_t i = 0, p = 0; i < l->n_figures; i++) {
                if (i == 0 || l->figures[i].period != l->figures[i - 1].period)
                        p = (size_t) panel_period(&w->panel, l->figures[i].period);
                l->figures[i].now_value = panel_at(&w->panel, p, l->figures[i].unit - 1);
        }
        PlanInput in = {
                .role = ROLE_OFFICIAL,
                .episodes = episodes,
                .n_episodes = w->n_episodes,
                .told = l->told,
                .n_told = l->n_told,
                .figures = l->figures,
                .n_figures = w->bug == BUG_NO_FIGURE_LEDGER ? 0 : l->n_figures,
                .muted_units = muted,
                .n_muted_units = n_muted,
                .now_ms = w->now,
        };
        in.publication[PERIOD_MONTH] = newest_of(w);
        *ret = NULL;
        must(plan_make(&in, ret, ret_n) == 0, "no memory");
}

/* ---- release, courier, booking --------------------------------------------------------------- */

static void book(World *w, const Message *m) {
        Ledger *l = &w->ledgers[m->target];

        for (size_t i = 0; i < m->n; i++) {
                const PlanItem *item = &m->items[i];
                Told none = {0}, *told = item->episode ? told_row(l, item->episode) : &none;
                ToldFigure figure = {0};
                bool has_figure;
                plan_book(item, m - w->messages + 1, w->now, told, &figure, &has_figure);
                if (has_figure) {
                        ToldFigure *row = figure_row(l, figure.period, figure.unit);
                        row->value = figure.value;
                        row->message = figure.message;
                }
        }
}

static void give_up(World *w, const Message *m) {
        Ledger *l = &w->ledgers[m->target];

        for (size_t i = 0; i < m->n; i++)
                if (m->items[i].say == SAY_OPENING)
                        must(plan_give_up(&m->items[i], told_row(l, m->items[i].episode)),
                             "not given up");
}

static size_t count_queued(const World *w, size_t target) {
        size_t n = 0;

        for (size_t i = w->first_live; i < w->n_messages; i++)
                n += w->messages[i].is_queued && w->messages[i].target == target;
        return n;
}

static void release_to(World *w, size_t t, bool is_forced) {
        Ledger *l = &w->ledgers[t];
        PlanItem *items;
        size_t n;

        if (count_queued(w, t) >= (w->bug == BUG_TWO_UNSETTLED ? 2u : 1u))
                return;
        plan(w, t, &items, &n);
        if (n > 0 && l->since < 0)
                l->since = w->now;
        if (n == 0 || (!is_forced && (w->now < l->since + GROUP_WAIT || w->now < w->quiet_until))) {
                if (n == 0)
                        l->since = -1;
                free(items);
                return;
        }
        must(ARRAY_GROW(w->messages, w->cap_messages, w->n_messages + 1) == 0, "no memory");
        w->messages[w->n_messages++] =
                (Message){.target = t, .items = items, .n = n, .is_queued = true, .next = w->now};
        l->since = -1;
        if (w->bug == BUG_BOOKED_AT_RELEASE)
                book(w, &w->messages[w->n_messages - 1]);
}

static void print_received(const World *w, const Message *m) {
        printf("I %zu %td", m->target, m - w->messages + 1);
        for (size_t i = 0; i < m->n; i++) {
                const PlanItem *item = &m->items[i];
                int first =
                        item->episode
                                ? period_distance(FIRST_PERIOD,
                                                  (PeriodId) w->episodes[item->episode - 1].first)
                                : period_distance(FIRST_PERIOD, item->period);
                printf(" %s/%u/%d/%" PRId64 "/%d", say_name(item->say), item->unit - 1, first,
                       item->value == VALUE_NONE ? -1 : item->value,
                       item->say == SAY_WITHDRAWN ? -1
                                                  : period_distance(FIRST_PERIOD, item->period));
        }
        printf("\n");
}

/* The same on both sides: splitmix64 of (seed, target, number of the attempt that reached it). */
static bool is_killed(const World *w, size_t target) {
        uint64_t x = w->seed * 1000003 + target * 65537 + w->ledgers[target].attempts +
                     0x9e3779b97f4a7c15;

        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return (x ^ (x >> 31)) % 10 == 0;
}

static void arrive(World *w, Message *m) {
        w->ledgers[m->target].attempts++;
        print_received(w, m);
        if (is_killed(w, m->target)) {
                m->is_ambiguous = true;
                m->next = w->now + 1;
                return;
        }
        m->is_queued = false;
        if (w->bug != BUG_BOOKED_AT_RELEASE)
                book(w, m);
}

static void attempt(World *w, Message *m) {
        if (m->tries > 0 && (!m->is_ambiguous || w->bug == BUG_REMADE_AMBIGUOUS) &&
            w->bug != BUG_BOOKED_AT_RELEASE) {
                free(m->items);
                plan(w, m->target, &m->items, &m->n);
                if (m->n == 0) {
                        m->is_queued = false;
                        return;
                }
        }
        m->tries++;
        if (w->ledgers[m->target].is_up)
                arrive(w, m);
        else if (m->tries > MAX_TRIES) {
                m->is_queued = false;
                if (!m->is_ambiguous)
                        give_up(w, m);
                else if (w->bug != BUG_DEAD_NOT_BOOKED)
                        book(w, m);
        } else
                m->next = w->now + m->tries;
}

static void work(World *w, bool is_forced) {
        for (size_t t = 0; t < TARGETS; t++)
                release_to(w, t, is_forced);
        for (size_t i = w->first_live; i < w->n_messages; i++)
                if (w->messages[i].is_queued && w->messages[i].next <= w->now)
                        attempt(w, &w->messages[i]);
        while (w->first_live < w->n_messages && !w->messages[w->first_live].is_queued)
                w->first_live++;
}

/* ---- events ---------------------------------------------------------------------------------- */

static char *word(char **line) {
        char *w = strsep(line, " \n");

        must(w && *w, "a word is missing");
        return w;
}

static int64_t number(char **line) {
        char *end, *text = word(line);
        int64_t n = strtoll(text, &end, 10);

        must(*end == '\0', "not a number");
        return n;
}

static int64_t value(char **line) { /* -1 is no value */
        int64_t n = number(line);

        return n < 0 ? VALUE_NONE : n;
}

static size_t below(char **line, size_t limit) {
        int64_t n = number(line);

        must(n >= 0 && (size_t) n < limit, "out of range");
        return (size_t) n;
}

static void on_publication(World *w, char *line) {
        must(w->panel.n_periods < PERIODS_MAX, "too many periods");
        size_t p = w->panel.n_periods++;
        for (size_t u = 0; u < UNITS; u++)
                w->panel.value[p * UNITS + u] = value(&line);
        judge(w, 0, NULL, period_at(p));
}

static void on_restatement(World *w, char *line) {
        bool is_restated[UNITS] = {false};
        size_t u = below(&line, UNITS), p = below(&line, w->panel.n_periods);

        w->panel.value[p * UNITS + u] = value(&line);
        is_restated[u] = true;
        judge(w, period_at(p), is_restated, 0);
}

static void on_ack(World *w, char *line) {
        size_t u = below(&line, UNITS), first = below(&line, w->panel.n_periods);

        for (size_t i = 0; i < w->n_episodes; i++)
                if (w->episodes[i].unit == u + 1 && w->episodes[i].first == period_at(first))
                        w->is_acked[i] = true;
}

static void on_go_live(World *w) {
        for (size_t t = 0; t < TARGETS; t++)
                for (size_t i = 0; i < w->n_episodes; i++) {
                        const Episode *e = &w->episodes[i];
                        if (e->state != EPISODE_OPEN)
                                continue;
                        *told_row(&w->ledgers[t], e->id) = (Told){
                                .episode = e->id,
                                .said = w->bug == BUG_GO_LIVE_TOLD ? SAY_OPENING : SAY_ASSUMED,
                                .value = VALUE_NONE,
                                .last = e->last,
                        };
                }
}

static void on_heal(World *w) {
        memset(w->silence, 0, sizeof(w->silence));
        w->quiet_until = 0;
        for (size_t i = 0; i < w->n_episodes; i++)
                w->is_acked[i] = false;
        for (size_t t = 0; t < TARGETS; t++)
                w->ledgers[t].is_up = true;
}

static void print_period(PeriodId period) {
        printf(" %d", period == 0 ? -1 : period_distance(FIRST_PERIOD, period));
}

static void on_end(World *w) {
        size_t n = w->n_messages;

        work(w, true);
        printf("N %zu %d\n", n, w->n_messages == n);
        for (size_t t = 0; t < TARGETS; t++) {
                const Ledger *l = &w->ledgers[t];
                for (size_t i = 0; i < l->n_told; i++) {
                        const Told *told = told_of(l, l->told[i].episode);
                        const Episode *e = &w->episodes[told->episode - 1];
                        printf("T %zu %u", t, e->unit - 1);
                        print_period((PeriodId) e->first);
                        printf(" %s %" PRId64, say_name(told->said),
                               told->value == VALUE_NONE ? -1 : told->value);
                        print_period(told->last);
                        print_period(told->gave_up);
                        printf("\n");
                }
                for (size_t i = 0; i < l->n_figures; i++) {
                        printf("G %zu %u", t, l->figures[i].unit - 1);
                        print_period(l->figures[i].period);
                        printf(" %" PRId64 "\n",
                               l->figures[i].value == VALUE_NONE ? -1 : l->figures[i].value);
                }
        }
        printf("E\n");
}

static void on_line(World *w, char *line) {
        char *kind = word(&line);

        switch (*kind) {
        case 'W': /* a new world: seed */
                world_begin(w, (uint64_t) number(&line));
                break;
        case 'P': /* a publication: a value per unit */
                on_publication(w, line);
                break;
        case 'L': /* go-live */
                on_go_live(w);
                break;
        case 'R': /* a restatement: unit, period, value */
                on_restatement(w, line);
                break;
        case 'S': { /* a silence: unit, until */
                size_t u = below(&line, UNITS);
                w->silence[u] = number(&line);
                break;
        }
        case 'A': /* acknowledged: unit, first period */
                on_ack(w, line);
                break;
        case 'Q': /* quiet until */
                w->quiet_until = number(&line);
                break;
        case 'U': { /* a target is up or down */
                size_t t = below(&line, TARGETS);
                w->ledgers[t].is_up = number(&line) != 0;
                break;
        }
        case 'H': /* all is well again */
                on_heal(w);
                break;
        case 'T': /* it is now; work, forced or not */
                w->now = number(&line);
                work(w, number(&line) != 0);
                break;
        case 'E':
                on_end(w);
                break;
        default:
                must(false, "unknown event");
        }
}

int main(int argc, char **argv) {
        CLEANUP_FREE char *line = NULL;
        size_t cap = 0;
        World w = {.bug = argc > 1 ? (Bug) atoi(argv[1]) : BUG_NONE};

        while (getline(&line, &cap, stdin) > 0)
                on_line(&w, line);
        world_clear(&w);
        return 0;
}
