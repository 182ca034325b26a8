/* From the result of a job to durable rows: the evaluate transaction.
 *
 * Everything that one snapshot changes is one transaction: attempt, bodies, snapshot, units,
 * figures, vintages, notes, episodes, transitions, the operator's subjects, the source's manners,
 * and, when no gate waits, the first release. A failure anywhere leaves the database as it was;
 * the caller asks again later. */
#include <errno.h>
#include <stdio.h>

#include "core/reason.h"
#include "flow/cycle-private.h"
#include "flow/judge.h"
#include "flow/teller.h"
#include "flow/watch.h"
#include "os/clock.h"
#include "os/hook.h"
#include "os/log.h"

#define SAID(app, vi, en) (app_is_vi(app) ? (vi) : (en))

void cycle_evaluation_done(Evaluation *e) {
        free(e->unit_of);
        free(e->rows);
        free(e->changes);
        free(e->has_column);
}

/* ---- attempt and snapshot rows --------------------------------------------------------------- */

static FetchOutcome outcome_of(const FetchResult *r) {
        switch (r->fault) {
        case FETCH_OK:
                return r->is_not_modified ? OUTCOME_NOT_MODIFIED
                       : r->is_unchanged  ? OUTCOME_UNCHANGED
                                          : OUTCOME_NEW;
        case FETCH_CONTENT:
                return OUTCOME_REJECTED;
        case FETCH_SUSPECT:
                return OUTCOME_SUSPECT;
        default:
                return OUTCOME_FAILED;
        }
}

static int write_attempt(Evaluation *e) {
        const FetchResult *f = e->result;
        AttemptRow row = {.source = e->source->name,
                          .scope = f->scope,
                          .period = f->period,
                          .at_ms = f->started_ms,
                          .duration_ms = f->duration_ms,
                          .http_status = f->http_status,
                          .bytes = f->bytes,
                          .outcome = e->report->outcome,
                          .reason = e->report->reason[0] ? e->report->reason : NULL,
                          .snapshot = e->report->snapshot};
        return store_attempt_add(e->app->store, &row, &e->report->attempt);
}

static int write_snapshot(Evaluation *e, SnapshotState state) {
        const FetchResult *f = e->result;
        SnapshotPart CLEANUP_FREE *parts = calloc(f->n_parts + 1, sizeof *parts);
        if (!parts)
                return -ENOMEM;
        for (size_t i = 0; i < f->n_parts; i++) {
                const FetchedPart *p = &f->parts[i];
                parts[i] = (SnapshotPart){.name = p->name,
                                          .page = p->page,
                                          .http_status = p->http_status,
                                          .url = p->url,
                                          .etag = p->etag,
                                          .last_modified = p->last_modified,
                                          .at_ms = p->at_ms};
                memcpy(parts[i].hash, p->body.hash, sizeof parts[i].hash);
                int r = p->is_known ? 0 : store_body_put(e->app->store, &p->body);
                if (r < 0)
                        return r;
        }
        SnapshotRow row = {.source = e->source->name,
                           .scope = f->scope,
                           .period = f->period,
                           .step = e->step,
                           .at_ms = e->now_ms,
                           .state = state,
                           .reason = state == SNAPSHOT_SUSPECT ? e->report->reason : NULL,
                           .n_units = f->snapshot->n_units,
                           .n_values = f->snapshot->n_values,
                           .n_bad = f->snapshot->n_bad,
                           .parts = parts,
                           .n_parts = f->n_parts};
        return store_snapshot_add(e->app->store, &row, &e->report->snapshot);
}

/* A suspect one that a person accepts is known from this step on; its bodies are there already. */
static int keep_snapshot(Evaluation *e) {
        if (!e->order || e->order->snapshot == 0)
                return write_snapshot(e, SNAPSHOT_ACCEPTED);
        e->report->snapshot = e->order->snapshot;
        return store_snapshot_decide(e->app->store, e->step, e->order->snapshot, SNAPSHOT_ACCEPTED);
}

/* ---- suspicion ------------------------------------------------------------------------------- */

/* The report's reason as people read it. */
static const char *reason_text(const Evaluation *e, Buf *b) {
        const char *reason = e->report->reason;

        return app_is_vi(e->app) && reason_words(reason, b) == 0 ? buf_text(b) : reason;
}

/* `why` says what ended it. */
static int tell_suspicion(Evaluation *e, bool is_on, const char *why) {
        char subject[300], period[16];
        (void) snprintf(subject, sizeof subject, "suspect:%s/%s/%s", e->source->name,
                        e->result->scope, period_format(period, e->result->period));
        int n = 0;
        int r = store_snapshot_suspects(e->app->store, e->source->name, e->result->scope,
                                        e->result->period, &n);
        if (r < 0)
                return r;
        CLEANUP(buf_done) Buf reason = BUF_INIT(4096);
        char text[400];
        if (is_on)
                (void) snprintf(text, sizeof text,
                                SAID(e->app, "bộ số liệu đáng ngờ, được giữ mà không dùng: %s",
                                     "snapshot kept but not used: %s"),
                                reason_text(e, &reason));
        else
                (void) snprintf(text, sizeof text, "%s", why);
        return judge_subject(e->app, e->step, e->now_ms, "suspect-snapshot", subject, is_on,
                             n >= 3 ? SEVERITY_CRITICAL : SEVERITY_WARNING, text);
}

/* ---- a snapshot ------------------------------------------------------------------------------ */

/* A row put aside waits for a person, whatever is published after it: the alert ends when none of
 * the source's rows waits, and no other scope opens one of its own for them. */
static int tell_quarantine(Evaluation *e) {
        char subject[200], text[300];
        size_t n_open = 0;
        int r = store_quarantine_open(e->app->store, e->source->name, &n_open);
        if (r < 0 || (n_open > 0 && e->report->n_quarantined == 0))
                return r;
        (void) snprintf(subject, sizeof subject, "quarantine:%s/%s", e->source->name,
                        e->result->scope);
        if (e->report->n_quarantined == 0)
                (void) snprintf(text, sizeof text, "%s",
                                SAID(e->app, "mọi dòng công bố đều khớp đơn vị",
                                     "every published row matches a unit"));
        else
                (void) snprintf(text, sizeof text,
                                SAID(e->app,
                                     "%zu dòng công bố không khớp đơn vị nào, được để riêng; xem "
                                     "danh mục đơn vị",
                                     "%zu published rows match no unit and are kept apart; see the "
                                     "registry's "
                                     "quarantine"),
                                e->report->n_quarantined);
        return judge_subject(e->app, e->step, e->now_ms, "unknown-units", subject,
                             e->report->n_quarantined > 0, SEVERITY_WARNING, text);
}

static int accept(Evaluation *e) {
        e->report->n_bad = e->result->snapshot->n_bad;
        int r = cycle_units(e);
        if (r >= 0)
                r = cycle_drop_doubles(e);
        if (r >= 0)
                r = keep_snapshot(e);
        if (r >= 0)
                r = cycle_know(e);
        if (r >= 0 && e->is_seen_again)
                r = cycle_bring_back(e);
        if (r >= 0)
                r = tell_suspicion(e, false,
                                   e->order && e->order->snapshot
                                           ? SAID(e->app, "bộ số liệu đáng ngờ đã được nhận",
                                                  "the suspect snapshot was accepted")
                                           : SAID(e->app, "đã nhận bộ số liệu khác",
                                                  "a later snapshot was accepted"));
        return r < 0 ? r : tell_quarantine(e);
}

/* ---- the source's own conditions ------------------------------------------------------------- */

/* What the operator reads of a source that fails, or that works again. */
static void failing_text(const Evaluation *e, int failures, char *text, size_t size) {
        bool is_rejected = e->report->outcome == OUTCOME_REJECTED;
        CLEANUP(buf_done) Buf reason = BUF_INIT(4096);
        if (failures == 0)
                (void) snprintf(text, size, "%s",
                                SAID(e->app, "lấy lại được số liệu", "figures come again"));
        else
                (void) snprintf(text, size,
                                SAID(e->app,
                                     "%s: %s (%d lần liên tiếp); số liệu đã có được giữ nguyên",
                                     "%s: %s (%d in a row); the figures stay as they were"),
                                is_rejected ? SAID(e->app, "trả lời không dùng được", "rejected")
                                            : SAID(e->app, "không lấy được", "failed"),
                                e->report->reason[0] ? reason_text(e, &reason) : "-", failures);
}

static const char *refused_text(const App *app, const PoliteState *polite) {
        if (polite->is_stopped)
                return SAID(app,
                            "bị từ chối 7 ngày liền: dừng hẳn cho đến khi chạy `chisoctl fetch`",
                            "refused on 7 days in a row: stopped until `chisoctl fetch`");
        if (polite->refused_days > 0)
                return SAID(app, "bị từ chối: chỉ hỏi lại một lần vào giờ lấy tiếp theo",
                            "refused: one single request at the next regular time");
        return SAID(app, "không còn bị từ chối", "no longer refused");
}

static int judge_source(Evaluation *e, const PoliteState *polite) {
        const Config *c = e->app->config;
        Severity severity = polite->is_stopped ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        char subject[200], text[512];
        PeriodId newest =
                period_last_ended(period_type(e->result->period), day_of_instant(e->now_ms));
        bool is_old = e->result->period < newest;
        int failures = 0;
        /* Scopes fail each for itself: one that is well does not hide another that is not. And a
         * publisher that lacks last year's months is not failing. */
        int r = store_scope_failures(e->app->store, e->source->name, e->result->scope, newest,
                                     &failures);
        if (r < 0)
                return r;
        bool is_single = e->source->n_scopes < 2;
        (void) snprintf(subject, sizeof subject, "source:%s%s%s", e->source->name,
                        is_single ? "" : "/", is_single ? "" : e->result->scope);
        failing_text(e, failures, text, sizeof text);
        /* The count begins anew with the newest period: fewer failures than the rule asks open
         * nothing, and a source that answered nothing meanwhile has not been repaired either. */
        for (size_t i = 0; i < c->n_rules; i++) {
                const RuleDef *rule = &c->rules[i];
                if (rule->is_off || rule->when.kind != CONDITION_SOURCE_FAILING || is_old ||
                    (failures > 0 && failures < rule->when.count))
                        continue;
                r = judge_subject(e->app, e->step, e->now_ms, rule->name, subject,
                                  failures >= rule->when.count, severity, text);
                if (r < 0)
                        return r;
        }
        /* A refusal is told at once, and once: nothing more is asked today. */
        return judge_subject(e->app, e->step, e->now_ms, "source-refused", subject,
                             polite->refused_days > 0, severity, refused_text(e->app, polite));
}

/* ---- evaluate -------------------------------------------------------------------------------- */

static int judge(Evaluation *e) {
        bool is_partial = e->order && e->order->is_partial;
        return judge_run(e->app, &(JudgeScope){.step = e->step,
                                               .now_ms = e->now_ms,
                                               .source = (int) e->result->source,
                                               .period = e->result->period,
                                               .changes = e->changes,
                                               .n_changes = e->n_changes,
                                               .rows = e->rows,
                                               .n_rows = is_partial ? 0 : e->n_rows,
                                               .ret_n_transitions = &e->report->n_transitions});
}

/* Known and judged: messages are made of what the database holds. Several megabytes of a national
 * body would otherwise stand beside the largest message. */
static void drop_published(Evaluation *e) {
        free(TAKE_PTR(e->unit_of));
        free(TAKE_PTR(e->rows));
        free(TAKE_PTR(e->changes));
        if (e->result->snapshot)
                snapshot_free(TAKE_PTR(e->result->snapshot));
}

/* Most days nothing is new. What time alone opens is the tick's to find. */
static int tell(Evaluation *e) {
        bool is_new = e->n_changes > 0 || e->report->n_transitions > 0 || e->is_registry_touched;
        drop_published(e);
        if (!is_new && !e->app->is_tell_due)
                return 0;
        return teller_run(e->app, e->now_ms, /* is_inside= */ true, NULL);
}

static int evaluate_inside(Evaluation *e, const PoliteState *polite) {
        FetchResult *f = e->result;
        CycleReport *report = e->report;
        bool is_suspect = false;
        int r = 0;
        if (f->snapshot)
                r = cycle_suspicion(e, &is_suspect);
        if (r < 0)
                return r;
        if (is_suspect)
                f->fault = FETCH_SUSPECT;
        report->outcome = outcome_of(f);
        r = store_step(e->app->store, f->snapshot ? CAUSE_SNAPSHOT : CAUSE_ATTEMPT, e->now_ms,
                       &e->step);
        if (r < 0)
                return r;
        if (is_suspect) {
                r = write_snapshot(e, SNAPSHOT_SUSPECT);
                if (r >= 0)
                        r = tell_suspicion(e, true, NULL);
        } else if (f->snapshot) {
                r = accept(e);
        } else if (f->fault == FETCH_OK) {
                r = tell_suspicion(e, false,
                                   SAID(e->app, "nguồn lại công bố bộ số liệu đang dùng",
                                        "the snapshot in use is published again"));
        }
        hook_point("evaluate.write");
        if (r >= 0)
                r = write_attempt(e);
        if (r >= 0 && f->fault == FETCH_OK)
                r = judge(e);
        if (r >= 0)
                r = judge_source(e, polite);
        if (r >= 0)
                r = store_polite_put(e->app->store, e->source->name, polite);
        /* A unit that has just been registered is a target of `each` recipients at once. */
        if (r >= 0 && e->is_registry_touched)
                r = teller_sync_targets(e->app, e->step);
        if (r >= 0)
                r = watch_run(
                        e->app,
                        &(WatchScope){.step = e->step,
                                      .now_ms = e->now_ms,
                                      .source = (int) f->source,
                                      .period = f->period,
                                      .changes = e->changes,
                                      .n_changes = e->n_changes,
                                      .scope_unit = e->is_registry_touched ? 0 : e->scope_unit,
                                      .is_same = !f->snapshot || is_suspect});
        return r < 0 ? r : tell(e);
}

static void forget(App *app, bool is_registry_touched) {
        store_rollback(app->store);
        judge_forget(app);
        watch_forget(app);
        if (!is_registry_touched)
                return;
        unit_registry_done(&app->units);
        app->units = (UnitRegistry){0};
        int r = store_units_load(app->store, &app->units);
        if (r < 0)
                log_error(
                        "registry cannot be read again after a rollback (%s), it is as it was in "
                        "memory",
                        strerror(-r));
}

static const char *message_of(FetchOutcome outcome) {
        return outcome <= OUTCOME_NOT_MODIFIED ? LOG_ID_SNAPSHOT_ACCEPTED
               : outcome == OUTCOME_REJECTED || outcome == OUTCOME_SUSPECT
                       ? LOG_ID_SNAPSHOT_REJECTED
                       : LOG_ID_SOURCE_FAILED;
}

static void log_report(const Evaluation *e) {
        char period[16];
        const CycleReport *c = e->report;
        LogFields fields = {.source = e->source->name, .message_id = message_of(c->outcome)};
        (void) period_format(period, e->result->period);
        if (c->outcome <= OUTCOME_NOT_MODIFIED)
                log_full(LOG_INFO, &fields,
                         "%s %s %s: %s, %zu new and %zu changed figures, %zu transitions, %zu bad, "
                         "%zu unknown units",
                         e->source->name, e->result->scope, period, fetch_outcome_name(c->outcome),
                         c->n_new, c->n_changed, c->n_transitions, c->n_bad, c->n_quarantined);
        else
                log_full(LOG_WARNING, &fields, "%s %s %s: %s (%s), keeping the previous figures",
                         e->source->name, e->result->scope, period, fetch_outcome_name(c->outcome),
                         c->reason);
}

/* For a second look at the same answer, as suspect. */
static void forget_read(Evaluation *e) {
        char reason[sizeof e->report->reason];
        memcpy(reason, e->report->reason, sizeof reason);
        cycle_evaluation_done(e);
        *e = (Evaluation){.app = e->app,
                          .result = e->result,
                          .now_ms = e->now_ms,
                          .report = e->report,
                          .source = e->source,
                          .is_lossy = true};
        *e->report = (CycleReport){0};
        memcpy(e->report->reason, reason, sizeof reason);
}

static int evaluate_once(Evaluation *e, const PoliteState *polite) {
        int r = store_begin(e->app->store);
        if (r < 0)
                return r;
        r = evaluate_inside(e, polite);
        hook_point("evaluate.commit");
        return r < 0 ? r : store_commit(e->app->store);
}

int cycle_evaluate(App *app, FetchResult *result, const PoliteState *polite, int64_t now_ms,
                   CycleReport *ret) {
        *ret = (CycleReport){0};
        if (result->reason)
                (void) snprintf(ret->reason, sizeof ret->reason, "%s", result->reason);
        Evaluation CLEANUP(cycle_evaluation_done)
                e = {.app = app,
                     .result = result,
                     .now_ms = now_ms,
                     .report = ret,
                     .source = &app->config->sources[result->source]};
        hook_point("evaluate.begin");
        int r = evaluate_once(&e, polite);
        if (r == CYCLE_E_LOSSY) {
                forget(app, e.is_registry_touched);
                forget_read(&e);
                r = evaluate_once(&e, polite);
        }
        if (r < 0) {
                forget(app, e.is_registry_touched);
                return r;
        }
        hook_point("evaluate.done");
        log_report(&e);
        return 0;
}

/* ---- what a person orders -------------------------------------------------------------------- */

/* Who restated a closed month is no matter to those who answer for the whole. */
static int watch_order(Evaluation *e) {
        int r = e->is_registry_touched ? teller_sync_targets(e->app, e->step) : 0;
        return r < 0 ? r
                     : watch_run(e->app, &(WatchScope){.step = e->step,
                                                       .now_ms = e->now_ms,
                                                       .source = (int) e->result->source,
                                                       .period = e->result->period,
                                                       .changes = e->changes,
                                                       .n_changes = e->n_changes,
                                                       .is_by_hand = true});
}

static int order_inside(Evaluation *e) {
        bool is_odd = false;
        int r = cycle_suspicion(e, &is_odd); /* said in the report; a person decided */
        if (r >= 0)
                r = store_step(e->app->store, e->order->cause, e->now_ms, &e->step);
        if (r < 0)
                return r;
        e->report->outcome = OUTCOME_NEW;
        r = accept(e);
        hook_point("evaluate.write");
        if (r >= 0)
                r = judge(e);
        if (r >= 0 && !e->order->is_trial)
                r = watch_order(e);
        if (r >= 0 && !e->order->is_trial)
                r = teller_run(e->app, e->now_ms, /* is_inside= */ true, NULL);
        return r;
}

int cycle_order(App *app, FetchResult *result, const CycleOrder *order, int64_t now_ms,
                CycleReport *ret) {
        *ret = (CycleReport){0};
        Evaluation CLEANUP(cycle_evaluation_done)
                e = {.app = app,
                     .result = result,
                     .now_ms = now_ms,
                     .report = ret,
                     .order = order,
                     .source = &app->config->sources[result->source]};
        int r = store_begin(app->store);
        if (r < 0)
                return r;
        r = order_inside(&e);
        if (r == 0 && order->is_trial && order->watch)
                r = order->watch(order->userdata, e.changes, e.n_changes);
        if (r == 0 && !order->is_trial)
                r = store_commit(app->store);
        watch_forget(app);
        if (r != 0 || order->is_trial)
                forget(app, e.is_registry_touched);
        if (r == 0 && !order->is_trial)
                log_report(&e);
        return r;
}

static int undo_inside(Evaluation *e, const SnapshotRow *row) {
        Store *store = e->app->store;
        int r = store_step(store, CAUSE_OPERATOR, e->now_ms, &e->step);
        if (r >= 0)
                r = store_snapshot_undo(store, e->step, row->id);
        if (r != 0)
                return r;
        r = cycle_put_back(e, row);
        if (r < 0)
                return r;
        e->report->n_changed = e->n_changes;
        r = judge(e);
        if (r >= 0) /* an alert that is still open keeps its unit */
                r = cycle_recount(e);
        if (r >= 0)
                r = watch_order(e);
        return r < 0 ? r : teller_run(e->app, e->now_ms, /* is_inside= */ true, NULL);
}

static int reject_inside(Evaluation *e, const SnapshotRow *row) {
        int r = store_step(e->app->store, CAUSE_OPERATOR, e->now_ms, &e->step);
        if (r >= 0)
                r = store_snapshot_decide(e->app->store, e->step, row->id, SNAPSHOT_REJECTED);
        if (r == 0)
                r = tell_suspicion(e, false,
                                   SAID(e->app, "bộ số liệu đáng ngờ đã bị loại",
                                        "the suspect snapshot was rejected"));
        return r;
}

int cycle_take_back(App *app, const SnapshotRow *row, int64_t now_ms, CycleReport *ret) {
        int source = config_source(app->config, row->source);
        if (source < 0)
                return -ENOENT;
        *ret = (CycleReport){.snapshot = row->id, .outcome = OUTCOME_REJECTED};
        FetchResult about = {.source = (size_t) source, .scope = row->scope, .period = row->period};
        Evaluation CLEANUP(cycle_evaluation_done) e = {.app = app,
                                                       .result = &about,
                                                       .now_ms = now_ms,
                                                       .report = ret,
                                                       .source = &app->config->sources[source]};
        int r = store_begin(app->store);
        if (r < 0)
                return r;
        r = row->state == SNAPSHOT_SUSPECT ? reject_inside(&e, row) : undo_inside(&e, row);
        watch_forget(app);
        if (r == 0)
                r = store_commit(app->store);
        if (r != 0)
                forget(app, e.is_registry_touched);
        return r;
}

int cycle_replay(App *app, FetchResult *result, StepId step, int64_t snapshot, bool is_partial) {
        CycleReport report = {.snapshot = snapshot};
        CycleOrder order = {.is_partial = is_partial}; /* what counted counts, whoever let it in */
        Evaluation CLEANUP(cycle_evaluation_done)
                e = {.app = app,
                     .result = result,
                     .step = step,
                     .order = &order,
                     .report = &report,
                     .source = &app->config->sources[result->source]};
        int r = cycle_units(&e);
        if (r >= 0)
                r = cycle_drop_doubles(&e);
        return r < 0 ? r : cycle_know(&e);
}

int cycle_deadline(App *app, int64_t now_ms) {
        int r = store_begin(app->store);
        if (r < 0)
                return r;
        StepId step = 0;
        size_t n = 0;
        r = store_step(app->store, CAUSE_DEADLINE, now_ms, &step);
        if (r >= 0)
                r = judge_run(app, &(JudgeScope){.step = step,
                                                 .now_ms = now_ms,
                                                 .source = -1,
                                                 .ret_n_transitions = &n});
        if (r >= 0)
                r = watch_run(app, &(WatchScope){.step = step, .now_ms = now_ms, .source = -1});
        if (r >= 0)
                r = store_commit(app->store);
        if (r < 0)
                forget(app, false);
        return r;
}
