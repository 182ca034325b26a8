/* Indicators: what exists, under which name, and what is derived from what.
 *
 * An indicator belongs to one source. A source with a `prefix` brings renamed copies of everything
 * that it publishes (and that its preset derives), so that two sources can stand beside each other.
 * A definition is laid together from what ships, the presets of the sources that use them, and the
 * installation's own sections; a copy begins with the definition of its base. Derivation of a
 * preset is dropped where the source publishes the figure itself: published figures win. */
#include <errno.h>

#include "base/decimal.h"
#include "core/config-internal.h"

#define MAX_OPERANDS ELEMENTSOF(((IndicatorDef *) NULL)->operand)
#define MAX_CHAIN 16 /* derived from derived ...: deeper is a mistake, and the stack is ours */

/* ---- which there are ------------------------------------------------------------------------- */

static int indicator_find(const Build *b, const char *name) {
        for (size_t i = 0; i < b->n_indicators; i++)
                if (streq(b->indicators[i].view.name, name))
                        return (int) i;
        return -1;
}

static int indicator_add(Build *b, const char *name, const char *base,
                         const SourceBuild *clone_of) {
        if (indicator_find(b, name) >= 0 || b->n_indicators >= CONFIG_MAX_INDICATORS)
                return 0;
        if (b->n_indicators == b->cap_indicators) {
                size_t cap = b->cap_indicators ? b->cap_indicators * 2 : 64;
                IndicatorBuild *more = arena_alloc(b->arena, cap, sizeof *more);
                if (!more)
                        return -ENOMEM;
                if (b->n_indicators > 0)
                        memcpy(more, b->indicators, b->n_indicators * sizeof *more);
                b->indicators = more;
                b->cap_indicators = cap;
        }
        b->indicators[b->n_indicators++] = (IndicatorBuild){
                .view = {.kind = "indicator", .name = name},
                .clone_of = clone_of,
                .base = base,
        };
        return 0;
}

static bool section_derives(const Section *s) {
        for (const Entry *e = s->first; e; e = e->next)
                if (*e->value && (streq(e->name, "sum") || streq(e->name, "ratio")))
                        return true;
        return false;
}

/* Is there a definition of the name that a source of this preset would see? */
static bool is_defined(const Build *b, const char *name, const char *preset) {
        for (size_t i = 0; i < b->n_sections; i++) {
                const Section *s = b->sections[i];
                if (streq(s->kind, "indicator") && streq(s->name, name) &&
                    (!s->preset || streq_ptr(s->preset, preset)))
                        return true;
        }
        return false;
}

/* Does the source have the figure, published or derived by its preset? */
static bool source_has(const Build *b, const SourceBuild *s, const char *name) {
        if (source_publishes(s, name))
                return true;
        for (size_t i = 0; s->preset && i < b->n_sections; i++) {
                const Section *x = b->sections[i];
                if (streq_ptr(x->preset, s->preset) && streq(x->kind, "indicator") &&
                    streq(x->name, name) && section_derives(x))
                        return true;
        }
        return false;
}

/* The source whose renamed copy this name is, or NULL. */
static const SourceBuild *clone_source(const Build *b, const char *name) {
        for (size_t i = 0; i < b->n_sources; i++) {
                const SourceBuild *s = &b->sources[i];
                size_t n = strlen(s->prefix);
                if (!s->is_enabled || n == 0 || strncmp(name, s->prefix, n) != 0)
                        continue;
                if (source_has(b, s, name + n) && is_defined(b, name + n, s->preset))
                        return s;
        }
        return NULL;
}

static int add_clone(Build *b, const SourceBuild *s, const char *base) {
        if (!source_has(b, s, base) || !is_defined(b, base, s->preset))
                return 0;
        char *name = arena_join(b->arena, s->prefix, base);
        return name ? indicator_add(b, name, base, s) : -ENOMEM;
}

/* Names that sections bring. */
static int add_from_section(Build *b, const Section *s) {
        if (!s->preset)
                return clone_source(b, s->name) ? 0 : indicator_add(b, s->name, s->name, NULL);
        for (size_t i = 0; i < b->n_sources; i++) {
                const SourceBuild *source = &b->sources[i];
                if (!source->is_enabled || !streq_ptr(source->preset, s->preset))
                        continue;
                int r = *source->prefix ? add_clone(b, source, s->name)
                                        : indicator_add(b, s->name, s->name, NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_value(const Entry *e) {
        return streq(e->key->key, "value.NAME") || streq(e->key->key, "parent.value.NAME");
}

static int add_from_source(Build *b, const SourceBuild *s) {
        if (!s->is_enabled || !*s->prefix)
                return 0;
        for (size_t p = 0; p < s->n_parts; p++)
                for (size_t i = 0; i < s->parts[p].n; i++) {
                        int r = is_value(s->parts[p].entries[i])
                                        ? add_clone(b, s, s->parts[p].entries[i]->tail)
                                        : 0;
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int add_all(Build *b) {
        for (size_t i = 0; i < b->n_sections; i++) {
                int r = streq(b->sections[i]->kind, "indicator")
                                ? add_from_section(b, b->sections[i])
                                : 0;
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < b->n_sources; i++) {
                int r = add_from_source(b, &b->sources[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool source_publishes(const SourceBuild *s, const char *name) {
        for (size_t p = 0; p < s->n_parts; p++)
                for (size_t i = 0; i < s->parts[p].n; i++) {
                        const Entry *e = s->parts[p].entries[i];
                        if (*e->value && is_value(e) && streq(e->tail, name))
                                return true;
                }
        return false;
}

int source_indicator(const Build *b, const SourceBuild *s, const char *name) {
        char full[2 * CONFIG_MAX_NAME + 1];
        if (strlen(s->prefix) + strlen(name) >= sizeof full)
                return -1;
        strcpy(full, s->prefix);
        strcat(full, name);
        return indicator_find(b, full);
}

void say_unknown_indicator(Build *b, const View *v, const Entry *e, const char *name) {
        const char *best = NULL;
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < b->n_indicators; i++) {
                size_t d = word_distance(name, b->indicators[i].view.name);
                if (d < least) {
                        least = d;
                        best = b->indicators[i].view.name;
                }
        }
        if (best && word_is_near(name, least))
                say_entry(b, DIAG_ERROR, v, e, "there is no indicator %s; did you mean %s?", name,
                          best);
        else
                say_entry(b, DIAG_ERROR, v, e,
                          "there is no indicator %s; define it in a section [indicator %s]", name,
                          name);
}

/* ---- what each is ---------------------------------------------------------------------------- */

/* Overlays the presets of the sources that bring the figure under this very name. */
static int view_add_presets(Build *b, IndicatorBuild *x) {
        if (x->clone_of)
                return x->clone_of->preset ? view_add_all(b, &x->view, "indicator", x->base,
                                                          LAYERS_PRESET(x->clone_of->preset))
                                           : 0;
        for (size_t i = 0; i < b->n_sources; i++) {
                const SourceBuild *s = &b->sources[i];
                if (!s->is_enabled || !s->preset || *s->prefix)
                        continue;
                int r = view_add_all(b, &x->view, "indicator", x->base, LAYERS_PRESET(s->preset));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int indicator_view(Build *b, IndicatorBuild *x) {
        const Layers base = {NULL, CONFIG_BASE, CONFIG_BASE},
                     own = {NULL, CONFIG_MAIN, CONFIG_DROPIN};
        int r = view_add_all(b, &x->view, "indicator", x->base, base);
        if (r == 0 && x->clone_of)
                r = view_add_all(b, &x->view, "indicator", x->base, own);
        if (r == 0)
                r = view_add_presets(b, x);
        return r == 0 ? view_add_all(b, &x->view, "indicator", x->view.name, own) : r;
}

/* A number of the indicator's scale, or `none`. */
static void read_number(Build *b, const View *v, const char *key, unsigned decimals, int64_t *ret) {
        const Entry *e = view_get(v, key);
        if (!e)
                return;
        if (streq(e->value, "none") && !streq(key, "restated_min"))
                *ret = VALUE_NONE;
        else if (value_decimal(e->value, decimals, ret) < 0)
                say_entry(b, DIAG_ERROR, v, e,
                          "\"%s\" is not a number; write it with a decimal point, as 99.5",
                          e->value);
}

static void read_decimals(Build *b, const View *v, IndicatorDef *d) {
        int64_t n = 0;
        d->decimals = d->unit == INDICATOR_COUNT ? 0 : 2;
        const Entry *e = view_get(v, "decimals");
        if (!e)
                return;
        if (value_decimal(e->value, 0, &n) < 0 || n < 0 || n > (int64_t) DECIMAL_MAX_DECIMALS ||
            strlen(e->value) != 1)
                say_entry(b, DIAG_ERROR, v, e, "\"%s\" is not a number of digits; it must be 0..4",
                          e->value);
        else
                d->decimals = (unsigned) n;
}

/* Two sources' figures must not look alike in messages: a copy says whose it is, unless it was
 * named. */
static int read_label(Build *b, const IndicatorBuild *x, IndicatorDef *d) {
        const Entry *e = view_get(&x->view, "label");
        bool is_own = e && (e->section->preset || streq(e->section->name, x->view.name));
        d->label = str_or(d->label, x->view.name);
        d->brief = str_or(d->brief, d->label);
        if (!x->clone_of || is_own || !e)
                return 0;
        char *head = arena_join(b->arena, d->label, " (");
        char *middle = head ? arena_join(b->arena, head, x->clone_of->label) : NULL;
        d->label = middle ? arena_join(b->arena, middle, ")") : NULL;
        return d->label ? 0 : -ENOMEM;
}

static int indicator_read(Build *b, IndicatorBuild *x, IndicatorDef *d) {
        const View *v = &x->view;
        *d = (IndicatorDef){.name = v->name, .max = VALUE_NONE, .source = -1};
        int r = store_view(b, v, d);
        if (r == 0)
                r = read_label(b, x, d);
        if (r < 0)
                return r;
        if (!view_get(v, "unit"))
                say_view(b, DIAG_ERROR, v, "unit", "is missing; write percent, points or count");
        read_decimals(b, v, d);
        if (d->unit == INDICATOR_PERCENT)
                d->max = decimal_rescale(100, 0, d->decimals);
        d->restated_min = decimal_rescale(1, 0, d->decimals);
        read_number(b, v, "max", d->decimals, &d->max);
        read_number(b, v, "min", d->decimals, &d->min);
        read_number(b, v, "restated_min", d->decimals, &d->restated_min);
        if (d->max != VALUE_NONE && d->min != VALUE_NONE && d->max <= d->min)
                say_view(b, DIAG_ERROR, v, "max",
                         "must be greater than min; nothing could ever be valid");
        if (d->restated_min <= 0)
                say_view(b, DIAG_ERROR, v, "restated_min", "must be greater than 0");
        return 0;
}

int build_indicators(Build *b) {
        int r = add_all(b);
        if (r < 0)
                return r;
        Config *c = b->config;
        c->indicators = arena_alloc(b->arena, b->n_indicators, sizeof *c->indicators);
        if (!c->indicators)
                return -ENOMEM;
        c->n_indicators = b->n_indicators;
        for (size_t i = 0; r == 0 && i < b->n_indicators; i++) {
                r = indicator_view(b, &b->indicators[i]);
                if (r == 0)
                        r = indicator_read(b, &b->indicators[i], &c->indicators[i]);
        }
        if (b->n_indicators >= CONFIG_MAX_INDICATORS)
                say_at(b, DIAG_ERROR, NULL, 0, "indicator", "more than 4095 indicators");
        return r;
}

/* ---- what is derived ------------------------------------------------------------------------- */

static int resolve(Build *b, size_t i, int depth);

/* The entry that derives the indicator, or NULL: none, or it is published and needs none. */
static const Entry *derivation(Build *b, size_t i) {
        const IndicatorBuild *x = &b->indicators[i];
        const IndicatorDef *d = &b->config->indicators[i];
        const Entry *sum = view_get(&x->view, "sum"), *ratio = view_get(&x->view, "ratio");
        const Entry *e = sum ? sum : ratio;
        if (sum && ratio) {
                say_entry(b, DIAG_ERROR, &x->view, ratio,
                          "`sum` and `ratio` exclude each other; empty one of them");
                return NULL;
        }
        if (!e || d->source < 0)
                return e;
        const SourceDef *owner = &b->config->sources[d->source];
        if (e->section->layer >= CONFIG_MAIN)
                say_entry(b, DIAG_ERROR, &x->view, e,
                          "[source %s] publishes %s; a published figure is never derived",
                          owner->name, d->name);
        else if (e->section->preset && !streq_ptr(owner->preset, e->section->preset))
                say_entry(b, DIAG_ERROR, &x->view, e,
                          "[source %s] publishes %s and the preset %s of another source derives "
                          "it; give one of them a `prefix`",
                          owner->name, d->name, e->section->preset);
        return NULL;
}

static int operand_find(const Build *b, const IndicatorBuild *x, const Entry *e, const char *name) {
        bool is_literal = !x->clone_of || streq(e->section->name, x->view.name);
        int found = is_literal ? -1 : source_indicator(b, x->clone_of, name);
        return found >= 0 ? found : indicator_find(b, name);
}

/* Adds one operand. Returns 0, -EINVAL when it was refused (said). */
static int operand_add(Build *b, size_t i, const Entry *e, const char *name, int depth) {
        IndicatorDef *d = &b->config->indicators[i];
        const IndicatorBuild *x = &b->indicators[i];
        int found = operand_find(b, x, e, name);
        if (found < 0) {
                say_unknown_indicator(b, &x->view, e, name);
                return -EINVAL;
        }
        if (d->n_operands >= MAX_OPERANDS) {
                say_entry(b, DIAG_ERROR, &x->view, e, "more than 16 operands");
                return -EINVAL;
        }
        if (b->indicators[found].is_open || depth >= MAX_CHAIN) {
                say_entry(b, DIAG_ERROR, &x->view, e, "%s is derived from itself, by way of %s",
                          d->name, name);
                return -EINVAL;
        }
        d->operand[d->n_operands++] = (size_t) found;
        return resolve(b, (size_t) found, depth + 1);
}

static int derive_sum(Build *b, size_t i, const Entry *e, int depth) {
        IndicatorDef *d = &b->config->indicators[i];
        const char **words = NULL;
        size_t n = 0;
        int r = value_words(b, e->value, false, &words, &n);
        for (size_t k = 0; r == 0 && k < n; k++)
                r = operand_add(b, i, e, words[k], depth);
        if (r < 0)
                return r;
        for (size_t k = 0; k < d->n_operands; k++)
                if (b->config->indicators[d->operand[k]].unit != d->unit) {
                        say_entry(b, DIAG_ERROR, &b->indicators[i].view, e,
                                  "%s is not of the same unit as the sum", words[k]);
                        return -EINVAL;
                }
        d->derive = DERIVE_SUM;
        return 0;
}

static int derive_ratio(Build *b, size_t i, const Entry *e, int depth) {
        IndicatorDef *d = &b->config->indicators[i];
        const View *v = &b->indicators[i].view;
        const char **words = NULL;
        size_t n = 0;
        int r = value_words(b, e->value, false, &words, &n);
        if (r < 0)
                return r;
        if (n != 3 || !streq(words[1], "/")) {
                say_entry(b, DIAG_ERROR, v, e,
                          "write A / B, with blanks; B is an indicator or a number");
                return -EINVAL;
        }
        r = operand_add(b, i, e, words[0], depth);
        if (r < 0)
                return r;
        d->derive = DERIVE_RATIO;
        if (value_decimal(words[2], DECIMAL_MAX_DECIMALS, &d->divisor) < 0) {
                d->divisor = 0;
                return operand_add(b, i, e, words[2], depth);
        }
        if (d->divisor > 0)
                return 0;
        say_entry(b, DIAG_ERROR, v, e, "the divisor must be greater than 0");
        return -EINVAL;
}

/* A derived figure belongs to the one source of its operands; dormant while one of these has none.
 */
static void bind_source(Build *b, size_t i, const Entry *e) {
        const Config *c = b->config;
        IndicatorDef *d = &b->config->indicators[i];
        int source = c->indicators[d->operand[0]].source;
        for (size_t k = 1; k < d->n_operands; k++) {
                int other = c->indicators[d->operand[k]].source;
                if (source >= 0 && other >= 0 && other != source) {
                        say_entry(b, DIAG_ERROR, &b->indicators[i].view, e,
                                  "the operands come from [source %s] and [source %s]; derive from "
                                  "one source only",
                                  c->sources[source].name, c->sources[other].name);
                        return;
                }
                source = other < 0 ? -1 : source;
        }
        d->source = source;
}

static int resolve(Build *b, size_t i, int depth) {
        IndicatorBuild *x = &b->indicators[i];
        IndicatorDef *d = &b->config->indicators[i];
        if (x->is_done)
                return 0;
        const Entry *e = derivation(b, i);
        x->is_open = true;
        int r = 0;
        if (e)
                r = streq(e->name, "sum") ? derive_sum(b, i, e, depth)
                                          : derive_ratio(b, i, e, depth);
        x->is_open = false;
        x->is_done = true;
        if (e && r == 0 && d->n_operands > 0)
                bind_source(b, i, e);
        if (r == -EINVAL) {
                d->derive = DERIVE_NONE;
                d->n_operands = 0;
                return 0;
        }
        return r;
}

int build_derived(Build *b) {
        for (size_t i = 0; i < b->n_indicators; i++) {
                int r = resolve(b, i, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}
