#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/rule.h"

static void reads_and_writes_conditions(void **state UNUSED) {
        static const struct {
                const char *text;
                unsigned decimals;
                Condition condition;
                const char *canonical;
        } cases[] = {
                {"below 95", 2, {CONDITION_BELOW, 9500, 0, 0, 0}, "below 95"},
                {" below\t95.00 ", 2, {CONDITION_BELOW, 9500, 0, 0, 0}, "below 95"},
                {"below 95.5", 2, {CONDITION_BELOW, 9550, 0, 0, 0}, "below 95.50"},
                {"below 95.500", 1, {CONDITION_BELOW, 955, 0, 0, 0}, "below 95.5"},
                {"above 0", 0, {CONDITION_ABOVE, 0, 0, 0, 0}, "above 0"},
                {"above -1.25", 2, {CONDITION_ABOVE, -125, 0, 0, 0}, "above -1.25"},
                {"behind 5", 2, {CONDITION_BEHIND, 500, 0, 0, 0}, "behind 5"},
                {"drop 5", 2, {CONDITION_DROP, 500, 0, 0, 0}, "drop 5"},
                {"falling 3", 2, {CONDITION_FALLING, 0, 3, 0, 0}, "falling 3"},
                {"flat 3 within 0.50 and below 80",
                 2,
                 {CONDITION_FLAT, 50, 3, CONDITION_BELOW, 8000},
                 "flat 3 within 0.50 and below 80"},
                {"flat 2 within 0", 0, {CONDITION_FLAT, 0, 2, 0, 0}, "flat 2 within 0"},
                {"rank_drop 5 and above 10",
                 2,
                 {CONDITION_RANK_DROP, 0, 5, CONDITION_ABOVE, 1000},
                 "rank_drop 5 and above 10"},
                {"missing", 2, {CONDITION_MISSING, 0, 0, 0, 0}, "missing"},
                {"restated 1", 2, {CONDITION_RESTATED, 100, 0, 0, 0}, "restated 1"},
                {"overdue 5", 2, {CONDITION_OVERDUE, 0, 5, 0, 0}, "overdue 5"},
                {"stale 7", 2, {CONDITION_STALE, 0, 7, 0, 0}, "stale 7"},
                {"source_failing 3", 2, {CONDITION_SOURCE_FAILING, 0, 3, 0, 0}, "source_failing 3"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Condition c;
                memset(&c, 0xff, sizeof(c));
                assert_int_equal(
                        condition_parse(cases[i].text, cases[i].decimals, &c, NULL, NULL, 0, NULL),
                        0);
                assert_int_equal(c.kind, cases[i].condition.kind);
                assert_true(c.amount == cases[i].condition.amount);
                assert_int_equal(c.count, cases[i].condition.count);
                assert_int_equal(c.and_kind, cases[i].condition.and_kind);
                assert_true(c.and_amount == cases[i].condition.and_amount);
                CLEANUP_FREE char *text = condition_format(&c, cases[i].decimals);
                assert_string_equal(text, cases[i].canonical);
        }
}

static void refuses_other_conditions_with_a_reason(void **state UNUSED) {
        static const struct {
                const char *text, *reason;
        } cases[] = {
                {"", "a condition is missing, for example 'below 95'"},
                {"  ", "a condition is missing, for example 'below 95'"},
                {"under 95", "unknown condition 'under'"},
                {"Below 95", "unknown condition 'Below'"},
                {"below", "a number is missing, expected 'below X'"},
                {"below 95,5", "'95,5' is not a number (decimal point), expected 'below X'"},
                {"below 9e1", "'9e1' is not a number (decimal point), expected 'below X'"},
                {"below NaN", "'NaN' is not a number (decimal point), expected 'below X'"},
                {"below 94.996", "'94.996' has more digits than the indicator (2)"},
                {"below 95 points", "unexpected 'points' after 'below X'"},
                {"below 95 and", "after 'and' only 'below X' or 'above X' can stand"},
                {"below 95 and drop 5", "after 'and' only 'below X' or 'above X' can stand"},
                {"below 95 and below", "a number is missing, expected 'below X'"},
                {"below 95 and above 3 4", "unexpected '4' at the end"},
                {"behind -1", "the number of 'behind D' must be 0 or more"},
                {"drop 0", "the number of 'drop D' must be more than 0"},
                {"falling", "a whole number is missing, expected 'falling K'"},
                {"falling 0", "the number of 'falling K' must be from 1 to 24"},
                {"falling 25", "the number of 'falling K' must be from 1 to 24"},
                {"falling 99999999999999999999999",
                 "the number of 'falling K' must be from 1 to 24"},
                {"falling 3.5", "'3.5' is not a whole number, expected 'falling K'"},
                {"flat 3 0.5", "'within' is missing, expected 'flat K within E'"},
                {"flat 3", "'within' is missing, expected 'flat K within E'"},
                {"flat 3 within", "a number is missing, expected 'flat K within E'"},
                {"flat 3 within -1", "the number of 'flat K within E' must be 0 or more"},
                {"missing 3", "unexpected '3' after 'missing'"},
                {"stale 7 and below 5", "unexpected 'and' after 'stale D'"},
                {"below 1 2 3 4 5 6 7 8 9", "too many words for a condition"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                Condition c = {.kind = CONDITION_STALE};
                assert_int_equal(
                        condition_parse(cases[i].text, 2, &c, &diag, "a.conf", 7, "rule low.when"),
                        -EINVAL);
                assert_int_equal(c.kind, CONDITION_STALE);
                assert_int_equal(diag.n, 1);
                assert_string_equal(diag.items[0].text, cases[i].reason);
                assert_int_equal(diag.items[0].line, 7);
                assert_string_equal(diag.items[0].key, "rule low.when");
        }
}

static void tells_value_conditions(void **state UNUSED) {
        assert_true(condition_is_value(CONDITION_BELOW));
        assert_true(condition_is_value(CONDITION_RANK_DROP));
        assert_false(condition_is_value(CONDITION_MISSING));
        assert_false(condition_is_value(CONDITION_SOURCE_FAILING));
        assert_false(condition_is_value(CONDITION_NONE));
}

static const IndicatorDef indicators[] = {
        {.name = "progress", .decimals = 2},
        {.name = "received", .decimals = 0},
        {.name = "odd; name", .decimals = 1},
};

static const char *kinds[] = {"commune", "department"};
static const char *parents[] = {"H31", "Tỉnh Hưng Yên; 100%"};
static const char *units[] = {"H31.07"};

static RuleDef full_rule(void) {
        return (RuleDef){
                .name = "low",
                .indicator = 0,
                .period = PERIOD_MONTH,
                .units = {kinds, 2, parents, 2, units, 1, true},
                .when = {CONDITION_BELOW, 9500, 0, 0, 0},
                .critical = {CONDITION_BELOW, 8000, 0, 0, 0},
                .clear = 100,
                .for_n = 2,
                .from = 2024108,
                .until = 2025112,
                .settle_days = 3,
                .watch = WATCH_RUNNING,
                .min_volume = 20,
                .volume_indicator = 1,
                .repeat = REPEAT_DAYS,
                .repeat_days = 7,
                .advice = "x",
        };
}

static const char full_text[] =
        "indicator=progress; period=month; units= kind:commune kind:department parent:H31"
        " parent:Tỉnh%20Hưng%20Yên%3B%20100%25 unit:H31.07; when=below 95; critical=below 80; "
        "clear=1; for=2;"
        " watch=running; from=2024-08; until=2025-12; min_volume=20 of received";

static void writes_what_judges(void **state UNUSED) {
        RuleDef rule = full_rule();
        CLEANUP_FREE char *text = rule_to_text(&rule, indicators);

        assert_string_equal(text, full_text);
        rule.settle_days = 5; /* when it is told, not what */
        rule.repeat_days = 9;
        rule.advice = NULL;
        CLEANUP_FREE char *same = rule_to_text(&rule, indicators);
        assert_string_equal(same, full_text);
        rule.clear = 150;
        CLEANUP_FREE char *other = rule_to_text(&rule, indicators);
        assert_string_not_equal(other, full_text);
}

static void leaves_out_what_does_not_apply(void **state UNUSED) {
        RuleDef rule = {.indicator = -1,
                        .period = PERIOD_QUARTER,
                        .units = {.is_set = true},
                        .when = {CONDITION_SOURCE_FAILING, 0, 3, 0, 0},
                        .clear = 100,
                        .for_n = 1,
                        .volume_indicator = -1};
        CLEANUP_FREE char *text = rule_to_text(&rule, indicators);

        assert_string_equal(text,
                            "indicator=; period=quarter; units= all; when=source_failing 3; for=1; "
                            "watch=ended");
}

static void reads_back_what_it_wrote(void **state UNUSED) {
        CLEANUP(rule_text_freep) RuleDef *rule = NULL;

        assert_int_equal(rule_from_text(full_text, indicators, 3, &rule), 0);
        assert_string_equal(rule->text, full_text);
        assert_null(rule->name);
        assert_int_equal(rule->indicator, 0);
        assert_int_equal(rule->period, PERIOD_MONTH);
        assert_true(rule->units.is_set);
        assert_int_equal(rule->units.n_kinds, 2);
        assert_string_equal(rule->units.kinds[1], "department");
        assert_int_equal(rule->units.n_parents, 2);
        assert_string_equal(rule->units.parents[1], "Tỉnh Hưng Yên; 100%");
        assert_int_equal(rule->units.n_units, 1);
        assert_string_equal(rule->units.units[0], "H31.07");
        assert_int_equal(rule->when.kind, CONDITION_BELOW);
        assert_true(rule->critical.amount == 8000);
        assert_true(rule->clear == 100);
        assert_int_equal(rule->for_n, 2);
        assert_int_equal(rule->watch, WATCH_RUNNING);
        assert_int_equal(rule->from, 2024108);
        assert_int_equal(rule->until, 2025112);
        assert_true(rule->min_volume == 20);
        assert_int_equal(rule->volume_indicator, 1);
        assert_false(rule->is_operator);
        CLEANUP_FREE char *again = rule_to_text(rule, indicators);
        assert_string_equal(again, full_text);
}

static void reads_back_the_odd_ones(void **state UNUSED) {
        static const char *texts[] = {
                "indicator=; period=quarter; units= all; when=source_failing 3; for=1; watch=ended",
                "indicator=odd%3B%20name; period=year; units=; when=flat 3 within 0.5 and below "
                "80; for=1; watch=ended",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                CLEANUP(rule_text_freep) RuleDef *rule = NULL;
                assert_int_equal(rule_from_text(texts[i], indicators, 3, &rule), 0);
                assert_int_equal(rule->indicator, i == 0 ? -1 : 2);
                assert_int_equal(rule->units.is_set, i == 0);
                assert_int_equal(rule->is_operator, i == 0);
                assert_int_equal(rule->volume_indicator, -1);
                CLEANUP_FREE char *again = rule_to_text(rule, indicators);
                assert_string_equal(again, texts[i]);
        }
}

static void refuses_other_texts(void **state UNUSED) {
        static const char *texts[] = {
                "",
                "progress",
                "indicator=progress",
                "indicator=gone; period=month; units=; when=below 95; for=1; watch=ended",
                "indicator=; period=month; units=; when=below 95; for=1; watch=ended",
                "indicator=progress; period=week; units=; when=below 95; for=1; watch=ended",
                "indicator=progress; period=month; units= commune; when=below 95; for=1; "
                "watch=ended",
                "indicator=progress; period=month; units= kind:%zz; when=below 95; for=1; "
                "watch=ended",
                "indicator=progress; period=month; units= kind:%00; when=below 95; for=1; "
                "watch=ended",
                "indicator=progress; period=month; units= kind:a unit:b kind:c; when=below 95; "
                "for=1; watch=ended",
                "indicator=progress; period=month; units=; when=below; for=1; watch=ended",
                "indicator=progress; period=month; units=; when=below 95; for=0; watch=ended",
                "indicator=progress; period=month; units=; when=below 95; for=x; watch=ended",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=never",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=ended; "
                "from=x",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=ended; "
                "min_volume=20",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=ended; "
                "min_volume=x of received",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=ended; "
                "min_volume=1 of gone",
                "indicator=progress; period=month; units=; when=below 95; for=1; watch=ended; "
                "colour=red",
                "period=month; units=; for=1; watch=ended",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                RuleDef *rule = NULL;
                int r = rule_from_text(texts[i], indicators, 3, &rule);
                if (r != -EINVAL || rule)
                        fail_msg("'%s' gives %d", texts[i], r);
        }
}

/* Cut anywhere, it is a rule or refused, and nothing is read behind the end. */
static void bears_any_cut(void **state UNUSED) {
        for (size_t n = 0; n < sizeof(full_text); n++) {
                CLEANUP_FREE char *cut = strndup(full_text, n);
                CLEANUP(rule_text_freep) RuleDef *rule = NULL;
                int r = rule_from_text(cut, indicators, 3, &rule);
                assert_true(r == 0 || r == -EINVAL);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_and_writes_conditions),
                cmocka_unit_test(refuses_other_conditions_with_a_reason),
                cmocka_unit_test(tells_value_conditions),
                cmocka_unit_test(writes_what_judges),
                cmocka_unit_test(leaves_out_what_does_not_apply),
                cmocka_unit_test(reads_back_what_it_wrote),
                cmocka_unit_test(reads_back_the_odd_ones),
                cmocka_unit_test(refuses_other_texts),
                cmocka_unit_test(bears_any_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
