/* From a hash to pairs of small numbers (positions in the owner's arrays). Keys are not
 * stored: the owner compares what a hit points at, so that nothing is copied and one table serves
 * keys of several parts. */
#pragma once

#include "base/macro.h"

typedef struct HashSlot {
        uint32_t
                hash; /* folded: a table of 64-bit ones was a quarter of what an idle daemon held */
        uint32_t a;
        uint32_t b : 31;
        uint32_t is_used : 1;
} HashSlot;

typedef struct HashIndex {
        HashSlot *slots; /* a power of two of them, at most three quarters used */
        size_t n, cap;
} HashIndex;

#define HASH_SEED UINT64_C(0xcbf29ce484222325)

/* FNV-1a, continued from `seed`; the closing NUL is hashed too, so that ("ab", "c") is not ("a",
 * "bc"). */
uint64_t hash_text(uint64_t seed, const char *text);

/* Adds one more pair under the hash (b below 2^31). Returns 0 or -ENOMEM (then nothing was added). */
int hash_index_add(HashIndex *h, uint64_t hash, uint32_t a, uint32_t b);

/* The next pair under the hash, oldest first among equals, or NULL. *cursor starts at 0 and belongs
 * to the walk. */
const HashSlot *hash_index_next(const HashIndex *h, uint64_t hash, size_t *cursor);

void hash_index_done(HashIndex *h);
