/* Decimal numbers as scaled integers.
 *
 * The reader collects significant digits and the place of the point; the exponent only moves the
 * point, so nothing is ever multiplied before the range is known. Rounding half away from zero
 * needs nothing but the first digit that is dropped, whatever follows it; this is why digits beyond
 * the 18th are counted, not kept.
 *
 * Only a JSON number has an exponent, since its grammar says so. Nobody writes a figure as "1e2" into a
 * cell or a string: there it is a slip, and 100 would be a guess.
 *
 * Strict on purpose: where a text can be read in two ways ("1,234" in dot style, "0.204" in comma
 * style, where a group cannot follow a zero) it is refused, since a wrong figure is worse than
 * none. strtod() was dropped: it follows the locale, reads "nan" and "0x1p3", and rounds 1.005
 * down. */
#include <math.h>
#include <stdio.h>

#include "base/decimal.h"

#define MAX_EXPONENT 30
#define KEPT_DIGITS 18 /* more than DECIMAL_LIMIT has, and 10^18 fits in int64_t */
#define GROUP_SIZE 3u

__extension__ typedef __int128 Wide;

static const int64_t powers[] = {1, 10, 100, 1000, 10000};
static_assert(ELEMENTSOF(powers) == DECIMAL_MAX_DECIMALS + 1, "one power per number of decimals");

typedef struct Reader {
        const char *at, *end;
        DecimalStyle style;
        bool has_exponents; /* the grammar of JSON numbers */
        bool is_negative;
        char digits[KEPT_DIGITS]; /* significant: the first is not '0' */
        unsigned n_digits;
        int64_t point; /* the value is 0.DIGITS * 10^point */
        bool is_cut;   /* a digit beyond the kept ones is not 0 */
} Reader;

static bool is_blank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool at_digit(const Reader *in) {
        return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool take(Reader *in, const char *token) {
        size_t n = strlen(token);

        if ((size_t) (in->end - in->at) < n || memcmp(in->at, token, n) != 0)
                return false;
        in->at += n;
        return true;
}

static void trim(Reader *in) {
        while (in->at < in->end && is_blank(*in->at))
                in->at++;
        while (in->at < in->end && is_blank(in->end[-1]))
                in->end--;
}

static bool is_missing(const Reader *in) {
        Reader probe = *in;

        return probe.at == probe.end ||
               ((take(&probe, "-") || take(&probe, "\u2013")) && probe.at == probe.end);
}

static void read_sign(Reader *in) {
        if (take(in, "-") || take(in, "\u2212") || take(in, "\u2013"))
                in->is_negative = true;
        else
                (void) take(in, "+");
}

/* Returns how many digits there were. Leading zeros are not significant; behind the point they move
 * it. */
static size_t read_digits(Reader *in, bool is_fraction) {
        size_t n = 0;

        for (; at_digit(in); in->at++, n++) {
                bool is_significant = in->n_digits > 0 || *in->at != '0';
                if (is_significant && in->n_digits < KEPT_DIGITS)
                        in->digits[in->n_digits++] = *in->at;
                else
                        in->is_cut |= *in->at != '0';
                in->point += is_fraction ? -!is_significant : is_significant;
        }
        return n;
}

static const char *take_separator(Reader *in) {
        static const char *const blanks[] = {"\u00A0", "\u202F"};

        for (size_t i = 0; i < ELEMENTSOF(blanks); i++)
                if (take(in, blanks[i]))
                        return blanks[i];
        return in->style == DECIMAL_COMMA && take(in, ".") ? "." : NULL;
}

/* "30204" or "30.204": groups of exactly three, one separator throughout, no group behind a leading
 * zero. */
static bool read_integer(Reader *in) {
        bool is_zero_first = at_digit(in) && *in->at == '0';
        size_t n_first = read_digits(in, /* is_fraction= */ false);
        if (n_first == 0)
                return false;

        const char *separator = take_separator(in);
        if (!separator)
                return true;
        if (n_first > GROUP_SIZE || is_zero_first)
                return false;
        do {
                if (read_digits(in, /* is_fraction= */ false) != GROUP_SIZE)
                        return false;
        } while (take(in, separator));
        return true;
}

static bool read_exponent(Reader *in, int *ret) {
        bool is_negative = take(in, "-");
        if (!is_negative)
                (void) take(in, "+");
        if (!at_digit(in))
                return false;

        int e = 0;
        for (; at_digit(in); in->at++)
                e = MIN(e * 10 + (*in->at - '0'), MAX_EXPONENT + 1);
        *ret = is_negative ? -e : e;
        return true;
}

static int read_number(Reader *in) {
        int exponent = 0;

        read_sign(in);
        if (!read_integer(in))
                return DECIMAL_E_SYNTAX;
        if (take(in, in->style == DECIMAL_COMMA ? "," : ".") &&
            read_digits(in, /* is_fraction= */ true) == 0)
                return DECIMAL_E_SYNTAX;
        if (in->has_exponents && (take(in, "e") || take(in, "E")) && !read_exponent(in, &exponent))
                return DECIMAL_E_SYNTAX;
        if (in->at != in->end)
                return DECIMAL_E_SYNTAX;
        if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT)
                return DECIMAL_E_RANGE;
        in->point += exponent;
        return 0;
}

static int scale(const Reader *in, unsigned decimals, int64_t *ret) {
        int64_t keep = in->point + (int64_t) decimals, v = 0;

        if (in->n_digits == 0 || keep < 0) {
                *ret = 0;
                return 0;
        }
        if (keep >= KEPT_DIGITS)
                return DECIMAL_E_RANGE;
        for (int64_t i = 0; i < keep; i++)
                v = v * 10 + (i < in->n_digits ? in->digits[i] - '0' : 0);
        if (keep < in->n_digits && in->digits[keep] >= '5')
                v++;
        if (v > DECIMAL_LIMIT)
                return DECIMAL_E_RANGE;
        *ret = in->is_negative ? -v : v;
        return 0;
}

/* Whether scaling drops a digit that is not 0. */
static bool is_rounded(const Reader *in, unsigned decimals) {
        int64_t keep = MAX(in->point + (int64_t) decimals, INT64_C(0));

        for (int64_t i = keep; i < in->n_digits; i++)
                if (in->digits[i] != '0')
                        return true;
        return in->is_cut;
}

static int read_all(Reader *in, unsigned decimals, int64_t *ret, bool *ret_is_rounded) {
        assert(decimals <= DECIMAL_MAX_DECIMALS);
        trim(in);
        if (is_missing(in))
                return DECIMAL_E_MISSING;
        int r = read_number(in);
        if (r == 0)
                r = scale(in, decimals, ret);
        if (r == 0 && ret_is_rounded)
                *ret_is_rounded = is_rounded(in, decimals);
        return r;
}

int decimal_read(const char *text, size_t n, DecimalStyle style, unsigned decimals, int64_t *ret,
                 bool *ret_is_rounded) {
        if (n == 0)
                return DECIMAL_E_MISSING;
        return read_all(&(Reader){.at = text, .end = text + n, .style = style}, decimals, ret,
                        ret_is_rounded);
}

int decimal_parse(const char *text, size_t n, DecimalStyle style, unsigned decimals, int64_t *ret) {
        return decimal_read(text, n, style, decimals, ret, /* ret_is_rounded= */ NULL);
}

/* Whatever the locale has for a point (a comma, or several bytes) becomes one dot. */
static size_t unify_point(char *text) {
        size_t n = 0;

        for (const char *c = text; *c; c++) {
                bool is_own = (*c >= '0' && *c <= '9') || *c == 'e' || *c == '+' || *c == '-';
                if (is_own)
                        text[n++] = *c;
                else if (n == 0 || text[n - 1] != '.')
                        text[n++] = '.';
        }
        return n;
}

int decimal_read_double(double value, unsigned decimals, int64_t *ret, bool *ret_is_rounded) {
        char text[64];

        if (!isfinite(value))
                return DECIMAL_E_SYNTAX;
        (void) snprintf(text, sizeof text, "%.15g", value);
        size_t n = unify_point(text);
        return read_all(&(Reader){.at = text, .end = text + n, .has_exponents = true}, decimals,
                        ret, ret_is_rounded);
}

int decimal_from_double(double value, unsigned decimals, int64_t *ret) {
        return decimal_read_double(value, decimals, ret, /* ret_is_rounded= */ NULL);
}

static int64_t divide_rounded(Wide numerator, Wide denominator) {
        Wide q = numerator / denominator, rest = numerator % denominator;

        if (rest < 0)
                rest = -rest;
        if (2 * rest >= (denominator < 0 ? -denominator : denominator))
                q += (numerator < 0) == (denominator < 0) ? 1 : -1;
        return (int64_t) CLAMP(q, -DECIMAL_LIMIT, DECIMAL_LIMIT);
}

int64_t decimal_rescale(int64_t value, unsigned from, unsigned to) {
        assert(from <= DECIMAL_MAX_DECIMALS && to <= DECIMAL_MAX_DECIMALS);
        return decimal_muldiv(value, powers[to], powers[from]);
}

int64_t decimal_muldiv(int64_t a, int64_t numerator, int64_t denominator) {
        assert(denominator != 0);
        if (a == DECIMAL_NONE || numerator == DECIMAL_NONE || denominator == DECIMAL_NONE)
                return DECIMAL_NONE;
        return divide_rounded((Wide) a * numerator, denominator);
}

int decimal_ratio_compare(int64_t a, int64_t b, int64_t c, int64_t d) {
        assert(b > 0 && d > 0);
        Wide left = (Wide) a * d, right = (Wide) c * b;

        return (left > right) - (left < right);
}

/* How a number is written: filled from the right, so that groups fall into place. */
typedef struct Writing {
        const char *point, *group, *minus, *plus; /* "" = none */
} Writing;

static char *put_before(char *at, const char *token) {
        for (size_t n = strlen(token); n > 0; n--)
                *--at = token[n - 1];
        return at;
}

static const char *write_number(char text[static DECIMAL_TEXT_MAX], int64_t value,
                                unsigned decimals, const Writing *how) {
        char *end = text + DECIMAL_TEXT_MAX - 1, *at = end;
        uint64_t rest = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;

        assert(value != DECIMAL_NONE && decimals <= DECIMAL_MAX_DECIMALS);
        *end = '\0';
        for (unsigned i = 0; i < decimals; i++, rest /= 10)
                *--at = (char) ('0' + rest % 10);
        if (decimals > 0)
                at = put_before(at, how->point);
        unsigned n = 0;
        do {
                if (n > 0 && n % GROUP_SIZE == 0)
                        at = put_before(at, how->group);
                *--at = (char) ('0' + rest % 10);
                rest /= 10;
                n++;
        } while (rest > 0);
        at = put_before(at, value < 0 ? how->minus : value > 0 ? how->plus : "");
        memmove(text, at, (size_t) (end - at) + 1);
        return text;
}

const char *decimal_format(char text[static DECIMAL_TEXT_MAX], int64_t value, unsigned decimals) {
        return write_number(text, value, decimals,
                            &(Writing){.point = ".", .group = "", .minus = "-", .plus = ""});
}

const char *decimal_format_vi(char text[static DECIMAL_TEXT_MAX], int64_t value, unsigned decimals,
                              DecimalFlags flags) {
        assert(decimals <= DECIMAL_MAX_DECIMALS);
        if ((flags & DECIMAL_TRIM_WHOLE) && value % powers[decimals] == 0) {
                value /= powers[decimals];
                decimals = 0;
        }
        return write_number(text, value, decimals,
                            &(Writing){.point = ",",
                                       .group = ".",
                                       .minus = "\u2212",
                                       .plus = flags & DECIMAL_SIGN ? "+" : ""});
}
