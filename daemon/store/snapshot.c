/* Attempts, snapshots, data notes, and what is known of a source's manners.
 *
 * `job` repeats the newest attempt of each (source, scope, period) because attempts are kept for a
 * while only, but whether a period was ever looked at after its end must be known for ever. */
#include <errno.h>

#include "store/figure.h"
#include "store/sql.h"

#define ATTEMPT_LONGEST_MS (30 * MS_PER_MINUTE) /* flow/fetch gives up before */

const char *fetch_outcome_name(FetchOutcome outcome) {
        switch (outcome) {
        case OUTCOME_NEW:
                return "new";
        case OUTCOME_UNCHANGED:
                return "unchanged";
        case OUTCOME_NOT_MODIFIED:
                return "not_modified";
        case OUTCOME_REJECTED:
                return "rejected";
        case OUTCOME_FAILED:
                return "failed";
        case OUTCOME_SUSPECT:
                return "suspect";
        }
        return "unknown";
}

static bool outcome_is_good(FetchOutcome outcome) {
        return outcome == OUTCOME_NEW || outcome == OUTCOME_UNCHANGED ||
               outcome == OUTCOME_NOT_MODIFIED;
}

/* ---- attempts
 * ---------------------------------------------------------------------------------------------------
 */

int store_attempt_add(Store *s, const AttemptRow *row, int64_t *ret_id) {
        int64_t id;
        int r;

        r = query_run(s, STMT_ATTEMPT_ADD,
                      ARGS(arg_text(row->source), arg_text(row->scope), arg_int(row->period),
                           arg_int(row->at_ms), arg_int(row->duration_ms),
                           arg_int(row->http_status), arg_int(row->bytes), arg_int(row->outcome),
                           arg_text(row->reason), arg_id(row->snapshot)));
        if (r < 0)
                return r;
        id = sqlite3_last_insert_rowid(s->db);
        r = query_run(s, STMT_JOB_PUT,
                      ARGS(arg_text(row->source), arg_text(row->scope), arg_int(row->period),
                           arg_int(row->at_ms), arg_int(row->outcome), arg_text(row->reason),
                           arg_int(outcome_is_good(row->outcome) ? row->at_ms : 0)));
        if (r < 0)
                return r;
        if (ret_id)
                *ret_id = id;
        return 0;
}

static int query_seen(Store *s, StatementId id, const Arg *args, size_t n, JobSeen *ret) {
        CLEANUP_QUERY Query q = NULL;
        JobSeen seen = {0};
        int r;

        r = query_begin(s, id, args, n, &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        if (r > 0) {
                seen.at_ms = column_int(q, 0);
                seen.outcome = (FetchOutcome) column_int(q, 1);
                column_text_fixed(q, 2, seen.reason, sizeof(seen.reason));
                seen.good_ms = column_int(q, 3);
        }
        *ret = seen;
        return 0;
}

int store_job_seen(Store *s, const char *source, const char *scope, PeriodId period, JobSeen *ret) {
        return query_seen(s, STMT_JOB_GET, ARGS(arg_text(source), arg_text(scope), arg_int(period)),
                          ret);
}

int store_source_seen(Store *s, const char *source, JobSeen *ret) {
        return query_seen(s, STMT_JOB_NEWEST, ARGS(arg_text(source)), ret);
}

int store_scope_failures(Store *s, const char *source, const char *scope, PeriodId from, int *ret) {
        CLEANUP_QUERY Query q = NULL;
        int n = 0;
        int r = query_begin(s, STMT_ATTEMPT_OUTCOMES,
                            ARGS(arg_text(source), arg_text(scope), arg_int(from)), &q);

        while (r >= 0 && (r = query_next(q)) > 0) {
                FetchOutcome outcome = (FetchOutcome) column_int(q, 0);
                if (outcome != OUTCOME_FAILED && outcome != OUTCOME_REJECTED)
                        break;
                n++;
        }
        if (r < 0)
                return r;
        *ret = n;
        return 0;
}

int store_seen(Store *s, const char *source, const char *scope, PeriodId period, int64_t *ret_last,
               int64_t *ret_first) {
        CLEANUP_QUERY Query q = NULL;
        int64_t last;
        int r;

        r = query_int(s, STMT_JOB_SEEN, ARGS(arg_text(source), arg_int(period), arg_text(scope)), 0,
                      &last);
        if (r >= 0)
                r = scope ? query_begin(s, STMT_SNAPSHOT_SEEN,
                                        ARGS(arg_text(source), arg_int(period), arg_text(scope)),
                                        &q)
                          : query_begin(s, STMT_SNAPSHOT_SEEN_ANY,
                                        ARGS(arg_text(source), arg_int(period)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r < 0)
                return r;
        assert(r == 1); /* both always have their one row; NULL reads as 0 */
        if (ret_last)
                *ret_last = MAX(last, column_int(q, 0));
        if (ret_first)
                *ret_first = column_int(q, 1);
        return 0;
}

int store_seen_then(Store *s, const char *source, PeriodId period, StepId step, int64_t at_ms,
                    int64_t *ret_last) {
        int64_t known, good, looked;
        int r = query_int(s, STMT_SNAPSHOT_SEEN_THEN,
                          ARGS(arg_text(source), arg_int(period), arg_int(step)), 0, &known);
        if (r >= 0)
                r = query_int(s, STMT_JOB_SEEN,
                              ARGS(arg_text(source), arg_int(period), arg_text(NULL)), 0, &good);
        if (r < 0)
                return r;
        if (good > at_ms - ATTEMPT_LONGEST_MS) { /* some of it came later, or was under way */
                r = query_int(
                        s, STMT_ATTEMPT_SEEN_THEN,
                        ARGS(arg_text(source), arg_int(period), arg_int(known), arg_int(at_ms)), 0,
                        &looked);
                good = looked;
        }
        if (r >= 0)
                *ret_last = MAX(known, good);
        return r;
}

int store_figures_changed(Store *s, const char *source, PeriodId period, int64_t *ret_ms) {
        return query_int(s, STMT_FIGURES_CHANGED, ARGS(arg_text(source), arg_int(period)), 0,
                         ret_ms);
}

/* ---- snapshots
 * --------------------------------------------------------------------------------------------------
 */

static int part_add(Store *s, int64_t snapshot, size_t n, const SnapshotPart *p) {
        return query_run(s, STMT_SNAPSHOT_PART_ADD,
                         ARGS(arg_int(snapshot), arg_int((int64_t) n), arg_text(p->name),
                              arg_int(p->page), arg_blob(p->hash, sizeof(p->hash)),
                              arg_int(p->http_status), arg_text(p->url), arg_text(p->etag),
                              arg_text(p->last_modified), arg_int(p->at_ms)));
}

int store_snapshot_add(Store *s, const SnapshotRow *row, int64_t *ret_id) {
        StepId known = row->state == SNAPSHOT_ACCEPTED ? row->step : 0;
        int64_t id;
        int r;

        r = query_run(s, STMT_SNAPSHOT_ADD,
                      ARGS(arg_text(row->source), arg_text(row->scope), arg_int(row->period),
                           arg_int(row->step), arg_id(known), arg_int(row->at_ms),
                           arg_int(row->state), arg_text(row->reason),
                           arg_int((int64_t) row->n_units), arg_int((int64_t) row->n_values),
                           arg_int((int64_t) row->n_bad)));
        if (r < 0)
                return r;
        id = sqlite3_last_insert_rowid(s->db);
        for (size_t i = 0; i < row->n_parts && r >= 0; i++)
                r = part_add(s, id, i, &row->parts[i]);
        if (r < 0)
                return r;
        if (ret_id)
                *ret_id = id;
        return 0;
}

/* The strings are const for those who fill a row; here they are ours. */
static int read_text(Query q, int i, const char **ret) {
        char *text = NULL;
        int r = column_text(q, i, &text);

        if (r >= 0)
                *ret = text;
        return r;
}

static int read_snapshot(Query q, SnapshotRow *row) {
        int r;

        row->id = column_int(q, 0);
        row->period = (PeriodId) column_int(q, 3);
        row->step = column_int(q, 4);
        row->at_ms = column_int(q, 5);
        row->state = (SnapshotState) column_int(q, 6);
        row->n_units = (size_t) column_int(q, 8);
        row->n_values = (size_t) column_int(q, 9);
        row->n_bad = (size_t) column_int(q, 10);
        r = read_text(q, 1, &row->source);
        if (r >= 0)
                r = read_text(q, 2, &row->scope);
        if (r >= 0)
                r = read_text(q, 7, &row->reason);
        return r;
}

static int read_part(Query q, SnapshotPart *p) {
        const void *hash = sqlite3_column_blob(q, 2);
        int r;

        if (!hash || sqlite3_column_bytes(q, 2) != (int) sizeof(p->hash))
                return -EBADMSG;
        memcpy(p->hash, hash, sizeof(p->hash));
        p->page = (int) column_int(q, 1);
        p->http_status = (int) column_int(q, 3);
        p->at_ms = column_int(q, 7);
        r = read_text(q, 0, &p->name);
        if (r >= 0)
                r = read_text(q, 4, &p->url);
        if (r >= 0)
                r = read_text(q, 5, &p->etag);
        if (r >= 0)
                r = read_text(q, 6, &p->last_modified);
        return r;
}

static int snapshot_parts(Store *s, SnapshotRow *row) {
        CLEANUP_QUERY Query q = NULL;
        size_t cap = 0;
        int r;

        r = query_begin(s, STMT_SNAPSHOT_PARTS, ARGS(arg_int(row->id)), &q);
        if (r < 0)
                return r;
        return COLLECT(q, row->parts, row->n_parts, cap, read_part);
}

static void snapshot_row_done(SnapshotRow *row) {
        for (size_t i = 0; i < row->n_parts; i++) {
                free((char *) row->parts[i].name);
                free((char *) row->parts[i].url);
                free((char *) row->parts[i].etag);
                free((char *) row->parts[i].last_modified);
        }
        free(row->parts);
        free((char *) row->source);
        free((char *) row->scope);
        free((char *) row->reason);
}

void snapshot_row_free(SnapshotRow *row) {
        if (!row)
                return;
        snapshot_row_done(row);
        free(row);
}

void snapshot_rows_free(SnapshotRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                snapshot_row_done(&rows[i]);
        free(rows);
}

static int snapshot_take(Store *s, Query q, SnapshotRow **ret) {
        SnapshotRow *row;
        int r;

        r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        row = calloc(1, sizeof(*row));
        if (!row)
                return -ENOMEM;
        r = read_snapshot(q, row);
        if (r >= 0)
                r = snapshot_parts(s, row);
        if (r < 0) {
                snapshot_row_free(row);
                return r;
        }
        *ret = row;
        return 0;
}

int store_snapshot_last(Store *s, const char *source, const char *scope, PeriodId period,
                        bool is_any, SnapshotRow **ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(
                s, STMT_SNAPSHOT_LAST,
                ARGS(arg_text(source), arg_text(scope), arg_int(period), arg_int(is_any ? 1 : 0)),
                &q);
        if (r < 0)
                return r;
        return snapshot_take(s, q, ret);
}

int store_snapshot_get(Store *s, int64_t id, SnapshotRow **ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_SNAPSHOT_GET, ARGS(arg_int(id)), &q);
        if (r < 0)
                return r;
        return snapshot_take(s, q, ret);
}

int store_snapshots_list(Store *s, const SnapshotFilter *filter, SnapshotRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        SnapshotRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_SNAPSHOT_LIST,
                        ARGS(arg_text(filter->source), arg_id(filter->period),
                             arg_int(filter->as_of ? filter->as_of : INT64_MAX),
                             arg_int((int64_t) filter->limit), arg_int((int64_t) filter->offset)),
                        &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_snapshot);
        if (r < 0) {
                snapshot_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_snapshot_decide(Store *s, StepId step, int64_t id, SnapshotState state) {
        int r, changes;

        assert(state == SNAPSHOT_ACCEPTED || state == SNAPSHOT_REJECTED);
        r = query_change(s, STMT_SNAPSHOT_DECIDE, ARGS(arg_int(id), arg_int(state), arg_int(step)),
                         &changes);
        if (r < 0)
                return r;
        return changes ? 0 : STORE_E_NONE;
}

int store_snapshot_undo(Store *s, StepId step, int64_t id) {
        int r, changes;

        r = query_change(s, STMT_SNAPSHOT_UNDO, ARGS(arg_int(id), arg_int(step)), &changes);
        if (r < 0)
                return r;
        return changes ? 0 : STORE_E_NONE;
}

static int read_standing(Query q, StandingSnapshot *row) {
        *row = (StandingSnapshot){column_int(q, 0), (StepCause) column_int(q, 1)};
        return 0;
}

int store_snapshot_units(Store *s, const char *source, const char *scope, PeriodId period,
                         int64_t *ret) {
        return query_int(s, STMT_SNAPSHOT_UNITS,
                         ARGS(arg_text(source), arg_text(scope), arg_int(period)), 0, ret);
}

int store_snapshots_standing(Store *s, const SnapshotRow *like, StepId step, StandingSnapshot **ret,
                             size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE StandingSnapshot *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_SNAPSHOTS_STANDING,
                        ARGS(arg_text(like->source), arg_text(like->scope), arg_int(like->period),
                             arg_int(step)),
                        &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_standing);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

int store_snapshot_then(Store *s, int64_t id, StepId as_of, SnapshotState *ret) {
        int64_t state;
        int r = query_int(s, STMT_SNAPSHOT_THEN, ARGS(arg_int(id), arg_int(0), arg_int(as_of)), -1,
                          &state);

        if (r < 0)
                return r;
        if (state < 0)
                return STORE_E_NONE;
        *ret = (SnapshotState) state;
        return 0;
}

int store_snapshot_suspects(Store *s, const char *source, const char *scope, PeriodId period,
                            int *ret) {
        int64_t n;
        int r;

        r = query_int(s, STMT_SNAPSHOT_SUSPECTS,
                      ARGS(arg_text(source), arg_text(scope), arg_int(period)), 0, &n);
        if (r < 0)
                return r;
        *ret = (int) n;
        return 0;
}

/* ---- notes
 * ------------------------------------------------------------------------------------------------------
 */

int store_note_add(Store *s, StepId step, int64_t snapshot, PeriodId period, UnitId unit,
                   IndicatorId indicator, const char *kind, const char *text) {
        return query_run(s, STMT_NOTE_ADD,
                         ARGS(arg_int(step), arg_id(snapshot), arg_int(period), arg_id(unit),
                              arg_id(indicator), arg_text(kind), arg_text(text)));
}

static int read_note(Query q, NoteRow *row) {
        int r;

        row->id = column_int(q, 0);
        row->step = column_int(q, 1);
        row->snapshot = column_int(q, 2);
        row->period = (PeriodId) column_int(q, 3);
        row->unit = (UnitId) column_int(q, 4);
        row->indicator = (IndicatorId) column_int(q, 5);
        r = column_text(q, 6, &row->kind);
        if (r >= 0)
                r = column_text(q, 7, &row->text);
        return r;
}

int store_notes_count(Store *s, const char *source, size_t *ret_n, int64_t *ret_snapshot) {
        CLEANUP_QUERY Query q = NULL;
        int r = query_begin(s, STMT_NOTES_COUNT, ARGS(arg_text(source)), &q);

        if (r >= 0)
                r = query_next(q);
        if (r < 0)
                return r;
        assert(r == 1); /* an aggregate always has its row */
        *ret_n = (size_t) column_int(q, 0);
        *ret_snapshot = column_int(q, 1);
        return 0;
}

int store_notes(Store *s, int64_t snapshot, size_t limit, NoteRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        NoteRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_NOTES, ARGS(arg_id(snapshot), arg_int((int64_t) limit)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_note);
        if (r < 0) {
                note_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void note_rows_free(NoteRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].kind);
                free(rows[i].text);
        }
        free(rows);
}

/* ---- manners
 * ----------------------------------------------------------------------------------------------------
 */

int store_polite_get(Store *s, const char *source, PoliteState *ret) {
        CLEANUP_QUERY Query q = NULL;
        PoliteState state = {0};
        int r;

        r = query_begin(s, STMT_POLITE_GET, ARGS(arg_text(source)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        if (r > 0)
                state = (PoliteState){
                        .next_ms = column_int(q, 0),
                        .failures = (int) column_int(q, 1),
                        .refused_days = (int) column_int(q, 2),
                        .refused_day = (Day) column_int(q, 3),
                        .backoff_ms = column_int(q, 4),
                        .is_stopped = column_int(q, 5) != 0,
                        .last = (FetchFault) column_int(q, 6),
                };
        *ret = state;
        return 0;
}

int store_polite_put(Store *s, const char *source, const PoliteState *state) {
        return query_run(s, STMT_POLITE_PUT,
                         ARGS(arg_text(source), arg_int(state->next_ms), arg_int(state->failures),
                              arg_int(state->refused_days), arg_int(state->refused_day),
                              arg_int(state->backoff_ms), arg_int(state->is_stopped),
                              arg_int(state->last)));
}
