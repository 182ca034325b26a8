/* From the archive to the one sheet that is meant. Parts are found by their relations, as the
 * standard wants it: their usual names are a habit of one program. */
#include "ctl/xlsx.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/xlsx-private.h"

#define PATH_LENGTH_MAX 256u
#define NAMES_MAX 400u
#define BOOK_PART "xl/workbook.xml"
/* What Office makes of a workbook with a password, and what was before 2007: OLE. */
static const char ole_magic[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

typedef struct Relation {
        char id[64], type[32], target[PATH_LENGTH_MAX];
} Relation;

typedef struct SheetRef {
        char *name;
        char id[64];
        bool is_hidden;
        XlsxGrid grid;
        bool is_read;
} SheetRef;

typedef struct Book {
        Workbook wb;
        char path[PATH_LENGTH_MAX];
        Relation *relations;
        size_t n_relations, cap_relations;
        SheetRef *sheets;
        size_t n_sheets, cap_sheets;
} Book;

static void book_done(Book *b) {
        for (size_t i = 0; i < b->n_sheets; i++) {
                free(b->sheets[i].name);
                xlsx_grid_done(&b->sheets[i].grid);
        }
        for (size_t i = 0; i < b->wb.n_strings; i++)
                free(b->wb.strings[i]);
        free(b->sheets);
        free(b->relations);
        free(b->wb.strings);
        free(b->wb.formats);
}

void xlsx_sheet_done(XlsxSheet *s) {
        for (size_t i = 0; s->cells && i < s->n_rows * s->n_columns; i++)
                free(s->cells[i].text);
        free(s->cells);
        free(s->lines);
        free(s->name);
        *s = (XlsxSheet){0};
}

static bool is_ole(const char *data, size_t n) {
        return n >= 8 && memcmp(data, ole_magic, 8) == 0;
}

bool xlsx_is(const char *data, size_t n) {
        return (n >= 4 && memcmp(data, "PK\3\4", 4) == 0) || is_ole(data, n);
}

/* ---- relations ------------------------------------------------------------------------------- */

static bool copy(char *to, size_t size, const char *from) {
        size_t n = strlen(from);
        if (n >= size)
                return false;
        memcpy(to, from, n + 1);
        return true;
}

/* The last step of the type's address: both editions of the standard end alike. */
static const char *last_step(const char *text) {
        const char *slash = strrchr(text, '/');
        return slash ? slash + 1 : text;
}

static int on_relation(XlsxXml *x, const char *name, const char **attributes) {
        Book *b = x->userdata;
        const char *id = xlsx_attribute(attributes, "Id");
        const char *type = xlsx_attribute(attributes, "Type");
        const char *target = xlsx_attribute(attributes, "Target");
        if (!streq(name, "Relationship") || !id || !type || !target ||
            b->n_relations >= XLSX_ENTRIES_MAX)
                return 0;
        int r = ARRAY_GROW(b->relations, b->cap_relations, b->n_relations + 1);
        if (r < 0)
                return r;
        Relation *made = &b->relations[b->n_relations];
        if (copy(made->id, sizeof made->id, id) &&
            copy(made->type, sizeof made->type, last_step(type)) &&
            copy(made->target, sizeof made->target, target))
                b->n_relations++;
        return 0;
}

/* "/xl/styles.xml" is from the top; anything else from the folder of its source. */
static void resolve(char path[static PATH_LENGTH_MAX], const char *source, const char *target) {
        const char *slash = strrchr(source, '/');
        if (*target == '/')
                (void) snprintf(path, PATH_LENGTH_MAX, "%s", target + 1);
        else
                (void) snprintf(path, PATH_LENGTH_MAX, "%.*s%s",
                                slash ? (int) (slash - source) + 1 : 0, source, target);
}

static int read_relations(Book *b, const char *part) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_PART_MAX);
        b->n_relations = 0;
        int r = xlsx_part(&b->wb, part, &bytes);
        if (r != 0)
                return r == XLSX_E_NONE ? 0 : r;
        return xlsx_xml(
                &(XlsxXml){.wb = &b->wb, .part = part, .userdata = b, .on_begin = on_relation},
                &bytes);
}

static const char *target_of(const Book *b, const char *id, const char *type) {
        for (size_t i = 0; i < b->n_relations; i++)
                if ((!id || streq(b->relations[i].id, id)) &&
                    (!type || streq(b->relations[i].type, type)))
                        return b->relations[i].target;
        return NULL;
}

static int find_book(Book *b) {
        char part[PATH_LENGTH_MAX + 16];
        int r = read_relations(b, "_rels/.rels");
        resolve(b->path, "", str_or(target_of(b, NULL, "officeDocument"), BOOK_PART));
        if (r != 0)
                return r;
        const char *file = last_step(b->path);
        (void) snprintf(part, sizeof part, "%.*s_rels/%s.rels", (int) (file - b->path), b->path,
                        file);
        return read_relations(b, part);
}

/* ---- sheets ---------------------------------------------------------------------------------- */

static int add_sheet(XlsxXml *x, Book *b, const char **attributes) {
        const char *name = xlsx_attribute(attributes, "name");
        const char *id = xlsx_attribute(attributes, "id");
        const char *state = xlsx_attribute(attributes, "state");
        if (b->n_sheets >= XLSX_SHEETS_MAX)
                return XLSX_REFUSE(x->wb, 0, "hơn %u trang tính", "more than %u sheets",
                                   XLSX_SHEETS_MAX);
        if (!name || !id)
                return 0;
        int r = ARRAY_GROW(b->sheets, b->cap_sheets, b->n_sheets + 1);
        if (r < 0)
                return r;
        SheetRef *s = &b->sheets[b->n_sheets];
        *s = (SheetRef){.is_hidden = state && !streq(state, "visible")};
        if (!copy(s->id, sizeof s->id, id))
                return 0;
        r = text_clean(name, strlen(name), &s->name);
        if (r == -EILSEQ || r == -E2BIG)
                return 0;
        b->n_sheets += r == 0;
        return r;
}

static int on_book(XlsxXml *x, const char *name, const char **attributes) {
        Book *b = x->userdata;
        if (streq(name, "workbookPr"))
                b->wb.is_1904 = xlsx_flag(attributes, "date1904");
        return streq(name, "sheet") ? add_sheet(x, b, attributes) : 0;
}

static int read_book(Book *b) {
        CLEANUP(buf_done) Buf bytes = BUF_INIT(XLSX_PART_MAX);
        char path[PATH_LENGTH_MAX];
        int r = find_book(b);
        if (r == 0)
                r = xlsx_part(&b->wb, b->path, &bytes);
        if (r == XLSX_E_NONE)
                return XLSX_REFUSE(&b->wb, 0, "tệp không phải bảng tính xlsx",
                                   "the file is no workbook");
        if (r == 0)
                r = xlsx_xml(
                        &(XlsxXml){
                                .wb = &b->wb, .part = b->path, .userdata = b, .on_begin = on_book},
                        &bytes);
        const char *strings = target_of(b, NULL, "sharedStrings");
        const char *styles = target_of(b, NULL, "styles");
        if (r == 0 && strings) {
                resolve(path, b->path, strings);
                r = xlsx_read_strings(&b->wb, path);
        }
        if (r == 0 && styles) {
                resolve(path, b->path, styles);
                r = xlsx_read_styles(&b->wb, path);
        }
        return r;
}

static int read_sheet(Book *b, SheetRef *s) {
        char path[PATH_LENGTH_MAX];
        const char *target = target_of(b, s->id, NULL);
        const char *type = NULL;
        for (size_t i = 0; i < b->n_relations; i++)
                if (streq(b->relations[i].id, s->id))
                        type = b->relations[i].type;
        if (!target || !streq_ptr(type, "worksheet"))
                return 0; /* a chart */
        resolve(path, b->path, target);
        s->is_read = true;
        return xlsx_read_cells(&b->wb, path, &s->grid);
}

static int refuse_many(const Book *b) {
        CLEANUP(buf_done) Buf names = BUF_INIT(NAMES_MAX);
        for (size_t i = 0; i < b->n_sheets; i++)
                if (b->sheets[i].is_read && xlsx_has_table(&b->sheets[i].grid))
                        (void) buf_printf(&names, "%s'%s'", names.len ? ", " : "",
                                          b->sheets[i].name);
        return XLSX_REFUSE(&b->wb, 0, "có nhiều trang tính: %s; chọn bằng --sheet",
                           "there are several sheets: %s; choose by --sheet", buf_text(&names));
}

static int choose(Book *b, const char *wanted, SheetRef **ret) {
        SheetRef *found = NULL;
        size_t n = 0;
        int r = 0;
        for (size_t i = 0; r == 0 && i < b->n_sheets; i++) {
                SheetRef *s = &b->sheets[i];
                bool is_meant = wanted ? streq(s->name, wanted) : !s->is_hidden;
                if (is_meant)
                        r = read_sheet(b, s);
                if (r != 0 || !is_meant || !s->is_read || (!wanted && !xlsx_has_table(&s->grid)))
                        continue;
                found = found ? found : s;
                n++;
        }
        if (r != 0)
                return r;
        if (!found)
                return XLSX_REFUSE(&b->wb, 0, "không có trang tính nào %s%s",
                                   "there is no sheet %s%s",
                                   wanted        ? "- "
                                   : b->wb.is_vi ? "được hiện và có bảng"
                                                 : "that is shown and has a table",
                                   str_or(wanted, ""));
        if (n > 1)
                return refuse_many(b);
        *ret = found;
        return 0;
}

int xlsx_read(const char *data, size_t n, const char *sheet, bool is_vi, Diag *diag,
              XlsxSheet *ret) {
        CLEANUP(book_done) Book b = {.wb = {.data = data, .n = n, .is_vi = is_vi, .diag = diag}};
        SheetRef *chosen = NULL;
        if (is_ole(data, n))
                return XLSX_REFUSE(&b.wb, 0,
                                   "tệp có mật khẩu hoặc là .xls cũ: lưu lại thành .xlsx không "
                                   "mật khẩu",
                                   "the file has a password or is an old .xls: save it as .xlsx "
                                   "without one");
        if (n > XLSX_FILE_MAX)
                return XLSX_REFUSE(&b.wb, 0, "tệp quá lớn", "the file is too large");
        int r = read_book(&b);
        if (r == 0)
                r = choose(&b, sheet, &chosen);
        if (r == 0)
                r = xlsx_lay_out(&b.wb, &chosen->grid, ret);
        if (r == 0)
                ret->name = TAKE_PTR(chosen->name);
        return r;
}
