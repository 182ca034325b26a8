/* What an App stands on, for a daemon and for a rehearsal of rules: its configuration bound to what is
 * stored, and all of it let go at the end. */
#pragma once

#include "base/diag.h"
#include "flow/app.h"

/* Ids of the indicators, texts of the rules, targets, inside of the caller's transaction. 0; -EINVAL:
 * a stored definition differs, which is a person's to mend (in diag); or a negative errno. */
int root_bind(App *app, StepId step, int64_t now_ms, Diag *diag);

/* What was read, judged and kept in memory of `app`, its database and its configuration. May be called
 * of one that never opened them. */
void root_done(App *app);
