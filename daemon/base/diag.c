/* Diagnostics for people.
 *
 * What a message quotes comes from outside (a key, a publisher's words), so every text becomes one
 * printable line of bounded length here, once, instead of at each of the places that print it. The
 * number of items is bounded for the same reason: a file of a million wrong lines is one finding,
 * not a million. The counters count everything. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/text.h"

/* Bytes of one text, before it is made printable. */
#define TEXT_MAX 2048u

static void item_done(DiagItem *item) {
        free(item->file);
        free(item->key);
        free(item->text);
        *item = (DiagItem){0};
}

/* vsnprintf() cuts anywhere; a character cut in half would show as a replacement character. */
static size_t without_cut_character(const char *s, size_t n) {
        size_t end = n;

        while (end > 0 && n - end < 3 && ((unsigned char) s[end - 1] & 0xC0) == 0x80)
                end--;
        if (end == 0)
                return n;
        unsigned char lead = (unsigned char) s[end - 1];
        size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        return n - (end - 1) < size ? end - 1 : n;
}

static char *printable(const char *s, size_t n) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);

        if (text_append_printable(&b, s, n) < 0)
                return NULL;
        return buf_take(&b);
}

static PRINTF_LIKE(1, 0) char *format_text(const char *format, va_list ap) {
        char text[TEXT_MAX];

        int n = vsnprintf(text, sizeof text, format, ap);
        if (n < 0)
                return NULL;
        if ((size_t) n < sizeof text)
                return printable(text, (size_t) n);
        return printable(text, without_cut_character(text, sizeof text - 1));
}

static PRINTF_LIKE(4, 0) int item_init(DiagItem *item, const char *file, const char *key,
                                       const char *format, va_list ap) {
        item->text = format_text(format, ap);
        if (file)
                item->file = printable(file, strlen(file));
        if (key)
                item->key = printable(key, strlen(key));
        if (item->text && (!file || item->file) && (!key || item->key))
                return 0;
        item_done(item);
        return -ENOMEM;
}

void diag_add(Diag *d, DiagLevel level, const char *file, unsigned line, const char *key,
              const char *format, ...) {
        va_list ap;

        if (!d)
                return;
        d->n_errors += level == DIAG_ERROR;
        d->n_warnings += level == DIAG_WARNING;
        if (d->n >= DIAG_MAX_ITEMS || ARRAY_GROW(d->items, d->cap, d->n + 1) < 0) {
                d->is_truncated = true;
                return;
        }

        DiagItem item = {.level = level, .line = line};
        va_start(ap, format);
        int r = item_init(&item, file, key, format, ap);
        va_end(ap);
        if (r < 0)
                d->is_truncated = true;
        else
                d->items[d->n++] = item;
}

static int append_place(Buf *b, const DiagItem *item) {
        int r = 0;

        if (item->file && item->line > 0)
                r = buf_printf(b, "%s:%u: ", item->file, item->line);
        else if (item->file)
                r = buf_printf(b, "%s: ", item->file);
        else if (item->line > 0)
                r = buf_printf(b, "%u: ", item->line);
        if (r < 0 || !item->key)
                return r;
        return buf_printf(b, "%s: ", item->key);
}

char *diag_item_format(const DiagItem *item) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);

        if (append_place(&b, item) < 0 || buf_str(&b, item->text) < 0)
                return NULL;
        return buf_take(&b);
}

const char *diag_first_error(const Diag *d, const char *otherwise) {
        for (size_t i = 0; d && i < d->n; i++)
                if (d->items[i].level == DIAG_ERROR)
                        return d->items[i].text;
        return otherwise;
}

void diag_done(Diag *d) {
        for (size_t i = 0; i < d->n; i++)
                item_done(&d->items[i]);
        free(d->items);
        *d = DIAG_INIT;
}
