/* Alerts that are of no unit have a subject: "hold:progress-low/H31/commune", "source:portal/month".
 * That is a name for programs; people read the same in words. */
#pragma once

#include "answer/view.h"

/* "đang giữ: progress-low, các xã thuộc UBND huyện Tiên Lữ". What is not known stays as it is.
 * `is_over`: the alert has ended. Returns 0, -ENOMEM or -E2BIG. */
int subject_words(const View *v, const char *subject, bool is_over, Buf *out);

/* "subject" and "subject_text" of an object; both null where there is none. Without memory for the
 * words they are the subject itself. */
void subject_write(JsonOut *o, const View *v, const char *subject, bool is_over);
