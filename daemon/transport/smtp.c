/* Mail: libcurl connects, greets, does STARTTLS and AUTH (CURLOPT_CONNECT_ONLY); the transaction
 * itself is core/dialogue's, carried by curl_easy_send and curl_easy_recv on the loop.
 *
 * libcurl's own upload was tried and dropped. It waits for the answer to the final dot, and for the
 * one to QUIT, in a blocking call (smtp_done and smtp_disconnect of 7.88): a relay that scans a
 * message for five seconds would stop every source, and the status socket, for five seconds. Its
 * result codes are 55 and 8 for 4xx and 5xx alike, and how far a message came would have to be
 * guessed from its debug output. A transaction is four commands; spoken here, each reply belongs to
 * a known command, it is known which bytes the socket took, and they need not wait for each other.
 *
 * Connections are kept (at most 8, for a minute), each with its easy handle, and used again only by
 * requests with the same server, login and TLS. An idle connection on which anything arrives is
 * dropped: a server speaks up only to close. When a kept one turns out to be dead before the server
 * answered, the request begins anew, once, on a fresh one, if nothing can have arrived. Chunks,
 * which leave before anything is answered, are for connections that have carried a message already:
 * a relay that takes connections and then says nothing is told from one that lost an answer. */
#include "transport/smtp.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/text.h"
#include "transport/mux-private.h"

#define SMTP_MAX_KEPT 8u
#define SMTP_KEEP_US ((uint64_t) 60 * 1000000)
#define SMTP_CONNECT_TIMEOUT_MS 30000L /* TCP to AUTH; servers delay their greeting on purpose */

typedef struct SmtpConn SmtpConn;
typedef struct SmtpSlot SmtpSlot;

struct SmtpConn {
        Transfer transfer;
        SmtpSlot *slot; /* NULL while kept */
        SmtpConn *next; /* in the list of kept ones */
        Buf key;        /* server, login, TLS */
        sd_event_source *io, *keep_timer;
        SmtpAbilities can;
        bool needs_reset;
        bool is_proven;     /* it carried a message that was accepted */
        char greeting[512]; /* last line before MAIL */
        char curl_error[CURL_ERROR_SIZE];
};

typedef struct SmtpKept {
        SmtpConn *first;
        unsigned n;
} SmtpKept;

struct SmtpSlot {
        Slot slot;
        Mux *mux;
        SmtpDone done;
        void *userdata;
        SmtpConn *conn;
        sd_event_source *timer;
        bool is_talking, is_over; /* connected and the dialogue has begun; done() is owed or made */
        bool is_reused;
        char *url, *username, *password, *ca_file, *sender, *recipient;
        TlsMode tls;
        Buf key;
        const char *data;
        size_t size;
        Dialogue dialogue;
        SmtpReport report; /* of an attempt that did not come to its dialogue */
        Buf text;
        SmtpTrace trace;
        void *trace_userdata;
};

static void advance(SmtpSlot *s);
static int connect_anew(SmtpSlot *s);

/* Connections */

static void conn_free(SmtpConn *c) {
        (void) sd_event_source_disable_unref(c->io);
        (void) sd_event_source_disable_unref(c->keep_timer);
        transfer_done(&c->transfer);
        if (c->key.data)
                explicit_bzero(c->key.data, c->key.cap);
        buf_done(&c->key);
        free(c);
}
DEFINE_CLEANUP(SmtpConn, conn_free)

/* Out of courtesy and without waiting: the answer is nobody's. */
static void conn_quit(SmtpConn *c) {
        size_t sent;

        (void) curl_easy_send(c->transfer.easy, "QUIT\r\n", 6, &sent);
        conn_free(c);
}

static SmtpKept *kept_of(Mux *m) {
        return mux_kept(m)->list;
}

static void kept_remove(SmtpConn *c) {
        SmtpKept *kept = kept_of(c->transfer.mux);

        for (SmtpConn **p = &kept->first; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        kept->n--;
                        return;
                }
}

static void kept_drop(void *list) {
        SmtpKept *kept = list;

        while (kept->first) {
                SmtpConn *c = kept->first;
                kept->first = c->next;
                conn_quit(c);
        }
        free(kept);
}

static int kept_make(Mux *m) {
        MuxKept *kept = mux_kept(m);

        if (kept->list)
                return 0;
        kept->list = calloc(1, sizeof(SmtpKept));
        kept->drop = kept_drop;
        return kept->list ? 0 : -ENOMEM;
}

static SmtpConn *kept_take(Mux *m, const Buf *key) {
        for (SmtpConn *c = kept_of(m)->first; c; c = c->next)
                if (c->key.len == key->len && memcmp(c->key.data, key->data, key->len) == 0) {
                        kept_remove(c);
                        (void) sd_event_source_set_enabled(c->keep_timer, SD_EVENT_OFF);
                        return c;
                }
        return NULL;
}

static int on_keep_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        SmtpConn *c = userdata;

        (void) source;
        (void) usec;
        kept_remove(c);
        conn_quit(c);
        return 0;
}

static int watch(SmtpConn *c, uint32_t events) {
        int r = sd_event_source_set_io_events(c->io, events);
        return r < 0 ? r : 0;
}

static int keep_for_a_while(SmtpConn *c) {
        sd_event *event = mux_event(c->transfer.mux);
        int r;

        if (!c->keep_timer)
                return sd_event_add_time_relative(event, &c->keep_timer, CLOCK_BOOTTIME,
                                                  SMTP_KEEP_US, 0, on_keep_timer, c);
        r = sd_event_source_set_time_relative(c->keep_timer, SMTP_KEEP_US);
        return r < 0 ? r : sd_event_source_set_enabled(c->keep_timer, SD_EVENT_ONESHOT);
}

static void conn_keep(SmtpConn *c) {
        SmtpKept *kept = kept_of(c->transfer.mux);

        c->slot = NULL;
        if (kept->n >= SMTP_MAX_KEPT || watch(c, EPOLLIN) < 0 || keep_for_a_while(c) < 0) {
                conn_quit(c);
                return;
        }
        c->next = kept->first;
        kept->first = c;
        kept->n++;
}

/* The end of a request: what ends one only notes it (is_over); the callback, which may free the
 * slot, is made by the handler of the loop when nothing below it is left to run. */

static void deliver(SmtpSlot *s) {
        const SmtpReport *report = s->is_talking ? &s->dialogue.report : &s->report;
        const Buf *text = s->is_talking ? &s->dialogue.text : &s->text;
        SmtpResult result = {delivery_smtp_outcome(report), *report, buf_text(text)};

        if (s->is_over)
                s->done(&s->slot, &result, s->userdata);
}

static int on_conn_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        SmtpConn *c = userdata;
        SmtpSlot *s = c->slot;

        (void) source, (void) fd, (void) revents;
        if (s) {
                advance(s);
                deliver(s);
                return 0;
        }
        kept_remove(c);
        conn_free(c);
        return 0;
}

static void drop_conn(SmtpSlot *s) {
        if (s->conn)
                conn_free(TAKE_PTR(s->conn));
}

/* The connection is kept or gone before. */
static void finish(SmtpSlot *s) {
        s->is_over = true;
        (void) sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
}

static void dialogue_finished(SmtpSlot *s) {
        const Dialogue *d = &s->dialogue;

        if (d->is_usable) {
                s->conn->needs_reset = d->needs_reset;
                s->conn->is_proven = s->conn->is_proven || !d->is_refused;
                conn_keep(TAKE_PTR(s->conn));
        }
        drop_conn(s);
        if (!s->is_reused || !d->is_stillborn || connect_anew(s) < 0)
                finish(s);
}

/* Tracing the way to MAIL */

static void trace(const SmtpSlot *s, char direction, const char *line, size_t n) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
                n--;
        if (s->trace)
                s->trace(s->trace_userdata, direction, line, n);
}

/* What libcurl says before MAIL. Of AUTH only the mechanism is shown, and of lines that begin with
 * no known command (the steps of AUTH LOGIN) nothing. */
static void trace_command(const SmtpSlot *s, const char *line, size_t n) {
        static const char *const known[] = {"EHLO", "HELO", "STARTTLS", "QUIT", "RSET"};
        char masked[64];
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (n >= strlen(known[i]) && strncasecmp(line, known[i], strlen(known[i])) == 0) {
                        trace(s, '>', line, n);
                        return;
                }
        size_t word = 0;
        while (word < n && word < 20 && line[word] > ' ')
                word++;
        size_t mechanism = word + 1;
        while (mechanism < n && mechanism < 40 && line[mechanism] > ' ')
                mechanism++;
        int k = n > 5 && strncasecmp(line, "AUTH ", 5) == 0
                        ? snprintf(masked, sizeof masked, "%.*s ***", (int) mechanism, line)
                        : snprintf(masked, sizeof masked, "***");
        trace(s, '>', masked, (size_t) k);
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t n, void *userdata) {
        const SmtpConn *c = userdata;
        (void) easy;
        if (!c->slot || c->slot->is_talking)
                return 0;
        if (type == CURLINFO_HEADER_IN)
                trace(c->slot, '<', data, n);
        else if (type == CURLINFO_HEADER_OUT)
                trace_command(c->slot, data, n);
        return 0;
}

/* The dialogue on the wire */

/* > 0: something came; 0: nothing for now; < 0: the connection is gone. */
static int receive(SmtpSlot *s) {
        char *room;
        size_t n = 0, size = dialogue_space(&s->dialogue, &room);
        CURLcode code = curl_easy_recv(s->conn->transfer.easy, room, size, &n);

        if (code == CURLE_AGAIN)
                return 0;
        if (code != CURLE_OK || n == 0)
                return -ECONNRESET;
        dialogue_received(&s->dialogue, n);
        return 1;
}

/* 0: all is sent; > 0: the socket is full; < 0: the connection is gone. */
static int flush_out(SmtpSlot *s) {
        const char *out;

        for (size_t n; (n = dialogue_pending(&s->dialogue, &out)) > 0;) {
                size_t sent = 0;
                CURLcode code = curl_easy_send(s->conn->transfer.easy, out, n, &sent);
                if (code == CURLE_AGAIN)
                        return 1;
                if (code != CURLE_OK)
                        return -EPIPE;
                dialogue_sent(&s->dialogue, sent);
        }
        return 0;
}

/* What the peer said last, before it went. */
static void hear_out(SmtpSlot *s) {
        while (s->dialogue.stage != DIALOGUE_OVER && receive(s) > 0)
                continue;
        dialogue_break(&s->dialogue, "connection was closed");
}

/* Receives and sends until neither goes on; in this order, so that a kept connection that was closed
 * meanwhile is noticed before anything is sent over it. */
static void advance(SmtpSlot *s) {
        Dialogue *d = &s->dialogue;

        while (s->is_talking && d->stage != DIALOGUE_OVER) {
                int r = receive(s);
                if (r > 0)
                        continue;
                int sent = r < 0 ? r : flush_out(s);
                if (sent < 0)
                        hear_out(s);
                else if (watch(s->conn, sent > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN) < 0)
                        dialogue_break(d, "connection cannot be watched");
                else
                        return;
        }
        if (s->is_talking && !s->is_over)
                dialogue_finished(s);
}

/* Connecting */

static bool is_up(const SmtpConn *c) {
        curl_off_t us = 0;

        (void) curl_easy_getinfo(c->transfer.easy, CURLINFO_CONNECT_TIME_T, &us);
        return us > 0;
}

/* Replies up to AUTH: what the server can do, and its last words if it refuses. */
static size_t on_greeting(char *data, size_t size, size_t n, void *userdata) {
        SmtpConn *c = userdata;
        size_t total = size * n, kept = MIN(total, sizeof c->greeting - 1);

        memcpy(c->greeting, data, kept);
        c->greeting[kept] = 0;
        smtp_abilities_read(&c->can, c->greeting, kept);
        return total;
}

static void keep_text(Buf *text, const char *why) {
        buf_clear(text);
        (void) text_append_printable(text, why, strnlen(why, DIALOGUE_MAX_TEXT));
        while (text->len > 0 && text->data[text->len - 1] == ' ')
                buf_truncate(text, text->len - 1);
}

/* Replies before MAIL are the relay's and say nothing about the recipient: `response` stays 0. */
static void connect_failed(SmtpSlot *s, CURLcode code) {
        SmtpConn *c = s->conn;
        const char *why = c->curl_error[0] ? c->curl_error : curl_easy_strerror(code);

        s->report.is_tls_failed = transfer_is_tls_failure(code);
        s->report.is_connected = is_up(c) || s->report.is_tls_failed; /* smtps: up only with TLS */
        s->report.is_login_refused = code == CURLE_LOGIN_DENIED || code == CURLE_AUTH_ERROR;
        s->report.is_timeout = code == CURLE_OPERATION_TIMEDOUT;
        if (!s->report.is_tls_failed && (c->greeting[0] == '4' || c->greeting[0] == '5'))
                why = c->greeting;
        keep_text(&s->text, why);
        drop_conn(s);
        finish(s);
}

static void begin(SmtpSlot *s) {
        DialogueMail mail = {s->sender, s->recipient, s->data, s->size};

        SmtpAbilities can = s->conn->can;

        can.has_chunking = can.has_chunking && s->conn->is_proven;
        s->is_talking = true;
        dialogue_begin(&s->dialogue, &mail, &can, s->conn->needs_reset, s->trace,
                       s->trace_userdata);
}

static void on_connected(Transfer *t, CURLcode code) {
        SmtpConn *c = (SmtpConn *) ((char *) t - offsetof(SmtpConn, transfer));
        SmtpSlot *s = c->slot;
        curl_socket_t fd = CURL_SOCKET_BAD;

        if (code == CURLE_OK)
                (void) curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
        if (code == CURLE_OK && fd == CURL_SOCKET_BAD)
                code = CURLE_COULDNT_CONNECT;
        if (code == CURLE_OK &&
            sd_event_add_io(mux_event(s->mux), &c->io, fd, EPOLLIN | EPOLLOUT, on_conn_io, c) < 0)
                code = CURLE_OUT_OF_MEMORY;
        if (code != CURLE_OK)
                connect_failed(s, code);
        else {
                begin(s);
                advance(s);
        }
        deliver(s);
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static int set_options(SmtpSlot *s, SmtpConn *c) {
        static const long tls_levels[] = {
                [TLS_REQUIRED] = CURLUSESSL_ALL,
                [TLS_OPPORTUNISTIC] = CURLUSESSL_TRY,
                [TLS_NONE] = CURLUSESSL_NONE,
        };
        CURL *e = c->transfer.easy;
        bool is_set = SET(e, CURLOPT_URL, s->url) && SET(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") &&
                      SET(e, CURLOPT_CONNECT_ONLY, 1L) && SET(e, CURLOPT_PROXY, "") &&
                      SET(e, CURLOPT_USE_SSL, tls_levels[s->tls]) &&
                      SET(e, CURLOPT_CONNECTTIMEOUT_MS, SMTP_CONNECT_TIMEOUT_MS) &&
                      SET(e, CURLOPT_HEADERFUNCTION, on_greeting) && SET(e, CURLOPT_HEADERDATA, c);

        if (is_set && s->trace)
                is_set = SET(e, CURLOPT_VERBOSE, 1L) && SET(e, CURLOPT_DEBUGFUNCTION, on_debug) &&
                         SET(e, CURLOPT_DEBUGDATA, c);
        if (is_set && s->username && s->password)
                is_set = SET(e, CURLOPT_USERNAME, s->username) &&
                         SET(e, CURLOPT_PASSWORD, s->password);
        return is_set ? 0 : -ENOMEM;
}

static int connect_anew(SmtpSlot *s) {
        CLEANUP(conn_freep) SmtpConn *c = calloc(1, sizeof *c);

        if (!c)
                return -ENOMEM;
        c->key = BUF_INIT(s->key.max);
        c->slot = s;
        c->transfer.on_finished = on_connected;
        int r = buf_append(&c->key, s->key.data, s->key.len);
        if (r >= 0)
                r = transfer_init(&c->transfer, s->mux, s->ca_file, c->curl_error);
        if (r >= 0)
                r = set_options(s, c);
        if (r >= 0)
                r = transfer_start(&c->transfer);
        if (r < 0)
                return r;
        if (s->is_talking)
                dialogue_done(&s->dialogue);
        s->is_talking = s->is_reused = false;
        s->conn = TAKE_PTR(c);
        return 0;
}

/* A kept connection speaks from the loop too, never from within smtp_start(). */
static int connect_slot(SmtpSlot *s) {
        s->conn = kept_take(s->mux, &s->key);
        if (s->conn && watch(s->conn, EPOLLIN | EPOLLOUT) < 0)
                drop_conn(s);
        if (!s->conn)
                return connect_anew(s);
        s->conn->slot = s;
        s->is_reused = true;
        begin(s);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        SmtpSlot *s = userdata;

        (void) source, (void) usec;
        if (s->is_talking) {
                dialogue_time_out(&s->dialogue);
        } else {
                s->report.is_connected = is_up(s->conn);
                s->report.is_timeout = true;
                keep_text(&s->text, "timed out waiting for connection");
        }
        drop_conn(s);
        finish(s);
        deliver(s);
        return 0;
}

/* The request */

static bool is_smtp(const char *url) {
        return strncasecmp(url, "smtp://", 7) == 0 || strncasecmp(url, "smtps://", 8) == 0;
}

/* Visible ASCII without angle brackets: nothing else can stand between them on the command line. */
static bool is_address(const char *text) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++)
                if (text[i] <= ' ' || text[i] > '~' || strchr("<>", text[i]))
                        return false;
        return n <= DIALOGUE_MAX_ADDRESS;
}

/* Bare CR or LF is how one message is smuggled into another. */
static bool is_crlf(const char *data, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
                        return false;
                if (data[i] == '\r' && (i + 1 == n || data[i + 1] != '\n'))
                        return false;
        }
        return true;
}

static int check_request(const SmtpRequest *q) {
        if (!is_smtp(q->url))
                return -EPROTONOSUPPORT;
        if (!is_address(q->sender) || !is_address(q->recipient) || !*q->recipient)
                return -EINVAL;
        if (!is_crlf(q->data, q->size) || q->timeout_ms <= 0)
                return -EINVAL;
        return 0;
}

static int copy_text(const char *text, char **ret) {
        if (!text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int copy_request(SmtpSlot *s, const SmtpRequest *q) {
        const struct {
                const char *from;
                char **to;
        } texts[] = {
                {q->url, &s->url},           {q->username, &s->username},
                {q->password, &s->password}, {q->ca_file, &s->ca_file},
                {q->sender, &s->sender},     {q->recipient, &s->recipient},
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(texts); i++)
                r = copy_text(texts[i].from, texts[i].to);
        s->tls = q->tls;
        s->data = q->data;
        s->size = q->size;
        return r < 0 ? r
                     : buf_printf(&s->key, "%d\n%s\n%s\n%s\n%s", (int) q->tls, q->url,
                                  str_or(q->ca_file, ""), str_or(q->username, ""),
                                  str_or(q->password, ""));
}

static void wipe(char *text) {
        if (text)
                explicit_bzero(text, strlen(text));
        free(text);
}

static void on_free(Slot *slot) {
        SmtpSlot *s = (SmtpSlot *) slot;

        drop_conn(s);
        dialogue_done(&s->dialogue);
        (void) sd_event_source_disable_unref(s->timer);
        free(s->url);
        free(s->username);
        wipe(s->password);
        free(s->ca_file);
        free(s->sender);
        free(s->recipient);
        if (s->key.data)
                explicit_bzero(s->key.data, s->key.cap);
        buf_done(&s->key);
        buf_done(&s->text);
        free(s);
}

int smtp_start(Mux *m, const SmtpRequest *request, SmtpDone done, void *userdata, Slot **ret) {
        int r = check_request(request);
        if (r < 0)
                return r;
        SmtpSlot *s = calloc(1, sizeof *s);
        if (!s)
                return -ENOMEM;
        s->slot.on_free = on_free;
        s->mux = m;
        s->done = done;
        s->userdata = userdata;
        s->trace = request->trace;
        s->trace_userdata = request->trace_userdata;
        s->key = BUF_INIT(65536);
        s->text = BUF_INIT(4 * DIALOGUE_MAX_TEXT);
        uint64_t timeout_us = (uint64_t) MIN(request->timeout_ms, INT64_C(86400000)) * 1000u;
        r = kept_make(m);
        if (r >= 0)
                r = copy_request(s, request);
        if (r >= 0)
                r = sd_event_add_time_relative(mux_event(m), &s->timer, CLOCK_MONOTONIC, timeout_us,
                                               1000, on_deadline, s);
        if (r >= 0)
                r = connect_slot(s);
        if (r < 0) {
                on_free(&s->slot);
                return r;
        }
        *ret = &s->slot;
        return 0;
}
