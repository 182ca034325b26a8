/* `test-mail` and `test-webhook`: one message over the configured way, with what both sides say.
 *
 * They need no daemon and store nothing: what an installer runs before the first start. Of
 * credentials only the kind is shown, and of a webhook's address only the host, since its path is
 * often the key. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/mail.h"
#include "core/render.h"
#include "ctl/ctl.h"
#include "os/clock.h"
#include "os/crypto.h"
#include "os/secret.h"
#include "transport/http.h"
#include "transport/smtp.h"

#define HOOK_TIMEOUT_MS (20 * MS_PER_SECOND)
#define HOOK_RESPONSE_MAX 1024

typedef struct Attempt {
        const Ctl *ctl;
        const Config *config;
        sd_event *event;
        bool is_over, is_accepted;
        const char *password, *key, *url; /* what must not be shown; or NULL */
} Attempt;

/* Some peers repeat what they were told. */
static void hide(const Attempt *a, Buf *text) {
        if (!text->data)
                return;
        if (a->password)
                secret_hide_login(text->data, a->config->smtp.username, a->password);
        if (a->key)
                secret_hide(text->data, a->key);
        if (a->url)
                secret_hide_path(text->data, a->url);
}

static int complain(int r) {
        ctl_complain("%s", strerror(-r));
        return EXIT_FAILED;
}

static int secret(const Config *config, const char *text, char **ret) {
        CLEANUP(buf_done) Buf b = BUF_INIT(65536);

        int r = secret_resolve(text, config->daemon.secrets_dir, &b);
        if (r < 0) {
                ctl_complain("%s: %s", text, strerror(-r));
                return r;
        }
        *ret = buf_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static void print_line(const Attempt *a, char direction, const char *line, size_t n) {
        CLEANUP(buf_done) Buf safe = BUF_INIT(64 << 10);

        int r = text_append_printable(&safe, line, n);
        if (direction == '<')
                hide(a, &safe);
        if (r >= 0)
                (void) printf("%c %s\n", direction, buf_text(&safe));
}

/* 0: ran to its end. */
static int run(Attempt *a, int (*start)(Attempt *a, Mux *mux, Slot **ret, void *userdata),
               void *userdata) {
        MuxOptions options = {.user_agent = "chisod/" CHISO_VERSION,
                              .proxy = a->config->network.proxy,
                              .ca_file = a->config->network.ca_file};
        sd_event *event = NULL;
        Mux *mux = NULL;
        Slot *slot = NULL;

        int r = sd_event_new(&event);
        if (r >= 0)
                r = mux_new(event, &options, &mux);
        a->event = event;
        if (r >= 0)
                r = start(a, mux, &slot, userdata);
        if (r >= 0 && !a->is_over)
                r = sd_event_loop(event);
        if (slot)
                slot_free(slot);
        if (mux)
                mux_free(mux);
        sd_event_unref(event);
        return MIN(r, 0);
}

static void over(Attempt *a, AttemptOutcome outcome, const char *text) {
        a->is_over = true;
        a->is_accepted = outcome == ATTEMPT_ACCEPTED;
        (void) printf("= %s", attempt_outcome_name(outcome));
        if (text && *text) {
                CLEANUP(buf_done) Buf safe = BUF_INIT(64 << 10);
                int r = text_append_printable(&safe, text, strlen(text));
                hide(a, &safe);
                if (r >= 0)
                        (void) printf(": %s", buf_text(&safe));
        }
        (void) printf("\n");
        (void) sd_event_exit(a->event, 0);
}

/* ---- mail ------------------------------------------------------------------------------------ */

typedef struct TestMail {
        const char *to;
        char *sender, *password;
        Buf data;
} TestMail;

static void on_line(void *userdata, char direction, const char *line, size_t n) {
        print_line(userdata, direction, line, n);
}

static void on_mail(Slot *slot, const SmtpResult *result, void *userdata) {
        (void) slot;
        over(userdata, result->outcome, result->text);
}

static int start_mail(Attempt *a, Mux *mux, Slot **ret, void *userdata) {
        TestMail *t = userdata;
        const Config *c = a->config;
        SmtpRequest request = {.url = c->smtp.url,
                               .username = c->smtp.username,
                               .password = t->password,
                               .ca_file = c->smtp.ca_file ? c->smtp.ca_file : c->network.ca_file,
                               .tls = c->smtp.tls,
                               .sender = t->sender,
                               .recipient = t->to,
                               .data = buf_text(&t->data),
                               .size = t->data.len,
                               .timeout_ms = c->smtp.timeout_ms,
                               .trace = on_line,
                               .trace_userdata = a};

        (void) printf("%s, %s\n", c->smtp.url,
                      c->smtp.tls == TLS_REQUIRED        ? "tls = required"
                      : c->smtp.tls == TLS_OPPORTUNISTIC ? "tls = opportunistic"
                                                         : "tls = none");
        return smtp_start(mux, &request, on_mail, a, ret);
}

static int build_mail(const Ctl *ctl, const Config *config, TestMail *t) {
        CLEANUP(buf_done) Buf id = BUF_INIT(1024);
        uint8_t random[16];
        char hex[33];

        int r = crypto_random(random, sizeof random);
        if (r < 0)
                return r;
        crypto_hex(random, sizeof random, hex);
        r = buf_printf(&id, "test_%s@%s", hex, strrchr(t->sender, '@') + 1);
        if (r < 0)
                return r;
        Mail mail = {
                .from = config->smtp.from,
                .to = t->to,
                .reply_to = config->daemon.reply_to,
                .subject = SAID(ctl, "[chisod] Thư thử", "[chisod] Test mail"),
                .message_id = buf_text(&id),
                .date_ms = clock_now_ms(),
                .language = config->daemon.language,
                .text = SAID(ctl, "Thư này chỉ để thử đường gửi của chisod. Không cần xử lý.\n",
                             "This mail only tests the way that chisod sends. Nothing is to be "
                             "done.\n"),
        };
        return mail_build(&mail, &t->data);
}

static int send_test(const Ctl *ctl, const Config *config, TestMail *t) {
        Attempt a = {.ctl = ctl, .config = config};

        if (!config->smtp.url) {
                ctl_complain(SAID(ctl, "cấu hình chưa có [smtp] url", "[smtp] url is missing"));
                return EXIT_FAILED;
        }
        int r = config->smtp.password ? secret(config, config->smtp.password, &t->password) : 0;
        if (r >= 0)
                r = mail_address(config->smtp.from, &t->sender);
        if (r >= 0)
                r = build_mail(ctl, config, t);
        a.password = t->password;
        if (r >= 0)
                r = run(&a, start_mail, t);
        if (r < 0)
                return complain(r);
        return a.is_accepted ? EXIT_FINE : EXIT_FAILED;
}

int ctl_test_mail(const Ctl *ctl, const Config *config, const char *address) {
        CLEANUP_FREE char *to = NULL;
        TestMail t = {.data = BUF_INIT(BUF_MAX_TEXT)};

        if (mail_address(address, &to) < 0) {
                ctl_complain(
                        SAID(ctl, "\"%s\" không phải địa chỉ thư", "\"%s\" is no mail address"),
                        address);
                return EXIT_USAGE;
        }
        t.to = to;
        int r = send_test(ctl, config, &t);
        if (t.password)
                explicit_bzero(t.password, strlen(t.password));
        free(t.password);
        free(t.sender);
        buf_done(&t.data);
        return r;
}

int command_test_mail(Ctl *ctl) {
        CLEANUP(config_freep) Config *config = NULL;

        int r = ctl_load_config(ctl, &config);
        if (r != EXIT_FINE)
                return r;
        ctl->is_vi = config->daemon.language[0] == 'v';
        return ctl_test_mail(ctl, config, ctl->words[0]);
}

/* ---- webhook --------------------------------------------------------------------------------- */

typedef struct TestHook {
        const RecipientDef *recipient;
        char *url, *secret;
        Buf body, id, at, signature;
} TestHook;

static void on_hook(Slot *slot, const HttpResult *result, void *userdata) {
        char status[32];

        (void) slot;
        if (result->status) {
                (void) snprintf(status, sizeof status, "HTTP %d", result->status);
                print_line(userdata, '<', status, strlen(status));
        }
        if (!result->error && result->body_size)
                print_line(userdata, '<', result->body,
                           MIN(result->body_size, (size_t) HOOK_RESPONSE_MAX));
        over(userdata, delivery_hook_outcome(&result->hook),
             result->error ? result->error_text : NULL);
}

static int start_hook(Attempt *a, Mux *mux, Slot **ret, void *userdata) {
        TestHook *t = userdata;
        const char *headers[] = {"Content-Type: application/json", buf_text(&t->id),
                                 buf_text(&t->at), buf_text(&t->signature)};
        HttpRequest request = {.url = t->url,
                               .method = "POST",
                               .headers = headers,
                               .n_headers = t->secret ? 4 : 3,
                               .body = buf_text(&t->body),
                               .body_size = t->body.len,
                               .max_body = HOOK_RESPONSE_MAX,
                               .is_truncating = true,
                               .timeout_ms = HOOK_TIMEOUT_MS};
        const char *host = strstr(t->url, "://");
        size_t n = host ? strcspn(host + 3, "/?#") : 0;
        const char *at = host ? memrchr(host + 3, '@', n) : NULL;
        const char *start = !host ? "" : at ? at + 1 : host + 3;

        (void) printf("> POST %.*s/***\n", (int) strcspn(start, "/?#"), start);
        for (size_t i = 0; i < request.n_headers; i++)
                print_line(a, '>', headers[i], strlen(headers[i]));
        print_line(a, '>', buf_text(&t->body), t->body.len);
        return http_start(mux, &request, on_hook, a, ret);
}

static int build_hook(const Config *config, TestHook *t) {
        uint8_t random[16];
        char hex[33], id[40];
        int64_t now = clock_now_ms();

        int r = crypto_random(random, sizeof random);
        if (r < 0)
                return r;
        crypto_hex(random, sizeof random, hex);
        (void) snprintf(id, sizeof id, "msg_%s", hex);
        RenderMessage m = {.id = id,
                           .organization = config->daemon.organization,
                           .contact = config->daemon.contact,
                           .language = t->recipient->language,
                           .recipient = t->recipient->name,
                           .to = t->recipient->webhook_to,
                           .role = t->recipient->role,
                           .is_drill = true,
                           .now_ms = now};
        json_t *view = render_view(&m);
        r = view ? render_webhook(view, &t->body) : -ENOMEM;
        json_decref(view);
        if (r >= 0)
                r = buf_printf(&t->id, "webhook-id: %s", id);
        if (r >= 0)
                r = buf_printf(&t->at, "webhook-timestamp: %lld", (long long) (now / 1000));
        if (r >= 0)
                r = buf_str(&t->signature, "webhook-signature: ");
        if (r >= 0 && t->secret)
                r = crypto_webhook_sign(t->secret, id, now / 1000, buf_text(&t->body), t->body.len,
                                        &t->signature);
        return r;
}

static int test_hook(const Ctl *ctl, const Config *config, TestHook *t) {
        Attempt a = {.ctl = ctl, .config = config};

        int r = secret(config, t->recipient->webhook, &t->url);
        if (r >= 0 && t->recipient->webhook_secret)
                r = secret(config, t->recipient->webhook_secret, &t->secret);
        if (r >= 0)
                r = build_hook(config, t);
        a.key = t->secret;
        a.url = t->url;
        if (r >= 0)
                r = run(&a, start_hook, t);
        if (r < 0)
                return complain(r);
        return a.is_accepted ? EXIT_FINE : EXIT_FAILED;
}

int command_test_webhook(Ctl *ctl) {
        CLEANUP(config_freep) Config *config = NULL;
        TestHook t = {.body = BUF_INIT(BUF_MAX_TEXT),
                      .id = BUF_INIT(256),
                      .at = BUF_INIT(256),
                      .signature = BUF_INIT(8192)};

        int r = ctl_load_config(ctl, &config);
        if (r != EXIT_FINE)
                return r;
        ctl->is_vi = config->daemon.language[0] == 'v';
        for (size_t i = 0; i < config->n_recipients; i++)
                if (streq(config->recipients[i].name, ctl->words[0]))
                        t.recipient = &config->recipients[i];
        if (!t.recipient || !t.recipient->webhook || streq(t.recipient->webhook, "registry")) {
                ctl_complain(SAID(ctl, "không có người nhận \"%s\" với webhook riêng",
                                  "there is no recipient \"%s\" with a webhook of its own"),
                             ctl->words[0]);
                return EXIT_FAILED;
        }
        r = test_hook(ctl, config, &t);
        if (t.secret)
                explicit_bzero(t.secret, strlen(t.secret));
        free(t.secret);
        free(t.url);
        buf_done(&t.body);
        buf_done(&t.id);
        buf_done(&t.at);
        buf_done(&t.signature);
        return r;
}
