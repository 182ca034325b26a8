/* From the text of a value to the member of a definition, by the key table. */
#include <errno.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/text.h"
#include "core/config-internal.h"

bool value_is_secret(const char *text) {
        return (strncmp(text, "credential:", 11) == 0 &&
                value_is_name(text + 11, strlen(text + 11))) ||
               (strncmp(text, "file:/", 6) == 0 && text[6] != '/');
}

bool value_is_name(const char *text, size_t n) {
        if (n == 0 || n > CONFIG_MAX_NAME)
                return false;
        for (size_t i = 0; i < n; i++) {
                char c = text[i];
                bool is_letter =
                        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                if (!is_letter && c != '_' && c != '-')
                        return false;
        }
        return true;
}

int value_boolean(const char *text, bool *ret) {
        static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                    "off", "0"};
        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (streq(text, yes[i]) || streq(text, no[i])) {
                        *ret = streq(text, yes[i]);
                        return 0;
                }
        return -EINVAL;
}

int value_decimal(const char *text, unsigned decimals, int64_t *ret) {
        return decimal_parse(text, strlen(text), DECIMAL_DOT, decimals, ret) == 0 ? 0 : -EINVAL;
}

/* A whole number; *ret_rest is what follows it after blanks. */
static int value_integer(const char *text, int64_t *ret, const char **ret_rest) {
        int64_t value = 0;
        size_t i = 0;
        for (; text[i] >= '0' && text[i] <= '9'; i++) {
                if (value > INT64_MAX / 100)
                        return -ERANGE;
                value = value * 10 + (text[i] - '0');
        }
        if (i == 0)
                return -EINVAL;
        while (text[i] == ' ' || text[i] == '\t')
                i++;
        *ret = value;
        *ret_rest = text + i;
        return 0;
}

int value_days(const char *text, int64_t *ret) {
        static const struct {
                const char *word;
                int64_t days;
        } units[] = {{"", 1},  {"d", 1},    {"day", 1},  {"days", 1},
                     {"w", 7}, {"week", 7}, {"weeks", 7}};
        const char *rest;
        int64_t value;
        int r = value_integer(text, &value, &rest);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (streq(rest, units[i].word)) {
                        *ret = value * units[i].days;
                        return 0;
                }
        return -EINVAL;
}

static int value_bytes(const char *text, int64_t *ret) {
        static const struct {
                const char *word;
                int shift;
        } units[] = {{"", 0},     {"B", 0},  {"KiB", 10}, {"K", 10},
                     {"MiB", 20}, {"M", 20}, {"GiB", 30}};
        const char *rest;
        int64_t value;
        int r = value_integer(text, &value, &rest);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (streq(rest, units[i].word))
                        return __builtin_mul_overflow(value, INT64_C(1) << units[i].shift, ret)
                                       ? -ERANGE
                                       : 0;
        return -EINVAL;
}

/* Step "[key=text]" of a pointer, at '['. Returns what follows it, or NULL. */
static const char *pointer_test(const char *at) {
        size_t key = strcspn(at + 1, "=]");
        if (key == 0 || at[1 + key] != '=')
                return NULL;
        const char *end = strchr(at + 1 + key, ']');
        return end ? end + 1 : NULL;
}

bool value_is_pointer(const char *text) {
        const char *at = text;
        while (*at) {
                if (*at++ != '/')
                        return false;
                if (*at == '[') {
                        at = pointer_test(at);
                        if (!at)
                                return false;
                        continue;
                }
                for (; *at && *at != '/'; at++)
                        if (*at == '~' && at[1] != '0' && at[1] != '1')
                                return false;
        }
        return true;
}

const char *value_split_test(const char *text) {
        bool is_inside = false;
        for (const char *at = text; *at; at++) {
                if (*at == '[')
                        is_inside = true;
                else if (*at == ']')
                        is_inside = false;
                else if (*at == '=' && !is_inside)
                        return at;
        }
        return NULL;
}

int value_weekday(const char *text, size_t n) {
        static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (n == 3 && strncmp(text, names[i], 3) == 0)
                        return (int) i;
        return -1;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static const char *word_skip(const char *at) {
        while (*at == ' ' || *at == '\t' || *at == ',')
                at++;
        return at;
}

/* End of the word at `at`. */
static const char *word_end(const char *at, bool has_quotes) {
        bool is_quoted = false;
        for (; *at; at++) {
                if (has_quotes && *at == '"')
                        is_quoted = !is_quoted;
                else if (!is_quoted && (*at == ' ' || *at == '\t' || *at == ','))
                        break;
        }
        return at;
}

static char *word_dup(Build *b, const char *at, size_t n, bool has_quotes) {
        char *word = arena_dup(b->arena, at, n);
        if (!word || !has_quotes)
                return word;
        size_t k = 0;
        for (size_t i = 0; i < n; i++)
                if (word[i] != '"')
                        word[k++] = word[i];
        word[k] = '\0';
        return word;
}

int value_words(Build *b, const char *text, bool has_quotes, const char ***words, size_t *n) {
        size_t more = 0;
        for (const char *at = word_skip(text); *at; at = word_skip(word_end(at, has_quotes)))
                more++;
        const char **all = arena_alloc(b->arena, *n + more, sizeof(const char *));
        if (!all)
                return -ENOMEM;
        if (*n > 0)
                memcpy(all, *words, *n * sizeof(const char *));
        size_t k = *n;
        for (const char *at = word_skip(text), *end; *at; at = word_skip(end)) {
                end = word_end(at, has_quotes);
                all[k] = word_dup(b, at, (size_t) (end - at), has_quotes);
                if (!all[k++])
                        return -ENOMEM;
        }
        *words = all;
        *n = k;
        return 0;
}

/* ---- selectors ------------------------------------------------------------------------------- */

/* One word of a selector into its list. Returns -EINVAL when it is none. */
static int selector_word(Build *b, UnitSelector *s, const char *word) {
        struct {
                const char *prefix;
                const char ***list;
                size_t *n;
        } lists[] = {
                {"kind:", &s->kinds, &s->n_kinds},
                {"parent:", &s->parents, &s->n_parents},
                {"unit:", &s->units, &s->n_units},
        };
        if (streq(word, "all"))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                size_t k = strlen(lists[i].prefix);
                if (strncmp(word, lists[i].prefix, k) != 0 || word[k] == '\0')
                        continue;
                const char **all = arena_alloc(b->arena, *lists[i].n + 1, sizeof(const char *));
                if (!all)
                        return -ENOMEM;
                if (*lists[i].n > 0)
                        memcpy(all, *lists[i].list, *lists[i].n * sizeof(const char *));
                all[(*lists[i].n)++] = word + k;
                *lists[i].list = all;
                return 0;
        }
        return -EINVAL;
}

static int store_selector(Build *b, const View *v, const Entry *e, UnitSelector *s) {
        const char **words = NULL;
        size_t n = 0;
        int r = value_words(b, e->value, true, &words, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                r = selector_word(b, s, words[i]);
                if (r != -EINVAL)
                        continue;
                say_entry(b, DIAG_ERROR, v, e,
                          "\"%s\" selects no units; write all, kind:KIND, parent:UNIT or unit:UNIT "
                          "(\"...\" around blanks)",
                          words[i]);
                r = 0;
        }
        s->is_set = true;
        return r;
}

/* ---- the table's kinds ----------------------------------------------------------------------- */

static int in_range(const ConfigStore *s, int64_t value) {
        return value < s->min || value > s->max ? -ERANGE : 0;
}

/* Place of `text` among "a | b | c", or -1. */
static int choice_index(const char *words, const char *text) {
        int index = 0;
        for (const char *at = words; *at; index++) {
                size_t n = strcspn(at, " |");
                if (strlen(text) == n && strncmp(at, text, n) == 0)
                        return index;
                at += n;
                at += strspn(at, " |");
        }
        return -1;
}

static bool has_scheme(const char *schemes, const char *text) {
        for (const char *at = schemes; *at;) {
                size_t n = strcspn(at, " |");
                if (strncmp(at, text, n) == 0 && (text[n] != '\0') == (at[n - 1] == '/'))
                        return true;
                at += n;
                at += strspn(at, " |");
        }
        return false;
}

static int store_number(const ConfigKey *key, const char *text, char *at) {
        const ConfigStore *s = key->store;
        int64_t value = 0;
        const char *rest = "";
        unsigned minute = 0;
        int r = 0;
        switch (s->kind) {
        case STORE_INTEGER:
                r = value_integer(text, &value, &rest);
                r = r == 0 && *rest ? -EINVAL : r == 0 ? in_range(s, value) : r;
                break;
        case STORE_DAYS:
                r = value_days(text, &value);
                r = r == 0 ? in_range(s, value) : r;
                break;
        case STORE_CLOCK:
                r = clock_parse(text, &minute);
                value = minute;
                break;
        case STORE_CHOICE:
                value = choice_index(key->range, text);
                r = value < 0 ? -EINVAL : 0;
                break;
        default:
                r = -EINVAL;
        }
        if (r < 0)
                return r;
        int narrow = (int) value;
        if (at)
                memcpy(at, &narrow, sizeof narrow);
        return 0;
}

static int store_wide(const ConfigStore *s, const char *text, char *at) {
        int64_t value;
        int r = s->kind == STORE_DURATION ? duration_parse(text, &value)
                                          : value_bytes(text, &value);
        r = r == 0 ? in_range(s, value) : r;
        if (r < 0 || !at)
                return r;
        if (s->kind == STORE_DURATION) {
                memcpy(at, &value, sizeof value);
                return 0;
        }
        size_t size = (size_t) value;
        memcpy(at, &size, sizeof size);
        return 0;
}

static int store_text(const ConfigKey *key, const char *text, char *at) {
        StoreKind kind = key->store->kind;
        bool is_secret = value_is_secret(text);
        if (kind == STORE_SECRET && !is_secret)
                return -EINVAL;
        if (kind == STORE_URL && !is_secret && !has_scheme(key->range, text))
                return -EINVAL;
        if (kind == STORE_POINTER && !value_is_pointer(text))
                return -EINVAL;
        if (at)
                memcpy(at, &text, sizeof text);
        return 0;
}

static int store_boolean(const char *text, char *at) {
        bool value;
        int r = value_boolean(text, &value);
        if (r == 0 && at)
                memcpy(at, &value, sizeof value);
        return r;
}

/* Anything but lists and selectors; `at` is NULL for what is only checked. Returns 0, -EINVAL,
 * -ERANGE. */
static int store_plain(const ConfigKey *key, const char *text, void *target) {
        const ConfigStore *s = key->store;
        char *at = s->at == NOWHERE ? NULL : (char *) target + s->at;
        switch (s->kind) {
        case STORE_TEXT:
        case STORE_URL:
        case STORE_SECRET:
        case STORE_POINTER:
                return store_text(key, text, at);
        case STORE_BOOLEAN:
                return store_boolean(text, at);
        case STORE_DURATION:
        case STORE_BYTES:
                return store_wide(s, text, at);
        case STORE_INTEGER:
        case STORE_DAYS:
        case STORE_CLOCK:
        case STORE_CHOICE:
                return store_number(key, text, at);
        case STORE_BUILDER:
        case STORE_WORDS:
        case STORE_SELECTOR:
                break;
        }
        return 0;
}

static void say_bad(Build *b, const View *v, const Entry *e) {
        const ConfigKey *key = e->key;
        switch (key->store->kind) {
        case STORE_SECRET:
                say_entry(b, DIAG_ERROR, v, e,
                          "a secret never stands in the configuration; write credential:NAME or "
                          "file:PATH");
                break;
        case STORE_URL:
                say_entry(b, DIAG_ERROR, v, e, "\"%s\" is no address; it begins with %s", e->value,
                          key->range);
                break;
        case STORE_POINTER:
                say_entry(b, DIAG_ERROR, v, e,
                          "\"%s\" is no pointer; write steps as /data/rows or "
                          "/metrics/[code=X]/ratio",
                          e->value);
                break;
        default:
                say_entry(b, DIAG_ERROR, v, e, "\"%s\" is not a valid %s; it must be %s", e->value,
                          key->type, key->range);
        }
}

static int store_entry(Build *b, const View *v, const Entry *e, void *target) {
        const ConfigStore *s = e->key->store;
        if (*e->value == '\0')
                return 0;
        if (s->kind == STORE_SELECTOR)
                return store_selector(b, v, e, (UnitSelector *) (void *) ((char *) target + s->at));
        if (s->kind == STORE_WORDS) {
                const char ***words = (const char ***) (void *) ((char *) target + s->at);
                size_t *n = (size_t *) (void *) ((char *) target + s->n_at);
                return value_words(b, e->value, false, words, n);
        }
        if (store_plain(e->key, e->value, target) < 0)
                say_bad(b, v, e);
        return 0;
}

int store_view(Build *b, const View *v, void *target) {
        size_t n;
        const ConfigKey *all = config_keys(&n);
        for (size_t i = 0; i < n; i++) {
                if (!streq(all[i].section, v->kind) || !*all[i].fallback)
                        continue;
                int r UNUSED = store_plain(&all[i], all[i].fallback, target);
                assert(r == 0);
        }
        for (size_t i = 0; i < v->n; i++) {
                int r = store_entry(b, v, v->entries[i], target);
                if (r < 0)
                        return r;
        }
        return 0;
}
