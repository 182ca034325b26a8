/* One job: all parts of one (source, scope, period), asked politely, decoded as they come, whole
 * or not at all.
 *
 * Parts are asked one after the other: one request at a time per host, `pace` apart (shared by all
 * sources of a host through FetchHosts). Pages follow each other within a part. Of several
 * requests the first is asked again after the last: if its decoded figures differ the set is torn
 * and asked anew, at most 3 times. All parts come within 15 minutes. One part's JSON is in memory
 * at a time; bodies are kept packed. */
#pragma once

#include "core/decode.h"
#include "core/polite.h"
#include "store/figure.h"
#include "transport/http.h"

typedef struct FetchHosts FetchHosts;
int fetch_hosts_new(sd_event *event, FetchHosts **ret);
void fetch_hosts_free(FetchHosts *h);

typedef struct FetchedPart {
        char *name; /* part's */
        int page;
        char *url, *etag, *last_modified; /* or NULL; url without secrets */
        int http_status;
        int64_t at_ms;
        Body body; /* packed; empty when not modified (hash is the stored one's) */
        bool is_not_modified;
        bool is_known; /* the bytes are those of the last accepted snapshot: body holds the hash alone */
        size_t part; /* index into the source's parts */
} FetchedPart;

typedef struct FetchResult {
        size_t source; /* index into Config.sources */
        const char *scope;
        PeriodId period;
        FetchFault fault;     /* FETCH_OK: snapshot, unchanged or not modified */
        bool is_not_modified; /* every part was 304 */
        bool is_unchanged;    /* every body's hash equals the last accepted snapshot's */
        char *reason; /* of a fault, for the attempt's row: part, page and what was wrong; or NULL */
        int http_status; /* of the last answer */
        int64_t retry_after_ms;
        int64_t bytes; /* decoded, all parts */
        int64_t started_ms, duration_ms;
        Snapshot *snapshot; /* NULL unless FETCH_OK and something is new */
        FetchedPart *parts;
        size_t n_parts, cap_parts;
        int n_torn;      /* sets thrown away as torn */
        bool is_partial; /* of a file whose bad rows were left out: it does not speak of their units */
} FetchResult;
void fetch_result_free(FetchResult *r);
DEFINE_CLEANUP(FetchResult, fetch_result_free)

typedef struct FetchJob FetchJob;
/* The result belongs to the callee. Called once, from the loop. */
typedef void (*FetchDone)(FetchJob *job, FetchResult *result, void *userdata);

typedef struct FetchOptions {
        sd_event *event;
        Mux *mux;
        FetchHosts *hosts;
        const Config *config;
        const SnapshotRow *
                last; /* last accepted snapshot (borrowed until done) or NULL: conditional requests, unchanged */
        Store *store; /* for the stored body of a 304 part; or NULL */
        char **token; /* bearer token kept between jobs of a source (heap, replaced by the job); or NULL */
} FetchOptions;

int fetch_start(const FetchOptions *options, size_t source, const char *scope, PeriodId period,
                FetchDone done, void *userdata, FetchJob **ret);
/* Cancels if under way. */
void fetch_free(FetchJob *job);
DEFINE_CLEANUP(FetchJob, fetch_free)
/* For progress: "part 3 of 6". */
void fetch_progress(const FetchJob *job, size_t *ret_part, size_t *ret_of);
