/* Episodes with their gates, and the plan of one target.
 *
 * Read through the writing connection: inside the evaluation this sees what was judged a moment
 * ago. Episodes that ended more than REACH months ago are left out; what was said of them stays in
 * the ledger, and a figure printed then is still corrected. */
#include "app/facts.h"

#include <errno.h>
#include <stdlib.h>

#include "app/judge.h"
#include "app/message.h"
#include "store/figure.h"

#define REACH_MONTHS 26

void facts_done(Facts *f) {
        free(f->plan);
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

static bool silence_covers(const Facts *f, const SilenceRow *s, const Episode *e) {
        if (s->rule && !streq(s->rule, e->rule))
                return false;
        if (s->unit && s->unit != e->unit)
                return false;
        const Unit *u = unit_get(&f->app->units, e->unit);
        return !s->parent || (u && u->parent == s->parent);
}

/* GONE, but its figure lies between limit and clear and its period is the newest and not closed: says
 * nothing yet. */
static bool is_trembling(const Facts *f, const RuleDef *rule, const Episode *e) {
        const Config *c = f->app->config;
        const SourceDef *source = &c->sources[c->indicators[rule->indicator].source];
        PeriodId first = (PeriodId) e->first;
        if (e->state != EPISODE_GONE || first != f->publication[rule->period])
                return false;
        if (period_status(first, day_of_instant(f->now_ms), source->final_after_days) ==
            PERIOD_CLOSED)
                return false;
        return rule_is_between(rule, e->value, e->limit);
}

static void fill_plan_episode(const Facts *f, PlanEpisode *p) {
        const Config *c = f->app->config;
        int i = config_rule(c, p->e.rule);
        if (p->e.unit == 0 || i < 0 || c->rules[i].indicator < 0)
                return;
        const RuleDef *rule = &c->rules[i];
        const IndicatorDef *d = &c->indicators[rule->indicator];
        p->indicator = d->id;
        p->repeat = rule->repeat;
        p->repeat_days = rule->repeat_days;
        p->amend_min = d->restated_min;
        p->is_unknown = p->e.state == EPISODE_OPEN && p->e.last < f->publication[rule->period];
        p->is_trembling = d->source >= 0 && is_trembling(f, rule, &p->e);
}

static int load_silences(Facts *f) {
        SilenceRow *rows = NULL;
        size_t n = 0;
        int r = store_silences(f->app->store, f->now_ms, &rows, &n);
        if (r < 0)
                return r;
        f->muted_units = calloc(n + 1, sizeof *f->muted_units);
        if (!f->muted_units)
                r = -ENOMEM;
        for (size_t s = 0; r >= 0 && s < n; s++) {
                if (!rows[s].rule && rows[s].unit)
                        f->muted_units[f->n_muted_units++] = rows[s].unit;
                for (size_t i = 0; i < f->n_episodes; i++)
                        if (silence_covers(f, &rows[s], &f->plan[i].e))
                                f->plan[i].is_muted = true;
        }
        if (r >= 0)
                qsort(f->muted_units, f->n_muted_units, sizeof *f->muted_units, compare_units);
        silence_rows_free(rows, n);
        return r;
}

static int load_acks(Facts *f) {
        AckRow *acks = NULL;
        size_t n = 0;
        int r = store_acks(f->app->store, f->now_ms, &acks, &n);
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
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                PeriodId newest = 0;
                if (rule->is_off || rule->indicator < 0 ||
                    c->indicators[rule->indicator].source < 0)
                        continue;
                int r = judge_newest(f->app, rule, f->now_ms, &newest);
                if (r < 0)
                        return r;
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
        for (size_t i = 0; i < f->n_episodes; i++) {
                f->plan[i].e = f->episodes[i];
                fill_plan_episode(f, &f->plan[i]);
        }
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

bool facts_concerns(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                    const PlanEpisode *e) {
        bool is_operator = recipient->role == ROLE_OPERATOR;
        if (e->e.unit == 0)
                return is_operator || (e->e.subject && strncmp(e->e.subject, "hold:", 5) == 0 &&
                                       concerns_hold(f, recipient, e->e.subject));
        int i = config_rule(f->app->config, e->e.rule);
        if (i >= 0 &&
            (f->app->config->rules[i].is_letter_only ||
             f->app->config->rules[i].is_operator != is_operator) &&
            !(is_operator && recipient->units.is_set))
                return false;
        if (target->unit)
                return target->unit == e->e.unit;
        if (is_operator && !recipient->units.is_set)
                return false;
        return !recipient->units.is_set || unit_selected(&f->app->units, &recipient->units,
                                                         e->e.unit, day_of_instant(f->now_ms));
}

static int load_told_figures(const Facts *f, int64_t target, ToldFigure **ret, size_t *ret_n) {
        const Config *c = f->app->config;
        ToldFigure *rows = NULL;
        size_t n = 0;
        int r = store_told_figures(f->app->store, target, &rows, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                FigureRow row;
                r = store_figure_get(f->app->store, rows[i].period, rows[i].indicator, rows[i].unit,
                                     0, &row, NULL);
                rows[i].now_value = r == 0 ? row.value : VALUE_NONE;
                rows[i].restated_min = 1;
                for (size_t k = 0; k < c->n_indicators; k++)
                        if (c->indicators[k].id == rows[i].indicator)
                                rows[i].restated_min = c->indicators[k].restated_min;
        }
        if (r < 0) {
                free(rows);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int facts_plan(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
               PlanItem **ret, size_t *ret_n, size_t *ret_n_open) {
        PlanEpisode CLEANUP_FREE *mine = calloc(f->n_episodes + 1, sizeof *mine);
        Told CLEANUP_FREE *told = NULL;
        ToldFigure CLEANUP_FREE *figures = NULL;
        PlanInput in = {.role = recipient->role,
                        .now_ms = f->now_ms,
                        .muted_units = f->muted_units,
                        .n_muted_units = f->n_muted_units,
                        .episodes = mine};
        size_t n_open = 0;
        if (!mine)
                return -ENOMEM;
        for (size_t i = 0; i < f->n_episodes; i++) {
                if (!facts_concerns(f, recipient, target, &f->plan[i]))
                        continue;
                mine[in.n_episodes++] = f->plan[i];
                n_open += f->plan[i].e.state == EPISODE_OPEN;
        }
        memcpy(in.publication, f->publication, sizeof in.publication);
        int r = store_told(f->app->store, target->id, &told, &in.n_told);
        if (r >= 0)
                r = load_told_figures(f, target->id, &figures, &in.n_figures);
        if (r < 0)
                return r;
        in.told = told;
        in.figures = figures;
        if (ret_n_open)
                *ret_n_open = n_open;
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
        return plan_gate(&in);
}
