#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/hashindex.h"

static void hashes_are_fnv_and_parted(void **state) {
        (void) state;
        /* FNV-1a of "a" followed by its NUL. */
        uint64_t want = ((HASH_SEED ^ 'a') * UINT64_C(0x100000001b3)) * UINT64_C(0x100000001b3);
        assert_int_equal(hash_text(HASH_SEED, "a"), want);
        assert_true(hash_text(hash_text(HASH_SEED, "ab"), "c") !=
                    hash_text(hash_text(HASH_SEED, "a"), "bc"));
}

static void finds_all_of_one_hash_in_order(void **state) {
        (void) state;
        CLEANUP(hash_index_done) HashIndex h = {0};
        size_t cursor = 0;
        assert_null(hash_index_next(&h, 7, &cursor));

        /* Four hashes that share a slot of a small table, interleaved, through several growths. */
        for (uint32_t i = 0; i < 400; i++)
                assert_int_equal(hash_index_add(&h, 64 * (i % 4), i, i * 2), 0);
        for (uint32_t k = 0; k < 4; k++) {
                const HashSlot *slot;
                uint32_t n = 0;
                cursor = 0;
                while ((slot = hash_index_next(&h, 64 * k, &cursor))) {
                        assert_int_equal(slot->a, n * 4 + k);
                        assert_int_equal(slot->b, slot->a * 2);
                        n++;
                }
                assert_int_equal(n, 100);
        }
        cursor = 0;
        assert_null(hash_index_next(&h, 64 * 5, &cursor));
}

static void finds_many(void **state) {
        (void) state;
        CLEANUP(hash_index_done) HashIndex h = {0};
        char text[16];
        for (uint32_t i = 0; i < 5000; i++) {
                (void) snprintf(text, sizeof text, "H31.%u", i);
                assert_int_equal(hash_index_add(&h, hash_text(HASH_SEED, text), i, 0), 0);
        }
        for (uint32_t i = 0; i < 5000; i++) {
                size_t cursor = 0;
                (void) snprintf(text, sizeof text, "H31.%u", i);
                const HashSlot *slot = hash_index_next(&h, hash_text(HASH_SEED, text), &cursor);
                assert_non_null(slot);
                assert_int_equal(slot->a, i);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(hashes_are_fnv_and_parted),
                cmocka_unit_test(finds_all_of_one_hash_in_order),
                cmocka_unit_test(finds_many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
