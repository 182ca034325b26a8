/* What all reads have in common: the instant asked about, the defaults (indicator, period, kind)
 * and the cohorts. Shared by api and status; reads app->reader only. Figures of now and figures as
 * of a step take the same road. */
#pragma once

#include "answer/json_out.h"
#include "flow/app.h"

typedef struct View {
        App *app;
        StepId step;   /* as of; 0 = now */
        int64_t at_ms; /* the instant asked about */
        Day today;     /* its local day */
        bool is_past;  /* an instant was asked about */
        bool is_empty; /* nothing was known then: every answer is "none" */
} View;

View view_now(App *app, int64_t now_ms);
/* as_of as people write it; NULL means now. 0, -EINVAL, or what the store says. */
int view_as_of(App *app, const char *as_of, int64_t now_ms, View *ret);

/* The shipped headline indicator, else the first one that some source publishes; NULL when nothing
 * is configured. */
const IndicatorDef *view_default_indicator(const View *v);
/* The source that publishes it, or NULL. */
const SourceDef *view_source(const View *v, const IndicatorDef *def);

/* Newest period of the type that has ended and has figures of the indicator; when none has, the
 * newest with figures at all (a running one). STORE_E_NONE. */
int view_newest_period(const View *v, const IndicatorDef *def, PeriodType type, PeriodId *ret);
/* The same over the types in the order month, quarter, half, year. */
int view_default_period(const View *v, const IndicatorDef *def, PeriodId *ret);
PeriodStatus view_period_status(const View *v, const IndicatorDef *def, PeriodId period);
/* When the figures were last seen as they are. 0 = never or unknown. */
int view_fetched(const View *v, const IndicatorDef *def, PeriodId period, int64_t *ret_ms);

/* The units of one kind under one parent (semantics 5): those of the registry that exist on the
 * period's last day, and any other that has a figure there. */
typedef struct ViewCohort {
        const char *kind; /* of the registry */
        UnitId parent;    /* 0 = none */
        UnitId *units;    /* sorted by code */
        size_t n, cap;
} ViewCohort;

typedef struct ViewQuery {
        const IndicatorDef *indicator;
        PeriodId period;
        const char *kind; /* NULL: communes when there are any, else whatever has figures */
        UnitId parent;    /* 0 = any */
} ViewQuery;

/* Cohorts with at least one figure, sorted by the parent's code and the kind. */
int view_cohorts(const View *v, const ViewQuery *query, ViewCohort **ret, size_t *ret_n);
void view_cohorts_free(ViewCohort *cohorts, size_t n);
/* The cohort that the unit belongs to, over all times: what its history is ranked in. */
int view_cohort_of(const View *v, UnitId unit, ViewCohort *ret);

/* Figures of `n_periods` periods that end with `last`. */
int view_panel(const View *v, const IndicatorDef *def, const ViewCohort *cohort, PeriodId last,
               size_t n_periods, Panel **ret);

/* ---- words ----------------------------------------------------------------------------------- */

#define VIEW_TEXT_MAX 48u
/* "82,71", "100" (whole percents), "+0,24" with DECIMAL_SIGN; in the daemon's language. VALUE_NONE
 * is "". */
const char *view_value_text(char text[static VIEW_TEXT_MAX], const App *app,
                            const IndicatorDef *def, int64_t value, DecimalFlags flags);
const char *view_period_text(char text[static VIEW_TEXT_MAX], const App *app, PeriodId period);
const char *view_status_text(const App *app, PeriodStatus status); /* "tạm tính" */
const char *view_indicator_label(const App *app, const IndicatorDef *def);

/* {"key", "code", "name", "kind", "parent"} or null. */
void view_unit(JsonOut *o, const char *key, const View *v, UnitId unit, Day day);
/* {"name", "label", "unit", "decimals", "direction", "max"} or null. */
void view_indicator_members(JsonOut *o, const View *v, const IndicatorDef *def);
void view_indicator(JsonOut *o, const char *key, const View *v, const IndicatorDef *def);
/* {"id", "label", "type", "status", "status_label", "start", "end"} */
void view_period_members(JsonOut *o, const View *v, const IndicatorDef *def, PeriodId period);
void view_period(JsonOut *o, const char *key, const View *v, const IndicatorDef *def,
                 PeriodId period);
/* One object per source for /v1/sources and status, as it is now. */
void view_source_now(JsonOut *o, const App *app, size_t index, int64_t now_ms);
/* "value" and "text" of a figure, under KEY and KEY_text ("value" and "text" for "value"). */
void view_value(JsonOut *o, const char *key, const App *app, const IndicatorDef *def, int64_t value,
                DecimalFlags flags);
