/* Words and numbers for people, in Vietnamese or English: shared by the subject and the view model.
 * Private to render*.c.
 *
 * A Pen is a Buf with a memory for its first failure, so that a sentence can be put together
 * without a check after every word; pen_take() tells at the end. */
#pragma once

#include "base/buf.h"
#include "core/render.h"

typedef struct Pen {
        Buf buf;
        int r; /* first failure */
        bool is_en;
} Pen;

#define PEN_MAX ((size_t) 64 << 10)
/* Both may be format strings: the compiler checks either. */
#define SAID(pen, vi, en) ((pen)->is_en ? (en) : (vi))

Pen pen_new(const char *language);
void pen_done(Pen *p);
/* The text as a heap string; leaves the pen empty for the next one. Returns 0 or the first failure.
 */
int pen_take(Pen *p, char **ret);

void pen_text(Pen *p, const char *s);
void pen_printf(Pen *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* "82,71", "95" (whole numbers without digits if is_trimmed), "+0,24" with DECIMAL_SIGN. At most
 * two digits. */
typedef enum NumberForm { NUMBER_FULL, NUMBER_TRIMMED, NUMBER_CHANGE } NumberForm;
void pen_number(Pen *p, int64_t value, unsigned decimals, NumberForm form);
/* "82,71 %", "100 %", "83,28 điểm", "30.204", "không có số liệu". */
void pen_value(Pen *p, const IndicatorDef *indicator, int64_t value);

void pen_period(Pen *p, PeriodId period);
const char *status_text(const Pen *p, PeriodStatus status);
const char *severity_name(Severity severity); /* "warning", "critical", NULL */

/* "Xã Cương Chính" for "UBND xã Cương Chính - tỉnh Hưng Yên", "Thị trấn Vương" for "UBND TT Vương";
 * inside of a sentence
 * ("xã Cương Chính") unless is_start. */
void pen_unit(Pen *p, const RenderItem *item, bool is_start);
/* "portal" for "source:portal". */
const char *subject_text(const char *subject);
bool item_is_hold(const RenderItem *item); /* of the mass guard; its text says it all */
/* What an operator can do about a hold, and what comes of doing nothing. */
void pen_hold_advice(Pen *p, const RenderItem *item);
/* The unit; the subject of an operator's item; of a hold what its units are under. */
void pen_item_title(Pen *p, const RenderItem *item);
/* "xã", "xã, phường", "tỉnh", "đơn vị" for the units of the items; English in the number of n. */
void pen_unit_noun(Pen *p, const RenderItem *const *items, size_t n_items, size_t n);

/* "tiến độ" or "Tiến độ giải quyết". */
void pen_indicator(Pen *p, const IndicatorDef *indicator, bool is_brief);

/* "−2,60" or the reason why there is none: "chưa có kỳ trước". */
void pen_delta(Pen *p, const RenderItem *item);

/* Between the parentheses of a subject: "ngưỡng 95", "tụt 5,20". Nothing without a condition. */
void pen_condition(Pen *p, const RenderItem *item);
/* What a rule says of the figure now: "dưới ngưỡng 95", "đã đạt lại ngưỡng 95", "rút cảnh báo: dưới
 * ngưỡng 95". */
void pen_phrase(Pen *p, const RenderItem *item);
/* "623 trong 2.971 hồ sơ quá hạn"; nothing when not known. */
void pen_counts(Pen *p, const RenderItem *item);
/* Operator items without a sentence of their own: "không lấy được số liệu 3 lần liền". */
void pen_fault(Pen *p, const RenderItem *item);

bool item_is_correction(const RenderItem *item);
bool item_is_fix(const RenderItem *item); /* it takes back a figure or an alert that was told */
bool item_is_end(const RenderItem *item); /* it ended for another reason than being clear */
