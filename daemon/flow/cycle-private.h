/* One evaluation on its way: shared by the parts of cycle. */
#pragma once

#include "flow/cycle.h"
#include "store/figure.h"
#include "store/registry.h"

typedef struct Evaluation {
        App *app;
        FetchResult *result;
        const SourceDef *source;
        int64_t now_ms;
        StepId step;
        UnitId scope_unit;
        UnitId *unit_of; /* snapshot's unit -> registry; 0 = quarantined */
        FigureRow *rows;
        size_t n_rows;
        FigureChange *changes;
        size_t n_changes;
        bool is_registry_touched;
        bool is_seen_again; /* it speaks of units that had been taken back */
        bool *has_column;   /* per column: some row of the snapshot speaks of it */
        const CycleOrder *order;
        CycleReport *report;
        bool is_reading; /* what does it say? nothing is registered, quarantined or known by it */
        bool is_lossy; /* looked at once already: it would take away too much, the report says what */
} Evaluation;

/* The snapshot would take away most of what is known of an indicator. Passed up as an error is, below
 * every errno: nothing of this transaction may stay. */
#define CYCLE_E_LOSSY (-5000)

/* cycle.c */
void cycle_evaluation_done(Evaluation *e);

/* cycle-suspicion.c: too few units, too many bad values, or (found on the way) too little of what is known. The reason goes to the
 * report. */
int cycle_suspicion(Evaluation *e, bool *ret);

/* cycle-units.c: the unit of every row, registering and quarantining as semantics 2 says. */
int cycle_units(Evaluation *e);
/* Which units count, once the figures are written; the report says how many do not that did. */
int cycle_recount(Evaluation *e);
/* Units that had been taken back and are seen again count: by their figures, and where the row had none,
 * because they are registered anew. */
int cycle_bring_back(Evaluation *e);

/* cycle-know.c. Two published codes of one unit: the first in code order counts, the other is
 * quarantined. */
int cycle_drop_doubles(Evaluation *e);
/* Fills rows and changes, writes the changed figures and the notes. CYCLE_E_LOSSY with the reason in
 * the report: nobody has looked at it, and it is silent about more than half of what an indicator is
 * known to be. */
int cycle_know(Evaluation *e);
/* The rows of a stored snapshot, and which columns it speaks of; nothing is written. */
int cycle_read(Evaluation *e);
/* The changes of what is derived from the figures that the snapshot spoke of, of those as they are known by now. */
int cycle_rederive(Evaluation *e);
/* Compares (indicator, unit) of FigureRow. */
int cycle_compare_figures(const void *a, const void *b);
/* It speaks of what its rows name and of nothing else. */
bool cycle_is_partial(const Evaluation *e);
/* cycle-undo.c: writes what is known without the import of the row, and keeps the changes. */
int cycle_put_back(Evaluation *e, const SnapshotRow *row);
/* cycle-notes.c: after knowing; the changes are sorted by (indicator, unit). */
int cycle_note(Evaluation *e);
