/* Differences: what was folded of one unit against what is stored of it, as episodes to write and
 * transitions to tell of. */
#include <errno.h>

#include "core/engine-private.h"

const Judgement *engine_differ_judgement(const Work *w, size_t u, PeriodId period) {
        bool is_near = w->n > 0 && period_type(period) == period_type(w->start);
        int i = is_near ? period_distance(w->start, period) : -1;

        return i >= 0 && (size_t) i < w->n ? &w->judgement[(size_t) i * w->in->value->n_units + u]
                                           : NULL;
}

/* ---- the result ------------------------------------------------------------------------------ */

static int add_episode(Work *w, const Episode *e, uint8_t marks) {
        JudgeResult *result = w->result;

        if (ARRAY_GROW(result->episodes, result->cap_episodes, result->n_episodes + 1) < 0 ||
            ARRAY_GROW(w->marks, w->cap_marks, result->n_episodes + 1) < 0)
                return -ENOMEM;
        w->marks[result->n_episodes] = marks;
        result->episodes[result->n_episodes++] = *e;
        return 0;
}

/* A transition of the episode added last. */
static int add_transition(Work *w, size_t u, TransitionKind kind, PeriodId period,
                          const char *reason) {
        JudgeResult *result = w->result;
        const Episode *e = &result->episodes[result->n_episodes - 1];
        const Judgement *j = period == e->last && e->state != EPISODE_GONE
                                     ? NULL
                                     : engine_differ_judgement(w, u, period);
        int at = panel_period(w->in->value, period);

        if (ARRAY_GROW(result->transitions, result->cap_transitions, result->n_transitions + 1) < 0)
                return -ENOMEM;
        result->transitions[result->n_transitions++] = (Transition){
                .episode = result->n_episodes - 1,
                .kind = kind,
                .period = period,
                .value = j ? j->value : e->value,
                .previous_value = at > 0 ? panel_at(w->in->value, (size_t) at - 1, u) : VALUE_NONE,
                .limit = j ? j->limit : e->limit,
                .place = j ? j->place : e->place,
                .of = j ? j->of : e->of,
                .reason = reason,
        };
        return 0;
}

/* ---- one unit: differences ------------------------------------------------------------------- */

bool engine_differ_is_restated(const Work *w, size_t u) {
        return w->in->is_restated_unit && w->in->is_restated_unit[u];
}

/* Why what was judged before reads differently now. */
static const char *cause_of(const Work *w, size_t u) {
        if (w->in->is_new_rule)
                return "rule";
        if (engine_differ_is_restated(w, u))
                return "restated";
        if (rule_is_relative(w->rule))
                return "median";
        return w->in->restated == 0 && w->in->first_seen != 0 ? "backfill" : "restated";
}

static bool is_backfilled(const Work *w, const Episode *e) {
        PeriodId seen = w->in->first_seen;

        return seen != 0 && seen < w->newest && e->first >= seen;
}

/* Does it exist only because an ended period, not the newest, was changed? What an older period
 * that came in late brings about is no such change; where one step both fills and changes a period,
 * the unit's own figure decides. */
static bool is_by_restatement(const Work *w, size_t u, const Episode *e) {
        PeriodId restated = w->in->restated, seen = w->in->first_seen;

        if (restated == 0 || restated >= w->newest || e->first < restated)
                return false;
        if (engine_differ_is_restated(w, u))
                return !(seen > restated && e->first >= seen);
        return rule_is_relative(w->rule) && !(seen != 0 && e->first >= seen);
}

static bool is_same_place(const Episode *a, const Episode *b) {
        return a->place == b->place && a->of == b->of;
}

static bool is_same_but_place(const Episode *a, const Episode *b) {
        return a->first == b->first && a->opened == b->opened && a->last == b->last &&
               a->length == b->length && a->state == b->state && a->end == b->end &&
               a->severity == b->severity && a->value == b->value && a->previous == b->previous &&
               a->limit == b->limit && a->delta == b->delta && a->is_late == b->is_late &&
               a->tell_from == b->tell_from;
}

static bool is_same_figure(const Episode *a, const Episode *b) {
        return a->value == b->value && a->limit == b->limit;
}

static TransitionKind kind_of_end(EndReason end) {
        switch (end) {
        case END_UNIT_ENDED:
                return TRANSITION_UNIT_ENDED;
        case END_ERA:
                return TRANSITION_ERA;
        case END_RULE_CHANGED:
                return TRANSITION_RULE_CHANGED;
        case END_RULE_REMOVED:
                return TRANSITION_RULE_REMOVED;
        default:
                return TRANSITION_CLOSED;
        }
}

static int add_held(Work *w, const Episode *stored) {
        if (!stored->is_held)
                return 0;
        w->n_opening += stored->state == EPISODE_OPEN;
        return add_episode(w, stored, MARK_UNCHANGED);
}

/* Not open before, open (or already over) now. */
static int judge_appeared(Work *w, size_t u, Episode *e) {
        const char *reason = NULL;
        bool is_filled = is_backfilled(w, e);
        int r;

        e->is_late = is_by_restatement(w, u, e);
        e->tell_from = w->in->is_new_rule ? period_next(w->newest) : 0;
        if (e->is_late)
                reason = cause_of(w, u);
        else if (is_filled)
                reason = "backfill";
        bool is_silent = is_filled && !e->is_late && e->state == EPISODE_CLOSED;
        w->n_opening += e->state == EPISODE_OPEN;
        r = add_episode(w, e, is_silent ? 0 : MARK_APPEARED);
        if (r == 0 && !is_silent)
                r = add_transition(w, u, TRANSITION_OPENED, e->opened, reason);
        if (r == 0 && e->state == EPISODE_CLOSED)
                r = add_transition(w, u, kind_of_end(e->end), e->last,
                                   reason ? reason : end_reason_name(e->end));
        return r;
}

static int judge_still_open(Work *w, size_t u, const Episode *was, const Episode *e) {
        bool is_longer = e->last > was->last;
        const char *reason = is_longer ? NULL : cause_of(w, u);
        int r = 0;

        if (is_longer)
                r = add_transition(w, u, TRANSITION_CONTINUED, e->last, NULL);
        if (r == 0 && e->severity != was->severity)
                r = add_transition(
                        w, u, e->severity > was->severity ? TRANSITION_WORSE : TRANSITION_EASED,
                        e->last, reason);
        else if (r == 0 && !is_longer)
                r = add_transition(w, u, TRANSITION_AMENDED, e->last,
                                   is_same_but_place(was, e) ? "place" : reason);
        return r;
}

static int judge_ended(Work *w, size_t u, const Episode *was, const Episode *e) {
        bool is_change_of_past = e->end == END_CLEAR && e->last <= was->last;

        return add_transition(w, u, kind_of_end(e->end), e->last,
                              is_change_of_past ? cause_of(w, u) : end_reason_name(e->end));
}

/* Both have been alerts; something differs. */
static int judge_differing(Work *w, size_t u, const Episode *was, const Episode *e) {
        if (e->state == EPISODE_OPEN && was->state == EPISODE_OPEN)
                return judge_still_open(w, u, was, e);
        if (e->state == EPISODE_OPEN)
                return add_transition(w, u, TRANSITION_OPENED, e->last, cause_of(w, u));
        if (was->state == EPISODE_OPEN)
                return judge_ended(w, u, was, e);
        return add_transition(w, u, TRANSITION_AMENDED, e->last,
                              is_same_but_place(was, e) ? "place" : cause_of(w, u));
}

/* The run is shorter than `for`: pending, or over before it opened. It was no alert so far, or is
 * none any more. */
static int judge_unopened(Work *w, size_t u, const Episode *was, const Episode *e) {
        bool was_alert = was && (was->state == EPISODE_OPEN || was->state == EPISODE_CLOSED);
        bool is_withdrawn = was && was->state == EPISODE_GONE && was->opened != 0;
        int r;

        if (is_withdrawn && e->state == EPISODE_GONE && is_same_figure(was, e))
                return 0; /* as for one that no run bears any more: places alone say nothing */
        r = add_episode(w, e, 0);
        if (r < 0)
                return r;
        if (was_alert)
                return add_transition(w, u, TRANSITION_WITHDRAWN, (PeriodId) e->first,
                                      cause_of(w, u));
        if (e->state == EPISODE_PENDING)
                return add_transition(w, u, TRANSITION_PENDING, e->last, NULL);
        if (was && was->state == EPISODE_PENDING)
                return add_transition(w, u, TRANSITION_WITHDRAWN, (PeriodId) e->first, "pending");
        if (is_withdrawn)
                return add_transition(w, u, TRANSITION_AMENDED, e->last, cause_of(w, u));
        return 0; /* bookkeeping: where a run began that was over before anybody heard of it */
}

static Episode merged(const Work *w, size_t u, const Episode *was, const Episode *folded) {
        Episode e = *folded;
        int at = panel_period(w->in->value, e.last);

        e.rule = w->rule->name;
        e.unit = w->in->value->units[u];
        e.previous = at > 0 ? panel_at(w->in->value, (size_t) at - 1, u) : VALUE_NONE;
        if (!was)
                return e;
        e.id = was->id;
        e.is_late = was->is_late;
        e.is_held = was->is_held && e.opened != 0;
        /* What was an alert once is withdrawn, not forgotten, when its run turns out too short. */
        if (e.opened == 0)
                e.opened = was->opened;
        e.tell_from = was->tell_from;
        /* Opened again by a changed text, or its rule was taken away and is back: as with any new text,
         * the next publication tells. */
        if (e.state == EPISODE_OPEN && was->state == EPISODE_CLOSED &&
            (was->end == END_RULE_REMOVED || w->in->is_new_rule))
                e.tell_from = period_next(w->newest);
        e.step = was->step;
        /* A changed text ended it at a period that the text before had found in breach; still so.
         */
        bool is_clear = e.state == EPISODE_CLOSED && e.end == END_CLEAR;
        bool was_so = was->end == END_RULE_CHANGED && was->last == e.last;
        bool is_so_now = w->in->is_new_rule && was->state == EPISODE_OPEN && e.last <= was->last;
        if (is_clear && (was_so || is_so_now))
                e.end = END_RULE_CHANGED;
        return e;
}

int engine_differ_run(Work *w, size_t u, const Episode *was, const Episode *folded) {
        Episode e = merged(w, u, was, folded);
        int r;

        if (was && is_same_but_place(was, &e) && is_same_place(was, &e))
                return add_held(w, was);
        if (e.state == EPISODE_PENDING || e.state == EPISODE_GONE)
                return judge_unopened(w, u, was, &e);
        if (!was || was->opened == 0 || was->state == EPISODE_GONE || was->state == EPISODE_PENDING)
                return judge_appeared(w, u, &e);
        w->n_opening += e.state == EPISODE_OPEN && e.is_held;
        r = add_episode(w, &e, 0);
        return r < 0 ? r : judge_differing(w, u, was, &e);
}

/* ---- one unit: stored episodes that the fold does not know ----------------------------------- */

static void take_value(Episode *e, const Judgement *j) {
        e->value = j->value;
        e->delta = j->delta;
        e->place = j->place;
        e->of = j->of;
}

static void take_figures(Episode *e, const Judgement *j) {
        take_value(e, j);
        e->limit = j->limit;
}

/* NULL also where the text of the period could not be held against these figures. */
static const Judgement *judged_at(const Work *w, size_t u, PeriodId period) {
        const Judgement *j = engine_differ_judgement(w, u, period);

        return j && w->is_judged[period_distance(w->start, period)] ? j : NULL;
}

int engine_differ_end(Work *w, size_t u, const Episode *was, EndReason end, PeriodId last) {
        Episode e = *was;
        const Judgement *j = engine_differ_judgement(w, u, last), *again = judged_at(w, u, last);
        int r;

        e.state = EPISODE_CLOSED;
        e.end = end;
        e.last = last;
        if (j && last > was->last)
                take_figures(&e, j);
        else if (again)
                take_value(&e, again);
        if (was->state == EPISODE_PENDING || was->opened == 0) { /* never an alert */
                e.state = EPISODE_GONE;
                e.end = END_NONE;
        }
        r = add_episode(w, &e, 0);
        if (r < 0)
                return r;
        return e.state == EPISODE_GONE
                       ? add_transition(w, u, TRANSITION_WITHDRAWN, (PeriodId) e.first, "pending")
                       : add_transition(w, u, kind_of_end(end), e.last, end_reason_name(end));
}

static int withdraw_stored(Work *w, size_t u, const Episode *was) {
        const Judgement *j = engine_differ_judgement(w, u, (PeriodId) was->first);
        Episode e = *was;
        int r;

        e.state = EPISODE_GONE;
        e.end = END_NONE;
        e.is_held = false;
        if (j) /* the figure that no longer makes it so: for people, and for whether it trembles */
                take_figures(&e, j);
        bool was_gone = was->state == EPISODE_GONE;
        if (was_gone && (was->opened == 0 || is_same_figure(was, &e)))
                return 0;
        r = add_episode(w, &e, 0);
        if (r < 0)
                return r;
        if (was->state == EPISODE_PENDING)
                return add_transition(w, u, TRANSITION_WITHDRAWN, (PeriodId) e.first, "pending");
        return add_transition(w, u, was_gone ? TRANSITION_AMENDED : TRANSITION_WITHDRAWN,
                              (PeriodId) e.first, cause_of(w, u));
}

/* Ended by its rule, and kept so; only its figure is the one that is known now, since its end may not have
 * been told yet. */
static int keep_ended(Work *w, size_t u, const Episode *was) {
        const Judgement *j = judged_at(w, u, was->last);
        Episode e = *was;

        if (!j || j->value == was->value)
                return add_held(w, was);
        take_value(&e, j);
        int r = add_episode(w, &e, 0);
        return r < 0 ? r : add_transition(w, u, TRANSITION_AMENDED, e.last, cause_of(w, u));
}

/* An early warning is not withdrawn, it clears: the running period's figure is expected to move. What
 * has not cleared is withdrawn all the same: its month is over without a figure, or it stands at its
 * end and only begins elsewhere, because a month before changed. */
static int judge_vanished_running(Work *w, size_t u, const Episode *was) {
        const Judgement *j = engine_differ_judgement(w, u, was->last);
        Episode now = *was;

        if (was->state != EPISODE_OPEN)
                return was->state == EPISODE_CLOSED ? add_held(w, was) : withdraw_stored(w, u, was);
        if (was->first == w->newest && !(j && j->verdict == VERDICT_CLEAR))
                return add_held(w, was); /* between, or unknown for now */
        if (!j || j->verdict == VERDICT_BREACH || j->verdict == VERDICT_UNKNOWN)
                return withdraw_stored(w, u, was);
        take_figures(&now, j);
        return engine_differ_end(w, u, &now, END_CLEAR, was->last);
}

int engine_differ_vanished(Work *w, size_t u, const Episode *was) {
        size_t i = (size_t) period_distance(w->start, (PeriodId) was->first);
        bool is_of_rule = was->end == END_RULE_CHANGED || was->end == END_RULE_REMOVED;
        PeriodId text_from = w->in->versions[w->in->n_versions - 1].from;

        if (was->state == EPISODE_CLOSED && is_of_rule)
                return keep_ended(w, u, was);
        if (!w->is_judged[i]) /* by a text that cannot be held against these figures */
                return is_live(was) ? engine_differ_end(w, u, was, END_RULE_CHANGED,
                                                        MAX(was->last, w->newest))
                                    : add_held(w, was);
        if (w->in->is_new_rule && was->first >= text_from && was->state != EPISODE_GONE)
                return engine_differ_end(w, u, was, END_RULE_CHANGED,
                                         is_live(was) ? MAX(was->last, w->newest) : was->last);
        if (w->rule->watch == WATCH_RUNNING)
                return judge_vanished_running(w, u, was);
        return withdraw_stored(w, u, was);
}
