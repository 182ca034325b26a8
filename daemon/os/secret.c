/* Where a secret is looked for. A credential's name is one file name: with a slash in it, a
 * configuration that somebody else may write could read any file that we can. */
#include "os/secret.h"

#include <errno.h>

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
