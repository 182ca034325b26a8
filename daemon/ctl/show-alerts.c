/* Alerts and deliveries as lists, one alert as a story. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/show-util.h"

static const char *state_text(const Ctl *ctl, const json_t *alert) {
        const char *state = at_text(alert, "state");

        if (streq(state, "open"))
                return at_bool(alert, "is_held")           ? SAID(ctl, "tạm giữ", "held")
                       : at_bool(alert, "is_acknowledged") ? SAID(ctl, "đã nhận", "acknowledged")
                                                           : SAID(ctl, "đang mở", "open");
        if (streq(state, "closed"))
                return SAID(ctl, "đã đóng", "closed");
        return streq(state, "withdrawn") ? SAID(ctl, "đã rút", "withdrawn") : state;
}

static const char *alert_name(const json_t *alert) {
        const char *name = at_text(alert, "unit.name"), *words = at_text(alert, "subject_text");

        return *name ? name : *words ? words : at_text(alert, "subject");
}

static void add_alert(const Ctl *ctl, const json_t *alert, Table *t) {
        const char *severity = at_text(alert, "severity");
        char id[24], last[48], first[48], place[32];

        (void) snprintf(id, sizeof(id), "%" PRId64, at_int(alert, "id"));
        table_cell(t, id, COLOUR_NONE);
        table_cell(t, severity_text(ctl, severity), severity_colour(severity));
        table_cell(t, alert_name(alert), COLOUR_NONE);
        table_cell(t, at_text(alert, "rule"), COLOUR_NONE);
        table_cell(t, at_text(alert, "text"), COLOUR_NONE);
        table_cell(t, at_text(alert, "limit_text"), COLOUR_NONE);
        table_cell(t, at_text(alert, "delta_text"), COLOUR_NONE);
        table_cell(t, at_place(place, alert), COLOUR_NONE);
        table_cell(t, at_period(ctl, first, alert, "first"), COLOUR_NONE);
        table_cell(t, at_period(ctl, last, alert, "last"), COLOUR_NONE);
        table_cell(t, state_text(ctl, alert), COLOUR_NONE);
}

static void alert_columns(const Ctl *ctl, Table *t) {
        table_column(t, SAID(ctl, "Số", "Id"), true, false);
        table_column(t, SAID(ctl, "Mức", "Severity"), false, false);
        table_column(t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(t, SAID(ctl, "Quy tắc", "Rule"), false, false);
        table_column(t, SAID(ctl, "Giá trị", "Value"), true, true);
        table_column(t, SAID(ctl, "Ngưỡng", "Limit"), true, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Tăng giảm", "Change"), true, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Hạng", "Place"), true, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Từ kỳ", "First"), false, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Kỳ mới nhất", "Last"), false, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Trạng thái", "State"), false, false);
}

int show_alerts(const Ctl *ctl, const json_t *alerts, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(alerts, "alerts"), *alert;
        size_t i;

        int r = show_as_of(ctl, alerts, out);
        if (r < 0)
                return r;
        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Không có cảnh báo.\n", "No alerts.\n"));
        alert_columns(ctl, &t);
        json_array_foreach(list, i, alert) add_alert(ctl, alert, &t);
        r = show_table(ctl, &t, out);
        if (r == 0 && (size_t) at_int(alerts, "total") > json_array_size(list))
                r = buf_printf(out,
                               SAID(ctl, "%zu trong %" PRId64 " cảnh báo\n",
                                    "%zu of %" PRId64 " alerts\n"),
                               json_array_size(list), at_int(alerts, "total"));
        return r;
}

/* ---- one alert ------------------------------------------------------------------------------- */

static int show_transitions(const Ctl *ctl, const json_t *alert, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *transition;
        size_t i;

        table_column(&t, SAID(ctl, "Lúc", "At"), false, false);
        table_column(&t, SAID(ctl, "Diễn biến", "What"), false, false);
        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, true);
        table_column(&t, SAID(ctl, "Giá trị", "Value"), true, true);
        table_column(&t, SAID(ctl, "Ngưỡng", "Limit"), true, true);
        table_column(&t, SAID(ctl, "Hạng", "Place"), true, true);
        table_column(&t, SAID(ctl, "Lý do", "Reason"), false, true);
        json_array_foreach(at(alert, "transitions"), i, transition) {
                char when[24], period[48], place[32];

                table_cell(&t, at_instant(when, transition, "at"), COLOUR_NONE);
                table_cell(&t, transition_text(ctl, at_text(transition, "kind")), COLOUR_NONE);
                table_cell(&t, at_period(ctl, period, transition, "period"), COLOUR_NONE);
                table_cell(&t, at_text(transition, "text"), COLOUR_NONE);
                table_cell(&t, at_text(transition, "limit_text"), COLOUR_NONE);
                table_cell(&t, at_place(place, transition), COLOUR_NONE);
                table_cell(&t, word_text(ctl, at_text(transition, "reason")), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

static int show_acks(const Ctl *ctl, const json_t *alert, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(alert, "acknowledgements"), *ack;
        size_t i;

        if (json_array_size(list) == 0)
                return 0;
        table_column(&t, SAID(ctl, "Đã nhận lúc", "Acknowledged"), false, false);
        table_column(&t, SAID(ctl, "Người nhận", "By"), false, true);
        table_column(&t, SAID(ctl, "Đến", "Until"), false, false);
        table_column(&t, SAID(ctl, "Ghi chú", "Note"), false, true);
        json_array_foreach(list, i, ack) {
                char when[24], until[24];

                table_cell(&t, at_instant(when, ack, "at"), COLOUR_NONE);
                table_cell(&t, at_text(ack, "by"), COLOUR_NONE);
                table_cell(&t,
                           *at_instant(until, ack, "until")
                                   ? until
                                   : SAID(ctl, "khi cảnh báo kết thúc", "its end"),
                           COLOUR_NONE);
                table_cell(&t, at_text(ack, "note"), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

/* What goes on with another figure of the month that was told is a correction, no reminder. */
static const char *told_text(const Ctl *ctl, const json_t *told) {
        const char *said = at_text(told, "said");

        if (at_int(told, "corrects") == 0)
                return word_text(ctl, said);
        if (streq(said, "continued"))
                return SAID(ctl, "đính chính", "correction");
        return streq(said, "worse") ? SAID(ctl, "đính chính, nặng hơn", "correction, worse")
                                    : word_text(ctl, said);
}

static int show_told(const Ctl *ctl, const json_t *alert, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(alert, "told"), *told;
        size_t i;

        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Chưa báo cho ai.\n", "Nobody has been told.\n"));
        table_column(&t, SAID(ctl, "Đã báo cho", "Told"), false, false);
        table_column(&t, SAID(ctl, "Lúc", "At"), false, true);
        table_column(&t, SAID(ctl, "Điều đã báo", "Said"), false, false);
        table_column(&t, SAID(ctl, "Giá trị", "Value"), true, true);
        table_column(&t, SAID(ctl, "Thư số", "Message"), true, false);
        table_column(&t, SAID(ctl, "Tiêu đề", "Subject"), false, true);
        json_array_foreach(list, i, told) {
                char when[24], message[24] = "";
                int64_t id = at_int(told, "message");

                if (id)
                        (void) snprintf(message, sizeof(message), "%" PRId64, id);
                table_cell(&t, at_text(told, "target"), COLOUR_NONE);
                table_cell(&t, at_instant(when, told, "at"), COLOUR_NONE);
                table_cell(&t, told_text(ctl, told), COLOUR_NONE);
                table_cell(&t, at_text(told, "text"), COLOUR_NONE);
                table_cell(&t, message, COLOUR_NONE);
                table_cell(&t, at_text(told, "subject"), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

int show_alert(const Ctl *ctl, const json_t *alert, Buf *out) {
        const char *advice = at_text(alert, "advice"), *label = at_text(alert, "indicator.label");

        int r = show_as_of(ctl, alert, out);
        if (r == 0)
                r = buf_printf(out, "#%" PRId64 " %s · %s%s%s · %s · %s\n", at_int(alert, "id"),
                               alert_name(alert), at_text(alert, "rule"), *label ? " · " : "",
                               label, severity_text(ctl, at_text(alert, "severity")),
                               state_text(ctl, alert));
        if (r == 0 && *advice)
                r = buf_printf(out, "%s\n", advice);
        if (r == 0)
                r = show_transitions(ctl, alert, out);
        if (r == 0)
                r = show_acks(ctl, alert, out);
        return r == 0 ? show_told(ctl, alert, out) : r;
}

/* ---- deliveries, go-live --------------------------------------------------------------------- */

static const char *message_state(const Ctl *ctl, const char *state) {
        static const struct {
                const char *name, *vi;
        } states[] = {
                {"ready", "chờ gửi"}, {"started", "đang gửi"}, {"accepted", "đã nhận"},
                {"dead", "hỏng"},     {"void", "bỏ"},
        };

        for (size_t i = 0; ctl->is_vi && i < ELEMENTSOF(states); i++)
                if (streq(states[i].name, state))
                        return states[i].vi;
        return state;
}

/* Addresses that nothing is planned for: refused too often, or for good. */
static int show_marked(const Ctl *ctl, const json_t *deliveries, Buf *out) {
        const json_t *row;
        size_t i;
        int r = 0;

        json_array_foreach(at(deliveries, "marked"), i, row) if (r == 0) {
                const char *reason = at_text(row, "reason");
                bool is_known = *reason && !streq(reason, "***");
                r = buf_printf(out,
                               SAID(ctl,
                                    "%s: không gửi nữa%s%s (gửi lại: chisoctl retry SỐ, hoặc đổi "
                                    "địa chỉ)\n",
                                    "%s: nothing is sent any more%s%s (chisoctl retry ID, or "
                                    "another address)\n"),
                               at_text(row, "target"), is_known ? ": " : "",
                               is_known ? reason : "");
        }
        return r;
}

int show_deliveries(const Ctl *ctl, const json_t *deliveries, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(deliveries, "deliveries"), *row;
        size_t i;

        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Không có thư.\n", "No messages.\n"));
        table_column(&t, SAID(ctl, "Số", "Id"), true, false);
        table_column(&t, SAID(ctl, "Lúc", "Created"), false, false);
        table_column(&t, SAID(ctl, "Trạng thái", "State"), false, false);
        table_column(&t, SAID(ctl, "Nơi nhận", "Target"), false, false);
        table_column(&t, SAID(ctl, "Lần gửi", "Attempts"), true, false);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Kết quả", "Outcome"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Trả lời", "Response"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Tiêu đề", "Subject"), false, false);
        json_array_foreach(list, i, row) {
                const char *state = at_text(row, "state"), *response = at_text(row, "response");
                char id[24], created[24], attempts[24];

                (void) snprintf(id, sizeof(id), "%" PRId64, at_int(row, "id"));
                (void) snprintf(attempts, sizeof(attempts), "%" PRId64, at_int(row, "attempts"));
                table_cell(&t, id, COLOUR_NONE);
                table_cell(&t, at_instant(created, row, "created"), COLOUR_NONE);
                table_cell(&t, message_state(ctl, state),
                           streq(state, "dead") ? COLOUR_RED : COLOUR_NONE);
                table_cell(&t, at_text(row, "target"), COLOUR_NONE);
                table_cell(&t, attempts, COLOUR_NONE);
                table_cell(&t, word_text(ctl, at_text(row, "outcome")), COLOUR_NONE);
                table_cell(&t, streq(response, "***") ? "" : response, COLOUR_NONE);
                table_cell(&t, at_text(row, "subject"), COLOUR_NONE);
        }
        int r = show_table(ctl, &t, out);
        return r == 0 ? show_marked(ctl, deliveries, out) : r;
}

int show_go_live(const Ctl *ctl, const json_t *preview, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(preview, "targets"), *target;
        size_t i;

        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Hiện không có gì để báo cho ai.\n",
                                         "There is nothing to tell now.\n"));
        table_column(&t, SAID(ctl, "Nơi nhận", "Target"), false, false);
        table_column(&t, SAID(ctl, "Mục", "Items"), true, false);
        table_column(&t, SAID(ctl, "Đang mở", "Open"), true, false);
        table_column(&t, SAID(ctl, "Tiêu đề", "Subject"), false, true);
        json_array_foreach(list, i, target) {
                char items[24], open[24];

                (void) snprintf(items, sizeof(items), "%" PRId64, at_int(target, "items"));
                (void) snprintf(open, sizeof(open), "%" PRId64, at_int(target, "open"));
                table_cell(&t, at_text(target, "target"), COLOUR_NONE);
                table_cell(&t, items, COLOUR_NONE);
                table_cell(&t, open, COLOUR_NONE);
                table_cell(&t, at_text(target, "subject"), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}
