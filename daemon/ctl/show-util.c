#include "ctl/show-util.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "core/period.h"
#include "core/reason.h"

const json_t *at(const json_t *value, const char *path) {
        char name[64];

        while (value && *path) {
                size_t n = strcspn(path, ".");
                if (n >= sizeof(name))
                        return NULL;
                memcpy(name, path, n);
                name[n] = '\0';
                value = json_object_get(value, name);
                path += n + (path[n] == '.');
        }
        return value;
}

const char *at_text(const json_t *value, const char *path) {
        return str_or(json_string_value(at(value, path)), "");
}

int64_t at_int(const json_t *value, const char *path) {
        return json_integer_value(at(value, path));
}

bool at_bool(const json_t *value, const char *path) {
        return json_is_true(at(value, path));
}

const char *at_instant(char text[static 24], const json_t *value, const char *path) {
        int64_t at_ms;

        text[0] = '\0';
        return instant_parse(at_text(value, path), &at_ms) == 0 ? instant_format_vi(text, at_ms)
                                                                : text;
}

const char *at_period(const Ctl *ctl, char text[static 48], const json_t *value, const char *path) {
        PeriodId period;

        text[0] = '\0';
        if (period_parse(at_text(value, path), &period) != 0)
                return text;
        return ctl->is_vi ? period_format_vi(text, period) : period_format_en(text, period);
}

const char *at_delta(const Ctl *ctl, const json_t *value) {
        static const struct {
                const char *reason, *vi, *en;
        } reasons[] = {
                {"first", "mới có", "first"},         {"gap", "kỳ trước trống", "gap"},
                {"merged", "đơn vị mới", "new unit"}, {"era", "không so sánh", "not comparable"},
                {"running", "đang chạy", "running"},
        };
        const char *text = at_text(value, "delta_text"), *reason = at_text(value, "delta_reason");

        if (*text)
                return text;
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (streq(reasons[i].reason, reason))
                        return SAID(ctl, reasons[i].vi, reasons[i].en);
        return "";
}

const char *at_place(char text[static 32], const json_t *value) {
        text[0] = '\0';
        if (json_is_integer(at(value, "place")))
                (void) snprintf(text, 32, "%" PRId64 "/%" PRId64, at_int(value, "place"),
                                at_int(value, "of"));
        return text;
}

const char *indicator_title(const json_t *indicator, Buf *b) {
        const char *brief = at_text(indicator, "brief");
        const char *title = *brief ? brief : at_text(indicator, "label");

        buf_clear(b);
        if (strncmp(title, "đ", strlen("đ")) == 0)
                (void) buf_printf(b, "Đ%s", title + strlen("đ"));
        else if (title[0] >= 'a' && title[0] <= 'z')
                (void) buf_printf(b, "%c%s", title[0] - 'a' + 'A', title + 1);
        else
                (void) buf_str(b, title);
        return buf_text(b);
}

const char *severity_text(const Ctl *ctl, const char *severity) {
        if (streq(severity, "critical"))
                return SAID(ctl, "nghiêm trọng", "critical");
        return streq(severity, "warning") ? SAID(ctl, "cảnh báo", "warning") : severity;
}

Colour severity_colour(const char *severity) {
        return streq(severity, "critical")  ? COLOUR_RED
               : streq(severity, "warning") ? COLOUR_YELLOW
                                            : COLOUR_NONE;
}

const char *at_reason(const Ctl *ctl, const json_t *value, const char *path, Buf *b) {
        const char *reason = at_text(value, path);

        buf_clear(b);
        return ctl->is_vi && reason_words(reason, b) == 0 ? buf_text(b) : reason;
}

int show_as_of(const Ctl *ctl, const json_t *answer, Buf *out) {
        char text[24];

        if (!*at_instant(text, answer, "as_of.at"))
                return 0;
        return buf_printf(out,
                          SAID(ctl, "Theo những gì đã biết lúc %s; %s.\n", "As known at %s; %s.\n"),
                          text, at_text(answer, "as_of.note"));
}

int show_line(const Ctl *ctl, Colour colour, const char *text, Buf *out) {
        int r = colour_text(out, colour, ctl->has_colour, text);

        return r == 0 ? buf_char(out, '\n') : r;
}

int show_table(const Ctl *ctl, Table *t, Buf *out) {
        CLEANUP(buf_done) Buf line = BUF_INIT(4096);

        table_fit(t, ctl->columns);
        int r = table_print(t, ctl->has_colour, out);
        for (size_t i = 0; r == 0 && i < t->n_columns; i++)
                if (t->columns[i].is_left_out)
                        r = buf_printf(&line, "%s%s",
                                       line.len > 0 ? ", "
                                                    : SAID(ctl, "Cửa sổ hẹp, bớt cột: ",
                                                           "Narrow window, left out: "),
                                       t->columns[i].title);
        if (r < 0 || line.len == 0)
                return r;
        return show_line(ctl, COLOUR_DIM, buf_text(&line), out);
}

const char *word_text(const Ctl *ctl, const char *word) {
        static const struct {
                const char *word, *vi;
        } words[] = {
                {"opening", "báo mở"},
                {"continued", "báo tiếp"},
                {"worse", "báo nặng hơn"},
                {"closing", "báo đóng"},
                {"withdrawn", "báo rút"},
                {"late", "báo muộn"},
                {"fix", "đính chính"},
                {"assumed", "coi như đã báo"},
                {"rule", "đổi quy tắc"},
                {"median", "trung vị đổi"},
                {"restated", "số liệu được điều chỉnh"},
                {"backfill", "số liệu cũ mới biết"},
                {"new", "có số mới"},
                {"unchanged", "không đổi"},
                {"not_modified", "không đổi"},
                {"rejected", "bị loại"},
                {"failed", "không lấy được"},
                {"suspect", "nghi vấn"},
                {"source-failing", "không lấy được số liệu"},
                {"source-refused", "nguồn từ chối"},
                {"source-overdue", "quá hạn công bố"},
                {"source-stale", "lâu không đổi"},
                {"figures-missing", "thiếu số liệu của một số đơn vị"},
                {"figures-restated", "số liệu đã chốt bị sửa"},
                {"suspect-snapshot", "bộ số liệu đáng ngờ, chưa dùng"},
                {"unknown-units", "có dòng không khớp đơn vị nào"},
                {"era-begins", "cách tính có thể đã khác"},
                {"dead-letter", "không gửi được"},
                {"template-broken", "mẫu thư hỏng"},
                {"database-damaged", "dữ liệu hỏng"},
                {"opened", "mở"},
                {"eased", "nhẹ hơn"},
                {"closed", "đóng"},
                {"amended", "đính chính"},
                {"unit_ended", "đơn vị kết thúc"},
                {"era", "đổi cách tính"},
                {"rule_changed", "đổi quy tắc"},
                {"rule_removed", "bỏ quy tắc"},
                {"acknowledged", "đã nhận"},
                {"silenced", "tạm im"},
                {"commune", "xã"},
                {"district", "huyện"},
                {"province", "tỉnh"},
                {"department", "sở, ngành"},
                {"accepted", "đã nhận"},
                {"refused", "bị từ chối"},
                {"temporary", "tạm thời chưa nhận"},
                {"channel_down", "kênh không gửi được"},
                {"disabled", "nơi nhận đã ngừng"},
                {"unknown", "chưa rõ"},
        };

        for (size_t i = 0; ctl->is_vi && i < ELEMENTSOF(words); i++)
                if (streq(words[i].word, word))
                        return words[i].vi;
        return word;
}

const char *transition_text(const Ctl *ctl, const char *kind) {
        static const struct {
                const char *kind, *vi;
        } kinds[] = {{"continued", "vẫn còn"}, {"worse", "nặng hơn"}, {"withdrawn", "rút"}};

        for (size_t i = 0; ctl->is_vi && i < ELEMENTSOF(kinds); i++)
                if (streq(kinds[i].kind, kind))
                        return kinds[i].vi;
        return word_text(ctl, kind);
}
