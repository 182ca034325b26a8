/* chisoctl COMMAND ...: one table of commands, options anywhere after it. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/ctl.h"
#include "os/log.h"

#define DEFAULT_SOCKET "/run/chisod/status.sock"

typedef struct Command {
        const char *name;
        int (*run)(Ctl *ctl);
        const char *options; /* blank-separated; "name=" takes a value */
        size_t least, most;  /* words */
        const char *usage;
        const char *vi, *en;
} Command;

static const Command commands[] = {
        {"status", command_status, "", 0, 0, "", "tình trạng: nguồn, kỳ, cảnh báo, thư, lưu trữ",
         "sources, periods, alerts, queue, storage on one screen"},
        {"ranking", command_ranking,
         "indicator= period= kind= parent= as-of= with= sort= limit=", 0, 0,
         "[--indicator I] [--period P] [--kind K] [--parent U] [--as-of T] [--with I,I] "
         "[--sort place|delta|move] [--limit N]",
         "bảng xếp hạng; mặc định: tháng gần nhất đã kết thúc",
         "places of a cohort; default: the last ended month"},
        {"history", command_history, "indicator= type= vintages as-of= limit=", 1, 1,
         "UNIT [--indicator I] [--type month|quarter|half|year] [--vintages] [--as-of T] [--limit "
         "N]",
         "các kỳ của một đơn vị; --vintages: mọi lần sửa",
         "periods of one unit; --vintages: every revision"},
        {"alerts", command_alerts, "all rule= unit= as-of= limit=", 0, 0,
         "[--all] [--rule R] [--unit U] [--as-of T] [--limit N]",
         "cảnh báo đang mở; --all: cả đã kết thúc", "open alerts; --all: past ones too"},
        {"alert", command_alert, "as-of=", 1, 1, "ID [--as-of T]",
         "toàn bộ diễn biến của một cảnh báo", "one alert's whole story"},
        {"explain", command_explain, "", 2, 2, "RULE UNIT|SOURCE",
         "vì sao có hay không có cảnh báo, điều gì làm thay đổi, lần xét tới",
         "why an alert stands or not, what would change it, when it is judged next"},
        {"rules", command_rules, "when=", 1, ARGS_MAX,
         "list | diff | backtest RULE [--when CONDITION] | release RULE | test FILE...",
         "các quy tắc; diff: nạp lại cấu hình sẽ đổi gì, không lưu; backtest: quy tắc đã báo gì "
         "nếu "
         "có từ đầu, theo số liệu biết khi đó; release: chấp nhận hiện trạng "
         "đang bị giữ; test: thử quy tắc với số liệu tự đặt",
         "the rules; diff: what a reload would change, nothing is stored; backtest: what a rule "
         "would "
         "have told all along, by what was known then; release: accept what the "
         "mass guard holds; test: try rules on a made-up series"},
        {"silence", command_silence, "rule= unit= parent= severity= from= until= by= note= all", 1,
         2,
         "add --until T [--rule R] [--unit U] [--parent U] [--severity S] [--from T] [--by NAME] "
         "[--note TEXT] | list [--all] | end ID",
         "tạm im: hoãn mọi thông báo, không bỏ sót gì",
         "silences: delay every kind of telling and discard none"},
        {"ack", command_ack, "by= note= until=", 1, 1, "ID [--by NAME] [--note TEXT] [--until T]",
         "nhận đã biết một cảnh báo", "acknowledge an alert"},
        {"sources", command_sources, "", 0, 0, "", "các nguồn số liệu", "the sources"},
        {"source", command_source, "period= scope=", 1, 2, "try NAME [--period P] [--scope S]",
         "hỏi thử một nguồn, in vài dòng đầu, không lưu gì",
         "ask a source once, print the first rows, store nothing"},
        {"fetch", command_fetch, "from= to= wait", 0, 1, "[SOURCE] [--from P --to P] [--wait]",
         "lấy số liệu ngay; --wait: chờ và in tiến độ", "fetch now; --wait: show progress"},
        {"snapshot", command_snapshot, "source= period= as-of= limit=", 1, 2,
         "list [--source S] [--period P] [--as-of T] [--limit N] | show ID [--as-of T] | accept "
         "ID | reject ID",
         "các lần lấy số liệu; duyệt hoặc bỏ bản chờ duyệt",
         "what was fetched; accept or reject a suspect one"},
        {"import", command_import, "source= period= scope= sheet= undo= yes", 0, 1,
         "FILE --source S --period P [--scope X] [--sheet NAME] [--yes] | --undo ID",
         "nhập tệp xlsx, CSV, JSON, sau khi xem trước và hỏi; --undo: bỏ lần nhập đó",
         "import an xlsx, CSV or JSON file, after a preview and a question; --undo takes it back"},
        {"units", command_units, "kind= parent= all from= sheet= format= yes limit=", 1, 3,
         "list [--kind K] [--parent U] [--all] | import FILE [--sheet NAME] [--yes] | export "
         "[FILE] "
         "[--format csv|xlsx] | suggest | "
         "link CODE UNIT [--from DATE] [--yes] | same CODE --from DATE | new CODE --from DATE",
         "danh mục đơn vị và nơi nhận", "the registry of units and their contacts"},
        {"deliveries", command_deliveries, "dead observed as-of= limit=", 0, 0,
         "[--dead | --observed] [--as-of T] [--limit N]",
         "thư đã và đang gửi; --observed: thư sẽ gửi nếu gửi bây giờ",
         "messages and what became of them; --observed: what would be told now"},
        {"retry", command_retry, "", 1, 1, "ID", "gửi lại một thư hỏng",
         "plan a dead message again"},
        {"drill", command_drill, "", 1, 1, "RECIPIENT", "gửi thư diễn tập", "send a drill"},
        {"render", command_render, "format=", 0, 1, "[RECIPIENT] [--format text|html|json]",
         "xem thư sẽ gửi bây giờ, không gửi", "what would be sent now, without sending"},
        {"test-mail", command_test_mail, "", 1, 1, "ADDRESS",
         "gửi thử một thư và in hội thoại SMTP; không cần chisod chạy",
         "send a test mail and print the dialogue; needs no daemon"},
        {"test-webhook", command_test_webhook, "", 1, 1, "RECIPIENT",
         "gửi thử một webhook và in trả lời; không cần chisod chạy",
         "send a test webhook and print the answer; needs no daemon"},
        {"report", command_report, "parent= format= as-of= machine new output=", 1, 1,
         "PERIOD [--parent U] [--format txt|html|csv|xlsx|docx|json] [--machine] [--as-of T] "
         "[--new] "
         "[-o, --output FILE]",
         "dự thảo công văn và phụ lục, lưu lại; --new: bản khác",
         "the letter and its appendix, a stored draft; --new: another one"},
        {"names", command_names, "", 1, 1,
         "alerts | deliveries | indicators | kinds | periods | recipients | rules | silences | "
         "snapshots | sources | units",
         "các tên mà chisod biết, mỗi dòng một tên, cho việc gõ tắt bằng phím Tab",
         "the names that the daemon knows, one a line, for the completion of shells"},
        {"check", command_check, "max-age= max-queued=", 0, 0,
         "[--max-age DURATION] [--max-queued N]",
         "một dòng và mã thoát cho Nagios, Icinga: 0 tốt, 1 lưu ý, 2 hỏng, 3 không biết",
         "one line and an exit status for Nagios and Icinga: 0 ok, 1 warning, 2 critical, 3 "
         "unknown"},
        {"setup", command_setup,
         "organization= language= preset= url= scope= mail= mail-user= mail-password-file= from= "
         "mail-tls= ca-file= operator= recipient= no-mail no-start yes",
         0, 0,
         "[--organization NAME] [--language vi|en] [--preset P] [--url URL] [--scope S] [--mail "
         "HOST[:PORT]] [--mail-user NAME] [--mail-password-file FILE] [--from ADDRESS] [--mail-tls "
         "required|opportunistic|none] [--ca-file FILE] [--operator ADDRESS] [--recipient ADDRESS] "
         "[--no-mail] [--no-start] [--yes]",
         "hỏi vài câu, viết cấu hình có chú thích, thử thư, bật dịch vụ; --yes: không hỏi",
         "ask the few questions, write a commented configuration, test the mail, start the "
         "service; "
         "--yes asks nothing"},
        {"backup", command_backup, "", 1, 1, "FILE",
         "sao lưu cơ sở dữ liệu của chisod đang chạy, đã kiểm tra",
         "a verified copy of the running daemon's database"},
        {"verify", command_verify, "replay", 0, 1, "[FILE [--replay]]",
         "kiểm tra toàn vẹn: cấu trúc, khóa ngoại, mã băm; --replay: tính lại mọi số liệu từ nội "
         "dung gốc",
         "check integrity, foreign keys and hashes; --replay makes all figures anew from the "
         "bodies"},
        {"go-live", command_go_live, "announce yes", 0, 0, "[--announce] [--yes]",
         "bắt đầu gửi thông báo thật, sau khi xem trước và hỏi",
         "start telling people, after a preview and a question"},
};

/* ---- what all commands share ----------------------------------------------------------------- */

void ctl_complain(const char *format, ...) {
        CLEANUP(buf_done) Buf text = BUF_INIT(64 << 10);
        CLEANUP(buf_done) Buf safe = BUF_INIT(256 << 10);
        va_list ap;

        va_start(ap, format);
        int r = buf_vprintf(&text, format, ap);
        va_end(ap);
        if (r == 0)
                r = text_append_printable(&safe, buf_text(&text), text.len);
        (void) fprintf(stderr, "chisoctl: %s\n", r == 0 ? buf_text(&safe) : format);
}

int ctl_print(const Buf *text) {
        if (pager_print(text))
                return EXIT_FINE;
        if (fwrite(buf_text(text), 1, text->len, stdout) == text->len && fflush(stdout) == 0)
                return EXIT_FINE;
        ctl_complain("stdout: write failed");
        return EXIT_FAILED;
}

bool ctl_confirm(const Ctl *ctl, const char *question) {
        char answer[16];

        if (!isatty(STDIN_FILENO)) {
                ctl_complain(
                        SAID(ctl, "không có ai để hỏi: thêm --yes", "nobody to ask: add --yes"));
                return false;
        }
        (void) fprintf(stderr, "%s [%s] ", question, SAID(ctl, "c/K", "y/N"));
        if (!fgets(answer, sizeof(answer), stdin))
                return false;
        return answer[0] == 'y' || answer[0] == 'Y' || answer[0] == 'c' || answer[0] == 'C';
}

const char *ctl_option(const Ctl *ctl, const char *name) {
        for (size_t i = 0; i < ctl->n_options; i++)
                if (streq(ctl->options[i].name, name))
                        return ctl->options[i].value;
        return NULL;
}

/* ---- help ------------------------------------------------------------------------------------ */

static const char global_options[] =
        "  --json  --socket PATH ($CHISO_SOCKET)  --config FILE  --help  --version\n";

static int help_all(const Ctl *ctl) {
        (void) printf(SAID(ctl, "Cách dùng: chisoctl LỆNH [...]\n\n",
                           "Usage: chisoctl COMMAND [...]\n\n"));
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                (void) printf("  %-12s %s\n", commands[i].name,
                              SAID(ctl, commands[i].vi, commands[i].en));
        (void) printf(SAID(ctl, "\nchisoctl LỆNH --help: tùy chọn và ví dụ\n%s",
                           "\nchisoctl COMMAND --help: options and examples\n%s"),
                      global_options);
        (void) printf(SAID(ctl,
                           "Mã thoát: 0 tốt, 1 không làm được, 2 sai cách dùng, 3 không liên lạc "
                           "được chisod\n",
                           "Exit status: 0 fine, 1 failed, 2 usage, 3 daemon not reachable\n"));
        return EXIT_FINE;
}

static int help_one(const Ctl *ctl, const Command *command) {
        (void) printf("chisoctl %s %s\n  %s\n", command->name, command->usage,
                      SAID(ctl, command->vi, command->en));
        if (*command->options)
                (void) printf("\n%s\n", SAID(ctl, "Tùy chọn:", "Options:"));
        help_options(ctl, command->name, command->options);
        help_examples(ctl, command->name);
        (void) printf("\n%s\n%s", SAID(ctl, "Mọi lệnh:", "All commands:"), global_options);
        return EXIT_FINE;
}

/* Before the daemon is asked, the environment is all we know; Vietnamese unless it says English. */
static bool is_english(void) {
        static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *value = getenv(names[i]);

                if (value && *value)
                        return strncmp(value, "en", 2) == 0;
        }
        return false;
}

/* ---- arguments ------------------------------------------------------------------------------- */

typedef struct Parser {
        int argc, i;
        char **argv;
        Ctl *ctl;
        const Command *command;
        bool is_help, is_version;
} Parser;

static const Command *find_command(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (streq(commands[i].name, name))
                        return commands + i;
        return NULL;
}

/* Is `name` (n bytes) among the blank-separated options? *ret_value: it takes one. */
static bool find_option(const char *list, const char *name, size_t n, bool *ret_value) {
        while (*list) {
                size_t size = strcspn(list, " ");
                bool has_value = size > 0 && list[size - 1] == '=';

                if (size - has_value == n && strncmp(list, name, n) == 0) {
                        *ret_value = has_value;
                        return true;
                }
                list += size + (list[size] == ' ');
        }
        return false;
}

static int usage_error(const Ctl *ctl, const char *text) {
        ctl_complain(
                SAID(ctl, "không hiểu \"%s\"; xem chisoctl --help", "\"%s\": see chisoctl --help"),
                text);
        return EXIT_USAGE;
}

/* Letters to put in, take out or change (Levenshtein), for words of commands. */
static size_t distance(const char *a, const char *b) {
        enum { MOST = 16 };
        size_t n = strlen(a), m = strlen(b), row[MOST + 1];

        if (n > MOST || m > MOST)
                return MOST;
        for (size_t j = 0; j <= m; j++)
                row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t before = row[0];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t above = row[j], changed = before + (a[i - 1] != b[j - 1]);

                        row[j] = MIN(changed, MIN(above, row[j - 1]) + 1);
                        before = above;
                }
        }
        return row[m];
}

static int unknown_command(const Ctl *ctl, const char *text) {
        const char *nearest = NULL;
        size_t least = 3;

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                size_t d = distance(text, commands[i].name);

                if (d < least) {
                        least = d;
                        nearest = commands[i].name;
                }
        }
        if (!nearest)
                return usage_error(ctl, text);
        ctl_complain(SAID(ctl, "không có lệnh \"%s\"; có phải: chisoctl %s",
                          "there is no command \"%s\"; perhaps: chisoctl %s"),
                     text, nearest);
        return EXIT_USAGE;
}

static int unknown_option(const Parser *p, const char *text) {
        if (!p->command)
                return usage_error(p->ctl, text);
        ctl_complain(SAID(p->ctl, "%s không dùng được với %s; xem chisoctl %s --help",
                          "%s does not go with %s; see chisoctl %s --help"),
                     text, p->command->name, p->command->name);
        return EXIT_USAGE;
}

static int value_missing(const Parser *p, const char *name, size_t n) {
        bool has_command = p->command != NULL;

        ctl_complain(SAID(p->ctl, "--%.*s: thiếu giá trị; xem chisoctl %s%s--help",
                          "--%.*s: its value is missing; see chisoctl %s%s--help"),
                     (int) n, name, has_command ? p->command->name : "", has_command ? " " : "");
        return EXIT_USAGE;
}

/* The value after '=' or the next word; NULL when there is none: it is empty, or an option. */
static const char *option_value(Parser *p, const char *equals) {
        if (equals)
                return equals[1] ? equals + 1 : NULL;
        const char *next = p->i + 1 < p->argc ? p->argv[p->i + 1] : "";
        if (!*next || strncmp(next, "--", 2) == 0)
                return NULL;
        p->i++;
        return next;
}

static int parse_global(Parser *p, const char *name, size_t n, const char *equals,
                        bool *ret_found) {
        static const char list[] = "json socket= config= help version";
        bool has_value;

        *ret_found = find_option(list, name, n, &has_value);
        if (!*ret_found)
                return EXIT_FINE;
        if (!has_value) {
                if (equals)
                        return usage_error(p->ctl, p->argv[p->i]);
                p->ctl->is_json = p->ctl->is_json || name[0] == 'j';
                p->is_help = p->is_help || name[0] == 'h';
                p->is_version = p->is_version || name[0] == 'v';
                return EXIT_FINE;
        }
        const char *value = option_value(p, equals);
        if (!value)
                return value_missing(p, name, n);
        if (name[0] == 's')
                p->ctl->socket = value;
        else
                p->ctl->config = value;
        return EXIT_FINE;
}

static int parse_option(Parser *p) {
        const char *text = p->argv[p->i], *name = text + 2, *equals = strchr(name, '=');
        size_t n = equals ? (size_t) (equals - name) : strlen(name);
        bool is_global, has_value;

        int r = parse_global(p, name, n, equals, &is_global);
        if (is_global || r != EXIT_FINE)
                return r;
        if (!p->command || p->ctl->n_options == ARGS_MAX ||
            !find_option(p->command->options, name, n, &has_value) || (equals && !has_value))
                return unknown_option(p, text);
        const char *value = has_value ? option_value(p, equals) : "";
        if (!value)
                return value_missing(p, name, n);
        CLEANUP_FREE char *copy = strndup(name, n); /* argv may hold "name=value" */
        if (!copy)
                return EXIT_FAILED;
        if (ctl_option(p->ctl, copy)) {
                ctl_complain(SAID(p->ctl, "--%s được ghi hai lần: chỉ ghi một lần",
                                  "--%s stands there twice: write it once"),
                             copy);
                return EXIT_USAGE;
        }
        p->ctl->options[p->ctl->n_options++] = (Option){.name = TAKE_PTR(copy), .value = value};
        return EXIT_FINE;
}

static int parse_word(Parser *p) {
        const char *text = p->argv[p->i];

        if (!p->command) {
                p->command = find_command(text);
                return p->command ? EXIT_FINE : unknown_command(p->ctl, text);
        }
        if (p->ctl->n_words == p->command->most)
                return usage_error(p->ctl, text);
        p->ctl->words[p->ctl->n_words++] = text;
        return EXIT_FINE;
}

static int parse(Parser *p) {
        bool is_rest = false;

        for (p->i = 1; p->i < p->argc; p->i++) {
                const char *text = p->argv[p->i];
                int r;

                if (strlen(text) > CTL_ASK_MAX)
                        return ctl_complain_long(p->ctl, strlen(text));
                if (!is_rest && streq(text, "--")) {
                        is_rest = true;
                        continue;
                }
                if (!is_rest && streq(text, "-o")) /* the one short option, as everywhere */
                        text = p->argv[p->i] = (char *) "--output";
                if (!is_rest && strncmp(text, "--", 2) == 0)
                        r = parse_option(p);
                else if (!is_rest && text[0] == '-' && text[1])
                        r = usage_error(p->ctl, text);
                else
                        r = parse_word(p);
                if (r != EXIT_FINE)
                        return r;
        }
        return EXIT_FINE;
}

static int run(Parser *p) {
        const Command *command = p->command;

        if (p->is_version) {
                (void) printf("chisoctl %s\n", CHISO_VERSION);
                return EXIT_FINE;
        }
        if (p->is_help)
                return command ? help_one(p->ctl, command) : help_all(p->ctl);
        if (!command) {
                (void) help_all(p->ctl);
                return EXIT_USAGE;
        }
        if (p->ctl->n_words < command->least) {
                ctl_complain(SAID(p->ctl, "cách dùng: chisoctl %s %s", "usage: chisoctl %s %s"),
                             command->name, command->usage);
                return EXIT_USAGE;
        }
        return command->run(p->ctl);
}

int main(int argc, char **argv) {
        const char *socket = getenv("CHISO_SOCKET"), *no_colour = getenv("NO_COLOR");
        Ctl ctl = {
                .socket = socket && *socket ? socket : DEFAULT_SOCKET,
                .is_vi = !is_english(),
                .columns = terminal_columns(),
                .has_colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour),
        };
        Parser p = {.argc = argc, .argv = argv, .ctl = &ctl};

        log_init("chisoctl", /* is_verbose= */ false);
        int r = parse(&p);
        if (r == EXIT_FINE)
                r = run(&p);
        for (size_t i = 0; i < ctl.n_options; i++)
                free((char *) ctl.options[i].name);
        return r;
}
