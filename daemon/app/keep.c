/* Backups, and what they are for.
 *
 * The copy is made by a thread: a year of data takes seconds to copy and check, and a status answer may not wait
 * for that. All telling and writing is done by the loop. A copy has another name until it is whole.
 *
 * At a start the file is looked at twice before it is set aside, since an I/O error at the header comes back
 * as a damaged file. */
#include "app/keep.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "app/worker.h"
#include "base/timeutil.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"

#define META_BACKUP "backup_ms"
#define BACKUP_EVERY_MS (7 * MS_PER_DAY)
#define BACKUP_RETRY_MS MS_PER_HOUR
#define BACKUPS_KEPT 4u
#define NAME_PREFIX "chisod-"
#define NAME_SUFFIX ".db"

typedef struct CopyJob {
        char *database, *copy;
} CopyJob;

struct Keeper {
        Worker *worker;
        int64_t next_ms; /* when a backup is due */
};

static const LogFields backup_fields = {.message_id = LOG_ID_BACKUP};

/* "20240905T080001" of local time. */
static void stamp(char text[static 40], int64_t now_ms) {
        char full[40];
        size_t n = 0;
        (void) instant_format(full, now_ms);
        for (const char *p = full; *p && p < full + 19; p++)
                if (*p != '-' && *p != ':')
                        text[n++] = *p;
        text[n] = '\0';
}

/* ---- restoring ------------------------------------------------------------------------------- */

static int set_aside(const char *path, int64_t now_ms) {
        static const char *const suffixes[] = {"-wal", "-shm", ""};
        char at[40];
        stamp(at, now_ms);
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                char CLEANUP_FREE *from = NULL, *to = NULL;
                if (asprintf(&from, "%s%s", path, suffixes[i]) < 0 ||
                    asprintf(&to, "%s.damaged-%s%s", path, at, suffixes[i]) < 0)
                        return -ENOMEM;
                if (rename(from, to) < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

static int restore_one(const char *backup, const char *path, int64_t now_ms) {
        Store CLEANUP(store_closep) *copy = NULL;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int r = store_open_reader(backup, &diag, &copy);
        if (r == 0)
                r = store_verify(copy, &diag);
        if (r != 0) {
                log_full(LOG_WARNING, &backup_fields,
                         "%s: cannot be used (%s), looking for an older one", backup,
                         r < 0 ? strerror(-r) : "not of this version");
                return -EBADMSG; /* whatever is wrong with it, an older one may do */
        }
        r = set_aside(path, now_ms);
        return r < 0 ? r : store_backup(copy, path);
}

static bool is_backup(const char *name) {
        return strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0;
}

static int restore_newest(const char *dir, const char *path, int64_t now_ms) {
        char **names = NULL;
        size_t n = 0;
        int r = file_list(dir, NAME_SUFFIX, &names, &n), found = -EBADMSG;
        for (size_t i = n; r >= 0 && found == -EBADMSG && i > 0; i--) {
                char CLEANUP_FREE *backup =
                        is_backup(names[i - 1]) ? file_join(dir, names[i - 1]) : NULL;
                if (!backup)
                        continue;
                found = restore_one(backup, path, now_ms);
                if (found == 0)
                        log_full(LOG_ERR, &backup_fields,
                                 "%s was damaged: set aside, and %s put in its place", path,
                                 backup);
        }
        file_names_free(names, n);
        return r < 0 ? r : found;
}

static int open_writer(App *app, const char *path, Diag *diag) {
        int r = store_open(path, diag, &app->store);
        return r == -EBADMSG ? store_open(path, diag, &app->store) : r;
}

int keep_open(App *app, Diag *diag) {
        const char *dir = app->config->daemon.backup_dir;
        char CLEANUP_FREE *path = file_join(app->config->daemon.state_dir, "chisod.db");
        if (!path)
                return -ENOMEM;
        int r = file_mkdir(app->config->daemon.state_dir, 0750);
        if (r >= 0)
                r = open_writer(app, path, diag);
        if (r == -EBADMSG && dir && !app->is_once) {
                r = restore_newest(dir, path, clock_now_ms());
                if (r == 0)
                        r = store_open(path, diag, &app->store);
        }
        if (r == 0)
                r = store_open_reader(path, diag, &app->reader);
        if (r < 0)
                log_error("%s cannot be opened: %s", path, strerror(-r));
        return r;
}

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

static void drop_old(const char *dir) {
        char **names = NULL;
        size_t n = 0, n_kept = 0;
        if (file_list(dir, NAME_SUFFIX, &names, &n) < 0)
                return;
        for (size_t i = n; i > 0; i--) {
                if (!is_backup(names[i - 1]) || n_kept++ < BACKUPS_KEPT)
                        continue;
                char CLEANUP_FREE *path = file_join(dir, names[i - 1]);
                if (path)
                        (void) unlink(path);
        }
        file_names_free(names, n);
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
        free(k);
}

static void on_copied(void *userdata, void *job, int r) {
        App *app = userdata;
        const CopyJob *copied = job;
        Keeper *k = app->keeper;
        int64_t now = clock_now_ms();
        if (r >= 0)
                r = write_last(app, now);
        if (r >= 0) {
                log_full(LOG_INFO, &backup_fields, "backup %s made and verified", copied->copy);
                if (app->config->daemon.backup_dir)
                        drop_old(app->config->daemon.backup_dir);
                app->health.backup_error[0] = '\0';
        } else {
                (void) snprintf(app->health.backup_error, sizeof app->health.backup_error, "%s",
                                strerror(-r));
                log_full(LOG_ERR, &backup_fields,
                         "backup %s could not be made (%s), trying again in an hour", copied->copy,
                         strerror(-r));
        }
        k->next_ms = now + (r < 0 ? BACKUP_RETRY_MS : BACKUP_EVERY_MS);
        drop_job(job);
        app_wake(app);
}

static int keeper_new(App *app) {
        char CLEANUP_FREE *text = NULL;
        Keeper CLEANUP_FREE *k = calloc(1, sizeof *k);
        if (!k)
                return -ENOMEM;
        int r = store_meta_get(app->store, META_BACKUP, &text);
        if (r < 0)
                return r;
        k->next_ms = r == 0 ? strtoll(text, NULL, 10) + BACKUP_EVERY_MS : 0;
        r = worker_new(app->event, on_copied, drop_job, app, &k->worker);
        if (r < 0)
                return r;
        app->keeper = TAKE_PTR(k);
        return 0;
}

static int make_job(const App *app, int64_t now_ms, CopyJob **ret) {
        char at[40];
        CopyJob *k = calloc(1, sizeof *k);
        if (!k)
                return -ENOMEM;
        stamp(at, now_ms);
        k->database = file_join(app->config->daemon.state_dir, "chisod.db");
        if (asprintf(&k->copy, "%s/" NAME_PREFIX "%s" NAME_SUFFIX, app->config->daemon.backup_dir,
                     at) < 0)
                k->copy = NULL;
        if (!k->database || !k->copy) {
                drop_job(k);
                return -ENOMEM;
        }
        *ret = k;
        return 0;
}

static int begin(App *app, int64_t now_ms) {
        CopyJob *job = NULL;
        int r = file_mkdir(app->config->daemon.backup_dir, 0750);
        if (r >= 0)
                r = make_job(app, now_ms, &job);
        if (r >= 0)
                r = worker_start(app->keeper->worker, copy_and_verify, job);
        if (r < 0 && job)
                drop_job(job);
        return r;
}

void keep_run(App *app, int64_t now_ms) {
        if (!app->config->daemon.backup_dir || app->is_once)
                return;
        int r = app->keeper ? 0 : keeper_new(app);
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
        log_full(LOG_ERR, &backup_fields, "no backup can be made (%s), trying again in an hour",
                 strerror(-r));
}

int64_t keep_next(const App *app, int64_t now_ms) {
        const Keeper *k = app->keeper;
        if (!app->config->daemon.backup_dir || app->is_once || (k && worker_is_busy(k->worker)))
                return INT64_MAX;
        return k ? MAX(k->next_ms, now_ms) : now_ms + BACKUP_RETRY_MS;
}

void keep_done(App *app) {
        if (!app->keeper)
                return;
        worker_free(app->keeper->worker);
        free(app->keeper);
}
