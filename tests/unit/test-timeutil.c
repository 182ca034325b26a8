#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/timeutil.h"

#define UNTOUCHED INT64_C(-777777)
/* 2024-09-05T08:00:00+07:00 */
#define SEPTEMBER INT64_C(1725498000000)

static void known_days(void **state UNUSED) {
        static const struct {
                int year;
                unsigned month, day;
                Day expected;
                unsigned weekday;
        } cases[] = {
                {1970, 1, 1, 0, 3},         {1969, 12, 31, -1, 2},    {2000, 2, 29, 11016, 1},
                {2000, 3, 1, 11017, 2},     {2024, 9, 5, 19971, 3},   {1, 1, 1, -719162, 0},
                {9999, 12, 31, 2932896, 4}, {2026, 10, 31, 20757, 5}, {1900, 3, 1, -25508, 3},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Day day = day_from_civil(cases[i].year, cases[i].month, cases[i].day);
                assert_int_equal(day, cases[i].expected);
                assert_int_equal(day_weekday(day), cases[i].weekday);
        }
}

/* Every day of the calendar, against its own rules and the C library's. */
static void every_day_follows_the_one_before(void **state UNUSED) {
        Civil before = civil_from_day(-719163);

        for (Day day = -719162; day <= 2932896; day++) {
                Civil c = civil_from_day(day);
                assert_true(civil_is_valid(c.year, c.month, c.day));
                assert_int_equal(day_from_civil(c.year, c.month, c.day), day);
                assert_int_equal((day_weekday(day - 1) + 1) % 7, day_weekday(day));
                if (c.day != 1)
                        assert_true(c.day == before.day + 1 && c.month == before.month);
                else
                        assert_false(civil_is_valid(before.year, before.month, before.day + 1));
                if (day % 1000 == 0) {
                        time_t t = (time_t) day * 86400;
                        struct tm tm;
                        assert_non_null(gmtime_r(&t, &tm));
                        assert_int_equal(c.year, tm.tm_year + 1900);
                        assert_int_equal(c.month, tm.tm_mon + 1);
                        assert_int_equal(c.day, tm.tm_mday);
                        assert_int_equal(day_weekday(day), (tm.tm_wday + 6) % 7);
                }
                before = c;
        }
}

static void validity(void **state UNUSED) {
        assert_true(civil_is_valid(2024, 2, 29));
        assert_false(civil_is_valid(2023, 2, 29));
        assert_true(civil_is_valid(2000, 2, 29));
        assert_false(civil_is_valid(1900, 2, 29));
        assert_false(civil_is_valid(2024, 2, 30));
        assert_false(civil_is_valid(2024, 4, 31));
        assert_false(civil_is_valid(2024, 0, 1));
        assert_false(civil_is_valid(2024, 13, 1));
        assert_false(civil_is_valid(2024, 1, 0));
        assert_false(civil_is_valid(2024, 1, 32));
        assert_false(civil_is_valid(0, 1, 1));
        assert_false(civil_is_valid(10000, 1, 1));
}

static void local_days_turn_at_17_utc(void **state UNUSED) {
        Day day = day_from_civil(2024, 9, 5);
        int64_t midnight = day_start_ms(day);

        assert_int_equal(midnight, SEPTEMBER - 8 * MS_PER_HOUR);
        assert_int_equal(day_of_instant(midnight), day);
        assert_int_equal(day_of_instant(midnight - 1), day - 1);
        assert_int_equal(day_of_instant(midnight + MS_PER_DAY - 1), day);
        assert_int_equal(minute_of_instant(midnight), 0);
        assert_int_equal(minute_of_instant(midnight - 1), 1439);
        assert_int_equal(minute_of_instant(SEPTEMBER + 59999), 480);
        /* before 1970 too */
        assert_int_equal(day_of_instant(-7 * MS_PER_HOUR), 0);
        assert_int_equal(day_of_instant(-7 * MS_PER_HOUR - 1), -1);
        assert_int_equal(minute_of_instant(-7 * MS_PER_HOUR - 1), 1439);
        /* "never" is the edge of the calendar */
        assert_int_equal(day_of_instant(INT64_MAX), day_from_civil(9999, 12, 31));
        assert_int_equal(day_of_instant(INT64_MIN), day_from_civil(1, 1, 1));
}

static void reads_days(void **state UNUSED) {
        static const char *const bad[] = {
                "",
                "2026",
                "2026-10",
                "2026-10-3",
                "2026-10-311",
                "2026-10-31 ",
                " 2026-10-31",
                "2026-02-29",
                "2026-13-01",
                "2026-00-10",
                "2026-10-00",
                "0000-01-01",
                "26-10-31",
                "2026/10/31",
                "31/10/2026",
                "-026-10-31",
                "+026-10-31",
                "2026-1a-31",
                "2026-10-31T",
                "12026-10-31",
        };
        char text[16];
        Day day = 4711;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(day_parse(bad[i], &day), -EINVAL);
                assert_int_equal(day, 4711);
        }
        assert_int_equal(day_parse("2026-10-31", &day), 0);
        assert_int_equal(day, 20757);
        assert_string_equal(day_format(text, day), "2026-10-31");
        assert_string_equal(day_format_vi(text, day), "31/10/2026");
        assert_int_equal(day_parse("0001-01-01", &day), 0);
        assert_string_equal(day_format(text, day), "0001-01-01");
        assert_string_equal(day_format(text, INT32_MAX), "9999-12-31");
        assert_string_equal(day_format_vi(text, INT32_MIN), "01/01/0001");
}

static void reads_instants(void **state UNUSED) {
        static const struct {
                const char *text;
                int64_t expected;
        } good[] = {
                {"2024-09-05T08:00:00+07:00", SEPTEMBER},
                {"2024-09-05T01:00:00Z", SEPTEMBER},
                {"2024-09-05T08:00+07:00", SEPTEMBER},
                {"2024-09-05t01:00:00z", SEPTEMBER},
                {"2024-09-05 01:00:00Z", SEPTEMBER},
                {"2024-09-04T18:30:00-06:30", SEPTEMBER},
                {"2024-09-05T01:00:00-00:00", SEPTEMBER},
                {"2024-09-05T01:00:00.5Z", SEPTEMBER + 500},
                {"2024-09-05T01:00:00.0459999999999999Z", SEPTEMBER + 45},
                {"1970-01-01T00:00:00Z", 0},
                {"1969-12-31T23:59:59.999Z", -1},
                {"2016-12-31T23:59:60Z", 1483228800000},
                {"0001-01-01T00:00:00+07:00", -719162 * MS_PER_DAY - LOCAL_OFFSET_MS},
        };
        static const char *const bad[] = {
                "",
                "2024-09-05",
                "2024-09-05T08:00:00",
                "2024-09-05T08:00:+07:00",
                "2024-09-05T08:00.5+07:00",
                "2024-09-05T08:00",
                "2024-09-05T24:00:00Z",
                "2024-09-05T08:60:00Z",
                "2024-09-05T08:00:60Z",
                "2024-09-05T08:59:61Z",
                "2024-09-05T08:00:00.Z",
                "2024-09-05T08:00:00,5Z",
                "2024-09-05T08:00:00+7:00",
                "2024-09-05T08:00:00+0700",
                "2024-09-05T08:00:00+24:00",
                "2024-09-05T08:00:00+07:60",
                "2024-09-05T08:00:00Z ",
                "2024-09-05X08:00:00Z",
                "2024-02-30T08:00:00Z",
                "2024-09-05T8:00:00Z",
                "9999-12-31T23:59:59Z",
                "0001-01-01T00:00:00+08:00",
                "Thu, 05 Sep 2024 08:00:00 +0700",
        };
        int64_t at;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                at = UNTOUCHED;
                assert_int_equal(instant_parse(good[i].text, &at), 0);
                assert_int_equal(at, good[i].expected);
        }
        at = UNTOUCHED;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert_int_equal(instant_parse(bad[i], &at), -EINVAL);
                assert_int_equal(at, UNTOUCHED);
        }
}

static void writes_instants(void **state UNUSED) {
        int64_t november = day_start_ms(day_from_civil(2026, 11, 23)) + 243 * MS_PER_MINUTE;
        char text[40], mail[48], brief[24];

        assert_string_equal(instant_format(text, SEPTEMBER + 999), "2024-09-05T08:00:00+07:00");
        assert_string_equal(instant_format(text, -1), "1970-01-01T06:59:59+07:00");
        assert_string_equal(instant_format(text, INT64_MAX), "9999-12-31T23:59:59+07:00");
        assert_string_equal(instant_format(text, INT64_MIN), "0001-01-01T00:00:00+07:00");
        assert_string_equal(instant_format_mail(mail, SEPTEMBER),
                            "Thu, 05 Sep 2024 08:00:00 +0700");
        assert_string_equal(instant_format_mail(mail, november), "Mon, 23 Nov 2026 04:03:00 +0700");
        assert_string_equal(instant_format_short(brief, november), "23/11 04:03");
        assert_string_equal(instant_format_vi(brief, november), "23/11/2026 04:03");
}

static void as_of_takes_both(void **state UNUSED) {
        int64_t at = UNTOUCHED;

        assert_int_equal(asof_parse("2024-09-05T08:00:00.000+07:00", &at), 0);
        assert_int_equal(at, SEPTEMBER);
        assert_int_equal(asof_parse("2024-09-05T08:00:00+07:00", &at), 0);
        assert_int_equal(at, SEPTEMBER + MS_PER_SECOND - 1);
        assert_int_equal(asof_parse("2024-09-05 01:00Z", &at), 0);
        assert_int_equal(at, SEPTEMBER + MS_PER_MINUTE - 1);
        assert_int_equal(asof_parse("2024-09-05", &at), 0);
        assert_int_equal(at, SEPTEMBER + 16 * MS_PER_HOUR - 1);
        assert_int_equal(asof_parse("2024-09-31", &at), -EINVAL);
        assert_int_equal(asof_parse("now", &at), -EINVAL);
        assert_int_equal(at, SEPTEMBER + 16 * MS_PER_HOUR - 1);
}

static void reads_durations(void **state UNUSED) {
        static const struct {
                const char *text;
                int outcome;
                int64_t expected;
        } cases[] = {
                {"90s", 0, 90000},
                {"15min", 0, 900000},
                {"6h", 0, 21600000},
                {"3d", 0, 259200000},
                {"2w", 0, 1209600000},
                {"500ms", 0, 500},
                {"0s", 0, 0},
                {"1h 30min", 0, 5400000},
                {"1h30min", 0, 5400000},
                {"36525d", 0, 36525 * MS_PER_DAY},
                {"36525d 1ms", -ERANGE, 0},
                {"36526d", -ERANGE, 0},
                {"99999999999999999999999w", -ERANGE, 0},
                {"9223372036854775807ms 9223372036854775807ms", -ERANGE, 0},
                {"", -EINVAL, 0},
                {"5", -EINVAL, 0},
                {"s", -EINVAL, 0},
                {"5m", -EINVAL, 0},
                {"5sec", -EINVAL, 0},
                {"5S", -EINVAL, 0},
                {"5 s", -EINVAL, 0},
                {"-5s", -EINVAL, 0},
                {"1.5h", -EINVAL, 0},
                {" 5s", -EINVAL, 0},
                {"5s ", -EINVAL, 0},
                {"1h  5s", -EINVAL, 0},
                {"99999999999999999999999w x", -EINVAL, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t ms = UNTOUCHED;
                assert_int_equal(duration_parse(cases[i].text, &ms), cases[i].outcome);
                assert_int_equal(ms, cases[i].outcome == 0 ? cases[i].expected : UNTOUCHED);
        }
}

static void reads_clocks(void **state UNUSED) {
        static const char *const bad[] = {"",     "8:00",   "24:00",    "08:60", "0800",
                                          "08:0", "08:00 ", "08:00:00", "-8:00", "aa:bb"};
        unsigned minute = 9999;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(clock_parse(bad[i], &minute), -EINVAL);
        assert_int_equal(minute, 9999);
        assert_int_equal(clock_parse("08:00", &minute), 0);
        assert_int_equal(minute, 480);
        assert_int_equal(clock_parse("00:00", &minute), 0);
        assert_int_equal(minute, 0);
        assert_int_equal(clock_parse("23:59", &minute), 0);
        assert_int_equal(minute, 1439);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_days),
                cmocka_unit_test(every_day_follows_the_one_before),
                cmocka_unit_test(validity),
                cmocka_unit_test(local_days_turn_at_17_utc),
                cmocka_unit_test(reads_days),
                cmocka_unit_test(reads_instants),
                cmocka_unit_test(writes_instants),
                cmocka_unit_test(as_of_takes_both),
                cmocka_unit_test(reads_durations),
                cmocka_unit_test(reads_clocks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
