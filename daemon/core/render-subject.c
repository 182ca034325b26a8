/* The one line that most people read.
 *
 * One figure speaks in full; several are counted by group, in units when they are of several units
 * and in figures when they are of one. A subject is bounded in columns, since mail programs and
 * telephones cut it anyway. */
#include <errno.h>

#include "base/text.h"
#include "core/render-count.h"

#define SUBJECT_COLUMNS 180u

/* " (ngưỡng 95; tụt 5,20, từ tháng 6/2024)" */
static void pen_reasons(Pen *p, const Line *line) {
        const RenderItem *main = line->items[0];
        bool is_first = true;
        for (size_t i = 0; i < line->n_items; i++) {
                const RenderItem *item = line->items[i];
                bool is_other_end =
                        item_group(item) == GROUP_CLOSINGS && line->group != GROUP_CLOSINGS;
                if (is_other_end || !condition_is_value(item->when.kind))
                        continue;
                pen_text(p, is_first ? " (" : "; ");
                pen_condition(p, item);
                is_first = false;
        }
        if (is_first)
                return;
        if (line->group == GROUP_CONTINUED && main->first != 0 && main->first < main->item.period) {
                pen_text(p, SAID(p, ", từ ", ", since "));
                pen_period(p, main->first);
        }
        pen_text(p, ")");
}

/* What became of the alert, behind its figure. */
static void pen_turn(Pen *p, const RenderItem *item) {
        if (item->item.say == SAY_LATE)
                pen_text(p, SAID(p, ", điều chỉnh", ", restated"));
        else if (item_group(item) == GROUP_WORSE)
                pen_text(p, SAID(p, ", nặng thêm", ", worse"));
        else if (item_group(item) == GROUP_CLOSINGS)
                pen_text(p, item_is_end(item) ? SAID(p, ", đã kết thúc", ", ended")
                                              : SAID(p, ", đã đạt lại", ", recovered"));
}

static void pen_subject_correction(Pen *p, const Line *line) {
        const RenderItem *item = line->items[0];
        const PlanItem *i = &item->item;
        bool is_same = i->value == i->old_value && !item->is_restated;
        if (is_same)
                pen_text(p, SAID(p, "rút cảnh báo về ", "alert withdrawn on "));
        pen_indicator(p, item->indicator, /* is_brief= */ true);
        pen_text(p, SAID(p, " ", " for "));
        pen_period(p, i->period);
        if (is_same)
                return;
        if (i->value == VALUE_NONE) {
                pen_text(p,
                         SAID(p, " không còn số liệu, đã báo ", " is no longer published, was "));
                pen_value(p, item->indicator, i->old_value);
                return;
        }
        pen_text(p, SAID(p, " là ", " is "));
        pen_value(p, item->indicator, i->value);
        if (i->old_value == VALUE_NONE)
                pen_text(p, SAID(p, ", trước đó không có số liệu", ", there was no figure before"));
        else {
                pen_text(p, SAID(p, ", không phải ", ", not "));
                pen_value(p, item->indicator, i->old_value);
        }
        if (item->is_restated) { /* and an alert goes on with the figure */
                pen_reasons(p, line);
                pen_turn(p, item);
        }
}

static void pen_subject_figure(Pen *p, const Line *line) {
        const RenderItem *item = line->items[0];
        pen_indicator(p, item->indicator, /* is_brief= */ true);
        pen_text(p, " ");
        pen_value(p, item->indicator, item->item.value);
        pen_reasons(p, line);
        pen_turn(p, item);
        pen_text(p, " - ");
        pen_period(p, item->item.period);
        pen_printf(p, ", %s", status_text(p, item->status));
}

static void pen_sentence(Pen *p, const char *text) {
        size_t n = strlen(text);
        while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' ' || text[n - 1] == '\n'))
                n--;
        pen_printf(p, "%.*s", (int) MIN(n, (size_t) 2000), text);
}

static void pen_subject_one(Pen *p, const Line *line) {
        const RenderItem *item = line->items[0];
        bool is_fix = item_is_fix(item);
        if (is_fix)
                pen_text(p, SAID(p, "ĐÍNH CHÍNH ", "CORRECTION "));
        pen_item_title(p, item);
        pen_text(p, ": ");
        if (item->subject)
                pen_sentence(p, str_or(item->text, ""));
        else if (is_fix)
                pen_subject_correction(p, line);
        else
                pen_subject_figure(p, line);
}

static bool has_odd_end(const Line *lines, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (item_is_end(lines[i].items[0]))
                        return true;
        return false;
}

static const char *group_words(const Pen *p, Group group, const Line *lines, size_t n) {
        switch (group) {
        case GROUP_OPENINGS:
                return SAID(p, "mới", "new");
        case GROUP_WORSE:
                return SAID(p, "nặng thêm", "worse");
        case GROUP_CONTINUED:
                return SAID(p, "vẫn chưa đạt", "continued");
        case GROUP_CLOSINGS:
                return has_odd_end(lines, n) ? SAID(p, "đã kết thúc", "ended")
                                             : SAID(p, "đã đạt lại", "recovered");
        case GROUP_CORRECTIONS:
                break;
        }
        return SAID(p, "đính chính", "corrected");
}

/* "4 xã mới, 2 xã đã đạt lại" */
static void pen_group_counts(Pen *p, const Lines *l, bool is_one_unit) {
        bool is_first = true;
        for (Group g = GROUP_CORRECTIONS; g < GROUP_N; g++) {
                size_t n_lines;
                const Line *lines = lines_of_group(l, g, &n_lines);
                if (n_lines == 0)
                        continue;
                pen_text(p, is_first ? "" : ", ");
                pen_lines(p, lines, n_lines, is_one_unit);
                bool is_titled = g == GROUP_CORRECTIONS && l->n_in_group[g] == l->n;
                if (!is_titled) /* "ĐÍNH CHÍNH Tiên Lữ: 3 số liệu" says it already */
                        pen_printf(p, " %s", group_words(p, g, lines, n_lines));
                is_first = false;
        }
}

/* The newest period, when all are of one type. */
static PeriodId newest_period(const Lines *l) {
        PeriodId newest = 0;
        for (size_t i = 0; i < l->n; i++) {
                PeriodId period = l->lines[i].items[0]->item.period;
                if (!period_is_valid(period))
                        continue;
                if (newest != 0 && period_type(period) != period_type(newest))
                        return 0;
                newest = MAX(newest, period);
        }
        return newest;
}

/* Does it say of a printed figure that it is another? */
static bool has_fix(const Lines *l) {
        for (size_t i = 0; i < l->n_in_group[GROUP_CORRECTIONS]; i++)
                if (item_is_fix(l->lines[i].items[0]))
                        return true;
        return false;
}

static void pen_subject_several(Pen *p, const RenderMessage *m, const Lines *l) {
        bool is_one_unit = lines_are_of_one_unit(l);
        if (l->n_in_group[GROUP_CORRECTIONS] == l->n || has_fix(l))
                pen_text(p, SAID(p, "ĐÍNH CHÍNH ", "CORRECTION "));
        if (is_one_unit)
                pen_unit(p, l->lines[0].items[0], /* is_start= */ true);
        else
                pen_text(p, m->scope_name && *m->scope_name ? m->scope_name
                                                            : str_or(m->organization, ""));
        pen_text(p, ": ");
        pen_group_counts(p, l, is_one_unit);
        PeriodId newest = newest_period(l);
        if (newest != 0) {
                pen_text(p, " - ");
                pen_period(p, newest);
        }
}

static void pen_official(Pen *p, const RenderMessage *m, const Lines *l) {
        pen_text(p, "[766] ");
        if (m->is_drill)
                pen_text(p, SAID(p, "DIỄN TẬP ", "DRILL "));
        if (l->n == 0)
                pen_printf(p, SAID(p, "%s: không có cảnh báo mới", "%s: no new alerts"),
                           m->scope_name && *m->scope_name ? m->scope_name
                                                           : str_or(m->organization, "chisod"));
        else if (l->n == 1)
                pen_subject_one(p, &l->lines[0]);
        else
                pen_subject_several(p, m, l);
}

/* ---- operators ------------------------------------------------------------------------------- */

static void pen_operator_one(Pen *p, const Line *line) {
        const RenderItem *item = line->items[0];
        pen_item_title(p, item);
        pen_text(p, ": ");
        if (item_is_hold(item)) {
                pen_sentence(p, str_or(item->text, ""));
                return;
        }
        if (line->group == GROUP_CLOSINGS)
                pen_text(p, SAID(p, "đã khắc phục", "resolved"));
        else if (line->group == GROUP_CONTINUED)
                pen_text(p, SAID(p, "chưa khắc phục", "not resolved"));
        else if (line->group == GROUP_WORSE)
                pen_text(p, SAID(p, "nặng thêm", "worse"));
        else if (line->group == GROUP_CORRECTIONS && !item->subject)
                pen_text(p, SAID(p, "đính chính", "correction"));
        bool is_notice = line->group == GROUP_CORRECTIONS && item->subject; /* its text says all */
        if (line->group != GROUP_OPENINGS && !is_notice)
                pen_text(p, ", ");
        if (item->text && *item->text)
                pen_sentence(p, item->text);
        else
                pen_fault(p, item);
}

static void pen_operator_counts(Pen *p, const Lines *l) {
        static const char *const words[GROUP_N][2] = {
                {"đính chính", "corrected"},  {"sự cố mới", "new"},
                {"nặng thêm", "worse"},       {"chưa khắc phục", "not resolved"},
                {"đã khắc phục", "resolved"},
        };
        bool is_first = true;
        for (Group g = GROUP_CORRECTIONS; g < GROUP_N; g++)
                if (l->n_in_group[g] > 0) {
                        pen_printf(p, "%s%zu %s", is_first ? "" : ", ", l->n_in_group[g],
                                   words[g][p->is_en]);
                        is_first = false;
                }
}

static void pen_operator(Pen *p, const RenderMessage *m, const Lines *l) {
        pen_text(p, "[chisod] ");
        if (m->is_drill)
                pen_text(p, SAID(p, "DIỄN TẬP ", "DRILL "));
        if (l->n == 1) {
                pen_operator_one(p, &l->lines[0]);
                return;
        }
        pen_printf(p, "%s: ", str_or(m->organization, "chisod"));
        if (l->n > 0)
                pen_operator_counts(p, l);
        else if (m->open.n > 0) {
                pen_text(p, SAID(p, "đang mở ", "open: "));
                pen_open(p, m);
        } else
                pen_text(p, SAID(p, "không có sự cố nào đang mở", "no issue is open"));
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* Without control characters, and not longer than people see. */
static int subject_bound(const char *text, char **ret) {
        CLEANUP(buf_done) Buf clean = BUF_INIT(PEN_MAX);
        CLEANUP(buf_done) Buf cut = BUF_INIT(PEN_MAX);
        int r = text_append_printable(&clean, text, strlen(text));
        if (r < 0)
                return r;
        Buf *from = &clean;
        if (text_width(buf_text(&clean)) > SUBJECT_COLUMNS) {
                r = text_pad(&cut, buf_text(&clean), SUBJECT_COLUMNS, /* is_right= */ false);
                if (r < 0)
                        return r;
                from = &cut;
        }
        *ret = buf_take(from);
        return *ret ? 0 : -ENOMEM;
}

char *render_subject(const RenderMessage *m) {
        CLEANUP(lines_done) Lines l = {0};
        CLEANUP(pen_done) Pen p = pen_new(m->language);
        CLEANUP_FREE char *text = NULL;
        char *subject = NULL;
        if (lines_init(&l, m->items, m->n_items) < 0)
                return NULL;
        if (m->role == ROLE_OPERATOR)
                pen_operator(&p, m, &l);
        else
                pen_official(&p, m, &l);
        if (pen_take(&p, &text) < 0 || subject_bound(text, &subject) < 0)
                return NULL;
        return subject;
}
