/* All that is refused is told at once: who renamed a source is to see what hangs on its name. */
#include "flow/define.h"

#include <errno.h>

#include "store/registry.h"

/* The key where it is written, else the source: that is what moved or was renamed. */
static void tell(const Config *c, const IndicatorDef *d, const DiagItem *item, Diag *diag) {
        const SourceDef *source = &c->sources[d->source];
        const char *file = source->file, *dot = item->key ? strrchr(item->key, '.') : NULL;
        unsigned line = source->line;
        CLEANUP(buf_done) Buf key = BUF_INIT(BUF_MAX_TEXT);
        (void) config_place(c, "indicator", d->name, dot ? dot + 1 : "", &file, &line);
        if (buf_printf(&key, "indicator %s", str_or(item->key, d->name)) == 0)
                diag_error(diag, file, line, buf_text(&key), "%s", item->text);
}

int define_check(const Config *c, Store *s, Diag *diag) {
        int r = 0;
        for (size_t i = 0; i < c->n_indicators; i++) {
                const IndicatorDef *d = &c->indicators[i];
                Diag CLEANUP(diag_done) found = DIAG_INIT;
                if (d->source < 0)
                        continue;
                int k = store_indicator_check(s, d, c->sources[d->source].name, &found);
                if (k < 0)
                        return k;
                if (k == STORE_E_MISMATCH)
                        r = -EINVAL;
                for (size_t n = 0; n < found.n; n++)
                        tell(c, d, &found.items[n], diag);
        }
        return r;
}

int define_bind(Config *c, Store *s, Diag *diag) {
        int r = define_check(c, s, diag);
        for (size_t i = 0; r == 0 && i < c->n_indicators; i++) {
                IndicatorDef *d = &c->indicators[i];
                if (d->source >= 0)
                        r = store_indicator_bind(s, d, c->sources[d->source].name, diag, &d->id);
        }
        return r == STORE_E_MISMATCH ? -EINVAL : r;
}
