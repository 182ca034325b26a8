/* Inside of app/rehearse: the world that a script acts on. */
#pragma once

#include "core/period.h"
#include "flow/app.h"
#include "flow/rehearse.h"
#include "store/alert.h"
#include "store/outbox.h"

#define REHEARSE_MAX_DAYS 2000 /* that one `at` may be ahead of the one before */

typedef enum Fate { FATE_OK, FATE_DEAD, FATE_MAYBE, FATE_DOWN } Fate;

typedef struct Cell {
        size_t indicator;
        char unit[64];
        int64_t value;
        Why why;
        PeriodId period;
} Cell;

typedef struct Rehearsal Rehearsal;

/* Who wants what happened as it is, not as lines of text. Each returns 0 or a negative errno. */
typedef struct RehearseWatch {
        int (*transition)(Rehearsal *h, const Episode *e, const TransitionRow *t);
        int (*message)(Rehearsal *h, const char *target, const char *subject);
        int (*item)(Rehearsal *h, const PlanItem *item, const Episode *e); /* e: NULL of a figure */
        bool (*is_over)(Rehearsal *h); /* asked at each hop: -ECANCELED */
        void *userdata;
} RehearseWatch;

struct Rehearsal {
        const char *path;
        unsigned line;
        char dir[64];
        char *config_path;
        size_t n_reloads;
        App app;
        int64_t now_ms;
        Cell *cells;
        size_t n_cells, cap_cells;
        Fate fate;
        char **output; /* lines not expected yet */
        size_t n_output, cap_output, head;
        int64_t last_transition, last_message;
        size_t n_failed;
        Buf *out;
        const RehearseWatch *watch; /* or NULL */
        Config *given;              /* handed over: taken by the next load instead of the files */
        StepId seen;                /* episodes that have not changed since are known already */
};

/* What went wrong, at the line of the script. */
int rehearse_complain(Rehearsal *h, const char *format, ...) PRINTF_LIKE(2, 3);
/* After every event: what happened becomes output, gates are tried, messages are handed over. */
int rehearse_follow(Rehearsal *h);
/* Reads the configuration (again) and judges, as at a reload. -EINVAL: told already. */
int rehearse_load(Rehearsal *h);
/* A folder of its own for the database; it is removed by rehearse_done, with all that is held. */
int rehearse_prepare(Rehearsal *h);
void rehearse_done(Rehearsal *h);
int rehearse_open(Rehearsal *h);
void rehearse_close(Rehearsal *h);
/* The clock goes on, by midnights and digests. */
int rehearse_go_to(Rehearsal *h, int64_t to_ms);
