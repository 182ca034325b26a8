/* The daemon: owns the App, ticks, reloads, stops. */
#pragma once

#include "flow/app.h"

typedef struct ManagerOptions {
        const char *config_path; /* NULL: /etc/chisod/chisod.conf */
        const char *share_dir;   /* NULL: built-in */
        bool is_once;
        bool is_verbose;
} ManagerOptions;

/* Everything but the loop: configuration, database, sockets, all sources of events on app->event,
 * which the caller runs. Returns 0, or the exit status as of manager_run. */
int manager_open(const ManagerOptions *options, App **ret);
void manager_close(App *app);

/* Runs until SIGTERM/SIGINT (or, with is_once, until everything was asked, judged and attempted
 * once). Returns the exit status: 0, 1 failed, 75 another daemon has the database, 78 a person
 * must mend something. */
int manager_run(const ManagerOptions *options);
