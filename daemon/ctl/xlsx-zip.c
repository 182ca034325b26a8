/* Parts of the archive, each looked for anew: the central directory makes that cheap, and nothing
 * is inflated but what is read. Bytes are counted while they come: sizes in headers are claims. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <strings.h>

#include "ctl/xlsx-private.h"

static void archive_done(struct archive **a) {
        if (*a)
                (void) archive_read_free(*a);
}

static int refuse_archive(const Workbook *wb, struct archive *a) {
        const char *text = archive_error_string(a);
        if (archive_errno(a) == ENOMEM)
                return -ENOMEM;
        return XLSX_REFUSE(wb, 0, "tệp xlsx hỏng: %s", "the workbook is damaged: %s",
                           str_or(text, "?"));
}

static int open_archive(const Workbook *wb, struct archive *a) {
        if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK)
                return -ENOMEM;
        return archive_read_open_memory(a, wb->data, wb->n) == ARCHIVE_OK ? 0
                                                                          : refuse_archive(wb, a);
}

static int inflate_entry(Workbook *wb, struct archive *a, const char *name, Buf *ret) {
        char chunk[16384];
        ssize_t n;

        while ((n = archive_read_data(a, chunk, sizeof chunk)) > 0) {
                wb->inflated += (size_t) n;
                int r = wb->inflated > XLSX_INFLATED_MAX ? -E2BIG
                                                         : buf_append(ret, chunk, (size_t) n);
                if (r == -E2BIG)
                        return XLSX_REFUSE(wb, 0, "tệp xlsx giải nén quá lớn (%s), không đọc",
                                           "the workbook inflates to too much (%s), not read",
                                           name);
                if (r < 0)
                        return r;
        }
        return n < 0 ? refuse_archive(wb, a) : 0;
}

static int find_entry(Workbook *wb, struct archive *a, const char *name, Buf *ret) {
        struct archive_entry *entry;
        unsigned n = 0;
        int rc;

        while ((rc = archive_read_next_header(a, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
                const char *path = archive_entry_pathname(entry);

                if (++n > XLSX_ENTRIES_MAX)
                        return XLSX_REFUSE(wb, 0, "tệp xlsx có quá nhiều phần (hơn %u)",
                                           "the workbook has too many parts (more than %u)",
                                           XLSX_ENTRIES_MAX);
                if (!path || strcasecmp(path, name) != 0)
                        continue;
                if (archive_entry_is_encrypted(entry))
                        return XLSX_REFUSE(wb, 0, "tệp xlsx có mật khẩu",
                                           "the workbook has a password");
                return inflate_entry(wb, a, name, ret);
        }
        return rc == ARCHIVE_EOF ? XLSX_E_NONE : refuse_archive(wb, a);
}

int xlsx_part(Workbook *wb, const char *name, Buf *ret) {
        struct archive CLEANUP(archive_done) *a = archive_read_new();

        if (!a)
                return -ENOMEM;
        int r = open_archive(wb, a);
        return r < 0 || r > 0 ? r : find_entry(wb, a, name, ret);
}
