/* The dashboard: pages for people, made by the server, without scripts. Private to page*.c.
 *
 * A page asks the API's own handlers, adds what only a picture needs (lengths, coordinates, links)
 * and hands the whole to a template of conf/templates/page. So no page can say another figure than
 * the API, at whatever instant, and what the API masks is masked. */
#pragma once

#include "answer/api-call.h"

typedef struct Page {
        ApiCall *call;
        json_t *view; /* what the template sees */
        int error;    /* the first failure of the setters below; they do nothing after it */
} Page;

int page_init(Page *p, ApiCall *c, const char *name);
void page_done(Page *p);
/* The template into the reply. */
int page_answer(Page *p, const char *template_name);

/* Asks a handler with these arguments (and the page's own instant). *ret is a new reference.
 * API_E_ANSWERED: it refused, and the reply says why. */
int page_ask(Page *p, ApiHandler handler, const NameValue *args, size_t n_args, json_t **ret);

/* ---- setters: values are stolen ------------------------------------------------------------- */

void page_set(Page *p, json_t *object, const char *key, json_t *value);
void page_add(Page *p, json_t *array, json_t *value);
void page_printf(Page *p, json_t *object, const char *key, const char *format, ...)
        PRINTF_LIKE(4, 5);
/* A new array or object below `object`, borrowed; NULL after a failure, which all setters take. */
json_t *page_list(Page *p, json_t *object, const char *key);
json_t *page_object(Page *p, json_t *object, const char *key);
json_t *page_row(Page *p, json_t *array);
/* "/u/KEY" of a unit object of the API, with the instant. */
void page_unit_link(Page *p, json_t *object, const json_t *unit);
/* An instant for people: KEY of the object becomes "05/09/2024 08:00" under KEY_text. */
void page_instant(Page *p, json_t *object, const char *key);
/* "compared": among how many units the moves and previous places of a cohort of /v1/ranking are counted
 * (semantics 5); null where these are all that have a value and all that had one before. */
void page_compared(Page *p, json_t *object, const json_t *cohort);
/* A reason of ours in the daemon's language, in place; masked like every other. */
void page_reason(Page *p, json_t *object, const char *key);
/* A period for people: "2024-08" becomes "tháng 8/2024" under KEY_text. */
void page_period(Page *p, json_t *object, const char *key);
/* Percent with one digit, always with a dot: share(1, 3) is "33.3". */
void page_share(Page *p, json_t *object, const char *key, double part, double whole);

/* ---- pieces --------------------------------------------------------------------------------- */

bool page_is_vi(const Page *p);
const char *page_word(const Page *p, const char *key);
/* A state or reason of the API in words. */
const char *page_state_word(const Page *p, const char *key);
/* Source, time of fetch and status of the headline figures, under "source": for pages without a
 * ranking of their own, which has them. */
int page_source(Page *p);
/* All words, under "w". */
void page_words(Page *p);
/* The limit that a rule sets for all of the indicator's units (`below` first); VALUE_NONE. */
int64_t page_limit(const Page *p, const IndicatorDef *def);
/* "dưới 95", "giảm từ 5 trở lên": what a rule asks for. */
void page_condition(Page *p, json_t *object, const char *key, const char *rule);
/* Open alerts, worst first, under "alerts": of one unit, or all. */
int page_alerts(Page *p, const char *unit, bool is_all);
/* The groups of the headline score that somebody publishes, in the order of Decision 766. */
size_t page_groups(const Page *p, const IndicatorDef *ret[static 6]);
/* Choices of periods and indicators, marked where they are chosen. */
int page_choose_period(Page *p, const IndicatorDef *def, const char *chosen);
void page_choose_indicator(Page *p, const char *chosen);
