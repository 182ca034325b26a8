/* When the monthly letter is made and sent by itself (semantics 10), and to whom it is still owed.
 *
 * From `[letter] at` on (that day or the next working day), on working days and not before that time:
 * as soon as all sources have the month and it has settled, on the third working day after whatever is
 * missing. Durable: who has got it is asked of the outbox. */
#pragma once

#include "flow/app.h"
#include "store/outbox.h"

typedef struct LetterDue {
        PeriodId period;  /* the month that ended last */
        int64_t open_ms;  /* the first instant at which its letter may be made */
        bool is_open;     /* now may it be made ... */
        bool is_complete; /* ... since all is there (asked only when open) */
        bool is_late;     /* ... since it waits no longer */
        bool is_past; /* nothing is owed: [letter] was set up after its day, or it was made while observing */
} LetterDue;

/* All false without [letter] at. */
int letter_due(App *app, int64_t now_ms, LetterDue *ret);
static inline bool letter_is_due(const LetterDue *due) {
        return due->is_open && !due->is_past && (due->is_complete || due->is_late);
}

/* The targets that have not got the letter of the period, neither marked nor busy. Heap array, freed
 * with target_rows_free(). */
int letter_targets(App *app, PeriodId period, TargetRow **ret, size_t *ret_n);

/* Letters from this period on are owed (durable; inside a transaction). */
int letter_owe_from(App *app, PeriodId period);

/* The first instant at which the letter of the period may be made. */
int64_t letter_opens(const App *app, PeriodId period);

/* The next instant at which letter_due() may answer otherwise by the clock alone; INT64_MAX. */
int64_t letter_next(const App *app, int64_t now_ms);
