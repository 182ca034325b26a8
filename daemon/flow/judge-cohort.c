/* The units that are ranked and judged together, by code and by id. */
#include <errno.h>

#include "flow/judge-private.h"

void judge_cohort_free(Cohort *c) {
        free(c->units);
        free(c->ids);
        free(c->place);
        free(c->from);
        free(c->until);
        free(c->eras);
        free(c);
}

typedef struct CodedUnit {
        const char *code;
        UnitId id;
        size_t by_id;
} CodedUnit;

static int compare_codes(const void *a, const void *b) {
        const CodedUnit *x = a, *y = b;
        int d = strcmp(x->code, y->code);
        return d ? d : (x->id > y->id) - (x->id < y->id);
}

static int cohort_sort(const App *app, Cohort *c) {
        CodedUnit CLEANUP_FREE *coded = calloc(c->n + 1, sizeof *coded);
        c->units = calloc(c->n + 1, sizeof *c->units);
        c->place = calloc(c->n + 1, sizeof *c->place);
        c->from = calloc(c->n + 1, sizeof *c->from);
        c->until = calloc(c->n + 1, sizeof *c->until);
        if (!coded || !c->units || !c->place || !c->from || !c->until)
                return -ENOMEM;
        for (size_t i = 0; i < c->n; i++)
                coded[i] = (CodedUnit){unit_code_on(&app->units, c->ids[i], c->day), c->ids[i], i};
        if (c->n > 1)
                qsort(coded, c->n, sizeof *coded, compare_codes);
        for (size_t i = 0; i < c->n; i++) {
                const Unit *u = unit_get(&app->units, coded[i].id);
                c->units[i] = u->id;
                c->place[coded[i].by_id] = i;
                c->from[i] = u->from;
                c->until[i] = u->until;
        }
        return 0;
}

static int cohort_eras(const App *app, Cohort *c) {
        c->eras = calloc(app->config->n_eras + 1, sizeof *c->eras);
        if (!c->eras)
                return -ENOMEM;
        for (size_t i = 0; i < app->config->n_eras; i++) {
                if (!app_era_covers(app, &app->config->eras[i], c->parent))
                        continue;
                c->eras[c->n_eras] = app->config->eras[i];
                c->eras[c->n_eras++].parent = NULL;
        }
        return 0;
}

int judge_cohort_new(const App *app, const char *kind, UnitId parent, Day day, Cohort **ret) {
        Cohort CLEANUP(judge_cohort_freep) *c = calloc(1, sizeof *c);
        if (!c)
                return -ENOMEM;
        *c = (Cohort){.kind = kind, .parent = parent, .day = day};
        for (size_t i = 0; i < app->units.n; i++) {
                const Unit *u = &app->units.units[i];
                if (u->parent != parent || !streq(u->kind, kind))
                        continue;
                int r = ARRAY_GROW(c->ids, c->cap, c->n + 1);
                if (r < 0)
                        return r;
                c->ids[c->n++] = u->id;
        }
        int r = cohort_sort(app, c);
        if (r >= 0)
                r = cohort_eras(app, c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int compare_ids(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        return (x > y) - (x < y);
}

size_t judge_cohort_place(const Cohort *c, UnitId id) {
        const UnitId *found = c->n ? bsearch(&id, c->ids, c->n, sizeof id, compare_ids) : NULL;
        return found ? c->place[found - c->ids] : SIZE_MAX;
}
