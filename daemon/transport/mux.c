/* The multi handle on the event loop, after the model of systemd's curl-util.c, with these
 * differences:
 *
 *  - libcurl's sockets stand in an epoll set of their own, which is one source of the loop: a turn
 * serves all that are ready, where a source each costs a turn of the loop each;
 *  - finished transfers are collected after that, never inside a callback of libcurl, so that
 * completion callbacks may start and drop transfers without asking where they were called from;
 *  - EPOLLERR and EPOLLHUP become "readable and writable" and not CURL_CSELECT_ERR: with that bit
 * libcurl gives up unread what the peer said before it closed ("554 no", a 413), and without any
 * bit it would be woken for ever. The read or write that follows meets the error itself;
 *  - the timer is on CLOCK_MONOTONIC, which is the one libcurl counts by, with an accuracy of 1 ms.
 * Each request moves it there and back (its time-out), which costs two system calls; so a timer that
 * is set too early stays, and is set anew when it fires. "At once" is a defer source.
 *
 * No handler ever returns a negative number: sd-event would switch the source off for good. */
#include "transport/mux.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"
#include "transport/mux-private.h"

#define MUX_CONNECT_TIMEOUT_MS 10000L
#define MUX_MAX_KEPT 16L /* idle connections in libcurl's cache */
#define MUX_MAX_READY 16 /* sockets served in one turn of the loop */

struct Mux {
        sd_event *event;
        CURLM *multi;
        int set; /* epoll: the sockets libcurl waits for */
        sd_event_source *timer, *kick, *io;
        uint64_t due_us;   /* when libcurl wants to be called; UINT64_MAX: never */
        uint64_t armed_us; /* when the timer fires, at `due_us` or before; UINT64_MAX: off */
        int n_running;     /* transfers started and not yet seen finished */
        char *user_agent, *proxy, *ca_file;
        MuxOptions options;
        MuxKept kept;
        MuxCertificate certificates[MUX_CERTIFICATES];
        size_t n_certificates;
};

/* "Expire date:Nov 28 00:00:00 2026 GMT"; 0 when it says nothing of the kind. */
static int64_t read_expiry(const char *line) {
        static const char label[] = "Expire date:";
        if (strncasecmp(line, label, sizeof label - 1) != 0)
                return 0;
        time_t at = curl_getdate(line + sizeof label - 1, NULL);
        return at > 0 ? (int64_t) at * 1000 : 0;
}

static int64_t earliest_expiry(const struct curl_certinfo *info) {
        int64_t earliest = 0;
        for (int i = 0; i < info->num_of_certs; i++)
                for (const struct curl_slist *l = info->certinfo[i]; l; l = l->next) {
                        int64_t at = read_expiry(l->data);
                        if (at && (!earliest || at < earliest))
                                earliest = at;
                }
        return earliest;
}

static int read_host(const char *url, char *ret, size_t size) {
        CURLU *parsed = curl_url();
        char *host = NULL;
        int r = parsed && curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == 0 &&
                                curl_url_get(parsed, CURLUPART_HOST, &host, 0) == 0
                        ? 0
                        : -EINVAL;
        if (r == 0)
                (void) snprintf(ret, size, "%s", host);
        curl_free(host);
        curl_url_cleanup(parsed);
        return r;
}

/* A connection that is used again shows none: what it showed at first stays. */
static void note_certificate(Mux *m, CURL *easy) {
        struct curl_certinfo *info = NULL;
        MuxCertificate one = {0};
        const char *url = NULL;
        if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
            info->num_of_certs == 0 ||
            curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || !url)
                return;
        one.expires_ms = earliest_expiry(info);
        if (!one.expires_ms || read_host(url, one.host, sizeof one.host) < 0)
                return;
        size_t i = 0;
        while (i < m->n_certificates && strcmp(m->certificates[i].host, one.host) != 0)
                i++;
        if (i == MUX_CERTIFICATES) /* the oldest makes room */
                memmove(m->certificates, m->certificates + 1, --i * sizeof m->certificates[0]);
        m->n_certificates = MAX(m->n_certificates, i + 1);
        m->certificates[i] = one;
}

const MuxCertificate *mux_certificates(const Mux *m, size_t *ret_n) {
        *ret_n = m->n_certificates;
        return m->certificates;
}

/* Transfers that have ended. */
static void drain(Mux *m, int n_running) {
        CURLMsg *message;
        int left;

        if (n_running >= m->n_running)
                return;
        while ((message = curl_multi_info_read(m->multi, &left))) {
                CURLcode code = message->data.result;
                Transfer *t = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &t);
                t->is_running = false;
                m->n_running--;
                note_certificate(m, message->easy_handle);
                t->on_finished(t, code);
        }
}

static int act(Mux *m, int fd, int bits) {
        int n_running = 0;
        CURLMcode code = curl_multi_socket_action(m->multi, fd, bits, &n_running);
        if (code != CURLM_OK)
                log_error("Cannot go on with transfers: %s", curl_multi_strerror(code));
        return n_running;
}

/* A socket that was closed since its event came is one libcurl does not know, and leaves alone. */
static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct epoll_event ready[MUX_MAX_READY];
        Mux *m = userdata;
        int n_running = m->n_running, n = epoll_wait(fd, ready, MUX_MAX_READY, 0);

        (void) source;
        (void) revents;
        for (int i = 0; i < n; i++) {
                int bits = 0;
                if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
                        bits |= CURL_CSELECT_IN;
                if (ready[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
                        bits |= CURL_CSELECT_OUT;
                n_running = act(m, ready[i].data.fd, bits);
        }
        drain(m, n_running);
        return 0;
}

static void call_due(Mux *m) {
        m->due_us = UINT64_MAX;
        drain(m, act(m, CURL_SOCKET_TIMEOUT, 0));
}

static uint64_t monotonic_us(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000u + (uint64_t) ts.tv_nsec / 1000u;
}

static int set_timer(Mux *m) {
        if (m->due_us >= m->armed_us)
                return 0;
        int r = sd_event_source_set_time(m->timer, m->due_us);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
        m->armed_us = r < 0 ? UINT64_MAX : m->due_us;
        return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Mux *m = userdata;

        (void) source;
        (void) usec;
        m->armed_us = UINT64_MAX;
        if (m->due_us <= monotonic_us())
                call_due(m);
        int r = set_timer(m);
        if (r < 0)
                log_error("Cannot wait for transfers: %s", strerror(-r));
        return 0;
}

static int on_kick(sd_event_source *source, void *userdata) {
        (void) source;
        call_due(userdata);
        return 0;
}

/* Called by libcurl. */
static int arm_timer(CURLM *multi, long timeout_ms, void *userdata) {
        Mux *m = userdata;

        (void) multi;
        m->due_us = timeout_ms <= 0 ? UINT64_MAX : monotonic_us() + (uint64_t) timeout_ms * 1000u;
        int r = sd_event_source_set_enabled(m->kick,
                                            timeout_ms == 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        if (r >= 0)
                r = set_timer(m);
        return r < 0 ? -1 : 0;
}

/* Called by libcurl; `known`: not NULL once the socket stands in our set. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *known) {
        Mux *m = userdata;
        struct epoll_event e = {.data.fd = fd};

        (void) easy;
        if (what == CURL_POLL_REMOVE) {
                (void) epoll_ctl(m->set, EPOLL_CTL_DEL, fd, NULL);
                return 0;
        }
        e.events = what == CURL_POLL_IN    ? EPOLLIN
                   : what == CURL_POLL_OUT ? EPOLLOUT
                                           : EPOLLIN | EPOLLOUT;
        if (epoll_ctl(m->set, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) < 0) {
                /* To be told of it, libcurl would give up every transfer, and all to come. */
                log_error("Cannot wait for a transfer: %s", strerror(errno));
                return 0;
        }
        if (!known)
                (void) curl_multi_assign(m->multi, fd, m); /* it has the socket: it just said so */
        return 0;
}

static int set_up_sources(Mux *m) {
        int r = sd_event_add_time(m->event, &m->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, m);

        if (r >= 0)
                r = sd_event_source_set_enabled(m->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(m->event, &m->io, m->set, EPOLLIN, on_io, m);
        if (r >= 0)
                r = sd_event_add_defer(m->event, &m->kick, on_kick, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->kick, SD_EVENT_OFF);
        return r < 0 ? r : 0;
}

static int set_up_multi(Mux *m) {
        m->multi = curl_multi_init();
        if (!m->multi)
                return -ENOMEM;
        if (curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
            curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m) != CURLM_OK ||
            curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, arm_timer) != CURLM_OK ||
            curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m) != CURLM_OK ||
            curl_multi_setopt(m->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) != CURLM_OK ||
            curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS, MUX_MAX_KEPT) != CURLM_OK)
                return -EINVAL;
        return 0;
}

static int copy_text(const char *text, char **ret) {
        if (!text || !*text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int copy_options(Mux *m, const MuxOptions *options) {
        int r = copy_text(options->user_agent, &m->user_agent);

        if (r >= 0)
                r = copy_text(options->proxy, &m->proxy);
        if (r >= 0)
                r = copy_text(options->ca_file, &m->ca_file);
        m->options = (MuxOptions){m->user_agent, m->proxy, m->ca_file};
        return r;
}

int mux_new(sd_event *event, const MuxOptions *options, Mux **ret) {
        Mux *m = calloc(1, sizeof *m);

        if (!m)
                return -ENOMEM;
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                free(m);
                return -EIO;
        }
        m->event = sd_event_ref(event);
        m->due_us = m->armed_us = UINT64_MAX;
        /* With CURLOPT_NOSIGNAL (needed beside the resolver's threads) libcurl leaves this to us.
         */
        (void) signal(SIGPIPE, SIG_IGN);
        m->set = epoll_create1(EPOLL_CLOEXEC);
        int r = m->set < 0 ? -errno : copy_options(m, options);
        if (r >= 0)
                r = set_up_sources(m);
        if (r >= 0)
                r = set_up_multi(m);
        if (r < 0) {
                mux_free(m);
                return r;
        }
        *ret = m;
        return 0;
}

/* Order matters: kept connections, then the multi (which still calls watch_socket), then the
 * sources, then the loop. */
void mux_free(Mux *m) {
        if (!m)
                return;
        if (m->kept.drop)
                m->kept.drop(m->kept.list);
        assert(m->n_running == 0);
        if (m->multi)
                (void) curl_multi_cleanup(m->multi);
        (void) sd_event_source_disable_unref(m->io);
        (void) sd_event_source_disable_unref(m->kick);
        (void) sd_event_source_disable_unref(m->timer);
        (void) sd_event_unref(m->event);
        if (m->set >= 0)
                (void) close(m->set);
        free(m->user_agent);
        free(m->proxy);
        free(m->ca_file);
        free(m);
        curl_global_cleanup();
}

void slot_free(Slot *s) {
        if (s)
                s->on_free(s);
}

sd_event *mux_event(Mux *m) {
        return m->event;
}

const MuxOptions *mux_options(const Mux *m) {
        return &m->options;
}

MuxKept *mux_kept(Mux *m) {
        return &m->kept;
}

/* libcurl keeps the parsed anchors with the multi (237,000 allocations saved per handle), but only
 * when they come from a file alone: Debian's default adds a folder, which is cleared here. */
static CURLcode set_anchors(CURL *easy, const char *ca_file) {
        char *file = NULL;

        if (!ca_file && curl_easy_getinfo(easy, CURLINFO_CAINFO, &file) == CURLE_OK)
                ca_file = file;
        if (!ca_file)
                return CURLE_OK;
        CURLcode code = curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) : code;
}

int transfer_init(Transfer *t, Mux *m, const char *ca_file, char *error_buffer) {
        CURL *easy = curl_easy_init();

        if (!easy)
                return -ENOMEM;
        t->mux = m;
        t->easy = easy;
        error_buffer[0] = 0;
        if (curl_easy_setopt(easy, CURLOPT_PRIVATE, t) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_buffer) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, MUX_CONNECT_TIMEOUT_MS) != CURLE_OK ||
            set_anchors(easy, ca_file ? ca_file : m->options.ca_file) != CURLE_OK) {
                transfer_done(t);
                return -ENOMEM;
        }
        return 0;
}

int transfer_start(Transfer *t) {
        if (curl_multi_add_handle(t->mux->multi, t->easy) != CURLM_OK)
                return -ENOMEM;
        t->is_added = t->is_running = true;
        t->mux->n_running++;
        return 0;
}

void transfer_done(Transfer *t) {
        if (t->is_running)
                t->mux->n_running--;
        if (t->is_added)
                (void) curl_multi_remove_handle(t->mux->multi, t->easy);
        t->is_running = t->is_added = false;
        if (t->easy)
                curl_easy_cleanup(t->easy);
        t->easy = NULL;
}

bool transfer_is_tls_failure(CURLcode code) {
        switch (code) {
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CRL_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_USE_SSL_FAILED:
                return true;
        default:
                return false;
        }
}

int headers_append(struct curl_slist **list, const char *line) {
        struct curl_slist *longer = curl_slist_append(*list, line);

        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}
