/* Where the figures come from and what was sent: sources, recent snapshots, recent messages. What
 * waits in memory (the next time, what is under way) is of now, whatever instant is asked for; the
 * page says so. */
#include <stdio.h>

#include "answer/page-sheet.h"

#define RECENT "30"

static void state_words(Page *p, json_t *list, const char *key, bool (*is_bad)(const char *)) {
        char name[64];
        json_t *row;
        size_t i;

        (void) snprintf(name, sizeof(name), "%s_text", key);
        json_array_foreach(list, i, row) {
                const char *state = json_string_value(json_object_get(row, key));

                page_set(p, row, name, json_string(page_state_word(p, state)));
                page_set(p, row, "is_bad", json_boolean(state && is_bad(state)));
        }
}

static void instants(Page *p, json_t *list, const char *const *keys, size_t n_keys) {
        json_t *row;
        size_t i;

        json_array_foreach(list, i, row) for (size_t k = 0; k < n_keys; k++)
                page_instant(p, row, keys[k]);
}

static bool is_bad_source(const char *state) {
        return streq(state, "failing") || streq(state, "refused") || streq(state, "stopped");
}

static bool is_bad_snapshot(const char *state) {
        return !streq(state, "accepted");
}

static bool is_bad_message(const char *state) {
        return streq(state, "dead");
}

static int fill_sources(Page *p) {
        static const char *const keys[] = {"last", "last_good", "next"};
        json_t *answer = NULL, *row;
        size_t i;

        int r = page_ask(p, api_sources, NULL, 0, &answer);
        if (r != 0)
                return r;
        json_t *list = json_object_get(answer, "sources");
        state_words(p, list, "state", is_bad_source);
        instants(p, list, keys, ELEMENTSOF(keys));
        json_array_foreach(list, i, row) {
                const json_t *backfill = json_object_get(row, "backfill");

                page_set(p, row, "outcome_text",
                         json_string(page_state_word(
                                 p, json_string_value(json_object_get(row, "outcome")))));
                page_set(p, row, "has_backfill",
                         json_boolean(json_integer_value(json_object_get(backfill, "of")) > 0));
                page_reason(p, row, "reason");
        }
        page_set(p, p->view, "sources", json_incref(list));
        json_decref(answer);
        return p->error;
}

static int fill_snapshots(Page *p) {
        static const char *const keys[] = {"at"};
        NameValue args[] = {{"limit", RECENT}};
        json_t *answer = NULL, *row;
        size_t i;

        int r = page_ask(p, api_snapshots, args, ELEMENTSOF(args), &answer);
        if (r != 0)
                return r;
        json_t *list = json_object_get(answer, "snapshots");
        state_words(p, list, "state", is_bad_snapshot);
        instants(p, list, keys, ELEMENTSOF(keys));
        json_array_foreach(list, i, row) {
                page_period(p, row, "period");
                page_reason(p, row, "reason");
        }
        page_set(p, p->view, "has_snapshots", json_boolean(json_array_size(list) > 0));
        page_set(p, p->view, "snapshots", json_incref(list));
        json_decref(answer);
        return p->error;
}

static int fill_deliveries(Page *p) {
        static const char *const keys[] = {"created", "settled", "next"};
        NameValue args[] = {{"limit", RECENT}};
        json_t *answer = NULL;

        int r = page_ask(p, api_deliveries, args, ELEMENTSOF(args), &answer);
        if (r != 0)
                return r;
        json_t *list = json_object_get(answer, "deliveries");
        state_words(p, list, "state", is_bad_message);
        instants(p, list, keys, ELEMENTSOF(keys));
        page_set(p, p->view, "has_deliveries", json_boolean(json_array_size(list) > 0));
        page_set(p, p->view, "deliveries", json_incref(list));
        json_decref(answer);
        return p->error;
}

int page_sources(ApiCall *c) {
        CLEANUP(page_done) Page p = {0};

        int r = page_init(&p, c, "sources");
        if (r == 0)
                r = fill_sources(&p);
        if (r == 0)
                r = fill_snapshots(&p);
        if (r == 0)
                r = fill_deliveries(&p);
        if (r == 0)
                r = page_source(&p);
        if (r == 0 && page_is_book(&p))
                return page_answer_book(&p, "sources", page_source_sheets, NULL);
        return r != 0 ? r : page_answer(&p, "sources.html");
}
