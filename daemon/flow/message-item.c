/* What one item says: the figure, the one before, the counts, the source, and what it corrects. */
#include <errno.h>
#include <stdio.h>

#include "flow/judge.h"
#include "flow/message-private.h"
#include "store/alert.h"
#include "store/figure.h"

#define DELTA_REACH 13 /* periods that are looked through for an earlier figure */

void message_lookup_done(Lookup *l) {
        for (size_t i = 0; l->episodes && i < l->n; i++)
                store_episodes_free(l->episodes[i], l->n_episodes[i]);
        for (size_t i = 0; i < l->n_owned; i++)
                free(l->owned[i]);
        free(l->episodes);
        free(l->n_episodes);
        free(l->oldest);
        free(l->owned);
        free(l->items);
}

int message_lookup_own(Lookup *l, char *text, const char **ret) {
        if (!text)
                return -ENOMEM;
        int r = ARRAY_GROW(l->owned, l->cap_owned, l->n_owned + 1);
        if (r < 0) {
                free(text);
                return r;
        }
        l->owned[l->n_owned++] = text;
        *ret = text;
        return 0;
}

static const IndicatorDef *indicator_by_id(const App *app, IndicatorId id) {
        for (size_t i = 0; id && i < app->config->n_indicators; i++)
                if (app->config->indicators[i].id == id)
                        return &app->config->indicators[i];
        return NULL;
}

static void fill_unit(Lookup *l, RenderItem *it, Day day) {
        const UnitRegistry *units = &l->app->units;
        const Unit *u = unit_get(units, it->item.unit);
        it->unit_key = u ? u->key : "";
        it->unit_code = u ? unit_code_on(units, u->id, day) : "";
        it->unit_name = u ? unit_name_on(units, u->id, day) : "";
        it->unit_kind = u ? u->kind : "";
        it->parent_name = u && u->parent ? unit_name_on(units, u->parent, day) : "";
        if (u && !*it->unit_name)
                it->unit_name = u->key;
}

/* "623 trong 2.971": late of received, where the source publishes both. */
static int fill_counts(Lookup *l, RenderItem *it) {
        const Config *c = l->app->config;
        int late = config_indicator(c, "late"), received = config_indicator(c, "received");
        it->count_part = it->count_whole = VALUE_NONE;
        if (!it->indicator || !streq(it->indicator->name, "progress") || late < 0 || received < 0)
                return 0;
        FigureRow row;
        int r = store_figure_get(l->app->store, it->item.period, c->indicators[late].id,
                                 it->item.unit, 0, &row, NULL);
        if (r == 0)
                it->count_part = row.value;
        if (r >= 0)
                r = store_figure_get(l->app->store, it->item.period, c->indicators[received].id,
                                     it->item.unit, 0, &row, NULL);
        if (r == 0)
                it->count_whole = row.value;
        return r < 0 ? r : 0;
}

/* The oldest period of the indicator for any unit, -1 for none. */
static int oldest_of(Lookup *l, const RenderItem *it, PeriodId *ret) {
        const Config *c = l->app->config;
        PeriodType type = period_type(it->item.period);
        size_t at = (size_t) (it->indicator - c->indicators) * PERIOD_N_TYPES + type;
        if (!l->oldest)
                l->oldest = calloc(c->n_indicators * PERIOD_N_TYPES + 1, sizeof *l->oldest);
        if (!l->oldest)
                return -ENOMEM;
        if (l->oldest[at] == 0) {
                PeriodId last;
                int r = store_period_range(l->app->store, it->indicator->id, type, STEP_EVER,
                                           &l->oldest[at], &last);
                if (r < 0)
                        return r;
                if (r > 0)
                        l->oldest[at] = -1;
        }
        *ret = l->oldest[at];
        return 0;
}

/* None in the period before: is it the unit's first figure, or were there earlier ones? */
static int fill_gap(Lookup *l, RenderItem *it, PeriodId before) {
        Panel *panel = NULL;
        PeriodId oldest = 0;
        int r = oldest_of(l, it, &oldest);
        if (r < 0 || oldest < 0 || oldest > before)
                return r;
        r = panel_new(&it->item.unit, 1, period_add(before, 1 - DELTA_REACH), DELTA_REACH, &panel);
        if (r >= 0)
                r = store_panel_load(l->app->store, it->indicator->id, 0, panel);
        for (size_t p = 0; r >= 0 && p < DELTA_REACH; p++)
                if (panel_at(panel, p, 0) != VALUE_NONE)
                        it->delta_reason = DELTA_GAP;
        if (panel)
                panel_free(panel);
        return r;
}

/* Change and its reason as known now: the previous period's figure, same era. */
static int fill_delta(Lookup *l, RenderItem *it) {
        PeriodId before = period_previous(it->item.period);
        it->delta = it->previous = VALUE_NONE;
        it->delta_reason = DELTA_MISSING;
        if (it->item.value == VALUE_NONE)
                return 0;
        const Unit *unit = unit_get(&l->app->units, it->item.unit);
        const EraDef *era = app_era_between(l->app, before, it->item.period, it->indicator,
                                            unit ? unit->parent : 0);
        FigureRow row;
        int r = store_figure_get(l->app->store, before, it->indicator->id, it->item.unit, 0, &row,
                                 NULL);
        if (r < 0)
                return r;
        bool has_before = r == 0 && row.value != VALUE_NONE;
        it->era_reason = era ? era->reason : NULL;
        it->delta_reason = era ? DELTA_ERA : has_before ? DELTA_OK : DELTA_FIRST;
        if (has_before)
                it->previous = row.value;
        if (has_before && !era)
                it->delta = it->item.value - row.value;
        return it->delta_reason == DELTA_FIRST ? fill_gap(l, it, before) : 0;
}

static int fill_source(Lookup *l, RenderItem *it, int64_t now_ms) {
        const Config *c = l->app->config;
        it->status = PERIOD_CLOSED;
        if (!it->indicator || it->indicator->source < 0)
                return 0;
        const SourceDef *s = &c->sources[it->indicator->source];
        it->source_label = s->label;
        it->status = period_status(it->item.period, day_of_instant(now_ms), s->final_after_days);
        if (l->seen_source != s || l->seen_period != it->item.period) {
                int64_t first = 0;
                int r = store_seen(l->app->store, s->name, NULL, it->item.period, &l->seen_ms,
                                   &first);
                if (r < 0)
                        return r;
                l->seen_source = s;
                l->seen_period = it->item.period;
        }
        it->fetched_ms = l->seen_ms;
        return 0;
}

/* "hold:RULE/PARENT/KIND" is titled by the parent, else by who runs this: "Tiên Lữ" for "UBND huyện
 * Tiên Lữ". */
static int fill_hold(Lookup *l, RenderItem *it, int64_t now_ms) {
        const char *slash = strchr(it->subject, '/');
        const char *last = slash ? strrchr(slash + 1, '/') : NULL;
        if (strncmp(it->subject, "hold:", 5) != 0 || !last)
                return 0;
        char CLEANUP_FREE *key = strndup(slash + 1, (size_t) (last - slash - 1));
        const char *name = l->app->config->daemon.organization, *kind = "";
        Day day = day_of_instant(now_ms);
        UnitId id = 0;
        char *bare = NULL;
        if (!key)
                return -ENOMEM;
        if (unit_find(&l->app->units, key, day, &id, NULL) == 0 &&
            *unit_name_on(&l->app->units, id, day))
                name = unit_name_on(&l->app->units, id, day);
        if (!name || !*name)
                return 0;
        int r = unit_name_split(name, &bare, &kind);
        return r < 0 ? r : message_lookup_own(l, bare, &it->unit_name);
}

static int fill_episode(Lookup *l, size_t i, RenderItem *it, int64_t now_ms) {
        if (!it->item.episode)
                return 0;
        int r = store_episodes(l->app->store, &(EpisodeFilter){.id = it->item.episode},
                               &l->episodes[i], &l->n_episodes[i]);
        if (r < 0 || l->n_episodes[i] == 0)
                return r;
        const Episode *e = &l->episodes[i][0];
        it->alert = e->id;
        it->rule = e->rule;
        it->subject = e->subject;
        it->limit = e->limit;
        it->place = e->place;
        it->of = e->of;
        it->first = (PeriodId) (e->unit ? e->first : 0);
        it->end = e->end;
        if (it->item.say == SAY_LATE && it->item.period != e->last) {
                it->ended = e->last;
                it->place = it->of = 0; /* those of the end */
        }
        const RuleDef *rule = judge_rule_def(l->app, e->rule);
        if (rule) {
                it->advice = rule->advice;
                it->when = rule->when;
                if (e->unit && e->state == EPISODE_OPEN && rule->escalate_after > 0 &&
                    e->length >= rule->escalate_after)
                        it->escalated =
                                MIN(period_add(e->first, rule->escalate_after - 1), e->last);
                if (it->ended && it->when.kind == CONDITION_BEHIND)
                        it->limit = VALUE_NONE; /* moves with the others: it is the end's */
        }
        if (!e->subject)
                return 0;
        it->item.period = 0; /* it only dates the row */
        r = fill_hold(l, it, now_ms);
        if (r < 0)
                return r;
        TransitionRow *rows = NULL;
        size_t n = 0;
        r = store_transitions(l->app->store, e->id, &rows, &n);
        if (r >= 0 && n > 0 && rows[n - 1].reason)
                r = message_lookup_own(l, strdup(rows[n - 1].reason), &it->text);
        transition_rows_free(rows, n);
        return r;
}

static int find_corrected(Lookup *l, int64_t message) {
        MessageRow *row = NULL;
        bool is_letter = false;
        l->seen_message = 0;
        l->corrects_ms = 0;
        l->corrects_id = l->corrects_title = NULL;
        int r = store_message_head(l->app->store, message, &row);
        if (r != 0)
                return MIN(r, 0);
        l->corrects_ms = row->settled_ms ? row->settled_ms : row->created_ms;
        r = message_lookup_own(l, message_id_of(l->app, row->uuid), &l->corrects_id);
        if (r >= 0)
                r = store_message_is_letter(l->app->store, row->id, &is_letter);
        if (r >= 0 && is_letter && row->subject)
                r = message_lookup_own(l, strdup(row->subject), &l->corrects_title);
        message_rows_free(row, 1);
        if (r >= 0)
                l->seen_message = message;
        return MIN(r, 0);
}

static int fill_correction(Lookup *l, RenderItem *it) {
        int r = 0;
        if (!it->item.corrects)
                return 0;
        if (it->item.corrects != l->seen_message)
                r = find_corrected(l, it->item.corrects);
        it->corrects_ms = l->corrects_ms;
        it->corrects_id = l->corrects_id;
        it->corrects_title = l->corrects_title;
        return r;
}

/* What the alert said of the told period, and why it vanished: its own figures, or those of
 * others. */
static int fill_then(Lookup *l, RenderItem *it) {
        TransitionRow *rows = NULL;
        size_t n = 0;
        int r = store_transitions(l->app->store, it->item.episode, &rows, &n);
        if (r < 0)
                return r;
        const char *reason = n > 0 ? str_or(rows[n - 1].reason, "") : "";
        it->is_cause_other = streq(reason, "median") || streq(reason, "place");
        for (size_t i = n; i-- > 0;) {
                const TransitionRow *t = &rows[i];
                if (t->kind == TRANSITION_WITHDRAWN || t->period != it->item.period ||
                    t->value != it->item.old_value)
                        continue;
                it->limit = t->limit;
                if (t->value != VALUE_NONE && t->previous_value != VALUE_NONE) {
                        it->told_delta = t->value - t->previous_value;
                        it->has_told_delta = true;
                }
                break;
        }
        transition_rows_free(rows, n);
        return 0;
}

/* A withdrawal says what the figure is now; the place that the alert had then says nothing any
 * more. */
static int fill_withdrawn(Lookup *l, RenderItem *it) {
        FigureRow row;
        it->place = it->of = 0;
        int then = fill_then(l, it);
        if (then < 0)
                return then;
        int r = store_figure_get(l->app->store, it->item.period, it->indicator->id, it->item.unit,
                                 0, &row, NULL);
        it->item.value = r == 0 ? row.value : VALUE_NONE;
        return r < 0 ? r : 0;
}

/* A figure of the same period was printed before and has changed by as much as is told. */
static void fill_restated(RenderItem *it) {
        int64_t now = it->item.value, old = it->item.old_value;
        if (!it->item.corrects || !it->indicator || it->item.say == SAY_WITHDRAWN || now == old)
                return;
        it->is_restated = now == VALUE_NONE || old == VALUE_NONE ||
                          MAX(now, old) - MIN(now, old) >= it->indicator->restated_min;
}

static int fill_item(Lookup *l, size_t i, const PlanItem *item, int64_t now_ms) {
        RenderItem *it = &l->items[i];
        *it = (RenderItem){.item = *item,
                           .limit = VALUE_NONE,
                           .delta = VALUE_NONE,
                           .previous = VALUE_NONE,
                           .count_part = VALUE_NONE,
                           .count_whole = VALUE_NONE};
        if (item->period && period_end(item->period) <= day_of_instant(now_ms))
                it->status = PERIOD_CLOSED; /* till its source says how long it stays open */
        it->indicator = indicator_by_id(l->app, item->indicator);
        fill_unit(l, it, item->period ? period_end(item->period) - 1 : day_of_instant(now_ms));
        int r = fill_episode(l, i, it, now_ms);
        if (r >= 0 && it->indicator && item->period) {
                r = item->say == SAY_WITHDRAWN ? fill_withdrawn(l, it) : 0;
                if (r >= 0)
                        r = fill_counts(l, it);
                if (r >= 0)
                        r = fill_delta(l, it);
                if (r >= 0)
                        r = fill_source(l, it, now_ms);
        }
        if (r >= 0)
                fill_restated(it);
        return r < 0 ? r : fill_correction(l, it);
}

int message_lookup(Lookup *l, const MessageInput *in) {
        l->items = calloc(in->n_items + 1, sizeof *l->items);
        l->episodes = calloc(in->n_items + 1, sizeof *l->episodes);
        l->n_episodes = calloc(in->n_items + 1, sizeof *l->n_episodes);
        int r = l->items && l->episodes && l->n_episodes ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < in->n_items; i++)
                r = fill_item(l, i, &in->items[i], in->now_ms);
        return r;
}
