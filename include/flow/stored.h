/* From stored bodies back to a snapshot: what was kept is decoded again. */
#pragma once

#include "flow/app.h"
#include "flow/fetch.h"

/* The result as a fetch would have given it, without parts of its own (the stored ones stay). The
 * scope is borrowed from the row. Returns 0, STORE_E_NONE (a body is no longer kept, a part or the
 * source no longer configured) or DECODE_E_REJECTED, both with text, or a negative errno. */
int stored_result(App *app, const SnapshotRow *row, Diag *diag, FetchResult **ret);
