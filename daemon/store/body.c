/* Bodies, verbatim under their SHA-256, each one plain zstd -3 frame (dictionaries and deltas
 * between bodies were measured and save little). Packing needs no database, so that it happens
 * before a transaction begins. */
#include "store/body.h"

#include <errno.h>
#include <zstd.h>

#include "os/crypto.h"
#include "store/figure.h"

#define BODY_LEVEL 3

int body_pack(const void *data, size_t n, Body *ret) {
        uint8_t hash[SHA256_SIZE];
        int r;

        r = crypto_sha256(n ? data : "", n, hash);
        return r < 0 ? r : body_pack_hashed(data, n, hash, ret);
}

int body_pack_hashed(const void *data, size_t n, const uint8_t hash[static 32], Body *ret) {
        CLEANUP_FREE void *packed = NULL;
        size_t bound, size;
        Body b = {.size = n};
        void *fit;

        if (n > BODY_MAX)
                return -EFBIG;
        memcpy(b.hash, hash, sizeof(b.hash));
        bound = ZSTD_compressBound(n);
        packed = malloc(bound);
        if (!packed)
                return -ENOMEM;
        size = ZSTD_compress(packed, bound, n ? data : "", n, BODY_LEVEL);
        if (ZSTD_isError(size))
                return -ENOMEM; /* the buffer is large enough: only its workspace can be missing */
        fit = realloc(packed, size);
        if (fit)
                packed = fit;
        b.packed = TAKE_PTR(packed);
        b.packed_size = size;
        *ret = b;
        return 0;
}

void body_done(Body *b) {
        free(b->packed);
        *b = (Body){0};
}

int store_body_put(Store *s, const Body *body) {
        return query_run(s, STMT_BODY_PUT,
                         ARGS(arg_blob(body->hash, sizeof(body->hash)),
                              arg_int((int64_t) body->size),
                              arg_blob(body->packed, body->packed_size)));
}

int store_body_has(Store *s, const uint8_t hash[static 32], bool *ret) {
        int64_t has;
        int r;

        r = query_int(s, STMT_BODY_HAS, ARGS(arg_blob(hash, SHA256_SIZE)), 0, &has);
        if (r >= 0)
                *ret = has != 0;
        return r;
}

static int bytes_unpack(const void *packed, size_t n, size_t size, Buf *b) {
        CLEANUP_FREE char *data = NULL;
        size_t got;

        if (size > BODY_MAX || ZSTD_getFrameContentSize(packed, n) != size)
                return -EBADMSG;
        data = malloc(size + 1);
        if (!data)
                return -ENOMEM;
        got = ZSTD_decompress(data, size, packed, n);
        if (ZSTD_isError(got) || got != size)
                return -EBADMSG;
        return buf_append(b, data, size);
}

int body_unpack(Query q, Buf *ret) {
        const void *hash = sqlite3_column_blob(q, 0);
        size_t start = ret->len;
        uint8_t found[SHA256_SIZE];
        int r;

        if (sqlite3_column_type(q, 2) == SQLITE_NULL)
                return STORE_E_NONE;
        if (!hash || sqlite3_column_bytes(q, 0) != SHA256_SIZE || column_int(q, 1) < 0)
                return -EBADMSG;
        r = bytes_unpack(sqlite3_column_blob(q, 2), (size_t) sqlite3_column_bytes(q, 2),
                         (size_t) column_int(q, 1), ret);
        if (r >= 0)
                r = crypto_sha256(buf_text(ret) + start, ret->len - start, found);
        if (r >= 0 && memcmp(found, hash, SHA256_SIZE) != 0)
                r = -EBADMSG;
        if (r < 0 && ret->len > start) { /* rot is never served */
                ret->len = start;
                ret->data[start] = '\0';
        }
        return r;
}

int store_body_get(Store *s, const uint8_t hash[static 32], Buf *ret) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, STMT_BODY_GET, ARGS(arg_blob(hash, SHA256_SIZE)), &q);
        if (r < 0)
                return r;
        r = query_next(q);
        if (r <= 0)
                return r < 0 ? r : STORE_E_NONE;
        return body_unpack(q, ret);
}
