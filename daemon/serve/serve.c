/* libmicrohttpd from the loop: one MHD daemon per listener, each with its epoll descriptor as an io
 * source and a one-shot timer. The timer is armed anew after every MHD_run(): MHD keeps work (half
 * a request, an idle connection's end) that no descriptor tells of.
 *
 * MHD decodes %XX in place and hands out C strings, so that %00 would silently cut a path or an
 * argument: the raw request line is looked at first (uri_log_callback), and what is wrong with it
 * is answered when the request has been read. Answers are queued on the last call of the access
 * handler; on the first one MHD would close a kept connection after it. A body that is too big is read
 * and thrown away, so that its sender hears why: closing a UNIX socket on bytes not read makes his
 * next write fail before he looks for an answer. The one exception is a length that is too much even
 * to throw away: it is refused on the first call and not read at all.
 *
 * Connections are few, and anybody on the machine may open the status socket, so they are not kept
 * by whoever came first. When the last one is taken, those are shown out from whom nothing has been
 * heard for longest, unfinished requests and idle connections before answers that nobody takes:
 * whoever sends his request at once is answered at once, whatever waits beside him. Counting by user
 * was left out: the sandbox (PrivateUsers=) hides the users of peers, and TCP has none. The end of a
 * connection is a shutdown() of its socket, which MHD reads as the peer's own. */
#include "serve/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/text.h"
#include "os/log.h"
#include "serve/serve-bind.h"
#include "serve/serve-reply.h"

#define SERVE_MAX_LISTENERS 8u
#define SERVE_MAX_CONNECTIONS 16u /* of a listener: two full ones leave the daemon below 64 files */
#define SERVE_SHOWN_OUT 4u        /* at once, when all connections are taken */
#define SERVE_TIMEOUT_S 30u
#define SERVE_CONNECTION_MEMORY ((size_t) 32 << 10) /* bounds the header of a request */
#define SERVE_MAX_URI ((size_t) 4096)
#define SERVE_MAX_DISCARD ((size_t) 16 << 20) /* of a body that is too big */

/* One connection, from MHD's first word of it to its last. */
typedef struct Peer Peer;
struct Peer {
        Peer *next;
        int fd;
        uint64_t heard; /* the listener's count when something whole came from it last */
        bool has_asked; /* its answer is under way */
        bool is_leaving;
};

typedef struct Listener {
        Serve *serve;
        ServeRole role;
        struct MHD_Daemon *mhd;
        sd_event_source *io, *timer;
        Peer *peers;
        uint64_t count;   /* of things heard: an order without a clock */
        ServeSocket file; /* that we made */
} Listener;

struct Serve {
        sd_event *event;
        ServeHandler handler;
        void *userdata;
        size_t max_body;
        Listener *listeners[SERVE_MAX_LISTENERS];
        size_t n_listeners;
};

/* One request under way; lives from its request line to request_done(). */
typedef struct Pending {
        Buf body;
        size_t discarded;
        int refused; /* HTTP status decided before the handler is asked, or 0 */
        bool is_begun, is_out_of_memory;
        bool is_unframed; /* where it ends is not sure: the connection does */
} Pending;

/* Peers */

static Peer *peer_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void heard(Listener *l, struct MHD_Connection *connection, bool has_asked) {
        Peer *peer = peer_of(connection);

        if (!peer)
                return;
        peer->heard = ++l->count;
        peer->has_asked = has_asked;
}

/* Without memory for it a connection is merely never shown out. */
static void peer_came(Listener *l, struct MHD_Connection *connection, void **context) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        Peer *peer = info ? calloc(1, sizeof *peer) : NULL;

        if (!peer)
                return;
        *peer = (Peer){.next = l->peers, .fd = info->connect_fd, .heard = ++l->count};
        l->peers = peer;
        *context = peer;
}

static void peer_left(Listener *l, void **context) {
        for (Peer **at = &l->peers; *at; at = &(*at)->next)
                if (*at == *context) {
                        Peer *peer = *at;

                        *at = peer->next;
                        free(peer);
                        break;
                }
        *context = NULL;
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
        if (code == MHD_CONNECTION_NOTIFY_STARTED)
                peer_came(userdata, connection, context);
        else
                peer_left(userdata, context);
}

static bool is_idler(const Peer *a, const Peer *b) {
        return a->has_asked != b->has_asked ? !a->has_asked : a->heard < b->heard;
}

static void show_out(Listener *l) {
        Peer *chosen = NULL;

        for (Peer *peer = l->peers; peer; peer = peer->next)
                if (!peer->is_leaving && (!chosen || is_idler(peer, chosen)))
                        chosen = peer;
        if (!chosen)
                return;
        chosen->is_leaving = true;
        (void) shutdown(chosen->fd, SHUT_RDWR);
}

/* Requests */

const char *serve_query(const ServeRequest *r, const char *name) {
        return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct Visit {
        ServeVisit visit;
        void *userdata;
} Visit;

static enum MHD_Result visit_query(void *userdata, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
        const Visit *v = userdata;

        (void) kind;
        return v->visit(name, value, v->userdata) ? MHD_YES : MHD_NO;
}

void serve_each_query(const ServeRequest *r, ServeVisit visit, void *userdata) {
        Visit v = {visit, userdata};

        (void) MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, visit_query, &v);
}

static void ask_handler(Listener *l, const ServeRequest *request, ServeReply *reply) {
        Serve *s = l->serve;
        int r = s->handler(request, reply, s->userdata);

        if (r >= 0)
                return;
        log_error("%s %s failed: %s, answering 500", request->method, request->path, strerror(-r));
        if (serve_problem(reply, 500, "internal error: %s", strerror(-r)) < 0)
                reply->status = 500;
}

static const char *header(struct MHD_Connection *connection, const char *name) {
        return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_known_method(const char *method) {
        return streq(method, "GET") || streq(method, "HEAD") || streq(method, "POST") ||
               streq(method, "DELETE");
}

static int refuse(ServeReply *reply, int status, bool is_unframed) {
        switch (status) {
        case 400:
                return serve_problem(reply, 400, "%s",
                                     is_unframed ? "one Host and one Content-Length are needed"
                                                 : "the request target is not valid");
        case 405:
                return serve_problem(reply, 405, "only GET, HEAD, POST and DELETE are known");
        case 413:
                return serve_problem(reply, 413, "the request body is too big");
        case 414:
                return serve_problem(reply, 414, "the request target is over %zu bytes",
                                     SERVE_MAX_URI);
        default:
                return serve_problem(reply, status, "out of memory");
        }
}

static enum MHD_Result answer(Listener *l, struct MHD_Connection *connection, const char *path,
                              const char *method, Pending *p) {
        ServeReply reply = {.status = 200,
                            .content_type = "application/json",
                            .body = BUF_INIT((size_t) 256 << 20)};
        /* MHD leaves the body of a HEAD answer out by itself. */
        ServeRequest request = {
                .role = l->role,
                .method = streq(method, "HEAD") ? "GET" : method,
                .path = path,
                .body = p ? buf_text(&p->body) : "",
                .body_size = p ? p->body.len : 0,
                .if_none_match = header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH),
                .accept = header(connection, MHD_HTTP_HEADER_ACCEPT),
                .connection = connection,
        };
        int refused = !p || p->is_out_of_memory ? 503 : p->refused;
        enum MHD_Result result = MHD_NO;

        heard(l, connection, /* has_asked= */ true);
        if (refused == 0)
                ask_handler(l, &request, &reply);
        bool is_unframed = p && p->is_unframed;
        if (refused == 0 || refuse(&reply, refused, is_unframed) >= 0) {
                if (reply.status == 200 && reply.etag[0] && streq(request.method, "GET") &&
                    serve_etag_matches(request.if_none_match, reply.etag)) {
                        reply.status = 304;
                        buf_clear(&reply.body);
                }
                result = serve_reply_queue(connection, &reply, is_unframed);
        }
        buf_done(&reply.body);
        return result;
}

/* What says where a request ends and whom it is for. MHD takes the first of several. */
typedef struct Framing {
        const char *length, *host;
        bool is_doubtful;
} Framing;

static enum MHD_Result look_at_header(void *userdata, enum MHD_ValueKind kind, const char *name,
                                      const char *value) {
        Framing *f = userdata;

        (void) kind;
        if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
                const char *text = str_or(value, "");

                f->is_doubtful = f->is_doubtful || !*text ||
                                 text[strspn(text, "0123456789")] != '\0' ||
                                 (f->length && !streq(f->length, text));
                f->length = text;
        } else if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
                f->is_doubtful = f->is_doubtful || f->host;
                f->host = str_or(value, "");
        }
        return MHD_YES;
}

/* RFC 9112 3.2 and 6.3: one Host, except from HTTP/1.0; one length, and none beside a transfer
 * coding. What stands before us may have read such a request otherwise, so that it is refused and
 * the connection ends. */
static bool is_framed(struct MHD_Connection *connection, const char *version, Framing *ret) {
        *ret = (Framing){0};
        (void) MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, ret);
        if (ret->is_doubtful || (!ret->host && !streq(version, MHD_HTTP_VERSION_1_0)))
                return false;
        return !ret->length || !header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Refusals that need no body; returns true when the body shall not even be read. */
static bool begin_request(Listener *l, struct MHD_Connection *connection, const char *path,
                          const char *method, const char *version, Pending *p) {
        Framing framing;

        p->is_begun = true;
        p->body = BUF_INIT(l->serve->max_body);
        if (!is_framed(connection, version, &framing)) {
                p->refused = 400;
                p->is_unframed = true;
                return true;
        }
        const char *length = framing.length;
        if (p->refused == 0 && !text_is_utf8(path, strlen(path)))
                p->refused = 400;
        if (p->refused == 0 && !is_known_method(method))
                p->refused = 405;
        unsigned long long announced = length ? strtoull(length, NULL, 10) : 0;
        if (announced > l->serve->max_body && p->refused == 0)
                p->refused = 413;
        return announced > SERVE_MAX_DISCARD;
}

/* False: too much even to throw away. */
static bool take_part(Pending *p, const char *data, size_t n) {
        int r = p->refused || p->is_out_of_memory ? -E2BIG : buf_append(&p->body, data, n);

        if (r >= 0)
                return true;
        if (r == -ENOMEM)
                p->is_out_of_memory = true;
        else if (!p->refused)
                p->refused = 413;
        p->discarded += n;
        return p->discarded <= SERVE_MAX_DISCARD;
}

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *connection,
                                 const char *path, const char *method, const char *version,
                                 const char *data, size_t *n, void **state) {
        Listener *l = userdata;
        Pending *p = *state;

        if (!p)
                return answer(l, connection, path, method, NULL);
        if (!p->is_begun) {
                if (begin_request(l, connection, path, method, version, p))
                        return answer(l, connection, path, method, p);
                return MHD_YES;
        }
        if (*n == 0)
                return answer(l, connection, path, method, p);
        heard(l, connection, /* has_asked= */ false);
        bool is_taken = take_part(p, data, *n);
        *n = 0;
        return is_taken ? MHD_YES : MHD_NO;
}

static void *on_uri(void *userdata, const char *uri, struct MHD_Connection *connection) {
        Pending *p = calloc(1, sizeof *p);

        (void) userdata, (void) connection;
        if (!p)
                return NULL;
        if (strlen(uri) > SERVE_MAX_URI)
                p->refused = 414;
        else if (strstr(uri, "%00") || *uri != '/')
                p->refused = 400;
        return p;
}

static void request_done(void *userdata, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
        Pending *p = *state;

        (void) code;
        heard(userdata, connection, /* has_asked= */ false);
        if (!p)
                return;
        buf_done(&p->body);
        free(p);
        *state = NULL;
}

/* The loop */

static void arm(Listener *l) {
        MHD_UNSIGNED_LONG_LONG ms;
        int r;

        if (MHD_get_timeout(l->mhd, &ms) != MHD_YES)
                r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        else {
                r = sd_event_source_set_time_relative(l->timer, MIN(ms, 3600000u) * 1000u);
                if (r >= 0)
                        r = sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                log_error("Cannot arm the timer of a listener: %s", strerror(-r));
}

static bool is_full(const Listener *l) {
        const union MHD_DaemonInfo *info =
                MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        return info && info->num_connections >= SERVE_MAX_CONNECTIONS;
}

/* At its limit MHD takes the listening socket out of the epoll set, and puts it back at the
 * beginning of a run. The run in which connections end is therefore followed by another one, or
 * nobody would be let in until the next event. Showing out makes that event. */
static void run(Listener *l) {
        bool was_full = is_full(l);
        enum MHD_Result result = MHD_run(l->mhd);

        if (was_full && result == MHD_YES)
                result = MHD_run(l->mhd);
        for (unsigned i = 0; i < SERVE_SHOWN_OUT && is_full(l); i++)
                show_out(l);
        if (result != MHD_YES)
                log_error("A listener cannot go on with its connections");
        arm(l);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source, (void) fd, (void) revents;
        run(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source, (void) usec;
        run(userdata);
        return 0;
}

static void on_log(void *userdata, const char *format, va_list ap) PRINTF_LIKE(2, 0);
static void on_log(void *userdata, const char *format, va_list ap) {
        char text[512];

        (void) userdata;
        if (vsnprintf(text, sizeof text, format, ap) > 0)
                log_debug("HTTP: %s", text);
}

/* Listeners */

static void listener_free(Listener *l) {
        serve_socket_done(&l->file);
        (void) sd_event_source_disable_unref(l->io);
        (void) sd_event_source_disable_unref(l->timer);
        if (l->mhd)
                MHD_stop_daemon(l->mhd); /* closes the listening socket, too */
        free(l);
}

static int start_daemon(Listener *l, int fd) {
        l->mhd = MHD_start_daemon(
                MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, l,
                MHD_OPTION_EXTERNAL_LOGGER, on_log, l, MHD_OPTION_LISTEN_SOCKET, fd,
                MHD_OPTION_CONNECTION_LIMIT, SERVE_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                SERVE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVE_CONNECTION_MEMORY,
                MHD_OPTION_URI_LOG_CALLBACK, on_uri, l, MHD_OPTION_NOTIFY_COMPLETED, request_done,
                l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_END);
        if (l->mhd)
                return 0;
        (void) close(fd);
        return -EIO;
}

static int watch(Listener *l) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD);
        sd_event *event = l->serve->event;

        if (!info)
                return -EIO;
        int r = sd_event_add_io(event, &l->io, info->epoll_fd, EPOLLIN, on_io, l);
        if (r >= 0)
                r = sd_event_add_time(event, &l->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        return r < 0 ? r : 0;
}

static int listen_on(Serve *s, int fd, ServeRole role, Listener **ret) {
        Listener *l = s->n_listeners < SERVE_MAX_LISTENERS ? calloc(1, sizeof *l) : NULL;

        if (!l) {
                (void) close(fd);
                return s->n_listeners < SERVE_MAX_LISTENERS ? -ENOMEM : -E2BIG;
        }
        l->serve = s;
        l->role = role;
        int r = start_daemon(l, fd);
        if (r >= 0)
                r = watch(l);
        if (r < 0) {
                listener_free(l);
                return r;
        }
        arm(l);
        s->listeners[s->n_listeners++] = l;
        *ret = l;
        return 0;
}

int serve_listen_fd(Serve *s, int fd, ServeRole role) {
        Listener *l;
        return listen_on(s, fd, role, &l);
}

int serve_listen_unix(Serve *s, const char *path, unsigned mode, ServeRole role) {
        CLEANUP(serve_socket_done) ServeSocket file = SERVE_SOCKET_NONE;
        Listener *l;

        int fd = serve_bind_unix(path, mode, &file);
        if (fd < 0)
                return fd;
        int r = listen_on(s, fd, role, &l);
        if (r < 0)
                return r;
        l->file = file;
        file = SERVE_SOCKET_NONE;
        return 0;
}

int serve_listen_tcp(Serve *s, const char *address) {
        int fd = serve_bind_tcp(address);

        return fd < 0 ? fd : serve_listen_fd(s, fd, SERVE_STATUS);
}

int serve_new(sd_event *event, ServeHandler handler, void *userdata, size_t max_request_body,
              Serve **ret) {
        Serve *s = calloc(1, sizeof *s);

        if (!s)
                return -ENOMEM;
        (void) signal(SIGPIPE, SIG_IGN);
        s->event = sd_event_ref(event);
        s->handler = handler;
        s->userdata = userdata;
        s->max_body = max_request_body;
        *ret = s;
        return 0;
}

void serve_turn(Serve *s) {
        for (size_t i = 0; i < s->n_listeners; i++)
                run(s->listeners[i]);
}

void serve_free(Serve *s) {
        if (!s)
                return;
        for (size_t i = 0; i < s->n_listeners; i++)
                listener_free(s->listeners[i]);
        (void) sd_event_unref(s->event);
        free(s);
}
