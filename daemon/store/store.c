/* Transactions, steps, settings, retention. */
#include "store/store.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "store/key.h"

int store_begin(Store *s) {
        keys_forget(s);
        return query_run(s, STMT_BEGIN, NO_ARGS);
}

int store_commit(Store *s) {
        int r = query_run(s, STMT_COMMIT, NO_ARGS);

        if (r < 0)
                store_rollback(s);
        return r;
}

void store_rollback(Store *s) {
        if (!sqlite3_get_autocommit(s->db))
                (void) query_run(s, STMT_ROLLBACK, NO_ARGS);
}

int store_look(Store *s) {
        return query_run(s, STMT_LOOK, NO_ARGS);
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

int store_step_cause(Store *s, StepId step, StepCause *ret) {
        int64_t cause;
        int r;

        r = query_int(s, STMT_STEP_CAUSE, ARGS(arg_int(step)), 0, &cause);
        if (r < 0)
                return r;
        if (cause == 0)
                return STORE_E_NONE;
        *ret = (StepCause) cause;
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

/* SQLite counts what others commit and what this connection changes; both only grow. */
int store_version(Store *s, int64_t *ret) {
        int64_t others;
        int r = query_int(s, STMT_DATA_VERSION, NO_ARGS, 0, &others);

        if (r >= 0)
                *ret = others + sqlite3_total_changes64(s->db);
        return r;
}

void store_shrink(Store *s) {
        (void) sqlite3_db_release_memory(s->db);
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

static int retain(Store *s, StatementId id, int64_t before_ms, size_t max, size_t *n) {
        if (before_ms <= 0 || *n >= max)
                return 0;
        int r = query_run(s, id, ARGS(arg_int(before_ms), arg_int((int64_t) (max - *n))));
        if (r >= 0)
                *n += (size_t) sqlite3_changes64(s->db);
        return r;
}

int store_retain(Store *s, const StoreRetention *before, size_t max, size_t *ret_n) {
        size_t n = 0;
        int r = retain(s, STMT_RETAIN_ATTEMPTS, before->attempts_ms, max, &n);

        if (r >= 0)
                r = retain(s, STMT_RETAIN_MESSAGES, before->messages_ms, max, &n);
        if (r >= 0)
                r = retain(s, STMT_RETAIN_BODIES, before->bodies_ms, max, &n);
        if (r >= 0)
                *ret_n = n;
        return r;
}
