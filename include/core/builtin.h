/* Files of conf/templates compiled in (scripts/embed): an alert is never lost to a missing
 * template. */
#pragma once

#include <stddef.h>

typedef struct Builtin {
        const char *name; /* "vi/mail.txt"; NULL ends the table */
        size_t size;      /* bytes of text */
        const char *text;
} Builtin;

extern const Builtin builtin_templates[];
