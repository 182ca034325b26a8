/* Episodes: what people call alerts (semantics 7). A pure fold over the judgements of one unit,
 * period by period.
 *
 * An episode is a run of periods: it begins with breach, goes on through between and unknown, ends
 * with clear. Missing data neither opens nor closes. It is named by (rule, unit, first period) and
 * opens after `for` periods of breach. Source conditions and holds use the same struct: unit 0 and
 * a subject; `first` is then a step, not a period. */
#pragma once

#include "core/rule.h"

typedef enum EpisodeState {
        EPISODE_PENDING = 1, /* fewer breaches than `for`; shown nowhere, kept so that a fold can
                              * start here. May have been open before changed figures made the run
                              * shorter: plan_make takes it for GONE */
        EPISODE_OPEN = 2,
        EPISODE_CLOSED = 3,
        EPISODE_GONE =
                4, /* withdrawn: changed figures made the run vanish. `value`, `limit` are then
                    * those of `first` now; `opened` is 0 when it never got beyond pending */
} EpisodeState;

typedef enum EndReason {
        END_NONE = 0,
        END_CLEAR = 1,
        END_UNIT_ENDED = 2,
        END_ERA = 3,
        END_RULE_CHANGED = 4,
        END_RULE_REMOVED = 5,
} EndReason;

typedef struct Episode {
        int64_t id;          /* database row; 0 = not stored yet */
        const char *rule;    /* name */
        UnitId unit;         /* 0: see subject */
        const char *subject; /* "source:portal", "hold:progress-low/H31/commune", NULL for units */
        int64_t first;       /* PeriodId, or step of a subject's episode */
        PeriodId opened;     /* the period that fulfilled `for` */
        PeriodId last; /* newest breach of the run (between and unknown leave it); once closed, the
                        * closing period: the first that is clear, of the new era, or without the
                        * unit */
        int length;    /* breaches so far */
        EpisodeState state;
        EndReason end;
        Severity severity;
        int64_t value;    /* at `last` */
        int64_t previous; /* value of the period before `last`, VALUE_NONE */
        int64_t limit;
        int64_t delta;
        uint32_t place, of;
        bool is_late;       /* exists only because an ended period was changed: "điều chỉnh" */
        bool is_held;       /* mass guard: its opening waits */
        PeriodId tell_from; /* 0 = now; else its opening waits until a period >= this is judged */
        StepId step;        /* of the last transition */
} Episode;

typedef enum TransitionKind {
        TRANSITION_OPENED = 1,
        TRANSITION_CONTINUED = 2,
        TRANSITION_WORSE = 3,
        TRANSITION_EASED = 4,
        TRANSITION_CLOSED = 5,
        TRANSITION_WITHDRAWN = 6,
        TRANSITION_AMENDED = 7,
        TRANSITION_UNIT_ENDED = 8,
        TRANSITION_ERA = 9,
        TRANSITION_RULE_CHANGED = 10,
        TRANSITION_RULE_REMOVED = 11,
        TRANSITION_ACKNOWLEDGED = 12,
        TRANSITION_SILENCED = 13,
        TRANSITION_PENDING =
                14, /* a run began that `for` does not count as open yet: bookkeeping, not shown */
} TransitionKind;
const char *transition_name(TransitionKind kind);
const char *episode_state_name(EpisodeState state); /* "pending", "open", "closed", "withdrawn" */
const char *end_reason_name(EndReason end);

/* Folds the judgements of one unit over n consecutive periods starting at `first` into episodes, in
 * order. The caller guarantees that no run reaches back before `first` (or accepts that it begins
 * there). `cut[i]` (may be NULL) is true where an era boundary lies between period i-1 and i: a run
 * ends there with END_ERA. for_n[i] is the `for` of the rule text of period i. Fields rule, unit,
 * id, is_late, is_held, tell_from, step are left zero. Heap array. Returns 0 or -ENOMEM. */
int alert_fold(const Judgement *judgement, size_t n, PeriodId first, const int *for_n,
               const bool *cut, Episode **ret, size_t *ret_n);

/* The same with its reasons: end[i] (NULL = none anywhere) ends a run before judgement i is looked
 * at. judgement i is found at judgement[i * stride]. `last` of an episode that ended so is the
 * period of i, like that of a cleared one. */
typedef struct FoldInput {
        const Judgement *judgement;
        size_t n, stride;
        PeriodId first;
        const int *for_n;
        const EndReason *end;
} FoldInput;
int alert_fold_input(const FoldInput *in, Episode **ret, size_t *ret_n);
