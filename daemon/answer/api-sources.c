/* Sources, and what a person asks of them. */
#include <errno.h>

#include "answer/api-call.h"
#include "flow/source.h"
#include "os/clock.h"

#define ALL_SOURCES "all" /* unless a source is called so */

static int write_request(ApiCall *c) {
        const char *text = api_query(c, "request");
        int64_t id;

        if (!text)
                return 0;
        int r = api_find_id(c, text, &id);
        if (r != 0)
                return r;
        json_out_object(&c->out, "request");
        json_out_int(&c->out, "id", id);
        json_out_bool(&c->out, "done", source_request_done(c->app, id) && !c->app->has_evaluated);
        json_out_bool(&c->out, "failed", source_request_failed(c->app, id));
        json_out_end_object(&c->out);
        return 0;
}

int api_sources(ApiCall *c) {
        size_t n = c->app->config->n_sources;

        json_out_object(&c->out, NULL);
        api_page(c, n);
        int r = write_request(c);
        if (r != 0)
                return r;
        json_out_array(&c->out, "sources");
        for (size_t i = 0, window = api_window(c, n); i < window; i++)
                view_source_now(&c->out, c->app, c->offset + i, c->view.at_ms);
        json_out_end_array(&c->out);
        json_out_end_object(&c->out);
        return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Of a period that has not begun there is nothing, and asking would count as a failure. */
static int check_begun(ApiCall *c, PeriodId from, PeriodId to) {
        PeriodId ended = period_last_ended(period_type(from), day_of_instant(clock_now_ms()));
        PeriodId first = MAX(from, period_next(period_next(ended)));
        char name[16];

        if (to < first)
                return 0;
        (void) API_ARGUMENT(c, 400, "kỳ %s chưa bắt đầu", "period %s has not begun",
                            period_format(name, first));
        return API_E_ANSWERED;
}

static int read_range(ApiCall *c, PeriodId *ret_from, PeriodId *ret_to) {
        int r = api_find_period(c, api_query(c, "from"), ret_from);

        if (r == 0)
                r = api_find_period(c, api_query(c, "to"), ret_to);
        if (r != 0)
                return r;
        if (*ret_to == 0)
                *ret_to = *ret_from;
        if (*ret_from == 0)
                *ret_from = *ret_to;
        if (*ret_from == 0)
                return 0;
        if (period_type(*ret_from) == period_type(*ret_to) && *ret_from <= *ret_to)
                return check_begun(c, *ret_from, *ret_to);
        (void) API_ARGUMENT(c, 400, "from và to phải cùng loại kỳ, from không sau to",
                            "from and to must be of one type, from not after to");
        return API_E_ANSWERED;
}

int api_source_fetch(ApiCall *c) {
        const char *name = c->arg[0];
        bool is_all = streq(name, ALL_SOURCES) && config_source(c->app->config, name) < 0;
        PeriodId from, to;
        size_t source = 0;
        int64_t id;

        int r = is_all ? 0 : api_find_source(c, name, &source);
        if (r == 0)
                r = read_range(c, &from, &to);
        if (r != 0)
                return r;
        r = source_request(c->app, is_all ? NULL : name, from, to, &id);
        const SourceDef *def = &c->app->config->sources[source];
        if (r == -EINVAL && !is_all && def->kind == SOURCE_INBOX)
                return API_PROBLEM(c, 400,
                                   "nguồn %s không tải về: nguồn này nhận tệp CSV, JSON đặt vào %s",
                                   "source %s fetches nothing: it takes the CSV and JSON files "
                                   "that are put into %s",
                                   name, def->inbox);
        if (r == -EINVAL)
                return API_ARGUMENT(c, 400, "nguồn %s không lấy loại kỳ này",
                                    "source %s does not fetch periods of this type", name);
        if (r < 0)
                return r;
        c->reply->status = 202;
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "request", id);
        json_out_end_object(&c->out);
        return 0;
}
