/* One page of one part: from JSON to cells, led by the part's pointers.
 *
 * The pointers are compiled with the first page and live in DecodeSeen to the last, together with
 * which units this part has shown already: the same unit in two parts is one row of the table,
 * twice in one part is a publisher's mistake that nobody can resolve, and rejects the whole.
 *
 * A figure that is not one (text, out of range) is a note at its cell and never a rejection: one
 * bad cell must not hold back a hundred good communes. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/decode-json.h"
#include "core/decode-snapshot.h"
#include "core/decode.h"

#define PAGES_MAX 10000
#define NOTE_MAX 256u /* bytes */
#define QUOTE_MAX 40  /* bytes of a publisher's text in a note */

typedef struct ValuePath {
        Pointer value, denominator, delta;
        size_t column;
} ValuePath;

typedef struct ValuePaths {
        ValuePath *paths;
        size_t n;
} ValuePaths;

struct DecodeSeen {
        Pointer rows, parent, scope, pages, code, name, kind;
        PointerTest envelope, where;
        ValuePaths values, parent_values;
        uint8_t *units; /* 1: this part has shown it */
        size_t cap_units;
        bool has_parent;
};

typedef struct Page {
        Snapshot *s;
        const Config *config;
        const SourceDef *source;
        const PartDef *part;
        DecodeSeen *seen;
        const char *scope;
        Diag *diag;
} Page;

/* ---- compiling --------------------------------------------------------------------------------
 */

static void value_paths_done(ValuePaths *v) {
        for (size_t i = 0; i < v->n; i++) {
                pointer_done(&v->paths[i].value);
                pointer_done(&v->paths[i].denominator);
                pointer_done(&v->paths[i].delta);
        }
        free(v->paths);
        *v = (ValuePaths){0};
}

void decode_seen_free(DecodeSeen *seen) {
        if (!seen)
                return;
        Pointer *pointers[] = {&seen->rows, &seen->parent, &seen->scope, &seen->pages,
                               &seen->code, &seen->name,   &seen->kind};
        for (size_t i = 0; i < ELEMENTSOF(pointers); i++)
                pointer_done(pointers[i]);
        pointer_test_done(&seen->envelope);
        pointer_test_done(&seen->where);
        value_paths_done(&seen->values);
        value_paths_done(&seen->parent_values);
        free(seen->units);
        free(seen);
}

static int compile_values(ValuePaths *v, const Snapshot *s, const ValueMap *maps, size_t n) {
        v->paths = calloc(MAX(n, (size_t) 1), sizeof *v->paths);
        if (!v->paths)
                return -ENOMEM;
        for (; v->n < n; v->n++) {
                const ValueMap *map = &maps[v->n];
                ValuePath *path = &v->paths[v->n];
                int r = pointer_compile(&path->value, map->pointer);
                if (r == 0)
                        r = pointer_compile(&path->denominator, map->denominator);
                if (r == 0)
                        r = pointer_compile(&path->delta, map->delta);
                if (r < 0) {
                        pointer_done(&path->value);
                        pointer_done(&path->denominator);
                        return r;
                }
                path->column = (size_t) snapshot_column(s, map->indicator);
        }
        return 0;
}

static int compile_pointers(DecodeSeen *seen, const PartDef *part) {
        struct {
                Pointer *pointer;
                const char *text;
        } table[] = {
                {&seen->rows, str_or(part->rows, "")},
                {&seen->parent, part->parent},
                {&seen->scope, part->scope_check},
                {&seen->pages, part->pages_kind == PAGES_POINTER ? part->pages : NULL},
                {&seen->code, part->unit_code},
                {&seen->name, part->unit_name},
                {&seen->kind, part->unit_kind},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                int r = pointer_compile(table[i].pointer, table[i].text);
                if (r < 0)
                        return r;
        }
        int r = pointer_test_compile(&seen->envelope, part->envelope);
        return r < 0 ? r : pointer_test_compile(&seen->where, part->where);
}

static int seen_new(const Snapshot *s, const PartDef *part, DecodeSeen **ret) {
        CLEANUP(decode_seen_freep) DecodeSeen *seen = calloc(1, sizeof *seen);
        if (!seen)
                return -ENOMEM;
        int r = compile_pointers(seen, part);
        if (r == 0)
                r = compile_values(&seen->values, s, part->values, part->n_values);
        if (r == 0)
                r = compile_values(&seen->parent_values, s, part->parent_values,
                                   part->n_parent_values);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(seen);
        return 0;
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static const char *json_kind(const json_t *v) {
        switch (json_typeof(v)) {
        case JSON_TRUE:
                return "true";
        case JSON_FALSE:
                return "false";
        case JSON_ARRAY:
                return "an array";
        default:
                return "an object";
        }
}

/* Returns 0 or DECIMAL_E_*; what is no number of any kind is DECIMAL_E_SYNTAX. */
static int number_read(const json_t *v, DecimalStyle style, unsigned decimals, int64_t *ret) {
        char room[SCALAR_MAX];
        if (!v || json_is_null(v))
                return DECIMAL_E_MISSING;
        if (json_is_real(v))
                return decimal_from_double(json_real_value(v), decimals, ret);
        if (json_is_integer(v)) {
                const char *digits = scalar_text(v, room);
                return decimal_parse(digits, strlen(digits), DECIMAL_DOT, decimals, ret);
        }
        if (json_is_string(v))
                return decimal_parse(json_string_value(v), json_string_length(v), style, decimals,
                                     ret);
        return DECIMAL_E_SYNTAX;
}

static int note_unreadable(Page *p, size_t unit, size_t column, const json_t *v, int why) {
        const IndicatorDef *def = &p->config->indicators[p->s->indicators[column]];
        const char *what = why == DECIMAL_E_RANGE ? "beyond all bounds" : "no number";
        if (!json_is_string(v)) {
                char text[NOTE_MAX];
                (void) snprintf(text, sizeof text, "%s: %s is %s", def->name,
                                json_is_number(v) ? "a number" : json_kind(v), what);
                return snapshot_bad(p->s, unit, column, text);
        }
        const char *quote = json_string_value(v);
        size_t n = json_string_length(v), cut = MIN(n, (size_t) QUOTE_MAX);
        while (cut > 0 && cut < n && ((unsigned char) quote[cut] & 0xc0) == 0x80)
                cut--;
        CLEANUP(buf_done) Buf text = BUF_INIT(NOTE_MAX * 4);
        int r = buf_printf(&text, "%s: '", def->name);
        if (r == 0)
                r = text_append_printable(&text, quote, cut);
        if (r == 0)
                r = buf_printf(&text, "%s' is %s", cut < n ? "..." : "", what);
        if (r < 0)
                return r == -E2BIG ? snapshot_bad(p->s, unit, column, what) : r;
        return snapshot_bad(p->s, unit, column, buf_text(&text));
}

static bool is_zero(const json_t *v, DecimalStyle style) {
        int64_t value;
        return v && number_read(v, style, DECIMAL_MAX_DECIMALS, &value) == 0 && value == 0;
}

static void put(Snapshot *s, size_t cell, int64_t value, Why why) {
        s->value[cell] = value;
        s->why[cell] = (uint8_t) why;
}

/* A score over nothing: what the indicator says that it is. */
static void put_empty(Snapshot *s, size_t cell, const IndicatorDef *def) {
        if (def->empty == EMPTY_ZERO)
                put(s, cell, 0, WHY_VALUE);
        else if (def->empty == EMPTY_FULL && def->max != VALUE_NONE)
                put(s, cell, def->max, WHY_VALUE);
        else
                put(s, cell, VALUE_NONE, WHY_EMPTY);
}

static int take_value(Page *p, const json_t *row, size_t unit, const ValuePath *path) {
        Snapshot *s = p->s;
        size_t cell = snapshot_cell(s, unit, path->column);
        const IndicatorDef *def = &p->config->indicators[s->indicators[path->column]];
        DecimalStyle style = p->source->numbers;
        int64_t value;

        if (s->why[cell] != WHY_MISSING)
                return 0;
        if (s->delta &&
            number_read(pointer_get(&path->delta, row), style, def->decimals, &value) == 0)
                s->delta[cell] = value;
        if (is_zero(pointer_get(&path->denominator, row), style)) {
                put_empty(s, cell, def);
                return 0;
        }
        const json_t *published = pointer_get(&path->value, row);
        int r = number_read(published, style, def->decimals, &value);
        if (r == DECIMAL_E_MISSING)
                return 0;
        if (r != 0)
                return note_unreadable(p, unit, path->column, published, r);
        put(s, cell, value, WHY_VALUE);
        return snapshot_check_range(s, p->config, unit, path->column);
}

/* ---- rows -------------------------------------------------------------------------------------
 */

/* Cleaned text at the pointer; "" when there is none. Returns 0, -ENOMEM, DECODE_E_REJECTED. */
static int clean_text(const Page *p, const Pointer *pointer, const json_t *row, char **ret) {
        char room[SCALAR_MAX];
        const char *text = str_or(scalar_text(pointer_get(pointer, row), room), "");
        int r = text_clean(text, strlen(text), ret);
        if (r < 0 && r != -ENOMEM)
                return REJECT(p->diag, "part %s: a code or name of %zu bytes", p->part->name,
                              strlen(text));
        return r;
}

static const char *kind_of(const Page *p, const json_t *row, bool is_parent) {
        const PartDef *part = p->part;
        if (is_parent && part->parent_kind)
                return part->parent_kind;
        char room[SCALAR_MAX];
        const char *text = scalar_text(pointer_get(&p->seen->kind, row), room);
        for (size_t i = 0; text && i < part->n_kinds; i++)
                if (streq(part->kinds[i].match, text))
                        return part->kinds[i].kind;
        return str_or(part->kind_default, "");
}

/* "...": units that are left out. */
static bool is_open_end(const char *code, const char *name) {
        return (text_is_dots(code) || text_is_dots(name)) && (!*code || text_is_dots(code)) &&
               (!*name || text_is_dots(name));
}

/* The row's unit, noted as shown by this part. */
static int take_unit(Page *p, char **code, size_t *ret) {
        int r = snapshot_unit(p->s, code, ret);
        if (r == DECODE_E_REJECTED)
                return REJECT(p->diag, "more than %u units", DECODE_MAX_UNITS);
        if (r == 0)
                r = ARRAY_GROW(p->seen->units, p->seen->cap_units, *ret + 1);
        if (r < 0)
                return r;
        if (p->seen->units[*ret])
                return REJECT(p->diag, "part %s has the unit %s twice", p->part->name,
                              p->s->units[*ret].code);
        p->seen->units[*ret] = 1;
        return 0;
}

static int take_row(Page *p, const json_t *row, size_t number, bool is_parent) {
        CLEANUP_FREE char *code = NULL, *name = NULL;
        size_t unit;
        int r = clean_text(p, &p->seen->code, row, &code);
        if (r == 0)
                r = clean_text(p, &p->seen->name, row, &name);
        if (r != 0)
                return r;
        if (!*code && is_parent)
                return 0; /* "overview": {} */
        if (is_open_end(code, name)) {
                p->s->open_part = p->part->name;
                return 0;
        }
        if (!*code)
                return REJECT(p->diag, "part %s: row %zu has no unit code", p->part->name, number);
        r = take_unit(p, &code, &unit);
        if (r != 0)
                return r;

        DecodedUnit *u = &p->s->units[unit];
        if (!*u->name) {
                free(u->name);
                u->name = TAKE_PTR(name);
        }
        if (!*u->kind)
                u->kind = kind_of(p, row, is_parent);
        u->is_scope |= is_parent;
        bool is_own = is_parent && p->seen->parent_values.n > 0;
        const ValuePaths *values = is_own ? &p->seen->parent_values : &p->seen->values;
        for (size_t i = 0; r == 0 && i < values->n; i++)
                r = take_value(p, row, unit, &values->paths[i]);
        return r;
}

static int take_parent(Page *p, const json_t *root) {
        const json_t *row = pointer_get(&p->seen->parent, root);
        if (p->seen->has_parent || !json_is_object(row))
                return 0; /* every page repeats it */
        p->seen->has_parent = true;
        return take_row(p, row, 0, /* is_parent= */ true);
}

static int take_rows(Page *p, Rows *rows) {
        for (;;) {
                CLEANUP_JSON json_t *row = NULL;
                int r = rows_next(rows, p->diag, &row);
                if (r != 0 || !row)
                        return r;
                if (!pointer_test_holds(&p->seen->where, row))
                        continue;
                r = take_row(p, row, rows->n, /* is_parent= */ false);
                if (r != 0)
                        return r;
        }
}

/* ---- the answer as a whole ----------------------------------------------------------------------
 */

static int check_envelope(const Page *p, const json_t *root) {
        if (pointer_test_holds(&p->seen->envelope, root))
                return 0;
        char room[SCALAR_MAX];
        const char *text = scalar_text(pointer_get(&p->seen->envelope.pointer, root), room);
        return REJECT(p->diag, "part %s: the answer says '%.60s' where %s was expected",
                      p->part->name, str_or(text, "nothing"), p->part->envelope);
}

static int check_scope(const Page *p, const json_t *root) {
        if (!p->part->scope_check || !*p->scope)
                return 0;
        char room[SCALAR_MAX];
        const char *text = scalar_text(pointer_get(&p->seen->scope, root), room);
        if (text && streq(text, p->scope))
                return 0;
        return REJECT(p->diag, "part %s: the answer is about '%.60s', asked was '%s'",
                      p->part->name, str_or(text, "nothing"), p->scope);
}

static int count_pages(const Page *p, const json_t *root, size_t n_rows, size_t *ret) {
        if (p->part->pages_kind == PAGES_SHORT)
                *ret = p->part->page_size > 0 && n_rows >= (size_t) p->part->page_size ? 0 : 1;
        else
                *ret = 1;
        if (p->part->pages_kind != PAGES_POINTER)
                return 0;
        int64_t pages;
        int r = number_read(pointer_get(&p->seen->pages, root), DECIMAL_DOT, 0, &pages);
        if (r != 0 || pages < 0 || pages > PAGES_MAX)
                return REJECT(p->diag, "part %s: no usable number of pages at %s", p->part->name,
                              p->part->pages);
        *ret = (size_t) MAX(pages, 1);
        return 0;
}

static int take_page(Page *p, const json_t *root, Rows *rows, size_t *ret_pages) {
        int r = check_envelope(p, root);
        if (r == 0)
                r = check_scope(p, root);
        if (r != 0)
                return r;
        if (!json_is_array(pointer_get(&p->seen->rows, root)))
                return REJECT(p->diag, "part %s: no array of rows at '%s'", p->part->name,
                              str_or(p->part->rows, ""));
        r = take_parent(p, root);
        if (r == 0)
                r = take_rows(p, rows);
        return r != 0 ? r : count_pages(p, root, rows->n, ret_pages);
}

static int open_page(const DecodeSeen *seen, const char *body, size_t n, Diag *diag,
                     json_t **ret_root, Rows *ret) {
        const Pointer *const shared[] = {&seen->parent, &seen->scope, &seen->pages,
                                         &seen->envelope.pointer};
        return decode_open(body, n, &seen->rows, shared, ELEMENTSOF(shared), diag, ret_root, ret);
}

int decode_part(Snapshot *s, const Config *config, size_t source, size_t part, const char *scope,
                const char *body, size_t n, DecodeSeen **seen, size_t *ret_pages,
                size_t *ret_n_rows, Diag *diag) {
        const SourceDef *def = &config->sources[source];
        CLEANUP_JSON json_t *root = NULL;
        Rows rows = {0};
        size_t pages;
        int r = 0;

        if (!*seen)
                r = seen_new(s, &def->parts[part], seen);
        if (r == -EINVAL)
                return REJECT(diag, "part %s has a malformed pointer", def->parts[part].name);
        if (r == 0)
                r = open_page(*seen, body, n, diag, &root, &rows);
        if (r != 0)
                return r;
        Page page = {.s = s,
                     .config = config,
                     .source = def,
                     .part = &def->parts[part],
                     .seen = *seen,
                     .scope = scope,
                     .diag = diag};
        r = take_page(&page, root, &rows, &pages);
        if (r != 0)
                return r;
        if (ret_pages)
                *ret_pages = pages;
        if (ret_n_rows)
                *ret_n_rows = rows.n;
        return 0;
}
