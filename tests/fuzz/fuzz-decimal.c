/* Bytes as a number. Whatever is accepted is in range, is read again from what is written, and does
 * not depend on how many fraction digits are asked for by more than the rounding. */
#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void) 0 : abort())

static void check_written_form(int64_t value, unsigned decimals) {
        char text[DECIMAL_TEXT_MAX];
        int64_t back;

        decimal_format(text, value, decimals);
        CHECK(decimal_parse(text, strlen(text), DECIMAL_DOT, decimals, &back) == 0);
        CHECK(back == value);
        decimal_format_vi(text, value, decimals, DECIMAL_SIGN | DECIMAL_TRIM_WHOLE);
        CHECK(decimal_parse(text, strlen(text), DECIMAL_COMMA, decimals, &back) == 0);
        CHECK(back == value);
}

static void check_style(const char *text, size_t n, DecimalStyle style) {
        for (unsigned decimals = 0; decimals <= DECIMAL_MAX_DECIMALS; decimals++) {
                int64_t value = DECIMAL_NONE, exact;
                int r = decimal_parse(text, n, style, decimals, &value);

                CHECK(r >= 0 && r <= DECIMAL_E_RANGE);
                CHECK((r == 0) == (value != DECIMAL_NONE));
                if (r != 0)
                        continue;
                CHECK(value >= -DECIMAL_LIMIT && value <= DECIMAL_LIMIT);
                check_written_form(value, decimals);
                /* Rounding twice is off by at most one from rounding once. */
                if (decimal_parse(text, n, style, DECIMAL_MAX_DECIMALS, &exact) == 0) {
                        int64_t twice = decimal_rescale(exact, DECIMAL_MAX_DECIMALS, decimals);
                        CHECK(twice - value >= -1 && twice - value <= 1);
                }
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        double real;
        int64_t value;

        check_style((const char *) data, size, DECIMAL_DOT);
        check_style((const char *) data, size, DECIMAL_COMMA);
        if (size >= sizeof real) {
                memcpy(&real, data, sizeof real);
                if (decimal_from_double(real, 2, &value) == 0)
                        check_written_form(value, 2);
        }
        return 0;
}
