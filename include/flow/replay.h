/* Proof that what is kept is what was published: all bodies of a database are decoded again, with
 * today's configuration, into an empty one, by the road that they came, and both are compared. */
#pragma once

#include "core/config.h"
#include "store/replay.h"

typedef struct Replay {
        size_t n_snapshots; /* decoded again */
        size_t n_taken;     /* of which a body is past its retention: taken as kept */
        ReplaySizes sizes;
} Replay;

/* The file is read, and nothing is written beside it; the empty one lies in $TMPDIR, else /var/tmp, and is removed. The
 * configuration's indicators get the file's ids. Returns 0; STORE_E_MISMATCH with the first
 * difference in diag; -EINVAL, a configuration that cannot be this file's, with text in diag; or
 * another negative errno. */
int replay_run(const char *file, Config *config, Diag *diag, Replay *ret);
