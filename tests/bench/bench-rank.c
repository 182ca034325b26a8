/* Ranking the nation: 3,321 units x 26 indicators, places and moves against another publication. Median of ROUNDS.
 *
 * bench-rank [ROUNDS]; prints milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/rank.h"

#define N_UNITS 3321u
#define N_INDICATORS 26u

static double clock_ms(void) {
        struct timespec t;
        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;
        return (x > y) - (x < y);
}

static void draw(int64_t *value, size_t n) {
        static uint64_t seed = 88172645463325252u;
        for (size_t i = 0; i < n; i++) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                value[i] = seed % 50 == 0 ? VALUE_NONE : (int64_t) (seed % 10001);
        }
}

static int rank_all(const int64_t *before, const int64_t *now, uint32_t *place, uint32_t *order,
                    double *ret_places, double *ret_moves) {
        size_t of = 0;
        double t0 = clock_ms();
        for (size_t i = 0; i < N_INDICATORS; i++) {
                int r = rank_build(now + i * N_UNITS, N_UNITS, DIRECTION_UP, place, &of);
                if (r >= 0)
                        r = rank_order(place, N_UNITS, order);
                if (r < 0)
                        return r;
        }
        double t1 = clock_ms();
        for (size_t i = 0; i < N_INDICATORS; i++) {
                RankMoves CLEANUP(rank_moves_done) moves = {0};
                int r = rank_moves(before + i * N_UNITS, now + i * N_UNITS, N_UNITS, DIRECTION_UP,
                                   &moves);
                if (r < 0)
                        return r;
        }
        *ret_places = t1 - t0;
        *ret_moves = clock_ms() - t1;
        return 0;
}

int main(int argc, char **argv) {
        size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 21;
        size_t n = (size_t) N_UNITS * N_INDICATORS;
        int64_t CLEANUP_FREE *before = calloc(n, sizeof *before), *now = calloc(n, sizeof *now);
        uint32_t CLEANUP_FREE *place = calloc(N_UNITS, sizeof *place),
                              *order = calloc(N_UNITS, sizeof *order);
        double CLEANUP_FREE *places = calloc(rounds + 1, sizeof *places),
                            *moves = calloc(rounds + 1, sizeof *moves);
        if (!before || !now || !place || !order || !places || !moves)
                return 1;
        draw(before, n);
        draw(now, n);
        for (size_t i = 0; i < rounds; i++)
                if (rank_all(before, now, place, order, &places[i], &moves[i]) < 0)
                        return 1;
        qsort(places, rounds, sizeof *places, compare_doubles);
        qsort(moves, rounds, sizeof *moves, compare_doubles);
        printf("places=%.3f\tmoves=%.3f\n", places[rounds / 2], moves[rounds / 2]);
        return 0;
}
