/* The file methods wrap those of the default VFS; shared memory and locks pass untouched.
 *
 * Of each file (by name) the recorder keeps two images: what is durable, and the list of what came
 * since the last sync. A cut replays a part of the list onto a copy of the durable image. Names
 * come and go durably when the folder is synced, which the unix VFS does at the first sync of a new
 * journal or WAL and when a removal asks for it; until then a removed file may be back as it was. */
#include "faults/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

#define SECTOR 512
#define N_FILES 16

typedef struct Change {
        struct Change *next;
        int64_t at; /* of a write; the new size of a truncation */
        size_t n;   /* bytes; 0 = truncation */
        uint8_t data[];
} Change;

typedef struct Image {
        uint8_t *data;
        size_t size;
} Image;

typedef struct Record {
        char name[256]; /* full path */
        Image durable;
        Image ghost;               /* removed and made anew, of which the disk knows nothing */
        bool is_there, is_durable; /* the name, now and on the disk */
        Change *first, **last;
} Record;

typedef struct Shim {
        sqlite3_vfs vfs, *real;
        uint64_t at, length, seen, failed;
        VfsFault fault;
        bool is_recording;
        Record records[N_FILES];
        size_t n_records;
        VfsEvent on_event;
        void *context;
} Shim;
static Shim shim;

typedef struct ShimFile {
        sqlite3_file base;
        sqlite3_file *real; /* behind this struct */
        Record *record;
} ShimFile;

uint64_t dice(uint64_t *seed) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return *seed;
}

/* ---- faults ---------------------------------------------------------------------------------- */

void vfs_plan(uint64_t at, uint64_t length, VfsFault fault) {
        shim.at = at;
        shim.length = length;
        shim.fault = fault;
        shim.seen = shim.failed = 0;
}

uint64_t vfs_seen(void) {
        return shim.seen;
}

uint64_t vfs_failed(void) {
        return shim.failed;
}

static bool fails(bool needs_room) {
        shim.seen++;
        if (shim.at == 0 || shim.seen < shim.at || shim.seen - shim.at >= shim.length)
                return false;
        if (shim.fault != VFS_EIO && !needs_room)
                return false;
        shim.failed++;
        return true;
}

/* ---- recording ------------------------------------------------------------------------------- */

static void *must(void *p) {
        if (!p)
                abort(); /* of the test itself */
        return p;
}

static void image_write(Image *i, int64_t at, const void *data, size_t n) {
        size_t end = (size_t) at + n;

        if (end > i->size) {
                i->data = must(realloc(i->data, end));
                memset(i->data + i->size, 0, end - i->size);
                i->size = end;
        }
        if (n > 0 && i->data)
                memcpy(i->data + at, data, n);
}

static void image_truncate(Image *i, int64_t size) {
        if ((size_t) size > i->size)
                image_write(i, size, NULL, 0);
        i->size = (size_t) size;
}

static Record *record_of(const char *name) {
        for (size_t i = 0; i < shim.n_records; i++)
                if (streq(shim.records[i].name, name))
                        return &shim.records[i];
        if (shim.n_records == N_FILES)
                abort();
        Record *r = &shim.records[shim.n_records++];
        *r = (Record){0};
        r->last = &r->first;
        (void) snprintf(r->name, sizeof(r->name), "%s", name);
        return r;
}

static void changes_drop(Record *r) {
        while (r->first) {
                Change *c = r->first;

                r->first = c->next;
                free(c);
        }
        r->last = &r->first;
}

static int event(void) {
        return shim.on_event && shim.on_event(shim.context) < 0 ? SQLITE_IOERR : SQLITE_OK;
}

static int change_add(Record *r, int64_t at, const void *data, size_t n) {
        if (!shim.is_recording || !r)
                return SQLITE_OK;
        Change *c = must(malloc(sizeof(*c) + n));
        *c = (Change){.at = at, .n = n};
        if (n > 0)
                memcpy(c->data, data, n);
        *r->last = c;
        r->last = &c->next;
        return event();
}

static void names_sync(void) {
        for (size_t i = 0; i < shim.n_records; i++) {
                Record *r = &shim.records[i];

                r->is_durable = r->is_there;
                r->ghost.size = 0;
                if (!r->is_there)
                        r->durable.size = 0;
        }
}

/* The new file of a name is another one. */
static void record_renew(Record *r) {
        Image old = r->ghost;

        if (!r->is_durable)
                return;
        r->ghost = r->durable;
        r->durable = old;
        r->durable.size = 0;
        r->is_durable = false;
}

static int record_sync(Record *r) {
        if (!shim.is_recording || !r)
                return SQLITE_OK;
        for (Change *c = r->first; c; c = c->next) {
                if (c->n > 0)
                        image_write(&r->durable, c->at, c->data, c->n);
                else
                        image_truncate(&r->durable, c->at);
        }
        changes_drop(r);
        if (!r->is_durable)
                names_sync();
        return event();
}

void vfs_record(VfsEvent on_event, void *context) {
        vfs_forget();
        shim.is_recording = true;
        shim.on_event = on_event;
        shim.context = context;
}

void vfs_forget(void) {
        for (size_t i = 0; i < shim.n_records; i++) {
                changes_drop(&shim.records[i]);
                free(shim.records[i].durable.data);
                free(shim.records[i].ghost.data);
        }
        shim.n_records = 0;
        shim.is_recording = false;
        shim.on_event = NULL;
}

/* ---- the cut --------------------------------------------------------------------------------- */

static void change_apply(Image *i, const Change *c, uint64_t *seed) {
        switch (dice(seed) % 4) {
        case 0:
                return; /* lost */
        case 1:         /* torn: some of its sectors */
                for (size_t k = 0; k < c->n; k += SECTOR)
                        if (dice(seed) & 1)
                                image_write(i, c->at + (int64_t) k, c->data + k,
                                            MIN(c->n - k, (size_t) SECTOR));
                return;
        default:
                if (c->n > 0)
                        image_write(i, c->at, c->data, c->n);
                else
                        image_truncate(i, c->at);
        }
}

static int image_save(const char *folder, const char *name, const Image *i) {
        char path[512];
        const char *last = strrchr(name, '/');
        int fd, r = 0;

        (void) snprintf(path, sizeof(path), "%s%s", folder, last ? last : name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (fd < 0)
                return -errno;
        if (i->size > 0 && write(fd, i->data, i->size) != (ssize_t) i->size)
                r = -EIO;
        (void) close(fd);
        return r;
}

static int record_cut(const Record *r, const char *folder, uint64_t *seed) {
        Image i = {0};
        bool is_there = r->is_there == r->is_durable ? r->is_there : dice(seed) & 1;
        int status;

        if (r->ghost.size > 0 && dice(seed) & 1)
                return image_save(folder, r->name, &r->ghost);
        if (!is_there)
                return 0;
        image_write(&i, 0, r->durable.data, r->durable.size);
        for (const Change *c = r->first; c; c = c->next)
                change_apply(&i, c, seed);
        status = image_save(folder, r->name, &i);
        free(i.data);
        return status;
}

int vfs_cut(const char *folder, uint64_t seed) {
        int r = 0;

        seed = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        for (size_t i = 0; i < shim.n_records && r >= 0; i++)
                r = record_cut(&shim.records[i], folder, &seed);
        return r;
}

/* ---- files ----------------------------------------------------------------------------------- */

static ShimFile *mine(sqlite3_file *f) {
        return (ShimFile *) f;
}

static int file_close(sqlite3_file *f) {
        return mine(f)->real->pMethods->xClose(mine(f)->real);
}

static int file_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at) {
        if (fails(false))
                return SQLITE_IOERR_READ;
        return mine(f)->real->pMethods->xRead(mine(f)->real, data, n, at);
}

static int file_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at) {
        sqlite3_file *real = mine(f)->real;
        int rc;

        if (fails(true)) {
                if (shim.fault == VFS_CUT)
                        (void) real->pMethods->xWrite(real, data, n / 2, at);
                return shim.fault == VFS_ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        rc = real->pMethods->xWrite(real, data, n, at);
        return rc == SQLITE_OK ? change_add(mine(f)->record, at, data, (size_t) n) : rc;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size) {
        int rc;

        if (fails(false))
                return SQLITE_IOERR_TRUNCATE;
        rc = mine(f)->real->pMethods->xTruncate(mine(f)->real, size);
        return rc == SQLITE_OK ? change_add(mine(f)->record, size, NULL, 0) : rc;
}

static int file_sync(sqlite3_file *f, int flags) {
        int rc;

        if (fails(true))
                return SQLITE_IOERR_FSYNC;
        rc = mine(f)->real->pMethods->xSync(mine(f)->real, flags);
        return rc == SQLITE_OK ? record_sync(mine(f)->record) : rc;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret) {
        if (fails(false))
                return SQLITE_IOERR_FSTAT;
        return mine(f)->real->pMethods->xFileSize(mine(f)->real, ret);
}

static int file_lock(sqlite3_file *f, int level) {
        return mine(f)->real->pMethods->xLock(mine(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level) {
        return mine(f)->real->pMethods->xUnlock(mine(f)->real, level);
}

static int file_check_lock(sqlite3_file *f, int *ret) {
        return mine(f)->real->pMethods->xCheckReservedLock(mine(f)->real, ret);
}

static int file_control(sqlite3_file *f, int op, void *arg) {
        return mine(f)->real->pMethods->xFileControl(mine(f)->real, op, arg);
}

static int file_sector(sqlite3_file *f) {
        return mine(f)->real->pMethods->xSectorSize(mine(f)->real);
}

/* Nothing is promised of the disk: what a cut does to it is worse than what disks say of themselves. */
static int file_traits(sqlite3_file *f) {
        (void) f;
        return 0;
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret) {
        if (fails(true))
                return SQLITE_IOERR_SHMMAP;
        return mine(f)->real->pMethods->xShmMap(mine(f)->real, page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
        return mine(f)->real->pMethods->xShmLock(mine(f)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f) {
        mine(f)->real->pMethods->xShmBarrier(mine(f)->real);
}

static int file_shm_unmap(sqlite3_file *f, int is_delete) {
        return mine(f)->real->pMethods->xShmUnmap(mine(f)->real, is_delete);
}

static const sqlite3_io_methods methods = {
        .iVersion = 2, /* no xFetch: what is mapped would be read past us */
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_unlock,
        .xCheckReservedLock = file_check_lock,
        .xFileControl = file_control,
        .xSectorSize = file_sector,
        .xDeviceCharacteristics = file_traits,
        .xShmMap = file_shm_map,
        .xShmLock = file_shm_lock,
        .xShmBarrier = file_shm_barrier,
        .xShmUnmap = file_shm_unmap,
};

/* ---- names ----------------------------------------------------------------------------------- */

/* A file that was there before the recording counts as durable. */
static void record_load(Record *r, bool was_there) {
        FILE *f = was_there ? fopen(r->name, "re") : NULL;
        uint8_t block[4096];
        size_t n;

        while (f && (n = fread(block, 1, sizeof(block), f)) > 0)
                image_write(&r->durable, (int64_t) r->durable.size, block, n);
        if (f)
                (void) fclose(f);
        r->is_durable = was_there;
}

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags) {
        ShimFile *file = mine(f);
        bool was_there = name && access(name, F_OK) == 0;
        int rc;

        (void) v;
        *file = (ShimFile){.real = (sqlite3_file *) (file + 1)};
        if (fails(!was_there))
                return SQLITE_CANTOPEN;
        rc = shim.real->xOpen(shim.real, name, file->real, flags, ret_flags);
        if (file->real->pMethods)
                file->base.pMethods = &methods;
        if (rc == SQLITE_OK && shim.is_recording && name) {
                size_t n = shim.n_records;

                file->record = record_of(name);
                if (shim.n_records > n)
                        record_load(file->record, was_there);
                else if (!was_there)
                        record_renew(file->record);
                file->record->is_there = true;
        }
        return rc;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int is_synced) {
        int rc;

        (void) v;
        if (fails(false))
                return SQLITE_IOERR_DELETE;
        rc = shim.real->xDelete(shim.real, name, is_synced);
        if (rc == SQLITE_OK && shim.is_recording) {
                Record *r = record_of(name);

                changes_drop(r);
                r->is_there = false;
                if (is_synced)
                        names_sync();
                rc = event();
        }
        return rc;
}

int vfs_install(void) {
        shim.real = sqlite3_vfs_find(NULL);
        if (!shim.real)
                return -ENOSYS;
        shim.vfs = *shim.real;
        shim.vfs.zName = "faults";
        shim.vfs.szOsFile += (int) sizeof(ShimFile);
        shim.vfs.xOpen = vfs_open;
        shim.vfs.xDelete = vfs_delete;
        return sqlite3_vfs_register(&shim.vfs, /* makeDflt= */ 1) == SQLITE_OK ? 0 : -ENOMEM;
}
