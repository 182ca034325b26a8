/* Shared strings, and the cells of one sheet with their types. Rows without a filled cell are not
 * kept; cells say their own place, and where they do not, they follow each other. */
#include <errno.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "ctl/xlsx-private.h"

#define ROW_MAX 1048576u

void xlsx_grid_done(XlsxGrid *g) {
        for (size_t i = 0; g->cells && i < g->n_rows * SHEET_MAX_COLUMNS; i++)
                free(g->cells[i].text);
        free(g->cells);
        free(g->lines);
        free(g->merges);
        *g = (XlsxGrid){0};
}

/* ---- shared strings -------------------------------------------------------------------------- */

/* <si> holds <t>, or runs <r> with one each; what is read aloud (<rPh>) is no part of the text. */
typedef struct TextWalk {
        unsigned n_phonetic;
        bool is_item;
} TextWalk;

static void text_begin(XlsxXml *x, TextWalk *w, const char *name) {
        if (streq(name, "rPh"))
                w->n_phonetic++;
        if (streq(name, "t") && w->is_item && w->n_phonetic == 0)
                x->is_taking = true;
}

static void text_end(XlsxXml *x, TextWalk *w, const char *name) {
        if (streq(name, "rPh") && w->n_phonetic > 0)
                w->n_phonetic--;
        if (streq(name, "t"))
                x->is_taking = false;
}

static int on_string(XlsxXml *x, const char *name, const char **attributes) {
        TextWalk *w = x->userdata;
        (void) attributes;
        if (streq(name, "si")) {
                *w = (TextWalk){.is_item = true};
                buf_clear(&x->text);
        }
        text_begin(x, w, name);
        return 0;
}

static int on_string_end(XlsxXml *x, const char *name) {
        Workbook *wb = x->wb;
        TextWalk *w = x->userdata;
        text_end(x, w, name);
        if (!streq(name, "si"))
                return 0;
        w->is_item = false;
        if (wb->n_strings >= XLSX_STRINGS_MAX)
                return XLSX_REFUSE(wb, 0, "tệp xlsx có quá nhiều chuỗi",
                                   "the workbook has too many texts");
        int r = ARRAY_GROW(wb->strings, wb->cap_strings, wb->n_strings + 1);
        if (r == 0)
                r = xlsx_take_text(x, &wb->strings[wb->n_strings]);
        if (r == 0)
                wb->n_strings++;
        return r == -EILSEQ || r == -E2BIG
                       ? XLSX_REFUSE(wb, 0, "một chuỗi không đọc được", "a text cannot be read")
                       : r;
}

int xlsx_read_strings(Workbook *wb, const char *part) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_PART_MAX);
        TextWalk w = {0};
        int r = xlsx_part(wb, part, &bytes);
        if (r == 0)
                r = xlsx_xml(&(XlsxXml){.wb = wb,
                                        .part = part,
                                        .userdata = &w,
                                        .on_begin = on_string,
                                        .on_end = on_string_end},
                             &bytes);
        return r == XLSX_E_NONE ? 0 : r;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* "AB12" -> column 27, row 12. Columns are counted only as far as matters. */
static bool read_place(const char *text, size_t *ret_column, unsigned *ret_row, const char **end) {
        size_t column = 0;
        unsigned long row = 0;
        const char *p = text;
        for (; *p >= 'A' && *p <= 'Z' && p - text < 3; p++)
                column = column * 26 + (size_t) (*p - 'A') + 1;
        const char *digits = p;
        for (; *p >= '0' && *p <= '9' && p - digits < 7; p++)
                row = row * 10 + (unsigned long) (*p - '0');
        if (column == 0 || row == 0 || row > ROW_MAX)
                return false;
        *ret_column = column - 1;
        *ret_row = (unsigned) row;
        *end = p;
        return true;
}

/* ---- cells ----------------------------------------------------------------------------------- */

typedef enum CellType {
        TYPE_NUMBER,
        TYPE_SHARED,
        TYPE_INLINE,
        TYPE_FORMULA_TEXT,
        TYPE_BOOLEAN,
        TYPE_ERROR,
        TYPE_ISO_DATE,
        TYPE_UNKNOWN,
} CellType;

typedef struct CellWalk {
        XlsxGrid *g;
        unsigned row; /* from 1; of the row that is read */
        size_t column, next_column;
        bool has_row; /* the grid's last row is this one */
        bool is_cell, has_formula, has_value;
        CellType type;
        CellFormat format;
        TextWalk text;
} CellWalk;

static CellType read_type(const char *text) {
        static const char *const names[] = {"n", "s", "inlineStr", "str", "b", "e", "d"};
        if (!text)
                return TYPE_NUMBER;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], text))
                        return (CellType) i;
        return TYPE_UNKNOWN;
}

static int begin_row(XlsxXml *x, CellWalk *w, const char **attributes) {
        const char *r = xlsx_attribute(attributes, "r");
        unsigned long row = r ? strtoul(r, NULL, 10) : w->row + 1UL;
        if (row <= w->row || row > ROW_MAX)
                return XLSX_REFUSE(x->wb, 0, "các dòng không theo thứ tự (sau dòng %u)",
                                   "rows are out of order (after row %u)", w->row);
        w->row = (unsigned) row;
        w->next_column = 0;
        w->has_row = false;
        return 0;
}

static int begin_cell(XlsxXml *x, CellWalk *w, const char **attributes) {
        const char *place = xlsx_attribute(attributes, "r"), *end;
        const char *style = xlsx_attribute(attributes, "s");
        unsigned long s = style ? strtoul(style, NULL, 10) : 0;
        unsigned row = w->row;
        w->column = w->next_column;
        if (place && (!read_place(place, &w->column, &row, &end) || *end || row != w->row ||
                      w->column < w->next_column))
                return XLSX_REFUSE(x->wb, w->row, "ô '%.20s' đặt sai chỗ",
                                   "the cell '%.20s' is out of place", place);
        w->next_column = w->column + 1;
        w->type = read_type(xlsx_attribute(attributes, "t"));
        w->format = s < x->wb->n_formats ? (CellFormat) x->wb->formats[s] : FORMAT_NUMBER;
        w->is_cell = true;
        w->has_formula = w->has_value = false;
        w->text = (TextWalk){.is_item = w->type == TYPE_INLINE};
        buf_clear(&x->text);
        return 0;
}

static int add_merge(XlsxXml *x, XlsxGrid *g, const char *ref) {
        XlsxMerge m;
        const char *end;
        if (!ref || !read_place(ref, &m.column, &m.row, &end) || *end != ':' ||
            !read_place(end + 1, &m.last_column, &m.last_row, &end) || *end)
                return 0;
        if (g->n_merges >= XLSX_MERGES_MAX)
                return XLSX_REFUSE(x->wb, 0, "quá nhiều ô gộp", "too many merged cells");
        int r = ARRAY_GROW(g->merges, g->cap_merges, g->n_merges + 1);
        if (r == 0)
                g->merges[g->n_merges++] = m;
        return r;
}

static int on_cell(XlsxXml *x, const char *name, const char **attributes) {
        CellWalk *w = x->userdata;
        if (streq(name, "row"))
                return begin_row(x, w, attributes);
        if (streq(name, "mergeCell"))
                return add_merge(x, w->g, xlsx_attribute(attributes, "ref"));
        if (streq(name, "c") && w->row > 0)
                return begin_cell(x, w, attributes);
        if (!w->is_cell)
                return 0;
        if (streq(name, "f"))
                w->has_formula = true;
        if (streq(name, "v")) {
                w->has_value = true;
                x->is_taking = w->type != TYPE_INLINE;
        }
        text_begin(x, &w->text, name);
        return 0;
}

static int shared_text(const XlsxXml *x, const CellWalk *w, char **ret) {
        const char *text = buf_text(&x->text);
        char *end;
        unsigned long i = strtoul(text, &end, 10);
        if (!*text || *end || i >= x->wb->n_strings)
                return XLSX_REFUSE(x->wb, w->row, "chuỗi số %.20s không có trong tệp",
                                   "text number %.20s is not in the workbook", text);
        *ret = strdup(x->wb->strings[i]);
        return *ret ? 0 : -ENOMEM;
}

static int numeric_cell(const XlsxXml *x, const CellWalk *w, XlsxCell *ret) {
        const char *text = buf_text(&x->text);
        if (w->format == FORMAT_DATE) {
                ret->kind = XLSX_DATE;
                return xlsx_date(x->wb, text, &ret->text);
        }
        ret->kind = XLSX_NUMBER;
        int r = xlsx_number(text, w->format == FORMAT_PERCENT, &ret->text);
        if (r == -EINVAL)
                return XLSX_REFUSE(x->wb, w->row, "ô cột %zu: '%.40s' không phải số",
                                   "column %zu: '%.40s' is no number", w->column + 1, text);
        return r;
}

/* ISO 8601: the day is what counts. */
static int iso_cell(const XlsxXml *x, XlsxCell *ret) {
        char day[16];
        Day at;
        (void) snprintf(day, sizeof day, "%.10s", buf_text(&x->text));
        ret->kind = XLSX_DATE;
        ret->text = strdup(day_parse(day, &at) == 0 ? day : "");
        return ret->text ? 0 : -ENOMEM;
}

static int fixed_cell(XlsxKind kind, const char *text, XlsxCell *ret) {
        ret->kind = kind;
        ret->text = strdup(text);
        return ret->text ? 0 : -ENOMEM;
}

static int read_cell(XlsxXml *x, const CellWalk *w, XlsxCell *ret) {
        bool is_empty = x->text.len == 0;
        int r = 0;
        if (is_empty && w->has_formula && w->type == TYPE_NUMBER)
                return fixed_cell(XLSX_ERROR,
                                  x->wb->is_vi ? "công thức chưa có kết quả: mở tệp, lưu lại"
                                               : "a formula without its result: open the file and "
                                                 "save it again",
                                  ret);
        if (is_empty)
                return 0;
        switch (w->type) {
        case TYPE_NUMBER:
                return numeric_cell(x, w, ret);
        case TYPE_SHARED:
                r = shared_text(x, w, &ret->text);
                break;
        case TYPE_INLINE:
        case TYPE_FORMULA_TEXT:
                r = xlsx_take_text(x, &ret->text);
                break;
        case TYPE_BOOLEAN:
                return fixed_cell(XLSX_BOOLEAN, buf_text(&x->text), ret);
        case TYPE_ERROR:
                return fixed_cell(XLSX_ERROR, buf_text(&x->text), ret);
        case TYPE_ISO_DATE:
                return iso_cell(x, ret);
        default:
                return XLSX_REFUSE(x->wb, w->row, "ô cột %zu có kiểu lạ",
                                   "column %zu: a cell of an unknown type", w->column + 1);
        }
        if (r == -EILSEQ || r == -E2BIG)
                return XLSX_REFUSE(x->wb, w->row, "ô cột %zu không đọc được",
                                   "column %zu: a text cannot be read", w->column + 1);
        if (r == 0 && *ret->text)
                ret->kind = XLSX_TEXT;
        return r;
}

static int add_row(XlsxXml *x, CellWalk *w) {
        XlsxGrid *g = w->g;
        if (g->n_rows > SHEET_MAX_ROWS)
                return XLSX_REFUSE(x->wb, w->row, "hơn %u dòng", "more than %u rows",
                                   SHEET_MAX_ROWS);
        int r = ARRAY_GROW(g->cells, g->cap_rows, (g->n_rows + 1) * SHEET_MAX_COLUMNS);
        if (r == 0)
                r = ARRAY_GROW(g->lines, g->cap_lines, g->n_rows + 1);
        if (r < 0)
                return r;
        g->lines[g->n_rows++] = w->row;
        w->has_row = true;
        return 0;
}

static int end_cell(XlsxXml *x, CellWalk *w) {
        XlsxCell cell = {0};
        int r = read_cell(x, w, &cell);
        w->is_cell = false;
        if (r == 0 && cell.kind != XLSX_EMPTY && w->column >= SHEET_MAX_COLUMNS)
                r = XLSX_REFUSE(x->wb, w->row, "hơn %u cột", "more than %u columns",
                                SHEET_MAX_COLUMNS);
        if (r == 0 && cell.kind != XLSX_EMPTY && !w->has_row)
                r = add_row(x, w);
        if (r == 0 && cell.kind != XLSX_EMPTY)
                w->g->cells[(w->g->n_rows - 1) * SHEET_MAX_COLUMNS + w->column] =
                        (XlsxCell){.kind = cell.kind, .text = TAKE_PTR(cell.text)};
        free(cell.text);
        return r;
}

static int on_cell_end(XlsxXml *x, const char *name) {
        CellWalk *w = x->userdata;
        if (!w->is_cell)
                return 0;
        if (streq(name, "v"))
                x->is_taking = false;
        text_end(x, &w->text, name);
        return streq(name, "c") ? end_cell(x, w) : 0;
}

int xlsx_read_cells(Workbook *wb, const char *part, XlsxGrid *ret) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_PART_MAX);
        CellWalk w = {.g = ret};
        int r = xlsx_part(wb, part, &bytes);
        if (r == XLSX_E_NONE)
                return XLSX_REFUSE(wb, 0, "tệp xlsx hỏng: thiếu %s",
                                   "the workbook is damaged: %s is missing", part);
        return r != 0 ? r
                      : xlsx_xml(&(XlsxXml){.wb = wb,
                                            .part = part,
                                            .userdata = &w,
                                            .on_begin = on_cell,
                                            .on_end = on_cell_end},
                                 &bytes);
}
