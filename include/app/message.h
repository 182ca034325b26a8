/* From plan items to the exact bytes of one message. */
#pragma once

#include "app/app.h"
#include "store/outbox.h"

/* Fills subject, content_type, body and body_size of `row` (whose uuid, target are set) for the
 * target. `n_open`: open alerts that concern the target. */
int message_make(App *app, const TargetRow *target, const PlanItem *items, size_t n_items,
                 size_t n_open, int64_t now_ms, MessageRow *row);
/* Definition of the recipient by name, or NULL. */
const RecipientDef *message_recipient(const App *app, const char *name);
/* Message-ID (without <>) of a message: uuid@domain of [smtp] from. Heap. */
char *message_id_of(const App *app, const char *uuid);
