/* The daemon: owns the App, ticks, reloads, stops. */
#pragma once

#include "app/app.h"

typedef struct ManagerOptions {
        const char *config_path; /* NULL: /etc/chisod/chisod.conf */
        const char *share_dir;   /* NULL: built-in */
        bool is_once;
        bool is_verbose;
} ManagerOptions;

/* Runs until SIGTERM/SIGINT (or, with is_once, until everything was asked, judged and attempted
 * once). Returns the exit status: 0, 1 failed, 75 another daemon has the database, 78 a person
 * must mend something. */
int manager_run(const ManagerOptions *options);
