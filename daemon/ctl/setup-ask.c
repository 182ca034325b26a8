/* The questions of `chisoctl setup`. Each is an option, too: what was given as one is not asked.
 *
 * An answer is checked as soon as it is given, so that a person mends it on the spot; the loader has
 * the last word before anything is written. The file's syntax knows no quoting: what would be
 * a comment or another line in it is refused here. */
#include "ctl/setup.h"

#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "core/mail.h"
#include "flow/boot.h"
#include "os/file.h"

#define ANSWER_MAX 500u
#define PRESET_MAX ((size_t) 1 << 20)
#define DEFAULT_PRESET "dvcqg-reporting"

typedef struct Question {
        const char *option;
        const char *vi, *en;
        /* Brings the answer into its form (heap, *ret) or says in *why what is wrong. 0, -EINVAL,
         * -ENOMEM. */
        int (*check)(const Setup *s, const char *text, char **ret, const char **why);
        bool is_secret;
} Question;

static int copy(const char *text, char **ret) {
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static int check_text(const Setup *s, const char *text, char **ret, const char **why) {
        size_t n = strlen(text);

        *why = SAID(s->ctl, "quá dài", "it is too long");
        if (n > ANSWER_MAX)
                return -EINVAL;
        *why = SAID(s->ctl, "có ký tự không in được", "it has characters that cannot be printed");
        if (!text_is_utf8(text, n))
                return -EINVAL;
        CLEANUP(buf_done) Buf printable = BUF_INIT(4 * ANSWER_MAX);
        if (text_append_printable(&printable, text, n) < 0)
                return -ENOMEM;
        if (!streq(buf_text(&printable), text))
                return -EINVAL;
        *why = SAID(s->ctl, "dấu ; sau khoảng trắng là chú thích trong tệp cấu hình",
                    "a semicolon after a blank would begin a comment");
        if (text[0] == ';' || strstr(text, " ;"))
                return -EINVAL;
        return copy(text, ret);
}

static int check_language(const Setup *s, const char *text, char **ret, const char **why) {
        *why = SAID(s->ctl, "viết vi hoặc en", "write vi or en");
        return streq(text, "vi") || streq(text, "en") ? copy(text, ret) : -EINVAL;
}

static int check_tls(const Setup *s, const char *text, char **ret, const char **why) {
        *why = SAID(s->ctl, "viết required, opportunistic hoặc none",
                    "write required, opportunistic or none");
        return streq(text, "required") || streq(text, "opportunistic") || streq(text, "none")
                       ? copy(text, ret)
                       : -EINVAL;
}

static int check_preset(const Setup *s, const char *text, char **ret, const char **why) {
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);
        CLEANUP(buf_done) Buf file = BUF_INIT(PRESET_MAX);

        *why = SAID(s->ctl, "không có mẫu nguồn này", "there is no such preset");
        if (strchr(text, '/') || text[0] == '.')
                return -EINVAL;
        int r = buf_printf(&path, "%s/presets/%s.conf", boot_share_dir(NULL), text);
        if (r >= 0)
                r = file_read(buf_text(&path), PRESET_MAX, &file);
        return r == -ENOMEM ? r : r < 0 ? -EINVAL : copy(text, ret);
}

static bool has_scheme(const char *text, const char *scheme) {
        size_t n = strlen(scheme);
        const char *host = text + n;

        return strncmp(text, scheme, n) == 0 && *host && *host != '/' && *host != ':';
}

static int check_url(const Setup *s, const char *text, char **ret, const char **why) {
        size_t n = strlen(text);

        *why = SAID(s->ctl, "viết http://... hoặc https://..., không có khoảng trắng",
                    "write http://... or https://..., without blanks");
        if ((!has_scheme(text, "http://") && !has_scheme(text, "https://")) ||
            strpbrk(text, " \t<>\"") || n > ANSWER_MAX)
                return -EINVAL;
        /* "{{url}}/api": a slash at its end would be one too many */
        *ret = strndup(text, text[n - 1] == '/' ? n - 1 : n);
        return *ret ? 0 : -ENOMEM;
}

/* "mail.example.vn" and "mail.example.vn:465" become what the configuration wants. */
static int check_mail_server(const Setup *s, const char *text, char **ret, const char **why) {
        bool is_url = has_scheme(text, "smtp://") || has_scheme(text, "smtps://");
        const char *colon = strrchr(text, ':');
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);

        *why = SAID(s->ctl, "viết tên máy, tên máy:cổng, hoặc smtp://máy:cổng",
                    "write a host, host:port, or smtp://host:port");
        if ((strstr(text, "://") && !is_url) || strpbrk(text, " \t<>\"@") || text[0] == ':' ||
            strlen(text) > ANSWER_MAX)
                return -EINVAL;
        if (is_url)
                return copy(text, ret);
        if (colon && (!colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1)))
                return -EINVAL;
        bool is_implicit = colon && streq(colon, ":465");
        int r = buf_printf(&b, "%s://%s%s", is_implicit ? "smtps" : "smtp", text,
                           colon ? "" : ":587");
        if (r < 0)
                return r;
        *ret = buf_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static int check_from(const Setup *s, const char *text, char **ret, const char **why) {
        CLEANUP_FREE char *address = NULL;

        *why = SAID(s->ctl, "viết dia.chi@co.quan.vn hoặc Tên <dia.chi@co.quan.vn>",
                    "write user@host or Name <user@host>");
        if (mail_address(text, &address) < 0)
                return -EINVAL;
        return check_text(s, text, ret, why);
}

/* One or more, by blanks or commas; kept with one blank between them. */
static int check_addresses(const Setup *s, const char *text, char **ret, const char **why) {
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);
        int r = 0;

        *why = SAID(s->ctl, "viết dia.chi@co.quan.vn; nhiều địa chỉ cách nhau bằng dấu phẩy",
                    "write user@host; commas between several");
        for (size_t n; *text && r >= 0; text += n) {
                CLEANUP_FREE char *one = NULL, *address = NULL;

                text += strspn(text, " ,");
                n = strcspn(text, " ,");
                if (n == 0)
                        break;
                one = strndup(text, n);
                if (!one)
                        return -ENOMEM;
                r = mail_address(one, &address);
                if (r >= 0)
                        r = buf_printf(&b, "%s%s", b.len ? " " : "", address);
        }
        if (r < 0 || b.len == 0)
                return r == -ENOMEM ? r : -EINVAL;
        *ret = buf_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static int check_file(const Setup *s, const char *text, char **ret, const char **why) {
        int r = check_text(s, text, ret, why);

        if (r < 0)
                return r;
        *why = SAID(s->ctl, "không đọc được tệp này", "it cannot be read");
        if (text[0] == '/' && access(text, R_OK) == 0)
                return 0;
        free(*ret);
        *ret = NULL;
        return -EINVAL;
}

static int check_password(const Setup *s, const char *text, char **ret, const char **why) {
        *why = SAID(s->ctl, "quá dài", "it is too long");
        return strlen(text) <= ANSWER_MAX ? copy(text, ret) : -EINVAL;
}

static const Question questions[SETUP_ITEMS] = {
        [SETUP_LANGUAGE] = {"language", "Ngôn ngữ, language (vi, en)",
                            "Language, ngôn ngữ (vi, en)", check_language},
        [SETUP_ORGANIZATION] = {"organization", "Tên cơ quan, ghi đầu mỗi thư",
                                "Organization, at the head of each message", check_text},
        [SETUP_PRESET] = {"preset", "Mẫu nguồn số liệu", "Preset of the source", check_preset},
        [SETUP_URL] = {"url", "Địa chỉ nơi công bố", "Address of the publisher", check_url},
        [SETUP_SCOPE] = {"scope", "Tỉnh hoặc phạm vi, theo mã của nơi công bố",
                         "Province or scope, in the publisher's own code", check_text},
        [SETUP_MAIL] = {"mail", "Máy chủ thư (bỏ trống: chưa gửi thư)",
                        "Mail relay (empty: no mail yet)", check_mail_server},
        [SETUP_MAIL_USER] = {"mail-user", "Tên đăng nhập máy chủ thư (bỏ trống: không cần)",
                             "Log-in name at the relay (empty: none)", check_text},
        [SETUP_MAIL_PASSWORD] = {"mail-password-file", "Mật khẩu máy chủ thư (không hiện ra)",
                                 "Password at the relay (not shown)", check_password, true},
        [SETUP_FROM] = {"from", "Thư đi từ địa chỉ", "Sender of the mails", check_from},
        [SETUP_MAIL_TLS] = {"mail-tls", "TLS (required, opportunistic, none)",
                            "TLS (required, opportunistic, none)", check_tls},
        [SETUP_CA_FILE] = {"ca-file", "Tệp chứng thư nội bộ (bỏ trống: không có)",
                           "File of own certificates (empty: none)", check_file},
        [SETUP_OPERATOR] = {"operator", "Thư báo sự cố gửi đến (người vận hành)",
                            "Who hears of trouble (the operator)", check_addresses},
        [SETUP_RECIPIENT] = {"recipient", "Thư tổng hợp về mọi xã gửi đến (bỏ trống: chưa gửi)",
                             "Who hears of all communes (empty: nobody yet)", check_addresses},
};

/* ---- asking ---------------------------------------------------------------------------------- */

/* Before the prompt is shown: what is typed as soon as it stands there must not be seen. Nothing
 * typed ahead is dropped (TCSADRAIN), so that a script may answer, too. */
static bool echo_off(struct termios *ret_was) {
        if (tcgetattr(STDIN_FILENO, ret_was) < 0)
                return false;
        struct termios quiet = *ret_was;
        quiet.c_lflag &= ~(tcflag_t) ECHO;
        return tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) == 0;
}

/* One line without its end and the blanks before it; what is beyond ANSWER_MAX is dropped, the line
 * then refused as too long. -ENODATA at the end of the input. */
static int read_line(char text[static ANSWER_MAX + 2]) {
        if (!fgets(text, ANSWER_MAX + 2, stdin))
                return -ENODATA;
        size_t n = strlen(text);
        if (n > 0 && text[n - 1] == '\n')
                text[--n] = '\0';
        else
                for (int c = getchar(); c != '\n' && c != EOF;)
                        c = getchar();
        while (n > 0 && text[n - 1] == ' ')
                text[--n] = '\0';
        return 0;
}

static int prompt(const char *question, const char *fallback, bool is_secret,
                  char text[static ANSWER_MAX + 2]) {
        struct termios was;
        bool is_quiet = is_secret && echo_off(&was);

        (void) printf("%s%s%s%s: ", question, fallback ? " [" : "", str_or(fallback, ""),
                      fallback ? "]" : "");
        (void) fflush(stdout);
        int r = read_line(text);
        if (is_quiet) {
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &was);
                (void) printf("\n");
        }
        return r;
}

static int no_answer(const Setup *s) {
        ctl_complain(
                SAID(s->ctl, "không có trả lời, chưa viết gì", "no answer, nothing was written"));
        return EXIT_FAILED;
}

static int ask_one(Setup *s, SetupItem item, const char *fallback, bool is_required) {
        const Question *q = questions + item;
        char text[ANSWER_MAX + 2];

        for (;;) {
                const char *why = "";

                if (prompt(SAID(s->ctl, q->vi, q->en), fallback, q->is_secret, text) < 0)
                        return no_answer(s);
                if (!text[0] && fallback)
                        (void) snprintf(text, sizeof text, "%s", fallback);
                if (!text[0] && !is_required)
                        return EXIT_FINE;
                int r = text[0] ? q->check(s, text, &s->answers[item], &why) : -EINVAL;
                explicit_bzero(text, sizeof text);
                if (r >= 0)
                        return EXIT_FINE;
                if (r == -ENOMEM)
                        return no_answer(s);
                (void) printf("  %s: %s\n", SAID(s->ctl, "chưa được", "not yet"),
                              *why ? why : SAID(s->ctl, "cần trả lời", "an answer is needed"));
        }
}

static int read_password(Setup *s, const char *path) {
        CLEANUP(buf_done) Buf b = BUF_INIT(ANSWER_MAX + 2);
        int r = file_read(path, ANSWER_MAX, &b);

        if (r < 0) {
                ctl_complain("--mail-password-file %s: %s", path, strerror(-r));
                return EXIT_USAGE;
        }
        s->answers[SETUP_MAIL_PASSWORD] = strndup(buf_text(&b), strcspn(buf_text(&b), "\r\n"));
        explicit_bzero(b.data, b.cap);
        return s->answers[SETUP_MAIL_PASSWORD] ? EXIT_FINE : EXIT_FAILED;
}

static int take_option(Setup *s, SetupItem item, const char *text) {
        const char *why = "";

        if (item == SETUP_MAIL_PASSWORD)
                return read_password(s, text);
        int r = questions[item].check(s, text, &s->answers[item], &why);
        if (r < 0)
                ctl_complain("--%s \"%s\": %s", questions[item].option, text, why);
        return r < 0 ? EXIT_USAGE : EXIT_FINE;
}

/* From its option, by asking, or the fallback: whatever comes first. */
static int answer(Setup *s, SetupItem item, const char *fallback, bool is_required) {
        const char *option = ctl_option(s->ctl, questions[item].option);

        if (option)
                return take_option(s, item, option);
        if (s->is_asking)
                return ask_one(s, item, fallback, is_required);
        if (fallback)
                return take_option(s, item, fallback);
        if (!is_required)
                return EXIT_FINE;
        ctl_complain(SAID(s->ctl, "thiếu --%s (%s)", "--%s is missing (%s)"),
                     questions[item].option, SAID(s->ctl, questions[item].vi, questions[item].en));
        return EXIT_USAGE;
}

/* ---- the source ------------------------------------------------------------------------------ */

static void list_presets(const Setup *s) {
        CLEANUP_FREE char *dir = file_join(boot_share_dir(NULL), "presets");
        char **names = NULL;
        size_t n = 0;

        if (!s->is_asking || ctl_option(s->ctl, "preset") || !dir ||
            file_list(dir, ".conf", &names, &n) < 0)
                return;
        (void) printf("%s", SAID(s->ctl, "Mẫu có sẵn:", "Presets:"));
        for (size_t i = 0; i < n; i++)
                (void) printf(" %.*s", (int) (strlen(names[i]) - 5), names[i]);
        (void) printf("\n");
        file_names_free(names, n);
}

static int load_preset(Setup *s) {
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);
        CLEANUP(buf_done) Buf file = BUF_INIT(PRESET_MAX);
        int r = buf_printf(&path, "%s/presets/%s.conf", boot_share_dir(NULL),
                           s->answers[SETUP_PRESET]);

        if (r >= 0)
                r = file_read(buf_text(&path), PRESET_MAX, &file);
        if (r >= 0)
                s->preset_text = buf_take(&file);
        return r < 0 || !s->preset_text ? EXIT_FAILED : EXIT_FINE;
}

/* The comment at the preset's head tells what its scope is. */
static void explain_preset(const Setup *s) {
        if (!s->is_asking)
                return;
        for (const char *line = s->preset_text; line[0] == ';'; line += strcspn(line, "\n") + 1) {
                (void) printf("  %.*s\n", (int) strcspn(line + 1, "\n"), line + 1);
                if (!line[strcspn(line, "\n")])
                        return;
        }
}

/* "url = X" of its [source], or NULL. */
static char *preset_url(const Setup *s) {
        const char *end = strstr(s->preset_text, "\n[part"),
                   *at = strstr(s->preset_text, "\nurl = ");

        if (!at || (end && at > end))
                return NULL;
        at += strlen("\nurl = ");
        return strndup(at, strcspn(at, "\n"));
}

static int ask_source(Setup *s) {
        list_presets(s);
        int r = answer(s, SETUP_PRESET, DEFAULT_PRESET, true);
        if (r == EXIT_FINE)
                r = load_preset(s);
        if (r != EXIT_FINE)
                return r;
        explain_preset(s);
        CLEANUP_FREE char *url = preset_url(s);
        if (strstr(s->preset_text, "{{url}}"))
                r = answer(s, SETUP_URL, url, true);
        if (r == EXIT_FINE && strstr(s->preset_text, "{{scope}}"))
                r = answer(s, SETUP_SCOPE, NULL, true);
        return r;
}

/* ---- mail ------------------------------------------------------------------------------------ */

static int ask_relay(Setup *s) {
        int r = answer(s, SETUP_MAIL, NULL, false);
        if (r != EXIT_FINE || !s->answers[SETUP_MAIL])
                return r;
        r = answer(s, SETUP_MAIL_USER, NULL, false);
        if (r == EXIT_FINE && s->answers[SETUP_MAIL_USER])
                r = answer(s, SETUP_MAIL_PASSWORD, NULL, true);
        if (r == EXIT_FINE)
                r = answer(s, SETUP_FROM, NULL, true);
        return r;
}

/* Rarely needed: asked only after a test mail that failed. */
static int take_rare(Setup *s) {
        bool was_asking = s->is_asking;

        s->is_asking = false;
        int r = answer(s, SETUP_MAIL_TLS, "required", true);
        if (r == EXIT_FINE)
                r = answer(s, SETUP_CA_FILE, NULL, false);
        s->is_asking = was_asking;
        return r;
}

static int ask_people(Setup *s) {
        if (!s->answers[SETUP_MAIL] &&
            (ctl_option(s->ctl, "operator") || ctl_option(s->ctl, "recipient"))) {
                ctl_complain(SAID(
                        s->ctl, "--operator và --recipient nhận qua thư: thêm --mail, máy chủ thư",
                        "--operator and --recipient are told by mail: add --mail, the "
                        "relay"));
                return EXIT_USAGE;
        }
        if (!s->answers[SETUP_MAIL])
                return EXIT_FINE;
        int r = answer(s, SETUP_OPERATOR, NULL, true);
        return r == EXIT_FINE ? answer(s, SETUP_RECIPIENT, NULL, false) : r;
}

int setup_ask_mail(Setup *s) {
        static const SetupItem items[] = {SETUP_MAIL,      SETUP_MAIL_TLS,      SETUP_CA_FILE,
                                          SETUP_MAIL_USER, SETUP_MAIL_PASSWORD, SETUP_FROM};
        int r = EXIT_FINE;

        for (size_t i = 0; r == EXIT_FINE && i < ELEMENTSOF(items); i++) {
                CLEANUP_FREE char *before = TAKE_PTR(s->answers[items[i]]);
                bool is_secret = questions[items[i]].is_secret;

                if (is_secret && !s->answers[SETUP_MAIL_USER])
                        continue;
                bool is_required = items[i] != SETUP_CA_FILE && items[i] != SETUP_MAIL_USER;
                r = ask_one(s, items[i], is_secret ? NULL : before, is_required);
        }
        return r;
}

bool setup_agrees(const Setup *s, const char *vi, const char *en) {
        char text[ANSWER_MAX + 2];

        if (!s->is_asking)
                return true;
        (void) printf("%s [%s] ", SAID(s->ctl, vi, en), SAID(s->ctl, "C/k", "Y/n"));
        (void) fflush(stdout);
        return read_line(text) >= 0 && !strchr("kKnN", text[0] ? text[0] : 'c');
}

int setup_ask(Setup *s) {
        int r = answer(s, SETUP_LANGUAGE, s->ctl->is_vi ? "vi" : "en", true);
        if (r != EXIT_FINE)
                return r;
        s->ctl->is_vi = streq(s->answers[SETUP_LANGUAGE], "vi");
        r = answer(s, SETUP_ORGANIZATION, NULL, true);
        if (r == EXIT_FINE)
                r = ask_source(s);
        if (r == EXIT_FINE)
                r = ask_relay(s);
        if (r == EXIT_FINE)
                r = take_rare(s);
        return r == EXIT_FINE ? ask_people(s) : r;
}
