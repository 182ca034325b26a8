/* Inside of core/unit: published names taken apart. */
#pragma once

#include "base/macro.h"

/* A word that tells the type of a unit. Several spellings are one word: "TT", "TT." and "thị trấn".
 */
typedef struct TypeWord {
        const char *spelling; /* lower case, NFC */
        const char *word;     /* the one that stands for all spellings */
        const char *kind;
        bool is_name; /* part of the name: "Sở Nội vụ" */
} TypeWord;

/* Cleans the name and takes it apart. *ret_word is NULL when it has no type word. Returns 0,
 * -ENOMEM, -EILSEQ, -E2BIG. */
int unit_name_parse(const char *name, char **ret_bare, const TypeWord **ret_word);
