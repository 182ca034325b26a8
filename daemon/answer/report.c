/* GET /v1/report: the letter as a stored draft. One draft is one file of reports/, made whole from
 * one instant and never changed: whoever asks again reads the same bytes, whatever was restated
 * since. `new` makes another draft beside it.
 *
 * Keeping only the instant and rendering again was dropped: an edited template or a newer program
 * would change what somebody has signed. */
#include "answer/report.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "export/docx.h"
#include "os/crypto.h"
#include "os/file.h"
#include "store/store.h"

#define REPORT_MAX ((size_t) 16 << 20)
#define DRAFTS_MAX 99

static const struct {
        const char *name, *type;
        bool is_binary; /* in the draft as base64 */
} formats[] = {
        {"txt", "text/plain; charset=utf-8", false},
        {"html", "text/html; charset=utf-8", false},
        {"csv", "text/csv; charset=utf-8", false},
        {"xlsx", BOOK_TYPE, true},
        {"docx", DOCX_TYPE, true},
        {"json", "application/json", false}, /* made when it is asked for */
};
#define FORMAT_JSON 5u

static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'";

/* ---- what is asked --------------------------------------------------------------------------- */

/* Commas and dots for programs are a matter of CSV: elsewhere they would be promised and not given. */
static int check_machine(ApiCall *c, const char *format) {
        if (!api_flag(c, "machine") || streq(format, "csv"))
                return 0;
        (void) API_ARGUMENT(c, 400, "machine chỉ dành cho dạng csv, không cho %s",
                            "machine is for the format csv alone, not for %s", format);
        return API_E_ANSWERED;
}

static int find_format(ApiCall *c, size_t *ret) {
        const char *text =
                str_or(api_query(c, "format"), api_flag(c, "machine") ? "csv" : formats[0].name);

        for (*ret = 0; *ret < ELEMENTSOF(formats); (*ret)++)
                if (streq(text, formats[*ret].name))
                        return check_machine(c, formats[*ret].name);
        (void) API_ARGUMENT(c, 400, "format \"%s\": txt, html, csv, xlsx, docx hoặc json",
                            "format \"%s\": txt, html, csv, xlsx, docx or json", text);
        return API_E_ANSWERED;
}

static int no_figures(ApiCall *c, const ReportQuery *q) {
        char text[VIEW_TEXT_MAX];

        (void) API_PROBLEM(c, 404, "chưa có số liệu %s để viết công văn",
                           "there are no figures of %s to write a letter from",
                           view_period_text(text, c->app, q->period));
        return API_E_ANSWERED;
}

/* Without `parent`: whoever has the most units with a figure. */
static int find_parent(ApiCall *c, ReportQuery *q) {
        ViewQuery query = {.indicator = q->headline, .period = q->period, .parent = q->parent};
        ViewCohort *cohorts = NULL;
        size_t n = 0, most = 0;

        int r = view_cohorts(&c->view, &query, &cohorts, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                if (cohorts[i].parent == 0 || cohorts[i].n <= most)
                        continue;
                most = cohorts[i].n;
                q->parent = cohorts[i].parent;
        }
        view_cohorts_free(cohorts, n);
        return most > 0 ? 0 : no_figures(c, q);
}

static int read_query(ApiCall *c, ReportQuery *q) {
        if (!api_query(c, "period")) {
                (void) API_ARGUMENT(c, 400, "thiếu period=", "period= is missing");
                return API_E_ANSWERED;
        }
        int r = api_find_period(c, api_query(c, "period"), &q->period);
        if (r == 0)
                r = api_find_unit(c, api_query(c, "parent"), &q->parent);
        if (r == 0)
                r = api_find_indicator(c, NULL, &q->headline);
        return r != 0 ? r : find_parent(c, q);
}

/* ---- the drafts ------------------------------------------------------------------------------ */

/* "2024-08_1_01.json", of an instant in the past "2024-08_1_s17_01.json". */
static int draft_path(const ApiCall *c, const ReportQuery *q, int number, Buf *path) {
        char period[16];

        int r = buf_printf(path, "%s/reports/%s_%lld_", c->app->config->daemon.state_dir,
                           period_format(period, q->period), (long long) q->parent);
        if (r == 0 && c->view.is_past)
                r = buf_printf(path, "s%lld_", (long long) c->view.step);
        return r == 0 ? buf_printf(path, "%02d.json", number) : r;
}

static int draft_read(const ApiCall *c, const ReportQuery *q, int number, json_t **ret) {
        CLEANUP(buf_done) Buf path = BUF_INIT(8192);
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        int r = draft_path(c, q, number, &path);
        if (r == 0)
                r = file_read(buf_text(&path), REPORT_MAX, &text);
        if (r < 0)
                return r;
        *ret = json_loadb(buf_text(&text), text.len, 0, NULL);
        return *ret ? 0 : -EBADMSG;
}

/* The newest one, or none (*ret_number 0). */
static int draft_newest(const ApiCall *c, const ReportQuery *q, json_t **ret, int *ret_number) {
        *ret_number = 0;
        for (int number = 1; number <= DRAFTS_MAX; number++) {
                json_t *draft = NULL;
                int r = draft_read(c, q, number, &draft);

                if (r == -ENOENT)
                        return 0;
                if (r < 0)
                        return r;
                json_decref(*ret);
                *ret = draft;
                *ret_number = number;
        }
        return 0;
}

static int draft_write(const ApiCall *c, const ReportQuery *q, int number, const json_t *draft) {
        CLEANUP(buf_done) Buf path = BUF_INIT(8192);
        CLEANUP_FREE char *dir = file_join(c->app->config->daemon.state_dir, "reports");
        CLEANUP_FREE char *text = json_dumps(draft, JSON_COMPACT);

        if (!dir || !text)
                return -ENOMEM;
        int r = draft_path(c, q, number, &path);
        if (r == 0)
                r = file_mkdir(dir, 0750);
        return r == 0 ? file_replace(buf_text(&path), text, strlen(text), 0640) : r;
}

/* ---- making one ------------------------------------------------------------------------------ */

static int add_rendered(Page *p, json_t *draft, const char *key, const char *name) {
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        int r = render_named(p->call->app->templates_vi, name, p->view, &text);
        page_set(p, draft, key, r < 0 ? NULL : json_stringn(buf_text(&text), text.len));
        return r < 0 ? r : p->error;
}

static int add_mail(Page *p, json_t *draft) {
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        int r = render_folded(p->call->app->templates_vi, "letter-mail.txt", p->view, &text);
        page_set(p, draft, "mail", r < 0 ? NULL : json_stringn(buf_text(&text), text.len));
        return r < 0 ? r : p->error;
}

static int add_csv(Page *p, json_t *draft, const char *key, bool is_machine) {
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        int r = report_csv(p, is_machine, &text);
        page_set(p, draft, key, r < 0 ? NULL : json_stringn(buf_text(&text), text.len));
        return r < 0 ? r : p->error;
}

static int add_binary(Page *p, json_t *draft, const char *key, const Buf *bytes) {
        CLEANUP(buf_done) Buf text = BUF_INIT(REPORT_MAX);

        int r = crypto_base64(&text, buf_text(bytes), bytes->len);
        page_set(p, draft, key, r < 0 ? NULL : json_stringn(buf_text(&text), text.len));
        return r < 0 ? r : p->error;
}

static int add_xlsx(Page *p, const ReportQuery *q, const PackageInfo *info, json_t *draft) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(PACKAGE_MAX);

        int r = report_xlsx(p, q, info, &bytes);
        return r == 0 ? add_binary(p, draft, "xlsx", &bytes) : r;
}

static int add_docx(Page *p, const PackageInfo *info, json_t *draft) {
        CLEANUP(buf_done) Buf document = BUF_INIT(REPORT_MAX), bytes = BUF_INIT(PACKAGE_MAX);

        int r = render_named(p->call->app->templates_vi, "letter.docx.xml", p->view, &document);
        if (r >= 0)
                r = docx_make(info, buf_text(&document), document.len, &bytes);
        return r == 0 ? add_binary(p, draft, "docx", &bytes) : r;
}

static int add_office(Page *p, const ReportQuery *q, json_t *draft) {
        CLEANUP(buf_done) Buf title = BUF_INIT(1024);
        const char *period = json_string_value(json_object_get(p->view, "period"));
        PackageInfo info = {.subject = period,
                            .author = json_string_value(json_object_get(p->view, "organization")),
                            .created_ms = p->call->view.at_ms};

        int r = buf_printf(&title, "Dự thảo công văn %s", str_or(period, ""));
        info.title = buf_text(&title);
        if (r == 0)
                r = add_xlsx(p, q, &info, draft);
        return r == 0 ? add_docx(p, &info, draft) : r;
}

/* "[766] Dự thảo công văn tháng 8/2024 - Tiên Lữ" */
static int add_subject(Page *p, const ReportQuery *q, json_t *draft) {
        char period[VIEW_TEXT_MAX];

        page_printf(p, draft, "subject", "[766] Dự thảo công văn %s - %s",
                    period_format_vi(period, q->period),
                    str_or(json_string_value(json_object_get(p->view, "place")), ""));
        return p->error;
}

static int draft_fill(Page *p, const ReportQuery *q, json_t *draft) {
        char at[40];

        int r = report_view(p, q);
        page_set(p, draft, "printed", json_incref(json_object_get(p->view, "printed")));
        page_set(p, draft, "made", json_string(instant_format(at, p->call->view.at_ms)));
        if (r == 0)
                r = add_rendered(p, draft, "txt", "letter.txt");
        if (r == 0)
                r = add_mail(p, draft);
        if (r == 0)
                r = add_subject(p, q, draft);
        if (r == 0)
                r = add_rendered(p, draft, "html", "letter.html");
        if (r == 0)
                r = add_csv(p, draft, "csv", /* is_machine= */ false);
        if (r == 0)
                r = add_csv(p, draft, "machine", /* is_machine= */ true);
        return r == 0 ? add_office(p, q, draft) : r;
}

static int draft_make(ApiCall *c, const ReportQuery *q, int number, json_t **ret) {
        CLEANUP(page_done) Page p = {.call = c, .view = json_object()};
        const char *language = c->app->config->daemon.language;
        json_t *draft = json_object();

        /* An official document is Vietnamese, whatever the daemon speaks: its numbers too. */
        c->app->config->daemon.language = "vi";
        int r = p.view && draft ? draft_fill(&p, q, draft) : -ENOMEM;
        c->app->config->daemon.language = language;
        if (r == 0) {
                r = draft_write(c, q, number, draft);
                if (r < 0) {
                        (void) API_PROBLEM(c, 503, "không lưu được bản thảo: %s",
                                           "the draft cannot be stored: %s", strerror(-r));
                        r = API_E_ANSWERED;
                }
        }
        if (r != 0) {
                json_decref(draft);
                return r;
        }
        json_decref(*ret);
        *ret = draft;
        return 0;
}

/* The bytes of a draft never change, so that they cannot say what was restated since they were made. */
static int say_restated(ApiCall *c, const ReportQuery *q, const json_t *draft) {
        size_t n;
        int r = report_changed(c, q, draft, &n);

        c->reply->own = "Chisod-Restated";
        (void) snprintf(c->reply->own_value, sizeof c->reply->own_value, "%zu", n);
        return r;
}

static int answer(ApiCall *c, const ReportQuery *q, const json_t *draft, size_t format) {
        const char *key = formats[format].name;

        if (streq(key, "csv") && api_flag(c, "machine"))
                key = "machine";
        const char *text = json_string_value(json_object_get(draft, key));
        if (!text) {
                (void) API_PROBLEM(c, 404, "bản thảo này chưa có dạng %s: làm bản mới (--new)",
                                   "this draft has no %s yet: make a new one (--new)", key);
                return API_E_ANSWERED;
        }
        size_t n = json_string_length(json_object_get(draft, key));
        CLEANUP(buf_done) Buf body = BUF_INIT(REPORT_MAX);
        int r = formats[format].is_binary ? crypto_base64_decode(text, n, &body)
                                          : buf_append(&body, text, n);
        if (r < 0)
                return r;
        r = say_restated(c, q, draft);
        if (r < 0)
                return r;
        buf_done(&c->reply->body);
        c->reply->body = body;
        body = BUF_INIT(0);
        c->reply->content_type = formats[format].type;
        c->reply->policy = streq(key, "html") ? policy : NULL;
        c->is_answered = true;
        return 0;
}

int report_draft_read(ApiCall *c, ReportQuery *query, int number, json_t **ret) {
        return draft_read(c, query, number, ret);
}

int report_draft_new(ApiCall *c, ReportQuery *query, int *ret_number, json_t **ret) {
        int number = 0;

        int r = api_find_indicator(c, NULL, &query->headline);
        if (r == 0)
                r = find_parent(c, query);
        if (r == 0)
                r = draft_newest(c, query, ret, &number);
        if (r == 0)
                r = number < DRAFTS_MAX ? draft_make(c, query, number + 1, ret) : -EMLINK;
        *ret_number = number + 1;
        return r;
}

int api_report(ApiCall *c) {
        ReportQuery query = {0};
        json_t *draft = NULL;
        size_t format;
        int number;

        if (api_flag(c, "new") && !c->is_admin)
                return API_PROBLEM(c, 403, "bản thảo mới chỉ làm được qua admin.sock",
                                   "a new draft can only be made by admin.sock");
        int r = find_format(c, &format);
        if (r == 0)
                r = read_query(c, &query);
        if (r == 0)
                r = draft_newest(c, &query, &draft, &number);
        if (r == 0 && (number == 0 || api_flag(c, "new")))
                r = number < DRAFTS_MAX ? draft_make(c, &query, ++number, &draft) : -EMLINK;
        if (r == 0)
                r = format == FORMAT_JSON ? report_since(c, &query, number, draft)
                                          : answer(c, &query, draft, format);
        json_decref(draft);
        return r;
}
