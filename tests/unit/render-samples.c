/* Writes sample messages to a folder: NAME.json (webhook body), NAME.txt, NAME.html, and
 * NAME.view (what templates get).
 * webhook-schema.py validates the bodies, templates-doc.py the views; the rest is for looking at. */
#include <errno.h>
#include <stdio.h>

#include "render-fixture.h"

static int write_file(const char *folder, const char *name, const char *suffix, const Buf *b) {
        char path[4096];
        (void) snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
        FILE *f = fopen(path, "wb");
        if (!f)
                return -errno;
        size_t written = fwrite(buf_text(b), 1, b->len, f);
        return fclose(f) == 0 && written == b->len ? 0 : -EIO;
}

static int write_sample(const char *folder, const char *name, const RenderMessage *m) {
        CLEANUP(render_templates_freep) RenderTemplates *t = NULL;
        CLEANUP(buf_done) Buf json = BUF_INIT(BUF_MAX_TEXT), text = BUF_INIT(BUF_MAX_TEXT);
        CLEANUP(buf_done) Buf html = BUF_INIT(BUF_MAX_TEXT);
        int r = render_templates_new(m->language, NULL, 0, NULL, &t);
        json_auto_t *view = r == 0 ? render_view(m) : NULL;
        if (!view)
                return -ENOMEM;
        r = render_webhook(view, &json);
        if (r == 0)
                r = render_text(t, view, &text);
        if (r == 0)
                r = render_html(t, view, &html);
        if (r == 0)
                r = write_file(folder, name, "json", &json);
        if (r == 0)
                r = write_file(folder, name, "txt", &text);
        if (r == 0)
                r = write_file(folder, name, "html", &html);
        CLEANUP_FREE char *all = r == 0 ? json_dumps(view, JSON_INDENT(1)) : NULL;
        CLEANUP(buf_done) Buf dump = BUF_INIT(BUF_MAX_TEXT);
        if (r == 0)
                r = all ? buf_str(&dump, all) : -ENOMEM;
        return r < 0 ? r : write_file(folder, name, "view", &dump);
}

int main(int argc, char **argv) {
        RenderItem digest[FIX_DIGEST_MAX];
        RenderItem one[] = {fix_cuong_chinh(SAY_OPENING)};
        RenderItem fix[] = {fix_changed(SAY_FIX, 8271, 9600)};
        RenderItem gone[] = {fix_changed(SAY_WITHDRAWN, 8271, VALUE_NONE)};
        RenderItem late[] = {fix_changed(SAY_LATE, VALUE_NONE, 8271)};
        RenderItem source[] = {fix_source(SAY_OPENING, "HTTP 403, số liệu đến 20/11."),
                               fix_source(SAY_CLOSING, NULL)};
        late[0].end = END_ERA;
        late[0].era_reason = "Cổng DVCQG đổi công thức";
        size_t n = fix_digest(digest);
        struct {
                const char *name;
                RenderMessage m;
        } samples[] = {
                {"one", fix_message(one, 1)},          {"digest", fix_message(digest, n)},
                {"digest-en", fix_message(digest, n)}, {"overview", fix_message(digest, n)},
                {"fix", fix_message(fix, 1)},          {"withdrawn", fix_message(gone, 1)},
                {"late", fix_message(late, 1)},        {"operator", fix_message(source, 2)},
                {"drill", fix_message(one, 1)},        {"empty", fix_message(NULL, 0)},
        };
        if (argc != 2)
                return 2;
        samples[2].m.language = "en";
        samples[3].m.tell = TELL_OVERVIEW;
        samples[7].m.role = ROLE_OPERATOR;
        samples[8].m.is_drill = true;
        for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                if (write_sample(argv[1], samples[i].name, &samples[i].m) < 0)
                        return 1;
        return 0;
}
