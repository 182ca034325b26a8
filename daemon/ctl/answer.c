#include "ctl/answer.h"

#include "base/text.h"

int answer_out_of_memory(void) {
        ctl_complain("out of memory");
        return EXIT_FAILED;
}

int answer_usage(const Ctl *ctl, const char *text) {
        ctl_complain(SAID(ctl, "cách dùng: chisoctl %s", "usage: chisoctl %s"), text);
        return EXIT_USAGE;
}

int answer_present(const Ctl *ctl, Buf *raw, const json_t *answer, Show show) {
        CLEANUP(buf_done) Buf out = BUF_INIT(OUTPUT_MAX);

        if (ctl->is_json)
                return buf_char(raw, '\n') < 0 ? answer_out_of_memory() : ctl_print(raw);
        return show(ctl, answer, &out) < 0 ? answer_out_of_memory() : ctl_print(&out);
}

/* What is to be asked, of any kind; one of the members says which. */
typedef struct Asked {
        const char *path;
        int (*get)(const Ctl *ctl, const char *path, Buf *raw, json_t **ret); /* or delete */
        const json_t *body;
        const Buf *bytes;
        const char *list; /* of the answer: fails where it is empty */
        bool is_post;
} Asked;

/* JSON stays one document on stdout; what is said to people is a complaint. */
static int present_nothing(const Ctl *ctl, Buf *raw, const json_t *answer, Show show) {
        CLEANUP(buf_done) Buf out = BUF_INIT(OUTPUT_MAX);

        if (ctl->is_json)
                (void) answer_present(ctl, raw, answer, show);
        else if (show(ctl, answer, &out) < 0)
                return answer_out_of_memory();
        else {
                buf_truncate(&out, out.len > 0 ? out.len - 1 : 0);
                ctl_complain("%s", buf_text(&out));
        }
        return EXIT_FAILED;
}

static int ask(Ctl *ctl, const Asked *a, Show show) {
        CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);
        json_t *answer = NULL;

        if (!ctl->is_json)
                client_language(ctl);
        int r = a->get       ? a->get(ctl, a->path, &raw, &answer)
                : a->is_post ? client_post(ctl, a->path, a->body, &raw, &answer)
                             : client_send(ctl, a->path, a->bytes, &raw, &answer);
        if (r == EXIT_FINE && a->list && json_array_size(json_object_get(answer, a->list)) == 0)
                r = present_nothing(ctl, &raw, answer, show);
        else if (r == EXIT_FINE)
                r = answer_present(ctl, &raw, answer, show);
        json_decref(answer);
        return r;
}

int answer_get_some(Ctl *ctl, const char *path, const char *list, Show show) {
        return ask(ctl, &(Asked){.path = path, .get = client_get, .list = list}, show);
}

int answer_get(Ctl *ctl, const char *path, Show show) {
        return ask(ctl, &(Asked){.path = path, .get = client_get}, show);
}

int answer_get_admin(Ctl *ctl, const char *path, Show show) {
        return ask(ctl, &(Asked){.path = path, .get = client_get_admin}, show);
}

int answer_get_whole(Ctl *ctl, const char *path, Show show) {
        return ask(ctl, &(Asked){.path = path, .get = client_get_whole}, show);
}

int answer_delete(Ctl *ctl, const char *path, Show show) {
        return ask(ctl, &(Asked){.path = path, .get = client_delete}, show);
}

int answer_post(Ctl *ctl, const char *path, json_t *body, Show show) {
        int r = body ? ask(ctl, &(Asked){.path = path, .body = body, .is_post = true}, show)
                     : answer_out_of_memory();

        json_decref(body);
        return r;
}

int answer_send(Ctl *ctl, const char *path, const Buf *bytes, Show show) {
        return ask(ctl, &(Asked){.path = path, .bytes = bytes}, show);
}

int answer_word_path(const char *before, const char *word, const char *after, Buf *path) {
        int r = buf_str(path, before);

        if (r == 0)
                r = text_append_url(path, word, strlen(word));
        return r == 0 ? buf_str(path, after) : r;
}

int answer_add_options(const Ctl *ctl, const char *const *names, size_t n, Buf *path) {
        for (size_t i = 0; i < n; i++) {
                char name[32];

                for (size_t j = 0; j <= strlen(names[i]) && j < sizeof(name); j++)
                        name[j] = names[i][j] == '-' ? '_' : names[i][j];
                name[sizeof(name) - 1] = '\0';
                const char *value = ctl_option(ctl, names[i]);
                int r = query_add(path, name, value && !*value ? "1" : value);
                if (r < 0)
                        return r;
        }
        return 0;
}
