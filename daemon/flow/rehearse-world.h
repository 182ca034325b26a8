/* Inside of app/rehearse: the world that a script acts on. */
#pragma once

#include "core/period.h"
#include "flow/app.h"
#include "flow/rehearse.h"

typedef enum Fate { FATE_OK, FATE_DEAD, FATE_MAYBE, FATE_DOWN } Fate;

typedef struct Cell {
        size_t indicator;
        char unit[64];
        int64_t value;
        Why why;
        PeriodId period;
} Cell;

typedef struct Rehearsal {
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
} Rehearsal;

/* What went wrong, at the line of the script. */
int rehearse_complain(Rehearsal *h, const char *format, ...) PRINTF_LIKE(2, 3);
/* After every event: what happened becomes output, gates are tried, messages are handed over. */
int rehearse_follow(Rehearsal *h);
/* Reads the configuration (again) and judges, as at a reload. -EINVAL: told already. */
int rehearse_load(Rehearsal *h);
int rehearse_open(Rehearsal *h);
void rehearse_close(Rehearsal *h);
/* The clock goes on, by midnights and digests. */
int rehearse_go_to(Rehearsal *h, int64_t to_ms);
