/* The client's side of RFC 5321, for one message to one recipient.
 *
 * Replies come in the order of the commands, so `stage` (whose answer is awaited) walks behind
 * `said` (what is written). Without PIPELINING they are the same; with it the distance is the group
 * that left together, of which DATA has to be the last, or BDAT with the message behind it. The
 * first refusal is the verdict. What was said along with it still gets its answers, which are read
 * and mean nothing: so the connection can be kept. A DATA that is answered by "go on" although its
 * recipient was refused gets an empty message (RFC 2920, 3.1).
 *
 * A reply to a command that has not left is not SMTP, except a refusal: a server may say at any
 * time that it closes.
 *
 * The whole message may leave before anything was answered. Then a connection that dies tells
 * nothing, and the attempt is one that may have arrived. A kept connection that the server closed
 * long ago is noticed before (transport/smtp drops an idle one on which anything happens). The next
 * transaction's commands behind the final dot, which RFC 2920 allows too, were not built: what is
 * sent next is decided by a commit that waits for this answer. */
#include "core/dialogue.h"

#include <stdio.h>

#include "base/text.h"

/* Keywords are ASCII, in any case; locale has no say. */
static bool is_keyword(const char *line, size_t n, const char *word) {
        size_t k = strlen(word);

        if (n < 4 + k || (n > 4 + k && line[4 + k] > ' '))
                return false;
        for (size_t i = 0; i < k; i++) {
                char c = line[4 + i];
                if ((c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c) != word[i])
                        return false;
        }
        return true;
}

void smtp_abilities_read(SmtpAbilities *a, const char *line, size_t n) {
        if (n >= 3 && strncmp(line, "220", 3) == 0)
                *a = (SmtpAbilities){0};
        if (n < 3 || strncmp(line, "250", 3) != 0)
                return;
        a->has_size = a->has_size || is_keyword(line, n, "SIZE");
        a->has_8bit = a->has_8bit || is_keyword(line, n, "8BITMIME");
        a->has_pipelining = a->has_pipelining || is_keyword(line, n, "PIPELINING");
        a->has_chunking = a->has_chunking || is_keyword(line, n, "CHUNKING");
}

static void trace(const Dialogue *d, char direction, const char *line, size_t n) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
                n--;
        if (d->trace)
                d->trace(d->trace_userdata, direction, line, n);
}

static void keep_text(Dialogue *d, const char *text, size_t n) {
        Buf *b = &d->text;

        buf_clear(b);
        (void) text_append_printable(b, text, MIN(n, DIALOGUE_MAX_TEXT));
        while (b->len > DIALOGUE_MAX_TEXT || (b->len > 0 && b->data[b->len - 1] == ' '))
                buf_truncate(b, b->len - 1);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void end(Dialogue *d, bool is_usable) {
        d->stage = DIALOGUE_OVER;
        d->is_usable =
                is_usable && d->out_at == d->out_len && (d->said != DIALOGUE_MESSAGE || d->has_end);
        d->out_len = d->out_at = 0;
        d->is_stillborn = !d->is_answered && !d->report.is_data_done;
}

static void break_with(Dialogue *d, const char *why, bool is_timeout) {
        if (d->stage == DIALOGUE_OVER)
                return;
        if (!d->is_refused) {
                d->report.response = 0;
                d->report.is_timeout = is_timeout;
                keep_text(d, why, strlen(why));
        }
        end(d, /* is_usable= */ false);
}

void dialogue_break(Dialogue *d, const char *why) {
        break_with(d, why, /* is_timeout= */ false);
}

void dialogue_time_out(Dialogue *d) {
        static const char *const waiting_for[] = {
                [DIALOGUE_RSET] = "answer to RSET",           [DIALOGUE_MAIL] = "answer to MAIL",
                [DIALOGUE_RCPT] = "answer to RCPT",           [DIALOGUE_DATA] = "answer to DATA",
                [DIALOGUE_MESSAGE] = "answer to the message",
        };
        char text[64];
        bool is_leaving = d->stage == DIALOGUE_MESSAGE && !d->report.is_data_done;

        if (d->stage == DIALOGUE_OVER)
                return;
        (void) snprintf(text, sizeof text, "timed out waiting for %s",
                        is_leaving ? "message to leave" : waiting_for[d->stage]);
        break_with(d, text, /* is_timeout= */ true);
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void write_command(Dialogue *d, DialogueStage stage, const char *format, ...)
        PRINTF_LIKE(3, 4);
static void write_command(Dialogue *d, DialogueStage stage, const char *format, ...) {
        size_t room = sizeof d->out - d->out_len;
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(d->out + d->out_len, room, format, ap);
        va_end(ap);
        assert(n > 0 && (size_t) n < room); /* addresses are bounded, groups are short */
        trace(d, '>', d->out + d->out_len, (size_t) n);
        d->out_len += (size_t) n;
        d->said_at[stage] = d->n_sent + d->out_len - d->out_at;
        d->said = stage;
}

static void trace_message(const Dialogue *d) {
        char told[64];

        trace(d, '>', told,
              (size_t) snprintf(told, sizeof told, "(%zu bytes of message)", d->mail.size));
}

/* After DATA dots are doubled at line starts (RFC 5321, 4.5.2) and the end is a dot; a chunk is as
 * long as was said. */
static void fill_message(Dialogue *d) {
        size_t n = d->out_len;

        while (d->data_at < d->mail.size && n + 2 <= sizeof d->out) {
                char c = d->mail.data[d->data_at++];
                if (d->is_line_start && c == '.' && !d->is_chunked)
                        d->out[n++] = '.';
                d->out[n++] = c;
                d->is_line_start = c == '\n';
        }
        if (d->data_at == d->mail.size && n + 5 <= sizeof d->out) {
                const char *mark = d->is_chunked ? "" : d->is_line_start ? ".\r\n" : "\r\n.\r\n";
                memcpy(d->out + n, mark, strlen(mark));
                n += strlen(mark);
                d->has_end = true;
        }
        d->out_len = n;
}

/* An empty one for a recipient that was refused meanwhile. */
static void begin_message(Dialogue *d) {
        if (d->is_refused)
                d->data_at = d->mail.size;
        else
                trace_message(d);
        d->said = DIALOGUE_MESSAGE;
        d->said_at[DIALOGUE_MESSAGE] = d->n_sent + d->out_len;
        fill_message(d);
}

static void say_mail(Dialogue *d) {
        char size[32] = "";

        if (d->can.has_size)
                (void) snprintf(size, sizeof size, " SIZE=%zu", d->mail.size);
        write_command(d, DIALOGUE_MAIL, "MAIL FROM:<%s>%s%s\r\n", d->mail.sender, size,
                      d->is_8bit && d->can.has_8bit ? " BODY=8BITMIME" : "");
}

static void say_one(Dialogue *d, DialogueStage stage) {
        switch (stage) {
        case DIALOGUE_RSET:
                write_command(d, stage, "RSET\r\n");
                return;
        case DIALOGUE_MAIL:
                say_mail(d);
                return;
        case DIALOGUE_RCPT:
                write_command(d, stage, "RCPT TO:<%s>\r\n", d->mail.recipient);
                return;
        case DIALOGUE_DATA:
                write_command(d, stage, "DATA\r\n");
                return;
        default:
                if (d->is_chunked)
                        write_command(d, stage, "BDAT %zu LAST\r\n", d->mail.size);
                begin_message(d);
        }
}

static DialogueStage after(const Dialogue *d, DialogueStage stage) {
        return stage == DIALOGUE_RCPT && d->is_chunked ? DIALOGUE_MESSAGE : stage + 1;
}

/* The command of `stage`, and with PIPELINING those that may follow in one group. */
static void say(Dialogue *d, DialogueStage stage) {
        d->out_len = d->out_at = 0;
        say_one(d, stage);
        while (d->can.has_pipelining && stage < DIALOGUE_DATA)
                say_one(d, stage = after(d, stage));
}

size_t dialogue_pending(Dialogue *d, const char **ret) {
        if (d->stage == DIALOGUE_OVER)
                return 0;
        if (d->out_at == d->out_len && d->said == DIALOGUE_MESSAGE && !d->has_end) {
                d->out_len = d->out_at = 0;
                fill_message(d);
        }
        *ret = d->out + d->out_at;
        return d->out_len - d->out_at;
}

void dialogue_sent(Dialogue *d, size_t n) {
        d->out_at += n;
        d->n_sent += n;
        if (d->said != DIALOGUE_MESSAGE || d->is_refused)
                return;
        if (d->n_sent > d->said_at[DIALOGUE_MESSAGE])
                d->report.is_data_begun = true;
        if (d->has_end && d->out_at == d->out_len)
                d->report.is_data_done = d->report.is_data_begun = true;
}

/* ---- the server's ---------------------------------------------------------------------------- */

static bool is_expected(const Dialogue *d, int code) {
        if (d->stage == DIALOGUE_DATA)
                return code == 354;
        if (d->stage == DIALOGUE_MESSAGE && !d->report.is_data_done)
                return false;
        return code >= 200 && code < 300;
}

static void go_on(Dialogue *d, int code) {
        d->is_answered = d->is_answered || d->stage >= DIALOGUE_MAIL;
        if (d->stage == DIALOGUE_RSET)
                d->needs_reset = false;
        if (d->stage == DIALOGUE_MESSAGE) {
                d->report.response = code;
                d->needs_reset = false;
                end(d, /* is_usable= */ true);
                return;
        }
        d->stage = after(d, d->stage);
        if (d->stage > d->said)
                say(d, d->stage);
}

/* The answers to what was said along with what was refused. */
static void pass_over(Dialogue *d, int code) {
        if (code == 421 || d->n_sent < d->said_at[d->stage]) {
                end(d, /* is_usable= */ false);
                return;
        }
        if (d->stage == DIALOGUE_DATA && code == 354)
                say(d, DIALOGUE_MESSAGE);
        if (d->stage == d->said)
                end(d, /* is_usable= */ true);
        else
                d->stage = after(d, d->stage);
}

static void refuse(Dialogue *d, int code) {
        bool is_early = d->stage == DIALOGUE_MESSAGE ? !d->report.is_data_done
                                                     : d->n_sent < d->said_at[d->stage];

        d->is_refused = true;
        d->is_answered = d->is_answered || code != 421;
        d->report.response = code;
        /* Many relays refuse a recipient only when asked for DATA ("554 no valid recipients"). */
        d->report.is_rcpt_reply = d->stage >= DIALOGUE_MAIL && d->stage <= DIALOGUE_DATA;
        /* Whatever left behind it, of a message that was refused nothing arrives. */
        if (d->report.is_rcpt_reply)
                d->report.is_data_begun = d->report.is_data_done = false;
        d->needs_reset = d->stage < DIALOGUE_MESSAGE || d->is_chunked;
        if (code == 421 || is_early)
                end(d, /* is_usable= */ false);
        else if (d->stage == d->said)
                end(d, /* is_usable= */ true);
        else
                d->stage = after(d, d->stage);
}

static void take_reply(Dialogue *d, int code) {
        d->n_reply_lines = 0;
        if (d->is_refused)
                pass_over(d, code);
        else if (is_expected(d, code) &&
                 (d->stage == DIALOGUE_MESSAGE || d->n_sent >= d->said_at[d->stage]))
                go_on(d, code);
        else if (code >= 400 && d->stage != DIALOGUE_RSET)
                refuse(d, code);
        else
                dialogue_break(d, "unexpected reply");
}

static int reply_code(const char *line, size_t n) {
        if (n < 3 || (n > 3 && line[3] != ' ' && line[3] != '-'))
                return -1;
        for (size_t i = 0; i < 3; i++)
                if (line[i] < '0' || line[i] > '9')
                        return -1;
        int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
        return code >= 200 && code < 600 ? code : -1;
}

static void take_line(Dialogue *d, const char *line, size_t n) {
        int code = reply_code(line, n);
        bool is_last = n <= 3 || line[3] == ' ';

        if (!d->is_refused)
                keep_text(d, line, n);
        trace(d, '<', line, n);
        if (code < 0 || ++d->n_reply_lines > DIALOGUE_MAX_REPLY_LINES)
                dialogue_break(d, "reply is not SMTP");
        else if (is_last)
                take_reply(d, code);
}

size_t dialogue_space(Dialogue *d, char **ret) {
        *ret = d->in + d->in_len;
        return sizeof d->in - d->in_len;
}

void dialogue_received(Dialogue *d, size_t n) {
        size_t at = 0;

        d->in_len += n;
        while (d->stage != DIALOGUE_OVER) {
                const char *line = d->in + at, *nl = memchr(line, '\n', d->in_len - at);
                if (!nl)
                        break;
                at += (size_t) (nl + 1 - line);
                take_line(d, line, (size_t) (nl - line) - (nl > line && nl[-1] == '\r'));
        }
        d->in_len -= at;
        memmove(d->in, d->in + at, d->in_len);
        /* What nobody asked for ends a connection. */
        if (d->stage == DIALOGUE_OVER)
                d->is_usable = d->is_usable && d->in_len == 0;
        else if (d->in_len == sizeof d->in)
                dialogue_break(d, "reply line is too long");
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* DATA ends a last line that has no end; a chunk would not. */
static bool is_whole_small(const DialogueMail *mail) {
        return mail->size <= DIALOGUE_MAX_CHUNK && mail->size >= 2 &&
               memcmp(mail->data + mail->size - 2, "\r\n", 2) == 0;
}

void dialogue_begin(Dialogue *d, const DialogueMail *mail, const SmtpAbilities *can,
                    bool needs_reset, SmtpTrace tracer, void *trace_userdata) {
        *d = (Dialogue){
                .mail = *mail,
                .can = *can,
                .report.is_connected = true,
                .text = BUF_INIT(4 * DIALOGUE_MAX_TEXT),
                .needs_reset = needs_reset,
                .is_chunked = can->has_pipelining && can->has_chunking && is_whole_small(mail),
                .is_line_start = true,
                .trace = tracer,
                .trace_userdata = trace_userdata,
                .stage = needs_reset ? DIALOGUE_RSET : DIALOGUE_MAIL,
        };
        for (size_t i = 0; i < mail->size && !d->is_8bit; i++)
                d->is_8bit = (unsigned char) mail->data[i] >= 0x80;
        say(d, d->stage);
}

void dialogue_done(Dialogue *d) {
        buf_done(&d->text);
}
