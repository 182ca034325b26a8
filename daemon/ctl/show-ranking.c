/* The table people compare with the letter's appendix: it must come out to the digit, so texts are
 * the daemon's and no number is made here but the spark line's heights. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/show-util.h"

#define TREND_MAX 64u

static const char *previous_title(const Ctl *ctl, const char *type) {
        if (streq(type, "month"))
                return SAID(ctl, "so với tháng trước", "vs last month");
        if (streq(type, "quarter"))
                return SAID(ctl, "so với quý trước", "vs last quarter");
        if (streq(type, "year"))
                return SAID(ctl, "so với năm trước", "vs last year");
        return SAID(ctl, "so với kỳ trước", "vs last period");
}

static void move_cell(Table *t, const json_t *row) {
        const json_t *move = at(row, "move");
        int64_t by = json_integer_value(move);
        char text[32] = "";

        if (json_is_integer(move))
                (void) snprintf(text, sizeof(text), "%s%" PRId64, by > 0 ? "▲" : "▼",
                                by > 0 ? by : -by);
        if (json_is_integer(move) && by == 0)
                (void) snprintf(text, sizeof(text), "=");
        table_cell(t, text, by > 0 ? COLOUR_GREEN : by < 0 ? COLOUR_RED : COLOUR_NONE);
}

static int spark_cell(Table *t, const json_t *trend) {
        CLEANUP(buf_done) Buf line = BUF_INIT(1024);
        double value[TREND_MAX] = {0};
        bool has[TREND_MAX] = {0};
        size_t n = MIN(json_array_size(trend), TREND_MAX);

        for (size_t i = 0; i < n; i++) {
                const json_t *v = json_array_get(trend, i);

                has[i] = json_is_number(v);
                value[i] = json_number_value(v);
        }
        int r = spark_line(&line, value, has, n);
        if (r == 0)
                table_cell(t, buf_text(&line), COLOUR_NONE);
        return r;
}

static int add_columns(const Ctl *ctl, const json_t *ranking, Table *t) {
        CLEANUP(buf_done) Buf title = BUF_INIT(1024);
        const json_t *with = at(ranking, "with");

        table_column(t, SAID(ctl, "Hạng", "Place"), /* is_right= */ true, false);
        table_column(t, "±", true, /* is_optional= */ true);
        table_column(t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(t, at_text(ranking, "indicator.label"), true, false);
        table_column(t, previous_title(ctl, at_text(ranking, "period.type")), true, true);
        for (size_t i = 0; i < json_array_size(with) && t->n_columns < TABLE_MAX_COLUMNS - 2; i++) {
                table_column(t, indicator_title(json_array_get(with, i), &title), true, true);
                table_minor(t);
        }
        table_column(t, SAID(ctl, "Xếp loại", "Band"), false, true);
        table_minor(t);
        table_column(t, SAID(ctl, "Xu hướng", "Trend"), true, true);
        return t->error;
}

static int add_row(const Ctl *ctl, const json_t *ranking, const json_t *row, Table *t) {
        const json_t *with = at(ranking, "with");
        char place[32] = "–";

        if (json_is_integer(at(row, "place")))
                (void) snprintf(place, sizeof(place), "%" PRId64, at_int(row, "place"));
        table_cell(t, place, COLOUR_NONE);
        move_cell(t, row);
        table_cell(t, at_text(row, "unit.name"), COLOUR_NONE);
        table_cell(t, at_text(row, "text"), COLOUR_NONE);
        table_cell(t, at_delta(ctl, row), COLOUR_NONE);
        for (size_t i = 0; i < json_array_size(with) && i < TABLE_MAX_COLUMNS - 7; i++) {
                const json_t *values = at(row, "with");

                table_cell(
                        t,
                        at_text(json_object_get(values, at_text(json_array_get(with, i), "name")),
                                "text"),
                        COLOUR_NONE);
        }
        table_cell(t, at_text(row, "band"), COLOUR_NONE);
        return spark_cell(t, at(row, "trend"));
}

static int show_foot(const Ctl *ctl, const json_t *ranking, const json_t *cohort, Buf *out) {
        char fetched[24];

        int r = buf_printf(out, SAID(ctl, "Nguồn: %s", "Source: %s"),
                           at_text(ranking, "source.label"));
        if (r == 0 && *at_instant(fetched, ranking, "fetched"))
                r = buf_printf(out, SAID(ctl, " · lấy %s", " · fetched %s"), fetched);
        if (r == 0)
                r = buf_printf(out,
                               SAID(ctl, " · %s %s · %" PRId64 "/%" PRId64 " có số liệu",
                                    " · %s %s · %" PRId64 "/%" PRId64 " with figures"),
                               at_text(ranking, "period.label"),
                               at_text(ranking, "period.status_label"),
                               at_int(cohort, "with_value"), at_int(cohort, "units"));
        size_t n_rows = json_array_size(at(cohort, "rows"));
        if (r == 0 && (int64_t) n_rows < at_int(cohort, "units"))
                r = buf_printf(
                        out, SAID(ctl, " · chỉ in %zu dòng: --limit", " · %zu rows shown: --limit"),
                        n_rows);
        const json_t *of = at(cohort, "move_of");
        if (r == 0 && json_is_integer(of) &&
            (json_integer_value(of) < at_int(cohort, "with_value") ||
             json_integer_value(of) < at_int(cohort, "previous_of")))
                r = buf_printf(out,
                               SAID(ctl, " · ± tính trong %" PRId64 " đơn vị có số liệu cả hai kỳ",
                                    " · ± among the %" PRId64 " units with both periods"),
                               (int64_t) json_integer_value(of));
        return r == 0 ? buf_char(out, '\n') : r;
}

static int show_cohort(const Ctl *ctl, const json_t *ranking, const json_t *cohort, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *rows = at(cohort, "rows"), *row;
        const char *parent = at_text(cohort, "parent.name");
        size_t i;

        if (json_array_size(rows) == 0)
                return 0;
        int r = buf_printf(out, "%s · %s (%s)%s%s\n", at_text(ranking, "indicator.label"),
                           at_text(ranking, "period.label"),
                           at_text(ranking, "period.status_label"), *parent ? " · " : "", parent);
        if (r == 0)
                r = add_columns(ctl, ranking, &t);
        json_array_foreach(rows, i, row) if (r == 0) r = add_row(ctl, ranking, row, &t);
        if (r == 0)
                r = show_table(ctl, &t, out);
        return r == 0 ? show_foot(ctl, ranking, cohort, out) : r;
}

int show_ranking(const Ctl *ctl, const json_t *ranking, Buf *out) {
        const json_t *cohort;
        size_t i;

        int r = show_as_of(ctl, ranking, out);
        json_array_foreach(at(ranking, "cohorts"), i, cohort) {
                if (r == 0 && i > 0)
                        r = buf_char(out, '\n');
                if (r == 0)
                        r = show_cohort(ctl, ranking, cohort, out);
        }
        if (r == 0 && json_array_size(at(ranking, "cohorts")) == 0)
                r = buf_printf(
                        out,
                        SAID(ctl, "Không có số liệu %s của %s.\n", "No figures of %s in %s.\n"),
                        at_text(ranking, "indicator.label"), at_text(ranking, "period.label"));
        return r;
}

/* ---- history --------------------------------------------------------------------------------- */

static const char *why_text(const Ctl *ctl, const char *why) {
        return streq(why, "gone")    ? SAID(ctl, "không còn", "withdrawn")
               : streq(why, "empty") ? SAID(ctl, "mẫu số 0", "of nothing")
               : streq(why, "bad")   ? SAID(ctl, "hỏng", "unusable")
                                     : SAID(ctl, "không có", "none");
}

static int show_vintages(const Ctl *ctl, const json_t *history, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *period, *vintage;
        size_t i, j;

        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, false);
        table_column(&t, SAID(ctl, "Biết từ", "Known from"), false, false);
        table_column(&t, at_text(history, "indicator.label"), true, false);
        table_column(&t, SAID(ctl, "Nguồn", "Source"), false, true);
        table_column(&t, SAID(ctl, "Bản lấy", "Snapshot"), true, true);
        table_column(&t, "SHA-256", false, true);
        json_array_foreach(at(history, "periods"), i, period) {
                json_array_foreach(at(period, "vintages"), j, vintage) {
                        char known[24], snapshot[24] = "", hash[17] = "";
                        const char *text = at_text(vintage, "text");

                        if (json_is_integer(at(vintage, "snapshot")))
                                (void) snprintf(snapshot, sizeof(snapshot), "%" PRId64,
                                                at_int(vintage, "snapshot"));
                        (void) snprintf(hash, sizeof(hash), "%s", at_text(vintage, "hash"));
                        table_cell(&t, j == 0 ? at_text(period, "period.label") : "", COLOUR_NONE);
                        table_cell(&t, at_instant(known, vintage, "at"), COLOUR_NONE);
                        table_cell(&t, *text ? text : why_text(ctl, at_text(vintage, "why")),
                                   COLOUR_NONE);
                        table_cell(&t, at_text(vintage, "source"), COLOUR_NONE);
                        table_cell(&t, snapshot, COLOUR_NONE);
                        table_cell(&t, hash, COLOUR_DIM);
                }
        }
        return show_table(ctl, &t, out);
}

static int show_kin(const json_t *history, const char *key, const char *title, Buf *out) {
        const json_t *k;
        size_t i;
        int r = 0;

        json_array_foreach(at(history, key), i, k) if (r == 0) r =
                buf_printf(out, "%s%s (%s)", i ? ", " : title, at_text(k, "unit.name"),
                           at_text(k, "unit.key"));
        return r == 0 && i > 0 ? buf_char(out, '\n') : r;
}

int show_history(const Ctl *ctl, const json_t *history, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *period;
        bool has_vintages = false;
        size_t i;

        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, false);
        table_column(&t, at_text(history, "indicator.label"), true, false);
        table_column(&t, SAID(ctl, "so với kỳ trước", "change"), true, false);
        table_column(&t, SAID(ctl, "Hạng", "Place"), true, true);
        table_column(&t, SAID(ctl, "Tình trạng", "Status"), false, false);
        json_array_foreach(at(history, "periods"), i, period) {
                const char *text = at_text(period, "text");
                char place[32];

                has_vintages = has_vintages || at(period, "vintages");
                table_cell(&t, at_text(period, "period.label"), COLOUR_NONE);
                table_cell(&t, *text ? text : SAID(ctl, "không có", "none"), COLOUR_NONE);
                table_cell(&t, at_delta(ctl, period), COLOUR_NONE);
                table_cell(&t, at_place(place, period), COLOUR_NONE);
                table_cell(&t, at_text(period, "period.status_label"), COLOUR_NONE);
        }
        int r = buf_printf(out, "%s (%s)\n", at_text(history, "unit.name"),
                           at_text(history, "unit.key"));
        if (r == 0)
                r = show_kin(history, "predecessors", SAID(ctl, "Từ: ", "From: "), out);
        if (r == 0)
                r = show_kin(history, "successors", SAID(ctl, "Nay là: ", "Now: "), out);
        if (r == 0)
                r = show_as_of(ctl, history, out);
        if (r == 0)
                r = show_table(ctl, &t, out);
        if (r == 0 && has_vintages)
                r = buf_char(out, '\n');
        if (r == 0 && has_vintages)
                r = show_vintages(ctl, history, out);
        return r;
}
