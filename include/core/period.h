/* Periods: what a figure is about. Calendar months, quarters, halves and years in local time
 * (semantics 3).
 *
 * A PeriodId is an integer that a person can read in the database: year * 1000 + type * 100 +
 * number, so 2024-08 is 2024108, 2024-Q3 is 2024203, 2024-H2 is 2024302 and 2024 is 2024401. Ids
 * order correctly within one type. */
#pragma once

#include "base/macro.h"
#include "base/timeutil.h"

typedef int32_t PeriodId; /* 0 = none */

typedef enum PeriodType {
        PERIOD_MONTH = 1,
        PERIOD_QUARTER = 2,
        PERIOD_HALF = 3,
        PERIOD_YEAR = 4,
} PeriodType;
#define PERIOD_N_TYPES 5 /* array size when indexed by PeriodType; [0] unused */

/* running: not ended; provisional: ended, before final_after; closed: later. Every message says
 * which. */
typedef enum PeriodStatus { PERIOD_RUNNING, PERIOD_PROVISIONAL, PERIOD_CLOSED } PeriodStatus;

PeriodType period_type(PeriodId p);
bool period_is_valid(PeriodId p);
PeriodId period_of_day(PeriodType type, Day day);
Day period_start(PeriodId p); /* first local day */
Day period_end(PeriodId p);   /* the day after the last one */
PeriodId period_add(PeriodId p, int n);
#define period_previous(p) period_add((p), -1)
#define period_next(p) period_add((p), 1)
/* Number of steps from a to b (same type): period_add(a, period_distance(a, b)) == b. */
int period_distance(PeriodId a, PeriodId b);

/* The latest period of the type that has ended on `today` (its end <= today). */
PeriodId period_last_ended(PeriodType type, Day today);

/* "2024-08", "2024-Q3", "2024-H2", "2024". Returns 0 or -EINVAL. */
int period_parse(const char *text, PeriodId *ret);
const char *period_format(char text[static 16], PeriodId p);
/* "tháng 8/2024", "quý III/2024", "6 tháng cuối năm 2024" / "6 tháng đầu năm 2024", "năm 2024". */
const char *period_format_vi(char text[static 48], PeriodId p);
/* "August 2024", "Q3 2024", "H2 2024", "2024". */
const char *period_format_en(char text[static 48], PeriodId p);

/* "month" ... "year". type_parse returns 0 or -EINVAL. */
const char *period_type_name(PeriodType type);
int period_type_parse(const char *text, PeriodType *ret);

/* final_after_days: days after the end until the period is closed, indexed by PeriodType
 * (defaults 15, 30, 45, 60 for month, quarter, half, year). */
PeriodStatus period_status(PeriodId p, Day today,
                           const int final_after_days[static PERIOD_N_TYPES]);
const char *period_status_name(PeriodStatus status); /* "running", "provisional", "closed" */
