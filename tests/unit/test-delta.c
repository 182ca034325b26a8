#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/delta.h"
#include "core/unit.h"

#define NONE VALUE_NONE

static Panel *panel_of(size_t n, const int64_t *values) {
        static const UnitId unit = 1;
        Panel *p = NULL;

        assert_int_equal(panel_new(&unit, 1, 2024105, n, &p), 0); /* May 2024 and on */
        memcpy(p->value, values, n * sizeof(*values));
        return p;
}

static Day day(int year, unsigned month, unsigned d) {
        return day_from_civil(year, month, d);
}

static void says_the_change_or_why_there_is_none(void **state UNUSED) {
        static const EraDef era = {.name = "portal", .reason = "formula"};
        static const struct {
                const char *name;
                int64_t may, june, july;
                int valid_year; /* 0 = always */
                unsigned valid_month, valid_day;
                bool is_era, is_running;
                int64_t value;
                DeltaReason reason;
        } cases[] = {
                {"plain", 1, 8267, 8963, 0, 0, 0, false, false, 696, DELTA_OK},
                {"down", 1, 8271, 7111, 0, 0, 0, false, false, -1160, DELTA_OK},
                {"to zero", 1, 5, 0, 0, 0, 0, false, false, -5, DELTA_OK},
                {"missing", 1, 5, NONE, 0, 0, 0, true, true, NONE, DELTA_MISSING},
                {"running", 1, 5, 6, 0, 0, 0, true, true, NONE, DELTA_RUNNING},
                {"first", NONE, NONE, 6, 0, 0, 0, false, false, NONE, DELTA_FIRST},
                {"gap: no longer reach back", 4, NONE, 6, 0, 0, 0, false, false, NONE, DELTA_GAP},
                {"era", 1, 5, 6, 0, 0, 0, true, false, NONE, DELTA_ERA},
                {"merged with this period", 1, 5, 6, 2024, 7, 1, false, false, NONE, DELTA_MERGED},
                {"merged goes before era", 1, 5, 6, 2024, 7, 1, true, false, NONE, DELTA_MERGED},
                {"existed at the end of June", 1, 5, 6, 2024, 6, 30, false, false, 1, DELTA_OK},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const int64_t values[] = {cases[i].may, cases[i].june, cases[i].july};
                CLEANUP(panel_freep) Panel *p = panel_of(3, values);
                Day from = cases[i].valid_year ? day(cases[i].valid_year, cases[i].valid_month,
                                                     cases[i].valid_day)
                                               : DAY_EVER;
                Delta d = delta_make(p, 2, 0, from, cases[i].is_era ? &era : NULL,
                                     cases[i].is_running);
                if (d.value != cases[i].value || d.reason != cases[i].reason)
                        fail_msg("%s: %lld, %s", cases[i].name, (long long) d.value,
                                 delta_reason_name(d.reason));
                assert_ptr_equal(d.era, d.reason == DELTA_ERA ? &era : NULL);
        }
}

static void has_no_delta_where_the_panel_begins(void **state UNUSED) {
        const int64_t value = 5;
        CLEANUP(panel_freep) Panel *p = panel_of(1, &value);
        Delta d = delta_make(p, 0, 0, DAY_EVER, NULL, false);

        assert_int_equal(d.reason, DELTA_FIRST);
        assert_true(d.value == NONE);
}

static void finds_the_boundary_strictly_between(void **state UNUSED) {
        static const struct {
                const char *name;
                int year;
                unsigned month, day;
                bool is_between; /* of June and July 2024 */
        } cases[] = {
                {"before", 2024, 5, 31, false},
                {"at the start of June", 2024, 6, 1, false},
                {"in June", 2024, 6, 2, true},
                {"with July", 2024, 7, 1, true},
                {"on the last of July", 2024, 7, 31, true},
                {"with August", 2024, 8, 1, false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                EraDef era = {.name = "x",
                              .from = day(cases[i].year, cases[i].month, cases[i].day)};
                const EraDef *found =
                        delta_era_between(&era, 1, 2024106, 2024107, NULL, NULL, NULL);
                if ((found != NULL) != cases[i].is_between)
                        fail_msg("%s", cases[i].name);
        }
        assert_null(delta_era_between(NULL, 0, 2024106, 2024107, "s", "i", "p"));
}

static void heeds_what_an_era_covers(void **state UNUSED) {
        static const char *names[] = {"progress", "total"};
        EraDef eras[] = {
                {.name = "source", .source = "portal"},
                {.name = "indicators", .indicators = names, .n_indicators = 2},
                {.name = "parent", .parent = "H31"},
                {.name = "later", .source = "portal"},
        };

        for (size_t i = 0; i < 4; i++)
                eras[i].from = day(2024, 7, i == 3 ? 2 : 1);
        assert_null(delta_era_between(eras, 4, 2024106, 2024107, NULL, NULL, NULL));
        assert_null(delta_era_between(eras, 4, 2024106, 2024107, "other", "online", "H30"));
        assert_ptr_equal(delta_era_between(eras, 1, 2024106, 2024107, "portal", NULL, NULL),
                         &eras[0]);
        assert_ptr_equal(delta_era_between(eras, 4, 2024106, 2024107, "other", "total", "H30"),
                         &eras[1]);
        assert_ptr_equal(delta_era_between(eras, 4, 2024106, 2024107, "other", "online", "H31"),
                         &eras[2]);
        assert_ptr_equal(delta_era_between(eras, 4, 2024106, 2024107, "portal", "total", "H31"),
                         &eras[3]);
}

static void names_reasons(void **state UNUSED) {
        assert_string_equal(delta_reason_name(DELTA_OK), "ok");
        assert_string_equal(delta_reason_name(DELTA_MERGED), "merged");
        assert_string_equal(delta_reason_name(DELTA_RUNNING), "running");
        assert_string_equal(delta_reason_name((DeltaReason) 99), "?");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_the_change_or_why_there_is_none),
                cmocka_unit_test(has_no_delta_where_the_panel_begins),
                cmocka_unit_test(finds_the_boundary_strictly_between),
                cmocka_unit_test(heeds_what_an_era_covers),
                cmocka_unit_test(names_reasons),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
