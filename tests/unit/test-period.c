#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/period.h"

static Day day(const char *text) {
        Day d;
        assert_int_equal(day_parse(text, &d), 0);
        return d;
}

static PeriodId period(const char *text) {
        PeriodId p;
        assert_int_equal(period_parse(text, &p), 0);
        return p;
}

static void test_text_and_dates(void **state UNUSED) {
        static const struct {
                const char *text;
                PeriodId id;
                const char *start, *end, *vi, *en, *previous, *next;
        } rows[] = {
                {"2024-08", 2024108, "2024-08-01", "2024-09-01", "tháng 8/2024", "August 2024",
                 "2024-07", "2024-09"},
                {"2024-12", 2024112, "2024-12-01", "2025-01-01", "tháng 12/2024", "December 2024",
                 "2024-11", "2025-01"},
                {"2024-01", 2024101, "2024-01-01", "2024-02-01", "tháng 1/2024", "January 2024",
                 "2023-12", "2024-02"},
                {"2024-02", 2024102, "2024-02-01", "2024-03-01", "tháng 2/2024", "February 2024",
                 "2024-01", "2024-03"},
                {"2024-Q3", 2024203, "2024-07-01", "2024-10-01", "quý III/2024", "Q3 2024",
                 "2024-Q2", "2024-Q4"},
                {"2024-Q4", 2024204, "2024-10-01", "2025-01-01", "quý IV/2024", "Q4 2024",
                 "2024-Q3", "2025-Q1"},
                {"2024-H1", 2024301, "2024-01-01", "2024-07-01", "6 tháng đầu năm 2024", "H1 2024",
                 "2023-H2", "2024-H2"},
                {"2024-H2", 2024302, "2024-07-01", "2025-01-01", "6 tháng cuối năm 2024", "H2 2024",
                 "2024-H1", "2025-H1"},
                {"2024", 2024401, "2024-01-01", "2025-01-01", "năm 2024", "2024", "2023", "2025"},
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[48], other[16];
                PeriodId p = period(rows[i].text);
                assert_int_equal(p, rows[i].id);
                assert_true(period_is_valid(p));
                assert_string_equal(period_format(text, p), rows[i].text);
                assert_int_equal(period_start(p), day(rows[i].start));
                assert_int_equal(period_end(p), day(rows[i].end));
                assert_string_equal(period_format_vi(text, p), rows[i].vi);
                assert_string_equal(period_format_en(text, p), rows[i].en);
                assert_string_equal(period_format(other, period_previous(p)), rows[i].previous);
                assert_string_equal(period_format(other, period_next(p)), rows[i].next);
                assert_int_equal(period_of_day(period_type(p), period_start(p)), p);
                assert_int_equal(period_of_day(period_type(p), period_end(p) - 1), p);
                assert_int_equal(period_of_day(period_type(p), period_end(p)), period_next(p));
        }
}

static void test_bad_text(void **state UNUSED) {
        static const char *const bad[] = {"",        "2",        "202",      "2024-",    "2024-8",
                                          "2024-00", "2024-13",  "2024-Q0",  "2024-Q5",  "2024-H3",
                                          "2024-Q",  "2024-Q33", "0000",     "2024-08 ", " 2024",
                                          "2024-X1", "20a4",     "2024-088", "2024/08",  "-2024"};
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                PeriodId p = 7;
                assert_int_equal(period_parse(bad[i], &p), -EINVAL);
                assert_int_equal(p, 7);
        }
        assert_int_equal(period("2024-q3"), 2024203);
        assert_int_equal(period("2024-h2"), 2024302);
}

static void test_bad_ids(void **state UNUSED) {
        static const PeriodId bad[] = {0,       -2024108, 2024,    2024100, 2024113, 2024205,
                                       2024303, 2024402,  2024501, 2024001, 10000101};
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char text[48];
                assert_false(period_is_valid(bad[i]));
                assert_int_equal(period_add(bad[i], 1), 0);
                assert_string_equal(period_format(text, bad[i]), "-");
                assert_string_equal(period_format_vi(text, bad[i]), "-");
                assert_string_equal(period_format_en(text, bad[i]), "-");
        }
}

static void test_arithmetic(void **state UNUSED) {
        static const struct {
                const char *a;
                int n;
                const char *b;
        } rows[] = {
                {"2024-08", 13, "2025-09"}, {"2024-08", -20, "2022-12"}, {"2024-Q1", -1, "2023-Q4"},
                {"2024-H2", 3, "2026-H1"},  {"2024", -24, "2000"},       {"2024-08", 0, "2024-08"},
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PeriodId a = period(rows[i].a), b = period(rows[i].b);
                assert_int_equal(period_add(a, rows[i].n), b);
                assert_int_equal(period_distance(a, b), rows[i].n);
                assert_int_equal(period_distance(b, a), -rows[i].n);
        }
        assert_int_equal(period_previous(period("0001-01")), 0);
        assert_int_equal(period_next(period("9999")), 0);
        assert_int_equal(period_add(period("2024-08"), INT32_MAX), 0);
}

static void test_last_ended(void **state UNUSED) {
        assert_int_equal(period_last_ended(PERIOD_MONTH, day("2024-09-01")), 2024108);
        assert_int_equal(period_last_ended(PERIOD_MONTH, day("2024-08-31")), 2024107);
        assert_int_equal(period_last_ended(PERIOD_QUARTER, day("2024-09-30")), 2024202);
        assert_int_equal(period_last_ended(PERIOD_QUARTER, day("2024-10-01")), 2024203);
        assert_int_equal(period_last_ended(PERIOD_HALF, day("2024-01-01")), 2023302);
        assert_int_equal(period_last_ended(PERIOD_YEAR, day("2024-12-31")), 2023401);
}

static void test_status(void **state UNUSED) {
        static const int final_after[PERIOD_N_TYPES] = {0, 15, 30, 45, 60};
        static const struct {
                const char *period, *today;
                PeriodStatus status;
        } rows[] = {
                {"2024-08", "2024-08-31", PERIOD_RUNNING},
                {"2024-08", "2024-07-31", PERIOD_RUNNING},
                {"2024-08", "2024-09-01", PERIOD_PROVISIONAL},
                {"2024-08", "2024-09-15", PERIOD_PROVISIONAL},
                {"2024-08", "2024-09-16", PERIOD_CLOSED},
                {"2024-Q3", "2024-10-30", PERIOD_PROVISIONAL},
                {"2024-Q3", "2024-10-31", PERIOD_CLOSED},
                {"2024-H1", "2024-08-14", PERIOD_PROVISIONAL},
                {"2024-H1", "2024-08-15", PERIOD_CLOSED},
                {"2024", "2025-03-01", PERIOD_PROVISIONAL},
                {"2024", "2025-03-02", PERIOD_CLOSED},
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(
                        period_status(period(rows[i].period), day(rows[i].today), final_after),
                        rows[i].status);
        assert_string_equal(period_status_name(PERIOD_RUNNING), "running");
        assert_string_equal(period_status_name(PERIOD_PROVISIONAL), "provisional");
        assert_string_equal(period_status_name(PERIOD_CLOSED), "closed");
}

static void test_types(void **state UNUSED) {
        static const char *const names[] = {"month", "quarter", "half", "year"};
        PeriodType type;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(period_type_parse(names[i], &type), 0);
                assert_int_equal(type, PERIOD_MONTH + i);
                assert_string_equal(period_type_name(type), names[i]);
        }
        assert_int_equal(period_type_parse("week", &type), -EINVAL);
        assert_int_equal(period_type_parse("", &type), -EINVAL);
        assert_int_equal(period_type_parse("Month", &type), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text_and_dates), cmocka_unit_test(test_bad_text),
                cmocka_unit_test(test_bad_ids),        cmocka_unit_test(test_arithmetic),
                cmocka_unit_test(test_last_ended),     cmocka_unit_test(test_status),
                cmocka_unit_test(test_types),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
