/* Copies while the daemon runs, and the end of a life whose database has rotted.
 *
 * Both are found out by threads: a year of data takes seconds to copy and check, and a status answer may
 * not wait for that. All telling and writing is done by the loop. A copy has another name until it is whole.
 *
 * The day's check (tend.c) finds rot. With a good copy at hand the daemon then ends, so that the next
 * start can restore before anything is known or asked (keep-restore.c). Without one it goes on and says
 * so: half of the truth is of more use than none. */
#include "flow/keep.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/timeutil.h"
#include "flow/keep-private.h"
#include "flow/worker.h"
#include "os/clock.h"
#include "os/file.h"

#define META_BACKUP "backup_ms"
#define BACKUP_EVERY_MS (7 * MS_PER_DAY)
#define BACKUP_RETRY_MS MS_PER_HOUR
#define BACKUPS_KEPT 4u

typedef struct CopyJob {
        char *database, *copy; /* the backup being made; the good copy that a search found */
        char *dir;
        int64_t began_ms;
} CopyJob;

struct Keeper {
        Worker *worker, *searcher;
        int64_t next_ms;  /* when a backup is due */
        bool is_searched; /* for this damage: there is no good copy */
};

/* ---- backups --------------------------------------------------------------------------------- */

static int copy_and_verify(void *job) {
        const CopyJob *k = job;
        Store CLEANUP(store_closep) *from = NULL, *copy = NULL;
        int r = store_open_reader(k->database, NULL, &from);
        if (r == 0)
                r = store_backup(from, k->copy);
        if (r != 0)
                return r < 0 ? r : -EBADMSG;
        r = store_open_reader(k->copy, NULL, &copy);
        if (r == 0)
                r = store_verify(copy, NULL);
        if (r != 0)
                (void) unlink(k->copy);
        return r > 0 ? -EBADMSG : r;
}

/* Copies that cannot be read come last, and go first. */
static void drop_old(const char *dir) {
        KeepCopy *copies = NULL;
        size_t n = 0;
        if (keep_copies(dir, &copies, &n) < 0)
                return;
        for (size_t i = BACKUPS_KEPT; i < n; i++)
                (void) unlink(copies[i].path);
        keep_copies_free(copies, n);
}

static int write_last(App *app, int64_t now_ms) {
        char text[24];
        (void) snprintf(text, sizeof text, "%lld", (long long) now_ms);
        int r = store_begin(app->store);
        if (r >= 0)
                r = store_meta_put(app->store, META_BACKUP, text);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r;
}

static void drop_job(void *job) {
        CopyJob *k = job;
        free(k->database);
        free(k->copy);
        free(k->dir);
        free(k);
}

static void on_copied(void *userdata, void *job, int r) {
        App *app = userdata;
        const CopyJob *copied = job;
        Keeper *k = app->keeper;
        int64_t began = copied->began_ms;
        if (r >= 0)
                r = write_last(app, began);
        if (r >= 0) {
                log_full(LOG_INFO, &keep_fields, "backup %s made and verified", copied->copy);
                if (app->config->daemon.backup_dir)
                        drop_old(app->config->daemon.backup_dir);
                app->health.backup_error[0] = '\0';
        } else {
                (void) snprintf(app->health.backup_error, sizeof app->health.backup_error, "%s",
                                strerror(-r));
                log_full(LOG_ERR, &keep_fields,
                         "backup %s could not be made (%s), trying again in an hour", copied->copy,
                         strerror(-r));
        }
        k->next_ms = began + (r < 0 ? BACKUP_RETRY_MS : BACKUP_EVERY_MS);
        drop_job(job);
        app_wake(app);
}

/* ---- after rot was found ---------------------------------------------------------------------- */

/* The second look, and then the copy that knows most among those that pass every check: without one
 * there is no use in ending. */
static int search_work(void *job) {
        CopyJob *k = job;
        KeepCopy *copies = NULL;
        size_t n = 0;
        int r = keep_verify(k->database);
        if (r == -EBADMSG && keep_copies(k->dir, &copies, &n) >= 0)
                for (size_t i = 0; i < n && !k->copy; i++)
                        if (keep_verify(copies[i].path) == 0)
                                k->copy = TAKE_PTR(copies[i].path);
        keep_copies_free(copies, n);
        return r > 0 ? -EBADMSG : r;
}

/* Leaves the mark and ends: systemd starts the daemon again, which restores. */
static void end_for_restore(App *app, const CopyJob *found) {
        char CLEANUP_FREE *mark = keep_mark(app);
        int r = mark ? file_replace(mark, "", 0, 0640) : -ENOMEM;
        if (r < 0) {
                log_full(LOG_ERR, &keep_fields,
                         "%s is damaged, and no mark can be left beside it (%s), going on",
                         found->database, strerror(-r));
                return;
        }
        log_full(LOG_ERR, &keep_fields, "%s is damaged: ending, the next start restores %s",
                 found->database, found->copy);
        app->is_stopping = true;
        (void) sd_event_exit(app->event, KEEP_EXIT);
}

static void on_searched(void *userdata, void *job, int r) {
        App *app = userdata;
        const CopyJob *found = job;
        app->keeper->is_searched = true;
        if (found->copy)
                end_for_restore(app, found);
        else if (r == -EBADMSG)
                log_full(LOG_CRIT, &keep_fields,
                         "%s is damaged and no good backup is there, going on with what can be "
                         "read; a person must restore it",
                         found->database);
        drop_job(job);
        app_wake(app);
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* A time far ahead was written by a clock that was wrong, and one that cannot be read is no reason to
 * wait: neither puts a backup off. */
static int read_next(App *app, int64_t now_ms, int64_t *ret) {
        char CLEANUP_FREE *text = NULL;
        int r = store_meta_get(app->store, META_BACKUP, &text);
        int64_t last = r == 0 ? strtoll(text, NULL, 10) : 0;
        if (r == -ENOMEM)
                return r;
        *ret = last == 0 || last > now_ms + MS_PER_HOUR ? 0 : last + BACKUP_EVERY_MS;
        return 0;
}

static int keeper_new(App *app, int64_t now_ms) {
        Keeper CLEANUP_FREE *k = calloc(1, sizeof *k);
        if (!k)
                return -ENOMEM;
        int r = read_next(app, now_ms, &k->next_ms);
        if (r >= 0)
                r = worker_new(app->event, on_copied, drop_job, app, &k->worker);
        if (r >= 0)
                r = worker_new(app->event, on_searched, drop_job, app, &k->searcher);
        if (r < 0) {
                worker_free(k->worker);
                return r;
        }
        app->keeper = TAKE_PTR(k);
        return 0;
}

static int make_job(const App *app, int64_t now_ms, CopyJob **ret) {
        CopyJob *k = calloc(1, sizeof *k);
        if (!k)
                return -ENOMEM;
        k->began_ms = now_ms;
        k->database = file_join(app->config->daemon.state_dir, "chisod.db");
        k->dir = strdup(app->config->daemon.backup_dir);
        if (!k->database || !k->dir) {
                drop_job(k);
                return -ENOMEM;
        }
        *ret = k;
        return 0;
}

static int name_copy(CopyJob *k) {
        char at[40];
        keep_stamp(at, k->began_ms);
        if (asprintf(&k->copy, "%s/" KEEP_PREFIX "%s" KEEP_SUFFIX, k->dir, at) >= 0)
                return 0;
        k->copy = NULL;
        return -ENOMEM;
}

static int begin(App *app, int64_t now_ms) {
        CopyJob *job = NULL;
        int r = file_mkdir(app->config->daemon.backup_dir, 0750);
        if (r >= 0)
                r = make_job(app, now_ms, &job);
        if (r >= 0)
                r = name_copy(job);
        if (r >= 0)
                r = worker_start(app->keeper->worker, copy_and_verify, job);
        if (r < 0 && job)
                drop_job(job);
        return r;
}

/* Once for each time that a check finds damage. */
static void search(App *app, int64_t now_ms) {
        Keeper *k = app->keeper;
        CopyJob *job = NULL;
        if (!*app->health.damage)
                k->is_searched = false;
        if (!*app->health.damage || k->is_searched || worker_is_busy(k->searcher))
                return;
        int r = make_job(app, now_ms, &job);
        if (r >= 0)
                r = worker_start(k->searcher, search_work, job);
        if (r < 0 && job)
                drop_job(job);
}

void keep_run(App *app, int64_t now_ms) {
        if (!app->config->daemon.backup_dir || app->is_once)
                return;
        int r = app->keeper ? 0 : keeper_new(app, now_ms);
        if (r >= 0)
                search(app, now_ms);
        if (r >= 0 && (worker_is_busy(app->keeper->worker) || app->keeper->next_ms > now_ms))
                return;
        if (r >= 0)
                r = begin(app, now_ms);
        if (r >= 0)
                return;
        if (app->keeper)
                app->keeper->next_ms = now_ms + BACKUP_RETRY_MS;
        (void) snprintf(app->health.backup_error, sizeof app->health.backup_error, "%s",
                        strerror(-r));
        log_full(LOG_ERR, &keep_fields, "no backup can be made (%s), trying again in an hour",
                 strerror(-r));
}

int64_t keep_next(const App *app, int64_t now_ms) {
        const Keeper *k = app->keeper;
        if (!app->config->daemon.backup_dir || app->is_once || (k && worker_is_busy(k->worker)))
                return INT64_MAX;
        return k ? MAX(k->next_ms, now_ms) : now_ms + BACKUP_RETRY_MS;
}

bool keep_is_busy(const App *app) {
        const Keeper *k = app->keeper;
        return k && (worker_is_busy(k->worker) || worker_is_busy(k->searcher));
}

void keep_done(App *app) {
        if (!app->keeper)
                return;
        worker_free(app->keeper->worker);
        worker_free(app->keeper->searcher);
        free(app->keeper);
}
