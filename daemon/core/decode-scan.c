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

/* What jansson made of the text; `offset` is where it stands in the body. */
static int reject_json(const json_error_t *error, size_t offset, Diag *diag) {
        if (json_error_code(error) == json_error_out_of_memory)
                return -ENOMEM;
        return REJECT(diag, "not JSON: %s (byte %zu)", error->text,
                      offset + (size_t) MAX(error->position, 0));
}

static int load_whole(const char *body, size_t n, Diag *diag, json_t **ret) {
        size_t bom = bom_length(body, n);
        json_error_t error;
        *ret = json_loadb(body + bom, n - bom, JSON_REJECT_DUPLICATES, &error);
        return *ret ? 0 : reject_json(&error, 0, diag);
}

int decode_load(const char *body, size_t n, Diag *diag, json_t **ret) {
        int r = decode_scan(body, n, diag);
        return r != 0 ? r : load_whole(body, n, diag, ret);
}

/* ---- rows one by one ---------------------------------------------------------------------------
 */

static size_t skip_blanks(const char *body, size_t n, size_t i) {
        while (i < n && is_blank(body[i]))
                i++;
        return i;
}

/* `i` at a value: the place after it. Brackets are only counted; what stands between them is
 * jansson's to judge. */
static size_t skip_value(const char *body, size_t n, size_t i) {
        Scan scan = {0};
        do
                i = scan_token(&scan, body, n, i);
        while (i < n && scan.depth > 0);
        return i;
}

/* `i` at an object: the place of the value of its member `key`, n when there is none. A key that is
 * written with escapes is not recognized. */
static size_t find_member(const char *body, size_t n, size_t i, const char *key) {
        size_t length = strlen(key);
        if (i >= n || body[i] != '{')
                return n;
        i = skip_blanks(body, n, i + 1);
        while (i < n && body[i] == '"') {
                size_t end = skip_string(body, n, i);
                bool is_it =
                        end - i == length + 2 && end <= n && memcmp(body + i + 1, key, length) == 0;
                i = skip_blanks(body, n, end);
                if (i >= n || body[i] != ':')
                        return n;
                i = skip_blanks(body, n, i + 1);
                if (is_it)
                        return i;
                i = skip_blanks(body, n, skip_value(body, n, i));
                if (i >= n || body[i] != ',')
                        return n;
                i = skip_blanks(body, n, i + 1);
        }
        return n;
}

/* The array that the pointer leads to, as [*ret_from, *ret_to) of the body. */
static bool find_array(const char *body, size_t n, const Pointer *p, size_t *ret_from,
                       size_t *ret_to) {
        size_t i = skip_blanks(body, n, bom_length(body, n));
        for (size_t k = 0; k < p->n; k++) {
                if (p->steps[k].select)
                        return false;
                i = find_member(body, n, i, p->steps[k].key);
        }
        if (i >= n || body[i] != '[')
                return false;
        *ret_from = i;
        *ret_to = skip_value(body, n, i);
        return *ret_to <= n && body[*ret_to - 1] == ']';
}

/* The document with an empty array in the place of its rows. */
static int load_frame(const char *body, size_t n, size_t from, size_t to, Diag *diag,
                      json_t **ret) {
        size_t bom = bom_length(body, n), size = n - bom - (to - from) + 2;
        CLEANUP_FREE char *frame = malloc(size);
        json_error_t error;
        if (!frame)
                return -ENOMEM;
        memcpy(frame, body + bom, from - bom);
        frame[from - bom] = '[';
        frame[from - bom + 1] = ']';
        memcpy(frame + from - bom + 2, body + to, n - to);
        *ret = json_loadb(frame, size, JSON_REJECT_DUPLICATES, &error);
        if (*ret)
                return 0;
        bool is_behind = error.position > 0 && (size_t) error.position > from - bom + 2;
        return reject_json(&error, is_behind ? to - from - 2 : 0, diag);
}

int decode_open(const char *body, size_t n, const Pointer *rows, const Pointer *const *shared,
                size_t n_shared, Diag *diag, json_t **ret_root, Rows *ret) {
        size_t from = 0, to = 0;
        int r = decode_scan(body, n, diag);
        if (r != 0)
                return r;
        bool is_apart = find_array(body, n, rows, &from, &to);
        for (size_t i = 0; i < n_shared; i++)
                is_apart = is_apart && !pointer_is_below(shared[i], rows);
        if (is_apart) {
                *ret = (Rows){.body = body, .at = from + 1, .end = to - 1};
                return load_frame(body, n, from, to, diag, ret_root);
        }
        r = load_whole(body, n, diag, ret_root);
        if (r == 0)
                *ret = (Rows){.array = pointer_get(rows, *ret_root)};
        return r;
}

/* Where the next row begins. Between two rows stands one comma; one before the end leads on to the
 * bracket, which jansson refuses. */
static int find_row(const Rows *rows, Diag *diag, size_t *ret, bool *ret_is_end) {
        size_t i = skip_blanks(rows->body, rows->end, rows->at);
        *ret = i;
        *ret_is_end = i == rows->end;
        if (*ret_is_end || rows->n == 0)
                return 0;
        if (rows->body[i] != ',')
                return REJECT(diag, "not JSON: ']' expected near '%.1s' (byte %zu)", rows->body + i,
                              i);
        *ret = i + 1;
        return 0;
}

int rows_next(Rows *rows, Diag *diag, json_t **ret) {
        json_error_t error;
        size_t at;
        bool is_end;
        *ret = NULL;
        if (rows->array) {
                *ret = json_incref(json_array_get(rows->array, rows->n));
                rows->n += *ret != NULL;
                return 0;
        }
        int r = find_row(rows, diag, &at, &is_end);
        if (r != 0 || is_end)
                return r;
        *ret = json_loadb(rows->body + at, rows->end + 1 - at,
                          JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY,
                          &error);
        if (!*ret)
                return reject_json(&error, at, diag);
        rows->at = at + (size_t) error.position;
        rows->n++;
        return 0;
}
