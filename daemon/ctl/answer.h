/* What nearly every command does: ask, and print the answer as it came (--json) or as a person reads it. */
#pragma once

#include "ctl/ctl.h"

#define ANSWER_MAX ((size_t) 64 << 20)
#define OUTPUT_MAX ((size_t) 16 << 20)

typedef int (*Show)(const Ctl *ctl, const json_t *answer, Buf *out);

/* Each returns an exit status; complaints are printed. */
int answer_out_of_memory(void);
/* "usage: chisoctl TEXT" */
int answer_usage(const Ctl *ctl, const char *text);
/* The bytes as they came with --json, else what `show` makes of them. */
int answer_present(const Ctl *ctl, Buf *raw, const json_t *answer, Show show);
int answer_get(Ctl *ctl, const char *path, Show show);
/* What the status socket does not show. */
/* As answer_get; an empty `list` in the answer is told on stderr and fails. */
int answer_get_some(Ctl *ctl, const char *path, const char *list, Show show);
int answer_get_admin(Ctl *ctl, const char *path, Show show);
/* As client_get_whole(). */
int answer_get_whole(Ctl *ctl, const char *path, Show show);
/* Takes the reference to `body`; NULL: there was no memory for it. */
int answer_post(Ctl *ctl, const char *path, json_t *body, Show show);
/* A POST of bytes as they are; NULL: none. */
int answer_send(Ctl *ctl, const char *path, const Buf *bytes, Show show);
int answer_delete(Ctl *ctl, const char *path, Show show);

/* BEFORE, the word encoded, AFTER. 0 or negative errno. */
int answer_word_path(const char *before, const char *word, const char *after, Buf *path);
/* Hands the command's options over as query arguments of the same names. 0 or negative errno. */
int answer_add_options(const Ctl *ctl, const char *const *names, size_t n, Buf *path);
