/* What people change in the registry, and what waits for their decision. */
#include <errno.h>

#include "answer/api-call.h"
#include "base/text.h"
#include "export/book.h"
#include "flow/registry.h"
#include "os/clock.h"
#include "store/registry.h"

#define SUGGESTIONS_MAX 5u

/* ---- quarantine ------------------------------------------------------------------------------ */

/* Shown to a person, never used: same letters without diacritics, then one within the other. */
static int suggest(ApiCall *c, const char *name, bool is_exact, size_t *n) {
        const UnitRegistry *registry = &c->app->units;
        CLEANUP_FREE char *bare = NULL, *wanted = NULL;
        const char *kind;

        int r = unit_name_split(name, &bare, &kind);
        if (r == 0)
                r = text_fold(bare, &wanted);
        if (r != 0 || !wanted || !*wanted)
                return MIN(r, 0);
        for (size_t i = 0; i < registry->n && *n < SUGGESTIONS_MAX; i++) {
                if (!unit_counts(&registry->units[i], 0))
                        continue;
                const char *own = app_unit_label(c->app, registry->units[i].id, c->view.today);
                CLEANUP_FREE char *own_bare = NULL, *folded = NULL;

                r = unit_name_split(own, &own_bare, &kind);
                if (r == 0)
                        r = text_fold(own_bare, &folded);
                if (r != 0 || !folded)
                        return MIN(r, 0);
                bool is_same = streq(folded, wanted);
                if (is_exact ? !is_same : is_same || !strstr(folded, wanted))
                        continue;
                view_unit(&c->out, NULL, &c->view, registry->units[i].id, c->view.today);
                (*n)++;
        }
        return 0;
}

static int write_quarantined(ApiCall *c, const QuarantineRow *row) {
        JsonOut *o = &c->out;
        size_t n = 0;

        json_out_object(o, NULL);
        json_out_text(o, "source", row->source);
        json_out_text(o, "namespace", row->namespace_);
        json_out_text(o, "code", row->code);
        json_out_text(o, "name", row->name);
        json_out_text(o, "reason", row->reason);
        json_out_instant(o, "first", row->first_ms);
        json_out_instant(o, "last", row->last_ms);
        json_out_array(o, "suggestions");
        int r = suggest(c, row->name, /* is_exact= */ true, &n);
        if (r == 0)
                r = suggest(c, row->name, /* is_exact= */ false, &n);
        json_out_end_array(o);
        json_out_end_object(o);
        return r;
}

int api_quarantine(ApiCall *c) {
        QuarantineRow *rows = NULL;
        size_t n = 0;

        int r = store_quarantine_list(c->store, &rows, &n);
        if (r < 0)
                return r;
        json_out_object(&c->out, NULL);
        api_page(c, n);
        json_out_array(&c->out, "quarantine");
        for (size_t i = 0, window = api_window(c, n); r == 0 && i < window; i++)
                r = write_quarantined(c, rows + c->offset + i);
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        quarantine_rows_free(rows, n);
        return r;
}

/* ---- the list and the decisions -------------------------------------------------------------- */

static void write_report(ApiCall *c, const RegistryReport *report, bool is_preview) {
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        json_out_bool(o, "preview", is_preview);
        json_out_int(o, "rows", (int64_t) report->n_rows);
        json_out_int(o, "transitions", (int64_t) report->n_transitions);
        json_out_text(o, "ignored_columns", report->ignored);
        json_out_array(o, "warnings");
        for (size_t i = 0; i < report->n_warnings; i++)
                json_out_text(o, NULL, report->warnings[i]);
        json_out_end_array(o);
        json_out_array(o, "changes");
        for (size_t i = 0; i < report->n; i++) {
                const RegistryChange *change = report->changes + i;

                json_out_object(o, NULL);
                json_out_text(o, "unit", change->unit);
                json_out_text(o, "what", change->what);
                json_out_text(o, "old", change->old);
                json_out_text(o, "new", change->now);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        json_out_end_object(o);
}

static int refuse(ApiCall *c, const Diag *diag) {
        const char *text = diag_first_error(diag, "refused");

        if (diag->n > 0 && diag->items[0].line)
                return API_PROBLEM(c, 400, "dòng %u: %s", "line %u: %s", diag->items[0].line, text);
        return API_PROBLEM(c, 400, "không làm được: %s", "refused: %s", text);
}

static int read_decision(ApiCall *c, RegistryDecision *ret, Day *ret_from) {
        static const char *const names[] = {"link", "same", "new"};
        const char *action = api_query(c, "action"), *from = api_query(c, "from");
        size_t i = 0;

        while (i < ELEMENTSOF(names) && !streq(action, names[i]))
                i++;
        *ret = (RegistryDecision) i;
        *ret_from = DAY_EVER;
        bool is_wrong = i == ELEMENTSOF(names) || !api_query(c, "code") ||
                        (!from && i != REGISTRY_LINK) ||
                        (i == REGISTRY_LINK && !api_query(c, "unit"));
        if (!is_wrong && from && day_parse(from, ret_from) < 0) {
                (void) API_ARGUMENT(c, 400, "\"%s\" không phải ngày: viết như 2025-07-01",
                                    "from \"%s\" is no date: write it as 2025-07-01", from);
                return API_E_ANSWERED;
        }
        if (!is_wrong)
                return 0;
        (void) API_ARGUMENT(c, 400,
                            "cần action=link|same|new, code=, unit= (link), from=2025-07-01",
                            "wanted: action=link|same|new, code=, unit= (link), from=2025-07-01");
        return API_E_ANSWERED;
}

static int decide(ApiCall *c, Diag *diag, RegistryReport *report) {
        RegistryOrder order = {.code = api_query(c, "code"),
                               .unit = api_query(c, "unit"),
                               .is_unseen = api_flag(c, "unseen")};

        int r = read_decision(c, &order.decision, &order.from);
        if (r != 0)
                return r;
        if (api_flag(c, "preview")) {
                (void) API_ARGUMENT(c, 400,
                                    "preview chỉ dùng khi nhập danh sách, không dùng với action",
                                    "preview goes with an imported list, not with action");
                return API_E_ANSWERED;
        }
        return registry_decide(c->app, &order, clock_now_ms(), diag, report);
}

int api_units_import(ApiCall *c) {
        CLEANUP(registry_report_done) RegistryReport report = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        bool is_preview = api_flag(c, "preview");
        int r;

        if (api_query(c, "action"))
                r = decide(c, &diag, &report);
        else
                r = registry_import(c->app, c->request->body, c->request->body_size, clock_now_ms(),
                                    is_preview, &diag, &report);
        if (r == REGISTRY_E_REFUSED)
                return refuse(c, &diag);
        if (r != 0)
                return r;
        write_report(c, &report, is_preview);
        return 0;
}

int api_units_list(ApiCall *c) {
        CLEANUP(buf_done) Buf list = BUF_INIT(API_REPLY_MAX);
        bool is_book = streq_ptr(api_query(c, "format"), "xlsx");

        int r = is_book ? registry_export_book(c->app, c->is_admin, clock_now_ms(), &list)
                        : registry_export(c->app, c->is_admin, &list);
        if (r < 0)
                return r;
        buf_done(&c->reply->body);
        c->reply->body = list;
        list = BUF_INIT(0);
        c->reply->content_type = is_book ? BOOK_TYPE : "text/csv; charset=utf-8";
        c->is_answered = true;
        return 0;
}
