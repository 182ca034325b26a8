/* POST /v1/snapshots: a file of figures, shown first (preview=1), then stored. The preview is the
 * whole evaluation in a transaction that is taken back: what it says is what would happen. */
#include <errno.h>

#include "answer/api-call.h"
#include "core/reason.h"
#include "flow/cycle.h"
#include "flow/import.h"
#include "flow/source.h"
#include "os/clock.h"
#include "store/figure.h"

#define SHOWN_CHANGES 50u

typedef struct Seen {
        ApiCall *c;
        CycleReport report;
        const ImportCounts *counts;
        Buf changes, lost; /* JSON arrays */
        JsonOut out;
} Seen;

static const IndicatorDef *indicator_of(const ApiCall *c, IndicatorId id) {
        const Config *config = c->app->config;

        for (size_t i = 0; i < config->n_indicators; i++)
                if (config->indicators[i].id == id)
                        return config->indicators + i;
        return NULL;
}

/* What the note of a value judged bad says; NULL: the value is not bad, or has no note. */
static const char *reason_of(const FigureChange *f, const NoteRow *notes, size_t n) {
        for (size_t i = 0; f->now.why == WHY_BAD && i < n; i++)
                if (notes[i].unit == f->now.unit && notes[i].indicator == f->now.indicator &&
                    streq(notes[i].kind, "bad"))
                        return notes[i].text;
        return NULL;
}

/* The line of the file that the unit's row stands on; 0: it is not known. */
static int64_t line_of(const Seen *seen, UnitId id) {
        const Unit *u = unit_get(&seen->c->app->units, id);
        const json_t *line = json_object_get(seen->counts->lines, u->key);

        for (size_t i = 0; !line && i < u->n_codes; i++)
                line = json_object_get(seen->counts->lines, u->codes[i].code);
        return json_integer_value(line);
}

static void write_place(JsonOut *o, const char *name, int64_t place) {
        if (place)
                json_out_int(o, name, place);
        else
                json_out_null(o, name);
}

/* A good figure that an empty cell would take away is the one thing that a person must see. */
static int watch_lost(Seen *seen, const FigureChange *changes, size_t n) {
        const Config *config = seen->c->app->config;
        JsonOut out = JSON_OUT(&seen->lost), *o = &out;
        size_t shown = 0;

        json_out_array(o, NULL);
        for (size_t i = 0; i < n && shown < SHOWN_CHANGES; i++) {
                const FigureChange *f = changes + i;
                const IndicatorDef *def = indicator_of(seen->c, f->now.indicator);

                if (!figure_is_lost(f))
                        continue;
                shown++;
                json_out_object(o, NULL);
                json_out_text(o, "indicator", def->name);
                view_unit(o, "unit", &seen->c->view, f->now.unit, seen->c->view.today);
                view_value(o, "old", seen->c->app, def, f->old_value, 0);
                write_place(o, "line", line_of(seen, f->now.unit));
                write_place(o, "column", seen->counts->columns[def - config->indicators]);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return json_out_done(o);
}

/* Runs while the trial's figures, notes and units are still there. */
static int watch(void *userdata, const FigureChange *changes, size_t n) {
        Seen *seen = userdata;
        JsonOut *o = &seen->out;
        NoteRow *notes = NULL;
        size_t n_notes = 0;

        int r = store_notes(seen->c->app->store, seen->report.snapshot, DECODE_MAX_NOTES, &notes,
                            &n_notes);
        if (r < 0)
                return r;

        json_out_array(o, NULL);
        for (size_t i = 0; i < MIN(n, SHOWN_CHANGES); i++) {
                const FigureChange *f = changes + i;
                const IndicatorDef *def = indicator_of(seen->c, f->now.indicator);

                json_out_object(o, NULL);
                json_out_text(o, "indicator", def->name);
                view_unit(o, "unit", &seen->c->view, f->now.unit, seen->c->view.today);
                view_value(o, "old", seen->c->app, def, f->had_old ? f->old_value : VALUE_NONE, 0);
                view_value(o, "new", seen->c->app, def, f->now.value, 0);
                json_out_bool(o, "is_new", !f->had_old);
                json_out_text(o, "reason", reason_of(f, notes, n_notes));
                json_out_end_object(o);
        }
        json_out_end_array(o);
        note_rows_free(notes, n_notes);
        r = json_out_done(o);
        return r < 0 ? r : watch_lost(seen, changes, n);
}

/* Digits beyond those that an indicator keeps: how many values, and which was the first. */
static void write_rounded(ApiCall *c, const ImportRounded *first) {
        JsonOut *o = &c->out;

        json_out_int(o, "rounded", (int64_t) first->n);
        if (first->n == 0) {
                json_out_null(o, "rounded_first");
                return;
        }
        const IndicatorDef *def = c->app->config->indicators + first->indicator;
        json_out_object(o, "rounded_first");
        json_out_int(o, "line", first->line);
        write_place(o, "column", first->column);
        json_out_text(o, "indicator", def->name);
        json_out_text(o, "written", first->text);
        view_value(o, "value", c->app, def, first->value, 0);
        json_out_end_object(o);
}

static void write_refused(JsonOut *o, const ImportCounts *counts) {
        json_out_int(o, "rows", (int64_t) counts->n_rows);
        json_out_int(o, "matched", (int64_t) counts->n_matched);
        json_out_text(o, "ignored_columns", counts->ignored);
        json_out_int(o, "refused_rows", (int64_t) counts->n_refused);
        json_out_array(o, "refused");
        for (size_t i = 0; i < MIN(counts->n_refused, (size_t) IMPORT_MAX_REFUSED); i++) {
                json_out_object(o, NULL);
                json_out_int(o, "line", counts->refused[i].line);
                if (counts->refused[i].column)
                        json_out_int(o, "column", counts->refused[i].column);
                else
                        json_out_null(o, "column");
                json_out_text(o, "reason", counts->refused[i].text);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

/* A source that asks by itself: whatever its publisher says otherwise does not stay. */
static int64_t put_back_ms(const ApiCall *c, const ImportFile *file, const CycleReport *report) {
        return report->n_new + report->n_changed == 0
                       ? 0
                       : source_job_next(c->app, file->source, file->scope, file->period,
                                         clock_now_ms());
}

static int answer(ApiCall *c, const ImportFile *file, const Seen *seen) {
        const ImportCounts *counts = seen->counts;
        const CycleReport *report = &seen->report;
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        if (report->snapshot && !seen->changes.len)
                json_out_int(o, "snapshot", report->snapshot);
        else
                json_out_null(o, "snapshot");
        json_out_bool(o, "preview", seen->changes.len > 0);
        write_refused(o, counts);
        write_rounded(c, &counts->rounded);
        json_out_int(o, "unknown", (int64_t) report->n_quarantined);
        json_out_int(o, "registered", (int64_t) report->n_registered);
        json_out_int(o, "new", (int64_t) report->n_new);
        json_out_int(o, "changed", (int64_t) report->n_changed);
        json_out_int(o, "lost", (int64_t) report->n_lost);
        json_out_int(o, "bad", (int64_t) report->n_bad);
        json_out_int(o, "transitions", (int64_t) report->n_transitions);
        json_out_instant(o, "put_back", put_back_ms(c, file, report));
        json_out_text(o, "warning", report->reason[0] ? report->reason : NULL);
        if (seen->changes.len)
                json_out_raw(o, "changes", buf_text(&seen->changes));
        if (seen->lost.len)
                json_out_raw(o, "lost_figures", buf_text(&seen->lost));
        json_out_end_object(o);
        return 0;
}

static int find_source(ApiCall *c, ImportFile *file) {
        const Config *config = c->app->config;
        const char *name = api_query(c, "source"), *scope = api_query(c, "scope");

        int r = api_find_source(c, name, &file->source);
        if (r != 0)
                return r;
        const SourceDef *source = config->sources + file->source;
        if (!scope && source->n_scopes == 1)
                file->scope = source->scopes[0];
        for (size_t s = 0; scope && s < source->n_scopes; s++)
                if (streq(source->scopes[s], scope))
                        file->scope = source->scopes[s];
        if (file->scope)
                return 0;
        (void) API_ARGUMENT(c, 400, "thiếu scope=, hoặc nguồn %s không có phạm vi đó",
                            "scope= is missing, or source %s has no such scope", name);
        return API_E_ANSWERED;
}

/* What reads files says it in English. */
static const char *people(const ApiCall *c, const char *text, Buf *b) {
        return app_is_vi(c->app) && reason_words(text, b) == 0 ? buf_text(b) : text;
}

static int check_period(ApiCall *c, const ImportFile *file) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf text = BUF_INIT(16384);

        int r = import_check_period(c->app->config, file, day_of_instant(clock_now_ms()), &diag);
        if (r <= 0)
                return r;
        c->is_answered = true;
        r = serve_problem_of(c->reply, API_PROBLEM_ARGUMENT, 400, "%s",
                             people(c, diag_first_error(&diag, "rejected"), &text));
        return r < 0 ? r : API_E_ANSWERED;
}

static int read_file(ApiCall *c, ImportFile *file) {
        int r = find_source(c, file);

        if (r == 0)
                r = api_find_period(c, api_query(c, "period"), &file->period);
        if (r != 0)
                return r;
        file->name = str_or(api_query(c, "name"), "");
        file->data = c->request->body;
        file->size = c->request->body_size;
        if (file->period == 0)
                (void) API_ARGUMENT(c, 400, "thiếu period=", "period= is missing");
        else if (file->size == 0)
                (void) API_PROBLEM(c, 400, "tệp rỗng", "the file is empty");
        return file->period != 0 && file->size > 0 ? check_period(c, file) : API_E_ANSWERED;
}

static int import(ApiCall *c, const ImportFile *file, ImportCounts *counts, Seen *seen) {
        CLEANUP(fetch_result_freep) FetchResult *result = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        bool is_trial = api_flag(c, "preview");
        CycleOrder order = {.cause = CAUSE_IMPORT,
                            .is_partial = true,
                            .is_trial = is_trial,
                            .watch = watch,
                            .userdata = seen};

        CLEANUP(buf_done) Buf text = BUF_INIT(16384);

        int r = import_read(c->app, file, &diag, counts, &result);
        if (r > 0 && diag.n > 0 && diag.items[0].line)
                return API_PROBLEM(c, 400, "dòng %u: %s", "line %u: %s", diag.items[0].line,
                                   people(c, diag.items[0].text, &text));
        if (r > 0)
                return API_PROBLEM(c, 400, "không nhập được: %s", "cannot be imported: %s",
                                   people(c, diag_first_error(&diag, "rejected"), &text));
        if (r == 0)
                r = cycle_order(c->app, result, &order, clock_now_ms(), &seen->report);
        if (r != 0)
                return r;
        if (!is_trial)
                app_wake(c->app);
        return answer(c, file, seen);
}

int api_import(ApiCall *c) {
        CLEANUP(import_counts_done) ImportCounts counts = {0};
        ImportFile file = {0};
        Seen seen = {.c = c,
                     .counts = &counts,
                     .changes = BUF_INIT(API_REPLY_MAX),
                     .lost = BUF_INIT(API_REPLY_MAX)};

        seen.out = JSON_OUT(&seen.changes);
        int r = read_file(c, &file);
        if (r == 0)
                r = import(c, &file, &counts, &seen);
        buf_done(&seen.changes);
        buf_done(&seen.lost);
        return r;
}
