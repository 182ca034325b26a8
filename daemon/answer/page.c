/* What all pages share. The templates are parsed when the first page is asked for: an installation
 * that nobody looks at in a browser does not pay for them. Writing HTML from C was tried first and
 * dropped: what a page looks like could not be read from it. */
#include "answer/page.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "answer/status.h"
#include "base/text.h"
#include "core/reason.h"
#include "os/clock.h"
#include "store/figure.h"

#define PAGE_MAX ((size_t) 8 << 20)
#define ALERTS_AT_ONCE 8u
#define MAX_PERIODS 25 /* choices: two years and the running month */

/* Nothing from elsewhere and no scripts, whatever a published name holds. */
static const char policy[] =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'";

/* ---- setters --------------------------------------------------------------------------------- */

void page_set(Page *p, json_t *object, const char *key, json_t *value) {
        if (p->error < 0 || !object || !value)
                json_decref(value);
        else if (json_object_set_new(object, key, value) == 0)
                return;
        if (p->error == 0)
                p->error = -ENOMEM;
}

void page_add(Page *p, json_t *array, json_t *value) {
        if (p->error < 0 || !array || !value)
                json_decref(value);
        else if (json_array_append_new(array, value) == 0)
                return;
        if (p->error == 0)
                p->error = -ENOMEM;
}

void page_printf(Page *p, json_t *object, const char *key, const char *format, ...) {
        CLEANUP(buf_done) Buf text = BUF_INIT(16384);
        va_list ap;

        va_start(ap, format);
        int r = buf_vprintf(&text, format, ap);
        va_end(ap);
        page_set(p, object, key, r < 0 ? NULL : json_string(buf_text(&text)));
}

json_t *page_list(Page *p, json_t *object, const char *key) {
        json_t *list = json_array();

        page_set(p, object, key, list);
        return p->error < 0 ? NULL : list;
}

json_t *page_object(Page *p, json_t *object, const char *key) {
        json_t *member = json_object();

        page_set(p, object, key, member);
        return p->error < 0 ? NULL : member;
}

json_t *page_row(Page *p, json_t *array) {
        json_t *row = json_object();

        page_add(p, array, row);
        return p->error < 0 ? NULL : row;
}

void page_instant(Page *p, json_t *object, const char *key) {
        const char *text = json_string_value(json_object_get(object, key));
        char name[64], people[24];
        int64_t at_ms;

        (void) snprintf(name, sizeof(name), "%s_text", key);
        if (text && instant_parse(text, &at_ms) == 0)
                page_set(p, object, name, json_string(instant_format_vi(people, at_ms)));
        else
                page_set(p, object, name, json_null());
}

void page_compared(Page *p, json_t *object, const json_t *cohort) {
        const json_t *of = json_object_get(cohort, "move_of");
        json_int_t n = json_integer_value(of);
        bool is_part = json_is_integer(of) &&
                       (n < json_integer_value(json_object_get(cohort, "with_value")) ||
                        n < json_integer_value(json_object_get(cohort, "previous_of")));

        page_set(p, object, "compared", is_part ? json_integer(n) : json_null());
}

void page_reason(Page *p, json_t *object, const char *key) {
        const char *reason = json_string_value(json_object_get(object, key));
        CLEANUP(buf_done) Buf text = BUF_INIT(16384);

        if (!reason)
                return;
        reason = api_masked(p->call, reason);
        bool is_known = page_is_vi(p) && reason_words(reason, &text) == 0;
        page_set(p, object, key, json_string(is_known ? buf_text(&text) : reason));
}

void page_share(Page *p, json_t *object, const char *key, double part, double whole) {
        long tenths = whole > 0 ? lround(CLAMP(part / whole, 0.0, 1.0) * 1000) : 0;

        page_printf(p, object, key, "%ld.%ld", tenths / 10, tenths % 10);
}

bool page_is_vi(const Page *p) {
        return app_is_vi(p->call->app);
}

/* ---- links ----------------------------------------------------------------------------------- */

static int append_as_of(const Page *p, Buf *path) {
        const char *as_of = api_query(p->call, "as_of");

        if (!as_of)
                return 0;
        int r = buf_str(path, "?as_of=");
        return r < 0 ? r : text_append_url(path, as_of, strlen(as_of));
}

static void set_link(Page *p, json_t *object, const char *path, const char *rest) {
        CLEANUP(buf_done) Buf link = BUF_INIT(8192);

        int r = buf_str(&link, path);
        if (r == 0)
                r = text_append_url(&link, rest, strlen(rest));
        if (r == 0)
                r = append_as_of(p, &link);
        page_set(p, object, "href", r < 0 ? NULL : json_string(buf_text(&link)));
}

void page_unit_link(Page *p, json_t *object, const json_t *unit) {
        const char *key = json_string_value(json_object_get(unit, "key"));

        if (key)
                set_link(p, object, "/u/", key);
        else
                page_set(p, object, "href", json_null());
}

static void set_navigation(Page *p, const char *current) {
        static const char *const pages[][2] = {
                {"/", "league"}, {"/heat", "heat"}, {"/sources", "sources"}};
        json_t *list = page_list(p, p->view, "nav");

        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                json_t *item = page_row(p, list);

                set_link(p, item, pages[i][0], "");
                page_set(p, item, "label", json_string(page_word(p, pages[i][1])));
                page_set(p, item, "is_current", json_boolean(streq(pages[i][1], current)));
        }
}

/* The same page as a workbook: every argument of this one and the format. */
static void set_download(Page *p) {
        static const char *const names[] = {"indicator", "period", "kind", "parent",
                                            "type",      "offset", "as_of"};
        CLEANUP(buf_done) Buf link = BUF_INIT(16384);
        int r = buf_str(&link, "?format=xlsx");

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(names); i++) {
                const char *value = api_query(p->call, names[i]);

                if (!value)
                        continue;
                r = buf_printf(&link, "&%s=", names[i]);
                if (r == 0)
                        r = text_append_url(&link, value, strlen(value));
        }
        page_set(p, p->view, "download", r < 0 ? NULL : json_string(buf_text(&link)));
}

static int check_format(ApiCall *c) {
        const char *format = api_query(c, "format");

        if (!format || streq(format, "html") || streq(format, "xlsx"))
                return 0;
        (void) API_ARGUMENT(c, 400, "không có dạng \"%s\": html hoặc xlsx",
                            "there is no format \"%s\": html or xlsx", format);
        return API_E_ANSWERED;
}

/* ---- a page's life --------------------------------------------------------------------------- */

static void set_instant(Page *p) {
        const char *as_of = api_query(p->call, "as_of");
        const View *v = &p->call->view;
        char day[16], people[24];

        page_set(p, p->view, "as_of", as_of ? json_string(as_of) : json_null());
        page_set(p, p->view, "as_of_day",
                 v->is_past ? json_string(day_format(day, v->today)) : json_null());
        page_set(p, p->view, "as_of_text",
                 v->is_past ? json_string(instant_format_vi(people, v->at_ms)) : json_null());
        page_set(p, p->view, "now_text", json_string(instant_format_vi(people, clock_now_ms())));
}

static int load_templates(App *app) {
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        if (app->templates_page)
                return 0;
        return render_templates_new("page", NULL, 0, &diag, &app->templates_page);
}

int page_init(Page *p, ApiCall *c, const char *name) {
        const App *app = c->app;
        char text[STATUS_TROUBLE_MAX];

        int r = load_templates(c->app);
        if (r == 0)
                r = check_format(c);
        if (r != 0)
                return r;
        *p = (Page){.call = c, .view = json_object()};
        if (!p->view)
                return -ENOMEM;
        page_words(p);
        page_set(p, p->view, "lang", json_string(page_is_vi(p) ? "vi" : "en"));
        page_set(p, p->view, "organization",
                 json_string(str_or(app->config->daemon.organization, "")));
        page_set(p, p->view, "title", json_string(page_word(p, name)));
        const char *trouble = status_trouble(app, clock_now_ms(), text);
        page_set(p, p->view, "trouble",
                 trouble ? json_string(api_masked(c, trouble)) : json_null());
        set_instant(p);
        set_navigation(p, name);
        set_download(p);
        return p->error;
}

void page_done(Page *p) {
        json_decref(p->view);
}

int page_answer(Page *p, const char *template_name) {
        CLEANUP(buf_done) Buf text = BUF_INIT(PAGE_MAX);
        ServeReply *reply = p->call->reply;

        if (p->error < 0)
                return p->error;
        int r = render_named(p->call->app->templates_page, template_name, p->view, &text);
        if (r < 0)
                return r;
        buf_done(&reply->body);
        reply->body = text;
        text = BUF_INIT(0);
        reply->content_type = "text/html; charset=utf-8";
        reply->policy = policy;
        p->call->is_answered = true;
        return 0;
}

static const NameValue no_args = {"", ""};

/* Where there is something to read: the newest ranking, or the heat table for who asked for that. */
static int set_home(Page *p) {
        const View *v = &p->call->view;
        const IndicatorDef *def = view_default_indicator(v);
        json_t *home = page_object(p, p->view, "home");
        char text[VIEW_TEXT_MAX];
        PeriodId period;
        int r = def ? view_default_period(v, def, &period) : STORE_E_NONE;

        page_set(p, home, "href",
                 json_string(streq(p->call->request->path, "/heat") ? "/heat" : "/"));
        page_set(p, home, "label",
                 r == 0 ? json_string(view_period_text(text, p->call->app, period)) : json_null());
        return r < 0 ? r : p->error;
}

/* What was asked may be what was wrong: the page knows none of it, and stands in the present. */
int page_refusal(ApiCall *c) {
        CLEANUP(page_done) Page p = {0};
        json_t *problem = json_loadb(buf_text(&c->reply->body), c->reply->body.len, 0, NULL);
        const char *detail = json_string_value(json_object_get(problem, "detail"));

        c->view = view_now(c->app, clock_now_ms());
        c->args = &no_args;
        c->n_args = 0;
        int r = page_init(&p, c, "refused");
        page_set(&p, p.view, "detail", json_string(str_or(detail, "")));
        json_decref(problem);
        if (r == 0)
                r = set_home(&p);
        return r < 0 ? r : page_answer(&p, "refused.html");
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int ask(ApiCall *inner, ApiHandler handler) {
        int r = api_read_window(inner);

        if (r == 0)
                r = handler(inner);
        if (r == 0 && inner->is_answered)
                r = API_E_ANSWERED;
        return r == 0 ? json_out_done(&inner->out) : r;
}

int page_ask(Page *p, ApiHandler handler, const NameValue *args, size_t n_args, json_t **ret) {
        ApiCall inner = *p->call;

        inner.args = args ? args : &no_args;
        inner.n_args = n_args;
        inner.body = BUF_INIT(API_REPLY_MAX);
        inner.out = JSON_OUT(&inner.body);
        int r = ask(&inner, handler);
        if (r == 0) {
                *ret = json_loadb(buf_text(&inner.body), inner.body.len, 0, NULL);
                r = *ret ? 0 : -ENOMEM;
        }
        buf_done(&inner.body);
        return r;
}

int page_source(Page *p) {
        const View *v = &p->call->view;
        const IndicatorDef *def = view_default_indicator(v);
        PeriodId period;
        int64_t fetched_ms = 0;
        char text[VIEW_TEXT_MAX];

        int r = def ? view_default_period(v, def, &period) : 1;
        if (r == 0)
                r = view_fetched(v, def, period, &fetched_ms);
        if (r != 0)
                return MIN(r, 0);
        const SourceDef *source = view_source(v, def);
        json_t *o = page_object(p, p->view, "source"), *inner = page_object(p, o, "source");
        json_t *inside = page_object(p, o, "period");

        page_set(p, inner, "label", json_string(source ? source->label : ""));
        page_set(p, inside, "label", json_string(view_period_text(text, p->call->app, period)));
        page_set(p, inside, "status_label",
                 json_string(view_status_text(p->call->app, view_period_status(v, def, period))));
        page_set(p, o, "fetched",
                 fetched_ms ? json_string(instant_format(text, fetched_ms)) : json_null());
        page_instant(p, o, "fetched");
        return p->error;
}

/* ---- rules ----------------------------------------------------------------------------------- */

int64_t page_limit(const Page *p, const IndicatorDef *def) {
        const Config *config = p->call->app->config;
        int64_t above = VALUE_NONE;

        for (size_t i = 0; i < config->n_rules; i++) {
                const RuleDef *rule = config->rules + i;

                if (rule->is_off || rule->indicator < 0 ||
                    config->indicators + rule->indicator != def)
                        continue;
                if (rule->when.kind == CONDITION_BELOW)
                        return rule->when.amount;
                if (rule->when.kind == CONDITION_ABOVE && above == VALUE_NONE)
                        above = rule->when.amount;
        }
        return above;
}

static void condition_text(Page *p, json_t *object, const char *key, const Condition *when,
                           const char *amount) {
        bool is_vi = page_is_vi(p);

        switch (when->kind) {
        case CONDITION_BELOW:
                page_printf(p, object, key, is_vi ? "ngưỡng dưới %s" : "limit below %s", amount);
                return;
        case CONDITION_ABOVE:
                page_printf(p, object, key, is_vi ? "ngưỡng trên %s" : "limit above %s", amount);
                return;
        case CONDITION_BEHIND:
                page_printf(p, object, key,
                            is_vi ? "thấp hơn trung vị quá %s" : "more than %s under the median",
                            amount);
                return;
        case CONDITION_DROP:
                page_printf(p, object, key, is_vi ? "giảm từ %s trở lên" : "fell by %s or more",
                            amount);
                return;
        case CONDITION_FALLING:
                page_printf(p, object, key, is_vi ? "giảm %d kỳ liền" : "fell %d periods in a row",
                            when->count);
                return;
        case CONDITION_FLAT:
                page_printf(p, object, key, is_vi ? "chững %d kỳ liền" : "flat for %d periods",
                            when->count);
                return;
        case CONDITION_RANK_DROP:
                page_printf(p, object, key,
                            is_vi ? "tụt từ %d hạng trở lên" : "lost %d places or more",
                            when->count);
                return;
        default:
                page_set(p, object, key, json_null());
        }
}

void page_condition(Page *p, json_t *object, const char *key, const char *rule_name) {
        const App *app = p->call->app;
        int i = rule_name ? config_rule(app->config, rule_name) : -1;
        const RuleDef *rule = i < 0 ? NULL : app->config->rules + i;
        char amount[VIEW_TEXT_MAX];

        if (!rule || rule->indicator < 0) {
                page_set(p, object, key, json_null());
                return;
        }
        (void) view_value_text(amount, app, app->config->indicators + rule->indicator,
                               rule->when.amount, DECIMAL_TRIM_WHOLE);
        condition_text(p, object, key, &rule->when, amount);
}

/* ---- alerts ---------------------------------------------------------------------------------- */

void page_period(Page *p, json_t *object, const char *key) {
        const char *text = json_string_value(json_object_get(object, key));
        char name[64], people[VIEW_TEXT_MAX];
        PeriodId period;

        (void) snprintf(name, sizeof(name), "%s_text", key);
        if (text && period_parse(text, &period) == 0)
                page_set(p, object, name,
                         json_string(view_period_text(people, p->call->app, period)));
        else
                page_set(p, object, name, json_null());
}

static void dress_alert(Page *p, json_t *alert) {
        const char *severity = str_or(json_string_value(json_object_get(alert, "severity")), "");
        const char *state = str_or(json_string_value(json_object_get(alert, "state")), "");

        page_set(p, alert, "is_critical", json_boolean(streq(severity, "critical")));
        page_set(
                p, alert, "rule_label",
                json_string(page_state_word(p, json_string_value(json_object_get(alert, "rule")))));
        page_set(p, alert, "is_ended", json_boolean(!streq(state, "open")));
        page_set(p, alert, "end_word", /* what was taken back never was, it has not ended */
                 json_string(page_word(p, streq(state, "withdrawn") ? "withdrawn" : "ended")));
        page_unit_link(p, alert, json_object_get(alert, "unit"));
        page_condition(p, alert, "condition", json_string_value(json_object_get(alert, "rule")));
        page_period(p, alert, "first");
        page_period(p, alert, "last");
}

/* The worst ones are seen at once, the others when somebody opens the list. */
static void split_alerts(Page *p, const json_t *list) {
        json_t *first = page_list(p, p->view, "alerts_first");
        json_t *more = page_list(p, p->view, "alerts_more"), *alert;
        size_t i;

        json_array_foreach(list, i, alert)
                page_add(p, i < ALERTS_AT_ONCE ? first : more, json_incref(alert));
        page_set(p, p->view, "has_more_alerts", json_boolean(json_array_size(more) > 0));
        page_set(p, p->view, "n_more_alerts", json_integer((json_int_t) json_array_size(more)));
}

int page_alerts(Page *p, const char *unit, bool is_all) {
        NameValue args[] = {{"unit", unit}, {"all", is_all ? "1" : "0"}, {"limit", "500"}};
        json_t *answer = NULL, *alert;
        size_t i;

        int r = page_ask(p, api_alerts, args, ELEMENTSOF(args), &answer);
        if (r != 0)
                return r;
        json_t *list = json_object_get(answer, "alerts");
        json_array_foreach(list, i, alert) dress_alert(p, alert);
        page_set(p, p->view, "n_alerts", json_incref(json_object_get(answer, "total")));
        page_set(p, p->view, "has_alerts", json_boolean(json_array_size(list) > 0));
        page_set(p, p->view, "alerts", json_incref(list));
        split_alerts(p, list);
        json_decref(answer);
        return p->error;
}

/* ---- choices --------------------------------------------------------------------------------- */

size_t page_groups(const Page *p, const IndicatorDef *ret[static 6]) {
        static const char *const names[6] = {"openness", "progress",     "online",
                                             "payment",  "digitization", "satisfaction"};
        const Config *config = p->call->app->config;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                int k = config_indicator(config, names[i]);

                if (k >= 0 && config->indicators[k].id != 0)
                        ret[n++] = config->indicators + k;
        }
        return n;
}

int page_choose_period(Page *p, const IndicatorDef *def, const char *chosen) {
        json_t *list = page_list(p, p->view, "periods");
        char text[VIEW_TEXT_MAX], id[16];
        PeriodId first, last, period = 0;

        if (!def || def->id == 0 || !chosen || period_parse(chosen, &period) < 0)
                return p->error;
        int r = store_period_range(p->call->store, def->id, period_type(period), p->call->view.step,
                                   &first, &last);
        for (int i = 0; r == 0 && i < MAX_PERIODS && last >= first;
             i++, last = period_previous(last)) {
                json_t *item = page_row(p, list);

                page_set(p, item, "id", json_string(period_format(id, last)));
                page_set(p, item, "label", json_string(view_period_text(text, p->call->app, last)));
                page_set(p, item, "is_chosen", json_boolean(last == period));
        }
        page_set(p, p->view, "has_periods", json_boolean(json_array_size(list) > 0));
        return r < 0 ? r : p->error;
}

void page_choose_indicator(Page *p, const char *chosen) {
        const Config *config = p->call->app->config;
        json_t *list = page_list(p, p->view, "indicators");

        for (size_t i = 0; i < config->n_indicators; i++) {
                const IndicatorDef *def = config->indicators + i;

                if (def->id == 0)
                        continue;
                json_t *item = page_row(p, list);
                page_set(p, item, "id", json_string(def->name));
                page_set(p, item, "label", json_string(view_indicator_label(p->call->app, def)));
                page_set(p, item, "is_chosen", json_boolean(chosen && streq(def->name, chosen)));
        }
        page_set(p, p->view, "has_indicators", json_boolean(json_array_size(list) > 0));
}
