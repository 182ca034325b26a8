/* Which unit does a published row belong to? What core/unit decides is written down here: new units
 * and names in the registry, rows without a unit in quarantine. */
#include <errno.h>
#include <stdio.h>

#include "flow/cycle-private.h"

#define SCOPE_KIND "scope" /* of a unit of which nothing but its parts is known */
#define BARE_KIND "unit"   /* of one of which nothing but its code is: a file brought it */

static int register_unit(Evaluation *e, const char *code, const char *name, const char *kind,
                         UnitId parent, UnitId *ret) {
        App *app = e->app;
        char key[256];
        (void) snprintf(key, sizeof key, "%s:%s", e->source->namespace_, code);
        UnitId id = 0;
        e->is_registry_touched = true;
        e->report->n_registered++;
        int r = store_unit_add(app->store, e->step, key, kind, parent, DAY_EVER, DAY_OPEN, &id);
        if (r >= 0 && *name)
                r = store_unit_name_add(app->store, e->step, id, name, DAY_EVER, DAY_OPEN, false);
        if (r >= 0)
                r = store_unit_code_add(app->store, e->step, id, e->source->namespace_, code,
                                        DAY_EVER, DAY_OPEN);
        if (r >= 0)
                r = unit_add(&app->units, id, key, kind, parent, DAY_EVER, DAY_OPEN, NULL);
        if (r >= 0 && *name)
                r = unit_add_name(&app->units, id, name, DAY_EVER, DAY_OPEN, false);
        if (r >= 0)
                r = unit_add_code(&app->units, id, e->source->namespace_, code, DAY_EVER, DAY_OPEN);
        if (r < 0)
                return r;
        *ret = id;
        return 0;
}

/* The index of names is rebuilt from the rows: this is rare. */
static int reload_units(App *app) {
        unit_registry_done(&app->units);
        app->units = (UnitRegistry){0};
        return store_units_load(app->store, &app->units);
}

static int rename_unit(Evaluation *e, UnitId id, const char *name, Day day) {
        e->is_registry_touched = true;
        int r = store_unit_name_end(e->app->store, id, day);
        if (r >= 0)
                r = store_unit_name_add(e->app->store, e->step, id, name, day, DAY_OPEN, false);
        return r < 0 ? r : reload_units(e->app);
}

static bool is_below(const UnitRegistry *units, UnitId id, UnitId above) {
        const Unit *u = unit_get(units, id);
        for (int depth = 0; u && depth < 16; depth++, u = unit_get(units, u->parent))
                if (u->id == above)
                        return true;
        return false;
}

static bool is_placeholder(const Unit *u) {
        return streq(u->kind, SCOPE_KIND) || streq(u->kind, BARE_KIND);
}

/* A unit that was made because a source asks for its parts or a file has its code, and that is published now: only now are its
 * kind, name and parent known. */
static int adopt(Evaluation *e, const Unit *u, const char *name, const char *kind, UnitId parent) {
        Store *store = e->app->store;
        e->is_registry_touched = true;
        int r = store_unit_adopt(store, u->id, kind,
                                 is_below(&e->app->units, parent, u->id) ? 0 : parent);
        if (r >= 0 && u->n_names == 0 && *name)
                r = store_unit_name_add(store, e->step, u->id, name, DAY_EVER, DAY_OPEN, false);
        return r < 0 ? r : reload_units(e->app);
}

/* A file may name units by code alone: they are what the source's own answers have, if that is one kind. */
static const char *usual_kind(const SourceDef *source) {
        const char *kind = source->n_parts ? source->parts[0].kind_default : "";
        for (size_t i = 1; i < source->n_parts; i++)
                if (!streq_ptr(kind, source->parts[i].kind_default))
                        return BARE_KIND;
        return kind && *kind ? kind : BARE_KIND;
}

static int resolve_row(Evaluation *e, const DecodedUnit *u, UnitId parent, UnitId *ret) {
        App *app = e->app;
        Day first = period_start(e->result->period), last = period_end(e->result->period) - 1;
        const char *kind = u->kind;
        char CLEANUP_FREE *bare = NULL;
        if (!*kind && *u->name) {
                int r = unit_name_split(u->name, &bare, &kind);
                if (r < 0)
                        return r;
        }
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        UnitId id = 0;
        UnitDecision decision = unit_resolve(&app->units, e->source->namespace_, u->code, u->name,
                                             kind, parent, last, e->source->is_strict, &id, &diag);
        if (e->is_reading) {
                *ret = decision == UNIT_KNOWN || decision == UNIT_RENAMED ? id : 0;
                return 0;
        }
        const Unit *known = id ? unit_get(&app->units, id) : NULL;
        if (known && decision != UNIT_QUARANTINED && !unit_counts(known, 0)) {
                e->is_seen_again = e->is_registry_touched = true;
                e->report->n_registered++;
        }
        bool is_told = *kind && known && !streq(known->kind, kind);
        if (is_told && decision != UNIT_QUARANTINED && is_placeholder(known)) {
                *ret = id;
                return adopt(e, known, u->name, kind, parent);
        }
        bool has_name = known && known->n_names > 0 && unit_counts(known, 0);
        switch (decision) {
        case UNIT_KNOWN:
                *ret = id;
                return 0;
        case UNIT_NEW:
                return register_unit(e, u->code, u->name, *kind ? kind : usual_kind(e->source),
                                     parent, ret);
        case UNIT_RENAMED:
                *ret = id;
                /* The first name that is heard of one that had none, or none that counts, is no new
                 * name. */
                return rename_unit(e, id, u->name, has_name ? first : DAY_EVER);
        case UNIT_QUARANTINED:
                break;
        }
        *ret = 0;
        e->report->n_quarantined++;
        return store_quarantine_add(
                app->store, e->step, e->source->name, e->source->namespace_, u->code, u->name,
                diag_first_error(&diag, "no unit of that code or name is known"));
}

/* A key may be written with the namespace that the registering adds. */
static const char *without_namespace(const Evaluation *e, const char *key) {
        size_t n = strlen(e->source->namespace_);
        return strncmp(key, e->source->namespace_, n) == 0 && key[n] == ':' ? key + n + 1 : key;
}

/* The unit that is the parent of the scope's rows: the published parent row, else what
 * `scope_unit` names, else one made from the scope itself. Scope "" (national lists) has none. */
static int resolve_scope(Evaluation *e) {
        App *app = e->app;
        const FetchResult *f = e->result;
        for (size_t i = 0; i < f->snapshot->n_units; i++) {
                if (!f->snapshot->units[i].is_scope)
                        continue;
                int r = resolve_row(e, &f->snapshot->units[i], 0, &e->unit_of[i]);
                if (r < 0)
                        return r;
                e->scope_unit = e->unit_of[i];
                return e->is_reading ? 0
                                     : store_scope_put(app->store, e->source->name, f->scope,
                                                       e->scope_unit);
        }
        int r = store_scope_get(app->store, e->source->name, f->scope, &e->scope_unit);
        if (r <= 0 || e->is_reading)
                return MIN(r, 0);
        e->scope_unit = 0;
        if (!*f->scope && !e->source->scope_unit)
                return store_scope_put(app->store, e->source->name, f->scope, 0);
        const char *key = e->source->scope_unit ? e->source->scope_unit : f->scope;
        if (unit_find(&app->units, key, period_end(f->period) - 1, &e->scope_unit, NULL) != 0) {
                r = register_unit(e, without_namespace(e, key),
                                  e->source->scope_unit ? "" : e->source->label, SCOPE_KIND, 0,
                                  &e->scope_unit);
                if (r < 0)
                        return r;
        }
        return store_scope_put(app->store, e->source->name, f->scope, e->scope_unit);
}

/* Rows that once found no unit and do now, say because the registry was mended: nobody has to decide
 * on them any more. */
static int release_matched(Evaluation *e) {
        size_t n_open = 0;
        int r = store_quarantine_open(e->app->store, e->source->name, &n_open);
        for (size_t i = 0; r >= 0 && n_open > 0 && i < e->result->snapshot->n_units; i++) {
                const DecodedUnit *u = &e->result->snapshot->units[i];
                if (e->unit_of[i])
                        r = store_quarantine_matched(e->app->store, e->step, e->source->namespace_,
                                                     u->code, u->name, e->result->period);
        }
        return r;
}

int cycle_units(Evaluation *e) {
        const Snapshot *s = e->result->snapshot;
        e->unit_of = calloc(s->n_units + 1, sizeof *e->unit_of);
        if (!e->unit_of)
                return -ENOMEM;
        int r = resolve_scope(e);
        for (size_t i = 0; r >= 0 && i < s->n_units; i++)
                if (!s->units[i].is_scope)
                        r = resolve_row(e, &s->units[i], e->scope_unit, &e->unit_of[i]);
        return r < 0 || e->is_reading ? r : release_matched(e);
}

static size_t count_uncounted(const UnitRegistry *units) {
        size_t n = 0;
        for (size_t i = 0; i < units->n; i++)
                n += !unit_counts(&units->units[i], 0);
        return n;
}

int cycle_recount(Evaluation *e) {
        UnitRegistry *units = &e->app->units;
        size_t before = count_uncounted(units);
        e->is_registry_touched = true;
        int r = store_units_recount(e->app->store, units);
        size_t now = count_uncounted(units);
        e->report->n_uncounted = now > before ? now - before : 0;
        return r;
}

int cycle_bring_back(Evaluation *e) {
        bool is_any = false;
        int r = cycle_recount(e);
        for (size_t i = 0; r >= 0 && i < e->result->snapshot->n_units; i++) {
                const Unit *u = e->unit_of[i] ? unit_get(&e->app->units, e->unit_of[i]) : NULL;
                if (!u || unit_counts(u, 0))
                        continue;
                is_any = true;
                r = store_unit_confirm(e->app->store, e->step, u->id);
        }
        return r >= 0 && is_any ? cycle_recount(e) : r;
}
