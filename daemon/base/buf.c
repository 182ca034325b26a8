/* Growable buffer with a maximum that its owner names.
 *
 * Invariants: len <= max; data is NULL or has cap > len bytes with data[len] == 0. Room is made
 * before anything is changed, so a failure leaves the buffer as it was. The maximum is checked
 * first: bytes beyond it are never even allocated, which is what bounds a publisher who sends
 * without end. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"

#define FIRST_CAP 64u

/* Room for n further bytes and the NUL. */
static int reserve(Buf *b, size_t n) {
        if (n > b->max - b->len || n >= (size_t) PTRDIFF_MAX - b->len)
                return -E2BIG;

        size_t need = b->len + n + 1;
        if (need <= b->cap)
                return 0;
        size_t want = MAX(need, MAX(b->cap + b->cap / 2, FIRST_CAP));
        /* Past max only the NUL is of use. */
        if (b->max < want - 1)
                want = b->max + 1;

        char *data = realloc(b->data, want);
        if (!data)
                return -ENOMEM;
        b->data = data;
        b->cap = want;
        b->data[b->len] = '\0';
        return 0;
}

int buf_append(Buf *b, const void *data, size_t n) {
        int r = reserve(b, n);
        if (r < 0)
                return r;
        if (n > 0)
                memcpy(b->data + b->len, data, n);
        b->len += n;
        b->data[b->len] = '\0';
        return 0;
}

int buf_str(Buf *b, const char *s) {
        return buf_append(b, str_or(s, ""), s ? strlen(s) : 0);
}

int buf_char(Buf *b, char c) {
        return buf_append(b, &c, 1);
}

int buf_printf(Buf *b, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int r = buf_vprintf(b, format, ap);
        va_end(ap);
        return r;
}

int buf_vprintf(Buf *b, const char *format, va_list ap) {
        va_list again;

        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (n < 0)
                return -E2BIG; /* longer than INT_MAX; our formats have no other way to fail */

        int r = reserve(b, (size_t) n);
        if (r < 0)
                return r;
        (void) vsnprintf(b->data + b->len, (size_t) n + 1, format, ap);
        b->len += (size_t) n;
        return 0;
}

void buf_truncate(Buf *b, size_t len) {
        if (len >= b->len)
                return;
        b->len = len;
        b->data[len] = '\0';
}

void buf_clear(Buf *b) {
        buf_truncate(b, 0);
}

void buf_done(Buf *b) {
        free(b->data);
        b->data = NULL;
        b->len = b->cap = 0;
}

char *buf_take(Buf *b) {
        char *data = b->data ? b->data : calloc(1, 1);
        if (!data)
                return NULL;
        b->data = NULL;
        b->len = b->cap = 0;
        return data;
}
