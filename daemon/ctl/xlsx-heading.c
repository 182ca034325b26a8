/* From cells to a table under one heading.
 *
 * People's tables have a letterhead above and headings of two rows: "Tiến độ" over "Tiếp nhận" and
 * "Đúng hạn", with "Đơn vị" merged downward beside them. The rows that merged cells tie to the
 * heading's row belong to it. A column is called by its lowest text; where that is not its own alone,
 * by the upper one too. One heading over two columns of figures says nothing about either: refused. */
#include <errno.h>

#include "base/text.h"
#include "ctl/xlsx-private.h"

#define HEADING_ROWS_MAX 6u

static const XlsxCell *cell_at(const XlsxGrid *g, size_t row, size_t column) {
        return &g->cells[row * SHEET_MAX_COLUMNS + column];
}

static size_t filled(const XlsxGrid *g, size_t row) {
        size_t n = 0;
        for (size_t c = 0; c < SHEET_MAX_COLUMNS; c++)
                n += cell_at(g, row, c)->kind != XLSX_EMPTY;
        return n;
}

bool xlsx_has_table(const XlsxGrid *g) {
        for (size_t i = 0; i < g->n_rows; i++)
                if (filled(g, i) >= 2)
                        return true;
        return false;
}

static bool names_units(const XlsxGrid *g, size_t row) {
        for (size_t c = 0; c < SHEET_MAX_COLUMNS; c++) {
                const XlsxCell *cell = cell_at(g, row, c);
                const char *role = cell->kind == XLSX_TEXT ? sheet_role(cell->text) : NULL;
                if (role && (streq(role, "code") || streq(role, "name") || streq(role, "key")))
                        return true;
        }
        return false;
}

/* Rows of the grid from the heading's first to its last. False: there is none. */
static bool find_heading(const XlsxGrid *g, size_t *ret_first, size_t *ret_last) {
        size_t first = g->n_rows, last;
        for (size_t i = 0; first == g->n_rows && i < g->n_rows; i++)
                if (filled(g, i) >= 2 && names_units(g, i))
                        first = i;
        for (size_t i = 0; first == g->n_rows && i < g->n_rows; i++)
                if (filled(g, i) >= 2)
                        first = i;
        if (first == g->n_rows)
                return false;
        unsigned top = g->lines[first], bottom = top;
        for (size_t i = 0; i < g->n_merges; i++) {
                const XlsxMerge *m = &g->merges[i];
                if (m->row <= top && top <= m->last_row && m->last_row < top + HEADING_ROWS_MAX &&
                    m->column < SHEET_MAX_COLUMNS)
                        bottom = MAX(bottom, m->last_row);
        }
        for (last = first; last + 1 < g->n_rows && g->lines[last + 1] <= bottom;)
                last++;
        *ret_first = first;
        *ret_last = last;
        return true;
}

/* The text of a place, its own or that of the merged cells it lies in. */
static const char *text_at(const XlsxGrid *g, size_t row, size_t column) {
        const XlsxCell *own = cell_at(g, row, column);
        if (own->kind != XLSX_EMPTY)
                return own->text;
        for (size_t i = 0; i < g->n_merges; i++) {
                const XlsxMerge *m = &g->merges[i];
                if (m->row > g->lines[row] || m->last_row < g->lines[row] || m->column > column ||
                    m->last_column < column || m->column >= SHEET_MAX_COLUMNS)
                        continue;
                for (size_t r = 0; r < g->n_rows; r++)
                        if (g->lines[r] == m->row)
                                return str_or(cell_at(g, r, m->column)->text, "");
        }
        return "";
}

typedef struct Heading {
        const char *lower, *upper;
} Heading;

static Heading heading_of(const XlsxGrid *g, size_t first, size_t last, size_t column) {
        Heading h = {"", ""};
        for (size_t row = last + 1; row-- > first;) {
                const char *text = text_at(g, row, column);
                if (*text && !*h.lower)
                        h.lower = text;
                else if (*text && !streq(text, h.lower))
                        h.upper = text;
        }
        return h;
}

static bool has_data(const XlsxGrid *g, size_t last, size_t column) {
        for (size_t row = last + 1; row < g->n_rows; row++)
                if (cell_at(g, row, column)->kind != XLSX_EMPTY)
                        return true;
        return false;
}

static const char *column_letter(char text[static 4], size_t column) {
        size_t n = 0;
        if (column >= 26)
                text[n++] = (char) ('A' + column / 26 - 1);
        text[n++] = (char) ('A' + column % 26);
        text[n] = '\0';
        return text;
}

static int put_heading(const Heading *h, bool is_own, XlsxCell *ret) {
        CLEANUP(buf_done) Buf text = BUF_INIT(2 * XLSX_CELL_MAX + 2);
        if (!*h->lower)
                return 0;
        int r = is_own || !*h->upper ? buf_str(&text, h->lower)
                                     : buf_printf(&text, "%s, %s", h->upper, h->lower);
        ret->text = r < 0 ? NULL : buf_take(&text);
        ret->kind = XLSX_TEXT;
        return ret->text ? 0 : -ENOMEM;
}

static int name_columns(Workbook *wb, const XlsxGrid *g, size_t first, size_t last, XlsxSheet *s) {
        Heading heads[SHEET_MAX_COLUMNS];
        int r = 0;
        for (size_t c = 0; c < s->n_columns; c++) {
                heads[c] = heading_of(g, first, last, c);
                if (!has_data(g, last, c))
                        heads[c] = (Heading){"", ""};
        }
        for (size_t c = 0; r == 0 && c < s->n_columns; c++) {
                bool is_own = true;
                for (size_t o = 0; o < s->n_columns; o++) {
                        if (o == c || !*heads[c].lower || !streq(heads[o].lower, heads[c].lower))
                                continue;
                        is_own = false;
                        if (o > c && streq(heads[o].upper, heads[c].upper)) {
                                char a[4], b[4];

                                return XLSX_REFUSE(wb, g->lines[last],
                                                   "cột %s và %s cùng tên '%s': đặt lại tên cột",
                                                   "columns %s and %s are both called '%s': name "
                                                   "them apart",
                                                   column_letter(a, c), column_letter(b, o),
                                                   heads[c].lower);
                        }
                }
                r = put_heading(&heads[c], is_own, &s->cells[c]);
        }
        return r;
}

int xlsx_lay_out(Workbook *wb, XlsxGrid *g, XlsxSheet *ret) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        size_t first, last;
        if (!find_heading(g, &first, &last))
                return XLSX_REFUSE(wb, 0, "trang tính không có bảng: không dòng nào có hai ô",
                                   "the sheet has no table: no row has two cells or more");
        for (size_t row = first; row < g->n_rows; row++)
                for (size_t c = s.n_columns; c < SHEET_MAX_COLUMNS; c++)
                        if (cell_at(g, row, c)->kind != XLSX_EMPTY)
                                s.n_columns = c + 1;
        s.n_rows = g->n_rows - last;
        s.cells = calloc(s.n_rows * s.n_columns, sizeof *s.cells);
        s.lines = calloc(s.n_rows, sizeof *s.lines);
        if (!s.cells || !s.lines)
                return -ENOMEM;
        s.lines[0] = g->lines[last];
        int r = name_columns(wb, g, first, last, &s);
        for (size_t i = 1; r == 0 && i < s.n_rows; i++) {
                XlsxCell *from = &g->cells[(last + i) * SHEET_MAX_COLUMNS];
                s.lines[i] = g->lines[last + i];
                for (size_t c = 0; c < s.n_columns; c++) {
                        s.cells[i * s.n_columns + c] = from[c];
                        from[c] = (XlsxCell){0};
                }
        }
        if (r != 0)
                return r;
        *ret = s;
        s = (XlsxSheet){0};
        return 0;
}
