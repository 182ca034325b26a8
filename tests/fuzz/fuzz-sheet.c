/* Any bytes are a table or are refused; every cell of a table is clean UTF-8. */
#include <stdlib.h>

#include "base/text.h"
#include "core/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(sheet_done) Sheet s = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        if (sheet_read((const char *) data, size, &diag, &s) != 0)
                return 0;
        for (size_t i = 0; i < s.n_rows; i++)
                for (size_t c = 0; c < s.n_columns; c++) {
                        const char *text = sheet_cell(&s, i, c);

                        if (!text_is_utf8(text, strlen(text)))
                                abort();
                        (void) sheet_role(text);
                }
        return 0;
}
