/* Files dropped into a folder instead of a network: sources of kind inbox (interfaces, "Installed").
 *
 * FOLDER/NAME.csv or .json is taken when it was renamed into place or closed after writing, and what
 * lay there at start. The name says the period: its first part that is one ("so-lieu-2024-08.csv").
 * Of several sources with one folder, a file belongs to the one whose name it begins with. A file is
 * evaluated like a fetched answer, then moved to FOLDER/done/, or FOLDER/refused/ when it cannot be
 * used at all; the attempt's row says why. */
#pragma once

#include "flow/app.h"

typedef struct Inbox Inbox;

/* Watches every inbox of the configuration and takes what is there. */
int inbox_new(App *app, Inbox **ret);
void inbox_free(Inbox *inbox);
DEFINE_CLEANUP(Inbox, inbox_free)
