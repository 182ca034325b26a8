/* Instants and civil dates. An instant is int64_t milliseconds since 1970-01-01T00:00Z; a Day
 * counts local days since 1970-01-01. Local time is Asia/Ho_Chi_Minh: UTC+7, no daylight saving (so
 * arithmetic, no tz database). */
#pragma once

#include "base/macro.h"

typedef int32_t Day;

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)
#define LOCAL_OFFSET_MS (7 * MS_PER_HOUR)

typedef struct Civil {
        int year;            /* 1..9999 */
        unsigned month, day; /* from 1 */
} Civil;

Day day_from_civil(int year, unsigned month, unsigned day);
Civil civil_from_day(Day day);
bool civil_is_valid(int year, unsigned month, unsigned day);

/* 0 = Monday ... 6 = Sunday. */
unsigned day_weekday(Day day);

Day day_of_instant(int64_t at_ms);         /* the local day that holds the instant */
int64_t day_start_ms(Day day);             /* local midnight */
unsigned minute_of_instant(int64_t at_ms); /* 0..1439, local */

/* "2026-10-31" <-> Day. Parsing wants all of the text. Returns 0 or -EINVAL. */
int day_parse(const char *text, Day *ret);
const char *day_format(char text[static 16], Day day);    /* 2026-10-31 */
const char *day_format_vi(char text[static 16], Day day); /* 31/10/2026 */

/* RFC 3339. Parsing takes any offset or Z, optional fraction, and also whole minutes without
 * seconds; formatting writes +07:00 and whole seconds. */
int instant_parse(const char *text, int64_t *ret_ms);
const char *instant_format(char text[static 40], int64_t at_ms);
/* "As of" (semantics 4): an RFC 3339 instant, or a bare date. Each means the end of what is written:
 * of that local day, minute or second. Answers print whole seconds, and who asks as of such a time
 * wants what came then. */
int asof_parse(const char *text, int64_t *ret_ms);
/* RFC 5322 date with +0700: "Thu, 05 Sep 2024 08:00:00 +0700". */
const char *instant_format_mail(char text[static 48], int64_t at_ms);
/* "23/11 04:03" and "23/11/2026 04:03", local. */
const char *instant_format_short(char text[static 24], int64_t at_ms);
const char *instant_format_vi(char text[static 24], int64_t at_ms);

/* "90s", "15min", "6h", "3d", "2w", "500ms" or combinations ("1h 30min"). Returns 0 or -EINVAL /
 * -ERANGE (> 100 years). */
int duration_parse(const char *text, int64_t *ret_ms);
/* "08:00" -> minutes after midnight. */
int clock_parse(const char *text, unsigned *ret_minute);
