/* base/arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"

#define N 5000u

typedef struct Thing {
        char *text;
        max_align_t value;
        size_t number;
} Thing;

/* Things and texts of many lengths in turn: each keeps what was put into it. */
static void test_apart(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *a = arena_new();
        static Thing *things[N];
        char text[64];

        assert_non_null(a);
        for (size_t i = 0; i < N; i++) {
                Thing *t = things[i] = arena_alloc(a, 1 + i % 7, sizeof *t);
                assert_non_null(t);
                assert_int_equal((uintptr_t) t % _Alignof(max_align_t), 0);
                for (size_t k = 0; k <= i % 7; k++)
                        assert_true(!t[k].text && t[k].number == 0);
                int n = snprintf(text, sizeof text, "%zu %.*s", i, (int) (i % 40),
                                 "........................................");
                t[i % 7].number = i;
                t->text = arena_dup(a, text, (size_t) n);
                assert_non_null(t->text);
                memset(text, '#', sizeof text);
        }
        for (size_t i = 0; i < N; i++) {
                (void) snprintf(text, sizeof text, "%zu %.*s", i, (int) (i % 40),
                                "........................................");
                assert_string_equal(things[i]->text, text);
                assert_int_equal(things[i][i % 7].number, i);
        }
        assert_false(arena_is_exhausted(a));
}

static void test_texts(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *a = arena_new();

        assert_non_null(a);
        assert_string_equal(arena_dup(a, "abc", 2), "ab");
        assert_string_equal(arena_dup(a, NULL, 0), "");
        assert_string_equal(arena_join(a, "ab", "cd"), "abcd");
        assert_string_equal(arena_join(a, "", ""), "");
        assert_non_null(arena_alloc(a, 0, 8));
}

/* Larger than a block, and what comes after it. */
static void test_large(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *a = arena_new();

        assert_non_null(a);
        char *before = arena_dup(a, "before", 6);
        char *large = arena_alloc(a, 1, 100000);
        assert_non_null(large);
        memset(large, 'x', 100000);
        char *after = arena_dup(a, "after", 5);
        for (size_t i = 0; i < 100000; i++)
                assert_int_equal(large[i], 'x');
        assert_string_equal(before, "before");
        assert_string_equal(after, "after");
}

static void test_exhausted(void **state) {
        (void) state;
        static const struct {
                size_t n, size;
        } table[] = {{SIZE_MAX, 2}, {SIZE_MAX, 1}, {SIZE_MAX / 2, 1}, {1, SIZE_MAX / 2 + 1}};

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(arena_freep) Arena *a = arena_new();
                assert_non_null(a);
                char *kept = arena_dup(a, "kept", 4);
                assert_null(arena_alloc(a, table[i].n, table[i].size));
                assert_true(arena_is_exhausted(a));
                assert_null(arena_alloc(a, 1, 1));
                assert_null(arena_dup(a, "x", 1));
                assert_null(arena_join(a, "x", "y"));
                assert_string_equal(kept, "kept");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_apart),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_large),
                cmocka_unit_test(test_exhausted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
