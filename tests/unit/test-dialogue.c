#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/dialogue.h"

#define MAX_TURNS 8

static const char small[] = "A: b\r\n\r\n.x\r\n";
static const DialogueMail mail = {"s@x.vn", "r@y.vn", small, sizeof small - 1};
static const SmtpAbilities none = {0}, sized = {.has_size = true, .has_8bit = true},
                           pipelining = {.has_pipelining = true},
                           chunking = {.has_pipelining = true, .has_chunking = true};

/* All that may be sent now, as text. */
static void send_all(Dialogue *d, Buf *out) {
        const char *p;

        for (size_t n; (n = dialogue_pending(d, &p)) > 0;) {
                assert_int_equal(buf_append(out, p, n), 0);
                dialogue_sent(d, n);
        }
}

/* In pieces of `step` bytes. */
static void receive(Dialogue *d, const char *text, size_t step) {
        for (size_t n; *text; text += n) {
                char *room;
                n = MIN(MIN(strlen(text), step), dialogue_space(d, &room));
                assert_true(n > 0);
                memcpy(room, text, n);
                dialogue_received(d, n);
                if (d->stage == DIALOGUE_OVER)
                        return;
        }
}

#define MAIL_RCPT "MAIL FROM:<s@x.vn>\r\nRCPT TO:<r@y.vn>\r\n"

/* Whole talks: what the server says, and what we said before it. "" of ours: it was not asked. */
static void test_talks(void **state) {
        static const struct {
                const char *name;
                const SmtpAbilities *can;
                bool needs_reset;
                struct {
                        const char *ours, *theirs;
                } turns[MAX_TURNS];
                AttemptOutcome outcome;
                const char *text;
                bool is_usable, leaves_reset, is_stillborn;
        } cases[] = {
                {"one at a time",
                 &none,
                 false,
                 {{"MAIL FROM:<s@x.vn>\r\n", "250 ok\r\n"},
                  {"RCPT TO:<r@y.vn>\r\n", "250-ok\r\n250 yes\r\n"},
                  {"DATA\r\n", "354 go\r\n"},
                  {"A: b\r\n\r\n..x\r\n.\r\n", "250 taken\r\n"}},
                 ATTEMPT_ACCEPTED,
                 "250 taken",
                 true,
                 false,
                 false},
                {"group",
                 &pipelining,
                 true,
                 {{"RSET\r\n" MAIL_RCPT "DATA\r\n", "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                  {"A: b\r\n\r\n..x\r\n.\r\n", "250 taken\r\n"}},
                 ATTEMPT_ACCEPTED,
                 "250 taken",
                 true,
                 false,
                 false},
                {"chunk, as it is",
                 &chunking,
                 false,
                 {{MAIL_RCPT "BDAT 12 LAST\r\nA: b\r\n\r\n.x\r\n", "250 a\r\n250 b\r\n250 c\r\n"}},
                 ATTEMPT_ACCEPTED,
                 "250 c",
                 true,
                 false,
                 false},
                {"refused, the rest is read",
                 &pipelining,
                 false,
                 {{MAIL_RCPT "DATA\r\n", "250 ok\r\n"}, {"", "550 no\r\n"}, {"", "503 nobody\r\n"}},
                 ATTEMPT_REFUSED_TARGET,
                 "550 no",
                 true,
                 true,
                 false},
                {"refused, go on",
                 &pipelining,
                 false,
                 {{MAIL_RCPT "DATA\r\n", "250 ok\r\n450 later\r\n354 go\r\n"},
                  {".\r\n", "554 nobody\r\n"}},
                 ATTEMPT_TEMPORARY,
                 "450 later",
                 true,
                 true,
                 false},
                {"refused before its chunk was looked at",
                 &chunking,
                 false,
                 {{MAIL_RCPT "BDAT 12 LAST\r\nA: b\r\n\r\n.x\r\n",
                   "530 log in\r\n503 no\r\n503 no\r\n"}},
                 ATTEMPT_CHANNEL_DOWN,
                 "530 log in",
                 true,
                 true,
                 false},
                {"chunk refused",
                 &chunking,
                 false,
                 {{MAIL_RCPT "BDAT 12 LAST\r\nA: b\r\n\r\n.x\r\n",
                   "250 a\r\n250 b\r\n452 full\r\n"}},
                 ATTEMPT_TEMPORARY,
                 "452 full",
                 true,
                 true,
                 false},
                {"refused and closed",
                 &pipelining,
                 false,
                 {{MAIL_RCPT "DATA\r\n", "250 ok\r\n550 no\r\n421 bye\r\n"}},
                 ATTEMPT_REFUSED_TARGET,
                 "550 no",
                 false,
                 true,
                 false},
                {"closed at once",
                 &chunking,
                 false,
                 {{MAIL_RCPT "BDAT 12 LAST\r\nA: b\r\n\r\n.x\r\n", "421 bye\r\n"}},
                 ATTEMPT_TEMPORARY,
                 "421 bye",
                 false,
                 true,
                 true},
                {"no SMTP",
                 &none,
                 false,
                 {{"MAIL FROM:<s@x.vn>\r\n", "HTTP/1.1 400\r\n"}},
                 ATTEMPT_CHANNEL_DOWN,
                 "reply is not SMTP",
                 false,
                 false,
                 true},
                {"3xx to MAIL",
                 &none,
                 false,
                 {{"MAIL FROM:<s@x.vn>\r\n", "354 go\r\n"}},
                 ATTEMPT_CHANNEL_DOWN,
                 "unexpected reply",
                 false,
                 false,
                 true},
                {"answers nobody asked for",
                 &none,
                 false,
                 {{"MAIL FROM:<s@x.vn>\r\n", "250 ok\r\n250 ok\r\n"}},
                 ATTEMPT_CHANNEL_DOWN,
                 "unexpected reply",
                 false,
                 false,
                 false},
                {"more than the answer",
                 &chunking,
                 false,
                 {{MAIL_RCPT "BDAT 12 LAST\r\nA: b\r\n\r\n.x\r\n",
                   "250 a\r\n250 b\r\n250 c\r\n421 bye\r\n"}},
                 ATTEMPT_ACCEPTED,
                 "250 c",
                 false,
                 false,
                 false},
                {"RSET refused",
                 &none,
                 true,
                 {{"RSET\r\n", "500 what\r\n"}},
                 ATTEMPT_CHANNEL_DOWN,
                 "unexpected reply",
                 false,
                 true,
                 true},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t step = 1; step < 200; step += 37) {
                        Dialogue d;
                        dialogue_begin(&d, &mail, cases[i].can, cases[i].needs_reset, NULL, NULL);
                        for (size_t k = 0; k < MAX_TURNS && cases[i].turns[k].ours; k++) {
                                CLEANUP(buf_done) Buf out = BUF_INIT(100000);
                                send_all(&d, &out);
                                assert_string_equal(buf_text(&out), cases[i].turns[k].ours);
                                assert_int_not_equal(d.stage, DIALOGUE_OVER);
                                /* by bytes, but the last ones together: "more than" depends on it */
                                receive(&d, cases[i].turns[k].theirs,
                                        streq(cases[i].name, "more than the answer") ? 200 : step);
                        }
                        if (d.stage != DIALOGUE_OVER)
                                fail_msg("%s: not over", cases[i].name);
                        if (!streq(buf_text(&d.text), cases[i].text))
                                fail_msg("%s: \"%s\"", cases[i].name, buf_text(&d.text));
                        if (delivery_smtp_outcome(&d.report) != cases[i].outcome)
                                fail_msg("%s: %s", cases[i].name,
                                         attempt_outcome_name(delivery_smtp_outcome(&d.report)));
                        if (d.is_usable != cases[i].is_usable)
                                fail_msg("%s: usable?", cases[i].name);
                        if (d.needs_reset != cases[i].leaves_reset)
                                fail_msg("%s: reset?", cases[i].name);
                        if (d.is_stillborn != cases[i].is_stillborn)
                                fail_msg("%s: stillborn?", cases[i].name);
                        dialogue_done(&d);
                }
}

/* A connection that breaks after `n_good` good answers, everything sent that may be. */
static void test_breaks(void **state) {
        static const struct {
                const SmtpAbilities *can;
                int n_good;
                AttemptOutcome outcome;
                bool is_stillborn;
                const char *timed_out;
        } cases[] = {
                {&none, 0, ATTEMPT_CHANNEL_DOWN, true, "answer to MAIL"},
                {&none, 1, ATTEMPT_CHANNEL_DOWN, false, "answer to RCPT"},
                {&none, 2, ATTEMPT_CHANNEL_DOWN, false, "answer to DATA"},
                {&none, 3, ATTEMPT_UNKNOWN, false, "answer to the message"},
                {&pipelining, 0, ATTEMPT_CHANNEL_DOWN, true, "answer to MAIL"},
                {&pipelining, 2, ATTEMPT_CHANNEL_DOWN, false, "answer to DATA"},
                {&pipelining, 3, ATTEMPT_UNKNOWN, false, "answer to the message"},
                {&chunking, 0, ATTEMPT_UNKNOWN, false, "answer to MAIL"},
                {&chunking, 1, ATTEMPT_UNKNOWN, false, "answer to RCPT"},
                {&chunking, 2, ATTEMPT_UNKNOWN, false, "answer to the message"},
        };
        static const char *const good[] = {"250 a\r\n", "250 b\r\n", "354 c\r\n"};
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int is_timeout = 0; is_timeout < 2; is_timeout++) {
                        Dialogue d;
                        CLEANUP(buf_done) Buf out = BUF_INIT(100000);
                        dialogue_begin(&d, &mail, cases[i].can, false, NULL, NULL);
                        send_all(&d, &out);
                        for (int k = 0; k < cases[i].n_good; k++) {
                                receive(&d, good[k], 100);
                                send_all(&d, &out);
                        }
                        if (is_timeout)
                                dialogue_time_out(&d);
                        else
                                dialogue_break(&d, "gone");
                        assert_int_equal(d.stage, DIALOGUE_OVER);
                        assert_false(d.is_usable);
                        assert_int_equal(delivery_smtp_outcome(&d.report), cases[i].outcome);
                        assert_int_equal(d.is_stillborn, cases[i].is_stillborn);
                        assert_int_equal(d.report.is_timeout, is_timeout);
                        if (is_timeout)
                                assert_non_null(strstr(buf_text(&d.text), cases[i].timed_out));
                        dialogue_done(&d);
                }
}

/* A verdict that was spoken stands, whatever happens to the answers that nobody needs. */
static void test_verdict_stands(void **state) {
        Dialogue d;
        CLEANUP(buf_done) Buf out = BUF_INIT(100000);
        (void) state;

        for (int i = 0; i < 2; i++) {
                dialogue_begin(&d, &mail, &pipelining, false, NULL, NULL);
                send_all(&d, &out);
                receive(&d, "250 ok\r\n550 5.1.1 no\r\n", 100);
                assert_int_equal(d.stage, DIALOGUE_DATA);
                if (i)
                        dialogue_time_out(&d);
                else
                        dialogue_break(&d, "gone");
                assert_int_equal(delivery_smtp_outcome(&d.report), ATTEMPT_REFUSED_TARGET);
                assert_string_equal(buf_text(&d.text), "550 5.1.1 no");
                assert_false(d.is_usable || d.is_stillborn || d.report.is_timeout);
                dialogue_done(&d);
        }
}

/* A half-sent chunk cannot have arrived, and half a message leaves no usable connection. */
static void test_half_sent(void **state) {
        const char *p;
        Dialogue d;
        (void) state;

        dialogue_begin(&d, &mail, &chunking, false, NULL, NULL);
        size_t n = dialogue_pending(&d, &p);
        dialogue_sent(&d, n - 1);
        assert_true(d.report.is_data_begun && !d.report.is_data_done);
        dialogue_break(&d, "gone");
        assert_int_equal(delivery_smtp_outcome(&d.report), ATTEMPT_TEMPORARY);
        assert_true(d.is_stillborn);
        dialogue_done(&d);

        dialogue_begin(&d, &mail, &chunking, false, NULL, NULL);
        n = dialogue_pending(&d, &p);
        dialogue_sent(&d, n - 1);
        receive(&d, "250 a\r\n550 b\r\n503 c\r\n", 100);
        assert_int_equal(d.stage, DIALOGUE_OVER);
        assert_false(d.is_usable);
        assert_int_equal(delivery_smtp_outcome(&d.report), ATTEMPT_REFUSED_TARGET);
        dialogue_done(&d);
}

static void test_parameters(void **state) {
        static const char eight[] = "A: b\r\n\r\n\xc3\xa9\r\n", open[] = "A: b\r\n\r\nno end";
        CLEANUP(buf_done) Buf out = BUF_INIT(1 << 20);
        const DialogueMail of8 = {"", "r@y.vn", eight, sizeof eight - 1},
                           without_end = {"", "r@y.vn", open, sizeof open - 1};
        CLEANUP_FREE char *big = malloc(DIALOGUE_MAX_CHUNK + 2);
        Dialogue d;
        (void) state;

        dialogue_begin(&d, &of8, &sized, false, NULL, NULL);
        send_all(&d, &out);
        assert_string_equal(buf_text(&out), "MAIL FROM:<> SIZE=12 BODY=8BITMIME\r\n");
        dialogue_done(&d);
        /* a chunk has no end of its own; a big one waits until its recipient is accepted */
        for (size_t i = 0; i < DIALOGUE_MAX_CHUNK + 2; i++)
                big[i] = "\r\n"[i % 2];
        const DialogueMail too_big = {"", "r@y.vn", big, DIALOGUE_MAX_CHUNK + 2};
        const DialogueMail *const mails[] = {&without_end, &too_big};
        for (size_t i = 0; i < ELEMENTSOF(mails); i++) {
                buf_clear(&out);
                dialogue_begin(&d, mails[i], &chunking, false, NULL, NULL);
                send_all(&d, &out);
                assert_non_null(strstr(buf_text(&out), "\r\nDATA\r\n"));
                assert_null(strstr(buf_text(&out), "BDAT"));
                dialogue_done(&d);
        }
}

static void test_bounds(void **state) {
        Dialogue d;
        CLEANUP(buf_done) Buf out = BUF_INIT(100000), text = BUF_INIT(100000);
        (void) state;

        dialogue_begin(&d, &mail, &none, false, NULL, NULL);
        send_all(&d, &out);
        for (int i = 0; i < 5000; i++)
                assert_int_equal(buf_char(&text, '2'), 0);
        receive(&d, buf_text(&text), 512);
        assert_string_equal(buf_text(&d.text), "reply line is too long");
        dialogue_done(&d);

        buf_clear(&text);
        for (int i = 0; i < 101; i++)
                assert_int_equal(buf_str(&text, "250-more\r\n"), 0);
        dialogue_begin(&d, &mail, &none, false, NULL, NULL);
        send_all(&d, &out);
        receive(&d, buf_text(&text), 512);
        assert_string_equal(buf_text(&d.text), "reply is not SMTP");
        dialogue_done(&d);
}

static void test_abilities(void **state) {
        static const char *const lines[] = {"220 x ESMTP",    "250-x",         "250-SIZE 100\r\n",
                                            "250-pipelining", "250-CHUNKINGX", "250 8BITMIME\r\n"};
        SmtpAbilities a = {.has_chunking = true};
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                smtp_abilities_read(&a, lines[i], strlen(lines[i]));
        assert_true(a.has_size && a.has_8bit && a.has_pipelining && !a.has_chunking);
        smtp_abilities_read(&a, "220 go", 6); /* STARTTLS */
        assert_false(a.has_size || a.has_8bit || a.has_pipelining || a.has_chunking);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_talks),          cmocka_unit_test(test_breaks),
                cmocka_unit_test(test_verdict_stands), cmocka_unit_test(test_half_sent),
                cmocka_unit_test(test_parameters),     cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_abilities),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
