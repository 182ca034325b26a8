/* The API over real sockets: what it says of the letter's fifteen communes, and what it refuses. */
#include "api-sample.h"

#include "answer/status.h"
#include "os/clock.h"
#include "store/sql.h"

static Sample sample;

static int setup(void **state) {
        (void) state;
        sample_start(&sample);
        return 0;
}

static int teardown(void **state) {
        (void) state;
        sample_stop(&sample);
        return 0;
}

static const json_t *at(const json_t *value, const char *name) {
        const json_t *member = json_object_get(value, name);

        if (!member)
                fail_msg("no member %s", name);
        return member;
}

static const char *text_at(const json_t *value, const char *name) {
        const char *text = json_string_value(at(value, name));

        return str_or(text, "(null)");
}

static int int_at(const json_t *value, const char *name) {
        assert_true(json_is_integer(at(value, name)));
        return (int) json_integer_value(at(value, name));
}

static const json_t *rows_of(const Answer *a) {
        return at(json_array_get(at(a->json, "cohorts"), 0), "rows");
}

/* ---- ranking --------------------------------------------------------------------------------- */

/* The appendix of the letter and domain notes 6.1, row by row. */
static const struct {
        const char *code, *total, *delta, *progress;
        int previous;
} letter[] = {
        {"12367", "89,63", "+6,96", "100", 13},       {"12364", "88,82", "+6,60", "99,64", 14},
        {"12346", "88,23", "\u22120,80", "100", 1},   {"12340", "88,12", "+0,24", "100", 4},
        {"12349", "88,08", "+0,83", "100", 5},        {"12355", "87,87", "\u22120,21", "100", 2},
        {"12358", "87,57", "\u22120,35", "100", 3},   {"12337", "87,42", "+2,00", "99,52", 9},
        {"12352", "87,31", "+0,21", "100", 6},        {"12373", "86,71", "+3,38", "100", 11},
        {"12379", "86,20", "+3,30", "100", 12},       {"12361", "85,56", "\u22121,44", "99,61", 7},
        {"12370", "85,22", "+1,02", "92,54", 10},     {"12343", "83,58", "+3,18", "100", 15},
        {"12376", "83,28", "\u22122,60", "82,71", 8},
};

static void check_row(const json_t *row, size_t i) {
        assert_int_equal(int_at(row, "place"), i + 1);
        assert_int_equal(int_at(row, "of"), 15);
        assert_string_equal(text_at(at(row, "unit"), "code"), letter[i].code);
        assert_string_equal(text_at(row, "text"), letter[i].total);
        assert_string_equal(text_at(row, "delta_text"), letter[i].delta);
        assert_string_equal(text_at(row, "delta_reason"), "ok");
        assert_int_equal(int_at(row, "previous_place"), letter[i].previous);
        assert_int_equal(int_at(row, "move"), letter[i].previous - (int) i - 1);
        assert_string_equal(text_at(at(at(row, "with"), "progress"), "text"), letter[i].progress);
        assert_string_equal(text_at(at(at(row, "with"), "progress"), "delta_reason"), "first");
        assert_string_equal(text_at(row, "band"), "Tốt");
        assert_int_equal(json_array_size(at(row, "trend")), 2);
}

static void test_ranking_is_the_letter(void **state) {
        CLEANUP(answer_done)
        Answer a = sample_get(&sample, "/v1/ranking?with=progress&as_of=2024-09-10");
        const json_t *cohort;

        (void) state;
        assert_int_equal(a.status, 200);
        assert_int_equal(json_array_size(at(a.json, "cohorts")), 1);
        cohort = json_array_get(at(a.json, "cohorts"), 0);
        assert_string_equal(text_at(cohort, "kind"), "commune");
        assert_string_equal(text_at(at(cohort, "parent"), "name"), "Huyện Tiên Lữ");
        assert_int_equal(int_at(cohort, "units"), 15);
        assert_int_equal(int_at(cohort, "with_value"), 15);
        assert_int_equal(int_at(cohort, "move_of"), 15);
        assert_int_equal(int_at(cohort, "previous_of"), 15);
        assert_string_equal(text_at(cohort, "median_text"), "87,42");
        assert_int_equal(json_array_size(rows_of(&a)), 15);
        for (size_t i = 0; i < ELEMENTSOF(letter); i++)
                check_row(json_array_get(rows_of(&a), i), i);

        assert_string_equal(text_at(at(a.json, "period"), "id"), "2024-08");
        assert_string_equal(text_at(at(a.json, "period"), "status_label"), "tạm tính");
        assert_true(json_is_true(at(a.json, "is_default_period")));
        assert_string_equal(text_at(a.json, "fetched"), "2024-09-05T08:00:00+07:00");
        assert_string_equal(text_at(at(a.json, "source"), "label"), "Cổng DVCQG");
        assert_string_equal(text_at(at(a.json, "indicator"), "label"), "Tổng điểm");
        /* exactly as the scaled integer says, digits included */
        assert_non_null(strstr(a.body, "\"value\":86.20,\"text\":\"86,20\""));
        assert_non_null(strstr(a.body, "\"trend\":[82.67,89.63]"));
}

static void test_ranking_now_differs_by_the_restatement(void **state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/ranking");
        const json_t *row = json_array_get(rows_of(&a), 8);

        (void) state;
        assert_string_equal(text_at(at(row, "unit"), "code"), "12352");
        assert_string_equal(text_at(row, "text"), "87,35");
        assert_string_equal(text_at(row, "delta_text"), "+0,25");
        assert_string_equal(text_at(at(a.json, "period"), "status"), "closed");
        assert_string_equal(text_at(a.json, "fetched"), "2024-09-20T08:00:00+07:00");
        assert_true(json_is_null(at(a.json, "as_of")));
        assert_null(json_object_get(row, "with"));
}

static void test_ranking_of_the_first_month(void **state) {
        CLEANUP(answer_done)
        Answer a = sample_get(&sample, "/v1/ranking?period=2024-07&limit=2&offset=1");
        const json_t *row = json_array_get(rows_of(&a), 0);

        (void) state;
        assert_int_equal(json_array_size(rows_of(&a)), 2);
        assert_string_equal(text_at(at(row, "unit"), "code"), "12355");
        assert_int_equal(int_at(row, "place"), 2);
        assert_true(json_is_null(at(row, "move")));
        assert_true(json_is_null(at(row, "delta")));
        assert_string_equal(text_at(row, "delta_reason"), "first");
        assert_false(json_is_true(at(a.json, "is_default_period")));
}

static void test_ranking_before_anything_was_known(void **state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/ranking?as_of=2024-08-01");
        CLEANUP(answer_done) Answer b = sample_get(&sample, "/v1/ranking?as_of=2024-08-31");
        CLEANUP(answer_done)
        Answer d = sample_get(&sample, "/v1/ranking?as_of=2024-08-01&period=2024-08");

        (void) state;
        assert_int_equal(a.status, 404);
        assert_string_equal(text_at(at(b.json, "period"), "id"), "2024-07");
        assert_int_equal(d.status, 200);
        assert_int_equal(json_array_size(at(d.json, "cohorts")), 0);
}

/* ---- history --------------------------------------------------------------------------------- */

static void test_history(void **state) {
        CLEANUP(answer_done)
        Answer a = sample_get(&sample, "/v1/history?unit=gso:12352&vintages=1");
        const json_t *august, *july, *vintage;

        (void) state;
        assert_int_equal(a.status, 200);
        assert_int_equal(json_array_size(at(a.json, "periods")), 2);
        august = json_array_get(at(a.json, "periods"), 0);
        july = json_array_get(at(a.json, "periods"), 1);
        assert_string_equal(text_at(at(august, "period"), "id"), "2024-08");
        assert_string_equal(text_at(august, "text"), "87,35");
        assert_string_equal(text_at(august, "delta_text"), "+0,25");
        assert_int_equal(int_at(august, "place"), 9);
        assert_int_equal(int_at(july, "place"), 6);
        assert_int_equal(int_at(july, "of"), 15);
        assert_string_equal(text_at(july, "delta_reason"), "first");

        assert_int_equal(json_array_size(at(august, "vintages")), 2);
        assert_int_equal(json_array_size(at(july, "vintages")), 1);
        vintage = json_array_get(at(august, "vintages"), 0);
        assert_string_equal(text_at(vintage, "text"), "87,31");
        assert_string_equal(text_at(vintage, "at"), "2024-09-05T08:00:00+07:00");
        assert_string_equal(text_at(vintage, "source"), "portal");
        assert_int_equal(strlen(text_at(vintage, "hash")), 64);
        vintage = json_array_get(at(august, "vintages"), 1);
        assert_string_equal(text_at(vintage, "text"), "87,35");
        assert_true(json_is_null(at(vintage, "until")));
}

static void test_history_as_of(void **state) {
        CLEANUP(answer_done)
        Answer a = sample_get(
                &sample, "/v1/history?unit=12352&vintages=1&as_of=2024-09-10T00:00:00%2B07:00");
        const json_t *august = json_array_get(at(a.json, "periods"), 0);

        (void) state;
        assert_string_equal(text_at(august, "text"), "87,31");
        assert_int_equal(json_array_size(at(august, "vintages")), 1);
        assert_true(json_is_null(at(json_array_get(at(august, "vintages"), 0), "until")));
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void test_refusals(void **state) {
        static const struct {
                Request request;
                int status;
                const char *detail; /* part of it */
        } cases[] = {
                {{.path = "/v1/nothing"}, 404, "/v1/nothing"},
                {{.path = "/v1/ranking", .method = "POST"}, 405, "POST"},
                {{.path = "/v1/ranking?indicator=totl"}, 404, "total, progress"},
                {{.path = "/v1/ranking?period=August"}, 400, "2024-Q3"},
                {{.path = "/v1/ranking?as_of=yesterday"}, 400, "yesterday"},
                {{.path = "/v1/ranking?limit=0"}, 400, "limit"},
                {{.path = "/v1/ranking?limit=12x"}, 400, "limit"},
                {{.path = "/v1/ranking?offset=-1"}, 400, "offset"},
                {{.path = "/v1/ranking?with=total,nothing"}, 404, "nothing"},
                {{.path = "/v1/ranking?perod=2024-07"},
                 400,
                 "\"perod\"; /v1/ranking nhận: indicator, "},
                {{.path = "/v1/ranking?period=2024-07&period=2024-08"},
                 400,
                 "\"period\" có hai lần"},
                {{.path = "/v1/ranking?Limit=3"}, 400, "\"Limit\""},
                {{.path = "/v1/ranking?=3"}, 400, "\"\""},
                {{.path = "/v1/status?limit=3"}, 400, "/v1/status không nhận"},
                {{.path = "/v1/units?as_of=2024-08-01"}, 400, "\"as_of\""},
                {{.path = "/v1/alerts/1?limit=3"}, 400, "as_of"},
                {{true, "POST", "/v1/go-live?preview=1"}, 400, "\"preview\""},
                {{true, "POST", "/v1/units?action=new&code=9&from=2024-01-01&preview=1"},
                 400,
                 "preview"},
                {{.path = "/v1/history"}, 400, "unit="},
                {{.path = "/v1/history?unit=cuong"}, 404, "UBND xã Cương Chính (gso:12376)"},
                {{.path = "/v1/units/Zzz"}, 404, "Zzz"},
                {{.path = "/v1/history?unit=12352&type=week"}, 400, "quarter"},
                {{.path = "/v1/alerts/999"}, 404, "999"},
                {{.path = "/v1/alerts/x"}, 400, "x"},
                {{.path = "/v1/alerts/99999999999999999999"}, 400, "9999"},
                {{.path = "/v1/deliveries?state=lost"}, 400, "dead"},
                {{.path = "/v1/snapshots/1/parts/2/body"}, 404, "2"},
                {{.path = "/v1/snapshots/99/parts/1/body"}, 404, "99"},
                {{.path = "/v1/go-live", .method = "POST"}, 403, "chisod-admin"},
                {{.path = "/v1/alerts/1/ack", .method = "POST"}, 403, "chisod-admin"},
                {{true, "POST", "/v1/sources/portl/fetch"}, 404, "portal"},
                {{true, "POST", "/v1/sources/portal/fetch?from=2024-09&to=2024-08"}, 400, "from"},
                {{true, "POST", "/v1/sources/portal/fetch?from=2024-Q3"}, 400, "portal"},
                {{true, "POST", "/v1/drills", "{\"recipient\": \"nobody\"}"}, 404, "it"},
                {{true, "POST", "/v1/drills", "{"}, 400, "JSON"},
                {{true, "POST", "/v1/drills", "[]"}, 400, "JSON"},
                {{true, "POST", "/v1/drills", "{}"}, 400, "recipient"},
                {{true, "POST", "/v1/drills", "{\"recipient\": 7}"}, 400, "recipient"},
                {{true, "POST", "/v1/go-live", "{\"preview\": \"true\"}"}, 400, "preview"},
                {{true, "POST", "/v1/go-live", "{\"preview\": true, \"announce\": 0}"},
                 400,
                 "announce"},
                {{true, "POST", "/v1/deliveries/77/retry"}, 404, "77"},
                {{true, "POST", "/v1/deliveries/77/retry", "{}"}, 404, "77"},
                {{true, "POST", "/v1/deliveries/77/retry", "{"}, 400, "JSON"},
                {{true, "POST", "/v1/silences", "{\"rule\": \"progress-low\"}"}, 400, "until"},
                {{true, "DELETE", "/v1/silences/5"}, 404, "5"},
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(answer_done) Answer a = sample_ask(&sample, &cases[i].request);

                if (a.status != cases[i].status || !a.json ||
                    !strstr(text_at(a.json, "detail"), cases[i].detail))
                        fail_msg("%s: %d %s", cases[i].request.path, a.status, a.body);
                assert_int_equal(int_at(a.json, "status"), cases[i].status);
        }
}

/* Nothing between two `&`, a value that is left out, and whatever a page was linked to with. */
static void test_arguments_let_through(void **state) {
        static const char *const paths[] = {
                "/v1/ranking?",
                "/v1/ranking?&&limit=3&",
                "/v1/ranking?period=&limit",
                "/v1/status?",
                "/?utm_source=mail&period=2024-08",
                "/sources?period=2024-08&period=2024-07",
                "/healthz?x",
                "/metrics?x=1",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                CLEANUP(answer_done) Answer a = sample_get(&sample, paths[i]);

                if (a.status != 200)
                        fail_msg("%s: %d %s", paths[i], a.status, a.body);
        }
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* How often panels were read. */
static int n_panels(void) {
        return sqlite3_stmt_status(sample.app.reader->stmt[STMT_PANEL_FIGURES],
                                   SQLITE_STMTSTATUS_RUN, 0);
}

static void test_tags(void **state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/ranking");
        int before = n_panels();
        CLEANUP(answer_done)
        Answer same =
                sample_ask(&sample, &(Request){.path = "/v1/ranking", .if_none_match = a.etag});
        assert_true(before > 0);
        assert_int_equal(n_panels(), before); /* the answer was not made again */
        CLEANUP(answer_done)
        Answer any = sample_ask(&sample, &(Request){.path = "/v1/ranking", .if_none_match = "*"});
        CLEANUP(answer_done)
        Answer none = sample_ask(&sample, &(Request){.path = "/v1/ranking?period=1999-01&kind=x",
                                                     .if_none_match = "*"});
        CLEANUP(answer_done)
        Answer other = sample_ask(
                &sample, &(Request){.path = "/v1/ranking?limit=3", .if_none_match = a.etag});

        (void) state;
        assert_true(a.etag[0] == '"');
        assert_int_equal(same.status, 304);
        assert_string_equal(same.body, "");
        assert_int_equal(any.status, 304);
        assert_int_not_equal(none.status, 500);
        assert_int_equal(other.status, 200);
        assert_string_not_equal(other.etag, a.etag);

        /* a further step is a new answer */
        (void) sample_begin(&sample, CAUSE_RELOAD, sample_ms("2024-10-01T00:00:00+07:00"));
        sample_commit(&sample);
        CLEANUP(answer_done)
        Answer later =
                sample_ask(&sample, &(Request){.path = "/v1/ranking", .if_none_match = a.etag});
        assert_int_equal(later.status, 200);
}

/* ---- masks ----------------------------------------------------------------------------------- */

static void test_masks(void **state) {
        static const char *const secrets[] = {"it@example.gov.vn", "cuongchinh@example.gov.vn",
                                              "hook.example.vn"};
        static const char *const paths[] = {
                "/v1/deliveries", "/v1/units",    "/v1/units/gso:12376",      "/v1/status",
                "/v1/sources",    "/v1/alerts/1", "/v1/deliveries?state=dead"};
        CLEANUP(answer_done)
        Answer whole = sample_ask(&sample, &(Request){true, .path = "/v1/deliveries"});
        CLEANUP(answer_done)
        Answer unit = sample_ask(&sample, &(Request){true, .path = "/v1/units/12376"});
        const json_t *row = json_array_get(at(whole.json, "deliveries"), 0);

        (void) state;
        assert_string_equal(text_at(row, "address"), "it@example.gov.vn");
        assert_string_equal(text_at(row, "response"), "550 <it@example.gov.vn>: unknown");
        assert_string_equal(text_at(row, "state"), "dead");
        assert_string_equal(json_string_value(json_array_get(at(unit.json, "emails"), 0)),
                            "cuongchinh@example.gov.vn");
        assert_string_equal(text_at(unit.json, "webhook"), "https://hook.example.vn/geheim");

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                CLEANUP(answer_done) Answer a = sample_get(&sample, paths[i]);

                assert_int_equal(a.status, 200);
                for (size_t j = 0; j < ELEMENTSOF(secrets); j++)
                        if (strstr(a.body, secrets[j]))
                                fail_msg("%s shows %s", paths[i], secrets[j]);
        }
}

/* ---- small reads ----------------------------------------------------------------------------- */

static void test_registry(void **state) {
        CLEANUP(answer_done) Answer units = sample_get(&sample, "/v1/units?kind=commune&limit=4");
        CLEANUP(answer_done)
        Answer unit = sample_get(&sample, "/v1/units/UBND%20xã%20Cương%20Chính");
        CLEANUP(answer_done) Answer indicators = sample_get(&sample, "/v1/indicators");
        CLEANUP(answer_done) Answer periods = sample_get(&sample, "/v1/periods");
        const json_t *total = json_array_get(at(indicators.json, "indicators"), 0);
        const json_t *august = json_array_get(at(periods.json, "periods"), 0);

        (void) state;
        assert_int_equal(int_at(units.json, "total"), 15);
        assert_int_equal(json_array_size(at(units.json, "units")), 4);
        assert_string_equal(text_at(unit.json, "key"), "gso:12376");
        assert_true(json_is_true(at(unit.json, "has_email")));
        assert_string_equal(text_at(total, "name"), "total");
        assert_string_equal(text_at(at(total, "newest"), "month"), "2024-08");
        assert_string_equal(text_at(august, "id"), "2024-08");
        assert_int_equal(int_at(august, "with_value"), 15);
        assert_int_equal(int_at(august, "units"), 15);
}

static void test_snapshots(void **state) {
        CLEANUP(answer_done) Answer list = sample_get(&sample, "/v1/snapshots?period=2024-08");
        CLEANUP(answer_done) Answer before = sample_get(&sample, "/v1/snapshots?as_of=2024-08-10");
        CLEANUP(answer_done) Answer none = sample_get(&sample, "/v1/snapshots?as_of=2024-08-01");
        const json_t *row = json_array_get(at(list.json, "snapshots"), 1);
        char path[64], expected[64];

        (void) state;
        assert_int_equal(json_array_size(at(list.json, "snapshots")), 2);
        assert_int_equal(json_array_size(at(before.json, "snapshots")), 1);
        assert_int_equal(json_array_size(at(none.json, "snapshots")), 0);
        assert_int_equal(int_at(row, "id"), sample.snapshot);
        assert_string_equal(text_at(row, "state"), "accepted");
        assert_int_equal(json_array_size(at(row, "parts")), 1);

        (void) snprintf(path, sizeof(path), "/v1/snapshots/%d/parts/1/body", (int) sample.snapshot);
        (void) snprintf(expected, sizeof(expected), "{\"period\": 2024108, \"step\": %d}",
                        int_at(row, "step"));
        CLEANUP(answer_done) Answer body = sample_get(&sample, path);
        assert_int_equal(body.status, 200);
        assert_string_equal(body.body, expected);
}

static void test_status(void **state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/status");
        CLEANUP(answer_done) Answer health = sample_get(&sample, "/healthz");
        const json_t *period = json_array_get(at(a.json, "periods"), 0);
        const json_t *rule = json_array_get(at(at(a.json, "alerts"), "by_rule"), 0);

        (void) state;
        assert_int_equal(health.status, 200);
        assert_string_equal(text_at(a.json, "language"), "vi");
        assert_string_equal(text_at(a.json, "notify"), "observe");
        assert_string_equal(text_at(json_array_get(at(a.json, "sources"), 0), "name"), "portal");
        assert_string_equal(text_at(period, "id"), "2024-08");
        assert_int_equal(int_at(period, "with_value"), 15);
        assert_int_equal(int_at(at(a.json, "alerts"), "open"), 1);
        assert_int_equal(int_at(at(a.json, "alerts"), "critical"), 0);
        assert_string_equal(text_at(rule, "rule"), "progress-low");
        assert_int_equal(int_at(at(a.json, "outbox"), "dead"), 1);
        assert_int_equal(int_at(at(a.json, "outbox"), "ready"), 0);
        assert_true(int_at(at(a.json, "storage"), "bytes") > 4096);
        assert_true(json_is_null(at(a.json, "trouble")));
        assert_true(int_at(at(a.json, "last_step"), "id") >= 4);
        assert_string_equal(text_at(json_array_get(at(a.json, "paused"), 0), "channel"), "smtp");
        assert_string_equal(text_at(json_array_get(at(a.json, "paused"), 0), "reason"), "***");
        CLEANUP(answer_done)
        Answer whole = sample_ask(&sample, &(Request){true, .path = "/v1/status"});
        assert_string_equal(text_at(json_array_get(at(whole.json, "paused"), 0), "reason"),
                            "535 it@example.gov.vn: log-in refused");
}

static void test_status_line(void **state) {
        CLEANUP(buf_done) Buf line = BUF_INIT(1024);
        int64_t now_ms = sample_ms("2024-09-06T09:00:00+07:00");
        static const char expected[] =
                "15/15 đơn vị · tháng 8/2024 tạm tính, lấy 20/09 08:00 · 1 cảnh báo · thư chờ 0, "
                "hỏng 1";

        (void) state;
        assert_int_equal(status_line(&sample.app, now_ms, &line), 0);
        if (strncmp(buf_text(&line), expected, strlen(expected)) != 0)
                fail_msg("%s", buf_text(&line));
        assert_non_null(strstr(buf_text(&line), " · lần tới "));

        buf_clear(&line);
        (void) strcpy(sample.app.health.backup_error, "/mnt/x đầy");
        assert_int_equal(status_line(&sample.app, now_ms, &line), 0);
        sample.app.health.backup_error[0] = '\0';
        static const char trouble[] = "SỰ CỐ: không sao lưu được (/mnt/x đầy) · 15/15";
        assert_int_equal(strncmp(buf_text(&line), trouble, strlen(trouble)), 0);
}

/* The line, the object and every page begin with the same trouble; an address in it is masked. */
static void test_trouble(void **state) {
        static const char *const pages[] = {"/", "/u/12376", "/heat", "/sources"};
        static const char error[] = "a.conf:7: email: lan@example";
        static const char shown[] = "<b>SỰ CỐ:</b> không sao lưu được (/mnt/x đầy)</p>";

        (void) state;
        (void) strcpy(sample.app.health.reload_error, error);
        CLEANUP(answer_done) Answer masked = sample_get(&sample, "/v1/status");
        CLEANUP(answer_done)
        Answer whole = sample_ask(&sample, &(Request){true, .path = "/v1/status"});
        CLEANUP(answer_done) Answer masked_page = sample_get(&sample, "/");
        CLEANUP(answer_done) Answer page = sample_ask(&sample, &(Request){true, .path = "/"});
        sample.app.health.reload_error[0] = '\0';

        assert_string_equal(text_at(masked.json, "trouble"), "***");
        assert_non_null(strstr(text_at(whole.json, "trouble"), error));
        assert_non_null(strstr(masked_page.body, "<b>SỰ CỐ:</b> ***</p>"));
        assert_non_null(strstr(page.body, error));

        (void) strcpy(sample.app.health.backup_error, "/mnt/x đầy");
        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                CLEANUP(answer_done) Answer a = sample_get(&sample, pages[i]);

                if (!strstr(a.body, shown))
                        fail_msg("%s tells no trouble", pages[i]);
        }
        sample.app.health.backup_error[0] = '\0';
        CLEANUP(answer_done) Answer fine = sample_get(&sample, "/");
        assert_null(strstr(fine.body, "SỰ CỐ"));
}

/* The wait after unclean ends holds every source: the line and both answers say until when. */
static void test_next_after_unclean_ends(void **state) {
        CLEANUP(buf_done) Buf line = BUF_INIT(1024);
        int64_t now_ms = sample_ms("2024-09-06T09:00:30+07:00"), next_ms;
        json_t *status = NULL;

        (void) state;
        sample.app.quiet_until_boot_ms = clock_boot_ms() + 10 * MS_PER_MINUTE;
        assert_int_equal(status_line(&sample.app, now_ms, &line), 0);
        assert_int_equal(status_json(&sample.app, now_ms, &status), 0);
        int64_t asked_ms = clock_now_ms();
        CLEANUP(answer_done) Answer sources = sample_get(&sample, "/v1/sources");
        sample.app.quiet_until_boot_ms = 0;

        assert_non_null(strstr(buf_text(&line), " · lần tới 06/09 09:10"));
        next_ms = sample_ms(text_at(json_array_get(at(status, "sources"), 0), "next"));
        assert_in_range(next_ms, now_ms + 9 * MS_PER_MINUTE, now_ms + 10 * MS_PER_MINUTE);
        next_ms = sample_ms(text_at(json_array_get(at(sources.json, "sources"), 0), "next"));
        assert_true(next_ms >= asked_ms + 9 * MS_PER_MINUTE);
        json_decref(status);
}

/* ---- alerts ---------------------------------------------------------------------------------- */

static void test_alerts(void **state) {
        CLEANUP(answer_done) Answer list = sample_get(&sample, "/v1/alerts");
        CLEANUP(answer_done) Answer before = sample_get(&sample, "/v1/alerts?as_of=2024-09-01");
        CLEANUP(answer_done) Answer other = sample_get(&sample, "/v1/alerts?unit=gso:12352");
        const json_t *alert = json_array_get(at(list.json, "alerts"), 0);
        char path[64];

        (void) state;
        assert_int_equal(int_at(list.json, "total"), 1);
        assert_int_equal(int_at(before.json, "total"), 0);
        assert_int_equal(int_at(other.json, "total"), 0);
        assert_string_equal(text_at(alert, "state"), "open");
        assert_string_equal(text_at(alert, "text"), "82,71");
        assert_string_equal(text_at(alert, "limit_text"), "95");
        assert_string_equal(text_at(at(alert, "unit"), "name"), "UBND xã Cương Chính");
        assert_string_equal(text_at(alert, "advice"), "Rà soát hồ sơ quá hạn.");
        assert_false(json_is_true(at(alert, "is_acknowledged")));

        (void) snprintf(path, sizeof(path), "/v1/alerts/%d", (int) sample.alert);
        CLEANUP(answer_done) Answer one = sample_get(&sample, path);
        assert_int_equal(json_array_size(at(one.json, "transitions")), 1);
        assert_string_equal(text_at(json_array_get(at(one.json, "transitions"), 0), "kind"),
                            "opened");
        assert_int_equal(json_array_size(at(one.json, "told")), 0);
}

static void test_acknowledge(void **state) {
        char path[64];

        (void) state;
        (void) snprintf(path, sizeof(path), "/v1/alerts/%d/ack", (int) sample.alert);
        CLEANUP(answer_done)
        Answer done =
                sample_ask(&sample, &(Request){true, "POST", path,
                                               "{\"by\": \"Lan\", \"note\": \"đang rà soát\"}"});
        assert_int_equal(done.status, 200);
        path[strlen(path) - strlen("/ack")] = '\0';
        CLEANUP(answer_done) Answer one = sample_get(&sample, path);
        assert_true(json_is_true(at(one.json, "is_acknowledged")));
        assert_int_equal(json_array_size(at(one.json, "transitions")), 2);
        assert_string_equal(text_at(json_array_get(at(one.json, "transitions"), 1), "kind"),
                            "acknowledged");
        assert_string_equal(text_at(json_array_get(at(one.json, "transitions"), 1), "reason"),
                            "***");
        const json_t *ack = json_array_get(at(one.json, "acknowledgements"), 0);
        assert_string_equal(text_at(ack, "by"), "***");
        assert_string_equal(text_at(ack, "note"), "***");
        assert_true(json_is_null(at(ack, "until")));

        CLEANUP(answer_done) Answer whole = sample_ask(&sample, &(Request){true, "GET", path});
        assert_string_equal(text_at(json_array_get(at(whole.json, "transitions"), 1), "reason"),
                            "Lan");
        ack = json_array_get(at(whole.json, "acknowledgements"), 0);
        assert_string_equal(text_at(ack, "by"), "Lan");
        assert_string_equal(text_at(ack, "note"), "đang rà soát");
}

static void test_silence(void **state) {
        char path[64];

        (void) state;
        CLEANUP(answer_done)
        Answer made = sample_ask(
                &sample,
                &(Request){
                        true, "POST", "/v1/silences",
                        "{\"unit\": \"12376\", \"until\": \"2099-01-01\", \"author\": \"Lan\"}"});
        assert_int_equal(made.status, 201);
        (void) snprintf(path, sizeof(path), "/v1/silences/%d", int_at(made.json, "silence"));
        CLEANUP(answer_done) Answer ended = sample_ask(&sample, &(Request){true, "DELETE", path});
        assert_int_equal(ended.status, 200);
        CLEANUP(answer_done) Answer again = sample_ask(&sample, &(Request){true, "DELETE", path});
        assert_int_equal(again.status, 404);
}

/* ---- actions --------------------------------------------------------------------------------- */

static void test_fetch_request(void **state) {
        CLEANUP(answer_done)
        Answer asked =
                sample_ask(&sample, &(Request){true, "POST",
                                               "/v1/sources/portal/fetch?from=2024-07&to=2024-08"});
        char path[64];

        (void) state;
        assert_int_equal(asked.status, 202);
        (void) snprintf(path, sizeof(path), "/v1/sources?request=%d",
                        int_at(asked.json, "request"));
        CLEANUP(answer_done) Answer sources = sample_get(&sample, path);
        assert_int_equal(int_at(at(sources.json, "request"), "id"), int_at(asked.json, "request"));
        assert_false(json_is_true(at(at(sources.json, "request"), "done")));
        CLEANUP(answer_done)
        Answer all = sample_ask(&sample, &(Request){true, "POST", "/v1/sources/all/fetch"});
        assert_int_equal(all.status, 202);
        assert_true(int_at(all.json, "request") > int_at(asked.json, "request"));
}

static void test_go_live_preview_writes_nothing(void **state) {
        CLEANUP(answer_done)
        Answer preview =
                sample_ask(&sample, &(Request){true, "POST", "/v1/go-live", "{\"preview\": true}"});
        CLEANUP(answer_done) Answer status = sample_get(&sample, "/v1/status");

        (void) state;
        assert_int_equal(preview.status, 200);
        assert_false(json_is_true(at(preview.json, "was_live")));
        assert_string_equal(text_at(status.json, "notify"), "observe");
}

static void test_retry(void **state) {
        char path[64];

        (void) state;
        (void) snprintf(path, sizeof(path), "/v1/deliveries/%d/retry", (int) sample.dead);
        CLEANUP(answer_done) Answer done = sample_ask(&sample, &(Request){true, "POST", path});
        assert_int_equal(done.status, 202);
        CLEANUP(answer_done)
        Answer again = sample_ask(&sample, &(Request){true, "POST", "/v1/deliveries/x/retry"});
        assert_int_equal(again.status, 400);
}

/* ---- what is kept between two questions ------------------------------------------------------ */

static int outbox(const char *state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/status");

        return int_at(at(a.json, "outbox"), state);
}

static int last_step(void) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/status");

        return int_at(at(a.json, "last_step"), "id");
}

static void test_kept_status_follows_every_commit(void **state) {
        int64_t at_ms = sample_ms("2024-09-22T08:00:00+07:00");
        ChannelRow channel = {.name = "smtp", .reason = "421 later"};
        char path[64];
        int before = last_step();

        (void) state;
        assert_int_equal(last_step(), before);
        (void) snprintf(path, sizeof(path), "/v1/alerts/%d/ack", (int) sample.alert);
        CLEANUP(answer_done)
        Answer done = sample_ask(&sample, &(Request){true, "POST", path, "{\"by\": \"Mai\"}"});
        assert_int_equal(done.status, 200);
        assert_true(last_step() > before);

        before = last_step();
        CLEANUP(answer_done)
        Answer silenced = sample_ask(
                &sample,
                &(Request){
                        true, "POST", "/v1/silences",
                        "{\"unit\": \"12376\", \"until\": \"2099-01-01\", \"author\": \"Mai\"}"});
        assert_int_equal(silenced.status, 201);
        assert_true(last_step() > before);

        /* no step: a channel's pause is none */
        before = last_step();
        assert_int_equal(store_begin(sample.app.store), 0);
        channel.paused_ms = channel.probe_ms = at_ms;
        assert_int_equal(store_channel_put(sample.app.store, &channel), 0);
        sample_commit(&sample);
        CLEANUP(answer_done) Answer paused = sample_get(&sample, "/v1/status");
        assert_string_equal(text_at(json_array_get(at(paused.json, "paused"), 0), "reason"),
                            "421 later");
        assert_int_equal(last_step(), before);
}

static MessageRow put_message(int64_t at_ms) {
        TargetRow target = {
                .key = (char *) "it/email",
                .recipient = (char *) "it",
                .channel = (char *) "email",
                .address = (char *) "it@example.gov.vn",
        };
        MessageRow row = {
                .uuid = (char *) "msg-2",
                .state = MESSAGE_READY,
                .subject = (char *) "[chisod] portal",
                .content_type = (char *) "message/rfc822",
                .body = (char *) "Subject: x\r\n\r\n",
                .body_size = 14,
                .created_ms = at_ms,
                .next_ms = at_ms,
        };

        row.released = sample_begin(&sample, CAUSE_RELEASE, at_ms);
        assert_int_equal(store_target_put(sample.app.store, row.released, &target, &row.target), 0);
        assert_int_equal(store_message_add(sample.app.store, row.released, &row, NULL, 0, &row.id),
                         0);
        sample_commit(&sample);
        return row;
}

/* Released, begun (no step), settled: each is seen at once. */
static void test_kept_status_follows_deliveries(void **state) {
        int64_t at_ms = sample_ms("2024-09-23T08:00:00+07:00");
        int ready = outbox("ready"), started = outbox("started");

        (void) state;
        MessageRow row = put_message(at_ms);
        assert_int_equal(outbox("ready"), ready + 1);

        assert_int_equal(store_begin(sample.app.store), 0);
        assert_int_equal(store_message_start(sample.app.store, row.id, at_ms), 0);
        sample_commit(&sample);
        assert_int_equal(outbox("started"), started + 1);
        assert_int_equal(outbox("ready"), ready);

        row.state = MESSAGE_ACCEPTED;
        row.attempts = 1;
        row.settled = sample_begin(&sample, CAUSE_SETTLE, at_ms);
        row.settled_ms = at_ms;
        row.outcome = (char *) "accepted";
        assert_int_equal(store_message_settle(sample.app.store, row.settled, &row), 0);
        sample_commit(&sample);
        assert_int_equal(outbox("started"), started);
}

static const char *text_of_le_xa(const Answer *a) {
        for (size_t i = 0; i < json_array_size(rows_of(a)); i++) {
                const json_t *row = json_array_get(rows_of(a), i);

                if (streq(text_at(at(row, "unit"), "code"), "12352"))
                        return text_at(row, "text");
        }
        return "(none)";
}

static void test_kept_ranking_follows_a_restatement(void **state) {
        static const char past[] = "/v1/ranking?as_of=2024-09-10";
        CLEANUP(answer_done) Answer first = sample_get(&sample, "/v1/ranking");
        CLEANUP(answer_done) Answer again = sample_get(&sample, "/v1/ranking");
        CLEANUP(answer_done) Answer then = sample_get(&sample, past);
        StepId step;

        (void) state;
        assert_string_equal(text_of_le_xa(&first), "87,35");
        assert_string_equal(first.body, again.body);
        assert_string_equal(text_of_le_xa(&then), "87,31");
        step = sample_begin(&sample, CAUSE_SNAPSHOT, sample_ms("2024-09-24T08:00:00+07:00"));
        sample_put(&sample, step, 2024108, sample_indicator(&sample, "total")->id,
                   sample.communes[LE_XA], 9999, 8735);
        CLEANUP(answer_done) Answer meanwhile = sample_get(&sample, "/v1/ranking");
        assert_string_equal(text_of_le_xa(&meanwhile), "87,35"); /* not committed yet */
        sample_commit(&sample);
        CLEANUP(answer_done) Answer after = sample_get(&sample, "/v1/ranking");
        CLEANUP(answer_done) Answer still = sample_get(&sample, past);
        CLEANUP(answer_done) Answer window = sample_get(&sample, "/v1/ranking?limit=1&offset=14");
        assert_string_equal(text_of_le_xa(&after), "99,99");
        assert_string_not_equal(first.etag, after.etag);
        assert_string_equal(then.body, still.body);
        assert_int_equal(json_array_size(rows_of(&window)), 1);
        assert_string_equal(text_at(at(json_array_get(rows_of(&window), 0), "unit"), "code"),
                            "12376");
}

/* More questions than are kept, twice: each has its own answer. */
static void test_kept_answers_are_told_apart(void **state) {
        (void) state;
        for (int i = 0; i < 30; i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/v1/ranking?limit=%d", i % 15 + 1);
                CLEANUP(answer_done) Answer a = sample_get(&sample, path);
                assert_int_equal(json_array_size(rows_of(&a)), i % 15 + 1);
        }
        CLEANUP(answer_done) Answer masked = sample_get(&sample, "/v1/units/gso:12376");
        CLEANUP(answer_done)
        Answer whole = sample_ask(&sample, &(Request){true, .path = "/v1/units/gso:12376"});
        CLEANUP(answer_done) Answer again = sample_get(&sample, "/v1/units/gso:12376");
        assert_null(strstr(masked.body, "cuongchinh@"));
        assert_non_null(strstr(whole.body, "cuongchinh@"));
        assert_string_equal(masked.body, again.body);
}

static void test_kept_answers_follow_the_configuration(void **state) {
        CLEANUP(answer_done) Answer before = sample_get(&sample, "/v1/ranking");
        IndicatorDef *total = sample_indicator(&sample, "total");
        const char *old = total->label, *label = "Điểm chung";

        (void) state;
        total->label = label;
        sample.app.config_generation++; /* as the manager's reload does */
        CLEANUP(answer_done) Answer after = sample_get(&sample, "/v1/ranking");
        CLEANUP(answer_done)
        Answer tagged = sample_ask(&sample,
                                   &(Request){.path = "/v1/ranking", .if_none_match = before.etag});
        total->label = old;
        sample.app.config_generation++;
        assert_string_equal(text_at(at(after.json, "indicator"), "label"), label);
        assert_int_equal(tagged.status, 200);
}

static void test_kept_answers_follow_the_day(void **state) {
        CLEANUP(buf_done) Buf line = BUF_INIT(1024);
        int64_t evening_ms = sample_ms("2024-09-14T23:59:59+07:00");

        (void) state;
        assert_int_equal(status_line(&sample.app, evening_ms, &line), 0);
        assert_non_null(strstr(buf_text(&line), "8/2024 tạm tính"));
        buf_clear(&line);
        for (int day = 0; day < 3 && !strstr(buf_text(&line), "8/2024 đã chốt"); day++) {
                buf_clear(&line);
                evening_ms += day == 0 ? 1000 : (int64_t) 24 * 3600 * 1000;
                assert_int_equal(status_line(&sample.app, evening_ms, &line), 0);
        }
        assert_non_null(strstr(buf_text(&line), "8/2024 đã chốt"));
}

#ifdef CHISO_TEST_HOOKS
static void move_clock(const char *path, int64_t offset_ms, const char *to) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        assert_true(fprintf(f, "%lld", (long long) (offset_ms + sample_ms(to))) > 0);
        assert_int_equal(fclose(f), 0);
}

/* The daemon is not told of midnight: it is another day at the next question. */
static void test_kept_ranking_follows_the_day(void **state) {
        int64_t offset_ms = -clock_now_ms();
        char path[96];

        (void) state;
        (void) snprintf(path, sizeof(path), "%s/clock", sample.dir);
        move_clock(path, offset_ms, "2024-09-15T23:58:00+07:00");
        assert_int_equal(setenv("CHISO_TEST_CLOCK", path, 1), 0);
        CLEANUP(answer_done) Answer evening = sample_get(&sample, "/v1/ranking");
        CLEANUP(answer_done) Answer again = sample_get(&sample, "/v1/ranking");
        move_clock(path, offset_ms, "2024-09-16T00:00:00+07:00");
        CLEANUP(answer_done) Answer morning = sample_get(&sample, "/v1/ranking");
        assert_int_equal(unsetenv("CHISO_TEST_CLOCK"), 0);
        assert_int_equal(unlink(path), 0);
        assert_string_equal(text_at(at(evening.json, "period"), "status"), "provisional");
        assert_string_equal(evening.body, again.body);
        assert_string_equal(text_at(at(morning.json, "period"), "status"), "closed");
}
#endif

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ranking_is_the_letter),
                cmocka_unit_test(test_ranking_now_differs_by_the_restatement),
                cmocka_unit_test(test_ranking_of_the_first_month),
                cmocka_unit_test(test_ranking_before_anything_was_known),
                cmocka_unit_test(test_history),
                cmocka_unit_test(test_history_as_of),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_arguments_let_through),
                cmocka_unit_test(test_tags),
                cmocka_unit_test(test_masks),
                cmocka_unit_test(test_registry),
                cmocka_unit_test(test_snapshots),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_status_line),
                cmocka_unit_test(test_trouble),
                cmocka_unit_test(test_next_after_unclean_ends),
                cmocka_unit_test(test_alerts),
                cmocka_unit_test(test_acknowledge),
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_fetch_request),
                cmocka_unit_test(test_go_live_preview_writes_nothing),
                cmocka_unit_test(test_retry),
                cmocka_unit_test(test_kept_status_follows_every_commit),
                cmocka_unit_test(test_kept_status_follows_deliveries),
                cmocka_unit_test(test_kept_ranking_follows_a_restatement),
                cmocka_unit_test(test_kept_answers_are_told_apart),
                cmocka_unit_test(test_kept_answers_follow_the_configuration),
                cmocka_unit_test(test_kept_answers_follow_the_day),
#ifdef CHISO_TEST_HOOKS
                cmocka_unit_test(test_kept_ranking_follows_the_day),
#endif
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
