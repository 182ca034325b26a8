/* What the rooms of floor 4 share: the one struct that owns everything. No globals.
 *
 * Only the manager creates and destroys it. The other rooms act on it and never include each other
 * in a ring: boot, fetch, judge < cycle; message < teller < courier; source; api, status; all of
 * them < manager < main. */
#pragma once

#include <systemd/sd-event.h>

#include "core/config.h"
#include "core/render.h"
#include "core/unit.h"
#include "serve/serve.h"
#include "store/store.h"
#include "transport/mux.h"

typedef struct FetchHosts FetchHosts;
typedef struct SourceState SourceState;
typedef struct Backtester Backtester;
typedef struct Courier Courier;
typedef struct Inbox Inbox;
typedef struct JudgeState JudgeState;
typedef struct Keeper Keeper;
typedef struct Memo Memo;
typedef struct Tend Tend;
typedef struct WatchMemo WatchMemo;
typedef struct Peace Peace;

/* Answers kept from the last work, for the status line and /v1/status when the database does not
 * answer. */
typedef struct AppHealth {
        int store_error; /* last -errno of a failed write; 0 = fine */
        int64_t store_error_ms;
        char reload_error[256]; /* "" or why the last reload changed nothing */
        char backup_error[96];  /* "" or why the last backup was not made */
        char restored
                [256]; /* "" or the backup that this start put in the place of a damaged file */
        bool is_unrestored;     /* this start wanted a good backup and found none */
        char damage[200];       /* "" or the first finding of the last check of the database */
        char warnings[24][400]; /* of the configuration, for status */
        size_t n_warnings;
} AppHealth;

typedef struct App {
        char *config_path, *share_dir;
        Config *config;
        uint64_t config_generation; /* counts reloads */
        Store *store;               /* writes */
        Store *reader;              /* reads of the API */
        UnitRegistry units;
        sd_event *event;
        Mux *mux;
        Serve *serve;
        RenderTemplates *templates_vi, *templates_en;
        RenderTemplates *templates_page; /* of the dashboard; NULL until somebody looks at it */
        FetchHosts *hosts;
        SourceState *sources; /* one per config->sources */
        size_t n_sources;
        Inbox *inbox;
        Courier *courier;
        Keeper *keeper;         /* backups; NULL until one is wanted */
        Tend *tend;             /* checks, copies, retention; NULL until the first tick */
        Backtester *backtester; /* NULL until somebody asks */
        Peace *peace;           /* the weekly report and the heartbeat */
        JudgeState *judge;      /* rule versions, and how far each rule has judged */
        Memo *memo;             /* answers that still hold; NULL until somebody asks */
        WatchMemo *watch;       /* what was last found of each source */
        sd_event_source *timer; /* the one timer, for the next due thing */
        sd_event_source *defer; /* armed by app_wake */
        sd_event_source *watchdog;
        uint64_t watchdog_us;        /* distance of two signs of life */
        int64_t tick_boot_ms;        /* CLOCK_BOOTTIME at which the next tick is due */
        int64_t quiet_until_boot_ms; /* crash loop: nothing is fetched by itself before this */
        int64_t offset_ms; /* fixed offset of this installation, below each source's spread */
        int64_t started_ms, boot_started_ms;
        Day judged_day;         /* local day on which deadlines were last judged */
        int64_t status_boot_ms; /* when the status line was last made */
        size_t n_jobs_done;     /* ended since the start, of every source */
        size_t n_jobs_failed;   /* of them, those of newest periods that brought nothing usable */
        bool is_once;           /* chisod --once */
        bool is_stopping;
        bool is_counted; /* this life is counted as one that may end uncleanly (life.h) */
        bool is_stuck;   /* the watchdog gets no sign of life */
        bool has_worked; /* since memory was last given back */
        bool has_evaluated; /* and what follows from it, telling above all, is looked at in the next turn */
        bool is_passed_over; /* the last release left a busy or paused target out: what settles may let it hear more */
        bool is_tell_due; /* something changed that a target may have to hear: the teller runs in the next tick */
        int64_t digest_wait_ms; /* the digest waits till then for what is being fetched; 0 */
        int64_t tell_again_ms;  /* a target at its cap per hour may hear again then; 0 */
        int64_t silence_end_ms; /* the first end of a silence; 0 = not looked yet */
        bool is_rehearsal; /* made up or played back: nothing it releases leaves, nothing of it is logged */
        bool is_dry;                  /* no database (source try) */
        char template_trouble[256];   /* a template that is broken: a built-in one is used; or "" */
        bool is_template_trouble_new; /* found while rendering: the operator is to be told */
        AppHealth health;
} App;

/* Runs the manager's tick soon, from the loop. Cheap; may be called often. */
void app_wake(App *app);

/* Index of the scope's unit and other small look-ups that several rooms need. */
const char *app_unit_label(const App *app, UnitId unit, Day day); /* name or key, never NULL */
/* Does the boundary hold for the units of this parent? Its `parent` is what people write (unit_find). */
bool app_era_covers(const App *app, const EraDef *era, UnitId parent);
/* delta_era_between() for an indicator of these units. */
const EraDef *app_era_between(const App *app, PeriodId a, PeriodId b, const IndicatorDef *def,
                              UnitId parent);
static inline bool app_is_vi(const App *app) {
        return app->config->daemon.language[0] == 'v';
}
