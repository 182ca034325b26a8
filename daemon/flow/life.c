/* Crash loops and the watchdog.
 *
 * The count is written before anything is fetched and taken back at a regular end; what is between
 * is a crash, whatever its cause. systemd 252 has no RestartSteps=, and a longer RestartSec= would
 * keep the sockets silent as well, so the daemon slows itself.
 *
 * sd_event's own watchdog only proves that the loop turns. A tick that is never armed again, or a
 * request whose end never comes, would leave a loop that turns and does nothing for ever; so the
 * timer here looks at those first. Work is given time in which the machine was awake: counted by
 * BOOTTIME, a request that was under way when a machine was suspended had not gone on for hours, and
 * the watchdog killed the daemon after each such night. */
#include "flow/life.h"

#include <errno.h>
#include <stdio.h>

#include "flow/courier.h"
#include "flow/source.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/notify.h"

#define META_UNCLEAN "unclean"
#define FREE_ENDS 2u
#define QUIET_MAX_MS (15 * MS_PER_MINUTE)
#define TICK_LATE_MS (5 * MS_PER_MINUTE)

/* ---- crash loops ----------------------------------------------------------------------------- */

int64_t life_quiet_ms(unsigned n_unclean) {
        if (n_unclean <= FREE_ENDS)
                return 0;
        unsigned doublings = MIN(n_unclean - FREE_ENDS - 1, 10u);
        return MIN(MS_PER_MINUTE << doublings, QUIET_MAX_MS);
}

static int count_read(App *app, unsigned *ret) {
        char CLEANUP_FREE *text = NULL;
        int r = store_meta_get(app->store, META_UNCLEAN, &text);
        if (r < 0)
                return r;
        *ret = r == STORE_E_NONE ? 0 : (unsigned) MIN(strtoul(text, NULL, 10), 1000ul);
        return 0;
}

static int count_write(App *app, unsigned n) {
        char text[16];
        (void) snprintf(text, sizeof text, "%u", n);
        int r = store_begin(app->store);
        if (r >= 0)
                r = store_meta_put(app->store, META_UNCLEAN, text);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0) {
                LogFields fields = {.message_id = LOG_ID_STORAGE};
                store_rollback(app->store);
                log_full(LOG_WARNING, &fields,
                         "the count of unclean ends cannot be written (%s), going on without it",
                         strerror(-r));
        }
        return r;
}

void life_begin(App *app) {
        unsigned n = 0;
        if (app->is_once || count_read(app, &n) < 0)
                return;
        app->is_counted = count_write(app, n + 1) >= 0;
        int64_t quiet = life_quiet_ms(n);
        if (quiet == 0)
                return;
        app->quiet_until_boot_ms = clock_boot_ms() + quiet;
        LogFields fields = {.message_id = LOG_ID_CRASH_LOOP};
        log_full(LOG_WARNING, &fields,
                 "%u unclean ends in a row, fetching nothing by itself for %lld minutes", n,
                 (long long) (quiet / MS_PER_MINUTE));
}

void life_end(App *app) {
        if (app->is_counted && count_write(app, 0) >= 0)
                app->is_counted = false;
}

/* Work begins when the wait is over: else a wait of 15 minutes would forget what it waits for. */
static int64_t healthy_boot_ms(const App *app) {
        return MAX(app->boot_started_ms, app->quiet_until_boot_ms) + LIFE_HEALTHY_MS;
}

void life_run(App *app) {
        if (app->is_counted && clock_boot_ms() >= healthy_boot_ms(app))
                life_end(app);
}

int64_t life_quiet_left_ms(const App *app) {
        return MAX(app->quiet_until_boot_ms - clock_boot_ms(), INT64_C(0));
}

bool life_is_quiet(const App *app) {
        return life_quiet_left_ms(app) > 0;
}

int64_t life_next(const App *app) {
        int64_t now = clock_boot_ms();
        if (app->quiet_until_boot_ms > now)
                return app->quiet_until_boot_ms - now;
        return app->is_counted ? MAX(healthy_boot_ms(app) - now, MS_PER_MINUTE) : INT64_MAX;
}

/* ---- watchdog -------------------------------------------------------------------------------- */

const char *life_stuck(const App *app, int64_t boot_ms, int64_t awake_ms) {
        if (app->tick_boot_ms && boot_ms - app->tick_boot_ms > TICK_LATE_MS)
                return "the tick";
        const char *source = source_stuck(app, awake_ms);
        if (source)
                return source;
        return courier_is_stuck(app, awake_ms) ? "deliveries" : NULL;
}

static int on_watch(sd_event_source *s, uint64_t usec, void *userdata) {
        App *app = userdata;
        const char *stuck = life_stuck(app, clock_boot_ms(), clock_awake_ms());
        (void) usec;
        if (!stuck)
                notify_watchdog();
        else if (!app->is_stuck) {
                LogFields fields = {.message_id = LOG_ID_STUCK};
                log_full(LOG_CRIT, &fields, "%s does not go on, leaving it to the watchdog", stuck);
        }
        app->is_stuck = stuck != NULL;
        int r = sd_event_source_set_time_relative(s, app->watchdog_us);
        return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int life_watch(App *app) {
        uint64_t us = notify_watchdog_us();
        if (us == 0)
                return 0;
        app->watchdog_us = us / 2;
        int r = sd_event_add_time_relative(app->event, &app->watchdog, CLOCK_BOOTTIME, 0, us / 10,
                                           on_watch, app);
        /* After a suspend everything is late at once: the tick shall run before it is judged. */
        return r < 0 ? r : sd_event_source_set_priority(app->watchdog, SD_EVENT_PRIORITY_IDLE);
}
