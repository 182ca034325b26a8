/* What one rule and cohort are judged on: stored episodes, and panels from where no run is open.
 *
 * Panels are read through the writing connection, so that figures written a moment ago in the same
 * transaction are seen and a rollback forgets both. Only the period that a snapshot has just
 * published is taken from its rows: reading them back was two thirds of a national judgement. */
#include <errno.h>

#include "flow/judge-private.h"
#include "store/alert.h"
#include "store/figure.h"

#define PANEL_MAX_PERIODS 400 /* 33 years of months */

void judge_work_done(CohortWork *w) {
        if (w->value)
                panel_free(w->value);
        if (w->volume)
                panel_free(w->volume);
        free(w->is_watched);
        free(w->is_restated);
        store_episodes_free(w->stored, w->n_stored);
}

static int load_stored(CohortWork *w, PeriodId touched) {
        EpisodeFilter filter = {.rule = w->rule->name,
                                .units = w->cohort->ids,
                                .n_units = w->cohort->n,
                                .is_live = true,
                                .touched_from = touched};
        return store_episodes(w->app->store, &filter, &w->stored, &w->n_stored);
}

int judge_load_runs(CohortWork *w, PeriodId touched, PeriodId *ret_from) {
        for (PeriodId from = touched;;) {
                store_episodes_free(w->stored, w->n_stored);
                w->stored = NULL;
                w->n_stored = 0;
                int r = load_stored(w, from);
                if (r < 0)
                        return r;
                PeriodId earlier = engine_fold_from(w->stored, w->n_stored, touched, w->newest);
                if (earlier >= from) {
                        *ret_from = earlier;
                        return 0;
                }
                from = earlier;
        }
}

static int max_lookback(const RuleTexts *t) {
        int n = 1; /* the previous value is part of every transition */
        for (size_t i = 0; i < t->n; i++)
                n = MAX(n, rule_lookback(t->versions[i].rule));
        return n;
}

/* The rows of one indicator among those of the scope. */
static const FigureRow *rows_of(const JudgeScope *scope, IndicatorId id, size_t *ret_n) {
        size_t lo = 0, hi = scope->n_rows;
        while (lo < hi) {
                size_t middle = lo + (hi - lo) / 2;
                if (scope->rows[middle].indicator < id)
                        lo = middle + 1;
                else
                        hi = middle;
        }
        size_t from = lo;
        while (lo < scope->n_rows && scope->rows[lo].indicator == id)
                lo++;
        *ret_n = lo - from;
        return scope->rows + from;
}

/* From what this step published; false when it does not speak of every unit of the cohort. */
static bool fill_published(const CohortWork *w, IndicatorId id, size_t period, Panel *panel) {
        size_t n = 0, k = 0;
        const FigureRow *rows = rows_of(w->scope, id, &n);
        for (size_t i = 0; i < w->cohort->n; i++) {
                while (k < n && rows[k].unit < w->cohort->ids[i])
                        k++;
                if (k == n || rows[k].unit != w->cohort->ids[i])
                        return false;
                size_t at = period * panel->n_units + w->cohort->place[i];
                panel->value[at] = rows[k].value;
                panel->is_known[at] = 1;
        }
        return true;
}

static int load_panel(const CohortWork *w, IndicatorId id, PeriodId first, size_t n, Panel **ret) {
        Store *store = w->app->store;
        int r = panel_new(w->cohort->units, w->cohort->n, first, n, ret);
        int at = r >= 0 && w->scope ? panel_period(*ret, w->scope->period) : -1;
        if (r < 0)
                return r;
        if (at >= 0 && fill_published(w, id, (size_t) at, *ret))
                return store_panel_load_rest(store, id, (size_t) at, *ret);
        return store_panel_load(store, id, 0, *ret);
}

int judge_load_panels(CohortWork *w, PeriodId fold_from) {
        const Config *c = w->app->config;
        PeriodId first = period_add(fold_from, -max_lookback(w->texts));
        int n = period_distance(first, w->newest) + 1;
        if (n > PANEL_MAX_PERIODS) {
                first = period_add(w->newest, 1 - PANEL_MAX_PERIODS);
                n = PANEL_MAX_PERIODS;
        }
        int r = load_panel(w, c->indicators[w->rule->indicator].id, first, (size_t) n, &w->value);
        if (r < 0 || w->rule->volume_indicator < 0)
                return r;
        return load_panel(w, c->indicators[w->rule->volume_indicator].id, first, (size_t) n,
                          &w->volume);
}

int judge_fill_units(CohortWork *w) {
        size_t n = w->cohort->n;
        w->is_watched = calloc(n + 1, sizeof *w->is_watched);
        w->is_restated = calloc(n + 1, sizeof *w->is_restated);
        if (!w->is_watched || !w->is_restated)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                w->is_watched[i] =
                        unit_selection_has(w->watched, &w->app->units, w->cohort->units[i]);
        return 0;
}
