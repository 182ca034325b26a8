/* Tell: targets from recipients, plans behind gates, release transactions, go-live. */
#pragma once

#include <jansson.h>

#include "flow/app.h"
#include "store/outbox.h"

typedef struct Facts Facts;

/* Targets against the configuration and the registry's contacts. Inside a transaction. */
int teller_sync_targets(App *app, StepId step);

/* Releases to every target whose gate is open and whose plan is not empty. With is_inside the
 * caller's transaction (evaluate) is used, else one of its own is made when there is something.
 * *ret_n (may be NULL) counts messages. */
int teller_run(App *app, int64_t now_ms, bool is_inside, size_t *ret_n);
/* Next instant at which a gate opens for a target that has something to tell; INT64_MAX. */
int64_t teller_next(App *app, int64_t now_ms);

/* When the first of the silences in force, or of the acknowledgements with an expiry, ends: what it
 * delayed is told then; INT64_MAX. */
int64_t teller_silence_end(App *app, int64_t now_ms);

/* Makes a ready row anew from the present plan (none of its attempts can have arrived): in the
 * caller's transaction. *ret_is_void: nothing is left to say, the row is void. */
int teller_remake(const Facts *f, StepId step, int64_t message, bool *ret_is_void);

/* What would be told to whom, without telling: array of {target, items: n, subject, gate}. */
int teller_preview(App *app, int64_t now_ms, json_t **ret);
/* What would be sent to the recipient (or target, or everybody: NULL) now, without sending: array of
 * {target, subject, items, more, format, body, lines}. format: "text", "html", "json" (the webhook's body). */
int teller_render(App *app, const char *who, const char *format, int64_t now_ms, json_t **ret);
/* notify = live from now on (durable). What is open is written to the ledger as assumed, unless
 * announce. With is_preview nothing is written; *ret tells targets and counts. */
int teller_go_live(App *app, int64_t now_ms, bool is_announce, bool is_preview, json_t **ret);
bool teller_is_live(App *app);

/* A drill to one recipient's targets. */
int teller_drill(App *app, const char *recipient, int64_t now_ms, size_t *ret_n);
