/* Files: reading whole (bounded), listing, replacing atomically. */
#pragma once

#include "base/buf.h"

/* Reads a regular file of at most `max` bytes, appended to b. 0, -EFBIG, or negative errno. */
int file_read(const char *path, size_t max, Buf *b);
/* Writes the file whole or not at all: a temporary neighbour, synced and renamed over it, then the
 * folder synced. What is there and no regular file (a device, a pipe) is written as it is. */
int file_replace(const char *path, const void *data, size_t n, unsigned mode);
/* Names (not paths) in the folder that end in `suffix`, in lexical (byte) order; a missing folder
 * has none. Heap array of heap strings, freed with file_names_free. */
int file_list(const char *dir, const char *suffix, char ***ret, size_t *ret_n);
void file_names_free(char **names, size_t n);
/* Creates the folder and its parents with the mode (0 if it exists). */
int file_mkdir(const char *dir, unsigned mode);
/* "dir/name" as heap string, or NULL when out of memory. */
char *file_join(const char *dir, const char *name);
/* Free bytes of the file system that holds the path; -errno. */
int64_t file_free_bytes(const char *path);
