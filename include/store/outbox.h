/* Targets, messages and the two ledgers of what was told (semantics 8 and 9).
 *
 * A message row: ready -> started -> (accepted | dead | back to ready). `void`: made anew found nothing left to say. At most
 * one unsettled (ready or started) row per target: a unique index holds it. Bytes and id are fixed from the first attempt
 * that may have arrived (`maybe` > 0). */
#pragma once

#include "base/buf.h"
#include "core/plan.h"
#include "store/store.h"

typedef enum TargetState {
        TARGET_OK = 0,
        TARGET_MARKED = 1,
        TARGET_DISABLED = 2,
        TARGET_REMOVED = 3
} TargetState;

typedef struct TargetRow {
        int64_t id;
        char *key; /* "offices/H31.08/email", "it/webhook" */
        char *recipient;
        UnitId unit;   /* of an `each` recipient; 0 */
        char *channel; /* "email" | "webhook" */
        char *address; /* mail address, or webhook URL / secret reference as configured */
        TargetState state;
        char *reason; /* why marked, or NULL */
        int64_t last_release_ms;
} TargetRow;
int store_targets(Store *s, TargetRow **ret, size_t *ret_n); /* not removed ones, by id */
int store_target_get(Store *s, int64_t id, TargetRow *ret);  /* STORE_E_NONE */
/* Those with an unsettled message, by id. */
int store_targets_busy(Store *s, TargetRow **ret, size_t *ret_n);
/* Those that nothing is planned for, by id: marked or disabled. */
int store_targets_marked(Store *s, TargetRow **ret, size_t *ret_n);
void target_row_done(TargetRow *row);
void target_rows_free(TargetRow *rows, size_t n);
/* Inserts or updates by key; a changed address clears a mark. *ret_id. */
int store_target_put(Store *s, StepId step, const TargetRow *row, int64_t *ret_id);
/* Everything not in `keys` is removed (its ledger ends without a message; unsettled rows become void). */
int store_targets_keep(Store *s, StepId step, const char *const *keys, size_t n);
int store_target_state_put(Store *s, int64_t target, TargetState state, const char *reason);

int store_told(Store *s, int64_t target, Told **ret, size_t *ret_n); /* sorted by episode */
int store_told_figures(Store *s, int64_t target, ToldFigure **ret,
                       size_t *ret_n); /* sorted; now_value is what the figure is now */
/* Ledger rows are written by settle, never by release. */
int store_told_get(Store *s, int64_t target, int64_t episode,
                   Told *ret); /* zeroed but for the key when there is none */
/* All that was said of an episode by messages that arrived, or may have, and were settled by step
 * as_of (0 = now), and what was assumed as told (no message): by target, in order. Targets that are
 * removed by now are among them. */
typedef struct ToldRow {
        char *target;     /* its key */
        char *subject;    /* of the message; or NULL */
        int64_t corrects; /* the message whose figure it replaced; 0 */
        Told told;
} ToldRow;
int store_told_story(Store *s, int64_t episode, StepId as_of, ToldRow **ret, size_t *ret_n);
void told_rows_free(ToldRow *rows, size_t n);
int store_told_put(Store *s, StepId step, int64_t target, const Told *row);
int store_told_figure_put(Store *s, StepId step, int64_t target, const ToldFigure *row);
int store_told_figure_get(Store *s, int64_t target, IndicatorId indicator, PeriodId period,
                          UnitId unit, ToldFigure *ret);

typedef enum MessageState {
        MESSAGE_READY = 1,
        MESSAGE_STARTED = 2,
        MESSAGE_ACCEPTED = 3,
        MESSAGE_DEAD = 4,
        MESSAGE_VOID = 5,
} MessageState;
const char *message_state_name(MessageState state);

typedef struct MessageRow {
        int64_t id, target;
        char *uuid; /* webhook id; left part of Message-ID; fixed */
        MessageState state;
        char *subject;      /* for people; mail and lists */
        char *content_type; /* "message/rfc822" | "application/json" */
        char *body;         /* exact bytes on the wire, NUL after them */
        size_t body_size;
        int64_t created_ms, next_ms, started_ms, settled_ms;
        StepId released, settled;
        unsigned attempts;    /* begun */
        unsigned maybe;       /* attempts that may have arrived; > 0 fixes the bytes */
        unsigned open_starts; /* found started at start-up, in a row */
        char *outcome;        /* last attempt's outcome name, or NULL */
        char *response;       /* last answer, at most 1 KiB, printable, or NULL */
        bool is_drill;
} MessageRow;
void message_rows_free(MessageRow *rows, size_t n);

/* How many messages the target got since then, and when the first of them was made. */
int store_target_recent(Store *s, int64_t target, int64_t since_ms, size_t *ret_n,
                        int64_t *ret_first_ms);

/* Adds a ready row with its items. -EEXIST when the target has an unsettled one. */
int store_message_add(Store *s, StepId step, const MessageRow *row, const PlanItem *items,
                      size_t n_items, int64_t *ret_id);
/* New bytes and items for a ready row none of whose attempts can have arrived (-EPERM: one can). */
int store_message_remake(Store *s, StepId step, const MessageRow *row, const PlanItem *items,
                         size_t n_items);
/* Heap uuid of the message that told the target of the episode's opening. STORE_E_NONE. */
int store_message_opening(Store *s, int64_t target, int64_t episode, char **ret);
/* Has the target got, or is it getting, the letter of the period (SAY_LETTER items)? A dead message
 * that a person had planned again does not count. */
int store_message_has_letter(Store *s, int64_t target, PeriodId period, bool *ret);
int store_message_is_letter(Store *s, int64_t message, bool *ret);
int store_message_items(Store *s, int64_t message, PlanItem **ret, size_t *ret_n);
/* Ready rows due at now_ms, oldest next_ms first, without bodies; at most `limit`. */
int store_messages_due(Store *s, int64_t now_ms, size_t limit, MessageRow **ret, size_t *ret_n);
/* The same; with is_without_mail only those of other channels. */
int store_messages_due_for(Store *s, int64_t now_ms, size_t limit, bool is_without_mail,
                           MessageRow **ret, size_t *ret_n);
int store_message_get(Store *s, int64_t id,
                      MessageRow **ret); /* with body; one row array; STORE_E_NONE */
int store_message_head(Store *s, int64_t id, MessageRow **ret); /* the same without body */
/* Rows found started (at start-up). */
int store_messages_started(Store *s, MessageRow **ret, size_t *ret_n);
/* True when the target has an unsettled row. */
int store_target_busy(Store *s, int64_t target, bool *ret);
/* Earliest next_ms of ready rows, paused channels or not; INT64_MAX when none. */
int store_message_next(Store *s, int64_t *ret_ms);
/* The same of those not yet due. */
int store_message_next_after(Store *s, int64_t now_ms, int64_t *ret_ms);
/* Marks as started (attempts + 1); part of a settle or release transaction. STORE_E_NONE: not ready. */
int store_message_start(Store *s, int64_t id, int64_t now_ms);
/* Writes the outcome of an attempt: state (READY with next_ms, ACCEPTED, DEAD, VOID), attempts (one that was the channel's
 * fault does not count), maybe, open_starts, outcome, response, settled_ms. STORE_E_NONE: accepted before, or void (its target was removed) and the outcome would bring it back. */
int store_message_settle(Store *s, StepId step, const MessageRow *row);
/* `chisoctl retry`: the dead row counts no more, the target's mark and what was given up are cleared. STORE_E_NONE: not dead. */
int store_message_retry(Store *s, StepId step, int64_t id);
typedef struct OutboxCounts {
        size_t ready, started, dead; /* dead: neither retried nor followed by an accepted one */
} OutboxCounts;
int store_outbox_counts(Store *s, OutboxCounts *ret);
/* Newest first; state 0 = any. Without bodies. */
int store_messages_list(Store *s, int state, StepId as_of, size_t limit, size_t offset,
                        MessageRow **ret, size_t *ret_n);

/* Paused channels: "smtp" or "hook:HOST". */
typedef struct ChannelRow {
        char name[256];
        int64_t paused_ms; /* since; 0 = not paused */
        int64_t probe_ms;  /* next probe */
        char reason[256];
} ChannelRow;
int store_channel_get(Store *s, const char *name, ChannelRow *ret);
int store_channel_put(Store *s, const ChannelRow *row);
int store_channels(Store *s, ChannelRow **ret, size_t *ret_n); /* paused ones */
/* Every pause may be probed now, and what waits because of `outcome` is due now. */
int store_channels_probe(Store *s, int64_t now_ms, const char *outcome);
