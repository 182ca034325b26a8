/* What one rule would have told over all that is stored, without looking ahead.
 *
 * A database of its own in a temporary folder is fed with the stored figures step by step, at the
 * instant and in the order in which they became known; the same judging and telling as the daemon's
 * run over it on a clock of its own. What came later is not there yet, so that it cannot be seen. The
 * registry's rows are those of today, each from the step that registered it. Nothing of the daemon's
 * database is written, no message leaves.
 *
 * One text of the rule holds for the whole time; other rules, silences and acknowledgements are left
 * out, and every message arrives at once. It runs in a thread with a read connection of its own. */
#pragma once

#include "core/alert.h"
#include "flow/app.h"

typedef struct BacktestTransition {
        int64_t at_ms;
        const char *kind; /* as transition_name, or "notice" */
        UnitId unit;      /* 0: subject */
        char *subject, *reason;
        PeriodId period; /* 0 */
        int64_t value, limit;
        bool is_held;
} BacktestTransition;

typedef struct BacktestItem {
        const char *say;
        UnitId unit;
        char *subject;
        PeriodId period;
        int64_t value;
} BacktestItem;

typedef struct BacktestMessage {
        int64_t at_ms;
        char *target, *subject;
        size_t first, n; /* of the items */
} BacktestMessage;

typedef enum BacktestStop {
        BACKTEST_WHOLE,
        BACKTEST_TIME,
        BACKTEST_FIGURES,
        BACKTEST_ANSWER
} BacktestStop;
/* "" when nothing stopped it, "time", "figures", "answer". */
const char *backtest_stop_name(BacktestStop stop);

typedef struct Backtest {
        char *rule, *text;         /* canonical */
        int64_t from_ms, until_ms; /* what was played: first step, and last instant reached */
        size_t n_steps;            /* at which figures of the rule became known */
        BacktestStop stop;
        BacktestTransition *transitions;
        size_t n_transitions, cap_transitions;
        BacktestItem *items;
        size_t n_items, cap_items;
        BacktestMessage *messages;
        size_t n_messages, cap_messages;
} Backtest;
void backtest_result_done(Backtest *b);

enum {
        BACKTEST_E_RUNNING = 1, /* ask again */
        BACKTEST_E_RULE = 2,    /* there is no such rule */
        BACKTEST_E_KIND =
                3, /* it judges no figures, is off, or its source publishes nothing here */
        BACKTEST_E_EMPTY = 4, /* no figure of it is stored */
        BACKTEST_E_BUSY = 5,  /* another one is under way */
};

/* The rule as the configuration on disk has it, with another `when` (or NULL). The first call begins;
 * each result is handed out once: ask until it is there. -EINVAL: errors, in diag. */
int backtest_ask(App *app, const char *rule, const char *when, int64_t now_ms, Diag *diag,
                 Backtest *ret);
bool backtest_is_busy(const App *app);
void backtest_done(App *app);
