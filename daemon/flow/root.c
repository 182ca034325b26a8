/* A rehearsal must start and reload as the daemon does, or a rule test proves nothing of it: one text
 * for both. */
#include "flow/root.h"

#include <errno.h>

#include "core/render.h"
#include "flow/define.h"
#include "flow/judge.h"
#include "flow/teller.h"
#include "flow/watch.h"
#include "store/figure.h"

int root_bind(App *app, StepId step, int64_t now_ms, Diag *diag) {
        int r = define_bind(app->config, app->store, diag);
        if (r >= 0)
                r = judge_sync_rules(app, step, now_ms);
        return r < 0 ? r : teller_sync_targets(app, step);
}

void root_done(App *app) {
        judge_done(app);
        watch_forget(app);
        unit_registry_done(&app->units);
        if (app->templates_vi)
                render_templates_free(app->templates_vi);
        if (app->templates_en)
                render_templates_free(app->templates_en);
        if (app->reader)
                store_close(app->reader);
        if (app->store)
                store_close(app->store);
        if (app->config)
                config_free(app->config);
        app->templates_vi = app->templates_en = NULL;
        app->reader = app->store = NULL;
        app->config = NULL;
}
