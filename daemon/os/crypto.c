/* Hashes and signatures by libcrypto's EVP. Base64 is our own: EVP_DecodeBlock takes blanks, wrong
 * padding and left-over bits for good, and a secret that decodes to something else than was meant
 * fails only at the receiver. */
#include "os/crypto.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#define CRYPTO_MAX_KEY ((size_t) 4096)

int crypto_sha256(const void *data, size_t n, uint8_t ret[static SHA256_SIZE]) {
        return EVP_Digest(n > 0 ? data : "", n, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int crypto_hmac_sha256(const void *key, size_t key_n, const void *data, size_t n,
                       uint8_t ret[static SHA256_SIZE]) {
        size_t out_n = 0;
        const void *k = key_n > 0 ? key : "";
        const void *d = n > 0 ? data : "";

        if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k, key_n, d, n, ret, SHA256_SIZE,
                       &out_n))
                return -EIO;
        return out_n == SHA256_SIZE ? 0 : -EIO;
}

int crypto_random(void *ret, size_t n) {
        uint8_t *p = ret;

        while (n > 0) {
                ssize_t got = getrandom(p, n, 0);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                p += got;
                n -= (size_t) got;
        }
        return 0;
}

double crypto_random01(void) {
        uint64_t bits = 0;

        /* Jitter only: when the kernel has none to give, the middle is as good. */
        if (crypto_random(&bits, sizeof bits) < 0)
                return 0.5;
        return (double) (bits >> 11) * 0x1p-53;
}

static int certificate_end(const X509 *x, int64_t *ret_ms) {
        struct tm tm;

        if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
                return -EBADMSG;
        *ret_ms = (int64_t) timegm(&tm) * 1000;
        return 0;
}

int crypto_certificates_end(const char *pem, size_t n, int64_t *ret_ms) {
        BIO *in = n <= INT_MAX ? BIO_new_mem_buf(pem, (int) n) : NULL;
        int r = in ? -EBADMSG : -ENOMEM;
        int64_t last = INT64_MIN, end;
        X509 *x;

        while (in && (x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
                if (certificate_end(x, &end) == 0) {
                        last = end > last ? end : last;
                        r = 0;
                }
                X509_free(x);
        }
        BIO_free(in);
        ERR_clear_error(); /* the end of the file is one */
        if (r == 0)
                *ret_ms = last;
        return r;
}

static const char base64_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int crypto_base64(Buf *b, const void *data, size_t n) {
        const uint8_t *p = data;
        size_t before = b->len;

        for (size_t i = 0; i < n; i += 3) {
                uint32_t v = (uint32_t) p[i] << 16;
                if (i + 1 < n)
                        v |= (uint32_t) p[i + 1] << 8;
                if (i + 2 < n)
                        v |= p[i + 2];
                char quad[4] = {base64_digits[v >> 18], base64_digits[(v >> 12) & 63],
                                i + 1 < n ? base64_digits[(v >> 6) & 63] : '=',
                                i + 2 < n ? base64_digits[v & 63] : '='};
                int r = buf_append(b, quad, sizeof quad);
                if (r < 0) {
                        b->len = before;
                        if (b->data)
                                b->data[before] = 0;
                        return r;
                }
        }
        return buf_append(b, "", 0);
}

static int base64_value(char c) {
        const char *p = c ? strchr(base64_digits, c) : NULL;
        return p ? (int) (p - base64_digits) : -1;
}

int crypto_base64_decode(const char *text, size_t n, Buf *b) {
        size_t before = b->len;
        size_t padding = n > 0 && text[n - 1] == '=' ? (n > 1 && text[n - 2] == '=' ? 2 : 1) : 0;
        uint32_t v = 0;
        int r = n % 4 == 0 ? 0 : -EINVAL;

        for (size_t i = 0; r == 0 && i < n; i++) {
                int digit = i >= n - padding ? 0 : base64_value(text[i]);
                if (digit < 0) {
                        r = -EINVAL;
                        break;
                }
                v = v << 6 | (uint32_t) digit;
                if (i % 4 != 3)
                        continue;
                size_t cut = i + 1 == n ? padding : 0;
                uint8_t bytes[3] = {(uint8_t) (v >> 16), (uint8_t) (v >> 8), (uint8_t) v};
                if ((cut >= 1 && bytes[2]) || (cut == 2 && bytes[1]))
                        r = -EINVAL; /* bits left over: not what any encoder writes */
                else
                        r = buf_append(b, bytes, 3 - cut);
                v = 0;
        }
        if (r < 0 && b->data) {
                b->len = before;
                b->data[before] = 0;
        }
        return r;
}

void crypto_hex(const uint8_t *data, size_t n, char *ret) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                *ret++ = digits[data[i] >> 4];
                *ret++ = digits[data[i] & 15];
        }
        *ret = 0;
}

static int webhook_key(const char *secret, size_t n, Buf *key) {
        static const char prefix[] = "whsec_";
        size_t m = sizeof prefix - 1;

        if (n > m && strncmp(secret, prefix, m) == 0)
                return crypto_base64_decode(secret + m, n - m, key);
        return buf_append(key, secret, n);
}

static int append_signature(Buf *ret, const char *secret, size_t secret_n, const Buf *content) {
        CLEANUP(buf_done) Buf key = BUF_INIT(CRYPTO_MAX_KEY);
        uint8_t mac[SHA256_SIZE];

        int r = webhook_key(secret, secret_n, &key);
        if (r < 0)
                return r;
        r = crypto_hmac_sha256(key.data, key.len, content->data, content->len, mac);
        explicit_bzero(key.data, key.len);
        if (r < 0)
                return r;
        r = buf_str(ret, ret->len > 0 ? " v1," : "v1,");
        return r < 0 ? r : crypto_base64(ret, mac, sizeof mac);
}

int crypto_webhook_sign(const char *secrets, const char *id, int64_t timestamp, const char *body,
                        size_t n, Buf *ret) {
        static const char blanks[] = " \t\r\n";
        CLEANUP(buf_done) Buf content = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP(buf_done) Buf signatures = BUF_INIT(4096);
        int r = buf_printf(&content, "%s.%" PRId64 ".", id, timestamp);

        if (r >= 0)
                r = buf_append(&content, body, n);
        for (const char *s = secrets + strspn(secrets, blanks); r >= 0 && *s;) {
                size_t secret_n = strcspn(s, blanks);
                r = append_signature(&signatures, s, secret_n, &content);
                s += secret_n;
                s += strspn(s, blanks);
        }
        if (r < 0)
                return r;
        return signatures.len > 0 ? buf_append(ret, signatures.data, signatures.len) : -EINVAL;
}
