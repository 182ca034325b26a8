/* Items put together as people read them: one line per figure, in groups. Private to render*.c. */
#pragma once

#include "core/render.h"

/* In the order of telling (semantics 8). */
typedef enum Group {
        GROUP_CORRECTIONS,
        GROUP_OPENINGS,
        GROUP_WORSE,
        GROUP_CONTINUED,
        GROUP_CLOSINGS,
} Group;
#define GROUP_N 5u

typedef struct Line {
        const RenderItem *const
                *items; /* at least one; [0] is of the line's group and speaks for the figure */
        size_t n_items;
        Group group;
        size_t order; /* of its first item in the message */
} Line;

typedef struct Lines {
        Line *lines; /* by group, critical ones first, indicator, then worst first */
        size_t n;
        const RenderItem **pool;
        size_t n_in_group[GROUP_N];
} Lines;

/* What the item says of its alert, and where its line stands: corrections come first, whatever else
 * they say. */
Group item_group(const RenderItem *item);
Group line_group(const RenderItem *item);
bool line_is_critical(const Line *line); /* any of its items is told as such */

int lines_init(Lines *l, const RenderItem *items, size_t n);
void lines_done(Lines *l);
/* The lines of one group are neighbours: *ret_n of them from the result on. */
const Line *lines_of_group(const Lines *l, Group group, size_t *ret_n);
