/* keys: the key reference of chisod.conf(5) in mdoc, from the one table that the loader reads. */
#include <stdio.h>

#include "core/config.h"

/* roff wants each sentence on a line of its own. */
static bool is_between_sentences(const char *start, const char *p) {
        return *p == ' ' && p > start && p[-1] == '.' && p[1] >= 'A' && p[1] <= 'Z';
}

/* A dot or quote at the start of a line, and every backslash, mean something to roff. */
static void put_text(const char *text) {
        const char *start = text;
        if (*text == '.' || *text == '\'')
                (void) fputs("\\&", stdout);
        for (; *text; text++) {
                if (*text == '\\')
                        (void) fputs("\\e", stdout);
                else if (*text == '-')
                        (void) fputs("\\-", stdout);
                else if (is_between_sentences(start, text))
                        (void) putchar('\n');
                else
                        (void) putchar(*text);
        }
}

static void put_key(const ConfigKey *k) {
        (void) fputs(".It Sy ", stdout);
        put_text(k->key);
        (void) printf("\n%s", k->type);
        if (*k->range) {
                (void) fputs(", ", stdout);
                put_text(k->range);
        }
        if (*k->fallback) {
                (void) fputs("; default ", stdout);
                put_text(k->fallback);
        }
        (void) fputs(".\n.br\n", stdout);
        put_text(k->text);
        (void) putchar('\n');
}

int main(void) {
        const char *section = "";
        size_t n = 0;
        const ConfigKey *keys = config_keys(&n);
        for (size_t i = 0; i < n; i++) {
                if (!streq(keys[i].section, section)) {
                        (void) printf("%s.Ss Section %s\n.Bl -tag -width Ds -compact\n",
                                      *section ? ".El\n" : "", keys[i].section);
                        section = keys[i].section;
                }
                put_key(&keys[i]);
        }
        (void) puts(".El");
        return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
