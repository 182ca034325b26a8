/* Surrogate keys of figures and of what they were.
 *
 * Figures come by (period, indicator), so that the last series found is nearly always the next one:
 * remembering more than one saved nothing that could be measured. Only what exists is remembered;
 * rows of both tables never go, but by a rollback. */
#include "store/key.h"

#include <errno.h>

static int key_find(Store *s, StatementId id, KeySeen *seen, int64_t a, int64_t b, int64_t *ret) {
        int64_t found;
        int r;

        if (seen->id == 0 || seen->a != a || seen->b != b) {
                r = query_int(s, id, ARGS(arg_int(a), arg_int(b)), 0, &found);
                if (r < 0)
                        return r;
                if (found == 0) {
                        *ret = 0;
                        return 0;
                }
                *seen = (KeySeen){.a = a, .b = b, .id = found};
        }
        *ret = seen->id;
        return 0;
}

static int key_make(Store *s, StatementId find, StatementId add, KeySeen *seen, int64_t a,
                    int64_t b, int64_t *ret) {
        int r = key_find(s, find, seen, a, b, ret);

        if (r < 0 || *ret)
                return r;
        r = query_run(s, add, ARGS(arg_int(a), arg_int(b)));
        if (r < 0)
                return r;
        *ret = sqlite3_last_insert_rowid(s->db);
        *seen = (KeySeen){.a = a, .b = b, .id = *ret};
        return 0;
}

int series_find(Store *s, PeriodId period, IndicatorId indicator, int64_t *ret) {
        return key_find(s, STMT_SERIES_GET, &s->series, period, indicator, ret);
}

int series_make(Store *s, PeriodId period, IndicatorId indicator, int64_t *ret) {
        return key_make(s, STMT_SERIES_GET, STMT_SERIES_ADD, &s->series, period, indicator, ret);
}

int change_make(Store *s, PeriodId period, StepId step, int64_t *ret) {
        return key_make(s, STMT_CHANGE_GET, STMT_CHANGE_ADD, &s->change, period, step, ret);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The words of the schema's CHECK. */
static const char *const why_words[] = {
        [WHY_MISSING] = "missing",
        [WHY_EMPTY] = "empty",
        [WHY_BAD] = "bad",
        [WHY_GONE] = "gone",
};

Arg arg_known(int64_t value, Why why) {
        return value == VALUE_NONE ? arg_text(why_words[why]) : arg_int(value);
}

void column_known(Query q, int i, int64_t *ret_value, Why *ret_why) {
        const char *word;

        *ret_value = VALUE_NONE;
        *ret_why = WHY_GONE; /* NULL: of a figure that was not there */
        if (sqlite3_column_type(q, i) == SQLITE_INTEGER) {
                *ret_value = sqlite3_column_int64(q, i);
                *ret_why = WHY_VALUE;
                return;
        }
        word = (const char *) sqlite3_column_text(q, i);
        for (size_t w = 1; word && w < ELEMENTSOF(why_words); w++)
                if (streq(word, why_words[w]))
                        *ret_why = (Why) w;
}
