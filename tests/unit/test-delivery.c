#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/timeutil.h"
#include "core/delivery.h"

static void waits_by_the_table(void **state UNUSED) {
        static const int64_t seconds[] = {0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};

        for (unsigned a = 0; a < ELEMENTSOF(seconds); a++) {
                int64_t ms = seconds[a] * 1000;
                assert_true(delivery_delay_ms(a, 0.5, 0) == ms);
                assert_true(delivery_delay_ms(a, 0.0, 0) == ms * 9 / 10);
                int64_t most = delivery_delay_ms(a, 0.999999, 0);
                assert_true(most <= ms * 11 / 10 && most >= ms * 109 / 100);
        }
        assert_true(delivery_delay_ms(DELIVERY_MAX_ATTEMPTS, 0.5, 0) == INT64_MAX);
        assert_true(delivery_delay_ms(4000000000u, 0.5, 1) == INT64_MAX);
}

static void heeds_retry_after(void **state UNUSED) {
        static const struct {
                unsigned attempt;
                int64_t retry_after, delay;
        } cases[] = {
                {1, 60000, 60000},        {1, 1000, 5000},         {1, -5, 5000},
                {1, INT64_MAX, 86400000}, {9, 90000000, 86400000}, {3, 1800001, 1800001},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_true(delivery_delay_ms(cases[i].attempt, 0.5, cases[i].retry_after) ==
                            cases[i].delay);
}

static void bears_any_random_number(void **state UNUSED) {
        assert_true(delivery_delay_ms(1, -3, 0) == 4500);
        assert_true(delivery_delay_ms(1, 7, 0) == 5500);
        assert_true(delivery_delay_ms(1, NAN, 0) == 4500);
        assert_true(delivery_delay_ms(1, INFINITY, 0) == 5500);
}

#define ACCEPTED ATTEMPT_ACCEPTED
#define REFUSED ATTEMPT_REFUSED_TARGET
#define TEMPORARY ATTEMPT_TEMPORARY
#define DOWN ATTEMPT_CHANNEL_DOWN
#define UNKNOWN ATTEMPT_UNKNOWN

static void judges_mail(void **state UNUSED) {
        static const struct {
                const char *name;
                SmtpReport report;
                AttemptOutcome outcome;
        } cases[] = {
                {"nothing known", {0}, DOWN},
                {"unreachable, unresolved", {.is_connected = false, .is_timeout = true}, DOWN},
                {"certificate",
                 {.is_connected = true, .is_tls_failed = true, .response = 220},
                 DOWN},
                {"no STARTTLS",
                 {.is_connected = true, .is_tls_failed = true, .response = 502},
                 DOWN},
                {"login refused",
                 {.is_connected = true, .is_login_refused = true, .response = 535},
                 DOWN},
                {"login later",
                 {.is_connected = true, .is_login_refused = true, .response = 454},
                 DOWN},
                {"530 to MAIL: log in first",
                 {.is_connected = true, .response = 530, .is_rcpt_reply = true},
                 DOWN},
                {"silent after the connect", {.is_connected = true, .is_timeout = true}, DOWN},
                {"silent after EHLO",
                 {.is_connected = true, .is_timeout = true, .response = 250},
                 DOWN},
                {"dropped without a word", {.is_connected = true}, DOWN},
                {"greeting or EHLO refused", {.is_connected = true}, DOWN},
                {"554 to DATA", {.is_connected = true, .response = 554}, REFUSED},
                {"421 to DATA", {.is_connected = true, .response = 421}, TEMPORARY},
                {"grey list",
                 {.is_connected = true, .response = 450, .is_rcpt_reply = true},
                 TEMPORARY},
                {"box full",
                 {.is_connected = true, .response = 452, .is_rcpt_reply = true},
                 TEMPORARY},
                {"no such user",
                 {.is_connected = true, .response = 550, .is_rcpt_reply = true},
                 REFUSED},
                {"too big, to MAIL",
                 {.is_connected = true, .response = 552, .is_rcpt_reply = true},
                 REFUSED},
                {"dropped after RCPT",
                 {.is_connected = true, .response = 250, .is_rcpt_reply = true},
                 TEMPORARY},
                {"dropped after DATA", {.is_connected = true, .response = 354}, TEMPORARY},
                {"cut in the message",
                 {.is_connected = true, .is_data_begun = true, .response = 354},
                 TEMPORARY},
                {"time-out in the message",
                 {.is_connected = true, .is_data_begun = true, .is_timeout = true},
                 TEMPORARY},
                {"refused in the message",
                 {.is_connected = true, .is_data_begun = true, .response = 552},
                 REFUSED},
                {"accepted",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 250},
                 ACCEPTED},
                {"451 after the dot",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 451},
                 TEMPORARY},
                {"554 after the dot",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 554},
                 REFUSED},
                {"535 after the dot",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 535},
                 REFUSED},
                {"dropped after the dot",
                 {.is_connected = true, .is_data_begun = true, .is_data_done = true},
                 UNKNOWN},
                {"only 354 is known",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 354},
                 UNKNOWN},
                {"time-out after the dot",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .is_timeout = true},
                 UNKNOWN},
                {"nonsense after the dot",
                 {.is_connected = true,
                  .is_data_begun = true,
                  .is_data_done = true,
                  .response = 999},
                 UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                AttemptOutcome outcome = delivery_smtp_outcome(&cases[i].report);
                if (outcome != cases[i].outcome)
                        fail_msg("%s: %s", cases[i].name, attempt_outcome_name(outcome));
        }
}

static void judges_hooks(void **state UNUSED) {
        static const struct {
                bool is_connected, is_tls_failed, is_sent;
                int status;
                AttemptOutcome outcome;
        } cases[] = {
                {false, false, false, 0, DOWN},      {true, true, false, 0, DOWN},
                {true, false, true, 200, ACCEPTED},  {true, false, true, 204, ACCEPTED},
                {true, false, true, 299, ACCEPTED},  {true, false, true, 300, REFUSED},
                {true, false, true, 301, REFUSED},   {true, false, true, 400, REFUSED},
                {true, false, true, 401, REFUSED},   {true, false, true, 404, REFUSED},
                {true, false, true, 408, TEMPORARY}, {true, false, true, 410, ATTEMPT_DISABLED},
                {true, false, false, 413, REFUSED},  {true, false, true, 425, TEMPORARY},
                {true, false, true, 429, TEMPORARY}, {true, false, true, 500, UNKNOWN},
                {true, false, true, 502, UNKNOWN},   {true, false, true, 503, TEMPORARY},
                {true, false, true, 504, UNKNOWN},   {true, false, false, 500, TEMPORARY},
                {true, false, true, 0, UNKNOWN},     {true, false, false, 0, TEMPORARY},
                {true, false, true, 100, UNKNOWN},   {true, false, true, 999, UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                HookReport report = {cases[i].is_connected, cases[i].is_tls_failed,
                                     cases[i].is_sent, cases[i].status};
                AttemptOutcome outcome = delivery_hook_outcome(&report);
                if (outcome != cases[i].outcome)
                        fail_msg("case %zu, status %d: %s", i, report.status,
                                 attempt_outcome_name(outcome));
        }
}

static void names_outcomes(void **state UNUSED) {
        assert_string_equal(attempt_outcome_name(ATTEMPT_ACCEPTED), "accepted");
        assert_string_equal(attempt_outcome_name(ATTEMPT_DISABLED), "disabled");
        assert_string_equal(attempt_outcome_name((AttemptOutcome) 0), "?");
        assert_string_equal(attempt_outcome_name((AttemptOutcome) 50), "?");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(waits_by_the_table),
                cmocka_unit_test(heeds_retry_after),
                cmocka_unit_test(bears_any_random_number),
                cmocka_unit_test(judges_mail),
                cmocka_unit_test(judges_hooks),
                cmocka_unit_test(names_outcomes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
