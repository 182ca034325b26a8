/* A file of figures (CSV or JSON) as the result of a fetch (semantics 4, interfaces "import"). */
#pragma once

#include "flow/app.h"
#include "flow/fetch.h"

#define IMPORT_PART "import" /* name of the one part that such a snapshot has */
#define IMPORT_MAX_REFUSED 200u

typedef struct ImportFile {
        size_t source; /* index into Config.sources */
        const char *scope;
        PeriodId period;
        const char *name; /* of the file, for people */
        const char *data;
        size_t size;
        bool is_stored; /* was accepted once: its period and its emptiness are no question again */
} ImportFile;

typedef struct ImportRefusal {
        unsigned line, column; /* column 0: the whole row */
        char *text;
} ImportRefusal;

/* Values with more digits than their indicator keeps, of rows that are used; and the first of them. */
typedef struct ImportRounded {
        size_t n;
        unsigned line, column; /* column 0: not known */
        size_t indicator;      /* of the configuration */
        char text[48];         /* as it stands in the file; may be cut */
        int64_t value;         /* what it becomes */
} ImportRounded;

typedef struct ImportCounts {
        size_t n_rows, n_matched;
        ImportRounded rounded;
        ImportRefusal *refused;
        size_t n_refused, cap_refused;
        char *ignored; /* headings that are no indicator of the source, joined; or NULL */
        /* Where figures stood, once read: the line by code of unit, the column (0 = none) by
         * indicator of the configuration. */
        json_t *lines;
        unsigned *columns;
} ImportCounts;
void import_counts_done(ImportCounts *counts);

/* Refuses a period that has not begun on the day, or of a type that the source does not have: no rule of the
 * source's figures is written for it, and mostly a month was meant. Text in diag. Returns 0, DECODE_E_REJECTED or -ENOMEM. */
int import_check_period(const Config *config, const ImportFile *file, Day today, Diag *diag);

/* Rows without a code are matched by their exact name. A row with a cell that cannot be read, with a
 * value outside its range, with a unit that is not known, or with one that an earlier row has, is
 * refused with its line and column; the others are used, and what is known of the refused stays
 * (result->is_partial). A file without any figure is refused as a whole. The scope is borrowed. Returns 0, DECODE_E_REJECTED with text in diag (the
 * file as a whole cannot be used), or a negative errno. */
int import_read(App *app, const ImportFile *file, Diag *diag, ImportCounts *counts,
                FetchResult **ret);
