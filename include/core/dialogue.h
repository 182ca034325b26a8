/* One mail transaction of SMTP as a machine without sockets: bytes of the server in, bytes for the
 * server out, and in the end a report of what it said to which command.
 *
 * With PIPELINING (RFC 2920) the commands up to DATA leave together; with CHUNKING too (RFC 3030)
 * a small message leaves with them, and the transaction is one round trip. A server that offers
 * neither is asked one command at a time. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"
#include "core/delivery.h"

/* One line of the dialogue, without its end: '>' ours, '<' the server's. What is or may be a
 * credential comes as "***". */
typedef void (*SmtpTrace)(void *userdata, char direction, const char *line, size_t n);

/* What the server said that it can do. */
typedef struct SmtpAbilities {
        bool has_size, has_8bit, has_pipelining, has_chunking;
} SmtpAbilities;
/* One line of the replies up to AUTH. A greeting forgets all: after STARTTLS the server begins anew
 * (RFC 3207, 4.2). */
void smtp_abilities_read(SmtpAbilities *a, const char *line, size_t n);

typedef struct DialogueMail {
        const char *sender, *recipient; /* envelope; visible ASCII, at most 254 bytes each */
        const char *data;               /* whole message, CRLF; lives as long as the dialogue */
        size_t size;
} DialogueMail;

#define DIALOGUE_MAX_ADDRESS ((size_t) 254)
#define DIALOGUE_MAX_TEXT ((size_t) 1024)
#define DIALOGUE_MAX_REPLY_LINES 100u
/* A message up to this size may leave before its recipient was accepted. */
#define DIALOGUE_MAX_CHUNK ((size_t) 256 << 10)

/* Whose answer is awaited. */
typedef enum DialogueStage {
        DIALOGUE_RSET,
        DIALOGUE_MAIL,
        DIALOGUE_RCPT,
        DIALOGUE_DATA,
        DIALOGUE_MESSAGE, /* on its way, or gone */
        DIALOGUE_OVER,
} DialogueStage;

typedef struct Dialogue {
        /* for the caller to read */
        DialogueStage stage;
        SmtpReport report; /* is_connected is set from the beginning */
        Buf text;          /* the reply that decided, or the reason; printable, <= 1 KiB */
        bool is_usable;    /* over, and the connection may carry another transaction */
        bool needs_reset;  /* which has to begin with RSET */
        bool is_stillborn; /* over before any command was answered, and nothing can have arrived:
                                  on a connection that was kept it may be tried again */
        /* its own */
        DialogueMail mail;
        SmtpAbilities can;
        DialogueStage said; /* the last command of those that are written */
        bool is_8bit, is_chunked, is_refused, is_answered;
        bool is_line_start, has_end; /* has_end: the end of the message is written */
        size_t data_at;
        char out[16384];
        size_t out_len, out_at;
        size_t n_sent;                 /* bytes that left */
        size_t said_at[DIALOGUE_OVER]; /* where among them each command ends */
        char in[4096];                 /* the reply line under way */
        size_t in_len;
        unsigned n_reply_lines;
        SmtpTrace trace;
        void *trace_userdata;
} Dialogue;

void dialogue_begin(Dialogue *d, const DialogueMail *mail, const SmtpAbilities *can,
                    bool needs_reset, SmtpTrace trace, void *trace_userdata);
void dialogue_done(Dialogue *d);

/* What may be sent now, and that `n` bytes of it were. 0: it is the server's turn. */
size_t dialogue_pending(Dialogue *d, const char **ret);
void dialogue_sent(Dialogue *d, size_t n);
/* Where to read to, and that `n` bytes came. There is always room while it is not over. */
size_t dialogue_space(Dialogue *d, char **ret);
void dialogue_received(Dialogue *d, size_t n);
/* The connection is gone (`why`), or nobody waits any longer. A verdict that was spoken stands. */
void dialogue_break(Dialogue *d, const char *why);
void dialogue_time_out(Dialogue *d);
