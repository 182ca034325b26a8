/* Small language helpers shared by every module: clean-up attributes, ownership transfer, array
 * growth.
 *
 * Ownership idiom: declare with a clean-up attribute and a safe value, build fully, then
 * `*ret = TAKE_PTR(x); return 0;`. Errors are negative errno values, passed up unchanged. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))

#define CLEANUP(f) __attribute__((cleanup(f)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

/* Hands the pointer out and leaves NULL behind, so that its clean-up attribute does nothing. */
#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) *pp_ = &(p);                                                         \
                __typeof__(p) v_ = *pp_;                                                           \
                *pp_ = NULL;                                                                       \
                v_;                                                                                \
        })

/* Defines `func##p(type **)`, for use as CLEANUP(func##p) on a `type *` variable.
 * NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses here. */
#define DEFINE_CLEANUP(type, func)                                                                 \
        static inline UNUSED void func##p(type **p) {                                              \
                if (*p)                                                                            \
                        func(*p);                                                                  \
        }
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void freep(void *p) {
        free(*(void **) p);
}

#define CLEANUP_FREE CLEANUP(freep)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* True also when both are NULL. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline const char *str_or(const char *s, const char *otherwise) {
        return s ? s : otherwise;
}

/* Makes room for `need` elements of `size` bytes in *array (capacity in elements in *cap), growing
 * by half. The new elements are zeroed. Returns 0, -ENOMEM, or -E2BIG when need * size does not
 * fit. */
int array_grow(void *array_pp, size_t *cap, size_t need, size_t size);

/* ARRAY_GROW(list, cap, n + 1): for `T *list; size_t cap;`. */
#define ARRAY_GROW(array, cap, need) array_grow(&(array), &(cap), (need), sizeof((array)[0]))
