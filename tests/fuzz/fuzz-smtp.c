/* A relay that says these bytes, all at once, whatever it is told. It can never be taken for one
 * that accepted the message unless all of the message left. */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_done(Slot *slot, const SmtpResult *r, void *userdata) {
        const SmtpReport *report = &r->report;

        (void) slot;
        if (!r->text || strlen(r->text) > 1024)
                abort();
        if (r->outcome == ATTEMPT_ACCEPTED &&
            !(report->is_data_done && report->response / 100 == 2))
                abort();
        if (report->is_data_done && !report->is_data_begun)
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
        (void) snprintf(url, 64, "smtp://127.0.0.1:%d", ntohs(address.sin_port));
        return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const MuxOptions options = {0};
        static const char mail[] = "Subject: x\r\n\r\n.\r\n";
        char url[64];
        int listener = listen_anywhere(url), fd = -1, is_done = 0;
        sd_event *event = NULL;
        Mux *mux = NULL;
        Slot *slot = NULL;
        SmtpRequest q = {.url = url,
                         .tls = TLS_NONE,
                         .sender = "a@example.vn",
                         .recipient = "b@example.vn",
                         .data = mail,
                         .size = sizeof mail - 1,
                         .timeout_ms = 2000};

        if (sd_event_new(&event) < 0 || mux_new(event, &options, &mux) < 0 ||
            smtp_start(mux, &q, on_done, &is_done, &slot) < 0)
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
