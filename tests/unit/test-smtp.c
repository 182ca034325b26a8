#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "peer.h"
#include "transport/http.h"
#include "transport/smtp.h"

static char folder[64], ca[100];
static sd_event *event;
static Mux *mux;

typedef struct Seen {
        int n;
        AttemptOutcome outcome;
        SmtpReport report;
        char text[1100];
        bool drops_own;
} Seen;

static void on_done(Slot *slot, const SmtpResult *r, void *userdata) {
        Seen *s = userdata;

        s->n++;
        s->outcome = r->outcome;
        s->report = r->report;
        (void) snprintf(s->text, sizeof s->text, "%s", r->text);
        if (s->drops_own)
                slot_free(slot);
}

static const char mail[] =
        "From: a@example.vn\r\nTo: b@example.vn\r\nSubject: x\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n";

static SmtpRequest request_for(char url[static 100], const char *scheme, const Peer *p) {
        (void) snprintf(url, 100, "%s://127.0.0.1:%d", scheme, p->port);
        return (SmtpRequest){
                .url = url,
                .ca_file = ca,
                .sender = "chiso@example.vn",
                .recipient = "b@example.vn",
                .data = mail,
                .size = sizeof mail - 1,
                .timeout_ms = 20000,
        };
}

static void deliver(const SmtpRequest *q, Seen *s) {
        Slot *slot = NULL;

        *s = (Seen){0};
        assert_int_equal(smtp_start(mux, q, on_done, s, &slot), 0);
        assert_int_equal(s->n, 0); /* never from within smtp_start */
        loop_until(event, &s->n, 1);
        slot_free(slot);
        assert_int_equal(s->n, 1);
}

static void mux_again(void) {
        const MuxOptions options = {.user_agent = "chisod/test"};

        mux_free(mux);
        mux = NULL;
        assert_int_equal(mux_new(event, &options, &mux), 0);
}

static int set_up(void **state) {
        (void) state;
        assert_int_equal(sd_event_new(&event), 0);
        mux_again();
        return 0;
}

static int tear_down(void **state) {
        (void) state;
        mux_free(mux);
        mux = NULL;
        event = sd_event_unref(event);
        return 0;
}

static int set_up_group(void **state) {
        char command[400];
        (void) state;

        peer_folder(folder);
        (void) snprintf(ca, sizeof ca, "%s/certs/ca.pem", folder);
        (void) snprintf(command, sizeof command, CHISO_SOURCE_DIR "/tests/peers/certs.sh %s/certs",
                        folder);
        return system(command);
}

static int tear_down_group(void **state) {
        (void) state;
        peer_folder_remove(folder);
        return 0;
}

#define BIG ((size_t) 24 << 20) /* more than the socket buffers of both sides hold */

typedef enum Wire { PLAIN, STARTTLS, IMPLICIT } Wire;

/* What the next relay offers. */
static const char *offer = "";
static const char *const offers[] = {"", "PIPELINING,CHUNKING"};
static char cert_path[100], key_path[100], mode_path[100], log_path[100], release_path[100];

/* Its folder for mail, log and mode file is the common one; mode and log begin empty. */
static Peer relay(Wire wire, const char *certificate, bool has_auth) {
        const char *argv[24] = {"smtpd.py",   "--maildir", folder,   "--mode-file",
                                mode_path,    "--log",     log_path, "--release",
                                release_path, "--offer",   offer};
        size_t n = 11;

        (void) snprintf(cert_path, sizeof cert_path, "%s/certs/%s.pem", folder, certificate);
        (void) snprintf(key_path, sizeof key_path, "%s/certs/%s.key", folder, certificate);
        (void) snprintf(mode_path, sizeof mode_path, "%s/mode", folder);
        (void) snprintf(log_path, sizeof log_path, "%s/log", folder);
        (void) snprintf(release_path, sizeof release_path, "%s/release", folder);
        (void) unlink(log_path);
        (void) unlink(release_path);
        peer_write(folder, "mode", "ok");
        argv[n++] = wire == PLAIN ? "--plain" : wire == STARTTLS ? "--starttls" : "--tls";
        if (wire != PLAIN) {
                argv[n++] = cert_path;
                argv[n++] = key_path;
        }
        if (has_auth) {
                argv[n++] = "--auth";
                argv[n++] = "chiso";
                argv[n++] = "right password";
        }
        return peer_start(argv);
}

static void expect(const char *name, const Seen *s, AttemptOutcome outcome, const char *text) {
        if (s->outcome != outcome || !strstr(s->text, text))
                fail_msg("%s: %s (wanted %s), \"%s\"", name, attempt_outcome_name(s->outcome),
                         attempt_outcome_name(outcome), s->text);
}

/* What each behaviour of a relay means; and on the same relay a good mail goes through afterwards.
 */
static void check_outcomes(void) {
        static const struct {
                const char *mode;
                int64_t timeout_ms;
                AttemptOutcome outcome;
                const char *text;
                int response;
                bool is_rcpt_reply, is_begun, is_done;
        } cases[] = {
                {"ok", 20000, ATTEMPT_ACCEPTED, "250 2.0.0 taken", 250, false, true, true},
                {"tempban", 20000, ATTEMPT_CHANNEL_DOWN, "421 4.7.0 try again", 0, false, false,
                 false},
                {"ban", 20000, ATTEMPT_CHANNEL_DOWN, "554 5.7.1 you are not", 0, false, false,
                 false},
                {"mail451", 20000, ATTEMPT_TEMPORARY, "451 4.3.0 not now", 451, true, false, false},
                {"mail421", 20000, ATTEMPT_TEMPORARY, "421 4.3.2 closing", 421, true, false, false},
                {"mail452", 20000, ATTEMPT_TEMPORARY, "452 4.3.1 disk", 452, true, false, false},
                {"mail552", 20000, ATTEMPT_REFUSED_TARGET, "552 5.3.4", 552, true, false, false},
                {"rcpt450", 20000, ATTEMPT_TEMPORARY, "450 4.2.1", 450, true, false, false},
                {"rcpt550", 20000, ATTEMPT_REFUSED_TARGET, "550 5.1.1", 550, true, false, false},
                {"rcptmulti", 20000, ATTEMPT_REFUSED_TARGET, "550 5.1.1 is not here", 550, true,
                 false, false},
                {"rcpt550go", 20000, ATTEMPT_REFUSED_TARGET, "550 5.1.1", 550, true, false, false},
                {"rcpt421", 20000, ATTEMPT_TEMPORARY, "421 4.7.0", 421, true, false, false},
                {"data451", 20000, ATTEMPT_TEMPORARY, "451 4.3.0", 451, true, false, false},
                {"data554", 20000, ATTEMPT_REFUSED_TARGET, "554 5.5.1", 554, true, false, false},
                {"dropdata", 20000, ATTEMPT_TEMPORARY, "closed", 0, false, true, false},
                {"early421", 20000, ATTEMPT_TEMPORARY, "421 4.4.2", 421, false, true, false},
                {"dot451", 20000, ATTEMPT_TEMPORARY, "451 4.3.0", 451, false, true, true},
                {"dot554", 20000, ATTEMPT_REFUSED_TARGET, "554 5.6.0", 554, false, true, true},
                {"dot354", 20000, ATTEMPT_UNKNOWN, "unexpected", 0, false, true, true},
                {"dropdot", 20000, ATTEMPT_UNKNOWN, "closed", 0, false, true, true},
                {"garbagedot", 20000, ATTEMPT_UNKNOWN, "not SMTP", 0, false, true, true},
                {"hangdot", 300, ATTEMPT_UNKNOWN, "answer to the message", 0, false, true, true},
                {"slowgreeting", 300, ATTEMPT_CHANNEL_DOWN, "waiting for connection", 0, false,
                 false, false},
                {"longgreeting", 20000, ATTEMPT_CHANNEL_DOWN, "", 0, false, false, false},
                {"ehlo500", 20000, ATTEMPT_ACCEPTED, "250 2.0.0 taken", 250, false, true, true},
                {"hang", 300, ATTEMPT_CHANNEL_DOWN, "answer to MAIL", 0, false, false, false},
                {"garbage", 20000, ATTEMPT_CHANNEL_DOWN, "not SMTP", 0, false, false, false},
                {"longline", 20000, ATTEMPT_CHANNEL_DOWN, "too long", 0, false, false, false},
        };
        char url[100];
        CLEANUP_FREE char *big = malloc(BIG);
        Peer p = relay(PLAIN, "good", /* has_auth= */ false);

        /* In the two modes that end within the message it must be too long for the socket's
         * buffers. */
        for (size_t i = 0; i < BIG; i++)
                big[i] = "0123456789abcdef0123456789abcd\r\n"[i % 32];
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                SmtpRequest q = request_for(url, "smtp", &p);
                bool is_cut = streq(cases[i].mode, "dropdata") || streq(cases[i].mode, "early421");
                Seen s;

                q.tls = TLS_NONE;
                q.timeout_ms = cases[i].timeout_ms;
                if (is_cut) {
                        q.timeout_ms = 60000;
                        q.data = big;
                        q.size = BIG;
                }
                peer_write(folder, "mode", cases[i].mode);
                deliver(&q, &s);
                /* what the peer said last may be lost in the reset that follows it */
                if (streq(cases[i].mode, "early421") && s.report.response == 0)
                        expect(cases[i].mode, &s, ATTEMPT_TEMPORARY, "closed");
                else {
                        expect(cases[i].mode, &s, cases[i].outcome, cases[i].text);
                        assert_int_equal(s.report.response, cases[i].response);
                }
                assert_true(s.report.is_connected);
                assert_int_equal(s.report.is_rcpt_reply, cases[i].is_rcpt_reply);
                assert_int_equal(s.report.is_data_begun, cases[i].is_begun);
                assert_int_equal(s.report.is_data_done, cases[i].is_done);
                assert_int_equal(s.report.is_timeout, cases[i].timeout_ms == 300);
                mux_again();
        }
        peer_write(folder, "mode", "ok");
        SmtpRequest q = request_for(url, "smtp", &p);
        Seen s;
        q.tls = TLS_NONE;
        deliver(&q, &s);
        assert_int_equal(s.outcome, ATTEMPT_ACCEPTED);
        peer_stop(&p);
}

static void test_outcomes(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(offers); i++) {
                offer = offers[i];
                check_outcomes();
                mux_again();
        }
        offer = "";
}

static size_t count(const char *text, const char *part) {
        size_t n = 0;
        for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
                n++;
        return n;
}

/* That carried mail: they are numbered in order, and what says QUIT may be an earlier case's. */
static long n_connections(const char *log) {
        static const char key[] = "{\"connection\": ";
        long first = 0, last = 0;

        for (const char *line = log; (line = strstr(line, key)); line++) {
                const char *command = strstr(line, "\"command\": ");
                if (!command || strncmp(command + 11, "\"MAIL\"", 6) != 0)
                        continue;
                last = strtol(line + strlen(key), NULL, 10);
                first = first ? first : last;
        }
        assert_true(first > 0);
        return last - first + 1;
}

/* The second message of a connection leaves with its commands: a refusal of the recipient is still
 * one, and where nothing was answered it may have arrived. */
static void test_chunks(void **state) {
        static const struct {
                const char *mode;
                AttemptOutcome outcome;
                const char *text;
                bool is_rcpt_reply, is_done;
                long n_connections; /* until a third mail like the second is through */
        } cases[] = {
                {"ok", ATTEMPT_ACCEPTED, "250 2.0.0", false, true, 1},
                {"mail451@2", ATTEMPT_TEMPORARY, "451 4.3.0", true, false, 1},
                {"mail552@2", ATTEMPT_REFUSED_TARGET, "552 5.3.4", true, false, 1},
                {"mail421@2", ATTEMPT_ACCEPTED, "250 2.0.0", false, true, 3},
                {"rcpt450@2", ATTEMPT_TEMPORARY, "450 4.2.1", true, false, 1},
                {"rcpt550@2", ATTEMPT_REFUSED_TARGET, "550 5.1.1", true, false, 1},
                {"rcptmulti@2", ATTEMPT_REFUSED_TARGET, "550 5.1.1 is not", true, false, 1},
                {"rcpt421@2", ATTEMPT_TEMPORARY, "421 4.7.0", true, false, 2},
                {"data451@2", ATTEMPT_TEMPORARY, "451 4.3.0", false, true, 1},
                {"data554@2", ATTEMPT_REFUSED_TARGET, "554 5.5.1", false, true, 1},
                {"dot554@2", ATTEMPT_REFUSED_TARGET, "554 5.6.0", false, true, 1},
                {"dropdot@2", ATTEMPT_UNKNOWN, "closed", false, true, 2},
                {"dropdata@2", ATTEMPT_UNKNOWN, "closed", false, true, 2},
                {"hang@2", ATTEMPT_UNKNOWN, "answer to MAIL", false, true, 2},
                {"garbage@2", ATTEMPT_UNKNOWN, "not SMTP", false, true, 2},
                {"garbagedot@2", ATTEMPT_UNKNOWN, "not SMTP", false, true, 2},
        };
        (void) state;

        char url[100];
        offer = "PIPELINING,CHUNKING";
        Peer p = relay(PLAIN, "good", false);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Seen s;
                SmtpRequest q = request_for(url, "smtp", &p);
                q.tls = TLS_NONE;
                peer_write(folder, "mode", cases[i].mode);
                (void) unlink(log_path);
                deliver(&q, &s);
                assert_int_equal(s.outcome, ATTEMPT_ACCEPTED);
                q.timeout_ms = streq(cases[i].mode, "hang@2") ? 300 : q.timeout_ms;
                deliver(&q, &s);
                expect(cases[i].mode, &s, cases[i].outcome, cases[i].text);
                assert_int_equal(s.report.is_rcpt_reply, cases[i].is_rcpt_reply);
                assert_int_equal(s.report.is_data_done, cases[i].is_done);
                deliver(&q, &s);
                CLEANUP_FREE char *log = peer_read(folder, "log");
                if (n_connections(log) != cases[i].n_connections)
                        fail_msg("%s: not %ld connections in\n%s", cases[i].mode,
                                 cases[i].n_connections, log);
                if (streq(cases[i].mode, "ok"))
                        assert_int_equal(count(log, "\"command\": \"BDAT\""), 2);
                mux_again();
        }
        peer_stop(&p);
        offer = "";
}

/* One group where it is offered, one command at a time where not; a refused recipient whose DATA is
 * answered by "go on" gets an empty message. */
static void test_pipelining(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(offers); i++) {
                char url[100];
                Seen s;
                offer = offers[i];
                Peer p = relay(STARTTLS, "good", /* has_auth= */ true);
                SmtpRequest q = request_for(url, "smtp", &p);
                q.username = "chiso";
                q.password = "right password";
                deliver(&q, &s);
                assert_int_equal(s.outcome, ATTEMPT_ACCEPTED);
                peer_write(folder, "mode", "rcpt550go");
                mux_again();
                deliver(&q, &s);
                expect("refused", &s, ATTEMPT_REFUSED_TARGET, "550 5.1.1 no such user");
                CLEANUP_FREE char *log = peer_read(folder, "log");
                /* "DATA" had come along with RCPT, or nothing */
                assert_int_equal(count(log, "\"TO:<b@example.vn>\", \"waiting\": 6}"),
                                 *offer ? 2 : 0);
                assert_int_equal(count(log, "\"TO:<b@example.vn>\", \"waiting\": 0}"),
                                 *offer ? 0 : 2);
                assert_int_equal(count(log, "\"EMPTY\""), *offer ? 1 : 0);
                assert_int_equal(count(log, "\"MESSAGE\""), 0);
                peer_stop(&p);
                mux_again();
        }
        offer = "";
}

static char *newest(const char *suffix) {
        char name[40];
        int i = 1;

        for (;; i++) {
                char path[120];
                (void) snprintf(path, sizeof path, "%s/%03d%s", folder, i + 1, suffix);
                if (access(path, F_OK) < 0)
                        break;
        }
        (void) snprintf(name, sizeof name, "%03d%s", i, suffix);
        return peer_read(folder, name);
}

static void clear_mail(void) {
        char command[200];
        (void) snprintf(command, sizeof command, "rm -f %s/*.eml %s/*.json", folder, folder);
        assert_int_equal(system(command), 0);
}

/* Dots are doubled and undone, a missing last line end is added, and the envelope is what was
 * asked. */
static void check_message(void) {
        static const struct {
                const char *data, *stored;
        } cases[] = {
                {mail, mail},
                {"A: b\r\n\r\nno end", "A: b\r\n\r\nno end\r\n"},
                {".\r\n", ".\r\n"},
                {"", ""},
                {"A: b\r\n\r\nti\xe1\xba\xbfng\r\n", "A: b\r\n\r\nti\xe1\xba\xbfng\r\n"},
        };
        char url[100];
        Peer p = relay(PLAIN, "good", false);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                SmtpRequest q = request_for(url, "smtp", &p);
                Seen s;
                clear_mail();
                q.tls = TLS_NONE;
                q.data = cases[i].data;
                q.size = strlen(q.data);
                deliver(&q, &s);
                expect("message", &s, ATTEMPT_ACCEPTED, "250");
                char name[20];
                (void) snprintf(name, sizeof name, "%03zu.eml", i + 1);
                CLEANUP_FREE char *stored = peer_read(folder, name);
                assert_string_equal(stored, cases[i].stored);
        }
        CLEANUP_FREE char *log = peer_read(folder, "log");
        char size[80];
        (void) snprintf(size, sizeof size, "FROM:<chiso@example.vn> SIZE=%zu\"", sizeof mail - 1);
        assert_non_null(strstr(log, size));
        assert_non_null(strstr(log, "BODY=8BITMIME"));
        assert_non_null(strstr(log, "TO:<b@example.vn>"));
        peer_stop(&p);
}

static void test_message(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(offers); i++) {
                offer = offers[i];
                check_message();
                mux_again();
        }
        offer = "";
}

/* 0.5 MiB with dots at line starts on every chunk boundary that there may be. */
static void test_big_message(void **state) {
        size_t n = (1 << 19) - 2;
        CLEANUP_FREE char *data = malloc(n + 1);
        char url[100];
        Seen s;
        Peer p = relay(STARTTLS, "good", false);
        SmtpRequest q = request_for(url, "smtp", &p);
        (void) state;

        clear_mail();
        for (size_t i = 0; i < n; i++)
                data[i] = ".a\r\n..\r\n...\r\n.b\r\n"[i % 17];
        data[n] = 0;
        while (data[n - 1] != '\n')
                data[--n] = 0;
        q.data = data;
        q.size = n;
        q.timeout_ms = 60000;
        deliver(&q, &s);
        expect("big", &s, ATTEMPT_ACCEPTED, "250");
        CLEANUP_FREE char *stored = newest(".eml");
        assert_int_equal(strlen(stored), n);
        assert_memory_equal(stored, data, n);
        peer_stop(&p);
}

static void test_tls_and_login(void **state) {
        static const struct {
                const char *name;
                Wire wire;
                const char *scheme, *certificate, *mode;
                TlsMode tls;
                const char *password;
                AttemptOutcome outcome;
                bool is_tls_failed, is_login_refused, is_encrypted;
        } cases[] = {
                {"starttls", STARTTLS, "smtp", "good", "ok", TLS_REQUIRED, "right password",
                 ATTEMPT_ACCEPTED, false, false, true},
                {"implicit", IMPLICIT, "smtps", "good", "ok", TLS_REQUIRED, "right password",
                 ATTEMPT_ACCEPTED, false, false, true},
                {"opportunistic", STARTTLS, "smtp", "good", "ok", TLS_OPPORTUNISTIC,
                 "right password", ATTEMPT_ACCEPTED, false, false, true},
                {"opportunistic, none offered", STARTTLS, "smtp", "good", "nostarttls",
                 TLS_OPPORTUNISTIC, "right password", ATTEMPT_ACCEPTED, false, false, false},
                {"none", STARTTLS, "smtp", "good", "ok", TLS_NONE, "right password",
                 ATTEMPT_ACCEPTED, false, false, false},
                {"stripped", STARTTLS, "smtp", "good", "nostarttls", TLS_REQUIRED, "right password",
                 ATTEMPT_CHANNEL_DOWN, true, false, false},
                {"expired", STARTTLS, "smtp", "expired", "ok", TLS_REQUIRED, "right password",
                 ATTEMPT_CHANNEL_DOWN, true, false, false},
                {"wrong host", STARTTLS, "smtp", "wrong-host", "ok", TLS_REQUIRED, "right password",
                 ATTEMPT_CHANNEL_DOWN, true, false, false},
                {"untrusted", STARTTLS, "smtp", "untrusted", "ok", TLS_REQUIRED, "right password",
                 ATTEMPT_CHANNEL_DOWN, true, false, false},
                {"implicit untrusted", IMPLICIT, "smtps", "untrusted", "ok", TLS_REQUIRED,
                 "right password", ATTEMPT_CHANNEL_DOWN, true, false, false},
                {"wrong password", STARTTLS, "smtp", "good", "ok", TLS_REQUIRED, "wrong",
                 ATTEMPT_CHANNEL_DOWN, false, true, false},
                {"refused password", STARTTLS, "smtp", "good", "authfail", TLS_REQUIRED,
                 "right password", ATTEMPT_CHANNEL_DOWN, false, true, false},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char url[100];
                Seen s;
                Peer p = relay(cases[i].wire, cases[i].certificate, /* has_auth= */ true);
                SmtpRequest q = request_for(url, cases[i].scheme, &p);

                clear_mail();
                peer_write(folder, "mode", cases[i].mode);
                q.tls = cases[i].tls;
                q.username = "chiso";
                q.password = cases[i].password;
                deliver(&q, &s);
                expect(cases[i].name, &s, cases[i].outcome, "");
                if (!s.report.is_connected)
                        fail_msg("%s: not connected? %s", cases[i].name, s.text);
                assert_int_equal(s.report.is_tls_failed, cases[i].is_tls_failed);
                assert_int_equal(s.report.is_login_refused, cases[i].is_login_refused);
                assert_true(strlen(s.text) > 0);
                assert_null(strstr(s.text, "password"));
                if (cases[i].outcome == ATTEMPT_ACCEPTED) {
                        CLEANUP_FREE char *record = newest(".json");
                        assert_non_null(strstr(record, cases[i].is_encrypted ? "\"tls\": true"
                                                                             : "\"tls\": false"));
                        assert_non_null(strstr(record, "\"auth\": \"chiso\""));
                }
                peer_stop(&p);
                mux_again();
        }
}

static void test_unreachable(void **state) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t n = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char url[100];
        Seen s;
        (void) state;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &n), 0);
        Peer dead = {.port = ntohs(address.sin_port)};
        SmtpRequest q = request_for(url, "smtp", &dead);
        deliver(&q, &s);
        expect("refused", &s, ATTEMPT_CHANNEL_DOWN, "");
        assert_false(s.report.is_connected);
        (void) snprintf(url, sizeof url, "smtp://host.invalid");
        deliver(&q, &s);
        expect("unresolved", &s, ATTEMPT_CHANNEL_DOWN, "resolve");
        assert_false(s.report.is_connected);
        /* it listens, but nobody takes the connection from the queue: no greeting ever */
        assert_int_equal(listen(fd, 1), 0);
        q = request_for(url, "smtp", &dead);
        q.timeout_ms = 300;
        deliver(&q, &s);
        assert_true(s.report.is_timeout);
        assert_true(s.report.is_connected);
        assert_string_equal(s.text, "timed out waiting for connection");
        assert_int_equal(s.outcome, ATTEMPT_CHANNEL_DOWN);
        (void) close(fd);
}

/* Connections are used again, also after a refusal; a dead one is noticed; other logins get one of
 * their own. */
static void test_kept_connections(void **state) {
        static const struct {
                const char *mode, *recipient;
                int n_mails;
                AttemptOutcome outcome;
                const char *log;
                size_t n_log;
        } cases[] = {
                {"ok", "b@example.vn", 20, ATTEMPT_ACCEPTED,
                 "\"connection\": 1, \"mode\": \"ok\", \"command\": \"MAIL\"", 20},
                {"closeafter", "b@example.vn", 5, ATTEMPT_ACCEPTED, "\"command\": \"MAIL\"", 5},
                {"resetafter", "b@example.vn", 5, ATTEMPT_ACCEPTED, "\"command\": \"MAIL\"", 5},
                {"rcpt550", "b@example.vn", 3, ATTEMPT_REFUSED_TARGET,
                 "\"connection\": 1, \"mode\": \"rcpt550\", \"command\": \"RSET\"", 2},
                {"dot554", "b@example.vn", 3, ATTEMPT_REFUSED_TARGET, "\"command\": \"RSET\"", 0},
                {"mail421", "b@example.vn", 3, ATTEMPT_TEMPORARY, "\"command\": \"MAIL\"", 3},
                {"ok,mail421", "b@example.vn", 3, ATTEMPT_ACCEPTED, "\"connection\": 1,", 9},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char url[100];
                Peer p = relay(STARTTLS, "good", false);
                SmtpRequest q = request_for(url, "smtp", &p);
                peer_write(folder, "mode", cases[i].mode);
                q.recipient = cases[i].recipient;
                for (int k = 0; k < cases[i].n_mails; k++) {
                        Seen s;
                        deliver(&q, &s);
                        expect(cases[i].mode, &s, cases[i].outcome, "");
                }
                CLEANUP_FREE char *log = peer_read(folder, "log");
                if (count(log, cases[i].log) != cases[i].n_log)
                        fail_msg("%s: %zu times %s in\n%s", cases[i].mode, count(log, cases[i].log),
                                 cases[i].log, log);
                peer_stop(&p);
                mux_again();
        }
}

/* Killed between two mails: nothing can have arrived, so the second one says so by trying a fresh
 * connection. */
static void test_relay_gone(void **state) {
        char url[100];
        Seen s;
        Peer p = relay(PLAIN, "good", false);
        SmtpRequest q = request_for(url, "smtp", &p);
        (void) state;

        q.tls = TLS_NONE;
        deliver(&q, &s);
        assert_int_equal(s.outcome, ATTEMPT_ACCEPTED);
        peer_stop(&p);
        deliver(&q, &s);
        expect("gone", &s, ATTEMPT_CHANNEL_DOWN, "");
        assert_false(s.report.is_connected);
        assert_false(s.report.is_data_begun);
}

static void on_http(Slot *slot, const HttpResult *r, void *userdata) {
        (void) slot;
        *(int *) userdata = r->status;
}

/* A relay that thinks for long about a message stops nobody else (and libcurl's own upload would).
 */
static void test_nobody_waits(void **state) {
        char url[100], web[100];
        Seen slow = {0}, quick = {0};
        Slot *slow_slot = NULL, *quick_slot = NULL, *web_slot = NULL;
        int status = 0;
        Peer p = relay(PLAIN, "good", false);
        Peer publisher = peer_start((const char *const[]){"publisher.py", folder, NULL});
        SmtpRequest q = request_for(url, "smtp", &p);
        (void) state;

        clear_mail();
        peer_write(folder, "routes.json", "[{\"path\":\"/ok\",\"body\":\"{}\"}]");
        peer_write(folder, "mode", "slowdot,ok");
        q.tls = TLS_NONE;
        assert_int_equal(smtp_start(mux, &q, on_done, &slow, &slow_slot), 0);
        while (access(folder, F_OK) == 0) {
                char first[100];
                (void) snprintf(first, sizeof first, "%s/001.json", folder);
                if (access(first, F_OK) == 0)
                        break;
                assert_true(sd_event_run(event, 10000) >= 0);
        }
        assert_int_equal(slow.n, 0);
        (void) snprintf(web, sizeof web, "http://127.0.0.1:%d/ok", publisher.port);
        HttpRequest get = {.url = web, .method = "GET", .max_body = 100, .timeout_ms = 20000};
        assert_int_equal(http_start(mux, &get, on_http, &status, &web_slot), 0);
        loop_until(event, &status, 200);
        assert_int_equal(smtp_start(mux, &q, on_done, &quick, &quick_slot), 0);
        loop_until(event, &quick.n, 1);
        assert_int_equal(quick.outcome, ATTEMPT_ACCEPTED);
        assert_int_equal(slow.n, 0);
        peer_write(folder, "release", "");
        loop_until(event, &slow.n, 1);
        assert_int_equal(slow.outcome, ATTEMPT_ACCEPTED);
        slot_free(slow_slot);
        slot_free(quick_slot);
        slot_free(web_slot);
        peer_stop(&publisher);
        peer_stop(&p);
}

/* Slots dropped at any moment: before the loop ran, while connecting, in the dialogue, by the
 * callback itself. */
static void test_drop(void **state) {
        char url[100];
        Peer p = relay(STARTTLS, "good", false);
        SmtpRequest q = request_for(url, "smtp", &p);
        (void) state;

        for (int rounds = 0; rounds < 24; rounds++) {
                Seen s = {0};
                Slot *slot = NULL;
                assert_int_equal(smtp_start(mux, &q, on_done, &s, &slot), 0);
                for (int i = 0; i < rounds && s.n == 0; i++)
                        assert_true(sd_event_run(event, 50000) >= 0);
                slot_free(slot);
        }
        for (int i = 0; i < 3; i++) {
                Seen s = {.drops_own = true};
                Slot *slot = NULL;
                assert_int_equal(smtp_start(mux, &q, on_done, &s, &slot), 0);
                loop_until(event, &s.n, 1);
                assert_int_equal(s.outcome, ATTEMPT_ACCEPTED);
        }
        peer_stop(&p);
}

static void test_bad_requests(void **state) {
        static const struct {
                const char *url, *sender, *recipient, *data;
                int r;
        } cases[] = {
                {"http://x", "a@b", "c@d", "x\r\n", -EPROTONOSUPPORT},
                {"smtp://x", "a@b", "c@d>\r\nDATA", "x\r\n", -EINVAL},
                {"smtp://x", "a@b", "c@d> NOTIFY=NEVER", "x\r\n", -EINVAL},
                {"smtp://x", "a b", "c@d", "x\r\n", -EINVAL},
                {"smtp://x", "a@b", "", "x\r\n", -EINVAL},
                {"smtp://x", "a@b", "h\xc6\xb0ng@d", "x\r\n", -EINVAL},
                {"smtp://x", "a@b", "c@d", "x\n.\r\n", -EINVAL},
                {"smtp://x", "a@b", "c@d", "x\r.\r\n", -EINVAL},
                {"smtp://x", "a@b", "c@d", "\n", -EINVAL},
                {"smtp://x", "a@b", "c@d", "x\r", -EINVAL},
        };
        char longer[300];
        Slot *slot = NULL;
        Seen s = {0};
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                SmtpRequest q = {.url = cases[i].url,
                                 .sender = cases[i].sender,
                                 .recipient = cases[i].recipient,
                                 .data = cases[i].data,
                                 .size = strlen(cases[i].data),
                                 .timeout_ms = 1000};
                assert_int_equal(smtp_start(mux, &q, on_done, &s, &slot), cases[i].r);
        }
        memset(longer, 'a', sizeof longer);
        longer[255] = 0;
        SmtpRequest q = {.url = "smtp://x",
                         .sender = "a@b",
                         .recipient = longer,
                         .data = "",
                         .timeout_ms = 1000};
        assert_int_equal(smtp_start(mux, &q, on_done, &s, &slot), -EINVAL);
        assert_null(slot);
        assert_int_equal(s.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_outcomes),      TEST(test_message),     TEST(test_big_message),
                TEST(test_tls_and_login), TEST(test_unreachable), TEST(test_kept_connections),
                TEST(test_relay_gone),    TEST(test_chunks),      TEST(test_pipelining),
                TEST(test_nobody_waits),  TEST(test_drop),        TEST(test_bad_requests),
        };
        return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
