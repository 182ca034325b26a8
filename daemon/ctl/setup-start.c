/* The commands that `chisoctl setup` runs, and those that it leaves to the administrator. */
#include "ctl/setup.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENABLE "systemctl enable chisod-status.socket chisod-admin.socket chisod.service"
#define START "systemctl restart chisod.service"

static int run(const Setup *s, const char *const argv[]) {
        pid_t child;
        int status = 0;

        (void) printf(">");
        for (size_t i = 0; argv[i]; i++)
                (void) printf(" %s", argv[i]);
        (void) printf("\n");
        (void) fflush(stdout);
        int r = posix_spawnp(&child, argv[0], NULL, NULL, (char *const *) argv, environ);
        if (r != 0) {
                ctl_complain("%s: %s", argv[0], strerror(r));
                return EXIT_FAILED;
        }
        if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return EXIT_FINE;
        ctl_complain(SAID(s->ctl, "%s không làm được; xem: journalctl -u chisod -n 20",
                          "%s failed; see: journalctl -u chisod -n 20"),
                     argv[0]);
        return EXIT_FAILED;
}

int setup_start(const Setup *s) {
        static const char *const enable[] = {
                "systemctl",           "enable",         "chisod-status.socket",
                "chisod-admin.socket", "chisod.service", NULL};
        static const char *const start[] = {"systemctl", "restart", "chisod.service", NULL};

        int r = run(s, enable);
        return r == EXIT_FINE ? run(s, start) : r;
}

void setup_next(const Setup *s, bool is_started) {
        const char *user = getenv("SUDO_USER");

        (void) printf("\n%s\n", SAID(s->ctl, "Tiếp theo:", "Next:"));
        if (!is_started)
                (void) printf("  " ENABLE "\n  " START "\n");
        (void) printf("  usermod -aG chisod-admin %-22s # %s\n", user && *user ? user : "USER",
                      SAID(s->ctl, "được ra lệnh cho chisod; đăng nhập lại",
                           "who may steer chisod; log in anew"));
        (void) printf("  chisoctl source try portal %-20s # %s\n", "",
                      SAID(s->ctl, "xem thử vài dòng, không lưu gì",
                           "a look at some rows, stores nothing"));
        (void) printf("  chisoctl sources %-30s # %s\n", "",
                      SAID(s->ctl, "lấy đến đâu rồi; kỳ mới nhất có sau khoảng một phút",
                           "how far it is; the newest period is there in about a minute"));
        (void) printf("  chisoctl ranking %-30s # %s\n", "",
                      SAID(s->ctl, "bảng xếp hạng", "the ranking"));
        (void) printf("  chisoctl status %-31s # %s\n", "",
                      SAID(s->ctl, "tình trạng", "how things stand"));
        (void) printf("  chisoctl go-live %-30s # %s\n", "",
                      SAID(s->ctl, "khi đã yên tâm: bắt đầu báo cho cán bộ",
                           "when you are content: begin to tell officials"));
}
