/* What is counted, with its noun: of subjects, headings and the foot. Private to render*.c.
 *
 * One mail counts several things: units, their figures (a line each), alerts (a rule and a unit;
 * two may share a figure, and most were told before). A number never stands without its noun. */
#pragma once

#include "core/render-lines.h"
#include "core/render-words.h"

/* Then its figures are counted, else its units. */
bool lines_are_of_one_unit(const Lines *l);
/* "4 xã", "2 chỉ số" of one unit, "3 số liệu" that are corrected, "1 cảnh báo hàng loạt" of the
 * mass guard. The lines are at least one, of one group. */
void pen_lines(Pen *p, const Line *lines, size_t n, bool is_one_unit);
/* The same over the lines themselves: "5 chỉ số của 4 xã" where they are more than the units. */
void pen_heading(Pen *p, const Line *lines, size_t n, bool is_one_unit);
/* "7 cảnh báo của 5 đơn vị" */
void pen_open(Pen *p, const RenderMessage *m);
