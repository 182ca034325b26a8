/* Reading a body back inside store/. */
#pragma once

#include "base/buf.h"
#include "store/sql.h"

#define BODY_MAX                                                                                   \
        ((size_t) 64 << 20) /* far above any configured cap: bounds what a rotten row may claim */

/* From a row (hash, size, packed, ...): appends the verbatim bytes. -EBADMSG when they are not what
 * the hash says; STORE_E_NONE when their retention is over. */
int body_unpack(Query q, Buf *ret);
