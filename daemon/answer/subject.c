/* One table of kinds; how the rest of a subject is read depends on its kind. Keys of units may hold
 * colons, names of rules and indicators hold no slash: a cohort's subject is cut at its first and its
 * last slash. */
#include "answer/subject.h"

#include "base/text.h"
#include "core/period.h"

#define SUBJECT_MAX 1024u

typedef int (*Words)(const View *v, const char *rest, bool is_over, Buf *out);

#define SAID(v, vi, en) (app_is_vi((v)->app) ? (vi) : (en))

/* ---- cohorts --------------------------------------------------------------------------------- */

/* "RULE/PARENT/KIND" */
typedef struct Cohort {
        char text[SUBJECT_MAX]; /* holds the others */
        const char *name, *parent, *kind;
} Cohort;

static bool cohort_cut(const char *rest, Cohort *ret) {
        if (strlen(rest) >= sizeof(ret->text))
                return false;
        memcpy(ret->text, rest, strlen(rest) + 1);
        char *first = strchr(ret->text, '/'), *last = strrchr(ret->text, '/');
        if (!first || first == last)
                return false;
        *first = *last = '\0';
        ret->name = ret->text;
        ret->parent = first + 1;
        ret->kind = last + 1;
        return true;
}

static const char *kind_words(const View *v, const char *kind) {
        if (streq(kind, "commune"))
                return SAID(v, "các xã", "communes");
        if (streq(kind, "province"))
                return SAID(v, "các tỉnh", "provinces");
        return streq(kind, "department") ? SAID(v, "các sở, ngành", "departments")
                                         : SAID(v, "các đơn vị", "units");
}

/* ", các xã thuộc UBND huyện Tiên Lữ" */
static int add_cohort(const View *v, const Cohort *c, Buf *out) {
        UnitId parent = 0;
        int r = buf_printf(out, ", %s", kind_words(v, c->kind));

        if (r < 0 || streq(c->parent, "-"))
                return r;
        bool is_known = unit_find(&v->app->units, c->parent, v->today, &parent, NULL) == 0;
        return buf_printf(out, SAID(v, " thuộc %s", " of %s"),
                          is_known ? app_unit_label(v->app, parent, v->today) : c->parent);
}

static int hold_words(const View *v, const char *rest, bool is_over, Buf *out) {
        Cohort c;

        if (!cohort_cut(rest, &c))
                return buf_str(out, rest);
        int r = buf_printf(out,
                           is_over ? SAID(v, "đã hết giữ: %s", "no longer held: %s")
                                   : SAID(v, "đang giữ: %s", "held: %s"),
                           c.name);
        return r < 0 ? r : add_cohort(v, &c, out);
}

static int era_words(const View *v, const char *rest, bool is_over, Buf *out) {
        Cohort c;

        (void) is_over;
        if (!cohort_cut(rest, &c))
                return buf_str(out, rest);
        int i = config_indicator(v->app->config, c.name);
        int r = buf_printf(out, SAID(v, "trung vị đổi đột ngột: %s", "the median jumped: %s"),
                           i < 0 ? c.name
                                 : view_indicator_label(v->app, v->app->config->indicators + i));
        return r < 0 ? r : add_cohort(v, &c, out);
}

/* ---- sources --------------------------------------------------------------------------------- */

/* A type, a period, or a scope as it is. */
static int add_detail(const View *v, const char *text, size_t n, Buf *out) {
        static const char *const types[][3] = {
                {"month", "số liệu tháng", "monthly figures"},
                {"quarter", "số liệu quý", "quarterly figures"},
                {"half", "số liệu nửa năm", "half-yearly figures"},
                {"year", "số liệu năm", "yearly figures"},
        };
        char word[256], people[VIEW_TEXT_MAX];
        PeriodId period;

        if (n >= sizeof(word))
                return buf_append(out, text, n);
        memcpy(word, text, n);
        word[n] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(types[i][0], word))
                        return buf_str(out, SAID(v, types[i][1], types[i][2]));
        if (period_parse(word, &period) == 0)
                return buf_str(out, view_period_text(people, v->app, period));
        return buf_str(out, word);
}

/* "NAME/DETAIL/DETAIL" */
static int source_words(const View *v, const char *rest, bool is_over, Buf *out) {
        size_t n = strcspn(rest, "/");
        int r = buf_printf(out, SAID(v, "nguồn %.*s", "source %.*s"), (int) MIN(n, SUBJECT_MAX),
                           rest);

        (void) is_over;
        for (const char *at = rest + n; r == 0 && *at;) {
                n = strcspn(at + 1, "/");
                r = buf_str(out, ", ");
                if (r == 0)
                        r = add_detail(v, at + 1, n, out);
                at += 1 + n;
        }
        return r;
}

/* ---- the others ------------------------------------------------------------------------------ */

/* "KIND/NAME" of flow/warn */
static int warning_words(const View *v, const char *rest, bool is_over, Buf *out) {
        static const char *const kinds[][3] = {
                {"calendar", "lịch nghỉ", "days off"},
                {"until", "quy tắc sắp hết hiệu lực", "a rule that ends"},
                {"address", "thiếu địa chỉ", "addresses are missing"},
                {"bounced", "địa chỉ bị từ chối", "refused addresses"},
                {"certificate", "chứng thư TLS", "TLS certificate"},
                {"disk", "ổ đĩa", "disk"},
        };
        size_t n = strcspn(rest, "/");

        (void) is_over;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strlen(kinds[i][0]) == n && strncmp(kinds[i][0], rest, n) == 0) {
                        int r = buf_str(out, SAID(v, kinds[i][1], kinds[i][2]));
                        return r == 0 && rest[n] ? buf_printf(out, ": %s", rest + n + 1) : r;
                }
        return buf_str(out, rest);
}

static int delivery_words(const View *v, const char *rest, bool is_over, Buf *out) {
        (void) is_over;
        return buf_printf(out, SAID(v, "thư tới %s", "messages to %s"), rest);
}

static int plain_words(const View *v, const char *rest, bool is_over, Buf *out) {
        (void) v, (void) is_over;
        return buf_str(out, rest);
}

static int word_alone(const View *v, const char *subject, Buf *out) {
        if (streq(subject, "database"))
                return buf_str(out, SAID(v, "cơ sở dữ liệu", "database"));
        return buf_str(out, streq(subject, "template") ? SAID(v, "mẫu thư", "templates") : subject);
}

int subject_words(const View *v, const char *subject, bool is_over, Buf *out) {
        static const struct {
                const char *kind;
                Words words;
        } kinds[] = {
                {"hold", hold_words},       {"era", era_words},
                {"source", source_words},   {"restated", source_words},
                {"suspect", source_words},  {"quarantine", source_words},
                {"warning", warning_words}, {"delivery", delivery_words},
                {"rules", plain_words},     {"report", plain_words},
        };
        const char *colon = strchr(subject, ':');

        if (!colon || !colon[1])
                return word_alone(v, subject, out);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strlen(kinds[i].kind) == (size_t) (colon - subject) &&
                    strncmp(kinds[i].kind, subject, (size_t) (colon - subject)) == 0)
                        return kinds[i].words(v, colon + 1, is_over, out);
        return buf_str(out, subject);
}

void subject_write(JsonOut *o, const View *v, const char *subject, bool is_over) {
        CLEANUP(buf_done) Buf text = BUF_INIT(16384);
        bool has_words = subject && subject_words(v, subject, is_over, &text) == 0;

        json_out_text(o, "subject", subject);
        json_out_text(o, "subject_text", has_words ? buf_text(&text) : subject);
}
