#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/mail-encode.h"
#include "core/mail.h"

static Mail small_mail(void) {
        return (Mail){.from = "Theo dõi <chiso@example.vn>",
                      .to = "x@example.vn",
                      .subject = "[766] Xã A",
                      .message_id = "1@chiso.vn",
                      .date_ms = INT64_C(1725498000000),
                      .text = "Xã A\n"};
}

static void addresses(void **state UNUSED) {
        static const struct {
                const char *text, *address; /* NULL: refused */
        } cases[] = {
                {"a@b", "a@b"},
                {"Name <a@b.vn>", "a@b.vn"},
                {"  Theo dõi, 766 \t<a.b+c@x-y.vn> ", "a.b+c@x-y.vn"},
                {"\"<x@y>\" <a@b>", "a@b"},
                {"<a@b>", "a@b"},
                {"", NULL},
                {"a", NULL},
                {"@", NULL},
                {"a@", NULL},
                {"@b", NULL},
                {"a@b@c", NULL},
                {"a b@c", NULL},
                {"a@b c", NULL},
                {"a@b\r\nRCPT TO:<x@y>", NULL},
                {"a\n@b", NULL},
                {"a@b>", NULL},
                {"x <a@b", NULL},
                {"<a@b> x", NULL},
                {"a@b, c@d", NULL},
                {"xã@b.vn", NULL},
                {"a@xã.vn", NULL},
                {".a@b", NULL},
                {"a.@b", NULL},
                {"a..b@c", NULL},
                {"a@.b", NULL},
                {"a@b.", NULL},
                {"a@-b", NULL},
                {"a@b-", NULL},
                {"\"a\"@b", NULL},
                {"a@[1.2.3.4]", NULL},
                {"a\x7f@b", NULL},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP_FREE char *address = NULL;
                int r = mail_address(cases[i].text, &address);
                assert_int_equal(r, cases[i].address ? 0 : -EINVAL);
                if (cases[i].address)
                        assert_string_equal(address, cases[i].address);
        }
}

static void address_lengths(void **state UNUSED) {
        char text[400];
        CLEANUP_FREE char *address = NULL;

        memset(text, 'a', sizeof text);
        text[64] = '@';
        text[254] = '\0';
        assert_int_equal(mail_address(text, &address), 0);
        assert_string_equal(address, text);
        text[254] = 'a';
        text[255] = '\0';
        assert_int_equal(mail_address(text, &address), -EINVAL);
        text[64] = 'a';
        text[65] = '@';
        text[100] = '\0';
        assert_int_equal(mail_address(text, &address), -EINVAL);
}

static void plain_mail(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        Mail m = small_mail();

        assert_int_equal(mail_build(&m, &b), 0);
        assert_string_equal(buf_text(&b),
                            "Date: Thu, 05 Sep 2024 08:00:00 +0700\r\n"
                            "From: =?UTF-8?B?VGhlbyBkw7Vp?= <chiso@example.vn>\r\n"
                            "To: x@example.vn\r\n"
                            "Subject: =?UTF-8?B?Wzc2Nl0gWMOjIEE=?=\r\n"
                            "Message-ID: <1@chiso.vn>\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Auto-Submitted: auto-generated\r\n"
                            "X-Auto-Response-Suppress: All\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n"
                            "\r\n"
                            "X=C3=A3 A\r\n");
}

static void alternative_mail(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT), again = BUF_INIT(BUF_MAX_TEXT);
        const char *references[] = {"0@chiso.vn", "no id", NULL, "2@chiso.vn"};
        Mail m = small_mail();
        m.html = "<p>=</p>\n";
        m.reply_to = "pvhcc@example.vn";
        m.list_id = "chiso.vn";
        m.language = "vi";
        m.references = references;
        m.n_references = ELEMENTSOF(references);

        assert_int_equal(buf_str(&b, "before"), 0);
        assert_int_equal(mail_build(&m, &b), 0);
        const char *head = strstr(buf_text(&b), "Reply-To");
        assert_non_null(head);
        assert_string_equal(head,
                            "Reply-To: pvhcc@example.vn\r\n"
                            "Subject: =?UTF-8?B?Wzc2Nl0gWMOjIEE=?=\r\n"
                            "Message-ID: <1@chiso.vn>\r\n"
                            "References: <0@chiso.vn>\r\n"
                            " <2@chiso.vn>\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Auto-Submitted: auto-generated\r\n"
                            "X-Auto-Response-Suppress: All\r\n"
                            "List-Id: <chiso.vn>\r\n"
                            "Content-Language: vi\r\n"
                            "Content-Type: multipart/alternative;\r\n"
                            " boundary=\"=_ac4abc47c58fce2a-a\"\r\n"
                            "\r\n"
                            "--=_ac4abc47c58fce2a-a\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n"
                            "\r\n"
                            "X=C3=A3 A\r\n"
                            "\r\n--=_ac4abc47c58fce2a-a\r\n"
                            "Content-Type: text/html; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n"
                            "\r\n"
                            "<p>=3D</p>\r\n"
                            "\r\n--=_ac4abc47c58fce2a-a--\r\n");
        /* a retry sends the same bytes */
        assert_int_equal(mail_build(&m, &again), 0);
        assert_string_equal(buf_text(&b) + strlen("before"), buf_text(&again));
}

static void nothing_begins_a_header(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        Mail m = small_mail();
        m.from = "A\r\nX-Evil: 1 <chiso@example.vn>";
        m.subject = "s\r\nX-Evil: 2\n\nbody";
        m.reply_to = "a@b\r\nX-Evil: 3";
        m.list_id = "a\r\nX-Evil: 4";
        m.language = "vi\r\nX-Evil: 5";

        assert_int_equal(mail_build(&m, &b), 0);
        assert_null(strstr(buf_text(&b), "\nX-Evil"));
        assert_null(strstr(buf_text(&b), "\nbody"));
        assert_non_null(
                strstr(buf_text(&b), "From: =?UTF-8?Q?A__X-Evil=3A_1?= <chiso@example.vn>\r\n"));
        assert_null(strstr(buf_text(&b), "Reply-To"));
        assert_null(strstr(buf_text(&b), "List-Id"));
        assert_null(strstr(buf_text(&b), "Content-Language"));
}

static void refuses(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(600);
        Mail m = small_mail();
        assert_int_equal(buf_str(&b, "kept"), 0);

        m.from = "nobody";
        assert_int_equal(mail_build(&m, &b), -EINVAL);
        m = small_mail();
        m.to = NULL;
        assert_int_equal(mail_build(&m, &b), -EINVAL);
        m = small_mail();
        m.to = "a@b\r\nBcc: x@y";
        assert_int_equal(mail_build(&m, &b), -EINVAL);
        static const char *const ids[] = {"",      "1",           "1@",       "<1@a>",
                                          "1 2@a", "1@a\r\nX: 1", "x\u00e3@a"};
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                m = small_mail();
                m.message_id = ids[i];
                assert_int_equal(mail_build(&m, &b), -EINVAL);
        }
        m = small_mail();
        m.html = "does not fit into what is left of the six hundred";
        assert_int_equal(mail_build(&m, &b), -E2BIG);
        assert_string_equal(buf_text(&b), "kept");
}

static void words(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t column;
                bool is_phrase;
                const char *encoded;
        } cases[] = {
                {"plain", 9, false, "plain"},
                {"", 9, false, ""},
                {"a, b", 6, true, "\"a, b\""},
                {"a \"b\" \\", 6, true, "\"a \\\"b\\\" \\\\\""},
                {"a, b", 6, false, "a, b"},
                {"a  b", 6, false, "=?UTF-8?Q?a__b?="},
                {"=?x", 6, false, "=?UTF-8?B?PT94?="},
                {"đ", 6, false, "=?UTF-8?B?xJE=?="},
                {"ab đ_", 6, false, "=?UTF-8?B?YWIgxJFf?="},
                {"abcdefghijkl đ", 6, false, "=?UTF-8?Q?abcdefghijkl_=C4=91?="},
                /* 15 characters of four bytes would pass 75: 11 fit (60 columns of base64), the
                   rest follow */
                {"\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8"
                 "\U0001F6A8\U0001F6A8\U0001F6A8\U0001F6A8",
                 1, false,
                 "=?UTF-8?B?8J+aqPCfmqjwn5qo8J+aqPCfmqjwn5qo8J+aqPCfmqjwn5qo8J+aqPCfmqg=?=\r\n "
                 "=?UTF-8?B?8J+aqA==?="},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(4096);
                assert_int_equal(
                        mail_encode_words(&b, cases[i].text, cases[i].column, cases[i].is_phrase),
                        0);
                assert_string_equal(buf_text(&b), cases[i].encoded);
        }
}

static void quoted(void **state UNUSED) {
        static const struct {
                const char *text, *encoded;
        } cases[] = {
                {"", ""},
                {"a", "a\r\n"},
                {"a\n\nb\n", "a\r\n\r\nb\r\n"},
                {"a\r\nb\r\n", "a\r\nb\r\n"},
                {"a\rb", "a=0Db\r\n"},
                {".\n..\n", "=2E\r\n=2E.\r\n"},
                {"From me\nFrom\n", "=46rom me\r\nFrom\r\n"},
                {"a \n\t\n", "a=20\r\n=09\r\n"},
                {"a=b", "a=3Db\r\n"},
                {"đ", "=C4=91\r\n"},
                /* exactly 76 stays whole, the 77th is continued after a soft line end at 76 */
                {"1234567890123456789012345678901234567890123456789012345678901234567890123456",
                 "1234567890123456789012345678901234567890123456789012345678901234567890123456\r"
                 "\n"},
                {"12345678901234567890123456789012345678901234567890123456789012345678901234567",
                 "123456789012345678901234567890123456789012345678901234567890123456789012345="
                 "\r\n67\r\n"},
                {"123456789012345678901234567890123456789012345678901234567890123456789012345.x",
                 "123456789012345678901234567890123456789012345678901234567890123456789012345=\r\n"
                 "=2Ex\r\n"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(4096);
                assert_int_equal(mail_encode_quoted(&b, cases[i].text, strlen(cases[i].text)), 0);
                assert_string_equal(buf_text(&b), cases[i].encoded);
        }
}

static void base64(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);
        char data[58];
        memset(data, 0xff, sizeof data);
        assert_int_equal(mail_encode_base64(&b, data, sizeof data), 0);
        assert_string_equal(buf_text(&b),
                            "//////////////////////////////////////////////////////////////////////"
                            "//////\r\n/w==\r\n");
}

static void parameters(void **state UNUSED) {
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);
        assert_int_equal(mail_encode_parameter(&b, "filename", "a b.csv"), 0);
        assert_string_equal(buf_text(&b), ";\r\n filename=\"a b.csv\"");
        buf_clear(&b);
        assert_int_equal(mail_encode_parameter(&b, "filename", "xã \"A\" phường thị trấn.docx"), 0);
        assert_string_equal(buf_text(&b),
                            ";\r\n filename*0*=UTF-8''x%C3%A3%20%22A%22%20ph%C6%B0%E1%BB%9Dng%20th"
                            ";\r\n filename*1*=%E1%BB%8B%20tr%E1%BA%A5n.docx");
}

/* The same as if it had been built for that address; a To: in the text is text. */
static void readdressed(void **state UNUSED) {
        static const char folded[] =
                "Phòng Văn hóa - Xã hội và Kiểm soát thủ tục hành chính của "
                "Ủy ban nhân dân <y@example.vn>";
        const char *const to[] = {"x@example.vn", "y@example.vn", "Phòng <y@example.vn>", folded};
        for (size_t i = 0; i < ELEMENTSOF(to); i++) {
                for (size_t k = 0; k < ELEMENTSOF(to); k++) {
                        CLEANUP(buf_done) Buf from = BUF_INIT(65536), want = BUF_INIT(65536);
                        CLEANUP(buf_done) Buf got = BUF_INIT(65536);
                        Mail m = small_mail();
                        m.text = "To: nobody@example.vn\n\nTo: nobody@example.vn\n";
                        m.to = to[i];
                        assert_int_equal(mail_build(&m, &from), 0);
                        m.to = to[k];
                        assert_int_equal(mail_build(&m, &want), 0);
                        int r = mail_readdress(buf_text(&from), from.len, to[k], &got);
                        assert_int_equal(r, i == k ? MAIL_E_SAME : 0);
                        if (i != k)
                                assert_string_equal(buf_text(&got), buf_text(&want));
                }
        }
        CLEANUP(buf_done) Buf out = BUF_INIT(65536);
        static const char *const none[] = {"Subject: x\r\n\r\nTo: a@b\r\n", "{}", ""};
        for (size_t i = 0; i < ELEMENTSOF(none); i++)
                assert_int_equal(mail_readdress(none[i], strlen(none[i]), "a@b", &out), -EINVAL);
        static const char some[] = "A: b\r\nTo: a@b\r\n\r\n";
        assert_int_equal(mail_readdress(some, strlen(some), "a b", &out), -EINVAL);
        assert_int_equal(out.len, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(addresses),   cmocka_unit_test(address_lengths),
                cmocka_unit_test(plain_mail),  cmocka_unit_test(alternative_mail),
                cmocka_unit_test(refuses),     cmocka_unit_test(nothing_begins_a_header),
                cmocka_unit_test(words),       cmocka_unit_test(quoted),
                cmocka_unit_test(base64),      cmocka_unit_test(parameters),
                cmocka_unit_test(readdressed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
