/* Rule tests: the script. Publisher and people are here; time, the rooms and the postman are in
 * rehearse-world.c. The series is kept as what was published last, so that a script names only what
 * changes. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "flow/cycle.h"
#include "flow/judge.h"
#include "flow/rehearse-world.h"
#include "flow/teller.h"
#include "os/file.h"
#include "store/alert.h"

#define FILE_MAX ((size_t) 1 << 20)
#define LINE_WORDS 512u

static int do_at(Rehearsal *h, char **words, size_t n) {
        char text[64];
        int64_t at = 0;
        (void) snprintf(text, sizeof text, "%sT%s:00+07:00", n > 1 ? words[1] : "",
                        n > 2 ? words[2] : "00:00");
        if (n < 2 || instant_parse(text, &at) < 0)
                return rehearse_complain(h, "write at YYYY-MM-DD HH:MM");
        if (!h->app.store) {
                h->now_ms = at;
                return rehearse_open(h);
        }
        if (at < h->now_ms)
                return rehearse_complain(
                        h, "this lies before the time that was reached; the clock only goes on");
        if (day_of_instant(at) - day_of_instant(h->now_ms) <= REHEARSE_MAX_DAYS)
                return rehearse_go_to(h, at);
        (void) rehearse_complain(h,
                                 "more than %d days after the time before; `off until` passes over "
                                 "time in which nothing runs",
                                 REHEARSE_MAX_DAYS);
        return -EINVAL;
}

/* ---- publishing ------------------------------------------------------------------------------ */

static Cell *find_cell(Rehearsal *h, PeriodId period, size_t indicator, const char *unit) {
        for (size_t i = 0; i < h->n_cells; i++)
                if (h->cells[i].period == period && h->cells[i].indicator == indicator &&
                    streq(h->cells[i].unit, unit))
                        return &h->cells[i];
        return NULL;
}

static int set_cell(Rehearsal *h, PeriodId period, size_t indicator, char *word) {
        char *equals = strchr(word, '=');
        Cell cell = {.indicator = indicator, .period = period, .value = VALUE_NONE};
        const IndicatorDef *d = &h->app.config->indicators[indicator];
        if (!equals || equals == word || (size_t) (equals - word) >= sizeof cell.unit)
                return rehearse_complain(h, "\"%s\": write UNIT=VALUE", word);
        *equals = '\0';
        (void) snprintf(cell.unit, sizeof cell.unit, "%s", word);
        const char *value = equals + 1;
        if (streq(value, "gone"))
                cell.why = WHY_GONE;
        else if (streq(value, "empty"))
                cell.why = WHY_EMPTY;
        else if (streq(value, "-"))
                cell.why = WHY_MISSING;
        else if (decimal_parse(value, strlen(value), DECIMAL_DOT, d->decimals, &cell.value) != 0)
                return rehearse_complain(h, "\"%s\" is no number", value);
        Cell *old = find_cell(h, period, indicator, cell.unit);
        if (old) {
                *old = cell;
                return 0;
        }
        int r = ARRAY_GROW(h->cells, h->cap_cells, h->n_cells + 1);
        if (r >= 0)
                h->cells[h->n_cells++] = cell;
        return MIN(r, 0);
}

static int find_unit(Snapshot *s, const char *code, size_t *ret) {
        for (size_t i = 0; i < s->n_units; i++)
                if (streq(s->units[i].code, code)) {
                        *ret = i;
                        return 0;
                }
        s->units[s->n_units] =
                (DecodedUnit){.code = strdup(code), .name = strdup(code), .kind = "commune"};
        *ret = s->n_units++;
        return s->units[*ret].code && s->units[*ret].name ? 0 : -ENOMEM;
}

/* The cells of the period as one snapshot; what has no cell has no value. */
static int make_snapshot(Rehearsal *h, size_t source, PeriodId period, Snapshot **ret) {
        Snapshot CLEANUP(snapshot_freep) *s = NULL;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int r = snapshot_new(h->app.config, source, &s);
        if (r < 0)
                return r;
        size_t n = h->n_cells + 1, cells = n * MAX(s->n_columns, 1u);
        s->units = calloc(n, sizeof *s->units);
        s->value = calloc(cells, sizeof *s->value);
        s->why = calloc(cells, sizeof *s->why);
        if (!s->units || !s->value || !s->why)
                return -ENOMEM;
        s->cap_units = s->cap_rows = n;
        if (s->delta) { /* nothing is printed here */
                free(s->delta);
                s->delta = NULL;
        }
        for (size_t i = 0; i < cells; i++) {
                s->value[i] = VALUE_NONE;
                s->why[i] = WHY_MISSING;
        }
        for (size_t i = 0; r >= 0 && i < h->n_cells; i++) {
                const Cell *cell = &h->cells[i];
                int column = snapshot_column(s, cell->indicator);
                size_t u = 0;
                if (cell->period != period || column < 0 || cell->why == WHY_GONE)
                        continue;
                r = find_unit(s, cell->unit, &u);
                s->value[u * s->n_columns + (size_t) column] = cell->value;
                s->why[u * s->n_columns + (size_t) column] = (uint8_t) cell->why;
                s->n_values += cell->value != VALUE_NONE;
        }
        if (r >= 0)
                r = decode_finish(s, h->app.config, source, &diag);
        if (r != 0)
                return r < 0 ? r : rehearse_complain(h, "%s", diag_first_error(&diag, "rejected"));
        *ret = TAKE_PTR(s);
        return 0;
}

static int evaluate(Rehearsal *h, size_t source, PeriodId period, FetchFault fault,
                    const char *reason) {
        const SourceDef *def = &h->app.config->sources[source];
        FetchResult result = {.source = source,
                              .scope = def->n_scopes ? def->scopes[0] : "",
                              .period = period,
                              .fault = fault,
                              .http_status = 200,
                              .reason = reason ? strdup(reason) : NULL,
                              .started_ms = h->now_ms};
        PoliteState polite = {0};
        CycleReport report;
        int r = store_polite_get(h->app.store, def->name, &polite);
        if (r >= 0 && fault == FETCH_OK)
                r = make_snapshot(h, source, period, &result.snapshot);
        polite.failures = fault == FETCH_OK ? 0 : polite.failures + 1;
        if (r >= 0 && (result.snapshot || fault != FETCH_OK))
                r = cycle_evaluate(&h->app, &result, &polite, h->now_ms, &report);
        if (r >= 0 && fault == FETCH_OK && result.snapshot && report.outcome == OUTCOME_SUSPECT)
                r = rehearse_complain(h, "the snapshot is suspect: %s", report.reason);
        if (result.snapshot)
                snapshot_free(result.snapshot);
        free(result.reason);
        return r < 0 ? r : rehearse_follow(h);
}

static int do_publish(Rehearsal *h, char **words, size_t n) {
        const Config *c = h->app.config;
        PeriodId period = 0;
        int indicator = -1;
        if (n < 2 || period_parse(words[1], &period) < 0)
                return rehearse_complain(h, "write publish PERIOD INDICATOR UNIT=VALUE ...");
        for (size_t i = 2; i < n; i++) {
                if (!strchr(words[i], '=')) {
                        indicator = config_indicator(c, words[i]);
                        if (indicator < 0)
                                return rehearse_complain(h, "no indicator \"%s\"", words[i]);
                        continue;
                }
                if (indicator < 0)
                        return rehearse_complain(h, "an indicator is missing before \"%s\"",
                                                 words[i]);
                int r = set_cell(h, period, (size_t) indicator, words[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; indicator < 0 && i < h->n_cells; i++)
                if (h->cells[i].period == period)
                        indicator = (int) h->cells[i].indicator;
        if (indicator < 0 || c->indicators[indicator].source < 0)
                return rehearse_complain(h, "nothing to publish, or no source publishes it");
        return evaluate(h, (size_t) c->indicators[indicator].source, period, FETCH_OK, NULL);
}

static int do_fail(Rehearsal *h, char **words, size_t n) {
        int i = n > 1 ? config_source(h->app.config, words[1]) : -1;
        if (i < 0)
                return rehearse_complain(h, "write fail SOURCE REASON");
        PeriodId period =
                period_last_ended(h->app.config->sources[i].periods[0], day_of_instant(h->now_ms));
        return evaluate(h, (size_t) i, period, FETCH_CONTENT, n > 2 ? words[2] : "made up");
}

static int write_config(Rehearsal *h, const char *text, size_t n) {
        h->config_path = file_join(h->dir, "chisod.conf");
        FILE *f = h->config_path ? fopen(h->config_path, "we") : NULL;
        if (!f)
                return h->config_path ? -errno : -ENOMEM;
        int r = fwrite(text, 1, n, f) == n ? 0 : -EIO;
        return fclose(f) == 0 ? r : -EIO;
}

/* " ; " separates several keys of one section. */
static void split_keys(char *text) {
        for (char *p = strstr(text, " ; "); p; p = strstr(p, " ; "))
                p[0] = p[1] = p[2] = '\n';
}

/* The configuration's own section gets another name: what `formerly` speaks of. Of the same length or
 * not; takes effect with the next reload. */
static int do_rename(Rehearsal *h, const char *rest) {
        Buf CLEANUP(buf_done) text = BUF_INIT(FILE_MAX), out = BUF_INIT(FILE_MAX);
        const char *end = strchr(rest, ']'), *to = end ? strchr(end, '[') : NULL;
        char CLEANUP_FREE *old = end ? strndup(rest, (size_t) (end + 1 - rest)) : NULL;
        if (!old || !to)
                return rehearse_complain(h, "write rename [SECTION] [SECTION]");
        int r = file_read(h->config_path, FILE_MAX, &text);
        char *found = r < 0 ? NULL : strstr(buf_text(&text), old);
        if (r >= 0 && !found)
                return rehearse_complain(h, "there is no %s", old);
        if (r >= 0)
                r = buf_append(&out, buf_text(&text), (size_t) (found - buf_text(&text)));
        if (r >= 0)
                r = buf_str(&out, to);
        if (r >= 0)
                r = buf_str(&out, found + strlen(old));
        if (r < 0)
                return r;
        free(h->config_path);
        h->config_path = NULL;
        return write_config(h, buf_text(&out), out.len);
}

/* ---- what people do -------------------------------------------------------------------------- */

/* Each reload is a drop-in of its own: a later one wins per key. */
static int write_dropin(Rehearsal *h, const char *section, int n_section, const char *keys) {
        char CLEANUP_FREE *dir = NULL, *path = NULL;
        if (asprintf(&dir, "%s.d", h->config_path) < 0 ||
            asprintf(&path, "%s.d/90-%03zu.conf", h->config_path, h->n_reloads++) < 0)
                return -ENOMEM;
        int r = file_mkdir(dir, 0700);
        FILE *f = r < 0 ? NULL : fopen(path, "we");
        if (!f)
                return r < 0 ? r : -errno;
        r = fprintf(f, "%.*s\n%s\n", n_section, section, keys) < 0 ? -EIO : 0;
        return fclose(f) != 0 ? -EIO : r;
}

static int do_reload(Rehearsal *h, char *rest) {
        char *end = strchr(rest, ']');
        if (*rest && (*rest != '[' || !end))
                return rehearse_complain(h, "write reload [SECTION] KEY = VALUE");
        int r = 0;
        if (*rest) {
                char *keys = end + 1 + strspn(end + 1, " ");
                split_keys(keys);
                r = write_dropin(h, rest, (int) (end + 1 - rest), keys);
        }
        if (r >= 0)
                r = rehearse_load(h);
        if (r == -EINVAL)
                return 0; /* told already */
        return r < 0 ? r : rehearse_follow(h);
}

static int do_restart(Rehearsal *h) {
        rehearse_close(h);
        int r = rehearse_open(h);
        return r < 0 ? r : rehearse_follow(h);
}

/* Nothing runs meanwhile: no midnight is judged and no digest held. */
static int do_off(Rehearsal *h, char **words, size_t n) {
        char text[64];
        int64_t until = 0;
        (void) snprintf(text, sizeof text, "%sT%s:00+07:00", n > 2 ? words[2] : "",
                        n > 3 ? words[3] : "");
        if (n < 4 || !streq(words[1], "until") || instant_parse(text, &until) < 0)
                return rehearse_complain(h, "write off until YYYY-MM-DD HH:MM");
        if (until < h->now_ms)
                return rehearse_complain(h, "the clock only goes on");
        rehearse_close(h);
        h->now_ms = until;
        int r = rehearse_open(h);
        return r < 0 ? r : rehearse_follow(h);
}

static int name_unit(Rehearsal *h, const char *text, UnitId *ret) {
        if (unit_find(&h->app.units, text, day_of_instant(h->now_ms), ret, NULL) == 0)
                return 0;
        (void) rehearse_complain(h, "no unit \"%s\"", text);
        return -EINVAL;
}

static int add_silence(Rehearsal *h, const SilenceRow *row) {
        StepId step = 0;
        int64_t id = 0;
        int r = store_begin(h->app.store);
        if (r >= 0)
                r = store_step(h->app.store, CAUSE_SILENCE, h->now_ms, &step);
        if (r >= 0)
                r = store_silence_add(h->app.store, step, row, &id);
        if (r >= 0)
                r = store_commit(h->app.store);
        if (r < 0)
                store_rollback(h->app.store);
        return r < 0 ? r : rehearse_follow(h);
}

static int do_silence(Rehearsal *h, char **words, size_t n) {
        SilenceRow row = {.from_ms = h->now_ms, .author = (char *) "test", .note = (char *) ""};
        char text[64];
        (void) snprintf(text, sizeof text, "%sT00:00:00+07:00", n > 2 ? words[2] : "");
        if (n < 3 || !streq(words[1], "until") || instant_parse(text, &row.until_ms) < 0)
                return rehearse_complain(h, "write silence until YYYY-MM-DD [rule=R] [unit=U]");
        for (size_t i = 3; i < n; i++) {
                char *value = strchr(words[i], '=');
                int r = 0;
                if (!value)
                        return rehearse_complain(
                                h, "\"%s\": write rule=, unit=, parent= or severity=", words[i]);
                *value++ = '\0';
                if (streq(words[i], "rule"))
                        row.rule = value;
                else if (streq(words[i], "severity"))
                        row.severity =
                                streq(value, "critical") ? SEVERITY_CRITICAL : SEVERITY_WARNING;
                else
                        r = name_unit(h, value, streq(words[i], "unit") ? &row.unit : &row.parent);
                if (r < 0)
                        return 0;
        }
        return add_silence(h, &row);
}

static int do_ack(Rehearsal *h, char **words, size_t n) {
        UnitId unit = 0;
        Episode *e = NULL;
        size_t n_e = 0, done = 0;
        StepId step = 0;
        if (n < 3)
                return rehearse_complain(h, "write ack UNIT RULE");
        if (name_unit(h, words[1], &unit) < 0)
                return 0;
        int r = store_episodes(h->app.store, &(EpisodeFilter){.rule = words[2], .is_live = true},
                               &e, &n_e);
        if (r >= 0)
                r = store_begin(h->app.store);
        if (r >= 0)
                r = store_step(h->app.store, CAUSE_ACKNOWLEDGE, h->now_ms, &step);
        for (size_t i = 0; r >= 0 && i < n_e; i++)
                if (e[i].unit == unit && e[i].state == EPISODE_OPEN) {
                        r = store_ack_add(h->app.store, step, e[i].id, "test", "", 0);
                        done++;
                }
        if (r >= 0)
                r = store_commit(h->app.store);
        if (r < 0)
                store_rollback(h->app.store);
        store_episodes_free(e, n_e);
        if (r >= 0 && done == 0)
                return rehearse_complain(h, "no open alert of %s under %s", words[1], words[2]);
        return r < 0 ? r : rehearse_follow(h);
}

static int do_release(Rehearsal *h, char **words, size_t n) {
        int i = n > 1 ? config_rule(h->app.config, words[1]) : -1;
        size_t released = 0;
        if (i < 0)
                return rehearse_complain(h, "write release RULE");
        int r = judge_release(&h->app, (size_t) i, h->now_ms, &released);
        if (r >= 0 && released == 0)
                return rehearse_complain(h, "nothing is held under %s", words[1]);
        return r < 0 ? r : rehearse_follow(h);
}

static int do_go_live(Rehearsal *h, bool is_announce) {
        json_t *answer = NULL;
        int r = teller_go_live(&h->app, h->now_ms, is_announce, false, &answer);
        json_decref(answer);
        return r < 0 ? r : rehearse_follow(h);
}

static int do_mail(Rehearsal *h, const char *word) {
        static const char *const names[] = {"ok", "dead", "maybe", "down"};
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], word)) {
                        h->fate = (Fate) i;
                        return i == FATE_OK ? rehearse_follow(h) : 0;
                }
        return rehearse_complain(h, "write mail ok | dead | maybe | down");
}

/* ---- expecting ------------------------------------------------------------------------------- */

static bool is_subject(const char *line) {
        return strncmp(line, "subject ", 8) == 0;
}

static int do_expect(Rehearsal *h, const char *pattern) {
        bool is_wanted = is_subject(pattern);
        while (h->head < h->n_output && !is_wanted && is_subject(h->output[h->head]))
                h->head++;
        const char *got = h->head < h->n_output ? h->output[h->head] : NULL;
        if (!got)
                return rehearse_complain(h, "expected \"%s\", and nothing more happened", pattern);
        if (fnmatch(pattern, got, 0) != 0) {
                int r = rehearse_complain(h, "expected \"%s\", got \"%s\"", pattern, got);
                h->head++;
                return r;
        }
        h->head++;
        return 0;
}

/* Whatever nobody expected, before the next thing happens. */
static int check_rest(Rehearsal *h) {
        int r = 0;
        for (; r >= 0 && h->head < h->n_output; h->head++)
                if (!is_subject(h->output[h->head]))
                        r = rehearse_complain(h, "not expected: \"%s\"", h->output[h->head]);
        for (size_t i = 0; i < h->n_output; i++)
                free(h->output[i]);
        h->n_output = h->head = 0;
        return r;
}

/* ---- the script ------------------------------------------------------------------------------ */

static size_t split(char *line, char **words) {
        size_t n = 0;
        char *save = NULL;
        for (char *w = strtok_r(line, " \t", &save); w && n < LINE_WORDS;
             w = strtok_r(NULL, " \t", &save))
                words[n++] = w;
        return n;
}

static int run_action(Rehearsal *h, char *line) {
        char *words[LINE_WORDS] = {line};
        char *rest = line + strcspn(line, " \t");
        rest += strspn(rest, " \t");
        if (!h->app.store && strncmp(line, "at ", 3) != 0)
                return rehearse_complain(h, "begin with at YYYY-MM-DD HH:MM");
        if (strncmp(line, "reload", 6) == 0)
                return do_reload(h, rest);
        if (strncmp(line, "rename ", 7) == 0)
                return do_rename(h, rest);
        size_t n = split(line, words);
        const char *second = n > 1 ? words[1] : "";
        if (streq(words[0], "at"))
                return do_at(h, words, n);
        if (streq(words[0], "publish"))
                return do_publish(h, words, n);
        if (streq(words[0], "fail"))
                return do_fail(h, words, n);
        if (streq(words[0], "restart"))
                return do_restart(h);
        if (streq(words[0], "off"))
                return do_off(h, words, n);
        if (streq(words[0], "silence"))
                return do_silence(h, words, n);
        if (streq(words[0], "ack"))
                return do_ack(h, words, n);
        if (streq(words[0], "release"))
                return do_release(h, words, n);
        if (streq(words[0], "go-live"))
                return do_go_live(h, streq(second, "announce"));
        if (streq(words[0], "mail"))
                return do_mail(h, second);
        return rehearse_complain(h, "\"%s\" is no action", words[0]);
}

static int run_line(Rehearsal *h, char *line) {
        size_t n = strlen(line);
        while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
                line[--n] = '\0';
        line += strspn(line, " \t");
        if (!*line || *line == '#')
                return 0;
        if (strncmp(line, "expect ", 7) == 0)
                return do_expect(h, line + 7);
        int r = check_rest(h);
        return r < 0 ? r : run_action(h, line);
}

static int run_script(Rehearsal *h, char *script, unsigned first) {
        int r = 0;
        h->line = first;
        for (char *line = script; r >= 0 && line; h->line++) {
                char *next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                r = run_line(h, line);
                line = next;
        }
        h->line--;
        return r < 0 ? r : check_rest(h);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int run_text(Rehearsal *h, char *text, const char *config_path) {
        char *line = strncmp(text, "---\n", 4) == 0 ? text : strstr(text, "\n---\n");
        unsigned first = 2;
        if (!line)
                return rehearse_complain(
                        h, "a line \"---\" must stand between configuration and script");
        line += *line == '\n';
        for (const char *p = text; p < line; p++)
                first += *p == '\n';
        int r = 0;
        if (line == text)
                h->config_path = strdup(str_or(config_path, "/etc/chisod/chisod.conf"));
        else
                r = write_config(h, text, (size_t) (line - text));
        if (!h->config_path)
                return -ENOMEM;
        return r < 0 ? r : run_script(h, line + 4, first);
}

int rehearse_run(const char *path, const char *config_path, Buf *out) {
        Rehearsal CLEANUP(rehearse_done) h = {.path = path, .out = out, .line = 1};
        Buf CLEANUP(buf_done) text = BUF_INIT(FILE_MAX);
        int r = file_read(path, FILE_MAX, &text);
        if (r < 0)
                return r;
        r = rehearse_prepare(&h);
        if (r < 0)
                return r;
        char CLEANUP_FREE *copy = strdup(buf_text(&text));
        r = copy ? run_text(&h, copy, config_path) : -ENOMEM;
        if (r == -EINVAL && h.n_failed > 0)
                r = 0; /* told already */
        return r < 0 ? r : h.n_failed > 0;
}
