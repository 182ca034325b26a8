/* What of the machine a configuration needs, looked at before it is needed: secrets, certificates of
 * authorities, the disk, and what a daemon's own folder remembers of addresses and certificates.
 * Findings are warnings in `diag`, with file and line where one was written. */
#pragma once

#include "base/diag.h"
#include "core/config.h"

/* Days before an end that it is told. */
#define PRECHECK_DAYS 30
#define PRECHECK_DISK_BYTES (INT64_C(500) << 20)

/* References that cannot be read from here. At start, at reload, and by --check-config. */
void precheck_secrets(const Config *c, Diag *diag);

/* For --check-config, which has no daemon: the disk of the state folder, authorities that end, and from
 * the database, if one can be read, addresses that were refused, certificates that peers showed last
 * and, as errors, what it would refuse (flow/define). What cannot be looked at is left out. */
void precheck_machine(const Config *c, int64_t now_ms, Diag *diag);

/* When the last certificate of a ca_file ends: from then on it verifies nothing. 0; -ENOENT: there is
 * no file, or one as large as the machine's own bundle, which its packages look after; or a negative
 * errno. */
int precheck_authority(const char *path, int64_t *ret_ms);
