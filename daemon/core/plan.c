/* Tell: what is, minus what was told.
 *
 * The difference is taken against two ledgers that are written only when a message has arrived (or
 * is dead and may have). Nothing else is remembered, so nothing can be lost: an item that the plan
 * returned and nobody delivered is still different. tests/model/ledger.py is the same in Python
 * with its proof by simulation, and a test runs both.
 *
 * What a gate may delay (a silence, a hold, tell_from, an acknowledgement) differs by kind, which
 * is the heart of the pairing: an opening can wait for ever, since who was not told of it is told
 * nothing later either; a closing, a withdrawal and a correction wait only for the end of a
 * silence.
 *
 * Tried and dropped: marking rows as "to be corrected" when a figure changes. The mark must then be
 * taken back when the figure changes back before the message leaves, and two restatements in one
 * night told the first one. */
#include "core/plan.h"

#include <errno.h>

const char *say_name(Say say) {
        static const char *const names[] = {
                [SAY_NONE] = "none",
                [SAY_OPENING] = "opening",
                [SAY_CONTINUED] = "continued",
                [SAY_CLOSING] = "closing",
                [SAY_WITHDRAWN] = "withdrawn",
                [SAY_LATE] = "late",
                [SAY_FIX] = "fix",
                [SAY_ASSUMED] = "assumed",
                [SAY_WORSE] = "worse",
                [SAY_LETTER] = "letter",
        };

        return (size_t) say < ELEMENTSOF(names) ? names[say] : "?";
}

/* Telling order. */
static unsigned order_of(Say say) {
        switch (say) {
        case SAY_WITHDRAWN:
                return 0;
        case SAY_FIX:
                return 1;
        case SAY_LATE:
                return 2;
        case SAY_OPENING:
                return 3;
        case SAY_WORSE:
                return 4;
        case SAY_CONTINUED:
                return 5;
        default:
                return 6;
        }
}

/* ---- the ledgers ----------------------------------------------------------------------------- */

static const Told *find_told(const PlanInput *in, int64_t episode) {
        size_t low = 0, high = in->n_told;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (in->told[middle].episode == episode)
                        return &in->told[middle];
                if (in->told[middle].episode < episode)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static int compare_figure(const ToldFigure *f, IndicatorId indicator, PeriodId period,
                          UnitId unit) {
        if (f->indicator != indicator)
                return f->indicator < indicator ? -1 : 1;
        if (f->period != period)
                return f->period < period ? -1 : 1;
        return f->unit < unit ? -1 : f->unit > unit;
}

/* Index, or n_figures. */
static size_t find_figure(const PlanInput *in, IndicatorId indicator, PeriodId period,
                          UnitId unit) {
        size_t low = 0, high = in->n_figures;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = compare_figure(&in->figures[middle], indicator, period, unit);
                if (order == 0)
                        return middle;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return in->n_figures;
}

static bool is_unit_muted(const PlanInput *in, UnitId unit) {
        size_t low = 0, high = in->n_muted_units;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (in->muted_units[middle] == unit)
                        return true;
                if (in->muted_units[middle] < unit)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* Who was told this knows of an alert that stands. */
static bool stands(const Told *told) {
        return told && (told->said == SAY_OPENING || told->said == SAY_CONTINUED ||
                        told->said == SAY_WORSE);
}

static bool is_figure_printed_by(const PlanItem *item) {
        return item->indicator != 0 && item->say != SAY_WITHDRAWN &&
               (item->value != VALUE_NONE || item->say == SAY_FIX);
}

static bool differs_by(int64_t a, int64_t b, int64_t min) {
        if (a == b)
                return false;
        if (a == VALUE_NONE || b == VALUE_NONE)
                return true;
        return (a > b ? a - b : b - a) >= MAX(min, 1);
}

static bool needs_fix(const PlanInput *in, const ToldFigure *f) {
        if (f->now_value == f->value || is_unit_muted(in, f->unit))
                return false;
        return f->is_flipped || differs_by(f->now_value, f->value, f->restated_min);
}

/* ---- episodes -------------------------------------------------------------------------------- */

static bool opening_waits(const PlanInput *in, const PlanEpisode *p) {
        const Episode *e = &p->e;

        if (e->is_held || p->is_waiting)
                return true;
        if (in->role != ROLE_OFFICIAL || e->tell_from == 0)
                return false;
        return e->tell_from > (p->newest ? p->newest : in->publication[period_type(e->tell_from)]);
}

/* Counted in local days: a digest that leaves some seconds earlier than a week ago would otherwise
 * make eight days of seven. */
static int days_since(const PlanInput *in, const Told *told) {
        return day_of_instant(in->now_ms) - day_of_instant(told->said_ms);
}

static Say say_opening(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        const Episode *e = &p->e;

        if (told) {
                if (told->gave_up != 0 && (told->gave_up == e->last || told->last == e->last))
                        return SAY_NONE; /* a dead letter: again only when the episode moves on */
                if (told->said == SAY_ASSUMED && told->last == e->last)
                        return SAY_NONE; /* known at go-live: at the next publication */
                if (told->said == SAY_CLOSING && p->is_unknown)
                        return SAY_NONE; /* the figure that ended it is missing: opens nothing */
        }
        return opening_waits(in, p) ? SAY_NONE : SAY_OPENING;
}

/* The figure of the period that was told, as the target read it last: a correction that came after
 * the words about the episode printed it anew without touching their row. One that said that there is
 * no figure any more leaves the alert as it was told: the figure that comes back is a correction. */
static int64_t value_read(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        size_t i = find_figure(in, p->indicator, told->last, p->e.unit);

        return i < in->n_figures && in->figures[i].value != VALUE_NONE ? in->figures[i].value
                                                                       : told->value;
}

/* The figure that was told moved, but by less than is told: a severity that flips with it about the
 * critical limit says nothing either. */
static bool is_small_revision(const PlanEpisode *p, const Told *told, int64_t read) {
        return p->e.last == told->last && p->e.value != read &&
               !differs_by(p->e.value, read, p->amend_min);
}

static bool is_repeat_due(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        if (p->repeat == REPEAT_NEVER)
                return false;
        if (p->repeat == REPEAT_DAYS)
                return days_since(in, told) >= p->repeat_days;
        int64_t read = value_read(in, p, told);
        bool is_eased = p->e.severity < told->severity && !is_small_revision(p, told, read);
        return p->e.last != told->last || is_eased || differs_by(p->e.value, read, p->amend_min);
}

static Say say_standing(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        bool is_worse = p->e.severity > told->severity && told->severity != SEVERITY_NONE;
        if (is_worse && !is_small_revision(p, told, value_read(in, p, told)))
                return SAY_WORSE; /* re-arms what was acknowledged */
        /* Its figure of the very month is another by now: repeated by nobody. */
        bool is_stale = p->is_unknown && p->e.last == p->newest;
        if (p->is_acked || is_stale || (p->is_unknown && in->role == ROLE_OFFICIAL))
                return SAY_NONE;
        return is_repeat_due(in, p, told) ? SAY_CONTINUED : SAY_NONE;
}

static Say say_ended(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        if (stands(told))
                return SAY_CLOSING;
        if (p->e.is_late && (!told || told->said == SAY_NONE || told->said == SAY_WITHDRAWN))
                return opening_waits(in, p) ? SAY_NONE : SAY_LATE;
        return SAY_NONE; /* an opening that ended before its release is never mentioned */
}

static Say say_gone(const PlanEpisode *p, const Told *told) {
        bool was_told =
                stands(told) || (told && (told->said == SAY_CLOSING || told->said == SAY_LATE));

        return was_told && !p->is_trembling ? SAY_WITHDRAWN : SAY_NONE;
}

static Say say_of(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        if (p->is_muted)
                return SAY_NONE;
        if (told && told->said_ms != 0 && told->said != SAY_ASSUMED && days_since(in, told) >= 0 &&
            days_since(in, told) < p->quiet_days)
                return SAY_NONE;
        switch (p->e.state) {
        case EPISODE_OPEN:
                return stands(told) ? say_standing(in, p, told) : say_opening(in, p, told);
        case EPISODE_CLOSED:
                return say_ended(in, p, told);
        default: /* gone, or shrunk below `for` */
                return say_gone(p, told);
        }
}

/* "Then" of a closing: the told figure as it was corrected since, or is by this very message. */
static int64_t then_of(const PlanInput *in, const PlanEpisode *p, const Told *told) {
        size_t i = find_figure(in, p->indicator, told->last, p->e.unit);
        if (i == in->n_figures)
                return told->value;
        return needs_fix(in, &in->figures[i]) ? in->figures[i].now_value : in->figures[i].value;
}

/* A withdrawal names the period that was told. Where the end was told too, its figure is not the
 * one that the alert was about: the newest that was printed of the run before is. */
static void fill_withdrawn(const PlanInput *in, const PlanEpisode *p, const Told *told,
                           PlanItem *item) {
        item->value = VALUE_NONE;
        item->old_value = told->value;
        item->corrects = told->message;
        if (p->indicator == 0 || !period_is_valid(told->last))
                return;
        item->period = told->last;
        PeriodId last = told->last;
        if (told->said == SAY_CLOSING)
                last = period_previous(last);
        for (; last >= p->e.first && period_is_valid(last); last = period_previous(last)) {
                size_t i = find_figure(in, p->indicator, last, p->e.unit);
                if (i == in->n_figures)
                        continue;
                item->period = last;
                item->old_value = in->figures[i].value;
                return;
        }
}

static PlanItem item_of(const PlanInput *in, const PlanEpisode *p, const Told *told, Say say) {
        bool is_closing = say == SAY_CLOSING;
        PlanItem item = {
                .say = say,
                .episode = p->e.id,
                .indicator = p->indicator,
                .period = p->e.last,
                .unit = p->e.unit,
                .value = p->e.value,
                .old_value = is_closing ? then_of(in, p, told) : VALUE_NONE,
                .severity = p->e.severity,
        };
        if (say == SAY_WITHDRAWN)
                fill_withdrawn(in, p, told, &item);
        if (say == SAY_LATE && p->breach != 0) {
                item.period = p->breach;
                item.value = p->breach_value;
        }
        if (!is_figure_printed_by(&item))
                return item;
        size_t i = find_figure(in, item.indicator, item.period, item.unit);
        if (i < in->n_figures && in->figures[i].value != item.value) {
                item.old_value = in->figures[i].value;
                item.corrects = in->figures[i].message;
        }
        return item;
}

/* ---- the plan -------------------------------------------------------------------------------- */

typedef struct Plan {
        const PlanInput *in;
        PlanItem *items;
        size_t n, cap;
        bool *is_printed; /* per told figure: an item of this plan prints it anew */
} Plan;

static int add_item(Plan *plan, const PlanItem *item) {
        if (ARRAY_GROW(plan->items, plan->cap, plan->n + 1) < 0)
                return -ENOMEM;
        plan->items[plan->n++] = *item;
        if (is_figure_printed_by(item)) {
                size_t i = find_figure(plan->in, item->indicator, item->period, item->unit);
                if (i < plan->in->n_figures)
                        plan->is_printed[i] = true;
        }
        return 0;
}

static int add_episodes(Plan *plan) {
        const PlanInput *in = plan->in;

        for (size_t i = 0; i < in->n_episodes; i++) {
                const PlanEpisode *p = &in->episodes[i];
                const Told *told = find_told(in, p->e.id);
                Say say = say_of(in, p, told);
                if (say == SAY_NONE)
                        continue;
                PlanItem item = item_of(in, p, told, say);
                int r = add_item(plan, &item);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Corrections, whatever became of the alert that made us print the figure. */
static int add_fixes(Plan *plan) {
        const PlanInput *in = plan->in;

        for (size_t i = 0; i < in->n_figures; i++) {
                const ToldFigure *f = &in->figures[i];
                if (plan->is_printed[i] || !needs_fix(in, f))
                        continue;
                PlanItem item = {
                        .say = SAY_FIX,
                        .indicator = f->indicator,
                        .period = f->period,
                        .unit = f->unit,
                        .value = f->now_value,
                        .old_value = f->value,
                        .corrects = f->message,
                };
                int r = add_item(plan, &item);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool plan_item_is_critical(const PlanItem *item) {
        return item->severity == SEVERITY_CRITICAL &&
               (item->say == SAY_OPENING || item->say == SAY_WORSE || item->say == SAY_CONTINUED);
}

static int compare_items(const void *a, const void *b) {
        const PlanItem *x = a, *y = b;

        if (x->say != y->say)
                return order_of(x->say) < order_of(y->say) ? -1 : 1;
        if (plan_item_is_critical(x) != plan_item_is_critical(y))
                return plan_item_is_critical(x) ? -1 : 1;
        if (x->episode != y->episode)
                return x->episode < y->episode ? -1 : 1;
        const ToldFigure key = {.indicator = x->indicator, .period = x->period, .unit = x->unit};
        return compare_figure(&key, y->indicator, y->period, y->unit);
}

int plan_make(const PlanInput *in, PlanItem **ret, size_t *ret_n) {
        CLEANUP_FREE bool *is_printed = calloc(MAX(in->n_figures, 1u), sizeof(bool));
        Plan plan = {.in = in, .is_printed = is_printed};
        int r;

        if (!is_printed)
                return -ENOMEM;
        r = add_episodes(&plan);
        if (r == 0)
                r = add_fixes(&plan);
        if (r < 0) {
                free(plan.items);
                return r;
        }
        if (plan.n > 1)
                qsort(plan.items, plan.n, sizeof(*plan.items), compare_items);
        *ret = plan.items;
        *ret_n = plan.n;
        return 0;
}

/* ---- booking --------------------------------------------------------------------------------- */

void plan_book(const PlanItem *item, int64_t message, int64_t now_ms, Told *told,
               ToldFigure *figure, bool *ret_has_figure) {
        bool is_withdrawn = item->say == SAY_WITHDRAWN;

        if (item->say != SAY_FIX && item->say != SAY_LETTER)
                *told = (Told){
                        .episode = item->episode,
                        .said = item->say,
                        .value = item->value,
                        .last = is_withdrawn ? 0 : item->period,
                        .severity = item->severity,
                        .message = message,
                        .said_ms = now_ms,
                };
        *ret_has_figure = is_figure_printed_by(item);
        if (!*ret_has_figure)
                return;
        figure->indicator = item->indicator;
        figure->period = item->period;
        figure->unit = item->unit;
        figure->value = item->value;
        figure->message = message;
}

bool plan_give_up(const PlanItem *item, Told *told) {
        if (item->say != SAY_OPENING)
                return false;
        if (told->said == SAY_NONE) {
                told->episode = item->episode;
                told->value = VALUE_NONE;
        }
        told->gave_up = item->period;
        return true;
}

/* ---- gates ----------------------------------------------------------------------------------- */

/* A last release that lies in the future was written by a clock that has been set back since.
 * Within a day it still counts (a second digest on one day would be worse than a late one); further
 * off it would close the gate for ever. */
static int64_t last_release(const GateInput *in) {
        return in->last_release_ms > in->now_ms + MS_PER_DAY ? 0 : in->last_release_ms;
}

static int64_t operator_gate(const GateInput *in) {
        int64_t last = last_release(in);

        if (in->has_urgent || last == 0)
                return in->now_ms;
        return last + MS_PER_DAY;
}

static int64_t once_gate(const GateInput *in) {
        Day today = day_of_instant(in->now_ms);
        int64_t last = last_release(in);
        bool is_held_today = last != 0 && day_of_instant(last) >= today;

        if (calendar_is_working(in->calendar, today) && !is_held_today)
                return in->now_ms;
        return calendar_digest_due(in->calendar, in->digest_minute, last, in->now_ms);
}

int64_t plan_gate(const GateInput *in) {
        if (in->role == ROLE_OPERATOR)
                return operator_gate(in);
        if (in->is_observe)
                return INT64_MAX;
        if (in->is_immediate)
                return in->now_ms;
        if (in->is_once)
                return once_gate(in);
        return calendar_digest_due(in->calendar, in->digest_minute, last_release(in), in->now_ms);
}
