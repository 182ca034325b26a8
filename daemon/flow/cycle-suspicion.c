/* Is it a whole answer? Too few units, compared with what the source itself published last, or too many
 * bad values: kept, and unused until a person has looked. */
#include <inttypes.h>
#include <stdio.h>

#include "flow/cycle-private.h"

/* Units of the last accepted snapshot of the same scope that is comparable: this period's, else
 * the previous one's unless an era begins between them. 0 = none. */
static int units_before(const Evaluation *e, int64_t *ret) {
        const FetchResult *f = e->result;
        PeriodId previous = period_previous(f->period);
        const Config *c = e->app->config;
        *ret = 0;
        for (int back = 0; back < 2 && *ret == 0; back++) {
                if (back && delta_era_between(c->eras, c->n_eras, previous, f->period,
                                              e->source->name, NULL, NULL))
                        return 0;
                int r = store_snapshot_units(e->app->store, e->source->name, f->scope,
                                             back ? previous : f->period, ret);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cycle_suspicion(Evaluation *e, bool *ret) {
        const Snapshot *s = e->result->snapshot;
        /* A file that a person brings has the units that it is about. */
        bool is_whole = !e->order || !e->order->is_partial;
        int64_t before = 0;
        *ret = e->is_lossy;
        if (e->is_lossy)
                return 0;
        int r = is_whole ? units_before(e, &before) : 0;
        if (r < 0)
                return r;
        char *reason = e->report->reason;
        *ret = true;
        if (is_whole && e->source->min_units > 0 && s->n_units < (size_t) e->source->min_units)
                (void) snprintf(reason, sizeof e->report->reason, "%zu units, min_units is %d",
                                s->n_units, e->source->min_units);
        else if ((int64_t) s->n_units * 100 < before * e->source->min_share_percent)
                (void) snprintf(reason, sizeof e->report->reason,
                                "%zu units, the last accepted snapshot had %" PRId64
                                " (min_share %d %%)",
                                s->n_units, before, e->source->min_share_percent);
        else if (s->n_bad > 3 && s->n_bad * 100 > s->n_values)
                (void) snprintf(reason, sizeof e->report->reason, "%zu of %zu values are bad",
                                s->n_bad, s->n_values);
        else
                *ret = false;
        return 0;
}
