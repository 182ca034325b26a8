/* Everything that was known, in the order in which it became known. */
#include "store/history.h"

#include "store/sql.h"

static int read_change(Query q, KnownChange *row) {
        *row = (KnownChange){.step = column_int(q, 0),
                             .at_ms = column_int(q, 1),
                             .period = (PeriodId) column_int(q, 2),
                             .now = {.indicator = (IndicatorId) column_int(q, 3),
                                     .unit = (UnitId) column_int(q, 4),
                                     .value = column_value(q, 5),
                                     .why = (Why) column_int(q, 6)}};
        return 0;
}

int store_history_figures(Store *s, IndicatorId a, IndicatorId b, size_t max, KnownChange **ret,
                          size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        KnownChange *rows = NULL;
        size_t n = 0, cap = 0;
        int r = query_begin(s, STMT_HISTORY_FIGURES,
                            ARGS(arg_int(a), arg_int(b), arg_int((int64_t) max)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_change);
        if (r < 0) {
                free(rows);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

static int read_sight(Query q, KnownSight *row) {
        row->at_ms = column_int(q, 0);
        row->step = column_int(q, 1);
        row->period = (PeriodId) column_int(q, 2);
        return column_text(q, 3, &row->scope);
}

void known_sights_free(KnownSight *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(rows[i].scope);
        free(rows);
}

int store_history_sights(Store *s, const char *source, size_t max, KnownSight **ret,
                         size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        KnownSight *rows = NULL;
        size_t n = 0, cap = 0;
        int r = query_begin(s, STMT_HISTORY_SIGHTS, ARGS(arg_text(source), arg_int((int64_t) max)),
                            &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_sight);
        if (r < 0) {
                known_sights_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

static int read_unit(Query q, KnownUnit *row) {
        *row = (KnownUnit){(UnitId) column_int(q, 0), column_int(q, 1)};
        return 0;
}

int store_history_units(Store *s, KnownUnit **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        KnownUnit *rows = NULL;
        size_t n = 0, cap = 0;
        int r = query_begin(s, STMT_HISTORY_UNITS, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_unit);
        if (r < 0) {
                free(rows);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_history_begin(Store *s, int64_t *ret_ms) {
        int r = query_int(s, STMT_HISTORY_BEGIN, NO_ARGS, -1, ret_ms);
        return r < 0 ? r : *ret_ms < 0 ? STORE_E_NONE : 0;
}
