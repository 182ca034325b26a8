/* Opening: one writer, readers beside it, and what every connection is set to.
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
#include "store/store.h"

#define READER_BUSY_MS 2000
#define OPEN_BUSY_MS 2000

int store_setup(void) {
        return sql_errno(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0));
}

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
        Store *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->lock_fd = -1;
        s->path = strdup(path);
        if (!s->path) {
                free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

/* SQLite opens for reading what it may not write, and names no file when a write fails much later. -wal and -shm lie
 * beside the database: the folder must be writable, too. */
static int check_writable(sqlite3 *db, const char *path, Diag *diag) {
        CLEANUP(buf_done) Buf folder = BUF_INIT(BUF_MAX_TEXT);
        const char *slash = strrchr(path, '/');
        int r = slash ? buf_append(&folder, path, (size_t) (slash - path) + 1)
                      : buf_str(&folder, ".");

        if (r < 0)
                return r;
        if (sqlite3_db_readonly(db, "main") == 1) {
                diag_error(diag, path, 0, NULL,
                           "the database may not be written by uid %u (mode, owner, or a read-only "
                           "file system)",
                           (unsigned) geteuid());
                return -EACCES;
        }
        if (faccessat(AT_FDCWD, buf_text(&folder), W_OK | X_OK, AT_EACCESS) == 0)
                return 0;
        r = -errno;
        diag_error(diag, buf_text(&folder), 0, NULL,
                   "the folder of the database may not be written by uid %u: %s",
                   (unsigned) geteuid(), strerror(-r));
        return r;
}

static int open_failed(Diag *diag, const char *path, int r) {
        diag_error(diag, path, 0, NULL, "the database cannot be opened: %s", strerror(-r));
        return r;
}

static int writer_open(Store *s, Diag *diag) {
        int r;

        r = lock_take(s->path, diag, &s->lock_fd);
        if (r == 0)
                r = file_create(s->path, diag);
        if (r != 0)
                return r;
        r = connect_file(s->path, SQLITE_OPEN_READWRITE, &s->db);
        if (r < 0)
                return open_failed(diag, s->path, r);
        r = check_writable(s->db, s->path, diag);
        if (r < 0)
                return r;
        /* before the first write: a foreign or newer file is not even given another journal mode */
        r = schema_migrate(s->db, s->path, schema_migrations, schema_n_migrations, diag);
        if (r != 0)
                return r;
        r = settings_writer_apply(s->db);
        if (r >= 0)
                r = sql_errno(sqlite3_busy_timeout(s->db, 0));
        return r < 0 ? open_failed(diag, s->path, r) : 0;
}

static int reader_open(Store *s, Diag *diag) {
        int r;

        s->is_reader = true;
        r = connect_file(s->path, SQLITE_OPEN_READONLY, &s->db);
        if (r >= 0)
                r = sql_errno(sqlite3_busy_timeout(s->db, READER_BUSY_MS));
        if (r >= 0)
                r = pragma(s->db, settings_common);
        if (r >= 0)
                r = pragma(s->db, "PRAGMA query_only = 1");
        if (r < 0)
                return open_failed(diag, s->path, r);
        return schema_check(s->db, s->path, diag);
}

static int open_with(int (*open_as)(Store *, Diag *), const char *path, Diag *diag, Store **ret) {
        Store *s;
        int r;

        r = store_new(path, &s);
        if (r < 0)
                return r;
        r = open_as(s, diag);
        if (r != 0) {
                store_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

int store_open(const char *path, Diag *diag, Store **ret) {
        return open_with(writer_open, path, diag, ret);
}

int store_open_reader(const char *path, Diag *diag, Store **ret) {
        return open_with(reader_open, path, diag, ret);
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
