/* When may a publisher be asked next: a state of a few numbers, moved by the outcome of each
 * attempt.
 *
 * `next_ms` is a floor under whatever the schedule wants. Whoever refuses us is not asked again on
 * the same day, and a publisher who refuses seven days running has said it clearly enough for a
 * person to look. Answers that are rejected for what they contain do not become better by asking
 * quickly: one more look after a quarter of an hour (a cut connection, a page of maintenance), then
 * the next regular time. */
#include "core/polite.h"

#define DAYS_REFUSED_MAX 7
#define BUSY_FIRST_MS MS_PER_MINUTE
#define BUSY_MAX_MS MS_PER_DAY
#define CONTENT_MS (15 * MS_PER_MINUTE)
#define JITTER 0.25

static const int64_t retry_ms[] = {1 * MS_PER_MINUTE, 5 * MS_PER_MINUTE, 15 * MS_PER_MINUTE,
                                   60 * MS_PER_MINUTE};

const char *fetch_fault_name(FetchFault fault) {
        static const char *const names[] = {
                [FETCH_OK] = "ok",           [FETCH_TRANSPORT] = "transport",
                [FETCH_SERVER] = "server",   [FETCH_BUSY] = "busy",
                [FETCH_REFUSED] = "refused", [FETCH_LOGIN] = "login",
                [FETCH_CONTENT] = "content", [FETCH_SUSPECT] = "suspect",
        };
        return (size_t) fault < ELEMENTSOF(names) ? names[fault] : "unknown";
}

static int64_t with_jitter(int64_t ms, double random01) {
        return ms + (int64_t) ((double) ms * JITTER * random01);
}

static int64_t after_busy(PoliteState *state, int64_t retry_after_ms, int64_t now_ms) {
        if (retry_after_ms > 0)
                return now_ms + MIN(retry_after_ms, BUSY_MAX_MS);
        state->backoff_ms =
                state->backoff_ms > 0 ? MIN(state->backoff_ms * 2, BUSY_MAX_MS) : BUSY_FIRST_MS;
        return now_ms + state->backoff_ms;
}

static int64_t after_refusal(PoliteState *state, int64_t now_ms, int64_t regular_next_ms) {
        Day today = day_of_instant(now_ms);
        if (state->refused_days == 0 || state->refused_day != today)
                state->refused_days++;
        state->refused_day = today;
        state->is_stopped |= state->refused_days >= DAYS_REFUSED_MAX;
        return MAX(regular_next_ms, day_start_ms(today + 1));
}

void polite_after(PoliteState *state, FetchFault fault, int64_t retry_after_ms, int64_t now_ms,
                  int64_t regular_next_ms, double random01) {
        if (fault == FETCH_OK || fault == FETCH_SUSPECT) {
                *state = (PoliteState){.last = fault};
                return;
        }
        state->last = fault;
        state->failures += state->failures < INT32_MAX;
        switch (fault) {
        case FETCH_BUSY:
                state->next_ms = after_busy(state, retry_after_ms, now_ms);
                return;
        case FETCH_REFUSED:
        case FETCH_LOGIN:
                state->next_ms = after_refusal(state, now_ms, regular_next_ms);
                return;
        case FETCH_CONTENT:
                state->next_ms =
                        state->failures > 1
                                ? regular_next_ms
                                : MIN(now_ms + with_jitter(CONTENT_MS, random01), regular_next_ms);
                return;
        default: {
                size_t step = MIN((size_t) state->failures - 1, ELEMENTSOF(retry_ms) - 1);
                state->next_ms =
                        MIN(now_ms + with_jitter(retry_ms[step], random01), regular_next_ms);
                return;
        }
        }
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* `word` in lower case; strncasecmp() would ask the locale. */
static bool begins(const char *text, const char *word) {
        for (; *word; text++, word++)
                if (lower(*text) != *word)
                        return false;
        return true;
}

static bool contains(const char *text, size_t n, const char *word) {
        size_t length = strlen(word);
        for (size_t i = 0; i + length <= n; i++)
                if (begins(text + i, word))
                        return true;
        return false;
}

static bool type_contains(const char *content_type, const char *word) {
        return contains(content_type, strlen(content_type), word);
}

static bool is_html(const char *content_type, const char *body, size_t n) {
        if (content_type && type_contains(content_type, "html"))
                return true;
        size_t i = 0;
        while (i < n && body[i] != '\0' && strchr(" \t\r\n\xef\xbb\xbf", body[i]))
                i++;
        return i < n && body[i] == '<';
}

static bool is_block_page(const char *content_type, const char *body, size_t n) {
        return is_html(content_type, body, n) &&
               (contains(body, n, "request rejected") || contains(body, n, "support id"));
}

/* Types in which JSON is served, rightly or not; the decoder looks at the text itself. */
static bool is_data_type(const char *content_type) {
        static const char *const types[] = {"json", "text/plain", "octet-stream", "text/csv"};
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (type_contains(content_type, types[i]))
                        return true;
        return false;
}

static FetchFault classify_success(const char *content_type, const char *body, size_t n,
                                   const char **ret_reason) {
        if (is_html(content_type, body, n)) {
                *ret_reason = "HTML instead of JSON";
                return FETCH_CONTENT;
        }
        if (content_type && *content_type && !is_data_type(content_type)) {
                *ret_reason = "wrong content type";
                return FETCH_CONTENT;
        }
        *ret_reason = "";
        return FETCH_OK;
}

static FetchFault classify_failure(int status, const char **ret_reason) {
        static const struct {
                int first, last;
                FetchFault fault;
                const char *reason;
        } table[] = {
                {401, 401, FETCH_LOGIN, "login refused"},
                {403, 403, FETCH_REFUSED, "refused"},
                {406, 406, FETCH_REFUSED, "refused"},
                {429, 429, FETCH_BUSY, "too many requests"},
                {451, 451, FETCH_REFUSED, "refused"},
                {503, 503, FETCH_BUSY, "not available"},
                {404, 404, FETCH_SERVER, "not found"},
                {300, 399, FETCH_SERVER, "redirected"},
                {400, 499, FETCH_SERVER, "request not understood"},
                {500, 599, FETCH_SERVER, "server error"},
                {0, 0, FETCH_TRANSPORT, "no answer"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (status >= table[i].first && status <= table[i].last) {
                        *ret_reason = table[i].reason;
                        return table[i].fault;
                }
        *ret_reason = "unexpected status";
        return FETCH_SERVER;
}

FetchFault polite_classify(int status, const char *content_type, const char *body_head, size_t n,
                           const char **ret_reason) {
        const char *unused;
        const char **reason = ret_reason ? ret_reason : &unused;
        if (status == 304) {
                *reason = "";
                return FETCH_OK;
        }
        bool is_plain = status != 401 && status != 429 && status != 503;
        if (is_plain && is_block_page(content_type, body_head, n)) {
                *reason = "block page";
                return FETCH_REFUSED;
        }
        if (status == 200 || status == 201)
                return classify_success(content_type, body_head, n, reason);
        return classify_failure(status, reason);
}

/* ---- regular times ------------------------------------------------------------------------------
 */

/* The grid without its offset: the last regular time at or before t. */
static int64_t grid_last(const SourceDef *source, int64_t t) {
        int64_t start = day_start_ms(day_of_instant(t));
        if (source->every_ms <= 0) {
                int64_t at = start + (int64_t) MAX(source->at_minute, 0) * MS_PER_MINUTE;
                return at <= t ? at : at - MS_PER_DAY;
        }
        if (source->every_ms < MS_PER_DAY)
                return start + (t - start) / source->every_ms * source->every_ms;
        /* Longer than a day: counted from local midnight of 1970-01-01, so that it does not depend
         * on when the daemon was started. */
        int64_t first = day_start_ms(0), rest = (t - first) % source->every_ms;
        return t - (rest < 0 ? rest + source->every_ms : rest);
}

static int64_t grid_next(const SourceDef *source, int64_t t) {
        int64_t last = grid_last(source, t);
        if (source->every_ms <= 0)
                return last + MS_PER_DAY;
        int64_t next = last + source->every_ms;
        if (source->every_ms >= MS_PER_DAY)
                return next;
        return MIN(next, day_start_ms(day_of_instant(t) + 1)); /* each day begins anew */
}

int64_t polite_regular_next(const SourceDef *source, int64_t offset_ms, int64_t after_ms) {
        return grid_next(source, after_ms - offset_ms) + offset_ms;
}

int64_t polite_regular_last(const SourceDef *source, int64_t offset_ms, int64_t now_ms) {
        return grid_last(source, now_ms - offset_ms) + offset_ms;
}
