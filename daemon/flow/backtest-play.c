/* The thread: stored figures into a rehearsal, one step after the other.
 *
 * The key of all that happens is (instant, step): a snapshot's sight and its figures are of one step,
 * also when several steps share an instant. A sight without new figures has no step of its own and
 * comes after those of its instant. */
#include "flow/backtest-play.h"

#include <errno.h>

#include "flow/judge.h"
#include "flow/rehearse-world.h"
#include "flow/teller.h"
#include "os/clock.h"
#include "store/figure.h"
#include "store/history.h"
#include "store/registry.h"

#define FIGURES_MAX ((size_t) 1000000)
#define SIGHTS_MAX ((size_t) 200000)
#define ANSWER_MAX ((size_t) 50000) /* transitions, and items of messages */
#define TIME_MAX_MS (120 * MS_PER_SECOND)

typedef struct Play {
        BacktestJob *job;
        Rehearsal h;
        RehearseWatch watch;
        int64_t began_boot_ms;
        const SourceDef *source;
        size_t source_index;
        UnitRegistry units; /* of the daemon */
        KnownUnit *known_units;
        size_t n_known_units, next_unit;
        UnitId *there, *back; /* the daemon's id to that of the play, and the reverse; 0 */
        size_t n_there;
        KnownChange *figures;
        size_t n_figures, next_figure;
        KnownSight *sights;
        size_t n_sights, next_sight;
        FigureChange *changes; /* room for those of one step */
        bool is_full;
} Play;

static void play_done(Play *p) {
        rehearse_done(&p->h);
        unit_registry_done(&p->units);
        known_sights_free(p->sights, p->n_sights);
        free(p->known_units);
        free(p->there);
        free(p->back);
        free(p->figures);
        free(p->changes);
}

/* ---- what happened --------------------------------------------------------------------------- */

static int keep_text(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

/* The rule's own alerts, and what the mass guard says of it. */
static bool is_ours(const Play *p, const Episode *e) {
        size_t n = strlen(p->job->rule);
        return streq(e->rule, p->job->rule) ||
               (e->subject && strncmp(e->subject, "hold:", 5) == 0 &&
                strncmp(e->subject + 5, p->job->rule, n) == 0 && e->subject[5 + n] == '/');
}

static UnitId unit_back(const Play *p, UnitId unit) {
        return unit < p->n_there ? p->back[unit] : 0;
}

static bool is_full(Play *p) {
        const Backtest *b = &p->job->found;
        p->is_full |= b->n_transitions + b->n_items >= ANSWER_MAX;
        return p->is_full;
}

static int on_transition(Rehearsal *h, const Episode *e, const TransitionRow *t) {
        Play *p = h->watch->userdata;
        Backtest *b = &p->job->found;
        if (!is_ours(p, e) || is_full(p))
                return 0;
        int r = ARRAY_GROW(b->transitions, b->cap_transitions, b->n_transitions + 1);
        if (r < 0)
                return r;
        BacktestTransition *one = &b->transitions[b->n_transitions++];
        *one = (BacktestTransition){.at_ms = h->now_ms,
                                    .kind = e->unit == 0 && e->is_late ? "notice"
                                                                       : transition_name(t->kind),
                                    .unit = unit_back(p, e->unit),
                                    .period = t->period,
                                    .value = t->value,
                                    .limit = t->limit,
                                    .is_held = e->is_held};
        r = keep_text(e->unit ? NULL : e->subject, &one->subject);
        return r < 0 ? r : keep_text(t->reason, &one->reason);
}

/* A message that says nothing of the rule is forgotten when the next one begins. */
static void drop_empty(Backtest *b) {
        if (b->n_messages == 0 || b->messages[b->n_messages - 1].n > 0)
                return;
        b->n_messages--;
        free(b->messages[b->n_messages].target);
        free(b->messages[b->n_messages].subject);
}

static int on_message(Rehearsal *h, const char *target, const char *subject) {
        Play *p = h->watch->userdata;
        Backtest *b = &p->job->found;
        drop_empty(b);
        int r = ARRAY_GROW(b->messages, b->cap_messages, b->n_messages + 1);
        if (r < 0)
                return r;
        BacktestMessage *one = &b->messages[b->n_messages++];
        *one = (BacktestMessage){.at_ms = h->now_ms, .first = b->n_items};
        r = keep_text(target, &one->target);
        return r < 0 ? r : keep_text(subject, &one->subject);
}

static int on_item(Rehearsal *h, const PlanItem *item, const Episode *e) {
        Play *p = h->watch->userdata;
        Backtest *b = &p->job->found;
        if (b->n_messages == 0 || (e && !is_ours(p, e)) || is_full(p))
                return 0;
        int r = ARRAY_GROW(b->items, b->cap_items, b->n_items + 1);
        if (r < 0)
                return r;
        BacktestItem *one = &b->items[b->n_items++];
        *one = (BacktestItem){.say = say_name(item->say),
                              .unit = unit_back(p, item->unit),
                              .period = item->unit ? item->period : 0,
                              .value = item->value};
        b->messages[b->n_messages - 1].n++;
        return keep_text(e && !item->unit ? e->subject : NULL, &one->subject);
}

static bool is_over(Rehearsal *h) {
        Play *p = h->watch->userdata;
        return is_full(p) || clock_boot_ms() - p->began_boot_ms > TIME_MAX_MS;
}

/* ---- units, as they were registered ---------------------------------------------------------- */

static UnitId there(const Play *p, UnitId unit) {
        return unit < p->n_there ? p->there[unit] : 0;
}

static int put_names(Play *p, StepId step, const Unit *u, UnitId id) {
        Store *s = p->h.app.store;
        Buf CLEANUP(buf_done) mails = BUF_INIT(65536);
        int r = 0;
        for (size_t i = 0; r >= 0 && i < u->n_names; i++)
                r = store_unit_name_add(s, step, id, u->names[i].name, u->names[i].from,
                                        u->names[i].until, u->names[i].is_alias);
        for (size_t i = 0; r >= 0 && i < u->n_codes; i++)
                r = store_unit_code_add(s, step, id, u->codes[i].namespace_, u->codes[i].code,
                                        u->codes[i].from, u->codes[i].until);
        for (size_t i = 0; r >= 0 && i < u->n_emails; i++)
                r = buf_printf(&mails, "%s%s", i ? " " : "", u->emails[i]);
        if (r >= 0 && (u->n_emails || u->webhook))
                r = store_unit_contact_put(s, id, u->n_emails ? buf_text(&mails) : NULL,
                                           u->webhook);
        return r;
}

static int put_unit(Play *p, StepId step, const Unit *u) {
        UnitId id = 0;
        int r = store_unit_add(p->h.app.store, step, u->key, u->kind, there(p, u->parent), u->from,
                               u->until, &id);
        if (r < 0)
                return r;
        if (id >= p->n_there || u->id >= p->n_there)
                return -EINVAL;
        p->there[u->id] = id;
        p->back[id] = u->id;
        return put_names(p, step, u, id);
}

/* A parent may have been found after its children. Ids of the play are dense. */
static int adopt(Play *p, size_t from) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < p->next_unit; i++) {
                const Unit *u = unit_get(&p->units, p->known_units[i].unit);
                UnitId parent = u ? there(p, u->parent) : 0;
                if (parent && (i >= from || parent > from))
                        r = store_unit_adopt(p->h.app.store, there(p, u->id), u->kind, parent);
        }
        return r;
}

static int put_units(Play *p, StepId until, StepId step) {
        App *app = &p->h.app;
        size_t from = p->next_unit;
        int r = 0;
        for (; r >= 0 && p->next_unit < p->n_known_units &&
               p->known_units[p->next_unit].step <= until;
             p->next_unit++) {
                const Unit *u = unit_get(&p->units, p->known_units[p->next_unit].unit);
                if (u)
                        r = put_unit(p, step, u);
        }
        if (r < 0 || p->next_unit == from)
                return r;
        r = adopt(p, from);
        unit_registry_done(&app->units);
        app->units = (UnitRegistry){0};
        if (r >= 0)
                r = store_units_load(app->store, &app->units);
        return r < 0 ? r : teller_sync_targets(app, step);
}

/* ---- one step -------------------------------------------------------------------------------- */

typedef struct Key {
        int64_t at_ms;
        StepId step; /* INT64_MAX: none of its own */
} Key;

static bool is_before(Key a, Key b) {
        return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.step < b.step;
}

static Key figure_key(const Play *p) {
        const KnownChange *f = p->next_figure < p->n_figures ? &p->figures[p->next_figure] : NULL;
        return f ? (Key){f->at_ms, f->step} : (Key){INT64_MAX, INT64_MAX};
}

static Key sight_key(const Play *p) {
        const KnownSight *s = p->next_sight < p->n_sights ? &p->sights[p->next_sight] : NULL;
        return s ? (Key){s->at_ms, s->step ? s->step : INT64_MAX} : (Key){INT64_MAX, INT64_MAX};
}

static int put_sight(Play *p, StepId step, const KnownSight *sight) {
        Store *s = p->h.app.store;
        AttemptRow attempt = {.source = p->source->name,
                              .scope = sight->scope,
                              .period = sight->period,
                              .at_ms = p->h.now_ms,
                              .http_status = 200,
                              .outcome = sight->step ? OUTCOME_NEW : OUTCOME_UNCHANGED};
        SnapshotRow row = {.source = p->source->name,
                           .scope = sight->scope,
                           .period = sight->period,
                           .step = step,
                           .at_ms = p->h.now_ms,
                           .state = SNAPSHOT_ACCEPTED};
        int r = sight->step ? store_snapshot_add(s, &row, &attempt.snapshot) : 0;
        return r < 0 ? r : store_attempt_add(s, &attempt, NULL);
}

static int judge_period(Play *p, StepId step, PeriodId period, size_t n) {
        return judge_run(&p->h.app, &(JudgeScope){.step = step,
                                                  .now_ms = p->h.now_ms,
                                                  .source = (int) p->source_index,
                                                  .period = period,
                                                  .changes = p->changes,
                                                  .n_changes = n});
}

static IndicatorId indicator_there(const Play *p, IndicatorId id) {
        const Config *c = p->h.app.config;
        const RuleDef *rule = &c->rules[config_rule(c, p->job->rule)];
        return c->indicators[id == p->job->own ? rule->indicator : rule->volume_indicator].id;
}

/* The figures of one period that the step made known; what stood before is what the play knows. */
static int put_figures(Play *p, StepId step) {
        const KnownChange *first = &p->figures[p->next_figure];
        size_t n = 0;
        int r = 0;
        for (; r >= 0 && p->next_figure < p->n_figures; p->next_figure++) {
                const KnownChange *f = &p->figures[p->next_figure];
                if (f->step != first->step || f->period != first->period)
                        break;
                FigureChange *c = &p->changes[n];
                *c = (FigureChange){.now = f->now};
                c->now.unit = there(p, f->now.unit);
                c->now.indicator = indicator_there(p, f->now.indicator);
                if (!c->now.unit)
                        continue;
                FigureRow old;
                r = store_figure_get(p->h.app.store, f->period, c->now.indicator, c->now.unit, 0,
                                     &old, NULL);
                c->had_old = r == 0;
                c->old_value = c->had_old ? old.value : VALUE_NONE;
                if (r >= 0)
                        r = store_figure_put(p->h.app.store, step, f->period, c);
                n++;
        }
        return r < 0 ? r : judge_period(p, step, first->period, n);
}

static int play_inside(Play *p, Key key, StepId step) {
        PeriodId period = 0;
        bool is_judged = false;
        int r = put_units(p, key.step == INT64_MAX ? 0 : key.step, step);
        for (; r >= 0 && p->next_sight < p->n_sights && !is_before(key, sight_key(p));
             p->next_sight++) {
                period = p->sights[p->next_sight].period;
                r = put_sight(p, step, &p->sights[p->next_sight]);
        }
        while (r >= 0 && p->next_figure < p->n_figures &&
               p->figures[p->next_figure].step == key.step) {
                r = put_figures(p, step);
                is_judged = true;
        }
        p->job->found.n_steps += is_judged;
        if (r >= 0 && !is_judged)
                r = judge_period(p, step, period, 0);
        return r < 0 ? r : teller_run(&p->h.app, p->h.now_ms, /* is_inside= */ true, NULL);
}

static int play_step(Play *p, Key key) {
        Store *s = p->h.app.store;
        StepId step = 0;
        int r = store_begin(s);
        if (r >= 0)
                r = store_step(s, CAUSE_SNAPSHOT, p->h.now_ms, &step);
        if (r >= 0)
                r = play_inside(p, key, step);
        if (r >= 0)
                r = store_commit(s);
        if (r < 0)
                store_rollback(s);
        return r < 0 ? r : rehearse_follow(&p->h);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int load(Play *p) {
        BacktestJob *job = p->job;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Store CLEANUP(store_closep) *s = NULL;
        size_t max = 0;
        int r = store_open_reader(job->database, &diag, &s);
        if (r != 0)
                return r < 0 ? r : -EIO;
        r = store_history_begin(s, &job->found.from_ms);
        if (r == 0)
                r = store_units_load(s, &p->units);
        if (r == 0)
                r = store_history_units(s, &p->known_units, &p->n_known_units);
        if (r == 0)
                r = store_history_figures(s, job->own, job->volume, FIGURES_MAX, &p->figures,
                                          &p->n_figures);
        if (r == 0)
                r = store_history_sights(s, p->source->name, SIGHTS_MAX, &p->sights, &p->n_sights);
        if (r < 0)
                return r;
        if (r == STORE_E_NONE || p->n_figures == 0)
                return BACKTEST_E_EMPTY;
        for (size_t i = 0; i < p->n_known_units; i++)
                max = MAX(max, (size_t) p->known_units[i].unit);
        p->n_there = max + 1;
        p->there = calloc(p->n_there, sizeof *p->there);
        p->back = calloc(p->n_there, sizeof *p->back);
        p->changes = calloc(p->n_figures, sizeof *p->changes);
        return p->there && p->back && p->changes ? 0 : -ENOMEM;
}

/* With the clock at its end: only deadlines come after the last figure. */
static int play_all(Play *p) {
        Key end = {INT64_MAX, INT64_MAX};
        int r = 0;
        while (r >= 0) {
                Key key = is_before(sight_key(p), figure_key(p)) ? sight_key(p) : figure_key(p);
                if (!is_before(key, end))
                        break;
                r = is_over(&p->h) ? -ECANCELED : 0;
                if (r >= 0)
                        r = rehearse_go_to(&p->h, MAX(key.at_ms, p->h.now_ms));
                if (r >= 0)
                        r = play_step(p, key);
        }
        return r < 0 ? r : rehearse_go_to(&p->h, MAX(p->job->now_ms, p->h.now_ms));
}

static void note_stop(Play *p, int r) {
        Backtest *b = &p->job->found;
        drop_empty(b);
        b->until_ms = p->h.now_ms;
        b->stop = p->is_full                                                 ? BACKTEST_ANSWER
                  : r == -ECANCELED || r == -E2BIG                           ? BACKTEST_TIME
                  : p->n_figures >= FIGURES_MAX || p->n_sights >= SIGHTS_MAX ? BACKTEST_FIGURES
                                                                             : BACKTEST_WHOLE;
}

int backtest_play(void *userdata) {
        BacktestJob *job = userdata;
        int rule = config_rule(job->config, job->rule);
        int indicator = job->config->rules[rule].indicator;
        Play CLEANUP(play_done) p = {.job = job, .began_boot_ms = clock_boot_ms()};
        p.source_index = (size_t) job->config->indicators[indicator].source;
        p.source = &job->config->sources[p.source_index];
        p.watch = (RehearseWatch){.transition = on_transition,
                                  .message = on_message,
                                  .item = on_item,
                                  .is_over = is_over,
                                  .userdata = &p};
        Buf CLEANUP(buf_done) out = BUF_INIT(65536);
        p.h.path = "backtest";
        p.h.out = &out;
        p.h.watch = &p.watch;
        int r = load(&p);
        if (r != 0)
                return r;
        r = rehearse_prepare(&p.h);
        if (r < 0)
                return r;
        p.h.given = TAKE_PTR(job->config);
        p.h.now_ms = job->found.from_ms;
        r = rehearse_open(&p.h);
        if (r >= 0)
                r = play_all(&p);
        note_stop(&p, r);
        return r == -ECANCELED || r == -E2BIG ? 0 : MIN(r, 0);
}
