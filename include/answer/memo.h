/* Answers that were made already, for as long as nothing that they are made from has changed: the
 * database (any commit, with a step or without), the configuration, the units, the local day.
 *
 * A key names the question whole, the asker's role included. What depends on the clock itself, on a
 * past instant or on the work under way is not for here. */
#pragma once

#include "flow/app.h"

/* What is kept under the key: true, good until the next call of a memo function. Drops
 * everything first when anything changed since it was kept; a database that does not answer has
 * nothing kept. */
bool memo_find(App *app, Day today, const Buf *key, const Buf **ret);
/* Keeps a copy, in the place of what was asked for longest ago. What is too large is not kept.
 * The state is that of the memo_find() before: what was read since then must not have been
 * changed by the caller. */
void memo_keep(App *app, const Buf *key, const Buf *text);
/* What is large enough to matter is given back (is_all = false), or everything. */
void memo_drop(App *app, bool is_all);
