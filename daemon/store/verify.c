/* Copies and checks of the whole file.
 *
 * integrity_check saw 10 of 59 flipped bytes: the hashes of the bodies find the rest of what is
 * verbatim. A copy gets its name only when it was read back whole. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/body.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/store.h"

#define FINDINGS_MAX 100

/* ---- verify
 * -----------------------------------------------------------------------------------------------------
 */

/* Every row that `sql` gives is a finding, but for the single "ok". */
static int check_run(sqlite3 *db, const char *sql, const char *path, Diag *diag, size_t *findings) {
        sqlite3_stmt *q = NULL;
        int rc;

        rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
                const char *text = str_or((const char *) sqlite3_column_text(q, 0), "?");

                rc = SQLITE_OK;
                if (streq(text, "ok"))
                        continue;
                if ((*findings)++ < FINDINGS_MAX)
                        diag_error(diag, path, 0, NULL, "%s", text);
        }
        (void) sqlite3_finalize(q);
        if ((rc & 0xff) == SQLITE_CORRUPT) {
                (*findings)++;
                diag_error(diag, path, 0, NULL, "%s", sqlite3_errstr(rc));
                return 0;
        }
        return sql_errno(rc);
}

static int check_bodies(Store *s, Diag *diag, size_t *findings) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_BODY_ALL, NO_ARGS, &q);
        while (r >= 0 && (r = query_next(q)) > 0) {
                CLEANUP(buf_done) Buf b = BUF_INIT(BODY_MAX);

                r = body_unpack(q, &b);
                if (r == -EBADMSG) {
                        r = 0;
                        if ((*findings)++ < FINDINGS_MAX)
                                diag_error(diag, s->path, 0, NULL,
                                           "body %lld differs from its SHA-256",
                                           (long long) column_int(q, 3));
                }
        }
        if (r == -EBADMSG) {
                (*findings)++;
                diag_error(diag, s->path, 0, NULL, "a body cannot be read");
                return 0;
        }
        return r;
}

int store_verify(Store *s, Diag *diag) {
        size_t findings = 0;
        int r;

        r = check_run(s->db, "PRAGMA integrity_check", s->path, diag, &findings);
        if (r >= 0)
                r = check_run(s->db,
                              "SELECT printf('%s row %d refers to a missing row of %s', \"table\", "
                              "rowid, "
                              "parent) FROM pragma_foreign_key_check",
                              s->path, diag, &findings);
        if (r >= 0)
                r = check_bodies(s, diag, &findings);
        if (r < 0)
                return r;
        return findings ? -EBADMSG : 0;
}

/* ---- backup
 * -----------------------------------------------------------------------------------------------------
 */

static int copy_pages(sqlite3 *from, sqlite3 *to) {
        sqlite3_backup *b;
        int rc;

        b = sqlite3_backup_init(to, "main", from, "main");
        if (!b)
                return sql_errno(sqlite3_extended_errcode(to));
        rc = sqlite3_backup_step(b, -1);
        if (rc == SQLITE_DONE)
                rc = sqlite3_backup_finish(b);
        else
                (void) sqlite3_backup_finish(b);
        return sql_errno(rc);
}

/* One file that opens read-only anywhere, and says the same as its original. */
static int copy_check(sqlite3 *from, sqlite3 *to, const char *path) {
        size_t findings = 0;
        int64_t a = -1, b = -2;
        int r;

        r = sql_errno(sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL));
        if (r >= 0)
                r = check_run(to, "PRAGMA integrity_check", path, NULL, &findings);
        if (r >= 0)
                r = schema_int(from, "PRAGMA user_version", &a);
        if (r >= 0)
                r = schema_int(to, "PRAGMA user_version", &b);
        if (r < 0)
                return r;
        return findings == 0 && a == b ? 0 : -EBADMSG;
}

static int copy_make(sqlite3 *from, const char *path) {
        sqlite3 *to = NULL;
        int fd, r;

        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0)
                return -errno;
        r = fchmod(fd, 0640) < 0 ? -errno : 0;
        (void) close(fd);
        if (r >= 0)
                r = sql_errno(sqlite3_open_v2(
                        path, &to,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL));
        if (r >= 0)
                r = copy_pages(from, to);
        if (r >= 0)
                r = copy_check(from, to, path);
        (void) sqlite3_close(to);
        return r;
}

/* A rename is durable once its folder is. */
static int folder_sync(const char *path) {
        char *copy = strdup(path);
        int fd, r;

        if (!copy)
                return -ENOMEM;
        fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
        if (fd >= 0)
                (void) close(fd);
        free(copy);
        return r;
}

int backup_make(sqlite3 *db, const char *path, bool is_replace) {
        CLEANUP(buf_done) Buf part = BUF_INIT(BUF_MAX_TEXT);
        unsigned flags = is_replace ? 0 : RENAME_NOREPLACE;
        struct stat st;
        int r;

        if (!is_replace && lstat(path, &st) == 0)
                return -EEXIST; /* before the work; the rename makes sure */
        r = buf_printf(&part, "%s.part", path);
        if (r >= 0)
                r = copy_make(db, buf_text(&part));
        if (r >= 0 && renameat2(AT_FDCWD, buf_text(&part), AT_FDCWD, path, flags) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlink(buf_text(&part));
                return r;
        }
        return folder_sync(path);
}

int store_backup(Store *s, const char *path) {
        if (!sqlite3_get_autocommit(s->db))
                return -EBUSY; /* would copy what may yet be undone */
        return backup_make(s->db, path, /* is_replace= */ false);
}
