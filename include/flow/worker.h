/* Work that may take seconds, in a thread beside the loop: copying and checking whole files.
 *
 * The thread shares nothing with the loop but its job. It is never waited for: a stop within five
 * seconds matters more than work that can be begun anew. What is left behind then frees itself. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Worker Worker;

/* `done` is called from the loop with the result of each work and its job, which is handed back;
 * `drop` frees the job of a work that was left behind, in its thread. */
int worker_new(sd_event *event, void (*done)(void *userdata, void *job, int result),
               void (*drop)(void *job), void *userdata, Worker **ret);
/* Takes the job over, on success only. -EBUSY while another is under way. */
int worker_start(Worker *w, int (*work)(void *job), void *job);
bool worker_is_busy(const Worker *w);
void worker_free(Worker *w);
DEFINE_CLEANUP(Worker, worker_free)
