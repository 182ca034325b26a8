/* Requests over the daemon's UNIX sockets. Reads go to status.sock, which everybody may open;
 * actions to admin.sock beside it. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/ctl.h"
#include "transport/http.h"

#define ANSWER_MAX ((size_t) 64 << 20)
#define TIMEOUT_MS 60000
#define COPY_TIMEOUT_MS (60 * TIMEOUT_MS)
#define STATUS_SOCKET "status.sock"
#define ADMIN_SOCKET "admin.sock"

int query_add(Buf *path, const char *name, const char *value) {
        if (!value)
                return 0;
        int r = buf_printf(path, "%c%s=", strchr(buf_text(path), '?') ? '&' : '?', name);
        return r == 0 ? text_append_url(path, value, strlen(value)) : r;
}

static bool is_folder(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder holds both; beside a status socket lies the admin socket; any other socket is taken for
 * both. */
static int socket_path(const Ctl *ctl, bool is_action, Buf *ret) {
        const char *slash = strrchr(ctl->socket, '/');
        const char *name = slash ? slash + 1 : ctl->socket;

        if (is_folder(ctl->socket))
                return buf_printf(ret, "%s/%s", ctl->socket,
                                  is_action ? ADMIN_SOCKET : STATUS_SOCKET);
        if (!is_action || !streq(name, STATUS_SOCKET))
                return buf_str(ret, ctl->socket);
        return buf_printf(ret, "%.*s%s", (int) (name - ctl->socket), ctl->socket, ADMIN_SOCKET);
}

static int complain_unreachable(const Ctl *ctl, const char *path, int r) {
        if (r == -EACCES || r == -EPERM) {
                ctl_complain(SAID(ctl,
                                  "không mở được %s: cần thuộc nhóm chisod-admin (sudo usermod "
                                  "-aG chisod-admin $USER, rồi đăng nhập lại)",
                                  "%s: permission denied, the group chisod-admin is needed (sudo "
                                  "usermod -aG chisod-admin $USER, then log in anew)"),
                             path);
                return EXIT_UNREACHABLE;
        }
        if (r == -EPIPE) {
                ctl_complain(SAID(ctl,
                                  "chisod đóng kết nối khi yêu cầu đang được gửi (%s): tệp quá lớn "
                                  "chăng?",
                                  "chisod closed the connection while the request was being sent "
                                  "(%s): is the file too big?"),
                             path);
                return EXIT_FAILED;
        }
        ctl_complain(SAID(ctl,
                          "không liên lạc được chisod (%s: %s); xem: systemctl status chisod, "
                          "hoặc chọn socket khác: --socket, $CHISO_SOCKET",
                          "chisod is not reachable (%s: %s); see: systemctl status chisod, or "
                          "choose another socket: --socket, $CHISO_SOCKET"),
                     path, strerror(-r));
        return EXIT_UNREACHABLE;
}

/* Where to find what was not found. */
static const char *next_step(const Ctl *ctl, int status, const char *path) {
        static const struct {
                const char *path, *vi, *en;
        } steps[] = {
                {"/v1/alerts/", "xem: chisoctl alerts --all", "see: chisoctl alerts --all"},
                {"/v1/snapshots/", "xem: chisoctl snapshot list", "see: chisoctl snapshot list"},
                {"/v1/deliveries/", "xem: chisoctl deliveries", "see: chisoctl deliveries"},
                {"/v1/silences/", "xem: chisoctl silence list", "see: chisoctl silence list"},
                {"/v1/rules/", "xem: chisoctl rules list", "see: chisoctl rules list"},
                {"/v1/sources/", "xem: chisoctl sources", "see: chisoctl sources"},
                {"/v1/history", "xem: chisoctl units list", "see: chisoctl units list"},
                {"/v1/explain", "xem: chisoctl rules list, chisoctl units list",
                 "see: chisoctl rules list, chisoctl units list"},
        };

        for (size_t i = 0; status == 404 && i < ELEMENTSOF(steps); i++)
                if (strncmp(path, steps[i].path, strlen(steps[i].path)) == 0)
                        return SAID(ctl, steps[i].vi, steps[i].en);
        return "";
}

/* What was written must be written otherwise: a wrong usage, though the daemon had to be asked to
 * know. A file's content, or something that is not there (any more), is not. */
static bool is_usage(const json_t *problem, int status, bool has_file) {
        const char *type = str_or(json_string_value(json_object_get(problem, "type")), "");

        return streq(type, "urn:chisod:problem:argument") || (status == 400 && !has_file);
}

static int complain_problem(const Ctl *ctl, const char *path, int status, bool has_file,
                            const Buf *answer) {
        const char *next = next_step(ctl, status, path);
        json_t *problem = json_loadb(buf_text(answer), answer->len, 0, NULL);
        const char *detail = json_string_value(json_object_get(problem, "detail"));

        if (detail)
                ctl_complain("%s%s%s", detail, *next ? "; " : "", next);
        else
                ctl_complain(SAID(ctl, "chisod trả lời HTTP %d", "chisod answered HTTP %d"),
                             status);
        int r = is_usage(problem, status, has_file) ? EXIT_USAGE : EXIT_FAILED;
        json_decref(problem);
        return r;
}

int ctl_complain_long(const Ctl *ctl, size_t size) {
        ctl_complain(SAID(ctl, "tên và tùy chọn quá dài: %zu byte, nhiều nhất %u",
                          "names and options are too long: %zu bytes, at most %u"),
                     size, CTL_ASK_MAX);
        return EXIT_USAGE;
}

typedef struct Ask {
        const char *method, *path;
        const json_t *body;
        const Buf *bytes; /* instead of body, as they are */
        bool is_action;
} Ask;

static int exchange(const Ctl *ctl, const Ask *ask, int *ret_status, Buf *answer) {
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);

        if (strlen(ask->path) > CTL_ASK_MAX)
                return ctl_complain_long(ctl, strlen(ask->path));
        char *body = ask->body ? json_dumps(ask->body, JSON_COMPACT) : NULL;

        int r = socket_path(ctl, ask->is_action, &path);
        if (r == 0)
                r = http_unix(buf_text(&path), ask->method, ask->path,
                              ask->bytes ? buf_text(ask->bytes) : body,
                              ask->bytes ? ask->bytes->len
                              : body     ? strlen(body)
                                         : 0,
                              TIMEOUT_MS, ret_status, answer);
        free(body);
        return r < 0 ? complain_unreachable(ctl, buf_text(&path), r) : EXIT_FINE;
}

static int clean_text(json_t *value) {
        CLEANUP(buf_done) Buf safe = BUF_INIT(ANSWER_MAX);

        int r = text_append_printable(&safe, json_string_value(value), json_string_length(value));
        if (r < 0)
                return r;
        return json_string_set(value, buf_text(&safe)) == 0 ? 0 : -ENOMEM;
}

int client_clean(json_t *value) {
        const char *name;
        json_t *member;
        size_t i;
        int r = 0;

        if (json_is_string(value))
                return clean_text(value);
        json_array_foreach(value, i, member) if (r == 0) r = client_clean(member);
        json_object_foreach(value, name, member) if (r == 0) r = client_clean(member);
        return r;
}

static int client_ask(const Ctl *ctl, const Ask *ask, Buf *raw, json_t **ret) {
        CLEANUP(buf_done) Buf own = BUF_INIT(ANSWER_MAX);
        Buf *answer = raw ? raw : &own;
        json_error_t error;
        int status = 0;

        int exit_status = exchange(ctl, ask, &status, answer);
        if (exit_status != EXIT_FINE)
                return exit_status;
        if (status < 200 || status > 299)
                return complain_problem(ctl, ask->path, status, ask->bytes != NULL, answer);
        json_t *json = json_loadb(buf_text(answer), answer->len, 0, &error);
        if (!json) {
                ctl_complain(SAID(ctl, "chisod trả lời không phải JSON: %s",
                                  "chisod's answer is no JSON: %s"),
                             error.text);
                return EXIT_FAILED;
        }
        if (client_clean(json) < 0) {
                json_decref(json);
                ctl_complain("%s", strerror(ENOMEM));
                return EXIT_FAILED;
        }
        *ret = json;
        return EXIT_FINE;
}

int client_get_text(const Ctl *ctl, const char *path, bool is_action, Buf *text) {
        Ask ask = {.method = "GET", .path = path, .is_action = is_action};
        int status = 0;

        int exit_status = exchange(ctl, &ask, &status, text);
        if (exit_status != EXIT_FINE)
                return exit_status;
        return status >= 200 && status <= 299 ? EXIT_FINE
                                              : complain_problem(ctl, path, status, false, text);
}

int client_get(const Ctl *ctl, const char *path, Buf *raw, json_t **ret) {
        return client_ask(ctl, &(Ask){.method = "GET", .path = path}, raw, ret);
}

int client_get_admin(const Ctl *ctl, const char *path, Buf *raw, json_t **ret) {
        return client_ask(ctl, &(Ask){.method = "GET", .path = path, .is_action = true}, raw, ret);
}

int client_get_whole(const Ctl *ctl, const char *path, Buf *raw, json_t **ret) {
        CLEANUP(buf_done) Buf name = BUF_INIT(8192);
        int r = socket_path(ctl, /* is_action= */ true, &name);
        bool may = r == 0 && access(buf_text(&name), W_OK) == 0;

        return client_ask(ctl, &(Ask){.method = "GET", .path = path, .is_action = may}, raw, ret);
}

int client_post(const Ctl *ctl, const char *path, const json_t *body, Buf *raw, json_t **ret) {
        return client_ask(ctl,
                          &(Ask){.method = "POST", .path = path, .body = body, .is_action = true},
                          raw, ret);
}

int client_send(const Ctl *ctl, const char *path, const Buf *bytes, Buf *raw, json_t **ret) {
        return client_ask(ctl,
                          &(Ask){.method = "POST", .path = path, .bytes = bytes, .is_action = true},
                          raw, ret);
}

int client_bytes(const Ctl *ctl, const char *path, Buf *ret) {
        int status = 0;

        int r = exchange(ctl, &(Ask){.method = "GET", .path = path, .is_action = true}, &status,
                         ret);
        if (r != EXIT_FINE || (status >= 200 && status <= 299))
                return r;
        return complain_problem(ctl, path, status, false, ret);
}

int client_copy(const Ctl *ctl, const char *path, int fd, int *ret_status) {
        CLEANUP(buf_done) Buf socket = BUF_INIT(4096);
        CLEANUP(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);

        int r = socket_path(ctl, /* is_action= */ true, &socket);
        if (r == 0)
                r = http_unix_file(buf_text(&socket), path, COPY_TIMEOUT_MS, fd, ret_status,
                                   &answer);
        if (r < 0)
                return complain_unreachable(ctl, buf_text(&socket), r);
        return *ret_status >= 200 && *ret_status <= 299
                       ? EXIT_FINE
                       : complain_problem(ctl, path, *ret_status, false, &answer);
}

int client_delete(const Ctl *ctl, const char *path, Buf *raw, json_t **ret) {
        return client_ask(ctl, &(Ask){.method = "DELETE", .path = path, .is_action = true}, raw,
                          ret);
}

void client_language(Ctl *ctl) {
        CLEANUP(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);
        CLEANUP(buf_done) Buf path = BUF_INIT(4096);
        int status = 0;

        if (socket_path(ctl, /* is_action= */ false, &path) < 0 ||
            http_unix(buf_text(&path), "GET", "/v1/status", NULL, 0, TIMEOUT_MS, &status, &answer) <
                    0)
                return;
        json_t *json = json_loadb(buf_text(&answer), answer.len, 0, NULL);
        const char *language = json_string_value(json_object_get(json, "language"));
        if (language)
                ctl->is_vi = strncmp(language, "en", 2) != 0;
        json_decref(json);
}
