#include "core/render-maker.h"

#include <errno.h>

#include "base/text.h"

void maker_done(Maker *k) {
        lines_done(&k->lines);
        pen_done(&k->pen);
}

void put_value(Maker *k, json_t *object, const char *key, json_t *value) {
        if (json_object_set_new(object, key, value) < 0 && k->r == 0)
                k->r = -ENOMEM;
}

void add_value(Maker *k, json_t *array, json_t *value) {
        if (json_array_append_new(array, value) < 0 && k->r == 0)
                k->r = -ENOMEM;
}

/* jansson refuses what is not UTF-8; a message goes out all the same. */
static json_t *text_value(const char *text) {
        if (!text)
                return json_null();
        if (text_is_utf8(text, strlen(text)))
                return json_string(text);
        CLEANUP(buf_done) Buf clean = BUF_INIT(PEN_MAX);
        return text_append_printable(&clean, text, strlen(text)) < 0
                       ? NULL
                       : json_string(buf_text(&clean));
}

void put_text(Maker *k, json_t *object, const char *key, const char *text) {
        put_value(k, object, key, text_value(text));
}

void put_bool(Maker *k, json_t *object, const char *key, bool value) {
        put_value(k, object, key, json_boolean(value));
}

void put_id(Maker *k, json_t *object, const char *key, int64_t value) {
        put_value(k, object, key, value != 0 ? json_integer(value) : json_null());
}

void put_decimal(Maker *k, json_t *object, const char *key, int64_t value, unsigned decimals) {
        char text[DECIMAL_TEXT_MAX];
        put_text(k, object, key,
                 value != VALUE_NONE ? decimal_format(text, value, decimals) : NULL);
}

json_t *take_pen(Maker *k) {
        CLEANUP_FREE char *text = NULL;
        int r = pen_take(&k->pen, &text);
        if (r < 0) {
                k->r = k->r < 0 ? k->r : r;
                return json_null();
        }
        json_t *value = *text ? text_value(text) : json_null();
        if (!value && k->r == 0)
                k->r = -ENOMEM;
        return value;
}

void put_pen(Maker *k, json_t *object, const char *key) {
        put_value(k, object, key, take_pen(k));
}

void put_instant(Maker *k, json_t *object, const char *key, int64_t at_ms) {
        char text[40];
        put_text(k, object, key, at_ms != 0 ? instant_format(text, at_ms) : NULL);
}
