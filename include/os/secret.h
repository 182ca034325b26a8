/* Secrets never stand in the configuration: `credential:NAME` is $CREDENTIALS_DIRECTORY/NAME, else
 * secrets_dir/NAME (systemd's LoadCredential of a folder names it secrets_NAME: both are tried);
 * `file:PATH` is that file. Trailing line ends are cut. */
#pragma once

#include "base/buf.h"

/* Any other text is taken as it is. 0, -ENOENT (with nothing appended), or negative errno. At most
 * 64 KiB. */
int secret_resolve(const char *text, const char *secrets_dir, Buf *ret);
bool secret_is_reference(const char *text);

/* Text from a peer that may repeat what it was told: every word of `secret` (several keys of a rotation stand
 * in one), with or without "whsec_", becomes asterisks in place. Words of less than four bytes stay: nothing
 * would be left of the text. */
void secret_hide(char *text, const char *secret);
/* The password, and as it goes over the wire: AUTH PLAIN, AUTH LOGIN. username may be NULL. */
void secret_hide_login(char *text, const char *username, const char *password);
/* What follows the host of a URL: a chat bot's key stands there. */
void secret_hide_path(char *text, const char *url);
