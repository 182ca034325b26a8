/* The view model: everything that a message says, as a tree for templates (docs/templates.md).
 *
 * Two layers in one tree. `items` is the machine's: one object per plan item, numbers as exact
 * decimal text ("82.71"), written by render_webhook. `groups`, `rules`, `sources` and `advices` are
 * for people: finished words, put together from the same items, so that templates hold layout and
 * no arithmetic.
 *
 * Every object has all of its keys, null where there is nothing: Mustache looks an absent key up in
 * the objects around. */
#include <errno.h>

#include "base/text.h"
#include "core/render-count.h"

#define OVERVIEW_WORST 5u
#define DISTINCT_MAX 50u /* advices and sources shown; beyond that nobody reads them */

typedef struct Maker {
        const RenderMessage *m;
        Lines lines;
        Pen pen;
        int r;    /* first failure */
        size_t n; /* lines numbered so far */
} Maker;

static void maker_done(Maker *k) {
        lines_done(&k->lines);
        pen_done(&k->pen);
}

/* ---- setting keys ---------------------------------------------------------------------------- */

static void put(Maker *k, json_t *object, const char *key, json_t *value) {
        if (json_object_set_new(object, key, value) < 0 && k->r == 0)
                k->r = -ENOMEM;
}

static void add(Maker *k, json_t *array, json_t *value) {
        if (json_array_append_new(array, value) < 0 && k->r == 0)
                k->r = -ENOMEM;
}

/* jansson refuses what is not UTF-8; a message goes out all the same. */
static json_t *text_value(const char *text) {
        if (!text)
                return json_null();
        if (text_is_utf8(text, strlen(text)))
                return json_string(text);
        CLEANUP(buf_done) Buf clean = BUF_INIT(PEN_MAX);
        return text_append_printable(&clean, text, strlen(text)) < 0
                       ? NULL
                       : json_string(buf_text(&clean));
}

static void put_text(Maker *k, json_t *object, const char *key, const char *text) {
        put(k, object, key, text_value(text));
}

/* A program has seen the id of a message, which is the left part of a Message-ID. */
static void put_message(Maker *k, json_t *object, const char *key, const char *message_id) {
        size_t n = message_id ? strcspn(message_id, "@") : 0;
        put(k, object, key, message_id ? json_stringn(message_id, n) : json_null());
}

static void put_bool(Maker *k, json_t *object, const char *key, bool value) {
        put(k, object, key, json_boolean(value));
}

/* 0 is null: places, episodes. */
static void put_id(Maker *k, json_t *object, const char *key, int64_t value) {
        put(k, object, key, value != 0 ? json_integer(value) : json_null());
}

static void put_decimal(Maker *k, json_t *object, const char *key, int64_t value,
                        unsigned decimals) {
        char text[DECIMAL_TEXT_MAX];
        put_text(k, object, key,
                 value != VALUE_NONE ? decimal_format(text, value, decimals) : NULL);
}

/* What the pen wrote; null when it wrote nothing. */
static json_t *pen_value_taken(Maker *k) {
        CLEANUP_FREE char *text = NULL;
        int r = pen_take(&k->pen, &text);
        if (r < 0) {
                k->r = k->r < 0 ? k->r : r;
                return json_null();
        }
        json_t *value = *text ? text_value(text) : json_null();
        if (!value && k->r == 0)
                k->r = -ENOMEM;
        return value;
}

static void put_pen(Maker *k, json_t *object, const char *key) {
        put(k, object, key, pen_value_taken(k));
}

/* ---- items: for machines --------------------------------------------------------------------- */

static json_t *indicator_object(Maker *k, const IndicatorDef *d) {
        static const char *const units[] = {"percent", "points", "count"};
        if (!d)
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "name", d->name);
        pen_indicator(&k->pen, d, /* is_brief= */ false);
        put_pen(k, o, "label");
        pen_indicator(&k->pen, d, /* is_brief= */ true);
        put_pen(k, o, "brief");
        put_text(k, o, "unit", units[d->unit]);
        return o;
}

static const char *or_null(const char *s) {
        return s && *s ? s : NULL;
}

static json_t *unit_object(Maker *k, const RenderItem *item) {
        if (item->subject || !or_null(item->unit_key))
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "key", item->unit_key);
        put_text(k, o, "code", or_null(item->unit_code));
        put_text(k, o, "name", or_null(item->unit_name));
        put_text(k, o, "kind", or_null(item->unit_kind));
        put_text(k, o, "parent", or_null(item->parent_name));
        pen_unit(&k->pen, item, /* is_start= */ true);
        put_pen(k, o, "title");
        return o;
}

static json_t *period_object(Maker *k, PeriodId period, PeriodStatus status) {
        char text[16];
        if (!period_is_valid(period))
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "id", period_format(text, period));
        put_text(k, o, "type", period_type_name(period_type(period)));
        put_text(k, o, "start", day_format(text, period_start(period)));
        put_text(k, o, "end", day_format(text, period_end(period)));
        put_text(k, o, "status", period_status_name(status));
        pen_period(&k->pen, period);
        put_pen(k, o, "text");
        put_text(k, o, "status_text", status_text(&k->pen, status));
        return o;
}

static void put_instant(Maker *k, json_t *object, const char *key, int64_t at_ms) {
        char text[40];
        put_text(k, object, key, at_ms != 0 ? instant_format(text, at_ms) : NULL);
}

static json_t *source_object(Maker *k, const RenderItem *item) {
        if (!item->source_label)
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "label", item->source_label);
        put_instant(k, o, "fetched_at", item->fetched_ms);
        return o;
}

static json_t *counts_object(Maker *k, const RenderItem *item) {
        if (item->count_part == VALUE_NONE)
                return json_null();
        json_t *o = json_object();
        put(k, o, "part", json_integer(item->count_part));
        put(k, o, "whole",
            item->count_whole != VALUE_NONE ? json_integer(item->count_whole) : json_null());
        return o;
}

static void put_item_numbers(Maker *k, json_t *o, const RenderItem *item) {
        unsigned decimals = item->indicator ? item->indicator->decimals : 0;
        char since[16], escalated[16];
        put_decimal(k, o, "value", item->item.value, decimals);
        put_decimal(k, o, "limit", item->limit, decimals);
        put_decimal(k, o, "delta", item->delta_reason == DELTA_OK ? item->delta : VALUE_NONE,
                    decimals);
        put_text(k, o, "delta_reason",
                 item->delta_reason != DELTA_OK ? delta_reason_name(item->delta_reason) : NULL);
        put_id(k, o, "place", item->place);
        put_id(k, o, "of", item->place ? item->of : 0);
        put(k, o, "counts", counts_object(k, item));
        put_text(k, o, "since",
                 period_is_valid(item->first) ? period_format(since, item->first) : NULL);
        put_text(k, o, "escalated",
                 period_is_valid(item->escalated) ? period_format(escalated, item->escalated)
                                                  : NULL);
        put_decimal(k, o, "old_value", item->item.old_value, decimals);
}

static void put_item_words(Maker *k, json_t *o, const RenderItem *item) {
        pen_value(&k->pen, item->indicator, item->item.value);
        put_pen(k, o, "value_text");
        pen_delta(&k->pen, item);
        put_pen(k, o, "delta_text");
        pen_phrase(&k->pen, item);
        put_pen(k, o, "phrase");
}

static json_t *item_object(Maker *k, const RenderItem *item) {
        bool is_ended = item->item.say == SAY_CLOSING || item->item.say == SAY_LATE;
        json_t *o = json_object();
        put_text(k, o, "say", say_name(item->item.say));
        put_id(k, o, "alert", item->alert);
        put_text(k, o, "rule", item->rule);
        put_text(k, o, "severity", severity_name(item->item.severity));
        put(k, o, "indicator", indicator_object(k, item->indicator));
        put(k, o, "unit", unit_object(k, item));
        put(k, o, "period", period_object(k, item->item.period, item->status));
        put_item_numbers(k, o, item);
        put_text(k, o, "ended",
                 is_ended && item->end != END_NONE ? end_reason_name(item->end) : NULL);
        put_message(k, o, "corrects", item->corrects_id);
        put_instant(k, o, "corrects_at", item->corrects_id ? item->corrects_ms : 0);
        put_text(k, o, "advice", item->advice);
        put(k, o, "source", source_object(k, item));
        put_text(k, o, "subject", item->subject);
        put_text(k, o, "text", item->text);
        put_item_words(k, o, item);
        return o;
}

/* ---- lines: for people ----------------------------------------------------------------------- */

static void add_cell(Maker *k, json_t *bar, int width, bool is_fill, bool is_mark) {
        if (width <= 0)
                return;
        json_t *o = json_object();
        put(k, o, "width", json_integer(width));
        put_bool(k, o, "is_fill", is_fill);
        put_bool(k, o, "is_mark", is_mark);
        put_bool(k, o, "is_rest", !is_fill && !is_mark);
        add(k, bar, o);
}

static bool has_fixed_limit(const RenderItem *item) {
        ConditionKind kind = item->when.kind;
        bool is_level =
                kind == CONDITION_BELOW || kind == CONDITION_ABOVE || kind == CONDITION_BEHIND;
        return is_level && item->limit != VALUE_NONE;
}

/* 99,64 % is not all of it. */
static int share(int64_t value, int64_t max) {
        int percent = (int) CLAMP(decimal_muldiv(value, 100, max), 0, 100);
        return value < max ? MIN(percent, 99) : percent;
}

/* Cells of a table row, widths in percent that add up to 100: nothing but table cells is drawn
 * alike everywhere. */
static json_t *bar_array(Maker *k, const RenderItem *item) {
        const IndicatorDef *d = item->indicator;
        if (!d || d->max == VALUE_NONE || d->max <= 0 || item->item.value == VALUE_NONE)
                return json_null();
        json_t *bar = json_array();
        int fill = share(item->item.value, d->max);
        if (!has_fixed_limit(item)) {
                add_cell(k, bar, fill, true, false);
                add_cell(k, bar, 100 - fill, false, false);
                return bar;
        }
        int mark = MIN(share(item->limit, d->max), 99); /* takes the one percent from there on */
        add_cell(k, bar, MIN(fill, mark), true, false);
        add_cell(k, bar, mark - fill, false, false);
        add_cell(k, bar, 1, false, true);
        add_cell(k, bar, fill - mark - 1, true, false);
        add_cell(k, bar, 100 - MAX(fill, mark + 1), false, false);
        return bar;
}

static const char *group_note(const Pen *p, Group group) {
        switch (group) {
        case GROUP_OPENINGS:
                return SAID(p, " (mới)", " (new)");
        case GROUP_WORSE:
                return SAID(p, " (nặng thêm)", " (worse)");
        case GROUP_CONTINUED:
                return SAID(p, " (kéo dài)", " (continued)");
        case GROUP_CORRECTIONS:
        case GROUP_CLOSINGS: /* their phrases say it */
                break;
        }
        return "";
}

/* What the pen wrote begins a line: "dưới" becomes "Dưới". The phrases begin with these letters
 * only. */
static void pen_capital(Pen *p) {
        char *s = p->buf.data;
        if (!s || p->r < 0)
                return;
        if (s[0] >= 'a' && s[0] <= 'z')
                s[0] = (char) (s[0] - 'a' + 'A');
        else if (strncmp(s, "\u0111", 2) == 0)
                memcpy(s, "\u0110", 2);
}

/* What each rule says of the figure, in one sentence. */
static void pen_phrases(Pen *p, const Line *line) {
        for (size_t i = 0; i < line->n_items; i++) {
                const RenderItem *item = line->items[i];
                if (i > 0)
                        pen_text(p, "; ");
                bool is_told = item->text && *item->text;
                bool is_closed = item_group(item) == GROUP_CLOSINGS && !item_is_hold(item);
                if (!is_told || is_closed)
                        pen_phrase(p, item);
                if (is_told)
                        pen_printf(p, "%s%s", is_closed ? ": " : "", item->text);
                if (item_group(item) != line->group)
                        pen_text(p, group_note(p, item_group(item)));
        }
}

static void pen_since(Pen *p, const RenderItem *item) {
        if (!period_is_valid(item->first) || !period_is_valid(item->item.period) ||
            period_type(item->first) != period_type(item->item.period) ||
            item->first >= item->item.period)
                return;
        pen_period(p, item->first);
        if (item_group(item) != GROUP_CLOSINGS)
                pen_printf(p, SAID(p, " (%d kỳ)", " (%d periods)"),
                           period_distance(item->first, item->item.period) + 1);
}

/* Those of a line may have escalated one after the other: the first of them. */
static void pen_escalated(Pen *p, const Line *line) {
        const RenderItem *first = NULL;
        for (size_t i = 0; i < line->n_items; i++) {
                const RenderItem *item = line->items[i];
                if (period_is_valid(item->escalated) && item_group(item) != GROUP_CLOSINGS &&
                    (!first || item->escalated < first->escalated))
                        first = item;
        }
        if (!first)
                return;
        pen_period(p, first->escalated);
        pen_printf(p, SAID(p, ", sau %d kỳ chưa đạt", ", after %d periods"),
                   period_distance(first->first, first->escalated) + 1);
}

static void pen_alerts(Pen *p, const Line *line) {
        bool is_first = true;
        for (size_t i = 0; i < line->n_items; i++)
                if (line->items[i]->alert != 0) {
                        pen_printf(p, "%s#%lld", is_first ? "" : ", ",
                                   (long long) line->items[i]->alert);
                        is_first = false;
                }
}

static void put_line_figure(Maker *k, json_t *o, const RenderItem *item) {
        pen_value(&k->pen, item->indicator, item->item.value);
        put_pen(k, o, "value");
        put_bool(k, o, "has_value", item->indicator && item->item.value != VALUE_NONE);
        if (has_fixed_limit(item))
                pen_number(&k->pen, item->limit, item->indicator ? item->indicator->decimals : 0,
                           NUMBER_TRIMMED);
        put_pen(k, o, "limit");
        bool has_delta = item->delta_reason == DELTA_OK && item->delta != VALUE_NONE;
        bool is_up = item->indicator && item->indicator->direction == DIRECTION_UP;
        pen_delta(&k->pen, item);
        put_pen(k, o, has_delta ? "delta" : "delta_note");
        put(k, o, has_delta ? "delta_note" : "delta", json_null());
        put_bool(k, o, "is_better", has_delta && item->delta != 0 && (item->delta > 0) == is_up);
        put_bool(k, o, "is_worse", has_delta && item->delta != 0 && (item->delta > 0) != is_up);
        if (item->place > 0)
                pen_printf(&k->pen, "%u/%u", item->place, item->of);
        put_pen(k, o, "place");
        pen_counts(&k->pen, item);
        put_pen(k, o, "counts");
        put(k, o, "bar", bar_array(k, item));
}

/* What was printed before, and where. */
static void put_line_before(Maker *k, json_t *o, const Line *line) {
        const RenderItem *item = line->items[0];
        bool is_fix = item_is_fix(item) || item->item.corrects != 0;
        char at[24];
        if (is_fix || item->item.old_value != VALUE_NONE)
                pen_value(&k->pen, item->indicator, item->item.old_value);
        put_pen(k, o, "old_value");
        put_text(k, o, "corrects_id", item->corrects_id);
        put_text(k, o, "corrects_title", item->corrects_title);
        put_text(k, o, "corrects_at",
                 item->corrects_id && item->corrects_ms ? instant_format_vi(at, item->corrects_ms)
                                                        : NULL);
        put_bool(k, o, "is_fix", is_fix);
}

/* The item of the line that a limit can be drawn from: the first of its group that has one, else
 * the first. */
static const RenderItem *line_speaker(const Line *line) {
        for (size_t i = 0; i < line->n_items; i++)
                if (has_fixed_limit(line->items[i]) && line_group(line->items[i]) == line->group)
                        return line->items[i];
        return line->items[0];
}

static void pen_detail(Pen *all, const json_t *o, const char *key, const char *label) {
        const char *text = json_string_value(json_object_get(o, key));
        if (text)
                pen_printf(all, "%s%s%s", all->buf.len > 0 ? " \u00b7 " : "", label, text);
}

/* The small print of the HTML part in one string, since Mustache cannot set separators. */
static void put_details(Maker *k, json_t *o) {
        Pen *p = &k->pen;
        pen_detail(p, o, "counts", "");
        pen_detail(p, o, "since", SAID(p, "từ ", "since "));
        pen_detail(p, o, "delta_note", SAID(p, "không tính mức thay đổi: ", "change not shown: "));
        pen_detail(p, o, "alerts", SAID(p, "cảnh báo ", "alert "));
        put_pen(k, o, "details");
}

static json_t *line_object(Maker *k, const Line *line) {
        const RenderItem *item = line->items[0];
        bool has_period = period_is_valid(item->item.period);
        json_t *o = json_object();
        put(k, o, "number", json_integer((json_int_t) ++k->n));
        pen_item_title(&k->pen, item);
        put_pen(k, o, "title");
        pen_indicator(&k->pen, item->indicator, /* is_brief= */ false);
        put_pen(k, o, "indicator");
        pen_period(&k->pen, item->item.period);
        put_pen(k, o, "period");
        put_text(k, o, "status", has_period ? status_text(&k->pen, item->status) : NULL);
        put_line_figure(k, o, line_speaker(line));
        put_line_before(k, o, line);
        pen_phrases(&k->pen, line);
        pen_capital(&k->pen);
        put_pen(k, o, "phrases");
        pen_since(&k->pen, item);
        put_pen(k, o, "since");
        pen_escalated(&k->pen, line);
        put_pen(k, o, "escalated");
        pen_alerts(&k->pen, line);
        put_pen(k, o, "alerts");
        put_details(k, o);
        put_bool(k, o, "is_critical", line_is_critical(line));
        put_bool(k, o, "is_closing", line->group == GROUP_CLOSINGS);
        put_bool(k, o, "is_correction", line->group == GROUP_CORRECTIONS);
        return o;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static const char *group_name(Group group) {
        static const char *const names[GROUP_N] = {"corrections", "openings", "worse", "continued",
                                                   "closings"};
        return names[group];
}

static const char *group_title(const Maker *k, Group group, bool has_ends, bool has_figures) {
        const Pen *p = &k->pen;
        bool is_operator = k->m->role == ROLE_OPERATOR;
        switch (group) {
        case GROUP_CORRECTIONS:
                return has_figures ? SAID(p, "Đính chính, điều chỉnh", "Corrections")
                                   : SAID(p, "Thông báo", "Notices");
        case GROUP_OPENINGS:
                return is_operator ? SAID(p, "Sự cố mới", "New")
                                   : SAID(p, "Cảnh báo mới", "New alerts");
        case GROUP_WORSE:
                return SAID(p, "Nặng thêm", "Worse");
        case GROUP_CONTINUED:
                return is_operator ? SAID(p, "Chưa khắc phục", "Not resolved")
                                   : SAID(p, "Vẫn chưa đạt", "Continued");
        case GROUP_CLOSINGS:
                break;
        }
        return is_operator ? SAID(p, "Đã khắc phục", "Resolved")
               : has_ends  ? SAID(p, "Đã kết thúc", "Ended")
                           : SAID(p, "Đã đạt lại", "Recovered");
}

static json_t *group_object(Maker *k, Group group, const Line *lines, size_t n) {
        bool has_ends = false, has_figures = false;
        json_t *o = json_object(), *array = json_array();
        for (size_t i = 0; i < n; i++) {
                has_ends = has_ends || item_is_end(lines[i].items[0]);
                has_figures = has_figures || lines[i].items[0]->indicator;
                if (i < RENDER_MAX_ITEMS)
                        add(k, array, line_object(k, &lines[i]));
        }
        put_text(k, o, "name", group_name(group));
        put_text(k, o, "title", group_title(k, group, has_ends, has_figures));
        put(k, o, "n", json_integer((json_int_t) n));
        if (k->m->role == ROLE_OPERATOR) /* "Sự cố mới": the title says what is counted */
                pen_printf(&k->pen, "%zu", n);
        else
                pen_heading(&k->pen, lines, n, lines_are_of_one_unit(&k->lines));
        put_pen(k, o, "count_text");
        put(k, o, "lines", array);
        return o;
}

bool render_is_overview(Tell tell, RecipientRole role) {
        return tell == TELL_OVERVIEW && role == ROLE_OFFICIAL;
}

static bool is_overview(const RenderMessage *m) {
        return render_is_overview(m->tell, m->role);
}

/* An overview spells out the corrections only, a summary nothing; its rules count the rest. */
static json_t *groups_array(Maker *k) {
        json_t *array = json_array();
        Group end = k->m->is_summary    ? GROUP_CORRECTIONS
                    : is_overview(k->m) ? GROUP_CORRECTIONS + 1
                                        : GROUP_N;
        for (Group g = GROUP_CORRECTIONS; g < end; g++) {
                size_t n;
                const Line *lines = lines_of_group(&k->lines, g, &n);
                if (n > 0)
                        add(k, array, group_object(k, g, lines, n));
        }
        return array;
}

/* ---- overview: a line per rule --------------------------------------------------------------- */

static int compare_worst_first(const void *pa, const void *pb) {
        const RenderItem *a = *(const RenderItem *const *) pa, *b = *(const RenderItem *const *) pb;
        if (a->item.value != b->item.value && a->indicator) {
                if (a->item.value == VALUE_NONE || b->item.value == VALUE_NONE)
                        return a->item.value == VALUE_NONE ? 1 : -1;
                return (a->item.value < b->item.value) == (a->indicator->direction == DIRECTION_UP)
                               ? -1
                               : 1;
        }
        return a < b ? -1 : a > b; /* order of the message */
}

static json_t *worst_array(Maker *k, const RenderItem **items, size_t n) {
        json_t *array = json_array();
        qsort(items, n, sizeof(RenderItem *), compare_worst_first);
        for (size_t i = 0; i < MIN(n, OVERVIEW_WORST); i++) {
                Line line = {.items = &items[i], .n_items = 1, .group = item_group(items[i])};
                json_t *o = line_object(k, &line);
                put_bool(k, o, "is_last", i + 1 == MIN(n, OVERVIEW_WORST));
                add(k, array, o);
        }
        return array;
}

/* "Tiến độ giải quyết: ngưỡng 95": of the rule, not of one unit. */
static void pen_rule(Pen *p, const RenderItem *item) {
        RenderItem rule = *item;
        rule.limit = VALUE_NONE;
        rule.delta = VALUE_NONE;
        if (!item->indicator) {
                pen_text(p, item->rule);
                return;
        }
        pen_indicator(p, item->indicator, /* is_brief= */ false);
        if (condition_is_value(item->when.kind))
                pen_text(p, ": ");
        pen_condition(p, &rule);
}

typedef struct Tally {
        size_t counts[GROUP_N];
        size_t n; /* items of the rule */
        bool has_ends;
        const RenderItem *newest; /* of the newest period; NULL: none has one */
} Tally;

/* "3 xã", "1 số liệu": `items` are all of the rule. */
static void pen_count(Pen *p, Group group, size_t count, const RenderItem **items, size_t n) {
        pen_printf(p, "%zu ", count);
        if (group == GROUP_CORRECTIONS)
                pen_text(p, p->is_en ? count == 1 ? "figure" : "figures" : "số liệu");
        else
                pen_unit_noun(p, items, n, count);
}

/* "3 xã mới, 2 xã đã đạt lại" */
static void pen_tally(Pen *p, const Tally *t, const RenderItem **items) {
        static const char *const words[GROUP_N][2] = {
                {"đính chính", "corrected"}, {"mới", "new"},
                {"nặng thêm", "worse"},      {"vẫn chưa đạt", "continued"},
                {"đã đạt lại", "recovered"},
        };
        static const Group order[] = {GROUP_OPENINGS, GROUP_WORSE, GROUP_CONTINUED, GROUP_CLOSINGS,
                                      GROUP_CORRECTIONS};
        bool is_first = true;
        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                if (t->counts[order[i]] == 0)
                        continue;
                bool is_ended = order[i] == GROUP_CLOSINGS && t->has_ends;
                pen_text(p, is_first ? "" : ", ");
                pen_count(p, order[i], t->counts[order[i]], items, t->n);
                pen_printf(p, " %s",
                           is_ended ? SAID(p, "đã kết thúc", "ended") : words[order[i]][p->is_en]);
                is_first = false;
        }
}

/* All items of one rule. */
static Tally tally_rule(const RenderMessage *m, size_t first, const RenderItem **ret) {
        Tally t = {0};
        for (size_t i = first; i < m->n_items; i++) {
                const RenderItem *item = &m->items[i];
                if (!streq_ptr(item->rule, m->items[first].rule))
                        continue;
                ret[t.n++] = item;
                t.counts[item_group(item)]++;
                t.has_ends = t.has_ends || item_is_end(item);
                if (period_is_valid(item->item.period) &&
                    (!t.newest || item->item.period > t.newest->item.period))
                        t.newest = item;
        }
        return t;
}

/* What still stands, to the front. */
static size_t keep_standing(const RenderItem **items, size_t n) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                Group group = item_group(items[i]);
                if (group != GROUP_CLOSINGS && group != GROUP_CORRECTIONS)
                        items[kept++] = items[i];
        }
        return kept;
}

/* `scratch` has room for all of the message. */
static json_t *rule_object(Maker *k, size_t first, const RenderItem **scratch) {
        const RenderMessage *m = k->m;
        Tally t = tally_rule(m, first, scratch);
        json_t *o = json_object();
        put_text(k, o, "rule", m->items[first].rule);
        pen_rule(&k->pen, &m->items[first]);
        put_pen(k, o, "title");
        if (t.newest) {
                pen_period(&k->pen, t.newest->item.period);
                pen_printf(&k->pen, " (%s)", status_text(&k->pen, t.newest->status));
        }
        put_pen(k, o, "period");
        put(k, o, "n", json_integer((json_int_t) t.n));
        pen_tally(&k->pen, &t, scratch);
        put_pen(k, o, "counts_text");
        size_t n_standing = keep_standing(scratch, t.n);
        put_bool(k, o, "has_worst", n_standing > 0);
        put(k, o, "worst", worst_array(k, scratch, n_standing));
        return o;
}

static bool is_first_of_rule(const RenderMessage *m, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq_ptr(m->items[k].rule, m->items[i].rule))
                        return false;
        return m->items[i].rule;
}

static json_t *rules_array(Maker *k) {
        if (!is_overview(k->m))
                return json_array();
        CLEANUP_FREE const RenderItem **scratch = calloc(k->m->n_items + 1, sizeof(RenderItem *));
        if (!scratch)
                return NULL;
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++)
                if (is_first_of_rule(k->m, i))
                        add(k, array, rule_object(k, i, scratch));
        return array;
}

/* ---- said once for all items ----------------------------------------------------------------- */

static bool has_text(const json_t *array, const char *text) {
        for (size_t i = 0; i < json_array_size(array); i++)
                if (streq(str_or(json_string_value(json_array_get(array, i)), ""), text))
                        return true;
        return false;
}

static void add_distinct(Maker *k, json_t *array) {
        json_t *value = pen_value_taken(k);
        const char *text = json_string_value(value);
        if (text && json_array_size(array) < DISTINCT_MAX && !has_text(array, text))
                add(k, array, value);
        else
                json_decref(value);
}

static json_t *advices_array(Maker *k) {
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++) {
                const RenderItem *item = &k->m->items[i];
                Group group = item_group(item);
                if (group == GROUP_CLOSINGS || group == GROUP_CORRECTIONS)
                        continue;
                if (item_is_hold(item) && k->m->role == ROLE_OPERATOR)
                        pen_hold_advice(&k->pen, item);
                else if (item->advice)
                        pen_text(&k->pen, item->advice);
                else
                        continue;
                add_distinct(k, array);
        }
        return array;
}

static json_t *sources_array(Maker *k) {
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++) {
                const RenderItem *item = &k->m->items[i];
                char at[24];
                if (!item->source_label)
                        continue;
                pen_text(&k->pen, item->source_label);
                if (item->fetched_ms != 0)
                        pen_printf(&k->pen, SAID(&k->pen, ", lấy lúc %s", ", fetched %s"),
                                   instant_format_vi(at, item->fetched_ms));
                add_distinct(k, array);
        }
        return array;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const char *message_type(const Maker *k) {
        static const char *const types[GROUP_N] = {"alert.correction", "alert.opening",
                                                   "alert.worse", "alert.continued",
                                                   "alert.closing"};
        if (is_overview(k->m))
                return "alert.overview";
        if (k->lines.n == 0)
                return "alert.none";
        for (Group g = GROUP_CORRECTIONS; g < GROUP_N; g++)
                if (k->lines.n_in_group[g] == k->lines.n)
                        return types[g];
        return "alert.digest";
}

static void put_head(Maker *k, json_t *view) {
        const RenderMessage *m = k->m;
        char at[24];
        CLEANUP_FREE char *subject = render_subject(m);
        if (!subject)
                k->r = -ENOMEM;
        put_text(k, view, "type", message_type(k));
        put_text(k, view, "id", m->id);
        put_instant(k, view, "at", m->now_ms);
        put_text(k, view, "at_text", instant_format_vi(at, m->now_ms));
        put_text(k, view, "organization", m->organization);
        put_text(k, view, "recipient", m->recipient);
        put_text(k, view, "to", or_null(m->to));
        put_text(k, view, "language", k->pen.is_en ? "en" : "vi");
        put_text(k, view, "subject_line", subject);
        put_bool(k, view, "drill", m->is_drill);
        put_text(k, view, "contact", or_null(m->contact));
        put_text(k, view, "scope", or_null(m->scope_name));
        put_bool(k, view, "is_operator", m->role == ROLE_OPERATOR);
        put_bool(k, view, "is_official", m->role == ROLE_OFFICIAL);
        put_bool(k, view, "is_overview", is_overview(m));
        put_bool(k, view, "is_empty", m->n_items == 0);
        put(k, view, "open", json_integer((json_int_t) m->open.n));
        put_bool(k, view, "has_open", m->open.n > 0);
        pen_open(&k->pen, m);
        put_pen(k, view, "open_text");
}

json_t *render_view(const RenderMessage *m) {
        CLEANUP(maker_done) Maker k = {.m = m, .pen = pen_new(m->language)};
        if (lines_init(&k.lines, m->items, m->n_items) < 0)
                return NULL;
        json_auto_t *view = json_object(), *items = json_array();
        put_head(&k, view);
        for (size_t i = 0; i < MIN(m->n_items, RENDER_MAX_ITEMS); i++)
                add(&k, items, item_object(&k, &m->items[i]));
        put(&k, view, "items", json_incref(items));
        put(&k, view, "n_items", json_integer((json_int_t) m->n_items));
        if (m->is_bare)
                return k.r == 0 ? json_incref(view) : NULL;
        put(&k, view, "groups", groups_array(&k));
        put(&k, view, "rules", rules_array(&k));
        json_t *advices = advices_array(&k), *sources = sources_array(&k);
        put_bool(&k, view, "has_advices", json_array_size(advices) > 0);
        put(&k, view, "advices", advices);
        put_bool(&k, view, "has_sources", json_array_size(sources) > 0);
        put(&k, view, "sources", sources);
        return k.r == 0 ? json_incref(view) : NULL;
}
