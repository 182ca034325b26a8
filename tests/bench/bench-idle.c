/* What a running program costs while nothing happens: wakeups, CPU, memory.
 *
 * bench-idle PID SECONDS reads /proc at the beginning and at the end; prints one line of NAME=VALUE. Wakeups are voluntary context switches of
 * all its threads: each is one return to sleep. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"

/* Value of the line "KEY: N" of a file, 0 when there is none. */
static double field(const char *path, const char *key) {
        char line[256];
        double value = 0;
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof line, f))
                if (strncmp(line, key, strlen(key)) == 0)
                        value = strtod(line + strlen(key), NULL);
        if (f)
                (void) fclose(f);
        return value;
}

/* Nanoseconds on a processor and switches of all threads. */
static bool threads_sum(const char *pid, double *ret_switches, double *ret_cpu_ns) {
        char path[128];
        (void) snprintf(path, sizeof path, "/proc/%s/task", pid);
        DIR *d = opendir(path);
        *ret_switches = *ret_cpu_ns = 0;
        if (!d)
                return false;
        for (struct dirent *e; (e = readdir(d));) {
                if (e->d_name[0] == '.')
                        continue;
                double ns = 0;
                (void) snprintf(path, sizeof path, "/proc/%s/task/%.20s/status", pid, e->d_name);
                *ret_switches += field(path, "voluntary_ctxt_switches:");
                (void) snprintf(path, sizeof path, "/proc/%s/task/%.20s/schedstat", pid, e->d_name);
                FILE *f = fopen(path, "re");
                if (f && fscanf(f, "%lf", &ns) == 1)
                        *ret_cpu_ns += ns;
                if (f)
                        (void) fclose(f);
        }
        (void) closedir(d);
        return true;
}

int main(int argc, char **argv) {
        double seconds = argc == 3 ? strtod(argv[2], NULL) : 0, before = 0, after = 0,
               cpu_before = 0, cpu_after = 0;
        if (seconds < 1) {
                fprintf(stderr, "usage: bench-idle PID SECONDS\n");
                return 2;
        }
        char status[64], rollup[64];
        (void) snprintf(status, sizeof status, "/proc/%s/status", argv[1]);
        (void) snprintf(rollup, sizeof rollup, "/proc/%s/smaps_rollup", argv[1]);
        if (!threads_sum(argv[1], &before, &cpu_before))
                return 1;
        (void) nanosleep(&(struct timespec){.tv_sec = (time_t) seconds}, NULL);
        if (!threads_sum(argv[1], &after, &cpu_after))
                return 1;
        printf("wakeups=%.2f\tcpu=%.2f\trss=%.1f\tpss=%.1f\tprivate=%.1f\tthreads=%.0f\n",
               (after - before) * 60 / seconds, (cpu_after - cpu_before) / 1e6 * 60 / seconds,
               field(status, "VmRSS:") / 1024, field(rollup, "Pss:") / 1024,
               field(rollup, "Private_Dirty:") / 1024, field(status, "Threads:"));
        return 0;
}
