/* Any text as a template, rendered for every sink with itself as its only partial, and as a
 * configuration key. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Template *itself(void *userdata, const char *name) {
        return name[0] == 's' ? userdata : NULL;
}

static const char view_text[] =
        "{\"a\":\"<x & \\\"y\\\">\\n\",\"n\":1.5,\"t\":true,\"z\":null,"
        "\"l\":[1,\"hai\",{\"a\":3},[4]],\"o\":{\"p\":{\"q\":\"r\"}}}";

static void render(const Template *t, const json_t *view) {
        for (int sink = SINK_HTML; sink <= SINK_RAW; sink++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(4096);
                int r = template_render(t, view, (TemplateSink) sink, itself, (void *) t, &out);
                if ((r != 0 && r != -E2BIG && r != -ELOOP) || out.len > 4096)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(template_freep) Template *t = NULL;
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        CLEANUP(buf_done) Buf out = BUF_INIT(4096);
        json_t *view = json_loads(view_text, 0, NULL);
        char *copy = malloc(size + 1);
        if (!view || !copy)
                abort();
        memcpy(copy, data, size);
        copy[size] = '\0';
        int r = template_parse(copy, size, "fuzz", &diag, &t);
        if ((r != 0 && r != -EINVAL) || (r == 0) != (diag.n_errors == 0))
                abort();
        if (t)
                render(t, view);
        const TemplateVar vars[] = {{"a", "1 2"}, {"n", NULL}};
        (void) template_expand(copy, vars, ELEMENTSOF(vars), SINK_URL, NULL, NULL, 1, &out);
        json_decref(view);
        free(copy);
        return 0;
}
