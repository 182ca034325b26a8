/* The columns of the list, as they are read and written, and one change on its way. Shared by the parts of
 * registry. */
#pragma once

#include "core/sheet.h"
#include "flow/registry.h"
#include "store/registry.h"

typedef enum Column {
        COLUMN_KEY,
        COLUMN_CODE,
        COLUMN_NAME,
        COLUMN_KIND,
        COLUMN_PARENT,
        COLUMN_FROM,
        COLUMN_UNTIL,
        COLUMN_SUCCESSORS,
        COLUMN_ALIASES,
        COLUMN_EMAIL,
        COLUMN_WEBHOOK,
        N_COLUMNS
} Column;
extern const char *const registry_columns[N_COLUMNS];

/* "" for ever and open. */
const char *registry_day(char text[static 16], Day day);
int registry_join_emails(const Unit *u, Buf *out);

/* Both are format literals of the same arguments. */
#define REFUSE(c, line, vi, en, ...)                                                               \
        (app_is_vi((c)->app) ? diag_error((c)->diag, NULL, (line), NULL, vi, ##__VA_ARGS__)        \
                             : diag_error((c)->diag, NULL, (line), NULL, en, ##__VA_ARGS__),       \
         REGISTRY_E_REFUSED)

typedef struct RegistryRow {
        unsigned line;
        const char *cell[N_COLUMNS]; /* of the sheet; "" */
        Day from, until;             /* DAY_EVER, DAY_OPEN when not written */
        UnitId unit;                 /* after the first pass */
        bool is_succeeded;           /* it brought a successor */
        bool is_moved;               /* it moved the days of the unit or of a code */
        char namespace_[64], code[128];
} RegistryRow;

typedef struct Change {
        App *app;
        StepId step;
        int64_t now_ms;
        Day today;
        Diag *diag;
        RegistryReport *report;
        RegistryRow *rows;
        size_t n;
        SuccessorRow *known; /* successors as they were before, sorted by (unit, successor) */
        size_t n_known;
} Change;

/* ---- registry.c ---- */

/* A line of the report: what of the unit (its key) is `now` instead of `old`; either may be NULL. */
int registry_note(Change *c, const char *unit, const char *what, const char *old, const char *now);
/* Something that the list may say, and that a person ought to know; of many the first few. */
int registry_warn(Change *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *registry_key(const Change *c, UnitId id); /* "" for 0 */
/* The registry in memory from the tables. */
int registry_reload(App *app);
const Unit *registry_holder(const UnitRegistry *r, const char *namespace_, const char *code,
                            Day day);
/* A bare code belongs to the namespace of the sources, when they have one only. */
int registry_split_code(Change *c, const char *text, size_t n, unsigned line, RegistryRow *row);
int registry_add_code(Change *c, const Unit *u, const RegistryRow *row, Day from, Day until);
int registry_end_codes(Change *c, const Unit *u, Day until);

/* ---- registry-list.c ---- */

int registry_list_apply(Change *c, const Sheet *s);
/* The unit that a row names by key, NAMESPACE:CODE, code or name. */
int registry_find_other(Change *c, const RegistryRow *row, const char *text, Day day, UnitId *ret);
/* The parent that the row gives its unit. */
int registry_find_parent(Change *c, const RegistryRow *row, UnitId *ret);
int registry_add_alias(Change *c, const Unit *u, const char *text, size_t n);

/* ---- registry-check.c: each refuses with line, or is 0 ---- */

/* Once every row has its unit: they say one thing of it. */
int registry_check_rows(Change *c);
/* Once the rows are applied and read again. */
int registry_check_parents(Change *c);
int registry_check_successors(Change *c);

/* ---- registry-claims.c ---- */

/* No code is of two units on one day, as far as the list moved days. */
int registry_check_codes(Change *c);
/* Warns of siblings of one name. */
int registry_note_names(Change *c);
