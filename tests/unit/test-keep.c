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

#include "base/timeutil.h"
#include "flow/keep.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/figure.h"

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
        w->app.health = (AppHealth){0};
}

static void put(World *w, const char *value) {
        assert_int_equal(store_begin(w->app.store), 0);
        assert_int_equal(store_meta_put(w->app.store, "mark", value), 0);
        assert_int_equal(store_commit(w->app.store), 0);
}

static void step(World *w, int64_t now_ms) {
        StepId id = 0;
        assert_int_equal(store_begin(w->app.store), 0);
        assert_int_equal(store_step(w->app.store, CAUSE_OPERATOR, now_ms, &id), 0);
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
        assert_true(keep_next(&w->app, now_ms) == now_ms + 7 * MS_PER_DAY);
}

/* What a check that found something leaves behind, and the search for a good copy that follows. */
static void search(World *w, int64_t now_ms) {
        (void) snprintf(w->app.health.damage, sizeof w->app.health.damage, "a finding");
        keep_run(&w->app, now_ms);
        assert_true(sd_event_run(w->app.event, 30 * 1000000) > 0);
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
        stop(w);
}

/* The times of the last ones are kept; one that a wrong clock wrote puts nothing off. */
static void test_kept_times(void **state) {
        World *w = *state;
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        backup(w, now);
        stop(w);
        assert_int_equal(start(w), 0);
        keep_run(&w->app, now);
        assert_true(keep_next(&w->app, now) == now + 7 * MS_PER_DAY);
        assert_int_equal(count(w->backups, "chisod-"), 1);
        stop(w);
        assert_int_equal(start(w), 0);
        keep_run(&w->app, now - 400 * MS_PER_DAY);
        assert_true(keep_next(&w->app, now - 400 * MS_PER_DAY) == INT64_MAX);
        assert_true(sd_event_run(w->app.event, 30 * 1000000) > 0);
        assert_int_equal(count(w->backups, "chisod-"), 2);
        stop(w);
}

/* Copies of a clock that was ahead have the last names; what they know decides. */
static void test_names_of_a_wrong_clock(void **state) {
        World *w = *state;
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        for (int i = 0; i < 4; i++) {
                put(w, "ahead");
                backup(w, now + (4000 + 8 * i) * MS_PER_DAY);
        }
        stop(w);
        assert_int_equal(start(w), 0);
        step(w, now);
        put(w, "right");
        backup(w, now);
        assert_int_equal(count(w->backups, "chisod-"), 4);
        stop(w);
        damage(w->path, 0);
        assert_int_equal(start(w), 0);
        assert_mark(w, "right");
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

/* A file that is gone, or cut to nothing, where a copy lies: that was no first start. */
static void test_gone(void **state) {
        World *w = *state;
        assert_int_equal(start(w), 0);
        put(w, "old");
        backup(w, clock_now_ms());
        for (int cut = 0; cut < 2; cut++) {
                put(w, "new");
                stop(w);
                assert_int_equal(cut ? truncate(w->path, 0) : unlink(w->path), 0);
                assert_int_equal(start(w), 0);
                assert_mark(w, "old");
                assert_non_null(strstr(w->app.health.restored, "chisod-"));
        }
        stop(w);
}

/* ---- rot further in ---------------------------------------------------------------------------- */

static void read_file(const char *path, Buf *b) {
        assert_int_equal(file_read(path, (size_t) 16 << 20, b), 0);
}

/* A byte of the body that holds the text, flipped. */
static void flip(const char *path, const char *text, size_t n) {
        CLEANUP(buf_done) Buf b = BUF_INIT((size_t) 16 << 20);
        read_file(path, &b);
        char *found = memmem(b.data, b.len, text, n);
        assert_non_null(found);
        char byte = (char) (found[n - 1] ^ 1);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, &byte, 1, found - b.data + (off_t) n - 1), 1);
        assert_int_equal(close(fd), 0);
}

/* The page of a table's row: its kind is no kind of page. */
static void spoil_page(const char *path, const char *row, size_t n) {
        CLEANUP(buf_done) Buf b = BUF_INIT((size_t) 16 << 20);
        read_file(path, &b);
        char *found = memmem(b.data, b.len, row, n);
        assert_non_null(found);
        off_t page = (found - b.data) & ~(off_t) 4095;
        assert_int_equal(b.data[page], 10); /* a leaf of a table without rowid */
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "\x77", 1, page), 1);
        assert_int_equal(close(fd), 0);
}

static const char body_text[] = "{\"code\":\"OK\",\"data\":[82.71, 95.00, 13.37]}";

static void put_body(World *w, Body *ret) {
        assert_int_equal(body_pack(body_text, sizeof body_text - 1, ret), 0);
        assert_int_equal(store_begin(w->app.store), 0);
        assert_int_equal(store_body_put(w->app.store, ret), 0);
        assert_int_equal(store_commit(w->app.store), 0);
}

static char *mark_path(const World *w) {
        return file_join(w->dir, "chisod.db.rotten");
}

static int loop_result(World *w) {
        int result = 0;
        return sd_event_get_exit_code(w->app.event, &result) >= 0 ? result : -1;
}

/* A loop that has ended is done with: the next life has its own. */
static void next_life(World *w) {
        stop(w);
        sd_event_unref(w->app.event);
        assert_int_equal(sd_event_new(&w->app.event), 0);
}

typedef enum Spoil { SPOIL_BODY, SPOIL_TABLE } Spoil;

static void spoil(const World *w, Spoil how, const Body *body) {
        if (how == SPOIL_BODY)
                flip(w->path, body->packed, body->packed_size);
        else
                spoil_page(w->path, "marknew", 7);
}

/* Looked at again, ended with a mark, restored by the next start. */
static void check_rot(World *w, Spoil how) {
        CLEANUP(body_done) Body body = {0};
        CLEANUP_FREE char *mark = mark_path(w);
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        put(w, "old");
        put_body(w, &body);
        backup(w, now);
        put(w, "new");
        stop(w);
        spoil(w, how, &body);
        assert_int_equal(start(w), 0); /* it opens */
        search(w, now + MS_PER_DAY);
        /* A page that says when the last backup was cannot be read: one is tried meanwhile, in vain. */
        if (how == SPOIL_TABLE && loop_result(w) != KEEP_EXIT)
                assert_true(sd_event_run(w->app.event, 30 * 1000000) > 0);
        assert_int_equal(loop_result(w), KEEP_EXIT);
        assert_int_equal(access(mark, F_OK), 0);
        next_life(w);
        assert_int_equal(start(w), 0);
        assert_mark(w, "old");
        assert_string_not_equal(w->app.health.restored, "");
        assert_true(count(w->dir, "chisod.db.damaged-") >= 1); /* with its WAL, if it has one */
        assert_int_equal(access(mark, F_OK), -1);
        assert_int_equal(store_verify(w->app.reader, NULL), 0);
        stop(w);
}

static void test_rot_in_body(void **state) {
        check_rot(*state, SPOIL_BODY);
}

static void test_rot_in_table(void **state) {
        check_rot(*state, SPOIL_TABLE);
}

/* Nothing to restore from: it goes on, and does not search for ever. */
static void test_rot_without_copy(void **state) {
        World *w = *state;
        CLEANUP(body_done) Body body = {0};
        CLEANUP_FREE char *mark = mark_path(w), *remove = NULL;
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        put_body(w, &body);
        backup(w, now);
        stop(w);
        assert_true(asprintf(&remove, "rm %s/*", w->backups) > 0);
        assert_int_equal(system(remove), 0);
        flip(w->path, body.packed, body.packed_size);
        assert_int_equal(start(w), 0);
        search(w, now);
        assert_int_equal(loop_result(w), -1);
        assert_int_equal(access(mark, F_OK), -1);
        keep_run(&w->app, now);
        assert_int_equal(sd_event_run(w->app.event, 0), 0); /* nothing is under way */
        stop(w);
        /* a mark without a copy, too: what opens is opened */
        assert_int_equal(file_replace(mark, "", 0, 0640), 0);
        assert_int_equal(start(w), 0);
        assert_int_equal(count(w->dir, "damaged"), 0);
        stop(w);
}

/* An I/O error looked like rot: the second look finds nothing, and nothing ends. */
static void test_false_alarm(void **state) {
        World *w = *state;
        CLEANUP_FREE char *mark = mark_path(w);
        int64_t now = clock_now_ms();
        assert_int_equal(start(w), 0);
        backup(w, now);
        search(w, now);
        assert_int_equal(loop_result(w), -1);
        assert_int_equal(access(mark, F_OK), -1);
        stop(w);
}

/* Mended by hand after the mark was left: nothing is set aside. */
static void test_mark_of_a_whole_file(void **state) {
        World *w = *state;
        CLEANUP_FREE char *mark = mark_path(w);
        assert_int_equal(start(w), 0);
        put(w, "old");
        backup(w, clock_now_ms());
        put(w, "new");
        stop(w);
        assert_int_equal(file_replace(mark, "", 0, 0640), 0);
        assert_int_equal(start(w), 0);
        assert_mark(w, "new");
        assert_int_equal(access(mark, F_OK), -1);
        assert_int_equal(count(w->dir, "damaged"), 0);
        stop(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_weekly, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kept_times, setup, teardown),
                cmocka_unit_test_setup_teardown(test_names_of_a_wrong_clock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rot_in_body, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rot_in_table, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rot_without_copy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mark_of_a_whole_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_false_alarm, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_wanted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_folder_fails, setup, teardown),
                cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
