/* Items put together as people read them.
 *
 * A figure (indicator, period, unit) is one line, however many rules speak about it; the line
 * stands in the first group that any of them calls for, and critical ones stand first in it: who
 * reads the first lines only has read those. Subjects of operators (sources, holds) are lines of
 * their own. */
#include "core/render-lines.h"

#include <errno.h>

typedef struct Entry {
        const RenderItem *item;
        Group group;
        size_t order;
} Entry;

Group item_group(const RenderItem *item) {
        switch (item->item.say) {
        case SAY_WITHDRAWN:
        case SAY_FIX:
        case SAY_LATE:
                return GROUP_CORRECTIONS;
        case SAY_WORSE:
                return GROUP_WORSE;
        case SAY_CONTINUED:
        case SAY_ASSUMED:
                return GROUP_CONTINUED;
        case SAY_CLOSING:
                return GROUP_CLOSINGS;
        case SAY_NONE:
        case SAY_OPENING:
        case SAY_LETTER:
                break;
        }
        return GROUP_OPENINGS;
}

Group line_group(const RenderItem *item) {
        return item->is_restated ? GROUP_CORRECTIONS : item_group(item);
}

bool line_is_critical(const Line *line) {
        for (size_t i = 0; i < line->n_items; i++)
                if (plan_item_is_critical(&line->items[i]->item))
                        return true;
        return false;
}

static bool is_figure(const RenderItem *item) {
        return !item->subject && item->indicator && item->item.unit != 0;
}

#define COMPARE(a, b)                                                                              \
        do {                                                                                       \
                if ((a) != (b))                                                                    \
                        return (a) < (b) ? -1 : 1;                                                 \
        } while (0)

static int compare_figures(const RenderItem *a, const RenderItem *b) {
        COMPARE(a->item.indicator, b->item.indicator);
        COMPARE(a->item.period, b->item.period);
        COMPARE(a->item.unit, b->item.unit);
        return 0;
}

static int compare_entries(const void *pa, const void *pb) {
        const Entry *a = pa, *b = pb;
        COMPARE(is_figure(a->item), is_figure(b->item));
        if (is_figure(a->item)) {
                int c = compare_figures(a->item, b->item);
                if (c != 0)
                        return c;
                COMPARE(a->group, b->group);
        }
        COMPARE(a->order, b->order);
        return 0;
}

static int compare_worst(const RenderItem *a, const RenderItem *b) {
        if (!a->indicator || a->item.value == b->item.value)
                return 0;
        if (a->item.value == VALUE_NONE || b->item.value == VALUE_NONE)
                return a->item.value == VALUE_NONE ? 1 : -1;
        bool is_less = a->item.value < b->item.value;
        return is_less == (a->indicator->direction == DIRECTION_UP) ? -1 : 1;
}

static int compare_lines(const void *pa, const void *pb) {
        const Line *a = pa, *b = pb;
        const RenderItem *x = a->items[0], *y = b->items[0];
        COMPARE(a->group, b->group);
        COMPARE(line_is_critical(b), line_is_critical(a));
        COMPARE(is_figure(x), is_figure(y));
        if (is_figure(x)) {
                COMPARE(x->item.indicator, y->item.indicator);
                COMPARE(y->item.period, x->item.period); /* newest first */
                int c = compare_worst(x, y);
                if (c != 0)
                        return c;
        }
        COMPARE(a->order, b->order);
        return 0;
}

static bool is_same_line(const Entry *a, const Entry *b) {
        return is_figure(a->item) && is_figure(b->item) && compare_figures(a->item, b->item) == 0;
}

/* The pool follows the entries; a line is a run of one figure in it. */
static void lines_fill(Lines *l, const Entry *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                l->pool[i] = entries[i].item;
                if (i > 0 && is_same_line(&entries[i - 1], &entries[i])) {
                        Line *line = &l->lines[l->n - 1];
                        line->n_items++;
                        line->order = MIN(line->order, entries[i].order);
                        continue;
                }
                l->lines[l->n++] = (Line){.items = l->pool + i,
                                          .n_items = 1,
                                          .group = entries[i].group,
                                          .order = entries[i].order};
        }
        for (size_t i = 0; i < l->n; i++)
                l->n_in_group[l->lines[i].group]++;
}

int lines_init(Lines *l, const RenderItem *items, size_t n) {
        *l = (Lines){0};
        if (n == 0)
                return 0;
        CLEANUP_FREE Entry *entries = calloc(n, sizeof *entries);
        CLEANUP_FREE Line *lines = calloc(n, sizeof *lines);
        CLEANUP_FREE const RenderItem **pool = calloc(n, sizeof(RenderItem *));
        if (!entries || !lines || !pool)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                entries[i] = (Entry){&items[i], line_group(&items[i]), i};
        qsort(entries, n, sizeof *entries, compare_entries);
        l->lines = TAKE_PTR(lines);
        l->pool = TAKE_PTR(pool);
        lines_fill(l, entries, n);
        qsort(l->lines, l->n, sizeof *l->lines, compare_lines);
        return 0;
}

void lines_done(Lines *l) {
        free(l->lines);
        free(l->pool);
        *l = (Lines){0};
}

const Line *lines_of_group(const Lines *l, Group group, size_t *ret_n) {
        size_t start = 0;
        for (Group g = GROUP_CORRECTIONS; g < group; g++)
                start += l->n_in_group[g];
        *ret_n = l->n_in_group[group];
        return l->lines ? l->lines + start : NULL;
}
