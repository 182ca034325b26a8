/* A claim: something is a unit's from one day until another, a name below its parent or a code. Where
 * two units have one claim on one day, nobody can say which of them is meant. A code is refused to
 * the second; names may be equal, and the list is stored with a warning. */
#include <errno.h>

#include "flow/registry-private.h"

#define NAMED_MAX 8u /* units in a message */

typedef struct Claim {
        const char *text, *within; /* bare name and kind, or code and namespace */
        UnitId parent;             /* of a code 0 */
        bool is_alias;
        UnitId unit;
        Day from, until;
} Claim;

typedef struct Claims {
        Claim *items;
        size_t n, cap;
} Claims;

static void claims_done(Claims *l) {
        free(l->items);
}

static bool is_rival(const Claim *a, const Claim *b) {
        return a->parent == b->parent && a->is_alias == b->is_alias &&
               streq(a->within, b->within) && streq(a->text, b->text);
}

static int compare_claims(const void *a, const void *b) {
        const Claim *x = a, *y = b;
        int d = (x->parent > y->parent) - (x->parent < y->parent);
        if (d == 0)
                d = x->is_alias - y->is_alias;
        if (d == 0)
                d = strcmp(x->within, y->within);
        if (d == 0)
                d = strcmp(x->text, y->text);
        return d ? d : (x->unit > y->unit) - (x->unit < y->unit);
}

static int claim(Claims *l, const Unit *u, Claim made) {
        int r = ARRAY_GROW(l->items, l->cap, l->n + 1);
        made.unit = u->id;
        made.from = MAX(made.from, u->from);
        made.until = MIN(made.until, u->until);
        if (r >= 0 && made.from < made.until)
                l->items[l->n++] = made;
        return r;
}

static int collect_names(const UnitRegistry *units, Claims *ret) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < units->n; i++) {
                const Unit *u = &units->units[i];
                for (size_t k = 0; r >= 0 && unit_counts(u, 0) && k < u->n_names; k++)
                        r = claim(ret, u,
                                  (Claim){.text = u->names[k].bare,
                                          .within = u->kind,
                                          .parent = u->parent,
                                          .is_alias = u->names[k].is_alias,
                                          .from = u->names[k].from,
                                          .until = u->names[k].until});
        }
        return r;
}

static int collect_codes(const UnitRegistry *units, Claims *ret) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < units->n; i++) {
                const Unit *u = &units->units[i];
                for (size_t k = 0; r >= 0 && unit_counts(u, 0) && k < u->n_codes; k++)
                        r = claim(ret, u,
                                  (Claim){.text = u->codes[k].code,
                                          .within = u->codes[k].namespace_,
                                          .from = u->codes[k].from,
                                          .until = u->codes[k].until});
        }
        return r;
}

/* Another of the run that has the claim on a day on which `one` has it, where the list speaks of
 * either of them. */
static const Claim *rival_of(const Claim *run, size_t n, const Claim *one, const bool *is_listed) {
        for (size_t i = 0; i < n; i++) {
                const Claim *other = &run[i];
                if (other->unit != one->unit && other->from < one->until &&
                    one->from < other->until && (is_listed[one->unit] || is_listed[other->unit]))
                        return other;
        }
        return NULL;
}

/* What to do with claims that are one, of which two units have some. */
typedef int (*Judge)(Change *c, const Claim *run, size_t n, const bool *is_listed);

static int judge_claims(Change *c, Claims *l, const bool *is_listed, Judge judge) {
        int r = 0;
        if (l->n > 1)
                qsort(l->items, l->n, sizeof *l->items, compare_claims);
        for (size_t i = 0, end; r == 0 && i < l->n; i = end) {
                for (end = i + 1; end < l->n && is_rival(&l->items[i], &l->items[end]); end++)
                        ;
                if (l->items[i].unit != l->items[end - 1].unit)
                        r = judge(c, l->items + i, end - i, is_listed);
        }
        return r;
}

static int warn_of_names(Change *c, const Claim *run, size_t n, const bool *is_listed) {
        CLEANUP(buf_done) Buf keys = BUF_INIT(BUF_MAX_TEXT);
        UnitId last = 0;
        size_t n_units = 0;
        for (size_t i = 0; i < n; i++) {
                if (run[i].unit == last || !rival_of(run, n, &run[i], is_listed))
                        continue;
                last = run[i].unit;
                if (n_units++ < NAMED_MAX &&
                    buf_printf(&keys, "%s%s", keys.len ? ", " : "", registry_key(c, last)) < 0)
                        return -ENOMEM;
        }
        if (n_units == 0)
                return 0;
        const char *more = n_units > NAMED_MAX ? ", ..." : "";
        const char *parent = registry_key(c, run->parent);
        return app_is_vi(c->app)
                       ? registry_warn(c,
                                       "'%s' là tên của %zu đơn vị %s%s: %s%s; dòng công bố chỉ có "
                                       "tên mà không có mã thì không biết là của đơn vị nào, sẽ "
                                       "được để riêng (chisoctl units suggest)",
                                       run->text, n_units, *parent ? "thuộc " : "không có cấp trên",
                                       parent, buf_text(&keys), more)
                       : registry_warn(c,
                                       "'%s' is the name of %zu units %s%s: %s%s; a published row "
                                       "with the name and no code could be of any of them and is "
                                       "kept apart (chisoctl units suggest)",
                                       run->text, n_units, *parent ? "below " : "without a parent",
                                       parent, buf_text(&keys), more);
}

static int judge_all(Change *c, bool (*is_asked)(const RegistryRow *),
                     int (*collect)(const UnitRegistry *, Claims *), Judge judge) {
        const UnitRegistry *units = &c->app->units;
        Claims CLEANUP(claims_done) claims = {0};
        bool CLEANUP_FREE *is_listed =
                calloc(units->n ? units->units[units->n - 1].id + 1 : 1, sizeof *is_listed);
        bool is_any = false;
        if (!is_listed)
                return -ENOMEM;
        for (size_t i = 0; i < c->n; i++)
                if (is_asked(&c->rows[i]))
                        is_any = is_listed[c->rows[i].unit] = true;
        int r = is_any ? collect(units, &claims) : 0;
        return r < 0 ? r : judge_claims(c, &claims, is_listed, judge);
}

static bool is_any_row(const RegistryRow *row) {
        return row->unit != 0;
}

int registry_note_names(Change *c) {
        return judge_all(c, is_any_row, collect_names, warn_of_names);
}

static const RegistryRow *row_that_moves(const Change *c, UnitId one, UnitId other) {
        for (size_t i = 0; i < c->n; i++)
                if (c->rows[i].is_moved && (c->rows[i].unit == one || c->rows[i].unit == other))
                        return &c->rows[i];
        return NULL;
}

static int refuse_code(Change *c, const Claim *one, const Claim *other) {
        const RegistryRow *row = row_that_moves(c, one->unit, other->unit);
        char text[16];
        const char *from = registry_day(text, MAX(one->from, other->from));
        return REFUSE(
                c, row ? row->line : 0,
                "từ %s, mã %s:%s sẽ là của cả %s và %s: ghi cả hai đơn vị vào danh sách, đơn vị "
                "này bắt đầu (from) đúng ngày đơn vị kia kết thúc (until)",
                "from %s on %s:%s would be a code of %s and %s at once: write both units into "
                "the list, one beginning (from) on the day on which the other ends (until)",
                *from ? from : "-", one->within, one->text, registry_key(c, one->unit),
                registry_key(c, other->unit));
}

static int refuse_codes(Change *c, const Claim *run, size_t n, const bool *is_listed) {
        for (size_t i = 0; i < n; i++) {
                const Claim *other = rival_of(run, n, &run[i], is_listed);
                if (other)
                        return refuse_code(c, &run[i], other);
        }
        return 0;
}

static bool is_moved_row(const RegistryRow *row) {
        return row->is_moved;
}

int registry_check_codes(Change *c) {
        return judge_all(c, is_moved_row, collect_codes, refuse_codes);
}
