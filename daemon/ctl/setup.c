/* `chisoctl setup`: from an installed package to a daemon that fetches.
 *
 * Order: who may do this at all, what is there already, the questions, the text and what the loader
 * says of it, a test mail, and only then the file and the service. Until the mail was tried nothing
 * but the password's file is written; a configuration that somebody wrote is never replaced unasked,
 * and then kept beside the new one. */
#include "ctl/setup.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timeutil.h"
#include "flow/boot.h"
#include "os/clock.h"
#include "os/file.h"

#define CONFIG_MAX ((size_t) 1 << 20)
#define SECRET_NAME "smtp-password"

static int failed(const char *what, int r) {
        ctl_complain("%s: %s", what, strerror(-r));
        return EXIT_FAILED;
}

/* The folder part, or "."; heap. */
static char *folder_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? strndup(path, MAX((size_t) (slash - path), (size_t) 1)) : strdup(".");
}

/* ---- before ---------------------------------------------------------------------------------- */

/* Asked for before anything else: nobody should answer ten questions in vain. */
static int may_write(const Setup *s) {
        CLEANUP_FREE char *folder = folder_of(s->path);

        if (!folder)
                return failed(s->path, -ENOMEM);
        bool is_root = !s->is_installed || geteuid() == 0;
        if (is_root && access(folder, W_OK) == 0)
                return EXIT_FINE;
        if (is_root && errno != EACCES && errno != EROFS)
                return failed(folder, -errno);
        ctl_complain(SAID(s->ctl, "cần quyền root để viết %s và bật dịch vụ: sudo chisoctl setup",
                          "root is needed to write %s and to enable the service: sudo chisoctl "
                          "setup"),
                     s->path);
        return EXIT_FAILED;
}

/* True when the file is there and somebody made it what it is. */
static bool is_precious(const Setup *s) {
        CLEANUP_FREE char *shipped_path = file_join(boot_share_dir(NULL), "chisod.conf");
        CLEANUP(buf_done) Buf now = BUF_INIT(CONFIG_MAX);
        CLEANUP(buf_done) Buf shipped = BUF_INIT(CONFIG_MAX);

        if (access(s->path, F_OK) < 0 && errno == ENOENT)
                return false;
        return !shipped_path || file_read(s->path, CONFIG_MAX, &now) < 0 ||
               file_read(shipped_path, CONFIG_MAX, &shipped) < 0 ||
               !streq(buf_text(&now), buf_text(&shipped));
}

static int may_replace(const Setup *s) {
        CLEANUP(buf_done) Buf question = BUF_INIT(4096);

        if (!is_precious(s) || ctl_option(s->ctl, "yes"))
                return EXIT_FINE;
        int r = buf_printf(&question,
                           SAID(s->ctl,
                                "%s đã có và khác mẫu. Viết lại (bản cũ được giữ bên cạnh)?",
                                "%s is there and was edited. Write it anew (the old one is kept "
                                "beside it)?"),
                           s->path);
        if (r < 0)
                return failed(s->path, r);
        if (ctl_confirm(s->ctl, buf_text(&question)))
                return EXIT_FINE;
        ctl_complain(SAID(s->ctl, "%s giữ nguyên", "%s stays as it is"), s->path);
        return EXIT_FAILED;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int load(const Setup *s, Buf *text, Config **ret) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        buf_clear(text);
        int r = setup_text(s, text);
        if (r < 0)
                return failed(s->path, r);
        r = boot_config_text(s->path, buf_text(text), clock_now_ms(), &diag, ret);
        if (r >= 0)
                return EXIT_FINE;
        ctl_complain_diag(&diag);
        ctl_complain(
                SAID(s->ctl,
                     "cấu hình như vậy chưa dùng được, chưa viết gì; mẫu %s cần thêm khóa: sửa "
                     "tay %s",
                     "this is no configuration yet, nothing was written; the preset %s needs "
                     "more: edit %s by hand"),
                s->answers[SETUP_PRESET], s->path);
        return EXIT_FAILED;
}

static int write_secret(const Setup *s) {
        const char *password = s->answers[SETUP_MAIL_PASSWORD];
        CLEANUP_FREE char *path = file_join(s->secrets_dir, SECRET_NAME);

        if (!password)
                return EXIT_FINE;
        int r = path ? file_mkdir(s->secrets_dir, 0700) : -ENOMEM;
        if (r >= 0)
                r = file_replace(path, password, strlen(password), 0600);
        if (r < 0)
                return failed(s->secrets_dir, r);
        (void) printf(
                SAID(s->ctl, "Đã viết %s (chỉ root đọc được)\n", "Wrote %s (for root alone)\n"),
                path);
        return EXIT_FINE;
}

/* "chisod.conf.before-20261128T170000" */
static int keep_old(const Setup *s) {
        CLEANUP(buf_done) Buf old = BUF_INIT(CONFIG_MAX);
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);
        struct stat st;
        char at[40];

        if (!is_precious(s))
                return EXIT_FINE;
        int r = stat(s->path, &st) < 0 ? -errno : file_read(s->path, CONFIG_MAX, &old);
        (void) instant_format(at, clock_now_ms());
        if (r >= 0)
                r = buf_printf(&path, "%s.before-%.10sT%.2s%.2s%.2s", s->path, at, at + 11, at + 14,
                               at + 17);
        if (r >= 0)
                r = file_replace(buf_text(&path), buf_text(&old), old.len, st.st_mode & 0777);
        if (r < 0)
                return failed(s->path, r);
        (void) printf(SAID(s->ctl, "Bản cũ: %s\n", "The old one: %s\n"), buf_text(&path));
        return EXIT_FINE;
}

static int write_config(const Setup *s, const Buf *text) {
        int r = keep_old(s);
        if (r != EXIT_FINE)
                return r;
        r = file_replace(s->path, buf_text(text), text->len, 0644);
        if (r < 0)
                return failed(s->path, r);
        (void) printf(SAID(s->ctl, "Đã viết %s\n", "Wrote %s\n"), s->path);
        return EXIT_FINE;
}

/* ---- the order ------------------------------------------------------------------------------- */

/* A refused mail can be mended and tried again; alone, it ends the work before anything is
 * written. */
static int try_mail(Setup *s, Buf *text) {
        for (;;) {
                CLEANUP(config_freep) Config *config = NULL;
                CLEANUP_FREE char *to = NULL;

                int r = load(s, text, &config);
                if (r == EXIT_FINE && s->answers[SETUP_MAIL])
                        r = write_secret(s);
                if (r != EXIT_FINE || !s->answers[SETUP_MAIL] || ctl_option(s->ctl, "no-mail") ||
                    !setup_agrees(s, "Gửi thư thử đến người vận hành?",
                                  "Send a test mail to the operator?"))
                        return r;
                to = strndup(s->answers[SETUP_OPERATOR], strcspn(s->answers[SETUP_OPERATOR], " "));
                r = to ? ctl_test_mail(s->ctl, config, to) : failed("test-mail", -ENOMEM);
                if (r == EXIT_FINE)
                        return r;
                if (!s->is_asking) {
                        ctl_complain(SAID(
                                s->ctl,
                                "thư thử không đi, chưa viết cấu hình; --no-mail bỏ qua bước này",
                                "the test mail was not accepted, no configuration was "
                                "written; --no-mail leaves this step out"));
                        return r;
                }
                if (!setup_agrees(s, "Sửa phần máy chủ thư rồi thử lại?",
                                  "Change the relay's part and try again?"))
                        return EXIT_FINE;
                r = setup_ask_mail(s);
                if (r != EXIT_FINE)
                        return r;
        }
}

static int setup(Setup *s) {
        CLEANUP(buf_done) Buf text = BUF_INIT(CONFIG_MAX);
        bool is_starting = s->is_installed && !ctl_option(s->ctl, "no-start");

        int r = may_write(s);
        if (r == EXIT_FINE)
                r = may_replace(s);
        if (r == EXIT_FINE)
                r = setup_ask(s);
        if (r == EXIT_FINE)
                r = try_mail(s, &text);
        if (r == EXIT_FINE)
                r = write_config(s, &text);
        if (r == EXIT_FINE && is_starting)
                r = setup_start(s);
        if (r == EXIT_FINE)
                setup_next(s, is_starting);
        return r;
}

int command_setup(Ctl *ctl) {
        Setup s = {.ctl = ctl,
                   .path = str_or(ctl->config, CTL_DEFAULT_CONFIG),
                   .is_asking = isatty(STDIN_FILENO) && !ctl_option(ctl, "yes")};
        CLEANUP_FREE char *folder = folder_of(s.path);

        s.is_installed = streq(s.path, CTL_DEFAULT_CONFIG);
        s.secrets_dir = folder ? file_join(folder, "secrets") : NULL;
        int r = s.secrets_dir ? setup(&s) : failed(s.path, -ENOMEM);
        if (s.answers[SETUP_MAIL_PASSWORD])
                explicit_bzero(s.answers[SETUP_MAIL_PASSWORD],
                               strlen(s.answers[SETUP_MAIL_PASSWORD]));
        for (size_t i = 0; i < SETUP_ITEMS; i++)
                free(s.answers[i]);
        free(s.preset_text);
        free(s.secrets_dir);
        return r;
}
