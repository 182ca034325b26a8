/* What a numeric cell means follows from its format: a percent sign outside quotes makes a hundred
 * times the value, a letter of dates or times makes it a day. Only the first section counts (the
 * others are for negative numbers, zero and text). */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "ctl/xlsx-private.h"

#define SERIAL_OF_1970 25569
#define SERIAL_OF_1970_FROM_1904 24107
#define SERIAL_MAX 2958465.0 /* 9999-12-31 */

/* ---- formats --------------------------------------------------------------------------------- */

CellFormat xlsx_format_of(const char *code) {
        CellFormat format = FORMAT_NUMBER;
        for (const char *p = code; *p && *p != ';'; p++) {
                if (*p == '"') { /* literal */
                        const char *end = strchr(p + 1, '"');
                        if (!end)
                                break;
                        p = end;
                } else if (*p == '[') { /* colour, condition, locale, or elapsed time */
                        const char *end = strchr(p + 1, ']');
                        if (!end)
                                break;
                        if (end - p <= 3 && strchr("hHmMsS", p[1]))
                                return FORMAT_DATE;
                        p = end;
                } else if (*p == '\\' || *p == '_' || *p == '*') { /* the next one is literal */
                        if (!p[1])
                                break;
                        p++;
                } else if (*p == '%') {
                        format = FORMAT_PERCENT;
                } else if (strchr("yYmMdDhHsS", *p)) {
                        return FORMAT_DATE;
                }
        }
        return format;
}

/* Formats that are known by number only (ECMA-376 part 1, 18.8.30). */
static CellFormat builtin_format(unsigned id) {
        if (id == 9 || id == 10)
                return FORMAT_PERCENT;
        bool is_date = (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
                       (id >= 50 && id <= 58);
        return is_date ? FORMAT_DATE : FORMAT_NUMBER;
}

typedef struct OwnFormat {
        unsigned id;
        CellFormat format;
} OwnFormat;

typedef struct Styles {
        OwnFormat *own;
        size_t n, cap;
        bool is_in_cells; /* within cellXfs, where cells point to */
} Styles;

static unsigned read_id(const char *text) {
        return text ? (unsigned) strtoul(text, NULL, 10) : 0;
}

static int add_own(XlsxXml *x, Styles *s, const char **attributes) {
        if (s->n >= XLSX_FORMATS_MAX)
                return 0;
        int r = ARRAY_GROW(s->own, s->cap, s->n + 1);
        (void) x;
        if (r < 0)
                return r;
        s->own[s->n++] = (OwnFormat){
                .id = read_id(xlsx_attribute(attributes, "numFmtId")),
                .format = xlsx_format_of(str_or(xlsx_attribute(attributes, "formatCode"), ""))};
        return 0;
}

static int add_style(XlsxXml *x, const Styles *s, const char **attributes) {
        Workbook *wb = x->wb;
        unsigned id = read_id(xlsx_attribute(attributes, "numFmtId"));
        CellFormat format = builtin_format(id);
        if (wb->n_formats >= XLSX_FORMATS_MAX)
                return XLSX_REFUSE(wb, 0, "tệp xlsx có quá nhiều định dạng",
                                   "the workbook has too many formats");
        int r = ARRAY_GROW(wb->formats, wb->cap_formats, wb->n_formats + 1);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n; i++)
                if (s->own[i].id == id)
                        format = s->own[i].format;
        wb->formats[wb->n_formats++] = (uint8_t) format;
        return 0;
}

static int on_style(XlsxXml *x, const char *name, const char **attributes) {
        Styles *s = x->userdata;
        if (streq(name, "numFmt"))
                return add_own(x, s, attributes);
        if (streq(name, "cellXfs"))
                s->is_in_cells = true;
        return s->is_in_cells && streq(name, "xf") ? add_style(x, s, attributes) : 0;
}

static int on_style_end(XlsxXml *x, const char *name) {
        Styles *s = x->userdata;
        if (streq(name, "cellXfs"))
                s->is_in_cells = false;
        return 0;
}

int xlsx_read_styles(Workbook *wb, const char *part) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_PART_MAX);
        Styles s = {0};
        int r = xlsx_part(wb, part, &bytes);
        if (r == 0)
                r = xlsx_xml(&(XlsxXml){.wb = wb,
                                        .part = part,
                                        .userdata = &s,
                                        .on_begin = on_style,
                                        .on_end = on_style_end},
                             &bytes);
        free(s.own);
        return r == XLSX_E_NONE ? 0 : r;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int read_real(const char *text, double *ret) {
        char *end;
        *ret = strtod(text, &end);
        bool is_plain = strspn(text, "+-0123456789.eE") == strlen(text);
        return *text && is_plain && !*end && isfinite(*ret) ? 0 : -EINVAL;
}

/* By the digits, not by a product: 0.9964 is stored as 0.99639999999999995, and 100 times that is
 * not 99.64. */
int xlsx_number(const char *text, bool is_percent, char **ret) {
        char digits[48], number[48];
        double value;
        int exponent;
        if (read_real(text, &value) < 0 || fabs(value) > 1e15)
                return -EINVAL;
        (void) snprintf(digits, sizeof digits, "%.14e", value);
        char *e = strchr(digits, 'e');
        exponent = e ? (int) strtol(e + 1, NULL, 10) : 0;
        if (is_percent && e)
                (void) snprintf(e, sizeof digits - (size_t) (e - digits), "e%d", exponent + 2);
        (void) snprintf(number, sizeof number, "%.15g", strtod(digits, NULL));
        *ret = strdup(number);
        return *ret ? 0 : -ENOMEM;
}

/* The day count of 1900 has a 29 February that never was: days before it are one off. */
int xlsx_date(const Workbook *wb, const char *text, char **ret) {
        char day[16] = "";
        double serial;
        if (read_real(text, &serial) == 0 && serial >= 1 && serial <= SERIAL_MAX) {
                Day at = (Day) serial - (wb->is_1904 ? SERIAL_OF_1970_FROM_1904 : SERIAL_OF_1970);
                if (!wb->is_1904 && serial < 61)
                        at++;
                (void) day_format(day, at);
        }
        *ret = strdup(day);
        return *ret ? 0 : -ENOMEM;
}
