/* An Office Open XML package (ECMA-376, part 2): a ZIP file of named parts. What books and letters share.
 *
 * Same parts, same bytes: no clock, user, time zone or random number gets in. Made in memory; nothing
 * is written to a file. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"

#define PACKAGE_MAX ((size_t) 16 << 20) /* bytes of the finished file */

typedef struct PackageInfo {
        const char *title, *subject, *author; /* UTF-8; NULL is left out */
        int64_t created_ms;
} PackageInfo;

typedef struct Package Package;

/* Returns 0, -ENOMEM. */
int package_new(Package **ret);
void package_free(Package *p);
DEFINE_CLEANUP(Package, package_free)

/* Parts stand in the file in the order in which they are added; "[Content_Types].xml" goes first.
 * Returns 0, -ENOMEM, -E2BIG (the file would pass PACKAGE_MAX). */
int package_add(Package *p, const char *name, const char *data, size_t n);

/* docProps/core.xml and docProps/app.xml. Returns as package_add(). */
int package_add_info(Package *p, const PackageInfo *info);

/* Ends the file and appends it to out. Nothing can be added any more. Returns 0, -ENOMEM, -E2BIG. */
int package_finish(Package *p, Buf *out);

/* Appends UTF-8 text as XML character data or attribute value: & < > " escaped, what XML 1.0 cannot
 * hold left out. Returns 0, -ENOMEM, -E2BIG. */
int package_text(Buf *out, const char *text, size_t n);
