/* Delivery: rows in flight, and the settle transaction.
 *
 * One settle writes the outcomes of everything that came back since the last one, the two ledgers
 * of what arrived, and marks the next batch as started; only what is handed to the wire with this
 * commit is marked. So a crash leaves at most the rows in flight in doubt, and those go out again
 * with the same bytes and id.
 *
 * Bytes are fixed from the first attempt that may have arrived. Until then every further attempt
 * is made anew from the present plan. */
#include "app/courier.h"

#include <errno.h>
#include <stdio.h>

#include "app/message.h"
#include "app/teller.h"
#include "core/delivery.h"
#include "core/mail.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/hook.h"
#include "os/log.h"
#include "os/secret.h"
#include "store/outbox.h"
#include "transport/http.h"
#include "transport/smtp.h"

#define MAX_UNDER_WAY 8
#define MAX_FLIGHTS (2 * MAX_UNDER_WAY) /* those that came back keep their place until the commit */
#define MAX_PER_HOST 2
#define HOOK_TIMEOUT_MS (20 * MS_PER_SECOND)
#define HOOK_RESPONSE_MAX 1024
#define MAYBE_WAIT_MS MS_PER_HOUR

/* free -> marked (started in the open transaction) -> wire -> done (came back) -> settled (in the
 * open transaction) -> free. After a rollback marked becomes free and settled becomes done again:
 * no outcome is ever lost. */
typedef enum FlightState {
        FLIGHT_FREE,
        FLIGHT_MARKED,
        FLIGHT_WIRE,
        FLIGHT_DONE,
        FLIGHT_SETTLED
} FlightState;

typedef struct Flight {
        FlightState state;
        Courier *courier;
        MessageRow *row;   /* one row with its bytes */
        char host[256];    /* for the limit per host */
        char channel[256]; /* paused by this name: "smtp" or "hook:TARGET" */
        bool is_mail;
        bool is_probe; /* of a paused channel */
        char *address; /* mail address or URL, resolved */
        char *secret;  /* webhook signing secret or NULL */
        Slot *slot;
        AttemptOutcome outcome;
        int64_t retry_after_ms;
        char response[1025];
} Flight;

struct Courier {
        App *app;
        Flight flights[MAX_FLIGHTS];
        size_t n_refused; /* attempts of this run that were not accepted, for --once */
};

static void flight_reset(Flight *f) {
        Courier *c = f->courier;
        if (f->slot)
                slot_free(f->slot);
        message_rows_free(f->row, f->row ? 1 : 0);
        if (f->secret)
                explicit_bzero(f->secret, strlen(f->secret));
        free(f->secret);
        free(f->address);
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

/* What arrived (or may have, once it is dead) becomes the ledger. */
static int book_items(App *app, StepId step, const MessageRow *row, int64_t now_ms,
                      bool is_arrived) {
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
        int r = store_channel_get(app->store, f->channel, &row);
        if (r < 0)
                return r;
        if (!row.paused_ms) {
                LogFields fields = {.message_id = LOG_ID_DELIVERY_FAILED};
                log_full(LOG_WARNING, &fields,
                         "%s is paused: %s; one probe every 15 minutes, nothing is lost",
                         f->channel, f->response);
                row.paused_ms = now_ms;
        }
        (void) snprintf(row.name, sizeof row.name, "%s", f->channel);
        (void) snprintf(row.reason, sizeof row.reason, "%.*s", (int) sizeof row.reason - 1,
                        f->response);
        row.probe_ms = now_ms + DELIVERY_PROBE_MS;
        return store_channel_put(app->store, &row);
}

static int resume_channel(App *app, const Flight *f) {
        ChannelRow row = {0};
        int r = store_channel_get(app->store, f->channel, &row);
        if (r < 0 || !row.paused_ms)
                return r < 0 ? r : 0;
        log_info("%s answers again", f->channel);
        row.paused_ms = row.probe_ms = 0;
        row.reason[0] = '\0';
        return store_channel_put(app->store, &row);
}

static int settle_dead(App *app, StepId step, const Flight *f, MessageRow *row, int64_t now_ms,
                       bool is_target_fault) {
        row->state = MESSAGE_DEAD;
        row->settled_ms = now_ms;
        LogFields fields = {.target = f->address, .message_id = LOG_ID_DELIVERY_FAILED};
        log_full(LOG_ERR, &fields,
                 "message %s is a dead letter after %u attempts: %s; `chisoctl retry %lld` plans "
                 "it again",
                 row->uuid, row->attempts, f->response, (long long) row->id);
        int r = book_items(app, step, row, now_ms, /* is_arrived= */ row->maybe > 0);
        if (r >= 0 && is_target_fault)
                r = store_target_state_put(app->store, row->target,
                                           f->outcome == ATTEMPT_DISABLED ? TARGET_DISABLED
                                                                          : TARGET_MARKED,
                                           f->response);
        return r;
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
                r = book_items(app, step, row, now_ms, true);
                return r < 0 ? r : resume_channel(app, f);
        case ATTEMPT_DISABLED:
                return settle_dead(app, step, f, row, now_ms, true);
        case ATTEMPT_CHANNEL_DOWN:
                /* Not the message's fault: the attempt does not count. */
                row->state = MESSAGE_READY;
                row->attempts--;
                row->next_ms = now_ms + DELIVERY_PROBE_MS;
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

/* ---- the next batch -------------------------------------------------------------------------- */

static void host_of(const char *url, char *ret, size_t size) {
        const char *p = strstr(url, "://");
        p = p ? p + 3 : url;
        (void) snprintf(ret, size, "%.*s", (int) strcspn(p, "/?#"), p);
}

static const TargetRow *find_target(const TargetRow *targets, size_t n, int64_t id) {
        for (size_t i = 0; i < n; i++)
                if (targets[i].id == id)
                        return &targets[i];
        return NULL;
}

static int resolve(App *app, const char *text, char **ret) {
        Buf CLEANUP(buf_done) b = BUF_INIT(65536);
        int r = secret_resolve(text, app->config->daemon.secrets_dir, &b);
        if (r < 0)
                return r;
        *ret = buf_take(&b);
        return *ret ? 0 : -ENOMEM;
}

/* Address, host and channel of a flight. A secret that is missing pauses the channel: a person
 * must mend it. */
static int aim(App *app, Flight *f, const TargetRow *target) {
        f->is_mail = streq(target->channel, "email");
        if (f->is_mail) {
                (void) snprintf(f->channel, sizeof f->channel, "smtp");
                host_of(str_or(app->config->smtp.url, ""), f->host, sizeof f->host);
                return mail_address(target->address, &f->address);
        }
        (void) snprintf(f->channel, sizeof f->channel, "hook:%s", target->key);
        int r = resolve(app, target->address, &f->address);
        if (r < 0)
                return r;
        host_of(f->address, f->host, sizeof f->host);
        const RecipientDef *recipient = message_recipient(app, target->recipient);
        return recipient && recipient->webhook_secret
                       ? resolve(app, recipient->webhook_secret, &f->secret)
                       : 0;
}

static bool has_room(const Courier *c, const Flight *one) {
        size_t n_host = 0;
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                const Flight *f = &c->flights[i];
                if (f == one || f->state == FLIGHT_FREE || f->state == FLIGHT_SETTLED)
                        continue;
                if (f->row && one->row && f->row->target == one->row->target)
                        return false;
                n_host += streq(f->host, one->host);
        }
        return n_host < MAX_PER_HOST;
}

static size_t count_under_way(const Courier *c) {
        size_t n = 0;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                n += c->flights[i].state == FLIGHT_MARKED || c->flights[i].state == FLIGHT_WIRE;
        return n;
}

static Flight *free_flight(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                if (c->flights[i].state == FLIGHT_FREE)
                        return &c->flights[i];
        return NULL;
}

/* A paused channel lets one probe through when its time has come; *ret_go false otherwise. */
static int check_pause(App *app, Flight *f, int64_t now_ms, bool *ret_go) {
        ChannelRow channel = {0};
        int r = store_channel_get(app->store, f->channel, &channel);
        if (r < 0)
                return r;
        *ret_go = !channel.paused_ms || channel.probe_ms <= now_ms || app->is_once;
        if (!*ret_go || !channel.paused_ms)
                return 0;
        f->is_probe = true;
        channel.probe_ms = now_ms + DELIVERY_PROBE_MS;
        return store_channel_put(app->store, &channel);
}

static void fail_before_wire(Flight *f, int error) {
        f->outcome = ATTEMPT_CHANNEL_DOWN;
        (void) snprintf(f->response, sizeof f->response,
                        "not sent: address or secret of %s cannot be used (%s)", f->channel,
                        strerror(-error));
        f->state = FLIGHT_DONE;
}

/* Takes a due row into a flight and marks it started. *ret_go false: passed over for now. */
static int board(Courier *c, Flight *f, StepId step, const MessageRow *due, const TargetRow *target,
                 int64_t now_ms) {
        App *app = c->app;
        bool go = false, is_void = false;
        int r = store_message_get(app->store, due->id, &f->row);
        if (r != 0)
                return r < 0 ? r : -ENOENT;
        int aimed = aim(app, f, target);
        if (!has_room(c, f)) {
                flight_reset(f);
                return 0;
        }
        r = check_pause(app, f, now_ms, &go);
        if (r < 0 || !go) {
                flight_reset(f);
                return r;
        }
        if (f->row->attempts > 0 && f->row->maybe == 0) {
                r = teller_remake(app, step, due->id, now_ms, &is_void);
                message_rows_free(f->row, 1);
                f->row = NULL;
                if (r >= 0)
                        r = store_message_get(app->store, due->id, &f->row);
                if (r != 0)
                        return r < 0 ? r : -ENOENT;
        }
        if (is_void) {
                f->row->state = MESSAGE_VOID;
                f->row->settled_ms = now_ms;
                r = store_message_settle(app->store, step, f->row);
                flight_reset(f);
                return r;
        }
        r = store_message_start(app->store, due->id, now_ms);
        if (r < 0)
                return r;
        f->row->attempts++;
        f->row->state = MESSAGE_STARTED;
        f->state = FLIGHT_MARKED;
        if (aimed < 0)
                fail_before_wire(f, aimed);
        return 0;
}

static int board_batch(Courier *c, StepId step, const MessageRow *due, size_t n, int64_t now_ms) {
        TargetRow *targets = NULL;
        size_t n_targets = 0;
        int r = store_targets(c->app->store, &targets, &n_targets);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                Flight *f = free_flight(c);
                const TargetRow *target = find_target(targets, n_targets, due[i].target);
                if (!f || count_under_way(c) >= MAX_UNDER_WAY)
                        break;
                if (target)
                        r = board(c, f, step, &due[i], target, now_ms);
        }
        target_rows_free(targets, n_targets);
        return r;
}

/* ---- on the wire ----------------------------------------------------------------------------- */

static void flight_finish(Flight *f, AttemptOutcome outcome, int64_t retry_after_ms,
                          const char *text) {
        hook_point("send.sent");
        f->outcome = outcome;
        f->retry_after_ms = retry_after_ms;
        (void) snprintf(f->response, sizeof f->response, "%s", text);
        f->state = FLIGHT_DONE;
        app_wake(f->courier->app);
}

static void on_mail(Slot *slot, const SmtpResult *result, void *userdata) {
        (void) slot;
        flight_finish(userdata, result->outcome, 0, result->text);
}

static void on_hook(Slot *slot, const HttpResult *result, void *userdata) {
        (void) slot;
        Buf CLEANUP(buf_done) text = BUF_INIT(8192);
        if (result->status)
                (void) buf_printf(&text, "HTTP %d ", result->status);
        if (result->error)
                (void) buf_str(&text, result->error_text);
        else if (result->body_size)
                (void) buf_append(&text, result->body,
                                  MIN(result->body_size, (size_t) HOOK_RESPONSE_MAX));
        flight_finish(userdata, delivery_hook_outcome(&result->hook), result->retry_after_ms,
                      buf_text(&text));
}

static int start_mail(App *app, Flight *f) {
        const Config *c = app->config;
        char CLEANUP_FREE *password = NULL, *sender = NULL;
        if (!c->smtp.url)
                return -EDESTADDRREQ;
        int r = c->smtp.password ? resolve(app, c->smtp.password, &password) : 0;
        if (r >= 0)
                r = mail_address(c->smtp.from, &sender);
        if (r >= 0) {
                SmtpRequest request = {.url = c->smtp.url,
                                       .username = c->smtp.username,
                                       .password = password,
                                       .ca_file = c->smtp.ca_file ? c->smtp.ca_file
                                                                  : c->network.ca_file,
                                       .tls = c->smtp.tls,
                                       .sender = sender,
                                       .recipient = f->address,
                                       .data = f->row->body,
                                       .size = f->row->body_size,
                                       .timeout_ms = c->smtp.timeout_ms};
                r = smtp_start(app->mux, &request, on_mail, f, &f->slot);
        }
        if (password)
                explicit_bzero(password, strlen(password));
        return r;
}

static int start_hook(App *app, Flight *f) {
        int64_t timestamp = clock_now_ms() / 1000;
        Buf CLEANUP(buf_done) id = BUF_INIT(512), at = BUF_INIT(64), signature = BUF_INIT(4096);
        int r = buf_printf(&id, "webhook-id: %s", f->row->uuid);
        if (r >= 0)
                r = buf_printf(&at, "webhook-timestamp: %lld", (long long) timestamp);
        if (r >= 0)
                r = buf_str(&signature, "webhook-signature: ");
        if (r >= 0 && f->secret)
                r = crypto_webhook_sign(f->secret, f->row->uuid, timestamp, f->row->body,
                                        f->row->body_size, &signature);
        if (r < 0)
                return r;
        const char *headers[] = {"Content-Type: application/json", buf_text(&id), buf_text(&at),
                                 buf_text(&signature)};
        HttpRequest request = {.url = f->address,
                               .method = "POST",
                               .headers = headers,
                               .n_headers = f->secret ? 4 : 3,
                               .body = f->row->body,
                               .body_size = f->row->body_size,
                               .max_body = HOOK_RESPONSE_MAX,
                               .is_truncating = true,
                               .timeout_ms = HOOK_TIMEOUT_MS};
        return http_start(app->mux, &request, on_hook, f, &f->slot);
}

static void launch(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                Flight *f = &c->flights[i];
                if (f->state != FLIGHT_MARKED)
                        continue;
                f->state = FLIGHT_WIRE;
                hook_point("send.begin");
                int r = f->is_mail ? start_mail(c->app, f) : start_hook(c->app, f);
                if (r < 0) {
                        fail_before_wire(f, r);
                        app_wake(c->app);
                }
        }
}

/* ---- the settle transaction ------------------------------------------------------------------ */

static size_t count_state(const Courier *c, FlightState state) {
        size_t n = 0;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                n += c->flights[i].state == state;
        return n;
}

static int settle_inside(Courier *c, const MessageRow *due, size_t n_due, int64_t now_ms) {
        StepId step = 0;
        int r = store_step(c->app->store, CAUSE_SETTLE, now_ms, &step);
        for (size_t i = 0; r >= 0 && i < MAX_FLIGHTS; i++)
                if (c->flights[i].state == FLIGHT_DONE)
                        r = settle_flight(c->app, step, &c->flights[i], now_ms);
        return r < 0 ? r : board_batch(c, step, due, n_due, now_ms);
}

static void settle_committed(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                Flight *f = &c->flights[i];
                if (f->state != FLIGHT_SETTLED)
                        continue;
                c->n_refused += f->outcome != ATTEMPT_ACCEPTED;
                flight_reset(f);
        }
        launch(c);
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

static int settle(Courier *c, const MessageRow *due, size_t n_due, int64_t now_ms) {
        Store *store = c->app->store;
        hook_point("settle.begin");
        int r = store_begin(store);
        if (r >= 0)
                r = settle_inside(c, due, n_due, now_ms);
        hook_point("settle.commit");
        if (r >= 0)
                r = store_commit(store);
        if (r < 0) {
                store_rollback(store);
                settle_rolled_back(c);
                return r;
        }
        hook_point("settle.done");
        /* A target that was busy may have more to hear. */
        c->app->is_tell_due = true;
        settle_committed(c);
        return 0;
}

static bool is_boardable(const Courier *c, const MessageRow *due, size_t n) {
        if (count_state(c, FLIGHT_WIRE) >= MAX_UNDER_WAY)
                return false;
        for (size_t i = 0; i < n; i++) {
                bool is_under_way = false;
                for (size_t k = 0; k < MAX_FLIGHTS; k++)
                        is_under_way = is_under_way ||
                                       (c->flights[k].row && c->flights[k].row->id == due[i].id);
                if (!is_under_way)
                        return true;
        }
        return false;
}

void courier_run(App *app, int64_t now_ms) {
        Courier *c = app->courier;
        MessageRow *due = NULL;
        size_t n_due = 0;
        /* More than fit: some hosts may be at their limit. */
        int r = app->is_stopping
                        ? 0
                        : store_messages_due(app->store, now_ms, 4 * MAX_UNDER_WAY, &due, &n_due);
        if (r >= 0 && (count_state(c, FLIGHT_DONE) > 0 || is_boardable(c, due, n_due)))
                r = settle(c, due, n_due, now_ms);
        message_rows_free(due, n_due);
        if (r >= 0)
                return;
        log_error("deliveries cannot be settled (%s), trying again in 30 s", strerror(-r));
        app->health.store_error = r;
        app->health.store_error_ms = now_ms;
}

int64_t courier_next(App *app, int64_t now_ms) {
        const Courier *c = app->courier;
        if (count_state(c, FLIGHT_DONE) > 0)
                return app->health.store_error ? now_ms + 30 * MS_PER_SECOND : now_ms;
        int64_t next = INT64_MAX;
        if (count_state(c, FLIGHT_WIRE) >= MAX_UNDER_WAY ||
            store_message_next(app->store, &next) < 0)
                return INT64_MAX;
        /* A row that is due but waits for its host is started when that host's flight comes
         * back. */
        if (next <= now_ms)
                return count_state(c, FLIGHT_WIRE) > 0 ? INT64_MAX : now_ms + MS_PER_SECOND;
        return next;
}

bool courier_is_idle(const App *app, int64_t now_ms, size_t *ret_refused) {
        const Courier *c = app->courier;
        MessageRow *due = NULL;
        size_t n_due = 0;
        int r = store_messages_due(app->store, now_ms, 1, &due, &n_due);
        message_rows_free(due, n_due);
        *ret_refused = c->n_refused;
        return r < 0 || (n_due == 0 && count_state(c, FLIGHT_FREE) == MAX_FLIGHTS);
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
                r = book_items(app, step, row, now_ms, true);
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

/* The target is free again and what was given up is planned again. The dead row stays as it was:
 * evidence. */
static int retry_inside(App *app, StepId step, const MessageRow *row) {
        PlanItem CLEANUP_FREE *items = NULL;
        size_t n = 0;
        int r = store_target_state_put(app->store, row->target, TARGET_OK, NULL);
        if (r >= 0)
                r = store_message_items(app->store, row->id, &items, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                Told told = {0};
                if (!items[i].episode)
                        continue;
                r = store_told_get(app->store, row->target, items[i].episode, &told);
                if (r < 0 || !told.gave_up)
                        continue;
                told.gave_up = 0;
                r = store_told_put(app->store, step, row->target, &told);
        }
        return r < 0 ? r : 0;
}

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
                r = retry_inside(app, step, row);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        message_rows_free(row, 1);
        app->is_tell_due = true;
        app_wake(app);
        return r;
}
