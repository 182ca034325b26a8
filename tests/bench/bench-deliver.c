/* bench-deliver [N]: messages per second over kept connections, ours against libcurl alone, in one
 * run against the same sink: the ratios of the delivery figures. Prints kind, who, per second,
 * ratio; exit 1 when a ratio is below one half.
 *
 * The sink is a child process that answers at once; the floor is the plainest use of libcurl's
 * multi interface with as many connections. */
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
        int fd;
        bool is_in_data;
        size_t n;
        char in[65536];
} Client;

static void answer(const Client *c, const char *text) {
        if (write(c->fd, text, strlen(text)) < 0)
                _exit(1);
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

static size_t take_smtp(Client *c) {
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
        c->is_in_data = strncasecmp(c->in, "DATA", 4) == 0;
        answer(c, c->is_in_data                        ? "354 go on\r\n"
                  : strncasecmp(c->in, "EHLO", 4) == 0 ? "250-sink\r\n250 8BITMIME\r\n"
                                                       : "250 ok\r\n");
        return (size_t) (end + 2 - c->in);
}

/* False when the client is gone. */
static bool serve(Client *c, bool is_smtp) {
        ssize_t got = read(c->fd, c->in + c->n, sizeof c->in - 1 - c->n);
        if (got <= 0)
                return false;
        c->n += (size_t) got;
        c->in[c->n] = '\0';
        for (size_t n; c->n > 0 && (n = is_smtp ? take_smtp(c) : take_http(c)) > 0;) {
                c->n -= n;
                memmove(c->in, c->in + n, c->n + 1);
        }
        return true;
}

static void sink(int listener, bool is_smtp) {
        int epoll = epoll_create1(0), one = 1;
        struct epoll_event e = {.events = EPOLLIN}, ready[64];
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
        for (;;) {
                int n = epoll_wait(epoll, ready, 64, -1);
                for (int i = 0; i < n; i++) {
                        Client *c = ready[i].data.ptr;
                        if (c) {
                                if (serve(c, is_smtp))
                                        continue;
                                (void) close(c->fd);
                                free(c);
                                continue;
                        }
                        c = calloc(1, sizeof *c);
                        if (!c)
                                _exit(1);
                        c->fd = accept(listener, NULL, NULL);
                        (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                        struct epoll_event in = {.events = EPOLLIN, .data.ptr = c};
                        (void) epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &in);
                        if (is_smtp)
                                answer(c, "220 sink\r\n");
                }
        }
}

static pid_t start_sink(bool is_smtp, char url[static 64]) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof a;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &a, n) < 0 || listen(fd, 64) < 0 ||
            getsockname(fd, (struct sockaddr *) &a, &n) < 0)
                exit(2);
        (void) snprintf(url, 64, "%s://127.0.0.1:%d/hook", is_smtp ? "smtp" : "http",
                        ntohs(a.sin_port));
        if (is_smtp)
                *strrchr(url, '/') = '\0';
        pid_t pid = fork();
        if (pid == 0)
                sink(fd, is_smtp);
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

/* The best of three of each, in turns: what else the machine does falls on both. */
static bool compare(bool is_smtp, size_t n) {
        char url[64];
        double floor = 0, ours = 0;
        pid_t pid = start_sink(is_smtp, url);
        for (int i = 0; i < 3; i++) {
                floor = MAX(floor, run_floor(url, is_smtp, n));
                ours = MAX(ours, run_ours(url, is_smtp, n));
        }
        (void) kill(pid, SIGKILL);
        const char *kind = is_smtp ? "mail" : "webhook";
        printf("%s\tlibcurl\t%.0f/s\n%s\tchisod\t%.0f/s\t%.2fx\n", kind, floor, kind, ours,
               ours / floor);
        return ours >= floor / 2;
}

int main(int argc, char **argv) {
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
        (void) signal(SIGPIPE, SIG_IGN);
        (void) curl_global_init(CURL_GLOBAL_ALL);
        (void) memset(hook_body, 'x', BODY_SIZE);
        (void) snprintf(mail_body, sizeof mail_body,
                        "From: <chiso@example.test>\r\nSubject: x\r\n\r\n");
        while (strlen(mail_body) < BODY_SIZE)
                (void) strcat(mail_body, "canh bao chi so\r\n");
        bool is_hook_fine = compare(false, n), is_mail_fine = compare(true, n / 4);
        return is_hook_fine && is_mail_fine ? 0 : 1;
}
