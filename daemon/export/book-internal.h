/* Between the parts of book.c. */
#pragma once

#include "export/book.h"

typedef enum BookStyle {
        STYLE_TITLE,
        STYLE_SUBTITLE,
        STYLE_HEADING,
        STYLE_NOTE,
        STYLE_N
} BookStyle;

/* Indexes into cellXfs of styles.xml. */
unsigned book_style(BookStyle style);
unsigned book_cell_style(BookKind kind, unsigned decimals, BookTone tone);
int book_styles(Buf *out);
