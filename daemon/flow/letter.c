#include "flow/letter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/calendar.h"
#include "store/figure.h"

#define META_FROM "letter_from"
#define SETTLE_DAYS 3    /* after the month's end, as rules have it */
#define PATIENCE_DAYS 3u /* working days after its day it waits no longer */

/* ---- days ------------------------------------------------------------------------------------ */

static Day working_after(const Calendar *c, Day day, unsigned n) {
        for (; n > 0; n--)
                day = calendar_next_working(c, day + 1);
        return day;
}

/* Its day in the month after the period. */
static Day letter_day(const App *app, PeriodId period) {
        Day day = period_end(period) + (Day) app->config->letter.day - 1;

        return calendar_next_working(&app->config->calendar, day);
}

static int64_t instant_on(const App *app, Day day) {
        return day_start_ms(day) + (int64_t) app->config->letter.minute * MS_PER_MINUTE;
}

int64_t letter_opens(const App *app, PeriodId period) {
        return instant_on(app, letter_day(app, period));
}

static PeriodId ended_month(int64_t now_ms) {
        return period_last_ended(PERIOD_MONTH, day_of_instant(now_ms));
}

int64_t letter_next(const App *app, int64_t now_ms) {
        const Calendar *c = &app->config->calendar;

        if (!app->config->letter.at)
                return INT64_MAX;
        for (PeriodId period = ended_month(now_ms);; period = period_add(period, 1)) {
                Day first = letter_day(app, period);

                for (unsigned n = 0; n <= PATIENCE_DAYS; n++)
                        if (instant_on(app, working_after(c, first, n)) > now_ms)
                                return instant_on(app, working_after(c, first, n));
        }
}

/* ---- what is there --------------------------------------------------------------------------- */

static bool fetches_months(const SourceDef *source) {
        for (size_t i = 0; i < source->n_periods; i++)
                if (source->periods[i] == PERIOD_MONTH)
                        return true;
        return false;
}

/* Figures are there, and an attempt after the month's end has seen them. */
static int has_month(const App *app, const SourceDef *source, PeriodId period, bool *ret) {
        *ret = true;
        for (size_t i = 0; *ret && i < MAX(source->n_scopes, (size_t) 1); i++) {
                const char *scope = i < source->n_scopes ? source->scopes[i] : NULL;
                int64_t last = 0, first = 0;
                int r = store_seen(app->store, source->name, scope, period, &last, &first);

                if (r < 0)
                        return r;
                *ret = first && last >= day_start_ms(period_end(period));
        }
        return 0;
}

static int is_complete(const App *app, PeriodId period, int64_t now_ms, bool *ret) {
        int r = 0;

        *ret = day_of_instant(now_ms) >= period_end(period) + SETTLE_DAYS;
        for (size_t i = 0; r == 0 && *ret && i < app->config->n_sources; i++)
                if (fetches_months(&app->config->sources[i]))
                        r = has_month(app, &app->config->sources[i], period, ret);
        return r;
}

/* ---- what is owed ---------------------------------------------------------------------------- */

int letter_owe_from(App *app, PeriodId period) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", (int) period);
        return store_meta_put(app->store, META_FROM, text);
}

/* Set up after its day has begun: the first letter is the next month's. */
static int read_from(App *app, const LetterDue *due, int64_t now_ms, PeriodId *ret) {
        CLEANUP_FREE char *text = NULL;

        int r = store_meta_get(app->store, META_FROM, &text);
        if (r < 0)
                return r;
        if (r == 0) {
                *ret = (PeriodId) strtol(text, NULL, 10);
                return 0;
        }
        *ret = now_ms >= due->open_ms ? period_add(due->period, 1) : due->period;
        r = store_begin(app->store);
        if (r == 0)
                r = letter_owe_from(app, *ret);
        if (r == 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r;
}

int letter_due(App *app, int64_t now_ms, LetterDue *ret) {
        const Calendar *c = &app->config->calendar;
        Day today = day_of_instant(now_ms);
        PeriodId from = 0;

        *ret = (LetterDue){.period = ended_month(now_ms)};
        if (!app->config->letter.at)
                return 0;
        Day first = letter_day(app, ret->period);
        ret->open_ms = instant_on(app, first);
        int r = read_from(app, ret, now_ms, &from);
        if (r < 0)
                return r;
        ret->is_past = ret->period < from;
        ret->is_late = today >= working_after(c, first, PATIENCE_DAYS);
        ret->is_open = today >= first && calendar_is_working(c, today) &&
                       (app->is_once || now_ms >= instant_on(app, today));
        return ret->is_open && !ret->is_past
                       ? is_complete(app, ret->period, now_ms, &ret->is_complete)
                       : 0;
}

static int is_owed(App *app, const TargetRow *t, PeriodId period, bool *ret) {
        bool is_busy = false, has_letter = false;

        *ret = false;
        if (!streq(t->recipient, RECIPIENT_LETTER) || t->state != TARGET_OK)
                return 0;
        int r = store_message_has_letter(app->store, t->id, period, &has_letter);
        if (r == 0 && !has_letter)
                r = store_target_busy(app->store, t->id, &is_busy);
        *ret = r == 0 && !has_letter && !is_busy;
        return r;
}

int letter_targets(App *app, PeriodId period, TargetRow **ret, size_t *ret_n) {
        TargetRow *rows = NULL;
        size_t n = 0, kept = 0;

        int r = store_targets(app->store, &rows, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool is_wanted = false;

                r = is_owed(app, &rows[i], period, &is_wanted);
                if (!is_wanted)
                        continue;
                TargetRow row = rows[i]; /* what is kept moves down, the rest stays to be freed */
                rows[i] = rows[kept];
                rows[kept++] = row;
        }
        for (size_t i = kept; i < n; i++)
                target_row_done(&rows[i]);
        if (r < 0) {
                target_rows_free(rows, kept);
                return r;
        }
        *ret = rows;
        *ret_n = kept;
        return 0;
}
