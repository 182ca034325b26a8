/* Snapshots as people list them: newest first, with their parts. */
#pragma once

#include "store/figure.h"

typedef struct SnapshotFilter {
        const char *source; /* NULL = any */
        PeriodId period;    /* 0 = any */
        int64_t id;         /* 0 = any */
        StepId as_of;       /* only those that came up to this step; 0 = now */
        bool is_any;        /* of any state; else accepted ones only */
} SnapshotFilter;

/* At most `limit` rows after `offset`. Heap array of heap rows, freed with store_snapshots_free. */
int store_snapshots(Store *s, const SnapshotFilter *filter, size_t limit, size_t offset, SnapshotRow ***ret,
                    size_t *ret_n);
void store_snapshots_free(SnapshotRow **rows, size_t n);
