/* Rules, and the eras that end what they watch.
 *
 * What a rule watches may have no source in this installation: the shipped rules cover every
 * indicator that some preset has. Such a rule is switched off. That is a note for a rule that
 * nobody here touched, a warning for one that somebody wrote. */
#include <errno.h>

#include "base/decimal.h"
#include "core/config-internal.h"
#include "core/rule.h"

typedef struct RuleBuild {
        Build *b;
        const View *v;
        RuleDef *def;
        unsigned decimals;
} RuleBuild;

/* Returns 0, or -ENOMEM; what cannot be read is said and leaves CONDITION_NONE. */
static int read_condition(const RuleBuild *x, const char *key, Condition *ret) {
        const Entry *e = view_get(x->v, key);
        if (!e)
                return 0;
        CLEANUP(buf_done) Buf name = BUF_INIT(BUF_MAX_TEXT);
        int r = buf_printf(&name, "rule %s.%s", x->v->name, key);
        if (r == 0)
                r = condition_parse(e->value, x->decimals, ret, x->b->diag, e->section->file,
                                    e->line, buf_text(&name));
        if (r != -EINVAL)
                return r;
        x->b->n_errors++;
        return 0;
}

static bool has_limit(ConditionKind kind) {
        return kind == CONDITION_BELOW || kind == CONDITION_ABOVE || kind == CONDITION_BEHIND;
}

static bool is_of_source(ConditionKind kind) {
        return kind == CONDITION_OVERDUE || kind == CONDITION_STALE ||
               kind == CONDITION_SOURCE_FAILING;
}

/* `clear` is written on the limit's own scale ("below 95" may clear at 96) and kept as the
 * distance. */
static void read_clear(const RuleBuild *x) {
        RuleDef *d = x->def;
        bool is_count =
                d->indicator >= 0 && x->b->config->indicators[d->indicator].unit == INDICATOR_COUNT;
        const Entry *e = view_get(x->v, "clear");
        int64_t at;
        if (has_limit(d->when.kind) && !is_count)
                d->clear = decimal_rescale(1, 0, x->decimals);
        if (!e)
                return;
        if (!has_limit(d->when.kind)) {
                say_entry(
                        x->b, DIAG_ERROR, x->v, e,
                        "only below, above and behind have it; the others end when they are false");
                return;
        }
        if (value_decimal(e->value, x->decimals, &at) < 0) {
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "\"%s\" is not a number; write it with a decimal point", e->value);
                return;
        }
        d->clear = d->when.kind == CONDITION_BELOW ? at - d->when.amount : d->when.amount - at;
        if (d->clear < 0)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "%s is still inside of the limit; write the value where the alert ends",
                          e->value);
}

static void check_critical(const RuleBuild *x) {
        const Condition *when = &x->def->when, *critical = &x->def->critical;
        const Entry *e = view_get(x->v, "critical");
        if (!e || when->kind == CONDITION_NONE || critical->kind == CONDITION_NONE)
                return;
        if (condition_is_value(when->kind) != condition_is_value(critical->kind))
                say_entry(x->b, DIAG_ERROR, x->v, e, "must watch values or sources as `when` does");
        else if ((when->kind == CONDITION_BELOW && critical->kind == CONDITION_ABOVE) ||
                 (when->kind == CONDITION_ABOVE && critical->kind == CONDITION_BELOW))
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "looks the other way than `when`; no alert could become critical");
        else if (when->kind != critical->kind || !has_limit(when->kind))
                return;
        else if (when->kind == CONDITION_BELOW ? critical->amount >= when->amount
                                               : critical->amount <= when->amount)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "is not more severe than `when`; every alert would be critical");
}

/* First period on or after a day; last one that is over with a day. */
static PeriodId period_from(PeriodType type, Day day) {
        PeriodId p = period_of_day(type, day);
        return period_is_valid(p) && period_start(p) < day ? period_next(p) : p;
}

static PeriodId period_until(PeriodType type, Day day) {
        PeriodId p = period_of_day(type, day);
        return period_is_valid(p) && period_end(p) - 1 > day ? period_previous(p) : p;
}

/* A day, or a period of any type: `until = 2026` of a monthly rule is December. */
static void read_bound(const RuleBuild *x, const char *key, bool is_until, PeriodId *ret) {
        const Entry *e = view_get(x->v, key);
        PeriodId p;
        Day day;
        if (!e)
                return;
        if (period_parse(e->value, &p) == 0) {
                day = is_until ? period_end(p) - 1 : period_start(p);
        } else if (day_parse(e->value, &day) < 0) {
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "\"%s\" is neither a period nor a day; write 2026-01, 2026-Q1, 2026 or "
                          "2026-01-01",
                          e->value);
                return;
        }
        *ret = is_until ? period_until(x->def->period, day) : period_from(x->def->period, day);
        if (!period_is_valid(*ret))
                say_entry(x->b, DIAG_ERROR, x->v, e, "no %s begins or ends there",
                          period_type_name(x->def->period));
}

static void read_bounds(const RuleBuild *x) {
        RuleDef *d = x->def;
        read_bound(x, "from", false, &d->from);
        read_bound(x, "until", true, &d->until);
        if (!period_is_valid(d->until))
                return;
        const Entry *e = view_get(x->v, "until");
        if (period_is_valid(d->from) && d->from > d->until)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "lies before `from`; the rule would judge nothing");
        Day left = period_end(d->until) - x->b->today;
        if (left >= 0 && left <= 30 && !d->is_off)
                say_entry(x->b, DIAG_WARNING, x->v, e,
                          "the rule ends in %d days; write what holds afterwards", left);
}

/* "20 of received" */
static int read_volume(const RuleBuild *x) {
        RuleDef *d = x->def;
        const Entry *e = view_get(x->v, "min_volume");
        const char **words = NULL;
        size_t n = 0;
        int r = e ? value_words(x->b, e->value, false, &words, &n) : 0;
        if (r < 0 || !e)
                return r;
        if (n != 3 || !streq(words[1], "of") || value_decimal(words[0], 0, &d->min_volume) < 0 ||
            d->min_volume < 1) {
                say_entry(x->b, DIAG_ERROR, x->v, e, "write N of INDICATOR, as 20 of received");
                return 0;
        }
        d->volume_indicator = config_indicator(x->b->config, words[2]);
        if (d->volume_indicator < 0) {
                say_unknown_indicator(x->b, x->v, e, words[2]);
                return 0;
        }
        const IndicatorDef *count = &x->b->config->indicators[d->volume_indicator];
        if (count->unit != INDICATOR_COUNT)
                say_entry(x->b, DIAG_ERROR, x->v, e, "%s is not a count", count->name);
        else if (count->source < 0 && !d->is_off)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "no source publishes %s, so that every verdict would be unknown; take "
                          "the line out",
                          count->name);
        d->min_volume = decimal_rescale(d->min_volume, 0, count->decimals);
        return 0;
}

/* "publication", "never", "3 days" */
static void read_repeat(const RuleBuild *x) {
        const Entry *e = view_get(x->v, "repeat");
        int64_t days;
        if (!e || streq(e->value, "publication"))
                return;
        if (streq(e->value, "never")) {
                x->def->repeat = REPEAT_NEVER;
        } else if (value_days(e->value, &days) == 0 && days >= 1 && days <= 366) {
                x->def->repeat = REPEAT_DAYS;
                x->def->repeat_days = (int) days;
        } else {
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "\"%s\" is not valid; it must be publication | N days | never", e->value);
        }
}

static void read_audience(const RuleBuild *x) {
        RuleDef *d = x->def;
        const char *letter = view_text(x->v, "letter", "no");
        const Entry *e = view_get(x->v, "operator");
        d->is_letter = streq(letter, "yes") || streq(letter, "only");
        d->is_letter_only = streq(letter, "only");
        bool is_value = condition_is_value(d->when.kind) || d->when.kind == CONDITION_NONE;
        d->is_operator = !is_value;
        if (!e)
                return;
        bool is_wanted;
        if (value_boolean(e->value, &is_wanted) < 0)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "\"%s\" is not a valid boolean; it must be yes | no", e->value);
        else if (!is_wanted && !is_value)
                say_entry(x->b, DIAG_ERROR, x->v, e,
                          "conditions on sources and data are told to operators only");
        else
                d->is_operator = is_wanted;
}

static bool is_shipped(const View *v) {
        for (size_t i = 0; i < v->n; i++)
                if (v->entries[i]->section->layer >= CONFIG_MAIN)
                        return false;
        return true;
}

static void read_indicator(RuleBuild *x) {
        RuleDef *d = x->def;
        const Entry *e = view_get(x->v, "indicator");
        d->indicator = e ? config_indicator(x->b->config, e->value) : -1;
        x->decimals = 2;
        if (e && d->indicator < 0)
                say_unknown_indicator(x->b, x->v, e, e->value);
        if (d->indicator < 0)
                return;
        const IndicatorDef *i = &x->b->config->indicators[d->indicator];
        x->decimals = i->decimals;
        if (i->source >= 0 || d->is_off)
                return;
        say_entry(x->b, is_shipped(x->v) ? DIAG_NOTE : DIAG_WARNING, x->v, e,
                  "no source publishes %s; the rule is off until one does", i->name);
        d->is_off = true;
}

static void check_subject(const RuleBuild *x) {
        const RuleDef *d = x->def;
        const Entry *indicator = view_get(x->v, "indicator");
        if (!view_get(x->v, "when"))
                say_view(x->b, DIAG_ERROR, x->v, "when",
                         "is missing; write a condition, as `below 95`");
        if (condition_is_value(d->when.kind) && !indicator)
                say_view(x->b, DIAG_ERROR, x->v, "indicator",
                         "is missing; write what the rule watches");
        if (is_of_source(d->when.kind) && indicator)
                say_entry(x->b, DIAG_ERROR, x->v, indicator,
                          "a condition on sources watches no indicator; take the line out");
        if (d->watch == WATCH_RUNNING && condition_is_value(d->when.kind) &&
            !has_limit(d->when.kind))
                say_view(x->b, DIAG_ERROR, x->v, "watch",
                         "a running period has no change yet; use below, above or behind");
}

static int rule_finish(const RuleBuild *x, size_t n_errors) {
        x->def->text = "";
        if (x->b->n_errors > n_errors)
                return 0;
        CLEANUP_FREE char *text = rule_to_text(x->def, x->b->config->indicators);
        x->def->text = text ? arena_dup(x->b->arena, text, strlen(text)) : NULL;
        return x->def->text ? 0 : -ENOMEM;
}

static int build_rule(Build *b, const char *name, RuleDef *d) {
        View v = {.kind = "rule", .name = name};
        RuleBuild x = {.b = b, .v = &v, .def = d};
        size_t n_errors = b->n_errors;
        int r = view_add_all(b, &v, "rule", name, LAYERS_OWN);
        if (r < 0)
                return r;
        *d = (RuleDef){.name = name,
                       .file = v.head->file,
                       .line = v.head->line,
                       .indicator = -1,
                       .volume_indicator = -1};
        r = store_view(b, &v, d);
        if (r < 0)
                return r;
        if (is_shipped(&v) && !b->config->daemon.has_shipped_rules)
                d->is_off = true;
        if (period_type_parse(view_text(&v, "period", "month"), &d->period) < 0)
                d->period = PERIOD_MONTH; /* said when it was stored */
        read_indicator(&x);
        r = read_condition(&x, "when", &d->when);
        if (r == 0)
                r = read_condition(&x, "critical", &d->critical);
        if (r == 0)
                r = read_volume(&x);
        if (r < 0)
                return r;
        check_subject(&x);
        read_clear(&x);
        check_critical(&x);
        read_bounds(&x);
        read_repeat(&x);
        read_audience(&x);
        warn_kinds(b, &v, "units", &d->units);
        return rule_finish(&x, n_errors);
}

/* A former name that is still a rule's would make two rules claim one alert. */
static void check_formerly(Build *b) {
        const Config *c = b->config;
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *d = &c->rules[i];
                View v = {.kind = "rule", .name = d->name};
                if (!d->formerly)
                        continue;
                (void) view_add_all(b, &v, "rule", d->name, LAYERS_OWN); /* only for its line */
                if (config_rule(c, d->formerly) >= 0)
                        say_view(b, DIAG_ERROR, &v, "formerly", "there still is a [rule %s]",
                                 d->formerly);
                for (size_t k = 0; k < i; k++)
                        if (streq_ptr(c->rules[k].formerly, d->formerly))
                                say_view(b, DIAG_ERROR, &v, "formerly",
                                         "[rule %s] has the same former name", c->rules[k].name);
        }
}

int build_rules(Build *b) {
        const char **names;
        size_t n;
        int r = view_names(b, "rule", &names, &n);
        if (r < 0)
                return r;
        b->config->rules = arena_alloc(b->arena, n, sizeof(RuleDef));
        if (!b->config->rules)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < n; i++) {
                r = build_rule(b, names[i], &b->config->rules[i]);
                b->config->n_rules = i + 1;
        }
        if (r == 0)
                check_formerly(b);
        return r;
}

/* ---- eras ------------------------------------------------------------------------------------ */

static bool source_is_written(const Build *b, const char *name) {
        for (size_t i = 0; i < b->n_sources; i++)
                if (streq(b->sources[i].name, name))
                        return true;
        return false;
}

static int build_era(Build *b, const char *name, EraDef *d) {
        View v = {.kind = "era", .name = name};
        int r = view_add_all(b, &v, "era", name, LAYERS_OWN);
        if (r < 0)
                return r;
        *d = (EraDef){.name = name};
        r = store_view(b, &v, d);
        if (r < 0)
                return r;
        const Entry *from = view_get(&v, "from");
        if (!from)
                say_view(b, DIAG_ERROR, &v, "from",
                         "is missing; write the first day of the new era");
        else if (day_parse(from->value, &d->from) < 0)
                say_entry(b, DIAG_ERROR, &v, from, "\"%s\" is no day; write it as 2026-01-01",
                          from->value);
        if (!d->reason)
                say_view(b, DIAG_ERROR, &v, "reason",
                         "is missing; write why figures before and after cannot be compared");
        if (d->source && !source_is_written(b, d->source))
                say_entry(b, DIAG_ERROR, &v, view_get(&v, "source"), "there is no [source %s]",
                          d->source);
        for (size_t i = 0; i < d->n_indicators; i++)
                if (config_indicator(b->config, d->indicators[i]) < 0)
                        say_unknown_indicator(b, &v, view_get(&v, "indicators"), d->indicators[i]);
        return 0;
}

int build_eras(Build *b) {
        const char **names;
        size_t n;
        int r = view_names(b, "era", &names, &n);
        if (r < 0)
                return r;
        b->config->eras = arena_alloc(b->arena, n, sizeof(EraDef));
        if (!b->config->eras)
                return -ENOMEM;
        b->config->n_eras = n;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = build_era(b, names[i], &b->config->eras[i]);
        return r;
}
