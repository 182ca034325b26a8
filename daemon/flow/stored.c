/* Bodies are verbatim, so reading them again is decoding them again, with today's configuration. */
#include "flow/stored.h"

#include <errno.h>

#include "flow/import.h"

static int part_of(const SourceDef *source, const char *name) {
        for (size_t i = 0; i < source->n_parts; i++)
                if (streq(source->parts[i].name, name))
                        return (int) i;
        return -1;
}

static int refuse(Diag *diag, const char *what, const char *name) {
        diag_error(diag, NULL, 0, NULL, "%s: %s", name, what);
        return STORE_E_NONE;
}

static int read_body(App *app, const SnapshotPart *part, Diag *diag, Buf *ret) {
        int r = store_body_get(app->store, part->hash, ret);
        return r == STORE_E_NONE ? refuse(diag, "the body is no longer kept", part->name) : r;
}

static int decode_one(App *app, FetchResult *result, const SnapshotPart *part, DecodeSeen **seen,
                      Diag *diag) {
        const SourceDef *source = &app->config->sources[result->source];
        Buf CLEANUP(buf_done) body = BUF_INIT(source->max_body);
        int index = part_of(source, part->name);
        if (index < 0)
                return refuse(diag, "the configuration has no such part", part->name);
        int r = read_body(app, part, diag, &body);
        if (r != 0)
                return r;
        return decode_part(result->snapshot, app->config, result->source, (size_t) index,
                           result->scope, buf_text(&body), body.len, seen, NULL, NULL, diag);
}

static int decode_parts(App *app, FetchResult *result, const SnapshotRow *row, Diag *diag) {
        DecodeSeen CLEANUP(decode_seen_freep) *seen = NULL;
        int r = snapshot_new(app->config, result->source, &result->snapshot);
        for (size_t i = 0; r == 0 && i < row->n_parts; i++) {
                if (i > 0 && !streq(row->parts[i].name, row->parts[i - 1].name))
                        decode_seen_free(TAKE_PTR(seen));
                r = decode_one(app, result, &row->parts[i], &seen, diag);
        }
        return r == 0 ? decode_finish(result->snapshot, app->config, result->source, diag) : r;
}

static int read_file(App *app, size_t source, const SnapshotRow *row, Diag *diag,
                     FetchResult **ret) {
        Buf CLEANUP(buf_done) body = BUF_INIT(app->config->sources[source].max_body);
        ImportCounts CLEANUP(import_counts_done) counts = {0};
        int r = read_body(app, &row->parts[0], diag, &body);
        if (r != 0)
                return r;
        ImportFile file = {.source = source,
                           .scope = row->scope,
                           .period = row->period,
                           .name = str_or(row->parts[0].url, ""),
                           .data = buf_text(&body),
                           .size = body.len,
                           .is_stored = true};
        return import_read(app, &file, diag, &counts, ret);
}

int stored_result(App *app, const SnapshotRow *row, Diag *diag, FetchResult **ret) {
        int source = config_source(app->config, row->source);
        if (source < 0)
                return refuse(diag, "no such source is configured", row->source);
        if (row->n_parts == 1 && streq(row->parts[0].name, IMPORT_PART))
                return read_file(app, (size_t) source, row, diag, ret);
        FetchResult CLEANUP(fetch_result_freep) *result = calloc(1, sizeof *result);
        if (!result)
                return -ENOMEM;
        result->source = (size_t) source;
        result->scope = row->scope;
        result->period = row->period;
        result->started_ms = row->at_ms;
        int r = decode_parts(app, result, row, diag);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(result);
        return 0;
}
