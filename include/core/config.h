/* Configuration: one key table, all errors in one run (interfaces, "Configuration").
 *
 * Pure: the caller reads the files and hands the bytes over. Layers, later wins per key: the
 * indicators that ship, presets (each wherever a source names it), the main file, drop-ins in
 * lexical order. List keys (`off`, `working`, `scope`, `header.NAME`, `email`) add up, `key =`
 * empties, any other key twice in one file is an error.
 *
 * libinih does the splitting; its Debian build gives no line numbers, stops at the first bad line
 * and silently mends what it does not understand, so an own reader feeds it line by line and
 * refuses NUL, invalid UTF-8, indented lines and any line that starts with '[' and is not exactly
 * "[kind]" or "[kind name]". */
#pragma once

#include "base/diag.h"
#include "core/model.h"

typedef enum ConfigLayer {
        CONFIG_BASE,   /* indicators and rules that ship */
        CONFIG_PRESET, /* name = the preset's */
        CONFIG_MAIN,
        CONFIG_DROPIN,
} ConfigLayer;

typedef struct ConfigFile {
        ConfigLayer layer;
        const char *path; /* for messages */
        const char *name; /* presets: "dvcqg-restjsp"; else NULL */
        const char *data;
        size_t size;
} ConfigFile;

typedef enum NotifyMode { NOTIFY_OBSERVE, NOTIFY_LIVE } NotifyMode;
typedef enum TlsMode { TLS_REQUIRED, TLS_OPPORTUNISTIC, TLS_NONE } TlsMode;

typedef struct Config {
        struct {
                const char *organization;
                const char *language; /* "vi" | "en" */
                NotifyMode notify;    /* default observe */
                const char *contact;
                const char *reply_to;        /* or NULL */
                int digest_minute;           /* minute of the local day; 08:00 */
                const char *operator_report; /* "Mon 08:00" or NULL */
                unsigned report_weekday;     /* of it: 0 = Monday */
                int report_minute;           /* of the local day */
                bool has_shipped_rules;      /* shipped_rules = no: those of CONFIG_BASE are off */
                const char *heartbeat;
                const char *http_listen;
                const char *backup_dir;
                const char *state_dir;    /* default /var/lib/chisod */
                const char *socket_dir;   /* default /run/chisod */
                const char *template_dir; /* or NULL: the built-in ones */
                const char *
                        secrets_dir; /* where secrets_NAME lie when there is no $CREDENTIALS_DIRECTORY */
                int mass_guard_percent; /* 50 */
                int guard_jump_points;  /* median jump, in points, 10 */
                const char *file;       /* where the section begins, or NULL */
                unsigned line;
        } daemon;
        struct {
                const char *proxy, *ca_file,
                        *user_agent; /* user_agent is not a key: fixed "chisod/VERSION" */
                const char *file;
                unsigned line;
        } network;
        struct {
                const char *url;      /* NULL: no mail */
                const char *username; /* or NULL */
                const char *password; /* secret reference or NULL */
                const char *from;     /* header: "Name <addr>" */
                const char *ca_file;  /* or NULL: [network] ca_file */
                TlsMode tls;
                int64_t timeout_ms;
                int hour_cap; /* messages per target and hour, 200 */
                const char *file;
                unsigned line;
        } smtp;
        Calendar calendar;
        IndicatorDef *indicators;
        size_t n_indicators;
        SourceDef *sources;
        size_t n_sources;
        RuleDef *rules;
        size_t n_rules;
        RecipientDef *recipients;
        size_t n_recipients;
        EraDef *eras;
        size_t n_eras;
        BandDef *bands; /* best first; `[bands]`, default of domain 1.4 */
        size_t n_bands;
        struct {
                const char *at;       /* or NULL */
                unsigned day, minute; /* what `at` says */
                const char *
                        *to; /* the addresses of the recipient "letter", which is made of them */
                size_t n_to;
                const char *sign; /* who signs, lines by " / "; or NULL */
        } letter;
        struct {
                int attempts_days;      /* 400 */
                int message_body_years; /* 5 */
                int body_years;         /* 0 = for ever */
        } retention;
        const struct Section *const *sections; /* as written, for config_place */
        size_t n_sections;
        void *arena; /* everything above */
} Config;

/* Names of the presets that the files' sources want ("inbox" included), each once, so that the
 * caller can read them. Heap array of heap strings. Syntax errors are left for config_load. */
int config_presets(const ConfigFile *files, size_t n, char ***ret_names, size_t *ret_n);

/* Builds the configuration from all files (presets included). Every error and warning goes to
 * `diag`. Returns 0, -ENOMEM, or -EINVAL when there was at least one error (then *ret stays
 * unset). `today` dates the warnings (calendar without next year, `until` within 30 days). */
int config_load(const ConfigFile *files, size_t n, Day today, Diag *diag, Config **ret);
/* Is any day off of that year known? */
bool config_has_days_off(const Config *c, int year);
void config_free(Config *c);
DEFINE_CLEANUP(Config, config_free)

#define RECIPIENT_LETTER "letter" /* RecipientDef.name of [letter] to */

/* Index of the indicator, rule, source with that name, or -1. */
int config_indicator(const Config *c, const char *name);
int config_rule(const Config *c, const char *name);
/* Where a key is written that has the say; false (and nothing set) when it is not. name: "" for none. */
bool config_place(const Config *c, const char *kind, const char *name, const char *key,
                  const char **ret_file, unsigned *ret_line);
int config_source(const Config *c, const char *name);

/* The key table, for man page and sample: one row per key. */
typedef struct ConfigKey {
        const char *section; /* "daemon", "source" ... */
        const char *key;
        const char *type;                /* "text", "integer", "duration", "list" ... */
        const char *range;               /* "" or for people: "0..100" */
        const char *fallback;            /* default as text, "" = none */
        const char *text;                /* one English sentence */
        const struct ConfigStore *store; /* private: where the value goes */
} ConfigKey;
const ConfigKey *config_keys(size_t *ret_n);
