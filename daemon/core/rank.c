/* Places, moves and medians of one column of values.
 *
 * A comparison sort of 3,321 values costs ten times as much as counting them, and a national
 * evaluation ranks 26 columns at every snapshot. Percents with two digits have at most 10,001
 * different values, so most columns are counted; the wide ones (counts of dossiers) are sorted by
 * bytes. Both need no comparison function, and ties come out in the given order. Keys are distances
 * from the best value, so that "smaller key" means "better" in either direction. */
#include "core/rank.h"

#include <errno.h>

#define COUNTING_SPREAD 16u /* counted up to this many possible values per unit, else sorted */

typedef struct Item {
        uint64_t key;
        uint32_t index;
} Item;

typedef struct Span {
        int64_t min, max;
        size_t n; /* values that are there */
} Span;

static Span span_of(const int64_t *value, size_t n) {
        Span s = {INT64_MAX, INT64_MIN, 0};

        for (size_t i = 0; i < n; i++)
                if (value[i] != VALUE_NONE) {
                        s.min = MIN(s.min, value[i]);
                        s.max = MAX(s.max, value[i]);
                        s.n++;
                }
        return s;
}

static uint64_t key_of(int64_t value, const Span *s, Direction direction) {
        return direction == DIRECTION_UP ? (uint64_t) s->max - (uint64_t) value
                                         : (uint64_t) value - (uint64_t) s->min;
}

/* One pass per byte that any key uses; stable. Returns the array that holds the result: `a` or `b`.
 */
static Item *sort_items(Item *a, Item *b, size_t n, uint64_t max_key) {
        for (unsigned shift = 0; shift < 64 && max_key >> shift != 0; shift += 8) {
                size_t start[256] = {0}, sum = 0;
                for (size_t i = 0; i < n; i++)
                        start[a[i].key >> shift & 0xff]++;
                for (size_t d = 0; d < 256; d++) {
                        size_t count = start[d];
                        start[d] = sum;
                        sum += count;
                }
                for (size_t i = 0; i < n; i++)
                        b[start[a[i].key >> shift & 0xff]++] = a[i];
                Item *swap = a;
                a = b;
                b = swap;
        }
        return a;
}

/* The values present as items in order of their key. *ret_block is to be freed, *ret_items points
 * into it. */
static int sorted_items(const int64_t *value, size_t n, const Span *s, Direction direction,
                        Item **ret_block, Item **ret_items) {
        Item *a = reallocarray(NULL, MAX(s->n, 1u), 2 * sizeof(Item));
        size_t at = 0;

        if (!a)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (value[i] != VALUE_NONE)
                        a[at++] = (Item){key_of(value[i], s, direction), (uint32_t) i};
        *ret_block = a;
        *ret_items =
                sort_items(a, a + s->n, s->n, s->n ? (uint64_t) s->max - (uint64_t) s->min : 0);
        return 0;
}

static int rank_by_counting(const int64_t *value, size_t n, const Span *s, Direction direction,
                            uint32_t *ret_place) {
        size_t width = (size_t) (s->max - s->min) + 1;
        CLEANUP_FREE uint32_t *better = calloc(width, sizeof(uint32_t));
        uint32_t sum = 1;

        if (!better)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (value[i] != VALUE_NONE)
                        better[key_of(value[i], s, direction)]++;
        for (size_t k = 0; k < width; k++) {
                uint32_t count = better[k];
                better[k] = sum;
                sum += count;
        }
        for (size_t i = 0; i < n; i++)
                ret_place[i] = value[i] == VALUE_NONE ? 0 : better[key_of(value[i], s, direction)];
        return 0;
}

static int rank_by_sorting(const int64_t *value, size_t n, const Span *s, Direction direction,
                           uint32_t *ret_place) {
        CLEANUP_FREE Item *block = NULL;
        Item *items;
        uint32_t place = 0;
        int r;

        r = sorted_items(value, n, s, direction, &block, &items);
        if (r < 0)
                return r;
        memset(ret_place, 0, n * sizeof(*ret_place));
        for (size_t i = 0; i < s->n; i++) {
                if (i == 0 || items[i].key != items[i - 1].key)
                        place = (uint32_t) i + 1;
                ret_place[items[i].index] = place;
        }
        return 0;
}

int rank_build(const int64_t *value, size_t n, Direction direction, uint32_t *ret_place,
               size_t *ret_of) {
        Span s = span_of(value, n);
        int r = 0;

        if (s.n == 0)
                memset(ret_place, 0, n * sizeof(*ret_place));
        else if ((uint64_t) s.max - (uint64_t) s.min < (uint64_t) COUNTING_SPREAD * s.n)
                r = rank_by_counting(value, n, &s, direction, ret_place);
        else
                r = rank_by_sorting(value, n, &s, direction, ret_place);
        if (r < 0)
                return r;
        *ret_of = s.n;
        return 0;
}

int rank_order(const uint32_t *place, size_t n, uint32_t *ret_order) {
        CLEANUP_FREE uint32_t *start =
                calloc(n + 2, sizeof(uint32_t)); /* by place; n + 1 is "none" */
        uint32_t sum = 0;

        if (!start)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                start[place[i] ? MIN(place[i], n) : n + 1]++;
        for (size_t k = 0; k < n + 2; k++) {
                uint32_t count = start[k];
                start[k] = sum;
                sum += count;
        }
        for (size_t i = 0; i < n; i++)
                ret_order[start[place[i] ? MIN(place[i], n) : n + 1]++] = (uint32_t) i;
        return 0;
}

int rank_moves(const int64_t *before, const int64_t *now, size_t n, Direction direction,
               RankMoves *ret) {
        CLEANUP_FREE int64_t *common = calloc(MAX(n, 1u), 2 * sizeof(int64_t));
        CLEANUP_FREE uint32_t *place_before = calloc(MAX(n, 1u), sizeof(uint32_t));
        CLEANUP_FREE uint32_t *place_now = calloc(MAX(n, 1u), sizeof(uint32_t));
        size_t n_before = 0, n_now = 0, of = 0;
        int r;

        if (!common || !place_before || !place_now)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                bool is_common = before[i] != VALUE_NONE && now[i] != VALUE_NONE;
                common[i] = is_common ? before[i] : VALUE_NONE;
                common[n + i] = is_common ? now[i] : VALUE_NONE;
                n_before += before[i] != VALUE_NONE;
                n_now += now[i] != VALUE_NONE;
        }
        r = rank_build(common, n, direction, place_before, &of);
        if (r == 0)
                r = rank_build(common + n, n, direction, place_now, &of);
        if (r < 0)
                return r;
        *ret = (RankMoves){TAKE_PTR(place_before), TAKE_PTR(place_now), of,
                           of > 0 && of * 10 >= n_before * 9 && of * 10 >= n_now * 9};
        return 0;
}

void rank_moves_done(RankMoves *m) {
        free(m->before);
        free(m->now);
        *m = (RankMoves){0};
}

int rank_median(const int64_t *value, size_t n, size_t min_count, int64_t *ret) {
        CLEANUP_FREE Item *block = NULL;
        Span s = span_of(value, n);
        Item *items;
        int r;

        if (s.n == 0 || s.n < min_count) {
                *ret = VALUE_NONE;
                return 0;
        }
        r = sorted_items(value, n, &s, DIRECTION_DOWN, &block, &items);
        if (r < 0)
                return r;
        *ret = value[items[(s.n - 1) / 2].index];
        return 0;
}
