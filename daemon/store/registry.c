/* Units, indicators, sources and scopes.
 *
 * "Always" and "for ever" are NULL in the file, so that a person's comparison of days means what it
 * says. */
#include "store/registry.h"

#include <errno.h>
#include <stdio.h>

#include "store/sql.h"

static Arg arg_day(Day day) {
        bool is_open = day == DAY_EVER || day == DAY_OPEN;

        return (Arg){.kind = is_open ? ARG_NULL : ARG_INT, .i = day};
}

static Day column_day(Query q, int i, Day otherwise) {
        return sqlite3_column_type(q, i) == SQLITE_NULL ? otherwise : (Day) column_int(q, i);
}

static const char *column_str(Query q, int i) {
        return (const char *) sqlite3_column_text(q, i);
}

/* ---- units
 * ------------------------------------------------------------------------------------------------------
 */

static int load_unit(Query q, UnitRegistry *r) {
        Unit *unit;

        return unit_add(r, (UnitId) column_int(q, 0), column_str(q, 1), column_str(q, 2),
                        (UnitId) column_int(q, 3), column_day(q, 4, DAY_EVER),
                        column_day(q, 5, DAY_OPEN), &unit);
}

static int load_name(Query q, UnitRegistry *r) {
        return unit_add_name(r, (UnitId) column_int(q, 0), column_str(q, 1),
                             column_day(q, 2, DAY_EVER), column_day(q, 3, DAY_OPEN),
                             column_int(q, 4) != 0);
}

static int load_code(Query q, UnitRegistry *r) {
        return unit_add_code(r, (UnitId) column_int(q, 0), column_str(q, 1), column_str(q, 2),
                             column_day(q, 3, DAY_EVER), column_day(q, 4, DAY_OPEN));
}

/* The text as a person wrote it; the registry takes one address at a time. */
static int load_contact(Query q, UnitRegistry *r) {
        static const char blanks[] = " \t\r\n,;";
        CLEANUP_FREE char *list = NULL;
        UnitId unit = (UnitId) column_int(q, 0);
        char *next = NULL;
        int e;

        e = column_text(q, 1, &list);
        if (e < 0)
                return e;
        if (sqlite3_column_type(q, 2) != SQLITE_NULL)
                e = unit_add_contact(r, unit, /* email= */ NULL, column_str(q, 2));
        if (!list)
                return e;
        for (char *mail = strtok_r(list, blanks, &next); mail && e >= 0;
             mail = strtok_r(NULL, blanks, &next))
                e = unit_add_contact(r, unit, mail, /* webhook= */ NULL);
        return e;
}

static int load_all(Store *s, StatementId id, int (*load)(Query, UnitRegistry *), UnitRegistry *r) {
        CLEANUP_QUERY Query q = NULL;
        int e;

        e = query_begin(s, id, NO_ARGS, &q);
        while (e >= 0 && (e = query_next(q)) > 0)
                e = load(q, r);
        return e;
}

int store_units_load(Store *s, UnitRegistry *ret) {
        UnitRegistry registry = {0};
        int r;

        r = load_all(s, STMT_UNITS, load_unit, &registry);
        if (r >= 0)
                r = load_all(s, STMT_UNIT_NAMES, load_name, &registry);
        if (r >= 0)
                r = load_all(s, STMT_UNIT_CODES, load_code, &registry);
        if (r >= 0)
                r = load_all(s, STMT_UNIT_CONTACTS, load_contact, &registry);
        if (r >= 0)
                r = store_units_recount(s, &registry);
        if (r < 0) {
                unit_registry_done(&registry);
                return r;
        }
        *ret = registry;
        return 0;
}

int store_unit_add(Store *s, StepId step, const char *key, const char *kind, UnitId parent,
                   Day from, Day until, UnitId *ret) {
        int r;

        r = query_run(s, STMT_UNIT_ADD,
                      ARGS(arg_text(key), arg_text(kind), arg_id(parent), arg_day(from),
                           arg_day(until), arg_int(step)));
        if (r < 0)
                return r;
        *ret = (UnitId) sqlite3_last_insert_rowid(s->db);
        return 0;
}

int store_unit_name_add(Store *s, StepId step, UnitId unit, const char *name, Day from, Day until,
                        bool is_alias) {
        return query_run(s, STMT_UNIT_NAME_ADD,
                         ARGS(arg_int(unit), arg_text(name), arg_day(from), arg_day(until),
                              arg_int(is_alias), arg_int(step)));
}

int store_unit_name_end(Store *s, UnitId unit, Day until) {
        return query_run(s, STMT_UNIT_NAME_END, ARGS(arg_int(unit), arg_int(until)));
}

int store_unit_code_add(Store *s, StepId step, UnitId unit, const char *namespace_,
                        const char *code, Day from, Day until) {
        return query_run(s, STMT_UNIT_CODE_ADD,
                         ARGS(arg_int(unit), arg_text(namespace_), arg_text(code), arg_day(from),
                              arg_day(until), arg_int(step)));
}

int store_unit_code_end(Store *s, UnitId unit, const char *namespace_, const char *code,
                        Day until) {
        return query_run(s, STMT_UNIT_CODE_END,
                         ARGS(arg_int(unit), arg_text(namespace_), arg_text(code), arg_int(until)));
}

int store_unit_end(Store *s, UnitId unit, Day until) {
        return query_run(s, STMT_UNIT_END, ARGS(arg_int(unit), arg_day(until)));
}

int store_unit_begin_move(Store *s, UnitId unit, Day old, Day now) {
        return query_run(s, STMT_UNIT_CODES_BEGIN, ARGS(arg_int(unit), arg_day(old), arg_day(now)));
}

int store_unit_end_move(Store *s, StepId step, UnitId unit, Day old, Day now, int *ret_n) {
        int r;

        r = query_run(s, STMT_UNIT_CODES_END, ARGS(arg_int(unit), arg_day(old), arg_day(now)));
        if (r < 0)
                return r;
        return query_change(s, STMT_SUCCESSORS_BEGIN,
                            ARGS(arg_int(unit), arg_day(old), arg_day(now), arg_int(step)), ret_n);
}

int store_unit_adopt(Store *s, UnitId unit, const char *kind, UnitId parent) {
        return query_run(s, STMT_UNIT_ADOPT, ARGS(arg_int(unit), arg_text(kind), arg_id(parent)));
}

int store_unit_set(Store *s, UnitId unit, const char *kind, UnitId parent, Day from, Day until) {
        return query_run(
                s, STMT_UNIT_SET,
                ARGS(arg_int(unit), arg_text(kind), arg_id(parent), arg_day(from), arg_day(until)));
}

int store_unit_contact_put(Store *s, UnitId unit, const char *email, const char *webhook) {
        return query_run(s, STMT_UNIT_CONTACT_PUT,
                         ARGS(arg_int(unit), arg_text(email), arg_text(webhook)));
}

int store_unit_successor_add(Store *s, StepId step, UnitId unit, UnitId successor, Day from) {
        return query_run(s, STMT_SUCCESSOR_ADD,
                         ARGS(arg_int(unit), arg_int(successor), arg_int(from), arg_int(step)));
}

static int read_successor(Query q, SuccessorRow *row) {
        *row = (SuccessorRow){
                .unit = (UnitId) column_int(q, 0),
                .successor = (UnitId) column_int(q, 1),
                .from = (Day) column_int(q, 2),
        };
        return 0;
}

int store_unit_successors(Store *s, SuccessorRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE SuccessorRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_SUCCESSORS, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_successor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

/* ---- quarantine
 * -------------------------------------------------------------------------------------------------
 */

int store_quarantine_add(Store *s, StepId step, const char *source, const char *namespace_,
                         const char *code, const char *name, const char *reason) {
        return query_run(s, STMT_QUARANTINE_ADD,
                         ARGS(arg_text(source), arg_text(str_or(namespace_, "")),
                              arg_text(str_or(code, "")), arg_text(str_or(name, "")),
                              arg_text(str_or(reason, "")), arg_int(step)));
}

int store_code_seen(Store *s, const char *namespace_, const char *code, bool *ret) {
        int64_t is_seen;
        int r;

        r = query_int(s, STMT_CODE_SEEN, ARGS(arg_text(namespace_), arg_text(code)), 0, &is_seen);
        if (r < 0)
                return r;
        *ret = is_seen != 0;
        return 0;
}

int store_quarantine_count(Store *s, size_t *ret) {
        int64_t n;
        int r;

        r = query_int(s, STMT_QUARANTINE_COUNT, NO_ARGS, 0, &n);
        if (r < 0)
                return r;
        *ret = (size_t) n;
        return 0;
}

int store_quarantine_open(Store *s, const char *source, size_t *ret) {
        int64_t n;
        int r;

        r = query_int(s, STMT_QUARANTINE_OPEN, ARGS(arg_text(source)), 0, &n);
        if (r < 0)
                return r;
        *ret = (size_t) n;
        return 0;
}

int store_quarantine_matched(Store *s, StepId step, const char *namespace_, const char *code,
                             const char *name, PeriodId period) {
        return query_run(s, STMT_QUARANTINE_MATCHED,
                         ARGS(arg_text(str_or(namespace_, "")), arg_text(str_or(code, "")),
                              arg_text(str_or(name, "")), arg_int(step), arg_int(period)));
}

int store_quarantine_done(Store *s, StepId step, const char *namespace_, const char *code,
                          const char *name) {
        return query_run(s, STMT_QUARANTINE_DONE,
                         ARGS(arg_text(str_or(namespace_, "")), arg_text(str_or(code, "")),
                              arg_text(name), arg_int(step)));
}

static int read_quarantine(Query q, QuarantineRow *row) {
        char **text[] = {&row->source, &row->namespace_, &row->code, &row->name, &row->reason};
        int r = 0;

        row->first_ms = column_int(q, 5);
        row->last_ms = column_int(q, 6);
        for (size_t i = 0; i < ELEMENTSOF(text) && r >= 0; i++)
                r = column_text(q, (int) i, text[i]);
        return r;
}

int store_quarantine_list(Store *s, QuarantineRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        QuarantineRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_QUARANTINE_LIST, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_quarantine);
        if (r < 0) {
                quarantine_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void quarantine_rows_free(QuarantineRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].source);
                free(rows[i].namespace_);
                free(rows[i].code);
                free(rows[i].name);
                free(rows[i].reason);
        }
        free(rows);
}

/* ---- indicators and scopes ------------------------------------------------------------------- */

static const char *unit_text(int64_t unit) {
        return unit == INDICATOR_PERCENT  ? "percent"
               : unit == INDICATOR_POINTS ? "points"
                                          : "count";
}

static const char *direction_text(int64_t direction) {
        return direction == DIRECTION_UP ? "up" : "down";
}

static void mismatch(Diag *diag, const IndicatorDef *def, const char *what, const char *stored,
                     const char *now) {
        char key[160];

        (void) snprintf(key, sizeof(key), "%s.%s", def->name, what);
        if (streq(what, "source"))
                diag_error(diag, NULL, 0, key,
                           "source was '%s' when its first figure was stored and is '%s' now: "
                           "figures stay with their source, whose label may change and whose name "
                           "may not",
                           stored, now);
        else
                diag_error(diag, NULL, 0, key,
                           "%s was '%s' when its first figure was stored and is '%s' now: a new "
                           "meaning is a new indicator, give it another name",
                           what, stored, now);
}

/* Row: id, decimals, unit, direction, source. True when nothing differs. */
static bool definition_holds(Query q, const IndicatorDef *def, const char *source, Diag *diag) {
        const char *stored_source = str_or(column_str(q, 4), "");
        char stored[2] = {(char) ('0' + CLAMP(column_int(q, 1), 0, 9))};
        char now[2] = {(char) ('0' + def->decimals)};
        bool is_same = true;

        if (!streq(stored, now)) {
                mismatch(diag, def, "decimals", stored, now);
                is_same = false;
        }
        if (column_int(q, 2) != (int64_t) def->unit) {
                mismatch(diag, def, "unit", unit_text(column_int(q, 2)), unit_text(def->unit));
                is_same = false;
        }
        if (column_int(q, 3) != (int64_t) def->direction) {
                mismatch(diag, def, "direction", direction_text(column_int(q, 3)),
                         direction_text(def->direction));
                is_same = false;
        }
        if (!streq(stored_source, source)) {
                mismatch(diag, def, "source", stored_source, source);
                is_same = false;
        }
        return is_same;
}

/* *ret_is_same: what is stored is what is defined now; without a figure it may differ. */
static int indicator_find(Store *s, const IndicatorDef *def, const char *source, Diag *diag,
                          IndicatorId *ret, bool *ret_is_same) {
        CLEANUP_QUERY Query q = NULL;
        int64_t is_used = 0;
        int r;

        r = query_begin(s, STMT_INDICATOR_GET, ARGS(arg_text(def->name)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        *ret = (IndicatorId) column_int(q, 0);
        *ret_is_same = definition_holds(q, def, source, /* diag= */ NULL);
        if (*ret_is_same)
                return 0;
        r = query_int(s, STMT_INDICATOR_USED, ARGS(arg_int(*ret)), 0, &is_used);
        if (r < 0 || !is_used)
                return MIN(r, 0);
        (void) definition_holds(q, def, source, diag);
        return STORE_E_MISMATCH;
}

int store_indicator_check(Store *s, const IndicatorDef *def, const char *source, Diag *diag) {
        IndicatorId id;
        bool is_same;

        return indicator_find(s, def, str_or(source, ""), diag, &id, &is_same);
}

int store_indicator_bind(Store *s, const IndicatorDef *def, const char *source, Diag *diag,
                         IndicatorId *ret) {
        const char *label = str_or(def->label, def->name);
        IndicatorId id = 0;
        bool is_same = true;
        int r;

        assert(def->decimals <= DECIMAL_MAX_DECIMALS);
        source = str_or(source, "");
        r = indicator_find(s, def, source, diag, &id, &is_same);
        if (r == STORE_E_NONE) {
                r = query_run(s, STMT_INDICATOR_ADD,
                              ARGS(arg_text(def->name), arg_text(label), arg_int(def->unit),
                                   arg_int(def->decimals), arg_int(def->direction),
                                   arg_text(source)));
                id = (IndicatorId) sqlite3_last_insert_rowid(s->db);
        } else if (r == 0 && !s->is_reader)
                r = is_same ? query_run(s, STMT_INDICATOR_LABEL, ARGS(arg_int(id), arg_text(label)))
                            : query_run(s, STMT_INDICATOR_SET,
                                        ARGS(arg_int(id), arg_text(label), arg_int(def->unit),
                                             arg_int(def->decimals), arg_int(def->direction),
                                             arg_text(source)));
        if (r != 0)
                return r;
        *ret = id;
        return 0;
}

int store_scope_get(Store *s, const char *source, const char *scope, UnitId *ret) {
        int64_t unit;
        int r;

        r = query_int(s, STMT_SCOPE_GET, ARGS(arg_text(source), arg_text(scope)), -1, &unit);
        if (r < 0)
                return r;
        if (unit < 0)
                return STORE_E_NONE;
        *ret = (UnitId) unit;
        return 0;
}

int store_scope_put(Store *s, const char *source, const char *scope, UnitId unit) {
        return query_run(s, STMT_SCOPE_PUT, ARGS(arg_text(source), arg_text(scope), arg_id(unit)));
}
