/* Episodes, their transitions, and episodes of the past.
 *
 * Every transition carries the whole episode after it, so that the past needs no replay: an episode
 * as of a step is its newest transition up to there. Filters that no index serves are applied here,
 * not by SQL made at run time. */
#include <errno.h>

#include "store/alert.h"
#include "store/sql.h"

/* ---- reading
 * ----------------------------------------------------------------------------------------------------
 */

static Episode episode_at(Query q) {
        return (Episode){
                .id = column_int(q, 0),
                .rule = (const char *) sqlite3_column_text(q, 1), /* until the next row */
                .unit = (UnitId) column_int(q, 2),
                .subject = (const char *) sqlite3_column_text(q, 3),
                .first = column_int(q, 4),
                .opened = (PeriodId) column_int(q, 5),
                .last = (PeriodId) column_int(q, 6),
                .length = (int) column_int(q, 7),
                .state = (EpisodeState) column_int(q, 8),
                .end = (EndReason) column_int(q, 9),
                .severity = (Severity) column_int(q, 10),
                .value = column_value(q, 11),
                .previous = column_value(q, 12),
                .limit = column_value(q, 13),
                .delta = column_value(q, 14),
                .place = (uint32_t) column_int(q, 15),
                .of = (uint32_t) column_int(q, 16),
                .is_late = column_int(q, 17) != 0,
                .is_held = column_int(q, 18) != 0,
                .tell_from = (PeriodId) column_int(q, 19),
                .step = column_int(q, 20),
        };
}

static int compare_units(const void *a, const void *b) {
        UnitId x = *(const UnitId *) a, y = *(const UnitId *) b;

        return (x > y) - (x < y);
}

static bool episode_matches(const Episode *e, const EpisodeFilter *f) {
        bool is_live = e->state == EPISODE_PENDING || e->state == EPISODE_OPEN;

        if (f->rule && !streq(f->rule, str_or(e->rule, "")))
                return false;
        if (f->units && (f->n_units == 0 ||
                         !bsearch(&e->unit, f->units, f->n_units, sizeof(UnitId), compare_units)))
                return false;
        if (f->id && f->id != e->id)
                return false;
        if (f->is_live && !is_live && !(f->touched_from && e->last >= f->touched_from))
                return false;
        if (f->is_subject && e->unit)
                return false;
        if (f->subject && !streq(f->subject, str_or(e->subject, "")))
                return false;
        /* a run that was over before it had lasted for `for` periods was never an alert */
        return !f->is_visible ||
               (e->state != EPISODE_PENDING && !(e->state == EPISODE_GONE && e->opened == 0));
}

static int compare_episodes(const void *a, const void *b) {
        const Episode *x = a, *y = b;
        int r = strcmp(x->rule, y->rule);

        if (r == 0)
                r = (x->unit > y->unit) - (x->unit < y->unit);
        if (r == 0)
                r = strcmp(str_or(x->subject, ""), str_or(y->subject, ""));
        if (r == 0)
                r = (x->first > y->first) - (x->first < y->first);
        return r;
}

typedef struct Episodes {
        Episode *list;
        size_t n, cap;
} Episodes;

static void episodes_done(Episodes *e) {
        store_episodes_free(e->list, e->n);
}

static int episodes_append(Episodes *all, const Episode *e) {
        Episode copy = *e;
        int r;

        r = ARRAY_GROW(all->list, all->cap, all->n + 1);
        if (r < 0)
                return r;
        copy.rule = strdup(str_or(e->rule, ""));
        copy.subject = e->subject ? strdup(e->subject) : NULL;
        all->list[all->n++] = copy;
        return copy.rule && (copy.subject || !e->subject) ? 0 : -ENOMEM;
}

/* Runs one statement and keeps what matches. */
static int episodes_collect(Store *s, StatementId id, const Arg *args, size_t n,
                            const EpisodeFilter *filter, Episodes *all) {
        CLEANUP_QUERY Query q = NULL;
        int r;

        r = query_begin(s, id, args, n, &q);
        while (r >= 0 && (r = query_next(q)) > 0) {
                Episode e = episode_at(q);

                if (episode_matches(&e, filter))
                        r = episodes_append(all, &e);
        }
        return r;
}

static int collect_now(Store *s, const EpisodeFilter *f, Episodes *all) {
        int r = 0;

        if (f->id)
                return episodes_collect(s, STMT_EPISODES_ID, ARGS(arg_int(f->id)), f, all);
        if (f->subject)
                return episodes_collect(s, STMT_EPISODES_SUBJECT, ARGS(arg_text(f->subject)), f,
                                        all);
        if (f->rule && f->units) {
                for (size_t i = 0, j; i < f->n_units && r >= 0; i = j) {
                        j = unit_range_end(f->units, f->n_units, i);
                        r = episodes_collect(s, STMT_EPISODES_UNITS,
                                             ARGS(arg_text(f->rule), arg_int(f->units[i]),
                                                  arg_int(f->units[j - 1])),
                                             f, all);
                }
                return r;
        }
        if (f->is_subject)
                return episodes_collect(s, STMT_EPISODES_SUBJECTS, NO_ARGS, f, all);
        if (f->is_live && !f->touched_from)
                return episodes_collect(s, STMT_EPISODES_LIVE, NO_ARGS, f, all);
        if (f->rule)
                return episodes_collect(s, STMT_EPISODES_RULE, ARGS(arg_text(f->rule)), f, all);
        return episodes_collect(s, STMT_EPISODES, NO_ARGS, f, all);
}

static int collect_as_of(Store *s, const EpisodeFilter *f, StepId step, Episodes *all) {
        int r = 0;

        if (f->id)
                return episodes_collect(s, STMT_EPISODES_AS_OF_ID,
                                        ARGS(arg_int(step), arg_int(f->id)), f, all);
        if (f->rule && f->units) {
                for (size_t i = 0, j; i < f->n_units && r >= 0; i = j) {
                        j = unit_range_end(f->units, f->n_units, i);
                        r = episodes_collect(s, STMT_EPISODES_AS_OF_UNITS,
                                             ARGS(arg_int(step), arg_text(f->rule),
                                                  arg_int(f->units[i]), arg_int(f->units[j - 1])),
                                             f, all);
                }
                return r;
        }
        if (f->rule)
                return episodes_collect(s, STMT_EPISODES_AS_OF_RULE,
                                        ARGS(arg_int(step), arg_text(f->rule)), f, all);
        return episodes_collect(s, STMT_EPISODES_AS_OF, ARGS(arg_int(step)), f, all);
}

int store_episodes_as_of(Store *s, const EpisodeFilter *filter, StepId as_of, Episode **ret,
                         size_t *ret_n) {
        static const EpisodeFilter any = {0};
        CLEANUP(episodes_done) Episodes all = {0};
        int r;

        if (!filter)
                filter = &any;
        r = as_of ? collect_as_of(s, filter, as_of, &all) : collect_now(s, filter, &all);
        if (r < 0)
                return r;
        if (all.n)
                qsort(all.list, all.n, sizeof(*all.list), compare_episodes);
        *ret = TAKE_PTR(all.list);
        *ret_n = all.n;
        all.n = 0;
        return 0;
}

int store_episodes(Store *s, const EpisodeFilter *filter, Episode **ret, size_t *ret_n) {
        return store_episodes_as_of(s, filter, /* as_of= */ 0, ret, ret_n);
}

static int read_open(Query q, OpenCount *c) {
        *c = (OpenCount){
                .open = (size_t) column_int(q, 1),
                .critical = (size_t) column_int(q, 2),
                .held = (size_t) column_int(q, 3),
        };
        return column_text(q, 0, &c->rule);
}

int store_episodes_open(Store *s, OpenCount **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        OpenCount *counts = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_EPISODES_OPEN, NO_ARGS, &q);
        if (r >= 0)
                r = COLLECT(q, counts, n, cap, read_open);
        if (r < 0) {
                open_counts_free(counts, n);
                return r;
        }
        *ret = counts;
        *ret_n = n;
        return 0;
}

void open_counts_free(OpenCount *counts, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(counts[i].rule);
        free(counts);
}

void store_episodes_free(Episode *e, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free((char *) e[i].rule);
                free((char *) e[i].subject);
        }
        free(e);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------------------
 */

#define EPISODE_N_ARGS 20
/* The state of an episode from `first` on: the same order in EPISODE_ADD, EPISODE_SET, EPISODE_MOVE
 * and TRANSITION_ADD. */
#define STATE_N_ARGS 16

static void state_args(const Episode *e, Arg ret[static STATE_N_ARGS]) {
        const Arg args[STATE_N_ARGS] = {
                arg_int(e->first),     arg_int(e->opened),  arg_int(e->last),
                arg_int(e->length),    arg_int(e->state),   arg_int(e->end),
                arg_int(e->severity),  arg_value(e->value), arg_value(e->previous),
                arg_value(e->limit),   arg_value(e->delta), arg_int(e->place),
                arg_int(e->of),        arg_int(e->is_late), arg_int(e->is_held),
                arg_int(e->tell_from),
        };

        memcpy(ret, args, sizeof(args));
}

static int episode_add(Store *s, StepId step, Episode *e) {
        Arg args[EPISODE_N_ARGS] = {arg_text(e->rule), arg_id(e->unit), arg_text(e->subject)};
        int r;

        state_args(e, args + 3);
        args[EPISODE_N_ARGS - 1] = arg_int(step);
        r = query_run(s, STMT_EPISODE_ADD, args, EPISODE_N_ARGS);
        if (r < 0)
                return r;
        e->id = sqlite3_last_insert_rowid(s->db);
        return 0;
}

/* Rule, unit and subject are its name for good. Most changes leave first period and state alone:
 * naming those in an UPDATE makes SQLite write their indexes anew, equal or not, which cost as much
 * as all the rest. */
static int episode_set(Store *s, StepId step, const Episode *e) {
        Arg args[STATE_N_ARGS + 2];
        int r, changes;

        state_args(e, args);
        args[STATE_N_ARGS] = arg_int(step);
        args[STATE_N_ARGS + 1] = arg_int(e->id);
        r = query_change(s, STMT_EPISODE_SET, args, ELEMENTSOF(args), &changes);
        if (r >= 0 && changes == 0)
                r = query_change(s, STMT_EPISODE_MOVE, args, ELEMENTSOF(args), &changes);
        if (r < 0)
                return r;
        return changes == 0 ? STORE_E_NONE : 0;
}

int store_episode_put(Store *s, StepId step, Episode *e) {
        int r = e->id == 0 ? episode_add(s, step, e) : episode_set(s, step, e);

        if (r == 0)
                e->step = step;
        return r;
}

int store_transition_add(Store *s, StepId step, const Episode *after, const TransitionRow *row) {
        Arg args[STATE_N_ARGS + 12];
        const Arg own[12] = {
                arg_int(step),
                arg_int(after->id),
                arg_int(row->at_ms),
                arg_int(row->kind),
                arg_int(row->period),
                arg_value(row->value),
                arg_value(row->previous_value),
                arg_value(row->limit),
                arg_int(row->place),
                arg_int(row->of),
                arg_int(row->severity),
                arg_text(row->reason),
        };

        state_args(after, args);
        memcpy(args + STATE_N_ARGS, own, sizeof(own));
        return query_run(s, STMT_TRANSITION_ADD, args, ELEMENTSOF(args));
}

static int read_transition(Query q, TransitionRow *row) {
        *row = (TransitionRow){
                .id = column_int(q, 0),
                .episode = column_int(q, 1),
                .step = column_int(q, 2),
                .at_ms = column_int(q, 3),
                .kind = (TransitionKind) column_int(q, 4),
                .period = (PeriodId) column_int(q, 5),
                .value = column_value(q, 6),
                .previous_value = column_value(q, 7),
                .limit = column_value(q, 8),
                .place = (uint32_t) column_int(q, 9),
                .of = (uint32_t) column_int(q, 10),
                .severity = (Severity) column_int(q, 11),
        };
        return column_text(q, 12, &row->reason);
}

int store_transitions(Store *s, int64_t episode, TransitionRow **ret, size_t *ret_n) {
        CLEANUP_QUERY Query q = NULL;
        TransitionRow *rows = NULL;
        size_t n = 0, cap = 0;
        int r;

        r = query_begin(s, STMT_TRANSITIONS, ARGS(arg_int(episode)), &q);
        if (r >= 0)
                r = COLLECT(q, rows, n, cap, read_transition);
        if (r < 0) {
                transition_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void transition_rows_free(TransitionRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(rows[i].reason);
        free(rows);
}
