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
} Import;

/* import-rows.c: fills rows, counts, and which indicators there are. Returns 0, DECODE_E_REJECTED with
 * text in diag, or a negative errno. */
int import_rows(Import *im);
