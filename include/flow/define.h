/* The configured indicators and what the database knows them to be: one check with one text for the
 * start, a reload, a trial, a replay and --check-config. */
#pragma once

#include "base/diag.h"
#include "core/config.h"
#include "store/store.h"

/* What the database would refuse: another meaning or source of an indicator that has figures. Each is
 * an error in `diag` with its place in the configuration. Only reads. Returns 0, -EINVAL when there is
 * one, or a negative errno. */
int define_check(const Config *c, Store *s, Diag *diag);
/* Checks, then gives every indicator its id, within the caller's transaction. */
int define_bind(Config *c, Store *s, Diag *diag);
