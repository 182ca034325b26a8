/* Working days: when officials are written to. Days off and working Saturdays are configuration
 * (semantics 8). */
#pragma once

#include "core/model.h"

/* `working` beats `off` beats the week mask. */
bool calendar_is_working(const Calendar *c, Day day);

/* First working day >= day. Gives up after 400 days without one and returns `day`. */
Day calendar_next_working(const Calendar *c, Day day);

/* The digest moment (semantics 8): the first instant >= now, on a working day at `minute` local
 * time, that lies after the digest already held at last_ms (0 = none). A digest missed earlier on
 * the present working day is due at once (returns `now`); one of an earlier day is not made up. */
int64_t calendar_digest_due(const Calendar *c, unsigned minute, int64_t last_ms, int64_t now_ms);
