/* One detached thread, and an eventfd by which it says that it is done. Loop and thread hold the
 * Worker together; whoever lets go last frees it. */
#include "flow/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Worker {
        void (*done)(void *userdata, void *job, int result);
        void (*drop)(void *job);
        void *userdata;
        int (*work)(void *job);
        void *job;
        int fd;
        sd_event_source *source;
        bool is_busy;         /* the loop's */
        int result;           /* of the thread */
        atomic_int n_holders; /* loop and thread */
};

static void release(Worker *w) {
        if (atomic_fetch_sub(&w->n_holders, 1) > 1)
                return;
        if (w->job)
                w->drop(w->job);
        (void) close(w->fd);
        free(w);
}

static void *run(void *userdata) {
        Worker *w = userdata;
        uint64_t one = 1;
        w->result = w->work(w->job);
        (void) !write(w->fd, &one, sizeof one);
        release(w);
        return NULL;
}

static int on_done(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Worker *w = userdata;
        uint64_t n;
        (void) s;
        (void) revents;
        if (read(fd, &n, sizeof n) < 0)
                return 0;
        w->is_busy = false;
        w->done(w->userdata, TAKE_PTR(w->job), w->result);
        return 0;
}

int worker_new(sd_event *event, void (*done)(void *userdata, void *job, int result),
               void (*drop)(void *job), void *userdata, Worker **ret) {
        Worker *w = calloc(1, sizeof *w);
        if (!w)
                return -ENOMEM;
        *w = (Worker){.done = done, .drop = drop, .userdata = userdata, .n_holders = 1};
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        int r = w->fd < 0 ? -errno : sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_done, w);
        if (r < 0) {
                if (w->fd >= 0)
                        (void) close(w->fd);
                free(w);
                return r;
        }
        *ret = w;
        return 0;
}

int worker_start(Worker *w, int (*work)(void *job), void *job) {
        pthread_t thread;
        if (w->is_busy)
                return -EBUSY;
        w->work = work;
        w->job = job;
        atomic_fetch_add(&w->n_holders, 1);
        int r = -pthread_create(&thread, NULL, run, w);
        if (r < 0) {
                w->job = NULL;
                atomic_fetch_sub(&w->n_holders, 1);
                return r;
        }
        (void) pthread_detach(thread);
        w->is_busy = true;
        return 0;
}

bool worker_is_busy(const Worker *w) {
        return w && w->is_busy;
}

void worker_free(Worker *w) {
        if (!w)
                return;
        sd_event_source_disable_unref(w->source);
        w->source = NULL;
        release(w);
}
