/* The configuration that `chisoctl setup` writes: conf/templates/setup/, filled. */
#include "ctl/setup.h"

#include <errno.h>
#include <stdio.h>

#include "base/timeutil.h"
#include "core/builtin.h"
#include "core/template.h"
#include "flow/boot.h"
#include "os/clock.h"
#include "os/file.h"

#define SAMPLE_MAX ((size_t) 1 << 20)

static const Builtin *find_template(const Setup *s) {
        const char *name = s->ctl->is_vi ? "setup/vi.conf" : "setup/en.conf";

        for (const Builtin *b = builtin_templates; b->name; b++)
                if (streq(b->name, name))
                        return b;
        return NULL;
}

/* The days off of the configuration that ships: they are kept in one place. */
static int calendar_section(Buf *ret) {
        CLEANUP_FREE char *path = file_join(boot_share_dir(NULL), "chisod.conf");
        CLEANUP(buf_done) Buf sample = BUF_INIT(SAMPLE_MAX);
        int r = path ? file_read(path, SAMPLE_MAX, &sample) : -ENOMEM;

        if (r < 0)
                return r;
        const char *begin = strstr(buf_text(&sample), "\n[calendar]\n");
        const char *end = begin ? strstr(begin, "\n\n") : NULL;
        if (!begin)
                return buf_str(ret, "[calendar]\nwork = Mon-Fri");
        return buf_append(ret, begin + 1, end ? (size_t) (end - begin - 1) : strlen(begin + 1));
}

/* "a b" as a list, for one line per address. */
static int add_words(json_t *view, const char *name, const char *text) {
        json_t *list = json_array();
        int r = list ? 0 : -ENOMEM;

        for (size_t n; r == 0 && text && *text; text += n + strspn(text + n, " ")) {
                n = strcspn(text, " ");
                r = json_array_append_new(list, json_stringn(text, n)) < 0 ? -ENOMEM : 0;
        }
        if (r < 0)
                json_decref(list);
        else if (json_object_set_new(view, name, list) < 0)
                r = -ENOMEM;
        return r;
}

static int fill_view(const Setup *s, const char *calendar, json_t *view) {
        static const struct {
                const char *name;
                SetupItem item;
        } members[] = {
                {"language", SETUP_LANGUAGE}, {"organization", SETUP_ORGANIZATION},
                {"preset", SETUP_PRESET},     {"url", SETUP_URL},
                {"scope", SETUP_SCOPE},       {"mail", SETUP_MAIL},
                {"user", SETUP_MAIL_USER},    {"from", SETUP_FROM},
                {"tls", SETUP_MAIL_TLS},      {"ca_file", SETUP_CA_FILE},
                {"operator", SETUP_OPERATOR}, {"recipient", SETUP_RECIPIENT},
        };
        char date[16];
        int r = 0;

        (void) day_format(date, day_of_instant(clock_now_ms()));
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(members); i++)
                if (s->answers[members[i].item])
                        r = json_object_set_new(view, members[i].name,
                                                json_string(s->answers[members[i].item]));
        if (r == 0 && !s->is_installed)
                r = json_object_set_new(view, "secrets_dir", json_string(s->secrets_dir));
        if (r == 0)
                r = json_object_set_new(view, "date", json_string(date));
        if (r == 0)
                r = json_object_set_new(view, "calendar", json_string(calendar));
        if (r == 0)
                r = add_words(view, "operators", s->answers[SETUP_OPERATOR]);
        if (r == 0)
                r = add_words(view, "recipients", s->answers[SETUP_RECIPIENT]);
        return r < 0 ? -ENOMEM : 0;
}

int setup_text(const Setup *s, Buf *ret) {
        const Builtin *builtin = find_template(s);
        CLEANUP(template_freep) Template *template = NULL;
        CLEANUP(buf_done) Buf calendar = BUF_INIT(SAMPLE_MAX);
        json_t *view = json_object();

        assert(builtin);
        int r = view ? calendar_section(&calendar) : -ENOMEM;
        if (r >= 0)
                r = fill_view(s, buf_text(&calendar), view);
        if (r >= 0)
                r = template_parse(builtin->text, builtin->size, builtin->name, NULL, &template);
        if (r >= 0)
                r = template_render(template, view, SINK_TEXT, NULL, NULL, ret);
        json_decref(view);
        return r;
}
