/* expat, bounded: depth, characters gathered, and no DOCTYPE, so that no entity is ever declared.
 * A handler that fails stops the parser; its result is the walk's. */
#include <errno.h>

#include "base/text.h"
#include "ctl/xlsx-private.h"

static const char *local_name(const char *name) {
        const char *colon = strrchr(name, ':');
        return colon ? colon + 1 : name;
}

const char *xlsx_attribute(const char **attributes, const char *name) {
        for (size_t i = 0; attributes[i]; i += 2)
                if (streq(local_name(attributes[i]), name))
                        return attributes[i + 1];
        return NULL;
}

bool xlsx_flag(const char **attributes, const char *name) {
        const char *value = xlsx_attribute(attributes, name);
        return value && (streq(value, "1") || streq(value, "true"));
}

static void stop(XlsxXml *x, int r) {
        if (x->result == 0)
                x->result = r;
        (void) XML_StopParser(x->parser, XML_FALSE);
}

static void on_start(void *userdata, const char *name, const char **attributes) {
        XlsxXml *x = userdata;
        if (x->result != 0)
                return;
        int r = ++x->depth > XLSX_DEPTH_MAX ? XLSX_REFUSE(x->wb, 0, "%s: lồng quá sâu",
                                                          "%s: nested too deeply", x->part)
                                            : x->on_begin(x, local_name(name), attributes);
        if (r != 0)
                stop(x, r);
}

static void on_stop(void *userdata, const char *name) {
        XlsxXml *x = userdata;
        if (x->result != 0)
                return;
        x->depth--;
        int r = x->on_end ? x->on_end(x, local_name(name)) : 0;
        if (r != 0)
                stop(x, r);
}

static void on_text(void *userdata, const char *text, int n) {
        XlsxXml *x = userdata;
        if (x->result != 0 || !x->is_taking)
                return;
        int r = buf_append(&x->text, text, (size_t) n);
        if (r == -E2BIG)
                r = XLSX_REFUSE(x->wb, (unsigned) XML_GetCurrentLineNumber(x->parser),
                                "%s: một ô dài hơn %u byte", "%s: a cell of more than %u bytes",
                                x->part, XLSX_CELL_MAX);
        if (r != 0)
                stop(x, r);
}

static void on_doctype(void *userdata, const char *name, const char *system, const char *public,
                       int has_internal) {
        XlsxXml *x = userdata;
        (void) name;
        (void) system;
        (void) public;
        (void) has_internal;
        stop(x,
             XLSX_REFUSE(x->wb, 0, "%s: có DOCTYPE, không chương trình bảng tính nào ghi như vậy",
                         "%s: it has a DOCTYPE, which no spreadsheet program writes", x->part));
}

int xlsx_xml(XlsxXml *x, const Buf *bytes) {
        x->text = BUF_INIT(XLSX_CELL_MAX);
        x->parser = XML_ParserCreate(NULL);
        if (!x->parser)
                return -ENOMEM;
        XML_SetUserData(x->parser, x);
        XML_SetElementHandler(x->parser, on_start, on_stop);
        XML_SetCharacterDataHandler(x->parser, on_text);
        XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
        enum XML_Status status =
                XML_Parse(x->parser, buf_text(bytes), (int) bytes->len, /* isFinal= */ 1);
        enum XML_Error error = XML_GetErrorCode(x->parser);
        unsigned line = (unsigned) XML_GetCurrentLineNumber(x->parser);
        XML_ParserFree(x->parser);
        buf_done(&x->text);
        if (x->result != 0 || status == XML_STATUS_OK)
                return x->result;
        if (error == XML_ERROR_NO_MEMORY)
                return -ENOMEM;
        return XLSX_REFUSE(x->wb, 0, "tệp xlsx hỏng: %s dòng %u: %s",
                           "the workbook is damaged: %s line %u: %s", x->part, line,
                           XML_ErrorString(error));
}

/* "_x000D_": how characters are written that XML cannot hold. Those are controls, and become
 * blanks; "_x005F_" stands for the "_" of a text that looks like an escape. */
static int read_escape(const char *p, char *ret) {
        char hex[5] = {0};
        char *end;
        if (p[0] != '_' || p[1] != 'x' || strnlen(p, 7) < 7 || p[6] != '_')
                return 0;
        memcpy(hex, p + 2, 4);
        unsigned long code = strtoul(hex, &end, 16);
        if (end != hex + 4 || (code >= ' ' && code != '_'))
                return 0;
        *ret = code == '_' ? '_' : ' ';
        return 7;
}

int xlsx_take_text(XlsxXml *x, char **ret) {
        CLEANUP(buf_done) Buf plain = BUF_INIT(XLSX_CELL_MAX);
        int r = 0;
        for (const char *p = buf_text(&x->text); r == 0 && *p;) {
                char c = *p;
                int n = read_escape(p, &c);
                r = buf_char(&plain, c);
                p += n ? n : 1;
        }
        buf_clear(&x->text);
        return r < 0 ? r : text_clean(buf_text(&plain), plain.len, ret);
}
