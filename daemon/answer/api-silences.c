/* Silences: append-only rows that delay every kind of telling and discard none. Each writes its
 * transition into the story of the alerts that it covers. */
#include <errno.h>
#include <stdio.h>

#include "answer/api-call.h"
#include "flow/facts.h"
#include "flow/judge.h"
#include "os/clock.h"
#include "store/alert.h"

static const char *severity_word(Severity severity) {
        return severity == SEVERITY_CRITICAL  ? "critical"
               : severity == SEVERITY_WARNING ? "warning"
                                              : NULL;
}

static int read_severity(ApiCall *c, const char *text, Severity *ret) {
        if (streq(text, "warning") || streq(text, "critical")) {
                *ret = text[0] == 'c' ? SEVERITY_CRITICAL : SEVERITY_WARNING;
                return 0;
        }
        (void) API_ARGUMENT(c, 400, "severity phải là warning hoặc critical",
                            "severity must be warning or critical");
        return API_E_ANSWERED;
}

/* A silence for a name that nothing has would silence nothing. */
static int check_rule(ApiCall *c, const char *rule) {
        size_t i;

        return judge_is_builtin(rule) ? 0 : api_find_rule(c, rule, &i);
}

static int read_silence(ApiCall *c, SilenceRow *row) {
        const char *unit, *parent, *rule, *severity, *author, *note;
        int64_t now_ms = clock_now_ms();

        int r = api_read_text(c, "rule", &rule);
        if (r == 0)
                r = api_read_text(c, "unit", &unit);
        if (r == 0)
                r = api_read_text(c, "parent", &parent);
        if (r == 0)
                r = api_read_text(c, "severity", &severity);
        if (r == 0)
                r = api_read_text(c, "author", &author);
        if (r == 0)
                r = api_read_text(c, "note", &note);
        if (r == 0)
                r = api_read_until(c, "from", now_ms, &row->from_ms);
        if (r == 0)
                r = api_read_until(c, "until", 0, &row->until_ms);
        if (r == 0)
                r = api_find_unit(c, unit, &row->unit);
        if (r == 0)
                r = api_find_unit(c, parent, &row->parent);
        if (r == 0 && severity)
                r = read_severity(c, severity, &row->severity);
        if (r == 0 && rule)
                r = check_rule(c, rule);
        if (r != 0)
                return r;
        row->rule = (char *) rule;
        row->author = (char *) author;
        row->note = (char *) note;
        r = api_check_future(c, "until", row->until_ms, now_ms);
        if (r != 0 || row->until_ms > row->from_ms)
                return r;
        (void) API_ARGUMENT(c, 400, "until phải sau from", "until must be after from");
        return API_E_ANSWERED;
}

static int note_silenced(ApiCall *c, StepId step, const SilenceRow *row) {
        Episode *e = NULL;
        size_t n = 0;
        char text[64], until[24];
        (void) snprintf(text, sizeof text, "%s", instant_format_vi(until, row->until_ms));
        int r = store_episodes(c->app->store, &(EpisodeFilter){.is_live = true}, &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (e[i].state != EPISODE_OPEN || !facts_silenced(c->app, row, &e[i], e[i].unit))
                        continue;
                TransitionRow t = {.episode = e[i].id,
                                   .step = step,
                                   .at_ms = clock_now_ms(),
                                   .kind = TRANSITION_SILENCED,
                                   .period = e[i].unit ? e[i].last : 0,
                                   .value = e[i].value,
                                   .previous_value = e[i].previous,
                                   .limit = e[i].limit,
                                   .place = e[i].place,
                                   .of = e[i].of,
                                   .severity = e[i].severity,
                                   .reason = text};
                r = store_transition_add(c->app->store, step, &e[i], &t);
        }
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int write_silence(ApiCall *c, const SilenceRow *row, int64_t *ret_id) {
        Store *store = c->app->store;
        StepId step;

        int r = store_begin(store);
        if (r < 0)
                return r;
        r = store_step(store, CAUSE_SILENCE, clock_now_ms(), &step);
        if (r == 0)
                r = store_silence_add(store, step, row, ret_id);
        if (r == 0)
                r = note_silenced(c, step, row);
        if (r == 0)
                r = store_commit(store);
        if (r != 0)
                store_rollback(store);
        return r > 0 ? -EIO : r;
}

static int end_silence(ApiCall *c, int64_t id) {
        Store *store = c->app->store;
        int64_t now_ms = clock_now_ms();
        StepId step;

        int r = store_begin(store);
        if (r < 0)
                return r;
        r = store_step(store, CAUSE_SILENCE, now_ms, &step);
        if (r == 0)
                r = store_silence_end(store, step, id, now_ms);
        if (r == 0)
                r = store_commit(store);
        if (r != 0)
                store_rollback(store);
        return r;
}

int api_silence_end(ApiCall *c) {
        int64_t id;

        int r = api_find_id(c, c->arg[0], &id);
        if (r == 0)
                r = end_silence(c, id);
        if (r == STORE_E_NONE)
                return API_PROBLEM(c, 404, "không có lệnh tạm im số %lld đang có hiệu lực",
                                   "there is no silence %lld in force", (long long) id);
        if (r != 0)
                return r;
        app_wake(c->app);
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "silence", id);
        json_out_bool(&c->out, "ended", true);
        json_out_end_object(&c->out);
        return 0;
}

int api_silence_add(ApiCall *c) {
        SilenceRow row = {0};
        int64_t id;

        int r = read_silence(c, &row);
        if (r == 0)
                r = write_silence(c, &row, &id);
        if (r != 0)
                return r;
        app_wake(c->app);
        c->reply->status = 201;
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "silence", id);
        json_out_instant(&c->out, "from", row.from_ms);
        json_out_instant(&c->out, "until", row.until_ms);
        json_out_end_object(&c->out);
        return 0;
}

static void write_row(ApiCall *c, const SilenceRow *row) {
        JsonOut *o = &c->out;
        int64_t now_ms = clock_now_ms();

        json_out_object(o, NULL);
        json_out_int(o, "id", row->id);
        json_out_text(o, "rule", row->rule);
        view_unit(o, "unit", &c->view, row->unit, c->view.today);
        view_unit(o, "parent", &c->view, row->parent, c->view.today);
        json_out_text(o, "severity", severity_word(row->severity));
        json_out_instant(o, "from", row->from_ms);
        json_out_instant(o, "until", row->until_ms);
        json_out_text(o, "state",
                      row->until_ms <= now_ms ? "ended"
                      : row->from_ms > now_ms ? "coming"
                                              : "in force");
        json_out_text(o, "author", api_personal(c, row->author));
        json_out_text(o, "note", api_personal(c, row->note));
        json_out_end_object(o);
}

int api_silences(ApiCall *c) {
        SilenceRow *rows = NULL;
        size_t n = 0, shown = 0;
        bool is_all = api_flag(c, "all");
        int64_t now_ms = clock_now_ms();

        int r = store_silences_all(c->store, &rows, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) { /* swapped, so that the whole array can still be freed */
                if (!is_all && rows[i].until_ms <= now_ms)
                        continue;
                SilenceRow moved = rows[shown];
                rows[shown++] = rows[i];
                rows[i] = moved;
        }
        json_out_object(&c->out, NULL);
        api_page(c, shown);
        json_out_array(&c->out, "silences");
        for (size_t i = 0, window = api_window(c, shown); i < window; i++)
                write_row(c, rows + c->offset + i);
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        silence_rows_free(rows, n);
        return 0;
}
