/* Lengths are found by making the message: what a template writes per item is its own affair, so
 * no estimate holds. A longest prefix is searched by halves; a single item that is too long goes
 * alone, since nothing else can be cut without cutting a sentence.
 *
 * What follows is not queued: the rest of the plan is still different when the first message has
 * settled, and is planned anew then. Only the count of messages that may follow is remembered. */
#include "flow/teller-split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int length_of(App *app, const MessageInput *in, size_t *ret) {
        MessageRow row = {.target = in->target->id,
                          .uuid = (char *) "msg_00000000000000000000000000000000"};
        int r = message_make(app, in, &row, ret);
        free(row.subject);
        free(row.content_type);
        free(row.body);
        return r;
}

static int fits(App *app, const MessageInput *all, size_t start, size_t n, bool *ret) {
        const RecipientDef *recipient = message_recipient(app, all->target->recipient);
        MessageInput in = *all;
        size_t length = 0;
        in.items = all->items + start;
        in.n_items = n;
        int r = length_of(app, &in, &length);
        *ret = recipient && length <= (size_t) recipient->max_chars;
        return r;
}

/* Items from `start` on that fit into one message, at least one. */
static int longest(App *app, const MessageInput *all, size_t start, size_t *ret) {
        size_t low = 1, high = MIN(all->n_items - start, RENDER_MAX_ITEMS);
        while (low < high) {
                size_t middle = low + (high - low + 1) / 2;
                bool is_fitting = false;
                int r = fits(app, all, start, middle, &is_fitting);
                if (r < 0)
                        return r;
                if (is_fitting)
                        low = middle;
                else
                        high = middle - 1;
        }
        *ret = low;
        return 0;
}

/* As many messages as it takes: where characters do not count there is no limit to the whole. */
static Fit fit_items(const MessageInput *in) {
        size_t n = MIN(in->n_items, RENDER_MAX_ITEMS), rest = in->n_items - n;
        return (Fit){.n = n,
                     .n_more = (unsigned) ((rest + RENDER_MAX_ITEMS - 1) / RENDER_MAX_ITEMS)};
}

int split_fit(App *app, const MessageInput *in, unsigned max_parts, Fit *ret) {
        const RecipientDef *recipient = message_recipient(app, in->target->recipient);
        size_t start = 0, first = in->n_items;
        unsigned n = 0;
        *ret = (Fit){.n = in->n_items};
        if (!recipient || in->n_items < 2)
                return 0;
        if (recipient->max_chars == 0) {
                if (!render_is_overview(recipient->tell, recipient->role))
                        *ret = fit_items(in);
                return 0;
        }
        while (start < in->n_items && n < max_parts) {
                size_t k = 0;
                int r = longest(app, in, start, &k);
                if (r < 0)
                        return r;
                first = n == 0 ? k : first;
                start += k;
                n++;
        }
        if (start < in->n_items)
                ret->is_summary = true;
        else
                *ret = (Fit){.n = first, .n_more = n - 1};
        return 0;
}

static void key_of(char ret[static 48], int64_t target) {
        (void) snprintf(ret, 48, "more/%lld", (long long) target);
}

int split_more(App *app, int64_t target, int64_t now_ms, unsigned *ret) {
        char key[48], *end;
        char CLEANUP_FREE *text = NULL;
        *ret = 0;
        key_of(key, target);
        int r = store_meta_get(app->store, key, &text);
        if (r != 0)
                return MIN(r, 0);
        int64_t at_ms = strtoll(text, &end, 10);
        if (now_ms - at_ms < MS_PER_DAY)
                *ret = (unsigned) strtoul(end, NULL, 10);
        return 0;
}

int split_more_put(App *app, int64_t target, int64_t now_ms, unsigned n) {
        char key[48], text[48];
        key_of(key, target);
        (void) snprintf(text, sizeof text, "%lld %u", (long long) now_ms, n);
        return store_meta_put(app->store, key, text);
}
