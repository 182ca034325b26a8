/* From a plan to words: the view model, subjects, mail texts and the webhook body (semantics 8 and
 * 9).
 *
 * One view model (documented in docs/templates.md) serves every template and, as JSON with a
 * published schema (docs/webhook.schema.json, fields only ever added), the webhook itself. Pure:
 * the caller looks everything up. */
#pragma once

#include <jansson.h>

#include "core/plan.h"
#include "core/template.h"

/* Everything a message says about one item, looked up by the caller. Strings are borrowed. */
typedef struct RenderItem {
        PlanItem item;
        int64_t alert;                 /* episode id, for people "#12" */
        const char *rule;              /* name, or NULL */
        const char *advice;            /* or NULL */
        const IndicatorDef *indicator; /* NULL for subjects */
        const char *unit_key, *unit_code, *unit_name, *unit_kind, *parent_name; /* "" when none */
        const char *subject; /* operators: "source:portal"; NULL for units */
        const char *text;    /* operators: what happened, a sentence; or NULL */
        int64_t limit, delta, previous;
        int64_t told_delta; /* SAY_WITHDRAWN: the change that the alert was about */
        bool has_told_delta;
        DeltaReason delta_reason;
        const char *era_reason; /* with DELTA_ERA: why the periods do not compare; or NULL */
        EndReason end;       /* SAY_CLOSING, SAY_LATE: why it ended; END_NONE counts as END_CLEAR */
        PeriodId ended;      /* SAY_LATE: the period that ended it; 0 */
        bool is_cause_other; /* SAY_WITHDRAWN: figures of other units changed, not its own */
        bool is_restated; /* item.corrects printed another figure of this period, by restated_min or
                             more: told with the corrections, whatever else it says */
        Condition when;   /* to say "ngưỡng 95" or "tụt 5" */
        uint32_t place, of;
        PeriodStatus status;
        PeriodId first;     /* since when */
        PeriodId escalated; /* the period that made it an escalated one; 0 */
        int64_t count_part,
                count_whole; /* dossiers at fault, of all: "623 trong 2.971"; VALUE_NONE */
        const char *source_label;
        int64_t fetched_ms;      /* 0 = unknown */
        const char *corrects_id; /* Message-ID of what it corrects, or NULL */
        int64_t corrects_ms;
        const char *corrects_title; /* subject of what it corrects, of a letter; or NULL */
} RenderItem;

/* What one message spells out at the most. A first load of the whole country is 14,000 items: made
 * as one message they took 267 MB. A longer plan goes in several messages; an overview counts all
 * its items and spells out so many. */
#define RENDER_MAX_ITEMS 500u

/* Alerts of one target that are open, and of how many units; those of a source or a cohort are of
 * none. */
typedef struct OpenAlerts {
        size_t n, n_units;
        size_t n_others; /* alerts of units that are told to others: a drill to an operator counts them */
} OpenAlerts;

typedef struct RenderMessage {
        const char *id; /* message id: webhook id and left part of Message-ID */
        const char *organization, *contact, *language; /* "vi" | "en" */
        const char *recipient;
        const char *to;         /* chat or channel at a webhook, or NULL */
        const char *scope_name; /* for subjects of several: "Tiên Lữ" */
        RecipientRole role;
        Tell tell;
        bool is_bare;    /* the view is for render_webhook alone: items without lines for people */
        bool is_summary; /* an overview of what is too long: not even corrections are spelled out */
        bool is_drill;
        int64_t now_ms;
        const RenderItem *items;
        size_t n_items;
        OpenAlerts open; /* after the message */
} RenderMessage;

/* Does it count its items by rule instead of spelling them out? */
bool render_is_overview(Tell tell, RecipientRole role);

/* The view model. New reference. */
json_t *render_view(const RenderMessage *m);

/* "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95) - tháng 8/2024, tạm tính"; several: "[766]
 * Tiên Lữ: 4 xã mới, 2 xã đã đạt lại - tháng 8/2024"; "[766] ĐÍNH CHÍNH ..."; "[766] DIỄN TẬP
 * ...". Operators: "[chisod] portal: ...". Heap string. */
char *render_subject(const RenderMessage *m);

/* Templates of one language: mail.txt, mail.html and their partials, by name. */
typedef struct RenderTemplates RenderTemplates;
/* files: name ("mail.txt", with its folder for messages) and text; what is absent falls back to the built-in text of the same
 * name and language. A broken file is an error in diag (the built-in one is used at run time). */
int render_templates_new(const char *language, const NameValue *files, size_t n, Diag *diag,
                         RenderTemplates **ret);
void render_templates_free(RenderTemplates *t);
DEFINE_CLEANUP(RenderTemplates, render_templates_free)

bool render_templates_has(const RenderTemplates *t, const char *name);

/* Positive outcome of what follows: rendered, but an own template failed (endless partials, too
 * large) and the built-in one stood in. The operator should hear of it. */
#define RENDER_E_REPLACED 1

/* Both return 0, RENDER_E_REPLACED, -ENOMEM or -E2BIG. The text is folded at RENDER_COLUMNS display columns, continuation lines
 * indented under their value. */
#define RENDER_COLUMNS 76u
int render_text(const RenderTemplates *t, const json_t *view, Buf *out);
int render_html(const RenderTemplates *t, const json_t *view, Buf *out);

/* Any template by name (webhook_template): the suffix .html, .json or other decides how {{x}} is
 * escaped. -ENOENT when there is none of that name. */
int render_named(const RenderTemplates *t, const char *name, const json_t *view, Buf *out);

/* The same of a text that is a mail, folded as render_text() folds mail.txt. */
int render_folded(const RenderTemplates *t, const char *name, const json_t *view, Buf *out);

/* The webhook body after docs/webhook.schema.json: the view, compact, keys in a fixed order. */
int render_webhook(const json_t *view, Buf *out);
