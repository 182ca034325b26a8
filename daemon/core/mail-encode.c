/* The encodings of mail.
 *
 * RFC 2047: an encoded word is at most 75 long, a line with one at most 76, and no character is
 * split over two words. Q or B is chosen once per header by length: Q for mostly ASCII, B for
 * Vietnamese, where every second letter has two or three bytes. In quoted-printable a leading "."
 * and "From " are encoded as well: relays that forget dot-stuffing or write mbox files cannot hurt
 * the text. */
#include "core/mail-encode.h"

#include <errno.h>

static bool is_plain(unsigned char c) {
        return c >= 0x20 && c < 0x7f;
}

/* Bytes of the UTF-8 character at text, never beyond the NUL. */
static size_t character_length(const char *text) {
        size_t n = 1;
        while (n < 4 && ((unsigned char) text[n] & 0xC0) == 0x80)
                n++;
        return n;
}

/* ---- encoded words --------------------------------------------------------------------------- */

#define WORD_MAX 75u
#define WORD_START_Q "=?UTF-8?Q?"
#define WORD_START_B "=?UTF-8?B?"
#define WORD_FRAME 12u /* =?UTF-8?Q? and ?= */

/* Safe in phrases as well (RFC 2047 5.3). */
static bool is_q_literal(unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("!*+-/", c));
}

static size_t q_length(const char *text, size_t n) {
        size_t length = 0;
        for (size_t i = 0; i < n; i++)
                length += is_q_literal((unsigned char) text[i]) || text[i] == ' ' ? 1 : 3;
        return length;
}

static size_t b_length(size_t n) {
        return (n + 2) / 3 * 4;
}

static int append_q(Buf *out, const char *text, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                unsigned char c = (unsigned char) text[i];
                if (is_q_literal(c) || c == ' ')
                        r = buf_char(out, c == ' ' ? '_' : (char) c);
                else
                        r = buf_printf(out, "=%02X", c);
        }
        return r;
}

static const char base64_letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int append_b(Buf *out, const char *text, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i += 3) {
                size_t k = MIN(n - i, (size_t) 3);
                uint32_t bits = (uint32_t) (unsigned char) text[i] << 16;
                bits |= k > 1 ? (uint32_t) (unsigned char) text[i + 1] << 8 : 0;
                bits |= k > 2 ? (unsigned char) text[i + 2] : 0;
                char four[4] = {base64_letters[bits >> 18], base64_letters[bits >> 12 & 63],
                                k > 1 ? base64_letters[bits >> 6 & 63] : '=',
                                k > 2 ? base64_letters[bits & 63] : '='};
                r = buf_append(out, four, sizeof four);
        }
        return r;
}

/* Bytes from text on whose encoded word has at most `room` columns; whole characters, at least one.
 */
static size_t word_fill(const char *text, bool is_q, size_t room) {
        size_t n = 0, length = 0;
        while (text[n]) {
                size_t k = character_length(text + n);
                length = is_q ? length + q_length(text + n, k) : b_length(n + k);
                if (n > 0 && length > room)
                        break;
                n += k;
        }
        return n;
}

static int append_encoded(Buf *out, const char *text, size_t column) {
        bool is_q = q_length(text, strlen(text)) <= b_length(strlen(text));
        bool is_first = true;
        int r = 0;
        while (r == 0 && *text) {
                size_t limit = MIN((size_t) WORD_MAX, MAIL_LINE - MIN(column, (size_t) MAIL_LINE));
                size_t least = WORD_FRAME + 12; /* one character of four bytes in Q */
                if (!is_first || limit < least) {
                        r = buf_str(out, "\r\n ");
                        column = 1;
                        limit = WORD_MAX;
                }
                size_t n = word_fill(text, is_q, limit - WORD_FRAME);
                if (r == 0)
                        r = buf_str(out, is_q ? WORD_START_Q : WORD_START_B);
                if (r == 0)
                        r = is_q ? append_q(out, text, n) : append_b(out, text, n);
                if (r == 0)
                        r = buf_str(out, "?=");
                text += n;
                is_first = false;
        }
        return r;
}

/* ---- plain words ----------------------------------------------------------------------------- */

static bool needs_quotes(const char *text) {
        return strpbrk(text, "()<>[]:;@\\,.\"") != NULL;
}

/* Plain ASCII that can be folded at single blanks and that nobody takes for an encoded word. */
static bool is_foldable(const char *text, size_t column) {
        size_t word = column;
        if (strstr(text, "=?") || strstr(text, "  ") || text[0] == ' ')
                return false;
        for (const char *s = text; *s; s++) {
                if (!is_plain((unsigned char) *s))
                        return false;
                word = *s == ' ' ? 1 : word + 1;
                if (word > MAIL_LINE)
                        return false;
        }
        return true;
}

static int append_plain(Buf *out, const char *text, size_t column) {
        int r = 0;
        while (r == 0 && *text) {
                size_t n = strcspn(text + 1, " ") + 1; /* with the blank before it */
                if (text[0] == ' ' && column + n > MAIL_LINE) {
                        r = buf_str(out, "\r\n");
                        column = 0;
                }
                if (r == 0)
                        r = buf_append(out, text, n);
                column += n;
                text += n;
        }
        return r;
}

static int append_quoted_string(Buf *out, const char *text) {
        int r = buf_char(out, '"');
        for (; r == 0 && *text; text++) {
                if (*text == '"' || *text == '\\')
                        r = buf_char(out, '\\');
                if (r == 0)
                        r = buf_char(out, *text);
        }
        return r < 0 ? r : buf_char(out, '"');
}

int mail_encode_words(Buf *out, const char *text, size_t column, bool is_phrase) {
        bool is_quoted = is_phrase && needs_quotes(text);
        if (!is_foldable(text, column) || (is_quoted && column + 2 * strlen(text) + 2 > MAIL_LINE))
                return append_encoded(out, text, column);
        return is_quoted ? append_quoted_string(out, text) : append_plain(out, text, column);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static bool is_attribute_char(unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("!#$&+-.^_`{|}~", c));
}

/* Bytes from text on that make at most `room` columns in RFC 2231's percent form; whole characters.
 */
static size_t piece_fill(const char *text, size_t room) {
        size_t n = 0, length = 0;
        while (text[n]) {
                size_t k = character_length(text + n);
                length += k == 1 && is_attribute_char((unsigned char) text[n]) ? 1 : 3 * k;
                if (n > 0 && length > room)
                        break;
                n += k;
        }
        return n;
}

static int append_piece(Buf *out, const char *text, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                unsigned char c = (unsigned char) text[i];
                r = is_attribute_char(c) ? buf_char(out, (char) c) : buf_printf(out, "%%%02X", c);
        }
        return r;
}

int mail_encode_parameter(Buf *out, const char *name, const char *value) {
        bool is_simple = strlen(value) + strlen(name) < 60 && !strpbrk(value, "\"\\");
        for (const char *s = value; *s && is_simple; s++)
                is_simple = is_plain((unsigned char) *s);
        if (is_simple)
                return buf_printf(out, ";\r\n %s=\"%s\"", name, value);
        int r = 0;
        for (unsigned i = 0; r == 0 && (*value || i == 0); i++) {
                size_t n = piece_fill(value, 48);
                r = buf_printf(out, ";\r\n %s*%u*=%s", name, i, i == 0 ? "UTF-8''" : "");
                if (r == 0)
                        r = append_piece(out, value, n);
                value += n;
        }
        return r;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

int mail_encode_base64(Buf *out, const char *data, size_t n) {
        const size_t per_line = MAIL_LINE / 4 * 3;
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i += per_line) {
                r = append_b(out, data + i, MIN(n - i, per_line));
                if (r == 0)
                        r = buf_str(out, "\r\n");
        }
        return r;
}

/* One byte of a line, encoded; is_last: nothing follows on the line; is_start: it begins an output
 * line. */
static int quoted_byte(char ret[static 4], const char *s, bool is_last, bool is_start) {
        unsigned char c = (unsigned char) *s;
        bool is_literal = (is_plain(c) || c == '\t') && c != '=';
        if (is_last && (c == ' ' || c == '\t'))
                is_literal = false;
        if (is_start && (c == '.' || (c == 'F' && strncmp(s, "From ", 5) == 0)))
                is_literal = false;
        if (is_literal) {
                ret[0] = (char) c;
                return 1;
        }
        static const char digits[] = "0123456789ABCDEF";
        ret[0] = '=';
        ret[1] = digits[c >> 4];
        ret[2] = digits[c & 15];
        return 3;
}

static int quoted_line(Buf *out, const char *line, size_t n) {
        size_t column = 0;
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                char bytes[4];
                bool is_last = i + 1 == n;
                size_t k = (size_t) quoted_byte(bytes, line + i, is_last, column == 0);
                if (column + k > MAIL_LINE - (is_last ? 0 : 1)) {
                        r = buf_str(out, "=\r\n");
                        column = 0;
                        k = (size_t) quoted_byte(bytes, line + i, is_last, /* is_start= */ true);
                }
                if (r == 0)
                        r = buf_append(out, bytes, k);
                column += k;
        }
        return r < 0 ? r : buf_str(out, "\r\n");
}

int mail_encode_quoted(Buf *out, const char *text, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < n;) {
                const char *nl = memchr(text + i, '\n', n - i);
                size_t end = nl ? (size_t) (nl - text) : n;
                size_t length = end - i;
                if (nl && length > 0 && text[end - 1] == '\r')
                        length--;
                r = quoted_line(out, text + i, length);
                i = end + 1;
        }
        return r;
}
