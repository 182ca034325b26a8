/* One HTTP request per slot.
 *
 * On a kept connection that dies before it answers, libcurl would send the same request again by
 * itself, and one attempt could arrive twice without anybody knowing. A POST that gets ready for the
 * second time therefore ends there, and the courier, who keeps the books, decides. It may not come so
 * far: the peer that took it the first time may be down. What went wrong the second time says
 * nothing of the first.
 *
 * How far a request came is judged by bytes that the socket took (CURLINFO_REQUEST_SIZE,
 * CURLINFO_SIZE_UPLOAD_T). Headers and body leave in one piece, up to 64 KiB.
 */
#include "transport/http.h"

#include <errno.h>
#include <strings.h>

#include "base/text.h"
#include "os/clock.h"
#include "transport/mux-private.h"

#define HTTP_MAX_URL ((size_t) 8192)
#define HTTP_MAX_REQUEST_HEADERS ((size_t) 64)
#define HTTP_MAX_HEADERS 200u
#define HTTP_MAX_HEADER_BYTES ((size_t) 64 << 10)
#define HTTP_MAX_HEADER_VALUE ((size_t) 1024)
#define HTTP_MAX_ERROR_TEXT ((size_t) 1024)
#define HTTP_MAX_RETRY_AFTER_S (366L * 86400)
#define HTTP_DISCARD                                                                               \
        ((size_t) 64                                                                               \
         << 10) /* read on this far past a truncated body: the connection can be kept  \
                             */

typedef struct HttpHeaders {
        unsigned n;
        size_t bytes;
        char *etag, *last_modified, *date, *retry_after;
} HttpHeaders;

typedef struct HttpSlot {
        Slot slot;
        Transfer transfer;
        HttpDone done;
        void *userdata;
        struct curl_slist *request_headers;
        char *request;
        size_t request_size;
        bool is_post, is_truncating;
        Buf body;
        size_t discarded;
        bool is_too_big, is_cut; /* is_cut: enough was kept, the rest is not wanted */
        bool is_ready;           /* connected, TLS done, about to send */
        bool is_repeated;        /* libcurl wanted to send it once more */
        bool is_out_of_memory;
        HttpHeaders headers;
        int64_t started_ms;
        char curl_error[CURL_ERROR_SIZE];
} HttpSlot;

static void headers_clear(HttpHeaders *h) {
        free(h->etag);
        free(h->last_modified);
        free(h->date);
        free(h->retry_after);
        *h = (HttpHeaders){.n = h->n, .bytes = h->bytes};
}

static void on_free(Slot *slot) {
        HttpSlot *h = (HttpSlot *) slot;

        transfer_done(&h->transfer);
        curl_slist_free_all(h->request_headers);
        headers_clear(&h->headers);
        buf_done(&h->body);
        free(h->request);
        free(h);
}

/* Callbacks of libcurl */

static size_t on_write(char *data, size_t size, size_t n, void *userdata) {
        HttpSlot *h = userdata;
        size_t total = size * n, fits = MIN(total, h->body.max - h->body.len);

        if (total > fits && !h->is_truncating) {
                h->is_too_big = true;
                return 0;
        }
        if (fits > 0 && buf_append(&h->body, data, fits) < 0) {
                h->is_out_of_memory = true;
                return 0;
        }
        h->discarded += total - fits;
        h->is_cut = h->discarded > HTTP_DISCARD;
        return h->is_cut ? 0 : total;
}

/* Out of memory here loses a header, which costs a 304 or an exact wait, never a result. */
static void keep_header(char **to, const char *value, size_t n) {
        while (n > 0 && (*value == ' ' || *value == '\t')) {
                value++;
                n--;
        }
        while (n > 0 && strchr(" \t\r\n", value[n - 1]))
                n--;
        if (n == 0 || n > HTTP_MAX_HEADER_VALUE || *to)
                return;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f)
                        return;
        *to = strndup(value, n);
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        HttpSlot *h = userdata;
        size_t total = size * n;
        const struct {
                const char *name;
                char **to;
        } known[] = {
                {"etag:", &h->headers.etag},
                {"last-modified:", &h->headers.last_modified},
                {"date:", &h->headers.date},
                {"retry-after:", &h->headers.retry_after},
        };

        h->headers.bytes += total;
        if (++h->headers.n > HTTP_MAX_HEADERS || h->headers.bytes > HTTP_MAX_HEADER_BYTES) {
                h->is_too_big = true;
                return 0;
        }
        if (total >= 5 && strncasecmp(data, "HTTP/", 5) == 0)
                headers_clear(&h->headers); /* what came before was a 1xx */
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                size_t m = strlen(known[i].name);
                if (total > m && strncasecmp(data, known[i].name, m) == 0)
                        keep_header(known[i].to, data + m, total - m);
        }
        return total;
}

static int on_ready(void *userdata, char *peer, char *own, int peer_port, int own_port) {
        HttpSlot *h = userdata;

        (void) peer, (void) own, (void) peer_port, (void) own_port;
        h->is_repeated = h->is_post && h->is_ready;
        h->is_ready = true;
        return h->is_repeated ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* The result */

static int error_of(const HttpSlot *h, CURLcode code) {
        if (h->is_out_of_memory)
                return -ENOMEM;
        if (h->is_too_big)
                return -EFBIG;
        if (code == CURLE_OK || h->is_cut)
                return 0;
        if (h->is_repeated)
                return -EBADMSG;
        if (transfer_is_tls_failure(code))
                return -EKEYREJECTED;
        switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_COULDNT_CONNECT:
                return -ECONNREFUSED;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
                return -EHOSTUNREACH;
        case CURLE_URL_MALFORMAT:
                return -EINVAL;
        case CURLE_OUT_OF_MEMORY:
                return -ENOMEM;
        case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9 when not allowed": it does not speak HTTP */
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_BAD_CONTENT_ENCODING:
                return -EBADMSG;
        default:
                return -EIO;
        }
}

static const char *text_of(const HttpSlot *h, int error, CURLcode code) {
        if (error == 0)
                return "";
        if (h->is_too_big)
                return "answer is too big";
        if (h->is_out_of_memory)
                return "out of memory";
        if (h->is_repeated)
                return "connection was closed";
        return h->curl_error[0] ? h->curl_error : curl_easy_strerror(code);
}

static int64_t retry_after_of(const HttpHeaders *h) {
        const char *text = h->retry_after;
        size_t digits = text ? strspn(text, "0123456789") : 0;
        int64_t seconds;

        if (!text)
                return 0;
        if (digits > 0 && text[digits] == 0)
                seconds = digits > 10 ? HTTP_MAX_RETRY_AFTER_S : strtoll(text, NULL, 10);
        else {
                time_t until = curl_getdate(text, NULL);
                time_t date = h->date ? curl_getdate(h->date, NULL) : (time_t) -1;
                if (until == (time_t) -1)
                        return 0;
                seconds = until - (date != (time_t) -1 ? date : clock_now_ms() / 1000);
        }
        return CLAMP(seconds, 0, HTTP_MAX_RETRY_AFTER_S) * 1000;
}

static HookReport report_of(const HttpSlot *h, CURLcode code, int status) {
        CURL *easy = h->transfer.easy;
        curl_off_t connect_us = 0, uploaded = 0;
        long request_bytes = 0;

        (void) curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_us);
        (void) curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
        (void) curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
        /* For sending it once more libcurl had set the counter back: it may have left whole. */
        size_t sent = h->is_repeated ? h->request_size : (size_t) uploaded;
        bool is_tls_failed = !h->is_repeated && transfer_is_tls_failure(code);
        return (HookReport){
                .is_connected = h->is_ready || connect_us > 0 || is_tls_failed,
                .is_tls_failed = is_tls_failed,
                .is_sent = h->is_ready && request_bytes > 0 && sent >= h->request_size,
                .status = status,
        };
}

/* As nothing is redirected, time before the last connection is that of a connection before it. */
static bool wanted_to_repeat(const HttpSlot *h) {
        curl_off_t before_us = 0;

        (void) curl_easy_getinfo(h->transfer.easy, CURLINFO_REDIRECT_TIME_T, &before_us);
        return h->is_post && before_us > 0;
}

static void on_finished(Transfer *t, CURLcode code) {
        HttpSlot *h = (HttpSlot *) ((char *) t - offsetof(HttpSlot, transfer));
        CLEANUP(buf_done) Buf text = BUF_INIT(HTTP_MAX_ERROR_TEXT * 4);
        char *content_type = NULL;
        long status = 0;

        h->is_repeated = h->is_repeated || wanted_to_repeat(h);
        int error = error_of(h, code);
        const char *reason = text_of(h, error, code);

        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
        if (status < 200)
                status = 0;
        (void) text_append_printable(&text, reason, strnlen(reason, HTTP_MAX_ERROR_TEXT));
        HttpResult result = {
                .error = error,
                .status = (int) status,
                .error_text = buf_text(&text),
                .content_type = content_type,
                .etag = h->headers.etag,
                .last_modified = h->headers.last_modified,
                .retry_after_ms = retry_after_of(&h->headers),
                .body = buf_text(&h->body),
                .body_size = h->body.len,
                .duration_ms = clock_boot_ms() - h->started_ms,
                .hook = report_of(h, code, (int) status),
        };
        h->done(&h->slot, &result, h->userdata);
}

/* The request */

static bool has_control(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < 0x20 || *text == 0x7f)
                        return true;
        return false;
}

static bool is_http(const char *url) {
        return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static int check_request(const HttpRequest *q) {
        if (!is_http(q->url))
                return -EPROTONOSUPPORT;
        if (strlen(q->url) > HTTP_MAX_URL || has_control(q->url))
                return -EINVAL;
        if (!streq(q->method, "GET") && !streq(q->method, "POST"))
                return -EINVAL;
        if (q->n_headers > HTTP_MAX_REQUEST_HEADERS || q->timeout_ms <= 0)
                return -EINVAL;
        for (size_t i = 0; i < q->n_headers; i++)
                if (has_control(q->headers[i]) || !strchr(q->headers[i], ':'))
                        return -EINVAL;
        return 0;
}

/* To libcurl "Name:" means "leave out"; a header that is really empty is written "Name;". */
static int append_header(HttpSlot *h, const char *line) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        const char *colon = strchr(line, ':');

        if (colon[1 + strspn(colon + 1, " ")])
                return headers_append(&h->request_headers, line);
        int r = buf_append(&b, line, (size_t) (colon - line));
        if (r >= 0)
                r = buf_char(&b, ';');
        return r < 0 ? r : headers_append(&h->request_headers, b.data);
}

static int copy_request(HttpSlot *h, const HttpRequest *q) {
        bool has_type = false;
        int r = 0;

        h->is_post = streq(q->method, "POST");
        for (size_t i = 0; r >= 0 && i < q->n_headers; i++) {
                has_type = has_type || strncasecmp(q->headers[i], "content-type:", 13) == 0;
                r = append_header(h, q->headers[i]);
        }
        if (r >= 0 && h->is_post)
                r = headers_append(&h->request_headers, "Expect:");
        if (r >= 0 && h->is_post && !has_type)
                r = headers_append(&h->request_headers, "Content-Type:");
        if (r < 0 || !h->is_post || !q->body || q->body_size == 0)
                return r;
        h->request = malloc(q->body_size);
        if (!h->request)
                return -ENOMEM;
        memcpy(h->request, q->body, q->body_size);
        h->request_size = q->body_size;
        return 0;
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static int set_callbacks(HttpSlot *h) {
        CURL *e = h->transfer.easy;
        bool is_set = SET(e, CURLOPT_WRITEFUNCTION, on_write) && SET(e, CURLOPT_WRITEDATA, h) &&
                      SET(e, CURLOPT_HEADERFUNCTION, on_header) && SET(e, CURLOPT_HEADERDATA, h) &&
                      SET(e, CURLOPT_PREREQFUNCTION, on_ready) && SET(e, CURLOPT_PREREQDATA, h);

        if (is_set && h->is_post)
                is_set = SET(e, CURLOPT_POSTFIELDS, h->request ? h->request : "") &&
                         SET(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) h->request_size);
        return is_set ? 0 : -ENOMEM;
}

static int set_options(HttpSlot *h, const HttpRequest *q) {
        const MuxOptions *o = mux_options(h->transfer.mux);
        CURL *e = h->transfer.easy;
        /* "" keeps http_proxy of the environment out: the configuration alone says where we go. */
        bool is_set = SET(e, CURLOPT_URL, q->url) && SET(e, CURLOPT_PROTOCOLS_STR, "http,https") &&
                      SET(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
                      SET(e, CURLOPT_HTTPHEADER, h->request_headers) &&
                      SET(e, CURLOPT_PROXY, o->proxy ? o->proxy : "") &&
                      SET(e, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1") &&
                      SET(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
                      SET(e, CURLOPT_TIMEOUT_MS, (long) MIN(q->timeout_ms, INT64_C(86400000))) &&
                      SET(e, CURLOPT_LOW_SPEED_LIMIT, 8L) && SET(e, CURLOPT_LOW_SPEED_TIME, 60L);

        if (is_set && o->user_agent)
                is_set = SET(e, CURLOPT_USERAGENT, o->user_agent);
        if (is_set && q->is_compressed)
                is_set = SET(e, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
        return is_set ? set_callbacks(h) : -ENOMEM;
}

int http_start(Mux *m, const HttpRequest *request, HttpDone done, void *userdata, Slot **ret) {
        int r = check_request(request);
        if (r < 0)
                return r;
        HttpSlot *h = calloc(1, sizeof *h);
        if (!h)
                return -ENOMEM;
        CLEANUP(slot_freep) Slot *slot = &h->slot;

        h->slot.on_free = on_free;
        h->transfer.on_finished = on_finished;
        h->done = done;
        h->userdata = userdata;
        h->is_truncating = request->is_truncating;
        h->body = BUF_INIT(request->max_body);
        h->started_ms = clock_boot_ms();
        r = transfer_init(&h->transfer, m, request->ca_file, h->curl_error);
        if (r >= 0)
                r = copy_request(h, request);
        if (r >= 0)
                r = set_options(h, request);
        if (r >= 0)
                r = transfer_start(&h->transfer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(slot);
        return 0;
}

int http_take_body(Slot *slot, Buf *b) {
        HttpSlot *h = (HttpSlot *) slot;

        if (b->len > 0)
                return -EINVAL;
        buf_done(b);
        *b = h->body;
        h->body = BUF_INIT(h->body.max);
        return 0;
}
