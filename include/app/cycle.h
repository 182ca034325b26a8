/* Know: the result of a job becomes rows. One transaction per job: evaluate. */
#pragma once

#include "app/app.h"
#include "app/fetch.h"

typedef struct CycleReport {
        FetchOutcome outcome;
        int64_t snapshot, attempt;
        size_t n_new, n_changed, n_transitions, n_quarantined, n_bad;
        char reason[256];
} CycleReport;

/* Evaluates the result (borrowed): attempt, snapshot, bodies, units, figures, vintages, notes,
 * episodes, transitions, source conditions, politeness; and, when no gate waits, the first
 * release. Returns 0 or a negative errno (nothing was written). */
int cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                   CycleReport *ret);

/* Deadlines: judged without a snapshot. */
int cycle_deadline(App *app, int64_t now_ms);
