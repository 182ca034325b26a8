/* "UBND TT Vương" is the commune "Vương": the type word tells the kind and is no part of the name,
 * since it is what changes when a commune becomes a ward, and what one publisher writes and the
 * next leaves out.
 *
 * Only two things are ever taken off: words of the table in front, and one trailing " - tỉnh X" / "
 * - thành phố X". Cutting at any " - " was dropped: "Phường Văn Miếu - Quốc Tử Giám" is one name.
 * The words are compared without regard to case, by a lower-casing of just the letters that
 * Vietnamese has; what remains is compared exactly. No tone mark is ever moved: a rule that turns
 * "uý" into "úy" ruins "Quý". */
#include <errno.h>

#include "base/text.h"
#include "core/unit-name.h"
#include "core/unit.h"

static const char *const offices[] = {"ubnd", "ủy ban nhân dân", "uỷ ban nhân dân"};

/* A spelling that begins another one stands after it. */
static const TypeWord words[] = {
        {"xã", "xã", "commune", false},
        {"x.", "xã", "commune", false},
        {"phường", "phường", "commune", false},
        {"p.", "phường", "commune", false},
        {"thị trấn", "thị trấn", "commune", false},
        {"tt.", "thị trấn", "commune", false},
        {"tt", "thị trấn", "commune", false},
        {"đặc khu", "đặc khu", "commune", false},
        {"tỉnh", "tỉnh", "province", false},
        {"thành phố", "thành phố", "province", false},
        {"tp.", "thành phố", "province", false},
        {"tp", "thành phố", "province", false},
        /* Of figures before July 2025, when there were districts. */
        {"huyện", "huyện", "district", false},
        {"quận", "quận", "district", false},
        {"thị xã", "thị xã", "district", false},
        {"sở", "sở", "department", true},
        {"ban", "ban", "department", true},
        {"văn phòng", "văn phòng", "department", true},
        {"thanh tra", "thanh tra", "department", true},
};

/* One character of NFC text; anything beyond three bytes is no letter that matters here. */
static size_t next_char(const char *s, uint32_t *ret) {
        const unsigned char *p = (const unsigned char *) s;
        if (p[0] >= 0xe0 && p[0] < 0xf0 && p[1] && p[2]) {
                *ret = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
                return 3;
        }
        if (p[0] >= 0xc0 && p[0] < 0xe0 && p[1]) {
                *ret = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
                return 2;
        }
        *ret = p[0];
        return 1;
}

static uint32_t lower(uint32_t c) {
        if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde))
                return c + 0x20;
        if (c == 0x1af) /* Ư */
                return 0x1b0;
        bool is_upper = (c % 2 == 0 && (c == 0x102 || c == 0x110 || c == 0x128 || c == 0x168 ||
                                        c == 0x1a0 || (c >= 0x1ea0 && c <= 0x1ef8)));
        return is_upper ? c + 1 : c;
}

/* Bytes of text that the lower-case word takes at its beginning, 0 when it does not begin so. */
static size_t match_word(const char *text, const char *word) {
        const char *t = text;
        for (const char *w = word; *w;) {
                uint32_t a, b;
                t += next_char(t, &a);
                w += next_char(w, &b);
                if (a == 0 || lower(a) != b)
                        return 0;
        }
        return (size_t) (t - text);
}

/* The same, when a further word follows: returns the place where that begins, or 0. A dot needs no
 * blank after it. */
static size_t match_prefix(const char *text, const char *word) {
        size_t n = match_word(text, word);
        if (n == 0)
                return 0;
        if (text[n] == ' ')
                n++;
        else if (text[n - 1] != '.')
                return 0;
        return text[n] ? n : 0;
}

static const TypeWord *match_type(const char *text, size_t *ret_length) {
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                *ret_length = match_prefix(text, words[i].spelling);
                if (*ret_length > 0)
                        return &words[i];
        }
        return NULL;
}

/* Cuts " - tỉnh X" off the end, in place. */
static void cut_province(char *name) {
        char *dash = NULL;
        for (char *p = strstr(name, " - "); p; p = strstr(p + 1, " - "))
                dash = p;
        size_t n;
        const TypeWord *word = dash ? match_type(dash + strlen(" - "), &n) : NULL;
        if (word && streq(word->kind, "province"))
                *dash = '\0';
}

int unit_name_parse(const char *name, char **ret_bare, const TypeWord **ret_word) {
        CLEANUP_FREE char *clean = NULL;
        int r = text_clean(name, strlen(name), &clean);
        if (r < 0)
                return r;
        cut_province(clean);

        const char *rest = clean;
        for (size_t i = 0; i < ELEMENTSOF(offices) && rest == clean; i++)
                rest += match_prefix(clean, offices[i]);
        size_t n;
        const TypeWord *word = match_type(rest, &n);
        if (word && !word->is_name)
                rest += n;
        char *bare = strdup(rest);
        if (!bare)
                return -ENOMEM;
        *ret_bare = bare;
        *ret_word = word;
        return 0;
}

int unit_name_split(const char *name, char **ret_bare, const char **ret_kind) {
        const TypeWord *word;
        int r = unit_name_parse(name, ret_bare, &word);
        if (r < 0)
                return r;
        *ret_kind = word ? word->kind : "";
        return 0;
}
