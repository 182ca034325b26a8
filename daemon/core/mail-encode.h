/* The encodings of mail: encoded words (RFC 2047), quoted-printable and base64 (RFC 2045),
 * parameters (RFC 2231). Private to mail.c. Input is cleaned UTF-8; all appenders return 0, -ENOMEM
 * or -E2BIG. */
#pragma once

#include "base/buf.h"

#define MAIL_LINE                                                                                  \
        76u /* longest line that we make, without CRLF, but for ids and addresses that cannot be   \
               folded */

/* Appends words of a header value after `column` columns of its line: as they are when they are
 * plain ASCII and fold, else as encoded words, whichever of B and Q is shorter. is_phrase: a
 * display name, where specials need quotes. Folds with CRLF and a blank. */
int mail_encode_words(Buf *out, const char *text, size_t column, bool is_phrase);

/* Appends `; NAME="value"` or, beyond plain ASCII or a line, the pieces `; NAME*0*=UTF-8''...`,
 * each on a folded line. */
int mail_encode_parameter(Buf *out, const char *name, const char *value);

/* Appends data in lines of at most 76, each ended by CRLF. */
int mail_encode_base64(Buf *out, const char *data, size_t n);

/* Appends LF- or CRLF-separated text as quoted-printable with CRLF line ends. */
int mail_encode_quoted(Buf *out, const char *text, size_t n);
