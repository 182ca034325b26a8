/* Sockets that a listener is made of. */
#include "serve/serve-bind.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define SERVE_BACKLOG 128

/* Ours only while nobody else has put a socket of his there. */
void serve_socket_done(ServeSocket *s) {
        struct stat st;

        if (s->path && stat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
                (void) unlink(s->path);
        free(s->path);
        *s = SERVE_SOCKET_NONE;
}

/* The mode stands before anybody can connect: bind() makes the file with it, by the umask. */
static int bind_unix(int fd, const struct sockaddr_un *address, unsigned mode) {
        struct stat st;

        if (lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
                (void) unlink(address->sun_path);
        mode_t old = umask(0777 & ~mode);
        int r = bind(fd, (const struct sockaddr *) address, sizeof *address) < 0 ? -errno : 0;
        (void) umask(old);
        if (r >= 0 && listen(fd, SERVE_BACKLOG) < 0)
                r = -errno;
        return r;
}

int serve_bind_unix(const char *path, unsigned mode, ServeSocket *ret) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct stat st;

        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        int r = bind_unix(fd, &address, mode);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        *ret = (ServeSocket){.path = strdup(path)};
        if (ret->path && stat(path, &st) == 0) {
                ret->dev = st.st_dev;
                ret->ino = st.st_ino;
        }
        return fd;
}

/* "127.0.0.1:8766", "[::1]:8766": numbers only, nothing is resolved. */
static int parse_address(const char *text, char *host, size_t host_size, const char **ret_port) {
        const char *colon = strrchr(text, ':');
        size_t n = colon ? (size_t) (colon - text) : 0;

        if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
                text++;
                n -= 2;
        }
        if (n == 0 || n >= host_size || !colon[1] || strtoul(colon + 1, NULL, 10) > 65535 ||
            strspn(colon + 1, "0123456789") != strlen(colon + 1))
                return -EINVAL;
        memcpy(host, text, n);
        host[n] = 0;
        *ret_port = colon + 1;
        return 0;
}

static int bind_tcp(const struct addrinfo *ai) {
        int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
            bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SERVE_BACKLOG) == 0)
                return fd;
        int r = -errno;
        (void) close(fd);
        return r;
}

int serve_bind_tcp(const char *address) {
        const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                       .ai_socktype = SOCK_STREAM};
        struct addrinfo *ai = NULL;
        char host[64];
        const char *port;
        int r = parse_address(address, host, sizeof host, &port);

        if (r < 0)
                return r;
        if (getaddrinfo(host, port, &hints, &ai) != 0)
                return -EINVAL;
        r = bind_tcp(ai);
        freeaddrinfo(ai);
        return r;
}
