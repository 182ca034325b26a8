/* What will be trouble if nobody does anything: told while there is still time.
 *
 * Each kind that comes with time is an operator's episode of its own (rule "warning"), so that it is
 * told once and its end as well; the rest stands in status and in the weekly report. */
#include "flow/warn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "flow/judge.h"
#include "flow/precheck.h"
#include "os/file.h"
#include "store/alert.h"
#include "store/outbox.h"

#define RULE "warning"
#define SAID(app, vi, en) (app_is_vi(app) ? (vi) : (en))

typedef struct Search {
        App *app;
        int64_t now_ms;
        Day today;
        Warnings *list;
} Search;

void warn_done(Warnings *w) {
        free(w->items);
        *w = (Warnings){0};
}

static Warning *add(const Search *s, const char *kind, const char *name, bool is_told) {
        Warnings *l = s->list;
        if (ARRAY_GROW(l->items, l->cap, l->n + 1) < 0)
                return NULL;
        Warning *w = &l->items[l->n++];
        *w = (Warning){.is_told = is_told};
        (void) snprintf(w->subject, sizeof w->subject, "warning:%s%s%s", kind, *name ? "/" : "",
                        name);
        return w;
}

/* Both are format literals of the same arguments. */
#define WARN(s, kind, name, is_told, vi, en, ...)                                                  \
        ({                                                                                         \
                Warning *w_ = add((s), (kind), (name), (is_told));                                 \
                if (w_ && app_is_vi((s)->app))                                                     \
                        (void) snprintf(w_->text, sizeof w_->text, vi, __VA_ARGS__);               \
                else if (w_)                                                                       \
                        (void) snprintf(w_->text, sizeof w_->text, en, __VA_ARGS__);               \
                w_ ? 0 : -ENOMEM;                                                                  \
        })

static int find_configuration(const Search *s) {
        const AppHealth *health = &s->app->health;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < health->n_warnings; i++) {
                char number[24];
                (void) snprintf(number, sizeof number, "%zu", i + 1);
                Warning *w = add(s, "configuration", number, false);
                if (w)
                        (void) snprintf(w->text, sizeof w->text, "%s", health->warnings[i]);
                r = w ? 0 : -ENOMEM;
        }
        return r;
}

/* The holidays of a year are announced late in the one before: until December it is only shown. */
static int find_calendar(const Search *s) {
        Civil civil = civil_from_day(s->today);
        if (config_has_days_off(s->app->config, civil.year + 1))
                return 0;
        return WARN(s, "calendar", "", civil.month == 12,
                    "lịch nghỉ năm %d chưa có trong [calendar] off: thư sẽ gửi cả vào ngày lễ",
                    "no day off of %d stands in [calendar] off: mails will leave on holidays",
                    civil.year + 1);
}

static int find_rules(const Search *s) {
        const Config *c = s->app->config;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                Day left = rule->until ? period_end(rule->until) - s->today : -1;
                char day[16];
                if (rule->is_off || left < 0 || left > PRECHECK_DAYS)
                        continue;
                r = WARN(s, "until", rule->name, true,
                         "quy tắc %s chỉ còn hiệu lực đến %s: cần quy định ngưỡng tiếp theo",
                         "rule %s ends on %s: write what holds afterwards", rule->name,
                         day_format_vi(day, period_end(rule->until) - 1));
        }
        return r;
}

static bool has_address(const RecipientDef *rec, const Unit *u) {
        for (size_t i = 0; i < rec->n_emails; i++)
                if (!streq(rec->emails[i], "registry") || u->n_emails > 0)
                        return true;
        return rec->webhook && (!streq(rec->webhook, "registry") || u->webhook);
}

static int find_addresses(const Search *s) {
        const Config *c = s->app->config;
        const UnitRegistry *units = &s->app->units;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < c->n_recipients; i++) {
                const RecipientDef *rec = &c->recipients[i];
                UnitSelection CLEANUP(unit_selection_done) selected = {0};
                size_t n = 0, of = 0, first = 0;
                if (!rec->is_each)
                        continue;
                r = unit_selection_init(&selected, units, &rec->units, s->today);
                for (size_t u = 0; r >= 0 && u < units->n; u++) {
                        if (!unit_selection_has(&selected, units, units->units[u].id))
                                continue;
                        of++;
                        if (has_address(rec, &units->units[u]))
                                continue;
                        first = n++ ? first : u;
                }
                if (r >= 0 && n > 0)
                        r = WARN(s, "address", rec->name, false,
                                 "%zu/%zu đơn vị của [recipient %s] chưa có địa chỉ (%s%s)",
                                 "%zu of %zu units of [recipient %s] have no address (%s%s)", n, of,
                                 rec->name,
                                 app_unit_label(s->app, units->units[first].id, s->today),
                                 n > 1 ? ", ..." : "");
        }
        return r;
}

/* Each is told when its message dies; here they are counted, for as long as nobody mended them. */
static int find_bounces(const Search *s) {
        TargetRow *targets = NULL;
        size_t n = 0;
        int r = store_targets_marked(s->app->reader, &targets, &n);
        if (r >= 0 && n > 0)
                r = WARN(s, "bounced", "", false,
                         "%zu địa chỉ bị từ chối, không gửi nữa cho đến khi sửa (%s%s)",
                         "%zu addresses were refused, nothing is sent there until they are mended "
                         "(%s%s)",
                         n, targets[0].key, n > 1 ? ", ..." : "");
        target_rows_free(targets, n);
        return MIN(r, 0);
}

#define CERTIFICATE "warning:certificate/"

static bool is_seen(const MuxCertificate *c, size_t n, const char *host) {
        for (size_t i = 0; i < n; i++)
                if (streq(c[i].host, host))
                        return true;
        return false;
}

/* A start does not mend a certificate: what was told of a peer stands until it shows another. */
static int find_remembered(const Search *s, const MuxCertificate *seen, size_t n_seen) {
        EpisodeFilter filter = {.rule = RULE, .is_live = true, .is_subject = true};
        Episode *e = NULL;
        size_t n = 0;
        int r = store_episodes(s->app->reader, &filter, &e, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *subject = str_or(e[i].subject, "");
                const char *host = subject + strlen(CERTIFICATE);
                TransitionRow *rows = NULL;
                size_t n_rows = 0;
                if (strncmp(subject, CERTIFICATE, strlen(CERTIFICATE)) != 0 ||
                    is_seen(seen, n_seen, host))
                        continue;
                r = store_transitions(s->app->reader, e[i].id, &rows, &n_rows);
                Warning *w = r >= 0 && n_rows > 0 ? add(s, "certificate", host, true) : NULL;
                if (w)
                        (void) snprintf(w->text, sizeof w->text, "%s",
                                        str_or(rows[0].reason, subject));
                else if (n_rows > 0)
                        r = -ENOMEM;
                transition_rows_free(rows, n_rows);
        }
        store_episodes_free(e, n);
        return MIN(r, 0);
}

static int find_certificates(const Search *s) {
        size_t n = 0;
        const MuxCertificate *c = s->app->mux ? mux_certificates(s->app->mux, &n) : NULL;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                char day[16];
                if (c[i].expires_ms - s->now_ms > PRECHECK_DAYS * MS_PER_DAY)
                        continue;
                r = WARN(s, "certificate", c[i].host, true,
                         "chứng thư TLS của %s hết hạn ngày %s: sau đó không kết nối được",
                         "the TLS certificate of %s expires on %s: no connection after that",
                         c[i].host, day_format_vi(day, day_of_instant(c[i].expires_ms)));
        }
        return r < 0 ? r : find_remembered(s, c, n);
}

static int find_authority(const Search *s, const char *section, const char *path) {
        int64_t end_ms = 0;
        char day[16];
        if (!path || precheck_authority(path, &end_ms) < 0 ||
            end_ms - s->now_ms > PRECHECK_DAYS * MS_PER_DAY)
                return 0;
        return WARN(s, "authority", section, true,
                    "chứng thư trong %s hết hạn ngày %s: sau đó không kết nối được",
                    "the certificates of %s end on %s: no connection after that", path,
                    day_format_vi(day, day_of_instant(end_ms)));
}

static int find_authorities(const Search *s) {
        const char *mail = s->app->config->smtp.ca_file, *all = s->app->config->network.ca_file;
        int r = find_authority(s, "smtp", mail);
        return r < 0 || streq_ptr(mail, all) ? r : find_authority(s, "network", all);
}

/* A silence of everything is easily forgotten: nobody hears of anything, this included. */
static int find_silences(const Search *s) {
        SilenceRow *rows = NULL;
        size_t n = 0;
        int r = store_silences(s->app->reader, s->now_ms, &rows, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const SilenceRow *row = &rows[i];
                char until[24], number[24];
                if (row->rule || row->unit || row->parent || row->severity != SEVERITY_NONE)
                        continue;
                (void) snprintf(number, sizeof number, "%lld", (long long) row->id);
                (void) instant_format_vi(until, row->until_ms);
                r = WARN(s, "silence", number, false,
                         "mọi thông báo đang tạm im đến %s (chisoctl silence end %s)",
                         "everything is silenced until %s (chisoctl silence end %s)", until,
                         number);
        }
        silence_rows_free(rows, n);
        return MIN(r, 0);
}

static int find_disk(const Search *s) {
        int64_t bytes = file_free_bytes(s->app->config->daemon.state_dir);
        if (bytes < 0 || bytes >= PRECHECK_DISK_BYTES)
                return 0;
        return WARN(s, "disk", "", true, "ổ đĩa chỉ còn %d MB (%s)", "only %d MB of disk left (%s)",
                    (int) (bytes >> 20), s->app->config->daemon.state_dir);
}

int warn_find(App *app, int64_t now_ms, Warnings *ret) {
        static int (*const finders[])(const Search *) = {
                find_disk,    find_certificates, find_authorities,
                find_rules,   find_calendar,     find_addresses,
                find_bounces, find_silences,     find_configuration};
        const Search s = {
                .app = app, .now_ms = now_ms, .today = day_of_instant(now_ms), .list = ret};
        int first_error = 0;
        for (size_t i = 0; i < ELEMENTSOF(finders); i++) {
                int r = finders[i](&s);
                first_error = first_error < 0 ? first_error : MIN(r, 0);
        }
        return first_error;
}

/* ---- telling --------------------------------------------------------------------------------- */

static const Warning *find_subject(const Warnings *w, const char *subject) {
        for (size_t i = 0; i < w->n; i++)
                if (w->items[i].is_told && streq(w->items[i].subject, subject))
                        return &w->items[i];
        return NULL;
}

static bool is_open(const Episode *e, size_t n, const char *subject) {
        for (size_t i = 0; i < n; i++)
                if (streq_ptr(e[i].subject, subject))
                        return true;
        return false;
}

static int tell_inside(App *app, int64_t now_ms, const Warnings *w, const Episode *e, size_t n) {
        StepId step = 0;
        int r = store_step(app->store, CAUSE_DEADLINE, now_ms, &step);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!find_subject(w, e[i].subject))
                        r = judge_subject(app, step, now_ms, RULE, e[i].subject, false,
                                          e[i].severity,
                                          SAID(app, "không còn nữa", "no longer so"));
        for (size_t i = 0; r >= 0 && i < w->n; i++)
                if (w->items[i].is_told && !is_open(e, n, w->items[i].subject))
                        r = judge_subject(app, step, now_ms, RULE, w->items[i].subject, true,
                                          SEVERITY_WARNING, w->items[i].text);
        return r;
}

static bool is_different(const Warnings *w, const Episode *e, size_t n) {
        bool is = false;
        for (size_t i = 0; i < n; i++)
                is = is || !find_subject(w, e[i].subject);
        for (size_t i = 0; i < w->n; i++)
                is = is || (w->items[i].is_told && !is_open(e, n, w->items[i].subject));
        return is;
}

int warn_tell(App *app, int64_t now_ms) {
        Warnings CLEANUP(warn_done) w = {0};
        Episode *e = NULL;
        size_t n = 0;
        int r = warn_find(app, now_ms, &w);
        if (r >= 0)
                r = store_episodes(
                        app->store,
                        &(EpisodeFilter){.rule = RULE, .is_live = true, .is_subject = true}, &e,
                        &n);
        if (r < 0 || !is_different(&w, e, n)) {
                store_episodes_free(e, n);
                return MIN(r, 0);
        }
        r = store_begin(app->store);
        if (r >= 0)
                r = tell_inside(app, now_ms, &w, e, n);
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                store_rollback(app->store);
        store_episodes_free(e, n);
        return r;
}
