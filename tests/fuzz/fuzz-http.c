/* A publisher that answers with these bytes: status line, headers, chunks, gzip, dates. */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_done(Slot *slot, const HttpResult *r, void *userdata) {
        CLEANUP(buf_done) Buf body = BUF_INIT(0);

        if (!r->body || r->body[r->body_size] || r->body_size > 4096 || !r->error_text ||
            r->retry_after_ms < 0)
                abort();
        if (r->error == 0 && (r->status < 200 || r->status > 999))
                abort();
        if (http_take_body(slot, &body) < 0)
                abort();
        *(int *) userdata = 1;
}

static int listen_anywhere(char url[64]) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t n = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 16) < 0 ||
            getsockname(fd, (struct sockaddr *) &address, &n) < 0)
                abort();
        (void) snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
        return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const MuxOptions options = {.user_agent = "chisod/fuzz"};
        char url[64];
        int listener = listen_anywhere(url), fd = -1, is_done = 0;
        sd_event *event = NULL;
        Mux *mux = NULL;
        Slot *slot = NULL;
        HttpRequest q = {.url = url,
                         .method = "GET",
                         .max_body = 4096,
                         .timeout_ms = 2000,
                         .is_compressed = true};

        if (sd_event_new(&event) < 0 || mux_new(event, &options, &mux) < 0 ||
            http_start(mux, &q, on_done, &is_done, &slot) < 0)
                abort();
        while (!is_done) {
                if (sd_event_run(event, fd < 0 ? 1000 : 100000) < 0)
                        abort();
                if (fd < 0 &&
                    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
                        (void) !send(fd, data, size, MSG_NOSIGNAL);
                        (void) shutdown(fd, SHUT_WR);
                }
        }
        slot_free(slot);
        mux_free(mux);
        (void) sd_event_unref(event);
        if (fd >= 0)
                (void) close(fd);
        (void) close(listener);
        return 0;
}
