/* Between the parts of the teller. */
#pragma once

#include "flow/app.h"
#include "store/outbox.h"

/* "msg_" and 128 random bits, or NULL. */
char *teller_uuid(void);
/* What message_make filled, and the uuid. */
void teller_row_done(MessageRow *row);
/* A new recipient hears of what is open, not of what a changed past once made and ended. */
int teller_assume_late(App *app, StepId step, int64_t target, int64_t now_ms);
