/* Backups in a thread, and what takes the place of a damaged file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/keep.h"
#include "base/timeutil.h"
#include "os/clock.h"
#include "os/file.h"

typedef struct World {
        char dir[64], path[96], backups[96];
        Config config;
        App app;
} World;

static int setup(void **state) {
        World *w = calloc(1, sizeof *w);
        (void) snprintf(w->dir, sizeof w->dir, "/tmp/test-keep-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        (void) snprintf(w->path, sizeof w->path, "%s/chisod.db", w->dir);
        (void) snprintf(w->backups, sizeof w->backups, "%s/backup", w->dir);
        w->config.daemon.state_dir = w->dir;
        w->config.daemon.backup_dir = w->backups;
        w->config.daemon.language = "en";
        w->app.config = &w->config;
        assert_int_equal(sd_event_new(&w->app.event), 0);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        World *w = *state;
        char command[160];
        sd_event_unref(w->app.event);
        (void) snprintf(command, sizeof command, "rm -rf %s", w->dir);
        assert_int_equal(system(command), 0);
        free(w);
        return 0;
}

static int start(World *w) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        return keep_open(&w->app, &diag);
}

static void stop(World *w) {
        keep_done(&w->app);
        w->app.keeper = NULL;
        store_close(w->app.reader);
        store_close(w->app.store);
        w->app.reader = w->app.store = NULL;
}

static void put(World *w, const char *value) {
        assert_int_equal(store_begin(w->app.store), 0);
        assert_int_equal(store_meta_put(w->app.store, "mark", value), 0);
        assert_int_equal(store_commit(w->app.store), 0);
}

static void assert_mark(World *w, const char *value) {
        char CLEANUP_FREE *text = NULL;
        assert_int_equal(store_meta_get(w->app.store, "mark", &text), 0);
        assert_string_equal(text, value);
}

/* Files of the folder whose names hold the text. */
static size_t count(const char *dir, const char *text) {
        DIR *d = opendir(dir);
        size_t n = 0;
        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));)
                n += strstr(e->d_name, text) != NULL;
        (void) closedir(d);
        return n;
}

static void backup(World *w, int64_t now_ms) {
        keep_run(&w->app, now_ms);
        assert_non_null(w->app.keeper);
        assert_true(keep_next(&w->app, now_ms) == INT64_MAX);
        assert_true(sd_event_run(w->app.event, 30 * 1000000) > 0);
        assert_string_equal(w->app.health.backup_error, "");
}

static void damage(const char *path, off_t at) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "rotten", 6, at), 6);
        assert_int_equal(close(fd), 0);
}

static void test_weekly(void **state) {
        World *w = *state;
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        for (int i = 0; i < 6; i++)
                backup(w, now + i * MS_PER_SECOND + i * 8 * MS_PER_DAY);
        assert_int_equal(count(w->backups, "chisod-"), 4);
        assert_int_equal(count(w->backups, ".part"), 0);
        /* The time of the last one is kept, by the daemon's clock. */
        stop(w);
        assert_int_equal(start(w), 0);
        keep_run(&w->app, now);
        int64_t next = keep_next(&w->app, now);
        assert_true(next > now + 6 * MS_PER_DAY && next < now + 8 * MS_PER_DAY);
        assert_int_equal(count(w->backups, "chisod-"), 4);
        stop(w);
}

static void test_not_wanted(void **state) {
        World *w = *state;
        w->config.daemon.backup_dir = NULL;
        assert_int_equal(start(w), 0);
        keep_run(&w->app, clock_now_ms());
        assert_null(w->app.keeper);
        assert_true(keep_next(&w->app, clock_now_ms()) == INT64_MAX);
        stop(w);
        damage(w->path, 0);
        assert_int_equal(start(w), -EBADMSG);
        assert_int_equal(count(w->dir, "damaged"), 0);
}

static void test_folder_fails(void **state) {
        World *w = *state;
        w->config.daemon.backup_dir = "/dev/null/backup";
        assert_int_equal(start(w), 0);
        int64_t now = clock_now_ms();
        keep_run(&w->app, now);
        assert_string_not_equal(w->app.health.backup_error, "");
        assert_true(keep_next(&w->app, now) == now + MS_PER_HOUR);
        stop(w);
}

static void test_restore(void **state) {
        World *w = *state;
        int64_t now = clock_now_ms();
        char newest[300];
        assert_int_equal(start(w), 0);
        put(w, "old");
        backup(w, now);
        put(w, "new");
        stop(w);
        (void) snprintf(newest, sizeof newest, "cp %s/chisod-*.db %s/chisod-99990101T000000.db",
                        w->backups, w->backups);
        assert_int_equal(system(newest), 0);
        (void) snprintf(newest, sizeof newest, "%s/chisod-99990101T000000.db", w->backups);
        damage(newest, 0);
        damage(w->path, 0);
        assert_int_equal(start(w), 0);
        assert_mark(w, "old");
        assert_int_equal(count(w->dir, "chisod.db.damaged-"), 1);
        stop(w);
        /* With no copy that is whole, nothing is touched. */
        (void) snprintf(newest, sizeof newest, "rm %s/chisod-2*", w->backups);
        assert_int_equal(system(newest), 0);
        damage(w->path, 0);
        assert_int_equal(start(w), -EBADMSG);
        assert_int_equal(count(w->dir, "chisod.db.damaged-"), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_weekly, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_wanted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_folder_fails, setup, teardown),
                cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
