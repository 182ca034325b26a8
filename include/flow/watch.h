/* Operator conditions on a source and its figures (semantics 6): overdue, stale, missing, restated.
 * `source_failing` is judged where the attempt is counted (app/cycle). */
#pragma once

#include "core/engine.h"
#include "flow/app.h"

typedef struct WatchScope {
        StepId step;
        int64_t now_ms;
        int source;                  /* index; -1 = every one (deadlines) */
        PeriodId period;             /* that `changes` are of */
        const FigureChange *changes; /* of this step: what `restated` looks at */
        size_t n_changes;
        UnitId scope_unit; /* only its figures and those of its parts may have changed; 0 = any */
        bool is_same;      /* no snapshot came: figures and units are as they were */
        bool is_by_hand; /* a person changed them: a file, a snapshot accepted, an import undone */
} WatchScope;

/* At each attempt, order of a person and deadline, inside the transaction. Opens, keeps or closes one episode per
 * (rule, source, period type). A source that fails is left as it is: its failing is what the
 * operator must hear of. */
int watch_run(App *app, const WatchScope *scope);

/* What one rule finds of one source and period type now, for whoever asks why: the same looks,
 * nothing written. */
typedef struct WatchLook {
        bool is_on;
        bool is_inhibited; /* the source fails: that is told, and nothing else of it */
        PeriodId period;   /* that was looked at; 0 = none can be */
        size_t n, of; /* overdue: scopes without figures, of all; missing: units; source_failing:
                            * attempts of the worst scope */
        int64_t days; /* overdue: beyond the day when due; stale: without a change */
        int64_t changed_ms, last_ms; /* stale: last change, last attempt that saw the figures */
        char names[400];             /* missing: the first units; source_failing: the scope */
} WatchLook;
int watch_look(App *app, const RuleDef *rule, const SourceDef *source, PeriodType type,
               int64_t now_ms, WatchLook *ret);

/* What was found of each source is remembered, so that a province that publishes does not cost a
 * look at the whole country. After a rollback, and whenever figures or units change by another way
 * than an evaluation. */
void watch_forget(App *app);
