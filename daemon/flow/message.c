/* Plan items to bytes: what they say is looked up (message-item.c), then core/render and core/mail make
 * the words. */
#include <errno.h>
#include <stdio.h>

#include "core/mail.h"
#include "flow/boot.h"
#include "flow/message-private.h"
#include "os/log.h"

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
        return r != 0 ? MIN(r, 0) : message_lookup_own(l, message_id_of(l->app, uuid), ret);
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
        return r < 0 ? r : message_lookup_own(l, bare, &m->scope_name);
}

/* `m` borrows from `l`. */
static int message_fill(Lookup *l, const MessageInput *in, const char *uuid, bool is_drill,
                        RenderMessage *m) {
        const App *app = l->app;
        const RecipientDef *recipient = message_recipient(app, in->target->recipient);
        if (!recipient)
                return -ENOENT;
        int r = message_lookup(l, in);
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
        Lookup CLEANUP(message_lookup_done)
                l = {.app = app, .target = in->target, .n = in->n_items};
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
        Lookup CLEANUP(message_lookup_done)
                l = {.app = app, .target = in->target, .n = in->n_items};
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
