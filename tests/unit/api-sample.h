/* A daemon without its manager: an App made by hand over a temporary database that holds the
 * fifteen communes of Tiên Lữ in July and August 2024 (the letter's appendix), asked over real
 * sockets.
 *
 *   2024-08-06  July          2024-09-05  August          2024-09-20  Lệ Xá restated from 87,31
 * to 87,35 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answer/api.h"
#include "answer/memo.h"
#include "flow/app.h"
#include "flow/boot.h"
#include "flow/source.h"
#include "store/alert.h"
#include "store/figure.h"
#include "store/outbox.h"
#include "store/registry.h"

typedef struct SampleUnit {
        const char *code, *name;
        int64_t july, august, progress; /* hundredths */
} SampleUnit;

static const SampleUnit sample_units[] = {
        {"12337", "UBND TT Vương", 8542, 8742, 9952},
        {"12340", "UBND xã Hưng Đạo", 8788, 8812, 10000},
        {"12343", "UBND xã Ngô Quyền", 8040, 8358, 10000},
        {"12346", "UBND xã Nhật Tân", 8903, 8823, 10000},
        {"12349", "UBND xã Dị Chế", 8725, 8808, 10000},
        {"12352", "UBND xã Lệ Xá", 8710, 8731, 10000},
        {"12355", "UBND xã An Viên", 8808, 8787, 10000},
        {"12358", "UBND xã Đức Thắng", 8792, 8757, 10000},
        {"12361", "UBND xã Trung Dũng", 8700, 8556, 9961},
        {"12364", "UBND xã Hải Triều", 8222, 8882, 9964},
        {"12367", "UBND xã Thủ Sỹ", 8267, 8963, 10000},
        {"12370", "UBND xã Thiện Phiến", 8420, 8522, 9254},
        {"12373", "UBND xã Thụy Lôi", 8333, 8671, 10000},
        {"12376", "UBND xã Cương Chính", 8588, 8328, 8271},
        {"12379", "UBND xã Minh Phượng", 8290, 8620, 10000},
};
#define N_SAMPLE ELEMENTSOF(sample_units)
#define CUONG_CHINH 13u
#define LE_XA 5u

static const char sample_conf[] =
        "[daemon]\n"
        "organization = UBND huyện Tiên Lữ\n"
        "[indicator total]\n"
        "label = Tổng điểm\n"
        "unit = points\n"
        "max = 100\n"
        "[indicator progress]\n"
        "label = Tiến độ giải quyết\n"
        "brief = tiến độ\n"
        "unit = percent\n"
        "max = 100\n"
        "[source portal]\n"
        "label = Cổng DVCQG\n"
        "url = http://127.0.0.1:1\n"
        "scope = tien-lu\n"
        "at = 04:00\n"
        "[part portal.all]\n"
        "url = {{url}}/x?scope={{scope}}&period={{year}}-{{month}}\n"
        "rows = /data\n"
        "unit.code = /code\n"
        "unit.name = /name\n"
        "value.total = /total\n"
        "value.progress = /progress\n"
        "[rule progress-low]\n"
        "indicator = progress\n"
        "units = kind:commune\n"
        "when = below 95\n"
        "critical = below 80\n"
        "advice = Rà soát hồ sơ quá hạn.\n"
        "[smtp]\n"
        "url = smtp://127.0.0.1:1\n"
        "from = Chỉ số <chiso@example.gov.vn>\n"
        "[recipient it]\n"
        "role = operator\n"
        "email = it@example.gov.vn\n";

typedef struct Sample {
        char dir[64], db[96], status_socket[96], admin_socket[96];
        App app;
        UnitId district, communes[N_SAMPLE];
        int64_t alert, dead, snapshot;
} Sample;

static int64_t sample_ms(const char *text) {
        int64_t ms;

        assert_int_equal(instant_parse(text, &ms), 0);
        return ms;
}

/* ---- filling --------------------------------------------------------------------------------- */

static StepId sample_begin(Sample *s, StepCause cause, int64_t at_ms) {
        StepId step;

        assert_int_equal(store_begin(s->app.store), 0);
        assert_int_equal(store_step(s->app.store, cause, at_ms, &step), 0);
        return step;
}

static void sample_commit(Sample *s) {
        assert_int_equal(store_commit(s->app.store), 0);
}

static void sample_put(Sample *s, StepId step, PeriodId period, IndicatorId indicator, UnitId unit,
                       int64_t value, int64_t old) {
        FigureChange change = {
                .now = {.indicator = indicator, .unit = unit, .value = value},
                .old_value = old,
                .had_old = old != VALUE_NONE,
        };

        assert_int_equal(store_figure_put(s->app.store, step, period, &change), 0);
}

static int64_t sample_snapshot(Sample *s, StepId step, PeriodId period, int64_t at_ms) {
        Store *store = s->app.store;
        Body body;
        char text[64];
        int64_t id;

        int n = snprintf(text, sizeof(text), "{\"period\": %d, \"step\": %d}", (int) period,
                         (int) step);
        assert_int_equal(body_pack(text, (size_t) n, &body), 0);
        assert_int_equal(store_body_put(store, &body), 0);
        SnapshotPart part = {.name = "all", .page = 1, .http_status = 200, .at_ms = at_ms};
        memcpy(part.hash, body.hash, sizeof(part.hash));
        body_done(&body);
        SnapshotRow row = {
                .source = "portal",
                .scope = "tien-lu",
                .period = period,
                .step = step,
                .at_ms = at_ms,
                .state = SNAPSHOT_ACCEPTED,
                .n_units = N_SAMPLE,
                .n_values = 2 * N_SAMPLE,
                .parts = &part,
                .n_parts = 1,
        };
        assert_int_equal(store_snapshot_add(store, &row, &id), 0);
        AttemptRow attempt = {
                .source = "portal",
                .scope = "tien-lu",
                .period = period,
                .at_ms = at_ms,
                .http_status = 200,
                .outcome = OUTCOME_NEW,
                .snapshot = id,
        };
        assert_int_equal(store_attempt_add(store, &attempt, NULL), 0);
        return id;
}

static void sample_register(Sample *s, StepId step) {
        Store *store = s->app.store;

        assert_int_equal(store_unit_add(store, step, "H33.332", "district", 0, DAY_EVER, DAY_OPEN,
                                        &s->district),
                         0);
        assert_int_equal(store_unit_name_add(store, step, s->district, "Huyện Tiên Lữ", DAY_EVER,
                                             DAY_OPEN, false),
                         0);
        for (size_t i = 0; i < N_SAMPLE; i++) {
                const SampleUnit *u = sample_units + i;
                char key[32];

                (void) snprintf(key, sizeof(key), "gso:%s", u->code);
                assert_int_equal(store_unit_add(store, step, key, "commune", s->district, DAY_EVER,
                                                DAY_OPEN, &s->communes[i]),
                                 0);
                assert_int_equal(store_unit_name_add(store, step, s->communes[i], u->name, DAY_EVER,
                                                     DAY_OPEN, false),
                                 0);
                assert_int_equal(store_unit_code_add(store, step, s->communes[i], "gso", u->code,
                                                     DAY_EVER, DAY_OPEN),
                                 0);
        }
        assert_int_equal(store_unit_contact_put(store, s->communes[CUONG_CHINH],
                                                "cuongchinh@example.gov.vn",
                                                "https://hook.example.vn/geheim"),
                         0);
}

static IndicatorDef *sample_indicator(Sample *s, const char *name) {
        int i = config_indicator(s->app.config, name);

        assert_true(i >= 0);
        return s->app.config->indicators + i;
}

static void sample_figures(Sample *s) {
        IndicatorId total, progress;
        int64_t july_ms = sample_ms("2024-08-06T08:00:00+07:00"),
                august_ms = sample_ms("2024-09-05T08:00:00+07:00");
        int64_t later_ms = sample_ms("2024-09-20T08:00:00+07:00");

        StepId step = sample_begin(s, CAUSE_SNAPSHOT, july_ms);
        assert_int_equal(store_indicator_bind(s->app.store, sample_indicator(s, "total"), "portal",
                                              NULL, &total),
                         0);
        assert_int_equal(store_indicator_bind(s->app.store, sample_indicator(s, "progress"),
                                              "portal", NULL, &progress),
                         0);
        sample_indicator(s, "total")->id = total;
        sample_indicator(s, "progress")->id = progress;
        sample_register(s, step);
        (void) sample_snapshot(s, step, 2024107, july_ms);
        for (size_t i = 0; i < N_SAMPLE; i++)
                sample_put(s, step, 2024107, total, s->communes[i], sample_units[i].july,
                           VALUE_NONE);
        sample_commit(s);

        step = sample_begin(s, CAUSE_SNAPSHOT, august_ms);
        s->snapshot = sample_snapshot(s, step, 2024108, august_ms);
        for (size_t i = 0; i < N_SAMPLE; i++) {
                sample_put(s, step, 2024108, total, s->communes[i], sample_units[i].august,
                           VALUE_NONE);
                sample_put(s, step, 2024108, progress, s->communes[i], sample_units[i].progress,
                           VALUE_NONE);
        }
        Episode e = {
                .rule = "progress-low",
                .unit = s->communes[CUONG_CHINH],
                .first = 2024108,
                .opened = 2024108,
                .last = 2024108,
                .length = 1,
                .state = EPISODE_OPEN,
                .severity = SEVERITY_WARNING,
                .value = 8271,
                .previous = VALUE_NONE,
                .limit = 9500,
                .delta = VALUE_NONE,
                .place = 15,
                .of = 15,
        };
        assert_int_equal(store_episode_put(s->app.store, step, &e), 0);
        s->alert = e.id;
        TransitionRow row = {
                .episode = e.id,
                .step = step,
                .at_ms = august_ms,
                .kind = TRANSITION_OPENED,
                .period = 2024108,
                .value = 8271,
                .previous_value = VALUE_NONE,
                .limit = 9500,
                .place = 15,
                .of = 15,
                .severity = SEVERITY_WARNING,
        };
        assert_int_equal(store_transition_add(s->app.store, step, &e, &row), 0);
        sample_commit(s);

        step = sample_begin(s, CAUSE_SNAPSHOT, later_ms);
        (void) sample_snapshot(s, step, 2024108, later_ms);
        sample_put(s, step, 2024108, total, s->communes[LE_XA], 8735, sample_units[LE_XA].august);
        sample_commit(s);
}

static void sample_message(Sample *s) {
        int64_t at_ms = sample_ms("2024-09-21T08:00:00+07:00");
        TargetRow target = {
                .key = (char *) "it/email",
                .recipient = (char *) "it",
                .channel = (char *) "email",
                .address = (char *) "it@example.gov.vn",
        };
        int64_t target_id;

        StepId step = sample_begin(s, CAUSE_RELEASE, at_ms);
        assert_int_equal(store_target_put(s->app.store, step, &target, &target_id), 0);
        MessageRow row = {
                .target = target_id,
                .uuid = (char *) "msg-1",
                .state = MESSAGE_READY,
                .subject = (char *) "[chisod] portal",
                .content_type = (char *) "message/rfc822",
                .body = (char *) "Subject: x\r\n\r\nit@example.gov.vn\r\n",
                .body_size = 33,
                .created_ms = at_ms,
                .next_ms = at_ms,
                .released = step,
        };
        assert_int_equal(store_message_add(s->app.store, step, &row, NULL, 0, &s->dead), 0);
        row.id = s->dead;
        row.state = MESSAGE_DEAD;
        row.attempts = 1;
        row.settled = step;
        row.settled_ms = at_ms;
        row.outcome = (char *) "refused_target";
        row.response = (char *) "550 <it@example.gov.vn>: unknown";
        assert_int_equal(store_message_start(s->app.store, s->dead, at_ms), 0);
        assert_int_equal(store_message_settle(s->app.store, step, &row), 0);
        ChannelRow channel = {.name = "smtp",
                              .paused_ms = at_ms,
                              .probe_ms = at_ms,
                              .reason = "535 it@example.gov.vn: log-in refused"};
        assert_int_equal(store_channel_put(s->app.store, &channel), 0);
        sample_commit(s);
}

/* ---- the app --------------------------------------------------------------------------------- */

static void sample_config(Sample *s) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf text = BUF_INIT(16384);

        assert_int_equal(buf_str(&text, sample_conf), 0);
        assert_int_equal(
                buf_printf(&text, "[daemon]\nstate_dir = %s\nsocket_dir = %s\n", s->dir, s->dir),
                0);
        ConfigFile file = {.layer = CONFIG_MAIN,
                           .path = "chisod.conf",
                           .data = buf_text(&text),
                           .size = text.len};
        int r = config_load(&file, 1, day_from_civil(2024, 9, 1), &diag, &s->app.config);
        if (r < 0)
                fail_msg("%s", diag_first_error(&diag, "config"));
}

static void sample_start(Sample *s) {
        App *app = &s->app;

        *s = (Sample){0};
        (void) strcpy(s->dir, "/tmp/chiso-api.XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void) snprintf(s->db, sizeof(s->db), "%s/chisod.db", s->dir);
        (void) snprintf(s->status_socket, sizeof(s->status_socket), "%s/status.sock", s->dir);
        (void) snprintf(s->admin_socket, sizeof(s->admin_socket), "%s/admin.sock", s->dir);
        sample_config(s);
        assert_int_equal(store_open(s->db, NULL, &app->store), 0);
        sample_figures(s);
        sample_message(s);
        assert_int_equal(store_open_reader(s->db, NULL, &app->reader), 0);
        assert_int_equal(store_units_load(app->store, &app->units), 0);
        assert_int_equal(boot_templates(app->config, "vi", NULL, &app->templates_vi), 0);
        assert_int_equal(boot_templates(app->config, "en", NULL, &app->templates_en), 0);
        app->started_ms = sample_ms("2024-08-01T08:00:00+07:00");
        assert_int_equal(source_init(app), 0);
        assert_true(sd_event_new(&app->event) >= 0);
        assert_int_equal(serve_new(app->event, api_handle, app, 65536, &app->serve), 0);
        assert_int_equal(serve_listen_unix(app->serve, s->status_socket, 0600, SERVE_STATUS), 0);
        assert_int_equal(serve_listen_unix(app->serve, s->admin_socket, 0600, SERVE_ADMIN), 0);
}

static void sample_stop(Sample *s) {
        App *app = &s->app;
        char lock[128];

        serve_free(app->serve);
        source_done(app);
        memo_drop(app, /* is_all= */ true);
        sd_event_unref(app->event);
        render_templates_free(app->templates_vi);
        render_templates_free(app->templates_en);
        if (app->templates_page)
                render_templates_free(app->templates_page);
        unit_registry_done(&app->units);
        store_close(app->reader);
        store_close(app->store);
        config_free(app->config);
        (void) snprintf(lock, sizeof(lock), "%s.lock", s->db);
        (void) unlink(lock);
        (void) unlink(s->db);
        (void) unlink(s->status_socket);
        (void) unlink(s->admin_socket);
        (void) rmdir(s->dir);
}

/* ---- asking ---------------------------------------------------------------------------------- */

typedef struct Answer {
        int status;
        char etag[128];
        char *body; /* heap */
        json_t *json;
} Answer;

typedef struct Request {
        bool is_admin;
        const char *method, *path, *body, *if_none_match;
} Request;

static void answer_done(Answer *a) {
        free(a->body);
        json_decref(a->json);
}

static int sample_connect(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void) strcpy(address.sun_path, path);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

/* The loop runs between two looks at the socket: one thread, no sleeping. */
static void sample_receive(Sample *s, int fd, Buf *in) {
        for (int i = 0; i < 100000; i++) {
                char piece[65536];
                ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

                if (n == 0)
                        return;
                if (n > 0)
                        assert_int_equal(buf_append(in, piece, (size_t) n), 0);
                else
                        assert_true(sd_event_run(s->app.event, 10000) >= 0);
        }
        fail_msg("no end of the answer");
}

static Answer sample_ask(Sample *s, const Request *q) {
        CLEANUP(buf_done) Buf out = BUF_INIT(65536), in = BUF_INIT(16 << 20);
        int fd = sample_connect(q->is_admin ? s->admin_socket : s->status_socket);
        Answer a = {0};

        assert_int_equal(
                buf_printf(
                        &out,
                        "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n",
                        str_or(q->method, "GET"), q->path, strlen(str_or(q->body, ""))),
                0);
        if (q->if_none_match)
                assert_int_equal(buf_printf(&out, "If-None-Match: %s\r\n", q->if_none_match), 0);
        assert_int_equal(buf_printf(&out, "\r\n%s", str_or(q->body, "")), 0);
        assert_int_equal(send(fd, out.data, out.len, 0), out.len);
        sample_receive(s, fd, &in);
        (void) close(fd);

        assert_true(in.len > 12);
        a.status = atoi(in.data + 9);
        const char *tag = strcasestr(in.data, "\r\nETag: "), *end = strstr(in.data, "\r\n\r\n");
        if (tag && tag < end)
                (void) sscanf(tag + 8, "%127[^\r]", a.etag);
        assert_non_null(end);
        a.body = strdup(end + 4);
        assert_non_null(a.body);
        a.json = json_loads(a.body, 0, NULL);
        return a;
}

static Answer sample_get(Sample *s, const char *path) {
        return sample_ask(s, &(Request){.path = path});
}
