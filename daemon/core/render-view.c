/* The view model: everything that a message says, as a tree for templates (docs/templates.md).
 *
 * Two layers in one tree. `items` is the machine's: one object per plan item, numbers as exact
 * decimal text ("82.71"), written by render_webhook. `groups` and `rules` (render-people.c),
 * `sources` and `advices` are for people.
 *
 * Every object has all of its keys, null where there is nothing: Mustache looks an absent key up in
 * the objects around. */
#include <errno.h>

#include "core/render-count.h"
#include "core/render-people.h"

#define DISTINCT_MAX 50u /* advices and sources shown; beyond that nobody reads them */

/* A program has seen the id of a message, which is the left part of a Message-ID. */
static void put_message(Maker *k, json_t *object, const char *key, const char *message_id) {
        size_t n = message_id ? strcspn(message_id, "@") : 0;
        put_value(k, object, key, message_id ? json_stringn(message_id, n) : json_null());
}

/* ---- items: for machines --------------------------------------------------------------------- */

static json_t *indicator_object(Maker *k, const IndicatorDef *d) {
        static const char *const units[] = {"percent", "points", "count"};
        if (!d)
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "name", d->name);
        pen_indicator(&k->pen, d, /* is_brief= */ false);
        put_pen(k, o, "label");
        pen_indicator(&k->pen, d, /* is_brief= */ true);
        put_pen(k, o, "brief");
        put_text(k, o, "unit", units[d->unit]);
        return o;
}

static const char *or_null(const char *s) {
        return s && *s ? s : NULL;
}

static json_t *unit_object(Maker *k, const RenderItem *item) {
        if (item->subject || !or_null(item->unit_key))
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "key", item->unit_key);
        put_text(k, o, "code", or_null(item->unit_code));
        put_text(k, o, "name", or_null(item->unit_name));
        put_text(k, o, "kind", or_null(item->unit_kind));
        put_text(k, o, "parent", or_null(item->parent_name));
        pen_unit(&k->pen, item, /* is_start= */ true);
        put_pen(k, o, "title");
        return o;
}

static json_t *period_object(Maker *k, PeriodId period, PeriodStatus status) {
        char text[16];
        if (!period_is_valid(period))
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "id", period_format(text, period));
        put_text(k, o, "type", period_type_name(period_type(period)));
        put_text(k, o, "start", day_format(text, period_start(period)));
        put_text(k, o, "end", day_format(text, period_end(period)));
        put_text(k, o, "status", period_status_name(status));
        pen_period(&k->pen, period);
        put_pen(k, o, "text");
        put_text(k, o, "status_text", status_text(&k->pen, status));
        return o;
}

static json_t *source_object(Maker *k, const RenderItem *item) {
        if (!item->source_label)
                return json_null();
        json_t *o = json_object();
        put_text(k, o, "label", item->source_label);
        put_instant(k, o, "fetched_at", item->fetched_ms);
        return o;
}

static json_t *counts_object(Maker *k, const RenderItem *item) {
        if (item->count_part == VALUE_NONE)
                return json_null();
        json_t *o = json_object();
        put_value(k, o, "part", json_integer(item->count_part));
        put_value(k, o, "whole",
                  item->count_whole != VALUE_NONE ? json_integer(item->count_whole) : json_null());
        return o;
}

static void put_item_numbers(Maker *k, json_t *o, const RenderItem *item) {
        unsigned decimals = item->indicator ? item->indicator->decimals : 0;
        char since[16], escalated[16];
        put_decimal(k, o, "value", item->item.value, decimals);
        put_decimal(k, o, "limit", item->limit, decimals);
        put_decimal(k, o, "delta", item->delta_reason == DELTA_OK ? item->delta : VALUE_NONE,
                    decimals);
        put_text(k, o, "delta_reason",
                 item->delta_reason != DELTA_OK ? delta_reason_name(item->delta_reason) : NULL);
        put_id(k, o, "place", item->place);
        put_id(k, o, "of", item->place ? item->of : 0);
        put_value(k, o, "counts", counts_object(k, item));
        put_text(k, o, "since",
                 period_is_valid(item->first) ? period_format(since, item->first) : NULL);
        put_text(k, o, "escalated",
                 period_is_valid(item->escalated) ? period_format(escalated, item->escalated)
                                                  : NULL);
        put_decimal(k, o, "old_value", item->item.old_value, decimals);
}

static void put_item_words(Maker *k, json_t *o, const RenderItem *item) {
        pen_value(&k->pen, item->indicator, item->item.value);
        put_pen(k, o, "value_text");
        pen_delta(&k->pen, item);
        put_pen(k, o, "delta_text");
        pen_phrase(&k->pen, item);
        put_pen(k, o, "phrase");
}

static json_t *item_object(Maker *k, const RenderItem *item) {
        bool is_ended = item->item.say == SAY_CLOSING || item->item.say == SAY_LATE;
        json_t *o = json_object();
        put_text(k, o, "say", say_name(item->item.say));
        put_id(k, o, "alert", item->alert);
        put_text(k, o, "rule", item->rule);
        put_text(k, o, "severity", severity_name(item->item.severity));
        put_value(k, o, "indicator", indicator_object(k, item->indicator));
        put_value(k, o, "unit", unit_object(k, item));
        put_value(k, o, "period", period_object(k, item->item.period, item->status));
        put_item_numbers(k, o, item);
        put_text(k, o, "ended",
                 is_ended && item->end != END_NONE ? end_reason_name(item->end) : NULL);
        put_message(k, o, "corrects", item->corrects_id);
        put_instant(k, o, "corrects_at", item->corrects_id ? item->corrects_ms : 0);
        put_text(k, o, "advice", item->advice);
        put_value(k, o, "source", source_object(k, item));
        put_text(k, o, "subject", item->subject);
        put_text(k, o, "text", item->text);
        put_item_words(k, o, item);
        return o;
}

/* ---- said once for all items ----------------------------------------------------------------- */

static bool has_text(const json_t *array, const char *text) {
        for (size_t i = 0; i < json_array_size(array); i++)
                if (streq(str_or(json_string_value(json_array_get(array, i)), ""), text))
                        return true;
        return false;
}

static void add_distinct(Maker *k, json_t *array) {
        json_t *value = take_pen(k);
        const char *text = json_string_value(value);
        if (text && json_array_size(array) < DISTINCT_MAX && !has_text(array, text))
                add_value(k, array, value);
        else
                json_decref(value);
}

static json_t *advices_array(Maker *k) {
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++) {
                const RenderItem *item = &k->m->items[i];
                Group group = item_group(item);
                if (group == GROUP_CLOSINGS || group == GROUP_CORRECTIONS)
                        continue;
                if (item_is_hold(item) && k->m->role == ROLE_OPERATOR)
                        pen_hold_advice(&k->pen, item);
                else if (item->advice)
                        pen_text(&k->pen, item->advice);
                else
                        continue;
                add_distinct(k, array);
        }
        return array;
}

static json_t *sources_array(Maker *k) {
        json_t *array = json_array();
        for (size_t i = 0; i < k->m->n_items; i++) {
                const RenderItem *item = &k->m->items[i];
                char at[24];
                if (!item->source_label)
                        continue;
                pen_text(&k->pen, item->source_label);
                if (item->fetched_ms != 0)
                        pen_printf(&k->pen, SAID(&k->pen, ", lấy lúc %s", ", fetched %s"),
                                   instant_format_vi(at, item->fetched_ms));
                add_distinct(k, array);
        }
        return array;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const char *message_type(const Maker *k) {
        static const char *const types[GROUP_N] = {"alert.correction", "alert.opening",
                                                   "alert.worse", "alert.continued",
                                                   "alert.closing"};
        if (message_is_overview(k->m))
                return "alert.overview";
        if (k->lines.n == 0)
                return "alert.none";
        for (Group g = GROUP_CORRECTIONS; g < GROUP_N; g++)
                if (k->lines.n_in_group[g] == k->lines.n)
                        return types[g];
        return "alert.digest";
}

static void put_head(Maker *k, json_t *view) {
        const RenderMessage *m = k->m;
        char at[24];
        CLEANUP_FREE char *subject = render_subject(m);
        if (!subject)
                k->r = -ENOMEM;
        put_text(k, view, "type", message_type(k));
        put_text(k, view, "id", m->id);
        put_instant(k, view, "at", m->now_ms);
        put_text(k, view, "at_text", instant_format_vi(at, m->now_ms));
        put_text(k, view, "organization", m->organization);
        put_text(k, view, "recipient", m->recipient);
        put_text(k, view, "to", or_null(m->to));
        put_text(k, view, "language", k->pen.is_en ? "en" : "vi");
        put_text(k, view, "subject_line", subject);
        put_bool(k, view, "drill", m->is_drill);
        put_text(k, view, "contact", or_null(m->contact));
        put_text(k, view, "scope", or_null(m->scope_name));
        put_bool(k, view, "is_operator", m->role == ROLE_OPERATOR);
        put_bool(k, view, "is_official", m->role == ROLE_OFFICIAL);
        put_bool(k, view, "is_overview", message_is_overview(m));
        put_bool(k, view, "is_empty", m->n_items == 0);
        put_value(k, view, "open", json_integer((json_int_t) m->open.n));
        put_bool(k, view, "has_open", m->open.n > 0);
        put_value(k, view, "open_others",
                  m->open.n_others > 0 ? json_integer((json_int_t) m->open.n_others) : json_null());
        pen_open(&k->pen, m);
        put_pen(k, view, "open_text");
}

json_t *render_view(const RenderMessage *m) {
        CLEANUP(maker_done) Maker k = {.m = m, .pen = pen_new(m->language)};
        if (lines_init(&k.lines, m->items, m->n_items) < 0)
                return NULL;
        json_auto_t *view = json_object(), *items = json_array();
        put_head(&k, view);
        for (size_t i = 0; i < MIN(m->n_items, RENDER_MAX_ITEMS); i++)
                add_value(&k, items, item_object(&k, &m->items[i]));
        put_value(&k, view, "items", json_incref(items));
        put_value(&k, view, "n_items", json_integer((json_int_t) m->n_items));
        if (m->is_bare)
                return k.r == 0 ? json_incref(view) : NULL;
        put_value(&k, view, "groups", groups_array(&k));
        put_value(&k, view, "rules", rules_array(&k));
        json_t *advices = advices_array(&k), *sources = sources_array(&k);
        put_bool(&k, view, "has_advices", json_array_size(advices) > 0);
        put_value(&k, view, "advices", advices);
        put_bool(&k, view, "has_sources", json_array_size(sources) > 0);
        put_value(&k, view, "sources", sources);
        return k.r == 0 ? json_incref(view) : NULL;
}
