/* Words and numbers for people.
 *
 * Both languages stand side by side at the place of use, so that a sentence is changed in both or
 * in none; tables of strings by number were tried and hid which words make one sentence (and their
 * formats from the compiler). */
#include "core/render-words.h"

#include <errno.h>

Pen pen_new(const char *language) {
        return (Pen){.buf = BUF_INIT(PEN_MAX), .is_en = language && streq(language, "en")};
}

void pen_done(Pen *p) {
        buf_done(&p->buf);
}

int pen_take(Pen *p, char **ret) {
        if (p->r < 0)
                return p->r;
        char *text = buf_take(&p->buf);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

void pen_text(Pen *p, const char *s) {
        int r = buf_str(&p->buf, s);
        if (p->r == 0)
                p->r = r;
}

void pen_printf(Pen *p, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        int r = buf_vprintf(&p->buf, format, ap);
        va_end(ap);
        if (p->r == 0)
                p->r = r;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int64_t power_of_ten(unsigned n) {
        int64_t v = 1;
        while (n-- > 0)
                v *= 10;
        return v;
}

/* English from the machine form: grouping comma, U+2212. */
static void pen_number_en(Pen *p, int64_t value, unsigned decimals, bool is_trimmed,
                          bool is_signed) {
        char text[DECIMAL_TEXT_MAX];
        const char *s = decimal_format(text, value, decimals);
        if (value < 0) {
                pen_text(p, "\u2212");
                s += *s == '-';
        } else if (is_signed && value > 0)
                pen_text(p, "+");
        size_t n_whole = strcspn(s, ".");
        for (size_t i = 0; i < n_whole; i++)
                pen_printf(p, "%s%c", i > 0 && (n_whole - i) % 3 == 0 ? "," : "", s[i]);
        if (!is_trimmed)
                pen_text(p, s + n_whole);
}

void pen_number(Pen *p, int64_t value, unsigned decimals, NumberForm form) {
        if (decimals > 2) { /* people read two digits (semantics 1) */
                value = decimal_rescale(value, decimals, 2);
                decimals = 2;
        }
        bool is_trimmed = form == NUMBER_TRIMMED && value % power_of_ten(decimals) == 0;
        if (p->is_en) {
                pen_number_en(p, value, decimals, is_trimmed, form == NUMBER_CHANGE);
                return;
        }
        char text[DECIMAL_TEXT_MAX];
        DecimalFlags flags =
                (is_trimmed ? DECIMAL_TRIM_WHOLE : 0) | (form == NUMBER_CHANGE ? DECIMAL_SIGN : 0);
        pen_text(p, decimal_format_vi(text, value, decimals, flags));
}

void pen_value(Pen *p, const IndicatorDef *indicator, int64_t value) {
        if (!indicator)
                return;
        if (value == VALUE_NONE) {
                pen_text(p, SAID(p, "không có số liệu", "no figure"));
                return;
        }
        bool is_percent = indicator->unit == INDICATOR_PERCENT;
        pen_number(p, value, indicator->decimals, is_percent ? NUMBER_TRIMMED : NUMBER_FULL);
        if (is_percent)
                pen_text(p, SAID(p, " %", "%"));
        else if (indicator->unit == INDICATOR_POINTS)
                pen_text(p, SAID(p, " điểm", " points"));
}

void pen_counts(Pen *p, const RenderItem *item) {
        if (item->count_part == VALUE_NONE || !item->indicator)
                return;
        const char *name = item->indicator->name;
        size_t n = strlen(name);
        bool is_progress = n >= 8 && streq(name + n - 8, "progress");
        bool is_digital = n >= 12 && streq(name + n - 12, "digitization");
        pen_number(p, item->count_part, 0, NUMBER_FULL);
        if (item->count_whole != VALUE_NONE) {
                pen_text(p, SAID(p, " trong ", " of "));
                pen_number(p, item->count_whole, 0, NUMBER_FULL);
        }
        pen_text(p, SAID(p, " hồ sơ", " dossiers"));
        if (is_progress)
                pen_text(p, SAID(p, " quá hạn", " overdue"));
        else if (is_digital)
                pen_text(p, SAID(p, " chưa số hóa", " not digitized"));
}

/* ---- periods, units, indicators -------------------------------------------------------------- */

void pen_period(Pen *p, PeriodId period) {
        char text[48];
        if (period_is_valid(period))
                pen_text(p, p->is_en ? period_format_en(text, period)
                                     : period_format_vi(text, period));
}

const char *status_text(const Pen *p, PeriodStatus status) {
        switch (status) {
        case PERIOD_RUNNING:
                return SAID(p, "đang chạy", "running");
        case PERIOD_PROVISIONAL:
                return SAID(p, "tạm tính", "provisional");
        case PERIOD_CLOSED:
                break;
        }
        return SAID(p, "đã chốt", "final");
}

const char *severity_name(Severity severity) {
        return severity == SEVERITY_CRITICAL  ? "critical"
               : severity == SEVERITY_WARNING ? "warning"
                                              : NULL;
}

static const char *after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Written forms of type words, with the trailing blank; abbreviations are only read. */
static const struct {
        const char *word, *start; /* "xã", "Xã" */
        const char *written[6];
} type_words[] = {
        {"xã", "Xã", {"xã ", "Xã ", "XÃ ", "X. "}},
        {"phường", "Phường", {"phường ", "Phường ", "PHƯỜNG ", "P. "}},
        {"thị trấn",
         "Thị trấn",
         {"thị trấn ", "Thị trấn ", "Thị Trấn ", "THỊ TRẤN ", "TT ", "TT. "}},
        {"đặc khu", "Đặc khu", {"đặc khu ", "Đặc khu ", "Đặc Khu ", "ĐẶC KHU "}},
        {"thị xã", "Thị xã", {"thị xã ", "Thị xã ", "Thị Xã ", "THỊ XÃ ", "TX ", "TX. "}},
        {"huyện", "Huyện", {"huyện ", "Huyện ", "HUYỆN "}},
        {"quận", "Quận", {"quận ", "Quận ", "QUẬN "}},
        {"tỉnh", "Tỉnh", {"tỉnh ", "Tỉnh ", "TỈNH "}},
        {"thành phố",
         "Thành phố",
         {"thành phố ", "Thành phố ", "Thành Phố ", "THÀNH PHỐ ", "TP ", "TP. "}},
};

static const char *without_council(const char *name) {
        static const char *const councils[] = {"UBND ", "Ủy ban nhân dân ", "Uỷ ban nhân dân ",
                                               "Ủy ban Nhân dân ", "ỦY BAN NHÂN DÂN "};
        for (size_t i = 0; i < ELEMENTSOF(councils); i++) {
                const char *rest = after(name, councils[i]);
                if (rest)
                        return rest;
        }
        return name;
}

/* " - tỉnh An Giang" says where the unit is; its readers know. */
static size_t length_without_place(const char *name) {
        static const char *const places[] = {" - tỉnh ", " - Tỉnh ", " - thành phố ",
                                             " - Thành phố ", " - TP "};
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                const char *place = strstr(name, places[i]);
                if (place && place > name)
                        return (size_t) (place - name);
        }
        return strlen(name);
}

/* Index into type_words, or -1; *ret_rest begins behind the word. */
static int type_word(const char *name, const char **ret_rest) {
        for (size_t i = 0; i < ELEMENTSOF(type_words); i++)
                for (size_t k = 0;
                     k < ELEMENTSOF(type_words[i].written) && type_words[i].written[k]; k++) {
                        const char *rest = after(name, type_words[i].written[k]);
                        if (rest) {
                                *ret_rest = rest;
                                return (int) i;
                        }
                }
        return -1;
}

static const char *item_name(const RenderItem *item) {
        const char *names[] = {item->unit_name, item->unit_code, item->unit_key};
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i] && *names[i])
                        return names[i];
        return "";
}

void pen_unit(Pen *p, const RenderItem *item, bool is_start) {
        const char *name = without_council(item_name(item)), *rest = name;
        int type = type_word(name, &rest);
        if (type >= 0)
                pen_printf(p, "%s ", is_start ? type_words[type].start : type_words[type].word);
        pen_printf(p, "%.*s", (int) MIN(length_without_place(rest), (size_t) 4096), rest);
}

const char *subject_text(const char *subject) {
        const char *colon = strchr(subject, ':');
        return colon && colon[1] ? colon + 1 : subject;
}

bool item_is_hold(const RenderItem *item) {
        return item->subject && strncmp(item->subject, "hold:", 5) == 0;
}

/* "hold:RULE/PARENT/KIND" */
void pen_hold_advice(Pen *p, const RenderItem *item) {
        const char *rule = subject_text(item->subject);
        int n = (int) MIN(strcspn(rule, "/"), (size_t) 200);
        pen_printf(p,
                   SAID(p,
                        "Nếu ngưỡng và số liệu đúng: chisoctl rules release %.*s (cán bộ được báo "
                        "ở kỳ công bố tới); nếu sai: sửa cấu hình hoặc chờ nguồn sửa. Không làm "
                        "gì: các cảnh báo này vẫn bị giữ, không ai được báo, đến khi số liệu sau "
                        "cho thấy không còn quá nhiều đơn vị như vậy.",
                        "If limit and figures are right: chisoctl rules release %.*s (officials "
                        "hear at the next publication); if not: correct the configuration or wait "
                        "for the source. If nothing is done these alerts stay held and nobody is "
                        "told of them, until later figures no longer show so many."),
                   n, rule);
}

void pen_item_title(Pen *p, const RenderItem *item) {
        if (!item->subject)
                pen_unit(p, item, /* is_start= */ true);
        else if (item_is_hold(item) && item->unit_name && *item->unit_name)
                pen_text(p, item->unit_name);
        else
                pen_text(p, subject_text(item->subject));
}

static bool is_ward(const RenderItem *item) {
        const char *rest = NULL;
        int type = type_word(without_council(item_name(item)), &rest);
        return type >= 0 && streq(type_words[type].word, "phường");
}

void pen_unit_noun(Pen *p, const RenderItem *const *items, size_t n_items, size_t n) {
        size_t n_communes = 0, n_provinces = 0, n_wards = 0;
        for (size_t i = 0; i < n_items; i++) {
                const char *kind = str_or(items[i]->unit_kind, "");
                n_communes += streq(kind, "commune");
                n_provinces += streq(kind, "province");
                n_wards += streq(kind, "commune") && is_ward(items[i]);
        }
        if (n_provinces == n_items)
                pen_text(p, p->is_en ? n == 1 ? "province" : "provinces" : "tỉnh");
        else if (n_communes != n_items)
                pen_text(p, p->is_en ? n == 1 ? "unit" : "units" : "đơn vị");
        else if (p->is_en)
                pen_text(p, n == 1 ? "commune" : "communes");
        else
                pen_text(p, n_wards == 0 ? "xã" : n_wards == n_items ? "phường" : "xã, phường");
}

void pen_indicator(Pen *p, const IndicatorDef *indicator, bool is_brief) {
        if (!indicator)
                return;
        const char *label = str_or(indicator->label, indicator->name);
        if (p->is_en)
                label = str_or(indicator->label_en, label);
        else if (is_brief)
                label = str_or(indicator->brief, label);
        bool is_capital = p->is_en && is_brief && label[0] >= 'A' && label[0] <= 'Z' &&
                          !(label[1] >= 'A' && label[1] <= 'Z');
        if (is_capital) /* "Progress" inside of a sentence */
                pen_printf(p, "%c%s", label[0] - 'A' + 'a', label + 1);
        else
                pen_text(p, label);
}

/* ---- change ---------------------------------------------------------------------------------- */

void pen_delta(Pen *p, const RenderItem *item) {
        if (!item->indicator)
                return;
        switch (item->delta_reason) {
        case DELTA_OK:
                if (item->delta != VALUE_NONE)
                        pen_number(p, item->delta, item->indicator->decimals, NUMBER_CHANGE);
                break;
        case DELTA_FIRST:
                pen_text(p, SAID(p, "chưa có kỳ trước", "no earlier period"));
                break;
        case DELTA_GAP:
                pen_text(p,
                         SAID(p, "kỳ trước không có số liệu", "no figure in the previous period"));
                break;
        case DELTA_MERGED:
                pen_text(p, SAID(p, "đơn vị mới thành lập hoặc sáp nhập", "unit is new or merged"));
                break;
        case DELTA_ERA:
                pen_text(p, SAID(p, "không so sánh được với kỳ trước", "not comparable"));
                if (item->era_reason)
                        pen_printf(p, ": %s", item->era_reason);
                break;
        case DELTA_MISSING:
                pen_text(p, SAID(p, "kỳ này không có số liệu", "no figure in this period"));
                break;
        case DELTA_RUNNING:
                pen_text(p, SAID(p, "kỳ chưa kết thúc", "period has not ended"));
                break;
        }
}

/* ---- conditions ------------------------------------------------------------------------------ */

static const char *period_noun(const Pen *p, PeriodId period) {
        switch (period_is_valid(period) ? period_type(period) : PERIOD_MONTH) {
        case PERIOD_QUARTER:
                return SAID(p, "quý", "quarters");
        case PERIOD_HALF:
                return SAID(p, "kỳ 6 tháng", "half-years");
        case PERIOD_YEAR:
                return SAID(p, "năm", "years");
        case PERIOD_MONTH:
                break;
        }
        return SAID(p, "tháng", "months");
}

static void pen_amount(Pen *p, const RenderItem *item, int64_t amount) {
        if (amount != VALUE_NONE)
                pen_number(p, amount, item->indicator ? item->indicator->decimals : 2,
                           NUMBER_TRIMMED);
}

/* The limit that it was held against (critical or not), else the one that the rule names. */
static void pen_limit(Pen *p, const RenderItem *item) {
        pen_amount(p, item, item->limit != VALUE_NONE ? item->limit : item->when.amount);
}

static void pen_and(Pen *p, const RenderItem *item) {
        if (item->when.and_kind == CONDITION_NONE)
                return;
        pen_text(p, item->when.and_kind == CONDITION_BELOW ? SAID(p, ", dưới ", ", below ")
                                                           : SAID(p, ", trên ", ", above "));
        pen_amount(p, item, item->when.and_amount);
}

static void pen_peers(Pen *p, const RenderItem *item) {
        const char *kind = str_or(item->unit_kind, "");
        if (streq(kind, "commune"))
                pen_text(p, p->is_en        ? "the other communes"
                            : is_ward(item) ? "các xã, phường còn lại"
                                            : "các xã còn lại");
        else
                pen_text(p, SAID(p, "các đơn vị còn lại", "the other units"));
}

/* "5,20" when the fall is known, "từ 5" of the rule otherwise. */
static void pen_fall(Pen *p, const RenderItem *item) {
        bool is_withdrawn = item->item.say == SAY_WITHDRAWN;
        bool has_delta = is_withdrawn ? item->has_told_delta
                                      : item->delta != VALUE_NONE && item->delta_reason == DELTA_OK;
        int64_t delta = is_withdrawn ? item->told_delta : item->delta;
        if (has_delta && delta < 0 && item->indicator) {
                pen_number(p, -delta, item->indicator->decimals, NUMBER_FULL);
                return;
        }
        pen_text(p, SAID(p, "từ ", "at least "));
        pen_amount(p, item, item->when.amount);
}

void pen_condition(Pen *p, const RenderItem *item) {
        switch (item->when.kind) {
        case CONDITION_BELOW:
        case CONDITION_ABOVE:
                pen_text(p, SAID(p, "ngưỡng ", "limit "));
                pen_limit(p, item);
                break;
        case CONDITION_BEHIND:
                pen_text(p, SAID(p, "thấp so với ", "behind "));
                pen_peers(p, item);
                break;
        case CONDITION_DROP:
                pen_text(p, SAID(p, "tụt ", "down "));
                pen_fall(p, item);
                break;
        case CONDITION_FALLING:
                pen_printf(p, SAID(p, "giảm %d %s liền", "falling for %d %s"), item->when.count,
                           period_noun(p, item->item.period));
                break;
        case CONDITION_FLAT:
                pen_printf(p, SAID(p, "chững %d %s", "flat for %d %s"), item->when.count,
                           period_noun(p, item->item.period));
                break;
        case CONDITION_RANK_DROP:
                pen_printf(p, SAID(p, "tụt từ %d bậc", "down %d places or more"), item->when.count);
                break;
        case CONDITION_NONE:
        case CONDITION_MISSING:
        case CONDITION_RESTATED:
        case CONDITION_OVERDUE:
        case CONDITION_STALE:
        case CONDITION_SOURCE_FAILING:
                return;
        }
        pen_and(p, item);
}

void pen_fault(Pen *p, const RenderItem *item) {
        int n = item->when.count;
        switch (item->when.kind) {
        case CONDITION_MISSING:
                pen_text(p, SAID(p, "không có số liệu như kỳ trước",
                                 "no figure, unlike the period before"));
                break;
        case CONDITION_RESTATED:
                pen_text(p, SAID(p, "số liệu kỳ đã chốt bị sửa",
                                 "figure of a closed period restated"));
                break;
        case CONDITION_OVERDUE:
                pen_printf(p, SAID(p, "quá hạn công bố %d ngày chưa có số liệu", "%d days overdue"),
                           n);
                break;
        case CONDITION_STALE:
                pen_printf(p, SAID(p, "số liệu không đổi %d ngày", "figures unchanged for %d days"),
                           n);
                break;
        case CONDITION_SOURCE_FAILING:
                pen_printf(
                        p,
                        SAID(p, "không lấy được số liệu %d lần liền", "failed %d times in a row"),
                        n);
                break;
        default:
                pen_condition(p, item);
        }
}

/* ---- phrases --------------------------------------------------------------------------------- */

bool item_is_correction(const RenderItem *item) {
        Say say = item->item.say;
        return say == SAY_WITHDRAWN || say == SAY_FIX || say == SAY_LATE;
}

bool item_is_fix(const RenderItem *item) {
        return item->item.say == SAY_WITHDRAWN || item->item.say == SAY_FIX || item->is_restated;
}

bool item_is_end(const RenderItem *item) {
        if (item_is_hold(item)) /* nobody recovered: it is just over */
                return item->item.say == SAY_CLOSING;
        return item->end != END_NONE && item->end != END_CLEAR;
}

static void pen_standing(Pen *p, const RenderItem *item) {
        const Condition *c = &item->when;
        if (c->kind == CONDITION_BELOW)
                pen_text(p, SAID(p, "dưới ", "below "));
        else if (c->kind == CONDITION_ABOVE)
                pen_text(p, SAID(p, "trên ", "above "));
        if (c->kind == CONDITION_FLAT) {
                pen_printf(p, SAID(p, "đang có xu hướng chững (%d %s)", "levelling off (%d %s)"),
                           c->count, period_noun(p, item->item.period));
                pen_and(p, item);
        } else
                pen_fault(p, item);
        if (c->kind == CONDITION_BEHIND && item->limit != VALUE_NONE) {
                pen_text(p, SAID(p, " (dưới mức ", " (below "));
                pen_limit(p, item);
                pen_text(p, ")");
        }
        if (item->item.severity == SEVERITY_CRITICAL && !item_is_correction(item))
                pen_text(p, SAID(p, " (nghiêm trọng)", " (critical)"));
}

static void pen_end(Pen *p, const RenderItem *item) {
        switch (item->end) {
        case END_UNIT_ENDED:
                pen_text(p, SAID(p, "kết thúc vì đơn vị không còn",
                                 "ended: the unit no longer exists"));
                return;
        case END_ERA:
                pen_text(p, SAID(p, "kết thúc vì đổi cách tính",
                                 "ended: the way of counting changed"));
                if (item->era_reason)
                        pen_printf(p, " (%s)", item->era_reason);
                return;
        case END_RULE_CHANGED:
                pen_text(p, SAID(p, "kết thúc vì quy tắc thay đổi", "ended: the rule changed"));
                return;
        case END_RULE_REMOVED:
                pen_text(p, SAID(p, "kết thúc vì bỏ quy tắc", "ended: the rule was removed"));
                return;
        case END_NONE:
        case END_CLEAR:
                break;
        }
        switch (item->when.kind) {
        case CONDITION_BELOW:
                pen_text(p, SAID(p, "đã đạt lại ngưỡng ", "back above "));
                pen_limit(p, item);
                break;
        case CONDITION_ABOVE:
                pen_text(p, SAID(p, "đã về trong ngưỡng ", "back under "));
                pen_limit(p, item);
                break;
        case CONDITION_BEHIND:
                pen_text(p, SAID(p, "không còn thấp so với ", "no longer behind "));
                pen_peers(p, item);
                break;
        case CONDITION_DROP:
        case CONDITION_RANK_DROP:
                pen_text(p, SAID(p, "không còn tụt", "no longer down"));
                break;
        case CONDITION_FALLING:
                pen_text(p, SAID(p, "không còn giảm liên tiếp", "no longer falling"));
                break;
        case CONDITION_FLAT:
                pen_text(p, SAID(p, "không còn chững", "no longer flat"));
                break;
        default:
                pen_text(p, SAID(p, "đã khắc phục", "resolved"));
        }
}

/* Why an alert is withdrawn although its own figure stands. */
static void pen_cause(Pen *p, const RenderItem *item) {
        ConditionKind kind = item->when.kind;
        if (item->item.value == VALUE_NONE || item->item.value != item->item.old_value)
                return;
        if (item->is_cause_other)
                pen_text(p, SAID(p, " (số của đơn vị khác thay đổi)",
                                 " (figures of other units changed)"));
        else if (kind == CONDITION_DROP || kind == CONDITION_FALLING || kind == CONDITION_FLAT ||
                 kind == CONDITION_RANK_DROP)
                pen_text(p, SAID(p, " (số kỳ trước thay đổi)",
                                 " (a figure of an earlier period changed)"));
}

void pen_phrase(Pen *p, const RenderItem *item) {
        switch (item->item.say) {
        case SAY_CLOSING:
                pen_end(p, item);
                break;
        case SAY_WITHDRAWN:
                pen_text(p, SAID(p, "rút cảnh báo đã gửi", "alert withdrawn"));
                if (item->when.kind != CONDITION_NONE)
                        pen_text(p, ": ");
                pen_condition(p, item);
                pen_cause(p, item);
                break;
        case SAY_FIX:
                pen_text(p, SAID(p, "số liệu đã báo nay thay đổi",
                                 "a figure told before has changed"));
                break;
        case SAY_LATE:
                pen_text(p, SAID(p, "điều chỉnh: ", "restated: "));
                pen_standing(p, item);
                if (item->end != END_NONE) {
                        pen_text(p, "; ");
                        pen_end(p, item);
                        if (period_is_valid(item->ended)) {
                                pen_text(p, SAID(p, " từ ", " from "));
                                pen_period(p, item->ended);
                        }
                }
                break;
        default:
                pen_standing(p, item);
        }
}
