/* ZIP by libarchive, into a Buf. Entries carry no time: libarchive then writes the first moment that
 * the format knows (1980-01-01), whatever the time zone of the machine. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/timeutil.h"
#include "export/package.h"

struct Package {
        struct archive *zip;
        Buf bytes;
        int error; /* of the last write that libarchive asked for */
};

static la_ssize_t write_bytes(UNUSED struct archive *zip, void *userdata, const void *data,
                              size_t n) {
        Package *p = userdata;

        p->error = buf_append(&p->bytes, data, n);
        return p->error < 0 ? -1 : (la_ssize_t) n;
}

/* libarchive knows only that a write failed; we know why. */
static int check(const Package *p, int result) {
        if (result >= ARCHIVE_WARN)
                return 0;
        return p->error < 0 ? p->error : -ENOMEM;
}

static int open_zip(Package *p) {
        p->zip = archive_write_new();
        if (!p->zip)
                return -ENOMEM;
        int r = check(p, archive_write_set_format_zip(p->zip));
        if (r == 0)
                r = check(p, archive_write_zip_set_compression_deflate(p->zip));
        if (r == 0)
                r = check(p, archive_write_set_bytes_in_last_block(p->zip, 1));
        return r == 0 ? check(p, archive_write_open2(p->zip, p, NULL, write_bytes, NULL, NULL)) : r;
}

int package_new(Package **ret) {
        CLEANUP(package_freep) Package *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        p->bytes = BUF_INIT(PACKAGE_MAX);
        int r = open_zip(p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

void package_free(Package *p) {
        (void) archive_write_free(p->zip);
        buf_done(&p->bytes);
        free(p);
}

int package_add(Package *p, const char *name, const char *data, size_t n) {
        struct archive_entry *entry = archive_entry_new();

        if (!entry)
                return -ENOMEM;
        archive_entry_set_pathname(entry, name);
        archive_entry_set_size(entry, (la_int64_t) n);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        int r = check(p, archive_write_header(p->zip, entry));
        archive_entry_free(entry);
        if (r == 0 && n > 0)
                r = archive_write_data(p->zip, data, n) == (la_ssize_t) n ? 0 : check(p, -30);
        return r == 0 ? check(p, archive_write_finish_entry(p->zip)) : r;
}

int package_finish(Package *p, Buf *out) {
        int r = check(p, archive_write_close(p->zip));

        return r == 0 ? buf_append(out, buf_text(&p->bytes), p->bytes.len) : r;
}

/* ---- XML ------------------------------------------------------------------------------------- */

static bool is_xml(const unsigned char *at, size_t left) {
        if (*at < 0x20)
                return *at == '\t' || *at == '\n' || *at == '\r';
        /* U+FFFE and U+FFFF */
        return left < 3 || at[0] != 0xEF || at[1] != 0xBF || at[2] < 0xBE;
}

static const char *escape(char c) {
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        default:
                return NULL;
        }
}

int package_text(Buf *out, const char *text, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                const char *entity = escape(text[i]);

                if (entity)
                        r = buf_str(out, entity);
                else if (is_xml((const unsigned char *) text + i, n - i))
                        r = buf_char(out, text[i]);
                else if (text[i] == '\xEF')
                        i += 2;
        }
        return r;
}

/* ---- properties ------------------------------------------------------------------------------ */

static int add_property(Buf *out, const char *tag, const char *text) {
        if (!text || !*text)
                return 0;
        int r = buf_printf(out, "<%s>", tag);
        if (r == 0)
                r = package_text(out, text, strlen(text));
        return r == 0 ? buf_printf(out, "</%s>", tag) : r;
}

static int append_core(Buf *out, const PackageInfo *info) {
        Day day = day_of_instant(info->created_ms - LOCAL_OFFSET_MS); /* UTC */
        long long second = (info->created_ms - (int64_t) day * MS_PER_DAY) / MS_PER_SECOND;
        char date[16];

        int r = buf_str(out,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                        "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/"
                        "2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/"
                        "1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" xmlns:xsi=\"http://"
                        "www.w3.org/2001/XMLSchema-instance\">");
        if (r == 0)
                r = add_property(out, "dc:title", info->title);
        if (r == 0)
                r = add_property(out, "dc:subject", info->subject);
        if (r == 0)
                r = add_property(out, "dc:creator", info->author);
        for (size_t i = 0; r == 0 && i < 2; i++)
                r = buf_printf(out,
                               "<dcterms:%s xsi:type=\"dcterms:W3CDTF\">%sT%02lld:%02lld:%02lldZ"
                               "</dcterms:%s>",
                               i ? "modified" : "created", day_format(date, day), second / 3600,
                               second / 60 % 60, second % 60, i ? "modified" : "created");
        return r == 0 ? buf_str(out, "</cp:coreProperties>") : r;
}

int package_add_info(Package *p, const PackageInfo *info) {
        static const char app[] =
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/"
                "extended-properties\"><Application>chisod</Application></Properties>";
        CLEANUP(buf_done) Buf core = BUF_INIT(1 << 16);

        int r = append_core(&core, info);
        if (r == 0)
                r = package_add(p, "docProps/core.xml", buf_text(&core), core.len);
        return r == 0 ? package_add(p, "docProps/app.xml", app, sizeof(app) - 1) : r;
}
