/* "Tải xlsx": what a page shows, as a workbook. The sheets are filled from the view that the page's
 * template would get, so that no cell can say another figure than the page; a figure is the number of
 * the API, which holds every digit of it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "answer/page-sheet.h"
#include "base/text.h"

#define BOOK_BYTES ((size_t) 16 << 20)
#define ALERT_COLUMNS 8u
#define PLACE_COLUMNS 5u

bool page_is_book(const Page *p) {
        const char *format = api_query(p->call, "format");

        return format && streq(format, "xlsx");
}

/* ---- cells ----------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

static BookCell text_cell(const json_t *object, const char *key) {
        return BOOK_STRING(str_or(text_at(object, key), ""));
}

static BookCell value_cell(const json_t *object, const char *key, unsigned decimals) {
        const json_t *value = json_object_get(object, key);

        if (!json_is_number(value))
                return BOOK_EMPTY;
        return BOOK_VALUE(llround(json_number_value(value) * pow(10, decimals)));
}

static BookCell instant_cell(const json_t *object, const char *key) {
        const char *text = text_at(object, key);
        int64_t at_ms;

        return text && instant_parse(text, &at_ms) == 0 ? BOOK_VALUE(at_ms) : BOOK_EMPTY;
}

static bool is_true(const json_t *object, const char *key) {
        return json_is_true(json_object_get(object, key));
}

static BookColumn column(const Page *p, const char *word, BookKind kind, unsigned decimals) {
        return (BookColumn){.title = page_word(p, word), .kind = kind, .decimals = decimals};
}

static const char *unit_name(const json_t *row) {
        return str_or(text_at(json_object_get(row, "unit"), "name"), "");
}

/* ---- what every sheet ends with -------------------------------------------------------------- */

static void note_source(const Page *p, Book *book) {
        CLEANUP(buf_done) Buf text = BUF_INIT(8192);
        const json_t *source = json_object_get(p->view, "source");
        const json_t *period = json_object_get(source, "period");
        const char *fetched = text_at(source, "fetched_text"),
                   *as_of = text_at(p->view, "as_of_text");
        int r = 0;

        if (source)
                r = buf_printf(&text, "%s: %s; %s, %s", page_word(p, "source"),
                               str_or(text_at(json_object_get(source, "source"), "label"), ""),
                               str_or(text_at(period, "label"), ""),
                               str_or(text_at(period, "status_label"), ""));
        if (r == 0 && fetched)
                r = buf_printf(&text, "; %s %s", page_word(p, "fetched"), fetched);
        if (r == 0 && source)
                book_note(book, buf_text(&text));
        buf_clear(&text);
        if (r == 0 && as_of)
                r = buf_printf(&text, "%s %s; %s", page_word(p, "as_of_banner"), as_of,
                               page_word(p, "as_of_note"));
        if (r == 0 && as_of)
                book_note(book, buf_text(&text));
        book_note(book, page_word(p, "reminder"));
}

/* ---- rankings -------------------------------------------------------------------------------- */

static void add_row(const Page *p, const PageTable *table, const json_t *row, Book *book) {
        BookCell cells[PLACE_COLUMNS + 1 + PAGE_MAX_WITH];
        const json_t *with, *list = json_object_get(row, "cells");
        const char *why = text_at(row, "why_no_delta");
        size_t n = 0, i;

        cells[n++] = value_cell(row, "place", 0);
        cells[n++] = value_cell(row, "move", 0);
        cells[n++] = text_cell(json_object_get(row, "unit"), "code");
        cells[n++] = text_cell(json_object_get(row, "unit"), "name");
        cells[n++] = value_cell(row, "value", table->indicator->decimals);
        cells[n] = value_cell(row, "delta", table->indicator->decimals);
        if (cells[n].value == DECIMAL_NONE && why && is_true(row, "has_value"))
                cells[n] = (BookCell){.text = why, .tone = BOOK_MUTED};
        n++;
        json_array_foreach(list, i, with) {
                cells[n] = value_cell(with, "value", table->with[i]->decimals);
                cells[n++].tone = is_true(with, "is_beyond") ? BOOK_CRITICAL : BOOK_PLAIN;
        }
        (void) p;
        book_row(book, cells, n);
}

static void note_compared(const Page *p, const json_t *cohort, Book *book) {
        const json_t *compared = json_object_get(cohort, "compared");
        CLEANUP(buf_done) Buf text = BUF_INIT(1024);

        if (json_is_integer(compared) &&
            buf_printf(&text, "%s %lld %s.", page_word(p, "compared_among"),
                       (long long) json_integer_value(compared),
                       page_word(p, "compared_units")) == 0)
                book_note(book, buf_text(&text));
}

static void add_cohort(const Page *p, const PageTable *table, const json_t *cohort, Book *book) {
        const json_t *ranking = json_object_get(p->view, "ranking"), *row;
        BookColumn columns[PLACE_COLUMNS + 1 + PAGE_MAX_WITH];
        CLEANUP(buf_done) Buf title = BUF_INIT(8192);
        const char *parent = str_or(text_at(json_object_get(cohort, "parent"), "name"), "");
        unsigned decimals = table->indicator->decimals;
        size_t n = 0, i;

        columns[n++] = column(p, "place", BOOK_COUNT, 0);
        columns[n++] = column(p, "move", BOOK_CHANGE, 0);
        columns[n++] = column(p, "code", BOOK_CODE, 0);
        columns[n++] = column(p, "unit", BOOK_TEXT, 0);
        columns[n++] = (BookColumn){.title = view_indicator_label(p->call->app, table->indicator),
                                    .kind = BOOK_NUMBER,
                                    .decimals = decimals};
        columns[n++] = column(p, "delta", BOOK_CHANGE, decimals);
        for (i = 0; i < table->n_with; i++)
                columns[n++] =
                        (BookColumn){.title = view_indicator_label(p->call->app, table->with[i]),
                                     .kind = BOOK_NUMBER,
                                     .decimals = table->with[i]->decimals};
        if (buf_printf(&title, "%s, %s", columns[4].title,
                       str_or(text_at(json_object_get(ranking, "period"), "label"), "")) < 0)
                return;
        book_sheet(book, &(BookSheet){.name = *parent ? parent : page_word(p, "league"),
                                      .title = buf_text(&title),
                                      .subtitle = parent,
                                      .columns = columns,
                                      .n_columns = n,
                                      .has_filter = true});
        json_array_foreach(json_object_get(cohort, "rows"), i, row) add_row(p, table, row, book);
        note_compared(p, cohort, book);
        note_source(p, book);
}

void page_ranking_sheets(Page *p, Book *book, const void *what) {
        const json_t *cohort;
        size_t i;

        json_array_foreach(json_object_get(json_object_get(p->view, "ranking"), "cohorts"), i,
                           cohort) add_cohort(p, what, cohort, book);
}

/* ---- alerts ---------------------------------------------------------------------------------- */

static const char *alert_word(const Page *p, const json_t *alert) {
        if (is_true(alert, "is_ended"))
                return text_at(alert, "end_word");
        return page_word(p, is_true(alert, "is_critical") ? "critical" : "warning");
}

/* A figure among those of other indicators: each with its own digits. */
static BookCell own_cell(const Page *p, const json_t *object, const char *key, const char *name) {
        const Config *config = p->call->app->config;
        int i = name ? config_indicator(config, name) : -1;
        unsigned decimals = i < 0 ? 2 : config->indicators[i].decimals;
        BookCell cell = value_cell(object, key, decimals);

        cell.has_decimals = true;
        cell.decimals = decimals;
        return cell;
}

static void add_alert(const Page *p, const json_t *alert, Book *book) {
        BookTone tone = is_true(alert, "is_ended")      ? BOOK_MUTED
                        : is_true(alert, "is_critical") ? BOOK_CRITICAL
                                                        : BOOK_WARNING;
        const char *indicator = text_at(json_object_get(alert, "indicator"), "name");
        BookCell cells[ALERT_COLUMNS] = {
                BOOK_STRING(alert_word(p, alert)),
                text_cell(json_object_get(alert, "unit"), "code"),
                BOOK_STRING(json_is_object(json_object_get(alert, "unit"))
                                    ? unit_name(alert)
                                    : str_or(text_at(alert, "subject_text"), "")),
                text_cell(json_object_get(alert, "indicator"), "label"),
                text_cell(alert, json_is_object(json_object_get(alert, "unit")) ? "condition"
                                                                                : "rule_label"),
                own_cell(p, alert, "value", indicator),
                own_cell(p, alert, "delta", indicator),
                text_cell(alert, "first_text"),
        };

        cells[0].tone = tone;
        book_row(book, cells, ALERT_COLUMNS);
}

void page_alert_sheet(Page *p, Book *book) {
        const BookColumn columns[ALERT_COLUMNS] = {
                column(p, "state", BOOK_TEXT, 0),     column(p, "code", BOOK_CODE, 0),
                column(p, "unit", BOOK_TEXT, 0),      column(p, "indicator", BOOK_TEXT, 0),
                column(p, "condition", BOOK_TEXT, 0), column(p, "value", BOOK_NUMBER, 2),
                column(p, "delta", BOOK_CHANGE, 2),   column(p, "since", BOOK_TEXT, 0),
        };
        const json_t *alert;
        size_t i;

        book_sheet(book, &(BookSheet){.name = page_word(p, "alerts_unit"),
                                      .title = page_word(p, "alerts_unit"),
                                      .columns = columns,
                                      .n_columns = ALERT_COLUMNS,
                                      .has_filter = true});
        json_array_foreach(json_object_get(p->view, "alerts"), i, alert) add_alert(p, alert, book);
        note_source(p, book);
}

/* ---- one unit -------------------------------------------------------------------------------- */

static void add_chart(const Page *p, const json_t *chart, Book *book) {
        const char *name = text_at(chart, "name");
        int k = name ? config_indicator(p->call->app->config, name) : -1;
        unsigned decimals = k < 0 ? 2 : p->call->app->config->indicators[k].decimals;
        const BookColumn columns[] = {
                column(p, "period", BOOK_TEXT, 0),
                column(p, "value", BOOK_NUMBER, decimals),
                column(p, "delta", BOOK_CHANGE, decimals),
                column(p, "place", BOOK_COUNT, 0),
                column(p, "of", BOOK_COUNT, 0),
                column(p, "median", BOOK_NUMBER, decimals),
                column(p, "status", BOOK_TEXT, 0),
        };
        const json_t *row;
        size_t i;

        book_sheet(book, &(BookSheet){.name = text_at(chart, "label"),
                                      .title = text_at(chart, "label"),
                                      .subtitle = text_at(p->view, "title"),
                                      .columns = columns,
                                      .n_columns = ELEMENTSOF(columns),
                                      .is_portrait = true});
        json_array_foreach(json_object_get(chart, "periods"), i, row) {
                const char *era = text_at(row, "era"), *why = text_at(row, "why_no_delta");
                BookCell cells[] = {
                        text_cell(json_object_get(row, "period"), "label"),
                        value_cell(row, "value", decimals),
                        value_cell(row, "delta", decimals),
                        value_cell(row, "place", 0),
                        value_cell(row, "of", 0),
                        value_cell(row, "median", decimals),
                        text_cell(json_object_get(row, "period"), "status_label"),
                };

                if (why)
                        cells[2] = (BookCell){.text = str_or(era, why), .tone = BOOK_MUTED};
                book_row(book, cells, ELEMENTSOF(cells));
        }
        note_source(p, book);
}

static void add_revisions(const Page *p, Book *book) {
        const BookColumn columns[] = {
                column(p, "period", BOOK_TEXT, 0),   column(p, "indicator", BOOK_TEXT, 0),
                column(p, "old", BOOK_NUMBER, 2),    column(p, "new", BOOK_NUMBER, 2),
                column(p, "known", BOOK_INSTANT, 0),
        };
        const json_t *row;
        size_t i;

        book_sheet(book, &(BookSheet){.name = page_word(p, "restatements"),
                                      .title = page_word(p, "restatements"),
                                      .columns = columns,
                                      .n_columns = ELEMENTSOF(columns)});
        json_array_foreach(json_object_get(p->view, "revisions"), i, row) {
                const char *name = text_at(row, "name");

                book_row(book,
                         (BookCell[]){text_cell(row, "period"), text_cell(row, "label"),
                                      own_cell(p, row, "old_value", name),
                                      own_cell(p, row, "new_value", name), instant_cell(row, "at")},
                         ELEMENTSOF(columns));
        }
        note_source(p, book);
}

void page_unit_sheets(Page *p, Book *book, const void *what) {
        const json_t *chart;
        size_t i;

        (void) what;
        json_array_foreach(json_object_get(p->view, "charts"), i, chart) add_chart(p, chart, book);
        page_alert_sheet(p, book);
        add_revisions(p, book);
}

/* ---- sources and messages -------------------------------------------------------------------- */

/* A list of the view as a sheet: texts, counts and instants of these members. */
typedef struct Member {
        const char *word, *key;
        BookKind kind;
} Member;

static void add_list(const Page *p, Book *book, const char *name, const char *list,
                     const Member *members, size_t n) {
        BookColumn columns[BOOK_MAX_COLUMNS];
        BookCell cells[BOOK_MAX_COLUMNS];
        const json_t *row;
        size_t i;

        for (size_t k = 0; k < n; k++)
                columns[k] = column(p, members[k].word, members[k].kind, 0);
        book_sheet(book, &(BookSheet){.name = page_word(p, name),
                                      .title = page_word(p, name),
                                      .columns = columns,
                                      .n_columns = n,
                                      .has_filter = true});
        json_array_foreach(json_object_get(p->view, list), i, row) {
                for (size_t k = 0; k < n; k++)
                        cells[k] =
                                members[k].kind == BOOK_INSTANT ? instant_cell(row, members[k].key)
                                : members[k].kind == BOOK_COUNT ? value_cell(row, members[k].key, 0)
                                                                : text_cell(row, members[k].key);
                book_row(book, cells, n);
        }
        note_source(p, book);
}

void page_source_sheets(Page *p, Book *book, const void *what) {
        static const Member sources[] = {
                {"source", "label", BOOK_TEXT}, {"state", "state_text", BOOK_TEXT},
                {"last", "last", BOOK_INSTANT}, {"outcome", "outcome_text", BOOK_TEXT},
                {"next", "next", BOOK_INSTANT}, {"reason", "reason", BOOK_TEXT},
        };
        static const Member snapshots[] = {
                {"at", "at", BOOK_INSTANT},         {"source", "source", BOOK_TEXT},
                {"scope", "scope", BOOK_CODE},      {"period", "period", BOOK_CODE},
                {"state", "state_text", BOOK_TEXT}, {"reason", "reason", BOOK_TEXT},
                {"units", "units", BOOK_COUNT},     {"values", "values", BOOK_COUNT},
                {"bad", "bad", BOOK_COUNT},
        };
        static const Member deliveries[] = {
                {"at", "created", BOOK_INSTANT},    {"to", "recipient", BOOK_TEXT},
                {"channel", "channel", BOOK_TEXT},  {"subject", "subject", BOOK_TEXT},
                {"state", "state_text", BOOK_TEXT}, {"attempts", "attempts", BOOK_COUNT},
        };

        (void) what;
        add_list(p, book, "sources", "sources", sources, ELEMENTSOF(sources));
        add_list(p, book, "snapshots", "snapshots", snapshots, ELEMENTSOF(snapshots));
        add_list(p, book, "deliveries", "deliveries", deliveries, ELEMENTSOF(deliveries));
}

/* ---- the file -------------------------------------------------------------------------------- */

/* A fresh installation: a workbook without a sheet is none. */
static void say_empty(const Page *p, Book *book) {
        const BookColumn one = {.title = page_word(p, "status"), .kind = BOOK_TEXT};

        book_sheet(book,
                   &(BookSheet){.name = page_word(p, "league"), .columns = &one, .n_columns = 1});
        book_row(book, (BookCell[]){BOOK_STRING(page_word(p, "no_figures"))}, 1);
}

/* "chisod-league-2024-08.xlsx"; of a name only letters and digits: it goes into a header. */
static void set_filename(const Page *p, const char *stem) {
        const json_t *period = json_object_get(json_object_get(p->view, "ranking"), "period");
        const char *detail = str_or(text_at(p->view, "code"), str_or(text_at(period, "id"), ""));
        char *name = p->call->reply->filename;
        size_t size = sizeof(p->call->reply->filename);
        int n = snprintf(name, size, "chisod-%s", stem);

        for (const char *at = detail; *at && (size_t) n + 8 < size; at++)
                if ((*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') ||
                    (*at >= 'a' && *at <= 'z') || *at == '-') {
                        if (at == detail)
                                name[n++] = '-';
                        name[n++] = *at;
                }
        (void) snprintf(name + n, size - (size_t) n, ".xlsx");
}

int page_answer_book(Page *p, const char *stem, PageFill fill, const void *what) {
        CLEANUP(book_freep) Book *book = NULL;
        CLEANUP(buf_done) Buf file = BUF_INIT(BOOK_BYTES);
        ServeReply *reply = p->call->reply;
        PackageInfo info = {.title = text_at(p->view, "title"),
                            .author = text_at(p->view, "organization"),
                            .created_ms = p->call->view.at_ms};

        if (p->error < 0)
                return p->error;
        int r = book_new(&info, &book);
        if (r < 0)
                return r;
        if (is_true(p->view, "is_empty"))
                say_empty(p, book);
        else
                fill(p, book, what);
        r = book_finish(book, &file);
        if (r < 0)
                return r;
        buf_done(&reply->body);
        reply->body = file;
        file = BUF_INIT(0);
        reply->content_type = BOOK_TYPE;
        set_filename(p, stem);
        p->call->is_answered = true;
        return 0;
}
