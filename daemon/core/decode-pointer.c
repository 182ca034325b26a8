/* RFC 6901 pointers, compiled once per part, with one step of our own: [key=text] leads to the
 * element of an array whose member `key` has that text. It must be exactly one: when the publisher
 * lists a metric twice there is no telling which is meant, and a wrong figure is worse than none.
 *
 * A token that begins with '[' is always such a step; members of that name cannot be addressed
 * (none was ever seen).
 * '/' and '~' in a text are written ~1 and ~0 as everywhere in a pointer. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "core/decode-json.h"
#include "core/decode.h"

/* ~1 and ~0 undone in place. Returns 0 or -EINVAL. */
static int unescape(char *text) {
        char *to = text;
        for (const char *p = text; *p; p++) {
                if (*p != '~') {
                        *to++ = *p;
                        continue;
                }
                p++;
                if (*p != '0' && *p != '1')
                        return -EINVAL;
                *to++ = *p == '0' ? '~' : '/';
        }
        *to = '\0';
        return 0;
}

/* Digits without leading zeros, short enough for any array that the scan lets through. */
static size_t index_parse(const char *key) {
        size_t n = strspn(key, "0123456789");
        if (n == 0 || n > 7 || key[n] != '\0' || (key[0] == '0' && n > 1))
                return SIZE_MAX;
        size_t index = 0;
        for (const char *p = key; *p; p++)
                index = index * 10 + (size_t) (*p - '0');
        return index;
}

static int step_parse(PointerStep *step, char *token) {
        if (*token != '[') {
                int r = unescape(token);
                step->key = token;
                step->index = index_parse(token);
                return r;
        }
        size_t length = strlen(token);
        char *equals = strchr(token, '=');
        if (token[length - 1] != ']' || !equals || equals == token + 1)
                return -EINVAL;
        token[length - 1] = '\0';
        *equals = '\0';
        step->key = token + 1;
        step->select = equals + 1;
        step->index = SIZE_MAX;
        int r = unescape(token + 1);
        return r < 0 ? r : unescape(equals + 1);
}

int pointer_compile(Pointer *p, const char *text) {
        if (!text)
                return 0;
        if (*text != '\0' && *text != '/')
                return -EINVAL;
        size_t n = 0;
        for (const char *c = text; *c; c++)
                n += *c == '/';
        if (n > DECODE_MAX_DEPTH)
                return -EINVAL;

        p->store = strdup(text);
        p->steps = calloc(MAX(n, (size_t) 1), sizeof *p->steps);
        int r = p->store && p->steps ? 0 : -ENOMEM;
        char *rest = p->store ? p->store + (n > 0) : NULL;
        for (; r == 0 && p->n < n; p->n++) {
                char *token = strsep(&rest, "/");
                r = step_parse(&p->steps[p->n], token);
        }
        if (r < 0)
                pointer_done(p);
        return r;
}

void pointer_done(Pointer *p) {
        free(p->steps);
        free(p->store);
        *p = (Pointer){0};
}

const char *scalar_text(const json_t *value, char room[static SCALAR_MAX]) {
        if (json_is_string(value))
                return json_string_value(value);
        if (json_is_boolean(value))
                return json_is_true(value) ? "true" : "false";
        if (!json_is_integer(value))
                return NULL;
        (void) snprintf(room, SCALAR_MAX, "%lld", (long long) json_integer_value(value));
        return room;
}

static json_t *step_select(const PointerStep *step, const json_t *array) {
        json_t *found = NULL;
        for (size_t i = 0; i < json_array_size(array); i++) {
                json_t *element = json_array_get(array, i);
                char room[SCALAR_MAX];
                const char *text = scalar_text(json_object_get(element, step->key), room);
                if (!text || !streq(text, step->select))
                        continue;
                if (found)
                        return NULL;
                found = element;
        }
        return found;
}

json_t *pointer_get(const Pointer *p, const json_t *root) {
        if (!p->store)
                return NULL;
        json_t *at = (json_t *) root;
        for (size_t i = 0; i < p->n && at; i++) {
                const PointerStep *step = &p->steps[i];
                if (step->select)
                        at = json_is_array(at) ? step_select(step, at) : NULL;
                else if (json_is_array(at))
                        at = json_array_get(at, step->index);
                else
                        at = json_object_get(at, step->key);
        }
        return at;
}

bool pointer_is_below(const Pointer *p, const Pointer *above) {
        if (!p->store || p->n < above->n)
                return false;
        for (size_t i = 0; i < above->n; i++)
                if (!p->steps[i].select && !streq(p->steps[i].key, above->steps[i].key))
                        return false;
        return true;
}

/* The first '=' that is not inside of a [key=text] step. */
static const char *test_equals(const char *text) {
        bool is_inside = false;
        for (const char *p = text; *p; p++) {
                if (*p == '[' && p > text && p[-1] == '/')
                        is_inside = true;
                else if (*p == ']')
                        is_inside = false;
                else if (*p == '=' && !is_inside)
                        return p;
        }
        return NULL;
}

int pointer_test_compile(PointerTest *t, const char *text) {
        if (!text)
                return 0;
        const char *equals = test_equals(text);
        if (!equals)
                return -EINVAL;
        CLEANUP_FREE char *pointer = strndup(text, (size_t) (equals - text));
        t->texts = strdup(equals + 1);
        int r = pointer && t->texts ? pointer_compile(&t->pointer, pointer) : -ENOMEM;
        if (r < 0)
                pointer_test_done(t);
        return r;
}

void pointer_test_done(PointerTest *t) {
        pointer_done(&t->pointer);
        free(t->texts);
        t->texts = NULL;
}

bool pointer_test_holds(const PointerTest *t, const json_t *root) {
        if (!t->texts)
                return true;
        char room[SCALAR_MAX];
        const char *text = scalar_text(pointer_get(&t->pointer, root), room);
        if (!text)
                return false;
        size_t length = strlen(text);
        for (const char *p = t->texts;; p++) {
                size_t n = strcspn(p, "|");
                if (n == length && memcmp(p, text, n) == 0)
                        return true;
                p += n;
                if (!*p)
                        return false;
        }
}

int decode_pointer_check(const char *pointer) {
        Pointer p = {0};
        int r = pointer_compile(&p, pointer);
        pointer_done(&p);
        return r;
}

int decode_test_check(const char *test) {
        PointerTest t = {0};
        int r = pointer_test_compile(&t, test);
        pointer_test_done(&t);
        return r;
}

int decode_pointer_text(const char *body, size_t n, const char *pointer, char **ret) {
        CLEANUP(pointer_done) Pointer p = {0};
        CLEANUP_JSON json_t *root = NULL;
        int r = pointer_compile(&p, pointer);
        if (r < 0)
                return r == -EINVAL ? DECODE_E_REJECTED : r;
        r = decode_load(body, n, /* diag= */ NULL, &root);
        if (r != 0)
                return r;

        const json_t *value = pointer_get(&p, root);
        char room[SCALAR_MAX];
        const char *scalar = scalar_text(value, room);
        if (!scalar && !json_is_real(value))
                return DECODE_E_REJECTED;
        char *text = scalar ? strdup(scalar)
                            : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
