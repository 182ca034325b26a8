/* Opening, locking, migrating, steps, settings, copies, checks, and what SQLite's errors become. */
#include "store-util.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "store/alert.h"
#include "store/outbox.h"
#include "store/schema.h"

static mode_t mode_of(const char *path) {
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_mode & 07777;
}

static void test_every_statement_prepares(void **state) {
        World *w = *state;
        static const char *const sql[] = {
#define X(name, text) text,
                STATEMENTS(X)
#undef X
        };

        for (size_t i = 0; i < ELEMENTSOF(sql); i++) {
                sqlite3_stmt *q = NULL;

                if (sqlite3_prepare_v2(w->store->db, sql[i], -1, &q, NULL) != SQLITE_OK)
                        fail_msg("%s: %s", sql[i], sqlite3_errmsg(w->store->db));
                (void) sqlite3_finalize(q);
        }
}

static void test_settings(void **state) {
        World *w = *state;
        Store *s = w->store;
        int on = -1;

        assert_sql_text(s, "PRAGMA journal_mode", "wal");
        assert_int_equal(sql_int(s, "PRAGMA synchronous"), 2);
        assert_int_equal(sql_int(s, "PRAGMA foreign_keys"), 1);
        assert_int_equal(sql_int(s, "PRAGMA trusted_schema"), 0);
        assert_int_equal(sql_int(s, "PRAGMA busy_timeout"), 0);
        assert_int_equal(sql_int(s, "PRAGMA cache_size"), -2000);
        assert_int_equal(sql_int(s, "PRAGMA application_id"), STORE_APPLICATION_ID);
        assert_int_equal(sql_int(s, "PRAGMA user_version"), 4);
        ok(sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on));
        assert_int_equal(on, 1);
        assert_int_equal(sql_do(s, "SELECT \"no such column\" FROM step"), -EINVAL);
        /* every table is STRICT: none takes text for a number */
        assert_int_equal(sql_int(s,
                                 "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                                 " AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'"),
                         0);
        assert_int_equal(sql_do(s, "INSERT INTO step(at_ms, cause) VALUES('x', 1)"), -EINVAL);
        assert_int_equal(sql_do(s, "INSERT INTO change_step(period, step) VALUES(2024101, 99)"),
                         -EINVAL);
}

static void test_mode_and_lock(void **state) {
        World *w = *state;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        char path[160];
        Store *second = NULL;
        mode_t before;

        assert_int_equal(store_open(w->path, &diag, &second), STORE_E_LOCKED);
        assert_null(second);
        assert_non_null(strstr(diag_first_error(&diag, ""), "another chisod"));
        store_close(w->store);
        w->store = NULL;

        before = umask(0077);
        world_path(w, "2", path, sizeof(path));
        ok(store_open(path, NULL, &second));
        (void) umask(before);
        assert_int_equal(mode_of(path), 0640);
        store_close(second);
        ok(store_open(w->path, NULL, &w->store)); /* the lock went with its holder */
}

static void test_not_ours(void **state) {
        World *w = *state;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        char path[160];
        sqlite3 *db;
        Store *s = NULL;
        FILE *f;

        world_path(w, ".foreign", path, sizeof(path));
        ok(sqlite3_open(path, &db));
        ok(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL));
        ok(sqlite3_close(db));
        assert_int_equal(store_open(path, &diag, &s), STORE_E_FOREIGN);
        assert_int_equal(store_open_reader(path, &diag, &s), STORE_E_FOREIGN);
        ok(sqlite3_open(path, &db));
        assert_sql_text(&(Store){.db = db}, "PRAGMA journal_mode", "delete"); /* left as it was */
        ok(sqlite3_close(db));

        world_path(w, ".garbage", path, sizeof(path));
        f = fopen(path, "we");
        assert_non_null(f);
        for (int i = 0; i < 9000; i++)
                (void) fputc('A' + i % 23, f);
        (void) fclose(f);
        assert_int_equal(store_open(path, &diag, &s), -EBADMSG);
        assert_int_equal(store_open_reader(path, &diag, &s), -EBADMSG);

        world_path(w, ".missing", path, sizeof(path));
        assert_int_equal(store_open_reader(path, &diag, &s), -ENOENT);
        world_path(w, "-none/x.db", path, sizeof(path));
        assert_int_equal(store_open(path, &diag, &s), -ENOENT);
        assert_null(s);
        assert_int_equal(diag.n_errors, 6);
}

static void test_newer(void **state) {
        World *w = *state;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        Store *s = NULL;

        ok(sql_do(w->store, "PRAGMA user_version = 5"));
        store_close(w->store);
        w->store = NULL;
        assert_int_equal(store_open(w->path, &diag, &s), STORE_E_NEWER);
        assert_int_equal(store_open_reader(w->path, &diag, &s), STORE_E_NEWER);
        assert_non_null(strstr(diag_first_error(&diag, ""), "version 5"));
        assert_null(s);
}

/* ---- migrations: the next version is one more row --------------------------------------------------- */

static const Migration next_good[] = {
        {.version = 4, .sql = "CREATE TABLE never(x INTEGER) STRICT; PRAGMA user_version = 4;"},
        {.version = 5,
         .sql = "CREATE TABLE extra(x INTEGER) STRICT; INSERT INTO extra VALUES(7);"
                "PRAGMA user_version = 5;"},
};
static const Migration next_bad[] = {
        {.version = 4, .sql = "PRAGMA user_version = 4;"},
        {.version = 5,
         .sql = "CREATE TABLE extra(x INTEGER) STRICT; PRAGMA user_version = 5; INSERT INTO "
                "nowhere VALUES(1);"},
};
static const Migration next_forgets[] = {
        {.version = 4, .sql = "PRAGMA user_version = 4;"},
        {.version = 5, .sql = "CREATE TABLE extra(x INTEGER) STRICT;"},
};

static void test_migrate(void **state) {
        World *w = *state;
        Store *s = w->store;
        char backup[160], blocked[160];
        sqlite3 *db;
        Store copy = {0};
        FILE *f;

        ok(store_meta_put(s, "installation", "abc"));
        world_path(w, ".before-v5", backup, sizeof(backup));

        ok(schema_migrate(s->db, w->path, schema_migrations, schema_n_migrations, NULL));
        assert_int_not_equal(access(backup, F_OK), 0); /* nothing to do, nothing made */

        /* a copy that cannot be made stops it */
        world_path(w, ".before-v5.part", blocked, sizeof(blocked));
        ok(mkdir(blocked, 0700));
        assert_true(schema_migrate(s->db, w->path, next_good, 2, NULL) < 0);
        assert_int_equal(sql_int(s, "PRAGMA user_version"), 4);
        ok(rmdir(blocked));

        assert_int_equal(schema_migrate(s->db, w->path, next_bad, 2, NULL), -EINVAL);
        assert_int_equal(sql_int(s, "PRAGMA user_version"), 4);
        assert_int_equal(schema_migrate(s->db, w->path, next_forgets, 2, NULL), -EINVAL);
        assert_int_equal(sql_int(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
        assert_int_equal(sqlite3_get_autocommit(s->db), 1);

        ok(schema_migrate(s->db, w->path, next_good, 2, NULL));
        assert_int_equal(sql_int(s, "PRAGMA user_version"), 5);
        assert_int_equal(sql_int(s, "SELECT x FROM extra"), 7);
        assert_int_equal(sql_int(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'never'"), 0);

        assert_int_equal(mode_of(backup), 0640);
        ok(sqlite3_open_v2(backup, &db, SQLITE_OPEN_READONLY, NULL));
        copy.db = db;
        assert_int_equal(sql_int(&copy, "PRAGMA user_version"), 4);
        assert_sql_text(&copy, "SELECT value FROM meta WHERE name = 'installation'", "abc");
        assert_sql_text(&copy, "PRAGMA journal_mode", "delete");
        ok(sqlite3_close(db));

        assert_int_equal(
                schema_migrate(s->db, w->path, schema_migrations, schema_n_migrations, NULL),
                STORE_E_NEWER);
        f = fopen(blocked, "re");
        assert_null(f); /* no half copy is left */
}

/* Figures and vintages of a file of version 1, seen through the views before and after. */
static const char version_1_rows[] =
        "INSERT INTO step(at_ms, cause) VALUES(1000, 1), (2000, 1), (3000, 1), (4000, 1);"
        "INSERT INTO unit(key, kind, step) VALUES('a', 'commune', 1), ('b', 'commune', 1);"
        "INSERT INTO indicator(name, label, unit, decimals, direction, source)"
        " VALUES('total', 'T', 0, 2, 0, 's'), ('progress', 'P', 0, 2, 0, 's');"
        "INSERT INTO figure VALUES(2024107, 1, 1, 8963, 0, 1), (2024107, 2, 2, NULL, 4, 3),"
        " (2024108, 1, 1, 0, 0, 4), (2024108, 1, 2, 1, 0, 4), (2024108, 2, 1, -300, 0, 2);"
        "INSERT INTO vintage VALUES(3, 2024107, 2, 2, 7000, 0, 1), (4, 2024108, 1, 1, NULL, 1, 1),"
        " (4, 2024108, 1, 2, NULL, 2, 3), (3, 2024108, 1, 2, NULL, 3, 1);"
        "INSERT INTO change_step VALUES(2024107, 3), (2024108, 3), (2024108, 4);"
        "INSERT INTO body(hash, size, packed) VALUES(x'0a', 1, NULL), (x'0b', 2, NULL);"
        "INSERT INTO snapshot(source, scope, period, step, known_step, at_ms, state, n_units,"
        " n_values, n_bad) VALUES('s', 'x', 2024108, 3, 3, 2900, 1, 2, 2, 0),"
        " ('s', 'x', 2024108, 4, NULL, 4000, 2, 2, 2, 0);"
        "INSERT INTO snapshot_part VALUES(1, 0, 'a', 1, 2, 200, 'u', NULL, NULL, 2800),"
        " (1, 1, 'b', 1, 1, 200, 'v', 'e', 'l', 2850), (2, 0, 'a', 1, 2, 200, 'u', NULL, NULL, 4);";
#define SQL_DUMP                                                                                   \
        "SELECT group_concat(t, ' ') FROM (SELECT printf('%d/%d/%d=%s:%d@%d-%s', period,"          \
        " indicator, unit, ifnull(value, '-'), why, from_step, ifnull(until_step, '')) AS t"       \
        " FROM (SELECT period, indicator, unit, value, why, from_step, NULL AS until_step"         \
        " FROM figure UNION ALL SELECT period, indicator, unit, value, why, from_step, until_step" \
        " FROM vintage) ORDER BY 1)"

static char *dump(sqlite3 *db) {
        sqlite3_stmt *q = NULL;
        char *text;

        assert_int_equal(sqlite3_prepare_v2(db, SQL_DUMP, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        text = strdup((const char *) sqlite3_column_text(q, 0));
        (void) sqlite3_finalize(q);
        assert_non_null(text);
        return text;
}

static void test_from_version_1(void **state) {
        World *w = *state;
        CLEANUP_FREE char *before = NULL;
        CLEANUP_FREE char *after = NULL;
        char path[160];
        sqlite3 *db;
        Store *s = NULL;

        world_path(w, ".v1", path, sizeof(path));
        ok(sqlite3_open(path, &db));
        ok(schema_migrate(db, path, schema_migrations, 1, NULL));
        ok(sqlite3_exec(db, version_1_rows, NULL, NULL, NULL));
        before = dump(db);
        ok(sqlite3_close(db));
        assert_non_null(strstr(before, "2024107/2/2=7000:0@1-3"));

        ok(store_open(path, NULL, &s));
        after = dump(s->db);
        assert_string_equal(after, before);
        ok(store_verify(s, NULL));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM v_history"), 9);
        assert_int_equal(sql_int(s, "SELECT count(*) FROM v_ranking"), 5);
        assert_sql_text(s,
                        "SELECT group_concat(snapshot || n || name || page || hex(hash) ||"
                        " http_status || url || ifnull(etag, '-') || ifnull(last_modified, '-') ||"
                        " at_ms, ' ') FROM snapshot_part",
                        "10a10B200u--2800 11b10A200vel2850 20a10B200u--4");
        assert_sql_text(s,
                        "SELECT group_concat(ifnull(known_ms, '-'), ' ')"
                        " FROM (SELECT * FROM snapshot ORDER BY id)",
                        "3000 -");
        store_close(s);
        world_path(w, ".v1.before-v4", path, sizeof(path));
        ok(access(path, F_OK));
}

static void test_older_and_empty(void **state) {
        World *w = *state;
        char path[160], backup[200];
        sqlite3 *db;
        Store *s = NULL;
        int fd;

        /* an empty file of version 0 is filled without a copy */
        world_path(w, ".empty", path, sizeof(path));
        fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0640);
        assert_true(fd >= 0);
        (void) close(fd);
        assert_int_equal(store_open_reader(path, NULL, &s), STORE_E_MISMATCH);
        ok(store_open(path, NULL, &s));
        assert_int_equal(sql_int(s, "PRAGMA user_version"), 4);
        store_close(s);
        s = NULL;
        (void) snprintf(backup, sizeof(backup), "%s.before-v4", path);
        assert_int_not_equal(access(backup, F_OK), 0);

        /* one of ours at version 0 that has tables is copied first */
        world_path(w, ".old", path, sizeof(path));
        ok(sqlite3_open(path, &db));
        ok(sqlite3_exec(db, "PRAGMA application_id = 0x43485344; CREATE TABLE ancient(x)", NULL,
                        NULL, NULL));
        ok(sqlite3_close(db));
        ok(store_open(path, NULL, &s));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM ancient"), 0);
        assert_int_equal(sql_int(s, "SELECT count(*) FROM figure"), 0);
        store_close(s);
        (void) snprintf(backup, sizeof(backup), "%s.before-v4", path);
        ok(access(backup, F_OK));
}

/* ---- steps and settings ---------------------------------------------------------------------- */

static void test_steps(void **state) {
        World *w = *state;
        Store *s = w->store;
        StepId step;
        int64_t ms;
        /* 13:00 goes back to 11:00 */
        static const int64_t at[] = {10, 12, 12, 13, 11, 12, 20};
        static const struct {
                int64_t at;
                StepId step;
        } cases[] = {{9, 0}, {10, 1}, {11, 5}, {12, 6}, {13, 6}, {19, 6}, {20, 7}, {99, 7}};

        ok(store_step_last(s, &step, &ms));
        assert_int_equal(step, 0);
        assert_int_equal(ms, 0);
        ok(store_step_at(s, T0, &step));
        assert_int_equal(step, 0);
        assert_int_equal(store_step(s, CAUSE_IMPORT, T0, &step),
                         -EINVAL); /* outside a transaction */

        for (size_t i = 0; i < ELEMENTSOF(at); i++) {
                assert_int_equal(begin(s, CAUSE_SNAPSHOT, at[i]), i + 1);
                ok(store_commit(s));
        }
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ok(store_step_at(s, cases[i].at, &step));
                assert_int_equal(step, cases[i].step);
        }
        assert_int_equal(sql_int(s, "SELECT group_concat(id) = '5' FROM step WHERE is_backward"),
                         1);
        ok(store_step_last(s, &step, &ms));
        assert_int_equal(step, 7);
        assert_int_equal(ms, 20);
        ok(store_step_ms(s, 4, &ms));
        assert_int_equal(ms, 13);
        assert_int_equal(store_step_ms(s, 8, &ms), STORE_E_NONE);
        for (int c = CAUSE_SNAPSHOT; c <= CAUSE_OPERATOR; c++)
                for (int d = CAUSE_SNAPSHOT; d < c; d++)
                        assert_string_not_equal(step_cause_name((StepCause) c),
                                                step_cause_name((StepCause) d));
}

static void test_transactions(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP_FREE char *value = NULL;

        assert_int_equal(store_meta_get(s, "x", &value), STORE_E_NONE);
        assert_null(value);
        store_rollback(s); /* nothing to undo */
        (void) begin(s, CAUSE_RELOAD, T0);
        ok(store_meta_put(s, "x", "1"));
        store_rollback(s);
        assert_int_equal(store_meta_get(s, "x", &value), STORE_E_NONE);
        (void) begin(s, CAUSE_RELOAD, T0);
        assert_true(store_begin(s) < 0); /* not twice */
        ok(store_meta_put(s, "x", "1"));
        ok(store_meta_put(s, "x", "2"));
        ok(store_commit(s));
        reopen(w);
        ok(store_meta_get(w->store, "x", &value));
        assert_string_equal(value, "2");
        assert_int_equal(sql_int(w->store, "SELECT count(*) FROM step"), 1);
        assert_true(store_size(w->store) >= 4096);
}

static void test_two_connections(void **state) {
        World *w = *state;
        CLEANUP(store_closep) Store *reader = NULL;
        CLEANUP_FREE char *value = NULL;
        StepId step;

        ok(store_open_reader(w->path, NULL, &reader));
        ok(store_meta_put(w->store, "x", "old"));
        (void) begin(w->store, CAUSE_RELOAD, T0);
        ok(store_meta_put(w->store, "x", "new"));
        ok(store_meta_get(reader, "x", &value));
        assert_string_equal(value, "old");
        ok(store_step_last(reader, &step, NULL));
        assert_int_equal(step, 0);
        ok(store_commit(w->store));
        free(TAKE_PTR(value));
        ok(store_meta_get(reader, "x", &value));
        assert_string_equal(value, "new");
        ok(store_step_last(reader, &step, NULL));
        assert_int_equal(step, 1);
        assert_int_equal(store_meta_put(reader, "x", "never"), -EROFS);
        assert_int_equal(store_begin(reader), -EROFS);
}

/* ---- copies and checks ----------------------------------------------------------------------- */

static void body_add(Store *s, const char *text) {
        Body b;

        ok(body_pack(text, strlen(text), &b));
        ok(store_body_put(s, &b));
        body_done(&b);
}

static void test_backup(void **state) {
        World *w = *state;
        CLEANUP(store_closep) Store *copy = NULL;
        CLEANUP_FREE char *value = NULL;
        char path[160];

        ok(store_meta_put(w->store, "x", "1"));
        body_add(w->store, "{}");
        world_path(w, ".copy", path, sizeof(path));
        (void) begin(w->store, CAUSE_RELOAD, T0);
        assert_int_equal(store_backup(w->store, path), -EBUSY);
        store_rollback(w->store);
        ok(store_backup(w->store, path));
        assert_int_equal(store_backup(w->store, path), -EEXIST);
        assert_int_equal(mode_of(path), 0640);
        ok(store_open_reader(path, NULL, &copy));
        ok(store_meta_get(copy, "x", &value));
        assert_string_equal(value, "1");
        ok(store_verify(copy, NULL));
        world_path(w, "-none/copy", path, sizeof(path));
        assert_int_equal(store_backup(w->store, path), -ENOENT);
}

static void test_verify(void **state) {
        World *w = *state;
        Store *s = w->store;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        body_add(s, "one body");
        body_add(s, "another body");
        ok(store_verify(s, &diag));
        assert_int_equal(diag.n, 0);

        /* a whole frame of other bytes: only the hash can tell */
        ok(sql_do(s, "DROP TRIGGER body_fixed"));
        ok(sql_do(s,
                  "UPDATE body SET packed = (SELECT packed FROM body WHERE id = 1), size = 8 WHERE "
                  "id = 2"));
        assert_int_equal(store_verify(s, &diag), -EBADMSG);
        assert_int_equal(diag.n_errors, 1);
        assert_non_null(strstr(diag_first_error(&diag, ""), "body 2 "));

        ok(sql_do(s, "PRAGMA foreign_keys = 0"));
        ok(sql_do(s, "INSERT INTO change_step(period, step) VALUES(2024108, 99)"));
        assert_int_equal(store_verify(s, &diag), -EBADMSG);
        assert_int_equal(diag.n_errors, 3);
}

static void test_rot(void **state) {
        World *w = *state;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        char page[4096];
        int fd;

        for (int i = 0; i < 200; i++) {
                char text[32];

                (void) snprintf(text, sizeof(text), "body number %d", i);
                body_add(w->store, text);
        }
        store_close(w->store);
        w->store = NULL;
        fd = open(w->path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        memset(page, 0x5a, sizeof(page));
        assert_int_equal(pwrite(fd, page, sizeof(page), lseek(fd, 0, SEEK_END) - 4096), 4096);
        (void) close(fd);
        ok(store_open(w->path, NULL, &w->store));
        assert_int_equal(store_verify(w->store, &diag), -EBADMSG);
        assert_true(diag.n_errors > 0);
}

static void test_errors(void **state) {
        World *w = *state;
        Store *s = w->store;
        static const struct {
                int rc, r;
        } cases[] = {
                {SQLITE_OK, 0},
                {SQLITE_ROW, 0},
                {SQLITE_DONE, 0},
                {SQLITE_FULL, -ENOSPC},
                {SQLITE_IOERR_FSYNC, -EIO},
                {SQLITE_IOERR_NOMEM, -ENOMEM},
                {SQLITE_CORRUPT_INDEX, -EBADMSG},
                {SQLITE_NOTADB, -EBADMSG},
                {SQLITE_BUSY_SNAPSHOT, -EBUSY},
                {SQLITE_LOCKED, -EBUSY},
                {SQLITE_NOMEM, -ENOMEM},
                {SQLITE_READONLY_DBMOVED, -EROFS},
                {SQLITE_CANTOPEN, -EIO},
                {SQLITE_CONSTRAINT_UNIQUE, -EEXIST},
                {SQLITE_CONSTRAINT_TRIGGER, -EPERM},
                {SQLITE_CONSTRAINT_FOREIGNKEY, -EINVAL},
                {SQLITE_TOOBIG, -E2BIG},
                {SQLITE_PERM, -EACCES},
                {SQLITE_INTERRUPT, -EINTR},
        };
        static char big[1 << 17]; /* more than the pages that the migrations left free */

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(sql_errno(cases[i].rc), cases[i].r);

        /* full: the transaction is gone, the store goes on when there is room again */
        memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = '\0';
        ok(sql_do(s, "PRAGMA max_page_count = 1")); /* SQLite takes the present size */
        (void) begin(s, CAUSE_RELOAD, T0);
        assert_int_equal(store_meta_put(s, "big", big), -ENOSPC);
        store_rollback(s);
        ok(sql_do(s, "PRAGMA max_page_count = 100000"));
        (void) begin(s, CAUSE_RELOAD, T0);
        ok(store_meta_put(s, "big", big));
        ok(store_commit(s));
        assert_int_equal(sql_int(s, "SELECT count(*) FROM step"), 1);
}

/* Killed without a word, the last commit is there and nothing of the open transaction. */
static void test_killed(void **state) {
        World *w = *state;
        CLEANUP_FREE char *value = NULL;
        int status;
        pid_t child;

        store_close(w->store);
        w->store = NULL;
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                Store *s = NULL;
                StepId step;

                if (store_open(w->path, NULL, &s) == 0 && store_begin(s) == 0 &&
                    store_step(s, CAUSE_RELOAD, T0, &step) == 0 &&
                    store_meta_put(s, "x", "1") == 0 && store_commit(s) == 0 &&
                    store_begin(s) == 0 && store_step(s, CAUSE_RELOAD, T0, &step) == 0 &&
                    store_meta_put(s, "x", "2") == 0)
                        (void) raise(SIGKILL);
                _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        ok(store_open(w->path, NULL, &w->store));
        ok(store_meta_get(w->store, "x", &value));
        assert_string_equal(value, "1");
        assert_int_equal(sql_int(w->store, "SELECT count(*) FROM step"), 1);
        ok(store_verify(w->store, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_every_statement_prepares),
                world_test(test_settings),
                world_test(test_mode_and_lock),
                world_test(test_not_ours),
                world_test(test_newer),
                world_test(test_migrate),
                world_test(test_from_version_1),
                world_test(test_older_and_empty),
                world_test(test_steps),
                world_test(test_transactions),
                world_test(test_two_connections),
                world_test(test_backup),
                world_test(test_verify),
                world_test(test_rot),
                world_test(test_errors),
                world_test(test_killed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
