/* Snapshots are known again in the order of their steps; undone ones are undone. Judging and telling
 * are left out: they follow from figures, and are proved elsewhere. */
#include "flow/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "flow/cycle.h"
#include "flow/define.h"
#include "flow/stored.h"
#include "os/file.h"
#include "store/figure.h"
#include "store/registry.h"

typedef struct Work {
        App app;     /* of the empty database */
        Store *kept; /* bodies */
        StepId step; /* up to which the registry is there */
        Diag *diag;
        Replay *report;
} Work;

static void work_done(Work *w) {
        unit_registry_done(&w->app.units);
        if (w->app.store)
                store_close(w->app.store);
        if (w->kept)
                store_close(w->kept);
}

static int bring_registry(Work *w, StepId step) {
        bool is_new = false;
        int r = store_replay_registry(w->app.store, w->step, step, &is_new);
        w->step = step;
        if (r < 0 || !is_new)
                return r;
        unit_registry_done(&w->app.units);
        w->app.units = (UnitRegistry){0};
        return store_units_load(w->app.store, &w->app.units);
}

static int say_snapshot(Work *w, const SnapshotRow *row, const Diag *why) {
        char period[16];
        diag_error(w->diag, NULL, 0, NULL, "snapshot %lld (%s %s %s) cannot be decoded again: %s",
                   (long long) row->id, row->source, row->scope, period_format(period, row->period),
                   diag_first_error(why, "rejected"));
        return STORE_E_MISMATCH;
}

static bool has_all_bodies(Work *w, const SnapshotRow *row) {
        bool has = true;
        for (size_t i = 0; has && i < row->n_parts; i++)
                if (store_body_has(w->kept, row->parts[i].hash, &has) < 0)
                        return true; /* reading it says what is wrong */
        return has;
}

static int know(Work *w, const ReplayEvent *event) {
        SnapshotRow CLEANUP(snapshot_row_freep) *row = NULL;
        FetchResult CLEANUP(fetch_result_freep) *result = NULL;
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        int r = store_snapshot_get(w->kept, event->snapshot, &row);
        if (r != 0)
                return r < 0 ? r : -EBADMSG;
        if (!has_all_bodies(w, row)) {
                w->report->n_taken++;
                return store_replay_take(w->app.store, event->step, event->period);
        }
        App reading = w->app; /* borrows all of it */
        reading.store = w->kept;
        r = stored_result(&reading, row, &diag, &result);
        if (r > 0)
                return say_snapshot(w, row, &diag);
        if (r < 0)
                return r;
        w->report->n_snapshots++;
        return cycle_replay(&w->app, result, event->step, event->snapshot, event->is_import);
}

static int put_all(Work *w, const ReplayEvent *event, const FigureChange *changes, size_t n) {
        int r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = store_figure_put(w->app.store, event->step, event->period, &changes[i]);
        return r;
}

static int undo(Work *w, const ReplayEvent *event) {
        SnapshotRow CLEANUP(snapshot_row_freep) *row = NULL;
        FigureChange CLEANUP_FREE *changes = NULL;
        FigureChange CLEANUP_FREE *derived = NULL;
        size_t n = 0, n_derived = 0;
        int r = store_snapshot_get(w->kept, event->snapshot, &row);
        if (r == 0)
                r = cycle_undone(&w->app, w->kept, row, event->known, event->step, &changes, &n);
        if (r > 0) {
                w->report->n_taken++;
                return store_replay_take(w->app.store, event->step, event->period);
        }
        if (r >= 0)
                r = put_all(w, event, changes, n);
        if (r >= 0)
                r = cycle_undone_derived(&w->app, w->kept, row, event->step, &derived, &n_derived);
        return r < 0 ? r : put_all(w, event, derived, n_derived);
}

static int play_one(Work *w, const ReplayEvent *event) {
        int r = store_begin(w->app.store);
        if (r >= 0)
                r = bring_registry(w, event->step);
        if (r >= 0)
                r = event->is_undo ? undo(w, event) : know(w, event);
        if (r == 0)
                r = store_commit(w->app.store);
        if (r != 0)
                store_rollback(w->app.store);
        return r;
}

static int play(Work *w) {
        ReplayEvent CLEANUP_FREE *events = NULL;
        size_t n = 0;
        int r = store_replay_events(w->app.store, &events, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = play_one(w, &events[i]);
        return r == 0 ? store_replay_compare(w->app.store, w->diag, &w->report->sizes) : r;
}

static int bind(Work *w) {
        int r = store_begin(w->app.store);
        if (r >= 0)
                r = define_bind(w->app.config, w->app.store, w->diag);
        if (r >= 0)
                return store_commit(w->app.store);
        store_rollback(w->app.store);
        return r;
}

static int play_in(const char *dir, const char *file, Config *config, Diag *diag, Replay *ret) {
        Work CLEANUP(work_done)
                w = {.app = {.config = config, .is_rehearsal = true}, .diag = diag, .report = ret};
        char CLEANUP_FREE *path = file_join(dir, "chisod.db");
        if (!path)
                return -ENOMEM;
        int r = store_open_reader(file, diag, &w.kept);
        if (r == 0)
                r = store_open(path, diag, &w.app.store);
        if (r != 0)
                return r < 0 ? r : -EINVAL;
        r = store_replay_begin(w.app.store, file);
        if (r >= 0)
                r = bind(&w);
        return r < 0 ? r : play(&w);
}

static void remove_all(const char *dir) {
        static const char *const names[] = {"chisod.db", "chisod.db-wal", "chisod.db-shm",
                                            "chisod.db.lock"};
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char CLEANUP_FREE *path = file_join(dir, names[i]);
                if (path)
                        (void) unlink(path);
        }
        (void) rmdir(dir);
}

int replay_run(const char *file, Config *config, Diag *diag, Replay *ret) {
        char CLEANUP_FREE *dir =
                file_join(str_or(getenv("TMPDIR"), "/var/tmp"), "chisod-replay-XXXXXX");
        if (!dir)
                return -ENOMEM;
        if (!mkdtemp(dir)) {
                int r = -errno;
                diag_error(diag, NULL, 0, NULL, "%s: %s", dir, strerror(-r));
                return r;
        }
        *ret = (Replay){0};
        int r = play_in(dir, file, config, diag, ret);
        remove_all(dir);
        return r;
}
