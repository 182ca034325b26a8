#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/model.h"

static void test_why_name(void **state UNUSED) {
        assert_string_equal(why_name(WHY_VALUE), "value");
        assert_string_equal(why_name(WHY_MISSING), "missing");
        assert_string_equal(why_name(WHY_EMPTY), "empty");
        assert_string_equal(why_name(WHY_BAD), "bad");
        assert_string_equal(why_name(WHY_GONE), "gone");
        assert_string_equal(why_name((Why) 99), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_why_name)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
