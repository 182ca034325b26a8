#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/diag.h"

static void places_are_written(void **state UNUSED) {
        static const struct {
                const char *file;
                unsigned line;
                const char *key, *expected;
        } cases[] = {
                {"a.conf", 7, "rule.when", "a.conf:7: rule.when: bad 3"},
                {"a.conf", 7, NULL, "a.conf:7: bad 3"},
                {"a.conf", 0, "rule.when", "a.conf: rule.when: bad 3"},
                {"a.conf", 0, NULL, "a.conf: bad 3"},
                {NULL, 7, "rule.when", "7: rule.when: bad 3"},
                {NULL, 0, "rule.when", "rule.when: bad 3"},
                {NULL, 0, NULL, "bad 3"},
        };
        CLEANUP(diag_done) Diag d = DIAG_INIT;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                diag_error(&d, cases[i].file, cases[i].line, cases[i].key, "bad %d", 3);
                assert_int_equal(d.n, i + 1);
                CLEANUP_FREE char *text = diag_item_format(&d.items[i]);
                assert_string_equal(text, cases[i].expected);
        }
}

static void levels_are_counted_in_order(void **state UNUSED) {
        CLEANUP(diag_done) Diag d = DIAG_INIT;

        assert_string_equal(diag_first_error(&d, "none"), "none");
        assert_null(diag_first_error(NULL, NULL));
        diag_add(&d, DIAG_NOTE, NULL, 0, NULL, "note");
        diag_warning(&d, NULL, 0, NULL, "warning");
        assert_string_equal(diag_first_error(&d, "none"), "none");
        diag_error(&d, NULL, 0, NULL, "first");
        diag_error(&d, NULL, 0, NULL, "second");
        assert_int_equal(d.n, 4);
        assert_int_equal(d.n_warnings, 1);
        assert_int_equal(d.n_errors, 2);
        assert_string_equal(diag_first_error(&d, "none"), "first");
        assert_int_equal(d.items[0].level, DIAG_NOTE);
        assert_int_equal(d.items[1].level, DIAG_WARNING);
        assert_string_equal(d.items[3].text, "second");
        assert_false(d.is_truncated);

        diag_error(NULL, "f", 1, "k", "nobody listens");
        diag_done(&d);
        assert_int_equal(d.n + d.n_errors + d.n_warnings, 0);
        assert_null(d.items);
}

static void strings_are_copied_and_one_line(void **state UNUSED) {
        CLEANUP(diag_done) Diag d = DIAG_INIT;
        char file[] = "a\nb";

        diag_error(&d, file, 1, "k\033[2J", "x\r\ny \xff %s", "\u202Ez");
        memset(file, 'X', sizeof file - 1);
        assert_string_equal(d.items[0].file, "a b");
        assert_string_equal(d.items[0].key, "k [2J");
        assert_string_equal(d.items[0].text, "x  y \uFFFD  z");
}

static void long_text_is_cut_at_a_character(void **state UNUSED) {
        /* One to four bytes a character, from every phase of the 2047 bytes. */
        static const char *const characters[] = {"x", "\u0111", "\u1EA1", "\U0001F600"};

        for (size_t i = 0; i < ELEMENTSOF(characters); i++)
                for (size_t phase = 0; phase < 4; phase++) {
                        CLEANUP(diag_done) Diag d = DIAG_INIT;
                        size_t size = strlen(characters[i]);
                        char text[4100] = "";
                        memset(text, '-', phase);
                        for (size_t at = phase; at + size < sizeof text; at += size)
                                memcpy(text + at, characters[i], size + 1);
                        diag_error(&d, NULL, 0, NULL, "%s", text);
                        size_t n = strlen(d.items[0].text);
                        assert_int_equal(n, phase + (2047 - phase) / size * size);
                        assert_memory_equal(d.items[0].text, text, n);
                }
}

static void number_of_items_is_bounded(void **state UNUSED) {
        CLEANUP(diag_done) Diag d = DIAG_INIT;

        for (unsigned i = 0; i < DIAG_MAX_ITEMS; i++)
                diag_error(&d, NULL, i, NULL, "line");
        assert_false(d.is_truncated);
        diag_error(&d, NULL, 0, NULL, "one more");
        diag_warning(&d, NULL, 0, NULL, "and a warning");
        assert_true(d.is_truncated);
        assert_int_equal(d.n, DIAG_MAX_ITEMS);
        assert_int_equal(d.n_errors, DIAG_MAX_ITEMS + 1);
        assert_int_equal(d.n_warnings, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(places_are_written),
                cmocka_unit_test(levels_are_counted_in_order),
                cmocka_unit_test(strings_are_copied_and_one_line),
                cmocka_unit_test(long_text_is_cut_at_a_character),
                cmocka_unit_test(number_of_items_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
