/* Separated text (CSV) as people save it: rows of cells with the line each came from.
 *
 * UTF-8 with or without BOM, UTF-16 by its BOM or its zeros; comma, semicolon or tab, by the
 * heading; quotes after RFC 4180, line ends of all kinds. Text in one of the eight-bit encodings of
 * the nineties (TCVN3, VNI) is refused by name: its letters would read as other letters. */
#pragma once

#include "base/diag.h"
#include "base/macro.h"

#define SHEET_MAX_ROWS 20000u
#define SHEET_MAX_COLUMNS 64u

enum {
        SHEET_E_REFUSED = 1, /* reason in diag, with the line */
};

typedef struct Sheet {
        char **cells; /* row by row, n_columns each; cleaned to NFC, trimmed; row 0 is the heading */
        unsigned *lines; /* per row, from 1 */
        size_t n_rows, n_columns, cap_cells, cap_lines;
} Sheet;

/* The heading is the first line with two filled cells or more; blank lines are skipped. Returns 0,
 * SHEET_E_REFUSED, -ENOMEM. */
int sheet_read(const char *data, size_t n, Diag *diag, Sheet *ret);
void sheet_done(Sheet *s);
/* "" beyond the row's end. */
const char *sheet_cell(const Sheet *s, size_t row, size_t column);

/* Refuses text that is UTF-8 by form only: TCVN3 or VNI whose bytes became letters. What is no UTF-8
 * is left to others. Returns 0 or SHEET_E_REFUSED. */
int sheet_check_text(const char *text, size_t n, Diag *diag);

/* What a column holds, by its heading in the file's or the letter's words, upper or lower case, with
 * or without diacritics: "code", "name", "kind", "key", "parent", "from", "until", "successors",
 * "aliases", "email", "webhook", the name of an indicator that ships, "-" for one that is known and
 * not read (serial numbers, places, changes). NULL: unknown. */
const char *sheet_role(const char *heading);
