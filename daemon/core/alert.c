/* The fold from verdicts to episodes. It knows neither rules nor units: a run begins with a breach,
 * lives through between and unknown, and ends with clear or with a cut. A run that ends before
 * `for` breaches were counted leaves nothing behind: it was never an alert. */
#include "core/alert.h"

#include <errno.h>

const char *transition_name(TransitionKind kind) {
        static const char *const names[] = {
                [TRANSITION_OPENED] = "opened",
                [TRANSITION_CONTINUED] = "continued",
                [TRANSITION_WORSE] = "worse",
                [TRANSITION_EASED] = "eased",
                [TRANSITION_CLOSED] = "closed",
                [TRANSITION_WITHDRAWN] = "withdrawn",
                [TRANSITION_AMENDED] = "amended",
                [TRANSITION_UNIT_ENDED] = "unit_ended",
                [TRANSITION_ERA] = "era",
                [TRANSITION_RULE_CHANGED] = "rule_changed",
                [TRANSITION_RULE_REMOVED] = "rule_removed",
                [TRANSITION_ACKNOWLEDGED] = "acknowledged",
                [TRANSITION_SILENCED] = "silenced",
                [TRANSITION_PENDING] = "pending",
        };

        return (size_t) kind < ELEMENTSOF(names) && names[kind] ? names[kind] : "?";
}

const char *episode_state_name(EpisodeState state) {
        static const char *const names[] = {
                [EPISODE_PENDING] = "pending",
                [EPISODE_OPEN] = "open",
                [EPISODE_CLOSED] = "closed",
                [EPISODE_GONE] = "withdrawn",
        };

        return (size_t) state < ELEMENTSOF(names) && names[state] ? names[state] : "?";
}

const char *end_reason_name(EndReason end) {
        static const char *const names[] = {
                [END_NONE] = "none",
                [END_CLEAR] = "clear",
                [END_UNIT_ENDED] = "unit_ended",
                [END_ERA] = "era",
                [END_RULE_CHANGED] = "rule_changed",
                [END_RULE_REMOVED] = "rule_removed",
        };

        return (size_t) end < ELEMENTSOF(names) ? names[end] : "?";
}

typedef struct Fold {
        const FoldInput *in;
        Episode *episodes;
        size_t n, cap;
        bool is_running; /* the last of `episodes` has not ended */
} Fold;

static const Judgement *judgement_at(const Fold *f, size_t i) {
        return &f->in->judgement[i * f->in->stride];
}

static PeriodId period_at(const Fold *f, size_t i) {
        return period_add(f->in->first, (int) i);
}

static int64_t previous_at(const Fold *f, size_t i) {
        const Judgement *j = judgement_at(f, i);

        if (i > 0)
                return judgement_at(f, i - 1)->value;
        return j->value != VALUE_NONE && j->delta != VALUE_NONE ? j->value - j->delta : VALUE_NONE;
}

static int run_begin(Fold *f, size_t i) {
        int r = ARRAY_GROW(f->episodes, f->cap, f->n + 1);

        if (r < 0)
                return r == -E2BIG ? -ENOMEM : r;
        f->episodes[f->n++] = (Episode){.first = period_at(f, i), .state = EPISODE_PENDING};
        f->is_running = true;
        return 0;
}

static void run_touch(Fold *f, size_t i) {
        const Judgement *j = judgement_at(f, i);
        Episode *e = &f->episodes[f->n - 1];

        e->last = period_at(f, i);
        e->value = j->value;
        e->previous = previous_at(f, i);
        e->limit = j->limit;
        e->delta = j->delta;
        e->place = j->place;
        e->of = j->of;
}

static void run_breach(Fold *f, size_t i) {
        Episode *e = &f->episodes[f->n - 1];

        e->length++;
        e->severity = judgement_at(f, i)->severity;
        if (e->state == EPISODE_PENDING && e->length >= f->in->for_n[i]) {
                e->state = EPISODE_OPEN;
                e->opened = period_at(f, i);
        }
        run_touch(f, i);
}

static void run_end(Fold *f, size_t i, EndReason end) {
        Episode *e = &f->episodes[f->n - 1];

        run_touch(f, i);
        e->end = e->state == EPISODE_PENDING ? END_NONE : end;
        e->state = e->state == EPISODE_PENDING ? EPISODE_GONE : EPISODE_CLOSED;
        f->is_running = false;
}

static int fold_step(Fold *f, size_t i) {
        const Judgement *j = judgement_at(f, i);
        int r;

        if (f->is_running && f->in->end && f->in->end[i] != END_NONE)
                run_end(f, i, f->in->end[i]);
        if (j->verdict == VERDICT_BREACH) {
                if (!f->is_running) {
                        r = run_begin(f, i);
                        if (r < 0)
                                return r;
                }
                run_breach(f, i);
        } else if (j->verdict == VERDICT_CLEAR && f->is_running)
                run_end(f, i, END_CLEAR);
        return 0;
}

int alert_fold_input(const FoldInput *in, Episode **ret, size_t *ret_n) {
        Fold f = {.in = in};
        int r;

        for (size_t i = 0; i < in->n; i++) {
                r = fold_step(&f, i);
                if (r < 0) {
                        free(f.episodes);
                        return r;
                }
        }
        *ret = f.episodes;
        *ret_n = f.n;
        return 0;
}

int alert_fold(const Judgement *judgement, size_t n, PeriodId first, const int *for_n,
               const bool *cut, Episode **ret, size_t *ret_n) {
        CLEANUP_FREE EndReason *end = cut ? calloc(MAX(n, 1u), sizeof(EndReason)) : NULL;

        if (cut && !end)
                return -ENOMEM;
        for (size_t i = 0; cut && i < n; i++)
                end[i] = cut[i] ? END_ERA : END_NONE;
        FoldInput in = {judgement, n, 1, first, for_n, end};
        return alert_fold_input(&in, ret, ret_n);
}
