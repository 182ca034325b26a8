/* All that was ever known of a few indicators, in the order in which it became known: what is played
 * again step by step. Reads whole tables; for threads with a read connection of their own. */
#pragma once

#include "core/engine.h"
#include "store/store.h"

/* A figure became this at the step. */
typedef struct KnownChange {
        StepId step;
        int64_t at_ms;
        PeriodId period;
        FigureRow now;
} KnownChange;
/* Of one or two indicators (the second may be 0), by (step, period, indicator, unit); at most `max`
 * of them, the oldest. Heap array. */
int store_history_figures(Store *s, IndicatorId a, IndicatorId b, size_t max, KnownChange **ret,
                          size_t *ret_n);

/* The source was seen to publish the period: new figures (`step` is when they became known), or those
 * known already (step 0). */
typedef struct KnownSight {
        int64_t at_ms;
        StepId step;
        PeriodId period;
        char *scope;
} KnownSight;
/* By time; of one instant, new figures before confirmations. At most `max`. */
int store_history_sights(Store *s, const char *source, size_t max, KnownSight **ret, size_t *ret_n);
void known_sights_free(KnownSight *rows, size_t n);

/* The step that registered each unit, by id; and the instant of the first step, STORE_E_NONE. */
typedef struct KnownUnit {
        UnitId unit;
        StepId step;
} KnownUnit;
int store_history_units(Store *s, KnownUnit **ret, size_t *ret_n);
int store_history_begin(Store *s, int64_t *ret_ms);
