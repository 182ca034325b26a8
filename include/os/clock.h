/* The clocks, injectable: in tests and the demo (CHISO_TEST_HOOKS builds) the environment variable
 * CHISO_TEST_CLOCK names a file that holds up to three numbers, the milliseconds to add to the wall
 * clock, to the time since boot and to the time awake; it is read at each call, so that changing the
 * file moves the clocks at once. The first two moved on together is what a suspend looks like. Who waits for a timer sleeps
 * on, unless CHISO_TEST_CLOCK_WAKES is set as well: then a write to that file wakes him as a clock that
 * is set does. Release builds have no such path. `faketime` is of no use: it breaks sd-event. */
#pragma once

#include "base/macro.h"

/* Milliseconds since the epoch. */
int64_t clock_now_ms(void);
/* CLOCK_BOOTTIME in milliseconds, which counts in a suspend, too: for intervals and durations. */
int64_t clock_boot_ms(void);
/* CLOCK_MONOTONIC, which stands still in a suspend: how long this machine had time to do something. */
int64_t clock_awake_ms(void);
/* A descriptor (the caller's to close) that becomes readable when the wall clock is set or the machine wakes from a suspend;
 * -errno. */
int clock_watch(void);
/* Reads it empty; true when that had happened. */
bool clock_was_set(int fd);
