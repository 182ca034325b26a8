/* Who stands where: the league table with its bars, and the heat table of all groups. Both are the
 * answer of /v1/ranking, dressed. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "answer/page-sheet.h"

#define ROWS "400" /* of one page; a province has at most a hundred and some communes */
#define SPARK_WIDTH 100.0
#define SPARK_HEIGHT 22.0

/* ---- bars ------------------------------------------------------------------------------------ */

static const IndicatorDef *find_indicator(const Page *p, const char *name) {
        int i = name ? config_indicator(p->call->app->config, name) : -1;

        return i < 0 ? NULL : p->call->app->config->indicators + i;
}

static double power_of_ten(unsigned n) {
        double x = 1;

        while (n-- > 0)
                x *= 10;
        return x;
}

static bool is_beyond(const IndicatorDef *def, double value, double limit) {
        return def->direction == DIRECTION_UP ? value < limit : value > limit;
}

/* `cell`: what the API says of one value ("value", "text"); gets its share of the maximum, the
 * limit and the step of the heat scale. */
static void dress_cell(Page *p, json_t *cell, const IndicatorDef *def) {
        const json_t *number = json_object_get(cell, "value");
        double scale = power_of_ten(def->decimals), max = (double) def->max / scale;
        int64_t limit = page_limit(p, def);
        double value = json_number_value(number), share = max > 0 ? value / max : 0;
        char text[VIEW_TEXT_MAX];

        page_set(p, cell, "label", json_string(view_indicator_label(p->call->app, def)));
        page_set(p, cell, "has_value", json_boolean(json_is_number(number)));
        page_share(p, cell, "width", value, max);
        page_set(p, cell, "has_limit", json_boolean(limit != VALUE_NONE && max > 0));
        page_set(p, cell, "is_beyond",
                 json_boolean(json_is_number(number) && limit != VALUE_NONE &&
                              is_beyond(def, value, (double) limit / scale)));
        page_set(p, cell, "heat",
                 json_integer(share >= 0.95   ? 4
                              : share >= 0.85 ? 3
                              : share >= 0.70 ? 2
                              : share >= 0.50 ? 1
                                              : 0));
        if (limit == VALUE_NONE)
                return;
        page_share(p, cell, "limit", (double) limit, (double) def->max);
        page_set(p, cell, "limit_text",
                 json_string(view_value_text(text, p->call->app, def, limit, DECIMAL_TRIM_WHOLE)));
}

/* The cells of a row, in the order that was asked for (an object has none). */
static void dress_with(Page *p, json_t *row, const IndicatorDef *const *with, size_t n) {
        json_t *members = json_object_get(row, "with");
        json_t *cells = page_list(p, row, "cells");

        for (size_t i = 0; i < n; i++) {
                json_t *cell = json_object_get(members, with[i]->name);

                if (!cell)
                        continue;
                dress_cell(p, cell, with[i]);
                page_add(p, cells, json_incref(cell));
        }
}

/* ---- moves and sparks ------------------------------------------------------------------------ */

static void dress_move(Page *p, json_t *row) {
        const json_t *move = json_object_get(row, "move");
        json_int_t n = json_integer_value(move);

        page_set(p, row, "has_move", json_boolean(json_is_integer(move)));
        page_set(p, row, "is_up", json_boolean(n > 0));
        page_set(p, row, "is_down", json_boolean(n < 0));
        page_set(p, row, "move_size", json_integer(n < 0 ? -n : n));
}

static void dress_delta(Page *p, json_t *row) {
        double delta = json_number_value(json_object_get(row, "delta"));
        const char *reason = json_string_value(json_object_get(row, "delta_reason"));

        page_set(p, row, "is_rise", json_boolean(delta > 0));
        page_set(p, row, "is_fall", json_boolean(delta < 0));
        page_set(p, row, "why_no_delta",
                 json_is_number(json_object_get(row, "delta"))
                         ? json_null()
                         : json_string(page_state_word(p, reason)));
}

static void trend_range(const json_t *trend, double *low, double *high) {
        const json_t *v;
        size_t i;

        *low = INFINITY;
        *high = -INFINITY;
        json_array_foreach(trend, i, v) {
                if (!json_is_number(v))
                        continue;
                *low = MIN(*low, json_number_value(v));
                *high = MAX(*high, json_number_value(v));
        }
        /* what hardly moves must not look like a mountain */
        if (*high - *low < 4) {
                double middle = (*high + *low) / 2;
                *low = middle - 2;
                *high = middle + 2;
        }
}

/* Points of the line, in tenths; a gap ends a line and begins the next. */
static void dress_trend(Page *p, json_t *row) {
        const json_t *trend = json_object_get(row, "trend"), *v;
        json_t *lines = page_list(p, row, "sparks");
        size_t i, n = json_array_size(trend), in_line = 0;
        CLEANUP(buf_done) Buf points = BUF_INIT(8192);
        double low, high;

        trend_range(trend, &low, &high);
        json_array_foreach(trend, i, v) {
                if (json_is_number(v)) {
                        double x = n > 1 ? SPARK_WIDTH * (double) i / (double) (n - 1) : 0;
                        double y = 2 + (SPARK_HEIGHT - 4) * (high - json_number_value(v)) /
                                               (high - low);
                        if (buf_printf(&points, "%ld,%ld ", lround(x * 10), lround(y * 10)) < 0)
                                p->error = -ENOMEM;
                        in_line++;
                }
                if (in_line > 0 && (!json_is_number(v) || i + 1 == n)) {
                        page_printf(p, page_row(p, lines), "points", "%s", buf_text(&points));
                        buf_clear(&points);
                        in_line = 0;
                }
        }
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void dress_row(Page *p, const PageTable *table, json_t *row) {
        const json_t *unit = json_object_get(row, "unit");

        page_unit_link(p, row, unit);
        dress_move(p, row);
        dress_delta(p, row);
        dress_trend(p, row);
        dress_with(p, row, table->with, table->n_with);
        page_set(p, row, "has_value", json_boolean(json_is_number(json_object_get(row, "value"))));
}

static void dress_ranking(Page *p, const PageTable *table, json_t *answer) {
        json_t *cohort, *row, *heads = page_list(p, p->view, "heads");
        size_t i, k;

        for (size_t h = 0; h < table->n_with; h++)
                page_set(p, page_row(p, heads), "label",
                         json_string(view_indicator_label(p->call->app, table->with[h])));
        json_array_foreach(json_object_get(answer, "cohorts"), i, cohort) {
                page_compared(p, cohort, cohort);
                json_array_foreach(json_object_get(cohort, "rows"), k, row)
                        dress_row(p, table, row);
        }
        page_instant(p, answer, "fetched");
        page_set(p, p->view, "ranking", json_incref(answer));
        page_set(p, p->view, "source", json_incref(answer));
        page_set(p, p->view, "n_heads", json_integer((json_int_t) table->n_with + 1));
}

static int ask_ranking(Page *p, const PageTable *table, json_t **ret) {
        CLEANUP(buf_done) Buf with = BUF_INIT(1024);
        ApiCall *c = p->call;

        for (size_t i = 0; i < table->n_with; i++) {
                int r = buf_printf(&with, "%s%s", i ? "," : "", table->with[i]->name);
                if (r < 0)
                        return r;
        }
        NameValue args[] = {
                {"indicator", table->indicator ? table->indicator->name : NULL},
                {"with", buf_text(&with)},
                {"period", api_query(c, "period")},
                {"kind", api_query(c, "kind")},
                {"parent", api_query(c, "parent")},
                {"limit", ROWS},
                {"offset", api_query(c, "offset")},
        };
        return page_ask(p, api_ranking, args, ELEMENTSOF(args), ret);
}

/* A fresh installation has no figures: that is no error of who looks. */
static bool is_just_empty(const Page *p) {
        return p->call->reply->status == 404 && !api_query(p->call, "period") &&
               !api_query(p->call, "indicator") && !api_query(p->call, "parent");
}

/* A period of which nothing is known is no page with an empty table. */
static int refuse_period(Page *p, const PageTable *table, const json_t *answer) {
        ApiCall *c = p->call;
        const char *label = view_indicator_label(c->app, table->indicator);
        const char *period =
                json_string_value(json_object_get(json_object_get(answer, "period"), "label"));
        char known[24];

        if (!c->view.is_past)
                (void) API_PROBLEM(c, 404, "Không có số liệu %s của %s.",
                                   "There are no figures of %s for %s.", label, period);
        else
                (void) API_PROBLEM(c, 404, "Lúc %s chưa có số liệu %s của %s.",
                                   "At %s there were no figures of %s for %s.",
                                   instant_format_vi(known, c->view.at_ms), label, period);
        return API_E_ANSWERED;
}

static bool is_of_nothing(const Page *p, const json_t *answer) {
        return json_array_size(json_object_get(answer, "cohorts")) == 0 &&
               api_query(p->call, "period") && !api_query(p->call, "kind") &&
               !api_query(p->call, "parent");
}

static int fill_ranking(Page *p, const PageTable *table) {
        json_t *answer = NULL;

        int r = ask_ranking(p, table, &answer);
        if (r == API_E_ANSWERED && is_just_empty(p)) {
                p->call->reply->status = 200;
                page_set(p, p->view, "is_empty", json_true());
                return p->error;
        }
        if (r != 0)
                return r;
        if (is_of_nothing(p, answer)) {
                r = refuse_period(p, table, answer);
                json_decref(answer);
                return r;
        }
        dress_ranking(p, table, answer);
        r = page_choose_period(
                p, table->indicator,
                json_string_value(json_object_get(json_object_get(answer, "period"), "id")));
        page_choose_indicator(p, table->indicator ? table->indicator->name : NULL);
        json_decref(answer);
        return r < 0 ? r : p->error;
}

/* ---- the two pages --------------------------------------------------------------------------- */

/* Beside the headline: what most rules watch. */
static void add_if_published(const Page *p, PageTable *table, const char *name) {
        const IndicatorDef *def = find_indicator(p, name);

        if (def && def->id != 0 && def != table->indicator)
                table->with[table->n_with++] = def;
}

static int make_league(Page *p, PageTable *table) {
        int r = api_find_indicator(p->call, api_query(p->call, "indicator"), &table->indicator);
        if (r != 0)
                return r;
        add_if_published(p, table, "progress");
        add_if_published(p, table, "digitization");
        r = fill_ranking(p, table);
        return r != 0 ? r : page_alerts(p, NULL, /* is_all= */ false);
}

static void fill_league(Page *p, Book *book, const void *table) {
        page_ranking_sheets(p, book, table);
        page_alert_sheet(p, book);
}

int page_league(ApiCall *c) {
        CLEANUP(page_done) Page p = {0};
        PageTable table = {0};

        int r = page_init(&p, c, "league");
        if (r == 0)
                r = make_league(&p, &table);
        if (r == 0 && page_is_book(&p))
                return page_answer_book(&p, "league", fill_league, &table);
        return r != 0 ? r : page_answer(&p, "league.html");
}

int page_heat(ApiCall *c) {
        CLEANUP(page_done) Page p = {0};
        PageTable table = {0};

        int r = page_init(&p, c, "heat");
        if (r == 0)
                r = api_find_indicator(c, api_query(c, "indicator"), &table.indicator);
        if (r != 0)
                return r;
        table.n_with = page_groups(&p, table.with);
        r = fill_ranking(&p, &table);
        if (r == 0 && page_is_book(&p))
                return page_answer_book(&p, "heat", page_ranking_sheets, &table);
        return r != 0 ? r : page_answer(&p, "heat.html");
}
