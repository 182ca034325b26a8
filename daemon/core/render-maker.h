/* One view model in the making: its keys are set here. Private to render*.c.
 *
 * Like a Pen it remembers its first failure, so that an object can be filled without a check after
 * every key; who makes the whole asks for it at the end. Setters take the value over, also when
 * they fail. */
#pragma once

#include "core/render-lines.h"
#include "core/render-words.h"

typedef struct Maker {
        const RenderMessage *m;
        Lines lines;
        Pen pen;
        int r;    /* first failure */
        size_t n; /* lines numbered so far */
} Maker;

void maker_done(Maker *k);

void put_value(Maker *k, json_t *object, const char *key, json_t *value);
void put_text(Maker *k, json_t *object, const char *key, const char *text); /* NULL is null */
void put_bool(Maker *k, json_t *object, const char *key, bool value);
/* 0 is null: places, episodes. */
void put_id(Maker *k, json_t *object, const char *key, int64_t value);
/* Exact, for machines: "82.71". */
void put_decimal(Maker *k, json_t *object, const char *key, int64_t value, unsigned decimals);
void put_instant(Maker *k, json_t *object, const char *key, int64_t at_ms);
/* What the pen wrote, which is empty then; null when it wrote nothing. */
void put_pen(Maker *k, json_t *object, const char *key);
json_t *take_pen(Maker *k);
void add_value(Maker *k, json_t *array, json_t *value);
