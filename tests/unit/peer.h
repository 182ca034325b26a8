/* Servers of tests/peers/, started by a test and ended with it. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct Peer {
        int pid, out;
        int port; /* from its "ready PORT" line */
} Peer;

/* argv[0] is a file of tests/peers/. Fails the test when the peer is not ready within 30 s. */
Peer peer_start(const char *const *argv);
void peer_stop(Peer *p);

/* A fresh folder under /tmp, removed by the call below. */
void peer_folder(char path[static 64]);
void peer_folder_remove(const char *path);
void peer_write(const char *folder, const char *name, const char *text);
/* The file's text as heap string; waits for it to appear, at most 30 s. */
char *peer_read(const char *folder, const char *name);

/* Runs the loop until *flag reaches `n`; fails the test after 30 s. */
void loop_until(sd_event *event, const int *flag, int n);
