/* What people change in the registry of units (semantics 2): an imported list, and decisions about
 * quarantined codes. One transaction each, judged again and targets matched anew inside it. */
#pragma once

#include "flow/app.h"

/* meta: the step of the last change; snapshots from before it are read anew at the next fetch. */
#define REGISTRY_STEP "registry_step"

enum {
        REGISTRY_E_REFUSED = 1, /* reason in diag */
};

typedef struct RegistryChange {
        char *unit, *what; /* key; "new", "name", "kind", "parent", "from", "until", "code", ... */
        char *old, *now;   /* or NULL */
} RegistryChange;

typedef struct RegistryReport {
        RegistryChange *changes;
        size_t n, cap;
        size_t n_rows, n_transitions;
        char *ignored; /* headings of a list that nothing is read from; NULL = none */
        char **warnings;
        size_t n_warnings, cap_warnings;
} RegistryReport;
void registry_report_done(RegistryReport *r);

/* A CSV list with a heading (core/sheet). An empty cell changes nothing, "-" empties a contact; units
 * that are not in the list stay as they are. With is_trial nothing stays but the report. */
int registry_import(App *app, const char *data, size_t n, int64_t now_ms, bool is_trial, Diag *diag,
                    RegistryReport *ret);

typedef enum RegistryDecision {
        REGISTRY_LINK, /* the code is `unit`'s, too; the name it was published with, an alias */
        REGISTRY_SAME, /* the same unit under another name from the day on */
        REGISTRY_NEW,  /* another unit from the day on; the one that had the code ended */
} RegistryDecision;
typedef struct RegistryOrder {
        RegistryDecision decision;
        const char *code; /* "NAMESPACE:CODE" or a bare code */
        const char *unit; /* as people write it, for REGISTRY_LINK */
        Day from;
        bool is_unseen; /* a link may be for a code that no source has sent yet, and is no slip */
} RegistryOrder;
int registry_decide(App *app, const RegistryOrder *order, int64_t now_ms, Diag *diag,
                    RegistryReport *ret);

/* The whole registry as the CSV that registry_import reads; contacts only when asked for. */
int registry_export(const App *app, bool has_contacts, Buf *out);
/* The same as a workbook (.xlsx), every cell a text. */
int registry_export_book(const App *app, bool has_contacts, int64_t now_ms, Buf *out);
