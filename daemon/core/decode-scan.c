/* One scan before parsing bounds what jansson will allocate: depth and number of values. It
 * understands only strings and brackets; whether the text is JSON is jansson's to say. Until
 * jansson meets its first error the text is a prefix of good JSON, for which the count is exact, so
 * a broken text cannot hide values from it.
 *
 * The reasons show what came: an HTML page with status 200 is the publishers' usual way to say no,
 * and the operator must see which page it was. */
#include <errno.h>
#include <jansson.h>

#include "core/decode-json.h"
#include "core/decode.h"

#define EXCERPT_BYTES 60u

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte order mark that .NET servers and spreadsheet programs write; RFC 8259 lets a reader skip
 * it. */
static size_t bom_length(const char *body, size_t n) {
        return n >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static int reject_excerpt(Diag *diag, const char *what, const char *body, size_t n) {
        size_t cut = MIN(n, EXCERPT_BYTES);
        /* Not through the middle of a character; the diag makes the rest printable. */
        while (cut > 0 && cut < n && ((unsigned char) body[cut] & 0xc0) == 0x80)
                cut--;
        return REJECT(diag, "%s: '%.*s%s'", what, (int) cut, body, cut < n ? "..." : "");
}

/* `i` at the opening quote; the place after the closing one, or n + 1 when there is none. */
static size_t skip_string(const char *body, size_t n, size_t i) {
        for (i++; i < n; i++) {
                if (body[i] == '\\')
                        i++;
                else if (body[i] == '"')
                        return i + 1;
        }
        return n + 1;
}

/* `i` at a number or word: the place after it. */
static size_t skip_word(const char *body, size_t n, size_t i) {
        while (i < n && !is_blank(body[i]) && (body[i] == '\0' || !strchr("[]{},:\"", body[i])))
                i++;
        return i;
}

typedef struct Scan {
        size_t depth, values;
} Scan;

/* Takes the token at `i`, returns the place after it. */
static size_t scan_token(Scan *scan, const char *body, size_t n, size_t i) {
        switch (body[i]) {
        case '[':
        case '{':
                scan->depth++;
                scan->values++;
                return i + 1;
        case ']':
        case '}':
                scan->depth -= scan->depth > 0;
                return i + 1;
        case ':': /* what stood before it was a key */
                scan->values -= scan->values > 0;
                return i + 1;
        case ',':
                return i + 1;
        case '"':
                scan->values++;
                return skip_string(body, n, i);
        default:
                if (is_blank(body[i]))
                        return i + 1;
                scan->values++;
                return skip_word(body, n, i);
        }
}

int decode_scan(const char *body, size_t n, Diag *diag) {
        size_t i = bom_length(body, n);
        while (i < n && is_blank(body[i]))
                i++;
        if (i == n)
                return REJECT(diag, "an empty answer instead of JSON");
        if (body[i] == '<')
                return reject_excerpt(diag, "HTML instead of JSON", body + i, n - i);
        if (body[i] != '{' && body[i] != '[')
                return reject_excerpt(diag, "no JSON object or array", body + i, n - i);

        Scan scan = {0};
        while (i < n) {
                i = scan_token(&scan, body, n, i);
                if (scan.depth > DECODE_MAX_DEPTH)
                        return REJECT(diag, "JSON nested deeper than %u", DECODE_MAX_DEPTH);
                if (scan.values > DECODE_MAX_VALUES)
                        return REJECT(diag, "JSON of more than %u values", DECODE_MAX_VALUES);
        }
        if (i > n)
                return REJECT(diag, "truncated JSON: %zu bytes end inside a string", n);
        if (scan.depth > 0)
                return REJECT(diag, "truncated JSON: %zu brackets are open after %zu bytes",
                              scan.depth, n);
        return 0;
}

int decode_load(const char *body, size_t n, Diag *diag, json_t **ret) {
        int r = decode_scan(body, n, diag);
        if (r != 0)
                return r;
        size_t bom = bom_length(body, n);
        json_error_t error;
        json_t *root = json_loadb(body + bom, n - bom, JSON_REJECT_DUPLICATES, &error);
        if (!root && json_error_code(&error) == json_error_out_of_memory)
                return -ENOMEM;
        if (!root)
                return REJECT(diag, "not JSON: %s (byte %d)", error.text, error.position);
        *ret = root;
        return 0;
}
