/* The check of the database, and a copy of it, for whoever may do everything. Both take seconds, and
 * the loop waits for nobody: 202 says that it goes on, and to ask again. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "answer/api-call.h"
#include "base/timeutil.h"
#include "flow/tend.h"

static void write_findings(JsonOut *o, const Diag *diag) {
        json_out_array(o, "findings");
        for (size_t i = 0; i < diag->n; i++)
                json_out_text(o, NULL, diag->items[i].text);
        json_out_end_array(o);
}

int api_verify(ApiCall *c) {
        const char *after = api_query(c, "after");
        JsonOut *o = &c->out;
        int64_t after_ms = 0;
        TendCheck check;

        if (after && instant_parse(after, &after_ms) < 0)
                return API_ARGUMENT(c, 400, "after \"%s\" không phải thời điểm",
                                    "after \"%s\" is no instant", after);
        int r = tend_check(c->app, after_ms, &check);
        if (r < 0)
                return API_PROBLEM(c, 503, "chưa kiểm tra được: %s", "cannot be checked: %s",
                                   strerror(-r));
        c->reply->status = r == TEND_E_RUNNING ? 202 : 200;
        json_out_object(o, NULL);
        json_out_text(o, "state",
                      check.is_running           ? "running"
                      : check.result == 0        ? "whole"
                      : check.result == -EBADMSG ? "damaged"
                                                 : "failed");
        json_out_instant(o, "started", check.started_ms);
        if (!check.is_running) {
                json_out_instant(o, "ended", check.ended_ms);
                json_out_text(o, "error",
                              check.result < 0 && check.result != -EBADMSG ? strerror(-check.result)
                                                                           : NULL);
                write_findings(o, check.diag);
        }
        json_out_end_object(o);
        return 0;
}

int api_backup(ApiCall *c) {
        int fd = -1;

        int r = tend_copy(c->app, &fd);
        if (r < 0)
                return API_PROBLEM(c, 503, "không sao lưu được: %s", "no copy can be made: %s",
                                   strerror(-r));
        if (r == TEND_E_RUNNING) {
                c->reply->status = 202;
                json_out_object(&c->out, NULL);
                json_out_text(&c->out, "state", "running");
                json_out_end_object(&c->out);
                return 0;
        }
        c->reply->fd = fd;
        c->reply->has_fd = true;
        c->reply->content_type = "application/vnd.sqlite3";
        c->is_answered = true;
        return 0;
}
