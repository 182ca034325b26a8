/* Text from outside. The only file that knows libutf8proc.
 *
 * Cleaning filters code points first and composes last: taking a zero-width character out of a
 * composed text can bring a base and its mark together, which would then no longer be NFC. Filter,
 * then NFC, is idempotent, which the fuzz target holds. What is invisible is decided by Unicode's
 * categories and its default-ignorable property instead of a list of our own: a list was tried and
 * missed U+034F and the variation selectors. */
#include <errno.h>
#include <utf8proc.h>

#include "base/text.h"

#define CLEAN_MAX 4096u /* bytes of a name */
#define REPLACEMENT "\uFFFD"
#define ELLIPSIS "\u2026"

/* One step through text of unknown quality: the code point at s, or -1 for a byte that is no part
 * of any. Returns the bytes it takes, at least 1. n > 0. */
static size_t next_point(const char *s, size_t n, utf8proc_int32_t *ret) {
        utf8proc_ssize_t size =
                utf8proc_iterate((const utf8proc_uint8_t *) s, (utf8proc_ssize_t) MIN(n, 4u), ret);

        if (size > 0)
                return (size_t) size;
        *ret = -1;
        return 1;
}

static bool is_control(utf8proc_int32_t c) {
        return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

static bool is_bidi(utf8proc_int32_t c) {
        return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
               (c >= 0x2066 && c <= 0x2069);
}

static bool is_line_end(utf8proc_int32_t c) {
        return c == 0x2028 || c == 0x2029;
}

static bool is_space(utf8proc_int32_t c) {
        return (c >= '\t' && c <= '\r') || c == 0x85 || is_line_end(c) ||
               utf8proc_category(c) == UTF8PROC_CATEGORY_ZS;
}

static bool is_invisible(utf8proc_int32_t c) {
        return is_control(c) || utf8proc_category(c) == UTF8PROC_CATEGORY_CF ||
               utf8proc_get_property(c)->ignorable;
}

static bool is_ascii(char c) { /* and no NUL */
        return c != '\0' && (unsigned char) c < 0x80;
}

bool text_is_utf8(const char *text, size_t n) {
        utf8proc_int32_t c;

        for (size_t i = 0; i < n;) {
                if (is_ascii(text[i])) { /* most of it is */
                        i++;
                        continue;
                }
                i += next_point(text + i, n - i, &c);
                if (c <= 0)
                        return false;
        }
        return true;
}

static int map_error(utf8proc_ssize_t r) {
        switch (r) {
        case UTF8PROC_ERROR_NOMEM:
                return -ENOMEM;
        case UTF8PROC_ERROR_OVERFLOW:
                return -E2BIG;
        default:
                return -EILSEQ;
        }
}

static int map(const char *text, size_t n, utf8proc_option_t options, char **ret) {
        utf8proc_uint8_t *mapped = NULL;
        utf8proc_ssize_t r = utf8proc_map((const utf8proc_uint8_t *) text, (utf8proc_ssize_t) n,
                                          &mapped, options);

        if (r < 0)
                return map_error(r);
        *ret = (char *) mapped;
        return 0;
}

/* Visible characters with single spaces between them. */
static int append_visible(Buf *b, const char *text, size_t n) {
        bool is_gap = false;
        utf8proc_int32_t c;

        for (size_t i = 0, size; i < n; i += size) {
                size = next_point(text + i, n - i, &c);
                if (is_space(c)) {
                        is_gap = true;
                        continue;
                }
                if (is_invisible(c))
                        continue;
                int r = is_gap && b->len > 0 ? buf_char(b, ' ') : 0;
                if (r < 0)
                        return r;
                r = buf_append(b, text + i, size);
                if (r < 0)
                        return r;
                is_gap = false;
        }
        return 0;
}

/* Codes are; there is nothing to be cleaned then. */
static bool is_plain(const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (text[i] <= ' ' || text[i] > '~')
                        return false;
        return true;
}

int text_clean(const char *text, size_t n, char **ret) {
        CLEANUP(buf_done) Buf b = BUF_INIT(CLEAN_MAX);

        if (n > CLEAN_MAX)
                return -E2BIG;
        if (is_plain(text, n)) {
                char *copy = strndup(text, n);
                if (!copy)
                        return -ENOMEM;
                *ret = copy;
                return 0;
        }
        if (!text_is_utf8(text, n))
                return -EILSEQ;
        int r = append_visible(&b, text, n);
        if (r < 0)
                return r;
        return map(buf_text(&b), b.len, UTF8PROC_STABLE | UTF8PROC_COMPOSE, ret);
}

static size_t point_width(utf8proc_int32_t c) {
        if (c < 0)
                return 1; /* shown as U+FFFD */
        int width = utf8proc_charwidth(c);
        return width > 0 ? (size_t) width : 0;
}

/* Bytes at the head of text[0..n) that fit into `columns`, and their width. Marks stay with what
 * they stand on. */
static size_t fit(const char *text, size_t n, size_t columns, size_t *ret_width) {
        size_t i = 0, width = 0;
        utf8proc_int32_t c;

        while (i < n) {
                size_t size = next_point(text + i, n - i, &c);
                size_t w = point_width(c);
                if (w > columns - width)
                        break;
                width += w;
                i += size;
        }
        *ret_width = width;
        return i;
}

bool text_is_formula(const char *text) {
        text += strspn(text, "'");
        return *text && strchr("=+-@\t\r", *text);
}

bool text_is_dots(const char *text) {
        size_t dots = 0;

        for (; *text; text++) {
                if (strncmp(text, "\xe2\x80\xa6", 3) == 0) {
                        dots += 3;
                        text += 2;
                } else if (*text == '.')
                        dots++;
                else if (*text != ' ')
                        return false;
        }
        return dots >= 3;
}

size_t text_width(const char *text) {
        size_t width;

        (void) fit(text, strlen(text), SIZE_MAX, &width);
        return width;
}

static int append_blanks(Buf *b, size_t n) {
        for (; n > 0; n--) {
                int r = buf_char(b, ' ');
                if (r < 0)
                        return r;
        }
        return 0;
}

/* text[0..n) of the given width, an ellipsis, and blanks on one side up to `columns`. */
static int append_cell(Buf *b, const char *text, size_t n, size_t n_blanks, const char *ellipsis,
                       bool is_right) {
        int r = append_blanks(b, is_right ? n_blanks : 0);
        if (r < 0)
                return r;
        r = buf_append(b, text, n);
        if (r < 0)
                return r;
        r = buf_str(b, ellipsis);
        if (r < 0)
                return r;
        return append_blanks(b, is_right ? 0 : n_blanks);
}

int text_pad(Buf *b, const char *text, size_t columns, bool is_right) {
        const char *ellipsis = "";
        size_t before = b->len, n = strlen(text), width;

        size_t fitting = fit(text, n, columns, &width);
        if (fitting < n && columns == 0)
                fitting = 0;
        else if (fitting < n) {
                fitting = fit(text, n, columns - 1, &width);
                width++;
                ellipsis = ELLIPSIS;
        }
        int r = append_cell(b, text, fitting, columns - width, ellipsis, is_right);
        if (r < 0)
                buf_truncate(b, before);
        return r;
}

/* Appends the form that one character takes; c is -1 for a byte that is not UTF-8. */
typedef int (*AppendPoint)(Buf *b, utf8proc_int32_t c, const char *s, size_t n);

static int append_each(Buf *b, const char *text, size_t n, AppendPoint append) {
        size_t before = b->len;
        utf8proc_int32_t c;

        int r = buf_append(b, "", 0);
        for (size_t i = 0, size; i < n && r == 0; i += size) {
                size = next_point(text + i, n - i, &c);
                r = append(b, c, text + i, size);
        }
        if (r < 0)
                buf_truncate(b, before);
        return r;
}

static int append_printable(Buf *b, utf8proc_int32_t c, const char *s, size_t n) {
        if (c < 0)
                return buf_str(b, REPLACEMENT);
        if (is_control(c) || is_line_end(c) || is_bidi(c))
                return buf_char(b, ' ');
        return buf_append(b, s, n);
}

int text_append_printable(Buf *b, const char *text, size_t n) {
        return append_each(b, text, n, append_printable);
}

static int append_json(Buf *b, utf8proc_int32_t c, const char *s, size_t n) {
        switch (c) {
        case -1:
                return buf_str(b, REPLACEMENT);
        case '"':
                return buf_str(b, "\\\"");
        case '\\':
                return buf_str(b, "\\\\");
        case '\b':
                return buf_str(b, "\\b");
        case '\f':
                return buf_str(b, "\\f");
        case '\n':
                return buf_str(b, "\\n");
        case '\r':
                return buf_str(b, "\\r");
        case '\t':
                return buf_str(b, "\\t");
        default:
                /* JSON allows U+2028 and U+2029, older JavaScript does not. */
                if (is_control(c) || is_line_end(c))
                        return buf_printf(b, "\\u%04x", (unsigned) c);
                return buf_append(b, s, n);
        }
}

/* Bytes at the head of text[0..n) that stand in a string as they are. */
static size_t json_run(const char *text, size_t n) {
        utf8proc_int32_t c;
        size_t i = 0, size;

        for (; i < n; i += size) {
                c = text[i];
                size = is_ascii(text[i]) ? 1 : next_point(text + i, n - i, &c);
                if (c < 0 || is_control(c) || is_line_end(c) || c == '"' || c == '\\')
                        break;
        }
        return i;
}

/* By runs: this is most of the work of a large answer. */
int text_append_json(Buf *b, const char *text, size_t n) {
        size_t before = b->len;
        int r = 0;

        for (size_t i = 0; r == 0; i++) {
                size_t run = json_run(text + i, n - i);

                r = buf_append(b, text + i, run);
                i += run;
                if (r < 0 || i == n)
                        break;
                utf8proc_int32_t c;
                size_t size = next_point(text + i, n - i, &c);
                r = append_json(b, c, text + i, size);
                i += size - 1;
        }
        if (r < 0)
                buf_truncate(b, before);
        return r;
}

static int append_html(Buf *b, utf8proc_int32_t c, const char *s, size_t n) {
        switch (c) {
        case '&':
                return buf_str(b, "&amp;");
        case '<':
                return buf_str(b, "&lt;");
        case '>':
                return buf_str(b, "&gt;");
        case '"':
                return buf_str(b, "&quot;");
        case '\'':
                return buf_str(b, "&#39;");
        case '\t':
        case '\n':
        case '\r':
                return buf_append(b, s, n);
        default:
                /* Control characters have no place in HTML, not even as references. */
                if (c < 0 || is_control(c))
                        return buf_str(b, REPLACEMENT);
                return buf_append(b, s, n);
        }
}

int text_append_html(Buf *b, const char *text, size_t n) {
        return append_each(b, text, n, append_html);
}

static bool is_unreserved(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '~';
}

int text_append_url(Buf *b, const char *text, size_t n) {
        size_t before = b->len;

        int r = buf_append(b, "", 0);
        for (size_t i = 0; i < n && r == 0; i++)
                r = is_unreserved(text[i]) ? buf_char(b, text[i])
                                           : buf_printf(b, "%%%02X", (unsigned char) text[i]);
        if (r < 0)
                buf_truncate(b, before);
        return r;
}

static int append_lower(Buf *b, utf8proc_int32_t c, const char *s UNUSED, size_t n UNUSED) {
        utf8proc_uint8_t bytes[4];

        c = utf8proc_tolower(c);
        /* The stroke of U+0111 is part of the letter, no mark that decomposition could take off. */
        if (c == 0x0111)
                return buf_char(b, 'd');
        return buf_append(b, bytes, (size_t) utf8proc_encode_char(c, bytes));
}

int text_fold(const char *text, char **ret) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP_FREE char *bare = NULL;

        int r = map(text, strlen(text), UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK,
                    &bare);
        if (r < 0)
                return r;
        r = append_each(&b, bare, strlen(bare), append_lower);
        if (r < 0)
                return r;
        char *folded = buf_take(&b);
        if (!folded)
                return -ENOMEM;
        *ret = folded;
        return 0;
}

static int append_upper(Buf *b, utf8proc_int32_t c, const char *s UNUSED, size_t n UNUSED) {
        utf8proc_uint8_t bytes[4];

        return buf_append(b, bytes, (size_t) utf8proc_encode_char(utf8proc_toupper(c), bytes));
}

int text_append_upper(Buf *b, const char *text) {
        return append_each(b, text, strlen(text), append_upper);
}
