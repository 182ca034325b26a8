/* Work beside the loop: handed back when it is done, freed by its thread when it was left behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/worker.h"

typedef struct Job {
        int begin[2], end[2]; /* pipes: go on; dropped */
} Job;

typedef struct World {
        sd_event *event;
        void *job;
        int result;
        unsigned n;
} World;

static int work(void *job) {
        const Job *j = job;
        char c;
        return read(j->begin[0], &c, 1) == 1 ? c : -EIO;
}

static void drop(void *job) {
        const Job *j = job;
        assert_int_equal(write(j->end[1], "x", 1), 1);
}

static void done(void *userdata, void *job, int result) {
        World *w = userdata;
        w->job = job;
        w->result = result;
        w->n++;
}

static void test_done(void **state) {
        World w = {0};
        Job j;
        Worker CLEANUP(worker_freep) *worker = NULL;
        (void) state;
        assert_int_equal(pipe(j.begin) + pipe(j.end), 0);
        assert_int_equal(sd_event_new(&w.event), 0);
        assert_int_equal(worker_new(w.event, done, drop, &w, &worker), 0);
        for (unsigned i = 1; i <= 2; i++) {
                assert_false(worker_is_busy(worker));
                assert_int_equal(worker_start(worker, work, &j), 0);
                assert_true(worker_is_busy(worker));
                assert_int_equal(worker_start(worker, work, &j), -EBUSY);
                assert_int_equal(write(j.begin[1], &(char){(char) i}, 1), 1);
                assert_true(sd_event_run(w.event, 30 * 1000000) > 0);
                assert_int_equal(w.n, i);
                assert_int_equal(w.result, i);
                assert_ptr_equal(w.job, &j);
        }
        sd_event_unref(w.event);
        for (int i = 0; i < 2; i++) {
                (void) close(j.begin[i]);
                (void) close(j.end[i]);
        }
}

static void test_left_behind(void **state) {
        World w = {0};
        Job j;
        Worker *worker = NULL;
        char c;
        (void) state;
        assert_int_equal(pipe(j.begin) + pipe(j.end), 0);
        assert_int_equal(sd_event_new(&w.event), 0);
        assert_int_equal(worker_new(w.event, done, drop, &w, &worker), 0);
        assert_int_equal(worker_start(worker, work, &j), 0);
        worker_free(worker);
        assert_int_equal(write(j.begin[1], "x", 1), 1);
        assert_int_equal(read(j.end[0], &c, 1), 1); /* dropped by the thread */
        assert_int_equal(w.n, 0);
        sd_event_unref(w.event);
        for (int i = 0; i < 2; i++) {
                (void) close(j.begin[i]);
                (void) close(j.end[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_done),
                cmocka_unit_test(test_left_behind),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
