/* The service manager's side: all of it does nothing when there is none ($NOTIFY_SOCKET,
 * $LISTEN_FDS unset). */
#include "os/notify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/text.h"

#define NOTIFY_MAX_STATUS ((size_t) 2048)

void notify_ready(void) {
        (void) sd_notify(0, "READY=1");
}

void notify_reloading(void) {
        struct timespec ts = {0};

        /* Type=notify-reload (253 and later) wants the time with it; older managers skip the line.
         */
        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        uint64_t us = (uint64_t) ts.tv_sec * 1000000u + (uint64_t) ts.tv_nsec / 1000u;
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, us);
}

void notify_stopping(void) {
        (void) sd_notify(0, "STOPPING=1");
}

void notify_watchdog(void) {
        (void) sd_notify(0, "WATCHDOG=1");
}

uint64_t notify_watchdog_us(void) {
        uint64_t us = 0;

        return sd_watchdog_enabled(/* unset_environment= */ 0, &us) > 0 ? us : 0;
}

void notify_status(const char *text) {
        static char last[NOTIFY_MAX_STATUS];
        CLEANUP(buf_done) Buf line = BUF_INIT(sizeof last - 1);

        /* A line end would begin another assignment of the protocol. */
        if (text_append_printable(&line, text, strnlen(text, sizeof last / 4)) < 0)
                return;
        if (streq(buf_text(&line), last))
                return;
        memcpy(last, buf_text(&line), line.len + 1);
        (void) sd_notifyf(0, "STATUS=%s", last);
}

static void free_names(char ***names) {
        for (char **p = *names; p && *p; p++)
                free(*p);
        free(*names);
}

int notify_listen_fd(const char *name) {
        CLEANUP(free_names) char **names = NULL;
        int n = sd_listen_fds_with_names(/* unset_environment= */ 0, &names);

        for (int i = 0; i < n; i++) {
                if (!streq(names[i], name))
                        continue;
                int fd = SD_LISTEN_FDS_START + i, flags = fcntl(fd, F_GETFL);
                if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                        return -1;
                return fd;
        }
        return -1;
}
