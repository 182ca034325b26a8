#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/decimal.h"

#define UNTOUCHED INT64_C(-777777)
#define MISSING DECIMAL_E_MISSING
#define SYNTAX DECIMAL_E_SYNTAX
#define RANGE DECIMAL_E_RANGE

typedef struct Case {
        const char *text;
        unsigned decimals;
        int outcome;
        int64_t value; /* when outcome is 0 */
} Case;

static void check(DecimalStyle style, const Case *c) {
        int64_t value = UNTOUCHED;
        /* On the heap without a NUL, so that a read behind the end is caught. */
        size_t n = strlen(c->text);
        CLEANUP_FREE char *bytes = malloc(MAX(n, 1u));
        assert_non_null(bytes);
        memcpy(bytes, c->text, n);

        int r = decimal_parse(bytes, n, style, c->decimals, &value);
        if (r != c->outcome || value != (r == 0 ? c->value : UNTOUCHED))
                fail_msg("'%s' with %u decimals: outcome %d, value %lld", c->text, c->decimals, r,
                         (long long) value);
}

static void reads_dot(void **state UNUSED) {
        static const Case cases[] = {
                {"19.81", 2, 0, 1981},
                {"0", 2, 0, 0},
                {"-0", 2, 0, 0},
                {"0.00", 2, 0, 0},
                {"5", 0, 0, 5},
                {"5", 4, 0, 50000},
                {"007", 0, 0, 7},
                {"100.000", 2, 0, 10000},
                {" \t19.81\r\n", 2, 0, 1981},
                {"+19.81", 2, 0, 1981},
                {"-19.81", 2, 0, -1981},
                {"\u221219.81", 2, 0, -1981},
                {"\u201319.81", 2, 0, -1981},
                {"1\u00A0234.5", 2, 0, 123450},
                {"12\u202F345\u202F678", 0, 0, 12345678},
                {"1,234.5", 2, SYNTAX, 0},
                {"1,234", 2, SYNTAX, 0},
                {"19,81", 2, SYNTAX, 0},
                {"1.234.567", 2, SYNTAX, 0},
                {".5", 2, SYNTAX, 0},
                {"5.", 2, SYNTAX, 0},
                {"1e", 2, SYNTAX, 0},
                {"e5", 2, SYNTAX, 0},
                {"1e999", 2, SYNTAX, 0},
                {"1e2", 2, SYNTAX, 0},
                {"1.5E+1", 2, SYNTAX, 0},
                {"155e-2", 2, SYNTAX, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(DECIMAL_DOT, &cases[i]);
}

static void reads_comma(void **state UNUSED) {
        static const Case cases[] = {
                {"82,71", 2, 0, 8271},
                {"30.204", 0, 0, 30204},
                {"30.204", 2, 0, 3020400},
                {"30.204,5", 2, 0, 3020450},
                {"1.234.567,891", 2, 0, 123456789},
                {"999.999.999", 0, 0, 999999999},
                {"1\u00A0234\u00A0567,8", 1, 0, 12345678},
                {"\u22120,24", 2, 0, -24},
                {"\u20130,24", 2, 0, -24},
                {"+0,24", 2, 0, 24},
                {"0,999", 2, 0, 100},
                {"30204", 0, 0, 30204},
                {"1.234,5,6", 2, SYNTAX, 0},
                {"1.23", 2, SYNTAX, 0},
                {"1.2345", 2, SYNTAX, 0},
                {"1234.567", 2, SYNTAX, 0},
                {"12.34.567", 2, SYNTAX, 0},
                {"1.234.56", 2, SYNTAX, 0},
                {"1..234", 2, SYNTAX, 0},
                {"1.234.", 2, SYNTAX, 0},
                {".234", 2, SYNTAX, 0},
                {"0.204", 2, SYNTAX, 0},
                {"012.345", 2, SYNTAX, 0},
                {"1,234.567", 2, SYNTAX, 0},
                {"1,5 000", 2, SYNTAX, 0},
                {"1,234\u00A0567", 2, SYNTAX, 0},
                {"1.234\u00A0567", 2, SYNTAX, 0},
                {"1\u00A0234\u202F567", 2, SYNTAX, 0},
                {"12\u00A034", 2, SYNTAX, 0},
                {",5", 2, SYNTAX, 0},
                {"5,", 2, SYNTAX, 0},
                {"1,5e1", 2, SYNTAX, 0},
                {"82,71 %", 2, SYNTAX, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(DECIMAL_COMMA, &cases[i]);
}

static void same_in_both_styles(void **state UNUSED) {
        static const Case cases[] = {
                {"", 2, MISSING, 0},
                {" \r\n\t\v\f", 2, MISSING, 0},
                {"-", 2, MISSING, 0},
                {" - ", 2, MISSING, 0},
                {"\u2013", 2, MISSING, 0},
                {"--", 2, SYNTAX, 0},
                {"+", 2, SYNTAX, 0},
                {"\u2212", 2, SYNTAX, 0},
                {"- 5", 2, SYNTAX, 0},
                {"-+5", 2, SYNTAX, 0},
                {"--5", 2, SYNTAX, 0},
                {"5-", 2, SYNTAX, 0},
                {"1 2", 2, SYNTAX, 0},
                {"1 234", 2, SYNTAX, 0},
                {"1\u00A0", 2, SYNTAX, 0},
                {"\u00A01", 2, SYNTAX, 0},
                {"1\u00A0\u00A0234", 2, SYNTAX, 0},
                {"1\xC2", 2, SYNTAX, 0},
                {"\xE2\x88", 2, SYNTAX, 0},
                {"NaN", 2, SYNTAX, 0},
                {"nan", 2, SYNTAX, 0},
                {"inf", 2, SYNTAX, 0},
                {"0x10", 2, SYNTAX, 0},
                {"null", 2, SYNTAX, 0},
                {"12abc", 2, SYNTAX, 0},
                {"\uFF11", 2, SYNTAX, 0},
                {"\u0661", 2, SYNTAX, 0},
                {"100000000000000", 0, 0, DECIMAL_LIMIT},
                {"-100000000000000", 0, 0, -DECIMAL_LIMIT},
                {"100000000000001", 0, RANGE, 0},
                {"1000000000000", 2, 0, DECIMAL_LIMIT},
                {"10000000000000", 2, RANGE, 0},
                {"10000000000", 4, 0, DECIMAL_LIMIT},
                {"9223372036854775808", 0, RANGE, 0},
                {"18446744073709551617", 0, RANGE, 0},
                {"00000000000000000000000000000000000042", 0, 0, 42},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                check(DECIMAL_DOT, &cases[i]);
                check(DECIMAL_COMMA, &cases[i]);
        }
}

static void rounds_half_away_from_zero(void **state UNUSED) {
        static const Case cases[] = {
                {"1.005", 2, 0, 101},
                {"1.00499999999999999999999999", 2, 0, 100},
                {"-1.005", 2, 0, -101},
                {"1.004", 2, 0, 100},
                {"-1.004", 2, 0, -100},
                {"0.5", 0, 0, 1},
                {"-0.5", 0, 0, -1},
                {"0.4999", 0, 0, 0},
                {"-0.4999", 0, 0, 0},
                {"2.5", 0, 0, 3},
                {"0.005", 2, 0, 1},
                {"0.0049", 2, 0, 0},
                {"0.00005", 4, 0, 1},
                {"9.999", 2, 0, 1000},
                {"99999999999999.5", 0, 0, DECIMAL_LIMIT},
                {"100000000000000.4", 0, 0, DECIMAL_LIMIT},
                {"100000000000000.5", 0, RANGE, 0},
                {"0.9999999999999999999999999999999999999999", 2, 0, 100},
                {"0.00000000000000000000000000000000000000000000009", 2, 0, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(DECIMAL_DOT, &cases[i]);
}

static void bytes_beyond_n_are_not_read(void **state UNUSED) {
        int64_t value = UNTOUCHED;

        assert_int_equal(decimal_parse("12345", 2, DECIMAL_DOT, 0, &value), 0);
        assert_int_equal(value, 12);
        assert_int_equal(decimal_parse(NULL, 0, DECIMAL_DOT, 0, &value), MISSING);
        assert_int_equal(decimal_parse("1\0", 2, DECIMAL_DOT, 0, &value), SYNTAX);
        /* A sign cut in the middle. */
        assert_int_equal(decimal_parse("\u2212", 2, DECIMAL_DOT, 0, &value), SYNTAX);
        assert_int_equal(value, 12);
}

static void long_input_is_linear_and_bounded(void **state UNUSED) {
        size_t n = 1 << 20;
        CLEANUP_FREE char *digits = malloc(n);
        int64_t value = UNTOUCHED;

        assert_non_null(digits);
        memset(digits, '9', n);
        assert_int_equal(decimal_parse(digits, n, DECIMAL_DOT, 2, &value), RANGE);
        assert_int_equal(value, UNTOUCHED);
        digits[1] = '.';
        assert_int_equal(decimal_parse(digits, n, DECIMAL_DOT, 2, &value), 0);
        assert_int_equal(value, 1000);
        memset(digits, '0', n);
        assert_int_equal(decimal_parse(digits, n, DECIMAL_COMMA, 2, &value), 0);
        assert_int_equal(value, 0);
}

static void reads_doubles(void **state UNUSED) {
        static const struct {
                double value;
                unsigned decimals;
                int outcome;
                int64_t expected;
        } cases[] = {
                {1.005, 2, 0, 101},       {-1.005, 2, 0, -101},        {8.345, 2, 0, 835},
                {82.71, 2, 0, 8271},      {0.1 + 0.2, 4, 0, 3000},     {-0.0, 2, 0, 0},
                {30204, 0, 0, 30204},     {1e14, 0, 0, DECIMAL_LIMIT}, {1e12, 2, 0, DECIMAL_LIMIT},
                {1e-7, 2, 0, 0},          {1.5e-5, 4, 0, 0},           {5e-5, 4, 0, 1},
                {1.1e14, 0, RANGE, 0},    {1e300, 2, RANGE, 0},        {-1e22, 2, RANGE, 0},
                {155e-3, 2, 0, 16},       {1e-40, 2, RANGE, 0},        {1e31, 2, RANGE, 0},
                {INFINITY, 2, SYNTAX, 0}, {-INFINITY, 2, SYNTAX, 0},   {NAN, 2, SYNTAX, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t value = UNTOUCHED;
                int r = decimal_from_double(cases[i].value, cases[i].decimals, &value);
                assert_int_equal(r, cases[i].outcome);
                assert_int_equal(value, r == 0 ? cases[i].expected : UNTOUCHED);
        }
}

static void says_what_is_rounded(void **state UNUSED) {
        static const struct {
                const char *text;
                unsigned decimals;
                int64_t value;
                bool is_rounded;
        } texts[] = {
                {"99.999", 2, 10000, true},
                {"99.99", 2, 9999, false},
                {"99.990000", 2, 9999, false},
                {"99.990000000000000000000000000001", 2, 9999, true},
                {"99.990000000000000000000000000000", 2, 9999, false},
                {"0.001", 2, 0, true},
                {"0.0000", 2, 0, false},
                {"0.00000000000000000000000000000000001", 2, 0, true},
                {"5", 0, 5, false},
                {"5.5", 0, 6, true},
        };
        static const struct {
                double value;
                bool is_rounded;
        } doubles[] = {
                {99.99, false}, {99.999, true}, {0.1 + 0.2, false}, {1e2, false}, {1e-9, true}};
        int64_t value;
        bool is_rounded;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                is_rounded = !texts[i].is_rounded;
                assert_int_equal(decimal_read(texts[i].text, strlen(texts[i].text), DECIMAL_DOT,
                                              texts[i].decimals, &value, &is_rounded),
                                 0);
                if (value != texts[i].value || is_rounded != texts[i].is_rounded)
                        fail_msg("'%s': %lld, rounded %d", texts[i].text, (long long) value,
                                 is_rounded);
        }
        for (size_t i = 0; i < ELEMENTSOF(doubles); i++) {
                is_rounded = !doubles[i].is_rounded;
                assert_int_equal(decimal_read_double(doubles[i].value, 2, &value, &is_rounded), 0);
                assert_int_equal(is_rounded, doubles[i].is_rounded);
        }
}

/* Where a locale with a decimal comma is installed, nothing may change by it. */
static void locale_makes_no_difference(void **state UNUSED) {
        static const char *const names[] = {"vi_VN.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8"};
        char text[DECIMAL_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                if (!setlocale(LC_ALL, names[i]))
                        continue;
                int64_t value = UNTOUCHED;
                assert_int_equal(decimal_from_double(1.005, 2, &value), 0);
                assert_int_equal(value, 101);
                assert_string_equal(decimal_format(text, -8271, 2), "-82.71");
        }
        (void) setlocale(LC_ALL, "C");
}

static void rescales(void **state UNUSED) {
        static const struct {
                int64_t value;
                unsigned from, to;
                int64_t expected;
        } cases[] = {
                {8271, 2, 4, 827100},
                {8271, 2, 2, 8271},
                {8275, 2, 1, 828},
                {-8275, 2, 1, -828},
                {8274, 2, 1, 827},
                {4999, 4, 0, 0},
                {-5000, 4, 0, -1},
                {DECIMAL_NONE, 2, 4, DECIMAL_NONE},
                {DECIMAL_NONE, 4, 0, DECIMAL_NONE},
                {DECIMAL_LIMIT, 0, 4, DECIMAL_LIMIT},
                {-DECIMAL_LIMIT, 0, 1, -DECIMAL_LIMIT},
                {DECIMAL_LIMIT, 4, 0, DECIMAL_LIMIT / 10000},
                {0, 0, 4, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(decimal_rescale(cases[i].value, cases[i].from, cases[i].to),
                                 cases[i].expected);
}

static void multiplies_and_divides(void **state UNUSED) {
        static const struct {
                int64_t a, numerator, denominator, expected;
        } cases[] = {
                {1654, 100, 20, 8270},
                {1, 1, 2, 1},
                {-1, 1, 2, -1},
                {1, -1, 2, -1},
                {1, 1, -2, -1},
                {-1, -1, -2, -1},
                {-1, 1, -2, 1},
                {1, 1, 3, 0},
                {2, 1, 3, 1},
                {5, 0, 7, 0},
                {0, 5, 7, 0},
                {DECIMAL_LIMIT, DECIMAL_LIMIT, DECIMAL_LIMIT, DECIMAL_LIMIT},
                {DECIMAL_LIMIT, 9999, 10000, 99990000000000},
                {INT64_MAX, INT64_MAX, 1, DECIMAL_LIMIT},
                {INT64_MAX, -INT64_MAX, 1, -DECIMAL_LIMIT},
                {INT64_MAX, INT64_MAX, INT64_MAX, DECIMAL_LIMIT},
                {INT64_MAX, 1, INT64_MAX, 1},
                {DECIMAL_NONE, 1, 2, DECIMAL_NONE},
                {1, DECIMAL_NONE, 2, DECIMAL_NONE},
                {1, 2, DECIMAL_NONE, DECIMAL_NONE},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(
                        decimal_muldiv(cases[i].a, cases[i].numerator, cases[i].denominator),
                        cases[i].expected);
}

static void compares_ratios(void **state UNUSED) {
        static const struct {
                int64_t a, b, c, d;
                int expected;
        } cases[] = {
                {1, 2, 2, 4, 0},
                {1, 3, 1, 2, -1},
                {2, 3, 1, 2, 1},
                {-1, 2, 1, 2, -1},
                {-1, 3, -1, 2, 1},
                {0, 5, 0, 9, 0},
                {DECIMAL_LIMIT, DECIMAL_LIMIT - 1, DECIMAL_LIMIT - 1, DECIMAL_LIMIT - 2, -1},
                {DECIMAL_LIMIT, 1, DECIMAL_LIMIT - 1, 1, 1},
                {INT64_MAX, 1, INT64_MAX - 1, 1, 1},
                {INT64_MAX - 1, INT64_MAX, INT64_MAX - 2, INT64_MAX - 1, 1},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r = decimal_ratio_compare(cases[i].a, cases[i].b, cases[i].c, cases[i].d);
                assert_int_equal(r, cases[i].expected);
                r = decimal_ratio_compare(cases[i].c, cases[i].d, cases[i].a, cases[i].b);
                assert_int_equal(r, -cases[i].expected);
        }
}

static void formats_for_machines(void **state UNUSED) {
        static const struct {
                int64_t value;
                unsigned decimals;
                const char *expected;
        } cases[] = {
                {-8271, 2, "-82.71"},
                {8271, 0, "8271"},
                {30204, 0, "30204"},
                {0, 2, "0.00"},
                {0, 0, "0"},
                {5, 2, "0.05"},
                {-5, 4, "-0.0005"},
                {10000, 2, "100.00"},
                {DECIMAL_LIMIT, 4, "10000000000.0000"},
                {-DECIMAL_LIMIT, 0, "-100000000000000"},
                {INT64_MAX, 0, "9223372036854775807"},
                {-INT64_MAX, 4, "-922337203685477.5807"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[DECIMAL_TEXT_MAX];
                assert_string_equal(decimal_format(text, cases[i].value, cases[i].decimals),
                                    cases[i].expected);
        }
}

static void formats_for_readers(void **state UNUSED) {
        static const struct {
                int64_t value;
                unsigned decimals;
                DecimalFlags flags;
                const char *expected;
        } cases[] = {
                {8271, 2, 0, "82,71"},
                {10000, 2, 0, "100,00"},
                {10000, 2, DECIMAL_TRIM_WHOLE, "100"},
                {10010, 2, DECIMAL_TRIM_WHOLE, "100,10"},
                {0, 2, DECIMAL_TRIM_WHOLE, "0"},
                {24, 2, DECIMAL_SIGN, "+0,24"},
                {-24, 2, DECIMAL_SIGN, "\u22120,24"},
                {-24, 2, 0, "\u22120,24"},
                {0, 2, DECIMAL_SIGN, "0,00"},
                {200, 2, DECIMAL_SIGN | DECIMAL_TRIM_WHOLE, "+2"},
                {30204, 0, 0, "30.204"},
                {204, 0, 0, "204"},
                {1000, 0, 0, "1.000"},
                {-1234567891, 2, 0, "\u221212.345.678,91"},
                {INT64_MAX, 0, DECIMAL_SIGN, "+9.223.372.036.854.775.807"},
                {-INT64_MAX, 4, 0, "\u2212922.337.203.685.477,5807"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[DECIMAL_TEXT_MAX];
                assert_string_equal(
                        decimal_format_vi(text, cases[i].value, cases[i].decimals, cases[i].flags),
                        cases[i].expected);
        }
}

/* What is written is read back, in both forms, along the edges of groups and signs. */
static void round_trip(void **state UNUSED) {
        for (int64_t magnitude = 1; magnitude <= DECIMAL_LIMIT; magnitude *= 10)
                for (int64_t step = -1; step <= 1; step++)
                        for (unsigned decimals = 0; decimals <= DECIMAL_MAX_DECIMALS; decimals++) {
                                int64_t value = MIN(magnitude + step, DECIMAL_LIMIT), back;
                                char text[DECIMAL_TEXT_MAX];
                                value = step == 0 ? -value : value;
                                decimal_format(text, value, decimals);
                                assert_int_equal(decimal_parse(text, strlen(text), DECIMAL_DOT,
                                                               decimals, &back),
                                                 0);
                                assert_int_equal(back, value);
                                decimal_format_vi(text, value, decimals, DECIMAL_TRIM_WHOLE);
                                assert_int_equal(decimal_parse(text, strlen(text), DECIMAL_COMMA,
                                                               decimals, &back),
                                                 0);
                                assert_int_equal(back, value);
                        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_dot),
                cmocka_unit_test(reads_comma),
                cmocka_unit_test(same_in_both_styles),
                cmocka_unit_test(rounds_half_away_from_zero),
                cmocka_unit_test(bytes_beyond_n_are_not_read),
                cmocka_unit_test(long_input_is_linear_and_bounded),
                cmocka_unit_test(reads_doubles),
                cmocka_unit_test(says_what_is_rounded),
                cmocka_unit_test(locale_makes_no_difference),
                cmocka_unit_test(rescales),
                cmocka_unit_test(multiplies_and_divides),
                cmocka_unit_test(compares_ratios),
                cmocka_unit_test(formats_for_machines),
                cmocka_unit_test(formats_for_readers),
                cmocka_unit_test(round_trip),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
