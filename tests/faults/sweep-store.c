/* sweep-store io|memory|power FOLDER [every=N] [seed=N] [weak=1]
 *
 * A small life of the store (made, then cycles of evaluate, release, start, settle) with a fault at
 * each of its file calls, at each of its allocations, or with the power cut after each of its
 * writes. Whatever happens, in the end or after the cut the file is sound, holds each transaction
 * wholly or not at all and none less than was reported as committed, and the life goes on to the
 * same last state, row for row.
 *
 * Which transaction is next is read from the file (every one is a step), as the daemon does, so
 * that a life may go on in another process. every: only each Nth point, from a seeded one on (1 =
 * all). weak: commits are not synced; a power cut must then be caught losing some, which proves
 * that the test can. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults/vfs.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/outbox.h"
#include "store/registry.h"
#include "store/sql.h"
#include "store/store.h"

#define T0 INT64_C(1725148800000)
#define N_UNITS 60
#define N_PHASES 4
#define N_CYCLES 3
#define N_STEPS (1 + N_CYCLES * N_PHASES)
#define PERIOD 2024108
#define TRIES_MAX 20000
#define LONG_FAULT 40

typedef struct Sweep {
        char folder[256], path[340];
        uint64_t every, seed, weak;
        uint64_t want[N_STEPS + 1]; /* of all rows after so many steps */
        Store *store;
        int64_t committed;
        size_t n_points, n_hits;
} Sweep;

#define FAIL(...)                                                                                  \
        do {                                                                                       \
                (void) fprintf(stderr, "sweep-store: " __VA_ARGS__);                               \
                (void) fputc('\n', stderr);                                                        \
                exit(1);                                                                           \
        } while (0)

/* ---- allocations ----------------------------------------------------------------------------- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);

static struct {
        bool is_armed;
        uint64_t seen, at, length, failed;
        sqlite3_mem_methods real;
} memory;

static bool no_memory(void) {
        if (!memory.is_armed)
                return false;
        memory.seen++;
        if (memory.at == 0 || memory.seen < memory.at || memory.seen - memory.at >= memory.length)
                return false;
        memory.failed++;
        return true;
}

void *__wrap_malloc(size_t n) {
        return no_memory() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return no_memory() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return no_memory() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text) {
        return no_memory() ? NULL : __real_strdup(text);
}

static void *sqlite_malloc(int n) {
        return no_memory() ? NULL : memory.real.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n) {
        return no_memory() ? NULL : memory.real.xRealloc(p, n);
}

static void memory_install(void) {
        sqlite3_mem_methods m;

        if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real) != SQLITE_OK)
                FAIL("no allocator");
        m = memory.real;
        m.xMalloc = sqlite_malloc;
        m.xRealloc = sqlite_realloc;
        /* without lookaside every allocation comes by here */
        if (sqlite3_config(SQLITE_CONFIG_MALLOC, &m) != SQLITE_OK ||
            sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
                FAIL("the allocator cannot be wrapped");
}

/* ---- the life -------------------------------------------------------------------------------- */

static int begin_world(Store *s, StepId step) {
        IndicatorDef def = {.name = "total", .label = "T", .decimals = 2};
        TargetRow target = {.key = (char *) "offices/a/email",
                            .recipient = (char *) "offices",
                            .channel = (char *) "email",
                            .address = (char *) "a@x"};
        IndicatorId indicator;
        int64_t id;
        int r = 0;

        for (int u = 0; u < N_UNITS && r == 0; u++) {
                char key[16];
                UnitId unit;

                (void) snprintf(key, sizeof(key), "u%d", u);
                r = store_unit_add(s, step, key, "commune", 0, DAY_EVER, DAY_OPEN, &unit);
                if (r == 0)
                        r = store_unit_name_add(s, step, unit, key, DAY_EVER, DAY_OPEN, false);
        }
        if (r == 0)
                r = store_indicator_bind(s, &def, "portal", NULL, &indicator);
        return r == 0 ? store_target_put(s, step, &target, &id) : r;
}

static int put_snapshot(Store *s, StepId step, int cycle) {
        CLEANUP(body_done) Body body = {0};
        SnapshotPart part = {.name = "main", .page = 1, .http_status = 200, .url = "http://x/"};
        char text[9000]; /* more than a page, and nothing to pack */
        uint64_t seed = (uint64_t) cycle + 1;
        int64_t id;
        int r;

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (char) dice(&seed);
        r = body_pack(text, sizeof(text), &body);
        if (r == 0)
                r = store_body_put(s, &body);
        memcpy(part.hash, body.hash, sizeof(part.hash));
        SnapshotRow row = {.source = "portal",
                           .scope = "",
                           .period = PERIOD,
                           .step = step,
                           .at_ms = T0 + cycle,
                           .state = SNAPSHOT_ACCEPTED,
                           .parts = &part,
                           .n_parts = 1};
        if (r == 0)
                r = store_snapshot_add(s, &row, &id);
        AttemptRow attempt = {.source = "portal",
                              .scope = "",
                              .period = PERIOD,
                              .at_ms = T0 + cycle,
                              .outcome = OUTCOME_NEW,
                              .snapshot = r == 0 ? id : 0};
        return r == 0 ? store_attempt_add(s, &attempt, &id) : r;
}

static int evaluate(Store *s, StepId step, int cycle) {
        Episode e = {.rule = "low",
                     .unit = 1,
                     .first = PERIOD + cycle,
                     .last = PERIOD + cycle,
                     .state = EPISODE_OPEN,
                     .value = cycle,
                     .previous = VALUE_NONE,
                     .limit = 5,
                     .delta = VALUE_NONE};
        int r = put_snapshot(s, step, cycle);

        for (int u = 1; u <= N_UNITS && r == 0; u++) {
                FigureChange c = {
                        .now = {.indicator = 1, .unit = (UnitId) u, .value = u * 100 + cycle},
                        .had_old = cycle > 0,
                };

                r = store_figure_put(s, step, PERIOD, &c);
        }
        if (r == 0)
                r = store_episode_put(s, step, &e);
        TransitionRow t = {.episode = e.id,
                           .step = step,
                           .at_ms = T0 + cycle,
                           .kind = TRANSITION_OPENED,
                           .period = PERIOD + cycle,
                           .value = cycle,
                           .previous_value = VALUE_NONE,
                           .limit = 5};
        return r == 0 ? store_transition_add(s, step, &e, &t) : r;
}

static int release(Store *s, StepId step, int cycle) {
        char uuid[40], body[6000];
        PlanItem item = {.say = SAY_OPENING,
                         .episode = cycle + 1,
                         .indicator = 1,
                         .period = PERIOD + cycle,
                         .unit = 1,
                         .value = cycle,
                         .old_value = VALUE_NONE};
        MessageRow row = {.target = 1,
                          .uuid = uuid,
                          .subject = (char *) "[766] Xã",
                          .content_type = (char *) "message/rfc822",
                          .body = body,
                          .body_size = sizeof(body) - 1,
                          .created_ms = T0 + cycle,
                          .next_ms = T0 + cycle};
        int64_t id;

        (void) snprintf(uuid, sizeof(uuid), "uuid-%d", cycle);
        memset(body, 'a' + cycle, sizeof(body));
        body[sizeof(body) - 1] = '\0';
        return store_message_add(s, step, &row, &item, 1, &id);
}

static int settle(Store *s, StepId step, int cycle) {
        MessageRow row = {.id = cycle + 1,
                          .attempts = 1,
                          .state = MESSAGE_ACCEPTED,
                          .settled_ms = T0 + cycle,
                          .outcome = (char *) "accepted",
                          .response = (char *) "250 OK"};
        Told told = {.episode = cycle + 1,
                     .said = SAY_OPENING,
                     .value = cycle,
                     .last = PERIOD + cycle,
                     .message = cycle + 1,
                     .said_ms = T0 + cycle};
        int r = store_message_settle(s, step, &row);

        return r == 0 ? store_told_put(s, step, 1, &told) : r;
}

static int work(Store *s, StepId step) {
        int n = (int) step - 2;

        if (step == 1)
                return begin_world(s, step);
        switch (n % N_PHASES) {
        case 0:
                return evaluate(s, step, n / N_PHASES);
        case 1:
                return release(s, step, n / N_PHASES);
        case 2:
                return store_message_start(s, n / N_PHASES + 1, T0 + n);
        default:
                return settle(s, step, n / N_PHASES);
        }
}

static int transact(Store *s) {
        StepId step;
        int r;

        r = store_begin(s);
        if (r == 0)
                r = store_step(s, CAUSE_SNAPSHOT, T0, &step);
        if (r == 0)
                r = work(s, step);
        if (r == 0)
                r = store_commit(s);
        if (r != 0)
                store_rollback(s);
        return r;
}

/* weak: what a careless setting would do. Frequent checkpoints, so that they are met as well. */
static int open_it(Sweep *w) {
        int r = store_open(w->path, NULL, &w->store);

        if (r == 0 && w->store)
                r = sql_errno(sqlite3_exec(w->store->db,
                                           w->weak ? "PRAGMA synchronous = OFF;"
                                                     "PRAGMA wal_autocheckpoint = 12"
                                                   : "PRAGMA wal_autocheckpoint = 12",
                                           NULL, NULL, NULL));
        if (r != 0 && w->store) {
                store_close(w->store);
                w->store = NULL;
        }
        return r;
}

/* One try to get further: opens when closed. What the daemon does about a file that seems broken is
 * done here too: it is opened anew. */
static int go_on(Sweep *w) {
        StepId step;
        int r;

        if (!w->store) {
                r = open_it(w);
                if (r != 0)
                        return r;
        }
        r = store_step_last(w->store, &step, NULL);
        if (r == 0 && step >= N_STEPS)
                return 1;
        if (r == 0)
                r = transact(w->store);
        if (r == 0)
                w->committed = step + 1;
        if (r == -EBADMSG) {
                store_close(w->store);
                w->store = NULL;
        }
        return r;
}

static void live(Sweep *w, bool is_armed) {
        int r = 0;

        for (int i = 0; i < TRIES_MAX && r != 1; i++) {
                memory.is_armed = is_armed;
                r = go_on(w);
                memory.is_armed = false;
                if (r > 0 && r != 1)
                        FAIL("unexpected outcome %d", r);
        }
        if (r != 1)
                FAIL("did not go on: %s", strerror(-r));
}

/* ---- what must hold -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, const void *data, size_t n) { /* FNV-1a */
        const uint8_t *p = data;

        for (size_t i = 0; i < n; i++)
                h = (h ^ p[i]) * UINT64_C(0x100000001b3);
        return (h ^ 0x1f) * UINT64_C(0x100000001b3);
}

static sqlite3_stmt *prepare(Store *s, const char *sql) {
        sqlite3_stmt *q = NULL;

        if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
                FAIL("%s: %s", sql, sqlite3_errmsg(s->db));
        return q;
}

static uint64_t mix_table(Store *s, const char *table, uint64_t h) {
        char sql[128];
        sqlite3_stmt *q;

        (void) snprintf(sql, sizeof(sql), "SELECT * FROM %s", table);
        q = prepare(s, sql);
        while (sqlite3_step(q) == SQLITE_ROW)
                for (int i = 0; i < sqlite3_column_count(q); i++) {
                        const void *data = sqlite3_column_blob(q, i);
                        size_t n = (size_t) sqlite3_column_bytes(q, i);

                        h = mix(h, data ? data : "", data ? n : 0);
                }
        (void) sqlite3_finalize(q);
        return h;
}

static uint64_t mix_all(Store *s) {
        sqlite3_stmt *q = prepare(s,
                                  "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                  " AND name NOT LIKE 'sqlite_%' ORDER BY name");
        uint64_t h = UINT64_C(0xcbf29ce484222325);

        while (sqlite3_step(q) == SQLITE_ROW)
                h = mix_table(s, (const char *) sqlite3_column_text(q, 0), h);
        (void) sqlite3_finalize(q);
        return h;
}

/* The file is sound and is what a calm life has after as many steps, at least `from` of them. */
static void check(Sweep *w, int64_t from, int64_t to, const char *what, uint64_t point) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        StepId step = -1;

        if (store_step_last(w->store, &step, NULL) != 0 || step < from || step > to)
                FAIL("%s %llu: %lld steps, not %lld to %lld", what, (unsigned long long) point,
                     (long long) step, (long long) from, (long long) to);
        if (store_verify(w->store, &diag) != 0)
                FAIL("%s %llu: %s", what, (unsigned long long) point, diag_first_error(&diag, "?"));
        if (mix_all(w->store) != w->want[step])
                FAIL("%s %llu: other rows than a calm life after %lld steps", what,
                     (unsigned long long) point, (long long) step);
}

static void folder_clear(const char *folder) {
        char command[400];

        (void) snprintf(command, sizeof(command), "rm -rf '%s' && mkdir '%s'", folder, folder);
        if (system(command) != 0)
                FAIL("%s cannot be made", folder);
}

static void world_at(Sweep *w, const char *name) {
        char folder[300];

        (void) snprintf(folder, sizeof(folder), "%s/%s", w->folder, name);
        (void) snprintf(w->path, sizeof(w->path), "%s/chisod.db", folder);
        w->committed = 0;
}

static void world_new(Sweep *w, const char *name) {
        char folder[300];

        (void) snprintf(folder, sizeof(folder), "%s/%s", w->folder, name);
        folder_clear(folder);
        world_at(w, name);
}

static void world_end(Sweep *w) {
        store_close(w->store);
        w->store = NULL;
}

/* After the fault: closed and opened again, as by a restart. */
static void check_end(Sweep *w, const char *what, uint64_t point) {
        world_end(w);
        if (open_it(w) != 0)
                FAIL("%s %llu: cannot be opened again", what, (unsigned long long) point);
        check(w, N_STEPS, N_STEPS, what, point);
        world_end(w);
        w->n_points++;
}

/* What the rows are after each step, without faults; how many calls and allocations that takes. */
static void calm(Sweep *w, uint64_t *ret_calls, uint64_t *ret_allocations) {
        world_new(w, "calm");
        vfs_plan(0, 0, VFS_EIO);
        memory.seen = 0;
        memory.is_armed = true;
        if (open_it(w) != 0)
                FAIL("cannot be made");
        memory.is_armed = false;
        w->want[0] = mix_all(w->store);
        for (int i = 1; i <= N_STEPS; i++) {
                memory.is_armed = true;
                if (go_on(w) != 0)
                        FAIL("step %d of a calm life", i);
                memory.is_armed = false;
                w->want[i] = mix_all(w->store);
        }
        if (store_verify(w->store, NULL) != 0)
                FAIL("a calm life is not sound");
        world_end(w);
        *ret_calls = vfs_seen();
        *ret_allocations = memory.seen;
}

/* ---- the sweeps ------------------------------------------------------------------------------ */

static bool is_picked(Sweep *w) {
        return w->every <= 1 || dice(&w->seed) % w->every == 0;
}

static void sweep_io(Sweep *w, uint64_t n_calls) {
        static const char *const name[] = {"EIO", "ENOSPC", "short write"};
        static const uint64_t length[] = {1, LONG_FAULT};

        for (VfsFault fault = 0; fault < VFS_N_FAULTS; fault++)
                for (size_t l = 0; l < ELEMENTSOF(length); l++)
                        for (uint64_t at = 1; at <= n_calls; at++) {
                                if (!is_picked(w))
                                        continue;
                                world_new(w, "io");
                                vfs_plan(at, length[l], fault);
                                live(w, false);
                                w->n_hits += vfs_failed() > 0;
                                vfs_plan(0, 0, fault);
                                check_end(w, name[fault], at);
                        }
}

static void sweep_memory(Sweep *w, uint64_t n_allocations) {
        static const uint64_t length[] = {1, LONG_FAULT};

        for (size_t l = 0; l < ELEMENTSOF(length); l++)
                for (uint64_t at = 1; at <= n_allocations; at++) {
                        if (!is_picked(w))
                                continue;
                        world_new(w, "memory");
                        memory.seen = memory.failed = 0;
                        memory.at = at;
                        memory.length = length[l];
                        live(w, true);
                        memory.at = 0;
                        w->n_hits += memory.failed > 0;
                        check_end(w, "allocation", at);
                }
}

typedef struct Cuts {
        Sweep *w;
        size_t n, n_max;
        uint64_t n_events;
        int64_t *committed; /* of each cut */
} Cuts;

static int cut_after(void *context) {
        Cuts *c = context;
        char folder[300];

        c->n_events++;
        if (c->n == c->n_max || !is_picked(c->w))
                return 0;
        (void) snprintf(folder, sizeof(folder), "%s/cut-%zu", c->w->folder, c->n);
        folder_clear(folder);
        c->committed[c->n] = c->w->committed;
        return vfs_cut(folder, c->w->seed + c->n++);
}

/* A cut disk is opened, checked, and lived on. */
static void check_cut(Sweep *w, const Cuts *c, size_t i) {
        char name[32];

        (void) snprintf(name, sizeof(name), "cut-%zu", i);
        world_at(w, name);
        if (open_it(w) != 0)
                FAIL("cut %zu: cannot be opened", i);
        check(w, c->committed[i], c->committed[i] + 1, "cut", i);
        live(w, false);
        check_end(w, "cut", i);
}

static void sweep_power(Sweep *w) {
        Cuts c = {.w = w, .n_max = 100000};

        c.committed = calloc(c.n_max, sizeof(*c.committed));
        if (!c.committed)
                FAIL("no memory");
        world_new(w, "power");
        vfs_record(cut_after, &c);
        live(w, false);
        world_end(w);
        vfs_forget();
        for (size_t i = 0; i < c.n; i++)
                check_cut(w, &c, i);
        w->n_hits = c.n;
        free(c.committed);
}

static int option_read(Sweep *w, const char *text) {
        const struct {
                const char *name;
                uint64_t *value;
        } options[] = {{"every=", &w->every}, {"seed=", &w->seed}, {"weak=", &w->weak}};

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (strncmp(text, options[i].name, strlen(options[i].name)) == 0) {
                        *options[i].value = strtoull(text + strlen(options[i].name), NULL, 10);
                        return 0;
                }
        return -EINVAL;
}

int main(int argc, char **argv) {
        Sweep w = {.every = 1, .seed = 766};
        uint64_t calls, allocations;
        int r = argc < 3 ? -EINVAL : 0;

        for (int i = 3; i < argc && r == 0; i++)
                r = option_read(&w, argv[i]);
        if (r < 0 || w.seed == 0) {
                (void) fprintf(stderr,
                               "usage: sweep-store io|memory|power FOLDER [every=N] "
                               "[seed=N] [weak=1]\n");
                return 2;
        }
        memory_install();
        if (vfs_install() < 0)
                FAIL("the VFS cannot be wrapped");
        (void) snprintf(w.folder, sizeof(w.folder), "%s/sweep-%s-%d", argv[2], argv[1], getpid());
        folder_clear(w.folder);
        calm(&w, &calls, &allocations);
        if (streq(argv[1], "io"))
                sweep_io(&w, calls);
        else if (streq(argv[1], "memory"))
                sweep_memory(&w, allocations);
        else
                sweep_power(&w);
        folder_clear(w.folder);
        (void) rmdir(w.folder);
        printf("%s: %zu points (of %llu file calls, %llu allocations), %zu hit: passed\n", argv[1],
               w.n_points, (unsigned long long) calls, (unsigned long long) allocations, w.n_hits);
        return w.n_hits == 0;
}
