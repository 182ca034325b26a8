/* Inside of core/decode: bounded loading, compiled pointers, tests of a pointer's text. */
#pragma once

#include <jansson.h>

#include "base/diag.h"
#include "base/macro.h"

/* `return REJECT(diag, "why %s", ...)`: the answer is never acceptable. */
#define REJECT(diag, ...) (diag_error((diag), NULL, 0, NULL, __VA_ARGS__), DECODE_E_REJECTED)

/* Scans, then parses. *ret is a new reference. Returns 0, DECODE_E_REJECTED with the reason,
 * -ENOMEM. */
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
