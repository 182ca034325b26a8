/* The daemon's life: start, tick, stop.
 *
 * One thread, one loop. Whatever happens (an answer, a signal, a request, the timer, a jump of the
 * clock) ends in `tick`, which runs all that is due at one instant and arms one timer for the next
 * due thing. The timer counts CLOCK_BOOTTIME, since realtime timers of sd-event misfire when the
 * clock jumps; clock_watch() tells of such jumps, and the tick computes anew. */
#include "app/manager.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "answer/api.h"
#include "answer/memo.h"
#include "answer/report.h"
#include "answer/status.h"
#include "app/bind.h"
#include "app/peace.h"
#include "flow/backtest.h"
#include "flow/boot.h"
#include "flow/courier.h"
#include "flow/cycle.h"
#include "flow/fetch.h"
#include "flow/inbox.h"
#include "flow/judge.h"
#include "flow/keep.h"
#include "flow/letter.h"
#include "flow/life.h"
#include "flow/precheck.h"
#include "flow/root.h"
#include "flow/source.h"
#include "flow/teller.h"
#include "flow/tend.h"
#include "flow/warn.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/file.h"
#include "os/log.h"
#include "os/notify.h"
#include "store/outbox.h"
#include "store/registry.h"

#define EXIT_BUSY 75   /* EX_TEMPFAIL: another daemon has the database */
#define EXIT_CONFIG 78 /* EX_CONFIG: a person must mend something */
#define REQUEST_MAX ((size_t) 1 << 20)
#define STATUS_EVERY_MS (2 * MS_PER_SECOND)
#define IDLE_MAX_MS MS_PER_DAY
#define MMAP_FROM (2 << 20) /* more than an answer of 3,321 units: 1 ms to map it each time */
#define DIGEST_WAIT_MS (15 * MS_PER_MINUTE) /* longer than a job lasts that is not in trouble */

static void show_status(App *app, int64_t now_ms) {
        Buf CLEANUP(buf_done) line = BUF_INIT(4096);
        app->status_boot_ms = clock_boot_ms();
        if (status_line(app, now_ms, &line) >= 0)
                notify_status(buf_text(&line));
}

static bool is_idle(const App *app, int64_t now_ms) {
        size_t ignored = 0;
        return !app->is_tell_due && source_is_idle(app, now_ms, &ignored) &&
               courier_is_idle(app, now_ms, &ignored);
}

/* At the end of a tick. The status line reads alerts and figures, 6 ms at 3,321 units: it is made
 * when the work is done, and now and then while it lasts. What the work took of memory goes back to
 * the system: that halves what the daemon holds for the rest of the day. */
static void look_around(App *app, int64_t now_ms) {
        if (!is_idle(app, now_ms)) {
                app->has_worked = true;
                if (clock_boot_ms() - app->status_boot_ms >= STATUS_EVERY_MS)
                        show_status(app, now_ms);
                return;
        }
        show_status(app, now_ms);
        if (!app->has_worked)
                return;
        store_shrink(app->store);
        store_shrink(app->reader);
        memo_drop(app, /* is_all= */ false);
        (void) malloc_trim(0);
        app->has_worked = false;
}

/* A bad configuration changes nothing. */
static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        App *app = userdata;
        (void) s;
        (void) si;
        notify_reloading();
        bind_reload(app);
        app->is_tell_due = true;
        show_status(app, clock_now_ms()); /* before READY ends `systemctl reload` */
        notify_ready();
        app_wake(app);
        return 0;
}

/* ---- the tick -------------------------------------------------------------------------------- */

static void run_deadlines(App *app, int64_t now_ms) {
        Day today = day_of_instant(now_ms);
        if (today == app->judged_day)
                return;
        int r = cycle_deadline(app, now_ms);
        if (r < 0) {
                log_error("deadlines cannot be judged (%s), trying again at the next event",
                          strerror(-r));
                return;
        }
        app->judged_day = today;
        app->is_tell_due = true;
        r = app->is_once ? 0 : warn_tell(app, now_ms);
        if (r < 0)
                log_error("warnings cannot be told (%s), looking again tomorrow", strerror(-r));
}

/* A machine that slept over the night wakes with a digest and a fetch that are both due. Held at once,
 * the digest would find nothing, and what the fetch brings would wait for the next working day. */
static void hold_digest(App *app, int64_t now_ms) {
        size_t ignored = 0;
        if (source_is_idle(app, now_ms, &ignored))
                app->digest_wait_ms = 0;
        else if (app->digest_wait_ms == 0)
                app->digest_wait_ms = now_ms + DIGEST_WAIT_MS;
}

static void run_teller(App *app, int64_t now_ms) {
        app->is_tell_due = app->is_tell_due || app->silence_end_ms <= now_ms;
        app->silence_end_ms = teller_silence_end(app, now_ms);
        if (!app->is_tell_due && teller_next(app, now_ms) > now_ms)
                return;
        app->is_tell_due = false; /* before: what is released may leave more to tell */
        int r = teller_run(app, now_ms, /* is_inside= */ false, NULL);
        if (r < 0) {
                log_error("messages cannot be released (%s), trying again at the next event",
                          strerror(-r));
                app->health.store_error = r;
        }
        if (app->is_tell_due)
                app_wake(app);
}

static int64_t next_due(App *app, int64_t now_ms) {
        int64_t next = judge_next(app, now_ms);
        int64_t life = life_next(app);
        next = MIN(next, source_next(app, now_ms));
        if (life != INT64_MAX)
                next = MIN(next, now_ms + life);
        next = MIN(next, courier_next(app));
        next = MIN(next, keep_next(app, now_ms));
        next = MIN(next, tend_next(app, now_ms));
        next = MIN(next, peace_next(app, now_ms));
        next = MIN(next, teller_next(app, now_ms));
        next = MIN(next, app->silence_end_ms);
        next = MIN(next, letter_next(app, now_ms));
        return CLAMP(next, now_ms + 1, now_ms + IDLE_MAX_MS);
}

static int arm(App *app, int64_t delay_ms) {
        app->tick_boot_ms = clock_boot_ms() + delay_ms;
        int r = sd_event_source_set_time_relative(app->timer, (uint64_t) delay_ms * 1000);
        return r < 0 ? r : sd_event_source_set_enabled(app->timer, SD_EVENT_ONESHOT);
}

static void finish_once(App *app, int64_t now_ms) {
        size_t n_failed = 0, n_refused = 0;
        OutboxCounts counts = {0};
        if (!source_is_idle(app, now_ms, &n_failed))
                return;
        if (app->is_tell_due)
                run_teller(app, now_ms);
        report_run(app, now_ms);
        courier_run(app, now_ms);
        if (!courier_is_idle(app, now_ms, &n_refused))
                return;
        (void) store_outbox_counts(app->store, &counts);
        printf("%zu jobs failed, %zu attempts not accepted, %zu messages stay queued\n", n_failed,
               n_refused, counts.ready + counts.started);
        (void) sd_event_exit(app->event, n_failed || n_refused ? 1 : 0);
}

/* Who has asked before a large piece of work is answered before it. What an answer writes is a step
 * of its own instant: what comes after it may not be dated before it. */
static int64_t answer(App *app) {
        if (app->serve)
                serve_turn(app->serve);
        return clock_now_ms();
}

static void tick(App *app) {
        if (app->is_stopping)
                return;
        int64_t now = answer(app);
        if (source_take(app)) {
                app->has_evaluated = true;
                app_wake(app);
                return;
        }
        life_run(app);
        if (!life_is_quiet(app))
                source_run(app, now);
        hold_digest(app, now);
        if (!app->is_once)
                run_deadlines(app, now);
        now = answer(app);
        if (!app->is_once)
                run_teller(app, now);
        if (!app->is_once)
                report_run(app, now);
        now = answer(app);
        courier_run(app, now);
        keep_run(app, now);
        tend_run(app, now);
        peace_run(app, now);
        if (app->is_once)
                finish_once(app, now);
        /* The courier runs last: what it settled may let a target hear more. */
        else if (app->is_tell_due)
                app_wake(app);
        look_around(app, now);
        app->has_evaluated = false;
        now = clock_now_ms();
        int r = arm(app, next_due(app, now) - now);
        if (r < 0)
                log_error("timer cannot be armed: %s", strerror(-r));
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s;
        (void) usec;
        tick(userdata);
        return 0;
}

static int on_defer(sd_event_source *s, void *userdata) {
        (void) s;
        tick(userdata);
        return 0;
}

static int on_stop(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        App *app = userdata;
        (void) s;
        (void) si;
        app->is_stopping = true;
        notify_stopping();
        log_full(LOG_INFO, &(LogFields){.message_id = LOG_ID_STOPPED}, "stopping");
        return sd_event_exit(app->event, 0);
}

/* The wall clock was set: every time of day is computed anew. */
static int on_clock_change(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        (void) s;
        (void) revents;
        if (clock_was_set(fd))
                log_info("the clock was set, computing what is due anew");
        tick(userdata);
        return 0;
}

static int watch_clock(App *app) {
        int fd = clock_watch();
        if (fd < 0)
                return fd;
        sd_event_source *source = NULL;
        int r = sd_event_add_io(app->event, &source, fd, EPOLLIN, on_clock_change, app);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(source, true);
        r = sd_event_source_set_floating(source, true);
        sd_event_source_unref(source);
        return r;
}

/* ---- start ----------------------------------------------------------------------------------- */

/* A fixed offset per installation spreads the requests of many daemons over half an hour. */
static int load_offset(App *app) {
        char CLEANUP_FREE *text = NULL;
        int r = store_meta_get(app->store, "installation", &text);
        if (r < 0)
                return r;
        if (r == STORE_E_NONE) {
                char made[32];
                (void) snprintf(made, sizeof made, "%lld", (long long) (crypto_random01() * 1e9));
                r = store_begin(app->store);
                if (r >= 0)
                        r = store_meta_put(app->store, "installation", made);
                if (r >= 0)
                        r = store_commit(app->store);
                if (r < 0)
                        return r;
                text = strdup(made);
                if (!text)
                        return -ENOMEM;
        }
        app->offset_ms = strtoll(text, NULL, 10);
        return 0;
}

static int listen_one(App *app, const char *name, unsigned mode, ServeRole role, Diag *diag) {
        int fd = notify_listen_fd(name);
        if (fd >= 0)
                return serve_listen_fd(app->serve, fd, role);
        char CLEANUP_FREE *path = NULL;
        if (asprintf(&path, "%s/%s.sock", app->config->daemon.socket_dir, name) < 0)
                return -ENOMEM;
        int r = file_mkdir(app->config->daemon.socket_dir, 0755);
        if (r >= 0)
                r = serve_listen_unix(app->serve, path, mode, role);
        if (r < 0)
                diag_error(diag, path, 0, NULL, "the socket cannot be made: %s", strerror(-r));
        return r;
}

static int listen_web(App *app, Diag *diag) {
        const char *address = app->config->daemon.http_listen;
        int r = address ? serve_listen_tcp(app->serve, address) : 0;
        if (r < 0)
                diag_error(diag, NULL, 0, "daemon.http_listen", "%s cannot be listened on: %s",
                           address, strerror(-r));
        return r;
}

static int start_serving(App *app, Diag *diag) {
        int r = serve_new(app->event, api_handle, app, REQUEST_MAX, &app->serve);
        if (r >= 0)
                r = listen_one(app, "status", 0666, SERVE_STATUS, diag);
        if (r >= 0)
                r = listen_one(app, "admin", 0660, SERVE_ADMIN, diag);
        return r < 0 ? r : listen_web(app, diag);
}

static int start_loop(App *app) {
        sigset_t mask;
        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        (void) sigaddset(&mask, SIGHUP);
        (void) sigaddset(&mask, SIGPIPE);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        int r = sd_event_new(&app->event);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGTERM, on_stop, app);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGINT, on_stop, app);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGHUP, on_reload, app);
        if (r >= 0)
                r = sd_event_add_time_relative(app->event, &app->timer, CLOCK_BOOTTIME, 0, 1000,
                                               on_timer, app);
        if (r >= 0)
                r = sd_event_source_set_enabled(app->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(app->event, &app->defer, on_defer, app);
        if (r >= 0)
                r = watch_clock(app);
        return r < 0 ? r : life_watch(app);
}

static int start_wire(App *app) {
        MuxOptions options = {.user_agent = "chisod/" CHISO_VERSION,
                              .proxy = app->config->network.proxy,
                              .ca_file = app->config->network.ca_file};
        int r = mux_new(app->event, &options, &app->mux);
        if (r >= 0)
                r = fetch_hosts_new(app->event, &app->hosts);
        return r < 0 ? r : courier_new(app, &app->courier);
}

static int start(App *app, Diag *diag) {
        int64_t now = clock_now_ms();
        int r = bind_templates(app, app->config, &app->templates_vi, &app->templates_en);
        if (r >= 0)
                r = store_units_load(app->store, &app->units);
        if (r >= 0)
                r = load_offset(app);
        if (r >= 0)
                r = bind_config(app, diag);
        if (r >= 0)
                r = start_loop(app);
        if (r >= 0)
                r = start_wire(app);
        if (r >= 0)
                r = courier_recover(app, now);
        if (r >= 0)
                r = source_init(app);
        /* What is known is judged at load, before anything is asked: a new rule finds it so. */
        if (r >= 0)
                run_deadlines(app, clock_now_ms());
        if (r >= 0)
                r = app->is_once ? source_request_all(app) : start_serving(app, diag);
        if (r >= 0)
                r = bind_inbox(app);
        return r;
}

static void app_done(App *app) {
        inbox_free(app->inbox);
        keep_done(app);
        backtest_done(app);
        tend_done(app);
        peace_done(app);
        source_done(app);
        courier_free(app->courier);
        if (app->serve)
                serve_free(app->serve);
        fetch_hosts_free(app->hosts);
        if (app->mux)
                mux_free(app->mux);
        sd_event_source_disable_unref(app->timer);
        sd_event_source_disable_unref(app->defer);
        sd_event_source_disable_unref(app->watchdog);
        sd_event_unref(app->event);
        memo_drop(app, /* is_all= */ true);
        if (app->templates_page)
                render_templates_free(app->templates_page);
        root_done(app);
        free(app->config_path);
        free(app->share_dir);
}

static int exit_status(int r) {
        switch (r) {
        case 0:
                return 0;
        case STORE_E_LOCKED:
                return EXIT_BUSY;
        case STORE_E_NEWER:
        case STORE_E_FOREIGN:
        case -EBADMSG: /* damaged, and no good backup */
        case -EINVAL:
                return EXIT_CONFIG;
        default:
                return 1;
        }
}

static int run(App *app) {
        notify_ready();
        log_full(LOG_INFO, &(LogFields){.message_id = LOG_ID_READY},
                 "ready: %zu sources, %zu rules, %zu recipients, notify %s", app->config->n_sources,
                 app->config->n_rules, app->config->n_recipients,
                 teller_is_live(app) ? "live" : "observe");
        app_wake(app);
        int r = sd_event_loop(app->event);
        if (r >= 0)
                life_end(app);
        /* KEEP_EXIT is ours alone: to the service manager it is a failure that a start mends */
        return r < 0 || r == KEEP_EXIT ? 1 : r;
}

/* For `systemctl status` of a service that did not start. */
static void show_not_started(const App *app, const char *why) {
        char line[640];
        (void) snprintf(line, sizeof line,
                        app_is_vi(app) ? "SỰ CỐ: %s, chưa chạy" : "TROUBLE: %s, not started", why);
        notify_status(line);
        log_full(LOG_ERR, &(LogFields){.message_id = LOG_ID_STORAGE}, "%s", line);
}

static void show_bad_store(const App *app, int r) {
        char text[512];
        const char *why =
                r == STORE_E_NEWER
                        ? app_is_vi(app) ? "cơ sở dữ liệu của bản chisod mới hơn: cài bản mới hơn"
                                         : "a newer chisod made the database: install that one"
                : r == STORE_E_FOREIGN ? app_is_vi(app) ? "tệp cơ sở dữ liệu của chương trình khác"
                                                        : "the database belongs to another program"
                : app_is_vi(app) ? "cơ sở dữ liệu bị hỏng, không có bản sao lưu tốt"
                                 : "the database is damaged and no good backup is there";
        (void) snprintf(text, sizeof text, "%s (%s/chisod.db)", why, app->config->daemon.state_dir);
        show_not_started(app, text);
}

/* Everything that ended the start, and the first of it where an administrator looks. */
static void show_bad_start(const App *app, const Diag *diag, int r) {
        char reason[512];
        bind_log(diag);
        if (r == STORE_E_NEWER || r == STORE_E_FOREIGN || r == -EBADMSG) {
                show_bad_store(app, r);
                return;
        }
        bind_first_error(diag, r, reason, sizeof reason);
        show_not_started(app, reason);
}

/* The language is what could not be read: the default one. */
static void show_bad_config(const Diag *diag, int error) {
        char reason[400], line[512];
        bind_first_error(diag, error, reason, sizeof reason);
        (void) snprintf(line, sizeof line, "SỰ CỐ: cấu hình có lỗi, chưa chạy: %s", reason);
        notify_status(line);
}

static int open_all(App *app) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int r = app->config_path ? boot_config(app->config_path, app->share_dir, app->started_ms,
                                               &diag, &app->config)
                                 : -ENOMEM;
        if (r >= 0)
                precheck_secrets(app->config, &diag);
        bind_log(&diag);
        if (r < 0) {
                log_error("%s: not started; `chisod --check-config` lists all errors",
                          str_or(app->config_path, ""));
                show_bad_config(&diag, r);
                return exit_status(r);
        }
        bind_warnings(app, &diag);
        Diag CLEANUP(diag_done) trouble = DIAG_INIT;
        r = keep_open(app, &trouble);
        if (r) {
                show_bad_start(app, &trouble, r);
                return exit_status(r);
        }
        life_begin(app);
        r = start(app, &trouble);
        if (r >= 0) {
                bind_log(&trouble);
                return 0;
        }
        life_end(app); /* an error that is told is no crash */
        if (r == -EBADMSG && keep_give_up(app) == 0)
                return 1;
        show_bad_start(app, &trouble, r);
        return exit_status(r);
}

int manager_open(const ManagerOptions *options, App **ret) {
        /* Names are resolved by short-lived threads; an arena of its own for each would stay. A body and
         * its figures go back to the system when they are freed: left to itself, malloc raises the limit
         * to the largest of them, and what stays of small blocks above them keeps them. */
        (void) mallopt(M_ARENA_MAX, 1);
        (void) mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
        App *app = calloc(1, sizeof *app);
        if (!app)
                return 1;
        *app = (App){.is_once = options->is_once,
                     .started_ms = clock_now_ms(),
                     .boot_started_ms = clock_boot_ms(),
                     .judged_day = INT32_MIN,
                     .is_passed_over = true,
                     .has_worked = true};
        app->config_path = strdup(str_or(options->config_path, "/etc/chisod/chisod.conf"));
        app->share_dir = options->share_dir ? strdup(options->share_dir) : NULL;
        int status = open_all(app);
        if (status) {
                manager_close(app);
                return status;
        }
        *ret = app;
        return 0;
}

void manager_close(App *app) {
        if (!app)
                return;
        app_done(app);
        free(app);
}

int manager_run(const ManagerOptions *options) {
        App *app = NULL;
        int status = manager_open(options, &app);
        if (status == 0)
                status = run(app);
        bool is_left_behind =
                app && (keep_is_busy(app) || tend_is_busy(app) || backtest_is_busy(app));
        manager_close(app);
        /* exit() would take libcrypto down under a thread that hashes: seen as SIGSEGV of a regular stop */
        if (is_left_behind) {
                (void) fflush(NULL);
                _exit(status);
        }
        return status;
}
