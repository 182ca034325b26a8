#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/timeutil.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/file.h"
#include "os/hook.h"
#include "os/log.h"
#include "os/notify.h"
#include "os/secret.h"

static char folder[64];

static int set_up(void **state) {
        (void) state;
        (void) snprintf(folder, sizeof folder, "/tmp/chiso-os-XXXXXX");
        return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
        char command[128];
        (void) state;
        (void) snprintf(command, sizeof command, "rm -rf %s", folder);
        return system(command);
}

static void put(const char *name, const char *data, size_t n) {
        CLEANUP_FREE char *path = file_join(folder, name);
        assert_int_equal(file_replace(path, data, n, 0640), 0);
}

static void test_file_read(void **state) {
        static const struct {
                const char *name;
                size_t max;
                int r;
                const char *text;
        } cases[] = {
                {"five", 5, 0, "before-12345"},      {"five", 4, -EFBIG, "before-"},
                {"five", 100, 0, "before-12345"},    {"empty", 0, 0, "before-"},
                {"missing", 10, -ENOENT, "before-"}, {"", 10, -EISDIR, "before-"},
                {"fifo", 10, -EINVAL, "before-"},
        };
        CLEANUP_FREE char *fifo = file_join(folder, "fifo");
        (void) state;

        put("five", "12345", 5);
        put("empty", "", 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
                CLEANUP_FREE char *path = file_join(folder, cases[i].name);
                assert_int_equal(buf_str(&b, "before-"), 0);
                assert_int_equal(file_read(path, cases[i].max, &b), cases[i].r);
                assert_string_equal(buf_text(&b), cases[i].text);
                assert_int_equal(b.len, strlen(cases[i].text));
        }
}

static void test_file_read_long(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP_FREE char *text = malloc(100001), *path = file_join(folder, "long");
        (void) state;

        for (size_t i = 0; i < 100001; i++)
                text[i] = (char) ('a' + i % 23);
        put("long", text, 100001);
        assert_int_equal(file_read(path, 100000, &b), -EFBIG);
        assert_int_equal(b.len, 0);
        assert_int_equal(file_read(path, 100001, &b), 0);
        assert_int_equal(b.len, 100001);
        assert_memory_equal(b.data, text, b.len);
}

static void test_file_replace(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP_FREE char *path = file_join(folder, "replaced"), *bad = file_join(folder, "no/x");
        CLEANUP_FREE char *device = file_join(folder, "device");
        struct stat st;
        char **names;
        size_t n;
        (void) state;

        put("replaced", "old and longer", 14);
        assert_int_equal(file_replace(path, "new", 3, 0604), 0);
        assert_int_equal(file_read(path, 100, &b), 0);
        assert_string_equal(buf_text(&b), "new");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0604);
        assert_int_equal(symlink("/dev/null", device), 0);
        assert_int_equal(file_replace(device, "new", 3, 0600), 0);
        assert_int_equal(lstat(device, &st), 0);
        assert_true(S_ISLNK(st.st_mode)); /* written, not replaced */
        assert_int_equal(unlink(device), 0);
        assert_int_equal(file_replace(bad, "new", 3, 0600), -ENOENT);
        assert_int_equal(file_list(folder, "", &names, &n), 0); /* no temporary stays behind */
        assert_int_equal(n, 1);
        file_names_free(names, n);
}

static void test_file_list(void **state) {
        CLEANUP_FREE char *missing = file_join(folder, "missing");
        CLEANUP_FREE char *file = file_join(folder, "b.conf");
        char **names;
        size_t n;
        (void) state;

        put("b.conf", "", 0);
        put("10.conf", "", 0);
        put("9.conf", "", 0);
        put("x.conf~", "", 0);
        put(".conf", "", 0);
        assert_int_equal(file_list(folder, ".conf", &names, &n), 0);
        assert_int_equal(n, 4);
        assert_string_equal(names[0], ".conf");
        assert_string_equal(names[1], "10.conf");
        assert_string_equal(names[2], "9.conf");
        assert_string_equal(names[3], "b.conf");
        file_names_free(names, n);
        assert_int_equal(file_list(missing, ".conf", &names, &n), 0);
        assert_int_equal(n, 0);
        assert_null(names);
        assert_int_equal(file_list(file, ".conf", &names, &n), -ENOTDIR);
}

static void test_file_mkdir(void **state) {
        CLEANUP_FREE char *deep = file_join(folder, "a/b//c/"), *file = file_join(folder, "f");
        CLEANUP_FREE char *below = file_join(folder, "f/g"), *joined = file_join("/x/", "y");
        struct stat st;
        (void) state;

        assert_string_equal(joined, "/x/y");
        assert_int_equal(file_mkdir(deep, 0750), 0);
        assert_int_equal(file_mkdir(deep, 0750), 0);
        assert_int_equal(stat(deep, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0750);
        put("f", "", 0);
        assert_int_equal(file_mkdir(file, 0750), -ENOTDIR);
        assert_int_equal(file_mkdir(below, 0750), -ENOTDIR);
        assert_true(file_free_bytes(folder) > 0);
        assert_int_equal(file_free_bytes(below), -ENOTDIR);
}

static void test_hashes(void **state) {
        static const struct {
                const char *key, *data, *hex;
        } cases[] = {
                /* FIPS 180-2, RFC 4231 case 2, and nothing at all */
                {NULL, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                {NULL, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {"Jefe", "what do ya want for nothing?",
                 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
                {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        };
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t mac[SHA256_SIZE];
                char hex[2 * SHA256_SIZE + 1];
                const char *key = cases[i].key, *data = cases[i].data;
                int r = key ? crypto_hmac_sha256(key, strlen(key), data, strlen(data), mac)
                            : crypto_sha256(data, strlen(data), mac);
                assert_int_equal(r, 0);
                crypto_hex(mac, sizeof mac, hex);
                assert_string_equal(hex, cases[i].hex);
        }
}

static void test_base64(void **state) {
        /* RFC 4648, 10 */
        static const char *const pairs[][2] = {
                {"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xff\xfe\xfb", "//77"},
        };
        static const char *const bad[] = {
                "Z",        "Zg",   "Zg=",  "Zh==", "Zm9=", "Zm9v ", "Zm\n9v",
                "Zg==Zg==", "====", "A===", "=m9v", "Zm-_", "Zm9vZ"};
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(100);
                CLEANUP(buf_done) Buf back = BUF_INIT(100);
                assert_int_equal(crypto_base64(&b, pairs[i][0], strlen(pairs[i][0])), 0);
                assert_string_equal(buf_text(&b), pairs[i][1]);
                assert_int_equal(crypto_base64_decode(b.data, b.len, &back), 0);
                assert_string_equal(buf_text(&back), pairs[i][0]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                CLEANUP(buf_done) Buf b = BUF_INIT(100);
                assert_int_equal(buf_str(&b, "x"), 0);
                assert_int_equal(crypto_base64_decode(bad[i], strlen(bad[i]), &b), -EINVAL);
                assert_string_equal(buf_text(&b), "x");
        }
        CLEANUP(buf_done) Buf small = BUF_INIT(7);
        assert_int_equal(crypto_base64(&small, "foobar", 6), -E2BIG);
        assert_int_equal(small.len, 0);
}

static void test_webhook_sign(void **state) {
        static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek", body[] = "{\"test\": 2432232314}";
        static const char whsec[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        static const char first[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        static const char plain[] = "v1,3Iu+JbC8cHey9rJURLZfxQoX30vMfLebm9Kn1ePn6f4=";
        CLEANUP(buf_done) Buf b = BUF_INIT(1000);
        char both[256];
        (void) state;

        /* the specification's own example */
        assert_int_equal(crypto_webhook_sign(whsec, id, 1614265330, body, sizeof body - 1, &b), 0);
        assert_string_equal(buf_text(&b), first);
        buf_clear(&b);
        (void) snprintf(both, sizeof both, " %s  plain-secret ", whsec);
        assert_int_equal(crypto_webhook_sign(both, id, 1614265330, body, sizeof body - 1, &b), 0);
        (void) snprintf(both, sizeof both, "%s %s", first, plain);
        assert_string_equal(buf_text(&b), both);
        assert_int_equal(crypto_webhook_sign("  ", id, 1, body, 1, &b), -EINVAL);
        assert_int_equal(crypto_webhook_sign("whsec_abc", id, 1, body, 1, &b), -EINVAL);
        assert_string_equal(buf_text(&b), both);
}

static void test_random(void **state) {
        uint8_t a[32] = {0}, b[32] = {0};
        double low = 1, high = 0;
        (void) state;

        assert_int_equal(crypto_random(a, sizeof a), 0);
        assert_int_equal(crypto_random(b, sizeof b), 0);
        assert_memory_not_equal(a, b, sizeof a);
        for (int i = 0; i < 1000; i++) {
                double x = crypto_random01();
                assert_true(x >= 0 && x < 1);
                low = MIN(low, x);
                high = MAX(high, x);
        }
        assert_true(low < 0.1 && high > 0.9);
}

static void test_secret(void **state) {
        static const struct {
                const char *text;
                int r;
                const char *value;
        } cases[] = {
                {"as it is\n", 0, "as it is\n"},
                {"", 0, ""},
                {"credential:one", 0, "from credentials"},
                {"credential:two", 0, "from the loaded folder"},
                {"credential:three", 0, "from secrets"},
                {"credential:four", -ENOENT, ""},
                {"credential:", -EINVAL, ""},
                {"credential:..", -EINVAL, ""},
                {"credential:../secrets/three", -EINVAL, ""},
                {"credential:nul", -EINVAL, ""},
                {"credential:big", -EFBIG, ""},
                {"file:FOLDER/secrets/three", 0, "from secrets"},
                {"file:FOLDER/missing", -ENOENT, ""},
                {"file:FOLDER", -EISDIR, ""},
        };
        CLEANUP_FREE char *credentials = file_join(folder, "credentials");
        CLEANUP_FREE char *secrets = file_join(folder, "secrets"), *big = calloc(1, 70000);
        (void) state;

        assert_int_equal(file_mkdir(credentials, 0700), 0);
        assert_int_equal(file_mkdir(secrets, 0700), 0);
        memset(big, 'x', 70000);
        put("credentials/one", "from credentials\r\n\n", 19);
        put("secrets/one", "not this", 8);
        put("credentials/secrets_two", "from the loaded folder", 22);
        put("secrets/three", "from secrets\n", 13);
        put("secrets/nul", "a\0b", 3);
        put("secrets/big", big, 70000);
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", credentials, 1), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf text = BUF_INIT(1000), b = BUF_INIT(BUF_MAX_TEXT);
                const char *hole = strstr(cases[i].text, "FOLDER");
                if (hole)
                        assert_int_equal(buf_printf(&text, "%.*s%s%s", (int) (hole - cases[i].text),
                                                    cases[i].text, folder, hole + 6),
                                         0);
                else
                        assert_int_equal(buf_str(&text, cases[i].text), 0);
                assert_int_equal(secret_resolve(buf_text(&text), secrets, &b), cases[i].r);
                assert_string_equal(buf_text(&b), cases[i].value);
        }
        assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        CLEANUP(buf_done) Buf b = BUF_INIT(1000);
        assert_int_equal(secret_resolve("credential:two", secrets, &b), -ENOENT);
        assert_int_equal(secret_resolve("credential:one", secrets, &b), 0);
        assert_string_equal(buf_text(&b), "not this");
        assert_int_equal(secret_resolve("credential:one", NULL, &b), -ENOENT);
        assert_true(secret_is_reference("credential:x"));
        assert_true(secret_is_reference("file:x"));
        assert_false(secret_is_reference("xfile:x"));
}

static void test_log(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(100000);
        CLEANUP_FREE char *path = file_join(folder, "log"), *big = calloc(1, 20000);
        int saved = dup(STDERR_FILENO), fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        (void) state;

        memset(big, 'x', 19999);
        assert_true(fd >= 0 && saved >= 0);
        (void) fflush(stderr);
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
        log_init("test", /* is_verbose= */ false);
        log_debug("hidden");
        log_warning("unit %s, keeping", "a\nb\x1b[2J");
        log_init("test", /* is_verbose= */ true);
        log_debug("shown %d", 7);
        log_full(LOG_INFO, &(LogFields){.source = "s", .message_id = LOG_ID_CONFIG}, "with fields");
        (void) fflush(stderr);
        assert_int_equal(file_read(path, 100000, &b), 0);
        assert_string_equal(buf_text(&b),
                            "test: unit a b [2J, keeping\ntest: shown 7\ntest: with fields\n");
        buf_clear(&b);
        log_error("%s", big);
        (void) fflush(stderr);
        assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
        (void) close(saved);
        (void) close(fd);
        assert_int_equal(file_read(path, 100000, &b), 0);
        assert_in_range(b.len, 8000, 8400);
        assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void test_hide(void **state) {
        static const struct {
                const char *text, *secret, *hidden;
        } cases[] = {
                {"wrong: s3cret!", "s3cret!", "wrong: *******"},
                {"s3cret!s3cret!", "s3cret!", "**************"},
                {"key QUJDREVG or whsec_QUJDREVG", "whsec_QUJDREVG",
                 "key ******** or whsec_********"},
                {"old and newer", " older\nnewer old ", "old and *****"},
                {"a abc", "abc a", "a abc"}, /* too short */
                {"", "secret", ""},
                {"text", "", "text"},
        };
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[64];
                (void) snprintf(text, sizeof text, "%s", cases[i].text);
                secret_hide(text, cases[i].secret);
                assert_string_equal(text, cases[i].hidden);
        }
        char login[] = "AGEAc2VjcmV0 c2VjcmV0 secret";
        secret_hide_login(login, "a", "secret");
        assert_string_equal(login, "************ ******** ******");
        char path[] = "POST /bot12/x at webhook https://h/bot12/x";
        secret_hide_path(path, "https://h/bot12/x");
        assert_string_equal(path, "POST ******** at webhook https://h********");
        char host[] = "https://h";
        secret_hide_path(host, "https://h");
        assert_string_equal(host, "https://h");
}

static void test_clock(void **state) {
        CLEANUP_FREE char *path = file_join(folder, "clock");
        int64_t before = clock_now_ms(), boot = clock_boot_ms();
        (void) state;

        assert_true(before > INT64_C(1600000000000));
        assert_true(boot > 0 && boot < INT64_C(1000000000000));
#ifdef CHISO_TEST_HOOKS
        assert_int_equal(setenv("CHISO_TEST_CLOCK", path, 1), 0);
        assert_in_range(clock_now_ms() - before, 0, 60000);
        put("clock", "86400000\n", 9);
        assert_in_range(clock_now_ms() - before, 86400000, 86460000);
        put("clock", "3600000", 7); /* replaced */
        assert_in_range(clock_now_ms() - before, 3600000, 3660000);
        int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_in_range(clock_now_ms() - before, 3600000, 3660000); /* empty: as before */
        assert_int_equal(write(fd, "-10", 3), 3);
        assert_in_range(clock_now_ms() - before + 1000, 990, 61000);
        (void) close(fd);
        assert_in_range(clock_boot_ms() - boot, 0, 60000);
        int64_t awake = clock_awake_ms();
        put("clock", "-10 7200000 3600000\n", 20);
        assert_in_range(clock_now_ms() - before + 1000, 990, 61000);
        assert_in_range(clock_boot_ms() - boot, 7200000, 7260000);
        assert_in_range(clock_awake_ms() - awake, 3600000, 3660000);
        put("clock", "5 5x", 4); /* cut: as before */
        assert_in_range(clock_boot_ms() - boot, 7200000, 7260000);
        assert_int_equal(setenv("CHISO_TEST_CLOCK_WAKES", "1", 1), 0);
        int watch = clock_watch();
        assert_true(watch >= 0);
        assert_false(clock_was_set(watch));
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, "7", 1), 1);
        (void) close(fd);
        assert_true(clock_was_set(watch));
        assert_false(clock_was_set(watch));
        (void) close(watch);
        assert_int_equal(unsetenv("CHISO_TEST_CLOCK_WAKES"), 0);
        assert_int_equal(unsetenv("CHISO_TEST_CLOCK"), 0);
#endif
        int real = clock_watch();
        assert_true(real >= 0);
        assert_false(clock_was_set(real));
        (void) close(real);
}

static int killed_at(const char *wanted) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                (void) setenv("CHISO_TEST_KILL", wanted, 1);
                hook_point("send.begin");
                hook_point("send.sent");
                hook_point("send.begin");
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_hook(void **state) {
        (void) state;
#ifdef CHISO_TEST_HOOKS
        assert_int_equal(killed_at("send.begin"), SIGKILL);
        assert_int_equal(killed_at("send.begin:2"), SIGKILL);
        assert_int_equal(killed_at("send.begin:3"), 0);
        assert_int_equal(killed_at("send.sent"), SIGKILL);
#else
        assert_int_equal(killed_at("send.begin"), 0);
#endif
        assert_int_equal(killed_at("send"), 0);
        assert_int_equal(killed_at("settle.begin"), 0);
}

static void expect_datagram(int fd, const char *text) {
        char got[4096] = "";
        ssize_t n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
        if (!text) {
                assert_int_equal(n, -1);
                return;
        }
        assert_true(n > 0);
        assert_string_equal(got, text);
}

static void test_notify(void **state) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        (void) state;

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        notify_ready();
        expect_datagram(fd, "READY=1");
        notify_status("104/104 đơn vị\nREADY=1");
        expect_datagram(fd, "STATUS=104/104 đơn vị READY=1");
        notify_status("104/104 đơn vị\nREADY=1");
        expect_datagram(fd, NULL);
        notify_status("khác");
        expect_datagram(fd, "STATUS=khác");
        notify_stopping();
        expect_datagram(fd, "STOPPING=1");
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        notify_ready();
        (void) close(fd);
        assert_int_equal(notify_listen_fd("status"), -1);
}

static void test_listen_fds(void **state) {
        (void) state;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                char own[32];
                int pair[2];
                if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || dup2(pair[0], 13) < 0 ||
                    dup2(pair[1], 14) < 0)
                        _exit(1);
                (void) dup2(13, 3);
                (void) dup2(14, 4);
                (void) snprintf(own, sizeof own, "%d", (int) getpid());
                (void) setenv("LISTEN_PID", own, 1);
                (void) setenv("LISTEN_FDS", "2", 1);
                (void) setenv("LISTEN_FDNAMES", "admin:status", 1);
                if (notify_listen_fd("status") != 4 || notify_listen_fd("admin") != 3)
                        _exit(2);
                if (notify_listen_fd("other") != -1)
                        _exit(3);
                if (!(fcntl(4, F_GETFL) & O_NONBLOCK) || !(fcntl(4, F_GETFD) & FD_CLOEXEC))
                        _exit(4);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* Made for this test alone; its key is gone. */
static const char certificate[] =
        "-----BEGIN CERTIFICATE-----\n"
        "MIH/MIGmAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjAwMTAxMDAw\n"
        "MDAwWhcNMzAwMTAyMDMwNDA1WjAMMQowCAYDVQQDDAFhMFkwEwYHKoZIzj0CAQYI\n"
        "KoZIzj0DAQcDQgAEhoJFQuHLxJLYA5q+DjrTnkD5U6S40b2QjiQfoxW83rhLr2V5\n"
        "HTXQn2Rf5j+TYxDkb2/bi+uXbNP1vE+Tr6wDbjAKBggqhkjOPQQDAgNIADBFAiEA\n"
        "py1OlK4iX3cE9fhHS71xXD95YZPPir+nW7PJATORNvQCIFHWHqevfucaqzIyeHZx\n"
        "Y40cHkwnD3SsPFNCn6nlcUtP\n"
        "-----END CERTIFICATE-----\n";

static void test_certificates_end(void **state) {
        CLEANUP(buf_done) Buf two = BUF_INIT(BUF_MAX_TEXT);
        int64_t end_ms = 0, want_ms = 0;
        (void) state;

        assert_int_equal(instant_parse("2030-01-02T03:04:05Z", &want_ms), 0);
        assert_int_equal(buf_printf(&two, "# words before\n%s\n%s", certificate, certificate), 0);
        assert_int_equal(crypto_certificates_end(buf_text(&two), two.len, &end_ms), 0);
        assert_true(end_ms == want_ms);
        assert_int_equal(crypto_certificates_end("", 0, &end_ms), -EBADMSG);
        assert_int_equal(crypto_certificates_end(certificate, sizeof certificate / 2, &end_ms),
                         -EBADMSG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_file_read),
                TEST(test_file_read_long),
                TEST(test_file_replace),
                TEST(test_file_list),
                TEST(test_file_mkdir),
                TEST(test_hashes),
                TEST(test_base64),
                TEST(test_webhook_sign),
                TEST(test_random),
                TEST(test_secret),
                TEST(test_log),
                TEST(test_clock),
                TEST(test_hide),
                TEST(test_hook),
                TEST(test_notify),
                TEST(test_listen_fds),
                TEST(test_certificates_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
