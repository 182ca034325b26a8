/* `report`: the letter as the daemon keeps it, byte for byte. On a terminal what publishers wrote must
 * not move the cursor, so control and bidi characters become blanks there; a file gets the bytes. Workbooks and
 * documents are for files alone. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/show-util.h"
#include "os/file.h"

#define REPORT_MAX ((size_t) 32 << 20)

static int print_lines(const char *text, size_t n) {
        CLEANUP(buf_done) Buf safe = BUF_INIT(REPORT_MAX);

        for (const char *end = text + n; text < end;) {
                const char *nl = memchr(text, '\n', (size_t) (end - text));
                size_t size = (size_t) ((nl ? nl : end) - text);

                if (text_append_printable(&safe, text, size) < 0 || buf_char(&safe, '\n') < 0)
                        return EXIT_FAILED;
                text += size + 1;
        }
        return ctl_print(&safe);
}

static int add_arguments(const Ctl *ctl, Buf *path) {
        static const char *const names[][2] = {{"parent", "parent"}, {"as-of", "as_of"}};
        int r = buf_str(path, "/v1/report");

        if (r == 0)
                r = query_add(path, "period", ctl->words[0]);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(names); i++)
                r = query_add(path, names[i][1], ctl_option(ctl, names[i][0]));
        return r == 0 ? query_add(path, "new", ctl_option(ctl, "new") ? "1" : NULL) : r;
}

static bool is_binary(const Ctl *ctl) {
        const char *format = str_or(ctl_option(ctl, "format"), "txt");

        return streq(format, "xlsx") || streq(format, "docx");
}

static int deliver(const Ctl *ctl, const Buf *text) {
        const char *path = ctl_option(ctl, "output");

        if (path && streq(path, "-"))
                return ctl_print(text);
        if (!path)
                return isatty(STDOUT_FILENO) ? print_lines(buf_text(text), text->len)
                                             : ctl_print(text);
        int r = file_replace(path, buf_text(text), text->len, 0644);
        if (r >= 0)
                return EXIT_FINE;
        ctl_complain(SAID(ctl, "không ghi được %s: %s", "%s cannot be written: %s"), path,
                     strerror(-r));
        return EXIT_FAILED;
}

/* A draft that was kept says nothing of what was restated since; this is not part of it, and goes to
 * stderr. */
static void tell_changes(Ctl *ctl, const char *path) {
        CLEANUP(buf_done) Buf json = BUF_INIT(8192);
        json_t *answer = NULL;
        char made[24], number[24];

        if (ctl_option(ctl, "as-of") || ctl_option(ctl, "new") || buf_str(&json, path) < 0 ||
            query_add(&json, "limit", "1") < 0 || query_add(&json, "format", "json") < 0)
                return;
        client_language(ctl);
        if (client_get(ctl, buf_text(&json), NULL, &answer) != EXIT_FINE)
                return;
        (void) snprintf(number, sizeof(number), "%" PRId64, at_int(answer, "draft"));
        if (at_int(answer, "total") > 0)
                ctl_complain(
                        SAID(ctl,
                             "dự thảo số %s, lập %s: từ đó đến nay %" PRId64
                             " số liệu trong dự thảo đã được điều chỉnh; bản theo số liệu mới: "
                             "chisoctl report %s --new",
                             "draft %s of %s: %" PRId64
                             " of its figures were revised since; one of the figures of now: "
                             "chisoctl report %s --new"),
                        number, at_instant(made, answer, "made"), at_int(answer, "total"),
                        ctl->words[0]);
        json_decref(answer);
}

/* With --json what is known of the draft, its text and the figures that changed since. */
static int print_json(Ctl *ctl, Buf *path) {
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        if (query_add(path, "format", "json") < 0) {
                ctl_complain("%s", strerror(ENOMEM));
                return EXIT_FAILED;
        }
        int r = client_get_text(ctl, buf_text(path), ctl_option(ctl, "new") != NULL, &text);
        if (r != EXIT_FINE)
                return r;
        return buf_char(&text, '\n') < 0 ? EXIT_FAILED : deliver(ctl, &text);
}

int command_report(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX), bare = BUF_INIT(CTL_PATH_MAX);
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);
        const char *format = ctl_option(ctl, "format");

        if (ctl->is_json && format && !streq(format, "json")) {
                ctl_complain(SAID(ctl, "--json không đi cùng --format %s",
                                  "--json does not go with --format %s"),
                             format);
                return EXIT_USAGE;
        }
        if (ctl_option(ctl, "machine") && (ctl->is_json || !streq(str_or(format, "csv"), "csv"))) {
                ctl_complain(SAID(ctl, "--machine chỉ đi cùng --format csv",
                                  "--machine goes with --format csv alone"));
                return EXIT_USAGE;
        }
        if (is_binary(ctl) && !ctl_option(ctl, "output") && isatty(STDOUT_FILENO)) {
                ctl_complain(SAID(ctl, "dạng %s không in ra màn hình: thêm -o TỆP",
                                  "%s is nothing for a terminal: add -o FILE"),
                             format);
                return EXIT_USAGE;
        }
        if (add_arguments(ctl, &bare) < 0 || buf_str(&path, buf_text(&bare)) < 0 ||
            query_add(&path, "machine", ctl_option(ctl, "machine") ? "1" : NULL) < 0 ||
            query_add(&path, "format", ctl->is_json ? NULL : format) < 0) {
                ctl_complain("%s", strerror(ENOMEM));
                return EXIT_FAILED;
        }
        if (ctl->is_json || streq(str_or(format, ""), "json"))
                return print_json(ctl, &bare);
        int r = client_get_text(ctl, buf_text(&path), ctl_option(ctl, "new") != NULL, &text);
        if (r == EXIT_FINE)
                r = deliver(ctl, &text);
        if (r == EXIT_FINE)
                tell_changes(ctl, buf_text(&bare));
        return r;
}
