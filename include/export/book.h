/* A workbook (.xlsx) for people: sheets of typed columns, ready for the screen and for A4 paper.
 *
 * Values go in as scaled integers and stand in the file as the same decimal digits, never through a
 * double. Texts are texts, whatever they begin with: no cell is ever a formula, and codes keep their
 * leading zeros, also when somebody edits them. Same calls, same bytes.
 *
 *     book_new(&info, &book);
 *     book_sheet(book, &(BookSheet){.name = "Xếp hạng", .title = "...", .columns = c, .n_columns = 3});
 *     book_row(book, (BookCell[]){BOOK_STRING("00123"), BOOK_STRING("Xã A"), BOOK_VALUE(8271)}, 3);
 *     book_note(book, "Nguồn: ...");
 *     book_finish(book, &out);
 *
 * Functions after book_new() return nothing: the first error stays and book_finish() returns it. */
#pragma once

#include "base/buf.h"
#include "base/decimal.h"
#include "base/macro.h"
#include "export/package.h"

#define BOOK_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#define BOOK_MAX_SHEETS 64u
#define BOOK_MAX_COLUMNS 64u
#define BOOK_MAX_ROWS 1000000u /* of one sheet */

typedef enum BookKind {
        BOOK_TEXT,  /* wrapped, left */
        BOOK_CODE,  /* as text, centred */
        BOOK_COUNT, /* 30.204, in the reader's grouping */
        BOOK_NUMBER, /* with `decimals` digits; percent too, with "(%)" in the heading: the cell holds 82.71 */
        BOOK_CHANGE,  /* the same with an explicit sign */
        BOOK_DATE,    /* value: a Day; dd/mm/yyyy */
        BOOK_INSTANT, /* value: milliseconds; dd/mm/yyyy hh:mm, local */
        BOOK_N_KINDS,
} BookKind;

typedef struct BookColumn {
        const char *title;
        BookKind kind;
        unsigned decimals; /* 0..DECIMAL_MAX_DECIMALS, of BOOK_NUMBER and BOOK_CHANGE */
        unsigned width;    /* in characters; 0: after the kind */
        bool is_hidden;    /* there, and not shown: nothing stands in it */
} BookColumn;

/* Where a figure stands to its limits: never by colour alone, bad ones are bold as well. */
typedef enum BookTone {
        BOOK_PLAIN,
        BOOK_GOOD,
        BOOK_WARNING,
        BOOK_CRITICAL,
        BOOK_MUTED,
        BOOK_N_TONES
} BookTone;

typedef struct BookCell {
        const char *
                text; /* goes before value in every kind of column: "......", "chưa có"; NULL: the value */
        int64_t value; /* DECIMAL_NONE: empty cell */
        BookTone tone;
        /* In BOOK_NUMBER and BOOK_CHANGE: this cell's digits are `decimals`, not the column's, which has
         * figures of several indicators. */
        bool has_decimals;
        unsigned decimals;
} BookCell;

#define BOOK_STRING(string) ((BookCell){.text = (string), .value = DECIMAL_NONE})
#define BOOK_VALUE(scaled) ((BookCell){.value = (scaled)})
#define BOOK_EMPTY ((BookCell){.value = DECIMAL_NONE})

typedef struct BookSheet {
        const char *name;  /* what spreadsheets refuse in it is replaced; made unique by a number */
        const char *title; /* over the table, bold, centred; or NULL */
        const char *subtitle; /* under it, italic; or NULL */
        const BookColumn *columns;
        size_t n_columns; /* 1..BOOK_MAX_COLUMNS */
        bool is_portrait; /* A4, one page wide; default is landscape */
        bool has_filter;  /* the heading gets filter buttons */
} BookSheet;

typedef struct Book Book;

/* Returns 0, -ENOMEM. */
int book_new(const PackageInfo *info, Book **ret);
void book_free(Book *book);
DEFINE_CLEANUP(Book, book_free)

/* Begins a sheet: title, then the heading, which stays in sight when one scrolls and is repeated on
 * every printed page. -E2BIG: too many sheets; -EINVAL: no columns or too many. Texts are copied. */
void book_sheet(Book *book, const BookSheet *sheet);
/* One row below; cells beyond n stay empty, n beyond the columns is -EINVAL. Text over 32,767
 * characters (the most a cell can hold) is cut and ends in U+2026. */
void book_row(Book *book, const BookCell *cells, size_t n);
/* A line of text over the whole width, after the last row: source, status, coverage. */
void book_note(Book *book, const char *text);

/* Appends the file. Returns 0 or the first error: -ENOMEM, -E2BIG (rows, sheets, PACKAGE_MAX), -EINVAL. */
int book_finish(Book *book, Buf *out);
