/* The configuration in force: bound to the database, and replaced whole or not at all. */
#pragma once

#include "core/render.h"
#include "flow/app.h"

/* Every error and warning, to the journal. */
void bind_log(const Diag *diag);
/* "FILE:LINE: KEY: REASON" of the first error, else the words of `error`. */
void bind_first_error(const Diag *diag, int error, char *text, size_t size);
/* Keeps the warnings for status. */
void bind_warnings(App *app, const Diag *diag);

/* The templates of both languages, and what is wrong with one that is passed over, for the operator. */
int bind_templates(App *app, const Config *config, RenderTemplates **ret_vi,
                   RenderTemplates **ret_en);
/* Ids of the indicators, rule texts, targets: one transaction. -EINVAL: a stored definition differs,
 * which is a person's to mend (said in `diag`). */
int bind_config(App *app, Diag *diag);
/* Watches the inbox of the configuration that holds; without one nothing is watched. */
int bind_inbox(App *app);
/* Reads the file anew. A bad one changes nothing but health.reload_error, which status tells. */
void bind_reload(App *app);
