/* Text from outside: UTF-8 checks, NFC, display width, safe forms. Home of libutf8proc.
 *
 * Published names arrive in NFC, NFD and half-decomposed forms (32 ward names of the 2025 list),
 * with NBSP, zero-width and control characters. Everything is brought to NFC before it is compared
 * or stored; bodies keep the original. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"

/* True when text[0..n) is valid UTF-8 (RFC 3629: no surrogates, nothing overlong) without NUL. */
bool text_is_utf8(const char *text, size_t n);

/* NFC of text[0..n), with runs of blanks (incl. NBSP, U+202F, tabs, line ends) folded to one space,
 * trimmed, and control, zero-width and bidi characters removed. Heap string in *ret. Returns 0,
 * -ENOMEM, -EILSEQ (not UTF-8), -E2BIG (over 4096 bytes: a name, not a document). */
int text_clean(const char *text, size_t n, char **ret);

/* True of "...", of any longer row of dots and of U+2026: "and so on". */
bool text_is_dots(const char *text);

/* True of text that a spreadsheet would take for a formula, were it not for apostrophes before it. In
 * CSV such a cell gets one more apostrophe, and a reader takes one off. */
bool text_is_formula(const char *text);

/* Columns on a terminal (East Asian width and combining marks by utf8proc). text must be UTF-8. */
size_t text_width(const char *text);

/* Appends text cut or padded with blanks to exactly `columns` display columns; a cut ends in
 * U+2026. is_right aligns right. */
int text_pad(Buf *b, const char *text, size_t columns, bool is_right);

/* Appends text without control, line-end and bidi characters (each becomes one space): for logs,
 * mail headers, terminals. Invalid UTF-8 bytes become U+FFFD. */
int text_append_printable(Buf *b, const char *text, size_t n);

/* Appends text as a JSON string body (without the quotes), as an HTML text, as a URL component (RFC
 * 3986). */
int text_append_json(Buf *b, const char *text, size_t n);
int text_append_html(Buf *b, const char *text, size_t n);
int text_append_url(Buf *b, const char *text, size_t n);

/* Simple fold for *suggestions only*, never for decisions: NFD without marks, lower case, d-stroke
 * to d. Heap string. */
int text_fold(const char *text, char **ret);

/* Appends text in capitals, as letterheads want it: "Tiên Lữ" becomes "TIÊN LỮ". */
int text_append_upper(Buf *b, const char *text);
