/* One door to the journal.
 *
 * journald is spoken to directly only when it is the one that reads our stderr ($JOURNAL_STREAM
 * names the device and inode of it, systemd.exec(5)); in a shell, a test or a pipe the same line
 * goes to stderr as text. The message is formatted first and made printable as a whole: published
 * names pass through many places, and a single `%s` that was forgotten would be enough to forge a
 * line. */
#include "os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/text.h"

#define LOG_MAX_MESSAGE ((size_t) 8 << 10)
#define LOG_MAX_FIELD ((size_t) 512)

static struct {
        const char *identifier;
        bool is_verbose;
        bool is_journal;
} log_state = {.identifier = "chisod"};

static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat st;
        char own[64];

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void) snprintf(own, sizeof own, "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return streq(own, stream);
}

void log_init(const char *identifier, bool is_verbose) {
        log_state.identifier = identifier;
        log_state.is_verbose = is_verbose;
        log_state.is_journal = stderr_is_journal();
}

static int append_field(Buf *b, const char *name, const char *value) {
        int r = buf_printf(b, "%s=", name);
        return r < 0 ? r : text_append_printable(b, value, strnlen(value, LOG_MAX_FIELD));
}

static int send_journal(int level, const LogFields *f, const char *message) {
        const struct {
                const char *name, *value;
        } fields[] = {
                {"MESSAGE_ID", f ? f->message_id : NULL},
                {"CHISO_SOURCE", f ? f->source : NULL},
                {"CHISO_RULE", f ? f->rule : NULL},
                {"CHISO_UNIT", f ? f->unit : NULL},
                {"CHISO_TARGET", f ? f->target : NULL},
                {"SYSLOG_IDENTIFIER", log_state.identifier},
        };
        Buf texts[ELEMENTSOF(fields) + 2];
        struct iovec iov[ELEMENTSOF(texts)];
        int n = 0, r;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                texts[i] = BUF_INIT(4 * LOG_MAX_MESSAGE);
        r = buf_printf(&texts[0], "MESSAGE=%s", message);
        if (r >= 0)
                r = buf_printf(&texts[1], "PRIORITY=%d", level);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fields); i++)
                if (fields[i].value)
                        r = append_field(&texts[i + 2], fields[i].name, fields[i].value);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(texts); i++)
                if (texts[i].len > 0)
                        iov[n++] = (struct iovec){texts[i].data, texts[i].len};
        if (r >= 0)
                r = sd_journal_sendv(iov, n);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                buf_done(&texts[i]);
        return r;
}

void log_full(int level, const LogFields *fields, const char *format, ...) {
        CLEANUP(buf_done) Buf message = BUF_INIT(4 * LOG_MAX_MESSAGE);
        char raw[LOG_MAX_MESSAGE];
        const char *text = "(out of memory)";
        va_list ap;
        int n;

        if (level == LOG_DEBUG && !log_state.is_verbose)
                return;
        va_start(ap, format);
        n = vsnprintf(raw, sizeof raw, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        if (text_append_printable(&message, raw, MIN((size_t) n, sizeof raw - 1)) >= 0)
                text = buf_text(&message);
        if (log_state.is_journal && send_journal(level, fields, text) >= 0)
                return;
        (void) fprintf(stderr, "%s: %s\n", log_state.identifier, text);
}
