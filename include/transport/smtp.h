/* Mail by SMTP, one transaction per recipient (semantics 9): STARTTLS required by default,
 * implicit TLS with smtps://, certificate verified, AUTH. Connections are kept for a minute, and the
 * relay's PIPELINING and CHUNKING are used (core/dialogue.h). Outcome by what the server said to
 * which command, never by libcurl's code. data with a bare CR or LF, and an address that is no
 * visible ASCII, is -EINVAL. */
#pragma once

#include "core/config.h"
#include "core/delivery.h"
#include "core/dialogue.h"
#include "transport/mux.h"

typedef struct SmtpRequest {
        const char *url;                 /* smtp://host:587 or smtps://host:465 */
        const char *username, *password; /* or NULL */
        const char *ca_file;             /* or NULL */
        TlsMode tls;
        const char *sender;    /* envelope */
        const char *recipient; /* envelope, exactly one */
        const char *data;      /* whole message, CRLF; must live until the slot is gone */
        size_t size;
        int64_t timeout_ms;
        SmtpTrace trace; /* or NULL */
        void *trace_userdata;
} SmtpRequest;

typedef struct SmtpResult {
        AttemptOutcome outcome;
        SmtpReport report;
        const char *text; /* last reply line or the reason, printable, at most 1 KiB */
} SmtpResult;
typedef void (*SmtpDone)(Slot *slot, const SmtpResult *result, void *userdata);

int smtp_start(Mux *m, const SmtpRequest *request, SmtpDone done, void *userdata, Slot **ret);
