/* The journal: structured fields and message ids when journald listens, plain lines on stderr
 * otherwise.
 *
 * A failure is logged once, where it is finally handled, saying what happens next. Never secrets,
 * never whole bodies. Untrusted text in arguments is made printable here (no control or bidi
 * characters). */
#pragma once

#include <syslog.h>

#include "base/macro.h"

typedef struct LogFields {
        const char *source, *rule, *unit,
                *target;        /* CHISO_SOURCE=, CHISO_RULE=, CHISO_UNIT=, CHISO_TARGET= */
        const char *message_id; /* one of LOG_ID_*, or NULL */
} LogFields;

/* Message ids of the catalog (systemd/chisod.catalog). */
#define LOG_ID_SOURCE_FAILED "5d1b6cc7f0b44b5f9c0de4f37a0f1a01"
#define LOG_ID_SNAPSHOT_ACCEPTED "5d1b6cc7f0b44b5f9c0de4f37a0f1a02"
#define LOG_ID_SNAPSHOT_REJECTED "5d1b6cc7f0b44b5f9c0de4f37a0f1a03"
#define LOG_ID_ALERT "5d1b6cc7f0b44b5f9c0de4f37a0f1a04"
#define LOG_ID_DELIVERY_FAILED "5d1b6cc7f0b44b5f9c0de4f37a0f1a05"
#define LOG_ID_CONFIG "5d1b6cc7f0b44b5f9c0de4f37a0f1a06"
#define LOG_ID_STORAGE "5d1b6cc7f0b44b5f9c0de4f37a0f1a07"
#define LOG_ID_CRASH_LOOP "5d1b6cc7f0b44b5f9c0de4f37a0f1a08"
#define LOG_ID_STUCK "5d1b6cc7f0b44b5f9c0de4f37a0f1a09"
#define LOG_ID_READY "5d1b6cc7f0b44b5f9c0de4f37a0f1a0a"
#define LOG_ID_STOPPED "5d1b6cc7f0b44b5f9c0de4f37a0f1a0b"
#define LOG_ID_BACKUP "5d1b6cc7f0b44b5f9c0de4f37a0f1a0c"

/* Once, first thing in main. is_verbose shows LOG_DEBUG. */
void log_init(const char *identifier, bool is_verbose);

void log_full(int level, const LogFields *fields, const char *format, ...) PRINTF_LIKE(3, 4);
#define log_error(...) log_full(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, NULL, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_full(LOG_DEBUG, NULL, __VA_ARGS__)
