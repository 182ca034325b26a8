/* Writes nasty mails and what they mean: DIR/NAME.eml and DIR/NAME.json, for foreign parsers to
 * compare (mail-parse.py). */
#include <errno.h>
#include <stdio.h>

#include <jansson.h>

#include "base/text.h"
#include "core/mail.h"

typedef struct Sample {
        const char *name;
        Mail mail;
        const char *from_name, *from_address; /* as a reader must see them */
        const char *subject;                  /* or NULL: as given */
} Sample;

#define BARE                                                                                       \
        .message_id = "0190f7a2-1c3d@chiso.example.vn", .date_ms = INT64_C(1725498000000),         \
        .to = "ubnd.cuongchinh@example.gov.vn"
#define BASE BARE, .language = "vi", .list_id = "chiso.example.vn"
#define FROM "Theo dõi chỉ số 766 <chiso@example.gov.vn>"

static const char *const refs[] = {"a@chiso.example.vn", "bad id@x", "b\r\nX-Evil: 1@x",
                                   "0190f7a2-0000@chiso.example.vn"};
static const char nul_data[] = "PK\003\004\0\377\376 binary\r\n.\r\n";
static const MailAttachment files[] = {
        {"Công bố tháng 8-2024 – phụ lục \"số liệu\" của các xã, phường, thị trấn toàn tỉnh Hưng "
         "Yên.docx",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", nul_data,
         sizeof nul_data},
        {"plain.csv", "text/csv\r\nX-Evil: 1", "a,b\n1,2\n", 8},
        {"", NULL, "", 0},
};

static char long_line[5000], subject_500[4096], long_ascii[600];

static void fill(void) {
        static const char *const words[] = {"xã", "Cương", "Chính", "tiến",
                                            "độ", "thấp",  "kỷ",    "luật"};
        for (size_t i = 0; i < 125; i++)
                strcat(strcat(subject_500, i > 0 ? " " : ""), words[i % ELEMENTSOF(words)]);
        memset(long_line, 'x', sizeof long_line - 1);
        for (size_t i = 0; i + 3 < sizeof long_line - 1;
             i += 97) /* no blank, some two-byte letters */
                memcpy(long_line + i, "\u0111", 2);
        memset(long_ascii, 'A', sizeof long_ascii - 1);
}

static const Sample samples[] = {
        {"plain",
         {BASE, .from = "chiso@example.gov.vn", .subject = "[766] plain", .text = "a\nb\n"},
         "",
         "chiso@example.gov.vn"},
        {"vietnamese",
         {BASE, .from = FROM, .reply_to = "Trung tâm PVHCC <pvhcc@example.gov.vn>",
          .subject = "[766] Xã Cương Chính: tiến độ 82,71 % (ngưỡng 95) - tháng 8/2024, tạm tính",
          .text = "Xã Cương Chính\n.bắt đầu bằng dấu chấm\n.\nFrom đây\nFrom here\ncuối dòng có "
                  "dấu cách   \n\ttab\t\n",
          .html = "<p>Xã Cương Chính = \u2212"
                  "2,60</p>\n",
          .references = (const char **) refs, .n_references = 4},
         "Theo dõi chỉ số 766",
         "chiso@example.gov.vn"},
        {"emoji",
         {BASE,
          .from = "\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8"
                  "\U0001F6A8\U0001F6A8 <chiso@example.gov.vn>",
          .subject = "\U0001F6A8\U0001F1FB\U0001F1F3 a\u0301\u0323 "
                     "\U0001F468\u200D\U0001F469\u200D\U0001F467\U0001F468\u200D\U0001F469\u200D"
                     "\U0001F467 end",
          .text = "\U0001F6A8\n", .html = "\U0001F6A8"},
         NULL,
         "chiso@example.gov.vn"},
        {"long-subject",
         {BASE, .from = FROM, .subject = subject_500, .text = "x"},
         "Theo dõi chỉ số 766",
         "chiso@example.gov.vn"},
        {"long-ascii",
         {BASE, .from = FROM, .subject = long_ascii, .text = "x"},
         NULL,
         "chiso@example.gov.vn"},
        {"ascii-folds",
         {BASE, .from = FROM,
          .subject = "one two three four five six seven eight nine ten eleven twelve thirteen "
                     "fourteen fifteen "
                     "sixteen seventeen",
          .text = "x"},
         NULL,
         "chiso@example.gov.vn"},
        {"looks-encoded",
         {BASE, .from = FROM, .subject = "=?UTF-8?B?ZXZpbA==?= as it is", .text = "x"},
         NULL,
         "chiso@example.gov.vn"},
        {"blanks",
         {BASE, .from = FROM, .subject = "two  blanks   three, dấu", .text = "x"},
         NULL,
         "chiso@example.gov.vn"},
        {"quotes",
         {BASE, .from = "\"Ban \\\"QL\\\", Khu kinh tế (Phú Quốc)\" <a.b+c@sub.example.vn>",
          .subject = "\"quoted\" <x@y> (c), a;b:c\\d", .text = "x"},
         "Ban \"QL\", Khu kinh tế (Phú Quốc)",
         "a.b+c@sub.example.vn"},
        {"ascii-quotes",
         {BASE, .from = "Doe, John \"JD\" <jd@example.vn>", .subject = "s", .text = "x"},
         "Doe, John \"JD\"",
         "jd@example.vn"},
        {"injection",
         {BARE, .from = "Xã\r\nBcc: evil@example.com <chiso@example.gov.vn>",
          .reply_to = "x\r\nBcc: evil@example.com",
          .subject = "Xã Thủ\r\nBcc: evil@example.com\r\n\r\nbody\u202Egnp.exe\x07\x7f",
          .text = "x", .list_id = "a>\r\nX-Evil: 1", .language = "vi\r\nX-Evil: 1"},
         NULL,
         "chiso@example.gov.vn",
         "Xã Thủ  Bcc: evil@example.com    body gnp.exe"},
        {"empty",
         {BASE, .from = FROM, .subject = "", .text = "", .html = ""},
         NULL,
         "chiso@example.gov.vn"},
        {"long-line",
         {BASE, .from = FROM, .subject = "s", .text = long_line, .html = long_line},
         NULL,
         "chiso@example.gov.vn"},
        {"boundary",
         {BASE, .from = FROM, .subject = "s", .text = "--=_0000000000000000-a\n--=_x--\n",
          .html = "--=_x--"},
         NULL,
         "chiso@example.gov.vn"},
        {"attachments",
         {BASE, .from = FROM, .subject = "Công bố tháng 8/2024", .text = "kèm theo\n",
          .html = "<p>kèm theo</p>\n", .attachments = files, .n_attachments = ELEMENTSOF(files)},
         NULL,
         "chiso@example.gov.vn"},
        {"attachment-no-html",
         {BASE, .from = FROM, .subject = "s", .text = "kèm theo\n", .attachments = files,
          .n_attachments = 2},
         NULL,
         "chiso@example.gov.vn"},
};

static int write_file(const char *folder, const char *name, const char *suffix, const char *data,
                      size_t n) {
        char path[4096];
        (void) snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
        FILE *f = fopen(path, "wb");
        if (!f)
                return -errno;
        size_t written = fwrite(data, 1, n, f);
        return fclose(f) == 0 && written == n ? 0 : -EIO;
}

static json_t *meaning(const Sample *s) {
        const Mail *m = &s->mail;
        json_t *attachments = json_array();
        for (size_t i = 0; i < m->n_attachments; i++) {
                char *hex = calloc(1, m->attachments[i].size * 2 + 1);
                for (size_t k = 0; hex && k < m->attachments[i].size; k++)
                        (void) snprintf(hex + 2 * k, 3, "%02x",
                                        (unsigned char) m->attachments[i].data[k]);
                const char *name = m->attachments[i].name;
                json_array_append_new(attachments,
                                      json_pack("{s:s,s:s}", "name", *name ? name : "attachment",
                                                "hex", str_or(hex, "")));
                free(hex);
        }
        return json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:s,s:s,s:o}", "subject",
                         str_or(s->subject, m->subject), "text", m->text, "html", m->html,
                         "from_name", s->from_name, "from", s->from_address, "to", m->to, "id",
                         m->message_id, "attachments", attachments);
}

int main(int argc, char **argv) {
        if (argc != 2)
                return 2;
        fill();
        for (size_t i = 0; i < ELEMENTSOF(samples); i++) {
                CLEANUP(buf_done) Buf mail = BUF_INIT(BUF_MAX_TEXT);
                int r = mail_build(&samples[i].mail, &mail);
                json_auto_t *means = meaning(&samples[i]);
                CLEANUP_FREE char *json = json_dumps(means, 0);
                if (r == 0 && !json)
                        r = -EINVAL;
                if (r == 0)
                        r = write_file(argv[1], samples[i].name, "eml", buf_text(&mail), mail.len);
                if (r == 0)
                        r = write_file(argv[1], samples[i].name, "json", json, strlen(json));
                if (r < 0) {
                        (void) fprintf(stderr, "%s: %s\n", samples[i].name, strerror(-r));
                        return 1;
                }
        }
        return 0;
}
