/* What the daemon gets of a workbook: a table with types for figures, CSV for the registry. Both
 * keep the rows' numbers, so that what the daemon refuses is found in the sheet. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/xlsx-private.h"
#include "os/crypto.h"

static const XlsxCell *cell_of(const XlsxSheet *s, size_t row, size_t column) {
        return &s->cells[row * s->n_columns + column];
}

/* ---- figures --------------------------------------------------------------------------------- */

static int put_text(Buf *out, const char *text) {
        int r = buf_char(out, '"');
        if (r == 0)
                r = text_append_json(out, text, strlen(text));
        return r < 0 ? r : buf_char(out, '"');
}

static int put_named(Buf *out, const char *name, const char *text) {
        int r = buf_printf(out, "{\"%s\":", name);
        if (r == 0)
                r = put_text(out, text);
        return r < 0 ? r : buf_char(out, '}');
}

static int put_cell(Buf *out, const XlsxCell *cell) {
        switch (cell->kind) {
        case XLSX_TEXT:
                return put_text(out, cell->text);
        case XLSX_NUMBER:
                return buf_str(out, cell->text);
        case XLSX_DATE:
                return put_named(out, "date", cell->text);
        case XLSX_BOOLEAN:
                return put_named(out, "boolean", cell->text);
        case XLSX_ERROR:
                return put_named(out, "error", cell->text);
        default:
                return buf_str(out, "null");
        }
}

static int put_cells(Buf *out, const XlsxSheet *s, size_t row) {
        int r = buf_char(out, '[');
        for (size_t c = 0; r == 0 && c < s->n_columns; c++) {
                r = c ? buf_char(out, ',') : 0;
                if (r == 0)
                        r = put_cell(out, cell_of(s, row, c));
        }
        return r < 0 ? r : buf_char(out, ']');
}

static int put_head(const XlsxSheet *s, const char *name, const uint8_t *hash, Buf *out) {
        int r = buf_str(out, "{\"workbook\":{\"name\":");
        if (r == 0)
                r = put_text(out, name);
        if (r == 0)
                r = buf_str(out, ",\"sheet\":");
        if (r == 0)
                r = put_text(out, s->name);
        if (r == 0)
                r = buf_str(out, ",\"sha256\":\"");
        for (size_t i = 0; r == 0 && i < SHA256_SIZE; i++)
                r = buf_printf(out, "%02x", hash[i]);
        return r < 0 ? r : buf_str(out, "\"},\n\"headings\":");
}

int xlsx_json(const XlsxSheet *s, const char *name, const char *data, size_t n, Buf *out) {
        uint8_t hash[SHA256_SIZE];
        int r = crypto_sha256(data, n, hash);
        if (r == 0)
                r = put_head(s, name, hash, out);
        if (r == 0)
                r = put_cells(out, s, 0);
        if (r == 0)
                r = buf_str(out, ",\n\"rows\":[");
        for (size_t i = 1; r == 0 && i < s->n_rows; i++) {
                r = buf_printf(out, "%s\n{\"line\":%u,\"cells\":", i > 1 ? "," : "", s->lines[i]);
                if (r == 0)
                        r = put_cells(out, s, i);
                if (r == 0)
                        r = buf_char(out, '}');
        }
        return r < 0 ? r : buf_str(out, "\n]}\n");
}

/* ---- units ----------------------------------------------------------------------------------- */

static bool is_text_only(const char *role) {
        static const char *const roles[] = {"key", "code", "name", "parent", "successors"};
        for (size_t i = 0; role && i < ELEMENTSOF(roles); i++)
                if (streq(roles[i], role))
                        return true;
        return false;
}

static int refuse_cell(const XlsxSheet *s, size_t row, size_t column, bool is_vi, Diag *diag) {
        const XlsxCell *cell = cell_of(s, row, column);
        const char *heading = str_or(cell_of(s, 0, column)->text, "?");
        if (cell->kind == XLSX_NUMBER)
                diag_error(diag, NULL, s->lines[row], NULL,
                           is_vi ? "cột %zu (%s): %s là ô số; mã phải là ô văn bản, vì số 0 ở đầu "
                                   "có nghĩa"
                                 : "column %zu (%s): %s is a numeric cell; codes are text, zeros "
                                   "in front count",
                           column + 1, heading, cell->text);
        else
                diag_error(diag, NULL, s->lines[row], NULL,
                           is_vi ? "cột %zu (%s): ô '%s' không phải văn bản"
                                 : "column %zu (%s): the cell '%s' is no text",
                           column + 1, heading, cell->text);
        return XLSX_E_REFUSED;
}

static int put_csv_text(Buf *out, const char *text) {
        int r = buf_char(out, '"');
        if (r == 0 && text_is_formula(text)) /* the daemon takes it off again */
                r = buf_char(out, '\'');
        for (const char *p = text; r == 0 && *p; p++) {
                r = *p == '"' ? buf_char(out, '"') : 0;
                if (r == 0)
                        r = buf_char(out, *p);
        }
        return r < 0 ? r : buf_char(out, '"');
}

int xlsx_csv(const XlsxSheet *s, bool is_vi, Diag *diag, Buf *out) {
        unsigned line = 1;
        int r = 0;
        for (size_t i = 0; r == 0 && i < s->n_rows; i++) {
                for (; r == 0 && line < s->lines[i]; line++)
                        r = buf_char(out, '\n');
                for (size_t c = 0; r == 0 && c < s->n_columns; c++) {
                        const XlsxCell *cell = cell_of(s, i, c);
                        const char *heading = cell_of(s, 0, c)->text;
                        const char *role = heading ? sheet_role(heading) : NULL;
                        bool is_odd = cell->kind == XLSX_ERROR || cell->kind == XLSX_BOOLEAN ||
                                      (cell->kind == XLSX_DATE && !*str_or(cell->text, "")) ||
                                      (cell->kind > XLSX_TEXT && is_text_only(role));
                        if (i > 0 && heading && is_odd)
                                return refuse_cell(s, i, c, is_vi, diag);
                        r = c ? buf_char(out, ',') : 0;
                        if (r == 0)
                                r = put_csv_text(out, str_or(cell->text, ""));
                }
                if (r == 0)
                        r = buf_char(out, '\n');
                line++;
        }
        return r;
}
