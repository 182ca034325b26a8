/* The clocks. In test builds a file that the test writes holds up to three offsets, of the wall clock, of
 * the time since boot and of the time awake. The file is read anew at each call by a descriptor that is kept: mapping it
 * was tried and died of SIGBUS whenever a shell's `>` had just truncated it; for the same reason an
 * empty or cut number keeps the offsets read before. */
#include "os/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#ifdef CHISO_TEST_HOOKS
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#endif

static int64_t read_clock_ms(clockid_t id) {
        struct timespec ts;

        /* Cannot fail for the two clocks used here (clock_gettime(2)). */
        (void) clock_gettime(id, &ts);
        return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

typedef struct Offsets {
        int64_t wall_ms, boot_ms, awake_ms;
} Offsets;

#ifdef CHISO_TEST_HOOKS
/* The file may be made later than the process, and may be replaced by renaming. */
static int offset_fd(const char *path) {
        static int fd = -1;
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
                return fd;
        if (fd >= 0)
                (void) close(fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd;
}

static Offsets test_offsets(void) {
        static Offsets offsets;
        const char *path = getenv("CHISO_TEST_CLOCK");
        char text[96], *end;
        ssize_t n;

        if (!path)
                return (Offsets){0};
        int fd = offset_fd(path);
        if (fd < 0)
                return offsets;
        n = pread(fd, text, sizeof text - 1, 0);
        if (n <= 0)
                return offsets;
        text[n] = 0;
        long long wall = strtoll(text, &end, 10);
        long long boot = *end == ' ' ? strtoll(end, &end, 10) : 0;
        long long awake = *end == ' ' ? strtoll(end, &end, 10) : 0;
        if (end != text && (*end == 0 || *end == '\n'))
                offsets = (Offsets){wall, boot, awake};
        return offsets;
}

static int test_watch(void) {
        const char *path = getenv("CHISO_TEST_CLOCK");
        if (!path || !getenv("CHISO_TEST_CLOCK_WAKES"))
                return -ENOENT;
        int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0 || inotify_add_watch(fd, path, IN_CLOSE_WRITE) >= 0)
                return fd < 0 ? -errno : fd;
        int r = -errno;
        (void) close(fd);
        return r;
}
#else
static Offsets test_offsets(void) {
        return (Offsets){0};
}

static int test_watch(void) {
        return -ENOENT;
}
#endif

int64_t clock_now_ms(void) {
        return read_clock_ms(CLOCK_REALTIME) + test_offsets().wall_ms;
}

int64_t clock_boot_ms(void) {
        return read_clock_ms(CLOCK_BOOTTIME) + test_offsets().boot_ms;
}

int64_t clock_awake_ms(void) {
        return read_clock_ms(CLOCK_MONOTONIC) + test_offsets().awake_ms;
}

/* A timer that never ends, but is cancelled by whoever sets the clock, and by the kernel after a
 * suspend. */
int clock_watch(void) {
        int fd = test_watch();
        if (fd != -ENOENT)
                return fd;
        fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        struct itimerspec far = {.it_value.tv_sec = INT64_MAX / 4};
        if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) == 0)
                return fd;
        int r = -errno;
        (void) close(fd);
        return r;
}

bool clock_was_set(int fd) {
        char events[512]; /* of inotify, in tests; of the timer, an error */
        ssize_t n = read(fd, events, sizeof events);
        return n > 0 || (n < 0 && errno == ECANCELED);
}
