/* Figures: what is known now, how it changes, and one figure of the past.
 *
 * Invariants: the intervals [from_step, until_step) of one figure's vintages and its present row
 * follow each other without gap; equal values make none; a figure written twice in one step leaves
 * no vintage in between (nobody can ask for an instant within a step). change_step has a row for
 * every (period, until_step) of `vintage`. */
#include "store/figure.h"

#include <errno.h>

#include "store/sql.h"

/* ---- writing
 * ----------------------------------------------------------------------------------------------------
 */

static int change_step_add(Store *s, PeriodId period, StepId step) {
        int r;

        if (s->change_period == period && s->change_step == step)
                return 0;
        r = query_run(s, STMT_CHANGE_STEP_ADD, ARGS(arg_int(period), arg_int(step)));
        if (r < 0)
                return r;
        s->change_period = period;
        s->change_step = step;
        return 0;
}

static int figure_run(Store *s, StatementId id, StepId step, PeriodId period, const FigureRow *f,
                      int *ret_changes) {
        return query_change(s, id,
                            ARGS(arg_int(period), arg_int(f->indicator), arg_int(f->unit),
                                 arg_value(f->value), arg_int(f->why), arg_int(step)),
                            ret_changes);
}

static int figure_revise(Store *s, StepId step, PeriodId period, const FigureRow *f,
                         int *ret_changes) {
        int r, vintages;

        r = figure_run(s, STMT_VINTAGE_ADD, step, period, f, &vintages);
        if (r >= 0 && vintages > 0)
                r = change_step_add(s, period, step);
        if (r < 0)
                return r;
        return figure_run(s, STMT_FIGURE_SET, step, period, f, ret_changes);
}

/* had_old only says what to try first: what the file holds decides. */
int store_figure_put(Store *s, StepId step, PeriodId period, const FigureChange *change) {
        const FigureRow *f = &change->now;
        int r = 0, changes = 0;

        if ((f->value == VALUE_NONE) != (f->why != WHY_VALUE))
                return -EINVAL;
        if (change->had_old)
                r = figure_revise(s, step, period, f, &changes);
        if (r >= 0 && changes == 0)
                r = figure_run(s, STMT_FIGURE_ADD, step, period, f, &changes);
        if (r >= 0 && changes == 0 && !change->had_old)
                r = figure_revise(s, step, period, f, &changes);
        return r;
}

/* ---- reading
 * ----------------------------------------------------------------------------------------------------
 */

static int read_figure(Query q, FigureRow *row) {
        *row = (FigureRow){
                .indicator = (IndicatorId) column_int(q, 0),
                .unit = (UnitId) column_int(q, 1),
                .value = column_value(q, 2),
                .why = (Why) column_int(q, 3),
        };
        return 0;
}

int store_figures_of(Store *s, PeriodId period, const IndicatorId *indicators, size_t n,
                     UnitId parent, FigureRow **ret, size_t *ret_n) {
        CLEANUP_FREE FigureRow *rows = NULL;
        size_t n_rows = 0, cap = 0;
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                CLEANUP_QUERY Query q = NULL;

                if (parent)
                        r = query_begin(
                                s, STMT_FIGURES_BELOW,
                                ARGS(arg_int(period), arg_int(indicators[i]), arg_int(parent)), &q);
                else
                        r = query_begin(s, STMT_FIGURES_ALL,
                                        ARGS(arg_int(period), arg_int(indicators[i])), &q);
                if (r >= 0)
                        r = COLLECT(q, rows, n_rows, cap, read_figure);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n_rows;
        return 0;
}

int store_figure_get(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, StepId as_of,
                     FigureRow *ret, StepId *ret_from) {
        CLEANUP_QUERY Query now = NULL;
        CLEANUP_QUERY Query before = NULL;
        StepId step = as_of ? as_of : INT64_MAX;
        Query q;
        int r;

        r = query_begin(s, STMT_FIGURE_GET,
                        ARGS(arg_int(period), arg_int(indicator), arg_int(unit), arg_int(step)),
                        &now);
        if (r < 0)
                return r;
        q = now;
        r = query_next(q);
        if (r == 0 && as_of) {
                r = query_begin(
                        s, STMT_VINTAGE_GET,
                        ARGS(arg_int(period), arg_int(indicator), arg_int(step), arg_int(unit)),
                        &before);
                if (r < 0)
                        return r;
                q = before;
                r = query_next(q);
        }
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        *ret = (FigureRow){
                .indicator = indicator,
                .unit = unit,
                .value = column_value(q, 0),
                .why = (Why) column_int(q, 1),
        };
        if (ret_from)
                *ret_from = column_int(q, 2);
        return 0;
}

/* ---- which periods there are ----------------------------------------------------------------- */

/* The next period of the type below (is_down) or above the bound that has any figure; 0 = none.
 * Types are interleaved within a year (2024112 < 2024201), so a hit of another type tells how far
 * to jump: two seeks a year at most. */
static int period_next_of(Store *s, PeriodType type, bool is_down, int64_t bound, int64_t *ret) {
        for (;;) {
                StatementId id = is_down ? STMT_PERIOD_BELOW : STMT_PERIOD_ABOVE;
                int64_t period, found, first;
                int r;

                r = query_int(s, id, ARGS(arg_int(bound)), 0, &period);
                if (r < 0)
                        return r;
                found = period / 100 % 10;
                if (period == 0 || found == (int64_t) type) {
                        *ret = period;
                        return 0;
                }
                first = period / 1000 * 1000 + type * 100;
                if (is_down)
                        bound = found > (int64_t) type ? first + 100 : first - 1000 + 100;
                else
                        bound = found < (int64_t) type ? first - 1 : first + 1000 - 1;
        }
}

int store_period_newest(Store *s, const char *source, PeriodType type, PeriodId *ret) {
        int64_t period = INT32_MAX, has = 0;
        int r;

        do {
                r = period_next_of(s, type, /* is_down= */ true, period, &period);
                if (r >= 0 && period)
                        r = query_int(s, STMT_PERIOD_HAS_SOURCE,
                                      ARGS(arg_int(period), arg_text(source)), 0, &has);
                if (r < 0)
                        return r;
        } while (period && !has);
        *ret = (PeriodId) period;
        return 0;
}

static int period_end_of(Store *s, IndicatorId indicator, PeriodType type, bool is_down,
                         int64_t *ret) {
        int64_t period = is_down ? INT32_MAX : 0, has = 0;
        int r;

        do {
                r = period_next_of(s, type, is_down, period, &period);
                if (r >= 0 && period)
                        r = query_int(s, STMT_PERIOD_HAS_INDICATOR,
                                      ARGS(arg_int(period), arg_int(indicator)), 0, &has);
                if (r < 0)
                        return r;
        } while (period && !has);
        *ret = period;
        return 0;
}

int store_period_range(Store *s, IndicatorId indicator, PeriodType type, PeriodId *ret_first,
                       PeriodId *ret_last) {
        int64_t first, last;
        int r;

        r = period_end_of(s, indicator, type, /* is_down= */ false, &first);
        if (r < 0)
                return r;
        if (first == 0)
                return STORE_E_NONE;
        r = period_end_of(s, indicator, type, /* is_down= */ true, &last);
        if (r < 0)
                return r;
        *ret_first = (PeriodId) first;
        *ret_last = (PeriodId) last;
        return 0;
}

/* ---- vintages of one figure ------------------------------------------------------------------ */

static int read_vintage(Query q, VintageRow *row) {
        row->value = column_value(q, 0);
        row->why = (Why) column_int(q, 1);
        row->from = column_int(q, 2);
        row->until = column_int(q, 3);
        row->from_ms = column_int(q, 4);
        row->snapshot = column_int(q, 5);
        column_text_fixed(q, 7, row->hash, sizeof(row->hash));
        return column_text(q, 6, &row->source);
}

int store_vintages(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, VintageRow **ret,
                   size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        VintageRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_VINTAGES, ARGS(arg_int(period), arg_int(indicator), arg_int(unit)),
                        &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_vintage);
        if (r < 0) {
                vintage_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void vintage_rows_free(VintageRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(rows[i].source);
        free(rows);
}
