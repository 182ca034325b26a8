/* Between the parts of the courier: courier.c settles, courier-board.c finds what may start,
 * courier-wire.c sends. */
#pragma once

#include "core/delivery.h"
#include "flow/channel.h"
#include "flow/courier.h"
#include "flow/facts.h"

#define MAX_UNDER_WAY 8
#define MAX_FLIGHTS (2 * MAX_UNDER_WAY) /* those that came back keep their place until the commit */
#define MAX_PER_HOST 2

/* free -> marked (started in the open transaction) -> wire -> done (came back) -> settled (in the
 * open transaction) -> free. After a rollback marked becomes free and settled becomes done again:
 * no outcome is ever lost. */
typedef enum FlightState {
        FLIGHT_FREE,
        FLIGHT_MARKED,
        FLIGHT_WIRE,
        FLIGHT_DONE,
        FLIGHT_SETTLED
} FlightState;

typedef struct Flight {
        FlightState state;
        Courier *courier;
        MessageRow *row; /* one row with its bytes */
        Aim aim;
        char *secret; /* webhook signing secrets, or the password at the relay; or NULL */
        Slot *slot;
        AttemptOutcome outcome;
        uint64_t generation;   /* of the configuration it goes by */
        int64_t wire_awake_ms; /* when it was handed to the wire */
        int64_t retry_after_ms;
        char response[1025];
} Flight;

struct Courier {
        App *app;
        Flight flights[MAX_FLIGHTS];
        size_t n_refused; /* attempts of this run that were not accepted, for --once */
        int64_t next_ms;  /* as the last run found it */
};

void flight_reset(Flight *f);
size_t courier_count(const Courier *c, FlightState state);

/* ---- courier-board.c ---- */

typedef struct Passenger {
        int64_t message;
        TargetRow target;
        Aim aim;
} Passenger;

/* What may start at this instant: rows that wait for a paused channel or for room are not among
 * them. Read without a transaction, so that waiting costs none. */
typedef struct Manifest {
        Passenger list[MAX_UNDER_WAY];
        size_t n;
        int64_t next_ms;        /* when one that has to wait may go, as far as a clock can tell */
        char idle_channel[256]; /* paused, its probe is due, and nothing waits for it; or "" */
} Manifest;
int manifest_load(Courier *c, int64_t now_ms, Manifest *ret);
void manifest_done(Manifest *m);
/* Inside the settle transaction: marks what is on the manifest as started. */
int courier_board(Courier *c, StepId step, Manifest *m, int64_t now_ms);

/* ---- courier-wire.c ---- */

void courier_launch(Courier *c);
/* An attempt that ends before it began: address, secret or relay cannot be used. */
void flight_fail(Flight *f, int error);
