/* One line for systemctl, one object for people and programs. */
#pragma once

#include <jansson.h>

#include "flow/app.h"

/* "104/104 đơn vị · tháng 10/2026 tạm tính, lấy 23/11 04:03 · 7 cảnh báo · thư chờ 0, hỏng 0 · lần
 * tới 24/11 04:00"; in trouble it begins "SỰ CỐ: ...". */
int status_line(App *app, int64_t now_ms, Buf *out);
#define STATUS_TROUBLE_MAX 320u
/* What trouble it begins with: text, filled; or NULL. */
const char *status_trouble(const App *app, int64_t now_ms, char text[static STATUS_TROUBLE_MAX]);
/* /v1/status; who is no administrator does not see the addresses that a channel's reason quotes. */
int status_write(App *app, int64_t now_ms, bool is_admin, Buf *out);
/* The same, masked. New reference. */
int status_json(App *app, int64_t now_ms, json_t **ret);
