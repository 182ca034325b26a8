/* One flag is enough to place the commas: opening sets it, every value and every closing clears it.
 * Nothing here checks that calls are balanced; the tests parse every answer. */
#include "answer/json_out.h"

#include "base/text.h"

#define KEY_MAX 200u /* words of ours, or a prefix and a name of the configuration, of 64 each */

static void put(JsonOut *o, int r) {
        if (o->error == 0 && r < 0)
                o->error = r;
}

static void lead(JsonOut *o, const char *key) {
        if (o->error < 0)
                return;
        if (key) {
                char text[KEY_MAX + 5] = ",\"", *from = o->is_first ? text + 1 : text;

                assert(strlen(key) <= KEY_MAX);
                put(o,
                    buf_append(o->b, from, (size_t) (stpcpy(stpcpy(text + 2, key), "\":") - from)));
        } else if (!o->is_first)
                put(o, buf_char(o->b, ','));
        o->is_first = false;
}

static void open_with(JsonOut *o, const char *key, char c) {
        lead(o, key);
        if (o->error < 0)
                return;
        put(o, buf_char(o->b, c));
        o->is_first = true;
}

static void close_with(JsonOut *o, char c) {
        if (o->error < 0)
                return;
        put(o, buf_char(o->b, c));
        o->is_first = false;
}

static void literal(JsonOut *o, const char *key, const char *text) {
        lead(o, key);
        if (o->error == 0)
                put(o, buf_str(o->b, text));
}

void json_out_object(JsonOut *o, const char *key) {
        open_with(o, key, '{');
}

void json_out_end_object(JsonOut *o) {
        close_with(o, '}');
}

void json_out_array(JsonOut *o, const char *key) {
        open_with(o, key, '[');
}

void json_out_end_array(JsonOut *o) {
        close_with(o, ']');
}

static int append_string(Buf *b, const char *text) {
        CLEANUP(buf_done) Buf safe = BUF_INIT(BUF_MAX_TEXT);
        size_t n = strlen(text);

        if (!text_is_utf8(text, n)) {
                int r = text_append_printable(&safe, text, n);
                if (r < 0)
                        return r;
                text = buf_text(&safe);
                n = safe.len;
        }

        int r = buf_char(b, '"');
        if (r == 0)
                r = text_append_json(b, text, n);
        if (r == 0)
                r = buf_char(b, '"');
        return r;
}

void json_out_text(JsonOut *o, const char *key, const char *text) {
        if (!text) {
                json_out_null(o, key);
                return;
        }
        lead(o, key);
        if (o->error == 0)
                put(o, append_string(o->b, text));
}

void json_out_int(JsonOut *o, const char *key, int64_t value) {
        char text[DECIMAL_TEXT_MAX];

        literal(o, key, decimal_format(text, value, 0));
}

void json_out_bool(JsonOut *o, const char *key, bool value) {
        literal(o, key, value ? "true" : "false");
}

void json_out_null(JsonOut *o, const char *key) {
        literal(o, key, "null");
}

void json_out_value(JsonOut *o, const char *key, int64_t value, unsigned decimals) {
        char text[DECIMAL_TEXT_MAX];

        literal(o, key, value == VALUE_NONE ? "null" : decimal_format(text, value, decimals));
}

void json_out_instant(JsonOut *o, const char *key, int64_t at_ms) {
        char text[40];

        json_out_text(o, key,
                      at_ms == 0 || at_ms == INT64_MAX ? NULL : instant_format(text, at_ms));
}

void json_out_period(JsonOut *o, const char *key, PeriodId period) {
        char text[16];

        json_out_text(o, key, period == 0 ? NULL : period_format(text, period));
}

void json_out_day(JsonOut *o, const char *key, Day day) {
        char text[16];

        json_out_text(o, key, day == INT32_MIN || day == INT32_MAX ? NULL : day_format(text, day));
}

void json_out_raw(JsonOut *o, const char *key, const char *json) {
        literal(o, key, json);
}

int json_out_done(const JsonOut *o) {
        return o->error;
}
