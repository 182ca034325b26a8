/* Bytes as the texts of a mail, split at 0x1f: address, name, subject, id, text, html, file name.
 * Whatever is built has only CRLF line ends and printable ASCII, no line over 998, and exactly the
 * headers that we write. */
#include "base/buf.h"
#include "base/text.h"
#include "core/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void) 0 : abort())

static void check_address(const char *text) {
        CLEANUP_FREE char *address = NULL, *again = NULL;
        if (mail_address(text, &address) != 0)
                return;
        CHECK(strlen(address) <= 254 && strchr(address, '@') == strrchr(address, '@'));
        for (const char *s = address; *s; s++)
                CHECK(*s > ' ' && *s < 0x7f && !strchr("<>()[],;:\"\\", *s));
        CHECK(mail_address(address, &again) == 0 && streq(address, again));
}

static bool is_known_header(const char *line) {
        static const char *const known[] = {"Date: ",
                                            "From: ",
                                            "To: ",
                                            "Subject: ",
                                            "Message-ID: <",
                                            "MIME-Version: 1.0\r",
                                            "Auto-Submitted: auto-generated\r",
                                            "X-Auto-Response-Suppress: All\r",
                                            "Content-Type: ",
                                            "Content-Transfer-Encoding: ",
                                            "Reply-To: ",
                                            "References: <",
                                            " "};
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (strncmp(line, known[i], strlen(known[i])) == 0)
                        return true;
        return false;
}

static void check_mail(const char *mail, size_t n) {
        bool is_head = true;
        CHECK(strlen(mail) == n);
        for (const char *line = mail; *line;) {
                const char *nl = strchr(line, '\n');
                CHECK(nl && nl > mail && nl[-1] == '\r' && nl - line <= 999);
                for (const char *s = line; s < nl - 1; s++)
                        CHECK((*s >= ' ' && *s < 0x7f) || *s == '\t');
                is_head = is_head && *line != '\r';
                CHECK(!is_head || is_known_header(line));
                line = nl + 1;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP_FREE char *text = malloc(size + 1);
        CLEANUP(buf_done) Buf from = BUF_INIT(BUF_MAX_TEXT), mail = BUF_INIT(BUF_MAX_TEXT);
        const char *parts[7] = {"", "", "", "", "", "", ""};
        CHECK(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        char *rest = text;
        for (size_t i = 0; i < ELEMENTSOF(parts) && rest; i++)
                parts[i] = strsep(&rest, "\x1f");

        check_address(parts[0]);
        check_address(parts[1]);
        const char *references[] = {parts[3], parts[0]};
        MailAttachment file = {parts[6], parts[2], parts[4], strlen(parts[4])};
        CHECK(buf_printf(&from, "%s <a@b.vn>", parts[1]) == 0);
        Mail m = {.from = buf_text(&from),
                  .to = parts[0],
                  .reply_to = parts[1],
                  .subject = parts[2],
                  .message_id = parts[3],
                  .references = references,
                  .n_references = 2,
                  .list_id = NULL,
                  .text = parts[4],
                  .html = parts[5],
                  .attachments = &file,
                  .n_attachments = 1};
        if (mail_build(&m, &mail) == 0)
                check_mail(buf_text(&mail), mail.len);
        /* the rest of the seven is seen even where address and id are refused */
        m.to = "a@b.vn";
        m.message_id = "1@b.vn";
        buf_clear(&mail);
        CHECK(mail_build(&m, &mail) == 0);
        check_mail(buf_text(&mail), mail.len);
        return 0;
}
