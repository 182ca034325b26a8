/* One table of routes. A request becomes an ApiCall (the instant, the window, the masks), the
 * handler writes JSON into its buffer, and only a whole answer reaches the reply: a failure
 * half-way leaves a problem, never half a document.
 *
 * The tag of an answer is the newest step, the configuration, the local day (a period changes its
 * status without a step) and the request: nothing else can change what a read says. So the last
 * few answers of now are kept (answer/memo.h), and a question that is asked again is answered by a
 * copy. Answers with times to come (status, sources) have none. Tagging the bytes saves the
 * transfer, not the work: that is left to alerts and deliveries, which silences, acknowledgements
 * and attempts change without a step.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "answer/api-call.h"
#include "answer/memo.h"
#include "answer/status.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/log.h"

#define TAKES_MAX 9u
#define MEMBERS_MAX 8u
#define PREFIX "/v1/" /* of what programs ask */

typedef struct ApiRoute {
        const char *method, *path; /* `*` stands for one segment; a final `*` for the rest */
        ApiHandler handler;
        bool is_admin;
        bool has_tag;                 /* of step, day and request */
        bool tags_bytes;              /* what it says may change without a step: a silence ends */
        bool is_page;                 /* HTML, refusals too */
        bool takes_file;              /* the body is a file, which its handler reads */
        const char *takes[TAKES_MAX]; /* its arguments, as docs/openapi.yaml has them */
        const char *members[MEMBERS_MAX]; /* likewise of the object that is its body */
} ApiRoute;

static const ApiRoute routes[] = {
        {"GET", "/", page_league, .is_page = true},
        {"GET", "/u/*", page_unit, .is_page = true},
        {"GET", "/heat", page_heat, .is_page = true},
        {"GET", "/sources", page_sources, .is_page = true},
        {"GET", "/healthz", api_health},
        {"GET", "/metrics", api_metrics},
        {"GET", "/v1/status", api_status},
        {"GET", "/v1/indicators", api_indicators, .has_tag = true,
         .takes = {"limit", "offset", "as_of"}},
        {"GET", "/v1/periods", api_periods, .has_tag = true,
         .takes = {"indicator", "type", "limit", "offset", "as_of"}},
        {"GET", "/v1/units", api_units, .has_tag = true,
         .takes = {"kind", "parent", "all", "format", "limit", "offset"}},
        {"GET", "/v1/units/*", api_unit, .has_tag = true},
        {"GET", "/v1/ranking", api_ranking, .has_tag = true,
         .takes = {"indicator", "period", "kind", "parent", "with", "sort", "limit", "offset",
                   "as_of"}},
        {"GET", "/v1/history", api_history, .has_tag = true,
         .takes = {"unit", "indicator", "type", "vintages", "limit", "offset", "as_of"}},
        {"GET", "/v1/alerts", api_alerts, .tags_bytes = true,
         .takes = {"all", "rule", "unit", "limit", "offset", "as_of"}},
        {"GET", "/v1/alerts/*", api_alert, .tags_bytes = true, .takes = {"as_of"}},
        {"GET", "/v1/sources", api_sources, .takes = {"request", "limit", "offset"}},
        {"GET", "/v1/snapshots", api_snapshots, .has_tag = true,
         .takes = {"source", "period", "limit", "offset", "as_of"}},
        {"GET", "/v1/snapshots/*/parts/*/body", api_snapshot_body, .has_tag = true},
        {"GET", "/v1/snapshots/*", api_snapshot, .has_tag = true, .takes = {"as_of"}},
        {"GET", "/v1/restatements", api_restatements, .has_tag = true,
         .takes = {"indicator", "period", "unit", "all", "limit", "offset", "as_of"}},
        {"GET", "/v1/quarantine", api_quarantine, .has_tag = true, .takes = {"limit", "offset"}},
        {"GET", "/v1/deliveries", api_deliveries, .tags_bytes = true,
         .takes = {"state", "observed", "limit", "offset", "as_of"}},
        {"GET", "/v1/recipients", api_recipients, .has_tag = true, .takes = {"limit", "offset"}},
        {"GET", "/v1/report", api_report,
         .takes = {"period", "parent", "format", "machine", "new", "limit", "offset", "as_of"}},
        {"GET", "/v1/verify", api_verify, .is_admin = true, .takes = {"after"}},
        {"GET", "/v1/backup", api_backup, .is_admin = true},
        {"POST", "/v1/snapshots", api_import, .is_admin = true, .takes_file = true,
         .takes = {"source", "period", "scope", "name", "preview"}},
        {"POST", "/v1/snapshots/*/accept", api_snapshot_accept, .is_admin = true},
        {"POST", "/v1/snapshots/*/reject", api_snapshot_reject, .is_admin = true},
        {"POST", "/v1/snapshots/*/undo", api_snapshot_undo, .is_admin = true},
        {"POST", "/v1/units", api_units_import, .is_admin = true, .takes_file = true,
         .takes = {"preview", "action", "code", "unit", "from", "unseen"}},
        {"POST", "/v1/sources/*/fetch", api_source_fetch, .is_admin = true,
         .takes = {"from", "to"}},
        {"POST", "/v1/alerts/*/ack", api_alert_ack, .is_admin = true,
         .members = {"by", "note", "until"}},
        {"GET", "/v1/explain", api_explain, .takes = {"rule", "unit"}},
        {"GET", "/v1/rules", api_rules, .takes = {"limit", "offset"}},
        {"POST", "/v1/rules/diff", api_rules_diff, .is_admin = true, .takes = {"limit", "offset"}},
        {"POST", "/v1/backtest", api_backtest, .is_admin = true, .members = {"rule", "when"}},
        {"POST", "/v1/rules/*/release", api_rule_release, .is_admin = true},
        {"GET", "/v1/silences", api_silences, .takes = {"all", "limit", "offset"}},
        {"POST", "/v1/silences", api_silence_add, .is_admin = true,
         .members = {"rule", "unit", "parent", "severity", "author", "note", "from", "until"}},
        {"DELETE", "/v1/silences/*", api_silence_end, .is_admin = true},
        {"GET", "/v1/render", api_render, .is_admin = true, .takes = {"recipient", "format"}},
        {"POST", "/v1/deliveries/*/retry", api_delivery_retry, .is_admin = true},
        {"POST", "/v1/drills", api_drill, .is_admin = true, .members = {"recipient"}},
        {"POST", "/v1/go-live", api_go_live, .is_admin = true, .members = {"announce", "preview"}},
};

/* ---- routing --------------------------------------------------------------------------------- */

static bool match(const char *pattern, const char *path, char arg[2][API_ARG_MAX]) {
        size_t n = 0;

        while (*pattern) {
                if (*pattern != '*') {
                        if (*pattern++ != *path++)
                                return false;
                        continue;
                }
                size_t size = pattern[1] ? strcspn(path, "/") : strlen(path);
                if (size == 0 || size >= API_ARG_MAX || n >= 2)
                        return false;
                memcpy(arg[n], path, size);
                arg[n++][size] = '\0';
                path += size;
                pattern++;
        }
        return *path == '\0';
}

static const ApiRoute *find_route(ApiCall *c, bool *ret_is_other_method) {
        bool is_head = streq(c->request->method, "HEAD");

        *ret_is_other_method = false;
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                if (!match(routes[i].path, c->request->path, c->arg))
                        continue;
                if (streq(routes[i].method, is_head ? "GET" : c->request->method))
                        return routes + i;
                *ret_is_other_method = true;
        }
        return NULL;
}

static size_t n_takes(const ApiRoute *route) {
        size_t n = 0;

        while (n < TAKES_MAX && route->takes[n])
                n++;
        return n;
}

/* ---- arguments that a route does not know ---------------------------------------------------- */

typedef struct Asked {
        const ApiRoute *route;
        uint32_t seen; /* by place in route->takes */
        const char *unknown, *twice;
} Asked;

static bool look_at_argument(const char *name, const char *value, void *userdata) {
        Asked *asked = userdata;
        size_t n = n_takes(asked->route), i = 0;

        if (!*name && !value) /* nothing stands between two `&` */
                return true;
        while (i < n && !streq(asked->route->takes[i], name))
                i++;
        if (i == n)
                asked->unknown = name;
        else if (asked->seen & UINT32_C(1) << i)
                asked->twice = name;
        else
                asked->seen |= UINT32_C(1) << i;
        return !asked->unknown && !asked->twice;
}

/* `?perod=2026-08` would be answered with another period than was meant, and of two values one would
 * be dropped: programs are refused. Pages take what they know: mail programs and search engines
 * append their own to a link, and who opens it cannot mend it. */
static int check_arguments(ApiCall *c, const ApiRoute *route) {
        CLEANUP(buf_done) Buf names = BUF_INIT(1024);
        Asked asked = {.route = route};
        const char *path = c->request->path;

        if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
                return 0;
        serve_each_query(c->request, look_at_argument, &asked);
        if (!asked.unknown && !asked.twice)
                return 0;
        for (size_t i = 0; i < n_takes(route); i++)
                if (buf_printf(&names, "%s%s", i ? ", " : "", route->takes[i]) < 0)
                        break;
        if (asked.twice)
                (void) API_ARGUMENT(c, 400,
                                    "tham số \"%s\" có hai lần; %s nhận mỗi tham số một lần: %s",
                                    "parameter \"%s\" is given twice; %s takes each once: %s",
                                    asked.twice, path, buf_text(&names));
        else if (n_takes(route) == 0)
                (void) API_ARGUMENT(c, 400, "không có tham số \"%s\": %s không nhận tham số nào",
                                    "no parameter \"%s\": %s takes none", asked.unknown, path);
        else
                (void) API_ARGUMENT(c, 400, "không có tham số \"%s\"; %s nhận: %s",
                                    "no parameter \"%s\"; %s takes: %s", asked.unknown, path,
                                    buf_text(&names));
        return API_E_ANSWERED;
}

/* A body without a member that is written wrongly means more than its writer did: a silence of
 * everything, not of one unit. Where nothing is read, an object may come that is empty. */
static int read_body(ApiCall *c, const ApiRoute *route) {
        size_t n = 0;

        if (route->takes_file || streq(route->method, "GET"))
                return 0;
        while (n < MEMBERS_MAX && route->members[n])
                n++;
        return api_read_body(c, route->members, n);
}

/* ---- tags ------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, const char *text) { /* FNV-1a */
        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * UINT64_C(0x100000001b3);
        return (h ^ 0x1f) * UINT64_C(0x100000001b3);
}

static int set_tag(ApiCall *c, const ApiRoute *route) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);
        StepId step = 0;
        int64_t step_ms;

        int r = store_step_last(c->store, &step, &step_ms);
        if (r < 0)
                return r;
        h = mix(h, c->request->path);
        for (size_t i = 0; i < n_takes(route); i++) {
                const char *value = serve_query(c->request, route->takes[i]);

                h = mix(mix(h, route->takes[i]), str_or(value, "\1"));
        }
        (void) snprintf(c->reply->etag, sizeof(c->reply->etag),
                        "\"%" PRId64 "-%" PRId64 "-%" PRIu64 "-%" PRId32 "-%d-%016" PRIx64 "\"",
                        step, c->app->started_ms, c->app->config_generation, c->view.today,
                        c->is_admin, h);
        return 0;
}

static void set_bytes_tag(ApiCall *c) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);
        const char *text = buf_text(&c->body);

        for (size_t i = 0; i < c->body.len; i++)
                h = (h ^ (uint8_t) text[i]) * UINT64_C(0x100000001b3);
        (void) snprintf(c->reply->etag, sizeof(c->reply->etag), "\"%zx-%016" PRIx64 "\"",
                        c->body.len, h);
}

/* The asker has this answer: the same query at the same step, which was answered with 200 then. It is
 * not made again, serve answers 304. */
static bool is_known(const ApiCall *c) {
        return c->reply->etag[0] && c->request->if_none_match &&
               serve_etag_matches(c->request->if_none_match, c->reply->etag);
}

static int memo_key(const ApiCall *c, const ApiRoute *route, Buf *ret) {
        int r = buf_printf(ret, "%d%s", c->is_admin, c->request->path);

        for (size_t i = 0; i < n_takes(route) && r == 0; i++) {
                const char *value = serve_query(c->request, route->takes[i]);

                if (value) /* a value may have any byte but this */
                        r = buf_printf(ret, "%c%zu=%s", '\0', i, value);
        }
        return r;
}

/* The handler's answer, or a copy of it. */
static int answer_known(ApiCall *c, const ApiRoute *route) {
        CLEANUP(buf_done) Buf key = BUF_INIT(BUF_MAX_TEXT);
        const Buf *known;

        if (c->view.is_past || memo_key(c, route, &key) < 0)
                return route->handler(c);
        if (memo_find(c->app, c->view.today, &key, &known))
                return buf_append(&c->body, known->data, known->len);
        int r = route->handler(c);
        if (r == 0 && !c->is_answered && c->reply->status == 200 && json_out_done(&c->out) == 0)
                memo_keep(c->app, &key, &c->body);
        return r;
}

/* ---- a call ---------------------------------------------------------------------------------- */

static int read_instant(ApiCall *c) {
        const char *as_of = api_query(c, "as_of");

        int r = view_as_of(c->app, as_of, clock_now_ms(), &c->view);
        if (r != -EINVAL)
                return r;
        (void) API_ARGUMENT(
                c, 400,
                "as_of \"%s\" không phải thời điểm: viết 2026-10-31 hoặc 2026-10-31T08:00:00+07:00",
                "as_of \"%s\" is no instant: write 2026-10-31 or 2026-10-31T08:00:00+07:00", as_of);
        return API_E_ANSWERED;
}

/* Who opens a link in a browser reads a page, programs a problem. */
static int refuse_path(ApiCall *c) {
        const char *path = c->request->path, *accept = c->request->accept;
        int r = API_PROBLEM(c, 404, "không có đường dẫn %s", "there is no %s", path);
        bool is_browser = accept && strstr(accept, "text/html");

        return r == 0 && is_browser && strncmp(path, PREFIX, strlen(PREFIX)) != 0 ? page_refusal(c)
                                                                                  : r;
}

static int answer(ApiCall *c, const ApiRoute *route) {
        int r = check_arguments(c, route);
        if (r == 0)
                r = api_read_window(c);
        if (r == 0)
                r = read_instant(c);
        if (r == 0)
                r = read_body(c, route);
        if (r == 0 && route->has_tag)
                r = set_tag(c, route);
        if (r == 0 && is_known(c))
                return 0;
        if (r == 0)
                r = route->has_tag ? answer_known(c, route) : route->handler(c);
        if (route->is_page && (r == API_E_ANSWERED || (r == 0 && c->reply->status >= 400)))
                r = page_refusal(c);
        if (r == 0 && !c->is_answered)
                r = json_out_done(&c->out);
        if (r != 0 || c->reply->status >= 300)
                c->reply->etag[0] = '\0';
        else if (route->tags_bytes && !c->is_answered)
                set_bytes_tag(c);
        return r;
}

/* Who orders something reads what it has just written; who asks reads one state from end to end. */
static int answer_whole(ApiCall *c, const ApiRoute *route) {
        if (!streq(route->method, "GET"))
                return answer(c, route);

        int r = store_look(c->store);
        if (r < 0)
                return r;
        r = answer(c, route);
        int ended = store_commit(c->store);
        return r != 0 ? r : ended;
}

static int dispatch(ApiCall *c) {
        bool is_other_method;
        const ApiRoute *route = find_route(c, &is_other_method);

        if (!route && is_other_method)
                return API_PROBLEM(c, 405, "%s không dùng được với %s", "%s does not go with %s",
                                   c->request->method, c->request->path);
        if (!route)
                return refuse_path(c);
        if (route->is_admin && !c->is_admin)
                return API_PROBLEM(c, 403, "chỉ làm được qua admin.sock (nhóm chisod-admin)",
                                   "only by admin.sock (group chisod-admin)");
        return answer_whole(c, route);
}

int api_handle(const ServeRequest *request, ServeReply *reply, void *userdata) {
        App *app = userdata;
        ApiCall c = {
                .app = app,
                .store = app->reader,
                .request = request,
                .reply = reply,
                .is_admin = request->role == SERVE_ADMIN,
                .body = BUF_INIT(API_REPLY_MAX),
        };

        c.out = JSON_OUT(&c.body);
        if (reply->status == 0)
                reply->status = 200;
        int r = dispatch(&c);
        if (r > 0 && r != API_E_ANSWERED)
                r = -EIO; /* a row that must be there is not */
        if (r < 0)
                log_warning("%s %s: %s, answering 500", request->method, request->path,
                            strerror(-r));
        if (r == 0 && !c.is_answered) {
                buf_done(&reply->body);
                reply->body = c.body;
                c.body = BUF_INIT(0);
        }
        buf_done(&c.body);
        json_decref(c.asked);
        return r == API_E_ANSWERED ? 0 : r;
}

/* ---- pieces of answers ----------------------------------------------------------------------- */

void api_as_of(ApiCall *c) {
        JsonOut *o = &c->out;

        if (!c->view.is_past) {
                json_out_null(o, "as_of");
                return;
        }
        json_out_object(o, "as_of");
        json_out_instant(o, "at", c->view.at_ms);
        json_out_int(o, "step", MAX(c->view.step, 0));
        json_out_text(o, "note",
                      app_is_vi(c->app) ? "danh mục đơn vị, mốc so sánh, mức xếp loại và quy tắc "
                                          "theo cấu hình hiện nay"
                                        : "registry, eras, bands and rules are as configured now");
        json_out_end_object(o);
}

void api_page(ApiCall *c, size_t total) {
        json_out_int(&c->out, "total", (int64_t) total);
        json_out_int(&c->out, "limit", (int64_t) c->limit);
        json_out_int(&c->out, "offset", (int64_t) c->offset);
}

/* ---- small reads ----------------------------------------------------------------------------- */

int api_health(ApiCall *c) {
        StepId step;
        int64_t at_ms;
        int r = store_step_last(c->store, &step, &at_ms);

        if (r < 0 || c->app->health.store_error < 0)
                return API_PROBLEM(c, 503, "cơ sở dữ liệu: %s", "database: %s",
                                   strerror(r < 0 ? -r : -c->app->health.store_error));
        json_out_object(&c->out, NULL);
        json_out_text(&c->out, "status", "ok");
        json_out_text(&c->out, "version", CHISO_VERSION);
        json_out_end_object(&c->out);
        return 0;
}

int api_status(ApiCall *c) {
        return status_write(c->app, clock_now_ms(), c->is_admin, &c->body);
}

static int write_indicator(ApiCall *c, const IndicatorDef *def) {
        JsonOut *o = &c->out;
        const SourceDef *source = view_source(&c->view, def);

        json_out_object(o, NULL);
        view_indicator_members(o, &c->view, def);
        json_out_text(o, "source", source ? source->name : NULL);
        json_out_bool(o, "derived", def->derive != DERIVE_NONE);
        json_out_object(o, "newest");
        for (PeriodType type = PERIOD_MONTH; type <= PERIOD_YEAR; type++) {
                PeriodId newest;
                int r = view_newest_period(&c->view, def, type, &newest);

                if (r < 0)
                        return r;
                if (r == 0)
                        json_out_period(o, period_type_name(type), newest);
        }
        json_out_end_object(o);
        json_out_end_object(o);
        return 0;
}

int api_indicators(ApiCall *c) {
        const Config *config = c->app->config;
        size_t n = api_window(c, config->n_indicators);

        json_out_object(&c->out, NULL);
        api_as_of(c);
        api_page(c, config->n_indicators);
        json_out_array(&c->out, "indicators");
        for (size_t i = 0; i < n; i++) {
                int r = write_indicator(c, config->indicators + c->offset + i);
                if (r < 0)
                        return r;
        }
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        return 0;
}
