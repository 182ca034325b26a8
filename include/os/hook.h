/* Kill points, in CHISO_TEST_HOOKS builds only: CHISO_TEST_KILL="NAME[:N]" makes the Nth passing
 * of that point (default 1) end the process with SIGKILL. Names: fetch.part, fetch.done,
 * evaluate.begin, evaluate.write, evaluate.commit, evaluate.done, release.begin, release.commit,
 * release.done, send.begin, send.sent, settle.begin, settle.commit, settle.done. */
#pragma once

#ifdef CHISO_TEST_HOOKS
void hook_point(const char *name);
#else
static inline void hook_point(const char *name) {
        (void) name;
}
#endif
