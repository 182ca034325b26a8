/* Configuration: every message with its file, line and text; layers; presets; what ships. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "core/config.h"
#include "core/template.h"

#define MAX_FILES 16

typedef struct Fixture {
        ConfigFile files[MAX_FILES];
        size_t n;
        char *owned[MAX_FILES];
        Diag diag;
        Config *config;
        int r;
} Fixture;

static char *slurp(const char *path, size_t *ret_n) {
        FILE *f = fopen(path, "rb");
        if (!f)
                fail_msg("%s is missing", path);
        char *data = calloc(1, 1 << 18);
        assert_non_null(data);
        *ret_n = fread(data, 1, (1 << 18) - 1, f);
        (void) fclose(f);
        return data;
}

static void add(Fixture *x, ConfigLayer layer, const char *path, const char *name,
                const char *text) {
        x->files[x->n++] = (ConfigFile){layer, path, name, text, strlen(text)};
}

static void add_shipped(Fixture *x, ConfigLayer layer, const char *file, const char *name) {
        char path[512];
        (void) snprintf(path, sizeof path, "%s/conf/%s", CHISO_SOURCE_DIR, file);
        x->owned[x->n] = slurp(path, &(size_t){0});
        add(x, layer, file, name, x->owned[x->n]);
}

static void add_preset(Fixture *x, const char *name) {
        char *file = calloc(1, 128);
        assert_non_null(file);
        (void) snprintf(file, 128, "presets/%s.conf", name);
        add_shipped(x, CONFIG_PRESET, file, name);
        x->files[x->n - 1].path = "preset";
        free(file);
}

static int load(Fixture *x) {
        Day today;
        assert_int_equal(day_parse("2026-11-23", &today), 0);
        x->r = config_load(x->files, x->n, today, &x->diag, &x->config);
        return x->r;
}

static void done(Fixture *x) {
        config_freep(&x->config);
        diag_done(&x->diag);
        for (size_t i = 0; i < x->n; i++)
                free(x->owned[i]);
}

static bool said(const Fixture *x, DiagLevel level, const char *line) {
        for (size_t i = 0; i < x->diag.n; i++) {
                CLEANUP_FREE char *text = diag_item_format(&x->diag.items[i]);
                if (x->diag.items[i].level == level && streq(text, line))
                        return true;
        }
        return false;
}

static void print(const Fixture *x) {
        for (size_t i = 0; i < x->diag.n; i++) {
                CLEANUP_FREE char *text = diag_item_format(&x->diag.items[i]);
                print_message("   %d %s\n", (int) x->diag.items[i].level, text);
        }
}

#define assert_said(x, level, line)                                                                \
        do {                                                                                       \
                if (!said((x), (level), (line))) {                                                 \
                        print(x);                                                                  \
                        fail_msg("was not said: %s", (line));                                      \
                }                                                                                  \
        } while (0)

static void load_good(Fixture *x) {
        if (load(x) != 0) {
                print(x);
                fail_msg("refused");
        }
}

static const IndicatorDef *indicator(const Config *c, const char *name) {
        int i = config_indicator(c, name);
        if (i < 0)
                fail_msg("no indicator %s", name);
        return &c->indicators[i];
}

static const RuleDef *rule(const Config *c, const char *name) {
        int i = config_rule(c, name);
        if (i < 0)
                fail_msg("no rule %s", name);
        return &c->rules[i];
}

/* ---- messages ----------------------------------------------------------------------------------
 */

/* Stands before the cases that need figures, all in one line each, so that their line numbers stay
 * small. */
#define INDICATORS "[indicator progress]\nunit = percent\n[indicator received]\nunit = count\n"

typedef struct Case {
        const char *text, *line;
} Case;

static void run_cases(const Case *cases, size_t n, const char *base) {
        for (size_t i = 0; i < n; i++) {
                Fixture x = {0};
                if (base)
                        add(&x, CONFIG_BASE, "base", NULL, base);
                add(&x, CONFIG_MAIN, "f", NULL, cases[i].text);
                if (load(&x) != -EINVAL) {
                        print(&x);
                        fail_msg("accepted: %s", cases[i].text);
                }
                assert_null(x.config);
                assert_said(&x, DIAG_ERROR, cases[i].line);
                assert_int_equal(x.diag.n_errors, 1);
                done(&x);
        }
}

static void test_syntax(void **state UNUSED) {
        static const Case cases[] = {
                {"[daemon\nlanguage = en\n",
                 "f:1: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"[daemon] ; x\n",
                 "f:1: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"\n[]\n",
                 "f:2: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"[source ]\n",
                 "f:1: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"[source\tx]\n",
                 "f:1: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"[daemon]]\n",
                 "f:1: a section line is exactly [kind] or [kind name]; its keys are passed over"},
                {"[demon]\nanything = 1\n", "f:1: demon: unknown section; did you mean [daemon]?"},
                {"[zzzzzzzzzzzz]\n", "f:1: zzzzzzzzzzzz: unknown section"},
                {"[daemon x]\n", "f:1: daemon: this section has no name here; remove it"},
                {"[rule]\n", "f:1: rule: the section needs a name of letters, digits, - and _"},
                {"[rule a b]\n", "f:1: rule: the section needs a name of letters, digits, - and _"},
                {"[rule xã]\n", "f:1: rule: the section needs a name of letters, digits, - and _"},
                {"[part progress]\n", "f:1: part: write [part SOURCE.NAME]"},
                {"language = vi\n", "f:1: a key before the first [section]; its place is unknown"},
                {"[daemon]\nlanguage\n", "f:2: neither a section nor `key = value`"},
                {"[daemon]\n = vi\n",
                 "f:2: the line is indented; a key begins in the first column, a value cannot go "
                 "on in "
                 "the next line"},
                {"[daemon]\n= vi\n", "f:2: a value without a key"},
                {"[daemon]\ncontact = a\n  b\n",
                 "f:3: the line is indented; a key begins in the first column, a value cannot go "
                 "on in "
                 "the next line"},
                {"[daemon]\ncontact = \xff\n",
                 "f:2: the line is not UTF-8; save the file as UTF-8"},
                {"[daemon]\ncontact = a\x01\n",
                 "f:2: the line holds a control character; remove it"},
                {"[daemon]\nlangage = vi\n",
                 "f:2: daemon.langage: unknown key; did you mean `language`?"},
                {"[daemon]\nusername = x\n",
                 "f:2: daemon.username: unknown key here; it belongs to [smtp]"},
                {"[daemon]\nfrobnicate = x\n", "f:2: daemon.frobnicate: unknown key"},
                {"[daemon]\nlanguage = vi\n\nlanguage = en\n",
                 "f:4: daemon.language: set twice in this file, first in line 2; remove one"},
                {"[daemon]\nlanguage = vi\n[smtp]\n[daemon]\nlanguage = en\n",
                 "f:5: daemon.language: set twice in this file, first in line 2; remove one"},
        };
        run_cases(cases, ELEMENTSOF(cases), NULL);
}

static void test_values(void **state UNUSED) {
        static const Case cases[] = {
                {"[daemon]\nlanguage = fr\n",
                 "f:2: daemon.language: \"fr\" is not a valid choice; it must be vi | en"},
                {"[daemon]\nnotify = Live\n",
                 "f:2: daemon.notify: \"Live\" is not a valid choice; it must be observe | live"},
                {"[daemon]\ndigest_at = 25:00\n",
                 "f:2: daemon.digest_at: \"25:00\" is not a valid time; it must be 00:00..23:59"},
                {"[daemon]\nmass_guard = 0\n",
                 "f:2: daemon.mass_guard: \"0\" is not a valid integer; it must be 1..100"},
                {"[daemon]\nmass_guard = 50%\n",
                 "f:2: daemon.mass_guard: \"50%\" is not a valid integer; it must be 1..100"},
                {"[daemon]\nmass_guard = 99999999999999999999\n",
                 "f:2: daemon.mass_guard: \"99999999999999999999\" is not a valid integer; it must "
                 "be "
                 "1..100"},
                {"[daemon]\nheartbeat = hc.example.vn\n",
                 "f:2: daemon.heartbeat: \"hc.example.vn\" is no address; it begins with http:// | "
                 "https://"},
                {"[daemon]\noperator_report = Monday 08:00\n",
                 "f:2: daemon.operator_report: \"Monday 08:00\" is not valid; write it as Mon "
                 "08:00"},
                {"[daemon]\nhttp_listen = 8766\n",
                 "f:2: daemon.http_listen: \"8766\" is not valid; write it as 127.0.0.1:8766"},
                {"[smtp]\nurl = mail.example.vn\nfrom = a@b\n",
                 "f:2: smtp.url: \"mail.example.vn\" is no address; it begins with smtp:// | "
                 "smtps://"},
                {"[smtp]\nurl = smtp://mail\n",
                 "f:1: smtp.from: is missing; write the sender as Name <user@host>"},
                {"[smtp]\nfrom = chiso\n",
                 "f:2: smtp.from: \"chiso\" holds no address; write Name <user@host>"},
                {"[smtp]\nusername = a\npassword = hunter2\n",
                 "f:3: smtp.password: a secret never stands in the configuration; write "
                 "credential:NAME "
                 "or file:PATH"},
                {"[smtp]\npassword = credential:x\n",
                 "f:1: smtp.username: is missing, while a password is written"},
                {"[smtp]\ntimeout = 1 hour\n",
                 "f:2: smtp.timeout: \"1 hour\" is not a valid duration; it must be 1s..10min"},
                {"[calendar]\n\n\n\nwork = Mon-Fry\n",
                 "f:5: calendar.work: \"Mon-Fry\" is no weekday; write Mon-Fri, or a list of Mon "
                 "Tue Wed "
                 "Thu Fri Sat Sun"},
                {"[calendar]\noff = 2026-02-30 Tết\n",
                 "f:2: calendar.off: \"2026-02-30 Tết\" is no day; write 2026-02-14, or "
                 "2026-02-14..2026-02-22, and a label"},
                {"[calendar]\noff = 2026-02-22..2026-02-14\n",
                 "f:2: calendar.off: the range ends before it begins, or is longer than a year"},
                {"[letter]\nat = 31 08:00\n",
                 "f:2: letter.at: \"31 08:00\" is not valid; write day of the month (1..28) and "
                 "time, as "
                 "6 08:00"},
                {"[letter]\nat = 6 08:00\nto = a@b\n",
                 "f:3: letter.to: there is no mail relay for it; set `url` in [smtp]"},
                {"[smtp]\nurl = smtp://x:25\nfrom = a@b\n[letter]\nat = 6 08:00\nto = "
                 "a@b\n[recipient letter]\nemail = a@b\n",
                 "f:7: recipient: \"letter\" is the name of those of [letter] to; choose another"},
                {"[letter]\nto = vanphong\n",
                 "f:2: letter.to: \"vanphong\" is no address; write user@host"},
                {"[bands]\nTốt = tám mươi\n",
                 "f:2: bands.Tốt: \"tám mươi\" is not a number; write the lowest value of the "
                 "band"},
                {"[bands]\nTốt = 80\nKhá = 80.00\n", "f:3: bands.Khá: begins where \"Tốt\" begins"},
                {"[retention]\nbodies = always\n",
                 "f:2: retention.bodies: \"always\" is not valid; it must be forever | 1..100 "
                 "years"},
                {"[retention]\nattempts = 1 year\n",
                 "f:2: retention.attempts: \"1 year\" is not a valid days; it must be 0..36500 "
                 "days"},
                {"[era a]\nreason = x\n",
                 "f:1: era a.from: is missing; write the first day of the new era"},
                {"[era a]\nfrom = 2026\nreason = x\n",
                 "f:2: era a.from: \"2026\" is no day; write it as 2026-01-01"},
                {"[era a]\nfrom = 2026-01-01\n",
                 "f:1: era a.reason: is missing; write why figures before and after cannot be "
                 "compared"},
                {"[era a]\nfrom = 2026-01-01\nreason = x\nsource = portal\n",
                 "f:4: era a.source: there is no [source portal]"},
                {"[era a]\nfrom = 2026-01-01\nreason = x\nindicators = progres\n",
                 "f:4: era a.indicators: there is no indicator progres; did you mean progress?"},
                {"[recipient a]\nrole = operator\n",
                 "f:1: recipient a: has no address; set `email` or `webhook`"},
                {"[recipient a]\nemail = a@b\n",
                 "f:2: recipient a.email: there is no mail relay; set `url` in [smtp]"},
                {"[smtp]\nurl = mail\nfrom = a@b\n[letter]\nat = 6 08:00\nto = a@b\n[recipient "
                 "a]\nemail "
                 "= a@b\n",
                 "f:2: smtp.url: \"mail\" is no address; it begins with smtp:// | smtps://"},
                {"[smtp]\nurl = smtp://m\nfrom = a@b\n[recipient a]\nemail = a@b, c@d\nemail = "
                 "c@dd, foo@@bar\nemail = e@f\n",
                 "f:6: recipient a.email: \"foo@@bar\" is no address; write user@host"},
                {"[daemon]\nstate_dir = rel\n",
                 "f:2: daemon.state_dir: \"rel\" is no absolute path; begin it with /"},
                {"[daemon]\nlanguage = vi\nbackup_dir = backup\n",
                 "f:3: daemon.backup_dir: \"backup\" is no absolute path; begin it with /"},
                {"[smtp]\nurl = smtp://m\nfrom = a@b\n[recipient a]\nemail = ab\n",
                 "f:5: recipient a.email: \"ab\" is no address; write user@host"},
                {"[smtp]\nurl = smtp://m\nfrom = a@b\n[recipient a]\nunits = kind:commune\nemail = "
                 "registry\n",
                 "f:6: recipient a.email: registry needs `each`, so that each unit gets its own "
                 "mail"},
                {"[recipient a]\nwebhook = https://h/\nunits = commune\n",
                 "f:3: recipient a.units: \"commune\" selects no units; write all, kind:KIND, "
                 "parent:UNIT "
                 "or unit:UNIT (\"...\" around blanks)"},
                {"[recipient a]\nwebhook = https://h/\nunits = all\neach = kind:x\n",
                 "f:4: recipient a.each: `each` and `units` exclude each other; keep one"},
                {"[recipient a]\nwebhook = hook\n",
                 "f:2: recipient a.webhook: \"hook\" is no address; it begins with http:// | "
                 "https:// | "
                 "registry"},
                {"[recipient a]\nwebhook = registry\n",
                 "f:2: recipient a.webhook: registry needs `each`, so that each unit gets its own "
                 "message"},
        };
        run_cases(cases, ELEMENTSOF(cases), INDICATORS);
}

static void test_indicator_errors(void **state UNUSED) {
        static const Case cases[] = {
                {"[indicator a]\n",
                 "f:1: indicator a.unit: is missing; write percent, points or count"},
                {"[indicator a]\nunit = %\n",
                 "f:2: indicator a.unit: \"%\" is not a valid choice; it must be percent | points "
                 "| count"},
                {"[indicator a]\nunit = points\ndecimals = 5\n",
                 "f:3: indicator a.decimals: \"5\" is not a number of digits; it must be 0..4"},
                {"[indicator a]\nunit = points\nmax = 20,5\n",
                 "f:3: indicator a.max: \"20,5\" is not a number; write it with a decimal point, "
                 "as 99.5"},
                {"[indicator a]\nunit = points\nmax = 0\n",
                 "f:3: indicator a.max: must be greater than min; nothing could ever be valid"},
                {"[indicator a]\nunit = points\nrestated_min = 0\n",
                 "f:3: indicator a.restated_min: must be greater than 0"},
                {"[indicator a]\nunit = percent\nratio = progress\n",
                 "f:3: indicator a.ratio: write A / B, with blanks; B is an indicator or a number"},
                {"[indicator a]\nunit = percent\nratio = progress / 0\n",
                 "f:3: indicator a.ratio: the divisor must be greater than 0"},
                {"[indicator a]\nunit = percent\nratio = receivd / 20\n",
                 "f:3: indicator a.ratio: there is no indicator receivd; did you mean received?"},
                {"[indicator a]\nunit = percent\nsum = progress, received\n",
                 "f:3: indicator a.sum: received is not of the same unit as the sum"},
                {"[indicator a]\nunit = percent\nsum = b\n[indicator b]\nunit = percent\nsum = "
                 "progress a\n",
                 "f:6: indicator b.sum: b is derived from itself, by way of a"},
                {"[indicator a]\nunit = percent\nsum = progress\nratio = progress / 2\n",
                 "f:4: indicator a.ratio: `sum` and `ratio` exclude each other; empty one of them"},
        };
        run_cases(cases, ELEMENTSOF(cases), INDICATORS);
}

#define SOURCE "[source s]\n[part s.p]\nurl = http://h/\nunit.code = /c\nvalue.progress = /v\n"

static void test_source_errors(void **state UNUSED) {
        static const Case cases[] = {
                {"[source s]\n",
                 "f:1: source s: has no part; set `preset`, or write a section [part s.NAME]"},
                {SOURCE "[part t.p]\n",
                 "f:6: part t.p: there is no [source t]; add it or correct the name"},
                {"[source s]\npreset = dvcqg\n" SOURCE,
                 "f:2: source s.preset: there is no preset dvcqg"},
                {SOURCE "rows = data\n",
                 "f:6: part s.p.rows: \"data\" is no pointer; write steps as /data/rows or "
                 "/metrics/[code=X]/ratio"},
                {SOURCE "value.progres = /v\n",
                 "f:6: part s.p.value.progres: there is no indicator progres; did you mean "
                 "progress?"},
                {SOURCE "value.received = v\n",
                 "f:6: part s.p.value.received: \"v\" is no pointer; write steps as /data/ratio"},
                {SOURCE "value.progress = /w\n",
                 "f:6: part s.p.value.progress: set twice in this file, first in line 5; remove "
                 "one"},
                {SOURCE "denominator.received = /d\n",
                 "f:6: part s.p.denominator.received: there is no value.received beside it"},
                {SOURCE "parent.value.progress = /d\n",
                 "f:2: part s.p.parent: is missing, while parent.value.NAME is written"},
                {SOURCE "header.X = 1\nheader.X = 2\n",
                 "f:7: part s.p.header.X: set twice in this file, first in line 6; remove one"},
                {SOURCE "header.X Y = 1\n",
                 "f:6: part s.p.header.X Y: a header's name is made of letters, digits, - and _"},
                {SOURCE "envelope = code\n",
                 "f:6: part s.p.envelope: write POINTER=TEXT, as /code=OK"},
                {SOURCE "where = =x\n", "f:6: part s.p.where: write POINTER=TEXT, as /code=OK"},
                {SOURCE "pages = long\n",
                 "f:6: part s.p.pages: \"long\" is neither a pointer nor `short`"},
                {SOURCE "unit.kind = /k 1=commune\n",
                 "f:6: part s.p.unit.kind: write POINTER TEXT:KIND ..., as /LOAI_COQUAN "
                 "2:department "
                 "3:commune, or one KIND"},
                {SOURCE "unit.kind = /k\n",
                 "f:6: part s.p.unit.kind: write POINTER TEXT:KIND ..., as /LOAI_COQUAN "
                 "2:department "
                 "3:commune, or one KIND"},
                {SOURCE "body = {{yaer}}\n",
                 "f:6: part s.p.body: {{yaer}} is unknown; did you mean {{year}}?"},
                {SOURCE "body = {{frob}}\n",
                 "f:6: part s.p.body: {{frob}} is neither a variable of requests nor a key of the "
                 "source"},
                {SOURCE "body = {{inbox}}\n",
                 "f:6: part s.p.body: {{inbox}} stands for a key of the source that is not set; "
                 "set it"},
                {SOURCE "body = {{year\n", "f:6: part s.p.body: \"{{\" is not closed"},
                {SOURCE "body = {{{year}}}\n",
                 "f:6: part s.p.body: only {{name}} can stand in a key, which is escaped for its "
                 "place"},
                {SOURCE "body = {{#year}}x{{/year}}\n",
                 "f:6: part s.p.body: only {{name}} can stand in a key, which is escaped for its "
                 "place"},
                {SOURCE "body = {{scope}}\n",
                 "f:1: source s.scope: is missing; write which province (or other scope) is asked "
                 "for"},
                {SOURCE "method = GET\nbody = x\n",
                 "f:7: part s.p.body: a GET request has no body; set `method = POST`"},
                {SOURCE "[source s]\nperiods = month week\n",
                 "f:7: source s.periods: \"week\" is unknown or written twice; use month quarter "
                 "half year"},
                {SOURCE "[source s]\nperiods = month,month\n",
                 "f:7: source s.periods: \"month\" is unknown or written twice; use month quarter "
                 "half "
                 "year"},
                {SOURCE "[source s]\nat = 04:00\nevery = 6h\n",
                 "f:8: source s.every: `at` and `every` exclude each other; empty one of them"},
                {SOURCE "[source s]\nat = 4h\n",
                 "f:7: source s.at: \"4h\" is no time of the day; write it as 04:00"},
                {SOURCE "[source s]\nevery = 60d\n",
                 "f:7: source s.every: \"60d\" is not a distance between 1s and 31d"},
                {SOURCE "[source s]\nscope = a\nscope = a\n",
                 "f:8: source s.scope: a is asked for twice; remove one"},
                {SOURCE "[source s]\nunits = none\n",
                 "f:7: source s.units: \"none\" is not a valid choice; it must be auto | strict"},
                {SOURCE "[source s]\nmax_body = 1GiB\n",
                 "f:7: source s.max_body: \"1GiB\" is not a valid bytes; it must be 1KiB..64MiB"},
                {SOURCE "[source s]\ntoken.url = https://sso/\n",
                 "f:1: source s.token.pointer: is missing; write where the token stands in the "
                 "answer"},
                {SOURCE "[source s]\nenabled = maybe\n",
                 "f:7: source s.enabled: \"maybe\" is not a valid boolean; it must be yes | no"},
                {"[source s]\n[part s.p]\nurl = h\nunit.code = /c\nvalue.progress = /v\n",
                 "f:3: part s.p.url: \"h\" is no address; it begins with http://, https:// or "
                 "{{url}}"},
                {"[source s]\n[part s.p]\nurl = {{url}}/x\nunit.code = /c\nvalue.progress = /v\n",
                 "f:3: part s.p.url: {{url}} stands for a key of the source that is not set; set "
                 "it"},
                {"[source s]\n[part s.p]\nunit.code = /c\nvalue.progress = /v\n",
                 "f:2: part s.p.url: is missing; write the address of the request"},
                {"[source s]\n[part s.p]\nurl = http://h/\nvalue.progress = /v\n",
                 "f:2: part s.p.unit.code: is missing; write where a row has its unit's code"},
                {"[source s]\n[part s.p]\nurl = http://h/\nunit.code = /c\n",
                 "f:2: part s.p.value.NAME: is missing; map at least one indicator of this part"},
                /* one indicator, one source */
                {SOURCE
                 "[source t]\n[part t.p]\nurl = http://h/\nunit.code = /c\nvalue.progress = /v\n",
                 "f:6: source t: publishes progress, as [source s] does; an indicator has one "
                 "source: "
                 "give one of them a `prefix`"},
                {SOURCE "[indicator progress]\nratio = received / 20\n",
                 "f:7: indicator progress.ratio: [source s] publishes progress; a published figure "
                 "is "
                 "never derived"},
                {SOURCE
                 "[indicator x]\nunit = percent\nratio = progress / received\n"
                 "[source t]\n[part t.p]\nurl = http://h/\nunit.code = /c\nvalue.received = /v\n",
                 "f:8: indicator x.ratio: the operands come from [source s] and [source t]; derive "
                 "from "
                 "one source only"},
        };
        run_cases(cases, ELEMENTSOF(cases), INDICATORS);
}

static void test_rule_errors(void **state UNUSED) {
        static const Case cases[] = {
                {SOURCE "[rule a]\nindicator = progress\n",
                 "f:6: rule a.when: is missing; write a condition, as `below 95`"},
                {SOURCE "[rule a]\nwhen = below 95\n",
                 "f:6: rule a.indicator: is missing; write what the rule watches"},
                {SOURCE "[rule a]\nindicator = prog\nwhen = missing\n",
                 "f:7: rule a.indicator: there is no indicator prog; define it in a section "
                 "[indicator "
                 "prog]"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = stale 3\n",
                 "f:7: rule a.indicator: a condition on sources watches no indicator; take the "
                 "line out"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = under 95\n",
                 "f:8: rule a.when: unknown condition 'under'"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 85\ncritical = above 80\n",
                 "f:9: rule a.critical: looks the other way than `when`; no alert could become "
                 "critical"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\ncritical = below 95\n",
                 "f:9: rule a.critical: is not more severe than `when`; every alert would be "
                 "critical"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = above 5\ncritical = above 4\n",
                 "f:9: rule a.critical: is not more severe than `when`; every alert would be "
                 "critical"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\ncritical = missing\n",
                 "f:9: rule a.critical: must watch values or sources as `when` does"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nclear = 1\n",
                 "f:9: rule a.clear: 1 is still inside of the limit; write the value where the "
                 "alert ends"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = drop 5\nclear = 1\n",
                 "f:9: rule a.clear: only below, above and behind have it; the others end when "
                 "they are "
                 "false"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nfor = 0\n",
                 "f:9: rule a.for: \"0\" is not a valid integer; it must be 1..120"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nfrom = 2026-13\n",
                 "f:9: rule a.from: \"2026-13\" is neither a period nor a day; write 2026-01, "
                 "2026-Q1, "
                 "2026 or 2026-01-01"},
                {SOURCE
                 "[rule a]\nindicator = progress\nwhen = below 95\nfrom = 2026\nuntil = 2025-12\n",
                 "f:10: rule a.until: lies before `from`; the rule would judge nothing"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nmin_volume = 20\n",
                 "f:9: rule a.min_volume: write N of INDICATOR, as 20 of received"},
                {SOURCE
                 "[rule a]\nindicator = progress\nwhen = below 95\nmin_volume = 20 of progress\n",
                 "f:9: rule a.min_volume: progress is not a count"},
                {SOURCE
                 "[rule a]\nindicator = progress\nwhen = below 95\nmin_volume = 20 of received\n",
                 "f:9: rule a.min_volume: no source publishes received, so that every verdict "
                 "would be "
                 "unknown; take the line out"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nrepeat = weekly\n",
                 "f:9: rule a.repeat: \"weekly\" is not valid; it must be publication | N days | "
                 "never"},
                {SOURCE "[rule a]\nwhen = missing\noperator = no\n",
                 "f:8: rule a.operator: conditions on sources and data are told to operators only"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = drop 5\nwatch = running\n",
                 "f:9: rule a.watch: a running period has no change yet; use below, above or "
                 "behind"},
                {SOURCE
                 "[rule a]\nindicator = progress\nwhen = drop 5\nformerly = b\n[rule b]\nwhen = "
                 "missing\n",
                 "f:9: rule a.formerly: there still is a [rule b]"},
                {SOURCE "[rule a]\nindicator = progress\nwhen = below 95\nletter = maybe\n",
                 "f:9: rule a.letter: \"maybe\" is not a valid choice; it must be no | yes | only"},
        };
        run_cases(cases, ELEMENTSOF(cases), INDICATORS);
}

static void test_preset_sections(void **state UNUSED) {
        static const Case cases[] = {
                {"[source x]\n", "p:1: source: this section has no name here; remove it"},
                {"[rule x]\n",
                 "p:1: a preset holds only [source], [part NAME] and [indicator NAME]"},
                {"[part a.b]\n", "p:1: part: the section needs a name of letters, digits, - and _"},
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fixture x = {0};
                add(&x, CONFIG_PRESET, "p", "mine", cases[i].text);
                assert_int_equal(load(&x), -EINVAL);
                assert_said(&x, DIAG_ERROR, cases[i].line);
                done(&x);
        }
}

static void test_all_at_once(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_MAIN, "a.conf", NULL, "[daemon]\nlanguage = fr\nfoo = 1\n[x\ny = 1\n");
        add(&x, CONFIG_DROPIN, "b.conf", NULL, "[smtp]\ntls = no\n");
        assert_int_equal(load(&x), -EINVAL);
        assert_int_equal(x.diag.n_errors, 4);
        assert_said(&x, DIAG_ERROR,
                    "b.conf:2: smtp.tls: \"no\" is not a valid choice; it must be "
                    "required | opportunistic | none");
        done(&x);
}

static void test_bounds(void **state UNUSED) {
        size_t n = ((size_t) 1 << 20) + 1;
        CLEANUP_FREE char *big = malloc(n + 1);
        assert_non_null(big);
        memset(big, 'x', n);
        big[n] = '\0';

        Fixture x = {0};
        add(&x, CONFIG_MAIN, "f", NULL, big);
        assert_int_equal(load(&x), -EINVAL);
        assert_said(&x, DIAG_ERROR, "f: the file is larger than 1 MiB; it is not read");
        done(&x);

        /* a line that libinih would have cut in two is refused; one just below is read whole */
        memcpy(big, "[daemon]\ncontact = ", 19);
        big[19 + 65000] = '\0';
        x = (Fixture){0};
        add(&x, CONFIG_MAIN, "f", NULL, big);
        assert_int_equal(load(&x), -EINVAL);
        assert_said(&x, DIAG_ERROR, "f:2: the line is longer than 65000 bytes");
        done(&x);
        big[9 + 65000] = '\0';
        x = (Fixture){0};
        add(&x, CONFIG_MAIN, "f", NULL, big);
        load_good(&x);
        assert_int_equal(strlen(x.config->daemon.contact), 65000 - 10);
        done(&x);

        x = (Fixture){0};
        x.files[x.n++] = (ConfigFile){CONFIG_MAIN, "f", NULL, "[daemon]\ncontact = a\0b\n", 24};
        assert_int_equal(load(&x), -EINVAL);
        assert_said(&x, DIAG_ERROR,
                    "f:2: the line holds a NUL byte; save the file as plain UTF-8 text");
        done(&x);
}

/* ---- what is read -------------------------------------------------------------------------------
 */

static void test_nothing(void **state UNUSED) {
        Fixture x = {0};
        load_good(&x);
        const Config *c = x.config;
        assert_string_equal(c->daemon.organization, "");
        assert_string_equal(c->daemon.language, "vi");
        assert_int_equal(c->daemon.notify, NOTIFY_OBSERVE);
        assert_int_equal(c->daemon.digest_minute, 480);
        assert_string_equal(c->daemon.state_dir, "/var/lib/chisod");
        assert_string_equal(c->daemon.socket_dir, "/run/chisod");
        assert_null(c->daemon.http_listen);
        assert_int_equal(c->daemon.mass_guard_percent, 50);
        assert_int_equal(c->daemon.guard_jump_points, 10);
        assert_string_equal(c->network.user_agent, "chisod/" CHISO_VERSION);
        assert_null(c->smtp.url);
        assert_int_equal(c->smtp.tls, TLS_REQUIRED);
        assert_int_equal(c->smtp.timeout_ms, 60000);
        assert_int_equal(c->smtp.hour_cap, 200);
        assert_int_equal(c->calendar.work_mask, 0x1f);
        assert_int_equal(c->retention.attempts_days, 400);
        assert_int_equal(c->retention.message_body_years, 5);
        assert_int_equal(c->retention.body_years, 0);
        assert_int_equal(c->n_bands, 5);
        assert_string_equal(c->bands[0].label, "Xuất sắc");
        assert_int_equal(c->bands[0].from, 9000);
        assert_int_equal(c->bands[4].from, 0);
        assert_said(&x, DIAG_WARNING,
                    "recipient: there is no operator; add a recipient with `role = operator`, or "
                    "nobody "
                    "hears of failures");
        assert_said(&x, DIAG_WARNING,
                    "calendar.off: no day off of 2027 is known; add the holidays when they are "
                    "announced");
        done(&x);
}

static void test_everything(void **state UNUSED) {
        static const char text[] =
                "\xef\xbb\xbf[daemon]\r\n"
                "organization = UBND tỉnh Hưng Yên ; chú thích\r\n"
                "language = en\nnotify = live\ndigest_at = 07:30\noperator_report = Mon 08:00\n"
                "heartbeat = credential:hc\nhttp_listen = 127.0.0.1:8766\nmass_guard = 60\n"
                "# comment\n  ; indented comment\n\n"
                "[smtp]\nurl = smtps://mail:465\nusername = u\npassword = file:/run/secret\n"
                "from = Theo dõi <c@e.vn>\ntls = none\ntimeout = 1min 30s\nhour_cap = 5\n"
                "[calendar]\nwork = Mon-Thu, Sat\noff = 2026-02-14..2026-02-22 Tết Bính Ngọ\n"
                "off = 2027-01-01\nworking = 2026-05-09\n"
                "[bands]\nThấp = 0\nCao = 70.5\n"
                "[letter]\nat = 6 08:00\nto = a@b, c@d\nto = e@f\n"
                "[retention]\nattempts = 2 weeks\nmessages = 1 year\nbodies = 3 years\n"
                "[era e]\nfrom = 2026-01-01\nreason = Đổi công thức\nindicators = progress "
                "received\n"
                "[recipient it]\nrole = operator\nwebhook = credential:hook\nwebhook_secret = "
                "credential:key\nmax_chars = 2000\nlanguage = vi\nimmediate = yes\n"
                "[recipient offices]\neach = kind:commune parent:\"Tiên Lữ\" unit:portal:H31.07\n"
                "email = registry\nemail = x@y\ntell = overview\n";
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, INDICATORS);
        add(&x, CONFIG_MAIN, "f", NULL, text);
        load_good(&x);
        const Config *c = x.config;
        assert_string_equal(c->daemon.organization, "UBND tỉnh Hưng Yên");
        assert_string_equal(c->daemon.language, "en");
        assert_int_equal(c->daemon.notify, NOTIFY_LIVE);
        assert_int_equal(c->daemon.digest_minute, 450);
        assert_string_equal(c->daemon.operator_report, "Mon 08:00");
        assert_string_equal(c->daemon.heartbeat, "credential:hc");
        assert_int_equal(c->daemon.mass_guard_percent, 60);
        assert_string_equal(c->smtp.password, "file:/run/secret");
        assert_int_equal(c->smtp.tls, TLS_NONE);
        assert_int_equal(c->smtp.timeout_ms, 90000);
        assert_int_equal(c->smtp.hour_cap, 5);
        assert_int_equal(c->calendar.work_mask, 0x2f);
        assert_int_equal(c->calendar.n_off, 2);
        assert_string_equal(c->calendar.off[0].label, "Tết Bính Ngọ");
        assert_int_equal(c->calendar.off[0].last - c->calendar.off[0].first, 8);
        assert_int_equal(c->calendar.off[1].last, c->calendar.off[1].first);
        assert_int_equal(c->calendar.n_working, 1);
        assert_int_equal(c->n_bands, 2);
        assert_string_equal(c->bands[0].label, "Cao");
        assert_int_equal(c->bands[0].from, 7050);
        assert_int_equal(c->letter.n_to, 3);
        assert_string_equal(c->letter.to[1], "c@d");
        assert_string_equal(c->letter.to[2], "e@f");
        assert_int_equal(c->retention.attempts_days, 14);
        assert_int_equal(c->retention.message_body_years, 1);
        assert_int_equal(c->retention.body_years, 3);
        assert_int_equal(c->n_eras, 1);
        assert_int_equal(c->eras[0].n_indicators, 2);
        assert_string_equal(c->eras[0].reason, "Đổi công thức");
        /* those of [letter] to are a recipient of their own, the last one */
        assert_int_equal(c->n_recipients, 3);
        assert_true(c->recipients[2].is_letter && !c->recipients[1].is_letter);
        assert_string_equal(c->recipients[2].name, RECIPIENT_LETTER);
        assert_int_equal(c->recipients[2].n_emails, 3);
        assert_int_equal(c->recipients[2].role, ROLE_OFFICIAL);
        assert_int_equal(c->recipients[0].role, ROLE_OPERATOR);
        assert_string_equal(c->recipients[0].language, "vi");
        assert_int_equal(c->recipients[0].max_chars, 2000);
        assert_true(c->recipients[0].is_immediate);
        assert_false(c->recipients[0].units.is_set);
        const RecipientDef *offices = &c->recipients[1];
        assert_true(offices->is_each);
        assert_string_equal(offices->language, "en");
        assert_int_equal(offices->tell, TELL_OVERVIEW);
        assert_string_equal(offices->units.kinds[0], "commune");
        assert_string_equal(offices->units.parents[0], "Tiên Lữ");
        assert_string_equal(offices->units.units[0], "portal:H31.07");
        assert_int_equal(offices->n_emails, 2);
        assert_string_equal(offices->emails[0], "registry");
        done(&x);
}

static void test_layers(void **state UNUSED) {
        Fixture x = {0};
        /* written out of order: layers decide, then the order of the files */
        add(&x, CONFIG_DROPIN, "10.conf", NULL,
            "[daemon]\ncontact = drop\nhttp_listen =\n[calendar]\noff = "
            "2026-01-03\n[smtp]\nusername = "
            "x\n");
        add(&x, CONFIG_DROPIN, "20.conf", NULL,
            "[daemon]\nreply_to = late@b\n[letter]\nto =\nto = z@z\n");
        add(&x, CONFIG_MAIN, "main", NULL,
            "[daemon]\ncontact = main\nreply_to = early@b\nhttp_listen = h:1\n"
            "[calendar]\noff = 2026-01-01\noff = 2026-01-02\n[letter]\nto = a@a\n"
            "[indicator progress]\nlabel = Khác\nmax =\n");
        add(&x, CONFIG_BASE, "base", NULL,
            "[indicator progress]\nlabel = Tiến độ\nunit = percent\nmax = 50\nbrief = td\n");
        load_good(&x);
        const Config *c = x.config;
        assert_string_equal(c->daemon.contact, "drop");
        assert_string_equal(c->daemon.reply_to, "late@b");
        assert_null(c->daemon.http_listen);
        assert_int_equal(c->calendar.n_off, 3);
        assert_int_equal(c->letter.n_to, 1);
        assert_string_equal(c->letter.to[0], "z@z");
        const IndicatorDef *progress = indicator(c, "progress");
        assert_string_equal(progress->label, "Khác");
        assert_string_equal(progress->brief, "td");
        assert_int_equal(progress->max, 10000); /* emptied: the default of percent again */
        done(&x);
}

static void test_indicators(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_MAIN, "f", NULL,
            "[indicator a]\nunit = count\n[indicator b]\nunit = points\ndecimals = 1\nmax = "
            "18\nmin = "
            "none\nrestated_min = 0.5\nempty = full\ndirection = down\n[indicator c]\nunit = "
            "percent\n"
            "ratio = a / b\n[indicator d]\nunit = points\nsum = b, b\n[indicator e]\nunit = "
            "percent\n"
            "ratio = b / 12.5\n");
        load_good(&x);
        const Config *c = x.config;
        const IndicatorDef *a = indicator(c, "a"), *b = indicator(c, "b");
        assert_int_equal(a->decimals, 0);
        assert_int_equal(a->max, VALUE_NONE);
        assert_int_equal(a->min, 0);
        assert_int_equal(a->restated_min, 1);
        assert_string_equal(a->label, "a");
        assert_int_equal(a->source, -1);
        assert_int_equal(b->max, 180);
        assert_int_equal(b->min, VALUE_NONE);
        assert_int_equal(b->restated_min, 5);
        assert_int_equal(b->empty, EMPTY_FULL);
        assert_int_equal(b->direction, DIRECTION_DOWN);
        const IndicatorDef *q = indicator(c, "c");
        assert_int_equal(q->derive, DERIVE_RATIO);
        assert_int_equal(q->n_operands, 2);
        assert_int_equal(q->divisor, 0);
        assert_ptr_equal(&c->indicators[q->operand[1]], b);
        assert_int_equal(q->source, -1);
        assert_int_equal(indicator(c, "d")->derive, DERIVE_SUM);
        assert_int_equal(indicator(c, "d")->n_operands, 2);
        assert_int_equal(indicator(c, "e")->divisor, 125000);
        assert_int_equal(indicator(c, "e")->n_operands, 1);
        done(&x);
}

static void test_source(void **state UNUSED) {
        static const char text[] =
                "[source s]\nurl = https://h/\nscope = x\nscope = y z\nperiods = month, "
                "year\nrunning = "
                "yes\nevery = 6h\nnumbers = comma\nunits = strict\nmax_body = 2 "
                "MiB\nfinal_after_month = 20 "
                "days\nscope_unit = U{{scope}}\nlabel = cid\n"
                "token.url = {{url}}/t\ntoken.body = id={{label}}\ntoken.pointer = /a\n"
                "[part s.one]\nurl = {{url}}/a?m={{month}}\nheader.Authorization = Bearer "
                "{{label}}\n"
                "header.X-Y = credential:k\nenvelope = /e/[a=b]/c=OK\nwhere = /k=a|b\nrows = "
                "/d\nparent = /p\n"
                "parent.kind = province\npages = short\npage_size = 50\nunit.code = /c\nunit.name "
                "= /n\n"
                "unit.kind = /k 1:province a:b:commune *:department\nvalue.progress = "
                "/m/[code=X]/r\n"
                "denominator.progress = /m/d\ndelta.progress = /x\nvalue.received = /r\n"
                "parent.value.received = /R\nparent.denominator.received = /D\n"
                "[part s.two]\nurl = http://o/\nunit.code = /c\nunit.kind = "
                "commune\nvalue.progress = /v\n"
                "body = [{{page}}]\npages = /t\n";
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, INDICATORS);
        add(&x, CONFIG_MAIN, "f", NULL, text);
        load_good(&x);
        const Config *c = x.config;
        assert_int_equal(c->n_sources, 1);
        const SourceDef *s = &c->sources[0];
        assert_string_equal(s->name, "s");
        assert_null(s->preset);
        assert_int_equal(s->kind, SOURCE_HTTP);
        assert_string_equal(s->label, "cid");
        assert_string_equal(s->namespace_, "s");
        assert_int_equal(s->n_scopes, 2);
        assert_string_equal(s->scopes[1], "y z");
        assert_int_equal(s->n_periods, 2);
        assert_int_equal(s->periods[1], PERIOD_YEAR);
        assert_true(s->has_running);
        assert_int_equal(s->at_minute, -1);
        assert_int_equal(s->every_ms, 6 * MS_PER_HOUR);
        assert_int_equal(s->spread_ms, 30 * MS_PER_MINUTE);
        assert_int_equal(s->recheck, 13);
        assert_int_equal(s->backfill, 13);
        assert_int_equal(s->due_days, 6);
        assert_int_equal(s->final_after_days[PERIOD_MONTH], 20);
        assert_int_equal(s->final_after_days[PERIOD_QUARTER], 30);
        assert_int_equal(s->final_after_days[PERIOD_HALF], 45);
        assert_int_equal(s->final_after_days[PERIOD_YEAR], 60);
        assert_int_equal(s->numbers, DECIMAL_COMMA);
        assert_int_equal(s->min_share_percent, 90);
        assert_int_equal(s->timeout_ms, 60000);
        assert_int_equal(s->pace_ms, 1000);
        assert_int_equal(s->max_body, 2 << 20);
        assert_true(s->is_strict);
        assert_string_equal(s->scope_unit, "U{{scope}}");
        assert_string_equal(s->prefix, "");
        assert_string_equal(s->token_url, "https://h/t");
        assert_string_equal(s->token_body, "id={{label}}");
        assert_string_equal(s->token_pointer, "/a");
        assert_int_equal(s->n_parts, 2);
        bool has_label = false;
        for (size_t i = 0; i < s->n_keys; i++)
                has_label |= streq(s->keys[i].name, "label") && streq(s->keys[i].value, "cid");
        assert_true(has_label);

        const PartDef *p = &s->parts[0];
        assert_string_equal(p->name, "one");
        assert_string_equal(p->url, "https://h/a?m={{month}}");
        assert_string_equal(p->method, "GET");
        assert_int_equal(p->n_headers, 2);
        assert_string_equal(p->headers[0].name, "Authorization");
        assert_string_equal(p->headers[1].value, "credential:k");
        assert_string_equal(p->envelope, "/e/[a=b]/c=OK");
        assert_string_equal(p->where, "/k=a|b");
        assert_string_equal(p->rows, "/d");
        assert_string_equal(p->parent, "/p");
        assert_string_equal(p->parent_kind, "province");
        assert_int_equal(p->pages_kind, PAGES_SHORT);
        assert_int_equal(p->page_size, 50);
        assert_string_equal(p->unit_kind, "/k");
        assert_int_equal(p->n_kinds, 2);
        assert_string_equal(p->kinds[1].match, "a:b");
        assert_string_equal(p->kinds[1].kind, "commune");
        assert_string_equal(p->kind_default, "department");
        assert_int_equal(p->n_values, 2);
        assert_string_equal(c->indicators[p->values[0].indicator].name, "progress");
        assert_string_equal(p->values[0].pointer, "/m/[code=X]/r");
        assert_string_equal(p->values[0].denominator, "/m/d");
        assert_string_equal(p->values[0].delta, "/x");
        assert_null(p->values[1].delta);
        assert_int_equal(p->n_parent_values, 1);
        assert_string_equal(p->parent_values[0].pointer, "/R");
        assert_string_equal(p->parent_values[0].denominator, "/D");
        assert_string_equal(p->file, "f");
        assert_int_equal(p->line, 17);

        p = &s->parts[1];
        assert_string_equal(p->method, "POST");
        assert_string_equal(p->body_type, "application/json");
        assert_string_equal(p->rows, "");
        assert_int_equal(p->pages_kind, PAGES_POINTER);
        assert_string_equal(p->pages, "/t");
        assert_null(p->unit_kind);
        assert_string_equal(p->kind_default, "commune");
        assert_int_equal(indicator(c, "progress")->source, 0);
        assert_int_equal(indicator(c, "received")->source, 0);
        done(&x);
}

static void test_rules(void **state UNUSED) {
        static const char text[] = SOURCE
                "value.received = /r\n"
                "[rule a]\nindicator = progress\nunits = kind:commune\nwhen = below 95\ncritical = "
                "below 80\nmin_volume = 20 of received\nfrom = 2026\nuntil = 2027-Q2\nsettle = 5 "
                "days\nrepeat = 3 days\nletter = yes\nadvice = Rà soát\nformerly = z\n"
                "[rule b]\nindicator = received\nwhen = above 0\nletter = only\nperiod = quarter\n"
                "from = 2026-01-02\nuntil = 2026-12-30\nrepeat = never\n"
                "[rule c]\nindicator = progress\nwhen = behind 5\nclear = 3.5\nwatch = running\n"
                "operator = yes\n[rule d]\nwhen = stale 7\n[rule e]\nindicator = progress\nwhen = "
                "restated 1\n[rule f]\nindicator = progress\nwhen = above 5\nclear = 5\noff = "
                "yes\n";
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, INDICATORS);
        add(&x, CONFIG_MAIN, "f", NULL, text);
        load_good(&x);
        const Config *c = x.config;
        assert_int_equal(c->n_rules, 6);
        const RuleDef *a = rule(c, "a");
        assert_int_equal(a->indicator, config_indicator(c, "progress"));
        assert_int_equal(a->period, PERIOD_MONTH);
        assert_int_equal(a->when.kind, CONDITION_BELOW);
        assert_int_equal(a->when.amount, 9500);
        assert_int_equal(a->critical.amount, 8000);
        assert_int_equal(a->clear, 100);
        assert_int_equal(a->for_n, 1);
        assert_int_equal(a->from, 2026101);
        assert_int_equal(a->until, 2027106);
        assert_int_equal(a->settle_days, 5);
        assert_int_equal(a->min_volume, 20);
        assert_int_equal(a->volume_indicator, config_indicator(c, "received"));
        assert_int_equal(a->repeat, REPEAT_DAYS);
        assert_int_equal(a->repeat_days, 3);
        assert_int_equal(a->escalate_after, 0);
        assert_true(a->is_letter);
        assert_false(a->is_letter_only);
        assert_false(a->is_operator);
        assert_string_equal(a->advice, "Rà soát");
        assert_string_equal(a->formerly, "z");
        assert_string_equal(a->units.kinds[0], "commune");
        assert_int_equal(a->line, 7);
        assert_non_null(strstr(a->text, "below 95"));
        const RuleDef *b = rule(c, "b");
        assert_int_equal(b->clear, 0);
        assert_int_equal(b->from, 2026202); /* the first quarter that begins then or later */
        assert_int_equal(b->until, 2026203);
        assert_int_equal(b->repeat, REPEAT_NEVER);
        assert_true(b->is_letter && b->is_letter_only);
        const RuleDef *behind = rule(c, "c");
        assert_int_equal(behind->clear, 150);
        assert_int_equal(behind->watch, WATCH_RUNNING);
        assert_int_equal(behind->settle_days, 3);
        assert_true(behind->is_operator);
        assert_int_equal(rule(c, "d")->indicator, -1);
        assert_int_equal(rule(c, "d")->when.count, 7);
        assert_true(rule(c, "d")->is_operator);
        assert_int_equal(rule(c, "e")->when.amount, 100);
        assert_true(rule(c, "f")->is_off);
        assert_int_equal(rule(c, "f")->clear, 0);
        done(&x);
}

static void test_warnings(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL,
            INDICATORS "[rule shipped]\nindicator = received\nwhen = above 0\n");
        add(&x, CONFIG_MAIN, "f", NULL,
            SOURCE
            "[rule soon]\nindicator = progress\nwhen = below 95\nuntil = 2026-11\n"
            "[rule over]\nindicator = progress\nwhen = below 90\nuntil = 2026-10\n"
            "[rule later]\nindicator = progress\nwhen = below 90\nuntil = 2026-12\n"
            "[rule dormant]\nindicator = received\nwhen = above 1\n"
            "[rule deaf]\nindicator = progress\nunits = kind:department\nwhen = below 90\n"
            "[rule machine]\nwhen = stale 3\n"
            "[recipient r]\nunits = kind:commune\nwebhook = https://h/\n"
            "[calendar]\noff = 2026-12-30..2027-01-02\n"
            "[recipient z]\nunits = kind:zone\nwebhook = https://h/\n"
            "[recipient y]\n\neach = kind:zzz\nunits =\nwebhook = https://h/\n"
            "[part s.p]\nunit.kind = /k 1:zone *:commune\n");
        load_good(&x);
        assert_said(
                &x, DIAG_WARNING,
                "f:37: recipient y.each: no source gives units the kind zzz; unless an imported "
                "list does, this selects nobody (province, department, district and commune are "
                "usual)");
        assert_said(&x, DIAG_WARNING,
                    "f:9: rule soon.until: the rule ends in 8 days; write what holds afterwards");
        assert_said(&x, DIAG_WARNING,
                    "f:19: rule dormant.indicator: no source publishes received; the rule is off "
                    "until one "
                    "does");
        assert_said(&x, DIAG_NOTE,
                    "base:6: rule shipped.indicator: no source publishes received; the rule is off "
                    "until "
                    "one does");
        assert_said(&x, DIAG_WARNING,
                    "f:21: rule deaf: no recipient hears this rule; add one, or set `off = yes`");
        assert_said(
                &x, DIAG_WARNING,
                "f:25: rule machine: no recipient hears this rule; add one, or set `off = yes`");
        assert_said(&x, DIAG_WARNING,
                    "recipient: there is no operator; add a recipient with `role = operator`, or "
                    "nobody "
                    "hears of failures");
        assert_said(&x, DIAG_WARNING,
                    "daemon.organization: is missing; write who sends the letters: organization = "
                    "UBND ...");
        assert_int_equal(x.diag.n_warnings, 7);
        assert_true(rule(x.config, "dormant")->is_off);
        assert_true(rule(x.config, "shipped")->is_off);
        assert_false(rule(x.config, "soon")->is_off);
        done(&x);
}

/* No error, but nobody is served: each thing that is missing is named once. */
static void test_empty(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL,
            INDICATORS "[rule shipped]\nindicator = received\nwhen = above 0\n");
        add(&x, CONFIG_MAIN, "f", NULL, "[daemon]\n[calendar]\noff = 2027-01-01\n");
        load_good(&x);
        assert_said(&x, DIAG_WARNING,
                    "f:1: daemon.organization: is missing; write who sends the letters: "
                    "organization = UBND ...");
        assert_said(&x, DIAG_WARNING,
                    "source: there is none, so that nothing is fetched and nothing judged; add "
                    "[source NAME] with a preset, or run `chisoctl setup`");
        assert_said(&x, DIAG_WARNING,
                    "recipient: there is no official, so that nobody hears of an alert; add "
                    "[recipient NAME] with `units` and `email`");
        assert_said(&x, DIAG_WARNING,
                    "recipient: there is no operator; add a recipient with `role = operator`, or "
                    "nobody hears of failures");
        assert_int_equal(x.diag.n_warnings, 4);
        done(&x);
}

/* ---- presets ------------------------------------------------------------------------------------
 */

static const char small_preset[] =
        "[source]\nlabel = Mẫu\nurl = https://preset\nat = 05:00\nscope = one\nperiods = month "
        "year\n"
        "[part p]\nurl = {{url}}/p/{{scope}}\nunit.code = /c\nvalue.points = /v\nheader.A = "
        "preset\n"
        "header.B = preset\n[indicator progress]\nratio = points / 20\n";

static const char small_base[] =
        INDICATORS "[indicator points]\nlabel = Điểm\nunit = points\nmax = 20\n";

static void test_preset(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, small_base);
        add(&x, CONFIG_PRESET, "p", "small", small_preset);
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source s]\npreset = small\nurl = http://mine\nscope = two\nevery = 1h\nperiods = "
            "quarter\n"
            "[part s.p]\nheader.A = mine\nheader.C = mine\n[part s.q]\nurl = http://q\nunit.code = "
            "/c\n"
            "value.received = /r\n[indicator progress]\nlabel = Của tôi\n");
        load_good(&x);
        const Config *c = x.config;
        const SourceDef *s = &c->sources[config_source(c, "s")];
        assert_string_equal(s->preset, "small");
        assert_string_equal(s->label, "Mẫu");
        assert_int_equal(s->n_scopes, 2);
        assert_int_equal(s->n_periods, 1);
        assert_int_equal(s->at_minute, -1); /* one's own `every` beats the preset's `at` */
        assert_int_equal(s->every_ms, MS_PER_HOUR);
        assert_int_equal(s->n_parts, 2);
        assert_string_equal(s->parts[0].name, "p");
        assert_string_equal(s->parts[0].url, "http://mine/p/{{scope}}");
        assert_int_equal(s->parts[0].n_headers, 3);
        assert_string_equal(s->parts[0].headers[0].value, "mine");
        assert_string_equal(s->parts[0].headers[1].value, "preset");
        assert_string_equal(s->parts[1].name, "q");
        const IndicatorDef *progress = indicator(c, "progress");
        assert_string_equal(progress->label, "Của tôi");
        assert_int_equal(progress->derive, DERIVE_RATIO);
        assert_int_equal(progress->divisor, 200000);
        assert_int_equal(progress->source, 0);
        done(&x);
}

/* The preset derives it, the source publishes it: published figures win, without a word. */
static void test_preset_published(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, small_base);
        add(&x, CONFIG_PRESET, "p", "small", small_preset);
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source s]\npreset = small\n[part s.p]\nvalue.progress = /t\n");
        load_good(&x);
        assert_int_equal(indicator(x.config, "progress")->derive, DERIVE_NONE);
        assert_int_equal(indicator(x.config, "progress")->source, 0);
        done(&x);
}

static void test_preset_conflict(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, small_base);
        add(&x, CONFIG_PRESET, "p", "small", small_preset);
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source s]\npreset = small\n[source t]\n[part t.p]\nurl = http://t\nunit.code = /c\n"
            "value.progress = /t\n");
        assert_int_equal(load(&x), -EINVAL);
        assert_said(&x, DIAG_ERROR,
                    "p:14: indicator progress.ratio: [source t] publishes progress and the preset "
                    "small of "
                    "another source derives it; give one of them a `prefix`");
        done(&x);
}

static void test_prefix(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, small_base);
        add(&x, CONFIG_PRESET, "p", "small", small_preset);
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source s]\npreset = small\n[source t]\npreset = small\nprefix = old_\nlabel = Cũ\n"
            "[indicator old_points]\nbrief = điểm cũ\n[indicator points]\nmax = 30\n"
            "[rule r]\nindicator = old_progress\nwhen = below 50\n");
        load_good(&x);
        const Config *c = x.config;
        const IndicatorDef *points = indicator(c, "points"), *old = indicator(c, "old_points");
        assert_int_equal(points->source, 0);
        assert_int_equal(old->source, 1);
        assert_string_equal(points->label, "Điểm");
        assert_string_equal(old->label, "Điểm (Cũ)");
        assert_string_equal(old->brief, "điểm cũ");
        assert_int_equal(old->max, 3000);
        const IndicatorDef *progress = indicator(c, "progress"),
                           *old_progress = indicator(c, "old_progress");
        assert_int_equal(progress->source, 0);
        assert_int_equal(old_progress->source, 1);
        assert_ptr_equal(&c->indicators[progress->operand[0]], points);
        assert_ptr_equal(&c->indicators[old_progress->operand[0]], old);
        assert_int_equal(config_indicator(c, "old_received"), -1);
        assert_ptr_equal(&c->indicators[rule(c, "r")->indicator], old_progress);
        assert_ptr_equal(&c->indicators[c->sources[1].parts[0].values[0].indicator], old);
        done(&x);
}

static void test_disabled(void **state UNUSED) {
        Fixture x = {0};
        add(&x, CONFIG_BASE, "base", NULL, small_base);
        add(&x, CONFIG_PRESET, "p", "small", small_preset);
        add(&x, CONFIG_MAIN, "f", NULL, "[source s]\npreset = small\nenabled = no\n" SOURCE);
        x.files[2].data = "[source a]\npreset = small\nenabled = no\n" SOURCE;
        x.files[2].size = strlen(x.files[2].data);
        load_good(&x);
        assert_int_equal(x.config->n_sources, 1);
        assert_int_equal(config_source(x.config, "a"), -1);
        assert_int_equal(indicator(x.config, "points")->source, -1);
        assert_int_equal(indicator(x.config, "progress")->derive, DERIVE_NONE);
        done(&x);
}

static void test_presets_wanted(void **state UNUSED) {
        Fixture x = {0};
        char **names = NULL;
        size_t n = 0;
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source a]\npreset = one\n[source b]\npreset = two\n[source c]\npreset = "
            "one\n[broken\n"
            "[source d]\npreset = ../../etc/passwd\n[source e]\n");
        add(&x, CONFIG_DROPIN, "g", NULL, "[source b]\npreset = inbox\n");
        assert_int_equal(config_presets(x.files, x.n, &names, &n), 0);
        assert_int_equal(n, 2);
        assert_string_equal(names[0], "one");
        assert_string_equal(names[1], "inbox");
        free(names[0]);
        free(names[1]);
        free(names);
        done(&x);
}

/* ---- what ships ---------------------------------------------------------------------------------
 */

static void add_base(Fixture *x) {
        add_shipped(x, CONFIG_BASE, "indicators-766.conf", NULL);
        add_shipped(x, CONFIG_BASE, "rules-766.conf", NULL);
}

static void test_shipped_sample(void **state UNUSED) {
        Fixture x = {0};
        add_base(&x);
        add_preset(&x, "dvcqg-reporting");
        add_shipped(&x, CONFIG_MAIN, "chisod.conf", NULL);
        load_good(&x);
        const Config *c = x.config;
        assert_int_equal(c->daemon.notify, NOTIFY_OBSERVE);
        assert_int_equal(c->n_sources, 1);
        const SourceDef *s = &c->sources[0];
        assert_int_equal(s->n_parts, 6);
        assert_int_equal(s->at_minute, 240);
        assert_int_equal(s->n_periods, 3);
        assert_string_equal(
                s->parts[1].url,
                "https://dichvucong.gov.vn/api/v1/reporting/evaluation/dvc-progress-tree");
        assert_int_equal(indicator(c, "total")->derive, DERIVE_SUM);
        assert_int_equal(indicator(c, "total")->n_operands, 6);
        assert_int_equal(indicator(c, "total")->source, 0);
        assert_int_equal(indicator(c, "progress")->derive, DERIVE_NONE);
        assert_int_equal(indicator(c, "late")->direction, DIRECTION_DOWN);
        assert_int_equal(indicator(c, "undigitized_results")->source, -1);
        assert_false(rule(c, "progress-low")->is_off);
        assert_int_equal(rule(c, "progress-low")->when.amount, 9500);
        assert_int_equal(rule(c, "digitization-stalled")->when.count, 3);
        assert_true(rule(c, "progress-running")->is_off);
        assert_true(rule(c, "undigitized")->is_off);
        assert_true(rule(c, "undigitized")->is_letter_only);
        assert_true(rule(c, "source-stale")->is_operator);
        assert_int_equal(x.diag.n_errors, 0);
        done(&x);
}

/* Points of the indicators that ship, and what the older gateway makes of them. */
static void test_shipped_restjsp(void **state UNUSED) {
        static const struct {
                const char *name;
                int64_t max;
        } groups[] = {{"openness", 18}, {"progress", 20},     {"online", 12},
                      {"payment", 10},  {"digitization", 22}, {"satisfaction", 18}};
        Fixture x = {0};
        add_base(&x);
        add_preset(&x, "dvcqg-restjsp");
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source portal]\npreset = dvcqg-restjsp\nscope = 398126\nscope_unit = H01\n");
        load_good(&x);
        const Config *c = x.config;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++) {
                char points[64];
                (void) snprintf(points, sizeof points, "%s_points", groups[i].name);
                const IndicatorDef *percent = indicator(c, groups[i].name),
                                   *p = indicator(c, points);
                assert_int_equal(p->max, groups[i].max * 100);
                assert_int_equal(p->unit, INDICATOR_POINTS);
                assert_int_equal(p->source, 0);
                assert_int_equal(percent->unit, INDICATOR_PERCENT);
                assert_int_equal(percent->max, 10000);
                assert_int_equal(percent->derive, DERIVE_RATIO);
                assert_int_equal(percent->divisor, groups[i].max * 10000);
                assert_ptr_equal(&c->indicators[percent->operand[0]], p);
                assert_int_equal(percent->source, 0);
        }
        assert_int_equal(indicator(c, "total")->derive, DERIVE_NONE);
        assert_int_equal(indicator(c, "total")->source, 0);
        const PartDef *p = &c->sources[0].parts[0];
        assert_string_equal(p->rows, "");
        assert_int_equal(p->n_kinds, 3);
        assert_int_equal(p->n_values, 7);
        assert_int_equal(p->pages_kind, PAGES_SHORT);
        assert_false(rule(c, "progress-low")->is_off);
        done(&x);
}

static void test_shipped_others(void **state UNUSED) {
        Fixture x = {0};
        add_base(&x);
        add_preset(&x, "dvcqg-reporting");
        add_preset(&x, "dvcqg-national");
        add_preset(&x, "igate-digitization");
        add_preset(&x, "generic-json");
        add_preset(&x, "inbox");
        add(&x, CONFIG_MAIN, "f", NULL,
            "[source portal]\npreset = dvcqg-reporting\nscope = x\n"
            "[source nation]\npreset = dvcqg-national\n"
            "[source igate]\npreset = igate-digitization\nurl = https://i\ntoken.url = https://t\n"
            "scope = 1\n"
            "[source files]\npreset = inbox\nprefix = file_\n"
            "[source own]\npreset = generic-json\nprefix = own_\nurl = https://o?m={{month}}\n"
            "[part own.main]\nvalue.received = /r\n");
        load_good(&x);
        const Config *c = x.config;
        assert_int_equal(c->n_sources, 5);
        assert_int_equal(indicator(c, "national_total")->source, config_source(c, "nation"));
        assert_string_equal(indicator(c, "national_total")->label,
                            "Điểm tổng hợp (Cổng Dịch vụ công quốc gia, toàn quốc)");
        assert_int_equal(indicator(c, "national_total")->derive, DERIVE_NONE);
        assert_string_equal(c->sources[1].scopes[0], "");
        assert_int_equal(indicator(c, "undigitized_results")->source, config_source(c, "igate"));
        assert_false(rule(c, "undigitized")->is_off);
        assert_int_equal(c->sources[2].timeout_ms, 180000);
        assert_int_equal(c->sources[3].kind, SOURCE_INBOX);
        assert_int_equal(indicator(c, "file_late")->source, 3);
        assert_string_equal(c->sources[4].parts[0].url, "https://o?m={{month}}");
        done(&x);
}

/* Bodies as the publishers' pages send them. */
static void test_shipped_bodies(void **state UNUSED) {
        static const TemplateVar vars[] = {
                {"scope", "019d"},
                {"year", "2026"},
                {"month", "8"},
                {"quarter", "0"},
                {"half", "0"},
                {"period_start", "2026-08-01"},
                {"number", "8"},
                {"period_end", "2026-08-31"},
                {"period_type", "month"},
                {"page", "1"},
                {"page_size", "200"},
        };
        static const struct {
                const char *preset, *extra;
                size_t part;
                TemplateSink sink;
                const char *body;
        } rows[] = {
                {"dvcqg-reporting", "scope = 019d\n", 0, SINK_JSON,
                 "{ \"timeType\":\"month\",\"year\":2026,\"month\":8,\"rootDepartmentId\":\"019d\","
                 "\"currentPage\":1,\"pageSize\":200 }"},
                {"dvcqg-reporting", "scope = 019d\n", 5, SINK_JSON,
                 "{ "
                 "\"fromDate\":\"2026-08-01\",\"toDate\":\"2026-08-31\",\"rootDepartmentId\":"
                 "\"019d\","
                 "\"currentPage\":1,\"pageSize\":200 }"},
                {"dvcqg-national", "", 0, SINK_JSON,
                 "{ \"timeType\":\"month\",\"year\":2026,\"month\":8,\"departmentType\":"
                 "\"ADMINISTRATIVE_UNIT\" }"},
                {"dvcqg-restjsp", "scope = 398126\n", 0, SINK_URL,
                 "params=%7B%22type%22%3A%22ref%22%2C%22p_nam%22%3A%222026%22%2C%22p_6thang%22%3A0%"
                 "2C%22"
                 "p_quy%22%3A0%2C%22p_thang%22%3A8%2C%22p_tinh_id%22%3A%22019d%22%2C%22p_huyen_id%"
                 "22%3A%22"
                 "%22%2C%22p_xa_id%22%3A%220%22%2C%22pageIndex%22%3A1%2C%22pageSize%22%3A200%2C%22"
                 "p_loaidonvi%22%3A1%2C%22loaichitieu%22%3A0%2C%22p_default%22%3A0%2C%22service%22%"
                 "3A%22"
                 "report_tinh_766_service%22%7D"},
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture x = {0};
                char text[256];
                (void) snprintf(text, sizeof text, "[source s]\npreset = %s\n%s", rows[i].preset,
                                rows[i].extra);
                add_base(&x);
                add_preset(&x, rows[i].preset);
                add(&x, CONFIG_MAIN, "f", NULL, text);
                load_good(&x);
                CLEANUP(buf_done) Buf body = BUF_INIT(4096);
                const PartDef *p = &x.config->sources[0].parts[rows[i].part];
                assert_int_equal(template_expand(p->body, vars, ELEMENTSOF(vars), rows[i].sink,
                                                 NULL, p->file, p->line, &body),
                                 0);
                assert_string_equal(buf_text(&body), rows[i].body);
                done(&x);
        }
}

/* Every key that the sample shows, commented out or not, exists; so do its sections. */
static void test_sample_keys(void **state UNUSED) {
        size_t n, n_keys, n_seen = 0;
        CLEANUP_FREE char *text = slurp(CHISO_SOURCE_DIR "/conf/chisod.conf", &n);
        const ConfigKey *keys = config_keys(&n_keys);
        char section[64] = "", *save = NULL;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (line[0] == ';')
                        line++;
                if (line[0] == '[') {
                        size_t k = strcspn(line + 1, " ]");
                        (void) snprintf(section, sizeof section, "%.*s", (int) k, line + 1);
                        continue;
                }
                char *equals = strstr(line, " =");
                if (line[0] == ' ' || !equals)
                        continue;
                *equals = '\0';
                bool is_known = false;
                for (size_t i = 0; i < n_keys; i++) {
                        size_t k = strlen(keys[i].key);
                        bool is_family = k > 5 && streq(keys[i].key + k - 5, ".NAME") &&
                                         strncmp(line, keys[i].key, k - 4) == 0;
                        if (streq(keys[i].section, section) &&
                            (is_family || streq(keys[i].key, line) || streq(keys[i].key, "LABEL")))
                                is_known = true;
                }
                if (!is_known)
                        fail_msg("[%s] %s of the sample is unknown", section, line);
                n_seen++;
        }
        assert_true(n_seen > 60);
}

static void test_key_table(void **state UNUSED) {
        static const char *const must[] = {"daemon.notify",    "source.final_after_half",
                                           "part.value.NAME",  "part.parent.denominator.NAME",
                                           "rule.min_volume",  "bands.LABEL",
                                           "recipient.each",   "indicator.ratio",
                                           "era.from",         "smtp.hour_cap",
                                           "retention.bodies", "letter.to"};
        size_t n;
        const ConfigKey *keys = config_keys(&n);
        for (size_t i = 0; i < n; i++) {
                assert_true(strlen(keys[i].type) > 0 && strlen(keys[i].text) > 0);
                assert_non_null(keys[i].range);
                assert_non_null(keys[i].fallback);
                for (size_t k = 0; k < i; k++)
                        assert_false(streq(keys[i].section, keys[k].section) &&
                                     streq(keys[i].key, keys[k].key));
        }
        for (size_t m = 0; m < ELEMENTSOF(must); m++) {
                bool is_there = false;
                for (size_t i = 0; i < n; i++) {
                        char name[128];
                        (void) snprintf(name, sizeof name, "%s.%s", keys[i].section, keys[i].key);
                        is_there |= streq(name, must[m]);
                }
                assert_true(is_there);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_syntax),           cmocka_unit_test(test_values),
                cmocka_unit_test(test_indicator_errors), cmocka_unit_test(test_source_errors),
                cmocka_unit_test(test_rule_errors),      cmocka_unit_test(test_preset_sections),
                cmocka_unit_test(test_all_at_once),      cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_nothing),          cmocka_unit_test(test_everything),
                cmocka_unit_test(test_layers),           cmocka_unit_test(test_indicators),
                cmocka_unit_test(test_source),           cmocka_unit_test(test_rules),
                cmocka_unit_test(test_warnings),         cmocka_unit_test(test_empty),
                cmocka_unit_test(test_preset),           cmocka_unit_test(test_preset_published),
                cmocka_unit_test(test_preset_conflict),  cmocka_unit_test(test_prefix),
                cmocka_unit_test(test_disabled),         cmocka_unit_test(test_presets_wanted),
                cmocka_unit_test(test_shipped_sample),   cmocka_unit_test(test_shipped_restjsp),
                cmocka_unit_test(test_shipped_others),   cmocka_unit_test(test_shipped_bodies),
                cmocka_unit_test(test_sample_keys),      cmocka_unit_test(test_key_table),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
