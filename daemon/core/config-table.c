/* The key table: validation, defaults, sample and man page come from these rows.
 *
 * A row says what a key is for people, and (in `store`) where its value goes. Defaults are text
 * here and are read by the same code as written values, so that what the man page says is what
 * happens. Keys that end in ".NAME" stand for a family; LABEL stands for any key. Sections without
 * a row do not exist. */
#include "core/config-internal.h"

#define ROW(section_, key_, type_, range_, fallback_, text_, ...)                                  \
        {                                                                                          \
                .section = (section_), .key = (key_), .type = (type_), .range = (range_),          \
                .fallback = (fallback_), .text = (text_), .store = &(const ConfigStore) {          \
                        __VA_ARGS__                                                                \
                }                                                                                  \
        }
#define TEXT(s, k, d, member, t) ROW(s, k, "text", "", d, t, .kind = STORE_TEXT, .at = (member))
#define URL(s, k, schemes, d, member, t)                                                           \
        ROW(s, k, "URL", schemes, d, t, .kind = STORE_URL, .at = (member))
#define SECRET(s, k, member, t)                                                                    \
        ROW(s, k, "secret", "credential:NAME | file:PATH", "", t, .kind = STORE_SECRET,            \
            .at = (member))
#define INTEGER(s, k, lo, hi, d, member, t)                                                        \
        ROW(s, k, "integer", #lo ".." #hi, d, t, .kind = STORE_INTEGER, .at = (member),            \
            .min = (lo), .max = (hi))
#define DAYS(s, k, hi, d, member, t)                                                               \
        ROW(s, k, "days", "0.." #hi " days", d, t, .kind = STORE_DAYS, .at = (member), .max = (hi))
#define BOOLEAN(s, k, d, member, t)                                                                \
        ROW(s, k, "boolean", "yes | no", d, t, .kind = STORE_BOOLEAN, .at = (member))
#define CHOICE(s, k, words, d, member, t)                                                          \
        ROW(s, k, "choice", words, d, t, .kind = STORE_CHOICE, .at = (member))
#define DURATION(s, k, range_, lo, hi, d, member, t)                                               \
        ROW(s, k, "duration", range_, d, t, .kind = STORE_DURATION, .at = (member), .min = (lo),   \
            .max = (hi))
#define CLOCK(s, k, d, member, t)                                                                  \
        ROW(s, k, "time", "00:00..23:59", d, t, .kind = STORE_CLOCK, .at = (member))
#define POINTER(s, k, member, t)                                                                   \
        ROW(s, k, "pointer", "", "", t, .kind = STORE_POINTER, .at = (member))
#define SELECTOR(s, k, member, t)                                                                  \
        ROW(s, k, "selector", "all | kind:K parent:U unit:U ...", "", t, .kind = STORE_SELECTOR,   \
            .at = (member))
#define BUILDER(s, k, type_, range_, d, t) ROW(s, k, type_, range_, d, t, .kind = STORE_BUILDER)
#define LINES(s, k, type_, range_, t)                                                              \
        ROW(s, k, type_, range_, "", t, .kind = STORE_BUILDER, .is_list = true)
#define C(member) offsetof(Config, member)
#define S(member) offsetof(SourceDef, member)
#define P(member) offsetof(PartDef, member)
#define I(member) offsetof(IndicatorDef, member)
#define U(member) offsetof(RuleDef, member)
#define T(member) offsetof(RecipientDef, member)
#define FINAL_AFTER(type) (offsetof(SourceDef, final_after_days) + sizeof(int) * (type))
#define WEB "http:// | https://"

static const ConfigKey keys[] = {
        /* daemon */
        TEXT("daemon", "organization", "", C(daemon.organization),
             "Who runs this daemon; heads every message and the letter."),
        CHOICE("daemon", "language", "vi | en", "vi", NOWHERE,
               "Language of messages and of chisoctl."),
        CHOICE("daemon", "notify", "observe | live", "observe", C(daemon.notify),
               "observe judges and shows everything and tells only operators; live also tells "
               "officials."),
        TEXT("daemon", "contact", "", C(daemon.contact),
             "Whom a reader may ask; printed below every message."),
        TEXT("daemon", "reply_to", "", C(daemon.reply_to), "Address of the Reply-To header."),
        CLOCK("daemon", "digest_at", "08:00", C(daemon.digest_minute),
              "When officials get their one message of a working day."),
        BUILDER("daemon", "operator_report", "weekday and time", "Mon..Sun 00:00..23:59", "",
                "When operators get one line that all is well."),
        BOOLEAN("daemon", "shipped_rules", "yes", C(daemon.has_shipped_rules),
                "no: the rules that ship are off, but for those that are written anew here."),
        URL("daemon", "heartbeat", WEB, "", C(daemon.heartbeat),
            "Address that is fetched after each whole cycle."),
        TEXT("daemon", "http_listen", "", C(daemon.http_listen),
             "HOST:PORT of the masked reads over TCP; empty: none."),
        TEXT("daemon", "backup_dir", "", C(daemon.backup_dir),
             "Folder of the weekly, verified backups; 4 are kept."),
        TEXT("daemon", "state_dir", "/var/lib/chisod", C(daemon.state_dir),
             "Folder of the database."),
        TEXT("daemon", "socket_dir", "/run/chisod", C(daemon.socket_dir),
             "Folder of the sockets when systemd passes none."),
        TEXT("daemon", "template_dir", "", C(daemon.template_dir),
             "Folder of edited templates; empty: the built-in ones."),
        TEXT("daemon", "secrets_dir", "/etc/chisod/secrets", C(daemon.secrets_dir),
             "Where secrets_NAME lie when systemd passes no credentials."),
        INTEGER("daemon", "mass_guard", 1, 100, "50", C(daemon.mass_guard_percent),
                "Percent of a cohort of 10 or more that may open under one rule at once."),
        INTEGER("daemon", "guard_jump", 1, 100, "10", C(daemon.guard_jump_points),
                "Jump of a cohort's median, in points, that holds its openings; of one figure, "
                "that is noted."),
        /* network */
        TEXT("network", "proxy", "", C(network.proxy), "Proxy of all web requests."),
        TEXT("network", "ca_file", "", C(network.ca_file),
             "Certificates to trust instead of the system's."),
        /* smtp */
        URL("smtp", "url", "smtp:// | smtps://", "", C(smtp.url),
            "The mail relay; smtps:// is implicit TLS. Empty: no mail."),
        TEXT("smtp", "username", "", C(smtp.username), "Log-in name at the relay."),
        SECRET("smtp", "password", C(smtp.password), "Password at the relay."),
        TEXT("smtp", "from", "", C(smtp.from), "Sender, with a name: Name <user@host>."),
        CHOICE("smtp", "tls", "required | opportunistic | none", "required", C(smtp.tls),
               "Whether STARTTLS is insisted on."),
        TEXT("smtp", "ca_file", "", C(smtp.ca_file),
             "Certificates to trust; empty: those of [network]."),
        DURATION("smtp", "timeout", "1s..10min", MS_PER_SECOND, 10 * MS_PER_MINUTE, "60s",
                 C(smtp.timeout_ms), "Longest time of one delivery."),
        INTEGER("smtp", "hour_cap", 1, 100000, "200", C(smtp.hour_cap),
                "Messages per target and hour."),
        /* calendar */
        BUILDER("calendar", "work", "weekdays", "Mon-Fri, or a list", "Mon-Fri",
                "Working days of the week."),
        LINES("calendar", "off", "day or days", "YYYY-MM-DD[..YYYY-MM-DD] [label]", "Days off."),
        LINES("calendar", "working", "day or days", "YYYY-MM-DD[..YYYY-MM-DD] [label]",
              "Working days that the rest of the calendar would have off."),
        /* letter */
        BUILDER("letter", "at", "day of the month and time", "1..28 00:00..23:59", "",
                "When the monthly letter is made and sent, moved to the next working day; empty: "
                "only when asked."),
        ROW("letter", "to", "addresses", "", "", "Who gets the letter.", .kind = STORE_WORDS,
            .is_list = true, .at = C(letter.to), .n_at = C(letter.n_to)),
        TEXT("letter", "sign", "", C(letter.sign),
             "In what capacity it is signed, lines separated by /: TL. CHỦ TỊCH / CHÁNH VĂN "
             "PHÒNG."),
        /* bands */
        BUILDER("bands", "LABEL", "number", "lower bound, inclusive", "",
                "Bands of the total, best first; without any: Xuất sắc 90, Tốt 80, Khá 70, Trung "
                "bình 50, Yếu 0."),
        /* retention */
        DAYS("retention", "attempts", 36500, "400", C(retention.attempts_days),
             "How long rows of attempts are kept."),
        BUILDER("retention", "messages", "years", "1..100 years", "5 years",
                "How long the bytes of messages are kept."),
        BUILDER("retention", "bodies", "years", "forever | 1..100 years", "forever",
                "How long the publishers' answers are kept."),
        /* source */
        BUILDER("source", "preset", "name", "", "",
                "Preset that the source starts from: a file of conf/presets."),
        BOOLEAN("source", "enabled", "yes", NOWHERE,
                "no: the source is left out as if it were not written."),
        TEXT("source", "label", "", S(label), "Name for people; default: the section's name."),
        BUILDER("source", "url", "URL", WEB " | file://", "",
                "Address of the publisher, without a slash at the end; {{url}} at the start of a "
                "part's url stands for it."),
        LINES("source", "scope", "text", "",
              "What is asked for: a province in the publisher's own terms. Repeatable."),
        TEXT("source", "namespace", "", S(namespace_),
             "Namespace of the unit codes; default: the section's name."),
        BUILDER("source", "periods", "list", "month quarter half year", "month",
                "Types of periods that are fetched."),
        BOOLEAN("source", "running", "no", S(has_running),
                "Whether the period that has not ended is fetched, too."),
        BUILDER("source", "at", "time", "00:00..23:59", "04:00",
                "Time of the daily fetch, plus the offset of `spread`."),
        BUILDER("source", "every", "duration", "1s..31d", "",
                "Fetches at this distance instead of at a time of the day."),
        DURATION("source", "spread", "0s..24h", 0, MS_PER_DAY, "30min", S(spread_ms),
                 "Upper bound of the fixed offset that each installation adds."),
        INTEGER("source", "recheck", 0, 240, "13", S(recheck),
                "Ended periods that are looked at again."),
        INTEGER("source", "backfill", 0, 240, "13", S(backfill),
                "Ended periods that are fetched at the first start."),
        DAYS("source", "due", 366, "6", S(due_days),
             "Days after its end when a period is expected."),
        DAYS("source", "final_after_month", 1000, "15", FINAL_AFTER(PERIOD_MONTH),
             "Days after its end when a month is closed."),
        DAYS("source", "final_after_quarter", 1000, "30", FINAL_AFTER(PERIOD_QUARTER),
             "The same of a quarter."),
        DAYS("source", "final_after_half", 1000, "45", FINAL_AFTER(PERIOD_HALF),
             "The same of half a year."),
        DAYS("source", "final_after_year", 1000, "60", FINAL_AFTER(PERIOD_YEAR),
             "The same of a year."),
        CHOICE("source", "numbers", "dot | comma", "dot", S(numbers),
               "How the publisher writes numbers: 82.71, or 82,71 with 30.204 for thirty "
               "thousand."),
        BUILDER("source", "units", "choice", "auto | strict", "auto",
                "auto registers units of first sight, strict none."),
        INTEGER("source", "min_units", 0, 100000, "0", S(min_units),
                "Fewer units than this make an answer suspect."),
        INTEGER("source", "min_share", 0, 100, "90", S(min_share_percent),
                "Percent of the units of the last accepted answer; less makes an answer suspect."),
        DURATION("source", "timeout", "1s..1h", MS_PER_SECOND, MS_PER_HOUR, "60s", S(timeout_ms),
                 "Longest time of one request."),
        DURATION("source", "pace", "0s..1h", 0, MS_PER_HOUR, "1s", S(pace_ms),
                 "Time between two requests to one host."),
        ROW("source", "max_body", "bytes", "1KiB..64MiB", "8MiB", "Largest answer that is read.",
            .kind = STORE_BYTES, .at = S(max_body), .min = 1024, .max = 64 << 20),
        TEXT("source", "scope_unit", "", S(scope_unit),
             "Key of the unit that is the parent of the rows; may hold {{scope}}."),
        BUILDER("source", "prefix", "text", "", "",
                "Goes before the names of all indicators of the source: old_progress."),
        TEXT("source", "inbox", "", S(inbox),
             "Folder whose files are read instead of asking a publisher."),
        BUILDER("source", "token.url", "URL", WEB, "",
                "Where the bearer token is fetched that goes with every request."),
        TEXT("source", "token.body", "", S(token_body),
             "Form body of that request; credential:NAME when it holds a password."),
        POINTER("source", "token.pointer", S(token_pointer),
                "Where the token stands in the answer."),
        /* part */
        BUILDER("part", "url", "template", WEB " | file://", "", "Address of the request."),
        CHOICE("part", "method", "GET | POST", "", NOWHERE, "Default: POST with a body, else GET."),
        BUILDER("part", "header.NAME", "template", "", "", "A header of the request."),
        TEXT("part", "body", "", P(body), "Body of the request, a template."),
        CHOICE("part", "body_type", "application/json | application/x-www-form-urlencoded", "",
               NOWHERE,
               "Content type of the body; default: JSON when it begins with a bracket or brace."),
        TEXT("part", "envelope", "", P(envelope),
             "POINTER=TEXT that must hold, else the answer is rejected."),
        POINTER("part", "scope_check", P(scope_check),
                "Where the answer repeats the scope; another one is rejected."),
        POINTER("part", "rows", P(rows), "The array of rows; empty: the whole document."),
        POINTER("part", "parent", P(parent), "One more row: the figures of the scope's own unit."),
        BUILDER("part", "pages", "pointer", "POINTER | short", "",
                "Where the number of pages stands; short: until a page has fewer than page_size "
                "rows."),
        INTEGER("part", "page_size", 1, 100000, "200", P(page_size),
                "Rows of one page, as {{page_size}}."),
        TEXT("part", "where", "", P(where),
             "POINTER=TEXT[|TEXT]: rows that do not match are left out."),
        POINTER("part", "unit.code", P(unit_code), "The unit's code in a row."),
        POINTER("part", "unit.name", P(unit_name), "The unit's name in a row."),
        BUILDER("part", "unit.kind", "pointer and map", "POINTER TEXT:KIND ... [*:KIND], or KIND",
                "", "The unit's kind: what stands in the row, and what it means."),
        TEXT("part", "parent.kind", "", P(parent_kind), "Kind of the unit at `parent`."),
        BUILDER("part", "value.NAME", "pointer", "", "",
                "Where the indicator NAME stands in a row."),
        BUILDER("part", "denominator.NAME", "pointer", "", "",
                "Its published denominator: with 0 there the figure is empty."),
        BUILDER("part", "delta.NAME", "pointer", "", "", "Its published change."),
        BUILDER("part", "parent.value.NAME", "pointer", "", "",
                "The same in the row at `parent`; without any, value.NAME holds there as well."),
        BUILDER("part", "parent.denominator.NAME", "pointer", "", "",
                "The same in the row at `parent`."),
        /* indicator */
        TEXT("indicator", "label", "", I(label), "Name for people; default: the section's name."),
        TEXT("indicator", "label_en", "", I(label_en), "Name in English."),
        TEXT("indicator", "brief", "", I(brief), "Short name for subjects; default: the label."),
        CHOICE("indicator", "unit", "percent | points | count", "", I(unit),
               "What its numbers are. Required."),
        BUILDER("indicator", "decimals", "integer", "0..4", "",
                "Fraction digits that count; default 2, counts 0."),
        BUILDER("indicator", "max", "number", "number | none", "",
                "Largest possible value; default 100 for percent, else none."),
        BUILDER("indicator", "min", "number", "number | none", "0", "Smallest possible value."),
        CHOICE("indicator", "direction", "up | down", "up", I(direction), "Which way is better."),
        CHOICE("indicator", "empty", "missing | zero | full", "missing", I(empty),
               "What a figure is whose published denominator is 0."),
        BUILDER("indicator", "restated_min", "number", "", "",
                "Corrections are told from this change on; default 1.00, counts 1."),
        BUILDER("indicator", "sum", "list", "", "",
                "Derived: the sum of these indicators of one source."),
        BUILDER("indicator", "ratio", "A / B", "", "",
                "Derived: A / B, B an indicator or a number; a percent is the quotient x 100."),
        /* rule */
        BOOLEAN("rule", "off", "no", U(is_off), "yes: not judged."),
        BUILDER("rule", "indicator", "name", "", "",
                "What it watches. Required for conditions on values."),
        CHOICE("rule", "period", "month | quarter | half | year", "month", NOWHERE,
               "Type of the periods that it judges."),
        SELECTOR("rule", "units", U(units), "Which units it judges; default: all."),
        BUILDER("rule", "when", "condition", "", "",
                "The condition, as `below 95` or `flat 3 within 0.50 and below 80`. Required."),
        BUILDER("rule", "critical", "condition", "", "", "A second, more severe limit."),
        BUILDER("rule", "clear", "number", "", "",
                "Where it ends, on the limit's scale; default 1.00 beyond the limit, counts the "
                "limit."),
        INTEGER("rule", "for", 1, 120, "1", U(for_n), "Publications in breach before it opens."),
        BUILDER("rule", "from", "period or day", "", "", "First period that it judges."),
        BUILDER("rule", "until", "period or day", "", "", "Last period that it judges."),
        DAYS("rule", "settle", 366, "3", U(settle_days),
             "Days after a period's end before it is judged."),
        CHOICE("rule", "watch", "ended | running", "ended", U(watch),
               "running: an early warning on the period that has not ended."),
        BUILDER("rule", "min_volume", "N of INDICATOR", "", "",
                "Fewer dossiers than N: the verdict is unknown."),
        BUILDER("rule", "repeat", "choice", "publication | N days | never", "publication",
                "When an open alert is told again."),
        INTEGER("rule", "escalate_after", 0, 120, "0", U(escalate_after),
                "Publications after which it is escalated; 0: never."),
        TEXT("rule", "advice", "", U(advice), "What the reader should do."),
        TEXT("rule", "formerly", "", U(formerly),
             "Former name of the rule, whose alerts it keeps."),
        CHOICE("rule", "letter", "no | yes | only", "no", NOWHERE,
               "Whether the letter lists it; only: nothing else tells it."),
        BUILDER("rule", "operator", "boolean", "yes | no", "",
                "Told to operators alone; default: conditions on sources and data are."),
        /* recipient */
        CHOICE("recipient", "role", "official | operator", "official", T(role),
               "Operators hear of the machine, too."),
        SELECTOR("recipient", "units", T(units), "Whose figures it hears of; default: all."),
        SELECTOR("recipient", "each", T(units),
                 "One recipient for each of these units, which hears of itself."),
        ROW("recipient", "email", "addresses", "", "",
            "Addresses; registry: the unit's own (with `each`).", .kind = STORE_WORDS,
            .is_list = true, .at = T(emails), .n_at = T(n_emails)),
        URL("recipient", "webhook", WEB " | registry", "", T(webhook),
            "Address of a webhook; registry: the unit's own (with `each`)."),
        SECRET("recipient", "webhook_secret", T(webhook_secret),
               "Key that signs it (Standard Webhooks)."),
        TEXT("recipient", "webhook_template", "", T(webhook_template),
             "Template of its body instead of the published schema."),
        TEXT("recipient", "webhook_to", "", T(webhook_to),
             "Chat or channel at the webhook: {{to}} in its template."),
        CHOICE("recipient", "tell", "all | overview | escalated", "all", T(tell),
               "overview: a line per rule; escalated: only what was escalated."),
        BOOLEAN("recipient", "immediate", "no", T(is_immediate),
                "yes: at once instead of at digest_at."),
        CHOICE("recipient", "language", "vi | en", "", NOWHERE, "Default: that of [daemon]."),
        INTEGER("recipient", "max_chars", 0, 1000000, "0", T(max_chars),
                "Longest message of the channel; 0: no limit."),
        /* era */
        BUILDER("era", "from", "day", "YYYY-MM-DD", "", "First day of the new era. Required."),
        TEXT("era", "reason", "", offsetof(EraDef, reason),
             "Why figures before and after are not comparable. Required."),
        TEXT("era", "source", "", offsetof(EraDef, source),
             "Only figures of this source; default: all."),
        ROW("era", "indicators", "list", "", "", "Only these indicators; default: all.",
            .kind = STORE_WORDS, .at = offsetof(EraDef, indicators),
            .n_at = offsetof(EraDef, n_indicators)),
        TEXT("era", "parent", "", offsetof(EraDef, parent),
             "Only units below this one; default: all."),
};

const ConfigKey *config_keys(size_t *ret_n) {
        *ret_n = ELEMENTSOF(keys);
        return keys;
}

/* Length of what stands before NAME in "header.NAME"; 0 for a plain key. */
static size_t family_prefix(const char *key) {
        size_t n = strlen(key);
        return n > 5 && streq(key + n - 5, ".NAME") ? n - 4 : 0;
}

const ConfigKey *table_find(const char *section, const char *name, const char **ret_tail) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (!streq(keys[i].section, section))
                        continue;
                size_t n = family_prefix(keys[i].key);
                bool is_any = streq(keys[i].key, "LABEL");
                bool is_family = n > 0 && strncmp(name, keys[i].key, n) == 0 && name[n] != '\0';
                if (!is_any && !is_family && !streq(keys[i].key, name))
                        continue;
                *ret_tail = is_family ? name + n : "";
                return &keys[i];
        }
        return NULL;
}

bool table_has_section(const char *section) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].section, section))
                        return true;
        return false;
}

SectionNaming table_naming(const char *section, bool is_preset) {
        static const char *const named[] = {"source", "indicator", "rule", "recipient", "era"};
        if (streq(section, "part"))
                return is_preset ? NAMING_PRESET_PART : NAMING_PART;
        if (is_preset && streq(section, "source"))
                return NAMING_NONE;
        for (size_t i = 0; i < ELEMENTSOF(named); i++)
                if (streq(section, named[i]))
                        return NAMING_NAME;
        return NAMING_NONE;
}

/* Levenshtein with a row on the stack: only for names of people's typing, never for decisions. */
size_t word_distance(const char *a, const char *b) {
        size_t row[CONFIG_MAX_NAME + 1], n = strlen(b);
        if (n > CONFIG_MAX_NAME || strlen(a) > CONFIG_MAX_NAME)
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j];
                        size_t change = diagonal + (a[i - 1] != b[j - 1]);
                        row[j] = MIN(change, MIN(above, row[j - 1]) + 1);
                        diagonal = above;
                }
        }
        return row[n];
}

bool word_is_near(const char *word, size_t distance) {
        return distance <= (strlen(word) + 2) / 3;
}

const char *table_suggest_section(const char *section) {
        const char *best = NULL;
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                size_t d = word_distance(section, keys[i].section);
                if (d < least) {
                        least = d;
                        best = keys[i].section;
                }
        }
        return word_is_near(section, least) ? best : NULL;
}

const char *table_suggest_key(const char *section, const char *name) {
        const char *best = NULL;
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (!streq(keys[i].section, section))
                        continue;
                size_t d = word_distance(name, keys[i].key);
                if (d < least) {
                        least = d;
                        best = keys[i].key;
                }
        }
        return word_is_near(name, least) ? best : NULL;
}

const char *table_section_of(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].key, name))
                        return keys[i].section;
        return NULL;
}
