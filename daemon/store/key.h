/* Inside of store/: how a figure is found. One integer is the whole key of a row of `known` and
 * `known_before` (schema-v2.c says why), built here and in the views and nowhere else.
 *
 * Unit ids stay below 2^18, indicator ids below 2^12; more is refused when a figure is put. */
#pragma once

#include "store/sql.h"

#define KEY_UNIT_BITS 18
#define KEY_INDICATOR_BITS 12
#define KEY_UNIT_MAX ((1 << KEY_UNIT_BITS) - 1)
#define KEY_INDICATOR_MAX ((1 << KEY_INDICATOR_BITS) - 1)

/* The row of `series` of (period, indicator), 0 = there is none. */
int series_find(Store *s, PeriodId period, IndicatorId indicator, int64_t *ret);
/* Made when there is none. -EINVAL: unknown indicator. */
int series_make(Store *s, PeriodId period, IndicatorId indicator, int64_t *ret);
/* The row of `change_step` of (period, step), made when there is none. -EINVAL: unknown step. */
int change_make(Store *s, PeriodId period, StepId step, int64_t *ret);
/* What the last transaction wrote may have been undone. */
static inline void keys_forget(Store *s) {
        s->series = (KeySeen){0};
        s->change = (KeySeen){0};
}

/* Unit 0 and KEY_UNIT_MAX are the bounds of a series. */
static inline int64_t known_key(int64_t series, UnitId unit) {
        return (series << KEY_UNIT_BITS) + unit;
}
static inline int64_t before_key(int64_t change, IndicatorId indicator, UnitId unit) {
        return (((change << KEY_INDICATOR_BITS) + indicator) << KEY_UNIT_BITS) + unit;
}

/* A value as it is stored: the scaled integer, or the word why there is none. */
Arg arg_known(int64_t value, Why why);
void column_known(Query q, int i, int64_t *ret_value, Why *ret_why);
