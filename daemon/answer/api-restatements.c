/* Values that the publisher changed afterwards, newest first: of a closed period a restatement, with
 * all=1 also of a provisional or running one a revision (semantics 4). Places before and after are
 * those of the unit's cohort as of the step before and the step itself. */
#include <errno.h>

#include "answer/api-call.h"
#include "core/rank.h"
#include "store/figure.h"

#define CHUNK 500u

/* Places of one cohort as of one step, kept for the rows that follow: one step changes many. */
typedef struct Places {
        const IndicatorDef *indicator;
        PeriodId period;
        StepId step;
        ViewCohort cohort;
        Panel *panel;
        uint32_t *place;
        size_t of;
} Places;

static void places_done(Places *p) {
        free(p->cohort.units);
        panel_free(p->panel);
        free(p->place);
        *p = (Places){0};
}

static bool places_hold(const Places *p, const IndicatorDef *def, const RevisionRow *row,
                        StepId step) {
        return p->panel && p->indicator == def && p->period == row->period && p->step == step &&
               panel_unit(p->panel, row->unit) >= 0;
}

static int places_load(const ApiCall *c, const IndicatorDef *def, const RevisionRow *row,
                       StepId step, Places *p) {
        View then = c->view;

        if (places_hold(p, def, row, step))
                return 0;
        places_done(p);
        then.step = step;
        int r = view_cohort_of(&then, row->unit, &p->cohort);
        if (r == 0)
                r = view_panel(&then, def, &p->cohort, row->period, 1, &p->panel);
        if (r != 0)
                return r < 0 ? r : -EIO;
        p->place = calloc(p->panel->n_units + 1, sizeof(*p->place));
        if (!p->place)
                return -ENOMEM;
        p->indicator = def;
        p->period = row->period;
        p->step = step;
        return rank_build(p->panel->value, p->panel->n_units, def->direction, p->place, &p->of);
}

typedef struct Writer {
        ApiCall *c;
        Places before, after;
        size_t seen, written;
        bool has_all;
} Writer;

static void write_place(JsonOut *o, const char *key, const char *of_key, const Places *p,
                        UnitId unit) {
        int at = panel_unit(p->panel, unit);

        if (at >= 0 && p->place && p->place[at])
                json_out_int(o, key, p->place[at]);
        else
                json_out_null(o, key);
        json_out_int(o, of_key, (int64_t) p->of);
}

static int write_row(Writer *w, const IndicatorDef *def, const RevisionRow *row,
                     PeriodStatus status) {
        ApiCall *c = w->c;
        JsonOut *o = &c->out;

        int r = places_load(c, def, row, row->until - 1, &w->before);
        if (r == 0)
                r = places_load(c, def, row, row->until, &w->after);
        if (r < 0)
                return r;
        json_out_object(o, NULL);
        json_out_int(o, "step", row->until);
        json_out_instant(o, "at", row->at_ms);
        json_out_text(o, "cause", step_cause_name(row->cause));
        json_out_text(o, "kind", status == PERIOD_CLOSED ? "restatement" : "revision");
        json_out_period(o, "period", row->period);
        json_out_text(o, "status", period_status_name(status));
        json_out_text(o, "indicator", def->name);
        view_unit(o, "unit", &c->view, row->unit, period_end(row->period) - 1);
        view_value(o, "old", c->app, def, row->old_value, 0);
        json_out_text(o, "old_why", why_name(row->old_why));
        view_value(o, "new", c->app, def, row->new_value, 0);
        json_out_text(o, "new_why", why_name(row->new_why));
        write_place(o, "old_place", "old_of", &w->before, row->unit);
        write_place(o, "new_place", "new_of", &w->after, row->unit);
        json_out_end_object(o);
        return 0;
}

static const IndicatorDef *indicator_of(const Config *config, IndicatorId id) {
        for (size_t i = 0; i < config->n_indicators; i++)
                if (config->indicators[i].id == id)
                        return config->indicators + i;
        return NULL;
}

/* Closed or not is what the period was when the change came. */
static int take_row(Writer *w, const RevisionRow *row) {
        const IndicatorDef *def = indicator_of(w->c->app->config, row->indicator);
        View then = w->c->view;

        if (!def)
                return 0; /* no longer configured */
        then.today = day_of_instant(row->at_ms);
        PeriodStatus status = view_period_status(&then, def, row->period);
        if (!w->has_all && status != PERIOD_CLOSED)
                return 0;
        if (w->seen++ < w->c->offset || w->written >= w->c->limit)
                return 0;
        w->written++;
        return write_row(w, def, row, status);
}

static int write_all(Writer *w, RevisionFilter *filter) {
        int r = 0;

        filter->limit = CHUNK;
        for (size_t n = CHUNK; r == 0 && n == CHUNK && w->written < w->c->limit;
             filter->offset += CHUNK) {
                CLEANUP_FREE RevisionRow *rows = NULL;

                r = store_revisions(w->c->store, filter, &rows, &n);
                for (size_t i = 0; r == 0 && i < n; i++)
                        r = take_row(w, rows + i);
        }
        return r;
}

static int read_filter(ApiCall *c, RevisionFilter *filter) {
        const IndicatorDef *def = NULL;

        *filter = (RevisionFilter){.as_of = c->view.step};
        int r = api_find_period(c, api_query(c, "period"), &filter->period);
        if (r == 0)
                r = api_find_unit(c, api_query(c, "unit"), &filter->unit);
        if (r == 0 && api_query(c, "indicator"))
                r = api_find_indicator(c, api_query(c, "indicator"), &def);
        if (r == 0 && def)
                filter->indicator = def->id ? def->id : UINT32_MAX;
        return r;
}

int api_restatements(ApiCall *c) {
        Writer w = {.c = c, .has_all = api_flag(c, "all")};
        RevisionFilter filter;

        if (!api_query(c, "limit"))
                c->limit = 100;
        int r = read_filter(c, &filter);
        if (r != 0)
                return r;
        json_out_object(&c->out, NULL);
        api_as_of(c);
        json_out_array(&c->out, "restatements");
        r = write_all(&w, &filter);
        json_out_end_array(&c->out);
        json_out_int(&c->out, "limit", (int64_t) c->limit);
        json_out_int(&c->out, "offset", (int64_t) c->offset);
        json_out_end_object(&c->out);
        places_done(&w.before);
        places_done(&w.after);
        return r;
}
