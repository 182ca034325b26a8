/* Rule texts, episodes now and in the past, transitions, holds, silences, acknowledgements. */
#include "store-util.h"

#include "store/alert.h"

static Episode episode_make(const char *rule, UnitId unit, int64_t first) {
        return (Episode){.rule = rule,
                         .unit = unit,
                         .first = first,
                         .opened = (PeriodId) first,
                         .last = (PeriodId) first,
                         .length = 1,
                         .state = EPISODE_OPEN,
                         .severity = SEVERITY_WARNING,
                         .value = 8271,
                         .previous = VALUE_NONE,
                         .limit = 9500,
                         .delta = VALUE_NONE,
                         .place = 13,
                         .of = 15};
}

static void put(Store *s, StepId step, Episode *e, TransitionKind kind) {
        TransitionRow t = {.at_ms = T0,
                           .kind = kind,
                           .period = e->last,
                           .value = e->value,
                           .previous_value = e->previous,
                           .limit = e->limit,
                           .place = e->place,
                           .of = e->of,
                           .severity = e->severity};

        ok(store_episode_put(s, step, e));
        ok(store_transition_add(s, step, e, &t));
}

static void assert_episode(const Episode *a, const Episode *b) {
        Episode x = *a, y = *b;

        assert_string_equal(x.rule, y.rule);
        assert_true(streq_ptr(x.subject, y.subject));
        assert_int_equal(x.id, y.id);
        assert_int_equal(x.unit, y.unit);
        assert_int_equal(x.first, y.first);
        assert_int_equal(x.opened, y.opened);
        assert_int_equal(x.last, y.last);
        assert_int_equal(x.length, y.length);
        assert_int_equal(x.state, y.state);
        assert_int_equal(x.end, y.end);
        assert_int_equal(x.severity, y.severity);
        assert_true(x.value == y.value);
        assert_true(x.previous == y.previous);
        assert_true(x.limit == y.limit);
        assert_true(x.delta == y.delta);
        assert_int_equal(x.place, y.place);
        assert_int_equal(x.of, y.of);
        assert_int_equal(x.is_late, y.is_late);
        assert_int_equal(x.is_held, y.is_held);
        assert_int_equal(x.tell_from, y.tell_from);
        assert_int_equal(x.step, y.step);
}

static void test_rule_texts(void **state) {
        World *w = *state;
        Store *s = w->store;
        RuleTextRow *rows = NULL;
        size_t n;
        StepId step = begin(s, CAUSE_RELOAD, T0);

        ok(store_rule_text_put(s, step, "low", 2026101, "below 80"));
        ok(store_rule_text_put(s, step, "low", 2024101, "below 90"));
        ok(store_rule_text_put(s, step, "other", 2024101, "above 0"));
        ok(store_commit(s));
        step = begin(s, CAUSE_RELOAD, T0);
        ok(store_rule_text_put(s, step, "low", 2026101, "below 85"));
        ok(store_rule_text_put(s, step, "low", 2024101,
                               "below 90")); /* the same: stays as it was */
        ok(store_commit(s));
        ok(store_rule_texts(s, "low", &rows, &n));
        assert_int_equal(n, 2);
        assert_int_equal(rows[0].from, 2024101);
        assert_string_equal(rows[0].text, "below 90");
        assert_int_equal(rows[0].step, 1);
        assert_string_equal(rows[1].text, "below 85");
        assert_int_equal(rows[1].step, 2);
        rule_text_rows_free(rows, n);
        ok(store_rule_texts(s, "none", &rows, &n));
        assert_int_equal(n, 0);
}

static void test_episode_life(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        Episode e = episode_make("low", u, 2024106), seen[4], twin = e, lost = e;
        Episode *got = NULL;
        TransitionRow *t = NULL;
        size_t n;

        put(s, step, &e, TRANSITION_OPENED);
        assert_int_equal(e.step, step);
        seen[1] = e;
        assert_int_equal(store_episode_put(s, step, &twin), -EEXIST);
        assert_int_equal(twin.id, 0);
        lost.id = 99;
        assert_int_equal(store_episode_put(s, step, &lost), STORE_E_NONE);
        ok(store_commit(s));

        step = begin(s, CAUSE_SNAPSHOT, T0);
        e.last = 2024107;
        e.length = 2;
        e.severity = SEVERITY_CRITICAL;
        e.delta = -5;
        e.previous = 8271;
        e.value = 0;
        e.is_late = true;
        put(s, step, &e, TRANSITION_CONTINUED);
        e.is_held = true;
        e.tell_from = 2024109;
        put(s, step, &e, TRANSITION_WORSE); /* two in one step: the later one holds */
        seen[2] = e;
        ok(store_commit(s));

        step = begin(s, CAUSE_SNAPSHOT, T0);
        e.state = EPISODE_CLOSED;
        e.end = END_CLEAR;
        e.last = 2024108;
        TransitionRow closed = {.at_ms = T0 + 9,
                                .kind = TRANSITION_CLOSED,
                                .period = 2024108,
                                .value = 9700,
                                .previous_value = VALUE_NONE,
                                .limit = 9500,
                                .place = 2,
                                .of = 15,
                                .severity = SEVERITY_WARNING,
                                .reason = (char *) "clear"};
        ok(store_episode_put(s, step, &e));
        ok(store_transition_add(s, step, &e, &closed));
        seen[3] = e;
        ok(store_commit(s));

        for (StepId as_of = 1; as_of <= 3; as_of++) {
                ok(store_episodes_as_of(s, NULL, as_of, &got, &n));
                assert_int_equal(n, 1);
                assert_episode(&got[0], &seen[as_of]);
                store_episodes_free(got, n);
        }
        ok(store_episodes_as_of(s, NULL, -1, &got, &n));
        assert_int_equal(n, 0);
        ok(store_episodes(s, &(EpisodeFilter){.id = e.id}, &got, &n));
        assert_int_equal(n, 1);
        assert_episode(&got[0], &seen[3]);
        store_episodes_free(got, n);

        ok(store_transitions(s, e.id, &t, &n));
        assert_int_equal(n, 4);
        assert_int_equal(t[0].kind, TRANSITION_OPENED);
        assert_null(t[0].reason);
        assert_true(t[0].previous_value == VALUE_NONE);
        assert_int_equal(t[3].at_ms, T0 + 9);
        assert_int_equal(t[3].step, 3);
        assert_int_equal(t[3].episode, e.id);
        assert_int_equal(t[3].value, 9700);
        assert_int_equal(t[3].place, 2);
        assert_int_equal(t[3].of, 15);
        assert_string_equal(t[3].reason, "clear");
        transition_rows_free(t, n);
        assert_int_equal(sql_do(s, "UPDATE transition SET value = 1"), -EPERM);
        assert_int_equal(sql_do(s, "DELETE FROM transition"), -EPERM);
        assert_sql_text(
                s, "SELECT state || ' ' || first || ' ' || last || ' ' || severity FROM v_alerts",
                "closed 2024-06 2024-08 critical");
}

enum { N_RULES = 3, N_UNITS = 6 };

/* What a filter means, said once more and slowly. */
static bool wanted(const Episode *e, const EpisodeFilter *f) {
        bool has_unit = !f->units;

        for (size_t i = 0; i < f->n_units; i++)
                has_unit = has_unit || f->units[i] == e->unit;
        if (f->rule && strcmp(f->rule, e->rule) != 0)
                return false;
        if (!has_unit || (f->id && f->id != e->id) || (f->is_subject && e->unit != 0))
                return false;
        if (f->is_visible && e->state == EPISODE_PENDING)
                return false;
        return !f->is_live || e->state <= EPISODE_OPEN ||
               (f->touched_from && e->last >= f->touched_from);
}

static void check_filter(Store *s, const EpisodeFilter *f, StepId as_of, const Episode *all,
                         size_t n_all) {
        Episode *got = NULL;
        size_t n, k = 0;

        ok(store_episodes_as_of(s, f, as_of, &got, &n));
        for (size_t i = 0; i < n_all; i++)
                if (wanted(&all[i], f)) {
                        assert_true(k < n);
                        assert_episode(&got[k++], &all[i]);
                }
        assert_int_equal(k, n);
        store_episodes_free(got, n);
}

/* Sorted by (rule, unit, first). */
static bool comes_before(const Episode *a, const Episode *b) {
        int rule = strcmp(a->rule, b->rule);

        if (rule != 0)
                return rule < 0;
        return a->unit != b->unit ? a->unit < b->unit : a->first < b->first;
}

/* The counts of status and metrics, against the episodes themselves. */
static void check_counts(Store *s, const Episode *all, size_t n_all) {
        OpenCount *got = NULL;
        size_t n = 0, k = 0, open = 0, critical = 0, held = 0;

        ok(store_episodes_open(s, &got, &n));
        for (size_t i = 0; i < n_all; i++) {
                bool is_last = i + 1 == n_all || strcmp(all[i].rule, all[i + 1].rule) != 0;

                if (all[i].unit != 0 && all[i].state == EPISODE_OPEN) {
                        open++;
                        critical += all[i].severity == SEVERITY_CRITICAL;
                        held += all[i].is_held;
                }
                if (!is_last || open == 0)
                        continue;
                assert_true(k < n);
                assert_string_equal(got[k].rule, all[i].rule);
                assert_int_equal(got[k].open, open);
                assert_int_equal(got[k].critical, critical);
                assert_int_equal(got[k].held, held);
                open = critical = held = 0;
                k++;
        }
        assert_int_equal(k, n);
        assert_true(n > 1);
        open_counts_free(got, n);
}

static void test_episode_filters(void **state) {
        World *w = *state;
        Store *s = w->store;
        static const char *const rules[N_RULES] = {"a", "b", "c"};
        UnitId units[N_UNITS] = {0};
        Episode *all = NULL;
        size_t n_all;
        uint64_t seed = 11;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);

        for (size_t u = 1; u < N_UNITS; u++) {
                char key[8];

                (void) snprintf(key, sizeof(key), "u%zu", u);
                units[u] = unit_new(s, step, key, "commune", 0);
        }
        for (size_t r = N_RULES; r-- > 0;)
                for (size_t u = N_UNITS; u-- > 0;)
                        for (PeriodId first = 2024103; first > 2024100; first--) {
                                Episode e = episode_make(rules[r], units[u], first);

                                e.subject = units[u] ? NULL : "source:portal";
                                e.state = (EpisodeState) (1 + next_random(&seed, 4));
                                e.last = first + (PeriodId) next_random(&seed, 3);
                                if (next_random(&seed, 2))
                                        e.severity = SEVERITY_CRITICAL;
                                e.is_held = next_random(&seed, 3) == 0;
                                put(s, step, &e, TRANSITION_OPENED);
                        }
        ok(store_commit(s));
        ok(store_episodes(s, NULL, &all, &n_all));
        assert_int_equal(n_all, N_RULES * N_UNITS * 3);
        for (size_t i = 1; i < n_all; i++)
                assert_true(comes_before(&all[i - 1], &all[i]));
        check_counts(s, all, n_all);
        for (int k = 0; k < 400; k++) {
                UnitId pick[N_UNITS];
                EpisodeFilter f = {.is_live = next_random(&seed, 2),
                                   .is_visible = next_random(&seed, 2),
                                   .is_subject = next_random(&seed, 4) == 0};

                if (next_random(&seed, 2))
                        f.rule = rules[next_random(&seed, N_RULES)];
                if (next_random(&seed, 2)) {
                        f.units = pick;
                        for (size_t u = 0; u < N_UNITS; u++)
                                if (next_random(&seed, 2))
                                        pick[f.n_units++] = units[u];
                }
                if (next_random(&seed, 2))
                        f.touched_from = 2024101 + (int) next_random(&seed, 5);
                if (next_random(&seed, 6) == 0)
                        f.id = 1 + next_random(&seed, 60);
                check_filter(s, &f, 0, all, n_all);
                check_filter(s, &f, step, all, n_all);
        }
        store_episodes_free(all, n_all);
}

static void test_holds(void **state) {
        World *w = *state;
        Store *s = w->store;
        Episode e = episode_make("low", 0, 1);
        bool is_released = true;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);

        e.subject = "hold:low/H31/commune";
        put(s, step, &e, TRANSITION_OPENED);
        ok(store_hold_released(s, e.subject, &is_released));
        assert_false(is_released);
        ok(store_commit(s));
        step = begin(s, CAUSE_OPERATOR, T0);
        ok(store_hold_release(s, step, e.subject));
        ok(store_hold_released(s, e.subject, &is_released));
        assert_true(is_released);
        ok(store_hold_released(s, "hold:other", &is_released));
        assert_false(is_released);
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0);
        e.state = EPISODE_CLOSED;
        put(s, step, &e, TRANSITION_CLOSED);
        ok(store_hold_released(s, e.subject, &is_released));
        assert_false(is_released);
        ok(store_commit(s));
        step = begin(s, CAUSE_OPERATOR, T0);
        ok(store_hold_release(s, step, e.subject)); /* the next one */
        ok(store_hold_released(s, e.subject, &is_released));
        assert_true(is_released);
        ok(store_commit(s));
}

static void test_silences(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SILENCE, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        SilenceRow in = {.rule = (char *) "low",
                         .unit = u,
                         .severity = SEVERITY_CRITICAL,
                         .from_ms = 100,
                         .until_ms = 200,
                         .author = (char *) "Lan",
                         .note = (char *) "nâng cấp"};
        SilenceRow *rows = NULL;
        int64_t first, second;
        size_t n;
        static const struct {
                int64_t at;
                size_t n;
        } cases[] = {{99, 1}, {100, 2}, {149, 2}, {150, 1}, {200, 1}, {999, 1}, {1000, 0}};

        ok(store_silence_add(s, step, &in, &first));
        ok(store_silence_add(s, step, &(SilenceRow){.parent = u, .from_ms = 0, .until_ms = 1000},
                             &second));
        ok(store_silence_end(s, step, first, 150));
        assert_int_equal(store_silence_end(s, step, first, 160), STORE_E_NONE);
        assert_int_equal(store_silence_end(s, step, 99, 160), STORE_E_NONE);
        ok(store_commit(s));
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ok(store_silences(s, cases[i].at, &rows, &n));
                assert_int_equal(n, cases[i].n);
                silence_rows_free(rows, n);
        }
        ok(store_silences(s, 120, &rows, &n));
        assert_int_equal(rows[0].id, first);
        assert_string_equal(rows[0].rule, "low");
        assert_int_equal(rows[0].unit, u);
        assert_int_equal(rows[0].parent, 0);
        assert_int_equal(rows[0].severity, SEVERITY_CRITICAL);
        assert_int_equal(rows[0].from_ms, 100);
        assert_int_equal(rows[0].until_ms, 150);
        assert_string_equal(rows[0].author, "Lan");
        assert_string_equal(rows[0].note, "nâng cấp");
        assert_null(rows[1].rule);
        assert_int_equal(rows[1].parent, u);
        assert_string_equal(rows[1].note, "");
        silence_rows_free(rows, n);
        assert_int_equal(sql_do(s, "UPDATE silence SET until_ms = 5"), -EPERM);
        assert_int_equal(sql_do(s, "DELETE FROM silence"), -EPERM);
}

static void test_acks(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        Episode a = episode_make("a", u, 2024101), b = episode_make("b", u, 2024101),
                c = episode_make("c", u, 2024101);
        AckRow *rows = NULL;
        size_t n;

        put(s, step, &a, TRANSITION_OPENED);
        put(s, step, &b, TRANSITION_OPENED);
        put(s, step, &c, TRANSITION_OPENED);
        assert_int_equal(store_ack_add(s, step, 99, "Lan", NULL, 0), STORE_E_NONE);
        ok(store_ack_add(s, step, b.id, "Lan", "đang xử lý", 0));
        ok(store_ack_add(s, step, a.id, "Lan", "", 500));
        ok(store_ack_add(s, step, c.id, "Lan", "", 0));
        a.severity = SEVERITY_CRITICAL;
        put(s, step, &a, TRANSITION_WORSE);
        c.state = EPISODE_CLOSED;
        put(s, step, &c, TRANSITION_CLOSED);
        int64_t end = -1;
        ok(store_ack_end(s, 499, &end));
        assert_int_equal(end, 500);
        ok(store_ack_end(s, 500, &end));
        assert_int_equal(end, 0);
        ok(store_acks(s, 499, 0, &rows, &n));
        assert_int_equal(n, 2);
        assert_int_equal(rows[0].episode, a.id);
        assert_int_equal(rows[0].severity, SEVERITY_WARNING); /* as it was then */
        assert_int_equal(rows[1].episode, b.id);
        free(TAKE_PTR(rows));
        ok(store_acks(s, 500, 0, &rows, &n));
        assert_int_equal(n, 1);
        assert_int_equal(rows[0].episode, b.id);
        free(TAKE_PTR(rows));
        ok(store_ack_add(s, step, a.id, "Lan", "", 0)); /* the newest counts */
        ok(store_acks(s, 600, 0, &rows, &n));
        assert_int_equal(n, 2);
        assert_int_equal(rows[0].severity, SEVERITY_CRITICAL);
        free(TAKE_PTR(rows));
        store_rollback(s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_rule_texts),      world_test(test_episode_life),
                world_test(test_episode_filters), world_test(test_holds),
                world_test(test_silences),        world_test(test_acks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
