/* What the letter says, from one instant: the parent's own published row above, who is named below,
 * every unit in the appendix. A figure that no source has is six dots; a parent is never computed
 * from its children.
 *
 * Named are the units beyond the limit of a rule with `letter = yes` or `only` whose condition a
 * figure alone decides (below, above, behind). Conditions over several periods speak in alerts. */
#include <errno.h>

#include "answer/report.h"
#include "base/text.h"
#include "core/rank.h"
#include "store/figure.h"

#define DOTS "......"
#define NAMED_MAX 5u
#define BEHIND_MIN 5u /* units with a value, for a median that says something */
#define ROWS "4000"

/* ---- letterhead ------------------------------------------------------------------------------ */

static void set_upper(Page *p, json_t *o, const char *key, const char *text) {
        CLEANUP(buf_done) Buf upper = BUF_INIT(4096);

        int r = text_append_upper(&upper, text);
        page_set(p, o, key, r < 0 ? NULL : json_string(buf_text(&upper)));
}

/* "UBND huyện Tiên Lữ": the committee above, the place below; and "huyện" for the text. */
static void set_issuer(Page *p, const char *organization, const char *place) {
        static const char committee[] = "UBND ";
        bool is_committee = strncmp(organization, committee, strlen(committee)) == 0;
        const char *rest = is_committee ? organization + strlen(committee) : organization;
        size_t word = strcspn(rest, " ");

        page_set(p, p->view, "organization", json_string(organization));
        set_upper(p, p->view, "agency", is_committee ? "Ủy ban nhân dân" : "");
        set_upper(p, p->view, "agency_place", rest);
        page_printf(p, p->view, "issuer", is_committee ? "UBND %.*s" : "%.*s",
                    is_committee ? (int) word : (int) strlen(rest), rest);
        page_printf(p, p->view, "level", "%.*s", is_committee ? (int) word : 0, rest);
        page_set(p, p->view, "place", json_string(place));
}

/* Who signs, as configured: "TL. CHỦ TỊCH / CHÁNH VĂN PHÒNG" in lines; dots where nobody said. */
static void set_signer(Page *p) {
        const char *text = str_or(p->call->app->config->letter.sign, DOTS);
        json_t *lines = page_list(p, p->view, "sign");

        for (size_t n; *text; text += n + strspn(text + n, " /")) {
                n = strcspn(text, "/");
                page_add(p, lines,
                         json_stringn(text, n - (text[n] && n > 0 && text[n - 1] == ' ')));
        }
}

static const char *bare_name(const App *app, UnitId id, Day day) {
        const Unit *u = unit_get(&app->units, id);

        for (size_t i = 0; u && i < u->n_names; i++)
                if (!u->names[i].is_alias && u->names[i].from <= day && day < u->names[i].until)
                        return u->names[i].bare;
        return app_unit_label(app, id, day);
}

/* ---- what was printed ------------------------------------------------------------------------ */

/* A figure that stands in the letter: whoever gets it hears when it is restated. */
static void add_printed(Page *p, const IndicatorDef *def, UnitId unit, int64_t value) {
        json_t *list = json_object_get(p->view, "printed");

        if (def && unit && value != VALUE_NONE)
                page_add(p, list,
                         json_pack("[i, i, I]", (int) def->id, (int) unit, (json_int_t) value));
}

int64_t report_scaled(const json_t *number, const IndicatorDef *def) {
        int64_t value;

        if (!def || !json_is_number(number) ||
            decimal_from_double(json_number_value(number), def->decimals, &value) != 0)
                return VALUE_NONE;
        return value;
}

/* ---- headline figures ------------------------------------------------------------------------ */

const IndicatorDef *report_indicator(const Page *p, const char *name) {
        int i = config_indicator(p->call->app->config, name);

        if (i < 0 || p->call->app->config->indicators[i].id == 0)
                return NULL;
        return p->call->app->config->indicators + i;
}

static int set_headline(Page *p, const ReportQuery *q, json_t *o, const char *name) {
        const IndicatorDef *def = report_indicator(p, name);
        FigureRow row = {.value = VALUE_NONE};
        char text[VIEW_TEXT_MAX];
        StepId from;

        if (def && !p->call->view.is_empty) {
                int r = store_figure_get(p->call->store, q->period, def->id, q->parent,
                                         p->call->view.step, &row, &from);
                if (r < 0)
                        return r;
                if (r > 0)
                        row.value = VALUE_NONE;
        }
        add_printed(p, def, q->parent, row.value);
        page_set(p, o, name,
                 json_string(row.value == VALUE_NONE
                                     ? DOTS
                                     : view_value_text(text, p->call->app, def, row.value, 0)));
        return p->error;
}

static int set_headlines(Page *p, const ReportQuery *q) {
        static const char *const names[] = {
                "total",        "openness",     "progress",           "online",  "payment",
                "digitization", "satisfaction", "digitized_dossiers", "e_copies"};
        json_t *o = page_object(p, p->view, "headline");
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTSOF(names); i++)
                r = set_headline(p, q, o, names[i]);
        return r;
}

/* ---- named units ----------------------------------------------------------------------------- */

static bool is_beyond(const Condition *when, int64_t value, int64_t median) {
        switch (when->kind) {
        case CONDITION_BELOW:
                return value < when->amount;
        case CONDITION_ABOVE:
                return value > when->amount;
        case CONDITION_BEHIND:
                return median != VALUE_NONE && value < median - when->amount;
        default:
                return false;
        }
}

typedef struct Named {
        UnitId unit;
        int64_t value;
} Named;

static int compare_low_first(const void *a, const void *b) {
        const Named *x = a, *y = b;

        return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                    : (x->unit > y->unit) - (x->unit < y->unit);
}

static int compare_high_first(const void *a, const void *b) {
        const Named *x = a, *y = b;

        return x->value != y->value ? (x->value < y->value) - (x->value > y->value)
                                    : (x->unit > y->unit) - (x->unit < y->unit);
}

static bool is_of(const Page *p, const RuleDef *rule, const IndicatorDef *def,
                  const ReportQuery *q) {
        return !rule->is_off && rule->indicator >= 0 &&
               p->call->app->config->indicators + rule->indicator == def &&
               rule->period == period_type(q->period) && (!rule->from || q->period >= rule->from) &&
               (!rule->until || q->period <= rule->until);
}

static bool is_named(const Page *p, const IndicatorDef *def, const ReportQuery *q, int64_t value,
                     int64_t median) {
        const Config *config = p->call->app->config;

        for (size_t i = 0; i < config->n_rules; i++) {
                const RuleDef *rule = config->rules + i;

                if (rule->is_letter && is_of(p, rule, def, q) &&
                    is_beyond(&rule->when, value, median))
                        return true;
        }
        return false;
}

BookTone report_tone(const Page *p, const ReportQuery *q, const IndicatorDef *def, int64_t value) {
        const Config *config = p->call->app->config;
        BookTone tone = BOOK_PLAIN;

        for (size_t i = 0; value != VALUE_NONE && i < config->n_rules; i++) {
                const RuleDef *rule = config->rules + i;

                if (!is_of(p, rule, def, q))
                        continue;
                if (is_beyond(&rule->critical, value, VALUE_NONE))
                        return BOOK_CRITICAL;
                if (is_beyond(&rule->when, value, VALUE_NONE))
                        tone = BOOK_WARNING;
        }
        return tone;
}

static const char *const columns[] = {"progress", "digitization", "on_time", "received"};

static bool is_column(const IndicatorDef *def) {
        for (size_t i = 0; i < ELEMENTSOF(columns); i++)
                if (streq(columns[i], def->name))
                        return true;
        return false;
}

static void write_named(Page *p, const IndicatorDef *def, const ReportQuery *q, const Named *named,
                        size_t n) {
        json_t *o = page_object(p, json_object_get(p->view, "named"), def->name);
        json_t *units = page_list(p, o, "units");
        char text[VIEW_TEXT_MAX];

        for (size_t i = 0; i < n && i < NAMED_MAX; i++) {
                json_t *row = page_row(p, units);

                page_set(p, row, "name",
                         json_string(bare_name(p->call->app, named[i].unit,
                                               period_end(q->period) - 1)));
                page_set(p, row, "text",
                         json_string(view_value_text(text, p->call->app, def, named[i].value, 0)));
                if (!is_column(def)) /* those are printed of every unit */
                        add_printed(p, def, named[i].unit, named[i].value);
                page_set(p, row, "is_last", json_boolean(i + 1 == MIN(n, (size_t) NAMED_MAX)));
        }
        page_set(p, o, "has_more", json_boolean(n > NAMED_MAX));
        page_set(p, o, "is_one", json_boolean(n == 1));
        page_set(p, o, "label", json_string(def->label));
}

/* Worst first: the lowest of what should be high, the highest of what should be low. */
static int name_of_panel(Page *p, const IndicatorDef *def, const ReportQuery *q,
                         const Panel *panel) {
        CLEANUP_FREE Named *named = calloc(panel->n_units + 1, sizeof(*named));
        int64_t median = VALUE_NONE;
        size_t n = 0;

        if (!named)
                return -ENOMEM;
        int r = rank_median(panel->value, panel->n_units, BEHIND_MIN, &median);
        if (r < 0)
                return r;
        for (size_t u = 0; u < panel->n_units; u++) {
                int64_t value = panel_at(panel, 0, u);

                if (value != VALUE_NONE && is_named(p, def, q, value, median))
                        named[n++] = (Named){.unit = panel->units[u], .value = value};
        }
        if (n == 0)
                return 0;
        qsort(named, n, sizeof(*named),
              def->direction == DIRECTION_UP ? compare_low_first : compare_high_first);
        write_named(p, def, q, named, n);
        return p->error;
}

/* Those that the templates speak of. */
static bool has_named(const Page *p) {
        static const char *const spoken[] = {"progress", "digitization", "undigitized_components",
                                             "undigitized_results"};

        for (size_t i = 0; i < ELEMENTSOF(spoken); i++)
                if (json_object_get(json_object_get(p->view, "named"), spoken[i]))
                        return true;
        return false;
}

static int name_units(Page *p, const ReportQuery *q) {
        const Config *config = p->call->app->config;
        int r = 0;

        (void) page_object(p, p->view, "named");
        for (size_t i = 0; r == 0 && i < config->n_indicators; i++) {
                const IndicatorDef *def = config->indicators + i;
                ViewQuery query = {.indicator = def, .period = q->period, .parent = q->parent};
                ViewCohort *cohorts = NULL;
                size_t n = 0;

                if (def->id == 0)
                        continue;
                r = view_cohorts(&p->call->view, &query, &cohorts, &n);
                for (size_t k = 0; r == 0 && k < n; k++) {
                        CLEANUP(panel_freep) Panel *panel = NULL;

                        r = view_panel(&p->call->view, def, cohorts + k, q->period, 1, &panel);
                        if (r == 0)
                                r = name_of_panel(p, def, q, panel);
                }
                view_cohorts_free(cohorts, n);
        }
        page_set(p, p->view, "has_named", json_boolean(has_named(p)));
        return r;
}

/* ---- appendix -------------------------------------------------------------------------------- */

static UnitId unit_of(const Page *p, const json_t *row, Day day) {
        const char *key = json_string_value(json_object_get(json_object_get(row, "unit"), "key"));
        UnitId unit = 0;

        return key && unit_find(&p->call->app->units, key, day, &unit, NULL) == 0 ? unit : 0;
}

/* Texts of the appendix' columns under fixed names; "" where nothing is published. */
static void dress_row(Page *p, const ReportQuery *q, json_t *row, size_t number) {
        const json_t *with = json_object_get(row, "with");
        UnitId unit = unit_of(p, row, period_end(q->period) - 1);

        add_printed(p, q->headline, unit,
                    report_scaled(json_object_get(row, "value"), q->headline));
        page_set(p, row, "number", json_integer((json_int_t) number));
        page_set(p, row, "name",
                 json_incref(json_object_get(json_object_get(row, "unit"), "name")));
        for (size_t i = 0; i < ELEMENTSOF(columns); i++) {
                const json_t *cell = json_object_get(with, columns[i]);
                const char *text = json_string_value(json_object_get(cell, "text"));
                const IndicatorDef *def = report_indicator(p, columns[i]);

                add_printed(p, def, unit, report_scaled(json_object_get(cell, "value"), def));
                page_set(p, row, columns[i], json_string(str_or(text, "")));
        }
}

/* A column that nobody has a figure for is left out. */
static void set_has(Page *p, const json_t *rows) {
        json_t *has = page_object(p, p->view, "has");
        const json_t *row;
        size_t i;

        for (size_t k = 0; k < ELEMENTSOF(columns); k++) {
                bool is_filled = false;

                json_array_foreach(rows, i, row) is_filled |=
                        *str_or(json_string_value(json_object_get(row, columns[k])), "") != '\0';
                page_set(p, has, columns[k], json_boolean(is_filled));
        }
}

static int fill_appendix(Page *p, const ReportQuery *q, const char *parent) {
        CLEANUP(buf_done) Buf with = BUF_INIT(1024);
        char period[16];
        json_t *answer = NULL, *row;
        size_t i;

        for (i = 0; i < ELEMENTSOF(columns); i++)
                if (report_indicator(p, columns[i]) &&
                    buf_printf(&with, "%s%s", with.len ? "," : "", columns[i]) < 0)
                        return -ENOMEM;
        NameValue args[] = {{"indicator", q->headline->name},
                            {"period", period_format(period, q->period)},
                            {"parent", parent},
                            {"with", buf_text(&with)},
                            {"limit", ROWS}};
        int r = page_ask(p, api_ranking, args, ELEMENTSOF(args), &answer);
        if (r != 0)
                return r;
        json_t *cohort = json_array_get(json_object_get(answer, "cohorts"), 0);
        json_array_foreach(json_object_get(cohort, "rows"), i, row) dress_row(p, q, row, i + 1);
        page_instant(p, answer, "fetched");
        set_has(p, json_object_get(cohort, "rows"));
        page_set(p, p->view, "rows", json_incref(json_object_get(cohort, "rows")));
        page_printf(p, p->view, "coverage", "%lld/%lld",
                    (long long) json_integer_value(json_object_get(cohort, "with_value")),
                    (long long) json_integer_value(json_object_get(cohort, "units")));
        page_compared(p, p->view, cohort);
        page_set(p, p->view, "ranking", answer);
        return p->error;
}

int report_view(Page *p, const ReportQuery *q) {
        const App *app = p->call->app;
        const Unit *parent = unit_get(&app->units, q->parent);
        Day day = period_end(q->period) - 1;
        char text[VIEW_TEXT_MAX];

        (void) page_list(p, p->view, "printed");
        set_issuer(p, str_or(app->config->daemon.organization, app_unit_label(app, q->parent, day)),
                   bare_name(app, q->parent, day));
        set_signer(p);
        page_set(p, p->view, "contact", json_string(str_or(app->config->daemon.contact, "")));
        page_set(p, p->view, "period", json_string(period_format_vi(text, q->period)));
        set_upper(p, p->view, "period_upper", text);
        page_printf(p, p->view, "year", "%d", civil_from_day(p->call->view.today).year);
        int r = set_headlines(p, q);
        if (r == 0)
                r = name_units(p, q);
        return r != 0 ? r : fill_appendix(p, q, parent->key);
}
