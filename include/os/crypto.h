/* Hashes, signatures, random numbers. Home of libcrypto. */
#pragma once

#include "base/buf.h"

#define SHA256_SIZE 32u

/* 0 or -EIO. */
int crypto_sha256(const void *data, size_t n, uint8_t ret[static SHA256_SIZE]);
int crypto_hmac_sha256(const void *key, size_t key_n, const void *data, size_t n,
                       uint8_t ret[static SHA256_SIZE]);
/* Fills with random bytes; a uniform double in [0, 1). */
int crypto_random(void *ret, size_t n);
double crypto_random01(void);
/* The latest end (notAfter) of the certificates in a PEM text: 0, -EBADMSG where there is none. */
int crypto_certificates_end(const char *pem, size_t n, int64_t *ret_ms);
/* Base64 (RFC 4648) with padding, appended. */
int crypto_base64(Buf *b, const void *data, size_t n);
/* Strict decoding; -EINVAL on anything else. */
int crypto_base64_decode(const char *text, size_t n, Buf *b);
/* Lower-case hex, NUL-terminated; ret has 2 n + 1 bytes. */
void crypto_hex(const uint8_t *data, size_t n, char *ret);

/* Standard Webhooks 1.0: "v1,BASE64" over "ID.TIMESTAMP.BODY". The secret is "whsec_BASE64" or
 * plain text bytes; several, blank-separated, during rotation give several signatures,
 * blank-separated. timestamp in seconds. */
int crypto_webhook_sign(const char *secrets, const char *id, int64_t timestamp, const char *body,
                        size_t n, Buf *ret);
