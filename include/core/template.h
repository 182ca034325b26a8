/* Mustache after its public specification (mustache.github.io): comments, delimiters,
 * interpolation, inverted, partials, sections. Held by the specification's own cases in tests/unit.
 * Debian 12 has no C library for it.
 *
 * The view is a jansson value. `{{x}}` escapes for the sink; `{{{x}}}` and `{{&x}}` do not. False
 * are null, false, the empty list and the empty string; numbers are always true: a published zero
 * is a figure. */
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

/* Parses once. Errors (unclosed section, bad delimiter) go to diag with file and line. Returns 0,
 * -EINVAL, -ENOMEM. */
int template_parse(const char *text, size_t n, const char *file, Diag *diag, Template **ret);
void template_free(Template *t);
DEFINE_CLEANUP(Template, template_free)

/* True when the template has a `{{{x}}}` or `{{&x}}`, which only `.txt` may have. */
bool template_has_raw(const Template *t);

/* Text of a partial by name, or NULL: the specification renders nothing then. */
typedef const Template *(*TemplatePartial)(void *userdata, const char *name);

/* Appends to out. Recursion is bounded (32 partials deep, else -ELOOP), output by out->max and work
 * by 4 million steps
 * (-E2BIG). Returns 0, -ENOMEM, -E2BIG, -ELOOP; after a failure out holds what was written so far.
 */
int template_render(const Template *t, const json_t *view, TemplateSink sink,
                    TemplatePartial partial, void *userdata, Buf *out);

/* One-shot for configuration keys: `{{name}}` from a flat list of names and values. Unknown names
 * are errors in diag, and so is all else that Mustache knows. With SINK_URL a value that begins the
 * text and holds "://" is the address itself and not escaped: "{{url}}/api?year={{year}}". Returns
 * 0, -EINVAL, -ENOMEM, -E2BIG. */
typedef struct TemplateVar {
        const char *name, *value;
} TemplateVar;
int template_expand(const char *text, const TemplateVar *vars, size_t n, TemplateSink sink,
                    Diag *diag, const char *file, unsigned line, Buf *out);
