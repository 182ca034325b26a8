/* Units with their names, codes and contacts as they come back into memory; quarantine; indicators;
 * scopes. */
#include "store-util.h"

#include "store/alert.h"

static void test_units(void **state) {
        World *w = *state;
        Store *s = w->store;
        UnitRegistry r = {0};
        UnitId province, commune, other;
        StepId step = begin(s, CAUSE_IMPORT, T0);
        const Unit *u;

        ok(store_units_load(s, &r));
        assert_int_equal(r.n, 0);
        unit_registry_done(&r);

        province = unit_new(s, step, "H31", "province", 0);
        ok(store_unit_add(s, step, "H31.08", "commune", province, 1000, 20000, &commune));
        assert_int_equal(
                store_unit_add(s, step, "H31.08", "commune", 0, DAY_EVER, DAY_OPEN, &other),
                -EEXIST);
        assert_int_equal(store_unit_add(s, step, "X", "commune", 99, DAY_EVER, DAY_OPEN, &other),
                         -EINVAL);
        ok(store_unit_name_add(s, step, commune, "Xã Hải Triều", DAY_EVER, DAY_OPEN, false));
        ok(store_unit_name_end(s, commune, 19000));
        ok(store_unit_name_add(s, step, commune, "Xã Tiên Lữ", 19000, DAY_OPEN, false));
        ok(store_unit_name_add(s, step, commune, "Tiên Lữ cũ", DAY_EVER, DAY_OPEN, true));
        ok(store_unit_name_end(s, commune,
                               18000)); /* nothing but the first is valid then, and that ends */
        ok(store_unit_code_add(s, step, commune, "gso", "00012", DAY_EVER, 18000));
        ok(store_unit_code_add(s, step, commune, "gso", "12364", 18000, DAY_OPEN));
        ok(store_unit_code_end(s, commune, "gso", "12364", 19500));
        ok(store_unit_contact_put(s, commune, "old@example.vn", NULL));
        ok(store_unit_contact_put(s, commune, "a@example.vn, b@example.vn\tc@example.vn",
                                  "https://hook.example/1"));
        ok(store_unit_contact_put(s, province, NULL, "https://hook.example/2"));
        ok(store_commit(s));
        reopen(w);
        ok(store_units_load(w->store, &r));

        assert_int_equal(r.n, 2);
        u = unit_get(&r, province);
        assert_string_equal(u->key, "H31");
        assert_string_equal(u->kind, "province");
        assert_int_equal(u->parent, 0);
        assert_int_equal(u->from, DAY_EVER);
        assert_int_equal(u->until, DAY_OPEN);
        assert_int_equal(u->n_emails, 0);
        assert_string_equal(u->webhook, "https://hook.example/2");
        u = unit_get(&r, commune);
        assert_int_equal(u->parent, province);
        assert_int_equal(u->from, 1000);
        assert_int_equal(u->until, 20000);
        assert_int_equal(u->n_names, 3);
        assert_string_equal(u->names[0].name, "Xã Hải Triều");
        assert_int_equal(u->names[0].from, DAY_EVER);
        assert_int_equal(u->names[0].until, 18000);
        assert_int_equal(u->names[1].from, 19000);
        assert_int_equal(u->names[1].until, DAY_OPEN);
        assert_false(u->names[1].is_alias);
        assert_true(u->names[2].is_alias);
        assert_int_equal(u->n_codes, 2);
        assert_string_equal(u->codes[0].code, "00012"); /* leading zeros count */
        assert_int_equal(u->codes[0].until, 18000);
        assert_int_equal(u->codes[1].from, 18000);
        assert_int_equal(u->codes[1].until, 19500);
        assert_int_equal(u->n_emails, 3);
        assert_string_equal(u->emails[0], "a@example.vn");
        assert_string_equal(u->emails[2], "c@example.vn");
        assert_string_equal(unit_name_on(&r, commune, 19100), "Xã Tiên Lữ");
        unit_registry_done(&r);
}

static void test_successors(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP_FREE SuccessorRow *rows = NULL;
        size_t n;
        StepId step = begin(s, CAUSE_OPERATOR, T0);
        UnitId a = unit_new(s, step, "a", "commune", 0), b = unit_new(s, step, "b", "commune", 0),
               c = unit_new(s, step, "c", "commune", 0);

        ok(store_unit_successor_add(s, step, b, c, 20000));
        ok(store_unit_successor_add(s, step, a, c, 19999));
        ok(store_unit_successor_add(s, step, a, c, 20000));
        ok(store_unit_end(s, a, 20000));
        assert_int_equal(store_unit_successor_add(s, step, a, 99, 20000), -EINVAL);
        ok(store_commit(s));
        ok(store_unit_successors(s, &rows, &n));
        assert_int_equal(n, 2);
        assert_int_equal(rows[0].unit, a);
        assert_int_equal(rows[0].successor, c);
        assert_int_equal(rows[0].from, 20000);
        assert_int_equal(rows[1].unit, b);
        assert_int_equal(sql_int(s, "SELECT valid_until FROM unit WHERE key = 'a'"), 20000);

        /* kind and parent of one that was known only as a scope */
        step = begin(s, CAUSE_SNAPSHOT, T0);
        ok(store_unit_adopt(s, b, "province", c));
        assert_int_equal(store_unit_adopt(s, b, "province", 99), -EINVAL);
        ok(store_commit(s));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM unit WHERE kind = 'province'"), 1);
        assert_int_equal(sql_int(s, "SELECT parent FROM unit WHERE key = 'b'"), c);
}

static void test_quarantine(void **state) {
        World *w = *state;
        Store *s = w->store;
        QuarantineRow *rows = NULL;
        size_t n;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);

        ok(store_quarantine_add(s, step, "portal", "gso", "2", "Xã B", "unknown"));
        ok(store_quarantine_add(s, step, "portal", "gso", NULL, "Xã A", "two hits"));
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0 + 5);
        ok(store_quarantine_add(s, step, "portal", "gso", "2", "Xã B", "another name"));
        ok(store_commit(s));
        ok(store_quarantine_list(s, &rows, &n));
        assert_int_equal(n, 2);
        assert_string_equal(rows[0].code, "");
        assert_string_equal(rows[0].reason, "two hits");
        assert_string_equal(rows[1].name, "Xã B");
        assert_string_equal(rows[1].reason, "another name");
        assert_int_equal(rows[1].first_ms, T0);
        assert_int_equal(rows[1].last_ms, T0 + 5);
        quarantine_rows_free(rows, n);

        step = begin(s, CAUSE_OPERATOR, T0 + 6);
        ok(store_quarantine_done(s, step, "gso", "2", NULL));
        ok(store_quarantine_count(s, &n));
        assert_int_equal(n, 1);
        ok(store_quarantine_add(s, step, "portal", "gso", "2", "Xã B", "again"));
        ok(store_quarantine_count(s, &n));
        assert_int_equal(n, 2);
        store_rollback(s);
}

static void test_indicator(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        const IndicatorDef good = {
                .name = "progress", .label = "Tiến độ", .unit = INDICATOR_PERCENT, .decimals = 2};
        const struct {
                IndicatorDef def;
                const char *source, *text;
        } bad[] = {
                {{.name = "progress", .decimals = 3}, "portal", "decimals was '2'"},
                {{.name = "progress", .decimals = 2, .unit = INDICATOR_COUNT},
                 "portal",
                 "'count' now"},
                {{.name = "progress", .decimals = 2, .direction = DIRECTION_DOWN},
                 "portal",
                 "direction was 'up'"},
                {{.name = "progress", .decimals = 2}, "other", "source was 'portal' when"},
                {{.name = "progress", .decimals = 2}, NULL, "is '' now"},
        };
        IndicatorDef renamed = good;
        IndicatorId id = 0, again = 0, second = 0;

        assert_int_equal(store_indicator_check(s, &good, "portal", &diag), STORE_E_NONE);
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId unit = unit_new(s, step, "H31.1", "commune", 0);

        /* what has no figure is whatever it was bound to last */
        ok(store_indicator_bind(s, &bad[1].def, "other", &diag, &id));
        assert_int_not_equal(id, 0);
        ok(store_indicator_check(s, &good, "portal", &diag));
        ok(store_indicator_bind(s, &good, "portal", &diag, &again));
        assert_int_equal(again, id);
        assert_sql_text(s, "SELECT unit || decimals || source FROM indicator", "02portal");
        figure_set(s, step, 2024108, id, unit, 9500);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                CLEANUP(diag_done) Diag d = DIAG_INIT;

                again = 77;
                assert_int_equal(store_indicator_bind(s, &bad[i].def, bad[i].source, &d, &again),
                                 STORE_E_MISMATCH);
                assert_int_equal(again, 77);
                assert_int_equal(store_indicator_check(s, &bad[i].def, bad[i].source, NULL),
                                 STORE_E_MISMATCH);
                assert_int_equal(d.n_errors, 1);
                assert_non_null(strstr(d.items[0].text, bad[i].text));
                assert_memory_equal(d.items[0].key, "progress.", 9);
        }
        renamed.label = "Tiến độ giải quyết";
        ok(store_indicator_bind(s, &renamed, "portal", &diag, &again));
        assert_int_equal(again, id);
        assert_sql_text(s, "SELECT label FROM indicator", "Tiến độ giải quyết");
        second = indicator_new(s, "late", DIRECTION_DOWN, "portal");
        assert_int_not_equal(second, id);
        assert_int_equal(diag.n, 0);
        store_rollback(s);
}

static void test_scope(void **state) {
        World *w = *state;
        Store *s = w->store;
        UnitId unit = 77, province;
        StepId step = begin(s, CAUSE_IMPORT, T0);

        province = unit_new(s, step, "H31", "province", 0);
        assert_int_equal(store_scope_get(s, "portal", "h31", &unit), STORE_E_NONE);
        assert_int_equal(unit, 77);
        ok(store_scope_put(s, "portal", "h31", 0));
        ok(store_scope_get(s, "portal", "h31", &unit));
        assert_int_equal(unit, 0);
        ok(store_scope_put(s, "portal", "h31", province));
        ok(store_scope_get(s, "portal", "h31", &unit));
        assert_int_equal(unit, province);
        assert_int_equal(store_scope_get(s, "other", "h31", &unit), STORE_E_NONE);
        assert_int_equal(store_scope_put(s, "portal", "h32", 99), -EINVAL);
        store_rollback(s);
}

/* Each unit is registered by the import that is undone, and held by what its key says. */
static void test_recount(void **state) {
        World *w = *state;
        Store *s = w->store;
        UnitRegistry r = {0};
        StepId step = begin(s, CAUSE_IMPORT, T0), later;
        int64_t import;
        IndicatorId total = indicator_new(s, "total", DIRECTION_UP, "portal");
        static const char *const keys[] = {"nothing", "gone",  "figure",    "mail",
                                           "name",    "alias", "succeeded", "heir",
                                           "parent",  "scope", "alert",     "ended"};
        enum {
                NOTHING,
                GONE,
                FIGURE,
                MAIL,
                NAME,
                ALIAS,
                SUCCEEDED,
                HEIR,
                PARENT,
                SCOPE,
                ALERT,
                ENDED,
                N
        };
        UnitId unit[N], child, other;

        for (size_t i = 0; i < N; i++)
                unit[i] = unit_new(s, step, keys[i], "commune", 0);
        ok(store_unit_name_add(s, step, unit[NOTHING], "Xã Sai", DAY_EVER, DAY_OPEN, false));
        ok(store_unit_code_add(s, step, unit[NOTHING], "portal", "1", DAY_EVER, DAY_OPEN));
        figure_set(s, step, 2024107, total, unit[GONE], 5000);
        figure_set(s, step, 2024107, total, unit[FIGURE], 5000);
        Episode open = {.rule = "low",
                        .unit = unit[ALERT],
                        .first = 2024107,
                        .opened = 2024107,
                        .last = 2024107,
                        .length = 1,
                        .state = EPISODE_OPEN,
                        .severity = SEVERITY_WARNING,
                        .value = 5000,
                        .previous = VALUE_NONE,
                        .limit = 6000,
                        .delta = VALUE_NONE};
        Episode closed = open;
        closed.unit = unit[ENDED];
        closed.state = EPISODE_CLOSED;
        ok(store_episode_put(s, step, &open));
        ok(store_episode_put(s, step, &closed));
        ok(store_snapshot_add(s,
                              &(SnapshotRow){.source = "portal",
                                             .scope = "",
                                             .period = 2024107,
                                             .step = step,
                                             .at_ms = T0,
                                             .state = SNAPSHOT_ACCEPTED},
                              &import));
        ok(store_commit(s));
        later = begin(s, CAUSE_OPERATOR, T0 + 1);
        other = unit_new(s, later, "other", "commune", 0);
        child = unit_new(s, later, "child", "village", unit[PARENT]);
        assert_int_not_equal(child, 0);
        ok(store_unit_contact_put(s, unit[MAIL], "a@xa.example", NULL));
        ok(store_unit_contact_put(s, unit[NOTHING], NULL, NULL));
        ok(store_unit_name_add(s, later, unit[NAME], "Xã Một", DAY_EVER, DAY_OPEN, false));
        ok(store_unit_name_add(s, later, unit[ALIAS], "Một", DAY_EVER, DAY_OPEN, true));
        ok(store_unit_successor_add(s, later, unit[SUCCEEDED], other, 20000));
        ok(store_unit_successor_add(s, later, other, unit[HEIR], 20000));
        ok(store_scope_put(s, "portal", "x", unit[SCOPE]));
        ok(store_units_load(s, &r));
        for (size_t i = 0; i < r.n; i++)
                assert_true(unit_counts(&r.units[i], 0));

        ok(store_snapshot_undo(s, later, import));
        FigureChange lost = {.now = {.indicator = total,
                                     .unit = unit[GONE],
                                     .value = VALUE_NONE,
                                     .why = WHY_GONE},
                             .had_old = true,
                             .old_value = 5000};
        ok(store_figure_put(s, later, 2024107, &lost));
        ok(store_units_recount(s, &r));
        for (size_t i = 0; i < r.n; i++) {
                const Unit *u = &r.units[i];
                bool is_free =
                        u->id == unit[NOTHING] || u->id == unit[GONE] || u->id == unit[ENDED];
                if (unit_counts(u, 0) == is_free)
                        fail_msg("%s", u->key);
                assert_true(unit_counts(u, step) && (!is_free || u->taken_back == later));
        }
        ok(store_unit_confirm(s, later, unit[NOTHING]));
        ok(store_units_recount(s, &r));
        assert_true(unit_counts(unit_get(&r, unit[NOTHING]), 0));
        unit_registry_done(&r);
        ok(store_commit(s));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_units),      world_test(test_successors),
                world_test(test_quarantine), world_test(test_indicator),
                world_test(test_scope),      world_test(test_recount),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
