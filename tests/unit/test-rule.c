#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/rank.h"
#include "core/rule.h"
#include "core/unit.h"

#define NONE VALUE_NONE
#define MAX_UNITS 16u

static const IndicatorDef indicators[] = {
        {.name = "progress", .decimals = 2, .direction = DIRECTION_UP},
        {.name = "received", .decimals = 0},
        {.name = "late", .decimals = 0, .direction = DIRECTION_DOWN},
};

typedef struct Setting {
        const char *when, *critical; /* or NULL */
        int64_t clear;
        int indicator;
        size_t n_units, n_periods;
        const int64_t *values; /* [period][unit] */
        const int64_t *volume;
        const EraDef *era;
        const Day *valid_from;
        bool is_running;
} Setting;

static Panel *panel_of(size_t n_units, size_t n_periods, const int64_t *values) {
        UnitId units[MAX_UNITS];
        Panel *p = NULL;

        for (size_t u = 0; u < n_units; u++)
                units[u] = (UnitId) u + 1;
        assert_int_equal(panel_new(units, n_units, 2024101, n_periods, &p), 0);
        memcpy(p->value, values, n_units * n_periods * sizeof(*values));
        return p;
}

/* Judges the last period. */
static void judge(const Setting *s, Judgement *ret) {
        RuleDef rule = {.indicator = s->indicator,
                        .period = PERIOD_MONTH,
                        .clear = s->clear,
                        .for_n = 1,
                        .min_volume = s->volume ? 20 : 0,
                        .volume_indicator = s->volume ? 1 : -1};
        unsigned decimals = indicators[s->indicator].decimals;
        CLEANUP(panel_freep) Panel *value = panel_of(s->n_units, s->n_periods, s->values);
        CLEANUP(panel_freep)
        Panel *volume = s->volume ? panel_of(s->n_units, s->n_periods, s->volume) : NULL;

        assert_int_equal(condition_parse(s->when, decimals, &rule.when, NULL, NULL, 0, NULL), 0);
        if (s->critical)
                assert_int_equal(
                        condition_parse(s->critical, decimals, &rule.critical, NULL, NULL, 0, NULL),
                        0);
        RuleContext context = {.rule = &rule,
                               .indicators = indicators,
                               .value = value,
                               .volume = volume,
                               .eras = s->era,
                               .n_eras = s->era ? 1 : 0,
                               .source = "portal",
                               .valid_from = s->valid_from,
                               .is_running = s->is_running};
        assert_true((size_t) rule_lookback(&rule) >= 1);
        assert_int_equal(rule_judge(&context, s->n_periods - 1, ret), 0);
}

static char letter(Verdict v) {
        return "?.-#"[v];
}

static void expect(const char *name, const Setting *s, const char *verdicts) {
        Judgement j[MAX_UNITS];
        char text[MAX_UNITS + 1] = "";

        judge(s, j);
        for (size_t u = 0; u < s->n_units; u++)
                text[u] = letter(j[u].verdict);
        if (strcmp(text, verdicts) != 0)
                fail_msg("%s: %s, expected %s", name, text, verdicts);
}

/* # breach, - between, . clear, ? unknown */
static void holds_values_against_limits(void **state UNUSED) {
        static const int64_t values[] = {9499, 9500, 9599, 9600, NONE, 0, 10000};
        static const struct {
                const char *when;
                int64_t clear;
                const char *verdicts;
        } cases[] = {
                {"below 95", 100, "#--.?#."},
                {"below 95", 0, "#...?#."},
                {"above 95", 100, "--##?.#"},
                {"above 96", 100, "..--?.#"},
                {"above 95", 0, "..##?.#"},
                {"below 95 and above 50", 100, "#--.?.."},
                {"below 95 and below 95.50", 100, "#-..?#."},
                {"above 94 and below 96", 100, "###.?.."},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Setting s = {.when = cases[i].when,
                             .clear = cases[i].clear,
                             .n_units = 7,
                             .n_periods = 1,
                             .values = values};
                expect(cases[i].when, &s, cases[i].verdicts);
        }
}

static void holds_values_against_the_cohort(void **state UNUSED) {
        static const int64_t six[] = {8499, 8500, 9000, 9500, 8600, NONE, 9900};
        static const int64_t four[] = {1000, 9000, 9500, 9900, NONE, NONE, NONE};
        Setting s = {.when = "behind 5", .clear = 100, .n_units = 7, .n_periods = 1, .values = six};
        Judgement j[MAX_UNITS];

        /* sorted 8499 8500 8600 9000 9500 9900: the lower median is 8600 */
        expect("behind 5", &s, ".....?.");
        s.when = "behind 1";
        expect("behind 1", &s, "#-...?.");
        judge(&s, j);
        assert_true(j[0].limit == 8500);
        s.when = "behind 0.50";
        s.clear = 0;
        expect("behind 0.50", &s, "##...?.");
        s.when = "behind 1";
        s.values = four;
        expect("behind with four", &s, "???????");
}

static void judges_changes(void **state UNUSED) {
        static const int64_t values[] = {
                9000, 9000, 9000, NONE, 9000, NONE, /* */
                8500, 8501, NONE, 8500, NONE, NONE, /* */
        };
        Setting s = {.when = "drop 5", .n_units = 6, .n_periods = 2, .values = values};
        Judgement j[MAX_UNITS];

        expect("drop 5", &s, "#.????");
        judge(&s, j);
        assert_true(j[0].delta == -500 && j[0].delta_reason == DELTA_OK && j[0].limit == NONE);
        assert_true(j[3].delta == NONE && j[3].delta_reason == DELTA_FIRST);
        s.is_running = true;
        expect("running", &s, "??????");
        s.is_running = false;
        EraDef era = {.name = "x", .from = day_from_civil(2024, 2, 1)};
        s.era = &era;
        expect("era", &s, "??????");
        s.when = "drop 5 and below 80";
        expect("a false clause is enough", &s, "..?.??");
        s.era = NULL;
        Day from[6] = {DAY_EVER, day_from_civil(2024, 2, 1), DAY_EVER, DAY_EVER, DAY_EVER,
                       DAY_EVER};
        s.valid_from = from;
        s.when = "drop 4";
        expect("merged", &s, "#?????");
}

static void judges_streaks(void **state UNUSED) {
        static const int64_t values[] = {
                90, 90, NONE, 90, 90, 90,   NONE, /* */
                80, 80, 80,   80, 90, 80,   80,   /* */
                70, 75, 70,   85, 80, 75,   NONE, /* */
                60, 75, 60,   80, 70, NONE, 60,   /* */
        };
        Setting s = {.when = "falling 3",
                     .indicator = 2,
                     .n_units = 7,
                     .n_periods = 4,
                     .values = values};

        /* a rise or a stay that is known is enough to say no */
        expect("falling 3", &s, "#.?..??");
        s.when = "flat 3 within 10";
        expect("flat 3 within 10", &s, "##?##??");
        s.when = "flat 2 within 5";
        expect("flat 2 within 5", &s, ".#.#.??");
        s.when = "flat 3 within 10 and below 65";
        expect("flat and below", &s, "#.?..??");
        s.when = "falling 5";
        expect("longer than the panel", &s, "?.?..??");
}

static void judges_moves(void **state UNUSED) {
        /* five places each; unit 0 falls from 1 to 4 */
        static const int64_t values[] = {
                95, 94, 93, 92, 91, /* */
                92, 94, 93, 95, 91, /* */
        };
        static const int64_t holes[] = {
                95, 94, 93, 92, 91,   /* */
                92, 94, 93, 95, NONE, /* */
        };
        Setting s = {.when = "rank_drop 3", .n_units = 5, .n_periods = 2, .values = values};
        EraDef era = {.name = "x", .from = day_from_civil(2024, 2, 1)};

        expect("rank_drop 3", &s, "#....");
        s.when = "rank_drop 4";
        expect("rank_drop 4", &s, ".....");
        s.indicator = 2; /* smaller is better: 5 4 3 2 1 -> 2 4 3 5 1 */
        s.when = "rank_drop 3";
        expect("down", &s, "...#.");
        s.values = holes; /* 4 of 5 are too few */
        expect("holes", &s, "?????");
        s.values = values;
        s.era = &era;
        expect("era", &s, "?????");
        s.era = NULL;
        s.is_running = true;
        expect("running", &s, "?????");
        s.is_running = false;
        s.n_periods = 1;
        expect("no period before", &s, "?????");
}

static void knows_two_severities(void **state UNUSED) {
        static const int64_t values[] = {7999, 8000, 9500, 9900, NONE};
        Setting s = {.when = "below 95",
                     .critical = "below 80",
                     .clear = 100,
                     .n_units = 5,
                     .n_periods = 1,
                     .values = values};
        Judgement j[MAX_UNITS];

        judge(&s, j);
        assert_int_equal(j[0].severity, SEVERITY_CRITICAL);
        assert_true(j[0].limit == 9500);
        assert_int_equal(j[1].severity, SEVERITY_WARNING);
        assert_int_equal(j[2].severity, SEVERITY_NONE);
        assert_int_equal(j[2].verdict, VERDICT_BETWEEN);
        assert_int_equal(j[3].severity, SEVERITY_NONE);
        assert_int_equal(j[4].verdict, VERDICT_UNKNOWN);
        assert_int_equal(j[4].severity, SEVERITY_NONE);
        s.critical = "drop 5"; /* unknown here: takes nothing away */
        expect("critical unknown", &s, "##-.?");
        s.when = "drop 5";
        s.critical = "below 80"; /* true where `when` is unknown */
        judge(&s, j);
        assert_int_equal(j[0].verdict, VERDICT_BREACH);
        assert_int_equal(j[0].severity, SEVERITY_CRITICAL);
        assert_true(j[0].limit == 8000);
        assert_int_equal(j[1].verdict, VERDICT_UNKNOWN);
}

static void lets_no_single_dossier_move_an_alert(void **state UNUSED) {
        static const int64_t values[] = {0, 0, 0, 9900}, volume[] = {19, 20, NONE, 5};
        Setting s = {.when = "below 95",
                     .clear = 100,
                     .n_units = 4,
                     .n_periods = 1,
                     .values = values,
                     .volume = volume};
        Judgement j[MAX_UNITS];

        expect("min_volume", &s, "?#??");
        judge(&s, j);
        assert_true(j[0].is_low_volume && !j[1].is_low_volume && j[2].is_low_volume);
        assert_true(j[0].value == 0);
}

static void looks_back_as_far_as_it_must(void **state UNUSED) {
        static const struct {
                const char *when, *critical;
                int lookback;
                bool is_relative;
        } cases[] = {
                {"below 95", NULL, 1, false},      {"behind 5", NULL, 1, true},
                {"drop 5", NULL, 1, false},        {"falling 3", NULL, 3, false},
                {"rank_drop 2", NULL, 1, true},    {"below 95", "flat 4 within 1", 4, false},
                {"below 95", "behind 5", 1, true},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                RuleDef rule = {0};
                assert_int_equal(condition_parse(cases[i].when, 2, &rule.when, NULL, NULL, 0, NULL),
                                 0);
                if (cases[i].critical)
                        assert_int_equal(condition_parse(cases[i].critical, 2, &rule.critical, NULL,
                                                         NULL, 0, NULL),
                                         0);
                assert_int_equal(rule_lookback(&rule), cases[i].lookback);
                assert_int_equal(rule_is_relative(&rule), cases[i].is_relative);
        }
}

static void knows_between(void **state UNUSED) {
        RuleDef rule = {.when = {CONDITION_BELOW, 9500, 0, 0, 0}, .clear = 100};

        assert_true(rule_is_between(&rule, 9500, 9500));
        assert_true(rule_is_between(&rule, 9599, 9500));
        assert_false(rule_is_between(&rule, 9600, 9500));
        assert_false(rule_is_between(&rule, 9499, 9500));
        assert_false(rule_is_between(&rule, NONE, 9500));
        assert_false(rule_is_between(&rule, 9500, NONE));
        rule.when.kind = CONDITION_ABOVE;
        assert_true(rule_is_between(&rule, 9500, 9500));
        assert_false(rule_is_between(&rule, 9400, 9500));
        rule.when.kind = CONDITION_DROP;
        assert_false(rule_is_between(&rule, 9500, 9500));
        rule.when = (Condition){CONDITION_BELOW, 9500, 0, CONDITION_BELOW, 9550};
        assert_true(rule_is_between(&rule, 9549, 9500));
        assert_false(rule_is_between(&rule, 9550, 9500));
}

/* ---- the letter that this project starts from: district Tiên Lữ, August 2024 ----------------- */

static const struct {
        const char *name;
        int64_t total, change, progress;
        uint32_t place, before; /* 15 communes, August and July */
} communes[] = {
        {"Thủ Sỹ", 8963, 696, 10000, 1, 13},       {"Hải Triều", 8882, 660, 9964, 2, 14},
        {"Nhật Tân", 8823, -80, 10000, 3, 1},      {"Hưng Đạo", 8812, 24, 10000, 4, 4},
        {"Dị Chế", 8808, 83, 10000, 5, 5},         {"An Viên", 8787, -21, 10000, 6, 2},
        {"Đức Thắng", 8757, -35, 10000, 7, 3},     {"Vương", 8742, 200, 9952, 8, 9},
        {"Lệ Xá", 8731, 21, 10000, 9, 6},          {"Thụy Lôi", 8671, 338, 10000, 10, 11},
        {"Minh Phượng", 8620, 330, 10000, 11, 12}, {"Trung Dũng", 8556, -144, 9961, 12, 7},
        {"Thiện Phiến", 8522, 102, 9254, 13, 10},  {"Ngô Quyền", 8358, 318, 10000, 14, 15},
        {"Cương Chính", 8328, -260, 8271, 15, 8},
};

static void letter_values(int64_t *total, int64_t *progress) {
        for (size_t u = 0; u < 15; u++) {
                total[u] = communes[u].total - communes[u].change;
                total[15 + u] = communes[u].total;
                progress[u] = NONE;
                progress[15 + u] = communes[u].progress;
        }
}

static void ranks_the_letter(void **state UNUSED) {
        int64_t total[30], progress[30];
        uint32_t place[15], before[15];
        size_t of;
        CLEANUP(rank_moves_done) RankMoves m = {0};

        letter_values(total, progress);
        assert_int_equal(rank_build(total + 15, 15, DIRECTION_UP, place, &of), 0);
        assert_int_equal(of, 15);
        assert_int_equal(rank_build(total, 15, DIRECTION_UP, before, &of), 0);
        assert_int_equal(rank_moves(total, total + 15, 15, DIRECTION_UP, &m), 0);
        assert_true(m.is_comparable);
        assert_int_equal(m.of, 15);
        for (size_t u = 0; u < 15; u++) {
                assert_int_equal(place[u], communes[u].place);
                if (before[u] != communes[u].before)
                        fail_msg("%s was %u", communes[u].name, before[u]);
                assert_int_equal(m.now[u], place[u]);
                assert_int_equal(m.before[u], before[u]);
        }
}

static void names_whom_the_letter_names(void **state UNUSED) {
        int64_t total[30], progress[30];
        letter_values(total, progress);
        const struct {
                const char *when;
                const int64_t *values;
                const char *verdicts;
        } cases[] = {
                {"below 95", progress, "............#.#"},
                {"behind 5", progress, "............#.#"},
                {"below 85", total, ".............##"},
                {"drop 1", total, "...........#..#"},
                {"rank_drop 5", total, "...........#..#"},
                {"drop 5", progress, "???????????????"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Setting s = {.when = cases[i].when,
                             .clear = 0,
                             .n_units = 15,
                             .n_periods = 2,
                             .values = cases[i].values};
                expect(cases[i].when, &s, cases[i].verdicts);
        }
}

static void says_in_numbers_why(void **state UNUSED) {
        int64_t total[30], progress[30];
        letter_values(total, progress);
        Setting s = {.when = "behind 5",
                     .clear = 100,
                     .n_units = 15,
                     .n_periods = 2,
                     .values = progress};
        Judgement j[MAX_UNITS];

        judge(&s, j);
        assert_true(j[14].value == 8271 && j[14].limit == 9500); /* the median is 100 */
        assert_int_equal(j[14].place, 15);
        assert_int_equal(j[14].of, 15);
        assert_int_equal(j[12].place, 14);
        assert_int_equal(j[0].place, 1);
        assert_int_equal(j[7].place, 13);
        assert_true(j[14].delta == NONE && j[14].delta_reason == DELTA_FIRST);
        s.values = total;
        s.when = "drop 1";
        judge(&s, j);
        assert_true(j[0].delta == 696 && j[14].delta == -260);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(holds_values_against_limits),
                cmocka_unit_test(holds_values_against_the_cohort),
                cmocka_unit_test(judges_changes),
                cmocka_unit_test(judges_streaks),
                cmocka_unit_test(judges_moves),
                cmocka_unit_test(knows_two_severities),
                cmocka_unit_test(lets_no_single_dossier_move_an_alert),
                cmocka_unit_test(looks_back_as_far_as_it_must),
                cmocka_unit_test(knows_between),
                cmocka_unit_test(ranks_the_letter),
                cmocka_unit_test(names_whom_the_letter_names),
                cmocka_unit_test(says_in_numbers_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
