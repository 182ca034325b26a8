/* What is known once an import no longer counts: of each figure that stands as it left it, what the
 * newest of the other snapshots says that speaks of it.
 *
 * Who said what does not follow from figures and vintages alone, since equal values make none: a
 * publisher who has come to the same figure as the file left no trace but his bodies. They are
 * read again, newest first, until every figure has found its word. Where a body is past its
 * retention, what was known before stands in for it. */
#include <errno.h>

#include "core/engine.h"
#include "flow/cycle-private.h"
#include "flow/stored.h"
#include "store/figure.h"

typedef struct Undoing {
        App *app;
        Store *bodies;
        StepId step;
        FigureRow *rows; /* sorted by (indicator, unit): what is known without the import */
        bool *is_settled;
        size_t n, n_settled;
} Undoing;

/* Of a figure that it could name, a whole snapshot says also by silence that it is not published. */
static bool is_left_out(const Evaluation *e, const FigureRow *f) {
        const Snapshot *s = e->result->snapshot;
        const Unit *unit = unit_get(&e->app->units, f->unit);
        bool is_inside = !e->scope_unit || f->unit == e->scope_unit ||
                         (unit && unit->parent == e->scope_unit);
        if (cycle_is_partial(e) || !is_inside)
                return false;
        for (size_t c = 0; c < s->n_columns; c++)
                if (e->has_column[c] &&
                    e->app->config->indicators[s->indicators[c]].id == f->indicator)
                        return true;
        return false;
}

static void settle(Undoing *u, const Evaluation *e) {
        for (size_t i = 0; i < u->n; i++) {
                FigureRow *now = u->rows + i;
                const FigureRow *said = u->is_settled[i]
                                                ? NULL
                                                : bsearch(now, e->rows, e->n_rows, sizeof *e->rows,
                                                          cycle_compare_figures);
                if (u->is_settled[i] || (!said && !is_left_out(e, now)))
                        continue;
                now->value = said ? said->value : VALUE_NONE;
                now->why = said ? said->why : WHY_GONE;
                u->is_settled[i] = true;
                u->n_settled++;
        }
}

/* The result borrows from the row. */
static int read_again(const App *app, Store *bodies, const SnapshotRow *row, FetchResult **ret) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        App reading = *app; /* borrows all of it */
        reading.store = bodies;
        return stored_result(&reading, row, &diag, ret);
}

static int hear(Undoing *u, const StandingSnapshot *one) {
        SnapshotRow CLEANUP(snapshot_row_freep) *row = NULL;
        FetchResult CLEANUP(fetch_result_freep) *result = NULL;
        int r = store_snapshot_get(u->bodies, one->id, &row);
        if (r == 0)
                r = read_again(u->app, u->bodies, row, &result);
        if (r != 0)
                return r;
        CycleReport report = {0};
        CycleOrder order = {.is_partial = true};
        Evaluation CLEANUP(cycle_evaluation_done)
                e = {.app = u->app,
                     .result = result,
                     .step = u->step,
                     .order = one->cause == CAUSE_IMPORT ? &order : NULL,
                     .report = &report,
                     .source = &u->app->config->sources[result->source]};
        r = cycle_read(&e);
        if (r >= 0)
                settle(u, &e);
        return MIN(r, 0);
}

/* What is derived follows from the others, when these stand. */
static size_t leave_derived(const App *app, FigureChange *changes, size_t n) {
        const Config *c = app->config;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                bool is_derived = false;
                for (size_t k = 0; k < c->n_indicators; k++)
                        is_derived = is_derived ||
                                     (c->indicators[k].id == changes[i].now.indicator &&
                                      c->indicators[k].source >= 0 &&
                                      decode_derives(c, (size_t) c->indicators[k].source, k));
                if (!is_derived)
                        changes[kept++] = changes[i];
        }
        return kept;
}

int cycle_undone_derived(App *app, Store *bodies, const SnapshotRow *row, StepId step,
                         FigureChange **ret, size_t *ret_n) {
        FetchResult CLEANUP(fetch_result_freep) *result = NULL;
        CycleReport report = {0};
        CycleOrder order = {.is_partial = true};
        int r = read_again(app, bodies, row, &result);
        if (r != 0)
                return r;
        Evaluation CLEANUP(cycle_evaluation_done)
                e = {.app = app,
                     .result = result,
                     .step = step,
                     .order = &order,
                     .report = &report,
                     .source = &app->config->sources[result->source]};
        r = cycle_rederive(&e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(e.changes);
        *ret_n = e.n_changes;
        return 0;
}

int cycle_undone(App *app, Store *bodies, const SnapshotRow *row, StepId known, StepId step,
                 FigureChange **ret, size_t *ret_n) {
        FetchResult CLEANUP(fetch_result_freep) *own = NULL;
        StandingSnapshot CLEANUP_FREE *standing = NULL;
        FigureChange CLEANUP_FREE *stands = NULL;
        size_t n = 0, n_standing = 0;
        int is_blind = read_again(app, bodies, row, &own);
        if (is_blind < 0)
                return is_blind;
        int r = store_figures_undone(app->store, row->period, known, step, &stands, &n);
        if (r >= 0)
                r = store_snapshots_standing(app->store, row, step, &standing, &n_standing);
        if (r < 0)
                return r;
        if (!is_blind)
                n = leave_derived(app, stands, n);
        FigureRow CLEANUP_FREE *before = calloc(n + 1, sizeof *before);
        FigureRow CLEANUP_FREE *after = calloc(n + 1, sizeof *after);
        bool CLEANUP_FREE *is_settled = calloc(n + 1, sizeof *is_settled);
        if (!before || !after || !is_settled)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                before[i] = after[i] = stands[i].now;
                before[i].value = stands[i].old_value;
                before[i].why = stands[i].old_why;
        }
        Undoing u = {.app = app,
                     .bodies = bodies,
                     .step = step,
                     .rows = after,
                     .is_settled = is_settled,
                     .n = n};
        for (size_t i = 0; r == 0 && i < n_standing && u.n_settled < n; i++)
                r = hear(&u, standing + i);
        if (r < 0)
                return r;
        int k = engine_know(before, n, after, n, ret, ret_n);
        return k < 0 ? k : r ? r : is_blind;
}

static int put_all(Evaluation *e, const SnapshotRow *row, const FigureChange *changes, size_t n) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = store_figure_put(e->app->store, e->step, row->period, &changes[i]);
        return r;
}

int cycle_put_back(Evaluation *e, const SnapshotRow *row) {
        FigureChange CLEANUP_FREE *derived = NULL;
        Store *store = e->app->store;
        size_t n = 0;
        int r = cycle_undone(e->app, store, row, row->step, e->step, &e->changes, &e->n_changes);
        if (r >= 0)
                r = put_all(e, row, e->changes, e->n_changes);
        if (r >= 0)
                r = cycle_undone_derived(e->app, store, row, e->step, &derived, &n);
        if (r >= 0)
                r = put_all(e, row, derived, n);
        if (r < 0 || n == 0)
                return MIN(r, 0);
        FigureChange *all = reallocarray(e->changes, e->n_changes + n, sizeof *all);
        if (!all)
                return -ENOMEM;
        memcpy(all + e->n_changes, derived, n * sizeof *derived);
        e->changes = all;
        e->n_changes += n;
        return 0;
}
