/* The dashboard's own words. What the API says in words (labels, periods, states) is in the
 * daemon's language already. */
#include "answer/page.h"

static const struct {
        const char *key, *vi, *en;
} words[] = {
        {"site", "Theo dõi Bộ chỉ số 766", "Indicators of Decision 766"},
        {"skip", "Đến nội dung", "Skip to content"},
        {"pages", "Các trang", "Pages"},
        {"league", "Xếp hạng", "Ranking"},
        {"heat", "Bảng nhiệt", "Heat table"},
        {"sources", "Nguồn và thư", "Sources and messages"},
        {"refused", "Không có trang này", "Not available"},
        {"way_home", "Xem kỳ mới nhất", "See the newest period"},
        {"unit_page", "Đơn vị", "Unit"},
        {"period", "Kỳ", "Period"},
        {"indicator", "Chỉ số", "Indicator"},
        {"as_of", "Như đã biết đến hết ngày", "As known at the end of"},
        {"show", "Xem", "Show"},
        {"download", "Tải xlsx", "Download xlsx"},
        {"code", "Mã", "Code"},
        {"condition", "Điều kiện", "Condition"},
        {"channel", "Kênh", "Channel"},
        {"reason", "Lý do", "Reason"},
        {"as_of_now", "Về hiện tại", "Back to now"},
        {"as_of_banner", "Số liệu như đã biết lúc", "Figures as they were known at"},
        {"as_of_note",
         "danh mục đơn vị, mốc so sánh, mức xếp loại và quy tắc theo cấu hình hiện nay",
         "registry, eras, bands and rules are as configured now"},
        {"trouble", "SỰ CỐ", "TROUBLE"},
        {"alerts", "Cảnh báo đang mở", "Open alerts"},
        {"alerts_unit", "Cảnh báo", "Alerts"},
        {"no_alerts", "Không có cảnh báo nào đang mở.", "No alert is open."},
        {"no_alerts_unit", "Chưa có cảnh báo nào.", "There has been no alert."},
        {"critical", "Nghiêm trọng", "Critical"},
        {"warning", "Cảnh báo", "Warning"},
        {"ended", "Đã hết", "Ended"},
        {"withdrawn", "Đã rút", "Withdrawn"},
        {"acknowledged", "đã có người nhận", "acknowledged"},
        {"held", "đang giữ lại chờ kiểm tra", "held for a check"},
        {"since", "từ", "since"},
        {"until", "đến", "to"},
        {"more_alerts", "Các cảnh báo khác", "Further alerts"},
        {"place", "Hạng", "Place"},
        {"move", "Đổi hạng", "Move"},
        {"unit", "Đơn vị", "Unit"},
        {"value", "Giá trị", "Value"},
        {"delta", "Tăng giảm", "Change"},
        {"trend", "13 kỳ", "13 periods"},
        {"limit", "ngưỡng", "limit"},
        {"median", "trung vị", "median"},
        {"of_with_value", "có số liệu", "with figures"},
        {"compared_among", "Thay đổi hạng tính trong", "Moves are counted among the"},
        {"compared_units", "đơn vị có số liệu cả hai kỳ", "units with figures in both periods"},
        {"up", "tăng", "up"},
        {"down", "giảm", "down"},
        {"same", "giữ hạng", "same place"},
        {"no_value", "không có số liệu", "no figure"},
        {"places", "hạng", "places"},
        {"source", "Nguồn", "Source"},
        {"fetched", "lấy lúc", "fetched at"},
        {"printed", "Trang làm lúc", "Page made at"},
        {"reminder", "Trang nhắc việc nội bộ, không phải văn bản hành chính.",
         "A working reminder, not an official document."},
        {"no_figures", "Chưa có số liệu.", "There are no figures yet."},
        {"lines", "Diễn biến", "History"},
        {"solid", "đã chốt", "final"},
        {"hollow", "tạm tính hoặc đang chạy", "provisional or running"},
        {"not_final", "chưa chốt", "not final"},
        {"revised", "đã điều chỉnh", "revised"},
        {"revised_legend", "đã điều chỉnh (chấm nhỏ: giá trị trước đó)",
         "revised (small dot: the value before)"},
        {"status", "Tình trạng", "Status"},
        {"of", "trong", "of"},
        {"radar", "Các nhóm chỉ số", "Groups of indicators"},
        {"restatements", "Số liệu được điều chỉnh", "Revised figures"},
        {"no_restatements", "Chưa có số liệu nào được điều chỉnh.", "No figure was revised."},
        {"old", "Trước", "Before"},
        {"new", "Sau", "After"},
        {"known", "Biết lúc", "Known at"},
        {"era", "Không so sánh được qua mốc", "Not comparable across"},
        {"legend", "Màu theo phần trăm của điểm tối đa", "Colours by percent of the maximum"},
        {"below_limit", "gạch dưới: quá ngưỡng cảnh báo", "underlined: beyond the alert limit"},
        {"state", "Trạng thái", "State"},
        {"last", "Lần cuối", "Last"},
        {"next", "Lần tới", "Next"},
        {"outcome", "Kết quả", "Outcome"},
        {"backfill", "Lấy lùi", "Backfill"},
        {"now_only", "Nguồn và hàng đợi là của hiện tại.",
         "Sources and the queue are those of now."},
        {"snapshots", "Bản lấy số gần đây", "Recent snapshots"},
        {"no_snapshots", "Chưa có bản nào.", "There is none yet."},
        {"scope", "Phạm vi", "Scope"},
        {"at", "Lúc", "At"},
        {"units", "Đơn vị", "Units"},
        {"values", "Giá trị", "Values"},
        {"bad", "Hỏng", "Bad"},
        {"deliveries", "Thư gần đây", "Recent messages"},
        {"no_deliveries", "Chưa có thư nào.", "There is none yet."},
        {"to", "Tới", "To"},
        {"subject", "Tiêu đề", "Subject"},
        {"attempts", "Số lần gửi", "Attempts"},
};

/* Reasons and states of the API are words of a program. */
static const struct {
        const char *key, *vi, *en;
} states[] = {
        {"mass-guard", "quá nhiều đơn vị cùng một lúc, chờ kiểm tra",
         "too many units at once, waits for a check"},
        {"era-begins", "cách tính có thể đã khác", "perhaps another formula"},
        {"source-failing", "không lấy được số liệu", "cannot be fetched"},
        {"source-refused", "nguồn từ chối", "refused"},
        {"source-overdue", "quá hạn công bố", "overdue"},
        {"source-stale", "lâu không đổi", "unchanged for long"},
        {"figures-missing", "thiếu số liệu của một số đơn vị", "some units have no figure"},
        {"suspect-snapshot", "bộ số liệu đáng ngờ, chưa dùng", "a suspect snapshot, not used"},
        {"unknown-units", "có dòng không khớp đơn vị nào", "rows that match no unit"},
        {"dead-letter", "không gửi được", "cannot be delivered"},
        {"template-broken", "mẫu thư hỏng", "a broken template"},
        {"database-damaged", "dữ liệu hỏng", "damaged"},
        {"database-restored", "đã khôi phục từ bản sao lưu", "restored from a backup"},
        {"idle", "bình thường", "fine"},
        {"fetching", "đang lấy", "fetching"},
        {"waiting", "đang chờ", "waiting"},
        {"failing", "đang lỗi", "failing"},
        {"refused", "bị từ chối", "refused"},
        {"stopped", "đã dừng", "stopped"},
        {"new", "có số mới", "new figures"},
        {"unchanged", "không đổi", "unchanged"},
        {"not_modified", "không đổi", "unchanged"},
        {"rejected", "bị loại", "rejected"},
        {"failed", "không lấy được", "failed"},
        {"suspect", "nghi vấn", "suspect"},
        {"accepted", "được nhận", "accepted"},
        {"ready", "chờ gửi", "queued"},
        {"started", "đang gửi", "being sent"},
        {"dead", "hỏng", "dead"},
        {"void", "bỏ", "dropped"},
        {"first", "kỳ đầu", "first"},
        {"gap", "thiếu kỳ trước", "gap"},
        {"merged", "đơn vị mới", "new unit"},
        {"era", "khác mốc", "era"},
        {"missing", "không có số", "no figure"},
        {"running", "đang chạy", "running"},
};

const char *page_word(const Page *p, const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i].key, key))
                        return page_is_vi(p) ? words[i].vi : words[i].en;
        return key;
}

const char *page_state_word(const Page *p, const char *key) {
        for (size_t i = 0; key && i < ELEMENTSOF(states); i++)
                if (streq(states[i].key, key))
                        return page_is_vi(p) ? states[i].vi : states[i].en;
        return str_or(key, "");
}

void page_words(Page *p) {
        json_t *object = page_object(p, p->view, "w");

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                page_set(p, object, words[i].key,
                         json_string(page_is_vi(p) ? words[i].vi : words[i].en));
}
