/* Inside of flow/backtest: the thread's part. */
#pragma once

#include "flow/backtest.h"

typedef struct BacktestJob {
        char *database, *rule, *when;
        Config *config;          /* until the play takes it */
        IndicatorId own, volume; /* as the daemon's database knows them; volume 0 */
        int64_t now_ms;
        Backtest found;
} BacktestJob;

/* The work: 0, BACKTEST_E_EMPTY, or negative errno. */
int backtest_play(void *job);
