/* Attempts, bodies, snapshots, figures and vintages (semantics 4).
 *
 * figure(period, indicator, unit) is what is known now; vintage what was known before, [from_step, until_step), append-only.
 * As-of is one predicate: from_step <= S AND (until_step IS NULL OR until_step > S). Reads of a past step find a
 * period's vintages by the steps that changed it, never by scanning all of them. */
#pragma once

#include "base/buf.h"
#include "core/engine.h"
#include "core/panel.h"
#include "core/polite.h"
#include "store/store.h"

typedef enum FetchOutcome {
        OUTCOME_NEW = 1,
        OUTCOME_UNCHANGED = 2,
        OUTCOME_NOT_MODIFIED = 3,
        OUTCOME_REJECTED = 4,
        OUTCOME_FAILED = 5,
        OUTCOME_SUSPECT = 6,
} FetchOutcome;
const char *fetch_outcome_name(
        FetchOutcome
                outcome); /* "new", "unchanged", "not_modified", "rejected", "failed", "suspect" */

typedef struct AttemptRow {
        int64_t id;
        const char *source, *scope;
        PeriodId period;
        int64_t at_ms, duration_ms;
        int http_status;
        int64_t bytes; /* decoded bytes of all parts */
        FetchOutcome outcome;
        const char *reason; /* or NULL */
        int64_t snapshot;   /* row made or confirmed; 0 */
} AttemptRow;
int store_attempt_add(Store *s, const AttemptRow *row, int64_t *ret_id);
/* Attempts in a row, newest first, that failed or were rejected: of one source and scope and of
 * periods of the type of `from`, not before it. At most 1000 are counted. */
int store_scope_failures(Store *s, const char *source, const char *scope, PeriodId from, int *ret);

/* A body packed once: its hash and its zstd -3 frame. */
typedef struct Body {
        uint8_t hash[32];
        size_t size;  /* of the original */
        void *packed; /* heap */
        size_t packed_size;
} Body;
int body_pack(const void *data, size_t n, Body *ret);
int body_pack_hashed(const void *data, size_t n, const uint8_t hash[static 32], Body *ret);
void body_done(Body *b);
int store_body_put(Store *s, const Body *body); /* once per hash */
/* Whether its bytes are kept. */
int store_body_has(Store *s, const uint8_t hash[static 32], bool *ret);
/* Verbatim, hash checked: -EBADMSG when it differs. STORE_E_NONE. */
int store_body_get(Store *s, const uint8_t hash[static 32], Buf *ret);

typedef enum SnapshotState {
        SNAPSHOT_ACCEPTED = 1,
        SNAPSHOT_SUSPECT = 2,
        SNAPSHOT_REJECTED = 3
} SnapshotState;

typedef struct SnapshotPart {
        const char *name; /* part's name */
        int page;         /* from 1 */
        uint8_t hash[32];
        int http_status;
        const char *url, *etag, *last_modified; /* or NULL */
        int64_t at_ms;
} SnapshotPart;

typedef struct SnapshotRow {
        int64_t id;
        const char *source, *scope;
        PeriodId period;
        StepId step;
        int64_t at_ms;
        SnapshotState state;
        const char *reason; /* of suspicion, or NULL */
        size_t n_units, n_values, n_bad;
        SnapshotPart *parts;
        size_t n_parts;
} SnapshotRow;
/* The bodies of its parts are put before it (-EINVAL otherwise). */
int store_snapshot_add(Store *s, const SnapshotRow *row, int64_t *ret_id);
/* The newest accepted (or, is_any, newest of any state) of (source, scope, period), with its parts. Heap; STORE_E_NONE. */
int store_snapshot_last(Store *s, const char *source, const char *scope, PeriodId period,
                        bool is_any, SnapshotRow **ret);
/* How many units the newest accepted one has that was not brought as a file: that speaks of its own rows alone. 0 = there is none. */
int store_snapshot_units(Store *s, const char *source, const char *scope, PeriodId period,
                         int64_t *ret);
void snapshot_row_free(SnapshotRow *row);
DEFINE_CLEANUP(SnapshotRow, snapshot_row_free)
int store_snapshot_get(Store *s, int64_t id, SnapshotRow **ret); /* with its parts; STORE_E_NONE */
typedef struct SnapshotFilter {
        const char *source; /* NULL = any */
        PeriodId period;    /* 0 = any */
        StepId as_of;       /* 0 = now; else states are those of then */
        size_t limit, offset;
} SnapshotFilter;
/* Newest first, without parts. */
int store_snapshots_list(Store *s, const SnapshotFilter *filter, SnapshotRow **ret, size_t *ret_n);
void snapshot_rows_free(SnapshotRow *rows, size_t n);
/* A person accepts or rejects a suspect one; its figures are known from this step on. STORE_E_NONE when it is not suspect. */
int store_snapshot_decide(Store *s, StepId step, int64_t id, SnapshotState state);
/* An accepted one is taken back: it counts as rejected. STORE_E_NONE when it is not accepted. */
int store_snapshot_undo(Store *s, StepId step, int64_t id);
/* What counted just before `step`, was not undone at it and is of the same source and period: all of its scope, and of the other scopes all
 * files and the newest answer. Newest first. Heap array. */
typedef struct StandingSnapshot {
        int64_t id;
        StepCause cause; /* of the step at which it was known */
} StandingSnapshot;
int store_snapshots_standing(Store *s, const SnapshotRow *like, StepId step, StandingSnapshot **ret,
                             size_t *ret_n);
/* Its state as of a step (not 0). STORE_E_NONE: it was not there yet. */
int store_snapshot_then(Store *s, int64_t id, StepId as_of, SnapshotState *ret);
/* Suspects in a row since one was last accepted, or seen again unchanged. */
int store_snapshot_suspects(Store *s, const char *source, const char *scope, PeriodId period,
                            int *ret);
/* When (ms) an attempt last saw the figures of the period (accepted, unchanged, not modified), any scope = NULL; 0 never.
 * *ret_first: the first accepted snapshot's instant, 0. */
int store_seen(Store *s, const char *source, const char *scope, PeriodId period, int64_t *ret_last,
               int64_t *ret_first);
/* The last of it as of a step (not 0) and the instant that it was asked for. Attempts that changed nothing are no steps, and are
 * forgotten after a while (retention): before that the newest snapshot that counted tells when. */
int store_seen_then(Store *s, const char *source, PeriodId period, StepId step, int64_t at_ms,
                    int64_t *ret_last);
/* When any figure of the source in the period last changed (or came); 0 = there is none. */
int store_figures_changed(Store *s, const char *source, PeriodId period, int64_t *ret_ms);
/* Newest period of the type with a figure of the source; 0 = none. */
int store_period_newest(Store *s, const char *source, PeriodType type, PeriodId *ret);

/* Data notes: shown with the snapshot and in status; they change no figure. unit, indicator may be 0. */
int store_note_add(Store *s, StepId step, int64_t snapshot, PeriodId period, UnitId unit,
                   IndicatorId indicator, const char *kind, const char *text);

typedef struct NoteRow {
        int64_t id, snapshot;
        StepId step;
        PeriodId period;
        UnitId unit;
        IndicatorId indicator;
        char *kind, *text;
} NoteRow;
/* Of the accepted snapshots of the newest period that the source has, those of a scope that a later
 * one replaced left out: how many notes, and the newest snapshot that has one (0 = none). */
int store_notes_count(Store *s, const char *source, size_t *ret_n, int64_t *ret_snapshot);
/* Newest first; snapshot 0 = of all. */
int store_notes(Store *s, int64_t snapshot, size_t limit, NoteRow **ret, size_t *ret_n);
void note_rows_free(NoteRow *rows, size_t n);

/* All figures of the period for the indicators (sorted ids) and the units of a scope: those whose parent is `parent`, and
 * `parent` itself; parent 0 = every unit. Sorted by (indicator, unit). Heap array. */
int store_figures_of(Store *s, PeriodId period, const IndicatorId *indicators, size_t n,
                     UnitId parent, FigureRow **ret, size_t *ret_n);
/* Writes a change: the old row becomes a vintage that ends at `step`. An equal value changes nothing. -EINVAL: no value
 * without a reason, or an unknown unit, indicator or step. */
int store_figure_put(Store *s, StepId step, PeriodId period, const FigureChange *change);
/* What would undo at `step` an import that was `known` at another one. All figures of the period that may stand by its word: as
 * it or an undone import left them, or an undoing put them back. `old`: what stands; `now`: the newest value that is of no undone
 * import (gone when there was none) where this one had brought another, else the same. Whether somebody has said the same as it
 * does not show here: equal values make no vintage. Sorted by (indicator, unit). Heap array. */
int store_figures_undone(Store *s, PeriodId period, StepId known, StepId step, FigureChange **ret,
                         size_t *ret_n);
/* One figure as of a step (0 = now). STORE_E_NONE when nothing is known. */
int store_figure_get(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, StepId as_of,
                     FigureRow *ret, StepId *ret_from);
/* Fills a panel as of a step (0 = now). */
int store_panel_load(Store *s, IndicatorId indicator, StepId as_of, Panel *panel);
/* The same as known now, without the row of one period, which the caller has filled. */
int store_panel_load_rest(Store *s, IndicatorId indicator, size_t period, Panel *panel);
/* Units with a figure row of the indicator in the period as of the step: ids in ascending order. Heap array. */
int store_units_of(Store *s, PeriodId period, IndicatorId indicator, StepId as_of, UnitId **ret,
                   size_t *ret_n);
/* Whether the period has such a figure; the oldest and newest period of the type with a figure of the indicator that is not gone as of the step (0 = now), or, as of
 * STEP_EVER, that ever had one; STORE_E_NONE. */
#define STEP_EVER ((StepId) -1)
int store_period_stands(Store *s, PeriodId period, IndicatorId indicator, StepId as_of, bool *ret);
int store_period_range(Store *s, IndicatorId indicator, PeriodType type, StepId as_of,
                       PeriodId *ret_first, PeriodId *ret_last);

/* Every vintage of one figure, oldest first, the present one last (until = 0), with the snapshot that brought it and the
 * hash of its body: of the first page of `part`, or, where there is none (or part is NULL), of the snapshot's first. Its
 * source is the indicator's. Heap array. */
typedef struct VintageRow {
        int64_t value;
        Why why;
        StepId from, until;
        int64_t from_ms;
        int64_t snapshot; /* 0 = import or unknown */
        char hash[65];    /* hex; "" */
} VintageRow;
int store_vintages(Store *s, PeriodId period, IndicatorId indicator, UnitId unit, const char *part,
                   VintageRow **ret, size_t *ret_n);

/* Values that were replaced, newest first: what was known until the step `until`, and what has been known since. */
typedef struct RevisionRow {
        PeriodId period;
        IndicatorId indicator;
        UnitId unit;
        StepId until;
        int64_t at_ms; /* of the step */
        StepCause cause;
        int64_t old_value, new_value;
        Why old_why, new_why;
} RevisionRow;
typedef struct RevisionFilter {
        PeriodId period;       /* 0 = any */
        IndicatorId indicator; /* 0 = any */
        UnitId unit;           /* 0 = any */
        StepId as_of;          /* 0 = now */
        size_t limit, offset;
} RevisionFilter;
int store_revisions(Store *s, const RevisionFilter *filter, RevisionRow **ret, size_t *ret_n);

/* Durable state of a source towards its publisher. Zero when there is none yet. */
int store_polite_get(Store *s, const char *source, PoliteState *ret);
int store_polite_put(Store *s, const char *source, const PoliteState *state);
/* When a job (source, scope, period) was last asked (any outcome), 0 = never; and its last outcome and reason. */
typedef struct JobSeen {
        int64_t at_ms;
        FetchOutcome outcome;
        char reason[256];
        int64_t good_ms; /* last accepted, unchanged or not modified */
} JobSeen;
int store_job_seen(Store *s, const char *source, const char *scope, PeriodId period, JobSeen *ret);
/* The source's newest attempt, and when any of its jobs was last good. */
int store_source_seen(Store *s, const char *source, JobSeen *ret);
