/* What the configuration on disk would do to today's alerts, were it loaded now: its rules are bound
 * and judged by the code of a reload, inside a transaction that is rolled back. Nothing is stored,
 * nobody is told. As long as a reload's judging takes, the loop is busy. */
#pragma once

#include "core/alert.h"
#include "flow/app.h"

typedef enum TrialChange { TRIAL_SAME, TRIAL_NEW, TRIAL_CHANGED, TRIAL_GONE } TrialChange;
const char *trial_change_name(TrialChange change); /* "same", "new", "changed", "gone" */

typedef struct TrialRule {
        char *name, *before, *after; /* canonical texts; NULL where there is none */
        TrialChange change;
        size_t opens, ends, amends; /* alerts of units: opened, ended, and otherwise different */
        size_t holds;               /* of the openings, those that the mass guard would hold */
} TrialRule;

typedef struct TrialAlert {
        size_t rule; /* index into rules */
        UnitId unit;
        TransitionKind kind;
        PeriodId period;
        int64_t value, limit;
        bool is_held;
} TrialAlert;

typedef struct Trial {
        TrialRule *
                rules; /* those of either configuration that judge units, as the new one orders them */
        size_t n_rules, cap_rules;
        TrialAlert *alerts; /* by rule */
        size_t n_alerts, cap_alerts;
} Trial;

/* 0; -EINVAL: the configuration on disk has errors, or redefines a stored indicator (in diag);
 * negative errno. */
int trial_run(App *app, int64_t now_ms, Diag *diag, Trial *ret);
void trial_done(Trial *t);
