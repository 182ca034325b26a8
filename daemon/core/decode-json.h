/* Inside of core/decode: bounded loading, compiled pointers, tests of a pointer's text. */
#pragma once

#include <jansson.h>

#include "base/diag.h"
#include "base/macro.h"

/* `return REJECT(diag, "why %s", ...)`: the answer is never acceptable. */
#define REJECT(diag, ...) (diag_error((diag), NULL, 0, NULL, __VA_ARGS__), DECODE_E_REJECTED)

/* Scans, then parses the whole. *ret is a new reference. Returns 0, DECODE_E_REJECTED with the
 * reason, -ENOMEM. */
int decode_load(const char *body, size_t n, Diag *diag, json_t **ret);

static inline void json_unrefp(json_t **p) {
        json_decref(*p);
}
#define CLEANUP_JSON CLEANUP(json_unrefp)

/* One step: a member or an element, or the only element whose member `key` has the text `select`.
 */
typedef struct PointerStep {
        const char *key;
        const char *select; /* NULL: an ordinary step */
        size_t index;       /* SIZE_MAX: `key` is no array index */
} PointerStep;

typedef struct Pointer {
        PointerStep *steps;
        size_t n;
        char *store; /* text of all steps; NULL: not compiled */
} Pointer;

/* RFC 6901 with [key=text] steps; NULL leaves the pointer not compiled. Returns 0, -EINVAL,
 * -ENOMEM. */
int pointer_compile(Pointer *p, const char *text);
void pointer_done(Pointer *p);

/* What the pointer leads to, borrowed; NULL when it is not there or not compiled. */
json_t *pointer_get(const Pointer *p, const json_t *root);

/* True when the pointer leads to or through what `above` leads to. */
bool pointer_is_below(const Pointer *p, const Pointer *above);

/* The rows of an answer, one after the other. A tree of all of them takes ten times the room of the
 * text and goes through the cache twice: where the array of rows can be found by its brackets each
 * row is parsed by itself, and the rest of the document with an empty array in its place. */
typedef struct Rows {
        json_t *array;    /* all of them, or NULL: */
        const char *body; /* the next one begins at or after `at`, the array ends before `end` */
        size_t at, end;
        size_t n; /* given so far */
} Rows;

/* Scans, parses what is not a row. `shared`: pointers that are looked up in *ret_root; when one of
 * them leads into the rows all is parsed at once. `rows` leads to an array in *ret_root, else
 * nothing is found there and rows_next must not be called. Same results as decode_load. */
int decode_open(const char *body, size_t n, const Pointer *rows, const Pointer *const *shared,
                size_t n_shared, Diag *diag, json_t **ret_root, Rows *ret);
/* *ret: new reference, NULL after the last. */
int rows_next(Rows *rows, Diag *diag, json_t **ret);

/* Strings as they are, integers and booleans as JSON writes them, else NULL. `room` may hold the
 * result. */
#define SCALAR_MAX 32u
const char *scalar_text(const json_t *value, char room[static SCALAR_MAX]);

/* "POINTER=TEXT[|TEXT]". */
typedef struct PointerTest {
        Pointer pointer;
        char *texts; /* as written after '='; NULL: not compiled, holds always */
} PointerTest;

int pointer_test_compile(PointerTest *t, const char *text);
void pointer_test_done(PointerTest *t);
bool pointer_test_holds(const PointerTest *t, const json_t *root);
