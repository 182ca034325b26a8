/* Who is told, when they work, and what the bands are called. */
#include <errno.h>

#include "base/decimal.h"
#include "core/config-internal.h"

/* ---- recipients ------------------------------------------------------------------------------ */

static bool is_address(const char *text) {
        const char *at = strchr(text, '@');
        return value_is_secret(text) ||
               (at && at > text && at[1] && !strchr(at + 1, '@') && !strpbrk(text, "<>\"()[];:\\"));
}

static void check_emails(Build *b, const View *v, const RecipientDef *d) {
        for (size_t i = 0; i < d->n_emails; i++) {
                bool is_registry = streq(d->emails[i], "registry");
                if (is_registry && !d->is_each)
                        say_word(b, v, "email", d->emails[i],
                                 "registry needs `each`, so that each unit gets its own mail");
                else if (!is_registry && !is_address(d->emails[i]))
                        say_word(b, v, "email", d->emails[i],
                                 "\"%s\" is no address; write user@host", d->emails[i]);
        }
}

/* A bad `url` was said already; "there is none" would send people looking for a second mistake. */
static bool has_relay(Build *b) {
        View v = {.kind = "smtp", .name = ""};
        return view_add_all(b, &v, "smtp", "", LAYERS_OWN) < 0 || view_get(&v, "url");
}

static int build_recipient(Build *b, const char *name, RecipientDef *d) {
        View v = {.kind = "recipient", .name = name};
        int r = view_add_all(b, &v, "recipient", name, LAYERS_OWN);
        if (r < 0)
                return r;
        *d = (RecipientDef){.name = name, .file = v.head->file, .line = v.head->line};
        r = store_view(b, &v, d);
        if (r < 0)
                return r;
        d->language = view_text(&v, "language", b->config->daemon.language);
        const Entry *each = view_get(&v, "each");
        d->is_each = each != NULL;
        if (each && view_get(&v, "units"))
                say_entry(b, DIAG_ERROR, &v, each,
                          "`each` and `units` exclude each other; keep one");
        bool has_webhook = view_get(&v, "webhook") != NULL; /* a bad one was said already */
        if (d->n_emails == 0 && !has_webhook)
                say_view(b, DIAG_ERROR, &v, NULL, "has no address; set `email` or `webhook`");
        if (!has_webhook && (d->webhook_secret || d->webhook_template || d->webhook_to))
                say_view(b, DIAG_ERROR, &v, "webhook",
                         "is missing, while its secret or template is written");
        if (streq_ptr(d->webhook, "registry") && !d->is_each)
                say_view(b, DIAG_ERROR, &v, "webhook",
                         "registry needs `each`, so that each unit gets its own message");
        if (d->n_emails > 0 && !has_relay(b))
                say_view(b, DIAG_ERROR, &v, "email", "there is no mail relay; set `url` in [smtp]");
        check_emails(b, &v, d);
        warn_kinds(b, &v, each ? "each" : "units", &d->units);
        return 0;
}

/* Who gets the letter is a recipient like others, so that delivery, ledger and corrections are the
 * ordinary ones. */
static void add_letter(Build *b) {
        Config *c = b->config;
        if (!c->letter.at || c->letter.n_to == 0)
                return;
        for (size_t i = 0; i < c->n_recipients; i++)
                if (streq(c->recipients[i].name, RECIPIENT_LETTER))
                        say_at(b, DIAG_ERROR, c->recipients[i].file, c->recipients[i].line,
                               "recipient",
                               "\"letter\" is the name of those of [letter] to; choose another");
        View v = {.kind = "letter", .name = ""};
        (void) view_add_all(b, &v, "letter", "", LAYERS_OWN); /* only for its line */
        if (!has_relay(b))
                say_view(b, DIAG_ERROR, &v, "to",
                         "there is no mail relay for it; set `url` in [smtp]");
        c->recipients[c->n_recipients++] = (RecipientDef){.name = RECIPIENT_LETTER,
                                                          .role = ROLE_OFFICIAL,
                                                          .emails = c->letter.to,
                                                          .n_emails = c->letter.n_to,
                                                          .tell = TELL_ALL,
                                                          .language = "vi",
                                                          .is_letter = true};
}

int build_recipients(Build *b) {
        const char **names;
        size_t n;
        int r = view_names(b, "recipient", &names, &n);
        if (r < 0)
                return r;
        b->config->recipients = arena_alloc(b->arena, n + 1, sizeof(RecipientDef));
        if (!b->config->recipients)
                return -ENOMEM;
        b->config->n_recipients = n;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = build_recipient(b, names[i], &b->config->recipients[i]);
        if (r == 0)
                add_letter(b);
        return r;
}

/* ---- calendar -------------------------------------------------------------------------------- */

/* "2026-02-14..2026-02-22 Tết" */
static int range_parse(Build *b, const char *text, DayRange *ret) {
        size_t n = strcspn(text, " \t");
        char *days = arena_dup(b->arena, text, n);
        if (!days)
                return -ENOMEM;
        char *dots = strstr(days, "..");
        if (dots)
                *dots = '\0';
        if (day_parse(days, &ret->first) < 0 || day_parse(dots ? dots + 2 : days, &ret->last) < 0)
                return -EINVAL;
        ret->label = text + n + strspn(text + n, " \t");
        return ret->last < ret->first || ret->last - ret->first > 366 ? -ERANGE : 0;
}

static int read_ranges(Build *b, const View *v, const char *key, DayRange **ret, size_t *ret_n) {
        DayRange *ranges = arena_alloc(b->arena, v->n, sizeof *ranges);
        size_t n = 0;
        if (!ranges)
                return -ENOMEM;
        for (size_t i = 0; i < v->n; i++) {
                const Entry *e = v->entries[i];
                if (!streq(e->name, key))
                        continue;
                int r = range_parse(b, e->value, &ranges[n]);
                if (r == -ENOMEM)
                        return r;
                if (r == -ERANGE)
                        say_entry(b, DIAG_ERROR, v, e,
                                  "the range ends before it begins, or is longer than a year");
                else if (r < 0)
                        say_entry(b, DIAG_ERROR, v, e,
                                  "\"%s\" is no day; write 2026-02-14, or 2026-02-14..2026-02-22, "
                                  "and a label",
                                  e->value);
                else
                        n++;
        }
        *ret = ranges;
        *ret_n = n;
        return 0;
}

/* "Mon" or "Mon-Fri" into the mask; false when it is neither. */
static bool read_weekdays(const char *word, uint8_t *mask) {
        size_t n = strcspn(word, "-");
        int first = value_weekday(word, n), last = first;
        if (word[n] == '-')
                last = value_weekday(word + n + 1, strlen(word + n + 1));
        if (first < 0 || last < first)
                return false;
        for (int d = first; d <= last; d++)
                *mask |= (uint8_t) (1u << d);
        return true;
}

int build_calendar(Build *b) {
        View v = {.kind = "calendar", .name = ""};
        Calendar *c = &b->config->calendar;
        const char **words = NULL;
        size_t n = 0;
        int r = view_add_all(b, &v, "calendar", "", LAYERS_OWN);
        if (r == 0)
                r = value_words(b, view_text(&v, "work", "Mon-Fri"), false, &words, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                if (!read_weekdays(words[i], &c->work_mask))
                        say_word(b, &v, "work", words[i],
                                 "\"%s\" is no weekday; write Mon-Fri, or a list of Mon Tue Wed "
                                 "Thu Fri Sat Sun",
                                 words[i]);
        if (r == 0)
                r = read_ranges(b, &v, "off", &c->off, &c->n_off);
        return r == 0 ? read_ranges(b, &v, "working", &c->working, &c->n_working) : r;
}

/* ---- bands ----------------------------------------------------------------------------------- */

/* In use by a dashboard of 2026; the decision's own text could not be found, hence configuration.
 */
static const BandDef default_bands[] = {
        {"Xuất sắc", 9000}, {"Tốt", 8000}, {"Khá", 7000}, {"Trung bình", 5000}, {"Yếu", 0},
};

static int band_compare(const void *a, const void *b) {
        const BandDef *x = a, *y = b;
        return (x->from < y->from) - (x->from > y->from);
}

int build_bands(Build *b) {
        View v = {.kind = "bands", .name = ""};
        Config *c = b->config;
        int r = view_add_all(b, &v, "bands", "", LAYERS_OWN);
        if (r < 0)
                return r;
        c->bands = arena_alloc(b->arena, MAX(v.n, ELEMENTSOF(default_bands)), sizeof(BandDef));
        if (!c->bands)
                return -ENOMEM;
        for (size_t i = 0; i < v.n; i++) {
                const Entry *e = v.entries[i];
                BandDef *band = &c->bands[c->n_bands];
                if (!*e->value)
                        continue;
                band->label = e->name;
                if (value_decimal(e->value, 2, &band->from) < 0)
                        say_entry(b, DIAG_ERROR, &v, e,
                                  "\"%s\" is not a number; write the lowest value of the band",
                                  e->value);
                else
                        c->n_bands++;
        }
        if (c->n_bands == 0) {
                memcpy(c->bands, default_bands, sizeof default_bands);
                c->n_bands = ELEMENTSOF(default_bands);
        }
        qsort(c->bands, c->n_bands, sizeof(BandDef), band_compare);
        for (size_t i = 1; i < c->n_bands; i++)
                if (c->bands[i].from == c->bands[i - 1].from)
                        say_view(b, DIAG_ERROR, &v, c->bands[i].label, "begins where \"%s\" begins",
                                 c->bands[i - 1].label);
        return 0;
}
