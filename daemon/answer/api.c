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

#define DEFAULT_LIMIT 1000u
#define MAX_LIMIT 100000u
#define MAX_SUGGESTIONS 5u

typedef struct ApiRoute {
        const char *method, *path; /* `*` stands for one segment; a final `*` for the rest */
        ApiHandler handler;
        bool is_admin;
        bool has_tag;    /* of step, day and request */
        bool tags_bytes; /* what it says may change without a step: a silence ends */
        bool is_page;    /* HTML, refusals too */
} ApiRoute;

static const ApiRoute routes[] = {
        {"GET", "/", page_league, .is_page = true},
        {"GET", "/u/*", page_unit, .is_page = true},
        {"GET", "/heat", page_heat, .is_page = true},
        {"GET", "/sources", page_sources, .is_page = true},
        {"GET", "/healthz", api_health},
        {"GET", "/metrics", api_metrics},
        {"GET", "/v1/status", api_status},
        {"GET", "/v1/indicators", api_indicators, .has_tag = true},
        {"GET", "/v1/periods", api_periods, .has_tag = true},
        {"GET", "/v1/units", api_units, .has_tag = true},
        {"GET", "/v1/units/*", api_unit, .has_tag = true},
        {"GET", "/v1/ranking", api_ranking, .has_tag = true},
        {"GET", "/v1/history", api_history, .has_tag = true},
        {"GET", "/v1/alerts", api_alerts, .tags_bytes = true},
        {"GET", "/v1/alerts/*", api_alert, .tags_bytes = true},
        {"GET", "/v1/sources", api_sources},
        {"GET", "/v1/snapshots", api_snapshots, .has_tag = true},
        {"GET", "/v1/snapshots/*/parts/*/body", api_snapshot_body, .has_tag = true},
        {"GET", "/v1/snapshots/*", api_snapshot, .has_tag = true},
        {"GET", "/v1/restatements", api_restatements, .has_tag = true},
        {"GET", "/v1/quarantine", api_quarantine, .has_tag = true},
        {"GET", "/v1/deliveries", api_deliveries, .tags_bytes = true},
        {"GET", "/v1/recipients", api_recipients, .has_tag = true},
        {"GET", "/v1/report", api_report},
        {"GET", "/v1/verify", api_verify, .is_admin = true},
        {"GET", "/v1/backup", api_backup, .is_admin = true},
        {"POST", "/v1/snapshots", api_import, .is_admin = true},
        {"POST", "/v1/snapshots/*/accept", api_snapshot_accept, .is_admin = true},
        {"POST", "/v1/snapshots/*/reject", api_snapshot_reject, .is_admin = true},
        {"POST", "/v1/snapshots/*/undo", api_snapshot_undo, .is_admin = true},
        {"POST", "/v1/units", api_units_import, .is_admin = true},
        {"POST", "/v1/sources/*/fetch", api_source_fetch, .is_admin = true},
        {"POST", "/v1/alerts/*/ack", api_alert_ack, .is_admin = true},
        {"GET", "/v1/explain", api_explain},
        {"GET", "/v1/rules", api_rules},
        {"POST", "/v1/rules/diff", api_rules_diff, .is_admin = true},
        {"POST", "/v1/backtest", api_backtest, .is_admin = true},
        {"POST", "/v1/rules/*/release", api_rule_release, .is_admin = true},
        {"GET", "/v1/silences", api_silences},
        {"POST", "/v1/silences", api_silence_add, .is_admin = true},
        {"DELETE", "/v1/silences/*", api_silence_end, .is_admin = true},
        {"GET", "/v1/render", api_render, .is_admin = true},
        {"POST", "/v1/deliveries/*/retry", api_delivery_retry, .is_admin = true},
        {"POST", "/v1/drills", api_drill, .is_admin = true},
        {"POST", "/v1/go-live", api_go_live, .is_admin = true},
};

/* Every argument that a read knows: what the tag is made of. */
static const char *const arguments[] = {"as_of",    "limit",  "offset",  "indicator", "period",
                                        "type",     "kind",   "parent",  "with",      "unit",
                                        "vintages", "all",    "rule",    "state",     "source",
                                        "q",        "format", "observed"};

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

static uint64_t mix(uint64_t h, const char *text) { /* FNV-1a */
        for (; *text; text++)
                h = (h ^ (uint8_t) *text) * UINT64_C(0x100000001b3);
        return (h ^ 0x1f) * UINT64_C(0x100000001b3);
}

static int set_tag(ApiCall *c) {
        uint64_t h = UINT64_C(0xcbf29ce484222325);
        StepId step = 0;
        int64_t step_ms;

        int r = store_step_last(c->store, &step, &step_ms);
        if (r < 0)
                return r;
        h = mix(h, c->request->path);
        for (size_t i = 0; i < ELEMENTSOF(arguments); i++) {
                const char *value = serve_query(c->request, arguments[i]);

                h = mix(mix(h, arguments[i]), str_or(value, "\1"));
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

static int memo_key(const ApiCall *c, Buf *ret) {
        int r = buf_printf(ret, "%d%s", c->is_admin, c->request->path);

        for (size_t i = 0; i < ELEMENTSOF(arguments) && r == 0; i++) {
                const char *value = serve_query(c->request, arguments[i]);

                if (value) /* a value may have any byte but this */
                        r = buf_printf(ret, "%c%zu=%s", '\0', i, value);
        }
        return r;
}

/* The handler's answer, or a copy of it. */
static int answer_known(ApiCall *c, ApiHandler handler) {
        CLEANUP(buf_done) Buf key = BUF_INIT(BUF_MAX_TEXT);
        const Buf *known;

        if (c->view.is_past || memo_key(c, &key) < 0)
                return handler(c);
        if (memo_find(c->app, c->view.today, &key, &known))
                return buf_append(&c->body, known->data, known->len);
        int r = handler(c);
        if (r == 0 && !c->is_answered && c->reply->status == 200 && json_out_done(&c->out) == 0)
                memo_keep(c->app, &key, &c->body);
        return r;
}

static int parse_number(const char *text, size_t max, size_t *ret) {
        char *end = NULL;

        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        errno = 0;
        unsigned long long value = strtoull(text, &end, 10);
        if (errno != 0 || *end || value > max)
                return -EINVAL;
        *ret = (size_t) value;
        return 0;
}

int api_read_window(ApiCall *c) {
        const char *limit = api_query(c, "limit"), *offset = api_query(c, "offset");

        c->limit = DEFAULT_LIMIT;
        if (limit && (parse_number(limit, MAX_LIMIT, &c->limit) < 0 || c->limit == 0)) {
                (void) API_ARGUMENT(c, 400, "limit phải là số từ 1 đến %u",
                                    "limit must be a number from 1 to %u", MAX_LIMIT);
                return API_E_ANSWERED;
        }
        if (offset && parse_number(offset, INT32_MAX, &c->offset) < 0) {
                (void) API_ARGUMENT(c, 400, "offset phải là số không âm",
                                    "offset must be a number of at least 0");
                return API_E_ANSWERED;
        }
        return 0;
}

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

static int dispatch(ApiCall *c) {
        bool is_other_method;
        const ApiRoute *route = find_route(c, &is_other_method);

        if (!route && is_other_method)
                return API_PROBLEM(c, 405, "%s không dùng được với %s", "%s does not go with %s",
                                   c->request->method, c->request->path);
        if (!route)
                return API_PROBLEM(c, 404, "không có đường dẫn %s", "there is no %s",
                                   c->request->path);
        if (route->is_admin && !c->is_admin)
                return API_PROBLEM(c, 403, "chỉ làm được qua admin.sock (nhóm chisod-admin)",
                                   "only by admin.sock (group chisod-admin)");

        int r = api_read_window(c);
        if (r == 0)
                r = read_instant(c);
        if (r == 0 && route->has_tag)
                r = set_tag(c);
        if (r == 0 && is_known(c))
                return 0;
        if (r == 0)
                r = route->has_tag ? answer_known(c, route->handler) : route->handler(c);
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
        return r == API_E_ANSWERED ? 0 : r;
}

/* ---- what arguments name --------------------------------------------------------------------- */

const char *api_query(const ApiCall *c, const char *name) {
        const char *value = NULL;

        if (!c->args)
                value = serve_query(c->request, name);
        for (size_t i = 0; c->args && i < c->n_args; i++)
                if (streq(c->args[i].name, name))
                        value = c->args[i].value;
        return value && *value ? value : NULL;
}

bool api_flag(const ApiCall *c, const char *name) {
        const char *value = api_query(c, name);

        return value && !streq(value, "0") && !streq(value, "no") && !streq(value, "false");
}

static int add_name(Buf *names, const char *name) {
        return buf_printf(names, "%s%s", names->len ? ", " : "", name);
}

static int refuse_indicator(ApiCall *c, const char *name) {
        const Config *config = c->app->config;
        CLEANUP(buf_done) Buf names = BUF_INIT(4096);

        for (size_t i = 0; i < config->n_indicators; i++)
                if (add_name(&names, config->indicators[i].name) < 0)
                        break;
        (void) API_ARGUMENT(c, 404, "không có chỉ số \"%s\"; có: %s",
                            "no indicator \"%s\"; there are: %s", name, buf_text(&names));
        return API_E_ANSWERED;
}

int api_find_indicator(ApiCall *c, const char *name, const IndicatorDef **ret) {
        if (!name) {
                *ret = view_default_indicator(&c->view);
                if (*ret)
                        return 0;
                (void) API_PROBLEM(c, 404, "chưa cấu hình chỉ số nào",
                                   "no indicator is configured");
                return API_E_ANSWERED;
        }
        int i = config_indicator(c->app->config, name);
        if (i < 0)
                return refuse_indicator(c, name);
        *ret = c->app->config->indicators + i;
        return 0;
}

/* Suggestions only: what sounds alike is never taken for the thing itself. */
static int suggest_units(ApiCall *c, const char *text, Buf *out) {
        const UnitRegistry *registry = &c->app->units;
        CLEANUP_FREE char *wanted = NULL;
        size_t n = 0;

        int r = text_fold(text, &wanted);
        if (r < 0 || !*wanted)
                return r;
        for (size_t i = 0; i < registry->n && n < MAX_SUGGESTIONS; i++) {
                const char *name = app_unit_label(c->app, registry->units[i].id, c->view.today);
                CLEANUP_FREE char *folded = NULL;

                r = text_fold(name, &folded);
                if (r < 0)
                        return r;
                if (!strstr(folded, wanted) && !strstr(registry->units[i].key, text))
                        continue;
                r = buf_printf(out, "%s%s (%s)", out->len ? ", " : "", name,
                               registry->units[i].key);
                if (r < 0)
                        return r;
                n++;
        }
        return 0;
}

static int refuse_unit(ApiCall *c, const char *text) {
        CLEANUP(buf_done) Buf likely = BUF_INIT(4096);

        int r = suggest_units(c, text, &likely);
        if (r == -ENOMEM)
                return r;
        if (likely.len > 0)
                (void) API_ARGUMENT(c, 404, "không có đơn vị \"%s\"; có phải: %s?",
                                    "no unit \"%s\"; perhaps: %s?", text, buf_text(&likely));
        else
                (void) API_ARGUMENT(
                        c, 404,
                        "không có đơn vị \"%s\": viết khóa, NAMESPACE:MÃ, hoặc mã hay tên đầy đủ",
                        "no unit \"%s\": write its key, NAMESPACE:CODE, or its whole code or name",
                        text);
        return API_E_ANSWERED;
}

/* A key names its unit for ever; unit_find() asks for a day. */
static UnitId unit_by_key(const UnitRegistry *registry, const char *key) {
        for (size_t i = 0; i < registry->n; i++)
                if (streq(registry->units[i].key, key))
                        return registry->units[i].id;
        return 0;
}

int api_find_unit(ApiCall *c, const char *text, UnitId *ret) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        if (!text) {
                *ret = 0;
                return 0;
        }
        int r = unit_find(&c->app->units, text, c->view.today, ret, &diag);
        if (r <= 0 && r != -EINVAL)
                return r;
        if (r == UNIT_E_AMBIGUOUS) {
                (void) API_ARGUMENT(c, 409, "\"%s\" chỉ nhiều đơn vị: %s",
                                    "\"%s\" names several units: %s", text,
                                    diag.n > 0 ? diag.items[0].text : "");
                return API_E_ANSWERED;
        }
        *ret = unit_by_key(&c->app->units, text);
        return *ret ? 0 : refuse_unit(c, text);
}

int api_find_period(ApiCall *c, const char *text, PeriodId *ret) {
        *ret = 0;
        if (!text || period_parse(text, ret) == 0)
                return 0;
        (void) API_ARGUMENT(c, 400,
                            "kỳ \"%s\" không đúng dạng: viết 2024-08, 2024-Q3, 2024-H2 hoặc 2024",
                            "period \"%s\": write 2024-08, 2024-Q3, 2024-H2 or 2024", text);
        return API_E_ANSWERED;
}

int api_find_rule(ApiCall *c, const char *name, size_t *ret) {
        const Config *config = c->app->config;
        CLEANUP(buf_done) Buf names = BUF_INIT(8192);
        int i = name ? config_rule(config, name) : -1;

        if (i >= 0) {
                *ret = (size_t) i;
                return 0;
        }
        for (size_t k = 0; k < config->n_rules; k++)
                if (add_name(&names, config->rules[k].name) < 0)
                        break;
        (void) API_ARGUMENT(c, name ? 404 : 400, "không có quy tắc \"%s\"; có: %s",
                            "no rule \"%s\"; there are: %s", str_or(name, ""), buf_text(&names));
        return API_E_ANSWERED;
}

int api_find_source(ApiCall *c, const char *name, size_t *ret) {
        const Config *config = c->app->config;
        CLEANUP(buf_done) Buf names = BUF_INIT(4096);
        int i = name ? config_source(config, name) : -1;

        if (i >= 0) {
                *ret = (size_t) i;
                return 0;
        }
        for (size_t k = 0; k < config->n_sources; k++)
                if (add_name(&names, config->sources[k].name) < 0)
                        break;
        (void) API_ARGUMENT(c, name ? 404 : 400, "không có nguồn \"%s\"; có: %s",
                            "no source \"%s\"; there are: %s", str_or(name, ""), buf_text(&names));
        return API_E_ANSWERED;
}

/* Kinds are data: those that units have. */
int api_check_kind(ApiCall *c, const char *kind) {
        enum { MOST = 16 };
        const UnitRegistry *registry = &c->app->units;
        CLEANUP(buf_done) Buf names = BUF_INIT(4096);
        const char *seen[MOST];
        size_t n = 0;

        for (size_t i = 0; kind && i < registry->n; i++) {
                const char *own = registry->units[i].kind;
                size_t k = 0;

                if (streq(own, kind))
                        return 0;
                while (k < n && !streq(seen[k], own))
                        k++;
                if (k == n && n < MOST && add_name(&names, seen[n++] = own) < 0)
                        break;
        }
        if (!kind)
                return 0;
        (void) API_ARGUMENT(c, 404, "không có loại đơn vị \"%s\"; có: %s",
                            "no kind of unit \"%s\"; there are: %s", kind, buf_text(&names));
        return API_E_ANSWERED;
}

int api_find_id(ApiCall *c, const char *text, int64_t *ret) {
        size_t value;

        if (parse_number(text, INT64_MAX, &value) < 0 || value == 0) {
                (void) API_ARGUMENT(c, 400, "\"%s\" không phải số hiệu", "\"%s\" is no id", text);
                return API_E_ANSWERED;
        }
        *ret = (int64_t) value;
        return 0;
}

char *api_first_error(const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++)
                if (diag->items[i].level == DIAG_ERROR)
                        return diag_item_format(&diag->items[i]);
        return NULL;
}

int api_body(ApiCall *c, json_t **ret) {
        json_error_t error;

        if (c->request->body_size == 0) {
                *ret = json_object();
                return *ret ? 0 : -ENOMEM;
        }
        json_t *root =
                json_loadb(c->request->body, c->request->body_size, JSON_REJECT_DUPLICATES, &error);
        if (!root) {
                (void) API_PROBLEM(c, 400, "nội dung không phải JSON: %s",
                                   "the body is no JSON: %s", error.text);
                return API_E_ANSWERED;
        }
        if (!json_is_object(root)) {
                json_decref(root);
                (void) API_PROBLEM(c, 400, "nội dung phải là một đối tượng JSON",
                                   "the body must be a JSON object");
                return API_E_ANSWERED;
        }
        *ret = root;
        return 0;
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
