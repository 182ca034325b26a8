/* Runs each function again and again while the first, second, third ... allocation fails. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/plan.h"
#include "core/rank.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static size_t until_failure; /* 0 = never */

static bool fails(void) {
        return until_failure > 0 && --until_failure == 0;
}

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

/* Returns how many allocations were made to fail before one call went through. */
static size_t fail_each(int (*call)(void)) {
        for (size_t i = 1;; i++) {
                until_failure = i;
                int r = call();
                bool is_through = until_failure > 0;
                until_failure = 0;
                if (is_through) {
                        assert_int_equal(r, 0);
                        return i - 1;
                }
                assert_int_equal(r, -ENOMEM);
        }
}

static const IndicatorDef indicators[] = {{.name = "progress", .decimals = 2},
                                          {.name = "received"}};
static RuleDef rule = {.name = "low",
                       .period = PERIOD_MONTH,
                       .clear = 100,
                       .for_n = 1,
                       .volume_indicator = -1,
                       .when = {CONDITION_BEHIND, 500, 0, 0, 0},
                       .critical = {CONDITION_RANK_DROP, 0, 3, 0, 0}};
static const RuleVersion version = {2024101, &rule};
static int64_t values[3 * 12];
static UnitId units[12];
static const Panel panel = {
        .n_units = 12, .n_periods = 3, .first = 2024101, .units = units, .value = values};

static void fill(void) {
        for (size_t i = 0; i < 36; i++)
                values[i] = i % 12 == 11 ? VALUE_NONE : 9000 + (int64_t) (i * 37 % 1000);
        for (size_t u = 0; u < 12; u++)
                units[u] = (UnitId) u + 1;
        values[0] = values[24] = values[25] = 100;
        values[1] = 5000000000; /* wide: sorted, not counted */
}

static int call_judge(void) {
        const Episode stored[] = {
                {.id = 1,
                 .rule = "low",
                 .unit = 2,
                 .first = 2024101,
                 .opened = 2024101,
                 .last = 2024101,
                 .state = EPISODE_OPEN},
                {.id = 2,
                 .rule = "low",
                 .unit = 3,
                 .first = 2024102,
                 .opened = 2024102,
                 .last = 2024103,
                 .state = EPISODE_OPEN},
                {.id = 3,
                 .rule = "low",
                 .unit = 4,
                 .first = 2024102,
                 .last = 2024102,
                 .state = EPISODE_PENDING},
                {.id = 4,
                 .rule = "low",
                 .unit = 5,
                 .first = 2024201,
                 .opened = 2024201,
                 .last = 2024201,
                 .state = EPISODE_OPEN},
        };
        JudgeInput in = {.versions = &version,
                         .n_versions = 1,
                         .indicators = indicators,
                         .value = &panel,
                         .fold_from = 2024101,
                         .newest = 2024103,
                         .stored = stored,
                         .n_stored = 4,
                         .guard_percent = 50,
                         .guard_jump = 1000,
                         .restated = 2024102};
        JudgeResult result = {0};
        int r = engine_judge(&in, &result);

        assert_true(r == 0 || (!result.episodes && !result.transitions));
        assert_true(r != 0 || result.n_episodes >= 4);
        judge_result_done(&result);
        return r;
}

static int call_know(void) {
        static const FigureRow known[] = {{1, 1, 5, 0}, {1, 2, 5, 0}},
                               published[] = {{1, 2, 6, 0}, {1, 3, 7, 0}};
        CLEANUP_FREE FigureChange *changes = NULL;
        size_t n;

        return engine_know(known, 2, published, 2, &changes, &n);
}

static int call_plan(void) {
        PlanEpisode episodes[20];
        const ToldFigure figures[] = {
                {.indicator = 9, .period = 2024101, .unit = 1, .value = 1, .now_value = 500}};
        CLEANUP_FREE PlanItem *items = NULL;
        size_t n;

        for (size_t i = 0; i < 20; i++)
                episodes[i] = (PlanEpisode){
                        .e = {.id = (int64_t) i + 1, .state = EPISODE_OPEN, .last = 2024103},
                        .indicator = 1};
        PlanInput in = {.episodes = episodes, .n_episodes = 20, .figures = figures, .n_figures = 1};
        return plan_make(&in, &items, &n);
}

static int call_fold(void) {
        const Judgement judgements[] = {{.verdict = VERDICT_BREACH}, {.verdict = VERDICT_BREACH}};
        const int for_n[] = {1, 1};
        const bool cut[] = {false, true};
        CLEANUP_FREE Episode *episodes = NULL;
        size_t n;

        return alert_fold(judgements, 2, 2024101, for_n, cut, &episodes, &n);
}

static int call_rank(void) {
        uint32_t place[12], order[12];
        CLEANUP(rank_moves_done) RankMoves moves = {0};
        size_t of;
        int64_t median;
        int r = rank_build(values, 12, DIRECTION_UP, place, &of);

        if (r == 0)
                r = rank_build(values + 12, 12, DIRECTION_DOWN, place, &of);
        if (r == 0)
                r = rank_order(place, 12, order);
        if (r == 0)
                r = rank_moves(values, values + 12, 12, DIRECTION_UP, &moves);
        return r == 0 ? rank_median(values, 12, 5, &median) : r;
}

static int call_panel(void) {
        CLEANUP(panel_freep) Panel *p = NULL;

        return panel_new(units, 12, 2024101, 3, &p);
}

static int call_text(void) {
        CLEANUP(rule_text_freep) RuleDef *again = NULL;
        CLEANUP_FREE char *text = rule_to_text(&rule, indicators);
        CLEANUP_FREE char *when = text ? condition_format(&rule.when, 2) : NULL;

        return text && when ? rule_from_text(text, indicators, 2, &again) : -ENOMEM;
}

static void judges(void **state UNUSED) {
        fill();
        rule.for_n = 1;
        assert_true(fail_each(call_judge) > 15);
        rule.for_n = 2;
        assert_true(fail_each(call_judge) > 15);
}

static void knows_and_plans(void **state UNUSED) {
        assert_true(fail_each(call_know) >= 1);
        assert_true(fail_each(call_plan) >= 3);
}

static void folds_and_ranks(void **state UNUSED) {
        fill();
        assert_true(fail_each(call_fold) >= 2);
        assert_true(fail_each(call_rank) >= 6);
        assert_true(fail_each(call_panel) >= 4);
        assert_true(fail_each(call_text) >= 3);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(judges),
                cmocka_unit_test(knows_and_plans),
                cmocka_unit_test(folds_and_ranks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
