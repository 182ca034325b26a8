/* Sources, what a person asks of them, and what they answered: snapshots and the bodies verbatim.
 */
#include <errno.h>

#include "app/api-call.h"
#include "app/source.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "store/figure.h"

#define ALL_SOURCES "all" /* unless a source is called so */

static int write_source(ApiCall *c, size_t index) {
        json_t *source = source_json(c->app, index, c->view.at_ms);
        char *text = source ? json_dumps(source, JSON_COMPACT) : NULL;

        json_decref(source);
        if (!text)
                return -ENOMEM;
        json_out_raw(&c->out, NULL, text);
        free(text);
        return 0;
}

static int write_request(ApiCall *c) {
        const char *text = api_query(c, "request");
        int64_t id;

        if (!text)
                return 0;
        int r = api_find_id(c, text, &id);
        if (r != 0)
                return r;
        json_out_object(&c->out, "request");
        json_out_int(&c->out, "id", id);
        json_out_bool(&c->out, "done", source_request_done(c->app, id));
        json_out_bool(&c->out, "failed", source_request_failed(c->app, id));
        json_out_end_object(&c->out);
        return 0;
}

int api_sources(ApiCall *c) {
        size_t n = c->app->config->n_sources;

        json_out_object(&c->out, NULL);
        api_page(c, n);
        int r = write_request(c);
        if (r != 0)
                return r;
        json_out_array(&c->out, "sources");
        for (size_t i = 0, window = api_window(c, n); i < window; i++) {
                r = write_source(c, c->offset + i);
                if (r < 0)
                        return r;
        }
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int refuse_source(ApiCall *c, const char *name) {
        const Config *config = c->app->config;
        CLEANUP(buf_done) Buf names = BUF_INIT(4096);

        for (size_t i = 0; i < config->n_sources; i++)
                if (buf_printf(&names, "%s%s", names.len ? ", " : "", config->sources[i].name) < 0)
                        break;
        (void) API_PROBLEM(c, 404, "không có nguồn \"%s\"; có: %s",
                           "no source \"%s\"; there are: %s", name, buf_text(&names));
        return API_E_ANSWERED;
}

static int read_range(ApiCall *c, PeriodId *ret_from, PeriodId *ret_to) {
        int r = api_find_period(c, api_query(c, "from"), ret_from);

        if (r == 0)
                r = api_find_period(c, api_query(c, "to"), ret_to);
        if (r != 0)
                return r;
        if (*ret_to == 0)
                *ret_to = *ret_from;
        if (*ret_from == 0)
                *ret_from = *ret_to;
        if (*ret_from == 0 ||
            (period_type(*ret_from) == period_type(*ret_to) && *ret_from <= *ret_to))
                return 0;
        (void) API_PROBLEM(c, 400, "from và to phải cùng loại kỳ, from không sau to",
                           "from and to must be of one type, from not after to");
        return API_E_ANSWERED;
}

int api_source_fetch(ApiCall *c) {
        const char *name = c->arg[0];
        bool is_all = streq(name, ALL_SOURCES) && config_source(c->app->config, name) < 0;
        PeriodId from, to;
        int64_t id;

        if (!is_all && config_source(c->app->config, name) < 0)
                return refuse_source(c, name);
        int r = read_range(c, &from, &to);
        if (r != 0)
                return r;
        r = source_request(c->app, is_all ? NULL : name, from, to, &id);
        if (r == -ENOENT)
                return refuse_source(c, name);
        if (r == -EINVAL)
                return API_PROBLEM(c, 400, "nguồn %s không lấy loại kỳ này",
                                   "source %s does not fetch periods of this type", name);
        if (r < 0)
                return r;
        c->reply->status = 202;
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "request", id);
        json_out_end_object(&c->out);
        return 0;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

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
static int write_snapshot(ApiCall *c, const SnapshotRow *row) {
        CLEANUP(snapshot_row_freep) SnapshotRow *whole = NULL;
        JsonOut *o = &c->out;

        int r = store_snapshot_get(c->store, row->id, &whole);
        if (r != 0)
                return MIN(r, 0);
        json_out_object(o, NULL);
        json_out_int(o, "id", row->id);
        json_out_text(o, "source", row->source);
        json_out_text(o, "scope", row->scope);
        json_out_period(o, "period", row->period);
        json_out_instant(o, "at", row->at_ms);
        json_out_int(o, "step", row->step);
        json_out_text(o, "state", state_word(row->state));
        json_out_text(o, "reason", row->reason);
        json_out_int(o, "units", (int64_t) row->n_units);
        json_out_int(o, "values", (int64_t) row->n_values);
        json_out_int(o, "bad", (int64_t) row->n_bad);
        json_out_array(o, "parts");
        for (size_t i = 0; i < whole->n_parts; i++)
                write_part(o, whole->parts + i, i + 1);
        json_out_end_array(o);
        json_out_end_object(o);
        return 0;
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
