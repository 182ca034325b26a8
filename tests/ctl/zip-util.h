/* Archives for tests: parts as they are given, stored or deflated. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

typedef struct ZipPart {
        const char *name;
        const void *data;
        size_t n;
} ZipPart;

/* Returns the archive's size; `size` bytes at `out` must hold it. */
static inline size_t zip_make(const ZipPart *parts, size_t n_parts, char *out, size_t size,
                              const char *options) {
        struct archive *a = archive_write_new();
        size_t used = 0;

        if (!a || archive_write_set_format_zip(a) != ARCHIVE_OK ||
            archive_write_set_options(a, options) != ARCHIVE_OK ||
            archive_write_open_memory(a, out, size, &used) != ARCHIVE_OK)
                abort();
        for (size_t i = 0; i < n_parts; i++) {
                struct archive_entry *e = archive_entry_new();

                archive_entry_set_pathname(e, parts[i].name);
                archive_entry_set_size(e, (la_int64_t) parts[i].n);
                archive_entry_set_filetype(e, AE_IFREG);
                archive_entry_set_perm(e, 0644);
                if (archive_write_header(a, e) != ARCHIVE_OK ||
                    archive_write_data(a, parts[i].data, parts[i].n) != (la_ssize_t) parts[i].n)
                        abort();
                archive_entry_free(e);
        }
        if (archive_write_close(a) != ARCHIVE_OK)
                abort();
        (void) archive_write_free(a);
        return used;
}

#define ZIP_RELS                                                                                   \
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"   \
        "<Relationship Id=\"rId1\" Type=\"http://x/officeDocument\" "                              \
        "Target=\"xl/workbook.xml\"/></Relationships>"
#define ZIP_BOOK_RELS                                                                              \
        "<Relationships>"                                                                          \
        "<Relationship Id=\"rId1\" Type=\"http://x/worksheet\" Target=\"worksheets/sheet1.xml\"/>" \
        "<Relationship Id=\"rId2\" Type=\"http://x/sharedStrings\" Target=\"sharedStrings.xml\"/>" \
        "<Relationship Id=\"rId3\" Type=\"http://x/styles\" Target=\"/xl/styles.xml\"/>"           \
        "</Relationships>"
#define ZIP_BOOK                                                                                   \
        "<workbook xmlns:r=\"http://x/r\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"rId1\"/>" \
        "</sheets></workbook>"

/* A workbook of one sheet around its three parts. */
static inline size_t zip_workbook(const char *sheet, size_t n_sheet, const char *strings,
                                  size_t n_strings, const char *styles, size_t n_styles, char *out,
                                  size_t size) {
        const ZipPart parts[] = {
                {"_rels/.rels", ZIP_RELS, strlen(ZIP_RELS)},
                {"xl/workbook.xml", ZIP_BOOK, strlen(ZIP_BOOK)},
                {"xl/_rels/workbook.xml.rels", ZIP_BOOK_RELS, strlen(ZIP_BOOK_RELS)},
                {"xl/worksheets/sheet1.xml", sheet, n_sheet},
                {"xl/sharedStrings.xml", strings, n_strings},
                {"xl/styles.xml", styles, n_styles},
        };
        return zip_make(parts, sizeof parts / sizeof parts[0], out, size, "zip:compression=store");
}
