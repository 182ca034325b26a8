/* Any bytes are a workbook's table or are refused; what comes of a table is what the daemon reads.
 *
 * Behind checksums a fuzzer finds little, so bytes that are no archive are taken as the parts of
 * one: sheet, texts and styles, with a NUL between them. */
#include <jansson.h>
#include <stdlib.h>

#include "../ctl/zip-util.h"
#include "base/text.h"
#include "core/sheet.h"
#include "ctl/xlsx.h"

#define OUT_MAX ((size_t) 64 << 20)
#define ARCHIVE_ROOM 8192u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const XlsxSheet *s, const char *data, size_t n) {
        CLEANUP(buf_done) Buf json = BUF_INIT(OUT_MAX);
        CLEANUP(buf_done) Buf csv = BUF_INIT(OUT_MAX);
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(sheet_done) Sheet read = {0};

        if (xlsx_json(s, "fuzz.xlsx", data, n, &json) < 0)
                abort();
        json_t *root = json_loadb(buf_text(&json), json.len, JSON_REJECT_DUPLICATES, NULL);
        if (!root || json_array_size(json_object_get(root, "rows")) != s->n_rows - 1)
                abort();
        json_decref(root);
        int r = xlsx_csv(s, /* is_vi= */ false, &diag, &csv);
        if (r < 0)
                abort();
        if (r > 0 || sheet_read(buf_text(&csv), csv.len, &diag, &read) != 0)
                return;
        for (size_t i = 1; i < read.n_rows; i++) {
                size_t k = 1;
                while (k < s->n_rows && s->lines[k] != read.lines[i])
                        k++;
                if (k == s->n_rows)
                        abort();
        }
}

static void run(const char *data, size_t n) {
        CLEANUP(xlsx_sheet_done) XlsxSheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        int r = xlsx_read(data, n, NULL, /* is_vi= */ true, &diag, &s);
        if (r < 0 || (r > 0 && diag.n_errors == 0))
                abort();
        if (r == 0)
                check_table(&s, data, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *part[3] = {(const char *) data, "", ""};
        size_t n[3] = {size, 0, 0};

        if (xlsx_is(part[0], size)) {
                run(part[0], size);
                return 0;
        }
        for (size_t i = 0; i < 2; i++) {
                const char *nul = memchr(part[i], 0, n[i]);
                if (!nul)
                        break;
                part[i + 1] = nul + 1;
                n[i + 1] = n[i] - (size_t) (nul - part[i]) - 1;
                n[i] = (size_t) (nul - part[i]);
        }
        char *out = malloc(size + ARCHIVE_ROOM);
        if (!out)
                abort();
        run(out,
            zip_workbook(part[0], n[0], part[1], n[1], part[2], n[2], out, size + ARCHIVE_ROOM));
        free(out);
        return 0;
}
