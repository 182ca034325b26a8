/* What chisoctl prints: of the daemon's real answers about the letter's communes, and of answers
 * that make no sense. */
#include "api-sample.h"

#include <locale.h>

#include "ctl/check.h"
#include "ctl/show.h"
#include "ctl/table.h"

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

/* Stubs of main.c: these tests print nothing and ask nobody. */
const char *ctl_option(const Ctl *ctl, const char *name) {
        (void) ctl;
        (void) name;
        return NULL;
}

void ctl_complain(const char *format, ...) {
        (void) format;
}

int ctl_print(const Buf *text) {
        (void) text;
        return EXIT_FINE;
}

bool ctl_confirm(const Ctl *ctl, const char *question) {
        (void) ctl;
        (void) question;
        return false;
}

typedef int (*Show)(const Ctl *ctl, const json_t *answer, Buf *out);

static void expect(const char *path, Show show, const Ctl *ctl, const char *expected) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, path);
        CLEANUP(buf_done) Buf out = BUF_INIT(1 << 20);

        assert_int_equal(a.status, 200);
        assert_int_equal(show(ctl, a.json, &out), 0);
        assert_string_equal(buf_text(&out), expected);
}

static const Ctl vietnamese = {.is_vi = true};

/* The appendix of the letter, to the digit. */
static void test_ranking(void **state) {
        (void) state;
        expect("/v1/ranking?with=progress&period=2024-08&as_of=2024-09-10", show_ranking,
               &vietnamese,
               "Theo những gì đã biết lúc 10/09/2024 23:59; danh mục đơn vị, mốc so sánh, mức xếp "
               "loại và quy tắc theo "
               "cấu hình hiện nay.\n"
               "Tổng điểm · tháng 8/2024 (tạm tính) · Huyện Tiên Lữ\n"
               "Hạng    ±  Đơn vị               Tổng điểm  so với tháng trước  Tiến độ  Xếp loại  "
               "Xu hướng\n"
               "   1  ▲12  UBND xã Thủ Sỹ           89,63               +6,96      100  Tốt        "
               "     ▁█\n"
               "   2  ▲12  UBND xã Hải Triều        88,82               +6,60    99,64  Tốt        "
               "     ▁█\n"
               "   3   ▼2  UBND xã Nhật Tân         88,23               −0,80      100  Tốt        "
               "     █▁\n"
               "   4    =  UBND xã Hưng Đạo         88,12               +0,24      100  Tốt        "
               "     ▁█\n"
               "   5    =  UBND xã Dị Chế           88,08               +0,83      100  Tốt        "
               "     ▁█\n"
               "   6   ▼4  UBND xã An Viên          87,87               −0,21      100  Tốt        "
               "     █▁\n"
               "   7   ▼4  UBND xã Đức Thắng        87,57               −0,35      100  Tốt        "
               "     █▁\n"
               "   8   ▲1  UBND TT Vương            87,42               +2,00    99,52  Tốt        "
               "     ▁█\n"
               "   9   ▼3  UBND xã Lệ Xá            87,31               +0,21      100  Tốt        "
               "     ▁█\n"
               "  10   ▲1  UBND xã Thụy Lôi         86,71               +3,38      100  Tốt        "
               "     ▁█\n"
               "  11   ▲1  UBND xã Minh Phượng      86,20               +3,30      100  Tốt        "
               "     ▁█\n"
               "  12   ▼5  UBND xã Trung Dũng       85,56               −1,44    99,61  Tốt        "
               "     █▁\n"
               "  13   ▼3  UBND xã Thiện Phiến      85,22               +1,02    92,54  Tốt        "
               "     ▁█\n"
               "  14   ▲1  UBND xã Ngô Quyền        83,58               +3,18      100  Tốt        "
               "     ▁█\n"
               "  15   ▼7  UBND xã Cương Chính      83,28               −2,60    82,71  Tốt        "
               "     █▁\n"
               "Nguồn: Cổng DVCQG · lấy 05/09/2024 08:00 · tháng 8/2024 tạm tính · 15/15 có số "
               "liệu\n");
}

static void test_ranking_colours(void **state) {
        static const Ctl coloured = {.is_vi = true, .has_colour = true};

        (void) state;
        expect("/v1/ranking?period=2024-08&limit=1&offset=2", show_ranking, &coloured,
               "Tổng điểm · tháng 8/2024 (đã chốt) · Huyện Tiên Lữ\n"
               "\033[1mHạng\033[0m  \033[1m ±\033[0m  \033[1mĐơn vị          \033[0m  \033[1mTổng "
               "điểm\033[0m  "
               "\033[1mso với tháng trước\033[0m  \033[1mXếp loại\033[0m  \033[1mXu hướng\033[0m\n"
               "   3  \033[31m▼2\033[0m  UBND xã Nhật Tân      88,23               −0,80  Tốt      "
               "       █▁\n"
               "Nguồn: Cổng DVCQG · lấy 20/09/2024 08:00 · tháng 8/2024 đã chốt · 15/15 có số "
               "liệu · chỉ in 1 dòng: --limit\n");
}

static void test_history(void **state) {
        (void) state;
        expect("/v1/history?unit=gso:12352", show_history, &vietnamese,
               "UBND xã Lệ Xá (gso:12352)\n"
               "Kỳ            Tổng điểm  so với kỳ trước  Hạng  Tình trạng\n"
               "tháng 8/2024      87,35            +0,25  9/15  đã chốt\n"
               "tháng 7/2024      87,10           mới có  6/15  đã chốt\n");
}

static void test_alerts(void **state) {
        (void) state;
        expect("/v1/alerts", show_alerts, &vietnamese,
               "Số  Mức       Đơn vị               Quy tắc       Giá trị  Ngưỡng   Hạng  Từ kỳ     "
               "    Kỳ mới nhất   "
               "Trạng thái\n"
               " 1  cảnh báo  UBND xã Cương Chính  progress-low    82,71      95  15/15  tháng "
               "8/2024  tháng 8/2024  "
               "đang mở\n");
        expect("/v1/alerts?as_of=2024-08-01", show_alerts, &vietnamese,
               "Theo những gì đã biết lúc 01/08/2024 23:59; danh mục đơn vị, mốc so sánh, mức xếp "
               "loại và quy tắc theo "
               "cấu hình hiện nay.\n"
               "Không có cảnh báo.\n");
}

static void test_deliveries(void **state) {
        (void) state;
        expect("/v1/deliveries?state=dead", show_deliveries, &vietnamese,
               "Số  Lúc               Trạng thái  Nơi nhận  Lần gửi  Kết quả         Tiêu đề\n"
               " 1  21/09/2024 08:00  hỏng        it/email        1  refused_target  [chisod] "
               "portal\n");
}

static void test_status(void **state) {
        CLEANUP(answer_done) Answer a = sample_get(&sample, "/v1/status");
        CLEANUP(buf_done) Buf out = BUF_INIT(1 << 20);

        (void) state;
        assert_int_equal(show_status(&vietnamese, a.json, &out), 0);
        assert_non_null(strstr(buf_text(&out), "UBND huyện Tiên Lữ · chỉ quan sát (observe)"));
        assert_non_null(strstr(buf_text(&out),
                               "\ntháng 8/2024 đã chốt: 15/15 đơn vị, lấy 20/09/2024 08:00\n"));
        assert_non_null(strstr(buf_text(&out), "\nCảnh báo: 1 (nghiêm trọng 0): progress-low 1\n"));
        assert_non_null(strstr(buf_text(&out), "\nThư: chờ 0, đang gửi 0, hỏng 1\n"));
        assert_null(strstr(buf_text(&out), "Mọi việc bình thường"));
}

/* All is well only where nothing needs a look. */
static void test_wellness(void **state) {
        static const struct {
                const char *status;
                bool is_well;
        } cases[] = {
                {"{}", true},
                {"{\"outbox\": {\"dead\": 0}, \"holds\": [], \"warnings\": []}", true},
                {"{\"outbox\": {\"dead\": 1}}", false},
                {"{\"trouble\": \"HTTP 403\"}", false},
                {"{\"holds\": [{}]}", false},
                {"{\"conditions\": [{}]}", false},
                {"{\"paused\": [{}]}", false},
                {"{\"warnings\": [\"x\"]}", false},
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(1 << 16);
                json_t *status = json_loads(cases[i].status, 0, NULL);

                assert_int_equal(show_status(&vietnamese, status, &out), 0);
                json_decref(status);
                assert_int_equal(strstr(buf_text(&out), "Mọi việc bình thường.\n") != NULL,
                                 cases[i].is_well);
        }
}

/* An answer of another shape prints little, and crashes nothing. */
static void test_foreign_answers(void **state) {
        static const char *const answers[] = {
                "{}",
                "[]",
                "{\"cohorts\": [{\"rows\": [{}]}], \"alerts\": [{}], \"deliveries\": [{}], "
                "\"sources\": [{}], "
                "\"periods\": [{}], \"transitions\": [{}], \"told\": [{}], \"targets\": [{}], "
                "\"warnings\": [1, \"\\u001b[2J\"]}",
                "{\"cohorts\": 3, \"alerts\": \"x\", \"deliveries\": {}, \"sources\": null, "
                "\"periods\": [[]], \"as_of\": 5}",
                "{\"cohorts\": [{\"rows\": [{\"unit\": {\"name\": \"\\u001b[31m\\u202e\"}, "
                "\"trend\": [null, \"x\", 1]}]}]}",
        };
        static const Show shows[] = {show_status, show_ranking,    show_history, show_alerts,
                                     show_alert,  show_deliveries, show_sources, show_go_live};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                json_t *answer = json_loads(answers[i], 0, NULL);

                assert_non_null(answer);
                assert_int_equal(client_clean(answer), 0);
                for (size_t j = 0; j < ELEMENTSOF(shows); j++) {
                        CLEANUP(buf_done) Buf out = BUF_INIT(1 << 20);

                        assert_int_equal(shows[j](&vietnamese, answer, &out), 0);
                        assert_null(strchr(buf_text(&out), '\033'));
                }
                json_decref(answer);
        }
}

static void test_spark(void **state) {
        static const struct {
                double value[5];
                bool has[5];
                size_t n;
                const char *line;
        } cases[] = {
                {{1, 2, 3, 4, 8}, {true, true, true, true, true}, 5, "▁▂▃▄█"},
                {{5, 5, 5}, {true, true, true}, 3, "▁▁▁"},
                {{0, 90, 0, 100}, {false, true, false, true}, 4, " ▁ █"},
                {{0}, {false}, 1, " "},
                {{0}, {false}, 0, ""},
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(256);

                assert_int_equal(spark_line(&out, cases[i].value, cases[i].has, cases[i].n), 0);
                assert_string_equal(buf_text(&out), cases[i].line);
        }
}

static void test_table(void **state) {
        CLEANUP(table_done) Table t = {0};
        CLEANUP(buf_done) Buf out = BUF_INIT(4096);

        (void) state;
        table_column(&t, "A", /* is_right= */ true, false);
        table_column(&t, "none", false, /* is_optional= */ true);
        table_column(&t, "B", false, false);
        table_cell(&t, "Đức", COLOUR_NONE);
        table_cell(&t, NULL, COLOUR_NONE);
        table_cell(&t, "x", COLOUR_NONE);
        table_cell(&t, "1", COLOUR_NONE);
        table_cell(&t, "", COLOUR_NONE);
        table_cell(&t, "a\nb", COLOUR_RED);
        assert_int_equal(table_print(&t, /* has_colour= */ false, &out), 0);
        assert_string_equal(buf_text(&out), "  A  B\nĐức  x\n  1  a b\n");
}

static void test_query(void **state) {
        CLEANUP(buf_done) Buf path = BUF_INIT(256);

        (void) state;
        assert_int_equal(buf_str(&path, "/v1/history"), 0);
        assert_int_equal(query_add(&path, "unit", "Cương Chính&x"), 0);
        assert_int_equal(query_add(&path, "none", NULL), 0);
        assert_int_equal(query_add(&path, "as_of", "2024-09-10"), 0);
        assert_string_equal(buf_text(&path),
                            "/v1/history?unit=C%C6%B0%C6%A1ng%20Ch%C3%ADnh%26x&as_of=2024-09-10");
}

/* ---- check ------------------------------------------------------------------------------------- */

#define FINE                                                                                       \
        "'now':'2024-09-05T10:00:00+07:00','periods':[{'label':'tháng 8/2024','with_value':14,"   \
        "'units':15,'fetched':'2024-09-05T08:00:00+07:00'}],'alerts':{'open':7,'critical':2,"      \
        "'held':1},'storage':{'bytes':4096,'free':1000}"
#define FIGURES " | alerts=7 critical=2 held=1 queued=3 dead=%d size=4096B free=1000B age=7200s"

typedef struct CheckCase {
        const char *more; /* members beside FINE, with ' for " */
        CheckLimits limits;
        CheckState state;
        const char *line; /* before the performance data */
        int dead;
} CheckCase;

static const CheckCase check_cases[] = {
        {"'outbox':{'ready':2,'started':1,'dead':0}",
         {.max_queued = -1},
         CHECK_OK,
         "CHISOD OK - 14/15 đơn vị tháng 8/2024, 7 cảnh báo",
         0},
        {"'outbox':{'ready':2,'started':1,'dead':0}",
         {.max_queued = 3},
         CHECK_OK,
         "CHISOD OK - 14/15 đơn vị tháng 8/2024, 7 cảnh báo",
         0},
        {"'outbox':{'ready':2,'started':1,'dead':0}",
         {.max_queued = 2},
         CHECK_WARNING,
         "CHISOD WARNING - 3 thư chờ (quá 2)",
         0},
        {"'outbox':{'ready':2,'started':1,'dead':4},'warnings':['ổ đĩa | đầy']",
         {.max_queued = -1},
         CHECK_WARNING,
         "CHISOD WARNING - 4 thư hỏng; ổ đĩa / đầy",
         4},
        {"'outbox':{'ready':3},'sources':[{'name':'a','state':'idle'},{'name':'b','state':"
         "'failing'}]",
         {.max_queued = -1},
         CHECK_WARNING,
         "CHISOD WARNING - nguồn b không lấy được",
         0},
        {"'outbox':{'ready':3},'sources':[{'name':'b','state':'stopped'},{'name':'c','state':"
         "'refused'}]",
         {.max_queued = -1},
         CHECK_CRITICAL,
         "CHISOD CRITICAL - nguồn b đã dừng; nguồn c bị từ chối",
         0},
        {"'outbox':{'ready':3},'trouble':'cơ sở\\u000adữ liệu','store_error':'EIO'",
         {.max_queued = -1},
         CHECK_CRITICAL,
         "CHISOD CRITICAL - cơ sở dữ liệu",
         0},
        {"'outbox':{'ready':3},'store_error':'đĩa đầy'",
         {.max_queued = -1},
         CHECK_CRITICAL,
         "CHISOD CRITICAL - cơ sở dữ liệu: đĩa đầy",
         0},
        {"'outbox':{'ready':3}",
         {.max_queued = -1, .max_age_ms = 7200000},
         CHECK_OK,
         "CHISOD OK - 14/15 đơn vị tháng 8/2024, 7 cảnh báo",
         0},
        {"'outbox':{'ready':3}",
         {.max_queued = -1, .max_age_ms = 7199999},
         CHECK_CRITICAL,
         "CHISOD CRITICAL - số liệu lấy cách đây 2 giờ",
         0},
        {"'outbox':{'ready':3},'paused':[{'channel':'smtp'}],'holds':[{'subject_text':'đang giữ: "
         "x','severity':'warning'}],'conditions':[{'subject_text':'nguồn y','severity':"
         "'critical'}]",
         {.max_queued = -1},
         CHECK_CRITICAL,
         "CHISOD CRITICAL - kênh tạm dừng: smtp; đang giữ: x; vận hành: nguồn y",
         0},
};

static json_t *check_status(const char *fine, const char *more) {
        char text[2048];

        (void) snprintf(text, sizeof text, "{%s%s%s}", fine, *fine && *more ? "," : "", more);
        for (char *p = text; *p; p++)
                *p = *p == '\'' ? '"' : *p == '\n' ? '\t' : *p;
        json_t *status = json_loads(text, 0, NULL);
        assert_non_null(status);
        return status;
}

static void test_check(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(check_cases); i++) {
                const CheckCase *c = check_cases + i;
                CLEANUP(buf_done) Buf line = BUF_INIT(4096);
                char wanted[1024];
                CheckState got = CHECK_UNKNOWN;
                json_t *status = check_status(FINE, c->more);

                (void) snprintf(wanted, sizeof wanted, "%s" FIGURES, c->line, c->dead);
                assert_int_equal(check_line(&vietnamese, status, &c->limits, &line, &got), 0);
                assert_string_equal(buf_text(&line), wanted);
                assert_int_equal(got, c->state);
                json_decref(status);
        }
}

/* A daemon that has nothing yet, and an answer of something else: no age is invented. */
static void test_check_nothing(void **state) {
        CheckLimits age = {.max_queued = -1, .max_age_ms = 1}, none = {.max_queued = -1};
        static const Ctl english = {0};
        CLEANUP(buf_done) Buf line = BUF_INIT(4096);
        CheckState got = CHECK_UNKNOWN;
        json_t *empty = json_object();

        (void) state;
        assert_int_equal(check_line(&english, empty, &none, &line, &got), 0);
        assert_int_equal(got, CHECK_OK);
        assert_string_equal(buf_text(&line),
                            "CHISOD OK - no figures yet | alerts=0 critical=0 "
                            "held=0 queued=0 dead=0 size=0B");
        buf_clear(&line);
        assert_int_equal(check_line(&english, empty, &age, &line, &got), 0);
        assert_int_equal(got, CHECK_WARNING);
        json_decref(empty);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_check),      cmocka_unit_test(test_check_nothing),
                cmocka_unit_test(test_ranking),    cmocka_unit_test(test_ranking_colours),
                cmocka_unit_test(test_history),    cmocka_unit_test(test_alerts),
                cmocka_unit_test(test_deliveries), cmocka_unit_test(test_status),
                cmocka_unit_test(test_wellness),   cmocka_unit_test(test_foreign_answers),
                cmocka_unit_test(test_spark),      cmocka_unit_test(test_table),
                cmocka_unit_test(test_query),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
