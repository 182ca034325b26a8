/* Targets, messages and the states they may leave, the two ledgers, paused channels. */
#include "store-util.h"

#include "store/alert.h"
#include "store/outbox.h"

static int64_t target_new(Store *s, StepId step, const char *key, const char *address) {
        TargetRow row = {.key = (char *) key,
                         .recipient = (char *) "offices",
                         .channel = (char *) "email",
                         .address = (char *) address};
        int64_t id = 0;

        ok(store_target_put(s, step, &row, &id));
        return id;
}

static MessageRow message_make(int64_t target, const char *uuid) {
        return (MessageRow){.target = target,
                            .uuid = (char *) uuid,
                            .subject = (char *) "[766] Xã",
                            .content_type = (char *) "message/rfc822",
                            .body = (char *) "a\0b",
                            .body_size = 3,
                            .created_ms = T0,
                            .next_ms = T0 + 5};
}

static int64_t message_new(Store *s, StepId step, int64_t target, const char *uuid) {
        MessageRow row = message_make(target, uuid);
        int64_t id = 0;

        ok(store_message_add(s, step, &row, NULL, 0, &id));
        return id;
}

static int64_t episode_new(Store *s, StepId step, const char *rule, UnitId unit) {
        Episode e = {.rule = rule,
                     .unit = unit,
                     .first = 2024108,
                     .last = 2024108,
                     .state = EPISODE_OPEN};

        ok(store_episode_put(s, step, &e));
        return e.id;
}

static int settle(Store *s, StepId step, int64_t id, MessageState st, unsigned maybe) {
        char sql[64];
        (void) snprintf(sql, sizeof sql, "SELECT attempts FROM message WHERE id = %lld",
                        (long long) id);
        MessageRow row = {.id = id,
                          .attempts = (unsigned) sql_int(s, sql),
                          .state = st,
                          .next_ms = T0 + 300,
                          .settled_ms = T0 + 77,
                          .maybe = maybe,
                          .open_starts = 1,
                          .outcome = (char *) "temporary",
                          .response = (char *) "451 later"};

        return store_message_settle(s, step, &row);
}

static void test_targets(void **state) {
        World *w = *state;
        Store *s = w->store;
        TargetRow *rows = NULL;
        TargetRow row = {.key = (char *) "it/webhook",
                         .recipient = (char *) "it",
                         .channel = (char *) "webhook",
                         .address = (char *) "https://x",
                         .state = TARGET_OK};
        StepId step = begin(s, CAUSE_RELOAD, T0);
        int64_t a, b, again;
        size_t n;

        row.unit = unit_new(s, step, "u", "commune", 0);
        a = target_new(s, step, "offices/a/email", "a@x");
        ok(store_target_put(s, step, &row, &b));
        ok(store_target_state_put(s, a, TARGET_MARKED, "550 no such user"));
        ok(store_target_state_put(s, b, TARGET_DISABLED, "410"));
        ok(store_target_put(s, step, &row, &again)); /* as it was: stays disabled */
        assert_int_equal(again, b);
        ok(store_targets(s, &rows, &n));
        assert_int_equal(n, 2);
        assert_string_equal(rows[0].key, "offices/a/email");
        assert_int_equal(rows[0].state, TARGET_MARKED);
        assert_string_equal(rows[0].reason, "550 no such user");
        assert_int_equal(rows[0].unit, 0);
        assert_string_equal(rows[1].recipient, "it");
        assert_string_equal(rows[1].channel, "webhook");
        assert_string_equal(rows[1].address, "https://x");
        assert_int_equal(rows[1].unit, row.unit);
        assert_int_equal(rows[1].state, TARGET_DISABLED);
        target_rows_free(rows, n);

        assert_int_equal(target_new(s, step, "offices/a/email", "new@x"),
                         a); /* a changed address */
        ok(store_targets(s, &rows, &n));
        assert_int_equal(rows[0].state, TARGET_OK);
        assert_null(rows[0].reason);
        assert_string_equal(rows[0].address, "new@x");
        target_rows_free(rows, n);
        store_rollback(s);
}

static void test_removal(void **state) {
        World *w = *state;
        Store *s = w->store;
        TargetRow *rows = NULL;
        MessageRow *m = NULL;
        Told *told = NULL;
        ToldFigure *figures = NULL;
        const char *keep[] = {"c", "a"};
        StepId step = begin(s, CAUSE_RELOAD, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        int64_t a = target_new(s, step, "a", "a@x"), b = target_new(s, step, "b", "b@x"),
                e = episode_new(s, step, "low", u), of_a = message_new(s, step, a, "m-a"),
                of_b = message_new(s, step, b, "m-b");
        size_t n;

        for (int64_t t = a; t <= b; t++) {
                ok(store_told_put(s, step, t, &(Told){.episode = e, .said = SAY_OPENING}));
                ok(store_told_figure_put(
                        s, step, t,
                        &(ToldFigure){.indicator = i, .period = 2024108, .unit = u, .value = 5}));
        }
        ok(store_message_start(s, of_b, T0));
        ok(store_commit(s));
        step = begin(s, CAUSE_RELOAD, T0 + 1);
        ok(store_targets_keep(s, step, keep, 2));
        ok(store_commit(s));

        ok(store_targets(s, &rows, &n));
        assert_int_equal(n, 1);
        assert_int_equal(rows[0].id, a);
        target_rows_free(rows, n);
        ok(store_told(s, a, &told, &n));
        assert_int_equal(n, 1);
        free(TAKE_PTR(told));
        ok(store_told(s, b, &told, &n));
        assert_int_equal(n, 0);
        ok(store_told_figures(s, b, &figures, &n));
        assert_int_equal(n, 0);
        ok(store_message_get(s, of_a, &m));
        assert_int_equal(m->state, MESSAGE_READY);
        message_rows_free(m, 1);
        ok(store_message_get(s, of_b, &m));
        assert_int_equal(m->state, MESSAGE_VOID);
        assert_int_equal(m->settled, step);
        assert_int_equal(m->settled_ms, T0 + 1);
        message_rows_free(m, 1);

        /* the attempt that was under way ends: it may have arrived, but it never comes back */
        step = begin(s, CAUSE_SETTLE, T0 + 2);
        assert_int_equal(settle(s, step, of_b, MESSAGE_READY, 0), STORE_E_NONE);
        ok(settle(s, step, of_b, MESSAGE_ACCEPTED, 0));
        assert_int_equal(target_new(s, step, "b", "b@x"), b); /* back again, with an empty ledger */
        ok(store_targets(s, &rows, &n));
        assert_int_equal(n, 2);
        assert_int_equal(rows[1].state, TARGET_OK);
        target_rows_free(rows, n);
        ok(store_targets_keep(s, step, NULL, 0));
        ok(store_targets(s, &rows, &n));
        assert_int_equal(n, 0);
        store_rollback(s);
}

static void test_one_unsettled(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_RELEASE, T0);
        int64_t t = target_new(s, step, "a", "a@x"), other = target_new(s, step, "b", "b@x"), first,
                id = 0;
        MessageRow second = message_make(t, "m-2"), same_uuid = message_make(other, "m-1");
        bool is_busy = true;

        ok(store_target_busy(s, t, &is_busy));
        assert_false(is_busy);
        first = message_new(s, step, t, "m-1");
        ok(store_target_busy(s, t, &is_busy));
        assert_true(is_busy);
        assert_int_equal(store_message_add(s, step, &second, NULL, 0, &id), -EEXIST);
        ok(store_message_start(s, first, T0));
        assert_int_equal(store_message_add(s, step, &second, NULL, 0, &id), -EEXIST);
        assert_int_equal(id, 0);
        assert_int_equal(store_message_add(s, step, &same_uuid, NULL, 0, &id), -EEXIST);
        (void) message_new(s, step, other, "m-3");
        ok(settle(s, step, first, MESSAGE_DEAD, 0));
        ok(store_target_busy(s, t, &is_busy));
        assert_false(is_busy);
        ok(store_message_add(s, step, &second, NULL, 0, &id));
        assert_int_equal(settle(s, step, first, MESSAGE_READY, 0),
                         -EEXIST); /* a dead one back beside it */
        store_rollback(s);
}

static void test_message_life(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_RELEASE, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        int64_t t = target_new(s, step, "a", "a@x"), e = episode_new(s, step, "low", u), id,
                next = 0;
        const PlanItem items[] = {
                {SAY_OPENING, e, i, 2024108, u, 8271, VALUE_NONE, 0, SEVERITY_CRITICAL},
                {SAY_FIX, 0, i, 2024107, u, VALUE_NONE, 0, 7, SEVERITY_NONE},
        };
        MessageRow row = message_make(t, "m-1"), *m = NULL;
        PlanItem *got = NULL;
        OutboxCounts counts;
        size_t n;

        ok(store_message_next(s, &next));
        assert_true(next == INT64_MAX);
        ok(store_message_add(s, step, &row, items, 2, &id));
        ok(store_commit(s));
        ok(store_message_items(s, id, &got, &n));
        assert_int_equal(n, 2);
        assert_int_equal(got[0].say, SAY_OPENING);
        assert_int_equal(got[0].episode, e);
        assert_int_equal(got[0].value, 8271);
        assert_true(got[0].old_value == VALUE_NONE);
        assert_int_equal(got[0].severity, SEVERITY_CRITICAL);
        assert_int_equal(got[1].episode, 0);
        assert_int_equal(got[1].period, 2024107);
        assert_int_equal(got[1].unit, u);
        assert_int_equal(got[1].indicator, i);
        assert_true(got[1].value == VALUE_NONE);
        assert_int_equal(got[1].old_value, 0);
        assert_int_equal(got[1].corrects, 7);
        free(TAKE_PTR(got));
        assert_int_equal(sql_int(s, "SELECT last_release_ms FROM target"), T0);

        /* due, made anew, started, back, fixed */
        ok(store_messages_due(s, T0 + 4, 8, &m, &n));
        assert_int_equal(n, 0);
        ok(store_messages_due(s, T0 + 5, 8, &m, &n));
        assert_int_equal(n, 1);
        assert_null(m[0].body);
        assert_string_equal(m[0].uuid, "m-1");
        message_rows_free(m, n);
        ok(store_message_next(s, &next));
        assert_int_equal(next, T0 + 5);
        ok(store_message_next_after(s, T0 + 4, &next));
        assert_int_equal(next, T0 + 5);
        ok(store_message_next_after(s, T0 + 5, &next));
        assert_true(next == INT64_MAX);

        step = begin(s, CAUSE_SETTLE, T0 + 1);
        row.id = id;
        row.body = (char *) "new";
        row.subject = (char *) "anew";
        ok(store_message_remake(s, step, &row, items + 1, 1));
        ok(store_message_items(s, id, &got, &n));
        assert_int_equal(n, 1);
        assert_int_equal(got[0].say, SAY_FIX);
        free(TAKE_PTR(got));
        ok(store_message_start(s, id, T0 + 6));
        assert_int_equal(store_message_start(s, id, T0 + 6), STORE_E_NONE);
        assert_int_equal(store_message_remake(s, step, &row, items, 1),
                         STORE_E_NONE); /* on the wire */
        ok(store_messages_started(s, &m, &n));
        assert_int_equal(n, 1);
        assert_int_equal(m[0].started_ms, T0 + 6);
        assert_int_equal(m[0].attempts, 1);
        message_rows_free(m, n);
        ok(store_outbox_counts(s, &counts));
        assert_int_equal(counts.ready, 0);
        assert_int_equal(counts.started, 1);
        ok(settle(s, step, id, MESSAGE_READY, 1));
        assert_int_equal(store_message_remake(s, step, &row, items, 1),
                         -EPERM); /* may have arrived */
        ok(store_commit(s));

        ok(store_message_get(s, id, &m));
        assert_int_equal(m->state, MESSAGE_READY);
        assert_int_equal(m->target, t);
        assert_string_equal(m->subject, "anew");
        assert_string_equal(m->content_type, "message/rfc822");
        assert_int_equal(m->body_size, 3);
        assert_memory_equal(m->body, "new", 4); /* with the NUL after it */
        assert_int_equal(m->next_ms, T0 + 300);
        assert_int_equal(m->maybe, 1);
        assert_int_equal(m->open_starts, 1);
        assert_string_equal(m->outcome, "temporary");
        assert_string_equal(m->response, "451 later");
        assert_int_equal(m->released, 1);
        assert_int_equal(m->settled, 0);
        assert_int_equal(m->settled_ms, 0);
        message_rows_free(m, 1);

        step = begin(s, CAUSE_SETTLE, T0 + 2);
        ok(store_message_start(s, id, T0 + 300));
        ok(settle(s, step, id, MESSAGE_ACCEPTED, 1));
        assert_int_equal(settle(s, step, id, MESSAGE_DEAD, 1),
                         STORE_E_NONE); /* accepted is final */
        ok(store_commit(s));
        ok(store_message_get(s, id, &m));
        assert_int_equal(m->settled, step);
        assert_int_equal(m->settled_ms, T0 + 77);
        assert_int_equal(m->attempts, 2);
        message_rows_free(m, 1);
        assert_int_equal(store_message_get(s, 99, &m), STORE_E_NONE);

        /* its bytes go, it stays */
        ok(store_retain(s, &(StoreRetention){.messages_ms = T0 + 78}, 1000, &(size_t){0}));
        ok(store_message_get(s, id, &m));
        assert_null(m->body);
        assert_int_equal(m->body_size, 0);
        message_rows_free(m, 1);
}

static void test_bytes(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_RELEASE, T0);
        int64_t t = target_new(s, step, "a", "a@x"), id;
        MessageRow row = message_make(t, "m-1"), *m = NULL;

        row.is_drill = true;
        ok(store_message_add(s, step, &row, NULL, 0, &id));
        ok(store_message_get(s, id, &m));
        assert_int_equal(m->body_size, 3);
        assert_memory_equal(m->body, "a\0b", 4);
        assert_true(m->is_drill);
        message_rows_free(m, 1);
        assert_int_equal(sql_int(s, "SELECT last_release_ms FROM target"),
                         0); /* a drill moves no gate */
        ok(settle(s, step, id, MESSAGE_VOID, 0));
        row = message_make(t, "m-2");
        row.body = NULL;
        row.body_size = 0;
        ok(store_message_add(s, step, &row, NULL, 0, &id));
        ok(store_message_get(s, id, &m));
        assert_int_equal(m->body_size, 0);
        assert_string_equal(m->body, "");
        message_rows_free(m, 1);
        store_rollback(s);
}

static void test_due_order(void **state) {
        World *w = *state;
        Store *s = w->store;
        static const int64_t next[] = {30, 10, 20, 40, 10};
        static const int64_t expected[] = {2, 5, 3};
        StepId step = begin(s, CAUSE_RELEASE, T0);
        MessageRow *m = NULL;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(next); i++) {
                char key[8];
                MessageRow row;
                int64_t id;

                (void) snprintf(key, sizeof(key), "t%zu", i);
                row = message_make(target_new(s, step, key, "x"), key);
                row.next_ms = next[i];
                ok(store_message_add(s, step, &row, NULL, 0, &id));
        }
        ok(store_messages_due(s, 35, 3, &m, &n));
        assert_int_equal(n, 3);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(m[i].id, expected[i]);
        message_rows_free(m, n);
        store_rollback(s);
}

static void test_list_as_of(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_RELEASE, T0);
        int64_t t = target_new(s, step, "a", "a@x"), first = message_new(s, step, t, "m-1");
        static const struct {
                int state;
                StepId as_of;
                size_t limit, offset, n;
                MessageState newest;
        } cases[] = {
                {0, 1, 9, 0, 1, MESSAGE_READY},
                {0, 2, 9, 0, 1, MESSAGE_DEAD},
                {0, 3, 9, 0, 2, MESSAGE_READY},
                {0, 0, 9, 0, 2, MESSAGE_ACCEPTED},
                {0, 0, 1, 0, 1, MESSAGE_ACCEPTED},
                {0, 0, 9, 1, 1, MESSAGE_DEAD},
                {MESSAGE_DEAD, 0, 9, 0, 1, MESSAGE_DEAD},
                {MESSAGE_DEAD, 1, 9, 0, 0, 0},
                {MESSAGE_READY, 3, 9, 0, 1, MESSAGE_READY},
                {0, -1, 9, 0, 0, 0},
        };

        ok(store_commit(s));
        step = begin(s, CAUSE_SETTLE, T0);
        ok(settle(s, step, first, MESSAGE_DEAD, 0));
        ok(store_commit(s));
        step = begin(s, CAUSE_RELEASE, T0);
        int64_t second = message_new(s, step, t, "m-2");
        ok(store_commit(s));
        step = begin(s, CAUSE_SETTLE, T0);
        ok(settle(s, step, second, MESSAGE_ACCEPTED, 0));
        ok(store_commit(s));
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                MessageRow *m = NULL;
                size_t n;

                ok(store_messages_list(s, cases[i].state, cases[i].as_of, cases[i].limit,
                                       cases[i].offset, &m, &n));
                assert_int_equal(n, cases[i].n);
                if (n) {
                        assert_int_equal(m[0].state, cases[i].newest);
                        assert_int_equal(m[0].settled != 0, m[0].state > MESSAGE_STARTED);
                        assert_int_equal(m[0].settled_ms != 0, m[0].state > MESSAGE_STARTED);
                }
                message_rows_free(m, n);
        }
}

static void test_dead_and_retry(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SETTLE, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        int64_t a = target_new(s, step, "a", "a@x"), b = target_new(s, step, "b", "b@x"),
                e = episode_new(s, step, "low", u), of_a = message_new(s, step, a, "m-1"),
                of_b = message_new(s, step, b, "m-2"), later;
        TargetRow *rows = NULL;
        OutboxCounts counts;
        Told told;
        size_t n;

        assert_int_equal(store_message_retry(s, step, of_a), STORE_E_NONE);
        ok(settle(s, step, of_a, MESSAGE_DEAD, 0));
        ok(settle(s, step, of_b, MESSAGE_DEAD, 0));
        ok(store_target_state_put(s, a, TARGET_MARKED, "550"));
        ok(store_told_put(s, step, a, &(Told){.episode = e, .gave_up = 2024108}));
        ok(store_outbox_counts(s, &counts));
        assert_int_equal(counts.dead, 2);
        ok(store_message_retry(s, step, of_a));
        ok(store_outbox_counts(s, &counts));
        assert_int_equal(counts.dead, 1);
        ok(store_targets(s, &rows, &n));
        assert_int_equal(rows[0].state, TARGET_OK);
        target_rows_free(rows, n);
        ok(store_told_get(s, a, e, &told));
        assert_int_equal(told.gave_up, 0);
        later = message_new(s, step, b, "m-3");
        ok(store_outbox_counts(s, &counts));
        assert_int_equal(counts.dead, 1);
        assert_int_equal(counts.ready, 1);
        ok(settle(s, step, later, MESSAGE_ACCEPTED, 0));
        ok(store_outbox_counts(s, &counts));
        assert_int_equal(counts.dead, 0); /* healed */
        store_rollback(s);
}

static void test_ledgers(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SETTLE, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0), v = unit_new(s, step, "v", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        int64_t t = target_new(s, step, "a", "a@x"), e = episode_new(s, step, "low", u),
                f = episode_new(s, step, "low", v), m = message_new(s, step, t, "m-1");
        Told in = {f, SAY_WORSE, 8271, 2024108, SEVERITY_CRITICAL, m, T0 + 3, 2024107}, out,
             *all = NULL;
        ToldFigure figure = {.indicator = i,
                             .period = 2024108,
                             .unit = v,
                             .value = VALUE_NONE,
                             .message = m},
                   got, *figures = NULL;
        size_t n;

        ok(store_told_get(s, t, e, &out));
        assert_int_equal(out.episode, e);
        assert_int_equal(out.said, SAY_NONE);
        assert_int_equal(out.value, 0);
        ok(store_told_put(s, step, t, &in));
        in.said = SAY_CLOSING;
        ok(store_told_put(s, step, t, &in));
        ok(store_told_put(s, step, t,
                          &(Told){.episode = e, .said = SAY_ASSUMED, .value = VALUE_NONE}));
        ok(store_told(s, t, &all, &n));
        assert_int_equal(n, 2);
        assert_int_equal(all[0].episode, e);
        assert_true(all[0].value == VALUE_NONE);
        assert_int_equal(all[0].message, 0);
        assert_int_equal(all[1].said, SAY_CLOSING);
        assert_int_equal(all[1].value, 8271);
        assert_int_equal(all[1].last, 2024108);
        assert_int_equal(all[1].severity, SEVERITY_CRITICAL);
        assert_int_equal(all[1].message, m);
        assert_int_equal(all[1].said_ms, T0 + 3);
        assert_int_equal(all[1].gave_up, 2024107);
        free(all);
        assert_int_equal(store_told_put(s, step, t, &(Told){.episode = 99}), -EINVAL);
        assert_sql_text(s,
                        "SELECT target || ' ' || rule || ' ' || unit || ' ' || said || ' ' || last"
                        " FROM v_told WHERE message IS NOT NULL",
                        "a low v closing 2024-08");

        ok(store_told_figure_get(s, t, i, 2024108, v, &got));
        assert_int_equal(got.unit, v);
        assert_int_equal(got.value, 0);
        assert_int_equal(got.message, 0);
        ok(store_told_figure_put(s, step, t, &figure));
        figure.unit = u;
        figure.value = 0;
        ok(store_told_figure_put(s, step, t, &figure));
        figure.period = 2024107;
        figure.value = 1;
        ok(store_told_figure_put(s, step, t, &figure));
        figure.value = 2;
        ok(store_told_figure_put(s, step, t, &figure));
        ok(store_figure_put(s, step, 2024108,
                            &(FigureChange){.now = {.indicator = i, .unit = v, .value = 77}}));
        ok(store_told_figures(s, t, &figures, &n));
        assert_int_equal(n, 3);
        assert_int_equal(figures[0].period, 2024107);
        assert_int_equal(figures[0].value, 2);
        assert_int_equal(figures[1].unit, u);
        assert_int_equal(figures[1].value, 0);
        assert_true(figures[2].value == VALUE_NONE);
        assert_int_equal(figures[2].message, m);
        assert_int_equal(figures[2].now_value, 77);
        assert_true(figures[1].now_value == VALUE_NONE);
        free(figures);
        ok(store_told_figure_get(s, t, i, 2024108, v, &got));
        assert_true(got.value == VALUE_NONE);
        store_rollback(s);
}

static void test_channels(void **state) {
        World *w = *state;
        Store *s = w->store;
        ChannelRow row = {.name = "hook:example.vn",
                          .paused_ms = 5,
                          .probe_ms = 9,
                          .reason = "no route"},
                   got;
        ChannelRow *rows = NULL;
        char long_name[300];
        size_t n;

        ok(store_channel_get(s, "smtp", &got));
        assert_string_equal(got.name, "smtp");
        assert_int_equal(got.paused_ms, 0);
        ok(store_channel_put(s, &row));
        row.probe_ms = 10;
        ok(store_channel_put(s, &row));
        ok(store_channel_get(s, "hook:example.vn", &got));
        assert_int_equal(got.paused_ms, 5);
        assert_int_equal(got.probe_ms, 10);
        assert_string_equal(got.reason, "no route");
        ok(store_channels(s, &rows, &n));
        assert_int_equal(n, 1);
        assert_string_equal(rows[0].name, "hook:example.vn");
        free(rows);
        rows = NULL;
        row.paused_ms = 0;
        ok(store_channel_put(s, &row));
        ok(store_channels(s, &rows, &n));
        assert_int_equal(n, 0);
        memset(long_name, 'x', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        assert_int_equal(store_channel_get(s, long_name, &got), -ENAMETOOLONG);
}

static void test_names(void **state) {
        static const char *const names[] = {"ready", "started", "accepted", "dead", "void"};
        (void) state;

        for (int i = 0; i < 5; i++)
                assert_string_equal(message_state_name((MessageState) (i + 1)), names[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_targets),       world_test(test_removal),
                world_test(test_one_unsettled), world_test(test_message_life),
                world_test(test_bytes),         world_test(test_due_order),
                world_test(test_list_as_of),    world_test(test_dead_and_retry),
                world_test(test_ledgers),       world_test(test_channels),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
