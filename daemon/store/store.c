/* Opening, transactions, steps, settings.
 *
 * Invariants: one process writes (flock on PATH.lock, taken before the database is touched, because
 * a second open() and close() of the database file itself would drop SQLite's POSIX locks); every
 * commit is durable (synchronous=FULL: NORMAL was caught losing acknowledged commits); what a
 * PRAGMA was asked for is read back. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/schema.h"
#include "store/sql.h"

#define READER_BUSY_MS 2000
#define OPEN_BUSY_MS 2000

static int lock_take(const char *path, Diag *diag, int *ret_fd) {
        CLEANUP(buf_done) Buf name = BUF_INIT(BUF_MAX_TEXT);
        int fd, r;

        r = buf_printf(&name, "%s.lock", path);
        if (r < 0)
                return r;
        fd = open(buf_text(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0) {
                r = -errno;
                diag_error(diag, buf_text(&name), 0, NULL, "cannot be opened: %s", strerror(-r));
                return r;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = errno == EWOULDBLOCK ? STORE_E_LOCKED : -errno;
                diag_error(diag, path, 0, NULL, "%s",
                           r > 0 ? "another chisod has this database" : strerror(-r));
                (void) close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

/* Made by us, so that its mode does not depend on the umask; SQLite gives -wal and -shm the same.
 */
static int file_create(const char *path, Diag *diag) {
        int fd, r = 0;

        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0 && errno == EEXIST)
                return 0;
        if (fd < 0 || fchmod(fd, 0640) < 0) {
                r = -errno;
                diag_error(diag, path, 0, NULL, "cannot be created: %s", strerror(-r));
        }
        if (fd >= 0)
                (void) close(fd);
        return r;
}

static int connect_file(const char *path, int flags, sqlite3 **ret) {
        sqlite3 *db = NULL;
        int rc, r;

        rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_busy_timeout(db, OPEN_BUSY_MS);
        if (rc == SQLITE_OK) {
                *ret = db;
                return 0;
        }
        r = sql_errno(rc);
        if ((rc & 0xff) == SQLITE_CANTOPEN && db && sqlite3_system_errno(db) > 0)
                r = -sqlite3_system_errno(db);
        (void) sqlite3_close(db);
        return r;
}

static int pragma(sqlite3 *db, const char *sql) {
        return sql_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* Read back: a file system without shared memory silently stays with a rollback journal. */
static int wal_enable(sqlite3 *db) {
        sqlite3_stmt *q = NULL;
        const char *mode;
        int rc, r;

        rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &q, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(q);
        r = sql_errno(rc);
        if (r >= 0) {
                mode = rc == SQLITE_ROW ? (const char *) sqlite3_column_text(q, 0) : NULL;
                r = streq(str_or(mode, ""), "wal") ? 0 : -EOPNOTSUPP;
        }
        (void) sqlite3_finalize(q);
        return r;
}

/* temp_store: a confined service may have nowhere to put files. journal_size_limit: one large
 * import must not leave its WAL behind for ever. */
static const char settings_common[] = "PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;";
static const char settings_writer[] =
        "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;";

static int settings_writer_apply(sqlite3 *db) {
        int64_t synchronous = 0, foreign_keys = 0;
        int r;

        r = wal_enable(db);
        if (r >= 0)
                r = pragma(db, settings_common);
        if (r >= 0)
                r = pragma(db, settings_writer);
        if (r >= 0)
                r = schema_int(db, "PRAGMA synchronous", &synchronous);
        if (r >= 0)
                r = schema_int(db, "PRAGMA foreign_keys", &foreign_keys);
        if (r < 0)
                return r;
        return synchronous == 2 && foreign_keys == 1 ? 0 : -EOPNOTSUPP;
}

static int store_new(const char *path, Store **ret) {
        CLEANUP(store_closep) Store *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->lock_fd = -1;
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

static int open_failed(Diag *diag, const char *path, int r) {
        diag_error(diag, path, 0, NULL, "the database cannot be opened: %s", strerror(-r));
        return r;
}

int store_open(const char *path, Diag *diag, Store **ret) {
        CLEANUP(store_closep) Store *s = NULL;
        int r;

        r = store_new(path, &s);
        if (r < 0)
                return r;
        r = lock_take(path, diag, &s->lock_fd);
        if (r == 0)
                r = file_create(path, diag);
        if (r != 0)
                return r;
        r = connect_file(path, SQLITE_OPEN_READWRITE, &s->db);
        if (r < 0)
                return open_failed(diag, path, r);
        /* before the first write: a foreign or newer file is not even given another journal mode */
        r = schema_migrate(s->db, path, schema_migrations, schema_n_migrations, diag);
        if (r != 0)
                return r;
        r = settings_writer_apply(s->db);
        if (r >= 0)
                r = sql_errno(sqlite3_busy_timeout(s->db, 0));
        if (r < 0)
                return open_failed(diag, path, r);
        *ret = TAKE_PTR(s);
        return 0;
}

int store_open_reader(const char *path, Diag *diag, Store **ret) {
        CLEANUP(store_closep) Store *s = NULL;
        int r;

        r = store_new(path, &s);
        if (r < 0)
                return r;
        s->is_reader = true;
        r = connect_file(path, SQLITE_OPEN_READONLY, &s->db);
        if (r >= 0)
                r = sql_errno(sqlite3_busy_timeout(s->db, READER_BUSY_MS));
        if (r >= 0)
                r = pragma(s->db, settings_common);
        if (r >= 0)
                r = pragma(s->db, "PRAGMA query_only = 1");
        if (r < 0)
                return open_failed(diag, path, r);
        r = schema_check(s->db, path, diag);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void store_close(Store *s) {
        if (!s)
                return;
        for (size_t i = 0; i < STMT_N; i++)
                (void) sqlite3_finalize(s->stmt[i]);
        (void) sqlite3_close(s->db);
        if (s->lock_fd >= 0)
                (void) close(s->lock_fd); /* the file stays: removing it would let two daemons lock
                                             two files */
        free(s->path);
        free(s);
}

int store_begin(Store *s) {
        s->change_period = 0;
        return query_run(s, STMT_BEGIN, NO_ARGS);
}

int store_commit(Store *s) {
        int r = query_run(s, STMT_COMMIT, NO_ARGS);

        if (r < 0)
                store_rollback(s);
        return r;
}

void store_rollback(Store *s) {
        s->change_period = 0;
        if (!sqlite3_get_autocommit(s->db))
                (void) query_run(s, STMT_ROLLBACK, NO_ARGS);
}

const char *step_cause_name(StepCause cause) {
        switch (cause) {
        case CAUSE_SNAPSHOT:
                return "snapshot";
        case CAUSE_IMPORT:
                return "import";
        case CAUSE_DEADLINE:
                return "deadline";
        case CAUSE_RELOAD:
                return "reload";
        case CAUSE_ACKNOWLEDGE:
                return "acknowledge";
        case CAUSE_SILENCE:
                return "silence";
        case CAUSE_RELEASE:
                return "release";
        case CAUSE_SETTLE:
                return "settle";
        case CAUSE_ATTEMPT:
                return "attempt";
        case CAUSE_OPERATOR:
                return "operator";
        }
        return "unknown";
}

int store_step(Store *s, StepCause cause, int64_t now_ms, StepId *ret) {
        int r;

        if (sqlite3_get_autocommit(s->db))
                return -EINVAL; /* a step without its writes would be a lie */
        r = query_run(s, STMT_STEP_ADD, ARGS(arg_int(now_ms), arg_int(cause)));
        if (r < 0)
                return r;
        *ret = sqlite3_last_insert_rowid(s->db);
        return 0;
}

/* The index gives the newest instant at or before at_ms. A later step can only be at or before it
 * too when the clock went backwards in between, and such steps are marked: then, rarely, all are
 * looked at. */
int store_step_at(Store *s, int64_t at_ms, StepId *ret) {
        int64_t found, is_odd;
        int r;

        r = query_int(s, STMT_STEP_AT, ARGS(arg_int(at_ms)), 0, &found);
        if (r >= 0)
                r = query_int(s, STMT_STEP_IS_ODD, ARGS(arg_int(at_ms), arg_int(found)), 0,
                              &is_odd);
        if (r >= 0 && is_odd)
                r = query_int(s, STMT_STEP_AT_ODD, ARGS(arg_int(at_ms)), 0, &found);
        if (r < 0)
                return r;
        *ret = found;
        return 0;
}

int store_step_last(Store *s, StepId *ret, int64_t *ret_ms) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_STEP_LAST, NO_ARGS, &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        *ret = r ? column_int(q, 0) : 0;
        if (ret_ms)
                *ret_ms = r ? column_int(q, 1) : 0;
        return 0;
}

int store_step_ms(Store *s, StepId step, int64_t *ret_ms) {
        int64_t ms;
        int r;

        r = query_int(s, STMT_STEP_MS, ARGS(arg_int(step)), INT64_MIN, &ms);
        if (r < 0)
                return r;
        if (ms == INT64_MIN)
                return STORE_E_NONE;
        *ret_ms = ms;
        return 0;
}

int store_meta_get(Store *s, const char *name, char **ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_META_GET, ARGS(arg_text(name)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        return column_text(q, 0, ret);
}

int store_meta_put(Store *s, const char *name, const char *value) {
        return query_run(s, STMT_META_PUT, ARGS(arg_text(name), arg_text(value)));
}

static int64_t file_bytes(const char *path, const char *suffix) {
        CLEANUP(buf_done) Buf name = BUF_INIT(BUF_MAX_TEXT);
        struct stat st;

        if (buf_printf(&name, "%s%s", path, suffix) < 0 || stat(buf_text(&name), &st) < 0)
                return 0;
        return (int64_t) st.st_size;
}

int64_t store_size(Store *s) {
        return file_bytes(s->path, "") + file_bytes(s->path, "-wal");
}

int store_retain(Store *s, const StoreRetention *before) {
        int r = 0;

        if (before->attempts_ms > 0)
                r = query_run(s, STMT_RETAIN_ATTEMPTS, ARGS(arg_int(before->attempts_ms)));
        if (r >= 0 && before->messages_ms > 0)
                r = query_run(s, STMT_RETAIN_MESSAGES, ARGS(arg_int(before->messages_ms)));
        if (r >= 0 && before->bodies_ms > 0)
                r = query_run(s, STMT_RETAIN_BODIES, ARGS(arg_int(before->bodies_ms)));
        return r;
}
