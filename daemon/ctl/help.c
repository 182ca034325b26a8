/* What `chisoctl COMMAND --help` says beside the usage: each option in words, and examples to copy.
 * An option means the same wherever it stands; the few that do not are listed under their command. */
#include <stdio.h>

#include "base/text.h"
#include "ctl/ctl.h"

typedef struct OptionHelp {
        const char *command; /* NULL: of all others */
        const char *name, *value, *vi, *en;
} OptionHelp;

static const OptionHelp options[] = {
        {"alerts", "all", "", "cả cảnh báo đã kết thúc", "past ones, too"},
        {"silence", "all", "", "cả lệnh đã hết hạn", "ended ones, too"},
        {"units", "all", "", "cả đơn vị không còn", "units that are no more, too"},
        {"fetch", "from", "KỲ|PERIOD", "kỳ đầu cần lấy, ví dụ 2026-01",
         "first period to fetch: 2026-01"},
        {"fetch", "to", "KỲ|PERIOD", "kỳ cuối cần lấy", "last period to fetch"},
        {"silence", "from", "LÚC|INSTANT", "bắt đầu; mặc định: ngay",
         "when it begins; default: now"},
        {"units", "from", "NGÀY|DATE", "từ ngày nào", "as of which day"},
        {"setup", "from", "ĐỊA CHỈ|ADDRESS", "thư gửi từ địa chỉ nào", "the sender of mails"},
        {"setup", "scope", "MÃ|CODE", "phạm vi của nguồn", "what the source is asked for"},
        {"setup", "yes", "", "không hỏi gì", "ask nothing"},
        {"render", "format", "text|html|json", "dạng của thư; json: mỗi dòng một nội dung",
         "the form of the message; json: a body a line"},
        {"units", "format", "csv|xlsx", "dạng của danh mục xuất ra",
         "the form of the exported registry"},
        {"report", "format", "txt|html|csv|xlsx|docx|json",
         "công văn (txt, html, docx) hoặc phụ lục (csv, xlsx)",
         "the letter (txt, html, docx) or its appendix (csv, xlsx)"},
        {"report", "new", "", "lập dự thảo khác, thay dự thảo đang giữ",
         "make another draft, from now on the one that is kept"},
        {"ranking", "sort", "place|delta|move",
         "sắp theo hạng, mức tăng giảm (giảm nhiều nhất trước) hoặc đổi hạng",
         "by place, change (who fell most first) or move"},
        {"ranking", "with", "CHỈ SỐ,...|INDICATOR,...", "thêm cột chỉ số khác",
         "further indicators as columns"},
        {NULL, "indicator", "CHỈ SỐ|INDICATOR",
         "chỉ số: total, progress, digitization...; mặc định: điểm tổng hợp",
         "which: total, progress, digitization...; default: the total score"},
        {NULL, "period", "KỲ|PERIOD", "kỳ: 2026-08, 2026-Q3, 2026",
         "period: 2026-08, 2026-Q3, 2026"},
        {NULL, "type", "LOẠI|TYPE", "loại kỳ: month, quarter, half, year",
         "type of period: month, quarter, half, year"},
        {NULL, "kind", "LOẠI|KIND", "loại đơn vị: commune, department, province...",
         "kind of unit: commune, department, province..."},
        {NULL, "parent", "ĐƠN VỊ|UNIT", "chỉ các đơn vị trực thuộc đơn vị này",
         "only the units below this one"},
        {NULL, "unit", "ĐƠN VỊ|UNIT", "chỉ đơn vị này: mã, khóa hoặc tên đầy đủ",
         "only this one: code, key or whole name"},
        {NULL, "rule", "QUY TẮC|RULE", "chỉ quy tắc này (chisoctl rules list)",
         "only this rule (chisoctl rules list)"},
        {NULL, "severity", "warning|critical", "chỉ mức này", "only this severity"},
        {NULL, "as-of", "LÚC|INSTANT", "như đã biết lúc ấy: 2026-09-05 hoặc 2026-09-05T08:00+07:00",
         "as known then: 2026-09-05 or 2026-09-05T08:00+07:00"},
        {NULL, "limit", "N", "nhiều nhất bao nhiêu dòng", "at most so many rows"},
        {NULL, "vintages", "", "mọi lần sửa, kèm lúc biết, nguồn và mã băm",
         "every revision with time, source and hash"},
        {"rules", "when", "ĐIỀU KIỆN|CONDITION", "backtest: thay cho điều kiện đã cấu hình",
         "backtest: in the place of the configured condition"},
        {NULL, "until", "LÚC|INSTANT", "đến lúc nào", "until when"},
        {NULL, "by", "TÊN|NAME", "ai làm; mặc định: người đang đăng nhập",
         "who does it; default: who is logged in"},
        {NULL, "note", "LỜI|TEXT", "ghi chú, được giữ lại", "a note that is kept"},
        {NULL, "scope", "MÃ|CODE", "phạm vi của nguồn, nếu có nhiều",
         "the source's scope, if it has several"},
        {NULL, "wait", "", "chờ đến khi xong, in tiến độ", "wait for the end and show progress"},
        {NULL, "source", "NGUỒN|SOURCE", "chỉ nguồn này (chisoctl sources)",
         "only this source (chisoctl sources)"},
        {NULL, "sheet", "TÊN|NAME", "trang tính nào của tệp xlsx", "which sheet of an xlsx file"},
        {NULL, "undo", "SỐ|ID", "bỏ lần nhập này (chisoctl snapshot list)",
         "take this import back (chisoctl snapshot list)"},
        {NULL, "yes", "", "không hỏi lại", "do not ask"},
        {NULL, "dead", "", "chỉ thư hỏng", "only dead ones"},
        {NULL, "observed", "", "thư sẽ gửi nếu gửi bây giờ", "what would be told now"},
        {"verify", "replay", "", "giải mã lại mọi nội dung gốc rồi so với số liệu đang lưu",
         "decode all bodies again and compare with the figures that are kept"},
        {NULL, "machine", "", "CSV cho chương trình: dấu phẩy, dấu chấm (chỉ dạng csv)",
         "CSV for programs: commas, dots (the format csv alone)"},
        {NULL, "output", "TỆP|FILE", "ghi vào tệp; - là ra màn hình",
         "write to a file; - is the terminal"},
        {NULL, "announce", "", "báo cả những gì đã mở từ trước", "tell what was open before, too"},
        {NULL, "max-age", "THỜI GIAN|DURATION", "số liệu cũ hơn thế là hỏng",
         "older figures are critical"},
        {NULL, "max-queued", "N", "nhiều thư chờ hơn thế là lưu ý",
         "more waiting messages are a warning"},
        {NULL, "organization", "TÊN|NAME", "tên cơ quan", "name of the organization"},
        {NULL, "language", "vi|en", "tiếng của thư và màn hình", "language of messages and tables"},
        {NULL, "preset", "TÊN|NAME", "cổng nguồn (conf/presets)", "publisher (conf/presets)"},
        {NULL, "url", "URL", "địa chỉ của cổng nguồn", "address of the publisher"},
        {NULL, "mail", "MÁY[:CỔNG]|HOST[:PORT]", "máy gửi thư", "mail relay"},
        {NULL, "mail-user", "TÊN|NAME", "tên đăng nhập máy gửi thư", "user at the relay"},
        {NULL, "mail-password-file", "TỆP|FILE", "tệp chứa mật khẩu", "file with the password"},
        {NULL, "mail-tls", "required|opportunistic|none", "mã hóa thư", "encryption of mail"},
        {NULL, "ca-file", "TỆP|FILE", "chứng thư gốc của cơ quan",
         "the organization's own root certificates"},
        {NULL, "operator", "ĐỊA CHỈ|ADDRESS", "người vận hành, được báo khi có sự cố",
         "who operates it and hears of trouble"},
        {NULL, "recipient", "ĐỊA CHỈ|ADDRESS", "nơi nhận cảnh báo", "who hears of alerts"},
        {NULL, "no-mail", "", "không dùng thư", "without mail"},
        {NULL, "no-start", "", "không bật dịch vụ", "do not start the service"},
};

static const struct {
        const char *command, *text, *vi, *en;
} examples[] = {
        {"status", "status", "có đang chạy tốt không", "is everything running"},
        {"ranking", "ranking --period 2026-08 --kind commune", "các xã tháng 8",
         "the communes of August"},
        {"ranking", "ranking --sort delta", "tháng trước ai giảm nhiều nhất",
         "who fell most last month"},
        {"ranking", "ranking --indicator progress --as-of 2026-09-05",
         "tiến độ, như đã biết ngày 5/9", "progress, as known on 5 September"},
        {"history", "history 12370 --indicator progress --vintages",
         "tiến độ của một xã, mọi lần sửa", "one commune's progress, every revision"},
        {"alerts", "alerts --unit 12376", "cảnh báo đang mở của một xã",
         "open alerts of one commune"},
        {"alerts", "alerts --all --as-of 2026-09-05", "cảnh báo như đã biết ngày 5/9",
         "alerts as known on 5 September"},
        {"alert", "alert 12", "diễn biến, và đã báo cho ai", "its story, and who was told"},
        {"explain", "explain progress-low 12376", "vì sao xã này bị cảnh báo",
         "why this commune is alerted"},
        {"explain", "explain source-overdue portal", "nguồn có quá hạn không, bao giờ thì quá hạn",
         "is a source overdue, and if not, when it will be"},
        {"rules", "rules list", "các quy tắc đang dùng", "the rules in use"},
        {"rules", "rules backtest progress-low --when 'below 90'", "đã báo gì nếu ngưỡng là 90",
         "what a limit of 90 would have told"},
        {"silence", "silence add --until 2026-09-10 --unit 12376 --note 'chuyển trụ sở'",
         "hoãn thông báo về một xã", "delay what is told of one commune"},
        {"ack", "ack 12 --note 'đang rà soát'", "đã biết, đang xử lý", "known and being worked on"},
        {"sources", "sources", "lần lấy gần nhất và tiếp theo", "last and next fetch"},
        {"source", "source try portal --period 2026-08", "hỏi thử, không lưu",
         "ask once, store nothing"},
        {"fetch", "fetch portal --from 2026-01 --to 2026-08 --wait", "lấy lại tám tháng",
         "fetch eight months again"},
        {"snapshot", "snapshot list --source portal", "các lần lấy số liệu", "what was fetched"},
        {"import", "import thang8.csv --source excel --period 2026-08", "xem trước, hỏi, rồi nhập",
         "preview, question, import"},
        {"units", "units export don-vi.csv", "danh mục ra tệp, sửa rồi import",
         "to a file, edit, import"},
        {"deliveries", "deliveries --dead", "thư hỏng và lý do", "dead messages and why"},
        {"retry", "retry 31", "gửi lại sau khi sửa nơi nhận", "again, once its target is mended"},
        {"drill", "drill offices", "thử đường gửi đến một nhóm", "try the way to one recipient"},
        {"render", "render offices --format text", "thư sẽ trông thế nào",
         "what the message will look like"},
        {"test-mail", "test-mail it@example.gov.vn", "xem hội thoại SMTP", "see the SMTP dialogue"},
        {"test-webhook", "test-webhook it", "xem trả lời của webhook", "see the hook's answer"},
        {"report", "report 2026-08 --format docx -o cong-van.docx", "dự thảo công văn",
         "the draft letter"},
        {"names", "names units", "mã các đơn vị, mỗi dòng một mã",
         "codes of the units, one a line"},
        {"check", "check --max-age 3d", "cho Nagios, Icinga", "for Nagios and Icinga"},
        {"setup", "sudo chisoctl setup", "hỏi vài câu", "asks a few questions"},
        {"backup", "backup /srv/chisod.db", "bản sao đã kiểm tra", "a verified copy"},
        {"verify", "verify", "kiểm tra cơ sở dữ liệu đang dùng", "check the database in use"},
        {"verify", "verify ban-sao.db --replay", "tính lại mọi số liệu của bản sao",
         "make all figures of a copy anew"},
        {"go-live", "go-live", "xem trước, hỏi, rồi gửi thật", "preview, question, then for real"},
};

/* Two columns; a long first one has the second on a line of its own. */
static int help_line(const char *left, const char *right, size_t columns) {
        CLEANUP(buf_done) Buf line = BUF_INIT(8192);
        bool is_long = text_width(left) > columns;
        int r = buf_str(&line, "  ");

        if (r == 0)
                r = is_long ? buf_printf(&line, "%s\n  ", left)
                            : text_pad(&line, left, columns, /* is_right= */ false);
        if (r == 0 && is_long)
                r = text_pad(&line, "", columns, /* is_right= */ false);
        if (r == 0)
                r = buf_printf(&line, "  %s\n", right);
        if (r == 0)
                (void) fputs(buf_text(&line), stdout);
        return r;
}

static const OptionHelp *find_help(const char *command, const char *name, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const OptionHelp *o = options + i;

                if ((!o->command || streq(o->command, command)) && strlen(o->name) == n &&
                    strncmp(o->name, name, n) == 0)
                        return o;
        }
        return NULL;
}

/* "vi|en" names of a value, or one for both. */
static void print_option(const Ctl *ctl, const OptionHelp *o) {
        CLEANUP(buf_done) Buf text = BUF_INIT(4096);
        const char *bar = strchr(o->value, '|');
        bool is_pair = bar && !strchr(bar + 1, '|') && !(o->value[0] >= 'a' && o->value[0] <= 'z');
        const char *value = is_pair && !ctl->is_vi ? bar + 1 : o->value;
        int n = is_pair && ctl->is_vi ? (int) (bar - o->value) : (int) strlen(value);

        if (buf_printf(&text, "--%s%s%.*s", o->name, n > 0 ? " " : "", n, value) == 0)
                (void) help_line(buf_text(&text), SAID(ctl, o->vi, o->en), 28);
}

void help_options(const Ctl *ctl, const char *command, const char *list) {
        while (*list) {
                size_t size = strcspn(list, " ");
                size_t n = size - (size > 0 && list[size - 1] == '=');
                const OptionHelp *o = find_help(command, list, n);

                if (o)
                        print_option(ctl, o);
                else
                        (void) printf("  --%.*s\n", (int) n, list);
                list += size + (list[size] == ' ');
        }
}

void help_examples(const Ctl *ctl, const char *command) {
        (void) printf("\n%s\n", SAID(ctl, "Ví dụ:", "Examples:"));
        for (size_t i = 0; i < ELEMENTSOF(examples); i++) {
                CLEANUP(buf_done) Buf text = BUF_INIT(4096);
                bool is_whole = strncmp(examples[i].text, "sudo", 4) == 0;

                if (streq(examples[i].command, command) &&
                    buf_printf(&text, "%s%s", is_whole ? "" : "chisoctl ", examples[i].text) == 0)
                        (void) help_line(buf_text(&text), SAID(ctl, examples[i].vi, examples[i].en),
                                         40);
        }
}
