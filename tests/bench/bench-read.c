/* What an answer costs on the daemon's socket, beside a bare echo on one of the same kind.
 *
 * bench-read SOCKET PATH N [tag|first|until=FILE]
 *   N requests over one kept connection; prints NAME=VALUE: microseconds at p50, p99 and at most,
 *   and the bytes and status of the last answer. tag: with the ETag of a first answer, so that 304
 *   comes. first: with another limit each time, so that no answer was made before. until=FILE: as many as go until FILE is there, one a millisecond.
 * bench-read --echo N
 *   the same requests against a socket whose other end, a process of its own, sends 200 bytes back
 *   for each. It waits in epoll, as every server of several clients must. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"

#define WARM_UP 50u
#define N_MAX 2000000u
#define ECHO_BYTES 200u

typedef struct Asker {
        int fd;
        Buf in;
        char request[1024];
        int status;
        size_t bytes;
        char tag[128];
} Asker;

static double clock_us(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static int connect_to(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
                return -1;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
                return fd;
        (void) close(fd);
        return -1;
}

static int read_more(Asker *a) {
        char block[65536];
        ssize_t n = recv(a->fd, block, sizeof(block), 0);

        if (n <= 0)
                return n < 0 ? -errno : -ECONNRESET;
        return buf_append(&a->in, block, (size_t) n);
}

/* One answer, whole; the daemon always says how long it is. */
static int ask(Asker *a) {
        const char *end = NULL, *length;
        size_t n = strlen(a->request), head;
        int r = 0;

        buf_clear(&a->in);
        if (send(a->fd, a->request, n, MSG_NOSIGNAL) != (ssize_t) n)
                return -EPIPE;
        while (r >= 0 && !(end = a->in.len ? strstr(a->in.data, "\r\n\r\n") : NULL))
                r = read_more(a);
        if (r < 0)
                return r;
        length = strcasestr(a->in.data, "\r\nContent-Length: ");
        head = (size_t) (end - a->in.data) + 4;
        a->bytes = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
        a->status = (int) strtol(a->in.data + 9, NULL, 10);
        while (r >= 0 && a->status != 304 && a->in.len < head + a->bytes)
                r = read_more(a);
        return r;
}

static void request_make(Asker *a, const char *path) {
        (void) snprintf(a->request, sizeof(a->request), "GET %s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n",
                        path, a->tag[0] ? "If-None-Match: " : "", a->tag, a->tag[0] ? "\r\n" : "");
}

static void print_times(double *us, size_t n, const Asker *a) {
        qsort(us, n, sizeof(*us), compare_doubles);
        printf("n=%zu\tp50=%.1f\tp99=%.1f\tmax=%.1f\tstatus=%d\tbytes=%zu\n", n, us[n / 2],
               us[n * 99 / 100], us[n - 1], a->status, a->bytes);
}

/* PATH has a query already. */
static void request_anew(Asker *a, const char *path, size_t i) {
        char other[512];

        (void) snprintf(other, sizeof(other), "%s&limit=%zu", path, 10000 + i);
        request_make(a, other);
}

static int bench(const char *socket_path, const char *path, size_t n, const char *how) {
        Asker a = {.in = BUF_INIT((size_t) 256 << 20), .fd = connect_to(socket_path)};
        const char *until = how && strncmp(how, "until=", 6) == 0 ? how + 6 : NULL;
        bool is_first = how && streq(how, "first");
        CLEANUP_FREE double *us = calloc(N_MAX, sizeof(*us));
        size_t done = 0;
        int r = a.fd < 0 || !us ? -ECONNREFUSED : 0;

        request_make(&a, path);
        if (r >= 0)
                r = ask(&a);
        if (r >= 0 && how && !until && !is_first) {
                const char *tag = strcasestr(a.in.data, "\r\nETag: ");

                if (!tag || sscanf(tag + 8, "%127[^\r]", a.tag) != 1)
                        r = -ENOENT;
                request_make(&a, path);
        }
        for (size_t i = 0; i < (until ? 0 : WARM_UP) && r >= 0; i++)
                r = ask(&a);
        while (r >= 0 && done < N_MAX && (until ? access(until, F_OK) != 0 : done < n)) {
                if (is_first)
                        request_anew(&a, path, done);
                double t0 = clock_us();

                r = ask(&a);
                us[done++] = clock_us() - t0;
                if (until)
                        (void) usleep(1000);
        }
        if (r >= 0 && done > 0)
                print_times(us, done, &a);
        buf_done(&a.in);
        if (a.fd >= 0)
                (void) close(a.fd);
        return r;
}

static void echo_run(int fd) {
        static char block[65536], answer[ECHO_BYTES];
        struct epoll_event e = {.events = EPOLLIN};
        int set = epoll_create1(EPOLL_CLOEXEC);

        if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) < 0)
                _exit(1);
        while (epoll_wait(set, &e, 1, -1) == 1 && recv(fd, block, sizeof(block), 0) > 0)
                if (send(fd, answer, sizeof(answer), MSG_NOSIGNAL) < 0)
                        break;
        _exit(0);
}

static int bench_echo(size_t n) {
        Asker a = {.bytes = ECHO_BYTES, .status = 200};
        CLEANUP_FREE double *us = calloc(n, sizeof(*us));
        static char answer[ECHO_BYTES];
        int fd[2], r = 0;
        pid_t pid;

        if (!us || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
                return -ENOMEM;
        pid = fork();
        if (pid == 0) {
                (void) close(fd[0]);
                echo_run(fd[1]);
        }
        (void) close(fd[1]);
        request_make(&a, "/v1/status");
        for (size_t i = 0; i < n + WARM_UP && r >= 0; i++) {
                double t0 = clock_us();

                if (send(fd[0], a.request, strlen(a.request), MSG_NOSIGNAL) < 0 ||
                    recv(fd[0], answer, sizeof(answer), MSG_WAITALL) != (ssize_t) sizeof(answer))
                        r = -EPIPE;
                if (i >= WARM_UP)
                        us[i - WARM_UP] = clock_us() - t0;
        }
        (void) close(fd[0]);
        (void) waitpid(pid, NULL, 0);
        if (r >= 0)
                print_times(us, n, &a);
        return r;
}

int main(int argc, char **argv) {
        int r = -EINVAL;

        if (argc == 3 && streq(argv[1], "--echo"))
                r = bench_echo(strtoul(argv[2], NULL, 10));
        else if (argc >= 4)
                r = bench(argv[1], argv[2], strtoul(argv[3], NULL, 10), argc > 4 ? argv[4] : NULL);
        if (r < 0)
                (void) fprintf(stderr, "bench-read: %s\n", strerror(-r));
        return r < 0;
}
