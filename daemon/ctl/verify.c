/* `verify` and `backup`: the running daemon's own database, which it checks and copies beside its
 * work, or a file that lies anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/answer.h"
#include "flow/replay.h"
#include "store/store.h"

static void wait_a_moment(void) {
        (void) nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
}

/* ---- verify ---------------------------------------------------------------------------------- */

/* A file that is not there, or no database at all, is not a damaged one. 0,
 * STORE_E_FOREIGN or negative errno. */
static int look_at_file(const char *path) {
        static const char magic[16] = "SQLite format 3";
        char head[sizeof(magic)];
        struct stat st;
        int r;

        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                r = -errno;
        else if (!S_ISREG(st.st_mode))
                r = S_ISDIR(st.st_mode) ? -EISDIR : STORE_E_FOREIGN;
        else {
                ssize_t n = pread(fd, head, sizeof(head), 0);
                bool is_database =
                        n == (ssize_t) sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0;
                r = n < 0 ? -errno : is_database ? 0 : STORE_E_FOREIGN;
        }
        (void) close(fd);
        return r;
}

static int verify_file(const Ctl *ctl, const char *path) {
        CLEANUP(store_closep) Store *s = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        int r = look_at_file(path);
        if (r < 0) {
                ctl_complain(SAID(ctl, "không đọc được %s: %s", "%s cannot be read: %s"), path,
                             strerror(-r));
                return EXIT_FAILED;
        }
        if (r == 0)
                r = store_open_reader(path, &diag, &s);
        if (r == STORE_E_FOREIGN) {
                ctl_complain(SAID(ctl, "%s không phải cơ sở dữ liệu của chisod",
                                  "%s is no database of chisod"),
                             path);
                return EXIT_FAILED;
        }
        if (r == 0)
                r = store_verify(s, &diag);
        for (size_t i = 0; i < diag.n; i++)
                (void) fprintf(stderr, "%s\n", diag.items[i].text);
        if (r == 0) {
                (void) printf(SAID(ctl, "%s: toàn vẹn\n", "%s: whole\n"), path);
                return EXIT_FINE;
        }
        ctl_complain(SAID(ctl, "%s: không toàn vẹn (%s)", "%s: not whole (%s)"), path,
                     r < 0 ? strerror(-r) : diag_first_error(&diag, "?"));
        return EXIT_FAILED;
}

/* Reads the bodies again: slow, with the configuration, and apart from the daemon. */
static int replay_file(const Ctl *ctl, const char *path) {
        CLEANUP(config_freep) Config *config = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        Replay report = {0};

        int r = ctl_load_config(ctl, &config);
        if (r != EXIT_FINE)
                return r;
        r = replay_run(path, config, &diag, &report);
        if (r == 0) {
                (void) printf(SAID(ctl,
                                   "%s: %zu bộ số liệu giải mã lại, %" PRId64 " số liệu và %" PRId64
                                   " giá trị cũ giống hệt\n",
                                   "%s: %zu snapshots decoded again, %" PRId64
                                   " figures and %" PRId64 " vintages are the same\n"),
                              path, report.n_snapshots, report.sizes.figures,
                              report.sizes.vintages);
                if (report.n_taken)
                        (void) printf(SAID(ctl,
                                           "%zu bộ không còn nội dung gốc (quá hạn lưu): lấy như "
                                           "đang lưu\n",
                                           "%zu have no body any more (past their retention): "
                                           "taken as they are kept\n"),
                                      report.n_taken);
                return EXIT_FINE;
        }
        ctl_complain(SAID(ctl, "%s: số liệu khác với nội dung gốc: %s",
                          "%s: the figures differ from the bodies: %s"),
                     path, diag_first_error(&diag, r < 0 ? strerror(-r) : "?"));
        return EXIT_FAILED;
}

static int print_check(const Ctl *ctl, const json_t *check, Buf *raw) {
        const char *state = str_or(json_string_value(json_object_get(check, "state")), "?");
        const char *error = json_string_value(json_object_get(check, "error"));
        const json_t *finding;
        size_t i;
        bool is_whole = streq(state, "whole");

        if (ctl->is_json) {
                if (buf_char(raw, '\n') < 0)
                        return answer_out_of_memory();
                int r = ctl_print(raw);
                return r == EXIT_FINE && !is_whole ? EXIT_FAILED : r;
        }
        json_array_foreach(json_object_get(check, "findings"), i, finding)(void)
                fprintf(stderr, "%s\n", str_or(json_string_value(finding), "?"));
        if (is_whole) {
                (void) printf("%s\n", SAID(ctl, "cơ sở dữ liệu toàn vẹn", "the database is whole"));
                return EXIT_FINE;
        }
        ctl_complain("%s", error ? error
                                 : SAID(ctl, "cơ sở dữ liệu hỏng: phục hồi từ bản sao lưu",
                                        "the database is damaged: restore it from a backup"));
        return EXIT_FAILED;
}

/* The first answer names the check that has begun; the next ones ask for it, or a later one. */
static int verify_daemon(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(1024);
        CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);

        if (!ctl->is_json)
                client_language(ctl);
        if (buf_str(&path, "/v1/verify") < 0)
                return answer_out_of_memory();
        for (bool is_first = true;; is_first = false) {
                json_t *check = NULL;

                buf_clear(&raw);
                int r = client_get_admin(ctl, buf_text(&path), &raw, &check);
                if (r != EXIT_FINE)
                        return r;
                bool is_running = streq(
                        str_or(json_string_value(json_object_get(check, "state")), ""), "running");
                if (!is_running)
                        r = print_check(ctl, check, &raw);
                else if (is_first &&
                         query_add(&path, "after",
                                   json_string_value(json_object_get(check, "started"))) < 0)
                        r = answer_out_of_memory();
                json_decref(check);
                if (!is_running || r != EXIT_FINE)
                        return r;
                wait_a_moment();
        }
}

int command_verify(Ctl *ctl) {
        const char *file = ctl->n_words ? ctl->words[0] : NULL;

        if (ctl_option(ctl, "replay") && !file) {
                ctl_complain("%s", SAID(ctl,
                                        "--replay cần một tệp: chisoctl backup TỆP, rồi chisoctl "
                                        "verify TỆP --replay",
                                        "--replay needs a file: chisoctl backup FILE, then "
                                        "chisoctl verify FILE --replay"));
                return EXIT_USAGE;
        }
        int r = file ? verify_file(ctl, file) : verify_daemon(ctl);
        return r == EXIT_FINE && ctl_option(ctl, "replay") ? replay_file(ctl, file) : r;
}

/* ---- backup ---------------------------------------------------------------------------------- */

static int fetch_copy(const Ctl *ctl, int fd) {
        int r, status;

        while ((r = client_copy(ctl, "/v1/backup", fd, &status)) == EXIT_FINE && status == 202)
                wait_a_moment();
        return r;
}

/* What came is looked at before it has its name: half a copy is worse than none. */
static int keep_copy(int fd, const char *part, const char *path) {
        CLEANUP(store_closep) Store *s = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        int r = fsync(fd) < 0 ? -errno : store_open_reader(part, &diag, &s);
        if (r == 0)
                r = store_verify(s, &diag);
        if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r == 0)
                return EXIT_FINE;
        ctl_complain("%s: %s", path, r < 0 ? strerror(-r) : diag_first_error(&diag, "?"));
        return EXIT_FAILED;
}

static int print_copied(const Ctl *ctl, const char *path) {
        json_t *json =
                ctl->is_json ? json_pack("{s:s, s:b}", "file", path, "verified", true) : NULL;
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

        if (text)
                (void) printf("%s\n", text);
        else
                (void) printf(
                        SAID(ctl, "%s: đã sao lưu và kiểm tra\n", "%s: copied and verified\n"),
                        path);
        free(text);
        json_decref(json);
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_FAILED;
}

int command_backup(Ctl *ctl) {
        const char *path = ctl->words[0];
        CLEANUP(buf_done) Buf part = BUF_INIT(8192);
        struct stat st;

        client_language(ctl);
        if (buf_printf(&part, "%s.part", path) < 0)
                return answer_out_of_memory();
        if (lstat(path, &st) == 0) {
                ctl_complain(SAID(ctl, "%s đã có, không ghi đè", "%s exists, and is left alone"),
                             path);
                return EXIT_FAILED;
        }
        int fd = open(buf_text(&part), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                ctl_complain("%s: %s", buf_text(&part), strerror(errno));
                return EXIT_FAILED;
        }
        int r = fetch_copy(ctl, fd);
        if (r == EXIT_FINE)
                r = keep_copy(fd, buf_text(&part), path);
        (void) close(fd);
        if (r != EXIT_FINE)
                (void) unlink(buf_text(&part));
        else
                r = print_copied(ctl, path);
        return r;
}
