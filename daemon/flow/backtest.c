/* Who asks, and what was found: one at a time, handed out once. */
#include "flow/backtest.h"

#include <errno.h>

#include "core/rule.h"
#include "flow/backtest-play.h"
#include "flow/boot.h"
#include "flow/worker.h"
#include "os/clock.h"
#include "os/file.h"

#define KEPT_MS (10 * MS_PER_MINUTE) /* a result that nobody came for */

struct Backtester {
        App *app;
        Worker *worker;
        char *rule, *when; /* of the last one */
        BacktestJob *found;
        int result;
        int64_t found_boot_ms;
};

const char *backtest_stop_name(BacktestStop stop) {
        static const char *const names[] = {"", "time", "figures", "answer"};
        return names[stop];
}

void backtest_result_done(Backtest *b) {
        for (size_t i = 0; i < b->n_transitions; i++) {
                free(b->transitions[i].subject);
                free(b->transitions[i].reason);
        }
        for (size_t i = 0; i < b->n_items; i++)
                free(b->items[i].subject);
        for (size_t i = 0; i < b->n_messages; i++) {
                free(b->messages[i].target);
                free(b->messages[i].subject);
        }
        free(b->transitions);
        free(b->items);
        free(b->messages);
        free(b->rule);
        free(b->text);
        *b = (Backtest){0};
}

static void drop_job(void *userdata) {
        BacktestJob *job = userdata;
        backtest_result_done(&job->found);
        if (job->config)
                config_free(job->config);
        free(job->database);
        free(job->rule);
        free(job->when);
        free(job);
}

static void on_played(void *userdata, void *job, int result) {
        Backtester *t = userdata;
        t->found = job;
        t->result = result;
        t->found_boot_ms = clock_boot_ms();
}

static void forget_found(Backtester *t) {
        if (t->found)
                drop_job(TAKE_PTR(t->found));
}

static void tester_free(Backtester *t) {
        forget_found(t);
        if (t->worker)
                worker_free(t->worker);
        free(t->rule);
        free(t->when);
        free(t);
}
DEFINE_CLEANUP(Backtester, tester_free)

static int tester_get(App *app, Backtester **ret) {
        if (!app->backtester) {
                Backtester CLEANUP(tester_freep) *t = calloc(1, sizeof *t);
                if (!t)
                        return -ENOMEM;
                t->app = app;
                int r = worker_new(app->event, on_played, drop_job, t, &t->worker);
                if (r < 0)
                        return r;
                app->backtester = TAKE_PTR(t);
        }
        *ret = app->backtester;
        return 0;
}

/* ---- the configuration that is played ---------------------------------------------------------- */

/* Loaded as a last drop-in, so that the loader refuses what it would refuse of a file. */
static int load_config(App *app, const char *rule, const char *when, int64_t now_ms, Diag *diag,
                       Config **ret) {
        Buf CLEANUP(buf_done) text = BUF_INIT(8192);
        int r = buf_str(&text, "[daemon]\nnotify = live\n");
        if (r >= 0 && when)
                r = buf_printf(&text, "[rule %s]\nwhen = %s\n", rule, when);
        return r < 0 ? r
                     : boot_config_with(app->config_path, app->share_dir, buf_text(&text), now_ms,
                                        diag, ret);
}

/* The daemon's ids: bound when the configuration that has the indicator was loaded. */
static IndicatorId known_id(const App *app, const Config *c, int indicator) {
        int i = indicator < 0 ? -1 : config_indicator(app->config, c->indicators[indicator].name);
        return i < 0 ? 0 : app->config->indicators[i].id;
}

static int fill_job(BacktestJob *job, App *app, const char *rule, const char *when,
                    int64_t now_ms) {
        Config *c = job->config;
        int at = config_rule(c, rule);
        if (at < 0)
                return BACKTEST_E_RULE; /* taken out of the files since they were loaded */
        const RuleDef *def = &c->rules[at];
        if (def->is_off || def->indicator < 0 || !condition_is_value(def->when.kind) ||
            c->indicators[def->indicator].source < 0)
                return BACKTEST_E_KIND;
        for (size_t i = 0; i < c->n_rules; i++)
                c->rules[i].is_off |= &c->rules[i] != def;
        job->own = known_id(app, c, def->indicator);
        job->volume = known_id(app, c, def->volume_indicator);
        job->now_ms = now_ms;
        job->database = file_join(app->config->daemon.state_dir, "chisod.db");
        job->rule = strdup(rule);
        job->when = when ? strdup(when) : NULL;
        job->found.rule = strdup(rule);
        job->found.text = strdup(def->text);
        if (!job->database || !job->rule || (when && !job->when) || !job->found.rule ||
            !job->found.text)
                return -ENOMEM;
        return job->own ? 0 : BACKTEST_E_EMPTY;
}

static int begin(Backtester *t, const char *rule, const char *when, int64_t now_ms, Diag *diag) {
        BacktestJob *job = calloc(1, sizeof *job);
        char *name = strdup(rule), *condition = when ? strdup(when) : NULL;
        int r = job && name && (!when || condition) ? 0 : -ENOMEM;
        if (r == 0)
                r = load_config(t->app, rule, when, now_ms, diag, &job->config);
        if (r == 0)
                r = fill_job(job, t->app, rule, when, now_ms);
        if (r == 0)
                r = worker_start(t->worker, backtest_play, job);
        if (r != 0) {
                if (job)
                        drop_job(job);
                free(name);
                free(condition);
                return r;
        }
        free(t->rule);
        free(t->when);
        t->rule = name;
        t->when = condition;
        return BACKTEST_E_RUNNING;
}

int backtest_ask(App *app, const char *rule, const char *when, int64_t now_ms, Diag *diag,
                 Backtest *ret) {
        Backtester *t = NULL;
        int r = tester_get(app, &t);
        if (r < 0)
                return r;
        bool is_same =
                streq_ptr(t->rule, rule) && (when ? streq_ptr(t->when, when) : t->when == NULL);
        if (worker_is_busy(t->worker))
                return is_same ? BACKTEST_E_RUNNING : BACKTEST_E_BUSY;
        if (t->found && (!is_same || clock_boot_ms() - t->found_boot_ms > KEPT_MS))
                forget_found(t);
        if (t->found) {
                r = t->result;
                if (r == 0) {
                        *ret = t->found->found;
                        t->found->found = (Backtest){0};
                }
                forget_found(t);
                return r;
        }
        /* A name that the files do not have would be made by the drop-in. */
        if (config_rule(app->config, rule) < 0)
                return BACKTEST_E_RULE;
        return begin(t, rule, when, now_ms, diag);
}

bool backtest_is_busy(const App *app) {
        return app->backtester && worker_is_busy(app->backtester->worker);
}

void backtest_done(App *app) {
        if (app->backtester)
                tester_free(app->backtester);
        app->backtester = NULL;
}
