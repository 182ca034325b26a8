/* Kill points: SIGKILL and not exit(), since no clean-up may run. */
#include "os/hook.h"

#include "base/macro.h"

#ifdef CHISO_TEST_HOOKS
#include <signal.h>
#include <unistd.h>

void hook_point(const char *name) {
        static unsigned long passed;
        const char *wanted = getenv("CHISO_TEST_KILL");
        size_t n = strlen(name);
        unsigned long nth = 1;

        if (!wanted || strncmp(wanted, name, n) != 0 || (wanted[n] != 0 && wanted[n] != ':'))
                return;
        if (wanted[n] == ':')
                nth = strtoul(wanted + n + 1, NULL, 10);
        if (++passed == nth)
                (void) kill(getpid(), SIGKILL);
}
#endif
