/* One unit: its lines over 13 periods beside the cohort's median and the limit, the groups as a
 * radar, its alerts, and what was revised.
 *
 * Charts place everything in percent of the width and in pixels of the height, so that they fill
 * any screen and their words keep their size; a path with a viewBox would scale them away on a
 * telephone. Lines are single segments: one is left out where a value is missing or where an era
 * begins. */
#include <errno.h>
#include <math.h>

#include "answer/page-sheet.h"

#define PERIODS "13"
#define TOP 14.0 /* pixels */
#define HEIGHT 150.0
#define LEFT 7.0 /* percent, beside the numbers of the grid */
#define WIDTH 90.0
#define RADIUS 80.0
#define SETTLE_DAYS 3 /* until then a running figure becomes that of an ended period */

/* ---- one chart ------------------------------------------------------------------------------- */

typedef struct Chart {
        const IndicatorDef *indicator;
        json_t *o;       /* borrowed: what the template sees */
        json_t *periods; /* newest first, as the API has them */
        size_t n;
        double low, high, limit;
        bool has_limit;
} Chart;

/* Index 0 is the oldest. */
static json_t *period_at(const Chart *chart, size_t i) {
        return json_array_get(chart->periods, chart->n - 1 - i);
}

static double value_of(const json_t *row, const char *key) {
        const json_t *v = json_object_get(row, key);

        return json_is_number(v) ? json_number_value(v) : NAN;
}

static void widen(Chart *chart, double v) {
        if (isnan(v))
                return;
        chart->low = MIN(chart->low, v);
        chart->high = MAX(chart->high, v);
}

/* Whole tens that hold everything, at least ten apart. */
static void set_range(Chart *chart) {
        chart->low = INFINITY;
        chart->high = -INFINITY;
        for (size_t i = 0; i < chart->n; i++) {
                widen(chart, value_of(period_at(chart, i), "value"));
                widen(chart, value_of(period_at(chart, i), "median"));
                widen(chart, value_of(period_at(chart, i), "was"));
        }
        if (chart->has_limit)
                widen(chart, chart->limit);
        if (chart->low > chart->high) {
                chart->low = 0;
                chart->high = 100;
        }
        double step = chart->high - chart->low > 200 ? 100 : 10;
        chart->low = floor(chart->low / step) * step;
        chart->high = ceil(chart->high / step) * step;
        if (chart->high <= chart->low)
                chart->high = chart->low + step;
}

/* ---- what was revised ------------------------------------------------------------------------ */

static bool vintage_at(const json_t *vintage, int64_t *ret_ms) {
        const char *text = json_string_value(json_object_get(vintage, "at"));

        return text && instant_parse(text, ret_ms) == 0;
}

/* A running figure changes every day, and once more when its period has ended: neither is a
 * revision. */
static bool is_revision(const json_t *row, const json_t *before, const json_t *vintage) {
        const char *end = json_string_value(json_object_get(json_object_get(row, "period"), "end"));
        int64_t before_ms, at_ms;
        Day day;

        if (!end || day_parse(end, &day) < 0 || !vintage_at(before, &before_ms) ||
            !vintage_at(vintage, &at_ms))
                return false;
        return at_ms >= day_start_ms(day + (before_ms < day_start_ms(day) ? SETTLE_DAYS : 0));
}

/* The row's "revisions", oldest first, and "was": the value before the first of them. */
static void find_revisions(Page *p, json_t *row) {
        json_t *list = page_list(p, row, "revisions"), *vintage;
        const json_t *before = NULL;
        size_t i;

        json_array_foreach(json_object_get(row, "vintages"), i, vintage) {
                if (before && is_revision(row, before, vintage)) {
                        json_t *o = page_row(p, list);

                        page_set(p, o, "old", json_incref(json_object_get(before, "text")));
                        page_set(p, o, "new", json_incref(json_object_get(vintage, "text")));
                        page_set(p, o, "old_value", json_incref(json_object_get(before, "value")));
                        page_set(p, o, "new_value", json_incref(json_object_get(vintage, "value")));
                        page_set(p, o, "at", json_incref(json_object_get(vintage, "at")));
                        page_instant(p, o, "at");
                        if (json_array_size(list) == 1)
                                page_set(p, row, "was",
                                         json_incref(json_object_get(before, "value")));
                }
                before = vintage;
        }
}

/* Those of one chart below those of the others, for the table. */
static void add_revisions(Page *p, const Chart *chart, json_t *list) {
        json_t *row, *revision;
        size_t i, k;

        json_array_foreach(chart->periods, i, row)
                json_array_foreach(json_object_get(row, "revisions"), k, revision) {
                json_t *o = page_row(p, list);

                page_set(p, o, "label", json_incref(json_object_get(chart->o, "label")));
                page_set(p, o, "period",
                         json_incref(json_object_get(json_object_get(row, "period"), "label")));
                page_set(p, o, "old", json_incref(json_object_get(revision, "old")));
                page_set(p, o, "new", json_incref(json_object_get(revision, "new")));
                page_set(p, o, "old_value", json_incref(json_object_get(revision, "old_value")));
                page_set(p, o, "new_value", json_incref(json_object_get(revision, "new_value")));
                page_set(p, o, "name", json_incref(json_object_get(chart->o, "name")));
                page_set(p, o, "at_text", json_incref(json_object_get(revision, "at_text")));
                page_set(p, o, "at", json_incref(json_object_get(revision, "at")));
        }
}

/* ---- the picture ----------------------------------------------------------------------------- */

static double x_of(const Chart *chart, size_t i) {
        return chart->n > 1 ? LEFT + WIDTH * (double) i / (double) (chart->n - 1) : 50;
}

static double y_of(const Chart *chart, double v) {
        return TOP + HEIGHT * (chart->high - v) / (chart->high - chart->low);
}

/* Numbers in attributes have a dot, whatever the locale. */
static void set_number(Page *p, json_t *o, const char *key, double v) {
        long tenths = lround(v * 10);

        page_printf(p, o, key, "%s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths) / 10,
                    labs(tenths) % 10);
}

static bool is_era(const json_t *row) {
        const char *reason = json_string_value(json_object_get(row, "delta_reason"));

        return reason && streq(reason, "era");
}

static void add_segments(Page *p, const Chart *chart, const char *list_key, const char *key) {
        json_t *list = page_list(p, chart->o, list_key);

        for (size_t i = 1; i < chart->n; i++) {
                double a = value_of(period_at(chart, i - 1), key);
                double b = value_of(period_at(chart, i), key);

                if (isnan(a) || isnan(b) || is_era(period_at(chart, i)))
                        continue;
                json_t *o = page_row(p, list);
                set_number(p, o, "x1", x_of(chart, i - 1));
                set_number(p, o, "y1", y_of(chart, a));
                set_number(p, o, "x2", x_of(chart, i));
                set_number(p, o, "y2", y_of(chart, b));
        }
}

static bool is_closed(const json_t *row) {
        const char *status =
                json_string_value(json_object_get(json_object_get(row, "period"), "status"));

        return status && streq(status, "closed");
}

/* A figure that was revised says what it was before: a small mark there, and the line between. One
 * that is no longer published leaves that mark alone. */
static void add_dot(Page *p, const Chart *chart, size_t i, json_t *dots, json_t *gone) {
        json_t *row = period_at(chart, i), *revisions = json_object_get(row, "revisions");
        double v = value_of(row, "value"), was = value_of(row, "was");

        if (isnan(v) && isnan(was))
                return;
        json_t *o = page_row(p, isnan(v) ? gone : dots);
        set_number(p, o, "x", x_of(chart, i));
        if (!isnan(v))
                set_number(p, o, "y", y_of(chart, v));
        page_set(p, o, "is_hollow", json_boolean(!is_closed(row)));
        page_set(p, o, "text", json_incref(json_object_get(row, "text")));
        page_set(p, o, "period",
                 json_incref(json_object_get(json_object_get(row, "period"), "label")));
        page_set(p, o, "is_revised", json_boolean(json_array_size(revisions) > 0));
        page_set(p, o, "revisions", json_incref(revisions));
        page_set(p, o, "has_was", json_boolean(!isnan(was)));
        if (!isnan(was))
                set_number(p, o, "was_y", y_of(chart, was));
}

static void add_dots(Page *p, const Chart *chart) {
        json_t *dots = page_list(p, chart->o, "dots"), *gone = page_list(p, chart->o, "gone");

        for (size_t i = 0; i < chart->n; i++)
                add_dot(p, chart, i, dots, gone);
}

/* "8/2024" under every period; every second one is left out on narrow screens. */
static void add_ticks(Page *p, const Chart *chart) {
        json_t *list = page_list(p, chart->o, "ticks");

        for (size_t i = 0; i < chart->n; i++) {
                const json_t *period = json_object_get(period_at(chart, i), "period");
                const char *id = str_or(json_string_value(json_object_get(period, "id")), "");
                json_t *o = page_row(p, list);
                PeriodId parsed = 0;

                set_number(p, o, "x", x_of(chart, i));
                page_set(p, o, "is_minor", json_boolean((chart->n - 1 - i) % 3 != 0));
                if (period_parse(id, &parsed) == 0 && period_type(parsed) == PERIOD_MONTH)
                        page_printf(p, o, "text", "%d/%02d", parsed % 100, parsed / 1000 % 100);
                else
                        page_printf(p, o, "text", "%s", id);
        }
}

/* Where lines are cut, and why. */
static void add_eras(Page *p, const Chart *chart) {
        json_t *list = page_list(p, chart->o, "eras");

        for (size_t i = 1; i < chart->n; i++) {
                const json_t *row = period_at(chart, i);

                if (!is_era(row))
                        continue;
                json_t *o = page_row(p, list);
                set_number(p, o, "x", (x_of(chart, i - 1) + x_of(chart, i)) / 2);
                page_set(p, o, "reason", json_incref(json_object_get(row, "era")));
        }
}

static void add_axis(Page *p, const Chart *chart) {
        char text[VIEW_TEXT_MAX];
        json_t *list = page_list(p, chart->o, "grid");
        const double at[] = {chart->low, (chart->low + chart->high) / 2, chart->high};

        for (size_t i = 0; i < ELEMENTSOF(at); i++) {
                json_t *o = page_row(p, list);
                set_number(p, o, "y", y_of(chart, at[i]));
                set_number(p, o, "label_y", y_of(chart, at[i]) - 3);
                page_printf(p, o, "text", "%ld", lround(at[i]));
        }
        page_set(p, chart->o, "has_limit", json_boolean(chart->has_limit));
        if (!chart->has_limit)
                return;
        set_number(p, chart->o, "limit_y", y_of(chart, chart->limit));
        page_set(p, chart->o, "limit_text",
                 json_string(view_value_text(text, p->call->app, chart->indicator,
                                             page_limit(p, chart->indicator), DECIMAL_TRIM_WHOLE)));
}

/* The same figures as a table: what a picture says must be readable too. */
static void dress_periods(Page *p, const Chart *chart) {
        json_t *row;
        size_t i;

        json_array_foreach(chart->periods, i, row) {
                const char *reason = json_string_value(json_object_get(row, "delta_reason"));
                double delta = value_of(row, "delta");

                page_set(p, row, "has_value", json_boolean(!isnan(value_of(row, "value"))));
                page_set(p, row, "is_rise", json_boolean(delta > 0));
                page_set(p, row, "is_fall", json_boolean(delta < 0));
                page_set(p, row, "why_no_delta",
                         isnan(delta) ? json_string(page_state_word(p, reason)) : json_null());
        }
        page_set(p, chart->o, "periods", json_incref(chart->periods));
}

static void draw(Page *p, Chart *chart) {
        int64_t limit = page_limit(p, chart->indicator);
        double scale = pow(10, chart->indicator->decimals);

        chart->has_limit = limit != VALUE_NONE;
        chart->limit = chart->has_limit ? (double) limit / scale : 0;
        for (size_t i = 0; i < chart->n; i++)
                find_revisions(p, period_at(chart, i));
        set_range(chart);
        add_axis(p, chart);
        add_segments(p, chart, "line", "value");
        add_segments(p, chart, "median_line", "median");
        add_dots(p, chart);
        add_ticks(p, chart);
        add_eras(p, chart);
        dress_periods(p, chart);
        page_set(p, chart->o, "label",
                 json_string(view_indicator_label(p->call->app, chart->indicator)));
        page_set(p, chart->o, "name", json_string(chart->indicator->name));
}

/* ---- the radar ------------------------------------------------------------------------------- */

/* Newest value (or median) of the chart, as a share of the indicator's maximum. */
static double newest_share(const Chart *chart, const char *key) {
        double max = (double) chart->indicator->max / pow(10, chart->indicator->decimals);
        double v = value_of(json_array_get(chart->periods, 0), key);

        return isnan(v) || max <= 0 ? NAN : CLAMP(v / max, 0.0, 1.0);
}

static void add_axis_label(Page *p, json_t *axes, const Chart *chart, double angle) {
        const IndicatorDef *def = chart->indicator;
        json_t *o = page_row(p, axes);
        double side = cos(angle);

        set_number(p, o, "x", RADIUS * cos(angle));
        set_number(p, o, "y", RADIUS * sin(angle));
        set_number(p, o, "label_x", (RADIUS + 10) * cos(angle));
        set_number(p, o, "label_y", (RADIUS + 22) * sin(angle) - 3);
        page_set(p, o, "anchor",
                 json_string(side > 0.1    ? "start"
                             : side < -0.1 ? "end"
                                           : "middle"));
        page_set(p, o, "label",
                 json_string(page_is_vi(p) && def->brief
                                     ? def->brief
                                     : view_indicator_label(p->call->app, def)));
        page_set(p, o, "text",
                 json_incref(json_object_get(json_array_get(chart->periods, 0), "text")));
}

static double axis_angle(size_t i, size_t n) {
        return -M_PI / 2 + 2 * M_PI * (double) i / (double) n;
}

static void add_shape(Page *p, json_t *radar, const char *key, const Chart *charts, size_t n,
                      const char *of) {
        CLEANUP(buf_done) Buf points = BUF_INIT(1024);

        for (size_t i = 0; i < n; i++) {
                double angle = axis_angle(i, n), share = newest_share(charts + i, of);

                if (isnan(share))
                        continue;
                if (buf_printf(&points, "%ld,%ld ", lround(RADIUS * share * cos(angle)),
                               lround(RADIUS * share * sin(angle))) < 0)
                        p->error = -ENOMEM;
        }
        page_printf(p, radar, key, "%s", buf_text(&points));
}

static void add_radar(Page *p, const Chart *charts, size_t n) {
        if (n < 3) /* two axes make no figure */
                return;
        json_t *radar = page_object(p, p->view, "radar"), *axes = page_list(p, radar, "axes");
        for (size_t i = 0; i < n; i++)
                add_axis_label(p, axes, charts + i, axis_angle(i, n));
        add_shape(p, radar, "points", charts, n, "value");
        add_shape(p, radar, "median_points", charts, n, "median");
}

/* ---- the page -------------------------------------------------------------------------------- */

#define MAX_CHARTS 7u

typedef struct UnitPage {
        Page *page;
        const char *unit; /* key */
        Chart charts[MAX_CHARTS];
        size_t n, n_groups;
        json_t *list, *revisions;
} UnitPage;

static bool has_any_value(const json_t *periods) {
        const json_t *row;
        size_t i;

        json_array_foreach(periods, i, row) if (!isnan(value_of(row, "value"))) return true;
        return false;
}

/* A unit that is not ranked by an indicator simply has no chart of it. */
static int add_chart(UnitPage *u, const IndicatorDef *def) {
        NameValue args[] = {{"unit", u->unit},
                            {"indicator", def->name},
                            {"type", api_query(u->page->call, "type")},
                            {"limit", PERIODS},
                            {"vintages", "1"}};
        ServeReply *reply = u->page->call->reply;
        json_t *answer = NULL;

        int r = page_ask(u->page, api_history, args, ELEMENTSOF(args), &answer);
        if (r == API_E_ANSWERED && reply->status == 404) {
                reply->status = 200;
                return 0;
        }
        if (r != 0)
                return r;
        if (!has_any_value(json_object_get(answer, "periods"))) {
                json_decref(answer);
                return 0;
        }
        Chart *chart = u->charts + u->n;
        *chart = (Chart){.indicator = def,
                         .o = page_row(u->page, u->list),
                         .periods = json_object_get(answer, "periods")};
        chart->n = json_array_size(chart->periods);
        draw(u->page, chart); /* keeps the periods alive in its object */
        add_revisions(u->page, chart, u->revisions);
        u->n++;
        json_decref(answer);
        return u->page->error;
}

/* What most people come for, in one line: the newest figure of the headline indicator. */
static void add_headline(UnitPage *u) {
        const Chart *chart = u->charts;
        json_t *row = u->n > 0 ? json_array_get(chart->periods, 0) : NULL;

        if (!row || isnan(value_of(row, "value")))
                return;
        json_t *o = page_object(u->page, u->page->view, "headline");
        page_set(u->page, o, "label", json_incref(json_object_get(chart->o, "label")));
        page_set(u->page, o, "now", json_incref(row));
}

static int fill_charts(UnitPage *u) {
        const IndicatorDef *groups[6], *headline = view_default_indicator(&u->page->call->view);
        size_t n = page_groups(u->page, groups);
        int r = headline && headline->id != 0 ? add_chart(u, headline) : 0;
        size_t first = u->n;

        add_headline(u);
        for (size_t i = 0; r == 0 && i < n; i++)
                if (groups[i] != headline)
                        r = add_chart(u, groups[i]);
        if (r == 0)
                add_radar(u->page, u->charts + first, u->n - first);
        return r;
}

static int fill_unit(UnitPage *u, UnitId id) {
        Page *p = u->page;
        const View *v = &p->call->view;
        const Unit *unit = unit_get(&p->call->app->units, id);

        u->unit = unit->key;
        page_set(p, p->view, "is_one_unit", json_true());
        u->list = page_list(p, p->view, "charts");
        u->revisions = page_list(p, p->view, "revisions");
        page_set(p, p->view, "title", json_string(app_unit_label(p->call->app, id, v->today)));
        page_set(p, p->view, "key", json_string(unit->key));
        page_set(p, p->view, "code", json_string(unit_code_on(&p->call->app->units, id, v->today)));
        if (unit->parent)
                page_set(p, p->view, "parent",
                         json_string(app_unit_label(p->call->app, unit->parent, v->today)));
        int r = fill_charts(u);
        if (r == 0)
                r = page_alerts(p, unit->key, /* is_all= */ true);
        page_set(p, p->view, "has_charts", json_boolean(u->n > 0));
        page_set(p, p->view, "has_revisions", json_boolean(json_array_size(u->revisions) > 0));
        return r;
}

int page_unit(ApiCall *c) {
        CLEANUP(page_done) Page p = {0};
        UnitPage u = {.page = &p};
        UnitId id;

        int r = page_init(&p, c, "unit_page");
        if (r == 0)
                r = api_find_unit(c, c->arg[0], &id);
        if (r == 0)
                r = fill_unit(&u, id);
        if (r == 0)
                r = page_source(&p);
        if (r == 0 && page_is_book(&p))
                return page_answer_book(&p, "unit", page_unit_sheets, NULL);
        return r != 0 ? r : page_answer(&p, "unit.html");
}
