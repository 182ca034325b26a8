/* The registry of units in memory, and how a published row finds its unit (semantics 2).
 *
 * A code belongs to a unit for an interval of days; codes are strings in a namespace. Nothing is
 * ever matched by folded or similar names: within one province ten pairs of real names differ only
 * in their diacritics. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "core/model.h"

#define DAY_OPEN INT32_MAX /* valid_until of what is still valid */
#define DAY_EVER INT32_MIN /* valid_from of what was always so */

typedef struct UnitName {
        char *name; /* as shown: "UBND xã Thủ Sỹ" */
        char *bare; /* without UBND, type word and " - tỉnh ...": "Thủ Sỹ" */
        Day from, until;
        bool is_alias; /* written by a person */
} UnitName;

typedef struct UnitCode {
        char *namespace_, *code;
        Day from, until;
} UnitCode;

typedef struct Unit {
        UnitId id;
        char *key; /* ASCII; NAMESPACE:CODE of first sight unless the registry says otherwise */
        char *kind;
        UnitId parent; /* 0 = top */
        Day from, until;
        StepId taken_back; /* by which the import that brought it was undone, and nothing else speaks of it; 0 = it counts */
        UnitName *names;
        size_t n_names;
        UnitCode *codes;
        size_t n_codes;
        char **emails;
        size_t n_emails;
        char *webhook; /* or NULL */
} Unit;

typedef struct UnitRegistry {
        Unit *units; /* sorted by id */
        size_t n, cap;
        void *index; /* private; what the units point at is there, too */
} UnitRegistry;

void unit_registry_done(UnitRegistry *r);

/* Adds a copy with the given id (greater than all before). Strings are copied. Returns 0, -ENOMEM,
 * -EEXIST (key). */
int unit_add(UnitRegistry *r, UnitId id, const char *key, const char *kind, UnitId parent, Day from,
             Day until, Unit **ret);
int unit_add_name(UnitRegistry *r, UnitId id, const char *name, Day from, Day until, bool is_alias);
int unit_add_code(UnitRegistry *r, UnitId id, const char *namespace_, const char *code, Day from,
                  Day until);
int unit_add_contact(UnitRegistry *r, UnitId id, const char *email, const char *webhook);

Unit *unit_get(const UnitRegistry *r, UnitId id);

/* Is it of the registry as of the step (0 = now)? One that was taken back is found by its key and its
 * code, for its history and to be back when it is seen again; by its name it is nobody. */
static inline bool unit_counts(const Unit *u, StepId as_of) {
        return u->taken_back == 0 || (as_of != 0 && as_of < u->taken_back);
}
/* The name shown on a day ("" if none). Valid while the registry lives. */
const char *unit_name_on(const UnitRegistry *r, UnitId id, Day day);
/* What lists are sorted by: the code valid on the day, else the key. */
const char *unit_code_on(const UnitRegistry *r, UnitId id, Day day);

/* Kind told by the type word of a published name ("" when none), and the bare name. Heap strings,
 * NFC. "UBND TT Vương" -> kind "commune", bare "Vương"; " - tỉnh An Giang" is dropped only when a
 * province follows. */
int unit_name_split(const char *name, char **ret_bare, const char **ret_kind);

typedef enum UnitDecision {
        UNIT_KNOWN,   /* *ret_id */
        UNIT_NEW,     /* neither code nor name known: register (units = auto) */
        UNIT_RENAMED, /* known code, same bare name, other type word: record the name; *ret_id */
        UNIT_QUARANTINED, /* two hits, another name under a known code, or strict and unknown;
                             reason in diag */
} UnitDecision;

/* Where does a published row belong, on `day` (last day of its period)? By (namespace, code), then
 * by exact bare name within (parent, kind), then by alias. is_strict registers nothing. Pure
 * look-up, nothing is changed. */
UnitDecision unit_resolve(const UnitRegistry *r, const char *namespace_, const char *code,
                          const char *name, const char *kind, UnitId parent, Day day,
                          bool is_strict, UnitId *ret_id, Diag *diag);

enum {
        UNIT_E_NONE = 1,      /* nothing of that name on the date */
        UNIT_E_AMBIGUOUS = 2, /* several: listed in diag */
};
/* What a person wrote: key, NAMESPACE:CODE, or a bare code or name that is unique on the date. */
int unit_find(const UnitRegistry *r, const char *text, Day day, UnitId *ret_id, Diag *diag);

/* Is it the other one, or below it at any height? */
bool unit_is_within(const UnitRegistry *r, UnitId id, UnitId above);

/* Selector against a unit on a day. Parents match at any height. `scope_of_parents` texts are
 * resolved with unit_find; one that resolves to nothing matches nothing. */
bool unit_selected(const UnitRegistry *r, const UnitSelector *s, UnitId id, Day day);

/* The same with the texts resolved once, for many units on one day. Borrows the selector. */
typedef struct UnitSelection {
        const UnitSelector *selector;
        UnitId *parents, *units;
        size_t n_parents, n_units; /* of those that resolve to something */
} UnitSelection;
/* Returns 0 or -ENOMEM. */
int unit_selection_init(UnitSelection *ret, const UnitRegistry *r, const UnitSelector *s, Day day);
void unit_selection_done(UnitSelection *s);
bool unit_selection_has(const UnitSelection *s, const UnitRegistry *r, UnitId id);
