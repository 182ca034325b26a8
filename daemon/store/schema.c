/* Tables, views, and how an older file gets there.
 *
 * Invariants the file itself holds: STRICT types; foreign keys; vintages, transitions and silences
 * are append-only (triggers); bodies never change; one unsettled message per target (partial unique
 * index).
 *
 * `figure` has the present, `vintage` the past. Tried and dropped: one history table with the
 * figure first in the key (writes grow 2.7-fold in ten years). Vintages begin with the step at which
 * they ended, so that the table only ever grows at its end; change_step tells which of them a period
 * has, so that a past period is found by seeking. How they are stored is told in schema-v2.c. */
#include "store/schema.h"

#include <errno.h>

#include "store/sql.h"
#include "store/store.h"

/* "2024-08" of a period id, as in core/period.c. */
#define SQL_PERIOD_TEXT(p)                                                                         \
        "CASE " p " / 100 % 10 WHEN 1 THEN printf('%d-%02d', " p " / 1000, " p                     \
        " % 100)"                                                                                  \
        " WHEN 2 THEN printf('%d-Q%d', " p " / 1000, " p                                           \
        " % 100)"                                                                                  \
        " WHEN 3 THEN printf('%d-H%d', " p " / 1000, " p                                           \
        " % 100)"                                                                                  \
        " ELSE printf('%d', " p " / 1000) END"
/* A scaled value as the number that was published. */
#define SQL_NUMBER(value, decimals)                                                                \
        "round(" value " / CAST(substr('10000', 1, 1 + " decimals ") AS REAL), " decimals ")"
#define SQL_WHY(why)                                                                               \
        "CASE " why                                                                                \
        " WHEN 0 THEN 'value' WHEN 1 THEN 'missing' WHEN 2 THEN 'empty'"                           \
        " WHEN 3 THEN 'bad' ELSE 'gone' END"
#define SQL_TIME(ms) "strftime('%Y-%m-%dT%H:%M:%S+07:00', " ms " / 1000 + 25200, 'unixepoch')"
#define SQL_UNIT_NAME(unit)                                                                        \
        "(SELECT name FROM unit_name WHERE unit = " unit                                           \
        " AND is_alias = 0 ORDER BY valid_from DESC, id DESC LIMIT 1)"
#define SQL_UNIT_CODE(unit)                                                                        \
        "(SELECT code FROM unit_code WHERE unit = " unit                                           \
        " ORDER BY valid_from DESC, id DESC LIMIT 1)"
#define SQL_SEVERITY(s) "CASE " s " WHEN 0 THEN 'none' WHEN 1 THEN 'warning' ELSE 'critical' END"

static const char schema_v1[] =
        "PRAGMA application_id = 0x43485344;" /* STORE_APPLICATION_ID */

        "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

        "CREATE TABLE step("
        " id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, cause INTEGER NOT NULL,"
        " is_backward INTEGER NOT NULL DEFAULT 0) STRICT;"
        "CREATE INDEX step_at ON step(at_ms);"
        "CREATE INDEX step_backward ON step(at_ms) WHERE is_backward = 1;"

        /* registry; validity in days since 1970-01-01, NULL = always, for ever */
        "CREATE TABLE unit("
        " id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
        " parent INTEGER REFERENCES unit, valid_from INTEGER, valid_until INTEGER,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE INDEX unit_parent ON unit(parent);"
        "CREATE TABLE unit_name("
        " id INTEGER PRIMARY KEY, unit INTEGER NOT NULL REFERENCES unit, name TEXT NOT NULL,"
        " valid_from INTEGER, valid_until INTEGER, is_alias INTEGER NOT NULL DEFAULT 0,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE INDEX unit_name_unit ON unit_name(unit);"
        "CREATE TABLE unit_code("
        " id INTEGER PRIMARY KEY, unit INTEGER NOT NULL REFERENCES unit, namespace TEXT NOT NULL,"
        " code TEXT NOT NULL, valid_from INTEGER, valid_until INTEGER,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE INDEX unit_code_unit ON unit_code(unit);"
        "CREATE INDEX unit_code_code ON unit_code(namespace, code);"
        "CREATE TABLE unit_contact("
        " unit INTEGER PRIMARY KEY REFERENCES unit, email TEXT, webhook TEXT) STRICT;"
        "CREATE TABLE unit_successor("
        " unit INTEGER NOT NULL REFERENCES unit, successor INTEGER NOT NULL REFERENCES unit,"
        " from_day INTEGER NOT NULL, step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(unit, successor)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX unit_successor_back ON unit_successor(successor);"
        "CREATE TABLE quarantine("
        " id INTEGER PRIMARY KEY, source TEXT NOT NULL, namespace TEXT NOT NULL, code TEXT NOT NULL,"
        " name TEXT NOT NULL, reason TEXT NOT NULL, first_step INTEGER NOT NULL REFERENCES step,"
        " last_step INTEGER NOT NULL REFERENCES step, done_step INTEGER REFERENCES step,"
        " UNIQUE(namespace, code, name)) STRICT;"
        "CREATE TABLE indicator("
        " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, label TEXT NOT NULL,"
        " unit INTEGER NOT NULL, decimals INTEGER NOT NULL, direction INTEGER NOT NULL,"
        " source TEXT NOT NULL) STRICT;"
        "CREATE TABLE scope("
        " source TEXT NOT NULL, scope TEXT NOT NULL, unit INTEGER REFERENCES unit,"
        " PRIMARY KEY(source, scope)) STRICT, WITHOUT ROWID;"

        /* what was fetched */
        "CREATE TABLE body("
        " id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,"
        " packed BLOB) STRICT;" /* NULL: past its retention */
        "CREATE TRIGGER body_fixed BEFORE UPDATE ON body"
        " WHEN NEW.hash IS NOT OLD.hash OR NEW.size IS NOT OLD.size"
        " OR (NEW.packed IS NOT NULL AND OLD.packed IS NOT NULL)"
        " BEGIN SELECT RAISE(ABORT, 'bodies never change'); END;"
        "CREATE TABLE snapshot("
        " id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, period INTEGER NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step,"
        " known_step INTEGER REFERENCES step," /* its figures are known from here on; NULL = never */
        " at_ms INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT, n_units INTEGER NOT NULL,"
        " n_values INTEGER NOT NULL, n_bad INTEGER NOT NULL) STRICT;"
        "CREATE INDEX snapshot_job ON snapshot(source, period, scope);"
        "CREATE INDEX snapshot_known ON snapshot(period, known_step);"
        "CREATE TABLE snapshot_part("
        " snapshot INTEGER NOT NULL REFERENCES snapshot, n INTEGER NOT NULL, name TEXT NOT NULL,"
        " page INTEGER NOT NULL, body INTEGER NOT NULL REFERENCES body, http_status INTEGER NOT NULL,"
        " url TEXT, etag TEXT, last_modified TEXT, at_ms INTEGER NOT NULL,"
        " PRIMARY KEY(snapshot, n)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE attempt("
        " id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, period INTEGER NOT NULL,"
        " at_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL, http_status INTEGER NOT NULL,"
        " bytes INTEGER NOT NULL, outcome INTEGER NOT NULL, reason TEXT,"
        " snapshot INTEGER REFERENCES snapshot) STRICT;"
        "CREATE INDEX attempt_at ON attempt(at_ms);"
        "CREATE INDEX attempt_scope ON attempt(source, scope);"
        "CREATE TABLE job(" /* outlives its attempts, which are kept for 400 days only */
        " source TEXT NOT NULL, scope TEXT NOT NULL, period INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
        " outcome INTEGER NOT NULL, reason TEXT, good_ms INTEGER NOT NULL,"
        " PRIMARY KEY(source, period, scope)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE note("
        " id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES step,"
        " snapshot INTEGER REFERENCES snapshot, period INTEGER NOT NULL,"
        " unit INTEGER REFERENCES unit, indicator INTEGER REFERENCES indicator,"
        " kind TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
        "CREATE INDEX note_snapshot ON note(snapshot);"
        "CREATE TABLE polite("
        " source TEXT PRIMARY KEY, next_ms INTEGER NOT NULL, failures INTEGER NOT NULL,"
        " refused_days INTEGER NOT NULL, refused_day INTEGER NOT NULL, backoff_ms INTEGER NOT NULL,"
        " is_stopped INTEGER NOT NULL, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

        /* what is known, and what was known before */
        "CREATE TABLE figure("
        " period INTEGER NOT NULL, indicator INTEGER NOT NULL REFERENCES indicator,"
        " unit INTEGER NOT NULL REFERENCES unit, value INTEGER, why INTEGER NOT NULL DEFAULT 0,"
        " from_step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(period, indicator, unit)) STRICT, WITHOUT ROWID;"
        /* Its references held when the row was a figure's; asking again cost an eighth of a revision. */
        "CREATE TABLE vintage("
        " until_step INTEGER NOT NULL, period INTEGER NOT NULL,"
        " indicator INTEGER NOT NULL, unit INTEGER NOT NULL,"
        " value INTEGER, why INTEGER NOT NULL DEFAULT 0,"
        " from_step INTEGER NOT NULL,"
        " PRIMARY KEY(until_step, period, indicator, unit)) STRICT, WITHOUT ROWID;"
        "CREATE TRIGGER vintage_fixed BEFORE UPDATE ON vintage"
        " BEGIN SELECT RAISE(ABORT, 'vintages are append-only'); END;"
        "CREATE TRIGGER vintage_kept BEFORE DELETE ON vintage"
        " BEGIN SELECT RAISE(ABORT, 'vintages are append-only'); END;"
        "CREATE TABLE change_step(" /* the until_steps that a period's vintages can have */
        " period INTEGER NOT NULL, step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(period, step)) STRICT, WITHOUT ROWID;"

        /* what is judged */
        "CREATE TABLE rule_version("
        " rule TEXT NOT NULL, from_period INTEGER NOT NULL, text TEXT NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(rule, from_period)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE episode("
        " id INTEGER PRIMARY KEY, rule TEXT NOT NULL, unit INTEGER REFERENCES unit, subject TEXT,"
        " first INTEGER NOT NULL, opened INTEGER NOT NULL, last INTEGER NOT NULL,"
        " length INTEGER NOT NULL, state INTEGER NOT NULL, end_reason INTEGER NOT NULL,"
        " severity INTEGER NOT NULL, value INTEGER, previous INTEGER, limit_value INTEGER,"
        " delta INTEGER, place INTEGER NOT NULL, of_count INTEGER NOT NULL,"
        " is_late INTEGER NOT NULL, is_held INTEGER NOT NULL, tell_from INTEGER NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE UNIQUE INDEX episode_name"
        " ON episode(rule, ifnull(unit, 0), first, ifnull(subject, ''));"
        "CREATE INDEX episode_live ON episode(rule) WHERE state IN (1, 2);"
        "CREATE INDEX episode_subject ON episode(subject) WHERE subject IS NOT NULL;"
        "CREATE TABLE transition("
        " id INTEGER PRIMARY KEY, episode INTEGER NOT NULL REFERENCES episode,"
        " step INTEGER NOT NULL REFERENCES step, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
        " period INTEGER NOT NULL, value INTEGER, previous_value INTEGER, limit_value INTEGER,"
        " place INTEGER NOT NULL, of_count INTEGER NOT NULL, severity INTEGER NOT NULL, reason TEXT,"
        /* the whole episode after it: an episode as of a step is its newest row up to there */
        " after_first INTEGER NOT NULL, after_opened INTEGER NOT NULL, after_last INTEGER NOT NULL,"
        " after_length INTEGER NOT NULL, after_state INTEGER NOT NULL,"
        " after_end_reason INTEGER NOT NULL, after_severity INTEGER NOT NULL, after_value INTEGER,"
        " after_previous INTEGER, after_limit_value INTEGER, after_delta INTEGER,"
        " after_place INTEGER NOT NULL, after_of_count INTEGER NOT NULL,"
        " after_is_late INTEGER NOT NULL, after_is_held INTEGER NOT NULL,"
        " after_tell_from INTEGER NOT NULL) STRICT;"
        "CREATE INDEX transition_episode ON transition(episode, step);"
        "CREATE TRIGGER transition_fixed BEFORE UPDATE ON transition"
        " BEGIN SELECT RAISE(ABORT, 'transitions are append-only'); END;"
        "CREATE TRIGGER transition_kept BEFORE DELETE ON transition"
        " BEGIN SELECT RAISE(ABORT, 'transitions are append-only'); END;"
        "CREATE TABLE hold_release("
        " subject TEXT PRIMARY KEY, step INTEGER NOT NULL REFERENCES step) STRICT, WITHOUT ROWID;"
        "CREATE TABLE silence("
        " id INTEGER PRIMARY KEY, rule TEXT, unit INTEGER REFERENCES unit,"
        " parent INTEGER REFERENCES unit, severity INTEGER NOT NULL, from_ms INTEGER NOT NULL,"
        " until_ms INTEGER NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE TRIGGER silence_fixed BEFORE UPDATE ON silence"
        " BEGIN SELECT RAISE(ABORT, 'silences are append-only'); END;"
        "CREATE TRIGGER silence_kept BEFORE DELETE ON silence"
        " BEGIN SELECT RAISE(ABORT, 'silences are append-only'); END;"
        "CREATE TABLE silence_end("
        " silence INTEGER PRIMARY KEY REFERENCES silence, step INTEGER NOT NULL REFERENCES step,"
        " at_ms INTEGER NOT NULL) STRICT;"
        "CREATE TABLE ack("
        " id INTEGER PRIMARY KEY, episode INTEGER NOT NULL REFERENCES episode,"
        " step INTEGER NOT NULL REFERENCES step, author TEXT NOT NULL, note TEXT NOT NULL,"
        " until_ms INTEGER NOT NULL, severity INTEGER NOT NULL) STRICT;"
        "CREATE INDEX ack_episode ON ack(episode);"

        /* what was told */
        "CREATE TABLE target("
        " id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, recipient TEXT NOT NULL,"
        " unit INTEGER REFERENCES unit, channel TEXT NOT NULL, address TEXT NOT NULL,"
        " state INTEGER NOT NULL, reason TEXT, last_release_ms INTEGER NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step) STRICT;"
        "CREATE TABLE message("
        " id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target,"
        " uuid TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, subject TEXT NOT NULL,"
        " content_type TEXT NOT NULL, created_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL,"
        " started_ms INTEGER NOT NULL, settled_ms INTEGER NOT NULL,"
        " released INTEGER NOT NULL REFERENCES step, remade INTEGER REFERENCES step,"
        " settled INTEGER REFERENCES step, retried INTEGER REFERENCES step,"
        " attempts INTEGER NOT NULL, maybe INTEGER NOT NULL, open_starts INTEGER NOT NULL,"
        " outcome TEXT, response TEXT, is_drill INTEGER NOT NULL,"
        " body BLOB) STRICT;" /* NULL: past its retention */
        "CREATE UNIQUE INDEX message_unsettled ON message(target) WHERE state IN (1, 2);"
        "CREATE INDEX message_due ON message(next_ms) WHERE state = 1;"
        "CREATE INDEX message_started ON message(id) WHERE state = 2;"
        "CREATE INDEX message_dead ON message(id) WHERE state = 4;"
        "CREATE INDEX message_target ON message(target);"
        "CREATE TABLE message_item("
        " message INTEGER NOT NULL REFERENCES message, n INTEGER NOT NULL, say INTEGER NOT NULL,"
        " episode INTEGER REFERENCES episode, indicator INTEGER REFERENCES indicator,"
        " period INTEGER NOT NULL, unit INTEGER REFERENCES unit, value INTEGER, old_value INTEGER,"
        " corrects INTEGER, severity INTEGER NOT NULL,"
        " PRIMARY KEY(message, n)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE told("
        " target INTEGER NOT NULL REFERENCES target, episode INTEGER NOT NULL REFERENCES episode,"
        " said INTEGER NOT NULL, value INTEGER, last INTEGER NOT NULL, severity INTEGER NOT NULL,"
        " message INTEGER REFERENCES message, said_ms INTEGER NOT NULL, gave_up INTEGER NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(target, episode)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE told_figure("
        " target INTEGER NOT NULL REFERENCES target,"
        " indicator INTEGER NOT NULL REFERENCES indicator, period INTEGER NOT NULL,"
        " unit INTEGER NOT NULL REFERENCES unit, value INTEGER,"
        " message INTEGER REFERENCES message, step INTEGER NOT NULL REFERENCES step,"
        " PRIMARY KEY(target, indicator, period, unit)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE channel("
        " name TEXT PRIMARY KEY, paused_ms INTEGER NOT NULL, probe_ms INTEGER NOT NULL,"
        " reason TEXT NOT NULL) STRICT, WITHOUT ROWID;"

        /* For people. period_id, indicator, kind and parent stand in every partition: SQLite pushes a WHERE on them below
         * the window, so that one table of places reads one cohort. */
        "CREATE VIEW v_ranking AS"
        " SELECT " SQL_PERIOD_TEXT("r.period_id") " AS period, r.period_id, r.indicator, r.kind, r.parent,"
        " CASE WHEN r.scaled IS NULL THEN NULL ELSE r.place END AS place, r.of_count,"
        " r.unit, " SQL_UNIT_CODE("r.unit_id") " AS code, " SQL_UNIT_NAME("r.unit_id") " AS name,"
        " " SQL_NUMBER("r.scaled", "r.decimals") " AS value, r.scaled, r.decimals,"
        " " SQL_WHY("r.why") " AS why, r.from_step, r.unit_id"
        " FROM (SELECT f.period AS period_id, i.name AS indicator, u.kind AS kind, p.key AS parent,"
        "  rank() OVER (PARTITION BY f.period, i.name, u.kind, p.key"
        "   ORDER BY f.value IS NULL, CASE i.direction WHEN 0 THEN -f.value ELSE f.value END) AS place,"
        "  count(f.value) OVER (PARTITION BY f.period, i.name, u.kind, p.key) AS of_count,"
        "  u.key AS unit, u.id AS unit_id, f.value AS scaled, i.decimals AS decimals, f.why AS why,"
        "  f.from_step AS from_step"
        "  FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit"
        "  LEFT JOIN unit p ON p.id = u.parent) r;"
        "CREATE VIEW v_history AS"
        " SELECT " SQL_PERIOD_TEXT("h.period") " AS period, h.period AS period_id, i.name AS indicator,"
        " u.key AS unit, " SQL_UNIT_NAME("u.id") " AS name,"
        " " SQL_NUMBER("h.value", "i.decimals") " AS value, h.value AS scaled,"
        " " SQL_WHY("h.why") " AS why, h.from_step, " SQL_TIME("a.at_ms") " AS from_time,"
        " h.until_step, " SQL_TIME("z.at_ms") " AS until_time"
        " FROM (SELECT period, indicator, unit, value, why, from_step, NULL AS until_step FROM figure"
        "  UNION ALL SELECT period, indicator, unit, value, why, from_step, until_step FROM vintage) h"
        " JOIN indicator i ON i.id = h.indicator JOIN unit u ON u.id = h.unit"
        " JOIN step a ON a.id = h.from_step LEFT JOIN step z ON z.id = h.until_step;"
        "CREATE VIEW v_alerts AS"
        " SELECT e.id, e.rule, u.key AS unit, " SQL_UNIT_NAME("u.id") " AS name, e.subject,"
        " CASE e.state WHEN 2 THEN 'open' WHEN 3 THEN 'closed' ELSE 'withdrawn' END AS state,"
        " " SQL_SEVERITY("e.severity") " AS severity,"
        " CASE WHEN e.unit IS NULL THEN CAST(e.first AS TEXT) ELSE " SQL_PERIOD_TEXT("e.first") " END AS first,"
        " CASE WHEN e.last > 0 THEN " SQL_PERIOD_TEXT("e.last") " END AS last,"
        " e.length, e.value AS scaled, e.limit_value AS limit_scaled, e.delta AS delta_scaled, e.place, e.of_count,"
        " e.is_late, e.is_held, e.step, " SQL_TIME("s.at_ms") " AS changed"
        " FROM episode e LEFT JOIN unit u ON u.id = e.unit JOIN step s ON s.id = e.step"
        " WHERE e.state > 1;"
        "CREATE VIEW v_told AS"
        " SELECT t.key AS target, t.recipient, t.channel, e.rule, u.key AS unit, e.subject, d.episode,"
        " CASE d.said WHEN 0 THEN 'none' WHEN 1 THEN 'opening' WHEN 2 THEN 'continued'"
        "  WHEN 3 THEN 'closing' WHEN 4 THEN 'withdrawn' WHEN 5 THEN 'late' WHEN 6 THEN 'fix'"
        "  WHEN 7 THEN 'assumed' ELSE 'worse' END AS said, d.value AS scaled,"
        " CASE WHEN d.last > 0 THEN " SQL_PERIOD_TEXT("d.last") " END AS last,"
        " " SQL_SEVERITY("d.severity") " AS severity, d.message,"
        " CASE WHEN d.said_ms > 0 THEN " SQL_TIME("d.said_ms") " END AS said_time, d.step"
        " FROM told d JOIN target t ON t.id = d.target JOIN episode e ON e.id = d.episode"
        " LEFT JOIN unit u ON u.id = e.unit;"
        "PRAGMA user_version = 1;";

/* What the vintages of a figure show of their snapshots, without a look at the rows themselves: those
 * of `body` are as big as the answers, a page of the file each. */
static const char schema_v3[] =
        "DROP INDEX snapshot_known;"
        "CREATE INDEX snapshot_known ON snapshot(period, known_step, source);"
        "CREATE INDEX body_hash ON body(id, hash);"
        "PRAGMA user_version = 3;";

/* Once more of the vintages: when a snapshot became known stands in the index beside its step, and a part
 * holds the hash of its body, not its row. With a step and a body to look up for each of them, one
 * figure's ten years took half as long again (docs/VERIFY.md). */
static const char schema_v4[] =
        "ALTER TABLE snapshot ADD COLUMN known_ms INTEGER;" /* at_ms of known_step */
        "UPDATE snapshot SET known_ms = (SELECT at_ms FROM step WHERE id = known_step);"
        "DROP INDEX snapshot_known;"
        "CREATE INDEX snapshot_known ON snapshot(period, known_step, source, known_ms);"
        "CREATE TABLE snapshot_part_v4("
        " snapshot INTEGER NOT NULL REFERENCES snapshot, n INTEGER NOT NULL, name TEXT NOT NULL,"
        " page INTEGER NOT NULL, hash BLOB NOT NULL REFERENCES body(hash),"
        " http_status INTEGER NOT NULL, url TEXT, etag TEXT, last_modified TEXT,"
        " at_ms INTEGER NOT NULL, PRIMARY KEY(snapshot, n)) STRICT, WITHOUT ROWID;"
        "INSERT INTO snapshot_part_v4 SELECT p.snapshot, p.n, p.name, p.page, b.hash,"
        " p.http_status, p.url, p.etag, p.last_modified, p.at_ms"
        " FROM snapshot_part p CROSS JOIN body b ON b.id = p.body ORDER BY p.snapshot, p.n;"
        "DROP TABLE snapshot_part;"
        "ALTER TABLE snapshot_part_v4 RENAME TO snapshot_part;"
        "DROP INDEX body_hash;"
        "PRAGMA user_version = 4;";

const Migration schema_migrations[] = {
        {.version = 1, .sql = schema_v1},
        {.version = 2, .sql = schema_v2},
        {.version = 3, .sql = schema_v3},
        {.version = 4, .sql = schema_v4},
};
const size_t schema_n_migrations = ELEMENTSOF(schema_migrations);

int schema_int(sqlite3 *db, const char *sql, int64_t *ret) {
        sqlite3_stmt *q = NULL;
        int rc, r;

        rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(q);
        if (rc == SQLITE_ROW) {
                *ret = sqlite3_column_int64(q, 0);
                r = 0;
        } else
                r = rc == SQLITE_DONE ? -EINVAL : sql_errno(rc);
        (void) sqlite3_finalize(q);
        return r;
}

typedef struct FileState {
        int64_t application, version, n_tables;
} FileState;

static int file_state(sqlite3 *db, const char *path, Diag *diag, FileState *ret) {
        FileState f = {0};
        int r;

        r = schema_int(db, "PRAGMA application_id", &f.application);
        if (r >= 0)
                r = schema_int(db, "PRAGMA user_version", &f.version);
        if (r >= 0)
                r = schema_int(db, "SELECT count(*) FROM sqlite_schema", &f.n_tables);
        if (r < 0) {
                diag_error(diag, path, 0, NULL, "the database cannot be read: %s",
                           sqlite3_errmsg(db));
                return r;
        }
        *ret = f;
        return 0;
}

/* An empty file is ours to fill; anything else must say that it is ours, and not be from the
 * future. */
static int file_judge(const FileState *f, int newest, const char *path, Diag *diag) {
        bool is_blank = f->application == 0 && f->version == 0 && f->n_tables == 0;

        if (!is_blank && f->application != STORE_APPLICATION_ID) {
                diag_error(diag, path, 0, NULL, "this is another program's database: refused");
                return STORE_E_FOREIGN;
        }
        if (f->version > newest) {
                diag_error(diag, path, 0, NULL,
                           "schema version %d was written by a newer chisod (this one knows %d): "
                           "refused, nothing was changed",
                           (int) f->version, newest);
                return STORE_E_NEWER;
        }
        return 0;
}

static int migration_run(sqlite3 *db, const Migration *m) {
        int64_t version = -1;
        int rc, r;

        rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, m->sql, NULL, NULL, NULL);
        r = sql_errno(rc);
        if (r >= 0)
                r = schema_int(db, "PRAGMA user_version", &version);
        if (r >= 0 && version != m->version)
                r = -EINVAL;
        if (r >= 0)
                r = sql_errno(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
        if (r < 0 && !sqlite3_get_autocommit(db))
                (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return r;
}

static int backup_before(sqlite3 *db, const char *path, int newest, Diag *diag) {
        CLEANUP(buf_done) Buf copy = BUF_INIT(BUF_MAX_TEXT);
        int r;

        r = buf_printf(&copy, "%s.before-v%d", path, newest);
        if (r >= 0)
                r = backup_make(db, buf_text(&copy), /* is_replace= */ true);
        if (r < 0)
                diag_error(diag, path, 0, NULL,
                           "no verified backup could be made before the migration (%s): "
                           "nothing was changed",
                           strerror(-r));
        return r;
}

int schema_migrate(sqlite3 *db, const char *path, const Migration *steps, size_t n, Diag *diag) {
        int newest = steps[n - 1].version;
        FileState f;
        int r;

        r = file_state(db, path, diag, &f);
        if (r < 0)
                return r;
        r = file_judge(&f, newest, path, diag);
        if (r != 0 || f.version == newest)
                return r;
        if (f.n_tables > 0) {
                r = backup_before(db, path, newest, diag);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                if (steps[i].version <= f.version)
                        continue;
                r = migration_run(db, &steps[i]);
                if (r < 0) {
                        diag_error(diag, path, 0, NULL,
                                   "migration to version %d failed (%s), undone", steps[i].version,
                                   strerror(-r));
                        return r;
                }
        }
        return 0;
}

int schema_check(sqlite3 *db, const char *path, Diag *diag) {
        int newest = schema_migrations[schema_n_migrations - 1].version;
        FileState f;
        int r;

        r = file_state(db, path, diag, &f);
        if (r < 0)
                return r;
        r = file_judge(&f, newest, path, diag);
        if (r == 0 && f.version < newest) {
                diag_error(diag, path, 0, NULL,
                           "schema version %d is older than this chisod's (%d): the daemon "
                           "migrates it at start",
                           (int) f.version, newest);
                return STORE_E_MISMATCH;
        }
        return r;
}
