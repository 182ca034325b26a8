/* bench-deliver [N [KIND]]: messages per second over 8 kept connections, ours against libcurl alone, in one
 * run against the same sink: the delivery figures. Prints kind, latency, what the sink offers, who,
 * per second, ratio; exit 1 when a ratio is below one half, or ours below 300 a second at 20 ms from
 * a relay that offers CHUNKING.
 *
 * The sink is a child process that answers what came in one piece at once, or 20 ms later; the
 * floor is the plainest use of libcurl's multi interface with as many connections. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timeutil.h"
#include "os/clock.h"
#include "transport/http.h"
#include "transport/smtp.h"

#define CONNECTIONS 8
#define BODY_SIZE 700

static char mail_body[BODY_SIZE + 64], hook_body[BODY_SIZE + 64];

/* ---- the sink -------------------------------------------------------------------------------- */

typedef struct Client {
        struct Client *next; /* waiting for its time */
        int fd;
        bool is_in_data;
        int64_t due_ms;
        size_t n, n_out;
        char in[65536], out[4096];
} Client;

typedef struct Sink {
        bool is_smtp;
        const char *offer; /* lines of the answer to EHLO */
        int latency_ms;
        Client *first, **last; /* in order of due_ms */
} Sink;

static void answer(Client *c, const char *text) {
        size_t n = strlen(text);
        if (c->n_out + n > sizeof c->out)
                _exit(1);
        memcpy(c->out + c->n_out, text, n);
        c->n_out += n;
}

static void send_out(Client *c) {
        if (c->n_out > 0 && c->fd >= 0 && write(c->fd, c->out, c->n_out) < 0)
                _exit(1);
        c->n_out = 0;
}

static size_t take_http(Client *c) {
        char *head = memmem(c->in, c->n, "\r\n\r\n", 4);
        if (!head)
                return 0;
        const char *length = strcasestr(c->in, "\r\nContent-Length:");
        size_t n = (size_t) (head + 4 - c->in) + (length ? strtoul(length + 17, NULL, 10) : 0);
        if (c->n < n)
                return 0;
        answer(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return n;
}

static size_t take_chunk(Client *c, size_t line) {
        size_t n = line + strtoul(c->in + 5, NULL, 10);
        if (c->n < n)
                return 0;
        answer(c, "250 taken\r\n");
        return n;
}

static size_t take_smtp(const Sink *sink, Client *c) {
        if (c->is_in_data) {
                char *end = memmem(c->in, c->n, "\r\n.\r\n", 5);
                if (!end)
                        return 0;
                c->is_in_data = false;
                answer(c, "250 taken\r\n");
                return (size_t) (end + 5 - c->in);
        }
        char *end = memmem(c->in, c->n, "\r\n", 2);
        if (!end)
                return 0;
        if (strncasecmp(c->in, "BDAT", 4) == 0)
                return take_chunk(c, (size_t) (end + 2 - c->in));
        c->is_in_data = strncasecmp(c->in, "DATA", 4) == 0;
        answer(c, c->is_in_data                        ? "354 go on\r\n"
                  : strncasecmp(c->in, "EHLO", 4) == 0 ? sink->offer
                                                       : "250 ok\r\n");
        return (size_t) (end + 2 - c->in);
}

/* False when the client is gone. */
static bool serve(Sink *sink, Client *c) {
        ssize_t got = read(c->fd, c->in + c->n, sizeof c->in - 1 - c->n);
        if (got <= 0)
                return false;
        c->n += (size_t) got;
        c->in[c->n] = '\0';
        bool is_waiting = c->n_out > 0;
        for (size_t n; c->n > 0 && (n = sink->is_smtp ? take_smtp(sink, c) : take_http(c)) > 0;) {
                c->n -= n;
                memmove(c->in, c->in + n, c->n + 1);
        }
        if (sink->latency_ms == 0) {
                send_out(c);
        } else if (c->n_out > 0 && !is_waiting) {
                c->due_ms = clock_boot_ms() + sink->latency_ms;
                c->next = NULL;
                *sink->last = c;
                sink->last = &c->next;
        }
        return true;
}

/* How long to wait at most. */
static int send_due(Sink *sink) {
        while (sink->first) {
                Client *c = sink->first;
                int64_t wait = c->due_ms - clock_boot_ms();
                if (wait > 0)
                        return (int) wait;
                sink->first = c->next;
                if (!sink->first)
                        sink->last = &sink->first;
                send_out(c);
        }
        return -1;
}

static void welcome(const Sink *sink, int epoll, int listener) {
        int one = 1;
        Client *c = calloc(1, sizeof *c);
        if (!c)
                _exit(1);
        c->fd = accept(listener, NULL, NULL);
        (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event in = {.events = EPOLLIN, .data.ptr = c};
        (void) epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &in);
        if (sink->is_smtp)
                answer(c, "220 sink\r\n");
        send_out(c);
}

static void run_sink(Sink *sink, int listener) {
        int epoll = epoll_create1(0);
        struct epoll_event e = {.events = EPOLLIN}, ready[64];
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
        sink->last = &sink->first;
        for (;;) {
                int n = epoll_wait(epoll, ready, 64, send_due(sink));
                for (int i = 0; i < n; i++) {
                        Client *c = ready[i].data.ptr;
                        if (!c) {
                                welcome(sink, epoll, listener);
                        } else if (!serve(sink, c)) {
                                (void) close(c->fd);
                                c->fd = -1;
                                if (c->n_out == 0)
                                        free(c); /* else it stands in the list, and stays there */
                        }
                }
        }
}

static pid_t start_sink(Sink *sink, char url[static 64]) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof a;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &a, n) < 0 || listen(fd, 64) < 0 ||
            getsockname(fd, (struct sockaddr *) &a, &n) < 0)
                exit(2);
        (void) snprintf(url, 64, "%s://127.0.0.1:%d/hook", sink->is_smtp ? "smtp" : "http",
                        ntohs(a.sin_port));
        if (sink->is_smtp)
                *strrchr(url, '/') = '\0';
        pid_t pid = fork();
        if (pid == 0)
                run_sink(sink, fd);
        (void) close(fd);
        return pid;
}

/* ---- the floor ------------------------------------------------------------------------------- */

typedef struct Floor {
        const char *url;
        bool is_smtp;
        size_t at[CONNECTIONS];
        struct curl_slist *to, *headers;
} Floor;

static size_t feed(char *p, size_t size, size_t n, void *userdata) {
        size_t *at = userdata, left = strlen(mail_body) - *at, k = MIN(left, size * n);
        memcpy(p, mail_body + *at, k);
        *at += k;
        return k;
}

static size_t drop(char *p, size_t size, size_t n, void *userdata) {
        (void) p;
        (void) userdata;
        return size * n;
}

static CURL *floor_easy(Floor *f, size_t i) {
        CURL *e = curl_easy_init();
        curl_easy_setopt(e, CURLOPT_URL, f->url);
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop);
        curl_easy_setopt(e, CURLOPT_PRIVATE, (char *) &f->at[i]);
        if (f->is_smtp) {
                curl_easy_setopt(e, CURLOPT_MAIL_FROM, "<chiso@example.test>");
                curl_easy_setopt(e, CURLOPT_MAIL_RCPT, f->to);
                curl_easy_setopt(e, CURLOPT_READFUNCTION, feed);
                curl_easy_setopt(e, CURLOPT_READDATA, &f->at[i]);
                curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        } else {
                curl_easy_setopt(e, CURLOPT_POSTFIELDS, hook_body);
                curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
        }
        return e;
}

static size_t reap(CURLM *m, size_t *sent, size_t n) {
        size_t done = 0;
        int left;
        for (CURLMsg *g; (g = curl_multi_info_read(m, &left));) {
                CURL *e = g->easy_handle;
                char *at;
                if (g->data.result != CURLE_OK)
                        exit(2);
                done++;
                curl_easy_getinfo(e, CURLINFO_PRIVATE, &at);
                curl_multi_remove_handle(m, e);
                if (*sent < n) {
                        *(size_t *) (void *) at = 0;
                        (*sent)++;
                        curl_multi_add_handle(m, e);
                } else {
                        curl_easy_cleanup(e);
                }
        }
        return done;
}

static double run_floor(const char *url, bool is_smtp, size_t n) {
        Floor f = {.url = url, .is_smtp = is_smtp};
        f.to = curl_slist_append(NULL, "<a@example.test>");
        f.headers = curl_slist_append(NULL, "Content-Type: application/json");
        CURLM *m = curl_multi_init();
        size_t sent = 0, done = 0;
        int running;
        int64_t start = clock_boot_ms();
        for (; sent < CONNECTIONS && sent < n; sent++)
                curl_multi_add_handle(m, floor_easy(&f, sent));
        while (done < n) {
                curl_multi_perform(m, &running);
                done += reap(m, &sent, n);
                if (done < n)
                        curl_multi_poll(m, NULL, 0, 1000, NULL);
        }
        double seconds = (double) (clock_boot_ms() - start + 1) / 1000;
        curl_multi_cleanup(m);
        curl_slist_free_all(f.to);
        curl_slist_free_all(f.headers);
        return (double) n / seconds;
}

/* ---- ours ------------------------------------------------------------------------------------ */

typedef struct Ours {
        const char *url;
        bool is_smtp;
        sd_event *event;
        sd_event_source *defer;
        Mux *mux;
        Slot *slots[CONNECTIONS];
        bool is_back[CONNECTIONS];
        size_t n, sent, done;
} Ours;

static void came_back(Ours *o, Slot *slot, bool is_fine) {
        if (!is_fine)
                exit(2);
        for (size_t i = 0; i < CONNECTIONS; i++)
                if (o->slots[i] == slot)
                        o->is_back[i] = true;
        if (++o->done == o->n)
                (void) sd_event_exit(o->event, 0);
        (void) sd_event_source_set_enabled(o->defer, SD_EVENT_ONESHOT);
}

static void on_mail(Slot *slot, const SmtpResult *result, void *userdata) {
        came_back(userdata, slot, result->outcome == ATTEMPT_ACCEPTED);
}

static void on_hook(Slot *slot, const HttpResult *result, void *userdata) {
        came_back(userdata, slot, result->status == 200);
}

static void start_one(Ours *o, Slot **slot) {
        const char *headers[] = {"Content-Type: application/json"};
        SmtpRequest mail = {.url = o->url,
                            .tls = TLS_NONE,
                            .sender = "chiso@example.test",
                            .recipient = "a@example.test",
                            .data = mail_body,
                            .size = strlen(mail_body),
                            .timeout_ms = MS_PER_MINUTE};
        HttpRequest hook = {.url = o->url,
                            .method = "POST",
                            .headers = headers,
                            .n_headers = 1,
                            .body = hook_body,
                            .body_size = strlen(hook_body),
                            .max_body = 1024,
                            .timeout_ms = MS_PER_MINUTE};
        int r = o->is_smtp ? smtp_start(o->mux, &mail, on_mail, o, slot)
                           : http_start(o->mux, &hook, on_hook, o, slot);
        if (r < 0)
                exit(2);
        o->sent++;
}

/* As the courier does: from the loop, after the callback has returned. */
static int on_defer(sd_event_source *s, void *userdata) {
        Ours *o = userdata;
        (void) s;
        for (size_t i = 0; i < CONNECTIONS; i++) {
                if (o->is_back[i]) {
                        slot_free(o->slots[i]);
                        o->slots[i] = NULL;
                        o->is_back[i] = false;
                }
                if (!o->slots[i] && o->sent < o->n)
                        start_one(o, &o->slots[i]);
        }
        return 0;
}

static double run_ours(const char *url, bool is_smtp, size_t n) {
        Ours o = {.url = url, .is_smtp = is_smtp, .n = n};
        MuxOptions options = {.user_agent = "bench"};
        if (sd_event_new(&o.event) < 0 || mux_new(o.event, &options, &o.mux) < 0 ||
            sd_event_add_defer(o.event, &o.defer, on_defer, &o) < 0)
                exit(2);
        int64_t start = clock_boot_ms();
        (void) sd_event_loop(o.event);
        double seconds = (double) (clock_boot_ms() - start + 1) / 1000;
        for (size_t i = 0; i < CONNECTIONS; i++)
                if (o.slots[i])
                        slot_free(o.slots[i]);
        mux_free(o.mux);
        sd_event_source_disable_unref(o.defer);
        sd_event_unref(o.event);
        return (double) n / seconds;
}

typedef struct Case {
        const char *kind, *offers;
        Sink sink;
        size_t n;
        double least; /* ours, per second */
} Case;

/* The best of three of each, in turns: what else the machine does falls on both. */
static bool compare(Case *c) {
        char url[64];
        double floor = 0, ours = 0;
        pid_t pid = start_sink(&c->sink, url);
        for (int i = 0; i < 3; i++) {
                floor = MAX(floor, run_floor(url, c->sink.is_smtp, c->n));
                ours = MAX(ours, run_ours(url, c->sink.is_smtp, c->n));
        }
        (void) kill(pid, SIGKILL);
        printf("%s\t%d ms\t%s\tlibcurl %.0f/s\tchisod %.0f/s\t%.2fx\n", c->kind, c->sink.latency_ms,
               c->offers, floor, ours, ours / floor);
        return ours >= floor / 2 && ours >= c->least;
}

#define EHLO_8BIT "250-sink\r\n250 8BITMIME\r\n"
#define EHLO_PIPELINING "250-sink\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
#define EHLO_CHUNKING "250-sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 CHUNKING\r\n"

int main(int argc, char **argv) {
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
        Case cases[] = {
                {"webhook", "-", {.latency_ms = 0}, n, 0},
                {"webhook", "-", {.latency_ms = 20}, n / 20, 300},
                {"mail", "-", {true, EHLO_8BIT, 0, NULL, NULL}, n / 4, 0},
                {"mail", "pipelining", {true, EHLO_PIPELINING, 0, NULL, NULL}, n / 4, 0},
                {"mail", "chunking", {true, EHLO_CHUNKING, 0, NULL, NULL}, n / 4, 0},
                {"mail", "-", {true, EHLO_8BIT, 20, NULL, NULL}, n / 40, 0},
                {"mail", "pipelining", {true, EHLO_PIPELINING, 20, NULL, NULL}, n / 40, 0},
                {"mail", "chunking", {true, EHLO_CHUNKING, 20, NULL, NULL}, n / 20, 300},
        };
        bool is_fine = true;
        (void) signal(SIGPIPE, SIG_IGN);
        (void) curl_global_init(CURL_GLOBAL_ALL);
        (void) memset(hook_body, 'x', BODY_SIZE);
        (void) snprintf(mail_body, sizeof mail_body,
                        "From: <chiso@example.test>\r\nSubject: x\r\n\r\n");
        while (strlen(mail_body) < BODY_SIZE)
                (void) strcat(mail_body, "canh bao chi so\r\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (argc < 3 || streq(argv[2], cases[i].kind))
                        is_fine = compare(&cases[i]) && is_fine;
        return is_fine ? 0 : 1;
}
