/* Values that were replaced, and how a step's values are put back.
 *
 * The value that followed a vintage is what was known as of the step that ended it; that is asked
 * per row instead of joined, because it stands in `figure` or in a later vintage. */
#include <errno.h>

#include "store/figure.h"
#include "store/key.h"

typedef struct Undone {
        FigureChange change;
        int64_t key;
} Undone;

static int read_undone(Query q, Undone *u) {
        u->change.now.indicator = (IndicatorId) column_int(q, 0);
        u->change.now.unit = (UnitId) column_int(q, 1);
        column_known(q, 2, &u->change.old_value, &u->change.old_why);
        u->change.had_old = true;
        u->key = column_int(q, 3);
        return 0;
}

/* What the figure would be without the import, as far as values tell. */
static int find_without(Store *s, PeriodId period, StepId known, StepId step, Undone *u) {
        CLEANUP_QUERY Query q = NULL;
        FigureRow *now = &u->change.now;
        int r;

        r = query_begin(s, STMT_FIGURE_WITHOUT,
                        ARGS(arg_int(period), arg_int(now->indicator), arg_int(now->unit),
                             arg_int(u->key), arg_int(known), arg_int(step)),
                        &q);
        if (r >= 0)
                r = query_next(q);
        if (r < 0)
                return r;
        now->value = u->change.old_value;
        now->why = u->change.old_why;
        if (column_int(q, 0))
                column_known(q, 1, &now->value, &now->why);
        return 0;
}

int store_figures_undone(Store *s, PeriodId period, StepId known, StepId step, FigureChange **ret,
                         size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE Undone *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_FIGURES_UNDONE,
                        ARGS(arg_int(period), arg_int(known), arg_int(step)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_undone);
        if (r < 0)
                return r;
        CLEANUP_FREE FigureChange *changes = calloc(n + 1, sizeof *changes);
        if (!changes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = find_without(s, period, known, step, rows + i);
                if (r < 0)
                        return r;
                changes[i] = rows[i].change;
        }
        *ret = TAKE_PTR(changes);
        *ret_n = n;
        return 0;
}

static int read_revision(Query q, RevisionRow *row) {
        row->period = (PeriodId) column_int(q, 0);
        row->indicator = (IndicatorId) column_int(q, 1);
        row->unit = (UnitId) column_int(q, 2);
        row->until = column_int(q, 3);
        row->at_ms = column_int(q, 4);
        row->cause = (StepCause) column_int(q, 5);
        column_known(q, 6, &row->old_value, &row->old_why);
        return 0;
}

static int find_successor(Store *s, RevisionRow *row) {
        FigureRow now;
        int r = store_figure_get(s, row->period, row->indicator, row->unit, row->until, &now, NULL);

        if (r != 0)
                return r < 0 ? r : -EBADMSG; /* a vintage without what followed it */
        row->new_value = now.value;
        row->new_why = now.why;
        return 0;
}

int store_revisions(Store *s, const RevisionFilter *filter, RevisionRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE RevisionRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_REVISIONS,
                        ARGS(arg_id(filter->period), arg_id(filter->indicator),
                             arg_id(filter->unit),
                             arg_int(filter->as_of ? filter->as_of : INT64_MAX),
                             arg_int((int64_t) filter->limit), arg_int((int64_t) filter->offset)),
                        &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_revision);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = find_successor(s, &rows[i]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}
