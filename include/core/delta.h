/* Change against the previous period, or the reason why there is none (semantics 5). Never a
 * longer reach back. */
#pragma once

#include "core/panel.h"

typedef enum DeltaReason {
        DELTA_OK,
        DELTA_FIRST,   /* no earlier figure of the unit */
        DELTA_GAP,     /* the previous period has none, an earlier one has */
        DELTA_MERGED,  /* the unit did not exist then */
        DELTA_ERA,     /* not comparable: the era's reason */
        DELTA_MISSING, /* no value now */
        DELTA_RUNNING, /* the period has not ended */
} DeltaReason;
const char *delta_reason_name(DeltaReason reason); /* "ok", "first", "gap", ... */

/* The era boundary strictly between the start of period a and the end of period b (a before b), or
 * NULL. `source`, `indicator` and `parent` (key) restrict which boundaries count; NULL matches
 * only boundaries for all. */
const EraDef *delta_era_between(const EraDef *eras, size_t n, PeriodId a, PeriodId b,
                                const char *source, const char *indicator, const char *parent);

typedef struct Delta {
        int64_t value; /* scaled; VALUE_NONE unless reason is DELTA_OK */
        DeltaReason reason;
        const EraDef *era; /* with DELTA_ERA */
} Delta;

/* Delta of unit index u at period index p of the panel. valid_from: first day of the unit's
 * validity (DAY_EVER if always). era: boundary between the two periods or NULL. is_running: the
 * period has not ended. */
Delta delta_make(const Panel *panel, size_t p, size_t u, Day valid_from, const EraDef *era,
                 bool is_running);
