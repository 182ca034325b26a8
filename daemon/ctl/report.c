/* `report`: the letter as the daemon keeps it, byte for byte. On a terminal what publishers wrote must
 * not move the cursor, so control and bidi characters become blanks there; a file gets the bytes. Workbooks and
 * documents are for files alone. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/ctl.h"
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
        static const char *const names[][2] = {
                {"parent", "parent"}, {"format", "format"}, {"as-of", "as_of"}};
        int r = buf_str(path, "/v1/report");

        if (r == 0)
                r = query_add(path, "period", ctl->words[0]);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(names); i++)
                r = query_add(path, names[i][1], ctl_option(ctl, names[i][0]));
        if (r == 0)
                r = query_add(path, "machine", ctl_option(ctl, "machine") ? "1" : NULL);
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

int command_report(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(8192);
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        if (is_binary(ctl) && !ctl_option(ctl, "output") && isatty(STDOUT_FILENO)) {
                ctl_complain(SAID(ctl, "dạng %s không in ra màn hình: thêm -o TỆP",
                                  "%s is nothing for a terminal: add -o FILE"),
                             ctl_option(ctl, "format"));
                return EXIT_USAGE;
        }
        if (add_arguments(ctl, &path) < 0) {
                ctl_complain("%s", strerror(ENOMEM));
                return EXIT_FAILED;
        }
        int r = client_get_text(ctl, buf_text(&path), ctl_option(ctl, "new") != NULL, &text);
        if (r != EXIT_FINE)
                return r;
        return deliver(ctl, &text);
}
