/* Small readers of JSON and words shared by the show-*.c files. */
#pragma once

#include "ctl/show.h"
#include "ctl/table.h"

/* Text at a path of member names, "" when there is none. */
const char *at_text(const json_t *value, const char *path);
int64_t at_int(const json_t *value, const char *path);
bool at_bool(const json_t *value, const char *path);
const json_t *at(const json_t *value, const char *path);

/* "05/09/2024 08:00" from an RFC 3339 member; "" when absent. */
const char *at_instant(char text[static 24], const json_t *value, const char *path);
/* "tháng 8/2024" from "2024-08"; "" when absent. */
const char *at_period(const Ctl *ctl, char text[static 48], const json_t *value, const char *path);
/* The change, or why there is none, in words. */
const char *at_delta(const Ctl *ctl, const json_t *value);
/* "12/15", or "". */
const char *at_place(char text[static 32], const json_t *value);
/* Title of an indicator's column: its short name with a capital. Heap text in `b`. */
const char *indicator_title(const json_t *indicator, Buf *b);
const char *severity_text(const Ctl *ctl, const char *severity);
Colour severity_colour(const char *severity);
/* What the API says in words of a program, for people. */
const char *word_text(const Ctl *ctl, const char *word);
/* The same of what an alert did, where some words mean otherwise than of what was told. */
const char *transition_text(const Ctl *ctl, const char *kind);
/* A reason of the daemon, which it keeps in English, for people. Heap text in `b`. */
const char *at_reason(const Ctl *ctl, const json_t *value, const char *path, Buf *b);
/* A line of one colour. */
int show_line(const Ctl *ctl, Colour colour, const char *text, Buf *out);
/* Fitted to the terminal, with a word about columns that found no room. */
int show_table(const Ctl *ctl, Table *t, Buf *out);
/* "as of" line when the answer speaks of the past. */
int show_as_of(const Ctl *ctl, const json_t *answer, Buf *out);
