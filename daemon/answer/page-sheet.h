/* Pages as workbooks. Private to page*.c. */
#pragma once

#include "answer/page.h"
#include "export/book.h"

#define PAGE_MAX_WITH 8u

/* What a ranking page asked for. */
typedef struct PageTable {
        const IndicatorDef *indicator;
        const IndicatorDef *with[PAGE_MAX_WITH];
        size_t n_with;
} PageTable;

/* Adds the page's sheets; `what` is the page's own. */
typedef void (*PageFill)(Page *p, Book *book, const void *what);

bool page_is_book(const Page *p);
/* The view as a workbook into the reply, to be kept as a file named after the stem. */
int page_answer_book(Page *p, const char *stem, PageFill fill, const void *what);

void page_ranking_sheets(Page *p, Book *book, const void *what); /* a PageTable */
void page_unit_sheets(Page *p, Book *book, const void *what);
void page_source_sheets(Page *p, Book *book, const void *what);
/* Of the alerts that page_alerts() set. */
void page_alert_sheet(Page *p, Book *book);
