/* Rule versions, holds, silences, acknowledgements: what people and configuration say about
 * episodes. */
#include "store/alert.h"

#include <errno.h>

#include "store/sql.h"

/* ---- rule versions --------------------------------------------------------------------------- */

static int read_rule_text(Query q, RuleTextRow *row) {
        row->from = (PeriodId) column_int(q, 0);
        row->step = column_int(q, 2);
        return column_text(q, 1, &row->text);
}

int store_rule_texts(Store *s, const char *rule, RuleTextRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        RuleTextRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_RULE_TEXTS, ARGS(arg_text(rule)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_rule_text);
        if (r < 0) {
                rule_text_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void rule_text_rows_free(RuleTextRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(rows[i].text);
        free(rows);
}

int store_rule_text_put(Store *s, StepId step, const char *rule, PeriodId from, const char *text) {
        return query_run(s, STMT_RULE_TEXT_PUT,
                         ARGS(arg_text(rule), arg_int(from), arg_text(text), arg_int(step)));
}

int store_rule_rename(Store *s, const char *old, const char *name) {
        int r = query_run(s, STMT_RULE_RENAME_TEXTS, ARGS(arg_text(old), arg_text(name)));
        if (r < 0)
                return r;
        r = query_run(s, STMT_RULE_RENAME_EPISODES, ARGS(arg_text(old), arg_text(name)));
        if (r >= 0)
                r = query_run(s, STMT_RULE_RENAME_HOLDS, ARGS(arg_text(old), arg_text(name)));
        if (r >= 0)
                r = query_run(s, STMT_RULE_RENAME_RELEASES, ARGS(arg_text(old), arg_text(name)));
        return r;
}

/* ---- holds
 * ------------------------------------------------------------------------------------------------------
 */

int store_hold_released(Store *s, const char *subject, bool *ret) {
        int64_t is_released;
        int r;

        r = query_int(s, STMT_HOLD_RELEASED, ARGS(arg_text(subject)), 0, &is_released);
        if (r < 0)
                return r;
        *ret = is_released != 0;
        return 0;
}

int store_hold_release(Store *s, StepId step, const char *subject) {
        return query_run(s, STMT_HOLD_RELEASE, ARGS(arg_text(subject), arg_int(step)));
}

/* ---- silences
 * ---------------------------------------------------------------------------------------------------
 */

static int read_silence(Query q, SilenceRow *row) {
        int r;

        row->id = column_int(q, 0);
        row->unit = (UnitId) column_int(q, 2);
        row->parent = (UnitId) column_int(q, 3);
        row->severity = (Severity) column_int(q, 4);
        row->from_ms = column_int(q, 5);
        row->until_ms = column_int(q, 6);
        row->step = column_int(q, 9);
        r = column_text(q, 1, &row->rule);
        if (r >= 0)
                r = column_text(q, 7, &row->author);
        if (r >= 0)
                r = column_text(q, 8, &row->note);
        return r;
}

static int collect_silences(Query q, SilenceRow **ret, size_t *ret_n) {
        SilenceRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = COLLECT(q, rows, n, cap, read_silence);
        if (r < 0) {
                silence_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_silences(Store *s, int64_t now_ms, SilenceRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_SILENCES, ARGS(arg_int(now_ms)), &q);
        return r < 0 ? r : collect_silences(q, ret, ret_n);
}

int store_silences_all(Store *s, SilenceRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_SILENCES_ALL, NO_ARGS, &q);
        return r < 0 ? r : collect_silences(q, ret, ret_n);
}

void silence_rows_free(SilenceRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].rule);
                free(rows[i].author);
                free(rows[i].note);
        }
        free(rows);
}

int store_silence_add(Store *s, StepId step, const SilenceRow *row, int64_t *ret_id) {
        int r;

        r = query_run(s, STMT_SILENCE_ADD,
                      ARGS(arg_text(row->rule), arg_id(row->unit), arg_id(row->parent),
                           arg_int(row->severity), arg_int(row->from_ms), arg_int(row->until_ms),
                           arg_text(str_or(row->author, "")), arg_text(str_or(row->note, "")),
                           arg_int(step)));
        if (r < 0)
                return r;
        if (ret_id)
                *ret_id = sqlite3_last_insert_rowid(s->db);
        return 0;
}

int store_silence_end(Store *s, StepId step, int64_t id, int64_t at_ms) {
        int r, changes;

        r = query_change(s, STMT_SILENCE_END, ARGS(arg_int(id), arg_int(step), arg_int(at_ms)),
                         &changes);
        if (r < 0)
                return r;
        return changes ? 0 : STORE_E_NONE;
}

/* ---- acknowledgements ------------------------------------------------------------------------ */

int store_ack_add(Store *s, StepId step, int64_t episode, const char *by, const char *note,
                  int64_t until_ms) {
        int r, changes;

        r = query_change(s, STMT_ACK_ADD,
                         ARGS(arg_int(episode), arg_int(step), arg_text(str_or(by, "")),
                              arg_text(str_or(note, "")), arg_int(until_ms)),
                         &changes);
        if (r < 0)
                return r;
        return changes ? 0 : STORE_E_NONE;
}

static int read_ack(Query q, AckRow *row) {
        row->episode = column_int(q, 0);
        row->severity = (Severity) column_int(q, 1);
        return 0;
}

int store_acks(Store *s, int64_t now_ms, StepId as_of, AckRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE AckRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        if (as_of == 0)
                r = query_begin(s, STMT_ACKS, ARGS(arg_int(now_ms)), &q);
        else
                r = query_begin(s, STMT_ACKS_THEN, ARGS(arg_int(now_ms), arg_int(as_of)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_ack);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

static int read_ack_story(Query q, AckStoryRow *row) {
        row->step = column_int(q, 0);
        row->at_ms = column_int(q, 1);
        row->until_ms = column_int(q, 2);
        int r = column_text(q, 3, &row->by);
        return r == 0 ? column_text(q, 4, &row->note) : r;
}

void ack_story_rows_free(AckStoryRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].by);
                free(rows[i].note);
        }
        free(rows);
}

int store_ack_story(Store *s, int64_t episode, StepId as_of, AckStoryRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        AckStoryRow *rows = NULL;
        size_t n = 0, cap = 0;

        int r = query_begin(s, STMT_ACK_STORY,
                            ARGS(arg_int(episode), arg_int(as_of ? as_of : INT64_MAX)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_ack_story);
        if (r < 0) {
                ack_story_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_ack_end(Store *s, int64_t now_ms, int64_t *ret) {
        return query_int(s, STMT_ACK_END, ARGS(arg_int(now_ms)), 0, ret);
}
