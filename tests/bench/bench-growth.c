/* Ten years of daily snapshots through the store's own functions: what a day costs then, beside a day of
 * a new file, what a value costs on disk, and how long the past takes to read.
 *
 * bench-growth FOLDER [units=104] [percent=5] [years=10] [scopes=1] [bodies=1] [keep=0]
 * bench-growth FILE [units=104] [percent=5] [years=10] [scopes=1] [bodies=1] [write=0]
 *
 * One line of NAME=VALUE, separated by tabs. Every month begins full; each day `percent` of its
 * values are drawn anew. scopes: the units come in so many snapshots a day, each a step of its own;
 * each is followed by the steps of a release and a settling, as in life. bodies: six a snapshot, in
 * the shape of the reporting service, 0 = one of a few bytes. The file is made in FOLDER and
 * removed at the end, or kept, so that its reads can be measured again: the second form, which
 * with write=1 (once) measures the days first.
 *
 * Days of the grown file and of a new one are run in turn, as the speed of a machine is not the same
 * from one hour to the next: the first month of both makes pages and warms caches, two more count.
 *
 * Costs of writing are processor time (the disk's is not the store's), of reading both: `p50`
 * and `p99` are wall, `cpu50` and `cpu99` processor time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/rank.h"
#include "store/figure.h"
#include "store/registry.h"
#include "store/sql.h"

#define N_INDICATORS 26u
#define N_PARTS 6u
#define DAYS_MONTH 30u
#define DAYS_YEAR 360u /* of twelve made months */
#define N_READS 300u
#define MORE_DAYS (3 * DAYS_MONTH) /* after the years, and of a new file */
#define T0 INT64_C(1735664400000)  /* 2025-01-01, local */
#define DAY_MS INT64_C(86400000)

static const char *const part_names[N_PARTS] = {"openness", "progress", "online",
                                                "payment",  "digital",  "satisfaction"};

typedef struct Bench {
        size_t n_units, percent, years, n_scopes, has_bodies, is_kept, is_written;
        uint64_t seed;
        Store *store;
        UnitId *units;
        IndicatorId indicators[N_INDICATORS];
        int64_t *value; /* [indicator][unit] */
        size_t n_first, n_changed;
        double day_ms; /* processor time of the evaluations of the last day */
        Buf text;
} Bench;

static void bench_done(Bench *b) {
        if (b->store)
                store_close(b->store);
        buf_done(&b->text);
        free(b->units);
        free(b->value);
}

static uint64_t draw(Bench *b, uint64_t n) {
        b->seed ^= b->seed << 13;
        b->seed ^= b->seed >> 7;
        b->seed ^= b->seed << 17;
        return b->seed % n;
}

static double clock_ms(clockid_t id) {
        struct timespec t;

        (void) clock_gettime(id, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static PeriodId month_of(size_t day) {
        size_t m = day / DAYS_MONTH;

        return (PeriodId) ((2025 + m / 12) * 1000 + 101 + m % 12);
}

/* ---- one day --------------------------------------------------------------------------------- */

/* Rows of one part: what stands still, and what moves with the values. */
static int body_make(Bench *b, size_t part, size_t first, size_t last) {
        int r;

        buf_clear(&b->text);
        r = buf_printf(&b->text, "{\"code\":\"OK\",\"data\":{\"overview\":{},\"evaluation\":[");
        for (size_t u = first; u < last && r >= 0; u++) {
                uint64_t base = (u + 1) * UINT64_C(0x9e3779b97f4a7c15);

                r = buf_printf(&b->text,
                               "%s{\"stt\":%zu,\"departmentId\":\"%08x-6ab4-74ce-8a81-%012llx\","
                               "\"departmentName\":\"UBND xã Hy Cương %zu\","
                               "\"departmentCode\":\"H44.%zu\",\"departmentType\":"
                               "\"COMMUNE_PEOPLE_COMMITTEE\",\"departmentLevel\":\"COMMUNE\","
                               "\"agencyLevel\":\"level_2\",\"totalMaxScore\":22,\"metrics\":[",
                               u > first ? "," : "", u, (unsigned) (base >> 32),
                               (unsigned long long) (base & 0xffffffffffff), u, u);
                for (size_t i = part; i < N_INDICATORS && r >= 0; i += N_PARTS) {
                        int64_t v = b->value[i * b->n_units + u];
                        int64_t of = (int64_t) (base >> (8 + i) & 4095) + 100;

                        r = buf_printf(&b->text,
                                       "%s{\"code\":\"ORIGINAL_RESULT_%zu\",\"numerator\":%lld,"
                                       "\"denominator\":%lld,\"ratio\":%.2f,\"score\":%.2f,"
                                       "\"maxScore\":4}",
                                       i > part ? "," : "", i, (long long) (of * v / 10000),
                                       (long long) of, (double) v / 100.0, (double) v / 2500.0);
                }
                if (r >= 0)
                        r = buf_printf(&b->text, "],\"scoreDelta\":null}");
        }
        return r >= 0 ? buf_printf(&b->text, "]},\"message\":\"OK\"}") : r;
}

static int body_add(Bench *b, size_t part, size_t first, size_t last, SnapshotPart *ret) {
        Body body = {0};
        int r;

        if (b->has_bodies)
                r = body_make(b, part, first, last);
        else {
                buf_clear(&b->text);
                r = buf_printf(&b->text, "%llu", (unsigned long long) draw(b, UINT64_MAX));
        }
        if (r >= 0)
                r = body_pack(b->text.data, b->text.len, &body);
        if (r >= 0)
                r = store_body_put(b->store, &body);
        *ret = (SnapshotPart){
                .name = part_names[part], .page = 1, .http_status = 200, .url = "http://x/"};
        memcpy(ret->hash, body.hash, sizeof(ret->hash));
        body_done(&body);
        return r;
}

static int snapshot_add(Bench *b, PeriodId period, StepId step, int64_t at_ms, size_t first,
                        size_t last) {
        SnapshotPart parts[N_PARTS];
        size_t n = b->has_bodies ? N_PARTS : 1;
        int64_t id;
        int r = 0;

        for (size_t p = 0; p < n && r >= 0; p++)
                r = body_add(b, p, first, last, &parts[p]);
        if (r < 0)
                return r;
        SnapshotRow row = {
                .source = "nation",
                .scope = "s",
                .period = period,
                .step = step,
                .at_ms = at_ms,
                .state = SNAPSHOT_ACCEPTED,
                .n_units = last - first,
                .n_values = (last - first) * N_INDICATORS,
                .parts = parts,
                .n_parts = n,
        };
        r = store_snapshot_add(b->store, &row, &id);
        if (r < 0)
                return r;
        return store_attempt_add(b->store,
                                 &(AttemptRow){.source = "nation",
                                               .scope = "s",
                                               .period = period,
                                               .at_ms = at_ms,
                                               .http_status = 200,
                                               .outcome = OUTCOME_NEW,
                                               .snapshot = id},
                                 &id);
}

/* What is drawn of the day's values, put in the order in which engine_know gives them. */
static int figures_put(Bench *b, PeriodId period, StepId step, bool is_first, size_t first,
                       size_t last) {
        int r = 0;

        for (size_t i = 0; i < N_INDICATORS && r >= 0; i++)
                for (size_t u = first; u < last && r >= 0; u++) {
                        int64_t *v = &b->value[i * b->n_units + u], old = *v;

                        if (!is_first && draw(b, 1000) >= b->percent * 10)
                                continue;
                        *v = (int64_t) draw(b, 10001);
                        if (!is_first && *v == old)
                                continue;
                        FigureChange c = {
                                .now = {.indicator = b->indicators[i],
                                        .unit = b->units[u],
                                        .value = *v},
                                .had_old = !is_first,
                                .old_value = old,
                        };
                        r = store_figure_put(b->store, step, period, &c);
                        *(is_first ? &b->n_first : &b->n_changed) += 1;
                }
        return r;
}

static int evaluate(Bench *b, size_t day, int64_t at_ms, size_t first, size_t last) {
        PeriodId period = month_of(day);
        StepId step;
        int r;

        r = store_begin(b->store);
        if (r >= 0)
                r = store_step(b->store, CAUSE_SNAPSHOT, at_ms, &step);
        if (r >= 0)
                r = figures_put(b, period, step, day % DAYS_MONTH == 0, first, last);
        if (r >= 0)
                r = snapshot_add(b, period, step, at_ms, first, last);
        if (r >= 0)
                r = store_commit(b->store);
        return r;
}

static int empty_step(Bench *b, StepCause cause, int64_t at_ms) {
        StepId step;
        int r;

        r = store_begin(b->store);
        if (r >= 0)
                r = store_step(b->store, cause, at_ms, &step);
        return r < 0 ? r : store_commit(b->store);
}

static int day_run(Bench *b, size_t day) {
        int r = 0;

        b->day_ms = 0;
        for (size_t s = 0; s < b->n_scopes && r >= 0; s++) {
                int64_t at_ms = T0 + (int64_t) day * DAY_MS + (int64_t) s * 1000;
                double t0 = clock_ms(CLOCK_PROCESS_CPUTIME_ID);

                r = evaluate(b, day, at_ms, s * b->n_units / b->n_scopes,
                             (s + 1) * b->n_units / b->n_scopes);
                b->day_ms += clock_ms(CLOCK_PROCESS_CPUTIME_ID) - t0;
                if (r >= 0)
                        r = empty_step(b, CAUSE_RELEASE, at_ms);
                if (r >= 0)
                        r = empty_step(b, CAUSE_SETTLE, at_ms);
        }
        return r;
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int world_make(Bench *b) {
        StepId step;
        int r;

        r = store_begin(b->store);
        if (r >= 0)
                r = store_step(b->store, CAUSE_RELOAD, T0 - DAY_MS, &step);
        for (size_t u = 0; u < b->n_units && r >= 0; u++) {
                char key[32];

                (void) snprintf(key, sizeof(key), "unit:x:%zu", u);
                r = store_unit_add(b->store, step, key, "commune", 0, DAY_EVER, DAY_OPEN,
                                   &b->units[u]);
        }
        for (size_t i = 0; i < N_INDICATORS && r >= 0; i++) {
                char name[16];
                IndicatorDef def = {.name = name, .label = name, .decimals = 2};

                (void) snprintf(name, sizeof(name), "i%zu", i);
                r = store_indicator_bind(b->store, &def, "nation", NULL, &b->indicators[i]);
        }
        return r < 0 ? r : store_commit(b->store);
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef int (*Read)(Bench *b, Store *reader);
typedef struct Times {
        double wall[N_READS], cpu[N_READS];
} Times;

static int times_of(Bench *b, Store *reader, Read read, const char *name) {
        CLEANUP_FREE Times *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        for (size_t i = 0; i < N_READS; i++) {
                double wall = clock_ms(CLOCK_MONOTONIC), cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
                int r = store_look(reader); /* as the API does */

                if (r >= 0)
                        r = read(b, reader);
                if (r >= 0)
                        r = store_commit(reader);
                if (r < 0)
                        return r;
                t->wall[i] = clock_ms(CLOCK_MONOTONIC) - wall;
                t->cpu[i] = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        }
        qsort(t->wall, N_READS, sizeof(double), compare_doubles);
        qsort(t->cpu, N_READS, sizeof(double), compare_doubles);
        printf("%s-p50=%.2f\t%s-p99=%.2f\t%s-cpu50=%.2f\t%s-cpu99=%.2f\t", name,
               t->wall[N_READS / 2], name, t->wall[N_READS * 99 / 100], name, t->cpu[N_READS / 2],
               name, t->cpu[N_READS * 99 / 100]);
        return 0;
}

/* Places and moves of the month of a day, of all units, as of an instant (-1 = now). */
static int ranking(Bench *b, Store *reader, size_t day, int64_t at_ms) {
        CLEANUP(panel_freep) Panel *panel = NULL;
        CLEANUP_FREE uint32_t *place = calloc(b->n_units, sizeof(*place));
        CLEANUP_FREE uint32_t *order = calloc(b->n_units, sizeof(*order));
        CLEANUP(rank_moves_done) RankMoves moves = {0};
        size_t of = 0, n = b->n_units;
        StepId step = 0;
        int r = place && order ? 0 : -ENOMEM;

        if (r >= 0 && at_ms >= 0)
                r = store_step_at(reader, at_ms, &step);
        if (r >= 0)
                r = panel_new(b->units, n, period_previous(month_of(day)), 2, &panel);
        if (r >= 0)
                r = store_panel_load(reader, b->indicators[draw(b, N_INDICATORS)], step, panel);
        if (r >= 0)
                r = rank_build(panel->value + n, n, DIRECTION_UP, place, &of);
        if (r >= 0)
                r = rank_order(place, n, order);
        if (r >= 0)
                r = rank_moves(panel->value, panel->value + n, n, DIRECTION_UP, &moves);
        return r < 0 ? r : of == n ? 0 : -EBADMSG; /* months start full */
}

static int read_past(Bench *b, Store *reader) {
        size_t day = draw(b, b->years * DAYS_YEAR);

        return ranking(b, reader, day, T0 + (int64_t) day * DAY_MS + DAY_MS / 2);
}

static int read_present(Bench *b, Store *reader) {
        return ranking(b, reader, b->years * DAYS_YEAR - 1, -1);
}

/* Every value that one figure ever had, of every month, each with its snapshot and the hash of its
 * part's body. */
static int read_vintages(Bench *b, Store *reader) {
        IndicatorId indicator = b->indicators[draw(b, N_INDICATORS)];
        UnitId unit = b->units[draw(b, b->n_units)];
        size_t part = draw(b, b->has_bodies ? N_PARTS : 1);
        int r = 0;

        for (size_t m = 0; m < b->years * 12 && r >= 0; m++) {
                VintageRow *rows = NULL;
                size_t n = 0;

                r = store_vintages(reader, month_of(m * DAYS_MONTH), indicator, unit,
                                   part_names[part], &rows, &n);
                if (r >= 0 && (n == 0 || rows[0].snapshot == 0 || !rows[0].hash[0]))
                        r = -EBADMSG;
                free(rows);
        }
        return r;
}

/* What is known of it now, by month. */
static int read_months(Bench *b, Store *reader) {
        CLEANUP(panel_freep) Panel *panel = NULL;
        UnitId unit = b->units[draw(b, b->n_units)];
        int r;

        r = panel_new(&unit, 1, month_of(0), b->years * 12, &panel);
        if (r >= 0)
                r = store_panel_load(reader, b->indicators[draw(b, N_INDICATORS)], 0, panel);
        for (size_t m = 0; m < b->years * 12 && r >= 0; m++)
                if (panel_at(panel, m, 0) == VALUE_NONE)
                        r = -EBADMSG;
        return r;
}

/* As world_make left them. */
static void ids_set(Bench *b) {
        for (size_t u = 0; u < b->n_units; u++)
                b->units[u] = (UnitId) u + 1;
        for (size_t i = 0; i < N_INDICATORS; i++)
                b->indicators[i] = (IndicatorId) i + 1;
}

static int read_all(Bench *b, const char *path) {
        CLEANUP(store_closep) Store *reader = NULL;
        int r;

        r = store_open_reader(path, NULL, &reader);
        if (r >= 0)
                r = times_of(b, reader, read_past, "past");
        if (r >= 0)
                r = times_of(b, reader, read_present, "present");
        if (r >= 0)
                r = times_of(b, reader, read_vintages, "vintages");
        if (r >= 0)
                r = times_of(b, reader, read_months, "months");
        return r;
}

/* ---- what it takes --------------------------------------------------------------------------- */

/* Pages of the tables (with their indexes) that a person would name when asked where figures are: an
 * aggregated row's pageno is their number (its pgsize does not count beyond 2 GB). */
static double table_bytes(Bench *b, const char *names) {
        sqlite3_stmt *q = NULL;
        double size = -1;

        if (sqlite3_prepare_v2(b->store->db,
                               "SELECT sum(d.pageno) * (SELECT page_size FROM pragma_page_size)"
                               " FROM sqlite_schema s JOIN dbstat d"
                               " ON d.name = s.name AND d.aggregate = 1"
                               " WHERE instr(?1, ' ' || s.tbl_name || ' ')",
                               -1, &q, NULL) == SQLITE_OK &&
            sqlite3_bind_text(q, 1, names, -1, SQLITE_STATIC) == SQLITE_OK &&
            sqlite3_step(q) == SQLITE_ROW)
                size = (double) sqlite3_column_int64(q, 0);
        (void) sqlite3_finalize(q);
        return size;
}

static void print_sizes(Bench *b) {
        double known = table_bytes(b, " known series ");
        double before = table_bytes(b, " known_before change_step ");
        double both = known + before;
        struct rusage usage;

        (void) getrusage(RUSAGE_SELF, &usage);
        printf("first=%zu\tchanged=%zu\tbytes-first=%.2f\tbytes-changed=%.2f\tbytes-each=%.2f\t"
               "file-mb=%.1f\tbodies-mb=%.1f\tpeak-mb=%.1f\t",
               b->n_first, b->n_changed, known / (double) b->n_first,
               before / (double) b->n_changed, both / (double) (b->n_first + b->n_changed),
               (double) store_size(b->store) / 1e6, table_bytes(b, " body ") / 1e6,
               (double) usage.ru_maxrss / 1024);
}

static void files_remove(const char *path) {
        static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};

        for (size_t i = 0; i < ELEMENTSOF(suffix); i++) {
                char name[4096];

                (void) snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
                (void) unlink(name);
        }
}

/* A few months more of the grown file and the first of a new one, day by day in turn. */
static int days_in_turn(Bench *b, Bench *fresh) {
        double first = 0, last = 0;
        int r = 0;

        for (size_t day = 0; day < MORE_DAYS && r >= 0; day++) {
                r = day_run(fresh, day);
                if (r >= 0)
                        r = day_run(b, b->years * DAYS_YEAR + day);
                if (day < DAYS_MONTH)
                        continue;
                first += fresh->day_ms;
                last += b->day_ms;
        }
        if (r >= 0)
                printf("day-first-ms=%.3f\tday-last-ms=%.3f\tgrowth=%.3f\t",
                       first / (MORE_DAYS - DAYS_MONTH), last / (MORE_DAYS - DAYS_MONTH),
                       last / first);
        return r;
}

static int print_costs(Bench *b, const char *path) {
        CLEANUP(bench_done) Bench fresh = *b;
        char name[4096];
        int r;

        fresh.text = BUF_INIT(64u << 20);
        fresh.store = NULL;
        fresh.units = calloc(b->n_units, sizeof(*b->units));
        fresh.value = calloc(b->n_units * N_INDICATORS, sizeof(*b->value));
        if (!fresh.units || !fresh.value)
                return -ENOMEM;
        (void) snprintf(name, sizeof(name), "%s.fresh", path);
        files_remove(name);
        r = store_open(name, NULL, &fresh.store);
        if (r == 0)
                r = world_make(&fresh);
        if (r >= 0)
                r = days_in_turn(b, &fresh);
        files_remove(name);
        return r;
}

static int run(Bench *b, const char *path) {
        size_t n = b->years * DAYS_YEAR;
        int r;

        r = store_open(path, NULL, &b->store);
        if (r == 0)
                r = world_make(b);
        for (size_t day = 0; day < n && r >= 0; day++) {
                r = day_run(b, day);
                if (day % DAYS_YEAR == DAYS_YEAR - 1)
                        fprintf(stderr, "bench-growth: %zu units, %zu %%, year %zu of %zu\n",
                                b->n_units, b->percent, day / DAYS_YEAR + 1, b->years);
        }
        if (r < 0)
                return r;
        printf("units=%zu\tpercent=%zu\tyears=%zu\tscopes=%zu\t", b->n_units, b->percent, b->years,
               b->n_scopes);
        print_sizes(b);
        r = print_costs(b, path);
        if (r >= 0)
                r = read_all(b, path);
        printf("\n");
        if (b->is_kept)
                fprintf(stderr, "bench-growth: kept %s\n", path);
        return r;
}

static int option_read(Bench *b, const char *text) {
        const struct {
                const char *name;
                size_t *value;
        } options[] = {{"units=", &b->n_units},     {"percent=", &b->percent},
                       {"years=", &b->years},       {"scopes=", &b->n_scopes},
                       {"bodies=", &b->has_bodies}, {"keep=", &b->is_kept},
                       {"write=", &b->is_written}};

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (strncmp(text, options[i].name, strlen(options[i].name)) == 0) {
                        *options[i].value = strtoul(text + strlen(options[i].name), NULL, 10);
                        return 0;
                }
        return -EINVAL;
}

static int bench_init(Bench *b, int argc, char **argv) {
        *b = (Bench){.n_units = 104,
                     .percent = 5,
                     .years = 10,
                     .n_scopes = 1,
                     .has_bodies = 1,
                     .seed = 88172645463325252u,
                     .text = BUF_INIT(64u << 20)};
        for (int i = 2; i < argc; i++)
                if (option_read(b, argv[i]) < 0)
                        return -EINVAL;
        if (argc < 2 || b->n_units == 0 || b->years == 0 || b->n_scopes == 0)
                return -EINVAL;
        b->units = calloc(b->n_units, sizeof(*b->units));
        b->value = calloc(b->n_units * N_INDICATORS, sizeof(*b->value));
        return b->units && b->value ? 0 : -ENOMEM;
}

static int make_and_read(Bench *b, const char *folder) {
        char path[4096];
        int r;

        (void) snprintf(path, sizeof(path), "%s/growth-%d.db", folder, getpid());
        files_remove(path);
        r = run(b, path);
        if (!b->is_kept)
                files_remove(path);
        return r;
}

static int read_again(Bench *b, const char *path) {
        int r = 0;

        ids_set(b);
        if (b->is_written)
                r = store_open(path, NULL, &b->store);
        if (b->store && r == 0)
                r = print_costs(b, path);
        if (r >= 0)
                r = read_all(b, path);
        printf("\n");
        return r;
}

int main(int argc, char **argv) {
        struct stat st;
        Bench b;
        int r;

        r = bench_init(&b, argc, argv);
        if (r >= 0)
                r = store_setup();
        if (r >= 0)
                r = stat(argv[1], &st) == 0 && S_ISREG(st.st_mode) ? read_again(&b, argv[1])
                                                                   : make_and_read(&b, argv[1]);
        if (r < 0)
                fprintf(stderr, "bench-growth: %s\n", strerror(-r));
        bench_done(&b);
        return r != 0;
}
