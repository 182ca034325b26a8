/* Growable byte buffer with a named maximum: whatever is fed from outside ends up in one of these.
 *
 * `data` is NUL-terminated after every successful call (the NUL is not counted in `len`). A Buf
 * lives as a member or on the stack: `CLEANUP(buf_done) Buf b = BUF_INIT(limit);`. */
#pragma once

#include <stdarg.h>

#include "base/macro.h"

typedef struct Buf {
        char *data; /* NULL while empty and never written */
        size_t len; /* bytes */
        size_t cap; /* bytes, including the NUL */
        size_t max; /* upper bound of len in bytes; appending beyond is refused */
} Buf;

#define BUF_MAX_TEXT ((size_t) 16 << 20) /* for text that we make ourselves */
#define BUF_INIT(limit) ((Buf){.max = (limit)})

/* All appenders return 0, -ENOMEM, or -E2BIG when `max` would be passed; on failure the buffer is
 * as before. */
int buf_append(Buf *b, const void *data, size_t n);
int buf_str(Buf *b, const char *s); /* NULL counts as "" */
int buf_char(Buf *b, char c);
int buf_printf(Buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
int buf_vprintf(Buf *b, const char *format, va_list ap) PRINTF_LIKE(2, 0);

/* Cuts back to `len` bytes (a longer `len` changes nothing), to take back what was appended. */
void buf_truncate(Buf *b, size_t len);
/* Empties without giving memory back. */
void buf_clear(Buf *b);
void buf_done(Buf *b);

/* Hands out the bytes as a heap string (never NULL on success: "" when empty) and leaves the buffer
 * empty. Returns NULL only when memory ran out. */
char *buf_take(Buf *b);

/* The text so far, never NULL. Valid until the next change. */
static inline const char *buf_text(const Buf *b) {
        return b->data ? b->data : "";
}
