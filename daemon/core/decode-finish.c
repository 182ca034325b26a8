/* What only the whole snapshot can tell: totals against their groups, derived figures, order.
 *
 * Totals are checked before anything is derived, so that nothing is derived from a total that is
 * taken away. A total is checked only where its publisher prints all six groups of the unit; a part
 * of them is a lower bound, no check. */
#include <errno.h>
#include <stdio.h>

#include "core/decode-json.h"
#include "core/decode-snapshot.h"
#include "core/decode.h"

#define TOTAL_SLACK 300 /* 0.03 with 4 decimals: six roundings of half a hundredth */
#define DERIVE_DEPTH 16
#define DIVISOR_DECIMALS 4u

static const char *const groups[] = {"openness", "progress",     "online",
                                     "payment",  "digitization", "satisfaction"};

static const int64_t powers[] = {1, 10, 100, 1000, 10000};

static const char *number_text(char text[static DECIMAL_TEXT_MAX], int64_t value,
                               unsigned decimals) {
        return value == VALUE_NONE ? "" : decimal_format(text, value, decimals);
}

int snapshot_check_range(Snapshot *s, const Config *config, size_t unit, size_t column) {
        const IndicatorDef *def = &config->indicators[s->indicators[column]];
        int64_t value = s->value[snapshot_cell(s, unit, column)];
        bool is_low = def->min != VALUE_NONE && value < def->min;
        bool is_high = def->max != VALUE_NONE && value > def->max;
        if (!is_low && !is_high)
                return 0;
        char text[256], number[DECIMAL_TEXT_MAX], min[DECIMAL_TEXT_MAX], max[DECIMAL_TEXT_MAX];
        (void) snprintf(text, sizeof text, "%.100s %s is outside %s..%s", def->name,
                        decimal_format(number, value, def->decimals),
                        number_text(min, def->min, def->decimals),
                        number_text(max, def->max, def->decimals));
        return snapshot_bad(s, unit, column, text);
}

/* ---- totals -------------------------------------------------------------------------------------
 */

/* Column of PREFIX NAME SUFFIX when the source publishes it, else -1. */
static int published_column(const Snapshot *s, const Config *config, const SourceDef *source,
                            const char *name, const char *suffix) {
        char full[128];
        int n = snprintf(full, sizeof full, "%s%s%s", str_or(source->prefix, ""), name, suffix);
        if (n < 0 || (size_t) n >= sizeof full)
                return -1;
        for (size_t c = 0; c < s->n_columns; c++)
                if (streq(config->indicators[s->indicators[c]].name, full) &&
                    decode_publishes(source, s->indicators[c]))
                        return (int) c;
        return -1;
}

/* Scaled by 4 decimals, or VALUE_NONE. decimal_rescale is no way there: it ends at DECIMAL_LIMIT,
 * which a count reaches at 10^10; 10^14 * 10^4 fits. */
static int64_t fine(int64_t value, const IndicatorDef *def) {
        return value == VALUE_NONE ? value : value * powers[DECIMAL_MAX_DECIMALS - def->decimals];
}

static int64_t fine_value(const Snapshot *s, const Config *config, size_t unit, size_t column) {
        return fine(s->value[snapshot_cell(s, unit, column)],
                    &config->indicators[s->indicators[column]]);
}

static int check_total(Snapshot *s, const Config *config, size_t unit, size_t total,
                       const size_t columns[static ELEMENTSOF(groups)]) {
        const IndicatorDef *def = &config->indicators[s->indicators[total]];
        int64_t value = fine_value(s, config, unit, total), sum = 0;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                int64_t group = fine_value(s, config, unit, columns[i]);
                if (group == VALUE_NONE)
                        return 0;
                sum += group;
        }
        if (value == VALUE_NONE || (value - sum <= TOTAL_SLACK && sum - value <= TOTAL_SLACK))
                return 0;
        char text[256], total_text[DECIMAL_TEXT_MAX], sum_text[DECIMAL_TEXT_MAX];
        int64_t rounded = decimal_rescale(sum, DECIMAL_MAX_DECIMALS, def->decimals);
        (void) snprintf(
                text, sizeof text, "%.100s %s is off the sum of its groups %s", def->name,
                decimal_format(total_text, s->value[snapshot_cell(s, unit, total)], def->decimals),
                decimal_format(sum_text, rounded, def->decimals));
        return snapshot_bad(s, unit, total, text);
}

static int check_totals(Snapshot *s, const Config *config, const SourceDef *source) {
        size_t columns[ELEMENTSOF(groups)];
        int total = published_column(s, config, source, "total", "");
        if (total < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                int column = published_column(s, config, source, groups[i], "_points");
                if (column < 0)
                        return 0;
                columns[i] = (size_t) column;
        }
        for (size_t u = 0; u < s->n_units; u++) {
                int r = check_total(s, config, u, (size_t) total, columns);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- derived figures ------------------------------------------------------------------------- */

typedef struct Derivation {
        Snapshot *s;
        const Config *config;
        const SourceDef *source;
        bool *is_done; /* per column */
} Derivation;

/* The operand's figure; VALUE_NONE with the reason that the derived one takes over. */
static int64_t operand(const Derivation *d, size_t unit, size_t indicator, Why *why) {
        int column = snapshot_column(d->s, indicator);
        if (column < 0) {
                *why = WHY_MISSING;
                return VALUE_NONE;
        }
        size_t cell = snapshot_cell(d->s, unit, (size_t) column);
        int64_t value = d->s->value[cell];
        if (value == VALUE_NONE)
                *why = d->s->why[cell] == WHY_EMPTY ? WHY_EMPTY : WHY_MISSING;
        return value;
}

static int64_t derive_sum(const Derivation *d, size_t unit, const IndicatorDef *def, Why *why) {
        int64_t sum = 0;
        for (size_t i = 0; i < def->n_operands; i++) {
                int64_t value = operand(d, unit, def->operand[i], why);
                if (value == VALUE_NONE)
                        return VALUE_NONE;
                /* Summed with all digits: 1.25 + 1.25 with one decimal is 2.5. */
                if (__builtin_add_overflow(
                            sum, fine(value, &d->config->indicators[def->operand[i]]), &sum))
                        return DECIMAL_LIMIT;
        }
        return decimal_rescale(sum, DECIMAL_MAX_DECIMALS, def->decimals);
}

static int64_t derive_ratio(const Derivation *d, size_t unit, const IndicatorDef *def, Why *why) {
        const IndicatorDef *a_def = &d->config->indicators[def->operand[0]];
        unsigned b_decimals = DIVISOR_DECIMALS;
        int64_t a = operand(d, unit, def->operand[0], why), b = def->divisor;
        if (a == VALUE_NONE)
                return VALUE_NONE;
        if (def->divisor == 0) {
                b = operand(d, unit, def->operand[1], why);
                b_decimals = d->config->indicators[def->operand[1]].decimals;
        }
        if (b == VALUE_NONE)
                return VALUE_NONE;
        if (b == 0) {
                *why = def->empty == EMPTY_MISSING ? WHY_EMPTY : WHY_VALUE;
                return def->empty == EMPTY_ZERO   ? 0
                       : def->empty == EMPTY_FULL ? def->max
                                                  : VALUE_NONE;
        }
        int64_t numerator = powers[b_decimals] * powers[def->decimals] *
                            (def->unit == INDICATOR_PERCENT ? 100 : 1);
        return decimal_muldiv(a, numerator, b * powers[a_def->decimals]);
}

static int derive_cell(const Derivation *d, size_t unit, size_t column) {
        Snapshot *s = d->s;
        const IndicatorDef *def = &d->config->indicators[s->indicators[column]];
        Why why = WHY_VALUE;
        int64_t value = def->derive == DERIVE_SUM ? derive_sum(d, unit, def, &why)
                                                  : derive_ratio(d, unit, def, &why);
        size_t cell = snapshot_cell(s, unit, column);
        s->value[cell] = value;
        s->why[cell] = (uint8_t) (value != VALUE_NONE ? WHY_VALUE
                                  : why == WHY_VALUE  ? WHY_EMPTY
                                                      : why);
        if (value == VALUE_NONE)
                return 0;
        if (value <= -DECIMAL_LIMIT || value >= DECIMAL_LIMIT)
                return snapshot_bad(s, unit, column, "a derived figure is beyond all bounds");
        return snapshot_check_range(s, d->config, unit, column);
}

/* Operands first, so that a figure may be derived from derived ones. The depth ends rings, which
 * the configuration refuses anyway. */
static int derive_column(Derivation *d, size_t column, unsigned depth) {
        const IndicatorDef *def = &d->config->indicators[d->s->indicators[column]];
        if (d->is_done[column] || depth > DERIVE_DEPTH)
                return 0;
        d->is_done[column] = true;
        if (def->derive == DERIVE_NONE || decode_publishes(d->source, d->s->indicators[column]))
                return 0;
        for (size_t i = 0; i < def->n_operands; i++) {
                int other = snapshot_column(d->s, def->operand[i]);
                int r = other < 0 ? 0 : derive_column(d, (size_t) other, depth + 1);
                if (r < 0)
                        return r;
        }
        for (size_t u = 0; u < d->s->n_units; u++) {
                int r = derive_cell(d, u, column);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int derive_all(Snapshot *s, const Config *config, const SourceDef *source) {
        CLEANUP_FREE bool *is_done = calloc(MAX(s->n_columns, (size_t) 1), sizeof *is_done);
        if (!is_done)
                return -ENOMEM;
        Derivation d = {.s = s, .config = config, .source = source, .is_done = is_done};
        for (size_t c = 0; c < s->n_columns; c++) {
                int r = derive_column(&d, c, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool decode_derives(const Config *config, size_t source, size_t indicator) {
        return config->indicators[indicator].derive != DERIVE_NONE &&
               !decode_publishes(&config->sources[source], indicator);
}

int decode_derive(Snapshot *s, const Config *config, size_t source) {
        return derive_all(s, config, &config->sources[source]);
}

/* ---- order ----------------------------------------------------------------------------------- */

typedef struct Placed {
        const char *code;
        uint32_t from;
} Placed;

static int placed_compare(const void *a, const void *b) {
        return strcmp(((const Placed *) a)->code, ((const Placed *) b)->code);
}

/* A copy of the array with its rows in the new order, in place of the old one. */
static int reorder(void *array, const Placed *order, size_t n, size_t row_size) {
        void **old = array;
        if (!*old || row_size == 0)
                return 0;
        char *sorted = reallocarray(NULL, MAX(n, (size_t) 1), row_size);
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                memcpy(sorted + i * row_size, (char *) *old + order[i].from * row_size, row_size);
        free(*old);
        *old = sorted;
        return 0;
}

static int sort_units(Snapshot *s) {
        size_t n = s->n_units;
        CLEANUP_FREE Placed *order = calloc(n, sizeof *order);
        CLEANUP_FREE uint32_t *to = calloc(n, sizeof *to);
        if (!order || !to)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                order[i] = (Placed){.code = s->units[i].code, .from = (uint32_t) i};
        qsort(order, n, sizeof *order, placed_compare);
        for (size_t i = 0; i < n; i++)
                to[order[i].from] = (uint32_t) i;

        /* Out of memory half-way leaves rows and cells apart; the caller frees the snapshot then.
         */
        int r = reorder(&s->units, order, n, sizeof *s->units);
        if (r == 0)
                r = reorder(&s->value, order, n, s->n_columns * sizeof *s->value);
        if (r == 0)
                r = reorder(&s->why, order, n, s->n_columns * sizeof *s->why);
        if (r == 0)
                r = reorder(&s->delta, order, n, s->n_columns * sizeof *s->delta);
        if (r < 0)
                return r;
        s->cap_units = s->cap_rows = n;
        for (size_t i = 0; i < s->n_notes; i++)
                s->notes[i].unit = to[s->notes[i].unit];
        snapshot_index_free(s);
        return 0;
}

static bool has_rows(const Snapshot *s) {
        for (size_t i = 0; i < s->n_units; i++)
                if (!s->units[i].is_scope)
                        return true;
        return false;
}

int decode_finish(Snapshot *s, const Config *config, size_t source, Diag *diag) {
        const SourceDef *def = &config->sources[source];
        if (!has_rows(s))
                return REJECT(diag, "no rows");
        int r = check_totals(s, config, def);
        if (r == 0)
                r = derive_all(s, config, def);
        if (r == 0)
                r = sort_units(s);
        if (r < 0)
                return r;
        s->n_bad = s->n_values = 0;
        for (size_t i = 0; i < s->n_units * s->n_columns; i++) {
                s->n_bad += s->why[i] == WHY_BAD;
                s->n_values += s->why[i] == WHY_BAD || s->why[i] == WHY_VALUE;
        }
        return 0;
}
