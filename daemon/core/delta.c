/* A change is a statement about two periods that can be compared; where they cannot, the reason is
 * the answer. The order of the reasons is from the unit outwards: no figure at all, not over yet,
 * not the same unit, not the same formula, and only then that the earlier figure is not there. */
#include "core/delta.h"

#include "core/unit.h"

const char *delta_reason_name(DeltaReason reason) {
        static const char *const names[] = {
                [DELTA_OK] = "ok",           [DELTA_FIRST] = "first", [DELTA_GAP] = "gap",
                [DELTA_MERGED] = "merged",   [DELTA_ERA] = "era",     [DELTA_MISSING] = "missing",
                [DELTA_RUNNING] = "running",
        };

        return (size_t) reason < ELEMENTSOF(names) ? names[reason] : "?";
}

static bool covers_indicator(const EraDef *era, const char *indicator) {
        if (era->n_indicators == 0)
                return true;
        for (size_t i = 0; indicator && i < era->n_indicators; i++)
                if (streq(era->indicators[i], indicator))
                        return true;
        return false;
}

static bool covers(const EraDef *era, const char *source, const char *indicator,
                   const char *parent) {
        return (!era->source || streq_ptr(era->source, source)) &&
               covers_indicator(era, indicator) && (!era->parent || streq_ptr(era->parent, parent));
}

/* Of several boundaries the latest: it is the one that still holds. */
const EraDef *delta_era_between(const EraDef *eras, size_t n, PeriodId a, PeriodId b,
                                const char *source, const char *indicator, const char *parent) {
        const EraDef *found = NULL;
        if (n == 0)
                return NULL;
        Day start = period_start(a), end = period_end(b);

        for (size_t i = 0; i < n; i++)
                if (eras[i].from > start && eras[i].from < end &&
                    (!found || eras[i].from > found->from) &&
                    covers(&eras[i], source, indicator, parent))
                        found = &eras[i];
        return found;
}

static DeltaReason reason_without_previous(const Panel *panel, size_t p, size_t u) {
        while (p-- > 0)
                if (panel_at(panel, p, u) != VALUE_NONE)
                        return DELTA_GAP;
        return DELTA_FIRST;
}

Delta delta_make(const Panel *panel, size_t p, size_t u, Day valid_from, const EraDef *era,
                 bool is_running) {
        int64_t now = panel_at(panel, p, u),
                before = p > 0 ? panel_at(panel, p - 1, u) : VALUE_NONE;
        Delta d = {.value = VALUE_NONE};

        if (now == VALUE_NONE)
                d.reason = DELTA_MISSING;
        else if (is_running)
                d.reason = DELTA_RUNNING;
        else if (valid_from != DAY_EVER &&
                 valid_from >= period_start(period_add(panel->first, (int) p)))
                d.reason = DELTA_MERGED;
        else if (era) {
                d.reason = DELTA_ERA;
                d.era = era;
        } else if (before == VALUE_NONE)
                d.reason = reason_without_previous(panel, p, u);
        else {
                d.reason = DELTA_OK;
                d.value = now - before;
        }
        return d;
}
