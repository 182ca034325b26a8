/* Episodes with their gates, and the plan of one target.
 *
 * Read through the writing connection: inside the evaluation this sees what was judged a moment
 * ago. Episodes that ended more than REACH months ago are left out; what was said of them stays in
 * the ledger, and a figure printed then is still corrected. */
#include "flow/facts.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/judge.h"
#include "flow/message.h"
#include "store/figure.h"

#define REACH_MONTHS 26
#define EARLY_WARNING_DAYS 7 /* at most weekly */

void facts_done(Facts *f) {
        free(f->plan);
        free(f->newest);
        free(f->muted_units);
        store_episodes_free(f->episodes, f->n_episodes);
        target_rows_free(f->targets, f->n_targets);
}

static int compare_plan(const void *a, const void *b) {
        const PlanEpisode *x = a, *y = b;
        return (x->e.id > y->e.id) - (x->e.id < y->e.id);
}

static int compare_units(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        return (x > y) - (x < y);
}

static bool is_under(const App *app, UnitId unit, UnitId parent) {
        for (int depth = 0; unit && depth < 16; depth++) {
                const Unit *u = unit_get(&app->units, unit);
                if (!u)
                        return false;
                if (u->parent == parent || u->id == parent)
                        return true;
                unit = u->parent;
        }
        return false;
}

/* Silences are append-only: one of a rule that was renamed since keeps its old name. */
static bool is_of_rule(const App *app, const SilenceRow *s, const Episode *e) {
        if (!e)
                return false;
        int i = config_rule(app->config, e->rule);
        return streq(s->rule, e->rule) ||
               (i >= 0 && streq_ptr(app->config->rules[i].formerly, s->rule));
}

bool facts_silenced(const App *app, const SilenceRow *s, const Episode *e, UnitId unit) {
        if (s->rule && !is_of_rule(app, s, e))
                return false;
        if (s->severity != SEVERITY_NONE && (!e || s->severity != e->severity))
                return false;
        if (s->unit && s->unit != unit)
                return false;
        return !s->parent || is_under(app, unit, s->parent);
}

/* Nothing to hold the rule against: missing data neither opens nor closes. */
static bool is_without_figure(const RuleDef *rule, const Episode *e) {
        switch (rule->when.kind) {
        case CONDITION_BEHIND:
                return e->value == VALUE_NONE || e->limit == VALUE_NONE;
        case CONDITION_DROP:
        case CONDITION_FALLING:
        case CONDITION_FLAT:
                return e->value == VALUE_NONE || e->delta == VALUE_NONE;
        default:
                return e->value == VALUE_NONE;
        }
}

/* GONE, but its period is not closed, and its figure is missing or (in the newest period) lies
 * between limit and clear: says nothing yet. A printed figure that is no longer published is
 * corrected on its own. */
static bool is_trembling(const Facts *f, const RuleDef *rule, PeriodId newest, const Episode *e) {
        const Config *c = f->app->config;
        const SourceDef *source = &c->sources[c->indicators[rule->indicator].source];
        PeriodId first = (PeriodId) e->first;
        if (e->state != EPISODE_GONE || period_status(first, day_of_instant(f->now_ms),
                                                      source->final_after_days) == PERIOD_CLOSED)
                return false;
        return is_without_figure(rule, e) ||
               (first == newest && rule_is_between(rule, e->value, e->limit));
}

/* Open, but the newest period says nothing of it. (A value between limit and `clear` is known.) An
 * early warning stands on while its month's figure is away or not clear yet. */
static int find_unknown(const Facts *f, const IndicatorDef *d, bool is_early, PlanEpisode *p) {
        FigureRow row;
        bool is_own = is_early && p->e.last == p->newest;
        if (p->e.state != EPISODE_OPEN || (p->e.last >= p->newest && !is_own))
                return 0;
        int r = store_figure_get(f->app->store, p->newest, d->id, p->e.unit, 0, &row, NULL);
        if (r < 0)
                return r;
        p->is_unknown = r != 0 || row.value == VALUE_NONE || (is_own && row.value != p->e.value);
        return 0;
}

/* What a late one was about: the newest figure of its run, which ended before `last`. */
static int fill_breach(const Facts *f, PlanEpisode *p) {
        PeriodId period = p->e.last;
        if (p->e.state != EPISODE_CLOSED || !p->e.is_late || p->indicator == 0)
                return 0;
        const RuleDef *rule = &f->app->config->rules[config_rule(f->app->config, p->e.rule)];
        bool is_below = rule->when.kind == CONDITION_BELOW && p->e.limit != VALUE_NONE;
        bool is_above = rule->when.kind == CONDITION_ABOVE && p->e.limit != VALUE_NONE;
        while ((period = period_previous(period)) >= p->e.first) {
                FigureRow row;
                int r = store_figure_get(f->app->store, period, p->indicator, p->e.unit, 0, &row,
                                         NULL);
                if (r < 0)
                        return r;
                if (r != 0 || row.value == VALUE_NONE)
                        continue;
                p->breach = period;
                p->breach_value = row.value;
                /* Between limit and clear a run goes on, but that is not what it is about. */
                if (!(is_below && row.value >= rule->when.amount) &&
                    !(is_above && row.value <= rule->when.amount))
                        return 0;
        }
        return 0;
}

static int fill_plan_episode(const Facts *f, PlanEpisode *p) {
        const Config *c = f->app->config;
        int i = p->rule = config_rule(c, p->e.rule);
        const RuleDef *rule = p->e.unit ? judge_rule_def(f->app, p->e.rule) : NULL;
        if (!rule || rule->indicator < 0)
                return 0;
        const IndicatorDef *d = &c->indicators[rule->indicator];
        p->indicator = d->id;
        p->repeat = rule->repeat;
        p->repeat_days = rule->repeat_days;
        p->amend_min = d->restated_min;
        p->newest = i >= 0 ? f->newest[i] : 0;
        if (rule->watch == WATCH_RUNNING)
                p->quiet_days = EARLY_WARNING_DAYS;
        if (d->source < 0 || i < 0)
                return 0;
        p->is_trembling = is_trembling(f, rule, p->newest, &p->e);
        return find_unknown(f, d, rule->watch == WATCH_RUNNING, p);
}

static int load_silences(Facts *f) {
        SilenceRow *rows = NULL;
        size_t n = 0;
        int r = store_silences(f->app->store, f->now_ms, &rows, &n);
        if (r < 0)
                return r;
        f->muted_units = calloc(f->app->units.n + 1, sizeof *f->muted_units);
        if (!f->muted_units)
                r = -ENOMEM;
        for (size_t s = 0; r >= 0 && s < n; s++)
                for (size_t i = 0; i < f->n_episodes; i++)
                        if (facts_silenced(f->app, &rows[s], &f->plan[i].e, f->plan[i].e.unit))
                                f->plan[i].is_muted = true;
        for (size_t u = 0; r >= 0 && n > 0 && u < f->app->units.n; u++) {
                bool is_muted = false;
                for (size_t s = 0; s < n && !is_muted; s++)
                        is_muted =
                                facts_silenced(f->app, &rows[s], NULL, f->app->units.units[u].id);
                if (is_muted)
                        f->muted_units[f->n_muted_units++] = f->app->units.units[u].id;
        }
        if (r >= 0)
                qsort(f->muted_units, f->n_muted_units, sizeof *f->muted_units, compare_units);
        silence_rows_free(rows, n);
        return r;
}

static int load_acks(Facts *f) {
        AckRow *acks = NULL;
        size_t n = 0;
        int r = store_acks(f->app->store, f->now_ms, 0, &acks, &n);
        size_t a = 0;
        for (size_t i = 0; r >= 0 && i < f->n_episodes; i++) {
                while (a < n && acks[a].episode < f->plan[i].e.id)
                        a++;
                /* A worse severity re-arms. */
                f->plan[i].is_acked = a < n && acks[a].episode == f->plan[i].e.id &&
                                      f->plan[i].e.severity <= acks[a].severity;
        }
        free(acks);
        return r;
}

static int load_publications(Facts *f) {
        const Config *c = f->app->config;
        f->newest = calloc(c->n_rules + 1, sizeof *f->newest);
        if (!f->newest)
                return -ENOMEM;
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                PeriodId newest = 0;
                if (rule->is_off || rule->indicator < 0 ||
                    c->indicators[rule->indicator].source < 0)
                        continue;
                int r = judge_newest(f->app, rule, f->now_ms, &newest);
                if (r < 0)
                        return r;
                f->newest[i] = newest;
                if (rule->watch != WATCH_RUNNING) /* a publication is of a period that has ended */
                        f->publication[rule->period] = MAX(f->publication[rule->period], newest);
        }
        return 0;
}

static int load_episodes(Facts *f) {
        PeriodId month = period_last_ended(PERIOD_MONTH, day_of_instant(f->now_ms));
        /* Pending ones too: one that was open before changed figures made its run shorter may have
         * been told. */
        EpisodeFilter filter = {.is_live = true, .touched_from = period_add(month, -REACH_MONTHS)};
        int r = store_episodes(f->app->store, &filter, &f->episodes, &f->n_episodes);
        if (r < 0)
                return r;
        f->plan = calloc(f->n_episodes + 1, sizeof *f->plan);
        if (!f->plan)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < f->n_episodes; i++) {
                f->plan[i].e = f->episodes[i];
                r = fill_plan_episode(f, &f->plan[i]);
                if (r >= 0)
                        r = fill_breach(f, &f->plan[i]);
        }
        if (r < 0)
                return r;
        qsort(f->plan, f->n_episodes, sizeof *f->plan, compare_plan);
        return 0;
}

static int load_digest(Facts *f) {
        char CLEANUP_FREE *text = NULL;
        int r = store_meta_get(f->app->store, "digest_ms", &text);
        if (r == 0)
                f->digest_ms = strtoll(text, NULL, 10);
        return r < 0 ? r : 0;
}

bool facts_is_live(App *app) {
        if (app->config->daemon.notify == NOTIFY_LIVE)
                return true;
        char CLEANUP_FREE *at = NULL;
        return store_meta_get(app->store, "went_live_ms", &at) == 0;
}

int facts_load(App *app, int64_t now_ms, Facts *ret) {
        *ret = (Facts){.app = app, .now_ms = now_ms, .is_live = facts_is_live(app)};
        int r = load_publications(ret);
        if (r >= 0)
                r = load_episodes(ret);
        if (r >= 0)
                r = load_silences(ret);
        if (r >= 0)
                r = load_acks(ret);
        if (r >= 0)
                r = load_digest(ret);
        if (r >= 0)
                r = store_targets(app->store, &ret->targets, &ret->n_targets);
        if (r < 0) {
                facts_done(ret);
                *ret = (Facts){0};
        }
        return r;
}

/* "hold:RULE/PARENT/KIND": the mass guard's message also goes to those who answer for the
 * parent. */
static bool concerns_hold(const Facts *f, const RecipientDef *recipient, const char *subject) {
        const char *slash = strchr(subject, '/');
        const char *last = slash ? strrchr(slash + 1, '/') : NULL;
        if (!last || recipient->is_each)
                return false;
        char CLEANUP_FREE *parent = strndup(slash + 1, (size_t) (last - slash - 1));
        Day day = day_of_instant(f->now_ms);
        UnitId hold = 0;
        if (!parent || unit_find(&f->app->units, parent, day, &hold, NULL) != 0)
                return recipient->units.n_parents == 0;
        for (size_t i = 0; i < recipient->units.n_parents; i++) {
                UnitId id = 0;
                if (unit_find(&f->app->units, recipient->units.parents[i], day, &id, NULL) == 0 &&
                    id == hold)
                        return true;
        }
        return recipient->units.n_parents == 0 && recipient->units.n_units == 0;
}

/* `selection`: the recipient's units, resolved today. */
static bool concerns(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                     const UnitSelection *selection, const PlanEpisode *e) {
        bool is_operator = recipient->role == ROLE_OPERATOR;
        if (recipient->is_letter)
                return false;
        if (e->e.unit == 0)
                return is_operator || (e->e.subject && strncmp(e->e.subject, "hold:", 5) == 0 &&
                                       concerns_hold(f, recipient, e->e.subject));
        if (target->unit && target->unit != e->e.unit)
                return false;
        const RuleDef *rule = e->rule >= 0 ? &f->app->config->rules[e->rule] : NULL;
        if (rule && (rule->is_letter_only || rule->is_operator != is_operator) &&
            !(is_operator && recipient->units.is_set))
                return false;
        if (target->unit)
                return true;
        if (is_operator && !recipient->units.is_set)
                return false;
        return !recipient->units.is_set || unit_selection_has(selection, &f->app->units, e->e.unit);
}

/* A target of an `each` recipient needs none: its unit is what it hears of. */
static int select_units(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                        UnitSelection *ret) {
        if (target->unit || !recipient->units.is_set)
                return 0;
        return unit_selection_init(ret, &f->app->units, &recipient->units,
                                   day_of_instant(f->now_ms));
}

bool facts_concerns(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                    const PlanEpisode *e) {
        UnitSelection CLEANUP(unit_selection_done) selection = {0};
        return select_units(f, recipient, target, &selection) >= 0 &&
               concerns(f, recipient, target, &selection, e);
}

int facts_concerned(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                    PlanEpisode **ret, size_t *ret_n) {
        UnitSelection CLEANUP(unit_selection_done) selection = {0};
        PlanEpisode CLEANUP_FREE *mine = NULL;
        size_t n = 0, cap = 0;
        int r = select_units(f, recipient, target, &selection);
        for (size_t i = 0; r >= 0 && i < f->n_episodes; i++) {
                if (!concerns(f, recipient, target, &selection, &f->plan[i]))
                        continue;
                r = ARRAY_GROW(mine, cap, n + 1);
                if (r >= 0)
                        mine[n++] = f->plan[i];
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(mine);
        *ret_n = n;
        return 0;
}

typedef enum Side { SIDE_NONE, SIDE_CLEAR, SIDE_BETWEEN, SIDE_BREACH } Side;

static Side side_of(const RuleDef *rule, int64_t value) {
        bool is_below = rule->when.kind == CONDITION_BELOW;
        if (value == VALUE_NONE || rule->when.and_kind != CONDITION_NONE ||
            (!is_below && rule->when.kind != CONDITION_ABOVE))
                return SIDE_NONE;
        int64_t beyond = is_below ? value - rule->when.amount : rule->when.amount - value;
        return beyond < 0 ? SIDE_BREACH : beyond < rule->clear ? SIDE_BETWEEN : SIDE_CLEAR;
}

/* A small change that crosses a limit is told as well: past `clear`, or once the period is closed.
 * What another unit's figure or a previous period decides is told by the episode itself. */
static bool is_flipped(const Facts *f, const ToldFigure *row, const IndicatorDef *d) {
        const Config *c = f->app->config;
        if (row->value == row->now_value || d->source < 0)
                return false;
        bool is_closed = period_status(row->period, day_of_instant(f->now_ms),
                                       c->sources[d->source].final_after_days) == PERIOD_CLOSED;
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                if (rule->is_off || rule->indicator < 0 || &c->indicators[rule->indicator] != d ||
                    rule->period != period_type(row->period) ||
                    !unit_selected(&f->app->units, &rule->units, row->unit,
                                   period_end(row->period) - 1))
                        continue;
                Side was = side_of(rule, row->value), is = side_of(rule, row->now_value);
                if (was == SIDE_NONE || is == SIDE_NONE ||
                    (was == SIDE_BREACH) == (is == SIDE_BREACH))
                        continue;
                if (is_closed || (was != SIDE_BETWEEN && is != SIDE_BETWEEN))
                        return true;
        }
        return false;
}

/* What was printed while its period ran was no promise: it is expected to move, and says so. */
static int is_early(const Facts *f, const ToldFigure *row, bool *ret) {
        MessageRow *message = NULL;
        *ret = period_end(row->period) > day_of_instant(f->now_ms);
        if (*ret || !row->message || row->value == row->now_value)
                return 0;
        int r = store_message_head(f->app->store, row->message, &message);
        if (r != 0)
                return MIN(r, 0);
        *ret = message->created_ms < day_start_ms(period_end(row->period));
        message_rows_free(message, 1);
        return 0;
}

static int fill_told_figure(const Facts *f, ToldFigure *row) {
        const Config *c = f->app->config;
        bool is_running = false;
        row->restated_min = 1;
        int r = is_early(f, row, &is_running);
        if (r < 0)
                return r;
        if (is_running)
                row->now_value = row->value;
        for (size_t k = 0; k < c->n_indicators; k++)
                if (c->indicators[k].id == row->indicator) {
                        row->restated_min = c->indicators[k].restated_min;
                        row->is_flipped = is_flipped(f, row, &c->indicators[k]);
                }
        return 0;
}

static int load_told_figures(const Facts *f, int64_t target, ToldFigure **ret, size_t *ret_n) {
        ToldFigure *rows = NULL;
        size_t n = 0;
        int r = store_told_figures(f->app->store, target, &rows, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = fill_told_figure(f, &rows[i]);
        if (r < 0) {
                free(rows);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

/* `tell = escalated` hears of an alert that has stood for `escalate_after` publications and that
 * nobody acknowledged; once told, its end is told as to everybody. */
static bool waits_for_escalation(const Facts *f, const RecipientDef *recipient,
                                 const PlanEpisode *p) {
        if (recipient->tell != TELL_ESCALATED || p->e.unit == 0)
                return false;
        int after = p->rule < 0 ? 0 : f->app->config->rules[p->rule].escalate_after;
        return after == 0 || p->e.length < after || p->is_acked;
}

/* "Đang mở: 7 cảnh báo của 5 đơn vị": those that a person can look up as theirs. */
static bool counts_as_open(const RecipientDef *recipient, const Episode *e) {
        bool is_of_role = e->unit != 0 || recipient->role == ROLE_OPERATOR;
        return is_of_role && e->state == EPISODE_OPEN && !e->is_held;
}

static int count_open(const RecipientDef *recipient, const PlanEpisode *mine, size_t n,
                      OpenAlerts *ret) {
        CLEANUP_FREE UnitId *units = calloc(n + 1, sizeof *units);
        size_t n_of_units = 0;
        if (!units)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (!counts_as_open(recipient, &mine[i].e))
                        continue;
                ret->n++;
                if (mine[i].e.unit)
                        units[n_of_units++] = mine[i].e.unit;
        }
        qsort(units, n_of_units, sizeof *units, compare_units);
        for (size_t i = 0; i < n_of_units; i++)
                ret->n_units += i == 0 || units[i] != units[i - 1];
        return 0;
}

int facts_plan(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
               PlanItem **ret, size_t *ret_n, OpenAlerts *ret_open) {
        PlanEpisode CLEANUP_FREE *mine = NULL;
        Told CLEANUP_FREE *told = NULL;
        ToldFigure CLEANUP_FREE *figures = NULL;
        PlanInput in = {.role = recipient->role,
                        .now_ms = f->now_ms,
                        .muted_units = f->muted_units,
                        .n_muted_units = f->n_muted_units};
        OpenAlerts open = {0};
        int r = facts_concerned(f, recipient, target, &mine, &in.n_episodes);
        for (size_t i = 0; r >= 0 && i < in.n_episodes; i++)
                mine[i].is_waiting = waits_for_escalation(f, recipient, &mine[i]);
        if (r >= 0)
                r = count_open(recipient, mine, in.n_episodes, &open);
        in.episodes = mine;
        memcpy(in.publication, f->publication, sizeof in.publication);
        if (r >= 0)
                r = store_told(f->app->store, target->id, &told, &in.n_told);
        if (r >= 0)
                r = load_told_figures(f, target->id, &figures, &in.n_figures);
        if (r < 0)
                return r;
        in.told = told;
        in.figures = figures;
        if (ret_open)
                *ret_open = open;
        return plan_make(&in, ret, ret_n);
}

int64_t facts_gate(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                   bool has_urgent) {
        const Config *c = f->app->config;
        GateInput in = {.role = recipient->role,
                        .is_immediate = recipient->is_immediate,
                        .has_urgent = has_urgent,
                        .is_observe = !f->is_live,
                        .digest_minute = (unsigned) c->daemon.digest_minute,
                        .calendar = &c->calendar,
                        .last_release_ms = target->last_release_ms,
                        .now_ms = f->now_ms,
                        .is_once = f->app->is_once};
        /* A digest that was held told everybody: what comes later waits for the next one. */
        if (recipient->role == ROLE_OFFICIAL && !recipient->is_immediate)
                in.last_release_ms = MAX(in.last_release_ms, f->digest_ms);
        int64_t gate = plan_gate(&in);
        return recipient->role == ROLE_OFFICIAL && !recipient->is_immediate
                       ? MAX(gate, f->app->digest_wait_ms)
                       : gate;
}
