/* Bytes to cells in three steps: one encoding (UTF-8), one separator, then a walk over characters.
 *
 * The separator is told by the heading alone: cells hold commas ("82,71") and semicolons. Which
 * eight-bit encoding a text is in is told by its letters: TCVN3 uses signs (ª, ÷, ¸) for letters,
 * VNI a second letter after each vowel (eâ, öô). Both also arrive "converted" to UTF-8 from Latin-1,
 * so valid UTF-8 is looked at too, unless it has letters that only Unicode Vietnamese has. */
#include "core/sheet.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"

#define TEXT_MAX ((size_t) 64 << 20)
#define CELL_MAX 4096u

#define REFUSE(diag, line, ...)                                                                    \
        (diag_error((diag), NULL, (line), NULL, __VA_ARGS__), SHEET_E_REFUSED)

void sheet_done(Sheet *s) {
        for (size_t i = 0; i < s->n_rows * s->n_columns; i++)
                free(s->cells[i]);
        free(s->cells);
        free(s->lines);
        *s = (Sheet){0};
}

const char *sheet_cell(const Sheet *s, size_t row, size_t column) {
        const char *text = column < s->n_columns ? s->cells[row * s->n_columns + column] : NULL;
        return str_or(text, "");
}

/* ---- encodings ------------------------------------------------------------------------------- */

static int append_rune(Buf *b, uint32_t rune) {
        char utf8[4];
        size_t n = 0;
        if (rune < 0x80) {
                utf8[n++] = (char) rune;
        } else if (rune < 0x800) {
                utf8[n++] = (char) (0xc0 | rune >> 6);
                utf8[n++] = (char) (0x80 | (rune & 0x3f));
        } else if (rune < 0x10000) {
                utf8[n++] = (char) (0xe0 | rune >> 12);
                utf8[n++] = (char) (0x80 | (rune >> 6 & 0x3f));
                utf8[n++] = (char) (0x80 | (rune & 0x3f));
        } else {
                utf8[n++] = (char) (0xf0 | rune >> 18);
                utf8[n++] = (char) (0x80 | (rune >> 12 & 0x3f));
                utf8[n++] = (char) (0x80 | (rune >> 6 & 0x3f));
                utf8[n++] = (char) (0x80 | (rune & 0x3f));
        }
        return buf_append(b, utf8, n);
}

/* Lone surrogates come out as bytes that are no UTF-8, and are refused there. */
static int from_utf16(const uint8_t *p, size_t n, bool is_big, Buf *out) {
        uint32_t high = 0;
        for (size_t i = 0; i + 1 < n; i += 2) {
                uint32_t unit =
                        is_big ? (uint32_t) p[i] << 8 | p[i + 1] : (uint32_t) p[i + 1] << 8 | p[i];
                if (unit == 0xfeff && i == 0)
                        continue;
                bool is_low = unit >= 0xdc00 && unit < 0xe000;
                if (high && is_low)
                        unit = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
                if (high)
                        continue;
                int r = append_rune(out, unit);
                if (r < 0)
                        return r;
        }
        return 0;
}

typedef struct Letters {
        size_t n_signs;  /* signs right after a letter: letters of TCVN3 */
        size_t n_second; /* foreign letters right after a vowel: accents of VNI */
        bool is_unicode; /* letters that no eight-bit encoding turns into */
} Letters;

static bool is_letter(uint32_t c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_among(uint32_t c, const uint16_t *set, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (set[i] == c)
                        return true;
        return false;
}

static void look_at(Letters *l, uint32_t before, uint32_t c) {
        static const uint16_t signs[] = {0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xae, 0xb5, 0xb6,
                                         0xb7, 0xb8, 0xb9, 0xbb, 0xbc, 0xbd, 0xbe, 0xf7};
        static const uint16_t second[] = {0xe4, 0xe5, 0xe7, 0xeb, 0xf1, 0xf6, 0xf8,
                                          0xfb, 0xfc, 0xc4, 0xc5, 0xcb, 0xd1, 0xd6,
                                          0xd8, 0xdb, 0xdc, 0xef, 0xee, 0xe6};
        static const uint16_t vowels[] = {'a', 'e', 'i', 'o', 'u',  'y',  'A',  'E',
                                          'I', 'O', 'U', 'Y', 0xf4, 0xf6, 0xd4, 0xd6};
        if (c >= 0x300 || c == 0x103 || c == 0x111 || c == 0x1a1 || c == 0x1b0)
                l->is_unicode |= c < 0x2000; /* dashes and quotes say nothing */
        if (is_letter(before) && is_among(c, signs, ELEMENTSOF(signs)))
                l->n_signs++;
        if (is_among(before, vowels, ELEMENTSOF(vowels)) && is_among(c, second, ELEMENTSOF(second)))
                l->n_second++;
}

static Letters look_at_bytes(const uint8_t *p, size_t n) {
        Letters l = {0};
        for (size_t i = 1; i < n; i++)
                look_at(&l, p[i - 1], p[i]);
        return l;
}

/* text is valid UTF-8; what lies beyond two bytes is told apart by its first byte alone */
static Letters look_at_text(const uint8_t *p, size_t n) {
        Letters l = {0};
        uint32_t before = 0;
        for (size_t i = 0; i < n;) {
                uint32_t c = p[i];
                size_t size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
                if (size == 2)
                        c = (c & 0x1f) << 6 | (p[i + 1] & 0x3f);
                else if (size == 3)
                        c = (c & 0x0f) << 12 | (uint32_t) (p[i + 1] & 0x3f) << 6 |
                            (p[i + 2] & 0x3f);
                look_at(&l, before, c);
                before = c;
                i += size;
        }
        return l;
}

static int refuse_legacy(const Letters *l, Diag *diag) {
        if (l->n_second > l->n_signs)
                return REFUSE(diag, 0,
                              "the text is in VNI, an old eight-bit encoding: save it as UTF-8 "
                              "(Unicode) and try again");
        return REFUSE(diag, 0,
                      "the text is in TCVN3 (ABC), an old eight-bit encoding: save it as UTF-8 "
                      "(Unicode) and try again");
}

int sheet_check_text(const char *text, size_t n, Diag *diag) {
        if (!text_is_utf8(text, n))
                return 0;
        Letters l = look_at_text((const uint8_t *) text, n);
        return !l.is_unicode && l.n_signs + l.n_second >= 2 ? refuse_legacy(&l, diag) : 0;
}

/* Programs and pictures: what stands in no table of any encoding. */
static bool is_binary(const char *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((uint8_t) p[i] < 0x20 && (p[i] == '\0' || !strchr("\t\n\v\f\r\x1a", p[i])))
                        return true;
        return false;
}

static int to_utf8(const char *data, size_t n, Diag *diag, Buf *out) {
        const uint8_t *p = (const uint8_t *) data;
        int r;
        if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] && !p[1])))
                r = from_utf16(p, n, /* is_big= */ false, out);
        else if (n >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (!p[0] && p[1])))
                r = from_utf16(p, n, /* is_big= */ true, out);
        else if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
                r = buf_append(out, p + 3, n - 3);
        else
                r = buf_append(out, p, n);
        if (r == -E2BIG)
                return REFUSE(diag, 0, "the file is too large: at most %zu MiB of text",
                              TEXT_MAX >> 20);
        if (r < 0)
                return r;
        Letters l;
        if (!text_is_utf8(buf_text(out), out->len)) {
                if (is_binary(buf_text(out), out->len))
                        return REFUSE(diag, 0, "this is no text file");
                l = look_at_bytes((const uint8_t *) buf_text(out), out->len);
                if (l.n_signs + l.n_second == 0)
                        return REFUSE(diag, 0, "the text is neither UTF-8 nor UTF-16");
                return refuse_legacy(&l, diag);
        }
        return sheet_check_text(buf_text(out), out->len, diag);
}

/* ---- cells ----------------------------------------------------------------------------------- */

typedef struct Walk {
        const char *p, *end;
        unsigned line;
        char separator;
        Diag *diag;
        Sheet *s;
        char *row[SHEET_MAX_COLUMNS];
        size_t n;
} Walk;

static bool is_line_end(char c) {
        return c == '\n' || c == '\r';
}

/* Of the line that begins here: the separator that stands in it most often; 0 = none. */
static char find_separator(const Walk *w) {
        static const char candidates[] = {';', '\t', ','};
        size_t most = 0;
        char found = 0;
        for (size_t i = 0; i < ELEMENTSOF(candidates); i++) {
                size_t count = 0;
                bool is_quoted = false;
                for (const char *p = w->p; p < w->end && (is_quoted || !is_line_end(*p)); p++) {
                        is_quoted ^= *p == '"';
                        count += !is_quoted && *p == candidates[i];
                }
                if (count > most) {
                        most = count;
                        found = candidates[i];
                }
        }
        return found;
}

static int read_quoted(Walk *w, Buf *cell) {
        unsigned first = w->line;
        for (w->p++; w->p < w->end; w->p++) {
                if (*w->p == '"' && (w->p + 1 == w->end || w->p[1] != '"')) {
                        w->p++;
                        return 0;
                }
                if (*w->p == '"')
                        w->p++;
                w->line += *w->p == '\n';
                int r = buf_char(cell, *w->p);
                if (r < 0)
                        return r;
        }
        return REFUSE(w->diag, first, "a quote that opens on this line is never closed");
}

static int read_plain(Walk *w, Buf *cell) {
        while (w->p < w->end && *w->p != w->separator && !is_line_end(*w->p)) {
                int r = buf_char(cell, *w->p++);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_cell(Walk *w) {
        CLEANUP(buf_done) Buf cell = BUF_INIT(CELL_MAX);
        if (w->n == SHEET_MAX_COLUMNS)
                return REFUSE(w->diag, w->line, "more than %u columns", SHEET_MAX_COLUMNS);
        int r = w->p < w->end && *w->p == '"' ? read_quoted(w, &cell) : 0;
        if (r == 0)
                r = read_plain(w, &cell); /* what follows the quote belongs to the cell */
        if (r == 0)
                r = text_clean(buf_text(&cell), cell.len, &w->row[w->n]);
        if (r == -E2BIG || r == -EILSEQ)
                return REFUSE(w->diag, w->line, "column %zu: a cell of more than %u bytes",
                              w->n + 1, CELL_MAX);
        if (r == 0)
                w->n++;
        return r;
}

static int read_line(Walk *w) {
        int r = read_cell(w);
        while (r == 0 && w->p < w->end && *w->p == w->separator) {
                w->p++;
                r = read_cell(w);
        }
        if (r != 0)
                return r;
        if (w->p < w->end && *w->p == '\r')
                w->p++;
        if (w->p < w->end && *w->p == '\n')
                w->p++;
        return 0;
}

static size_t filled(const Walk *w) {
        size_t n = 0;
        for (size_t i = 0; i < w->n; i++)
                n += *w->row[i] != '\0';
        return n;
}

static int keep_row(Walk *w, unsigned line) {
        Sheet *s = w->s;
        if (s->n_rows == 0)
                s->n_columns = w->n;
        if (s->n_rows > SHEET_MAX_ROWS)
                return REFUSE(w->diag, line, "more than %u rows", SHEET_MAX_ROWS);
        for (size_t i = s->n_columns; i < w->n; i++)
                if (*w->row[i])
                        return REFUSE(w->diag, line, "%zu columns, the heading has %zu", i + 1,
                                      s->n_columns);
        int r = ARRAY_GROW(s->cells, s->cap_cells, (s->n_rows + 1) * s->n_columns);
        if (r == 0)
                r = ARRAY_GROW(s->lines, s->cap_lines, s->n_rows + 1);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_columns; i++)
                s->cells[s->n_rows * s->n_columns + i] = i < w->n ? TAKE_PTR(w->row[i]) : NULL;
        s->lines[s->n_rows++] = line;
        return 0;
}

static void drop_row(Walk *w) {
        for (size_t i = 0; i < w->n; i++) {
                free(w->row[i]);
                w->row[i] = NULL;
        }
        w->n = 0;
}

static int walk(Walk *w) {
        int r = 0;
        while (r == 0 && w->p < w->end) {
                unsigned line = w->line;
                if (w->s->n_rows == 0)
                        w->separator = find_separator(w);
                r = read_line(w);
                size_t least = w->s->n_rows == 0 ? 2 : 1;
                if (r == 0 && filled(w) >= least)
                        r = keep_row(w, line);
                drop_row(w);
                w->line++;
        }
        return r;
}

int sheet_read(const char *data, size_t n, Diag *diag, Sheet *ret) {
        CLEANUP(buf_done) Buf text = BUF_INIT(TEXT_MAX);
        CLEANUP(sheet_done) Sheet s = {0};
        int r = to_utf8(data, n, diag, &text);
        if (r != 0)
                return r;
        Walk w = {.p = buf_text(&text),
                  .end = buf_text(&text) + text.len,
                  .line = 1,
                  .diag = diag,
                  .s = &s};
        r = walk(&w);
        if (r == 0 && s.n_rows == 0)
                r = REFUSE(diag, 0, "no heading: no line has two cells or more");
        if (r != 0)
                return r;
        *ret = s;
        s = (Sheet){0};
        return 0;
}

/* ---- headings -------------------------------------------------------------------------------- */

static const struct {
        const char *role, *words; /* folded headings, separated by | */
} roles[] = {
        {"-",
         "stt|tt|so tt|hang|xep hang|thu hang|place|rank|ghi chu|tang, giam so voi thang truoc|"
         "tang giam so voi thang truoc|tang/giam so voi thang truoc|so voi thang truoc|"
         "tang, giam|tang/giam|chenh lech|thay doi|delta"},
        {"key", "key|khoa"},
        {"code", "code|ma|ma don vi|ma dinh danh|ma so|ma xa|ma dvhc|ma co quan"},
        {"name",
         "name|don vi|ten don vi|ten|ten xa|xa, thi tran|cac xa, thi tran|xa, phuong|xa|"
         "co quan|ten co quan|dia phuong|ubnd cac xa, thi tran"},
        {"kind", "kind|loai|cap"},
        {"parent", "parent|truc thuoc|don vi cap tren|cap tren"},
        {"from", "from|valid_from|hieu luc tu|tu ngay"},
        {"until", "until|valid_until|hieu luc den|den ngay"},
        {"successors", "successors|don vi ke thua|don vi moi|sap nhap vao"},
        {"aliases", "aliases|ten khac"},
        {"email", "email|e-mail|thu dien tu|hop thu"},
        {"webhook", "webhook"},
        {"total", "total|tong diem|tong so diem|diem tong|diem|diem so|chi so tong hop|tong"},
        {"openness", "openness|cong khai, minh bach|cong khai minh bach"},
        {"progress",
         "progress|tien do|tien do giai quyet|tien do, ket qua giai quyet|ty le dung han|"
         "ti le dung han|ty le giai quyet dung han|ty le ho so dung han|ty le ho so giai quyet "
         "dung han|ty le giai quyet ho so dung han|giai quyet dung han"},
        {"online", "online|dich vu cong truc tuyen|cung cap dich vu truc tuyen|dvc truc tuyen"},
        {"payment", "payment|thanh toan truc tuyen"},
        {"digitization", "digitization|so hoa|so hoa ho so|muc do so hoa|ty le so hoa ho so"},
        {"satisfaction", "satisfaction|hai long|muc do hai long"},
        {"received", "received|tiep nhan|ho so tiep nhan|so ho so tiep nhan"},
        {"on_time", "on_time|dung han|ho so dung han|so ho so dung han"},
        {"late", "late|qua han|ho so qua han|so ho so qua han"},
        {"undigitized_components",
         "undigitized_components|chua so hoa tphs|chua so hoa thanh phan|ho so chua so hoa thanh "
         "phan|chua so hoa thanh phan ho so"},
        {"undigitized_results",
         "undigitized_results|kq chua so hoa|chua so hoa ket qua|ho so chua so hoa ket qua"},
};

static bool has_word(const char *words, const char *wanted) {
        size_t n = strlen(wanted);
        for (const char *p = words; *p;) {
                size_t size = strcspn(p, "|");
                if (size == n && strncmp(p, wanted, n) == 0)
                        return true;
                p += size + (p[size] == '|');
        }
        return false;
}

/* "Tỷ lệ đúng hạn (%)" -> "ty le dung han" */
static void cut_unit(char *folded) {
        char *open = strchr(folded, '(');
        if (open && open > folded)
                *open = '\0';
        size_t n = strlen(folded);
        while (n > 0 && strchr(" %*:.", folded[n - 1]))
                folded[--n] = '\0';
}

const char *sheet_role(const char *heading) {
        CLEANUP_FREE char *folded = NULL;
        if (text_fold(heading, &folded) < 0)
                return NULL;
        cut_unit(folded);
        if (!*folded)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(roles); i++)
                if (has_word(roles[i].words, folded))
                        return roles[i].role;
        return NULL;
}
