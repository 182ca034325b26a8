/* Shared by the config*.c files: what the reader hands to the builders, and their common tools.
 *
 * Reading makes one Section per section and file, its entries in written order. Nothing is merged
 * there: a View lays the sections that speak of one object over each other, and a builder turns a
 * view into a definition. Everything lives in the configuration's arena, freed at once. */
#pragma once

#include "base/arena.h"
#include "core/config.h"

#define CONFIG_MAX_FILE ((size_t) 1 << 20)
#define CONFIG_MAX_LINE 65000u /* libinih's buffer is 65536 with line end and NUL */
#define CONFIG_MAX_SECTIONS 2048u
#define CONFIG_MAX_ENTRIES 2048u /* of one section of one file */
#define CONFIG_MAX_ERRORS 500u
#define CONFIG_MAX_NAME 64u
#define CONFIG_MAX_INDICATORS 4096u

/* ---- key table ------------------------------------------------------------------------------- */

typedef enum StoreKind {
        STORE_BUILDER,  /* the section's builder reads it itself */
        STORE_TEXT,     /* const char * */
        STORE_URL,      /* const char *, one of the schemes in `range` */
        STORE_SECRET,   /* const char *, only credential: or file: */
        STORE_INTEGER,  /* int */
        STORE_DAYS,     /* int, "3", "3 days", "2 weeks" */
        STORE_BOOLEAN,  /* bool */
        STORE_CHOICE,   /* enum of `range`, "observe | live" = 0, 1 */
        STORE_DURATION, /* int64_t milliseconds */
        STORE_BYTES,    /* size_t */
        STORE_CLOCK,    /* int, minutes after midnight */
        STORE_WORDS,    /* const char ** and size_t: blanks or commas between */
        STORE_SELECTOR, /* UnitSelector */
        STORE_POINTER,  /* const char *, RFC 6901 with [key=text] */
} StoreKind;

#define NOWHERE                                                                                    \
        SIZE_MAX /* checked like the others, but the builder takes the text from the view          \
                  */

typedef struct ConfigStore {
        StoreKind kind;
        bool is_list;     /* every line adds to those before */
        size_t at, n_at;  /* offset of the member, and of its count */
        int64_t min, max; /* integers, days, milliseconds, bytes */
} ConfigStore;

/* How sections may be written. */
typedef enum SectionNaming {
        NAMING_NONE,
        NAMING_NAME,
        NAMING_PART,
        NAMING_PRESET_PART
} SectionNaming;

/* Row of a key, or NULL. `ret_tail`: what stands for NAME in "header.NAME". */
const ConfigKey *table_find(const char *section, const char *name, const char **ret_tail);
bool table_has_section(const char *section);
SectionNaming table_naming(const char *section, bool is_preset);
/* The nearest known name, or NULL when nothing is near. */
const char *table_suggest_section(const char *section);
const char *table_suggest_key(const char *section, const char *name);
/* A section that has this very key, or NULL. */
const char *table_section_of(const char *name);

/* Edit distance; SIZE_MAX when the words are too long to be worth it. */
size_t word_distance(const char *a, const char *b);
/* True when `distance` is small enough for a suggestion in place of `word`. */
bool word_is_near(const char *word, size_t distance);

/* ---- what was written ------------------------------------------------------------------------ */

typedef struct Section Section;

typedef struct Entry {
        const ConfigKey *key;
        const char *name; /* as written: "value.progress" */
        const char *tail; /* "progress"; "" for plain keys */
        const char *value;
        const Section *section;
        unsigned line;
        struct Entry *next;
} Entry;

struct Section {
        const char *kind, *name; /* name: "" when it has none */
        const char *preset;      /* of the preset's file, or NULL */
        const char *file;
        unsigned line;
        ConfigLayer layer;
        Entry *first, *last;
        size_t n;
};

/* Everything that speaks of one object, later over earlier. */
typedef struct View {
        const char *kind, *name;
        const Section *head;   /* for messages about the whole: the first section of a person, else
                                  the first */
        const Entry **entries; /* effective ones; a scalar emptied by `key =` stays, with an empty
                                  value */
        size_t n, cap;
} View;

typedef struct SourceBuild {
        const char *name, *preset, *prefix; /* preset: NULL for none; prefix: "" for none */
        const char *label;
        bool is_enabled;
        int index; /* into Config.sources; -1 when disabled */
        View view;
        View *parts; /* name: "SOURCE.NAME" */
        size_t n_parts;
} SourceBuild;

typedef struct IndicatorBuild {
        View view;
        const SourceBuild *clone_of; /* renamed by this source's prefix, or NULL */
        const char *base;            /* name without the prefix */
        bool is_done;                /* derivation resolved */
        bool is_open;                /* being resolved: meeting it again is a ring */
} IndicatorBuild;

typedef struct Build {
        Config *config;
        Arena *arena;
        Diag *diag;
        Day today;
        const Section **sections; /* of all files, by layer */
        size_t n_sections, cap_sections;
        size_t n_errors;
        SourceBuild *sources;
        size_t n_sources;
        IndicatorBuild *indicators; /* parallel to Config.indicators */
        size_t n_indicators, cap_indicators;
} Build;

/* Reads one file into b->sections. Returns 0 (errors are in diag and counted), -ENOMEM. */
int config_read(Build *b, const ConfigFile *file);

/* ---- messages: "FILE:LINE: rule progress-low.when: REASON" ----------------------------------- */

void say_at(Build *b, DiagLevel level, const char *file, unsigned line, const char *key,
            const char *format, ...) PRINTF_LIKE(6, 7);
/* About an entry of the view, on its own line. */
void say_entry(Build *b, DiagLevel level, const View *v, const Entry *e, const char *format, ...)
        PRINTF_LIKE(5, 6);
/* About the whole (key NULL), or a key: on the key's line when it is written, else on the section's. */
void say_view(Build *b, DiagLevel level, const View *v, const char *key, const char *format, ...)
        PRINTF_LIKE(5, 6);
/* An error about one word of a key that may be written in several lines: on the line that holds it. */
void say_word(Build *b, const View *v, const char *key, const char *word, const char *format, ...)
        PRINTF_LIKE(5, 6);

/* ---- views ----------------------------------------------------------------------------------- */

/* All distinct names of a kind of section (not those of presets), in order of first appearance. */
int view_names(Build *b, const char *kind, const char ***ret, size_t *ret_n);
int view_add(Build *b, View *v, const Section *s);
/* Adds every section of a kind and name from one layer up to another; preset NULL: those of the
 * installation, else the preset's. */
typedef struct Layers {
        const char *preset;
        ConfigLayer first, last;
} Layers;
#define LAYERS_OWN ((Layers){NULL, CONFIG_BASE, CONFIG_DROPIN})
#define LAYERS_PRESET(name_) ((Layers){(name_), CONFIG_PRESET, CONFIG_PRESET})
int view_add_all(Build *b, View *v, const char *kind, const char *name, Layers layers);
/* The effective entry, or NULL when it was not written or emptied. */
const Entry *view_get(const View *v, const char *key);
const char *view_text(const View *v, const char *key, const char *otherwise);

/* ---- values ---------------------------------------------------------------------------------- */

/* Defaults of the table, then the entries of the view, into the members of `target`. Bad values are
 * said. */
int store_view(Build *b, const View *v, void *target);

bool value_is_secret(const char *text); /* credential:NAME, file:PATH */
bool value_is_name(const char *text, size_t n);
int value_boolean(const char *text, bool *ret);
int value_decimal(const char *text, unsigned decimals, int64_t *ret);
int value_days(const char *text, int64_t *ret);
/* Syntax of RFC 6901 with [key=text] steps: "" or steps that begin with '/'. The same as
 * decode_pointer_check, which stands above this module; a test holds the two together. */
bool value_is_pointer(const char *text);
/* Splits "POINTER=TEXT" at the first '=' outside of [ ]; NULL when there is none. */
const char *value_split_test(const char *text);
/* Words between blanks and commas, appended to *words. "..." holds blanks together when has_quotes.
 */
int value_words(Build *b, const char *text, bool has_quotes, const char ***words, size_t *n);
/* "Mon" = 0 ... "Sun" = 6, or -1. */
int value_weekday(const char *text, size_t n);

/* Says that `name` is unknown, with the nearest indicator. */
void say_unknown_indicator(Build *b, const View *v, const Entry *e, const char *name);

/* ---- builders, in the order in which they run ------------------------------------------------ */

int build_source_views(Build *b);
/* config-part.c: every {{name}} of the key's value is a variable of requests or a key of the source
 * that is set; else it is said. */
void check_template(Build *b, const SourceBuild *s, const View *v, const char *key);
bool uses_scope(const View *v);
/* An address with `{{url}}` at its beginning replaced. Returns 0 with *ret NULL when it was refused
 * (said). */
int read_address(Build *b, const SourceBuild *s, const View *v, const char *key, const char **ret);
int build_part(Build *b, const SourceBuild *s, const View *v, PartDef *d);
int build_indicators(Build *b);
int build_sources(Build *b);
int build_derived(Build *b);
int build_rules(Build *b);
int build_eras(Build *b);
int build_recipients(Build *b);
int build_calendar(Build *b);
int build_bands(Build *b);

/* A kind of units that nothing here gives: what is written selects nobody. */
void warn_kinds(Build *b, const View *v, const char *key, const UnitSelector *s);

/* True when a part of the source has value.NAME (its own name, without prefix). */
bool source_publishes(const SourceBuild *s, const char *name);
/* Index of the indicator that NAME means within a source: its prefix applied. -1 unknown. */
int source_indicator(const Build *b, const SourceBuild *s, const char *name);
