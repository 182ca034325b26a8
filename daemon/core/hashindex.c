/* Open addressing with linear probing: pairs under one hash lie in the order in which they came,
 * also after growing, since slots are moved in probing order from a slot that begins a run.
 *
 * Invariant: n <= 3/4 cap, so that every probe ends at an unused slot. Owners bound n: the hash has
 * no secret (there is no random number down here), and a publisher who aims at collisions costs at
 * most n probes per look-up. */
#include "core/hashindex.h"

#include <errno.h>

uint64_t hash_text(uint64_t seed, const char *text) {
        uint64_t hash = seed;
        for (const unsigned char *p = (const unsigned char *) text;; p++) {
                hash = (hash ^ *p) * UINT64_C(0x100000001b3);
                if (!*p)
                        return hash;
        }
}

/* FNV's low bits are weaker than its high ones. */
static uint32_t fold(uint64_t hash) {
        return (uint32_t) (hash ^ hash >> 32);
}

static void put(HashSlot *slots, size_t cap, HashSlot slot) {
        size_t i = slot.hash & (cap - 1);
        while (slots[i].is_used)
                i = (i + 1) & (cap - 1);
        slots[i] = slot;
}

static int grow(HashIndex *h) {
        if (h->cap > SIZE_MAX / 2 / sizeof *h->slots)
                return -ENOMEM;
        size_t cap = h->cap ? h->cap * 2 : 16;
        HashSlot *slots = calloc(cap, sizeof *slots);
        if (!slots)
                return -ENOMEM;

        size_t start = 0;
        while (start < h->cap && h->slots[start].is_used)
                start++;
        for (size_t i = 0; i < h->cap; i++) {
                const HashSlot *slot = &h->slots[(start + i) & (h->cap - 1)];
                if (slot->is_used)
                        put(slots, cap, *slot);
        }
        free(h->slots);
        h->slots = slots;
        h->cap = cap;
        return 0;
}

int hash_index_add(HashIndex *h, uint64_t hash, uint32_t a, uint32_t b) {
        if (h->n + 1 > h->cap / 4 * 3) {
                int r = grow(h);
                if (r < 0)
                        return r;
        }
        put(h->slots, h->cap, (HashSlot){.hash = fold(hash), .a = a, .b = b, .is_used = true});
        h->n++;
        return 0;
}

const HashSlot *hash_index_next(const HashIndex *h, uint64_t hash, size_t *cursor) {
        if (h->cap == 0)
                return NULL;
        size_t home = fold(hash) & (h->cap - 1);
        for (;;) {
                const HashSlot *slot = &h->slots[(home + *cursor) & (h->cap - 1)];
                if (!slot->is_used)
                        return NULL;
                (*cursor)++;
                if (slot->hash == fold(hash))
                        return slot;
        }
}

void hash_index_done(HashIndex *h) {
        free(h->slots);
        *h = (HashIndex){0};
}
