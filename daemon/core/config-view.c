/* Messages and views.
 *
 * Merged copies of sections were tried and dropped: a view of
 * pointers keeps every entry's own file and line, which is what a message needs. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "core/config-internal.h"

/* ---- messages -------------------------------------------------------------------------------- */

PRINTF_LIKE(6, 0)
static void say_va(Build *b, DiagLevel level, const char *file, unsigned line, const char *key,
                   const char *format, va_list ap) {
        if (level == DIAG_ERROR)
                b->n_errors++;
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        (void) buf_vprintf(&text, format, ap); /* without memory an empty text is still an error */
        diag_add(b->diag, level, file, line, key, "%s", buf_text(&text));
}

void say_at(Build *b, DiagLevel level, const char *file, unsigned line, const char *key,
            const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        say_va(b, level, file, line, key, format, ap);
        va_end(ap);
}

static int view_key(Buf *text, const View *v, const char *key) {
        return buf_printf(text, "%s%s%s%s%s", v->kind, *v->name ? " " : "", v->name, key ? "." : "",
                          str_or(key, ""));
}

void say_entry(Build *b, DiagLevel level, const View *v, const Entry *e, const char *format, ...) {
        CLEANUP(buf_done) Buf key = BUF_INIT(BUF_MAX_TEXT);
        (void) view_key(&key, v, e->name);
        va_list ap;
        va_start(ap, format);
        say_va(b, level, e->section->file, e->line, buf_text(&key), format, ap);
        va_end(ap);
}

/* As written, an emptied one as well; of a list the last line, where one would go on. */
static const Entry *last_entry(const View *v, const char *key) {
        const Entry *found = NULL;
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->entries[i]->name, key))
                        found = v->entries[i];
        return found;
}

static bool has_word(const char *text, const char *word) {
        size_t n = strlen(word);
        for (const char *at = text; *at;) {
                at += strspn(at, " \t,");
                size_t k = strcspn(at, " \t,");
                if (k == n && strncmp(at, word, n) == 0)
                        return true;
                at += k;
        }
        return false;
}

static const Entry *entry_of_word(const View *v, const char *key, const char *word) {
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->entries[i]->name, key) && has_word(v->entries[i]->value, word))
                        return v->entries[i];
        return last_entry(v, key);
}

void say_view(Build *b, DiagLevel level, const View *v, const char *name, const char *format, ...) {
        CLEANUP(buf_done) Buf key = BUF_INIT(BUF_MAX_TEXT);
        (void) view_key(&key, v, name);
        const Entry *e = name ? last_entry(v, name) : NULL;
        const Section *at = e ? e->section : v->head;
        va_list ap;
        va_start(ap, format);
        say_va(b, level, at ? at->file : NULL,
               e    ? e->line
               : at ? at->line
                    : 0,
               buf_text(&key), format, ap);
        va_end(ap);
}

void say_word(Build *b, const View *v, const char *key, const char *word, const char *format, ...) {
        const Entry *e = entry_of_word(v, key, word);
        CLEANUP(buf_done) Buf name = BUF_INIT(BUF_MAX_TEXT);
        (void) view_key(&name, v, key);
        va_list ap;
        va_start(ap, format);
        say_va(b, DIAG_ERROR, e ? e->section->file : NULL, e ? e->line : 0, buf_text(&name), format,
               ap);
        va_end(ap);
}

/* ---- views ----------------------------------------------------------------------------------- */

int view_names(Build *b, const char *kind, const char ***ret, size_t *ret_n) {
        const char **names = arena_alloc(b->arena, b->n_sections, sizeof *names);
        size_t n = 0;
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_sections; i++) {
                const Section *s = b->sections[i];
                if (s->preset || !streq(s->kind, kind))
                        continue;
                size_t k = 0;
                while (k < n && !streq(names[k], s->name))
                        k++;
                if (k == n)
                        names[n++] = s->name;
        }
        *ret = names;
        *ret_n = n;
        return 0;
}

static int view_append(Build *b, View *v, const Entry *e) {
        if (v->n == v->cap) {
                size_t cap = v->cap ? v->cap * 2 : 16;
                const Entry **more = arena_alloc(b->arena, cap, sizeof(const Entry *));
                if (!more)
                        return -ENOMEM;
                if (v->n > 0)
                        memcpy(more, v->entries, v->n * sizeof(const Entry *));
                v->entries = more;
                v->cap = cap;
        }
        v->entries[v->n++] = e;
        return 0;
}

static void view_remove(View *v, const char *name) {
        size_t n = 0;
        for (size_t i = 0; i < v->n; i++)
                if (!streq(v->entries[i]->name, name))
                        v->entries[n++] = v->entries[i];
        v->n = n;
}

static int view_put(Build *b, View *v, const Entry *e) {
        if (e->key->store->is_list) {
                if (*e->value)
                        return view_append(b, v, e);
                view_remove(v, e->name);
                return 0;
        }
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->entries[i]->name, e->name)) {
                        v->entries[i] = e;
                        return 0;
                }
        return view_append(b, v, e);
}

int view_add(Build *b, View *v, const Section *s) {
        if (!v->head || (v->head->layer < CONFIG_MAIN && s->layer >= CONFIG_MAIN))
                v->head = s;
        for (const Entry *e = s->first; e; e = e->next) {
                int r = view_put(b, v, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int view_add_all(Build *b, View *v, const char *kind, const char *name, Layers layers) {
        for (size_t i = 0; i < b->n_sections; i++) {
                const Section *s = b->sections[i];
                if (!streq_ptr(s->preset, layers.preset) || s->layer < layers.first ||
                    s->layer > layers.last)
                        continue;
                if (!streq(s->kind, kind) || !streq(s->name, name))
                        continue;
                int r = view_add(b, v, s);
                if (r < 0)
                        return r;
        }
        return 0;
}

const Entry *view_get(const View *v, const char *key) {
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->entries[i]->name, key))
                        return *v->entries[i]->value ? v->entries[i] : NULL;
        return NULL;
}

const char *view_text(const View *v, const char *key, const char *otherwise) {
        const Entry *e = view_get(v, key);
        return e ? e->value : otherwise;
}
