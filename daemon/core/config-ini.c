/* Reads one file: libinih splits `key = value ; comment`, everything around that is done here.
 *
 * Debian's libinih cuts section names at 49 bytes, takes "[unterminated" for nothing and gives its
 * keys to the section before, tells its handler no line number, and returns only the first bad
 * line. So the reader below hands it one line at a time, after checking it, and keeps the section
 * and the line number itself; libinih never sees a section line. A line that is refused is replaced
 * by an empty one, and the handler always says yes, so that one run finds every mistake. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>

#include "base/text.h"
#include "core/config-internal.h"

typedef struct Reader {
        Build *b;
        const ConfigFile *file;
        const char
                *path; /* its name, kept with the configuration: what is found later names it too */
        const char *at, *end; /* what is left of the file */
        const char *chunk;    /* what is left of the present line */
        size_t chunk_n;
        unsigned line;
        Section *section;     /* keys go here; NULL: they are passed over */
        bool is_headed;       /* a section line was seen, good or bad */
        size_t first_section; /* sections of this file begin here */
        int r;                /* -ENOMEM */
} Reader;

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static void complain(Reader *d, const char *text) {
        say_at(d->b, DIAG_ERROR, d->file->path, d->line, NULL, "%s", text);
}

/* Why a line is refused, or NULL. `n` is without the line end. */
static const char *line_fault(const char *line, size_t n) {
        if (n > CONFIG_MAX_LINE)
                return "the line is longer than 65000 bytes";
        if (memchr(line, '\0', n))
                return "the line holds a NUL byte; save the file as plain UTF-8 text";
        if (!text_is_utf8(line, n))
                return "the line is not UTF-8; save the file as UTF-8";
        for (size_t i = 0; i < n; i++)
                if (((unsigned char) line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
                        return "the line holds a control character; remove it";
        size_t i = 0;
        while (i < n && is_blank(line[i]))
                i++;
        if (i > 0 && i < n && line[i] != ';' && line[i] != '#')
                return "the line is indented; a key begins in the first column, a value cannot go "
                       "on in the next line";
        return NULL;
}

static Section *section_find(const Reader *d, const char *kind, const char *name) {
        for (size_t i = d->first_section; i < d->b->n_sections; i++)
                if (streq(d->b->sections[i]->kind, kind) && streq(d->b->sections[i]->name, name))
                        return (Section *) (uintptr_t) d->b->sections[i];
        return NULL;
}

static int section_new(Reader *d, char *kind, char *name) {
        Build *b = d->b;
        if (b->n_sections - d->first_section >= CONFIG_MAX_SECTIONS) {
                complain(d, "more than 2048 sections in one file");
                return 0;
        }
        if (b->n_sections == b->cap_sections) {
                size_t cap = b->cap_sections ? b->cap_sections * 2 : 64;
                const Section **more = arena_alloc(b->arena, cap, sizeof(const Section *));
                if (!more)
                        return -ENOMEM;
                if (b->n_sections > 0)
                        memcpy(more, b->sections, b->n_sections * sizeof(const Section *));
                b->sections = more;
                b->cap_sections = cap;
        }
        Section *s = arena_alloc(b->arena, 1, sizeof *s);
        if (!s)
                return -ENOMEM;
        *s = (Section){
                .kind = kind,
                .name = name,
                .preset = d->file->layer == CONFIG_PRESET ? str_or(d->file->name, "") : NULL,
                .file = d->path,
                .line = d->line,
                .layer = d->file->layer,
        };
        b->sections[b->n_sections++] = d->section = s;
        return 0;
}

static bool kind_is_known(Reader *d, const char *kind) {
        bool is_preset = d->file->layer == CONFIG_PRESET;
        if (table_has_section(kind)) {
                if (!is_preset || streq(kind, "source") || streq(kind, "part") ||
                    streq(kind, "indicator"))
                        return true;
                complain(d, "a preset holds only [source], [part NAME] and [indicator NAME]");
                return false;
        }
        const char *near = table_suggest_section(kind);
        say_at(d->b, DIAG_ERROR, d->file->path, d->line, kind,
               near ? "unknown section; did you mean [%s]?" : "unknown section%s",
               near ? near : "");
        return false;
}

static const char *naming_fault(SectionNaming naming, const char *name) {
        const char *dot = strchr(name, '.');
        switch (naming) {
        case NAMING_NONE:
                return *name ? "this section has no name here; remove it" : NULL;
        case NAMING_NAME:
        case NAMING_PRESET_PART:
                return value_is_name(name, strlen(name))
                               ? NULL
                               : "the section needs a name of letters, digits, - and _";
        case NAMING_PART:
                if (dot && value_is_name(name, (size_t) (dot - name)) &&
                    value_is_name(dot + 1, strlen(dot + 1)))
                        return NULL;
                return "write [part SOURCE.NAME]";
        }
        return NULL;
}

/* "[kind]" or "[kind name]", blanks only after it. */
static int section_line(Reader *d, const char *line, size_t n) {
        d->section = NULL;
        d->is_headed = true;
        while (n > 0 && is_blank(line[n - 1]))
                n--;
        size_t k = 1;
        while (k < n && line[k] >= 'a' && line[k] <= 'z')
                k++;
        size_t name_at = k < n && line[k] == ' ' ? k + 1 : k;
        bool is_closed = n > 2 && line[n - 1] == ']' && !memchr(line + 1, ']', n - 2);
        if (k == 1 || !is_closed || (name_at == k && k != n - 1) ||
            (name_at > k && name_at >= n - 1)) {
                complain(d,
                         "a section line is exactly [kind] or [kind name]; its keys are passed "
                         "over");
                return 0;
        }
        char *kind = arena_dup(d->b->arena, line + 1, k - 1);
        char *name = arena_dup(d->b->arena, line + name_at, n - 1 - name_at);
        if (!kind || !name)
                return -ENOMEM;
        if (!kind_is_known(d, kind))
                return 0;
        const char *fault = naming_fault(table_naming(kind, d->file->layer == CONFIG_PRESET), name);
        if (fault) {
                say_at(d->b, DIAG_ERROR, d->file->path, d->line, kind, "%s", fault);
                return 0;
        }
        d->section = section_find(d, kind, name);
        return d->section ? 0 : section_new(d, kind, name);
}

/* Makes d->chunk the next line for libinih: the line itself with its line end, or an empty one. */
static void line_next(Reader *d) {
        const char *line = d->at;
        const char *stop = memchr(line, '\n', (size_t) (d->end - line));
        size_t n = (size_t) ((stop ? stop : d->end) - line);
        d->at = stop ? stop + 1 : d->end;
        d->line++;
        d->chunk = "\n";
        d->chunk_n = 1;
        size_t full = n + (stop != NULL);
        if (n > 0 && line[n - 1] == '\r')
                n--;
        const char *fault = line_fault(line, n);
        if (fault) {
                complain(d, fault);
                return;
        }
        if (n > 0 && line[0] == '[') {
                d->r = section_line(d, line, n);
                return;
        }
        d->chunk = line;
        d->chunk_n = full;
}

/* fgets for libinih. The line end comes with its line, so that a line is never taken for two. */
static char *reader_next(char *text, int size, void *userdata) {
        Reader *d = userdata;
        if (d->chunk_n == 0) {
                if (d->at == d->end || d->r < 0 || d->b->n_errors >= CONFIG_MAX_ERRORS)
                        return NULL;
                line_next(d);
        }
        size_t n = MIN(d->chunk_n, (size_t) size - 1);
        memcpy(text, d->chunk, n);
        text[n] = '\0';
        d->chunk += n;
        d->chunk_n -= n;
        return text;
}

static void unknown_key(Reader *d, const char *name) {
        const char *kind = d->section->kind;
        char key[256];
        (void) snprintf(key, sizeof key, "%s%s%s.%.100s", kind, *d->section->name ? " " : "",
                        d->section->name, name);
        const char *near = table_suggest_key(kind, name), *elsewhere = table_section_of(name);
        if (near)
                say_at(d->b, DIAG_ERROR, d->file->path, d->line, key,
                       "unknown key; did you mean `%s`?", near);
        else if (elsewhere)
                say_at(d->b, DIAG_ERROR, d->file->path, d->line, key,
                       "unknown key here; it belongs to [%s]", elsewhere);
        else
                say_at(d->b, DIAG_ERROR, d->file->path, d->line, key, "unknown key");
}

static const Entry *entry_find(const Section *s, const char *name) {
        for (const Entry *e = s->first; e; e = e->next)
                if (streq(e->name, name))
                        return e;
        return NULL;
}

static bool is_twice(Reader *d, const ConfigKey *key, const char *name) {
        if (key->store->is_list)
                return false;
        const Entry *before = entry_find(d->section, name);
        if (!before)
                return false;
        View v = {.kind = d->section->kind, .name = d->section->name};
        Entry e = {.name = name, .section = d->section, .line = d->line};
        say_entry(d->b, DIAG_ERROR, &v, &e, "set twice in this file, first in line %u; remove one",
                  before->line);
        return true;
}

static int entry_add(Reader *d, const char *name, const char *value) {
        Section *s = d->section;
        const char *tail;
        const ConfigKey *key = table_find(s->kind, name, &tail);
        if (!key) {
                unknown_key(d, name);
                return 0;
        }
        if (is_twice(d, key, name))
                return 0;
        if (s->n >= CONFIG_MAX_ENTRIES) {
                complain(d, "more than 2048 keys in one section");
                d->section = NULL;
                return 0;
        }
        Entry *e = arena_alloc(d->b->arena, 1, sizeof *e);
        char *own_name = arena_dup(d->b->arena, name, strlen(name));
        char *own_value = arena_dup(d->b->arena, value, strlen(value));
        if (!e || !own_name || !own_value)
                return -ENOMEM;
        *e = (Entry){
                .key = key,
                .name = own_name,
                .tail = own_name + (*tail ? strlen(name) - strlen(tail) : strlen(name)),
                .value = own_value,
                .section = s,
                .line = d->line,
        };
        if (s->last)
                s->last->next = e;
        else
                s->first = e;
        s->last = e;
        s->n++;
        return 0;
}

static int on_entry(void *userdata, const char *section UNUSED, const char *name,
                    const char *value) {
        Reader *d = userdata;
        if (d->r < 0)
                return 1;
        if (!value)
                complain(d, "neither a section nor `key = value`");
        else if (!d->is_headed)
                complain(d, "a key before the first [section]; its place is unknown");
        else if (d->section && *name == '\0')
                complain(d, "a value without a key");
        else if (d->section)
                d->r = entry_add(d, name, value);
        return 1;
}

int config_read(Build *b, const ConfigFile *file) {
        Reader d = {
                .b = b,
                .file = file,
                .path = arena_dup(b->arena, file->path, strlen(file->path)),
                .at = file->data ? file->data : "",
                .first_section = b->n_sections,
        };
        d.end = d.at + file->size;
        if (!d.path)
                return -ENOMEM;
        if (file->size > CONFIG_MAX_FILE) {
                say_at(b, DIAG_ERROR, file->path, 0, NULL,
                       "the file is larger than 1 MiB; it is not read");
                return 0;
        }
        if (file->size >= 3 && memcmp(d.at, "\xef\xbb\xbf", 3) == 0)
                d.at += 3;
        /* libinih's switches are globals of the library: always set to the same values, and nobody
         * else uses it. */
        ini_use_stack = false;
        ini_allow_realloc = true;
        ini_max_line = 65536;
        ini_allow_no_value = true;
        ini_allow_multiline = false;
        int r = ini_parse_stream(reader_next, &d, on_entry, &d);
        return d.r < 0 ? d.r : r == -2 ? -ENOMEM : 0;
}
