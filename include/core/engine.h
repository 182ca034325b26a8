/* Know and judge: the two pure differences of the evaluation (docs/ARCHITECTURE.md).
 *
 *  know:  what was published against what was known  -> changes (new figures, revisions,
 * restatements) judge: episodes folded from figures against episodes stored -> transitions
 *
 * The third difference, tell, is core/plan. Judging the same figures again changes nothing. */
#pragma once

#include "core/alert.h"

/* ---- know ------------------------------------------------------------------------------------ */

typedef struct FigureRow {
        IndicatorId indicator;
        UnitId unit;
        int64_t value; /* VALUE_NONE with a reason */
        Why why;
} FigureRow;

typedef struct FigureChange {
        FigureRow now;
        int64_t old_value;
        Why old_why;
        bool had_old; /* a figure row existed: this is a revision or a restatement, not a first
                         value */
} FigureChange;

static inline bool figure_is_lost(const FigureChange *c) {
        return c->had_old && c->old_value != VALUE_NONE && c->now.value == VALUE_NONE;
}

/* Both inputs sorted by (indicator, unit), no key twice. `known` holds every figure of the same
 * scope and period; one that is no longer published becomes WHY_GONE (unless it has no value
 * already). A published row without a value where nothing was known makes no change, except WHY_BAD
 * and WHY_EMPTY. Heap array in *ret. */
int engine_know(const FigureRow *known, size_t n_known, const FigureRow *published,
                size_t n_published, FigureChange **ret, size_t *ret_n);

/* ---- judge ----------------------------------------------------------------------------------- */

typedef struct RuleVersion {
        PeriodId from; /* first period that this text judges; versions are sorted by it */
        const RuleDef *rule;
} RuleVersion;

typedef struct JudgeInput {
        const RuleVersion *versions;
        size_t n_versions; /* at least 1; periods before versions[0].from are not judged */
        const IndicatorDef *indicators;
        const Panel *value;  /* the cohort; begins where no run is open, minus the look-back */
        const Panel *volume; /* or NULL */
        PeriodId fold_from;  /* first period that is folded, see engine_fold_from (lowered to what
                                `stored` asks for) */
        PeriodId newest;     /* newest period that may be judged now; 0 = none */
        const bool *is_watched; /* per unit: in the rule's selector and alive; NULL = all */
        const Day *valid_from, *valid_until; /* per unit, or NULL */
        const EraDef *eras;
        size_t n_eras;
        const char *source, *parent;
        PeriodId restated; /* oldest period of which an existing figure of the cohort changed in
                              this step; 0 = none */
        const bool *is_restated_unit; /* per unit: one of its own figures changed; NULL = none */
        PeriodId first_seen; /* oldest period that got its first figures in this step (backfill,
                                import); 0 = none */
        bool is_new_rule; /* the rule or its text is new at this load: openings get tell_from = the
                             next period */
        const Episode *stored; /* of this rule and cohort with last or first >= fold_from or still
                                  open/pending */
        size_t n_stored;
        int guard_percent;      /* mass guard; 0 = off */
        int64_t guard_jump;     /* scaled: move of the cohort's median that trips it; 0 = off */
        bool is_guard_released; /* an operator accepted the present state */
} JudgeInput;

typedef struct Transition {
        size_t episode; /* index into JudgeResult.episodes */
        TransitionKind kind;
        PeriodId period;
        int64_t value, previous_value, limit; /* previous: of the period before */
        uint32_t place, of;
        const char *reason; /* static text: "restated", "median", "place", "backfill", "rule",
                             * "pending", or the name of an EndReason; NULL for what a new
                             * publication simply brought */
} Transition;

typedef struct JudgeResult {
        Episode *episodes; /* every one that is new or changed (id kept for stored ones) */
        size_t n_episodes, cap_episodes;
        Transition *transitions;
        size_t n_transitions, cap_transitions;
        bool is_guard_tripped; /* openings of this (rule, cohort) are held; `is_held` is set on
                                  those */
        size_t guard_opening, guard_of; /* "104/104" */
        bool is_guard_by_jump;
        int64_t jump_from,
                jump_to; /* the medians when they are too far apart, else VALUE_NONE; of a
                                     * cohort of 10 or more, whether or not anything opens */
} JudgeResult;

/* The first period that has to be folded when figures from `changed` on are new or different (0 = none: deadlines, or
 * nothing new but time): it lies before every run that is live or that the change can touch. With a new rule text `changed`
 * is at most the first period that the text judges. A panel begins rule_lookback() periods before.
 *
 * Two loads, or runs of other units that lie between the two periods would be taken for new: first what is live or has
 * last >= changed, for this function; then what is live or has last >= its answer, for engine_judge. */
PeriodId engine_fold_from(const Episode *stored, size_t n, PeriodId changed, PeriodId newest);

/* One rule over one cohort. late (Episode.is_late) is set on episodes that appear because
 * `restated` < newest. Episodes that appear with first_seen < newest and are already closed at
 * `newest` are stored silently: their end is the only transition, and the plan never mentions an opening that
 * ended before its release. When the guard trips, openings appearing now get is_held; when it does not, held
 * ones are let go (is_held false; no transition). The guard counts open episodes that appear or are
 * held against the watched units with a figure in `newest`, and needs 10 of these. A run that an
 * older period, filled in late, makes begin earlier keeps its id: `first` changes, transition
 * `amended` for reason "backfill". Episodes come by unit index, then first. With `for` or after a
 * rule change one may be stored PENDING or GONE with opened = 0: never an alert, not to be shown.
 * Returns 0 or -ENOMEM. */
int engine_judge(const JudgeInput *in, JudgeResult *ret);
void judge_result_done(JudgeResult *r);
