/* SpreadsheetML (ECMA-376, part 1, 18) of our own.
 *
 * libxlsxwriter was tried and dropped: it takes doubles and writes them with 16 digits, so that 82.71
 * is in its files as 82.70999999999999, which no reader takes for 82.71; and it needs a temporary
 * file for each part. Here a value goes from integer to decimal text, as published.
 *
 * A sheet's rows are XML from the moment they are added; the rest is written around them at the end.
 * Texts stand in their cells (inlineStr). */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "base/timeutil.h"
#include "export/book-internal.h"
#include "export/book.h"

#define SHEET_MAX (PACKAGE_MAX * 8) /* XML, before it is compressed */
#define CELL_MAX_UNITS 32767u       /* UTF-16 */
#define NAME_MAX_UNITS 31u
#define EXCEL_EPOCH 25569 /* 1970-01-01 in days of the spreadsheets */
#define LINE_POINTS 17u
#define LINES_MAX 24u /* a row is at most 409 points high */

typedef struct Page {
        char *name;
        Buf rows, merges, columns;
        unsigned n_columns, next_row, heading_row, last_row;
        bool is_portrait, has_filter;
        BookColumn column[BOOK_MAX_COLUMNS]; /* titles are not kept */
        unsigned width;                      /* all columns, in characters */
} Page;

struct Book {
        Package *package;
        PackageInfo info;
        char *title, *subject, *author;
        Page *pages;
        size_t n_pages, cap_pages;
        int error;
};

/* ---- beginning and end ----------------------------------------------------------------------- */

static int copy(char **ret, const char *text) {
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

int book_new(const PackageInfo *info, Book **ret) {
        CLEANUP(book_freep) Book *book = calloc(1, sizeof(*book));

        if (!book)
                return -ENOMEM;
        int r = package_new(&book->package);
        if (r == 0)
                r = copy(&book->title, info->title);
        if (r == 0)
                r = copy(&book->subject, info->subject);
        if (r == 0)
                r = copy(&book->author, info->author);
        if (r < 0)
                return r;
        book->info = (PackageInfo){.title = book->title,
                                   .subject = book->subject,
                                   .author = book->author,
                                   .created_ms = info->created_ms};
        *ret = TAKE_PTR(book);
        return 0;
}

void book_free(Book *book) {
        for (size_t i = 0; i < book->n_pages; i++) {
                free(book->pages[i].name);
                buf_done(&book->pages[i].rows);
                buf_done(&book->pages[i].merges);
                buf_done(&book->pages[i].columns);
        }
        free(book->pages);
        package_freep(&book->package);
        free(book->title);
        free(book->subject);
        free(book->author);
        free(book);
}

/* ---- cells ----------------------------------------------------------------------------------- */

static const char *letters(char text[static 8], unsigned column) {
        if (column < 26)
                (void) snprintf(text, 8, "%c", (char) ('A' + column));
        else
                (void) snprintf(text, 8, "%c%c", (char) ('A' + column / 26 - 1),
                                (char) ('A' + column % 26));
        return text;
}

/* The bytes of text that fit in so many UTF-16 units. */
static size_t cut_at(const char *text, unsigned units) {
        size_t at = 0;

        for (unsigned used = 0; text[at];) {
                unsigned char c = (unsigned char) text[at];
                size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

                used += n == 4 ? 2 : 1;
                if (used > units)
                        return at;
                at += strnlen(text + at, n);
        }
        return at;
}

static bool is_hex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Readers take _x0041_ in a text for an escaped "A"; what only looks like one is escaped itself. */
static bool is_escape(const char *text) {
        return text[0] == '_' && text[1] == 'x' && is_hex(text[2]) && is_hex(text[3]) &&
               is_hex(text[4]) && is_hex(text[5]) && text[6] == '_';
}

static int append_text(Buf *out, const char *text) {
        size_t n = cut_at(text, CELL_MAX_UNITS), from = 0;
        bool is_cut = text[n] != '\0';
        int r = 0;

        if (is_cut)
                n = cut_at(text, CELL_MAX_UNITS - 1);
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (!is_escape(text + i))
                        continue;
                r = package_text(out, text + from, i - from);
                if (r == 0)
                        r = buf_str(out, "_x005F");
                from = i;
        }
        if (r == 0)
                r = package_text(out, text + from, n - from);
        return r == 0 && is_cut ? buf_str(out, "\u2026") : r;
}

static int append_string(Buf *out, const char *text, unsigned column, unsigned row,
                         unsigned style) {
        char name[8];

        int r = buf_printf(out,
                           "<c r=\"%s%u\" s=\"%u\" t=\"inlineStr\"><is><t xml:space=\"preserve\">",
                           letters(name, column), row, style);
        if (r == 0)
                r = append_text(out, text);
        return r == 0 ? buf_str(out, "</t></is></c>") : r;
}

/* Days, and their fraction with 10 digits. Never rounded down: readers cut to the minute, and 08:03
 * must not show as 08:02. */
static int append_instant(Buf *out, int64_t at_ms) {
        Day day = day_of_instant(at_ms);
        long long fraction = ((at_ms - day_start_ms(day)) * 100000LL + 863LL) / 864LL;

        return buf_printf(out, "%d.%010lld", day + EXCEL_EPOCH, MIN(fraction, 9999999999LL));
}

static int append_value(Buf *out, const BookColumn *column, unsigned decimals, int64_t value) {
        char text[DECIMAL_TEXT_MAX];

        switch (column->kind) {
        case BOOK_INSTANT:
                return append_instant(out, value);
        case BOOK_DATE:
                return buf_printf(out, "%lld", (long long) value + EXCEL_EPOCH);
        case BOOK_NUMBER:
        case BOOK_CHANGE:
                return buf_str(out, decimal_format(text, value, decimals));
        default:
                return buf_printf(out, "%lld", (long long) value);
        }
}

static int append_number(Buf *out, const BookColumn *column, const BookCell *cell, unsigned at,
                         unsigned row) {
        unsigned decimals =
                cell->has_decimals ? MIN(cell->decimals, DECIMAL_MAX_DECIMALS) : column->decimals;
        unsigned style = book_cell_style(column->kind, decimals, cell->tone);
        char name[8];

        if (cell->value == DECIMAL_NONE)
                return buf_printf(out, "<c r=\"%s%u\" s=\"%u\"/>", letters(name, at), row, style);
        int r = buf_printf(out, "<c r=\"%s%u\" s=\"%u\"><v>", letters(name, at), row, style);
        if (r == 0)
                r = append_value(out, column, decimals, cell->value);
        return r == 0 ? buf_str(out, "</v></c>") : r;
}

static int append_cell(Page *page, const BookCell *cell, unsigned at) {
        const BookColumn *column = page->column + at;
        BookKind kind = column->kind == BOOK_TEXT ? BOOK_TEXT : BOOK_CODE;

        if (!cell->text)
                return append_number(&page->rows, column, cell, at, page->next_row);
        return append_string(&page->rows, cell->text, at, page->next_row,
                             book_cell_style(kind, 0, cell->tone));
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* How many lines a text takes in so many characters, broken at blanks. Heights are written since
 * spreadsheets fit those of merged cells never, and others only when a cell is edited. */
static unsigned lines_of(const char *text, unsigned width) {
        size_t room = MAX(width, 2u), used = 0;
        unsigned lines = 1;
        char word[256];

        for (size_t n; *text; text += n + (text[n] == ' ')) {
                n = MIN(strcspn(text, " "), sizeof(word) - 1);
                memcpy(word, text, n);
                word[n] = '\0';
                size_t columns = text_is_utf8(word, n) ? text_width(word) : n;
                if (used > 0 && used + 1 + columns > room) {
                        lines++;
                        used = 0;
                }
                used += columns + (used > 0);
                lines += (unsigned) (used > room ? (used - 1) / room : 0);
        }
        return MIN(lines, LINES_MAX);
}

static int append_line(Page *page, const char *text, BookStyle style) {
        unsigned row = page->next_row++, last = page->n_columns - 1;
        char name[8];

        int r = buf_printf(&page->rows, "<row r=\"%u\" ht=\"%u\" customHeight=\"1\">", row,
                           lines_of(text, page->width) * LINE_POINTS +
                                   (style == STYLE_TITLE ? 4 : 0));
        if (r == 0)
                r = append_string(&page->rows, text, 0, row, book_style(style));
        if (r == 0)
                r = buf_str(&page->rows, "</row>");
        if (r == 0 && last > 0)
                r = buf_printf(&page->merges, "<mergeCell ref=\"A%u:%s%u\"/>", row,
                               letters(name, last), row);
        return r;
}

static int open_row(Page *page, unsigned lines) {
        return buf_printf(&page->rows, "<row r=\"%u\" ht=\"%u\" customHeight=\"1\">",
                          page->next_row, lines * LINE_POINTS + 2);
}

static unsigned lines_of_row(const Page *page, const BookCell *cells, size_t n) {
        unsigned lines = 1;

        for (size_t i = 0; i < n; i++)
                if (cells[i].text && page->column[i].kind == BOOK_TEXT)
                        lines = MAX(lines, lines_of(cells[i].text, page->column[i].width));
        return lines;
}

static int append_heading(Page *page, const BookSheet *sheet) {
        unsigned lines = 1;

        for (unsigned i = 0; i < page->n_columns; i++)
                lines = MAX(lines, lines_of(str_or(sheet->columns[i].title, ""),
                                            page->column[i].width * 9 / 10)); /* bold */
        page->heading_row = page->next_row;
        int r = open_row(page, lines);
        for (unsigned i = 0; r == 0 && i < page->n_columns; i++)
                r = append_string(&page->rows, str_or(sheet->columns[i].title, ""), i,
                                  page->next_row, book_style(STYLE_HEADING));
        page->last_row = page->next_row++;
        return r == 0 ? buf_str(&page->rows, "</row>") : r;
}

static Page *current(Book *book) {
        if (book->error == 0 && book->n_pages == 0)
                book->error = -EINVAL;
        return book->error == 0 ? book->pages + book->n_pages - 1 : NULL;
}

void book_row(Book *book, const BookCell *cells, size_t n) {
        Page *page = current(book);

        if (!page)
                return;
        if (n > page->n_columns)
                book->error = -EINVAL;
        else if (page->next_row >= BOOK_MAX_ROWS)
                book->error = -E2BIG;
        else
                book->error = open_row(page, lines_of_row(page, cells, n));
        for (unsigned i = 0; book->error == 0 && i < page->n_columns; i++)
                book->error = append_cell(page, i < n ? cells + i : &BOOK_EMPTY, i);
        if (book->error == 0)
                book->error = buf_str(&page->rows, "</row>");
        page->last_row = page->next_row++;
}

void book_note(Book *book, const char *text) {
        Page *page = current(book);

        if (page)
                book->error = append_line(page, text, STYLE_NOTE);
}

/* ---- sheets ---------------------------------------------------------------------------------- */

/* Without what spreadsheets refuse: : \ / ? * [ ], an apostrophe at either end, over 31 units. */
static char *safe_name(const char *name, size_t units) {
        char *text = strndup(name, cut_at(name, (unsigned) units));

        for (char *c = text; c && *c; c++)
                if (strchr(":\\/?*[]", *c) || (unsigned char) *c < ' ')
                        *c = '-';
        if (text && text[0] == '\'')
                text[0] = '-';
        if (text && *text && text[strlen(text) - 1] == '\'')
                text[strlen(text) - 1] = '-';
        return text;
}

static bool is_taken(const Book *book, const char *name) {
        for (size_t i = 0; i < book->n_pages; i++)
                if (book->pages[i].name && strcasecmp(book->pages[i].name, name) == 0)
                        return true;
        return false;
}

static int choose_name(Book *book, const char *wanted, char **ret) {
        CLEANUP_FREE char *name = safe_name(str_or(wanted, ""), NAME_MAX_UNITS);

        for (unsigned i = 2; name && (!*name || is_taken(book, name)); i++) {
                CLEANUP_FREE char *stem = safe_name(str_or(wanted, ""), NAME_MAX_UNITS - 5);

                free(name);
                if (!stem || asprintf(&name, "%s (%u)", stem, i) < 0)
                        name = NULL;
        }
        *ret = TAKE_PTR(name);
        return *ret ? 0 : -ENOMEM;
}

static int set_columns(Page *page, const BookSheet *sheet) {
        static const unsigned widths[BOOK_N_KINDS] = {
                [BOOK_TEXT] = 28,   [BOOK_CODE] = 12, [BOOK_COUNT] = 11,   [BOOK_NUMBER] = 12,
                [BOOK_CHANGE] = 12, [BOOK_DATE] = 13, [BOOK_INSTANT] = 18,
        };
        int r = 0;

        for (unsigned i = 0; r == 0 && i < page->n_columns; i++) {
                const BookColumn *column = sheet->columns + i;
                unsigned width = column->width ? column->width : widths[column->kind];

                page->column[i] = *column;
                page->column[i].title = NULL;
                page->column[i].width = width;
                page->width += column->is_hidden ? 0 : width;
                r = buf_printf(
                        &page->columns,
                        "<col min=\"%u\" max=\"%u\" width=\"%u.7109375\"%s customWidth=\"1\"/>",
                        i + 1, i + 1, width, column->is_hidden ? " hidden=\"1\"" : "");
        }
        return r;
}

void book_sheet(Book *book, const BookSheet *sheet) {
        if (book->error == 0 && (sheet->n_columns == 0 || sheet->n_columns > BOOK_MAX_COLUMNS))
                book->error = -EINVAL;
        if (book->error == 0 && book->n_pages >= BOOK_MAX_SHEETS)
                book->error = -E2BIG;
        if (book->error == 0)
                book->error = ARRAY_GROW(book->pages, book->cap_pages, book->n_pages + 1);
        if (book->error != 0)
                return;
        Page page = {.rows = BUF_INIT(SHEET_MAX),
                     .merges = BUF_INIT(SHEET_MAX),
                     .columns = BUF_INIT(1 << 16),
                     .n_columns = (unsigned) sheet->n_columns,
                     .next_row = 1,
                     .is_portrait = sheet->is_portrait,
                     .has_filter = sheet->has_filter};
        int r = choose_name(book, sheet->name, &page.name);
        if (r == 0)
                r = set_columns(&page, sheet);
        if (r == 0 && sheet->title)
                r = append_line(&page, sheet->title, STYLE_TITLE);
        if (r == 0 && sheet->subtitle)
                r = append_line(&page, sheet->subtitle, STYLE_SUBTITLE);
        if (r == 0)
                r = append_heading(&page, sheet);
        book->pages[book->n_pages++] = page;
        book->error = r;
}

/* ---- the file -------------------------------------------------------------------------------- */

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define SHEET_NS "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define RELATION "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PARTS "http://schemas.openxmlformats.org/package/2006/"
#define TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml."

static int append_view(Buf *out, const Page *page, bool is_first) {
        unsigned row = page->heading_row;

        return buf_printf(out,
                          XML "<worksheet xmlns=\"" SHEET_NS
                              "\"><sheetPr><pageSetUpPr "
                              "fitToPage=\"1\"/></sheetPr><sheetViews><sheetView%s "
                              "workbookViewId=\"0\"><pane ySplit=\"%u\" topLeftCell=\"A%u\" "
                              "activePane=\"bottomLeft\" state=\"frozen\"/><selection "
                              "pane=\"bottomLeft\" activeCell=\"A%u\" sqref=\"A%u\"/></sheetView>"
                              "</sheetViews><sheetFormatPr defaultRowHeight=\"15.75\"/><cols>%s"
                              "</cols><sheetData>",
                          is_first ? " tabSelected=\"1\"" : "", row, row + 1, row + 1, row + 1,
                          buf_text(&page->columns));
}

static int append_page_end(Buf *out, const Page *page) {
        char last[8];

        (void) letters(last, page->n_columns - 1);
        int r = buf_str(out, "</sheetData>");
        if (r == 0 && page->has_filter)
                r = buf_printf(out, "<autoFilter ref=\"A%u:%s%u\"/>", page->heading_row, last,
                               page->last_row);
        if (r == 0 && page->merges.len > 0)
                r = buf_printf(out, "<mergeCells>%s</mergeCells>", buf_text(&page->merges));
        return r == 0 ? buf_printf(out,
                                   "<printOptions horizontalCentered=\"1\"/><pageMargins "
                                   "left=\"0.6\" right=\"0.6\" top=\"0.8\" bottom=\"0.8\" "
                                   "header=\"0.4\" footer=\"0.4\"/><pageSetup paperSize=\"9\" "
                                   "orientation=\"%s\" fitToHeight=\"0\"/><headerFooter>"
                                   "<oddFooter>&amp;C&amp;P/&amp;N</oddFooter></headerFooter>"
                                   "<ignoredErrors><ignoredError sqref=\"A1:%s%u\" "
                                   "numberStoredAsText=\"1\"/></ignoredErrors></worksheet>",
                                   page->is_portrait ? "portrait" : "landscape", last,
                                   page->next_row)
                      : r;
}

static int add_page(Book *book, size_t i) {
        CLEANUP(buf_done) Buf xml = BUF_INIT(SHEET_MAX);
        const Page *page = book->pages + i;
        char name[48];

        int r = append_view(&xml, page, i == 0);
        if (r == 0)
                r = buf_append(&xml, buf_text(&page->rows), page->rows.len);
        if (r == 0)
                r = append_page_end(&xml, page);
        (void) snprintf(name, sizeof(name), "xl/worksheets/sheet%zu.xml", i + 1);
        return r == 0 ? package_add(book->package, name, buf_text(&xml), xml.len) : r;
}

static int add_types(Book *book) {
        CLEANUP(buf_done) Buf xml = BUF_INIT(1 << 16);
        int r = buf_str(&xml, XML
                        "<Types xmlns=\"" PARTS
                        "content-types\">"
                        "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-"
                        "package.relationships+xml\"/>"
                        "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
                        "<Override PartName=\"/xl/workbook.xml\" ContentType=\"" TYPE
                        "sheet.main+xml\"/>"
                        "<Override PartName=\"/xl/styles.xml\" ContentType=\"" TYPE
                        "styles+xml\"/>"
                        "<Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd."
                        "openxmlformats-package.core-properties+xml\"/>"
                        "<Override PartName=\"/docProps/app.xml\" ContentType=\"application/vnd."
                        "openxmlformats-officedocument.extended-properties+xml\"/>");

        for (size_t i = 1; r == 0 && i <= book->n_pages; i++)
                r = buf_printf(&xml,
                               "<Override PartName=\"/xl/worksheets/sheet%zu.xml\" "
                               "ContentType=\"" TYPE "worksheet+xml\"/>",
                               i);
        if (r == 0)
                r = buf_str(&xml, "</Types>");
        return r == 0 ? package_add(book->package, "[Content_Types].xml", buf_text(&xml), xml.len)
                      : r;
}

static int add_relations(Book *book) {
        static const char top[] = XML "<Relationships xmlns=\"" PARTS
                                      "relationships\">"
                                      "<Relationship Id=\"rId1\" Type=\"" RELATION
                                      "/officeDocument\" "
                                      "Target=\"xl/workbook.xml\"/>"
                                      "<Relationship Id=\"rId2\" Type=\"" PARTS
                                      "relationships/metadata/core-properties\" "
                                      "Target=\"docProps/core.xml\"/>"
                                      "<Relationship Id=\"rId3\" Type=\"" RELATION
                                      "/extended-properties\" "
                                      "Target=\"docProps/app.xml\"/></Relationships>";
        CLEANUP(buf_done) Buf xml = BUF_INIT(1 << 16);

        int r = package_add(book->package, "_rels/.rels", top, sizeof(top) - 1);
        if (r == 0)
                r = buf_str(&xml, XML "<Relationships xmlns=\"" PARTS "relationships\">");
        for (size_t i = 1; r == 0 && i <= book->n_pages; i++)
                r = buf_printf(&xml,
                               "<Relationship Id=\"rId%zu\" Type=\"" RELATION
                               "/worksheet\" "
                               "Target=\"worksheets/sheet%zu.xml\"/>",
                               i, i);
        if (r == 0)
                r = buf_printf(&xml,
                               "<Relationship Id=\"rId%zu\" Type=\"" RELATION
                               "/styles\" "
                               "Target=\"styles.xml\"/></Relationships>",
                               book->n_pages + 1);
        return r == 0 ? package_add(book->package, "xl/_rels/workbook.xml.rels", buf_text(&xml),
                                    xml.len)
                      : r;
}

/* 'Tên ''A'''!: as it stands in a reference. */
static int append_quoted(Buf *out, const char *name) {
        int r = buf_char(out, '\'');

        for (; r == 0 && *name; name++) {
                if (*name == '\'')
                        r = buf_char(out, '\'');
                if (r == 0)
                        r = package_text(out, name, 1);
        }
        return r == 0 ? buf_str(out, "'!") : r;
}

/* Sorted as spreadsheets want them: filters, areas, titles. */
static int append_names(Buf *out, const Book *book, const char *what) {
        bool is_filter = streq(what, "_FilterDatabase"), is_area = streq(what, "Print_Area");
        char last[8];
        int r = 0;

        for (size_t i = 0; r == 0 && i < book->n_pages; i++) {
                const Page *page = book->pages + i;

                if (is_filter && !page->has_filter)
                        continue;
                r = buf_printf(out, "<definedName name=\"_xlnm.%s\" localSheetId=\"%zu\"%s>", what,
                               i, is_filter ? " hidden=\"1\"" : "");
                if (r == 0)
                        r = append_quoted(out, page->name);
                if (r == 0)
                        r = is_filter || is_area
                                    ? buf_printf(out, "$A$%u:$%s$%u",
                                                 is_area ? 1 : page->heading_row,
                                                 letters(last, page->n_columns - 1),
                                                 is_area ? page->next_row - 1 : page->last_row)
                                    : buf_printf(out, "$%u:$%u", page->heading_row,
                                                 page->heading_row);
                if (r == 0)
                        r = buf_str(out, "</definedName>");
        }
        return r;
}

static int append_sheets(Buf *out, const Book *book) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < book->n_pages; i++) {
                r = buf_str(out, "<sheet name=\"");
                if (r == 0)
                        r = package_text(out, book->pages[i].name, strlen(book->pages[i].name));
                if (r == 0)
                        r = buf_printf(out, "\" sheetId=\"%zu\" r:id=\"rId%zu\"/>", i + 1, i + 1);
        }
        return r;
}

static int add_workbook(Book *book) {
        CLEANUP(buf_done) Buf xml = BUF_INIT(1 << 20);

        int r = buf_str(&xml, XML "<workbook xmlns=\"" SHEET_NS "\" xmlns:r=\"" RELATION
                                  "\">"
                                  "<bookViews><workbookView/></bookViews><sheets>");
        if (r == 0)
                r = append_sheets(&xml, book);
        if (r == 0)
                r = buf_str(&xml, "</sheets><definedNames>");
        if (r == 0)
                r = append_names(&xml, book, "_FilterDatabase");
        if (r == 0)
                r = append_names(&xml, book, "Print_Area");
        if (r == 0)
                r = append_names(&xml, book, "Print_Titles");
        if (r == 0)
                r = buf_str(&xml, "</definedNames></workbook>");
        return r == 0 ? package_add(book->package, "xl/workbook.xml", buf_text(&xml), xml.len) : r;
}

static int add_styles(Book *book) {
        CLEANUP(buf_done) Buf xml = BUF_INIT(1 << 18);

        int r = book_styles(&xml);
        return r == 0 ? package_add(book->package, "xl/styles.xml", buf_text(&xml), xml.len) : r;
}

int book_finish(Book *book, Buf *out) {
        (void) current(book); /* a book without sheets is no book */
        int r = book->error;

        if (r == 0)
                r = add_types(book);
        if (r == 0)
                r = add_relations(book);
        if (r == 0)
                r = add_workbook(book);
        if (r == 0)
                r = add_styles(book);
        for (size_t i = 0; r == 0 && i < book->n_pages; i++)
                r = add_page(book, i);
        if (r == 0)
                r = package_add_info(book->package, &book->info);
        return r == 0 ? package_finish(book->package, out) : r;
}
