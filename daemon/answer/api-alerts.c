/* Alerts are episodes. The list shows what is open, worst first; one alert is its whole story:
 * every transition, and to whom it was told. An acknowledgement is a row and a transition of its
 * own; it changes no verdict. */
#include <errno.h>

#include "answer/api-call.h"
#include "answer/subject.h"
#include "flow/judge.h"
#include "os/clock.h"
#include "store/alert.h"
#include "store/outbox.h"

/* ---- one episode as JSON --------------------------------------------------------------------- */

static const IndicatorDef *indicator_of(const ApiCall *c, const char *rule,
                                        const RuleDef **ret_rule) {
        const Config *config = c->app->config;
        int i = config_rule(config, rule);

        *ret_rule = i < 0 ? NULL : config->rules + i;
        return i < 0 || config->rules[i].indicator < 0
                       ? NULL
                       : config->indicators + config->rules[i].indicator;
}

static const char *severity_word(Severity severity) {
        return severity == SEVERITY_CRITICAL  ? "critical"
               : severity == SEVERITY_WARNING ? "warning"
                                              : NULL;
}

static void write_place(JsonOut *o, uint32_t place, uint32_t of) {
        if (place)
                json_out_int(o, "place", place);
        else
                json_out_null(o, "place");
        json_out_int(o, "of", of);
}

static void write_figures(ApiCall *c, const Episode *e, const IndicatorDef *def) {
        JsonOut *o = &c->out;

        view_value(o, "value", c->app, def, e->value, 0);
        view_value(o, "previous", c->app, def, e->previous, 0);
        view_value(o, "limit", c->app, def, e->limit, 0);
        view_value(o, "delta", c->app, def, e->delta, DECIMAL_SIGN);
        write_place(o, e->place, e->of);
}

static void write_episode(ApiCall *c, const Episode *e) {
        const RuleDef *rule;
        const IndicatorDef *def = indicator_of(c, e->rule, &rule);
        JsonOut *o = &c->out;
        bool is_subject = e->unit == 0;

        json_out_int(o, "id", e->id);
        json_out_text(o, "rule", e->rule);
        json_out_text(o, "state", episode_state_name(e->state));
        json_out_text(o, "end", e->end == END_NONE ? NULL : end_reason_name(e->end));
        json_out_text(o, "severity", severity_word(e->severity));
        subject_write(o, &c->view, e->subject, e->state != EPISODE_OPEN);
        view_unit(o, "unit", &c->view, e->unit, c->view.today);
        view_indicator(o, "indicator", &c->view, def);
        json_out_period(o, "first", is_subject ? 0 : (PeriodId) e->first);
        json_out_period(o, "opened", e->opened);
        json_out_period(o, "last", e->last);
        json_out_int(o, "length", e->length);
        write_figures(c, e, def);
        json_out_bool(o, "is_late", e->is_late);
        json_out_bool(o, "is_held", e->is_held);
        json_out_period(o, "tell_from", e->tell_from);
        json_out_text(o, "advice", rule ? rule->advice : NULL);
}

/* ---- list ------------------------------------------------------------------------------------ */

static int compare_alerts(const void *a, const void *b, void *userdata) {
        const UnitRegistry *registry = userdata;
        const Episode *x = a, *y = b;
        bool is_x_open = x->state == EPISODE_OPEN, is_y_open = y->state == EPISODE_OPEN;

        if (is_x_open != is_y_open)
                return is_x_open ? -1 : 1;
        if (x->severity != y->severity)
                return x->severity > y->severity ? -1 : 1;
        if (x->last != y->last)
                return x->last > y->last ? -1 : 1;
        int r = strcmp(x->rule, y->rule);
        if (r == 0 && x->unit && y->unit)
                r = strcmp(unit_code_on(registry, x->unit, DAY_OPEN - 1),
                           unit_code_on(registry, y->unit, DAY_OPEN - 1));
        return r != 0 ? r : (x->id > y->id) - (x->id < y->id);
}

static int load_acks(ApiCall *c, AckRow **ret, size_t *ret_n) {
        int r = store_acks(c->store, c->view.at_ms, c->view.step, ret, ret_n);
        return MIN(r, 0);
}

static bool is_acked(const AckRow *acks, size_t n, const Episode *e) {
        for (size_t i = 0; i < n; i++)
                if (acks[i].episode == e->id)
                        return (e->state == EPISODE_PENDING || e->state == EPISODE_OPEN) &&
                               e->severity <= acks[i].severity; /* `worse` re-arms */
        return false;
}

static int load_episodes(ApiCall *c, const EpisodeFilter *filter, Episode **ret, size_t *ret_n) {
        if (c->view.is_empty)
                return 0;
        int r = store_episodes_as_of(c->store, filter, c->view.step, ret, ret_n);
        return MIN(r, 0);
}

static size_t keep_open(Episode *e, size_t n, bool is_all) {
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (!is_all && e[i].state != EPISODE_OPEN)
                        continue;
                Episode moved = e[kept]; /* swapped, so that the whole array can still be freed */
                e[kept++] = e[i];
                e[i] = moved;
        }
        return kept;
}

/* A name that nothing has and no alert had is a mistake of who wrote it, not an empty list. */
static int check_rule(ApiCall *c, const char *rule) {
        size_t i;

        return judge_is_builtin(rule) ? 0 : api_find_rule(c, rule, &i);
}

int api_alerts(ApiCall *c) {
        CLEANUP_FREE AckRow *acks = NULL;
        size_t n_acks = 0, n = 0;
        Episode *episodes = NULL;
        UnitId unit;

        int r = api_find_unit(c, api_query(c, "unit"), &unit);
        if (r == 0)
                r = load_acks(c, &acks, &n_acks);
        if (r != 0)
                return r;
        EpisodeFilter filter = {
                .rule = api_query(c, "rule"),
                .units = unit ? &unit : NULL,
                .n_units = unit ? 1 : 0,
                .is_visible = true,
        };
        r = load_episodes(c, &filter, &episodes, &n);
        if (r < 0)
                return r;

        if (n == 0 && filter.rule) { /* of a rule that is gone, or built in, alerts may be left */
                r = check_rule(c, filter.rule);
                if (r != 0)
                        return r;
        }
        size_t shown = keep_open(episodes, n, api_flag(c, "all"));
        if (shown > 1)
                qsort_r(episodes, shown, sizeof(*episodes), compare_alerts, &c->app->units);
        json_out_object(&c->out, NULL);
        api_as_of(c);
        api_page(c, shown);
        json_out_array(&c->out, "alerts");
        for (size_t i = 0, window = api_window(c, shown); i < window; i++) {
                json_out_object(&c->out, NULL);
                write_episode(c, episodes + c->offset + i);
                json_out_bool(&c->out, "is_acknowledged",
                              is_acked(acks, n_acks, episodes + c->offset + i));
                json_out_end_object(&c->out);
        }
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        store_episodes_free(episodes, n);
        return 0;
}

/* ---- one alert ------------------------------------------------------------------------------- */

typedef struct Silences {
        SilenceRow *rows;
        size_t n;
} Silences;

static void silences_done(Silences *s) {
        silence_rows_free(s->rows, s->n);
}

/* A transition tells how long the silence was to last; one that is over must not read as if it
 * went on. */
static const char *silenced_text(const ApiCall *c, const TransitionRow *t, const Silences *silences,
                                 char text[static 64]) {
        bool is_vi = app_is_vi(c->app);
        char ended[24];

        for (size_t i = 0; i < silences->n; i++) {
                const SilenceRow *s = silences->rows + i;

                if (s->step != t->step || s->until_ms > c->view.at_ms)
                        continue;
                (void) snprintf(text, 64, is_vi ? "đã hết lúc %s" : "ended %s",
                                instant_format_vi(ended, s->until_ms));
                return text;
        }
        (void) snprintf(text, 64, is_vi ? "đến %s" : "until %s", str_or(t->reason, ""));
        return text;
}

static const char *transition_reason(ApiCall *c, const TransitionRow *t, const Silences *silences,
                                     char text[static 64]) {
        if (t->kind == TRANSITION_SILENCED)
                return silenced_text(c, t, silences, text);
        return t->kind == TRANSITION_ACKNOWLEDGED ? api_personal(c, t->reason)
                                                  : api_masked(c, t->reason);
}

static int write_transitions(ApiCall *c, const Episode *e, const IndicatorDef *def) {
        CLEANUP(silences_done) Silences silences = {0};
        TransitionRow *rows = NULL;
        JsonOut *o = &c->out;
        size_t n = 0;

        int r = store_silences_all(c->store, &silences.rows, &silences.n);
        if (r >= 0)
                r = store_transitions(c->store, e->id, &rows, &n);
        if (r < 0)
                return r;
        json_out_array(o, "transitions");
        for (size_t i = 0; i < n; i++) {
                const TransitionRow *t = rows + i;
                char text[64];

                if (t->kind == TRANSITION_PENDING || (c->view.step != 0 && t->step > c->view.step))
                        continue;
                json_out_object(o, NULL);
                json_out_text(o, "kind", transition_name(t->kind));
                json_out_instant(o, "at", t->at_ms);
                json_out_int(o, "step", t->step);
                json_out_period(o, "period", t->period);
                json_out_text(o, "severity", severity_word(t->severity));
                view_value(o, "value", c->app, def, t->value, 0);
                view_value(o, "previous", c->app, def, t->previous_value, 0);
                view_value(o, "limit", c->app, def, t->limit, 0);
                write_place(o, t->place, t->of);
                json_out_text(o, "reason", transition_reason(c, t, &silences, text));
                json_out_end_object(o);
        }
        json_out_end_array(o);
        transition_rows_free(rows, n);
        return 0;
}

static int write_acks(ApiCall *c, const Episode *e) {
        AckStoryRow *rows = NULL;
        JsonOut *o = &c->out;
        size_t n = 0;

        int r = store_ack_story(c->store, e->id, c->view.step, &rows, &n);
        if (r < 0)
                return r;
        json_out_array(o, "acknowledgements");
        for (size_t i = 0; i < n; i++) {
                json_out_object(o, NULL);
                json_out_instant(o, "at", rows[i].at_ms);
                json_out_int(o, "step", rows[i].step);
                json_out_text(o, "by", *rows[i].by ? api_personal(c, rows[i].by) : NULL);
                json_out_text(o, "note", *rows[i].note ? api_personal(c, rows[i].note) : NULL);
                json_out_instant(o, "until", rows[i].until_ms);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        ack_story_rows_free(rows, n);
        return 0;
}

static void write_told_row(ApiCall *c, const ToldRow *row, const IndicatorDef *def) {
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        json_out_text(o, "target", row->target);
        json_out_text(o, "said", say_name(row->told.said));
        if (row->corrects)
                json_out_int(o, "corrects", row->corrects);
        else
                json_out_null(o, "corrects");
        json_out_instant(o, "at", row->told.said_ms);
        view_value(o, "value", c->app, def, row->told.value, 0);
        json_out_text(o, "subject", row->subject);
        if (row->told.message)
                json_out_int(o, "message", row->told.message);
        else
                json_out_null(o, "message");
        json_out_end_object(o);
}

static int write_told(ApiCall *c, const Episode *e, const IndicatorDef *def) {
        ToldRow *rows = NULL;
        size_t n = 0;

        int r = store_told_story(c->store, e->id, c->view.step, &rows, &n);
        if (r < 0)
                return r;
        json_out_array(&c->out, "told");
        for (size_t i = 0; i < n; i++)
                write_told_row(c, rows + i, def);
        json_out_end_array(&c->out);
        told_rows_free(rows, n);
        return 0;
}

static int refuse_alert(ApiCall *c, int64_t id) {
        (void) API_PROBLEM(c, 404, "không có cảnh báo số %lld", "there is no alert %lld",
                           (long long) id);
        return API_E_ANSWERED;
}

/* The alert named in the path; *ret has *ret_n rows, to be freed as one array. */
static int find_alert(ApiCall *c, Episode **ret, size_t *ret_n) {
        int64_t id;

        int r = api_find_id(c, c->arg[0], &id);
        if (r != 0)
                return r;
        EpisodeFilter filter = {.id = id, .is_visible = true};
        r = load_episodes(c, &filter, ret, ret_n);
        if (r < 0)
                return r;
        if (*ret_n > 0)
                return 0;
        free(*ret);
        *ret = NULL;
        return refuse_alert(c, id);
}

int api_alert(ApiCall *c) {
        CLEANUP_FREE AckRow *acks = NULL;
        Episode *e = NULL;
        const RuleDef *rule;
        size_t n = 0, n_acks = 0;

        int r = find_alert(c, &e, &n);
        if (r == 0)
                r = load_acks(c, &acks, &n_acks);
        if (r != 0) {
                store_episodes_free(e, n);
                return r;
        }
        const IndicatorDef *def = indicator_of(c, e->rule, &rule);
        json_out_object(&c->out, NULL);
        api_as_of(c);
        write_episode(c, e);
        json_out_bool(&c->out, "is_acknowledged", is_acked(acks, n_acks, e));
        json_out_text(&c->out, "rule_text", rule ? rule->text : NULL);
        r = write_transitions(c, e, def);
        if (r == 0)
                r = write_acks(c, e);
        if (r == 0)
                r = write_told(c, e, def);
        json_out_end_object(&c->out);
        store_episodes_free(e, n);
        return r;
}

/* ---- acknowledge, silence -------------------------------------------------------------------- */

int api_check_future(ApiCall *c, const char *name, int64_t at_ms, int64_t now_ms) {
        char text[24], now[24];

        if (at_ms > now_ms)
                return 0;
        if (at_ms == 0)
                (void) API_ARGUMENT(c, 400, "thiếu %s", "%s is missing", name);
        else
                (void) API_ARGUMENT(c, 400, "%s %s đã qua: bây giờ là %s",
                                    "%s %s has passed: it is %s now", name,
                                    instant_format_vi(text, at_ms), instant_format_vi(now, now_ms));
        return API_E_ANSWERED;
}

typedef struct Ack {
        const char *by, *note;
        int64_t until_ms; /* 0 = until it ends */
        int64_t now_ms;
} Ack;

static int write_ack(ApiCall *c, const Ack *ack, Episode *e) {
        Store *store = c->app->store;
        StepId step;

        int r = store_begin(store);
        if (r < 0)
                return r;
        r = store_step(store, CAUSE_ACKNOWLEDGE, ack->now_ms, &step);
        if (r == 0)
                r = store_ack_add(store, step, e->id, ack->by, ack->note, ack->until_ms);
        TransitionRow row = {
                .episode = e->id,
                .step = step,
                .at_ms = ack->now_ms,
                .kind = TRANSITION_ACKNOWLEDGED,
                .period = e->last,
                .value = e->value,
                .previous_value = e->previous,
                .limit = e->limit,
                .place = e->place,
                .of = e->of,
                .severity = e->severity,
                .reason = (char *) ack->by,
        };
        if (r == 0)
                r = store_transition_add(store, step, e, &row);
        if (r == 0)
                r = store_commit(store);
        if (r != 0)
                store_rollback(store);
        return r > 0 ? -EIO : r;
}

static int ack_alert(ApiCall *c, Episode *e) {
        Ack ack = {.now_ms = clock_now_ms()};

        if (e->state != EPISODE_OPEN) {
                (void) API_PROBLEM(c, 409, "cảnh báo số %lld đã kết thúc", "alert %lld has ended",
                                   (long long) e->id);
                return API_E_ANSWERED;
        }
        int r = api_read_text(c, "by", &ack.by);
        if (r == 0)
                r = api_read_text(c, "note", &ack.note);
        if (r == 0)
                r = api_read_until(c, "until", 0, &ack.until_ms);
        if (r == 0 && ack.until_ms != 0)
                r = api_check_future(c, "until", ack.until_ms, ack.now_ms);
        if (r == 0)
                r = write_ack(c, &ack, e);
        if (r != 0)
                return r;
        app_wake(c->app);
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "alert", e->id);
        json_out_bool(&c->out, "is_acknowledged", true);
        json_out_instant(&c->out, "until", ack.until_ms);
        json_out_end_object(&c->out);
        return 0;
}

int api_alert_ack(ApiCall *c) {
        Episode *e = NULL;
        size_t n = 0;

        int r = find_alert(c, &e, &n);
        if (r == 0)
                r = ack_alert(c, e);
        store_episodes_free(e, n);
        return r;
}
