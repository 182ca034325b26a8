/* chisoctl rules, silence, explain: what judges, what holds telling, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timeutil.h"
#include "ctl/answer.h"
#include "ctl/show-util.h"
#include "flow/rehearse.h"

/* ---- rules ----------------------------------------------------------------------------------- */

static const char *rule_state(const Ctl *ctl, const json_t *rule) {
        if (at_bool(rule, "is_off"))
                return SAID(ctl, "tắt", "off");
        if (at_int(rule, "holds") > 0)
                return SAID(ctl, "đang giữ", "held");
        return at_bool(rule, "is_operator")      ? SAID(ctl, "vận hành", "operator")
               : at_bool(rule, "is_letter_only") ? SAID(ctl, "công văn", "letter")
                                                 : SAID(ctl, "bật", "on");
}

static int show_rules(const Ctl *ctl, const json_t *answer, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *rule;
        size_t i;
        table_column(&t, SAID(ctl, "Quy tắc", "Rule"), false, false);
        table_column(&t, SAID(ctl, "Chỉ số", "Indicator"), false, true);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Điều kiện", "When"), false, false);
        table_column(&t, SAID(ctl, "Nghiêm trọng", "Critical"), false, true);
        table_column(&t, SAID(ctl, "Đang mở", "Open"), true, false);
        table_column(&t, SAID(ctl, "Bị giữ", "Held"), true, false);
        table_minor(&t);
        table_column(&t, SAID(ctl, "Trạng thái", "State"), false, false);
        json_array_foreach(at(answer, "rules"), i, rule) {
                char open[24], held[24];
                (void) snprintf(open, sizeof open, "%" PRId64, at_int(rule, "open"));
                (void) snprintf(held, sizeof held, "%" PRId64, at_int(rule, "held"));
                table_cell(&t, at_text(rule, "name"), COLOUR_NONE);
                table_cell(&t, at_text(rule, "indicator"), COLOUR_NONE);
                table_cell(&t, at_text(rule, "when"), COLOUR_NONE);
                table_cell(&t, at_text(rule, "critical"), COLOUR_NONE);
                table_cell(&t, open, COLOUR_NONE);
                table_cell(&t, held, COLOUR_NONE);
                table_cell(&t, rule_state(ctl, rule),
                           at_int(rule, "holds") > 0 ? COLOUR_YELLOW : COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

static int show_released(const Ctl *ctl, const json_t *answer, Buf *out) {
        if (at_int(answer, "released") == 0)
                return buf_str(out, SAID(ctl, "không có gì đang bị giữ\n", "nothing was held\n"));
        return buf_printf(
                out,
                SAID(ctl, "đã thôi giữ %" PRId64 " nhóm; cán bộ được báo ở kỳ công bố tới\n",
                     "%" PRId64 " cohorts released; officials hear at the next publication\n"),
                at_int(answer, "released"));
}

static const char *change_words(const Ctl *ctl, const json_t *rule) {
        const char *change = at_text(rule, "change");
        return streq(change, "new")       ? SAID(ctl, "mới", "new")
               : streq(change, "changed") ? SAID(ctl, "đổi", "changed")
               : streq(change, "gone")    ? SAID(ctl, "bỏ", "gone")
                                          : SAID(ctl, "như cũ", "same");
}

static int show_texts(const Ctl *ctl, const json_t *rule, Buf *out) {
        const char *before = at_text(rule, "before"), *after = at_text(rule, "after");
        int r = buf_printf(out, "%s (%s)\n", at_text(rule, "rule"), change_words(ctl, rule));
        if (r == 0 && *before && !streq(before, after))
                r = buf_printf(out, "  - %s\n", before);
        if (r == 0 && *after && !streq(before, after))
                r = buf_printf(out, "  + %s\n", after);
        if (r == 0)
                r = buf_printf(
                        out,
                        SAID(ctl,
                             "  mở %" PRId64 " cảnh báo, kết thúc %" PRId64 ", thay đổi %" PRId64,
                             "  opens %" PRId64 " alerts, ends %" PRId64 ", changes %" PRId64),
                        at_int(rule, "opens"), at_int(rule, "ends"), at_int(rule, "amends"));
        if (r == 0 && at_int(rule, "held") > 0)
                r = buf_printf(out,
                               SAID(ctl, "; chốt chặn hàng loạt sẽ giữ %" PRId64,
                                    "; the mass guard would hold %" PRId64),
                               at_int(rule, "held"));
        return r == 0 ? buf_str(out, "\n") : r;
}

static int show_diff(const Ctl *ctl, const json_t *answer, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *row, *alerts = at(answer, "alerts");
        size_t i;
        int r = 0;
        if (json_array_size(at(answer, "rules")) == 0)
                return buf_str(out, SAID(ctl, "Nạp lại sẽ không đổi quy tắc nào.\n",
                                         "A reload would change no rule.\n"));
        json_array_foreach(at(answer, "rules"), i, row) if (r == 0) r = show_texts(ctl, row, out);
        if (r < 0 || json_array_size(alerts) == 0)
                return r;
        table_column(&t, SAID(ctl, "Quy tắc", "Rule"), false, false);
        table_column(&t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, false);
        table_column(&t, SAID(ctl, "Sẽ", "Would be"), false, false);
        json_array_foreach(alerts, i, row) {
                table_cell(&t, at_text(row, "rule"), COLOUR_NONE);
                table_cell(&t, at_text(row, "unit.name"), COLOUR_NONE);
                table_cell(&t, at_text(row, "period"), COLOUR_NONE);
                table_cell(&t, transition_text(ctl, at_text(row, "transition")), COLOUR_NONE);
        }
        r = show_table(ctl, &t, out);
        return r < 0 ? r
                     : buf_str(out, SAID(ctl,
                                         "Chưa lưu gì. Sau khi nạp lại, cán bộ được báo ở kỳ công "
                                         "bố tới.\n",
                                         "Nothing is stored. After a reload officials hear at the "
                                         "next publication.\n"));
}

/* ---- what a rule would have told --------------------------------------------------------------- */

static void day_row(Table *t, const char *day, const json_t *row, const char *what,
                    const char *target) {
        const char *unit = at_text(row, "unit.name"), *subject = at_text(row, "subject_text");
        table_cell(t, day, COLOUR_NONE);
        table_cell(t, what, COLOUR_NONE);
        table_cell(t, *unit ? unit : subject, COLOUR_NONE);
        table_cell(t, at_text(row, "period"), COLOUR_NONE);
        table_cell(t, at_text(row, "text"), COLOUR_NONE);
        table_cell(t, target, COLOUR_NONE);
}

static void day_rows(const Ctl *ctl, Table *t, const json_t *day) {
        const char *name = at_text(day, "day");
        const json_t *row, *item;
        size_t i, k;
        json_array_foreach(at(day, "transitions"), i, row)
                day_row(t, name, row, transition_text(ctl, at_text(row, "transition")), "");
        json_array_foreach(at(day, "messages"), i, row)
                json_array_foreach(at(row, "items"), k, item)
                        day_row(t, name, item, word_text(ctl, at_text(item, "say")),
                                at_text(row, "target"));
}

static const char *stop_words(const Ctl *ctl, const char *stop) {
        return streq(stop, "time") ? SAID(ctl, "đã dừng: quá thời gian cho phép; chỉ đến ngày trên",
                                          "stopped: out of time; only up to the day above")
               : streq(stop, "figures")
                       ? SAID(ctl, "đã dừng: quá nhiều số liệu; chỉ xét phần cũ nhất",
                              "stopped: too many figures; only the oldest were looked at")
                       : SAID(ctl, "đã dừng: kết quả quá dài; chỉ đến ngày trên",
                              "stopped: the answer is too long; only up to the day above");
}

static int show_backtest(const Ctl *ctl, const json_t *answer, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *day;
        char from[24], until[24];
        size_t i;
        int r = buf_printf(out, "%s: %s\n%s – %s\n", at_text(answer, "rule"),
                           at_text(answer, "text"), at_instant(from, answer, "from"),
                           at_instant(until, answer, "until"));
        if (r == 0 && *at_text(answer, "stopped"))
                r = buf_printf(out, "%s\n", stop_words(ctl, at_text(answer, "stopped")));
        if (r < 0)
                return r;
        table_column(&t, SAID(ctl, "Ngày", "Day"), false, false);
        table_column(&t, SAID(ctl, "Việc", "What"), false, false);
        table_column(&t, SAID(ctl, "Đơn vị", "Unit"), false, false);
        table_column(&t, SAID(ctl, "Kỳ", "Period"), false, true);
        table_column(&t, SAID(ctl, "Giá trị", "Value"), true, true);
        table_column(&t, SAID(ctl, "Báo cho", "Told to"), false, true);
        json_array_foreach(at(answer, "days"), i, day) day_rows(ctl, &t, day);
        if (i > 0)
                r = show_table(ctl, &t, out);
        return r < 0 ? r
                     : buf_printf(out,
                                  SAID(ctl,
                                       "%" PRId64 " lần công bố; mở %" PRId64 ", kết thúc %" PRId64
                                       ", rút lại %" PRId64 "; %" PRId64
                                       " thông báo. Không lưu, không gửi gì.\n",
                                       "%" PRId64 " publications; opened %" PRId64
                                       ", closed %" PRId64 ", withdrawn %" PRId64 "; %" PRId64
                                       " messages. Nothing was stored or sent.\n"),
                                  at_int(answer, "counts.steps"), at_int(answer, "counts.opened"),
                                  at_int(answer, "counts.closed"),
                                  at_int(answer, "counts.withdrawn"),
                                  at_int(answer, "counts.messages"));
}

/* 202 until it is there. */
static int backtest(Ctl *ctl) {
        json_t *body =
                json_pack("{s:s, s:s?}", "rule", ctl->words[1], "when", ctl_option(ctl, "when"));
        CLEANUP(buf_done) Buf raw = BUF_INIT(ANSWER_MAX);
        json_t *answer = NULL;
        if (!ctl->is_json)
                client_language(ctl);
        int r = body ? EXIT_FINE : answer_out_of_memory();
        while (r == EXIT_FINE) {
                buf_clear(&raw);
                r = client_post(ctl, "/v1/backtest", body, &raw, &answer);
                if (r != EXIT_FINE || !streq(at_text(answer, "state"), "running"))
                        break;
                json_decref(answer);
                answer = NULL;
                (void) nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
        }
        json_decref(body);
        if (r == EXIT_FINE)
                r = answer_present(ctl, &raw, answer, show_backtest);
        json_decref(answer);
        return r;
}

/* Needs no daemon: everything happens in a folder of its own. */
static int test_rules(Ctl *ctl) {
        int status = EXIT_FINE;
        for (size_t i = 1; i < ctl->n_words; i++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(ANSWER_MAX);
                int r = rehearse_run(ctl->words[i], ctl->config, &out);
                if (r < 0) {
                        ctl_complain("%s: %s", ctl->words[i], strerror(-r));
                        status = EXIT_FAILED;
                } else if (r > 0) {
                        status = EXIT_FAILED;
                }
                if (r == 0)
                        (void) buf_printf(&out, "%s: %s\n", ctl->words[i],
                                          SAID(ctl, "đúng như mong đợi", "as expected"));
                if (ctl_print(&out) != EXIT_FINE)
                        return EXIT_FAILED;
        }
        return status;
}

int command_rules(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        if (streq(ctl->words[0], "test") && ctl->n_words > 1)
                return test_rules(ctl);
        if (streq(ctl->words[0], "list") && ctl->n_words == 1)
                return answer_get(ctl, "/v1/rules", show_rules);
        if (streq(ctl->words[0], "diff") && ctl->n_words == 1)
                return answer_post(ctl, "/v1/rules/diff", json_object(), show_diff);
        if (streq(ctl->words[0], "backtest") && ctl->n_words == 2)
                return backtest(ctl);
        if (!streq(ctl->words[0], "release") || ctl->n_words != 2)
                return answer_usage(
                        ctl,
                        "rules list | rules diff | rules backtest RULE [--when CONDITION] | rules "
                        "release RULE | rules test FILE...");
        if (answer_word_path("/v1/rules/", ctl->words[1], "/release", &path) < 0)
                return answer_out_of_memory();
        return answer_post(ctl, buf_text(&path), json_object(), show_released);
}

/* ---- silence --------------------------------------------------------------------------------- */

static bool is_of_everything(const json_t *row) {
        return !*at_text(row, "rule") && !*at_text(row, "unit.name") &&
               !*at_text(row, "parent.name") && !*at_text(row, "severity");
}

static int show_silences(const Ctl *ctl, const json_t *answer, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(answer, "silences"), *row;
        size_t i;
        if (json_array_size(list) == 0)
                return buf_str(out, SAID(ctl, "Không có lệnh tạm im.\n", "No silences.\n"));
        table_column(&t, SAID(ctl, "Số", "Id"), true, false);
        table_column(&t, SAID(ctl, "Quy tắc", "Rule"), false, true);
        table_column(&t, SAID(ctl, "Đơn vị", "Unit"), false, true);
        table_column(&t, SAID(ctl, "Thuộc", "Parent"), false, true);
        table_column(&t, SAID(ctl, "Mức", "Severity"), false, true);
        table_column(&t, SAID(ctl, "Từ", "From"), false, false);
        table_column(&t, SAID(ctl, "Đến", "Until"), false, false);
        table_column(&t, SAID(ctl, "Trạng thái", "State"), false, false);
        table_column(&t, SAID(ctl, "Người đặt", "By"), false, true);
        table_column(&t, SAID(ctl, "Ghi chú", "Note"), false, true);
        json_array_foreach(list, i, row) {
                const char *state = at_text(row, "state");
                char id[24], from[24], until[24];
                (void) snprintf(id, sizeof id, "%" PRId64, at_int(row, "id"));
                table_cell(&t, id, COLOUR_NONE);
                table_cell(&t,
                           is_of_everything(row) ? SAID(ctl, "mọi quy tắc", "every rule")
                                                 : at_text(row, "rule"),
                           COLOUR_NONE);
                table_cell(&t, at_text(row, "unit.name"), COLOUR_NONE);
                table_cell(&t, at_text(row, "parent.name"), COLOUR_NONE);
                table_cell(&t, severity_text(ctl, at_text(row, "severity")), COLOUR_NONE);
                table_cell(&t, at_instant(from, row, "from"), COLOUR_NONE);
                table_cell(&t, at_instant(until, row, "until"), COLOUR_NONE);
                table_cell(&t,
                           streq(state, "ended")    ? SAID(ctl, "đã hết", "ended")
                           : streq(state, "coming") ? SAID(ctl, "sắp tới", "coming")
                                                    : SAID(ctl, "đang có hiệu lực", "in force"),
                           COLOUR_NONE);
                table_cell(&t, at_text(row, "author"), COLOUR_NONE);
                table_cell(&t, at_text(row, "note"), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

static int show_silence(const Ctl *ctl, const json_t *answer, Buf *out) {
        char until[24];
        if (at_bool(answer, "ended"))
                return buf_printf(out,
                                  SAID(ctl, "đã bỏ lệnh tạm im số %" PRId64 "\n",
                                       "silence %" PRId64 " ended\n"),
                                  at_int(answer, "silence"));
        int r = buf_printf(
                out,
                SAID(ctl, "lệnh tạm im số %" PRId64 ", đến %s\n", "silence %" PRId64 " until %s\n"),
                at_int(answer, "silence"), at_instant(until, answer, "until"));
        if (r < 0 || ctl_option(ctl, "rule") || ctl_option(ctl, "unit") ||
            ctl_option(ctl, "parent") || ctl_option(ctl, "severity"))
                return r;
        return buf_printf(
                out,
                SAID(ctl, "Mọi cảnh báo đều tạm im. Bỏ: chisoctl silence end %" PRId64 "\n",
                     "Every alert is silenced. To end it: chisoctl silence end %" PRId64 "\n"),
                at_int(answer, "silence"));
}

static int silence_add(Ctl *ctl) {
        const char *by = str_or(ctl_option(ctl, "by"), ctl_user());
        if (!ctl_option(ctl, "until"))
                return answer_usage(ctl,
                                    "silence add --until T [--rule R] [--unit U] [--parent U] "
                                    "[--severity S] [--from T] [--by NAME] [--note TEXT]");
        json_t *body = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "rule",
                                 ctl_option(ctl, "rule"), "unit", ctl_option(ctl, "unit"), "parent",
                                 ctl_option(ctl, "parent"), "severity", ctl_option(ctl, "severity"),
                                 "from", ctl_option(ctl, "from"), "until", ctl_option(ctl, "until"),
                                 "author", by, "note", ctl_option(ctl, "note"));
        return answer_post(ctl, "/v1/silences", body, show_silence);
}

static int silence_end(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        if (answer_word_path("/v1/silences/", ctl->words[1], "", &path) < 0)
                return answer_out_of_memory();
        return answer_delete(ctl, buf_text(&path), show_silence);
}

int command_silence(Ctl *ctl) {
        const char *verb = ctl->words[0];
        if (streq(verb, "list") && ctl->n_words == 1)
                return answer_get_whole(
                        ctl, ctl_option(ctl, "all") ? "/v1/silences?all=1" : "/v1/silences",
                        show_silences);
        if (streq(verb, "add") && ctl->n_words == 1)
                return silence_add(ctl);
        if (streq(verb, "end") && ctl->n_words == 2)
                return silence_end(ctl);
        return answer_usage(ctl, "silence add ... | silence list [--all] | silence end ID");
}

/* ---- explain --------------------------------------------------------------------------------- */

static int show_sentences(const json_t *list, const char *title, Buf *out) {
        const json_t *text;
        size_t i;
        int r = 0;
        if (json_array_size(list) == 0)
                return 0;
        r = buf_printf(out, "%s\n", title);
        json_array_foreach(list, i, text) if (r == 0) r =
                buf_printf(out, "  - %s\n", str_or(json_string_value(text), ""));
        return r;
}

static int show_targets(const Ctl *ctl, const json_t *answer, Buf *out) {
        CLEANUP(table_done) Table t = {0};
        const json_t *list = at(answer, "targets"), *row;
        size_t i;
        if (json_array_size(list) == 0)
                return 0;
        table_column(&t, SAID(ctl, "Nơi nhận", "Target"), false, false);
        table_column(&t, SAID(ctl, "Đã báo", "Told"), false, false);
        table_column(&t, SAID(ctl, "Lúc", "At"), false, true);
        table_column(&t, SAID(ctl, "Lượt tới", "Next gate"), false, true);
        json_array_foreach(list, i, row) {
                char when[24], gate[24];
                table_cell(&t, at_text(row, "target"), COLOUR_NONE);
                table_cell(&t, *at_text(row, "told") ? word_text(ctl, at_text(row, "told")) : "-",
                           COLOUR_NONE);
                table_cell(&t, at_instant(when, row, "told_at"), COLOUR_NONE);
                table_cell(&t, at_instant(gate, row, "gate"), COLOUR_NONE);
        }
        return show_table(ctl, &t, out);
}

static int show_next(const Ctl *ctl, const json_t *answer, Buf *out) {
        char next[48], from[16];
        const char *day_text = at_text(answer, "next_from");
        Day day;
        if (!*at_text(answer, "next_period"))
                return 0;
        if (ctl->is_vi && day_parse(day_text, &day) == 0)
                day_text = day_format_vi(from, day);
        return buf_printf(out, SAID(ctl, "Lần xét tới: %s, từ %s\n", "Judged next: %s, from %s\n"),
                          at_period(ctl, next, answer, "next_period"), day_text);
}

static int show_explain(const Ctl *ctl, const json_t *answer, Buf *out) {
        const char *source = *at_text(answer, "source") ? at_text(answer, "source")
                                                        : SAID(ctl, "mọi nguồn", "all sources");
        bool is_unit = *at_text(answer, "unit.name") != '\0';
        int r = buf_printf(out, "%s · %s · %s\n%s\n", at_text(answer, "rule"),
                           is_unit ? at_text(answer, "unit.name") : source,
                           at_text(answer, "state"), at_text(answer, "rule_text"));
        if (r == 0)
                r = show_sentences(at(answer, "why"), SAID(ctl, "Vì sao", "Why"), out);
        if (r == 0)
                r = show_sentences(at(answer, "would_change"),
                                   SAID(ctl, "Điều gì làm thay đổi", "What would change it"), out);
        if (r == 0)
                r = show_sentences(at(answer, "gates"),
                                   SAID(ctl, "Đang chờ gì để báo", "What holds telling"), out);
        if (r == 0)
                r = show_targets(ctl, answer, out);
        return r == 0 ? show_next(ctl, answer, out) : r;
}

int command_explain(Ctl *ctl) {
        CLEANUP(buf_done) Buf path = BUF_INIT(CTL_PATH_MAX);
        int r = buf_str(&path, "/v1/explain");
        if (r == 0)
                r = query_add(&path, "rule", ctl->words[0]);
        if (r == 0)
                r = query_add(&path, "unit", ctl->words[1]);
        return r < 0 ? answer_out_of_memory() : answer_get(ctl, buf_text(&path), show_explain);
}
