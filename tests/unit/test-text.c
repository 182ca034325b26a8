#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"

static void knows_utf8(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t n;
                bool expected;
        } cases[] = {
                {"", 0, true},
                {"abc", 3, true},
                {"X\u00E3 \u0110\u1EA1i", 9, true},
                {"\U0001F600", 4, true},
                {"\U0010FFFF", 4, true},
                {"\uFFFF", 3, true},
                {"a\0b", 3, false},
                {"\x80", 1, false},
                {"\xC0\x80", 2, false},         /* overlong NUL */
                {"\xC1\xBF", 2, false},         /* overlong */
                {"\xE0\x9F\xBF", 3, false},     /* overlong */
                {"\xF0\x8F\xBF\xBF", 4, false}, /* overlong */
                {"\xED\xA0\x80", 3, false},     /* surrogate */
                {"\xED\xBF\xBF", 3, false},     /* surrogate */
                {"\xF4\x90\x80\x80", 4, false}, /* beyond U+10FFFF */
                {"\xF8\x88\x80\x80\x80", 5, false},
                {"\xFF", 1, false},
                {"\u1EA1", 2, false}, /* cut */
                {"\U0001F600", 3, false},
                {"\xE1\xBA"
                 "a",
                 3, false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(text_is_utf8(cases[i].text, cases[i].n), cases[i].expected);
}

static void cleans(void **state UNUSED) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                {"", ""},
                {" \t\r\n\u00A0\u202F\u3000", ""},
                {"X\u00E3 Ti\u00EAn L\u1EEF", "X\u00E3 Ti\u00EAn L\u1EEF"},
                /* NFD and half-decomposed forms of one name */
                {"Xa\u0303 Tie\u0302n Lu\u031B\u0303", "X\u00E3 Ti\u00EAn L\u1EEF"},
                {"X\u00E3 Ti\u00EAn L\u01B0\u0303", "X\u00E3 Ti\u00EAn L\u1EEF"},
                {"e\u0323\u0302", "\u1EC7"},
                {"e\u0302\u0323", "\u1EC7"},
                {"\u0110\u1EA1i", "\u0110\u1EA1i"},
                /* blanks */
                {"  a \u00A0\t b\u202F\r\nc  ", "a b c"},
                {"a\u2028b\u2029c\xC2\x85"
                 "d\ve\ff",
                 "a b c d e f"},
                /* invisible */
                {"a\u200Bb\uFEFF\u200D\u00ADc\u2060", "abc"},
                {"\u202Ea\u2066b\u2069\u200E", "ab"},
                {"a\001\x1B[0m\x7F\xC2\x90"
                 "z",
                 "a[0mz"},
                {"a\u034Fb\uFE0F", "ab"},
                {"a \u200B b", "a b"},
                {"\u200B a", "a"},
                /* taking out what is invisible brings letter and mark together */
                {"a\u200B\u0301", "\u00E1"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP_FREE char *once = NULL, *twice = NULL;
                assert_int_equal(text_clean(cases[i].text, strlen(cases[i].text), &once), 0);
                assert_string_equal(once, cases[i].expected);
                assert_int_equal(text_clean(once, strlen(once), &twice), 0);
                assert_string_equal(twice, once);
        }
}

static void clean_refuses(void **state UNUSED) {
        CLEANUP_FREE char *long_name = malloc(4097);
        char *untouched = long_name, *out = untouched;

        assert_non_null(long_name);
        memset(long_name, 'x', 4097);
        assert_int_equal(text_clean(long_name, 4097, &out), -E2BIG);
        assert_int_equal(text_clean("a\xFF", 2, &out), -EILSEQ);
        assert_int_equal(text_clean("a\0b", 3, &out), -EILSEQ);
        assert_int_equal(text_clean("\u1EA1", 2, &out), -EILSEQ);
        assert_ptr_equal(out, untouched);

        CLEANUP_FREE char *whole = NULL;
        assert_int_equal(text_clean(long_name, 4096, &whole), 0);
        assert_int_equal(strlen(whole), 4096);
}

static void measures_columns(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t expected;
        } cases[] = {
                {"", 0},
                {"abc", 3},
                {"X\u00E3 L\u1EEF", 5},
                {"Xa\u0303 Lu\u031B\u0303", 5},
                {"\u4E2D\u6587", 4},
                {"\u200B", 0},
                {"a\nb", 2},
                {"\xFF\xFE", 2},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(text_width(cases[i].text), cases[i].expected);
}

static void pads_and_cuts(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t columns;
                bool is_right;
                const char *expected;
        } cases[] = {
                {"abc", 5, false, "abc  "},
                {"abc", 5, true, "  abc"},
                {"abc", 3, false, "abc"},
                {"abcd", 3, false, "ab\u2026"},
                {"abcd", 3, true, "ab\u2026"},
                {"abcd", 1, false, "\u2026"},
                {"abcd", 0, false, ""},
                {"", 0, true, ""},
                {"", 2, true, "  "},
                {"X\u00E3", 4, true, "  X\u00E3"},
                /* a mark belongs to the letter before it, at a cut too */
                {"Xa\u0303 L", 3, false, "Xa\u0303\u2026"},
                {"a\u0303", 1, false, "a\u0303"},
                /* half a wide character is a blank */
                {"\u4E2D\u6587\u5B57", 4, false, "\u4E2D\u2026 "},
                {"\u4E2D\u6587\u5B57", 4, true, " \u4E2D\u2026"},
                {"\u4E2D", 1, false, "\u2026"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(100);
                assert_int_equal(buf_str(&b, ">"), 0);
                assert_int_equal(text_pad(&b, cases[i].text, cases[i].columns, cases[i].is_right),
                                 0);
                assert_string_equal(b.data + 1, cases[i].expected);
                assert_int_equal(text_width(b.data + 1), cases[i].columns);
        }
}

typedef int (*Append)(Buf *b, const char *text, size_t n);

static void appends(void **state UNUSED) {
        static const struct {
                Append append;
                const char *text;
                size_t n;
                const char *expected;
        } cases[] = {
                {text_append_printable, "", 0, ""},
                {text_append_printable, "X\u00E3 \u0110", 6, "X\u00E3 \u0110"},
                {text_append_printable, "a\r\nBcc: x", 9, "a  Bcc: x"},
                {text_append_printable,
                 "\0\x1B[2J\x7F\xC2\x9B"
                 "",
                 8, "  [2J  "},
                {text_append_printable, "a\u2028b\u202Ec\u2066", 12, "a b c "},
                {text_append_printable, "a\xFF\xC3", 3, "a\uFFFD\uFFFD"},
                {text_append_printable, "\u1EA1", 2, "\uFFFD\uFFFD"},
                {text_append_json, "a\"b\\c/\u00E3", 8, "a\\\"b\\\\c/\u00E3"},
                {text_append_json, "\b\f\n\r\t\0\x1F\x7F", 8,
                 "\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f"},
                {text_append_json, "\u2028\xFF", 4, "\\u2028\uFFFD"},
                {text_append_json, "\U0001F600", 4, "\U0001F600"},
                {text_append_html, "<a href=\"x\">'&amp;</a>", 22,
                 "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&lt;/a&gt;"},
                {text_append_html, "a\tb\nc\0d\001\xFF", 9, "a\tb\nc\uFFFDd\uFFFD\uFFFD"},
                {text_append_url, "AZaz09-._~", 10, "AZaz09-._~"},
                {text_append_url, " +/?&=%#", 8, "%20%2B%2F%3F%26%3D%25%23"},
                {text_append_url, "\u0110\0\xFF", 4, "%C4%90%00%FF"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(200);
                assert_int_equal(cases[i].append(&b, cases[i].text, cases[i].n), 0);
                assert_string_equal(b.data, cases[i].expected);
        }
}

static int pad_to_nine(Buf *b, const char *text, size_t n UNUSED) {
        return text_pad(b, text, 9, /* is_right= */ true);
}

/* A character that does not fit any more leaves nothing behind. */
static void full_buffer_stays_as_it_was(void **state UNUSED) {
        static const Append all[] = {text_append_printable, text_append_json, text_append_html,
                                     text_append_url, pad_to_nine};

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(8);
                assert_int_equal(buf_str(&b, "head"), 0);
                assert_int_equal(all[i](&b, "abcdefg", 7), -E2BIG);
                assert_string_equal(b.data, "head");
                assert_int_equal(b.len, 4);
        }
}

static void folds(void **state UNUSED) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                {"", ""},
                {"X\u00E3 Ti\u00EAn L\u1EEF", "xa tien lu"},
                {"Xa\u0303 Tie\u0302n Lu\u031B\u0303", "xa tien lu"},
                {"\u0110\u1EB7ng \u0111\u1ED3ng", "dang dong"},
                {"TT. 12-A", "tt. 12-a"},
                {"\u0130", "i"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP_FREE char *out = NULL;
                assert_int_equal(text_fold(cases[i].text, &out), 0);
                assert_string_equal(out, cases[i].expected);
        }
        char *out = NULL;
        assert_int_equal(text_fold("a\xFF", &out), -EILSEQ);
        assert_null(out);
}

static void test_upper(void **state UNUSED) {
        static const char *const cases[][2] = {
                {"", ""},
                {"huyện Tiên Lữ", "HUYỆN TIÊN LỮ"},
                {"tỉnh Đắk Lắk, tháng 8/2024", "TỈNH ĐẮK LẮK, THÁNG 8/2024"},
                {"ĐÃ HOA", "ĐÃ HOA"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(256);

                assert_int_equal(text_append_upper(&b, cases[i][0]), 0);
                assert_string_equal(buf_text(&b), cases[i][1]);
        }
        Buf small = BUF_INIT(2);
        assert_int_equal(text_append_upper(&small, "abc"), -E2BIG);
        buf_done(&small);
}

static void knows_dots(void **state UNUSED) {
        static const char *const dots[] = {"...", "......", "…", " . . . ", "…."};
        static const char *const others[] = {"", " ", ".", "..", "...a", "xã ...", "\xe2\x80\xa5"};

        for (size_t i = 0; i < ELEMENTSOF(dots); i++)
                assert_true(text_is_dots(dots[i]));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(text_is_dots(others[i]));
}

static void knows_formulas(void **state UNUSED) {
        static const char *const formulas[] = {"=1+1", "+84", "-2", "@x", "'=1", "''-", "\tx"};
        static const char *const others[] = {"", "'", "''", "a=b", "'a", "84", " =1", "Xã"};

        for (size_t i = 0; i < ELEMENTSOF(formulas); i++)
                assert_true(text_is_formula(formulas[i]));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(text_is_formula(others[i]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(knows_utf8),
                cmocka_unit_test(cleans),
                cmocka_unit_test(clean_refuses),
                cmocka_unit_test(measures_columns),
                cmocka_unit_test(pads_and_cuts),
                cmocka_unit_test(appends),
                cmocka_unit_test(full_buffer_stays_as_it_was),
                cmocka_unit_test(folds),
                cmocka_unit_test(test_upper),
                cmocka_unit_test(knows_dots),
                cmocka_unit_test(knows_formulas),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
