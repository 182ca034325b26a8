/* One mail, built from its parts: RFC 5322, 2045, 2047, multipart/alternative, plain text first
 * (semantics 9).
 *
 * Lines end in CRLF, none is over 998 bytes; bodies are UTF-8 in quoted-printable or base64,
 * whichever is shorter, so that no relay needs 8BITMIME. Header values are cleaned of control
 * characters and line ends before they are encoded: a published name can never start a header. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"

typedef struct MailAttachment {
        const char *name, *type;
        const char *data;
        size_t size;
} MailAttachment;

typedef struct Mail {
        const char *from;        /* "Theo dõi chỉ số 766 <chiso@example.gov.vn>" */
        const char *to;          /* address, or "Name <address>" */
        const char *reply_to;    /* or NULL */
        const char *subject;     /* UTF-8 */
        const char *message_id;  /* without <> */
        const char **references; /* without <>; n_references may be 0 */
        size_t n_references;
        int64_t date_ms;      /* Date, +0700 */
        const char *list_id;  /* "chiso.example.gov.vn", or NULL */
        const char *language; /* Content-Language */
        const char *text;     /* plain text, LF line ends */
        const char *html;     /* or NULL */
        const MailAttachment *attachments;
        size_t n_attachments;
} Mail;

/* Appends the whole message. The boundary is made from message_id (deterministic: a retry sends
 * the same bytes). Optional headers whose value is unusable (a Reply-To without address, a
 * reference with blanks) are left out: the message matters more. Returns 0, -EINVAL (no address in
 * from/to, message_id is not one), -ENOMEM, -E2BIG. */
int mail_build(const Mail *m, Buf *out);

/* A mail that mail_build() made, for another address: appends it with the To header of `to`. Returns 0,
 * MAIL_E_SAME (that is its header already; nothing is appended), -EINVAL, -ENOMEM, -E2BIG. */
#define MAIL_E_SAME 1
int mail_readdress(const char *mail, size_t size, const char *to, Buf *out);

/* "Name <a@b>" or "a@b" -> "a@b". Refuses blanks, control characters, bytes beyond ASCII (no relay
 * need know SMTPUTF8), quotes, brackets and the like, more than one @, over 254 bytes. Heap
 * string. Returns 0, -EINVAL, -ENOMEM. */
int mail_address(const char *text, char **ret);
