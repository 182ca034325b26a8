/* Know: the snapshot against the figures, by (indicator, unit); what differs is written. */
#include <errno.h>
#include <stdio.h>

#include "flow/cycle-private.h"
#include "store/figure.h"

#define LOSS_MIN 3u /* figures: of fewer, half is a single office */

/* Place in the snapshot by the id that the database knows it by. */
typedef struct Ordered {
        uint32_t id;
        size_t at;
} Ordered;

static int compare_ordered(const void *a, const void *b) {
        const Ordered *x = a, *y = b;
        return (x->id > y->id) - (x->id < y->id);
}

static int compare_indicators(const void *a, const void *b) {
        IndicatorId x = *(const IndicatorId *) a, y = *(const IndicatorId *) b;
        return (x > y) - (x < y);
}

int cycle_compare_figures(const void *a, const void *b) {
        const FigureRow *x = a, *y = b;
        if (x->indicator != y->indicator)
                return x->indicator < y->indicator ? -1 : 1;
        return (x->unit > y->unit) - (x->unit < y->unit);
}

int cycle_drop_doubles(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        UnitId max = 0;
        for (size_t i = 0; i < s->n_units; i++)
                max = MAX(max, e->unit_of[i]);
        bool CLEANUP_FREE *seen = calloc((size_t) max + 1, sizeof *seen);
        if (!seen)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_units; i++) {
                UnitId id = e->unit_of[i];
                if (id && seen[id]) {
                        e->unit_of[i] = 0;
                        if (e->is_reading)
                                continue;
                        e->report->n_quarantined++;
                        int r = store_quarantine_add(
                                e->app->store, e->step, e->source->name, e->source->namespace_,
                                s->units[i].code, s->units[i].name,
                                "a second row of a unit that this snapshot already has");
                        if (r < 0)
                                return r;
                }
                seen[id] = true;
        }
        return 0;
}

/* What a partial snapshot (an imported file) is silent about stays as it is known. */
static int find_columns(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        e->has_column = calloc(s->n_columns + 1, sizeof *e->has_column);
        if (!e->has_column)
                return -ENOMEM;
        for (size_t at = 0; at < s->n_units * s->n_columns; at++)
                e->has_column[at % s->n_columns] |= s->why[at] != WHY_MISSING;
        for (size_t c = 0; (!e->order || !e->order->is_partial) && c < s->n_columns; c++)
                e->has_column[c] = true;
        return 0;
}

static bool is_derived(const Evaluation *e, size_t column) {
        return decode_derives(e->app->config, e->result->source,
                              e->result->snapshot->indicators[column]);
}

/* A derived column is spoken of where one of its operands is, at whatever depth. */
static void find_derived(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        bool is_new = true;
        while (is_new) {
                is_new = false;
                for (size_t c = 0; c < s->n_columns; c++) {
                        const IndicatorDef *def = &e->app->config->indicators[s->indicators[c]];
                        if (e->has_column[c] || !is_derived(e, c))
                                continue;
                        for (size_t i = 0; i < def->n_operands; i++) {
                                int other = snapshot_column(s, def->operand[i]);
                                e->has_column[c] |= other >= 0 && e->has_column[other];
                        }
                        is_new |= e->has_column[c];
                }
        }
}

/* Below which unit figures are compared: a file may name units of another scope of its source. */
static UnitId known_below(const Evaluation *e) {
        return e->order && e->order->is_partial ? 0 : e->scope_unit;
}

/* What is known of the snapshot's units in the columns, into its cells. */
static int borrow(Evaluation *e, const bool *is_borrowed) {
        Snapshot *s = e->result->snapshot;
        IndicatorId CLEANUP_FREE *ids = calloc(s->n_columns + 1, sizeof *ids);
        FigureRow CLEANUP_FREE *known = NULL;
        size_t n_ids = 0, n_known = 0;
        if (!ids)
                return -ENOMEM;
        for (size_t c = 0; c < s->n_columns; c++)
                if (is_borrowed[c])
                        ids[n_ids++] = e->app->config->indicators[s->indicators[c]].id;
        qsort(ids, n_ids, sizeof *ids, compare_indicators);
        int r = store_figures_of(e->app->store, e->result->period, ids, n_ids, known_below(e),
                                 &known, &n_known);
        for (size_t at = 0; r >= 0 && at < s->n_units * s->n_columns; at++) {
                size_t c = at % s->n_columns;
                FigureRow want = {.indicator = e->app->config->indicators[s->indicators[c]].id,
                                  .unit = e->unit_of[at / s->n_columns]};
                const FigureRow *row = is_borrowed[c] && n_known > 0
                                               ? bsearch(&want, known, n_known, sizeof *known,
                                                         cycle_compare_figures)
                                               : NULL;
                if (!is_borrowed[c])
                        continue;
                s->value[at] = row ? row->value : VALUE_NONE;
                s->why[at] = (uint8_t) (row ? row->why : WHY_MISSING);
        }
        return MIN(r, 0);
}

/* A file may have one operand only: the others are as they are known. `is_over`: it has none any more,
 * all are as they are known. */
static int derive(Evaluation *e, bool is_over) {
        Snapshot *s = e->result->snapshot;
        bool CLEANUP_FREE *is_borrowed = calloc(s->n_columns + 1, sizeof *is_borrowed);
        bool has_derived = false;
        if (!is_borrowed)
                return -ENOMEM;
        for (size_t c = 0; c < s->n_columns; c++) {
                has_derived |= is_derived(e, c);
                is_borrowed[c] = !is_derived(e, c) && (is_over || !e->has_column[c]);
        }
        find_derived(e);
        for (size_t c = 0; is_over && c < s->n_columns; c++)
                e->has_column[c] &= is_derived(e, c);
        if (!has_derived)
                return 0;
        int r = borrow(e, is_borrowed);
        return r < 0 ? r : decode_derive(s, e->app->config, e->result->source);
}

/* By (indicator, unit), as they are stored: sorting both sides is a tenth of sorting the cells. */
static int collect_rows(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        Ordered CLEANUP_FREE *units = calloc(s->n_units + 1, sizeof *units);
        Ordered CLEANUP_FREE *columns = calloc(s->n_columns + 1, sizeof *columns);
        size_t n = 0, n_columns = 0;
        e->rows = calloc(s->n_units * s->n_columns + 1, sizeof *e->rows);
        if (!units || !columns || !e->rows)
                return -ENOMEM;
        for (size_t u = 0; u < s->n_units; u++)
                if (e->unit_of[u])
                        units[n++] = (Ordered){e->unit_of[u], u};
        for (size_t c = 0; c < s->n_columns; c++)
                if (e->has_column[c])
                        columns[n_columns++] =
                                (Ordered){e->app->config->indicators[s->indicators[c]].id, c};
        qsort(units, n, sizeof *units, compare_ordered);
        qsort(columns, n_columns, sizeof *columns, compare_ordered);
        for (size_t c = 0; c < n_columns; c++) {
                for (size_t u = 0; u < n; u++) {
                        size_t at = units[u].at * s->n_columns + columns[c].at;
                        e->rows[e->n_rows++] = (FigureRow){
                                .indicator = columns[c].id,
                                .unit = units[u].id,
                                .value = s->value[at],
                                .why = s->why[at],
                        };
                }
        }
        return 0;
}

bool cycle_is_partial(const Evaluation *e) {
        return (e->order && e->order->is_partial) || e->result->is_partial;
}

/* A snapshot speaks of its whole scope, a partial one of the figures in its rows only. */
static size_t leave_unmentioned(const Evaluation *e, FigureRow *known, size_t n) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
                if (bsearch(&known[i], e->rows, e->n_rows, sizeof *e->rows, cycle_compare_figures))
                        known[kept++] = known[i];
        return kept;
}

static bool is_silent(const FigureChange *c) {
        return figure_is_lost(c) && (c->now.why == WHY_GONE || c->now.why == WHY_MISSING);
}

/* One empty part of six is a whole answer with all of its units: only what it leaves out shows. Both
 * arrays are sorted by (indicator, unit). */
static bool is_lossy(const Evaluation *e, const FigureRow *known, size_t n_known) {
        for (size_t k = 0, c = 0, end; k < n_known; k = end) {
                IndicatorId id = known[k].indicator;
                size_t n_had = 0, n_lost = 0;
                for (end = k; end < n_known && known[end].indicator == id; end++)
                        n_had += known[end].value != VALUE_NONE;
                while (c < e->n_changes && e->changes[c].now.indicator < id)
                        c++;
                for (; c < e->n_changes && e->changes[c].now.indicator == id; c++)
                        n_lost += is_silent(&e->changes[c]);
                if (n_had < LOSS_MIN || n_lost * 2 <= n_had)
                        continue;
                const char *name = "?";
                for (size_t i = 0; i < e->app->config->n_indicators; i++)
                        if (e->app->config->indicators[i].id == id)
                                name = e->app->config->indicators[i].name;
                (void) snprintf(e->report->reason, sizeof e->report->reason,
                                "%zu of %zu known figures of %s are missing", n_lost, n_had, name);
                return true;
        }
        return false;
}

/* An order is a person's decision; `min_share = 0` says that a source may publish less and less. */
static bool is_guarded(const Evaluation *e) {
        return !e->order && !e->result->is_partial && e->source->min_share_percent > 0;
}

static int know(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        IndicatorId CLEANUP_FREE *ids = calloc(s->n_columns + 1, sizeof *ids);
        FigureRow CLEANUP_FREE *known = NULL;
        size_t n_known = 0;
        if (!ids)
                return -ENOMEM;
        size_t n_ids = 0;
        for (size_t c = 0; c < s->n_columns; c++)
                if (e->has_column[c])
                        ids[n_ids++] = e->app->config->indicators[s->indicators[c]].id;
        qsort(ids, n_ids, sizeof *ids, compare_indicators);
        int r = store_figures_of(e->app->store, e->result->period, ids, n_ids, known_below(e),
                                 &known, &n_known);
        if (r >= 0 && cycle_is_partial(e))
                n_known = leave_unmentioned(e, known, n_known);
        if (r >= 0)
                r = engine_know(known, n_known, e->rows, e->n_rows, &e->changes, &e->n_changes);
        if (r >= 0 && is_guarded(e) && is_lossy(e, known, n_known))
                return CYCLE_E_LOSSY;
        for (size_t i = 0; r >= 0 && i < e->n_changes; i++) {
                r = store_figure_put(e->app->store, e->step, e->result->period, &e->changes[i]);
                if (e->changes[i].had_old)
                        e->report->n_changed++;
                else
                        e->report->n_new++;
                e->report->n_lost += figure_is_lost(&e->changes[i]);
        }
        return r;
}

int cycle_read(Evaluation *e) {
        e->is_reading = true;
        int r = cycle_units(e);
        if (r >= 0)
                r = cycle_drop_doubles(e);
        if (r >= 0)
                r = find_columns(e);
        /* What a file derives is of its operands and what was known: no word of its own. */
        for (size_t c = 0; r >= 0 && cycle_is_partial(e) && c < e->result->snapshot->n_columns; c++)
                e->has_column[c] &= !is_derived(e, c);
        return r < 0 ? r : collect_rows(e);
}

int cycle_rederive(Evaluation *e) {
        FigureRow CLEANUP_FREE *known = NULL;
        const Snapshot *s = e->result->snapshot;
        IndicatorId CLEANUP_FREE *ids = calloc(s->n_columns + 1, sizeof *ids);
        size_t n_known = 0, n_ids = 0;
        e->is_reading = true;
        int r = ids ? cycle_units(e) : -ENOMEM;
        if (r >= 0)
                r = cycle_drop_doubles(e);
        if (r >= 0)
                r = find_columns(e);
        if (r >= 0)
                r = derive(e, /* is_over= */ true);
        if (r >= 0)
                r = collect_rows(e);
        if (r < 0)
                return r;
        for (size_t c = 0; c < s->n_columns; c++)
                if (e->has_column[c])
                        ids[n_ids++] = e->app->config->indicators[s->indicators[c]].id;
        qsort(ids, n_ids, sizeof *ids, compare_indicators);
        r = store_figures_of(e->app->store, e->result->period, ids, n_ids, known_below(e), &known,
                             &n_known);
        if (r >= 0)
                n_known = leave_unmentioned(e, known, n_known);
        return r < 0 ? r
                     : engine_know(known, n_known, e->rows, e->n_rows, &e->changes, &e->n_changes);
}

int cycle_know(Evaluation *e) {
        int r = find_columns(e);
        if (r >= 0 && e->order && e->order->is_partial)
                r = derive(e, /* is_over= */ false);
        if (r >= 0)
                r = collect_rows(e);
        if (r >= 0)
                r = know(e);
        return r < 0 ? r : cycle_note(e);
}
