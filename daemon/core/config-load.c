/* From files to one Config: reads every file by layer, runs the builders in the order of what they
 * need, then warns.
 *
 * Builders go on after an error, so that one run finds everything; only running out of memory stops
 * it. What is handed out is complete or not at all. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/config-internal.h"

/* ---- sections of which there is one ---------------------------------------------------------- */

static int view_single(Build *b, View *v, const char *kind) {
        *v = (View){.kind = kind, .name = ""};
        int r = view_add_all(b, v, kind, "", LAYERS_OWN);
        return r == 0 ? store_view(b, v, b->config) : r;
}

/* "Mon 08:00" or "6 08:00": blanks between two words, the second a time. */
static bool is_weekday_and_time(const char *text) {
        size_t n = strcspn(text, " ");
        unsigned minute;
        return clock_parse(text + n + strspn(text + n, " "), &minute) == 0 &&
               value_weekday(text, n) >= 0;
}

/* "6 08:00" */
static bool read_day_and_time(const char *text, unsigned *ret_day, unsigned *ret_minute) {
        size_t n = strcspn(text, " ");
        int64_t day;
        if (clock_parse(text + n + strspn(text + n, " "), ret_minute) < 0 || n > 2 ||
            decimal_parse(text, n, DECIMAL_DOT, 0, &day) != 0 || day < 1 || day > 28)
                return false;
        *ret_day = (unsigned) day;
        return true;
}

/* Of a text that is_day_and_time. */
static void read_weekday_and_time(const char *text, Config *c) {
        size_t n = strcspn(text, " ");
        unsigned minute = 0;
        (void) clock_parse(text + n + strspn(text + n, " "), &minute);
        c->daemon.report_weekday = (unsigned) value_weekday(text, n);
        c->daemon.report_minute = (int) minute;
}

static bool is_host_port(const char *text) {
        const char *colon = strrchr(text, ':');
        int64_t port;
        return colon && colon > text &&
               decimal_parse(colon + 1, strlen(colon + 1), DECIMAL_DOT, 0, &port) == 0 &&
               port >= 1 && port <= 65535;
}

/* Of a section that is written once, for what is found of it later. */
static void find_place(const View *v, const char **ret_file, unsigned *ret_line) {
        *ret_file = v->head ? v->head->file : NULL;
        *ret_line = v->head ? v->head->line : 0;
}

/* The daemon's working directory is nobody's choice: a path that begins there is never meant. */
static void check_absolute(Build *b, const View *v, const char *key) {
        const Entry *e = view_get(v, key);
        if (e && e->value[0] != '/')
                say_entry(b, DIAG_ERROR, v, e, "\"%s\" is no absolute path; begin it with /",
                          e->value);
}

static int build_daemon(Build *b) {
        View v;
        Config *c = b->config;
        int r = view_single(b, &v, "daemon");
        if (r < 0)
                return r;
        find_place(&v, &c->daemon.file, &c->daemon.line);
        check_absolute(b, &v, "state_dir");
        check_absolute(b, &v, "backup_dir");
        c->daemon.organization = str_or(c->daemon.organization, "");
        c->daemon.contact = str_or(c->daemon.contact, "");
        c->daemon.language = streq(view_text(&v, "language", "vi"), "en") ? "en" : "vi";
        c->daemon.operator_report = view_text(&v, "operator_report", NULL);
        if (c->daemon.operator_report && !is_weekday_and_time(c->daemon.operator_report))
                say_entry(b, DIAG_ERROR, &v, view_get(&v, "operator_report"),
                          "\"%s\" is not valid; write it as Mon 08:00", c->daemon.operator_report);
        else if (c->daemon.operator_report)
                read_weekday_and_time(c->daemon.operator_report, c);
        if (c->daemon.http_listen && !is_host_port(c->daemon.http_listen))
                say_entry(b, DIAG_ERROR, &v, view_get(&v, "http_listen"),
                          "\"%s\" is not valid; write it as 127.0.0.1:8766", c->daemon.http_listen);
        return 0;
}

static int build_network(Build *b) {
        View v;
        int r = view_single(b, &v, "network");
        if (r < 0)
                return r;
        find_place(&v, &b->config->network.file, &b->config->network.line);
        b->config->network.user_agent = "chisod/" CHISO_VERSION;
        return r;
}

static int build_smtp(Build *b) {
        View v;
        Config *c = b->config;
        int r = view_single(b, &v, "smtp");
        if (r < 0)
                return r;
        find_place(&v, &c->smtp.file, &c->smtp.line);
        const Entry *from = view_get(&v, "from");
        if (c->smtp.url && !from)
                say_view(b, DIAG_ERROR, &v, "from",
                         "is missing; write the sender as Name <user@host>");
        if (from && !strchr(from->value, '@') && !value_is_secret(from->value))
                say_entry(b, DIAG_ERROR, &v, from,
                          "\"%s\" holds no address; write Name <user@host>", from->value);
        if (c->smtp.password && !c->smtp.username)
                say_view(b, DIAG_ERROR, &v, "username", "is missing, while a password is written");
        return 0;
}

static int build_letter(Build *b) {
        View v;
        Config *c = b->config;
        int r = view_single(b, &v, "letter");
        if (r < 0)
                return r;
        c->letter.at = view_text(&v, "at", NULL);
        if (c->letter.at && !read_day_and_time(c->letter.at, &c->letter.day, &c->letter.minute))
                say_entry(
                        b, DIAG_ERROR, &v, view_get(&v, "at"),
                        "\"%s\" is not valid; write day of the month (1..28) and time, as 6 08:00",
                        c->letter.at);
        if (c->letter.at && c->letter.n_to == 0)
                say_view(b, DIAG_WARNING, &v, "to", "nobody gets the letter; it is only stored");
        for (size_t i = 0; i < c->letter.n_to; i++)
                if (!strchr(c->letter.to[i], '@') && !value_is_secret(c->letter.to[i]))
                        say_word(b, &v, "to", c->letter.to[i],
                                 "\"%s\" is no address; write user@host", c->letter.to[i]);
        return 0;
}

/* "5 years", "1 year", "5"; `forever` is 0 where it is allowed. */
static void read_years(Build *b, const View *v, const char *key, bool is_forever_allowed,
                       int *ret) {
        const Entry *e = view_get(v, key);
        int64_t years;
        if (!e)
                return;
        if (is_forever_allowed && streq(e->value, "forever")) {
                *ret = 0;
                return;
        }
        size_t n = strspn(e->value, "0123456789");
        const char *rest = e->value + n + strspn(e->value + n, " ");
        bool is_word = !*rest || streq(rest, "year") || streq(rest, "years");
        if (!is_word || decimal_parse(e->value, n, DECIMAL_DOT, 0, &years) != 0 || years < 1 ||
            years > 100)
                say_entry(b, DIAG_ERROR, v, e, "\"%s\" is not valid; it must be %s", e->value,
                          e->key->range[0] ? e->key->range : "N years");
        else
                *ret = (int) years;
}

static int build_retention(Build *b) {
        View v;
        int r = view_single(b, &v, "retention");
        b->config->retention.message_body_years = 5;
        if (r < 0)
                return r;
        read_years(b, &v, "messages", false, &b->config->retention.message_body_years);
        read_years(b, &v, "bodies", true, &b->config->retention.body_years);
        return 0;
}

/* ---- warnings -------------------------------------------------------------------------------- */

static bool kinds_meet(const UnitSelector *a, const UnitSelector *b) {
        if (a->n_kinds == 0 || b->n_kinds == 0)
                return true;
        for (size_t i = 0; i < a->n_kinds; i++)
                for (size_t k = 0; k < b->n_kinds; k++)
                        if (streq(a->kinds[i], b->kinds[k]))
                                return true;
        return false;
}

/* Could the recipient ever hear the rule, as far as the configuration tells? A recipient of a
 * province may hear of its communes, so that only selectors of disjoint kinds are sure to be deaf.
 */
static bool may_hear(const RecipientDef *r, const RuleDef *rule) {
        if (r->is_letter || (rule->is_operator && r->role != ROLE_OPERATOR))
                return false;
        return rule->is_operator || kinds_meet(&r->units, &rule->units);
}

static void warn_rules(Build *b) {
        const Config *c = b->config;
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                bool is_heard = rule->is_off || rule->is_letter_only;
                for (size_t k = 0; !is_heard && k < c->n_recipients; k++)
                        is_heard = may_hear(&c->recipients[k], rule);
                View v = {.kind = "rule", .name = rule->name};
                Section at = {.file = rule->file, .line = rule->line};
                v.head = &at;
                if (!is_heard)
                        say_view(b, DIAG_WARNING, &v, NULL,
                                 "no recipient hears this rule; add one, or set `off = yes`");
        }
}

/* A file that says nothing, or only begins to, is no error; but nobody is served by it. */
static void warn_absent(Build *b) {
        const Config *c = b->config;
        if (!*c->daemon.organization)
                say_at(b, DIAG_WARNING, c->daemon.file, c->daemon.line, "daemon.organization",
                       "is missing; write who sends the letters: organization = UBND ...");
        if (c->n_sources == 0)
                say_at(b, DIAG_WARNING, NULL, 0, "source",
                       "there is none, so that nothing is fetched and nothing judged; add [source "
                       "NAME] with a preset, or run `chisoctl setup`");
        for (size_t i = 0; i < c->n_recipients; i++)
                if (c->recipients[i].role == ROLE_OFFICIAL && !c->recipients[i].is_letter)
                        return;
        say_at(b, DIAG_WARNING, NULL, 0, "recipient",
               "there is no official, so that nobody hears of an alert; add [recipient NAME] with "
               "`units` and `email`");
}

static void warn_operator(Build *b) {
        const Config *c = b->config;
        for (size_t i = 0; i < c->n_recipients; i++)
                if (c->recipients[i].role == ROLE_OPERATOR)
                        return;
        say_at(b, DIAG_WARNING, NULL, 0, "recipient",
               "there is no operator; add a recipient with `role = operator`, or nobody hears of "
               "failures");
}

bool config_has_days_off(const Config *c, int year) {
        Day first = day_from_civil(year, 1, 1), last = day_from_civil(year, 12, 31);
        for (size_t i = 0; i < c->calendar.n_off; i++)
                if (c->calendar.off[i].first <= last && c->calendar.off[i].last >= first)
                        return true;
        return false;
}

static void warn_calendar(Build *b) {
        int next = civil_from_day(b->today).year + 1;
        if (config_has_days_off(b->config, next))
                return;
        View v = {.kind = "calendar", .name = ""};
        (void) view_add_all(b, &v, "calendar", "", LAYERS_OWN); /* only for its line */
        say_view(b, DIAG_WARNING, &v, "off",
                 "no day off of %d is known; add the holidays when they are announced", next);
}

/* ---- all together ---------------------------------------------------------------------------- */

static int read_all(Build *b, const ConfigFile *files, size_t n) {
        for (int layer = CONFIG_BASE; layer <= CONFIG_DROPIN; layer++)
                for (size_t i = 0; i < n; i++) {
                        int r = files[i].layer == (ConfigLayer) layer ? config_read(b, &files[i])
                                                                      : 0;
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int build_all(Build *b) {
        static int (*const builders[])(Build *) = {
                build_daemon,    build_network, build_smtp,         build_calendar,   build_letter,
                build_retention, build_bands,   build_source_views, build_indicators, build_sources,
                build_derived,   build_rules,   build_eras,         build_recipients,
        };
        for (size_t i = 0; i < ELEMENTSOF(builders); i++) {
                int r = builders[i](b);
                if (r < 0)
                        return r;
        }
        warn_absent(b);
        warn_operator(b);
        /* With no source no rule watches anything: said once is enough. */
        if (b->config->n_sources > 0)
                warn_rules(b);
        warn_calendar(b);
        return 0;
}

int config_load(const ConfigFile *files, size_t n, Day today, Diag *diag, Config **ret) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Config *config = arena ? arena_alloc(arena, 1, sizeof *config) : NULL;
        if (!config)
                return -ENOMEM;
        Build b = {.config = config, .arena = arena, .diag = diag, .today = today};
        int r = read_all(&b, files, n);
        if (r == 0)
                r = build_all(&b);
        if (r == 0 && arena_is_exhausted(arena))
                r = -ENOMEM;
        if (r == 0 && b.n_errors > 0)
                r = -EINVAL;
        if (r < 0)
                return r;
        config->sections = b.sections;
        config->n_sections = b.n_sections;
        config->arena = TAKE_PTR(arena);
        *ret = config;
        return 0;
}

void config_free(Config *c) {
        if (c)
                arena_free(c->arena);
}

/* ---- presets --------------------------------------------------------------------------------- */

static bool names_hold(char **names, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (streq(names[i], name))
                        return true;
        return false;
}

static void names_free(char **names, size_t n) {
        for (size_t i = 0; names && i < n; i++)
                free(names[i]);
        free(names);
}

/* Only plain names: the caller makes a file name of them. */
static int collect_presets(Build *b, char ***ret, size_t *ret_n) {
        const char **sources;
        size_t n_sources, n = 0;
        int r = view_names(b, "source", &sources, &n_sources);
        if (r < 0)
                return r;
        char **names = calloc(n_sources + 1, sizeof *names);
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < n_sources; i++) {
                View v = {.kind = "source", .name = sources[i]};
                r = view_add_all(b, &v, "source", sources[i], LAYERS_OWN);
                const char *preset = view_text(&v, "preset", "");
                if (r < 0 || !value_is_name(preset, strlen(preset)) || names_hold(names, n, preset))
                        continue;
                names[n] = strdup(preset);
                r = names[n++] ? 0 : -ENOMEM;
        }
        if (r < 0) {
                names_free(names, n);
                return r;
        }
        *ret = names;
        *ret_n = n;
        return 0;
}

int config_presets(const ConfigFile *files, size_t n, char ***ret_names, size_t *ret_n) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return -ENOMEM;
        Build b = {.arena = arena};
        int r = read_all(&b, files, n);
        return r < 0 ? r : collect_presets(&b, ret_names, ret_n);
}

/* ---- look-ups -------------------------------------------------------------------------------- */

int config_indicator(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_indicators; i++)
                if (streq(c->indicators[i].name, name))
                        return (int) i;
        return -1;
}

int config_rule(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_rules; i++)
                if (streq(c->rules[i].name, name))
                        return (int) i;
        return -1;
}

int config_source(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_sources; i++)
                if (streq(c->sources[i].name, name))
                        return (int) i;
        return -1;
}

bool config_place(const Config *c, const char *kind, const char *name, const char *key,
                  const char **ret_file, unsigned *ret_line) {
        bool is_found = false;
        for (size_t i = 0; i < c->n_sections; i++) {
                const Section *s = c->sections[i];
                if (s->preset || !streq(s->kind, kind) || !streq(s->name, name))
                        continue;
                for (const Entry *e = s->first; e; e = e->next) {
                        if (!streq(e->name, key))
                                continue;
                        *ret_file = s->file;
                        *ret_line = e->line;
                        is_found = true;
                }
        }
        return is_found;
}
