/* What a list must not say: of one unit two different things, of units that they stand above or after
 * themselves. Asked of the registry as the rows have made it, inside the transaction that a refusal
 * takes back. */
#include <errno.h>
#include <stdio.h>

#include "flow/registry-private.h"

#define NAMED_MAX 8u /* units in a message */

/* ---- rows of one unit ------------------------------------------------------------------------ */

/* Codes, successors and aliases are lists, which several rows may write on; these are not. */
static const Column single_columns[] = {COLUMN_NAME,  COLUMN_KIND,  COLUMN_PARENT, COLUMN_FROM,
                                        COLUMN_UNTIL, COLUMN_EMAIL, COLUMN_WEBHOOK};

static int compare_rows(const void *a, const void *b) {
        const RegistryRow *x = *(RegistryRow *const *) a, *y = *(RegistryRow *const *) b;
        return x->unit != y->unit ? (x->unit > y->unit) - (x->unit < y->unit)
                                  : (x->line > y->line) - (x->line < y->line);
}

/* A parent may be written in several ways, a day too. */
static int says_same(Change *c, const RegistryRow *a, const RegistryRow *b, Column column,
                     bool *ret) {
        UnitId x = 0, y = 0;
        *ret = streq(a->cell[column], b->cell[column]) ||
               (column == COLUMN_FROM && a->from == b->from) ||
               (column == COLUMN_UNTIL && a->until == b->until);
        if (*ret || column != COLUMN_PARENT)
                return 0;
        int r = registry_find_parent(c, a, &x);
        if (r == 0)
                r = registry_find_parent(c, b, &y);
        *ret = x == y;
        return r;
}

static int check_column(Change *c, RegistryRow *const *rows, size_t n, Column column) {
        const RegistryRow *said = NULL;
        for (size_t i = 0; i < n; i++) {
                const RegistryRow *row = rows[i];
                bool is_same = true;
                if (!*row->cell[column])
                        continue;
                if (!said || said->unit != row->unit)
                        said = row;
                int r = says_same(c, said, row, column, &is_same);
                if (r != 0)
                        return r;
                if (!is_same)
                        return REFUSE(c, row->line,
                                      "%s: cột %s là '%s' ở đây và '%s' ở dòng %u: chỉ một trong "
                                      "hai có thể đúng",
                                      "%s: %s is '%s' here and '%s' on line %u: only one of them "
                                      "can be right",
                                      registry_key(c, row->unit), registry_columns[column],
                                      row->cell[column], said->cell[column], said->line);
        }
        return 0;
}

int registry_check_rows(Change *c) {
        RegistryRow **rows CLEANUP_FREE = calloc(c->n + 1, sizeof *rows);
        int r = rows ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < c->n; i++)
                rows[i] = &c->rows[i];
        if (r == 0 && c->n > 1)
                qsort(rows, c->n, sizeof *rows, compare_rows);
        for (size_t k = 0; r == 0 && k < ELEMENTSOF(single_columns); k++)
                r = check_column(c, rows, c->n, single_columns[k]);
        return r;
}

/* ---- parents --------------------------------------------------------------------------------- */

/* Of what the rows made of the parents: whoever goes up arrives. */
int registry_check_parents(Change *c) {
        const UnitRegistry *units = &c->app->units;
        for (size_t i = 0; i < c->n; i++) {
                const Unit *own = unit_get(units, c->rows[i].unit);
                const Unit *u = own ? unit_get(units, own->parent) : NULL;
                for (size_t n = 0; u && u != own && n < units->n; n++)
                        u = u->parent ? unit_get(units, u->parent) : NULL;
                if (own && u == own)
                        return REFUSE(c, c->rows[i].line, "%s sẽ thuộc chính nó, qua %s",
                                      "%s would be its own parent, by way of %s", own->key,
                                      registry_key(c, own->parent));
        }
        return 0;
}

/* ---- successors ------------------------------------------------------------------------------ */

typedef struct Visit {
        UnitId unit;
        size_t edge; /* the next one to follow */
} Visit;

/* Depth first, every unit once in all. What is on the path is open; an edge to it closes a cycle. */
typedef struct Search {
        const SuccessorRow *edges; /* sorted by unit */
        size_t n_edges;
        enum { UNSEEN, OPEN, DONE } * state; /* by unit id */
        Visit *path;
        size_t depth;
} Search;

static void search_done(Search *s) {
        free(s->state);
        free(s->path);
}

static void enter(Search *s, UnitId unit) {
        size_t lo = 0, hi = s->n_edges;
        while (lo < hi) {
                size_t middle = lo + (hi - lo) / 2;
                if (s->edges[middle].unit < unit)
                        lo = middle + 1;
                else
                        hi = middle;
        }
        s->state[unit] = OPEN;
        s->path[s->depth++] = (Visit){unit, lo};
}

/* The unit that succeeds itself, with its cycle on top of the path; 0 = none that is reached from
 * `start`. */
static UnitId find_cycle(Search *s, UnitId start) {
        if (s->state[start] == UNSEEN)
                enter(s, start);
        while (s->depth > 0) {
                Visit *top = &s->path[s->depth - 1];
                if (top->edge == s->n_edges || s->edges[top->edge].unit != top->unit) {
                        s->state[top->unit] = DONE;
                        s->depth--;
                        continue;
                }
                UnitId next = s->edges[top->edge++].successor;
                if (s->state[next] == OPEN)
                        return next;
                if (s->state[next] == UNSEEN)
                        enter(s, next);
        }
        return 0;
}

static int refuse_cycle(Change *c, const Search *s, UnitId unit, const RegistryRow *row) {
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        size_t first = 0, n_more = 0;
        for (; s->path[first].unit != unit; first++)
                s->state[s->path[first].unit] = DONE;
        for (size_t i = 0; i < c->n; i++)
                if (c->rows[i].is_succeeded && s->state[c->rows[i].unit] == OPEN) {
                        row = &c->rows[i]; /* the first that stands in the cycle itself */
                        break;
                }
        for (size_t i = first; i < s->depth; i++)
                if (i - first >= NAMED_MAX)
                        n_more++;
                else if (buf_printf(&text, "%s → ", registry_key(c, s->path[i].unit)) < 0)
                        return -ENOMEM;
        return REFUSE(c, row->line, "đơn vị sẽ kế thừa chính nó: %s%s%s",
                      "a unit would succeed itself: %s%s%s", buf_text(&text),
                      n_more ? "... → " : "", registry_key(c, unit));
}

/* Only rows that bring a successor are asked, so that a list is not refused for what was there. */
int registry_check_successors(Change *c) {
        CLEANUP_FREE SuccessorRow *edges = NULL;
        const UnitRegistry *units = &c->app->units;
        size_t n = 0, n_ids = units->n ? units->units[units->n - 1].id + 1 : 1;
        int r = store_unit_successors(c->app->store, &edges, &n);
        if (r < 0)
                return r;
        Search CLEANUP(search_done) s = {.edges = edges,
                                         .n_edges = n,
                                         .state = calloc(n_ids, sizeof *s.state),
                                         .path = calloc(n_ids, sizeof *s.path)};
        if (!s.state || !s.path)
                return -ENOMEM;
        for (size_t i = 0; i < c->n; i++) {
                UnitId unit = c->rows[i].is_succeeded ? find_cycle(&s, c->rows[i].unit) : 0;
                if (unit)
                        return refuse_cycle(c, &s, unit, &c->rows[i]);
        }
        return 0;
}
