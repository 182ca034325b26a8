/* Why an answer, a file or a row was not used, in Vietnamese. What decodes, resolves and fetches says it in
 * English, for the log and the database; people read their own language. */
#pragma once

#include "base/buf.h"

/* Appends the reason in Vietnamese; what is not known stays as it is, in part or as a whole. Returns 0,
 * -ENOMEM or -E2BIG. */
int reason_words(const char *reason, Buf *out);
