/* HTTP/1.1 on UNIX sockets (and one TCP address): libmicrohttpd run from the same sd-event, no
 * threads.
 *
 * MHD_USE_EPOLL; its epoll descriptor is an io source; a one-shot timer is armed from
 * MHD_get_timeout after every MHD_run, or half a request stays for ever. Connection limit (16) and
 * time-out (30 s) per listener; at the limit the connections heard of least lately are shut, so that
 * nobody can hold the socket by opening it often; request bodies are bounded. The handler answers on the last call
 * (never the first: that closes a kept connection). */
#pragma once

#include <systemd/sd-event.h>

#include "base/buf.h"

typedef enum ServeRole { SERVE_STATUS, SERVE_ADMIN } ServeRole; /* status: masked reads only */

typedef struct ServeRequest {
        ServeRole role;
        const char *method; /* HEAD comes as GET */
        const char *path;   /* without the query, percent-decoded, UTF-8 */
        const char *body;   /* "" when none */
        size_t body_size;
        const char *if_none_match; /* or NULL */
        const char *accept;        /* or NULL */
        void *connection;          /* private: for serve_query */
} ServeRequest;

/* Whether If-None-Match (RFC 9110, 13.1.2: "*" or a list, compared weakly) has the tag. */
bool serve_etag_matches(const char *list, const char *etag);
/* Value of a query argument, or NULL. */
const char *serve_query(const ServeRequest *r, const char *name);
/* Every query argument in the order of the request, until the function says false. The value is NULL
 * where no `=` follows the name. Both live as long as the request. */
typedef bool (*ServeVisit)(const char *name, const char *value, void *userdata);
void serve_each_query(const ServeRequest *r, ServeVisit visit, void *userdata);

typedef struct ServeReply {
        int status;               /* default 200 */
        const char *content_type; /* static; default application/json */
        Buf body;                 /* handed over */
        int fd; /* with has_fd: a regular file instead of the body, handed over, sent from its
                      * beginning piece by piece */
        bool has_fd;
        char filename[96];  /* a file to be kept under this ASCII name; or "" */
        const char *policy; /* Content-Security-Policy of a page; static, or NULL */
        const char *own;    /* name of one more header; static, or NULL */
        char own_value[24];
        char etag[96]; /* with quotes, or "": 304 is answered when If-None-Match has it */
} ServeReply;

/* Fills the reply. A negative result becomes 500 problem+json. */
typedef int (*ServeHandler)(const ServeRequest *request, ServeReply *reply, void *userdata);

typedef struct Serve Serve;
/* No listeners yet. */
int serve_new(sd_event *event, ServeHandler handler, void *userdata, size_t max_request_body,
              Serve **ret);
/* fd: a listening stream socket (taken over, also on failure). */
int serve_listen_fd(Serve *s, int fd, ServeRole role);
/* Makes the UNIX socket itself (an old file of it is replaced; mode e.g. 0666). */
int serve_listen_unix(Serve *s, const char *path, unsigned mode, ServeRole role);
/* "127.0.0.1:8766": masked reads. */
int serve_listen_tcp(Serve *s, const char *address);
/* Answers who has asked by now: before a piece of work that the loop cannot be taken from. */
void serve_turn(Serve *s);
void serve_free(Serve *s);
DEFINE_CLEANUP(Serve, serve_free)

/* application/problem+json (RFC 9457): type about:blank, title of the status, detail. */
#define serve_problem(reply, status, ...)                                                          \
        serve_problem_of((reply), /* type= */ NULL, (status), __VA_ARGS__)
/* The same of a type (RFC 9457, 3.1.1), which programs tell apart. */
int serve_problem_of(ServeReply *reply, const char *type, int status, const char *format, ...)
        PRINTF_LIKE(4, 5);
