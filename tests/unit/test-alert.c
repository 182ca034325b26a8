#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/alert.h"

#define NONE VALUE_NONE
#define FIRST 2024111
#define MAX_N 16

/* '!' critical, '#' breach, '-' between, '.' clear, '?' unknown; '|' before one: an era boundary.
 * Values are 9000 + index. */
typedef struct Series {
        Judgement judgement[MAX_N];
        bool cut[MAX_N];
        size_t n;
} Series;

static Series series_of(const char *text) {
        Series s = {.n = 0};

        for (; *text; text++) {
                if (*text == '|') {
                        s.cut[s.n] = true;
                        continue;
                }
                Judgement *j = &s.judgement[s.n];
                j->verdict = *text == '!' || *text == '#' ? VERDICT_BREACH
                             : *text == '-'               ? VERDICT_BETWEEN
                             : *text == '.'               ? VERDICT_CLEAR
                                                          : VERDICT_UNKNOWN;
                j->severity = *text == '!'   ? SEVERITY_CRITICAL
                              : *text == '#' ? SEVERITY_WARNING
                                             : SEVERITY_NONE;
                j->value = *text == '?' ? NONE : 9000 + (int64_t) s.n;
                j->limit = 9500;
                j->delta = s.n == 0 ? 7 : NONE;
                j->place = (uint32_t) s.n + 1;
                j->of = 15;
                s.n++;
        }
        return s;
}

static char state_letter(const Episode *e) {
        static const char ends[] = {'-', 'c', 'u', 'e', 'r', 'x'};

        return e->state == EPISODE_GONE      ? 'g'
               : e->state == EPISODE_PENDING ? 'p'
               : e->state == EPISODE_OPEN    ? 'o'
                                             : ends[e->end];
}

/* "o1-3:3" = open, from period 1 to 3, 3 breaches. */
static void format(const Episode *e, size_t n, char *text, size_t size) {
        size_t at = 0;

        text[0] = '\0';
        for (size_t i = 0; i < n; i++)
                at += (size_t) snprintf(text + at, size - at, "%s%c%d-%d:%d", i ? " " : "",
                                        state_letter(&e[i]),
                                        period_distance(FIRST, (PeriodId) e[i].first),
                                        period_distance(FIRST, e[i].last), e[i].length);
}

static void folds_runs(void **state UNUSED) {
        static const struct {
                const char *series;
                int for_n;
                const char *episodes;
        } cases[] = {
                {"", 1, ""},
                {"....", 1, ""},
                {"????", 1, ""},
                {"----", 1, ""},
                {"#", 1, "o0-0:1"},
                {"##", 1, "o0-1:2"},
                {"#.", 1, "c0-1:1"},
                {".#.#", 1, "c1-2:1 o3-3:1"},
                {"-#--.", 1, "c1-4:1"},
                {"#-", 1, "o0-0:1"},
                {"#?", 1, "o0-0:1"},
                {"?#?", 1, "o1-1:1"},
                {"#?-#?.", 1, "c0-5:2"},
                {"#??????#", 1, "o0-7:2"},
                {"#|#", 1, "e0-1:1 o1-1:1"},
                {"#|.", 1, "e0-1:1"},
                {"#|?", 1, "e0-1:1"},
                {"#|-#", 1, "e0-1:1 o2-2:1"},
                {".|#", 1, "o1-1:1"},
                {"|#", 1, "o0-0:1"},
                {"#", 2, "p0-0:1"},
                {"#.", 2, "g0-1:1"},
                {"##", 2, "o0-1:2"},
                {"#?-#", 2, "o0-3:2"},
                {"#.##.", 2, "g0-1:1 c2-4:2"},
                {"#|#", 2, "g0-1:1 p1-1:1"},
                {"##.", 3, "g0-2:2"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Series s = series_of(cases[i].series);
                int for_n[MAX_N];
                CLEANUP_FREE Episode *e = NULL;
                size_t n = 99;
                char text[256];
                for (size_t k = 0; k < MAX_N; k++)
                        for_n[k] = cases[i].for_n;
                assert_int_equal(alert_fold(s.judgement, s.n, FIRST, for_n, s.cut, &e, &n), 0);
                format(e, n, text, sizeof(text));
                if (strcmp(text, cases[i].episodes) != 0)
                        fail_msg("'%s' for %d: '%s', expected '%s'", cases[i].series,
                                 cases[i].for_n, text, cases[i].episodes);
        }
}

static void keeps_the_figures_of_the_newest_breach(void **state UNUSED) {
        static const int for_n[MAX_N] = {2, 2, 2, 2, 2};
        Series s = series_of("#!-?");
        CLEANUP_FREE Episode *e = NULL;
        size_t n;

        assert_int_equal(alert_fold(s.judgement, s.n, FIRST, for_n, NULL, &e, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(e->first, FIRST);
        assert_int_equal(e->opened, 2024112);
        assert_int_equal(e->last, 2024112);
        assert_int_equal(e->severity, SEVERITY_CRITICAL);
        assert_true(e->value == 9001 && e->previous == 9000 && e->limit == 9500 &&
                    e->delta == NONE);
        assert_int_equal(e->place, 2);
        assert_int_equal(e->of, 15);
        assert_int_equal(e->end, END_NONE);
        assert_int_equal(e->id, 0);
}

static void shows_then_and_now_at_the_end(void **state UNUSED) {
        static const int for_n[MAX_N] = {1, 1, 1};
        Series s = series_of("!#.");
        CLEANUP_FREE Episode *e = NULL;
        size_t n;

        assert_int_equal(alert_fold(s.judgement, s.n, FIRST, for_n, NULL, &e, &n), 0);
        assert_int_equal(e->state, EPISODE_CLOSED);
        assert_int_equal(e->end, END_CLEAR);
        assert_int_equal(e->last, 2025101);
        assert_true(e->value == 9002 && e->previous == 9001);
        assert_int_equal(e->severity, SEVERITY_WARNING); /* eased before it ended */
}

static void takes_the_first_previous_from_the_delta(void **state UNUSED) {
        static const int for_n[1] = {1};
        Series s = series_of("#");
        CLEANUP_FREE Episode *e = NULL;
        size_t n;

        assert_int_equal(alert_fold(s.judgement, 1, FIRST, for_n, NULL, &e, &n), 0);
        assert_true(e->previous == 8993);
}

/* `for` is that of the text that holds for the period. */
static void opens_by_the_text_of_the_period(void **state UNUSED) {
        static const int for_n[MAX_N] = {3, 3, 2, 3};
        Series s = series_of("##-#");
        CLEANUP_FREE Episode *e = NULL;
        size_t n;

        assert_int_equal(alert_fold(s.judgement, 4, FIRST, for_n, NULL, &e, &n), 0);
        assert_int_equal(e->opened,
                         2025102); /* by the third breach: at the between nothing is counted */
}

static void ends_for_any_reason_with_a_stride(void **state UNUSED) {
        static const int for_n[MAX_N] = {1, 1, 1, 1};
        EndReason end[4] = {END_NONE, END_NONE, END_UNIT_ENDED, END_UNIT_ENDED};
        Series a = series_of("##??");
        Judgement both[8];
        CLEANUP_FREE Episode *e = NULL;
        size_t n;

        for (size_t i = 0; i < 4; i++) {
                both[2 * i] = (Judgement){.verdict = VERDICT_CLEAR};
                both[2 * i + 1] = a.judgement[i];
        }
        FoldInput in = {both + 1, 4, 2, FIRST, for_n, end};
        assert_int_equal(alert_fold_input(&in, &e, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(e->end, END_UNIT_ENDED);
        assert_int_equal(e->last, 2025101);
        assert_true(e->value == NONE);
}

static void names_things(void **state UNUSED) {
        assert_string_equal(transition_name(TRANSITION_OPENED), "opened");
        assert_string_equal(transition_name(TRANSITION_UNIT_ENDED), "unit_ended");
        assert_string_equal(transition_name(TRANSITION_PENDING), "pending");
        assert_string_equal(transition_name((TransitionKind) 0), "?");
        assert_string_equal(transition_name((TransitionKind) 99), "?");
        assert_string_equal(episode_state_name(EPISODE_GONE), "withdrawn");
        assert_string_equal(episode_state_name((EpisodeState) 0), "?");
        assert_string_equal(end_reason_name(END_NONE), "none");
        assert_string_equal(end_reason_name(END_RULE_REMOVED), "rule_removed");
        assert_string_equal(end_reason_name((EndReason) 77), "?");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(folds_runs),
                cmocka_unit_test(keeps_the_figures_of_the_newest_breach),
                cmocka_unit_test(shows_then_and_now_at_the_end),
                cmocka_unit_test(takes_the_first_previous_from_the_delta),
                cmocka_unit_test(opens_by_the_text_of_the_period),
                cmocka_unit_test(ends_for_any_reason_with_a_stride),
                cmocka_unit_test(names_things),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
