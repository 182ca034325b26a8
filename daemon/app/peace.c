/* The weekly line is a notice like any other: an item in the ledger, told once, whatever happens
 * between; a week that the machine was off is made up once.
 *
 * A cycle is whole when jobs were asked, none of the newest periods failed, nothing that was due is
 * left (deadlines, telling, deliveries), no channel is paused and the database takes what is written.
 * Anything less sends no heartbeat: it says "everything works", not "a process exists". It is not
 * tried again: the next cycle sends the next one. */
#include "app/peace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer/status.h"
#include "flow/courier.h"
#include "flow/judge.h"
#include "flow/source.h"
#include "flow/warn.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/secret.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/outbox.h"
#include "transport/http.h"

#define META_REPORT "operator_report_ms"
#define CONCERNS_MAX 8u
#define STALLED_MS (30 * MS_PER_MINUTE) /* a message due for so long is a pipeline that stands */
#define BEAT_TIMEOUT_MS (20 * MS_PER_SECOND)
#define SAID(app, vi, en) (app_is_vi(app) ? (vi) : (en))

struct Peace {
        Slot *beat; /* under way, or over and to be freed */
        bool is_beat_over;
        size_t n_done;   /* jobs at the last cycle's end */
        size_t n_failed; /* of them */
};

/* ---- the weekly line ------------------------------------------------------------------------- */

int64_t peace_report_due(const Config *c, int64_t now_ms) {
        Day today = day_of_instant(now_ms);
        if (!c->daemon.operator_report)
                return INT64_MIN;
        Day day = today - (Day) ((day_weekday(today) + 7 - c->daemon.report_weekday) % 7);
        int64_t at = day_start_ms(day) + c->daemon.report_minute * MS_PER_MINUTE;
        return at <= now_ms ? at : at - 7 * MS_PER_DAY;
}

typedef struct Concerns {
        Buf text;
        size_t n;
} Concerns;

static int add_concern(Concerns *c, const char *text, const char *detail) {
        if (c->n++ >= CONCERNS_MAX)
                return c->n == CONCERNS_MAX + 1 ? buf_str(&c->text, "; ...") : 0;
        return buf_printf(&c->text, "%s%s%s%s", c->n > 1 ? "; " : "", text, *detail ? " " : "",
                          detail);
}

/* "source:portal/month" -> "portal/month" */
static const char *name_of(const char *subject) {
        const char *colon = subject ? strchr(subject, ':') : NULL;
        return colon ? colon + 1 : str_or(subject, "");
}

static int add_conditions(App *app, Concerns *c) {
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(app->store, &(EpisodeFilter){.is_live = true, .is_subject = true},
                               &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!streq(e[i].rule, "warning")) /* those are found anew, with their words */
                        r = add_concern(c, e[i].rule, name_of(e[i].subject));
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int add_channels(App *app, Concerns *c) {
        ChannelRow CLEANUP_FREE *channels = NULL;
        size_t n = 0;
        int r = store_channels(app->store, &channels, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_concern(c, SAID(app, "kênh gửi tạm dừng", "paused channel"),
                                channels[i].name);
        return MIN(r, 0);
}

static int add_warnings(App *app, int64_t now_ms, Concerns *c) {
        Warnings CLEANUP(warn_done) w = {0};
        int r = warn_find(app, now_ms, &w);
        for (size_t i = 0; r >= 0 && i < w.n; i++)
                r = add_concern(c, w.items[i].text, "");
        return r;
}

static int write_report(App *app, int64_t now_ms, Buf *out) {
        Concerns c = {.text = BUF_INIT(16384)};
        Buf CLEANUP(buf_done) line = BUF_INIT(4096);
        char trouble[STATUS_TROUBLE_MAX];
        bool is_trouble = false;
        int r = add_conditions(app, &c);
        if (r >= 0)
                r = add_channels(app, &c);
        if (r >= 0)
                r = add_warnings(app, now_ms, &c);
        if (r >= 0)
                r = status_line(app, now_ms, &line);
        if (r >= 0) {
                is_trouble = status_trouble(app, now_ms, trouble) != NULL; /* the line tells it */
                r = c.n > 0 || is_trouble
                            ? buf_printf(out,
                                         SAID(app, "%zu việc cần xem: %s · %s",
                                              "%zu matters to look at: %s · %s"),
                                         c.n + is_trouble, c.n ? buf_text(&c.text) : "-",
                                         buf_text(&line))
                            : buf_printf(out,
                                         SAID(app, "mọi việc bình thường · %s", "all is well · %s"),
                                         buf_text(&line));
        }
        buf_done(&c.text);
        return r;
}

static int report_inside(App *app, int64_t now_ms, const char *text) {
        char stamp[32];
        StepId step = 0;
        (void) snprintf(stamp, sizeof stamp, "%lld", (long long) now_ms);
        int r = 0;
        if (text)
                r = store_step(app->store, CAUSE_DEADLINE, now_ms, &step);
        if (r >= 0 && text)
                r = judge_notice(app, step, now_ms, "operator-report",
                                 SAID(app, "report:báo cáo tuần", "report:weekly"), text);
        return r < 0 ? r : store_meta_put(app->store, META_REPORT, stamp);
}

static int put_report(App *app, int64_t now_ms, const char *text) {
        int r = store_begin(app->store);
        if (r >= 0)
                r = report_inside(app, now_ms, text);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r;
}

/* The first start begins to count; nothing was due before. A clock that was ahead puts nothing off. */
static int run_report(App *app, int64_t now_ms) {
        int64_t due = peace_report_due(app->config, now_ms);
        char CLEANUP_FREE *text = NULL;
        Buf CLEANUP(buf_done) report = BUF_INIT(32768);
        if (due == INT64_MIN)
                return 0;
        int r = store_meta_get(app->store, META_REPORT, &text);
        if (r < 0)
                return r;
        int64_t last = r == 0 ? strtoll(text, NULL, 10) : 0;
        if (last >= due && last <= now_ms)
                return 0;
        if (r == 0 && last <= now_ms)
                r = write_report(app, now_ms, &report);
        return r < 0 ? r : put_report(app, now_ms, report.len ? buf_text(&report) : NULL);
}

int64_t peace_next(const App *app, int64_t now_ms) {
        int64_t due = peace_report_due(app->config, now_ms);
        return due == INT64_MIN ? INT64_MAX : due + 7 * MS_PER_DAY;
}

/* ---- the heartbeat --------------------------------------------------------------------------- */

static bool is_any_scope_failing(const App *app, int64_t now_ms) {
        const Config *c = app->config;
        for (size_t i = 0; i < c->n_sources; i++) {
                const SourceDef *source = &c->sources[i];
                for (size_t t = 0; t < source->n_periods; t++) {
                        PeriodId newest =
                                period_last_ended(source->periods[t], day_of_instant(now_ms));
                        for (size_t k = 0; k < source->n_scopes; k++) {
                                int n = 0;
                                if (store_scope_failures(app->store, source->name,
                                                         source->scopes[k], newest, &n) < 0 ||
                                    n > 0)
                                        return true;
                        }
                }
        }
        return false;
}

static bool is_delivery_stalled(const App *app, int64_t now_ms) {
        ChannelRow CLEANUP_FREE *channels = NULL;
        MessageRow *rows = NULL;
        size_t n_channels = 0, n = 0;
        int r = store_channels(app->store, &channels, &n_channels);
        if (r >= 0)
                r = store_messages_due(app->store, now_ms - STALLED_MS, 1, &rows, &n);
        message_rows_free(rows, n);
        return r < 0 || n_channels > 0 || n > 0 || courier_is_stuck(app, clock_awake_ms());
}

static bool is_whole(const App *app, int64_t now_ms, bool has_failed) {
        return !has_failed && app->health.store_error == 0 && !app->is_stuck &&
               app->judged_day == day_of_instant(now_ms) && !app->is_tell_due &&
               !is_any_scope_failing(app, now_ms) && !is_delivery_stalled(app, now_ms);
}

static void on_beat(Slot *slot, const HttpResult *result, void *userdata) {
        Peace *p = userdata;
        (void) slot;
        if (result->error || result->status < 200 || result->status > 299)
                log_warning(
                        "heartbeat: not taken (HTTP %d, %s), the next whole cycle sends another",
                        result->status, str_or(result->error_text, ""));
        p->is_beat_over = true;
}

static int send_beat(App *app) {
        Buf CLEANUP(buf_done) url = BUF_INIT(65536);
        int r = secret_resolve(app->config->daemon.heartbeat, app->config->daemon.secrets_dir,
                               &url);
        if (r < 0)
                return r;
        HttpRequest request = {.url = buf_text(&url),
                               .method = "GET",
                               .max_body = 1024,
                               .is_truncating = true,
                               .timeout_ms = BEAT_TIMEOUT_MS};
        return http_start(app->mux, &request, on_beat, app->peace, &app->peace->beat);
}

/* Everything that was asked has been answered, and whatever followed from it has left. */
static bool is_cycle_over(const App *app, int64_t now_ms) {
        size_t ignored = 0;
        return app->n_jobs_done != app->peace->n_done && source_is_idle(app, now_ms, &ignored) &&
               !app->is_tell_due && courier_is_idle(app, now_ms, &ignored);
}

static void run_beat(App *app, int64_t now_ms, bool has_failed) {
        Peace *p = app->peace;
        if (!app->config->daemon.heartbeat || p->beat)
                return;
        if (!is_whole(app, now_ms, has_failed)) {
                log_info("the cycle was not whole, no heartbeat");
                return;
        }
        p->is_beat_over = false;
        int r = send_beat(app);
        if (r < 0)
                log_warning("heartbeat cannot be sent: %s", strerror(-r));
}

static void run_cycle_end(App *app, int64_t now_ms) {
        Peace *p = app->peace;
        if (!is_cycle_over(app, now_ms))
                return;
        bool has_failed = app->n_jobs_failed != p->n_failed;
        p->n_done = app->n_jobs_done;
        p->n_failed = app->n_jobs_failed;
        run_beat(app, now_ms, has_failed);
        int r = warn_tell(app, now_ms); /* certificates were seen, the disk has filled */
        if (r < 0)
                log_error("warnings cannot be told (%s), looking again with the next cycle",
                          strerror(-r));
}

/* ---- all ------------------------------------------------------------------------------------- */

void peace_run(App *app, int64_t now_ms) {
        if (app->is_once)
                return;
        if (!app->peace)
                app->peace = calloc(1, sizeof *app->peace);
        int r = app->peace ? run_report(app, now_ms) : -ENOMEM;
        if (r < 0)
                log_error(
                        "the operators' report cannot be made (%s), trying again at the next event",
                        strerror(-r));
        if (!app->peace)
                return;
        if (app->peace->beat && app->peace->is_beat_over) {
                slot_free(app->peace->beat);
                app->peace->beat = NULL;
        }
        run_cycle_end(app, now_ms);
}

void peace_done(App *app) {
        if (app->peace && app->peace->beat)
                slot_free(app->peace->beat);
        free(app->peace);
        app->peace = NULL;
}
