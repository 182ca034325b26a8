/* Figures as one flat block, period after period: ranking reads a row, a streak reads a column, and
 * both are a few kilobytes that stay in cache. */
#include "core/panel.h"

#include <errno.h>

int panel_new(const UnitId *units, size_t n_units, PeriodId first, size_t n_periods, Panel **ret) {
        CLEANUP(panel_freep) Panel *p = calloc(1, sizeof(*p));
        size_t n;

        if (!p || __builtin_mul_overflow(n_units, n_periods, &n))
                return -ENOMEM;
        p->n_units = n_units;
        p->n_periods = n_periods;
        p->first = first;
        p->units = calloc(MAX(n_units, 1u), sizeof(UnitId));
        p->value = calloc(MAX(n, 1u), sizeof(int64_t));
        p->is_known = calloc(MAX(n, 1u), sizeof(uint8_t));
        if (!p->units || !p->value || !p->is_known)
                return -ENOMEM;
        if (n_units > 0)
                memcpy(p->units, units, n_units * sizeof(UnitId));
        for (size_t i = 0; i < n; i++)
                p->value[i] = VALUE_NONE;
        *ret = TAKE_PTR(p);
        return 0;
}

void panel_free(Panel *p) {
        if (!p)
                return;
        free(p->units);
        free(p->value);
        free(p->is_known);
        free(p);
}

int panel_period(const Panel *p, PeriodId period) {
        if (period == 0 || p->n_periods == 0 || period_type(period) != period_type(p->first))
                return -1;
        int i = period_distance(p->first, period);
        return i >= 0 && (size_t) i < p->n_periods ? i : -1;
}

int panel_unit(const Panel *p, UnitId unit) {
        for (size_t i = 0; i < p->n_units; i++) /* sorted by code, not by id */
                if (p->units[i] == unit)
                        return (int) i;
        return -1;
}
