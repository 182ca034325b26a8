/* The kept database is attached, so that both stand in one statement. These texts are not in the
 * table of statements: they cannot be prepared where nothing is attached. */
#include "store/replay.h"

#include <errno.h>

#include "store/figure.h"
#include "store/key.h"

typedef struct Ints {
        int64_t a, b;
} Ints;

static int prepare(Store *s, const char *sql, Ints ints, sqlite3_stmt **ret) {
        int rc = sqlite3_prepare_v2(s->db, sql, -1, ret, NULL);

        if (rc == SQLITE_OK && sqlite3_bind_parameter_count(*ret) > 0)
                rc = sqlite3_bind_int64(*ret, 1, ints.a);
        if (rc == SQLITE_OK && sqlite3_bind_parameter_count(*ret) > 1)
                rc = sqlite3_bind_int64(*ret, 2, ints.b);
        return sql_errno(rc);
}

static void finalize(sqlite3_stmt **q) {
        (void) sqlite3_finalize(*q);
}

static int run(Store *s, const char *sql, Ints ints) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        int r = prepare(s, sql, ints, &q);

        while (r >= 0 && (r = query_next(q)) > 0)
                ;
        return r;
}

int store_replay_begin(Store *empty, const char *kept) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        int r = prepare(empty, "ATTACH ?1 AS kept", (Ints){0}, &q);

        if (r >= 0)
                r = sql_errno(sqlite3_bind_text(q, 1, kept, -1, SQLITE_STATIC));
        if (r >= 0)
                r = query_next(q);
        if (r >= 0)
                r = store_begin(empty);
        if (r < 0)
                return r;
        r = run(empty, "INSERT INTO main.step SELECT * FROM kept.step", (Ints){0});
        if (r >= 0)
                r = run(empty, "INSERT INTO main.indicator SELECT * FROM kept.indicator",
                        (Ints){0});
        /* a unit that nothing names yet is nobody's */
        if (r >= 0)
                r = run(empty, "INSERT INTO main.unit SELECT * FROM kept.unit", (Ints){0});
        if (r >= 0)
                r = run(empty, "INSERT INTO main.snapshot SELECT * FROM kept.snapshot", (Ints){0});
        return r < 0 ? r : store_commit(empty);
}

/* ---- what happened --------------------------------------------------------------------------- */

static int read_event(Query q, ReplayEvent *row) {
        *row = (ReplayEvent){.step = column_int(q, 0),
                             .snapshot = column_int(q, 1),
                             .period = (PeriodId) column_int(q, 2),
                             .known = column_int(q, 3),
                             .is_import = column_int(q, 4) == CAUSE_IMPORT,
                             .is_undo = column_int(q, 5)};
        return 0;
}

int store_replay_events(Store *s, ReplayEvent **ret, size_t *ret_n) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        CLEANUP_FREE ReplayEvent *rows = NULL;
        size_t n = 0, cap = 0;
        int r = prepare(s,
                        "SELECT n.known_step, n.id, n.period, n.known_step, t.cause, 0"
                        " FROM kept.snapshot n JOIN kept.step t ON t.id = n.known_step"
                        " UNION ALL SELECT ended_step, id, period, known_step, 0, 1"
                        " FROM kept.snapshot WHERE known_step NOT NULL AND ended_step NOT NULL"
                        " ORDER BY 1, 6, 2",
                        (Ints){0}, &q);

        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_event);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

int store_replay_registry(Store *s, StepId from, StepId step, bool *ret) {
        Ints ints = {from, step};
        int before = sqlite3_total_changes(s->db);
        int r = run(s,
                    "INSERT INTO main.unit_code(unit, namespace, code, valid_from, valid_until,"
                    " step) SELECT unit, namespace, code, valid_from, valid_until, step"
                    " FROM kept.unit_code WHERE step > ?1 AND step <= ?2 ORDER BY id",
                    ints);

        if (r >= 0)
                r = run(s,
                        "INSERT INTO main.unit_name(unit, name, valid_from, valid_until, is_alias,"
                        " step) SELECT unit, name, valid_from, valid_until, is_alias, step"
                        " FROM kept.unit_name WHERE step > ?1 AND step <= ?2 ORDER BY id",
                        ints);
        *ret = sqlite3_total_changes(s->db) != before;
        return r;
}

static int take_rows(Store *s, StepId step, PeriodId period, const char *sql) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        int r = prepare(s, sql, (Ints){period, step}, &q);

        while (r >= 0 && (r = query_next(q)) > 0) {
                FigureChange c = {.had_old = true};

                c.now.indicator = (IndicatorId) column_int(q, 0);
                c.now.unit = (UnitId) column_int(q, 1);
                column_known(q, 2, &c.now.value, &c.now.why);
                r = store_figure_put(s, step, period, &c);
        }
        return r;
}

int store_replay_take(Store *s, StepId step, PeriodId period) {
        int r = take_rows(s, step, period,
                          "SELECT r.indicator, k.unit, k.value FROM kept.series r CROSS JOIN"
                          " kept.known k ON k.id BETWEEN r.id << 18 AND (r.id << 18) + 262143"
                          " WHERE r.period = ?1 AND k.from_step = ?2");

        return r < 0 ? r
                     : take_rows(s, step, period,
                                 "SELECT v.indicator, v.unit, v.value FROM kept.change_step c"
                                 " CROSS JOIN kept.known_before v ON v.id BETWEEN c.id << 30"
                                 " AND (c.id << 30) + 1073741823 WHERE c.period = ?1"
                                 " AND c.step > ?2 AND c.step - v.lasted = ?2");
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Those of `a` that `b` does not have just so, the earliest first. */
#define FIGURES_OTHER(a, b)                                                                        \
        "SELECT k.from_step, r.period, i.name, u.key, k.value, m.value, m.from_step FROM " a       \
        ".series r CROSS JOIN " a                                                                  \
        ".known k ON k.id BETWEEN r.id << 18 AND (r.id << 18) + 262143"                            \
        " JOIN kept.indicator i ON i.id = r.indicator JOIN kept.unit u ON u.id = k.unit"           \
        " LEFT JOIN " b                                                                            \
        ".series t ON t.period = r.period AND t.indicator = r.indicator"                           \
        " LEFT JOIN " b                                                                            \
        ".known m ON m.id = (t.id << 18) + k.unit"                                                 \
        " WHERE m.value IS NOT k.value OR m.from_step IS NOT k.from_step ORDER BY 1 LIMIT 1"
#define VINTAGES_OTHER(a, b)                                                                       \
        "SELECT c.step - v.lasted, c.period, i.name, u.key, v.value, w.value, d.step - w.lasted"   \
        " FROM " a ".change_step c CROSS JOIN " a                                                  \
        ".known_before v ON v.id BETWEEN c.id << 30"                                               \
        " AND (c.id << 30) + 1073741823 JOIN kept.indicator i ON i.id = v.indicator"               \
        " JOIN kept.unit u ON u.id = v.unit"                                                       \
        " LEFT JOIN " b                                                                            \
        ".change_step d ON d.period = c.period AND d.step = c.step"                                \
        " LEFT JOIN " b                                                                            \
        ".known_before w ON w.id = (d.id << 30) + (v.id & 1073741823)"                             \
        " WHERE w.value IS NOT v.value OR w.lasted IS NOT v.lasted ORDER BY 1 LIMIT 1"

typedef struct Finding {
        StepId step, other_step;
        PeriodId period;
        char indicator[64], unit[256], value[32], other[32];
} Finding;

static int find(Store *s, const char *sql, Finding *ret) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        int r = prepare(s, sql, (Ints){0}, &q);

        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        ret->step = column_int(q, 0);
        ret->period = (PeriodId) column_int(q, 1);
        column_text_fixed(q, 2, ret->indicator, sizeof(ret->indicator));
        column_text_fixed(q, 3, ret->unit, sizeof(ret->unit));
        column_text_fixed(q, 4, ret->value, sizeof(ret->value));
        column_text_fixed(q, 5, ret->other, sizeof(ret->other));
        ret->other_step = column_int(q, 6);
        return 0;
}

static void say(Diag *diag, const Finding *f, bool is_kept) {
        char period[16];

        (void) period_format(period, f->period);
        if (f->other[0])
                diag_error(diag, NULL, 0, NULL,
                           "%s %s %s: kept is %s from step %lld on, the bodies say %s from step "
                           "%lld on",
                           period, f->indicator, f->unit, is_kept ? f->value : f->other,
                           (long long) (is_kept ? f->step : f->other_step),
                           is_kept ? f->other : f->value,
                           (long long) (is_kept ? f->other_step : f->step));
        else
                diag_error(diag, NULL, 0, NULL, "%s %s %s: %s from step %lld on %s", period,
                           f->indicator, f->unit, f->value, (long long) f->step,
                           is_kept ? "is kept, and no body says so"
                                   : "is what the bodies say, and is not kept");
}

static int count(Store *s, const char *sql, int64_t *ret) {
        CLEANUP(finalize) sqlite3_stmt *q = NULL;
        int r = prepare(s, sql, (Ints){0}, &q);

        if (r >= 0)
                r = query_next(q);
        if (r > 0)
                *ret = column_int(q, 0);
        return MIN(r, 0);
}

int store_replay_compare(Store *s, Diag *diag, ReplaySizes *ret) {
        static const struct {
                const char *sql;
                bool is_kept;
        } table[] = {{FIGURES_OTHER("kept", "main"), true},
                     {VINTAGES_OTHER("kept", "main"), true},
                     {FIGURES_OTHER("main", "kept"), false},
                     {VINTAGES_OTHER("main", "kept"), false}};
        Finding first = {0};
        bool is_first_kept = false;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Finding f = {0};

                r = find(s, table[i].sql, &f);
                if (r < 0)
                        return r;
                if (r == 0 && (first.step == 0 || f.step < first.step)) {
                        first = f;
                        is_first_kept = table[i].is_kept;
                }
        }
        if (first.step) {
                say(diag, &first, is_first_kept);
                return STORE_E_MISMATCH;
        }
        r = count(s, "SELECT count(*) FROM kept.known", &ret->figures);
        return r < 0 ? r : count(s, "SELECT count(*) FROM kept.known_before", &ret->vintages);
}
