/* Rules as they are loaded, what they hold, and the release of what the mass guard holds. */
#include <errno.h>
#include <stdio.h>

#include "answer/api-call.h"
#include "core/rule.h"
#include "flow/judge.h"
#include "flow/trial.h"
#include "os/clock.h"
#include "store/alert.h"

static bool is_hold_of(const Episode *e, const char *rule) {
        size_t n = strlen(rule);
        return e->subject && e->state == EPISODE_OPEN && strncmp(e->subject, "hold:", 5) == 0 &&
               strncmp(e->subject + 5, rule, n) == 0 && e->subject[5 + n] == '/';
}

typedef struct RuleCounts {
        size_t open, held, pending, holds;
} RuleCounts;

static RuleCounts count_of(const Episode *e, size_t n, const char *rule) {
        RuleCounts counts = {0};
        for (size_t i = 0; i < n; i++) {
                bool is_own = streq(e[i].rule, rule);
                counts.open += is_own && e[i].state == EPISODE_OPEN;
                counts.held += is_own && e[i].state == EPISODE_OPEN && e[i].is_held;
                counts.pending += is_own && e[i].state == EPISODE_PENDING;
                counts.holds += is_hold_of(&e[i], rule);
        }
        return counts;
}

static int write_texts(ApiCall *c, const char *rule) {
        JsonOut *o = &c->out;
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(c->store, rule, &rows, &n);
        if (r < 0)
                return r;
        json_out_array(o, "versions");
        for (size_t i = 0; i < n; i++) {
                json_out_object(o, NULL);
                json_out_period(o, "from", rows[i].from);
                json_out_text(o, "text", rows[i].text);
                json_out_int(o, "step", rows[i].step);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        rule_text_rows_free(rows, n);
        return 0;
}

static int write_rule(ApiCall *c, const RuleDef *rule, const RuleCounts *counts) {
        const Config *config = c->app->config;
        JsonOut *o = &c->out;
        const IndicatorDef *def = rule->indicator < 0 ? NULL : &config->indicators[rule->indicator];
        unsigned decimals = def ? def->decimals : RULE_DECIMALS;
        char CLEANUP_FREE *when = condition_format(&rule->when, decimals);
        char CLEANUP_FREE *critical = rule->critical.kind == CONDITION_NONE
                                              ? NULL
                                              : condition_format(&rule->critical, decimals);
        if (!when || (rule->critical.kind != CONDITION_NONE && !critical))
                return -ENOMEM;
        json_out_object(o, NULL);
        json_out_text(o, "name", rule->name);
        json_out_bool(o, "is_off", rule->is_off);
        json_out_bool(o, "is_operator", rule->is_operator);
        json_out_bool(o, "is_letter_only", rule->is_letter_only);
        json_out_text(o, "indicator", def ? def->name : NULL);
        json_out_text(o, "period", period_type_name(rule->period));
        json_out_text(o, "when", when);
        json_out_text(o, "critical", critical);
        json_out_text(o, "watch", rule->watch == WATCH_RUNNING ? "running" : "ended");
        json_out_int(o, "for", MAX(rule->for_n, 1));
        json_out_period(o, "from", rule->from);
        json_out_period(o, "until", rule->until);
        json_out_text(o, "advice", rule->advice);
        json_out_int(o, "open", (int64_t) counts->open);
        json_out_int(o, "held", (int64_t) counts->held);
        json_out_int(o, "pending", (int64_t) counts->pending);
        json_out_int(o, "holds", (int64_t) counts->holds);
        int r = write_texts(c, rule->name);
        json_out_end_object(o);
        return r;
}

int api_rules(ApiCall *c) {
        const Config *config = c->app->config;
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(c->store, &(EpisodeFilter){.is_live = true}, &e, &n);
        if (r < 0)
                return r;
        json_out_object(&c->out, NULL);
        api_page(c, config->n_rules);
        json_out_array(&c->out, "rules");
        for (size_t i = 0, window = api_window(c, config->n_rules); r == 0 && i < window; i++) {
                const RuleDef *rule = &config->rules[c->offset + i];
                RuleCounts counts = count_of(e, n, rule->name);
                r = write_rule(c, rule, &counts);
        }
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        store_episodes_free(e, n);
        return r;
}

int api_rule_release(ApiCall *c) {
        size_t i, n = 0;
        int r = api_find_rule(c, c->arg[0], &i);
        if (r == 0)
                r = judge_release(c->app, i, clock_now_ms(), &n);
        if (r != 0)
                return r;
        json_out_object(&c->out, NULL);
        json_out_text(&c->out, "rule", c->arg[0]);
        json_out_int(&c->out, "released", (int64_t) n);
        json_out_end_object(&c->out);
        return 0;
}

/* ---- before a reload ------------------------------------------------------------------------- */

static void write_change(ApiCall *c, const TrialRule *rule) {
        JsonOut *o = &c->out;
        json_out_object(o, NULL);
        json_out_text(o, "rule", rule->name);
        json_out_text(o, "change", trial_change_name(rule->change));
        json_out_text(o, "before", rule->before);
        json_out_text(o, "after", rule->after);
        json_out_int(o, "opens", (int64_t) rule->opens);
        json_out_int(o, "ends", (int64_t) rule->ends);
        json_out_int(o, "amends", (int64_t) rule->amends);
        json_out_int(o, "held", (int64_t) rule->holds);
        json_out_end_object(o);
}

/* Its own configuration is that on disk: an indicator is looked for by what is loaded. */
static void write_change_alert(ApiCall *c, const Trial *t, const TrialAlert *alert) {
        JsonOut *o = &c->out;
        const char *name = t->rules[alert->rule].name;
        int i = config_rule(c->app->config, name);
        const RuleDef *rule = i < 0 ? NULL : &c->app->config->rules[i];
        const IndicatorDef *def =
                rule && rule->indicator >= 0 ? &c->app->config->indicators[rule->indicator] : NULL;
        json_out_object(o, NULL);
        json_out_text(o, "rule", name);
        json_out_text(o, "transition", transition_name(alert->kind));
        view_unit(o, "unit", &c->view, alert->unit, c->view.today);
        json_out_period(o, "period", alert->period);
        view_value(o, "value", c->app, def, alert->value, 0);
        view_value(o, "limit", c->app, def, alert->limit, 0);
        json_out_bool(o, "held", alert->is_held);
        json_out_end_object(o);
}

static void write_trial(ApiCall *c, const Trial *t) {
        JsonOut *o = &c->out;
        json_out_object(o, NULL);
        json_out_array(o, "rules");
        for (size_t i = 0; i < t->n_rules; i++)
                if (t->rules[i].change != TRIAL_SAME || t->rules[i].opens || t->rules[i].ends ||
                    t->rules[i].amends)
                        write_change(c, &t->rules[i]);
        json_out_end_array(o);
        api_page(c, t->n_alerts);
        json_out_array(o, "alerts");
        for (size_t i = 0, n = api_window(c, t->n_alerts); i < n; i++)
                write_change_alert(c, t, &t->alerts[c->offset + i]);
        json_out_end_array(o);
        json_out_end_object(o);
}

int api_rules_diff(ApiCall *c) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Trial CLEANUP(trial_done) t = {0};
        int r = trial_run(c->app, clock_now_ms(), &diag, &t);
        if (r == -EINVAL) {
                CLEANUP_FREE char *error = api_first_error(&diag);

                return API_PROBLEM(c, 409, "cấu hình trên đĩa có lỗi, chưa so được: %s",
                                   "the configuration on disk has errors: %s", str_or(error, "?"));
        }
        if (r < 0)
                return r;
        write_trial(c, &t);
        return 0;
}
