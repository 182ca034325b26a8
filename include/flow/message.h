/* From plan items to the exact bytes of one message. */
#pragma once

#include "core/mail.h"
#include "core/render.h"
#include "flow/app.h"
#include "store/outbox.h"

typedef struct MessageInput {
        const TargetRow *target;
        const PlanItem *items;
        size_t n_items;
        OpenAlerts open; /* that concern the target */
        int64_t now_ms;
        bool is_summary; /* counts instead of lines, whatever the recipient's `tell` */
} MessageInput;

/* Fills subject, content_type, body and body_size of `row` (whose uuid and target are set).
 * *ret_chars (may be NULL): characters as a channel's max_chars counts them, of a mail its text
 * part. */
int message_make(App *app, const MessageInput *in, MessageRow *row, size_t *ret_chars);
/* The same words in one format ("text", "html" as in a mail, "json" as the webhook), whatever the
 * target's channel; *ret_subject heap. */
int message_show(App *app, const MessageInput *in, const char *format, char **ret_subject,
                 Buf *out);
/* A letter: its text and files as they are, by mail. Fills row like message_make(). */
typedef struct MessageLetter {
        const TargetRow *target;
        const char *subject, *text;
        const MailAttachment *files;
        size_t n_files;
        int64_t now_ms;
} MessageLetter;
int message_letter(App *app, const MessageLetter *letter, MessageRow *row);
/* Definition of the recipient by name, or NULL. */
const RecipientDef *message_recipient(const App *app, const char *name);
/* Message-ID (without <>) of a message: uuid@domain of [smtp] from. Heap. */
char *message_id_of(const App *app, const char *uuid);
