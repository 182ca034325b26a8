/* `names KIND`: one name a line, for the completion of shells: what the daemon knows of, asked once. */
#include <inttypes.h>

#include "ctl/show-util.h"

typedef struct Kind {
        const char *kind, *path, *list, *member; /* member: a text or a number */
        bool is_repeated;                        /* several have the same */
} Kind;

static const Kind kinds[] = {
        {"alerts", "/v1/alerts", "alerts", "id", false},
        {"deliveries", "/v1/deliveries?state=dead", "deliveries", "id", false},
        {"indicators", "/v1/indicators", "indicators", "name", false},
        {"kinds", "/v1/units?limit=100000", "units", "kind", true},
        {"periods", "/v1/periods", "periods", "id", false},
        {"recipients", "/v1/recipients", "recipients", "name", false},
        {"rules", "/v1/rules", "rules", "name", false},
        {"silences", "/v1/silences", "silences", "id", false},
        {"snapshots", "/v1/snapshots", "snapshots", "id", false},
        {"sources", "/v1/sources", "sources", "name", false},
        {"units", "/v1/units?limit=100000", "units", "code", false},
};

static const Kind *find_kind(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (streq(kinds[i].kind, name))
                        return kinds + i;
        return NULL;
}

static int unknown_kind(const Ctl *ctl) {
        CLEANUP(buf_done) Buf names = BUF_INIT(1024);

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (buf_printf(&names, "%s%s", i ? ", " : "", kinds[i].kind) < 0)
                        break;
        ctl_complain(SAID(ctl, "không có loại tên \"%s\"; có: %s",
                          "there are no names of \"%s\"; there are: %s"),
                     ctl->words[0], buf_text(&names));
        return EXIT_USAGE;
}

/* Whether an object before the i-th has the same text. */
static bool was_seen(const json_t *list, size_t i, const char *member, const char *text) {
        for (size_t k = 0; k < i; k++)
                if (streq(at_text(json_array_get(list, k), member), text))
                        return true;
        return false;
}

static int add_names(const Kind *kind, const json_t *list, Buf *out) {
        const json_t *row;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, row) {
                const json_t *value = at(row, kind->member);
                const char *text = json_string_value(value);

                if (json_is_integer(value))
                        r = buf_printf(out, "%" PRId64 "\n", at_int(row, kind->member));
                else if (text && *text &&
                         !(kind->is_repeated && was_seen(list, i, kind->member, text)))
                        r = buf_printf(out, "%s\n", text);
                if (r < 0)
                        return r;
        }
        return r;
}

int command_names(Ctl *ctl) {
        const Kind *kind = find_kind(ctl->words[0]);
        CLEANUP(buf_done) Buf out = BUF_INIT((size_t) 16 << 20), raw = BUF_INIT((size_t) 64 << 20);
        json_t *answer = NULL;

        if (!kind)
                return unknown_kind(ctl);
        int r = client_get(ctl, kind->path, &raw, &answer);
        if (r == EXIT_FINE && ctl->is_json)
                r = buf_char(&raw, '\n') < 0 ? EXIT_FAILED : ctl_print(&raw);
        else if (r == EXIT_FINE)
                r = add_names(kind, at(answer, kind->list), &out) < 0 ? EXIT_FAILED
                                                                      : ctl_print(&out);
        json_decref(answer);
        return r;
}
