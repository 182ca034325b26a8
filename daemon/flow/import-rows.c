/* CSV, JSON and the table of a workbook, cell by cell: what a heading means, what a cell holds, whose row
 * it is. What cannot be used is refused with its place. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/sheet.h"
#include "flow/import-private.h"

int import_refuse(Import *im, unsigned line, unsigned column, const char *format, ...) {
        CLEANUP(buf_done) Buf text = BUF_INIT(4096);
        ImportCounts *c = im->counts;
        va_list ap;
        va_start(ap, format);
        int r = buf_vprintf(&text, format, ap);
        va_end(ap);
        if (r == -ENOMEM)
                return r;
        if (c->n_refused >= IMPORT_MAX_REFUSED) {
                c->n_refused++;
                return 1;
        }
        r = ARRAY_GROW(c->refused, c->cap_refused, c->n_refused + 1);
        char *copy = r < 0 ? NULL : buf_take(&text);
        if (!copy)
                return -ENOMEM;
        c->refused[c->n_refused++] = (ImportRefusal){.line = line, .column = column, .text = copy};
        return 1;
}

/* ---- headings -------------------------------------------------------------------------------- */

static const IndicatorDef *own_indicator(const Import *im, const char *prefix, const char *name) {
        const Config *config = im->app->config;
        CLEANUP(buf_done) Buf whole = BUF_INIT(1024);
        if (buf_printf(&whole, "%s%s", prefix, name) < 0)
                return NULL;
        int i = config_indicator(config, buf_text(&whole));
        if (i < 0 || config->indicators[i].source != (int) im->file->source ||
            config->indicators[i].derive != DERIVE_NONE)
                return NULL;
        return config->indicators + i;
}

static const IndicatorDef *labelled_indicator(const Import *im, const char *heading) {
        const Config *config = im->app->config;
        for (size_t i = 0; i < config->n_indicators; i++) {
                const IndicatorDef *def = config->indicators + i;
                if (def->source == (int) im->file->source && def->derive == DERIVE_NONE &&
                    (streq_ptr(def->label, heading) || streq_ptr(def->brief, heading)))
                        return def;
        }
        return NULL;
}

/* Its name as written, its label, or an alias of the shipped ones. */
static const IndicatorDef *heading_indicator(const Import *im, const char *heading) {
        const IndicatorDef *def = own_indicator(im, "", heading);
        const char *role = def ? NULL : sheet_role(heading);
        if (!def)
                def = labelled_indicator(im, heading);
        return def || !role ? def : own_indicator(im, str_or(im->source->prefix, ""), role);
}

static bool is_unit_role(const char *role) {
        return role && (streq(role, "code") || streq(role, "name") || streq(role, "kind"));
}

static int note_ignored(Import *im, const char *heading) {
        const char *role = sheet_role(heading);
        if ((role && streq(role, "-")) || !*heading || strstr(buf_text(&im->ignored), heading))
                return 0;
        int r = buf_printf(&im->ignored, "%s%s", im->ignored.len ? ", " : "", heading);
        return r == -E2BIG ? 0 : r;
}

/* Two columns for one figure: whichever were taken would be a guess. */
static int check_headings(const Import *im, const char *(*get)(const void *table, size_t column),
                          const void *table, size_t n) {
        for (size_t a = 0; a < n; a++) {
                const IndicatorDef *def = heading_indicator(im, get(table, a));
                for (size_t b = a + 1; def && b < n; b++) {
                        if (heading_indicator(im, get(table, b)) != def)
                                continue;
                        diag_error(im->diag, NULL, 0, NULL,
                                   "columns %zu ('%.60s') and %zu ('%.60s') are both %s: one of "
                                   "them must go",
                                   a + 1, get(table, a), b + 1, get(table, b), def->name);
                        return DECODE_E_REJECTED;
                }
        }
        return 0;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* "82,71 %" is 82,71 where the indicator is in percent. */
static size_t without_percent(const IndicatorDef *def, const char *text) {
        size_t n = strlen(text);
        if (def->unit != INDICATOR_PERCENT || n == 0 || text[n - 1] != '%')
                return n;
        for (n--; n > 0 && text[n - 1] == ' ';)
                n--;
        return n;
}

static int put(json_t *row, const char *name, const char *text, size_t n) {
        return json_object_set_new(row, name, json_stringn(text, n)) == 0 ? 0 : -ENOMEM;
}

/* Parts of a source with a prefix call its indicators without it. */
static int put_own(const Import *im, json_t *row, const IndicatorDef *def, const char *text,
                   size_t n) {
        const char *prefix = str_or(im->source->prefix, "");
        bool is_prefixed = *prefix && strncmp(def->name, prefix, strlen(prefix)) == 0;
        int r = is_prefixed ? put(row, def->name + strlen(prefix), text, n) : 0;
        return r == 0 ? put(row, def->name, text, n) : r;
}

typedef struct Place {
        unsigned line, column;
} Place;

static void note_used(Import *im, const IndicatorDef *def, Place at) {
        size_t i = (size_t) (def - im->app->config->indicators);
        im->is_used[i] = true;
        im->counts->columns[i] = at.column;
}

/* A value that cannot be is refused with its place, so that it replaces none that can. */
static int check_range(Import *im, const IndicatorDef *def, int64_t value, Place at) {
        char number[DECIMAL_TEXT_MAX], min[DECIMAL_TEXT_MAX] = "", max[DECIMAL_TEXT_MAX] = "";
        bool is_low = def->min != VALUE_NONE && value < def->min;
        bool is_high = def->max != VALUE_NONE && value > def->max;
        if (value == VALUE_NONE || (!is_low && !is_high))
                return 0;
        if (def->min != VALUE_NONE)
                (void) decimal_format(min, def->min, def->decimals);
        if (def->max != VALUE_NONE)
                (void) decimal_format(max, def->max, def->decimals);
        return import_refuse(im, at.line, at.column, "%.60s: %s is outside %s..%s", def->name,
                             decimal_format(number, value, def->decimals), min, max);
}

/* Rounding is no refusal, but who brings the file is told, once, with the first. */
static void note_rounded(Import *im, const IndicatorDef *def, const char *text, size_t n,
                         int64_t value, Place at) {
        ImportRounded *first = &im->rounded;
        size_t cut = MIN(n, sizeof first->text - 1);
        if (first->n++ > 0)
                return;
        while (cut > 0 && cut < n && ((unsigned char) text[cut] & 0xc0) == 0x80)
                cut--;
        first->line = at.line;
        first->column = at.column;
        first->indicator = (size_t) (def - im->app->config->indicators);
        first->value = value;
        (void) snprintf(first->text, sizeof first->text, "%.*s", (int) cut, text);
}

static int put_number(Import *im, json_t *row, const IndicatorDef *def, const char *text,
                      Place at) {
        size_t n = without_percent(def, text);
        int64_t value = VALUE_NONE;
        bool is_rounded = false;
        int r = decimal_read(text, n, im->source->numbers, def->decimals, &value, &is_rounded);
        if (r == DECIMAL_E_SYNTAX || r == DECIMAL_E_RANGE)
                return import_refuse(im, at.line, at.column,
                                     "%s: '%.60s' is no number as the source "
                                     "writes them (%s)",
                                     def->name, text,
                                     im->source->numbers == DECIMAL_COMMA ? "numbers = comma"
                                                                          : "numbers = dot");
        r = r == 0 ? check_range(im, def, value, at) : 0;
        if (r != 0)
                return r;
        if (is_rounded)
                note_rounded(im, def, text, n, value, at);
        note_used(im, def, at);
        return put_own(im, row, def, text, n);
}

static int put_text(Import *im, json_t *row, const char *heading, const char *text, Place at) {
        const IndicatorDef *def = heading_indicator(im, heading);
        const char *role = def ? NULL : sheet_role(heading);
        int r = *heading ? put(row, heading, text, strlen(text)) : 0;
        im->is_named |= def != NULL;
        if (r == 0 && def)
                return put_number(im, row, def, text, at);
        if (r == 0 && is_unit_role(role))
                return put(row, role, text, strlen(text));
        return r == 0 ? note_ignored(im, heading) : r;
}

/* ---- open ends ------------------------------------------------------------------------------- */

/* A row of dots says that units are left out: decode notes it, and refuses nothing. */
typedef struct OpenEnd {
        json_t *row;
        size_t n_dots, n_others;
} OpenEnd;

static int look_at(OpenEnd *end, const char *heading, const char *text) {
        bool is_dots = text_is_dots(text);
        end->n_dots += is_dots;
        end->n_others += *text && !is_dots && !streq_ptr(sheet_role(heading), "-");
        return *heading ? put(end->row, heading, "...", 3) : 0;
}

/* Returns 1 when it was one, and is taken. */
static int take_open_end(Import *im, OpenEnd *end) {
        if (end->n_dots == 0 || end->n_others > 0)
                return 0;
        int r = put(end->row, "code", "...", 3);
        if (r == 0)
                r = put(end->row, "name", "...", 3);
        return r == 0 && json_array_append(im->rows, end->row) == 0 ? 1 : -ENOMEM;
}

/* ---- CSV and JSON ---------------------------------------------------------------------------- */

static int take_open_line(Import *im, const Sheet *s, size_t i) {
        OpenEnd end = {.row = json_object()};
        int r = end.row ? 0 : -ENOMEM;
        for (size_t c = 0; r == 0 && c < s->n_columns; c++)
                r = look_at(&end, sheet_cell(s, 0, c), sheet_cell(s, i, c));
        if (r == 0)
                r = take_open_end(im, &end);
        json_decref(end.row);
        return r;
}

static int take_line(Import *im, const Sheet *s, size_t i) {
        int r = take_open_line(im, s, i);
        if (r != 0)
                return MIN(r, 0);
        json_t *row = json_object();
        r = row ? 0 : -ENOMEM;
        import_row_begin(im);
        for (size_t c = 0; r == 0 && c < s->n_columns; c++)
                r = put_text(im, row, sheet_cell(s, 0, c), sheet_cell(s, i, c),
                             (Place){s->lines[i], (unsigned) c + 1});
        if (r == 0)
                r = import_row_end(im, row, s->lines[i]);
        json_decref(row);
        return MIN(r, 0);
}

static const char *sheet_heading(const void *table, size_t column) {
        return sheet_cell(table, 0, column);
}

static int take_sheet(Import *im) {
        CLEANUP(sheet_done) Sheet s = {0};
        int r = sheet_read(im->file->data, im->file->size, im->diag, &s);
        if (r != 0)
                return r < 0 ? r : DECODE_E_REJECTED;
        r = check_headings(im, sheet_heading, &s, s.n_columns);
        for (size_t i = 1; r == 0 && i < s.n_rows; i++)
                r = take_line(im, &s, i);
        return r;
}

/* NFC, one line: as core/sheet does with the cells of CSV. */
static int put_string(Import *im, json_t *row, const char *name, const char *text, Place at) {
        CLEANUP_FREE char *clean = NULL;
        int r = text_clean(text, strlen(text), &clean);
        if (r == -E2BIG || r == -EILSEQ)
                return import_refuse(im, at.line, at.column, "%.60s: a text that is too long",
                                     name);
        return r < 0 ? r : put_text(im, row, name, clean, at);
}

/* {"date": "2024-08-31"}, {"boolean": "1"}, {"error": "#DIV/0!"}: cells of a workbook that are
 * neither text nor number. Where nothing is read they are nobody's business. */
static int refuse_typed(Import *im, const char *name, json_t *value, Place at) {
        const char *role = sheet_role(name), *type;
        json_t *text;
        if (!heading_indicator(im, name) && !is_unit_role(role))
                return note_ignored(im, name);
        json_object_foreach(value, type, text) return import_refuse(
                im, at.line, at.column, "%.60s: a cell of type %.20s (%.100s), which is no figure",
                name, type, str_or(json_string_value(text), ""));
        return 0;
}

/* What it cannot be is said by decode. */
static int check_json_number(Import *im, const IndicatorDef *def, const json_t *number, Place at) {
        char text[64];
        int64_t value = VALUE_NONE;
        bool is_rounded = false;
        int r;
        if (json_is_real(number))
                (void) snprintf(text, sizeof text, "%.15g", json_real_value(number));
        else
                (void) snprintf(text, sizeof text, "%lld", (long long) json_integer_value(number));
        r = json_is_real(number)
                    ? decimal_read_double(json_real_value(number), def->decimals, &value,
                                          &is_rounded)
                    : decimal_parse(text, strlen(text), DECIMAL_DOT, def->decimals, &value);
        r = r == 0 ? check_range(im, def, value, at) : 0;
        if (r == 0 && is_rounded)
                note_rounded(im, def, text, strlen(text), value, at);
        return r;
}

/* null is no value, as an empty cell is; true, a list or an object in the place of a figure or a code
 * is a mistake. */
static int refuse_structure(Import *im, const char *name, const json_t *value, Place at) {
        const char *what = json_is_array(value)    ? "a list"
                           : json_is_object(value) ? "an object"
                                                   : "true or false";
        if (!heading_indicator(im, name) && !is_unit_role(sheet_role(name)))
                return note_ignored(im, name);
        return json_is_null(value) ? 0
                                   : import_refuse(im, at.line, at.column,
                                                   "%.60s: %s, which is no figure", name, what);
}

/* Numbers are dot by JSON's own rule; decode reads them so. */
static int put_json(Import *im, json_t *row, const char *name, json_t *value, Place at) {
        if (json_is_string(value))
                return put_string(im, row, name, json_string_value(value), at);
        if (im->is_table && json_is_object(value))
                return refuse_typed(im, name, value, at);
        const IndicatorDef *def = heading_indicator(im, name);
        const char *role = def ? NULL : sheet_role(name);
        im->is_named |= def != NULL;
        if (role && streq(role, "code") && json_is_number(value))
                return import_refuse(im, at.line, at.column,
                                     "%s is a number: codes are text, zeros in front count", name);
        if (!json_is_number(value))
                return refuse_structure(im, name, value, at);
        if (!def)
                return json_object_set(row, name, value) < 0 ? -ENOMEM : note_ignored(im, name);
        int r = check_json_number(im, def, value, at);
        if (r != 0)
                return r;
        note_used(im, def, at);
        const char *prefix = str_or(im->source->prefix, "");
        if (*prefix && strncmp(def->name, prefix, strlen(prefix)) == 0 &&
            json_object_set(row, def->name + strlen(prefix), value) < 0)
                return -ENOMEM;
        return json_object_set(row, def->name, value) == 0 ? 0 : -ENOMEM;
}

/* Its text, "" of what is no text and no value; a number is somebody's figure. */
static const char *text_of(const json_t *value) {
        return json_is_string(value)                            ? json_string_value(value)
               : json_is_number(value) || json_is_object(value) ? "a value"
                                                                : "";
}

static int take_open_object(Import *im, json_t *object) {
        OpenEnd end = {.row = json_object()};
        int r = end.row ? 0 : -ENOMEM;
        const char *name;
        json_t *value;
        json_object_foreach(object, name, value) if (r == 0) r =
                look_at(&end, name, text_of(value));
        if (r == 0)
                r = take_open_end(im, &end);
        json_decref(end.row);
        return r;
}

static int take_object(Import *im, json_t *object, unsigned number) {
        int r = take_open_object(im, object);
        if (r != 0)
                return MIN(r, 0);
        json_t *row = json_object(), *value;
        const char *name;
        r = row ? 0 : -ENOMEM;
        import_row_begin(im);
        json_object_foreach(object, name, value) if (r == 0) r =
                put_json(im, row, name, value, (Place){number, 0});
        if (r == 0)
                r = import_row_end(im, row, number);
        json_decref(row);
        return MIN(r, 0);
}

static int take_objects(Import *im, json_t *rows) {
        json_t *object;
        size_t i;
        int r = 0;
        json_array_foreach(rows, i, object) if (r == 0) r =
                take_object(im, object, (unsigned) i + 1);
        return r;
}

/* ---- tables of workbooks --------------------------------------------------------------------- */

static int take_open_row(Import *im, const json_t *headings, const json_t *cells) {
        OpenEnd end = {.row = json_object()};
        int r = end.row ? 0 : -ENOMEM;
        for (size_t c = 0; r == 0 && c < json_array_size(headings); c++)
                r = look_at(&end, str_or(json_string_value(json_array_get(headings, c)), ""),
                            text_of(json_array_get(cells, c)));
        if (r == 0)
                r = take_open_end(im, &end);
        json_decref(end.row);
        return r;
}

static int take_typed_row(Import *im, const json_t *headings, const json_t *from) {
        const json_t *cells = json_object_get(from, "cells");
        unsigned line = (unsigned) json_integer_value(json_object_get(from, "line"));
        int r = take_open_row(im, headings, cells);
        if (r != 0)
                return MIN(r, 0);
        json_t *row = json_object();
        r = row ? 0 : -ENOMEM;
        import_row_begin(im);
        for (size_t c = 0; r == 0 && c < json_array_size(headings); c++) {
                const char *heading = json_string_value(json_array_get(headings, c));
                json_t *value = json_array_get(cells, c);
                if (heading && value)
                        r = put_json(im, row, heading, value, (Place){line, (unsigned) c + 1});
        }
        if (r == 0)
                r = import_row_end(im, row, line);
        json_decref(row);
        return MIN(r, 0);
}

static const char *json_heading(const void *table, size_t column) {
        return str_or(json_string_value(json_array_get(table, column)), "");
}

static int take_table(Import *im, const json_t *headings, const json_t *rows) {
        json_t *row;
        size_t i;
        im->is_table = true;
        int r = check_headings(im, json_heading, headings, json_array_size(headings));
        json_array_foreach(rows, i, row) if (r == 0) r = take_typed_row(im, headings, row);
        return r;
}

/* What nobody reads was meant for something: of a table that was made, never of one that is stored. */
static int check_members(const Import *im, const json_t *object, const char *where,
                         const char *const names[], size_t n) {
        for (void *at = json_object_iter((json_t *) object); at && !im->file->is_stored;
             at = json_object_iter_next((json_t *) object, at)) {
                const char *name = json_object_iter_key(at);
                size_t i = 0;
                while (i < n && !streq(names[i], name))
                        i++;
                if (i < n)
                        continue;
                diag_error(im->diag, NULL, 0, NULL,
                           "%s has a member '%.60s', which is not known: nothing was done", where,
                           name);
                return DECODE_E_REJECTED;
        }
        return 0;
}

static int check_object(const Import *im, const json_t *root) {
        static const char *const members[] = {"rows", "headings", "workbook"};
        static const char *const of_book[] = {"name", "sheet", "sha256"};
        static const char *const of_row[] = {"line", "cells"};
        bool is_table = json_is_array(json_object_get(root, "headings"));
        const json_t *row;
        size_t i;
        /* "headings" and "workbook" speak of cells; rows of their own names have neither */
        int r = check_members(im, root, "the object", members, is_table ? 3 : 1);
        if (r == 0 && is_table)
                r = check_members(im, json_object_get(root, "workbook"), "workbook", of_book,
                                  ELEMENTSOF(of_book));
        json_array_foreach(json_object_get(root, "rows"), i, row) if (r == 0 && is_table) r =
                check_members(im, row, "a row", of_row, ELEMENTSOF(of_row));
        return r;
}

static int take_json(Import *im) {
        json_error_t error;
        int r = decode_scan(im->file->data, im->file->size, im->diag);
        if (r == 0 && sheet_check_text(im->file->data, im->file->size, im->diag) != 0)
                r = DECODE_E_REJECTED;
        if (r != 0)
                return r;
        json_t *root = json_loadb(im->file->data, im->file->size, JSON_REJECT_DUPLICATES, &error);
        json_t *rows = json_is_object(root) ? json_object_get(root, "rows") : root;
        const json_t *headings = json_object_get(root, "headings");
        if (!json_is_array(rows)) {
                diag_error(im->diag, NULL, 0, NULL, "%s", root ? "no array of rows" : error.text);
                r = DECODE_E_REJECTED;
        } else {
                r = check_object(im, root);
        }
        if (r == 0) {
                r = json_is_array(headings) ? take_table(im, headings, rows)
                                            : take_objects(im, rows);
        }
        json_decref(root);
        return r;
}

static bool is_json(const ImportFile *f) {
        size_t i = f->size >= 3 && memcmp(f->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        while (i < f->size && f->data[i] && strchr(" \t\r\n", f->data[i]))
                i++;
        return i < f->size && (f->data[i] == '[' || f->data[i] == '{');
}

int import_rows(Import *im) {
        return is_json(im->file) ? take_json(im) : take_sheet(im);
}
