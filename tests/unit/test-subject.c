/* Subjects of alerts as people read them, in both languages, of every kind that flow writes; and what
 * is unknown or cut stays as it is. */
#include "api-sample.h"

#include "answer/subject.h"

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

typedef struct Case {
        const char *subject;
        bool is_over;
        const char *vi, *en;
} Case;

static const Case cases[] = {
        {"hold:progress-low/H33.332/commune", false,
         "đang giữ: progress-low, các xã thuộc Huyện Tiên Lữ",
         "held: progress-low, communes of Huyện Tiên Lữ"},
        {"hold:progress-low/H33.332/commune", true,
         "đã hết giữ: progress-low, các xã thuộc Huyện Tiên Lữ",
         "no longer held: progress-low, communes of Huyện Tiên Lữ"},
        {"hold:progress-low/-/province", false, "đang giữ: progress-low, các tỉnh",
         "held: progress-low, provinces"},
        {"hold:progress-low/nobody/ward", false, "đang giữ: progress-low, các đơn vị thuộc nobody",
         "held: progress-low, units of nobody"},
        {"hold:a/b/c/department", false, "đang giữ: a, các sở, ngành thuộc b/c",
         "held: a, departments of b/c"},
        {"hold:progress-low", false, "progress-low", "progress-low"},
        {"era:progress/-/commune", false, "trung vị đổi đột ngột: Tiến độ giải quyết, các xã",
         "the median jumped: Tiến độ giải quyết, communes"},
        {"era:gone/-/commune", false, "trung vị đổi đột ngột: gone, các xã",
         "the median jumped: gone, communes"},
        {"source:portal", false, "nguồn portal", "source portal"},
        {"source:portal/month", false, "nguồn portal, số liệu tháng",
         "source portal, monthly figures"},
        {"source:portal/H31", false, "nguồn portal, H31", "source portal, H31"},
        {"restated:portal/2024-08", false, "nguồn portal, tháng 8/2024",
         "source portal, August 2024"},
        {"suspect:portal/H31/2024-Q3", false, "nguồn portal, H31, quý III/2024",
         "source portal, H31, Q3 2024"},
        {"quarantine:portal/", false, "nguồn portal, ", "source portal, "},
        {"warning:until/progress-low", false, "quy tắc sắp hết hiệu lực: progress-low",
         "a rule that ends: progress-low"},
        {"warning:disk", false, "ổ đĩa", "disk"},
        {"warning:other/x", false, "other/x", "other/x"},
        {"delivery:it/email", false, "thư tới it/email", "messages to it/email"},
        {"report:báo cáo tuần", false, "báo cáo tuần", "báo cáo tuần"},
        {"database", false, "cơ sở dữ liệu", "database"},
        {"template", false, "mẫu thư", "templates"},
        {"later:what/we/add", false, "later:what/we/add", "later:what/we/add"},
        {":", false, ":", ":"},
        {"hold:", false, "hold:", "hold:"},
        {"", false, "", ""},
};

static void check(const Case *c, const char *language, const char *want) {
        CLEANUP(buf_done) Buf out = BUF_INIT(4096);
        const Config *saved = sample.app.config;
        Config config = *saved;
        View v = view_now(&sample.app, sample_ms("2024-09-30T08:00:00+07:00"));

        config.daemon.language = (char *) language;
        sample.app.config = &config;
        assert_int_equal(subject_words(&v, c->subject, c->is_over, &out), 0);
        sample.app.config = (Config *) saved;
        assert_string_equal(buf_text(&out), want);
}

static void test_words(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                check(cases + i, "vi", cases[i].vi);
                check(cases + i, "en", cases[i].en);
        }
}

static void test_bound(void **state) {
        CLEANUP(buf_done) Buf out = BUF_INIT(16);
        View v = view_now(&sample.app, sample_ms("2024-09-30T08:00:00+07:00"));

        (void) state;
        assert_int_equal(subject_words(&v, "source:a-long-name-of-a-source", false, &out), -E2BIG);
}

static void test_members(void **state) {
        CLEANUP(buf_done) Buf out = BUF_INIT(4096);
        JsonOut o = JSON_OUT(&out);
        View v = view_now(&sample.app, sample_ms("2024-09-30T08:00:00+07:00"));

        (void) state;
        json_out_object(&o, NULL);
        subject_write(&o, &v, "source:portal", false);
        json_out_object(&o, "none");
        subject_write(&o, &v, NULL, false);
        json_out_end_object(&o);
        json_out_end_object(&o);
        assert_int_equal(json_out_done(&o), 0);
        assert_string_equal(buf_text(&out),
                            "{\"subject\":\"source:portal\",\"subject_text\":\"nguồn portal\","
                            "\"none\":{\"subject\":null,\"subject_text\":null}}");
}

static void test_an_alert_of_a_unit_has_none(void **state) {
        Answer a = sample_get(&sample, "/v1/alerts");
        const json_t *first = json_array_get(json_object_get(a.json, "alerts"), 0);

        (void) state;
        assert_true(json_is_null(json_object_get(first, "subject_text")));
        assert_true(json_is_object(json_object_get(first, "unit")));
        answer_done(&a);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_an_alert_of_a_unit_has_none),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
