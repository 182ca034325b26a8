/* An imported list: first every row has its unit, then each is made what its row says. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/mail.h"
#include "flow/registry-private.h"
#include "store/registry.h"

#define LIST_SEPARATORS " ,;|"
#define CONTACT_SEPARATORS " \t\r\n,;" /* as the registry takes them apart when it is loaded */

/* ---- reading the list ------------------------------------------------------------------------ */

static int read_day(Change *c, const RegistryRow *row, Column column, Day otherwise, Day *ret) {
        const char *text = row->cell[column];
        *ret = otherwise;
        if (!*text || day_parse(text, ret) == 0)
                return 0;
        return REFUSE(c, row->line, "%s '%s' không phải ngày: viết 2025-07-01",
                      "%s '%s' is no day: write 2025-07-01", registry_columns[column], text);
}

static int check_mails(Change *c, const RegistryRow *row) {
        const char *text = row->cell[COLUMN_EMAIL];
        for (const char *p = streq(text, "-") ? "" : text; *p;) {
                size_t n = strcspn(p, CONTACT_SEPARATORS);
                CLEANUP_FREE char *one = strndup(p, n);
                CLEANUP_FREE char *address = NULL;
                int r = !one ? -ENOMEM : n > 0 ? mail_address(one, &address) : 0;
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return REFUSE(c, row->line, "'%s' không phải địa chỉ thư điện tử",
                                      "'%s' is no mail address", one);
                p += n + (p[n] != '\0');
        }
        return 0;
}

static int check_webhook(Change *c, const RegistryRow *row) {
        const char *url = row->cell[COLUMN_WEBHOOK];
        bool is_http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
        if (!*url || streq(url, "-") || (is_http && !url[strcspn(url, CONTACT_SEPARATORS)]))
                return 0;
        return REFUSE(c, row->line, "webhook '%s' phải bắt đầu bằng https:// hoặc http://",
                      "webhook '%s' must begin with https:// or http://", url);
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
                r = registry_split_code(c, code, strcspn(code, LIST_SEPARATORS), row->line, row);
        if (r == 0 && !*code && !*row->cell[COLUMN_KEY])
                r = REFUSE(c, row->line, "dòng không có khóa (key) cũng không có mã (code)",
                           "the row has neither a key nor a code");
        if (r == 0)
                r = check_mails(c, row);
        return r == 0 ? check_webhook(c, row) : r;
}

/* A misspelt heading would lose its column without a word. */
static int note_ignored(Change *c, const Sheet *s, const int place[static N_COLUMNS]) {
        CLEANUP(buf_done) Buf text = BUF_INIT(8192);
        int r = 0;
        for (size_t i = 0; r == 0 && i < s->n_columns; i++) {
                const char *heading = sheet_cell(s, 0, i);
                bool is_read = !*heading || streq(str_or(sheet_role(heading), ""), "-");
                for (size_t k = 0; k < N_COLUMNS; k++)
                        is_read |= place[k] == (int) i;
                if (!is_read)
                        r = buf_printf(&text, "%s%s", text.len ? ", " : "", heading);
        }
        if ((r < 0 && r != -E2BIG) || text.len == 0)
                return r;
        c->report->ignored = buf_take(&text);
        return c->report->ignored ? 0 : -ENOMEM;
}

static int read_rows(Change *c, const Sheet *s) {
        int place[N_COLUMNS];
        for (size_t k = 0; k < N_COLUMNS; k++) {
                place[k] = -1;
                for (size_t i = 0; i < s->n_columns; i++)
                        if (streq(str_or(sheet_role(sheet_cell(s, 0, i)), ""), registry_columns[k]))
                                place[k] = (int) i;
        }
        int r = note_ignored(c, s, place);
        if (r < 0)
                return r;
        c->rows = calloc(s->n_rows, sizeof *c->rows);
        if (!c->rows)
                return -ENOMEM;
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

static bool is_called(const Unit *u, const char *name) {
        for (size_t i = 0; i < u->n_names; i++)
                if (streq(u->names[i].name, name))
                        return true;
        return false;
}

static bool has_code(const Unit *u, const RegistryRow *row) {
        for (size_t i = 0; i < u->n_codes; i++)
                if (streq(u->codes[i].code, row->code) &&
                    streq(u->codes[i].namespace_, row->namespace_))
                        return true;
        return false;
}

/* Who got the code on another day than the list says now, and is called the same, got it on this one. */
static const Unit *began_otherwise(const Change *c, const RegistryRow *row) {
        const UnitRegistry *units = &c->app->units;
        for (size_t i = 0; row->from != DAY_EVER && i < units->n; i++) {
                const Unit *u = &units->units[i];
                if (u->from != DAY_EVER && u->from != row->from && u->until > row->from &&
                    has_code(u, row) && is_called(u, row->cell[COLUMN_NAME]))
                        return u;
        }
        return NULL;
}

/* Does the list say that the unit begins where the row's one ends? */
static bool begins_after(const Change *c, const Unit *u, const RegistryRow *row) {
        for (size_t i = 0; row->from == DAY_EVER && row->until != DAY_OPEN && i < c->n; i++)
                if (c->rows[i].unit == u->id && c->rows[i].from != DAY_EVER &&
                    c->rows[i].from >= row->until)
                        return true;
        return false;
}

/* By the code on the first, or else last, day of the row. An end that is corrected to a later day may
 * lie in the time of who has the code since: then it is the one before. */
static const Unit *holder_of(const Change *c, const RegistryRow *row) {
        const UnitRegistry *units = &c->app->units;
        Day on = row->from != DAY_EVER    ? row->from
                 : row->until != DAY_OPEN ? row->until - 1
                                          : c->today;
        const Unit *u = registry_holder(units, row->namespace_, row->code, on);
        return u && u->from != DAY_EVER && begins_after(c, u, row)
                       ? registry_holder(units, row->namespace_, row->code, u->from - 1)
                       : u;
}

static const Unit *unit_of(const Change *c, const RegistryRow *row, char key[static 256]) {
        const UnitRegistry *units = &c->app->units;
        char day[16];
        if (*row->cell[COLUMN_KEY]) {
                (void) snprintf(key, 256, "%s", row->cell[COLUMN_KEY]);
                return by_key(units, key);
        }
        const Unit *u = holder_of(c, row), *other = NULL;
        (void) snprintf(key, 256, "%s:%s", row->namespace_, row->code);
        if (u && (row->from == DAY_EVER || u->from >= row->from))
                return u;
        other = began_otherwise(c, row);
        if (other)
                return other;
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

/* Only an undone import had brought it: now a person does. */
static int confirm_unit(Change *c, const Unit *u) {
        int r = store_unit_confirm(c->app->store, c->step, u->id);
        unit_get(&c->app->units, u->id)->taken_back = 0;
        return r < 0 ? r
                     : registry_note(c, u->key, "new", NULL,
                                     unit_name_on(&c->app->units, u->id, c->today));
}

static int make_unit(Change *c, RegistryRow *row) {
        const char *kind = row->cell[COLUMN_KIND];
        CLEANUP_FREE char *bare = NULL;
        char key[256];
        const Unit *u = unit_of(c, row, key);
        if (u) {
                row->unit = u->id;
                return unit_counts(u, 0) ? 0 : confirm_unit(c, u);
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
        return r < 0 ? r : registry_note(c, key, "new", NULL, row->cell[COLUMN_NAME]);
}

/* ---- second pass: what the rows say ---------------------------------------------------------- */

static int set_day(Change *c, const Unit *u, const char *what, Day old, Day now) {
        char a[16], b[16];
        return old == now
                       ? 0
                       : registry_note(c, u->key, what, registry_day(a, old), registry_day(b, now));
}

/* A day that is corrected takes along what was dated by it. */
static int move_days(Change *c, RegistryRow *row, const Unit *u, Day from, Day until) {
        Store *store = c->app->store;
        char a[16], b[16];
        int n = 0;
        int r = set_day(c, u, "from", u->from, from);
        if (r == 0)
                r = set_day(c, u, "until", u->until, until);
        if (r == 0 && from != u->from)
                r = store_unit_begin_move(store, u->id, u->from, from);
        if (r == 0 && until != u->until)
                r = store_unit_end_move(store, c->step, u->id, u->until, until, &n);
        if (r == 0 && n > 0)
                r = registry_note(c, u->key, "successor_from", registry_day(a, u->until),
                                  registry_day(b, until));
        row->is_moved = row->is_moved || from != u->from || until != u->until;
        return r;
}

int registry_find_other(Change *c, const RegistryRow *row, const char *text, Day day, UnitId *ret) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        const char *colon = strchr(text, ':');
        CLEANUP_FREE char *space = colon ? strndup(text, (size_t) (colon - text)) : NULL;
        const Unit *u = by_key(&c->app->units, text);
        if (colon && !space)
                return -ENOMEM;
        /* "gso:12364" is the key of the first unit that had the code */
        if (space && (!u || day < u->from || day >= u->until))
                u = registry_holder(&c->app->units, space, colon + 1, day);
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

int registry_find_parent(Change *c, const RegistryRow *row, UnitId *ret) {
        const Unit *u = unit_get(&c->app->units, row->unit);
        Day from = row->from == DAY_EVER ? u->from : row->from;
        Day until = row->until == DAY_OPEN ? u->until : row->until;
        return registry_find_other(c, row, row->cell[COLUMN_PARENT],
                                   from == DAY_EVER ? MIN(c->today, until - 1) : from, ret);
}

static int set_unit(Change *c, RegistryRow *row, const Unit *u) {
        const char *kind = *row->cell[COLUMN_KIND] ? row->cell[COLUMN_KIND] : u->kind;
        Day from = row->from == DAY_EVER ? u->from : row->from;
        Day until = row->until == DAY_OPEN ? u->until : row->until;
        UnitId parent = u->parent;
        int r = 0;
        if (*row->cell[COLUMN_PARENT])
                r = registry_find_parent(c, row, &parent);
        if (r == 0 && parent == u->id)
                r = REFUSE(c, row->line, "%s không thể thuộc chính nó",
                           "%s cannot be its own parent", u->key);
        if (r == 0 && !streq(kind, u->kind))
                r = registry_note(c, u->key, "kind", u->kind, kind);
        if (r == 0 && parent != u->parent)
                r = registry_note(c, u->key, "parent", registry_key(c, u->parent),
                                  registry_key(c, parent));
        if (r == 0)
                r = move_days(c, row, u, from, until);
        return r == 0 ? store_unit_set(c->app->store, u->id, kind, parent, from, until) : r;
}

static int set_codes(Change *c, RegistryRow *row, const Unit *u) {
        RegistryRow one = {.line = row->line};
        int r = 0;
        for (const char *p = row->cell[COLUMN_CODE]; r == 0 && *p;) {
                size_t n = strcspn(p, LIST_SEPARATORS);
                if (n > 0)
                        r = registry_split_code(c, p, n, row->line, &one);
                size_t noted = c->report->n;
                if (n > 0 && r == 0)
                        r = registry_add_code(c, u, &one, MAX(row->from, u->from),
                                              MIN(row->until, u->until));
                row->is_moved = row->is_moved || c->report->n > noted;
                p += n + (p[n] != '\0');
        }
        return r;
}

static int set_name(Change *c, RegistryRow *row, const Unit *u) {
        const char *name = row->cell[COLUMN_NAME];
        Day on = u->from == DAY_EVER ? MIN(c->today, u->until - 1) : MAX(u->from, c->today);
        const char *old = unit_name_on(&c->app->units, u->id, MIN(on, u->until - 1));
        if (!*name || streq(old, name))
                return 0;
        Day day = *old ? MIN(on, u->until - 1) : DAY_EVER;
        int r = *old ? store_unit_name_end(c->app->store, u->id, day) : 0;
        if (r >= 0)
                r = store_unit_name_add(c->app->store, c->step, u->id, name, day, DAY_OPEN, false);
        return r < 0 ? r : registry_note(c, u->key, "name", old, name);
}

int registry_add_alias(Change *c, const Unit *u, const char *text, size_t n) {
        CLEANUP_FREE char *name = NULL;
        int r = text_clean(text, n, &name);
        if (r < 0 || !*name || is_called(u, name))
                return r;
        r = store_unit_name_add(c->app->store, c->step, u->id, name, DAY_EVER, DAY_OPEN, true);
        return r < 0 ? r : registry_note(c, u->key, "alias", NULL, name);
}

static int set_aliases(Change *c, RegistryRow *row, const Unit *u) {
        int r = 0;
        for (const char *p = row->cell[COLUMN_ALIASES]; r >= 0 && *p;) {
                size_t n = strcspn(p, "|;");
                r = registry_add_alias(c, u, p, n);
                p += n + (p[n] != '\0');
        }
        return r;
}

static int compare_successors(const void *a, const void *b) {
        const SuccessorRow *x = a, *y = b;
        return x->unit != y->unit ? (x->unit > y->unit) - (x->unit < y->unit)
                                  : (x->successor > y->successor) - (x->successor < y->successor);
}

static int put_successor(Change *c, RegistryRow *row, const Unit *u, UnitId other, Day from) {
        const SuccessorRow want = {.unit = u->id, .successor = other};
        const SuccessorRow *known = c->n_known ? bsearch(&want, c->known, c->n_known,
                                                         sizeof *c->known, compare_successors)
                                               : NULL;
        if (known && known->from == from)
                return 0;
        int r = store_unit_successor_add(c->app->store, c->step, u->id, other, from);
        if (r < 0)
                return r;
        if (known) {
                char a[16], b[16];
                return registry_note(c, u->key, "successor_from", registry_day(a, known->from),
                                     registry_day(b, from));
        }
        row->is_succeeded = true;
        return registry_note(c, u->key, "successor", NULL, registry_key(c, other));
}

static int add_successor(Change *c, RegistryRow *row, const Unit *u, const char *text) {
        UnitId other = 0;
        Day from = row->until == DAY_OPEN ? u->until : row->until;
        if (from == DAY_OPEN)
                return REFUSE(c, row->line,
                              "%s có đơn vị kế thừa mà không có ngày kết thúc (until)",
                              "%s has successors and no end (until)", u->key);
        int r = registry_find_other(c, row, text, from, &other);
        if (r != 0)
                return r;
        if (other == u->id)
                return REFUSE(c, row->line,
                              "%s không thể kế thừa chính nó: thêm một dòng cho đơn vị kế thừa với "
                              "from = until",
                              "%s cannot succeed itself: give the successor a "
                              "row with from = until",
                              u->key);
        return put_successor(c, row, u, other, from);
}

static int set_successors(Change *c, RegistryRow *row, const Unit *u) {
        int r = 0;
        for (const char *p = row->cell[COLUMN_SUCCESSORS]; r == 0 && *p;) {
                size_t n = strcspn(p, LIST_SEPARATORS);
                CLEANUP_FREE char *text = strndup(p, n);
                if (!text)
                        return -ENOMEM;
                if (n > 0)
                        r = add_successor(c, row, u, text);
                p += n + (p[n] != '\0');
        }
        return r;
}

static int set_contact(Change *c, RegistryRow *row, const Unit *u) {
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
                r = registry_note(c, u->key, "email", buf_text(&old), mails);
        if (r == 0 && !is_same_hook)
                r = registry_note(c, u->key, "webhook", old_hook, hook);
        if (r < 0 || (is_same_mail && is_same_hook))
                return r;
        return store_unit_contact_put(c->app->store, u->id, *mails ? mails : NULL,
                                      *hook ? hook : NULL);
}

typedef int (*Setter)(Change *, RegistryRow *, const Unit *);

static int set_all(Change *c, const Setter *setters, size_t n) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < c->n; i++)
                for (size_t k = 0; r == 0 && k < n; k++)
                        r = setters[k](c, &c->rows[i], unit_get(&c->app->units, c->rows[i].unit));
        return r == 0 ? registry_reload(c->app) : r;
}

static int make_units(Change *c) {
        char key[256];
        int r = 0;
        /* whom the list dates anew is known before those who make way for them are looked for */
        for (size_t i = 0; i < c->n; i++) {
                const Unit *u = c->rows[i].from != DAY_EVER ? unit_of(c, &c->rows[i], key) : NULL;
                c->rows[i].unit = u ? u->id : 0;
        }
        /* who has no first day was there before those that have one */
        for (int has_from = 0; has_from < 2; has_from++)
                for (size_t i = 0; r == 0 && i < c->n; i++)
                        if ((c->rows[i].from != DAY_EVER) == has_from)
                                r = make_unit(c, &c->rows[i]);
        return r;
}

/* Units first, then codes, so that what a row names is found whatever the order of the rows. */
static int apply_rows(Change *c) {
        static const Setter codes[] = {set_codes}, unit[] = {set_unit},
                            rest[] = {set_name, set_aliases, set_successors, set_contact};
        int r = make_units(c);
        if (r == 0)
                r = registry_check_rows(c);
        if (r == 0)
                r = set_all(c, codes, ELEMENTSOF(codes));
        if (r == 0)
                r = set_all(c, unit, ELEMENTSOF(unit));
        if (r == 0)
                r = registry_check_codes(c);
        if (r == 0)
                r = registry_check_parents(c);
        if (r == 0)
                r = store_unit_successors(c->app->store, &c->known, &c->n_known);
        if (r == 0)
                r = set_all(c, rest, ELEMENTSOF(rest));
        if (r == 0)
                r = registry_check_successors(c);
        return r == 0 ? registry_note_names(c) : r;
}

int registry_list_apply(Change *c, const Sheet *s) {
        int r = read_rows(c, s);
        c->report->n_rows = c->n;
        return r == 0 ? apply_rows(c) : r;
}
