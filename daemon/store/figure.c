/* Figures: what is known now, how it changes, and one figure of the past.
 *
 * Invariants: the intervals [from_step, until_step) of one figure's vintages and its present row
 * follow each other without gap; equal values make none; a figure written twice in one step leaves
 * no vintage in between (nobody can ask for an instant within a step). change_step has a row for
 * every (period, until_step) that a vintage has, and series one for every (period, indicator) that
 * a figure has, and no more: a put that fails is undone by its caller. */
#include "store/figure.h"

#include <errno.h>

#include "os/crypto.h"
#include "store/key.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* What stands there, if anything: STORE_E_NONE. */
static int known_get(Store *s, int64_t key, StepId until, FigureRow *ret, StepId *ret_from) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_FIGURE_GET, ARGS(arg_int(key), arg_int(until)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        column_known(q, 0, &ret->value, &ret->why);
        *ret_from = column_int(q, 1);
        return 0;
}

static int vintage_add(Store *s, StepId step, PeriodId period, int64_t key, const FigureRow *f) {
        int64_t change;
        int r;

        r = change_make(s, period, step, &change);
        if (r < 0)
                return r;
        return query_run(s, STMT_VINTAGE_ADD,
                         ARGS(arg_int(key), arg_int(before_key(change, f->indicator, f->unit)),
                              arg_int(step)));
}

/* STORE_E_NONE: there is nothing to revise. */
static int figure_revise(Store *s, StepId step, PeriodId period, int64_t key, const FigureRow *f) {
        FigureRow old;
        StepId from;
        int r;

        r = known_get(s, key, INT64_MAX, &old, &from);
        if (r != 0 || (old.value == f->value && old.why == f->why))
                return r;
        if (from < step)
                r = vintage_add(s, step, period, key, f);
        if (r < 0)
                return r;
        return query_run(s, STMT_FIGURE_SET,
                         ARGS(arg_int(key), arg_known(f->value, f->why), arg_int(step)));
}

/* STORE_E_NONE: there is one already. */
static int figure_add(Store *s, StepId step, int64_t key, const FigureRow *f) {
        int r, changes;

        r = query_change(s, STMT_FIGURE_ADD,
                         ARGS(arg_int(key), arg_known(f->value, f->why), arg_int(step)), &changes);
        return r >= 0 && changes == 0 ? STORE_E_NONE : r;
}

/* had_old only says what to try first: what the file holds decides. */
int store_figure_put(Store *s, StepId step, PeriodId period, const FigureChange *change) {
        const FigureRow *f = &change->now;
        int64_t series, key;
        int r;

        if ((f->value == VALUE_NONE) != (f->why != WHY_VALUE) || f->why > WHY_GONE ||
            f->unit > KEY_UNIT_MAX || f->indicator > KEY_INDICATOR_MAX)
                return -EINVAL;
        r = series_make(s, period, f->indicator, &series);
        if (r < 0)
                return r;
        key = known_key(series, f->unit);
        r = STORE_E_NONE;
        if (change->had_old)
                r = figure_revise(s, step, period, key, f);
        if (r == STORE_E_NONE)
                r = figure_add(s, step, key, f);
        if (r == STORE_E_NONE)
                r = figure_revise(s, step, period, key, f);
        return r;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_figure(Query q, FigureRow *row) {
        row->indicator = (IndicatorId) column_int(q, 0);
        row->unit = (UnitId) column_int(q, 1);
        column_known(q, 2, &row->value, &row->why);
        return 0;
}

static int read_id(Query q, UnitId *id) {
        *id = (UnitId) column_int(q, 0);
        return 0;
}

typedef struct UnitIds {
        UnitId *list; /* sorted */
        size_t n, cap;
} UnitIds;

static void unit_ids_done(UnitIds *u) {
        free(u->list);
}

static int units_below(Store *s, UnitId parent, UnitIds *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r = query_begin(s, STMT_UNITS_BELOW, ARGS(arg_int(parent)), &q);

        return r < 0 ? r : COLLECT(q, ret->list, ret->n, ret->cap, read_id);
}

typedef struct FigureList {
        FigureRow *rows;
        size_t n, cap;
} FigureList;

static void figure_list_done(FigureList *l) {
        free(l->rows);
}

/* Rows of the ids from..to of one series; with `units`, of those only, which begin at `from`. */
static int collect_range(Store *s, int64_t series, IndicatorId indicator, UnitId from, UnitId to,
                         const UnitId *units, FigureList *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r = query_begin(s, STMT_FIGURES_ALL,
                            ARGS(arg_int(known_key(series, from)), arg_int(known_key(series, to)),
                                 arg_int(indicator)),
                            &q);

        while (r >= 0 && (r = query_next(q)) > 0) {
                UnitId unit = (UnitId) column_int(q, 1);

                while (units && *units < unit)
                        units++;
                if (units && *units != unit)
                        continue;
                r = ARRAY_GROW(ret->rows, ret->cap, ret->n + 1);
                if (r >= 0)
                        r = read_figure(q, &ret->rows[ret->n++]);
        }
        return r;
}

static int collect_units(Store *s, int64_t series, IndicatorId indicator, const UnitIds *units,
                         FigureList *ret) {
        int r = 0;

        for (size_t i = 0, j; i < units->n && r >= 0; i = j) {
                j = unit_range_end(units->list, units->n, i);
                r = collect_range(s, series, indicator, units->list[i], units->list[j - 1],
                                  units->list + i, ret);
        }
        return r;
}

int store_figures_of(Store *s, PeriodId period, const IndicatorId *indicators, size_t n,
                     UnitId parent, FigureRow **ret, size_t *ret_n) {
        CLEANUP(figure_list_done) FigureList all = {0};
        CLEANUP(unit_ids_done) UnitIds units = {0};
        int r = parent ? units_below(s, parent, &units) : 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                int64_t series;

                r = series_find(s, period, indicators[i], &series);
                if (r < 0 || series == 0)
                        continue;
                r = parent ? collect_units(s, series, indicators[i], &units, &all)
                           : collect_range(s, series, indicators[i], 0, KEY_UNIT_MAX, NULL, &all);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all.rows);
        *ret_n = all.n;
        return 0;
}

/* Known at the step, but no longer. STORE_E_NONE. */
static int vintage_get(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, StepId step,
                       FigureRow *ret, StepId *ret_from) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_VINTAGE_GET,
                        ARGS(arg_int(period), arg_int(indicator), arg_int(step), arg_int(unit)),
                        &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        column_known(q, 0, &ret->value, &ret->why);
        *ret_from = column_int(q, 1);
        return 0;
}

int store_figure_get(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, StepId as_of,
                     FigureRow *ret, StepId *ret_from) {
        FigureRow found = {.indicator = indicator, .unit = unit};
        StepId from = 0;
        int64_t series;
        int r;

        r = series_find(s, period, indicator, &series);
        if (r < 0)
                return r;
        if (series == 0)
                return STORE_E_NONE;
        r = known_get(s, known_key(series, unit), as_of ? as_of : INT64_MAX, &found, &from);
        if (r == STORE_E_NONE && as_of)
                r = vintage_get(s, period, indicator, unit, as_of, &found, &from);
        if (r != 0)
                return r;
        *ret = found;
        if (ret_from)
                *ret_from = from;
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

/* What an undone import alone had brought is gone, and its period with it. */
static int series_stands(Store *s, PeriodId period, IndicatorId indicator, StepId as_of,
                         int64_t *ret) {
        int64_t series;
        int r;

        r = series_find(s, period, indicator, &series);
        *ret = r < 0 ? 0 : series;
        if (r < 0 || series == 0 || as_of == STEP_EVER)
                return r;
        return query_int(s, STMT_SERIES_STANDS,
                         ARGS(arg_int(period), arg_int(indicator),
                              arg_int(as_of ? as_of : INT64_MAX), arg_int(known_key(series, 0)),
                              arg_int(known_key(series, KEY_UNIT_MAX))),
                         0, ret);
}

int store_period_stands(Store *s, PeriodId period, IndicatorId indicator, StepId as_of, bool *ret) {
        int64_t stands;
        int r = series_stands(s, period, indicator, as_of, &stands);

        *ret = stands != 0;
        return MIN(r, 0);
}

static int period_end_of(Store *s, IndicatorId indicator, PeriodType type, StepId as_of,
                         bool is_down, int64_t *ret) {
        int64_t period = is_down ? INT32_MAX : 0, has = 0;
        int r;

        do {
                r = period_next_of(s, type, is_down, period, &period);
                if (r >= 0 && period)
                        r = series_stands(s, (PeriodId) period, indicator, as_of, &has);
                if (r < 0)
                        return r;
        } while (period && !has);
        *ret = period;
        return 0;
}

int store_period_range(Store *s, IndicatorId indicator, PeriodType type, StepId as_of,
                       PeriodId *ret_first, PeriodId *ret_last) {
        int64_t first, last;
        int r;

        r = period_end_of(s, indicator, type, as_of, /* is_down= */ false, &first);
        if (r < 0)
                return r;
        if (first == 0)
                return STORE_E_NONE;
        r = period_end_of(s, indicator, type, as_of, /* is_down= */ true, &last);
        if (r < 0)
                return r;
        *ret_first = (PeriodId) first;
        *ret_last = (PeriodId) last;
        return 0;
}

/* ---- vintages of one figure ------------------------------------------------------------------ */

/* Where the body of the part stood in the snapshot that was looked at last: mostly there in the next
 * one too, since a source asks for its parts in one order. */
typedef struct PartPlace {
        const char *name; /* NULL: the first body is wanted */
        int64_t n, page;
} PartPlace;

typedef struct VintageList {
        VintageRow *rows;
        size_t n, cap;
        PartPlace part;
} VintageList;

static void hash_read(Query q, int i, VintageRow *row) {
        const void *hash = sqlite3_column_blob(q, i);

        if (hash && sqlite3_column_bytes(q, i) == SHA256_SIZE)
                crypto_hex(hash, SHA256_SIZE, row->hash);
}

static bool part_is(Query q, int name, int page, const PartPlace *part) {
        const char *text = (const char *) sqlite3_column_text(q, name);

        return !part->name ||
               (text && streq(text, part->name) && column_int(q, page) == part->page);
}

static int hash_find(Store *s, PartPlace *part, VintageRow *row) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_SNAPSHOT_PART_OF,
                        ARGS(arg_int(row->snapshot), arg_text(part->name)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r;
        hash_read(q, 3, row);
        part->n = column_int(q, 0);
        part->page = column_int(q, 2);
        return 0;
}

/* The next older one, which was known until the step `until`; 0 = the one that stands. STORE_E_NONE. */
static int vintage_take(Store *s, StatementId id, const Arg *args, size_t n_args, StepId until,
                        VintageList *l) {
        CLEANUP_QUERY Query q = NULL;
        VintageRow *row;
        int r;

        r = query_begin(s, id, args, n_args, &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        r = ARRAY_GROW(l->rows, l->cap, l->n + 1);
        if (r < 0)
                return r;
        row = &l->rows[l->n++];
        column_known(q, 0, &row->value, &row->why);
        row->from = column_int(q, 1);
        row->until = until;
        row->from_ms = column_int(q, 2);
        row->snapshot = column_int(q, 3);
        if (row->snapshot == 0)
                return 0;
        if (!part_is(q, 4, 5, &l->part))
                return hash_find(s, &l->part, row);
        hash_read(q, 6, row);
        return 0;
}

/* From what stands backwards: where one began the one before it ended, so that nothing is sought in
 * vain, however many others changed the period meanwhile. */
static int vintages_collect(Store *s, PeriodId period, IndicatorId indicator, UnitId unit,
                            int64_t key, VintageList *l) {
        int r = vintage_take(s, STMT_VINTAGE_NOW,
                             ARGS(arg_int(period), arg_int(key), arg_int(l->part.n)), 0, l);

        while (r == 0) {
                StepId until = l->rows[l->n - 1].from;

                r = vintage_take(s, STMT_VINTAGE_ENDED,
                                 ARGS(arg_int(period), arg_int(until), arg_int(l->part.n),
                                      arg_int(indicator), arg_int(unit)),
                                 until, l);
        }
        return r == STORE_E_NONE ? 0 : r;
}

static void vintages_reverse(VintageRow *rows, size_t n) {
        for (size_t i = 0; i < n / 2; i++) {
                VintageRow row = rows[i];

                rows[i] = rows[n - 1 - i];
                rows[n - 1 - i] = row;
        }
}

int store_vintages(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, const char *part,
                   VintageRow **ret, size_t *ret_n) {
        VintageList l = {.part = {.name = part}};
        int64_t series;
        int r;

        r = series_find(s, period, indicator, &series);
        if (r >= 0)
                r = vintages_collect(s, period, indicator, unit, known_key(series, unit), &l);
        if (r < 0) {
                free(l.rows);
                return r;
        }
        vintages_reverse(l.rows, l.n);
        *ret = l.rows;
        *ret_n = l.n;
        return 0;
}
