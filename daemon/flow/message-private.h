/* Parts of message: what its items say (message-item.c), and the bytes made of that (message.c). */
#pragma once

#include "flow/message.h"

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

/* Looks up what the items say. The words stand in `l`, and in the registry and the configuration. */
int message_lookup(Lookup *l, const MessageInput *in);
void message_lookup_done(Lookup *l);
/* Takes the text, also when it fails; NULL: -ENOMEM. */
int message_lookup_own(Lookup *l, char *text, const char **ret);
