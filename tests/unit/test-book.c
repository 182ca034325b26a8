/* What a workbook refuses. What is in one: export-read.py. */
#include "export/book.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const BookColumn one[] = {{.title = "A", .kind = BOOK_TEXT}};
static const BookSheet sheet = {.name = "A", .columns = one, .n_columns = 1};

static Book *make(void) {
        Book *book = NULL;

        assert_int_equal(book_new(&(PackageInfo){.created_ms = 0}, &book), 0);
        return book;
}

static void assert_finish(Book *book, int wanted) {
        CLEANUP(buf_done) Buf out = BUF_INIT(PACKAGE_MAX);

        assert_int_equal(book_finish(book, &out), wanted);
        assert_true(wanted < 0 ? out.len == 0 : memcmp(out.data, "PK\003\004", 4) == 0);
        book_free(book);
}

static void test_needs_sheet(UNUSED void **state) {
        Book *book = make();

        assert_finish(book, -EINVAL);
        book = make();
        book_row(book, &BOOK_EMPTY, 1);
        book_sheet(book, &sheet);
        assert_finish(book, -EINVAL); /* the first error stays */
}

static void test_columns(UNUSED void **state) {
        Book *book = make();

        book_sheet(book, &(BookSheet){.name = "none", .columns = one});
        assert_finish(book, -EINVAL);
        book = make();
        book_sheet(book, &sheet);
        book_row(book, (BookCell[]){BOOK_EMPTY, BOOK_EMPTY}, 2);
        assert_finish(book, -EINVAL);
}

static void test_many_sheets(UNUSED void **state) {
        Book *book = make();

        for (unsigned i = 0; i < BOOK_MAX_SHEETS; i++)
                book_sheet(book, &sheet);
        assert_finish(book, 0);
        book = make();
        for (unsigned i = 0; i <= BOOK_MAX_SHEETS; i++)
                book_sheet(book, &sheet);
        assert_finish(book, -E2BIG);
}

static void test_xml_text(UNUSED void **state) {
        static const char text[] = "a\x01<&>\"\x0b\ttab\xEF\xBF\xBF\xEF\xBF\xBD";
        CLEANUP(buf_done) Buf out = BUF_INIT(256);

        assert_int_equal(package_text(&out, text, sizeof(text) - 1), 0);
        assert_string_equal(buf_text(&out), "a&lt;&amp;&gt;&quot;\ttab\xEF\xBF\xBD");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_needs_sheet),
                cmocka_unit_test(test_columns),
                cmocka_unit_test(test_many_sheets),
                cmocka_unit_test(test_xml_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
