/* Inside of store/: the connection, the statement table, and typed arguments and columns.
 *
 * Every SQL text that runs with arguments stands in store/statements.h, is prepared at its first
 * use and kept; a Query is reset by its clean-up attribute, so that no read outlives the function
 * that began it (an open read would keep the WAL from being checkpointed). Arguments are typed
 * values, never varargs: passing an int for an int64_t must not compile into garbage. */
#pragma once

#include <sqlite3.h>

#include "core/model.h"
#include "store/statements.h"

typedef enum StatementId {
#define X(name, sql) STMT_##name,
        STATEMENTS(X)
#undef X
                STMT_N
} StatementId;

/* Shared with the contract header, which itself stays out of here: it is what stands on this. */
typedef struct Store Store;
/* A pair and the id of its row, which was just looked for; id 0 = nothing. */
typedef struct KeySeen {
        int64_t a, b, id;
} KeySeen;
struct Store {
        sqlite3 *db;
        char *path;
        int lock_fd; /* -1: reader */
        bool is_reader;
        sqlite3_stmt *stmt[STMT_N];
        KeySeen series, change; /* key.c */
};

/* Negative errno for an SQLite result (extended codes understood); 0 for OK, ROW and DONE. */
int sql_errno(int rc);

typedef enum ArgKind { ARG_NULL, ARG_INT, ARG_TEXT, ARG_BLOB } ArgKind;
typedef struct Arg {
        ArgKind kind;
        int64_t i; /* value, or bytes of the blob */
        const void *p;
} Arg;

static inline Arg arg_int(int64_t i) {
        return (Arg){.kind = ARG_INT, .i = i};
}
/* 0 stands for none. */
static inline Arg arg_id(int64_t i) {
        return (Arg){.kind = i ? ARG_INT : ARG_NULL, .i = i};
}
static inline Arg arg_value(int64_t value) {
        return (Arg){.kind = value == VALUE_NONE ? ARG_NULL : ARG_INT, .i = value};
}
/* NULL stands for none. */
static inline Arg arg_text(const char *text) {
        return (Arg){.kind = text ? ARG_TEXT : ARG_NULL, .p = text};
}
static inline Arg arg_blob(const void *data, size_t n) {
        return (Arg){.kind = ARG_BLOB, .i = (int64_t) n, .p = data};
}

/* Begins a statement with its arguments bound; they must live until it is reset. `Query` is what
 * the clean-up resets. */
typedef sqlite3_stmt *Query;
int query_begin(Store *s, StatementId id, const Arg *args, size_t n, Query *ret);
/* 1: a row stands ready; 0: no more; negative errno. */
int query_next(Query q);
void query_reset(Query *q);
#define CLEANUP_QUERY CLEANUP(query_reset)
#define ARGS(...) (const Arg[]){__VA_ARGS__}, sizeof((const Arg[]){__VA_ARGS__}) / sizeof(Arg)
#define NO_ARGS NULL, 0

/* Runs to the end; rows are ignored. */
int query_run(Store *s, StatementId id, const Arg *args, size_t n);
/* The same, *ret_changes rows changed. */
int query_change(Store *s, StatementId id, const Arg *args, size_t n, int *ret_changes);
/* The first column of the first row, or `otherwise` when there is none or it is NULL. */
int query_int(Store *s, StatementId id, const Arg *args, size_t n, int64_t otherwise, int64_t *ret);

static inline int64_t column_int(Query q, int i) {
        return sqlite3_column_int64(q, i);
}
static inline int64_t column_value(Query q, int i) {
        return sqlite3_column_type(q, i) == SQLITE_NULL ? VALUE_NONE : sqlite3_column_int64(q, i);
}
/* Heap copy; NULL for NULL. Returns 0 or -ENOMEM. */
int column_text(Query q, int i, char **ret);
/* Cut to the buffer; "" for NULL. */
void column_text_fixed(Query q, int i, char *ret, size_t size);

/* Units were mostly registered one after the other, so that few ranges of ids cover those of one
 * parent: one seek each. The end (exclusive) of the range in the sorted list that begins at `from`;
 * a range is cut where more than UNIT_GAP_MAX strangers would be read on the way. */
#define UNIT_GAP_MAX 16u
static inline size_t unit_range_end(const UnitId *units, size_t n, size_t from) {
        size_t to = from + 1;

        while (to < n && units[to] - units[to - 1] <= UNIT_GAP_MAX)
                to++;
        return to;
}

/* Collects all rows of a query: reader(Query, element *) fills a zeroed element and returns 0 or
 * negative errno. */
#define COLLECT(q, rows, n, cap, reader)                                                           \
        ({                                                                                         \
                int r_;                                                                            \
                while ((r_ = query_next(q)) > 0) {                                                 \
                        r_ = ARRAY_GROW(rows, cap, (n) + 1);                                       \
                        if (r_ >= 0)                                                               \
                                r_ = reader(q, &(rows)[(n)++]);                                    \
                        if (r_ < 0)                                                                \
                                break;                                                             \
                }                                                                                  \
                r_;                                                                                \
        })
