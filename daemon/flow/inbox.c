/* An event names the one file that is complete; its neighbours may still be being written. The
 * folder is listed only at start, when events were lost, and after a failure of the database. */
#include "flow/inbox.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "flow/cycle.h"
#include "flow/import.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"

#define RETRY_US (30 * UINT64_C(1000000))

typedef struct Folder {
        Inbox *inbox;
        size_t source;
        sd_event_source *watch;
} Folder;

struct Inbox {
        App *app;
        Folder *folders;
        size_t n;
        sd_event_source *retry;
};

static const SourceDef *source_of(const Folder *f) {
        return &f->inbox->app->config->sources[f->source];
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_word(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first part of the name, from a word's beginning up to some separator, that is a period. */
static int period_of_name(const char *name, PeriodId *ret) {
        size_t stem = (size_t) (strrchr(name, '.') - name);
        for (size_t i = 0; i < stem; i++) {
                if (i > 0 && is_word(name[i - 1]))
                        continue;
                for (size_t end = stem; end > i; end--) {
                        char text[16];
                        if (end - i >= sizeof text || (end < stem && is_word(name[end])))
                                continue;
                        memcpy(text, name + i, end - i);
                        text[end - i] = '\0';
                        if (period_parse(text, ret) == 0)
                                return 0;
                }
        }
        return -EINVAL;
}

typedef enum FileKind {
        FILE_OTHER, /* still being written, or nobody's */
        FILE_TABLE,
        FILE_BOOK, /* what people would think is taken, too */
} FileKind;

static FileKind kind_of(const char *name) {
        static const char *const tables[] = {".csv", ".json"};
        static const char *const books[] = {".xlsx", ".xlsm", ".xls", ".ods"};
        const char *dot = strrchr(name, '.');
        if (!dot || name[0] == '.' || strncmp(name, "~$", 2) == 0) /* of an open workbook */
                return FILE_OTHER;
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                if (strcasecmp(dot, tables[i]) == 0)
                        return FILE_TABLE;
        for (size_t i = 0; i < ELEMENTSOF(books); i++)
                if (strcasecmp(dot, books[i]) == 0)
                        return FILE_BOOK;
        return FILE_OTHER;
}

static bool is_mine(const Folder *f, const char *name) {
        const Config *c = f->inbox->app->config;
        const SourceDef *own = source_of(f);
        size_t n = strlen(own->name);
        bool is_shared = false;
        for (size_t i = 0; i < c->n_sources; i++)
                is_shared |= i != f->source && c->sources[i].kind == SOURCE_INBOX &&
                             streq(c->sources[i].inbox, own->inbox);
        return !is_shared || (strncmp(name, own->name, n) == 0 && !is_word(name[n]));
}

/* ---- one file -------------------------------------------------------------------------------- */

static int move_to(const Folder *f, const char *name, const char *folder, int64_t now_ms) {
        char CLEANUP_FREE *dir = file_join(source_of(f)->inbox, folder);
        char CLEANUP_FREE *from = file_join(source_of(f)->inbox, name);
        char CLEANUP_FREE *to = dir ? file_join(dir, name) : NULL;
        if (!from || !to)
                return -ENOMEM;
        int r = file_mkdir(dir, 0770);
        if (r >= 0 && access(to, F_OK) == 0) { /* an earlier one of that name stays */
                char *other = NULL;
                if (asprintf(&other, "%s.%lld", to, (long long) now_ms) < 0)
                        return -ENOMEM;
                free(to);
                to = other;
        }
        if (r >= 0 && rename(from, to) < 0)
                r = -errno;
        return r;
}

static int say_refused(const ImportCounts *counts, FetchResult *result) {
        if (counts->n_refused == 0)
                return 0;
        const ImportRefusal *first = &counts->refused[0];
        return asprintf(&result->reason, "%zu of %zu rows refused; line %u, column %u: %s",
                        counts->n_refused, counts->n_rows, first->line, first->column,
                        first->text) < 0
                       ? -ENOMEM
                       : 0;
}

static int refused_result(const ImportFile *file, const char *reason, FetchResult **ret) {
        FetchResult CLEANUP(fetch_result_freep) *result = calloc(1, sizeof *result);
        if (!result)
                return -ENOMEM;
        *result = (FetchResult){.source = file->source,
                                .scope = file->scope,
                                .period = file->period,
                                .fault = FETCH_CONTENT,
                                .bytes = (int64_t) file->size,
                                .started_ms = clock_now_ms()};
        result->reason = strdup(reason);
        if (!result->reason)
                return -ENOMEM;
        *ret = TAKE_PTR(result);
        return 0;
}

static int read_result(Folder *f, const ImportFile *file, FetchResult **ret) {
        if (kind_of(file->name) == FILE_BOOK)
                return refused_result(file,
                                      "a workbook: the inbox takes CSV and JSON; save the sheet as "
                                      "CSV (UTF-8), or give the file to chisoctl import",
                                      ret);
        ImportCounts CLEANUP(import_counts_done) counts = {0};
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int r = import_check_period(f->inbox->app->config, file, day_of_instant(clock_now_ms()),
                                    &diag);
        if (r == 0)
                r = import_read(f->inbox->app, file, &diag, &counts, ret);
        if (r == 0)
                return say_refused(&counts, *ret);
        return r < 0 ? r : refused_result(file, diag_first_error(&diag, "rejected"), ret);
}

static int evaluate(Folder *f, const ImportFile *file, bool *ret_is_used) {
        App *app = f->inbox->app;
        FetchResult CLEANUP(fetch_result_freep) *result = NULL;
        PoliteState polite = {0};
        CycleReport report;
        int r = store_polite_get(app->store, source_of(f)->name, &polite);
        if (r >= 0)
                r = read_result(f, file, &result);
        if (r < 0)
                return r;
        *ret_is_used = result->fault == FETCH_OK;
        polite = (PoliteState){.failures = *ret_is_used ? 0 : polite.failures + 1,
                               .last = result->fault};
        r = cycle_evaluate(app, result, &polite, clock_now_ms(), &report);
        if (r >= 0 && !*ret_is_used)
                log_full(LOG_WARNING,
                         &(LogFields){.source = source_of(f)->name,
                                      .message_id = LOG_ID_SNAPSHOT_REJECTED},
                         "%s: %s is refused (%s), moved to refused/", source_of(f)->name,
                         file->name, str_or(result->reason, "?"));
        app_wake(app);
        return r;
}

/* A file that says no period, or is too large, is nobody's attempt: it is moved aside and logged. */
static int take(Folder *f, const char *name) {
        const SourceDef *source = source_of(f);
        Buf CLEANUP(buf_done) bytes = BUF_INIT(source->max_body);
        ImportFile file = {.source = f->source, .scope = source->scopes[0], .name = name};
        LogFields fields = {.source = source->name, .message_id = LOG_ID_SNAPSHOT_REJECTED};
        char CLEANUP_FREE *path = file_join(source->inbox, name);
        bool is_used = false;
        if (!path)
                return -ENOMEM;
        int r = period_of_name(name, &file.period);
        if (r < 0) {
                log_full(LOG_WARNING, &fields,
                         "%s: the name of %s says no period (2024-08, 2024-Q3), moved to refused/",
                         source->name, name);
        } else {
                r = file_read(path, source->max_body, &bytes);
                if (r < 0)
                        log_full(LOG_WARNING, &fields,
                                 "%s: %s cannot be read (%s), moved to refused/", source->name,
                                 name, strerror(-r));
        }
        if (r >= 0) {
                file.data = buf_text(&bytes);
                file.size = bytes.len;
                r = evaluate(f, &file, &is_used);
                if (r < 0)
                        return r;
        }
        return move_to(f, name, is_used ? "done" : "refused", clock_now_ms());
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata);

static void look_later(Inbox *inbox) {
        if (!inbox->retry)
                (void) sd_event_add_time_relative(inbox->app->event, &inbox->retry, CLOCK_BOOTTIME,
                                                  RETRY_US, 1000, on_retry, inbox);
        else if (sd_event_source_set_time_relative(inbox->retry, RETRY_US) >= 0)
                (void) sd_event_source_set_enabled(inbox->retry, SD_EVENT_ONESHOT);
}

static int take_all(Folder *f) {
        char **names = NULL;
        size_t n = 0;
        int r = file_list(source_of(f)->inbox, "", &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (kind_of(names[i]) != FILE_OTHER && is_mine(f, names[i]))
                        r = take(f, names[i]);
        file_names_free(names, n);
        return r;
}

static void conclude(Folder *f, int r) {
        if (r >= 0)
                return;
        log_error("%s: inbox %s cannot be worked off (%s), looking again in 30 s",
                  source_of(f)->name, source_of(f)->inbox, strerror(-r));
        look_later(f->inbox);
}

static void look(Folder *f) {
        conclude(f, take_all(f));
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        Inbox *inbox = userdata;
        (void) s;
        (void) usec;
        for (size_t i = 0; i < inbox->n; i++)
                look(&inbox->folders[i]);
        return 0;
}

static int on_event(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        Folder *f = userdata;
        (void) s;
        if (event->mask & IN_Q_OVERFLOW)
                look(f);
        else if (event->len > 0 && kind_of(event->name) != FILE_OTHER && is_mine(f, event->name))
                conclude(f, take(f, event->name));
        return 0;
}

static int watch(Folder *f) {
        const char *dir = source_of(f)->inbox;
        int r = file_mkdir(dir, 0770);
        if (r >= 0)
                r = sd_event_add_inotify(f->inbox->app->event, &f->watch, dir,
                                         IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR, on_event, f);
        if (r < 0) {
                log_error("%s: inbox %s cannot be watched: %s", source_of(f)->name, dir,
                          strerror(-r));
                return r;
        }
        look(f);
        return 0;
}

void inbox_free(Inbox *inbox) {
        if (!inbox)
                return;
        for (size_t i = 0; i < inbox->n; i++)
                sd_event_source_disable_unref(inbox->folders[i].watch);
        sd_event_source_disable_unref(inbox->retry);
        free(inbox->folders);
        free(inbox);
}

/* An inbox that cannot be watched does not keep the other sources from being asked. */
int inbox_new(App *app, Inbox **ret) {
        Inbox CLEANUP(inbox_freep) *inbox = calloc(1, sizeof *inbox);
        if (!inbox)
                return -ENOMEM;
        inbox->app = app;
        inbox->folders = calloc(app->config->n_sources + 1, sizeof *inbox->folders);
        if (!inbox->folders)
                return -ENOMEM;
        for (size_t i = 0; i < app->config->n_sources; i++) {
                if (app->config->sources[i].kind != SOURCE_INBOX)
                        continue;
                Folder *f = &inbox->folders[inbox->n++];
                *f = (Folder){.inbox = inbox, .source = i};
                (void) watch(f);
        }
        *ret = TAKE_PTR(inbox);
        return 0;
}
