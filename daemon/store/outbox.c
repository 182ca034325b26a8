/* Targets, the two ledgers of what was told, paused channels. Messages: message.c. */
#include "store/outbox.h"

#include <errno.h>

#include "store/sql.h"

/* ---- targets
 * ----------------------------------------------------------------------------------------------------
 */

static int read_target(Query q, TargetRow *row) {
        char **text[] = {&row->key, &row->recipient, NULL, &row->channel, &row->address,
                         NULL,      &row->reason};
        int r = 0;

        row->id = column_int(q, 0);
        row->unit = (UnitId) column_int(q, 3);
        row->state = (TargetState) column_int(q, 6);
        row->last_release_ms = column_int(q, 8);
        for (size_t i = 0; i < ELEMENTSOF(text) && r >= 0; i++)
                if (text[i])
                        r = column_text(q, (int) i + 1, text[i]);
        return r;
}

static int targets_read(Store *s, StatementId id, TargetRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        TargetRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, id, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_target);
        if (r < 0) {
                target_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_targets(Store *s, TargetRow **ret, size_t *ret_n) {
        return targets_read(s, STMT_TARGETS, ret, ret_n);
}

int store_targets_busy(Store *s, TargetRow **ret, size_t *ret_n) {
        return targets_read(s, STMT_TARGETS_BUSY, ret, ret_n);
}

int store_targets_marked(Store *s, TargetRow **ret, size_t *ret_n) {
        return targets_read(s, STMT_TARGETS_MARKED, ret, ret_n);
}

int store_target_get(Store *s, int64_t id, TargetRow *ret) {
        CLEANUP_QUERY Query q = NULL;
        TargetRow row = {0};
        int r;

        r = query_begin(s, STMT_TARGET_GET, ARGS(arg_int(id)), &q);
        if (r >= 0)
                r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        r = read_target(q, &row);
        if (r < 0) {
                target_row_done(&row);
                return r;
        }
        *ret = row;
        return 0;
}

void target_row_done(TargetRow *row) {
        free(row->key);
        free(row->recipient);
        free(row->channel);
        free(row->address);
        free(row->reason);
        *row = (TargetRow){0};
}

void target_rows_free(TargetRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                target_row_done(&rows[i]);
        free(rows);
}

int store_target_put(Store *s, StepId step, const TargetRow *row, int64_t *ret_id) {
        int64_t id;
        int r;

        r = query_run(s, STMT_TARGET_PUT,
                      ARGS(arg_text(row->key), arg_text(row->recipient), arg_id(row->unit),
                           arg_text(row->channel), arg_text(row->address), arg_int(row->state),
                           arg_text(row->reason), arg_int(row->last_release_ms), arg_int(step)));
        if (r >= 0)
                r = query_int(s, STMT_TARGET_ID, ARGS(arg_text(row->key)), 0, &id);
        if (r < 0)
                return r;
        *ret_id = id;
        return 0;
}

static int target_remove(Store *s, StepId step, int64_t target) {
        int r;

        r = query_run(s, STMT_TARGET_STATE,
                      ARGS(arg_int(target), arg_int(TARGET_REMOVED), arg_text(NULL)));
        if (r >= 0)
                r = query_run(s, STMT_TARGET_VOID, ARGS(arg_int(target), arg_int(step)));
        if (r >= 0)
                r = query_run(s, STMT_TOLD_END, ARGS(arg_int(target)));
        if (r >= 0)
                r = query_run(s, STMT_TOLD_FIGURE_END, ARGS(arg_int(target)));
        return r;
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int store_targets_keep(Store *s, StepId step, const char *const *keys, size_t n) {
        CLEANUP_FREE const char **sorted = calloc(n + 1, sizeof(*sorted));
        TargetRow *rows = NULL;
        size_t n_rows = 0;
        int r;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sorted[i] = keys[i];
        qsort(sorted, n, sizeof(*sorted), compare_keys);
        r = store_targets(s, &rows, &n_rows);
        for (size_t i = 0; i < n_rows && r >= 0; i++) {
                const char *key = rows[i].key;

                if (!bsearch(&key, sorted, n, sizeof(*sorted), compare_keys))
                        r = target_remove(s, step, rows[i].id);
        }
        target_rows_free(rows, n_rows);
        return r;
}

int store_target_state_put(Store *s, int64_t target, TargetState state, const char *reason) {
        return query_run(s, STMT_TARGET_STATE,
                         ARGS(arg_int(target), arg_int(state), arg_text(reason)));
}

/* ---- ledgers
 * ----------------------------------------------------------------------------------------------------
 */

static int read_told(Query q, Told *row) {
        *row = (Told){
                .episode = column_int(q, 0),
                .said = (Say) column_int(q, 1),
                .value = column_value(q, 2),
                .last = (PeriodId) column_int(q, 3),
                .severity = (Severity) column_int(q, 4),
                .message = column_int(q, 5),
                .said_ms = column_int(q, 6),
                .gave_up = (PeriodId) column_int(q, 7),
        };
        return 0;
}

int store_told(Store *s, int64_t target, Told **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE Told *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_TOLD, ARGS(arg_int(target)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_told);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

static int read_story(Query q, ToldRow *row) {
        int r;

        *row = (ToldRow){
                .told = {.episode = column_int(q, 1),
                         .said = (Say) column_int(q, 2),
                         .value = column_value(q, 3),
                         .last = (PeriodId) column_int(q, 4),
                         .severity = (Severity) column_int(q, 5),
                         .message = column_int(q, 6),
                         .said_ms = column_int(q, 7)},
                .corrects = column_int(q, 12),
        };
        r = column_text(q, 0, &row->target);
        return r < 0 ? r : column_text(q, 10, &row->subject);
}

void told_rows_free(ToldRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(rows[i].target);
                free(rows[i].subject);
        }
        free(rows);
}

int store_told_story(Store *s, int64_t episode, StepId as_of, ToldRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        ToldRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_TOLD_STORY,
                        ARGS(arg_int(episode), arg_int(as_of ? as_of : INT64_MAX)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_story);
        if (r < 0) {
                told_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_told_get(Store *s, int64_t target, int64_t episode, Told *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_TOLD_GET, ARGS(arg_int(target), arg_int(episode)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        if (r > 0)
                return read_told(q, ret);
        *ret = (Told){.episode = episode};
        return 0;
}

int store_told_put(Store *s, StepId step, int64_t target, const Told *row) {
        return query_run(s, STMT_TOLD_PUT,
                         ARGS(arg_int(target), arg_int(row->episode), arg_int(row->said),
                              arg_value(row->value), arg_int(row->last), arg_int(row->severity),
                              arg_id(row->message), arg_int(row->said_ms), arg_int(row->gave_up),
                              arg_int(step)));
}

static int read_told_figure(Query q, ToldFigure *row) {
        *row = (ToldFigure){
                .indicator = (IndicatorId) column_int(q, 0),
                .period = (PeriodId) column_int(q, 1),
                .unit = (UnitId) column_int(q, 2),
                .value = column_value(q, 3),
                .message = column_int(q, 4),
        };
        return 0;
}

static int read_told_figure_now(Query q, ToldFigure *row) {
        int r = read_told_figure(q, row);

        row->now_value = column_value(q, 5);
        return r;
}

int store_told_figures(Store *s, int64_t target, ToldFigure **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE ToldFigure *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_TOLD_FIGURES, ARGS(arg_int(target)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_told_figure_now);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

int store_told_figure_get(Store *s, int64_t target, IndicatorId indicator, PeriodId period,
                          UnitId unit, ToldFigure *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_TOLD_FIGURE_GET,
                        ARGS(arg_int(target), arg_int(indicator), arg_int(period), arg_int(unit)),
                        &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r < 0)
                return r;
        if (r > 0)
                return read_told_figure(q, ret);
        *ret = (ToldFigure){.indicator = indicator, .period = period, .unit = unit};
        return 0;
}

int store_told_figure_put(Store *s, StepId step, int64_t target, const ToldFigure *row) {
        return query_run(s, STMT_TOLD_FIGURE_PUT,
                         ARGS(arg_int(target), arg_int(row->indicator), arg_int(row->period),
                              arg_int(row->unit), arg_value(row->value), arg_id(row->message),
                              arg_int(step)));
}

/* ---- channels
 * ---------------------------------------------------------------------------------------------------
 */

static int read_channel(Query q, ChannelRow *row) {
        column_text_fixed(q, 0, row->name, sizeof(row->name));
        row->paused_ms = column_int(q, 1);
        row->probe_ms = column_int(q, 2);
        column_text_fixed(q, 3, row->reason, sizeof(row->reason));
        return 0;
}

int store_channel_get(Store *s, const char *name, ChannelRow *ret) {
        CLEANUP_QUERY Query q = NULL;
        ChannelRow row = {0};
        int r;

        if (strlen(name) >= sizeof(row.name))
                return -ENAMETOOLONG;
        r = query_begin(s, STMT_CHANNEL_GET, ARGS(arg_text(name)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r > 0)
                r = read_channel(q, &row);
        else
                strcpy(row.name, name);
        if (r < 0)
                return r;
        *ret = row;
        return 0;
}

int store_channel_put(Store *s, const ChannelRow *row) {
        if (row->paused_ms == 0)
                return query_run(s, STMT_CHANNEL_END, ARGS(arg_text(row->name)));
        return query_run(s, STMT_CHANNEL_PUT,
                         ARGS(arg_text(row->name), arg_int(row->paused_ms), arg_int(row->probe_ms),
                              arg_text(row->reason)));
}

int store_channels(Store *s, ChannelRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        CLEANUP_FREE ChannelRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_CHANNELS, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_channel);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rows);
        *ret_n = n;
        return 0;
}

int store_channels_probe(Store *s, int64_t now_ms, const char *outcome) {
        int r;

        r = query_run(s, STMT_CHANNELS_PROBE, ARGS(arg_int(now_ms)));
        if (r < 0)
                return r;
        return query_run(s, STMT_MESSAGES_PROBE, ARGS(arg_int(now_ms), arg_text(outcome)));
}
