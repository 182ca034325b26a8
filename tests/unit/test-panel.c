#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/panel.h"

static void starts_without_values(void **state UNUSED) {
        static const UnitId units[] = {30, 10, 20};
        CLEANUP(panel_freep) Panel *p = NULL;

        assert_int_equal(panel_new(units, 3, 2024107, 2, &p), 0);
        assert_int_equal(p->n_units, 3);
        assert_int_equal(p->n_periods, 2);
        for (size_t i = 0; i < 6; i++) {
                assert_true(p->value[i] == VALUE_NONE);
                assert_int_equal(p->is_known[i], 0);
        }
        p->value[1 * 3 + 2] = 8271;
        assert_true(panel_at(p, 1, 2) == 8271);
        assert_true(panel_at(p, 0, 2) == VALUE_NONE);
}

static void finds_periods_and_units(void **state UNUSED) {
        static const UnitId units[] = {30, 10, 20};
        CLEANUP(panel_freep) Panel *p = NULL;

        assert_int_equal(panel_new(units, 3, 2024111, 4, &p), 0);
        assert_int_equal(panel_period(p, 2024111), 0);
        assert_int_equal(panel_period(p, 2025102), 3);
        assert_int_equal(panel_period(p, 2025103), -1);
        assert_int_equal(panel_period(p, 2024110), -1);
        assert_int_equal(panel_period(p, 2024204), -1); /* a quarter */
        assert_int_equal(panel_period(p, 0), -1);
        assert_int_equal(panel_unit(p, 30), 0);
        assert_int_equal(panel_unit(p, 20), 2);
        assert_int_equal(panel_unit(p, 40), -1);
}

static void may_be_empty(void **state UNUSED) {
        CLEANUP(panel_freep) Panel *p = NULL;

        assert_int_equal(panel_new(NULL, 0, 2024101, 0, &p), 0);
        assert_int_equal(panel_period(p, 2024101), -1);
        assert_int_equal(panel_unit(p, 1), -1);
}

static void refuses_what_does_not_fit(void **state UNUSED) {
        Panel *p = NULL;

        assert_true(panel_new(NULL, SIZE_MAX / 2, 2024101, 3, &p) < 0);
        assert_null(p);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(starts_without_values),
                cmocka_unit_test(finds_periods_and_units),
                cmocka_unit_test(may_be_empty),
                cmocka_unit_test(refuses_what_does_not_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
