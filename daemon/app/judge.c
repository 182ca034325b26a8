/* Judging inside the evaluation transaction.
 *
 * For each rule and cohort: load the panel from where no run is open, fold, compare with the
 * stored episodes, write what differs. Because the panel is read through the writing connection,
 * figures written a moment ago in the same transaction are seen, and a rollback forgets both. Only
 * the period that a snapshot has just published is taken from its rows: reading them back was two
 * thirds of a national judgement.
 *
 * How far back a fold begins: at the oldest changed period, or at the beginning of any stored run
 * that reaches it or is still alive. Runs that ended before cannot change. */
#include "app/judge.h"

#include <errno.h>
#include <stdio.h>

#include "core/rank.h"
#include "os/log.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/registry.h"

#define PANEL_MAX_PERIODS 400 /* 33 years of months */
#define EARLY_DAYS 9          /* `watch = running` speaks from the 10th day of the period on */
#define DEADLINE_REACH                                                                             \
        3 /* periods that a deadline looks back: several can become due in one absence */

typedef struct RuleTexts {
        RuleVersion *versions;
        RuleDef **parsed; /* those that are not the configuration's own */
        size_t n, n_parsed;
        bool is_new;     /* text is new at this load */
        PeriodId judged; /* newest period judged since the start; 0 = not yet */
} RuleTexts;

typedef struct RemovedRule {
        char *name;
        RuleDef *rule; /* NULL: cannot be read */
} RemovedRule;

struct JudgeState {
        RuleTexts *rules; /* one per config->rules */
        size_t n;
        /* What the load brought, for one summary; empty once that is written. */
        size_t n_new_rules, n_opened, n_ended, n_removed;
        char names[400];
        RemovedRule *removed; /* that something still speaks of, as they are asked for */
        size_t n_removed_rules, cap_removed_rules;
};

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

static bool is_judged_rule(const App *app, const RuleDef *rule) {
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
                if (is_judged_rule(app, &app->config->rules[i]))
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
                if (!is_judged_rule(app, &app->config->rules[i]))
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

/* Operators get one summary of what a load did; officials hear at the next publication. Nothing to
 * say on the first start, when every rule is new and nothing is known. */
static int write_summary(App *app, const JudgeScope *scope) {
        JudgeState *s = app->judge;
        char text[800];
        bool is_said = s->n_opened + s->n_ended + s->n_removed > 0;
        (void) snprintf(text, sizeof text,
                        "quy tắc mới hoặc đổi: %s; mở %zu cảnh báo, kết thúc %zu, %zu kết thúc vì "
                        "quy tắc đã bỏ; cán bộ được báo ở kỳ công bố tới",
                        *s->names ? s->names : "-", s->n_opened, s->n_ended, s->n_removed);
        s->n_new_rules = s->n_opened = s->n_ended = s->n_removed = 0;
        s->names[0] = '\0';
        return is_said ? judge_notice(app, scope->step, scope->now_ms, "rules-changed",
                                      "rules:cấu hình", text)
                       : 0;
}

/* ---- what may be judged ---------------------------------------------------------------------- */

/* An early warning looks at the running period from its 10th day on; before that at what was the
 * running one. */
static int newest_running(App *app, const RuleDef *rule, Day today, PeriodId *ret) {
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        PeriodId p = period_of_day(rule->period, today);
        for (int back = 0; back < 2; back++, p = period_previous(p)) {
                Day from = period_start(p) + EARLY_DAYS;
                int64_t last = 0, first = 0;
                int r = today >= from ? store_seen(app->store, source->name, NULL, p, &last, &first)
                                      : 0;
                if (r < 0)
                        return r;
                if (first && last >= day_start_ms(from)) {
                        *ret = p;
                        return 0;
                }
        }
        *ret = 0;
        return 0;
}

int judge_newest(App *app, const RuleDef *rule, int64_t now_ms, PeriodId *ret) {
        const SourceDef *source =
                &app->config->sources[app->config->indicators[rule->indicator].source];
        Day today = day_of_instant(now_ms);
        if (rule->watch == WATCH_RUNNING)
                return newest_running(app, rule, today, ret);
        PeriodId p = period_last_ended(rule->period, today);
        for (int back = 0; back < 24; back++, p = period_previous(p)) {
                if (period_end(p) + rule->settle_days > today)
                        continue;
                int64_t last = 0, first = 0;
                int r = store_seen(app->store, source->name, NULL, p, &last, &first);
                if (r < 0)
                        return r;
                if (first && last >= day_start_ms(period_end(p))) {
                        *ret = p;
                        return 0;
                }
        }
        *ret = 0;
        return 0;
}

int64_t judge_next(App *app, int64_t now_ms) {
        (void) app;
        /* Every deadline (settle, period end, final_after, from, until, era, due, stale) is a
         * local midnight. */
        return day_start_ms(day_of_instant(now_ms) + 1);
}

/* ---- cohorts ---------------------------------------------------------------------------------- */

/* What every rule needs of one cohort, made once per run: sorting 3,321 units by code for each of 26
 * rules cost as much as all their verdicts. */
typedef struct Cohort {
        const char *kind;
        UnitId parent;
        Day day;
        UnitId *units; /* by code */
        UnitId *ids;   /* the same by id */
        size_t *place; /* of ids[i] in units */
        Day *from, *until;
        size_t n, cap;
} Cohort;

typedef struct CohortList {
        Cohort **items;
        size_t n, cap;
} CohortList;

static void cohort_free(Cohort *c) {
        free(c->units);
        free(c->ids);
        free(c->place);
        free(c->from);
        free(c->until);
        free(c);
}
DEFINE_CLEANUP(Cohort, cohort_free)

/* Of the run: owns its cohorts. */
static void cohorts_done(CohortList *l) {
        for (size_t i = 0; i < l->n; i++)
                cohort_free(l->items[i]);
        free(l->items);
}

/* Of one rule: borrows them. */
static void cohorts_drop(CohortList *l) {
        free(l->items);
}

static Cohort *cohort_find(const CohortList *l, const char *kind, UnitId parent, Day day) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i]->parent == parent && l->items[i]->day == day &&
                    streq(l->items[i]->kind, kind))
                        return l->items[i];
        return NULL;
}

static int cohorts_append(CohortList *l, Cohort *c) {
        int r = ARRAY_GROW(l->items, l->cap, l->n + 1);
        if (r >= 0)
                l->items[l->n++] = c;
        return r;
}

typedef struct CodedUnit {
        const char *code;
        UnitId id;
        size_t by_id;
} CodedUnit;

static int compare_codes(const void *a, const void *b) {
        const CodedUnit *x = a, *y = b;
        int d = strcmp(x->code, y->code);
        return d ? d : (x->id > y->id) - (x->id < y->id);
}

static int cohort_sort(const App *app, Cohort *c) {
        CodedUnit CLEANUP_FREE *coded = calloc(c->n + 1, sizeof *coded);
        c->units = calloc(c->n + 1, sizeof *c->units);
        c->place = calloc(c->n + 1, sizeof *c->place);
        c->from = calloc(c->n + 1, sizeof *c->from);
        c->until = calloc(c->n + 1, sizeof *c->until);
        if (!coded || !c->units || !c->place || !c->from || !c->until)
                return -ENOMEM;
        for (size_t i = 0; i < c->n; i++)
                coded[i] = (CodedUnit){unit_code_on(&app->units, c->ids[i], c->day), c->ids[i], i};
        if (c->n > 1)
                qsort(coded, c->n, sizeof *coded, compare_codes);
        for (size_t i = 0; i < c->n; i++) {
                const Unit *u = unit_get(&app->units, coded[i].id);
                c->units[i] = u->id;
                c->place[coded[i].by_id] = i;
                c->from[i] = u->from;
                c->until[i] = u->until;
        }
        return 0;
}

static int cohort_new(const App *app, const char *kind, UnitId parent, Day day, Cohort **ret) {
        Cohort CLEANUP(cohort_freep) *c = calloc(1, sizeof *c);
        if (!c)
                return -ENOMEM;
        *c = (Cohort){.kind = kind, .parent = parent, .day = day};
        for (size_t i = 0; i < app->units.n; i++) {
                const Unit *u = &app->units.units[i];
                if (u->parent != parent || !streq(u->kind, kind))
                        continue;
                int r = ARRAY_GROW(c->ids, c->cap, c->n + 1);
                if (r < 0)
                        return r;
                c->ids[c->n++] = u->id;
        }
        int r = cohort_sort(app, c);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int compare_ids(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        return (x > y) - (x < y);
}

/* Index of the unit in `units`, SIZE_MAX when it is not of the cohort. */
static size_t cohort_place(const Cohort *c, UnitId id) {
        const UnitId *found = c->n ? bsearch(&id, c->ids, c->n, sizeof id, compare_ids) : NULL;
        return found ? c->place[found - c->ids] : SIZE_MAX;
}

typedef struct JudgeRun {
        App *app;
        const JudgeScope *scope;
        CohortList cohorts; /* made so far */
} JudgeRun;

static void judge_run_done(JudgeRun *run) {
        cohorts_done(&run->cohorts);
}

/* The unit's cohort joins the list, once. */
static int cohort_add(JudgeRun *run, const Unit *u, Day day, CohortList *list) {
        if (cohort_find(list, u->kind, u->parent, day))
                return 0;
        Cohort *c = cohort_find(&run->cohorts, u->kind, u->parent, day);
        if (!c) {
                int r = cohort_new(run->app, u->kind, u->parent, day, &c);
                if (r < 0)
                        return r;
                r = cohorts_append(&run->cohorts, c);
                if (r < 0) {
                        cohort_free(c);
                        return r;
                }
        }
        return cohorts_append(list, c);
}

static IndicatorId volume_of(const Config *c, const RuleDef *rule) {
        return rule->volume_indicator >= 0 ? c->indicators[rule->volume_indicator].id : 0;
}

/* Cohorts that the rule watches and that changes of its figures touch (all of them at deadlines). */
static int cohorts_of(JudgeRun *run, const RuleDef *rule, const UnitSelection *watched, bool is_all,
                      Day day, CohortList *ret) {
        const App *app = run->app;
        const JudgeScope *scope = run->scope;
        IndicatorId own = app->config->indicators[rule->indicator].id;
        IndicatorId volume = volume_of(app->config, rule);
        int r = 0;
        for (size_t i = 0; is_all && r >= 0 && i < app->units.n; i++)
                if (unit_selection_has(watched, &app->units, app->units.units[i].id))
                        r = cohort_add(run, &app->units.units[i], day, ret);
        for (size_t i = 0; r >= 0 && i < scope->n_changes; i++) {
                const FigureRow *f = &scope->changes[i].now;
                if (f->indicator != own && f->indicator != volume)
                        continue;
                const Unit *u = unit_get(&app->units, f->unit);
                if (u)
                        r = cohort_add(run, u, day, ret);
        }
        return r;
}

/* ---- one cohort ------------------------------------------------------------------------------ */

typedef struct CohortWork {
        App *app;
        const JudgeScope *scope;
        const RuleDef *rule;
        const RuleTexts *texts;
        const Cohort *cohort;
        PeriodId newest;
        bool is_all, is_new_rule;
        const UnitSelection *watched;
        Panel *value, *volume;
        bool *is_watched, *is_restated;
        Episode *stored;
        size_t n_stored;
        char subject[256]; /* of its hold */
} CohortWork;

static void cohort_work_done(CohortWork *w) {
        if (w->value)
                panel_free(w->value);
        if (w->volume)
                panel_free(w->volume);
        free(w->is_watched);
        free(w->is_restated);
        store_episodes_free(w->stored, w->n_stored);
}

static int load_stored(CohortWork *w, PeriodId touched) {
        EpisodeFilter filter = {.rule = w->rule->name,
                                .units = w->cohort->ids,
                                .n_units = w->cohort->n,
                                .is_live = true,
                                .touched_from = touched};
        return store_episodes(w->app->store, &filter, &w->stored, &w->n_stored);
}

/* The stored episodes, and the period to fold from. A run that reaches further back than was loaded
 * widens the load, until nothing between is missing. */
static int load_runs(CohortWork *w, PeriodId touched, PeriodId *ret_from) {
        for (PeriodId from = touched;;) {
                store_episodes_free(w->stored, w->n_stored);
                w->stored = NULL;
                w->n_stored = 0;
                int r = load_stored(w, from);
                if (r < 0)
                        return r;
                PeriodId earlier = engine_fold_from(w->stored, w->n_stored, touched, w->newest);
                if (earlier >= from) {
                        *ret_from = earlier;
                        return 0;
                }
                from = earlier;
        }
}

static int max_lookback(const RuleTexts *t) {
        int n = 1; /* the previous value is part of every transition */
        for (size_t i = 0; i < t->n; i++)
                n = MAX(n, rule_lookback(t->versions[i].rule));
        return n;
}

/* The rows of one indicator among those of the scope. */
static const FigureRow *rows_of(const JudgeScope *scope, IndicatorId id, size_t *ret_n) {
        size_t lo = 0, hi = scope->n_rows;
        while (lo < hi) {
                size_t middle = lo + (hi - lo) / 2;
                if (scope->rows[middle].indicator < id)
                        lo = middle + 1;
                else
                        hi = middle;
        }
        size_t from = lo;
        while (lo < scope->n_rows && scope->rows[lo].indicator == id)
                lo++;
        *ret_n = lo - from;
        return scope->rows + from;
}

/* From what this step published; false when it does not speak of every unit of the cohort. */
static bool fill_published(const CohortWork *w, IndicatorId id, size_t period, Panel *panel) {
        size_t n = 0, k = 0;
        const FigureRow *rows = rows_of(w->scope, id, &n);
        for (size_t i = 0; i < w->cohort->n; i++) {
                while (k < n && rows[k].unit < w->cohort->ids[i])
                        k++;
                if (k == n || rows[k].unit != w->cohort->ids[i])
                        return false;
                size_t at = period * panel->n_units + w->cohort->place[i];
                panel->value[at] = rows[k].value;
                panel->is_known[at] = 1;
        }
        return true;
}

static int load_panel(const CohortWork *w, IndicatorId id, PeriodId first, size_t n, Panel **ret) {
        Store *store = w->app->store;
        int r = panel_new(w->cohort->units, w->cohort->n, first, n, ret);
        int at = r >= 0 && w->scope ? panel_period(*ret, w->scope->period) : -1;
        if (r < 0)
                return r;
        if (at >= 0 && fill_published(w, id, (size_t) at, *ret))
                return store_panel_load_rest(store, id, (size_t) at, *ret);
        return store_panel_load(store, id, 0, *ret);
}

static int load_panels(CohortWork *w, PeriodId fold_from) {
        const Config *c = w->app->config;
        PeriodId first = period_add(fold_from, -max_lookback(w->texts));
        int n = period_distance(first, w->newest) + 1;
        if (n > PANEL_MAX_PERIODS) {
                first = period_add(w->newest, 1 - PANEL_MAX_PERIODS);
                n = PANEL_MAX_PERIODS;
        }
        int r = load_panel(w, c->indicators[w->rule->indicator].id, first, (size_t) n, &w->value);
        if (r < 0 || w->rule->volume_indicator < 0)
                return r;
        return load_panel(w, c->indicators[w->rule->volume_indicator].id, first, (size_t) n,
                          &w->volume);
}

static int fill_unit_facts(CohortWork *w) {
        size_t n = w->cohort->n;
        w->is_watched = calloc(n + 1, sizeof *w->is_watched);
        w->is_restated = calloc(n + 1, sizeof *w->is_restated);
        if (!w->is_watched || !w->is_restated)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                w->is_watched[i] =
                        unit_selection_has(w->watched, &w->app->units, w->cohort->units[i]);
        return 0;
}

/* Which of the rule's figures existed before and changed in this step; which came for the first
 * time. */
static void note_changes(CohortWork *w, JudgeInput *in) {
        const Config *c = w->app->config;
        IndicatorId own = c->indicators[w->rule->indicator].id;
        IndicatorId volume = volume_of(c, w->rule);
        for (size_t i = 0; i < w->scope->n_changes; i++) {
                const FigureChange *f = &w->scope->changes[i];
                if (f->now.indicator != own && f->now.indicator != volume)
                        continue;
                size_t u = cohort_place(w->cohort, f->now.unit);
                if (u == SIZE_MAX)
                        continue;
                if (!f->had_old) {
                        in->first_seen = w->scope->period;
                        continue;
                }
                in->restated = w->scope->period;
                w->is_restated[u] = true;
        }
}

static int write_result(CohortWork *w, JudgeResult *result) {
        const JudgeScope *scope = w->scope;
        for (size_t i = 0; i < result->n_episodes; i++) {
                result->episodes[i].rule = w->rule->name;
                int r = store_episode_put(w->app->store, scope->step, &result->episodes[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < result->n_transitions; i++) {
                const Transition *t = &result->transitions[i];
                const Episode *e = &result->episodes[t->episode];
                TransitionRow row = {.episode = e->id,
                                     .step = scope->step,
                                     .at_ms = scope->now_ms,
                                     .kind = t->kind,
                                     .period = t->period,
                                     .value = t->value,
                                     .previous_value = t->previous_value,
                                     .limit = t->limit,
                                     .place = t->place,
                                     .of = t->of,
                                     .severity = e->severity,
                                     .reason = (char *) t->reason};
                int r = store_transition_add(w->app->store, scope->step, e, &row);
                if (r < 0)
                        return r;
        }
        if (scope->ret_n_transitions)
                *scope->ret_n_transitions += result->n_transitions;
        for (size_t i = 0; w->is_new_rule && i < result->n_transitions; i++) {
                TransitionKind kind = result->transitions[i].kind;
                w->app->judge->n_opened += kind == TRANSITION_OPENED;
                w->app->judge->n_ended +=
                        kind == TRANSITION_CLOSED || kind == TRANSITION_RULE_CHANGED;
        }
        return 0;
}

/* Operators, and those who answer for the parent, get one message instead of a hundred. */
static int write_hold(CohortWork *w, const JudgeInput *in, const JudgeResult *result) {
        return judge_hold(w->app, w->scope,
                          &(Hold){.subject = w->subject,
                                  .rule = w->rule->name,
                                  .kind = w->cohort->kind,
                                  .period = w->newest,
                                  .n_opening = result->guard_opening,
                                  .n_units = result->guard_of,
                                  .is_on = result->is_guard_tripped,
                                  .is_by_jump = result->is_guard_by_jump,
                                  .is_released = in->is_guard_released});
}

static int judge_cohort(CohortWork *w) {
        const Config *c = w->app->config;
        const IndicatorDef *indicator = &c->indicators[w->rule->indicator];
        PeriodId touched = w->is_all ? period_add(w->newest, -DEADLINE_REACH) : w->newest;
        if (w->scope->n_changes && period_type(w->scope->period) == w->rule->period)
                touched = MIN(touched, w->scope->period);
        touched = MAX(touched, w->texts->versions[0].from);
        if (touched > w->newest)
                return 0;
        PeriodId fold_from = 0;
        int r = load_runs(w, touched, &fold_from);
        if (r < 0)
                return r;
        r = load_panels(w, fold_from);
        if (r >= 0)
                r = fill_unit_facts(w);
        if (r < 0)
                return r;
        const Unit *parent = unit_get(&w->app->units, w->cohort->parent);
        (void) snprintf(w->subject, sizeof w->subject, "hold:%s/%s/%s", w->rule->name,
                        parent ? parent->key : "-", w->cohort->kind);
        JudgeInput in = {
                .versions = w->texts->versions,
                .n_versions = w->texts->n,
                .indicators = c->indicators,
                .value = w->value,
                .volume = w->volume,
                .fold_from = MAX(fold_from, w->value->first),
                .newest = w->newest,
                .is_watched = w->is_watched,
                .valid_from = w->cohort->from,
                .valid_until = w->cohort->until,
                .eras = c->eras,
                .n_eras = c->n_eras,
                .source = c->sources[indicator->source].name,
                .parent = parent ? parent->key : NULL,
                .is_restated_unit = w->is_restated,
                .is_new_rule = w->is_new_rule,
                .stored = w->stored,
                .n_stored = w->n_stored,
                .guard_percent = c->daemon.mass_guard_percent,
                .guard_jump = decimal_rescale(c->daemon.guard_jump_points, 0, indicator->decimals)};
        note_changes(w, &in);
        r = store_hold_released(w->app->store, w->subject, &in.is_guard_released);
        if (r < 0)
                return r;
        JudgeResult CLEANUP(judge_result_done) result = {0};
        r = engine_judge(&in, &result);
        if (r >= 0)
                r = write_result(w, &result);
        return r < 0 ? r : write_hold(w, &in, &result);
}

static bool touches(const App *app, const RuleDef *rule, const JudgeScope *scope) {
        IndicatorId own = app->config->indicators[rule->indicator].id;
        IndicatorId volume = volume_of(app->config, rule);
        for (size_t i = 0; i < scope->n_changes; i++)
                if (scope->changes[i].now.indicator == own ||
                    (volume && scope->changes[i].now.indicator == volume))
                        return true;
        return false;
}

static int judge_rule(JudgeRun *run, const RuleDef *rule, RuleTexts *texts) {
        App *app = run->app;
        const JudgeScope *scope = run->scope;
        bool is_new_rule = texts->is_new; /* only the judging at load finds it set */
        texts->is_new = false;
        PeriodId newest = 0;
        int r = judge_newest(app, rule, scope->now_ms, &newest);
        if (r < 0 || newest == 0)
                return r;
        /* A period that has just become judgeable concerns every unit, whatever changed. */
        bool is_all = newest != texts->judged;
        if (!is_all && (scope->n_changes == 0 || period_type(scope->period) != rule->period ||
                        !touches(app, rule, scope)))
                return 0;
        app->is_tell_due |= is_all; /* another period is the newest: more may be told */
        Day day = period_end(newest) - 1;
        CohortList CLEANUP(cohorts_drop) cohorts = {0};
        UnitSelection CLEANUP(unit_selection_done) watched = {0};
        r = unit_selection_init(&watched, &app->units, &rule->units, day);
        if (r >= 0)
                r = cohorts_of(run, rule, &watched, is_all, day, &cohorts);
        for (size_t i = 0; r >= 0 && i < cohorts.n; i++) {
                CohortWork CLEANUP(cohort_work_done) w = {.app = app,
                                                          .scope = scope,
                                                          .rule = rule,
                                                          .texts = texts,
                                                          .cohort = cohorts.items[i],
                                                          .watched = &watched,
                                                          .newest = newest,
                                                          .is_all = is_all,
                                                          .is_new_rule = is_new_rule};
                r = judge_cohort(&w);
        }
        if (r < 0)
                return r;
        texts->judged = newest;
        return 0;
}

int judge_run(App *app, const JudgeScope *scope) {
        JudgeRun CLEANUP(judge_run_done) run = {.app = app, .scope = scope};
        assert(app->judge && app->judge->n == app->config->n_rules);
        for (size_t i = 0; i < app->config->n_rules; i++) {
                const RuleDef *rule = &app->config->rules[i];
                if (!is_judged_rule(app, rule) || app->judge->rules[i].n == 0)
                        continue;
                if (scope->source >= 0 &&
                    app->config->indicators[rule->indicator].source != scope->source)
                        continue;
                int r = judge_rule(&run, rule, &app->judge->rules[i]);
                if (r < 0)
                        return r;
        }
        return scope->source < 0 ? write_summary(app, scope) : 0;
}

void judge_forget(App *app) {
        for (size_t i = 0; app->judge && i < app->judge->n; i++)
                app->judge->rules[i].judged = 0;
}

/* ---- release --------------------------------------------------------------------------------- */

static int release_holds(App *app, StepId step, const RuleDef *rule, size_t *ret_n) {
        Episode *e = NULL;
        size_t n = 0, size = strlen(rule->name);
        int r = store_episodes(
                app->store,
                &(EpisodeFilter){.rule = "mass-guard", .is_live = true, .is_subject = true}, &e,
                &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *name = e[i].subject ? strchr(e[i].subject, ':') : NULL;
                if (!name || strncmp(name + 1, rule->name, size) != 0 || name[1 + size] != '/')
                        continue;
                r = store_hold_release(app->store, step, e[i].subject);
                ++*ret_n;
        }
        store_episodes_free(e, n);
        return MIN(r, 0);
}

/* Two steps: a release holds until the hold closes in a later one, so that it is used up by the
 * judgement that follows and the guard watches again. */
static int release_inside(App *app, size_t i, int64_t now_ms, size_t *ret_n) {
        const RuleDef *rule = &app->config->rules[i];
        StepId step = 0;
        int r = store_step(app->store, CAUSE_OPERATOR, now_ms, &step);
        if (r >= 0)
                r = release_holds(app, step, rule, ret_n);
        if (r < 0 || *ret_n == 0)
                return r;
        app->judge->rules[i].judged = 0; /* every cohort */
        r = store_step(app->store, CAUSE_OPERATOR, now_ms, &step);
        JudgeScope scope = {.step = step, .now_ms = now_ms, .source = -1};
        JudgeRun CLEANUP(judge_run_done) run = {.app = app, .scope = &scope};
        return r < 0 ? r : judge_rule(&run, rule, &app->judge->rules[i]);
}

int judge_release(App *app, size_t rule, int64_t now_ms, size_t *ret_n) {
        size_t n = 0;
        if (!app->judge || !is_judged_rule(app, &app->config->rules[rule])) {
                *ret_n = 0;
                return 0;
        }
        int r = store_begin(app->store);
        if (r >= 0)
                r = release_inside(app, rule, now_ms, &n);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0) {
                store_rollback(app->store);
                judge_forget(app);
                return r;
        }
        *ret_n = n;
        app->is_tell_due = true;
        app_wake(app);
        return 0;
}

/* ---- explain --------------------------------------------------------------------------------- */

static const RuleDef *text_for(const RuleTexts *t, PeriodId period) {
        const RuleDef *rule = NULL;
        for (size_t i = 0; i < t->n && t->versions[i].from <= period; i++)
                rule = t->versions[i].rule;
        return rule;
}

static int explain_figures(CohortWork *w, size_t u, JudgeExplanation *ret) {
        const Config *c = w->app->config;
        const IndicatorDef *indicator = &c->indicators[w->rule->indicator];
        const Unit *parent = unit_get(&w->app->units, w->cohort->parent);
        size_t p = w->value->n_periods - 1;
        Judgement CLEANUP_FREE *all = calloc(w->cohort->n, sizeof *all);
        if (!all)
                return -ENOMEM;
        RuleContext context = {.rule = ret->text,
                               .indicators = c->indicators,
                               .value = w->value,
                               .volume = w->volume,
                               .eras = c->eras,
                               .n_eras = c->n_eras,
                               .source = c->sources[indicator->source].name,
                               .parent = parent ? parent->key : NULL,
                               .valid_from = w->cohort->from,
                               .is_running = w->rule->watch == WATCH_RUNNING};
        int r = rule_judge(&context, p, all);
        if (r >= 0)
                r = rank_median(w->value->value + p * w->value->n_units, w->value->n_units, 5,
                                &ret->median);
        if (r < 0)
                return r;
        ret->judgement = all[u];
        ret->is_watched = w->is_watched[u];
        ret->n_units = w->cohort->n;
        ret->volume = w->volume ? panel_at(w->volume, p, u) : VALUE_NONE;
        for (size_t i = 0; i < w->value->n_units; i++)
                ret->n_values += panel_at(w->value, p, i) != VALUE_NONE;
        for (size_t k = 0; k <= p && k < EXPLAIN_PERIODS; k++)
                ret->value[ret->n_periods++] = panel_at(w->value, p - k, u);
        return 0;
}

static int explain_cohort(App *app, size_t rule, UnitId unit, JudgeExplanation *ret) {
        Cohort CLEANUP(cohort_freep) *cohort = NULL;
        UnitSelection CLEANUP(unit_selection_done) watched = {0};
        const Unit *u = unit_get(&app->units, unit);
        Day day = period_end(ret->period) - 1;
        int r = cohort_new(app, u->kind, u->parent, day, &cohort);
        if (r >= 0)
                r = unit_selection_init(&watched, &app->units, &app->config->rules[rule].units,
                                        day);
        if (r < 0)
                return r;
        CohortWork CLEANUP(cohort_work_done) w = {.app = app,
                                                  .rule = &app->config->rules[rule],
                                                  .texts = &app->judge->rules[rule],
                                                  .cohort = cohort,
                                                  .watched = &watched,
                                                  .newest = ret->period};
        r = load_panels(&w, period_add(ret->period, 1 - (int) EXPLAIN_PERIODS));
        if (r >= 0)
                r = fill_unit_facts(&w);
        if (r < 0)
                return r;
        size_t index = cohort_place(cohort, unit);
        return index == SIZE_MAX ? 0 : explain_figures(&w, index, ret);
}

/* The next period and the first day on which it can be judged. */
static void explain_deadline(const RuleDef *rule, int64_t now_ms, JudgeExplanation *ret) {
        Day today = day_of_instant(now_ms);
        if (rule->watch == WATCH_RUNNING) {
                ret->next = period_of_day(rule->period, today);
                if (ret->period == ret->next)
                        ret->next = period_next(ret->next);
                ret->next_day = period_start(ret->next) + EARLY_DAYS;
                return;
        }
        ret->next = ret->period ? period_next(ret->period) : period_last_ended(rule->period, today);
        ret->next_day = period_end(ret->next) + rule->settle_days;
}

int judge_explain(App *app, size_t rule, UnitId unit, int64_t now_ms, JudgeExplanation *ret) {
        const RuleDef *def = &app->config->rules[rule];
        *ret = (JudgeExplanation){
                .judgement = {.value = VALUE_NONE, .limit = VALUE_NONE, .delta = VALUE_NONE},
                .median = VALUE_NONE,
                .volume = VALUE_NONE};
        if (!app->judge || !is_judged_rule(app, def))
                return 0;
        int r = judge_newest(app, def, now_ms, &ret->period);
        if (r < 0)
                return r;
        explain_deadline(def, now_ms, ret);
        ret->text = ret->period ? text_for(&app->judge->rules[rule], ret->period) : NULL;
        if (!ret->text)
                return 0;
        return explain_cohort(app, rule, unit, ret);
}
