/* A file becomes rows of JSON under the names that parts know ("code", "name", an indicator's name),
 * and these go through core/decode like any publisher's answer: ranges, derived indicators and
 * totals are checked by the same code. What is stored is the file itself, verbatim.
 *
 * A source of kind inbox keeps its own part, so that its pointers may name headings as they stand in
 * the file; any other source gets a part made here, with one column per indicator found. */
#include <errno.h>

#include "flow/import-private.h"
#include "os/clock.h"
#include "store/registry.h"

void import_counts_done(ImportCounts *c) {
        for (size_t i = 0; i < c->n_refused; i++)
                free(c->refused[i].text);
        free(c->refused);
        free(c->ignored);
        free(c->columns);
        json_decref(c->lines);
        *c = (ImportCounts){0};
}

static void import_done(Import *im) {
        json_decref(im->rows);
        free(im->is_used);
        buf_done(&im->ignored);
}

typedef struct OwnPart {
        PartDef part;
        ValueMap *values;
        Buf pointers; /* "/total\0/progress\0" */
} OwnPart;

static int own_part(const Import *im, OwnPart *ret) {
        const Config *config = im->app->config;
        ret->values = calloc(config->n_indicators + 1, sizeof *ret->values);
        if (!ret->values)
                return -ENOMEM;
        size_t n = 0;
        for (size_t i = 0; i < config->n_indicators; i++) {
                if (!im->is_used[i])
                        continue;
                int r = buf_printf(&ret->pointers, "/%s", config->indicators[i].name);
                if (r == 0)
                        r = buf_char(&ret->pointers, '\0');
                if (r < 0)
                        return r;
                ret->values[n++].indicator = i;
        }
        const char *pointer = buf_text(&ret->pointers);
        for (size_t i = 0; i < n; i++, pointer += strlen(pointer) + 1)
                ret->values[i].pointer = pointer;
        ret->part = (PartDef){.name = IMPORT_PART,
                              .rows = "",
                              .unit_code = "/code",
                              .unit_name = "/name",
                              .kind_default = "",
                              .values = ret->values,
                              .n_values = n};
        return 0;
}

static int decode_as(const Import *im, const Config *config, const Buf *text, Snapshot **ret) {
        Snapshot CLEANUP(snapshot_freep) *s = NULL;
        DecodeSeen CLEANUP(decode_seen_freep) *seen = NULL;
        size_t source = im->file->source;
        int r = snapshot_new(config, source, &s);
        if (r == 0)
                r = decode_part(s, config, source, 0, im->file->scope, buf_text(text), text->len,
                                &seen, NULL, NULL, im->diag);
        if (r == 0)
                r = decode_finish(s, config, source, im->diag);
        if (r == 0)
                *ret = TAKE_PTR(s);
        return r;
}

static int decode_own(const Import *im, const Buf *text, Snapshot **ret) {
        OwnPart own = {.pointers = BUF_INIT(BUF_MAX_TEXT)};
        Config config = *im->app->config;
        SourceDef *sources = calloc(config.n_sources, sizeof *sources);
        int r = sources ? own_part(im, &own) : -ENOMEM;
        if (r == 0) {
                memcpy(sources, config.sources, config.n_sources * sizeof *sources);
                sources[im->file->source].parts = &own.part;
                sources[im->file->source].n_parts = 1;
                config.sources = sources;
                r = decode_as(im, &config, text, ret);
        }
        free(sources);
        free(own.values);
        buf_done(&own.pointers);
        return r;
}

static int decode_rows(const Import *im, Snapshot **ret) {
        if (json_array_size(im->rows) == 0) {
                diag_error(im->diag, NULL, 0, NULL, "no row can be used%s%s",
                           im->counts->n_refused ? ": " : "",
                           im->counts->n_refused ? im->counts->refused[0].text : "");
                return DECODE_E_REJECTED;
        }
        char CLEANUP_FREE *text = json_dumps(im->rows, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        Buf body = {.data = text, .len = strlen(text)};
        return im->source->kind == SOURCE_INBOX ? decode_as(im, im->app->config, &body, ret)
                                                : decode_own(im, &body, ret);
}

/* Would create its units and nothing else: mostly a table of units given as one of figures. */
static int check_figures(const Import *im, const Snapshot *s) {
        size_t n = s->n_units * s->n_columns;
        for (size_t i = 0; i < n; i++)
                if (s->value[i] != VALUE_NONE || s->why[i] == WHY_BAD)
                        return 0;
        if (im->is_named || im->source->kind == SOURCE_INBOX)
                diag_error(im->diag, NULL, 0, NULL, "no row has a figure");
        else
                diag_error(im->diag, NULL, 0, NULL, "no column names an indicator of source %s",
                           im->source->name);
        return DECODE_E_REJECTED;
}

static int check_type(const SourceDef *source, PeriodId period, Diag *diag) {
        CLEANUP(buf_done) Buf types = BUF_INIT(256);
        char text[16];
        for (size_t i = 0; i < source->n_periods; i++) {
                if (source->periods[i] == period_type(period))
                        return 0;
                if (buf_printf(&types, "%s%s", i ? " " : "", period_type_name(source->periods[i])) <
                    0)
                        return -ENOMEM;
        }
        diag_error(diag, NULL, 0, NULL, "period %s is of no type that source %s has (periods = %s)",
                   period_format(text, period), source->name, buf_text(&types));
        return DECODE_E_REJECTED;
}

int import_check_period(const Config *config, const ImportFile *file, Day today, Diag *diag) {
        char period[16], day[16];
        if (period_start(file->period) <= today)
                return check_type(&config->sources[file->source], file->period, diag);
        diag_error(diag, NULL, 0, NULL, "period %s has not begun: today is %s",
                   period_format(period, file->period), day_format(day, today));
        return DECODE_E_REJECTED;
}

static int add_body(const ImportFile *file, FetchResult *result) {
        int r = ARRAY_GROW(result->parts, result->cap_parts, 1);
        if (r < 0)
                return r;
        FetchedPart *part = &result->parts[result->n_parts++];
        *part = (FetchedPart){.page = 1, .at_ms = result->started_ms};
        part->name = strdup(IMPORT_PART);
        part->url = strdup(file->name);
        if (!part->name || !part->url)
                return -ENOMEM;
        return body_pack(file->data, file->size, &part->body);
}

static int begin(Import *im) {
        im->rows = json_array();
        im->counts->lines = json_object();
        im->counts->columns =
                calloc(im->app->config->n_indicators + 1, sizeof *im->counts->columns);
        im->is_used = calloc(im->app->config->n_indicators + 1, sizeof *im->is_used);
        if (!im->rows || !im->counts->lines || !im->counts->columns || !im->is_used)
                return -ENOMEM;
        im->day = period_end(im->file->period) - 1;
        int r = store_scope_get(im->app->store, im->source->name, im->file->scope, &im->parent);
        if (r == STORE_E_NONE && im->source->scope_unit)
                (void) unit_find(&im->app->units, im->source->scope_unit, im->day, &im->parent,
                                 NULL);
        return MIN(r, 0);
}

int import_read(App *app, const ImportFile *file, Diag *diag, ImportCounts *counts,
                FetchResult **ret) {
        Import CLEANUP(import_done) im = {.app = app,
                                          .file = file,
                                          .source = &app->config->sources[file->source],
                                          .diag = diag,
                                          .counts = counts,
                                          .ignored = BUF_INIT(2048)};
        FetchResult CLEANUP(fetch_result_freep) *result = calloc(1, sizeof *result);
        if (!result)
                return -ENOMEM;
        *result = (FetchResult){.source = file->source,
                                .scope = file->scope,
                                .period = file->period,
                                .bytes = (int64_t) file->size,
                                .started_ms = clock_now_ms()};
        int r = begin(&im);
        if (r == 0)
                r = import_rows(&im);
        if (r == 0)
                r = decode_rows(&im, &result->snapshot);
        if (r == 0 && !file->is_stored)
                r = check_figures(&im, result->snapshot);
        if (r == 0)
                r = add_body(file, result);
        if (r != 0)
                return r;
        result->is_partial = counts->n_refused > 0;
        if (im.ignored.len > 0)
                counts->ignored = buf_take(&im.ignored);
        *ret = TAKE_PTR(result);
        return 0;
}
