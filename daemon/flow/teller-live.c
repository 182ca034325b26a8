/* What a person asks of the teller: what would be told, to go live, a drill. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/facts.h"
#include "flow/letter.h"
#include "flow/message.h"
#include "flow/teller-internal.h"
#include "flow/teller-split.h"
#include "flow/teller.h"
#include "os/log.h"

/* ---- go-live, preview, drill ----------------------------------------------------------------- */

static int preview_target(const Facts *f, const TargetRow *t, json_t *list) {
        const RecipientDef *recipient = message_recipient(f->app, t->recipient);
        PlanItem CLEANUP_FREE *items = NULL;
        OpenAlerts open = {0};
        size_t n = 0;
        if (!recipient || t->state != TARGET_OK)
                return 0;
        int r = facts_plan(f, recipient, t, &items, &n, &open);
        if (r < 0 || (n == 0 && open.n == 0))
                return r;
        MessageRow CLEANUP(teller_row_done) row = {.target = t->id, .uuid = strdup("msg_preview")};
        if (!row.uuid)
                return -ENOMEM;
        if (n > 0)
                r = message_make(f->app,
                                 &(MessageInput){.target = t,
                                                 .items = items,
                                                 .n_items = n,
                                                 .open = open,
                                                 .now_ms = f->now_ms},
                                 &row, NULL);
        if (r < 0)
                return r;
        json_t *one =
                json_pack("{s:s, s:s, s:i, s:i, s:s}", "target", t->key, "role",
                          recipient->role == ROLE_OPERATOR ? "operator" : "official", "items",
                          (int) n, "open", (int) open.n, "subject", row.subject ? row.subject : "");
        return one && json_array_append_new(list, one) == 0 ? 0 : -ENOMEM;
}

/* The letter stands here as what is to come: when, and that observing keeps it from its readers. */
static int preview_letter(const Facts *f, const TargetRow *t, json_t *list) {
        char period[48], at[24], subject[160];
        LetterDue due;
        bool has_letter = false;
        if (!streq(t->recipient, RECIPIENT_LETTER) || t->state != TARGET_OK)
                return 0;
        int r = letter_due(f->app, f->now_ms, &due);
        if (r >= 0 && !due.is_past)
                r = store_message_has_letter(f->app->store, t->id, due.period, &has_letter);
        if (r < 0)
                return r;
        bool is_next = has_letter || due.is_past;
        PeriodId of = is_next ? period_add(due.period, 1) : due.period;
        int64_t next_ms = is_next ? letter_opens(f->app, of) : due.open_ms;
        (void) snprintf(subject, sizeof subject, "[766] Dự thảo công văn %s (%s%s)",
                        period_format_vi(period, of), instant_format_vi(at, next_ms),
                        f->is_live          ? ""
                        : app_is_vi(f->app) ? ", đang quan sát: không gửi"
                                            : ", observing: not sent");
        json_t *one = json_pack("{s:s, s:s, s:i, s:i, s:s}", "target", t->key, "role", "official",
                                "items", 0, "open", 0, "subject", subject);
        return one && json_array_append_new(list, one) == 0 ? 0 : -ENOMEM;
}

int teller_preview(App *app, int64_t now_ms, json_t **ret) {
        Facts CLEANUP(facts_done) f = {0};
        int r = facts_load(app, now_ms, &f);
        if (r < 0)
                return r;
        json_t *list = json_array();
        r = list ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < f.n_targets; i++)
                r = preview_target(&f, &f.targets[i], list);
        for (size_t i = 0; r >= 0 && i < f.n_targets; i++)
                r = preview_letter(&f, &f.targets[i], list);
        if (r < 0) {
                json_decref(list);
                return r;
        }
        *ret = list;
        return 0;
}

static json_t *lines_of(const char *text) {
        json_t *list = json_array();
        while (list && *text) {
                size_t n = strcspn(text, "\n");
                json_t *line = json_stringn_nocheck(text, n);
                if (!line || json_array_append_new(list, line) < 0) {
                        json_decref(list);
                        return NULL;
                }
                text += n + (text[n] == '\n');
        }
        return list;
}

static int render_target(const Facts *f, const TargetRow *t, const char *format, json_t *list) {
        const RecipientDef *recipient = message_recipient(f->app, t->recipient);
        PlanItem CLEANUP_FREE *items = NULL;
        OpenAlerts open = {0};
        size_t n = 0;
        Fit fit = {0};
        int r = recipient ? facts_plan(f, recipient, t, &items, &n, &open) : 0;
        MessageInput in = {
                .target = t, .items = items, .n_items = n, .open = open, .now_ms = f->now_ms};
        if (r < 0 || n == 0)
                return r;
        r = split_fit(f->app, &in, SPLIT_MAX_PARTS, &fit);
        in.n_items = fit.n;
        in.is_summary = fit.is_summary;
        Buf CLEANUP(buf_done) body = BUF_INIT(BUF_MAX_TEXT);
        char CLEANUP_FREE *subject = NULL;
        if (r >= 0)
                r = message_show(f->app, &in, format, &subject, &body);
        if (r < 0)
                return r;
        json_t *one =
                json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:o}", "target", t->key, "subject",
                          subject, "items", (int) n, "more", (int) fit.n_more, "format", format,
                          "body", buf_text(&body), "lines", lines_of(buf_text(&body)));
        return one && json_array_append_new(list, one) == 0 ? 0 : -ENOMEM;
}

int teller_render(App *app, const char *who, const char *format, int64_t now_ms, json_t **ret) {
        Facts CLEANUP(facts_done) f = {0};
        int r = facts_load(app, now_ms, &f);
        json_t *list = r < 0 ? NULL : json_array();
        if (r >= 0 && !list)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < f.n_targets; i++)
                if (!who || streq(f.targets[i].recipient, who) || streq(f.targets[i].key, who))
                        r = render_target(&f, &f.targets[i], format, list);
        if (r < 0) {
                json_decref(list);
                return r;
        }
        *ret = list;
        return 0;
}

/* Units hear of what is open at the next publication; those who answer for the parent get their
 * overview at the next gate. */
static int assume_target(const Facts *f, StepId step, const TargetRow *t) {
        const RecipientDef *recipient = message_recipient(f->app, t->recipient);
        if (!recipient || recipient->role != ROLE_OFFICIAL || !recipient->is_each)
                return 0;
        for (size_t i = 0; i < f->n_episodes; i++) {
                const Episode *e = &f->plan[i].e;
                if (e->state != EPISODE_OPEN || !facts_concerns(f, recipient, t, &f->plan[i]))
                        continue;
                Told told;
                int r = store_told_get(f->app->store, t->id, e->id, &told);
                if (r < 0)
                        return r;
                if (told.said != SAY_NONE)
                        continue;
                told = (Told){.episode = e->id,
                              .said = SAY_ASSUMED,
                              .value = VALUE_NONE,
                              .last = e->last,
                              .severity = e->severity,
                              .said_ms = f->now_ms};
                r = store_told_put(f->app->store, step, t->id, &told);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int go_live_inside(App *app, const Facts *f, bool is_announce) {
        StepId step = 0;
        char text[32];
        (void) snprintf(text, sizeof text, "%lld", (long long) f->now_ms);
        int r = store_step(app->store, CAUSE_OPERATOR, f->now_ms, &step);
        for (size_t i = 0; r >= 0 && !is_announce && i < f->n_targets; i++)
                r = assume_target(f, step, &f->targets[i]);
        for (size_t i = 0; r >= 0 && i < f->n_targets; i++) {
                const RecipientDef *recipient = message_recipient(app, f->targets[i].recipient);
                if (recipient && recipient->role == ROLE_OFFICIAL)
                        r = teller_assume_late(app, step, f->targets[i].id, f->now_ms);
        }
        return r < 0 ? r : store_meta_put(app->store, "went_live_ms", text);
}

int teller_go_live(App *app, int64_t now_ms, bool is_announce, bool is_preview, json_t **ret) {
        json_t *targets = NULL;
        bool was_live = teller_is_live(app);
        int r = teller_preview(app, now_ms, &targets);
        if (r < 0)
                return r;
        if (!is_preview && !was_live) {
                Facts CLEANUP(facts_done) f = {0};
                r = facts_load(app, now_ms, &f);
                if (r >= 0)
                        r = store_begin(app->store);
                if (r >= 0)
                        r = go_live_inside(app, &f, is_announce);
                if (r >= 0)
                        r = store_commit(app->store);
                if (r < 0)
                        store_rollback(app->store);
                app->is_tell_due = true;
                app_wake(app);
        }
        if (r < 0) {
                json_decref(targets);
                return r;
        }
        *ret = json_pack("{s:b, s:b, s:b, s:o}", "live", was_live || !is_preview, "was_live",
                         was_live, "announce", is_announce, "targets", targets);
        return *ret ? 0 : -ENOMEM;
}

#define DRILL_MAX 3u /* alerts that a drill shows */

/* What somebody would hear who was told nothing yet, the first of it: openings, worst first. */
static int drill_plan(const Facts *f, const TargetRow *target, PlanItem **ret, size_t *ret_n,
                      OpenAlerts *ret_open) {
        const RecipientDef *recipient = message_recipient(f->app, target->recipient);
        TargetRow stranger = *target;
        size_t n = 0;
        *ret_n = 0;
        *ret_open = (OpenAlerts){0};
        if (!recipient)
                return 0;
        stranger.id = 0;
        int r = facts_plan(f, recipient, &stranger, ret, &n, ret_open);
        for (size_t i = 0; r >= 0 && i < n && *ret_n < DRILL_MAX; i++)
                if ((*ret)[i].say == SAY_OPENING)
                        (*ret)[(*ret_n)++] = (*ret)[i];
        return r;
}

/* An operator with no incident must not read that there is nothing open at all. */
static size_t open_of_others(const Facts *f, const TargetRow *target) {
        const RecipientDef *recipient = message_recipient(f->app, target->recipient);
        size_t n = 0;
        if (!recipient || recipient->role != ROLE_OPERATOR)
                return 0;
        for (size_t i = 0; i < f->n_episodes; i++) {
                const PlanEpisode *e = &f->plan[i];
                n += e->e.unit && e->e.state == EPISODE_OPEN && !e->e.is_held &&
                     !facts_concerns(f, recipient, target, e);
        }
        return n;
}

static int drill_make(const Facts *f, const TargetRow *target, MessageRow *row) {
        PlanItem CLEANUP_FREE *items = NULL;
        Fit fit = {0};
        OpenAlerts open = {0};
        size_t n = 0;
        int r = drill_plan(f, target, &items, &n, &open);
        open.n_others = open_of_others(f, target);
        MessageInput in = {
                .target = target, .items = items, .n_items = n, .open = open, .now_ms = f->now_ms};
        if (r >= 0 && n > 0)
                r = split_fit(f->app, &in, SPLIT_MAX_PARTS, &fit);
        in.n_items = fit.n;
        in.is_summary = fit.is_summary;
        return r < 0 ? r : message_make(f->app, &in, row, NULL);
}

/* A drill shows some of what is open, or nothing but the frame, without touching the ledger: its row
 * has no items. */
int teller_drill(App *app, const char *recipient, int64_t now_ms, size_t *ret_n) {
        TargetRow *targets = NULL;
        size_t n = 0, done = 0;
        Facts CLEANUP(facts_done) f = {0};
        int r = facts_load(app, now_ms, &f);
        if (r >= 0)
                r = store_targets(app->store, &targets, &n);
        if (r >= 0)
                r = store_begin(app->store);
        StepId step = 0;
        if (r >= 0)
                r = store_step(app->store, CAUSE_RELEASE, now_ms, &step);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                MessageRow CLEANUP(teller_row_done) row = {.target = targets[i].id,
                                                           .uuid = teller_uuid(),
                                                           .is_drill = true,
                                                           .state = MESSAGE_READY,
                                                           .created_ms = now_ms,
                                                           .next_ms = now_ms,
                                                           .released = step};
                int64_t id = 0;
                if (!streq(targets[i].recipient, recipient))
                        continue;
                r = row.uuid ? drill_make(&f, &targets[i], &row) : -ENOMEM;
                if (r >= 0)
                        r = store_message_add(app->store, step, &row, NULL, 0, &id);
                if (r == -EEXIST)
                        r = 0;
                else
                        done++;
        }
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        target_rows_free(targets, n);
        *ret_n = done;
        app_wake(app);
        return r;
}
