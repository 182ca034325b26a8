/* What an attempt's end means. Three questions in this order: can it have arrived, whose fault was
 * it, when again?
 *
 * Only the message's or the recipient's own fault may ever end in a dead letter early; a relay that
 * does not work is everybody's trouble and pauses instead. Where the answer got lost after the last
 * byte had left, nobody knows, and only the same id can be sent again. Library codes are not looked
 * at: libcurl reports 55 or 8 for temporary and permanent refusals alike. */
#include "core/delivery.h"

#include "base/timeutil.h"

const char *attempt_outcome_name(AttemptOutcome outcome) {
        static const char *const names[] = {
                [ATTEMPT_ACCEPTED] = "accepted",   [ATTEMPT_REFUSED_TARGET] = "refused",
                [ATTEMPT_TEMPORARY] = "temporary", [ATTEMPT_CHANNEL_DOWN] = "channel_down",
                [ATTEMPT_UNKNOWN] = "unknown",     [ATTEMPT_DISABLED] = "disabled",
        };

        return (size_t) outcome < ELEMENTSOF(names) && names[outcome] ? names[outcome] : "?";
}

int64_t delivery_delay_ms(unsigned attempt, double random01, int64_t retry_after_ms) {
        static const int64_t delay[DELIVERY_MAX_ATTEMPTS] = {
                0,
                5 * MS_PER_SECOND,
                5 * MS_PER_MINUTE,
                30 * MS_PER_MINUTE,
                2 * MS_PER_HOUR,
                5 * MS_PER_HOUR,
                10 * MS_PER_HOUR,
                14 * MS_PER_HOUR,
                20 * MS_PER_HOUR,
                24 * MS_PER_HOUR,
        };

        if (attempt >= DELIVERY_MAX_ATTEMPTS)
                return INT64_MAX;
        double spread = random01 > 0 ? MIN(random01, 1.0) : 0; /* not a number: 0 */
        int64_t jittered = (int64_t) ((double) delay[attempt] * (0.9 + 0.2 * spread));
        return MAX(jittered, CLAMP(retry_after_ms, 0, 24 * MS_PER_HOUR));
}

/* RFC 4954 and RFC 3207: log in first, encrypt first, mechanism too weak, credentials invalid. */
static bool is_login_reply(int response) {
        return response == 454 || response == 530 || response == 534 || response == 535 ||
               response == 538;
}

static AttemptOutcome smtp_before_data(const SmtpReport *r) {
        if (r->is_login_refused || is_login_reply(r->response))
                return ATTEMPT_CHANNEL_DOWN;
        if (r->response == 0 || r->is_timeout)
                return ATTEMPT_CHANNEL_DOWN; /* connected, and then nothing: no recipient's fault */
        return r->response >= 500 && r->response <= 599 ? ATTEMPT_REFUSED_TARGET
                                                        : ATTEMPT_TEMPORARY;
}

AttemptOutcome delivery_smtp_outcome(const SmtpReport *report) {
        if (!report->is_connected || report->is_tls_failed)
                return ATTEMPT_CHANNEL_DOWN;
        if (!report->is_data_begun && !report->is_data_done)
                return smtp_before_data(report);
        if (report->response >= 500 && report->response <= 599)
                return ATTEMPT_REFUSED_TARGET;
        if (report->response >= 400 && report->response <= 499)
                return ATTEMPT_TEMPORARY;
        if (!report->is_data_done)
                return ATTEMPT_TEMPORARY; /* without the final dot no relay may have taken it (RFC
                                             5321, 4.1.1.4) */
        /* 354 only said "go on": what came after the dot was lost */
        return report->response >= 200 && report->response <= 299 ? ATTEMPT_ACCEPTED
                                                                  : ATTEMPT_UNKNOWN;
}

AttemptOutcome delivery_hook_outcome(const HookReport *report) {
        int status = report->status;

        if (!report->is_connected || report->is_tls_failed)
                return ATTEMPT_CHANNEL_DOWN;
        if (status >= 200 && status <= 299)
                return ATTEMPT_ACCEPTED;
        if (status == 410)
                return ATTEMPT_DISABLED;
        if (status == 429 || status == 503 || status == 408 || status == 425)
                return ATTEMPT_TEMPORARY; /* the peer itself asks for another try */
        if (status >= 300 && status <= 499)
                return ATTEMPT_REFUSED_TARGET; /* redirects are not followed: the address is wrong
                                                */
        return report->is_sent ? ATTEMPT_UNKNOWN : ATTEMPT_TEMPORARY;
}
