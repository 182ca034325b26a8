/* The part of the view model that people read. Private to render*.c. */
#pragma once

#include "core/render-maker.h"

bool message_is_overview(const RenderMessage *m);

/* Lines in their groups, in the order of telling. An overview spells out the corrections only, a
 * summary nothing; its rules count the rest. */
json_t *groups_array(Maker *k);
/* A line per rule with its counts and its worst units; empty but in an overview. NULL: no
 * memory. */
json_t *rules_array(Maker *k);
