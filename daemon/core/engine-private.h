/* Shared by the parts of engine_judge: the judgement on its way, and what differs of one unit. */
#pragma once

#include "core/engine.h"
#include "core/rank.h"

typedef struct StoredKey {
        size_t unit;     /* index in the panel */
        bool is_foreign; /* of a period type that the rule no longer watches */
        const Episode *episode;
} StoredKey;

typedef struct Work {
        const JudgeInput *in;
        JudgeResult *result;
        const RuleDef *rule;       /* the newest text */
        PeriodId start, newest;    /* folded */
        PeriodId changed;          /* oldest period that this step touched; 0 = none */
        size_t n;                  /* periods folded */
        size_t skip;               /* index of `start` in the panel */
        Judgement *judgement;      /* [period * n_units + unit] */
        bool *is_judged;           /* per period: a text of this indicator holds there */
        int *for_n;                /* per period */
        EndReason *end, *unit_end; /* per period: of the cohort; scratch of one unit */
        StoredKey *stored; /* of units in the panel, sorted by (unit, foreign first, first) */
        size_t n_stored;
        uint8_t *marks; /* per result episode */
        size_t cap_marks;
        size_t n_opening; /* units whose opening would be told now, or is held */
} Work;

enum {
        MARK_APPEARED = 1 << 0,  /* its opening is new in this judgement */
        MARK_UNCHANGED = 1 << 1, /* only here because it is held and may be let go */
};

static inline bool is_live(const Episode *e) {
        return e->state == EPISODE_OPEN || e->state == EPISODE_PENDING;
}

/* A rule that now watches another type of period has left these behind. */
static inline bool is_foreign(const Episode *e, PeriodId period) {
        return period_type((PeriodId) e->first) != period_type(period);
}

/* ---- engine-differ.c: adds episodes and transitions to the result ------------------------------ */

/* Of the unit in the period, NULL when that was not folded. */
const Judgement *engine_differ_judgement(const Work *w, size_t u, PeriodId period);
/* Did a figure of its own change that was known before? */
bool engine_differ_is_restated(const Work *w, size_t u);
/* One folded run against the stored episode of that name (or NULL). */
int engine_differ_run(Work *w, size_t u, const Episode *was, const Episode *folded);
/* A stored episode that the fold does not know. */
int engine_differ_vanished(Work *w, size_t u, const Episode *was);
/* Ends a stored episode at `last`, for a reason that the figures do not tell. */
int engine_differ_end(Work *w, size_t u, const Episode *was, EndReason end, PeriodId last);
