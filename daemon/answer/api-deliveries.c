/* The outbox as people see it, and what a person may do with it: retry, drill, go live. On the
 * status socket addresses, bodies and the peers' answers (which quote addresses) are masked. */
#include <errno.h>

#include "answer/api-call.h"
#include "flow/courier.h"
#include "flow/teller.h"
#include "os/clock.h"
#include "store/outbox.h"

/* ---- list ------------------------------------------------------------------------------------ */

static const TargetRow *find_target(const TargetRow *targets, size_t n, int64_t id) {
        for (size_t i = 0; i < n; i++)
                if (targets[i].id == id)
                        return targets + i;
        return NULL;
}

static const char *masked(const ApiCall *c, const char *text) {
        return text && !c->is_admin ? API_MASK : text;
}

static void write_message(ApiCall *c, const MessageRow *row, const TargetRow *target) {
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        json_out_int(o, "id", row->id);
        json_out_text(o, "uuid", row->uuid);
        json_out_text(o, "state", message_state_name(row->state));
        json_out_text(o, "target", target ? target->key : NULL);
        json_out_text(o, "recipient", target ? target->recipient : NULL);
        json_out_text(o, "channel", target ? target->channel : NULL);
        json_out_text(o, "address", target ? masked(c, target->address) : NULL);
        json_out_text(o, "subject", row->subject);
        json_out_instant(o, "created", row->created_ms);
        json_out_instant(o, "next", row->state == MESSAGE_READY ? row->next_ms : 0);
        json_out_instant(o, "started", row->started_ms);
        json_out_instant(o, "settled", row->settled_ms);
        json_out_int(o, "attempts", row->attempts);
        json_out_int(o, "maybe", row->maybe);
        json_out_text(o, "outcome", row->outcome);
        json_out_text(o, "response", masked(c, row->response));
        json_out_bool(o, "is_drill", row->is_drill);
        json_out_end_object(o);
}

static int read_state(ApiCall *c, int *ret) {
        const char *text = api_query(c, "state");

        *ret = 0;
        if (!text)
                return 0;
        for (int state = MESSAGE_READY; state <= MESSAGE_VOID; state++)
                if (streq(message_state_name((MessageState) state), text)) {
                        *ret = state;
                        return 0;
                }
        (void) API_ARGUMENT(c, 400, "state \"%s\": ready, started, accepted, dead hoặc void",
                            "state \"%s\": ready, started, accepted, dead or void", text);
        return API_E_ANSWERED;
}

static int write_marked(ApiCall *c, const TargetRow *targets, size_t n) {
        JsonOut *o = &c->out;

        json_out_array(o, "marked");
        for (size_t i = 0; i < n; i++) {
                if (targets[i].state == TARGET_OK)
                        continue;
                json_out_object(o, NULL);
                json_out_text(o, "target", targets[i].key);
                json_out_text(o, "state",
                              targets[i].state == TARGET_MARKED ? "marked" : "disabled");
                json_out_text(o, "reason", masked(c, targets[i].reason));
                json_out_end_object(o);
        }
        json_out_end_array(o);
        return 0;
}

static int add_json(ApiCall *c, const char *key, const json_t *value) {
        char *text = json_dumps(value, JSON_COMPACT);

        if (!text)
                return -ENOMEM;
        json_out_raw(&c->out, key, text);
        free(text);
        return 0;
}

/* Takes the reference. */
static int answer_json(ApiCall *c, const char *key, json_t *value) {
        json_t *answer = json_pack("{s:o}", key, value);
        char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

        json_decref(answer);
        if (!text)
                return -ENOMEM;
        json_out_raw(&c->out, NULL, text);
        free(text);
        return 0;
}

static json_t *window_of(const ApiCall *c, const json_t *list) {
        json_t *window = json_array();

        for (size_t i = 0, n = api_window(c, json_array_size(list)); window && i < n; i++)
                if (json_array_append(window, json_array_get(list, c->offset + i)) < 0) {
                        json_decref(window);
                        return NULL;
                }
        return window;
}

/* What would be told if it were told now, as in `notify = observe`: there is no message of it yet, and
 * no past. */
static int observed(ApiCall *c) {
        const char *other = api_query(c, "state")   ? "state"
                            : api_query(c, "as_of") ? "as_of"
                                                    : NULL;
        json_t *targets = NULL;

        if (other)
                return API_ARGUMENT(c, 400, "observed nói về lúc này, không đi cùng %s",
                                    "observed speaks of now, %s does not go with it", other);
        int r = teller_preview(c->app, clock_now_ms(), &targets);
        if (r < 0)
                return r;
        json_t *window = window_of(c, targets);
        json_out_object(&c->out, NULL);
        api_page(c, json_array_size(targets));
        r = window ? add_json(c, "targets", window) : -ENOMEM;
        json_out_end_object(&c->out);
        json_decref(window);
        json_decref(targets);
        return r;
}

/* Who hears, as configured; where they are reached is in no answer. */
int api_recipients(ApiCall *c) {
        const Config *config = c->app->config;
        JsonOut *o = &c->out;

        json_out_object(o, NULL);
        api_page(c, config->n_recipients);
        json_out_array(o, "recipients");
        for (size_t i = 0, n = api_window(c, config->n_recipients); i < n; i++) {
                const RecipientDef *one = config->recipients + c->offset + i;

                json_out_object(o, NULL);
                json_out_text(o, "name", one->name);
                json_out_text(o, "role", one->role == ROLE_OPERATOR ? "operator" : "official");
                json_out_bool(o, "is_each", one->is_each);
                json_out_bool(o, "is_letter", one->is_letter);
                json_out_bool(o, "has_email", one->n_emails > 0);
                json_out_bool(o, "has_webhook", one->webhook != NULL);
                json_out_text(o, "language", one->language);
                json_out_end_object(o);
        }
        json_out_end_array(o);
        json_out_end_object(o);
        return 0;
}

static bool is_recipient(const Config *config, const char *name) {
        for (size_t i = 0; i < config->n_recipients; i++)
                if (streq(config->recipients[i].name, name))
                        return true;
        return false;
}

static int refuse_recipient(ApiCall *c, const char *name) {
        const Config *config = c->app->config;
        CLEANUP(buf_done) Buf names = BUF_INIT(4096);

        for (size_t i = 0; i < config->n_recipients; i++)
                if (buf_printf(&names, "%s%s", names.len ? ", " : "", config->recipients[i].name) <
                    0)
                        break;
        return API_ARGUMENT(c, 404, "không có người nhận \"%s\"; có: %s",
                            "no recipient \"%s\"; there are: %s", name, buf_text(&names));
}

int api_render(ApiCall *c) {
        const char *format = str_or(api_query(c, "format"), "text");
        json_t *messages = NULL;

        if (!streq(format, "text") && !streq(format, "html") && !streq(format, "json"))
                return API_ARGUMENT(c, 400, "format \"%s\": text, html hoặc json",
                                    "format \"%s\": text, html or json", format);
        const char *recipient = api_query(c, "recipient");
        if (recipient && !is_recipient(c->app->config, recipient))
                return refuse_recipient(c, recipient);
        int r = teller_render(c->app, recipient, format, clock_now_ms(), &messages);
        return r < 0 ? r : answer_json(c, "messages", messages);
}

int api_deliveries(ApiCall *c) {
        TargetRow *targets = NULL;
        MessageRow *rows = NULL;
        size_t n_targets = 0, n = 0;
        int state;

        if (!api_query(c, "limit"))
                c->limit = 100;
        if (api_flag(c, "observed"))
                return observed(c);
        int r = read_state(c, &state);
        if (r == 0)
                r = store_targets(c->store, &targets, &n_targets);
        if (r == 0 && !c->view.is_empty)
                r = store_messages_list(c->store, state, c->view.step, c->limit, c->offset, &rows,
                                        &n);
        if (r == 0) {
                json_out_object(&c->out, NULL);
                api_as_of(c);
                json_out_int(&c->out, "limit", (int64_t) c->limit);
                json_out_int(&c->out, "offset", (int64_t) c->offset);
                json_out_array(&c->out, "deliveries");
                for (size_t i = 0; i < n; i++)
                        write_message(c, rows + i, find_target(targets, n_targets, rows[i].target));
                json_out_end_array(&c->out);
                r = write_marked(c, targets, n_targets);
                json_out_end_object(&c->out);
        }
        message_rows_free(rows, n);
        target_rows_free(targets, n_targets);
        return r;
}

/* ---- actions --------------------------------------------------------------------------------- */

int api_delivery_retry(ApiCall *c) {
        int64_t id;

        int r = api_find_id(c, c->arg[0], &id);
        if (r != 0)
                return r;
        r = courier_retry(c->app, id, clock_now_ms());
        if (r == -ENOENT)
                return API_PROBLEM(c, 404, "không có thư số %lld", "there is no message %lld",
                                   (long long) id);
        if (r == -EBUSY)
                return API_PROBLEM(c, 409, "thư số %lld không ở trạng thái hỏng",
                                   "message %lld is not dead", (long long) id);
        if (r < 0)
                return r;
        c->reply->status = 202;
        json_out_object(&c->out, NULL);
        json_out_int(&c->out, "delivery", id);
        json_out_bool(&c->out, "planned", true);
        json_out_end_object(&c->out);
        return 0;
}

int api_drill(ApiCall *c) {
        const char *recipient;
        size_t n;

        int r = api_read_text(c, "recipient", &recipient);
        if (r != 0)
                return r;
        if (!recipient)
                return API_ARGUMENT(c, 400, "thiếu recipient", "recipient is missing");
        if (!is_recipient(c->app->config, recipient))
                return refuse_recipient(c, recipient);
        r = teller_drill(c->app, recipient, clock_now_ms(), &n);
        if (r < 0)
                return r;
        c->reply->status = 202;
        json_out_object(&c->out, NULL);
        json_out_text(&c->out, "recipient", recipient);
        json_out_int(&c->out, "messages", (int64_t) n);
        json_out_end_object(&c->out);
        return 0;
}

int api_go_live(ApiCall *c) {
        bool is_announce, is_preview;
        json_t *told = NULL;

        int r = api_read_flag(c, "announce", &is_announce);
        if (r == 0)
                r = api_read_flag(c, "preview", &is_preview);
        if (r == 0)
                r = teller_go_live(c->app, clock_now_ms(), is_announce, is_preview, &told);
        if (r != 0)
                return r;
        char *text = json_dumps(told, JSON_COMPACT);
        json_decref(told);
        if (!text)
                return -ENOMEM;
        json_out_raw(&c->out, NULL, text);
        free(text);
        return 0;
}
