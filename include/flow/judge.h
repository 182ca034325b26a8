/* Judging: loads panels, folds episodes (core/engine), writes what differs. Runs inside an open
 * transaction, also over figures that this transaction has just written. */
#pragma once

#include "core/engine.h"
#include "flow/app.h"

/* Rule versions against the configuration at start and reload: stores new texts with the first
 * period they judge, ends episodes of removed rules, marks new ones so that openings wait for the
 * next publication. `step` as of store_step. */
int judge_sync_rules(App *app, StepId step, int64_t now_ms);
void judge_done(App *app);

/* The rule of that name: the configured one, else the newest stored text of one that was removed,
 * so that its last word can still name the figure. NULL when there is none, or none that the
 * present indicators let us read. Valid until a reload. */
const RuleDef *judge_rule_def(App *app, const char *name);

typedef struct JudgeScope {
        StepId step;
        int64_t now_ms;
        int source;                  /* only rules on indicators of this source; -1 = all */
        PeriodId period;             /* changed; 0 = deadlines: everything that may be judged now */
        const FigureChange *changes; /* of this step */
        size_t n_changes;
        /* The whole of what is known in `period` of the units that occur here, sorted by (indicator,
         * unit): their figures need not be read back. May be empty. */
        const FigureRow *rows;
        size_t n_rows;
        size_t *ret_n_transitions;
} JudgeScope;
int judge_run(App *app, const JudgeScope *scope);
/* After a rollback: what was judged in it does not count. */
void judge_forget(App *app);

/* Newest period of the type that may be judged for the source now: ended, settled, and seen by an
 * attempt after its end. */
int judge_newest(App *app, const RuleDef *rule, int64_t now_ms, PeriodId *ret);
/* Next instant after now at which a deadline (settle, period end, from/until) can change a
 * verdict; INT64_MAX. */
int64_t judge_next(App *app, int64_t now_ms);

/* Source conditions (source_failing, overdue, stale) and data faults: operator episodes of
 * subjects. Opens or closes; the first step names the episode. `is_on` false closes. Returns 0. */
int judge_subject(App *app, StepId step, int64_t now_ms, const char *rule, const char *subject,
                  bool is_on, Severity severity, const char *text);
/* The mass guard of one (rule, cohort): on, or off again. */
typedef struct Hold {
        const char *subject, *rule, *kind;
        PeriodId period;
        size_t n_opening, n_units;
        bool is_on, is_by_jump;
        bool is_released; /* off because a person accepted it */
} Hold;
int judge_hold(App *app, const JudgeScope *scope, const Hold *hold);
/* Most of a cohort moved at once: the operator is asked whether an era began, until it is in the
 * configuration or another month is the newest. */
typedef struct EraHint {
        const IndicatorDef *indicator;
        const char *parent, *kind; /* keys; "-" without a parent */
        PeriodId period;
        size_t n_units;
        int64_t before, now; /* medians; VALUE_NONE = it did not jump */
} EraHint;
int judge_era(App *app, const JudgeScope *scope, const EraHint *hint);
/* One item for operators, told once: no opening, no closing. */
int judge_notice(App *app, StepId step, int64_t now_ms, const char *rule, const char *subject,
                 const char *text);
/* Ends episodes of subjects whose rule or source is no longer configured. */
int judge_end_orphans(App *app, StepId step, int64_t now_ms);

/* Rules of our own for operators, which no configuration names: "mass-guard" and its kin. */
bool judge_is_builtin(const char *rule);

/* `rules release`: the present state of every cohort that the mass guard holds under this rule is
 * accepted. The openings held so far are told at the next publication, if they still stand.
 * *ret_n: cohorts released. A transaction of its own; 0 or negative errno. */
int judge_release(App *app, size_t rule, int64_t now_ms, size_t *ret_n);

/* Why one rule fires or not for one unit, as known now. */
#define EXPLAIN_PERIODS 13u
typedef struct JudgeExplanation {
        const RuleDef *text; /* the text that holds for the period judged; valid until a reload */
        PeriodId period;     /* newest that is judged; 0 = none may be judged yet */
        bool is_watched;
        Judgement judgement;
        int64_t median;                 /* of the cohort, VALUE_NONE with fewer than 5 values */
        int64_t volume;                 /* of min_volume; VALUE_NONE */
        size_t n_units, n_values;       /* of the cohort */
        uint32_t move_from, move_to;    /* of rank_drop: places among `move_of`; 0 = none */
        size_t move_of;                 /* units with a figure in both periods */
        bool is_move_comparable;        /* they are enough of either period's */
        int64_t value[EXPLAIN_PERIODS]; /* newest first, VALUE_NONE */
        size_t n_periods;
        PeriodId next; /* the next period that will be judged; 0 = none will */
        Day next_day;  /* not before this day */
} JudgeExplanation;
int judge_explain(App *app, size_t rule, UnitId unit, int64_t now_ms, JudgeExplanation *ret);
