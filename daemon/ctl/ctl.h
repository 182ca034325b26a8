/* chisoctl: asks the daemon by its sockets and prints for people. Shared by daemon/ctl.
 *
 * Every command is a function that returns the exit status. What prints is apart from what asks
 * (show.h), so that the tables are tested without a daemon. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/macro.h"
#include "core/config.h"

enum {
        EXIT_FINE = 0,
        EXIT_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_UNREACHABLE = 3,
};

#define ARGS_MAX 32u
#define CTL_ASK_MAX 4096u /* bytes of an argument, and of the request's path and query together */
/* Of the path while it is put together: ten arguments, each byte of which may become three. */
#define CTL_PATH_MAX ((size_t) 10 * 3 * CTL_ASK_MAX)

typedef struct Option {
        const char *name, *value; /* value "" for flags */
} Option;

typedef struct Ctl {
        const char *
                socket; /* --socket, $CHISO_SOCKET or the default: a socket or the folder of both */
        const char *config; /* for `source try` */
        bool is_json;
        bool is_vi; /* language of the output */
        bool has_colour;
        unsigned columns;         /* of the terminal; 0: no terminal, or one without end */
        Option options[ARGS_MAX]; /* the command's own */
        size_t n_options;
        const char *words[ARGS_MAX]; /* arguments after the command */
        size_t n_words;
} Ctl;

#define SAID(ctl, vi, en) ((ctl)->is_vi ? (vi) : (en))

const char *ctl_option(const Ctl *ctl, const char *name); /* NULL when not given */
const char *ctl_user(void);                               /* for --by; NULL: nobody knows */
/* "chisoctl: ..." on stderr, made printable. */
void ctl_complain(const char *format, ...) PRINTF_LIKE(1, 2);
/* Says that `size` bytes are more than the daemon takes. Returns an exit status. */
int ctl_complain_long(const Ctl *ctl, size_t size);
/* Writes the text to stdout. Returns an exit status. */
int ctl_print(const Buf *text);
/* The rest of `COMMAND --help` (help.c). */
void help_options(const Ctl *ctl, const char *command, const char *list);
void help_examples(const Ctl *ctl, const char *command);
/* pager.c: columns of stdout when it is a terminal, else 0. */
unsigned terminal_columns(void);
/* True when the text was too long for the terminal and a pager took it. */
bool pager_print(const Buf *text);
/* Asks on the terminal; true for yes. */
bool ctl_confirm(const Ctl *ctl, const char *question);

/* The configuration, for what works without the daemon. Complaints are printed. Returns an exit
 * status. */
int ctl_load_config(const Ctl *ctl, Config **ret);
#define CTL_DEFAULT_CONFIG "/etc/chisod/chisod.conf"
/* Prints the errors of the diag, each as a complaint. */
void ctl_complain_diag(const Diag *diag);
/* One test mail over the configured way, the dialogue on stdout. Returns an exit status. */
int ctl_test_mail(const Ctl *ctl, const Config *config, const char *address);

/* ---- asking (client.c) ----------------------------------------------------------------------- */

/* "?" or "&", name=value with the value encoded; nothing when the value is NULL. */
int query_add(Buf *path, const char *name, const char *value);
/* The answer as JSON in *ret (new reference) and, when `raw` is not NULL, its bytes. Complaints are
 * printed. Actions go to the admin socket. Returns an exit status. */
int client_get(const Ctl *ctl, const char *path, Buf *raw, json_t **ret);
/* What the status socket does not show. */
int client_get_admin(const Ctl *ctl, const char *path, Buf *raw, json_t **ret);
/* As the admin socket says it for who may open that one, else masked. */
int client_get_whole(const Ctl *ctl, const char *path, Buf *raw, json_t **ret);
/* An answer that is no JSON, as it is. Actions go to the admin socket. */
int client_get_text(const Ctl *ctl, const char *path, bool is_action, Buf *text);
int client_post(const Ctl *ctl, const char *path, const json_t *body, Buf *raw, json_t **ret);
/* A POST of bytes as they are; and what the admin socket answers, as it is. */
int client_send(const Ctl *ctl, const char *path, const Buf *bytes, Buf *raw, json_t **ret);
int client_bytes(const Ctl *ctl, const char *path, Buf *ret);
/* The bytes of 200 go to the file; 202 writes nothing. */
int client_copy(const Ctl *ctl, const char *path, int fd, int *ret_status);
int client_delete(const Ctl *ctl, const char *path, Buf *raw, json_t **ret);
/* What publishers and peers wrote must not move the cursor: control and bidi characters of all
 * texts become blanks. Done to every answer of the two above; the raw bytes stay. 0 or -ENOMEM. */
int client_clean(json_t *value);
/* Language of the daemon (default vi); unreachable daemons are told by the command itself. */
void client_language(Ctl *ctl);

/* ---- commands -------------------------------------------------------------------------------- */

int command_status(Ctl *ctl);
int command_ranking(Ctl *ctl);
int command_history(Ctl *ctl);
int command_alerts(Ctl *ctl);
int command_alert(Ctl *ctl);
int command_ack(Ctl *ctl);
int command_explain(Ctl *ctl);
int command_rules(Ctl *ctl);
int command_silence(Ctl *ctl);
int command_deliveries(Ctl *ctl);
int command_retry(Ctl *ctl);
int command_drill(Ctl *ctl);
int command_go_live(Ctl *ctl);
int command_render(Ctl *ctl);
int command_test_mail(Ctl *ctl);
int command_test_webhook(Ctl *ctl);
int command_sources(Ctl *ctl);
int command_source(Ctl *ctl);
int command_fetch(Ctl *ctl);
int command_snapshot(Ctl *ctl);
int command_import(Ctl *ctl);
int command_units(Ctl *ctl);
int command_report(Ctl *ctl);
int command_verify(Ctl *ctl);
int command_backup(Ctl *ctl);
int command_setup(Ctl *ctl);
int command_check(Ctl *ctl);
int command_names(Ctl *ctl);
