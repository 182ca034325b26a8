/* What may start now.
 *
 * Found before any transaction is opened, by reading only: a row that waits for a paused channel or
 * for room at its host is due all the time, and a step or a timer for it at every tick would write
 * and wake for nothing. */
#include <errno.h>
#include <stdio.h>

#include "core/mail.h"
#include "flow/courier-internal.h"
#include "flow/message.h"
#include "flow/teller.h"
#include "os/log.h"

#define FIRST_PAGE 32

/* A message is made when it is sent: what waited longer than this (for a channel, for room, for its
 * next try) is made anew if none of its attempts can have arrived. */
#define FRESH_MS MS_PER_MINUTE

typedef struct Scan {
        Courier *courier;
        Manifest *manifest;
        Pauses pauses;
        int64_t now_ms;
} Scan;

void manifest_done(Manifest *m) {
        for (size_t i = 0; i < m->n; i++) {
                target_row_done(&m->list[i].target);
                channel_aim_done(&m->list[i].aim);
        }
        *m = (Manifest){0};
}

/* Those that came back count no more: their outcome is settled first. */
static bool is_under_way(const Flight *f) {
        return f->state == FLIGHT_MARKED || f->state == FLIGHT_WIRE;
}

static size_t count_host(const Scan *s, const char *host) {
        size_t n = 0;
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                n += is_under_way(&s->courier->flights[i]) &&
                     streq(s->courier->flights[i].aim.host, host);
        for (size_t i = 0; i < s->manifest->n; i++)
                n += streq(s->manifest->list[i].aim.host, host);
        return n;
}

static bool is_target_under_way(const Scan *s, int64_t target) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                const Flight *f = &s->courier->flights[i];
                if (f->state != FLIGHT_FREE && f->row && f->row->target == target)
                        return true;
        }
        return false;
}

/* A paused channel lets one probe through when its time has come. */
static bool is_held_back(const Scan *s, const char *channel) {
        const ChannelRow *row = pauses_find(&s->pauses, channel);
        if (!row || s->courier->app->is_once)
                return false;
        if (row->probe_ms > s->now_ms)
                return true;
        for (size_t i = 0; i < s->manifest->n; i++)
                if (streq(s->manifest->list[i].aim.channel, channel))
                        return true;
        return false;
}

static size_t room(const Scan *s) {
        size_t n = courier_count(s->courier, FLIGHT_MARKED) +
                   courier_count(s->courier, FLIGHT_WIRE) + s->manifest->n;
        return n < MAX_UNDER_WAY ? MAX_UNDER_WAY - n : 0;
}

static int consider(Scan *s, const MessageRow *due) {
        Passenger one = {.message = due->id};
        if (is_target_under_way(s, due->target))
                return 0;
        int r = store_target_get(s->courier->app->store, due->target, &one.target);
        if (r != 0)
                return MIN(r, 0);
        r = channel_aim(s->courier->app, &one.target, &one.aim);
        if (r >= 0 && !is_held_back(s, one.aim.channel) &&
            count_host(s, one.aim.host) < MAX_PER_HOST) {
                s->manifest->list[s->manifest->n++] = one;
                return 0;
        }
        target_row_done(&one.target);
        channel_aim_done(&one.aim);
        return r;
}

/* All mail goes to one relay: while that one takes no more, its rows need not be looked at. */
static bool is_mail_closed(const Scan *s) {
        Aim CLEANUP(channel_aim_done) aim = {0};
        TargetRow mail = {
                .channel = (char *) "email", .address = (char *) "a@b", .key = (char *) ""};
        if (channel_aim(s->courier->app, &mail, &aim) < 0)
                return false;
        return is_held_back(s, aim.channel) || count_host(s, aim.host) >= MAX_PER_HOST;
}

/* Rows in order of their time, page by page, until all places are taken. */
static int scan_due(Scan *s) {
        size_t n = 0, done = 0, limit = FIRST_PAGE;
        int r;
        do {
                MessageRow *due = NULL;
                r = store_messages_due_for(s->courier->app->store, s->now_ms, limit,
                                           is_mail_closed(s), &due, &n);
                for (size_t i = 0; r >= 0 && i < n && room(s) > 0; i++) {
                        bool is_known = false;
                        for (size_t k = 0; k < s->manifest->n; k++)
                                is_known = is_known || s->manifest->list[k].message == due[i].id;
                        if (!is_known)
                                r = consider(s, &due[i]);
                }
                message_rows_free(due, n);
                done = limit;
                limit *= 8;
        } while (r >= 0 && n == done && room(s) > 0);
        return r;
}

/* Does any unsettled row wait for the channel, now or later? */
static int is_wanted(Scan *s, const char *channel, bool *ret) {
        App *app = s->courier->app;
        TargetRow *targets = NULL;
        size_t n = 0;
        int r = store_targets_busy(app->store, &targets, &n);
        *ret = false;
        for (size_t i = 0; r >= 0 && i < n && !*ret; i++) {
                Aim CLEANUP(channel_aim_done) aim = {0};
                r = channel_aim(app, &targets[i], &aim);
                *ret = r >= 0 && streq(aim.channel, channel);
        }
        target_rows_free(targets, n);
        return r;
}

static int find_idle_channel(Scan *s) {
        for (size_t i = 0; i < s->pauses.n; i++) {
                const ChannelRow *row = &s->pauses.rows[i];
                bool wanted = false;
                if (row->probe_ms > s->now_ms) {
                        s->manifest->next_ms = MIN(s->manifest->next_ms, row->probe_ms);
                        continue;
                }
                int r = is_wanted(s, row->name, &wanted);
                if (r < 0)
                        return r;
                if (!wanted)
                        (void) snprintf(s->manifest->idle_channel, sizeof s->manifest->idle_channel,
                                        "%s", row->name);
        }
        return 0;
}

int manifest_load(Courier *c, int64_t now_ms, Manifest *ret) {
        *ret = (Manifest){.next_ms = INT64_MAX};
        Scan s = {.courier = c, .manifest = ret, .now_ms = now_ms};
        int r = pauses_load(c->app, &s.pauses);
        if (r >= 0)
                r = store_message_next_after(c->app->store, now_ms, &ret->next_ms);
        if (r >= 0 && room(&s) > 0)
                r = scan_due(&s);
        if (r >= 0)
                r = find_idle_channel(&s);
        pauses_done(&s.pauses);
        if (r < 0)
                manifest_done(ret);
        return r;
}

/* ---- in the settle transaction --------------------------------------------------------------- */

static Flight *free_flight(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++)
                if (c->flights[i].state == FLIGHT_FREE)
                        return &c->flights[i];
        return NULL;
}

/* Paused a moment ago by an outcome of this very transaction, or about to be probed. */
static int check_pause(App *app, const Aim *aim, int64_t now_ms, bool *ret_go) {
        ChannelRow channel = {0};
        int r = store_channel_get(app->store, aim->channel, &channel);
        if (r < 0)
                return r;
        *ret_go = !channel.paused_ms || channel.probe_ms <= now_ms || app->is_once;
        if (!*ret_go || !channel.paused_ms)
                return 0;
        channel.probe_ms = now_ms + DELIVERY_PROBE_MS;
        return store_channel_put(app->store, &channel);
}

static int settle_void(App *app, StepId step, const MessageRow *row, int64_t now_ms) {
        MessageRow is_void = *row;
        is_void.state = MESSAGE_VOID;
        is_void.settled_ms = now_ms;
        return store_message_settle(app->store, step, &is_void);
}

static bool is_stale(const MessageRow *row, int64_t now_ms) {
        return row->maybe == 0 && (row->attempts > 0 || now_ms - row->created_ms > FRESH_MS);
}

/* The facts are read once for the batch, and only when something waited. */
static int freshen(App *app, StepId step, Facts *facts, int64_t message, int64_t now_ms,
                   bool *ret_is_void) {
        int r = facts->app ? 0 : facts_load(app, now_ms, facts);
        return r < 0 ? r : teller_remake(facts, step, message, ret_is_void);
}

static int reread(App *app, int64_t message, MessageRow **row) {
        message_rows_free(*row, *row ? 1 : 0);
        *row = NULL;
        int r = store_message_get(app->store, message, row);
        return r > 0 ? -ENOENT : r;
}

static int board_secret(App *app, Flight *f, const TargetRow *target) {
        const RecipientDef *recipient = message_recipient(app, target->recipient);
        if (f->aim.is_mail || !recipient || !recipient->webhook_secret)
                return 0;
        int r = channel_resolve(app, recipient->webhook_secret, &f->secret);
        if (r < 0 && r != -ENOMEM && !f->aim.error)
                f->aim.error = r;
        return r == -ENOMEM ? r : 0;
}

static int put_body(App *app, StepId step, const MessageRow *row, Buf *body) {
        PlanItem CLEANUP_FREE *items = NULL;
        size_t n = 0;
        MessageRow made = *row;
        int r = store_message_items(app->store, row->id, &items, &n);
        made.body = body->data;
        made.body_size = body->len;
        return r < 0 ? r : store_message_remake(app->store, step, &made, items, n);
}

/* The address was changed since the bytes were made. What cannot have arrived is addressed anew, a letter
 * and a drill as well. What may have arrived is somebody else's copy: its bytes and id are fixed, and
 * who has the address now is told by a message of his own. */
static int readdress(App *app, StepId step, Flight *f, const TargetRow *target, bool *ret_is_void) {
        Buf CLEANUP(buf_done) body = BUF_INIT(BUF_MAX_TEXT);
        int r = f->row->body
                        ? mail_readdress(f->row->body, f->row->body_size, target->address, &body)
                        : MAIL_E_SAME;
        if (r != 0)
                return r == MAIL_E_SAME || r == -EINVAL ? 0 : r; /* no address: the aim says so */
        if (f->row->maybe == 0) {
                r = put_body(app, step, f->row, &body);
                return r < 0 ? r : reread(app, f->row->id, &f->row);
        }
        LogFields fields = {.target = target->key, .message_id = LOG_ID_DELIVERY_FAILED};
        log_full(
                LOG_WARNING, &fields,
                "message %s may have reached the address that %s had before: given up, and planned "
                "anew for the present one",
                f->row->uuid, target->key);
        app->is_tell_due = *ret_is_void = true;
        return 0;
}

/* Takes a row into a flight and marks it started. */
static int board(Flight *f, StepId step, Passenger *p, Facts *facts, int64_t now_ms) {
        App *app = f->courier->app;
        bool go = false, is_void = false;
        int r = check_pause(app, &p->aim, now_ms, &go);
        if (r < 0 || !go)
                return r;
        r = reread(app, p->message, &f->row);
        if (r >= 0 && is_stale(f->row, now_ms)) {
                r = freshen(app, step, facts, p->message, now_ms, &is_void);
                if (r >= 0 && is_void)
                        return settle_void(app, step, f->row, now_ms);
                if (r >= 0)
                        r = reread(app, p->message, &f->row);
        }
        if (r >= 0 && p->aim.is_mail)
                r = readdress(app, step, f, &p->target, &is_void);
        if (r >= 0 && is_void)
                return settle_void(app, step, f->row, now_ms);
        f->aim = p->aim;
        p->aim = (Aim){0};
        f->generation = app->config_generation;
        if (r >= 0)
                r = board_secret(app, f, &p->target);
        if (r >= 0)
                r = store_message_start(app->store, p->message, now_ms);
        if (r != 0)
                return MIN(r, 0);
        f->row->attempts++;
        f->row->state = MESSAGE_STARTED;
        f->state = FLIGHT_MARKED;
        if (f->aim.error < 0)
                flight_fail(f, f->aim.error);
        return 0;
}

int courier_board(Courier *c, StepId step, Manifest *m, int64_t now_ms) {
        Facts facts = {0};
        int r = 0;
        for (size_t i = 0; r >= 0 && i < m->n; i++) {
                Flight *f = free_flight(c);
                if (!f)
                        break;
                r = board(f, step, &m->list[i], &facts, now_ms);
                if (f->state == FLIGHT_FREE)
                        flight_reset(f);
        }
        facts_done(&facts);
        return r;
}
