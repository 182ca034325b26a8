/* styles.xml: every format in every tone, always all of them, so that a style's number follows from
 * its format and tone. Text has the format "@": a cell that is edited stays text. */
#include "export/book-internal.h"
#include "export/book.h"

#define N_DIGITS (DECIMAL_MAX_DECIMALS + 1)
#define FIRST_NUMFMT 164u /* below are the built-in ones */

/* One list of formats: kinds without digits, then numbers and changes by their digits. */
enum {
        FORMAT_TEXT,
        FORMAT_CODE,
        FORMAT_COUNT,
        FORMAT_DATE,
        FORMAT_INSTANT,
        FORMAT_NUMBER,
        FORMAT_CHANGE = FORMAT_NUMBER + N_DIGITS,
        FORMAT_N = FORMAT_CHANGE + N_DIGITS,
};

static const char *const digits[N_DIGITS] = {"0", "0.0", "0.00", "0.000", "0.0000"};

static const struct {
        const char *horizontal;
        unsigned numfmt; /* 0: FIRST_NUMFMT + the format's own number */
} plain_formats[] = {
        [FORMAT_TEXT] = {"left", 49},     [FORMAT_CODE] = {"center", 49},
        [FORMAT_COUNT] = {"right", 3},    [FORMAT_DATE] = {"center", 0},
        [FORMAT_INSTANT] = {"center", 0},
};

static const struct {
        unsigned font, fill;
} tones[BOOK_N_TONES] = {
        [BOOK_PLAIN] = {0, 0},    [BOOK_GOOD] = {0, 3},  [BOOK_WARNING] = {1, 4},
        [BOOK_CRITICAL] = {1, 5}, [BOOK_MUTED] = {4, 0},
};

static const char head[] =
        "<fonts count=\"5\">"
        "<font><sz val=\"12\"/><name val=\"Times New Roman\"/><family val=\"1\"/></font>"
        "<font><b/><sz val=\"12\"/><name val=\"Times New Roman\"/><family val=\"1\"/></font>"
        "<font><i/><sz val=\"12\"/><name val=\"Times New Roman\"/><family val=\"1\"/></font>"
        "<font><b/><sz val=\"14\"/><name val=\"Times New Roman\"/><family val=\"1\"/></font>"
        "<font><i/><sz val=\"12\"/><color rgb=\"FF595959\"/><name val=\"Times New Roman\"/>"
        "<family val=\"1\"/></font></fonts>"
        "<fills count=\"6\"><fill><patternFill patternType=\"none\"/></fill>"
        "<fill><patternFill patternType=\"gray125\"/></fill>"
        "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFE7E6E6\"/></patternFill></fill>"
        "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFE2F0D9\"/></patternFill></fill>"
        "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFFFF2CC\"/></patternFill></fill>"
        "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFF8CBAD\"/></patternFill></fill>"
        "</fills>"
        "<borders count=\"2\"><border><left/><right/><top/><bottom/><diagonal/></border>"
        "<border><left style=\"thin\"/><right style=\"thin\"/><top style=\"thin\"/>"
        "<bottom style=\"thin\"/><diagonal/></border></borders>"
        "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/>"
        "</cellStyleXfs>";

static const char *const own_styles[STYLE_N] = {
        [STYLE_TITLE] = "fontId=\"3\" fillId=\"0\" borderId=\"0\"",
        [STYLE_SUBTITLE] = "fontId=\"2\" fillId=\"0\" borderId=\"0\"",
        [STYLE_HEADING] = "fontId=\"1\" fillId=\"2\" borderId=\"1\"",
        [STYLE_NOTE] = "fontId=\"2\" fillId=\"0\" borderId=\"0\"",
};

static const char tail[] =
        "</cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/>"
        "</cellStyles></styleSheet>";

static unsigned format_of(BookKind kind, unsigned decimals) {
        static const unsigned formats[BOOK_N_KINDS] = {
                [BOOK_TEXT] = FORMAT_TEXT,       [BOOK_CODE] = FORMAT_CODE,
                [BOOK_COUNT] = FORMAT_COUNT,     [BOOK_NUMBER] = FORMAT_NUMBER,
                [BOOK_CHANGE] = FORMAT_CHANGE,   [BOOK_DATE] = FORMAT_DATE,
                [BOOK_INSTANT] = FORMAT_INSTANT,
        };
        bool has_digits = kind == BOOK_NUMBER || kind == BOOK_CHANGE;

        return formats[kind] + (has_digits ? MIN(decimals, DECIMAL_MAX_DECIMALS) : 0);
}

unsigned book_cell_style(BookKind kind, unsigned decimals, BookTone tone) {
        return 1 + format_of(kind, decimals) * BOOK_N_TONES + tone;
}

unsigned book_style(BookStyle style) {
        return 1 + FORMAT_N * BOOK_N_TONES + style;
}

static int append_formats(Buf *out) {
        int r = buf_printf(out,
                           "<numFmts count=\"%u\"><numFmt numFmtId=\"%u\" "
                           "formatCode=\"dd/mm/yyyy\"/>"
                           "<numFmt numFmtId=\"%u\" formatCode=\"dd/mm/yyyy hh:mm\"/>",
                           2 + 2 * N_DIGITS, FIRST_NUMFMT + FORMAT_DATE,
                           FIRST_NUMFMT + FORMAT_INSTANT);

        for (unsigned i = 0; r == 0 && i < N_DIGITS; i++)
                r = buf_printf(out,
                               "<numFmt numFmtId=\"%u\" formatCode=\"%s\"/><numFmt numFmtId=\"%u\" "
                               "formatCode=\"+%s;&quot;\u2212&quot;%s;%s\"/>",
                               FIRST_NUMFMT + FORMAT_NUMBER + i, digits[i],
                               FIRST_NUMFMT + FORMAT_CHANGE + i, digits[i], digits[i], digits[i]);
        return r == 0 ? buf_str(out, "</numFmts>") : r;
}

static int append_cell_style(Buf *out, unsigned format, unsigned tone) {
        bool is_plain = format < ELEMENTSOF(plain_formats);
        unsigned numfmt = is_plain ? plain_formats[format].numfmt : 0;

        return buf_printf(
                out,
                "<xf numFmtId=\"%u\" fontId=\"%u\" fillId=\"%u\" borderId=\"1\" xfId=\"0\" "
                "applyNumberFormat=\"1\" applyFont=\"1\" applyFill=\"1\" applyBorder=\"1\" "
                "applyAlignment=\"1\"><alignment horizontal=\"%s\" vertical=\"center\"%s/>"
                "</xf>",
                numfmt ? numfmt : FIRST_NUMFMT + format, tones[tone].font, tones[tone].fill,
                is_plain ? plain_formats[format].horizontal : "right",
                format == FORMAT_TEXT ? " wrapText=\"1\"" : "");
}

int book_styles(Buf *out) {
        int r = buf_str(out,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                        "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/"
                        "2006/main\">");

        if (r == 0)
                r = append_formats(out);
        if (r == 0)
                r = buf_str(out, head);
        if (r == 0)
                r = buf_printf(out,
                               "<cellXfs count=\"%u\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" "
                               "borderId=\"0\" xfId=\"0\"/>",
                               book_style(STYLE_N));
        for (unsigned i = 0; r == 0 && i < FORMAT_N * BOOK_N_TONES; i++)
                r = append_cell_style(out, i / BOOK_N_TONES, i % BOOK_N_TONES);
        for (unsigned i = 0; r == 0 && i < STYLE_N; i++)
                r = buf_printf(out,
                               "<xf numFmtId=\"49\" %s xfId=\"0\" applyNumberFormat=\"1\" "
                               "applyFont=\"1\" applyFill=\"1\" applyBorder=\"1\" "
                               "applyAlignment=\"1\"><alignment horizontal=\"%s\" "
                               "vertical=\"center\" wrapText=\"1\"/></xf>",
                               own_styles[i], i == STYLE_NOTE ? "left" : "center");
        return r == 0 ? buf_str(out, tail) : r;
}
