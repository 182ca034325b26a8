/* The texts of the rules: which one holds for a period is decided when it is first loaded, and
 * written down, so that no later configuration judges the past anew. */
#include <errno.h>
#include <stdio.h>

#include "flow/judge-private.h"
#include "os/log.h"
#include "store/alert.h"

static void rule_texts_done(RuleTexts *t) {
        for (size_t i = 0; i < t->n_parsed; i++)
                rule_text_free(t->parsed[i]);
        free(t->parsed);
        free(t->versions);
}

void judge_done(App *app) {
        if (!app->judge)
                return;
        for (size_t i = 0; i < app->judge->n; i++)
                rule_texts_done(&app->judge->rules[i]);
        for (size_t i = 0; i < app->judge->n_removed_rules; i++) {
                free(app->judge->removed[i].name);
                rule_text_free(app->judge->removed[i].rule);
        }
        free(app->judge->removed);
        free(app->judge->rules);
        free(app->judge);
        app->judge = NULL;
}

bool judge_is_judged(const App *app, const RuleDef *rule) {
        return !rule->is_off && rule->indicator >= 0 && condition_is_value(rule->when.kind) &&
               app->config->indicators[rule->indicator].id != 0;
}

/* ---- rule versions --------------------------------------------------------------------------- */

/* A changed text judges from the latest period that is not closed: closed ones keep the text that
 * held for them. A rule's first text has no predecessor, so it begins at the last ended period
 * even when that is closed: otherwise an installation late in a month would show nothing for
 * weeks. */
static PeriodId first_period_of(const App *app, const RuleDef *rule, bool is_first,
                                int64_t now_ms) {
        if (rule->from)
                return rule->from;
        Day today = day_of_instant(now_ms);
        if (rule->watch == WATCH_RUNNING)
                return period_of_day(rule->period, today);
        PeriodId ended = period_last_ended(rule->period, today);
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        if (is_first || period_status(ended, today, source->final_after_days) != PERIOD_CLOSED)
                return ended;
        return period_next(ended);
}

static int texts_add(const App *app, RuleTexts *t, const RuleTextRow *row, const RuleDef *rule) {
        const RuleDef *def = rule;
        if (!streq(row->text, rule->text)) {
                RuleDef *parsed = NULL;
                int r = rule_from_text(row->text, app->config->indicators,
                                       app->config->n_indicators, &parsed);
                if (r == -EINVAL) {
                        log_warning(
                                "rule %s: its text of %d can no longer be read, judging that time "
                                "by the "
                                "present text",
                                rule->name, row->from);
                } else if (r < 0) {
                        return r;
                } else {
                        t->parsed[t->n_parsed++] = parsed;
                        def = parsed;
                }
        }
        t->versions[t->n++] = (RuleVersion){.from = row->from, .rule = def};
        return 0;
}

static int texts_load(const App *app, const RuleDef *rule, RuleTexts *ret) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(app->store, rule->name, &rows, &n);
        if (r < 0)
                return r;
        ret->versions = calloc(n + 1, sizeof *ret->versions);
        ret->parsed = calloc(n + 1, sizeof *ret->parsed);
        if (!ret->versions || !ret->parsed)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = texts_add(app, ret, &rows[i], rule);
        rule_text_rows_free(rows, n);
        return r;
}

/* Its newest text; NULL when it cannot be read. Failures of the moment are not remembered. */
static int read_removed(App *app, const char *name, RuleDef **ret) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(app->store, name, &rows, &n);
        if (r < 0)
                return r;
        *ret = NULL;
        if (n > 0)
                r = rule_from_text(rows[n - 1].text, app->config->indicators,
                                   app->config->n_indicators, ret);
        rule_text_rows_free(rows, n);
        return r == -EINVAL ? 0 : MIN(r, 0);
}

const RuleDef *judge_rule_def(App *app, const char *name) {
        JudgeState *s = app->judge;
        int i = config_rule(app->config, name);
        if (i >= 0)
                return &app->config->rules[i];
        for (size_t k = 0; s && k < s->n_removed_rules; k++)
                if (streq(s->removed[k].name, name))
                        return s->removed[k].rule;
        if (!s || ARRAY_GROW(s->removed, s->cap_removed_rules, s->n_removed_rules + 1) < 0)
                return NULL;
        RemovedRule one = {.name = strdup(name)};
        if (!one.name || read_removed(app, name, &one.rule) < 0) {
                free(one.name);
                return NULL;
        }
        s->removed[s->n_removed_rules++] = one;
        return one.rule;
}

static void note_new_rule(JudgeState *s, const char *name) {
        size_t used = strlen(s->names);
        s->n_new_rules++;
        if (used + strlen(name) + 3 < sizeof s->names)
                (void) snprintf(s->names + used, sizeof s->names - used, "%s%s", used ? ", " : "",
                                name);
}

/* A renamed rule takes its texts and episodes along, once. */
static int rename_rule(App *app, const RuleDef *rule) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        if (!rule->formerly)
                return 0;
        int r = store_rule_texts(app->store, rule->name, &rows, &n);
        rule_text_rows_free(rows, n);
        return r < 0 || n > 0 ? r : store_rule_rename(app->store, rule->formerly, rule->name);
}

/* The names of the rules of the last load, one per line: a rule that was away and is back is as new
 * as a changed one, whatever its text. */
static bool was_away(const char *before, const char *name) {
        size_t n = strlen(name);
        for (const char *at = before; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
                if (strcspn(at, "\n") == n && strncmp(at, name, n) == 0)
                        return false;
        return before != NULL;
}

static int remember_rules(App *app) {
        Buf CLEANUP(buf_done) names = BUF_INIT(1 << 20);
        int r = 0;
        for (size_t i = 0; r >= 0 && i < app->config->n_rules; i++)
                if (judge_is_judged(app, &app->config->rules[i]))
                        r = buf_printf(&names, "%s\n", app->config->rules[i].name);
        return r < 0 ? r : store_meta_put(app->store, "rules", buf_text(&names));
}

static int sync_rule(App *app, StepId step, int64_t now_ms, const RuleDef *rule, const char *before,
                     RuleTexts *t) {
        RuleTextRow *rows = NULL;
        size_t n = 0;
        int r = store_rule_texts(app->store, rule->name, &rows, &n);
        if (r < 0)
                return r;
        bool is_first = n == 0;
        bool is_back = was_away(before, rule->name) &&
                       (!rule->formerly || was_away(before, rule->formerly));
        t->is_new = is_first || is_back || !streq(rows[n - 1].text, rule->text);
        rule_text_rows_free(rows, n);
        if (t->is_new)
                note_new_rule(app->judge, rule->name);
        if (t->is_new)
                r = store_rule_text_put(app->store, step, rule->name,
                                        first_period_of(app, rule, is_first, now_ms), rule->text);
        return r < 0 ? r : texts_load(app, rule, t);
}

static bool is_configured(const App *app, const char *name) {
        int i = config_rule(app->config, name);
        return i >= 0 && !app->config->rules[i].is_off;
}

/* Episodes of rules that are no longer configured end; whoever was told of them is told of that. */
static int end_removed_rules(App *app, StepId step, int64_t now_ms) {
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(app->store, &(EpisodeFilter){.is_live = true}, &e, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (e[i].unit == 0 || is_configured(app, e[i].rule))
                        continue;
                bool was_open = e[i].state == EPISODE_OPEN;
                e[i].state = was_open ? EPISODE_CLOSED : EPISODE_GONE;
                e[i].end = END_RULE_REMOVED;
                r = store_episode_put(app->store, step, &e[i]);
                TransitionRow row = {.episode = e[i].id,
                                     .step = step,
                                     .at_ms = now_ms,
                                     .kind = TRANSITION_RULE_REMOVED,
                                     .period = e[i].last,
                                     .value = e[i].value,
                                     .previous_value = e[i].previous,
                                     .limit = e[i].limit,
                                     .severity = e[i].severity};
                if (r >= 0)
                        r = store_transition_add(app->store, step, &e[i], &row);
                app->judge->n_removed += was_open;
        }
        store_episodes_free(e, n);
        return r;
}

int judge_sync_rules(App *app, StepId step, int64_t now_ms) {
        judge_done(app);
        app->judge = calloc(1, sizeof *app->judge);
        if (!app->judge)
                return -ENOMEM;
        size_t n = app->config->n_rules;
        app->judge->rules = calloc(n + 1, sizeof *app->judge->rules);
        if (!app->judge->rules)
                return -ENOMEM;
        app->judge->n = n;
        char CLEANUP_FREE *before = NULL;
        int r = store_meta_get(app->store, "rules", &before);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!judge_is_judged(app, &app->config->rules[i]))
                        continue;
                r = rename_rule(app, &app->config->rules[i]);
                if (r >= 0)
                        r = sync_rule(app, step, now_ms, &app->config->rules[i], before,
                                      &app->judge->rules[i]);
        }
        if (r >= 0)
                r = remember_rules(app);
        if (r >= 0)
                r = end_removed_rules(app, step, now_ms);
        return r < 0 ? r : judge_end_orphans(app, step, now_ms);
}
