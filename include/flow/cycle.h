/* Know: the result of a job becomes rows. One transaction per job: evaluate. */
#pragma once

#include "flow/app.h"
#include "flow/fetch.h"

typedef struct CycleReport {
        FetchOutcome outcome;
        int64_t snapshot, attempt;
        size_t n_new, n_changed, n_transitions, n_quarantined, n_registered, n_bad;
        size_t n_lost;      /* of the changed: figures that have no value any more */
        size_t n_uncounted; /* units that only the undone import had brought */
        char reason[256];
} CycleReport;

/* Evaluates the result (borrowed): attempt, snapshot, bodies, units, figures, vintages, notes,
 * episodes, transitions, source conditions, politeness; and, when no gate waits, the first
 * release. Returns 0 or a negative errno (nothing was written). */
int cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                   CycleReport *ret);

/* Figures that a person brings or lets in: an imported file, or a suspect snapshot from its stored
 * bodies. What would be suspicious is said in the report's reason and does not hinder. */
typedef struct CycleOrder {
        StepCause cause;  /* CAUSE_IMPORT or CAUSE_OPERATOR */
        int64_t snapshot; /* the suspect one to be accepted; 0: a new one is stored */
        bool is_partial;  /* units and columns that the snapshot does not have stay as they are */
        bool is_trial;    /* nothing stays: only the report, and what `watch` saw */
        /* With is_trial: called with the changes before they are forgotten; or NULL. */
        int (*watch)(void *userdata, const FigureChange *changes, size_t n);
        void *userdata;
} CycleOrder;
/* Returns 0, STORE_E_NONE (no longer suspect), or a negative errno; then nothing was written. */
int cycle_order(App *app, FetchResult *result, const CycleOrder *order, int64_t now_ms,
                CycleReport *ret);

/* A suspect snapshot is rejected for good; an imported one is undone: figures that are still as it
 * left them are what the snapshots that count say without it. Returns 0, -ENOENT (its source is no longer
 * configured), STORE_E_NONE (neither suspect nor accepted), or a negative errno. */
int cycle_take_back(App *app, const SnapshotRow *row, int64_t now_ms, CycleReport *ret);

/* The changes of figures that undo the imported snapshot of the row at `step`; it was `known` at another one. Bodies are read
 * from `bodies`, all else from the app's store. Nothing is written. 0, or positive: a snapshot that might have said more cannot be
 * read again. Heap array. */
int cycle_undone(App *app, Store *bodies, const SnapshotRow *row, StepId known, StepId step,
                 FigureChange **ret, size_t *ret_n);
/* When those are written: the changes of what is derived from them. 0, or positive as above. Heap array. */
int cycle_undone_derived(App *app, Store *bodies, const SnapshotRow *row, StepId step,
                         FigureChange **ret, size_t *ret_n);

/* Units and figures of a stored snapshot once more, at the step at which it was known, inside the
 * caller's transaction; nothing is judged or told. is_partial: as in CycleOrder. */
int cycle_replay(App *app, FetchResult *result, StepId step, int64_t snapshot, bool is_partial);

/* Deadlines: judged without a snapshot. */
int cycle_deadline(App *app, int64_t now_ms);
