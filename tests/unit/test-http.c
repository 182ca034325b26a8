#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/crypto.h"
#include "peer.h"
#include "transport/http.h"

static char folder[64];
static Peer publisher;
static sd_event *event;
static Mux *mux;

/* What the callback saw; the result itself lives only during the call. */
typedef struct Seen {
        int n, error, status;
        char text[300], type[100], etag[100], last_modified[100];
        int64_t retry_after_ms, duration_ms;
        size_t size;
        HookReport hook;
        Buf body;
        Slot *to_drop;  /* another slot that the callback drops */
        bool drops_own; /* drops its own slot as well */
} Seen;

static void copy(char *to, size_t n, const char *from) {
        (void) snprintf(to, n, "%s", from ? from : "(none)");
}

static void on_done(Slot *slot, const HttpResult *r, void *userdata) {
        Seen *s = userdata;

        s->n++;
        s->error = r->error;
        s->status = r->status;
        copy(s->text, sizeof s->text, r->error_text);
        copy(s->type, sizeof s->type, r->content_type);
        copy(s->etag, sizeof s->etag, r->etag);
        copy(s->last_modified, sizeof s->last_modified, r->last_modified);
        s->retry_after_ms = r->retry_after_ms;
        s->duration_ms = r->duration_ms;
        s->size = r->body_size;
        s->hook = r->hook;
        assert_int_equal(strlen(r->body) <= r->body_size, 1);
        assert_int_equal(r->body[r->body_size], 0);
        assert_int_equal(http_take_body(slot, &s->body), 0);
        if (s->to_drop)
                slot_free(TAKE_PTR(s->to_drop));
        if (s->drops_own)
                slot_free(slot);
}

static void seen_done(Seen *s) {
        buf_done(&s->body);
}

static HttpRequest request_for(char url[static 200], int port, const char *path) {
        (void) snprintf(url, 200, "http://127.0.0.1:%d%s", port, path);
        return (HttpRequest){.url = url, .method = "GET", .max_body = 1 << 20, .timeout_ms = 20000};
}

static void ask(const HttpRequest *q, Seen *s) {
        Slot *slot = NULL;

        assert_int_equal(http_start(mux, q, on_done, s, &slot), 0);
        assert_int_equal(s->n, 0); /* never from within http_start */
        loop_until(event, &s->n, 1);
        slot_free(slot);
        assert_int_equal(s->n, 1);
}

static void get(const char *path, Seen *s) {
        char url[200];
        HttpRequest q = request_for(url, publisher.port, path);
        ask(&q, s);
}

static int set_up(void **state) {
        const MuxOptions options = {.user_agent = "chisod/test"};
        (void) state;

        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(mux_new(event, &options, &mux), 0);
        return 0;
}

static int tear_down(void **state) {
        (void) state;
        mux_free(mux);
        event = sd_event_unref(event);
        return 0;
}

static int set_up_group(void **state) {
        static const char routes[] =
                "[{\"path\":\"/ok\",\"file\":\"a.json\",\"headers\":{\"Last-Modified\":\"Mon, 23 "
                "Nov 2026 01:02:03 "
                "GMT\"}},"
                "{\"path\":\"/gzip\",\"file\":\"a.json\",\"gzip\":true},"
                "{\"path\":\"/html\",\"mode\":\"html\"},{\"path\":\"/"
                "truncated\",\"mode\":\"truncated\",\"file\":"
                "\"a.json\"},"
                "{\"path\":\"/500\",\"mode\":\"500\"},{\"path\":\"/huge\",\"mode\":\"huge\"},"
                "{\"path\":\"/bomb\",\"mode\":\"bomb\"},{\"path\":\"/"
                "endless\",\"mode\":\"endless\"},"
                "{\"path\":\"/slow\",\"mode\":\"slow\"},{\"path\":\"/hang\",\"mode\":\"hang\"},"
                "{\"path\":\"/reset\",\"mode\":\"reset\"},{\"path\":\"/"
                "nothttp\",\"mode\":\"nothttp\"},"
                "{\"path\":\"/headers\",\"mode\":\"headers\"},"
                "{\"path\":\"/"
                "busy\",\"mode\":\"status\",\"status\":429,\"headers\":{\"Retry-After\":\"7\"}},"
                "{\"path\":\"/"
                "busy-long\",\"mode\":\"status\",\"status\":503,\"headers\":{\"Retry-After\":"
                "\"99999999999999999999\"}},"
                "{\"path\":\"/"
                "busy-bad\",\"mode\":\"status\",\"status\":503,\"headers\":{\"Retry-After\":"
                "\"soon\"}},"
                "{\"path\":\"/"
                "busy-past\",\"mode\":\"status\",\"status\":503,\"headers\":{\"Retry-After\":\"Mon,"
                " 23 "
                "Nov 2020 01:02:03 GMT\"}},"
                "{\"path\":\"/"
                "redirect\",\"mode\":\"status\",\"status\":302,\"headers\":{\"Location\":\"/ok\"}},"
                "{\"path\":\"/"
                "post\",\"method\":\"POST\",\"match\":\"needle\",\"body\":\"{\\\"found\\\":1}\"},"
                "{\"path\":\"/"
                "post\",\"method\":\"POST\",\"mode\":\"status\",\"status\":201,\"body\":\"other\"}"
                "]";
        (void) state;

        peer_folder(folder);
        peer_write(folder, "routes.json", routes);
        peer_write(folder, "a.json", "{\"tên\":\"Hưng Yên\",\"v\":[1,2,3]}");
        char log[100];
        (void) snprintf(log, sizeof log, "%s/log", folder);
        publisher = peer_start((const char *const[]){"publisher.py", folder, "--log", log, NULL});
        return 0;
}

static int tear_down_group(void **state) {
        (void) state;
        peer_stop(&publisher);
        peer_folder_remove(folder);
        return 0;
}

static void test_ok_and_304(void **state) {
        CLEANUP(seen_done) Seen s = {0};
        CLEANUP(seen_done) Seen again = {0};
        char url[200], header[200];
        const char *headers[] = {header, "X-Empty:"};
        (void) state;

        get("/ok", &s);
        assert_int_equal(s.error, 0);
        assert_int_equal(s.status, 200);
        assert_string_equal(s.text, "");
        assert_string_equal(s.type, "application/json");
        assert_string_equal(s.last_modified, "Mon, 23 Nov 2026 01:02:03 GMT");
        assert_int_equal(strlen(s.etag), 18);
        assert_string_equal(buf_text(&s.body), "{\"tên\":\"Hưng Yên\",\"v\":[1,2,3]}");
        assert_int_equal(s.size, s.body.len);
        assert_in_range(s.duration_ms, 0, 20000);

        HttpRequest q = request_for(url, publisher.port, "/ok");
        (void) snprintf(header, sizeof header, "If-None-Match: %s", s.etag);
        q.headers = headers;
        q.n_headers = 2;
        ask(&q, &again);
        assert_int_equal(again.error, 0);
        assert_int_equal(again.status, 304);
        assert_int_equal(again.size, 0);
        assert_string_equal(again.etag, s.etag);
        CLEANUP_FREE char *log = peer_read(folder, "log");
        assert_non_null(strstr(log, "\"User-Agent\": \"chisod/test\""));
        assert_non_null(strstr(log, "\"X-Empty\": \"\""));
}

static void test_statuses(void **state) {
        static const struct {
                const char *path;
                int status;
                int64_t retry_after_ms;
                const char *type;
                size_t size;
        } cases[] = {
                {"/nowhere", 404, 0, "application/json", 25},
                {"/html", 200, 0, "text/html", 179},
                {"/500", 500, 0, "text/html", 5},
                {"/busy", 429, 7000, "application/json", 0},
                {"/busy-long", 503, INT64_C(366) * 86400000, "application/json", 0},
                {"/busy-bad", 503, 0, "application/json", 0},
                {"/busy-past", 503, 0, "application/json", 0},
                {"/redirect", 302, 0, "application/json", 0},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(seen_done) Seen s = {0};
                get(cases[i].path, &s);
                assert_int_equal(s.error, 0);
                assert_int_equal(s.status, cases[i].status);
                assert_int_equal(s.retry_after_ms, cases[i].retry_after_ms);
                assert_string_equal(s.type, cases[i].type);
                assert_int_equal(s.size, cases[i].size);
        }
}

static int accept_one(int listener) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};

        while (poll(&ready, 1, 0) == 0)
                assert_true(sd_event_run(event, 100000) >= 0);
        return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* An absolute Retry-After counts from the answer's own Date, whatever our clock says. */
static void test_retry_after_date(void **state) {
        static const char answer[] =
                "HTTP/1.1 503 Busy\r\nDate: Mon, 23 Nov 2026 01:00:00 GMT\r\n"
                "Retry-After: Mon, 23 Nov 2026 01:02:03 GMT\r\nContent-Length: 0\r\n\r\n";
        CLEANUP(seen_done) Seen s = {0};
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t n = sizeof address;
        char url[200];
        Slot *slot = NULL;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void) state;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *) &address, &n), 0);
        HttpRequest q = request_for(url, ntohs(address.sin_port), "/");
        assert_int_equal(http_start(mux, &q, on_done, &s, &slot), 0);
        int fd = accept_one(listener);
        assert_int_equal(write(fd, answer, sizeof answer - 1), sizeof answer - 1);
        loop_until(event, &s.n, 1);
        assert_int_equal(s.status, 503);
        assert_int_equal(s.retry_after_ms, 123000);
        slot_free(slot);
        (void) close(fd);
        (void) close(listener);
}

static void test_caps(void **state) {
        static const struct {
                const char *path;
                size_t max;
                bool is_truncating, is_compressed;
                int error;
                size_t size;
        } cases[] = {
                {"/huge", 40 << 20, false, false, 0, 40 << 20},
                {"/huge", (40 << 20) - 1, false, false, -EFBIG, 0},
                {"/huge", 8 << 20, false, false, -EFBIG, 0},
                {"/huge", 1024, true, false, 0, 1024},
                {"/bomb", 8 << 20, false, true, -EFBIG, 0},
                {"/endless", 1 << 20, false, false, -EFBIG, 0},
                {"/endless", 1024, true, false, 0, 1024},
                {"/ok", 33, false, false, 0, 33},
                {"/ok", 32, false, false, -EFBIG, 0},
                {"/ok", 5, true, false, 0, 5},
                {"/gzip", 33, false, true, 0, 33},
                {"/gzip", 32, false, true, -EFBIG, 0},
                {"/headers", 1 << 20, false, false, -EFBIG, 0},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(seen_done) Seen s = {0};
                char url[200];
                HttpRequest q = request_for(url, publisher.port, cases[i].path);
                q.max_body = cases[i].max;
                q.is_truncating = cases[i].is_truncating;
                q.is_compressed = cases[i].is_compressed;
                ask(&q, &s);
                assert_int_equal(s.error, cases[i].error);
                if (cases[i].error == 0)
                        assert_int_equal(s.size, cases[i].size);
                else
                        assert_string_equal(s.text, "answer is too big");
        }
}

static void test_faults(void **state) {
        static const struct {
                const char *path;
                int64_t timeout_ms;
                int error, status;
        } cases[] = {
                {"/truncated", 20000, -EBADMSG, 200}, {"/reset", 20000, -EBADMSG, 0},
                {"/nothttp", 20000, -EBADMSG, 0},     {"/slow", 300, -ETIMEDOUT, 200},
                {"/hang", 300, -ETIMEDOUT, 0},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(seen_done) Seen s = {0};
                char url[200];
                HttpRequest q = request_for(url, publisher.port, cases[i].path);
                q.timeout_ms = cases[i].timeout_ms;
                ask(&q, &s);
                assert_int_equal(s.error, cases[i].error);
                assert_int_equal(s.status, cases[i].status);
                assert_true(strlen(s.text) > 5);
                assert_true(s.hook.is_connected);
                assert_true(s.hook.is_sent);
                assert_int_equal(s.hook.status, cases[i].status);
        }
}

/* A port that nobody listens on: bound, so that nobody else gets it, but not listening. */
static int dead_port(int *ret_fd) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t n = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &n), 0);
        *ret_fd = fd;
        return ntohs(address.sin_port);
}

static void test_unreachable(void **state) {
        CLEANUP(seen_done) Seen refused = {0};
        CLEANUP(seen_done) Seen unresolved = {0};
        CLEANUP(seen_done) Seen tls = {0};
        char url[200];
        int fd;
        HttpRequest q = request_for(url, dead_port(&fd), "/");
        (void) state;

        ask(&q, &refused);
        assert_int_equal(refused.error, -ECONNREFUSED);
        assert_false(refused.hook.is_connected);
        assert_false(refused.hook.is_sent);
        (void) close(fd);
        q.url = "http://host.invalid/";
        ask(&q, &unresolved);
        assert_int_equal(unresolved.error, -EHOSTUNREACH);
        assert_false(unresolved.hook.is_connected);
        (void) snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", publisher.port);
        q.url = url;
        ask(&q, &tls);
        assert_int_equal(tls.error, -EKEYREJECTED);
        assert_true(tls.hook.is_tls_failed);
        assert_false(tls.hook.is_sent);
}

static void test_bad_requests(void **state) {
        static const char *const evil[] = {"X: a\r\nY: b"}, *const nameless[] = {"no colon"};
        const struct {
                HttpRequest q;
                int r;
        } cases[] = {
                {{.url = "ftp://127.0.0.1/", .method = "GET", .timeout_ms = 1}, -EPROTONOSUPPORT},
                {{.url = "file:///etc/passwd", .method = "GET", .timeout_ms = 1}, -EPROTONOSUPPORT},
                {{.url = "", .method = "GET", .timeout_ms = 1}, -EPROTONOSUPPORT},
                {{.url = "http://127.0.0.1/\n", .method = "GET", .timeout_ms = 1}, -EINVAL},
                {{.url = "http://127.0.0.1/", .method = "PUT", .timeout_ms = 1}, -EINVAL},
                {{.url = "http://127.0.0.1/", .method = "GET", .timeout_ms = 0}, -EINVAL},
                {{.url = "http://127.0.0.1/",
                  .method = "GET",
                  .timeout_ms = 1,
                  .headers = evil,
                  .n_headers = 1},
                 -EINVAL},
                {{.url = "http://127.0.0.1/",
                  .method = "GET",
                  .timeout_ms = 1,
                  .headers = nameless,
                  .n_headers = 1},
                 -EINVAL},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Slot *slot = NULL;
                Seen s = {0};
                assert_int_equal(http_start(mux, &cases[i].q, on_done, &s, &slot), cases[i].r);
                assert_null(slot);
        }
        CLEANUP(seen_done) Seen s = {0};
        HttpRequest q = {.url = "http://[bad/", .method = "GET", .timeout_ms = 5000};
        ask(&q, &s);
        assert_int_equal(s.error, -EINVAL);
}

static void test_post(void **state) {
        CLEANUP(seen_done) Seen found = {0};
        CLEANUP(seen_done) Seen other = {0};
        CLEANUP(seen_done) Seen empty = {0};
        CLEANUP(seen_done) Seen cut = {0};
        CLEANUP_FREE char *big = malloc(3 << 20);
        static const char *const headers[] = {"Content-Type: application/json"};
        char url[200];
        HttpRequest q = request_for(url, publisher.port, "/post");
        (void) state;

        q.method = "POST";
        q.headers = headers;
        q.n_headers = 1;
        q.body = "a needle in hay";
        q.body_size = 15;
        ask(&q, &found);
        assert_int_equal(found.status, 200);
        assert_string_equal(buf_text(&found.body), "{\"found\":1}");
        assert_true(found.hook.is_sent);
        memset(big, 'x', 3 << 20);
        memcpy(big + (3 << 20) - 6, "needle", 6);
        q.body = big;
        q.body_size = 3 << 20;
        ask(&q, &other);
        assert_int_equal(other.status, 200);
        q.body = NULL;
        q.body_size = 0;
        ask(&q, &empty);
        assert_int_equal(empty.status, 201);
        assert_true(empty.hook.is_sent);
        CLEANUP_FREE char *log = peer_read(folder, "log");
        assert_null(strstr(log, "Expect"));
        assert_null(strstr(log, "form-urlencoded"));

        /* The end before the body was taken: certainly not sent whole. */
        int fd;
        struct sockaddr_in address = {.sin_family = AF_INET};
        HttpRequest q2 = request_for(url, dead_port(&fd), "/");
        Slot *slot = NULL;
        (void) address;
        assert_int_equal(listen(fd, 1), 0);
        q2.method = "POST";
        q2.body = big;
        q2.body_size = 3 << 20;
        q2.timeout_ms = 300;
        assert_int_equal(http_start(mux, &q2, on_done, &cut, &slot), 0);
        loop_until(event, &cut.n, 1);
        assert_int_equal(cut.error, -ETIMEDOUT);
        assert_true(cut.hook.is_connected);
        assert_false(cut.hook.is_sent);
        slot_free(slot);
        (void) close(fd);
}

static void test_slots(void **state) {
        Seen seen[8] = {0}, dropped = {0};
        Slot *slots[8] = {NULL};
        char url[200], slow[200];
        HttpRequest q = request_for(url, publisher.port, "/ok");
        HttpRequest hanging = request_for(slow, publisher.port, "/hang");
        (void) state;

        /* Cancelled before it began, cancelled under way by the callback of another, dropped by its
         * own callback. */
        assert_int_equal(http_start(mux, &q, on_done, &dropped, &slots[0]), 0);
        slot_free(TAKE_PTR(slots[0]));
        assert_int_equal(http_start(mux, &hanging, on_done, &dropped, &seen[0].to_drop), 0);
        for (size_t i = 0; i < 8; i++) {
                seen[i].drops_own = true;
                assert_int_equal(http_start(mux, &q, on_done, &seen[i], &slots[i]), 0);
        }
        for (size_t i = 0; i < 8; i++) {
                loop_until(event, &seen[i].n, 1);
                assert_int_equal(seen[i].status, 200);
                seen_done(&seen[i]);
        }
        assert_int_equal(dropped.n, 0);
        assert_null(seen[0].to_drop);
}

static size_t count(const char *text, const char *part) {
        size_t n = 0;
        for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
                n++;
        return n;
}

/* One connection serves many requests; the log names the client's port. */
static void test_kept_connection(void **state) {
        char url[200], port[64];
        (void) state;

        for (int i = 0; i < 20; i++) {
                CLEANUP(seen_done) Seen s = {0};
                (void) snprintf(port, sizeof port, "/ok?kept=%d", i);
                HttpRequest q = request_for(url, publisher.port, port);
                ask(&q, &s);
                assert_int_equal(s.status, 200);
                assert_true(s.hook.is_connected);
                assert_true(s.hook.is_sent);
        }
        CLEANUP_FREE char *log = peer_read(folder, "log");
        const char *last = strstr(log, "kept=19");
        assert_non_null(last);
        const char *connection = strstr(last, "\"connection\": ");
        assert_non_null(connection);
        (void) snprintf(port, sizeof port, "%.*s", (int) strcspn(connection, "}"), connection);
        assert_int_equal(count(log, port), 20);
}

/* A signed body arrives and is verified by the other side; each way to answer, or not to, is told
 * apart. */
static void test_hooks(void **state) {
        static const struct {
                const char *mode;
                int error, status;
                int64_t retry_after_ms;
                size_t size;
        } cases[] = {
                {"204", 0, 204, 0, 0},         {"429 Retry-After: 7", 0, 429, 7000, 2},
                {"410", 0, 410, 0, 2},         {"long", 0, 200, 0, 1024},
                {"200", 0, 200, 0, 2},         {"drop", -EBADMSG, 0, 0, 0},
                {"200", 0, 200, 0, 2},         {"reset", -EBADMSG, 0, 0, 0},
                {"hang", -ETIMEDOUT, 0, 0, 0},
        };
        static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                          body[] = "{\"a\":\"\u1ecb\"}";
        char dir[64], mode_file[100], url[200], id[40], at[60], name[100];
        (void) state;

        peer_folder(dir);
        (void) snprintf(mode_file, sizeof mode_file, "%s/mode", dir);
        const char *argv[] = {"hook.py", "--dir",       dir,       "--secret",
                              secret,    "--mode-file", mode_file, NULL};
        Peer hook = peer_start(argv);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(seen_done) Seen s = {0};
                CLEANUP(buf_done) Buf signature = BUF_INIT(1000);
                HttpRequest q = request_for(url, hook.port, "/hook");
                int64_t now = clock_now_ms() / 1000;

                peer_write(dir, "mode", cases[i].mode);
                (void) snprintf(id, sizeof id, "webhook-id: msg_%zu", i);
                (void) snprintf(at, sizeof at, "webhook-timestamp: %lld", (long long) now);
                CLEANUP(buf_done) Buf value = BUF_INIT(1000);
                assert_int_equal(
                        crypto_webhook_sign(secret, id + 12, now, body, sizeof body - 1, &value),
                        0);
                assert_int_equal(buf_printf(&signature, "webhook-signature: %s", buf_text(&value)),
                                 0);
                const char *headers[] = {id, at, buf_text(&signature),
                                         "Content-Type: application/json"};
                q.method = "POST";
                q.headers = headers;
                q.n_headers = ELEMENTSOF(headers);
                q.body = body;
                q.body_size = sizeof body - 1;
                q.is_truncating = true;
                q.max_body = 1024;
                q.timeout_ms = streq(cases[i].mode, "hang") ? 300 : 20000;
                ask(&q, &s);
                assert_int_equal(s.error, cases[i].error);
                assert_int_equal(s.hook.status, cases[i].status);
                assert_int_equal(s.retry_after_ms, cases[i].retry_after_ms);
                assert_int_equal(s.size, cases[i].size);
                assert_true(s.hook.is_connected);
                if (!s.hook.is_sent)
                        fail_msg("%s: not sent? %s", cases[i].mode, s.text);

                (void) snprintf(name, sizeof name, "%03zu.json", i + 1);
                CLEANUP_FREE char *record = peer_read(dir, name);
                assert_non_null(strstr(record, "\"verified\": true"));
        }
        /* no request was sent twice, although two were cut off on a kept connection */
        (void) snprintf(name, sizeof name, "%s/%03zu.json", dir, ELEMENTSOF(cases) + 1);
        assert_int_equal(access(name, F_OK), -1);
        peer_stop(&hook);
        peer_folder_remove(dir);
}

/* Reads what the daemon sent until `end` of it has come. */
static void read_until(int fd, const char *end) {
        CLEANUP(buf_done) Buf got = BUF_INIT(1 << 20);
        char part[65536];

        while (!strstr(buf_text(&got), end)) {
                assert_true(sd_event_run(event, 100000) >= 0);
                ssize_t n = recv(fd, part, sizeof part, MSG_DONTWAIT);
                if (n < 0)
                        assert_int_equal(errno, EAGAIN);
                else
                        assert_int_equal(buf_append(&got, part, (size_t) n), 0);
        }
}

/* A receiver that takes a request over a kept connection and goes down before it answers: libcurl
 * cannot connect for sending it once more, but the first time it left whole. */
static void test_taken_and_gone(void **state) {
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        char url[200];
        int listener, fd = -1;
        HttpRequest q = request_for(url, dead_port(&listener), "/");
        (void) state;

        assert_int_equal(listen(listener, 1), 0);
        q.method = "POST";
        q.body = "the needle";
        q.body_size = 10;
        for (int i = 0; i < 2; i++) {
                CLEANUP(seen_done) Seen s = {0};
                Slot *slot = NULL;

                assert_int_equal(http_start(mux, &q, on_done, &s, &slot), 0);
                if (i == 0)
                        fd = accept_one(listener);
                read_until(fd, "needle");
                if (i == 0)
                        assert_int_equal(write(fd, answer, sizeof answer - 1), sizeof answer - 1);
                else {
                        (void) close(listener);
                        (void) close(fd);
                }
                loop_until(event, &s.n, 1);
                slot_free(slot);
                assert_int_equal(s.error, i == 0 ? 0 : -EBADMSG);
                assert_true(s.hook.is_connected);
                assert_true(s.hook.is_sent);
        }
}

/* The kernel may refuse to watch one more socket. */
static bool is_watching_refused;
int __real_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *e);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *e) {
        if (!is_watching_refused)
                return __real_epoll_ctl(set, op, fd, e);
        errno = ENOMEM;
        return -1;
}

/* Whoever cannot be waited for runs into his time-out, and the next one is served again. */
static void test_not_watched(void **state) {
        CLEANUP(seen_done) Seen first = {0};
        CLEANUP(seen_done) Seen next = {0};
        char url[200];
        HttpRequest q = request_for(url, publisher.port, "/hang");
        (void) state;

        q.timeout_ms = 300;
        is_watching_refused = true;
        ask(&q, &first);
        is_watching_refused = false;
        assert_int_equal(first.error, -ETIMEDOUT);
        get("/ok", &next);
        assert_int_equal(next.error, 0);
        assert_int_equal(next.status, 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_ok_and_304),
                TEST(test_statuses),
                TEST(test_retry_after_date),
                TEST(test_caps),
                TEST(test_faults),
                TEST(test_unreachable),
                TEST(test_bad_requests),
                TEST(test_post),
                TEST(test_slots),
                TEST(test_kept_connection),
                TEST(test_hooks),
                TEST(test_taken_and_gone),
                TEST(test_not_watched),
        };
        return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
