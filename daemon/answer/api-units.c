/* The registry as it is now. Addresses are shown on the admin socket only. */
#include "answer/api-call.h"
#include "store/registry.h"

static void write_contact(ApiCall *c, const Unit *u) {
        JsonOut *o = &c->out;

        json_out_bool(o, "has_email", u->n_emails > 0);
        json_out_bool(o, "has_webhook", u->webhook != NULL);
        if (!c->is_admin)
                return;
        json_out_array(o, "emails");
        for (size_t i = 0; i < u->n_emails; i++)
                json_out_text(o, NULL, u->emails[i]);
        json_out_end_array(o);
        json_out_text(o, "webhook", u->webhook);
}

static void write_head(ApiCall *c, const Unit *u) {
        const UnitRegistry *registry = &c->app->units;
        const Unit *parent = u->parent ? unit_get(registry, u->parent) : NULL;
        JsonOut *o = &c->out;

        json_out_text(o, "key", u->key);
        json_out_text(o, "code", unit_code_on(registry, u->id, c->view.today));
        json_out_text(o, "name", app_unit_label(c->app, u->id, c->view.today));
        json_out_text(o, "kind", u->kind);
        json_out_text(o, "parent", parent ? parent->key : NULL);
        json_out_day(o, "from", u->from);
        json_out_day(o, "until", u->until);
        write_contact(c, u);
}

static void write_names(JsonOut *o, const Unit *u) {
        json_out_array(o, "names");
        for (size_t i = 0; i < u->n_names; i++) {
                json_out_object(o, NULL);
                json_out_text(o, "name", u->names[i].name);
                json_out_day(o, "from", u->names[i].from);
                json_out_day(o, "until", u->names[i].until);
                json_out_bool(o, "is_alias", u->names[i].is_alias);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        json_out_array(o, "codes");
        for (size_t i = 0; i < u->n_codes; i++) {
                json_out_object(o, NULL);
                json_out_text(o, "namespace", u->codes[i].namespace_);
                json_out_text(o, "code", u->codes[i].code);
                json_out_day(o, "from", u->codes[i].from);
                json_out_day(o, "until", u->codes[i].until);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

static void write_kin(ApiCall *c, const char *key, const SuccessorRow *rows, size_t n, UnitId unit,
                      bool is_before) {
        JsonOut *o = &c->out;

        json_out_array(o, key);
        for (size_t i = 0; i < n; i++) {
                if ((is_before ? rows[i].successor : rows[i].unit) != unit)
                        continue;
                json_out_object(o, NULL);
                view_unit(o, "unit", &c->view, is_before ? rows[i].unit : rows[i].successor,
                          is_before ? rows[i].from - 1 : rows[i].from);
                json_out_day(o, "from", rows[i].from);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

int api_unit_kin(ApiCall *c, UnitId unit) {
        CLEANUP_FREE SuccessorRow *rows = NULL;
        size_t n = 0;

        int r = store_unit_successors(c->store, &rows, &n);
        if (r < 0)
                return r;
        write_kin(c, "predecessors", rows, n, unit, /* is_before= */ true);
        write_kin(c, "successors", rows, n, unit, /* is_before= */ false);
        return 0;
}

int api_unit(ApiCall *c) {
        UnitId id;

        int r = api_find_unit(c, c->arg[0], &id);
        if (r != 0)
                return r;
        const Unit *u = unit_get(&c->app->units, id);
        size_t children = 0;
        for (size_t i = 0; i < c->app->units.n; i++)
                children += c->app->units.units[i].parent == id &&
                            unit_counts(&c->app->units.units[i], 0);

        json_out_object(&c->out, NULL);
        write_head(c, u);
        json_out_bool(&c->out, "taken_back", !unit_counts(u, 0));
        json_out_int(&c->out, "children", (int64_t) children);
        write_names(&c->out, u);
        r = api_unit_kin(c, id);
        json_out_end_object(&c->out);
        return r;
}

static bool is_listed(const ApiCall *c, const Unit *u, UnitId parent) {
        const char *kind = api_query(c, "kind");

        if (kind && !streq(u->kind, kind))
                return false;
        if (parent && u->parent != parent)
                return false;
        if (!unit_counts(u, 0))
                return false;
        return api_flag(c, "all") || (u->from <= c->view.today && c->view.today < u->until);
}

int api_units(ApiCall *c) {
        const UnitRegistry *registry = &c->app->units;
        size_t total = 0;
        UnitId parent;

        const char *format = str_or(api_query(c, "format"), "json");
        if (streq(format, "csv") || streq(format, "xlsx"))
                return api_units_list(c);
        int r = api_find_unit(c, api_query(c, "parent"), &parent);
        if (r == 0)
                r = api_check_kind(c, api_query(c, "kind"));
        if (r != 0)
                return r;
        json_out_object(&c->out, NULL);
        json_out_array(&c->out, "units");
        for (size_t i = 0; i < registry->n; i++) {
                const Unit *u = registry->units + i;

                if (!is_listed(c, u, parent))
                        continue;
                if (total >= c->offset && total - c->offset < c->limit) {
                        json_out_object(&c->out, NULL);
                        write_head(c, u);
                        json_out_end_object(&c->out);
                }
                total++;
        }
        json_out_end_array(&c->out);
        api_page(c, total);
        json_out_end_object(&c->out);
        return 0;
}
