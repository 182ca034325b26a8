/* Conditions and verdicts (semantics 6). A verdict is a pure function of the figures known. */
#pragma once

#include "base/diag.h"
#include "core/delta.h"
#include "core/panel.h"

/* Decimals of a condition's amounts where a rule watches no indicator (`restated 1`). */
#define RULE_DECIMALS 2u

/* "below 95", "behind 5", "flat 3 within 0.50 and below 80", "source_failing 3". Amounts are scaled
 * by `decimals`. Returns 0, -EINVAL with the reason in diag. */
int condition_parse(const char *text, unsigned decimals, Condition *ret, Diag *diag,
                    const char *file, unsigned line, const char *key);
/* Canonical text, heap. */
char *condition_format(const Condition *c, unsigned decimals);
/* True for conditions on a unit's values; false for operator conditions. */
bool condition_is_value(ConditionKind kind);

/* Everything of a rule that judges, in one line; equal text = same version. What only decides when
 * or how it is told (settle, repeat, advice, letter) is not in it. Heap string, NULL when out of
 * memory. */
char *rule_to_text(const RuleDef *rule, const IndicatorDef *indicators);
/* The reverse, for stored versions: names are looked up in `indicators`. The selector and strings
 * go into one heap block freed with rule_text_free. What the text does not hold is zero; `name` is
 * the caller's to set. Returns 0, -EINVAL (an indicator is gone, or no such text), -ENOMEM. */
int rule_from_text(const char *text, const IndicatorDef *indicators, size_t n_indicators,
                   RuleDef **ret);
void rule_text_free(RuleDef *rule);
DEFINE_CLEANUP(RuleDef, rule_text_free)

typedef enum Verdict { VERDICT_UNKNOWN, VERDICT_CLEAR, VERDICT_BETWEEN, VERDICT_BREACH } Verdict;
typedef enum Severity { SEVERITY_NONE, SEVERITY_WARNING, SEVERITY_CRITICAL } Severity;

typedef struct Judgement {
        Verdict verdict;
        Severity severity; /* of a breach */
        int64_t value; /* the figure, VALUE_NONE without one; also there when the verdict is unknown
                          for another reason */
        int64_t limit; /* what the value was held against, on the value's scale: X; median - D; else
                        * that of the `and` clause; VALUE_NONE without any. Of `critical` only when
                        * that alone is true */
        int64_t delta; /* VALUE_NONE without one */
        DeltaReason delta_reason;
        uint32_t place, of; /* in the cohort; 0 = none */
        bool is_low_volume; /* unknown because of min_volume */
} Judgement;

typedef struct RuleContext {
        const RuleDef *rule; /* the text that holds for the period judged */
        const IndicatorDef *indicators;
        const Panel *value;  /* whole cohort, from at least rule_lookback() periods before */
        const Panel *volume; /* same shape, or NULL */
        const EraDef *eras;
        size_t n_eras;
        const char *source;    /* of the indicator, for eras */
        const char *parent;    /* key of the cohort's parent, or NULL */
        const Day *valid_from; /* per unit of the panel, or NULL: always */
        bool is_running;       /* the period judged has not ended */
} RuleContext;

/* Periods before the judged one that a panel must hold: K for falling and flat, else 1, since every
 * judgement carries its delta. */
int rule_lookback(const RuleDef *rule);

/* Judges every unit of the cohort for period index p at once. `ret` has room for n_units. Returns 0
 * or -ENOMEM. */
int rule_judge(const RuleContext *context, size_t p, Judgement *ret);

/* Could the verdict change by another unit's figure alone (`behind`, `rank_drop`)? */
bool rule_is_relative(const RuleDef *rule);

/* Does the value lie between limit and `clear` (`below`, `above`, `behind`; false for the others)?
 * With the value and limit of an EPISODE_GONE this is what PlanEpisode.is_trembling asks, as long
 * as its period is not closed. */
bool rule_is_between(const RuleDef *rule, int64_t value, int64_t limit);
