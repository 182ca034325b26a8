/* Period arithmetic on one running number per type: months since year 0 divided by the length of
 * the type.
 *
 * Every operation goes id -> serial -> id, so that "previous" is plain subtraction. Outside of the
 * years 1..9999 there is no period: functions that make one return 0 then. */
#include "core/period.h"

#include <errno.h>
#include <stdio.h>

#define YEAR_MIN 1
#define YEAR_MAX 9999

static const int months_of[PERIOD_N_TYPES] = {
        [PERIOD_MONTH] = 1,
        [PERIOD_QUARTER] = 3,
        [PERIOD_HALF] = 6,
        [PERIOD_YEAR] = 12,
};

static int period_year(PeriodId p) {
        return p / 1000;
}

static int period_number(PeriodId p) {
        return p % 100;
}

PeriodType period_type(PeriodId p) {
        return (PeriodType) (p / 100 % 10);
}

static PeriodId period_make(PeriodType type, int year, int number) {
        if (year < YEAR_MIN || year > YEAR_MAX)
                return 0;
        return year * 1000 + (int) type * 100 + number;
}

bool period_is_valid(PeriodId p) {
        int type = p / 100 % 10;
        if (p <= 0 || type < PERIOD_MONTH || type > PERIOD_YEAR)
                return false;
        if (period_year(p) < YEAR_MIN || period_year(p) > YEAR_MAX)
                return false;
        return period_number(p) >= 1 && period_number(p) <= 12 / months_of[type];
}

static int64_t period_serial(PeriodId p) {
        assert(period_is_valid(p));
        return (int64_t) period_year(p) * (12 / months_of[period_type(p)]) + period_number(p) - 1;
}

static PeriodId period_from_serial(PeriodType type, int64_t serial) {
        int per_year = 12 / months_of[type];
        if (serial < (int64_t) YEAR_MIN * per_year || serial >= (int64_t) (YEAR_MAX + 1) * per_year)
                return 0;
        return period_make(type, (int) (serial / per_year), (int) (serial % per_year) + 1);
}

PeriodId period_of_day(PeriodType type, Day day) {
        assert(type >= PERIOD_MONTH && type <= PERIOD_YEAR);
        Civil c = civil_from_day(day);
        return period_make(type, c.year, (int) (c.month - 1) / months_of[type] + 1);
}

Day period_start(PeriodId p) {
        assert(period_is_valid(p));
        unsigned month = (unsigned) ((period_number(p) - 1) * months_of[period_type(p)] + 1);
        return day_from_civil(period_year(p), month, 1);
}

Day period_end(PeriodId p) {
        assert(period_is_valid(p));
        int last = period_number(p) * months_of[period_type(p)];
        int year = period_year(p) + last / 12;
        return day_from_civil(year, (unsigned) (last % 12) + 1, 1);
}

PeriodId period_add(PeriodId p, int n) {
        if (!period_is_valid(p))
                return 0;
        return period_from_serial(period_type(p), period_serial(p) + n);
}

int period_distance(PeriodId a, PeriodId b) {
        assert(period_type(a) == period_type(b));
        return (int) (period_serial(b) - period_serial(a));
}

PeriodId period_last_ended(PeriodType type, Day today) {
        return period_previous(period_of_day(type, today));
}

/* Exactly `n` digits. */
static bool digits(const char *text, size_t n, int *ret) {
        int value = 0;
        for (size_t i = 0; i < n; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                value = value * 10 + (text[i] - '0');
        }
        *ret = value;
        return true;
}

/* What follows the year: "", "-08", "-Q3", "-H2". */
static PeriodId parse_rest(const char *rest, int year) {
        int number;
        if (rest[0] == '\0')
                return period_make(PERIOD_YEAR, year, 1);
        if (rest[0] != '-' || strlen(rest) != 3)
                return 0;
        if (digits(rest + 1, 2, &number))
                return period_make(PERIOD_MONTH, year, number);
        if (!digits(rest + 2, 1, &number))
                return 0;
        if (rest[1] == 'Q' || rest[1] == 'q')
                return period_make(PERIOD_QUARTER, year, number);
        if (rest[1] == 'H' || rest[1] == 'h')
                return period_make(PERIOD_HALF, year, number);
        return 0;
}

int period_parse(const char *text, PeriodId *ret) {
        int year;
        if (strnlen(text, 8) < 4 || !digits(text, 4, &year))
                return -EINVAL;
        PeriodId p = parse_rest(text + 4, year);
        if (!period_is_valid(p))
                return -EINVAL;
        *ret = p;
        return 0;
}

const char *period_format(char text[static 16], PeriodId p) {
        int year = period_year(p), number = period_number(p);
        if (!period_is_valid(p))
                (void) snprintf(text, 16, "-");
        else if (period_type(p) == PERIOD_MONTH)
                (void) snprintf(text, 16, "%04d-%02d", year, number);
        else if (period_type(p) == PERIOD_QUARTER)
                (void) snprintf(text, 16, "%04d-Q%d", year, number);
        else if (period_type(p) == PERIOD_HALF)
                (void) snprintf(text, 16, "%04d-H%d", year, number);
        else
                (void) snprintf(text, 16, "%04d", year);
        return text;
}

const char *period_format_vi(char text[static 48], PeriodId p) {
        static const char *const roman[] = {"", "I", "II", "III", "IV"};
        int year = period_year(p), number = period_number(p);
        if (!period_is_valid(p))
                (void) snprintf(text, 48, "-");
        else if (period_type(p) == PERIOD_MONTH)
                (void) snprintf(text, 48, "tháng %d/%d", number, year);
        else if (period_type(p) == PERIOD_QUARTER)
                (void) snprintf(text, 48, "quý %s/%d", roman[number], year);
        else if (period_type(p) == PERIOD_HALF)
                (void) snprintf(text, 48, "6 tháng %s năm %d", number == 1 ? "đầu" : "cuối", year);
        else
                (void) snprintf(text, 48, "năm %d", year);
        return text;
}

const char *period_format_en(char text[static 48], PeriodId p) {
        static const char *const months[] = {
                "",     "January", "February",  "March",   "April",    "May",     "June",
                "July", "August",  "September", "October", "November", "December"};
        int year = period_year(p), number = period_number(p);
        if (!period_is_valid(p))
                (void) snprintf(text, 48, "-");
        else if (period_type(p) == PERIOD_MONTH)
                (void) snprintf(text, 48, "%s %d", months[number], year);
        else if (period_type(p) == PERIOD_QUARTER)
                (void) snprintf(text, 48, "Q%d %d", number, year);
        else if (period_type(p) == PERIOD_HALF)
                (void) snprintf(text, 48, "H%d %d", number, year);
        else
                (void) snprintf(text, 48, "%d", year);
        return text;
}

static const char *const type_names[PERIOD_N_TYPES] = {
        [PERIOD_MONTH] = "month",
        [PERIOD_QUARTER] = "quarter",
        [PERIOD_HALF] = "half",
        [PERIOD_YEAR] = "year",
};

const char *period_type_name(PeriodType type) {
        return type >= PERIOD_MONTH && type <= PERIOD_YEAR ? type_names[type] : "unknown";
}

int period_type_parse(const char *text, PeriodType *ret) {
        for (int t = PERIOD_MONTH; t <= PERIOD_YEAR; t++)
                if (streq(text, type_names[t])) {
                        *ret = (PeriodType) t;
                        return 0;
                }
        return -EINVAL;
}

PeriodStatus period_status(PeriodId p, Day today,
                           const int final_after_days[static PERIOD_N_TYPES]) {
        Day end = period_end(p);
        if (today < end)
                return PERIOD_RUNNING;
        return today < end + final_after_days[period_type(p)] ? PERIOD_PROVISIONAL : PERIOD_CLOSED;
}

const char *period_status_name(PeriodStatus status) {
        static const char *const names[] = {
                [PERIOD_RUNNING] = "running",
                [PERIOD_PROVISIONAL] = "provisional",
                [PERIOD_CLOSED] = "closed",
        };
        return (size_t) status < ELEMENTSOF(names) ? names[status] : "unknown";
}
