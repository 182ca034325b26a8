/* Finished words for people, put together from the items, so that templates hold layout and no
 * arithmetic: lines in their groups, and of an overview a line per rule. */
#include "core/render-people.h"

#include <errno.h>

#include "core/render-count.h"

#define OVERVIEW_WORST 5u

/* ---- lines: for people ----------------------------------------------------------------------- */

static void add_cell(Maker *k, json_t *bar, int width, bool is_fill, bool is_mark) {
        if (width <= 0)
                return;
        json_t *o = json_object();
        put_value(k, o, "width", json_integer(width));
        put_bool(k, o, "is_fill", is_fill);
        put_bool(k, o, "is_mark", is_mark);
        put_bool(k, o, "is_rest", !is_fill && !is_mark);
        add_value(k, bar, o);
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
        put_value(k, o, has_delta ? "delta_note" : "delta", json_null());
        put_bool(k, o, "is_better", has_delta && item->delta != 0 && (item->delta > 0) == is_up);
        put_bool(k, o, "is_worse", has_delta && item->delta != 0 && (item->delta > 0) != is_up);
        if (item->place > 0)
                pen_printf(&k->pen, "%u/%u", item->place, item->of);
        put_pen(k, o, "place");
        pen_counts(&k->pen, item);
        put_pen(k, o, "counts");
        put_value(k, o, "bar", bar_array(k, item));
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
        put_value(k, o, "number", json_integer((json_int_t) ++k->n));
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
                        add_value(k, array, line_object(k, &lines[i]));
        }
        put_text(k, o, "name", group_name(group));
        put_text(k, o, "title", group_title(k, group, has_ends, has_figures));
        put_value(k, o, "n", json_integer((json_int_t) n));
        if (k->m->role == ROLE_OPERATOR) /* "Sự cố mới": the title says what is counted */
                pen_printf(&k->pen, "%zu", n);
        else
                pen_heading(&k->pen, lines, n, lines_are_of_one_unit(&k->lines));
        put_pen(k, o, "count_text");
        put_value(k, o, "lines", array);
        return o;
}

bool render_is_overview(Tell tell, RecipientRole role) {
        return tell == TELL_OVERVIEW && role == ROLE_OFFICIAL;
}

bool message_is_overview(const RenderMessage *m) {
        return render_is_overview(m->tell, m->role);
}

json_t *groups_array(Maker *k) {
        json_t *array = json_array();
        Group end = k->m->is_summary            ? GROUP_CORRECTIONS
                    : message_is_overview(k->m) ? GROUP_CORRECTIONS + 1
                                                : GROUP_N;
        for (Group g = GROUP_CORRECTIONS; g < end; g++) {
                size_t n;
                const Line *lines = lines_of_group(&k->lines, g, &n);
                if (n > 0)
                        add_value(k, array, group_object(k, g, lines, n));
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
                add_value(k, array, o);
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
        put_value(k, o, "n", json_integer((json_int_t) t.n));
        pen_tally(&k->pen, &t, scratch);
        put_pen(k, o, "counts_text");
        size_t n_standing = keep_standing(scratch, t.n);
        put_bool(k, o, "has_worst", n_standing > 0);
        put_value(k, o, "worst", worst_array(k, scratch, n_standing));
        return o;
}

static bool is_first_of_rule(const RenderMessage *m, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq_ptr(m->items[k].rule, m->items[i].rule))
                        return false;
        return m->items[i].rule;
}

json_t *rules_array(Maker *k) {
        if (!message_is_overview(k->m))
                return json_array();
        CLEANUP_FREE const RenderItem **scratch = calloc(k->m->n_items + 1, sizeof(RenderItem *));
        if (!scratch)
                return NULL;
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++)
                if (is_first_of_rule(k->m, i))
                        add_value(k, array, rule_object(k, i, scratch));
        return array;
}
