/* Writes JSON straight into a Buf: answers of thousands of rows without a tree of small
 * allocations, and figures exactly as their scaled integers say (a tree would keep doubles).
 *
 * Errors stick: every call after the first failure does nothing, and json_out_done() tells. `key`
 * is NULL inside arrays and for the outermost value; keys are ASCII literals of ours. */
#pragma once

#include "base/buf.h"
#include "core/model.h"

typedef struct JsonOut {
        Buf *b;        /* borrowed */
        int error;     /* first negative errno */
        bool is_first; /* nothing was written yet in the innermost object or array */
} JsonOut;

#define JSON_OUT(buf) ((JsonOut){.b = (buf), .is_first = true})

void json_out_object(JsonOut *o, const char *key); /* opens */
void json_out_end_object(JsonOut *o);
void json_out_array(JsonOut *o, const char *key);
void json_out_end_array(JsonOut *o);

/* NULL becomes null. Bytes that are not UTF-8 become U+FFFD: what we answer always parses. */
void json_out_text(JsonOut *o, const char *key, const char *text);
void json_out_int(JsonOut *o, const char *key, int64_t value);
void json_out_bool(JsonOut *o, const char *key, bool value);
void json_out_null(JsonOut *o, const char *key);
/* Scaled integer as a JSON number with `decimals` digits; VALUE_NONE becomes null. */
void json_out_value(JsonOut *o, const char *key, int64_t value, unsigned decimals);
/* RFC 3339; 0 and INT64_MAX (never) become null. */
void json_out_instant(JsonOut *o, const char *key, int64_t at_ms);
/* "2024-08"; 0 becomes null. */
void json_out_period(JsonOut *o, const char *key, PeriodId period);
/* "2024-08-01"; the open ends of validities (INT32_MIN, INT32_MAX) become null. */
void json_out_day(JsonOut *o, const char *key, Day day);
/* JSON text made elsewhere, as it is. */
void json_out_raw(JsonOut *o, const char *key, const char *json);

/* 0 or the first error. */
int json_out_done(const JsonOut *o);
