/* `chisoctl check`, the part that judges and prints: apart from what asks, so that it is tested
 * without a daemon. */
#pragma once

#include "ctl/ctl.h"

/* As plugins of Nagios and Icinga end. */
typedef enum CheckState { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN } CheckState;

typedef struct CheckLimits {
        int64_t max_age_ms; /* since the newest figures were fetched; 0: no limit */
        int64_t max_queued; /* messages that wait; negative: no limit */
} CheckLimits;

/* The worst of what /v1/status tells, and the one line that says it with its performance data. */
int check_line(const Ctl *ctl, const json_t *status, const CheckLimits *limits, Buf *ret_line,
               CheckState *ret);
/* The line of a state that has a reason only. */
int check_short(CheckState state, const char *reason, Buf *ret_line);
