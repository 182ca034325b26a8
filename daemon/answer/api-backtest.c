/* What a rule would have told, day by day. It takes seconds: 202 says that it goes on, and to ask
 * again. */
#include <errno.h>

#include "answer/api-call.h"
#include "answer/subject.h"
#include "base/timeutil.h"
#include "flow/backtest.h"
#include "os/clock.h"

typedef struct Answer {
        ApiCall *c;
        const Backtest *found;
        const IndicatorDef *def;
} Answer;

static void write_about(const Answer *a, UnitId unit, const char *subject, PeriodId period) {
        JsonOut *o = &a->c->out;
        if (unit)
                view_unit(o, "unit", &a->c->view, unit, a->c->view.today);
        else
                json_out_null(o, "unit");
        subject_write(o, &a->c->view, subject, /* is_over= */ false);
        if (period)
                json_out_period(o, "period", period);
        else
                json_out_null(o, "period");
}

static void write_transition(const Answer *a, const BacktestTransition *t) {
        JsonOut *o = &a->c->out;
        json_out_object(o, NULL);
        json_out_instant(o, "at", t->at_ms);
        json_out_text(o, "transition", t->kind);
        write_about(a, t->unit, t->subject, t->period);
        view_value(o, "value", a->c->app, t->unit ? a->def : NULL, t->value, 0);
        view_value(o, "limit", a->c->app, t->unit ? a->def : NULL, t->limit, 0);
        json_out_bool(o, "held", t->is_held);
        json_out_text(o, "reason", t->reason);
        json_out_end_object(o);
}

static void write_message(const Answer *a, const BacktestMessage *m) {
        JsonOut *o = &a->c->out;
        json_out_object(o, NULL);
        json_out_instant(o, "at", m->at_ms);
        json_out_text(o, "target", m->target);
        json_out_text(o, "subject", m->subject);
        json_out_array(o, "items");
        for (size_t i = m->first; i < m->first + m->n; i++) {
                const BacktestItem *item = &a->found->items[i];
                json_out_object(o, NULL);
                json_out_text(o, "say", item->say);
                write_about(a, item->unit, item->subject, item->period);
                view_value(o, "value", a->c->app, item->unit ? a->def : NULL, item->value, 0);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        json_out_end_object(o);
}

/* Both lists are in the order of time. */
static void write_days(const Answer *a) {
        JsonOut *o = &a->c->out;
        const Backtest *b = a->found;
        size_t t = 0, m = 0;
        json_out_array(o, "days");
        while (t < b->n_transitions || m < b->n_messages) {
                int64_t next = MIN(t < b->n_transitions ? b->transitions[t].at_ms : INT64_MAX,
                                   m < b->n_messages ? b->messages[m].at_ms : INT64_MAX);
                Day day = day_of_instant(next);
                json_out_object(o, NULL);
                json_out_day(o, "day", day);
                json_out_array(o, "transitions");
                for (; t < b->n_transitions && day_of_instant(b->transitions[t].at_ms) == day; t++)
                        write_transition(a, &b->transitions[t]);
                json_out_end_array(o);
                json_out_array(o, "messages");
                for (; m < b->n_messages && day_of_instant(b->messages[m].at_ms) == day; m++)
                        write_message(a, &b->messages[m]);
                json_out_end_array(o);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

static size_t count_kind(const Backtest *b, const char *kind) {
        size_t n = 0;
        for (size_t i = 0; i < b->n_transitions; i++)
                n += streq(b->transitions[i].kind, kind);
        return n;
}

static void write_counts(JsonOut *o, const Backtest *b) {
        json_out_object(o, "counts");
        json_out_int(o, "steps", (int64_t) b->n_steps);
        json_out_int(o, "transitions", (int64_t) b->n_transitions);
        json_out_int(o, "opened", (int64_t) count_kind(b, "opened"));
        json_out_int(o, "closed", (int64_t) count_kind(b, "closed"));
        json_out_int(o, "withdrawn", (int64_t) count_kind(b, "withdrawn"));
        json_out_int(o, "messages", (int64_t) b->n_messages);
        json_out_int(o, "items", (int64_t) b->n_items);
        json_out_end_object(o);
}

static void write_found(ApiCall *c, const Backtest *b) {
        JsonOut *o = &c->out;
        int i = config_rule(c->app->config, b->rule);
        int indicator = i < 0 ? -1 : c->app->config->rules[i].indicator;
        Answer a = {c, b, indicator < 0 ? NULL : &c->app->config->indicators[indicator]};
        const char *stop = backtest_stop_name(b->stop);
        json_out_object(o, NULL);
        json_out_text(o, "state", "done");
        json_out_text(o, "rule", b->rule);
        json_out_text(o, "text", b->text);
        json_out_instant(o, "from", b->from_ms);
        json_out_instant(o, "until", b->until_ms);
        json_out_text(o, "stopped", *stop ? stop : NULL);
        write_counts(o, b);
        write_days(&a);
        json_out_end_object(o);
}

static bool has_control(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < ' ' || *text == 0x7f)
                        return true;
        return false;
}

/* What the condition that was given is refused for; NULL when the mistake is the files'. */
static const char *condition_error(const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++)
                if (diag->items[i].level == DIAG_ERROR)
                        return diag->items[i].file && !*diag->items[i].file ? diag->items[i].text
                                                                            : NULL;
        return NULL;
}

static int refuse(ApiCall *c, int r, const char *rule, const char *when, const Diag *diag) {
        CLEANUP_FREE char *error = NULL;

        switch (r) {
        case BACKTEST_E_RULE:
                return api_find_rule(c, rule, &(size_t){0});
        case BACKTEST_E_KIND:
                return API_PROBLEM(
                        c, 409,
                        "quy tắc \"%s\" đang tắt hoặc không xét số liệu: không chạy lại được",
                        "rule \"%s\" is off, or judges no figures: it cannot be played back", rule);
        case BACKTEST_E_EMPTY:
                return API_PROBLEM(c, 409, "chưa lưu số liệu nào của quy tắc \"%s\"",
                                   "no figure of rule \"%s\" is stored yet", rule);
        case BACKTEST_E_BUSY:
                return API_PROBLEM(c, 503, "đang chạy lại một quy tắc khác; hãy hỏi lại sau",
                                   "another rule is being played back; ask again later");
        case -EINVAL:
                if (when && condition_error(diag))
                        return API_ARGUMENT(c, 400, "điều kiện (when) \"%s\" không hiểu được: %s",
                                            "the condition (when) \"%s\" is not valid: %s", when,
                                            condition_error(diag));
                error = api_first_error(diag);
                if (when)
                        return API_ARGUMENT(c, 400,
                                            "điều kiện \"%s\", hoặc cấu hình trên đĩa, có lỗi: %s",
                                            "the condition \"%s\", or the configuration on disk, "
                                            "has errors: %s",
                                            when, str_or(error, "?"));
                return API_PROBLEM(c, 409, "cấu hình trên đĩa có lỗi: %s",
                                   "the configuration on disk has errors: %s", str_or(error, "?"));
        default:
                return r;
        }
}

int api_backtest(ApiCall *c) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Backtest CLEANUP(backtest_result_done) found = {0};
        const char *rule = NULL, *when = NULL;
        int r = api_read_text(c, "rule", &rule);
        if (r == 0)
                r = api_read_text(c, "when", &when);
        if (r != 0)
                return r;
        if (!rule)
                return API_ARGUMENT(c, 400, "thiếu \"rule\": tên quy tắc",
                                    "\"rule\" is missing: the name of a rule");
        if (when && has_control(when))
                return API_ARGUMENT(c, 400, "\"when\" phải là một dòng",
                                    "\"when\" must be one line");
        r = backtest_ask(c->app, rule, when, clock_now_ms(), &diag, &found);
        if (r == 0) {
                write_found(c, &found);
                return 0;
        }
        if (r != BACKTEST_E_RUNNING)
                return refuse(c, r, rule, when, &diag);
        c->reply->status = 202;
        json_out_object(&c->out, NULL);
        json_out_text(&c->out, "state", "running");
        json_out_end_object(&c->out);
        return 0;
}
