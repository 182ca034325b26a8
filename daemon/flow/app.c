/* What every room of this floor may ask of the shared struct. It stands below all of them: waking the
 * loop is how they set something in motion without knowing who acts. */
#include "flow/app.h"

const char *app_unit_label(const App *app, UnitId unit, Day day) {
        const Unit *u = unit_get(&app->units, unit);
        if (!u)
                return "";
        const char *name = unit_name_on(&app->units, unit, day);
        return *name ? name : u->key;
}

void app_wake(App *app) {
        if (app->defer)
                (void) sd_event_source_set_enabled(app->defer, SD_EVENT_ONESHOT);
}
