/* What a call was asked with, read and looked up: each argument by its name, the body as JSON. What is
 * wrong is refused here, with what would have been right. */
#include <errno.h>
#include <stdio.h>

#include "answer/api-call.h"
#include "base/text.h"
#include "core/reason.h"

#define DEFAULT_LIMIT 1000u
#define MAX_LIMIT 100000u
#define MAX_SUGGESTIONS 5u
#define MAX_TEXT 1000u /* bytes of what a person may leave */
#define MAX_MEMBER_SHOWN 100u

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

/* ---- what they name -------------------------------------------------------------------------- */

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
                CLEANUP(buf_done) Buf words = BUF_INIT(BUF_MAX_TEXT);
                const char *which = diag.n > 0 ? diag.items[0].text : "";
                bool is_known = app_is_vi(c->app) && reason_words(which, &words) == 0;

                (void) API_ARGUMENT(c, 409, "\"%s\" chỉ nhiều đơn vị: %s",
                                    "\"%s\" names several units: %s", text,
                                    is_known ? buf_text(&words) : which);
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

/* ---- the body -------------------------------------------------------------------------------- */

static int parse_body(ApiCall *c) {
        json_error_t error;

        if (c->request->body_size == 0) {
                c->asked = json_object();
                return c->asked ? 0 : -ENOMEM;
        }
        c->asked =
                json_loadb(c->request->body, c->request->body_size, JSON_REJECT_DUPLICATES, &error);
        if (json_is_object(c->asked))
                return 0;
        if (c->asked)
                (void) API_PROBLEM(c, 400, "nội dung phải là một đối tượng JSON",
                                   "the body must be a JSON object");
        else
                (void) API_PROBLEM(c, 400, "nội dung không phải JSON: %s",
                                   "the body is no JSON: %s", error.text);
        return API_E_ANSWERED;
}

static int refuse_member(ApiCall *c, const char *name, const char *const names[], size_t n_names) {
        CLEANUP(buf_done) Buf list = BUF_INIT(1024);
        const char *path = c->request->path;

        if (strlen(name) > MAX_MEMBER_SHOWN) /* cut, it might end within a letter */
                name = "…";
        for (size_t i = 0; i < n_names; i++)
                if (add_name(&list, names[i]) < 0)
                        break;
        if (n_names == 0)
                (void) API_ARGUMENT(
                        c, 400, "nội dung có \"%s\": %s không nhận nội dung nào; chưa làm gì",
                        "the body has \"%s\": %s takes none; nothing was done", name, path);
        else
                (void) API_ARGUMENT(c, 400, "nội dung có \"%s\"; %s chỉ nhận: %s; chưa làm gì",
                                    "the body has \"%s\"; %s takes only: %s; nothing was done",
                                    name, path, buf_text(&list));
        return API_E_ANSWERED;
}

int api_read_body(ApiCall *c, const char *const names[], size_t n_names) {
        int r = parse_body(c);

        if (r != 0)
                return r;
        for (void *at = json_object_iter(c->asked); at; at = json_object_iter_next(c->asked, at)) {
                const char *name = json_object_iter_key(at);
                size_t i = 0;

                while (i < n_names && !streq(names[i], name))
                        i++;
                if (i == n_names)
                        return refuse_member(c, name, names, n_names);
        }
        return 0;
}

int api_read_text(ApiCall *c, const char *name, const char **ret) {
        const json_t *value = json_object_get(c->asked, name);

        *ret = NULL;
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value) || json_string_length(value) > MAX_TEXT) {
                (void) API_ARGUMENT(c, 400, "%s phải là chữ, nhiều nhất %u byte",
                                    "%s must be text of at most %u bytes", name, MAX_TEXT);
                return API_E_ANSWERED;
        }
        const char *text = json_string_value(value);
        *ret = *text ? text : NULL;
        return 0;
}

int api_read_until(ApiCall *c, const char *name, int64_t otherwise, int64_t *ret) {
        const char *text;

        int r = api_read_text(c, name, &text);
        *ret = otherwise;
        if (r != 0 || !text || instant_parse(text, ret) == 0 || asof_parse(text, ret) == 0)
                return r;
        (void) API_ARGUMENT(c, 400, "%s \"%s\" không phải thời điểm", "%s \"%s\" is no instant",
                            name, text);
        return API_E_ANSWERED;
}

int api_read_flag(ApiCall *c, const char *name, bool *ret) {
        const json_t *value = json_object_get(c->asked, name);

        *ret = json_is_true(value);
        if (!value || json_is_null(value) || json_is_boolean(value))
                return 0;
        (void) API_ARGUMENT(c, 400, "%s phải là true hoặc false, không có ngoặc kép",
                            "%s must be true or false, without quotes", name);
        return API_E_ANSWERED;
}
