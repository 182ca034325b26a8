/* `chisoctl check`: a plugin for Nagios, Icinga and what understands them.
 *
 * Critical is what stops the work until a person acts: no daemon, a trouble of the status line, a
 * source that is stopped or refused. A warning is what a person should look at: conditions, dead
 * messages, paused channels, warnings of the configuration, the limits of the options. An alert about a
 * unit is the daemon's own business and changes no state. Unknown is an answer that we do not
 * understand. */
#include "ctl/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "ctl/show-util.h"

#define LINE_MAX_BYTES ((size_t) 64 << 10)

typedef struct Finding {
        CheckState state;
        Buf text; /* "a; b": the worst first is not worth a sort, all of them stand there */
} Finding;

static int find(Finding *f, CheckState state, const char *format, ...) PRINTF_LIKE(3, 4);
static int find(Finding *f, CheckState state, const char *format, ...) {
        va_list ap;
        int r = f->text.len ? buf_str(&f->text, "; ") : 0;

        f->state = MAX(f->state, state);
        va_start(ap, format);
        if (r == 0)
                r = buf_vprintf(&f->text, format, ap);
        va_end(ap);
        return r;
}

static const char *state_name(CheckState state) {
        static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

        return names[state];
}

/* A bar would begin the performance data, an end of line a second line. */
static int add_words(Buf *b, const char *text) {
        int r = 0;

        for (const char *p = text; r == 0 && *p; p++)
                r = buf_char(b, *p == '|' ? '/' : *p == '\n' ? ' ' : *p);
        return r;
}

int check_short(CheckState state, const char *reason, Buf *ret_line) {
        int r = buf_printf(ret_line, "CHISOD %s - ", state_name(state));
        return r == 0 ? add_words(ret_line, reason) : r;
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static int find_sources(const Ctl *ctl, const json_t *status, Finding *f) {
        const json_t *source;
        size_t i;
        int r = 0;

        json_array_foreach(at(status, "sources"), i, source) {
                const char *state = at_text(source, "state"), *name = at_text(source, "name");

                if (r == 0 && streq(state, "stopped"))
                        r = find(f, CHECK_CRITICAL,
                                 SAID(ctl, "nguồn %s đã dừng", "source %s is stopped"), name);
                else if (r == 0 && streq(state, "refused"))
                        r = find(f, CHECK_CRITICAL,
                                 SAID(ctl, "nguồn %s bị từ chối", "source %s is refused"), name);
                else if (r == 0 && streq(state, "failing"))
                        r = find(f, CHECK_WARNING,
                                 SAID(ctl, "nguồn %s không lấy được", "source %s is failing"),
                                 name);
        }
        return r;
}

static int find_counts(const Ctl *ctl, const json_t *status, const CheckLimits *limits,
                       Finding *f) {
        int64_t queued = at_int(status, "outbox.ready") + at_int(status, "outbox.started");
        int r = 0;

        if (at_int(status, "outbox.dead") > 0)
                r = find(f, CHECK_WARNING,
                         SAID(ctl, "%" PRId64 " thư hỏng", "%" PRId64 " dead messages"),
                         at_int(status, "outbox.dead"));
        if (r == 0 && limits->max_queued >= 0 && queued > limits->max_queued)
                r = find(f, CHECK_WARNING,
                         SAID(ctl, "%" PRId64 " thư chờ (quá %" PRId64 ")",
                              "%" PRId64 " messages queued (over %" PRId64 ")"),
                         queued, limits->max_queued);
        return r;
}

/* One finding per object or text of the list, as bad as its severity says. */
static int find_list(const json_t *list, const char *title, const char *member, Finding *f) {
        const json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, item) {
                bool is_critical = streq(at_text(item, "severity"), "critical");
                const char *text =
                        json_is_string(item) ? json_string_value(item) : at_text(item, member);

                r = find(f, is_critical ? CHECK_CRITICAL : CHECK_WARNING, "%s%s%s", title,
                         *title ? ": " : "", text);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Seconds since the newest figures came, by the daemon's own clock; negative: none yet. */
static int64_t figures_age_ms(const json_t *status) {
        const json_t *period;
        int64_t now_ms = 0, newest_ms = INT64_MIN;
        size_t i;

        if (instant_parse(at_text(status, "now"), &now_ms) < 0)
                return -1;
        json_array_foreach(at(status, "periods"), i, period) {
                int64_t at_ms;

                if (instant_parse(at_text(period, "fetched"), &at_ms) >= 0)
                        newest_ms = MAX(newest_ms, at_ms);
        }
        return newest_ms == INT64_MIN ? -1 : MAX(now_ms - newest_ms, 0);
}

static int find_age(const Ctl *ctl, int64_t age_ms, const CheckLimits *limits, Finding *f) {
        if (limits->max_age_ms == 0)
                return 0;
        if (age_ms < 0)
                return find(f, CHECK_WARNING, "%s", SAID(ctl, "chưa có số liệu", "no figures yet"));
        if (age_ms <= limits->max_age_ms)
                return 0;
        return find(f, CHECK_CRITICAL,
                    SAID(ctl, "số liệu lấy cách đây %" PRId64 " giờ",
                         "figures were fetched %" PRId64 " hours ago"),
                    age_ms / (3600 * MS_PER_SECOND));
}

static int find_all(const Ctl *ctl, const json_t *status, const CheckLimits *limits, int64_t age_ms,
                    Finding *f) {
        const char *trouble = at_text(status, "trouble");
        int r = *trouble ? find(f, CHECK_CRITICAL, "%s", trouble) : 0;

        if (r == 0 && !*trouble && *at_text(status, "store_error"))
                r = find(f, CHECK_CRITICAL, SAID(ctl, "cơ sở dữ liệu: %s", "database: %s"),
                         at_text(status, "store_error"));
        if (r == 0)
                r = find_sources(ctl, status, f);
        if (r == 0)
                r = find_age(ctl, age_ms, limits, f);
        if (r == 0)
                r = find_counts(ctl, status, limits, f);
        if (r == 0)
                r = find_list(at(status, "paused"), SAID(ctl, "kênh tạm dừng", "paused"), "channel",
                              f);
        if (r == 0)
                r = find_list(at(status, "holds"), "", "subject_text", f);
        if (r == 0)
                r = find_list(at(status, "conditions"), SAID(ctl, "vận hành", "condition"),
                              "subject_text", f);
        return r == 0 ? find_list(at(status, "warnings"), "", "", f) : r;
}

/* ---- the line -------------------------------------------------------------------------------- */

static int add_fine(const Ctl *ctl, const json_t *status, Buf *out) {
        const json_t *period = json_array_get(at(status, "periods"), 0);

        if (!period)
                return buf_str(out, SAID(ctl, "chưa có số liệu", "no figures yet"));
        int r = buf_printf(
                out, SAID(ctl, "%" PRId64 "/%" PRId64 " đơn vị ", "%" PRId64 "/%" PRId64 " units "),
                at_int(period, "with_value"), at_int(period, "units"));
        if (r == 0)
                r = add_words(out, at_text(period, "label"));
        if (r == 0)
                r = buf_printf(out, SAID(ctl, ", %" PRId64 " cảnh báo", ", %" PRId64 " alerts"),
                               at_int(status, "alerts.open"));
        return r;
}

static int add_figures(const json_t *status, int64_t age_ms, Buf *out) {
        const json_t *free_bytes = at(status, "storage.free");
        int r = buf_printf(out,
                           " | alerts=%" PRId64 " critical=%" PRId64 " held=%" PRId64
                           " queued=%" PRId64 " dead=%" PRId64 " size=%" PRId64 "B",
                           at_int(status, "alerts.open"), at_int(status, "alerts.critical"),
                           at_int(status, "alerts.held"),
                           at_int(status, "outbox.ready") + at_int(status, "outbox.started"),
                           at_int(status, "outbox.dead"), at_int(status, "storage.bytes"));
        if (r == 0 && json_is_integer(free_bytes))
                r = buf_printf(out, " free=%" PRId64 "B", (int64_t) json_integer_value(free_bytes));
        if (r == 0 && age_ms >= 0)
                r = buf_printf(out, " age=%" PRId64 "s", age_ms / MS_PER_SECOND);
        return r;
}

int check_line(const Ctl *ctl, const json_t *status, const CheckLimits *limits, Buf *ret_line,
               CheckState *ret) {
        int64_t age_ms = figures_age_ms(status);
        Finding f = {.text = BUF_INIT(LINE_MAX_BYTES)};

        int r = find_all(ctl, status, limits, age_ms, &f);
        if (r == 0)
                r = check_short(f.state, buf_text(&f.text), ret_line);
        if (r == 0 && f.text.len == 0)
                r = add_fine(ctl, status, ret_line);
        if (r == 0)
                r = add_figures(status, age_ms, ret_line);
        buf_done(&f.text);
        if (r == 0)
                *ret = f.state;
        return r;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int end(const Ctl *ctl, CheckState state, const Buf *line) {
        json_t *json = ctl->is_json ? json_pack("{s:s, s:i, s:s}", "state", state_name(state),
                                                "status", (int) state, "line", buf_text(line))
                                    : NULL;
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

        (void) printf("%s\n", text ? text : buf_text(line));
        free(text);
        json_decref(json);
        return fflush(stdout) == 0 ? (int) state : (int) CHECK_UNKNOWN;
}

static int end_short(const Ctl *ctl, CheckState state, const char *reason) {
        CLEANUP(buf_done) Buf line = BUF_INIT(LINE_MAX_BYTES);

        (void) check_short(state, reason, &line);
        return end(ctl, state, &line);
}

static int read_limits(const Ctl *ctl, CheckLimits *ret) {
        const char *age = ctl_option(ctl, "max-age"), *queued = ctl_option(ctl, "max-queued");
        CheckLimits limits = {.max_queued = -1};

        if (age && (duration_parse(age, &limits.max_age_ms) < 0 || limits.max_age_ms == 0))
                return -EINVAL;
        if (queued) {
                if (strspn(queued, "0123456789") != strlen(queued) || strlen(queued) > 9)
                        return -EINVAL;
                limits.max_queued = strtoll(queued, NULL, 10);
        }
        *ret = limits;
        return 0;
}

int command_check(Ctl *ctl) {
        CLEANUP(buf_done) Buf line = BUF_INIT(LINE_MAX_BYTES);
        CheckState state = CHECK_UNKNOWN;
        CheckLimits limits;
        json_t *status = NULL;

        if (read_limits(ctl, &limits) < 0)
                return end_short(ctl, CHECK_UNKNOWN,
                                 SAID(ctl, "viết --max-age 2d, --max-queued 100",
                                      "write --max-age 2d, --max-queued 100"));
        int r = client_get(ctl, "/v1/status", NULL, &status);
        if (r == EXIT_UNREACHABLE)
                return end_short(
                        ctl, CHECK_CRITICAL,
                        SAID(ctl, "không liên lạc được chisod", "chisod is not reachable"));
        if (r != EXIT_FINE)
                return end_short(ctl, CHECK_UNKNOWN,
                                 SAID(ctl, "trả lời của chisod không hiểu được",
                                      "chisod's answer is not understood"));
        ctl->is_vi = strncmp(at_text(status, "language"), "en", 2) != 0;
        r = check_line(ctl, status, &limits, &line, &state);
        json_decref(status);
        if (r < 0)
                return end_short(ctl, CHECK_UNKNOWN, strerror(-r));
        return end(ctl, state, &line);
}
