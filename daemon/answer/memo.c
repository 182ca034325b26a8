/* A handful of texts, searched one by one. All of them are of one state: the first look after a
 * change empties the whole, so that no text can outlive what it was made from. */
#include "answer/memo.h"

#define MAX_TEXTS 8u
#define MAX_BYTES ((size_t) 4 << 20) /* all together */
#define MAX_KEY ((size_t) 8 << 10)
#define SMALL_BYTES ((size_t) 16 << 10)

typedef struct Kept {
        Buf key, text; /* no key = free */
        uint64_t used; /* turn of the last look */
} Kept;

typedef struct State {
        int64_t store;
        uint64_t config;
        const Unit *units;
        size_t n_units;
        Day today;
} State;

struct Memo {
        State state;
        bool is_known; /* the state is that of the database now, as far as anybody can say */
        uint64_t turn;
        Kept texts[MAX_TEXTS];
};

static void kept_done(Kept *k) {
        buf_done(&k->key);
        buf_done(&k->text);
        *k = (Kept){0};
}

static bool state_is(const State *a, const State *b) {
        return a->store == b->store && a->config == b->config && a->units == b->units &&
               a->n_units == b->n_units && a->today == b->today;
}

static int state_now(const App *app, Day today, State *ret) {
        *ret = (State){
                .config = app->config_generation,
                .units = app->units.units,
                .n_units = app->units.n,
                .today = today,
        };
        return store_version(app->reader, &ret->store);
}

bool memo_find(App *app, Day today, const Buf *key, const Buf **ret) {
        Memo *m = app->memo;
        State now;

        if (!m)
                m = app->memo = calloc(1, sizeof(*m));
        if (!m)
                return false;
        bool is_known = state_now(app, today, &now) >= 0;
        if (!is_known || !m->is_known || !state_is(&m->state, &now)) {
                for (size_t i = 0; i < MAX_TEXTS; i++)
                        kept_done(m->texts + i);
                m->state = now;
                m->is_known = is_known;
        }
        for (size_t i = 0; i < MAX_TEXTS; i++) {
                Kept *k = m->texts + i;

                if (k->key.len != key->len || key->len == 0 ||
                    memcmp(k->key.data, key->data, key->len) != 0)
                        continue;
                k->used = ++m->turn;
                *ret = &k->text;
                return true;
        }
        return false;
}

/* A free place, or the one that was looked at longest ago. */
static Kept *choose_place(Memo *m) {
        Kept *oldest = m->texts;

        for (size_t i = 1; i < MAX_TEXTS; i++)
                if (m->texts[i].used < oldest->used)
                        oldest = m->texts + i;
        return oldest;
}

static size_t bytes_kept(const Memo *m) {
        size_t n = 0;

        for (size_t i = 0; i < MAX_TEXTS; i++)
                n += m->texts[i].text.len;
        return n;
}

static Kept *oldest_kept(Memo *m) {
        Kept *oldest = NULL;

        for (size_t i = 0; i < MAX_TEXTS; i++)
                if (m->texts[i].key.len > 0 && (!oldest || m->texts[i].used < oldest->used))
                        oldest = m->texts + i;
        return oldest;
}

void memo_keep(App *app, const Buf *key, const Buf *text) {
        Memo *m = app->memo;

        if (!m || !m->is_known || text->len > MAX_BYTES / 2)
                return;
        while (bytes_kept(m) + text->len > MAX_BYTES)
                kept_done(oldest_kept(m));
        Kept *place = choose_place(m);
        kept_done(place);
        *place = (Kept){.key = BUF_INIT(MAX_KEY), .text = BUF_INIT(MAX_BYTES), .used = ++m->turn};
        if (buf_append(&place->text, buf_text(text), text->len) < 0 ||
            buf_append(&place->key, buf_text(key), key->len) < 0)
                kept_done(place);
}

void memo_drop(App *app, bool is_all) {
        Memo *m = app->memo;

        for (size_t i = 0; m && i < MAX_TEXTS; i++)
                if (is_all || m->texts[i].text.len > SMALL_BYTES)
                        kept_done(m->texts + i);
        if (!is_all)
                return;
        free(m);
        app->memo = NULL;
}
