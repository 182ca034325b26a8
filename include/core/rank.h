/* Competition ranking over vectors (1 2 2 4), and moves between two periods (semantics 5).
 *
 * SQL windows cost 350 to 1,900 times as much over the same figures (measured before this was
 * written). */
#pragma once

#include "core/panel.h"

/* Places among the n values, best first in `direction`; 0 for units without a value. *ret_of
 * counts those with one. `ret_place` has room for n. Returns 0 or -ENOMEM. */
int rank_build(const int64_t *value, size_t n, Direction direction, uint32_t *ret_place,
               size_t *ret_of);

/* Order for a table: indexes of the n units, placed ones first by place, ties and the rest in the
 * given (code) order. */
int rank_order(const uint32_t *place, size_t n, uint32_t *ret_order);

typedef struct RankMoves {
        uint32_t *before,
                *now; /* places counted among the units that have a value in both periods; 0 = none */
        size_t of;    /* how many those are */
        bool is_comparable; /* they are at least 90 % of either cohort */
} RankMoves;
int rank_moves(const int64_t *before, const int64_t *now, size_t n, Direction direction,
               RankMoves *ret);
void rank_moves_done(RankMoves *m);

/* Lower median of the values present, VALUE_NONE when fewer than `min_count`. */
int rank_median(const int64_t *value, size_t n, size_t min_count, int64_t *ret);
