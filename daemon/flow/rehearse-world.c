/* A daemon without wire and timer: the rooms that know, judge and tell are the real ones; this one
 * plays publisher, clock and postman.
 *
 * Time goes on in hops: to each local midnight (deadlines are judged) and each digest minute (gates open), as
 * the manager's timer would, so that a day without an action is a day that the rules have lived
 * through. */
#include "flow/rehearse-world.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

#include "flow/boot.h"
#include "flow/courier.h"
#include "flow/cycle.h"
#include "flow/facts.h"
#include "flow/judge.h"
#include "flow/root.h"
#include "flow/teller.h"
#include "flow/watch.h"
#include "os/file.h"
#include "store/registry.h"

#define MAX_HOPS (2 * REHEARSE_MAX_DAYS + 4) /* a midnight and a digest each */

int rehearse_complain(Rehearsal *h, const char *format, ...) {
        va_list ap;
        h->n_failed++;
        int r = buf_printf(h->out, "%s:%u: ", h->path, h->line);
        va_start(ap, format);
        if (r >= 0)
                r = buf_vprintf(h->out, format, ap);
        va_end(ap);
        return r < 0 ? r : buf_char(h->out, '\n');
}

static int emit(Rehearsal *h, const char *format, ...) PRINTF_LIKE(2, 3);
static int emit(Rehearsal *h, const char *format, ...) {
        Buf CLEANUP(buf_done) b = BUF_INIT(8192);
        va_list ap;
        va_start(ap, format);
        int r = buf_vprintf(&b, format, ap);
        va_end(ap);
        if (r >= 0)
                r = ARRAY_GROW(h->output, h->cap_output, h->n_output + 1);
        if (r < 0)
                return r;
        h->output[h->n_output] = buf_take(&b);
        return h->output[h->n_output++] ? 0 : -ENOMEM;
}

/* ---- what happened --------------------------------------------------------------------------- */

static const IndicatorDef *indicator_of(const Rehearsal *h, IndicatorId id) {
        for (size_t i = 0; id && i < h->app.config->n_indicators; i++)
                if (h->app.config->indicators[i].id == id)
                        return &h->app.config->indicators[i];
        return NULL;
}

static const char *value_text(char text[static DECIMAL_TEXT_MAX], const IndicatorDef *d,
                              int64_t value) {
        if (!d || value == VALUE_NONE)
                return "-";
        return decimal_format(text, value, d->decimals);
}

static const char *unit_text(const Rehearsal *h, UnitId unit, const char *subject) {
        return unit ? unit_code_on(&h->app.units, unit, day_of_instant(h->now_ms))
                    : str_or(subject, "-");
}

static int emit_transition(Rehearsal *h, const Episode *e, const TransitionRow *t) {
        if (h->watch)
                return h->watch->transition(h, e, t);
        int i = config_rule(h->app.config, e->rule);
        const IndicatorDef *d =
                i >= 0 && h->app.config->rules[i].indicator >= 0
                        ? &h->app.config->indicators[h->app.config->rules[i].indicator]
                        : NULL;
        char period[16] = "-", value[DECIMAL_TEXT_MAX];
        if (t->period)
                (void) period_format(period, t->period);
        const char *kind = e->unit == 0 && e->is_late ? "notice" : transition_name(t->kind);
        return emit(h, "%s %s %s %s %s%s%s", kind, e->rule, unit_text(h, e->unit, e->subject),
                    period, value_text(value, d, t->value), t->reason ? " " : "",
                    str_or(t->reason, ""));
}

typedef struct Happened {
        TransitionRow row;
        const Episode *episode;
} Happened;

static int compare_happened(const void *a, const void *b) {
        const Happened *x = a, *y = b;
        return (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

static int collect_transitions(Rehearsal *h) {
        Episode *e = NULL;
        Happened *all = NULL;
        size_t n = 0, n_all = 0, cap = 0;
        int r = store_episodes(h->app.store, &(EpisodeFilter){0}, &e, &n);
        StepId seen = h->seen;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                TransitionRow *rows = NULL;
                size_t n_rows = 0;
                if (e[i].step <= h->seen) /* each event has steps of its own */
                        continue;
                seen = MAX(seen, e[i].step);
                r = store_transitions(h->app.store, e[i].id, &rows, &n_rows);
                for (size_t k = 0; r >= 0 && k < n_rows; k++) {
                        if (rows[k].id <= h->last_transition || rows[k].kind == TRANSITION_PENDING)
                                continue;
                        r = ARRAY_GROW(all, cap, n_all + 1);
                        if (r < 0)
                                break;
                        all[n_all++] = (Happened){rows[k], &e[i]};
                        rows[k].reason = NULL; /* handed over */
                }
                transition_rows_free(rows, n_rows);
        }
        if (n_all > 1)
                qsort(all, n_all, sizeof *all, compare_happened);
        for (size_t i = 0; i < n_all; i++) {
                if (r >= 0)
                        r = emit_transition(h, all[i].episode, &all[i].row);
                h->last_transition = all[i].row.id;
                free(all[i].row.reason);
        }
        free(all);
        h->seen = seen;
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int emit_items(Rehearsal *h, const char *key, const MessageRow *row) {
        PlanItem CLEANUP_FREE *items = NULL;
        size_t n = 0;
        int r = store_message_items(h->app.store, row->id, &items, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                char period[16] = "-", value[DECIMAL_TEXT_MAX];
                Episode *e = NULL;
                size_t n_e = 0;
                if (items[i].episode && (!items[i].unit || h->watch))
                        r = store_episodes(h->app.store, &(EpisodeFilter){.id = items[i].episode},
                                           &e, &n_e);
                if (items[i].period && items[i].unit)
                        (void) period_format(period, items[i].period);
                if (r >= 0 && h->watch)
                        r = h->watch->item(h, &items[i], n_e ? e : NULL);
                else if (r >= 0)
                        r = emit(h, "told %s %s %s %s %s", key, say_name(items[i].say),
                                 unit_text(h, items[i].unit, n_e ? e[0].subject : NULL), period,
                                 value_text(value, indicator_of(h, items[i].indicator),
                                            items[i].value));
                store_episodes_free(e, n_e);
        }
        return MIN(r, 0);
}

/* ---- the postman ----------------------------------------------------------------------------- */

static int settle(Rehearsal *h, StepId step, MessageRow *row) {
        bool is_arrived = h->fate == FATE_OK || h->fate == FATE_MAYBE;
        row->state = h->fate == FATE_OK ? MESSAGE_ACCEPTED : MESSAGE_DEAD;
        row->attempts++;
        row->maybe = h->fate == FATE_MAYBE;
        row->settled_ms = h->now_ms;
        row->settled = step;
        int r = courier_book(&h->app, step, row, h->now_ms, is_arrived);
        return r < 0 ? r : store_message_settle(h->app.store, step, row);
}

static int deliver_one(Rehearsal *h, MessageRow *row, const TargetRow *targets, size_t n) {
        const char *key = "?";
        StepId step = 0;
        bool is_void = false;
        for (size_t i = 0; i < n; i++)
                if (targets[i].id == row->target)
                        key = targets[i].key;
        int r = store_begin(h->app.store);
        if (r >= 0)
                r = store_step(h->app.store, CAUSE_SETTLE, h->now_ms, &step);
        /* Made anew before it leaves, as the courier does. */
        Facts CLEANUP(facts_done) f = {0};
        if (r >= 0)
                r = facts_load(&h->app, h->now_ms, &f);
        if (r >= 0)
                r = teller_remake(&f, step, row->id, &is_void);
        if (r >= 0 && is_void) {
                row->state = MESSAGE_VOID;
                row->settled_ms = h->now_ms;
                r = store_message_settle(h->app.store, step, row);
        } else if (r >= 0) {
                r = store_message_start(h->app.store, row->id, h->now_ms);
                if (r >= 0)
                        r = settle(h, step, row);
        }
        if (r >= 0)
                r = store_commit(h->app.store);
        if (r < 0) {
                store_rollback(h->app.store);
                return r;
        }
        MessageRow *sent = NULL;
        r = is_void ? 0 : store_message_get(h->app.store, row->id, &sent);
        if (r >= 0 && sent && h->watch)
                r = h->watch->message(h, key, sent->subject);
        else if (r >= 0 && sent)
                r = emit(h, "subject %s %s%s", key, h->fate == FATE_OK ? "" : "(lost) ",
                         sent->subject);
        if (sent)
                message_rows_free(sent, 1);
        return r < 0 || is_void || h->fate == FATE_DEAD ? MIN(r, 0) : emit_items(h, key, row);
}

static int deliver(Rehearsal *h) {
        TargetRow *targets = NULL;
        MessageRow *rows = NULL;
        size_t n = 0, n_rows = 0;
        if (h->fate == FATE_DOWN)
                return 0;
        int r = store_targets(h->app.store, &targets, &n);
        if (r >= 0)
                r = store_messages_due(h->app.store, h->now_ms, 1000, &rows, &n_rows);
        for (size_t i = 0; r >= 0 && i < n_rows; i++)
                r = deliver_one(h, &rows[i], targets, n);
        message_rows_free(rows, n_rows);
        target_rows_free(targets, n);
        return MIN(r, 0);
}

/* What the manager does after every event: release what a gate lets through, hand it over, until
 * nothing more comes. */
int rehearse_follow(Rehearsal *h) {
        int r = collect_transitions(h);
        for (int i = 0; r >= 0 && i < 8; i++) {
                size_t n = 0;
                r = teller_run(&h->app, h->now_ms, false, &n);
                if (r >= 0)
                        r = deliver(h);
                if (n == 0 || h->fate == FATE_DOWN)
                        break;
        }
        return r;
}

/* ---- start, reload --------------------------------------------------------------------------- */

/* The script's own part of configuration stands in its first lines, so that line numbers agree; what a
 * `reload` brings stands in the line that is run. Nobody ever sees the files that are made of them. */
static void complain_of(Rehearsal *h, const DiagItem *item) {
        size_t n = strlen(h->dir);
        bool is_ours = n > 0 && item->file && strncmp(item->file, h->dir, n) == 0;
        DiagItem shown = *item;
        if (is_ours && !streq(item->file, h->config_path))
                shown.line = h->line;
        if (is_ours)
                shown.file = (char *) h->path;
        char CLEANUP_FREE *text = diag_item_format(&shown);
        if (!is_ours) {
                (void) rehearse_complain(h, "%s", str_or(text, "out of memory"));
                return;
        }
        h->n_failed++;
        (void) buf_printf(h->out, "%s\n", str_or(text, "out of memory"));
}

static int bind_inside(Rehearsal *h, Diag *diag) {
        StepId step = 0;
        int r = store_step(h->app.store, CAUSE_RELOAD, h->now_ms, &step);
        return r < 0 ? r : root_bind(&h->app, step, h->now_ms, diag);
}

int rehearse_load(Rehearsal *h) {
        App *app = &h->app;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Config *config = NULL;
        int r = 0;
        if (h->given)
                config = TAKE_PTR(h->given);
        else
                r = boot_config(h->config_path, NULL, h->now_ms, &diag, &config);
        for (size_t i = 0; r < 0 && i < diag.n; i++)
                if (diag.items[i].level == DIAG_ERROR)
                        complain_of(h, &diag.items[i]);
        if (r < 0)
                return r;
        if (app->config) {
                judge_done(app);
                watch_forget(app);
                config_free(app->config);
        }
        app->config = config;
        r = store_begin(app->store);
        if (r >= 0)
                r = bind_inside(h, &diag);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r < 0 ? r : cycle_deadline(app, h->now_ms);
}

int rehearse_open(Rehearsal *h) {
        App *app = &h->app;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        char CLEANUP_FREE *path = file_join(h->dir, "chisod.db");
        if (!path)
                return -ENOMEM;
        app->started_ms = h->now_ms;
        app->is_rehearsal = true;
        int r = store_open(path, &diag, &app->store);
        if (r == 0)
                r = store_open_reader(path, &diag, &app->reader);
        if (r != 0)
                return r < 0 ? r : -EIO;
        r = store_units_load(app->store, &app->units);
        if (r >= 0)
                r = rehearse_load(h);
        if (r >= 0)
                r = boot_templates(app->config, "vi", &diag, &app->templates_vi);
        return r < 0 ? r : boot_templates(app->config, "en", &diag, &app->templates_en);
}

void rehearse_close(Rehearsal *h) {
        root_done(&h->app);
        h->app = (App){0};
}

int rehearse_prepare(Rehearsal *h) {
        (void) snprintf(h->dir, sizeof h->dir, "/tmp/chisod-rules-XXXXXX");
        if (mkdtemp(h->dir))
                return 0;
        h->dir[0] = '\0';
        return -errno;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        (void) st;
        (void) flag;
        (void) ftw;
        return remove(path);
}

void rehearse_done(Rehearsal *h) {
        rehearse_close(h);
        for (size_t i = 0; i < h->n_output; i++)
                free(h->output[i]);
        free(h->output);
        free(h->cells);
        free(h->config_path);
        if (h->given)
                config_free(h->given);
        if (h->dir[0])
                (void) nftw(h->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- time ------------------------------------------------------------------------------------ */

static int hop(Rehearsal *h, int64_t to_ms) {
        Day before = day_of_instant(h->now_ms);
        h->now_ms = to_ms;
        int r = day_of_instant(to_ms) != before ? cycle_deadline(&h->app, to_ms) : 0;
        return r < 0 ? r : rehearse_follow(h);
}

int rehearse_go_to(Rehearsal *h, int64_t to_ms) {
        for (int i = 0; h->now_ms < to_ms; i++) {
                if (h->watch && h->watch->is_over(h))
                        return -ECANCELED;
                if (i == MAX_HOPS)
                        return -E2BIG;
                int64_t midnight = day_start_ms(day_of_instant(h->now_ms) + 1);
                int64_t digest = day_start_ms(day_of_instant(h->now_ms)) +
                                 h->app.config->daemon.digest_minute * MS_PER_MINUTE;
                int64_t next = digest > h->now_ms ? digest : midnight;
                int r = hop(h, MIN(next, to_ms));
                if (r < 0)
                        return r;
        }
        return 0;
}
