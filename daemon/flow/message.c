/* Plan items to bytes: looks everything up that a message says, then core/render and core/mail
 * make the words. */
#include "flow/message.h"

#include <errno.h>
#include <stdio.h>

#include "core/mail.h"
#include "flow/boot.h"
#include "flow/judge.h"
#include "os/log.h"
#include "store/alert.h"
#include "store/figure.h"

const RecipientDef *message_recipient(const App *app, const char *name) {
        for (size_t i = 0; i < app->config->n_recipients; i++)
                if (streq(app->config->recipients[i].name, name))
                        return &app->config->recipients[i];
        return NULL;
}

static const char *mail_domain(const App *app) {
        const char *at = app->config->smtp.from ? strrchr(app->config->smtp.from, '@') : NULL;
        return at ? at + 1 : "chisod.invalid";
}

char *message_id_of(const App *app, const char *uuid) {
        const char *domain = mail_domain(app);
        char *id = NULL;
        if (asprintf(&id, "%s@%.*s", uuid, (int) strcspn(domain, "> "), domain) < 0)
                return NULL;
        return id;
}

#define DELTA_REACH 13 /* periods that are looked through for an earlier figure */

/* ---- what one item says ---------------------------------------------------------------------- */

typedef struct Lookup {
        App *app;
        const TargetRow *target;
        RenderItem *items;
        Episode **episodes; /* kept alive while the view is made; may hold NULL */
        size_t *n_episodes;
        char **owned; /* strings made on the way */
        size_t n_owned, cap_owned;
        size_t n;
        /* Asked once for all items of a kind. */
        PeriodId *oldest; /* per indicator and period type; 0 = not asked, -1 = none */
        const SourceDef *seen_source;
        PeriodId seen_period;
        int64_t seen_ms;
        int64_t seen_message; /* corrections of one message come together */
        int64_t corrects_ms;
        const char *corrects_id, *corrects_title;
} Lookup;

static void lookup_done(Lookup *l) {
        for (size_t i = 0; l->episodes && i < l->n; i++)
                store_episodes_free(l->episodes[i], l->n_episodes[i]);
        for (size_t i = 0; i < l->n_owned; i++)
                free(l->owned[i]);
        free(l->episodes);
        free(l->n_episodes);
        free(l->oldest);
        free(l->owned);
        free(l->items);
}

static int lookup_own(Lookup *l, char *text, const char **ret) {
        if (!text)
                return -ENOMEM;
        int r = ARRAY_GROW(l->owned, l->cap_owned, l->n_owned + 1);
        if (r < 0) {
                free(text);
                return r;
        }
        l->owned[l->n_owned++] = text;
        *ret = text;
        return 0;
}

static const IndicatorDef *indicator_by_id(const App *app, IndicatorId id) {
        for (size_t i = 0; id && i < app->config->n_indicators; i++)
                if (app->config->indicators[i].id == id)
                        return &app->config->indicators[i];
        return NULL;
}

static void fill_unit(Lookup *l, RenderItem *it, Day day) {
        const UnitRegistry *units = &l->app->units;
        const Unit *u = unit_get(units, it->item.unit);
        it->unit_key = u ? u->key : "";
        it->unit_code = u ? unit_code_on(units, u->id, day) : "";
        it->unit_name = u ? unit_name_on(units, u->id, day) : "";
        it->unit_kind = u ? u->kind : "";
        it->parent_name = u && u->parent ? unit_name_on(units, u->parent, day) : "";
        if (u && !*it->unit_name)
                it->unit_name = u->key;
}

/* "623 trong 2.971": late of received, where the source publishes both. */
static int fill_counts(Lookup *l, RenderItem *it) {
        const Config *c = l->app->config;
        int late = config_indicator(c, "late"), received = config_indicator(c, "received");
        it->count_part = it->count_whole = VALUE_NONE;
        if (!it->indicator || !streq(it->indicator->name, "progress") || late < 0 || received < 0)
                return 0;
        FigureRow row;
        int r = store_figure_get(l->app->store, it->item.period, c->indicators[late].id,
                                 it->item.unit, 0, &row, NULL);
        if (r == 0)
                it->count_part = row.value;
        if (r >= 0)
                r = store_figure_get(l->app->store, it->item.period, c->indicators[received].id,
                                     it->item.unit, 0, &row, NULL);
        if (r == 0)
                it->count_whole = row.value;
        return r < 0 ? r : 0;
}

/* The oldest period of the indicator for any unit, -1 for none. */
static int oldest_of(Lookup *l, const RenderItem *it, PeriodId *ret) {
        const Config *c = l->app->config;
        PeriodType type = period_type(it->item.period);
        size_t at = (size_t) (it->indicator - c->indicators) * PERIOD_N_TYPES + type;
        if (!l->oldest)
                l->oldest = calloc(c->n_indicators * PERIOD_N_TYPES + 1, sizeof *l->oldest);
        if (!l->oldest)
                return -ENOMEM;
        if (l->oldest[at] == 0) {
                PeriodId last;
                int r = store_period_range(l->app->store, it->indicator->id, type, STEP_EVER,
                                           &l->oldest[at], &last);
                if (r < 0)
                        return r;
                if (r > 0)
                        l->oldest[at] = -1;
        }
        *ret = l->oldest[at];
        return 0;
}

/* None in the period before: is it the unit's first figure, or were there earlier ones? */
static int fill_gap(Lookup *l, RenderItem *it, PeriodId before) {
        Panel *panel = NULL;
        PeriodId oldest = 0;
        int r = oldest_of(l, it, &oldest);
        if (r < 0 || oldest < 0 || oldest > before)
                return r;
        r = panel_new(&it->item.unit, 1, period_add(before, 1 - DELTA_REACH), DELTA_REACH, &panel);
        if (r >= 0)
                r = store_panel_load(l->app->store, it->indicator->id, 0, panel);
        for (size_t p = 0; r >= 0 && p < DELTA_REACH; p++)
                if (panel_at(panel, p, 0) != VALUE_NONE)
                        it->delta_reason = DELTA_GAP;
        if (panel)
                panel_free(panel);
        return r;
}

/* Change and its reason as known now: the previous period's figure, same era. */
static int fill_delta(Lookup *l, RenderItem *it) {
        const Config *c = l->app->config;
        PeriodId before = period_previous(it->item.period);
        it->delta = it->previous = VALUE_NONE;
        it->delta_reason = DELTA_MISSING;
        if (it->item.value == VALUE_NONE)
                return 0;
        const EraDef *era = delta_era_between(
                c->eras, c->n_eras, before, it->item.period,
                it->indicator->source >= 0 ? c->sources[it->indicator->source].name : NULL,
                it->indicator->name, NULL);
        FigureRow row;
        int r = store_figure_get(l->app->store, before, it->indicator->id, it->item.unit, 0, &row,
                                 NULL);
        if (r < 0)
                return r;
        bool has_before = r == 0 && row.value != VALUE_NONE;
        it->era_reason = era ? era->reason : NULL;
        it->delta_reason = era ? DELTA_ERA : has_before ? DELTA_OK : DELTA_FIRST;
        if (has_before)
                it->previous = row.value;
        if (has_before && !era)
                it->delta = it->item.value - row.value;
        return it->delta_reason == DELTA_FIRST ? fill_gap(l, it, before) : 0;
}

static int fill_source(Lookup *l, RenderItem *it, int64_t now_ms) {
        const Config *c = l->app->config;
        it->status = PERIOD_CLOSED;
        if (!it->indicator || it->indicator->source < 0)
                return 0;
        const SourceDef *s = &c->sources[it->indicator->source];
        it->source_label = s->label;
        it->status = period_status(it->item.period, day_of_instant(now_ms), s->final_after_days);
        if (l->seen_source != s || l->seen_period != it->item.period) {
                int64_t first = 0;
                int r = store_seen(l->app->store, s->name, NULL, it->item.period, &l->seen_ms,
                                   &first);
                if (r < 0)
                        return r;
                l->seen_source = s;
                l->seen_period = it->item.period;
        }
        it->fetched_ms = l->seen_ms;
        return 0;
}

/* "hold:RULE/PARENT/KIND" is titled by the parent, else by who runs this: "Tiên Lữ" for "UBND huyện
 * Tiên Lữ". */
static int fill_hold(Lookup *l, RenderItem *it, int64_t now_ms) {
        const char *slash = strchr(it->subject, '/');
        const char *last = slash ? strrchr(slash + 1, '/') : NULL;
        if (strncmp(it->subject, "hold:", 5) != 0 || !last)
                return 0;
        char CLEANUP_FREE *key = strndup(slash + 1, (size_t) (last - slash - 1));
        const char *name = l->app->config->daemon.organization, *kind = "";
        Day day = day_of_instant(now_ms);
        UnitId id = 0;
        char *bare = NULL;
        if (!key)
                return -ENOMEM;
        if (unit_find(&l->app->units, key, day, &id, NULL) == 0 &&
            *unit_name_on(&l->app->units, id, day))
                name = unit_name_on(&l->app->units, id, day);
        if (!name || !*name)
                return 0;
        int r = unit_name_split(name, &bare, &kind);
        return r < 0 ? r : lookup_own(l, bare, &it->unit_name);
}

static int fill_episode(Lookup *l, size_t i, RenderItem *it, int64_t now_ms) {
        if (!it->item.episode)
                return 0;
        int r = store_episodes(l->app->store, &(EpisodeFilter){.id = it->item.episode},
                               &l->episodes[i], &l->n_episodes[i]);
        if (r < 0 || l->n_episodes[i] == 0)
                return r;
        const Episode *e = &l->episodes[i][0];
        it->alert = e->id;
        it->rule = e->rule;
        it->subject = e->subject;
        it->limit = e->limit;
        it->place = e->place;
        it->of = e->of;
        it->first = (PeriodId) (e->unit ? e->first : 0);
        it->end = e->end;
        if (it->item.say == SAY_LATE && it->item.period != e->last) {
                it->ended = e->last;
                it->place = it->of = 0; /* those of the end */
        }
        const RuleDef *rule = judge_rule_def(l->app, e->rule);
        if (rule) {
                it->advice = rule->advice;
                it->when = rule->when;
                if (e->unit && e->state == EPISODE_OPEN && rule->escalate_after > 0 &&
                    e->length >= rule->escalate_after)
                        it->escalated =
                                MIN(period_add(e->first, rule->escalate_after - 1), e->last);
                if (it->ended && it->when.kind == CONDITION_BEHIND)
                        it->limit = VALUE_NONE; /* moves with the others: it is the end's */
        }
        if (!e->subject)
                return 0;
        it->item.period = 0; /* it only dates the row */
        r = fill_hold(l, it, now_ms);
        if (r < 0)
                return r;
        TransitionRow *rows = NULL;
        size_t n = 0;
        r = store_transitions(l->app->store, e->id, &rows, &n);
        if (r >= 0 && n > 0 && rows[n - 1].reason)
                r = lookup_own(l, strdup(rows[n - 1].reason), &it->text);
        transition_rows_free(rows, n);
        return r;
}

static int find_corrected(Lookup *l, int64_t message) {
        MessageRow *row = NULL;
        bool is_letter = false;
        l->seen_message = 0;
        l->corrects_ms = 0;
        l->corrects_id = l->corrects_title = NULL;
        int r = store_message_head(l->app->store, message, &row);
        if (r != 0)
                return MIN(r, 0);
        l->corrects_ms = row->settled_ms ? row->settled_ms : row->created_ms;
        r = lookup_own(l, message_id_of(l->app, row->uuid), &l->corrects_id);
        if (r >= 0)
                r = store_message_is_letter(l->app->store, row->id, &is_letter);
        if (r >= 0 && is_letter && row->subject)
                r = lookup_own(l, strdup(row->subject), &l->corrects_title);
        message_rows_free(row, 1);
        if (r >= 0)
                l->seen_message = message;
        return MIN(r, 0);
}

static int fill_correction(Lookup *l, RenderItem *it) {
        int r = 0;
        if (!it->item.corrects)
                return 0;
        if (it->item.corrects != l->seen_message)
                r = find_corrected(l, it->item.corrects);
        it->corrects_ms = l->corrects_ms;
        it->corrects_id = l->corrects_id;
        it->corrects_title = l->corrects_title;
        return r;
}

/* What the alert said of the told period, and why it vanished: its own figures, or those of
 * others. */
static int fill_then(Lookup *l, RenderItem *it) {
        TransitionRow *rows = NULL;
        size_t n = 0;
        int r = store_transitions(l->app->store, it->item.episode, &rows, &n);
        if (r < 0)
                return r;
        const char *reason = n > 0 ? str_or(rows[n - 1].reason, "") : "";
        it->is_cause_other = streq(reason, "median") || streq(reason, "place");
        for (size_t i = n; i-- > 0;) {
                const TransitionRow *t = &rows[i];
                if (t->kind == TRANSITION_WITHDRAWN || t->period != it->item.period ||
                    t->value != it->item.old_value)
                        continue;
                it->limit = t->limit;
                if (t->value != VALUE_NONE && t->previous_value != VALUE_NONE) {
                        it->told_delta = t->value - t->previous_value;
                        it->has_told_delta = true;
                }
                break;
        }
        transition_rows_free(rows, n);
        return 0;
}

/* A withdrawal says what the figure is now; the place that the alert had then says nothing any
 * more. */
static int fill_withdrawn(Lookup *l, RenderItem *it) {
        FigureRow row;
        it->place = it->of = 0;
        int then = fill_then(l, it);
        if (then < 0)
                return then;
        int r = store_figure_get(l->app->store, it->item.period, it->indicator->id, it->item.unit,
                                 0, &row, NULL);
        it->item.value = r == 0 ? row.value : VALUE_NONE;
        return r < 0 ? r : 0;
}

/* A figure of the same period was printed before and has changed by as much as is told. */
static void fill_restated(RenderItem *it) {
        int64_t now = it->item.value, old = it->item.old_value;
        if (!it->item.corrects || !it->indicator || it->item.say == SAY_WITHDRAWN || now == old)
                return;
        it->is_restated = now == VALUE_NONE || old == VALUE_NONE ||
                          MAX(now, old) - MIN(now, old) >= it->indicator->restated_min;
}

static int fill_item(Lookup *l, size_t i, const PlanItem *item, int64_t now_ms) {
        RenderItem *it = &l->items[i];
        *it = (RenderItem){.item = *item,
                           .limit = VALUE_NONE,
                           .delta = VALUE_NONE,
                           .previous = VALUE_NONE,
                           .count_part = VALUE_NONE,
                           .count_whole = VALUE_NONE};
        if (item->period && period_end(item->period) <= day_of_instant(now_ms))
                it->status = PERIOD_CLOSED; /* till its source says how long it stays open */
        it->indicator = indicator_by_id(l->app, item->indicator);
        fill_unit(l, it, item->period ? period_end(item->period) - 1 : day_of_instant(now_ms));
        int r = fill_episode(l, i, it, now_ms);
        if (r >= 0 && it->indicator && item->period) {
                r = item->say == SAY_WITHDRAWN ? fill_withdrawn(l, it) : 0;
                if (r >= 0)
                        r = fill_counts(l, it);
                if (r >= 0)
                        r = fill_delta(l, it);
                if (r >= 0)
                        r = fill_source(l, it, now_ms);
        }
        if (r >= 0)
                fill_restated(it);
        return r < 0 ? r : fill_correction(l, it);
}

/* ---- the message ----------------------------------------------------------------------------- */

typedef struct References {
        const char *ids[16];
        size_t n;
} References;

static void add_reference(References *refs, const char *id) {
        for (size_t k = 0; id && k < refs->n; k++)
                if (streq(refs->ids[k], id))
                        return;
        if (id && refs->n < ELEMENTSOF(refs->ids))
                refs->ids[refs->n++] = id;
}

/* The opening that told the target of the item's alert. */
static int opening_id(Lookup *l, const PlanItem *item, const char **ret) {
        char CLEANUP_FREE *uuid = NULL;
        if (!item->episode || item->say == SAY_OPENING)
                return 0;
        int r = store_message_opening(l->app->store, l->target->id, item->episode, &uuid);
        return r != 0 ? MIN(r, 0) : lookup_own(l, message_id_of(l->app, uuid), ret);
}

/* The openings of the alerts that this message speaks of, and the messages that it corrects, each
 * once: mail programs show them as one thread. */
static int references_of(Lookup *l, References *ret) {
        for (size_t i = 0; i < l->n && ret->n < ELEMENTSOF(ret->ids); i++) {
                const char *id = NULL;
                int r = opening_id(l, &l->items[i].item, &id);
                if (r < 0)
                        return r;
                add_reference(ret, id);
                add_reference(ret, l->items[i].corrects_id);
        }
        return 0;
}

/* An alert is never lost to a template: something else stood in, and the operator hears of it. */
static void note_replaced(App *app, int r, const char *name) {
        if (r <= 0)
                return;
        (void) snprintf(app->template_trouble, sizeof app->template_trouble,
                        "template %s failed while it was rendered: the built-in one stood in",
                        name);
        app->is_template_trouble_new = true;
        log_error("%s", app->template_trouble);
}

static bool is_json(const Buf *b) {
        json_t *value = json_loadb(buf_text(b), b->len, JSON_DECODE_ANY, NULL);
        json_decref(value);
        return value;
}

static bool has_suffix(const char *name, const char *suffix) {
        size_t n = strlen(name), n_suffix = strlen(suffix);
        return n >= n_suffix && streq(name + n - n_suffix, suffix);
}

/* What the recipient's template makes of it; the published schema where it makes nothing. */
static int make_webhook(Lookup *l, const RecipientDef *recipient, const RenderTemplates *templates,
                        const json_t *view, MessageRow *row, Buf *out) {
        char name[256];
        int r = -ENOENT;
        bool is_other = false;
        if (recipient->webhook_template) {
                r = boot_webhook_template(templates, recipient->webhook_template, name,
                                          sizeof name);
                if (r >= 0)
                        r = render_named(templates, name, view, out);
                is_other = has_suffix(name, ".txt") || has_suffix(name, ".html");
                if (r >= 0 && !is_other && !is_json(out))
                        r = -EINVAL;
                note_replaced(l->app, r == -ENOMEM || r == 0 ? 0 : 1, name);
        }
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                is_other = false;
                buf_clear(out);
                r = render_webhook(view, out);
        }
        row->content_type = strdup(!is_other                  ? "application/json"
                                   : has_suffix(name, ".txt") ? "text/plain; charset=utf-8"
                                                              : "text/html; charset=utf-8");
        return row->content_type ? MIN(r, 0) : -ENOMEM;
}

static void free_pair(char *(*pair)[2]) {
        free((*pair)[0]);
        free((*pair)[1]);
}

static size_t count_chars(const Buf *b) {
        size_t n = 0;
        for (size_t i = 0; i < b->len; i++)
                n += ((unsigned char) b->data[i] & 0xC0) != 0x80;
        return n;
}

/* What all mails have in common; the texts that it owns are in `own`. */
static int mail_frame(const App *app, const char *uuid, const TargetRow *target,
                      char *own[static 2], Mail *ret) {
        const Config *c = app->config;
        own[0] = message_id_of(app, uuid);
        if (!own[0] || asprintf(&own[1], "chisod.%s", strchr(own[0], '@') + 1) < 0)
                return -ENOMEM;
        *ret = (Mail){.from = c->smtp.from,
                      .to = target->address,
                      .reply_to = c->daemon.reply_to,
                      .message_id = own[0],
                      .list_id = own[1]};
        return 0;
}

static int make_mail(Lookup *l, const RenderMessage *m, const RenderTemplates *templates,
                     const json_t *view, MessageRow *row, Buf *out, size_t *ret_chars) {
        Buf CLEANUP(buf_done) text = BUF_INIT(BUF_MAX_TEXT), html = BUF_INIT(BUF_MAX_TEXT);
        char *own[2] CLEANUP(free_pair) = {0};
        References references = {0};
        Mail mail;
        int r = mail_frame(l->app, m->id, l->target, own, &mail);
        if (r >= 0)
                r = render_text(templates, view, &text);
        note_replaced(l->app, r, "mail.txt");
        if (r >= 0)
                r = render_html(templates, view, &html);
        note_replaced(l->app, r, "mail.html");
        if (r >= 0)
                r = references_of(l, &references);
        if (r < 0)
                return r;
        mail.subject = row->subject;
        mail.references = references.ids;
        mail.n_references = references.n;
        mail.date_ms = m->now_ms;
        mail.language = m->language;
        mail.text = buf_text(&text);
        mail.html = buf_text(&html);
        *ret_chars = count_chars(&text);
        row->content_type = strdup("message/rfc822");
        return row->content_type ? mail_build(&mail, out) : -ENOMEM;
}

int message_letter(App *app, const MessageLetter *letter, MessageRow *row) {
        Buf CLEANUP(buf_done) out = BUF_INIT(BUF_MAX_TEXT);
        char *own[2] CLEANUP(free_pair) = {0};
        Mail mail;
        int r = mail_frame(app, row->uuid, letter->target, own, &mail);
        if (r < 0)
                return r;
        mail.subject = letter->subject;
        mail.date_ms = letter->now_ms;
        mail.language = "vi";
        mail.text = letter->text;
        mail.attachments = letter->files;
        mail.n_attachments = letter->n_files;
        r = mail_build(&mail, &out);
        if (r < 0)
                return r;
        row->subject = strdup(letter->subject);
        row->content_type = strdup("message/rfc822");
        row->body_size = out.len;
        row->body = buf_take(&out);
        return row->subject && row->content_type && row->body ? 0 : -ENOMEM;
}

static int make_bytes(Lookup *l, const RenderMessage *m, MessageRow *row, size_t *ret_chars) {
        const RenderTemplates *templates =
                m->language[0] == 'e' ? l->app->templates_en : l->app->templates_vi;
        json_t *view = render_view(m);
        Buf CLEANUP(buf_done) out = BUF_INIT(BUF_MAX_TEXT);
        size_t n_chars = 0;
        int r = view ? 0 : -ENOMEM;
        row->subject = render_subject(m);
        if (!row->subject)
                r = -ENOMEM;
        if (r >= 0 && streq(l->target->channel, "email")) {
                r = make_mail(l, m, templates, view, row, &out, &n_chars);
        } else if (r >= 0) {
                r = make_webhook(l, message_recipient(l->app, l->target->recipient), templates,
                                 view, row, &out);
                n_chars = count_chars(&out);
        }
        json_decref(view);
        if (r < 0)
                return r;
        if (ret_chars)
                *ret_chars = n_chars;
        row->body_size = out.len;
        row->body = buf_take(&out);
        return row->body ? 0 : -ENOMEM;
}

/* Subjects of several name what they have in common: the `each` unit, or the parent of all units
 * spoken of. */
static const char *scope_name(const Lookup *l) {
        const UnitRegistry *units = &l->app->units;
        Day day = l->n && l->items[0].item.period ? period_end(l->items[0].item.period) - 1 : 0;
        if (l->target->unit)
                return unit_name_on(units, l->target->unit, day);
        UnitId common = 0;
        for (size_t i = 0; i < l->n; i++) {
                const Unit *u = unit_get(units, l->items[i].item.unit);
                if (!u || (common && u->parent != common))
                        return NULL;
                common = u->parent;
        }
        return common ? unit_name_on(units, common, day) : NULL;
}

/* "Tiên Lữ" for "UBND huyện Tiên Lữ". */
static int fill_scope_name(Lookup *l, RenderMessage *m) {
        const char *name = scope_name(l), *kind = "";
        char *bare = NULL;
        if (!name || !*name)
                return 0;
        int r = unit_name_split(name, &bare, &kind);
        return r < 0 ? r : lookup_own(l, bare, &m->scope_name);
}

static int lookup_load(Lookup *l, const MessageInput *in) {
        l->items = calloc(in->n_items + 1, sizeof *l->items);
        l->episodes = calloc(in->n_items + 1, sizeof *l->episodes);
        l->n_episodes = calloc(in->n_items + 1, sizeof *l->n_episodes);
        int r = l->items && l->episodes && l->n_episodes ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < in->n_items; i++)
                r = fill_item(l, i, &in->items[i], in->now_ms);
        return r;
}

/* `m` borrows from `l`. */
static int message_fill(Lookup *l, const MessageInput *in, const char *uuid, bool is_drill,
                        RenderMessage *m) {
        const App *app = l->app;
        const RecipientDef *recipient = message_recipient(app, in->target->recipient);
        if (!recipient)
                return -ENOENT;
        int r = lookup_load(l, in);
        *m = (RenderMessage){.id = uuid,
                             .organization = app->config->daemon.organization,
                             .contact = app->config->daemon.contact,
                             .language = recipient->language,
                             .recipient = in->target->recipient,
                             .to = recipient->webhook_to,
                             .role = recipient->role,
                             .tell = in->is_summary ? TELL_OVERVIEW : recipient->tell,
                             .is_bare = streq(in->target->channel, "webhook") &&
                                        !recipient->webhook_template,
                             .is_summary = in->is_summary,
                             .is_drill = is_drill,
                             .now_ms = in->now_ms,
                             .items = l->items,
                             .n_items = in->n_items,
                             .open = in->open};
        return r < 0 ? r : fill_scope_name(l, m);
}

int message_make(App *app, const MessageInput *in, MessageRow *row, size_t *ret_chars) {
        Lookup CLEANUP(lookup_done) l = {.app = app, .target = in->target, .n = in->n_items};
        RenderMessage m;
        int r = message_fill(&l, in, row->uuid, row->is_drill, &m);
        return r < 0 ? r : make_bytes(&l, &m, row, ret_chars);
}

static int show_json(const RecipientDef *recipient, const RenderTemplates *templates,
                     const json_t *view, Buf *out) {
        char name[256];
        if (recipient->webhook_template &&
            boot_webhook_template(templates, recipient->webhook_template, name, sizeof name) == 0)
                return render_named(templates, name, view, out);
        return render_webhook(view, out);
}

int message_show(App *app, const MessageInput *in, const char *format, char **ret_subject,
                 Buf *out) {
        Lookup CLEANUP(lookup_done) l = {.app = app, .target = in->target, .n = in->n_items};
        RenderMessage m;
        int r = message_fill(&l, in, "msg_preview", false, &m);
        if (r < 0)
                return r;
        m.is_bare = false; /* shown to people, in whatever format */
        const RenderTemplates *templates =
                m.language[0] == 'e' ? app->templates_en : app->templates_vi;
        json_t *view = render_view(&m);
        char *subject = render_subject(&m);
        if (!view || !subject)
                r = -ENOMEM;
        else if (format[0] == 'h')
                r = render_html(templates, view, out);
        else if (format[0] == 'j')
                r = show_json(message_recipient(app, in->target->recipient), templates, view, out);
        else
                r = render_text(templates, view, out);
        json_decref(view);
        if (r < 0)
                free(subject);
        else
                *ret_subject = subject;
        return MIN(r, 0);
}
