/* GET /metrics: /v1/status in Prometheus' text format (version 0.0.4), so that the two cannot
 * differ. What is unknown has no sample: a zero would be a time or a count. Figures of units are no
 * metrics; they have their own time axes, which a monitor does not know. */
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "answer/api-call.h"
#include "answer/status.h"
#include "os/clock.h"
#include "os/file.h"

#define METRICS_MAX ((size_t) 1 << 20)

typedef struct Metrics {
        Buf *b;
        const json_t *status;
        int error;
} Metrics;

static void put(Metrics *m, int r) {
        if (m->error == 0 && r < 0)
                m->error = r;
}

static void family(Metrics *m, const char *name, const char *type, const char *help) {
        put(m, buf_printf(m->b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type));
}

static void label(Metrics *m, char open, const char *name, const char *value) {
        put(m, buf_printf(m->b, "%c%s=\"", open, name));
        for (; *value; value++) {
                if (*value == '\\' || *value == '"')
                        put(m, buf_char(m->b, '\\'));
                put(m, *value == '\n' ? buf_str(m->b, "\\n") : buf_char(m->b, *value));
        }
        put(m, buf_char(m->b, '"'));
}

typedef struct Label {
        const char *name, *value;
} Label;

/* Whole numbers and milliseconds are exact in three digits. */
static void sample(Metrics *m, const char *name, const Label *labels, size_t n, double value) {
        long long thousandths = llround(value * 1000);

        put(m, buf_str(m->b, name));
        for (size_t i = 0; i < n; i++)
                label(m, i == 0 ? '{' : ',', labels[i].name, labels[i].value);
        if (n > 0)
                put(m, buf_char(m->b, '}'));
        put(m, buf_printf(m->b, " %s%lld", thousandths < 0 ? "-" : "", llabs(thousandths) / 1000));
        if (thousandths % 1000 != 0)
                put(m, buf_printf(m->b, ".%03lld", llabs(thousandths) % 1000));
        put(m, buf_char(m->b, '\n'));
}

/* A number, a truth or an instant (as seconds) of the status; false when it has none. */
static bool read_value(const json_t *value, double *ret) {
        int64_t at_ms;

        if (json_is_string(value) && instant_parse(json_string_value(value), &at_ms) == 0)
                *ret = (double) at_ms / 1000;
        else if (json_is_number(value))
                *ret = json_number_value(value);
        else if (json_is_boolean(value))
                *ret = json_is_true(value);
        else
                return false;
        return true;
}

static const json_t *find(const json_t *object, const char *path) {
        char step[64];

        while (*path) {
                size_t n = strcspn(path, ".");

                (void) snprintf(step, sizeof(step), "%.*s", (int) n, path);
                object = json_object_get(object, step);
                path += n + (path[n] == '.');
        }
        return object;
}

/* ---- one value ------------------------------------------------------------------------------- */

static void put_single(Metrics *m) {
        static const struct {
                const char *name, *path, *help;
        } singles[] = {
                {"chisod_start_time_seconds", "started", "When the daemon started."},
                {"chisod_last_step", "last_step.id", "Number of the newest step of knowledge."},
                {"chisod_last_step_timestamp_seconds", "last_step.at",
                 "When the newest step was written."},
                {"chisod_alerts_held", "alerts.held",
                 "Open alerts that the mass guard holds back."},
                {"chisod_database_bytes", "storage.bytes", "Size of the database file."},
                {"chisod_disk_free_bytes", "storage.free", "Free space where the database lies."},
                {"chisod_quarantined_rows", "quarantined",
                 "Published rows whose unit is not known."},
        };

        for (size_t i = 0; i < ELEMENTSOF(singles); i++) {
                double value;

                if (!read_value(find(m->status, singles[i].path), &value))
                        continue;
                family(m, singles[i].name, "gauge", singles[i].help);
                sample(m, singles[i].name, NULL, 0, value);
        }
}

static void put_truth(Metrics *m, const char *name, const char *help, bool is_true) {
        family(m, name, "gauge", help);
        sample(m, name, NULL, 0, is_true);
}

static void put_state(Metrics *m) {
        const char *notify = json_string_value(find(m->status, "notify"));
        const Label version = {"version", CHISO_VERSION};

        family(m, "chisod_build_info", "gauge", "The version that runs; always 1.");
        sample(m, "chisod_build_info", &version, 1, 1);
        put_truth(m, "chisod_notify_live", "1 when officials are told, 0 while only observing.",
                  notify && streq(notify, "live"));
        put_truth(m, "chisod_trouble", "1 when the status line begins with trouble.",
                  json_is_string(find(m->status, "trouble")));
        put_truth(m, "chisod_store_failing", "1 when the database does not answer.",
                  json_is_string(find(m->status, "store_error")));
        family(m, "chisod_warnings", "gauge", "Warnings of the configuration and the machine.");
        sample(m, "chisod_warnings", NULL, 0,
               (double) json_array_size(find(m->status, "warnings")));
}

/* ---- one value per object of a list ---------------------------------------------------------- */

typedef struct PerObject {
        const char *name, *list, *label, *key, *path, *help;
} PerObject;

static const PerObject per_object[] = {
        {"chisod_source_last_attempt_timestamp_seconds", "sources", "source", "name", "last",
         "When the source was last asked."},
        {"chisod_source_last_success_timestamp_seconds", "sources", "source", "name", "last_good",
         "When the source last answered well."},
        {"chisod_source_next_timestamp_seconds", "sources", "source", "name", "next",
         "When the source is asked next."},
        {"chisod_source_failures", "sources", "source", "name", "failures",
         "Attempts that failed in a row."},
        {"chisod_source_refusals", "sources", "source", "name", "refused_days",
         "Days in a row on which the source refused us."},
        {"chisod_source_queued_jobs", "sources", "source", "name", "queued",
         "Jobs of the source that wait."},
        {"chisod_source_backfill_done", "sources", "source", "name", "backfill.done",
         "Periods of the first run that were seen."},
        {"chisod_source_backfill_periods", "sources", "source", "name", "backfill.of",
         "Periods of the first run."},
        {"chisod_period_units", "periods", "type", "type", "units",
         "Units that should have a headline figure in the newest period of the type."},
        {"chisod_period_units_with_value", "periods", "type", "type", "with_value",
         "Units that have one."},
        {"chisod_period_fetched_timestamp_seconds", "periods", "type", "type", "fetched",
         "When these figures were last seen."},
        {"chisod_channel_paused_timestamp_seconds", "paused", "channel", "channel", "since",
         "Since when the channel takes no messages; absent while it does."},
};

static void put_per_object(Metrics *m, const PerObject *what) {
        const json_t *object;
        bool has_family = false;
        size_t i;

        json_array_foreach(find(m->status, what->list), i, object) {
                Label one = {what->label, json_string_value(json_object_get(object, what->key))};
                double value;

                if (!one.value || !read_value(find(object, what->path), &value))
                        continue;
                if (!has_family)
                        family(m, what->name, "gauge", what->help);
                has_family = true;
                sample(m, what->name, &one, 1, value);
        }
}

static bool is_well(const char *state) {
        return streq(state, "idle") || streq(state, "fetching") || streq(state, "waiting");
}

static void put_sources_up(Metrics *m) {
        const json_t *source;
        size_t i;

        family(m, "chisod_source_up", "gauge",
               "1 unless the source fails, refuses us or was stopped.");
        json_array_foreach(find(m->status, "sources"), i, source) {
                Label one = {"source", json_string_value(json_object_get(source, "name"))};
                const char *state = json_string_value(json_object_get(source, "state"));

                if (one.value && state)
                        sample(m, "chisod_source_up", &one, 1, is_well(state));
        }
}

static void put_alerts(Metrics *m) {
        const json_t *rule;
        size_t i;

        family(m, "chisod_alerts_open", "gauge", "Open alerts of units.");
        json_array_foreach(find(m->status, "alerts.by_rule"), i, rule) {
                Label labels[] = {{"rule", json_string_value(json_object_get(rule, "rule"))},
                                  {"severity", "critical"}};
                json_int_t open = json_integer_value(json_object_get(rule, "open"));
                json_int_t critical = json_integer_value(json_object_get(rule, "critical"));

                sample(m, "chisod_alerts_open", labels, 2, (double) critical);
                labels[1].value = "warning";
                sample(m, "chisod_alerts_open", labels, 2, (double) (open - critical));
        }
        family(m, "chisod_conditions_open", "gauge",
               "What is wrong with a source or with the data itself.");
        sample(m, "chisod_conditions_open", NULL, 0,
               (double) json_array_size(find(m->status, "conditions")));
}

static void put_messages(Metrics *m) {
        static const char *const states[] = {"ready", "started", "dead"};

        family(m, "chisod_messages", "gauge", "Messages that wait, are under way, or are dead.");
        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                Label one = {"state", states[i]};
                double value;

                if (read_value(json_object_get(find(m->status, "outbox"), states[i]), &value))
                        sample(m, "chisod_messages", &one, 1, value);
        }
}

/* ---- the process itself ---------------------------------------------------------------------- */

static void put_process(Metrics *m) {
        CLEANUP(buf_done) Buf text = BUF_INIT(4096);
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) == 0) {
                family(m, "process_cpu_seconds_total", "counter", "CPU time used.");
                sample(m, "process_cpu_seconds_total", NULL, 0,
                       (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                               (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        }
        if (file_read("/proc/self/statm", 4095, &text) < 0)
                return;
        const char *second = strchr(buf_text(&text), ' '); /* pages: all, resident, ... */
        long long pages = second ? strtoll(second, NULL, 10) : 0;
        if (pages <= 0)
                return;
        family(m, "process_resident_memory_bytes", "gauge", "Memory in use.");
        sample(m, "process_resident_memory_bytes", NULL, 0,
               (double) pages * (double) sysconf(_SC_PAGESIZE));
}

int api_metrics(ApiCall *c) {
        CLEANUP(buf_done) Buf text = BUF_INIT(METRICS_MAX);
        json_t *status = NULL;

        int r = status_json(c->app, clock_now_ms(), &status);
        if (r < 0)
                return r;
        Metrics m = {.b = &text, .status = status};
        put_state(&m);
        put_single(&m);
        put_sources_up(&m);
        for (size_t i = 0; i < ELEMENTSOF(per_object); i++)
                put_per_object(&m, per_object + i);
        put_alerts(&m);
        put_messages(&m);
        put_process(&m);
        json_decref(status);
        if (m.error < 0)
                return m.error;
        buf_done(&c->reply->body);
        c->reply->body = text;
        text = BUF_INIT(0);
        c->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
        c->is_answered = true;
        return 0;
}
