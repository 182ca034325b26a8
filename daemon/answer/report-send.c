/* The letter that is made and sent by itself. It goes the ordinary way: a message row per address with
 * the printed figures as its items, which become the target's ledger when it has arrived; so its
 * recipients hear of restatements like everybody else. All get the same draft, also who was busy. */
#include <errno.h>
#include <stdio.h>

#include "answer/report.h"
#include "export/docx.h"
#include "flow/letter.h"
#include "flow/message.h"
#include "flow/teller-internal.h"
#include "flow/teller.h"
#include "os/crypto.h"
#include "os/hook.h"
#include "os/log.h"

#define META_DRAFT "letter_draft"

/* ---- the draft ------------------------------------------------------------------------------- */

/* "2024108 1 2": period, parent, number of the draft that was sent first. */
static int read_sent(App *app, PeriodId period, UnitId *ret_parent, int *ret_number) {
        CLEANUP_FREE char *text = NULL;
        char *at = NULL;

        *ret_number = 0;
        int r = store_meta_get(app->store, META_DRAFT, &text);
        if (r != 0)
                return MIN(r, 0);
        if (strtol(text, &at, 10) != (long) period)
                return 0;
        *ret_parent = (UnitId) strtoul(at, &at, 10);
        *ret_number = (int) strtol(at, NULL, 10);
        return 0;
}

static int write_sent(App *app, PeriodId period, UnitId parent, int number) {
        char text[64];

        (void) snprintf(text, sizeof(text), "%ld %u %d", (long) period, (unsigned) parent, number);
        return store_meta_put(app->store, META_DRAFT, text);
}

/* As if somebody had asked for a new one on the admin socket. 1: there are no figures at all. */
static int take_draft(App *app, PeriodId period, int64_t now_ms, UnitId *parent, int *number,
                      json_t **ret) {
        static const NameValue none = {0};
        ServeRequest request = {.role = SERVE_ADMIN, .method = "GET", .path = "/v1/report"};
        ServeReply reply = {.body = BUF_INIT(API_REPLY_MAX)};
        ApiCall c = {.app = app,
                     .store = app->reader,
                     .request = &request,
                     .reply = &reply,
                     .view = view_now(app, now_ms),
                     .is_admin = true,
                     .args = &none};
        ReportQuery query = {.period = period, .parent = *parent};

        int r = *number > 0 ? report_draft_read(&c, &query, *number, ret)
                            : report_draft_new(&c, &query, number, ret);
        *parent = query.parent;
        if (r == API_E_ANSWERED)
                log_warning("the letter cannot be made yet: %s", buf_text(&reply.body));
        buf_done(&reply.body);
        return r;
}

/* ---- the message ----------------------------------------------------------------------------- */

static int items_of(const json_t *draft, PeriodId period, PlanItem **ret, size_t *ret_n) {
        const json_t *printed = json_object_get(draft, "printed"), *one;
        size_t i, n = json_array_size(printed);
        PlanItem *items = calloc(n + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        json_array_foreach(printed, i, one) items[i] = (PlanItem){
                .say = SAY_LETTER,
                .indicator = (IndicatorId) json_integer_value(json_array_get(one, 0)),
                .period = period,
                .unit = (UnitId) json_integer_value(json_array_get(one, 1)),
                .value = json_integer_value(json_array_get(one, 2)),
                .old_value = VALUE_NONE,
        };
        *ret = items;
        *ret_n = n;
        return 0;
}

static int decode(const json_t *draft, const char *key, Buf *out) {
        const json_t *text = json_object_get(draft, key);

        return crypto_base64_decode(str_or(json_string_value(text), ""), json_string_length(text),
                                    out);
}

static const char *text_at(const json_t *draft, const char *key) {
        return str_or(json_string_value(json_object_get(draft, key)), "");
}

typedef struct Sending {
        App *app;
        const json_t *draft;
        PeriodId period;
        int64_t now_ms;
        MailAttachment files[2];
        PlanItem *items;
        size_t n_items;
} Sending;

static int send_one(const Sending *s, StepId step, const TargetRow *target) {
        MessageRow CLEANUP(teller_row_done) row = {.target = target->id,
                                                   .uuid = teller_uuid(),
                                                   .state = MESSAGE_READY,
                                                   .created_ms = s->now_ms,
                                                   .next_ms = s->now_ms,
                                                   .released = step};
        TargetRow told = *target;
        int64_t id = 0;

        if (!row.uuid)
                return -ENOMEM;
        int r = message_letter(s->app,
                               &(MessageLetter){.target = target,
                                                .subject = text_at(s->draft, "subject"),
                                                .text = text_at(s->draft, "mail"),
                                                .files = s->files,
                                                .n_files = ELEMENTSOF(s->files),
                                                .now_ms = s->now_ms},
                               &row);
        if (r == 0)
                r = store_message_add(s->app->store, step, &row, s->items, s->n_items, &id);
        if (r < 0)
                return r;
        told.last_release_ms = s->now_ms;
        LogFields fields = {.target = target->key, .message_id = LOG_ID_ALERT};
        log_full(LOG_INFO, &fields, "released to %s: %s (%zu figures)", target->key, row.subject,
                 s->n_items);
        return store_target_put(s->app->store, step, &told, &id);
}

static int send_all(const Sending *s, StepId step, const TargetRow *targets, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = send_one(s, step, &targets[i]);
        return r;
}

/* One transaction: the rows, and which draft they are. */
static int release(Sending *s, UnitId parent, int number, const TargetRow *targets, size_t n) {
        Store *store = s->app->store;
        StepId step = 0;

        hook_point("letter.begin");
        int r = store_begin(store);
        if (r >= 0)
                r = store_step(store, CAUSE_RELEASE, s->now_ms, &step);
        if (r >= 0)
                r = send_all(s, step, targets, n);
        if (r >= 0)
                r = write_sent(s->app, s->period, parent, number);
        if (r >= 0 && n == 0) /* nobody is told: it is only kept */
                r = letter_owe_from(s->app, period_add(s->period, 1));
        hook_point("letter.commit");
        if (r >= 0)
                r = store_commit(store);
        if (r < 0)
                store_rollback(store);
        else
                hook_point("letter.done");
        return r;
}

static int send_draft(Sending *s, UnitId parent, int number, const TargetRow *targets, size_t n) {
        CLEANUP(buf_done) Buf docx = BUF_INIT(PACKAGE_MAX), xlsx = BUF_INIT(PACKAGE_MAX);
        char names[2][48], period[16];

        (void) period_format(period, s->period);
        (void) snprintf(names[0], sizeof(names[0]), "cong-van-%s.docx", period);
        (void) snprintf(names[1], sizeof(names[1]), "phu-luc-%s.xlsx", period);
        int r = decode(s->draft, "docx", &docx);
        if (r == 0)
                r = decode(s->draft, "xlsx", &xlsx);
        if (r == 0)
                r = items_of(s->draft, s->period, &s->items, &s->n_items);
        if (r < 0)
                return r;
        s->files[0] = (MailAttachment){names[0], DOCX_TYPE, buf_text(&docx), docx.len};
        s->files[1] = (MailAttachment){names[1], BOOK_TYPE, buf_text(&xlsx), xlsx.len};
        r = release(s, parent, number, targets, n);
        free(s->items);
        return r;
}

static int make_and_send(App *app, PeriodId period, int64_t now_ms, const TargetRow *targets,
                         size_t n) {
        json_t *draft = NULL;
        UnitId parent = 0;
        int number = 0;

        int r = read_sent(app, period, &parent, &number);
        if (r == 0)
                r = take_draft(app, period, now_ms, &parent, &number, &draft);
        if (r == 0)
                r = send_draft(
                        &(Sending){.app = app, .draft = draft, .period = period, .now_ms = now_ms},
                        parent, number, targets, n);
        if (r == 0 && n == 0)
                log_info("the letter was made and kept in reports/; %s",
                         app->config->letter.n_to == 0 ? "[letter] to names nobody"
                                                       : "observing, so it is sent to nobody");
        json_decref(draft);
        return MIN(r, 0);
}

static int run(App *app, int64_t now_ms) {
        bool is_told = teller_is_live(app) && app->config->letter.n_to > 0;
        TargetRow *targets = NULL;
        LetterDue due;
        size_t n = 0;

        int r = letter_due(app, now_ms, &due);
        if (r < 0 || !letter_is_due(&due))
                return r;
        if (is_told)
                r = letter_targets(app, due.period, &targets, &n);
        if (r == 0 && (n > 0 || !is_told))
                r = make_and_send(app, due.period, now_ms, targets, n);
        target_rows_free(targets, n);
        return r;
}

void report_run(App *app, int64_t now_ms) {
        if (!app->config->letter.at)
                return;
        int r = run(app, now_ms);
        if (r >= 0)
                return;
        log_error("the letter cannot be sent (%s), trying again at the next event", strerror(-r));
        app->health.store_error = r;
        app->health.store_error_ms = now_ms;
}
