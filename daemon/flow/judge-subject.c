/* Episodes of subjects: sources, holds, notices. They are no fold over periods: one is opened and
 * closed by who knows, is named by the step that opened it, and is told to operators. */
#include <errno.h>
#include <stdio.h>

#include "flow/judge.h"
#include "store/alert.h"

int judge_subject(App *app, StepId step, int64_t now_ms, const char *rule, const char *subject,
                  bool is_on, Severity severity, const char *text) {
        Episode *e = NULL;
        size_t n = 0, found = 0;
        int r = store_episodes(app->store,
                               &(EpisodeFilter){.rule = rule, .is_live = true, .subject = subject},
                               &e, &n);
        if (r < 0)
                return r;
        while (found < n && !streq_ptr(e[found].subject, subject))
                found++;
        /* `last` dates a subject's episode by the month, so that old ones fall out of what the
         * teller reads. */
        PeriodId month = period_of_day(PERIOD_MONTH, day_of_instant(now_ms));
        Episode made = {.rule = rule,
                        .subject = subject,
                        .first = step,
                        .last = month,
                        .state = EPISODE_OPEN,
                        .severity = severity,
                        .value = VALUE_NONE,
                        .previous = VALUE_NONE,
                        .limit = VALUE_NONE,
                        .delta = VALUE_NONE,
                        .length = 1};
        Episode *one = found < n ? &e[found] : is_on ? &made : NULL;
        TransitionKind kind = TRANSITION_OPENED;
        if (one == &e[found] && found < n) {
                kind = !is_on ? TRANSITION_CLOSED : severity > one->severity ? TRANSITION_WORSE : 0;
                one->state = is_on ? EPISODE_OPEN : EPISODE_CLOSED;
                one->end = is_on ? END_NONE : END_CLEAR;
                one->severity = MAX(severity, one->severity);
                one->last = month;
        }
        if (one && kind) {
                app->is_tell_due = true;
                r = store_episode_put(app->store, step, one);
                TransitionRow row = {.episode = one->id,
                                     .step = step,
                                     .at_ms = now_ms,
                                     .kind = kind,
                                     .value = VALUE_NONE,
                                     .previous_value = VALUE_NONE,
                                     .limit = VALUE_NONE,
                                     .severity = one->severity,
                                     .reason = (char *) text};
                if (r >= 0)
                        r = store_transition_add(app->store, step, one, &row);
        }
        store_episodes_free(e, n);
        return r < 0 ? r : 0;
}

/* ---- holds ----------------------------------------------------------------------------------- */

static const char *kind_noun(const App *app, const char *kind) {
        if (streq(kind, "commune"))
                return app_is_vi(app) ? "xã" : "communes";
        if (streq(kind, "province"))
                return app_is_vi(app) ? "tỉnh" : "provinces";
        return app_is_vi(app) ? "đơn vị" : "units";
}

/* "104/104 xã mở cảnh báo progress-low - tháng 8/2024: kiểm tra ngưỡng, công thức hoặc nguồn" */
static void hold_text(const App *app, const Hold *h, char *text, size_t size) {
        bool is_vi = app_is_vi(app);
        char vi[48], en[16];
        const char *noun = kind_noun(app, h->kind);
        const char *period = is_vi ? period_format_vi(vi, h->period) : period_format(en, h->period);
        if (h->is_on)
                (void) snprintf(
                        text, size,
                        is_vi ? "%zu/%zu %s mở cảnh báo %s - %s%s: kiểm tra ngưỡng, công thức hoặc "
                                "nguồn"
                              : "%zu/%zu %s open %s - %s%s: check limit, formula or source",
                        h->n_opening, h->n_units, noun, h->rule, period,
                        !h->is_by_jump ? ""
                        : is_vi        ? " (trung vị thay đổi đột ngột)"
                                       : " (the median jumped)");
        else if (h->is_released)
                (void) snprintf(text, size,
                                is_vi ? "đã hết giữ: cảnh báo %s của các %s được chấp nhận - %s"
                                      : "no longer held: %s of the %s was accepted - %s",
                                h->rule, noun, period);
        else
                (void) snprintf(text, size,
                                is_vi ? "đã hết giữ: không còn quá nhiều %s cùng mở cảnh báo %s - "
                                        "%s"
                                      : "no longer held: not too many %s open %s any more - %s",
                                noun, h->rule, period);
}

int judge_hold(App *app, const JudgeScope *scope, const Hold *hold) {
        char text[512];
        hold_text(app, hold, text, sizeof text);
        return judge_subject(app, scope->step, scope->now_ms, "mass-guard", hold->subject,
                             hold->is_on, SEVERITY_CRITICAL, text);
}

/* ---- eras ------------------------------------------------------------------------------------ */

static int era_text(const App *app, const EraHint *h, Buf *text) {
        bool is_vi = app_is_vi(app);
        const char *noun = kind_noun(app, h->kind);
        char vi[48], en[16], now[DECIMAL_TEXT_MAX], before[DECIMAL_TEXT_MAX], day[16];
        const char *period = is_vi ? period_format_vi(vi, h->period) : period_format(en, h->period);
        if (h->now == VALUE_NONE)
                return buf_printf(text,
                                  is_vi ? "không còn thay đổi đột ngột giữa hai kỳ: %s của các %s"
                                        : "no longer a jump between two periods: %s of the %s",
                                  h->indicator->name, noun);
        int r = buf_printf(
                text,
                is_vi ? "trung vị %s của %zu %s đổi từ %s thành %s - %s: nếu cách tính đã "
                        "thay đổi thì hai kỳ không so được với nhau; hãy thêm vào "
                        "chisod.conf: "
                      : "the median of %s of %zu %s went from %s to %s - %s: if the "
                        "formula changed, the two periods cannot be compared; add to "
                        "chisod.conf: ",
                h->indicator->name, h->n_units, noun,
                decimal_format(before, h->before, h->indicator->decimals),
                decimal_format(now, h->now, h->indicator->decimals), period);
        return r < 0 ? r
                     : buf_printf(text, "[era %s] from = %s reason = %s indicators = %s",
                                  period_format(en, h->period),
                                  day_format(day, period_start(h->period)),
                                  is_vi ? "(lý do)" : "(why)", h->indicator->name);
}

int judge_era(App *app, const JudgeScope *scope, const EraHint *hint) {
        CLEANUP(buf_done) Buf text = BUF_INIT(2048), subject = BUF_INIT(1024);
        int r = era_text(app, hint, &text);
        if (r == 0)
                r = buf_printf(&subject, "era:%s/%s/%s", hint->indicator->name, hint->parent,
                               hint->kind);
        return r < 0 ? r
                     : judge_subject(app, scope->step, scope->now_ms, "era-begins",
                                     buf_text(&subject), hint->now != VALUE_NONE, SEVERITY_WARNING,
                                     buf_text(&text));
}

/* ---- rules of our own ------------------------------------------------------------------------- */

bool judge_is_builtin(const char *rule) {
        static const char *const names[] = {
                "mass-guard",       "era-begins",        "suspect-snapshot", "unknown-units",
                "source-refused",   "rules-changed",     "template-broken",  "dead-letter",
                "database-damaged", "database-restored", "operator-report",  "warning",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], rule))
                        return true;
        return false;
}

/* ---- notices --------------------------------------------------------------------------------- */

/* Closed from the start and `late`: the plan tells such an episode once and never again. */
int judge_notice(App *app, StepId step, int64_t now_ms, const char *rule, const char *subject,
                 const char *text) {
        Episode e = {.rule = rule,
                     .subject = subject,
                     .first = step,
                     .last = period_of_day(PERIOD_MONTH, day_of_instant(now_ms)),
                     .state = EPISODE_CLOSED,
                     .end = END_CLEAR,
                     .severity = SEVERITY_WARNING,
                     .value = VALUE_NONE,
                     .previous = VALUE_NONE,
                     .limit = VALUE_NONE,
                     .delta = VALUE_NONE,
                     .length = 1,
                     .is_late = true};
        TransitionRow row = {.step = step,
                             .at_ms = now_ms,
                             .kind = TRANSITION_AMENDED,
                             .value = VALUE_NONE,
                             .previous_value = VALUE_NONE,
                             .limit = VALUE_NONE,
                             .severity = e.severity,
                             .reason = (char *) text};
        int r = store_episode_put(app->store, step, &e);
        if (r == -EEXIST) /* the same twice in one step */
                return 0;
        row.episode = e.id;
        app->is_tell_due = true;
        return r < 0 ? r : store_transition_add(app->store, step, &e, &row);
}

/* "hold:RULE/PARENT/KIND" of a rule that is gone, "era:INDICATOR/PARENT/KIND" of an indicator that is,
 * "source:NAME..." of a source or rule. */
static bool is_orphan(const App *app, const Episode *e) {
        const char *colon = e->subject ? strchr(e->subject, ':') : NULL;
        char name[256];
        if (!colon)
                return false;
        (void) snprintf(name, sizeof name, "%.*s", (int) strcspn(colon + 1, "/"), colon + 1);
        if (strncmp(e->subject, "hold:", 5) == 0) {
                int i = config_rule(app->config, name);
                return i < 0 || app->config->rules[i].is_off;
        }
        if (strncmp(e->subject, "era:", 4) == 0)
                return config_indicator(app->config, name) < 0;
        if (strncmp(e->subject, "source:", 7) != 0)
                return false;
        int i = config_rule(app->config, e->rule);
        return config_source(app->config, name) < 0 ||
               (!streq(e->rule, "source-refused") && (i < 0 || app->config->rules[i].is_off));
}

static const char *orphan_text(const App *app, const char *subject) {
        if (strncmp(subject, "hold:", 5) == 0)
                return app_is_vi(app) ? "đã hết giữ: quy tắc đã bỏ"
                                      : "no longer held: the rule is gone";
        return app_is_vi(app) ? "không còn được cấu hình" : "no longer configured";
}

int judge_end_orphans(App *app, StepId step, int64_t now_ms) {
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(app->store, &(EpisodeFilter){.is_live = true, .is_subject = true},
                               &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (is_orphan(app, &e[i]))
                        r = judge_subject(app, step, now_ms, e[i].rule, e[i].subject, false,
                                          e[i].severity, orphan_text(app, e[i].subject));
        store_episodes_free(e, n);
        return MIN(r, 0);
}
