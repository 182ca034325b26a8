/* Files. Reading is bounded by bytes read and not by st_size (which is 0 for /proc and may grow
 * while we read), and opens without blocking, so that a fifo in a drop folder does not stop the
 * loop. */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILE_MAX_NAMES ((size_t) 65536)

static void closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static int open_regular(const char *path) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                r = -errno;
        else if (!S_ISREG(st.st_mode))
                r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        if (r == 0)
                return fd;
        (void) close(fd);
        return r;
}

static int read_bounded(int fd, size_t max, Buf *b) {
        char chunk[16384];
        size_t total = 0;

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof chunk);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                if ((size_t) n > max - total)
                        return -EFBIG;
                int r = buf_append(b, chunk, (size_t) n);
                if (r < 0)
                        return r == -E2BIG ? -EFBIG : r;
                total += (size_t) n;
        }
}

int file_read(const char *path, size_t max, Buf *b) {
        CLEANUP(closep) int fd = open_regular(path);
        size_t before = b->len;

        if (fd < 0)
                return fd;
        int r = read_bounded(fd, max, b);
        if (r < 0 && b->data) {
                b->len = before;
                b->data[before] = 0;
        }
        return r;
}

static int write_all(int fd, const char *data, size_t n) {
        while (n > 0) {
                ssize_t w = write(fd, data, n);
                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        return -errno;
                data += w;
                n -= (size_t) w;
        }
        return 0;
}

/* The rename is durable only when the folder is. */
static int sync_parent(const char *path) {
        char dir[PATH_MAX] = ".";
        const char *slash = strrchr(path, '/');

        if (slash) {
                size_t n = MAX((size_t) (slash - path), (size_t) 1);
                if (n >= sizeof dir)
                        return -ENAMETOOLONG;
                memcpy(dir, path, n);
                dir[n] = 0;
        }
        CLEANUP(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

/* A device or a pipe is written, not replaced: root's "-o /dev/null" took the device away. */
static int write_special(const char *path, const void *data, size_t n) {
        CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? -errno : write_all(fd, data, n);
}

int file_replace(const char *path, const void *data, size_t n, unsigned mode) {
        CLEANUP_FREE char *temporary = NULL;
        CLEANUP(closep) int fd = -1;
        struct stat st;
        int r;

        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
                return write_special(path, data, n);
        if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_all(fd, data, n);
        if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
                r = -errno;
        if (r < 0) {
                (void) unlink(temporary);
                return r;
        }
        return sync_parent(path);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool ends_in(const char *name, const char *suffix) {
        size_t n = strlen(name), m = strlen(suffix);
        return n >= m && streq(name + n - m, suffix);
}

static int collect_names(DIR *d, const char *suffix, char ***names, size_t *n) {
        size_t cap = 0;

        for (;;) {
                errno = 0;
                struct dirent *e = readdir(d);
                if (!e)
                        return -errno;
                if (streq(e->d_name, ".") || streq(e->d_name, "..") || !ends_in(e->d_name, suffix))
                        continue;
                if (*n >= FILE_MAX_NAMES)
                        return -E2BIG;
                int r = ARRAY_GROW(*names, cap, *n + 1);
                if (r < 0)
                        return r;
                (*names)[*n] = strdup(e->d_name);
                if (!(*names)[*n])
                        return -ENOMEM;
                (*n)++;
        }
}

int file_list(const char *dir, const char *suffix, char ***ret, size_t *ret_n) {
        CLEANUP(closedirp) DIR *d = opendir(dir);
        char **names = NULL;
        size_t n = 0;
        int r = 0;

        if (!d && errno != ENOENT)
                return -errno;
        if (d)
                r = collect_names(d, suffix, &names, &n);
        if (r < 0) {
                file_names_free(names, n);
                return r;
        }
        if (n > 1)
                qsort(names, n, sizeof *names, compare_names);
        *ret = names;
        *ret_n = n;
        return 0;
}

void file_names_free(char **names, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

static int make_folder(const char *path, unsigned mode) {
        struct stat st;

        if (mkdir(path, mode) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (stat(path, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdir(const char *dir, unsigned mode) {
        char path[PATH_MAX];
        size_t n = strlen(dir);

        if (n >= sizeof path)
                return -ENAMETOOLONG;
        memcpy(path, dir, n + 1);
        for (char *p = path + 1; *path && *p; p++) {
                if (*p != '/')
                        continue;
                *p = 0;
                int r = make_folder(path, mode);
                if (r < 0)
                        return r;
                *p = '/';
        }
        return make_folder(path, mode);
}

char *file_join(const char *dir, const char *name) {
        size_t n = strlen(dir);
        char *path;
        const char *slash = n > 0 && dir[n - 1] == '/' ? "" : "/";

        return asprintf(&path, "%s%s%s", dir, slash, name) < 0 ? NULL : path;
}

/* A hooks build is told how full its disk is: CHISO_TEST_FREE is a file that says how many bytes are
 * left. -ENOENT: not told. */
static int64_t told_free_bytes(void) {
#ifdef CHISO_TEST_HOOKS
        const char *path = getenv("CHISO_TEST_FREE");
        Buf CLEANUP(buf_done) text = BUF_INIT(64);

        if (path && file_read(path, 64, &text) == 0)
                return strtoll(buf_text(&text), NULL, 10);
#endif
        return -ENOENT;
}

int64_t file_free_bytes(const char *path) {
        int64_t told = told_free_bytes();
        struct statvfs vfs;

        if (told >= 0)
                return told;
        if (statvfs(path, &vfs) < 0)
                return -errno;
        uint64_t bytes;
        if (__builtin_mul_overflow((uint64_t) vfs.f_bavail, (uint64_t) vfs.f_frsize, &bytes) ||
            bytes > INT64_MAX)
                return INT64_MAX;
        return (int64_t) bytes;
}
