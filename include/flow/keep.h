/* The database's keeper: opening it, weekly verified backups, and the newest of them in the place of a file
 * that has rotted.
 *
 * A backup is made in a thread with connections of its own, so that no answer waits for it; it gets its name
 * only when it was read back whole and every body in it has its hash. Four are kept. */
#pragma once

#include "flow/app.h"

/* The loop's result when rot was found and a good backup is there: the next start restores it. */
#define KEEP_EXIT 3

/* Opens app->store and app->reader at state_dir/chisod.db. A file that is damaged (looked at twice: an I/O
 * error can look like it), or that the last life found rotten and that is so still, is set aside as
 * chisod.db.damaged-TIME, and the backup that knows most among those that pass every check takes its place:
 * its path stands in app->health.restored. Without one the result is -EBADMSG when the file cannot be opened,
 * otherwise it is opened as it is. Otherwise as store_open. */
int keep_open(App *app, Diag *diag);

/* What was opened turned out too damaged to start with: 0 when another start may restore it, -EBADMSG when a
 * person must (no backups, or none that is good). */
int keep_give_up(App *app);

/* Starts a backup when one is due: backup_dir is set and the last one is a week old. When a check found damage
 * (app->health.damage), looks again and for a good backup: with one, ends the loop with KEEP_EXIT. */
void keep_run(App *app, int64_t now_ms);
/* Next instant at which keep_run has something to do; INT64_MAX for never. */
int64_t keep_next(const App *app, int64_t now_ms);
/* A thread is at work, and will be left behind by keep_done. */
bool keep_is_busy(const App *app);
/* Work under way is left behind; its unfinished file is replaced by the next. */
void keep_done(App *app);
