/* `source try`: asks a publisher once with the configuration as it stands and prints the first rows
 * as mapped. It needs no daemon and stores nothing, so it is what an installer runs before the
 * first start. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "answer/json_out.h"
#include "core/reason.h"
#include "ctl/show-util.h"
#include "flow/boot.h"
#include "flow/fetch.h"
#include "os/clock.h"
#include "transport/mux.h"

#define ROWS_SHOWN 10u
#define NOTES_SHOWN 10u
#define OUTPUT_MAX ((size_t) 16 << 20)

typedef struct Trial {
        const Ctl *ctl;
        const Config *config;
        size_t source;
        const char *scope;
        PeriodId period;
        sd_event *event;
        FetchResult *result; /* once it is there */
} Trial;

/* ---- what was asked for ---------------------------------------------------------------------- */

void ctl_complain_diag(const Diag *diag) {
        for (size_t i = 0; i < diag->n; i++) {
                CLEANUP_FREE char *text = diag_item_format(diag->items + i);

                if (text && diag->items[i].level == DIAG_ERROR)
                        ctl_complain("%s", text);
        }
}

int ctl_load_config(const Ctl *ctl, Config **ret) {
        const char *path = str_or(ctl->config, CTL_DEFAULT_CONFIG);
        CLEANUP(diag_done) Diag diag = DIAG_INIT;

        int r = boot_config(path, /* share_dir= */ NULL, clock_now_ms(), &diag, ret);
        if (r >= 0)
                return EXIT_FINE;
        ctl_complain_diag(&diag);
        if (diag.n_errors == 0)
                ctl_complain("%s: %s", path, strerror(-r));
        return EXIT_FAILED;
}

static int choose_period(Trial *t) {
        const SourceDef *source = t->config->sources + t->source;
        const char *text = ctl_option(t->ctl, "period");

        if (!text) {
                PeriodType type = source->n_periods > 0 ? source->periods[0] : PERIOD_MONTH;

                t->period = period_last_ended(type, day_of_instant(clock_now_ms()));
                return EXIT_FINE;
        }
        if (period_parse(text, &t->period) == 0)
                return EXIT_FINE;
        ctl_complain(SAID(t->ctl,
                          "kỳ \"%s\" không đúng dạng: viết 2024-08, 2024-Q3, 2024-H2 hoặc 2024",
                          "period \"%s\": write 2024-08, 2024-Q3, 2024-H2 or 2024"),
                     text);
        return EXIT_USAGE;
}

static int choose(Trial *t, const char *name) {
        int source = config_source(t->config, name);

        if (source < 0) {
                ctl_complain(SAID(t->ctl, "không có nguồn \"%s\" trong cấu hình",
                                  "there is no source \"%s\" in the configuration"),
                             name);
                return EXIT_FAILED;
        }
        t->source = (size_t) source;
        if (t->config->sources[source].kind == SOURCE_INBOX) {
                ctl_complain(
                        SAID(t->ctl, "nguồn %s đọc tệp bỏ vào thư mục, không hỏi ai được",
                             "source %s reads files dropped into a folder: there is nobody to ask"),
                        name);
                return EXIT_FAILED;
        }
        t->scope = str_or(ctl_option(t->ctl, "scope"), t->config->sources[source].scopes[0]);
        return choose_period(t);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void on_done(FetchJob *job, FetchResult *result, void *userdata) {
        Trial *t = userdata;

        (void) job;
        t->result = result;
        (void) sd_event_exit(t->event, 0);
}

static int run(Trial *t, sd_event *event) {
        CLEANUP(mux_freep) Mux *mux = NULL;
        FetchHosts *hosts = NULL;
        FetchJob *job = NULL;
        char *token = NULL;
        MuxOptions network = {
                .user_agent = str_or(t->config->network.user_agent, "chisod/" CHISO_VERSION),
                .proxy = t->config->network.proxy,
                .ca_file = t->config->network.ca_file,
        };

        int r = mux_new(event, &network, &mux);
        if (r == 0)
                r = fetch_hosts_new(event, &hosts);
        FetchOptions options = {
                .event = event,
                .mux = mux,
                .hosts = hosts,
                .config = t->config,
                .token = &token,
        };
        if (r == 0)
                r = fetch_start(&options, t->source, t->scope, t->period, on_done, t, &job);
        if (r == 0)
                r = sd_event_loop(event);
        fetch_free(job);
        if (hosts)
                fetch_hosts_free(hosts);
        free(token);
        return r;
}

static int ask(Trial *t) {
        sd_event *event = NULL;

        int r = sd_event_new(&event);
        if (r >= 0) {
                t->event = event;
                r = run(t, event);
        }
        sd_event_unref(event);
        if (r >= 0 && t->result)
                return EXIT_FINE;
        ctl_complain("%s", strerror(r < 0 ? -r : EIO));
        return EXIT_FAILED;
}

/* ---- showing --------------------------------------------------------------------------------- */

static const IndicatorDef *column_indicator(const Trial *t, const Snapshot *s, size_t column) {
        return t->config->indicators + s->indicators[column];
}

static bool has_values(const Snapshot *s, size_t column) {
        for (size_t u = 0; u < s->n_units; u++)
                if (s->value[u * s->n_columns + column] != VALUE_NONE)
                        return true;
        return false;
}

static const char *value_text(const Trial *t, const Snapshot *s, size_t u, size_t column,
                              char text[static DECIMAL_TEXT_MAX]) {
        int64_t value = s->value[u * s->n_columns + column];
        const IndicatorDef *def = column_indicator(t, s, column);
        DecimalFlags flags = def->unit == INDICATOR_PERCENT ? DECIMAL_TRIM_WHOLE : 0;

        if (value == VALUE_NONE)
                return "";
        return t->ctl->is_vi ? decimal_format_vi(text, value, def->decimals, flags)
                             : decimal_format(text, value, def->decimals);
}

static int show_rows(const Trial *t, const Snapshot *s, Buf *out) {
        CLEANUP(table_done) Table table = {0};
        size_t shown[TABLE_MAX_COLUMNS], n = 0;

        for (size_t c = 0; c < s->n_columns && n < TABLE_MAX_COLUMNS - 3; c++)
                if (has_values(s, c))
                        shown[n++] = c;
        table_column(&table, SAID(t->ctl, "Mã", "Code"), false, false);
        table_column(&table, SAID(t->ctl, "Đơn vị", "Unit"), false, false);
        table_column(&table, SAID(t->ctl, "Loại", "Kind"), false, true);
        for (size_t i = 0; i < n; i++)
                table_column(&table, column_indicator(t, s, shown[i])->name, /* is_right= */ true,
                             false);
        for (size_t u = 0; u < MIN(s->n_units, ROWS_SHOWN); u++) {
                table_cell(&table, s->units[u].code, COLOUR_NONE);
                table_cell(&table, s->units[u].name, COLOUR_NONE);
                table_cell(&table, s->units[u].kind, COLOUR_NONE);
                for (size_t i = 0; i < n; i++) {
                        char text[DECIMAL_TEXT_MAX];

                        table_cell(&table, value_text(t, s, u, shown[i], text), COLOUR_NONE);
                }
        }
        return table_print(&table, t->ctl->has_colour, out);
}

static int show_notes(const Trial *t, const Snapshot *s, Buf *out) {
        int r = !s->open_part
                        ? 0
                        : buf_printf(out,
                                     SAID(t->ctl,
                                          "Lưu ý: danh sách của phần %s kết thúc bằng \"...\": "
                                          "số đơn vị chỉ là cận dưới\n",
                                          "Note: the list of part %s ends in \"...\": its units "
                                          "are a lower bound\n"),
                                     s->open_part);

        for (size_t i = 0; r == 0 && i < MIN(s->n_notes, NOTES_SHOWN); i++) {
                CLEANUP(buf_done) Buf words = BUF_INIT(8192);
                const DecodeNote *note = s->notes + i;
                bool is_known = t->ctl->is_vi && reason_words(note->text, &words) == 0;

                r = buf_printf(out, SAID(t->ctl, "Lưu ý: %s, %s: %s\n", "Note: %s, %s: %s\n"),
                               s->units[note->unit].name,
                               t->config->indicators[note->indicator].name,
                               is_known ? buf_text(&words) : note->text);
        }
        return r;
}

static int show_trial(const Trial *t, Buf *out) {
        const Snapshot *s = t->result->snapshot;
        char period[48];

        int r = buf_printf(out, "%s · %s · %s · %" PRId64 " KiB · %" PRId64 " ms\n",
                           t->config->sources[t->source].label, *t->scope ? t->scope : "–",
                           t->ctl->is_vi ? period_format_vi(period, t->period)
                                         : period_format_en(period, t->period),
                           (t->result->bytes + 1023) / 1024, t->result->duration_ms);
        if (r == 0)
                r = show_rows(t, s, out);
        if (r == 0)
                r = buf_printf(out,
                               SAID(t->ctl,
                                    "%zu đơn vị, %zu giá trị, %zu giá trị hỏng; không lưu gì\n",
                                    "%zu units, %zu values, %zu bad values; nothing was stored\n"),
                               s->n_units, s->n_values, s->n_bad);
        return r == 0 ? show_notes(t, s, out) : r;
}

static void write_units(const Trial *t, const Snapshot *s, JsonOut *o) {
        json_out_array(o, "rows");
        for (size_t u = 0; u < s->n_units; u++) {
                json_out_object(o, NULL);
                json_out_text(o, "code", s->units[u].code);
                json_out_text(o, "name", s->units[u].name);
                json_out_text(o, "kind", s->units[u].kind);
                json_out_object(o, "values");
                for (size_t c = 0; c < s->n_columns; c++)
                        json_out_value(o, column_indicator(t, s, c)->name,
                                       s->value[u * s->n_columns + c],
                                       column_indicator(t, s, c)->decimals);
                json_out_end_object(o);
                json_out_end_object(o);
        }
        json_out_end_array(o);
}

static int show_json(const Trial *t, Buf *out) {
        const Snapshot *s = t->result->snapshot;
        JsonOut o = JSON_OUT(out);

        json_out_object(&o, NULL);
        json_out_text(&o, "source", t->config->sources[t->source].name);
        json_out_text(&o, "scope", t->scope);
        json_out_period(&o, "period", t->period);
        json_out_int(&o, "bytes", t->result->bytes);
        json_out_int(&o, "bad", (int64_t) s->n_bad);
        write_units(t, s, &o);
        json_out_array(&o, "notes");
        for (size_t i = 0; i < s->n_notes; i++)
                json_out_text(&o, NULL, s->notes[i].text);
        json_out_end_array(&o);
        json_out_end_object(&o);
        return json_out_done(&o) < 0 ? json_out_done(&o) : buf_char(out, '\n');
}

static int report(const Trial *t) {
        CLEANUP(buf_done) Buf out = BUF_INIT(OUTPUT_MAX);
        const FetchResult *result = t->result;

        if (result->fault != FETCH_OK || !result->snapshot) {
                const char *reason = str_or(result->reason, "");
                CLEANUP(buf_done) Buf words = BUF_INIT(8192);

                if (t->ctl->is_vi && reason_words(reason, &words) == 0)
                        reason = buf_text(&words);
                ctl_complain(
                        SAID(t->ctl, "không lấy được (HTTP %d): %s", "not fetched (HTTP %d): %s"),
                        result->http_status, reason);
                return EXIT_FAILED;
        }
        int r = t->ctl->is_json ? show_json(t, &out) : show_trial(t, &out);
        if (r < 0) {
                ctl_complain("%s", strerror(-r));
                return EXIT_FAILED;
        }
        return ctl_print(&out);
}

int command_source(Ctl *ctl) {
        CLEANUP(config_freep) Config *config = NULL;

        if (!streq(ctl->words[0], "try") || ctl->n_words != 2) {
                ctl_complain(SAID(ctl,
                                  "cách dùng: chisoctl source try NGUỒN [--period P] [--scope S]",
                                  "usage: chisoctl source try NAME [--period P] [--scope S]"));
                return EXIT_USAGE;
        }
        int r = ctl_load_config(ctl, &config);
        if (r != EXIT_FINE)
                return r;
        Trial t = {.ctl = ctl, .config = config};
        ctl->is_vi = config->daemon.language[0] == 'v';
        r = choose(&t, ctl->words[1]);
        if (r == EXIT_FINE)
                r = ask(&t);
        if (r == EXIT_FINE)
                r = report(&t);
        if (t.result)
                fetch_result_free(t.result);
        return r;
}
