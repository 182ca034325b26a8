/* The columns of the list, as they are read and written. Shared by the parts of registry. */
#pragma once

#include "flow/registry.h"

typedef enum Column {
        COLUMN_KEY,
        COLUMN_CODE,
        COLUMN_NAME,
        COLUMN_KIND,
        COLUMN_PARENT,
        COLUMN_FROM,
        COLUMN_UNTIL,
        COLUMN_SUCCESSORS,
        COLUMN_ALIASES,
        COLUMN_EMAIL,
        COLUMN_WEBHOOK,
        N_COLUMNS
} Column;
extern const char *const registry_columns[N_COLUMNS];

/* "" for ever and open. */
const char *registry_day(char text[static 16], Day day);
int registry_join_emails(const Unit *u, Buf *out);
