/* Which units a rule or a recipient speaks of. */
#include <errno.h>

#include "core/unit.h"

#define MAX_ANCESTORS 16u /* ends rings in a hand-written registry */

static bool is_kind(const UnitSelector *s, const Unit *u) {
        for (size_t i = 0; i < s->n_kinds; i++)
                if (streq(s->kinds[i], u->kind))
                        return true;
        return s->n_kinds == 0;
}

static bool is_below(const UnitRegistry *r, const Unit *u, UnitId parent) {
        for (size_t i = 0; u && i < MAX_ANCESTORS; i++) {
                if (u->parent == parent)
                        return true;
                u = u->parent ? unit_get(r, u->parent) : NULL;
        }
        return false;
}

bool unit_is_within(const UnitRegistry *r, UnitId id, UnitId above) {
        return id != 0 && (id == above || is_below(r, unit_get(r, id), above));
}

static int resolve_texts(const UnitRegistry *r, const char *const *texts, size_t n, Day day,
                         UnitId **ret, size_t *ret_n) {
        UnitId *ids = calloc(n + 1, sizeof *ids);
        size_t n_found = 0;
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int e = unit_find(r, texts[i], day, &ids[n_found], /* diag= */ NULL);
                if (e == -ENOMEM) {
                        free(ids);
                        return e;
                }
                n_found += e == 0;
        }
        *ret = ids;
        *ret_n = n_found;
        return 0;
}

void unit_selection_done(UnitSelection *s) {
        free(s->parents);
        free(s->units);
        *s = (UnitSelection){0};
}

int unit_selection_init(UnitSelection *ret, const UnitRegistry *r, const UnitSelector *s, Day day) {
        UnitSelection one = {.selector = s};
        int e = resolve_texts(r, s->parents, s->n_parents, day, &one.parents, &one.n_parents);
        if (e == 0)
                e = resolve_texts(r, s->units, s->n_units, day, &one.units, &one.n_units);
        if (e < 0) {
                unit_selection_done(&one);
                return e;
        }
        *ret = one;
        return 0;
}

bool unit_selection_has(const UnitSelection *s, const UnitRegistry *r, UnitId id) {
        const Unit *u = unit_get(r, id);
        if (!u || !is_kind(s->selector, u))
                return false;
        bool is_in = s->selector->n_parents == 0;
        for (size_t i = 0; i < s->n_parents && !is_in; i++)
                is_in = is_below(r, u, s->parents[i]);
        bool is_listed = s->selector->n_units == 0;
        for (size_t i = 0; i < s->n_units && !is_listed; i++)
                is_listed = s->units[i] == id;
        return is_in && is_listed;
}

bool unit_selected(const UnitRegistry *r, const UnitSelector *s, UnitId id, Day day) {
        UnitSelection CLEANUP(unit_selection_done) all = {.selector = s};
        if (s->n_parents == 0 && s->n_units == 0)
                return unit_selection_has(&all, r, id);
        return unit_selection_init(&all, r, s, day) == 0 && unit_selection_has(&all, r, id);
}
