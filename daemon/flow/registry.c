/* The list and the decisions are written into the tables row by row; the registry in memory is read
 * again from them, inside the transaction, so that what is judged is what will be committed. A trial
 * is the same, taken back.
 *
 * A row means a unit: by its key, else by its code on the first (or else last) day it names. A code
 * with a later `from` than its holder's is other territory: a unit of its own with the key
 * NAMESPACE:CODE@FROM, and the holder's code ends there (the reform of 2025 gave 2,162 codes to other
 * territory). */
#include "flow/registry.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/sheet.h"
#include "flow/judge.h"
#include "flow/registry-private.h"
#include "flow/teller.h"
#include "flow/watch.h"
#include "os/log.h"
#include "store/registry.h"

/* Both are format literals of the same arguments. */
#define REFUSE(c, line, vi, en, ...)                                                               \
        (app_is_vi((c)->app) ? diag_error((c)->diag, NULL, (line), NULL, vi, ##__VA_ARGS__)        \
                             : diag_error((c)->diag, NULL, (line), NULL, en, ##__VA_ARGS__),       \
         REGISTRY_E_REFUSED)
#define LIST_SEPARATORS " ,;|"

typedef struct RegistryRow {
        unsigned line;
        const char *cell[N_COLUMNS]; /* of the sheet; "" */
        Day from, until;             /* DAY_EVER, DAY_OPEN when not written */
        UnitId unit;                 /* after the first pass */
        char namespace_[64], code[128];
} RegistryRow;

typedef struct Change {
        App *app;
        StepId step;
        int64_t now_ms;
        Day today;
        Diag *diag;
        RegistryReport *report;
        RegistryRow *rows;
        size_t n;
} Change;

void registry_report_done(RegistryReport *r) {
        for (size_t i = 0; i < r->n; i++) {
                free(r->changes[i].unit);
                free(r->changes[i].what);
                free(r->changes[i].old);
                free(r->changes[i].now);
        }
        free(r->changes);
        *r = (RegistryReport){0};
}

static int note(Change *c, const char *unit, const char *what, const char *old, const char *now) {
        RegistryReport *r = c->report;
        int e = ARRAY_GROW(r->changes, r->cap, r->n + 1);
        if (e < 0)
                return e;
        RegistryChange *made = &r->changes[r->n++];
        made->unit = strdup(unit);
        made->what = strdup(what);
        made->old = old ? strdup(old) : NULL;
        made->now = now ? strdup(now) : NULL;
        bool is_whole = made->unit && made->what && (!old || made->old) && (!now || made->now);
        return is_whole ? 0 : -ENOMEM;
}

static const char *key_of(const Change *c, UnitId id) {
        const Unit *u = id ? unit_get(&c->app->units, id) : NULL;
        return u ? u->key : "";
}

static int reload(App *app) {
        UnitRegistry fresh = {0};
        int r = store_units_load(app->store, &fresh);
        if (r < 0)
                return r;
        unit_registry_done(&app->units);
        app->units = fresh;
        return 0;
}

/* ---- codes ----------------------------------------------------------------------------------- */

static const Unit *holder_of(const UnitRegistry *r, const char *namespace_, const char *code,
                             Day day) {
        for (size_t i = 0; i < r->n; i++)
                for (size_t j = 0; j < r->units[i].n_codes; j++) {
                        const UnitCode *k = &r->units[i].codes[j];
                        if (streq(k->code, code) && streq(k->namespace_, namespace_) &&
                            k->from <= day && day < k->until)
                                return &r->units[i];
                }
        return NULL;
}

/* A bare code belongs to the namespace of the sources, when they have one only. */
static int split_code(Change *c, const char *text, size_t n, unsigned line, RegistryRow *row) {
        const Config *config = c->app->config;
        const char *colon = memchr(text, ':', n);
        const char *space = config->n_sources ? config->sources[0].namespace_ : "";
        size_t n_space = strlen(space);
        for (size_t i = 1; !colon && i < config->n_sources; i++)
                if (!streq(config->sources[i].namespace_, space))
                        return REFUSE(c, line,
                                      "mã %.*s: viết NAMESPACE:MÃ, các nguồn dùng nhiều hệ mã",
                                      "code %.*s: write NAMESPACE:CODE, the sources "
                                      "have several namespaces",
                                      (int) n, text);
        if (colon) {
                space = text;
                n_space = (size_t) (colon - text);
                n -= n_space + 1;
                text = colon + 1;
        }
        if (n_space == 0 || n == 0 || n_space >= sizeof row->namespace_ || n >= sizeof row->code)
                return REFUSE(c, line, "'%.*s' không phải mã", "'%.*s' is no code", (int) n, text);
        memcpy(row->namespace_, space, n_space);
        row->namespace_[n_space] = '\0';
        memcpy(row->code, text, n);
        row->code[n] = '\0';
        return 0;
}

/* In memory too: the rows that follow ask who has a code. */
static int end_code(Change *c, const Unit *holder, const RegistryRow *row, Day until) {
        Unit *u = unit_get(&c->app->units, holder->id);
        for (size_t i = 0; i < u->n_codes; i++)
                if (streq(u->codes[i].code, row->code) &&
                    streq(u->codes[i].namespace_, row->namespace_) && u->codes[i].until > until)
                        u->codes[i].until = until;
        return store_unit_code_end(c->app->store, holder->id, row->namespace_, row->code, until);
}

static int add_code(Change *c, const Unit *u, const RegistryRow *row, Day from, Day until) {
        const Unit *holder = holder_of(&c->app->units, row->namespace_, row->code,
                                       from == DAY_EVER ? MIN(until - 1, c->today) : from);
        char text[200];
        if (holder && holder->id == u->id)
                return 0;
        (void) snprintf(text, sizeof text, "%s:%s", row->namespace_, row->code);
        if (holder && from == DAY_EVER)
                return REFUSE(c, row->line, "%s đang là mã của %s: viết ngày bắt đầu là mã của %s",
                              "%s belongs to %s: write the day from which it is "
                              "%s's",
                              text, holder->key, u->key);
        int r = holder ? end_code(c, holder, row, from) : 0;
        if (r >= 0)
                r = store_unit_code_add(c->app->store, c->step, u->id, row->namespace_, row->code,
                                        from, until);
        if (r >= 0)
                r = unit_add_code(&c->app->units, u->id, row->namespace_, row->code, from, until);
        return r < 0 ? r : note(c, u->key, "code", holder ? holder->key : NULL, text);
}

static int end_codes(Change *c, const Unit *u, Day until) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < u->n_codes; i++)
                if (u->codes[i].until > until)
                        r = store_unit_code_end(c->app->store, u->id, u->codes[i].namespace_,
                                                u->codes[i].code, until);
        return r;
}

/* ---- reading the list ------------------------------------------------------------------------ */

static int read_day(Change *c, const RegistryRow *row, Column column, Day otherwise, Day *ret) {
        const char *text = row->cell[column];
        *ret = otherwise;
        if (!*text || day_parse(text, ret) == 0)
                return 0;
        return REFUSE(c, row->line, "%s '%s' không phải ngày: viết 2025-07-01",
                      "%s '%s' is no day: write 2025-07-01", registry_columns[column], text);
}

static int read_row(Change *c, const Sheet *s, size_t i, const int place[static N_COLUMNS],
                    RegistryRow *row) {
        row->line = s->lines[i];
        for (size_t k = 0; k < N_COLUMNS; k++) {
                const char *cell = place[k] < 0 ? "" : sheet_cell(s, i, (size_t) place[k]);
                row->cell[k] = *cell == '\'' && text_is_formula(cell) ? cell + 1 : cell;
        }
        int r = read_day(c, row, COLUMN_FROM, DAY_EVER, &row->from);
        if (r == 0)
                r = read_day(c, row, COLUMN_UNTIL, DAY_OPEN, &row->until);
        if (r == 0 && row->from >= row->until)
                r = REFUSE(c, row->line, "until phải sau from", "until is not after from");
        const char *code = row->cell[COLUMN_CODE];
        if (r == 0 && *code)
                r = split_code(c, code, strcspn(code, LIST_SEPARATORS), row->line, row);
        if (r == 0 && !*code && !*row->cell[COLUMN_KEY])
                r = REFUSE(c, row->line, "dòng không có khóa (key) cũng không có mã (code)",
                           "the row has neither a key nor a code");
        return r;
}

static int read_rows(Change *c, const Sheet *s) {
        int place[N_COLUMNS];
        for (size_t k = 0; k < N_COLUMNS; k++) {
                place[k] = -1;
                for (size_t i = 0; i < s->n_columns; i++)
                        if (streq(str_or(sheet_role(sheet_cell(s, 0, i)), ""), registry_columns[k]))
                                place[k] = (int) i;
        }
        c->rows = calloc(s->n_rows, sizeof *c->rows);
        if (!c->rows)
                return -ENOMEM;
        int r = 0;
        for (size_t i = 1; r == 0 && i < s->n_rows; i++)
                r = read_row(c, s, i, place, &c->rows[c->n++]);
        return r;
}

/* ---- first pass: every row has its unit ------------------------------------------------------ */

static const Unit *by_key(const UnitRegistry *r, const char *key) {
        for (size_t i = 0; i < r->n; i++)
                if (streq(r->units[i].key, key))
                        return &r->units[i];
        return NULL;
}

static const Unit *unit_of(const Change *c, const RegistryRow *row, char key[static 256]) {
        const UnitRegistry *units = &c->app->units;
        char day[16];
        if (*row->cell[COLUMN_KEY]) {
                (void) snprintf(key, 256, "%s", row->cell[COLUMN_KEY]);
                return by_key(units, key);
        }
        Day on = row->from != DAY_EVER    ? row->from
                 : row->until != DAY_OPEN ? row->until - 1
                                          : c->today;
        const Unit *u = holder_of(units, row->namespace_, row->code, on);
        (void) snprintf(key, 256, "%s:%s", row->namespace_, row->code);
        if (u && (row->from == DAY_EVER || u->from >= row->from))
                return u;
        if ((u || by_key(units, key)) && row->from != DAY_EVER)
                (void) snprintf(key, 256, "%s:%s@%s", row->namespace_, row->code,
                                day_format(day, row->from));
        return by_key(units, key);
}

static bool is_key(const char *key) {
        for (const char *p = key; *p; p++)
                if (*p <= ' ' || *p >= 0x7f || *p == ',' || *p == ';' || *p == '|')
                        return false;
        return *key != '\0';
}

static int make_unit(Change *c, RegistryRow *row) {
        const char *kind = row->cell[COLUMN_KIND];
        CLEANUP_FREE char *bare = NULL;
        char key[256];
        const Unit *u = unit_of(c, row, key);
        if (u) {
                row->unit = u->id;
                return 0;
        }
        if (!is_key(key))
                return REFUSE(c, row->line, "khóa '%s': chữ ASCII không dấu, không khoảng trắng",
                              "key '%s': ASCII without blanks", key);
        if (!*row->cell[COLUMN_NAME])
                return REFUSE(c, row->line, "%s là đơn vị mới mà không có tên",
                              "%s is new and has no name", key);
        int r = *kind ? 0 : unit_name_split(row->cell[COLUMN_NAME], &bare, &kind);
        if (r < 0)
                return r;
        if (!*kind)
                return REFUSE(c, row->line, "%s là đơn vị mới mà không rõ loại (kind)",
                              "%s is new and has no kind", key);
        r = store_unit_add(c->app->store, c->step, key, kind, 0, row->from, row->until, &row->unit);
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, row->unit, row->cell[COLUMN_NAME],
                                        DAY_EVER, DAY_OPEN, false);
        if (r >= 0)
                r = unit_add(&c->app->units, row->unit, key, kind, 0, row->from, row->until, NULL);
        return r < 0 ? r : note(c, key, "new", NULL, row->cell[COLUMN_NAME]);
}

/* ---- second pass: what the rows say ---------------------------------------------------------- */

static int set_day(Change *c, const Unit *u, const char *what, Day old, Day now) {
        char a[16], b[16];
        return old == now ? 0 : note(c, u->key, what, registry_day(a, old), registry_day(b, now));
}

static int find_other(Change *c, const RegistryRow *row, const char *text, Day day, UnitId *ret) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        const char *colon = strchr(text, ':');
        CLEANUP_FREE char *space = colon ? strndup(text, (size_t) (colon - text)) : NULL;
        const Unit *u = by_key(&c->app->units, text);
        if (colon && !space)
                return -ENOMEM;
        /* "gso:12364" is the key of the first unit that had the code */
        if (space && (!u || day < u->from || day >= u->until))
                u = holder_of(&c->app->units, space, colon + 1, day);
        if (space && u) {
                *ret = u->id;
                return 0;
        }
        int r = unit_find(&c->app->units, text, day, ret, &diag);
        if (r <= 0)
                return r;
        /* What the registry says of it is for the log, too, and English. */
        const char *said = app_is_vi(c->app) ? text : diag_first_error(&diag, text);
        return r == UNIT_E_AMBIGUOUS
                       ? REFUSE(c, row->line,
                                "\"%s\" có thể là nhiều đơn vị: viết khóa hoặc HỆ MÃ:MÃ", "%s",
                                said)
                       : REFUSE(c, row->line, "ngày đó không có đơn vị \"%s\"", "%s", said);
}

static int set_unit(Change *c, const RegistryRow *row, const Unit *u) {
        const char *kind = *row->cell[COLUMN_KIND] ? row->cell[COLUMN_KIND] : u->kind;
        Day from = row->from == DAY_EVER ? u->from : row->from;
        Day until = row->until == DAY_OPEN ? u->until : row->until;
        UnitId parent = u->parent;
        int r = 0;
        if (*row->cell[COLUMN_PARENT])
                r = find_other(c, row, row->cell[COLUMN_PARENT],
                               from == DAY_EVER ? MIN(c->today, until - 1) : from, &parent);
        if (r == 0 && parent == u->id)
                r = REFUSE(c, row->line, "%s không thể thuộc chính nó",
                           "%s cannot be its own parent", u->key);
        if (r == 0 && !streq(kind, u->kind))
                r = note(c, u->key, "kind", u->kind, kind);
        if (r == 0 && parent != u->parent)
                r = note(c, u->key, "parent", key_of(c, u->parent), key_of(c, parent));
        if (r == 0)
                r = set_day(c, u, "from", u->from, from);
        if (r == 0)
                r = set_day(c, u, "until", u->until, until);
        if (r == 0)
                r = store_unit_set(c->app->store, u->id, kind, parent, from, until);
        return r == 0 && until != DAY_OPEN ? end_codes(c, u, until) : r;
}

static int set_codes(Change *c, const RegistryRow *row, const Unit *u) {
        RegistryRow one = {.line = row->line};
        int r = 0;
        for (const char *p = row->cell[COLUMN_CODE]; r == 0 && *p;) {
                size_t n = strcspn(p, LIST_SEPARATORS);
                if (n > 0)
                        r = split_code(c, p, n, row->line, &one);
                if (n > 0 && r == 0)
                        r = add_code(c, u, &one, MAX(row->from, u->from),
                                     MIN(row->until, u->until));
                p += n + (p[n] != '\0');
        }
        return r;
}

static int set_name(Change *c, const RegistryRow *row, const Unit *u) {
        const char *name = row->cell[COLUMN_NAME];
        Day on = u->from == DAY_EVER ? MIN(c->today, u->until - 1) : MAX(u->from, c->today);
        const char *old = unit_name_on(&c->app->units, u->id, MIN(on, u->until - 1));
        if (!*name || streq(old, name))
                return 0;
        Day day = *old ? MIN(on, u->until - 1) : DAY_EVER;
        int r = *old ? store_unit_name_end(c->app->store, u->id, day) : 0;
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, u->id, name, day, DAY_OPEN, false);
        return r < 0 ? r : note(c, u->key, "name", old, name);
}

static bool is_called(const Unit *u, const char *name) {
        for (size_t i = 0; i < u->n_names; i++)
                if (streq(u->names[i].name, name))
                        return true;
        return false;
}

static int add_alias(Change *c, const Unit *u, const char *text, size_t n) {
        CLEANUP_FREE char *name = NULL;
        int r = text_clean(text, n, &name);
        if (r < 0 || !*name || is_called(u, name))
                return r;
        r = store_unit_name_add(c->app->store, c->step, u->id, name, DAY_EVER, DAY_OPEN, true);
        return r < 0 ? r : note(c, u->key, "alias", NULL, name);
}

static int set_aliases(Change *c, const RegistryRow *row, const Unit *u) {
        int r = 0;
        for (const char *p = row->cell[COLUMN_ALIASES]; r >= 0 && *p;) {
                size_t n = strcspn(p, "|;");
                r = add_alias(c, u, p, n);
                p += n + (p[n] != '\0');
        }
        return r;
}

static int add_successor(Change *c, const RegistryRow *row, const Unit *u, const char *text,
                         const SuccessorRow *known, size_t n_known) {
        UnitId other = 0;
        Day from = row->until == DAY_OPEN ? u->until : row->until;
        if (from == DAY_OPEN)
                return REFUSE(c, row->line,
                              "%s có đơn vị kế thừa mà không có ngày kết thúc (until)",
                              "%s has successors and no end (until)", u->key);
        int r = find_other(c, row, text, from, &other);
        if (r != 0)
                return r;
        if (other == u->id)
                return REFUSE(c, row->line,
                              "%s không thể kế thừa chính nó: thêm một dòng cho đơn vị kế thừa với "
                              "from = until",
                              "%s cannot succeed itself: give the successor a "
                              "row with from = until",
                              u->key);
        for (size_t i = 0; i < n_known; i++)
                if (known[i].unit == u->id && known[i].successor == other && known[i].from == from)
                        return 0;
        r = store_unit_successor_add(c->app->store, c->step, u->id, other, from);
        return r < 0 ? r : note(c, u->key, "successor", NULL, key_of(c, other));
}

static int set_successors(Change *c, const RegistryRow *row, const Unit *u) {
        CLEANUP_FREE SuccessorRow *known = NULL;
        size_t n_known = 0;
        int r = *row->cell[COLUMN_SUCCESSORS]
                        ? store_unit_successors(c->app->store, &known, &n_known)
                        : 0;
        for (const char *p = row->cell[COLUMN_SUCCESSORS]; r == 0 && *p;) {
                size_t n = strcspn(p, LIST_SEPARATORS);
                CLEANUP_FREE char *text = strndup(p, n);
                if (!text)
                        return -ENOMEM;
                if (n > 0)
                        r = add_successor(c, row, u, text, known, n_known);
                p += n + (p[n] != '\0');
        }
        return r;
}

static int set_contact(Change *c, const RegistryRow *row, const Unit *u) {
        CLEANUP(buf_done) Buf old = BUF_INIT(64 << 10);
        const char *email = row->cell[COLUMN_EMAIL], *webhook = row->cell[COLUMN_WEBHOOK];
        if (!*email && !*webhook)
                return 0;
        int r = registry_join_emails(u, &old);
        const char *old_hook = str_or(u->webhook, "");
        const char *mails = !*email ? buf_text(&old) : streq(email, "-") ? "" : email;
        const char *hook = !*webhook ? old_hook : streq(webhook, "-") ? "" : webhook;
        bool is_same_mail = streq(mails, buf_text(&old)), is_same_hook = streq(hook, old_hook);
        if (r == 0 && !is_same_mail)
                r = note(c, u->key, "email", buf_text(&old), mails);
        if (r == 0 && !is_same_hook)
                r = note(c, u->key, "webhook", old_hook, hook);
        if (r < 0 || (is_same_mail && is_same_hook))
                return r;
        return store_unit_contact_put(c->app->store, u->id, *mails ? mails : NULL,
                                      *hook ? hook : NULL);
}

typedef int (*Setter)(Change *, const RegistryRow *, const Unit *);

static int set_all(Change *c, const Setter *setters, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < c->n; i++)
                for (size_t k = 0; r == 0 && k < n; k++)
                        r = setters[k](c, &c->rows[i], unit_get(&c->app->units, c->rows[i].unit));
        return r == 0 ? reload(c->app) : r;
}

/* Units first, then codes, so that what a row names is found whatever the order of the rows. */
static int apply_rows(Change *c) {
        static const Setter codes[] = {set_codes}, unit[] = {set_unit},
                            rest[] = {set_name, set_aliases, set_successors, set_contact};
        int r = 0;
        /* who has no first day was there before those that have one */
        for (int has_from = 0; has_from < 2; has_from++)
                for (size_t i = 0; r == 0 && i < c->n; i++)
                        if ((c->rows[i].from != DAY_EVER) == has_from)
                                r = make_unit(c, &c->rows[i]);
        if (r == 0)
                r = set_all(c, codes, ELEMENTSOF(codes));
        if (r == 0)
                r = set_all(c, unit, ELEMENTSOF(unit));
        return r == 0 ? set_all(c, rest, ELEMENTSOF(rest)) : r;
}

static int import_inside(Change *c, const Sheet *s) {
        int r = read_rows(c, s);
        c->report->n_rows = c->n;
        return r == 0 ? apply_rows(c) : r;
}

/* ---- what every change ends with ------------------------------------------------------------- */

static int conclude(Change *c) {
        App *app = c->app;
        char text[32];
        watch_forget(app);
        int r = reload(app);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof text, "%lld", (long long) c->step);
        r = store_meta_put(app->store, REGISTRY_STEP, text);
        if (r >= 0)
                r = teller_sync_targets(app, c->step);
        if (r < 0)
                return r;
        judge_forget(app);
        return judge_run(app, &(JudgeScope){.step = c->step,
                                            .now_ms = c->now_ms,
                                            .source = -1,
                                            .ret_n_transitions = &c->report->n_transitions});
}

static int finish(Change *c, int r, bool is_trial) {
        App *app = c->app;
        if (r == 0 && c->report->n > 0)
                r = conclude(c);
        if (r == 0 && !is_trial && c->report->n > 0)
                r = store_commit(app->store);
        if (r == 0 && !is_trial && c->report->n > 0) {
                app->is_tell_due = true;
                app_wake(app);
                return 0;
        }
        store_rollback(app->store);
        judge_forget(app);
        int back = reload(app);
        if (back < 0)
                log_error("registry cannot be read again after a rollback (%s)", strerror(-back));
        return r;
}

static int start(App *app, int64_t now_ms, Diag *diag, RegistryReport *report, Change *ret) {
        *ret = (Change){.app = app,
                        .now_ms = now_ms,
                        .today = day_of_instant(now_ms),
                        .diag = diag,
                        .report = report};
        int r = store_begin(app->store);
        return r < 0 ? r : store_step(app->store, CAUSE_OPERATOR, now_ms, &ret->step);
}

int registry_import(App *app, const char *data, size_t n, int64_t now_ms, bool is_trial, Diag *diag,
                    RegistryReport *ret) {
        CLEANUP(sheet_done) Sheet s = {0};
        Change c;
        int r = sheet_read(data, n, diag, &s);
        if (r != 0)
                return r < 0 ? r : REGISTRY_E_REFUSED;
        r = start(app, now_ms, diag, ret, &c);
        if (r == 0)
                r = import_inside(&c, &s);
        r = finish(&c, r, is_trial);
        free(c.rows);
        return r;
}

/* ---- decisions about codes ------------------------------------------------------------------- */

/* The name under which the code was last kept apart. Heap; "" when it never was. */
static int quarantined_name(App *app, const RegistryRow *row, char **ret) {
        QuarantineRow *rows = NULL;
        size_t n = 0;
        const char *name = "";
        int64_t last = INT64_MIN;
        int r = store_quarantine_list(app->store, &rows, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (streq(rows[i].namespace_, row->namespace_) && streq(rows[i].code, row->code) &&
                    rows[i].last_ms > last) {
                        last = rows[i].last_ms;
                        name = rows[i].name;
                }
        *ret = strdup(name);
        quarantine_rows_free(rows, n);
        return *ret ? 0 : -ENOMEM;
}

static int decide_link(Change *c, const RegistryRow *row, const char *text, const char *name) {
        UnitId id = 0;
        Day on = row->from == DAY_EVER ? c->today : row->from;
        int r = find_other(c, row, text, on, &id);
        if (r != 0)
                return r;
        const Unit *u = unit_get(&c->app->units, id);
        if (holder_of(&c->app->units, row->namespace_, row->code, on) == u)
                return REFUSE(c, 0, "%s:%s đã là mã của %s", "%s:%s is a code of %s already",
                              row->namespace_, row->code, u->key);
        r = add_code(c, u, row, row->from, u->until);
        return r == 0 ? add_alias(c, u, name, strlen(name)) : r;
}

static int decide_same(Change *c, const RegistryRow *row, const Unit *u, const char *name) {
        const char *old = unit_name_on(&c->app->units, u->id, row->from);
        int r = store_unit_name_end(c->app->store, u->id, row->from);
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, u->id, name, row->from, DAY_OPEN,
                                        false);
        return r < 0 ? r : note(c, u->key, "name", old, name);
}

static int decide_new(Change *c, const RegistryRow *row, const Unit *old, const char *name) {
        char day[16], key[256];
        UnitId id = 0;
        (void) snprintf(key, sizeof key, "%s:%s@%s", row->namespace_, row->code,
                        day_format(day, row->from));
        int r = end_codes(c, old, row->from);
        if (r >= 0)
                r = store_unit_end(c->app->store, old->id, row->from);
        if (r >= 0)
                r = note(c, old->key, "until", NULL, day);
        if (r >= 0)
                r = store_unit_add(c->app->store, c->step, key, old->kind, old->parent, row->from,
                                   DAY_OPEN, &id);
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, id, name, DAY_EVER, DAY_OPEN,
                                        false);
        if (r >= 0)
                r = store_unit_code_add(c->app->store, c->step, id, row->namespace_, row->code,
                                        row->from, DAY_OPEN);
        return r < 0 ? r : note(c, key, "new", NULL, name);
}

static int decide_inside(Change *c, RegistryDecision decision, const char *code, const char *unit,
                         Day from) {
        RegistryRow row = {.from = from, .until = DAY_OPEN};
        CLEANUP_FREE char *name = NULL;
        int r = split_code(c, code, strlen(code), 0, &row);
        if (r == 0)
                r = quarantined_name(c->app, &row, &name);
        if (r != 0)
                return r;
        const Unit *u = decision == REGISTRY_LINK
                                ? NULL
                                : holder_of(&c->app->units, row.namespace_, row.code, from);
        if (decision != REGISTRY_LINK && !*name)
                return REFUSE(c, 0, "%s:%s không có trong danh sách chờ (chisoctl units suggest)",
                              "%s:%s is not in quarantine", row.namespace_, row.code);
        if (decision != REGISTRY_LINK && !u)
                return REFUSE(c, 0, "ngày đó không đơn vị nào có mã %s:%s",
                              "no unit has %s:%s on that day", row.namespace_, row.code);
        if (decision == REGISTRY_LINK)
                r = decide_link(c, &row, unit, name);
        else
                r = decision == REGISTRY_SAME ? decide_same(c, &row, u, name)
                                              : decide_new(c, &row, u, name);
        return r == 0 ? store_quarantine_done(c->app->store, c->step, row.namespace_, row.code,
                                              NULL)
                      : r;
}

int registry_decide(App *app, RegistryDecision decision, const char *code, const char *unit,
                    Day from, int64_t now_ms, Diag *diag, RegistryReport *ret) {
        Change c;
        int r = start(app, now_ms, diag, ret, &c);
        if (r == 0)
                r = decide_inside(&c, decision, code, unit, from);
        return finish(&c, r, /* is_trial= */ false);
}
