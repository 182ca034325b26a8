/* The figures of one indicator over one cohort and a run of consecutive periods: what ranking and
 * rules are computed on.
 *
 * A cohort is the units of one kind under one parent (semantics 5). value[p * n_units + u],
 * VALUE_NONE where there is none. Units are sorted by code, so that ties are listed in order. */
#pragma once

#include "core/model.h"

typedef struct Panel {
        size_t n_units, n_periods;
        PeriodId first; /* of the n_periods consecutive ones */
        UnitId *units;  /* sorted by code */
        int64_t *value;
        uint8_t *
                is_known; /* same shape: 1 where any figure row exists (also one without a value) */
} Panel;

/* All values VALUE_NONE. Returns 0 or -ENOMEM. */
int panel_new(const UnitId *units, size_t n_units, PeriodId first, size_t n_periods, Panel **ret);
void panel_free(Panel *p);
DEFINE_CLEANUP(Panel, panel_free)

static inline int64_t panel_at(const Panel *p, size_t period, size_t unit) {
        return p->value[period * p->n_units + unit];
}
/* Index of the period or unit, or -1. */
int panel_period(const Panel *p, PeriodId period);
int panel_unit(const Panel *p, UnitId unit);
