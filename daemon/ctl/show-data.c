/* Snapshots, imports and units for people. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/show-util.h"

static const char *number(char text[static 24], const json_t *value, const char *path) {
        (void) snprintf(text, 24, "%" PRId64, at_int(value, path));
        return text;
}

static const char *state_text(const Ctl *ctl, const json_t *snapshot) {
        const char *state = at_text(snapshot, "state");

        if (streq(state, "accepted"))
                return at_bool(snapshot, "is_import") ? SAID(ctl, "đã nhập", "imported")
                                                      : SAID(ctl, "đã nhận", "accepted");
        return streq(state, "suspect") ? SAID(ctl, "chờ duyệt", "suspect")
                                       : SAID(ctl, "đã bỏ", "rejected");
}

int show_snapshots(const Ctl *ctl, const json_t *snapshots, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        CLEANUP(table_done) Table t = {0};
        const json_t *s;
        size_t i;

        table_column(&t, SAID(ctl, "Số", "Id"), true, false);
        table_column(&t, SAID(ctl, "Lúc", "At"), false, false);
        table_column(&t, SAID(ctl, "Nguồn", "Source"), false, false);
        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, false);
        table_column(&t, SAID(ctl, "Đơn vị", "Units"), true, false);
        table_column(&t, SAID(ctl, "Số liệu", "Values"), true, false);
        table_column(&t, SAID(ctl, "Hỏng", "Bad"), true, false);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Tình trạng", "State"), false, false);
        table_column(&t, SAID(ctl, "Lý do", "Reason"), false, true);
        json_array_foreach(at(snapshots, "snapshots"), i, s) {
                char instant[24], text[24], period[48];
                bool is_open = streq(at_text(s, "state"), "suspect");

                table_cell(&t, number(text, s, "id"), COLOUR_NONE);
                table_cell(&t, at_instant(instant, s, "at"), COLOUR_NONE);
                table_cell(&t, at_text(s, "source"), COLOUR_NONE);
                table_cell(&t, at_period(ctl, period, s, "period"), COLOUR_NONE);
                table_cell(&t, number(text, s, "units"), COLOUR_NONE);
                table_cell(&t, number(text, s, "values"), COLOUR_NONE);
                table_cell(&t, number(text, s, "bad"), COLOUR_NONE);
                table_cell(&t, state_text(ctl, s), is_open ? COLOUR_YELLOW : COLOUR_NONE);
                table_cell(&t, at_reason(ctl, s, "reason", &why), COLOUR_NONE);
        }
        int r = show_as_of(ctl, snapshots, out);
        return r == 0 ? show_table(ctl, &t, out) : r;
}

static int show_notes(const Ctl *ctl, const json_t *snapshot, Buf *out) {
        CLEANUP(buf_done) Buf words = BUF_INIT(8192);
        const json_t *n;
        size_t i;
        int r = 0;

        if (json_array_size(at(snapshot, "notes")) > 0)
                r = buf_str(out, SAID(ctl, "Ghi chú số liệu:\n", "Data notes:\n"));
        json_array_foreach(at(snapshot, "notes"), i, n) if (r == 0) r = buf_printf(
                out, "  %s  %s\n", at_text(n, "unit.name"), at_reason(ctl, n, "text", &words));
        return r;
}

int show_snapshot(const Ctl *ctl, const json_t *snapshot, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        CLEANUP(table_done) Table t = {0};
        char instant[24], text[24], period[48];
        const json_t *p;
        size_t i;

        int r = buf_printf(out, "%s %" PRId64 " · %s · %s · %s · %s", SAID(ctl, "Số", "Snapshot"),
                           at_int(snapshot, "id"), at_text(snapshot, "source"),
                           at_period(ctl, period, snapshot, "period"),
                           at_instant(instant, snapshot, "at"), state_text(ctl, snapshot));
        const char *reason = at_reason(ctl, snapshot, "reason", &why);
        if (r == 0)
                r = buf_printf(out, "%s%s\n", *reason ? ": " : "", reason);
        table_column(&t, SAID(ctl, "Phần", "Part"), true, false);
        table_column(&t, SAID(ctl, "Tên", "Name"), false, false);
        table_column(&t, SAID(ctl, "Trang", "Page"), true, false);
        table_column(&t, "SHA-256", false, false);
        json_array_foreach(at(snapshot, "parts"), i, p) {
                char hash[17];

                (void) snprintf(hash, sizeof(hash), "%s", at_text(p, "hash"));
                table_cell(&t, number(text, p, "n"), COLOUR_NONE);
                table_cell(&t, at_text(p, "name"), COLOUR_NONE);
                table_cell(&t, number(text, p, "page"), COLOUR_NONE);
                table_cell(&t, hash, COLOUR_DIM);
        }
        if (r == 0)
                r = show_table(ctl, &t, out);
        return r == 0 ? show_notes(ctl, snapshot, out) : r;
}

int show_decided(const Ctl *ctl, const json_t *report, Buf *out) {
        int64_t n_units = at_int(report, "units_taken_back");
        int r = buf_printf(out,
                           SAID(ctl,
                                "%" PRId64 " số liệu mới, %" PRId64 " thay đổi, %" PRId64
                                " diễn biến cảnh báo\n",
                                "%" PRId64 " new figures, %" PRId64 " changed, %" PRId64
                                " transitions of alerts\n"),
                           at_int(report, "new"), at_int(report, "changed"),
                           at_int(report, "transitions"));
        if (r < 0 || n_units == 0)
                return r;
        return buf_printf(out,
                          SAID(ctl,
                               "%" PRId64 " đơn vị chỉ có trong tệp này: không còn được tính vào "
                               "danh mục và xếp hạng\n",
                               "%" PRId64 " units that only this file had: they no longer count in "
                               "the registry and the rankings\n"),
                          n_units);
}

/* ---- imports --------------------------------------------------------------------------------- */

static int show_refused(const Ctl *ctl, const json_t *report, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        const json_t *row;
        size_t i;
        int r = 0;

        json_array_foreach(at(report, "refused"), i, row) {
                if (r == 0)
                        r = buf_printf(out, SAID(ctl, "  dòng %" PRId64, "  line %" PRId64),
                                       at_int(row, "line"));
                if (r == 0 && at_int(row, "column") > 0)
                        r = buf_printf(out, SAID(ctl, ", cột %" PRId64, ", column %" PRId64),
                                       at_int(row, "column"));
                if (r == 0)
                        r = buf_printf(out, ": %s\n", at_reason(ctl, row, "reason", &why));
        }
        return r;
}

static int show_figure_changes(const Ctl *ctl, const json_t *report, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        CLEANUP(table_done) Table t = {0};
        const json_t *c;
        size_t i;

        table_column(&t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(&t, SAID(ctl, "Chỉ số", "Indicator"), false, false);
        table_column(&t, SAID(ctl, "Cũ", "Old"), true, false);
        table_column(&t, SAID(ctl, "Mới", "New"), true, false);
        table_column(&t, SAID(ctl, "Lý do", "Reason"), false, true);
        json_array_foreach(at(report, "changes"), i, c) {
                table_cell(&t, at_text(c, "unit.name"), COLOUR_NONE);
                table_cell(&t, at_text(c, "indicator"), COLOUR_NONE);
                table_cell(&t, at_text(c, "old_text"), COLOUR_NONE);
                table_cell(&t, at_text(c, "new_text"), COLOUR_NONE);
                table_cell(&t, at_reason(ctl, c, "reason", &why), COLOUR_NONE);
        }
        return i > 0 ? show_table(ctl, &t, out) : 0;
}

/* Good figures that the file would leave without a value: where it does so, and what they are. */
static int show_lost(const Ctl *ctl, const json_t *report, Buf *out) {
        const json_t *f;
        size_t i;
        int64_t n = at_int(report, "lost");

        if (n == 0)
                return 0;
        int r = buf_printf(out,
                           SAID(ctl, "CHÚ Ý: %" PRId64 " số liệu đang có sẽ mất giá trị\n",
                                "BEWARE: %" PRId64 " figures that are known would be lost\n"),
                           n);
        json_array_foreach(at(report, "lost_figures"), i, f) {
                const char *unit = at_text(f, "unit.name"), *indicator = at_text(f, "indicator");
                int64_t line = at_int(f, "line"), column = at_int(f, "column");

                if (r == 0 && line)
                        r = buf_printf(out, SAID(ctl, "  dòng %" PRId64, "  line %" PRId64), line);
                if (r == 0 && line && column)
                        r = buf_printf(out, SAID(ctl, " cột %" PRId64, " column %" PRId64), column);
                if (r == 0)
                        r = buf_printf(out, "%s%s, %s: %s\n", line ? ": " : "  ", unit, indicator,
                                       at_text(f, "old_text"));
        }
        return r;
}

static int show_ignored(const Ctl *ctl, const char *columns, Buf *out) {
        return buf_printf(out, "%s: %s\n", SAID(ctl, "Cột không dùng", "Columns not used"),
                          columns);
}

/* Rounding changes little and is what the indicator says; it is told, not refused. */
static int show_rounded(const Ctl *ctl, const json_t *report, Buf *out) {
        const json_t *first = at(report, "rounded_first");
        int64_t n = at_int(report, "rounded"), column = at_int(first, "column");

        if (n == 0)
                return 0;
        int r = buf_printf(out,
                           SAID(ctl,
                                "Lưu ý: %" PRId64 " số được làm tròn theo số chữ số thập phân của "
                                "chỉ số; số đầu tiên: dòng %" PRId64,
                                "Note: %" PRId64 " values are rounded to the decimals of their "
                                "indicator; the first: line %" PRId64),
                           n, at_int(first, "line"));
        if (r == 0 && column > 0)
                r = buf_printf(out, SAID(ctl, " cột %" PRId64, " column %" PRId64), column);
        return r < 0 ? r
                     : buf_printf(out, ", %s: %s → %s\n", at_text(first, "indicator"),
                                  at_text(first, "written"), at_text(first, "text"));
}

/* What the source fetches by itself does not stay as the file says. */
static int show_put_back(const Ctl *ctl, const json_t *report, Buf *out) {
        int64_t n = at_int(report, "new") + at_int(report, "changed");
        char instant[24];

        if (!*at_text(report, "put_back"))
                return 0;
        return buf_printf(
                out,
                SAID(ctl,
                     "CHÚ Ý: nguồn này tự lấy số liệu của kỳ; lần lấy tới (%s) sẽ ghi lại "
                     "%" PRId64 " số liệu này theo số nguồn công bố\n",
                     "BEWARE: the source fetches this period by itself; its next fetch "
                     "(%s) will put these %" PRId64 " figures back to what it publishes\n"),
                at_instant(instant, report, "put_back"), n);
}

int show_import(const Ctl *ctl, const json_t *report, Buf *out) {
        CLEANUP(buf_done) Buf words = BUF_INIT(8192);
        const char *warning = at_reason(ctl, report, "warning", &words);
        const char *ignored = at_text(report, "ignored_columns");

        int r = buf_printf(
                out,
                SAID(ctl,
                     "%" PRId64 " dòng: %" PRId64 " khớp đơn vị, %" PRId64 " bị từ chối, %" PRId64
                     " chưa rõ đơn vị, %" PRId64 " đơn vị mới; %" PRId64 " số liệu mới, %" PRId64
                     " thay đổi, %" PRId64 " diễn biến cảnh báo\n",
                     "%" PRId64 " rows: %" PRId64 " matched, %" PRId64 " refused, %" PRId64
                     " unknown, %" PRId64 " new units; %" PRId64 " new figures, %" PRId64
                     " changed, %" PRId64 " transitions of alerts\n"),
                at_int(report, "rows"), at_int(report, "matched"), at_int(report, "refused_rows"),
                at_int(report, "unknown"), at_int(report, "registered"), at_int(report, "new"),
                at_int(report, "changed"), at_int(report, "transitions"));
        if (r == 0)
                r = show_refused(ctl, report, out);
        if (r == 0 && *ignored)
                r = show_ignored(ctl, ignored, out);
        if (r == 0)
                r = show_rounded(ctl, report, out);
        if (r == 0 && *warning)
                r = buf_printf(out, "%s: %s\n", SAID(ctl, "Lưu ý", "Note"), warning);
        if (r == 0)
                r = show_figure_changes(ctl, report, out);
        if (r == 0)
                r = show_lost(ctl, report, out);
        if (r == 0)
                r = show_put_back(ctl, report, out);
        if (r == 0 && at_int(report, "snapshot") > 0)
                r = buf_printf(out,
                               SAID(ctl,
                                    "Đã nhập, số %" PRId64 " (bỏ: chisoctl import --undo %" PRId64
                                    ")\n",
                                    "Stored as %" PRId64
                                    " (to undo: chisoctl import --undo %" PRId64 ")\n"),
                               at_int(report, "snapshot"), at_int(report, "snapshot"));
        return r;
}

/* ---- units ----------------------------------------------------------------------------------- */

int show_units(const Ctl *ctl, const json_t *units, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *u;
        size_t i;

        table_column(&t, SAID(ctl, "Mã", "Code"), false, false);
        table_column(&t, SAID(ctl, "Tên", "Name"), false, false);
        table_column(&t, SAID(ctl, "Loại", "Kind"), false, false);
        table_column(&t, SAID(ctl, "Trực thuộc", "Parent"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Từ", "From"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Đến", "Until"), false, true);
        table_column(&t, SAID(ctl, "Hộp thư", "E-mail"), false, true);
        table_column(&t, SAID(ctl, "Khóa", "Key"), false, false);
        table_minor(&t);
        json_array_foreach(at(units, "units"), i, u) {
                table_cell(&t, at_text(u, "code"), COLOUR_NONE);
                table_cell(&t, at_text(u, "name"), COLOUR_NONE);
                table_cell(&t, word_text(ctl, at_text(u, "kind")), COLOUR_NONE);
                table_cell(&t, at_text(u, "parent"), COLOUR_NONE);
                table_cell(&t, at_text(u, "from"), COLOUR_NONE);
                table_cell(&t, at_text(u, "until"), COLOUR_NONE);
                table_cell(&t, at_bool(u, "has_email") ? SAID(ctl, "có", "yes") : "", COLOUR_NONE);
                table_cell(&t, at_text(u, "key"), COLOUR_DIM);
        }
        return show_table(ctl, &t, out);
}

/* A change by the word that the daemon has for it: most are columns of the list. */
static const char *change_word(const Ctl *ctl, const char *what) {
        static const char *const words[][2] = {{"new", "đơn vị mới"},
                                               {"name", "tên"},
                                               {"kind", "loại"},
                                               {"parent", "trực thuộc"},
                                               {"from", "từ ngày"},
                                               {"until", "đến ngày"},
                                               {"code", "mã"},
                                               {"alias", "tên khác"},
                                               {"successor", "đơn vị kế thừa"},
                                               {"successor_from", "kế thừa từ ngày"},
                                               {"email", "hộp thư"}};
        for (size_t i = 0; ctl->is_vi && i < ELEMENTSOF(words); i++)
                if (streq(words[i][0], what))
                        return words[i][1];
        return what;
}

int show_unit_changes(const Ctl *ctl, const json_t *report, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const char *ignored = at_text(report, "ignored_columns");
        const json_t *c;
        size_t i;

        int r = *ignored ? show_ignored(ctl, ignored, out) : 0;
        json_array_foreach(at(report, "warnings"), i, c) if (r == 0) r =
                buf_printf(out, "%s: %s\n", SAID(ctl, "Lưu ý", "Note"), json_string_value(c));
        if (r < 0)
                return r;
        if (json_array_size(at(report, "changes")) == 0)
                return buf_str(out, SAID(ctl, "Không có gì khác.\n", "No difference.\n"));
        table_column(&t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(&t, SAID(ctl, "Thay đổi", "Change"), false, false);
        table_column(&t, SAID(ctl, "Cũ", "Old"), false, true);
        table_column(&t, SAID(ctl, "Mới", "New"), false, true);
        json_array_foreach(at(report, "changes"), i, c) {
                table_cell(&t, at_text(c, "unit"), COLOUR_NONE);
                table_cell(&t, change_word(ctl, at_text(c, "what")), COLOUR_NONE);
                table_cell(&t, at_text(c, "old"), COLOUR_NONE);
                table_cell(&t, at_text(c, "new"), COLOUR_NONE);
        }
        r = show_table(ctl, &t, out);
        return r < 0 ? r
                     : buf_printf(out,
                                  SAID(ctl, "%zu thay đổi, %" PRId64 " diễn biến cảnh báo\n",
                                       "%zu changes, %" PRId64 " transitions of alerts\n"),
                                  json_array_size(at(report, "changes")),
                                  at_int(report, "transitions"));
}

int show_quarantine(const Ctl *ctl, const json_t *quarantine, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        const json_t *q, *s;
        size_t i, j;
        int r = 0;

        json_array_foreach(at(quarantine, "quarantine"), i, q) {
                if (r == 0)
                        r = buf_printf(out, "%s:%s %s\n  %s\n", at_text(q, "namespace"),
                                       at_text(q, "code"), at_text(q, "name"),
                                       at_reason(ctl, q, "reason", &why));
                json_array_foreach(at(q, "suggestions"), j, s) if (r == 0) r =
                        buf_printf(out, "  %s chisoctl units link %s:%s %s   (%s)\n",
                                   SAID(ctl, "có thể:", "perhaps:"), at_text(q, "namespace"),
                                   at_text(q, "code"), at_text(s, "key"), at_text(s, "name"));
        }
        if (r == 0 && i == 0)
                r = buf_str(out, SAID(ctl, "Không có dòng nào chờ.\n", "Nothing is waiting.\n"));
        return r;
}
