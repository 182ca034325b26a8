/* Tell: the difference between what is and what was told (semantics 8). Pure; the model with its
 * proof is tests/model/ledger.py, and a test holds the two together.
 *
 * Nothing to tell is ever queued. When a target's gate opens, plan_make() compares the episodes
 * that concern the target with the two ledgers (what was said of each episode; which figure was
 * printed last) and returns the items of one message. An item that the plan returns and nobody
 * delivers is still different next time. */
#pragma once

#include "core/alert.h"
#include "core/calendar.h"

typedef enum Say {
        SAY_NONE = 0, /* in `told`: nothing arrived (only `gave_up` is known) */
        SAY_OPENING = 1,
        SAY_CONTINUED = 2,
        SAY_CLOSING = 3,
        SAY_WITHDRAWN = 4,
        SAY_LATE = 5,    /* opened and ended by a changed past: told once, "điều chỉnh" */
        SAY_FIX = 6,     /* a printed figure differs now, whatever became of the alert */
        SAY_ASSUMED = 7, /* only in `told`: known at go-live, not told */
        SAY_WORSE = 8,   /* like continued, severity rose */
        SAY_LETTER =
                9, /* only in messages: a figure that a letter prints; plan_make() never makes it */
} Say;
const char *say_name(Say say);

typedef struct Told {
        int64_t episode; /* id */
        Say said;
        int64_t value; /* printed then; VALUE_NONE */
        PeriodId last; /* Episode.last when it was said */
        Severity severity;
        int64_t message; /* id, 0 */
        int64_t said_ms; /* when it arrived */
        PeriodId
                gave_up; /* a dead letter certainly did not arrive: plan again only when the episode moved on; 0 = no */
} Told;

typedef struct ToldFigure {
        IndicatorId indicator;
        PeriodId period;
        UnitId unit;
        int64_t value; /* printed last; VALUE_NONE = "no value" was printed */
        int64_t message;
        /* what it is now, filled by the caller: */
        int64_t now_value;
        bool is_flipped; /* a verdict of the episode's rule flipped, although the change is small */
        int64_t restated_min; /* of the indicator */
        UnitId muted_unit;    /* unused, 0 */
} ToldFigure;

typedef struct PlanEpisode {
        Episode e; /* with id; GONE for those that vanished */
        int rule;  /* index into Config.rules, -1: not configured; for the caller alone */
        IndicatorId indicator; /* whose figure its items print; 0 for subjects */
        bool is_muted;     /* a silence covers it: delays every kind of telling, discards none */
        bool is_acked;     /* mutes `continued`; a worse severity re-arms */
        bool is_trembling; /* GONE, first is the newest judged period and not closed, and rule_is_between(value, limit): wait */
        bool is_unknown;   /* the newest period has no verdict: not repeated to officials. With
                            * last == newest: an early warning that its month's figure does not
                            * bear out now, and does not end either */
        RepeatKind repeat;
        int repeat_days;
        int64_t amend_min; /* a changed value of the same period is told as `continued` from this size on */
        int quiet_days; /* early warnings: after anything said of it, nothing for so many days; 0 = off */
        bool is_waiting; /* the target hears of escalated alerts only, and this one is none (yet): its
                            opening waits */
        PeriodId newest; /* newest period that its rule has judged; 0 = PlanInput.publication */
        PeriodId
                breach; /* closed and late: the newest period of the run with a figure, `last` being its end; 0 = `last` */
        int64_t breach_value;
} PlanEpisode;

typedef struct PlanInput {
        RecipientRole role;
        /* That concern the target, sorted by id: live ones, late ones, and all that `told`
         * names. */
        const PlanEpisode *episodes;
        size_t n_episodes;
        const Told *told; /* of the target, sorted by episode */
        size_t n_told;
        const ToldFigure *figures; /* of the target, sorted by (indicator, period, unit) */
        size_t n_figures;
        const UnitId *muted_units; /* units covered by a silence, sorted */
        size_t n_muted_units;
        int64_t now_ms;
        PeriodId publication
                [PERIOD_N_TYPES]; /* newest judged period by type: opens tell_from gates */
} PlanInput;

typedef struct PlanItem {
        Say say;
        int64_t episode; /* id; 0 for SAY_FIX */
        IndicatorId indicator;
        PeriodId period; /* Episode.last; withdrawn: the one that was told; late: of the breach; the
                            fixed figure's */
        UnitId unit;
        int64_t value; /* VALUE_NONE */
        /* SAY_FIX, WITHDRAWN, CLOSING: printed before. Others: what an earlier message printed for
         * the same figure, where that differs. VALUE_NONE */
        int64_t old_value;
        int64_t corrects; /* message that said it, 0 */
        Severity severity;
} PlanItem;

/* Is it told as critical? The words of a correction or an end name no severity. */
bool plan_item_is_critical(const PlanItem *item);

/* Items in telling order: corrections (withdrawn, fix, late), openings, worse, continued,
 * closings; critical ones first in each, so that of a plan that is split they come with the first
 * message. A figure printed by another item of the plan needs no fix. Heap array. Returns 0 or
 * -ENOMEM. */
int plan_make(const PlanInput *in, PlanItem **ret, size_t *ret_n);

/* The ledger after a message arrived (or is dead but may have): applies one item. *told / *figure
 * are the rows as they are (zeroed but for the key when new) and are changed in place; has_figure
 * tells whether the item printed a figure. */
void plan_book(const PlanItem *item, int64_t message, int64_t now_ms, Told *told,
               ToldFigure *figure, bool *ret_has_figure);
/* A dead letter that certainly did not arrive: marks openings as given up. Returns true if *told
 * was changed. */
bool plan_give_up(const PlanItem *item, Told *told);

/* ---- gates: when a target may be told -------------------------------------------------------- */

typedef struct GateInput {
        RecipientRole role;
        bool is_immediate;
        bool has_urgent; /* operators: an opening or closing is in the plan */
        bool is_observe; /* notify = observe: officials are told nothing */
        unsigned digest_minute;
        const Calendar *calendar;
        int64_t last_release_ms; /* last message made for the target; 0 = none */
        int64_t now_ms;
        bool is_once; /* --once: today's digest counts as reached on a working day */
} GateInput;

/* The instant from which a non-empty plan may be released: <= now means open; INT64_MAX never
 * (observe). */
int64_t plan_gate(const GateInput *in);
