/* The appendix as sheets: CSV for people and for programs, and a workbook. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "answer/report.h"
#include "base/text.h"

/* ---- CSV ------------------------------------------------------------------------------------- */

/* A cell that a spreadsheet would take for a formula gets an apostrophe (published names). */
static int add_text(Buf *out, const char *text) {
        int r = buf_char(out, '"');

        if (r == 0 && text_is_formula(text))
                r = buf_char(out, '\'');
        for (; r == 0 && *text; text++) {
                if (*text == '"')
                        r = buf_char(out, '"');
                if (r == 0)
                        r = buf_char(out, *text);
        }
        return r == 0 ? buf_char(out, '"') : r;
}

static int add_number(Buf *out, const json_t *value, bool is_machine) {
        char text[64];

        if (json_is_integer(value))
                return buf_printf(out, "%lld", (long long) json_integer_value(value));
        if (!json_is_number(value))
                return 0;
        long long hundredths = llround(json_number_value(value) * 100);
        long long size = llabs(hundredths);
        (void) snprintf(text, sizeof(text), "%s%lld%c%02lld", hundredths < 0 ? "-" : "", size / 100,
                        is_machine ? '.' : ',', size % 100);
        return buf_str(out, text);
}

static int add_row(Buf *out, const json_t *row, bool is_machine) {
        const json_t *unit = json_object_get(row, "unit"), *with = json_object_get(row, "with");
        const char separator = is_machine ? ',' : ';';
        const json_t *numbers[] = {json_object_get(row, "value"),
                                   json_object_get(row, "delta"),
                                   json_object_get(json_object_get(with, "progress"), "value"),
                                   json_object_get(json_object_get(with, "digitization"), "value"),
                                   json_object_get(row, "place"),
                                   json_object_get(row, "previous_place"),
                                   json_object_get(json_object_get(with, "on_time"), "value"),
                                   json_object_get(json_object_get(with, "received"), "value")};

        int r = buf_printf(out, "%lld%c",
                           (long long) json_integer_value(json_object_get(row, "number")),
                           separator);
        if (r == 0)
                r = add_text(out, str_or(json_string_value(json_object_get(unit, "code")), ""));
        if (r == 0)
                r = buf_char(out, separator);
        if (r == 0)
                r = add_text(out, str_or(json_string_value(json_object_get(unit, "name")), ""));
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(numbers); i++) {
                r = buf_char(out, separator);
                if (r == 0)
                        r = add_number(out, numbers[i], is_machine);
        }
        return r == 0 ? buf_str(out, "\r\n") : r;
}

int report_csv(const Page *p, bool is_machine, Buf *out) {
        const json_t *row;
        size_t i;

        int r = buf_str(out, is_machine
                                     ? "number,code,name,total,delta,progress,digitization,place,"
                                       "previous_place,on_time,received\r\n"
                                     : "\xEF\xBB\xBFStt;Mã;Tên cơ quan, đơn vị;Điểm tổng hợp;Tăng "
                                       "giảm so với kỳ trước;Tiến độ giải quyết (%);Số hóa hồ sơ "
                                       "(%);Hạng;Hạng kỳ trước;Đúng hạn;Tiếp nhận\r\n");
        json_array_foreach(json_object_get(p->view, "rows"), i, row) if (r == 0) r =
                add_row(out, row, is_machine);
        return r;
}

/* ---- workbook -------------------------------------------------------------------------------- */

#define N_COLUMNS 11

static unsigned decimals_of(const Page *p, const char *name) {
        const IndicatorDef *def = report_indicator(p, name);

        return def ? def->decimals : 2;
}

static BookCell cell_of(const Page *p, const ReportQuery *q, const json_t *row, const char *name) {
        const IndicatorDef *def = report_indicator(p, name);
        const json_t *cell = json_object_get(json_object_get(row, "with"), name);
        int64_t value = report_scaled(json_object_get(cell, "value"), def);

        return (BookCell){.value = value, .tone = def ? report_tone(p, q, def, value) : BOOK_PLAIN};
}

static BookCell integer_of(const json_t *row, const char *key) {
        const json_t *value = json_object_get(row, key);

        return json_is_integer(value) ? BOOK_VALUE(json_integer_value(value)) : BOOK_EMPTY;
}

static void add_book_row(const Page *p, const ReportQuery *q, const json_t *row, Book *book) {
        const json_t *unit = json_object_get(row, "unit");
        int64_t total = report_scaled(json_object_get(row, "value"), q->headline);
        BookCell cells[N_COLUMNS] = {
                integer_of(row, "number"),
                BOOK_STRING(str_or(json_string_value(json_object_get(unit, "code")), "")),
                BOOK_STRING(str_or(json_string_value(json_object_get(unit, "name")), "")),
                {.value = total, .tone = report_tone(p, q, q->headline, total)},
                BOOK_VALUE(report_scaled(json_object_get(row, "delta"), q->headline)),
                cell_of(p, q, row, "progress"),
                cell_of(p, q, row, "digitization"),
                integer_of(row, "place"),
                integer_of(row, "previous_place"),
                cell_of(p, q, row, "on_time"),
                cell_of(p, q, row, "received"),
        };

        book_row(book, cells, N_COLUMNS);
}

static const char *text_at(const json_t *object, const char *key) {
        return str_or(json_string_value(json_object_get(object, key)), "");
}

static int add_source(const Page *p, Book *book) {
        const json_t *ranking = json_object_get(p->view, "ranking");
        CLEANUP(buf_done) Buf text = BUF_INIT(8192);

        int r = buf_printf(&text, "Nguồn: %s; lấy %s; %s; %s đơn vị có số liệu.",
                           text_at(json_object_get(ranking, "source"), "label"),
                           text_at(ranking, "fetched_text"),
                           text_at(json_object_get(ranking, "period"), "status_label"),
                           text_at(p->view, "coverage"));
        const json_t *compared = json_object_get(p->view, "compared");
        if (r == 0 && json_is_integer(compared))
                r = buf_printf(&text, " Hạng kỳ trước tính trong %lld đơn vị có số liệu cả hai kỳ.",
                               (long long) json_integer_value(compared));
        if (r == 0)
                book_note(book, buf_text(&text));
        return r;
}

/* Columns keep their places whatever was published; one that no source has is not shown. */
static bool is_empty_column(const Page *p, const char *name) {
        const json_t *row;
        size_t i;

        json_array_foreach(json_object_get(p->view, "rows"), i, row) {
                const json_t *cell = json_object_get(json_object_get(row, "with"), name);

                if (json_is_number(json_object_get(cell, "value")))
                        return false;
        }
        return true;
}

static int fill_book(const Page *p, const ReportQuery *q, Book *book) {
        const BookColumn columns[N_COLUMNS] = {
                {"Stt", BOOK_COUNT, 0, 6},
                {"Mã", BOOK_CODE, 0, 10},
                {"Tên cơ quan, đơn vị", BOOK_TEXT, 0, 36},
                {"Điểm tổng hợp", BOOK_NUMBER, q->headline->decimals, 0},
                {"Tăng, giảm so với kỳ trước", BOOK_CHANGE, q->headline->decimals, 0},
                {"Tiến độ giải quyết (%)", BOOK_NUMBER, decimals_of(p, "progress"), 0,
                 is_empty_column(p, "progress")},
                {"Số hóa hồ sơ (%)", BOOK_NUMBER, decimals_of(p, "digitization"), 0,
                 is_empty_column(p, "digitization")},
                {"Hạng", BOOK_COUNT, 0, 8},
                {"Hạng kỳ trước", BOOK_COUNT, 0, 8},
                {"Đúng hạn", BOOK_COUNT, 0, 0, is_empty_column(p, "on_time")},
                {"Tiếp nhận", BOOK_COUNT, 0, 0, is_empty_column(p, "received")},
        };
        CLEANUP(buf_done) Buf title = BUF_INIT(4096);
        const json_t *row;
        size_t i;

        int r = buf_printf(&title,
                           "MỘT SỐ TIÊU CHÍ TRONG BỘ CHỈ SỐ PHỤC VỤ NGƯỜI DÂN, DOANH NGHIỆP - %s",
                           text_at(p->view, "period_upper"));
        if (r < 0)
                return r;
        book_sheet(book, &(BookSheet){.name = "Phụ lục",
                                      .title = buf_text(&title),
                                      .subtitle = text_at(p->view, "organization"),
                                      .columns = columns,
                                      .n_columns = N_COLUMNS});
        json_array_foreach(json_object_get(p->view, "rows"), i, row) add_book_row(p, q, row, book);
        return add_source(p, book);
}

int report_xlsx(const Page *p, const ReportQuery *q, const PackageInfo *info, Buf *out) {
        CLEANUP(book_freep) Book *book = NULL;

        int r = book_new(info, &book);
        if (r == 0)
                r = fill_book(p, q, book);
        return r == 0 ? book_finish(book, out) : r;
}
