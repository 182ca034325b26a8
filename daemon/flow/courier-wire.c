/* One attempt: the row's bytes to its relay or hook, and what came back. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/mail.h"
#include "flow/courier-internal.h"
#include "flow/message.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/hook.h"
#include "os/secret.h"
#include "transport/http.h"
#include "transport/smtp.h"

#define HOOK_TIMEOUT_MS (20 * MS_PER_SECOND)
#define HOOK_RESPONSE_MAX 1024

void flight_fail(Flight *f, int error) {
        f->outcome = ATTEMPT_CHANNEL_DOWN;
        (void) snprintf(f->response, sizeof f->response,
                        "not sent: address or secret of %s cannot be used (%s)", f->aim.channel,
                        strerror(-error));
        f->state = FLIGHT_DONE;
}

/* What a peer says goes into the journal and to operators, and some repeat what they were told: a wrong
 * password, the path of the address, in which a chat bot's key stands. */
static void hide_secrets(Flight *f) {
        if (f->secret && f->aim.is_mail)
                secret_hide_login(f->response, f->courier->app->config->smtp.username, f->secret);
        else if (f->secret)
                secret_hide(f->response, f->secret);
        if (f->aim.address && !f->aim.is_mail)
                secret_hide_path(f->response, f->aim.address);
}

static void flight_finish(Flight *f, AttemptOutcome outcome, int64_t retry_after_ms,
                          const char *text) {
        hook_point("send.sent");
        f->outcome = outcome;
        f->retry_after_ms = retry_after_ms;
        (void) snprintf(f->response, sizeof f->response, "%s", text);
        hide_secrets(f);
        f->state = FLIGHT_DONE;
        app_wake(f->courier->app);
}

static void on_mail(Slot *slot, const SmtpResult *result, void *userdata) {
        (void) slot;
        flight_finish(userdata, result->outcome, 0, result->text);
}

static void on_hook(Slot *slot, const HttpResult *result, void *userdata) {
        (void) slot;
        Buf CLEANUP(buf_done) text = BUF_INIT(8192);
        if (result->status)
                (void) buf_printf(&text, "HTTP %d ", result->status);
        if (result->error)
                (void) buf_str(&text, result->error_text);
        else if (result->body_size)
                (void) text_append_printable(&text, result->body,
                                             MIN(result->body_size, (size_t) HOOK_RESPONSE_MAX));
        flight_finish(userdata, delivery_hook_outcome(&result->hook), result->retry_after_ms,
                      buf_text(&text));
}

static int start_mail(App *app, Flight *f) {
        const Config *c = app->config;
        char CLEANUP_FREE *password = NULL, *sender = NULL;
        if (!c->smtp.url)
                return -EDESTADDRREQ;
        int r = c->smtp.password ? channel_resolve(app, c->smtp.password, &password) : 0;
        if (r >= 0)
                r = mail_address(c->smtp.from, &sender);
        if (r >= 0) {
                SmtpRequest request = {.url = c->smtp.url,
                                       .username = c->smtp.username,
                                       .password = password,
                                       .ca_file = c->smtp.ca_file ? c->smtp.ca_file
                                                                  : c->network.ca_file,
                                       .tls = c->smtp.tls,
                                       .sender = sender,
                                       .recipient = f->aim.address,
                                       .data = f->row->body,
                                       .size = f->row->body_size,
                                       .timeout_ms = c->smtp.timeout_ms};
                r = smtp_start(app->mux, &request, on_mail, f, &f->slot);
        }
        if (password && r >= 0)
                f->secret = TAKE_PTR(password);
        else if (password)
                explicit_bzero(password, strlen(password));
        return r;
}

static int start_hook(App *app, Flight *f) {
        int64_t timestamp = clock_now_ms() / 1000;
        Buf CLEANUP(buf_done) id = BUF_INIT(512), at = BUF_INIT(64), signature = BUF_INIT(4096);
        int r = buf_printf(&id, "webhook-id: %s", f->row->uuid);
        if (r >= 0)
                r = buf_printf(&at, "webhook-timestamp: %lld", (long long) timestamp);
        if (r >= 0)
                r = buf_str(&signature, "webhook-signature: ");
        if (r >= 0 && f->secret)
                r = crypto_webhook_sign(f->secret, f->row->uuid, timestamp, f->row->body,
                                        f->row->body_size, &signature);
        if (r < 0)
                return r;
        Buf CLEANUP(buf_done) type = BUF_INIT(512);
        r = buf_printf(&type, "Content-Type: %s", f->row->content_type);
        if (r < 0)
                return r;
        const char *headers[] = {buf_text(&type), buf_text(&id), buf_text(&at),
                                 buf_text(&signature)};
        HttpRequest request = {.url = f->aim.address,
                               .method = "POST",
                               .headers = headers,
                               .n_headers = f->secret ? 4 : 3,
                               .body = f->row->body,
                               .body_size = f->row->body_size,
                               .max_body = HOOK_RESPONSE_MAX,
                               .is_truncating = true,
                               .timeout_ms = HOOK_TIMEOUT_MS};
        return http_start(app->mux, &request, on_hook, f, &f->slot);
}

void courier_launch(Courier *c) {
        for (size_t i = 0; i < MAX_FLIGHTS; i++) {
                Flight *f = &c->flights[i];
                if (f->state != FLIGHT_MARKED)
                        continue;
                f->state = FLIGHT_WIRE;
                f->wire_awake_ms = clock_awake_ms();
                hook_point("send.begin");
                int r = f->aim.is_mail ? start_mail(c->app, f) : start_hook(c->app, f);
                if (r < 0) {
                        flight_fail(f, r);
                        app_wake(c->app);
                }
        }
}
