/* The schema as a chain of forward steps, and the runner that takes a file along it. */
#pragma once

#include <sqlite3.h>

#include "base/diag.h"

/* One forward step: brings a file of version - 1 to `version`. Runs in one transaction; its SQL
 * ends by setting user_version, so that the number and the tables it stands for become durable
 * together. */
typedef struct Migration {
        int version;
        const char *sql;
} Migration;

extern const char schema_v2[]; /* schema-v2.c */
extern const Migration schema_migrations[];
extern const size_t schema_n_migrations;

/* Takes the open file forward to the last of the n steps. An existing file (one that has tables) is
 * first copied to PATH.before-vN, N the version aimed at, and the copy is verified. Returns 0,
 * STORE_E_NEWER, STORE_E_FOREIGN, negative errno; the reason is in diag. Nothing is changed unless
 * a whole step succeeded. */
int schema_migrate(sqlite3 *db, const char *path, const Migration *steps, size_t n, Diag *diag);
/* The same checks for a connection that cannot write: 0, STORE_E_NEWER, STORE_E_FOREIGN,
 * STORE_E_MISMATCH (older). */
int schema_check(sqlite3 *db, const char *path, Diag *diag);

/* One integer of a PRAGMA or SELECT. */
int schema_int(sqlite3 *db, const char *sql, int64_t *ret);

/* Copy of the open database at `path`, made beside it, verified (integrity_check, user_version) and
 * renamed into place: what has the name is whole. is_replace: an older copy of that name goes; else
 * -EEXIST. */
int backup_make(sqlite3 *db, const char *path, bool is_replace);
