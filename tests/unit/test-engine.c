#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/engine.h"

#define NONE VALUE_NONE

/* ---- know ------------------------------------------------------------------------------------ */

static void knows_what_changed(void **state UNUSED) {
        static const struct {
                const char *name;
                int64_t old_value;
                int old_why; /* -1: not known */
                int64_t new_value;
                int new_why; /* -1: not published */
                bool is_change;
                Why why; /* of the change */
        } cases[] = {
                {"the same", 5, WHY_VALUE, 5, WHY_VALUE, false, 0},
                {"restated", 5, WHY_VALUE, 6, WHY_VALUE, true, WHY_VALUE},
                {"first", 0, -1, 6, WHY_VALUE, true, WHY_VALUE},
                {"first, zero", 0, -1, 0, WHY_VALUE, true, WHY_VALUE},
                {"first, missing", 0, -1, NONE, WHY_MISSING, false, 0},
                {"first, bad", 0, -1, NONE, WHY_BAD, true, WHY_BAD},
                {"first, empty", 0, -1, NONE, WHY_EMPTY, true, WHY_EMPTY},
                {"gone", 5, WHY_VALUE, 0, -1, true, WHY_GONE},
                {"missing now", 5, WHY_VALUE, NONE, WHY_MISSING, true, WHY_MISSING},
                {"bad now", 5, WHY_VALUE, NONE, WHY_BAD, true, WHY_BAD},
                {"still gone", NONE, WHY_GONE, 0, -1, false, 0},
                {"missing, not published", NONE, WHY_MISSING, 0, -1, false, 0},
                {"bad, not published", NONE, WHY_BAD, 0, -1, false, 0},
                {"gone, then missing", NONE, WHY_GONE, NONE, WHY_MISSING, false, 0},
                {"missing, then empty", NONE, WHY_MISSING, NONE, WHY_EMPTY, true, WHY_EMPTY},
                {"bad, then missing", NONE, WHY_BAD, NONE, WHY_MISSING, true, WHY_MISSING},
                {"back", NONE, WHY_GONE, 5, WHY_VALUE, true, WHY_VALUE},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FigureRow known = {1, 2, cases[i].old_value, (Why) cases[i].old_why};
                FigureRow published = {1, 2, cases[i].new_value, (Why) cases[i].new_why};
                bool had_old = cases[i].old_why >= 0;
                CLEANUP_FREE FigureChange *changes = NULL;
                size_t n = 99;
                assert_int_equal(engine_know(&known, had_old, &published, cases[i].new_why >= 0,
                                             &changes, &n),
                                 0);
                if (n != cases[i].is_change)
                        fail_msg("%s: %zu changes", cases[i].name, n);
                if (n == 0)
                        continue;
                assert_int_equal(changes->now.why, cases[i].why);
                assert_true(changes->now.value ==
                            (cases[i].why == WHY_VALUE ? cases[i].new_value : NONE));
                assert_int_equal(changes->had_old, had_old);
                assert_true(changes->old_value == (had_old ? cases[i].old_value : NONE));
                assert_int_equal(changes->old_why, had_old ? (Why) cases[i].old_why : WHY_MISSING);
        }
}

static void merges_by_indicator_and_unit(void **state UNUSED) {
        static const FigureRow known[] = {
                {1, 1, 10, 0}, {1, 3, 30, 0}, {2, 1, 40, 0}, {9, 9, 90, 0}};
        static const FigureRow published[] = {
                {1, 1, 10, 0}, {1, 2, 20, 0}, {1, 3, 31, 0}, {3, 1, 50, 0}};
        static const struct {
                IndicatorId indicator;
                UnitId unit;
                int64_t value;
        } expected[] = {{1, 2, 20}, {1, 3, 31}, {2, 1, NONE}, {3, 1, 50}, {9, 9, NONE}};
        CLEANUP_FREE FigureChange *changes = NULL;
        size_t n;

        assert_int_equal(engine_know(known, 4, published, 4, &changes, &n), 0);
        assert_int_equal(n, 5);
        for (size_t i = 0; i < 5; i++) {
                assert_int_equal(changes[i].now.indicator, expected[i].indicator);
                assert_int_equal(changes[i].now.unit, expected[i].unit);
                assert_true(changes[i].now.value == expected[i].value);
        }
        CLEANUP_FREE FigureChange *none = NULL;
        assert_int_equal(engine_know(NULL, 0, NULL, 0, &none, &n), 0);
        assert_int_equal(n, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(knows_what_changed),
                cmocka_unit_test(merges_by_indicator_and_unit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
