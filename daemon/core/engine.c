/* Know: what was published against what was known, by merging two sorted lists. */
#include "core/engine.h"

#include <errno.h>

typedef struct Changes {
        FigureChange *list;
        size_t n, cap;
} Changes;

static int compare_key(const FigureRow *a, const FigureRow *b) {
        if (a->indicator != b->indicator)
                return a->indicator < b->indicator ? -1 : 1;
        return a->unit < b->unit ? -1 : a->unit > b->unit;
}

/* "Not published" says nothing new about a figure that was published as "no value", nor the other
 * way round. */
static bool says_nothing(Why why) {
        return why == WHY_MISSING || why == WHY_GONE;
}

static bool is_same_knowledge(const FigureRow *a, const FigureRow *b) {
        if (a->value != b->value)
                return false;
        return a->value != VALUE_NONE || a->why == b->why ||
               (says_nothing(a->why) && says_nothing(b->why));
}

static int add_change(Changes *c, const FigureRow *now, const FigureRow *old) {
        int r = ARRAY_GROW(c->list, c->cap, c->n + 1);

        if (r < 0)
                return -ENOMEM;
        c->list[c->n++] = (FigureChange){*now, old ? old->value : VALUE_NONE,
                                         old ? old->why : WHY_MISSING, old != NULL};
        return 0;
}

static int know_first(Changes *c, const FigureRow *published) {
        bool is_news = published->value != VALUE_NONE || !says_nothing(published->why);

        return is_news ? add_change(c, published, NULL) : 0;
}

static int know_gone(Changes *c, const FigureRow *known) {
        FigureRow gone = {known->indicator, known->unit, VALUE_NONE, WHY_GONE};

        return known->value == VALUE_NONE ? 0 : add_change(c, &gone, known);
}

static int know_again(Changes *c, const FigureRow *known, const FigureRow *published) {
        return is_same_knowledge(known, published) ? 0 : add_change(c, published, known);
}

int engine_know(const FigureRow *known, size_t n_known, const FigureRow *published,
                size_t n_published, FigureChange **ret, size_t *ret_n) {
        Changes c = {0};
        int r = 0;

        for (size_t i = 0, j = 0; r == 0 && (i < n_known || j < n_published);) {
                int order = i == n_known       ? 1
                            : j == n_published ? -1
                                               : compare_key(&known[i], &published[j]);
                if (order == 0)
                        r = know_again(&c, &known[i++], &published[j++]);
                else if (order < 0)
                        r = know_gone(&c, &known[i++]);
                else
                        r = know_first(&c, &published[j++]);
        }
        if (r < 0) {
                free(c.list);
                return r;
        }
        *ret = c.list;
        *ret_n = c.n;
        return 0;
}
