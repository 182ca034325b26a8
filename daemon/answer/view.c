/* A cohort's members come from the registry, not from the figures: a unit that nobody published
 * must be seen in "13/15". Members of another day that have a figure nevertheless are kept, or a
 * value would vanish from the table.
 *
 * Whether a cohort exists at all is told by the figures: a registry knows units of kinds that an
 * indicator never covers. */
#include "answer/view.h"

#include <errno.h>
#include <stdio.h>

#include "flow/source.h"
#include "store/figure.h"

static const int default_final_after[PERIOD_N_TYPES] = {0, 15, 30, 45, 60};

#define LOOK_BACK 120 /* periods searched for the newest one with figures */

View view_now(App *app, int64_t now_ms) {
        return (View){.app = app, .at_ms = now_ms, .today = day_of_instant(now_ms)};
}

int view_as_of(App *app, const char *as_of, int64_t now_ms, View *ret) {
        View v = view_now(app, now_ms);

        if (as_of) {
                int r = asof_parse(as_of, &v.at_ms);
                if (r < 0)
                        return -EINVAL;
                r = store_step_at(app->reader, v.at_ms, &v.step);
                if (r < 0)
                        return r;
                v.is_past = true;
                v.is_empty = r > 0 || v.step == 0;
                if (v.is_empty)
                        v.step = -1; /* 0 would mean now */
                v.at_ms = MIN(v.at_ms, now_ms);
                v.today = day_of_instant(v.at_ms);
        }
        *ret = v;
        return 0;
}

/* ---- defaults -------------------------------------------------------------------------------- */

const IndicatorDef *view_default_indicator(const View *v) {
        const Config *config = v->app->config;
        int i = config_indicator(config, "total");

        if (i >= 0 && config->indicators[i].id != 0)
                return config->indicators + i;
        for (size_t j = 0; j < config->n_indicators; j++)
                if (config->indicators[j].id != 0)
                        return config->indicators + j;
        return i >= 0 ? config->indicators + i : NULL;
}

const SourceDef *view_source(const View *v, const IndicatorDef *def) {
        return def->source < 0 ? NULL : v->app->config->sources + def->source;
}

int view_newest_period(const View *v, const IndicatorDef *def, PeriodType type, PeriodId *ret) {
        PeriodId first, last, ended = period_last_ended(type, v->today);

        if (v->is_empty || def->id == 0)
                return STORE_E_NONE;
        int r = store_period_range(v->app->reader, def->id, type, v->step, &first, &last);
        if (r != 0)
                return r;

        PeriodId running = 0;
        for (int i = 0; i < LOOK_BACK && last >= first; i++, last = period_previous(last)) {
                bool is_found;

                r = store_period_stands(v->app->reader, last, def->id, v->step, &is_found);
                if (r < 0)
                        return r;
                if (is_found && last <= ended) {
                        *ret = last;
                        return 0;
                }
                if (is_found && running == 0)
                        running = last;
        }
        if (running == 0)
                return STORE_E_NONE;
        *ret = running;
        return 0;
}

int view_default_period(const View *v, const IndicatorDef *def, PeriodId *ret) {
        for (PeriodType type = PERIOD_MONTH; type <= PERIOD_YEAR; type++) {
                int r = view_newest_period(v, def, type, ret);
                if (r != STORE_E_NONE)
                        return r;
        }
        return STORE_E_NONE;
}

PeriodStatus view_period_status(const View *v, const IndicatorDef *def, PeriodId period) {
        const SourceDef *source = view_source(v, def);

        return period_status(period, v->today,
                             source ? source->final_after_days : default_final_after);
}

int view_fetched(const View *v, const IndicatorDef *def, PeriodId period, int64_t *ret_ms) {
        const SourceDef *source = view_source(v, def);
        int64_t first;

        *ret_ms = 0;
        if (!source || v->is_empty)
                return 0;
        int r = v->step == 0 ? store_seen(v->app->reader, source->name, /* scope= */ NULL, period,
                                          ret_ms, &first)
                             : store_seen_then(v->app->reader, source->name, period, v->step,
                                               v->at_ms, ret_ms);
        return MIN(r, 0);
}

/* ---- cohorts --------------------------------------------------------------------------------- */

/* qsort_r hands the registry over: no global is needed. */
typedef struct SortContext {
        const UnitRegistry *units;
        Day day;
} SortContext;

static int compare_codes(const void *a, const void *b, void *userdata) {
        const SortContext *context = userdata;
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;
        int c = strcmp(unit_code_on(context->units, x, context->day),
                       unit_code_on(context->units, y, context->day));

        return c != 0 ? c : (x > y) - (x < y);
}

static int compare_cohorts(const void *a, const void *b, void *userdata) {
        const ViewCohort *x = a, *y = b;
        int c = 0;

        if (x->parent != y->parent)
                c = x->parent == 0   ? -1
                    : y->parent == 0 ? 1
                                     : compare_codes(&x->parent, &y->parent, userdata);
        return c != 0 ? c : strcmp(x->kind, y->kind);
}

typedef struct Coded {
        const char *code;
        UnitId unit;
} Coded;

static int compare_coded(const void *a, const void *b) {
        const Coded *x = a, *y = b;
        int c = strcmp(x->code, y->code);

        return c != 0 ? c : (x->unit > y->unit) - (x->unit < y->unit);
}

/* Codes are looked up once each: a nation is compared 40,000 times. */
static int sort_units(const UnitRegistry *registry, Day day, ViewCohort *c) {
        CLEANUP_FREE Coded *list = calloc(MAX(c->n, (size_t) 1), sizeof(*list));

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < c->n; i++)
                list[i] = (Coded){unit_code_on(registry, c->units[i], day), c->units[i]};
        qsort(list, c->n, sizeof(*list), compare_coded);
        for (size_t i = 0; i < c->n; i++)
                c->units[i] = list[i].unit;
        return 0;
}

static int cohort_add(ViewCohort *c, UnitId unit) {
        int r = ARRAY_GROW(c->units, c->cap, c->n + 1);
        if (r < 0)
                return r;
        c->units[c->n++] = unit;
        return 0;
}

static bool is_alive(const Unit *u, Day day) {
        return u->from <= day && day < u->until;
}

static int compare_ids(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;

        return (x > y) - (x < y);
}

static bool has_id(const UnitId *ids, size_t n, UnitId id) {
        return n > 0 && bsearch(&id, ids, n, sizeof(id), compare_ids);
}

static int find_cohort(ViewCohort *cohorts, size_t n, const Unit *u) {
        for (size_t i = 0; i < n; i++)
                if (cohorts[i].parent == u->parent && streq(cohorts[i].kind, u->kind))
                        return (int) i;
        return -1;
}

static bool is_wanted(const ViewQuery *q, const char *kind, const Unit *u) {
        return u && (!kind || streq(u->kind, kind)) && (q->parent == 0 || u->parent == q->parent);
}

/* NULL stays NULL unless there are communes. */
static const char *choose_kind(const View *v, const ViewQuery *q, const UnitId *ids, size_t n) {
        if (q->kind)
                return q->kind;
        for (size_t i = 0; i < n; i++)
                if (is_wanted(q, "commune", unit_get(&v->app->units, ids[i])))
                        return "commune";
        return NULL;
}

void view_cohorts_free(ViewCohort *cohorts, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(cohorts[i].units);
        free(cohorts);
}

/* Of one that was taken back what was figures then is figures still, as of when it had some again. */
static int has_figure(const View *v, const ViewQuery *q, UnitId unit, bool *ret) {
        FigureRow row;

        int r = store_figure_get(v->app->reader, q->period, q->indicator->id, unit, v->step, &row,
                                 NULL);
        *ret = r == 0 && row.why != WHY_GONE;
        return MIN(r, 0);
}

static int is_member(const View *v, const ViewQuery *q, const Unit *u, bool has_row, bool *ret) {
        *ret = has_row || is_alive(u, period_end(q->period) - 1);
        if (!*ret || unit_counts(u, v->step))
                return 0;
        *ret = false;
        return has_row ? has_figure(v, q, u->id, ret) : 0;
}

/* The cohorts that occur among units with figures, still without members. */
static int open_cohorts(const View *v, const ViewQuery *q, const char *kind, const UnitId *ids,
                        size_t n_ids, ViewCohort **cohorts, size_t *n) {
        size_t cap = 0;

        for (size_t i = 0; i < n_ids; i++) {
                const Unit *u = unit_get(&v->app->units, ids[i]);

                if (!is_wanted(q, kind, u) || find_cohort(*cohorts, *n, u) >= 0)
                        continue;
                int r = ARRAY_GROW(*cohorts, cap, *n + 1);
                if (r < 0)
                        return r;
                (*cohorts)[(*n)++] = (ViewCohort){.kind = u->kind, .parent = u->parent};
        }
        return 0;
}

int view_cohorts(const View *v, const ViewQuery *q, ViewCohort **ret, size_t *ret_n) {
        const UnitRegistry *registry = &v->app->units;
        CLEANUP_FREE UnitId *ids = NULL;
        size_t n_ids = 0, n = 0;
        ViewCohort *cohorts = NULL;
        Day day = period_end(q->period) - 1;
        int r = 0;

        if (!v->is_empty && q->indicator->id != 0)
                r = store_units_of(v->app->reader, q->period, q->indicator->id, v->step, &ids,
                                   &n_ids);
        if (r < 0)
                return r;

        const char *kind = choose_kind(v, q, ids, n_ids);
        r = open_cohorts(v, q, kind, ids, n_ids, &cohorts, &n);
        for (size_t i = 0; r == 0 && i < registry->n; i++) {
                const Unit *u = registry->units + i;
                int c = is_wanted(q, kind, u) ? find_cohort(cohorts, n, u) : -1;
                bool is_in = false;

                if (c >= 0)
                        r = is_member(v, q, u, has_id(ids, n_ids, u->id), &is_in);
                if (r == 0 && is_in)
                        r = cohort_add(cohorts + c, u->id);
        }
        for (size_t i = 0; r == 0 && i < n; i++)
                r = sort_units(registry, day, cohorts + i);
        if (r < 0) {
                view_cohorts_free(cohorts, n);
                return r;
        }

        SortContext context = {.units = registry, .day = day};
        if (n > 1)
                qsort_r(cohorts, n, sizeof(*cohorts), compare_cohorts, &context);
        *ret = cohorts;
        *ret_n = n;
        return 0;
}

int view_cohort_of(const View *v, UnitId unit, ViewCohort *ret) {
        const UnitRegistry *registry = &v->app->units;
        const Unit *me = unit_get(registry, unit);
        int r = 0;

        if (!me)
                return STORE_E_NONE;
        ViewCohort cohort = {.kind = me->kind, .parent = me->parent};
        for (size_t i = 0; r == 0 && i < registry->n; i++) {
                const Unit *u = registry->units + i;

                if (u->parent == me->parent && streq(u->kind, me->kind))
                        r = cohort_add(&cohort, u->id);
        }
        if (r == 0)
                r = sort_units(registry, v->today, &cohort);
        if (r < 0) {
                free(cohort.units);
                return r;
        }
        *ret = cohort;
        return 0;
}

int view_panel(const View *v, const IndicatorDef *def, const ViewCohort *cohort, PeriodId last,
               size_t n_periods, Panel **ret) {
        CLEANUP(panel_freep) Panel *panel = NULL;

        int r = panel_new(cohort->units, cohort->n, period_add(last, 1 - (int) n_periods),
                          n_periods, &panel);
        if (r < 0)
                return r;
        if (!v->is_empty && def->id != 0) {
                r = store_panel_load(v->app->reader, def->id, v->step, panel);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(panel);
        return 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

static int64_t power_of_ten(unsigned n) {
        int64_t p = 1;

        while (n-- > 0)
                p *= 10;
        return p;
}

const char *view_value_text(char text[static VIEW_TEXT_MAX], const App *app,
                            const IndicatorDef *def, int64_t value, DecimalFlags flags) {
        unsigned decimals = def ? def->decimals : 2;

        text[0] = '\0';
        if (value == VALUE_NONE)
                return text;
        if (decimals > 2) { /* people read two digits */
                value = decimal_rescale(value, decimals, 2);
                decimals = 2;
        }
        bool is_trimmed = def && def->unit == INDICATOR_PERCENT && !(flags & DECIMAL_SIGN);
        if (app_is_vi(app)) {
                static_assert(VIEW_TEXT_MAX >= DECIMAL_TEXT_MAX, "a number fits");
                return decimal_format_vi(text, value, decimals,
                                         flags | (is_trimmed ? DECIMAL_TRIM_WHOLE : 0));
        }
        if (is_trimmed && value % power_of_ten(decimals) == 0) {
                value /= power_of_ten(decimals);
                decimals = 0;
        }
        char number[DECIMAL_TEXT_MAX];
        (void) snprintf(text, VIEW_TEXT_MAX, "%s%s", (flags & DECIMAL_SIGN) && value > 0 ? "+" : "",
                        decimal_format(number, value, decimals));
        return text;
}

const char *view_period_text(char text[static VIEW_TEXT_MAX], const App *app, PeriodId period) {
        return app_is_vi(app) ? period_format_vi(text, period) : period_format_en(text, period);
}

const char *view_status_text(const App *app, PeriodStatus status) {
        if (!app_is_vi(app))
                return status == PERIOD_CLOSED ? "final" : period_status_name(status);
        return status == PERIOD_RUNNING       ? "đang chạy"
               : status == PERIOD_PROVISIONAL ? "tạm tính"
                                              : "đã chốt";
}

const char *view_indicator_label(const App *app, const IndicatorDef *def) {
        return app_is_vi(app) ? def->label : str_or(def->label_en, def->label);
}

void view_unit(JsonOut *o, const char *key, const View *v, UnitId unit, Day day) {
        const UnitRegistry *registry = &v->app->units;
        const Unit *u = unit == 0 ? NULL : unit_get(registry, unit);
        const Unit *parent = u && u->parent ? unit_get(registry, u->parent) : NULL;

        if (!u) {
                json_out_null(o, key);
                return;
        }
        json_out_object(o, key);
        json_out_text(o, "key", u->key);
        json_out_text(o, "code", unit_code_on(registry, unit, day));
        json_out_text(o, "name", app_unit_label(v->app, unit, day));
        json_out_text(o, "kind", u->kind);
        json_out_text(o, "parent", parent ? parent->key : NULL);
        json_out_end_object(o);
}

static const char *unit_word(IndicatorUnit unit) {
        return unit == INDICATOR_PERCENT  ? "percent"
               : unit == INDICATOR_POINTS ? "points"
                                          : "count";
}

void view_indicator_members(JsonOut *o, const View *v, const IndicatorDef *def) {
        json_out_text(o, "name", def->name);
        json_out_text(o, "label", view_indicator_label(v->app, def));
        json_out_text(o, "brief", app_is_vi(v->app) ? str_or(def->brief, def->label) : NULL);
        json_out_text(o, "unit", unit_word(def->unit));
        json_out_int(o, "decimals", def->decimals);
        json_out_text(o, "direction", def->direction == DIRECTION_UP ? "up" : "down");
        json_out_value(o, "max", def->max, def->decimals);
}

void view_indicator(JsonOut *o, const char *key, const View *v, const IndicatorDef *def) {
        if (!def) {
                json_out_null(o, key);
                return;
        }
        json_out_object(o, key);
        view_indicator_members(o, v, def);
        json_out_end_object(o);
}

void view_period_members(JsonOut *o, const View *v, const IndicatorDef *def, PeriodId period) {
        PeriodStatus status = view_period_status(v, def, period);
        char text[VIEW_TEXT_MAX];

        json_out_period(o, "id", period);
        json_out_text(o, "label", view_period_text(text, v->app, period));
        json_out_text(o, "type", period_type_name(period_type(period)));
        json_out_text(o, "status", period_status_name(status));
        json_out_text(o, "status_label", view_status_text(v->app, status));
        json_out_day(o, "start", period_start(period));
        json_out_day(o, "end", period_end(period));
}

void view_period(JsonOut *o, const char *key, const View *v, const IndicatorDef *def,
                 PeriodId period) {
        json_out_object(o, key);
        view_period_members(o, v, def, period);
        json_out_end_object(o);
}

void view_source_now(JsonOut *o, const App *app, size_t index, int64_t now_ms) {
        SourceLook look;

        source_look(app, index, now_ms, &look);
        json_out_object(o, NULL);
        json_out_text(o, "name", look.name);
        json_out_text(o, "label", look.label);
        json_out_text(o, "state", look.state);
        json_out_int(o, "failures", look.failures);
        json_out_int(o, "refused_days", look.refused_days);
        json_out_int(o, "queued", (int64_t) look.n_queued);
        json_out_int(o, "scopes", (int64_t) look.n_scopes);
        json_out_instant(o, "last", look.last_ms);
        json_out_instant(o, "last_good", look.good_ms);
        json_out_instant(o, "next", look.next_ms);
        json_out_text(o, "outcome", look.outcome);
        json_out_text(o, "reason", look.reason);
        json_out_object(o, "backfill");
        json_out_int(o, "done", (int64_t) look.backfill_done);
        json_out_int(o, "of", (int64_t) look.backfill_of);
        json_out_instant(o, "until", look.backfill_until_ms);
        json_out_end_object(o);
        if (look.scope) {
                json_out_object(o, "progress");
                json_out_text(o, "scope", look.scope);
                json_out_period(o, "period", look.period);
                json_out_int(o, "part", (int64_t) look.part);
                json_out_int(o, "of", (int64_t) look.n_parts);
                json_out_end_object(o);
        }
        json_out_end_object(o);
}

void view_value(JsonOut *o, const char *key, const App *app, const IndicatorDef *def, int64_t value,
                DecimalFlags flags) {
        char text[VIEW_TEXT_MAX], name[32];

        assert(strlen(key) + sizeof("_text") <= sizeof(name));
        json_out_value(o, key, value, def ? def->decimals : 2);
        (void) stpcpy(stpcpy(name, key), "_text");
        json_out_text(o, streq(key, "value") ? "text" : name,
                      value == VALUE_NONE ? NULL : view_value_text(text, app, def, value, flags));
}
