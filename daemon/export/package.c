/* ZIP (APPNOTE 6.3.9) with zlib, into a Buf. It has what a package needs: whole parts, deflated, with UTF-8
 * names and sizes below 4 GiB. Entries carry no time but the first that the format knows, 1980-01-01.
 *
 * libarchive was dropped: it brings libxml2, ICU and the C++ library with it, 2 MB in every daemon for a few
 * files a month. zlib is there already, libcurl needs it. */
#include <errno.h>
#include <zlib.h>

#include "base/timeutil.h"
#include "export/package.h"

#define NEEDS_VERSION 20u       /* 2.0: deflate */
#define MADE_BY (3u << 8 | 20u) /* Unix, for the mode below */
#define FLAG_UTF8 0x800u        /* the name is UTF-8 */
#define METHOD_DEFLATE 8u
#define FIRST_DAY 0x21u /* 1980-01-01 */
#define REGULAR_FILE (0100644u << 16)

struct Package {
        Buf bytes;     /* parts, each behind its header */
        Buf directory; /* comes after them */
        size_t n;
};

int package_new(Package **ret) {
        Package *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        p->bytes = p->directory = BUF_INIT(PACKAGE_MAX);
        *ret = p;
        return 0;
}

void package_free(Package *p) {
        buf_done(&p->bytes);
        buf_done(&p->directory);
        free(p);
}

typedef struct Field {
        unsigned size; /* bytes, 2 or 4 */
        size_t value;
} Field;

static int put(Buf *out, const Field *fields, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n; i++)
                for (unsigned b = 0; r == 0 && b < fields[i].size; b++)
                        r = buf_char(out, (char) (fields[i].value >> 8 * b & 0xff));
        return r;
}

/* What a part's own header and its entry of the directory have in common. */
static int put_common(Buf *out, const char *name, size_t crc, size_t packed, size_t n) {
        const Field fields[] = {{2, NEEDS_VERSION}, {2, FLAG_UTF8}, {2, METHOD_DEFLATE}, {2, 0},
                                {2, FIRST_DAY},     {4, crc},       {4, packed},         {4, n},
                                {2, strlen(name)},  {2, 0}};

        return put(out, fields, ELEMENTSOF(fields));
}

static int put_entry(Package *p, const char *name, size_t at, size_t crc, size_t packed, size_t n) {
        const Field begin[] = {{4, 0x02014b50}, {2, MADE_BY}};
        const Field end[] = {{2, 0}, {2, 0}, {2, 0}, {4, REGULAR_FILE}, {4, at}};

        int r = put(&p->directory, begin, ELEMENTSOF(begin));
        if (r == 0)
                r = put_common(&p->directory, name, crc, packed, n);
        if (r == 0)
                r = put(&p->directory, end, ELEMENTSOF(end));
        return r == 0 ? buf_str(&p->directory, name) : r;
}

/* The whole part at once. */
static int deflate_part(const char *data, size_t n, Bytef **ret, size_t *ret_n) {
        z_stream z = {.next_in = (z_const Bytef *) data, .avail_in = (uInt) n};

        if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL - 1,
                         Z_DEFAULT_STRATEGY) != Z_OK)
                return -ENOMEM;
        uLong room = deflateBound(&z, (uLong) n);
        Bytef *packed = malloc(room);
        z.next_out = packed;
        z.avail_out = (uInt) room;
        bool is_done = packed && deflate(&z, Z_FINISH) == Z_STREAM_END;
        *ret_n = z.total_out;
        (void) deflateEnd(&z);
        if (!is_done) {
                free(packed);
                return -ENOMEM;
        }
        *ret = packed;
        return 0;
}

int package_add(Package *p, const char *name, const char *data, size_t n) {
        const Field begin[] = {{4, 0x04034b50}};
        Bytef CLEANUP_FREE *packed = NULL;
        size_t at = p->bytes.len, n_packed = 0;

        if (n > UINT32_MAX / 2 || p->n == UINT16_MAX)
                return -E2BIG;
        int r = deflate_part(data, n, &packed, &n_packed);
        if (r < 0)
                return r;
        size_t crc = crc32_z(0, (const Bytef *) data, n);
        r = put(&p->bytes, begin, ELEMENTSOF(begin));
        if (r == 0)
                r = put_common(&p->bytes, name, crc, n_packed, n);
        if (r == 0)
                r = buf_str(&p->bytes, name);
        if (r == 0)
                r = buf_append(&p->bytes, packed, n_packed);
        if (r == 0)
                r = put_entry(p, name, at, crc, n_packed, n);
        p->n += r == 0;
        return r;
}

int package_finish(Package *p, Buf *out) {
        const Field end[] = {{4, 0x06054b50},   {2, 0},    {2, 0},
                             {2, p->n},         {2, p->n}, {4, p->directory.len},
                             {4, p->bytes.len}, {2, 0}};

        int r = put(&p->directory, end, ELEMENTSOF(end));
        if (r == 0)
                r = buf_append(&p->bytes, buf_text(&p->directory), p->directory.len);
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
