/* One workbook on its way: shared by the parts of xlsx. */
#pragma once

#include <expat.h>

#include "core/sheet.h"
#include "ctl/xlsx.h"

#define XLSX_PART_MAX ((size_t) 48 << 20)      /* one part, inflated */
#define XLSX_INFLATED_MAX ((size_t) 128 << 20) /* all that is read of one file */
#define XLSX_ENTRIES_MAX 1000u
#define XLSX_SHEETS_MAX 64u
#define XLSX_STRINGS_MAX 500000u
#define XLSX_FORMATS_MAX 65536u
#define XLSX_MERGES_MAX 20000u
#define XLSX_CELL_MAX 4096u /* as core/sheet and text_clean */
#define XLSX_DEPTH_MAX 64u

enum {
        XLSX_E_NONE = 2, /* no such part */
};

typedef enum CellFormat { FORMAT_NUMBER, FORMAT_PERCENT, FORMAT_DATE } CellFormat;

typedef struct XlsxMerge {
        unsigned row, last_row; /* from 1 */
        size_t column, last_column;
} XlsxMerge;

typedef struct Workbook {
        const char *data;
        size_t n;
        bool is_vi;
        Diag *diag;
        size_t inflated;
        bool is_1904; /* days count from 1904-01-01 */
        char **strings;
        size_t n_strings, cap_strings;
        uint8_t *formats; /* CellFormat per style */
        size_t n_formats, cap_formats;
} Workbook;

#define XLSX_REFUSE(wb, line, vi, en, ...)                                                         \
        (diag_error((wb)->diag, NULL, (line), NULL, (wb)->is_vi ? (vi) : (en), ##__VA_ARGS__),     \
         XLSX_E_REFUSED)

/* xlsx-zip.c: the inflated bytes of a part ("xl/workbook.xml"). 0, XLSX_E_NONE, XLSX_E_REFUSED,
 * -ENOMEM. */
int xlsx_part(Workbook *wb, const char *name, Buf *ret);

/* xlsx-xml.c: one walk through a part. Names come without their prefixes. While is_taking,
 * characters are gathered in `text`, up to XLSX_CELL_MAX bytes. */
typedef struct XlsxXml XlsxXml;
struct XlsxXml {
        Workbook *wb;
        const char *part;
        void *userdata;
        int (*on_begin)(XlsxXml *x, const char *name, const char **attributes);
        int (*on_end)(XlsxXml *x, const char *name); /* or NULL */
        Buf text;
        bool is_taking;
        unsigned depth;
        int result;
        XML_Parser parser;
};
int xlsx_xml(XlsxXml *x, const Buf *bytes);
/* Value of an attribute by its local name, or NULL. */
const char *xlsx_attribute(const char **attributes, const char *name);
bool xlsx_flag(const char **attributes, const char *name);
/* What was gathered, with _x000D_ escapes read, as NFC on one line. Heap string. */
int xlsx_take_text(XlsxXml *x, char **ret);

/* xlsx-format.c */
int xlsx_read_styles(Workbook *wb, const char *part);
CellFormat xlsx_format_of(const char *code);
/* The number of a cell as JSON writes it. -EINVAL for what is none. */
int xlsx_number(const char *text, bool is_percent, char **ret);
/* "2024-08-31" of a day's serial number; "" for none. */
int xlsx_date(const Workbook *wb, const char *text, char **ret);

/* xlsx-cells.c */
typedef struct XlsxGrid {
        XlsxCell *cells; /* SHEET_MAX_COLUMNS a row */
        unsigned *lines;
        size_t n_rows, cap_rows, cap_lines;
        XlsxMerge *merges;
        size_t n_merges, cap_merges;
} XlsxGrid;
void xlsx_grid_done(XlsxGrid *g);
int xlsx_read_strings(Workbook *wb, const char *part);
int xlsx_read_cells(Workbook *wb, const char *part, XlsxGrid *ret);

/* xlsx-heading.c: from the grid to a sheet with one heading. Takes the grid's cells. */
int xlsx_lay_out(Workbook *wb, XlsxGrid *g, XlsxSheet *ret);
/* Whether there is a table at all: a row with two filled cells. */
bool xlsx_has_table(const XlsxGrid *g);
