/* Shared by keep.c (copies and checks while the daemon runs) and keep-restore.c (opening). */
#pragma once

#include "flow/keep.h"
#include "os/log.h"

#define KEEP_PREFIX "chisod-"
#define KEEP_SUFFIX ".db"

extern const LogFields keep_fields;

/* "20240905T080001" of local time. */
void keep_stamp(char text[static 40], int64_t now_ms);

/* A copy in the backup folder. */
typedef struct KeepCopy {
        char *path;
        StepId step; /* its newest; -1 when it cannot be read */
} KeepCopy;

/* The copies of the folder, the one that knows most first: steps only grow, while names follow
 * a clock that may have been wrong. Those of a newer version are left out. Freed with
 * keep_copies_free. */
int keep_copies(const char *dir, KeepCopy **ret, size_t *ret_n);
void keep_copies_free(KeepCopy *copies, size_t n);

/* 0 when every check of the file passes, looked at by a connection of its own; -EBADMSG only when two
 * looks agree, since an I/O error can look like rot. */
int keep_verify(const char *path);

/* state_dir/chisod.db.rotten: rot was found while the daemon ran; the next start looks again before
 * it opens. Heap. */
char *keep_mark(const App *app);
