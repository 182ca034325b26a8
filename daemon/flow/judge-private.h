/* Shared by the parts of judge. */
#pragma once

#include "core/panel.h"
#include "core/unit.h"
#include "flow/judge.h"

#define EARLY_DAYS 9 /* `watch = running` speaks from the 10th day of the period on */

/* ---- judge-texts.c: the texts of the rules, of which each period has one ----------------------- */

typedef struct RuleTexts {
        RuleVersion *versions;
        RuleDef **parsed; /* those that are not the configuration's own */
        size_t n, n_parsed;
        bool is_new;     /* text is new at this load */
        PeriodId judged; /* newest period judged since the start; 0 = not yet */
} RuleTexts;

typedef struct RemovedRule {
        char *name;
        RuleDef *rule; /* NULL: cannot be read */
} RemovedRule;

struct JudgeState {
        RuleTexts *rules; /* one per config->rules */
        size_t n;
        /* What the load brought, for one summary; empty once that is written. */
        size_t n_new_rules, n_opened, n_ended, n_removed;
        char names[400];
        RemovedRule *removed; /* that something still speaks of, as they are asked for */
        size_t n_removed_rules, cap_removed_rules;
};

/* A rule on values, switched on, whose indicator has an id. */
bool judge_is_judged(const App *app, const RuleDef *rule);

/* ---- judge-cohort.c ---------------------------------------------------------------------------- */

/* What every rule needs of one cohort, made once per run: sorting 3,321 units by code for each of 26
 * rules cost as much as all their verdicts. */
typedef struct Cohort {
        const char *kind;
        UnitId parent;
        Day day;
        UnitId *units; /* by code */
        UnitId *ids;   /* the same by id */
        size_t *place; /* of ids[i] in units */
        Day *from, *until;
        size_t n, cap;
        EraDef *eras; /* that hold for it, whatever their parent is */
        size_t n_eras;
} Cohort;

int judge_cohort_new(const App *app, const char *kind, UnitId parent, Day day, Cohort **ret);
void judge_cohort_free(Cohort *c);
DEFINE_CLEANUP(Cohort, judge_cohort_free)

/* Index of the unit in `units`, SIZE_MAX when it is not of the cohort. */
size_t judge_cohort_place(const Cohort *c, UnitId id);

/* ---- judge-load.c: what is read of one rule and cohort ----------------------------------------- */

typedef struct CohortWork {
        App *app;
        const JudgeScope *scope; /* NULL: explained, not judged */
        const RuleDef *rule;
        const RuleTexts *texts;
        const Cohort *cohort;
        PeriodId newest;
        bool is_all, is_new_rule;
        const UnitSelection *watched;
        Panel *value, *volume;
        bool *is_watched, *is_restated;
        Episode *stored;
        size_t n_stored;
        char subject[256]; /* of its hold */
} CohortWork;

void judge_work_done(CohortWork *w);
/* The stored episodes, and the period to fold from. A run that reaches further back than was loaded
 * widens the load, until nothing between is missing. */
int judge_load_runs(CohortWork *w, PeriodId touched, PeriodId *ret_from);
/* The figures, with as many periods before `fold_from` as the rule looks back. */
int judge_load_panels(CohortWork *w, PeriodId fold_from);
/* Which units the rule watches. */
int judge_fill_units(CohortWork *w);
