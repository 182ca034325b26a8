/* The client's side of the UNIX sockets: one blocking request. No loop, no multi: chisoctl has
 * nothing else to do. */
#include <curl/curl.h>
#include <errno.h>
#include <unistd.h>

#include "transport/http.h"

static void easy_freep(CURL **e) {
        if (*e)
                curl_easy_cleanup(*e);
}

typedef struct Answer {
        CURL *easy;
        int fd; /* for the body of 200; -1: none */
        Buf *body;
        size_t asked; /* bytes of the request's body */
        int error;
} Answer;

static int write_all(int fd, const char *data, size_t n) {
        while (n > 0) {
                ssize_t done = write(fd, data, n);

                if (done < 0 && errno != EINTR)
                        return -errno;
                data += MAX(done, 0);
                n -= (size_t) MAX(done, 0);
        }
        return 0;
}

static size_t on_write(char *data, size_t size, size_t n, void *userdata) {
        Answer *a = userdata;
        long status = 0;

        if (a->fd >= 0)
                (void) curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
        a->error = status == 200 ? write_all(a->fd, data, size * n)
                                 : buf_append(a->body, data, size * n);
        return a->error < 0 ? 0 : size * n;
}

/* The other side went before it had the whole request. */
static bool is_cut(CURL *e, const Answer *a) {
        curl_off_t sent = 0;

        (void) curl_easy_getinfo(e, CURLINFO_SIZE_UPLOAD_T, &sent);
        return (size_t) sent < a->asked;
}

static int error_of(CURL *e, CURLcode code, const Answer *a) {
        long saved = 0;

        if (a->error < 0)
                return a->error == -E2BIG ? -EFBIG : a->error;
        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_COULDNT_CONNECT:
                (void) curl_easy_getinfo(e, CURLINFO_OS_ERRNO, &saved);
                return saved > 0 ? (int) -saved : -ECONNREFUSED;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
                return is_cut(e, a) ? -EPIPE : -ECONNRESET;
        case CURLE_OUT_OF_MEMORY:
                return -ENOMEM;
        default:
                return -EBADMSG;
        }
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static bool set_method(CURL *e, const char *method, const char *body, size_t body_size) {
        if (streq(method, "GET"))
                return true;
        if (streq(method, "HEAD"))
                return SET(e, CURLOPT_NOBODY, 1L);
        if (streq(method, "POST"))
                return SET(e, CURLOPT_POST, 1L) && SET(e, CURLOPT_POSTFIELDS, body ? body : "") &&
                       SET(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) (body ? body_size : 0));
        return SET(e, CURLOPT_CUSTOMREQUEST, method);
}

static void headers_freep(struct curl_slist **list) {
        curl_slist_free_all(*list);
}

static int exchange(const char *socket_path, const char *method, const char *path, const char *body,
                    size_t body_size, int64_t timeout_ms, int fd, int *ret_status, Buf *b) {
        CLEANUP(easy_freep) CURL *e = curl_easy_init();
        CLEANUP(headers_freep) struct curl_slist *headers = NULL;
        CLEANUP(buf_done) Buf url = BUF_INIT(65536);
        Answer answer = {.easy = e, .fd = fd, .body = b, .asked = body ? body_size : 0};
        long status = 0;

        headers = curl_slist_append(NULL, "Expect:");
        if (!e || !headers)
                return -ENOMEM;
        int r = buf_printf(&url, "http://localhost%s", path);
        if (r < 0)
                return r;
        if (!SET(e, CURLOPT_URL, url.data) || !SET(e, CURLOPT_PROTOCOLS_STR, "http") ||
            !SET(e, CURLOPT_UNIX_SOCKET_PATH, socket_path) || !SET(e, CURLOPT_NOSIGNAL, 1L) ||
            !SET(e, CURLOPT_TIMEOUT_MS, (long) timeout_ms) || !SET(e, CURLOPT_PROXY, "") ||
            !SET(e, CURLOPT_HTTPHEADER, headers) || !SET(e, CURLOPT_WRITEFUNCTION, on_write) ||
            !SET(e, CURLOPT_WRITEDATA, &answer) || !set_method(e, method, body, body_size))
                return -EINVAL;
        r = error_of(e, curl_easy_perform(e), &answer);
        if (r < 0)
                return r;
        (void) curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
        *ret_status = (int) status;
        return 0;
}

int http_unix(const char *socket_path, const char *method, const char *path, const char *body,
              size_t body_size, int64_t timeout_ms, int *ret_status, Buf *b) {
        return exchange(socket_path, method, path, body, body_size, timeout_ms, -1, ret_status, b);
}

int http_unix_file(const char *socket_path, const char *path, int64_t timeout_ms, int fd,
                   int *ret_status, Buf *b) {
        return exchange(socket_path, "GET", path, NULL, 0, timeout_ms, fd, ret_status, b);
}
