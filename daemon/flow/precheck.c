/* A secret that is not there, an authority that ends, a full disk: found before the night in which
 * they are needed.
 *
 * Of a peer's certificate only contact tells, so that without a daemon the last word of one that ran
 * is repeated. The database is opened for reading alone and never made. */
#include "flow/precheck.h"

#include <errno.h>
#include <sys/stat.h>

#include "flow/define.h"
#include "os/crypto.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/alert.h"
#include "store/outbox.h"

#define SECRET_MAX 65536
#define AUTHORITY_MAX ((size_t) 64 << 10)

/* ---- secrets --------------------------------------------------------------------------------- */

typedef struct Place {
        const char *kind, *name, *key;
        const char *file;
        unsigned line;
} Place;

static void warn(const Config *c, Diag *diag, const Place *at, const char *format, ...)
        PRINTF_LIKE(4, 5);
static void warn(const Config *c, Diag *diag, const Place *at, const char *format, ...) {
        Buf CLEANUP(buf_done) key = BUF_INIT(BUF_MAX_TEXT), text = BUF_INIT(BUF_MAX_TEXT);
        const char *file = at->file;
        unsigned line = at->line;
        va_list ap;
        (void) config_place(c, at->kind, at->name, at->key, &file, &line);
        int r = buf_printf(&key, "%s%s%s.%s", at->kind, *at->name ? " " : "", at->name, at->key);
        va_start(ap, format);
        if (r >= 0)
                r = buf_vprintf(&text, format, ap);
        va_end(ap);
        if (r >= 0)
                diag_warning(diag, file, line, buf_text(&key), "%s", buf_text(&text));
}

static void check_secret(const Config *c, const Place *at, const char *reference, Diag *diag) {
        Buf CLEANUP(buf_done) text = BUF_INIT(SECRET_MAX);
        if (!reference || !secret_is_reference(reference))
                return;
        int r = secret_resolve(reference, c->daemon.secrets_dir, &text);
        if (text.data)
                explicit_bzero(text.data, text.cap);
        bool is_credential = strncmp(reference, "credential:", strlen("credential:")) == 0;
        /* What systemd runs for a reload has no credentials, though the service has. */
        if (r == -EACCES && is_credential && getenv("MAINPID"))
                return;
        if (r < 0 && is_credential)
                warn(c, diag, at,
                     "%s cannot be read from here (%s); looked in $CREDENTIALS_DIRECTORY and %s",
                     reference, strerror(-r), str_or(c->daemon.secrets_dir, "-"));
        else if (r < 0)
                warn(c, diag, at, "%s cannot be read from here (%s)", reference, strerror(-r));
}

static void check_source(const Config *c, const SourceDef *s, Diag *diag) {
        check_secret(c, &(Place){"source", s->name, "token.body", s->file, s->line}, s->token_body,
                     diag);
        for (size_t i = 0; i < s->n_parts; i++) {
                const PartDef *part = &s->parts[i];
                Buf CLEANUP(buf_done) name = BUF_INIT(BUF_MAX_TEXT);
                if (buf_printf(&name, "%s.%s", s->name, part->name) < 0)
                        continue;
                for (size_t k = 0; k < part->n_headers; k++) {
                        Buf CLEANUP(buf_done) key = BUF_INIT(BUF_MAX_TEXT);
                        if (buf_printf(&key, "header.%s", part->headers[k].name) < 0)
                                continue;
                        check_secret(c,
                                     &(Place){"part", buf_text(&name), buf_text(&key), part->file,
                                              part->line},
                                     part->headers[k].value, diag);
                }
        }
}

void precheck_secrets(const Config *c, Diag *diag) {
        check_secret(c, &(Place){"smtp", "", "password", c->smtp.file, c->smtp.line},
                     c->smtp.password, diag);
        check_secret(c, &(Place){"daemon", "", "heartbeat", c->daemon.file, c->daemon.line},
                     c->daemon.heartbeat, diag);
        for (size_t i = 0; i < c->n_sources; i++)
                check_source(c, &c->sources[i], diag);
        for (size_t i = 0; i < c->n_recipients; i++) {
                const RecipientDef *rec = &c->recipients[i];
                Place at = {"recipient", rec->name, "webhook", rec->file, rec->line};
                check_secret(c, &at, rec->webhook, diag);
                at.key = "webhook_secret";
                check_secret(c, &at, rec->webhook_secret, diag);
        }
}

/* ---- the machine ----------------------------------------------------------------------------- */

int precheck_authority(const char *path, int64_t *ret_ms) {
        Buf CLEANUP(buf_done) text = BUF_INIT(AUTHORITY_MAX);
        int r = file_read(path, AUTHORITY_MAX, &text);
        if (r == -EFBIG)
                return -ENOENT;
        return r < 0 ? r : crypto_certificates_end(buf_text(&text), text.len, ret_ms);
}

static void check_authority(const Config *c, const Place *at, const char *path, int64_t now_ms,
                            Diag *diag) {
        int64_t end_ms = 0;
        char day[16];
        if (!path)
                return;
        int r = precheck_authority(path, &end_ms);
        if (r == -EBADMSG)
                warn(c, diag, at, "%s holds no certificate", path);
        else if (r < 0 && r != -ENOENT)
                warn(c, diag, at, "%s cannot be read from here (%s)", path, strerror(-r));
        else if (r >= 0 && end_ms < now_ms + PRECHECK_DAYS * MS_PER_DAY)
                warn(c, diag, at, "the certificates of %s end on %s: no connection after that",
                     path, day_format(day, day_of_instant(end_ms)));
}

static void check_disk(const Config *c, Diag *diag) {
        int64_t bytes = file_free_bytes(c->daemon.state_dir);
        Place at = {"daemon", "", "state_dir", c->daemon.file, c->daemon.line};
        if (bytes >= 0 && bytes < PRECHECK_DISK_BYTES)
                warn(c, diag, &at, "only %d MB of disk left (%s)", (int) (bytes >> 20),
                     c->daemon.state_dir);
}

/* One beneath state_dir is made by the daemon; elsewhere it may not write before somebody allows it. */
static void check_backup(const Config *c, Diag *diag) {
        const char *dir = c->daemon.backup_dir, *state = c->daemon.state_dir;
        Place at = {"daemon", "", "backup_dir", c->daemon.file, c->daemon.line};
        size_t n = strlen(state);
        struct stat st;
        if (!dir || (strncmp(dir, state, n) == 0 && dir[n] == '/'))
                return;
        if (stat(dir, &st) < 0 && errno == ENOENT)
                warn(c, diag, &at,
                     "there is no directory %s; make it, owned by the daemon's user, or no backup "
                     "is kept",
                     dir);
        else if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
                warn(c, diag, &at, "%s is no directory, so that no backup is kept", dir);
}

static const RecipientDef *find_recipient(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_recipients; i++)
                if (streq(c->recipients[i].name, name))
                        return &c->recipients[i];
        return NULL;
}

static bool has_address(const RecipientDef *rec, const char *address) {
        for (size_t i = 0; i < rec->n_emails; i++)
                if (streq(rec->emails[i], address) || streq(rec->emails[i], "registry"))
                        return true;
        return streq_ptr(rec->webhook, address) || streq_ptr(rec->webhook, "registry");
}

/* Those that the configuration still names: a changed address is tried again. */
static void check_bounces(const Config *c, Store *store, Diag *diag) {
        TargetRow *targets = NULL;
        size_t n = 0;
        if (store_targets_marked(store, &targets, &n) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                const RecipientDef *rec = find_recipient(c, targets[i].recipient);
                if (!rec || !has_address(rec, targets[i].address))
                        continue;
                Place at = {"recipient", rec->name, targets[i].channel, rec->file, rec->line};
                warn(c, diag, &at, "%s was refused (%s); nothing is sent there until it is mended",
                     targets[i].key, str_or(targets[i].reason, "-"));
        }
        target_rows_free(targets, n);
}

static void check_certificates(Store *store, Diag *diag) {
        Episode *e = NULL;
        size_t n = 0;
        EpisodeFilter filter = {.rule = "warning", .is_live = true, .is_subject = true};
        if (store_episodes(store, &filter, &e, &n) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                TransitionRow *rows = NULL;
                size_t n_rows = 0;
                static const char prefix[] = "warning:certificate/";
                if (strncmp(str_or(e[i].subject, ""), prefix, strlen(prefix)) != 0 ||
                    store_transitions(store, e[i].id, &rows, &n_rows) < 0)
                        continue;
                if (n_rows > 0)
                        diag_warning(diag, NULL, 0, "certificate", "%s",
                                     str_or(rows[0].reason, e[i].subject));
                transition_rows_free(rows, n_rows);
        }
        store_episodes_free(e, n);
}

static void check_memory(const Config *c, Diag *diag) {
        Store CLEANUP(store_closep) *store = NULL;
        Diag CLEANUP(diag_done) ignored = DIAG_INIT;
        char CLEANUP_FREE *path = file_join(c->daemon.state_dir, "chisod.db");
        if (!path || store_open_reader(path, &ignored, &store) != 0)
                return;
        (void) define_check(c, store, diag); /* what cannot be read is the daemon's to tell */
        check_bounces(c, store, diag);
        check_certificates(store, diag);
}

void precheck_machine(const Config *c, int64_t now_ms, Diag *diag) {
        check_disk(c, diag);
        check_backup(c, diag);
        check_authority(c, &(Place){"smtp", "", "ca_file", c->smtp.file, c->smtp.line},
                        c->smtp.ca_file, now_ms, diag);
        check_authority(c, &(Place){"network", "", "ca_file", c->network.file, c->network.line},
                        c->network.ca_file, now_ms, diag);
        check_memory(c, diag);
}
