/* The other side of every bench: publisher and webhook receivers on one port of 127.0.0.1 to 127.0.0.8.
 *
 * GET PATH serves DIR/PATH; GET /etag/PATH the same with an ETag, and 304 to whoever shows it. POST /hook... takes the body and says 200.
 * Any other POST is a question of the reporting service's shape: DIR/PATH/SCOPE.json, SCOPE being the rootDepartmentId that it names. A
 * thread per connection: a handful of kept ones is all that ever comes.
 *
 * bench-sink PORT DIR; prints "ready PORT" (0: any port) and ends with its standard input. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#define N_ADDRESSES 8u
#define REQUEST_MAX ((size_t) 16 << 20)

static const char *folder;

static bool send_all(int fd, const char *data, size_t n, int flags) {
        while (n > 0) {
                ssize_t sent = send(fd, data, n, MSG_NOSIGNAL | flags);
                if (sent <= 0)
                        return false;
                data += sent;
                n -= (size_t) sent;
        }
        return true;
}

static bool answer(int fd, const char *status, const char *headers) {
        char text[512];
        int n = snprintf(
                text, sizeof text,
                "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: 0\r\n\r\n",
                status, headers);
        return send_all(fd, text, (size_t) n, 0);
}

static bool answer_file(int fd, const char *path, bool has_etag, const char *request) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode)) {
                if (file >= 0)
                        (void) close(file);
                return answer(fd, "404 Not Found", "");
        }
        char etag[96] = "", text[512], shown[128];
        if (has_etag)
                (void) snprintf(etag, sizeof etag, "ETag: \"%llx-%llx\"\r\n",
                                (unsigned long long) st.st_ino, (unsigned long long) st.st_size);
        (void) snprintf(shown, sizeof shown, "If-None-Match: %s", etag[0] ? etag + 6 : "-");
        bool is_known = has_etag && strcasestr(request, shown);
        int n = snprintf(
                text, sizeof text,
                "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %lld\r\n\r\n",
                is_known ? "304 Not Modified" : "200 OK", etag,
                is_known ? 0LL : (long long) st.st_size);
        bool is_sent = send_all(fd, text, (size_t) n, is_known ? 0 : MSG_MORE);
        off_t at = 0;
        while (is_sent && !is_known && at < st.st_size)
                is_sent = sendfile(fd, file, &at, (size_t) (st.st_size - at)) > 0;
        (void) close(file);
        return is_sent;
}

/* The text of the JSON member `rootDepartmentId`, "" when there is none. */
static void scope_of(const char *body, char *ret, size_t size) {
        static const char key[] = "\"rootDepartmentId\":\"";
        const char *p = strstr(body, key);
        p = p ? p + sizeof key - 1 : "";
        (void) snprintf(ret, size, "%.*s", (int) strcspn(p, "\""), p);
}

static bool serve(int fd, char *request, const char *body) {
        char method[8], path[512], name[1024], scope[128];
        if (sscanf(request, "%7s %511s", method, path) != 2 || strstr(path, ".."))
                return answer(fd, "400 Bad Request", "");
        if (streq(method, "POST") && strncmp(path, "/hook", 5) == 0)
                return answer(fd, "200 OK", "");
        bool has_etag = strncmp(path, "/etag/", 6) == 0;
        (void) snprintf(name, sizeof name, "%s%s", folder, path + (has_etag ? 5 : 0));
        if (streq(method, "POST")) {
                scope_of(body, scope, sizeof scope);
                (void) snprintf(name + strlen(name), sizeof name - strlen(name), "/%s.json", scope);
        }
        return answer_file(fd, name, has_etag, request);
}

/* One request whose head ends at `head`; the length of it all, or 0 while more must come. */
static size_t request_length(const char *request, size_t n, size_t head) {
        const char *length = strcasestr(request, "\r\nContent-Length:");
        size_t body = length && length < request + head ? strtoul(length + 17, NULL, 10) : 0;
        return n >= head + body ? head + body : 0;
}

static void *converse(void *userdata) {
        int fd = (int) (intptr_t) userdata;
        char *in = malloc(REQUEST_MAX + 1);
        size_t n = 0;
        ssize_t got;
        bool is_open = in != NULL;
        while (is_open && n < REQUEST_MAX && (got = recv(fd, in + n, REQUEST_MAX - n, 0)) > 0) {
                n += (size_t) got;
                in[n] = '\0';
                char *end;
                while (is_open && (end = strstr(in, "\r\n\r\n"))) {
                        size_t head = (size_t) (end - in) + 4, length = request_length(in, n, head);
                        if (!length)
                                break;
                        char after = in[length];
                        in[length] = '\0';
                        is_open = serve(fd, in, in + head);
                        in[length] = after;
                        memmove(in, in + length, n - length + 1);
                        n -= length;
                }
        }
        free(in);
        (void) close(fd);
        return NULL;
}

static void *accept_all(void *userdata) {
        int listener = (int) (intptr_t) userdata, one = 1;
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                pthread_t thread;
                if (fd < 0)
                        continue;
                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                if (pthread_create(&thread, NULL, converse, (void *) (intptr_t) fd) != 0)
                        (void) close(fd);
                else
                        (void) pthread_detach(thread);
        }
        return NULL;
}

/* On 127.0.0.`last`; *port 0 becomes the one that was given. */
static bool listen_on(uint32_t last, in_port_t *port) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = *port,
                                      .sin_addr.s_addr = htonl((127u << 24) + last)};
        socklen_t size = sizeof address;
        pthread_t thread;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
        (void) setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(listener, (struct sockaddr *) &address, size) < 0 || listen(listener, 64) < 0 ||
            getsockname(listener, (struct sockaddr *) &address, &size) < 0 ||
            pthread_create(&thread, NULL, accept_all, (void *) (intptr_t) listener) != 0)
                return false;
        *port = address.sin_port;
        return true;
}

int main(int argc, char **argv) {
        if (argc != 3) {
                fprintf(stderr, "usage: bench-sink PORT DIR\n");
                return 2;
        }
        folder = argv[2];
        (void) signal(SIGPIPE, SIG_IGN);
        in_port_t port = htons((uint16_t) strtoul(argv[1], NULL, 10));
        for (uint32_t last = 1; last <= N_ADDRESSES; last++)
                if (!listen_on(last, &port)) {
                        perror("bench-sink");
                        return 1;
                }
        printf("ready %u\n", ntohs(port));
        (void) fflush(stdout);
        while (getchar() != EOF)
                ;
        return 0;
}
