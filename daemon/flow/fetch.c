/* A job as a small state machine: parts in order, pages within a part, then the first request once
 * more, then the result.
 *
 * Every step is started from the loop by schedule(), never from a completion callback's depths. A
 * request waits for its host: one at a time, `pace` apart, whoever asks. Anything that goes wrong
 * ends the job with one reason; what came before is dropped, except the bodies, which are evidence
 * only when the set is whole. */
#include <errno.h>
#include <stdio.h>

#include "flow/fetch-private.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/hook.h"

#define JOB_MAX_MS (15 * MS_PER_MINUTE)
#define MAX_TORN 3
#define MAX_PAGES 1000
#define TIMER_EXACT 1 /* us; 0 is the default of the loop, 250 ms */

/* ---- hosts ----------------------------------------------------------------------------------- */

typedef struct Host {
        char *name;
        bool is_busy;
        int64_t free_ms; /* CLOCK_BOOTTIME: not asked before this */
} Host;

struct FetchHosts {
        sd_event *event;
        Host **items;
        size_t n, cap;
};

int fetch_hosts_new(sd_event *event, FetchHosts **ret) {
        FetchHosts *h = calloc(1, sizeof *h);
        if (!h)
                return -ENOMEM;
        h->event = event;
        *ret = h;
        return 0;
}

void fetch_hosts_free(FetchHosts *h) {
        if (!h)
                return;
        for (size_t i = 0; i < h->n; i++) {
                free(h->items[i]->name);
                free(h->items[i]);
        }
        free(h->items);
        free(h);
}

static int host_get(FetchHosts *h, const char *url, Host **ret) {
        const char *p = strstr(url, "://");
        p = p ? p + 3 : url;
        size_t n = strcspn(p, "/?#");
        for (size_t i = 0; i < h->n; i++)
                if (strlen(h->items[i]->name) == n && memcmp(h->items[i]->name, p, n) == 0) {
                        *ret = h->items[i];
                        return 0;
                }
        Host CLEANUP_FREE *host = calloc(1, sizeof *host);
        int r = ARRAY_GROW(h->items, h->cap, h->n + 1);
        if (!host || r < 0)
                return -ENOMEM;
        host->name = strndup(p, n);
        if (!host->name)
                return -ENOMEM;
        *ret = h->items[h->n++] = TAKE_PTR(host);
        return 0;
}

/* ---- the job --------------------------------------------------------------------------------- */

void fetch_result_free(FetchResult *r) {
        if (!r)
                return;
        for (size_t i = 0; i < r->n_parts; i++) {
                FetchedPart *p = &r->parts[i];
                free(p->name);
                free(p->url);
                free(p->etag);
                free(p->last_modified);
                body_done(&p->body);
        }
        free(r->parts);
        free(r->reason);
        if (r->snapshot)
                snapshot_free(r->snapshot);
        free(r);
}

static void host_release(FetchJob *job) {
        if (!job->host)
                return;
        job->host->is_busy = false;
        job->host->free_ms = clock_boot_ms() + job->source->pace_ms;
        job->host = NULL;
}

void fetch_free(FetchJob *job) {
        if (!job)
                return;
        if (job->slot)
                slot_free(job->slot);
        host_release(job);
        sd_event_source_disable_unref(job->timer);
        decode_seen_free(job->seen);
        fetch_result_free(job->result);
        free(job);
}

void fetch_progress(const FetchJob *job, size_t *ret_part, size_t *ret_of) {
        *ret_part = MIN(job->part + 1, job->source->n_parts);
        *ret_of = job->source->n_parts;
}

static void finish(FetchJob *job, FetchFault fault, const char *reason) {
        FetchResult *r = job->result;
        r->fault = fault;
        r->duration_ms = clock_boot_ms() - job->boot_started_ms;
        if (reason && !r->reason)
                r->reason = strdup(reason);
        if (fault != FETCH_OK && r->snapshot) {
                snapshot_free(r->snapshot);
                r->snapshot = NULL;
        }
        hook_point("fetch.done");
        job->done(job, TAKE_PTR(job->result), job->userdata);
}

/* "part progress, page 2: REASON" */
static void finish_part(FetchJob *job, FetchFault fault, const char *reason) {
        char text[600];
        const PartDef *part = &job->source->parts[job->part];
        if (job->ask == ASK_TOKEN)
                (void) snprintf(text, sizeof text, "token: %s", reason);
        else if (job->page == 1 && strncmp(reason, "part ", 5) == 0)
                (void) snprintf(text, sizeof text, "%s", reason); /* the decoder names it, too */
        else if (job->page > 1)
                (void) snprintf(text, sizeof text, "part %s, page %d: %s", part->name, job->page,
                                reason);
        else
                (void) snprintf(text, sizeof text, "part %s: %s", part->name, reason);
        finish(job, fault, text);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void on_answer(Slot *slot, const HttpResult *result, void *userdata);
static int on_timer(sd_event_source *s, uint64_t usec, void *userdata);

/* Next step from the loop, after delay_ms. The loop waits for as much longer as a timer's accuracy lets
 * it: with 1 ms for that, "at once" took 1 ms, before each part of each job. */
static int schedule(FetchJob *job, int64_t delay_ms) {
        if (!job->timer)
                return sd_event_add_time_relative(job->options.event, &job->timer, CLOCK_BOOTTIME,
                                                  (uint64_t) MAX(delay_ms, 0) * 1000, TIMER_EXACT,
                                                  on_timer, job);
        int r = sd_event_source_set_time_relative(job->timer, (uint64_t) MAX(delay_ms, 0) * 1000);
        return r < 0 ? r : sd_event_source_set_enabled(job->timer, SD_EVENT_ONESHOT);
}

static int start_request(FetchJob *job, FetchRequest *r) {
        Host *host = NULL;
        int rc = host_get(job->options.hosts, buf_text(&r->url), &host);
        if (rc < 0)
                return rc;
        int64_t wait = host->free_ms - clock_boot_ms();
        if (host->is_busy || wait > 0)
                return schedule(job, host->is_busy ? MAX(job->source->pace_ms, 20) : wait);
        HttpRequest request = {.url = buf_text(&r->url),
                               .method = r->method,
                               .headers = r->lines,
                               .n_headers = r->n_headers,
                               .max_body = job->source->max_body,
                               .timeout_ms = job->source->timeout_ms,
                               .is_compressed = true};
        if (r->body.data || streq(r->method, "POST")) {
                request.body = buf_text(&r->body);
                request.body_size = r->body.len;
        }
        if (job->slot) {
                slot_free(job->slot);
                job->slot = NULL;
        }
        rc = http_start(job->options.mux, &request, on_answer, job, &job->slot);
        if (rc < 0)
                return rc;
        host->is_busy = true;
        job->host = host;
        return 0;
}

static void ask(FetchJob *job) {
        FetchRequest CLEANUP(fetch_request_done)
                r = {.url = BUF_INIT(65536), .body = BUF_INIT(1 << 20)};
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int rc = job->ask == ASK_TOKEN ? fetch_token_request(job, &diag, &r)
                                       : fetch_part_request(job, &diag, &r);
        if (rc >= 0)
                rc = start_request(job, &r);
        if (rc < 0)
                finish_part(job, FETCH_TRANSPORT, diag_first_error(&diag, strerror(-rc)));
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        FetchJob *job = userdata;
        (void) s;
        (void) usec;
        if (clock_boot_ms() - job->boot_started_ms > JOB_MAX_MS)
                finish_part(job, FETCH_CONTENT,
                            "the parts did not come within 15 minutes of each other");
        else
                ask(job);
        return 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static int restart(FetchJob *job) {
        FetchResult *r = job->result;
        for (size_t i = 0; i < r->n_parts; i++) {
                free(r->parts[i].name);
                free(r->parts[i].url);
                free(r->parts[i].etag);
                free(r->parts[i].last_modified);
                body_done(&r->parts[i].body);
        }
        r->n_parts = job->n_decoded = 0;
        if (r->snapshot)
                snapshot_free(r->snapshot);
        r->snapshot = NULL;
        decode_seen_free(TAKE_PTR(job->seen));
        job->part = 0;
        job->page = 1;
        job->ask = ASK_PART;
        return snapshot_new(job->options.config, r->source, &r->snapshot);
}

/* The last snapshot's bytes once more? They are neither packed nor parsed again: on most days that is
 * all that happens. */
static int know_body(const FetchJob *job, const void *body, size_t n, FetchedPart *p) {
        const SnapshotPart *last = fetch_last(job, job->page);
        int rc = crypto_sha256(body, n, p->body.hash);
        if (rc >= 0 && last && job->options.store &&
            memcmp(last->hash, p->body.hash, sizeof p->body.hash) == 0)
                rc = store_body_has(job->options.store, p->body.hash, &p->is_known);
        if (rc < 0 || p->is_known)
                return rc;
        uint8_t hash[SHA256_SIZE];
        memcpy(hash, p->body.hash, sizeof hash);
        return body_pack_hashed(body, n, hash, &p->body);
}

static int add_fetched(FetchJob *job, const HttpResult *h) {
        FetchResult *r = job->result;
        int rc = ARRAY_GROW(r->parts, r->cap_parts, r->n_parts + 1);
        if (rc < 0)
                return rc;
        FetchedPart *p = &r->parts[r->n_parts++];
        *p = (FetchedPart){.page = job->page,
                           .part = job->part,
                           .http_status = h->status,
                           .at_ms = clock_now_ms(),
                           .is_not_modified = h->status == 304,
                           .is_known = h->status == 304};
        p->name = strdup(job->source->parts[job->part].name);
        p->etag = h->etag ? strdup(h->etag) : NULL;
        p->last_modified = h->last_modified ? strdup(h->last_modified) : NULL;
        if (!p->name)
                return -ENOMEM;
        if (!p->is_not_modified)
                return know_body(job, h->body, h->body_size, p);
        const SnapshotPart *last = fetch_last(job, job->page);
        if (!last)
                return -EBADMSG;
        memcpy(p->body.hash, last->hash, sizeof p->body.hash);
        /* A 304 need not repeat them. */
        if (!p->etag && last->etag)
                p->etag = strdup(last->etag);
        if (!p->last_modified && last->last_modified)
                p->last_modified = strdup(last->last_modified);
        return 0;
}

/* The next fetched part that is not decoded yet. *pages and *n_rows as of decode_part. */
static int decode_next(FetchJob *job, const char *body, size_t n, size_t *pages, size_t *n_rows,
                       Diag *diag) {
        FetchResult *r = job->result;
        const FetchedPart *p = &r->parts[job->n_decoded];
        if (job->n_decoded > 0 && p->part != p[-1].part)
                decode_seen_free(TAKE_PTR(job->seen));
        job->n_decoded++;
        return decode_part(r->snapshot, job->options.config, r->source, p->part, r->scope, body, n,
                           &job->seen, pages, n_rows, diag);
}

/* One part differs, so that all are needed: those before it that did not differ come from the
 * database. */
static int decode_known(FetchJob *job, Diag *diag) {
        FetchResult *r = job->result;
        while (job->n_decoded < r->n_parts && r->parts[job->n_decoded].is_known) {
                Buf CLEANUP(buf_done) stored = BUF_INIT(job->source->max_body);
                int rc = store_body_get(job->options.store, r->parts[job->n_decoded].body.hash,
                                        &stored);
                if (rc != 0)
                        return rc < 0 ? rc : -ENOENT;
                rc = decode_next(job, buf_text(&stored), stored.len, NULL, NULL, diag);
                if (rc != 0)
                        return rc;
        }
        return 0;
}

/* Everything came: is it what the last accepted snapshot was made of? */
static void complete(FetchJob *job) {
        FetchResult *r = job->result;
        const SnapshotRow *last = job->options.last;
        bool is_same = last && last->n_parts == r->n_parts;
        r->is_not_modified = r->n_parts > 0;
        for (size_t i = 0; i < r->n_parts; i++) {
                r->is_not_modified = r->is_not_modified && r->parts[i].is_not_modified;
                is_same = is_same &&
                          memcmp(last->parts[i].hash, r->parts[i].body.hash, SHA256_SIZE) == 0;
        }
        r->is_unchanged = is_same;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        if (is_same) {
                snapshot_free(TAKE_PTR(r->snapshot));
                finish(job, FETCH_OK, NULL);
                return;
        }
        r->is_not_modified = false;
        int rc = decode_known(job, &diag);
        if (rc == 0)
                rc = decode_finish(r->snapshot, job->options.config, r->source, &diag);
        if (rc == DECODE_E_REJECTED)
                finish(job, FETCH_CONTENT, diag_first_error(&diag, "rejected"));
        else
                finish(job, rc < 0 ? FETCH_TRANSPORT : FETCH_OK, rc < 0 ? strerror(-rc) : NULL);
}

/* The first request asked again: equal figures mean that the set was not torn between two
 * publications. */
static void compare_again(FetchJob *job, const char *body, size_t n) {
        Snapshot CLEANUP(snapshot_freep) *again = NULL;
        DecodeSeen CLEANUP(decode_seen_freep) *seen = NULL;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        uint8_t hash[SHA256_SIZE];
        FetchResult *r = job->result;
        int rc = crypto_sha256(body, n, hash);
        if (rc >= 0 && memcmp(hash, r->parts[0].body.hash, sizeof hash) == 0) {
                complete(job);
                return;
        }
        if (rc >= 0)
                rc = decode_known(job, &diag);
        if (rc == 0)
                rc = snapshot_new(job->options.config, r->source, &again);
        if (rc == 0)
                rc = decode_part(again, job->options.config, r->source, 0, r->scope, body, n, &seen,
                                 NULL, NULL, &diag);
        if (rc != 0) {
                finish_part(job, rc < 0 ? FETCH_TRANSPORT : FETCH_CONTENT,
                            diag_first_error(&diag, "asked again: rejected"));
                return;
        }
        if (snapshot_equal(r->snapshot, again, /* is_partial= */ true)) {
                complete(job);
                return;
        }
        if (++r->n_torn >= MAX_TORN) {
                finish(job, FETCH_CONTENT,
                       "torn: the first part changed while the others were asked, three times");
                return;
        }
        rc = restart(job);
        if (rc >= 0)
                rc = schedule(job, 0);
        if (rc < 0)
                finish(job, FETCH_TRANSPORT, strerror(-rc));
}

/* What to ask after this page: the next page, the next part, the first part again, nothing. */
static void go_on(FetchJob *job, bool has_more) {
        if (has_more && job->page >= MAX_PAGES) {
                finish_part(job, FETCH_CONTENT, "more than 1000 pages");
                return;
        }
        if (has_more) {
                job->page++;
        } else {
                job->page = 1;
                job->part++;
        }
        if (job->part == job->source->n_parts) {
                job->part = 0;
                bool is_all_304 = true;
                for (size_t i = 0; i < job->result->n_parts; i++)
                        is_all_304 = is_all_304 && job->result->parts[i].is_not_modified;
                if (job->result->n_parts == 1 || is_all_304) {
                        complete(job);
                        return;
                }
                job->ask = ASK_AGAIN;
        }
        int r = schedule(job, 0);
        if (r < 0)
                finish(job, FETCH_TRANSPORT, strerror(-r));
}

static bool has_more_pages(const FetchJob *job, size_t pages, size_t n_rows) {
        const PartDef *part = &job->source->parts[job->part];
        return part->pages_kind == PAGES_SHORT ? n_rows >= (size_t) MAX(part->page_size, 1)
                                               : (size_t) job->page < pages;
}

static void take_part(FetchJob *job, const HttpResult *h) {
        FetchResult *r = job->result;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        size_t pages = 1, n_rows = 0;
        int rc = add_fetched(job, h);
        /* The same bytes have the same pages behind them. */
        bool is_known = rc >= 0 && r->parts[r->n_parts - 1].is_known;
        bool has_more = is_known && fetch_last(job, job->page + 1);
        if (rc >= 0 && !is_known) {
                rc = decode_known(job, &diag);
                if (rc == 0)
                        rc = decode_next(job, h->body, h->body_size, &pages, &n_rows, &diag);
                has_more = has_more_pages(job, pages, n_rows);
        }
        hook_point("fetch.part");
        if (rc == DECODE_E_REJECTED)
                finish_part(job, FETCH_CONTENT, diag_first_error(&diag, "rejected"));
        else if (rc < 0)
                finish_part(job, FETCH_TRANSPORT, strerror(-rc));
        else
                go_on(job, has_more);
}

static void take_token(FetchJob *job, const HttpResult *h) {
        char *token = NULL;
        int rc = decode_pointer_text(h->body, h->body_size, job->source->token_pointer, &token);
        if (rc != 0 || !*token) {
                free(token);
                finish_part(job, FETCH_LOGIN, "the answer holds no token at token.pointer");
                return;
        }
        free(*job->options.token);
        *job->options.token = token;
        job->ask = job->wanted;
        rc = schedule(job, 0);
        if (rc < 0)
                finish(job, FETCH_TRANSPORT, strerror(-rc));
}

static void finish_transport(FetchJob *job, const HttpResult *h) {
        char reason[600];
        const char *why = *h->error_text ? h->error_text : strerror(-h->error);
        /* Nothing of an answer came: that is the line, not the publisher. */
        bool is_content = h->status > 0 && (h->error == -EFBIG || h->error == -EBADMSG);
        if (h->error == -EFBIG)
                (void) snprintf(reason, sizeof reason, "the answer is larger than max_body");
        else if (is_content)
                (void) snprintf(reason, sizeof reason, "the answer was cut short: %s", why);
        else
                (void) snprintf(reason, sizeof reason, "%s", why);
        finish_part(job, is_content ? FETCH_CONTENT : FETCH_TRANSPORT, reason);
}

static FetchFault classify(const HttpResult *h, char reason[static 128]) {
        const char *text = "";
        FetchFault fault = polite_classify(h->status, h->content_type, h->body,
                                           MIN(h->body_size, (size_t) 2048), &text);
        if (h->status == 200 || h->status == 201)
                (void) snprintf(reason, 128, "%s", text);
        else
                (void) snprintf(reason, 128, "%s (HTTP %d)", text, h->status);
        return fault;
}

static void on_answer(Slot *slot, const HttpResult *h, void *userdata) {
        FetchJob *job = userdata;
        FetchResult *r = job->result;
        (void) slot;
        host_release(job);
        r->http_status = h->status;
        r->retry_after_ms = h->retry_after_ms;
        r->bytes += (int64_t) h->body_size;
        /* A refusal is one however its page ends. */
        if (h->error && h->status < 400) {
                finish_transport(job, h);
                return;
        }
        if (h->status == 401 && job->source->token_url && !job->has_new_token &&
            job->ask != ASK_TOKEN) {
                job->has_new_token = true;
                job->wanted = job->ask;
                job->ask = ASK_TOKEN;
                ask(job);
                return;
        }
        char reason[128];
        FetchFault fault = classify(h, reason);
        if (fault != FETCH_OK)
                finish_part(job, fault, reason);
        else if (job->ask == ASK_TOKEN)
                take_token(job, h);
        else if (job->ask == ASK_AGAIN)
                compare_again(job, h->body, h->body_size);
        else
                take_part(job, h);
}

int fetch_start(const FetchOptions *options, size_t source, const char *scope, PeriodId period,
                FetchDone done, void *userdata, FetchJob **ret) {
        FetchJob CLEANUP(fetch_freep) *job = calloc(1, sizeof *job);
        if (!job)
                return -ENOMEM;
        *job = (FetchJob){.options = *options,
                          .source = &options->config->sources[source],
                          .done = done,
                          .userdata = userdata,
                          .page = 1,
                          .boot_started_ms = clock_boot_ms()};
        job->result = calloc(1, sizeof *job->result);
        if (!job->result)
                return -ENOMEM;
        job->result->source = source;
        job->result->scope = scope;
        job->result->period = period;
        job->result->started_ms = clock_now_ms();
        int r = snapshot_new(options->config, source, &job->result->snapshot);
        if (r < 0)
                return r;
        bool wants_token = job->source->token_url && options->token && !*options->token;
        job->wanted = ASK_PART;
        job->ask = wants_token ? ASK_TOKEN : ASK_PART;
        r = schedule(job, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}
