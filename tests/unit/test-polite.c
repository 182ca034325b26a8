#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/polite.h"

#define MINUTE MS_PER_MINUTE
#define HOUR MS_PER_HOUR

/* Local midnight of some day, and the regular time at 04:00 that follows `now` = 10:00. */
static const Day DAY = 20000;

static int64_t at(int day, int64_t hours) {
        return day_start_ms(DAY + day) + hours * HOUR;
}

static void transport_waits_longer_each_time(void **state UNUSED) {
        static const struct {
                FetchFault fault;
                double random01;
                int64_t wait;
        } table[] = {
                {FETCH_TRANSPORT, 0, 1 * MINUTE},
                {FETCH_SERVER, 0, 5 * MINUTE},
                {FETCH_TRANSPORT, 0.4, 16 * MINUTE + 30000},
                {FETCH_TRANSPORT, 0, 60 * MINUTE},
                {FETCH_SERVER, 0.8, 72 * MINUTE},
        };
        PoliteState s = {0};
        int64_t now = at(0, 10);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                polite_after(&s, table[i].fault, 0, now, at(1, 4), table[i].random01);
                assert_int_equal(s.next_ms - now, table[i].wait);
                assert_int_equal(s.failures, i + 1);
                assert_int_equal(s.last, table[i].fault);
        }
        /* Never beyond the next regular time. */
        polite_after(&s, FETCH_TRANSPORT, 0, at(1, 4) - MINUTE, at(1, 4), 0.9);
        assert_int_equal(s.next_ms, at(1, 4));
        polite_after(&s, FETCH_OK, 0, now, at(1, 4), 0.5);
        assert_memory_equal(&s, &(PoliteState){0}, sizeof s);
}

static void busy_is_obeyed_or_doubled(void **state UNUSED) {
        PoliteState s = {0};
        int64_t now = at(0, 10), wait = MINUTE;
        for (size_t i = 0; i < 14; i++) {
                polite_after(&s, FETCH_BUSY, 0, now, at(1, 4), 0.5);
                assert_int_equal(s.next_ms - now, wait);
                wait = MIN(wait * 2, 24 * HOUR);
        }
        assert_int_equal(wait, 24 * HOUR);
        polite_after(&s, FETCH_BUSY, 90000, now, at(1, 4), 0.5);
        assert_int_equal(s.next_ms - now, 90000);
        polite_after(&s, FETCH_BUSY, 400 * 24 * HOUR, now, at(1, 4), 0.5);
        assert_int_equal(s.next_ms - now, 24 * HOUR);
        assert_int_equal(s.failures, 16);
}

static void refusals_end_the_day_and_after_seven_the_source(void **state UNUSED) {
        PoliteState s = {0};
        /* Twice on one day is one day, and a regular time later that day is passed over. */
        polite_after(&s, FETCH_REFUSED, 0, at(0, 4), at(0, 10), 0);
        assert_int_equal(s.next_ms, at(1, 0));
        polite_after(&s, FETCH_LOGIN, 0, at(0, 9), at(1, 4), 0);
        assert_int_equal(s.next_ms, at(1, 4));
        assert_int_equal(s.refused_days, 1);
        assert_int_equal(s.refused_day, DAY);
        for (int day = 1; day < 7; day++) {
                assert_false(s.is_stopped);
                polite_after(&s, FETCH_REFUSED, 0, at(day, 4), at(day + 1, 4), 0);
                assert_int_equal(s.refused_days, day + 1);
                assert_int_equal(s.next_ms, at(day + 1, 4));
        }
        assert_true(s.is_stopped);
        polite_after(&s, FETCH_SUSPECT, 0, at(8, 4), at(9, 4), 0);
        assert_false(s.is_stopped);
        assert_int_equal(s.refused_days, 0);
        assert_int_equal(s.failures, 0);
        assert_int_equal(s.last, FETCH_SUSPECT);
}

static void rejected_answers_are_looked_at_once_more(void **state UNUSED) {
        PoliteState s = {0};
        polite_after(&s, FETCH_CONTENT, 0, at(0, 4), at(1, 4), 0.4);
        assert_int_equal(s.next_ms, at(0, 4) + 16 * MINUTE + 30000);
        polite_after(&s, FETCH_CONTENT, 0, at(0, 5), at(1, 4), 0);
        assert_int_equal(s.next_ms, at(1, 4));
        assert_int_equal(s.failures, 2);
}

static void answers_are_classified(void **state UNUSED) {
        static const char block[] =
                "<html><body>The requested URL was rejected. Your support ID is: 1</body>";
        static const struct {
                int status;
                const char *type, *body;
                FetchFault fault;
                const char *reason;
        } table[] = {
                {200, "application/json", "{}", FETCH_OK, ""},
                {201, "application/json; charset=utf-8", "{\"code\":\"ERROR\"}", FETCH_OK, ""},
                {200, NULL, "[]", FETCH_OK, ""},
                {200, "", "[]", FETCH_OK, ""},
                {200, "text/plain", "[]", FETCH_OK, ""},
                {200, "application/problem+JSON", "[]", FETCH_OK, ""},
                {304, NULL, "", FETCH_OK, ""},
                {200, "text/html", "<html>maintenance", FETCH_CONTENT, "HTML instead of JSON"},
                {200, "TEXT/HTML;charset=UTF-8", "[]", FETCH_CONTENT, "HTML instead of JSON"},
                {201, "application/json", "\xef\xbb\xbf \r\n<!DOCTYPE html>", FETCH_CONTENT,
                 "HTML instead of JSON"},
                {200, "image/png", "x", FETCH_CONTENT, "wrong content type"},
                {200, "text/html", block, FETCH_REFUSED, "block page"},
                {201, "application/json", block, FETCH_REFUSED, "block page"},
                {200, "text/html", "<title>REQUEST rejected</title>", FETCH_REFUSED, "block page"},
                /* The same words in data are data. */
                {200, "application/json", "{\"name\":\"Request Rejected support ID\"}", FETCH_OK,
                 ""},
                {500, "text/html", block, FETCH_REFUSED, "block page"},
                {401, "text/html", block, FETCH_LOGIN, "login refused"},
                {403, "application/json", "{}", FETCH_REFUSED, "refused"},
                {406, NULL, "", FETCH_REFUSED, "refused"},
                {429, NULL, "", FETCH_BUSY, "too many requests"},
                {503, "text/html", block, FETCH_BUSY, "not available"},
                {404, NULL, "", FETCH_SERVER, "not found"},
                {400, NULL, "", FETCH_SERVER, "request not understood"},
                {302, NULL, "", FETCH_SERVER, "redirected"},
                {204, NULL, "", FETCH_SERVER, "unexpected status"},
                {206, "application/json", "{}", FETCH_SERVER, "unexpected status"},
                {502, "text/html", "<html>", FETCH_SERVER, "server error"},
                {0, NULL, "", FETCH_TRANSPORT, "no answer"},
                {999, NULL, "", FETCH_SERVER, "unexpected status"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const char *reason = NULL;
                FetchFault fault = polite_classify(table[i].status, table[i].type, table[i].body,
                                                   strlen(table[i].body), &reason);
                if (fault != table[i].fault || !streq(reason, table[i].reason))
                        fail_msg("case %zu: %s, %s", i, fetch_fault_name(fault), reason);
        }
        assert_int_equal(polite_classify(304, NULL, NULL, 0, NULL), FETCH_OK);
        assert_string_equal(fetch_fault_name(FETCH_TRANSPORT), "transport");
        assert_string_equal(fetch_fault_name(FETCH_SUSPECT), "suspect");
        assert_string_equal(fetch_fault_name((FetchFault) 99), "unknown");
}

static void regular_times_lie_on_the_grid(void **state UNUSED) {
        static const struct {
                int at_minute;
                int64_t every_ms, offset_ms;
                int now_day;
                int64_t now_minute, last_minute, next_minute; /* minutes of day 0 */
        } table[] = {
                {240, 0, 0, 0, 600, 240, 1440 + 240},
                {240, 0, 0, 0, 240, 240,
                 1440 + 240}, /* next is strictly after, last is at or before */
                {240, 0, 0, 0, 239, 240 - 1440, 240},
                {240, 0, 20 * MINUTE, 0, 250, 260 - 1440, 260},
                {1430, 0, 20 * MINUTE, 0, 5, 1450 - 2 * 1440, 1450 - 1440}, /* past midnight */
                {-1, 6 * HOUR, 0, 0, 600, 360, 720},
                {-1, 6 * HOUR, 10 * MINUTE, 0, 365, 10, 370},
                {-1, 7 * HOUR, 0, 0, 1300, 1260, 1440}, /* each day begins anew */
                {-1, 24 * HOUR, 0, 0, 1, 0, 1440},
                {-1, 48 * HOUR, 0, 0, 1, 0, 2880},
                {-1, 48 * HOUR, 0, 1, 1, 0, 2880},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                SourceDef source = {.at_minute = table[i].at_minute, .every_ms = table[i].every_ms};
                int64_t now = at(table[i].now_day, 0) + table[i].now_minute * MINUTE;
                assert_int_equal(
                        (polite_regular_last(&source, table[i].offset_ms, now) - at(0, 0)) / MINUTE,
                        table[i].last_minute);
                assert_int_equal(
                        (polite_regular_next(&source, table[i].offset_ms, now) - at(0, 0)) / MINUTE,
                        table[i].next_minute);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(transport_waits_longer_each_time),
                cmocka_unit_test(busy_is_obeyed_or_doubled),
                cmocka_unit_test(refusals_end_the_day_and_after_seven_the_source),
                cmocka_unit_test(rejected_answers_are_looked_at_once_more),
                cmocka_unit_test(answers_are_classified),
                cmocka_unit_test(regular_times_lie_on_the_grid),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
