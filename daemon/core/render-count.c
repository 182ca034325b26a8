#include "core/render-count.h"

#include <errno.h>

typedef struct Count {
        size_t n_units, n_figures, n_holds;
} Count;

static bool is_of_unit(const Line *line) {
        return line->items[0]->item.unit != 0;
}

static Count count_lines(const Line *lines, size_t n) {
        Count c = {0};
        for (size_t i = 0; i < n; i++) {
                if (!is_of_unit(&lines[i])) {
                        c.n_holds++;
                        continue;
                }
                size_t k = 0;
                while (k < i && lines[k].items[0]->item.unit != lines[i].items[0]->item.unit)
                        k++;
                c.n_units += k == i;
                c.n_figures++;
        }
        return c;
}

bool lines_are_of_one_unit(const Lines *l) {
        for (size_t i = 0; i < l->n; i++)
                if (!is_of_unit(&l->lines[i]) ||
                    l->lines[i].items[0]->item.unit != l->lines[0].items[0]->item.unit)
                        return false;
        return true;
}

static void pen_units(Pen *p, const Line *lines, size_t n_lines, size_t n) {
        CLEANUP_FREE const RenderItem **items = calloc(n_lines, sizeof(RenderItem *));
        size_t n_items = 0;
        if (!items) {
                p->r = p->r < 0 ? p->r : -ENOMEM;
                return;
        }
        for (size_t i = 0; i < n_lines; i++)
                if (is_of_unit(&lines[i]))
                        items[n_items++] = lines[i].items[0];
        pen_printf(p, "%zu ", n);
        pen_unit_noun(p, items, n_items, n);
}

static void pen_figures(Pen *p, size_t n, const char *noun) {
        pen_printf(p, "%zu %s", n, p->is_en ? n == 1 ? "figure" : "figures" : noun);
}

static void pen_holds(Pen *p, const Count *c) {
        if (c->n_holds == 0)
                return;
        pen_text(p, c->n_figures > 0 ? ", " : "");
        pen_printf(p, SAID(p, "%zu cảnh báo hàng loạt", "%zu mass alerts"), c->n_holds);
}

static void pen_counted(Pen *p, const Line *lines, size_t n, const Count *c, bool is_one_unit) {
        if (lines[0].group == GROUP_CORRECTIONS)
                pen_figures(p, c->n_figures, "số liệu");
        else if (is_one_unit)
                pen_figures(p, c->n_figures, "chỉ số");
        else
                pen_units(p, lines, n, c->n_units);
}

void pen_lines(Pen *p, const Line *lines, size_t n, bool is_one_unit) {
        Count c = count_lines(lines, n);
        if (c.n_figures > 0)
                pen_counted(p, lines, n, &c, is_one_unit);
        pen_holds(p, &c);
}

void pen_heading(Pen *p, const Line *lines, size_t n, bool is_one_unit) {
        Count c = count_lines(lines, n);
        bool is_more =
                lines[0].group != GROUP_CORRECTIONS && !is_one_unit && c.n_figures > c.n_units;
        if (is_more) {
                pen_figures(p, c.n_figures, "chỉ số");
                pen_text(p, SAID(p, " của ", " of "));
        }
        if (c.n_figures > 0)
                pen_counted(p, lines, n, &c, is_one_unit);
        pen_holds(p, &c);
}

void pen_open(Pen *p, const RenderMessage *m) {
        size_t n = m->open.n, n_units = m->open.n_units;
        if (m->role == ROLE_OPERATOR) {
                pen_printf(p, p->is_en ? n == 1 ? "%zu issue" : "%zu issues" : "%zu sự cố", n);
                return;
        }
        pen_printf(p, p->is_en ? n == 1 ? "%zu alert" : "%zu alerts" : "%zu cảnh báo", n);
        if (n > 1 && n_units > 0)
                pen_printf(p,
                           p->is_en ? n_units == 1 ? " of %zu unit" : " of %zu units"
                                    : " của %zu đơn vị",
                           n_units);
}
