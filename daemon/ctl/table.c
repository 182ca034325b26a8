/* Cells are kept until the end, since the widths are known only then. */
#include "ctl/table.h"

#include <errno.h>

#include "base/text.h"

static const char *const escapes[] = {
        [COLOUR_NONE] = "",           [COLOUR_RED] = "\033[31m", [COLOUR_GREEN] = "\033[32m",
        [COLOUR_YELLOW] = "\033[33m", [COLOUR_BOLD] = "\033[1m", [COLOUR_DIM] = "\033[2m",
};
#define GAP 2u
#define MIN_WIDTH 10u /* of a text that is cut */
#define ESCAPE_END "\033[0m"

int colour_text(Buf *out, Colour colour, bool has_colour, const char *text) {
        bool is_coloured = has_colour && colour != COLOUR_NONE;
        int r = is_coloured ? buf_str(out, escapes[colour]) : 0;

        if (r == 0)
                r = buf_str(out, text);
        if (r == 0 && is_coloured)
                r = buf_str(out, ESCAPE_END);
        return r;
}

/* What a publisher or a peer wrote must not move the cursor. */
static char *printable(const char *text) {
        CLEANUP(buf_done) Buf b = BUF_INIT(64 << 10);

        if (text_append_printable(&b, text, strlen(text)) < 0)
                return NULL;
        return buf_take(&b);
}

void table_column(Table *t, const char *title, bool is_right, bool is_optional) {
        assert(t->n_columns < TABLE_MAX_COLUMNS);
        char *copy = printable(title);
        if (!copy && t->error == 0)
                t->error = -ENOMEM;
        t->columns[t->n_columns++] =
                (Column){.title = copy, .is_right = is_right, .is_optional = is_optional};
}

void table_minor(Table *t) {
        t->columns[t->n_columns - 1].is_minor = true;
}

void table_cell(Table *t, const char *text, Colour colour) {
        if (t->error < 0)
                return;
        char *copy = printable(str_or(text, ""));
        if (!copy) {
                t->error = -ENOMEM;
                return;
        }
        int r = ARRAY_GROW(t->cells, t->cap_cells, t->n_cells + 1);
        if (r < 0) {
                free(copy);
                t->error = r;
                return;
        }
        t->cells[t->n_cells++] = (Cell){.text = copy, .colour = colour};
}

void table_done(Table *t) {
        for (size_t i = 0; i < t->n_columns; i++)
                free(t->columns[i].title);
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i].text);
        free(t->cells);
        *t = (Table){0};
}

/* Display columns; 0 leaves the column out. */
static size_t column_width(const Table *t, size_t column) {
        size_t width = 0;

        if (t->columns[column].is_left_out)
                return 0;
        for (size_t i = column; i < t->n_cells; i += t->n_columns)
                width = MAX(width, text_width(t->cells[i].text));
        if (width == 0 && t->columns[column].is_optional)
                return 0;
        width = MAX(width, text_width(t->columns[column].title));
        if (t->is_whole)
                return width;
        return MIN(width, t->columns[column].most > 0 ? t->columns[column].most : TABLE_MAX_WIDTH);
}

static size_t table_width(const Table *t) {
        size_t width = 0;

        for (size_t i = 0; i < t->n_columns; i++) {
                size_t one = column_width(t, i);

                width += one + (one > 0 && width > 0 ? GAP : 0);
        }
        return width;
}

static bool leave_out(Table *t) {
        for (size_t i = t->n_columns; i-- > 0;)
                if (t->columns[i].is_minor && column_width(t, i) > 0) {
                        t->columns[i].is_left_out = true;
                        return true;
                }
        return false;
}

/* Texts only: half a number is another number. */
static bool cut_widest(Table *t, size_t by) {
        size_t widest = 0, chosen = t->n_columns;

        for (size_t i = 0; i < t->n_columns; i++) {
                size_t width = t->columns[i].is_right ? 0 : column_width(t, i);

                if (width > widest) {
                        widest = width;
                        chosen = i;
                }
        }
        if (widest <= MIN_WIDTH)
                return false;
        t->columns[chosen].most = widest - MIN(by, MAX((widest - MIN_WIDTH) / 2, 1u));
        return true;
}

void table_fit(Table *t, size_t columns) {
        t->is_whole = columns == 0;
        if (t->is_whole)
                return;
        while (table_width(t) > columns && leave_out(t))
                ;
        for (size_t width = table_width(t); width > columns; width = table_width(t))
                if (!cut_widest(t, width - columns))
                        return;
}

static size_t last_shown(const Table *t, const size_t *width) {
        size_t last = 0;

        for (size_t i = 0; i < t->n_columns; i++)
                if (width[i] > 0)
                        last = i;
        return last;
}

/* The last column of a row is not padded: no blanks at line ends. */
static int pad(Buf *out, const char *text, size_t width, bool is_right, bool is_last) {
        return text_pad(out, text, is_last && !is_right ? MIN(width, text_width(text)) : width,
                        is_right);
}

static int print_row(const Table *t, const size_t *width, const Cell *row, bool has_colour,
                     Buf *out) {
        size_t last = last_shown(t, width);
        bool is_first = true;
        int r = 0;

        for (size_t i = 0; r == 0 && i < t->n_columns; i++) {
                CLEANUP(buf_done) Buf cell = BUF_INIT(256 << 10);
                const Column *column = t->columns + i;

                if (width[i] == 0)
                        continue;
                r = pad(&cell, row ? row[i].text : column->title, width[i], column->is_right,
                        i == last);
                if (r == 0 && !is_first)
                        r = buf_str(out, "  ");
                if (r == 0)
                        r = colour_text(out, row ? row[i].colour : COLOUR_BOLD, has_colour,
                                        buf_text(&cell));
                is_first = false;
        }
        return r == 0 ? buf_char(out, '\n') : r;
}

int table_print(const Table *t, bool has_colour, Buf *out) {
        size_t width[TABLE_MAX_COLUMNS];

        if (t->error < 0)
                return t->error;
        for (size_t i = 0; i < t->n_columns; i++)
                width[i] = column_width(t, i);
        int r = print_row(t, width, NULL, has_colour, out);
        for (size_t i = 0; r == 0 && i + t->n_columns <= t->n_cells; i += t->n_columns)
                r = print_row(t, width, t->cells + i, has_colour, out);
        return r;
}

int spark_line(Buf *out, const double *value, const bool *has, size_t n) {
        static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
        double least = 0, greatest = 0;
        bool is_seen = false;

        for (size_t i = 0; i < n; i++) {
                if (!has[i])
                        continue;
                least = is_seen ? MIN(least, value[i]) : value[i];
                greatest = is_seen ? MAX(greatest, value[i]) : value[i];
                is_seen = true;
        }
        double span = greatest - least;
        for (size_t i = 0; i < n; i++) {
                size_t step =
                        span > 0 && has[i] ? (size_t) ((value[i] - least) / span * 7 + 0.5) : 0;
                int r = buf_str(out, has[i] ? bars[MIN(step, 7u)] : " ");

                if (r < 0)
                        return r;
        }
        return 0;
}
