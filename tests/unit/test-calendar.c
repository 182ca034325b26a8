#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/calendar.h"

#define EIGHT (8 * 60)

static Day day(const char *text) {
        Day d;
        assert_int_equal(day_parse(text, &d), 0);
        return d;
}

static int64_t at(const char *text) {
        int64_t ms;
        assert_int_equal(instant_parse(text, &ms), 0);
        return ms;
}

/* Tết 2026, and a working Saturday inside of a range that is off. */
static Calendar tet(void) {
        static DayRange off[2], working[1];
        off[0] = (DayRange){day("2026-02-14"), day("2026-02-22"), "Tết Bính Ngọ"};
        off[1] = (DayRange){day("2026-05-01"), day("2026-05-10"), ""};
        working[0] = (DayRange){day("2026-05-09"), day("2026-05-09"), ""};
        return (Calendar){
                .work_mask = 0x1f, .off = off, .n_off = 2, .working = working, .n_working = 1};
}

static void test_working(void **state UNUSED) {
        static const struct {
                const char *day;
                bool is_working;
                const char *next;
        } rows[] = {
                {"2026-02-13", true, "2026-02-13"},  {"2026-02-14", false, "2026-02-23"},
                {"2026-02-16", false, "2026-02-23"}, {"2026-02-22", false, "2026-02-23"},
                {"2026-02-23", true, "2026-02-23"},  {"2026-02-28", false, "2026-03-02"},
                {"2026-03-01", false, "2026-03-02"}, {"2026-05-09", true, "2026-05-09"},
                {"2026-05-04", false, "2026-05-09"}, {"2026-05-10", false, "2026-05-11"},
        };
        Calendar c = tet();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(calendar_is_working(&c, day(rows[i].day)), rows[i].is_working);
                assert_int_equal(calendar_next_working(&c, day(rows[i].day)), day(rows[i].next));
        }
}

static void test_never_working(void **state UNUSED) {
        const Calendar c = {.work_mask = 0};
        assert_int_equal(calendar_next_working(&c, day("2026-02-14")), day("2026-02-14"));
}

static void test_digest(void **state UNUSED) {
        static const struct {
                const char *last, *now, *due;
        } rows[] = {
                /* before, at and after the time, nothing held yet */
                {NULL, "2026-03-02T07:00:00+07:00", "2026-03-02T08:00:00+07:00"},
                {NULL, "2026-03-02T08:00:00+07:00", "2026-03-02T08:00:00+07:00"},
                {NULL, "2026-03-02T11:30:00+07:00", "2026-03-02T11:30:00+07:00"},
                /* held yesterday; missed this morning */
                {"2026-03-02T08:00:00+07:00", "2026-03-03T15:00:00+07:00",
                 "2026-03-03T15:00:00+07:00"},
                /* held today: tomorrow, after a Friday Monday, over Tết */
                {"2026-03-03T08:00:01+07:00", "2026-03-03T08:00:02+07:00",
                 "2026-03-04T08:00:00+07:00"},
                {"2026-03-06T08:00:00+07:00", "2026-03-06T09:00:00+07:00",
                 "2026-03-09T08:00:00+07:00"},
                {"2026-02-13T08:00:00+07:00", "2026-02-13T08:00:00+07:00",
                 "2026-02-23T08:00:00+07:00"},
                /* Friday's was missed: a Saturday makes nothing up */
                {"2026-03-05T08:00:00+07:00", "2026-03-07T09:00:00+07:00",
                 "2026-03-09T08:00:00+07:00"},
                /* digest_at was moved to later today: one message a day */
                {"2026-03-03T07:00:00+07:00", "2026-03-03T07:30:00+07:00",
                 "2026-03-04T08:00:00+07:00"},
                /* the local day counts, not that of UTC */
                {"2026-03-02T23:30:00+07:00", "2026-03-03T01:00:00+07:00",
                 "2026-03-03T08:00:00+07:00"},
                /* a clock that was in 2099 holds nothing up but today */
                {"2099-01-01T08:00:00+07:00", "2026-03-03T07:00:00+07:00",
                 "2026-03-04T08:00:00+07:00"},
        };
        Calendar c = tet();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int64_t last = rows[i].last ? at(rows[i].last) : 0;
                assert_int_equal(calendar_digest_due(&c, EIGHT, last, at(rows[i].now)),
                                 at(rows[i].due));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_working),
                cmocka_unit_test(test_never_working),
                cmocka_unit_test(test_digest),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
