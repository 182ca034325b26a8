/* Mustache after its public specification (mustache.github.io): comments, delimiters, interpolation, inverted,
 * partials, sections. Held by the specification's own cases in tests/unit. Debian 12 has no C library for it.
 *
 * The view is a jansson value. `{{x}}` escapes for the sink; `{{{x}}}` and `{{&x}}` do not. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/diag.h"

typedef enum TemplateSink {
        SINK_HTML, /* as the specification says: & < > " */
        SINK_TEXT, /* drops control and bidi characters; {{{x}}} as is */
        SINK_JSON, /* JSON string content */
        SINK_URL,  /* URL component: keys `url` and form bodies */
        SINK_RAW,
} TemplateSink;

typedef struct Template Template;

/* Parses once. Errors (unclosed section, bad delimiter) go to diag with file and line. Returns 0, -EINVAL, -ENOMEM. */
int template_parse(const char *text, size_t n, const char *file, Diag *diag, Template **ret);
void template_free(Template *t);
DEFINE_CLEANUP(Template, template_free)

/* Text of a partial by name, or NULL: the specification renders nothing then. */
typedef const Template *(*TemplatePartial)(void *userdata, const char *name);

/* Appends to out. Recursion is bounded (32 partials deep), output by out->max. Returns 0, -ENOMEM, -E2BIG, -ELOOP. */
int template_render(const Template *t, const json_t *view, TemplateSink sink, TemplatePartial partial, void *userdata,
                    Buf *out);

/* One-shot for configuration keys: `{{name}}` from a flat list of names and values. Unknown names are errors in diag. */
typedef struct TemplateVar {
        const char *name, *value;
} TemplateVar;
int template_expand(const char *text, const TemplateVar *vars, size_t n, TemplateSink sink, Diag *diag, const char *file,
                    unsigned line, Buf *out);
