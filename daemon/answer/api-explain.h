/* Inside of answer/api-explain: what both of its halves say with. */
#pragma once

#include "answer/api-call.h"
#include "flow/facts.h"

/* One sentence into the array that is open. */
void explain_say(ApiCall *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* Both are format literals of the same arguments. */
#define EXPLAIN_SAY(c, vi, en, ...)                                                                \
        (app_is_vi((c)->app) ? explain_say((c), vi, ##__VA_ARGS__)                                 \
                             : explain_say((c), en, ##__VA_ARGS__))

/* "state" in words; NULL: there is no alert. */
const char *explain_state(const ApiCall *c, const PlanEpisode *episode);
/* The arrays "gates" and "targets": what holds telling, and who was told what. `episode` may be
 * NULL. 0 or negative errno. */
int explain_telling(ApiCall *c, const Facts *facts, const RuleDef *rule,
                    const PlanEpisode *episode);

/* A rule that watches sources: of one, or (-1) of each. */
int explain_source(ApiCall *c, const RuleDef *rule, int source);
