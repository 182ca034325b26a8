/* A plan too long for its channel (max_chars), or for one message of any channel
 * (RENDER_MAX_ITEMS): split between items, sent one after the other. */
#pragma once

#include "flow/message.h"

#define SPLIT_MAX_PARTS 5u

typedef struct Fit {
        size_t n;        /* items of this message, from the first on */
        bool is_summary; /* too long for SPLIT_MAX_PARTS: one message with the counts of all */
        unsigned n_more; /* messages that follow at once */
} Fit;

/* The first message of the plan `in`. Where characters count, in at most `max_parts`; an overview
 * is never split otherwise, since it counts. */
int split_fit(App *app, const MessageInput *in, unsigned max_parts, Fit *ret);

/* How many more messages the target gets at once, although its gate has closed again; 0. They
 * count for a day: what a dead relay held up longer waits for the next digest. */
int split_more(App *app, int64_t target, int64_t now_ms, unsigned *ret);
int split_more_put(App *app, int64_t target, int64_t now_ms, unsigned n);
