#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/unit.h"

#define NONE VALUE_NONE
#define FIRST 2024101
#define MAX_UNITS 40u
#define MAX_PERIODS 60u
#define MAX_STORED 600u

/* A rule over a small cohort, with the stored episodes that the engine itself has made. Values are
 * written as whole percents (-1 = none); the limit is 95, clear from 96. */
typedef struct World {
        IndicatorDef indicators[2];
        RuleDef rules[3];
        RuleVersion versions[3];
        size_t n_versions;
        size_t n_units, n_periods; /* n_periods: published */
        int64_t value[MAX_PERIODS * MAX_UNITS], volume[MAX_PERIODS * MAX_UNITS];
        bool has_volume;
        bool is_watched[MAX_UNITS], is_restated[MAX_UNITS];
        Day valid_until[MAX_UNITS];
        EraDef era;
        bool has_era;
        Episode stored[MAX_STORED];
        size_t n_stored;
        PeriodId from;    /* what a first judgement folds from; 0 = what is new */
        JudgeInput extra; /* gates and flags of the next judgement */
        char text[4096];  /* what it did */
} World;

static PeriodId period_at(size_t i) {
        return period_add(FIRST, (int) i);
}

static int index_of(int64_t period) {
        return period_distance(FIRST, (PeriodId) period);
}

static void world_init(World *w, size_t n_units, const char *when) {
        memset(w, 0, sizeof(*w));
        w->indicators[0] = (IndicatorDef){.name = "progress", .decimals = 0};
        w->indicators[1] = (IndicatorDef){.name = "received", .decimals = 0};
        for (size_t i = 0; i < 3; i++)
                w->rules[i] = (RuleDef){.name = "low",
                                        .period = PERIOD_MONTH,
                                        .clear = 1,
                                        .for_n = 1,
                                        .volume_indicator = -1};
        assert_int_equal(condition_parse(when, 0, &w->rules[0].when, NULL, NULL, 0, NULL), 0);
        w->versions[0] = (RuleVersion){FIRST, &w->rules[0]};
        w->n_versions = 1;
        w->n_units = n_units;
        for (size_t u = 0; u < MAX_UNITS; u++) {
                w->is_watched[u] = true;
                w->valid_until[u] = DAY_OPEN;
        }
}

static void set(World *w, size_t p, size_t u, int64_t value) {
        w->value[p * w->n_units + u] = value < 0 ? NONE : value;
}

/* "90 99 -1": of one unit, from period 0. */
static void series(World *w, size_t u, const char *text) {
        size_t p = 0;

        for (const char *s = text; *s; p++) {
                char *end;
                set(w, p, u, strtoll(s, &end, 10));
                s = end + strspn(end, " ");
        }
        w->n_periods = MAX(w->n_periods, p);
        w->from = FIRST;
}

static Panel view(World *w, int64_t *values, UnitId *units) {
        for (size_t u = 0; u < w->n_units; u++)
                units[u] = (UnitId) u + 1;
        return (Panel){.n_units = w->n_units,
                       .n_periods = w->n_periods,
                       .first = FIRST,
                       .units = units,
                       .value = values};
}

static char state_letter(const Episode *e) {
        return "?pocg"[e->state];
}

static void describe(World *w, const JudgeResult *result) {
        size_t at = 0;

        w->text[0] = '\0';
        for (size_t i = 0; i < result->n_transitions && at < sizeof(w->text) - 100; i++) {
                const Transition *t = &result->transitions[i];
                const Episode *e = &result->episodes[t->episode];
                at += (size_t) snprintf(
                        w->text + at, sizeof(w->text) - at, "%s%u/%d %s@%d%s%s%s", i ? "; " : "",
                        e->unit, index_of(e->first), transition_name(t->kind), index_of(t->period),
                        t->reason ? " (" : "", t->reason ? t->reason : "", t->reason ? ")" : "");
        }
}

static void check_order(const JudgeResult *result) {
        for (size_t i = 1; i < result->n_episodes; i++) {
                const Episode *a = &result->episodes[i - 1], *b = &result->episodes[i];
                assert_true(a->unit < b->unit || (a->unit == b->unit && a->first <= b->first));
        }
        for (size_t i = 1; i < result->n_transitions; i++)
                assert_true(result->transitions[i - 1].episode <= result->transitions[i].episode);
}

static void store(World *w, const JudgeResult *result) {
        for (size_t i = 0; i < result->n_episodes; i++) {
                Episode e = result->episodes[i];
                assert_string_equal(e.rule, "low");
                if (e.id == 0) {
                        assert_true(w->n_stored < MAX_STORED);
                        e.id = (int64_t) ++w->n_stored;
                }
                w->stored[e.id - 1] = e;
        }
}

/* What a store would load: live ones, and those that end at `from` or later. */
static size_t load(const World *w, PeriodId from, Episode *ret) {
        size_t n = 0;

        for (size_t i = 0; i < w->n_stored; i++) {
                const Episode *e = &w->stored[i];
                if (e->state == EPISODE_OPEN || e->state == EPISODE_PENDING || e->last >= from)
                        ret[n++] = *e;
        }
        return n;
}

static size_t judge_once(World *w, PeriodId fold_from, JudgeResult *ret) {
        static Episode stored[MAX_STORED];
        UnitId units[MAX_UNITS];
        Panel value = view(w, w->value, units), volume = view(w, w->volume, units);
        JudgeInput in = w->extra;

        in.versions = w->versions;
        in.n_versions = w->n_versions;
        in.indicators = w->indicators;
        in.value = &value;
        in.volume = w->has_volume ? &volume : NULL;
        in.newest = period_at(w->n_periods - 1);
        in.fold_from = fold_from;
        in.is_watched = w->is_watched;
        in.valid_until = w->valid_until;
        in.eras = &w->era;
        in.n_eras = w->has_era;
        in.is_restated_unit = w->is_restated;
        in.stored = stored;
        in.n_stored = load(w, fold_from, stored);
        assert_int_equal(engine_judge(&in, ret), 0);
        check_order(ret);
        return ret->n_episodes + ret->n_transitions;
}

/* Judges, stores, and judges again, which must find nothing. */
static const char *judge(World *w, JudgeResult *ret) {
        CLEANUP(judge_result_done) JudgeResult again = {0};
        PeriodId restated = w->extra.restated, seen = w->extra.first_seen;
        PeriodId changed = restated && seen ? MIN(restated, seen) : restated ? restated : seen;
        PeriodId from =
                engine_fold_from(w->stored, w->n_stored, changed, period_at(w->n_periods - 1));

        judge_once(w, w->from ? w->from : from, ret);
        w->from = 0;
        describe(w, ret);
        store(w, ret);
        if (judge_once(w, FIRST, &again) != 0) {
                char done[sizeof(w->text)];
                memcpy(done, w->text, sizeof(done));
                describe(w, &again);
                fail_msg("after '%s' judging again gives %zu episodes, '%s'", done,
                         again.n_episodes, w->text);
        }
        memset(&w->extra, 0, sizeof(w->extra));
        memset(w->is_restated, 0, sizeof(w->is_restated));
        return w->text;
}

static void expect_at(World *w, const char *expected, unsigned line) {
        CLEANUP(judge_result_done) JudgeResult result = {0};
        const char *done = judge(w, &result);

        if (strcmp(done, expected) != 0)
                fail_msg("line %u: '%s', expected '%s'", line, done, expected);
}
#define expect(w, expected) expect_at(w, expected, __LINE__)

static void publish(World *w, const int64_t *values) {
        size_t p = w->n_periods++;

        for (size_t u = 0; u < w->n_units; u++)
                set(w, p, u, values[u]);
        w->extra.first_seen = period_at(p);
}

static void publish_one(World *w, int64_t value) {
        publish(w, &value);
}

static void restate(World *w, size_t p, size_t u, int64_t value) {
        set(w, p, u, value);
        w->is_restated[u] = true;
        w->extra.restated = w->extra.restated ? MIN(w->extra.restated, period_at(p)) : period_at(p);
}

/* ---- the life of an alert -------------------------------------------------------------------- */

static void lives_and_ends(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        assert_int_equal(condition_parse("below 80", 0, &w.rules[0].critical, NULL, NULL, 0, NULL),
                         0);
        publish_one(&w, 97);
        expect(&w, "");
        publish_one(&w, 90);
        expect(&w, "1/1 opened@1");
        publish_one(&w, 79);
        expect(&w, "1/1 continued@2; 1/1 worse@2");
        assert_int_equal(w.stored[0].severity, SEVERITY_CRITICAL);
        publish_one(&w, 95); /* between */
        expect(&w, "");
        publish_one(&w, -1);
        expect(&w, "");
        publish_one(&w, 94);
        expect(&w, "1/1 continued@5; 1/1 eased@5");
        assert_int_equal(w.stored[0].length, 3);
        assert_true(w.stored[0].previous == NONE);
        publish_one(&w, 96);
        expect(&w, "1/1 closed@6 (clear)");
        assert_int_equal(w.stored[0].state, EPISODE_CLOSED);
        assert_int_equal(w.stored[0].end, END_CLEAR);
        assert_true(w.stored[0].value == 96 && w.stored[0].previous == 94 &&
                    w.stored[0].limit == 95);
        assert_int_equal(w.stored[0].place, 1);
        publish_one(&w, 95);
        expect(&w, "");
        publish_one(&w, 94);
        expect(&w, "1/8 opened@8");
        assert_int_equal(w.n_stored, 2);
}

static void waits_for_n_publications(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        w.rules[0].for_n = 2;
        publish_one(&w, 90);
        expect(&w, "1/0 pending@0");
        assert_int_equal(w.stored[0].state, EPISODE_PENDING);
        assert_int_equal(w.stored[0].opened, 0);
        publish_one(&w, 97);
        expect(&w, "1/0 withdrawn@0 (pending)");
        assert_int_equal(w.stored[0].state, EPISODE_GONE);
        publish_one(&w, 90);
        expect(&w, "1/2 pending@2");
        publish_one(&w, -1);
        expect(&w, "");
        publish_one(&w, 90);
        expect(&w, "1/2 opened@4");
        assert_int_equal(w.stored[1].opened, period_at(4));
        restate(&w, 4, 0, 95); /* too short again */
        expect(&w, "1/2 withdrawn@2 (restated)");
        assert_int_equal(w.stored[1].state, EPISODE_PENDING);
        publish_one(&w, 90);
        expect(&w, "1/2 opened@5");
        assert_int_equal(w.stored[1].state, EPISODE_OPEN);
}

static void judges_several_publications_at_once(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        series(&w, 0, "99 90 90 99 90");
        series(&w, 1, "99 90 90 90 90");
        expect(&w, "1/1 opened@1; 1/1 closed@3 (clear); 1/4 opened@4; 2/1 opened@1");
}

/* ---- a past that changes --------------------------------------------------------------------- */

static void withdraws_and_amends(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "99 90 99 91 92");
        expect(&w, "1/1 opened@1; 1/1 closed@2 (clear); 1/3 opened@3");
        restate(&w, 4, 0, 93);
        expect(&w, "1/3 amended@4 (restated)");
        assert_true(w.stored[1].value == 93);
        restate(&w, 1, 0, 97); /* the closed one never was */
        expect(&w, "1/1 withdrawn@1 (restated)");
        assert_int_equal(w.stored[0].state, EPISODE_GONE);
        assert_true(w.stored[0].value == 97 && w.stored[0].limit == 95);
        restate(&w, 1, 0, 95); /* gone, but trembling now: for the plan */
        expect(&w, "1/1 amended@1 (restated)");
        assert_true(rule_is_between(&w.rules[0], w.stored[0].value, w.stored[0].limit));
        restate(&w, 4, 0, 97);
        expect(&w, "1/3 closed@4 (restated)");
        restate(&w, 4, 0, 98);
        expect(&w, "1/3 amended@4 (restated)");
        restate(&w, 4, 0, 90);
        expect(&w, "1/3 opened@4 (restated)");
        assert_int_equal(w.n_stored, 2);
}

static void marks_what_came_late(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "99 99 99 99");
        expect(&w, "");
        restate(&w, 1, 0, 90);
        expect(&w, "1/1 opened@1 (restated); 1/1 closed@2 (restated)");
        assert_true(w.stored[0].is_late);
        restate(&w, 3, 0, 90); /* the newest: an opening like any other */
        expect(&w, "1/3 opened@3");
        assert_false(w.stored[1].is_late);
        restate(&w, 1, 0, 99);
        expect(&w, "1/1 withdrawn@1 (restated)");
        restate(&w, 1, 0, 91);
        expect(&w, "1/1 opened@1 (restated); 1/1 closed@2 (restated)");
        assert_true(w.stored[0].is_late);
        assert_int_equal(w.n_stored, 2);
}

/* What once came late and was withdrawn may appear again by the figure of the newest period. */
static void forgets_that_it_came_late(void **state UNUSED) {
        World w;

        world_init(&w, 1, "drop 5");
        series(&w, 0, "90 90");
        expect(&w, "");
        restate(&w, 0, 0, 96);
        expect(&w, "1/1 opened@1 (restated)");
        assert_true(w.stored[0].is_late);
        restate(&w, 0, 0, 90);
        expect(&w, "1/1 withdrawn@1 (restated)");
        restate(&w, 1, 0, 84);
        expect(&w, "1/1 opened@1");
        assert_false(w.stored[0].is_late);
}

static void splits_and_joins_runs(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "90 90 90 90");
        expect(&w, "1/0 opened@0");
        restate(&w, 1, 0, 99);
        expect(&w, "1/0 closed@1 (restated); 1/2 opened@2 (restated)");
        assert_true(w.stored[1].is_late);
        restate(&w, 1, 0, 90);
        expect(&w, "1/0 opened@3 (restated); 1/2 withdrawn@2 (restated)");
        restate(&w, 0, 0, 99); /* the run has another name now */
        expect(&w, "1/0 withdrawn@0 (restated); 1/1 opened@1 (restated)");
}

static void says_median(void **state UNUSED) {
        World w;

        world_init(&w, 5, "behind 5");
        publish(&w, (int64_t[]){80, 90, 90, 90, 90});
        expect(&w, "1/0 opened@0");
        restate(&w, 0, 1, 88); /* the median stays */
        expect(&w, "");
        restate(&w, 0, 2, 88);
        expect(&w, "1/0 amended@0 (median)");
        assert_true(w.stored[0].limit == 83);
        restate(&w, 0, 3, 84);
        restate(&w, 0, 4, 84);
        expect(&w, "1/0 withdrawn@0 (median)");
        restate(&w, 0, 0, 70);
        expect(&w, "1/0 opened@0");
        restate(&w, 0, 1, 60);
        expect(&w, "1/0 amended@0 (place); 2/0 opened@0");
}

static void fills_a_gap_under_the_same_name(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "-1 -1 -1 90");
        expect(&w, "1/3 opened@3");
        set(&w, 2, 0, 91); /* the first run fills backwards, newest first */
        w.extra.first_seen = period_at(2);
        expect(&w, "1/2 amended@3 (backfill)");
        assert_int_equal(w.n_stored, 1);
        assert_int_equal(w.stored[0].first, period_at(2));
        set(&w, 0, 0, 90);
        w.extra.first_seen = period_at(0);
        expect(&w, "1/0 amended@3 (backfill)");
        set(&w, 1, 0, 99);
        w.extra.first_seen = period_at(1);
        expect(&w, "1/0 closed@1 (backfill); 1/2 opened@2 (backfill)");
}

static void is_silent_about_what_is_long_over(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "-1 -1 99 97");
        expect(&w, "");
        set(&w, 1, 0, 90);
        w.extra.first_seen = period_at(1);
        expect(&w, "1/1 closed@2 (backfill)");
        assert_int_equal(w.stored[0].state, EPISODE_CLOSED);
        assert_false(w.stored[0].is_late);
}

/* ---- ends that no figure makes --------------------------------------------------------------- */

static void ends_at_an_era(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        w.has_era = true;
        w.era = (EraDef){.name = "portal", .from = period_start(period_at(2))};
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 opened@0; 2/0 opened@0");
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 continued@1; 2/0 continued@1");
        publish(&w, (int64_t[]){90, 99});
        expect(&w, "1/0 era@2 (era); 1/2 opened@2; 2/0 era@2 (era)");
        assert_int_equal(w.stored[0].end, END_ERA);
        assert_int_equal(w.stored[0].last, period_at(2));
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/2 continued@3; 2/3 opened@3");
}

static void ends_with_its_unit(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 opened@0; 2/0 opened@0");
        w.valid_until[0] = period_start(period_at(1)); /* not there on the last day of period 1 */
        w.is_watched[0] = false;
        publish(&w, (int64_t[]){-1, 90});
        expect(&w, "1/0 unit_ended@1 (unit_ended); 2/0 continued@1");
        assert_int_equal(w.stored[0].end, END_UNIT_ENDED);
        assert_true(w.stored[0].value == NONE);
        publish(&w, (int64_t[]){-1, 90});
        expect(&w, "2/0 continued@2");
        restate(&w, 0, 0, 99); /* its past can still change */
        expect(&w, "1/0 withdrawn@0 (restated)");
}

static void ends_when_no_longer_watched(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 opened@0; 2/0 opened@0");
        w.is_watched[1] = false;
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 continued@1; 2/0 rule_changed@1 (rule_changed)");
        assert_int_equal(w.stored[1].end, END_RULE_CHANGED);
        publish(&w, (int64_t[]){90, 90});
        expect(&w, "1/0 continued@2");
}

static void ends_with_the_rule(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        w.rules[0].until = period_at(1);
        series(&w, 0, "90 90");
        expect(&w, "1/0 opened@0");
        publish_one(&w, 90);
        expect(&w, "1/0 rule_removed@2 (rule_removed)");
        publish_one(&w, 90);
        expect(&w, "");
}

static void judges_each_period_by_its_text(void **state UNUSED) {
        World w;

        world_init(&w, 3, "below 95");
        series(&w, 0, "99 92 92");
        series(&w, 1, "99 92 85");
        series(&w, 2, "99 99 92");
        expect(&w, "1/1 opened@1; 2/1 opened@1; 3/2 opened@2");
        assert_int_equal(condition_parse("below 90", 0, &w.rules[1].when, NULL, NULL, 0, NULL), 0);
        w.versions[1] = (RuleVersion){period_at(2), &w.rules[1]};
        w.n_versions = 2;
        w.extra.is_new_rule = true;
        CLEANUP(judge_result_done) JudgeResult result = {0};
        judge_once(&w, engine_fold_from(w.stored, 3, period_at(2), period_at(2)), &result);
        describe(&w, &result);
        assert_string_equal(w.text,
                            "1/1 rule_changed@2 (rule_changed); 2/1 amended@2 (rule); 3/2 "
                            "rule_changed@2 (rule_changed)");
        store(&w, &result);
        w.extra.is_new_rule = false;
        expect(&w, ""); /* and it stays so */
        assert_int_equal(w.stored[0].end, END_RULE_CHANGED);
        assert_int_equal(w.stored[2].end, END_RULE_CHANGED);
        publish(&w, (int64_t[]){89, 89, 89});
        expect(&w, "1/3 opened@3; 2/1 continued@3; 3/3 opened@3");
}

static void lets_a_new_rule_wait(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "90 90");
        w.extra.is_new_rule = true;
        CLEANUP(judge_result_done) JudgeResult result = {0};
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_int_equal(w.stored[0].tell_from, period_at(2));
        w.extra.is_new_rule = false;
        expect(&w, "");
        publish_one(&w, 90);
        expect(&w, "1/0 continued@2");
        assert_int_equal(w.stored[0].tell_from, period_at(2));
}

/* An end by a changed text stays; its figure is the one that is known, and a changed past moves its
 * beginning instead of making a second alert of it. */
static void goes_on_after_a_changed_rule(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        series(&w, 0, "90 90 90");
        series(&w, 1, "99 99 90");
        expect(&w, "1/0 opened@0; 2/2 opened@2");
        assert_int_equal(condition_parse("below 80", 0, &w.rules[1].when, NULL, NULL, 0, NULL), 0);
        w.versions[1] = (RuleVersion){period_at(2), &w.rules[1]};
        w.n_versions = 2;
        w.extra.is_new_rule = true;
        expect(&w, "1/0 rule_changed@2 (rule_changed); 2/2 rule_changed@2 (rule_changed)");
        restate(&w, 2, 1, 88); /* no run for the new text, and its end may not have been told yet */
        expect(&w, "2/2 amended@2 (restated)");
        assert_true(w.stored[1].value == 88);
        restate(&w, 0, 0, 99);
        expect(&w, "1/1 amended@2 (restated)");
        assert_int_equal(w.stored[0].first, period_at(1));
        assert_int_equal(w.stored[0].end, END_RULE_CHANGED);
        restate(&w, 2, 0, 79);
        expect(&w, "1/1 opened@2 (restated)");
        publish(&w, (int64_t[]){70, 99});
        expect(&w, "1/1 continued@3");
        assert_int_equal(w.n_stored, 2);
}

/* Officials hear of what a changed limit opens again at the next publication, as of what it opens. */
static void waits_when_a_changed_rule_opens_again(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "90 97");
        expect(&w, "1/0 opened@0; 1/0 closed@1 (clear)");
        assert_int_equal(condition_parse("below 98", 0, &w.rules[1].when, NULL, NULL, 0, NULL), 0);
        w.versions[1] = (RuleVersion){period_at(1), &w.rules[1]};
        w.n_versions = 2;
        w.extra.is_new_rule = true;
        expect(&w, "1/0 opened@1 (rule)");
        assert_int_equal(w.stored[0].tell_from, period_at(2));
}

static void leaves_another_indicator_behind(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "90 90");
        expect(&w, "1/0 opened@0");
        w.rules[1].when = w.rules[0].when;
        w.rules[1].indicator = 1;
        w.versions[1] = (RuleVersion){period_at(1), &w.rules[1]};
        w.n_versions = 2;
        expect(&w, "1/0 rule_changed@1 (rule_changed); 1/1 opened@1");
}

static void leaves_another_period_type_behind(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "90 99");
        w.n_stored = 2;
        w.stored[0] = (Episode){.id = 1,
                                .rule = "low",
                                .unit = 1,
                                .first = 2023204,
                                .opened = 2023204,
                                .last = 2023204,
                                .state = EPISODE_OPEN,
                                .severity = SEVERITY_WARNING};
        w.stored[1] = w.stored[0];
        w.stored[1].id = 2;
        w.stored[1].first = w.stored[1].last = 2024401;
        w.stored[1].state = EPISODE_CLOSED;
        CLEANUP(judge_result_done) JudgeResult result = {0};
        judge_once(&w, FIRST, &result);
        assert_int_equal(result.n_episodes, 2);
        assert_int_equal(result.episodes[0].id, 1);
        assert_int_equal(result.episodes[0].end, END_RULE_CHANGED);
        assert_int_equal(result.transitions[0].kind, TRANSITION_RULE_CHANGED);
        assert_int_equal(result.episodes[1].first, FIRST);
}

static void clears_in_a_running_period(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        w.rules[0].watch = WATCH_RUNNING;
        publish_one(&w, 90);
        expect(&w, "1/0 opened@0");
        restate(&w, 0, 0, 95);
        expect(&w, ""); /* between */
        restate(&w, 0, 0, 97);
        expect(&w, "1/0 closed@0 (clear)");
        assert_true(w.stored[0].value == 97);
        restate(&w, 0, 0, 90);
        expect(&w, "1/0 opened@0 (restated)");
        restate(&w, 0, 0, 97);
        expect(&w, "1/0 closed@0 (clear)");
        publish_one(&w, 90);
        expect(&w, "1/1 opened@1");
}

/* What was not clear has not recovered: the month ended without a figure, or the run only begins
 * elsewhere. */
static void warns_early_and_truly(void **state UNUSED) {
        World w;

        world_init(&w, 2, "below 95");
        w.rules[0].watch = WATCH_RUNNING;
        publish(&w, (int64_t[]){90, 91});
        expect(&w, "1/0 opened@0; 2/0 opened@0");
        restate(&w, 0, 0, -1);
        expect(&w, "2/0 amended@0 (place)");
        publish(&w, (int64_t[]){99, 91});
        expect(&w, "1/0 withdrawn@0 (backfill); 2/0 continued@1");
        assert_true(w.stored[0].value == NONE);
        restate(&w, 0, 1, 99);
        expect(&w, "2/0 withdrawn@0 (restated); 2/1 opened@1 (restated)");
        publish(&w, (int64_t[]){99, 97});
        expect(&w, "2/1 closed@2 (clear)");
        assert_int_equal(w.n_stored, 3);
}

static void has_no_delta_while_running(void **state UNUSED) {
        World w;

        world_init(&w, 1, "drop 1");
        w.rules[0].watch = WATCH_RUNNING;
        series(&w, 0, "99 90");
        expect(&w, "");
        w.rules[0].watch = WATCH_ENDED;
        expect(&w, "1/1 opened@1");
}

static void low_volume_is_unknown(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        w.rules[0].min_volume = 20;
        w.rules[0].volume_indicator = 1;
        w.has_volume = true;
        for (size_t i = 0; i < 6; i++)
                w.volume[i] = i == 1 || i == 3 ? 5 : 50;
        series(&w, 0, "99 90 90 99 99");
        expect(&w, "1/2 opened@2; 1/2 closed@4 (clear)");
}

static void survives_a_clock_that_went_back(void **state UNUSED) {
        World w;

        world_init(&w, 1, "below 95");
        series(&w, 0, "99 90 91");
        expect(&w, "1/1 opened@1");
        UnitId units[1];
        Panel value = view(&w, w.value, units);
        JudgeInput in = {.versions = w.versions,
                         .n_versions = 1,
                         .indicators = w.indicators,
                         .value = &value,
                         .fold_from = FIRST,
                         .newest = period_at(0),
                         .stored = w.stored,
                         .n_stored = 1};
        CLEANUP(judge_result_done) JudgeResult result = {0};
        assert_int_equal(engine_judge(&in, &result), 0);
        assert_int_equal(result.n_episodes, 0);
        in.newest = 0; /* nothing may be judged */
        CLEANUP(judge_result_done) JudgeResult none = {0};
        assert_int_equal(engine_judge(&in, &none), 0);
        assert_int_equal(none.n_episodes, 0);
}

/* ---- mass guard ------------------------------------------------------------------------------ */

static void publish_mass(World *w, size_t n_low) {
        int64_t values[MAX_UNITS];

        for (size_t u = 0; u < w->n_units; u++)
                values[u] = u < n_low ? 90 : 99;
        publish(w, values);
        w->extra.guard_percent = 50;
}

static size_t count_held(const World *w) {
        size_t n = 0;

        for (size_t i = 0; i < w->n_stored; i++)
                n += w->stored[i].is_held;
        return n;
}

static void holds_a_mass_of_openings(void **state UNUSED) {
        World w;
        CLEANUP(judge_result_done) JudgeResult result = {0};

        world_init(&w, 10, "below 95");
        publish_mass(&w, 1);
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_false(result.is_guard_tripped); /* 1 of 10 */
        judge_result_done(&result);
        publish_mass(&w, 6);
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_false(result.is_guard_tripped); /* 5 of 10 open: not more than half */
        assert_int_equal(result.guard_opening, 5);
        assert_int_equal(result.guard_of, 10);
}

static void holds_until_it_is_no_mass(void **state UNUSED) {
        World w;
        CLEANUP(judge_result_done) JudgeResult result = {0};

        world_init(&w, 10, "below 95");
        publish_mass(&w, 0);
        expect(&w, "");
        publish_mass(&w, 6);
        JudgeInput flags = w.extra;
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_true(result.is_guard_tripped);
        assert_false(result.is_guard_by_jump);
        assert_int_equal(result.guard_opening, 6);
        assert_int_equal(count_held(&w), 6);
        judge_result_done(&result);
        w.extra = flags; /* the same again: nothing new, and still held */
        assert_int_equal(judge_once(&w, FIRST, &result), 0);
        assert_true(result.is_guard_tripped);
        judge_result_done(&result);
        publish_mass(&w, 6); /* another month of it */
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_true(result.is_guard_tripped);
        assert_int_equal(count_held(&w), 6);
        judge_result_done(&result);
        flags = w.extra;
        flags.is_guard_released = true;
        w.extra = flags;
        judge_once(&w, FIRST, &result);
        assert_false(result.is_guard_tripped);
        assert_int_equal(result.n_episodes, 6); /* let go, no transition */
        assert_int_equal(result.n_transitions, 0);
        judge_result_done(&result);
        publish_mass(&w, 3); /* or by itself */
        judge_once(&w, FIRST, &result);
        store(&w, &result);
        assert_false(result.is_guard_tripped);
        assert_int_equal(count_held(&w), 0);
}

static void guards_against_a_jump_of_the_median(void **state UNUSED) {
        World w;
        CLEANUP(judge_result_done) JudgeResult result = {0};
        int64_t before[10], now[10];

        world_init(&w, 10, "below 85");
        for (size_t u = 0; u < 10; u++) {
                before[u] = 99;
                now[u] = u < 3 ? 80 : 88;
        }
        publish(&w, before);
        expect(&w, "");
        publish(&w, now);
        w.extra.guard_percent = 50;
        w.extra.guard_jump = 10;
        JudgeInput flags = w.extra;
        judge_once(&w, FIRST, &result);
        assert_true(result.is_guard_tripped);
        assert_true(result.is_guard_by_jump); /* 99 -> 88 */
        assert_int_equal(result.guard_opening, 3);
        for (size_t i = 0; i < result.n_episodes; i++)
                assert_true(result.episodes[i].is_held);
        judge_result_done(&result);
        w.extra = flags;
        w.extra.guard_jump = 11; /* not more than 11 */
        judge_once(&w, FIRST, &result);
        assert_false(result.is_guard_tripped);
        judge_result_done(&result);
        w.has_era = true; /* another formula: no jump to speak of */
        w.era = (EraDef){.name = "x", .from = period_start(period_at(1))};
        w.extra = flags;
        judge_once(&w, FIRST, &result);
        assert_false(result.is_guard_tripped);
}

static void leaves_small_cohorts_alone(void **state UNUSED) {
        World w;
        CLEANUP(judge_result_done) JudgeResult result = {0};

        world_init(&w, 9, "below 95");
        publish_mass(&w, 9);
        judge_once(&w, FIRST, &result);
        assert_false(result.is_guard_tripped);
        assert_int_equal(result.guard_opening, 9);
}

/* ---- properties ------------------------------------------------------------------------------ */

static uint32_t dice(uint64_t *seed, uint32_t n) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t) (*seed >> 33) % n;
}

static int64_t random_value(uint64_t *seed) {
        static const int64_t values[] = {70, 80, 88, 90, 92, 94, 95, 95, 96, 97, 99, 100, -1, -1};

        return values[dice(seed, ELEMENTSOF(values))];
}

static const char *const conditions[] = {
        "below 95",    "above 95",
        "behind 3",    "drop 2",
        "falling 2",   "flat 2 within 3 and below 95",
        "rank_drop 2", "below 95 and above 75",
};

static void random_world(World *w, uint64_t *seed) {
        world_init(w, 3 + dice(seed, 5), conditions[dice(seed, ELEMENTSOF(conditions))]);
        w->rules[0].for_n = 1 + (int) dice(seed, 2);
        w->rules[0].clear = dice(seed, 3);
        if (dice(seed, 3) == 0)
                assert_int_equal(
                        condition_parse("below 80", 0, &w->rules[0].critical, NULL, NULL, 0, NULL),
                        0);
        if (dice(seed, 2) == 0) {
                w->has_era = true;
                w->era = (EraDef){.name = "x",
                                  .from = period_start(period_at(3 + dice(seed, 8))) +
                                          (Day) dice(seed, 2) * 9};
        }
        if (dice(seed, 3) == 0)
                w->valid_until[0] = period_start(period_at(4 + dice(seed, 8)));
}

/* `stored` was an alert once and waits again: it keeps when it was opened, which no fold over the figures
 * of today can know. */
static bool is_same_opening(const Episode *stored, const Episode *folded) {
        return stored->opened == folded->opened ||
               (stored->state == EPISODE_PENDING && folded->opened == 0);
}

static bool is_same_episode(const Episode *a, const Episode *b) {
        return a->unit == b->unit && a->first == b->first && is_same_opening(a, b) &&
               a->last == b->last && a->length == b->length && a->state == b->state &&
               a->end == b->end && a->severity == b->severity && a->value == b->value &&
               a->previous == b->previous && a->limit == b->limit && a->delta == b->delta &&
               a->place == b->place && a->of == b->of;
}

/* All that was stored step by step is what one fold over all figures gives. */
static void compare_with_one_fold(World *w, uint64_t seed) {
        CLEANUP(judge_result_done) JudgeResult whole = {0};
        size_t n_stored = w->n_stored, n = 0;

        w->n_stored = 0;
        judge_once(w, FIRST, &whole);
        w->n_stored = n_stored;
        for (size_t i = 0; i < w->n_stored; i++) {
                const Episode *e = &w->stored[i];
                bool is_found = e->state == EPISODE_GONE;
                n += !is_found;
                for (size_t k = 0; k < whole.n_episodes && !is_found; k++)
                        is_found = is_same_episode(e, &whole.episodes[k]);
                if (!is_found)
                        fail_msg("seed %llu: unit %u from %d (%c) is not in the whole",
                                 (unsigned long long) seed, e->unit, index_of(e->first),
                                 state_letter(e));
        }
        for (size_t k = 0; k < whole.n_episodes; k++)
                n -= whole.episodes[k].state != EPISODE_GONE;
        assert_int_equal(n, 0);
}

static void step_world(World *w, uint64_t *seed) {
        int64_t values[MAX_UNITS];

        if (w->n_periods == 0 || dice(seed, 3) != 0) {
                for (size_t u = 0; u < w->n_units; u++)
                        values[u] = random_value(seed);
                publish(w, values);
        } else
                for (size_t k = 1 + dice(seed, 2); k > 0; k--)
                        restate(w, dice(seed, (uint32_t) w->n_periods),
                                dice(seed, (uint32_t) w->n_units), random_value(seed));
        CLEANUP(judge_result_done) JudgeResult result = {0};
        judge(w, &result); /* (a) judging again adds nothing */
}

/* (a) and (b): again nothing; step by step with the least fold the same as all at once. */
static void steps_come_to_the_same_as_the_whole(void **state UNUSED) {
        static World w;

        for (uint64_t run = 0; run < 400; run++) {
                uint64_t seed = run * 7919 + 1;
                random_world(&w, &seed);
                for (size_t i = 0; i < 24; i++)
                        step_world(&w, &seed);
                compare_with_one_fold(&w, run);
        }
}

/* Periods that come in any order, as a first run does, and end in the same episodes. */
static void any_order_comes_to_the_same(void **state UNUSED) {
        static World w;

        for (uint64_t run = 0; run < 200; run++) {
                uint64_t seed = run * 104729 + 3;
                int64_t later[12 * MAX_UNITS];
                random_world(&w, &seed);
                w.n_periods = 12;
                for (size_t i = 0; i < 12 * w.n_units; i++) {
                        int64_t v = random_value(&seed);
                        later[i] = v < 0 ? NONE : v;
                        w.value[i] = NONE;
                }
                for (size_t p = 12; p-- > 0;) { /* newest first */
                        memcpy(w.value + p * w.n_units, later + p * w.n_units,
                               w.n_units * sizeof(*later));
                        w.extra.first_seen = period_at(p);
                        CLEANUP(judge_result_done) JudgeResult result = {0};
                        judge(&w, &result);
                }
                compare_with_one_fold(&w, run);
        }
}

/* (c): a period without any figure opens and closes nothing. */
static void the_unknown_opens_and_closes_nothing(void **state UNUSED) {
        static World w;

        for (uint64_t run = 0; run < 200; run++) {
                uint64_t seed = run * 31 + 5;
                int64_t nothing[MAX_UNITS];
                random_world(&w, &seed);
                w.has_era = false;
                w.valid_until[0] = DAY_OPEN;
                for (size_t i = 0; i < 8; i++)
                        step_world(&w, &seed);
                for (size_t u = 0; u < w.n_units; u++)
                        nothing[u] = -1;
                publish(&w, nothing);
                expect(&w, "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lives_and_ends),
                cmocka_unit_test(waits_for_n_publications),
                cmocka_unit_test(judges_several_publications_at_once),
                cmocka_unit_test(withdraws_and_amends),
                cmocka_unit_test(marks_what_came_late),
                cmocka_unit_test(forgets_that_it_came_late),
                cmocka_unit_test(splits_and_joins_runs),
                cmocka_unit_test(says_median),
                cmocka_unit_test(fills_a_gap_under_the_same_name),
                cmocka_unit_test(is_silent_about_what_is_long_over),
                cmocka_unit_test(ends_at_an_era),
                cmocka_unit_test(ends_with_its_unit),
                cmocka_unit_test(ends_when_no_longer_watched),
                cmocka_unit_test(ends_with_the_rule),
                cmocka_unit_test(judges_each_period_by_its_text),
                cmocka_unit_test(lets_a_new_rule_wait),
                cmocka_unit_test(leaves_another_indicator_behind),
                cmocka_unit_test(leaves_another_period_type_behind),
                cmocka_unit_test(clears_in_a_running_period),
                cmocka_unit_test(warns_early_and_truly),
                cmocka_unit_test(goes_on_after_a_changed_rule),
                cmocka_unit_test(waits_when_a_changed_rule_opens_again),
                cmocka_unit_test(has_no_delta_while_running),
                cmocka_unit_test(low_volume_is_unknown),
                cmocka_unit_test(survives_a_clock_that_went_back),
                cmocka_unit_test(holds_a_mass_of_openings),
                cmocka_unit_test(holds_until_it_is_no_mass),
                cmocka_unit_test(guards_against_a_jump_of_the_median),
                cmocka_unit_test(leaves_small_cohorts_alone),
                cmocka_unit_test(steps_come_to_the_same_as_the_whole),
                cmocka_unit_test(any_order_comes_to_the_same),
                cmocka_unit_test(the_unknown_opens_and_closes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
