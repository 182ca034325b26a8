/* alert-properties RUNS [SEED]: random lives of alerts, judged, planned and booked by the real code.
 *
 * Each run publishes months late or in pieces, revises and restates, silences, acknowledges, changes
 * the rule's limit, reloads, restarts, and lets deliveries arrive, fail, or do either without a word;
 * some have an era, an early warning, a repeat in days, or so many units that the mass guard trips.
 *
 * After every judgement: judging again adds nothing, a unit without a figure neither opens nor closes,
 * and what stands open is what a plain walk over the months finds. In every message: an end goes only
 * to who was told of the opening, once, with the figure that ended it and the one that was read
 * before; nothing is told against a silence, a hold, an acknowledgement, a gate or a quiet week; what
 * repeats by days does so on that day. Officials get at most one message a day, on working days. When
 * all that is over and everything is delivered, the ledger says what is true.
 *
 * The checks read an account of their own (Heard, Printed), which knows only what arrived; the mistakes
 * that they must catch are listed in mistakes.py. */
#include "alert-world.h"

/* ---- what is true ---------------------------------------------------------------------------- */

static void check_missing(const World *w, const JudgeResult *r) {
        for (size_t i = 0; i < r->n_transitions; i++) {
                const Transition *t = &r->transitions[i];
                if (t->kind == TRANSITION_OPENED || t->kind == TRANSITION_CLOSED)
                        must(w, value_of(w, t->period, r->episodes[t->episode].unit) != VALUE_NONE,
                             "a missing figure opened or closed");
        }
}

static const RuleDef *text_at(const World *w, PeriodId period) {
        const RuleDef *rule = NULL;
        for (size_t i = 0; i < w->n_versions && w->versions[i].from <= period; i++)
                rule = w->versions[i].rule;
        return rule;
}

/* A plain walk: in which month did what stands open now begin? 0: nothing does. */
static PeriodId open_since(const World *w, UnitId unit) {
        PeriodId first = 0;
        int breaches = 0;
        bool is_open = false;
        for (size_t p = 0; p < w->n_periods; p++) {
                const RuleDef *rule = text_at(w, period_at(p));
                int64_t value = value_of(w, period_at(p), unit);
                if (w->era.name && p == ERA_PERIOD)
                        first = 0;
                if (value != VALUE_NONE && value >= rule->when.amount + rule->clear)
                        first = 0;
                if (value != VALUE_NONE && value < rule->when.amount) {
                        breaches = first ? breaches + 1 : 1;
                        first = first ? first : period_at(p);
                        is_open = (breaches > 1 && is_open) || breaches >= rule->for_n;
                }
        }
        return first && is_open ? first : 0;
}

/* What a changed rule opened waits for the next publication. */
static void note_openings(World *w, const Step *step, const JudgeResult *r) {
        for (size_t i = 0; i < r->n_transitions; i++) {
                const Episode *e = &r->episodes[r->transitions[i].episode];
                if (r->transitions[i].kind == TRANSITION_OPENED)
                        w->quiet_until[e->id] = step->is_new_rule ? period_next(newest_of(w)) : 0;
        }
}

static void check_open(const World *w) {
        for (UnitId unit = 1; unit <= w->n_units; unit++) {
                PeriodId found = 0;
                for (size_t i = 0; i < w->n_episodes; i++) {
                        const Episode *e = &w->episodes[i];
                        if (e->unit != unit || e->state != EPISODE_OPEN)
                                continue;
                        must(w, !found, "two alerts of one unit stand open");
                        found = (PeriodId) e->first;
                }
                must(w, found == open_since(w, unit),
                     "what stands open is not what the figures say");
        }
}

static void judge(World *w, const Step *step) {
        CLEANUP(judge_result_done) JudgeResult result = {0}, again = {0};
        world_judge(w, step, &result);
        check_missing(w, &result);
        note_openings(w, step, &result);
        /* An early warning that cleared is over, whatever its month says later. */
        if (!is_early_warning(w))
                check_open(w);
        world_judge(w, &(Step){0}, &again);
        must(w, again.n_episodes + again.n_transitions == 0, "judging again added something");
}

/* ---- what may be said ------------------------------------------------------------------------ */

static void check_opening(const World *w, Who who, const Episode *e) {
        must(w, !e->is_held, "an opening that the mass guard holds was told");
        must(w, who == OPERATOR || w->quiet_until[e->id] <= newest_of(w),
             "an opening went out too early");
        must(w, who != SUPERIOR || (e->length >= ESCALATE_AFTER && !is_acked(w, e)),
             "told to a superior though not escalated");
}

static bool is_in(const PlanItem *items, size_t n, PeriodId period, UnitId unit, int64_t value) {
        for (size_t i = 0; i < n; i++)
                if (items[i].say != SAY_CLOSING && items[i].period == period &&
                    items[i].unit == unit && items[i].value == value)
                        return true;
        return false;
}

/* The figure that ended it, and the one that its reader knows: of this very month, if it was told
 * and is another now; else of the month that was told, as corrected since or herewith. */
static void check_closing(const World *w, const Target *t, const PlanItem *items, size_t n,
                          const PlanItem *item) {
        const Episode *e = &w->episodes[item->episode - 1];
        PeriodId told = t->heard[e->id].period;
        const Printed *then = &t->printed[cell_of(w, told, e->unit)],
                      *own = &t->printed[cell_of(w, e->last, e->unit)];
        must(w, item->period == e->last, "an end names another month");
        /* An early warning keeps the figure that cleared it, whatever its month says later. */
        must(w,
             e->end != END_CLEAR || is_early_warning(w) ||
                     item->value == value_of(w, e->last, e->unit),
             "an end shows another value than the one that ended it");
        if (own->is_any && item->value != VALUE_NONE && own->value != item->value)
                must(w, item->old_value == own->value, "an end corrects what was not told");
        else if (then->is_any && !is_in(items, n, told, e->unit, item->old_value))
                must(w, item->old_value == then->value,
                     "an end shows another value before than the one that was told");
}

/* The figures say nothing of it: operators hear of it all the same, unless its own figure is away. */
static bool is_left_alone(const World *w, Who who, const Episode *e) {
        return is_unknown(w, e) && (who != OPERATOR || e->last == newest_of(w));
}

static void check_item(const World *w, Who who, const PlanItem *items, size_t n,
                       const PlanItem *item) {
        const Target *t = &w->targets[who];
        must(w, w->silence[item->unit - 1] <= w->now, "something was said against a silence");
        if (item->episode == 0)
                return;
        const Episode *e = &w->episodes[item->episode - 1];
        const Heard *heard = &t->heard[e->id];
        Day since = day_of_instant(w->now) - heard->day;
        must(w, !is_early_warning(w) || !heard->is_any || since >= 7,
             "an early warning spoke twice in a week");
        if (item->say == SAY_OPENING || item->say == SAY_LATE)
                check_opening(w, who, e);
        if (item->say == SAY_CONTINUED) {
                must(w, !is_acked(w, e), "an acknowledged alert was repeated");
                must(w, w->repeat != REPEAT_NEVER, "repeated, though never wanted");
                must(w, !is_left_alone(w, who, e), "an unknown alert was repeated");
        }
        if (item->say == SAY_CLOSING)
                check_closing(w, t, items, n, item);
}

/* What stands and repeats every N days speaks on that day, counted in local days, and on no other. */
static void check_repeats(const World *w, Who who, const PlanItem *items, size_t n) {
        for (size_t i = 0; w->repeat == REPEAT_DAYS && i < w->n_episodes; i++) {
                const Episode *e = &w->episodes[i];
                const Heard *heard = &w->targets[who].heard[e->id];
                bool is_said = false;
                for (size_t k = 0; k < n; k++)
                        is_said |= items[k].episode == e->id && items[k].say == SAY_CONTINUED;
                if (e->state != EPISODE_OPEN || !heard->stands || is_acked(w, e) ||
                    w->silence[e->unit - 1] > w->now || e->severity > heard->severity ||
                    is_early_warning(w) || is_left_alone(w, who, e))
                        continue;
                must(w, is_said == (day_of_instant(w->now) - heard->day >= w->repeat_days),
                     "a repeat came on another day");
        }
}

static void plan(World *w, Who who, PlanItem **ret, size_t *ret_n) {
        world_plan(w, who, ret, ret_n);
        for (size_t i = 0; i < *ret_n; i++)
                check_item(w, who, *ret, *ret_n, &(*ret)[i]);
        check_repeats(w, who, *ret, *ret_n);
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static void hear(World *w, Target *t, const PlanItem *item) {
        Heard *heard = &t->heard[item->episode];
        switch (item->say) {
        case SAY_OPENING:
                must(w, !heard->stands, "an opening was told twice");
                heard->stands = true;
                break;
        case SAY_CONTINUED:
        case SAY_WORSE:
                must(w, heard->stands, "something went on that was never told");
                break;
        case SAY_CLOSING:
                must(w, heard->stands, "an end was told to somebody never told of the opening");
                heard->stands = false;
                break;
        case SAY_WITHDRAWN:
                must(w, heard->is_any, "withdrawn, though never told");
                heard->stands = false;
                break;
        default:
                heard->stands = false;
                break;
        }
        heard->is_any = true;
        heard->said = item->say;
        heard->day = day_of_instant(w->now);
        heard->severity = item->severity;
        heard->period = item->period;
}

static void arrive(World *w, Target *t) {
        for (size_t i = 0; i < t->letter.n; i++) {
                const PlanItem *item = &t->letter.items[i];
                if (item->episode)
                        hear(w, t, item);
                if (item->say == SAY_WITHDRAWN ||
                    (item->value == VALUE_NONE && item->say != SAY_FIX))
                        continue;
                t->printed[cell_of(w, item->period, item->unit)] =
                        (Printed){.is_any = true,
                                  .is_early = day_of_instant(w->now) < period_end(item->period),
                                  .value = item->value};
        }
        world_book(w, t);
        drop_letter(t);
}

/* 0 arrives, 1 arrives without a word, 2 certainly lost and tried again, 3 dead. */
static void attempt(World *w, Target *t, size_t fate) {
        if (!t->letter.is_waiting || fate == 2)
                return;
        if (fate == 1) {
                t->letter.is_maybe = true; /* the bytes are fixed from now on */
        } else if (fate == 3 && !t->letter.is_maybe) {
                world_give_up(w, t);
                drop_letter(t);
        } else {
                arrive(w, t); /* or dead but may have */
        }
}

static bool is_day_off(const World *w, Day day) {
        if (day == w->working.first)
                return false;
        return day_weekday(day) >= 5 || (day >= w->off.first && day <= w->off.last);
}

static bool is_urgent(const PlanItem *items, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (items[i].say != SAY_CONTINUED && items[i].say != SAY_FIX)
                        return true;
        return false;
}

static void check_day(World *w, Who who) {
        Target *t = &w->targets[who];
        Day today = day_of_instant(w->now);
        if (who == OFFICIAL || who == SUPERIOR) {
                must(w, t->last_day != today, "two messages on one day");
                must(w, !is_day_off(w, today), "a message on a day off");
                must(w, minute_of_instant(w->now) >= DIGEST_MINUTE, "a message before the digest");
        }
        t->last_day = today;
}

static int64_t gate_of(const World *w, Who who, bool has_urgent) {
        GateInput gate = {.role = who == OPERATOR ? ROLE_OPERATOR : ROLE_OFFICIAL,
                          .is_immediate = who == PROGRAM,
                          .has_urgent = has_urgent,
                          .digest_minute = DIGEST_MINUTE,
                          .calendar = &w->calendar,
                          .last_release_ms = w->targets[who].last_release,
                          .now_ms = w->now};
        return plan_gate(&gate);
}

static void release(World *w, Who who) {
        Target *t = &w->targets[who];
        bool is_remade = t->letter.is_waiting && !t->letter.is_maybe;
        PlanItem *items;
        size_t n;
        if ((t->letter.is_waiting && !is_remade) ||
            (!is_remade && who != OPERATOR && gate_of(w, who, false) > w->now))
                return;
        plan(w, who, &items, &n);
        drop_letter(t);
        if (n == 0 || (!is_remade && gate_of(w, who, is_urgent(items, n)) > w->now)) {
                free(items);
                return;
        }
        if (!is_remade) {
                check_day(w, who);
                t->last_release = w->now;
        }
        t->letter = (Letter){.items = items, .n = n, .is_waiting = true};
}

static void tell(World *w, bool is_fine) {
        for (Who who = 0; who < TARGETS; who++) {
                release(w, who);
                attempt(w, &w->targets[who], is_fine ? 0 : below(w, 10) < 6 ? 0 : below(w, 4));
        }
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Around the limits, so that everything happens often; 12 % without a value. */
static int64_t draw_value(World *w) {
        static const int64_t near[] = {7800, 7999, 8000, 9100, 9450, 9499, 9500, 9550, 9600, 9900};
        return below(w, 8) == 0 ? VALUE_NONE : near[below(w, ELEMENTSOF(near))];
}

static void publish(World *w) {
        if (w->n_periods == PERIODS)
                return;
        int64_t *row = w->value + w->n_periods++ * w->n_units;
        for (size_t u = 0; u < w->n_units; u++)
                row[u] = draw_value(w);
        PeriodId newest = newest_of(w);
        Day day = is_early_warning(w) ? period_start(newest) + 10 : period_end(newest) + 3;
        w->now = MAX(w->now, day_start_ms(day));
        judge(w, &(Step){.first_seen = newest});
}

static void revise(World *w) {
        size_t p = below(w, 3) == 0 ? below(w, w->n_periods) : w->n_periods - 1;
        size_t u = below(w, w->n_units);
        Step step = {0};
        int64_t value = draw_value(w), *cell = &w->value[p * w->n_units + u];
        if (value == *cell)
                return;
        if (*cell == VALUE_NONE) {
                step.first_seen = period_at(p);
        } else {
                step.restated = period_at(p);
                step.is_restated[u] = true;
        }
        *cell = value;
        judge(w, &step);
}

static void change_rule(World *w) {
        static const int64_t limits[] = {9300, 9400, 9500, 9580};
        if (w->n_versions == VERSIONS)
                return;
        bool is_same = w->versions[w->n_versions - 1].from == newest_of(w);
        size_t at = is_same ? w->n_versions - 1 : w->n_versions++;
        if (!is_same)
                w->rules[at] = *w->versions[at - 1].rule;
        w->rules[at].when.amount = limits[below(w, ELEMENTSOF(limits))];
        w->versions[at] = (RuleVersion){.from = newest_of(w), .rule = &w->rules[at]};
        judge(w, &(Step){.is_new_rule = true});
}

static void acknowledge(World *w) {
        if (w->n_episodes == 0)
                return;
        Episode *e = &w->episodes[below(w, w->n_episodes)];
        if (e->state != EPISODE_OPEN)
                return;
        w->acked[e->id] = e->severity;
        w->ack_end[e->id] = below(w, 2) ? INT64_MAX : w->now + (int64_t) below(w, 30) * MS_PER_DAY;
}

/* What was under way is found started: it may have arrived, and goes out again as it is. */
static void restart(World *w) {
        CLEANUP(judge_result_done) JudgeResult result = {0};
        for (size_t i = 0; i < TARGETS; i++)
                if (w->targets[i].letter.is_waiting)
                        w->targets[i].letter.is_maybe = true;
        world_judge(w, &(Step){0}, &result);
        must(w, result.n_episodes + result.n_transitions == 0, "a restart changed something");
}

static void event(World *w) {
        switch (below(w, 13)) {
        case 0:
        case 1:
        case 2:
                publish(w);
                break;
        case 3:
        case 4:
        case 5:
                revise(w);
                break;
        case 6:
                change_rule(w);
                break;
        case 7:
                w->silence[below(w, w->n_units)] = w->now + (int64_t) below(w, 40) * MS_PER_DAY;
                break;
        case 8:
                acknowledge(w);
                break;
        case 9:
                restart(w);
                break;
        case 10:
                judge(w, &(Step){.is_released = true});
                break;
        default:
                break;
        }
        tell(w, false);
        w->now += (int64_t) below(w, 36) * MS_PER_HOUR + (int64_t) below(w, 60) * MS_PER_MINUTE;
}

/* ---- at rest --------------------------------------------------------------------------------- */

static const Told *told_of(const Target *t, int64_t episode) {
        for (size_t i = 0; i < t->n_told; i++)
                if (t->told[i].episode == episode)
                        return &t->told[i];
        return NULL;
}

/* An open alert of which the target rightly knows nothing. */
static bool waits(const World *w, Who who, const Episode *e) {
        const Told *told = told_of(&w->targets[who], e->id);
        if (e->is_held || (who != OPERATOR && e->tell_from > newest_of(w)))
                return true;
        if (who == SUPERIOR && (e->length < ESCALATE_AFTER || is_acked(w, e)))
                return true;
        /* A dead letter heals when its alert moves on. */
        if (told && told->gave_up && (told->gave_up == e->last || told->last == e->last))
                return true;
        /* The figure that ended it went missing: open again, and nothing to say. */
        return told && told->said == SAY_CLOSING && is_unknown(w, e);
}

static void check_alerts(const World *w, Who who) {
        const Target *t = &w->targets[who];
        for (size_t k = 0; k < w->n_episodes; k++) {
                const Episode *e = &w->episodes[k];
                const Heard *heard = &t->heard[e->id];
                bool is_open = e->state == EPISODE_OPEN;
                must(w, !is_open || heard->stands || waits(w, who, e),
                     "an open alert was never told");
                must(w, is_open || !heard->stands || is_trembling(w, e), "an end was never told");
                bool is_gone = e->state == EPISODE_GONE || e->state == EPISODE_PENDING;
                must(w,
                     !is_gone || !heard->is_any || heard->said == SAY_WITHDRAWN ||
                             is_trembling(w, e),
                     "what never was is still believed");
                if (!is_open || !heard->stands || is_acked(w, e) ||
                    w->repeat != REPEAT_PUBLICATION || is_left_alone(w, who, e))
                        continue;
                must(w, heard->period == e->last, "the newest month of an alert was never told");
        }
}

static void check_figures(World *w, Who who) {
        Target *t = &w->targets[who];
        world_fill_figures(w, t);
        for (size_t k = 0; k < t->n_figures; k++) {
                const ToldFigure *f = &t->figures[k];
                const Printed *printed = &t->printed[cell_of(w, f->period, f->unit)];
                int64_t now = value_of(w, f->period, f->unit), was = printed->value;
                must(w, printed->is_any && was == f->value, "the ledger says what nobody read");
                bool is_near = now != VALUE_NONE && was != VALUE_NONE &&
                               llabs((long long) (now - was)) < indicator.restated_min &&
                               !is_flipped(w, f->period, was, now);
                must(w, now == was || is_near || printed->is_early,
                     "a printed figure was never corrected");
        }
}

static void check_truth(World *w, Who who) {
        PlanItem *items;
        size_t n;
        plan(w, who, &items, &n);
        free(items);
        must(w, n == 0, "something is left to tell");
        check_alerts(w, who);
        check_figures(w, who);
}

/* Silences run out, acknowledgements stay: they hide no end. */
static void rest(World *w) {
        for (size_t u = 0; u < w->n_units; u++)
                w->now = MAX(w->now, w->silence[u]);
        for (int day = 0; day < 10 || is_day_off(w, day_of_instant(w->now)); day++) {
                w->now = day_start_ms(day_of_instant(w->now) + 1) +
                         (DIGEST_MINUTE + 1) * MS_PER_MINUTE;
                tell(w, true);
        }
        for (Who who = 0; who < TARGETS; who++)
                check_truth(w, who);
}

/* ---- one life -------------------------------------------------------------------------------- */

/* Some days off from the second week on, and a Saturday that is worked. */
static void make_calendar(World *w) {
        Day start = day_of_instant(w->now) + 7 + (Day) below(w, 30);
        w->off = (DayRange){.first = start, .last = start + 4};
        Day saturday = start + 7 + 5 - (Day) day_weekday(start);
        w->working = (DayRange){.first = saturday, .last = saturday};
        w->calendar = (Calendar){.work_mask = 0x1f,
                                 .off = &w->off,
                                 .n_off = 1,
                                 .working = &w->working,
                                 .n_working = 1};
}

static void make_rule(World *w) {
        w->rules[0] = (RuleDef){.name = "low",
                                .period = PERIOD_MONTH,
                                .when = {.kind = CONDITION_BELOW, .amount = 9500},
                                .critical = {.kind = CONDITION_BELOW, .amount = 8000},
                                .clear = 100,
                                .for_n = 1 + (int) below(w, 2),
                                .watch = below(w, 6) == 0 ? WATCH_RUNNING : WATCH_ENDED,
                                .volume_indicator = -1};
        w->versions[0] = (RuleVersion){.from = FIRST_PERIOD, .rule = &w->rules[0]};
        w->n_versions = 1;
        w->repeat = (RepeatKind) below(w, 3);
        w->repeat_days = 2 + (int) below(w, 6);
        if (below(w, 5) == 0)
                w->era = (EraDef){.name = "era",
                                  .from = period_start(period_at(ERA_PERIOD)),
                                  .reason = "formula"};
}

static void run(World *w, uint64_t seed) {
        *w = (World){.seed = seed, .state = seed};
        w->n_units = below(w, 6) == 0 ? MAX_UNITS : 4;
        for (size_t u = 0; u < w->n_units; u++)
                w->units[u] = (UnitId) u + 1;
        make_rule(w);
        publish(w);
        make_calendar(w);
        for (size_t i = 20 + below(w, 30); i > 0; i--)
                event(w);
        rest(w);
        for (size_t i = 0; i < TARGETS; i++)
                drop_letter(&w->targets[i]);
}

int main(int argc, char **argv) {
        uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
        uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
        World *w = calloc(1, sizeof *w);
        if (!w)
                return 1;
        for (uint64_t i = 0; i < n; i++)
                run(w, first + i);
        free(w);
        printf("alert-properties: %llu runs\n", (unsigned long long) n);
        return 0;
}
