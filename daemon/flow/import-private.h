/* A file on its way to a result. Shared by the parts of import. */
#pragma once

#include "flow/import.h"

typedef struct Import {
        App *app;
        const ImportFile *file;
        const SourceDef *source;
        Diag *diag;
        ImportCounts *counts;
        UnitId parent; /* of the rows; 0 = unknown */
        Day day;       /* last of the period */
        json_t *rows;  /* what decode reads */
        bool *is_used; /* per indicator of the configuration */
        bool is_named; /* some heading is an indicator's */
        bool is_table; /* cells have types: a workbook's */
        Buf ignored;
        ImportRounded rounded; /* of the row */
} Import;

/* import-rows.c: fills rows, counts, and which indicators there are. Returns 0, DECODE_E_REJECTED with
 * text in diag, or a negative errno. */
int import_rows(Import *im);
/* Positive: the row is left out, as said. */
int import_refuse(Import *im, unsigned line, unsigned column, const char *format, ...)
        PRINTF_LIKE(4, 5);

/* import-units.c: a row begins, and ends with its unit. What has none, or one that was there already,
 * is refused. */
void import_row_begin(Import *im);
int import_row_end(Import *im, json_t *row, unsigned line);
