/* A file system under SQLite that fails by plan, or remembers what a power cut could leave.
 *
 * vfs_install() puts it before the default one. While nothing is planned or recorded, calls pass. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int vfs_install(void);

typedef enum VfsFault {
        VFS_EIO,    /* the call fails */
        VFS_ENOSPC, /* writes, truncations and creations find no room; other calls pass */
        VFS_CUT,    /* a write does half and fails */
        VFS_N_FAULTS
} VfsFault;
/* The calls from `at` (from 1, counted anew) on fail, `length` of them; at = 0: only counted. */
void vfs_plan(uint64_t at, uint64_t length, VfsFault fault);
uint64_t vfs_seen(void);   /* calls since vfs_plan */
uint64_t vfs_failed(void); /* of which failed */

/* Power cuts. From vfs_record on, every write, truncation, creation and removal is remembered until
 * the sync that makes it durable. on_event is called after each, when a cut could come; it may call
 * vfs_cut and nothing else of here. vfs_forget ends it. */
typedef int (*VfsEvent)(void *context);
void vfs_record(VfsEvent on_event, void *context);
void vfs_forget(void);
/* The files as the power cut leaves them, written into the folder by their last names: what was
 * synced, and of the rest each write lost, kept or torn at 512 bytes, by `seed`. 0 or -errno. */
int vfs_cut(const char *folder, uint64_t seed);

uint64_t dice(uint64_t *seed); /* xorshift */
