/* Sources: which sections make one, what it fetches and when, and which indicators are its own.
 *
 * A source is its preset's [source], overlaid by its own section; its parts are the preset's [part
 * NAME], each overlaid by [part SOURCE.NAME] (config-part.c). */
#include <errno.h>
#include <stdio.h>

#include "core/config-internal.h"

/* ---- views ----------------------------------------------------------------------------------- */

static bool preset_exists(const Build *b, const char *preset) {
        for (size_t i = 0; i < b->n_sections; i++)
                if (streq_ptr(b->sections[i]->preset, preset))
                        return true;
        return false;
}

static const char *preset_near(const Build *b, const char *preset) {
        for (size_t i = 0; i < b->n_sections; i++) {
                const char *known = b->sections[i]->preset;
                if (known && word_is_near(preset, word_distance(preset, known)))
                        return known;
        }
        return NULL;
}

static int add_part(Build *b, SourceBuild *s, const char *part) {
        char *full = arena_join(b->arena, s->name, ".");
        full = full ? arena_join(b->arena, full, part) : NULL;
        if (!full)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_parts; i++)
                if (streq(s->parts[i].name, full))
                        return 0;
        View *v = &s->parts[s->n_parts++];
        *v = (View){.kind = "part", .name = full};
        int r = s->preset ? view_add_all(b, v, "part", part, LAYERS_PRESET(s->preset)) : 0;
        return r == 0 ? view_add_all(b, v, "part", full, LAYERS_OWN) : r;
}

/* NAME in [part SOURCE.NAME] or, of the preset, in [part NAME]; NULL when the section is not one of
 * this source. */
static const char *part_of(const SourceBuild *s, const Section *x) {
        size_t n = strlen(s->name);
        if (!streq(x->kind, "part"))
                return NULL;
        if (x->preset)
                return streq_ptr(x->preset, s->preset) ? x->name : NULL;
        return strncmp(x->name, s->name, n) == 0 && x->name[n] == '.' ? x->name + n + 1 : NULL;
}

static int collect_parts(Build *b, SourceBuild *s) {
        size_t n = 0;
        for (size_t i = 0; i < b->n_sections; i++)
                n += part_of(s, b->sections[i]) != NULL;
        s->parts = arena_alloc(b->arena, n, sizeof *s->parts);
        if (!s->parts)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_sections; i++) {
                const char *part = part_of(s, b->sections[i]);
                int r = part ? add_part(b, s, part) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int source_collect(Build *b, SourceBuild *s, const char *name) {
        View own = {.kind = "source", .name = name};
        int r = view_add_all(b, &own, "source", name, LAYERS_OWN);
        if (r < 0)
                return r;
        *s = (SourceBuild){.name = name,
                           .view = {.kind = "source", .name = name},
                           .index = -1,
                           .is_enabled = true};
        s->preset = view_text(&own, "preset", NULL);
        if (s->preset && !preset_exists(b, s->preset)) {
                const char *near = preset_near(b, s->preset);
                say_entry(b, DIAG_ERROR, &own, view_get(&own, "preset"),
                          near ? "there is no preset %s; did you mean %s?"
                               : "there is no preset %s%s",
                          s->preset, str_or(near, ""));
                s->preset = NULL;
        }
        if (s->preset)
                r = view_add_all(b, &s->view, "source", "", LAYERS_PRESET(s->preset));
        if (r == 0)
                r = view_add_all(b, &s->view, "source", name, LAYERS_OWN);
        (void) value_boolean(view_text(&s->view, "enabled", "yes"),
                             &s->is_enabled); /* said when it is stored */
        s->prefix = view_text(&s->view, "prefix", "");
        s->label = view_text(&s->view, "label", name);
        return r == 0 ? collect_parts(b, s) : r;
}

/* A part of a source that does not exist would be passed over silently. */
static void check_orphans(Build *b) {
        for (size_t i = 0; i < b->n_sections; i++) {
                const Section *x = b->sections[i];
                bool is_owned = x->preset || !streq(x->kind, "part");
                for (size_t k = 0; !is_owned && k < b->n_sources; k++)
                        is_owned = part_of(&b->sources[k], x) != NULL;
                if (is_owned)
                        continue;
                View v = {.kind = x->kind, .name = x->name, .head = x};
                say_view(b, DIAG_ERROR, &v, NULL,
                         "there is no [source %.*s]; add it or correct the name",
                         (int) strcspn(x->name, "."), x->name);
        }
}

int build_source_views(Build *b) {
        const char **names;
        int r = view_names(b, "source", &names, &b->n_sources);
        if (r < 0)
                return r;
        b->sources = arena_alloc(b->arena, b->n_sources, sizeof *b->sources);
        if (!b->sources)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_sources; i++) {
                r = source_collect(b, &b->sources[i], names[i]);
                if (r < 0)
                        return r;
        }
        check_orphans(b);
        return 0;
}

/* ---- the source itself ----------------------------------------------------------------------- */

static int read_scopes(Build *b, const SourceBuild *s, SourceDef *d) {
        const View *v = &s->view;
        d->scopes = arena_alloc(b->arena, v->n + 1, sizeof(const char *));
        if (!d->scopes)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++) {
                const Entry *e = v->entries[i];
                if (!streq(e->name, "scope"))
                        continue;
                bool is_twice = false;
                for (size_t k = 0; k < d->n_scopes; k++)
                        is_twice |= streq(d->scopes[k], e->value);
                if (is_twice)
                        say_entry(b, DIAG_ERROR, v, e, "%s is asked for twice; remove one",
                                  e->value);
                else
                        d->scopes[d->n_scopes++] = e->value;
        }
        bool is_needed = false;
        for (size_t i = 0; i < s->n_parts; i++)
                is_needed |= uses_scope(&s->parts[i]);
        if (d->n_scopes == 0 && is_needed)
                say_view(b, DIAG_ERROR, v, "scope",
                         "is missing; write which province (or other scope) is asked for");
        if (d->n_scopes == 0)
                d->scopes[d->n_scopes++] = "";
        return 0;
}

static int read_periods(Build *b, const SourceBuild *s, SourceDef *d) {
        const Entry *e = view_get(&s->view, "periods");
        const char **words = NULL;
        size_t n = 0;
        int r = value_words(b, e ? e->value : "month", false, &words, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                PeriodType type;
                bool is_bad = period_type_parse(words[i], &type) < 0;
                for (size_t k = 0; !is_bad && k < d->n_periods; k++)
                        is_bad = d->periods[k] == type;
                if (is_bad)
                        say_entry(b, DIAG_ERROR, &s->view, e,
                                  "\"%s\" is unknown or written twice; use month quarter half year",
                                  words[i]);
                else
                        d->periods[d->n_periods++] = type;
        }
        return r;
}

/* `at` and `every` exclude each other; the installation's one beats the preset's other. */
static void read_schedule(Build *b, const SourceBuild *s, SourceDef *d) {
        const View *v = &s->view;
        const Entry *at = view_get(v, "at"), *every = view_get(v, "every");
        if (at && every && (at->section->preset != NULL) == (every->section->preset != NULL)) {
                say_entry(b, DIAG_ERROR, v, every,
                          "`at` and `every` exclude each other; empty one of them");
                return;
        }
        bool is_every = every && (!at || at->section->preset);
        unsigned minute = 4 * 60;
        if (is_every) {
                if (duration_parse(every->value, &d->every_ms) < 0 || d->every_ms < MS_PER_SECOND ||
                    d->every_ms > 31 * MS_PER_DAY)
                        say_entry(b, DIAG_ERROR, v, every,
                                  "\"%s\" is not a distance between 1s and 31d", every->value);
                d->at_minute = -1;
                return;
        }
        if (at && clock_parse(at->value, &minute) < 0)
                say_entry(b, DIAG_ERROR, v, at, "\"%s\" is no time of the day; write it as 04:00",
                          at->value);
        d->at_minute = (int) minute;
}

static int read_token(Build *b, const SourceBuild *s, SourceDef *d) {
        const View *v = &s->view;
        int r = read_address(b, s, v, "token.url", &d->token_url);
        check_template(b, s, v, "token.body");
        if (view_get(v, "token.url") && !d->token_pointer)
                say_view(b, DIAG_ERROR, v, "token.pointer",
                         "is missing; write where the token stands in the answer");
        if (!view_get(v, "token.url") && d->token_pointer)
                say_view(b, DIAG_ERROR, v, "token.url",
                         "is missing, while token.pointer is written");
        return r;
}

static int read_keys(Build *b, const View *v, SourceDef *d) {
        d->keys = arena_alloc(b->arena, v->n, sizeof *d->keys);
        if (!d->keys)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++) {
                const Entry *e = v->entries[i];
                if (*e->value && !e->key->store->is_list)
                        d->keys[d->n_keys++] = (NameValue){e->name, e->value};
        }
        return 0;
}

static void check_source(Build *b, const SourceBuild *s, SourceDef *d) {
        const View *v = &s->view;
        const Entry *units = view_get(v, "units"), *space = view_get(v, "namespace"),
                    *prefix = view_get(v, "prefix"), *url = view_get(v, "url");
        if (units && !streq(units->value, "auto") && !streq(units->value, "strict"))
                say_entry(b, DIAG_ERROR, v, units,
                          "\"%s\" is not a valid choice; it must be auto | strict", units->value);
        d->is_strict = units && streq(units->value, "strict");
        if (space && !value_is_name(space->value, strlen(space->value)))
                say_entry(b, DIAG_ERROR, v, space,
                          "a namespace is made of letters, digits, - and _");
        if (prefix && !value_is_name(prefix->value, strlen(prefix->value)))
                say_entry(b, DIAG_ERROR, v, prefix, "a prefix is made of letters, digits, - and _");
        if (url && strncmp(url->value, "http://", 7) != 0 &&
            strncmp(url->value, "https://", 8) != 0 && strncmp(url->value, "file://", 7) != 0)
                say_entry(b, DIAG_ERROR, v, url,
                          "\"%s\" is no address; it begins with http:// or https://", url->value);
        check_template(b, s, v, "scope_unit");
        if (s->n_parts == 0)
                say_view(b, DIAG_ERROR, v, NULL,
                         "has no part; set `preset`, or write a section [part %s.NAME]", s->name);
}

static int build_source(Build *b, SourceBuild *s, SourceDef *d) {
        const View *v = &s->view;
        *d = (SourceDef){
                .name = s->name,
                .preset = s->preset,
                .kind = view_get(v, "inbox") ? SOURCE_INBOX : SOURCE_HTTP,
                .label = s->label,
                .namespace_ = s->name,
                .prefix = s->prefix,
                .file = v->head->file,
                .line = v->head->line,
        };
        int r = store_view(b, v, d);
        if (r == 0)
                r = read_scopes(b, s, d);
        if (r == 0)
                r = read_periods(b, s, d);
        if (r == 0)
                r = read_keys(b, v, d);
        if (r == 0)
                r = read_token(b, s, d);
        if (r < 0)
                return r;
        read_schedule(b, s, d);
        check_source(b, s, d);
        d->parts = arena_alloc(b->arena, s->n_parts, sizeof *d->parts);
        if (!d->parts)
                return -ENOMEM;
        d->n_parts = s->n_parts;
        for (size_t i = 0; r == 0 && i < s->n_parts; i++)
                r = build_part(b, s, &s->parts[i], &d->parts[i]);
        return r;
}

/* ---- who owns an indicator ------------------------------------------------------------------- */

/* Names that this source publishes and `other` owns already, for one message about all. */
static void say_owned(Build *b, const SourceBuild *s, int other) {
        const Config *c = b->config;
        const SourceDef *d = &c->sources[s->index];
        CLEANUP(buf_done) Buf names = BUF_INIT(BUF_MAX_TEXT);
        for (size_t i = 0; i < c->n_indicators; i++) {
                bool is_here = false;
                for (size_t p = 0; p < d->n_parts; p++)
                        for (size_t k = 0; k < d->parts[p].n_values; k++)
                                is_here |= d->parts[p].values[k].indicator == i;
                if (is_here && c->indicators[i].source == other)
                        (void) buf_printf(&names, "%s%s", names.len ? ", " : "",
                                          c->indicators[i].name);
        }
        if (names.len == 0)
                return;
        say_view(b, DIAG_ERROR, &s->view, NULL,
                 "publishes %s, as [source %s] does; an indicator has one source: give one of them "
                 "a `prefix`",
                 buf_text(&names), c->sources[other].name);
}

static void own_values(Build *b, const SourceBuild *s) {
        const SourceDef *d = &b->config->sources[s->index];
        for (int other = 0; other < s->index; other++)
                say_owned(b, s, other);
        for (size_t p = 0; p < d->n_parts; p++) {
                const PartDef *part = &d->parts[p];
                for (size_t k = 0; k < part->n_values + part->n_parent_values; k++) {
                        const ValueMap *m = k < part->n_values
                                                    ? &part->values[k]
                                                    : &part->parent_values[k - part->n_values];
                        IndicatorDef *x = &b->config->indicators[m->indicator];
                        if (x->source < 0)
                                x->source = s->index;
                }
        }
}

int build_sources(Build *b) {
        Config *c = b->config;
        c->sources = arena_alloc(b->arena, b->n_sources, sizeof *c->sources);
        if (!c->sources)
                return -ENOMEM;
        for (size_t i = 0; i < b->n_sources; i++) {
                SourceBuild *s = &b->sources[i];
                if (!s->is_enabled)
                        continue;
                s->index = (int) c->n_sources;
                int r = build_source(b, s, &c->sources[c->n_sources]);
                if (r < 0)
                        return r;
                c->n_sources++;
                own_values(b, s);
        }
        return 0;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

static const char *const shipped_kinds[] = {"province", "department", "district", "commune"};

static bool part_has_kind(const PartDef *p, const char *kind) {
        bool has = streq_ptr(p->kind_default, kind);
        for (size_t i = 0; i < p->n_kinds; i++)
                has |= streq(p->kinds[i].kind, kind);
        return has;
}

static bool kind_is_known(const Config *c, const char *kind) {
        for (size_t i = 0; i < ELEMENTSOF(shipped_kinds); i++)
                if (streq(shipped_kinds[i], kind))
                        return true;
        for (size_t i = 0; i < c->n_sources; i++)
                for (size_t k = 0; k < c->sources[i].n_parts; k++)
                        if (part_has_kind(&c->sources[i].parts[k], kind))
                                return true;
        return false;
}

/* No error: a list of units that was imported may have kinds of its own. */
void warn_kinds(Build *b, const View *v, const char *key, const UnitSelector *s) {
        for (size_t i = 0; i < s->n_kinds; i++) {
                const Entry *e = view_get(v, key);
                if (!e || kind_is_known(b->config, s->kinds[i]))
                        continue;
                say_entry(b, DIAG_WARNING, v, e,
                          "no source gives units the kind %s; unless an imported list does, this "
                          "selects nobody (province, department, district and commune are usual)",
                          s->kinds[i]);
        }
}
