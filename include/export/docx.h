/* A text document (.docx) around a body that a template made: what a letter after Decree 30/2020 needs
 * besides its text. Same body, same bytes. */
#pragma once

#include "export/package.h"

#define DOCX_TYPE "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

/* `document` is word/document.xml, whole. It may use the paragraph styles Normal (14 points, justified,
 * first line indented), Head (12, centred), To, Receivers (11), Center (14, bold, centred), Cell, CellText,
 * CellHead and Foot, and the header rIdPage: the page's number, centred. Characters that XML cannot hold are left out.
 * Appends the file. Returns 0, -ENOMEM, -E2BIG. */
int docx_make(const PackageInfo *info, const char *document, size_t n, Buf *out);
