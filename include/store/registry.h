/* Units, indicators, sources and scopes in the database. */
#pragma once

#include "core/unit.h"
#include "store/store.h"

/* The whole registry, with what does not count: units that only an import brought which was undone. They follow from what is stored. */
int store_units_load(Store *s, UnitRegistry *ret);
/* Marks in the registry in memory what counts by now, after an undoing or when figures have come of what had been taken back. */
int store_units_recount(Store *s, UnitRegistry *r);
/* One that was taken back is registered anew at the step. */
int store_unit_confirm(Store *s, StepId step, UnitId unit);
/* Inserts and gives the new id. The caller mirrors it in its UnitRegistry after the commit (or reloads). */
int store_unit_add(Store *s, StepId step, const char *key, const char *kind, UnitId parent,
                   Day from, Day until, UnitId *ret);
/* A unit made for a scope turns out to be published itself: its real kind and parent. */
int store_unit_adopt(Store *s, UnitId unit, const char *kind, UnitId parent);
int store_unit_name_add(Store *s, StepId step, UnitId unit, const char *name, Day from, Day until,
                        bool is_alias);
/* Ends the name valid now on `until`. */
int store_unit_name_end(Store *s, UnitId unit, Day until);
int store_unit_code_add(Store *s, StepId step, UnitId unit, const char *namespace_,
                        const char *code, Day from, Day until);
/* Ends the code, or the unit itself, on `until`. */
int store_unit_code_end(Store *s, UnitId unit, const char *namespace_, const char *code, Day until);
int store_unit_end(Store *s, UnitId unit, Day until);
/* The unit begins, or ends, on another day than before: so do the codes that began or ended with it, and those whom it makes way
 * for. *ret_n: how many of the latter. */
int store_unit_begin_move(Store *s, UnitId unit, Day old, Day now);
int store_unit_end_move(Store *s, StepId step, UnitId unit, Day old, Day now, int *ret_n);
/* Writes what is not a list of its own. */
int store_unit_set(Store *s, UnitId unit, const char *kind, UnitId parent, Day from, Day until);
/* Successors, many-to-many, with the first day of the successor. All of them, sorted by (unit, successor). */
typedef struct SuccessorRow {
        UnitId unit, successor;
        Day from;
} SuccessorRow;
int store_unit_successor_add(Store *s, StepId step, UnitId unit, UnitId successor, Day from);
int store_unit_successors(Store *s, SuccessorRow **ret, size_t *ret_n);
/* Replaces the unit's contacts. email may hold several, blank- or comma-separated; NULL = none. */
int store_unit_contact_put(Store *s, UnitId unit, const char *email, const char *webhook);
/* A published row that found no unit; the same (namespace, code, name) is kept once, with first and last sight. */
int store_quarantine_add(Store *s, StepId step, const char *source, const char *namespace_,
                         const char *code, const char *name, const char *reason);
int store_quarantine_count(Store *s, size_t *ret);                    /* not done ones */
int store_quarantine_open(Store *s, const char *source, size_t *ret); /* those of a source */
/* The row was published for `period` and found its unit: done, unless it was put aside for a later period. */
int store_quarantine_matched(Store *s, StepId step, const char *namespace_, const char *code,
                             const char *name, PeriodId period);
/* Was a row put aside under the code, ever, or has a unit had it? */
int store_code_seen(Store *s, const char *namespace_, const char *code, bool *ret);
/* A person decided; seen again, it is back. name NULL = whatever the code was called. */
int store_quarantine_done(Store *s, StepId step, const char *namespace_, const char *code,
                          const char *name);
typedef struct QuarantineRow {
        char *source, *namespace_, *code, *name, *reason;
        int64_t first_ms, last_ms;
} QuarantineRow;
int store_quarantine_list(Store *s, QuarantineRow **ret, size_t *ret_n); /* not done ones */
void quarantine_rows_free(QuarantineRow *rows, size_t n);

/* decimals, unit, direction and source are those of the first figure; a different value later is STORE_E_MISMATCH, with a text and the
 * key NAME.KEY for each. Before there is a figure they are what was bound last. */
int store_indicator_bind(Store *s, const IndicatorDef *def, const char *source, Diag *diag,
                         IndicatorId *ret);

/* The same without binding: 0, STORE_E_NONE (not bound yet) or STORE_E_MISMATCH. */
int store_indicator_check(Store *s, const IndicatorDef *def, const char *source, Diag *diag);

/* The unit that is the parent of a scope's rows; UnitId 0 = the scope has none (national lists). STORE_E_NONE unknown. */
int store_scope_get(Store *s, const char *source, const char *scope, UnitId *ret);
int store_scope_put(Store *s, const char *source, const char *scope, UnitId unit);
