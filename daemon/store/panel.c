/* Cohorts over periods, now and as of a step. A range scan of (period, indicator) is one seek and
 * then runs: few ranges cover a cohort (store/sql.h). */
#include <errno.h>

#include "store/figure.h"
#include "store/key.h"

typedef struct Slot {
        UnitId unit;
        uint32_t index; /* in the panel */
} Slot;

static int compare_slots(const void *a, const void *b) {
        const Slot *x = a, *y = b;

        return (x->unit > y->unit) - (x->unit < y->unit);
}

static int slots_new(const Panel *panel, Slot **ret) {
        Slot *slots = calloc(MAX(panel->n_units, (size_t) 1), sizeof(*slots));

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < panel->n_units; i++)
                slots[i] = (Slot){.unit = panel->units[i], .index = (uint32_t) i};
        qsort(slots, panel->n_units, sizeof(*slots), compare_slots);
        *ret = slots;
        return 0;
}

typedef struct Fill {
        Store *store;
        IndicatorId indicator;
        StepId step;
        Panel *panel;
        const Slot *slots; /* sorted by unit */
} Fill;

/* The place of a unit in the panel, or NULL. Rows come by unit, mostly those of the panel one after
 * the other, so that the slot behind the last hit is looked at first. */
static const Slot *slot_find(const Fill *f, size_t *next, UnitId unit) {
        Slot key = {.unit = unit};
        const Slot *slot = &f->slots[*next];

        if (*next == f->panel->n_units || slot->unit != unit)
                slot = bsearch(&key, f->slots, f->panel->n_units, sizeof(key), compare_slots);
        if (slot)
                *next = (size_t) (slot - f->slots) + 1;
        return slot;
}

/* Rows (unit, value, known since) into row p of the panel; those known only after the step are counted:
 * what was known of them then, if anything, is a vintage. Ends when none is open any more. */
static int fill_rows(const Fill *f, Query q, size_t p, bool is_present, size_t *n_open) {
        Panel *panel = f->panel;
        size_t next = 0;
        int r = 0;

        while ((is_present || *n_open > 0) && (r = query_next(q)) > 0) {
                const Slot *slot = slot_find(f, &next, (UnitId) column_int(q, 0));
                Why why;

                if (!slot)
                        continue;
                if (is_present && column_int(q, 2) > f->step) {
                        (*n_open)++;
                        continue;
                }
                *n_open -= !is_present;
                column_known(q, 1, &panel->value[p * panel->n_units + slot->index], &why);
                panel->is_known[p * panel->n_units + slot->index] = 1;
        }
        return MIN(r, 0);
}

static int fill_figures(const Fill *f, size_t p, int64_t series, UnitId first, UnitId last,
                        size_t *n_open) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(f->store, STMT_PANEL_FIGURES,
                        ARGS(arg_int(known_key(series, first)), arg_int(known_key(series, last))),
                        &q);
        return r < 0 ? r : fill_rows(f, q, p, /* is_present= */ true, n_open);
}

/* In the order in which they ended: where most values change every day, those of a few days are all. */
static int fill_vintages(const Fill *f, size_t p, PeriodId period, UnitId first, UnitId last,
                         size_t *n_open) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(f->store, STMT_PANEL_VINTAGES,
                        ARGS(arg_int(period), arg_int(f->indicator), arg_int(f->step),
                             arg_int(first), arg_int(last)),
                        &q);
        return r < 0 ? r : fill_rows(f, q, p, /* is_present= */ false, n_open);
}

static int fill_period(const Fill *f, size_t p) {
        PeriodId period = period_add(f->panel->first, (int) p);
        size_t n = f->panel->n_units, n_open = 0;
        int64_t series;
        int r;

        r = series_find(f->store, period, f->indicator, &series);
        if (r < 0 || series == 0)
                return r; /* no figure, so that there never was one */
        for (size_t i = 0, j; i < n && r >= 0; i = j) {
                for (j = i + 1; j < n && f->slots[j].unit - f->slots[j - 1].unit <= UNIT_GAP_MAX;
                     j++)
                        ;
                r = fill_figures(f, p, series, f->slots[i].unit, f->slots[j - 1].unit, &n_open);
        }
        if (r >= 0 && n_open > 0)
                r = fill_vintages(f, p, period, f->slots[0].unit, f->slots[n - 1].unit, &n_open);
        return r;
}

/* `but`: a row that stands; SIZE_MAX = none. */
static int panel_load(Store *s, IndicatorId indicator, StepId as_of, size_t but, Panel *panel) {
        CLEANUP_FREE Slot *slots = NULL;
        size_t n = panel->n_units;
        int r;

        if (n == 0 || panel->n_periods == 0)
                return 0;
        r = slots_new(panel, &slots);
        if (r < 0)
                return r;
        Fill fill = {
                .store = s,
                .indicator = indicator,
                .step = as_of ? as_of : INT64_MAX,
                .panel = panel,
                .slots = slots,
        };
        for (size_t p = 0; p < panel->n_periods && r >= 0; p++) {
                if (p == but)
                        continue;
                for (size_t i = p * n; i < (p + 1) * n; i++) {
                        panel->value[i] = VALUE_NONE;
                        panel->is_known[i] = 0;
                }
                r = fill_period(&fill, p);
        }
        return r;
}

int store_panel_load(Store *s, IndicatorId indicator, StepId as_of, Panel *panel) {
        return panel_load(s, indicator, as_of, SIZE_MAX, panel);
}

int store_panel_load_rest(Store *s, IndicatorId indicator, size_t period, Panel *panel) {
        return panel_load(s, indicator, /* as_of= */ 0, period, panel);
}

static int read_unit(Query q, UnitId *unit) {
        *unit = (UnitId) column_int(q, 0);
        return 0;
}

int store_units_of(Store *s, PeriodId period, IndicatorId indicator, StepId as_of, UnitId **ret,
                   size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE UnitId *units = NULL;
        size_t n = 0, cap = 0;
        int64_t series;
        int r;

        r = series_find(s, period, indicator, &series);
        const Arg first = arg_int(known_key(series, 0)),
                  last = arg_int(known_key(series, KEY_UNIT_MAX));
        if (r >= 0)
                r = as_of ? query_begin(s, STMT_UNITS_OF,
                                        ARGS(arg_int(period), arg_int(indicator), arg_int(as_of),
                                             first, last),
                                        &q)
                          : query_begin(s, STMT_UNITS_NOW, ARGS(first, last), &q);
        if (r >= 0)
                r = COLLECT(q, units, n, cap, read_unit);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(units);
        *ret_n = n;
        return 0;
}
