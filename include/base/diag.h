/* Text for people, collected on the way: errors, warnings and notes with file, line and key.
 *
 * A function that can fail for reasons which a person must read takes a `Diag *` (may be NULL: then
 * nothing is collected) and adds to it; its int result still tells the program what happened.
 * Running out of memory while adding sets `is_truncated` and drops the text, never the result. */
#pragma once

#include "base/macro.h"

#define DIAG_MAX_ITEMS 1000u /* further ones are counted, not kept: is_truncated */

typedef enum DiagLevel { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR } DiagLevel;

typedef struct DiagItem {
        DiagLevel level;
        char *file;    /* or NULL */
        unsigned line; /* 1-based; 0 = none */
        char *key;     /* "section.key" or NULL */
        char *text;    /* reason: what is wrong and what happens next; one line */
} DiagItem;

typedef struct Diag {
        DiagItem *items; /* in order of discovery */
        size_t n, cap;
        size_t n_errors, n_warnings;
        bool is_truncated;
} Diag;

#define DIAG_INIT ((Diag){0})

/* The strings are copied, made one printable line each; a text is cut at 2047 bytes. */
void diag_add(Diag *d, DiagLevel level, const char *file, unsigned line, const char *key,
              const char *format, ...) PRINTF_LIKE(6, 7);
#define diag_error(d, file, line, key, ...)                                                        \
        diag_add((d), DIAG_ERROR, (file), (line), (key), __VA_ARGS__)
#define diag_warning(d, file, line, key, ...)                                                      \
        diag_add((d), DIAG_WARNING, (file), (line), (key), __VA_ARGS__)

/* "FILE:LINE: KEY: TEXT" (parts that are absent are left out), as a heap string, or NULL when out
 * of memory. */
char *diag_item_format(const DiagItem *item);

/* The text of the first error, or `otherwise`. Valid while the Diag lives. */
const char *diag_first_error(const Diag *d, const char *otherwise);

void diag_done(Diag *d);
