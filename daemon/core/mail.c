/* One mail, built from its parts.
 *
 * Everything that comes from outside passes one of three gates before it becomes a header:
 * printable text that is encoded (names, subject), an address, or an identifier of a narrow
 * alphabet. None lets a line end through, so a published name cannot begin a header. The boundary
 * begins with "=_", which neither quoted-printable nor base64 can produce. */
#include "core/mail.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "base/timeutil.h"
#include "core/mail-encode.h"

#define ADDRESS_MAX 254u
#define LOCAL_MAX 64u
#define HEADER_MAX 8192u /* bytes of one value, before it is encoded */
#define ID_MAX 250u
#define REFERENCES_MAX 50u

/* ---- gates ----------------------------------------------------------------------------------- */

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Non-empty runs of allowed characters between dots. */
static bool is_dotted(const char *s, size_t n, const char *also) {
        if (n == 0 || s[0] == '.' || s[n - 1] == '.')
                return false;
        for (size_t i = 0; i < n; i++) {
                bool is_dot = s[i] == '.' && s[i - 1] != '.';
                if (!is_dot && !is_alnum(s[i]) && (s[i] == '\0' || !strchr(also, s[i])))
                        return false;
        }
        return true;
}

static bool is_address(const char *s, size_t n) {
        const char *at = memchr(s, '@', n);
        if (!at || n > ADDRESS_MAX)
                return false;
        size_t n_local = (size_t) (at - s), n_domain = n - n_local - 1;
        return n_local <= LOCAL_MAX && is_dotted(s, n_local, "!#$%&'*+-/=?^_`{|}~") &&
               is_dotted(at + 1, n_domain, "-") && at[1] != '-' && s[n - 1] != '-';
}

static bool is_id(const char *id) {
        size_t n = strlen(id);
        const char *at = strchr(id, '@');
        if (!at || n > ID_MAX)
                return false;
        return is_dotted(id, (size_t) (at - id), "!#$%&'*+-/=?^_`{|}~") &&
               is_dotted(at + 1, n - (size_t) (at - id) - 1, "-_");
}

static bool is_token(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!is_alnum(s[i]) && (s[i] == '\0' || !strchr("!#$&-^_.+", s[i])))
                        return false;
        return n > 0 && n <= 100;
}

static bool is_media_type(const char *s) {
        const char *slash = strchr(s, '/');
        return slash && is_token(s, (size_t) (slash - s)) && is_token(slash + 1, strlen(slash + 1));
}

/* Printable, without blanks at the ends. */
static int clean_value(const char *text, size_t n, char **ret) {
        CLEANUP(buf_done) Buf b = BUF_INIT(HEADER_MAX);
        int r = text_append_printable(&b, text, MIN(n, (size_t) HEADER_MAX / 4));
        if (r < 0)
                return r;
        const char *s = buf_text(&b), *end = s + b.len;
        while (*s == ' ')
                s++;
        while (end > s && end[-1] == ' ')
                end--;
        char *clean = strndup(s, (size_t) (end - s));
        if (!clean)
                return -ENOMEM;
        *ret = clean;
        return 0;
}

/* ---- addresses ------------------------------------------------------------------------------- */

typedef struct Mailbox {
        const char *name, *address; /* borrowed: name may be empty, "..." still around it */
        size_t n_name, n_address;
} Mailbox;

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static void trim(const char **s, size_t *n) {
        for (; *n > 0 && is_blank((*s)[0]); (*s)++)
                (*n)--;
        while (*n > 0 && is_blank((*s)[*n - 1]))
                (*n)--;
}

static int mailbox_split(const char *text, Mailbox *ret) {
        Mailbox m = {.address = text, .n_address = strlen(text)};
        trim(&m.address, &m.n_address);
        const char *open = memrchr(m.address, '<', m.n_address);
        if (open) {
                const char *end = m.address + m.n_address;
                if (end[-1] != '>')
                        return -EINVAL;
                m.name = m.address;
                m.n_name = (size_t) (open - m.address);
                trim(&m.name, &m.n_name);
                m.address = open + 1;
                m.n_address = (size_t) (end - 1 - m.address);
        }
        if (!is_address(m.address, m.n_address))
                return -EINVAL;
        *ret = m;
        return 0;
}

static bool has_controls(const char *text) {
        for (const char *s = text; *s; s++)
                if (((unsigned char) *s < ' ' && *s != '\t') || *s == 0x7f)
                        return true;
        return false;
}

int mail_address(const char *text, char **ret) {
        Mailbox m;
        if (has_controls(text))
                return -EINVAL;
        int r = mailbox_split(text, &m);
        if (r < 0)
                return r;
        char *address = strndup(m.address, m.n_address);
        if (!address)
                return -ENOMEM;
        *ret = address;
        return 0;
}

/* The name as meant: without the quotes of "a \"b\" c". */
static int mailbox_name(const Mailbox *m, char **ret) {
        const char *s = m->name;
        size_t n = m->n_name;
        CLEANUP(buf_done) Buf b = BUF_INIT(HEADER_MAX);
        if (n < 2 || s[0] != '"' || s[n - 1] != '"')
                return clean_value(s, n, ret);
        for (size_t i = 1; i + 1 < n; i++) {
                if (s[i] == '\\' && i + 2 < n)
                        i++;
                int r = buf_char(&b, s[i]);
                if (r < 0)
                        return r;
        }
        return clean_value(buf_text(&b), b.len, ret);
}

/* ---- headers --------------------------------------------------------------------------------- */

static size_t column_of(const Buf *out) {
        const char *nl = out->len > 0 ? memrchr(out->data, '\n', out->len) : NULL;
        return nl ? out->len - (size_t) (nl + 1 - out->data) : out->len;
}

static int append_text_header(Buf *out, const char *name, const char *text) {
        CLEANUP_FREE char *clean = NULL;
        int r = clean_value(text, strlen(text), &clean);
        if (r == 0)
                r = buf_printf(out, "%s: ", name);
        if (r == 0)
                r = mail_encode_words(out, clean, column_of(out), /* is_phrase= */ false);
        return r < 0 ? r : buf_str(out, "\r\n");
}

static int append_mailbox(Buf *out, const char *header, const char *text) {
        CLEANUP_FREE char *name = NULL;
        Mailbox m;
        int r = mailbox_split(text, &m);
        if (r == 0 && m.n_name > 0)
                r = mailbox_name(&m, &name);
        if (r == 0)
                r = buf_printf(out, "%s: ", header);
        if (r < 0)
                return r;
        if (!name || !*name)
                return buf_printf(out, "%.*s\r\n", (int) m.n_address, m.address);
        r = mail_encode_words(out, name, column_of(out), /* is_phrase= */ true);
        if (r < 0)
                return r;
        bool is_folded = column_of(out) + m.n_address + 3 > MAIL_LINE;
        return buf_printf(out, "%s <%.*s>\r\n", is_folded ? "\r\n" : "", (int) m.n_address,
                          m.address);
}

/* Left out when it is no address: the message matters more. */
static int append_reply_to(Buf *out, const char *text) {
        CLEANUP_FREE char *address = NULL;
        int r = mail_address(text, &address);
        if (r == -EINVAL)
                return 0;
        return r < 0 ? r : append_mailbox(out, "Reply-To", text);
}

static int append_references(Buf *out, const Mail *m) {
        size_t n_done = 0;
        for (size_t i = 0; i < m->n_references && n_done < REFERENCES_MAX; i++) {
                if (!m->references[i] || !is_id(m->references[i]))
                        continue;
                int r = buf_printf(out, "%s<%s>", n_done == 0 ? "References: " : "\r\n ",
                                   m->references[i]);
                if (r < 0)
                        return r;
                n_done++;
        }
        return n_done > 0 ? buf_str(out, "\r\n") : 0;
}

static int append_automatic(Buf *out, const Mail *m) {
        int r = buf_str(out,
                        "MIME-Version: 1.0\r\n"
                        "Auto-Submitted: auto-generated\r\n" /* RFC 3834 */
                        "X-Auto-Response-Suppress: All\r\n");
        if (r == 0 && m->list_id && is_dotted(m->list_id, strlen(m->list_id), "-_") &&
            strlen(m->list_id) <= ID_MAX)
                r = buf_printf(out, "List-Id: <%s>\r\n", m->list_id);
        if (r == 0 && m->language && is_token(m->language, strlen(m->language)))
                r = buf_printf(out, "Content-Language: %s\r\n", m->language);
        return r;
}

static int append_headers(Buf *out, const Mail *m) {
        char date[48];
        int r = buf_printf(out, "Date: %s\r\n", instant_format_mail(date, m->date_ms));
        if (r == 0)
                r = append_mailbox(out, "From", m->from);
        if (r == 0)
                r = append_mailbox(out, "To", m->to);
        if (r == 0 && m->reply_to)
                r = append_reply_to(out, m->reply_to);
        if (r == 0)
                r = append_text_header(out, "Subject", str_or(m->subject, ""));
        if (r == 0)
                r = buf_printf(out, "Message-ID: <%s>\r\n", m->message_id);
        if (r == 0)
                r = append_references(out, m);
        return r < 0 ? r : append_automatic(out, m);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* Lines ended by CRLF, as base64 wants text. */
static int with_line_ends(const char *text, Buf *ret) {
        int r = 0;
        while (r == 0 && *text) {
                size_t n = strcspn(text, "\n"), end = n + (text[n] == '\n');
                size_t length = n > 0 && text[n] == '\n' && text[n - 1] == '\r' ? n - 1 : n;
                r = buf_append(ret, text, length);
                if (r == 0)
                        r = buf_str(ret, "\r\n");
                text += end;
        }
        return r;
}

static int append_text_part(Buf *out, const char *subtype, const char *text) {
        CLEANUP(buf_done) Buf lines = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP(buf_done) Buf quoted = BUF_INIT(3 * BUF_MAX_TEXT);
        int r = with_line_ends(text, &lines);
        if (r == 0)
                r = mail_encode_quoted(&quoted, buf_text(&lines), lines.len);
        if (r < 0)
                return r;
        bool is_quoted =
                quoted.len <= lines.len / 57 * 78 + 80; /* 57 bytes make a line of base64 */
        r = buf_printf(out,
                       "Content-Type: text/%s; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: %s\r\n\r\n",
                       subtype, is_quoted ? "quoted-printable" : "base64");
        if (r < 0)
                return r;
        return is_quoted ? buf_append(out, buf_text(&quoted), quoted.len)
                         : mail_encode_base64(out, buf_text(&lines), lines.len);
}

static int append_attachment(Buf *out, const MailAttachment *a) {
        CLEANUP_FREE char *name = NULL;
        const char *type = a->type && is_media_type(a->type) ? a->type : "application/octet-stream";
        int r = clean_value(str_or(a->name, ""), strlen(str_or(a->name, "")), &name);
        if (r == 0)
                r = buf_printf(out,
                               "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"
                               "Content-Disposition: attachment",
                               type);
        if (r == 0)
                r = mail_encode_parameter(out, "filename", *name ? name : "attachment");
        if (r == 0)
                r = buf_str(out, "\r\n\r\n");
        return r < 0 ? r : mail_encode_base64(out, a->data, a->size);
}

typedef struct Boundary {
        char text[48];
} Boundary;

/* FNV-1a: short, and the same for a retry. */
static Boundary boundary_make(const char *message_id, const char *role) {
        uint64_t hash = UINT64_C(14695981039346656037);
        for (const char *s = message_id; *s; s++)
                hash = (hash ^ (unsigned char) *s) * UINT64_C(1099511628211);
        Boundary b = {.text = "=_"};
        size_t n = 2;
        for (int shift = 60; shift >= 0; shift -= 4)
                b.text[n++] = "0123456789abcdef"[hash >> shift & 15];
        strcpy(b.text + n, role);
        return b;
}

static int append_multipart(Buf *out, const char *subtype, const Boundary *b) {
        return buf_printf(out, "Content-Type: multipart/%s;\r\n boundary=\"%s\"\r\n\r\n", subtype,
                          b->text);
}

static int append_alternative(Buf *out, const Mail *m) {
        if (!m->html)
                return append_text_part(out, "plain", str_or(m->text, ""));
        Boundary b = boundary_make(m->message_id, "-a");
        int r = append_multipart(out, "alternative", &b);
        if (r == 0)
                r = buf_printf(out, "--%s\r\n", b.text);
        if (r == 0)
                r = append_text_part(out, "plain", str_or(m->text, ""));
        if (r == 0)
                r = buf_printf(out, "\r\n--%s\r\n", b.text);
        if (r == 0)
                r = append_text_part(out, "html", m->html);
        return r < 0 ? r : buf_printf(out, "\r\n--%s--\r\n", b.text);
}

static int append_body(Buf *out, const Mail *m) {
        if (m->n_attachments == 0)
                return append_alternative(out, m);
        Boundary b = boundary_make(m->message_id, "-m");
        int r = append_multipart(out, "mixed", &b);
        if (r == 0)
                r = buf_printf(out, "--%s\r\n", b.text);
        if (r == 0)
                r = append_alternative(out, m);
        for (size_t i = 0; r == 0 && i < m->n_attachments; i++) {
                r = buf_printf(out, "\r\n--%s\r\n", b.text);
                if (r == 0)
                        r = append_attachment(out, &m->attachments[i]);
        }
        return r < 0 ? r : buf_printf(out, "\r\n--%s--\r\n", b.text);
}

int mail_build(const Mail *m, Buf *out) {
        if (!m->from || !m->to || !m->message_id || !is_id(m->message_id))
                return -EINVAL;
        CLEANUP(buf_done) Buf mail = BUF_INIT(out->max - out->len);
        int r = append_headers(&mail, m);
        if (r == 0)
                r = append_body(&mail, m);
        return r < 0 ? r : buf_append(out, buf_text(&mail), mail.len);
}

/* The bytes from `from` on up to and with the line end after which no folded line follows. */
static const char *header_end(const char *from, const char *end) {
        const char *p = from;
        while ((p = memmem(p, (size_t) (end - p), "\r\n", 2))) {
                p += 2;
                if (p == end || (*p != ' ' && *p != '\t'))
                        return p;
        }
        return end;
}

int mail_readdress(const char *mail, size_t size, const char *to, Buf *out) {
        CLEANUP(buf_done) Buf header = BUF_INIT(65536);
        const char *end = memmem(mail, size, "\r\n\r\n", 4);
        const char *at = end ? memmem(mail, (size_t) (end - mail), "\r\nTo: ", 6) : NULL;
        if (!at)
                return -EINVAL;
        at += 2;
        const char *rest = header_end(at, mail + size);
        int r = append_mailbox(&header, "To", to);
        if (r < 0)
                return r;
        if (header.len == (size_t) (rest - at) && memcmp(buf_text(&header), at, header.len) == 0)
                return MAIL_E_SAME;
        CLEANUP(buf_done) Buf made = BUF_INIT(out->max - out->len);
        r = buf_append(&made, mail, (size_t) (at - mail));
        if (r == 0)
                r = buf_append(&made, buf_text(&header), header.len);
        if (r == 0)
                r = buf_append(&made, rest, (size_t) (mail + size - rest));
        return r < 0 ? r : buf_append(out, buf_text(&made), made.len);
}
