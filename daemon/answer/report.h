/* The letter's figures (semantics 10), as its templates see them. Private to report*.c. */
#pragma once

#include "answer/page.h"
#include "export/book.h"

typedef struct ReportQuery {
        PeriodId period;
        UnitId parent;
        const IndicatorDef *headline;
} ReportQuery;

/* A draft by its number, or a new one from what the call's view shows (query: headline and, when 0,
 * parent are filled in). New reference. API_E_ANSWERED: it cannot be made, the reply says why. */
int report_draft_read(ApiCall *c, ReportQuery *query, int number, json_t **ret);
int report_draft_new(ApiCall *c, ReportQuery *query, int *ret_number, json_t **ret);

/* The draft as JSON: when it was made, its text, and which of its figures are others now. */
int report_since(ApiCall *c, const ReportQuery *query, int number, const json_t *draft);

/* How many of its figures are others now. */
int report_changed(const ApiCall *c, const ReportQuery *query, const json_t *draft, size_t *ret);

/* Makes and sends the letter by itself when it is due ([letter] at, to). Once in each tick. */
void report_run(App *app, int64_t now_ms);

/* Fills p->view: letterhead, headline figures, named units, appendix. API_E_ANSWERED: there are no
 * figures of that period, the reply says so. */
int report_view(Page *p, const ReportQuery *query);
/* The appendix as CSV: for people (BOM, `;`, decimal comma) or programs (`,`, dot). */
int report_csv(const Page *p, bool is_machine, Buf *out);
int report_xlsx(const Page *p, const ReportQuery *query, const PackageInfo *info, Buf *out);

/* The indicator when some source publishes it, or NULL. */
const IndicatorDef *report_indicator(const Page *p, const char *name);
/* A number of an answer as the scaled integer that it was; VALUE_NONE for null, or without def. */
int64_t report_scaled(const json_t *number, const IndicatorDef *def);
/* Which side of the limits of its rules (below, above) a value is on. */
BookTone report_tone(const Page *p, const ReportQuery *q, const IndicatorDef *def, int64_t value);
