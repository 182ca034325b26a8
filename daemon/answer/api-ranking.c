/* The table: places, moves, changes, bands and short series of every cohort that has figures.
 *
 * Everything comes from panels of TREND periods that end with the one asked for; the same numbers
 * feed place, change and spark line, and an instant in the past changes nothing but the step that
 * the panels are loaded for. */
#include <errno.h>

#include "answer/api-call.h"
#include "core/delta.h"
#include "core/rank.h"
#include "store/store.h"

#define TREND 13u /* periods of the spark line: a year and its beginning */
#define MAX_WITH 8u
#define LAST (TREND - 1)
#define WITH_PERIODS 2u

typedef enum Sort { SORT_PLACE, SORT_DELTA, SORT_MOVE } Sort;

typedef struct Ranking {
        const IndicatorDef *indicator;
        const IndicatorDef *with[MAX_WITH];
        size_t n_with;
        PeriodId period;
        bool is_default_period;
        Sort sort;
        const char *kind;
        UnitId parent;
        Day day; /* names and codes are those of the period's last day */
} Ranking;

/* One cohort worked out. */
typedef struct Table {
        const ViewCohort *cohort;
        Panel *panel;
        Panel *with[MAX_WITH];
        uint32_t *place, *order;
        size_t of;
        bool has_moves;
        size_t n_before; /* units that had a value in the period before */
        RankMoves moves;
        const EraDef *era;
        bool is_running;
        size_t trend_start; /* first period of the spark line */
} Table;

static void table_done(Table *t) {
        panel_free(t->panel);
        for (size_t i = 0; i < MAX_WITH; i++)
                panel_free(t->with[i]);
        free(t->place);
        free(t->order);
        rank_moves_done(&t->moves);
}

/* Leading periods without any figure of the cohort are left out: a young installation has short
 * lines. */
static size_t trend_start(const Table *t) {
        size_t n = t->cohort->n, p = 0;

        for (; p < LAST; p++)
                for (size_t u = 0; u < n; u++)
                        if (t->panel->is_known[p * n + u])
                                return p;
        return p;
}

/* The cohort of the period before had units that are no more (a merger): they count against the 90 %,
 * though this period's table does not have them. */
static int compare_cohorts(const ApiCall *c, const Ranking *ranking, Table *t) {
        CLEANUP(panel_freep) Panel *before = NULL;
        ViewCohort all = {0};
        size_t n = 0;

        int r = view_cohort_of(&c->view, t->cohort->units[0], &all);
        if (r == 0)
                r = view_panel(&c->view, ranking->indicator, &all, period_previous(ranking->period),
                               1, &before);
        free(all.units);
        if (r != 0)
                return MIN(r, 0);
        for (size_t u = 0; u < before->n_units; u++)
                n += panel_at(before, 0, u) != VALUE_NONE;
        t->n_before = n;
        t->has_moves = t->moves.is_comparable && t->moves.of * 10 >= n * 9;
        return 0;
}

static int table_make(const ApiCall *c, const Ranking *ranking, const ViewCohort *cohort,
                      Table *t) {
        const IndicatorDef *def = ranking->indicator;
        size_t n = cohort->n;

        *t = (Table){.cohort = cohort};
        int r = view_panel(&c->view, def, cohort, ranking->period, TREND, &t->panel);
        for (size_t i = 0; r == 0 && i < ranking->n_with; i++)
                r = view_panel(&c->view, ranking->with[i], cohort, ranking->period, WITH_PERIODS,
                               &t->with[i]);
        if (r < 0)
                return r;

        t->place = calloc(n, sizeof(*t->place));
        t->order = calloc(n, sizeof(*t->order));
        if (!t->place || !t->order)
                return -ENOMEM;
        const int64_t *now = t->panel->value + LAST * n;
        r = rank_build(now, n, def->direction, t->place, &t->of);
        if (r == 0)
                r = rank_order(t->place, n, t->order);
        if (r < 0)
                return r;

        t->trend_start = trend_start(t);
        t->is_running = view_period_status(&c->view, def, ranking->period) == PERIOD_RUNNING;
        t->era = app_era_between(c->app, period_previous(ranking->period), ranking->period, def,
                                 cohort->parent);
        if (t->is_running || t->era)
                return 0;
        r = rank_moves(now - n, now, n, def->direction, &t->moves);
        return r < 0 ? r : compare_cohorts(c, ranking, t);
}

/* Bands grade the score of 100 points; a share of 90 % means something else for every indicator. */
static const char *band_of(const ApiCall *c, const IndicatorDef *def, int64_t value) {
        const Config *config = c->app->config;
        int64_t scaled = decimal_rescale(value, def->decimals, 2);

        if (value == VALUE_NONE || def->unit != INDICATOR_POINTS ||
            decimal_rescale(def->max, def->decimals, 0) != 100)
                return NULL;
        for (size_t i = 0; i < config->n_bands; i++)
                if (scaled >= config->bands[i].from)
                        return config->bands[i].label;
        return NULL;
}

static void write_delta(ApiCall *c, const IndicatorDef *def, const Delta *delta) {
        view_value(&c->out, "delta", c->app, def, delta->value, DECIMAL_SIGN);
        json_out_text(&c->out, "delta_reason", delta_reason_name(delta->reason));
        if (delta->era)
                json_out_text(&c->out, "era", delta->era->reason);
}

static void write_with(ApiCall *c, const Ranking *ranking, const Table *t, size_t u, Day from) {
        JsonOut *o = &c->out;

        json_out_object(o, "with");
        for (size_t i = 0; i < ranking->n_with; i++) {
                const IndicatorDef *def = ranking->with[i];
                const EraDef *era = app_era_between(c->app, period_previous(ranking->period),
                                                    ranking->period, def, t->cohort->parent);
                Delta delta = delta_make(t->with[i], WITH_PERIODS - 1, u, from, era, t->is_running);

                json_out_object(o, def->name);
                view_value(o, "value", c->app, def, panel_at(t->with[i], WITH_PERIODS - 1, u), 0);
                write_delta(c, def, &delta);
                json_out_end_object(o);
        }
        json_out_end_object(o);
}

static void write_trend(ApiCall *c, const Ranking *ranking, const Table *t, size_t u) {
        json_out_array(&c->out, "trend");
        for (size_t p = t->trend_start; p < TREND; p++)
                json_out_value(&c->out, NULL, panel_at(t->panel, p, u),
                               ranking->indicator->decimals);
        json_out_end_array(&c->out);
}

/* ---- the biggest falls first ----------------------------------------------------------------- */

typedef struct SortedRow {
        int64_t by;
        size_t i;
        uint32_t unit;
} SortedRow;

static int compare_sorted(const void *a, const void *b) {
        const SortedRow *x = a, *y = b;

        if (x->by != y->by)
                return x->by < y->by ? -1 : 1;
        return x->i < y->i ? -1 : 1;
}

static int64_t sort_key(const ApiCall *c, const Ranking *ranking, const Table *t, size_t u) {
        const Unit *unit = unit_get(&c->app->units, t->cohort->units[u]);

        if (ranking->sort == SORT_MOVE)
                return t->has_moves && t->moves.before[u] && t->moves.now[u]
                               ? (int64_t) t->moves.before[u] - t->moves.now[u]
                               : INT64_MAX;
        Delta delta =
                delta_make(t->panel, LAST, u, unit ? unit->from : DAY_EVER, t->era, t->is_running);
        return delta.value == VALUE_NONE ? INT64_MAX : delta.value;
}

/* Rows without a number stay last, by their places. */
static int sort_rows(const ApiCall *c, const Ranking *ranking, Table *t) {
        size_t n = t->cohort->n;

        if (ranking->sort == SORT_PLACE)
                return 0;
        CLEANUP_FREE SortedRow *rows = calloc(n + 1, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                rows[i] = (SortedRow){sort_key(c, ranking, t, t->order[i]), i, t->order[i]};
        qsort(rows, n, sizeof(*rows), compare_sorted);
        for (size_t i = 0; i < n; i++)
                t->order[i] = rows[i].unit;
        return 0;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void write_place(JsonOut *o, const char *key, uint32_t place) {
        if (place == 0)
                json_out_null(o, key);
        else
                json_out_int(o, key, place);
}

static void write_row(ApiCall *c, const Ranking *ranking, const Table *t, size_t u) {
        const IndicatorDef *def = ranking->indicator;
        const Unit *unit = unit_get(&c->app->units, t->cohort->units[u]);
        Day from = unit ? unit->from : DAY_EVER;
        int64_t value = panel_at(t->panel, LAST, u);
        Delta delta = delta_make(t->panel, LAST, u, from, t->era, t->is_running);
        uint32_t before = t->has_moves ? t->moves.before[u] : 0;
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        write_place(o, "place", t->place[u]);
        json_out_int(o, "of", (int64_t) t->of);
        write_place(o, "previous_place", before);
        if (before)
                json_out_int(o, "move", (int64_t) before - t->moves.now[u]);
        else
                json_out_null(o, "move");
        view_unit(o, "unit", &c->view, t->cohort->units[u], ranking->day);
        view_value(o, "value", c->app, def, value, 0);
        view_value(o, "previous", c->app, def, panel_at(t->panel, LAST - 1, u), 0);
        write_delta(c, def, &delta);
        json_out_text(o, "band", band_of(c, def, value));
        if (ranking->n_with > 0)
                write_with(c, ranking, t, u, from);
        write_trend(c, ranking, t, u);
        json_out_end_object(o);
}

static int write_cohort(ApiCall *c, const Ranking *ranking, const Table *t, size_t *skip,
                        size_t *left) {
        JsonOut *o = &c->out;
        const ViewCohort *cohort = t->cohort;
        int64_t median = VALUE_NONE;

        int r = rank_median(t->panel->value + LAST * cohort->n, cohort->n, /* min_count= */ 1,
                            &median);
        if (r < 0)
                return r;
        json_out_object(o, NULL);
        json_out_text(o, "kind", cohort->kind);
        view_unit(o, "parent", &c->view, cohort->parent, ranking->day);
        json_out_int(o, "units", (int64_t) cohort->n);
        json_out_int(o, "with_value", (int64_t) t->of);
        if (t->has_moves) {
                json_out_int(o, "move_of", (int64_t) t->moves.of);
                json_out_int(o, "previous_of", (int64_t) t->n_before);
        } else {
                json_out_null(o, "move_of");
                json_out_null(o, "previous_of");
        }
        view_value(o, "median", c->app, ranking->indicator, median, 0);
        json_out_array(o, "rows");
        for (size_t i = 0; i < cohort->n; i++) {
                if (*skip > 0) {
                        (*skip)--;
                        continue;
                }
                if (*left == 0)
                        break;
                (*left)--;
                write_row(c, ranking, t, t->order[i]);
        }
        json_out_end_array(o);
        json_out_end_object(o);
        return json_out_done(o);
}

static int write_cohorts(ApiCall *c, const Ranking *ranking, const ViewCohort *cohorts, size_t n) {
        size_t skip = c->offset, left = c->limit;
        int r = 0;

        json_out_array(&c->out, "cohorts");
        for (size_t i = 0; r == 0 && i < n; i++) {
                CLEANUP(table_done) Table table;

                r = table_make(c, ranking, cohorts + i, &table);
                if (r == 0)
                        r = sort_rows(c, ranking, &table);
                if (r == 0)
                        r = write_cohort(c, ranking, &table, &skip, &left);
        }
        json_out_end_array(&c->out);
        return r;
}

static int write_head(ApiCall *c, const Ranking *ranking, size_t total) {
        const SourceDef *source = view_source(&c->view, ranking->indicator);
        JsonOut *o = &c->out;
        int64_t fetched;

        int r = view_fetched(&c->view, ranking->indicator, ranking->period, &fetched);
        if (r < 0)
                return r;
        api_as_of(c);
        api_page(c, total);
        view_indicator(o, "indicator", &c->view, ranking->indicator);
        view_period(o, "period", &c->view, ranking->indicator, ranking->period);
        json_out_bool(o, "is_default_period", ranking->is_default_period);
        json_out_period(o, "previous_period", period_previous(ranking->period));
        json_out_object(o, "source");
        json_out_text(o, "name", source ? source->name : NULL);
        json_out_text(o, "label", source ? source->label : NULL);
        json_out_end_object(o);
        json_out_instant(o, "fetched", fetched);
        json_out_array(o, "with");
        for (size_t i = 0; i < ranking->n_with; i++)
                view_indicator(o, NULL, &c->view, ranking->with[i]);
        json_out_end_array(o);
        return 0;
}

/* A column that stands twice says nothing more, and as members of a row the two are one. */
static int check_once(ApiCall *c, const Ranking *ranking) {
        const IndicatorDef *newest = ranking->with[ranking->n_with];

        for (size_t i = 0; i < ranking->n_with; i++) {
                if (ranking->with[i] != newest)
                        continue;
                (void) API_ARGUMENT(c, 400, "with: %s có hai lần", "with: %s is given twice",
                                    newest->name);
                return API_E_ANSWERED;
        }
        return 0;
}

static int read_with(ApiCall *c, Ranking *ranking) {
        const char *list = api_query(c, "with");

        while (list && *list) {
                size_t n = strcspn(list, ",");
                char name[64];

                if (n >= sizeof(name) || ranking->n_with == MAX_WITH) {
                        (void) API_ARGUMENT(
                                c, 400, "with: nhiều nhất %u chỉ số, cách nhau bằng dấu phẩy",
                                "with: at most %u indicators, separated by commas", MAX_WITH);
                        return API_E_ANSWERED;
                }
                memcpy(name, list, n);
                name[n] = '\0';
                list += n + (list[n] == ',');
                if (n == 0)
                        continue;
                int r = api_find_indicator(c, name, &ranking->with[ranking->n_with]);
                if (r == 0)
                        r = check_once(c, ranking);
                if (r != 0)
                        return r;
                ranking->n_with++;
        }
        return 0;
}

static int read_period(ApiCall *c, Ranking *ranking) {
        int r = api_find_period(c, api_query(c, "period"), &ranking->period);

        if (r != 0 || ranking->period != 0)
                return r;
        ranking->is_default_period = true;
        r = view_default_period(&c->view, ranking->indicator, &ranking->period);
        if (r != STORE_E_NONE)
                return r;
        (void) API_PROBLEM(c, 404, "chưa có số liệu của chỉ số %s",
                           "there are no figures of %s yet", ranking->indicator->name);
        return API_E_ANSWERED;
}

static int read_sort(ApiCall *c, Ranking *ranking) {
        static const char *const names[] = {"place", "delta", "move"};
        const char *text = str_or(api_query(c, "sort"), "place");

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(text, names[i])) {
                        ranking->sort = (Sort) i;
                        return 0;
                }
        (void) API_ARGUMENT(c, 400, "sort=%s: place, delta hoặc move",
                            "sort=%s: place, delta or move", text);
        return API_E_ANSWERED;
}

static int read_request(ApiCall *c, Ranking *ranking) {
        int r = api_find_indicator(c, api_query(c, "indicator"), &ranking->indicator);
        if (r == 0)
                r = read_with(c, ranking);
        if (r == 0)
                r = read_sort(c, ranking);
        if (r == 0)
                r = read_period(c, ranking);
        if (r == 0)
                r = api_find_unit(c, api_query(c, "parent"), &ranking->parent);
        if (r == 0)
                r = api_check_kind(c, api_query(c, "kind"));
        if (r != 0)
                return r;
        ranking->kind = api_query(c, "kind");
        ranking->day = period_end(ranking->period) - 1;
        return 0;
}

int api_ranking(ApiCall *c) {
        Ranking ranking = {0};
        ViewCohort *cohorts = NULL;
        size_t n = 0, total = 0;

        int r = read_request(c, &ranking);
        if (r != 0)
                return r;
        ViewQuery query = {
                .indicator = ranking.indicator,
                .period = ranking.period,
                .kind = ranking.kind,
                .parent = ranking.parent,
        };
        r = view_cohorts(&c->view, &query, &cohorts, &n);
        if (r != 0)
                return r;
        for (size_t i = 0; i < n; i++)
                total += cohorts[i].n;

        json_out_object(&c->out, NULL);
        r = write_head(c, &ranking, total);
        if (r == 0)
                r = write_cohorts(c, &ranking, cohorts, n);
        json_out_end_object(&c->out);
        view_cohorts_free(cohorts, n);
        return r;
}
