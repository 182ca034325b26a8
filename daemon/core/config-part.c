/* One request of a source: [part SOURCE.NAME].
 *
 * Templates and pointers are checked here, so that a mistake in them is a message at load and not a
 * failed fetch at four in the morning. `{{url}}` at the beginning of an address is put in at load:
 * later it would be escaped like any other value, and an address is no component of an address. */
#include <errno.h>
#include <stdio.h>

#include "core/config-internal.h"

/* ---- templates ------------------------------------------------------------------------------- */

static const char *const template_names[] = {"scope",  "year",         "month",      "quarter",
                                             "half",   "period_start", "period_end", "period_type",
                                             "number", "page",         "page_size"};

static bool template_knows(const SourceBuild *s, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(template_names); i++)
                if (streq(name, template_names[i]))
                        return true;
        const Entry *e = view_get(&s->view, name);
        return e && !e->key->store->is_list;
}

static void say_unknown_variable(Build *b, const View *v, const Entry *e, const char *name) {
        const char *tail;
        if (table_find("source", name, &tail)) {
                say_entry(b, DIAG_ERROR, v, e,
                          "{{%s}} stands for a key of the source that is not set; set it", name);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(template_names); i++)
                if (word_is_near(name, word_distance(name, template_names[i]))) {
                        say_entry(b, DIAG_ERROR, v, e, "{{%s}} is unknown; did you mean {{%s}}?",
                                  name, template_names[i]);
                        return;
                }
        say_entry(b, DIAG_ERROR, v, e,
                  "{{%s}} is neither a variable of requests nor a key of the source", name);
}

/* One "{{...}}" at `at`. Returns what follows it, or NULL after saying what is wrong. */
static const char *check_variable(Build *b, const SourceBuild *s, const View *v, const Entry *e,
                                  const char *at) {
        const char *from = at + 2, *to = strstr(from, "}}");
        if (!to) {
                say_entry(b, DIAG_ERROR, v, e, "\"{{\" is not closed");
                return NULL;
        }
        const char *after = to + 2;
        while (from < to && *from == ' ')
                from++;
        while (to > from && to[-1] == ' ')
                to--;
        if (from == to || strchr("#^/!>&={", *from)) {
                say_entry(b, DIAG_ERROR, v, e,
                          "only {{name}} can stand in a key, which is escaped for its place");
                return NULL;
        }
        char name[CONFIG_MAX_NAME + 1] = "";
        memcpy(name, from, MIN((size_t) (to - from), (size_t) CONFIG_MAX_NAME));
        if (!template_knows(s, name))
                say_unknown_variable(b, v, e, name);
        return after;
}

void check_template(Build *b, const SourceBuild *s, const View *v, const char *key) {
        const Entry *e = view_get(v, key);
        for (const char *at = e ? strstr(e->value, "{{") : NULL; at;
             at = at ? strstr(at, "{{") : NULL)
                at = check_variable(b, s, v, e, at);
}

bool uses_scope(const View *v) {
        for (size_t i = 0; i < v->n; i++)
                for (const char *at = strstr(v->entries[i]->value, "{{"); at;
                     at = strstr(at + 2, "{{")) {
                        const char *name = at + 2 + strspn(at + 2, "{ ");
                        if (strncmp(name, "scope", 5) == 0 && strchr(" }", name[5]))
                                return true;
                }
        return false;
}

int read_address(Build *b, const SourceBuild *s, const View *v, const char *key, const char **ret) {
        *ret = NULL;
        const Entry *e = view_get(v, key);
        if (!e)
                return 0;
        check_template(b, s, v, key);
        const char *text = e->value;
        if (strncmp(text, "{{url}}", 7) == 0) {
                const char *url = view_text(&s->view, "url", NULL);
                if (!url)
                        return 0;
                size_t n = strlen(url);
                while (n > 0 && url[n - 1] == '/')
                        n--;
                char *base = arena_dup(b->arena, url, n);
                text = base ? arena_join(b->arena, base, text + 7) : NULL;
                if (!text)
                        return -ENOMEM;
        }
        bool is_known = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ||
                        strncmp(text, "file://", 7) == 0 || value_is_secret(text);
        if (!is_known) {
                say_entry(b, DIAG_ERROR, v, e,
                          "\"%s\" is no address; it begins with http://, https:// or {{url}}",
                          text);
                return 0;
        }
        *ret = text;
        return 0;
}

/* ---- parts ----------------------------------------------------------------------------------- */

typedef struct PartBuild {
        Build *b;
        const SourceBuild *source;
        const View *v;
        PartDef *def;
} PartBuild;

/* "POINTER=TEXT" of `envelope` and `where`. */
static void check_test(const PartBuild *p, const char *key) {
        const Entry *e = view_get(p->v, key);
        const char *equals = e ? value_split_test(e->value) : NULL;
        if (!e)
                return;
        char *pointer =
                equals ? arena_dup(p->b->arena, e->value, (size_t) (equals - e->value)) : NULL;
        if (!pointer || !*pointer || !value_is_pointer(pointer) || !equals[1])
                say_entry(p->b, DIAG_ERROR, p->v, e, "write POINTER=TEXT, as /code=OK");
}

static void read_pages(const PartBuild *p) {
        const Entry *e = view_get(p->v, "pages");
        if (!e)
                return;
        if (streq(e->value, "short")) {
                p->def->pages_kind = PAGES_SHORT;
        } else if (value_is_pointer(e->value)) {
                p->def->pages_kind = PAGES_POINTER;
                p->def->pages = e->value;
        } else {
                say_entry(p->b, DIAG_ERROR, p->v, e, "\"%s\" is neither a pointer nor `short`",
                          e->value);
        }
}

/* "TEXT:KIND" or "*:KIND"; splits at the last colon, since kinds have none. */
static bool read_kind_map(const PartBuild *p, const char *word) {
        const char *colon = strrchr(word, ':');
        if (!colon || colon == word || !value_is_name(colon + 1, strlen(colon + 1)))
                return false;
        char *match = arena_dup(p->b->arena, word, (size_t) (colon - word));
        if (!match)
                return false;
        if (streq(match, "*"))
                p->def->kind_default = colon + 1;
        else
                p->def->kinds[p->def->n_kinds++] = (KindMap){match, colon + 1};
        return true;
}

static int read_kind(const PartBuild *p) {
        const Entry *e = view_get(p->v, "unit.kind");
        const char **words = NULL;
        size_t n = 0;
        int r = e ? value_words(p->b, e->value, false, &words, &n) : 0;
        if (r < 0 || n == 0)
                return r;
        p->def->kinds = arena_alloc(p->b->arena, n, sizeof *p->def->kinds);
        if (!p->def->kinds)
                return -ENOMEM;
        bool is_good = true;
        if (words[0][0] == '/') {
                p->def->unit_kind = words[0];
                is_good = value_is_pointer(words[0]) && n > 1;
                for (size_t i = 1; i < n; i++)
                        is_good = read_kind_map(p, words[i]) && is_good;
        } else {
                p->def->kind_default = words[0];
                is_good = n == 1 && value_is_name(words[0], strlen(words[0]));
        }
        if (!is_good)
                say_entry(p->b, DIAG_ERROR, p->v, e,
                          "write POINTER TEXT:KIND ..., as /LOAI_COQUAN 2:department 3:commune, or "
                          "one KIND");
        return 0;
}

static int read_headers(const PartBuild *p) {
        PartDef *d = p->def;
        d->headers = arena_alloc(p->b->arena, p->v->n, sizeof *d->headers);
        if (!d->headers)
                return -ENOMEM;
        for (size_t i = 0; i < p->v->n; i++) {
                const Entry *e = p->v->entries[i];
                if (!streq(e->key->key, "header.NAME") || !*e->value)
                        continue;
                check_template(p->b, p->source, p->v, e->name);
                if (value_is_name(e->tail, strlen(e->tail)))
                        d->headers[d->n_headers++] = (NameValue){e->tail, e->value};
                else
                        say_entry(p->b, DIAG_ERROR, p->v, e,
                                  "a header's name is made of letters, digits, - and _");
        }
        return 0;
}

static const char *read_pointer(const PartBuild *p, const char *family, const char *name) {
        char key[2 * CONFIG_MAX_NAME + 32];
        (void) snprintf(key, sizeof key, "%s%s", family, name);
        const Entry *e = view_get(p->v, key);
        if (!e || value_is_pointer(e->value))
                return e ? e->value : NULL;
        say_entry(p->b, DIAG_ERROR, p->v, e, "\"%s\" is no pointer; write steps as /data/ratio",
                  e->value);
        return NULL;
}

/* All value.NAME (or parent.value.NAME) with what belongs to them. */
static int read_values(const PartBuild *p, bool is_parent, ValueMap **ret, size_t *ret_n) {
        const char *family = is_parent ? "parent.value.NAME" : "value.NAME";
        ValueMap *maps = arena_alloc(p->b->arena, p->v->n, sizeof *maps);
        size_t n = 0;
        if (!maps)
                return -ENOMEM;
        for (size_t i = 0; i < p->v->n; i++) {
                const Entry *e = p->v->entries[i];
                if (!streq(e->key->key, family) || !*e->value)
                        continue;
                if (!value_is_name(e->tail, strlen(e->tail))) {
                        say_entry(p->b, DIAG_ERROR, p->v, e,
                                  "the name of an indicator is made of letters, digits, - and _");
                        continue;
                }
                int indicator = source_indicator(p->b, p->source, e->tail);
                if (indicator < 0) {
                        say_unknown_indicator(p->b, p->v, e, e->tail);
                        continue;
                }
                maps[n++] = (ValueMap){
                        .indicator = (size_t) indicator,
                        .pointer = read_pointer(p, is_parent ? "parent.value." : "value.", e->tail),
                        .denominator = read_pointer(
                                p, is_parent ? "parent.denominator." : "denominator.", e->tail),
                        .delta = is_parent ? NULL : read_pointer(p, "delta.", e->tail),
                };
        }
        *ret = maps;
        *ret_n = n;
        return 0;
}

/* A denominator or change without its value is a slip of the pen. */
static void check_companions(const PartBuild *p) {
        static const struct {
                const char *family, *value;
        } companions[] = {{"denominator.NAME", "value."},
                          {"delta.NAME", "value."},
                          {"parent.denominator.NAME", "parent.value."}};
        for (size_t i = 0; i < p->v->n; i++) {
                const Entry *e = p->v->entries[i];
                for (size_t k = 0; *e->value && k < ELEMENTSOF(companions); k++) {
                        char key[2 * CONFIG_MAX_NAME + 32];
                        (void) snprintf(key, sizeof key, "%s%.128s", companions[k].value, e->tail);
                        if (streq(e->key->key, companions[k].family) && !view_get(p->v, key))
                                say_entry(p->b, DIAG_ERROR, p->v, e, "there is no %s beside it",
                                          key);
                }
        }
}

static void read_request(const PartBuild *p) {
        static const char form[] = "application/x-www-form-urlencoded", json[] = "application/json";
        PartDef *d = p->def;
        bool is_json = d->body && (d->body[0] == '{' || d->body[0] == '[');
        d->method = view_text(p->v, "method", d->body ? "POST" : "GET");
        d->body_type = view_text(p->v, "body_type", is_json ? json : form);
        check_template(p->b, p->source, p->v, "body");
        if (d->body && streq(d->method, "GET"))
                say_entry(p->b, DIAG_ERROR, p->v, view_get(p->v, "body"),
                          "a GET request has no body; set `method = POST`");
}

static void check_part(const PartBuild *p, bool is_http) {
        const PartDef *d = p->def;
        if (is_http && !view_get(p->v, "url"))
                say_view(p->b, DIAG_ERROR, p->v, "url",
                         "is missing; write the address of the request");
        if (!view_get(p->v, "unit.code"))
                say_view(p->b, DIAG_ERROR, p->v, "unit.code",
                         "is missing; write where a row has its unit's code");
        if (d->n_values == 0)
                say_view(p->b, DIAG_ERROR, p->v, "value.NAME",
                         "is missing; map at least one indicator of this part");
        if (d->n_parent_values > 0 && !d->parent)
                say_view(p->b, DIAG_ERROR, p->v, "parent",
                         "is missing, while parent.value.NAME is written");
}

int build_part(Build *b, const SourceBuild *s, const View *v, PartDef *d) {
        PartBuild p = {b, s, v, d};
        const SourceDef *source = &b->config->sources[s->index];
        *d = (PartDef){
                .name = v->name + strlen(s->name) + 1,
                .rows = "",
                .file = v->head ? v->head->file : NULL,
                .line = v->head ? v->head->line : 0,
        };
        int r = store_view(b, v, d);
        if (r == 0)
                r = read_address(b, s, v, "url", &d->url);
        if (r == 0)
                r = read_kind(&p);
        if (r == 0)
                r = read_headers(&p);
        if (r == 0)
                r = read_values(&p, false, &d->values, &d->n_values);
        if (r == 0)
                r = read_values(&p, true, &d->parent_values, &d->n_parent_values);
        if (r < 0)
                return r;
        read_request(&p);
        read_pages(&p);
        check_test(&p, "envelope");
        check_test(&p, "where");
        check_companions(&p);
        check_part(&p, source->kind == SOURCE_HTTP);
        return 0;
}
