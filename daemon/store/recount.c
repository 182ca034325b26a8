/* Which units of the registry count.
 *
 * A figure that an undone import brought is gone; a unit that it brought has no such row. That nothing
 * else speaks of it follows from what is stored already: from the step at which it was registered, its
 * figures, and what people have said of it. So nothing has to be written when an import is undone or
 * the unit is seen again, and no mark can be wrong. What is asked grows with the undone imports that
 * brought units, which are few: per run of such units one seek per series. */
#include "store/registry.h"
#include "store/sql.h"

static int mark_undone(Store *s, UnitRegistry *r, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        int e;

        *ret_n = 0;
        e = query_begin(s, STMT_UNITS_UNDONE, NO_ARGS, &q);
        while (e >= 0 && (e = query_next(q)) > 0) {
                Unit *u = unit_get(r, (UnitId) column_int(q, 0));

                if (!u)
                        continue;
                u->taken_back = column_int(q, 1);
                (*ret_n)++;
        }
        return e;
}

static int keep_standing(Store *s, UnitRegistry *r, const Unit *first, const Unit *last) {
        CLEANUP_QUERY Query q = NULL;
        int e;

        e = query_begin(s, STMT_UNITS_STANDING, ARGS(arg_int(first->id), arg_int(last->id)), &q);
        while (e >= 0 && (e = query_next(q)) > 0) {
                Unit *u = unit_get(r, (UnitId) column_int(q, 0));

                if (u)
                        u->taken_back = 0;
        }
        return e;
}

/* Below what counts nothing is missing. */
static void keep_parents(UnitRegistry *r) {
        for (size_t i = 0; i < r->n; i++) {
                Unit *u = &r->units[i];

                for (size_t depth = 0; u && u->taken_back == 0 && u->parent && depth < r->n;
                     depth++) {
                        Unit *parent = unit_get(r, u->parent);
                        if (!parent || parent->taken_back == 0)
                                break;
                        parent->taken_back = 0;
                        u = parent;
                }
        }
}

int store_units_recount(Store *s, UnitRegistry *r) {
        size_t n = 0;
        int e;

        for (size_t i = 0; i < r->n; i++)
                r->units[i].taken_back = 0;
        e = mark_undone(s, r, &n);
        if (e < 0 || n == 0)
                return e;
        for (size_t i = 0, end; e >= 0 && i < r->n; i = end) {
                end = i + 1;
                if (r->units[i].taken_back == 0)
                        continue;
                while (end < r->n && r->units[end].taken_back)
                        end++;
                e = keep_standing(s, r, &r->units[i], &r->units[end - 1]);
        }
        if (e >= 0)
                keep_parents(r);
        return e;
}

int store_unit_confirm(Store *s, StepId step, UnitId unit) {
        return query_run(s, STMT_UNIT_STEP, ARGS(arg_int(unit), arg_int(step)));
}
