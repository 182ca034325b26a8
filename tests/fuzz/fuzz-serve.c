/* A client of the status socket that sends these bytes. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "serve/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look(const char *name, const char *value, void *userdata) {
        *(size_t *) userdata += strlen(name) + strlen(str_or(value, ""));
        return *(size_t *) userdata < 64;
}

static int handler(const ServeRequest *q, ServeReply *reply, void *userdata) {
        (void) userdata;
        if (q->role != SERVE_STATUS || q->body_size > 256 || q->body[q->body_size] != 0)
                abort();
        if (!text_is_utf8(q->path, strlen(q->path)) || q->path[0] != '/')
                abort();
        size_t n = 0;
        serve_each_query(q, look, &n);
        (void) snprintf(reply->etag, sizeof reply->etag, "\"7\"");
        return buf_printf(&reply->body, "%s %s %s", q->method, q->path,
                          str_or(serve_query(q, "a"), "-"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char answer[4096];
        sd_event *event = NULL;
        Serve *serve = NULL;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void) snprintf(address.sun_path, sizeof address.sun_path, "/tmp/chiso-fuzz-%d.sock",
                        (int) getpid());
        if (sd_event_new(&event) < 0 || serve_new(event, handler, NULL, 256, &serve) < 0 ||
            serve_listen_unix(serve, address.sun_path, 0600, SERVE_STATUS) < 0)
                abort();
        if (connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                abort();
        (void) !send(fd, data, size, MSG_NOSIGNAL);
        (void) shutdown(fd, SHUT_WR);
        for (int i = 0; i < 20; i++) {
                if (sd_event_run(event, 1000) < 0)
                        abort();
                ssize_t n = recv(fd, answer, sizeof answer, 0);
                if (n == 0 || (n < 0 && errno != EAGAIN))
                        break;
        }
        (void) close(fd);
        serve_free(serve);
        (void) sd_event_unref(event);
        return 0;
}
