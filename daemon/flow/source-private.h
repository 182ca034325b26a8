/* What is known of one source while the daemon runs. Shared by the parts of source. */
#pragma once

#include "flow/fetch.h"
#include "flow/source.h"

typedef struct QueuedJob {
        const char *scope;
        PeriodId period;
        int64_t request;  /* a person's, 0 = regular */
        bool is_backfill; /* asked once per regular time, without retries */
} QueuedJob;

struct SourceState {
        App *app;
        const SourceDef *def;
        size_t index;
        PoliteState polite;
        FetchJob *job;
        FetchResult *result;  /* of `job`, which has ended: to be evaluated */
        int64_t job_awake_ms; /* when it was started */
        QueuedJob current;
        SnapshotRow *last; /* of the job under way */
        char *token;
        QueuedJob *queue; /* from `head` */
        size_t head, n, cap;
        int64_t scan_ms; /* when to look for due jobs next */
        int64_t hold_ms; /* the database did not answer: nothing before this */
        size_t n_failed; /* jobs of this run that were not accepted, unchanged or not modified */
        size_t backfill_done, backfill_of;
        size_t backfill_first;    /* done when this life's part of it began */
        int64_t backfill_boot_ms; /* when that was; 0 = none is waiting */
        int64_t failed_request;   /* the newest one of which a job failed */
        int64_t requests;         /* last request id handed out (kept in the first state) */
        FetchOutcome last_outcome;
        char last_reason[256];
        int64_t last_ms; /* end of the last attempt */
        int64_t last_good_ms;
};

/* source.c. This installation's part of the source's spread. */
int64_t source_offset(const SourceState *s);
/* Nothing is asked before. */
int64_t source_blocked_until(const SourceState *s);
/* When the source is asked next; INT64_MAX for not by itself. */
int64_t source_next_of(const SourceState *s, int64_t now_ms);
/* Which of the older ended periods is looked at on the day; `recheck` is more than 1. */
PeriodId source_rechecked(const SourceDef *def, PeriodId newest, Day today);
bool source_fetches(const SourceDef *def, PeriodType type);
/* When what is waiting of the backfill will be there, as it goes; 0: not known. */
int64_t source_backfill_until(const SourceState *s, int64_t now_ms);
