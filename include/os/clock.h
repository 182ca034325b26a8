/* The wall clock, injectable: in tests and the demo (CHISO_TEST_HOOKS builds) the environment
 * variable CHISO_TEST_CLOCK names a file that holds one number, the milliseconds to add to the
 * real clock; it is read at each call, so that changing the file moves the clock at once. Release
 * builds have no such path. `faketime` is of no use: it breaks sd-event. */
#pragma once

#include "base/macro.h"

/* Milliseconds since the epoch. */
int64_t clock_now_ms(void);
/* CLOCK_BOOTTIME in milliseconds: for intervals and durations. */
int64_t clock_boot_ms(void);
