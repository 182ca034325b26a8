/* What is true now, as far as telling is concerned: read once per run, then one plan per target. */
#pragma once

#include "core/plan.h"
#include "core/render.h"
#include "flow/app.h"
#include "store/alert.h"
#include "store/outbox.h"

typedef struct Facts {
        App *app;
        int64_t now_ms;
        bool is_live;      /* notify = live */
        int64_t digest_ms; /* the last digest held */
        Episode *episodes; /* visible ones */
        size_t n_episodes;
        PlanEpisode *plan; /* the same, with gates, sorted by id */
        PeriodId publication[PERIOD_N_TYPES];
        PeriodId *newest; /* per config->rules: newest period judged */
        UnitId *muted_units;
        size_t n_muted_units;
        TargetRow *targets;
        size_t n_targets;
} Facts;

/* notify = live, by configuration or by go-live. */
bool facts_is_live(App *app);

int facts_load(App *app, int64_t now_ms, Facts *ret);
void facts_done(Facts *f);

/* Does the episode, one of f->plan, concern the target? */
bool facts_concerns(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                    const PlanEpisode *e);
/* The episodes that concern the target. Heap array. */
int facts_concerned(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                    PlanEpisode **ret, size_t *ret_n);

/* Does the silence cover an episode or (episode NULL) every figure of a unit? */
bool facts_silenced(const App *app, const SilenceRow *s, const Episode *e, UnitId unit);

/* The plan of one target. Heap array; ret_open (may be NULL): open alerts that concern it. */
int facts_plan(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
               PlanItem **ret, size_t *ret_n, OpenAlerts *ret_open);

/* When the target may be told: <= now means open. */
int64_t facts_gate(const Facts *f, const RecipientDef *recipient, const TargetRow *target,
                   bool has_urgent);
