/* Reasons in Vietnamese: as the program writes them, nested ones, unknown ones, and texts that would make a
 * careless matcher slow. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"
#include "core/reason.h"

static void test_words(void **state) {
        static const struct {
                const char *en, *vi;
        } cases[] = {
                {"part summary: not available (HTTP 503)",
                 "phần summary: tạm ngừng phục vụ (HTTP 503)"},
                {"part progress, page 3: login refused (HTTP 401)",
                 "phần progress, trang 3: từ chối đăng nhập (HTTP 401)"},
                {"token: server error (HTTP 500)",
                 "mã truy cập: máy chủ của nguồn bị lỗi (HTTP 500)"},
                {"part all: no array of rows at '/data/rows'",
                 "phần all: không có mảng dòng ở '/data/rows'"},
                {"part all has the unit H31.01 twice", "phần all: đơn vị H31.01 có hai lần"},
                {"part a: Couldn't connect to server", "phần a: Couldn't connect to server"},
                {"12 units, min_units is 15", "12 đơn vị, min_units là 15"},
                {"90 units, the last accepted snapshot had 104 (min_share 90 %)",
                 "90 đơn vị, bản được nhận trước đó có 104 (min_share 90 %)"},
                {"code gso:1 is UBND xã A in the registry and was published as UBND xã B: "
                 "`chisoctl units same|new gso:1 --from DATE`",
                 "mã gso:1 trong danh mục là UBND xã A, nguồn công bố là UBND xã B: `chisoctl "
                 "units "
                 "same|new gso:1 --from DATE`"},
                {"gso:9 UBND xã C is not in the registry; similar: UBND xã D",
                 "gso:9 UBND xã C không có trong danh mục; gần giống: UBND xã D"},
                {"no row can be used: the row has neither a code nor a name",
                 "không dòng nào dùng được: dòng không có mã cũng không có tên"},
                {"1 of 15 rows refused; line 3, column 3: total: 190.50 is outside 0.00..100.00",
                 "1 trong 15 dòng bị từ chối; dòng 3, cột 3: total: 190.50 ngoài khoảng "
                 "0.00..100.00"},
                {"part x: the parts did not come within 15 minutes of each other",
                 "phần x: các phần không về trong vòng 15 phút của nhau"},
                {"torn: the first part changed while the others were asked, three times",
                 "không khớp: phần đầu thay đổi trong lúc hỏi các phần khác, ba lần liền"},
                {"asked again: rejected", "hỏi lại: bị loại"},
                {"a derived figure is beyond all bounds", "số suy ra vượt mọi giới hạn"},
                {"total 91.20 is off the sum of its groups 88.70",
                 "total 91.20 lệch với tổng các nhóm 88.70"},
                {"total 200.00 is outside 0.00..100.00", "total 200.00 ngoài khoảng 0.00..100.00"},
                {"total: 'n/a' is no number", "total: 'n/a' không phải số"},
                {"total: an array is no number", "total: một mảng không phải số"},
                {"total: a number is beyond all bounds", "total: một số vượt mọi giới hạn"},
                {"a second row of a unit that this snapshot already has",
                 "dòng thứ hai của một đơn vị đã có trong bản lấy này"},
                {"published change 1.20, computed 2.40",
                 "nguồn công bố thay đổi 1.20, tính ra 2.40"},
                {"progress: 12.50 after 99.10 as it was published before: ask the source",
                 "progress: 12.50, trước đó công bố 99.10: hỏi lại nguồn"},
                {"progress: 12.50 after 99.10 in the period before: ask the source",
                 "progress: 12.50, kỳ trước 99.10: hỏi lại nguồn"},
                {"40 figures jumped, 20 are noted singly", "40 số liệu nhảy vọt, ghi riêng 20"},
                {"'Minh' could be: UBND xã Minh A, UBND xã Minh B",
                 "'Minh' có thể là: UBND xã Minh A, UBND xã Minh B"},
                {"total: a text that is too long", "total: chữ quá dài"},
                {"total: a cell of type error (#DIV/0!), which is no figure",
                 "total: ô kiểu error (#DIV/0!), không phải số liệu"},
                {"part a: the answer says 'nothing' where /code=OK was expected",
                 "phần a: trả lời không có /code=OK"},
                {"something that nobody foresaw", "something that nobody foresaw"},
                {"refused by itself", "refused by itself"},
                {"", ""},
                {"part : ", "phần : "},
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(4096);

                assert_int_equal(reason_words(cases[i].en, &out), 0);
                assert_string_equal(buf_text(&out), cases[i].vi);
        }
}

/* What a publisher wrote stands in a reason: nested without end, it ends all the same. */
static void test_nested(void **state) {
        CLEANUP(buf_done)
        Buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20), small = BUF_INIT(8);

        (void) state;
        for (int i = 0; i < 200; i++)
                assert_int_equal(buf_str(&text, "part a: "), 0);
        assert_int_equal(reason_words(buf_text(&text), &out), 0);
        assert_non_null(strstr(buf_text(&out), "phần a: phần a: phần a: phần a: part a: "));
        assert_int_equal(reason_words("part a: refused", &small), -E2BIG);
}

static void test_hostile(void **state) {
        CLEANUP(buf_done) Buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

        (void) state;
        assert_int_equal(buf_str(&text, "columns "), 0);
        for (int i = 0; i < 2000; i++)
                assert_int_equal(buf_str(&text, " ('') and "), 0);
        assert_int_equal(reason_words(buf_text(&text), &out), 0); /* and soon */
        assert_string_equal(buf_text(&out), buf_text(&text));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),
                                           cmocka_unit_test(test_nested),
                                           cmocka_unit_test(test_hostile)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
