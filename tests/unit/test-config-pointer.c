/* Pointers are checked by the configuration and read by the decoder, which stands above it: both
 * must mean the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/decode.h"

static int load_with(const char *pointer) {
        char text[256];
        CLEANUP(config_freep) Config *config = NULL;
        (void) snprintf(text, sizeof text,
                        "[indicator i]\nunit = percent\n[source s]\n[part s.p]\nurl = http://h/\n"
                        "unit.code = /c\nvalue.i = /v\nrows = %s\n",
                        pointer);
        const ConfigFile file = {CONFIG_MAIN, "f", NULL, text, strlen(text)};
        return config_load(&file, 1, /* today= */ 20780, /* diag= */ NULL, &config);
}

static void test_agree(void **state UNUSED) {
        static const struct {
                const char *pointer;
                bool is_good;
        } rows[] = {
                {"/a", true},        {"/a/b/0", true},   {"/a~0~1b", true},  {"/a~2", false},
                {"/a~", false},      {"a", false},       {"/[k=v]", true},   {"/a/[k=v w]/b", true},
                {"/a/[k]/b", false}, {"/a/[=v]", false}, {"/a/[k=v", false}, {"/a/[k=v]b", false},
                {"/", true},         {"/a//b", true},    {"/tên cột", true},
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int expected = rows[i].is_good ? 0 : -EINVAL;
                if (load_with(rows[i].pointer) != expected)
                        fail_msg("config: %s", rows[i].pointer);
                if (decode_pointer_check(rows[i].pointer) != expected)
                        fail_msg("decode: %s", rows[i].pointer);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
