/* Conditions and rules as text: read from configuration, stored with the first period that they
 * judge, read back.
 *
 * The canonical text holds what decides a verdict and nothing else. `settle`, `repeat`, `advice`
 * and the like decide when and how something is told; a change there must not make a new version,
 * since the openings of a new version wait for the next publication. What holds by default is
 * written out, so that a later default does not change what an old text means. Fields are
 * "key=value" between "; ", and the bytes that would break this are written %XX. */
#include "core/rule.h"

#include <errno.h>

#include "base/buf.h"
#include "base/decimal.h"

#define WORDS_MAX 8u
#define STREAK_MAX 24
#define DAYS_MAX 366
#define PLACES_MAX 100000
#define ATTEMPTS_MAX 1000
#define RULE_TEXT_MAX ((size_t) 64 << 10)

/* ---- conditions ------------------------------------------------------------------------------ */

typedef enum Operand { OPERAND_NONE, OPERAND_AMOUNT, OPERAND_COUNT, OPERAND_FLAT } Operand;

typedef struct Form {
        const char *word;
        ConditionKind kind;
        Operand operand;
        bool is_value;
        int64_t amount_min; /* before scaling is thought of: -1 = any, 0 = not negative, 1 = more
                               than 0 */
        int count_max;
        const char *usage;
} Form;

static const Form forms[] = {
        {"below", CONDITION_BELOW, OPERAND_AMOUNT, true, -1, 0, "below X"},
        {"above", CONDITION_ABOVE, OPERAND_AMOUNT, true, -1, 0, "above X"},
        {"behind", CONDITION_BEHIND, OPERAND_AMOUNT, true, 0, 0, "behind D"},
        {"drop", CONDITION_DROP, OPERAND_AMOUNT, true, 1, 0, "drop D"},
        {"falling", CONDITION_FALLING, OPERAND_COUNT, true, 0, STREAK_MAX, "falling K"},
        {"flat", CONDITION_FLAT, OPERAND_FLAT, true, 0, STREAK_MAX, "flat K within E"},
        {"rank_drop", CONDITION_RANK_DROP, OPERAND_COUNT, true, 0, PLACES_MAX, "rank_drop N"},
        {"missing", CONDITION_MISSING, OPERAND_NONE, false, 0, 0, "missing"},
        {"restated", CONDITION_RESTATED, OPERAND_AMOUNT, false, 1, 0, "restated E"},
        {"overdue", CONDITION_OVERDUE, OPERAND_COUNT, false, 0, DAYS_MAX, "overdue D"},
        {"stale", CONDITION_STALE, OPERAND_COUNT, false, 0, DAYS_MAX, "stale D"},
        {"source_failing", CONDITION_SOURCE_FAILING, OPERAND_COUNT, false, 0, ATTEMPTS_MAX,
         "source_failing N"},
};

static const Form *form_by_word(const char *word, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(forms); i++)
                if (strlen(forms[i].word) == n && memcmp(forms[i].word, word, n) == 0)
                        return &forms[i];
        return NULL;
}

static const Form *form_by_kind(ConditionKind kind) {
        for (size_t i = 0; i < ELEMENTSOF(forms); i++)
                if (forms[i].kind == kind)
                        return &forms[i];
        return NULL;
}

bool condition_is_value(ConditionKind kind) {
        const Form *form = form_by_kind(kind);

        return form && form->is_value;
}

typedef struct Word {
        const char *text;
        size_t n;
} Word;

typedef struct Reader {
        Word words[WORDS_MAX];
        size_t n, next;
        unsigned decimals;
        Diag *diag;
        const char *file, *key;
        unsigned line;
} Reader;

#define refuse(r, ...) (diag_error((r)->diag, (r)->file, (r)->line, (r)->key, __VA_ARGS__), -EINVAL)

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* False when there are more words than any condition has. */
static bool split_words(const char *text, Reader *r) {
        for (const char *s = text;;) {
                while (is_blank(*s))
                        s++;
                if (!*s)
                        return true;
                if (r->n == WORDS_MAX)
                        return false;
                const char *from = s;
                while (*s && !is_blank(*s))
                        s++;
                r->words[r->n++] = (Word){from, (size_t) (s - from)};
        }
}

static bool word_is(const Reader *r, size_t i, const char *text) {
        return i < r->n && r->words[i].n == strlen(text) &&
               memcmp(r->words[i].text, text, r->words[i].n) == 0;
}

/* Rounding would turn `below 94.996` into `below 95` without a word: a limit finer than its figures
 * is a mistake. */
static bool is_too_fine(Word w, unsigned decimals) {
        const char *dot = memchr(w.text, '.', w.n);
        size_t end = w.n;

        if (!dot)
                return false;
        while (end > 0 && w.text[end - 1] == '0')
                end--;
        size_t digits = (size_t) (w.text + end - dot);
        return digits > 1 && digits - 1 > decimals;
}

static int read_amount(Reader *r, const Form *form, int64_t *ret) {
        int64_t amount;

        if (r->next >= r->n)
                return refuse(r, "a number is missing, expected '%s'", form->usage);
        Word w = r->words[r->next];
        if (memchr(w.text, 'e', w.n) || memchr(w.text, 'E', w.n) ||
            decimal_parse(w.text, w.n, DECIMAL_DOT, r->decimals, &amount) != 0)
                return refuse(r, "'%.*s' is not a number (decimal point), expected '%s'",
                              (int) MIN(w.n, 64u), w.text, form->usage);
        if (is_too_fine(w, r->decimals))
                return refuse(r, "'%.*s' has more digits than the indicator (%u)",
                              (int) MIN(w.n, 64u), w.text, r->decimals);
        if (form->amount_min >= 0 && amount < form->amount_min)
                return refuse(r, "the number of '%s' must be %s", form->usage,
                              form->amount_min > 0 ? "more than 0" : "0 or more");
        r->next++;
        *ret = amount;
        return 0;
}

static int read_count(Reader *r, const Form *form, int *ret) {
        int count = 0;

        if (r->next >= r->n)
                return refuse(r, "a whole number is missing, expected '%s'", form->usage);
        Word w = r->words[r->next];
        for (size_t i = 0; i < w.n; i++) {
                if (w.text[i] < '0' || w.text[i] > '9')
                        return refuse(r, "'%.*s' is not a whole number, expected '%s'",
                                      (int) MIN(w.n, 64u), w.text, form->usage);
                count = MIN(count * 10 + (w.text[i] - '0'), 10 * PLACES_MAX);
        }
        if (count < 1 || count > form->count_max)
                return refuse(r, "the number of '%s' must be from 1 to %d", form->usage,
                              form->count_max);
        r->next++;
        *ret = count;
        return 0;
}

static int read_operands(Reader *r, const Form *form, Condition *c) {
        int rc = 0;

        if (form->operand == OPERAND_COUNT || form->operand == OPERAND_FLAT)
                rc = read_count(r, form, &c->count);
        if (rc == 0 && form->operand == OPERAND_FLAT && !word_is(r, r->next++, "within"))
                rc = refuse(r, "'within' is missing, expected '%s'", form->usage);
        if (rc == 0 && (form->operand == OPERAND_AMOUNT || form->operand == OPERAND_FLAT))
                rc = read_amount(r, form, &c->amount);
        return rc;
}

static int read_and(Reader *r, const Form *form, Condition *c) {
        if (r->next == r->n)
                return 0;
        if (!form->is_value || !word_is(r, r->next, "and"))
                return refuse(r, "unexpected '%.*s' after '%s'",
                              (int) MIN(r->words[r->next].n, 64u), r->words[r->next].text,
                              form->usage);
        bool is_below = word_is(r, r->next + 1, "below");
        if (!is_below && !word_is(r, r->next + 1, "above"))
                return refuse(r, "after 'and' only 'below X' or 'above X' can stand");
        r->next += 2;
        c->and_kind = is_below ? CONDITION_BELOW : CONDITION_ABOVE;
        int rc = read_amount(r, form_by_kind(c->and_kind), &c->and_amount);
        if (rc == 0 && r->next < r->n)
                rc = refuse(r, "unexpected '%.*s' at the end", (int) MIN(r->words[r->next].n, 64u),
                            r->words[r->next].text);
        return rc;
}

int condition_parse(const char *text, unsigned decimals, Condition *ret, Diag *diag,
                    const char *file, unsigned line, const char *key) {
        Reader r = {.decimals = decimals, .diag = diag, .file = file, .line = line, .key = key};
        Condition c = {0};
        int rc;

        if (!split_words(text, &r))
                return refuse(&r, "too many words for a condition");
        if (r.n == 0)
                return refuse(&r, "a condition is missing, for example 'below 95'");
        const Form *form = form_by_word(r.words[0].text, r.words[0].n);
        if (!form)
                return refuse(&r, "unknown condition '%.*s'", (int) MIN(r.words[0].n, 64u),
                              r.words[0].text);
        c.kind = form->kind;
        r.next = 1;
        rc = read_operands(&r, form, &c);
        if (rc == 0)
                rc = read_and(&r, form, &c);
        if (rc < 0)
                return rc;
        *ret = c;
        return 0;
}

/* "95", "0.50": whole numbers as people write them, else all digits, so that one number has one
 * text. */
static int append_amount(Buf *b, int64_t amount, unsigned decimals) {
        char text[DECIMAL_TEXT_MAX];
        const char *s = decimal_format(text, amount, decimals);
        const char *dot = strchr(s, '.');

        if (dot && strspn(dot + 1, "0") == strlen(dot + 1))
                return buf_append(b, s, (size_t) (dot - s));
        return buf_str(b, s);
}

static int append_condition(Buf *b, const Condition *c, unsigned decimals) {
        const Form *form = form_by_kind(c->kind);
        int r;

        if (!form)
                return buf_str(b, "none");
        r = buf_str(b, form->word);
        if (r == 0 && (form->operand == OPERAND_COUNT || form->operand == OPERAND_FLAT))
                r = buf_printf(b, " %d", c->count);
        if (r == 0 && form->operand == OPERAND_FLAT)
                r = buf_str(b, " within");
        if (r == 0 && (form->operand == OPERAND_AMOUNT || form->operand == OPERAND_FLAT)) {
                r = buf_char(b, ' ');
                if (r == 0)
                        r = append_amount(b, c->amount, decimals);
        }
        if (r == 0 && c->and_kind != CONDITION_NONE) {
                r = buf_str(b, c->and_kind == CONDITION_BELOW ? " and below " : " and above ");
                if (r == 0)
                        r = append_amount(b, c->and_amount, decimals);
        }
        return r;
}

char *condition_format(const Condition *c, unsigned decimals) {
        CLEANUP(buf_done) Buf b = BUF_INIT(1024);

        if (append_condition(&b, c, decimals) < 0)
                return NULL;
        return buf_take(&b);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static bool has_between(ConditionKind kind) {
        return kind == CONDITION_BELOW || kind == CONDITION_ABOVE || kind == CONDITION_BEHIND;
}

static unsigned decimals_of(const RuleDef *rule, const IndicatorDef *indicators) {
        return rule->indicator >= 0 ? indicators[rule->indicator].decimals : RULE_DECIMALS;
}

static int append_escaped(Buf *b, const char *s) {
        int r = 0;

        for (; r == 0 && *s; s++) {
                unsigned char c = (unsigned char) *s;
                if (c <= ' ' || c == 0x7f || c == ';' || c == '%')
                        r = buf_printf(b, "%%%02X", c);
                else
                        r = buf_char(b, *s);
        }
        return r;
}

static int append_list(Buf *b, const char *word, const char **list, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = buf_printf(b, " %s:", word);
                if (r == 0)
                        r = append_escaped(b, list[i]);
        }
        return r;
}

static int append_selector(Buf *b, const UnitSelector *s) {
        int r = buf_str(b, "; units=");

        if (r == 0 && s->is_set && s->n_kinds + s->n_parents + s->n_units == 0)
                r = buf_str(b, " all");
        if (r == 0)
                r = append_list(b, "kind", s->kinds, s->n_kinds);
        if (r == 0)
                r = append_list(b, "parent", s->parents, s->n_parents);
        if (r == 0)
                r = append_list(b, "unit", s->units, s->n_units);
        return r;
}

static int append_conditions(Buf *b, const RuleDef *rule, unsigned decimals) {
        int r = buf_str(b, "; when=");

        if (r == 0)
                r = append_condition(b, &rule->when, decimals);
        if (r == 0 && rule->critical.kind != CONDITION_NONE) {
                r = buf_str(b, "; critical=");
                if (r == 0)
                        r = append_condition(b, &rule->critical, decimals);
        }
        if (r == 0 && (has_between(rule->when.kind) || has_between(rule->critical.kind))) {
                r = buf_str(b, "; clear=");
                if (r == 0)
                        r = append_amount(b, rule->clear, decimals);
        }
        return r;
}

static int append_volume(Buf *b, const RuleDef *rule, const IndicatorDef *indicators) {
        int r;

        if (rule->min_volume <= 0 || rule->volume_indicator < 0)
                return 0;
        r = buf_str(b, "; min_volume=");
        if (r == 0)
                r = append_amount(b, rule->min_volume, indicators[rule->volume_indicator].decimals);
        if (r == 0)
                r = buf_str(b, " of ");
        if (r == 0)
                r = append_escaped(b, indicators[rule->volume_indicator].name);
        return r;
}

static int append_period(Buf *b, const char *key, PeriodId period) {
        char text[16];

        return period == 0 ? 0 : buf_printf(b, "; %s=%s", key, period_format(text, period));
}

char *rule_to_text(const RuleDef *rule, const IndicatorDef *indicators) {
        CLEANUP(buf_done) Buf b = BUF_INIT(RULE_TEXT_MAX);
        int r = buf_str(&b, "indicator=");

        if (r == 0 && rule->indicator >= 0)
                r = append_escaped(&b, indicators[rule->indicator].name);
        if (r == 0)
                r = buf_printf(&b, "; period=%s", period_type_name(rule->period));
        if (r == 0)
                r = append_selector(&b, &rule->units);
        if (r == 0)
                r = append_conditions(&b, rule, decimals_of(rule, indicators));
        if (r == 0)
                r = buf_printf(&b, "; for=%d; watch=%s", rule->for_n,
                               rule->watch == WATCH_RUNNING ? "running" : "ended");
        if (r == 0)
                r = append_period(&b, "from", rule->from);
        if (r == 0)
                r = append_period(&b, "until", rule->until);
        if (r == 0)
                r = append_volume(&b, rule, indicators);
        return r < 0 ? NULL : buf_take(&b);
}

/* ---- and back -------------------------------------------------------------------------------- */

typedef struct Block { /* one allocation: the rule, then pointers of the selector, then strings */
        RuleDef rule;
        const char *pointers[];
} Block;

typedef struct Parse {
        Block *block;
        size_t n_pointers;
        const IndicatorDef *indicators;
        size_t n_indicators;
        unsigned decimals;
} Parse;

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. False on a broken escape. */
static bool unescape(char *s) {
        char *out = s;

        for (; *s; s++) {
                if (*s == '%') {
                        int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);
                        if (low < 0 || high + low == 0)
                                return false;
                        *out++ = (char) (high * 16 + low);
                        s += 2;
                } else
                        *out++ = *s;
        }
        *out = '\0';
        return true;
}

static int find_indicator(const Parse *p, char *name) {
        if (!unescape(name))
                return -1;
        for (size_t i = 0; i < p->n_indicators; i++)
                if (streq(p->indicators[i].name, name))
                        return (int) i;
        return -1;
}

static int parse_indicator(Parse *p, char *value) {
        RuleDef *rule = &p->block->rule;

        if (!*value)
                return 0;
        rule->indicator = find_indicator(p, value);
        if (rule->indicator < 0)
                return -EINVAL;
        p->decimals = p->indicators[rule->indicator].decimals;
        return 0;
}

/* The canonical text lists kinds, then parents, then units: each list is a stretch of one array. */
static int add_selected(Parse *p, const char ***list, size_t *n, char *text) {
        const char **slot = &p->block->pointers[p->n_pointers];

        if (!unescape(text) || (*n > 0 && *list + *n != slot))
                return -EINVAL;
        if (*n == 0)
                *list = slot;
        *slot = text;
        p->n_pointers++;
        (*n)++;
        return 0;
}

static int parse_units(Parse *p, char *value) {
        UnitSelector *s = &p->block->rule.units;
        char *save = NULL;
        int r = 0;

        for (char *w = strtok_r(value, " ", &save); r == 0 && w; w = strtok_r(NULL, " ", &save)) {
                s->is_set = true;
                if (strncmp(w, "kind:", 5) == 0)
                        r = add_selected(p, &s->kinds, &s->n_kinds, w + 5);
                else if (strncmp(w, "parent:", 7) == 0)
                        r = add_selected(p, &s->parents, &s->n_parents, w + 7);
                else if (strncmp(w, "unit:", 5) == 0)
                        r = add_selected(p, &s->units, &s->n_units, w + 5);
                else if (!streq(w, "all"))
                        r = -EINVAL;
        }
        return r;
}

static int parse_condition(Parse *p, const char *value, Condition *ret) {
        return condition_parse(value, p->decimals, ret, NULL, NULL, 0, NULL);
}

static int parse_amount(const char *value, size_t n, unsigned decimals, int64_t *ret) {
        return decimal_parse(value, n, DECIMAL_DOT, decimals, ret) == 0 ? 0 : -EINVAL;
}

static int parse_for(const char *value, int *ret) {
        int64_t n;

        if (parse_amount(value, strlen(value), 0, &n) < 0 || n < 1 || n > 1000)
                return -EINVAL;
        *ret = (int) n;
        return 0;
}

static int parse_watch(const char *value, Watch *ret) {
        if (!streq(value, "running") && !streq(value, "ended"))
                return -EINVAL;
        *ret = streq(value, "running") ? WATCH_RUNNING : WATCH_ENDED;
        return 0;
}

static int parse_volume(Parse *p, char *value) {
        RuleDef *rule = &p->block->rule;
        char *of = strstr(value, " of ");

        if (!of)
                return -EINVAL;
        rule->volume_indicator = find_indicator(p, of + 4);
        if (rule->volume_indicator < 0)
                return -EINVAL;
        return parse_amount(value, (size_t) (of - value),
                            p->indicators[rule->volume_indicator].decimals, &rule->min_volume);
}

static int parse_field(Parse *p, const char *key, char *value) {
        RuleDef *rule = &p->block->rule;

        if (streq(key, "indicator"))
                return parse_indicator(p, value);
        if (streq(key, "period"))
                return period_type_parse(value, &rule->period);
        if (streq(key, "units"))
                return parse_units(p, value);
        if (streq(key, "when"))
                return parse_condition(p, value, &rule->when);
        if (streq(key, "critical"))
                return parse_condition(p, value, &rule->critical);
        if (streq(key, "clear"))
                return parse_amount(value, strlen(value), p->decimals, &rule->clear);
        if (streq(key, "for"))
                return parse_for(value, &rule->for_n);
        if (streq(key, "watch"))
                return parse_watch(value, &rule->watch);
        if (streq(key, "from"))
                return period_parse(value, &rule->from);
        if (streq(key, "until"))
                return period_parse(value, &rule->until);
        if (streq(key, "min_volume"))
                return parse_volume(p, value);
        return -EINVAL;
}

/* Takes `fields` apart in place; the strings of the rule point into it. */
static int parse_fields(Parse *p, char *fields) {
        for (char *next = fields; next;) {
                char *field = next, *end = strstr(field, "; ");
                next = end ? end + 2 : NULL;
                if (end)
                        *end = '\0';
                char *equals = strchr(field, '=');
                if (!equals)
                        return -EINVAL;
                *equals = '\0';
                int r = parse_field(p, field, equals + 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

int rule_from_text(const char *text, const IndicatorDef *indicators, size_t n_indicators,
                   RuleDef **ret) {
        size_t n = strlen(text), n_pointers = n / 2 + 1;
        int r;

        if (n > RULE_TEXT_MAX)
                return -EINVAL;
        CLEANUP_FREE Block *block =
                calloc(1, sizeof(Block) + n_pointers * sizeof(char *) + 2 * (n + 1));
        if (!block)
                return -ENOMEM;
        char *whole = (char *) &block->pointers[n_pointers], *fields = whole + n + 1;
        memcpy(whole, text, n + 1);
        memcpy(fields, text, n + 1);
        block->rule = (RuleDef){.indicator = -1, .volume_indicator = -1, .text = whole};
        Parse p = {block, 0, indicators, n_indicators, RULE_DECIMALS};
        r = parse_fields(&p, fields);
        if (r < 0)
                return r;
        RuleDef *rule = &block->rule;
        if (rule->period == 0 || rule->when.kind == CONDITION_NONE || rule->for_n < 1 ||
            (condition_is_value(rule->when.kind) && rule->indicator < 0))
                return -EINVAL;
        rule->is_operator = !condition_is_value(rule->when.kind);
        *ret = &((Block *) TAKE_PTR(block))->rule;
        return 0;
}

void rule_text_free(RuleDef *rule) {
        free(rule); /* the first member of its block */
}
