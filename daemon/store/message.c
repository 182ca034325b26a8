/* Message rows and their items.
 *
 * The states a row may leave are guarded in the WHERE of each statement, so that a late settle or a
 * second start finds no row instead of undoing what was decided: accepted is final, void never
 * comes back, bytes are fixed once `maybe` > 0. */
#include <errno.h>

#include "store/outbox.h"
#include "store/sql.h"

const char *message_state_name(MessageState state) {
        switch (state) {
        case MESSAGE_READY:
                return "ready";
        case MESSAGE_STARTED:
                return "started";
        case MESSAGE_ACCEPTED:
                return "accepted";
        case MESSAGE_DEAD:
                return "dead";
        case MESSAGE_VOID:
                return "void";
        }
        return "unknown";
}

/* ---- writing
 * ----------------------------------------------------------------------------------------------------
 */

static int items_add(Store *s, int64_t message, const PlanItem *items, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                const PlanItem *p = &items[i];

                r = query_run(s, STMT_MESSAGE_ITEM_ADD,
                              ARGS(arg_int(message), arg_int((int64_t) i), arg_int(p->say),
                                   arg_id(p->episode), arg_id(p->indicator), arg_int(p->period),
                                   arg_id(p->unit), arg_value(p->value), arg_value(p->old_value),
                                   arg_id(p->corrects), arg_int(p->severity)));
        }
        return r;
}

int store_message_add(Store *s, StepId step, const MessageRow *row, const PlanItem *items,
                      size_t n_items, int64_t *ret_id) {
        int64_t id;
        int r;

        r = query_run(s, STMT_MESSAGE_ADD,
                      ARGS(arg_int(row->target), arg_text(row->uuid),
                           arg_text(str_or(row->subject, "")), arg_text(row->content_type),
                           arg_blob(row->body, row->body_size), arg_int(row->created_ms),
                           arg_int(row->next_ms), arg_int(step), arg_int(row->is_drill)));
        if (r < 0)
                return r;
        id = sqlite3_last_insert_rowid(s->db);
        r = items_add(s, id, items, n_items);
        if (r >= 0 && !row->is_drill) /* a drill opens and closes no gate */
                r = query_run(s, STMT_TARGET_RELEASED,
                              ARGS(arg_int(row->target), arg_int(row->created_ms)));
        if (r < 0)
                return r;
        *ret_id = id;
        return 0;
}

int store_message_remake(Store *s, StepId step, const MessageRow *row, const PlanItem *items,
                         size_t n_items) {
        int64_t maybe;
        int r, changes;

        r = query_change(s, STMT_MESSAGE_REMAKE,
                         ARGS(arg_int(row->id), arg_text(str_or(row->subject, "")),
                              arg_text(row->content_type), arg_blob(row->body, row->body_size),
                              arg_int(step)),
                         &changes);
        if (r >= 0 && changes == 0) {
                r = query_int(s, STMT_MESSAGE_MAYBE, ARGS(arg_int(row->id)), 0, &maybe);
                return r < 0 ? r : maybe > 0 ? -EPERM : STORE_E_NONE;
        }
        if (r >= 0)
                r = query_run(s, STMT_MESSAGE_ITEMS_END, ARGS(arg_int(row->id)));
        if (r >= 0)
                r = items_add(s, row->id, items, n_items);
        return r;
}

static int change_one(Store *s, StatementId id, const Arg *args, size_t n) {
        int r, changes;

        r = query_change(s, id, args, n, &changes);
        if (r < 0)
                return r;
        return changes ? 0 : STORE_E_NONE;
}

int store_message_start(Store *s, int64_t id, int64_t now_ms) {
        return change_one(s, STMT_MESSAGE_START, ARGS(arg_int(id), arg_int(now_ms)));
}

int store_message_settle(Store *s, StepId step, const MessageRow *row) {
        assert(row->state != MESSAGE_STARTED);
        return change_one(s, STMT_MESSAGE_SETTLE,
                          ARGS(arg_int(row->id), arg_int(row->state), arg_int(row->next_ms),
                               arg_int(row->maybe), arg_int(row->open_starts),
                               arg_text(row->outcome), arg_text(row->response), arg_int(step),
                               arg_int(row->settled_ms), arg_int(row->attempts)));
}

int store_message_retry(Store *s, StepId step, int64_t id) {
        int64_t target;
        int r;

        r = change_one(s, STMT_MESSAGE_RETRIED, ARGS(arg_int(id), arg_int(step)));
        if (r == 0)
                r = query_int(s, STMT_MESSAGE_TARGET, ARGS(arg_int(id)), 0, &target);
        if (r == 0)
                r = query_run(s, STMT_TARGET_OK, ARGS(arg_int(target)));
        if (r == 0)
                r = query_run(s, STMT_TOLD_GAVE_UP_CLEAR, ARGS(arg_int(target), arg_int(step)));
        return r;
}

/* ---- reading
 * ----------------------------------------------------------------------------------------------------
 */

#define MESSAGE_N_COLUMNS 18 /* without the body */

static int read_body(Query q, MessageRow *row) {
        const void *data = sqlite3_column_blob(q, MESSAGE_N_COLUMNS);
        size_t n = (size_t) sqlite3_column_bytes(q, MESSAGE_N_COLUMNS);

        if (sqlite3_column_type(q, MESSAGE_N_COLUMNS) == SQLITE_NULL)
                return 0; /* past its retention */
        row->body = calloc(1, n + 1);
        if (!row->body)
                return -ENOMEM;
        if (n)
                memcpy(row->body, data, n);
        row->body_size = n;
        return 0;
}

static int read_message(Query q, MessageRow *row) {
        int r;

        *row = (MessageRow){
                .id = column_int(q, 0),
                .target = column_int(q, 1),
                .state = (MessageState) column_int(q, 3),
                .created_ms = column_int(q, 6),
                .next_ms = column_int(q, 7),
                .started_ms = column_int(q, 8),
                .settled_ms = column_int(q, 9),
                .released = column_int(q, 10),
                .settled = column_int(q, 11),
                .attempts = (unsigned) column_int(q, 12),
                .maybe = (unsigned) column_int(q, 13),
                .open_starts = (unsigned) column_int(q, 14),
                .is_drill = column_int(q, 17) != 0,
        };
        r = column_text(q, 2, &row->uuid);
        if (r >= 0)
                r = column_text(q, 4, &row->subject);
        if (r >= 0)
                r = column_text(q, 5, &row->content_type);
        if (r >= 0)
                r = column_text(q, 15, &row->outcome);
        if (r >= 0)
                r = column_text(q, 16, &row->response);
        if (r >= 0 && sqlite3_column_count(q) > MESSAGE_N_COLUMNS)
                r = read_body(q, row);
        return r;
}

void message_rows_free(MessageRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].uuid);
                free(rows[i].subject);
                free(rows[i].content_type);
                free(rows[i].body);
                free(rows[i].outcome);
                free(rows[i].response);
        }
        free(rows);
}

static int messages_read(Store *s, StatementId id, const Arg *args, size_t n_args, MessageRow **ret,
                         size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        MessageRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, id, args, n_args, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_message);
        if (r < 0) {
                message_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_messages_due(Store *s, int64_t now_ms, size_t limit, MessageRow **ret, size_t *ret_n) {
        return messages_read(s, STMT_MESSAGES_DUE, ARGS(arg_int(now_ms), arg_int((int64_t) limit)),
                             ret, ret_n);
}

int store_messages_due_for(Store *s, int64_t now_ms, size_t limit, bool is_without_mail,
                           MessageRow **ret, size_t *ret_n) {
        return messages_read(s, is_without_mail ? STMT_MESSAGES_DUE_APART : STMT_MESSAGES_DUE,
                             ARGS(arg_int(now_ms), arg_int((int64_t) limit)), ret, ret_n);
}

static int message_one(Store *s, StatementId statement, int64_t id, MessageRow **ret) {
        MessageRow *rows = NULL;
        size_t n = 0;
        int r;

        r = messages_read(s, statement, ARGS(arg_int(id)), &rows, &n);
        if (r < 0)
                return r;
        if (n == 0)
                return STORE_E_NONE;
        *ret = rows;
        return 0;
}

int store_message_get(Store *s, int64_t id, MessageRow **ret) {
        return message_one(s, STMT_MESSAGE_GET, id, ret);
}

int store_message_head(Store *s, int64_t id, MessageRow **ret) {
        return message_one(s, STMT_MESSAGE_HEAD, id, ret);
}

int store_messages_started(Store *s, MessageRow **ret, size_t *ret_n) {
        return messages_read(s, STMT_MESSAGES_STARTED, NO_ARGS, ret, ret_n);
}

int store_messages_list(Store *s, int state, StepId as_of, size_t limit, size_t offset,
                        MessageRow **ret, size_t *ret_n) {
        return messages_read(s, STMT_MESSAGES_LIST,
                             ARGS(arg_int(state), arg_int(as_of ? as_of : INT64_MAX),
                                  arg_int((int64_t) limit), arg_int((int64_t) offset)),
                             ret, ret_n);
}

static int read_item(Query q, PlanItem *item) {
        *item = (PlanItem){
                .say = (Say) column_int(q, 0),
                .episode = column_int(q, 1),
                .indicator = (IndicatorId) column_int(q, 2),
                .period = (PeriodId) column_int(q, 3),
                .unit = (UnitId) column_int(q, 4),
                .value = column_value(q, 5),
                .old_value = column_value(q, 6),
                .corrects = column_int(q, 7),
                .severity = (Severity) column_int(q, 8),
        };
        return 0;
}

int store_message_items(Store *s, int64_t message, PlanItem **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE PlanItem *items = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_MESSAGE_ITEMS, ARGS(arg_int(message)), &q);
        if (r >= 0)
                r = COLLECT(q, items, n, cap, read_item);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(items);
        *ret_n = n;
        return 0;
}

int store_message_opening(Store *s, int64_t target, int64_t episode, char **ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_MESSAGE_OPENING, ARGS(arg_int(target), arg_int(episode)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        return column_text(q, 0, ret);
}

static int find_one(Store *s, StatementId statement, const Arg *args, size_t n, bool *ret) {
        CLEANUP_QUERY Query q = NULL;

        int r = query_begin(s, statement, args, n, &q);
        if (r >= 0)
                r = query_next(q);
        if (r < 0)
                return r;
        *ret = r > 0;
        return 0;
}

int store_message_has_letter(Store *s, int64_t target, PeriodId period, bool *ret) {
        return find_one(s, STMT_MESSAGE_LETTER, ARGS(arg_int(target), arg_int(period)), ret);
}

int store_message_is_letter(Store *s, int64_t message, bool *ret) {
        return find_one(s, STMT_MESSAGE_IS_LETTER, ARGS(arg_int(message)), ret);
}

int store_target_recent(Store *s, int64_t target, int64_t since_ms, size_t *ret_n,
                        int64_t *ret_first_ms) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_TARGET_RECENT, ARGS(arg_int(target), arg_int(since_ms)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r < 0)
                return r;
        *ret_n = (size_t) column_int(q, 0);
        *ret_first_ms = column_int(q, 1);
        return 0;
}

int store_target_busy(Store *s, int64_t target, bool *ret) {
        int64_t is_busy;
        int r;

        r = query_int(s, STMT_MESSAGE_BUSY, ARGS(arg_int(target)), 0, &is_busy);
        if (r < 0)
                return r;
        *ret = is_busy != 0;
        return 0;
}

int store_message_next(Store *s, int64_t *ret_ms) {
        return query_int(s, STMT_MESSAGE_NEXT, NO_ARGS, INT64_MAX, ret_ms);
}

int store_message_next_after(Store *s, int64_t now_ms, int64_t *ret_ms) {
        return query_int(s, STMT_MESSAGE_NEXT_AFTER, ARGS(arg_int(now_ms)), INT64_MAX, ret_ms);
}

int store_outbox_counts(Store *s, OutboxCounts *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_OUTBOX_COUNTS, NO_ARGS, &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        *ret = (OutboxCounts){
                .ready = (size_t) column_int(q, 0),
                .started = (size_t) column_int(q, 1),
                .dead = (size_t) column_int(q, 2),
        };
        return 0;
}
