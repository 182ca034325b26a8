/* The webhook body: the machine's layer of the view, in the order of docs/webhook.schema.json.
 *
 * Written by hand from a table, for two reasons: numbers stay what they are (82.71, where a double
 * would print 82.709999999999994), and words that are only for templates stay out. Fields are only
 * ever added, at the end of their object. */
#include <errno.h>

#include "base/text.h"
#include "core/render.h"

typedef enum FieldKind {
        FIELD_TEXT,    /* string or null */
        FIELD_DECIMAL, /* exact decimal text, written as a number, or null */
        FIELD_INTEGER, /* or null */
        FIELD_BOOL,
        FIELD_OBJECT, /* or null */
        FIELD_ARRAY,  /* of objects */
} FieldKind;

typedef struct Field {
        const char *key; /* of the view; NULL ends a table */
        FieldKind kind;
        const struct Field *fields; /* of objects */
        const char *as;             /* key in the body; NULL = the same */
} Field;

static const Field indicator_fields[] = {
        {"name", FIELD_TEXT},
        {"label", FIELD_TEXT},
        {"unit", FIELD_TEXT},
        {0},
};
static const Field unit_fields[] = {
        {"key", FIELD_TEXT},  {"code", FIELD_TEXT},   {"name", FIELD_TEXT},
        {"kind", FIELD_TEXT}, {"parent", FIELD_TEXT}, {0},
};
static const Field period_fields[] = {
        {"id", FIELD_TEXT},  {"type", FIELD_TEXT},   {"start", FIELD_TEXT},
        {"end", FIELD_TEXT}, {"status", FIELD_TEXT}, {0},
};
static const Field counts_fields[] = {{"part", FIELD_INTEGER}, {"whole", FIELD_INTEGER}, {0}};
static const Field source_fields[] = {{"label", FIELD_TEXT}, {"fetched_at", FIELD_TEXT}, {0}};
static const Field item_fields[] = {
        {"say", FIELD_TEXT},
        {"alert", FIELD_INTEGER},
        {"rule", FIELD_TEXT},
        {"severity", FIELD_TEXT},
        {"indicator", FIELD_OBJECT, indicator_fields},
        {"unit", FIELD_OBJECT, unit_fields},
        {"period", FIELD_OBJECT, period_fields},
        {"value", FIELD_DECIMAL},
        {"limit", FIELD_DECIMAL},
        {"delta", FIELD_DECIMAL},
        {"delta_reason", FIELD_TEXT},
        {"place", FIELD_INTEGER},
        {"of", FIELD_INTEGER},
        {"counts", FIELD_OBJECT, counts_fields},
        {"since", FIELD_TEXT},
        {"escalated", FIELD_TEXT},
        {"old_value", FIELD_DECIMAL},
        {"ended", FIELD_TEXT},
        {"corrects", FIELD_TEXT},
        {"corrects_at", FIELD_TEXT},
        {"advice", FIELD_TEXT},
        {"source", FIELD_OBJECT, source_fields},
        {"subject", FIELD_TEXT},
        {"text", FIELD_TEXT},
        {0},
};
static const Field message_fields[] = {
        {"type", FIELD_TEXT},
        {"id", FIELD_TEXT},
        {"at", FIELD_TEXT},
        {"organization", FIELD_TEXT},
        {"recipient", FIELD_TEXT},
        {"drill", FIELD_BOOL},
        {"subject_line", FIELD_TEXT, NULL, "title"},
        {"items", FIELD_ARRAY, item_fields},
        {"n_items", FIELD_INTEGER},
        {"open", FIELD_INTEGER},
        {0},
};

static int write_object(Buf *out, const json_t *object, const Field *fields);

/* Only what is a JSON number goes out bare, whoever filled the view. */
static bool is_number(const char *s) {
        s += *s == '-';
        size_t n_whole = strspn(s, "0123456789");
        if (n_whole == 0 || (s[0] == '0' && n_whole > 1))
                return false;
        s += n_whole;
        if (*s == '\0')
                return true;
        size_t n_fraction = *s == '.' ? strspn(s + 1, "0123456789") : 0;
        return n_fraction > 0 && s[1 + n_fraction] == '\0';
}

static int write_text(Buf *out, const json_t *value) {
        int r = buf_char(out, '"');
        if (r < 0)
                return r;
        r = text_append_json(out, json_string_value(value), json_string_length(value));
        if (r < 0)
                return r;
        return buf_char(out, '"');
}

static int write_array(Buf *out, const json_t *array, const Field *fields) {
        int r = buf_char(out, '[');
        for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
                r = i > 0 ? buf_char(out, ',') : 0;
                if (r == 0)
                        r = write_object(out, json_array_get(array, i), fields);
        }
        return r < 0 ? r : buf_char(out, ']');
}

static int write_value(Buf *out, const json_t *value, const Field *f) {
        switch (f->kind) {
        case FIELD_TEXT:
                return json_is_string(value) ? write_text(out, value) : buf_str(out, "null");
        case FIELD_DECIMAL: {
                const char *text = json_string_value(value);
                return buf_str(out, text && is_number(text) ? text : "null");
        }
        case FIELD_INTEGER:
                if (!json_is_integer(value))
                        return buf_str(out, "null");
                return buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        case FIELD_BOOL:
                return buf_str(out, json_is_true(value) ? "true" : "false");
        case FIELD_OBJECT:
                return json_is_object(value) ? write_object(out, value, f->fields)
                                             : buf_str(out, "null");
        case FIELD_ARRAY:
                break;
        }
        return write_array(out, value, f->fields);
}

static int write_object(Buf *out, const json_t *object, const Field *fields) {
        int r = buf_char(out, '{');
        for (const Field *f = fields; r == 0 && f->key; f++) {
                r = buf_printf(out, "%s\"%s\":", f == fields ? "" : ",", str_or(f->as, f->key));
                if (r == 0)
                        r = write_value(out, json_object_get(object, f->key), f);
        }
        return r < 0 ? r : buf_char(out, '}');
}

int render_webhook(const json_t *view, Buf *out) {
        return write_object(out, view, message_fields);
}
