/* One unit through time, newest period first; with vintages=1 every value that was ever known, when
 * it came and from which body. Places are those of the unit's whole cohort in each period. */
#include <errno.h>

#include "answer/api-call.h"
#include "core/delta.h"
#include "core/rank.h"
#include "store/figure.h"

#define HISTORY_DEFAULT 36u /* periods */
#define HISTORY_MAX 600u
#define LOOK_BACK 1u /* further periods in the panel, for the oldest change */

typedef struct History {
        const IndicatorDef *indicator;
        UnitId unit;
        PeriodId first, last; /* of the indicator's figures */
        ViewCohort cohort;
        Panel *panel;
        int me; /* index of the unit in the panel */
        bool has_vintages;
        uint32_t *place;
} History;

static void history_done(History *h) {
        free(h->cohort.units);
        panel_free(h->panel);
        free(h->place);
}

static bool part_holds(const PartDef *part, size_t indicator) {
        for (size_t i = 0; i < part->n_values; i++)
                if (part->values[i].indicator == indicator)
                        return true;
        for (size_t i = 0; i < part->n_parent_values; i++)
                if (part->parent_values[i].indicator == indicator)
                        return true;
        return false;
}

/* The part of its source that publishes the indicator, for a derived one its first operand; or NULL: the
 * body that a figure stands in is this part's, not just any of the snapshot. */
static const char *part_of(const Config *config, const IndicatorDef *def) {
        size_t indicator =
                def->derive == DERIVE_NONE ? (size_t) (def - config->indicators) : def->operand[0];
        const SourceDef *source = def->source >= 0 ? &config->sources[def->source] : NULL;

        for (size_t i = 0; source && i < source->n_parts; i++)
                if (part_holds(&source->parts[i], indicator))
                        return source->parts[i].name;
        return NULL;
}

static int write_vintages(ApiCall *c, const History *h, PeriodId period) {
        const SourceDef *source = view_source(&c->view, h->indicator);
        CLEANUP_FREE VintageRow *rows = NULL;
        JsonOut *o = &c->out;
        size_t n = 0;

        int r = store_vintages(c->store, period, h->indicator->id, h->unit,
                               part_of(c->app->config, h->indicator), &rows, &n);
        if (r < 0)
                return r;
        json_out_array(o, "vintages");
        for (size_t i = 0; i < n; i++) {
                const VintageRow *v = rows + i;

                if (c->view.step != 0 && v->from > c->view.step)
                        break; /* was not known then */
                bool is_ended = v->until > 0 && (c->view.step == 0 || v->until <= c->view.step);

                json_out_object(o, NULL);
                view_value(o, "value", c->app, h->indicator, v->value, 0);
                json_out_text(o, "why", why_name(v->why));
                json_out_int(o, "from", v->from);
                if (is_ended)
                        json_out_int(o, "until", v->until);
                else
                        json_out_null(o, "until");
                json_out_instant(o, "at", v->from_ms);
                if (v->snapshot)
                        json_out_int(o, "snapshot", v->snapshot);
                else
                        json_out_null(o, "snapshot");
                json_out_text(o, "source", v->snapshot && source ? source->name : NULL);
                json_out_text(o, "hash", v->hash[0] ? v->hash : NULL);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return 0;
}

static int write_figure(ApiCall *c, const History *h, PeriodId period) {
        FigureRow row;
        StepId from;

        int r = store_figure_get(c->store, period, h->indicator->id, h->unit, c->view.step, &row,
                                 &from);
        if (r < 0)
                return r;
        json_out_text(&c->out, "why", r == 0 ? why_name(row.why) : why_name(WHY_MISSING));
        if (r == 0)
                json_out_int(&c->out, "from", from);
        else
                json_out_null(&c->out, "from");
        return 0;
}

static int write_place(ApiCall *c, const History *h, size_t p) {
        const Panel *panel = h->panel;
        size_t of = 0;

        int r = rank_build(panel->value + p * panel->n_units, panel->n_units,
                           h->indicator->direction, h->place, &of);
        if (r < 0)
                return r;
        if (h->place[h->me])
                json_out_int(&c->out, "place", h->place[h->me]);
        else
                json_out_null(&c->out, "place");
        json_out_int(&c->out, "of", (int64_t) of);

        int64_t median = VALUE_NONE;
        r = rank_median(panel->value + p * panel->n_units, panel->n_units, /* min_count= */ 1,
                        &median);
        if (r < 0)
                return r;
        view_value(&c->out, "median", c->app, h->indicator, median, 0);
        return 0;
}

static int write_period(ApiCall *c, const History *h, size_t p) {
        const IndicatorDef *def = h->indicator;
        const Unit *unit = unit_get(&c->app->units, h->unit);
        PeriodId period = period_add(h->panel->first, (int) p);
        const EraDef *era =
                app_era_between(c->app, period_previous(period), period, def, h->cohort.parent);
        bool is_running = view_period_status(&c->view, def, period) == PERIOD_RUNNING;
        Delta delta = delta_make(h->panel, p, (size_t) h->me, unit->from, era, is_running);
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        view_period(o, "period", &c->view, def, period);
        view_value(o, "value", c->app, def, panel_at(h->panel, p, (size_t) h->me), 0);
        view_value(o, "delta", c->app, def, delta.value, DECIMAL_SIGN);
        json_out_text(o, "delta_reason", delta_reason_name(delta.reason));
        json_out_text(o, "era", delta.era ? delta.era->reason : NULL);
        int r = write_figure(c, h, period);
        if (r == 0)
                r = write_place(c, h, p);
        if (r == 0 && h->has_vintages)
                r = write_vintages(c, h, period);
        json_out_end_object(o);
        return r;
}

/* The panel's periods that the window wants: [offset, offset + limit) counted back from the newest.
 */
static int load_panel(ApiCall *c, History *h, size_t *ret_n) {
        size_t total = (size_t) period_distance(h->first, h->last) + 1;
        size_t n = MIN(api_window(c, total), HISTORY_MAX);

        if (n == 0) {
                *ret_n = 0;
                return 0;
        }
        int r = view_panel(&c->view, h->indicator, &h->cohort,
                           period_add(h->last, -(int) c->offset), n + LOOK_BACK, &h->panel);
        if (r != 0)
                return r;
        h->place = calloc(h->panel->n_units, sizeof(*h->place));
        if (!h->place)
                return -ENOMEM;
        h->me = panel_unit(h->panel, h->unit);
        *ret_n = n;
        return h->me < 0 ? -EINVAL : 0;
}

static int write_history(ApiCall *c, History *h) {
        JsonOut *o = &c->out;
        size_t n = 0;

        int r = load_panel(c, h, &n);
        if (r < 0)
                return r;
        json_out_object(o, NULL);
        api_as_of(c);
        api_page(c, (size_t) period_distance(h->first, h->last) + 1);
        view_unit(o, "unit", &c->view, h->unit, c->view.today);
        view_indicator(o, "indicator", &c->view, h->indicator);
        r = api_unit_kin(c, h->unit);
        json_out_array(o, "periods");
        for (size_t i = 0; r == 0 && i < n; i++)
                r = write_period(c, h, n + LOOK_BACK - 1 - i);
        json_out_end_array(o);
        json_out_end_object(o);
        return r;
}

static int no_figures(ApiCall *c, const IndicatorDef *def) {
        (void) API_PROBLEM(c, 404, "chưa có số liệu của chỉ số %s",
                           "there are no figures of %s yet", def->name);
        return API_E_ANSWERED;
}

/* "month" and the like; NULL is the type of the newest figures. */
static int find_type(ApiCall *c, const IndicatorDef *def, PeriodType *ret) {
        const char *text = api_query(c, "type");
        PeriodId newest;

        if (text && period_type_parse(text, ret) == 0)
                return 0;
        if (text) {
                (void) API_ARGUMENT(c, 400, "type \"%s\": month, quarter, half hoặc year",
                                    "type \"%s\": month, quarter, half or year", text);
                return API_E_ANSWERED;
        }
        int r = view_default_period(&c->view, def, &newest);
        if (r == STORE_E_NONE)
                return no_figures(c, def);
        *ret = period_type(newest);
        return r;
}

int api_history(ApiCall *c) {
        CLEANUP(history_done) History h = {.has_vintages = api_flag(c, "vintages")};
        PeriodType type = PERIOD_MONTH;

        if (!api_query(c, "unit"))
                return API_ARGUMENT(c, 400, "thiếu unit=", "unit= is missing");
        int r = api_find_unit(c, api_query(c, "unit"), &h.unit);
        if (r == 0)
                r = api_find_indicator(c, api_query(c, "indicator"), &h.indicator);
        if (r == 0)
                r = find_type(c, h.indicator, &type);
        if (r != 0)
                return r;
        r = h.indicator->id == 0 || c->view.is_empty
                    ? STORE_E_NONE
                    : store_period_range(c->store, h.indicator->id, type,
                                         h.has_vintages ? STEP_EVER : c->view.step, &h.first,
                                         &h.last);
        if (r == STORE_E_NONE)
                return no_figures(c, h.indicator);
        if (r == 0)
                r = view_cohort_of(&c->view, h.unit, &h.cohort);
        if (r != 0)
                return r;
        if (!api_query(c, "limit"))
                c->limit = HISTORY_DEFAULT;
        return write_history(c, &h);
}

/* ---- periods --------------------------------------------------------------------------------- */

static int count_units(const View *v, const IndicatorDef *def, PeriodId period, size_t *ret_units,
                       size_t *ret_of) {
        ViewQuery query = {.indicator = def, .period = period};
        ViewCohort *cohorts = NULL;
        size_t n = 0;

        *ret_units = *ret_of = 0;
        int r = view_cohorts(v, &query, &cohorts, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                CLEANUP(panel_freep) Panel *panel = NULL;

                r = view_panel(v, def, cohorts + i, period, 1, &panel);
                if (r < 0)
                        break;
                *ret_of += panel->n_units;
                for (size_t u = 0; u < panel->n_units; u++)
                        *ret_units += panel_at(panel, 0, u) != VALUE_NONE;
        }
        view_cohorts_free(cohorts, n);
        return MIN(r, 0);
}

static int write_one_period(ApiCall *c, const IndicatorDef *def, PeriodId period) {
        size_t units = 0, of = 0;
        int64_t fetched = 0;

        int r = count_units(&c->view, def, period, &units, &of);
        if (r == 0)
                r = view_fetched(&c->view, def, period, &fetched);
        if (r < 0)
                return r;
        json_out_object(&c->out, NULL);
        view_period_members(&c->out, &c->view, def, period);
        json_out_int(&c->out, "with_value", (int64_t) units);
        json_out_int(&c->out, "units", (int64_t) of);
        json_out_instant(&c->out, "fetched", fetched);
        json_out_end_object(&c->out);
        return 0;
}

int api_periods(ApiCall *c) {
        const char *text = api_query(c, "type");
        const IndicatorDef *def;
        PeriodType only = 0;
        size_t seen = 0, written = 0;

        int r = api_find_indicator(c, api_query(c, "indicator"), &def);
        if (r == 0 && text)
                r = find_type(c, def, &only);
        if (r != 0)
                return r;

        json_out_object(&c->out, NULL);
        api_as_of(c);
        view_indicator(&c->out, "indicator", &c->view, def);
        json_out_array(&c->out, "periods");
        for (PeriodType type = PERIOD_MONTH; type <= PERIOD_YEAR; type++) {
                PeriodId first, last;

                if ((only && type != only) || def->id == 0 || c->view.is_empty)
                        continue;
                r = store_period_range(c->store, def->id, type, c->view.step, &first, &last);
                if (r < 0)
                        return r;
                for (; r == 0 && last >= first && written < c->limit;
                     last = period_previous(last)) {
                        if (seen++ < c->offset)
                                continue;
                        r = write_one_period(c, def, last);
                        written++;
                }
                if (r < 0)
                        return r;
        }
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        return 0;
}
