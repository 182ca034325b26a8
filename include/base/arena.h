/* Memory for many small things that live and end together: a configuration, a registry.
 *
 * Nothing is given back alone. Thousands of strings of their own cost malloc half as much again, and each
 * that stays among what comes and goes keeps a page from the system. */
#pragma once

#include "base/macro.h"

typedef struct Arena Arena;

/* NULL when out of memory. */
Arena *arena_new(void);
void arena_free(Arena *a);
DEFINE_CLEANUP(Arena, arena_free)

/* True once an allocation failed: every later one fails as well, and nothing that was built may be
 * handed out. */
bool arena_is_exhausted(const Arena *a);

/* Zeroed and aligned for everything; NULL when out of memory. n = 0 gives a valid pointer. */
void *arena_alloc(Arena *a, size_t n, size_t size);

/* Copies of text, with a NUL; NULL when out of memory. */
char *arena_dup(Arena *a, const char *text, size_t n);
char *arena_join(Arena *a, const char *first, const char *second);
