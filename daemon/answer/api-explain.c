/* explain RULE UNIT: in words, with the numbers, why an alert stands or not, what would change that,
 * what still holds telling, and when it is judged next.
 *
 * Everything is asked of the same functions that judge and tell (judge_explain, facts), so that the
 * answer cannot say anything else than what is done. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "answer/api-explain.h"
#include "core/rule.h"
#include "flow/judge.h"
#include "flow/message.h"
#include "os/clock.h"

typedef struct Explain {
        ApiCall *c;
        const RuleDef *rule;
        const IndicatorDef *def; /* or NULL */
        UnitId unit;
        int64_t now_ms;
        JudgeExplanation x;
        const PlanEpisode *episode; /* the newest of rule and unit; or NULL */
        Facts facts;
} Explain;

typedef struct Words {
        char text[VIEW_TEXT_MAX + 4];
} Words;

/* "82,71 %", "30.204", "-" for no value. */
static Words words_of(const Explain *e, int64_t value, DecimalFlags flags) {
        Words w = {"-"};
        char text[VIEW_TEXT_MAX];
        if (value == VALUE_NONE)
                return w;
        bool is_percent = e->def->unit == INDICATOR_PERCENT && !(flags & DECIMAL_SIGN);
        (void) snprintf(w.text, sizeof w.text, "%s%s",
                        view_value_text(text, e->c->app, e->def, value, flags),
                        is_percent ? " %" : "");
        return w;
}
#define VALUE(e, v) words_of((e), (v), 0).text
#define CHANGE(e, v) words_of((e), (v), DECIMAL_SIGN).text

void explain_say(ApiCall *c, const char *format, ...) {
        Buf CLEANUP(buf_done) text = BUF_INIT(4096);
        va_list ap;
        va_start(ap, format);
        int r = buf_vprintf(&text, format, ap);
        va_end(ap);
        if (r < 0)
                c->out.error = r;
        json_out_text(&c->out, NULL, buf_text(&text));
}
#define SAY(e, ...) EXPLAIN_SAY((e)->c, __VA_ARGS__)

/* ---- why ------------------------------------------------------------------------------------- */

static const char *delta_words(const Explain *e, DeltaReason reason) {
        static const char *const words[][2] = {
                [DELTA_OK] = {"", ""},
                [DELTA_FIRST] = {"chưa có số liệu kỳ trước", "there is no earlier figure"},
                [DELTA_GAP] = {"kỳ trước không có số liệu", "the previous period has no figure"},
                [DELTA_MERGED] = {"đơn vị mới thành lập", "the unit did not exist then"},
                [DELTA_ERA] = {"hai kỳ không so sánh được", "the periods do not compare"},
                [DELTA_MISSING] = {"kỳ này không có số liệu", "there is no figure now"},
                [DELTA_RUNNING] = {"kỳ chưa kết thúc", "the period has not ended"},
        };
        return words[reason][!app_is_vi(e->c->app)];
}

static void why_limit(Explain *e, const Condition *k) {
        const Judgement *j = &e->x.judgement;
        int64_t value = j->value, limit = k->amount;
        if (k->kind == CONDITION_BEHIND) {
                if (e->x.median == VALUE_NONE) {
                        SAY(e, "cần ít nhất 5 đơn vị có số liệu để tính trung vị, mới có %zu",
                            "a median needs 5 units with a figure, there are %zu", e->x.n_values);
                        return;
                }
                SAY(e, "trung vị của %zu đơn vị là %s", "the median of %zu units is %s",
                    e->x.n_values, VALUE(e, e->x.median));
                limit = e->x.median - k->amount;
        }
        if (k->kind == CONDITION_ABOVE ? value > limit : value < limit)
                SAY(e, "%s %s ngưỡng %s, chênh %s: vi phạm", "%s is %s the limit %s by %s",
                    VALUE(e, value),
                    app_is_vi(e->c->app)         ? k->kind == CONDITION_ABOVE ? "trên" : "dưới"
                    : k->kind == CONDITION_ABOVE ? "over"
                                                 : "under",
                    VALUE(e, limit), CHANGE(e, value - limit));
        else if (j->verdict == VERDICT_BETWEEN)
                SAY(e, "%s đã qua ngưỡng %s nhưng chưa qua mức hết cảnh báo: không mở, không đóng",
                    "%s is past the limit %s but not where an alert ends: opens and closes nothing",
                    VALUE(e, value), VALUE(e, limit));
        else
                SAY(e, "%s đạt, ngưỡng %s (cách %s)", "%s is fine, the limit is %s (%s away)",
                    VALUE(e, value), VALUE(e, limit), CHANGE(e, value - limit));
}

static void why_deltas(Explain *e, const Condition *k) {
        int n = k->kind == CONDITION_DROP ? 1 : k->count;
        Buf CLEANUP(buf_done) list = BUF_INIT(2048);
        if (e->x.judgement.delta_reason != DELTA_OK) {
                SAY(e, "không tính được mức thay đổi: %s", "there is no change: %s",
                    delta_words(e, e->x.judgement.delta_reason));
                return;
        }
        for (int i = 0; i < n && (size_t) i + 1 < e->x.n_periods; i++) {
                int64_t now = e->x.value[i], before = e->x.value[i + 1];
                bool is_known = now != VALUE_NONE && before != VALUE_NONE;
                if (buf_printf(&list, "%s%s", i ? "; " : "",
                               is_known ? CHANGE(e, now - before) : "?") < 0)
                        break;
        }
        if (k->kind == CONDITION_DROP)
                SAY(e, "thay đổi so với kỳ trước %s; vi phạm khi giảm từ %s",
                    "change %s; a breach from a fall of %s", buf_text(&list), VALUE(e, k->amount));
        else if (k->kind == CONDITION_FALLING)
                SAY(e, "%d thay đổi gần nhất: %s; vi phạm khi tất cả đều giảm",
                    "last %d changes: %s; a breach when all of them are falls", n, buf_text(&list));
        else
                SAY(e, "%d thay đổi gần nhất: %s; vi phạm khi mỗi lần không quá %s",
                    "last %d changes: %s; a breach when none is more than %s", n, buf_text(&list),
                    VALUE(e, k->amount));
}

/* Places are counted among the units that have a figure in both periods, which is why they may differ
 * from those of the ranking. */
static void why_move(Explain *e, const Condition *k) {
        const JudgeExplanation *x = &e->x;
        int64_t down = (int64_t) x->move_to - (int64_t) x->move_from;
        if (x->judgement.delta_reason != DELTA_OK)
                SAY(e, "không so được hạng với kỳ trước: %s",
                    "places do not compare with the previous period: %s",
                    delta_words(e, x->judgement.delta_reason));
        else if (x->move_to == 0 || !x->is_move_comparable)
                SAY(e,
                    "không so được hạng với kỳ trước: chỉ %zu đơn vị có số liệu cả hai kỳ, dưới 90 "
                    "%%",
                    "places do not compare with the previous period: only %zu units have a figure "
                    "in "
                    "both, less than 90 %%",
                    x->move_of);
        else if (down == 0)
                SAY(e, "giữ hạng %u/%zu; vi phạm khi tụt từ %d bậc",
                    "still at place %u of %zu; a breach from %d places down", x->move_to,
                    x->move_of, k->count);
        else if (down > 0)
                SAY(e, "từ hạng %u tụt %lld bậc xuống hạng %u/%zu; vi phạm khi tụt từ %d bậc",
                    "from place %u down %lld to %u of %zu; a breach from %d places down",
                    x->move_from, (long long) down, x->move_to, x->move_of, k->count);
        else
                SAY(e, "từ hạng %u tăng %lld bậc lên hạng %u/%zu; vi phạm khi tụt từ %d bậc",
                    "from place %u up %lld to %u of %zu; a breach from %d places down",
                    x->move_from, (long long) -down, x->move_to, x->move_of, k->count);
}

static void why_condition(Explain *e, const Condition *k) {
        switch (k->kind) {
        case CONDITION_BELOW:
        case CONDITION_ABOVE:
        case CONDITION_BEHIND:
                why_limit(e, k);
                break;
        case CONDITION_DROP:
        case CONDITION_FALLING:
        case CONDITION_FLAT:
                why_deltas(e, k);
                break;
        case CONDITION_RANK_DROP:
                why_move(e, k);
                break;
        default:
                break;
        }
        if (k->and_kind != CONDITION_NONE) {
                int64_t value = e->x.judgement.value;
                bool holds = k->and_kind == CONDITION_BELOW ? value < k->and_amount
                                                            : value > k->and_amount;
                SAY(e, "điều kiện kèm theo (%s %s): %s", "and %s %s: %s",
                    k->and_kind == CONDITION_BELOW ? "<" : ">", VALUE(e, k->and_amount),
                    app_is_vi(e->c->app) ? holds ? "đúng" : "không đúng"
                    : holds              ? "true"
                                         : "false");
        }
}

static void why_not_watched(Explain *e) {
        SAY(e, "đơn vị không thuộc phạm vi của quy tắc: không xét, không báo",
            "the unit is none of the rule's: it is not judged, and nothing is told");
}

static void why_not_judged(Explain *e) {
        char day[16], period[VIEW_TEXT_MAX];
        if (e->rule->is_off)
                SAY(e, "quy tắc đang tắt", "the rule is off");
        else if (!e->x.is_watched)
                why_not_watched(e);
        else if (e->rule->until && (e->x.next == 0 || e->x.period > e->rule->until))
                SAY(e, "quy tắc hết hiệu lực sau %s", "the rule ended with %s",
                    view_period_text(period, e->c->app, e->rule->until));
        else if (e->rule->from && e->x.period && e->x.period < e->rule->from)
                SAY(e, "quy tắc có hiệu lực từ %s", "the rule begins with %s",
                    view_period_text(period, e->c->app, e->rule->from));
        else
                SAY(e,
                    "chưa có kỳ nào xét được: cần số liệu lấy sau khi kỳ kết thúc và sau ngày chốt "
                    "(%s)",
                    "no period can be judged yet: figures seen after its end and after %s are "
                    "needed",
                    day_format_vi(day, e->x.next_day));
}

static void why(Explain *e) {
        const JudgeExplanation *x = &e->x;
        char period[VIEW_TEXT_MAX];
        if (!x->text) {
                why_not_judged(e);
                return;
        }
        (void) view_period_text(period, e->c->app, x->period);
        if (!x->is_watched) {
                why_not_watched(e);
                return;
        }
        if (x->judgement.value == VALUE_NONE) {
                SAY(e, "%s không có số liệu: không mở, không đóng cảnh báo",
                    "%s has no figure: nothing opens or closes", period);
                return;
        }
        SAY(e, "%s: %s %s", "%s: %s is %s", period, view_indicator_label(e->c->app, e->def),
            VALUE(e, x->judgement.value));
        if (x->judgement.is_low_volume) {
                char volume[DECIMAL_TEXT_MAX] = "-", least[DECIMAL_TEXT_MAX];
                if (x->volume != VALUE_NONE)
                        (void) decimal_format_vi(volume, x->volume, 0, 0);
                SAY(e, "số lượng %s, ít hơn %s: không kết luận",
                    "volume %s, less than %s: no verdict", volume,
                    decimal_format_vi(least, x->text->min_volume, 0, 0));
                return;
        }
        why_condition(e, &x->text->when);
        if (x->text->critical.kind != CONDITION_NONE) {
                SAY(e, "mức nghiêm trọng:", "critical:");
                why_condition(e, &x->text->critical);
        }
        if (x->text->for_n > 1)
                SAY(e, "mở sau %d kỳ công bố vi phạm; đợt này có %d",
                    "opens after %d publications in breach; %d so far", x->text->for_n,
                    e->episode && e->episode->e.state != EPISODE_CLOSED ? e->episode->e.length : 0);
}

/* ---- what would change it -------------------------------------------------------------------- */

static bool is_open(const Explain *e) {
        return e->episode && e->episode->e.state == EPISODE_OPEN;
}

/* What opens one where none is open, what closes the one that is. */
static void change_limit(Explain *e, const Condition *k, int64_t clear) {
        bool is_above = k->kind == CONDITION_ABOVE;
        int64_t limit = k->kind == CONDITION_BEHIND ? e->x.median - k->amount : k->amount;
        if (k->kind == CONDITION_BEHIND && e->x.median == VALUE_NONE)
                return;
        int64_t value = e->x.judgement.value;
        int64_t end = !is_open(e) ? limit : is_above ? limit - clear : limit + clear;
        if (!is_open(e))
                SAY(e, "mở khi %s %s", "opens %s %s", is_above ? ">" : "<", VALUE(e, limit));
        else if (value == VALUE_NONE)
                SAY(e, "đóng khi %s %s", "closes at %s %s", is_above ? "≤" : "≥", VALUE(e, end));
        else
                SAY(e, "đóng khi %s %s (còn %s)", "closes at %s %s (%s to go)",
                    is_above ? "≤" : "≥", VALUE(e, end), CHANGE(e, end - value));
}

static void closes_when(Explain *e, const Condition *k) {
        switch (k->kind) {
        case CONDITION_DROP:
                SAY(e, "đóng khi kỳ sau không giảm tới %s",
                    "closes when the next change is no fall of %s", VALUE(e, k->amount));
                break;
        case CONDITION_FALLING:
                SAY(e, "đóng khi có một kỳ không giảm",
                    "closes with one period that does not fall");
                break;
        case CONDITION_FLAT:
                SAY(e, "đóng khi một kỳ thay đổi quá %s", "closes with one change of more than %s",
                    VALUE(e, k->amount));
                break;
        case CONDITION_RANK_DROP:
                SAY(e, "đóng khi kỳ sau không tụt tới %d bậc",
                    "closes when the next period is not %d places down", k->count);
                break;
        default:
                SAY(e, "đóng khi điều kiện không còn đúng", "closes when the condition is false");
                break;
        }
}

static void opens_when(Explain *e, const Condition *k) {
        switch (k->kind) {
        case CONDITION_DROP:
                SAY(e, "mở khi kỳ sau giảm từ %s", "opens with a fall of %s", VALUE(e, k->amount));
                break;
        case CONDITION_FALLING:
                SAY(e, "mở khi giảm %d kỳ liền", "opens after %d falls in a row", k->count);
                break;
        case CONDITION_FLAT:
                SAY(e, "mở khi %d kỳ liền thay đổi không quá %s",
                    "opens after %d changes in a row of no more than %s", k->count,
                    VALUE(e, k->amount));
                break;
        case CONDITION_RANK_DROP:
                SAY(e, "mở khi kỳ sau tụt từ %d bậc", "opens from %d places down", k->count);
                break;
        default:
                SAY(e, "mở khi điều kiện đúng", "opens when the condition is true");
                break;
        }
}

/* An open one becomes critical, or is no longer. */
static void change_severity(Explain *e, const RuleDef *t) {
        const Condition *k = &t->critical;
        bool is_plain = k->kind == CONDITION_BELOW || k->kind == CONDITION_ABOVE;
        if (!is_open(e) || !is_plain)
                return;
        bool is_above = k->kind == CONDITION_ABOVE;
        if (e->episode->e.severity == SEVERITY_CRITICAL)
                SAY(e, "hết nghiêm trọng khi %s %s", "no longer critical at %s %s",
                    is_above ? "≤" : "≥", VALUE(e, k->amount));
        else
                SAY(e, "nghiêm trọng khi %s %s", "critical %s %s", is_above ? ">" : "<",
                    VALUE(e, k->amount));
}

static void change_and(Explain *e, const Condition *k) {
        const char *sign = k->and_kind == CONDITION_BELOW ? "<" : ">";
        if (k->and_kind == CONDITION_NONE)
                return;
        if (is_open(e))
                SAY(e, "hoặc khi không còn %s %s", "or when no longer %s %s", sign,
                    VALUE(e, k->and_amount));
        else
                SAY(e, "và %s %s", "and %s %s", sign, VALUE(e, k->and_amount));
}

static void what_changes(Explain *e) {
        const RuleDef *t = e->x.text;
        char least[DECIMAL_TEXT_MAX];
        if (!t || !e->x.is_watched)
                return;
        if (e->x.judgement.is_low_volume)
                SAY(e, "kết luận khi số lượng từ %s", "judged from a volume of %s",
                    decimal_format_vi(least, t->min_volume, 0, 0));
        switch (t->when.kind) {
        case CONDITION_BELOW:
        case CONDITION_ABOVE:
        case CONDITION_BEHIND:
                change_limit(e, &t->when, t->clear);
                break;
        default:
                if (is_open(e))
                        closes_when(e, &t->when);
                else
                        opens_when(e, &t->when);
                break;
        }
        change_and(e, &t->when);
        change_severity(e, t);
        if (is_open(e))
                SAY(e, "thiếu số liệu không đóng cảnh báo", "missing data does not close it");
}

/* ---- gates ----------------------------------------------------------------------------------- */

static void gates_of_episode(ApiCall *c, const RuleDef *rule, const PlanEpisode *p) {
        char period[VIEW_TEXT_MAX];
        if (!p || p->e.state != EPISODE_OPEN)
                return;
        if (p->e.is_held)
                EXPLAIN_SAY(c, "chốt chặn hàng loạt đang giữ: chisoctl rules release %s",
                            "held by the mass guard: chisoctl rules release %s", rule->name);
        if (p->e.tell_from && p->e.tell_from > p->newest)
                EXPLAIN_SAY(c, "chờ kỳ công bố %s rồi mới báo",
                            "told from the publication of %s on",
                            view_period_text(period, c->app, p->e.tell_from));
        if (p->is_muted)
                EXPLAIN_SAY(c, "đang có lệnh tạm im", "a silence covers it");
        if (p->is_acked)
                EXPLAIN_SAY(c, "đã có người nhận: không nhắc lại, trừ khi nặng thêm",
                            "acknowledged: not repeated, unless it gets worse");
        if (p->is_unknown)
                EXPLAIN_SAY(c, "kỳ mới nhất không có kết luận: không nhắc lại cho cán bộ",
                            "the newest period has no verdict: not repeated to officials");
        if (p->quiet_days > 0)
                EXPLAIN_SAY(c, "cảnh báo sớm: mỗi nơi nhận nghe nhiều nhất %d ngày một lần",
                            "an early warning: each target hears of it once in %d days at most",
                            p->quiet_days);
}

static int write_target(ApiCall *c, const Facts *facts, const PlanEpisode *episode,
                        const TargetRow *t, const RecipientDef *recipient) {
        JsonOut *o = &c->out;
        Told told = {0};
        int r = store_told_get(c->store, t->id, episode->e.id, &told);
        if (r < 0)
                return r;
        json_out_object(o, NULL);
        json_out_text(o, "target", t->key);
        json_out_text(o, "told", told.said == SAY_NONE ? NULL : say_name(told.said));
        json_out_instant(o, "told_at", told.said_ms);
        json_out_instant(o, "gate", facts_gate(facts, recipient, t, true));
        json_out_bool(o, "is_marked", t->state != TARGET_OK);
        json_out_end_object(o);
        return 0;
}

int explain_telling(ApiCall *c, const Facts *facts, const RuleDef *rule,
                    const PlanEpisode *episode) {
        int r = 0;
        json_out_array(&c->out, "gates");
        if (rule->is_letter_only)
                EXPLAIN_SAY(c, "chỉ nêu trong công văn tháng", "told by the letter alone");
        if (!facts->is_live && !rule->is_operator)
                EXPLAIN_SAY(c, "chế độ observe: chưa báo cho cán bộ, dùng chisoctl go-live",
                            "notify = observe: officials are told nothing before chisoctl go-live");
        gates_of_episode(c, rule, episode);
        json_out_end_array(&c->out);
        json_out_array(&c->out, "targets");
        for (size_t i = 0; episode && r >= 0 && i < facts->n_targets; i++) {
                const TargetRow *t = &facts->targets[i];
                const RecipientDef *recipient = message_recipient(c->app, t->recipient);
                if (recipient && facts_concerns(facts, recipient, t, episode))
                        r = write_target(c, facts, episode, t, recipient);
        }
        json_out_end_array(&c->out);
        return MIN(r, 0);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void find_episode(Explain *e) {
        for (size_t i = 0; i < e->facts.n_episodes; i++) {
                const PlanEpisode *p = &e->facts.plan[i];
                if (p->e.unit != e->unit || !streq(p->e.rule, e->rule->name) || p->e.opened == 0)
                        continue;
                if (!e->episode || p->e.first > e->episode->e.first)
                        e->episode = p;
        }
}

static const char *verdict_name(Verdict v) {
        static const char *const names[] = {"unknown", "clear", "between", "breach"};
        return names[v];
}

const char *explain_state(const ApiCall *c, const PlanEpisode *episode) {
        bool is_vi = app_is_vi(c->app);
        if (!episode)
                return is_vi ? "không có cảnh báo" : "no alert";
        switch (episode->e.state) {
        case EPISODE_OPEN:
                if (episode->e.is_held)
                        return is_vi ? "cảnh báo tạm giữ" : "alert held";
                if (episode->is_acked)
                        return is_vi ? "cảnh báo đang mở, đã có người nhận"
                                     : "alert open, acknowledged";
                return is_vi ? "cảnh báo đang mở" : "alert open";
        case EPISODE_CLOSED:
                return is_vi ? "cảnh báo đã đóng" : "alert closed";
        default:
                return is_vi ? "cảnh báo đã rút" : "alert withdrawn";
        }
}

static int write_explain(Explain *e) {
        JsonOut *o = &e->c->out;
        char day[16];
        json_out_object(o, NULL);
        json_out_text(o, "rule", e->rule->name);
        json_out_text(o, "rule_text", e->x.text ? e->x.text->text : e->rule->text);
        view_unit(o, "unit", &e->c->view, e->unit, e->c->view.today);
        json_out_null(o, "source");
        view_indicator(o, "indicator", &e->c->view, e->def);
        json_out_period(o, "period", e->x.period);
        json_out_text(o, "verdict", verdict_name(e->x.judgement.verdict));
        json_out_text(o, "state", explain_state(e->c, e->episode));
        if (e->episode)
                json_out_int(o, "alert", e->episode->e.id);
        else
                json_out_null(o, "alert");
        view_value(o, "value", e->c->app, e->def, e->x.judgement.value, 0);
        view_value(o, "limit", e->c->app, e->def, e->x.judgement.limit, 0);
        json_out_array(o, "why");
        why(e);
        json_out_end_array(o);
        json_out_array(o, "would_change");
        what_changes(e);
        json_out_end_array(o);
        int r = explain_telling(e->c, &e->facts, e->rule, e->episode);
        json_out_period(o, "next_period", e->x.next);
        json_out_text(o, "next_from", e->x.next ? day_format(day, e->x.next_day) : NULL);
        json_out_end_object(o);
        return r;
}

static int explain(ApiCall *c, const RuleDef *rule, UnitId unit) {
        Explain e = {.c = c,
                     .rule = rule,
                     .unit = unit,
                     .now_ms = clock_now_ms(),
                     .def = rule->indicator < 0 ? NULL
                                                : &c->app->config->indicators[rule->indicator]};
        int r = judge_explain(c->app, (size_t) (rule - c->app->config->rules), unit, e.now_ms,
                              &e.x);
        if (r >= 0)
                r = facts_load(c->app, e.now_ms, &e.facts);
        if (r < 0)
                return r;
        find_episode(&e);
        r = write_explain(&e);
        facts_done(&e.facts);
        return r;
}

/* Where a rule watches sources, "unit" names one; a unit asks of all. */
static int explain_watched(ApiCall *c, const RuleDef *rule, const char *text) {
        int source = config_source(c->app->config, text);
        UnitId unit = 0;
        int r = source >= 0 ? 0 : api_find_unit(c, text, &unit);
        return r != 0 ? r : explain_source(c, rule, source);
}

int api_explain(ApiCall *c) {
        const char *name = api_query(c, "rule"), *text = api_query(c, "unit");
        UnitId unit = 0;
        size_t i;
        if (!name || !text)
                return API_ARGUMENT(c, 400, "cần rule và unit", "rule and unit are needed");
        int r = api_find_rule(c, name, &i);
        if (r != 0)
                return r;
        const RuleDef *rule = &c->app->config->rules[i];
        if (!condition_is_value(rule->when.kind))
                return explain_watched(c, rule, text);
        r = api_find_unit(c, text, &unit);
        return r != 0 ? r : explain(c, rule, unit);
}
