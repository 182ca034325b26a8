/* Mustache after its specification: parsed once into a flat list of nodes, rendered by walking it.
 *
 * A section node knows where it ends, so rendering is one loop with recursion only where the view
 * nests. Text is kept line by line, since a standalone partial puts its indentation before every
 * line of the *template* it names and never into the values that are filled in: a node that stands
 * at the beginning of a line says so, and the renderer writes the present indentation there.
 * Indenting the partial's source and parsing it again for every use was the alternative.
 *
 * Bounds: nesting of sections, depth of partials, and a number of steps, because loops within loops
 * need no output to run for ever. */
#include "core/template.h"

#include <errno.h>

#include "base/text.h"

#define SECTIONS_MAX 64u
#define PARTIALS_MAX 32u
#define STEPS_MAX 4000000u
#define DELIMITER_MAX 8u

typedef enum NodeKind {
        NODE_TEXT,
        NODE_VALUE,
        NODE_RAW,
        NODE_SECTION,
        NODE_INVERTED,
        NODE_PARTIAL
} NodeKind;

typedef struct Node {
        NodeKind kind;
        bool is_line_start; /* text: the indentation of the partial goes before it */
        const char *text;   /* text, or the tag's name */
        size_t n;
        size_t end;         /* sections: the first node after it */
        const char *indent; /* partials that stand alone */
        size_t n_indent;
        char *name;    /* partials: NUL-terminated */
        unsigned line; /* in the file, from 1 */
} Node;

struct Template {
        char *source;
        Node *nodes;
        size_t n, cap;
        bool has_raw;
};

bool template_has_raw(const Template *t) {
        return t->has_raw;
}

void template_free(Template *t) {
        if (!t)
                return;
        for (size_t i = 0; i < t->n; i++)
                free(t->nodes[i].name);
        free(t->nodes);
        free(t->source);
        free(t);
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

typedef struct Parser {
        Template *t;
        const char *at, *end; /* of the source */
        char open[DELIMITER_MAX + 1], close[DELIMITER_MAX + 1];
        size_t section[SECTIONS_MAX]; /* nodes of the open ones */
        size_t depth;
        const char *file;
        unsigned first_line;
        Diag *diag;
} Parser;

typedef struct Tag {
        const char *start, *end; /* with its delimiters */
        char sigil;              /* 0: a plain value */
        const char *text;        /* trimmed */
        size_t n;
} Tag;

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned line_of(const Parser *p, const char *at) {
        unsigned line = p->first_line;
        for (const char *c = p->t->source; c < at; c++)
                line += *c == '\n';
        return line;
}

static int fail(const Parser *p, const char *at, const char *what, const char *text, size_t n) {
        diag_error(p->diag, p->file, line_of(p, at), NULL, "%s '%.*s'", what,
                   (int) MIN(n, (size_t) 60), text);
        return -EINVAL;
}

static int add_node(Parser *p, Node node) {
        int r = ARRAY_GROW(p->t->nodes, p->t->cap, p->t->n + 1);
        if (r < 0)
                return r;
        p->t->nodes[p->t->n++] = node;
        return 0;
}

static bool at_line_start(const Parser *p, const char *at) {
        return at == p->t->source || at[-1] == '\n';
}

/* source[from..to) as one node per line. A tag that begins a line gets an empty node before it. */
static int add_text(Parser *p, const char *from, const char *to, bool is_before_tag) {
        while (from < to) {
                const char *newline = memchr(from, '\n', (size_t) (to - from));
                const char *end = newline ? newline + 1 : to;
                int r = add_node(p, (Node){.kind = NODE_TEXT,
                                           .is_line_start = at_line_start(p, from),
                                           .text = from,
                                           .n = (size_t) (end - from)});
                if (r < 0)
                        return r;
                from = end;
        }
        if (!is_before_tag || !at_line_start(p, to))
                return 0;
        return add_node(p, (Node){.kind = NODE_TEXT, .is_line_start = true, .text = to});
}

static const char *find(const char *from, const char *end, const char *what) {
        return memmem(from, (size_t) (end - from), what, strlen(what));
}

static void trim(const char **text, size_t *n) {
        while (*n > 0 && is_blank(**text)) {
                (*text)++;
                (*n)--;
        }
        while (*n > 0 && is_blank((*text)[*n - 1]))
                (*n)--;
}

/* The tag that opens at `start`. */
static int read_tag(Parser *p, const char *start, Tag *ret) {
        const char *inside = start + strlen(p->open);
        char sigil = inside < p->end && strchr("!=#^/>&{", *inside) ? *inside : '\0';
        char close[DELIMITER_MAX + 2] = {0};
        if (sigil)
                inside++;
        if (sigil == '{' || sigil == '=')
                close[0] = sigil == '{' ? '}' : '=';
        (void) strcat(close, p->close);

        const char *stop = find(inside, p->end, close);
        if (!stop)
                return fail(p, start, "a tag is never closed:", start, (size_t) (p->end - start));
        *ret = (Tag){.start = start,
                     .end = stop + strlen(close),
                     .sigil = sigil,
                     .text = inside,
                     .n = (size_t) (stop - inside)};
        trim(&ret->text, &ret->n);
        if (sigil == '!' || sigil == '=')
                return 0;
        bool has_blank = false;
        for (size_t i = 0; i < ret->n; i++)
                has_blank |= is_blank(ret->text[i]);
        if (ret->n == 0 || has_blank)
                return fail(p, start, "a tag needs one name:", ret->text, ret->n);
        return 0;
}

/* A tag alone on its line takes the line with it: *ret_from is where the line begins, *ret_to the
 * next one. */
static bool is_standalone(const Parser *p, const Tag *tag, const char **ret_from,
                          const char **ret_to) {
        if (!tag->sigil || tag->sigil == '{' || tag->sigil == '&')
                return false;
        const char *from = tag->start, *to = tag->end;
        while (from > p->t->source && (from[-1] == ' ' || from[-1] == '\t'))
                from--;
        if (!at_line_start(p, from))
                return false;
        while (to < p->end && (*to == ' ' || *to == '\t'))
                to++;
        if (to < p->end && *to == '\r' && to + 1 < p->end && to[1] == '\n')
                to++;
        if (to < p->end && *to != '\n')
                return false;
        *ret_from = from;
        *ret_to = to < p->end ? to + 1 : to;
        return true;
}

static bool set_delimiter(char delimiter[static DELIMITER_MAX + 1], const char *text, size_t n) {
        if (n == 0 || n > DELIMITER_MAX || memchr(text, '=', n))
                return false;
        memcpy(delimiter, text, n);
        delimiter[n] = '\0';
        return true;
}

/* "{{=<% %>=}}" */
static int take_delimiters(Parser *p, const Tag *tag) {
        size_t n = 0, gap;
        while (n < tag->n && !is_blank(tag->text[n]))
                n++;
        for (gap = n; gap < tag->n && is_blank(tag->text[gap]); gap++)
                ;
        bool is_good = gap > n && set_delimiter(p->open, tag->text, n);
        for (size_t i = gap; is_good && i < tag->n; i++)
                is_good = !is_blank(tag->text[i]);
        if (!is_good || !set_delimiter(p->close, tag->text + gap, tag->n - gap))
                return fail(p, tag->start, "bad delimiters", tag->text, tag->n);
        return 0;
}

static int open_section(Parser *p, const Tag *tag) {
        if (p->depth == SECTIONS_MAX)
                return fail(p, tag->start, "sections nested too deep:", tag->text, tag->n);
        p->section[p->depth++] = p->t->n;
        return add_node(p, (Node){.kind = tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED,
                                  .text = tag->text,
                                  .n = tag->n,
                                  .line = line_of(p, tag->start)});
}

static int close_section(Parser *p, const Tag *tag) {
        Node *open = p->depth > 0 ? &p->t->nodes[p->section[p->depth - 1]] : NULL;
        if (!open || open->n != tag->n || memcmp(open->text, tag->text, tag->n) != 0)
                return fail(p, tag->start, "no such section is open here:", tag->text, tag->n);
        open->end = p->t->n;
        p->depth--;
        return 0;
}

static int add_partial(Parser *p, const Tag *tag, const char *line) {
        CLEANUP_FREE char *name = strndup(tag->text, tag->n);
        if (!name)
                return -ENOMEM;
        int r = add_node(p, (Node){.kind = NODE_PARTIAL,
                                   .text = tag->text,
                                   .n = tag->n,
                                   .indent = line,
                                   .n_indent = line ? (size_t) (tag->start - line) : 0,
                                   .name = name,
                                   .line = line_of(p, tag->start)});
        if (r == 0)
                name = NULL;
        return r;
}

/* `line`: where the line begins that the tag has for itself, or NULL. */
static int take_tag(Parser *p, const Tag *tag, const char *line) {
        switch (tag->sigil) {
        case '!':
                return 0;
        case '=':
                return take_delimiters(p, tag);
        case '#':
        case '^':
                return open_section(p, tag);
        case '/':
                return close_section(p, tag);
        case '>':
                return add_partial(p, tag, line);
        default:
                p->t->has_raw |= tag->sigil != '\0';
                return add_node(p, (Node){.kind = tag->sigil ? NODE_RAW : NODE_VALUE,
                                          .text = tag->text,
                                          .n = tag->n,
                                          .line = line_of(p, tag->start)});
        }
}

static int parse_all(Parser *p) {
        const char *start;
        while ((start = find(p->at, p->end, p->open))) {
                Tag tag;
                int r = read_tag(p, start, &tag);
                if (r < 0)
                        return r;
                const char *line = NULL, *next = tag.end;
                bool is_alone = is_standalone(p, &tag, &line, &next);
                r = add_text(p, p->at, is_alone ? line : start, !is_alone);
                if (r == 0)
                        r = take_tag(p, &tag, line);
                if (r < 0)
                        return r;
                p->at = next;
        }
        if (p->depth > 0) {
                const Node *open = &p->t->nodes[p->section[p->depth - 1]];
                return fail(p, open->text, "a section is never closed:", open->text, open->n);
        }
        return add_text(p, p->at, p->end, /* is_before_tag= */ false);
}

static int parse(const char *text, size_t n, const char *file, unsigned line, Diag *diag,
                 Template **ret) {
        CLEANUP(template_freep) Template *t = calloc(1, sizeof *t);
        if (!t)
                return -ENOMEM;
        t->source = malloc(n + 1);
        if (!t->source)
                return -ENOMEM;
        memcpy(t->source, text, n);
        t->source[n] = '\0';
        Parser p = {.t = t,
                    .at = t->source,
                    .end = t->source + n,
                    .open = "{{",
                    .close = "}}",
                    .file = file,
                    .first_line = line,
                    .diag = diag};
        int r = parse_all(&p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

int template_parse(const char *text, size_t n, const char *file, Diag *diag, Template **ret) {
        return parse(text, n, file, 1, diag, ret);
}

/* ---- sinks --------------------------------------------------------------------------------------
 */

static int append_escaped(Buf *out, TemplateSink sink, const char *text, size_t n) {
        switch (sink) {
        case SINK_HTML:
                return text_append_html(out, text, n);
        case SINK_TEXT:
                return text_append_printable(out, text, n);
        case SINK_JSON:
                return text_append_json(out, text, n);
        case SINK_URL:
                return text_append_url(out, text, n);
        default:
                return buf_append(out, text, n);
        }
}

/* ---- rendering ----------------------------------------------------------------------------------
 */

typedef struct Frame {
        const json_t *value;
        const struct Frame *up;
} Frame;

typedef struct Renderer {
        TemplateSink sink;
        TemplatePartial partial;
        void *userdata;
        Buf *out;
        size_t steps;
        unsigned depth; /* of partials */
} Renderer;

/* Of one template in one place: what stands before each of its lines. */
typedef struct Indent {
        const char *text;
        size_t n;
        const struct Indent *up;
} Indent;

/* A dotted name: its first part is looked for outwards, the rest only within what was found. */
static const json_t *look_up(const Frame *frame, const char *name, size_t n) {
        if (n == 1 && *name == '.')
                return frame->value;
        const char *dot = memchr(name, '.', n);
        size_t first = dot ? (size_t) (dot - name) : n;
        const json_t *value = NULL;
        for (; frame && !value; frame = frame->up)
                value = json_object_getn(frame->value, name, first);
        while (value && dot) {
                const char *part = dot + 1;
                size_t left = n - (size_t) (part - name);
                dot = memchr(part, '.', left);
                value = json_object_getn(value, part, dot ? (size_t) (dot - part) : left);
        }
        return value;
}

static bool is_true(const json_t *value) {
        if (!value || json_is_null(value) || json_is_false(value))
                return false;
        if (json_is_array(value))
                return json_array_size(value) > 0;
        return !json_is_string(value) || json_string_length(value) > 0;
}

static int append_value(const Renderer *r, const json_t *value, bool is_raw) {
        if (!value || json_is_null(value) || json_is_object(value) || json_is_array(value))
                return 0;
        TemplateSink sink = is_raw ? SINK_RAW : r->sink;
        if (json_is_string(value))
                return append_escaped(r->out, sink, json_string_value(value),
                                      json_string_length(value));
        char text[64];
        size_t n = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        return n <= sizeof text ? append_escaped(r->out, sink, text, n) : 0;
}

static int append_indent(const Renderer *r, const Indent *indent) {
        if (!indent)
                return 0;
        int e = append_indent(r, indent->up);
        return e < 0 ? e : buf_append(r->out, indent->text, indent->n);
}

static int render_nodes(Renderer *r, const Template *t, size_t from, size_t to, const Frame *frame,
                        const Indent *indent);

static int render_list(Renderer *r, const Template *t, size_t node, const json_t *list,
                       const Frame *frame, const Indent *indent) {
        for (size_t i = 0; i < json_array_size(list); i++) {
                Frame inner = {.value = json_array_get(list, i), .up = frame};
                int e = render_nodes(r, t, node + 1, t->nodes[node].end, &inner, indent);
                if (e < 0)
                        return e;
        }
        return 0;
}

static int render_section(Renderer *r, const Template *t, size_t node, const Frame *frame,
                          const Indent *indent) {
        const Node *n = &t->nodes[node];
        const json_t *value = look_up(frame, n->text, n->n);
        if (is_true(value) == (n->kind == NODE_INVERTED))
                return 0;
        if (n->kind == NODE_INVERTED)
                return render_nodes(r, t, node + 1, n->end, frame, indent);
        if (json_is_array(value))
                return render_list(r, t, node, value, frame, indent);
        Frame inner = {.value = value, .up = frame};
        return render_nodes(r, t, node + 1, n->end, &inner, indent);
}

static int render_partial(Renderer *r, const Node *n, const Frame *frame, const Indent *indent) {
        const Template *t = r->partial ? r->partial(r->userdata, n->name) : NULL;
        if (!t)
                return 0;
        if (r->depth == PARTIALS_MAX)
                return -ELOOP;
        r->depth++;
        Indent inner = {.text = n->indent, .n = n->n_indent, .up = indent};
        int e = render_nodes(r, t, 0, t->n, frame, n->indent ? &inner : NULL);
        r->depth--;
        return e;
}

static int render_node(Renderer *r, const Template *t, size_t node, const Frame *frame,
                       const Indent *indent) {
        const Node *n = &t->nodes[node];
        int e;
        switch (n->kind) {
        case NODE_TEXT:
                e = n->is_line_start ? append_indent(r, indent) : 0;
                return e < 0 ? e : buf_append(r->out, n->text, n->n);
        case NODE_VALUE:
        case NODE_RAW:
                return append_value(r, look_up(frame, n->text, n->n), n->kind == NODE_RAW);
        case NODE_PARTIAL:
                return render_partial(r, n, frame, indent);
        default:
                return render_section(r, t, node, frame, indent);
        }
}

static bool is_section(const Node *n) {
        return n->kind == NODE_SECTION || n->kind == NODE_INVERTED;
}

static int render_nodes(Renderer *r, const Template *t, size_t from, size_t to, const Frame *frame,
                        const Indent *indent) {
        /* Counted here as well as per node, for loops over an empty body. */
        if (++r->steps > STEPS_MAX)
                return -E2BIG;
        for (size_t i = from; i < to; i = is_section(&t->nodes[i]) ? t->nodes[i].end : i + 1) {
                if (++r->steps > STEPS_MAX)
                        return -E2BIG;
                int e = render_node(r, t, i, frame, indent);
                if (e < 0)
                        return e;
        }
        return 0;
}

int template_render(const Template *t, const json_t *view, TemplateSink sink,
                    TemplatePartial partial, void *userdata, Buf *out) {
        Renderer r = {.sink = sink, .partial = partial, .userdata = userdata, .out = out};
        Frame top = {.value = view};
        return render_nodes(&r, t, 0, t->n, &top, /* indent= */ NULL);
}

/* ---- configuration keys ---------------------------------------------------------------------- */

static const TemplateVar *find_var(const TemplateVar *vars, size_t n, const Node *node) {
        for (size_t i = 0; i < n; i++)
                if (strlen(vars[i].name) == node->n &&
                    memcmp(vars[i].name, node->text, node->n) == 0)
                        return &vars[i];
        return NULL;
}

/* A whole address can only begin a URL; as a component it would no longer be one. */
static bool is_address(const char *value, TemplateSink sink, const Buf *out, size_t before) {
        return sink == SINK_URL && out->len == before && strstr(value, "://");
}

static int expand_node(const Node *node, const TemplateVar *vars, size_t n, TemplateSink sink,
                       size_t before, Buf *out) {
        const TemplateVar *var = find_var(vars, n, node);
        const char *value = var ? str_or(var->value, "") : "";
        if (node->kind == NODE_TEXT)
                return buf_append(out, node->text, node->n);
        if (node->kind != NODE_VALUE || !var)
                return -EINVAL;
        return append_escaped(out, is_address(value, sink, out, before) ? SINK_RAW : sink, value,
                              strlen(value));
}

int template_expand(const char *text, const TemplateVar *vars, size_t n, TemplateSink sink,
                    Diag *diag, const char *file, unsigned line, Buf *out) {
        CLEANUP(template_freep) Template *t = NULL;
        size_t before = out->len;
        int r = parse(text, strlen(text), file, line, diag, &t);
        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < t->n; i++) {
                const Node *node = &t->nodes[i];
                r = expand_node(node, vars, n, sink, before, out);
                if (r == -EINVAL)
                        diag_error(diag, file, line, NULL,
                                   node->kind == NODE_VALUE
                                           ? "nothing is called {{%.*s}} here"
                                           : "only {{name}} can stand here, not '%.*s'",
                                   (int) MIN(node->n, (size_t) 60), node->text);
        }
        return r;
}
