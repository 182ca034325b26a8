/* The snapshot as a table: units in rows, the source's indicators in columns.
 *
 * The columns are laid out once, before the first row, so that a cell is one multiplication away
 * and several parts fill the same rows without being merged afterwards. A cell begins as "missing"
 * and is written once: where two parts publish the same figure, the first stands. While parts come
 * in, units are found by a hash of their code; decode_finish sorts them and drops it, after which a
 * binary search does. */
#include <errno.h>

#include "core/decode-snapshot.h"
#include "core/decode.h"
#include "core/hashindex.h"

static bool maps_indicator(const ValueMap *values, size_t n, size_t indicator, bool is_delta) {
        for (size_t i = 0; i < n; i++)
                if (values[i].indicator == indicator && (!is_delta || values[i].delta))
                        return true;
        return false;
}

static bool part_maps(const PartDef *p, size_t indicator, bool is_delta) {
        return maps_indicator(p->values, p->n_values, indicator, is_delta) ||
               maps_indicator(p->parent_values, p->n_parent_values, indicator, is_delta);
}

static bool source_maps(const SourceDef *source, size_t indicator, bool is_delta) {
        for (size_t i = 0; i < source->n_parts; i++)
                if (part_maps(&source->parts[i], indicator, is_delta))
                        return true;
        return false;
}

bool decode_publishes(const SourceDef *source, size_t indicator) {
        return source_maps(source, indicator, /* is_delta= */ false);
}

static bool source_prints_changes(const SourceDef *source, size_t n_indicators) {
        for (size_t i = 0; i < n_indicators; i++)
                if (source_maps(source, i, /* is_delta= */ true))
                        return true;
        return false;
}

int snapshot_new(const Config *config, size_t source, Snapshot **ret) {
        const SourceDef *def = &config->sources[source];
        CLEANUP(snapshot_freep) Snapshot *s = calloc(1, sizeof *s);
        if (!s)
                return -ENOMEM;
        s->indicators = calloc(MAX(config->n_indicators, (size_t) 1), sizeof *s->indicators);
        s->index = calloc(1, sizeof(HashIndex));
        if (!s->indicators || !s->index)
                return -ENOMEM;
        for (size_t i = 0; i < config->n_indicators; i++)
                if (config->indicators[i].source == (int) source || decode_publishes(def, i))
                        s->indicators[s->n_columns++] = i;
        if (source_prints_changes(def, config->n_indicators)) {
                s->delta = calloc(1, sizeof *s->delta);
                if (!s->delta)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

void snapshot_index_free(Snapshot *s) {
        if (s->index)
                hash_index_done(s->index);
        free(s->index);
        s->index = NULL;
}

void snapshot_free(Snapshot *s) {
        if (!s)
                return;
        for (size_t i = 0; i < s->n_units; i++) {
                free(s->units[i].code);
                free(s->units[i].name);
        }
        for (size_t i = 0; i < s->n_notes; i++)
                free(s->notes[i].text);
        snapshot_index_free(s);
        free(s->units);
        free(s->notes);
        free(s->indicators);
        free(s->value);
        free(s->why);
        free(s->delta);
        free(s);
}

static int resize(void *array, size_t n, size_t size) {
        void *grown = reallocarray(*(void **) array, MAX(n, (size_t) 1), size);
        if (!grown)
                return -ENOMEM;
        *(void **) array = grown;
        return 0;
}

/* Room for one more row of cells. */
static int grow_rows(Snapshot *s) {
        if (s->n_units < s->cap_rows)
                return 0;
        size_t cap = s->cap_rows ? s->cap_rows + s->cap_rows / 2 : 64;
        size_t cells = cap * s->n_columns;
        if (s->n_columns > 0 && cells / s->n_columns != cap)
                return -ENOMEM;
        int r = resize(&s->value, cells, sizeof *s->value);
        if (r == 0)
                r = resize(&s->why, cells, sizeof *s->why);
        if (r == 0 && s->delta)
                r = resize(&s->delta, cells, sizeof *s->delta);
        if (r == 0)
                s->cap_rows = cap;
        return r;
}

static int find_unit(const Snapshot *s, const char *code, size_t *ret) {
        if (!s->index) { /* finished: sorted by code */
                size_t lo = 0, hi = s->n_units;
                while (lo < hi) {
                        size_t middle = lo + (hi - lo) / 2;
                        int order = strcmp(s->units[middle].code, code);
                        if (order == 0) {
                                *ret = middle;
                                return 0;
                        }
                        if (order < 0)
                                lo = middle + 1;
                        else
                                hi = middle;
                }
                return -ENOENT;
        }
        size_t cursor = 0;
        const HashSlot *slot;
        while ((slot = hash_index_next(s->index, hash_text(HASH_SEED, code), &cursor)))
                if (streq(s->units[slot->a].code, code)) {
                        *ret = slot->a;
                        return 0;
                }
        return -ENOENT;
}

int snapshot_unit(Snapshot *s, char **code, size_t *ret) {
        if (find_unit(s, *code, ret) == 0)
                return 0;
        if (s->n_units >= DECODE_MAX_UNITS)
                return DECODE_E_REJECTED;
        CLEANUP_FREE char *name = strdup("");
        int r = name ? ARRAY_GROW(s->units, s->cap_units, s->n_units + 1) : -ENOMEM;
        if (r == 0)
                r = grow_rows(s);
        if (r == 0)
                r = hash_index_add(s->index, hash_text(HASH_SEED, *code), (uint32_t) s->n_units, 0);
        if (r < 0)
                return r;

        size_t unit = s->n_units++;
        s->units[unit] = (DecodedUnit){.code = TAKE_PTR(*code), .name = TAKE_PTR(name), .kind = ""};
        for (size_t c = 0; c < s->n_columns; c++) {
                size_t cell = snapshot_cell(s, unit, c);
                s->value[cell] = VALUE_NONE;
                s->why[cell] = WHY_MISSING;
                if (s->delta)
                        s->delta[cell] = VALUE_NONE;
        }
        *ret = unit;
        return 0;
}

int snapshot_bad(Snapshot *s, size_t unit, size_t column, const char *text) {
        size_t cell = snapshot_cell(s, unit, column);
        s->value[cell] = VALUE_NONE;
        s->why[cell] = WHY_BAD;
        if (s->n_notes >= DECODE_MAX_NOTES)
                return 0;
        int r = ARRAY_GROW(s->notes, s->cap_notes, s->n_notes + 1);
        if (r < 0)
                return r;
        CLEANUP_FREE char *copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        s->notes[s->n_notes++] = (DecodeNote){.unit = (uint32_t) unit,
                                              .indicator = (uint32_t) s->indicators[column],
                                              .text = TAKE_PTR(copy)};
        return 0;
}

int snapshot_column(const Snapshot *s, size_t indicator) {
        for (size_t c = 0; c < s->n_columns; c++)
                if (s->indicators[c] == indicator)
                        return (int) c;
        return -1;
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static bool has_figure(const Snapshot *s, size_t unit, size_t column) {
        return s->why[snapshot_cell(s, unit, column)] != WHY_MISSING;
}

static bool column_has_figures(const Snapshot *s, size_t column) {
        for (size_t u = 0; u < s->n_units; u++)
                if (has_figure(s, u, column))
                        return true;
        return false;
}

/* What `s` knows of the code in the column; nothing at all is "missing". */
static uint8_t figure_of(const Snapshot *s, const char *code, size_t column, int64_t *ret_value) {
        size_t unit;
        *ret_value = VALUE_NONE;
        if (find_unit(s, code, &unit) < 0)
                return WHY_MISSING;
        *ret_value = s->value[snapshot_cell(s, unit, column)];
        return s->why[snapshot_cell(s, unit, column)];
}

/* Every figure of a's column is in b's. */
static bool column_within(const Snapshot *a, size_t ca, const Snapshot *b, size_t cb) {
        for (size_t u = 0; u < a->n_units; u++) {
                int64_t value;
                uint8_t why = figure_of(b, a->units[u].code, cb, &value);
                size_t cell = snapshot_cell(a, u, ca);
                if (why != a->why[cell] || value != a->value[cell])
                        return false;
        }
        return true;
}

static bool same_units(const Snapshot *a, const Snapshot *b) {
        size_t other;
        if (a->n_units != b->n_units)
                return false;
        for (size_t u = 0; u < a->n_units; u++)
                if (find_unit(b, a->units[u].code, &other) < 0)
                        return false;
        return true;
}

bool snapshot_equal(const Snapshot *a, const Snapshot *b, bool is_partial) {
        if (!is_partial && (a->n_columns != b->n_columns || !same_units(a, b)))
                return false;
        for (size_t cb = 0; cb < b->n_columns; cb++) {
                if (is_partial && !column_has_figures(b, cb))
                        continue;
                int ca = snapshot_column(a, b->indicators[cb]);
                if (ca < 0 || !column_within(b, cb, a, (size_t) ca) ||
                    (!is_partial && !column_within(a, (size_t) ca, b, cb)))
                        return false;
        }
        return true;
}
