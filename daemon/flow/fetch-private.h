/* The job under way, and the request that it makes next. */
#pragma once

#include "flow/fetch.h"

typedef enum Ask { ASK_TOKEN, ASK_PART, ASK_AGAIN } Ask;

struct FetchJob {
        FetchOptions options;
        const SourceDef *source;
        FetchDone done;
        void *userdata;
        FetchResult *result;
        sd_event_source *timer; /* waits for the host, or starts the next step */
        Slot *slot;
        struct Host *host; /* held while a request is on the wire */
        Ask ask;
        Ask wanted; /* what a token is fetched for */
        size_t part;
        int page;
        size_t n_decoded;   /* of the result's parts */
        DecodeSeen *seen;   /* of the part under way */
        bool has_new_token; /* fetched anew once after a 401 */
        int64_t boot_started_ms;
};

typedef struct FetchRequest {
        Buf url, body;
        Buf headers[24];
        const char *lines[24];
        size_t n_headers;
        const char *method;
} FetchRequest;

/* The next request of the job: of the part and page under way, or for its token. Everything that was
 * secret in it is wiped by fetch_request_done(). Returns 0 or a negative errno, said in `diag`
 * where the configuration is the reason. */
int fetch_part_request(const FetchJob *job, Diag *diag, FetchRequest *r);
int fetch_token_request(const FetchJob *job, Diag *diag, FetchRequest *r);
void fetch_request_done(FetchRequest *r);
/* What the last snapshot knows of the request for this page, for a conditional one and for
 * "unchanged"; NULL: nothing. */
const SnapshotPart *fetch_last(const FetchJob *job, int page);
