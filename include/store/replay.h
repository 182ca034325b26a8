/* Making the figures anew from what was published: an empty database beside one that is kept, which
 * is only read. What no body tells is taken over: steps, indicators, snapshots, and of the registry
 * what was known at each step. */
#pragma once

#include "base/diag.h"
#include "core/model.h"
#include "store/store.h"

/* `empty` was just opened on a new file. */
int store_replay_begin(Store *empty, const char *kept);

/* What the figures came from, by step. */
typedef struct ReplayEvent {
        StepId step;
        int64_t snapshot;
        PeriodId period;
        StepId known;   /* of the snapshot: `step`, unless it is an undoing */
        bool is_import; /* by a person's order: it speaks of its own rows only */
        bool is_undo;
} ReplayEvent;
int store_replay_events(Store *s, ReplayEvent **ret, size_t *ret_n);

/* Codes and names that came after `from`, up to `step`. *ret: there were any. */
int store_replay_registry(Store *s, StepId from, StepId step, bool *ret);

/* Where bodies are past their retention: what became known at the step is taken as it is kept. */
int store_replay_take(Store *s, StepId step, PeriodId period);

typedef struct ReplaySizes {
        int64_t figures, vintages;
} ReplaySizes;
/* Every figure and vintage of either against the other's: value, reason, and from when to when. 0, or
 * STORE_E_MISMATCH with the first difference in diag. */
int store_replay_compare(Store *s, Diag *diag, ReplaySizes *ret);
