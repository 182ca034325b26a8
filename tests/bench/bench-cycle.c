/* Whole cycles of the daemon, in process: request, fetch, decode, evaluate, release, deliver, settle, by stage.
 *
 * bench-cycle CONFIG DIR CYCLES [same]
 * DIR/current is pointed to DIR/a and DIR/b in turn ("same": always a), one period is asked for by a person's request, and the loop runs until
 * nothing is under way. What is measured is the App that chisod runs, opened by manager_open; stages are told apart at link time
 * (ld --wrap), so that the daemon knows nothing of it. Every nanosecond belongs to exactly one stage: the innermost that is running.
 * Medians over the cycles after the first two; those two write every figure for the first time and every body. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "app/manager.h"
#include "flow/courier.h"
#include "flow/cycle.h"
#include "flow/judge.h"
#include "flow/message.h"
#include "flow/source.h"
#include "flow/teller.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/alert.h"

#define WARM_UP 2

typedef enum Stage {
        STAGE_FETCH, /* the wire until the last answer, and whatever is not named */
        STAGE_PACK,  /* SHA-256 and zstd */
        STAGE_DECODE,
        STAGE_EVALUATE, /* units, rows, notes: what the next ones leave */
        STAGE_KNOW_READ,
        STAGE_KNOW,
        STAGE_KNOW_WRITE,
        STAGE_JUDGE, /* what the next ones leave */
        STAGE_JUDGE_READ,
        STAGE_JUDGE_FOLD,
        STAGE_JUDGE_WRITE,
        STAGE_RELEASE,
        STAGE_COMMIT,
        STAGE_SETTLE,
        STAGE_DELIVER, /* the wire after the last answer */
        STAGE_N,
} Stage;

static const char *const stage_names[STAGE_N] = {
        "fetch",       "pack",       "decode", "evaluate",   "know-read",
        "know",        "know-write", "judge",  "judge-read", "judge-fold",
        "judge-write", "release",    "commit", "settle",     "deliver"};

static struct {
        Stage stage;
        uint64_t since;
        uint64_t spent[STAGE_N];
        size_t fsyncs, commits, posts, n_changed, n_transitions;
} now;

static uint64_t clock_ns(clockid_t id) {
        struct timespec t;
        (void) clock_gettime(id, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static Stage enter(Stage stage) {
        uint64_t t = clock_ns(CLOCK_MONOTONIC);
        Stage before = now.stage;
        now.spent[before] += t - now.since;
        now.since = t;
        now.stage = stage;
        return before;
}

int fsync(int fd) {
        now.fsyncs++;
        return (int) syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
        now.fsyncs++;
        return (int) syscall(SYS_fdatasync, fd);
}

#define TIMED(stage_, name, parameters, arguments)                                                 \
        int __real_##name parameters;                                                              \
        int __wrap_##name parameters;                                                              \
        int __wrap_##name parameters {                                                             \
                Stage before = enter(stage_);                                                      \
                int r = __real_##name arguments;                                                   \
                (void) enter(before);                                                              \
                return r;                                                                          \
        }

TIMED(STAGE_PACK, body_pack_hashed,
      (const void *data, size_t n, const uint8_t hash[static 32], Body *ret), (data, n, hash, ret))
TIMED(STAGE_DECODE, decode_part,
      (Snapshot * s, const Config *config, size_t source, size_t part, const char *scope,
       const char *body, size_t n, DecodeSeen **seen, size_t *ret_pages, size_t *ret_n_rows,
       Diag *diag),
      (s, config, source, part, scope, body, n, seen, ret_pages, ret_n_rows, diag))
TIMED(STAGE_DECODE, decode_finish, (Snapshot * s, const Config *config, size_t source, Diag *diag),
      (s, config, source, diag))
TIMED(STAGE_KNOW_READ, store_figures_of,
      (Store * s, PeriodId period, const IndicatorId *indicators, size_t n, UnitId parent,
       FigureRow **ret, size_t *ret_n),
      (s, period, indicators, n, parent, ret, ret_n))
TIMED(STAGE_KNOW, engine_know,
      (const FigureRow *known, size_t n_known, const FigureRow *published, size_t n_published,
       FigureChange **ret, size_t *ret_n),
      (known, n_known, published, n_published, ret, ret_n))
TIMED(STAGE_KNOW_WRITE, store_figure_put,
      (Store * s, StepId step, PeriodId period, const FigureChange *change),
      (s, step, period, change))
TIMED(STAGE_JUDGE, judge_run, (App * app, const JudgeScope *scope), (app, scope))
TIMED(STAGE_JUDGE_READ, store_panel_load,
      (Store * s, IndicatorId indicator, StepId as_of, Panel *panel), (s, indicator, as_of, panel))
TIMED(STAGE_JUDGE_READ, store_panel_load_rest,
      (Store * s, IndicatorId indicator, size_t period, Panel *panel),
      (s, indicator, period, panel))
TIMED(STAGE_JUDGE_READ, store_episodes,
      (Store * s, const EpisodeFilter *filter, Episode **ret, size_t *ret_n),
      (s, filter, ret, ret_n))
TIMED(STAGE_JUDGE_FOLD, engine_judge, (const JudgeInput *in, JudgeResult *ret), (in, ret))
TIMED(STAGE_JUDGE_WRITE, store_episode_put, (Store * s, StepId step, Episode *episode),
      (s, step, episode))
TIMED(STAGE_JUDGE_WRITE, store_transition_add,
      (Store * s, StepId step, const Episode *episode, const TransitionRow *row),
      (s, step, episode, row))
TIMED(STAGE_RELEASE, teller_run, (App * app, int64_t now_ms, bool is_inside, size_t *ret_n),
      (app, now_ms, is_inside, ret_n))

int __real_store_commit(Store *s);
int __wrap_store_commit(Store *s);
int __wrap_store_commit(Store *s) {
        Stage before = enter(STAGE_COMMIT);
        int r = __real_store_commit(s);
        now.commits++;
        (void) enter(before);
        return r;
}

int __real_cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                          CycleReport *ret);
int __wrap_cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                          CycleReport *ret);
int __wrap_cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                          CycleReport *ret) {
        Stage before = enter(STAGE_EVALUATE);
        int r = __real_cycle_evaluate(app, result, polite, now_ms, ret);
        now.n_changed += ret->n_new + ret->n_changed;
        now.n_transitions += ret->n_transitions;
        (void) enter(before);
        return r;
}

void __real_courier_run(App *app, int64_t now_ms);
void __wrap_courier_run(App *app, int64_t now_ms);
void __wrap_courier_run(App *app, int64_t now_ms) {
        Stage before = enter(STAGE_SETTLE);
        __real_courier_run(app, now_ms);
        (void) enter(before);
}

int __real_store_message_settle(Store *s, StepId step, const MessageRow *row);
int __wrap_store_message_settle(Store *s, StepId step, const MessageRow *row);
int __wrap_store_message_settle(Store *s, StepId step, const MessageRow *row) {
        now.posts++;
        return __real_store_message_settle(s, step, row);
}

/* ---- the figures ------------------------------------------------------------------------------------------------------- */

typedef struct Sample {
        double stage[STAGE_N], total, cpu;
        double idle; /* resident MB, once the loop sleeps again */
        double fsyncs, commits, posts, changed, transitions;
} Sample;

/* Resident from the beginning: a page of it that came with every twenty-second cycle was measured as
 * growth of the daemon, 180 kB per 1,000 cycles. */
static Sample *samples_new(size_t n) {
        Sample *samples = calloc(n, sizeof *samples);
        for (size_t i = 0; samples && i < n; i++)
                samples[i].idle = -1;
        return samples;
}

/* Value of a line "KEY: N kB" of a file in /proc, in MB; 0 when there is none. */
static double proc_mb(const char *path, const char *key) {
        char line[256];
        double kb = 0;
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof line, f))
                if (strncmp(line, key, strlen(key)) == 0)
                        kb = strtod(line + strlen(key), NULL);
        if (f)
                (void) fclose(f);
        return kb / 1024;
}

/* The high-water mark begins anew (proc(5), clear_refs). */
static void forget_peak(void) {
        FILE *f = fopen("/proc/self/clear_refs", "we");
        if (!f)
                return;
        (void) fputs("5", f);
        (void) fclose(f);
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;
        return (x > y) - (x < y);
}

/* `at`: offset of the member within a Sample. */
static double median(const Sample *samples, size_t n, size_t at) {
        double CLEANUP_FREE *v = calloc(n + 1, sizeof *v);
        for (size_t i = 0; v && i < n; i++)
                v[i] = *(const double *) ((const char *) &samples[i] + at);
        if (!v || n == 0)
                return 0;
        qsort(v, n, sizeof *v, compare_doubles);
        return v[n / 2];
}

/* ---- cycles --------------------------------------------------------------------------------------------------------------- */

static int point(const char *dir, const char *target) {
        char path[512], fresh[512];
        (void) snprintf(path, sizeof path, "%s/current", dir);
        (void) snprintf(fresh, sizeof fresh, "%s/current.new", dir);
        (void) unlink(fresh);
        return symlink(target, fresh) < 0 || rename(fresh, path) < 0 ? -errno : 0;
}

static bool is_quiet(const App *app, int64_t request) {
        size_t ignored = 0;
        if (!source_request_done(app, request))
                return false;
        if (now.stage == STAGE_FETCH)
                (void) enter(STAGE_DELIVER);
        return !app->is_tell_due && courier_is_idle(app, clock_now_ms(), &ignored);
}

static int run_cycle(App *app, PeriodId period, Sample *ret) {
        int64_t request = 0;
        memset(&now, 0, sizeof now);
        uint64_t begin = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        now.since = begin;
        int r = source_request(app, NULL, period, period, &request);
        while (r >= 0 && !is_quiet(app, request))
                r = sd_event_run(app->event, UINT64_MAX);
        if (r < 0)
                return r;
        (void) enter(STAGE_FETCH);
        *ret = (Sample){.total = (double) (now.since - begin) / 1e6,
                        .cpu = (double) (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6,
                        .fsyncs = (double) now.fsyncs,
                        .commits = (double) now.commits,
                        .posts = (double) now.posts,
                        .changed = (double) now.n_changed,
                        .transitions = (double) now.n_transitions};
        for (size_t i = 0; i < STAGE_N; i++)
                ret->stage[i] = (double) now.spent[i] / 1e6;
        return 0;
}

/* What is due by itself is asked first, so that later cycles hold only what was requested. */
static int settle_down(App *app) {
        size_t ignored = 0;
        app_wake(app);
        int r = sd_event_run(app->event, UINT64_MAX);
        while (r >= 0 && !(source_is_idle(app, clock_now_ms(), &ignored) &&
                           courier_is_idle(app, clock_now_ms(), &ignored) && !app->is_tell_due))
                r = sd_event_run(app->event, UINT64_MAX);
        return r;
}

/* The loop goes on until it sleeps: whatever the daemon does once it is idle is done. */
static void drain(App *app) {
        while (sd_event_run(app->event, 0) > 0)
                ;
}

/* Least squares over the second half, when every buffer and cache has had its size: kB of resident
 * memory per 1,000 cycles. */
static double slope(const Sample *samples, size_t n) {
        size_t from = n / 2;
        double x = 0, y = 0, xx = 0, xy = 0, m = (double) (n - from);
        for (size_t i = from; i < n; i++) {
                double kb = samples[i].idle * 1024, at = (double) i;
                x += at;
                y += kb;
                xx += at * at;
                xy += at * kb;
        }
        double below = m * xx - x * x;
        return below > 0 ? 1000 * (m * xy - x * y) / below : 0;
}

static void report(const Sample *samples, size_t n) {
#define SHOW(name, member) printf("%s=%.2f\t", name, median(samples, n, offsetof(Sample, member)))
        SHOW("total", total);
        SHOW("cpu", cpu);
        for (size_t i = 0; i < STAGE_N; i++)
                printf("%s=%.2f\t", stage_names[i],
                       median(samples, n, offsetof(Sample, stage) + i * sizeof(double)));
        SHOW("fsyncs", fsyncs);
        SHOW("commits", commits);
        SHOW("posts", posts);
        SHOW("changed", changed);
        SHOW("transitions", transitions);
}

static int run(App *app, const char *dir, size_t n, bool is_same, Sample *samples) {
        PeriodId period = period_last_ended(PERIOD_MONTH, day_of_instant(clock_now_ms()));
        double peak_first = 0;
        int r = settle_down(app);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (i == WARM_UP) {
                        peak_first = proc_mb("/proc/self/status", "VmHWM:");
                        forget_peak();
                }
                r = point(dir, i % 2 && !is_same ? "b" : "a");
                if (r >= 0)
                        r = run_cycle(app, period, &samples[i]);
                drain(app);
                samples[i].idle = proc_mb("/proc/self/status", "VmRSS:");
        }
        if (r < 0)
                return r;
        report(samples + WARM_UP, n - WARM_UP);
        printf("peak=%.1f\tpeak-first=%.1f\tidle=%.1f\tprivate=%.1f\tslope=%.1f\n",
               proc_mb("/proc/self/status", "VmHWM:"), peak_first,
               proc_mb("/proc/self/status", "VmRSS:"),
               proc_mb("/proc/self/smaps_rollup", "Private_Dirty:"),
               slope(samples + WARM_UP, n - WARM_UP));
        return 0;
}

int main(int argc, char **argv) {
        if (argc < 4 || strtoul(argv[3], NULL, 10) <= WARM_UP) {
                fprintf(stderr, "usage: bench-cycle CONFIG DIR CYCLES [same]\n");
                return 2;
        }
        size_t n = strtoul(argv[3], NULL, 10);
        App *app = NULL;
        Sample CLEANUP_FREE *samples = samples_new(n);
        log_init("bench-cycle", false);
        if (!samples || point(argv[2], "a") < 0 ||
            manager_open(&(ManagerOptions){.config_path = argv[1]}, &app) != 0)
                return 1;
        int r = run(app, argv[2], n, argc > 4, samples);
        if (r < 0)
                fprintf(stderr, "bench-cycle: %s\n", strerror(-r));
        manager_close(app);
        return r < 0;
}
