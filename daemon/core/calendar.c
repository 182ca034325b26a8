/* Working days and the digest moment.
 *
 * No lunar arithmetic and no built-in holidays: the Prime Minister decides swaps every year, so
 * days off are lines of configuration. A digest belongs to a local day; what is remembered is the
 * instant of the last one. */
#include "core/calendar.h"

#define SEARCH_DAYS                                                                                \
        400 /* no calendar is off for longer: a mistake in it must not stop all mail for ever */

static bool ranges_hold(const DayRange *ranges, size_t n, Day day) {
        for (size_t i = 0; i < n; i++)
                if (day >= ranges[i].first && day <= ranges[i].last)
                        return true;
        return false;
}

bool calendar_is_working(const Calendar *c, Day day) {
        if (ranges_hold(c->working, c->n_working, day))
                return true;
        if (ranges_hold(c->off, c->n_off, day))
                return false;
        return c->work_mask & 1u << day_weekday(day);
}

Day calendar_next_working(const Calendar *c, Day day) {
        for (Day d = day; d < day + SEARCH_DAYS; d++)
                if (calendar_is_working(c, d))
                        return d;
        return day;
}

int64_t calendar_digest_due(const Calendar *c, unsigned minute, int64_t last_ms, int64_t now_ms) {
        Day today = day_of_instant(now_ms);
        /* A clock that ran ahead and came back holds up the present day only, never the time until
         * then. */
        bool is_held = last_ms != 0 && day_of_instant(MIN(last_ms, now_ms)) >= today;
        Day day = calendar_next_working(c, is_held ? today + 1 : today);
        int64_t slot = day_start_ms(day) + (int64_t) minute * MS_PER_MINUTE;
        return MAX(slot, now_ms);
}
