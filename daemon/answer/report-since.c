/* What a stored draft prints, beside what is known now: whoever takes a draft out of the drawer must
 * see that figures were restated since. The draft itself never changes. */
#include "answer/report.h"
#include "store/figure.h"

typedef struct Printed {
        const IndicatorDef *def;
        UnitId unit;
        int64_t value, now;
} Printed;

static const IndicatorDef *indicator_of(const Config *config, IndicatorId id) {
        for (size_t i = 0; i < config->n_indicators; i++)
                if (config->indicators[i].id == id)
                        return config->indicators + i;
        return NULL;
}

/* Fills *ret; true when the figure is another one now. What is no longer configured is not told. */
static int has_changed(const ApiCall *c, const ReportQuery *q, const json_t *one, Printed *ret) {
        IndicatorId id = (IndicatorId) json_integer_value(json_array_get(one, 0));
        FigureRow row = {.value = VALUE_NONE};
        StepId from;

        *ret = (Printed){.def = indicator_of(c->app->config, id),
                         .unit = (UnitId) json_integer_value(json_array_get(one, 1)),
                         .value = json_integer_value(json_array_get(one, 2))};
        if (!ret->def)
                return 0;
        int r = store_figure_get(c->store, q->period, id, ret->unit, c->view.step, &row, &from);
        if (r < 0)
                return r;
        ret->now = r == 0 ? row.value : VALUE_NONE;
        return ret->now != ret->value;
}

static void write_changed(ApiCall *c, const ReportQuery *q, const Printed *p) {
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        json_out_text(o, "indicator", p->def->name);
        view_unit(o, "unit", &c->view, p->unit, period_end(q->period) - 1);
        view_value(o, "printed", c->app, p->def, p->value, 0);
        view_value(o, "now", c->app, p->def, p->now, 0);
        json_out_end_object(o);
}

int report_changed(const ApiCall *c, const ReportQuery *q, const json_t *draft, size_t *ret) {
        const json_t *one;
        Printed p;
        size_t i;
        int r = 0;

        *ret = 0;
        json_array_foreach(json_object_get(draft, "printed"), i, one) {
                r = has_changed(c, q, one, &p);
                if (r < 0)
                        return r;
                *ret += r > 0;
        }
        return 0;
}

int report_since(ApiCall *c, const ReportQuery *q, int number, const json_t *draft) {
        const json_t *list = json_object_get(draft, "printed"), *one;
        JsonOut *o = &c->out;
        size_t i, n_changed = 0;
        Printed p;
        int r = 0;

        json_out_object(o, NULL);
        api_as_of(c);
        json_out_period(o, "period", q->period);
        view_unit(o, "parent", &c->view, q->parent, period_end(q->period) - 1);
        json_out_int(o, "draft", number);
        json_out_text(o, "made", json_string_value(json_object_get(draft, "made")));
        json_out_int(o, "figures", (int64_t) json_array_size(list));
        json_out_array(o, "changed");
        json_array_foreach(list, i, one) {
                r = has_changed(c, q, one, &p);
                if (r < 0)
                        break;
                if (r == 0)
                        continue;
                if (n_changed >= c->offset && n_changed - c->offset < c->limit)
                        write_changed(c, q, &p);
                n_changed++;
        }
        json_out_end_array(o);
        api_page(c, n_changed);
        json_out_text(o, "text", json_string_value(json_object_get(draft, "txt")));
        json_out_end_object(o);
        return MIN(r, 0);
}
