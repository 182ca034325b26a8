/* What every room of this floor may ask of the shared struct. It stands below all of them: waking the
 * loop is how they set something in motion without knowing who acts. */
#include "flow/app.h"

#include "core/delta.h"

const char *app_unit_label(const App *app, UnitId unit, Day day) {
        const Unit *u = unit_get(&app->units, unit);
        if (!u)
                return "";
        const char *name = unit_name_on(&app->units, unit, day);
        return *name ? name : u->key;
}

bool app_era_covers(const App *app, const EraDef *era, UnitId parent) {
        UnitId id = 0;
        return !era->parent || (unit_find(&app->units, era->parent, era->from, &id, NULL) == 0 &&
                                unit_is_within(&app->units, parent, id));
}

const EraDef *app_era_between(const App *app, PeriodId a, PeriodId b, const IndicatorDef *def,
                              UnitId parent) {
        const Config *c = app->config;
        const char *source = def->source >= 0 ? c->sources[def->source].name : NULL;
        const EraDef *found = NULL;
        for (size_t i = 0; i < c->n_eras; i++) {
                EraDef one = c->eras[i];
                one.parent = NULL;
                if ((!found || one.from > found->from) &&
                    delta_era_between(&one, 1, a, b, source, def->name, NULL) &&
                    app_era_covers(app, &c->eras[i], parent))
                        found = &c->eras[i];
        }
        return found;
}

void app_wake(App *app) {
        if (app->defer)
                (void) sd_event_source_set_enabled(app->defer, SD_EVENT_ONESHOT);
}
