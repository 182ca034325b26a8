/* Crash loops: what a start after unclean ends waits, and that the count survives in the database;
 * what the watchdog calls stuck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/timeutil.h"
#include "flow/life.h"
#include "os/clock.h"

static void test_quiet(void **state) {
        static const struct {
                unsigned n;
                int minutes;
        } rows[] = {{0, 0}, {1, 0}, {2, 0},  {3, 1},  {4, 2},
                    {5, 4}, {6, 8}, {7, 15}, {8, 15}, {1000, 15}};
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(life_quiet_ms(rows[i].n), rows[i].minutes * MS_PER_MINUTE);
}

typedef struct World {
        char dir[64], path[96];
        App app;
} World;

static void world_open(World *w) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        w->app = (App){.boot_started_ms = clock_boot_ms()};
        assert_int_equal(store_open(w->path, &diag, &w->app.store), 0);
}

static void world_die(World *w) {
        store_close(w->app.store);
}

static int setup(void **state) {
        World *w = calloc(1, sizeof *w);
        (void) snprintf(w->dir, sizeof w->dir, "/tmp/test-life-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        (void) snprintf(w->path, sizeof w->path, "%s/chisod.db", w->dir);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        static const char *const names[] = {"", "-wal", "-shm", ".lock"};
        World *w = *state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char path[128];
                (void) snprintf(path, sizeof path, "%s%s", w->path, names[i]);
                (void) unlink(path);
        }
        assert_int_equal(rmdir(w->dir), 0);
        free(w);
        return 0;
}

/* Minutes that the next life waits; it ends uncleanly. */
static int64_t live(World *w) {
        world_open(w);
        life_begin(&w->app);
        int64_t next = life_next(&w->app);
        int64_t minutes = life_is_quiet(&w->app) ? (next + MS_PER_MINUTE - 1) / MS_PER_MINUTE : 0;
        world_die(w);
        return minutes;
}

static void test_count(void **state) {
        static const int want[] = {0, 0, 0, 1, 2, 4, 8, 15, 15};
        World *w = *state;
        for (size_t i = 0; i < ELEMENTSOF(want); i++)
                assert_int_equal(live(w), want[i]);
        world_open(w);
        life_begin(&w->app);
        life_end(&w->app);
        world_die(w);
        assert_int_equal(live(w), 0);
        assert_int_equal(live(w), 0);
        assert_int_equal(live(w), 0);
        assert_int_equal(live(w), 1);
}

/* Ten minutes of work forget the unclean ends; less does not, and neither does the wait itself. */
static void test_healthy(void **state) {
        World *w = *state;
        for (int i = 0; i < 4; i++)
                (void) live(w);
        world_open(w);
        life_begin(&w->app);
        assert_true(life_is_quiet(&w->app));
        w->app.boot_started_ms -= LIFE_HEALTHY_MS;
        life_run(&w->app);
        assert_true(w->app.is_counted);
        w->app.quiet_until_boot_ms = clock_boot_ms();
        life_run(&w->app);
        assert_true(w->app.is_counted);
        w->app.quiet_until_boot_ms -= LIFE_HEALTHY_MS;
        life_run(&w->app);
        assert_false(w->app.is_counted);
        assert_true(life_next(&w->app) == INT64_MAX);
        world_die(w);
        assert_int_equal(live(w), 0);
}

/* --once is a person's and counts nothing. */
static void test_once(void **state) {
        World *w = *state;
        for (int i = 0; i < 6; i++) {
                world_open(w);
                w->app.is_once = true;
                life_begin(&w->app);
                assert_false(life_is_quiet(&w->app));
                world_die(w);
        }
        assert_int_equal(live(w), 0);
}

static void test_stuck(void **state) {
        App app = {0};
        (void) state;
        int64_t now = clock_boot_ms();
        assert_null(life_stuck(&app, now, now));
        app.tick_boot_ms = now - 4 * MS_PER_MINUTE;
        assert_null(life_stuck(&app, now, now));
        app.tick_boot_ms = now - 6 * MS_PER_MINUTE;
        assert_string_equal(life_stuck(&app, now, now), "the tick");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_quiet),
                cmocka_unit_test_setup_teardown(test_count, setup, teardown),
                cmocka_unit_test_setup_teardown(test_healthy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_once, setup, teardown),
                cmocka_unit_test(test_stuck),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
