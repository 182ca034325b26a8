/* The nouns of the project, as plain data: ids, figures, and the definitions that configuration
 * makes.
 *
 * Definitions are filled by core/config and only read elsewhere. Strings belong to the Config that
 * made them (one arena, freed at once), unless a comment says otherwise. Values are scaled
 * integers (base/decimal.h). */
#pragma once

#include "base/decimal.h"
#include "base/macro.h"
#include "base/timeutil.h"
#include "core/period.h"

typedef uint32_t UnitId;      /* row id in the registry; 0 = none */
typedef uint32_t IndicatorId; /* row id in the database; 0 = not bound yet */
typedef int64_t StepId;       /* knowledge is ordered by step, never by time; 0 = none */

#define VALUE_NONE DECIMAL_NONE

/* Why a figure has no value. Stored; never renumber. */
typedef enum Why {
        WHY_VALUE = 0,   /* it has one */
        WHY_MISSING = 1, /* null, absent, "", "-" */
        WHY_EMPTY = 2,   /* ratio or score whose own published denominator is 0 */
        WHY_BAD = 3,     /* out of range, or a total off its groups: a data note tells which */
        WHY_GONE = 4,    /* was published before, is no longer */
} Why;
const char *why_name(Why why); /* "value", "missing", "empty", "bad", "gone" */

/* ---- indicators ------------------------------------------------------------------------------ */

typedef enum IndicatorUnit { INDICATOR_PERCENT, INDICATOR_POINTS, INDICATOR_COUNT } IndicatorUnit;
typedef enum Direction { DIRECTION_UP, DIRECTION_DOWN } Direction; /* which way is better */
typedef enum EmptyPolicy { EMPTY_MISSING, EMPTY_ZERO, EMPTY_FULL } EmptyPolicy;
typedef enum DeriveKind { DERIVE_NONE, DERIVE_SUM, DERIVE_RATIO } DeriveKind;

typedef struct IndicatorDef {
        const char *name;     /* "progress" */
        const char *label;    /* "Tiến độ giải quyết" */
        const char *label_en; /* or NULL */
        const char *brief;    /* for subjects: "tiến độ"; default: label */
        IndicatorUnit unit;
        unsigned decimals; /* 0..4 */
        int64_t max;       /* scaled; VALUE_NONE = unbounded. Values outside 0..max are bad */
        int64_t min;       /* scaled, default 0; VALUE_NONE = unbounded (changes) */
        Direction direction;
        EmptyPolicy empty;
        int64_t restated_min; /* corrections are told from this change on (semantics 7); default 1.00, counts 1 */

        DeriveKind derive;
        size_t operand[16]; /* indexes into Config.indicators; sum: all, ratio: [0] / [1] */
        size_t n_operands;
        int64_t divisor; /* ratio by a number: scaled with 4 decimals; 0 = operand[1] divides */
        int source; /* index into Config.sources; -1 = no source publishes it. Derived: of its operands */
        IndicatorId id; /* set by the app when bound in the store */
} IndicatorDef;

/* ---- selecting units ------------------------------------------------------------------------- */

/* "kind:commune parent:H31", "unit:H31.07 unit:H31.08", "all". Within one list any matches, all
 * given lists must. */
typedef struct UnitSelector {
        const char **kinds;
        size_t n_kinds;
        const char **parents; /* unit keys, codes or names as a person may write them */
        size_t n_parents;
        const char **units;
        size_t n_units;
        bool is_set; /* false: nothing was written */
} UnitSelector;

/* ---- rules (semantics 6) --------------------------------------------------------------------- */

typedef enum ConditionKind {
        CONDITION_NONE,
        CONDITION_BELOW,
        CONDITION_ABOVE,
        CONDITION_BEHIND,
        CONDITION_DROP,
        CONDITION_FALLING,
        CONDITION_FLAT,
        CONDITION_RANK_DROP,
        /* operator conditions: of a source, or of the whole unit set */
        CONDITION_MISSING,
        CONDITION_RESTATED,
        CONDITION_OVERDUE,
        CONDITION_STALE,
        CONDITION_SOURCE_FAILING,
} ConditionKind;

typedef struct Condition {
        ConditionKind kind;
        int64_t amount; /* scaled by the indicator's decimals: X, D, or E of `flat K within E`, `restated E` */
        int count;              /* K, N, or days */
        ConditionKind and_kind; /* CONDITION_NONE, _BELOW or _ABOVE */
        int64_t and_amount;
} Condition;

typedef enum Watch { WATCH_ENDED, WATCH_RUNNING } Watch;
typedef enum RepeatKind { REPEAT_PUBLICATION, REPEAT_DAYS, REPEAT_NEVER } RepeatKind;

typedef struct RuleDef {
        const char *name;
        bool is_off;
        int indicator; /* index into Config.indicators; -1 for source conditions */
        PeriodType period;
        UnitSelector units;
        Condition when;
        Condition critical; /* CONDITION_NONE: one severity */
        int64_t clear; /* distance beyond the limit where it ends, scaled; only below, above, behind */
        int for_n;     /* publications, >= 1 */
        PeriodId from, until; /* judges periods in [from, until]; 0 = open */
        int settle_days;      /* after the period's end */
        Watch watch;
        int64_t min_volume;   /* 0 = none */
        int volume_indicator; /* index, -1 */
        RepeatKind repeat;
        int repeat_days;
        int escalate_after;   /* publications; 0 = off */
        const char *advice;   /* or NULL */
        const char *formerly; /* or NULL */
        bool is_letter;       /* listed in the letter */
        bool is_letter_only;  /* judged and shown, told by the letter alone */
        bool is_operator; /* source and data conditions: told to operators, never to officials */
        const char *
                text; /* canonical text of everything that judges: equal text = the same rule version */
        const char *file; /* where it was written */
        unsigned line;
} RuleDef;

/* ---- sources (semantics 3 and 4, interfaces) ------------------------------------------------- */

typedef enum SourceKind { SOURCE_HTTP, SOURCE_INBOX } SourceKind;

typedef struct NameValue {
        const char *name, *value;
} NameValue;

typedef struct ValueMap {
        size_t indicator;        /* index into Config.indicators */
        const char *pointer;     /* RFC 6901 plus [key=text], relative to a row */
        const char *denominator; /* pointer to the figure's own denominator, or NULL */
        const char *delta;       /* pointer to a published change, or NULL */
} ValueMap;

typedef struct KindMap {
        const char *match, *kind; /* "3" -> "commune" */
} KindMap;

typedef enum PagesKind { PAGES_ONE, PAGES_POINTER, PAGES_SHORT } PagesKind;

typedef struct PartDef {
        const char *name;   /* "progress" in [part portal.progress] */
        const char *url;    /* template */
        const char *method; /* "GET" or "POST" */
        NameValue *headers; /* values are templates or secret references */
        size_t n_headers;
        const char *body; /* template or NULL */
        const char *
                body_type; /* content type of the body: application/json or application/x-www-form-urlencoded */
        const char *envelope;    /* "POINTER=TEXT" that must hold, e.g. "/code=OK"; NULL = none */
        const char *scope_check; /* pointer whose text must equal the scope, or NULL */
        const char *rows;        /* pointer to the array of rows; "" = the whole document */
        const char *parent; /* pointer to one further row (the parent's own figures), or NULL */
        const char
                *where; /* "POINTER=TEXT[|TEXT]": rows that do not match are left out; NULL = all */
        PagesKind pages_kind;
        const char *pages;     /* pointer to the number of pages */
        int page_size;         /* for PAGES_SHORT, and {{page_size}} */
        const char *unit_code; /* pointer */
        const char *unit_name; /* pointer */
        const char *unit_kind; /* pointer, or NULL with kind_default */
        KindMap *kinds;
        size_t n_kinds;
        const char *kind_default;
        const char *parent_kind; /* kind of the row at `parent` */
        ValueMap *values;
        size_t n_values;
        ValueMap *
                parent_values; /* the parent's own field names; falls back to `values` when empty */
        size_t n_parent_values;
        const char *file;
        unsigned line;
} PartDef;

typedef struct SourceDef {
        const char *name;
        const char *preset; /* or NULL */
        SourceKind kind;
        const char *label;   /* for people: "Cổng Dịch vụ công quốc gia" */
        const char **scopes; /* at least one; "" when the source has no scope */
        size_t n_scopes;
        const char *namespace_; /* of the unit codes; default: the source's name */
        PeriodType periods[4];
        size_t n_periods;
        bool has_running;  /* running = yes */
        int at_minute;     /* minute of the local day; -1 when `every` is used */
        int64_t every_ms;  /* 0 when `at` is used */
        int64_t spread_ms; /* upper bound of the fixed offset per installation; default 30 min */
        int recheck;       /* ended periods that are looked at again */
        int backfill;      /* ended periods at first start */
        int due_days;
        int final_after_days[PERIOD_N_TYPES];
        DecimalStyle numbers;
        int min_units;
        int min_share_percent; /* 90 */
        int64_t timeout_ms;    /* of one request; default 60 s */
        int64_t pace_ms;       /* between two requests to one host; default 1 s */
        size_t max_body;       /* decoded bytes; default 8 MiB */
        bool is_strict;        /* units = strict */
        const char *
                scope_unit; /* key of the unit that is the parent of the rows, template over {{scope}}, or NULL */
        const char *prefix;                                 /* "" */
        const char *inbox;                                  /* folder, for SOURCE_INBOX */
        const char *token_url, *token_body, *token_pointer; /* bearer token, or NULL */
        NameValue *keys; /* every key of the section as written, for templates */
        size_t n_keys;
        PartDef *parts;
        size_t n_parts;
        const char *file;
        unsigned line;
} SourceDef;

/* ---- recipients, calendar, eras -------------------------------------------------------------- */

typedef enum RecipientRole { ROLE_OFFICIAL, ROLE_OPERATOR } RecipientRole;
typedef enum Tell { TELL_ALL, TELL_OVERVIEW, TELL_ESCALATED } Tell;

typedef struct RecipientDef {
        const char *name;
        RecipientRole role;
        UnitSelector units;  /* whose figures */
        bool is_each;        /* `each =`: one recipient per unit of the selector */
        const char **emails; /* "registry" stands for the unit's own addresses */
        size_t n_emails;
        const char *webhook; /* URL or secret reference, NULL = none; "registry" as above */
        const char *webhook_secret;
        const char *webhook_template; /* name of a template instead of the schema, or NULL */
        const char *webhook_to;       /* chat or channel, for templates, or NULL */
        int max_chars;                /* 0 = no limit */
        Tell tell;
        bool is_immediate;    /* no digest: as soon as there is something */
        bool is_letter;       /* [letter] to: gets the letter and corrections of it, no alerts */
        const char *language; /* "vi" or "en" */
        const char *file;
        unsigned line;
} RecipientDef;

typedef struct DayRange {
        Day first, last; /* inclusive */
        const char *label;
} DayRange;

typedef struct Calendar {
        uint8_t work_mask; /* bit 0 = Monday */
        DayRange *off;
        size_t n_off;
        DayRange *working; /* working Saturdays and the like; wins over the rest */
        size_t n_working;
} Calendar;

typedef struct EraDef {
        const char *name;
        Day from; /* first day of the new era */
        const char *reason;
        const char *source; /* or NULL = all */
        const char **indicators;
        size_t n_indicators;
        const char *parent; /* or NULL */
} EraDef;

typedef struct BandDef {
        const char *label; /* "Xuất sắc" */
        int64_t from;      /* lowest value, scaled with 2 decimals, inclusive */
} BandDef;
