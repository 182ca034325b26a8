/* Rule versions, episodes, transitions, holds, silences. */
#pragma once

#include "core/engine.h"
#include "store/store.h"

/* Texts of a rule, sorted by the first period they judge. */
typedef struct RuleTextRow {
        PeriodId from;
        char *text;
        StepId step;
} RuleTextRow;
int store_rule_texts(Store *s, const char *rule, RuleTextRow **ret, size_t *ret_n);
void rule_text_rows_free(RuleTextRow *rows, size_t n);
/* Adds a version (or replaces the one of the same `from` that has judged nothing else). */
int store_rule_text_put(Store *s, StepId step, const char *rule, PeriodId from, const char *text);
/* `formerly`: the texts and episodes of a renamed rule go on under its new name. */
int store_rule_rename(Store *s, const char *old, const char *name);

typedef struct EpisodeFilter {
        const char *rule;    /* NULL = any */
        const UnitId *units; /* sorted; NULL = any */
        size_t n_units;
        int64_t id;           /* 0 = any */
        bool is_live;         /* only pending and open ones */
        int64_t touched_from; /* with is_live: also those whose `last` is >= this period; 0 = off */
        bool is_subject;      /* only those of subjects (unit 0) */
        const char *subject;  /* of this one; NULL = any */
        bool is_visible;      /* it is, or once was, an alert */
} EpisodeFilter;
/* Heap array; strings inside belong to it: freed with store_episodes_free. Sorted by (rule, unit, first). */
int store_episodes(Store *s, const EpisodeFilter *filter, Episode **ret, size_t *ret_n);
/* As of a step, folded from transitions (0 = now, same as above). */
int store_episodes_as_of(Store *s, const EpisodeFilter *filter, StepId as_of, Episode **ret,
                         size_t *ret_n);
void store_episodes_free(Episode *e, size_t n);
/* How many alerts of units are open now. Heap array, sorted by rule; `rule` belongs to it. */
typedef struct OpenCount {
        char *rule;
        size_t open, critical, held; /* held ones wait for the mass guard */
} OpenCount;
int store_episodes_open(Store *s, OpenCount **ret, size_t *ret_n);
void open_counts_free(OpenCount *counts, size_t n);
/* Inserts (id 0; -EEXIST when the name is taken) or updates all but rule, unit and subject; sets e->id and e->step. What no transition records is not known
 * as of a step. */
int store_episode_put(Store *s, StepId step, Episode *e);

typedef struct TransitionRow {
        int64_t id, episode;
        StepId step;
        int64_t at_ms;
        TransitionKind kind;
        PeriodId period;
        int64_t value, previous_value, limit;
        uint32_t place, of;
        Severity severity;
        char *reason; /* or NULL */
} TransitionRow;
/* The row keeps the whole episode state after it, so that episodes as of any step can be folded. */
int store_transition_add(Store *s, StepId step, const Episode *after, const TransitionRow *row);
int store_transitions(Store *s, int64_t episode, TransitionRow **ret, size_t *ret_n);
void transition_rows_free(TransitionRow *rows, size_t n);

/* Mass guard: released by an operator until the next closing of the hold. */
int store_hold_released(Store *s, const char *subject, bool *ret);
int store_hold_release(Store *s, StepId step, const char *subject);

/* Acknowledgements and silences (append-only; ended by a further row). */
typedef struct SilenceRow {
        int64_t id;
        char *rule;                /* NULL = any */
        UnitId unit, parent;       /* 0 = any */
        Severity severity;         /* SEVERITY_NONE = any */
        int64_t from_ms, until_ms; /* read: until when it was ended, where it was */
        char *author, *note;
        StepId step; /* read: that made it, and the transitions of the alerts it covered then */
} SilenceRow;
int store_silences(Store *s, int64_t now_ms, SilenceRow **ret,
                   size_t *ret_n); /* in force at now_ms */
int store_silences_all(Store *s, SilenceRow **ret,
                       size_t *ret_n); /* ended and coming ones too, newest first */
void silence_rows_free(SilenceRow *rows, size_t n);
int store_silence_add(Store *s, StepId step, const SilenceRow *row, int64_t *ret_id);
/* The row that ends it. STORE_E_NONE: unknown, or ended before. */
int store_silence_end(Store *s, StepId step, int64_t id, int64_t at_ms);
/* until_ms 0 = until the episode ends. STORE_E_NONE: no such episode. */
int store_ack_add(Store *s, StepId step, int64_t episode, const char *by, const char *note,
                  int64_t until_ms);
/* Episodes acknowledged at now_ms, sorted ids, with the severity they had then; as_of 0: those that
 * live, else whatever had become of them by the step. */
typedef struct AckRow {
        int64_t episode;
        Severity severity;
} AckRow;
int store_acks(Store *s, int64_t now_ms, StepId as_of, AckRow **ret, size_t *ret_n);
/* Who acknowledged one episode up to the step (0: up to now), oldest first; "" where nothing was
 * said. */
typedef struct AckStoryRow {
        StepId step;
        int64_t at_ms, until_ms; /* until_ms 0 = until the episode ends */
        char *by, *note;
} AckStoryRow;
int store_ack_story(Store *s, int64_t episode, StepId as_of, AckStoryRow **ret, size_t *ret_n);
void ack_story_rows_free(AckStoryRow *rows, size_t n);
/* When the first of them expires; 0 = none does. */
int store_ack_end(Store *s, int64_t now_ms, int64_t *ret);
