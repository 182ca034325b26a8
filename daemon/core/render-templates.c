/* The templates of one language, own ones over built-in ones, and the text part's line folding.
 *
 * An alert is never lost to a template: an own file that does not parse is reported when it is
 * loaded and its built-in namesake is used; one that fails while it is rendered (recursion, size)
 * is replaced there and then. */
#include <errno.h>

#include "base/text.h"
#include "core/builtin.h"
#include "core/render.h"

#define LANGUAGE_FALLBACK "vi"

typedef struct Entry {
        char *name;
        Template *own, *builtin; /* either may be NULL, not both */
} Entry;

struct RenderTemplates {
        Entry *entries;
        size_t n, cap;
};

void render_templates_free(RenderTemplates *t) {
        for (size_t i = 0; i < t->n; i++) {
                free(t->entries[i].name);
                if (t->entries[i].own)
                        template_free(t->entries[i].own);
                if (t->entries[i].builtin)
                        template_free(t->entries[i].builtin);
        }
        free(t->entries);
        free(t);
}

static Entry *entry_find(const RenderTemplates *t, const char *name) {
        for (size_t i = 0; i < t->n; i++)
                if (streq(t->entries[i].name, name))
                        return &t->entries[i];
        return NULL;
}

static int entry_get(RenderTemplates *t, const char *name, Entry **ret) {
        *ret = entry_find(t, name);
        if (*ret)
                return 0;
        int r = ARRAY_GROW(t->entries, t->cap, t->n + 1);
        if (r < 0)
                return r;
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        t->entries[t->n] = (Entry){.name = copy};
        *ret = &t->entries[t->n++];
        return 0;
}

static bool has_builtins(const char *language) {
        size_t n = strlen(language);
        for (const Builtin *b = builtin_templates; b->name; b++)
                if (strncmp(b->name, language, n) == 0 && b->name[n] == '/')
                        return true;
        return false;
}

static int load_builtins(RenderTemplates *t, const char *language, Diag *diag) {
        size_t n = strlen(language);
        for (const Builtin *b = builtin_templates; b->name; b++) {
                if (strncmp(b->name, language, n) != 0 || b->name[n] != '/')
                        continue;
                Entry *e;
                int r = entry_get(t, b->name + n + 1, &e);
                if (r < 0)
                        return r;
                r = template_parse(b->text, b->size, b->name, diag, &e->builtin);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), n_suffix = strlen(suffix);
        return n >= n_suffix && streq(name + n - n_suffix, suffix);
}

static TemplateSink sink_of(const char *name) {
        return has_suffix(name, ".html") || has_suffix(name, ".xml")
                       ? SINK_HTML /* the same four characters */
               : has_suffix(name, ".json") ? SINK_JSON
                                           : SINK_TEXT;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static int load_own(RenderTemplates *t, const NameValue *file, Diag *diag) {
        const char *name = base_name(file->name);
        CLEANUP(template_freep) Template *own = NULL;
        int r = template_parse(file->value, strlen(file->value), file->name, diag, &own);
        if (r == -EINVAL)
                return 0; /* the diag says so; the built-in one is used */
        if (r < 0)
                return r;
        if (template_has_raw(own) && sink_of(name) != SINK_TEXT) {
                diag_error(diag, file->name, 0, NULL,
                           "{{{x}}} is not escaped and only allowed in .txt, using the built-in "
                           "template");
                return 0;
        }
        Entry *e;
        r = entry_get(t, name, &e);
        if (r < 0)
                return r;
        if (e->own) /* the later one wins */
                template_free(e->own);
        e->own = TAKE_PTR(own);
        return 0;
}

int render_templates_new(const char *language, const NameValue *files, size_t n, Diag *diag,
                         RenderTemplates **ret) {
        CLEANUP(render_templates_freep) RenderTemplates *t = calloc(1, sizeof *t);
        if (!t)
                return -ENOMEM;
        if (!has_builtins(language)) {
                diag_warning(diag, NULL, 0, "language",
                             "no messages in language \"%s\", using \"%s\"", language,
                             LANGUAGE_FALLBACK);
                language = LANGUAGE_FALLBACK;
        }
        int r = load_builtins(t, language, diag);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = load_own(t, &files[i], diag);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

bool render_templates_has(const RenderTemplates *t, const char *name) {
        return entry_find(t, name);
}

/* ---- rendering ------------------------------------------------------------------------------- */

typedef struct Scope {
        const RenderTemplates *templates;
        bool is_builtin_only;
} Scope;

static const Template *entry_template(const Entry *e, bool is_builtin_only) {
        return e->own && !is_builtin_only ? e->own : e->builtin;
}

static const Template *find_partial(void *userdata, const char *name) {
        const Scope *scope = userdata;
        const Entry *e = entry_find(scope->templates, name);
        return e ? entry_template(e, scope->is_builtin_only) : NULL;
}

int render_named(const RenderTemplates *t, const char *name, const json_t *view, Buf *out) {
        const Entry *e = entry_find(t, name);
        if (!e)
                return -ENOENT;
        for (int i = e->own ? 0 : 1; i < 2; i++) {
                Scope scope = {t, .is_builtin_only = i == 1};
                const Template *template = entry_template(e, scope.is_builtin_only);
                if (!template)
                        break;
                CLEANUP(buf_done) Buf part = BUF_INIT(out->max - out->len);
                int r = template_render(template, view, sink_of(name), find_partial, &scope, &part);
                if (r == 0)
                        r = buf_append(out, buf_text(&part), part.len);
                if (r == 0)
                        return i == 1 && e->own ? RENDER_E_REPLACED : 0;
                if (r == -ENOMEM || i == 1 || !e->builtin)
                        return r;
        }
        return -ENOENT;
}

int render_html(const RenderTemplates *t, const json_t *view, Buf *out) {
        return render_named(t, "mail.html", view, out);
}

/* ---- folding the text part ------------------------------------------------------------------- */

static size_t span_blanks(const char *s, size_t n) {
        size_t i = 0;
        while (i < n && s[i] == ' ')
                i++;
        return i;
}

/* Where the text of a line continues: under the value of "   Nhãn      giá trị", behind "- " and
 * "1. ", else under its start. Counted in columns. */
static size_t hanging_indent(const char *line, size_t n) {
        size_t indent = span_blanks(line, n);
        const char *gap = memmem(line + indent, n - indent, "  ", 2);
        if (gap) {
                size_t behind = (size_t) (gap - line);
                behind += span_blanks(gap, n - behind);
                char label[64];
                if (behind < sizeof label && behind < n) {
                        memcpy(label, line, behind);
                        label[behind] = '\0';
                        return MIN(text_width(label), RENDER_COLUMNS / 2);
                }
        }
        size_t digits = strspn(line + indent, "0123456789");
        if (indent + 1 < n && line[indent] == '-' && line[indent + 1] == ' ')
                indent += 2;
        else if (digits > 0 && indent + digits + 1 < n &&
                 strncmp(line + indent + digits, ". ", 2) == 0)
                indent += digits + 2;
        return MIN(indent, RENDER_COLUMNS / 2);
}

/* Bytes of line[0..n) that fit into `columns`, up to a blank; a longer word is left whole
 * (addresses). */
static size_t fold_point(const char *line, size_t n, size_t columns) {
        size_t best = 0, width = 0;
        for (size_t i = 0; i < n;) {
                char c[5] = {line[i]};
                size_t k = 1;
                while (i + k < n && k < 4 && (line[i + k] & 0xC0) == 0x80) {
                        c[k] = line[i + k];
                        k++;
                }
                if (line[i] == ' ' && i > 0) {
                        if (width > columns && best > 0)
                                return best;
                        best = i;
                }
                width += text_width(c);
                if (width > columns && best > 0)
                        return best;
                i += k;
        }
        return width > columns && best > 0 ? best : n;
}

static int append_folded(Buf *out, const char *line, size_t n) {
        size_t indent = hanging_indent(line, n), start = span_blanks(line, n);
        int r = buf_append(out, line, start < n ? start : 0);
        size_t columns = RENDER_COLUMNS - MIN(start, RENDER_COLUMNS / 2);
        for (line += start, n -= start; r == 0 && n > 0;) {
                size_t cut = fold_point(line, n, columns);
                r = buf_append(out, line, cut);
                line += cut;
                n -= cut;
                size_t blanks = span_blanks(line, n);
                line += blanks;
                n -= blanks;
                columns = RENDER_COLUMNS - indent;
                if (r == 0 && n > 0)
                        r = buf_printf(out, "\n%*s", (int) indent, "");
        }
        return r;
}

int render_folded(const RenderTemplates *t, const char *name, const json_t *view, Buf *out) {
        CLEANUP(buf_done) Buf raw = BUF_INIT(out->max);
        int made = render_named(t, name, view, &raw), r = MIN(made, 0);
        const char *line = buf_text(&raw), *end = line + raw.len;
        while (r == 0 && line < end) {
                const char *nl = memchr(line, '\n', (size_t) (end - line));
                size_t n = (size_t) ((nl ? nl : end) - line);
                r = append_folded(out, line, n);
                if (r == 0 && nl)
                        r = buf_char(out, '\n');
                line += n + 1;
        }
        return r < 0 ? r : made;
}

int render_text(const RenderTemplates *t, const json_t *view, Buf *out) {
        return render_folded(t, "mail.txt", view, out);
}
