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
} WatchScope;

/* At each attempt and at deadlines, inside the transaction. Opens, keeps or closes one episode per
 * (rule, source, period type). A source that fails is left as it is: its failing is what the
 * operator must hear of. */
int watch_run(App *app, const WatchScope *scope);

/* What was found of each source is remembered, so that a province that publishes does not cost a
 * look at the whole country. After a rollback, and whenever figures or units change by another way
 * than an evaluation. */
void watch_forget(App *app);
