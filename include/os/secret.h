/* Secrets never stand in the configuration: `credential:NAME` is $CREDENTIALS_DIRECTORY/NAME, else
 * secrets_dir/NAME (systemd's LoadCredential of a folder names it secrets_NAME: both are tried);
 * `file:PATH` is that file. Trailing line ends are cut. */
#pragma once

#include "base/buf.h"

/* Any other text is taken as it is. 0, -ENOENT (with nothing appended), or negative errno. At most
 * 64 KiB. */
int secret_resolve(const char *text, const char *secrets_dir, Buf *ret);
bool secret_is_reference(const char *text);
