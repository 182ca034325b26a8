/* The trial takes the place of the loaded configuration for the length of one transaction: judging
 * knows one configuration and one state, and a copy of either for this purpose would be a second way
 * to judge. Everything else of the daemon stands still meanwhile, since there is one thread. */
#include "flow/trial.h"

#include <errno.h>

#include "core/rule.h"
#include "flow/boot.h"
#include "flow/define.h"
#include "flow/judge.h"
#include "store/alert.h"

#define REACH_MONTHS 26 /* as far as the teller looks back */

const char *trial_change_name(TrialChange change) {
        static const char *const names[] = {"same", "new", "changed", "gone"};
        return names[change];
}

void trial_done(Trial *t) {
        for (size_t i = 0; i < t->n_rules; i++) {
                free(t->rules[i].name);
                free(t->rules[i].before);
                free(t->rules[i].after);
        }
        free(t->rules);
        free(t->alerts);
        *t = (Trial){0};
}

/* ---- the texts ------------------------------------------------------------------------------- */

static const RuleDef *judged_rule(const Config *c, const char *name) {
        int i = config_rule(c, name);
        const RuleDef *rule = i < 0 ? NULL : &c->rules[i];
        return rule && !rule->is_off && rule->indicator >= 0 && condition_is_value(rule->when.kind)
                       ? rule
                       : NULL;
}

static int add_rule(Trial *t, const char *name, const RuleDef *before, const RuleDef *after) {
        TrialRule one = {.name = strdup(name),
                         .before = before ? strdup(before->text) : NULL,
                         .after = after ? strdup(after->text) : NULL,
                         .change = !before                            ? TRIAL_NEW
                                   : !after                           ? TRIAL_GONE
                                   : streq(before->text, after->text) ? TRIAL_SAME
                                                                      : TRIAL_CHANGED};
        if (one.name && (!before || one.before) && (!after || one.after) &&
            ARRAY_GROW(t->rules, t->cap_rules, t->n_rules + 1) >= 0) {
                t->rules[t->n_rules++] = one;
                return 0;
        }
        free(one.name);
        free(one.before);
        free(one.after);
        return -ENOMEM;
}

/* A rule with `formerly` is compared with what it was called. */
static int compare_texts(const Config *old, const Config *next, Trial *t) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < next->n_rules; i++) {
                const RuleDef *after = judged_rule(next, next->rules[i].name);
                if (!after)
                        continue;
                const RuleDef *before = judged_rule(old, after->name);
                if (!before && after->formerly)
                        before = judged_rule(old, after->formerly);
                r = add_rule(t, after->name, before, after);
        }
        for (size_t i = 0; r >= 0 && i < old->n_rules; i++) {
                const RuleDef *before = judged_rule(old, old->rules[i].name);
                bool is_kept = !before || judged_rule(next, before->name);
                for (size_t k = 0; !is_kept && k < next->n_rules; k++)
                        is_kept = streq_ptr(next->rules[k].formerly, before->name) &&
                                  judged_rule(next, next->rules[k].name);
                if (!is_kept)
                        r = add_rule(t, before->name, before, NULL);
        }
        return r;
}

/* ---- the judgement --------------------------------------------------------------------------- */

static size_t find_rule(const Trial *t, const char *name) {
        size_t i = 0;
        while (i < t->n_rules && !streq(t->rules[i].name, name))
                i++;
        return i;
}

static void count_alert(TrialRule *rule, const TrialAlert *alert) {
        switch (alert->kind) {
        case TRANSITION_OPENED:
                rule->opens++;
                rule->holds += alert->is_held;
                break;
        case TRANSITION_CLOSED:
        case TRANSITION_WITHDRAWN:
        case TRANSITION_UNIT_ENDED:
        case TRANSITION_ERA:
        case TRANSITION_RULE_CHANGED:
        case TRANSITION_RULE_REMOVED:
                rule->ends++;
                break;
        default:
                rule->amends++;
                break;
        }
}

static int add_alert(App *app, StepId step, const Episode *e, Trial *t) {
        TransitionRow *rows = NULL;
        size_t n = 0, rule = find_rule(t, e->rule);
        int r = rule < t->n_rules ? store_transitions(app->store, e->id, &rows, &n) : 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                TrialAlert one = {.rule = rule,
                                  .unit = e->unit,
                                  .kind = rows[i].kind,
                                  .period = rows[i].period,
                                  .value = rows[i].value,
                                  .limit = rows[i].limit,
                                  .is_held = e->is_held};
                bool is_shown = rows[i].step == step && rows[i].kind != TRANSITION_PENDING &&
                                !streq_ptr(rows[i].reason, "pending");
                if (!is_shown)
                        continue;
                r = ARRAY_GROW(t->alerts, t->cap_alerts, t->n_alerts + 1);
                if (r < 0)
                        break;
                t->alerts[t->n_alerts++] = one;
                count_alert(&t->rules[rule], &one);
        }
        transition_rows_free(rows, n);
        return MIN(r, 0);
}

/* Sorted by rule as they come. */
static int collect_alerts(App *app, StepId step, int64_t now_ms, Trial *t) {
        PeriodId month = period_last_ended(PERIOD_MONTH, day_of_instant(now_ms));
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(
                app->store,
                &(EpisodeFilter){.is_live = true, .touched_from = period_add(month, -REACH_MONTHS)},
                &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (e[i].unit && e[i].step == step)
                        r = add_alert(app, step, &e[i], t);
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int try_inside(App *app, int64_t now_ms, Diag *diag, Trial *t) {
        StepId step = 0;
        int r = store_step(app->store, CAUSE_RELOAD, now_ms, &step);
        if (r >= 0)
                r = define_bind(app->config, app->store, diag);
        if (r >= 0)
                r = judge_sync_rules(app, step, now_ms);
        if (r >= 0)
                r = judge_run(app, &(JudgeScope){.step = step, .now_ms = now_ms, .source = -1});
        return r < 0 ? r : collect_alerts(app, step, now_ms, t);
}

static int try_config(App *app, Config *next, int64_t now_ms, Diag *diag, Trial *t) {
        Config *config = app->config;
        JudgeState *judge = app->judge;
        bool is_tell_due = app->is_tell_due;
        int r = store_begin(app->store);
        if (r < 0)
                return r;
        app->config = next;
        app->judge = NULL;
        r = try_inside(app, now_ms, diag, t);
        store_rollback(app->store);
        judge_done(app);
        app->config = config;
        app->judge = judge;
        app->is_tell_due = is_tell_due;
        return r;
}

int trial_run(App *app, int64_t now_ms, Diag *diag, Trial *ret) {
        Config CLEANUP(config_freep) *next = NULL;
        Trial t = {0};
        int r = boot_config(app->config_path, app->share_dir, now_ms, diag, &next);
        if (r >= 0)
                r = compare_texts(app->config, next, &t);
        if (r >= 0)
                r = try_config(app, next, now_ms, diag, &t);
        if (r < 0) {
                trial_done(&t);
                return r;
        }
        *ret = t;
        return 0;
}
