/* The database: one door to SQLite (architecture: "What was tried").
 *
 * One connection writes (Store from store_open), reads of the API use a second, read-only one (store_open_reader); all
 * functions that only read take either. WAL (answer read back), synchronous=FULL, foreign keys, DEFENSIVE, no double-quoted
 * strings, no trusted schema, STRICT tables, statements prepared once from one table and reset by a clean-up attribute,
 * no SQL by printf. Values, ids and instants as in core/model.h (instants in ms).
 *
 * Three transactions carry everything (semantics 8): evaluate, release, settle. Each is store_begin, one store_step, its
 * writes, store_commit; anything else is rolled back. Results: 0, negative errno (-EIO, -ENOSPC, -EBUSY, -ENOMEM,
 * -EBADMSG for rot), positive STORE_E_*. */
#pragma once

#include "base/diag.h"
#include "core/model.h"

typedef struct Store Store;

enum {
        STORE_E_NEWER = 1,    /* the file was written by a newer version: refused, exit 78 */
        STORE_E_FOREIGN = 2,  /* not our application_id */
        STORE_E_LOCKED = 3,   /* another daemon has it */
        STORE_E_NONE = 4,     /* no such row */
        STORE_E_MISMATCH = 5, /* stored definition differs */
};

#define STORE_APPLICATION_ID 0x43485344 /* "CHSD" */

/* Once in a process that opens stores for long, before the first and before there are threads: SQLite then keeps no account of
 * its memory, whose lock each of its allocations takes twice (a twelfth of the time of a read of many rows). */
int store_setup(void);
/* Opens or creates the file (0640), takes the daemon's lock (flock on PATH.lock), migrates forward, recovers. */
int store_open(const char *path, Diag *diag, Store **ret);
/* Read-only second connection; no lock. */
int store_open_reader(const char *path, Diag *diag, Store **ret);
void store_close(Store *s);
DEFINE_CLEANUP(Store, store_close)

/* BEGIN IMMEDIATE / COMMIT / ROLLBACK. store_rollback outside a transaction does nothing. */
int store_begin(Store *s);
int store_commit(Store *s);
void store_rollback(Store *s);
/* For a reader, ended by store_commit: all until then read one state, and whether the file has changed is asked once, not by
 * each statement. */
int store_look(Store *s);

typedef enum StepCause {
        CAUSE_SNAPSHOT = 1,
        CAUSE_IMPORT = 2,
        CAUSE_DEADLINE = 3,
        CAUSE_RELOAD = 4,
        CAUSE_ACKNOWLEDGE = 5,
        CAUSE_SILENCE = 6,
        CAUSE_RELEASE = 7,
        CAUSE_SETTLE = 8,
        CAUSE_ATTEMPT = 9, /* a fetch that changed nothing but what is known of its source */
        CAUSE_OPERATOR = 10,
} StepCause;
const char *step_cause_name(StepCause cause);

/* One new step inside the transaction; marked when now_ms is before the last step's instant. */
int store_step(Store *s, StepCause cause, int64_t now_ms, StepId *ret);
/* Last step at or before the instant (0 when none), and the newest step. To reads, as_of 0 means now: who asks of an instant
 * before the first step passes -1, of which nothing is known. */
int store_step_at(Store *s, int64_t at_ms, StepId *ret);
int store_step_last(Store *s, StepId *ret, int64_t *ret_ms);
/* Differs from what it was whenever anything was committed meanwhile, with or without a step, by whichever connection: what was
 * read before may be kept while it stays. Of this opening of a connection that is in no transaction of its own. */
int store_version(Store *s, int64_t *ret);
int store_step_cause(Store *s, StepId step, StepCause *ret); /* STORE_E_NONE */
int store_step_ms(Store *s, StepId step, int64_t *ret_ms);

/* Small durable settings: "installation" (made at creation by the app), "went_live_ms", "digest:TARGET" ... */
int store_meta_get(Store *s, const char *name, char **ret); /* STORE_E_NONE */
int store_meta_put(Store *s, const char *name, const char *value);

/* integrity_check, foreign_key_check, and the hash of every body. Findings go to diag; returns 0 or -EBADMSG. */
int store_verify(Store *s, Diag *diag);
/* Online copy to a new file (0640), read back whole before it gets its name. -EEXIST; -EBUSY inside a transaction. */
int store_backup(Store *s, const char *path);
/* Gives the page cache back; what is read next is read from the file again. */
void store_shrink(Store *s);
/* Bytes of the database file and its WAL. */
int64_t store_size(Store *s);

/* Forgets what is older than these instants (0 = keep): attempts, the bytes of settled messages, bodies that no later part
 * refers to. Rows, hashes and sizes of the latter two stay. */
typedef struct StoreRetention {
        int64_t attempts_ms, messages_ms, bodies_ms;
} StoreRetention;
/* At most `max` of them, *ret_n were; fewer than `max`: nothing is left to forget. */
int store_retain(Store *s, const StoreRetention *before, size_t max, size_t *ret_n);
