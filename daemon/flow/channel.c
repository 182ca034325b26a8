#include "flow/channel.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "core/mail.h"
#include "os/secret.h"

/* "hook.example.vn:8443" of a URL, lower case; a user and password in it are nobody's business
 * here. */
static void host_of(const char *url, char *ret, size_t size) {
        const char *p = strstr(url, "://");
        p = p ? p + 3 : url;
        size_t n = strcspn(p, "/?#");
        const char *at = memrchr(p, '@', n);
        if (at) {
                n -= (size_t) (at + 1 - p);
                p = at + 1;
        }
        (void) snprintf(ret, size, "%.*s", (int) MIN(n, size - 1), p);
        for (char *c = ret; *c; c++)
                *c = (char) tolower((unsigned char) *c);
}

int channel_resolve(const App *app, const char *text, char **ret) {
        Buf CLEANUP(buf_done) b = BUF_INIT(65536);
        int r = secret_resolve(text, app->config->daemon.secrets_dir, &b);
        if (r < 0)
                return r;
        *ret = buf_take(&b);
        return *ret ? 0 : -ENOMEM;
}

static int aim_mail(const App *app, const TargetRow *target, Aim *ret) {
        ret->is_mail = true;
        (void) snprintf(ret->channel, sizeof ret->channel, "smtp");
        host_of(str_or(app->config->smtp.url, ""), ret->host, sizeof ret->host);
        return mail_address(target->address, &ret->address);
}

static int aim_hook(const App *app, const TargetRow *target, Aim *ret) {
        int r = channel_resolve(app, target->address, &ret->address);
        if (r >= 0)
                host_of(ret->address, ret->host, sizeof ret->host);
        (void) snprintf(ret->channel, sizeof ret->channel, "hook:%.*s",
                        (int) sizeof ret->channel - 6, *ret->host ? ret->host : target->key);
        return r;
}

int channel_aim(App *app, const TargetRow *target, Aim *ret) {
        *ret = (Aim){0};
        int r = streq(target->channel, "email") ? aim_mail(app, target, ret)
                                                : aim_hook(app, target, ret);
        ret->error = MIN(r, 0);
        if (r != -ENOMEM)
                return 0;
        channel_aim_done(ret);
        return r;
}

void channel_aim_done(Aim *aim) {
        free(aim->address);
        *aim = (Aim){0};
}

int pauses_load(App *app, Pauses *ret) {
        *ret = (Pauses){0};
        return store_channels(app->store, &ret->rows, &ret->n);
}

void pauses_done(Pauses *p) {
        free(p->rows);
        *p = (Pauses){0};
}

const ChannelRow *pauses_find(const Pauses *p, const char *channel) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->rows[i].name, channel))
                        return &p->rows[i];
        return NULL;
}
