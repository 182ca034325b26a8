/* Bytes as text. Every form that is made is valid UTF-8 and safe in its place; cleaning twice
 * changes nothing. */
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void) 0 : abort())

static void check_clean(const char *text, size_t n) {
        CLEANUP_FREE char *once = NULL, *twice = NULL, *folded = NULL;

        if (text_clean(text, n, &once) < 0)
                return;
        CHECK(text_is_utf8(text, n) && text_is_utf8(once, strlen(once)));
        if (strlen(once) <= 4096) {
                CHECK(text_clean(once, strlen(once), &twice) == 0);
                CHECK(streq(once, twice));
        }
        CHECK(text_fold(once, &folded) == 0);
        CHECK(text_is_utf8(folded, strlen(folded)));

        for (size_t columns = 0; columns < 12; columns++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
                CHECK(text_pad(&b, once, columns, columns % 2) == 0);
                CHECK(text_width(b.data) == columns);
        }
}

static void check_form(int (*append)(Buf *, const char *, size_t), const char *forbidden,
                       const char *text, size_t n) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT), small = BUF_INIT(7);

        if (append(&b, text, n) == 0) {
                CHECK(text_is_utf8(b.data, b.len));
                CHECK(b.data[strcspn(b.data, forbidden)] == '\0');
        }
        if (append(&small, text, n) < 0)
                CHECK(small.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *) data;

        if (size > 1 << 16)
                return 0;
        check_clean(text, size);
        check_form(text_append_printable, "\r\n\t\033\177", text, size);
        check_form(text_append_json, "\r\n\t\033\177", text, size);
        check_form(text_append_html, "<>\"'\033\177", text, size);
        check_form(text_append_url, " \r\n\"'<>&=?#/+\\\177", text, size);
        return 0;
}
