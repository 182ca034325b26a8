/* Judge: episodes folded from figures against episodes stored.
 *
 * Nothing is carried from one judgement to the next but the stored episodes, and of these only what
 * the figures cannot tell: ids, whether they came late, were held, or may be told. Everything else
 * is folded anew, so a figure that changed anywhere in the past is judged by the same code as one
 * that has just come, and judging again finds no difference.
 *
 * Three things are true only because of when they happened, and are therefore kept once written: an
 * episode that a changed rule or a rule's removal ended (the new text does not see it any more),
 * one of a running period that cleared, and one whose run was found to reach further back when an
 * older period was filled in late (it keeps its identity: whoever was told of it need not be told
 * that it was withdrawn and opened again).
 *
 * A fold that started at the newest period with a stored state as its seed was thought of and
 * dropped: a seed that a restated figure has made wrong is wrong for ever. */
#include <errno.h>

#include "core/engine-private.h"
#include "core/unit.h"

#define GUARD_MIN_COHORT 10u

static void work_done(Work *w) {
        free(w->judgement);
        free(w->is_judged);
        free(w->for_n);
        free(w->end);
        free(w->unit_end);
        free(w->stored);
        free(w->marks);
}

static PeriodId earlier(PeriodId a, PeriodId b) {
        return a == 0 ? b : b == 0 ? a : MIN(a, b);
}

/* ---- where the fold begins ------------------------------------------------------------------- */

PeriodId engine_fold_from(const Episode *stored, size_t n, PeriodId changed, PeriodId newest) {
        PeriodId from = earlier(changed, newest);

        for (size_t i = 0; from != 0 && i < n; i++)
                if (!is_foreign(&stored[i], from) &&
                    (is_live(&stored[i]) || (changed != 0 && stored[i].last >= changed)))
                        from = earlier(from, (PeriodId) stored[i].first);
        return from;
}

/* What was judged once stays judgeable: a clock that went back must not take the newest period
 * away. */
static PeriodId newest_of(const JudgeInput *in) {
        PeriodId newest = in->newest,
                 end = period_add(in->value->first, (int) in->value->n_periods - 1);

        for (size_t i = 0; i < in->n_stored; i++)
                if (!is_foreign(&in->stored[i], end))
                        newest = MAX(newest,
                                     MAX(in->stored[i].last, (PeriodId) in->stored[i].first));
        return MIN(newest, end);
}

static void find_range(Work *w) {
        const JudgeInput *in = w->in;

        w->newest = newest_of(in);
        w->changed = earlier(in->restated, in->first_seen);
        if (in->is_new_rule)
                w->changed = earlier(w->changed, in->versions[in->n_versions - 1].from);
        w->start = earlier(in->fold_from,
                           engine_fold_from(in->stored, in->n_stored, w->changed, w->newest));
        w->start = MAX(w->start, in->value->first);
        if (w->start > w->newest)
                return;
        w->n = (size_t) period_distance(w->start, w->newest) + 1;
        w->skip = (size_t) period_distance(in->value->first, w->start);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static const RuleDef *text_of(const JudgeInput *in, PeriodId period) {
        const RuleDef *rule = NULL;

        for (size_t i = 0; i < in->n_versions && in->versions[i].from <= period; i++)
                rule = in->versions[i].rule;
        return rule;
}

static bool is_over(const RuleDef *rule, PeriodId period) {
        return rule->until != 0 && period > rule->until;
}

/* A text that watched another indicator, or another kind of period, cannot be held against these
 * figures. */
static bool can_judge(const Work *w, const RuleDef *rule, PeriodId period) {
        return rule && rule->indicator == w->rule->indicator && rule->period == w->rule->period &&
               period >= rule->from && !is_over(rule, period);
}

static int judge_period(Work *w, size_t i) {
        const JudgeInput *in = w->in;
        PeriodId period = period_add(w->start, (int) i);
        const RuleDef *rule = text_of(in, period);
        Judgement *row = w->judgement + i * in->value->n_units;

        w->for_n[i] = rule ? MAX(rule->for_n, 1) : 1;
        w->is_judged[i] = can_judge(w, rule, period);
        if (rule && is_over(rule, period))
                w->end[i] = END_RULE_REMOVED;
        else if (delta_era_between(in->eras, in->n_eras, period_previous(period), period,
                                   in->source, in->indicators[w->rule->indicator].name, in->parent))
                w->end[i] = END_ERA;
        if (!w->is_judged[i]) {
                for (size_t u = 0; u < in->value->n_units; u++)
                        row[u] = (Judgement){
                                .value = VALUE_NONE, .limit = VALUE_NONE, .delta = VALUE_NONE};
                return 0;
        }
        RuleContext context = {
                .rule = rule,
                .indicators = in->indicators,
                .value = in->value,
                .volume = rule->volume_indicator == w->rule->volume_indicator ? in->volume : NULL,
                .eras = in->eras,
                .n_eras = in->n_eras,
                .source = in->source,
                .parent = in->parent,
                .valid_from = in->valid_from,
                .is_running =
                        rule->watch == WATCH_RUNNING, /* "no delta", also once the period is over */
        };
        return rule_judge(&context, w->skip + i, row);
}

static int judge_periods(Work *w) {
        size_t n = MAX(w->n, 1u), units = MAX(w->in->value->n_units, 1u), cells;
        int r = 0;

        if (__builtin_mul_overflow(n, units, &cells))
                return -ENOMEM;
        w->judgement = calloc(cells, sizeof(*w->judgement));
        w->is_judged = calloc(n, sizeof(*w->is_judged));
        w->for_n = calloc(n, sizeof(*w->for_n));
        w->end = calloc(n, sizeof(*w->end));
        w->unit_end = calloc(n, sizeof(*w->unit_end));
        if (!w->judgement || !w->is_judged || !w->for_n || !w->end || !w->unit_end)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < w->n; i++)
                r = judge_period(w, i);
        return r;
}

/* ---- stored episodes by unit ----------------------------------------------------------------- */

static int compare_stored(const void *a, const void *b) {
        const StoredKey *x = a, *y = b;

        if (x->unit != y->unit)
                return x->unit < y->unit ? -1 : 1;
        if (x->is_foreign != y->is_foreign)
                return x->is_foreign ? -1 : 1;
        return x->episode->first < y->episode->first ? -1 : x->episode->first > y->episode->first;
}

typedef struct UnitKey {
        UnitId id;
        size_t index;
} UnitKey;

static int compare_units(const void *a, const void *b) {
        const UnitKey *x = a, *y = b;

        return x->id < y->id ? -1 : x->id > y->id;
}

static int index_units(const Panel *panel, UnitKey **ret) {
        UnitKey *keys = calloc(MAX(panel->n_units, 1u), sizeof(*keys));

        if (!keys)
                return -ENOMEM;
        for (size_t u = 0; u < panel->n_units; u++)
                keys[u] = (UnitKey){panel->units[u], u};
        qsort(keys, panel->n_units, sizeof(*keys), compare_units);
        *ret = keys;
        return 0;
}

static int sort_stored(Work *w) {
        const JudgeInput *in = w->in;
        CLEANUP_FREE UnitKey *units = NULL;
        int r;

        w->stored = calloc(MAX(in->n_stored, 1u), sizeof(*w->stored));
        if (!w->stored)
                return -ENOMEM;
        r = index_units(in->value, &units);
        if (r < 0)
                return r;
        for (size_t i = 0; i < in->n_stored; i++) {
                const Episode *e = &in->stored[i];
                UnitKey want = {e->unit, 0};
                const UnitKey *found =
                        bsearch(&want, units, in->value->n_units, sizeof(*units), compare_units);
                if (found)
                        w->stored[w->n_stored++] =
                                (StoredKey){found->index, is_foreign(e, in->value->first), e};
        }
        qsort(w->stored, w->n_stored, sizeof(*w->stored), compare_stored);
        return 0;
}

/* ---- one unit -------------------------------------------------------------------------------- */

typedef struct UnitWork {
        const StoredKey *stored;
        size_t n_stored;
        Episode *folded;
        size_t n_folded;
        PeriodId start; /* what lies before is not looked at */
        bool is_new_allowed;
} UnitWork;

static void unit_work_done(UnitWork *unit) {
        free(unit->folded);
}

static bool is_ended_by(const Work *w, size_t u, PeriodId period) {
        const Day *until = w->in->valid_until;

        return until && until[u] != DAY_OPEN && until[u] < period_end(period);
}

/* Periods from the unit's end on have no verdict, and the first of them ends its run. */
static void apply_unit_end(Work *w, size_t u) {
        memcpy(w->unit_end, w->end, w->n * sizeof(*w->end));
        for (size_t i = w->n; i-- > 0 && is_ended_by(w, u, period_add(w->start, (int) i));) {
                w->unit_end[i] = END_UNIT_ENDED;
                w->judgement[i * w->in->value->n_units + u] =
                        (Judgement){.value = VALUE_NONE, .limit = VALUE_NONE, .delta = VALUE_NONE};
        }
}

/* A stored episode that reaches over the start and has not changed: the fold goes on behind it, but
 * not behind the beginning of a live one (beside one that is kept as it ended). One that is live and
 * begins before the panel does cannot be folded at all: false. */
static bool find_unit_start(const Work *w, UnitWork *unit) {
        PeriodId live = w->newest;

        unit->start = w->start;
        for (size_t i = 0; i < unit->n_stored; i++) {
                const Episode *e = unit->stored[i].episode;
                if (e->first >= w->start) {
                        live = is_live(e) ? earlier(live, (PeriodId) e->first) : live;
                        continue;
                }
                if (is_live(e))
                        return false;
                if (e->state != EPISODE_GONE)
                        unit->start = MAX(unit->start, e->last);
        }
        if (unit->start > w->newest)
                return false;
        unit->start = MIN(unit->start, MAX(live, w->start));
        return true;
}

static int fold_unit(Work *w, size_t u, UnitWork *unit) {
        size_t i = (size_t) period_distance(w->start, unit->start), n_units = w->in->value->n_units;

        apply_unit_end(w, u);
        FoldInput in = {
                .judgement = w->judgement + i * n_units + u,
                .n = w->n - i,
                .stride = n_units,
                .first = unit->start,
                .for_n = w->for_n + i,
                .end = w->unit_end + i,
        };
        return alert_fold_input(&in, &unit->folded, &unit->n_folded);
}

/* The run was stored under a later first period, and an older period was filled in since: same
 * alert, older name. */
static const Episode *stored_further_on(const Work *w, size_t u, const UnitWork *unit, size_t from,
                                        const Episode *run) {
        PeriodId seen = w->in->first_seen;

        if (seen == 0 || (engine_differ_is_restated(w, u) && w->in->restated <= seen))
                return NULL;
        for (size_t i = from; i < unit->n_stored; i++) {
                const Episode *e = unit->stored[i].episode;
                if (e->first > run->last || (e->first == run->last && !is_live(run)))
                        return NULL;
                if (e->first > run->first && seen < e->first && seen >= run->first &&
                    e->state != EPISODE_GONE)
                        return e;
        }
        return NULL;
}

/* What is kept as it ended (see above) is the alert of a run that only begins later than it did. */
static bool is_kept_of(const Work *w, const Episode *e, const Episode *run) {
        bool is_of_rule = e->end == END_RULE_CHANGED || e->end == END_RULE_REMOVED;

        return e->state == EPISODE_CLOSED && (is_of_rule || w->rule->watch == WATCH_RUNNING) &&
               e->last > run->first;
}

/* The stored ones before the run are gone, but for one that it goes on with. */
static int judge_before(Work *w, size_t u, const UnitWork *unit, const Episode *run,
                        const Episode *taken, size_t *s, const Episode **ret_kept) {
        int r = 0;

        for (; r == 0 && *s < unit->n_stored && unit->stored[*s].episode->first < run->first;
             (*s)++) {
                const Episode *e = unit->stored[*s].episode, *gone = e;
                if (e->first < unit->start || e == taken)
                        continue;
                if (is_kept_of(w, e, run)) {
                        gone = *ret_kept;
                        *ret_kept = e;
                }
                if (gone)
                        r = engine_differ_vanished(w, u, gone);
        }
        return r;
}

static int judge_folded(Work *w, size_t u, UnitWork *unit) {
        const Episode *taken = NULL;
        size_t s = 0;
        int r = 0;

        for (size_t f = 0; r == 0 && f < unit->n_folded; f++) {
                const Episode *run = &unit->folded[f], *was = NULL, *kept = NULL;
                r = judge_before(w, u, unit, run, taken, &s, &kept);
                if (r == 0 && s < unit->n_stored && unit->stored[s].episode->first == run->first)
                        was = unit->stored[s++].episode;
                if (r == 0 && was && kept)
                        r = engine_differ_vanished(w, u, kept);
                else if (!was)
                        was = kept;
                if (r == 0 && !was)
                        was = taken = stored_further_on(w, u, unit, s, run);
                if (r == 0 && (was || unit->is_new_allowed))
                        r = engine_differ_run(w, u, was, run);
        }
        for (; r == 0 && s < unit->n_stored; s++)
                if (unit->stored[s].episode->first >= unit->start &&
                    unit->stored[s].episode->first <= w->newest && unit->stored[s].episode != taken)
                        r = engine_differ_vanished(w, u, unit->stored[s].episode);
        return r;
}

/* No longer one of the rule's units. */
static int judge_unwatched(Work *w, size_t u, const UnitWork *unit) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < unit->n_stored; i++) {
                const Episode *e = unit->stored[i].episode;
                if (is_live(e))
                        r = engine_differ_end(w, u, e, END_RULE_CHANGED, MAX(e->last, w->newest));
        }
        return r;
}

/* Takes them off the list: nothing here can be held against them. */
static int judge_foreign(Work *w, size_t u, UnitWork *unit) {
        int r = 0;

        for (; r == 0 && unit->n_stored > 0 && unit->stored->is_foreign;
             unit->stored++, unit->n_stored--)
                if (is_live(unit->stored->episode))
                        r = engine_differ_end(w, u, unit->stored->episode, END_RULE_CHANGED,
                                              unit->stored->episode->last);
        return r;
}

static int judge_unit(Work *w, size_t u, const StoredKey *stored, size_t n_stored) {
        CLEANUP(unit_work_done) UnitWork unit = {.stored = stored, .n_stored = n_stored};
        int r;

        r = judge_foreign(w, u, &unit);
        if (r < 0)
                return r;
        unit.is_new_allowed = !w->in->is_watched || w->in->is_watched[u];
        if (!unit.is_new_allowed && !is_ended_by(w, u, w->newest))
                return judge_unwatched(w, u, &unit);
        if (!find_unit_start(w, &unit))
                return 0;
        r = fold_unit(w, u, &unit);
        return r < 0 ? r : judge_folded(w, u, &unit);
}

static int judge_units(Work *w) {
        int r = 0;

        for (size_t u = 0, s = 0; r == 0 && u < w->in->value->n_units; u++) {
                size_t from = s;
                while (s < w->n_stored && w->stored[s].unit == u)
                        s++;
                r = judge_unit(w, u, w->stored + from, s - from);
        }
        return r;
}

/* ---- mass guard ------------------------------------------------------------------------------ */

static int median_at(const Work *w, PeriodId period, int64_t *ret) {
        const Panel *panel = w->in->value;
        int at = panel_period(panel, period);

        *ret = VALUE_NONE;
        return at < 0 ? 0
                      : rank_median(panel->value + (size_t) at * panel->n_units, panel->n_units, 1,
                                    ret);
}

static int has_jumped(Work *w, bool *ret) {
        int64_t now = VALUE_NONE, before = VALUE_NONE;
        int r;

        *ret = false;
        if (w->in->guard_jump <= 0 || w->end[w->n - 1] == END_ERA)
                return 0;
        r = median_at(w, w->newest, &now);
        if (r == 0)
                r = median_at(w, period_previous(w->newest), &before);
        if (r < 0 || now == VALUE_NONE || before == VALUE_NONE ||
            llabs((long long) (now - before)) <= w->in->guard_jump)
                return r;
        w->result->jump_from = before;
        w->result->jump_to = now;
        *ret = true;
        return 0;
}

static size_t cohort_size(const Work *w) {
        const Judgement *row = w->judgement + (w->n - 1) * w->in->value->n_units;
        size_t n = 0;

        for (size_t u = 0; u < w->in->value->n_units; u++)
                n += row[u].value != VALUE_NONE && (!w->in->is_watched || w->in->is_watched[u]);
        return n;
}

static int trip_guard(Work *w) {
        JudgeResult *result = w->result;
        bool jumped;
        int r;

        result->guard_opening = w->n_opening;
        result->guard_of = cohort_size(w);
        if (result->guard_of < GUARD_MIN_COHORT)
                return 0;
        r = has_jumped(w, &jumped);
        if (r < 0 || w->in->is_guard_released || w->n_opening == 0)
                return r;
        bool is_mass = w->in->guard_percent > 0 &&
                       w->n_opening * 100 > result->guard_of * (size_t) w->in->guard_percent;
        result->is_guard_tripped = is_mass || jumped;
        result->is_guard_by_jump = jumped && !is_mass;
        return 0;
}

/* Sets or lifts the hold, and takes out what turned out to be as stored. */
static void apply_guard(Work *w) {
        JudgeResult *result = w->result;
        size_t n = 0, t = 0;

        for (size_t i = 0; w->marks && i < result->n_episodes; i++) {
                Episode *e = &result->episodes[i];
                bool is_dropped = result->is_guard_tripped && (w->marks[i] & MARK_UNCHANGED);
                if (!result->is_guard_tripped) {
                        /* Accepted by a person, not by a later publication: officials hear then. */
                        if (e->is_held && w->in->is_guard_released)
                                e->tell_from = period_next(w->newest);
                        e->is_held = false;
                } else if (w->marks[i] & MARK_APPEARED)
                        e->is_held = true;
                for (; t < result->n_transitions && result->transitions[t].episode == i; t++)
                        result->transitions[t].episode = n;
                if (!is_dropped)
                        result->episodes[n++] = *e;
        }
        result->n_episodes = n;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int judge_work(Work *w) {
        int r = judge_periods(w);

        if (r == 0)
                r = sort_stored(w);
        if (r == 0)
                r = judge_units(w);
        if (r == 0)
                r = trip_guard(w);
        if (r == 0)
                apply_guard(w);
        return r;
}

int engine_judge(const JudgeInput *in, JudgeResult *ret) {
        CLEANUP(judge_result_done)
        JudgeResult result = {.jump_from = VALUE_NONE, .jump_to = VALUE_NONE};
        CLEANUP(work_done) Work w = {.in = in, .result = &result};
        int r;

        assert(in->n_versions > 0);
        w.rule = in->versions[in->n_versions - 1].rule;
        if (in->newest != 0 && in->value->n_periods > 0) {
                find_range(&w);
                r = w.n > 0 ? judge_work(&w) : 0;
                if (r < 0)
                        return r;
        }
        *ret = result;
        result = (JudgeResult){0};
        return 0;
}

void judge_result_done(JudgeResult *r) {
        free(r->episodes);
        free(r->transitions);
        *r = (JudgeResult){0};
}
