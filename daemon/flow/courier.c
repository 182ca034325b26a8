/* Delivery: rows in flight, and the settle transaction.
 *
 * One settle writes the outcomes of everything that came back since the last one, the two ledgers
 * of what arrived, and marks the next batch as started; only what is handed to the wire with this
 * commit is marked. So a crash leaves at most the rows in flight in doubt, and those go out again
 * with the same bytes and id.
 *
 * Bytes are fixed from the first attempt that may have arrived. Until then every further attempt
 * is made anew from the present plan. */
#include "flow/courier.h"

#include <errno.h>
#include <stdio.h>

#include "flow/courier-internal.h"
#include "flow/judge.h"
#include "os/crypto.h"
#include "os/hook.h"
#include "os/log.h"

#define MAYBE_WAIT_MS MS_PER_HOUR
#define STUCK_MS (30 * MS_PER_MINUTE)
#define RETRY_STORE_MS (30 * MS_PER_SECOND)

void flight_reset(Flight *f) {
        Courier *c = f->courier;
        if (f->slot)
                slot_free(f->slot);
        message_rows_free(f->row, f->row ? 1 : 0);
        if (f->secret)
                explicit_bzero(f->secret, strlen(f->secret));
        free(f->secret);
        channel_aim_done(&f->aim);
        *f = (Flight){.courier = c};
}

int courier_new(App *app, Courier **ret) {
        Courier *c = calloc(1, sizeof *c);
        if (!c)
                return -ENOMEM;
        c->app = app;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                c->flights[i].courier = c;
        *ret = c;
        return 0;
}

void courier_free(Courier *c) {
        if (!c)
                return;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                flight_reset(&c->flights[i]);
        free(c);
}

/* ---- settling: what came back ---------------------------------------------------------------- */

int courier_book(App *app, StepId step, const MessageRow *row, int64_t now_ms, bool is_arrived) {
        PlanItem CLEANUP_FREE *items = NULL;
        size_t n = 0;
        int r = store_message_items(app->store, row->id, &items, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                Told told = {0};
                ToldFigure figure = {0};
                bool has_figure = false;
                if (items[i].episode)
                        r = store_told_get(app->store, row->target, items[i].episode, &told);
                if (r < 0)
                        return r;
                if (!is_arrived) {
                        if (items[i].episode && plan_give_up(&items[i], &told))
                                r = store_told_put(app->store, step, row->target, &told);
                        continue;
                }
                plan_book(&items[i], row->id, now_ms, &told, &figure, &has_figure);
                if (items[i].episode)
                        r = store_told_put(app->store, step, row->target, &told);
                if (r >= 0 && has_figure)
                        r = store_told_figure_put(app->store, step, row->target, &figure);
        }
        return r < 0 ? r : 0;
}

static int pause_channel(App *app, const Flight *f, int64_t now_ms) {
        ChannelRow row = {0};
        int r = store_channel_get(app->store, f->aim.channel, &row);
        if (r < 0)
                return r;
        if (!row.paused_ms) {
                LogFields fields = {.message_id = LOG_ID_DELIVERY_FAILED};
                log_full(LOG_WARNING, &fields,
                         "%s is paused: %s; one probe every 15 minutes, nothing is lost",
                         f->aim.channel, f->response);
                row.paused_ms = now_ms;
        }
        (void) snprintf(row.name, sizeof row.name, "%s", f->aim.channel);
        (void) snprintf(row.reason, sizeof row.reason, "%.*s", (int) sizeof row.reason - 1,
                        f->response);
        row.probe_ms = now_ms + DELIVERY_PROBE_MS;
        return store_channel_put(app->store, &row);
}

static int resume_channel(App *app, const Flight *f) {
        ChannelRow row = {0};
        int r = store_channel_get(app->store, f->aim.channel, &row);
        if (r < 0 || !row.paused_ms)
                return r < 0 ? r : 0;
        log_info("%s answers again", f->aim.channel);
        row.paused_ms = row.probe_ms = 0;
        row.reason[0] = '\0';
        return store_channel_put(app->store, &row);
}

/* One episode per target: opened by a dead letter, closed by the next message that arrives. */
static int judge_dead(App *app, StepId step, const MessageRow *row, int64_t now_ms, bool is_dead,
                      const char *why) {
        TargetRow CLEANUP(target_row_done) target = {0};
        Buf CLEANUP(buf_done) subject = BUF_INIT(1024), text = BUF_INIT(8192);
        int r = store_target_get(app->store, row->target, &target);
        if (r != 0)
                return MIN(r, 0);
        r = buf_printf(&subject, "delivery:%s", target.key);
        if (r >= 0)
                r = buf_printf(
                        &text,
                        app_is_vi(app)
                                ? "không gửi được: %s (gửi lại: chisoctl retry %lld) - %s"
                                : "cannot be delivered: %s (again: chisoctl retry %lld) - %s",
                        why, (long long) row->id, str_or(row->subject, ""));
        if (r >= 0)
                r = judge_subject(app, step, now_ms, "dead-letter", buf_text(&subject), is_dead,
                                  SEVERITY_WARNING, buf_text(&text));
        app->is_tell_due = app->is_tell_due || is_dead;
        return r;
}

static int settle_dead(App *app, StepId step, const Flight *f, MessageRow *row, int64_t now_ms,
                       bool is_target_fault) {
        row->state = MESSAGE_DEAD;
        row->settled_ms = now_ms;
        LogFields fields = {.target = f->aim.address, .message_id = LOG_ID_DELIVERY_FAILED};
        log_full(LOG_ERR, &fields,
                 "message %s is a dead letter after %u attempts: %s; `chisoctl retry %lld` plans "
                 "it again",
                 row->uuid, row->attempts, f->response, (long long) row->id);
        int r = courier_book(app, step, row, now_ms, /* is_arrived= */ row->maybe > 0);
        if (r >= 0 && is_target_fault)
                r = store_target_state_put(app->store, row->target,
                                           f->outcome == ATTEMPT_DISABLED ? TARGET_DISABLED
                                                                          : TARGET_MARKED,
                                           f->response);
        return r < 0 ? r : judge_dead(app, step, row, now_ms, true, f->response);
}

/* Next try of a row that stays: later attempts wait longer; a peer that asks for more gets it. */
static int settle_again(App *app, StepId step, const Flight *f, MessageRow *row, int64_t now_ms) {
        int64_t delay = delivery_delay_ms(row->attempts, crypto_random01(), f->retry_after_ms);
        if (delay == INT64_MAX)
                return settle_dead(app, step, f, row, now_ms, f->outcome == ATTEMPT_REFUSED_TARGET);
        row->state = MESSAGE_READY;
        row->next_ms = now_ms + delay;
        return 0;
}

static int settle_outcome(App *app, StepId step, const Flight *f, MessageRow *row, int64_t now_ms) {
        int r = 0;
        row->open_starts = 0;
        switch (f->outcome) {
        case ATTEMPT_ACCEPTED:
                row->state = MESSAGE_ACCEPTED;
                row->settled_ms = now_ms;
                r = courier_book(app, step, row, now_ms, true);
                if (r >= 0)
                        r = judge_dead(app, step, row, now_ms, false, "arrived");
                return r < 0 ? r : resume_channel(app, f);
        case ATTEMPT_DISABLED:
                return settle_dead(app, step, f, row, now_ms, true);
        case ATTEMPT_CHANNEL_DOWN:
                /* Not the message's fault: the attempt does not count. */
                row->state = MESSAGE_READY;
                row->attempts--;
                row->next_ms = now_ms;
                if (f->generation != app->config_generation)
                        return 0; /* what failed is the channel as it was configured before */
                row->next_ms += DELIVERY_PROBE_MS;
                return pause_channel(app, f, now_ms);
        case ATTEMPT_UNKNOWN:
                row->maybe++;
                return settle_again(app, step, f, row, now_ms);
        case ATTEMPT_REFUSED_TARGET:
        case ATTEMPT_TEMPORARY:
                r = resume_channel(app, f);
                return r < 0 ? r : settle_again(app, step, f, row, now_ms);
        }
        return -EINVAL;
}

/* Works on a copy of the row: a rolled-back settle is done again from the same outcome. */
static int settle_flight(App *app, StepId step, Flight *f, int64_t now_ms) {
        MessageRow row = *f->row;
        int r = settle_outcome(app, step, f, &row, now_ms);
        row.outcome = (char *) attempt_outcome_name(f->outcome);
        row.response = f->response;
        if (r >= 0)
                r = store_message_settle(app->store, step, &row);
        if (r < 0)
                return r;
        f->state = FLIGHT_SETTLED;
        return 0;
}

/* ---- the settle transaction ------------------------------------------------------------------ */

size_t courier_count(const Courier *c, FlightState state) {
        size_t n = 0;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                n += c->flights[i].state == state;
        return n;
}

/* Nothing waits for a paused channel any more: the next message shows whether it works again. */
static int free_channel(App *app, const char *name) {
        ChannelRow row = {0};
        int r = store_channel_get(app->store, name, &row);
        if (r < 0 || !row.paused_ms)
                return r < 0 ? r : 0;
        log_info("nothing waits for %s any more: the next message is tried at once", name);
        row.paused_ms = 0;
        return store_channel_put(app->store, &row);
}

static int settle_inside(Courier *c, Manifest *m, int64_t now_ms) {
        StepId step = 0;
        int r = store_step(c->app->store, CAUSE_SETTLE, now_ms, &step);
        for (size_t i = 0; r >= 0 && i < MAX_FLIGHTS; i++)
                if (c->flights[i].state == FLIGHT_DONE)
                        r = settle_flight(c->app, step, &c->flights[i], now_ms);
        if (r >= 0 && *m->idle_channel)
                r = free_channel(c->app, m->idle_channel);
        return r < 0 ? r : courier_board(c, step, m, now_ms);
}

static void settle_committed(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                Flight *f = &c->flights[i];
                if (f->state != FLIGHT_SETTLED)
                        continue;
                c->n_refused += f->outcome != ATTEMPT_ACCEPTED;
                flight_reset(f);
        }
        courier_launch(c);
}

static void settle_rolled_back(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                Flight *f = &c->flights[i];
                if (f->state == FLIGHT_SETTLED)
                        f->state = FLIGHT_DONE;
                else if (f->state == FLIGHT_MARKED)
                        flight_reset(f);
        }
}

static int settle(Courier *c, Manifest *m, int64_t now_ms) {
        Store *store = c->app->store;
        hook_point("settle.begin");
        int r = store_begin(store);
        if (r >= 0)
                r = settle_inside(c, m, now_ms);
        hook_point("settle.commit");
        if (r >= 0)
                r = store_commit(store);
        if (r < 0) {
                store_rollback(store);
                settle_rolled_back(c);
                return r;
        }
        hook_point("settle.done");
        /* Targets that were free had all said to them that there was. */
        c->app->is_tell_due |= c->app->is_passed_over;
        settle_committed(c);
        return 0;
}

/* A step that would change nothing is not written. */
static int settle_due(Courier *c, int64_t now_ms) {
        Manifest CLEANUP(manifest_done) m = {0};
        int r = c->app->is_stopping ? 0 : manifest_load(c, now_ms, &m);
        if (r < 0)
                return r;
        if (courier_count(c, FLIGHT_DONE) == 0 && m.n == 0 && !*m.idle_channel) {
                c->next_ms = m.next_ms;
                return 0;
        }
        r = settle(c, &m, now_ms);
        /* What just settled may have made room or resumed a channel. */
        c->next_ms = now_ms;
        return r;
}

void courier_run(App *app, int64_t now_ms) {
        Courier *c = app->courier;
        int r = settle_due(c, now_ms);
        if (r >= 0)
                return;
        c->next_ms = now_ms + RETRY_STORE_MS;
        log_error("deliveries cannot be settled (%s), trying again in 30 s", strerror(-r));
        app->health.store_error = r;
        app->health.store_error_ms = now_ms;
}

int64_t courier_next(const App *app) {
        return app->courier->next_ms;
}

/* Every attempt has a time-out: smtp.timeout (10 minutes at most) or that of hooks. */
bool courier_is_stuck(const App *app, int64_t awake_ms) {
        const Courier *c = app->courier;
        for (size_t i = 0; c && i < MAX_FLIGHTS; i++)
                if (c->flights[i].state == FLIGHT_WIRE &&
                    awake_ms - c->flights[i].wire_awake_ms > STUCK_MS)
                        return true;
        return false;
}

bool courier_is_idle(const App *app, int64_t now_ms, size_t *ret_refused) {
        const Courier *c = app->courier;
        MessageRow *due = NULL;
        size_t n_due = 0;
        int r = store_messages_due(app->store, now_ms, 1, &due, &n_due);
        message_rows_free(due, n_due);
        *ret_refused = c->n_refused;
        return r < 0 || (n_due == 0 && courier_count(c, FLIGHT_FREE) == MAX_FLIGHTS);
}

/* ---- start-up and people --------------------------------------------------------------------- */

/* A row found started may have arrived. Its bytes are fixed now; after three such starts in a row
 * something about it kills us: it waits an hour, then it is dead. */
static int recover_row(App *app, StepId step, MessageRow *row, int64_t now_ms) {
        row->maybe++;
        row->open_starts++;
        row->state = MESSAGE_READY;
        row->next_ms = now_ms;
        row->outcome = (char *) attempt_outcome_name(ATTEMPT_UNKNOWN);
        row->response = (char *) "the daemon ended while this was under way";
        int r = 0;
        if (row->open_starts == DELIVERY_MAX_MAYBE) {
                row->next_ms = now_ms + MAYBE_WAIT_MS;
        } else if (row->open_starts > DELIVERY_MAX_MAYBE) {
                row->state = MESSAGE_DEAD;
                row->settled_ms = now_ms;
                r = courier_book(app, step, row, now_ms, true);
                if (r >= 0)
                        r = judge_dead(app, step, row, now_ms, true, row->response);
        }
        return r < 0 ? r : store_message_settle(app->store, step, row);
}

int courier_recover(App *app, int64_t now_ms) {
        MessageRow *rows = NULL;
        size_t n = 0;
        StepId step = 0;
        int r = store_messages_started(app->store, &rows, &n);
        if (r < 0 || n == 0)
                return r;
        log_warning(
                "%zu messages were under way when the daemon ended: sent again with the same ids",
                n);
        r = store_begin(app->store);
        if (r >= 0)
                r = store_step(app->store, CAUSE_SETTLE, now_ms, &step);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                MessageRow row = rows[i];
                r = recover_row(app, step, &row, now_ms);
        }
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        message_rows_free(rows, n);
        return r;
}

/* An address, a secret, a certificate or a name server may have been mended, and the last two stand in
 * no configuration: so every pause is probed, not only those whose keys changed. */
int courier_rebind(App *app, int64_t now_ms) {
        return store_channels_probe(app->store, now_ms, attempt_outcome_name(ATTEMPT_CHANNEL_DOWN));
}

/* The target is free again and what was given up is planned again. The dead row stays: evidence. */
int courier_retry(App *app, int64_t message, int64_t now_ms) {
        MessageRow *row = NULL;
        StepId step = 0;
        int r = store_message_get(app->store, message, &row);
        if (r != 0)
                return r < 0 ? r : -ENOENT;
        if (row->state != MESSAGE_DEAD) {
                message_rows_free(row, 1);
                return -EBUSY;
        }
        r = store_begin(app->store);
        if (r >= 0)
                r = store_step(app->store, CAUSE_OPERATOR, now_ms, &step);
        if (r >= 0)
                r = store_message_retry(app->store, step, message);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        message_rows_free(row, 1);
        app->is_tell_due = true;
        app_wake(app);
        return r;
}
