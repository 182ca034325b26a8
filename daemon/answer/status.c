/* What systemctl and /v1/status say. Both must answer while the database does not: a read that
 * fails leaves its part out and is named in "store_error", the rest is still told.
 *
 * What depends on the database alone (figures, alerts, messages) is read once per change of it
 * (answer/memo.h): a monitor asks far more often than anything changes. */
#include "answer/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "answer/memo.h"
#include "answer/subject.h"
#include "answer/view.h"
#include "flow/life.h"
#include "flow/source.h"
#include "flow/teller.h"
#include "flow/warn.h"
#include "os/file.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/outbox.h"
#include "store/registry.h"

#define STATUS_MAX ((size_t) 4 << 20)
#define KNOWN_MAX ((size_t) 1 << 20)
#define AROUND_MS (10 * MS_PER_SECOND)
#define MASK "***"
#define SAID(app, vi, en) (app_is_vi(app) ? (vi) : (en))

typedef struct Tally {
        size_t with_value, of;
        int64_t fetched_ms;
} Tally;

/* ---- figures --------------------------------------------------------------------------------- */

static int tally_period(const View *v, const IndicatorDef *def, PeriodId period, Tally *ret) {
        ViewQuery query = {.indicator = def, .period = period};
        ViewCohort *cohorts = NULL;
        Tally tally = {0};
        size_t n = 0;

        int r = view_cohorts(v, &query, &cohorts, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                CLEANUP(panel_freep) Panel *panel = NULL;

                r = view_panel(v, def, cohorts + i, period, 1, &panel);
                if (r != 0)
                        break;
                tally.of += panel->n_units;
                for (size_t u = 0; u < panel->n_units; u++)
                        tally.with_value += panel_at(panel, 0, u) != VALUE_NONE;
        }
        view_cohorts_free(cohorts, n);
        if (r == 0)
                r = view_fetched(v, def, period, &tally.fetched_ms);
        if (r == 0)
                *ret = tally;
        return r;
}

/* ---- alerts ---------------------------------------------------------------------------------- */

/* Of units by rule, and all together; the open ones that are of no unit. */
typedef struct AlertCounts {
        OpenCount *by_rule;
        size_t n_rules;
        OpenCount all;
        Episode *subjects;
        size_t n_subjects;
} AlertCounts;

static void alert_counts_done(AlertCounts *a) {
        open_counts_free(a->by_rule, a->n_rules);
        store_episodes_free(a->subjects, a->n_subjects);
}

static int count_alerts(const App *app, AlertCounts *a) {
        EpisodeFilter filter = {.is_live = true, .is_subject = true, .is_visible = true};

        int r = store_episodes_open(app->reader, &a->by_rule, &a->n_rules);
        for (size_t i = 0; i < a->n_rules; i++) {
                a->all.open += a->by_rule[i].open;
                a->all.critical += a->by_rule[i].critical;
                a->all.held += a->by_rule[i].held;
        }
        return r < 0 ? r : store_episodes(app->reader, &filter, &a->subjects, &a->n_subjects);
}

/* ---- the line -------------------------------------------------------------------------------- */

/* *is_whole becomes false where the database did not answer. */
static int line_figures(const View *v, Buf *out, bool *is_whole) {
        const IndicatorDef *def = view_default_indicator(v);
        char period_text[VIEW_TEXT_MAX], fetched_text[24];
        PeriodId period;
        Tally tally;

        int r = def ? view_default_period(v, def, &period) : STORE_E_NONE;
        if (r == 0)
                r = tally_period(v, def, period, &tally);
        if (r < 0)
                *is_whole = false;
        if (r != 0)
                return buf_str(out, SAID(v->app, "chưa có số liệu", "no figures yet"));
        r = buf_printf(out, SAID(v->app, "%zu/%zu đơn vị · %s %s", "%zu/%zu units · %s %s"),
                       tally.with_value, tally.of, view_period_text(period_text, v->app, period),
                       view_status_text(v->app, view_period_status(v, def, period)));
        if (r < 0 || tally.fetched_ms == 0)
                return r;
        return buf_printf(out, SAID(v->app, ", lấy %s", ", fetched %s"),
                          instant_format_short(fetched_text, tally.fetched_ms));
}

static int line_work(const View *v, Buf *out, bool *is_whole) {
        const App *app = v->app;
        CLEANUP(alert_counts_done) AlertCounts a = {0};
        OutboxCounts outbox;

        int r = count_alerts(app, &a);
        if (r >= 0)
                r = store_outbox_counts(app->reader, &outbox);
        if (r < 0) {
                *is_whole = false;
                return 0; /* the trouble is told at the beginning of the line */
        }
        return buf_printf(out,
                          SAID(app, " · %zu cảnh báo · thư chờ %zu, hỏng %zu",
                               " · %zu alerts · queued %zu, dead %zu"),
                          a.all.open, outbox.ready + outbox.started, outbox.dead);
}

static int line_known(const View *v, Buf *out) {
        char name[] = "STATUS";
        const Buf key = {.data = name, .len = sizeof(name) - 1};
        CLEANUP(buf_done) Buf text = BUF_INIT(KNOWN_MAX);
        const Buf *known = &text;
        bool is_whole = true;
        int r = 0;

        if (!memo_find(v->app, v->today, &key, &known)) {
                r = line_figures(v, &text, &is_whole);
                if (r == 0)
                        r = line_work(v, &text, &is_whole);
                if (r == 0 && is_whole)
                        memo_keep(v->app, &key, &text);
        }
        return r < 0 ? r : buf_append(out, buf_text(known), known->len);
}

const char *status_trouble(const App *app, int64_t now_ms, char text[static STATUS_TROUBLE_MAX]) {
        const AppHealth *health = &app->health;

        if (health->reload_error[0]) {
                (void) snprintf(text, STATUS_TROUBLE_MAX,
                                SAID(app, "cấu hình mới có lỗi, đang dùng cấu hình cũ (%.200s)",
                                     "the new configuration has errors, going on with the old one "
                                     "(%.200s)"),
                                health->reload_error);
                return text;
        }
        if (health->damage[0]) {
                (void) snprintf(text, STATUS_TROUBLE_MAX,
                                SAID(app, "cơ sở dữ liệu hỏng (%s): xem chisoctl verify",
                                     "the database is damaged (%s): see chisoctl verify"),
                                health->damage);
                return text;
        }
        if (life_is_quiet(app)) {
                char until[24];
                (void) snprintf(
                        text, 320,
                        SAID(app,
                             "dừng đột ngột nhiều lần liền, đến %s mới tự lấy số liệu; lấy ngay: "
                             "chisoctl fetch",
                             "several unclean ends in a row, fetching nothing by itself until %s; "
                             "at once: chisoctl fetch"),
                        instant_format_short(until, now_ms + life_quiet_left_ms(app)));
                return text;
        }
        if (health->store_error == 0 && source_trouble(app, now_ms, text, STATUS_TROUBLE_MAX))
                return text;
        if (health->store_error == 0 && health->backup_error[0]) {
                (void) snprintf(text, STATUS_TROUBLE_MAX,
                                SAID(app, "không sao lưu được (%s)", "backups cannot be made (%s)"),
                                health->backup_error);
                return text;
        }
        if (health->store_error == 0)
                return NULL;
        (void) snprintf(text, STATUS_TROUBLE_MAX,
                        SAID(app, "cơ sở dữ liệu không ghi được (%s), giữ số liệu cũ",
                             "the database cannot be written (%s), keeping the figures"),
                        strerror(abs(health->store_error)));
        return text;
}

int status_line(App *app, int64_t now_ms, Buf *out) {
        View v = view_now(app, now_ms);
        char trouble_text[STATUS_TROUBLE_MAX], next_text[24];
        const char *trouble = status_trouble(app, now_ms, trouble_text);
        int64_t next_ms = MAX(source_next(app, now_ms), now_ms);
        int r = 0;

        if (trouble)
                r = buf_printf(out, SAID(app, "SỰ CỐ: %s · ", "TROUBLE: %s · "), trouble);
        if (r == 0)
                r = line_known(&v, out);
        if (r == 0 && next_ms != INT64_MAX)
                r = buf_printf(out, SAID(app, " · lần tới %s", " · next %s"),
                               instant_format_short(next_text, next_ms));
        return r;
}

/* ---- the object ------------------------------------------------------------------------------ */

static void write_sources(const View *v, JsonOut *o) {
        json_out_array(o, "sources");
        for (size_t i = 0; i < v->app->config->n_sources; i++)
                view_source_now(o, v->app, i, v->at_ms);
        json_out_end_array(o);
}

/* What is odd about the newest figures of a source; the snapshot tells what. */
static int write_notes(const View *v, JsonOut *o) {
        int r = 0;

        json_out_array(o, "notes");
        for (size_t i = 0; r >= 0 && i < v->app->config->n_sources; i++) {
                const char *source = v->app->config->sources[i].name;
                int64_t snapshot = 0;
                size_t n = 0;

                r = store_notes_count(v->app->reader, source, &n, &snapshot);
                if (r < 0 || n == 0)
                        continue;
                json_out_object(o, NULL);
                json_out_text(o, "source", source);
                json_out_int(o, "count", (int64_t) n);
                json_out_int(o, "snapshot", snapshot);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return r;
}

/* The newest period of each type, by the headline indicator. */
static int write_periods(const View *v, JsonOut *o) {
        const IndicatorDef *def = view_default_indicator(v);
        int first_error = 0;

        json_out_array(o, "periods");
        for (PeriodType type = PERIOD_MONTH; def && type <= PERIOD_YEAR; type++) {
                PeriodId period;
                Tally tally;

                int r = view_newest_period(v, def, type, &period);
                if (r == 0)
                        r = tally_period(v, def, period, &tally);
                if (r < 0 && first_error == 0)
                        first_error = r;
                if (r != 0)
                        continue;
                json_out_object(o, NULL);
                json_out_text(o, "indicator", def->name);
                view_period_members(o, v, def, period);
                json_out_int(o, "with_value", (int64_t) tally.with_value);
                json_out_int(o, "units", (int64_t) tally.of);
                json_out_instant(o, "fetched", tally.fetched_ms);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return first_error;
}

static void write_rules(const AlertCounts *a, JsonOut *o) {
        json_out_array(o, "by_rule");
        for (size_t i = 0; i < a->n_rules; i++) {
                json_out_object(o, NULL);
                json_out_text(o, "rule", a->by_rule[i].rule);
                json_out_int(o, "open", (int64_t) a->by_rule[i].open);
                json_out_int(o, "critical", (int64_t) a->by_rule[i].critical);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

static bool has_prefix(const char *text, const char *prefix) {
        return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What is wrong with us rather than with a unit: holds of the mass guard, or everything else. */
static void write_subjects(const View *v, const AlertCounts *a, JsonOut *o, const char *key,
                           bool is_holds) {
        int64_t since_ms;

        json_out_array(o, key);
        for (size_t i = 0; i < a->n_subjects; i++) {
                const Episode *e = a->subjects + i;

                if (e->state != EPISODE_OPEN || has_prefix(e->subject, "hold:") != is_holds)
                        continue;
                if (store_step_ms(v->app->reader, e->first, &since_ms) != 0)
                        since_ms = 0;
                json_out_object(o, NULL);
                json_out_int(o, "alert", e->id);
                json_out_text(o, "rule", e->rule);
                subject_write(o, v, e->subject, /* is_over= */ false);
                json_out_text(o, "severity",
                              e->severity == SEVERITY_CRITICAL ? "critical" : "warning");
                json_out_instant(o, "since", since_ms);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

static int write_alerts(const View *v, JsonOut *o) {
        CLEANUP(alert_counts_done) AlertCounts a = {0};

        int r = count_alerts(v->app, &a);
        json_out_object(o, "alerts");
        json_out_int(o, "open", (int64_t) a.all.open);
        json_out_int(o, "critical", (int64_t) a.all.critical);
        json_out_int(o, "held", (int64_t) a.all.held);
        write_rules(&a, o);
        json_out_end_object(o);
        write_subjects(v, &a, o, "holds", /* is_holds= */ true);
        write_subjects(v, &a, o, "conditions", /* is_holds= */ false);
        return r;
}

/* A relay that refuses a log-in says whose. */
static const char *masked(const char *reason, bool is_admin) {
        return reason && !is_admin && strchr(reason, '@') ? MASK : reason;
}

static int write_outbox(const View *v, bool is_admin, JsonOut *o) {
        OutboxCounts counts = {0};
        CLEANUP_FREE ChannelRow *channels = NULL;
        size_t n = 0;

        int r = store_outbox_counts(v->app->reader, &counts);
        int r2 = store_channels(v->app->reader, &channels, &n);
        json_out_object(o, "outbox");
        json_out_int(o, "ready", (int64_t) counts.ready);
        json_out_int(o, "started", (int64_t) counts.started);
        json_out_int(o, "dead", (int64_t) counts.dead);
        json_out_end_object(o);
        json_out_array(o, "paused");
        for (size_t i = 0; i < n; i++) {
                json_out_object(o, NULL);
                json_out_text(o, "channel", channels[i].name);
                json_out_instant(o, "since", channels[i].paused_ms);
                json_out_instant(o, "probe", channels[i].probe_ms);
                json_out_text(o, "reason", masked(channels[i].reason, is_admin));
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return r < 0 ? r : MIN(r2, 0);
}

static int write_step(const View *v, JsonOut *o) {
        size_t quarantined = 0;
        StepId step = 0;
        int64_t step_ms = 0;

        int r = store_quarantine_count(v->app->reader, &quarantined);
        json_out_int(o, "quarantined", (int64_t) quarantined);
        int r2 = store_step_last(v->app->reader, &step, &step_ms);
        json_out_object(o, "last_step");
        json_out_int(o, "id", step);
        json_out_instant(o, "at", step_ms);
        json_out_end_object(o);
        return r < 0 ? r : MIN(r2, 0);
}

static void write_storage(const View *v, JsonOut *o) {
        int64_t free_bytes = file_free_bytes(v->app->config->daemon.state_dir);

        json_out_object(o, "storage");
        json_out_int(o, "bytes", store_size(v->app->reader));
        if (free_bytes >= 0)
                json_out_int(o, "free", free_bytes);
        else
                json_out_null(o, "free");
        json_out_end_object(o);
}

static int write_warnings(const View *v, JsonOut *o) {
        CLEANUP(warn_done) Warnings w = {0};
        int r = warn_find(v->app, v->at_ms, &w);

        json_out_array(o, "warnings");
        for (size_t i = 0; i < w.n; i++)
                json_out_text(o, NULL, w.items[i].text);
        json_out_end_array(o);
        return r;
}

static void write_errors(const View *v, JsonOut *o, bool is_admin, int error) {
        const AppHealth *health = &v->app->health;
        char text[STATUS_TROUBLE_MAX];

        if (error == 0)
                error = health->store_error;
        json_out_text(o, "trouble", masked(status_trouble(v->app, v->at_ms, text), is_admin));
        json_out_text(o, "store_error", error ? strerror(abs(error)) : NULL);
        json_out_instant(o, "store_error_at", health->store_error ? health->store_error_ms : 0);
}

static int first_of(int error, int r) {
        return error < 0 ? error : MIN(r, 0);
}

/* The members that change with the database alone, each read even where another could not be. */
static int read_known(const View *v, bool is_admin, Buf *out) {
        JsonOut o = JSON_OUT(out);
        int error = 0;

        error = first_of(error, write_periods(v, &o));
        error = first_of(error, write_notes(v, &o));
        error = first_of(error, write_alerts(v, &o));
        error = first_of(error, write_outbox(v, is_admin, &o));
        error = first_of(error, write_step(v, &o));
        return first_of(error, json_out_done(&o));
}

/* What the disk and the clock have a say in: looked at once in ten seconds, however often asked. */
static int read_around(const View *v, bool is_admin, Buf *out) {
        JsonOut o = JSON_OUT(out);
        int error = 0;

        (void) is_admin;
        write_storage(v, &o);
        error = first_of(error, write_warnings(v, &o));
        return first_of(error, json_out_done(&o));
}

/* Members that were made already under this name, or else by `read`. */
static int write_kept(const View *v, const char *name, bool is_admin,
                      int (*read)(const View *v, bool is_admin, Buf *out), JsonOut *o) {
        const Buf key = {.data = (char *) name, .len = strlen(name)};
        CLEANUP(buf_done) Buf text = BUF_INIT(KNOWN_MAX);
        const Buf *known = &text;
        int error = 0;

        if (!memo_find(v->app, v->today, &key, &known)) {
                error = read(v, is_admin, &text);
                if (error == 0)
                        memo_keep(v->app, &key, &text);
        }
        json_out_raw(o, NULL, buf_text(known));
        return error;
}

static int write_known(const View *v, bool is_admin, JsonOut *o) {
        return write_kept(v, is_admin ? "status1" : "status0", is_admin, read_known, o);
}

static int write_around(const View *v, JsonOut *o) {
        char name[40];

        (void) snprintf(name, sizeof(name), "around%" PRId64, v->at_ms / AROUND_MS);
        return write_kept(v, name, /* is_admin= */ false, read_around, o);
}

static void write_status(const View *v, bool is_admin, JsonOut *o) {
        const App *app = v->app;
        int error = 0;

        json_out_object(o, NULL);
        json_out_text(o, "version", CHISO_VERSION);
        json_out_text(o, "organization", app->config->daemon.organization);
        json_out_text(o, "language", app->config->daemon.language);
        json_out_instant(o, "now", v->at_ms);
        json_out_instant(o, "started", app->started_ms);
        json_out_text(o, "notify", teller_is_live(v->app) ? "live" : "observe");
        write_sources(v, o);
        error = first_of(error, write_known(v, is_admin, o));
        error = first_of(error, write_around(v, o));
        write_errors(v, o, is_admin, error);
        json_out_end_object(o);
}

int status_write(App *app, int64_t now_ms, bool is_admin, Buf *out) {
        View v = view_now(app, now_ms);
        JsonOut o = JSON_OUT(out);

        write_status(&v, is_admin, &o);
        return json_out_done(&o);
}

int status_json(App *app, int64_t now_ms, json_t **ret) {
        CLEANUP(buf_done) Buf text = BUF_INIT(STATUS_MAX);

        int r = status_write(app, now_ms, /* is_admin= */ false, &text);
        if (r < 0)
                return r;
        json_t *status = json_loadb(buf_text(&text), text.len, 0, NULL);
        if (!status)
                return -ENOMEM;
        *ret = status;
        return 0;
}
