/* One screen: what is wrong comes first, then figures, alerts, queue, storage. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/show-util.h"

#define MIB (INT64_C(1) << 20)

static const char *state_text(const Ctl *ctl, const char *state) {
        static const struct {
                const char *name, *vi, *en;
        } states[] = {
                {"fetching", "đang lấy", "fetching"}, {"stopped", "đã dừng", "stopped"},
                {"refused", "bị từ chối", "refused"}, {"failing", "lỗi", "failing"},
                {"waiting", "đang chờ", "waiting"},   {"idle", "bình thường", "fine"},
        };

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (streq(states[i].name, state))
                        return SAID(ctl, states[i].vi, states[i].en);
        return state;
}

static Colour state_colour(const char *state) {
        if (streq(state, "stopped") || streq(state, "refused") || streq(state, "failing"))
                return COLOUR_RED;
        return streq(state, "idle") ? COLOUR_GREEN : COLOUR_NONE;
}

/* "2024-08 3/6" while a job runs, "lùi 6/13 ~08:42" of the backfill, with when it will be there; or "". */
static void progress_text(const Ctl *ctl, const json_t *source, char *text, size_t size) {
        const json_t *progress = at(source, "progress");
        const char *until = strchr(at_text(source, "backfill.until"), 'T');
        int64_t done = at_int(source, "backfill.done"), of = at_int(source, "backfill.of");
        int n = 0;

        text[0] = '\0';
        if (json_is_object(progress))
                n = snprintf(text, size, "%s %" PRId64 "/%" PRId64, at_text(progress, "period"),
                             at_int(progress, "part"), at_int(progress, "of"));
        if (done < of && n >= 0 && (size_t) n < size)
                (void) snprintf(text + n, size - (size_t) n, "%s%s %" PRId64 "/%" PRId64 "%s%.5s",
                                n ? ", " : "", SAID(ctl, "lùi", "back"), done, of,
                                until ? " ~" : "", until ? until + 1 : "");
}

int show_sources(const Ctl *ctl, const json_t *sources, Buf *out) {
        CLEANUP(buf_done) Buf why = BUF_INIT(8192);
        CLEANUP(table_done) Table t = {0};
        const json_t *source;
        size_t i;

        table_column(&t, SAID(ctl, "Nguồn", "Source"), false, false);
        table_column(&t, SAID(ctl, "Tình trạng", "State"), false, false);
        table_column(&t, SAID(ctl, "Lần trước", "Last"), false, false);
        table_column(&t, SAID(ctl, "Kết quả", "Outcome"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Lần tới", "Next"), false, true);
        table_column(&t, SAID(ctl, "Đang lấy, bù", "Progress"), false, true);
        table_column(&t, SAID(ctl, "Lý do", "Reason"), false, true);
        json_array_foreach(at(sources, "sources"), i, source) {
                const char *state = at_text(source, "state");
                char last[24], next[24], progress[64];

                progress_text(ctl, source, progress, sizeof(progress));
                table_cell(&t, at_text(source, "name"), COLOUR_NONE);
                table_cell(&t, state_text(ctl, state), state_colour(state));
                table_cell(&t, at_instant(last, source, "last"), COLOUR_NONE);
                table_cell(&t, word_text(ctl, at_text(source, "outcome")), COLOUR_NONE);
                table_cell(&t, at_instant(next, source, "next"), COLOUR_NONE);
                table_cell(&t, progress, COLOUR_NONE);
                table_cell(&t, at_reason(ctl, source, "reason", &why), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

static int show_periods(const Ctl *ctl, const json_t *status, Buf *out) {
        const json_t *period;
        char fetched[24];
        size_t i;
        int r = 0;

        json_array_foreach(at(status, "periods"), i, period) {
                r = buf_printf(out,
                               SAID(ctl, "%s %s: %" PRId64 "/%" PRId64 " đơn vị",
                                    "%s %s: %" PRId64 "/%" PRId64 " units"),
                               at_text(period, "label"), at_text(period, "status_label"),
                               at_int(period, "with_value"), at_int(period, "units"));
                if (r == 0 && *at_instant(fetched, period, "fetched"))
                        r = buf_printf(out, SAID(ctl, ", lấy %s", ", fetched %s"), fetched);
                if (r == 0)
                        r = buf_char(out, '\n');
                if (r < 0)
                        return r;
        }
        return r;
}

static int show_note_counts(const Ctl *ctl, const json_t *status, Buf *out) {
        const json_t *note;
        size_t i;
        int r = 0;

        json_array_foreach(at(status, "notes"), i, note) if (r == 0) r = buf_printf(
                out,
                SAID(ctl, "%s: %" PRId64 " ghi chú số liệu (chisoctl snapshot show %" PRId64 ")\n",
                     "%s: %" PRId64 " data notes (chisoctl snapshot show %" PRId64 ")\n"),
                at_text(note, "source"), at_int(note, "count"), at_int(note, "snapshot"));
        return r;
}

static int show_counts(const Ctl *ctl, const json_t *status, Buf *out) {
        const json_t *rule;
        size_t i;

        int r = buf_printf(out,
                           SAID(ctl, "Cảnh báo: %" PRId64 " (nghiêm trọng %" PRId64 ")",
                                "Alerts: %" PRId64 " (critical %" PRId64 ")"),
                           at_int(status, "alerts.open"), at_int(status, "alerts.critical"));
        json_array_foreach(at(status, "alerts.by_rule"), i, rule) if (r == 0) r =
                buf_printf(out, "%s%s %" PRId64, i == 0 ? ": " : ", ", at_text(rule, "rule"),
                           at_int(rule, "open"));
        if (r == 0)
                r = buf_printf(out,
                               SAID(ctl,
                                    "\nThư: chờ %" PRId64 ", đang gửi %" PRId64 ", hỏng %" PRId64
                                    "\n",
                                    "\nMessages: queued %" PRId64 ", under way %" PRId64
                                    ", dead %" PRId64 "\n"),
                               at_int(status, "outbox.ready"), at_int(status, "outbox.started"),
                               at_int(status, "outbox.dead"));
        if (r == 0)
                r = buf_printf(out, SAID(ctl, "Lưu trữ: %" PRId64 " MB", "Storage: %" PRId64 " MB"),
                               at_int(status, "storage.bytes") / MIB);
        if (r == 0 && json_is_integer(at(status, "storage.free")))
                r = buf_printf(out,
                               SAID(ctl, ", còn trống %" PRId64 " MB", ", %" PRId64 " MB free"),
                               at_int(status, "storage.free") / MIB);
        return r == 0 ? buf_char(out, '\n') : r;
}

/* One line per object of the array: TITLE: a (b), coloured. */
static int show_list(const Ctl *ctl, const json_t *list, const char *title, const char *a,
                     const char *b, Buf *out) {
        const json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, item) {
                CLEANUP(buf_done) Buf line = BUF_INIT(4096);
                const char *detail = b ? at_text(item, b) : "";
                const char *text =
                        json_is_string(item) ? json_string_value(item) : at_text(item, a);

                r = *detail ? buf_printf(&line, "%s: %s (%s)", title, text, detail)
                            : buf_printf(&line, "%s: %s", title, text);
                if (r == 0)
                        r = show_line(ctl, COLOUR_YELLOW, buf_text(&line), out);
                if (r < 0)
                        return r;
        }
        return r;
}

/* "đang giữ: progress-low, các xã thuộc Tiên Lữ, từ 05/09/2024 08:00 (chisoctl alert 12)" */
static int show_subjects(const Ctl *ctl, const json_t *list, const char *title, Buf *out) {
        const json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, item) {
                CLEANUP(buf_done) Buf line = BUF_INIT(8192);
                char since[24];

                bool is_hold = streq(at_text(item, "rule"), "mass-guard");

                r = buf_printf(&line, "%s %s%s%s", title, at_text(item, "subject_text"),
                               is_hold ? "" : ": ",
                               is_hold ? "" : word_text(ctl, at_text(item, "rule")));
                if (r == 0)
                        r = buf_printf(&line, SAID(ctl, ", từ %s", ", since %s"),
                                       at_instant(since, item, "since"));
                if (r == 0)
                        r = buf_printf(&line, " (chisoctl alert %" PRId64 ")",
                                       at_int(item, "alert"));
                if (r == 0)
                        r = show_line(ctl, COLOUR_YELLOW, buf_text(&line), out);
                if (r < 0)
                        return r;
        }
        return r;
}

static int show_trouble(const Ctl *ctl, const json_t *status, Buf *out) {
        CLEANUP(buf_done) Buf line = BUF_INIT(4096);
        const char *trouble = at_text(status, "trouble");

        if (!*trouble)
                return 0;
        int r = buf_printf(&line, SAID(ctl, "SỰ CỐ: %s", "TROUBLE: %s"), trouble);
        return r == 0 ? show_line(ctl, COLOUR_RED, buf_text(&line), out) : r;
}

/* "Is everything running?" in one line, which is not there when something needs a look. */
static int show_wellness(const Ctl *ctl, const json_t *status, Buf *out) {
        static const char *const lists[] = {"holds", "conditions", "paused", "warnings"};

        if (*at_text(status, "trouble") || at_int(status, "outbox.dead") > 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                if (json_array_size(at(status, lists[i])) > 0)
                        return 0;
        return show_line(ctl, COLOUR_GREEN, SAID(ctl, "Mọi việc bình thường.", "All is well."),
                         out);
}

int show_status(const Ctl *ctl, const json_t *status, Buf *out) {
        bool is_live = streq(at_text(status, "notify"), "live");
        char started[24];

        int r = show_trouble(ctl, status, out);
        if (r == 0)
                r = buf_printf(out,
                               SAID(ctl, "chisod %s · %s · %s · chạy từ %s\n",
                                    "chisod %s · %s · %s · since %s\n"),
                               at_text(status, "version"), at_text(status, "organization"),
                               is_live ? SAID(ctl, "đang gửi thông báo (live)", "live")
                                       : SAID(ctl, "chỉ quan sát (observe)", "observe"),
                               at_instant(started, status, "started"));
        if (r == 0)
                r = show_wellness(ctl, status, out);
        if (r == 0)
                r = show_sources(ctl, status, out);
        if (r == 0)
                r = show_periods(ctl, status, out);
        if (r == 0)
                r = show_note_counts(ctl, status, out);
        if (r == 0)
                r = show_counts(ctl, status, out);
        if (r == 0)
                r = show_subjects(ctl, at(status, "holds"),
                                  SAID(ctl, "Chốt chặn hàng loạt", "Mass guard"), out);
        if (r == 0)
                r = show_subjects(ctl, at(status, "conditions"),
                                  SAID(ctl, "Vận hành:", "Operator:"), out);
        if (r == 0)
                r = show_list(ctl, at(status, "paused"), SAID(ctl, "Kênh tạm dừng", "Paused"),
                              "channel", "reason", out);
        if (r == 0)
                r = show_list(ctl, at(status, "warnings"), SAID(ctl, "Lưu ý", "Warning"), "", NULL,
                              out);
        return r;
}
