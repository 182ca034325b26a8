#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"

static void grows_and_stays_terminated(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        char expected[16];

        assert_string_equal(buf_text(&b), "");
        assert_null(b.data);
        for (unsigned i = 0; i < 5000; i++) {
                assert_int_equal(buf_append(&b, "abc", 3), 0);
                assert_int_equal(b.len, 3 * (i + 1));
                assert_int_equal(b.data[b.len], 0);
                assert_true(b.cap > b.len);
        }
        for (unsigned i = 0; i < 15000; i++)
                assert_int_equal(b.data[i], "abc"[i % 3]);

        buf_clear(&b);
        assert_int_equal(b.len, 0);
        assert_string_equal(buf_text(&b), "");
        assert_int_equal(buf_printf(&b, "%s-%04d", "x", 42), 0);
        (void) snprintf(expected, sizeof expected, "x-%04d", 42);
        assert_string_equal(b.data, expected);
}

static void maximum_is_exact(void **state UNUSED) {
        static const size_t maxima[] = {0, 1, 5, 63, 64, 65, 100};

        for (size_t i = 0; i < ELEMENTSOF(maxima); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(maxima[i]);
                for (size_t n = 0; n < maxima[i]; n++)
                        assert_int_equal(buf_char(&b, 'x'), 0);
                assert_int_equal(b.len, maxima[i]);
                assert_int_equal(buf_char(&b, 'y'), -E2BIG);
                assert_int_equal(buf_append(&b, "yy", 2), -E2BIG);
                assert_int_equal(buf_printf(&b, "%d", 7), -E2BIG);
                assert_int_equal(buf_append(&b, "", SIZE_MAX), -E2BIG);
                assert_int_equal(b.len, maxima[i]);
                assert_int_equal(strlen(buf_text(&b)), maxima[i]);
                assert_int_equal(strspn(buf_text(&b), "x"), maxima[i]);
                assert_int_equal(buf_append(&b, "", 0), 0);
                assert_non_null(b.data);
                assert_true(b.cap <= MAX(maxima[i] + 1, 1u));
        }
}

static void refuses_sizes_that_no_memory_has(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(SIZE_MAX);

        assert_int_equal(buf_str(&b, "kept"), 0);
        assert_int_equal(buf_append(&b, "", SIZE_MAX - 4), -E2BIG);
        assert_int_equal(buf_append(&b, "", SIZE_MAX), -E2BIG);
        assert_string_equal(b.data, "kept");
}

static void null_string_is_empty(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(10);

        assert_int_equal(buf_str(&b, "a"), 0);
        assert_int_equal(buf_str(&b, NULL), 0);
        assert_int_equal(buf_append(&b, "\0b", 2), 0);
        assert_int_equal(b.len, 3);
        assert_memory_equal(b.data, "a\0b", 4);
}

static void take_hands_out_and_leaves_empty(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(10);
        CLEANUP_FREE char *empty = buf_take(&b);
        assert_string_equal(empty, "");

        assert_int_equal(buf_str(&b, "one"), 0);
        CLEANUP_FREE char *one = buf_take(&b);
        assert_string_equal(one, "one");
        assert_null(b.data);
        assert_int_equal(b.len, 0);
        assert_int_equal(b.max, 10);
        assert_int_equal(buf_str(&b, "two"), 0);
        assert_string_equal(b.data, "two");
        assert_string_equal(one, "one");
}

static void truncate_only_shortens(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(10);

        buf_truncate(&b, 0);
        assert_int_equal(buf_str(&b, "abcdef"), 0);
        buf_truncate(&b, 9);
        assert_string_equal(b.data, "abcdef");
        buf_truncate(&b, 2);
        assert_string_equal(b.data, "ab");
        assert_int_equal(b.len, 2);
}

static void array_grows_zeroed(void **state UNUSED) {
        CLEANUP_FREE uint32_t *list = NULL;
        size_t cap = 0;

        for (uint32_t n = 0; n < 1000; n++) {
                size_t before = cap;
                assert_int_equal(ARRAY_GROW(list, cap, n + 1), 0);
                for (size_t i = before; i < cap; i++)
                        assert_int_equal(list[i], 0);
                list[n] = n + 1;
        }
        for (uint32_t n = 0; n < 1000; n++)
                assert_int_equal(list[n], n + 1);
        assert_true(cap >= 1000 && cap < 2000);

        uint32_t *at = list;
        size_t had = cap;
        assert_int_equal(ARRAY_GROW(list, cap, cap), 0);
        assert_int_equal(ARRAY_GROW(list, cap, 0), 0);
        assert_int_equal(ARRAY_GROW(list, cap, SIZE_MAX), -E2BIG);
        assert_int_equal(ARRAY_GROW(list, cap, SIZE_MAX / 4 + 1), -E2BIG);
        assert_ptr_equal(list, at);
        assert_int_equal(cap, had);
        assert_int_equal(list[999], 1000);
}

static void take_ptr_leaves_null(void **state UNUSED) {
        char *p = strdup("x");
        CLEANUP_FREE char *q = TAKE_PTR(p);

        assert_null(p);
        assert_string_equal(q, "x");
        assert_true(streq_ptr(NULL, NULL));
        assert_false(streq_ptr(NULL, "x"));
        assert_false(streq_ptr("x", NULL));
        assert_true(streq_ptr("x", q));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(grows_and_stays_terminated),
                cmocka_unit_test(maximum_is_exact),
                cmocka_unit_test(refuses_sizes_that_no_memory_has),
                cmocka_unit_test(null_string_is_empty),
                cmocka_unit_test(take_hands_out_and_leaves_empty),
                cmocka_unit_test(truncate_only_shortens),
                cmocka_unit_test(array_grows_zeroed),
                cmocka_unit_test(take_ptr_leaves_null),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
