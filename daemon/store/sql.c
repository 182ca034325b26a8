/* Statements: prepared once, bound by type, reset by clean-up attribute.
 *
 * Preparing all at opening was dropped: it costs 5 ms and half a megabyte for statements that most
 * processes never run. A test prepares every one instead. */
#include "store/sql.h"

#include <errno.h>
#include <stdio.h>

static const char *const statement_sql[STMT_N] = {
#define X(name, sql) [STMT_##name] = (sql),
        STATEMENTS(X)
#undef X
};

int sql_errno(int rc) {
        switch (rc) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_IOERR_NOMEM:
                return -ENOMEM;
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
                return -EEXIST;
        case SQLITE_CONSTRAINT_TRIGGER:
                return -EPERM;
        default:
                break;
        }
        switch (rc & 0xff) {
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EBADMSG;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_TOOBIG:
                return -E2BIG;
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return -EACCES;
        case SQLITE_INTERRUPT:
                return -EINTR;
        case SQLITE_CONSTRAINT:
        case SQLITE_MISMATCH:
        case SQLITE_RANGE:
        case SQLITE_ERROR:
        case SQLITE_MISUSE:
                return -EINVAL;
        default: /* IOERR, CANTOPEN, PROTOCOL, NOLFS */
                return -EIO;
        }
}

static int bind_one(Query q, int i, const Arg *a) {
        switch (a->kind) {
        case ARG_INT:
                return sqlite3_bind_int64(q, i, a->i);
        case ARG_TEXT:
                return sqlite3_bind_text(q, i, a->p, -1, SQLITE_STATIC);
        case ARG_BLOB:
                if (!a->p) /* nothing, as opposed to none */
                        return sqlite3_bind_zeroblob(q, i, 0);
                return sqlite3_bind_blob64(q, i, a->p, (sqlite3_uint64) a->i, SQLITE_STATIC);
        case ARG_NULL:
                break;
        }
        return sqlite3_bind_null(q, i);
}

int query_begin(Store *s, StatementId id, const Arg *args, size_t n, Query *ret) {
        int rc = SQLITE_OK;

        assert(id < STMT_N);
        if (!s->stmt[id])
                rc = sqlite3_prepare_v3(s->db, statement_sql[id], -1, SQLITE_PREPARE_PERSISTENT,
                                        &s->stmt[id], NULL);
        if (rc != SQLITE_OK)
                return sql_errno(rc);

        Query q = s->stmt[id];
        assert(!sqlite3_stmt_busy(q));
        assert(sqlite3_bind_parameter_count(q) == (int) n);
        for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
                rc = bind_one(q, (int) i + 1, &args[i]);
        if (rc != SQLITE_OK) {
                query_reset(&q);
                return sql_errno(rc);
        }
        *ret = q;
        return 0;
}

int query_next(Query q) {
        int rc = sqlite3_step(q);

        return rc == SQLITE_ROW ? 1 : sql_errno(rc);
}

void query_reset(Query *q) {
        if (!*q)
                return;
        (void) sqlite3_reset(*q); /* repeats the error of the last step, which was handled there */
        (void) sqlite3_clear_bindings(*q); /* nobody may find a dangling argument */
}

int query_run(Store *s, StatementId id, const Arg *args, size_t n) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, id, args, n, &q);
        if (r < 0)
                return r;
        while ((r = query_next(q)) > 0)
                ;
        return r;
}

int query_change(Store *s, StatementId id, const Arg *args, size_t n, int *ret_changes) {
        int r = query_run(s, id, args, n);

        if (r < 0)
                return r;
        *ret_changes = sqlite3_changes(s->db);
        return 0;
}

int query_int(Store *s, StatementId id, const Arg *args, size_t n, int64_t otherwise,
              int64_t *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, id, args, n, &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        *ret = r > 0 && sqlite3_column_type(q, 0) != SQLITE_NULL ? column_int(q, 0) : otherwise;
        return 0;
}

int column_text(Query q, int i, char **ret) {
        const char *text;
        char *copy;

        if (sqlite3_column_type(q, i) == SQLITE_NULL) {
                *ret = NULL;
                return 0;
        }
        text = (const char *) sqlite3_column_text(q, i);
        copy = text ? strdup(text) : NULL;
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

void column_text_fixed(Query q, int i, char *ret, size_t size) {
        const char *text = (const char *) sqlite3_column_text(q, i);

        (void) snprintf(ret, size, "%s", text ? text : "");
}
