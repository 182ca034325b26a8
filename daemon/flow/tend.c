/* Two workers: checks, and copies. What the day's turn has done is a row (meta), so that a restart does
 * not do it again and a day that was slept through is made up once.
 *
 * A check reads every body, and a year of a province is 0.4 GB: in slices of the loop that would take as
 * long as the thread takes, with every answer late. */
#include "flow/tend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/timeutil.h"
#include "flow/judge.h"
#include "flow/worker.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"

#define META_TENDED "tended_day"
#define META_DAMAGED "damaged"
#define TURN_MS (2 * MS_PER_HOUR + 30 * MS_PER_MINUTE)
#define RETRY_MS MS_PER_HOUR
#define SLICE_ROWS 500u
#define COPY_KEPT_MS MS_PER_HOUR /* a copy that nobody fetched */
#define SAID(app, vi, en) (app_is_vi(app) ? (vi) : (en))

typedef struct TendJob { /* the thread's */
        char *database, *copy;
        Diag found;
        int fd;
} TendJob;

struct Tend {
        App *app;
        Worker *checker, *copier;
        Diag diag; /* of the check that is over */
        int64_t check_began_ms, checked_from_ms, checked_ms;
        int check_result;
        int copy_fd;
        int copy_result;
        int64_t copied_ms;
        Day tended; /* last day whose turn was made */
        bool is_retaining;
        bool is_alarmed;  /* the database says that it is damaged: checked for that already */
        int64_t again_ms; /* after a failure */
};

static const LogFields check_fields = {.message_id = LOG_ID_BACKUP};

static void drop_job(void *job) {
        TendJob *j = job;
        if (j->fd >= 0)
                (void) close(j->fd);
        diag_done(&j->found);
        free(j->database);
        free(j->copy);
        free(j);
}

static int start(Tend *t, Worker *worker, int (*work)(void *job)) {
        const char *dir = t->app->config->daemon.state_dir;
        TendJob *j = calloc(1, sizeof *j);
        if (!j)
                return -ENOMEM;
        *j = (TendJob){.fd = -1};
        j->database = file_join(dir, "chisod.db");
        j->copy = file_join(dir, "copy.part");
        int r = j->database && j->copy ? worker_start(worker, work, j) : -ENOMEM;
        if (r < 0)
                drop_job(j);
        return r;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static int check_work(void *job) {
        TendJob *j = job;
        Store CLEANUP(store_closep) *s = NULL;
        int r = store_open_reader(j->database, &j->found, &s);
        if (r == 0)
                r = store_verify(s, &j->found);
        return r > 0 ? -EBADMSG : r;
}

static int put_damage(App *app, const Diag *diag, bool is_damaged, int64_t now_ms) {
        char text[400];
        StepId step = 0;
        if (is_damaged)
                (void) snprintf(
                        text, sizeof text,
                        SAID(app,
                             "cơ sở dữ liệu hỏng, %zu lỗi: %.200s; phần hỏng không được trả "
                             "lời; xem chisoctl verify, phục hồi từ bản sao lưu",
                             "the database is damaged, %zu findings: %.200s; what is rotten "
                             "is not served; see chisoctl verify, restore from a backup"),
                        diag->n_errors, diag_first_error(diag, "?"));
        else
                (void) snprintf(
                        text, sizeof text, "%s",
                        SAID(app, "cơ sở dữ liệu lại toàn vẹn", "the database is whole again"));
        int r = store_step(app->store, CAUSE_DEADLINE, now_ms, &step);
        if (r >= 0)
                r = judge_subject(app, step, now_ms, "database-damaged", "database", is_damaged,
                                  SEVERITY_CRITICAL, text);
        return r < 0 ? r : store_meta_put(app->store, META_DAMAGED, is_damaged ? "1" : "0");
}

/* Once when it begins and once when it is over. */
static int tell_damage(App *app, const Diag *diag, bool is_damaged, int64_t now_ms) {
        char CLEANUP_FREE *was = NULL;
        int r = store_meta_get(app->store, META_DAMAGED, &was);
        if (r < 0 || is_damaged == (r == 0 && streq(was, "1")))
                return MIN(r, 0);
        r = store_begin(app->store);
        if (r >= 0)
                r = put_damage(app, diag, is_damaged, now_ms);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0) {
                store_rollback(app->store);
                judge_forget(app);
        }
        return r;
}

static void log_findings(const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++)
                log_full(LOG_ERR, &check_fields, "%s", diag->items[i].text);
}

static void on_checked(void *userdata, void *job, int result) {
        Tend *t = userdata;
        TendJob *j = job;
        App *app = t->app;
        int64_t now = clock_now_ms();
        diag_done(&t->diag);
        t->diag = j->found;
        j->found = DIAG_INIT;
        drop_job(j);
        t->check_result = result;
        t->checked_from_ms = t->check_began_ms;
        t->checked_ms = now;
        app->health.damage[0] = '\0';
        if (result == -EBADMSG)
                (void) snprintf(app->health.damage, sizeof app->health.damage, "%s",
                                diag_first_error(&t->diag, "?"));
        log_findings(&t->diag);
        int r = 0;
        if (result == 0 || result == -EBADMSG)
                r = tell_damage(app, &t->diag, result != 0, now);
        else
                log_full(LOG_ERR, &check_fields,
                         "the database could not be checked (%s), trying again tomorrow",
                         strerror(-result));
        if (r < 0)
                log_full(LOG_ERR, &check_fields,
                         "what the check found cannot be written (%s), found again tomorrow",
                         strerror(-r));
        if (result == 0)
                log_full(LOG_INFO, &check_fields, "database checked: whole");
        app_wake(app);
}

static int begin_check(Tend *t, int64_t now_ms) {
        t->check_began_ms = now_ms;
        return start(t, t->checker, check_work);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static int copy_work(void *job) {
        TendJob *j = job;
        Store CLEANUP(store_closep) *from = NULL, *copy = NULL;
        int r = store_open_reader(j->database, NULL, &from);
        (void) unlink(j->copy);
        if (r == 0)
                r = store_backup(from, j->copy);
        if (r == 0)
                r = store_open_reader(j->copy, NULL, &copy);
        if (r == 0)
                r = store_verify(copy, NULL);
        j->fd = r == 0 ? open(j->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        if (r == 0 && j->fd < 0)
                r = -errno;
        (void) unlink(j->copy);
        return r > 0 ? -EBADMSG : r;
}

static void on_copied(void *userdata, void *job, int result) {
        Tend *t = userdata;
        TendJob *j = job;
        t->copy_fd = j->fd;
        j->fd = -1;
        drop_job(j);
        t->copy_result = result;
        t->copied_ms = clock_now_ms();
        app_wake(t->app);
}

static void drop_copy(Tend *t) {
        if (t->copy_fd >= 0)
                (void) close(t->copy_fd);
        t->copy_fd = -1;
}

/* ---- retention ------------------------------------------------------------------------------- */

static int64_t years_before(int64_t now_ms, int years) {
        Civil c = civil_from_day(day_of_instant(now_ms));
        /* 29 February of a year that has none is 1 March */
        return years > 0 ? day_start_ms(day_from_civil(c.year - years, c.month, c.day)) : 0;
}

/* One slice. *ret: there may be more. */
static int retain(App *app, int64_t now_ms, bool *ret) {
        const Config *c = app->config;
        StoreRetention before = {
                .attempts_ms = now_ms - c->retention.attempts_days * (int64_t) MS_PER_DAY,
                .messages_ms = years_before(now_ms, c->retention.message_body_years),
                .bodies_ms = years_before(now_ms, c->retention.body_years)};
        size_t n = 0;
        int r = store_begin(app->store);
        if (r >= 0)
                r = store_retain(app->store, &before, SLICE_ROWS, &n);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0) {
                store_rollback(app->store);
                return r;
        }
        if (n > 0)
                log_full(LOG_INFO, &check_fields,
                         "retention: %zu attempts, bytes of messages or bodies forgotten", n);
        *ret = n >= SLICE_ROWS;
        return 0;
}

/* ---- the day's turn -------------------------------------------------------------------------- */

static int put_day(App *app, Day day) {
        char text[16];
        int r = store_begin(app->store);
        if (r >= 0)
                r = store_meta_put(app->store, META_TENDED, day_format(text, day));
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r;
}

static Day day_of_turn(int64_t now_ms) {
        return day_of_instant(now_ms - TURN_MS);
}

static void tend_free(Tend *t) {
        worker_free(t->checker);
        worker_free(t->copier);
        drop_copy(t);
        diag_done(&t->diag);
        free(t);
}

/* A new database has nothing to forget: its first turn is tomorrow's. */
static int read_day(App *app, int64_t now_ms, Day *ret) {
        char CLEANUP_FREE *text = NULL;
        int r = store_meta_get(app->store, META_TENDED, &text);
        if (r == 0 && day_parse(text, ret) == 0)
                return 0;
        *ret = day_of_turn(now_ms);
        if (r == -EBADMSG) { /* what cannot be read is to be checked now */
                *ret -= 1;
                return 0;
        }
        return r < 0 ? r : put_day(app, *ret);
}

static int tend_new(App *app, int64_t now_ms, Tend **ret) {
        Tend *t = calloc(1, sizeof *t);
        if (!t)
                return -ENOMEM;
        *t = (Tend){.app = app, .copy_fd = -1};
        int r = read_day(app, now_ms, &t->tended);
        if (r >= 0)
                r = worker_new(app->event, on_checked, drop_job, t, &t->checker);
        if (r >= 0)
                r = worker_new(app->event, on_copied, drop_job, t, &t->copier);
        if (r < 0) {
                tend_free(t);
                return r;
        }
        *ret = t;
        return 0;
}

static int take_turn(Tend *t, int64_t now_ms) {
        App *app = t->app;
        if (day_of_turn(now_ms) > t->tended) {
                if (!worker_is_busy(t->checker)) {
                        int r = begin_check(t, now_ms);
                        if (r < 0)
                                return r;
                }
                t->is_retaining = true;
        }
        if (!t->is_retaining)
                return 0;
        bool is_more = false;
        int r = retain(app, now_ms, &is_more);
        if (r < 0)
                return r;
        if (is_more) {
                app_wake(app); /* others first */
                return 0;
        }
        t->is_retaining = false;
        r = put_day(app, day_of_turn(now_ms));
        if (r >= 0)
                t->tended = day_of_turn(now_ms);
        return r;
}

/* Nobody waits for tomorrow when the database itself says that it is damaged. */
static int hear_alarm(Tend *t, int64_t now_ms) {
        bool is_alarming = t->app->health.store_error == -EBADMSG;
        int r = is_alarming && !t->is_alarmed && !worker_is_busy(t->checker)
                        ? begin_check(t, now_ms)
                        : 0;
        t->is_alarmed = is_alarming && r >= 0;
        return r;
}

void tend_run(App *app, int64_t now_ms) {
        if (app->is_once)
                return;
        int r = app->tend ? 0 : tend_new(app, now_ms, &app->tend);
        if (r >= 0 && app->tend->copy_fd >= 0 && app->tend->copied_ms + COPY_KEPT_MS <= now_ms)
                drop_copy(app->tend);
        if (r >= 0)
                r = hear_alarm(app->tend, now_ms);
        if (r >= 0 && app->tend->again_ms <= now_ms)
                r = take_turn(app->tend, now_ms);
        if (r >= 0)
                return;
        log_full(LOG_ERR, &check_fields,
                 "the day's check and retention failed (%s), trying again in an hour",
                 strerror(-r));
        if (app->tend)
                app->tend->again_ms = now_ms + RETRY_MS;
}

int64_t tend_next(const App *app, int64_t now_ms) {
        const Tend *t = app->tend;
        if (app->is_once)
                return INT64_MAX;
        if (!t)
                return now_ms + RETRY_MS;
        int64_t next = MAX(day_start_ms(t->tended + 1) + TURN_MS, t->again_ms);
        return t->copy_fd >= 0 ? MIN(next, t->copied_ms + COPY_KEPT_MS) : next;
}

bool tend_is_busy(const App *app) {
        const Tend *t = app->tend;
        return t && (worker_is_busy(t->checker) || worker_is_busy(t->copier));
}

void tend_done(App *app) {
        if (app->tend)
                tend_free(app->tend);
        app->tend = NULL;
}

/* ---- asked ----------------------------------------------------------------------------------- */

int tend_check(App *app, int64_t after_ms, TendCheck *ret) {
        int64_t now = clock_now_ms();
        Tend *t = app->tend;
        int r = t ? 0 : -ENODATA;
        if (r < 0)
                return r;
        bool is_done = t->checked_ms > 0 && after_ms > 0 && t->checked_from_ms >= after_ms;
        if (!is_done && !worker_is_busy(t->checker))
                r = begin_check(t, now);
        if (r < 0)
                return r;
        *ret = (TendCheck){.started_ms = is_done ? t->checked_from_ms : t->check_began_ms,
                           .ended_ms = is_done ? t->checked_ms : 0,
                           .is_running = !is_done,
                           .result = t->check_result,
                           .diag = &t->diag};
        return is_done ? 0 : TEND_E_RUNNING;
}

int tend_copy(App *app, int *ret_fd) {
        Tend *t = app->tend;
        if (!t)
                return -ENODATA;
        if (worker_is_busy(t->copier))
                return TEND_E_RUNNING;
        if (t->copy_fd >= 0) {
                *ret_fd = t->copy_fd;
                t->copy_fd = -1;
                return 0;
        }
        int r = t->copy_result;
        t->copy_result = 0;
        if (r < 0)
                return r; /* said once; who asks again begins anew */
        r = start(t, t->copier, copy_work);
        return r < 0 ? r : TEND_E_RUNNING;
}
