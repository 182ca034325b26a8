/* From the API's JSON to text for people. Pure but for the struct Ctl's flags (language, colour).
 * Absent or foreign members print as nothing: an older or newer daemon must not crash its client.
 */
#pragma once

#include "ctl/ctl.h"

int show_status(const Ctl *ctl, const json_t *status, Buf *out);
int show_ranking(const Ctl *ctl, const json_t *ranking, Buf *out);
int show_history(const Ctl *ctl, const json_t *history, Buf *out);
int show_alerts(const Ctl *ctl, const json_t *alerts, Buf *out);
int show_alert(const Ctl *ctl, const json_t *alert, Buf *out);
int show_deliveries(const Ctl *ctl, const json_t *deliveries, Buf *out);
int show_sources(const Ctl *ctl, const json_t *sources, Buf *out);
int show_go_live(const Ctl *ctl, const json_t *preview, Buf *out);
int show_snapshots(const Ctl *ctl, const json_t *snapshots, Buf *out);
int show_snapshot(const Ctl *ctl, const json_t *snapshot, Buf *out);
int show_decided(const Ctl *ctl, const json_t *report, Buf *out);
int show_import(const Ctl *ctl, const json_t *report, Buf *out);
int show_units(const Ctl *ctl, const json_t *units, Buf *out);
int show_unit_changes(const Ctl *ctl, const json_t *report, Buf *out);
int show_quarantine(const Ctl *ctl, const json_t *quarantine, Buf *out);
