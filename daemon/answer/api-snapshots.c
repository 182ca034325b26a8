/* What the sources answered: snapshots, the bodies verbatim, and what a person decides of them. */
#include <errno.h>

#include "answer/api-call.h"
#include "flow/cycle.h"
#include "flow/stored.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "store/figure.h"

#define NOTES_MAX 200u

static const char *state_word(SnapshotState state) {
        return state == SNAPSHOT_ACCEPTED  ? "accepted"
               : state == SNAPSHOT_SUSPECT ? "suspect"
                                           : "rejected";
}

static void write_part(JsonOut *o, const SnapshotPart *part, size_t n) {
        char hex[2 * sizeof(part->hash) + 1];

        crypto_hex(part->hash, sizeof(part->hash), hex);
        json_out_object(o, NULL);
        json_out_int(o, "n", (int64_t) n);
        json_out_text(o, "name", part->name);
        json_out_int(o, "page", part->page);
        json_out_text(o, "hash", hex);
        json_out_int(o, "http_status", part->http_status);
        json_out_text(o, "url", part->url);
        json_out_instant(o, "at", part->at_ms);
        json_out_end_object(o);
}

/* The list tells the state as of the instant; the parts never change. */
static int write_members(ApiCall *c, const SnapshotRow *row) {
        CLEANUP(snapshot_row_freep) SnapshotRow *whole = NULL;
        JsonOut *o = &c->out;
        StepCause cause;

        int r = store_snapshot_get(c->store, row->id, &whole);
        if (r == 0)
                r = store_step_cause(c->store, row->step, &cause);
        if (r != 0)
                return MIN(r, 0);
        json_out_int(o, "id", row->id);
        json_out_text(o, "source", row->source);
        json_out_text(o, "scope", row->scope);
        json_out_period(o, "period", row->period);
        json_out_instant(o, "at", row->at_ms);
        json_out_int(o, "step", row->step);
        json_out_bool(o, "is_import", cause == CAUSE_IMPORT);
        json_out_text(o, "state", state_word(row->state));
        json_out_text(o, "reason", row->reason);
        json_out_int(o, "units", (int64_t) row->n_units);
        json_out_int(o, "values", (int64_t) row->n_values);
        json_out_int(o, "bad", (int64_t) row->n_bad);
        json_out_array(o, "parts");
        for (size_t i = 0; i < whole->n_parts; i++)
                write_part(o, whole->parts + i, i + 1);
        json_out_end_array(o);
        return 0;
}

static int write_snapshot(ApiCall *c, const SnapshotRow *row) {
        json_out_object(&c->out, NULL);
        int r = write_members(c, row);
        json_out_end_object(&c->out);
        return r;
}

int api_snapshots(ApiCall *c) {
        SnapshotFilter filter = {.source = api_query(c, "source"), .as_of = c->view.step};
        SnapshotRow *rows = NULL;
        size_t n = 0;

        if (!api_query(c, "limit"))
                c->limit = 100;
        filter.limit = c->limit;
        filter.offset = c->offset;
        int r = api_find_period(c, api_query(c, "period"), &filter.period);
        if (r == 0)
                r = store_snapshots_list(c->store, &filter, &rows, &n);
        if (r == 0 && n == 0 && filter.source &&
            c->offset == 0) /* of one that is gone some are left */
                r = api_find_source(c, filter.source, &(size_t){0});
        if (r != 0)
                return r;
        json_out_object(&c->out, NULL);
        api_as_of(c);
        json_out_int(&c->out, "limit", (int64_t) c->limit);
        json_out_int(&c->out, "offset", (int64_t) c->offset);
        json_out_array(&c->out, "snapshots");
        for (size_t i = 0; r == 0 && i < n; i++)
                r = write_snapshot(c, rows + i);
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        snapshot_rows_free(rows, n);
        return r;
}

static int answer_body(ApiCall *c, const uint8_t hash[static 32]) {
        CLEANUP(buf_done) Buf body = BUF_INIT(API_REPLY_MAX);

        int r = store_body_get(c->store, hash, &body);
        if (r == STORE_E_NONE)
                return API_PROBLEM(c, 410, "nội dung này không còn được lưu",
                                   "this body is no longer kept");
        if (r == -EBADMSG) /* rot is never served */
                return API_PROBLEM(c, 500, "nội dung này đã hỏng trong cơ sở dữ liệu",
                                   "this body has rotted in the database");
        if (r < 0)
                return r;
        buf_done(&c->reply->body);
        c->reply->body = body;
        body = BUF_INIT(0);
        /* Verbatim and foreign: a browser must not run it. */
        c->reply->content_type = "application/octet-stream";
        c->is_answered = true;
        return 0;
}

int api_snapshot_body(ApiCall *c) {
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;
        int64_t id = 0, part = 0;

        int r = api_find_id(c, c->arg[0], &id);
        if (r == 0)
                r = api_find_id(c, c->arg[1], &part);
        if (r == 0)
                r = store_snapshot_get(c->store, id, &row);
        if (r != 0 && r != STORE_E_NONE)
                return r;
        if (!row || (uint64_t) part > row->n_parts)
                return API_PROBLEM(c, 404, "không có phần %lld của bản lấy số %lld",
                                   "there is no part %lld of snapshot %lld", (long long) part,
                                   (long long) id);
        return answer_body(c, row->parts[part - 1].hash);
}

static int find_snapshot(ApiCall *c, SnapshotRow **ret) {
        int64_t id = 0;

        int r = api_find_id(c, c->arg[0], &id);
        if (r == 0)
                r = store_snapshot_get(c->store, id, ret);
        if (r != STORE_E_NONE)
                return r;
        (void) API_PROBLEM(c, 404, "không có bản lấy số %lld", "there is no snapshot %lld",
                           (long long) id);
        return API_E_ANSWERED;
}

static int write_notes(ApiCall *c, const SnapshotRow *row) {
        JsonOut *o = &c->out;
        NoteRow *notes = NULL;
        size_t n = 0;

        int r = store_notes(c->store, row->id, NOTES_MAX, &notes, &n);
        if (r < 0)
                return r;
        json_out_array(o, "notes");
        for (size_t i = 0; i < n; i++) {
                if (c->view.step != 0 && notes[i].step > c->view.step)
                        continue;
                json_out_object(o, NULL);
                json_out_text(o, "kind", notes[i].kind);
                view_unit(o, "unit", &c->view, notes[i].unit, period_end(row->period) - 1);
                json_out_text(o, "text", notes[i].text);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        note_rows_free(notes, n);
        return 0;
}

int api_snapshot(ApiCall *c) {
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;

        int r = find_snapshot(c, &row);
        if (r == 0 && c->view.step != 0)
                r = store_snapshot_then(c->store, row->id, c->view.step, &row->state);
        if (r == STORE_E_NONE)
                return API_PROBLEM(c, 404, "khi đó chưa có bản lấy số %lld",
                                   "there was no snapshot %lld then", (long long) row->id);
        if (r != 0)
                return r;
        json_out_object(&c->out, NULL);
        api_as_of(c);
        r = write_members(c, row);
        if (r == 0)
                r = write_notes(c, row);
        json_out_end_object(&c->out);
        return r;
}

/* ---- deciding -------------------------------------------------------------------------------- */

static int answer_report(ApiCall *c, const CycleReport *report) {
        app_wake(c->app);
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "snapshot", report->snapshot);
        json_out_int(&c->out, "new", (int64_t) report->n_new);
        json_out_int(&c->out, "changed", (int64_t) report->n_changed);
        json_out_int(&c->out, "transitions", (int64_t) report->n_transitions);
        json_out_int(&c->out, "unknown_units", (int64_t) report->n_quarantined);
        json_out_int(&c->out, "units_taken_back", (int64_t) report->n_uncounted);
        json_out_end_object(&c->out);
        return 0;
}

static const char *state_people(const ApiCall *c, SnapshotState state) {
        if (!app_is_vi(c->app))
                return state_word(state);
        return state == SNAPSHOT_ACCEPTED   ? "bản đã được nhận"
               : state == SNAPSHOT_REJECTED ? "bản đã bị loại"
                                            : state_word(state);
}

static int not_suspect(ApiCall *c, const SnapshotRow *row) {
        return API_PROBLEM(c, 409, "bản lấy số %lld là %s, không phải chờ duyệt",
                           "snapshot %lld is %s, not suspect", (long long) row->id,
                           state_people(c, row->state));
}

int api_snapshot_accept(ApiCall *c) {
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;
        CLEANUP(snapshot_row_freep) SnapshotRow *last = NULL;
        CLEANUP(fetch_result_freep) FetchResult *result = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CycleReport report;

        int r = find_snapshot(c, &row);
        if (r != 0)
                return r;
        if (row->state != SNAPSHOT_SUSPECT)
                return not_suspect(c, row);
        r = store_snapshot_last(c->store, row->source, row->scope, row->period,
                                /* is_any= */ false, &last);
        if (r < 0)
                return r;
        if (last && last->id > row->id)
                return API_PROBLEM(c, 409, "đã có bản lấy sau được nhận: số %lld",
                                   "a later one was accepted: snapshot %lld", (long long) last->id);
        r = stored_result(c->app, row, &diag, &result);
        if (r > 0)
                return API_PROBLEM(c, 409, "không đọc lại được: %s", "cannot be read again: %s",
                                   diag_first_error(&diag, "its bodies are no longer kept"));
        CycleOrder order = {.cause = CAUSE_OPERATOR, .snapshot = row->id};
        if (r == 0)
                r = cycle_order(c->app, result, &order, clock_now_ms(), &report);
        if (r == STORE_E_NONE)
                return not_suspect(c, row);
        return r < 0 ? r : answer_report(c, &report);
}

static int take_back(ApiCall *c, const SnapshotRow *row) {
        CycleReport report;

        int r = cycle_take_back(c->app, row, clock_now_ms(), &report);
        if (r == -ENOENT)
                return API_PROBLEM(c, 409, "nguồn %s không còn trong cấu hình",
                                   "source %s is no longer configured", row->source);
        if (r == STORE_E_NONE)
                return not_suspect(c, row);
        return r < 0 ? r : answer_report(c, &report);
}

int api_snapshot_reject(ApiCall *c) {
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;

        int r = find_snapshot(c, &row);
        if (r != 0)
                return r;
        return row->state == SNAPSHOT_SUSPECT ? take_back(c, row) : not_suspect(c, row);
}

int api_snapshot_undo(ApiCall *c) {
        CLEANUP(snapshot_row_freep) SnapshotRow *row = NULL;
        StepCause cause = 0;

        int r = find_snapshot(c, &row);
        if (r == 0)
                r = store_step_cause(c->store, row->step, &cause);
        if (r != 0)
                return r;
        if (cause != CAUSE_IMPORT || row->state != SNAPSHOT_ACCEPTED)
                return API_PROBLEM(c, 409, "số %lld không phải tệp đã nhập và còn hiệu lực",
                                   "%lld is no imported file that still counts",
                                   (long long) row->id);
        return take_back(c, row);
}
