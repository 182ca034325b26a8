/* From a publisher's answer to figures (semantics 1, 2 and 4): JSON pointers and presets, no code
 * per publisher.
 *
 * A part is one request's answer (of several pages when paged); the parts of one scope and period
 * make one snapshot, whole or not at all. Memory: one part's JSON tree at a time, bounded before
 * parsing by decode_scan. Home of jansson's loading side. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "core/config.h"

#define DECODE_MAX_DEPTH 32u
#define DECODE_MAX_VALUES 500000u
#define DECODE_MAX_UNITS 20000u /* the whole country had 10,595 communes at its most */
#define DECODE_MAX_NOTES 1000u  /* further bad values are counted, not described */

/* Expected outcomes: the answer is *rejected* (never acceptable), with the reason as text for the
 * attempt's row. */
enum {
        DECODE_E_REJECTED = 1,
};

typedef struct DecodedUnit {
        char *code;       /* as published, cleaned to NFC; never empty */
        char *name;       /* NFC; "" when the part publishes none */
        const char *kind; /* of the part's map; "" unknown */
        bool is_scope;    /* the row at `parent`: the scope's own unit */
} DecodedUnit;

typedef struct DecodeNote {
        uint32_t unit;      /* index into units */
        uint32_t indicator; /* index into Config.indicators */
        char *text; /* "score -1 is outside 0..20", "total 90.00 is off the sum of its groups 89.50"
                     */
} DecodeNote;

/* One scope, one period: units x indicators. Columns are the indicators that the source publishes
 * or derives. */
typedef struct Snapshot {
        DecodedUnit *units;
        size_t n_units, cap_units;
        size_t *indicators; /* column -> index into Config.indicators */
        size_t n_columns;
        int64_t *value; /* [unit * n_columns + column]; VALUE_NONE with a reason in why[] */
        uint8_t *why;   /* Why */
        int64_t *delta; /* published change, same shape, or NULL when the source prints none */
        size_t cap_rows;
        size_t n_bad;    /* values judged bad */
        size_t n_values; /* values present, bad ones included */
        DecodeNote *notes;
        size_t n_notes, cap_notes;
        const char *open_part; /* of the configuration: its list ends in "...", or NULL */
        void *index;           /* code -> unit, private */
} Snapshot;

/* Columns of the source are laid out; no rows yet. */
int snapshot_new(const Config *config, size_t source, Snapshot **ret);
void snapshot_free(Snapshot *s);
DEFINE_CLEANUP(Snapshot, snapshot_free)

/* Counts depth and values of JSON text before anything is parsed. Returns 0, DECODE_E_REJECTED
 * (with text). */
int decode_scan(const char *body, size_t n, Diag *diag);

/* Adds one page of one part to the snapshot. *ret_pages (may be NULL) is the number of pages that
 * the part has: as published with PAGES_POINTER, 0 for "ask the next" with PAGES_SHORT, else 1.
 * `n_rows` (may be NULL): rows on this page. Rejects: not JSON, depth, duplicate keys, wrong
 * envelope, wrong scope, no `rows` array, a unit twice in one part (across its pages: *seen carries
 * state of one part between pages; start with NULL, free with decode_seen_free), a row without
 * code. A row whose code and name are dots ("...") or empty stands for units that are left out: it is
 * no unit, and the part is noted as `open_part`. Returns 0, DECODE_E_REJECTED with the reason in diag, -ENOMEM. After a rejection the
 * snapshot is spoiled: free it. */
typedef struct DecodeSeen DecodeSeen;
int decode_part(Snapshot *s, const Config *config, size_t source, size_t part, const char *scope,
                const char *body, size_t n, DecodeSeen **seen, size_t *ret_pages,
                size_t *ret_n_rows, Diag *diag);
void decode_seen_free(DecodeSeen *seen);
DEFINE_CLEANUP(DecodeSeen, decode_seen_free)

/* After the last part: derives `sum` and `ratio` indicators, checks totals against their groups
 * (0.03), ranges, empty denominators; sorts units by code. Rejects when there are no rows at all.
 * Same results. */
int decode_finish(Snapshot *s, const Config *config, size_t source, Diag *diag);

/* Derives once more, for who has filled in figures that the answer did not have. Returns 0 or -ENOMEM. */
int decode_derive(Snapshot *s, const Config *config, size_t source);
/* Whether the source has the indicator by deriving it, and not as it is published. */
bool decode_derives(const Config *config, size_t source, size_t indicator);

/* True when the same units have the same values: for torn sets (the first request asked again after
 * the last). When is_partial, `b` may be one page of one part: only its units are compared, and
 * only in the columns that it has values for. Compare either before decode_finish or after it on
 * both sides: it adds derived figures and takes bad totals away. */
bool snapshot_equal(const Snapshot *a, const Snapshot *b, bool is_partial);

/* Column of an indicator (index into Config.indicators) or -1. */
int snapshot_column(const Snapshot *s, size_t indicator);

/* ---- pointers, for callers that look into other answers (token, page count) ------------------ */

/* Text at an RFC 6901 pointer with [key=text] steps, in JSON text. Strings as they are, numbers and
 * booleans as written. Heap string. Returns 0, DECODE_E_REJECTED (not JSON or not there), -ENOMEM.
 */
int decode_pointer_text(const char *body, size_t n, const char *pointer, char **ret);

/* Checks a pointer's syntax at load. Returns 0 or -EINVAL. */
int decode_pointer_check(const char *pointer);

/* The same for "POINTER=TEXT[|TEXT]" (`where`, `envelope`). */
int decode_test_check(const char *test);
