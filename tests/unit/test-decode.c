#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/decode.h"

/* ---- a source by hand ---------------------------------------------------------------------------
 */

enum {
        TOTAL,
        OPENNESS,
        PROGRESS_POINTS,
        ONLINE,
        PAYMENT,
        DIGITIZATION,
        SATISFACTION,
        PROGRESS, /* = progress_points / 20, in percent */
        RECEIVED,
        ON_TIME,
        LATE,
        LATE_SHARE, /* = late / received, in percent */
        SCANNED,
        COPIES,
        DONE,      /* = on_time + late */
        ELSEWHERE, /* of another source */
        N_INDICATORS,
};

#define POINTS(n, m)                                                                               \
        { .name = (n), .unit = INDICATOR_POINTS, .decimals = 2, .max = (m) *100, .source = 0 }
#define COUNT(n)                                                                                   \
        { .name = (n), .unit = INDICATOR_COUNT, .decimals = 0, .max = VALUE_NONE, .source = 0 }
#define PERCENT(n, ...)                                                                            \
        {                                                                                          \
                .name = (n), .unit = INDICATOR_PERCENT, .decimals = 2, .max = 10000, .source = 0,  \
                __VA_ARGS__                                                                        \
        }

static const IndicatorDef indicators[N_INDICATORS] = {
        [TOTAL] = POINTS("total", 100),
        [OPENNESS] = POINTS("openness_points", 18),
        [PROGRESS_POINTS] = POINTS("progress_points", 20),
        [ONLINE] = POINTS("online_points", 12),
        [PAYMENT] = POINTS("payment_points", 10),
        [DIGITIZATION] = POINTS("digitization_points", 22),
        [SATISFACTION] = POINTS("satisfaction_points", 18),
        [PROGRESS] = PERCENT("progress", .derive = DERIVE_RATIO, .operand = {PROGRESS_POINTS},
                             .n_operands = 1, .divisor = 200000),
        [RECEIVED] = COUNT("received"),
        [ON_TIME] = COUNT("on_time"),
        [LATE] = COUNT("late"),
        [LATE_SHARE] = PERCENT("late_share", .derive = DERIVE_RATIO, .operand = {LATE, RECEIVED},
                               .n_operands = 2),
        [SCANNED] = PERCENT("scanned"),
        [COPIES] = PERCENT("copies", .empty = EMPTY_FULL),
        [DONE] = {.name = "done",
                  .unit = INDICATOR_COUNT,
                  .max = VALUE_NONE,
                  .source = 0,
                  .derive = DERIVE_SUM,
                  .operand = {ON_TIME, LATE},
                  .n_operands = 2},
        [ELSEWHERE] = {.name = "elsewhere", .decimals = 2, .max = VALUE_NONE, .source = 1},
};

static KindMap kinds_rest[] = {{"1", "province"}, {"2", "department"}, {"3", "commune"}};
static KindMap kinds_level[] = {{"PROVINCE", "department"}, {"COMMUNE", "commune"}};

static ValueMap values_rest[] = {
        {TOTAL, "/TONG_SCORE", NULL, NULL},     {OPENNESS, "/CKMB", NULL, NULL},
        {PROGRESS_POINTS, "/TDGQ", NULL, NULL}, {ONLINE, "/CLGQ", NULL, NULL},
        {PAYMENT, "/TTTT", NULL, NULL},         {DIGITIZATION, "/MDSH", NULL, NULL},
        {SATISFACTION, "/MDHL", NULL, NULL},
};
static ValueMap values_national[] = {
        {TOTAL, "/totalScore", NULL, "/scoreDelta"},
        {OPENNESS, "/groupScores/CKMB", NULL, NULL},
        {PROGRESS_POINTS, "/groupScores/TDGQ", NULL, NULL},
        {ONLINE, "/groupScores/CLGQ", NULL, NULL},
        {PAYMENT, "/groupScores/TTTT", NULL, NULL},
        {DIGITIZATION, "/groupScores/MDSH", NULL, NULL},
        {SATISFACTION, "/groupScores/MDHL", NULL, NULL},
};
static ValueMap values_tree[] = {
        {PROGRESS_POINTS, "/score", "/totalReceived", "/scoreDelta"},
        {PROGRESS, "/ratio", "/totalReceived", NULL},
        {RECEIVED, "/totalReceived", NULL, NULL},
        {ON_TIME, "/totalOnTime", NULL, NULL},
        {LATE, "/totalOverdue", NULL, NULL},
};
static ValueMap values_tree_parent[] = {
        {PROGRESS_POINTS, "/totalScore", "/totalReceived", NULL},
        {PROGRESS, "/ratio", "/totalReceived", NULL},
        {RECEIVED, "/totalReceived", NULL, NULL},
        {ON_TIME, "/totalOnTime", NULL, NULL},
};
static ValueMap values_list[] = {
        {DIGITIZATION, "/totalScore", NULL, NULL},
        {SCANNED, "/metrics/[code=SO_HOA_GIAY_TO_GIAI_QUYET]/ratio",
         "/metrics/[code=SO_HOA_GIAY_TO_GIAI_QUYET]/denominator", NULL},
        {COPIES, "/metrics/[code=ELECTRONIC_CERTIFIED_COPY]/ratio",
         "/metrics/[code=ELECTRONIC_CERTIFIED_COPY]/denominator", NULL},
};
static ValueMap values_igate[] = {
        {RECEIVED, "/totalReceiver", NULL, NULL},
        {SCANNED, "/percentTotalReceiverHavingFile", "/totalReceiver", NULL},
        {COPIES, "/none", "/totalReceiver", NULL},
};

enum { REST, NATIONAL, TREE, LIST, IGATE, N_PARTS };

#define VALUES(v) .values = (v), .n_values = ELEMENTSOF(v)
#define KINDS(k) .kinds = (k), .n_kinds = ELEMENTSOF(k)

static const PartDef all_parts[N_PARTS] = {
        [REST] = {.name = "rest",
                  .rows = "",
                  .where = "/LOAI_COQUAN=2|3",
                  .unit_code = "/MA_COQUAN",
                  .unit_name = "/TEN",
                  .unit_kind = "/LOAI_COQUAN",
                  KINDS(kinds_rest),
                  VALUES(values_rest)},
        [NATIONAL] = {.name = "national",
                      .envelope = "/code=OK",
                      .rows = "/data/evaluation",
                      .unit_code = "/departmentCode",
                      .unit_name = "/departmentName",
                      .kind_default = "province",
                      VALUES(values_national)},
        [TREE] = {.name = "progress",
                  .envelope = "/code=OK",
                  .scope_check = "/data/parent/departmentId",
                  .rows = "/data/children",
                  .parent = "/data/parent",
                  .unit_code = "/departmentCode",
                  .unit_name = "/departmentName",
                  .unit_kind = "/level",
                  KINDS(kinds_level),
                  .parent_kind = "province",
                  VALUES(values_tree),
                  .parent_values = values_tree_parent,
                  .n_parent_values = ELEMENTSOF(values_tree_parent)},
        [LIST] = {.name = "digitization",
                  .envelope = "/code=OK",
                  .rows = "/data/evaluation",
                  .parent = "/data/overview",
                  .pages_kind = PAGES_POINTER,
                  .pages = "/data/pagination/totalPages",
                  .unit_code = "/departmentCode",
                  .unit_name = "/departmentName",
                  .unit_kind = "/departmentLevel",
                  KINDS(kinds_level),
                  VALUES(values_list)},
        [IGATE] = {.name = "igate",
                   .rows = "/content",
                   .pages_kind = PAGES_SHORT,
                   .page_size = 2,
                   .unit_code = "/agency/code",
                   .unit_name = "/agency/name",
                   .kind_default = "commune",
                   VALUES(values_igate)},
};

/* A configuration of one source with the parts given, and what was decoded with it. */
typedef struct World {
        PartDef parts[N_PARTS];
        IndicatorDef indicators[N_INDICATORS];
        SourceDef source;
        Config config;
        Snapshot *s;
        Diag diag;
} World;

static void world_init(World *w, DecimalStyle numbers, const int *parts, size_t n) {
        *w = (World){0};
        memcpy(w->indicators, indicators, sizeof indicators);
        for (size_t i = 0; i < n; i++)
                w->parts[i] = all_parts[parts[i]];
        w->source = (SourceDef){.name = "portal",
                                .numbers = numbers,
                                .prefix = "",
                                .parts = w->parts,
                                .n_parts = n};
        w->config = (Config){.indicators = w->indicators,
                             .n_indicators = N_INDICATORS,
                             .sources = &w->source,
                             .n_sources = 1};
        assert_int_equal(snapshot_new(&w->config, 0, &w->s), 0);
}

static void world_done(World *w) {
        snapshot_free(w->s);
        diag_done(&w->diag);
}

#define WORLD(w, ...)                                                                              \
        CLEANUP(world_done) World w;                                                               \
        world_init(&(w), DECIMAL_DOT, (const int[]){__VA_ARGS__},                                  \
                   ELEMENTSOF(((const int[]){__VA_ARGS__})))

static int feed(World *w, size_t part, const char *scope, const char *body) {
        CLEANUP(decode_seen_freep) DecodeSeen *seen = NULL;
        return decode_part(w->s, &w->config, 0, part, scope, body, strlen(body), &seen, NULL, NULL,
                           &w->diag);
}

static char *fixture(const char *name) {
        char path[4096];
        (void) snprintf(path, sizeof path, CHISO_SOURCE_DIR "/tests/fixtures/decode/%s", name);
        FILE *f = fopen(path, "rb");
        if (!f)
                fail_msg("%s", path);
        char *text = calloc(1, 1 << 16);
        assert_non_null(text);
        assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
        (void) fclose(f);
        return text;
}

static void feed_fixture(World *w, size_t part, const char *scope, const char *name) {
        CLEANUP_FREE char *body = fixture(name);
        if (feed(w, part, scope, body) != 0)
                fail_msg("%s: %s", name, diag_first_error(&w->diag, "?"));
}

static void finish(World *w) {
        if (decode_finish(w->s, &w->config, 0, &w->diag) != 0)
                fail_msg("%s", diag_first_error(&w->diag, "?"));
}

static const char *why_text(uint8_t why) {
        static const char *const names[] = {"value", "missing", "empty", "bad", "gone"};
        return names[why];
}

/* The row of a code as text: only the columns that are asked for. */
static void check_row(const World *w, const char *code, const size_t *columns, size_t n,
                      const char *expected) {
        CLEANUP(buf_done) Buf text = BUF_INIT(4096);
        for (size_t u = 0; u < w->s->n_units; u++) {
                if (!streq(w->s->units[u].code, code))
                        continue;
                assert_int_equal(buf_printf(&text, "%s/%s/%d", w->s->units[u].name,
                                            w->s->units[u].kind, w->s->units[u].is_scope),
                                 0);
                for (size_t i = 0; i < n; i++) {
                        int c = snapshot_column(w->s, columns[i]);
                        assert_true(c >= 0);
                        size_t cell = u * w->s->n_columns + (size_t) c;
                        if (w->s->why[cell] == WHY_VALUE)
                                assert_int_equal(
                                        buf_printf(&text, " %lld", (long long) w->s->value[cell]),
                                        0);
                        else
                                assert_int_equal(
                                        buf_printf(&text, " %s", why_text(w->s->why[cell])), 0);
                        assert_int_equal(w->s->why[cell] == WHY_VALUE,
                                         w->s->value[cell] != VALUE_NONE);
                }
        }
        assert_string_equal(buf_text(&text), expected);
}

#define ROW(w, code, expected, ...)                                                                \
        check_row(&(w), (code), (const size_t[]){__VA_ARGS__},                                     \
                  ELEMENTSOF(((const size_t[]){__VA_ARGS__})), (expected))

static const char *note_of(const World *w, const char *code, size_t indicator) {
        for (size_t i = 0; i < w->s->n_notes; i++)
                if (streq(w->s->units[w->s->notes[i].unit].code, code) &&
                    w->s->notes[i].indicator == indicator)
                        return w->s->notes[i].text;
        return "none";
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void reads_the_bare_array_of_texts(void **state UNUSED) {
        WORLD(w, REST);
        feed_fixture(&w, 0, "", "restjsp.json");
        finish(&w);
        assert_int_equal(w.s->n_units, 3); /* the province is left out by `where` */
        assert_string_equal(w.s->units[0].code, "H99.01");
        assert_string_equal(w.s->units[1].code, "H99.02");
        assert_string_equal(w.s->units[2].code, "H99.08");
        ROW(w, "H99.02",
            "UBND xã Đông Hải - tỉnh Thử Nghiệm/commune/0 9321 1800 1981 810 855 2075 1800 9905",
            TOTAL, OPENNESS, PROGRESS_POINTS, ONLINE, PAYMENT, DIGITIZATION, SATISFACTION,
            PROGRESS);
        /* Absent, null, "" and "-" are missing; the total is not checked against a part of its
         * groups. */
        ROW(w, "H99.01",
            "UBND Đặc khu Hòn Tre - tỉnh Thử Nghiệm/commune/0 4610 missing 2000 810 missing "
            "missing missing 10000",
            TOTAL, OPENNESS, PROGRESS_POINTS, ONLINE, PAYMENT, DIGITIZATION, SATISFACTION,
            PROGRESS);
        /* A published zero is zero. */
        ROW(w, "H99.08", "Thanh tra tỉnh Thử Nghiệm/department/0 3021 0 0 0", TOTAL,
            PROGRESS_POINTS, DIGITIZATION, PROGRESS);
        assert_int_equal(w.s->n_bad, 0);
        assert_int_equal(w.s->n_notes, 0);
        assert_int_equal(w.s->n_values, 8 + 4 + 8);
        assert_null(w.s->delta);
        assert_int_equal(snapshot_column(w.s, ELSEWHERE), -1);
}

static void reads_the_tree_with_other_names_in_the_parent(void **state UNUSED) {
        WORLD(w, TREE);
        feed_fixture(&w, 0, "p-1", "tree.json");
        finish(&w);
        assert_int_equal(w.s->n_units, 4);
        ROW(w, "H99", "UBND tỉnh Thử Nghiệm/province/1 1920 9602 4500 4321 missing missing missing",
            PROGRESS_POINTS, PROGRESS, RECEIVED, ON_TIME, LATE, LATE_SHARE, DONE);
        ROW(w, "H99.01",
            "Văn phòng UBND Tỉnh - Tỉnh Thử Nghiệm/department/0 empty empty 0 0 0 empty 0",
            PROGRESS_POINTS, PROGRESS, RECEIVED, ON_TIME, LATE, LATE_SHARE, DONE);
        /* 652 of 3000 is 21.7333...; the published percent stands, though 15.65 of 20 is 78.25. */
        ROW(w, "H99.100", "UBND Phường Bến Đá/commune/0 1565 7827 3000 2348 652 2173 3000",
            PROGRESS_POINTS, PROGRESS, RECEIVED, ON_TIME, LATE, LATE_SHARE, DONE);

        size_t column = (size_t) snapshot_column(w.s, PROGRESS_POINTS);
        static const struct {
                const char *code;
                int64_t delta;
        } deltas[] = {
                {"H99", VALUE_NONE}, {"H99.01", VALUE_NONE}, {"H99.08", 101}, {"H99.100", -35}};
        for (size_t u = 0; u < ELEMENTSOF(deltas); u++) {
                assert_string_equal(w.s->units[u].code, deltas[u].code);
                assert_int_equal(w.s->delta[u * w.s->n_columns + column], deltas[u].delta);
        }
}

static void reads_the_list_page_by_page(void **state UNUSED) {
        WORLD(w, LIST);
        CLEANUP_FREE char *one = fixture("list-1.json"), *two = fixture("list-2.json");
        CLEANUP(decode_seen_freep) DecodeSeen *seen = NULL;
        size_t pages = 0, rows = 0;
        assert_int_equal(decode_part(w.s, &w.config, 0, 0, "", one, strlen(one), &seen, &pages,
                                     &rows, &w.diag),
                         0);
        assert_int_equal(pages, 2);
        assert_int_equal(rows, 2);
        assert_int_equal(decode_part(w.s, &w.config, 0, 0, "", two, strlen(two), &seen, &pages,
                                     &rows, &w.diag),
                         0);
        assert_int_equal(rows, 1);
        finish(&w);
        ROW(w, "H99.100", "UBND Phường Bến Đá/commune/0 776 1087 10000", DIGITIZATION, SCANNED,
            COPIES);
        /* Over nothing: no share; the certified copies publish no denominator, so their share
         * stands. */
        ROW(w, "H99.01", "Văn phòng UBND tỉnh/department/0 200 empty 10000", DIGITIZATION, SCANNED,
            COPIES);
        /* A metric listed twice cannot be told apart. */
        ROW(w, "H99.130", "UBND xã Mới Về/commune/0 1250 missing missing", DIGITIZATION, SCANNED,
            COPIES);

        /* The first page once more is a unit twice in one part. */
        WORLD(v, LIST);
        CLEANUP(decode_seen_freep) DecodeSeen *again = NULL;
        assert_int_equal(decode_part(v.s, &v.config, 0, 0, "", one, strlen(one), &again, NULL, NULL,
                                     &v.diag),
                         0);
        assert_int_equal(decode_part(v.s, &v.config, 0, 0, "", one, strlen(one), &again, NULL, NULL,
                                     &v.diag),
                         DECODE_E_REJECTED);
        assert_string_equal(diag_first_error(&v.diag, "-"),
                            "part digitization has the unit H99.100 twice");
}

static void checks_totals_of_the_national_summary(void **state UNUSED) {
        WORLD(w, NATIONAL);
        feed_fixture(&w, 0, "", "national.json");
        finish(&w);
        ROW(w, "H99", "UBND tỉnh Thử Nghiệm/province/0 5741 600 8760", TOTAL, OPENNESS, PROGRESS);
        ROW(w, "H98", "UBND Thành phố Ví Dụ/province/0 6000", TOTAL); /* off by exactly 0.03 */
        ROW(w, "H97", "UBND tỉnh Lệch/province/0 bad 996", TOTAL, DIGITIZATION);
        assert_int_equal(w.s->n_bad, 1);
        assert_int_equal(w.s->n_notes, 1);
        assert_string_equal(note_of(&w, "H97", TOTAL),
                            "total 60.00 is off the sum of its groups 59.96");
        size_t column = (size_t) snapshot_column(w.s, TOTAL);
        assert_int_equal(w.s->delta[0 * w.s->n_columns + column], -80);
        assert_int_equal(w.s->delta[1 * w.s->n_columns + column], VALUE_NONE);
        assert_int_equal(w.s->delta[2 * w.s->n_columns + column], 2471);
}

static void totals_are_checked_under_their_prefix(void **state UNUSED) {
        WORLD(w, NATIONAL);
        static const char *const names[] = {"old_total",
                                            "old_openness_points",
                                            "old_progress_points",
                                            "old_online_points",
                                            "old_payment_points",
                                            "old_digitization_points",
                                            "old_satisfaction_points"};
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                w.indicators[TOTAL + i].name = names[i];
        w.source.prefix = "old_";
        feed_fixture(&w, 0, "", "national.json");
        finish(&w);
        assert_string_equal(note_of(&w, "H97", TOTAL),
                            "old_total 60.00 is off the sum of its groups 59.96");
}

static void reads_nested_agencies_and_short_pages(void **state UNUSED) {
        WORLD(w, IGATE);
        CLEANUP_FREE char *body = fixture("igate.json");
        CLEANUP(decode_seen_freep) DecodeSeen *seen = NULL;
        size_t pages = 9, rows = 9;
        assert_int_equal(decode_part(w.s, &w.config, 0, 0, "", body, strlen(body), &seen, &pages,
                                     &rows, &w.diag),
                         0);
        assert_int_equal(pages, 0);
        assert_int_equal(rows, 2);
        assert_int_equal(decode_part(w.s, &w.config, 0, 0, "", "{\"content\":[]}", 14, &seen,
                                     &pages, &rows, &w.diag),
                         0);
        assert_int_equal(pages, 1);
        assert_int_equal(rows, 0);
        finish(&w);
        ROW(w, "H99.08", "UBND xã Gò Sành/commune/0 120 7500 missing", RECEIVED, SCANNED, COPIES);
        ROW(w, "00004", "UBND phường Bến Đá/commune/0 0 empty 10000", RECEIVED, SCANNED, COPIES);
}

static void parts_fill_the_same_rows(void **state UNUSED) {
        WORLD(w, TREE, LIST);
        feed_fixture(&w, 0, "p-1", "tree.json");
        feed_fixture(&w, 1, "p-1", "list-1.json");
        finish(&w);
        assert_int_equal(w.s->n_units, 4);
        ROW(w, "H99.01", "Văn phòng UBND Tỉnh - Tỉnh Thử Nghiệm/department/0 empty 200", PROGRESS,
            DIGITIZATION);
        ROW(w, "H99.100", "UBND Phường Bến Đá/commune/0 7827 776", PROGRESS, DIGITIZATION);
        ROW(w, "H99.08", "UBND xã Gò Sành/commune/0 10000 missing", PROGRESS, DIGITIZATION);
}

/* ---- figures --------------------------------------------------------------------------------- */

static void one_figure(DecimalStyle style, const char *json, const char *expected,
                       const char *note) {
        CLEANUP(world_done) World w;
        CLEANUP(buf_done) Buf body = BUF_INIT(4096);
        world_init(&w, style, (const int[]){REST}, 1);
        w.parts[0].where = NULL;
        assert_int_equal(buf_printf(&body, "[{\"MA_COQUAN\":\"x\",\"TDGQ\":%s}]", json), 0);
        if (feed(&w, 0, "", buf_text(&body)) != 0)
                fail_msg("%s: %s", json, diag_first_error(&w.diag, "?"));
        finish(&w);
        ROW(w, "x", expected, PROGRESS_POINTS);
        assert_string_equal(note_of(&w, "x", PROGRESS_POINTS), note);
        assert_int_equal(w.s->n_bad, streq(note, "none") ? 0 : 1);
}

static void reads_figures(void **state UNUSED) {
        static const struct {
                DecimalStyle style;
                const char *json, *expected, *note;
        } table[] = {
                {DECIMAL_DOT, "19.81", "//0 1981", "none"},
                {DECIMAL_DOT, "1.005", "//0 101", "none"},
                {DECIMAL_DOT, "20", "//0 2000", "none"},
                {DECIMAL_DOT, "0", "//0 0", "none"},
                {DECIMAL_DOT, "1.5e1", "//0 1500", "none"},
                {DECIMAL_DOT, "\"19.81\"", "//0 1981", "none"},
                {DECIMAL_DOT, "\"19,81\"", "//0 bad", "progress_points: '19,81' is no number"},
                {DECIMAL_COMMA, "\"19,81\"", "//0 1981", "none"},
                {DECIMAL_COMMA, "19.81", "//0 1981", "none"}, /* JSON numbers always have dots */
                {DECIMAL_COMMA, "\"19.81\"", "//0 bad", "progress_points: '19.81' is no number"},
                {DECIMAL_DOT, "null", "//0 missing", "none"},
                {DECIMAL_DOT, "\"\"", "//0 missing", "none"},
                {DECIMAL_DOT, "\" \"", "//0 missing", "none"},
                {DECIMAL_DOT, "\"-\"", "//0 missing", "none"},
                {DECIMAL_DOT, "20.01", "//0 bad", "progress_points 20.01 is outside 0.00..20.00"},
                {DECIMAL_DOT, "-1", "//0 bad", "progress_points -1.00 is outside 0.00..20.00"},
                {DECIMAL_DOT, "true", "//0 bad", "progress_points: true is no number"},
                {DECIMAL_DOT, "false", "//0 bad", "progress_points: false is no number"},
                {DECIMAL_DOT, "{}", "//0 bad", "progress_points: an object is no number"},
                {DECIMAL_DOT, "[1]", "//0 bad", "progress_points: an array is no number"},
                {DECIMAL_DOT, "\"NaN\"", "//0 bad", "progress_points: 'NaN' is no number"},
                {DECIMAL_DOT, "\"1e999\"", "//0 bad", "progress_points: '1e999' is no number"},
                {DECIMAL_DOT, "\"1e1\"", "//0 bad", "progress_points: '1e1' is no number"},
                {DECIMAL_DOT, "\"1000000000000000\"", "//0 bad",
                 "progress_points: '1000000000000000' is beyond all bounds"},
                {DECIMAL_DOT, "1e40", "//0 bad", "progress_points: a number is beyond all bounds"},
                {DECIMAL_DOT, "9223372036854775807", "//0 bad",
                 "progress_points: a number is beyond all bounds"},
                {DECIMAL_DOT, "\"a\\nb \\u202e c\"", "//0 bad",
                 "progress_points: 'a b   c' is no number"},
                {DECIMAL_DOT, "\"không có số liệu, sẽ cập nhật vào tháng sau\"", "//0 bad",
                 "progress_points: 'không có số liệu, sẽ cập nhậ...' is no number"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                one_figure(table[i].style, table[i].json, table[i].expected, table[i].note);
}

static void empty_denominators_follow_the_indicator(void **state UNUSED) {
        static const struct {
                EmptyPolicy empty;
                const char *row, *expected;
        } table[] = {
                {EMPTY_MISSING, "\"totalReceived\":0,\"score\":0", "//0 empty"},
                {EMPTY_ZERO, "\"totalReceived\":0,\"score\":null", "//0 0"},
                {EMPTY_FULL, "\"totalReceived\":\"0\",\"score\":0", "//0 2000"},
                {EMPTY_FULL, "\"totalReceived\":null,\"score\":0", "//0 0"},
                {EMPTY_ZERO, "\"totalReceived\":1,\"score\":null", "//0 missing"},
                {EMPTY_MISSING, "\"totalReceived\":0.4,\"score\":1", "//0 100"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                WORLD(w, TREE);
                CLEANUP(buf_done) Buf body = BUF_INIT(4096);
                w.indicators[PROGRESS_POINTS].empty = table[i].empty;
                assert_int_equal(buf_printf(&body,
                                            "{\"code\":\"OK\",\"data\":{\"children\":[{"
                                            "\"departmentCode\":\"x\",%s}]}}",
                                            table[i].row),
                                 0);
                assert_int_equal(feed(&w, 0, "", buf_text(&body)), 0);
                finish(&w);
                ROW(w, "x", table[i].expected, PROGRESS_POINTS);
        }
}

static void derived_figures_are_exact(void **state UNUSED) {
        static const struct {
                const char *row, *expected;
        } table[] = {
                /* 1 of 8 is 12.5 %; 1 of 3 is rounded; 2 of 3 away from zero. */
                {"\"totalReceived\":8,\"totalOverdue\":1,\"totalOnTime\":7", "//0 1250 8"},
                {"\"totalReceived\":3,\"totalOverdue\":1,\"totalOnTime\":2", "//0 3333 3"},
                {"\"totalReceived\":3,\"totalOverdue\":2,\"totalOnTime\":1", "//0 6667 3"},
                {"\"totalReceived\":0,\"totalOverdue\":0,\"totalOnTime\":null",
                 "//0 empty missing"},
                {"\"totalReceived\":5,\"totalOverdue\":\"x\",\"totalOnTime\":1",
                 "//0 missing missing"},
                {"\"totalReceived\":2,\"totalOverdue\":3,\"totalOnTime\":1", "//0 bad 4"},
                {"\"totalReceived\":1,\"totalOverdue\":90000000000000,\"totalOnTime\":"
                 "90000000000000",
                 "//0 bad bad"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                WORLD(w, TREE);
                CLEANUP(buf_done) Buf body = BUF_INIT(4096);
                assert_int_equal(buf_printf(&body,
                                            "{\"code\":\"OK\",\"data\":{\"children\":[{"
                                            "\"departmentCode\":\"x\",%s}]}}",
                                            table[i].row),
                                 0);
                assert_int_equal(feed(&w, 0, "", buf_text(&body)), 0);
                finish(&w);
                ROW(w, "x", table[i].expected, LATE_SHARE, DONE);
        }
}

/* ---- rejections ------------------------------------------------------------------------------ */

static void rejects_with_the_reason(void **state UNUSED) {
        static const struct {
                int part;
                const char *body, *reason;
        } table[] = {
                {REST, "", "an empty answer instead of JSON"},
                {REST, " \r\n", "an empty answer instead of JSON"},
                {REST,
                 "\n<html><head>\n<title>Request Rejected</title></head><body>The requested URL "
                 "was rejected.",
                 "HTML instead of JSON: '<html><head> <title>Request "
                 "Rejected</title></head><body>The...'"},
                {REST, "OK", "no JSON object or array: 'OK'"},
                {REST, "[{\"MA_COQUAN\":\"1\"},",
                 "truncated JSON: 1 brackets are open after 19 bytes"},
                {REST, "[{\"MA_COQUAN\":\"1", "truncated JSON: 16 bytes end inside a string"},
                {REST, "[{\"MA_COQUAN\":\"1\\\"}]", "truncated JSON: 20 bytes end inside a string"},
                {REST, "[1] x", "not JSON: end of file expected near 'x' (byte 5)"},
                {REST, "[{\"a\":1,\"a\":2}]",
                 "not JSON: duplicate object key near '\"a\"' (byte 11)"},
                {REST, "\xef\xbb\xbf[{\"MA_COQUAN\":\"1\"} {\"MA_COQUAN\":\"2\"}]",
                 "not JSON: ']' expected near '{' (byte 22)"},
                {REST, "[{\"MA_COQUAN\":\"1\"},]", "not JSON: unexpected token near ']' (byte 20)"},
                {REST, "[,{\"MA_COQUAN\":\"1\"}]", "not JSON: unexpected token near ',' (byte 2)"},
                {REST, "[{\"a\":[1},{\"b\":2]}]", "not JSON: ']' expected near '}' (byte 9)"},
                {TREE,
                 "{\"code\":\"OK\",\"data\":{\"parent\":{\"departmentId\":\"p-1\"},\"children\":[{"
                 "\"departmentCode\":\"x\"}]},\"code\":\"OK\"}",
                 "not JSON: duplicate object key near '\"code\"' (byte 96)"},
                {TREE,
                 "{\"code\":\"OK\",\"data\":{\"parent\":{\"departmentId\":\"p-1\"},\"children\":[],"
                 "\"child\\u0072en\":[{\"departmentCode\":\"x\"}]}}",
                 "not JSON: duplicate object key near '\"child\\u0072en\"' (byte 82)"},
                {REST, "{}", "part rest: no array of rows at ''"},
                {TREE, "{\"code\":\"ERROR\",\"message\":\"x\"}",
                 "part progress: the answer says 'ERROR' where /code=OK was expected"},
                {TREE, "{\"data\":{}}",
                 "part progress: the answer says 'nothing' where /code=OK was expected"},
                {TREE,
                 "{\"code\":\"OK\",\"data\":{\"parent\":{\"departmentId\":\"p-2\"},\"children\":[]}"
                 "}",
                 "part progress: the answer is about 'p-2', asked was 'p-1'"},
                {TREE,
                 "{\"code\":\"OK\",\"data\":{\"parent\":{\"departmentId\":\"p-1\"},\"children\":"
                 "null}}",
                 "part progress: no array of rows at '/data/children'"},
                {LIST, "{\"code\":\"OK\",\"data\":{\"evaluation\":[]}}",
                 "part digitization: no usable number of pages at /data/pagination/totalPages"},
                {LIST,
                 "{\"code\":\"OK\",\"data\":{\"evaluation\":[],\"pagination\":{\"totalPages\":"
                 "1000000}}}",
                 "part digitization: no usable number of pages at /data/pagination/totalPages"},
                {IGATE,
                 "{\"content\":[{\"agency\":{\"code\":\"a\"}},{\"agency\":{\"name\":\"b\"}}]}",
                 "part igate: row 2 has no unit code"},
                {IGATE, "{\"content\":[{\"agency\":{\"code\":\" \\u200b\"}}]}",
                 "part igate: row 1 has no unit code"},
                {IGATE, "{\"content\":[{\"agency\":{\"code\":12337.0}}]}",
                 "part igate: row 1 has no unit code"},
                {IGATE, "{\"content\":[1]}", "part igate: row 1 has no unit code"},
                {IGATE,
                 "{\"content\":[{\"agency\":{\"code\":\"a\"}},{\"agency\":{\"code\":\" a\"}}]}",
                 "part igate has the unit a twice"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                WORLD(w, table[i].part);
                assert_int_equal(feed(&w, 0, "p-1", table[i].body), DECODE_E_REJECTED);
                assert_string_equal(diag_first_error(&w.diag, "-"), table[i].reason);
        }
}

static void rejects_a_snapshot_without_rows(void **state UNUSED) {
        WORLD(w, TREE);
        assert_int_equal(feed(&w, 0, "p-1",
                              "{\"code\":\"OK\",\"data\":{\"parent\":{\"departmentId\":\"p-1\","
                              "\"departmentCode\":\"H99\"},\"children\":[]}}"),
                         0);
        assert_int_equal(decode_finish(w.s, &w.config, 0, &w.diag), DECODE_E_REJECTED);
        assert_string_equal(diag_first_error(&w.diag, "-"), "no rows");
}

static void a_malformed_pointer_rejects(void **state UNUSED) {
        WORLD(w, IGATE);
        w.parts[0].unit_name = "agency";
        assert_int_equal(feed(&w, 0, "", "{\"content\":[]}"), DECODE_E_REJECTED);
        assert_string_equal(diag_first_error(&w.diag, "-"), "part igate has a malformed pointer");
}

static void names_are_cleaned_and_codes_may_be_numbers(void **state UNUSED) {
        WORLD(w, IGATE);
        assert_int_equal(feed(&w, 0, "",
                              "\xef\xbb\xbf{\"content\":[{\"agency\":{\"code\":12364,"
                              "\"name\":\" X\xc3\xa3  N\\u1ead\\u00a0m \"}},"
                              "{\"agency\":{\"code\":\"00004\",\"name\":\"a\\u0323\\u0302\"}}]}"),
                         0);
        finish(&w);
        ROW(w, "12364", "Xã Nậ m/commune/0 missing", RECEIVED);
        ROW(w, "00004", "ậ/commune/0 missing", RECEIVED);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static int scan_repeated(const char *head, const char *piece, size_t n, const char *tail) {
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        assert_int_equal(buf_str(&text, head), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(buf_str(&text, piece), 0);
        assert_int_equal(buf_str(&text, tail), 0);
        return decode_scan(buf_text(&text), text.len, NULL);
}

static void the_scan_bounds_depth_and_values(void **state UNUSED) {
        static const struct {
                const char *head, *piece;
                size_t n;
                const char *tail;
                int r;
        } table[] = {
                {"", "[", 33, "", DECODE_E_REJECTED},
                {"[", "1,", 499998, "1]", 0},
                {"[", "1,", 499999, "1]", DECODE_E_REJECTED},
                {"[", "\"[[\",", 499998, "1]", 0},
                {"[", "\"\\\"[\",", 499999, "1]", DECODE_E_REJECTED},
                {"{", "\"a\":1,", 499998, "\"b\":null}", 0}, /* keys are no values */
                {"{", "\"a\":1,", 499999, "\"b\":null}", DECODE_E_REJECTED},
                {"[", "[],", 499999, "[]]", DECODE_E_REJECTED},
                /* Colons cannot hide values behind them. */
                {"[1", ":::", 1000, "]", 0},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_int_equal(
                        scan_repeated(table[i].head, table[i].piece, table[i].n, table[i].tail),
                        table[i].r);
        assert_int_equal(
                decode_scan("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 64,
                            NULL),
                0);
        assert_int_equal(
                decode_scan("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
                            66, NULL),
                DECODE_E_REJECTED);
}

static void units_and_notes_are_bounded(void **state UNUSED) {
        for (size_t n = DECODE_MAX_UNITS; n <= DECODE_MAX_UNITS + 1; n++) {
                WORLD(w, IGATE);
                CLEANUP(buf_done) Buf body = BUF_INIT(BUF_MAX_TEXT);
                assert_int_equal(buf_str(&body, "{\"content\":["), 0);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(
                                buf_printf(&body,
                                           "%s{\"agency\":{\"code\":\"%zu\"},\"totalReceiver\":-1}",
                                           i ? "," : "", i),
                                0);
                assert_int_equal(buf_str(&body, "]}"), 0);
                int r = feed(&w, 0, "", buf_text(&body));
                assert_int_equal(r, n == DECODE_MAX_UNITS ? 0 : DECODE_E_REJECTED);
                assert_int_equal(w.s->n_notes, DECODE_MAX_NOTES);
                if (r != 0) {
                        assert_string_equal(diag_first_error(&w.diag, "-"),
                                            "more than 20000 units");
                        continue;
                }
                finish(&w);
                assert_int_equal(w.s->n_bad, DECODE_MAX_UNITS);
                for (size_t i = 1; i < w.s->n_units; i++)
                        assert_true(strcmp(w.s->units[i - 1].code, w.s->units[i].code) < 0);
                /* Notes moved with their units: the first row was 0, and sorts first. */
                assert_int_equal(w.s->notes[0].unit, 0);
                assert_string_equal(w.s->units[w.s->notes[999].unit].code, "999");
        }
}

static void a_row_of_dots_is_no_unit(void **state UNUSED) {
        static const char *const ends[] = {
                "{\"agency\":{\"code\":\"...\",\"name\":\"...\"}}",
                "{\"agency\":{\"code\":\"\",\"name\":\"\u2026\"},\"totalReceiver\":7}",
                "{\"agency\":{\"code\":\" ...... \"}}",
        };
        CLEANUP(buf_done) Buf body = BUF_INIT(BUF_MAX_TEXT);
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                WORLD(w, IGATE);
                body.len = 0;
                assert_int_equal(buf_printf(&body,
                                            "{\"content\":[{\"agency\":{\"code\":\"1\"},"
                                            "\"totalReceiver\":5},%s]}",
                                            ends[i]),
                                 0);
                assert_int_equal(feed(&w, 0, "", buf_text(&body)), 0);
                finish(&w);
                assert_int_equal(w.s->n_units, 1);
                assert_string_equal(w.s->open_part, "igate");
                assert_int_equal(w.s->n_bad, 0);
        }
        WORLD(named, IGATE); /* a unit whose name is cut off is a unit */
        assert_int_equal(feed(&named, 0, "",
                              "{\"content\":[{\"agency\":{\"code\":\"2\",\"name\":\"...\"},"
                              "\"totalReceiver\":5}]}"),
                         0);
        assert_int_equal(named.s->n_units, 1);
        assert_null(named.s->open_part);
}

/* ---- torn sets ------------------------------------------------------------------------------- */

static void equal_means_units_and_values(void **state UNUSED) {
        static const struct {
                const char *a, *b;
                bool is_equal;
        } table[] = {
#define ROWS(x) "{\"content\":[" x "]}"
#define U(code, n) "{\"agency\":{\"code\":\"" code "\"},\"totalReceiver\":" n "}"
                {ROWS(U("a", "1") "," U("b", "2")), ROWS(U("b", "2") "," U("a", "1")), true},
                {ROWS(U("a", "1") "," U("b", "2")), ROWS(U("a", "1") "," U("b", "3")), false},
                {ROWS(U("a", "1") "," U("b", "2")), ROWS(U("a", "1")), false},
                {ROWS(U("a", "1")), ROWS(U("a", "1") "," U("b", "2")), false},
                {ROWS(U("a", "1") "," U("b", "null")), ROWS(U("a", "1") "," U("c", "null")), false},
                {ROWS(U("a", "0")), ROWS(U("a", "null")), false},
                {ROWS(U("a", "null")), ROWS(U("a", "0")), false},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                WORLD(a, IGATE);
                WORLD(b, IGATE);
                assert_int_equal(feed(&a, 0, "", table[i].a), 0);
                assert_int_equal(feed(&b, 0, "", table[i].b), 0);
                assert_int_equal(snapshot_equal(a.s, b.s, false), table[i].is_equal);
                assert_int_equal(snapshot_equal(b.s, a.s, false), table[i].is_equal);
                finish(&a);
                finish(&b);
                assert_int_equal(snapshot_equal(a.s, b.s, false), table[i].is_equal);
        }
}

static void a_part_is_compared_in_its_own_columns(void **state UNUSED) {
        WORLD(whole, TREE, LIST);
        WORLD(same, TREE, LIST);
        WORLD(other, TREE, LIST);
        feed_fixture(&whole, 0, "p-1", "tree.json");
        feed_fixture(&whole, 1, "p-1", "list-1.json");
        feed_fixture(&whole, 1, "p-1", "list-2.json");
        feed_fixture(&same, 0, "p-1", "tree.json");
        assert_true(snapshot_equal(whole.s, same.s, true));
        assert_false(snapshot_equal(whole.s, same.s, false));

        /* One page of a part that has two. */
        WORLD(page, TREE, LIST);
        feed_fixture(&page, 1, "p-1", "list-2.json");
        assert_true(snapshot_equal(whole.s, page.s, true));
        assert_false(snapshot_equal(page.s, whole.s, true));

        CLEANUP_FREE char *body = fixture("tree.json");
        char *digit = strstr(body, "2348");
        assert_non_null(digit);
        digit[3] = '9';
        assert_int_equal(feed(&other, 0, "p-1", body), 0);
        assert_false(snapshot_equal(whole.s, other.s, true));
}

/* ---- pointers -------------------------------------------------------------------------------- */

static void pointers_follow_rfc_6901(void **state UNUSED) {
        /* The document and pointers of the RFC's section 5, and our own step. */
        static const char document[] =
                "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/"
                "b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
                "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"r\":1.25,\"t\":true,\"z\":null,\"0\":\"member\","
                "\"l\":[{\"k\":\"x\",\"v\":1},{\"k\":\"y\",\"v\":2},{\"k\":\"y\",\"v\":3},{\"k\":4,"
                "\"v\":5},"
                "{\"k\":\"a/b=]\",\"v\":6}],\"o\":{\"[k=x]\":1}}";
        static const struct {
                const char *pointer, *text; /* NULL: not there */
        } table[] = {
                {"/foo/0", "bar"},    {"/foo/1", "baz"},
                {"/", "0"},           {"/a~1b", "1"},
                {"/c%d", "2"},        {"/e^f", "3"},
                {"/g|h", "4"},        {"/i\\j", "5"},
                {"/k\"l", "6"},       {"/ ", "7"},
                {"/m~0n", "8"},       {"/r", "1.25"},
                {"/t", "true"},       {"/z", NULL},
                {"", NULL},           {"/foo", NULL},
                {"/foo/2", NULL},     {"/foo/00", NULL},
                {"/foo/01", NULL},    {"/foo/-", NULL},
                {"/foo/-1", NULL},    {"/foo/99999999999999999999", NULL},
                {"/0", "member"},     {"/l/[k=x]/v", "1"},
                {"/l/[k=y]/v", NULL}, {"/l/[k=z]/v", NULL},
                {"/l/[k=4]/v", "5"},  {"/l/[k=a~1b=]]/v", "6"},
                {"/o/[k=x]", NULL},   {"/foo/[k=x]", NULL},
                {"/t/x", NULL},       {"foo", NULL},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP_FREE char *text = NULL;
                int r = decode_pointer_text(document, sizeof document - 1, table[i].pointer, &text);
                if (r != (table[i].text ? 0 : DECODE_E_REJECTED))
                        fail_msg("%s: %d", table[i].pointer, r);
                if (table[i].text)
                        assert_string_equal(text, table[i].text);
                else
                        assert_null(text);
        }
        char *text = NULL;
        assert_int_equal(decode_pointer_text("<html>", 6, "/a", &text), DECODE_E_REJECTED);
        assert_null(text);
}

static void pointers_and_tests_are_checked_at_load(void **state UNUSED) {
        static const char *const good[] = {"",       "/",     "/a/b",     "/~0~1",
                                           "/[a=b]", "/[a=]", "/[a==]/x", "//"};
        static const char *const bad[] = {"a",    "/~",    "/~2",   "/a~",     "/[",    "/[]",
                                          "/[a]", "/[=a]", "/[a=b", "/[a=b]c", "/[a=~]"};
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_int_equal(decode_pointer_check(good[i]), 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (decode_pointer_check(bad[i]) >= 0)
                        fail_msg("%s", bad[i]);
        char deep[80] = {0};
        for (size_t i = 0; i < 32; i++)
                (void) strcat(deep, "/a");
        assert_int_equal(decode_pointer_check(deep), 0);
        assert_true(decode_pointer_check(strcat(deep, "/a")) < 0);

        static const struct {
                const char *test;
                bool is_good;
        } tests[] = {{"/code=OK", true},       {"=x", true},     {"/a=", true},
                     {"/l/[k=v]/x=1|2", true}, {"/code", false}, {"code=OK", false},
                     {"/l/[k=v]", false},      {"/~=1", false}};
        for (size_t i = 0; i < ELEMENTSOF(tests); i++)
                if ((decode_test_check(tests[i].test) == 0) != tests[i].is_good)
                        fail_msg("%s", tests[i].test);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_the_bare_array_of_texts),
                cmocka_unit_test(reads_the_tree_with_other_names_in_the_parent),
                cmocka_unit_test(reads_the_list_page_by_page),
                cmocka_unit_test(checks_totals_of_the_national_summary),
                cmocka_unit_test(totals_are_checked_under_their_prefix),
                cmocka_unit_test(reads_nested_agencies_and_short_pages),
                cmocka_unit_test(parts_fill_the_same_rows),
                cmocka_unit_test(a_row_of_dots_is_no_unit),
                cmocka_unit_test(reads_figures),
                cmocka_unit_test(empty_denominators_follow_the_indicator),
                cmocka_unit_test(derived_figures_are_exact),
                cmocka_unit_test(rejects_with_the_reason),
                cmocka_unit_test(rejects_a_snapshot_without_rows),
                cmocka_unit_test(a_malformed_pointer_rejects),
                cmocka_unit_test(names_are_cleaned_and_codes_may_be_numbers),
                cmocka_unit_test(the_scan_bounds_depth_and_values),
                cmocka_unit_test(units_and_notes_are_bounded),
                cmocka_unit_test(equal_means_units_and_values),
                cmocka_unit_test(a_part_is_compared_in_its_own_columns),
                cmocka_unit_test(pointers_follow_rfc_6901),
                cmocka_unit_test(pointers_and_tests_are_checked_at_load),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
