/* A folder of its own per test, a store in it, and the few rows that every test stands on. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/figure.h"
#include "store/registry.h"
#include "store/sql.h"
#include "store/store.h"

#define T0 INT64_C(1725148800000) /* 2024-09-01T00:00:00Z */
#define ok(r) assert_int_equal((r), 0)

typedef struct World {
        char folder[64], path[128];
        Store *store;
} World;

static inline void world_path(const World *w, const char *suffix, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s%s", w->path, suffix);
}

static inline int world_up(void **state) {
        World *w = calloc(1, sizeof(*w));

        if (!w)
                return -1;
        (void) snprintf(w->folder, sizeof(w->folder), "/tmp/chiso-store-XXXXXX");
        if (!mkdtemp(w->folder))
                return -1;
        (void) snprintf(w->path, sizeof(w->path), "%s/chisod.db", w->folder);
        *state = w;
        return store_open(w->path, NULL, &w->store);
}

static inline int world_down(void **state) {
        World *w = *state;
        char command[128];

        store_close(w->store);
        (void) snprintf(command, sizeof(command), "rm -rf %s", w->folder);
        free(w);
        return system(command);
}

#define world_test(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)

static inline void reopen(World *w) {
        store_close(w->store);
        w->store = NULL;
        ok(store_open(w->path, NULL, &w->store));
}

/* Begins a transaction with its step. */
static inline StepId begin(Store *s, StepCause cause, int64_t at_ms) {
        StepId step;

        ok(store_begin(s));
        ok(store_step(s, cause, at_ms, &step));
        return step;
}

static inline UnitId unit_new(Store *s, StepId step, const char *key, const char *kind,
                              UnitId parent) {
        UnitId unit;

        ok(store_unit_add(s, step, key, kind, parent, DAY_EVER, DAY_OPEN, &unit));
        return unit;
}

static inline IndicatorId indicator_new(Store *s, const char *name, Direction direction,
                                        const char *source) {
        IndicatorDef def = {.name = name, .label = name, .decimals = 2, .direction = direction};
        IndicatorId id;

        ok(store_indicator_bind(s, &def, source, NULL, &id));
        return id;
}

static inline void figure_set(Store *s, StepId step, PeriodId period, IndicatorId indicator,
                              UnitId unit, int64_t value) {
        FigureChange c = {
                .now = {.indicator = indicator,
                        .unit = unit,
                        .value = value,
                        .why = value == VALUE_NONE ? WHY_MISSING : WHY_VALUE},
                .had_old = true,
        };

        ok(store_figure_put(s, step, period, &c));
}

/* SQL as a person would write it. */
static inline int64_t sql_int(Store *s, const char *sql) {
        sqlite3_stmt *q = NULL;
        int64_t value;

        if (!s)
                return INT64_MIN; /* never what a test expects */
        assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        value = sqlite3_column_int64(q, 0);
        (void) sqlite3_finalize(q);
        return value;
}

static inline void assert_sql_text(Store *s, const char *sql, const char *expected) {
        sqlite3_stmt *q = NULL;

        assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        assert_string_equal(str_or((const char *) sqlite3_column_text(q, 0), "NULL"), expected);
        (void) sqlite3_finalize(q);
}

static inline int sql_do(Store *s, const char *sql) {
        return sql_errno(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* xorshift: the same numbers on every run. */
static inline uint32_t next_random(uint64_t *seed, uint32_t below) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return (uint32_t) (*seed >> 33) % below;
}
