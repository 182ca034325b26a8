/* Data notes (semantics 4 and 5): what is odd about a snapshot, shown with it and counted in status.
 * A note changes no figure. */
#include <errno.h>
#include <stdio.h>

#include "core/delta.h"
#include "flow/cycle-private.h"
#include "os/clock.h"
#include "store/figure.h"

#define JUMPS_MAX 100u /* of one snapshot; more are one sentence: then it is not the single unit */

static int note_bad(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        for (size_t i = 0; i < s->n_notes; i++) {
                const DecodeNote *n = &s->notes[i];
                int r = store_note_add(e->app->store, e->step, e->report->snapshot,
                                       e->result->period, e->unit_of[n->unit],
                                       e->app->config->indicators[n->indicator].id, "bad", n->text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A change that the publisher prints is kept beside the computed one; more than 0.011 apart is a
 * note, never a failure. */
static int note_deltas(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        PeriodId previous = period_previous(e->result->period);
        for (size_t at = 0; s->delta && at < s->n_units * s->n_columns; at++) {
                UnitId unit = e->unit_of[at / s->n_columns];
                const IndicatorDef *d =
                        &e->app->config->indicators[s->indicators[at % s->n_columns]];
                if (!unit || s->delta[at] == VALUE_NONE || s->value[at] == VALUE_NONE)
                        continue;
                FigureRow before;
                int r = store_figure_get(e->app->store, previous, d->id, unit, 0, &before, NULL);
                if (r < 0)
                        return r;
                if (r > 0 || before.value == VALUE_NONE)
                        continue;
                int64_t computed = s->value[at] - before.value;
                int64_t off =
                        computed > s->delta[at] ? computed - s->delta[at] : s->delta[at] - computed;
                if (decimal_rescale(off, d->decimals, 3) <= 11)
                        continue;
                char a[DECIMAL_TEXT_MAX], b[DECIMAL_TEXT_MAX], text[160];
                (void) snprintf(text, sizeof text, "published change %s, computed %s",
                                decimal_format(a, s->delta[at], d->decimals),
                                decimal_format(b, computed, d->decimals));
                r = store_note_add(e->app->store, e->step, e->report->snapshot, e->result->period,
                                   unit, d->id, "delta", text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- jumps ----------------------------------------------------------------------------------- */

typedef struct Jumps {
        Evaluation *e;
        FigureRow *before; /* of the period before, by (indicator, unit) */
        size_t n_before, n;
} Jumps;

static int compare_keys(const void *a, const void *b) {
        const FigureRow *x = a, *y = b;
        if (x->indicator != y->indicator)
                return x->indicator < y->indicator ? -1 : 1;
        return (x->unit > y->unit) - (x->unit < y->unit);
}

static const IndicatorDef *changed_indicator(const Evaluation *e, IndicatorId id) {
        for (size_t c = 0; c < e->result->snapshot->n_columns; c++) {
                const IndicatorDef *d =
                        &e->app->config->indicators[e->result->snapshot->indicators[c]];
                if (d->id == id)
                        return d;
        }
        return NULL;
}

/* `guard_jump` is in points of a hundred: of an indicator of 20 points it is a fifth. */
static int64_t jump_bound(const Evaluation *e, const IndicatorDef *d) {
        int64_t bound = decimal_rescale(e->app->config->daemon.guard_jump_points, 0, d->decimals);
        if (d->unit == INDICATOR_COUNT || (d->unit == INDICATOR_POINTS && d->max == VALUE_NONE))
                return INT64_MAX;
        return d->unit == INDICATOR_PERCENT
                       ? bound
                       : decimal_muldiv(bound, d->max, decimal_rescale(100, 0, d->decimals));
}

static bool is_apart(int64_t a, int64_t b, int64_t bound) {
        return a != VALUE_NONE && b != VALUE_NONE && (a > b ? a - b : b - a) > bound;
}

static int note_jump(Jumps *j, const FigureRow *now, const IndicatorDef *d, int64_t before,
                     const char *since) {
        char a[DECIMAL_TEXT_MAX], b[DECIMAL_TEXT_MAX], text[200];
        if (++j->n > JUMPS_MAX)
                return 0;
        (void) snprintf(text, sizeof text, "%s: %s after %s %s: ask the source", d->name,
                        decimal_format(a, now->value, d->decimals),
                        decimal_format(b, before, d->decimals), since);
        return store_note_add(j->e->app->store, j->e->step, j->e->report->snapshot,
                              j->e->result->period, now->unit, d->id, "jump", text);
}

/* Across an era there is nothing to compare with. */
static bool is_new_era(const Evaluation *e, const IndicatorDef *d) {
        return app_era_between(e->app, period_previous(e->result->period), e->result->period, d,
                               e->scope_unit) != NULL;
}

static int look_at(Jumps *j, const FigureChange *change) {
        const IndicatorDef *d = changed_indicator(j->e, change->now.indicator);
        if (!d)
                return 0;
        int64_t bound = jump_bound(j->e, d);
        if (change->had_old && is_apart(change->now.value, change->old_value, bound))
                return note_jump(j, &change->now, d, change->old_value,
                                 "as it was published before");
        const FigureRow *before = j->n_before ? bsearch(&change->now, j->before, j->n_before,
                                                        sizeof *j->before, compare_keys)
                                              : NULL;
        if (!before || !is_apart(change->now.value, before->value, bound) || is_new_era(j->e, d))
                return 0;
        return note_jump(j, &change->now, d, before->value, "in the period before");
}

static int load_before(Jumps *j) {
        const Evaluation *e = j->e;
        const FigureChange *c = e->changes;
        IndicatorId CLEANUP_FREE *ids = calloc(e->n_changes, sizeof *ids);
        size_t n = 0;
        if (!ids)
                return -ENOMEM;
        for (size_t i = 0; i < e->n_changes; i++) /* sorted by indicator */
                if (n == 0 || ids[n - 1] != c[i].now.indicator)
                        ids[n++] = c[i].now.indicator;
        return store_figures_of(e->app->store, period_previous(e->result->period), ids, n,
                                e->scope_unit, &j->before, &j->n_before);
}

/* What changed now and is far from what it was. A running figure grows out of a few dossiers: it may
 * move as it likes. */
static int note_jumps(Evaluation *e) {
        Jumps j = {.e = e};
        char text[100];
        if (e->n_changes == 0 || period_status(e->result->period, day_of_instant(e->now_ms),
                                               e->source->final_after_days) == PERIOD_RUNNING)
                return 0;
        int r = load_before(&j);
        for (size_t i = 0; r >= 0 && i < e->n_changes; i++)
                r = look_at(&j, &e->changes[i]);
        free(j.before);
        if (r < 0 || j.n <= JUMPS_MAX)
                return r;
        (void) snprintf(text, sizeof text, "%zu figures jumped, %u are noted singly", j.n,
                        JUMPS_MAX);
        return store_note_add(e->app->store, e->step, e->report->snapshot, e->result->period, 0, 0,
                              "jump", text);
}

/* ---- all ------------------------------------------------------------------------------------- */

static int note_open_list(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        char text[160];
        if (!s->open_part)
                return 0;
        (void) snprintf(text, sizeof text,
                        "part %.60s: the list ends in \"...\": its %zu units are a lower bound",
                        s->open_part, s->n_units);
        return store_note_add(e->app->store, e->step, e->report->snapshot, e->result->period, 0, 0,
                              "open-list", text);
}

int cycle_note(Evaluation *e) {
        int r = note_bad(e);
        if (r >= 0)
                r = note_deltas(e);
        if (r >= 0)
                r = note_jumps(e);
        return r < 0 ? r : note_open_list(e);
}
