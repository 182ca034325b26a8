#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "answer/json_out.h"

static void test_document(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(4096);
        JsonOut o = JSON_OUT(&b);

        (void) state;
        json_out_object(&o, NULL);
        json_out_text(&o, "text", "a\"\\\n\u1ea1");
        json_out_text(&o, "none", NULL);
        json_out_text(&o, "bad", "x\xff");
        json_out_array(&o, "list");
        json_out_int(&o, NULL, -7);
        json_out_bool(&o, NULL, true);
        json_out_array(&o, NULL);
        json_out_end_array(&o);
        json_out_object(&o, NULL);
        json_out_end_object(&o);
        json_out_end_array(&o);
        json_out_value(&o, "value", 8620, 2);
        json_out_value(&o, "small", -5, 2);
        json_out_value(&o, "count", 30204, 0);
        json_out_value(&o, "missing", VALUE_NONE, 2);
        json_out_instant(&o, "at", 0);
        json_out_instant(&o, "never", INT64_MAX);
        json_out_instant(&o, "then", INT64_C(1725498000000));
        json_out_period(&o, "period", 2024203);
        json_out_period(&o, "no_period", 0);
        json_out_day(&o, "day", day_from_civil(2024, 9, 5));
        json_out_day(&o, "ever", INT32_MIN);
        json_out_raw(&o, "raw", "{\"x\":1}");
        json_out_end_object(&o);
        assert_int_equal(json_out_done(&o), 0);
        assert_string_equal(
                buf_text(&b),
                "{\"text\":\"a\\\"\\\\\\n\u1ea1\",\"none\":null,\"bad\":\"x\ufffd\",\"list\":[-7,"
                "true,[],{}],"
                "\"value\":86.20,\"small\":-0.05,\"count\":30204,\"missing\":null,\"at\":null,"
                "\"never\":null,"
                "\"then\":\"2024-09-05T08:00:00+07:00\",\"period\":\"2024-Q3\",\"no_period\":null,"
                "\"day\":\"2024-09-05\",\"ever\":null,\"raw\":{\"x\":1}}");
}

static void test_too_long_sticks(void **state) {
        CLEANUP(buf_done) Buf b = BUF_INIT(8);
        JsonOut o = JSON_OUT(&b);

        (void) state;
        json_out_array(&o, NULL);
        json_out_int(&o, NULL, 123);
        json_out_int(&o, NULL, 456789);
        json_out_int(&o, NULL, 1);
        json_out_end_array(&o);
        assert_int_equal(json_out_done(&o), -E2BIG);
        assert_true(b.len <= 8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_too_long_sticks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
