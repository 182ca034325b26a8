/* The wall clock. In test builds a file that the test writes holds an offset. The file is read anew
 * at each call by a descriptor that is kept: mapping it was tried and died of SIGBUS whenever a
 * shell's `>` had just truncated it; for the same reason an empty or cut number keeps the offset
 * read before. */
#include "os/clock.h"

#include <time.h>

#ifdef CHISO_TEST_HOOKS
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

static int64_t read_clock_ms(clockid_t id) {
        struct timespec ts;

        /* Cannot fail for the two clocks used here (clock_gettime(2)). */
        (void) clock_gettime(id, &ts);
        return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

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

static int64_t test_offset_ms(void) {
        static int64_t offset_ms;
        const char *path = getenv("CHISO_TEST_CLOCK");
        char text[32], *end;
        ssize_t n;

        if (!path)
                return 0;
        int fd = offset_fd(path);
        if (fd < 0)
                return offset_ms;
        n = pread(fd, text, sizeof text - 1, 0);
        if (n <= 0)
                return offset_ms;
        text[n] = 0;
        long long value = strtoll(text, &end, 10);
        if (end != text && (*end == 0 || *end == '\n'))
                offset_ms = value;
        return offset_ms;
}
#else
static int64_t test_offset_ms(void) {
        return 0;
}
#endif

int64_t clock_now_ms(void) {
        return read_clock_ms(CLOCK_REALTIME) + test_offset_ms();
}

int64_t clock_boot_ms(void) {
        return read_clock_ms(CLOCK_BOOTTIME);
}
