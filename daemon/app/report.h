/* The letter's figures (semantics 10), as its templates see them. Private to report*.c. */
#pragma once

#include "app/page.h"

typedef struct ReportQuery {
        PeriodId period;
        UnitId parent;
        const IndicatorDef *headline;
} ReportQuery;

/* Fills p->view: letterhead, headline figures, named units, appendix. API_E_ANSWERED: there are no
 * figures of that period, the reply says so. */
int report_view(Page *p, const ReportQuery *query);
/* The appendix as CSV: for people (BOM, `;`, decimal comma) or programs (`,`, dot). */
int report_csv(const Page *p, bool is_machine, Buf *out);
