/* Instants and civil dates by arithmetic.
 *
 * Viet Nam has kept UTC+7 without daylight saving for longer than any figure reaches back, so
 * neither the tz database nor localtime() is asked: both read the environment. Days by the
 * proleptic Gregorian calendar, counted in eras of 400 years from 1 March, so that the leap day is
 * the last of its year. An instant outside the years 1..9999 is taken as the nearest one inside:
 * callers use the ends of int64_t for "never". */
#include <errno.h>
#include <stdio.h>

#include "base/timeutil.h"

#define DAYS_PER_ERA 146097
#define EPOCH_FROM_ERA 719468 /* days from 0000-03-01 to 1970-01-01 */
#define FIRST_DAY (-719162)   /* 0001-01-01 */
#define LAST_DAY 2932896      /* 9999-12-31 */
#define DURATION_MAX_MS (36525 * MS_PER_DAY)

static bool is_leap(int year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_div(int64_t a, int64_t b) {
        return a / b - (a % b < 0);
}

Day day_from_civil(int year, unsigned month, unsigned day) {
        int y = year - (month <= 2);
        int era = (int) floor_div(y, 400);
        int year_of_era = y - era * 400;
        int day_of_year = (int) ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day) - 1;
        int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

        return era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_ERA;
}

Civil civil_from_day(Day day) {
        int64_t z = (int64_t) day + EPOCH_FROM_ERA;
        int64_t era = floor_div(z, DAYS_PER_ERA);
        int64_t doe = z - era * DAYS_PER_ERA;
        int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        int64_t m = (5 * doy + 2) / 153;
        unsigned month = (unsigned) (m < 10 ? m + 3 : m - 9);

        return (Civil){
                .year = (int) (yoe + era * 400 + (month <= 2)),
                .month = month,
                .day = (unsigned) (doy - (153 * m + 2) / 5 + 1),
        };
}

bool civil_is_valid(int year, unsigned month, unsigned day) {
        static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
                return false;
        return day <= (month == 2 && is_leap(year) ? 29u : days[month - 1]);
}

unsigned day_weekday(Day day) {
        /* 1970-01-01 was a Thursday. */
        int64_t shifted = (int64_t) day + 3;

        return (unsigned) (shifted - floor_div(shifted, 7) * 7);
}

/* Milliseconds of local time since 1970-01-01T00:00 local. */
static int64_t local_ms(int64_t at_ms) {
        return CLAMP(at_ms, FIRST_DAY * MS_PER_DAY - LOCAL_OFFSET_MS,
                     (LAST_DAY + 1) * MS_PER_DAY - 1 - LOCAL_OFFSET_MS) +
               LOCAL_OFFSET_MS;
}

Day day_of_instant(int64_t at_ms) {
        return (Day) floor_div(local_ms(at_ms), MS_PER_DAY);
}

int64_t day_start_ms(Day day) {
        return day * MS_PER_DAY - LOCAL_OFFSET_MS;
}

static unsigned ms_of_day(int64_t at_ms) {
        int64_t local = local_ms(at_ms);

        return (unsigned) (local - floor_div(local, MS_PER_DAY) * MS_PER_DAY);
}

unsigned minute_of_instant(int64_t at_ms) {
        return (unsigned) (ms_of_day(at_ms) / MS_PER_MINUTE);
}

/* Exactly n digits. */
static bool take_number(const char **at, unsigned n, unsigned *ret) {
        unsigned v = 0;

        for (unsigned i = 0; i < n; i++) {
                char c = (*at)[i];
                if (c < '0' || c > '9')
                        return false;
                v = v * 10 + (unsigned) (c - '0');
        }
        *at += n;
        *ret = v;
        return true;
}

static bool take_char(const char **at, char c) {
        if (**at != c)
                return false;
        (*at)++;
        return true;
}

static bool take_day(const char **at, Day *ret) {
        unsigned year, month, day;

        if (!take_number(at, 4, &year) || !take_char(at, '-') || !take_number(at, 2, &month) ||
            !take_char(at, '-') || !take_number(at, 2, &day) ||
            !civil_is_valid((int) year, month, day))
                return false;
        *ret = day_from_civil((int) year, month, day);
        return true;
}

static bool take_clock(const char **at, unsigned *ret_minute) {
        unsigned hour, minute;

        if (!take_number(at, 2, &hour) || !take_char(at, ':') || !take_number(at, 2, &minute) ||
            hour > 23 || minute > 59)
                return false;
        *ret_minute = hour * 60 + minute;
        return true;
}

int day_parse(const char *text, Day *ret) {
        Day day;

        if (!take_day(&text, &day) || *text != '\0')
                return -EINVAL;
        *ret = day;
        return 0;
}

/* ".25" -> 250; digits beyond milliseconds are dropped, so that an instant never lies later than it
 * was written. */
static bool take_fraction(const char **at, unsigned *ret_ms) {
        unsigned ms = 0, weight = 100, digit;

        if (!take_char(at, '.')) {
                *ret_ms = 0;
                return true;
        }
        if (!take_number(at, 1, &digit))
                return false;
        do {
                ms += digit * weight;
                weight /= 10;
        } while (take_number(at, 1, &digit));
        *ret_ms = ms;
        return true;
}

static bool take_offset(const char **at, int64_t *ret_ms) {
        unsigned minutes;

        if (take_char(at, 'Z') || take_char(at, 'z')) {
                *ret_ms = 0;
                return true;
        }
        bool is_west = take_char(at, '-');
        if ((!is_west && !take_char(at, '+')) || !take_clock(at, &minutes))
                return false;
        *ret_ms = (is_west ? -1 : 1) * (int64_t) minutes * MS_PER_MINUTE;
        return true;
}

int instant_parse(const char *text, int64_t *ret_ms) {
        unsigned minute, second = 0, ms = 0;
        int64_t offset;
        Day day;

        if (!take_day(&text, &day) ||
            (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) ||
            !take_clock(&text, &minute))
                return -EINVAL;
        /* Whole minutes are what people write (ISO 8601). */
        if (take_char(&text, ':')) {
                if (!take_number(&text, 2, &second) || !take_fraction(&text, &ms))
                        return -EINVAL;
        }
        /* RFC 3339 5.6: second 60 is a leap second; it counts as the first of the next minute. */
        if (second > 60 || (second == 60 && minute % 60 != 59))
                return -EINVAL;
        if (!take_offset(&text, &offset) || *text != '\0')
                return -EINVAL;

        int64_t at =
                day * MS_PER_DAY + minute * MS_PER_MINUTE + second * MS_PER_SECOND + ms - offset;
        if (local_ms(at) != at + LOCAL_OFFSET_MS)
                return -EINVAL; /* its local year is not within 1..9999 */
        *ret_ms = at;
        return 0;
}

int asof_parse(const char *text, int64_t *ret_ms) {
        Day day;

        if (day_parse(text, &day) == 0) {
                *ret_ms = day_start_ms(day) + MS_PER_DAY - 1;
                return 0;
        }
        int r = instant_parse(text, ret_ms);
        if (r < 0 || strchr(text, '.'))
                return r;
        *ret_ms +=
                (text[sizeof("2024-09-05T08:00") - 1] == ':' ? MS_PER_SECOND : MS_PER_MINUTE) - 1;
        return 0;
}

/* An instant in local words. */
typedef struct Stamp {
        Civil date;
        Day day;
        unsigned hour, minute, second;
} Stamp;

static Stamp stamp_of(int64_t at_ms) {
        unsigned seconds = ms_of_day(at_ms) / 1000;
        Day day = day_of_instant(at_ms);

        return (Stamp){
                .date = civil_from_day(day),
                .day = day,
                .hour = seconds / 3600,
                .minute = seconds / 60 % 60,
                .second = seconds % 60,
        };
}

static Civil civil_of_bounded(Day day) {
        return civil_from_day(CLAMP(day, FIRST_DAY, LAST_DAY));
}

const char *day_format(char text[static 16], Day day) {
        Civil c = civil_of_bounded(day);

        (void) snprintf(text, 16, "%04d-%02u-%02u", c.year, c.month, c.day);
        return text;
}

const char *day_format_vi(char text[static 16], Day day) {
        Civil c = civil_of_bounded(day);

        (void) snprintf(text, 16, "%02u/%02u/%04d", c.day, c.month, c.year);
        return text;
}

const char *instant_format(char text[static 40], int64_t at_ms) {
        Stamp s = stamp_of(at_ms);

        (void) snprintf(text, 40, "%04d-%02u-%02uT%02u:%02u:%02u+07:00", s.date.year, s.date.month,
                        s.date.day, s.hour, s.minute, s.second);
        return text;
}

const char *instant_format_mail(char text[static 48], int64_t at_ms) {
        static const char weekdays[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        Stamp s = stamp_of(at_ms);

        (void) snprintf(text, 48, "%s, %02u %s %04d %02u:%02u:%02u +0700",
                        weekdays[day_weekday(s.day)], s.date.day, months[s.date.month - 1],
                        s.date.year, s.hour, s.minute, s.second);
        return text;
}

const char *instant_format_short(char text[static 24], int64_t at_ms) {
        Stamp s = stamp_of(at_ms);

        (void) snprintf(text, 24, "%02u/%02u %02u:%02u", s.date.day, s.date.month, s.hour,
                        s.minute);
        return text;
}

const char *instant_format_vi(char text[static 24], int64_t at_ms) {
        Stamp s = stamp_of(at_ms);

        (void) snprintf(text, 24, "%02u/%02u/%04d %02u:%02u", s.date.day, s.date.month, s.date.year,
                        s.hour, s.minute);
        return text;
}

/* The unit's length in milliseconds, 0 when there is none of that name. "ms" and "min" stand apart
 * from each other, a bare "m" is refused: months and minutes are both written so. */
static int64_t unit_ms(const char *name, size_t n) {
        static const struct {
                const char *name;
                int64_t ms;
        } units[] = {
                {"ms", 1},          {"s", MS_PER_SECOND}, {"min", MS_PER_MINUTE},
                {"h", MS_PER_HOUR}, {"d", MS_PER_DAY},    {"w", 7 * MS_PER_DAY},
        };

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == n && memcmp(units[i].name, name, n) == 0)
                        return units[i].ms;
        return 0;
}

/* One "15min". Stays at DURATION_MAX_MS + 1 for whatever is longer. */
static bool take_span(const char **at, int64_t *ret_ms) {
        unsigned digit;
        int64_t n = 0;

        if (!take_number(at, 1, &digit))
                return false;
        do
                n = MIN(n * 10 + digit, DURATION_MAX_MS + 1);
        while (take_number(at, 1, &digit));

        size_t length = 0;
        while ((*at)[length] >= 'a' && (*at)[length] <= 'z')
                length++;
        int64_t unit = unit_ms(*at, length);
        if (unit == 0)
                return false;
        *at += length;
        *ret_ms = n > DURATION_MAX_MS / unit ? DURATION_MAX_MS + 1 : n * unit;
        return true;
}

int duration_parse(const char *text, int64_t *ret_ms) {
        int64_t sum = 0, span;

        do {
                if (!take_span(&text, &span))
                        return -EINVAL;
                sum = MIN(sum + span, DURATION_MAX_MS + 1);
                if (take_char(&text, ' ') && *text == '\0')
                        return -EINVAL; /* a blank stands between spans, not behind the last */
        } while (*text != '\0');
        if (sum > DURATION_MAX_MS)
                return -ERANGE;
        *ret_ms = sum;
        return 0;
}

int clock_parse(const char *text, unsigned *ret_minute) {
        unsigned minute;

        if (!take_clock(&text, &minute) || *text != '\0')
                return -EINVAL;
        *ret_minute = minute;
        return 0;
}
