/* Decimal numbers as scaled integers (semantics 1): the value 82.71 with 2 decimals is 8271.
 *
 * No binary floating point takes part: comparison, sum, delta and rank are integer work, ratios are
 * compared by cross-multiplication in 128 bits. Digits beyond `decimals` are rounded half away from
 * zero. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"

#define DECIMAL_NONE INT64_MIN                 /* "no value"; missing is never zero */
#define DECIMAL_LIMIT INT64_C(100000000000000) /* |scaled value| <= 10^14 */
#define DECIMAL_MAX_DECIMALS 4u

/* How a source writes numbers; declared per source, never guessed per value. */
typedef enum DecimalStyle {
        DECIMAL_DOT,   /* "19.81", "1,234.5" is refused (no grouping but NBSP, U+202F) */
        DECIMAL_COMMA, /* "82,71"; "30.204" is thirty thousand two hundred and four (groups of
                          three) */
} DecimalStyle;

enum {
        DECIMAL_E_MISSING = 1, /* "", "-", U+2013 alone: no value */
        DECIMAL_E_SYNTAX = 2,  /* "1.234,5,6", "1e2", "NaN", trailing text */
        DECIMAL_E_RANGE = 3,   /* beyond DECIMAL_LIMIT; of a double also an exponent beyond +-30 */
};

/* Reads all of text[0..n). Signs: + - U+2212 U+2013. Surrounding ASCII blanks are skipped; NBSP and
 * U+202F between digits are grouping. An exponent is trailing text: nobody writes a figure so. Returns
 * 0 and sets *ret, or DECIMAL_E_*. */
int decimal_parse(const char *text, size_t n, DecimalStyle style, unsigned decimals, int64_t *ret);

/* Reads a double as publishers' JSON has it: printed with 15 significant digits, then as above, with
 * the exponent that JSON's grammar allows, so that 1.005 rounds to 1.01. Same results. NaN and
 * infinities are DECIMAL_E_SYNTAX. */
int decimal_from_double(double value, unsigned decimals, int64_t *ret);

/* The same two; *ret_is_rounded (or NULL), set on success: whether a digit other than 0 was dropped. */
int decimal_read(const char *text, size_t n, DecimalStyle style, unsigned decimals, int64_t *ret,
                 bool *ret_is_rounded);
int decimal_read_double(double value, unsigned decimals, int64_t *ret, bool *ret_is_rounded);

/* value * 10^to / 10^from, rounded half away from zero; DECIMAL_NONE stays. Result saturates at
 * +-DECIMAL_LIMIT. */
int64_t decimal_rescale(int64_t value, unsigned from, unsigned to);

/* a * numerator / denominator, rounded half away from zero, 128 bits inside. denominator != 0.
 * DECIMAL_NONE in any operand stays. Result saturates at +-DECIMAL_LIMIT. */
int64_t decimal_muldiv(int64_t a, int64_t numerator, int64_t denominator);

/* Sign of a/b - c/d by cross-multiplication (b, d > 0). */
int decimal_ratio_compare(int64_t a, int64_t b, int64_t c, int64_t d);

/* For machines: "-82.71", always `decimals` digits; decimals = 0 gives "30204". Value must not be
 * DECIMAL_NONE. */
#define DECIMAL_TEXT_MAX 32u
const char *decimal_format(char text[static DECIMAL_TEXT_MAX], int64_t value, unsigned decimals);

/* For Vietnamese readers: "82,71", grouping dot "30.204", minus U+2212. DECIMAL_TRIM_WHOLE leaves
 * the digits out when they are all zero ("100" for 100.00); DECIMAL_SIGN writes "+0,24". The buffer
 * holds UTF-8. */
typedef enum DecimalFlags { DECIMAL_TRIM_WHOLE = 1 << 0, DECIMAL_SIGN = 1 << 1 } DecimalFlags;
const char *decimal_format_vi(char text[static DECIMAL_TEXT_MAX], int64_t value, unsigned decimals,
                              DecimalFlags flags);
