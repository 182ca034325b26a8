/* Judging: loads panels, folds episodes (core/engine), writes what differs. Runs inside an open
 * transaction, also over figures that this transaction has just written. */
#pragma once

#include "app/app.h"
#include "core/engine.h"

/* Rule versions against the configuration at start and reload: stores new texts with the first
 * period they judge, ends episodes of removed rules, marks new ones so that openings wait for the
 * next publication. `step` as of store_step. */
int judge_sync_rules(App *app, StepId step, int64_t now_ms);
void judge_done(App *app);

typedef struct JudgeScope {
        StepId step;
        int64_t now_ms;
        int source;                  /* only rules on indicators of this source; -1 = all */
        PeriodId period;             /* changed; 0 = deadlines: everything that may be judged now */
        const FigureChange *changes; /* of this step */
        size_t n_changes;
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
