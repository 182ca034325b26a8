/* Whose row it is: the beginning and the end of each row of a file, whatever its form. */
#include <errno.h>

#include "base/text.h"
#include "flow/import-private.h"

static const char *row_text(const json_t *row, const char *name) {
        return str_or(json_string_value(json_object_get(row, name)), "");
}

/* The code of the source's own namespace, or the key. */
static const char *code_of(const Import *im, UnitId id) {
        const Unit *u = unit_get(&im->app->units, id);
        for (size_t i = 0; i < u->n_codes; i++)
                if (streq(u->codes[i].namespace_, im->source->namespace_) &&
                    u->codes[i].from <= im->day && im->day < u->codes[i].until)
                        return u->codes[i].code;
        return u->key;
}

static int find_by_name(Import *im, json_t *row, unsigned line) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        const char *name = row_text(row, "name");
        UnitId id = 0;
        bool is_found;
        if (im->parent)
                is_found = unit_resolve(&im->app->units, im->source->namespace_, "", name,
                                        row_text(row, "kind"), im->parent, im->day,
                                        /* is_strict= */ true, &id, &diag) != UNIT_QUARANTINED;
        else
                is_found = unit_find(&im->app->units, name, im->day, &id, &diag) == 0;
        if (!is_found)
                return import_refuse(im, line, 0, "no unit is called '%.100s': %s", name,
                                     diag_first_error(&diag, "unknown"));
        const char *code = code_of(im, id);
        return json_object_set_new(row, "code", json_string(code)) == 0 ? 0 : -ENOMEM;
}

static bool is_known(const Import *im, const json_t *row) {
        UnitId id = 0;
        UnitDecision d =
                unit_resolve(&im->app->units, im->source->namespace_, row_text(row, "code"),
                             row_text(row, "name"), row_text(row, "kind"), im->parent, im->day,
                             /* is_strict= */ true, &id, /* diag= */ NULL);
        return d == UNIT_KNOWN || d == UNIT_RENAMED;
}

void import_row_begin(Import *im) {
        im->counts->n_rows++;
        im->rounded = (ImportRounded){0};
}

/* Of a row that is used: what is refused rounds nothing. */
static void count_rounded(Import *im) {
        ImportCounts *c = im->counts;
        if (im->rounded.n > 0 && c->rounded.n == 0)
                c->rounded = im->rounded;
        else
                c->rounded.n += im->rounded.n;
}

int import_row_end(Import *im, json_t *row, unsigned line) {
        int r = 0;
        if (!*row_text(row, "code") && !*row_text(row, "name"))
                return import_refuse(im, line, 0, "the row has neither a code nor a name");
        if (text_is_dots(row_text(row, "code")) || text_is_dots(row_text(row, "name")))
                return import_refuse(im, line, 0, "a figure beside dots: whose it is, is not said");
        if (!*row_text(row, "code"))
                r = find_by_name(im, row, line);
        if (r != 0)
                return r;
        const char *code = row_text(row, "code");
        const json_t *first = json_object_get(im->counts->lines, code);
        if (first)
                return import_refuse(im, line, 0, "unit %s stands on line %lld already", code,
                                     (long long) json_integer_value(first));
        if (json_object_set_new(im->counts->lines, code, json_integer(line)) < 0 ||
            json_array_append(im->rows, row) < 0)
                return -ENOMEM;
        im->counts->n_matched += is_known(im, row);
        count_rounded(im);
        return 0;
}
