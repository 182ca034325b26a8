/* Inside of core/decode: filling a snapshot. */
#pragma once

#include "core/decode.h"

/* The unit of a code, added with nothing known when it is new; takes the text over. Returns 0,
 * -ENOMEM, or DECODE_E_REJECTED when there are DECODE_MAX_UNITS already. */
int snapshot_unit(Snapshot *s, char **code, size_t *ret);

/* A value is bad: it is taken away, with a note. Returns 0 or -ENOMEM. */
int snapshot_bad(Snapshot *s, size_t unit, size_t column, const char *text);

static inline size_t snapshot_cell(const Snapshot *s, size_t unit, size_t column) {
        return unit * s->n_columns + column;
}

/* True when a part of the source publishes the indicator. */
bool decode_publishes(const SourceDef *source, size_t indicator);

/* Notes and takes away what lies outside of the indicator's range. */
int snapshot_check_range(Snapshot *s, const Config *config, size_t unit, size_t column);

void snapshot_index_free(Snapshot *s);
