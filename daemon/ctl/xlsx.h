/* Workbooks (.xlsx, ECMA-376) as people save them, read by the client and never by the daemon: one
 * sheet's cells with their types, so that a code keeps its zeros and 99,64 % stays 99.64.
 *
 * What a numeric cell says is its value, not its looks: JSON's number, by the 15 digits that
 * spreadsheet programs keep; under a percent format a hundred times it. Text is handed on as it
 * stands. Everything is bounded: bytes inflated, parts, rows, columns, cells; a DOCTYPE is refused,
 * and with it every entity. No file is opened here. Home of expat, and of libarchive's reading side. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"

#define XLSX_FILE_MAX ((size_t) 16 << 20)

enum {
        XLSX_E_REFUSED = 1, /* reason in diag, with the row where there is one */
};

typedef enum XlsxKind {
        XLSX_EMPTY,
        XLSX_TEXT,
        XLSX_NUMBER, /* text: a JSON number */
        XLSX_DATE,   /* text: 2024-08-31, or "" for what is no day (a time, a day before 1900) */
        XLSX_BOOLEAN,
        XLSX_ERROR, /* text: #DIV/0!, or what is wrong with the cell */
} XlsxKind;

typedef struct XlsxCell {
        XlsxKind kind;
        char *text; /* NULL when empty; UTF-8, NFC, one line */
} XlsxCell;

typedef struct XlsxSheet {
        char *name;
        XlsxCell *cells; /* n_rows x n_columns; row 0 is the heading (texts only) */
        unsigned *lines; /* of each row, as the program shows it; the heading's is its last */
        size_t n_rows, n_columns; /* column 0 is A */
} XlsxSheet;

/* True for what begins as a zip archive, or as the older format that a password makes of one. */
bool xlsx_is(const char *data, size_t n);

/* Reads the sheet of that name; NULL: the one that is shown and has a table. Several such are
 * refused by their names. The heading is the first row with a column for codes, keys or names, else
 * the first with two filled cells; merged cells make it several rows high. Returns 0,
 * XLSX_E_REFUSED, -ENOMEM. */
int xlsx_read(const char *data, size_t n, const char *sheet, bool is_vi, Diag *diag,
              XlsxSheet *ret);
void xlsx_sheet_done(XlsxSheet *s);

/* The table that `POST /v1/snapshots` takes: {"workbook": {...}, "headings": [...], "rows":
 * [{"line": 5, "cells": [...]}]}. Cells are null, text, number, {"date": ...}, {"boolean": ...} or
 * {"error": ...}. */
int xlsx_json(const XlsxSheet *s, const char *name, const char *data, size_t n, Buf *out);

/* A list of units as the CSV that `POST /v1/units` takes, line for row. Refuses what only text can
 * hold in a cell of another type: codes, keys, parents, successors. */
int xlsx_csv(const XlsxSheet *s, bool is_vi, Diag *diag, Buf *out);
