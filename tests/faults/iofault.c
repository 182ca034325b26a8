/* iofault.so: LD_PRELOAD I/O faults on the files below one folder, steered from outside while the
 * program runs.
 *
 *   IOFAULT_DIR=FOLDER    absolute; only files whose name begins with it
 *   IOFAULT_PLAN=FILE     the plan below, mapped: whoever writes it steers at once, without a signal
 *
 * Without both nothing is touched. The plan is six native 64-bit integers (tests/faults/iofault.py
 * has them by name):
 *
 *   seen    matching calls so far; written here, set to 0 by who begins anew
 *   at      the first call that fails, from 1; 0 = none
 *   length  how many calls fail from there on
 *   error   the errno that they give; -1 = a write is cut to half its bytes; -2 and -3 = the process
 *           is killed just before, or just after, the call
 *   ops     which calls match: 1 open, 2 read, 4 write, 8 sync, 16 truncate, 32 unlink, 64 rename
 *   failed  calls that were made to fail
 *
 * For the program alone (`env LD_PRELOAD=...`), never for a shell around it. A program with
 * AddressSanitizer needs ASAN_OPTIONS=verify_asan_link_order=0. What is written through mmap
 * (SQLite's -shm) passes unseen. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
        OP_OPEN = 1,
        OP_READ = 2,
        OP_WRITE = 4,
        OP_SYNC = 8,
        OP_TRUNCATE = 16,
        OP_UNLINK = 32,
        OP_RENAME = 64
};
#define CUT (-1)
#define KILL_BEFORE (-2)
#define KILL_AFTER (-3)
#define FD_MAX 4096

typedef struct Plan {
        _Atomic int64_t seen, at, length, error, ops, failed;
} Plan;

static Plan *plan;
static const char *folder;
static size_t folder_length;
static _Atomic bool is_watched[FD_MAX];
static _Thread_local bool is_dying; /* as soon as the call under way is back */

#define REAL(name) ((__typeof__(&(name))) dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void setup(void) {
        const char *path = getenv("IOFAULT_PLAN");
        void *p;
        int fd;

        folder = getenv("IOFAULT_DIR");
        if (!folder || !path)
                return;
        folder_length = strlen(folder);
        fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return;
        p = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        plan = p == MAP_FAILED ? NULL : p;
        (void) REAL(close)(fd);
}

static bool is_below(const char *path) {
        return plan && path && strncmp(path, folder, folder_length) == 0 &&
               (path[folder_length] == '/' || path[folder_length] == '\0');
}

static bool is_ours(int fd) {
        return plan && fd >= 0 && fd < FD_MAX && is_watched[fd];
}

/* 0: the call goes through; CUT; or the errno, set. */
static int fault(int op) {
        int64_t n, at = plan->at;

        if (!(plan->ops & op))
                return 0;
        n = atomic_fetch_add(&plan->seen, 1) + 1;
        if (at == 0 || n < at || n - at >= plan->length)
                return 0;
        if (plan->error == CUT && op != OP_WRITE)
                return 0;
        (void) atomic_fetch_add(&plan->failed, 1);
        if (plan->error == CUT)
                return CUT;
        if (plan->error == KILL_BEFORE)
                (void) kill(getpid(), SIGKILL);
        if (plan->error == KILL_AFTER) {
                is_dying = true;
                return 0;
        }
        errno = (int) plan->error;
        return errno;
}

/* A call that goes through. */
#define GO(call)                                                                                   \
        ({                                                                                         \
                __typeof__(call) result_ = (call);                                                 \
                if (is_dying)                                                                      \
                        (void) kill(getpid(), SIGKILL);                                            \
                result_;                                                                           \
        })

static int note_open(int fd, const char *path) {
        if (fd >= 0 && fd < FD_MAX)
                is_watched[fd] = is_below(path);
        return fd;
}

#define OPEN_MODE(flags)                                                                           \
        ({                                                                                         \
                mode_t mode_ = 0;                                                                  \
                if ((flags) & (O_CREAT | __O_TMPFILE)) {                                           \
                        va_list list_;                                                             \
                        va_start(list_, flags);                                                    \
                        mode_ = va_arg(list_, mode_t);                                             \
                        va_end(list_);                                                             \
                }                                                                                  \
                mode_;                                                                             \
        })

int open(const char *path, int flags, ...) {
        mode_t mode = OPEN_MODE(flags);

        if (is_below(path) && fault(OP_OPEN))
                return -1;
        return note_open(GO(REAL(open)(path, flags, mode)), path);
}

int open64(const char *path, int flags, ...) {
        mode_t mode = OPEN_MODE(flags);

        if (is_below(path) && fault(OP_OPEN))
                return -1;
        return note_open(GO(REAL(open64)(path, flags, mode)), path);
}

int close(int fd) {
        if (fd >= 0 && fd < FD_MAX)
                is_watched[fd] = false;
        return REAL(close)(fd);
}

static ssize_t cut_or(int fd, int op, size_t *n) {
        int f = is_ours(fd) ? fault(op) : 0;

        if (f == CUT)
                *n = *n > 1 ? *n / 2 : *n;
        return f > 0 ? -1 : 0;
}

#define WRITER(name, arguments, ...)                                                               \
        ssize_t name arguments {                                                                   \
                return cut_or(fd, OP_WRITE, &n) < 0 ? -1                                           \
                                                    : GO(REAL(name)(fd, data, n, ##__VA_ARGS__));  \
        }
#define READER(name, arguments, ...)                                                               \
        ssize_t name arguments {                                                                   \
                return cut_or(fd, OP_READ, &n) < 0 ? -1                                            \
                                                   : GO(REAL(name)(fd, data, n, ##__VA_ARGS__));   \
        }
WRITER(write, (int fd, const void *data, size_t n))
WRITER(pwrite, (int fd, const void *data, size_t n, off_t at), at)
WRITER(pwrite64, (int fd, const void *data, size_t n, off64_t at), at)
READER(read, (int fd, void *data, size_t n))
READER(pread, (int fd, void *data, size_t n, off_t at), at)
READER(pread64, (int fd, void *data, size_t n, off64_t at), at)

int fsync(int fd) {
        return is_ours(fd) && fault(OP_SYNC) ? -1 : GO(REAL(fsync)(fd));
}

int fdatasync(int fd) {
        return is_ours(fd) && fault(OP_SYNC) ? -1 : GO(REAL(fdatasync)(fd));
}

int ftruncate(int fd, off_t size) {
        return is_ours(fd) && fault(OP_TRUNCATE) ? -1 : GO(REAL(ftruncate)(fd, size));
}

int ftruncate64(int fd, off64_t size) {
        return is_ours(fd) && fault(OP_TRUNCATE) ? -1 : GO(REAL(ftruncate64)(fd, size));
}

int unlink(const char *path) {
        return is_below(path) && fault(OP_UNLINK) ? -1 : GO(REAL(unlink)(path));
}

int rename(const char *from, const char *to) {
        return is_below(from) && fault(OP_RENAME) ? -1 : GO(REAL(rename)(from, to));
}
