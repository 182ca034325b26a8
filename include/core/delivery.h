/* What an attempt's outcome means, and when the next one is due (semantics 9). Pure policy;
 * app/courier acts on it. */
#pragma once

#include "base/macro.h"

typedef enum AttemptOutcome {
        ATTEMPT_ACCEPTED = 1,
        ATTEMPT_REFUSED_TARGET =
                2, /* the message's or recipient's fault: 5xx to RCPT or DATA, HTTP 4xx; counts */
        ATTEMPT_TEMPORARY =
                3, /* certainly not arrived, try again: 4xx, 429, 503, refused before DATA */
        ATTEMPT_CHANNEL_DOWN =
                4, /* relay or host unreachable, unresolved, unverified, login refused: pauses it */
        ATTEMPT_UNKNOWN =
                5, /* may have arrived: cut after the last byte, no answer, 5xx after a hook got the body */
        ATTEMPT_DISABLED = 6, /* HTTP 410: the target is disabled */
} AttemptOutcome;
const char *attempt_outcome_name(AttemptOutcome outcome);

#define DELIVERY_MAX_ATTEMPTS 10u
#define DELIVERY_PROBE_MS (15 * 60 * INT64_C(1000)) /* a paused channel: one probe */
#define DELIVERY_MAX_MAYBE 3u /* starts found open in a row, then wait 1 h, then dead */

/* Delay before attempt number `attempt` (1 = first retry): 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14
 * h, 20 h, 24 h, with jitter of +-10 % from `random01` in [0, 1). retry_after_ms > 0 (as the peer
 * asked) raises it, clamped to 24 h. INT64_MAX when attempt >= DELIVERY_MAX_ATTEMPTS: dead. */
int64_t delivery_delay_ms(unsigned attempt, double random01, int64_t retry_after_ms);

/* Judged by what the peer said, not by the library's code: libcurl reports 55 or 8 for 4xx and 5xx
 * alike. */
typedef struct SmtpReport {
        bool is_connected;  /* TCP up */
        bool is_tls_failed; /* certificate or required STARTTLS */
        bool is_login_refused;
        bool is_data_begun; /* at least one byte of the message left */
        bool is_data_done;  /* the final dot left */
        /* Last reply code from MAIL on (earlier ones are the relay's, not the message's); 0 = none
         * after that point. */
        int response;
        bool is_rcpt_reply; /* the last reply was to RCPT or MAIL; else it was to DATA or the message */
        bool is_timeout;
} SmtpReport;
AttemptOutcome delivery_smtp_outcome(const SmtpReport *report);

typedef struct HookReport {
        bool is_connected;
        bool is_tls_failed;
        bool is_sent; /* the request left whole */
        int status;   /* 0 = no answer */
} HookReport;
AttemptOutcome delivery_hook_outcome(const HookReport *report);
