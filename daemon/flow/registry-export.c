/* The registry as a list that registry_import reads: CSV, or a workbook of text cells, so that no
 * program takes the zeros off a code. */
#include "base/text.h"
#include "export/book.h"
#include "flow/registry-private.h"
#include "store/registry.h"

const char *const registry_columns[N_COLUMNS] = {"key",     "code",  "name",   "kind",
                                                 "parent",  "from",  "until",  "successors",
                                                 "aliases", "email", "webhook"};

const char *registry_day(char text[static 16], Day day) {
        return day == DAY_EVER || day == DAY_OPEN ? "" : day_format(text, day);
}

int registry_join_emails(const Unit *u, Buf *out) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < u->n_emails; i++)
                r = buf_printf(out, "%s%s", i ? " " : "", u->emails[i]);
        return r;
}

/* Quoted where RFC 4180 wants it, and protected against spreadsheets that run what is published. */
static int put_cell(Buf *out, const char *text, bool is_last) {
        bool is_plain = !text[strcspn(text, ",;\"\r\n\t")];
        int r = is_plain ? 0 : buf_char(out, '"');
        if (r == 0 && text_is_formula(text))
                r = buf_char(out, '\'');
        if (r == 0 && is_plain)
                r = buf_str(out, text);
        for (const char *p = text; !is_plain && r == 0 && *p; p++)
                r = buf_printf(out, "%s%c", *p == '"' ? "\"" : "", *p);
        if (r == 0 && !is_plain)
                r = buf_char(out, '"');
        return r == 0 ? buf_str(out, is_last ? "\r\n" : ",") : r;
}

static int join_codes(const Unit *u, Buf *out) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < u->n_codes; i++)
                if (u->codes[i].until >= u->until)
                        r = buf_printf(out, "%s%s:%s", out->len ? " " : "", u->codes[i].namespace_,
                                       u->codes[i].code);
        return r;
}

static int join_aliases(const Unit *u, Buf *out) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < u->n_names; i++)
                if (u->names[i].is_alias)
                        r = buf_printf(out, "%s%s", out->len ? "|" : "", u->names[i].name);
        return r;
}

static int join_successors(const App *app, const Unit *u, const SuccessorRow *rows, size_t n,
                           Buf *out) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                const Unit *other = unit_get(&app->units, rows[i].successor);
                if (rows[i].unit == u->id && other)
                        r = buf_printf(out, "%s%s", out->len ? " " : "", other->key);
        }
        return r;
}

/* What takes one row; the cells live until it returns. */
typedef int (*PutRow)(void *out, const char *const cells[static N_COLUMNS]);

static int export_unit(const App *app, const Unit *u, bool has_contacts, const SuccessorRow *rows,
                       size_t n, PutRow put, void *out) {
        Buf list[4];
        char from[16], until[16];
        const Unit *parent = u->parent ? unit_get(&app->units, u->parent) : NULL;
        for (size_t i = 0; i < ELEMENTSOF(list); i++)
                list[i] = BUF_INIT(1 << 20);
        int r = join_codes(u, &list[0]);
        if (r == 0)
                r = join_successors(app, u, rows, n, &list[1]);
        if (r == 0)
                r = join_aliases(u, &list[2]);
        if (r == 0 && has_contacts)
                r = registry_join_emails(u, &list[3]);
        const char *cells[N_COLUMNS] = {
                u->key,
                buf_text(&list[0]),
                unit_name_on(&app->units, u->id,
                             u->until == DAY_OPEN ? DAY_OPEN - 1 : u->until - 1),
                u->kind,
                parent ? parent->key : "",
                registry_day(from, u->from),
                registry_day(until, u->until),
                buf_text(&list[1]),
                buf_text(&list[2]),
                buf_text(&list[3]),
                has_contacts ? str_or(u->webhook, "") : ""};
        if (r == 0)
                r = put(out, cells);
        for (size_t i = 0; i < ELEMENTSOF(list); i++)
                buf_done(&list[i]);
        return r;
}

static int export_all(const App *app, bool has_contacts, PutRow put, void *out) {
        CLEANUP_FREE SuccessorRow *rows = NULL;
        size_t n = 0;
        int r = store_unit_successors(app->reader, &rows, &n);
        for (size_t i = 0; r == 0 && i < app->units.n; i++)
                if (unit_counts(&app->units.units[i], 0))
                        r = export_unit(app, &app->units.units[i], has_contacts, rows, n, put, out);
        return r;
}

static int put_csv_row(void *out, const char *const cells[static N_COLUMNS]) {
        int r = 0;
        for (size_t i = 0; r == 0 && i < N_COLUMNS; i++)
                r = put_cell(out, cells[i], i + 1 == N_COLUMNS);
        return r;
}

int registry_export(const App *app, bool has_contacts, Buf *out) {
        /* a byte order mark: Excel would read the names as windows-1252 */
        int r = buf_str(out, "\xef\xbb\xbf");
        if (r == 0)
                r = put_csv_row(out, registry_columns);
        return r < 0 ? r : export_all(app, has_contacts, put_csv_row, out);
}

static int put_book_row(void *out, const char *const cells[static N_COLUMNS]) {
        BookCell row[N_COLUMNS];
        for (size_t i = 0; i < N_COLUMNS; i++)
                row[i] = BOOK_STRING(cells[i]);
        book_row(out, row, N_COLUMNS);
        return 0; /* book_finish tells what failed */
}

int registry_export_book(const App *app, bool has_contacts, int64_t now_ms, Buf *out) {
        CLEANUP(book_freep) Book *book = NULL;
        BookColumn columns[N_COLUMNS];
        for (size_t i = 0; i < N_COLUMNS; i++)
                columns[i] = (BookColumn){
                        .title = registry_columns[i],
                        .kind = i == COLUMN_NAME || i == COLUMN_ALIASES ? BOOK_TEXT : BOOK_CODE,
                        .width = i == COLUMN_NAME ? 32 : 18};
        int r = book_new(&(PackageInfo){.title = "units", .created_ms = now_ms}, &book);
        if (r < 0)
                return r;
        book_sheet(book, &(BookSheet){.name = "units",
                                      .columns = columns,
                                      .n_columns = N_COLUMNS,
                                      .has_filter = true});
        r = export_all(app, has_contacts, put_book_row, book);
        return r < 0 ? r : book_finish(book, out);
}
