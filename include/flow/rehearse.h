/* Rule tests (`chisoctl rules test FILE`): a made-up series and a virtual clock, run through the
 * same judging, telling and booking as the daemon's, with a database of its own in a temporary
 * folder. No request is made and no message leaves; what would be told is a line of output.
 *
 * A file holds the configuration (INI), a line "---", and a script, one action per line:
 *
 *   at 2024-09-05 07:30        the clock goes on; midnights and digests on the way take place
 *   publish 2024-08 progress A=82.71 B=96    a snapshot; what is not named stays as it was;
 *                              A=- no value, A=empty, A=gone; `publish 2024-08` alone: seen again
 *   fail SOURCE REASON         an attempt that failed
 *   reload [rule low] when = below 90        as a drop-in would write it; " ; " between keys
 *   rename [rule a] [rule b]  with the next reload the section has another name
 *   restart                    everything in memory is forgotten
 *   silence until 2024-09-20 [rule=R] [unit=A] [parent=U] [severity=S]
 *   ack UNIT RULE | release RULE | go-live [announce]
 *   mail ok | dead | maybe | down            what becomes of messages from now on
 *   expect LINE                the next line of output, * and ? as in file names
 *
 * Output is one line per transition, "opened RULE UNIT PERIOD VALUE [REASON]", and per item told, "told
 * TARGET SAY UNIT PERIOD VALUE"; before the items of a message stands "subject TARGET TEXT", which
 * may be left out. Everything else that is not expected fails, and so does what is expected and does
 * not come. */
#pragma once

#include "base/buf.h"

/* Runs one file; what went wrong is appended to `out` as FILE:LINE: TEXT. 0 all as expected, 1 not,
 * negative errno. config_path: used when the file has no configuration of its own; NULL: the
 * default. */
int rehearse_run(const char *path, const char *config_path, Buf *out);
