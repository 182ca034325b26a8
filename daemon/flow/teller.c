/* Releases: the difference between what is and what was told becomes message rows, rendered, in
 * one transaction.
 *
 * Nothing is queued in advance. A target with an unsettled message is passed over: its difference
 * is still there when that one is settled. Officials wait for the digest, programs and operators
 * do not. */
#include "flow/teller.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mail.h"
#include "flow/channel.h"
#include "flow/facts.h"
#include "flow/judge.h"
#include "flow/message.h"
#include "flow/teller-internal.h"
#include "flow/teller-split.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/hook.h"
#include "os/log.h"

#define LATE_MONTHS 26

bool teller_is_live(App *app) {
        return facts_is_live(app);
}

/* ---- targets --------------------------------------------------------------------------------- */

typedef struct KeyList {
        char **items;
        size_t n, cap;
} KeyList;

static void keys_done(KeyList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
}

typedef struct TargetSpec {
        const RecipientDef *recipient;
        const Unit *unit; /* of an `each` recipient; or NULL */
        const char *channel, *address;
        size_t index; /* of the address among those of its channel */
} TargetSpec;

static int put_target(App *app, StepId step, const TargetSpec *spec, KeyList *keys) {
        char *key = NULL, suffix[24] = "";
        if (spec->index > 0)
                (void) snprintf(suffix, sizeof suffix, "%zu", spec->index + 1);
        if (asprintf(&key, "%s%s%s/%s%s", spec->recipient->name, spec->unit ? "/" : "",
                     spec->unit ? spec->unit->key : "", spec->channel, suffix) < 0)
                return -ENOMEM;
        int r = ARRAY_GROW(keys->items, keys->cap, keys->n + 1);
        if (r < 0) {
                free(key);
                return r;
        }
        keys->items[keys->n++] = key;
        TargetRow row = {.key = key,
                         .recipient = (char *) spec->recipient->name,
                         .unit = spec->unit ? spec->unit->id : 0,
                         .channel = (char *) spec->channel,
                         .address = (char *) spec->address};
        int64_t id = 0;
        return store_target_put(app->store, step, &row, &id);
}

/* An address that no mail can be made for is none: it would hold up what is known, too. */
static bool is_address(const char *text) {
        CLEANUP_FREE char *address = NULL;
        return mail_address(text, &address) != -EINVAL;
}

static int put_recipient(App *app, StepId step, const RecipientDef *rec, const Unit *unit,
                         KeyList *keys) {
        size_t index = 0;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < rec->n_emails; i++) {
                if (!streq(rec->emails[i], "registry")) {
                        r = put_target(app, step,
                                       &(TargetSpec){rec, unit, "email", rec->emails[i], index++},
                                       keys);
                        continue;
                }
                for (size_t k = 0; unit && r >= 0 && k < unit->n_emails; k++, index++)
                        if (is_address(unit->emails[k]))
                                r = put_target(
                                        app, step,
                                        &(TargetSpec){rec, unit, "email", unit->emails[k], index},
                                        keys);
        }
        const char *hook = rec->webhook && streq(rec->webhook, "registry")
                                   ? (unit ? unit->webhook : NULL)
                                   : rec->webhook;
        if (r >= 0 && hook)
                r = put_target(app, step, &(TargetSpec){rec, unit, "webhook", hook, 0}, keys);
        return r;
}

/* A new recipient hears of what is open, not of what a changed past once made and ended. */
int teller_assume_late(App *app, StepId step, int64_t target, int64_t now_ms) {
        PeriodId month = period_last_ended(PERIOD_MONTH, day_of_instant(now_ms));
        EpisodeFilter filter = {.is_live = true, .touched_from = period_add(month, -LATE_MONTHS)};
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(app->store, &filter, &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                Told told;
                if (!e[i].is_late || e[i].state != EPISODE_CLOSED)
                        continue;
                r = store_told_get(app->store, target, e[i].id, &told);
                if (r < 0 || told.said != SAY_NONE)
                        continue;
                told = (Told){.episode = e[i].id,
                              .said = SAY_ASSUMED,
                              .value = VALUE_NONE,
                              .last = e[i].last,
                              .severity = e[i].severity,
                              .said_ms = now_ms};
                r = store_told_put(app->store, step, target, &told);
        }
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int assume_new_targets(App *app, StepId step, const TargetRow *before, size_t n_before) {
        TargetRow *now = NULL;
        size_t n = 0;
        int r = store_targets(app->store, &now, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool is_known = false;
                for (size_t k = 0; k < n_before && !is_known; k++)
                        is_known = before[k].id == now[i].id;
                if (!is_known)
                        r = teller_assume_late(app, step, now[i].id, clock_now_ms());
        }
        target_rows_free(now, n);
        return MIN(r, 0);
}

static int sync_targets(App *app, StepId step) {
        KeyList CLEANUP(keys_done) keys = {0};
        Day today = day_of_instant(app->started_ms);
        for (size_t i = 0; i < app->config->n_recipients; i++) {
                const RecipientDef *rec = &app->config->recipients[i];
                int r = rec->is_each ? 0 : put_recipient(app, step, rec, NULL, &keys);
                for (size_t u = 0; rec->is_each && r >= 0 && u < app->units.n; u++)
                        if (unit_selected(&app->units, &rec->units, app->units.units[u].id, today))
                                r = put_recipient(app, step, rec, &app->units.units[u], &keys);
                if (r < 0)
                        return r;
        }
        return store_targets_keep(app->store, step, (const char *const *) keys.items, keys.n);
}

int teller_sync_targets(App *app, StepId step) {
        TargetRow *before = NULL;
        size_t n = 0;
        int r = store_targets(app->store, &before, &n);
        if (r >= 0)
                r = sync_targets(app, step);
        if (r >= 0)
                r = assume_new_targets(app, step, before, n);
        target_rows_free(before, n);
        return MIN(r, 0);
}

/* ---- release --------------------------------------------------------------------------------- */

/* "msg_" and 128 random bits: webhook id and left part of the Message-ID. */
char *teller_uuid(void) {
        uint8_t bytes[16];
        char hex[33], *id = NULL;
        if (crypto_random(bytes, sizeof bytes) < 0)
                return NULL;
        crypto_hex(bytes, sizeof bytes, hex);
        return asprintf(&id, "msg_%s", hex) < 0 ? NULL : id;
}

static bool is_urgent(const PlanItem *items, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (items[i].say != SAY_CONTINUED && items[i].say != SAY_FIX)
                        return true;
        return false;
}

typedef struct Release {
        const TargetRow *target;
        PlanItem *items;
        size_t n;
        OpenAlerts open;
        Fit fit;
        bool is_following; /* a further part of a plan that was too long for one message */
} Release;

typedef struct ReleaseList {
        Release *items;
        size_t n, cap;
} ReleaseList;

static void releases_done(ReleaseList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].items);
        free(l->items);
}

/* Only an operator's gate depends on what the plan holds. */
static bool may_be_planned(const Facts *f, const RecipientDef *recipient, const TargetRow *t,
                           unsigned n_more) {
        return n_more > 0 || recipient->role == ROLE_OPERATOR ||
               facts_gate(f, recipient, t, false) <= f->now_ms;
}

/* Nothing is released to a paused channel: what is said when it is back shall be what is true
 * then. */
static int is_channel_paused(App *app, const Pauses *pauses, const TargetRow *t, bool *ret) {
        Aim CLEANUP(channel_aim_done) aim = {0};
        *ret = false;
        if (pauses->n == 0)
                return 0;
        int r = channel_aim(app, t, &aim);
        *ret = r >= 0 && pauses_find(pauses, aim.channel);
        return r;
}

/* A target that heard enough in an hour waits; nothing is lost, the difference stays. */
static int is_capped(const Facts *f, const TargetRow *t, bool *ret) {
        size_t n = 0;
        int64_t first_ms = 0;
        int r = store_target_recent(f->app->store, t->id, f->now_ms - MS_PER_HOUR, &n, &first_ms);
        *ret = r >= 0 && n >= (size_t) f->app->config->smtp.hour_cap;
        if (*ret && (!f->app->tell_again_ms || first_ms + MS_PER_HOUR < f->app->tell_again_ms))
                f->app->tell_again_ms = first_ms + MS_PER_HOUR;
        return r;
}

/* The message that the target gets now; nothing is left in *ret when its gate is closed. */
static int collect_plan(const Facts *f, const RecipientDef *recipient, const TargetRow *t,
                        unsigned n_more, Release *ret) {
        bool is_held = false;
        *ret = (Release){.target = t, .is_following = n_more > 0};
        int r = facts_plan(f, recipient, t, &ret->items, &ret->n, &ret->open);
        if (r < 0 || ret->n == 0)
                return r;
        is_held = n_more == 0 &&
                  facts_gate(f, recipient, t, is_urgent(ret->items, ret->n)) > f->now_ms;
        if (!is_held)
                r = is_capped(f, t, &is_held);
        if (r >= 0 && is_held)
                ret->n = 0;
        MessageInput in = {.target = t,
                           .items = ret->items,
                           .n_items = ret->n,
                           .open = ret->open,
                           .now_ms = f->now_ms};
        if (r >= 0 && ret->n > 0)
                r = split_fit(f->app, &in, n_more > 0 ? n_more : SPLIT_MAX_PARTS, &ret->fit);
        f->app->is_passed_over |= ret->fit.n < ret->n;
        return r;
}

static int collect_target(const Facts *f, const Pauses *pauses, const TargetRow *t,
                          ReleaseList *ret) {
        const RecipientDef *recipient = message_recipient(f->app, t->recipient);
        unsigned n_more = 0;
        bool is_busy = false, is_paused = false;
        int r;
        if (!recipient || t->state != TARGET_OK)
                return 0;
        r = split_more(f->app, t->id, f->now_ms, &n_more);
        if (r < 0 || !may_be_planned(f, recipient, t, n_more))
                return r;
        r = store_target_busy(f->app->store, t->id, &is_busy);
        if (r >= 0 && !is_busy)
                r = is_channel_paused(f->app, pauses, t, &is_paused);
        /* What settles may let it hear more, and a message cut by its length leaves something
         * over. */
        f->app->is_passed_over |= is_busy || is_paused || recipient->max_chars > 0;
        if (r < 0 || is_busy || is_paused)
                return r;
        Release one = {0};
        r = collect_plan(f, recipient, t, n_more, &one);
        if (r >= 0 && one.n > 0)
                r = ARRAY_GROW(ret->items, ret->cap, ret->n + 1);
        if (r < 0 || one.n == 0)
                free(one.items);
        else
                ret->items[ret->n++] = one;
        return r;
}

static int collect(const Facts *f, ReleaseList *ret) {
        Pauses CLEANUP(pauses_done) pauses = {0};
        f->app->tell_again_ms = 0;
        int r = pauses_load(f->app, &pauses);
        for (size_t i = 0; r >= 0 && i < f->n_targets; i++)
                r = collect_target(f, &pauses, &f->targets[i], ret);
        return r;
}

void teller_row_done(MessageRow *row) {
        free(row->uuid);
        free(row->subject);
        free(row->content_type);
        free(row->body);
}

/* A template that failed while a message was made: the message left with a built-in one. */
static int report_template(App *app, StepId step, int64_t now_ms) {
        if (!app->is_template_trouble_new)
                return 0;
        app->is_template_trouble_new = false;
        app->is_tell_due = true;
        return judge_subject(app, step, now_ms, "template-broken", "template", true,
                             SEVERITY_WARNING, app->template_trouble);
}

static int release_one(App *app, StepId step, const Release *one, int64_t now_ms) {
        MessageRow CLEANUP(teller_row_done) row = {.target = one->target->id,
                                                   .uuid = teller_uuid(),
                                                   .state = MESSAGE_READY,
                                                   .created_ms = now_ms,
                                                   .next_ms = now_ms,
                                                   .released = step};
        if (!row.uuid)
                return -ENOMEM;
        MessageInput in = {.target = one->target,
                           .items = one->items,
                           .n_items = one->fit.n,
                           .open = one->open,
                           .now_ms = now_ms,
                           .is_summary = one->fit.is_summary};
        int r = message_make(app, &in, &row, NULL);
        if (r < 0)
                return r;
        int64_t id = 0;
        r = store_message_add(app->store, step, &row, one->items, one->fit.n, &id);
        if (r >= 0 && (one->fit.n_more > 0 || one->is_following))
                r = split_more_put(app, one->target->id, now_ms, one->fit.n_more);
        if (r < 0)
                return r;
        TargetRow target = *one->target;
        target.last_release_ms = now_ms;
        r = store_target_put(app->store, step, &target, &id);
        if (r >= 0)
                r = report_template(app, step, now_ms);
        LogFields fields = {.target = one->target->key, .message_id = LOG_ID_ALERT};
        if (!app->is_rehearsal)
                log_full(LOG_INFO, &fields, "released to %s: %s (%zu items)", one->target->key,
                         row.subject, one->fit.n);
        return r;
}

static bool is_digest_due(const Facts *f) {
        const Config *c = f->app->config;
        return f->is_live && f->app->digest_wait_ms <= f->now_ms &&
               calendar_digest_due(&c->calendar, (unsigned) c->daemon.digest_minute, f->digest_ms,
                                   f->now_ms) <= f->now_ms;
}

static int write_releases(App *app, StepId step, const Facts *f, const ReleaseList *list,
                          bool is_digest) {
        for (size_t i = 0; i < list->n; i++) {
                int r = release_one(app, step, &list->items[i], f->now_ms);
                if (r < 0)
                        return r;
        }
        if (!is_digest)
                return 0;
        char text[32];
        (void) snprintf(text, sizeof text, "%lld", (long long) f->now_ms);
        return store_meta_put(app->store, "digest_ms", text);
}

static int release_inside(App *app, const Facts *f, const ReleaseList *list, bool is_digest) {
        StepId step = 0;
        int r = store_step(app->store, CAUSE_RELEASE, f->now_ms, &step);
        return r < 0 ? r : write_releases(app, step, f, list, is_digest);
}

int teller_run(App *app, int64_t now_ms, bool is_inside, size_t *ret_n) {
        Facts CLEANUP(facts_done) f = {0};
        ReleaseList CLEANUP(releases_done) list = {0};
        /* --once asks every source before it tells anybody. */
        if (is_inside && app->is_once)
                return 0;
        app->is_passed_over = false;
        int r = facts_load(app, now_ms, &f);
        if (r >= 0)
                r = collect(&f, &list);
        if (r < 0)
                return r;
        bool is_digest = !app->is_once && is_digest_due(&f);
        if (ret_n)
                *ret_n = list.n;
        if (list.n == 0 && !is_digest)
                return 0;
        if (is_inside)
                return release_inside(app, &f, &list, is_digest);
        hook_point("release.begin");
        r = store_begin(app->store);
        if (r >= 0)
                r = release_inside(app, &f, &list, is_digest);
        hook_point("release.commit");
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        else
                hook_point("release.done");
        return r;
}

int64_t teller_next(App *app, int64_t now_ms) {
        const Config *c = app->config;
        bool has_digest = false, has_operator = false;
        for (size_t i = 0; i < c->n_recipients; i++) {
                has_digest = has_digest || (c->recipients[i].role == ROLE_OFFICIAL &&
                                            !c->recipients[i].is_immediate);
                has_operator = has_operator || c->recipients[i].role == ROLE_OPERATOR;
        }
        int64_t next = app->tell_again_ms ? app->tell_again_ms : INT64_MAX;
        char CLEANUP_FREE *text = NULL;
        int64_t last =
                store_meta_get(app->store, "digest_ms", &text) == 0 ? strtoll(text, NULL, 10) : 0;
        if (has_digest && teller_is_live(app)) {
                int64_t digest = calendar_digest_due(
                        &c->calendar, (unsigned) c->daemon.digest_minute, last, now_ms);
                next = MIN(next, MAX(digest, app->digest_wait_ms));
        }
        /* Operators hear of what merely continues once a day. */
        if (has_operator)
                next = MIN(next, day_start_ms(day_of_instant(now_ms) + 1) +
                                         c->daemon.digest_minute * MS_PER_MINUTE);
        return next;
}

int64_t teller_silence_end(App *app, int64_t now_ms) {
        int64_t next = INT64_MAX, ack_ms = 0;
        SilenceRow *rows = NULL;
        size_t n = 0;
        if (store_silences(app->store, now_ms, &rows, &n) < 0)
                return next;
        for (size_t i = 0; i < n; i++)
                next = MIN(next, rows[i].until_ms);
        silence_rows_free(rows, n);
        if (store_ack_end(app->store, now_ms, &ack_ms) >= 0 && ack_ms)
                next = MIN(next, ack_ms);
        return next;
}

static const TargetRow *facts_target(const Facts *f, int64_t id) {
        for (size_t i = 0; i < f->n_targets; i++)
                if (f->targets[i].id == id)
                        return &f->targets[i];
        return NULL;
}

static int remake_row(const Facts *f, StepId step, MessageRow *row, const Release *one) {
        free(row->subject);
        free(row->content_type);
        free(row->body);
        row->subject = row->content_type = row->body = NULL;
        MessageInput in = {.target = one->target,
                           .items = one->items,
                           .n_items = one->n,
                           .open = one->open,
                           .now_ms = f->now_ms};
        Fit fit = {0};
        int r = split_fit(f->app, &in, SPLIT_MAX_PARTS, &fit);
        in.n_items = fit.n;
        in.is_summary = fit.is_summary;
        if (r >= 0)
                r = message_make(f->app, &in, row, NULL);
        if (r >= 0 && fit.n_more > 0)
                r = split_more_put(f->app, one->target->id, f->now_ms, fit.n_more);
        if (r >= 0)
                r = report_template(f->app, step, f->now_ms);
        return r < 0 ? r : store_message_remake(f->app->store, step, row, one->items, fit.n);
}

int teller_remake(const Facts *f, StepId step, int64_t message, bool *ret_is_void) {
        MessageRow *row = NULL;
        int r = store_message_get(f->app->store, message, &row);
        if (r != 0)
                return r < 0 ? r : -ENOENT;
        const TargetRow *target = facts_target(f, row->target);
        const RecipientDef *recipient =
                target ? message_recipient(f->app, target->recipient) : NULL;
        Release one = {.target = target};
        bool is_letter = false;
        r = store_message_is_letter(f->app->store, message, &is_letter);
        if (r < 0 ||
            is_letter) { /* a letter stays as it was drafted; what changed since is corrected */
                message_rows_free(row, 1);
                *ret_is_void = false;
                return r;
        }
        if (recipient && !row->is_drill)
                r = facts_plan(f, recipient, target, &one.items, &one.n, &one.open);
        if (r >= 0 && one.n > 0)
                r = remake_row(f, step, row, &one);
        *ret_is_void = one.n == 0 && !row->is_drill;
        free(one.items);
        message_rows_free(row, 1);
        return r;
}
