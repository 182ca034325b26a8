/* Replies: problems, tags, and what libmicrohttpd is handed of them. */
#include "serve/serve-reply.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static const char *status_title(int status) {
        const char *title = MHD_get_reason_phrase_for((unsigned) status);
        return title ? title : "Unknown";
}

int serve_problem_of(ServeReply *reply, const char *type, int status, const char *format, ...) {
        CLEANUP(buf_done) Buf detail = BUF_INIT(16384);
        CLEANUP(buf_done) Buf body = BUF_INIT(131072);
        va_list ap;

        va_start(ap, format);
        int r = buf_vprintf(&detail, format, ap);
        va_end(ap);
        if (r >= 0)
                r = buf_printf(&body,
                               "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,\"detail\":\"",
                               str_or(type, "about:blank"), status_title(status), status);
        if (r >= 0)
                r = text_append_json(&body, buf_text(&detail), detail.len);
        if (r >= 0)
                r = buf_str(&body, "\"}\n");
        if (r < 0)
                return r;
        buf_done(&reply->body);
        reply->body = body;
        body = BUF_INIT(0);
        reply->status = status;
        reply->content_type = "application/problem+json";
        reply->etag[0] = 0;
        return 0;
}

bool serve_etag_matches(const char *list, const char *etag) {
        size_t n;

        if (strncmp(etag, "W/", 2) == 0)
                etag += 2;
        n = strlen(etag);
        for (const char *p = list; p && *p;) {
                p += strspn(p, " \t,");
                if (*p == '*')
                        return true;
                if (strncmp(p, "W/", 2) == 0)
                        p += 2;
                const char *close = *p == '"' ? strchr(p + 1, '"') : NULL;
                if (!close)
                        return false;
                if ((size_t) (close + 1 - p) == n && memcmp(p, etag, n) == 0)
                        return true;
                p = close + 1;
        }
        return false;
}

static struct MHD_Response *make_response(Buf *body) {
        size_t n = body->len;
        char *data = buf_take(body);
        if (!data)
                return NULL;
        struct MHD_Response *response =
                MHD_create_response_from_buffer(n, data, MHD_RESPMEM_MUST_FREE);
        if (!response)
                free(data);
        return response;
}

static bool add_headers(struct MHD_Response *response, const ServeReply *reply) {
        char disposition[128];

        (void) snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"",
                        reply->filename);
        const struct {
                const char *name, *value;
        } headers[] = {
                {MHD_HTTP_HEADER_CONTENT_TYPE, reply->status == 304 ? NULL : reply->content_type},
                {MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
                {"X-Content-Type-Options", "nosniff"},
                {MHD_HTTP_HEADER_CONTENT_DISPOSITION,
                 reply->filename[0] && reply->status == 200 ? disposition : NULL},
                {"Content-Security-Policy", reply->policy},
                {reply->own, reply->own ? reply->own_value : NULL},
                {MHD_HTTP_HEADER_ETAG, reply->etag[0] ? reply->etag : NULL},
                {MHD_HTTP_HEADER_ALLOW, reply->status == 405 ? "GET, HEAD, POST, DELETE" : NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(headers); i++)
                if (headers[i].value &&
                    MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
                        return false;
        return true;
}

static struct MHD_Response *make_file_response(ServeReply *reply) {
        struct stat st;
        struct MHD_Response *response = NULL;

        reply->has_fd = false;
        if (fstat(reply->fd, &st) == 0)
                response = MHD_create_response_from_fd64((uint64_t) st.st_size, reply->fd);
        if (!response)
                (void) close(reply->fd);
        return response;
}

enum MHD_Result serve_reply_queue(struct MHD_Connection *connection, ServeReply *reply,
                                  bool is_last) {
        struct MHD_Response *response =
                reply->has_fd ? make_file_response(reply) : make_response(&reply->body);
        enum MHD_Result result = MHD_NO; /* closes the connection */

        if (!response)
                return MHD_NO;
        if (add_headers(response, reply) &&
            (!is_last ||
             MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES))
                result = MHD_queue_response(connection, (unsigned) reply->status, response);
        MHD_destroy_response(response);
        return result;
}
