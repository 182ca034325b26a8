#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/plan.h"

#define NONE VALUE_NONE
#define NOW_MS INT64_C(1725411600000) /* 2024-09-04T08:00+07:00, a Wednesday */
#define AUGUST 2024108
#define JULY 2024107

/* One episode, one told row, one printed figure: enough for every rule of the plan. */
typedef struct World {
        RecipientRole role;
        PlanEpisode episode;
        Told told;
        ToldFigure figure;
        bool has_episode, has_told, has_figure, is_unit_muted;
        PeriodId publication;
} World;

static World world_of(EpisodeState state) {
        return (World){
                .has_episode = true,
                .episode = {.e = {.id = 7,
                                  .unit = 3,
                                  .first = JULY,
                                  .opened = JULY,
                                  .last = AUGUST,
                                  .length = 2,
                                  .state = state,
                                  .severity = SEVERITY_WARNING,
                                  .value = 8271,
                                  .limit = 9500},
                            .indicator = 5,
                            .repeat = REPEAT_PUBLICATION,
                            .amend_min = 100},
                .told = {.episode = 7,
                         .value = 8900,
                         .last = JULY,
                         .severity = SEVERITY_WARNING,
                         .message = 40,
                         .said_ms = NOW_MS - 30 * MS_PER_DAY},
                .publication = AUGUST,
        };
}

static World told_world(EpisodeState state, Say said) {
        World w = world_of(state);

        w.has_told = true;
        w.told.said = said;
        return w;
}

static PlanItem *plan(const World *w, size_t *ret_n) {
        static const UnitId muted[] = {1, 3, 9};
        PlanInput in = {.role = w->role,
                        .episodes = &w->episode,
                        .n_episodes = w->has_episode,
                        .told = &w->told,
                        .n_told = w->has_told,
                        .figures = &w->figure,
                        .n_figures = w->has_figure,
                        .muted_units = muted,
                        .n_muted_units = w->is_unit_muted ? 3 : 0,
                        .now_ms = NOW_MS};
        PlanItem *items = NULL;

        in.publication[PERIOD_MONTH] = w->publication;
        assert_int_equal(plan_make(&in, &items, ret_n), 0);
        return items;
}

/* What is said, SAY_NONE when nothing; at most one item. */
static Say said_of(const World *w) {
        size_t n;
        CLEANUP_FREE PlanItem *items = plan(w, &n);

        assert_true(n <= 1);
        return n == 0 ? SAY_NONE : items[0].say;
}

#define expect(w, say) assert_string_equal(say_name(said_of(w)), say_name(say))

static void pairs_what_is_with_what_was_told(void **state UNUSED) {
        static const struct {
                EpisodeState state;
                int said; /* -1: no row */
                Say say;
        } cases[] = {
                {EPISODE_OPEN, -1, SAY_OPENING},
                {EPISODE_OPEN, SAY_NONE, SAY_OPENING},
                {EPISODE_OPEN, SAY_OPENING, SAY_CONTINUED},
                {EPISODE_OPEN, SAY_CONTINUED, SAY_CONTINUED},
                {EPISODE_OPEN, SAY_WORSE, SAY_CONTINUED},
                {EPISODE_OPEN, SAY_CLOSING, SAY_OPENING},
                {EPISODE_OPEN, SAY_WITHDRAWN, SAY_OPENING},
                {EPISODE_OPEN, SAY_LATE, SAY_OPENING},
                {EPISODE_OPEN, SAY_ASSUMED, SAY_OPENING},
                {EPISODE_CLOSED, -1, SAY_NONE},
                {EPISODE_CLOSED, SAY_NONE, SAY_NONE},
                {EPISODE_CLOSED, SAY_OPENING, SAY_CLOSING},
                {EPISODE_CLOSED, SAY_CONTINUED, SAY_CLOSING},
                {EPISODE_CLOSED, SAY_WORSE, SAY_CLOSING},
                {EPISODE_CLOSED, SAY_CLOSING, SAY_NONE},
                {EPISODE_CLOSED, SAY_WITHDRAWN, SAY_NONE},
                {EPISODE_CLOSED, SAY_LATE, SAY_NONE},
                {EPISODE_CLOSED, SAY_ASSUMED, SAY_NONE},
                {EPISODE_GONE, -1, SAY_NONE},
                {EPISODE_GONE, SAY_NONE, SAY_NONE},
                {EPISODE_GONE, SAY_OPENING, SAY_WITHDRAWN},
                {EPISODE_GONE, SAY_CONTINUED, SAY_WITHDRAWN},
                {EPISODE_GONE, SAY_WORSE, SAY_WITHDRAWN},
                {EPISODE_GONE, SAY_CLOSING, SAY_WITHDRAWN},
                {EPISODE_GONE, SAY_LATE, SAY_WITHDRAWN},
                {EPISODE_GONE, SAY_WITHDRAWN, SAY_NONE},
                {EPISODE_GONE, SAY_ASSUMED, SAY_NONE},
                {EPISODE_PENDING, -1, SAY_NONE},
                {EPISODE_PENDING, SAY_OPENING, SAY_WITHDRAWN},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                World w = told_world(cases[i].state,
                                     cases[i].said < 0 ? SAY_NONE : (Say) cases[i].said);
                w.has_told = cases[i].said >= 0;
                if (said_of(&w) != cases[i].say)
                        fail_msg("%s, told %s: %s", episode_state_name(cases[i].state),
                                 cases[i].said < 0 ? "-" : say_name((Say) cases[i].said),
                                 say_name(said_of(&w)));
                w.episode.is_muted = true; /* a silence delays every kind */
                expect(&w, SAY_NONE);
        }
}

static void ends_for_any_reason(void **state UNUSED) {
        for (EndReason end = END_CLEAR; end <= END_RULE_REMOVED; end++) {
                World w = told_world(EPISODE_CLOSED, SAY_OPENING);
                w.episode.e.end = end;
                w.episode.e.is_held = true;
                w.episode.e.tell_from = 2030101; /* gates are for openings */
                w.episode.is_acked = true;
                expect(&w, SAY_CLOSING);
        }
}

static void tells_a_late_one_once(void **state UNUSED) {
        World w = world_of(EPISODE_CLOSED);

        w.episode.e.is_late = true;
        expect(&w, SAY_LATE);
        w.has_told = true;
        w.told.said = SAY_WITHDRAWN;
        expect(&w, SAY_LATE);
        w.told.said = SAY_LATE;
        expect(&w, SAY_NONE);
        w.told.said = SAY_ASSUMED;
        expect(&w, SAY_NONE);
        w.has_told = false;
        w.episode.e.is_held = true;
        expect(&w, SAY_NONE);
}

static void lets_openings_wait_at_gates(void **state UNUSED) {
        World w = world_of(EPISODE_OPEN);

        w.episode.e.is_held = true;
        expect(&w, SAY_NONE);
        w.role = ROLE_OPERATOR;
        expect(&w, SAY_NONE);
        w = world_of(EPISODE_OPEN);
        w.episode.e.tell_from = 2024109;
        expect(&w, SAY_NONE);
        w.role = ROLE_OPERATOR; /* gets its summary at load */
        expect(&w, SAY_OPENING);
        w.role = ROLE_OFFICIAL;
        w.publication = 2024109;
        expect(&w, SAY_OPENING);
        w = told_world(EPISODE_OPEN, SAY_OPENING);
        w.episode.e.tell_from = 2030101;
        w.episode.e.is_held = true;
        expect(&w, SAY_CONTINUED);
        w = told_world(EPISODE_GONE, SAY_OPENING);
        w.episode.e.tell_from = 2030101;
        expect(&w, SAY_WITHDRAWN);
        w.episode.is_trembling = true;
        expect(&w, SAY_NONE);
}

static void opens_nothing_for_a_figure_that_is_missing(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_CLOSING);

        expect(&w, SAY_OPENING);
        w.episode.is_unknown = true;
        expect(&w, SAY_NONE);
        w.has_told = false;
        expect(&w, SAY_OPENING);
}

static void waits_after_a_dead_letter(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_NONE);

        w.told.gave_up = AUGUST;
        expect(&w, SAY_NONE);
        w.told.gave_up = JULY;
        expect(&w, SAY_OPENING);
        w.told.said = SAY_CLOSING;
        w.told.last = AUGUST;
        expect(&w, SAY_NONE);
}

static void assumes_until_the_next_publication(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_ASSUMED);

        w.told.last = AUGUST;
        expect(&w, SAY_NONE);
        w.told.last = JULY;
        expect(&w, SAY_OPENING);
}

static void repeats_as_asked(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_OPENING);

        w.told.last = AUGUST;
        w.told.value = 8271;
        expect(&w, SAY_NONE); /* the same */
        w.told.value = 8370;
        expect(&w, SAY_NONE); /* 0.99 */
        w.told.value = 8371;
        expect(&w, SAY_CONTINUED);
        w.told.last = JULY;
        w.told.value = 8271;
        expect(&w, SAY_CONTINUED);
        w.episode.repeat = REPEAT_NEVER;
        expect(&w, SAY_NONE);
        w.episode.repeat = REPEAT_DAYS;
        w.episode.repeat_days = 30;
        expect(&w, SAY_CONTINUED);
        w.episode.repeat_days = 31;
        expect(&w, SAY_NONE);
}

static void keeps_quiet_when_acknowledged_until_worse(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_OPENING);

        w.episode.is_acked = true;
        expect(&w, SAY_NONE);
        w.episode.e.severity = SEVERITY_CRITICAL;
        expect(&w, SAY_WORSE);
        w.episode.repeat = REPEAT_NEVER;
        expect(&w, SAY_WORSE);
        w.told.severity = SEVERITY_CRITICAL;
        expect(&w, SAY_NONE);
        w = told_world(EPISODE_OPEN, SAY_WORSE);
        w.told.severity = SEVERITY_CRITICAL;
        w.told.last = AUGUST;
        w.told.value = 8271;
        expect(&w, SAY_CONTINUED); /* eased */
        w = told_world(EPISODE_OPEN, SAY_NONE);
        w.episode.is_acked = true;
        expect(&w, SAY_OPENING);
}

/* Corrected while acknowledged: the fix printed the figure, so the row of the episode is old. */
static void repeats_nothing_that_a_correction_said(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_OPENING);

        w.told.last = AUGUST;
        w.told.value = 9000;
        w.has_figure = true;
        w.figure = (ToldFigure){.indicator = 5,
                                .period = AUGUST,
                                .unit = 3,
                                .value = 9000,
                                .now_value = 8271,
                                .restated_min = 100};
        expect(&w, SAY_CONTINUED);
        w.figure.value = 8271; /* as the correction booked it */
        expect(&w, SAY_NONE);
        w.episode.e.value = w.figure.now_value = 8000; /* and moved on since */
        expect(&w, SAY_CONTINUED);

        /* It was away, which was told, and is back as it was: a correction, not the alert again. */
        w.told.value = w.episode.e.value = w.figure.now_value = 8271;
        w.figure.value = VALUE_NONE;
        expect(&w, SAY_FIX);
}

static void repeats_nothing_unknown_to_officials(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_OPENING);

        w.episode.is_unknown = true;
        expect(&w, SAY_NONE);
        w.role = ROLE_OPERATOR;
        expect(&w, SAY_CONTINUED);
        w = world_of(EPISODE_OPEN);
        w.episode.is_unknown = true;
        expect(&w, SAY_OPENING);
}

static World printed_world(int64_t printed, int64_t now) {
        return (World){.has_figure = true,
                       .figure = {.indicator = 5,
                                  .period = JULY,
                                  .unit = 3,
                                  .value = printed,
                                  .message = 40,
                                  .now_value = now,
                                  .restated_min = 100}};
}

static void corrects_printed_figures(void **state UNUSED) {
        static const struct {
                int64_t printed, now;
                bool is_flipped, is_muted;
                Say say;
        } cases[] = {
                {8900, 8900, false, false, SAY_NONE}, {8900, 8900, true, false, SAY_NONE},
                {8900, 8999, false, false, SAY_NONE}, {8900, 9000, false, false, SAY_FIX},
                {8900, 8800, false, false, SAY_FIX},  {8900, 8801, false, false, SAY_NONE},
                {8900, 8901, true, false, SAY_FIX},   {8900, NONE, false, false, SAY_FIX},
                {NONE, 8900, false, false, SAY_FIX},  {NONE, NONE, false, false, SAY_NONE},
                {8900, 9900, false, true, SAY_NONE},  {8900, NONE, true, true, SAY_NONE},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                World w = printed_world(cases[i].printed, cases[i].now);
                w.figure.is_flipped = cases[i].is_flipped;
                w.is_unit_muted = cases[i].is_muted;
                if (said_of(&w) != cases[i].say)
                        fail_msg("case %zu: %s", i, say_name(said_of(&w)));
        }
        World w = printed_world(8900, 9900);
        size_t n;
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        assert_int_equal(n, 1);
        assert_int_equal(items->episode, 0);
        assert_int_equal(items->indicator, 5);
        assert_int_equal(items->period, JULY);
        assert_int_equal(items->unit, 3);
        assert_true(items->value == 9900 && items->old_value == 8900);
        assert_int_equal(items->corrects, 40);
}

static void prints_a_figure_once(void **state UNUSED) {
        World w = world_of(EPISODE_OPEN);
        size_t n;

        w.has_figure = true;
        w.figure = (ToldFigure){.indicator = 5,
                                .period = AUGUST,
                                .unit = 3,
                                .value = 9900,
                                .message = 41,
                                .now_value = 8271,
                                .restated_min = 100};
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        assert_int_equal(n, 1);
        assert_int_equal(items->say, SAY_OPENING);
        assert_true(items->value == 8271 &&
                    items->old_value == 9900); /* old and new, naming the message */
        assert_int_equal(items->corrects, 41);
        w.episode.indicator = 6; /* another figure: both */
        CLEANUP_FREE PlanItem *both = plan(&w, &n);
        assert_int_equal(n, 2);
        assert_int_equal(both[0].say, SAY_FIX);
        assert_int_equal(both[1].say, SAY_OPENING);
        assert_true(both[1].old_value == NONE && both[1].corrects == 0);
        w.episode.indicator = 5;
        w.has_told = true;
        w.told.said = SAY_OPENING;
        w.episode.e.state = EPISODE_GONE; /* a withdrawal prints none */
        CLEANUP_FREE PlanItem *gone = plan(&w, &n);
        assert_int_equal(n, 2);
        assert_int_equal(gone[0].say, SAY_WITHDRAWN);
        assert_true(gone[0].value == NONE && gone[0].old_value == 8900 && gone[0].corrects == 40);
        assert_int_equal(gone[1].say, SAY_FIX);
}

static void shows_then_and_now(void **state UNUSED) {
        World w = told_world(EPISODE_CLOSED, SAY_CONTINUED);
        size_t n;
        CLEANUP_FREE PlanItem *items = plan(&w, &n);

        assert_int_equal(n, 1);
        assert_int_equal(items->say, SAY_CLOSING);
        assert_true(items->value == 8271 && items->old_value == 8900);
        assert_int_equal(items->period, AUGUST);
        assert_int_equal(items->episode, 7);
        assert_int_equal(items->unit, 3);
        assert_int_equal(items->severity, SEVERITY_WARNING);
        assert_int_equal(items->corrects, 0);
}

/* "Then" is what the target knows of the told figure: as it was corrected since, or is by the same
 * message. */
static void closes_with_the_corrected_figure(void **state UNUSED) {
        static const struct {
                PeriodId period;
                int64_t printed, now, then;
                int64_t corrects;
        } cases[] = {
                {JULY, 8900, 8900, 8900, 0},    {JULY, 9400, 9400, 9400, 0},
                {JULY, 9400, 9450, 9400, 0},    {JULY, 9400, 9300, 9300, 0},
                {AUGUST, 9000, 8271, 9000, 41}, {AUGUST, 8271, 8271, 8900, 0},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                World w = told_world(EPISODE_CLOSED, SAY_CONTINUED);
                size_t n;
                w.has_figure = true;
                w.figure = (ToldFigure){.indicator = 5,
                                        .period = cases[i].period,
                                        .unit = 3,
                                        .value = cases[i].printed,
                                        .message = 41,
                                        .now_value = cases[i].now,
                                        .restated_min = 100};
                CLEANUP_FREE PlanItem *items = plan(&w, &n);
                const PlanItem *closing = &items[n - 1];
                assert_string_equal(say_name(closing->say), "closing");
                assert_int_equal(closing->old_value, cases[i].then);
                assert_int_equal(closing->corrects, cases[i].corrects);
        }
}

static void withdraws_what_was_told(void **state UNUSED) {
        World w = told_world(EPISODE_GONE, SAY_CONTINUED);
        size_t n;

        w.has_figure = true; /* corrected since: the newest print */
        w.figure = (ToldFigure){.indicator = 5,
                                .period = JULY,
                                .unit = 3,
                                .value = 9400,
                                .message = 41,
                                .now_value = 9400,
                                .restated_min = 100};
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        assert_int_equal(n, 1);
        assert_int_equal(items->period, JULY); /* not Episode.last, August */
        assert_true(items->value == NONE && items->old_value == 9400);
        assert_int_equal(items->corrects, 40);
        w.told.said = SAY_CLOSING; /* told of the end in August: the alert was about July */
        w.told.last = AUGUST;
        w.told.value = 9900;
        CLEANUP_FREE PlanItem *ended = plan(&w, &n);
        assert_int_equal(ended->period, JULY);
        assert_int_equal(ended->old_value, 9400);
        w.has_figure = false;
        CLEANUP_FREE PlanItem *bare = plan(&w, &n);
        assert_int_equal(bare->period, AUGUST);
        assert_int_equal(bare->old_value, 9900);
}

static void tells_a_late_one_by_its_breach(void **state UNUSED) {
        World w = world_of(EPISODE_CLOSED);
        size_t n;

        w.episode.e.is_late = true;
        w.episode.e.value = 9700; /* of the end, August */
        w.episode.breach = JULY;
        w.episode.breach_value = 5000;
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        assert_int_equal(n, 1);
        assert_string_equal(say_name(items->say), "late");
        assert_int_equal(items->period, JULY);
        assert_int_equal(items->value, 5000);
        w.has_figure = true;
        w.figure = (ToldFigure){.indicator = 5,
                                .period = JULY,
                                .unit = 3,
                                .value = 9700,
                                .message = 41,
                                .now_value = 5000,
                                .restated_min = 100};
        CLEANUP_FREE PlanItem *again = plan(&w, &n);
        assert_int_equal(n, 1); /* no fix beside it */
        assert_true(again->old_value == 9700 && again->corrects == 41);
}

static void says_nothing_of_a_flap(void **state UNUSED) {
        static const struct {
                int64_t told, now;
                PeriodId last;
                Severity from, to;
                Say say;
        } cases[] = {
                {8000, 7999, AUGUST, SEVERITY_WARNING, SEVERITY_CRITICAL, SAY_NONE},
                {7999, 8000, AUGUST, SEVERITY_CRITICAL, SEVERITY_WARNING, SAY_NONE},
                {8000, 7901, AUGUST, SEVERITY_WARNING, SEVERITY_CRITICAL, SAY_NONE},
                {8000, 7900, AUGUST, SEVERITY_WARNING, SEVERITY_CRITICAL, SAY_WORSE},
                {8000, 7999, JULY, SEVERITY_WARNING, SEVERITY_CRITICAL, SAY_WORSE},
                {7999, 8000, JULY, SEVERITY_CRITICAL, SEVERITY_WARNING, SAY_CONTINUED},
                {7999, 7999, AUGUST, SEVERITY_WARNING, SEVERITY_CRITICAL, SAY_WORSE},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                World w = told_world(EPISODE_OPEN, SAY_OPENING);
                w.told.value = cases[i].told;
                w.told.last = cases[i].last;
                w.told.severity = cases[i].from;
                w.episode.e.value = cases[i].now;
                w.episode.e.severity = cases[i].to;
                if (said_of(&w) != cases[i].say)
                        fail_msg("case %zu: %s", i, say_name(said_of(&w)));
        }
}

/* By what is said, critical ones first; of an end nobody reads how severe it was. */
static void tells_in_order(void **state UNUSED) {
        static const Say expected[] = {SAY_WITHDRAWN, SAY_FIX,     SAY_FIX,    SAY_LATE,
                                       SAY_OPENING,   SAY_OPENING, SAY_WORSE,  SAY_CONTINUED,
                                       SAY_CONTINUED, SAY_CLOSING, SAY_CLOSING};
        static const int64_t ids[] = {4, 0, 0, 6, 5, 2, 7, 8, 3, 1, 9};
        PlanEpisode e[9] = {0};
        Told told[9] = {0};
        ToldFigure figures[2] = {0};
        size_t n_told = 0, n;

        for (size_t i = 0; i < 9; i++) {
                e[i].indicator = 5;
                e[i].e = (Episode){.id = (int64_t) i + 1,
                                   .unit = (UnitId) i + 1,
                                   .first = JULY,
                                   .last = AUGUST,
                                   .state = EPISODE_OPEN,
                                   .severity = SEVERITY_WARNING,
                                   .value = 8000};
        }
        e[0].e.state = EPISODE_CLOSED;
        e[3].e.state = EPISODE_GONE;
        e[5].e.state = EPISODE_CLOSED;
        e[5].e.is_late = true;
        e[4].e.severity = e[6].e.severity = SEVERITY_CRITICAL;
        e[7].e.severity = e[8].e.severity = SEVERITY_CRITICAL;
        e[8].e.state = EPISODE_CLOSED;
        for (size_t i = 0; i < 9; i++)
                if (i == 0 || i == 2 || i == 3 || i >= 6)
                        told[n_told++] =
                                (Told){.episode = (int64_t) i + 1,
                                       .said = SAY_OPENING,
                                       .value = 8000,
                                       .last = JULY,
                                       .severity = i < 7 ? SEVERITY_WARNING : SEVERITY_CRITICAL};
        for (size_t i = 0; i < 2; i++)
                figures[i] = (ToldFigure){.indicator = 9,
                                          .period = JULY,
                                          .unit = (UnitId) i + 1,
                                          .value = 1,
                                          .now_value = NONE,
                                          .restated_min = 100};
        PlanInput in = {.episodes = e,
                        .n_episodes = 9,
                        .told = told,
                        .n_told = n_told,
                        .figures = figures,
                        .n_figures = 2,
                        .now_ms = NOW_MS};
        CLEANUP_FREE PlanItem *items = NULL;
        assert_int_equal(plan_make(&in, &items, &n), 0);
        assert_int_equal(n, ELEMENTSOF(ids));
        for (size_t i = 0; i < n; i++) {
                assert_string_equal(say_name(items[i].say), say_name(expected[i]));
                assert_int_equal(items[i].episode, ids[i]);
        }
        assert_int_equal(items[1].unit, 1);
        assert_int_equal(items[2].unit, 2);
}

static void subjects_print_no_figures(void **state UNUSED) {
        World w = world_of(EPISODE_OPEN);
        Told told = {0};
        ToldFigure figure = {0};
        bool has_figure = true;
        size_t n;

        w.role = ROLE_OPERATOR;
        w.episode.indicator = 0;
        w.episode.e.unit = 0;
        w.episode.e.subject = "source:portal";
        w.episode.e.value = NONE;
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        assert_int_equal(n, 1);
        assert_int_equal(items->say, SAY_OPENING);
        plan_book(items, 50, NOW_MS, &told, &figure, &has_figure);
        assert_false(has_figure);
        assert_int_equal(told.said, SAY_OPENING);
}

static void books_what_arrived(void **state UNUSED) {
        World w = told_world(EPISODE_OPEN, SAY_OPENING);
        ToldFigure figure = {0};
        bool has_figure = false;
        size_t n;

        w.told.gave_up = JULY;
        CLEANUP_FREE PlanItem *items = plan(&w, &n);
        plan_book(items, 50, NOW_MS, &w.told, &figure, &has_figure);
        assert_true(has_figure);
        assert_int_equal(w.told.episode, 7);
        assert_int_equal(w.told.said, SAY_CONTINUED);
        assert_true(w.told.value == 8271 && w.told.said_ms == NOW_MS);
        assert_int_equal(w.told.last, AUGUST);
        assert_int_equal(w.told.severity, SEVERITY_WARNING);
        assert_int_equal(w.told.message, 50);
        assert_int_equal(w.told.gave_up, 0);
        assert_int_equal(figure.indicator, 5);
        assert_int_equal(figure.period, AUGUST);
        assert_int_equal(figure.unit, 3);
        assert_true(figure.value == 8271);
        assert_int_equal(figure.message, 50);
        expect(&w, SAY_NONE); /* planning again adds nothing */
}

static void books_withdrawals_and_fixes(void **state UNUSED) {
        PlanItem gone = {.say = SAY_WITHDRAWN,
                         .episode = 7,
                         .indicator = 5,
                         .period = AUGUST,
                         .unit = 3,
                         .value = NONE};
        PlanItem fix = {.say = SAY_FIX,
                        .indicator = 5,
                        .period = AUGUST,
                        .unit = 3,
                        .value = NONE,
                        .old_value = 1};
        PlanItem ended = {.say = SAY_CLOSING,
                          .episode = 7,
                          .indicator = 5,
                          .period = AUGUST,
                          .unit = 3,
                          .value = NONE};
        Told told = {.episode = 7, .said = SAY_OPENING, .value = 8271, .last = AUGUST};
        ToldFigure figure = {.value = 8271, .restated_min = 100, .now_value = 9000};
        bool has_figure = true;

        plan_book(&gone, 51, NOW_MS, &told, &figure, &has_figure);
        assert_false(has_figure);
        assert_int_equal(told.said, SAY_WITHDRAWN);
        assert_int_equal(told.last, 0);
        assert_true(told.value == NONE && figure.value == 8271);
        Told before = told;
        plan_book(&fix, 52, NOW_MS, &told, &figure, &has_figure);
        assert_true(has_figure);
        assert_memory_equal(&before, &told, sizeof(told));
        assert_true(figure.value == NONE && figure.now_value == 9000); /* "no value" was printed */
        assert_int_equal(figure.message, 52);
        plan_book(&ended, 53, NOW_MS, &told, &figure,
                  &has_figure); /* a unit that ended: no figure to print */
        assert_false(has_figure);
        assert_int_equal(told.said, SAY_CLOSING);
}

static void gives_up_openings_only(void **state UNUSED) {
        Told told = {.episode = 7};
        PlanItem item = {.say = SAY_OPENING, .episode = 7, .period = AUGUST};

        assert_true(plan_give_up(&item, &told));
        assert_int_equal(told.gave_up, AUGUST);
        assert_int_equal(told.said, SAY_NONE);
        assert_true(told.value == NONE);
        told = (Told){.episode = 7, .said = SAY_CLOSING, .value = 9900, .last = JULY};
        assert_true(plan_give_up(&item, &told));
        assert_int_equal(told.said, SAY_CLOSING);
        assert_true(told.value == 9900);
        for (Say say = SAY_CONTINUED; say <= SAY_WORSE; say++) {
                Told same = {.episode = 7};
                item.say = say;
                assert_false(plan_give_up(&item, &same));
                assert_int_equal(same.gave_up, 0);
        }
}

/* ---- gates ----------------------------------------------------------------------------------- */

static int64_t at(int year, unsigned month, unsigned day, int64_t minutes) {
        return day_start_ms(day_from_civil(year, month, day)) + minutes * MS_PER_MINUTE;
}

static void opens_gates(void **state UNUSED) {
        static const Calendar week = {.work_mask = 0x1f};
        const int64_t wednesday_7 = at(2024, 9, 4, 420), wednesday_8 = at(2024, 9, 4, 480),
                      wednesday_9 = at(2024, 9, 4, 540), saturday = at(2024, 9, 7, 540);
        const struct {
                const char *name;
                GateInput in;
                int64_t gate;
        } cases[] = {
                {"observe",
                 {.is_observe = true, .is_immediate = true, .is_once = true, .now_ms = wednesday_9},
                 INT64_MAX},
                {"operators hear in observe",
                 {.role = ROLE_OPERATOR, .is_observe = true, .now_ms = saturday},
                 saturday},
                {"immediate",
                 {.is_immediate = true, .now_ms = saturday, .last_release_ms = saturday - 1},
                 saturday},
                {"before the digest", {.now_ms = wednesday_7}, wednesday_8},
                {"missed since", {.now_ms = wednesday_9}, wednesday_9},
                {"held today",
                 {.now_ms = wednesday_9, .last_release_ms = wednesday_8},
                 at(2024, 9, 5, 480)},
                {"week-end",
                 {.now_ms = saturday, .last_release_ms = wednesday_8},
                 at(2024, 9, 9, 480)},
                {"operator, urgent",
                 {.role = ROLE_OPERATOR,
                  .has_urgent = true,
                  .now_ms = wednesday_9,
                  .last_release_ms = wednesday_9 - 1},
                 wednesday_9},
                {"operator, not urgent",
                 {.role = ROLE_OPERATOR, .now_ms = wednesday_9, .last_release_ms = wednesday_8},
                 at(2024, 9, 5, 480)},
                {"once, before the digest", {.is_once = true, .now_ms = wednesday_7}, wednesday_7},
                {"once, held today",
                 {.is_once = true, .now_ms = wednesday_9, .last_release_ms = wednesday_7},
                 at(2024, 9, 5, 480)},
                {"once, on a day off", {.is_once = true, .now_ms = saturday}, at(2024, 9, 9, 480)},
                {"clock set back a year, official",
                 {.now_ms = wednesday_9, .last_release_ms = at(2025, 9, 4, 480)},
                 wednesday_9},
                {"clock set back a year, operator",
                 {.role = ROLE_OPERATOR,
                  .now_ms = wednesday_9,
                  .last_release_ms = at(2025, 9, 4, 480)},
                 wednesday_9},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GateInput in = cases[i].in;
                in.digest_minute = 480;
                in.calendar = &week;
                int64_t gate = plan_gate(&in);
                if (gate != cases[i].gate)
                        fail_msg("%s: %lld, expected %lld", cases[i].name, (long long) gate,
                                 (long long) cases[i].gate);
        }
}

static void names_sayings(void **state UNUSED) {
        assert_string_equal(say_name(SAY_OPENING), "opening");
        assert_string_equal(say_name(SAY_WORSE), "worse");
        assert_string_equal(say_name((Say) 55), "?");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pairs_what_is_with_what_was_told),
                cmocka_unit_test(ends_for_any_reason),
                cmocka_unit_test(tells_a_late_one_once),
                cmocka_unit_test(lets_openings_wait_at_gates),
                cmocka_unit_test(opens_nothing_for_a_figure_that_is_missing),
                cmocka_unit_test(waits_after_a_dead_letter),
                cmocka_unit_test(assumes_until_the_next_publication),
                cmocka_unit_test(repeats_as_asked),
                cmocka_unit_test(keeps_quiet_when_acknowledged_until_worse),
                cmocka_unit_test(repeats_nothing_that_a_correction_said),
                cmocka_unit_test(repeats_nothing_unknown_to_officials),
                cmocka_unit_test(corrects_printed_figures),
                cmocka_unit_test(prints_a_figure_once),
                cmocka_unit_test(shows_then_and_now),
                cmocka_unit_test(closes_with_the_corrected_figure),
                cmocka_unit_test(withdraws_what_was_told),
                cmocka_unit_test(tells_a_late_one_by_its_breach),
                cmocka_unit_test(says_nothing_of_a_flap),
                cmocka_unit_test(tells_in_order),
                cmocka_unit_test(subjects_print_no_figures),
                cmocka_unit_test(books_what_arrived),
                cmocka_unit_test(books_withdrawals_and_fixes),
                cmocka_unit_test(gives_up_openings_only),
                cmocka_unit_test(opens_gates),
                cmocka_unit_test(names_sayings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
