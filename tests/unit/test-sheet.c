/* Tables as people save them: encodings, separators, quotes; what is refused, and with which line. */
#include "base/buf.h"
#include "core/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct Case {
        const char *data;
        size_t n;           /* 0: strlen */
        const char *cells;  /* rows by \n, cells by | ; NULL: refused */
        const char *reason; /* part of it */
        unsigned line;      /* of the refusal */
} Case;

#define BYTES(text) .data = (text), .n = sizeof(text) - 1

static const Case cases[] = {
        {.data = "a,b\n1,2\n", .cells = "a|b\n1|2"},
        {.data = "\xef\xbb\xbf"
                 "a;b\r\n1,5;2\r\n",
         .cells = "a|b\n1,5|2"},
        {.data = "a\tb\r1;2\t3", .cells = "a|b\n1;2|3"},
        {.data = "PHU LUC\n\na;b\n\n1;2\n;\n3\n", .cells = "a|b\n1|2\n3|"},
        {.data = "a,b\n\"x,\"\"y\"\" z\nq\",2\n5,6\n", .cells = "a|b\nx,\"y\" z q|2\n5|6"},
        {.data = "ten;so\nTha\xcc\x82\xcc\x81ng;1\n", .cells = "ten|so\nTh\xe1\xba\xa5ng|1"},
        {BYTES("\xff\xfe"
               "a\0;\0b\0\n\0\x11\x01;\0"
               "1\0"),
         .cells = "a|b\n\xc4\x91|1"},
        {BYTES("\xfe\xff"
               "\0a\0;\0b\0\n\x01\x11\0;\0"
               "1"),
         .cells = "a|b\n\xc4\x91|1"},
        {BYTES("a\0;\0b\0\n\0"
               "1\0;\0"
               "2\0"),
         .cells = "a|b\n1|2"},
        {BYTES("\xff\xfe"
               "a\0;\0b\0\n\0\x00\xd8;\0"
               "1\0"),
         .cells = "a|b\n|1"},
        {.data = "", .reason = "no heading"},
        {.data = "only\none\ncolumn\n", .reason = "no heading"},
        {.data = "a,b\n1,\"2\n3,4\n", .reason = "never closed", .line = 2},
        {.data = "a,b\n1,2\n1,2,3\n", .reason = "3 columns, the heading has 2", .line = 3},
        {.data = "a,b\n1,2,\n", .cells = "a|b\n1|2"},
        {BYTES("a;b\n\xff\xfa;1\n"), .reason = "neither UTF-8 nor UTF-16"},
        {BYTES("ab\0c;d\n"), .reason = "no text file"},
        {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR a\xaa e\xaa"), .reason = "no text file"},
        {BYTES("x;ten\n1;Ti\xaan\x02L\xf7\n"), .reason = "no text file"},
        /* Tiên Lữ: TCVN3 as bytes, and read as Latin-1 before it was saved as UTF-8 */
        {BYTES("x;ten\n1;Ti\xaan L\xf7\n"), .reason = "TCVN3"},
        {.data = "x;ten\n1;Ti\u00aan L\u00f7\n", .reason = "TCVN3"},
        {BYTES("x;ten\n1;Tie\xe2n Lo\xf5\n2;Le\xe4 Xa\xf9\n"), .reason = "VNI"},
        {.data = "x;ten\n1;Thu\u00fb Sy\u00f5\n2;Le\u00e4 Xa\u00f9\n", .reason = "VNI"},
        /* signs alone do not make an old encoding, and Unicode letters say that it is none */
        {.data = "x;ten\n1;5 \u00bd kg\n", .cells = "x|ten\n1|5 \u00bd kg"},
        {.data = "x;ten\n1;c\u00a9 h\u00b7 \u1eef\n", .cells = "x|ten\n1|c\u00a9 h\u00b7 \u1eef"},
};

static void print(const Sheet *s, char *out, size_t size) {
        size_t n = 0;
        out[0] = '\0';
        for (size_t i = 0; i < s->n_rows; i++)
                for (size_t c = 0; c < s->n_columns; c++)
                        n += (size_t) snprintf(out + n, size - n, "%s%s", sheet_cell(s, i, c),
                                               c + 1 < s->n_columns ? "|"
                                               : i + 1 < s->n_rows  ? "\n"
                                                                    : "");
}

static void test_cases(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *k = cases + i;
                CLEANUP(sheet_done) Sheet s = {0};
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                char text[512];

                int r = sheet_read(k->data, k->n ? k->n : strlen(k->data), &diag, &s);
                if (k->cells) {
                        assert_int_equal(r, 0);
                        print(&s, text, sizeof(text));
                        assert_string_equal(text, k->cells);
                        continue;
                }
                assert_int_equal(r, SHEET_E_REFUSED);
                assert_non_null(strstr(diag_first_error(&diag, ""), k->reason));
                assert_int_equal(diag.items[0].line, k->line);
        }
}

static void test_lines(void **state) {
        static const char data[] = "title\na;b\n\n1;\"two\nlines\"\n2;3\n";
        CLEANUP(sheet_done) Sheet s = {0};

        (void) state;
        assert_int_equal(sheet_read(data, strlen(data), NULL, &s), 0);
        assert_int_equal(s.n_rows, 3);
        assert_int_equal(s.lines[0], 2);
        assert_int_equal(s.lines[1], 4);
        assert_int_equal(s.lines[2], 6);
        assert_string_equal(sheet_cell(&s, 1, 1), "two lines");
        assert_string_equal(sheet_cell(&s, 1, 2), "");
}

static void test_too_much(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(1 << 20);
        CLEANUP(sheet_done) Sheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        (void) state;
        for (size_t i = 0; i <= SHEET_MAX_COLUMNS; i++)
                assert_int_equal(buf_str(&b, "a;"), 0);
        assert_int_equal(sheet_read(buf_text(&b), b.len, &diag, &s), SHEET_E_REFUSED);
        buf_clear(&b);
        assert_int_equal(buf_str(&b, "a;b\n"), 0);
        for (size_t i = 0; i <= SHEET_MAX_ROWS; i++)
                assert_int_equal(buf_str(&b, "1;2\n"), 0);
        assert_int_equal(sheet_read(buf_text(&b), b.len, &diag, &s), SHEET_E_REFUSED);
        buf_truncate(&b, b.len - 4);
        assert_int_equal(sheet_read(buf_text(&b), b.len, &diag, &s), 0);
        assert_int_equal(s.n_rows, SHEET_MAX_ROWS + 1);
}

static void test_roles(void **state) {
        static const struct {
                const char *heading, *role;
        } headings[] = {
                {"code", "code"},
                {"Mã đơn vị", "code"},
                {"ĐƠN VỊ", "name"},
                {"Tổng điểm", "total"},
                {"TỔNG ĐIỂM (100)", "total"},
                {"Tỷ lệ giải quyết đúng hạn (%)", "progress"},
                {"Tăng, giảm so với tháng trước", "-"},
                {"Stt", "-"},
                {"Hồ sơ chưa số hóa kết quả", "undigitized_results"},
                {"hiệu lực từ", "from"},
                {"Tổng điểm quý", NULL},
                {"(100)", NULL},
                {"", NULL},
                {"\xff", NULL},
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(headings); i++)
                assert_true(streq_ptr(sheet_role(headings[i].heading), headings[i].role));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_too_much),
                cmocka_unit_test(test_roles),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
