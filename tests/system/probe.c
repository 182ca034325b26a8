/* probe: what the sandbox of chisod.service lets its program do. Prints "allowed NAME" or "denied NAME" per attempt; the
 * system test runs it in the place of chisod and holds the list against what must be denied. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, int is_allowed) {
        printf("%s %s\n", is_allowed ? "allowed" : "denied", name);
}

static void try_open(const char *name, const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC, 0600);
        say(name, fd >= 0);
        if (fd >= 0)
                (void) close(fd);
}

static void try_socket(const char *name, int family, int type, int protocol) {
        int fd = socket(family, type, protocol);
        say(name, fd >= 0);
        if (fd >= 0)
                (void) close(fd);
}

static void try_files(void) {
        DIR *home = opendir("/home");
        try_open("write-etc", "/etc/probe", O_WRONLY | O_CREAT);
        try_open("write-usr", "/usr/probe", O_WRONLY | O_CREAT);
        try_open("write-var-tmp", "/var/tmp/probe", O_WRONLY | O_CREAT);
        try_open("write-tmp", "/tmp/probe-file", O_WRONLY | O_CREAT);
        try_open("write-var-lib", "/var/lib/probe", O_WRONLY | O_CREAT);
        try_open("write-run", "/run/probe", O_WRONLY | O_CREAT);
        try_open("write-state", "/var/lib/chisod/probe", O_WRONLY | O_CREAT);
        (void) unlink("/var/lib/chisod/probe");
        try_open("read-shadow", "/etc/shadow", O_RDONLY);
        try_open("read-secrets", "/etc/chisod/secrets", O_RDONLY);
        try_open("read-root", "/root", O_RDONLY);
        try_open("read-kmsg", "/dev/kmsg", O_RDONLY);
        try_open("read-init", "/proc/1/environ", O_RDONLY);
        try_open("read-kernel", "/proc/sys/kernel/ostype", O_RDONLY);
        try_open("read-memory", "/proc/meminfo", O_RDONLY);
        try_open("read-disk", "/dev/vda", O_RDONLY);
        say("see-init", access("/proc/1", F_OK) == 0);
        try_open("read-urandom", "/dev/urandom", O_RDONLY);
        say("see-home", home && readdir(home) && readdir(home) && readdir(home));
        if (home)
                (void) closedir(home);
}

static void try_memory(void) {
        void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
        say("write-and-execute", m != MAP_FAILED);
        m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        say("make-executable", mprotect(m, 4096, PROT_READ | PROT_EXEC) == 0);
}

static void try_kernel(void) {
        struct timeval now;
        (void) gettimeofday(&now, NULL);
        say("unshare-user", unshare(CLONE_NEWUSER) == 0);
        say("unshare-mount", unshare(CLONE_NEWNS) == 0);
        say("mount", mount("x", "/tmp", "tmpfs", 0, "") == 0);
        say("ptrace", syscall(SYS_ptrace, 16, -1, 0, 0) == 0 || errno == ESRCH);
        say("keyctl", syscall(SYS_keyctl, 0, -3, 0) >= 0);
        say("bpf", syscall(SYS_bpf, 0, 0, 0) >= 0 || errno == EINVAL || errno == EFAULT);
        say("perf",
            syscall(SYS_perf_event_open, 0, 0, 0, 0, 0) >= 0 || errno == EINVAL || errno == EFAULT);
        say("personality", personality(0x0400000) >= 0);
        say("set-time", settimeofday(&now, NULL) == 0);
        say("set-hostname", sethostname("x", 1) == 0);
        say("become-root", setuid(0) == 0);
        say("chroot", chroot("/") == 0);
        say("real-time",
            sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) == 0);
        int fd = open("/tmp/probe", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        say("set-user-id", fd >= 0 && fchmod(fd, 04700) == 0);
}

static void try_run(void) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
                (void) execl("/bin/true", "true", (char *) NULL);
                _exit(77);
        }
        say("execute", child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                               WEXITSTATUS(status) == 0);
}

int main(void) {
        try_files();
        try_memory();
        try_socket("socket-inet", AF_INET, SOCK_STREAM, 0);
        try_socket("socket-inet6", AF_INET6, SOCK_STREAM, 0);
        try_socket("socket-unix", AF_UNIX, SOCK_STREAM, 0);
        try_socket("socket-netlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
        try_socket("socket-packet", AF_PACKET, SOCK_RAW, 0);
        try_socket("socket-raw", AF_INET, SOCK_RAW, 1);
        (void) fflush(stdout);
        try_run();
        try_kernel();
        return 0;
}
