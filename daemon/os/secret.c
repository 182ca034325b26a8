/* Where a secret is looked for. A credential's name is one file name: with a slash in it, a
 * configuration that somebody else may write could read any file that we can. */
#include "os/secret.h"

#include <errno.h>

#include "os/crypto.h"
#include "os/file.h"

#define SECRET_MAX ((size_t) 64 << 10)

static const char *after_prefix(const char *text, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

bool secret_is_reference(const char *text) {
        return after_prefix(text, "credential:") || after_prefix(text, "file:");
}

static int read_secret(const char *path, Buf *ret) {
        CLEANUP(buf_done) Buf b = BUF_INIT(SECRET_MAX);
        int r = file_read(path, SECRET_MAX, &b);

        if (r < 0)
                return r;
        while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
                b.len--;
        /* It ends up in C strings: behind a NUL the rest would silently be lost. */
        r = b.len > 0 && memchr(b.data, 0, b.len) ? -EINVAL : buf_append(ret, buf_text(&b), b.len);
        if (b.data)
                explicit_bzero(b.data, b.cap);
        return r;
}

static int read_in(const char *dir, const char *prefix, const char *name, Buf *ret) {
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);

        if (!dir || !*dir)
                return -ENOENT;
        int r = buf_printf(&path, "%s/%s%s", dir, prefix, name);
        return r < 0 ? r : read_secret(path.data, ret);
}

static int read_credential(const char *name, const char *secrets_dir, Buf *ret) {
        const char *credentials = getenv("CREDENTIALS_DIRECTORY");

        if (!*name || strchr(name, '/') || streq(name, ".") || streq(name, ".."))
                return -EINVAL;
        int r = read_in(credentials, "", name, ret);
        if (r == -ENOENT)
                r = read_in(credentials, "secrets_", name, ret);
        if (r == -ENOENT)
                r = read_in(secrets_dir, "", name, ret);
        return r;
}

int secret_resolve(const char *text, const char *secrets_dir, Buf *ret) {
        const char *name = after_prefix(text, "credential:"), *path = after_prefix(text, "file:");

        if (name)
                return read_credential(name, secrets_dir, ret);
        if (path)
                return read_secret(path, ret);
        return strlen(text) > SECRET_MAX ? -EFBIG : buf_str(ret, text);
}

#define HIDE_MIN 4u
#define WEBHOOK_PREFIX "whsec_"

static void hide(char *text, const char *word, size_t n) {
        if (n < HIDE_MIN)
                return;
        for (char *p = text; (p = memmem(p, strlen(p), word, n)); p += n)
                memset(p, '*', n);
}

void secret_hide(char *text, const char *secret) {
        static const char blanks[] = " \t\r\n";
        for (const char *p = secret + strspn(secret, blanks); *p; p += strspn(p, blanks)) {
                size_t n = strcspn(p, blanks), prefix = strlen(WEBHOOK_PREFIX);
                if (n > prefix && strncmp(p, WEBHOOK_PREFIX, prefix) == 0)
                        hide(text, p + prefix, n - prefix);
                hide(text, p, n);
                p += n;
        }
}

void secret_hide_login(char *text, const char *username, const char *password) {
        Buf CLEANUP(buf_done) plain = BUF_INIT(1 << 17), coded = BUF_INIT(1 << 18);
        int r = buf_append(&plain, "", 1);
        if (r >= 0)
                r = buf_str(&plain, str_or(username, ""));
        if (r >= 0)
                r = buf_append(&plain, "", 1);
        if (r >= 0)
                r = buf_str(&plain, password);
        if (r >= 0)
                r = crypto_base64(&coded, plain.data, plain.len);
        if (r >= 0)
                r = buf_char(&coded, ' ');
        if (r >= 0)
                r = crypto_base64(&coded, password, strlen(password));
        if (r >= 0)
                secret_hide(text, buf_text(&coded));
        secret_hide(text, password);
        if (plain.data)
                explicit_bzero(plain.data, plain.len);
        if (coded.data)
                explicit_bzero(coded.data, coded.len);
}

void secret_hide_path(char *text, const char *url) {
        const char *host = strstr(url, "://");
        const char *path = host ? strchr(host + 3, '/') : NULL;
        if (path)
                secret_hide(text, path); /* with its slash: "/hook" is no part of "webhook" */
}
