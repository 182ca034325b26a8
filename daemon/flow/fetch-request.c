/* What a job asks: its templates filled, headers, token, and what makes it conditional. Secrets are
 * read when they are needed and wiped with the request. */
#include <errno.h>
#include <stdio.h>

#include "core/template.h"
#include "flow/fetch-private.h"
#include "os/secret.h"

#define TOKEN_MAX 65536
#define MAX_VARS 64

typedef struct Vars {
        TemplateVar items[MAX_VARS];
        size_t n;
        char year[8], month[8], quarter[8], half[8], number[8], page[12], page_size[12], start[16],
                end[16], fields[96];
} Vars;

static void var(Vars *v, const char *name, const char *value) {
        if (v->n < MAX_VARS)
                v->items[v->n++] = (TemplateVar){name, value};
}

static void fill_period_vars(Vars *v, PeriodId period) {
        Civil start = civil_from_day(period_start(period));
        PeriodType type = period_type(period);
        int number = period % 100;
        (void) snprintf(v->year, sizeof v->year, "%d", start.year);
        (void) snprintf(v->month, sizeof v->month, "%u", type == PERIOD_MONTH ? start.month : 0);
        (void) snprintf(v->quarter, sizeof v->quarter, "%d", type == PERIOD_QUARTER ? number : 0);
        (void) snprintf(v->half, sizeof v->half, "%d", type == PERIOD_HALF ? number : 0);
        (void) snprintf(v->number, sizeof v->number, "%d", number);
        (void) day_format(v->start, period_start(period));
        (void) day_format(v->end, period_end(period) - 1);
        if (type == PERIOD_YEAR)
                (void) snprintf(v->fields, sizeof v->fields, "\"timeType\":\"year\",\"year\":%d",
                                start.year);
        else
                (void) snprintf(v->fields, sizeof v->fields,
                                "\"timeType\":\"%s\",\"year\":%d,\"%s\":%d", period_type_name(type),
                                start.year, period_type_name(type), number);
}

/* The variables of a request: of the period, of the page, and every key of the source (which
 * cannot shadow the former). */
static void fill_vars(const FetchJob *job, const PartDef *part, Vars *v) {
        fill_period_vars(v, job->result->period);
        (void) snprintf(v->page, sizeof v->page, "%d", job->page);
        (void) snprintf(v->page_size, sizeof v->page_size, "%d", part ? part->page_size : 0);
        var(v, "scope", job->result->scope);
        var(v, "year", v->year);
        var(v, "month", v->month);
        var(v, "quarter", v->quarter);
        var(v, "half", v->half);
        var(v, "number", v->number);
        var(v, "period_type", period_type_name(period_type(job->result->period)));
        var(v, "period_fields", v->fields);
        var(v, "period_start", v->start);
        var(v, "period_end", v->end);
        var(v, "page", v->page);
        var(v, "page_size", v->page_size);
        for (size_t i = 0; i < job->source->n_keys; i++)
                var(v, job->source->keys[i].name, job->source->keys[i].value);
}

void fetch_request_done(FetchRequest *r) {
        buf_done(&r->url);
        buf_done(&r->body);
        for (size_t i = 0; i < ELEMENTSOF(r->headers); i++) {
                if (r->headers[i].data)
                        explicit_bzero(r->headers[i].data, r->headers[i].len);
                buf_done(&r->headers[i]);
        }
}

static int header_add(FetchRequest *r, const char *name, const char *value) {
        if (r->n_headers == ELEMENTSOF(r->headers))
                return -E2BIG;
        Buf *b = &r->headers[r->n_headers];
        *b = BUF_INIT(TOKEN_MAX);
        int rc = buf_printf(b, "%s: %s", name, value);
        r->lines[r->n_headers++] = buf_text(b);
        return rc;
}

/* What the last snapshot knows of this request, for a conditional one and for "unchanged". */
const SnapshotPart *fetch_last(const FetchJob *job, int page) {
        const SnapshotRow *last = job->options.last;
        const char *name = job->source->parts[job->part].name;
        for (size_t i = 0; last && i < last->n_parts; i++)
                if (streq(last->parts[i].name, name) && last->parts[i].page == page)
                        return &last->parts[i];
        return NULL;
}

static int add_configured_headers(const FetchJob *job, const PartDef *part, const Vars *v,
                                  Diag *diag, FetchRequest *r) {
        for (size_t i = 0; i < part->n_headers; i++) {
                Buf CLEANUP(buf_done) text = BUF_INIT(TOKEN_MAX);
                int rc = secret_is_reference(part->headers[i].value)
                                 ? secret_resolve(part->headers[i].value,
                                                  job->options.config->daemon.secrets_dir, &text)
                                 : template_expand(part->headers[i].value, v->items, v->n,
                                                   SINK_TEXT, diag, part->file, part->line, &text);
                if (rc >= 0)
                        rc = header_add(r, part->headers[i].name, buf_text(&text));
                if (rc < 0)
                        return rc;
        }
        return 0;
}

int fetch_part_request(const FetchJob *job, Diag *diag, FetchRequest *r) {
        const PartDef *part = &job->source->parts[job->part];
        Vars v = {0};
        fill_vars(job, part, &v);
        r->method = part->method;
        int rc = template_expand(part->url, v.items, v.n, SINK_URL, diag, part->file, part->line,
                                 &r->url);
        if (rc >= 0 && part->body) {
                bool is_json = part->body_type && strstr(part->body_type, "json");
                rc = template_expand(part->body, v.items, v.n, is_json ? SINK_JSON : SINK_URL, diag,
                                     part->file, part->line, &r->body);
                if (rc >= 0)
                        rc = header_add(r, "Content-Type",
                                        str_or(part->body_type, "application/json"));
        }
        if (rc >= 0)
                rc = header_add(r, "Accept", "application/json");
        if (rc >= 0)
                rc = add_configured_headers(job, part, &v, diag, r);
        if (rc >= 0 && job->options.token && *job->options.token) {
                Buf CLEANUP(buf_done) bearer = BUF_INIT(TOKEN_MAX);
                rc = buf_printf(&bearer, "Bearer %s", *job->options.token);
                if (rc >= 0)
                        rc = header_add(r, "Authorization", buf_text(&bearer));
        }
        const SnapshotPart *last = fetch_last(job, job->page);
        if (rc < 0 || job->ask == ASK_AGAIN || !job->options.store || !last ||
            !streq(part->method, "GET"))
                return rc;
        if (last->etag)
                return header_add(r, "If-None-Match", last->etag);
        return last->last_modified ? header_add(r, "If-Modified-Since", last->last_modified) : 0;
}

int fetch_token_request(const FetchJob *job, Diag *diag, FetchRequest *r) {
        const SourceDef *s = job->source;
        Vars v = {0};
        Buf CLEANUP(buf_done) body = BUF_INIT(TOKEN_MAX);
        fill_vars(job, NULL, &v);
        r->method = s->token_body ? "POST" : "GET";
        int rc = template_expand(s->token_url, v.items, v.n, SINK_URL, diag, s->file, s->line,
                                 &r->url);
        if (rc >= 0 && s->token_body)
                rc = secret_resolve(s->token_body, job->options.config->daemon.secrets_dir, &body);
        if (rc >= 0 && s->token_body)
                rc = template_expand(buf_text(&body), v.items, v.n, SINK_URL, diag, s->file,
                                     s->line, &r->body);
        if (body.data)
                explicit_bzero(body.data, body.len);
        return rc < 0 || !s->token_body ? rc
                                        : header_add(r, "Content-Type",
                                                     buf_text(&r->body)[0] == '{'
                                                             ? "application/json"
                                                             : "application/x-www-form-urlencoded");
}
