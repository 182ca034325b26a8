#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/file.h"

#define PEER_DEADLINE_MS 30000

static int read_ready(int fd) {
        char line[256] = "";
        size_t n = 0;
        int64_t until = clock_boot_ms() + PEER_DEADLINE_MS;
        int port;

        while (n < sizeof line - 1 && !strchr(line, '\n')) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                int64_t left = until - clock_boot_ms();
                if (left <= 0 || poll(&p, 1, (int) left) <= 0)
                        break;
                ssize_t got = read(fd, line + n, sizeof line - 1 - n);
                if (got <= 0)
                        break;
                n += (size_t) got;
        }
        if (strncmp(line, "ready ", 6) != 0)
                fail_msg("peer said: %s", line);
        port = (int) strtol(line + 6, NULL, 10);
        assert_true(port > 0);
        return port;
}

Peer peer_start(const char *const *argv) {
        CLEANUP_FREE char *path = file_join(CHISO_SOURCE_DIR "/tests/peers", argv[0]);
        posix_spawn_file_actions_t actions;
        int out[2];
        pid_t pid;

        assert_int_equal(setenv("PEER_DIES_WITH_PARENT", "1", 1), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO), 0);
        assert_int_equal(
                posix_spawn(&pid, path, &actions, NULL, (char *const *) (uintptr_t) argv, environ),
                0);
        (void) posix_spawn_file_actions_destroy(&actions);
        (void) close(out[1]);
        Peer p = {.pid = (int) pid, .out = out[0]};
        p.port = read_ready(p.out);
        return p;
}

void peer_stop(Peer *p) {
        if (p->pid <= 0)
                return;
        (void) kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        (void) close(p->out);
        p->pid = 0;
}

void peer_folder(char path[static 64]) {
        (void) snprintf(path, 64, "/tmp/chiso-test-XXXXXX");
        assert_non_null(mkdtemp(path));
}

void peer_folder_remove(const char *path) {
        char command[128];

        (void) snprintf(command, sizeof command, "rm -rf -- %s", path);
        assert_int_equal(system(command), 0);
}

void peer_write(const char *folder, const char *name, const char *text) {
        CLEANUP_FREE char *path = file_join(folder, name);
        assert_int_equal(file_replace(path, text, strlen(text), 0644), 0);
}

char *peer_read(const char *folder, const char *name) {
        CLEANUP_FREE char *path = file_join(folder, name);
        Buf b = BUF_INIT(BUF_MAX_TEXT);
        int64_t until = clock_boot_ms() + PEER_DEADLINE_MS;
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), r;

        assert_true(fd >= 0);
        assert_true(inotify_add_watch(fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE) >= 0);
        while ((r = file_read(path, BUF_MAX_TEXT, &b)) == -ENOENT) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                char events[4096];
                int64_t left = until - clock_boot_ms();
                if (left <= 0 || poll(&p, 1, (int) left) <= 0)
                        fail_msg("%s did not appear", path);
                (void) !read(fd, events, sizeof events);
        }
        assert_int_equal(r, 0);
        (void) close(fd);
        return buf_take(&b);
}

void loop_until(sd_event *event, const int *flag, int n) {
        int64_t until = clock_boot_ms() + PEER_DEADLINE_MS;

        while (*flag < n) {
                int64_t left = until - clock_boot_ms();
                if (left <= 0)
                        fail_msg("nothing happened for %d s", PEER_DEADLINE_MS / 1000);
                assert_true(sd_event_run(event, (uint64_t) left * 1000) >= 0);
        }
}
