/* The commands that ask the daemon: build the path, ask, print. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/answer.h"
#include "ctl/show.h"

#define POLL_US 500000

static int read_with(Ctl *ctl, Buf *path, const char *const *names, size_t n, Show show) {
        if (answer_add_options(ctl, names, n, path) < 0)
                return answer_out_of_memory();
        return answer_get(ctl, buf_text(path), show);
}

/* ---- reads ----------------------------------------------------------------------------------- */

int command_status(Ctl *ctl) {
        return answer_get(ctl, "/v1/status", show_status);
}

int command_ranking(Ctl *ctl) {
        static const char *const names[] = {"indicator", "period", "kind", "parent",
                                            "as-of",     "with",   "sort", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        const char *sort = str_or(ctl_option(ctl, "sort"), "place");

        if (!streq(sort, "place") && !streq(sort, "delta") && !streq(sort, "move")) {
                ctl_complain(SAID(ctl, "--sort: place, delta hoặc move",
                                  "--sort: place, delta or move"));
                return EXIT_USAGE;
        }
        int r = buf_str(&path, "/v1/ranking");
        if (r == 0 && !ctl_option(ctl, "with") && !ctl_option(ctl, "indicator"))
                r = query_add(&path, "with", "progress");
        return r < 0 ? answer_out_of_memory()
               : answer_add_options(ctl, names, ELEMENTSOF(names), &path) < 0
                       ? answer_out_of_memory()
                       : answer_get_some(ctl, buf_text(&path), "cohorts", show_ranking);
}

int command_history(Ctl *ctl) {
        static const char *const names[] = {"indicator", "type", "vintages", "as-of", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        int r = buf_str(&path, "/v1/history");
        if (r == 0)
                r = query_add(&path, "unit", ctl->words[0]);
        return r < 0 ? answer_out_of_memory()
                     : read_with(ctl, &path, names, ELEMENTSOF(names), show_history);
}

int command_alerts(Ctl *ctl) {
        static const char *const names[] = {"all", "rule", "unit", "as-of", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (buf_str(&path, "/v1/alerts") < 0)
                return answer_out_of_memory();
        return read_with(ctl, &path, names, ELEMENTSOF(names), show_alerts);
}

int command_alert(Ctl *ctl) {
        static const char *const names[] = {"as-of"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (answer_word_path("/v1/alerts/", ctl->words[0], "", &path) < 0)
                return answer_out_of_memory();
        if (answer_add_options(ctl, names, ELEMENTSOF(names), &path) < 0)
                return answer_out_of_memory();
        return answer_get_whole(ctl, buf_text(&path), show_alert);
}

int command_deliveries(Ctl *ctl) {
        static const char *const names[] = {"as-of", "limit"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (ctl_option(ctl, "observed") && ctl_option(ctl, "dead")) {
                ctl_complain(SAID(ctl, "--dead và --observed: chỉ dùng một trong hai",
                                  "--dead and --observed: one of the two only"));
                return EXIT_USAGE;
        }
        if (ctl_option(ctl, "observed"))
                return answer_get(ctl, "/v1/deliveries?observed=1", show_go_live);
        int r = buf_str(&path, "/v1/deliveries");
        if (r == 0 && ctl_option(ctl, "dead"))
                r = query_add(&path, "state", "dead");
        if (r == 0)
                r = answer_add_options(ctl, names, ELEMENTSOF(names), &path);
        return r < 0 ? answer_out_of_memory()
                     : answer_get_whole(ctl, buf_text(&path), show_deliveries);
}

static int show_lines(const json_t *one, Buf *out) {
        const json_t *line;
        size_t i;
        int r = buf_printf(out, "=== %s: %s\n\n",
                           str_or(json_string_value(json_object_get(one, "target")), ""),
                           str_or(json_string_value(json_object_get(one, "subject")), ""));

        json_array_foreach(json_object_get(one, "lines"), i, line) if (r == 0) r =
                buf_printf(out, "%s\n", str_or(json_string_value(line), ""));
        return r;
}

static int show_rendered(const Ctl *ctl, const json_t *answer, Buf *out) {
        const json_t *list = json_object_get(answer, "messages"), *one;
        size_t i;
        int r = 0;

        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Hiện không có gì để báo cho ai.\n",
                                         "There is nothing to tell now.\n"));
        json_array_foreach(list, i, one) if (r == 0) r = show_lines(one, out);
        return r;
}

/* A body a line and nothing else, for who reads it by program. */
static int show_bodies(const Ctl *ctl, const json_t *answer, Buf *out) {
        const json_t *one, *line;
        size_t i, k;
        int r = 0;

        (void) ctl;
        json_array_foreach(json_object_get(answer, "messages"), i, one) {
                json_array_foreach(json_object_get(one, "lines"), k, line) if (r == 0) r =
                        buf_str(out, str_or(json_string_value(line), ""));
                if (r == 0)
                        r = buf_char(out, '\n');
        }
        return r;
}

int command_render(Ctl *ctl) {
        static const char *const names[] = {"format"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        int r = buf_str(&path, "/v1/render");
        if (r == 0 && ctl->n_words > 0)
                r = query_add(&path, "recipient", ctl->words[0]);
        if (r == 0)
                r = answer_add_options(ctl, names, ELEMENTSOF(names), &path);
        bool is_body = streq(str_or(ctl_option(ctl, "format"), ""), "json");
        return r < 0 ? answer_out_of_memory()
                     : answer_get_admin(ctl, buf_text(&path),
                                        is_body ? show_bodies : show_rendered);
}

int command_sources(Ctl *ctl) {
        return answer_get(ctl, "/v1/sources", show_sources);
}

/* ---- actions --------------------------------------------------------------------------------- */

static int show_done(const Ctl *ctl, const json_t *answer, Buf *out) {
        const json_t *n = json_object_get(answer, "messages");

        if (json_is_integer(n))
                return buf_printf(
                        out,
                        SAID(ctl, "%" PRId64 " thư diễn tập\n", "%" PRId64 " drill messages\n"),
                        (int64_t) json_integer_value(n));
        return buf_str(out, SAID(ctl, "đã nhận\n", "accepted\n"));
}

/* Who sits there, or whom the shell belongs to where nobody logged in (a timer, a container). */
const char *ctl_user(void) {
        const char *name = getlogin();
        const struct passwd *entry = name ? NULL : getpwuid(getuid());

        return entry ? entry->pw_name : name;
}

int command_ack(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        const char *by = str_or(ctl_option(ctl, "by"), ctl_user());

        if (answer_word_path("/v1/alerts/", ctl->words[0], "/ack", &path) < 0)
                return answer_out_of_memory();
        json_t *body = json_pack("{s:s?, s:s?, s:s?}", "by", by, "note", ctl_option(ctl, "note"),
                                 "until", ctl_option(ctl, "until"));
        return answer_post(ctl, buf_text(&path), body, show_done);
}

int command_retry(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);

        if (answer_word_path("/v1/deliveries/", ctl->words[0], "/retry", &path) < 0)
                return answer_out_of_memory();
        return answer_post(ctl, buf_text(&path), json_object(), show_done);
}

int command_drill(Ctl *ctl) {
        return answer_post(ctl, "/v1/drills", json_pack("{s:s}", "recipient", ctl->words[0]),
                           show_done);
}

/* ---- go-live --------------------------------------------------------------------------------- */

static int ask_go_live(const Ctl *ctl, bool is_preview, Buf *raw, json_t **ret) {
        bool is_announce = ctl_option(ctl, "announce");
        json_t *body = json_pack("{s:b, s:b}", "announce", is_announce, "preview", is_preview);

        int r = body ? client_post(ctl, "/v1/go-live", body, raw, ret) : answer_out_of_memory();
        json_decref(body);
        return r;
}

/* The preview and the question; EXIT_FINE means: do it. With --json nobody is there to ask. */
static int agree(const Ctl *ctl, bool *ret_is_agreed) {
        CLEANUP(buf_done) Buf out = BUF_INIT(OUTPUT_MAX);
        json_t *preview = NULL;

        *ret_is_agreed = ctl_option(ctl, "yes");
        if (ctl->is_json)
                return EXIT_FINE;
        int r = ask_go_live(ctl, /* is_preview= */ true, NULL, &preview);
        if (r == EXIT_FINE)
                r = show_go_live(ctl, preview, &out) < 0 ? answer_out_of_memory() : ctl_print(&out);
        json_decref(preview);
        if (r == EXIT_FINE && !*ret_is_agreed)
                *ret_is_agreed = ctl_confirm(
                        ctl, SAID(ctl, "Bắt đầu gửi thông báo thật?", "Start telling people?"));
        return r;
}

static int show_live(const Ctl *ctl, const json_t *answer, Buf *out) {
        if (json_is_true(json_object_get(answer, "was_live")))
                return buf_str(out, SAID(ctl, "Đã ở chế độ gửi thông báo từ trước.\n",
                                         "It was live already.\n"));
        return buf_str(out, SAID(ctl, "Từ nay gửi thông báo thật.\n", "Live from now on.\n"));
}

int command_go_live(Ctl *ctl) {
        CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);
        json_t *answer = NULL;
        bool is_agreed;

        if (!ctl->is_json)
                client_language(ctl);
        int r = agree(ctl, &is_agreed);
        if (r != EXIT_FINE)
                return r;
        if (!is_agreed && !ctl->is_json)
                return EXIT_FAILED;
        /* --json without --yes shows the preview and changes nothing */
        r = ask_go_live(ctl, !is_agreed, &raw, &answer);
        if (r == EXIT_FINE)
                r = answer_present(ctl, &raw, answer, show_live);
        json_decref(answer);
        return r;
}

/* ---- fetch ----------------------------------------------------------------------------------- */

static bool is_done(const json_t *answer) {
        return json_is_true(json_object_get(json_object_get(answer, "request"), "done"));
}

/* "portal 2024-08 ████████░░ 4/6, 12 more wait" */
static int progress_line(const Ctl *ctl, const json_t *source, Buf *line) {
        enum { BAR = 10 };
        const json_t *p = json_object_get(source, "progress");
        json_int_t part = json_integer_value(json_object_get(p, "part"));
        json_int_t of = json_integer_value(json_object_get(p, "of"));
        json_int_t queued = json_integer_value(json_object_get(source, "queued"));

        int r = buf_printf(line, "%s %s ",
                           str_or(json_string_value(json_object_get(source, "name")), ""),
                           str_or(json_string_value(json_object_get(p, "period")), ""));
        for (json_int_t i = 0; r == 0 && i < BAR; i++)
                r = buf_str(line, i * of < part * BAR ? "█" : "░");
        if (r == 0)
                r = buf_printf(line, " %" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, part, of);
        if (r == 0 && queued > 0)
                r = buf_printf(line,
                               SAID(ctl, ", còn %" JSON_INTEGER_FORMAT " việc chờ",
                                    ", %" JSON_INTEGER_FORMAT " more wait"),
                               queued);
        return r == 0 ? buf_char(line, '\n') : r;
}

/* One line per change of what the sources do; on stderr, so that --json stays one document. */
static void print_progress(const Ctl *ctl, const json_t *answer, Buf *last) {
        CLEANUP(buf_done) Buf line = BUF_INIT(64 << 10);
        const json_t *sources = json_object_get(answer, "sources"), *source;
        size_t i;

        json_array_foreach(sources, i, source) {
                const json_t *p = json_object_get(source, "progress");
                const char *period = json_string_value(json_object_get(p, "period"));

                if (period && progress_line(ctl, source, &line) < 0)
                        return;
        }
        if (line.len == 0 || streq(buf_text(&line), buf_text(last)))
                return;
        if (isatty(STDERR_FILENO)) { /* written over by the next one */
                char *end = memchr(line.data, '\n', line.len);

                if (end)
                        *end = '\0';
                (void) fprintf(stderr, "\r\033[K%s", buf_text(&line));
                if (end)
                        *end = '\n';
        } else
                (void) fputs(buf_text(&line), stderr);
        buf_clear(last);
        (void) buf_str(last, buf_text(&line));
}

static int wait_for(Ctl *ctl, int64_t request) {
        CLEANUP(buf_done) Buf last = BUF_INIT(64 << 10);
        char path[64];

        (void) snprintf(path, sizeof(path), "/v1/sources?request=%" PRId64, request);
        for (;;) {
                CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);
                json_t *answer = NULL;

                int r = client_get(ctl, path, &raw, &answer);
                if (r != EXIT_FINE)
                        return r;
                print_progress(ctl, answer, &last);
                if (is_done(answer)) {
                        if (last.len > 0 && isatty(STDERR_FILENO))
                                (void) fputs("\r\033[K", stderr);
                        r = answer_present(ctl, &raw, answer, show_sources);
                        if (r == EXIT_FINE &&
                            json_is_true(
                                    json_object_get(json_object_get(answer, "request"), "failed")))
                                r = EXIT_FAILED;
                        json_decref(answer);
                        return r;
                }
                json_decref(answer);
                (void) usleep(POLL_US);
        }
}

int command_fetch(Ctl *ctl) {
        static const char *const names[] = {"from", "to"};
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);
        json_t *answer = NULL;

        int r = answer_word_path("/v1/sources/", ctl->n_words > 0 ? ctl->words[0] : "all", "/fetch",
                                 &path);
        if (r == 0)
                r = answer_add_options(ctl, names, ELEMENTSOF(names), &path);
        if (r < 0)
                return answer_out_of_memory();
        if (!ctl->is_json)
                client_language(ctl);
        r = client_post(ctl, buf_text(&path), NULL, &raw, &answer);
        int64_t request = json_integer_value(json_object_get(answer, "request"));
        if (r == EXIT_FINE && !ctl_option(ctl, "wait"))
                r = answer_present(ctl, &raw, answer, show_done);
        json_decref(answer);
        return r == EXIT_FINE && ctl_option(ctl, "wait") ? wait_for(ctl, request) : r;
}
