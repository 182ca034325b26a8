/* The service manager: readiness, status line, watchdog, passed sockets. */
#pragma once

#include "base/macro.h"

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
/* A sign of life, and the microseconds within which systemd wants one (0: it wants none). */
void notify_watchdog(void);
uint64_t notify_watchdog_us(void);
/* One line for `systemctl status`; sent only when it differs from the last one. */
void notify_status(const char *text);
/* Descriptor passed under FileDescriptorName=name, or -1. CLOEXEC and non-blocking are set. */
int notify_listen_fd(const char *name);
