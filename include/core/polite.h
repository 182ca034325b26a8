/* Manners towards a publisher (interfaces, "Politeness"): when it may be asked next, after each
 * answer. Pure.
 *
 * State is durable per source. 429 and 503: Retry-After, else doubling to 24 h. 403 or a block
 * page: nothing more today, one single request at the next regular time, after 7 refused days the
 * source stops until a person asks. 401: the token anew once, then as 403. Transport errors and
 * 5xx: 1, 5, 15, 60 min with jitter until the next regular time. */
#pragma once

#include "core/model.h"

typedef enum FetchFault {
        FETCH_OK,        /* accepted, unchanged, not modified */
        FETCH_TRANSPORT, /* no connection, reset, time-out, TLS */
        FETCH_SERVER,    /* 5xx other than 503, odd status */
        FETCH_BUSY,      /* 429, 503 */
        FETCH_REFUSED,   /* 403, 406, block page */
        FETCH_LOGIN,     /* 401 after the token was fetched anew */
        FETCH_CONTENT,   /* rejected answer: HTML, truncated, wrong envelope, torn */
        FETCH_SUSPECT,   /* kept, unused */
} FetchFault;
const char *fetch_fault_name(FetchFault fault);

typedef struct PoliteState {
        int64_t next_ms;    /* nothing is asked before this; 0 = free */
        int failures;       /* attempts in a row failed or rejected */
        int refused_days;   /* regular times in a row that were refused */
        Day refused_day;    /* local day of the last refusal; 0 = none */
        int64_t backoff_ms; /* present 429/503 step */
        bool is_stopped;    /* after 7 refused days: until `chisoctl fetch` */
        FetchFault last;
} PoliteState;

/* State after an attempt that ended at now_ms. regular_next_ms: the source's next regular time.
 * random01 in [0, 1). */
void polite_after(PoliteState *state, FetchFault fault, int64_t retry_after_ms, int64_t now_ms,
                  int64_t regular_next_ms, double random01);

/* Classifies an HTTP answer before it is decoded. content_type may be NULL. body_head: the first
 * bytes (for the block page "Request Rejected ... support ID" and HTML with 200). Returns FETCH_OK
 * when it is worth decoding. *ret_reason is static text for the attempt's row. 201 is success as
 * 200; 304 is FETCH_OK. */
FetchFault polite_classify(int status, const char *content_type, const char *body_head, size_t n,
                           const char **ret_reason);

/* The next regular time strictly after `after_ms`: daily at at_minute + offset, or every every_ms
 * since day start. */
int64_t polite_regular_next(const SourceDef *source, int64_t offset_ms, int64_t after_ms);
/* The last regular time at or before now (for catching up once after a time off). */
int64_t polite_regular_last(const SourceDef *source, int64_t offset_ms, int64_t now_ms);
