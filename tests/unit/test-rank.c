#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/rank.h"

#define NONE VALUE_NONE
#define MAX_N 8

typedef struct Case {
        const char *name;
        Direction direction;
        size_t n;
        int64_t value[MAX_N];
        uint32_t place[MAX_N];
        size_t of;
} Case;

static void ranks_by_competition(void **state UNUSED) {
        static const Case cases[] = {
                {"nothing", DIRECTION_UP, 0, {0}, {0}, 0},
                {"none has a value", DIRECTION_UP, 3, {NONE, NONE, NONE}, {0, 0, 0}, 0},
                {"one", DIRECTION_DOWN, 1, {-5}, {1}, 1},
                {"1 2 2 4", DIRECTION_UP, 4, {8812, 9000, 8812, 8000}, {2, 1, 2, 4}, 4},
                {"down", DIRECTION_DOWN, 4, {8812, 9000, 8812, 8000}, {2, 4, 2, 1}, 4},
                {"holes", DIRECTION_UP, 5, {NONE, 3, NONE, 7, 3}, {0, 2, 0, 1, 2}, 3},
                {"all the same", DIRECTION_UP, 3, {7, 7, 7}, {1, 1, 1}, 3},
                {"zero is a value", DIRECTION_UP, 3, {0, NONE, -1}, {1, 0, 2}, 2},
                {"wide",
                 DIRECTION_UP,
                 4,
                 {100000000000000, -100000000000000, 5, 5},
                 {1, 4, 2, 2},
                 4},
                {"wide, down",
                 DIRECTION_DOWN,
                 4,
                 {100000000000000, -100000000000000, 5, 5},
                 {4, 1, 2, 2},
                 4},
                {"counts", DIRECTION_DOWN, 5, {30204, 0, 623, 2971, 623}, {5, 1, 2, 4, 2}, 5},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *c = &cases[i];
                uint32_t place[MAX_N] = {99, 99, 99, 99, 99, 99, 99, 99};
                size_t of = 99;
                assert_int_equal(rank_build(c->value, c->n, c->direction, place, &of), 0);
                if (of != c->of || memcmp(place, c->place, c->n * sizeof(*place)) != 0)
                        fail_msg("%s: of %zu, first place %u", c->name, of, place[0]);
        }
}

static int64_t next_value(uint64_t *seed, uint64_t spread) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return *seed >> 60 == 3 ? NONE
                                : (int64_t) ((*seed >> 24) % spread) - (int64_t) (spread / 3);
}

/* A place is one more than the number of better values: by definition, the slow way. */
static uint32_t slow_place(const int64_t *value, size_t n, size_t i, Direction direction) {
        uint32_t better = 0;

        for (size_t k = 0; k < n; k++)
                better += value[k] != NONE &&
                          (direction == DIRECTION_UP ? value[k] > value[i] : value[k] < value[i]);
        return value[i] == NONE ? 0 : better + 1;
}

static void agrees_with_the_definition(void **state UNUSED) {
        static const uint64_t spreads[] = {1, 3, 300, 10001, 70000, 20000000000000};
        int64_t value[300];
        uint32_t place[300];
        uint64_t seed = 766;

        for (size_t s = 0; s < ELEMENTSOF(spreads); s++)
                for (size_t n = 1; n <= 300; n += 23) {
                        size_t of, n_values = 0;
                        Direction direction = n % 2 ? DIRECTION_UP : DIRECTION_DOWN;
                        for (size_t i = 0; i < n; i++) {
                                value[i] = next_value(&seed, spreads[s]);
                                n_values += value[i] != NONE;
                        }
                        assert_int_equal(rank_build(value, n, direction, place, &of), 0);
                        assert_int_equal(of, n_values);
                        for (size_t i = 0; i < n; i++)
                                assert_int_equal(place[i], slow_place(value, n, i, direction));
                }
}

static void orders_for_a_table(void **state UNUSED) {
        static const uint32_t place[] = {0, 2, 1, 0, 2, 4}, expected[] = {2, 1, 4, 5, 0, 3};
        uint32_t order[6];

        assert_int_equal(rank_order(place, 6, order), 0);
        assert_memory_equal(order, expected, sizeof(expected));
        assert_int_equal(rank_order(place, 0, order), 0);
}

static void moves_among_those_in_both(void **state UNUSED) {
        /* The best of before is gone now, so that everybody behind it moved up without doing
         * anything. */
        static const int64_t before[] = {99, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5};
        static const int64_t now[] = {NONE, 80, 90, 70, 60, 50, 40, 30, 20, 10, 5};
        RankMoves m = {0};

        assert_int_equal(rank_moves(before, now, 11, DIRECTION_UP, &m), 0);
        assert_true(m.is_comparable); /* 10 of 11 and 10 of 10 */
        assert_int_equal(m.of, 10);
        assert_int_equal(m.before[0], 0);
        assert_int_equal(m.now[0], 0);
        assert_int_equal(m.before[1], 1);
        assert_int_equal(m.now[1], 2);
        assert_int_equal(m.before[2], 2);
        assert_int_equal(m.now[2], 1);
        assert_int_equal(m.now[10], 10);
        rank_moves_done(&m);
        assert_null(m.before);
}

static void moves_need_nine_tenths(void **state UNUSED) {
        static const int64_t all[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        static const int64_t one_less[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, NONE};
        static const int64_t two_less[] = {1, 2, 3, 4, 5, 6, 7, 8, NONE, NONE};
        static const int64_t none[] = {NONE, NONE};
        static const struct {
                const int64_t *before, *now;
                size_t n, of;
                bool is_comparable;
        } cases[] = {
                {all, all, 10, 10, true},      {all, one_less, 10, 9, true},
                {one_less, all, 10, 9, true},  {all, two_less, 10, 8, false},
                {two_less, all, 10, 8, false}, {none, none, 2, 0, false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(rank_moves_done) RankMoves m = {0};
                assert_int_equal(
                        rank_moves(cases[i].before, cases[i].now, cases[i].n, DIRECTION_UP, &m), 0);
                assert_int_equal(m.of, cases[i].of);
                assert_int_equal(m.is_comparable, cases[i].is_comparable);
        }
}

static void takes_the_lower_median(void **state UNUSED) {
        static const struct {
                size_t n, min_count;
                int64_t value[MAX_N], median;
        } cases[] = {
                {0, 0, {0}, NONE},
                {3, 1, {NONE, NONE, NONE}, NONE},
                {1, 1, {7}, 7},
                {4, 1, {4, 1, 3, 2}, 2},
                {5, 5, {50, 10, 40, 20, 30}, 30},
                {6, 5, {50, 10, NONE, 40, 20, 30}, 30},
                {6, 6, {50, 10, NONE, 40, 20, 30}, NONE},
                {5, 5, {-5, -5, 100000000000000, -100000000000000, 3}, -5},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t median = 1;
                assert_int_equal(
                        rank_median(cases[i].value, cases[i].n, cases[i].min_count, &median), 0);
                assert_true(median == cases[i].median);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ranks_by_competition),
                cmocka_unit_test(agrees_with_the_definition),
                cmocka_unit_test(orders_for_a_table),
                cmocka_unit_test(moves_among_those_in_both),
                cmocka_unit_test(moves_need_nine_tenths),
                cmocka_unit_test(takes_the_lower_median),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
