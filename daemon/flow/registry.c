/* The list and the decisions are written into the tables row by row; the registry in memory is read
 * again from them, inside the transaction, so that what is judged is what will be committed. A trial
 * is the same, taken back.
 *
 * A row means a unit: by its key, else by its code on the first (or else last) day it names. A code
 * with a later `from` than its holder's is other territory: a unit of its own with the key
 * NAMESPACE:CODE@FROM, and the holder's code ends there (the reform of 2025 gave 2,162 codes to other
 * territory). */
#include "flow/registry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "core/sheet.h"
#include "flow/judge.h"
#include "flow/registry-private.h"
#include "flow/teller.h"
#include "flow/watch.h"
#include "os/log.h"
#include "store/registry.h"

#define WARNINGS_MAX 50u

void registry_report_done(RegistryReport *r) {
        for (size_t i = 0; i < r->n; i++) {
                free(r->changes[i].unit);
                free(r->changes[i].what);
                free(r->changes[i].old);
                free(r->changes[i].now);
        }
        for (size_t i = 0; i < r->n_warnings; i++)
                free(r->warnings[i]);
        free(r->changes);
        free(r->ignored);
        free(r->warnings);
        *r = (RegistryReport){0};
}

int registry_note(Change *c, const char *unit, const char *what, const char *old, const char *now) {
        RegistryReport *r = c->report;
        int e = ARRAY_GROW(r->changes, r->cap, r->n + 1);
        if (e < 0)
                return e;
        RegistryChange *made = &r->changes[r->n++];
        made->unit = strdup(unit);
        made->what = strdup(what);
        made->old = old ? strdup(old) : NULL;
        made->now = now ? strdup(now) : NULL;
        bool is_whole = made->unit && made->what && (!old || made->old) && (!now || made->now);
        return is_whole ? 0 : -ENOMEM;
}

int registry_warn(Change *c, const char *format, ...) {
        RegistryReport *r = c->report;
        char *text = NULL;
        va_list args;
        if (r->n_warnings == WARNINGS_MAX)
                return 0;
        int e = ARRAY_GROW(r->warnings, r->cap_warnings, r->n_warnings + 1);
        if (e < 0)
                return e;
        va_start(args, format);
        e = vasprintf(&text, format, args);
        va_end(args);
        if (e < 0)
                return -ENOMEM;
        r->warnings[r->n_warnings++] = text;
        return 0;
}

const char *registry_key(const Change *c, UnitId id) {
        const Unit *u = id ? unit_get(&c->app->units, id) : NULL;
        return u ? u->key : "";
}

int registry_reload(App *app) {
        UnitRegistry fresh = {0};
        int r = store_units_load(app->store, &fresh);
        if (r < 0)
                return r;
        unit_registry_done(&app->units);
        app->units = fresh;
        return 0;
}

/* ---- codes ----------------------------------------------------------------------------------- */

const Unit *registry_holder(const UnitRegistry *r, const char *namespace_, const char *code,
                            Day day) {
        for (size_t i = 0; i < r->n; i++)
                for (size_t j = 0; j < r->units[i].n_codes; j++) {
                        const UnitCode *k = &r->units[i].codes[j];
                        if (streq(k->code, code) && streq(k->namespace_, namespace_) &&
                            k->from <= day && day < k->until)
                                return &r->units[i];
                }
        return NULL;
}

/* A bare code belongs to the namespace of the sources, when they have one only. */
int registry_split_code(Change *c, const char *text, size_t n, unsigned line, RegistryRow *row) {
        const Config *config = c->app->config;
        const char *colon = memchr(text, ':', n);
        const char *space = config->n_sources ? config->sources[0].namespace_ : "";
        size_t n_space = strlen(space);
        for (size_t i = 1; !colon && i < config->n_sources; i++)
                if (!streq(config->sources[i].namespace_, space))
                        return REFUSE(c, line,
                                      "mã %.*s: viết NAMESPACE:MÃ, các nguồn dùng nhiều hệ mã",
                                      "code %.*s: write NAMESPACE:CODE, the sources "
                                      "have several namespaces",
                                      (int) n, text);
        if (colon) {
                space = text;
                n_space = (size_t) (colon - text);
                n -= n_space + 1;
                text = colon + 1;
        }
        if (n_space == 0 || n == 0 || n_space >= sizeof row->namespace_ || n >= sizeof row->code)
                return REFUSE(c, line, "'%.*s' không phải mã", "'%.*s' is no code", (int) n, text);
        memcpy(row->namespace_, space, n_space);
        row->namespace_[n_space] = '\0';
        memcpy(row->code, text, n);
        row->code[n] = '\0';
        return 0;
}

/* In memory too: the rows that follow ask who has a code. */
static int end_code(Change *c, const Unit *holder, const RegistryRow *row, Day until) {
        Unit *u = unit_get(&c->app->units, holder->id);
        for (size_t i = 0; i < u->n_codes; i++)
                if (streq(u->codes[i].code, row->code) &&
                    streq(u->codes[i].namespace_, row->namespace_) && u->codes[i].until > until)
                        u->codes[i].until = until;
        return store_unit_code_end(c->app->store, holder->id, row->namespace_, row->code, until);
}

int registry_add_code(Change *c, const Unit *u, const RegistryRow *row, Day from, Day until) {
        const Unit *holder = registry_holder(&c->app->units, row->namespace_, row->code,
                                             from == DAY_EVER ? MIN(until - 1, c->today) : from);
        char text[200];
        if (holder && holder->id == u->id)
                return 0;
        (void) snprintf(text, sizeof text, "%s:%s", row->namespace_, row->code);
        if (holder && from == DAY_EVER)
                return REFUSE(c, row->line, "%s đang là mã của %s: viết ngày bắt đầu là mã của %s",
                              "%s belongs to %s: write the day from which it is "
                              "%s's",
                              text, holder->key, u->key);
        int r = holder ? end_code(c, holder, row, from) : 0;
        if (r >= 0)
                r = store_unit_code_add(c->app->store, c->step, u->id, row->namespace_, row->code,
                                        from, until);
        if (r >= 0)
                r = unit_add_code(&c->app->units, u->id, row->namespace_, row->code, from, until);
        return r < 0 ? r : registry_note(c, u->key, "code", holder ? holder->key : NULL, text);
}

int registry_end_codes(Change *c, const Unit *u, Day until) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < u->n_codes; i++)
                if (u->codes[i].until > until)
                        r = store_unit_code_end(c->app->store, u->id, u->codes[i].namespace_,
                                                u->codes[i].code, until);
        return r;
}

/* ---- what every change ends with ------------------------------------------------------------- */

static int conclude(Change *c) {
        App *app = c->app;
        char text[32];
        watch_forget(app);
        int r = registry_reload(app);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof text, "%lld", (long long) c->step);
        r = store_meta_put(app->store, REGISTRY_STEP, text);
        if (r >= 0)
                r = teller_sync_targets(app, c->step);
        if (r < 0)
                return r;
        judge_forget(app);
        return judge_run(app, &(JudgeScope){.step = c->step,
                                            .now_ms = c->now_ms,
                                            .source = -1,
                                            .ret_n_transitions = &c->report->n_transitions});
}

static int finish(Change *c, int r, bool is_trial) {
        App *app = c->app;
        if (r == 0 && c->report->n > 0)
                r = conclude(c);
        if (r == 0 && !is_trial && c->report->n > 0)
                r = store_commit(app->store);
        if (r == 0 && !is_trial && c->report->n > 0) {
                app->is_tell_due = true;
                app_wake(app);
                return 0;
        }
        store_rollback(app->store);
        judge_forget(app);
        int back = registry_reload(app);
        if (back < 0)
                log_error("registry cannot be read again after a rollback (%s)", strerror(-back));
        return r;
}

static int start(App *app, int64_t now_ms, Diag *diag, RegistryReport *report, Change *ret) {
        *ret = (Change){.app = app,
                        .now_ms = now_ms,
                        .today = day_of_instant(now_ms),
                        .diag = diag,
                        .report = report};
        int r = store_begin(app->store);
        return r < 0 ? r : store_step(app->store, CAUSE_OPERATOR, now_ms, &ret->step);
}

int registry_import(App *app, const char *data, size_t n, int64_t now_ms, bool is_trial, Diag *diag,
                    RegistryReport *ret) {
        CLEANUP(sheet_done) Sheet s = {0};
        Change c;
        int r = sheet_read(data, n, diag, &s);
        if (r != 0)
                return r < 0 ? r : REGISTRY_E_REFUSED;
        r = start(app, now_ms, diag, ret, &c);
        if (r == 0)
                r = registry_list_apply(&c, &s);
        r = finish(&c, r, is_trial);
        free(c.rows);
        free(c.known);
        return r;
}

/* ---- decisions about codes ------------------------------------------------------------------- */

/* The name under which the code was last kept apart. Heap; "" when it never was. */
static int quarantined_name(App *app, const RegistryRow *row, char **ret) {
        QuarantineRow *rows = NULL;
        size_t n = 0;
        const char *name = "";
        int64_t last = INT64_MIN;
        int r = store_quarantine_list(app->store, &rows, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (streq(rows[i].namespace_, row->namespace_) && streq(rows[i].code, row->code) &&
                    rows[i].last_ms > last) {
                        last = rows[i].last_ms;
                        name = rows[i].name;
                }
        *ret = strdup(name);
        quarantine_rows_free(rows, n);
        return *ret ? 0 : -ENOMEM;
}

static int decide_link(Change *c, const RegistryRow *row, const char *text, const char *name) {
        UnitId id = 0;
        Day on = row->from == DAY_EVER ? c->today : row->from;
        int r = registry_find_other(c, row, text, on, &id);
        if (r != 0)
                return r;
        const Unit *u = unit_get(&c->app->units, id);
        if (!u)
                return -EINVAL; /* cannot be: it was just found */
        char day[16];
        if (on < u->from || on >= u->until)
                return REFUSE(c, 0, "ngày %s không có đơn vị \"%s\": viết --from một ngày có",
                              "on %s there is no \"%s\": write --from a day when there is",
                              day_format(day, on), u->key);
        if (registry_holder(&c->app->units, row->namespace_, row->code, on) == u)
                return REFUSE(c, 0, "%s:%s đã là mã của %s", "%s:%s is a code of %s already",
                              row->namespace_, row->code, u->key);
        r = registry_add_code(c, u, row, row->from, u->until);
        return r == 0 ? registry_add_alias(c, u, name, strlen(name)) : r;
}

static int decide_same(Change *c, const RegistryRow *row, const Unit *u, const char *name) {
        const char *old = unit_name_on(&c->app->units, u->id, row->from);
        int r = store_unit_name_end(c->app->store, u->id, row->from);
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, u->id, name, row->from, DAY_OPEN,
                                        false);
        return r < 0 ? r : registry_note(c, u->key, "name", old, name);
}

static int decide_new(Change *c, const RegistryRow *row, const Unit *old, const char *name) {
        char day[16], key[256];
        UnitId id = 0;
        (void) snprintf(key, sizeof key, "%s:%s@%s", row->namespace_, row->code,
                        day_format(day, row->from));
        int r = registry_end_codes(c, old, row->from);
        if (r >= 0)
                r = store_unit_end(c->app->store, old->id, row->from);
        if (r >= 0)
                r = registry_note(c, old->key, "until", NULL, day);
        if (r >= 0)
                r = store_unit_add(c->app->store, c->step, key, old->kind, old->parent, row->from,
                                   DAY_OPEN, &id);
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, id, name, DAY_EVER, DAY_OPEN,
                                        false);
        if (r >= 0)
                r = store_unit_code_add(c->app->store, c->step, id, row->namespace_, row->code,
                                        row->from, DAY_OPEN);
        return r < 0 ? r : registry_note(c, key, "new", NULL, name);
}

/* A slip of the pen would give a unit a code that no row ever comes with, and nobody would hear of it. */
static int check_seen(Change *c, const RegistryRow *row) {
        bool is_seen = false;
        int r = store_code_seen(c->app->store, row->namespace_, row->code, &is_seen);
        if (r < 0 || is_seen)
                return r;
        return REFUSE(
                c, 0,
                "chưa nguồn nào công bố mã %s:%s: xem chisoctl units suggest; nếu mã đúng và sẽ "
                "được công bố, thêm --yes",
                "no source has sent the code %s:%s: see chisoctl units suggest; if it is right "
                "and will come, add --yes",
                row->namespace_, row->code);
}

static int decide_inside(Change *c, const RegistryOrder *order) {
        RegistryDecision decision = order->decision;
        Day from = order->from;
        RegistryRow row = {.from = from, .until = DAY_OPEN};
        CLEANUP_FREE char *name = NULL;
        int r = registry_split_code(c, order->code, strlen(order->code), 0, &row);
        if (r == 0 && decision == REGISTRY_LINK && !order->is_unseen)
                r = check_seen(c, &row);
        if (r == 0)
                r = quarantined_name(c->app, &row, &name);
        if (r != 0)
                return r;
        const Unit *u = decision == REGISTRY_LINK
                                ? NULL
                                : registry_holder(&c->app->units, row.namespace_, row.code, from);
        if (decision != REGISTRY_LINK && !*name)
                return REFUSE(c, 0, "%s:%s không có trong danh sách chờ (chisoctl units suggest)",
                              "%s:%s is not in quarantine", row.namespace_, row.code);
        if (decision != REGISTRY_LINK && !u)
                return REFUSE(c, 0, "ngày đó không đơn vị nào có mã %s:%s",
                              "no unit has %s:%s on that day", row.namespace_, row.code);
        if (decision == REGISTRY_LINK)
                r = decide_link(c, &row, order->unit, name);
        else
                r = decision == REGISTRY_SAME ? decide_same(c, &row, u, name)
                                              : decide_new(c, &row, u, name);
        return r == 0 ? store_quarantine_done(c->app->store, c->step, row.namespace_, row.code,
                                              NULL)
                      : r;
}

int registry_decide(App *app, const RegistryOrder *order, int64_t now_ms, Diag *diag,
                    RegistryReport *ret) {
        Change c;
        int r = start(app, now_ms, diag, ret, &c);
        if (r == 0)
                r = decide_inside(&c, order);
        return finish(&c, r, /* is_trial= */ false);
}
