/* HTTP requests: fetching and webhooks. Only http and https, redirects off, decoded bytes capped
 * in the write callback (libcurl 7.88 MAXFILESIZE stops neither chunked bodies nor gzip bombs). */
#pragma once

#include "base/buf.h"
#include "core/delivery.h"
#include "transport/mux.h"

typedef struct HttpRequest {
        const char *url;
        const char *method;         /* "GET" or "POST" */
        const char *const *headers; /* "Name: value"; copied */
        size_t n_headers;
        const char *body; /* copied; NULL for GET */
        size_t body_size;
        size_t max_body; /* decoded bytes of the answer */
        bool is_truncating; /* keep the first max_body bytes and succeed (webhooks: 1 KiB) instead of failing */
        int64_t timeout_ms;  /* whole transfer */
        bool is_compressed;  /* ask for gzip and the like */
        const char *ca_file; /* overrides the mux's; or NULL */
} HttpRequest;

typedef struct HttpResult {
        int error; /* 0: an answer came whole; negative errno otherwise: -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH
                                      (unresolved), -EKEYREJECTED (TLS), -EFBIG (over max_body), -EBADMSG (cut short), -EIO */
        int status; /* HTTP status, 0 = none */
        const char
                *error_text; /* for the attempt's row; "" when fine. Secrets are never part of it */
        const char *content_type;         /* or NULL */
        const char *etag, *last_modified; /* or NULL */
        int64_t retry_after_ms; /* 0 = none; both forms of the header; relative to the answer's own Date when absolute */
        const char *body; /* NUL-terminated */
        size_t body_size;
        int64_t duration_ms;
        HookReport hook; /* what is known about how far it came */
} HttpResult;

/* Called once, from the loop, never from within http_start. The result is valid during the call;
 * take_body hands the bytes over. */
typedef void (*HttpDone)(Slot *slot, const HttpResult *result, void *userdata);

/* Starts; the slot stays the caller's until slot_free (also after the callback). 0 or negative
 * errno (-EPROTONOSUPPORT: not http(s)). */
int http_start(Mux *m, const HttpRequest *request, HttpDone done, void *userdata, Slot **ret);
/* Within the callback: moves the body out of the slot into b (must be empty). */
int http_take_body(Slot *slot, Buf *b);

/* Blocking request over a UNIX socket, for the client. *ret_status; answer body appended to b.
 * path: with query, percent-encoded. -ECONNREFUSED, -ENOENT: daemon not reachable; -EACCES; -EFBIG
 * (over b->max); -ETIMEDOUT; -EPIPE: the daemon closed the connection while the request was being
 * sent; -ECONNRESET: while it was to answer; -EBADMSG: no HTTP. */
int http_unix(const char *socket_path, const char *method, const char *path, const char *body,
              size_t body_size, int64_t timeout_ms, int *ret_status, Buf *b);
/* A GET whose body goes to the file when the status is 200, else to b. A write that fails is its
 * negative errno. */
int http_unix_file(const char *socket_path, const char *path, int64_t timeout_ms, int fd,
                   int *ret_status, Buf *b);
