/* A list of blocks. Things fill a block from its front, aligned; text, which needs no alignment, from its
 * end: most of it is shorter than what alignment would add. */
#include "base/arena.h"

#include <stdalign.h>

#define BLOCK_SIZE ((size_t) 16384)
#define ALIGNMENT alignof(max_align_t)

typedef struct Block Block;
struct Block {
        Block *next;
        size_t used, top; /* free is what lies between */
        max_align_t data[];
};

struct Arena {
        Block *blocks;
        bool is_exhausted;
};

Arena *arena_new(void) {
        return calloc(1, sizeof(Arena));
}

void arena_free(Arena *a) {
        if (!a)
                return;
        for (Block *b = a->blocks, *next; b; b = next) {
                next = b->next;
                free(b);
        }
        free(a);
}

bool arena_is_exhausted(const Arena *a) {
        return a->is_exhausted;
}

/* The newest block if it has room, or one more; NULL: exhausted. */
static Block *block_with(Arena *a, size_t bytes) {
        size_t room = MAX(bytes, BLOCK_SIZE);
        Block *b = a->blocks;

        a->is_exhausted |= bytes > SIZE_MAX / 2;
        if (a->is_exhausted)
                return NULL;
        if (b && b->top - b->used >= bytes)
                return b;
        b = calloc(1, sizeof(*b) + room);
        if (!b) {
                a->is_exhausted = true;
                return NULL;
        }
        b->top = room;
        b->next = a->blocks;
        a->blocks = b;
        return b;
}

void *arena_alloc(Arena *a, size_t n, size_t size) {
        size_t bytes;

        if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
                bytes = SIZE_MAX - ALIGNMENT;
        bytes = (MAX(bytes, (size_t) 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        Block *b = block_with(a, bytes);
        if (!b)
                return NULL;
        void *p = (char *) b->data + b->used;
        b->used += bytes;
        return p;
}

static char *text_alloc(Arena *a, size_t n) {
        Block *b = block_with(a, n);

        if (!b)
                return NULL;
        b->top -= n;
        return (char *) b->data + b->top;
}

char *arena_dup(Arena *a, const char *text, size_t n) {
        char *copy = text_alloc(a, n + 1);

        if (!copy)
                return NULL;
        if (n > 0)
                memcpy(copy, text, n);
        copy[n] = '\0';
        return copy;
}

char *arena_join(Arena *a, const char *first, const char *second) {
        char *text = text_alloc(a, strlen(first) + strlen(second) + 1);

        if (text)
                strcpy(stpcpy(text, first), second);
        return text;
}
