/* A new configuration is read and checked before anything of the old one is touched; what the old one
 * had bound is bound again when the new one cannot be. */
#include "app/bind.h"

#include <errno.h>
#include <stdio.h>

#include "flow/boot.h"
#include "flow/courier.h"
#include "flow/cycle.h"
#include "flow/define.h"
#include "flow/inbox.h"
#include "flow/judge.h"
#include "flow/precheck.h"
#include "flow/root.h"
#include "flow/source.h"
#include "flow/watch.h"
#include "os/clock.h"
#include "os/log.h"

void bind_log(const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++) {
                char CLEANUP_FREE *text = diag_item_format(&diag->items[i]);
                LogFields fields = {.message_id = LOG_ID_CONFIG};
                log_full(diag->items[i].level == DIAG_ERROR ? LOG_ERR : LOG_WARNING, &fields, "%s",
                         str_or(text, "out of memory"));
        }
}

void bind_first_error(const Diag *diag, int error, char *text, size_t size) {
        for (size_t i = 0; i < diag->n; i++) {
                char CLEANUP_FREE *item = NULL;
                if (diag->items[i].level != DIAG_ERROR ||
                    !(item = diag_item_format(&diag->items[i])))
                        continue;
                (void) snprintf(text, size, "%s", item);
                return;
        }
        (void) snprintf(text, size, "%s", strerror(-error));
}

/* Those of dates are found anew each time (app/warn), in words of that day. */
static bool is_of_date(const DiagItem *item) {
        const char *dot = item->key ? strrchr(item->key, '.') : NULL;
        return dot && (streq(item->key, "calendar.off") || streq(dot, ".until"));
}

void bind_warnings(App *app, const Diag *diag) {
        app->health.n_warnings = 0;
        for (size_t i = 0; i < diag->n && app->health.n_warnings < ELEMENTSOF(app->health.warnings);
             i++) {
                if (diag->items[i].level != DIAG_WARNING || is_of_date(&diag->items[i]))
                        continue;
                char CLEANUP_FREE *text = diag_item_format(&diag->items[i]);
                (void) snprintf(app->health.warnings[app->health.n_warnings++],
                                sizeof app->health.warnings[0], "%s", str_or(text, ""));
        }
}

/* The first error, for the operator. */
static void keep_template_trouble(App *app, const Diag *diag) {
        app->template_trouble[0] = '\0';
        for (size_t i = 0; i < diag->n && !*app->template_trouble; i++) {
                char CLEANUP_FREE *text = diag_item_format(&diag->items[i]);
                if (diag->items[i].level == DIAG_ERROR)
                        (void) snprintf(app->template_trouble, sizeof app->template_trouble, "%s",
                                        str_or(text, "?"));
        }
}

int bind_templates(App *app, const Config *config, RenderTemplates **ret_vi,
                   RenderTemplates **ret_en) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        RenderTemplates CLEANUP(render_templates_freep) *vi = NULL, *en = NULL;
        int r = boot_templates(config, "vi", &diag, &vi);
        if (r >= 0)
                r = boot_templates(config, "en", &diag, &en);
        bind_log(&diag);
        if (r < 0)
                return r;
        keep_template_trouble(app, &diag);
        *ret_vi = TAKE_PTR(vi);
        *ret_en = TAKE_PTR(en);
        return 0;
}

/* Operators hear that the machine fell back to a copy: what was known since is being asked again. */
static int tell_restored(App *app, StepId step, int64_t now_ms) {
        char text[400];
        (void) snprintf(
                text, sizeof text,
                app_is_vi(app)
                        ? "cơ sở dữ liệu bị hỏng hoặc bị mất, đã khôi phục từ %s; số liệu mới "
                          "hơn bản ấy được lấy lại, tệp hỏng để riêng"
                        : "the database was damaged or gone, and restored from %s; newer "
                          "figures are fetched again, the damaged file is kept",
                app->health.restored);
        int r = judge_notice(app, step, now_ms, "database-restored", "database", text);
        if (r >= 0)
                app->health.restored[0] = '\0';
        return r;
}

static int bind_inside(App *app, Diag *diag) {
        StepId step = 0;
        int64_t now = clock_now_ms();
        int r = store_step(app->store, CAUSE_RELOAD, now, &step);
        if (r >= 0)
                r = root_bind(app, step, now, diag);
        if (r >= 0)
                r = judge_subject(app, step, now, "template-broken", "template",
                                  *app->template_trouble, SEVERITY_WARNING, app->template_trouble);
        if (r >= 0 && *app->health.restored)
                r = tell_restored(app, step, now);
        return r < 0 ? r : courier_rebind(app, now);
}

int bind_config(App *app, Diag *diag) {
        int r = store_begin(app->store);
        if (r >= 0)
                r = bind_inside(app, diag);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        return r;
}

int bind_inbox(App *app) {
        inbox_free(app->inbox);
        app->inbox = NULL;
        return app->is_once ? 0 : inbox_new(app, &app->inbox);
}

static int reload_inside(App *app, Config *config, Diag *diag) {
        RenderTemplates *vi = NULL, *en = NULL;
        int r = bind_templates(app, config, &vi, &en);
        if (r < 0)
                return r;
        Config *old = app->config;
        inbox_free(app->inbox);
        app->inbox = NULL;
        source_done(app);
        watch_forget(app);
        app->config = config;
        r = bind_config(app, diag);
        if (r < 0) {
                /* As it was: what the old configuration bound is bound again. */
                app->config = old;
                render_templates_free(vi);
                render_templates_free(en);
                int back = bind_config(app, NULL);
                if (back >= 0)
                        back = source_init(app);
                if (back >= 0)
                        back = bind_inbox(app);
                return back < 0 ? back : r;
        }
        config_free(old);
        render_templates_free(app->templates_vi);
        render_templates_free(app->templates_en);
        app->templates_vi = vi;
        app->templates_en = en;
        r = source_init(app);
        return r < 0 ? r : bind_inbox(app);
}

void bind_reload(App *app) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Config *config = NULL;
        int r = boot_config(app->config_path, app->share_dir, clock_now_ms(), &diag, &config);
        if (r >= 0)
                precheck_secrets(config, &diag);
        if (r >= 0)
                r = define_check(config, app->reader, &diag);
        if (r >= 0)
                r = reload_inside(app, config, &diag);
        app->config_generation++; /* refused or not: what was bound before is bound anew */
        bind_log(&diag);
        app->health.reload_error[0] = '\0';
        if (r < 0) {
                bind_first_error(&diag, r, app->health.reload_error,
                                 sizeof app->health.reload_error);
                log_error(
                        "configuration not reloaded (%s), going on with the one that was loaded "
                        "before",
                        strerror(-r));
                if (config && config != app->config)
                        config_free(config);
        } else {
                bind_warnings(app, &diag);
                log_info("configuration reloaded: %zu sources, %zu rules, %zu recipients",
                         app->config->n_sources, app->config->n_rules, app->config->n_recipients);
                r = cycle_deadline(app, clock_now_ms());
                if (r < 0)
                        log_error(
                                "rules cannot be judged after the reload (%s), trying again at "
                                "midnight",
                                strerror(-r));
        }
}
