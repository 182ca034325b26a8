/* Opening, and the newest good copy in the place of a file that has rotted or is gone.
 *
 * A file whose header or schema is damaged shows at once. Rot further in is found by the daily check
 * of keep.c, which leaves a mark and ends the daemon; the next start, which nobody has asked
 * anything yet, looks again and restores. The mark goes away last: killed anywhere in between, the
 * start after it does the same again. */
#include "flow/keep-private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timeutil.h"
#include "os/clock.h"
#include "os/file.h"

const LogFields keep_fields = {.message_id = LOG_ID_BACKUP};

void keep_stamp(char text[static 40], int64_t now_ms) {
        char full[40];
        size_t n = 0;
        (void) instant_format(full, now_ms);
        for (const char *p = full; *p && p < full + 19; p++)
                if (*p != '-' && *p != ':')
                        text[n++] = *p;
        text[n] = '\0';
}

char *keep_mark(const App *app) {
        return file_join(app->config->daemon.state_dir, "chisod.db.rotten");
}

/* ---- copies ---------------------------------------------------------------------------------- */

void keep_copies_free(KeepCopy *copies, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(copies[i].path);
        free(copies);
}

static int by_step(const void *a, const void *b) {
        const KeepCopy *x = a, *y = b;
        if (x->step != y->step)
                return x->step > y->step ? -1 : 1;
        return strcmp(y->path, x->path);
}

/* False for a copy that a newer version made: it is not ours to judge. */
static bool read_copy(KeepCopy *copy) {
        Store CLEANUP(store_closep) *store = NULL;
        int64_t at_ms;
        int r = store_open_reader(copy->path, NULL, &store);
        copy->step = -1;
        if (r == 0 && store_step_last(store, &copy->step, &at_ms) != 0)
                copy->step = -1;
        return r != STORE_E_NEWER;
}

int keep_copies(const char *dir, KeepCopy **ret, size_t *ret_n) {
        char **names = NULL;
        size_t n = 0, n_copies = 0;
        int r = file_list(dir, KEEP_SUFFIX, &names, &n);
        KeepCopy *copies = r >= 0 ? calloc(n + 1, sizeof *copies) : NULL;
        if (r >= 0 && !copies)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                KeepCopy *copy = copies + n_copies;
                if (strncmp(names[i], KEEP_PREFIX, strlen(KEEP_PREFIX)) != 0)
                        continue;
                copy->path = file_join(dir, names[i]);
                if (!copy->path)
                        r = -ENOMEM;
                else if (read_copy(copy))
                        n_copies++;
                else
                        free(TAKE_PTR(copy->path));
        }
        file_names_free(names, n);
        if (r < 0) {
                keep_copies_free(copies, n_copies);
                return r;
        }
        qsort(copies, n_copies, sizeof *copies, by_step);
        *ret = copies;
        *ret_n = n_copies;
        return 0;
}

static int verify_once(const char *path) {
        Store CLEANUP(store_closep) *store = NULL;
        int r = store_open_reader(path, NULL, &store);
        if (r == 0)
                r = store_verify(store, NULL);
        return r;
}

int keep_verify(const char *path) {
        int r = verify_once(path);
        return r == -EBADMSG ? verify_once(path) : r;
}

/* ---- restoring ------------------------------------------------------------------------------- */

static int set_aside(const char *path, int64_t now_ms) {
        static const char *const suffixes[] = {"-wal", "-shm", ""};
        char at[40];
        keep_stamp(at, now_ms);
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
                log_full(LOG_WARNING, &keep_fields,
                         "%s: cannot be used (%s), looking for an older one", backup,
                         r < 0 ? strerror(-r) : "not of this version");
                return -EBADMSG; /* whatever is wrong with it, an older one may do */
        }
        r = set_aside(path, now_ms);
        return r < 0 ? r : store_backup(copy, path);
}

static int restore_newest(App *app, const char *path, int64_t now_ms) {
        const char *dir = app->config->daemon.backup_dir;
        KeepCopy *copies = NULL;
        size_t n = 0;
        int r = dir ? keep_copies(dir, &copies, &n) : 0, found = -EBADMSG;
        for (size_t i = 0; r >= 0 && found == -EBADMSG && i < n; i++) {
                found = restore_one(copies[i].path, path, now_ms);
                if (found != 0)
                        continue;
                log_full(LOG_ERR, &keep_fields,
                         "%s was damaged or gone: set aside, and %s put in its place", path,
                         copies[i].path);
                (void) snprintf(app->health.restored, sizeof app->health.restored, "%s",
                                copies[i].path);
        }
        keep_copies_free(copies, n);
        return r < 0 ? r : found;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_writer(App *app, const char *path, Diag *diag) {
        int r = store_open(path, diag, &app->store);
        return r == -EBADMSG ? store_open(path, diag, &app->store) : r;
}

/* Rot was found in the last life: true when it is still there. The file may have been mended by hand. */
static bool is_rotten(const char *path, const char *mark) {
        if (access(mark, F_OK) < 0)
                return false;
        bool is_bad = keep_verify(path) == -EBADMSG;
        if (!is_bad) {
                log_full(LOG_WARNING, &keep_fields, "%s passes every check again, going on with it",
                         path);
                (void) unlink(mark);
        }
        return is_bad;
}

/* Not there, or cut to nothing: where copies lie, that is a loss and no first start. */
static bool is_gone(const char *path) {
        struct stat st;
        return stat(path, &st) < 0 ? errno == ENOENT : st.st_size == 0;
}

static int open_or_restore(App *app, const char *path, const char *mark, Diag *diag) {
        if (!app->is_once && is_gone(path)) {
                /* No copy, none that is good, or a folder that cannot be read: this is a first start. */
                if (restore_newest(app, path, clock_now_ms()) == -ENOMEM)
                        return -ENOMEM;
        }
        int r = open_writer(app, path, diag);
        if (app->is_once || (r != -EBADMSG && r != 0))
                return r;
        if (r == 0 && !is_rotten(path, mark))
                return 0;
        if (app->store) {
                store_close(app->store);
                app->store = NULL;
        }
        int restored = restore_newest(app, path, clock_now_ms());
        if (restored == 0)
                (void) unlink(mark);
        else
                app->health.is_unrestored = true;
        /* A file that opens is of more use than none, even with rot in it. */
        return restored == 0 || r == 0 ? open_writer(app, path, diag) : restored;
}

int keep_open(App *app, Diag *diag) {
        char CLEANUP_FREE *path = file_join(app->config->daemon.state_dir, "chisod.db");
        char CLEANUP_FREE *mark = keep_mark(app);
        if (!path || !mark)
                return -ENOMEM;
        int r = file_mkdir(app->config->daemon.state_dir, 0750);
        if (r < 0)
                diag_error(diag, app->config->daemon.state_dir, 0, NULL,
                           "the folder cannot be made: %s", strerror(-r));
        if (r >= 0)
                r = open_or_restore(app, path, mark, diag);
        if (r == 0)
                r = store_open_reader(path, diag, &app->reader);
        if (r < 0 && diag->n_errors == 0)
                diag_error(diag, path, 0, NULL, "the database cannot be opened: %s", strerror(-r));
        return r;
}

int keep_give_up(App *app) {
        char CLEANUP_FREE *mark = keep_mark(app);
        if (!app->config->daemon.backup_dir || app->health.is_unrestored || app->is_once)
                return -EBADMSG;
        int r = mark ? file_replace(mark, "", 0, 0640) : -ENOMEM;
        if (r >= 0)
                log_full(LOG_ERR, &keep_fields,
                         "the database is damaged, the next start looks for a good backup");
        return r;
}
