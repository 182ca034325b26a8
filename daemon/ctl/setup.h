/* `chisoctl setup`, in four parts: the questions (setup-ask.c), the text that is written
 * (setup-text.c), the commands that it runs (setup-start.c), and their order (setup.c). */
#pragma once

#include "ctl/ctl.h"

typedef enum SetupItem {
        SETUP_LANGUAGE,
        SETUP_ORGANIZATION,
        SETUP_PRESET,
        SETUP_URL,
        SETUP_SCOPE,
        SETUP_MAIL,
        SETUP_MAIL_USER,
        SETUP_MAIL_PASSWORD,
        SETUP_FROM,
        SETUP_MAIL_TLS,
        SETUP_CA_FILE,
        SETUP_OPERATOR,
        SETUP_RECIPIENT,
        SETUP_ITEMS,
} SetupItem;

typedef struct Setup {
        Ctl *ctl;
        const char *path;           /* of the configuration */
        char *secrets_dir;          /* "secrets" beside it */
        bool is_installed;          /* the path is the one that the service reads */
        bool is_asking;             /* somebody is there to answer */
        char *answers[SETUP_ITEMS]; /* NULL: none; heap */
        char *preset_text;          /* the preset's file, once it was chosen */
} Setup;

/* Every answer, from the options or asked for. Returns an exit status; complaints are printed. */
int setup_ask(Setup *s);
/* Again, what a refused test mail may be due to. */
int setup_ask_mail(Setup *s);
/* A question with yes or no; Enter means yes. */
bool setup_agrees(const Setup *s, const char *vi, const char *en);

/* The commented configuration that says what was answered. 0, -ENOMEM, -E2BIG. */
int setup_text(const Setup *s, Buf *ret);

/* Enables and starts the service, showing each command. Returns an exit status. */
int setup_start(const Setup *s);
/* What an administrator does next. */
void setup_next(const Setup *s, bool is_started);
