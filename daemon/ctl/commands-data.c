/* Snapshots, imported files and the registry: what people look at and decide. Files are opened here;
 * the daemon gets their bytes. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/answer.h"
#include "ctl/show.h"
#include "ctl/xlsx.h"
#include "os/file.h"

#define FILE_MAX ((size_t) 1 << 20) /* what the daemon takes in one request */

/* The preview, the question, the deed. With --json and without --yes the preview alone. */
static int send_if_agreed(Ctl *ctl, const Buf *path, const Buf *bytes, Show show) {
        CLEANUP(buf_done) Buf preview = BUF_INIT(CTL_PATH_MAX);
        bool is_agreed = ctl_option(ctl, "yes");

        if (buf_str(&preview, buf_text(path)) < 0 || query_add(&preview, "preview", "1") < 0)
                return answer_out_of_memory();
        if (!is_agreed) {
                int r = answer_send(ctl, buf_text(&preview), bytes, show);
                if (r != EXIT_FINE || ctl->is_json)
                        return r;
                is_agreed = ctl_confirm(ctl, SAID(ctl, "Ghi vào cơ sở dữ liệu?", "Store this?"));
        }
        return is_agreed ? answer_send(ctl, buf_text(path), bytes, show) : EXIT_FAILED;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static int read_file(const Ctl *ctl, const char *path, Buf *bytes) {
        int r = file_read(path, XLSX_FILE_MAX, bytes);

        if (r >= 0 && (bytes->len <= FILE_MAX || xlsx_is(buf_text(bytes), bytes->len)))
                return EXIT_FINE;
        if (r >= 0 || r == -EFBIG) {
                ctl_complain(SAID(ctl, "%s: tệp quá lớn: tối đa %zu MiB, tệp xlsx %zu MiB",
                                  "%s: the file is too large: at most %zu MiB, an xlsx %zu MiB"),
                             path, FILE_MAX >> 20, XLSX_FILE_MAX >> 20);
                return EXIT_FAILED;
        }
        ctl_complain(SAID(ctl, "không đọc được %s: %s", "%s cannot be read: %s"), path,
                     strerror(-r));
        return EXIT_FAILED;
}

/* ---- workbooks ------------------------------------------------------------------------------- */

static int complain_refused(const Ctl *ctl, const char *path, const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++) {
                if (diag->items[i].line)
                        ctl_complain(SAID(ctl, "%s dòng %u: %s", "%s row %u: %s"), path,
                                     diag->items[i].line, diag->items[i].text);
                else
                        ctl_complain("%s: %s", path, diag->items[i].text);
        }
        return EXIT_FAILED;
}

/* A workbook becomes what the daemon reads; other files stay as they are. */
static int convert(const Ctl *ctl, const char *path, bool is_units, Buf *bytes) {
        CLEANUP(xlsx_sheet_done) XlsxSheet sheet = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf out = BUF_INIT(FILE_MAX);

        if (!xlsx_is(buf_text(bytes), bytes->len)) {
                if (!ctl_option(ctl, "sheet"))
                        return EXIT_FINE;
                ctl_complain(SAID(ctl, "%s --sheet: chỉ cho tệp xlsx, %s không phải",
                                  "%s --sheet: for an xlsx file only, %s is none"),
                             is_units ? "chisoctl units import" : "chisoctl import", path);
                return EXIT_USAGE;
        }
        int r = xlsx_read(buf_text(bytes), bytes->len, ctl_option(ctl, "sheet"), ctl->is_vi, &diag,
                          &sheet);
        if (r == 0)
                r = is_units
                            ? xlsx_csv(&sheet, ctl->is_vi, &diag, &out)
                            : xlsx_json(&sheet, base_name(path), buf_text(bytes), bytes->len, &out);
        if (r > 0)
                return complain_refused(ctl, path, &diag);
        if (r == -E2BIG) {
                ctl_complain(SAID(ctl, "%s: bảng quá lớn", "%s: the table is too large"), path);
                return EXIT_FAILED;
        }
        if (r < 0)
                return answer_out_of_memory();
        buf_done(bytes);
        *bytes = out;
        out = BUF_INIT(0);
        return EXIT_FINE;
}

static int read_table(Ctl *ctl, const char *path, bool is_units, Buf *bytes) {
        int r = read_file(ctl, path, bytes);

        if (r != EXIT_FINE)
                return r;
        if (!ctl->is_json)
                client_language(ctl);
        return convert(ctl, path, is_units, bytes);
}

/* ---- snapshot -------------------------------------------------------------------------------- */

static int list_snapshots(Ctl *ctl) {
        static const char *const names[] = {"source", "period", "as-of", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (buf_str(&path, "/v1/snapshots") < 0 ||
            answer_add_options(ctl, names, ELEMENTSOF(names), &path) < 0)
                return answer_out_of_memory();
        return answer_get(ctl, buf_text(&path), show_snapshots);
}

int command_snapshot(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        const char *verb = ctl->words[0];
        bool is_show = streq(verb, "show");

        if (streq(verb, "list") && ctl->n_words == 1)
                return list_snapshots(ctl);
        if (ctl->n_words != 2 || (!is_show && !streq(verb, "accept") && !streq(verb, "reject")))
                return answer_usage(ctl, "snapshot list | show ID | accept ID | reject ID");
        int r = buf_str(&path, "/v1/snapshots/");
        if (r == 0)
                r = text_append_url(&path, ctl->words[1], strlen(ctl->words[1]));
        if (r == 0 && !is_show)
                r = buf_printf(&path, "/%s", verb);
        if (r == 0 && is_show)
                r = query_add(&path, "as_of", ctl_option(ctl, "as-of"));
        if (r < 0)
                return answer_out_of_memory();
        return is_show ? answer_get(ctl, buf_text(&path), show_snapshot)
                       : answer_send(ctl, buf_text(&path), NULL, show_decided);
}

/* ---- import ---------------------------------------------------------------------------------- */

static int undo_import(Ctl *ctl, const char *id) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (buf_str(&path, "/v1/snapshots/") < 0 || text_append_url(&path, id, strlen(id)) < 0 ||
            buf_str(&path, "/undo") < 0)
                return answer_out_of_memory();
        return answer_send(ctl, buf_text(&path), NULL, show_decided);
}

int command_import(Ctl *ctl) {
        static const char *const names[] = {"source", "period", "scope"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_FILE_MAX);

        if (ctl_option(ctl, "undo") && ctl->n_words == 0)
                return undo_import(ctl, ctl_option(ctl, "undo"));
        if (ctl->n_words != 1 || !ctl_option(ctl, "source") || !ctl_option(ctl, "period"))
                return answer_usage(
                        ctl,
                        "import FILE --source S --period P [--scope X] [--sheet NAME] [--yes] | "
                        "--undo ID");
        int r = read_table(ctl, ctl->words[0], /* is_units= */ false, &bytes);
        if (r != EXIT_FINE)
                return r;
        if (buf_str(&path, "/v1/snapshots") < 0 ||
            answer_add_options(ctl, names, ELEMENTSOF(names), &path) < 0 ||
            query_add(&path, "name", base_name(ctl->words[0])) < 0)
                return answer_out_of_memory();
        return send_if_agreed(ctl, &path, &bytes, show_import);
}

/* ---- units ----------------------------------------------------------------------------------- */

static int import_units(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_FILE_MAX);

        int r = read_table(ctl, ctl->words[1], /* is_units= */ true, &bytes);
        if (r == EXIT_FINE && buf_str(&path, "/v1/units") < 0)
                return answer_out_of_memory();
        return r == EXIT_FINE ? send_if_agreed(ctl, &path, &bytes, show_unit_changes) : r;
}

static int export_units(const Ctl *ctl) {
        CLEANUP(buf_done) Buf csv = BUF_INIT(ANSWER_MAX);

        const char *format = ctl_option(ctl, "format");
        const char *suffix = ctl->n_words > 1 ? strrchr(ctl->words[1], '.') : NULL;
        bool is_book = streq(str_or(format, suffix ? suffix + 1 : "csv"), "xlsx");

        if (format && !is_book && !streq(format, "csv"))
                return answer_usage(ctl, "units export [FILE] [--format csv|xlsx]");
        int r = client_bytes(ctl, is_book ? "/v1/units?format=xlsx" : "/v1/units?format=csv", &csv);
        if (r != EXIT_FINE || ctl->n_words == 1)
                return r == EXIT_FINE ? ctl_print(&csv) : r;
        int e = file_replace(ctl->words[1], buf_text(&csv), csv.len, 0600);
        if (e >= 0)
                return EXIT_FINE;
        ctl_complain(SAID(ctl, "không ghi được %s: %s", "%s cannot be written: %s"), ctl->words[1],
                     strerror(-e));
        return EXIT_FAILED;
}

static int decide_units(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (buf_str(&path, "/v1/units") < 0 || query_add(&path, "action", ctl->words[0]) < 0 ||
            query_add(&path, "code", ctl->words[1]) < 0 ||
            query_add(&path, "unit", ctl->n_words > 2 ? ctl->words[2] : NULL) < 0 ||
            query_add(&path, "from", ctl_option(ctl, "from")) < 0 ||
            query_add(&path, "unseen", ctl_option(ctl, "yes") ? "1" : NULL) < 0)
                return answer_out_of_memory();
        return answer_send(ctl, buf_text(&path), NULL, show_unit_changes);
}

static int list_units(Ctl *ctl, const char *what, Show show) {
        static const char *const names[] = {"kind", "parent", "all", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (buf_str(&path, what) < 0 ||
            answer_add_options(ctl, names, ELEMENTSOF(names), &path) < 0)
                return answer_out_of_memory();
        return answer_get(ctl, buf_text(&path), show);
}

int command_units(Ctl *ctl) {
        const char *verb = ctl->words[0];
        size_t n = ctl->n_words;

        if (streq(verb, "list") && n == 1)
                return list_units(ctl, "/v1/units", show_units);
        if (streq(verb, "suggest") && n == 1)
                return list_units(ctl, "/v1/quarantine", show_quarantine);
        if (streq(verb, "import") && n == 2)
                return import_units(ctl);
        if (streq(verb, "export") && n <= 2)
                return export_units(ctl);
        if ((streq(verb, "link") && n == 3) ||
            ((streq(verb, "same") || streq(verb, "new")) && n == 2 && ctl_option(ctl, "from")))
                return decide_units(ctl);
        return answer_usage(
                ctl,
                "units list | import FILE | export [FILE] | suggest | link CODE UNIT [--yes] | "
                "same CODE --from DATE | new CODE --from DATE");
}
