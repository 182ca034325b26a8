/* Bodies, snapshots, attempts; figures and vintages against a model that simply keeps every step;
 * places of v_ranking against those of core/rank. */
#include "store-util.h"

#include "core/rank.h"
#include "os/crypto.h"

/* ---- bodies
 * -----------------------------------------------------------------------------------------------------
 */

static void test_bodies(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP(buf_done) Buf got = BUF_INIT(1 << 20);
        CLEANUP(buf_done) Buf small = BUF_INIT(4);
        CLEANUP_FREE char *big = malloc(200000);
        Body body = {0}, empty = {0}, again = {0};

        assert_non_null(big);
        for (size_t i = 0; i < 200000; i++)
                big[i] = (char) (i * i % 7 ? 'a' : '\0');
        ok(body_pack(big, 200000, &body));
        ok(body_pack(NULL, 0, &empty));
        ok(body_pack(big, 200000, &again));
        assert_int_equal(body.size, 200000);
        assert_true(body.packed_size < 20000);
        assert_int_equal(empty.hash[0], 0xe3); /* SHA-256 of nothing: e3b0c442... */
        assert_int_equal(empty.hash[1], 0xb0);

        assert_int_equal(store_body_get(s, body.hash, &got), STORE_E_NONE);
        ok(store_body_put(s, &body));
        ok(store_body_put(s, &again));
        ok(store_body_put(s, &empty));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM body"), 2);
        ok(buf_str(&got, "x"));
        ok(store_body_get(s, body.hash, &got));
        assert_int_equal(got.len, 200001);
        assert_memory_equal(got.data + 1, big, 200000);
        ok(store_body_get(s, empty.hash, &got));
        assert_int_equal(got.len, 200001);
        assert_int_equal(store_body_get(s, body.hash, &small), -E2BIG);
        assert_int_equal(small.len, 0);

        /* never changed by SQL either; rot is never served */
        assert_int_equal(sql_do(s, "UPDATE body SET size = 1"), -EPERM);
        assert_int_equal(sql_do(s, "UPDATE body SET packed = x'00'"), -EPERM);
        ok(sql_do(s, "DROP TRIGGER body_fixed"));
        ok(sql_do(s,
                  "UPDATE body SET packed = substr(packed, 1, length(packed) - 3) WHERE size > 0"));
        assert_int_equal(store_body_get(s, body.hash, &got), -EBADMSG);
        ok(sql_do(s, "UPDATE body SET size = 1 << 40 WHERE size > 0"));
        assert_int_equal(store_body_get(s, body.hash, &got), -EBADMSG);
        ok(sql_do(s, "UPDATE body SET packed = NULL WHERE size > 0"));
        assert_int_equal(store_body_get(s, body.hash, &got), STORE_E_NONE);
        assert_int_equal(got.len, 200001);
        body_done(&body);
        body_done(&again);
        body_done(&empty);
}

/* ---- snapshots and attempts ------------------------------------------------------------------ */

static void part_make(Store *s, const char *text, SnapshotPart *ret) {
        Body b;

        ok(body_pack(text, strlen(text), &b));
        ok(store_body_put(s, &b));
        *ret = (SnapshotPart){.name = "progress", .page = 1, .http_status = 200, .at_ms = T0};
        memcpy(ret->hash, b.hash, sizeof(b.hash));
        body_done(&b);
}

static int64_t snapshot_new(Store *s, StepId step, PeriodId period, SnapshotState st,
                            const char *text) {
        SnapshotPart part;
        SnapshotRow row = {.source = "portal",
                           .scope = "h31",
                           .period = period,
                           .step = step,
                           .at_ms = T0 + step,
                           .state = st,
                           .n_units = 15,
                           .n_values = 90,
                           .n_bad = 1,
                           .parts = &part,
                           .n_parts = 1};
        int64_t id;

        part_make(s, text, &part);
        part.etag = "\"1\"";
        row.reason = st == SNAPSHOT_SUSPECT ? "min_share" : NULL;
        ok(store_snapshot_add(s, &row, &id));
        return id;
}

/* The accepted figures seen again end a row of suspects as well; another try that failed does not. */
static void test_suspects_end(Store *s) {
        static const struct {
                FetchOutcome outcome;
                int suspects;
        } table[] = {{OUTCOME_FAILED, 2}, {OUTCOME_SUSPECT, 2}, {OUTCOME_UNCHANGED, 0}};

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                AttemptRow row = {.source = "portal",
                                  .scope = "h31",
                                  .period = 2024108,
                                  .at_ms = T0 + 1000,
                                  .http_status = 200,
                                  .outcome = table[i].outcome};
                int64_t id;
                int suspects = -1;

                ok(store_begin(s));
                ok(store_attempt_add(s, &row, &id));
                ok(store_snapshot_suspects(s, "portal", "h31", 2024108, &suspects));
                assert_int_equal(suspects, table[i].suspects);
                store_rollback(s);
        }
}

static void test_snapshots(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;
        SnapshotRow *list = NULL;
        StepId step;
        int64_t first, second, third, seen, first_seen;
        int suspects = -1;
        size_t n;

        assert_int_equal(store_snapshot_last(s, "portal", "h31", 2024108, false, &row),
                         STORE_E_NONE);
        step = begin(s, CAUSE_SNAPSHOT, T0);
        first = snapshot_new(s, step, 2024108, SNAPSHOT_ACCEPTED, "a");
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0);
        second = snapshot_new(s, step, 2024108, SNAPSHOT_SUSPECT, "b");
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0);
        third = snapshot_new(s, step, 2024108, SNAPSHOT_SUSPECT, "c");
        ok(store_snapshot_suspects(s, "portal", "h31", 2024108, &suspects));
        assert_int_equal(suspects, 2);
        ok(store_snapshot_suspects(s, "portal", "h31", 2024109, &suspects));
        assert_int_equal(suspects, 0);
        ok(store_commit(s));
        test_suspects_end(s);

        ok(store_snapshot_last(s, "portal", "h31", 2024108, /* is_any= */ false, &row));
        assert_int_equal(row->id, first);
        assert_string_equal(row->source, "portal");
        assert_null(row->reason);
        assert_int_equal(row->n_units, 15);
        assert_int_equal(row->n_bad, 1);
        assert_int_equal(row->n_parts, 1);
        assert_string_equal(row->parts[0].name, "progress");
        assert_string_equal(row->parts[0].etag, "\"1\"");
        assert_null(row->parts[0].url);
        assert_int_equal(row->parts[0].hash[0], 0xca); /* sha256("a") = ca978112... */
        snapshot_row_free(TAKE_PTR(row));
        ok(store_snapshot_last(s, "portal", "h31", 2024108, /* is_any= */ true, &row));
        assert_int_equal(row->id, third);
        assert_int_equal(row->state, SNAPSHOT_SUSPECT);
        assert_string_equal(row->reason, "min_share");
        snapshot_row_free(TAKE_PTR(row));

        /* a person accepts it: known from that step on, and then no longer suspect */
        step = begin(s, CAUSE_OPERATOR, T0);
        ok(store_snapshot_decide(s, step, third, SNAPSHOT_ACCEPTED));
        ok(store_snapshot_decide(s, step, second, SNAPSHOT_REJECTED));
        assert_int_equal(store_snapshot_decide(s, step, third, SNAPSHOT_REJECTED), STORE_E_NONE);
        assert_int_equal(store_snapshot_decide(s, step, 99, SNAPSHOT_REJECTED), STORE_E_NONE);
        ok(store_commit(s));
        assert_int_equal(sql_int(s, "SELECT known_step FROM snapshot WHERE id = 3"), 4);
        ok(store_snapshot_suspects(s, "portal", "h31", 2024108, &suspects));
        assert_int_equal(suspects, 0);
        ok(store_snapshot_get(s, third, &row));
        assert_int_equal(row->state, SNAPSHOT_ACCEPTED);
        assert_int_equal(row->n_parts, 1);
        ok(store_snapshots_list(s, &(SnapshotFilter){.as_of = 3, .limit = 2}, &list, &n));
        assert_int_equal(n, 2);
        assert_int_equal(list[0].id, third);
        assert_int_equal(list[0].state, SNAPSHOT_SUSPECT);
        snapshot_rows_free(list, n);
        ok(store_snapshots_list(
                s,
                &(SnapshotFilter){.source = "portal", .period = 2024108, .limit = 9, .offset = 1},
                &list, &n));
        assert_int_equal(n, 2);
        assert_int_equal(list[1].id, first);
        snapshot_rows_free(list, n);
        ok(store_snapshots_list(s, &(SnapshotFilter){.source = "other", .limit = 9}, &list, &n));
        assert_int_equal(n, 0);

        ok(store_seen(s, "portal", NULL, 2024108, &seen, &first_seen));
        assert_int_equal(seen, T0 + 3);
        assert_int_equal(first_seen, T0 + 1);

        /* a part whose body was not put */
        step = begin(s, CAUSE_SNAPSHOT, T0);
        SnapshotPart bad = {.name = "x", .page = 1, .hash = {1, 2, 3}};
        SnapshotRow orphan = {.source = "p",
                              .scope = "",
                              .period = 2024108,
                              .step = step,
                              .state = SNAPSHOT_ACCEPTED,
                              .parts = &bad,
                              .n_parts = 1};
        assert_int_equal(store_snapshot_add(s, &orphan, NULL), -EINVAL);
        store_rollback(s);
}

static void attempt(Store *s, const char *scope, int64_t at_ms, FetchOutcome outcome,
                    const char *reason) {
        AttemptRow row = {.source = "portal",
                          .scope = scope,
                          .period = 2024108,
                          .at_ms = at_ms,
                          .duration_ms = 1200,
                          .http_status = 200,
                          .bytes = 4096,
                          .outcome = outcome,
                          .reason = reason};
        int64_t id = 0;

        ok(store_attempt_add(s, &row, &id));
        assert_int_not_equal(id, 0);
}

static void test_attempts(void **state) {
        World *w = *state;
        Store *s = w->store;
        JobSeen job;
        int64_t last = -1, first = -1;

        ok(store_job_seen(s, "portal", "a", 2024108, &job));
        assert_int_equal(job.at_ms, 0);
        ok(store_seen(s, "portal", "a", 2024108, &last, &first));
        assert_int_equal(last, 0);
        assert_int_equal(first, 0);
        attempt(s, "a", T0, OUTCOME_UNCHANGED, NULL);
        attempt(s, "b", T0 + 5, OUTCOME_NOT_MODIFIED, NULL);
        attempt(s, "a", T0 + 9, OUTCOME_REJECTED, "200 with HTML");
        ok(store_job_seen(s, "portal", "a", 2024108, &job));
        assert_int_equal(job.at_ms, T0 + 9);
        assert_int_equal(job.good_ms, T0);
        assert_int_equal(job.outcome, OUTCOME_REJECTED);
        assert_string_equal(job.reason, "200 with HTML");
        ok(store_seen(s, "portal", "a", 2024108, &last, &first));
        assert_int_equal(last, T0);
        ok(store_seen(s, "portal", NULL, 2024108, &last, &first));
        assert_int_equal(last, T0 + 5);
        ok(store_seen(s, "portal", NULL, 2024109, &last, &first));
        assert_int_equal(last, 0);
        attempt(s, "a", T0 + 10, OUTCOME_SUSPECT, NULL);
        ok(store_job_seen(s, "portal", "a", 2024108, &job));
        assert_int_equal(job.good_ms, T0);
        assert_string_equal(job.reason, "");

        /* as of an instant: what was over by then, also where nothing changed by it */
        static const struct {
                int64_t at_ms, last;
        } then[] = {
                {T0 + 1199, 0}, {T0 + 1204, T0}, {T0 + 1205, T0 + 5}, {T0 + MS_PER_DAY, T0 + 5}};
        for (size_t i = 0; i < ELEMENTSOF(then); i++) {
                ok(store_seen_then(s, "portal", 2024108, 1, then[i].at_ms, &last));
                assert_int_equal(last, then[i].last);
        }
        ok(store_seen_then(s, "portal", 2024109, 1, T0 + MS_PER_DAY, &last));
        assert_int_equal(last, 0);

        /* attempts are forgotten, what they saw is not */
        ok(store_retain(s, &(StoreRetention){.attempts_ms = T0 + 10}, 1000, &(size_t){0}));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM attempt"), 1);
        ok(store_seen(s, "portal", NULL, 2024108, &last, &first));
        assert_int_equal(last, T0 + 5);
        ok(store_seen_then(s, "portal", 2024108, 1, T0 + MS_PER_DAY, &last));
        assert_int_equal(last, T0 + 5);
        ok(store_seen_then(s, "portal", 2024108, 1, T0 + 1205, &last));
        assert_int_equal(last, 0); /* no snapshot tells it either */
        for (int a = OUTCOME_NEW; a <= OUTCOME_SUSPECT; a++)
                assert_string_not_equal(fetch_outcome_name((FetchOutcome) a), "unknown");
        assert_string_equal(fetch_outcome_name(OUTCOME_NOT_MODIFIED), "not_modified");
}

static void test_retain_bodies(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP(buf_done) Buf got = BUF_INIT(100);
        SnapshotPart part;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        Body b;

        (void) snapshot_new(s, step, 2024108, SNAPSHOT_ACCEPTED, "old");
        ok(store_commit(s));
        ok(store_retain(s, &(StoreRetention){.bodies_ms = T0}, 1000, &(size_t){0}));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM body WHERE packed IS NULL"), 0);
        ok(store_retain(s, &(StoreRetention){.bodies_ms = T0 + 1}, 1000, &(size_t){0}));
        ok(body_pack("old", 3, &b));
        assert_int_equal(store_body_get(s, b.hash, &got), STORE_E_NONE);
        body_done(&b);
        ok(store_verify(s, NULL));
        part_make(s, "old", &part); /* published again */
        ok(store_body_get(s, part.hash, &got));
        assert_string_equal(got.data, "old");
}

static void test_notes_and_manners(void **state) {
        World *w = *state;
        Store *s = w->store;
        PoliteState in = {5, 4, 3, 2, 1, true, FETCH_REFUSED}, out = {.failures = 9};
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId unit = unit_new(s, step, "u", "commune", 0);
        int64_t snapshot = snapshot_new(s, step, 2024108, SNAPSHOT_ACCEPTED, "a");
        NoteRow *notes = NULL;
        size_t n;

        ok(store_note_add(s, step, snapshot, 2024108, unit, 0, "range", "120 > 100"));
        ok(store_note_add(s, step, 0, 2024108, 0, 0, "delta", "0,02"));
        ok(store_commit(s));
        ok(store_notes(s, snapshot, 10, &notes, &n));
        assert_int_equal(n, 1);
        assert_int_equal(notes[0].unit, unit);
        assert_string_equal(notes[0].kind, "range");
        note_rows_free(notes, n);
        ok(store_notes(s, 0, 1, &notes, &n));
        assert_int_equal(n, 1);
        assert_string_equal(notes[0].text, "0,02");
        note_rows_free(notes, n);

        ok(store_polite_get(s, "portal", &out));
        assert_int_equal(out.failures, 0);
        ok(store_polite_put(s, "portal", &in));
        in.failures = 7;
        ok(store_polite_put(s, "portal", &in));
        ok(store_polite_get(s, "portal", &out));
        assert_int_equal(out.next_ms, 5);
        assert_int_equal(out.failures, 7);
        assert_int_equal(out.refused_days, 3);
        assert_int_equal(out.refused_day, 2);
        assert_int_equal(out.backoff_ms, 1);
        assert_true(out.is_stopped);
        assert_int_equal(out.last, FETCH_REFUSED);
}

/* ---- figures
 * ----------------------------------------------------------------------------------------------------
 */

static void test_figure_rules(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0), from = 0;
        UnitId u = unit_new(s, step, "u", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        FigureChange bad = {.now = {i, u, VALUE_NONE, WHY_VALUE}};
        FigureRow f;
        VintageRow *v = NULL;
        size_t n;

        assert_int_equal(store_figure_put(s, step, 2024108, &bad), -EINVAL);
        bad.now = (FigureRow){i, u, 5, WHY_BAD};
        assert_int_equal(store_figure_put(s, step, 2024108, &bad), -EINVAL);
        bad.now = (FigureRow){i, 99, 5, WHY_VALUE};
        assert_int_equal(store_figure_put(s, step, 2024108, &bad), -EINVAL);
        bad.now = (FigureRow){99, u, 5, WHY_VALUE};
        assert_int_equal(store_figure_put(s, step, 2024108, &bad), -EINVAL);

        /* twice in one step: the last holds, and there was nothing before */
        figure_set(s, step, 2024108, i, u, 8267);
        figure_set(s, step, 2024108, i, u, 8963);
        ok(store_commit(s));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM vintage"), 0);
        assert_int_equal(sql_int(s, "SELECT value FROM figure"), 8963);

        /* the caller's had_old does not decide */
        step = begin(s, CAUSE_SNAPSHOT, T0 + 1);
        FigureChange unaware = {.now = {i, u, 0, WHY_VALUE}}; /* zero is a value */
        ok(store_figure_put(s, step, 2024108, &unaware));
        ok(store_figure_put(s, step, 2024108, &unaware));
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0 + 2);
        figure_set(s, step, 2024108, i, u, 0); /* equal makes none */
        ok(store_commit(s));
        step = begin(s, CAUSE_SNAPSHOT, T0 + 3);
        FigureChange gone = {.now = {i, u, VALUE_NONE, WHY_GONE}, .had_old = true};
        ok(store_figure_put(s, step, 2024108, &gone));
        ok(store_commit(s));

        assert_int_equal(store_figure_get(s, 2024108, i, u, -1, &f, &from), STORE_E_NONE);
        assert_int_equal(store_figure_get(s, 2024107, i, u, 0, &f, &from), STORE_E_NONE);
        ok(store_figure_get(s, 2024108, i, u, 0, &f, &from));
        assert_true(f.value == VALUE_NONE);
        assert_int_equal(f.why, WHY_GONE);
        assert_int_equal(from, 4);
        ok(store_figure_get(s, 2024108, i, u, 3, &f, &from));
        assert_int_equal(f.value, 0);
        assert_int_equal(f.why, WHY_VALUE);
        assert_int_equal(from, 2);
        ok(store_figure_get(s, 2024108, i, u, 1, &f, NULL));
        assert_int_equal(f.value, 8963);

        ok(store_vintages(s, 2024108, i, u, NULL, &v, &n));
        assert_int_equal(n, 3);
        assert_int_equal(v[0].value, 8963);
        assert_int_equal(v[0].from, 1);
        assert_int_equal(v[0].until, 2);
        assert_int_equal(v[0].from_ms, T0);
        assert_int_equal(v[0].snapshot, 0);
        assert_string_equal(v[0].hash, "");
        assert_int_equal(v[1].until, 4);
        assert_int_equal(v[2].until, 0);
        assert_int_equal(v[2].why, WHY_GONE);
        free(v);

        /* append-only, whoever asks */
        assert_int_equal(sql_do(s, "UPDATE known_before SET value = 1"), -EPERM);
        assert_int_equal(sql_do(s, "DELETE FROM known_before"), -EPERM);
}

static int64_t snapshot_of_parts(Store *s, StepId step, SnapshotPart parts[static 3]) {
        SnapshotRow row = {.source = "portal",
                           .scope = "h31",
                           .period = 2024108,
                           .step = step,
                           .at_ms = T0,
                           .state = SNAPSHOT_ACCEPTED,
                           .parts = parts,
                           .n_parts = 3};
        int64_t id;

        ok(store_snapshot_add(s, &row, &id));
        return id;
}

/* The hash is that of the body in which the figure stands: of its part's first page. */
static void test_vintage_part(void **state) {
        static const struct {
                const char *part, *body;
        } table[] = {
                {"progress", "second"}, {"totals", "first"}, {"nothing", "first"}, {NULL, "first"}};
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        SnapshotPart parts[3];
        int64_t id;

        part_make(s, "first", &parts[0]);
        parts[0].name = "totals";
        part_make(s, "second", &parts[1]);
        part_make(s, "third", &parts[2]);
        parts[2].page = 2;
        id = snapshot_of_parts(s, step, parts);
        figure_set(s, step, 2024108, i, u, 100);
        ok(store_commit(s));
        for (size_t k = 0; k < ELEMENTSOF(table); k++) {
                VintageRow *v = NULL;
                size_t n;
                Body body;
                char hex[65];

                ok(store_vintages(s, 2024108, i, u, table[k].part, &v, &n));
                ok(body_pack(table[k].body, strlen(table[k].body), &body));
                crypto_hex(body.hash, sizeof(body.hash), hex);
                assert_int_equal(n, 1);
                assert_int_equal(v[0].snapshot, id);
                assert_string_equal(v[0].hash, hex);
                free(v);
                body_done(&body);
        }
}

/* Where the part stands is not the same in every snapshot: a page more before it, or others of it. */
static void test_vintage_part_moves(void **state) {
        static const struct {
                const char *name;
                int page;
        } asked[][3] = {
                {{"totals", 1}, {"progress", 1}, {"progress", 2}},
                {{"totals", 1}, {"totals", 2}, {"progress", 1}},
                {{"progress", 1}, {"progress", 2}, {"totals", 1}},
                {{"totals", 1}, {"others", 1}, {"others", 2}},
                {{"totals", 1}, {"progress", 1}, {"progress", 2}},
        };
        static const size_t want[] = {1, 2, 0, 0, 1};
        World *w = *state;
        Store *s = w->store;
        char hex[ELEMENTSOF(asked)][65];
        VintageRow *v = NULL;
        UnitId u = 0;
        IndicatorId i = 0;
        size_t n;

        for (size_t k = 0; k < ELEMENTSOF(asked); k++) {
                StepId step = begin(s, CAUSE_SNAPSHOT, T0 + (int64_t) k);
                SnapshotPart parts[3];

                for (size_t p = 0; p < 3; p++) {
                        char text[8];

                        (void) snprintf(text, sizeof(text), "%zu-%zu", k, p);
                        part_make(s, text, &parts[p]);
                        parts[p].name = asked[k][p].name;
                        parts[p].page = asked[k][p].page;
                }
                crypto_hex(parts[want[k]].hash, sizeof(parts[0].hash), hex[k]);
                if (k == 0) {
                        u = unit_new(s, step, "u", "commune", 0);
                        i = indicator_new(s, "progress", DIRECTION_UP, "portal");
                }
                (void) snapshot_of_parts(s, step, parts);
                figure_set(s, step, 2024108, i, u, 100 + (int64_t) k);
                ok(store_commit(s));
        }
        ok(store_vintages(s, 2024108, i, u, "progress", &v, &n));
        assert_int_equal(n, ELEMENTSOF(asked));
        for (size_t k = 0; k < n; k++) {
                assert_int_equal(v[k].value, 100 + (int64_t) k);
                assert_int_equal(v[k].from_ms, T0 + (int64_t) k);
                assert_string_equal(v[k].hash, hex[k]);
        }
        free(v);
}

static void test_vintage_origin(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId u = unit_new(s, step, "u", "commune", 0);
        IndicatorId i = indicator_new(s, "progress", DIRECTION_UP, "portal");
        int64_t snapshot = snapshot_new(s, step, 2024108, SNAPSHOT_ACCEPTED, "a");
        VintageRow *v = NULL;
        size_t n;

        figure_set(s, step, 2024108, i, u, 100);
        figure_set(s, step, 2024107, i, u, 100);
        ok(store_commit(s));
        step = begin(s, CAUSE_IMPORT, T0 + 7);
        figure_set(s, step, 2024108, i, u, 200);
        ok(store_commit(s));
        ok(store_vintages(s, 2024108, i, u, NULL, &v, &n));
        assert_int_equal(n, 2);
        assert_int_equal(v[0].snapshot, snapshot);
        assert_string_equal(v[0].hash,
                            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
        assert_int_equal(v[1].snapshot, 0);
        assert_int_equal(v[1].from_ms, T0 + 7);
        free(v);
        ok(store_vintages(s, 2024107, i, u, NULL, &v, &n));
        assert_int_equal(n, 1);
        assert_int_equal(v[0].snapshot, 0); /* of another period */
        free(v);
        assert_sql_text(s,
                        "SELECT group_concat(period || '=' || value || '/' || from_step || '/' ||"
                        " ifnull(until_step, '-'), ' ')"
                        " FROM (SELECT * FROM v_history ORDER BY period_id, from_step)",
                        "2024-07=1.0/1/- 2024-08=1.0/1/2 2024-08=2.0/2/-");
        assert_sql_text(s, "SELECT from_time FROM v_history WHERE from_step = 1",
                        "2024-09-01T07:00:00+07:00");
}

static void test_figures_of(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);
        UnitId stranger = unit_new(s, step, "x", "commune", 0),
               province = unit_new(s, step, "p", "province", 0);
        UnitId a = unit_new(s, step, "a", "commune", province),
               b = unit_new(s, step, "b", "commune", province);
        IndicatorId i[3];
        FigureRow *rows = NULL;
        size_t n;
        PeriodId period = 0, last = 0;

        i[0] = indicator_new(s, "one", DIRECTION_UP, "portal");
        i[1] = indicator_new(s, "two", DIRECTION_UP, "other");
        i[2] = indicator_new(s, "three", DIRECTION_UP, "portal");
        for (UnitId u = stranger; u <= b; u++)
                for (size_t k = 0; k < 3; k++)
                        figure_set(s, step, 2024108, i[k], u, (int64_t) (u * 10 + k));
        figure_set(s, step, 2024108, i[2], a, VALUE_NONE);
        figure_set(s, step, 2024203, i[1], a, 1);
        figure_set(s, step, 2022112, i[1], a, 1);
        figure_set(s, step, 2023401, i[1], a, 1);
        ok(store_commit(s));

        ok(store_figures_of(s, 2024108, (IndicatorId[]){i[0], i[2]}, 2, province, &rows, &n));
        assert_int_equal(n, 6);
        assert_int_equal(rows[0].unit, province);
        assert_int_equal(rows[1].unit, a);
        assert_int_equal(rows[2].unit, b);
        assert_int_equal(rows[2].value, b * 10);
        assert_int_equal(rows[3].indicator, i[2]);
        assert_true(rows[4].value == VALUE_NONE);
        assert_int_equal(rows[4].why, WHY_MISSING);
        free(rows);
        ok(store_figures_of(s, 2024108, i, 1, 0, &rows, &n));
        assert_int_equal(n, 4);
        assert_int_equal(rows[0].unit, stranger);
        free(rows);
        rows = NULL;
        ok(store_figures_of(s, 2024109, i, 3, 0, &rows, &n));
        assert_int_equal(n, 0);

        static const struct {
                const char *source;
                PeriodType type;
                PeriodId newest;
        } newest[] = {{"portal", PERIOD_MONTH, 2024108},  {"other", PERIOD_MONTH, 2024108},
                      {"other", PERIOD_QUARTER, 2024203}, {"other", PERIOD_YEAR, 2023401},
                      {"other", PERIOD_HALF, 0},          {"portal", PERIOD_QUARTER, 0},
                      {"none", PERIOD_MONTH, 0}};
        for (size_t k = 0; k < ELEMENTSOF(newest); k++) {
                ok(store_period_newest(s, newest[k].source, newest[k].type, &period));
                assert_int_equal(period, newest[k].newest);
        }
        ok(store_period_range(s, i[1], PERIOD_MONTH, 0, &period, &last));
        assert_int_equal(period, 2022112);
        assert_int_equal(last, 2024108);
        ok(store_period_range(s, i[1], PERIOD_YEAR, 0, &period, &last));
        assert_int_equal(period, 2023401);
        assert_int_equal(last, 2023401);
        ok(store_period_range(s, i[0], PERIOD_MONTH, 0, &period, &last));
        assert_int_equal(period, 2024108);
        assert_int_equal(store_period_range(s, i[0], PERIOD_HALF, 0, &period, &last), STORE_E_NONE);
}

/* ---- the past, against a model that keeps all of it ------------------------------------------ */

enum { N_STEPS = 80, N_PERIODS = 4, N_INDICATORS = 2, N_UNITS = 40 };

typedef struct Cell {
        int64_t value;
        Why why;
        bool is_known;
} Cell;

typedef struct Model {
        Cell at[N_STEPS + 1][N_PERIODS][N_INDICATORS][N_UNITS]; /* after each step */
        UnitId units[N_UNITS];
        IndicatorId indicators[N_INDICATORS];
        PeriodId periods[N_PERIODS];
} Model;

static void model_write(Store *s, Model *m, StepId step, uint64_t *seed) {
        size_t p = next_random(seed, N_PERIODS), n = next_random(seed, 60);

        memcpy(m->at[step], m->at[step - 1], sizeof(m->at[0]));
        for (size_t k = 0; k < n; k++) {
                size_t i = next_random(seed, N_INDICATORS), u = next_random(seed, N_UNITS);
                Cell *c = &m->at[step][p][i][u];
                bool had_old = next_random(seed, 8) ? c->is_known : !c->is_known;
                bool is_none = next_random(seed, 5) == 0;
                Cell now = {.value = is_none ? VALUE_NONE : (int64_t) next_random(seed, 6) * 100,
                            .why = is_none ? (Why) (1 + next_random(seed, 4)) : WHY_VALUE,
                            .is_known = true};
                FigureChange change = {.now = {m->indicators[i], m->units[u], now.value, now.why},
                                       .had_old = had_old};

                ok(store_figure_put(s, step, m->periods[p], &change));
                *c = now;
        }
}

static void compare_panel(Store *s, const Model *m, StepId as_of, size_t i, const size_t *pick,
                          size_t n_pick) {
        CLEANUP(panel_freep) Panel *panel = NULL;
        UnitId units[N_UNITS];
        StepId step = as_of ? as_of : N_STEPS;

        for (size_t k = 0; k < n_pick; k++)
                units[k] = m->units[pick[k]];
        ok(panel_new(units, n_pick, m->periods[0], N_PERIODS, &panel));
        panel->value[0] = 12345; /* whatever stood there goes */
        ok(store_panel_load(s, m->indicators[i], as_of, panel));
        for (size_t p = 0; p < N_PERIODS; p++)
                for (size_t k = 0; k < n_pick; k++) {
                        const Cell *c = &m->at[step][p][i][pick[k]];

                        assert_int_equal(panel->is_known[p * n_pick + k], c->is_known);
                        assert_true(panel_at(panel, p, k) == c->value);
                }
}

static void compare_single(Store *s, const Model *m, StepId as_of, size_t p, size_t i) {
        StepId step = as_of ? as_of : N_STEPS;
        CLEANUP_FREE UnitId *units = NULL;
        size_t n, k = 0;

        ok(store_units_of(s, m->periods[p], m->indicators[i], as_of, &units, &n));
        for (size_t u = 0; u < N_UNITS; u++) {
                const Cell *c = &m->at[step][p][i][u];
                FigureRow f;
                StepId from = 0;
                int r = store_figure_get(s, m->periods[p], m->indicators[i], m->units[u], as_of, &f,
                                         &from);

                assert_int_equal(r, c->is_known ? 0 : STORE_E_NONE);
                if (!c->is_known)
                        continue;
                assert_true(f.value == c->value);
                assert_int_equal(f.why, c->why);
                assert_true(from <= step);
                assert_true(k < n);
                assert_int_equal(units[k++], m->units[u]);
        }
        assert_int_equal(k, n);
}

/* Each vintage says of every step of its interval what was known then. */
static void compare_vintages(Store *s, const Model *m, size_t p, size_t i, size_t u) {
        VintageRow *v = NULL;
        size_t n;
        StepId next = 0;

        ok(store_vintages(s, m->periods[p], m->indicators[i], m->units[u], NULL, &v, &n));
        for (size_t k = 0; k < n; k++) {
                StepId until = v[k].until ? v[k].until : N_STEPS + 1;

                assert_true(next == 0 || v[k].from == next); /* no gap */
                assert_true(v[k].from < until);
                assert_int_equal(v[k].until == 0, k == n - 1);
                for (StepId step = v[k].from; step < until; step++) {
                        assert_true(m->at[step][p][i][u].is_known);
                        assert_true(m->at[step][p][i][u].value == v[k].value);
                        assert_int_equal(m->at[step][p][i][u].why, v[k].why);
                }
                next = until;
        }
        assert_int_equal(n > 0, m->at[N_STEPS][p][i][u].is_known);
        if (n > 0)
                assert_false(m->at[v[0].from - 1][p][i][u].is_known);
        free(v);
}

static void model_fill(Store *s, Model *m, uint64_t *seed) {
        for (size_t p = 0; p < N_PERIODS; p++)
                m->periods[p] = period_add(2023111, (int) p);
        for (size_t step = 1; step <= N_STEPS; step++) {
                StepId id = begin(s, CAUSE_SNAPSHOT, T0 + (int64_t) step);

                assert_int_equal(id, step);
                if (step == 1) {
                        for (size_t u = 0; u < N_UNITS; u++) {
                                char key[16];

                                for (size_t gap = 0; u == N_UNITS / 2 && gap < 30; gap++) {
                                        (void) snprintf(key, sizeof(key), "gap%zu", gap);
                                        (void) unit_new(s, id, key, "commune", 0);
                                }
                                (void) snprintf(key, sizeof(key), "u%zu", u);
                                m->units[u] = unit_new(s, id, key, "commune", 0);
                        }
                        m->indicators[0] = indicator_new(s, "one", DIRECTION_UP, "portal");
                        m->indicators[1] = indicator_new(s, "two", DIRECTION_UP, "portal");
                }
                model_write(s, m, id, seed);
                if (next_random(seed, 10) ==
                    0) { /* undone and done again: the caches must not remember */
                        store_rollback(s);
                        if (step > 1) {
                                assert_int_equal(begin(s, CAUSE_SNAPSHOT, T0 + (int64_t) step),
                                                 step);
                                model_write(s, m, id, seed);
                        } else {
                                step--;
                                continue;
                        }
                }
                ok(store_commit(s));
        }
}

static void test_past_against_model(void **state) {
        World *w = *state;
        Model *m = calloc(1, sizeof(*m));
        uint64_t seed = 766;
        size_t all[N_UNITS], pick[N_UNITS], n_pick;

        assert_non_null(m);
        for (size_t p = 0; p < N_PERIODS; p++)
                for (size_t i = 0; i < N_INDICATORS; i++)
                        for (size_t u = 0; u < N_UNITS; u++)
                                m->at[0][p][i][u].value = VALUE_NONE;
        model_fill(w->store, m, &seed);
        for (size_t u = 0; u < N_UNITS; u++)
                all[u] = N_UNITS - 1 - u; /* panels are sorted by code, not by id */
        for (StepId step = 0; step <= N_STEPS; step++)
                for (size_t i = 0; i < N_INDICATORS; i++) {
                        n_pick = 0;
                        for (size_t u = 0; u < N_UNITS; u++)
                                if (next_random(&seed, 3) == 0)
                                        pick[n_pick++] = u;
                        compare_panel(w->store, m, step, i, all, N_UNITS);
                        compare_panel(w->store, m, step, i, pick, n_pick);
                        compare_single(w->store, m, step, next_random(&seed, N_PERIODS), i);
                }
        for (size_t p = 0; p < N_PERIODS; p++)
                for (size_t i = 0; i < N_INDICATORS; i++)
                        for (size_t u = 0; u < N_UNITS; u++)
                                compare_vintages(w->store, m, p, i, u);
        assert_true(sql_int(w->store, "SELECT count(*) FROM vintage") > 500);
        assert_int_equal(sql_int(w->store,
                                 "SELECT count(*) FROM vintage WHERE (period, until_step)"
                                 " NOT IN (SELECT period, step FROM change_step)"),
                         0);
        ok(store_verify(w->store, NULL));
        free(m);
}

/* ---- v_ranking against core/rank ------------------------------------------------------------- */

enum { N_COHORT = 25 };

static void compare_ranking(Store *s, const char *indicator, PeriodId period, const char *parent,
                            Direction direction, const int64_t *value) {
        sqlite3_stmt *q = NULL;
        uint32_t place[N_COHORT];
        size_t of, rows = 0;

        ok(rank_build(value, N_COHORT, direction, place, &of));
        assert_int_equal(
                sqlite3_prepare_v2(
                        s->db,
                        "SELECT ifnull(place, 0), of_count, scaled, name, code FROM v_ranking WHERE"
                        " indicator = ?1 AND period_id = ?2 AND parent = ?3 AND kind = 'commune'"
                        " ORDER BY unit_id",
                        -1, &q, NULL),
                SQLITE_OK);
        ok(sqlite3_bind_text(q, 1, indicator, -1, SQLITE_STATIC));
        ok(sqlite3_bind_int(q, 2, period));
        ok(sqlite3_bind_text(q, 3, parent, -1, SQLITE_STATIC));
        for (; sqlite3_step(q) == SQLITE_ROW; rows++) {
                char name[32];

                assert_int_equal(column_int(q, 0), place[rows]);
                assert_int_equal(column_int(q, 1), of);
                assert_true(column_value(q, 2) == value[rows]);
                (void) snprintf(name, sizeof(name), "Xã %s-%zu", parent, rows);
                assert_string_equal((const char *) sqlite3_column_text(q, 3), name);
                (void) snprintf(name, sizeof(name), "%05zu", rows);
                assert_string_equal((const char *) sqlite3_column_text(q, 4), name);
        }
        (void) sqlite3_finalize(q);
        assert_int_equal(rows, N_COHORT);
}

static void test_ranking_view(void **state) {
        World *w = *state;
        Store *s = w->store;
        static const char *const parents[] = {"H31", "H99"}, *const names[] = {"up", "down"};
        static int64_t value[2][3][2][N_COHORT];
        uint64_t seed = 4;
        StepId step = begin(s, CAUSE_SNAPSHOT, T0);

        for (size_t i = 0; i < 2; i++)
                (void) indicator_new(s, names[i], i ? DIRECTION_DOWN : DIRECTION_UP, "portal");
        for (size_t c = 0; c < 2; c++) {
                UnitId parent = unit_new(s, step, parents[c], "province", 0);

                for (size_t u = 0; u < N_COHORT; u++) {
                        char text[32];
                        UnitId unit;

                        (void) snprintf(text, sizeof(text), "%s.%zu", parents[c], u);
                        unit = unit_new(s, step, text, "commune", parent);
                        (void) snprintf(text, sizeof(text), "Xã %s-%zu", parents[c], u);
                        ok(store_unit_name_add(s, step, unit, "Tên cũ", DAY_EVER, 19000, false));
                        ok(store_unit_name_add(s, step, unit, text, 19000, DAY_OPEN, false));
                        ok(store_unit_name_add(s, step, unit, "alias", 19999, DAY_OPEN, true));
                        (void) snprintf(text, sizeof(text), "%05zu", u);
                        ok(store_unit_code_add(s, step, unit, "gso", text, DAY_EVER, DAY_OPEN));
                        for (size_t p = 0; p < 3; p++)
                                for (size_t i = 0; i < 2; i++) {
                                        /* few values, so that there are ties; in the last period
                                         * nobody has one */
                                        int64_t v =
                                                p == 2 || next_random(&seed, 5) == 0
                                                        ? VALUE_NONE
                                                        : 9000 + (int64_t) next_random(&seed, 8);

                                        value[i][p][c][u] = v;
                                        figure_set(s, step, 2024108 + (PeriodId) p,
                                                   (IndicatorId) (i + 1), unit, v);
                                }
                }
        }
        ok(store_commit(s));
        for (size_t i = 0; i < 2; i++)
                for (size_t p = 0; p < 3; p++)
                        for (size_t c = 0; c < 2; c++)
                                compare_ranking(s, names[i], 2024108 + (PeriodId) p, parents[c],
                                                i ? DIRECTION_DOWN : DIRECTION_UP, value[i][p][c]);
        assert_sql_text(s, "SELECT period FROM v_ranking WHERE period_id = 2024109 LIMIT 1",
                        "2024-09");
        assert_int_equal(sql_int(s, "SELECT count(*) FROM v_ranking WHERE value * 100 <> scaled"),
                         0);
}

/* A WHERE on period and indicator must be seeks below the window, or ten years of figures are read
 * for one table. */
/* What a person may write, and what must stand in its plan; `SCAN` of what grows must not. */
static const struct {
        const char *sql, *want;
} plans[] = {
        {"SELECT * FROM v_ranking WHERE period_id = 2024108 AND indicator = 'x' AND kind = 'c'",
         "(period=? AND indicator=?)"},
        {"SELECT * FROM figure WHERE period = 2024108 AND indicator = 2",
         "(period=? AND indicator=?)"},
        {"SELECT * FROM figure WHERE period = 2024108", "(period=?)"},
        {"SELECT value FROM figure f JOIN indicator i ON i.id = f.indicator"
         " JOIN unit u ON u.id = f.unit WHERE i.name = 'x' AND f.period = 2024108 AND u.key = 'k'",
         "(period=? AND indicator=?)"},
        {"SELECT * FROM vintage WHERE period = 2024108 AND indicator = 2", "(period=?)"},
        {"SELECT * FROM vintage WHERE until_step = 9", "(step=?)"},
        {"SELECT * FROM v_history WHERE period_id = 2024108 AND indicator = 'x'", "(period=?"},
};

static void test_plans(void **state) {
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                char sql[400];
                sqlite3_stmt *q = NULL;
                bool is_sought = false;

                (void) snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", plans[i].sql);
                assert_int_equal(sqlite3_prepare_v2(w->store->db, sql, -1, &q, NULL), SQLITE_OK);
                while (sqlite3_step(q) == SQLITE_ROW) {
                        const char *line = (const char *) sqlite3_column_text(q, 3);

                        is_sought = is_sought || strstr(line, plans[i].want);
                        if (streq(line, "SCAN k") || streq(line, "SCAN known") ||
                            streq(line, "SCAN known_before"))
                                fail_msg("%s: %s", plans[i].sql, line);
                }
                (void) sqlite3_finalize(q);
                if (!is_sought)
                        fail_msg("%s: no %s", plans[i].sql, plans[i].want);
        }
}

/* What would not fit into a key is refused; a word of the table is no value of a view. */
static void test_keys(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step = begin(s, CAUSE_RELOAD, T0);
        IndicatorId i = indicator_new(s, "i", DIRECTION_UP, "s");
        UnitId u = unit_new(s, step, "u", "commune", 0);
        FigureChange c = {.now = {.indicator = i, .unit = 1 << 18, .value = 1}};

        assert_int_equal(store_figure_put(s, step, 2024108, &c), -EINVAL);
        c.now = (FigureRow){.indicator = 1 << 12, .unit = u, .value = 1};
        assert_int_equal(store_figure_put(s, step, 2024108, &c), -EINVAL);
        c.now = (FigureRow){.indicator = i, .unit = u, .value = VALUE_NONE, .why = WHY_GONE + 1};
        assert_int_equal(store_figure_put(s, step, 2024108, &c), -EINVAL);
        c.now = (FigureRow){.indicator = i, .unit = u, .value = 1};
        assert_int_equal(store_figure_put(s, step + 1, 2024108, &c), -EINVAL); /* no such step */
        for (Why why = WHY_MISSING; why <= WHY_GONE; why++) {
                FigureRow row;

                c.now = (FigureRow){.indicator = i, .unit = u, .value = VALUE_NONE, .why = why};
                ok(store_figure_put(s, step, 2024108, &c));
                ok(store_figure_get(s, 2024108, i, u, 0, &row, NULL));
                assert_int_equal(row.value, VALUE_NONE);
                assert_int_equal(row.why, why);
                assert_int_equal(sql_int(s, "SELECT why FROM figure WHERE value IS NULL"), why);
        }
        assert_int_equal(sql_do(s, "UPDATE known SET value = 'nonsense'"), -EINVAL);
        assert_int_equal(sql_do(s, "UPDATE known SET value = 1.5"), -EINVAL);
        store_rollback(s);
        /* an id that was undone is not remembered */
        step = begin(s, CAUSE_RELOAD, T0);
        i = indicator_new(s, "other", DIRECTION_UP, "s");
        u = unit_new(s, step, "u", "commune", 0);
        figure_set(s, step, 2024109, i, u, 5);
        figure_set(s, step, 2024108, i, u, 7);
        ok(store_commit(s));
        assert_int_equal(sql_int(s, "SELECT value FROM figure WHERE period = 2024108"), 7);
        ok(store_verify(s, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_bodies),
                world_test(test_snapshots),
                world_test(test_attempts),
                world_test(test_retain_bodies),
                world_test(test_notes_and_manners),
                world_test(test_figure_rules),
                world_test(test_vintage_origin),
                world_test(test_vintage_part),
                world_test(test_vintage_part_moves),
                world_test(test_figures_of),
                world_test(test_past_against_model),
                world_test(test_ranking_view),
                world_test(test_plans),
                world_test(test_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
