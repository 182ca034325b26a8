/* One request on its way through the API. Private to api*.c. */
#pragma once

#include <jansson.h>

#include "answer/api.h"
#include "answer/view.h"

#define API_REPLY_MAX ((size_t) 64 << 20)
#define API_ARG_MAX 256u

typedef struct ApiCall {
        App *app;
        Store *store; /* app->reader */
        const ServeRequest *request;
        ServeReply *reply;
        View view;
        bool is_admin;            /* addresses, webhook URLs and message bodies are shown */
        char arg[2][API_ARG_MAX]; /* what stands for `*` in the route's path */
        size_t limit, offset;
        json_t *asked; /* the request's body: an object; NULL where the route reads none as JSON */
        Buf body;
        JsonOut out;      /* into body */
        bool is_answered; /* the reply is filled already (a problem, or bytes that are no JSON) */
        const NameValue *args; /* of a page that asks for itself: instead of the request's query */
        size_t n_args;
} ApiCall;

typedef int (*ApiHandler)(ApiCall *c);

/* Refuses with a sentence in the daemon's language; both are format literals. The value is what a
 * handler returns. */
#define API_PROBLEM(c, status, vi, en, ...)                                                        \
        ((c)->is_answered = true,                                                                  \
         app_is_vi((c)->app) ? serve_problem((c)->reply, (status), vi, ##__VA_ARGS__)              \
                             : serve_problem((c)->reply, (status), en, ##__VA_ARGS__))

/* The same where an argument is what is wrong: malformed, or the name of nothing that there is. Who
 * asked with it must ask otherwise; chisoctl ends as with any wrong usage. */
#define API_PROBLEM_ARGUMENT "urn:chisod:problem:argument"
#define API_ARGUMENT(c, status, vi, en, ...)                                                       \
        ((c)->is_answered = true,                                                                  \
         app_is_vi((c)->app)                                                                       \
                 ? serve_problem_of((c)->reply, API_PROBLEM_ARGUMENT, (status), vi, ##__VA_ARGS__) \
                 : serve_problem_of((c)->reply, API_PROBLEM_ARGUMENT, (status), en,                \
                                    ##__VA_ARGS__))

/* Positive: the problem is in the reply already; handlers pass it up and api_handle takes it as
 * done. */
enum {
        API_E_ANSWERED = 100, /* apart from STORE_E_*, which travel on the same road */
};

/* An argument's value; NULL when it is absent or empty. */
const char *api_query(const ApiCall *c, const char *name);
bool api_flag(const ApiCall *c, const char *name);
static inline size_t api_window(const ApiCall *c, size_t n) {
        return c->offset >= n ? 0 : MIN(c->limit, n - c->offset);
}

/* `limit` and `offset`. */
int api_read_window(ApiCall *c);

/* What a query argument names; the absent one gives the default (or stays 0). 0, API_E_ANSWERED,
 * negative errno. */
int api_find_indicator(ApiCall *c, const char *name, const IndicatorDef **ret);
int api_find_unit(ApiCall *c, const char *text, UnitId *ret);
/* A configured rule or source; its place in the configuration. A missing name is refused, too. */
int api_find_rule(ApiCall *c, const char *name, size_t *ret);
int api_find_source(ApiCall *c, const char *name, size_t *ret);
/* Whether units of the kind are known; none (NULL) is fine. */
int api_check_kind(ApiCall *c, const char *kind);
int api_find_period(ApiCall *c, const char *text, PeriodId *ret);
int api_find_id(ApiCall *c, const char *text, int64_t *ret);
/* "FILE:LINE: KEY: TEXT" of the first error, as a heap string, or NULL. */
char *api_first_error(const Diag *diag);
/* The request's body into c->asked (an empty body is an empty object). Refuses members other than
 * these; the dispatcher calls it, before the handler. */
int api_read_body(ApiCall *c, const char *const names[], size_t n_names);

/* Members of c->asked. A text, or NULL; refuses other types and what is too long. */
int api_read_text(ApiCall *c, const char *name, const char **ret);
/* An instant, `otherwise` where there is none. */
int api_read_until(ApiCall *c, const char *name, int64_t otherwise, int64_t *ret);
/* true or false, which is also what is absent; "true" in quotes is refused. */
int api_read_flag(ApiCall *c, const char *name, bool *ret);

/* What quotes an address is shown on the admin socket only. */
#define API_MASK "***"
static inline const char *api_masked(const ApiCall *c, const char *text) {
        return text && !c->is_admin && strchr(text, '@') ? API_MASK : text;
}

/* Names of people and what they noted are theirs: shown on the admin socket only. */
static inline const char *api_personal(const ApiCall *c, const char *text) {
        return text && *text && !c->is_admin ? API_MASK : text;
}

/* Whether an end lies ahead; 0 (none was given) does not. */
int api_check_future(ApiCall *c, const char *name, int64_t at_ms, int64_t now_ms);

/* {"as_of", "step", "note"}: what instant the answer speaks of. */
void api_as_of(ApiCall *c);
/* The window and how many there are: {"total", "limit", "offset"}. */
void api_page(ApiCall *c, size_t total);

/* api.c */
int api_indicators(ApiCall *c);
int api_health(ApiCall *c);
int api_status(ApiCall *c);
/* api-metrics.c */
int api_metrics(ApiCall *c);
/* api-units.c */
int api_units(ApiCall *c);
int api_unit(ApiCall *c);
/* api-registry.c */
int api_quarantine(ApiCall *c);
int api_units_import(ApiCall *c);
int api_units_list(ApiCall *c);
/* api-units.c: {"predecessors": [...], "successors": [...]} of the unit. */
int api_unit_kin(ApiCall *c, UnitId unit);
/* api-ranking.c */
int api_ranking(ApiCall *c);
/* api-history.c */
int api_history(ApiCall *c);
int api_periods(ApiCall *c);
/* api-alerts.c */
int api_alerts(ApiCall *c);
int api_alert(ApiCall *c);
int api_alert_ack(ApiCall *c);
/* api-silences.c */
int api_silences(ApiCall *c);
int api_silence_add(ApiCall *c);
int api_silence_end(ApiCall *c);
/* api-rules.c */
int api_rules(ApiCall *c);
int api_rule_release(ApiCall *c);
int api_rules_diff(ApiCall *c);
/* api-backtest.c */
int api_backtest(ApiCall *c);
/* api-explain.c */
int api_explain(ApiCall *c);
/* api-sources.c */
int api_sources(ApiCall *c);
int api_source_fetch(ApiCall *c);
/* api-snapshots.c */
int api_snapshots(ApiCall *c);
int api_snapshot(ApiCall *c);
int api_snapshot_accept(ApiCall *c);
int api_snapshot_reject(ApiCall *c);
int api_snapshot_undo(ApiCall *c);
/* api-import.c */
int api_import(ApiCall *c);
/* api-restatements.c */
int api_restatements(ApiCall *c);
int api_snapshot_body(ApiCall *c);
/* report*.c: the letter */
int api_report(ApiCall *c);
/* page*.c: HTML for people, made from the answers above */
int page_league(ApiCall *c);
int page_unit(ApiCall *c);
int page_heat(ApiCall *c);
int page_sources(ApiCall *c);
/* A refusal that is in the reply already, as a page. */
int page_refusal(ApiCall *c);
/* api-tend.c */
int api_verify(ApiCall *c);
int api_backup(ApiCall *c);
/* api-deliveries.c */
int api_deliveries(ApiCall *c);
int api_recipients(ApiCall *c);
int api_delivery_retry(ApiCall *c);
int api_render(ApiCall *c);
int api_drill(ApiCall *c);
int api_go_live(ApiCall *c);
