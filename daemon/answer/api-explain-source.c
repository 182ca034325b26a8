/* explain RULE SOURCE: the same of rules that watch sources. The looks are those of flow/watch, at
 * the moment of asking, so that an answer between two attempts says what the next one will find. */
#include <errno.h>
#include <stdio.h>

#include "answer/api-explain.h"
#include "core/rule.h"
#include "flow/message.h"
#include "flow/watch.h"
#include "os/clock.h"

typedef struct Watched {
        ApiCall *c;
        const RuleDef *rule;
        int64_t now_ms;
        Facts facts;
        const PlanEpisode *episode; /* the newest of what is explained; or NULL */
        bool is_on;
} Watched;

/* One source and period type. */
typedef struct Case {
        const SourceDef *source;
        PeriodType type;
        WatchLook look;
        const PlanEpisode *episode;
} Case;

#define SAY(w, ...) EXPLAIN_SAY((w)->c, __VA_ARGS__)

/* "portal (theo tháng)": what a line is about. */
static const char *case_label(const Watched *w, const Case *k, char *text, size_t size) {
        static const char *const types[][2] = {
                [PERIOD_MONTH] = {" (theo tháng)", " (monthly)"},
                [PERIOD_QUARTER] = {" (theo quý)", " (quarterly)"},
                [PERIOD_HALF] = {" (6 tháng)", " (half-yearly)"},
                [PERIOD_YEAR] = {" (theo năm)", " (yearly)"},
        };
        bool is_plain = w->rule->when.kind == CONDITION_SOURCE_FAILING;
        (void) snprintf(text, size, "%s%s", k->source->name,
                        is_plain ? "" : types[k->type][!app_is_vi(w->c->app)]);
        return text;
}

static bool is_open(const Case *k) {
        return k->episode && k->episode->e.state == EPISODE_OPEN;
}

/* ---- why ------------------------------------------------------------------------------------- */

static void why_overdue(Watched *w, const Case *k, const char *label) {
        const WatchLook *l = &k->look;
        char period[VIEW_TEXT_MAX], day[16];
        if (!l->period) {
                SAY(w, "%s: chưa kỳ nào quá hạn %d ngày", "%s: no period is %d days overdue yet",
                    label, w->rule->when.count);
                return;
        }
        (void) view_period_text(period, w->c->app, l->period);
        (void) day_format_vi(day, period_end(l->period) + k->source->due_days);
        if (l->is_on)
                SAY(w,
                    "%s: %s chưa có số liệu ở %zu/%zu phạm vi; hạn %s, đã quá %lld ngày (vi phạm "
                    "từ "
                    "%d ngày)",
                    "%s: no figures of %s in %zu of %zu scopes; due on %s, %lld days ago (a breach "
                    "from %d days)",
                    label, period, l->n, l->of, day, (long long) l->days, w->rule->when.count);
        else
                SAY(w, "%s: %s đã có số liệu (hạn %s)",
                    "%s: the figures of %s are there (due on %s)", label, period, day);
}

static void why_stale(Watched *w, const Case *k, const char *label) {
        const WatchLook *l = &k->look;
        char period[VIEW_TEXT_MAX], changed[24], last[24];
        if (!l->changed_ms) {
                SAY(w, "%s: không có kỳ nào đang chờ số mới (kỳ đã chốt, hoặc chưa có số liệu)",
                    "%s: no period awaits new figures (it is closed, or has none yet)", label);
                return;
        }
        SAY(w,
            "%s: số liệu %s đổi lần cuối %s, lấy được lần cuối %s: %lld ngày không đổi (vi phạm từ "
            "%d "
            "ngày)",
            "%s: figures of %s changed last on %s, were seen last on %s: %lld days without a "
            "change "
            "(a breach from %d days)",
            label, view_period_text(period, w->c->app, l->period),
            instant_format_vi(changed, l->changed_ms), instant_format_vi(last, l->last_ms),
            (long long) l->days, w->rule->when.count);
}

static void why_missing(Watched *w, const Case *k, const char *label) {
        const WatchLook *l = &k->look;
        char period[VIEW_TEXT_MAX];
        if (!l->period) {
                SAY(w, "%s: kỳ mới nhất chưa có số liệu nào: việc của quy tắc overdue",
                    "%s: nothing at all of the newest period yet: that is for `overdue`", label);
                return;
        }
        (void) view_period_text(period, w->c->app, l->period);
        if (l->is_on)
                SAY(w, "%s: %zu đơn vị kỳ trước có số liệu, %s không có: %s",
                    "%s: %zu of the units with a figure the period before have none in %s: %s",
                    label, l->n, period, l->names);
        else
                SAY(w, "%s: mọi đơn vị kỳ trước có số liệu thì %s cũng có",
                    "%s: every unit that had a figure the period before has one in %s", label,
                    period);
}

static void why_failing(Watched *w, const Case *k, const char *label) {
        const WatchLook *l = &k->look;
        bool is_named = l->n > 0 && k->source->n_scopes > 1;
        SAY(w, "%s%s%s: hỏng %zu lần liên tiếp (vi phạm từ %d lần)",
            "%s%s%s: %zu attempts in a row failed (a breach from %d)", label, is_named ? " " : "",
            is_named ? l->names : "", l->n, w->rule->when.count);
}

static void why_restated(Watched *w, const char *label) {
        char least[DECIMAL_TEXT_MAX];
        (void) decimal_format_vi(
                least, w->rule->when.amount,
                w->rule->indicator < 0 ? RULE_DECIMALS
                                       : w->c->app->config->indicators[w->rule->indicator].decimals,
                DECIMAL_TRIM_WHOLE);
        SAY(w,
            "%s: báo một lần mỗi khi số liệu của kỳ đã chốt đổi từ %s trở lên, hoặc không còn; "
            "không "
            "mở, không đóng",
            "%s: one notice whenever a figure of a closed period changes by %s or more, or is "
            "gone; "
            "nothing opens or closes",
            label, least);
        if (w->episode)
                SAY(w, "lần gần nhất: %s", "the last one: %s", str_or(w->episode->e.subject, "-"));
}

static void why(Watched *w, const Case *k) {
        char label[128];
        (void) case_label(w, k, label, sizeof label);
        switch (w->rule->when.kind) {
        case CONDITION_OVERDUE:
                why_overdue(w, k, label);
                break;
        case CONDITION_STALE:
                why_stale(w, k, label);
                break;
        case CONDITION_MISSING:
                why_missing(w, k, label);
                break;
        case CONDITION_SOURCE_FAILING:
                why_failing(w, k, label);
                break;
        default:
                why_restated(w, label);
                break;
        }
        if (k->look.is_inhibited)
                SAY(w, "%s: nguồn đang hỏng, quy tắc này chờ (một nguyên nhân, một cảnh báo)",
                    "%s: the source fails, this rule waits (one alert for one cause)", label);
}

/* ---- what would change it -------------------------------------------------------------------- */

/* The first day on which a period without figures is called overdue. */
static Day overdue_day(const Watched *w, const Case *k, PeriodId *ret) {
        Day today = day_of_instant(w->now_ms);
        PeriodId p =
                k->look.period ? period_next(k->look.period) : period_last_ended(k->type, today);
        *ret = p;
        return period_end(p) + k->source->due_days + w->rule->when.count;
}

static void change_overdue(Watched *w, const Case *k, const char *label) {
        char period[VIEW_TEXT_MAX], day[16];
        PeriodId next = 0;
        if (is_open(k)) {
                SAY(w, "%s: đóng khi có số liệu %s", "%s: closes with the figures of %s", label,
                    view_period_text(period, w->c->app, k->look.period));
                return;
        }
        (void) day_format_vi(day, overdue_day(w, k, &next));
        SAY(w, "%s: mở nếu đến %s vẫn chưa có số liệu %s",
            "%s: opens if by %s there are no figures of %s", label, day,
            view_period_text(period, w->c->app, next));
}

static void change_stale(Watched *w, const Case *k, const char *label) {
        char day[24];
        if (is_open(k)) {
                SAY(w, "%s: đóng khi có số mới, hoặc khi kỳ chốt",
                    "%s: closes with a changed figure, or when the period is closed", label);
        } else if (k->look.changed_ms) {
                int64_t at = k->look.changed_ms + w->rule->when.count * MS_PER_DAY;
                SAY(w, "%s: mở nếu đến %s lấy được mà số vẫn không đổi",
                    "%s: opens if by %s the figures are seen and still unchanged", label,
                    instant_format_vi(day, at));
        }
}

static void change(Watched *w, const Case *k) {
        char label[128];
        (void) case_label(w, k, label, sizeof label);
        switch (w->rule->when.kind) {
        case CONDITION_OVERDUE:
                change_overdue(w, k, label);
                break;
        case CONDITION_STALE:
                change_stale(w, k, label);
                break;
        case CONDITION_MISSING:
                if (is_open(k))
                        SAY(w, "%s: đóng khi các đơn vị này có số liệu, hoặc không còn tồn tại",
                            "%s: closes when these units have figures, or are no more", label);
                else
                        SAY(w, "%s: mở khi một đơn vị kỳ trước có số liệu mà kỳ này không",
                            "%s: opens when a unit with a figure the period before has none",
                            label);
                break;
        case CONDITION_SOURCE_FAILING:
                if (is_open(k))
                        SAY(w, "%s: đóng sau một lần lấy được", "%s: closes with one good attempt",
                            label);
                else
                        SAY(w, "%s: mở sau %d lần hỏng nữa liên tiếp",
                            "%s: opens after %d more failures in a row", label,
                            MAX(w->rule->when.count - (int) k->look.n, 1));
                break;
        default:
                break;
        }
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* "source:NAME/month", "source:NAME" and "source:NAME/SCOPE", "restated:NAME/2024-08". */
static bool is_of_case(const Watched *w, const Case *k, const char *subject) {
        const char *colon = strchr(subject, ':');
        size_t n = strlen(k->source->name);
        if (!colon || strncmp(colon + 1, k->source->name, n) != 0)
                return false;
        const char *rest = colon + 1 + n;
        if (w->rule->when.kind == CONDITION_SOURCE_FAILING ||
            w->rule->when.kind == CONDITION_RESTATED)
                return *rest == '\0' || *rest == '/';
        return *rest == '/' && streq(rest + 1, period_type_name(k->type));
}

static void find_episode(Watched *w, Case *k) {
        for (size_t i = 0; i < w->facts.n_episodes; i++) {
                const PlanEpisode *p = &w->facts.plan[i];
                if (p->e.unit == 0 && streq(p->e.rule, w->rule->name) && p->e.subject &&
                    is_of_case(w, k, p->e.subject) &&
                    (!k->episode || p->e.first > k->episode->e.first))
                        k->episode = p;
        }
        if (k->episode && (!w->episode || is_open(k)))
                w->episode = k->episode;
}

typedef struct Cases {
        Case *items;
        size_t n, cap;
} Cases;

static int add_case(Watched *w, Cases *l, const SourceDef *source, PeriodType type) {
        int r = ARRAY_GROW(l->items, l->cap, l->n + 1);
        if (r < 0)
                return r;
        Case *k = &l->items[l->n++];
        *k = (Case){.source = source, .type = type};
        if (!w->rule->is_off)
                r = watch_look(w->c->app, w->rule, source, type, w->now_ms, &k->look);
        find_episode(w, k);
        /* What stood before the source failed is left as it is. */
        w->is_on = w->is_on || (k->look.is_on && (!k->look.is_inhibited || is_open(k)));
        return r;
}

/* Failing and notices are a source's, the others are of each of its period types. */
static int add_source(Watched *w, Cases *l, const SourceDef *source) {
        ConditionKind kind = w->rule->when.kind;
        bool is_whole = kind == CONDITION_SOURCE_FAILING || kind == CONDITION_RESTATED;
        int r = 0;
        for (size_t t = 0;
             r >= 0 && t < (is_whole ? MIN(source->n_periods, 1u) : source->n_periods); t++)
                r = add_case(w, l, source, source->periods[t]);
        return r;
}

static void write_sentences(Watched *w, const Cases *l) {
        JsonOut *o = &w->c->out;
        json_out_array(o, "why");
        if (w->rule->is_off)
                SAY(w, "quy tắc đang tắt", "the rule is off");
        for (size_t i = 0; !w->rule->is_off && i < l->n; i++)
                why(w, &l->items[i]);
        json_out_end_array(o);
        json_out_array(o, "would_change");
        for (size_t i = 0; !w->rule->is_off && i < l->n; i++)
                change(w, &l->items[i]);
        if (!w->rule->is_off)
                SAY(w, "xét lại sau mỗi lần lấy số liệu và lúc 0 giờ mỗi ngày",
                    "judged again after each attempt and at each midnight");
        json_out_end_array(o);
}

static int write_answer(Watched *w, const Cases *l, int source) {
        JsonOut *o = &w->c->out;
        char day[16];
        json_out_object(o, NULL);
        json_out_text(o, "rule", w->rule->name);
        json_out_text(o, "rule_text", w->rule->text);
        json_out_null(o, "unit");
        json_out_text(o, "source", source < 0 ? NULL : w->c->app->config->sources[source].name);
        json_out_null(o, "indicator");
        json_out_null(o, "period");
        json_out_text(o, "verdict", w->is_on ? "breach" : "clear");
        json_out_text(o, "state", explain_state(w->c, w->episode));
        if (w->episode)
                json_out_int(o, "alert", w->episode->e.id);
        else
                json_out_null(o, "alert");
        json_out_null(o, "value");
        json_out_null(o, "text");
        json_out_null(o, "limit");
        json_out_null(o, "limit_text");
        write_sentences(w, l);
        int r = explain_telling(w->c, &w->facts, w->rule, w->episode);
        json_out_null(o, "next_period");
        json_out_text(o, "next_from", day_format(day, day_of_instant(w->now_ms) + 1));
        json_out_end_object(o);
        return r;
}

int explain_source(ApiCall *c, const RuleDef *rule, int source) {
        const Config *config = c->app->config;
        Watched w = {.c = c, .rule = rule, .now_ms = clock_now_ms()};
        Cases cases = {0};
        int r = facts_load(c->app, w.now_ms, &w.facts);
        for (size_t i = 0; r >= 0 && i < config->n_sources; i++)
                if (source < 0 || (size_t) source == i)
                        r = add_source(&w, &cases, &config->sources[i]);
        if (r >= 0)
                r = write_answer(&w, &cases, source);
        free(cases.items);
        facts_done(&w.facts);
        return r;
}
