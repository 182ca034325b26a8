/* A table on a terminal: columns as wide as their widest cell on the screen, not in bytes. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"

#define TABLE_MAX_COLUMNS 16u
/* Of one cell; longer ones are cut, unless table_fit() was told of no end. */
#define TABLE_MAX_WIDTH 48u

typedef enum Colour {
        COLOUR_NONE,
        COLOUR_RED,
        COLOUR_GREEN,
        COLOUR_YELLOW,
        COLOUR_BOLD,
        COLOUR_DIM
} Colour;

typedef struct Cell {
        char *text;
        Colour colour;
} Cell;

typedef struct Column {
        char *title;
        bool is_right;
        bool is_optional; /* left out when every cell is empty */
        bool is_minor;    /* left out when the terminal is too narrow, the last one first */
        bool is_left_out;
        size_t most; /* columns of the terminal; 0: as wide as it is */
} Column;

typedef struct Table {
        Column columns[TABLE_MAX_COLUMNS];
        size_t n_columns;
        Cell *cells; /* row by row */
        size_t n_cells, cap_cells;
        bool is_whole; /* nothing is cut */
        int error;     /* first failure; tells at table_print */
} Table;

void table_column(Table *t, const char *title, bool is_right, bool is_optional);
/* The column added last says least. */
void table_minor(Table *t);
/* Makes it at most so wide, as far as that goes: minor columns go, then long texts are cut.
 * 0: there is no end, and nothing is cut. */
void table_fit(Table *t, size_t columns);
/* The next cell; NULL is empty. Rows fill up column by column. */
void table_cell(Table *t, const char *text, Colour colour);
/* Appends header and rows. Returns 0 or negative errno. */
int table_print(const Table *t, bool has_colour, Buf *out);
void table_done(Table *t);

/* Appends text in a colour (nothing but the text when !has_colour). */
int colour_text(Buf *out, Colour colour, bool has_colour, const char *text);
/* Eight steps from the least to the greatest of the values; `has[i]` false leaves a blank. A flat
 * line is low. */
int spark_line(Buf *out, const double *value, const bool *has, size_t n);
