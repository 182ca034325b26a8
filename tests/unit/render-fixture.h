/* Messages about the communes of Tiên Lữ in August 2024 (figures of the district's published
 * letter; limits, counts and the second period are made up). Shared by test-render.c and
 * render-samples.c. */
#pragma once

#include "core/render.h"

static const IndicatorDef fix_progress = {
        .name = "progress",
        .label = "Tiến độ giải quyết",
        .label_en = "Progress",
        .brief = "tiến độ",
        .unit = INDICATOR_PERCENT,
        .decimals = 2,
        .max = 10000,
        .direction = DIRECTION_UP,
        .id = 3,
};
static const IndicatorDef fix_total = {
        .name = "total",
        .label = "Chỉ số tổng hợp",
        .label_en = "Total score",
        .brief = "tổng hợp",
        .unit = INDICATOR_POINTS,
        .decimals = 2,
        .max = 10000,
        .direction = DIRECTION_UP,
        .id = 1,
};
static const IndicatorDef fix_undigitized = {
        .name = "undigitized_results",
        .label = "Hồ sơ chưa số hóa kết quả",
        .brief = "hồ sơ chưa số hóa",
        .unit = INDICATOR_COUNT,
        .decimals = 0,
        .max = VALUE_NONE,
        .direction = DIRECTION_DOWN,
        .id = 9,
};
static const IndicatorDef fix_digitization = {
        .name = "digitization",
        .label = "Số hóa hồ sơ",
        .label_en = "Digitization",
        .brief = "số hóa",
        .unit = INDICATOR_PERCENT,
        .decimals = 2,
        .max = 10000,
        .direction = DIRECTION_UP,
        .id = 6,
};

#define FIX_AUGUST 2024108
#define FIX_SEPTEMBER 2024109
#define FIX_NOW INT64_C(1725498000000) /* 2024-09-05T08:00:00+07:00 */

/* Everything that is unknown is so; the rest is what most items of the sample share. */
static inline RenderItem fix_item(Say say, UnitId unit, const char *name, int64_t value) {
        return (RenderItem){
                .item = {.say = say,
                         .episode = 100 + unit,
                         .indicator = 3,
                         .period = FIX_AUGUST,
                         .unit = unit,
                         .value = value,
                         .old_value = VALUE_NONE,
                         .severity = SEVERITY_WARNING},
                .alert = 100 + unit,
                .rule = "progress-low",
                .advice = "Rà soát hồ sơ quá hạn trên hệ thống một cửa.",
                .indicator = &fix_progress,
                .unit_key = "H31.08.1",
                .unit_code = "H31.08.1",
                .unit_name = name,
                .unit_kind = "commune",
                .parent_name = "Huyện Tiên Lữ",
                .limit = 9500,
                .delta = VALUE_NONE,
                .delta_reason = DELTA_FIRST,
                .previous = VALUE_NONE,
                .when = {.kind = CONDITION_BELOW, .amount = 9500},
                .status = PERIOD_PROVISIONAL,
                .first = FIX_AUGUST,
                .count_part = VALUE_NONE,
                .count_whole = VALUE_NONE,
                .source_label = "Cổng Dịch vụ công quốc gia",
                .fetched_ms = INT64_C(1725397380000), /* 2024-09-04T04:03:00+07:00 */
        };
}

static inline RenderItem fix_cuong_chinh(Say say) {
        RenderItem i = fix_item(say, 15, "UBND xã Cương Chính", 8271);
        i.delta = -820;
        i.delta_reason = DELTA_OK;
        i.place = 15;
        i.of = 15;
        i.count_part = 23;
        i.count_whole = 133;
        return i;
}

static inline RenderItem fix_changed(Say say, int64_t old_value, int64_t value) {
        RenderItem i = fix_item(say, 15, "UBND xã Cương Chính", value);
        i.item.old_value = old_value;
        i.corrects_id = "0190f7a2-0001@chiso.example.vn";
        i.corrects_ms = FIX_NOW;
        i.item.severity = SEVERITY_NONE;
        return i;
}

static inline RenderItem fix_source(Say say, const char *text) {
        return (RenderItem){.item = {.say = say,
                                     .episode = 7,
                                     .value = VALUE_NONE,
                                     .old_value = VALUE_NONE,
                                     .severity = SEVERITY_WARNING},
                            .alert = 7,
                            .rule = "source-failing",
                            .subject = "source:portal",
                            .text = text,
                            .unit_key = "",
                            .unit_code = "",
                            .unit_name = "",
                            .unit_kind = "",
                            .parent_name = "",
                            .limit = VALUE_NONE,
                            .delta = VALUE_NONE,
                            .delta_reason = DELTA_MISSING,
                            .previous = VALUE_NONE,
                            .count_part = VALUE_NONE,
                            .count_whole = VALUE_NONE,
                            .when = {.kind = CONDITION_SOURCE_FAILING, .count = 3}};
}

static inline RenderMessage fix_message(const RenderItem *items, size_t n) {
        return (RenderMessage){.id = "0190f7a2-1c3d",
                               .organization = "UBND huyện Tiên Lữ",
                               .contact = "Trung tâm PVHCC, 0221 3 000 000, pvhcc@example.gov.vn",
                               .language = "vi",
                               .recipient = "province",
                               .scope_name = "Tiên Lữ",
                               .role = ROLE_OFFICIAL,
                               .tell = TELL_ALL,
                               .now_ms = FIX_NOW,
                               .items = items,
                               .n_items = n,
                               .open = {.n = n, .n_units = n}};
}

/* All groups at once: a correction, four openings (two rules on one figure, one critical), a worse,
 * two continued ones, two closings. Returns how many. */
#define FIX_DIGEST_MAX 16
static inline size_t fix_digest(RenderItem ret[static FIX_DIGEST_MAX]) {
        size_t n = 0;
        ret[n] = fix_changed(SAY_FIX, 9254, 9961);
        ret[n].item.unit = 12;
        ret[n].unit_name = "UBND xã Trung Dũng";
        ret[n].item.period = 2024107;
        ret[n].status = PERIOD_CLOSED;
        ret[n].rule = NULL;
        ret[n].advice = NULL;
        ret[n].item.episode = ret[n].alert = 0;
        ret[n++].when.kind = CONDITION_NONE;
        ret[n] = fix_item(SAY_OPENING, 13, "UBND xã Thiện Phiến", 9254);
        ret[n].place = 14;
        ret[n++].of = 15;
        ret[n++] = fix_cuong_chinh(SAY_OPENING);
        ret[n] = fix_cuong_chinh(SAY_CONTINUED);
        ret[n].rule = "progress-behind";
        ret[n].alert = 140;
        ret[n].first = 2024106;
        ret[n].when = (Condition){.kind = CONDITION_BEHIND, .amount = 500};
        ret[n++].limit = 9500;
        ret[n] = fix_item(SAY_OPENING, 8, "UBND TT Vương", 7952);
        ret[n].item.severity = SEVERITY_CRITICAL;
        ret[n].limit = 8000;
        ret[n].delta = 200;
        ret[n].delta_reason = DELTA_OK;
        ret[n].place = 15;
        ret[n++].of = 15;
        ret[n] = fix_item(SAY_OPENING, 14, "UBND xã Ngô Quyền", 8358);
        ret[n].rule = "total-fall";
        ret[n].indicator = &fix_total;
        ret[n].item.indicator = 1;
        ret[n].delta = -520;
        ret[n].delta_reason = DELTA_OK;
        ret[n].place = 14;
        ret[n].of = 15;
        ret[n].limit = VALUE_NONE;
        ret[n++].when = (Condition){.kind = CONDITION_DROP, .amount = 500};
        ret[n] = fix_item(SAY_WORSE, 9, "UBND xã Lệ Xá", 7850);
        ret[n].item.severity = SEVERITY_CRITICAL;
        ret[n].limit = 8000;
        ret[n++].first = 2024107;
        ret[n] = fix_item(SAY_CONTINUED, 11, "UBND xã Minh Phượng", 7610);
        ret[n].rule = "digitization-stalled";
        ret[n].indicator = &fix_digitization;
        ret[n].item.indicator = 6;
        ret[n].advice =
                "Số hóa thành phần hồ sơ và kết quả ngay khi tiếp nhận, trả kết quả; kiểm tra cấu "
                "hình chữ ký số.";
        ret[n].when = (Condition){.kind = CONDITION_FLAT,
                                  .count = 3,
                                  .amount = 50,
                                  .and_kind = CONDITION_BELOW,
                                  .and_amount = 8000};
        ret[n].limit = VALUE_NONE;
        ret[n].first = 2024105;
        ret[n].delta = 12;
        ret[n].delta_reason = DELTA_OK;
        ret[n].count_part = 623;
        ret[n++].count_whole = 2971;
        ret[n] = fix_item(SAY_CONTINUED, 10, "UBND xã Thụy Lôi", 36);
        ret[n].rule = "undigitized";
        ret[n].indicator = &fix_undigitized;
        ret[n].item.indicator = 9;
        ret[n].advice = NULL;
        ret[n].when = (Condition){.kind = CONDITION_ABOVE, .amount = 0};
        ret[n].limit = 0;
        ret[n++].delta_reason = DELTA_GAP;
        ret[n] = fix_item(SAY_CLOSING, 1, "UBND xã Thủ Sỹ", 10000);
        ret[n].item.old_value = 9310;
        ret[n].first = 2024106;
        ret[n].delta = 690;
        ret[n].delta_reason = DELTA_OK;
        ret[n].place = 1;
        ret[n++].of = 15;
        ret[n] = fix_item(SAY_CLOSING, 2, "UBND xã Hải Triều", 9964);
        ret[n].item.old_value = 9310;
        ret[n++].first = 2024107;
        return n;
}
