#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "render-fixture.h"

static char *subject_of(const RenderMessage *m) {
        char *subject = render_subject(m);
        assert_non_null(subject);
        return subject;
}

static void assert_subject(const RenderMessage *m, const char *expected) {
        CLEANUP_FREE char *subject = subject_of(m);
        assert_string_equal(subject, expected);
}

static void assert_one(RenderItem item, const char *vi, const char *en) {
        RenderMessage m = fix_message(&item, 1);
        assert_subject(&m, vi);
        m.language = "en";
        if (en)
                assert_subject(&m, en);
}

static RenderItem with(RenderItem item, Condition when, int64_t limit) {
        item.when = when;
        item.limit = limit;
        return item;
}

static void subjects_of_one(void **state UNUSED) {
        RenderItem open = fix_cuong_chinh(SAY_OPENING), i;

        assert_one(open,
                   "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95) - tháng 8/2024, tạm tính",
                   "[766] Xã Cương Chính: progress 82.71% (limit 95) - August 2024, provisional");
        i = open;
        i.limit = 8275;
        i.item.severity = SEVERITY_CRITICAL;
        i.status = PERIOD_CLOSED;
        i.item.period = 2024203;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 82,75) - quý III/2024, đã chốt",
                   "[766] Xã Cương Chính: progress 82.71% (limit 82.75) - Q3 2024, final");
        i = open;
        i.status = PERIOD_RUNNING;
        i.item.value = VALUE_NONE;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ không có số liệu (ngưỡng 95) - tháng 8/2024, "
                   "đang chạy",
                   NULL);
        i = open;
        i.item.say = SAY_WORSE;
        i.item.value = 10000;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 100 % (ngưỡng 95), nặng thêm - tháng 8/2024, tạm "
                   "tính",
                   NULL);
        i = open;
        i.item.say = SAY_CONTINUED;
        i.first = 2024106;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95, từ tháng 6/2024) - tháng "
                   "8/2024, tạm tính",
                   "[766] Xã Cương Chính: progress 82.71% (limit 95, since June 2024) - August "
                   "2024, provisional");
        i = open;
        i.item.say = SAY_CLOSING;
        i.item.value = 9600;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 96 % (ngưỡng 95), đã đạt lại - tháng 8/2024, tạm "
                   "tính",
                   "[766] Xã Cương Chính: progress 96% (limit 95), recovered - August 2024, "
                   "provisional");
        i.end = END_ERA;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 96 % (ngưỡng 95), đã kết thúc - tháng 8/2024, "
                   "tạm tính",
                   NULL);
        i = open;
        i.item.say = SAY_LATE;
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95), điều chỉnh - tháng 8/2024, "
                   "tạm tính",
                   NULL);
}

static void subjects_by_condition(void **state UNUSED) {
        RenderItem open = fix_cuong_chinh(SAY_OPENING);
        static const struct {
                Condition when;
                int64_t limit, delta;
                const char *reason;
        } cases[] = {
                {{.kind = CONDITION_BELOW, .amount = 9500}, VALUE_NONE, -820, "ngưỡng 95"},
                {{.kind = CONDITION_ABOVE, .amount = 500}, 500, -820, "ngưỡng 5"},
                {{.kind = CONDITION_BEHIND, .amount = 500},
                 9242,
                 -820,
                 "thấp so với các xã còn lại"},
                {{.kind = CONDITION_DROP, .amount = 500}, VALUE_NONE, -820, "tụt 8,20"},
                {{.kind = CONDITION_DROP, .amount = 500}, VALUE_NONE, VALUE_NONE, "tụt từ 5"},
                {{.kind = CONDITION_FALLING, .count = 3}, VALUE_NONE, -820, "giảm 3 tháng liền"},
                {{.kind = CONDITION_FLAT,
                  .count = 3,
                  .amount = 50,
                  .and_kind = CONDITION_BELOW,
                  .and_amount = 8000},
                 VALUE_NONE,
                 10,
                 "chững 3 tháng, dưới 80"},
                {{.kind = CONDITION_RANK_DROP, .count = 5}, VALUE_NONE, -820, "tụt từ 5 bậc"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char expected[256];
                RenderItem item = with(open, cases[i].when, cases[i].limit);
                item.delta = cases[i].delta;
                (void) snprintf(
                        expected, sizeof expected,
                        "[766] Xã Cương Chính: tiến độ 82,71 %% (%s) - tháng 8/2024, tạm tính",
                        cases[i].reason);
                assert_one(item, expected, NULL);
        }
}

static void unit_names(void **state UNUSED) {
        static const char *const cases[][2] = {
                {"UBND xã Cương Chính", "Xã Cương Chính"},
                {"UBND TT Vương", "Thị trấn Vương"},
                {"TT. Vương", "Thị trấn Vương"},
                {"UBND Xã Nhơn Hội - tỉnh An Giang", "Xã Nhơn Hội"},
                {"UBND phường Rạch Giá - tỉnh An Giang", "Phường Rạch Giá"},
                {"đặc khu Phú Quốc", "Đặc khu Phú Quốc"},
                {"UBND Thành phố Huế", "Thành phố Huế"},
                {"Ủy ban nhân dân xã A", "Xã A"},
                {"Sở Nội vụ - tỉnh An Giang", "Sở Nội vụ"},
                {"Ban Quản lý Khu kinh tế Phú Quốc - tỉnh An Giang",
                 "Ban Quản lý Khu kinh tế Phú Quốc"},
                {"Văn phòng UBND tỉnh", "Văn phòng UBND tỉnh"},
                {"Xã", "Xã"},
                {"", "H31.08.1"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char expected[256];
                RenderItem item = fix_cuong_chinh(SAY_OPENING);
                item.unit_name = cases[i][0];
                (void) snprintf(expected, sizeof expected,
                                "[766] %s: tiến độ 82,71 %% (ngưỡng 95) - tháng 8/2024, tạm tính",
                                cases[i][1]);
                assert_one(item, expected, NULL);
        }
}

static void subjects_of_figures(void **state UNUSED) {
        RenderItem i = fix_cuong_chinh(SAY_OPENING);
        i.indicator = &fix_total;
        i.item.value = 8620;
        i.limit = 8750;
        assert_one(
                i,
                "[766] Xã Cương Chính: tổng hợp 86,20 điểm (ngưỡng 87,50) - tháng 8/2024, tạm tính",
                "[766] Xã Cương Chính: total score 86.20 points (limit 87.50) - August 2024, "
                "provisional");
        i.indicator = &fix_undigitized;
        i.item.value = 30204;
        i.limit = 10000;
        assert_one(i,
                   "[766] Xã Cương Chính: hồ sơ chưa số hóa 30.204 (ngưỡng 10.000) - tháng 8/2024, "
                   "tạm tính",
                   "[766] Xã Cương Chính: hồ sơ chưa số hóa kết quả 30,204 (limit 10,000) - August "
                   "2024, provisional");
}

static void corrections(void **state UNUSED) {
        assert_one(fix_changed(SAY_FIX, 8271, 9600),
                   "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 96 %, không phải "
                   "82,71 %",
                   "[766] CORRECTION Xã Cương Chính: progress for August 2024 is 96%, not 82.71%");
        assert_one(
                fix_changed(SAY_WITHDRAWN, 9000, 10000),
                "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 100 %, không phải 90 %",
                NULL);
        assert_one(fix_changed(SAY_WITHDRAWN, 8271, 8271),
                   "[766] ĐÍNH CHÍNH Xã Cương Chính: rút cảnh báo về tiến độ tháng 8/2024", NULL);
        assert_one(fix_changed(SAY_FIX, 8271, VALUE_NONE),
                   "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 không còn số liệu, đã "
                   "báo 82,71 %",
                   "[766] CORRECTION Xã Cương Chính: progress for August 2024 is no longer "
                   "published, was 82.71%");
        assert_one(fix_changed(SAY_FIX, VALUE_NONE, 8271),
                   "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 82,71 %, trước đó "
                   "không có số "
                   "liệu",
                   NULL);
        RenderItem two[] = {fix_changed(SAY_FIX, 8271, 9600), fix_changed(SAY_FIX, 9271, 9600)};
        two[1].item.unit = 3;
        RenderMessage m = fix_message(two, 2);
        assert_subject(&m, "[766] ĐÍNH CHÍNH Tiên Lữ: 2 số liệu - tháng 8/2024");
}

/* A figure that was printed otherwise is a correction, whatever its alert does. */
static void corrections_inside_of_alerts(void **state UNUSED) {
        static const struct {
                Say say;
                const char *subject, *phrases;
        } cases[] = {
                {SAY_OPENING,
                 "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 91 %, không phải 90 % "
                 "(ngưỡng 95)",
                 "Dưới ngưỡng 95 (mới)"},
                {SAY_CONTINUED,
                 "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 91 %, không phải 90 % "
                 "(ngưỡng 95)",
                 "Dưới ngưỡng 95 (kéo dài)"},
                {SAY_WORSE,
                 "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 91 %, không phải 90 % "
                 "(ngưỡng 95), nặng thêm",
                 "Dưới ngưỡng 95 (nặng thêm)"},
                {SAY_CLOSING,
                 "[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 91 %, không phải 90 %, "
                 "đã đạt lại",
                 "Đã đạt lại ngưỡng 95"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                RenderItem item = fix_changed(cases[i].say, 9000, 9100);
                item.item.corrects = 40;
                item.is_restated = true;
                RenderMessage m = fix_message(&item, 1);
                assert_subject(&m, cases[i].subject);
                json_auto_t *view = render_view(&m);
                json_t *group = json_array_get(json_object_get(view, "groups"), 0);
                json_t *line = json_array_get(json_object_get(group, "lines"), 0);
                assert_string_equal(json_string_value(json_object_get(group, "name")),
                                    "corrections");
                assert_string_equal(json_string_value(json_object_get(line, "old_value")), "90 %");
                assert_string_equal(json_string_value(json_object_get(line, "value")), "91 %");
                assert_string_equal(json_string_value(json_object_get(line, "phrases")),
                                    cases[i].phrases);
                assert_true(json_is_true(json_object_get(line, "is_fix")));
                /* a smaller change stands where the alert does, and is not hidden either */
                item.is_restated = false;
                json_auto_t *small = render_view(&m);
                group = json_array_get(json_object_get(small, "groups"), 0);
                line = json_array_get(json_object_get(group, "lines"), 0);
                assert_string_not_equal(json_string_value(json_object_get(group, "name")),
                                        "corrections");
                assert_string_equal(json_string_value(json_object_get(line, "old_value")), "90 %");
                assert_true(json_is_true(json_object_get(line, "is_fix")));
        }
}

static void assert_phrase(const RenderItem *item, const char *expected) {
        RenderMessage m = fix_message(item, 1);
        json_auto_t *view = render_view(&m);
        json_t *items = json_object_get(view, "items");
        assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "phrase")),
                            expected);
}

static void reasons_of_withdrawals(void **state UNUSED) {
        RenderItem i = fix_changed(SAY_WITHDRAWN, 8271, 8271);
        assert_phrase(&i, "rút cảnh báo đã gửi: ngưỡng 95");
        i.is_cause_other = true;
        assert_phrase(&i, "rút cảnh báo đã gửi: ngưỡng 95 (số của đơn vị khác thay đổi)");
        i.item.value = 9600; /* its own figure says it */
        assert_phrase(&i, "rút cảnh báo đã gửi: ngưỡng 95");
        i = with(fix_changed(SAY_WITHDRAWN, 8400, 8400),
                 (Condition){.kind = CONDITION_DROP, .amount = 500}, VALUE_NONE);
        i.delta = -50; /* as it is now: no drop */
        i.delta_reason = DELTA_OK;
        i.told_delta = -600;
        i.has_told_delta = true;
        assert_phrase(&i, "rút cảnh báo đã gửi: tụt 6,00 (số kỳ trước thay đổi)");
        i.has_told_delta = false;
        assert_phrase(&i, "rút cảnh báo đã gửi: tụt từ 5 (số kỳ trước thay đổi)");
}

static void late_ones_name_breach_and_end(void **state UNUSED) {
        RenderItem i = fix_item(SAY_LATE, 15, "UBND xã Cương Chính", 5000);
        i.item.period = 2024107;
        i.first = 2024106;
        i.end = END_CLEAR;
        i.ended = FIX_AUGUST;
        assert_phrase(&i, "điều chỉnh: dưới ngưỡng 95; đã đạt lại ngưỡng 95 từ tháng 8/2024");
        assert_one(i,
                   "[766] Xã Cương Chính: tiến độ 50 % (ngưỡng 95), điều chỉnh - tháng 7/2024, "
                   "tạm tính",
                   NULL);
}

static void subjects_of_several(void **state UNUSED) {
        RenderItem items[8];
        for (size_t i = 0; i < 6; i++)
                items[i] = fix_item(i < 4 ? SAY_OPENING : SAY_CLOSING, (UnitId) i + 1, "UBND xã A",
                                    9000 + (int64_t) i);
        RenderMessage m = fix_message(items, 6);
        assert_subject(&m, "[766] Tiên Lữ: 4 xã mới, 2 xã đã đạt lại - tháng 8/2024");
        m.language = "en";
        assert_subject(&m, "[766] Tiên Lữ: 4 communes new, 2 communes recovered - August 2024");
        m.language = "vi";
        m.is_drill = true;
        assert_subject(&m, "[766] DIỄN TẬP Tiên Lữ: 4 xã mới, 2 xã đã đạt lại - tháng 8/2024");
        m.is_drill = false;

        /* a second rule on one figure makes no second commune, nor does a second figure of one
         * commune */
        items[6] = items[0];
        items[6].rule = "progress-behind";
        items[7] = items[0];
        items[7].indicator = &fix_digitization;
        items[7].item.indicator = 6;
        m.n_items = 8;
        assert_subject(&m, "[766] Tiên Lữ: 4 xã mới, 2 xã đã đạt lại - tháng 8/2024");

        /* wards; odd ends; the newest of several periods */
        for (size_t i = 0; i < 4; i++)
                items[i].unit_name = "UBND phường B";
        items[4].end = END_UNIT_ENDED;
        items[5].item.period = FIX_SEPTEMBER;
        m.n_items = 6;
        assert_subject(&m, "[766] Tiên Lữ: 4 phường mới, 2 xã đã kết thúc - tháng 9/2024");
        items[3].unit_name = "UBND xã B";
        items[5].item.period = 2024401;
        assert_subject(&m, "[766] Tiên Lữ: 4 xã, phường mới, 2 xã đã kết thúc");
        items[0].unit_kind = "department";
        m.scope_name = NULL;
        m.n_items = 4;
        assert_subject(&m, "[766] UBND huyện Tiên Lữ: 4 đơn vị mới - tháng 8/2024");

        /* one unit: its figures are counted, whatever the scope is called */
        RenderItem own[] = {fix_cuong_chinh(SAY_OPENING), fix_cuong_chinh(SAY_CLOSING)};
        own[1].indicator = &fix_digitization;
        own[1].item.indicator = 6;
        m = fix_message(own, 2);
        assert_subject(&m,
                       "[766] Xã Cương Chính: 1 chỉ số mới, 1 chỉ số đã đạt lại - tháng 8/2024");

        RenderItem digest[FIX_DIGEST_MAX];
        m = fix_message(digest, fix_digest(digest));
        assert_subject(&m,
                       "[766] ĐÍNH CHÍNH Tiên Lữ: 1 số liệu đính chính, 4 xã mới, 1 xã nặng thêm, "
                       "2 xã vẫn "
                       "chưa đạt, 2 xã đã đạt lại - tháng 8/2024");
}

static void one_line_per_figure(void **state UNUSED) {
        RenderItem items[] = {fix_cuong_chinh(SAY_OPENING),
                              with(fix_cuong_chinh(SAY_OPENING),
                                   (Condition){.kind = CONDITION_DROP, .amount = 500}, VALUE_NONE)};
        RenderMessage m = fix_message(items, 2);
        assert_subject(&m,
                       "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95; tụt 8,20) - tháng "
                       "8/2024, tạm tính");
        m.is_drill = true;
        assert_subject(&m,
                       "[766] DIỄN TẬP Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95; tụt 8,20) - "
                       "tháng 8/2024, "
                       "tạm tính");

        json_auto_t *view = render_view(&m);
        assert_non_null(view);
        assert_int_equal(json_array_size(json_object_get(view, "items")), 2);
        assert_int_equal(json_array_size(json_object_get(view, "groups")), 1);
        json_t *group = json_array_get(json_object_get(view, "groups"), 0);
        assert_int_equal(json_array_size(json_object_get(group, "lines")), 1);
        json_t *line = json_array_get(json_object_get(group, "lines"), 0);
        assert_string_equal(json_string_value(json_object_get(line, "phrases")),
                            "Dưới ngưỡng 95; tụt 8,20");
}

static void operators(void **state UNUSED) {
        RenderItem items[] = {fix_source(SAY_OPENING, "HTTP 403, số liệu đến 20/11."),
                              fix_source(SAY_CLOSING, NULL), fix_source(SAY_CLOSING, NULL)};
        RenderMessage m = fix_message(items, 1);
        m.role = ROLE_OPERATOR;
        assert_subject(&m, "[chisod] portal: HTTP 403, số liệu đến 20/11");
        items[0].text = NULL;
        assert_subject(&m, "[chisod] portal: không lấy được số liệu 3 lần liền");
        m.items = items + 1;
        assert_subject(&m, "[chisod] portal: đã khắc phục, không lấy được số liệu 3 lần liền");
        m.is_drill = true;
        m.language = "en";
        assert_subject(&m, "[chisod] DRILL portal: resolved, failed 3 times in a row");
        m = fix_message(items, 3);
        m.role = ROLE_OPERATOR;
        assert_subject(&m, "[chisod] UBND huyện Tiên Lữ: 1 sự cố mới, 2 đã khắc phục");
        m = fix_message(NULL, 0);
        m.role = ROLE_OPERATOR;
        assert_subject(&m, "[chisod] UBND huyện Tiên Lữ: không có sự cố nào đang mở");
        m.open.n = 3;
        assert_subject(&m, "[chisod] UBND huyện Tiên Lữ: đang mở 3 sự cố");
}

static void subjects_are_bounded(void **state UNUSED) {
        char name[3000];
        memset(name, 'x', sizeof name);
        name[sizeof name - 1] = '\0';
        memcpy(name + 10, "\r\nBcc: a@b\u202E", 13);
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        item.unit_name = name;
        RenderMessage m = fix_message(&item, 1);
        CLEANUP_FREE char *subject = subject_of(&m);
        assert_int_equal(text_width(subject), 180);
        assert_null(strpbrk(subject, "\r\n"));
        assert_string_equal(subject + strlen(subject) - strlen("\u2026"), "\u2026");
        assert_null(strstr(subject, "\u202E"));
}

/* ---- the view ---------------------------------------------------------------------------------
 */

static const char *text_at(const json_t *o, const char *key) {
        const char *text = json_string_value(json_object_get(o, key));
        assert_non_null(text);
        return text;
}

static json_t *line_at(const json_t *view, size_t group, size_t line) {
        json_t *g = json_array_get(json_object_get(view, "groups"), group);
        json_t *l = json_array_get(json_object_get(g, "lines"), line);
        assert_non_null(l);
        return l;
}

static void view_of_one(void **state UNUSED) {
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        assert_non_null(view);
        assert_string_equal(text_at(view, "type"), "alert.opening");
        assert_string_equal(text_at(view, "at"), "2024-09-05T08:00:00+07:00");
        assert_true(json_is_true(json_object_get(view, "is_official")));
        assert_true(json_is_false(json_object_get(view, "drill")));
        assert_int_equal(json_integer_value(json_object_get(view, "open")), 1);
        assert_string_equal(json_string_value(json_array_get(json_object_get(view, "sources"), 0)),
                            "Cổng Dịch vụ công quốc gia, lấy lúc 04/09/2024 04:03");

        json_t *i = json_array_get(json_object_get(view, "items"), 0);
        assert_string_equal(text_at(i, "value"), "82.71");
        assert_string_equal(text_at(i, "limit"), "95.00");
        assert_string_equal(text_at(i, "delta"), "-8.20");
        assert_true(json_is_null(json_object_get(i, "delta_reason")));
        assert_string_equal(text_at(i, "value_text"), "82,71 %");
        assert_string_equal(text_at(i, "delta_text"), "\u22128,20");
        assert_string_equal(text_at(json_object_get(i, "unit"), "title"), "Xã Cương Chính");
        assert_string_equal(text_at(json_object_get(i, "period"), "end"), "2024-09-01");

        json_t *line = line_at(view, 0, 0);
        static const char *const fields[][2] = {
                {"title", "Xã Cương Chính"},
                {"indicator", "Tiến độ giải quyết"},
                {"period", "tháng 8/2024"},
                {"status", "tạm tính"},
                {"value", "82,71 %"},
                {"limit", "95"},
                {"delta", "\u22128,20"},
                {"place", "15/15"},
                {"alerts", "#115"},
                {"counts", "23 trong 133 hồ sơ quá hạn"},
                {"phrases", "Dưới ngưỡng 95"},
        };
        for (size_t k = 0; k < ELEMENTSOF(fields); k++)
                assert_string_equal(text_at(line, fields[k][0]), fields[k][1]);
        static const char *const nulls[] = {"old_value", "corrects_id", "corrects_at", "since",
                                            "delta_note"};
        for (size_t k = 0; k < ELEMENTSOF(nulls); k++)
                assert_true(json_is_null(json_object_get(line, nulls[k])));
        assert_true(json_is_true(json_object_get(line, "is_worse")));
        assert_true(json_is_false(json_object_get(line, "is_better")));
        assert_true(json_is_false(json_object_get(line, "is_critical")));
}

static void view_groups(void **state UNUSED) {
        RenderItem items[FIX_DIGEST_MAX];
        RenderMessage m = fix_message(items, fix_digest(items));
        json_auto_t *view = render_view(&m);
        assert_non_null(view);
        static const struct {
                const char *name, *title;
                size_t n;
                const char *first; /* critical ones first, by indicator, then worst first */
        } groups[] = {
                {"corrections", "Đính chính, điều chỉnh", 1, "Xã Trung Dũng"},
                {"openings", "Cảnh báo mới", 4, "Thị trấn Vương"},
                {"worse", "Nặng thêm", 1, "Xã Lệ Xá"},
                {"continued", "Vẫn chưa đạt", 2, "Xã Minh Phượng"},
                {"closings", "Đã đạt lại", 2, "Xã Hải Triều"},
        };
        json_t *array = json_object_get(view, "groups");
        assert_int_equal(json_array_size(array), ELEMENTSOF(groups));
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                json_t *g = json_array_get(array, i);
                assert_string_equal(text_at(g, "name"), groups[i].name);
                assert_string_equal(text_at(g, "title"), groups[i].title);
                assert_int_equal(json_array_size(json_object_get(g, "lines")), groups[i].n);
                assert_string_equal(text_at(line_at(view, i, 0), "title"), groups[i].first);
        }
        assert_string_equal(text_at(view, "type"), "alert.digest");
        assert_string_equal(text_at(line_at(view, 1, 1), "title"), "Xã Ngô Quyền");
        assert_string_equal(text_at(line_at(view, 1, 2), "phrases"),
                            "Dưới ngưỡng 95; thấp so với các xã còn lại (dưới mức 95) (kéo dài)");
        assert_string_equal(text_at(line_at(view, 1, 2), "alerts"), "#115, #140");
        assert_string_equal(text_at(line_at(view, 3, 0), "since"), "tháng 5/2024 (4 kỳ)");
        assert_string_equal(text_at(line_at(view, 3, 1), "delta_note"),
                            "kỳ trước không có số liệu");
        assert_string_equal(text_at(line_at(view, 4, 0), "old_value"), "93,10 %");
        assert_string_equal(text_at(line_at(view, 4, 1), "value"), "100 %");
        assert_int_equal(json_array_size(json_object_get(view, "advices")), 2);
        assert_int_equal(json_array_size(json_object_get(view, "sources")), 1);
        assert_int_equal(json_array_size(json_object_get(view, "rules")), 0);
}

static RenderItem hold(void) {
        RenderItem i = fix_source(SAY_OPENING, "104/104 xã mở cảnh báo progress-low");
        i.subject = "hold:progress-low/H31.08/commune";
        i.unit_name = "Tiên Lữ";
        i.item.severity = SEVERITY_CRITICAL;
        return i;
}

static void assert_heading(const RenderMessage *m, const char *subject, const char *heading) {
        json_auto_t *view = render_view(m);
        assert_non_null(view);
        assert_subject(m, subject);
        assert_string_equal(
                text_at(json_array_get(json_object_get(view, "groups"), 0), "count_text"), heading);
}

/* Subject, headings and foot of one mail count units, figures and alerts, each with its noun. */
static void counts_name_what_they_count(void **state UNUSED) {
        RenderItem items[5] = {fix_item(SAY_OPENING, 1, "UBND xã A", 9000),
                               fix_item(SAY_OPENING, 2, "UBND xã B", 9100),
                               fix_item(SAY_OPENING, 1, "UBND xã A", 7000), hold(), hold()};
        RenderMessage m = fix_message(items, 2);
        assert_heading(&m, "[766] Tiên Lữ: 2 xã mới - tháng 8/2024", "2 xã");
        items[2].indicator = &fix_digitization;
        items[2].item.indicator = 6;
        m.n_items = 3;
        m.open = (OpenAlerts){.n = 7, .n_units = 5};
        assert_heading(&m, "[766] Tiên Lữ: 2 xã mới - tháng 8/2024", "3 chỉ số của 2 xã");
        m.language = "en";
        assert_heading(&m, "[766] Tiên Lữ: 2 communes new - August 2024",
                       "3 figures of 2 communes");
        json_auto_t *english = render_view(&m);
        assert_string_equal(text_at(english, "open_text"), "7 alerts of 5 units");
        m.language = "vi";
        json_auto_t *all = render_view(&m);
        assert_string_equal(text_at(all, "open_text"), "7 cảnh báo của 5 đơn vị");
        /* the mass guard's is no unit */
        m.n_items = 4;
        assert_heading(&m, "[766] Tiên Lữ: 2 xã, 1 cảnh báo hàng loạt mới - tháng 8/2024",
                       "3 chỉ số của 2 xã, 1 cảnh báo hàng loạt");
        m.items = items + 3;
        m.n_items = 2;
        assert_heading(&m, "[766] Tiên Lữ: 2 cảnh báo hàng loạt mới", "2 cảnh báo hàng loạt");
        /* of one unit its figures */
        items[1] = items[2];
        m.items = items;
        m.open = (OpenAlerts){.n = 1, .n_units = 1};
        assert_heading(&m, "[766] Xã A: 2 chỉ số mới - tháng 8/2024", "2 chỉ số");
        json_auto_t *one = render_view(&m);
        assert_string_equal(text_at(one, "open_text"), "1 cảnh báo");
        m.role = ROLE_OPERATOR;
        m.items = items + 3;
        json_auto_t *operator= render_view(&m);
        assert_string_equal(text_at(operator, "open_text"), "1 sự cố");
}

static void holds_name_the_command(void **state UNUSED) {
        RenderItem item = hold();
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *official = render_view(&m);
        assert_int_equal(json_array_size(json_object_get(official, "advices")), 0);
        for (int is_en = 0; is_en < 2; is_en++) {
                m.role = ROLE_OPERATOR;
                m.language = is_en ? "en" : "vi";
                json_auto_t *view = render_view(&m);
                const char *advice =
                        json_string_value(json_array_get(json_object_get(view, "advices"), 0));
                assert_non_null(strstr(advice, "chisoctl rules release progress-low ("));
                assert_non_null(strstr(advice, is_en ? "If nothing is done" : "Không làm gì"));
        }
        item.item.say = SAY_CLOSING;
        json_auto_t *over = render_view(&m);
        assert_int_equal(json_array_size(json_object_get(over, "advices")), 0);
}

static void assert_bar(int64_t value, int64_t limit, const char *expected) {
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        item.item.value = value;
        item.limit = limit;
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        const json_t *bar = json_object_get(line_at(view, 0, 0), "bar");
        json_int_t sum = 0;
        for (size_t i = 0; i < json_array_size(bar); i++) {
                const json_t *cell = json_array_get(bar, i);
                char kind = json_is_true(json_object_get(cell, "is_fill"))   ? 'f'
                            : json_is_true(json_object_get(cell, "is_mark")) ? 'm'
                                                                             : 'r';
                json_int_t width = json_integer_value(json_object_get(cell, "width"));
                sum += width;
                assert_int_equal(buf_printf(&b, "%c%d ", kind, (int) width), 0);
        }
        assert_string_equal(buf_text(&b), expected);
        assert_int_equal(sum, bar && json_is_array(bar) ? 100 : 0);
}

static void bars(void **state UNUSED) {
        assert_bar(8271, 9500, "f83 r12 m1 r4 ");
        assert_bar(9900, 9500, "f95 m1 f3 r1 ");
        assert_bar(10000, 9500, "f95 m1 f4 ");
        assert_bar(9999, 9500, "f95 m1 f3 r1 ");
        assert_bar(9500, 9500, "f95 m1 r4 ");
        assert_bar(0, 9500, "r95 m1 r4 ");
        assert_bar(0, 0, "m1 r99 ");
        assert_bar(10000, 10000, "f99 m1 ");
        assert_bar(8271, VALUE_NONE, "f83 r17 ");
        assert_bar(-500, 9500, "r95 m1 r4 ");
        assert_bar(VALUE_NONE, 9500, "");
}

static void overview(void **state UNUSED) {
        RenderItem items[FIX_DIGEST_MAX + 8];
        size_t n = fix_digest(items);
        for (size_t i = 0; i < 4; i++) {
                items[n] = fix_item(SAY_OPENING, (UnitId) (30 + i), "UBND xã B",
                                    9000 + 100 * (int64_t) i);
                n++;
        }
        RenderMessage m = fix_message(items, n);
        m.tell = TELL_OVERVIEW;
        json_auto_t *view = render_view(&m);
        assert_non_null(view);
        assert_string_equal(text_at(view, "type"), "alert.overview");
        assert_int_equal(json_array_size(json_object_get(view, "items")), n);
        assert_int_equal(json_array_size(json_object_get(view, "groups")), 1);
        json_t *rules = json_object_get(view, "rules");
        assert_int_equal(json_array_size(rules), 5);
        json_t *low = json_array_get(rules, 0);
        assert_string_equal(text_at(low, "title"), "Tiến độ giải quyết: ngưỡng 95");
        assert_string_equal(text_at(low, "counts_text"),
                            "7 xã mới, 1 xã nặng thêm, 2 xã đã đạt lại");
        assert_string_equal(text_at(low, "period"), "tháng 8/2024 (tạm tính)");
        json_t *worst = json_object_get(low, "worst");
        assert_int_equal(json_array_size(worst), 5);
        static const char *const values[] = {"78,50 %", "79,52 %", "82,71 %", "90 %", "91 %"};
        for (size_t i = 0; i < 5; i++) {
                json_t *o = json_array_get(worst, i);
                assert_string_equal(text_at(o, "value"), values[i]);
                assert_int_equal(json_is_true(json_object_get(o, "is_last")), i == 4);
        }
        assert_string_equal(text_at(json_array_get(rules, 2), "title"),
                            "Chỉ số tổng hợp: tụt từ 5");
}

static void delta_reasons(void **state UNUSED) {
        static const struct {
                DeltaReason reason;
                const char *vi, *en;
        } cases[] = {
                {DELTA_FIRST, "chưa có kỳ trước", "no earlier period"},
                {DELTA_GAP, "kỳ trước không có số liệu", "no figure in the previous period"},
                {DELTA_MERGED, "đơn vị mới thành lập hoặc sáp nhập", "unit is new or merged"},
                {DELTA_ERA, "không so sánh được với kỳ trước: đổi công thức",
                 "not comparable: đổi công thức"},
                {DELTA_MISSING, "kỳ này không có số liệu", "no figure in this period"},
                {DELTA_RUNNING, "kỳ chưa kết thúc", "period has not ended"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int is_en = 0; is_en < 2; is_en++) {
                        RenderItem item = fix_cuong_chinh(SAY_OPENING);
                        item.delta_reason = cases[i].reason;
                        item.era_reason = "đổi công thức";
                        RenderMessage m = fix_message(&item, 1);
                        m.language = is_en ? "en" : "vi";
                        json_auto_t *view = render_view(&m);
                        json_t *line = line_at(view, 0, 0);
                        assert_string_equal(text_at(line, "delta_note"),
                                            is_en ? cases[i].en : cases[i].vi);
                        assert_true(json_is_null(json_object_get(line, "delta")));
                        json_t *o = json_array_get(json_object_get(view, "items"), 0);
                        assert_true(json_is_null(json_object_get(o, "delta")));
                        assert_string_equal(text_at(o, "delta_reason"),
                                            delta_reason_name(cases[i].reason));
                }
}

/* Published text that is no UTF-8 must not cost the message. */
static void bad_bytes(void **state UNUSED) {
        CLEANUP(buf_done) Buf body = BUF_INIT(BUF_MAX_TEXT);
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        item.unit_name = "UBND xã \xff\xfe";
        item.advice = "\xc3";
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        assert_non_null(view);
        assert_int_equal(render_webhook(view, &body), 0);
        json_auto_t *back = json_loadb(buf_text(&body), body.len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(back);
        json_t *i = json_array_get(json_object_get(back, "items"), 0);
        assert_string_equal(text_at(i, "advice"), "\uFFFD");
}

static void webhook_bytes(void **state UNUSED) {
        CLEANUP(buf_done) Buf body = BUF_INIT(BUF_MAX_TEXT), small = BUF_INIT(20);
        RenderItem item = fix_changed(SAY_FIX, 8271, 9600);
        item.advice = "\"a\"\n\\";
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        assert_int_equal(render_webhook(view, &small), -E2BIG);
        assert_int_equal(render_webhook(view, &body), 0);
        assert_string_equal(
                buf_text(&body),
                "{\"type\":\"alert.correction\",\"id\":\"0190f7a2-1c3d\",\"at\":\"2024-09-05T08:00:"
                "00+07:00\","
                "\"organization\":\"UBND huyện Tiên "
                "Lữ\",\"recipient\":\"province\",\"drill\":false,"
                "\"title\":\"[766] ĐÍNH CHÍNH Xã Cương Chính: tiến độ tháng 8/2024 là 96 %, "
                "không phải 82,71 %\","
                "\"items\":[{\"say\":\"fix\",\"alert\":115,\"rule\":\"progress-low\",\"severity\":"
                "null,"
                "\"indicator\":{\"name\":\"progress\",\"label\":\"Tiến độ giải "
                "quyết\",\"unit\":\"percent\"},"
                "\"unit\":{\"key\":\"H31.08.1\",\"code\":\"H31.08.1\",\"name\":\"UBND xã Cương "
                "Chính\","
                "\"kind\":\"commune\",\"parent\":\"Huyện Tiên Lữ\"},"
                "\"period\":{\"id\":\"2024-08\",\"type\":\"month\",\"start\":\"2024-08-01\","
                "\"end\":\"2024-09-01\","
                "\"status\":\"provisional\"},\"value\":96.00,\"limit\":95.00,\"delta\":null,"
                "\"delta_reason\":\"first\",\"place\":null,\"of\":null,\"counts\":null,\"since\":"
                "\"2024-08\",\"escalated\":null,"
                "\"old_value\":82.71,\"ended\":null,\"corrects\":\"0190f7a2-0001\","
                "\"corrects_at\":\"2024-09-05T08:00:00+07:00\",\"advice\":\"\\\"a\\\"\\n\\\\\","
                "\"source\":{\"label\":\"Cổng Dịch vụ công quốc "
                "gia\",\"fetched_at\":\"2024-09-04T04:03:00+07:00\"},"
                "\"subject\":null,\"text\":null}],\"n_items\":1,\"open\":1}");
}

/* ---- templates ---------------------------------------------------------------------------------
 */

static char *read_golden(const char *name) {
        char path[4096];
        (void) snprintf(path, sizeof path, CHISO_SOURCE_DIR "/tests/unit/golden/%s", name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        char *text = calloc(1, 1 << 16);
        assert_non_null(text);
        size_t n = fread(text, 1, (1 << 16) - 1, f);
        (void) fclose(f);
        text[n] = '\0';
        return text;
}

static void assert_golden(const RenderMessage *m, const char *name) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT), html = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP_FREE char *golden = read_golden(name);
        json_auto_t *view = render_view(m);
        assert_int_equal(render_templates_new(m->language, NULL, 0, &diag, &t), 0);
        assert_int_equal(diag.n, 0);
        assert_int_equal(render_text(t, view, &text), 0);
        assert_string_equal(buf_text(&text), golden);
        for (char *line = strtok(golden, "\n"); line; line = strtok(NULL, "\n"))
                assert_true(text_width(line) <= RENDER_COLUMNS);

        assert_int_equal(render_html(t, view, &html), 0);
        static const char *const external[] = {"<img", "<link", "<script", "<style",
                                               "url(", "src=",  "http:",   "https:"};
        for (size_t i = 0; i < ELEMENTSOF(external); i++)
                assert_null(strcasestr(buf_text(&html), external[i]));
        assert_null(strstr(buf_text(&html), "{{"));
        assert_non_null(strstr(buf_text(&html), "max-width:640px"));
}

static void texts(void **state UNUSED) {
        RenderItem items[FIX_DIGEST_MAX];
        RenderMessage m = fix_message(items, fix_digest(items));
        assert_golden(&m, "render-digest.vi.txt");
        m.tell = TELL_OVERVIEW;
        assert_golden(&m, "render-overview.vi.txt");
        m.tell = TELL_ALL;
        m.language = "en";
        assert_golden(&m, "render-digest.en.txt");
}

/* What the text part says, the HTML part says too, and nothing published can add markup. */
static void html_is_complete(void **state UNUSED) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(buf_done) Buf html = BUF_INIT(BUF_MAX_TEXT);
        RenderItem items[] = {fix_cuong_chinh(SAY_OPENING), fix_changed(SAY_FIX, 8271, 9600)};
        items[1].item.unit = 2;
        items[1].unit_name = "<script>&\"x\"";
        RenderMessage m = fix_message(items, 2);
        m.is_drill = true;
        json_auto_t *view = render_view(&m);
        assert_int_equal(render_templates_new("vi", NULL, 0, NULL, &t), 0);
        assert_int_equal(render_html(t, view, &html), 0);
        static const char *const said[] = {
                "Xã Cương Chính",
                "Tiến độ giải quyết",
                "tháng 8/2024",
                "tạm tính",
                "82,71 %",
                "Dưới ngưỡng 95",
                "\u22128,20",
                "15/15",
                "23 trong 133 hồ sơ quá hạn",
                "#115",
                "96 %",
                "05/09/2024 08:00",
                "0190f7a2-0001@chiso.example.vn",
                "Rà soát hồ sơ quá hạn",
                "pvhcc@example.gov.vn",
                "Cổng Dịch vụ công quốc gia, lấy lúc 04/09/2024 04:03",
                "không phải văn bản hành chính",
                "DIỄN TẬP",
                "&lt;script&gt;&amp;&quot;x&quot;",
                "width=\"83%\"",
        };
        for (size_t i = 0; i < ELEMENTSOF(said); i++)
                if (!strstr(buf_text(&html), said[i]))
                        fail_msg("not said: %s", said[i]);
        assert_null(strstr(buf_text(&html), "<script"));
}

static void own_templates(void **state UNUSED) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        const NameValue files[] = {
                {"mail.txt", "{{#groups}}{{#lines}}{{>line.txt}}{{/lines}}{{/groups}}"},
                {"/etc/chisod/templates/vi/line.txt", "{{title}} = {{value}}\n"},
                {"mail.html", "{{#groups}}"},
                {"zalo.json", "{\"text\":\"{{subject_line}} \\\"{{contact}}\\\"\"}"},
        };
        assert_int_equal(render_templates_new("vi", files, ELEMENTSOF(files), &diag, &t), 0);
        assert_int_equal(diag.n_errors, 1);
        assert_string_equal(diag.items[0].file, "mail.html");

        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        assert_int_equal(render_text(t, view, &b), 0);
        assert_string_equal(buf_text(&b), "Xã Cương Chính = 82,71 %\n");
        buf_clear(&b);
        assert_int_equal(render_html(t, view, &b), 0); /* the built-in one */
        assert_non_null(strstr(buf_text(&b), "</html>"));
        buf_clear(&b);
        assert_int_equal(render_named(t, "zalo.json", view, &b), 0);
        assert_string_equal(
                buf_text(&b),
                "{\"text\":\"[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95) - tháng 8/2024, "
                "tạm tính \\\"Trung tâm PVHCC, 0221 3 000 000, pvhcc@example.gov.vn\\\"\"}");
        assert_int_equal(render_named(t, "none.json", view, &b), -ENOENT);
}

/* Unescaped text belongs into .txt only: nothing published may add markup. */
static void raw_templates(void **state UNUSED) {
        static const struct {
                const char *name, *text;
                size_t n_errors;
        } cases[] = {
                {"mail.txt", "{{{contact}}}", 0}, {"mail.html", "{{{contact}}}", 1},
                {"mail.html", "{{&contact}}", 1}, {"zalo.json", "{{{contact}}}", 1},
                {"mail.html", "{{contact}}", 0},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                const NameValue file = {cases[i].name, cases[i].text};
                assert_int_equal(render_templates_new("vi", &file, 1, &diag, &t), 0);
                assert_int_equal(diag.n_errors, cases[i].n_errors);
        }
}

/* An own template that runs away while it is rendered is replaced by the built-in one. */
static void runaway_template(void **state UNUSED) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        RenderItem item = fix_cuong_chinh(SAY_OPENING);
        RenderMessage m = fix_message(&item, 1);
        json_auto_t *view = render_view(&m);
        const NameValue files[] = {{"mail.txt", "x{{>mail.txt}}"}, {"own.txt", "x{{>own.txt}}"}};
        assert_int_equal(render_templates_new("vi", files, ELEMENTSOF(files), NULL, &t), 0);
        assert_int_equal(render_text(t, view, &b), RENDER_E_REPLACED);
        assert_non_null(strstr(buf_text(&b), "Xã Cương Chính - Tiến độ giải quyết"));
        buf_clear(&b);
        assert_int_equal(render_named(t, "own.txt", view, &b), -ELOOP);
        assert_int_equal(b.len, 0);
}

static void other_language(void **state UNUSED) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        assert_int_equal(render_templates_new("fr", NULL, 0, &diag, &t), 0);
        assert_int_equal(diag.n_warnings, 1);
        assert_non_null(t);
}

static void folding(void **state UNUSED) {
        static const struct {
                const char *text, *folded;
        } cases[] = {
                {"", ""},
                {"a\n\n  \nb", "a\n\n\nb"},
                {"- 3456789 123456789 123456789 123456789 123456789 123456789 123456789 123456 "
                 "tail",
                 "- 3456789 123456789 123456789 123456789 123456789 123456789 123456789 123456\n  "
                 "tail"},
                {"- 3456789 123456789 123456789 123456789 123456789 123456789 123456789 1234567 "
                 "tail",
                 "- 3456789 123456789 123456789 123456789 123456789 123456789 123456789\n  1234567 "
                 "tail"},
                {"   Nhãn      23456789 123456789 123456789 123456789 123456789 123456789 "
                 "123456789 x",
                 "   Nhãn      23456789 123456789 123456789 123456789 123456789 123456789\n        "
                 "     123456789 x"},
                {"123456789012345678901234567890123456789012345678901234567890123456789012345678901"
                 "2345 x",
                 "123456789012345678901234567890123456789012345678901234567890123456789012345678901"
                 "2345\nx"},
                {"12. đđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđ đđ",
                 "12. đđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđđđđđ đđđđđ\n   "
                 " đđ"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
                CLEANUP(buf_done) Buf b = BUF_INIT(4096);
                const NameValue file = {"mail.txt", cases[i].text};
                json_auto_t *view = json_object();
                assert_int_equal(render_templates_new("vi", &file, 1, NULL, &t), 0);
                assert_int_equal(render_text(t, view, &b), 0);
                assert_string_equal(buf_text(&b), cases[i].folded);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(subjects_of_one),
                cmocka_unit_test(subjects_by_condition),
                cmocka_unit_test(unit_names),
                cmocka_unit_test(subjects_of_figures),
                cmocka_unit_test(corrections),
                cmocka_unit_test(corrections_inside_of_alerts),
                cmocka_unit_test(reasons_of_withdrawals),
                cmocka_unit_test(late_ones_name_breach_and_end),
                cmocka_unit_test(subjects_of_several),
                cmocka_unit_test(one_line_per_figure),
                cmocka_unit_test(operators),
                cmocka_unit_test(subjects_are_bounded),
                cmocka_unit_test(view_of_one),
                cmocka_unit_test(view_groups),
                cmocka_unit_test(counts_name_what_they_count),
                cmocka_unit_test(holds_name_the_command),
                cmocka_unit_test(bars),
                cmocka_unit_test(overview),
                cmocka_unit_test(delta_reasons),
                cmocka_unit_test(bad_bytes),
                cmocka_unit_test(webhook_bytes),
                cmocka_unit_test(texts),
                cmocka_unit_test(html_is_complete),
                cmocka_unit_test(own_templates),
                cmocka_unit_test(raw_templates),
                cmocka_unit_test(runaway_template),
                cmocka_unit_test(other_language),
                cmocka_unit_test(folding),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
