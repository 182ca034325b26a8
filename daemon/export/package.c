/* ZIP by libzip, into a Buf. Entries carry the first moment that the format knows, 1980-01-01, whatever
 * the time zone of the machine.
 *
 * libarchive was dropped here: it brings libxml2, ICU and the C++ library with it, 2 MB in every daemon
 * for a few files a month. libzip packs when the archive is closed, so that parts are kept until then. */
#include <errno.h>
#include <zip.h>

#include "base/timeutil.h"
#include "export/package.h"

#define PARTS_MAX (4 * PACKAGE_MAX) /* bytes before they are packed */
#define FIRST_TIME 0
#define FIRST_DATE 0x21u
#define REGULAR_FILE (0100644u << 16)

struct Package {
        zip_source_t *file; /* what is made, in memory */
        zip_t *zip;         /* NULL: closed */
        size_t n_bytes;
};

static int open_zip(Package *p) {
        p->file = zip_source_buffer_create(NULL, 0, 0, NULL);
        if (!p->file)
                return -ENOMEM;
        p->zip = zip_open_from_source(p->file, ZIP_CREATE | ZIP_TRUNCATE, NULL);
        if (!p->zip)
                return -ENOMEM;
        zip_source_keep(p->file); /* one reference is the archive's */
        return 0;
}

int package_new(Package **ret) {
        CLEANUP(package_freep) Package *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        int r = open_zip(p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

void package_free(Package *p) {
        if (p->zip)
                zip_discard(p->zip);
        if (p->file)
                zip_source_free(p->file);
        free(p);
}

/* The archive's own copy. */
static zip_source_t *source_of(Package *p, const char *data, size_t n) {
        char *copy = malloc(MAX(n, (size_t) 1));

        if (!copy)
                return NULL;
        memcpy(copy, data, n);
        zip_source_t *source = zip_source_buffer(p->zip, copy, n, /* freep= */ 1);
        if (!source)
                free(copy);
        return source;
}

int package_add(Package *p, const char *name, const char *data, size_t n) {
        if (n > PARTS_MAX - p->n_bytes)
                return -E2BIG;
        zip_source_t *source = source_of(p, data, n);
        if (!source)
                return -ENOMEM;
        zip_int64_t at = zip_file_add(p->zip, name, source, ZIP_FL_ENC_UTF_8);
        if (at < 0) {
                zip_source_free(source);
                return -ENOMEM;
        }
        p->n_bytes += n;
        zip_uint64_t i = (zip_uint64_t) at;
        bool is_set =
                zip_set_file_compression(p->zip, i, ZIP_CM_DEFLATE, 0) == 0 &&
                zip_file_set_dostime(p->zip, i, FIRST_TIME, FIRST_DATE, 0) == 0 &&
                zip_file_set_external_attributes(p->zip, i, 0, ZIP_OPSYS_UNIX, REGULAR_FILE) == 0;
        return is_set ? 0 : -ENOMEM;
}

static int read_all(zip_source_t *file, Buf *out) {
        zip_int64_t n;
        char bytes[4096];
        int r = 0;

        if (zip_source_open(file) < 0)
                return -ENOMEM;
        while (r == 0 && (n = zip_source_read(file, bytes, sizeof(bytes))) != 0)
                r = n < 0 ? -ENOMEM : buf_append(out, bytes, (size_t) n);
        (void) zip_source_close(file);
        return r;
}

int package_finish(Package *p, Buf *out) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(PACKAGE_MAX);

        if (zip_close(p->zip) < 0)
                return -ENOMEM;
        p->zip = NULL;
        int r = read_all(p->file, &bytes);
        return r == 0 ? buf_append(out, buf_text(&bytes), bytes.len) : r;
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
