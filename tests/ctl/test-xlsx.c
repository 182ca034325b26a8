/* Workbooks as libxlsxwriter makes them, one that LibreOffice saved, and what nobody should send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <xlsxwriter.h>

#include "ctl/xlsx.h"
#include "os/file.h"
#include "zip-util.h"

#define ROOM ((size_t) 4 << 20)
#define SHEET(rows) "<worksheet><sheetData>" rows "</sheetData></worksheet>"

/* ---- what is common -------------------------------------------------------------------------- */

static const XlsxCell *at(const XlsxSheet *s, unsigned line, size_t column) {
        for (size_t i = 0; i < s->n_rows; i++)
                if (s->lines[i] == line)
                        return &s->cells[i * s->n_columns + column];
        fail_msg("no row %u", line);
        return NULL;
}

static void assert_cell(const XlsxSheet *s, unsigned line, size_t column, XlsxKind kind,
                        const char *text) {
        const XlsxCell *cell = at(s, line, column);
        if (cell->kind != kind || strcmp(cell->text ? cell->text : "", text) != 0)
                fail_msg("row %u column %zu: kind %d '%s', wanted %d '%s'", line, column + 1,
                         cell->kind, cell->text ? cell->text : "", kind, text);
}

static void assert_refused(const char *data, size_t n, const char *sheet, const char *said) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        assert_int_equal(xlsx_read(data, n, sheet, /* is_vi= */ false, &diag, &s), XLSX_E_REFUSED);
        if (!strstr(diag_first_error(&diag, ""), said))
                fail_msg("said '%s', wanted '%s'", diag_first_error(&diag, ""), said);
}

/* Sheet XML with texts and styles, as a workbook. */
static size_t book(const char *sheet, const char *strings, const char *styles, char *out) {
        if (!*strings)
                strings = "<sst/>";
        return zip_workbook(sheet, strlen(sheet), strings, strlen(strings), styles, strlen(styles),
                            out, ROOM);
}

static void read_book(const char *sheet, const char *strings, const char *styles, XlsxSheet *ret) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        char *out = malloc(ROOM);
        size_t n = book(sheet, strings, styles, out);
        int r = xlsx_read(out, n, NULL, /* is_vi= */ false, &diag, ret);
        free(out);
        if (r != 0)
                fail_msg("refused: %s", diag_first_error(&diag, "?"));
}

static void refuse_book(const char *sheet, const char *strings, const char *said) {
        char *out = malloc(ROOM);
        size_t n = book(sheet, strings, "<styleSheet/>", out);
        assert_refused(out, n, NULL, said);
        free(out);
}

/* ---- libxlsxwriter --------------------------------------------------------------------------- */

static void write_cells(lxw_workbook *wb, lxw_worksheet *ws) {
        lxw_format *percent = workbook_add_format(wb), *day = workbook_add_format(wb);
        lxw_format *bold = workbook_add_format(wb), *fancy = workbook_add_format(wb);
        format_set_num_format(percent, "0.00%");
        format_set_num_format(day, "dd/mm/yyyy");
        format_set_num_format(fancy, "#,##0.0\" điểm %\"");
        format_set_bold(bold);
        worksheet_merge_range(ws, 0, 0, 0, 5, "PHỤ LỤC THÁNG 8/2024", bold);
        worksheet_write_string(ws, 2, 0, "Mã", NULL);
        worksheet_write_string(ws, 2, 1, "Tên đơn vị", NULL);
        worksheet_write_string(ws, 2, 2, "Tiến độ", NULL);
        worksheet_write_string(ws, 2, 3, "Tổng điểm", NULL);
        worksheet_write_string(ws, 2, 4, "Ngày", NULL);
        worksheet_write_string(ws, 2, 5, "Ghi chú", NULL);
        worksheet_write_string(ws, 3, 0, "00004", NULL);
        char first[] = "Xã ", rest[] = "Cương Chính";
        lxw_rich_string_tuple a = {.format = bold, .string = first};
        lxw_rich_string_tuple b = {.format = NULL, .string = rest};
        lxw_rich_string_tuple *runs[] = {&a, &b, NULL};
        worksheet_write_rich_string(ws, 3, 1, runs, NULL);
        worksheet_write_number(ws, 3, 2, 0.9964, percent);
        worksheet_write_number(ws, 3, 3, 87.12, fancy);
        worksheet_write_number(ws, 3, 4, 45535, day);
        worksheet_write_formula_num(ws, 3, 5, "=1/3", NULL, 1.0 / 3);
        worksheet_write_number(ws, 5, 0, 4, NULL);
        worksheet_write_string(ws, 5, 1, "Xã\nDị  Chế", NULL);
        worksheet_write_string(ws, 5, 2, "82,71", NULL);
        worksheet_write_boolean(ws, 5, 3, 1, NULL);
        worksheet_write_formula_str(ws, 5, 5, "=\"a\"", NULL, "chữ");
}

static char *xlsxwriter_file(void (*write)(lxw_workbook *, lxw_worksheet *), size_t *ret_n) {
        char path[] = "/tmp/chiso-xlsx-XXXXXX";
        Buf bytes = BUF_INIT(ROOM);
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        (void) close(fd);
        lxw_workbook *wb = workbook_new(path);
        write(wb, workbook_add_worksheet(wb, "Tháng 8"));
        assert_int_equal(workbook_close(wb), LXW_NO_ERROR);
        assert_int_equal(file_read(path, ROOM, &bytes), 0);
        (void) unlink(path);
        *ret_n = bytes.len;
        return buf_take(&bytes);
}

static void test_types(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf json = BUF_INIT(ROOM);
        size_t n;
        (void) state;
        CLEANUP_FREE char *data = xlsxwriter_file(write_cells, &n);
        assert_true(xlsx_is(data, n));
        assert_int_equal(xlsx_read(data, n, NULL, false, &diag, &s), 0);
        assert_string_equal(s.name, "Tháng 8");
        assert_int_equal(s.n_rows, 3);
        assert_int_equal(s.n_columns, 6);
        assert_cell(&s, 3, 2, XLSX_TEXT, "Tiến độ");
        assert_cell(&s, 4, 0, XLSX_TEXT, "00004");
        assert_cell(&s, 4, 1, XLSX_TEXT, "Xã Cương Chính");
        assert_cell(&s, 4, 2, XLSX_NUMBER, "99.64");
        assert_cell(&s, 4, 3, XLSX_NUMBER, "87.12");
        assert_cell(&s, 4, 4, XLSX_DATE, "2024-08-31");
        assert_cell(&s, 4, 5, XLSX_NUMBER, "0.333333333333333");
        assert_cell(&s, 6, 0, XLSX_NUMBER, "4");
        assert_cell(&s, 6, 1, XLSX_TEXT, "Xã Dị Chế");
        assert_cell(&s, 6, 2, XLSX_TEXT, "82,71");
        assert_cell(&s, 6, 3, XLSX_BOOLEAN, "1");
        assert_cell(&s, 6, 4, XLSX_EMPTY, "");
        assert_cell(&s, 6, 5, XLSX_TEXT, "chữ");
        assert_int_equal(xlsx_json(&s, "a.xlsx", data, n, &json), 0);
        assert_non_null(strstr(buf_text(&json),
                               "\"headings\":[\"Mã\",\"Tên đơn vị\",\"Tiến độ\",\"Tổng "
                               "điểm\",\"Ngày\",\"Ghi chú\"]"));
        assert_non_null(strstr(buf_text(&json),
                               "{\"line\":4,\"cells\":[\"00004\",\"Xã Cương "
                               "Chính\",99.64,87.12,{\"date\":\"2024-08-31\"},"));
}

static void test_percent_digits(void **state) {
        /* as spreadsheet programs write them, with the noise of binary fractions */
        static const struct {
                const char *stored, *plain, *percent;
        } rows[] = {
                {"0.99639999999999995", "0.9964", "99.64"},
                {"0.82709999999999995", "0.8271", "82.71"},
                {"1", "1", "100"},
                {"0", "0", "0"},
                {"-1.5E-2", "-0.015", "-1.5"},
                {"1.0049999999999999", "1.005", "100.5"},
                {"30204", "30204", "3020400"},
                {"1e-7", "1e-07", "1e-05"},
        };
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
                char sheet[512];
                (void) snprintf(sheet, sizeof sheet,
                                SHEET("<row><c t=\"str\"><v>Mã</v></c><c t=\"str\"><v>x</v></c>"
                                      "<c t=\"str\"><v>y</v></c></row>"
                                      "<row><c t=\"str\"><v>1</v></c><c><v>%s</v></c>"
                                      "<c s=\"1\"><v>%s</v></c></row>"),
                                rows[i].stored, rows[i].stored);
                read_book(sheet, "",
                          "<s><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"10\"/>"
                          "</cellXfs></s>",
                          &s);
                assert_cell(&s, 2, 1, XLSX_NUMBER, rows[i].plain);
                assert_cell(&s, 2, 2, XLSX_NUMBER, rows[i].percent);
        }
}

static void test_formats(void **state) {
        static const struct {
                const char *code;
                XlsxKind kind;
                const char *text; /* of 0.5 */
        } rows[] = {
                {"0.00%", XLSX_NUMBER, "50"},        {"0.00%;[Red]-0.00%", XLSX_NUMBER, "50"},
                {"0.00\" %\"", XLSX_NUMBER, "0.5"},  {"0.00\\%", XLSX_NUMBER, "0.5"},
                {"#,##0.00", XLSX_NUMBER, "0.5"},    {"[Red]0.0", XLSX_NUMBER, "0.5"},
                {"0.0_);(0.0)", XLSX_NUMBER, "0.5"}, {"General", XLSX_NUMBER, "0.5"},
                {"0.00E+00", XLSX_NUMBER, "0.5"},    {"[h]:mm", XLSX_DATE, ""},
                {"dd/mm/yyyy", XLSX_DATE, ""},       {"[$-42A]d mmmm yyyy", XLSX_DATE, ""},
        };
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
                char styles[512], code[128] = "";
                for (const char *p = rows[i].code; *p; p++)
                        (void) snprintf(code + strlen(code), sizeof code - strlen(code),
                                        *p == '"' ? "&quot;" : "%c", *p);
                (void) snprintf(styles, sizeof styles,
                                "<s><numFmts><numFmt numFmtId=\"165\" formatCode=\"%s\"/></numFmts>"
                                "<cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs>"
                                "<cellXfs><xf numFmtId=\"165\"/></cellXfs></s>",
                                code);
                read_book(SHEET("<row><c t=\"str\"><v>Mã</v></c><c t=\"str\"><v>x</v></c></row>"
                                "<row><c t=\"str\"><v>1</v></c><c s=\"0\"><v>0.5</v></c></row>"),
                          "", styles, &s);
                assert_cell(&s, 2, 1, rows[i].kind, rows[i].text);
        }
}

static void test_dates(void **state) {
        static const struct {
                const char *serial, *day;
        } rows[] = {{"45292", "2024-01-01"},
                    {"45535.75", "2024-08-31"},
                    {"61", "1900-03-01"},
                    {"59", "1900-02-28"},
                    {"1", "1900-01-01"},
                    {"0.5", ""},
                    {"-3", ""},
                    {"99999999", ""}};
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
                char sheet[512];
                (void) snprintf(
                        sheet, sizeof sheet,
                        SHEET("<row><c t=\"str\"><v>Mã</v></c><c t=\"str\"><v>x</v></c></row>"
                              "<row><c t=\"str\"><v>1</v></c><c s=\"0\"><v>%s</v></c></row>"),
                        rows[i].serial);
                read_book(sheet, "", "<s><cellXfs><xf numFmtId=\"14\"/></cellXfs></s>", &s);
                assert_cell(&s, 2, 1, XLSX_DATE, rows[i].day);
        }
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void test_texts(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        (void) state;
        read_book(SHEET("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" "
                        "t=\"s\"><v>1</v></c></row>"
                        "<row r=\"4\"><c r=\"A4\" "
                        "t=\"inlineStr\"><is><r><t>a_x000D_</t></r><r><t>b</t></r>"
                        "<rPh><t>doc</t></rPh></is></c>"
                        "<c r=\"C4\" t=\"e\"><v>#DIV/0!</v></c></row>"
                        "<row r=\"5\"><c r=\"A5\" t=\"s\"><v>2</v></c><c "
                        "r=\"C5\"><f>1+1</f></c></row>"
                        "<row r=\"6\"><c r=\"A6\" t=\"d\"><v>2025-07-01T00:00:00</v></c></row>"),
                  "<sst><si><t>Mã</t></si><si><r><t>Tiến</t></r><r><t xml:space=\"preserve\"> "
                  "độ</t></r>"
                  "<rPh><t>x</t></rPh></si><si><t>&lt;&amp;&#x1EBF;_x005F_x000D_</t></si></sst>",
                  "<s/>", &s);
        assert_int_equal(s.n_columns, 3);
        assert_cell(&s, 1, 0, XLSX_TEXT, "Mã");
        assert_cell(&s, 1, 1, XLSX_EMPTY, "");
        assert_cell(&s, 1, 2, XLSX_TEXT, "Tiến độ");
        assert_cell(&s, 4, 0, XLSX_TEXT, "a b");
        assert_cell(&s, 4, 2, XLSX_ERROR, "#DIV/0!");
        assert_cell(&s, 5, 0, XLSX_TEXT, "<&ế_x000D_");
        assert_int_equal(at(&s, 5, 2)->kind, XLSX_ERROR);
        assert_cell(&s, 6, 0, XLSX_DATE, "2025-07-01");
}

/* ---- headings -------------------------------------------------------------------------------- */

static void write_two_rows(lxw_workbook *wb, lxw_worksheet *ws) {
        lxw_worksheet *hidden = workbook_add_worksheet(wb, "Nháp");
        worksheet_write_string(hidden, 0, 0, "Mã", NULL);
        worksheet_write_string(hidden, 0, 1, "Tiến độ", NULL);
        worksheet_hide(hidden);
        (void) workbook_add_worksheet(wb, "Trống");
        worksheet_write_string(ws, 0, 0, "UBND HUYỆN", NULL);
        worksheet_write_string(ws, 0, 4, "CỘNG HÒA", NULL);
        worksheet_merge_range(ws, 2, 0, 3, 0, "Stt", NULL);
        worksheet_merge_range(ws, 2, 1, 3, 1, "Đơn vị", NULL);
        worksheet_merge_range(ws, 2, 2, 2, 3, "Tiến độ", NULL);
        worksheet_merge_range(ws, 2, 4, 2, 5, "Số hóa", NULL);
        worksheet_write_string(ws, 3, 2, "Tiếp nhận", NULL);
        worksheet_write_string(ws, 3, 3, "Tỷ lệ", NULL);
        worksheet_write_string(ws, 3, 4, "Chưa số hóa TPHS", NULL);
        worksheet_write_string(ws, 3, 5, "Tỷ lệ", NULL);
        worksheet_write_number(ws, 4, 0, 1, NULL);
        worksheet_write_string(ws, 4, 1, "Xã A", NULL);
        for (lxw_col_t c = 2; c < 6; c++)
                worksheet_write_number(ws, 4, c, c, NULL);
}

static void test_two_row_heading(void **state) {
        static const char *const names[] = {
                "Stt",          "Đơn vị", "Tiếp nhận", "Tiến độ, Tỷ lệ", "Chưa số hóa TPHS",
                "Số hóa, Tỷ lệ"};
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(xlsx_sheet_done) XlsxSheet hidden = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        size_t n;
        (void) state;
        CLEANUP_FREE char *data = xlsxwriter_file(write_two_rows, &n);
        assert_int_equal(xlsx_read(data, n, NULL, false, &diag, &s), 0);
        assert_string_equal(s.name, "Tháng 8");
        for (size_t c = 0; c < ELEMENTSOF(names); c++)
                assert_cell(&s, 4, c, XLSX_TEXT, names[c]);
        assert_cell(&s, 5, 1, XLSX_TEXT, "Xã A");
        assert_int_equal(s.n_rows, 2);
        /* what is hidden is read by its name only, and holds one heading here */
        assert_int_equal(xlsx_read(data, n, "Nháp", false, &diag, &hidden), 0);
        assert_int_equal(hidden.n_rows, 1);
        assert_refused(data, n, "Không", "there is no sheet - Không");
}

static void test_one_heading_over_two_columns(void **state) {
        (void) state;
        refuse_book(
                "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>Mã</v></c>"
                "<c r=\"B1\" t=\"str\"><v>Tiến độ</v></c></row><row r=\"2\"><c r=\"A2\" "
                "t=\"str\"><v>1</v></c><c r=\"B2\"><v>1</v></c><c r=\"C2\"><v>2</v></c></row>"
                "</sheetData><mergeCells><mergeCell ref=\"B1:C1\"/></mergeCells></worksheet>",
                "", "columns B and C are both called 'Tiến độ'");
}

static void write_two_sheets(lxw_workbook *wb, lxw_worksheet *ws) {
        lxw_worksheet *other = workbook_add_worksheet(wb, "Tháng 9");
        for (int i = 0; i < 2; i++) {
                worksheet_write_string(i ? other : ws, 0, 0, "Mã", NULL);
                worksheet_write_string(i ? other : ws, 0, 1, i ? "chín" : "tám", NULL);
                worksheet_write_string(i ? other : ws, 1, 1, "x", NULL);
        }
}

static void test_sheets(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        size_t n;
        (void) state;
        CLEANUP_FREE char *data = xlsxwriter_file(write_two_sheets, &n);
        assert_refused(data, n, NULL, "several sheets: 'Tháng 8', 'Tháng 9'");
        assert_int_equal(xlsx_read(data, n, "Tháng 9", false, &diag, &s), 0);
        assert_cell(&s, 1, 1, XLSX_TEXT, "chín");
}

/* ---- units ----------------------------------------------------------------------------------- */

static void test_csv(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf csv = BUF_INIT(ROOM);
        (void) state;
        read_book(
                SHEET("<row r=\"2\"><c t=\"str\"><v>code</v></c><c t=\"str\"><v>name</v></c>"
                      "<c t=\"str\"><v>from</v></c></row>"
                      "<row r=\"4\"><c t=\"str\"><v>012</v></c><c t=\"str\"><v>Xã \"A\", b</v></c>"
                      "<c s=\"0\"><v>45839</v></c></row>"),
                "", "<s><cellXfs><xf numFmtId=\"14\"/></cellXfs></s>", &s);
        assert_int_equal(xlsx_csv(&s, false, &diag, &csv), 0);
        assert_string_equal(buf_text(&csv),
                            "\n\"code\",\"name\",\"from\"\n\n"
                            "\"012\",\"Xã \"\"A\"\", b\",\"2025-07-01\"\n");
}

static void test_csv_refuses_numeric_codes(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf csv = BUF_INIT(ROOM);
        (void) state;
        read_book(SHEET("<row r=\"2\"><c t=\"str\"><v>Mã đơn vị</v></c><c "
                        "t=\"str\"><v>name</v></c></row>"
                        "<row r=\"7\"><c><v>4</v></c><c t=\"str\"><v>Xã A</v></c></row>"),
                  "", "<s/>", &s);
        assert_int_equal(xlsx_csv(&s, false, &diag, &csv), XLSX_E_REFUSED);
        assert_int_equal(diag.items[0].line, 7);
        assert_non_null(strstr(diag.items[0].text, "column 1 (Mã đơn vị): 4 is a numeric cell"));
}

/* ---- a real program's ------------------------------------------------------------------------ */

static void test_libreoffice(void **state) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf bytes = BUF_INIT(ROOM);
        (void) state;
        assert_int_equal(
                file_read(CHISO_SOURCE_DIR "/tests/fixtures/xlsx/libreoffice.xlsx", ROOM, &bytes),
                0);
        assert_int_equal(xlsx_read(buf_text(&bytes), bytes.len, NULL, false, &diag, &s), 0);
        assert_cell(&s, 3, 0, XLSX_TEXT, "Mã đơn vị");
        assert_cell(&s, 4, 0, XLSX_TEXT, "00004");
        assert_cell(&s, 4, 1, XLSX_TEXT, "Xã Cương Chính");
        assert_cell(&s, 4, 2, XLSX_NUMBER, "99.64");
        assert_cell(&s, 4, 3, XLSX_NUMBER, "87.12");
        assert_cell(&s, 4, 4, XLSX_DATE, "2024-08-31");
        assert_cell(&s, 5, 0, XLSX_NUMBER, "12337");
        assert_cell(&s, 5, 2, XLSX_TEXT, "82,71");
        assert_cell(&s, 5, 3, XLSX_NUMBER, "90.5"); /* the result of a formula */
}

/* ---- what is refused ------------------------------------------------------------------------- */

#define HEAD "<row><c t=\"str\"><v>Mã</v></c><c t=\"str\"><v>x</v></c></row>"

static void test_broken(void **state) {
        static const struct {
                const char *sheet, *strings, *said;
        } rows[] = {
                {"<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet/>", "", "DOCTYPE"},
                {SHEET(HEAD), "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><sst/>", "DOCTYPE"},
                {"<worksheet><sheetData>", "", "damaged: xl/worksheets/sheet1.xml line 1"},
                {SHEET("<row r=\"2\"/><row r=\"1\"/>"), "<sst/>", "out of order"},
                {SHEET("<row r=\"99999999\"/>"), "<sst/>", "out of order"},
                {SHEET("<row r=\"2\"><c r=\"A3\"><v>1</v></c></row>"), "<sst/>", "out of place"},
                {SHEET("<row r=\"2\"><c r=\"B2\"/><c r=\"A2\"/></row>"), "<sst/>", "out of place"},
                {SHEET(HEAD "<row><c t=\"s\"><v>0</v></c></row>"), "<sst/>", "text number 0"},
                {SHEET(HEAD "<row><c t=\"s\"><v>-1</v></c></row>"), "<sst/>", "text number -1"},
                {SHEET(HEAD "<row><c><v>1,5</v></c></row>"), "<sst/>", "'1,5' is no number"},
                {SHEET(HEAD "<row><c><v>nan</v></c></row>"), "<sst/>", "'nan' is no number"},
                {SHEET(HEAD "<row><c><v>1e300</v></c></row>"), "<sst/>", "is no number"},
                {SHEET(HEAD "<row><c t=\"new\"><v>1</v></c></row>"), "<sst/>", "unknown type"},
                {SHEET("<row><c r=\"BZ1\" t=\"str\"><v>x</v></c></row>"), "<sst/>",
                 "more than 64 columns"},
                {SHEET("<row><c t=\"str\"><v>x</v></c></row>"), "<sst/>", "has a table"},
        };
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                refuse_book(rows[i].sheet, rows[i].strings, rows[i].said);
}

static void test_deep(void **state) {
        char *sheet = calloc(1, 4096);
        (void) state;
        for (int i = 0; i < 100; i++)
                strcat(sheet, "<a>");
        refuse_book(sheet, "<sst/>", "nested too deeply");
        free(sheet);
}

static void test_long_cell(void **state) {
        char *sheet = calloc(1, 20000);
        (void) state;
        strcpy(sheet, "<worksheet><sheetData><row><c t=\"str\"><v>");
        memset(sheet + strlen(sheet), 'a', 9000);
        strcat(sheet, "</v></c></row></sheetData></worksheet>");
        refuse_book(sheet, "<sst/>", "a cell of more than 4096 bytes");
        free(sheet);
}

/* 60 MB of blanks in a few kB. */
static void test_bomb(void **state) {
        size_t n = (size_t) 60 << 20;
        char *blanks = malloc(n), *out = malloc(ROOM);
        (void) state;
        memset(blanks, ' ', n);
        const ZipPart parts[] = {
                {"_rels/.rels", ZIP_RELS, strlen(ZIP_RELS)},
                {"xl/workbook.xml", ZIP_BOOK, strlen(ZIP_BOOK)},
                {"xl/_rels/workbook.xml.rels", ZIP_BOOK_RELS, strlen(ZIP_BOOK_RELS)},
                {"xl/sharedStrings.xml", "<sst/>", 6},
                {"xl/styles.xml", "<s/>", 4},
                {"xl/worksheets/sheet1.xml", blanks, n},
        };
        size_t size = zip_make(parts, ELEMENTSOF(parts), out, ROOM, "zip:compression=deflate");
        assert_true(size < (size_t) 1 << 20);
        assert_refused(out, size, NULL, "inflates to too much");
        free(blanks);
        free(out);
}

static void test_no_workbook(void **state) {
        char *out = malloc(ROOM);
        static const char ole[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on";
        ZipPart *many = calloc(1200, sizeof *many);
        (void) state;
        assert_refused(ole, sizeof ole, NULL, "has a password or is an old .xls");
        assert_refused("PK\3\4 nothing", 11, NULL, "damaged");
        size_t n = zip_make(&(ZipPart){"word/document.xml", "<x/>", 4}, 1, out, ROOM,
                            "zip:compression=store");
        assert_refused(out, n, NULL, "is no workbook");
        for (size_t i = 0; i < 1200; i++)
                many[i] = (ZipPart){"a", "", 0};
        n = zip_make(many, 1200, out, ROOM, "zip:compression=store");
        assert_refused(out, n, NULL, "too many parts");
        free(many);
        free(out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_percent_digits),
                cmocka_unit_test(test_formats),
                cmocka_unit_test(test_dates),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_two_row_heading),
                cmocka_unit_test(test_one_heading_over_two_columns),
                cmocka_unit_test(test_sheets),
                cmocka_unit_test(test_csv),
                cmocka_unit_test(test_csv_refuses_numeric_codes),
                cmocka_unit_test(test_libreoffice),
                cmocka_unit_test(test_broken),
                cmocka_unit_test(test_deep),
                cmocka_unit_test(test_long_cell),
                cmocka_unit_test(test_bomb),
                cmocka_unit_test(test_no_workbook),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
