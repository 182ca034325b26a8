/* First line: a pointer, and a test of it; the rest: an answer, read in each of the publishers'
 * shapes. What is accepted must keep the promises of core/decode.h. */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static IndicatorDef indicators[] = {
        {.name = "total", .decimals = 2, .max = 10000},
        {.name = "progress",
         .decimals = 2,
         .max = 10000,
         .unit = INDICATOR_PERCENT,
         .empty = EMPTY_FULL},
        {.name = "received", .max = VALUE_NONE},
        {.name = "share",
         .decimals = 2,
         .max = VALUE_NONE,
         .min = VALUE_NONE,
         .unit = INDICATOR_PERCENT,
         .derive = DERIVE_RATIO,
         .operand = {0, 2},
         .n_operands = 2},
        {.name = "sum",
         .decimals = 4,
         .max = VALUE_NONE,
         .derive = DERIVE_SUM,
         .operand = {0, 2},
         .n_operands = 2},
};
static ValueMap values_flat[] = {{0, "/TONG_SCORE", NULL, NULL}, {2, "/HS", NULL, NULL}};
static ValueMap values_tree[] = {
        {0, "/score", "/totalReceived", "/scoreDelta"},
        {1, "/metrics/[code=A]/ratio", "/metrics/[code=A]/denominator", NULL},
        {2, "/totalReceived", NULL, NULL}};
static KindMap kinds[] = {{"3", "commune"}, {"COMMUNE", "commune"}};
static PartDef parts[] = {
        {.name = "flat",
         .rows = "",
         .where = "/LOAI_COQUAN=2|3",
         .unit_code = "/MA_COQUAN",
         .unit_name = "/TEN",
         .unit_kind = "/LOAI_COQUAN",
         .kinds = kinds,
         .n_kinds = ELEMENTSOF(kinds),
         .values = values_flat,
         .n_values = ELEMENTSOF(values_flat)},
        {.name = "tree",
         .envelope = "/code=OK",
         .rows = "/data/children",
         .parent = "/data/parent",
         .unit_code = "/departmentCode",
         .unit_name = "/departmentName",
         .unit_kind = "/level",
         .kinds = kinds,
         .n_kinds = ELEMENTSOF(kinds),
         .parent_kind = "province",
         .values = values_tree,
         .n_values = ELEMENTSOF(values_tree)},
        {.name = "list",
         .rows = "/data/evaluation",
         .scope_check = "/code",
         .pages_kind = PAGES_POINTER,
         .pages = "/data/pagination/totalPages",
         .unit_code = "/departmentCode",
         .kind_default = "commune",
         .values = values_tree,
         .n_values = ELEMENTSOF(values_tree)},
};
static SourceDef source = {.name = "f", .prefix = "", .parts = parts, .n_parts = ELEMENTSOF(parts)};
static Config config = {.indicators = indicators,
                        .n_indicators = ELEMENTSOF(indicators),
                        .sources = &source,
                        .n_sources = 1};

static void require(bool holds) {
        if (!holds)
                abort();
}

static void check_finished(const Snapshot *s) {
        for (size_t u = 0; u < s->n_units; u++) {
                require(*s->units[u].code && s->units[u].name && s->units[u].kind);
                require(text_is_utf8(s->units[u].code, strlen(s->units[u].code)));
                require(u == 0 || strcmp(s->units[u - 1].code, s->units[u].code) < 0);
                for (size_t c = 0; c < s->n_columns; c++) {
                        size_t cell = u * s->n_columns + c;
                        int64_t value = s->value[cell];
                        require((s->why[cell] == WHY_VALUE) == (value != VALUE_NONE));
                        require(value == VALUE_NONE ||
                                (value >= -DECIMAL_LIMIT && value <= DECIMAL_LIMIT));
                        const IndicatorDef *def = &indicators[s->indicators[c]];
                        require(value == VALUE_NONE || def->max == VALUE_NONE || value <= def->max);
                        require(value == VALUE_NONE || def->min == VALUE_NONE || value >= def->min);
                }
        }
        for (size_t i = 0; i < s->n_notes; i++)
                require(s->notes[i].unit < s->n_units && s->notes[i].text);
        require(s->n_bad <= s->n_values && s->n_values <= s->n_units * s->n_columns);
        require(snapshot_equal(s, s, false));
}

static void decode_as(size_t part, const char *body, size_t n) {
        CLEANUP(snapshot_freep) Snapshot *s = NULL;
        CLEANUP(decode_seen_freep) DecodeSeen *seen = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        size_t pages, rows;
        if (snapshot_new(&config, 0, &s) < 0)
                abort();
        int r = decode_part(s, &config, 0, part, "OK", body, n, &seen, &pages, &rows, &diag);
        require(r >= 0 && (r == 0) == (diag.n_errors == 0));
        if (r != 0)
                return;
        r = decode_finish(s, &config, 0, &diag);
        require(r >= 0);
        if (r == 0)
                check_finished(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data, *end = size ? memchr(text, '\n', size) : NULL;
        size_t n = end ? (size_t) (end - text) : 0;
        CLEANUP_FREE char *pointer = strndup(text ? text : "", n);
        if (!pointer)
                abort();
        const char *body = end ? end + 1 : text;
        size_t n_body = end ? size - n - 1 : size;

        CLEANUP_FREE char *found = NULL;
        int good = decode_pointer_check(pointer);
        int r = decode_pointer_text(body, n_body, pointer, &found);
        require((r == 0) == (found != NULL) && (good == 0 || r != 0));
        (void) decode_test_check(pointer);
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                decode_as(i, body, n_body);
        return 0;
}
