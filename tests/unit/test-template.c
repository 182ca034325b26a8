/* Runs every case of the Mustache specification (tests/fixtures/mustache-spec, as published; or the folder given as
 * argument), our own cases in its file format (tests/fixtures/mustache), and what the specification leaves to us: sinks, errors,
 * bounds, configuration keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "core/template.h"

static const char *spec_folder = CHISO_SOURCE_DIR "/tests/fixtures/mustache-spec";
static const char own_folder[] = CHISO_SOURCE_DIR "/tests/fixtures/mustache";
/* What the specification asks of everybody; lambdas, inheritance and dynamic names are optional. */
static const char *const modules[] = {"comments", "delimiters", "interpolation",
                                      "inverted", "partials",   "sections"};

static int render_text(const char *text, const char *view, TemplateSink sink, Buf *out) {
        CLEANUP(template_freep) Template *t = NULL;
        json_t *json = json_loads(view, JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        assert_int_equal(template_parse(text, strlen(text), "t", NULL, &t), 0);
        int r = template_render(t, json, sink, NULL, NULL, out);
        json_decref(json);
        return r;
}

/* ---- cases -------------------------------------------------------------------------------------
 */

#define PARTIALS 8

typedef struct Partials {
        const char *name[PARTIALS];
        Template *t[PARTIALS];
        size_t n;
} Partials;

static const Template *find_partial(void *userdata, const char *name) {
        const Partials *p = userdata;
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->name[i], name))
                        return p->t[i];
        return NULL;
}

static void run_case(const char *file, const json_t *test) {
        const char *name = json_string_value(json_object_get(test, "name"));
        const char *text = json_string_value(json_object_get(test, "template"));
        const char *expected = json_string_value(json_object_get(test, "expected"));
        Partials partials = {0};
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(test, "partials"), key, value) {
                assert_true(partials.n < PARTIALS);
                partials.name[partials.n] = key;
                assert_int_equal(template_parse(json_string_value(value), json_string_length(value),
                                                key, NULL, &partials.t[partials.n++]),
                                 0);
        }
        CLEANUP(template_freep) Template *t = NULL;
        CLEANUP(buf_done) Buf out = BUF_INIT(BUF_MAX_TEXT);
        assert_int_equal(template_parse(text, strlen(text), file, NULL, &t), 0);
        assert_int_equal(template_render(t, json_object_get(test, "data"), SINK_HTML, find_partial,
                                         &partials, &out),
                         0);
        if (!streq(buf_text(&out), expected))
                fail_msg("%s: %s\n--- got\n%s\n--- expected\n%s", file, name, buf_text(&out),
                         expected);
        for (size_t i = 0; i < partials.n; i++)
                template_free(partials.t[i]);
}

static size_t run_file(const char *folder, const char *module) {
        char path[4096];
        (void) snprintf(path, sizeof path, "%s/%s.json", folder, module);
        json_error_t error;
        json_t *root = json_load_file(path, 0, &error);
        if (!root)
                fail_msg("%s: %s", path, error.text);
        size_t i, n = json_array_size(json_object_get(root, "tests"));
        json_t *test;
        json_array_foreach(json_object_get(root, "tests"), i, test) run_case(path, test);
        json_decref(root);
        return n;
}

static void the_specification_holds(void **state) {
        (void) state;
        size_t n = 0;
        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                n += run_file(spec_folder, modules[i]);
        printf("%zu cases\n", n);
        assert_int_equal(n, 136);
}

static void our_own_cases_hold(void **state) {
        (void) state;
        size_t n = 0;
        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                n += run_file(own_folder, modules[i]);
        printf("%zu cases\n", n);
        assert_true(n >= 100);
}

/* ---- sinks -------------------------------------------------------------------------------------
 */

static void values_are_escaped_for_their_sink(void **state) {
        (void) state;
        static const struct {
                TemplateSink sink;
                const char *expected;
        } table[] = {
                {SINK_HTML, "a &lt;b&gt; &quot;c&quot; &amp; /\xc3\xa3|"},
                {SINK_TEXT, "a <b> \"c\" & /\xc3\xa3|"},
                {SINK_JSON, "a <b> \\\"c\\\" & /\xc3\xa3|"},
                {SINK_URL, "a%20%3Cb%3E%20%22c%22%20%26%20%2F%C3%A3|"},
                {SINK_RAW, "a <b> \"c\" & /\xc3\xa3|"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(buf_done) Buf out = BUF_INIT(BUF_MAX_TEXT);
                assert_int_equal(render_text("{{v}}|", "{\"v\":\"a <b> \\\"c\\\" & /\\u00e3\"}",
                                             table[i].sink, &out),
                                 0);
                assert_string_equal(buf_text(&out), table[i].expected);
        }
}

static void a_name_cannot_break_a_header(void **state) {
        (void) state;
        CLEANUP(buf_done) Buf out = BUF_INIT(BUF_MAX_TEXT);
        assert_int_equal(
                render_text("S: {{v}}\n", "{\"v\":\"x\\r\\nBcc: y\\u202e\"}", SINK_TEXT, &out), 0);
        assert_string_equal(buf_text(&out), "S: x  Bcc: y \n");
}

static void raw_values_are_seen(void **state) {
        (void) state;
        static const struct {
                const char *text;
                bool has_raw;
        } table[] = {{"{{a}} {{#b}}{{c}}{{/b}}", false},
                     {"{{#b}}{{{c}}}{{/b}}", true},
                     {"{{&a}}", true}};
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(template_freep) Template *t = NULL;
                assert_int_equal(
                        template_parse(table[i].text, strlen(table[i].text), "t", NULL, &t), 0);
                assert_int_equal(template_has_raw(t), table[i].has_raw);
        }
}

/* ---- errors and bounds ----------------------------------------------------------------------- */

static void errors_have_a_place_and_a_reason(void **state) {
        (void) state;
        static const struct {
                const char *text;
                unsigned line;
                const char *reason;
        } table[] = {
                {"a\nb {{c", 2, "a tag is never closed: '{{c'"},
                {"{{", 1, "a tag is never closed: '{{'"},
                {"{{{c}}", 1, "a tag is never closed: '{{{c}}'"},
                {"{{=<% %>}}", 1, "a tag is never closed: '{{=<% %>}}'"},
                {"{{}}", 1, "a tag needs one name: ''"},
                {"\n\n{{a b}}", 3, "a tag needs one name: 'a b'"},
                {"{{#a}}x", 1, "a section is never closed: 'a'"},
                {"{{#a}}\n{{#b}}\n{{/a}}", 3, "no such section is open here: 'a'"},
                {"{{/a}}", 1, "no such section is open here: 'a'"},
                {"{{=<%=}}", 1, "bad delimiters '<%'"},
                {"{{=a b c=}}", 1, "bad delimiters 'a b c'"},
                {"{{=123456789 %>=}}", 1, "bad delimiters '123456789 %>'"},
                {"{{=a =b=}}", 1, "bad delimiters 'a =b'"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                Template *t = NULL;
                assert_int_equal(
                        template_parse(table[i].text, strlen(table[i].text), "f.txt", &diag, &t),
                        -EINVAL);
                assert_null(t);
                assert_int_equal(diag.n, 1);
                assert_string_equal(diag.items[0].text, table[i].reason);
                assert_string_equal(diag.items[0].file, "f.txt");
                assert_int_equal(diag.items[0].line, table[i].line);
        }
}

static void sections_nest_64_deep(void **state) {
        (void) state;
        for (size_t depth = 64; depth <= 65; depth++) {
                CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
                CLEANUP(template_freep) Template *t = NULL;
                for (size_t i = 0; i < depth; i++)
                        assert_int_equal(buf_str(&text, "{{#a}}"), 0);
                for (size_t i = 0; i < depth; i++)
                        assert_int_equal(buf_str(&text, "{{/a}}"), 0);
                assert_int_equal(template_parse(text.data, text.len, "t", NULL, &t),
                                 depth == 64 ? 0 : -EINVAL);
        }
}

static const Template *itself(void *userdata, const char *name) {
        (void) name;
        return userdata;
}

static void a_partial_of_itself_ends(void **state) {
        (void) state;
        CLEANUP(template_freep) Template *t = NULL;
        CLEANUP(buf_done) Buf out = BUF_INIT(BUF_MAX_TEXT);
        json_t *view = json_object();
        assert_int_equal(template_parse("x{{>p}}{{>p}}", 13, "t", NULL, &t), 0);
        assert_int_equal(template_render(t, view, SINK_RAW, itself, t, &out), -ELOOP);
        assert_int_equal(out.len, 33);
        json_decref(view);
}

static void output_and_work_are_bounded(void **state) {
        (void) state;
        CLEANUP(buf_done) Buf out = BUF_INIT(10);
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        assert_int_equal(
                render_text("{{#l}}{{.}}{{/l}}", "{\"l\":[\"12345\",\"67890\"]}", SINK_RAW, &out),
                0);
        assert_int_equal(render_text("{{a}}", "{\"a\":1}", SINK_RAW, &out), -E2BIG);
        assert_string_equal(buf_text(&out), "1234567890");

        /* 2^40 rounds that write nothing. */
        for (size_t i = 0; i < 40; i++)
                assert_int_equal(buf_str(&text, "{{#l}}"), 0);
        for (size_t i = 0; i < 40; i++)
                assert_int_equal(buf_str(&text, "{{/l}}"), 0);
        assert_int_equal(render_text(buf_text(&text), "{\"l\":[1,2]}", SINK_RAW, &out), -E2BIG);
}

/* ---- configuration keys ---------------------------------------------------------------------- */

static void keys_are_expanded(void **state) {
        (void) state;
        static const TemplateVar vars[] = {{"year", "2024"},
                                           {"scope", "a b&\"c\""},
                                           {"none", NULL},
                                           {"url", "https://x/a?b=c"}};
        static const struct {
                const char *text;
                TemplateSink sink;
                int r;
                const char *expected; /* text, or the reason */
        } table[] = {
                {"", SINK_URL, 0, ""},
                {"https://x/?y={{year}}&s={{ scope }}{{none}}", SINK_URL, 0,
                 "https://x/?y=2024&s=a%20b%26%22c%22"},
                {"{\"y\":{{year}},\"s\":\"{{scope}}\"}", SINK_JSON, 0,
                 "{\"y\":2024,\"s\":\"a b&\\\"c\\\"\"}"},
                {"{{url}}/r?u={{url}}", SINK_URL, 0,
                 "https://x/a?b=c/r?u=https%3A%2F%2Fx%2Fa%3Fb%3Dc"},
                {"{{scope}}", SINK_URL, 0, "a%20b%26%22c%22"},
                {"{{yeer}}", SINK_URL, -EINVAL, "nothing is called {{yeer}} here"},
                {"{{{scope}}}", SINK_URL, -EINVAL, "only {{name}} can stand here, not 'scope'"},
                {"{{#year}}{{/year}}", SINK_URL, -EINVAL,
                 "only {{name}} can stand here, not 'year'"},
                {"{{year", SINK_URL, -EINVAL, "a tag is never closed: '{{year'"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                CLEANUP(buf_done) Buf out = BUF_INIT(BUF_MAX_TEXT);
                assert_int_equal(template_expand(table[i].text, vars, ELEMENTSOF(vars),
                                                 table[i].sink, &diag, "c.conf", 12, &out),
                                 table[i].r);
                if (table[i].r == 0) {
                        assert_string_equal(buf_text(&out), table[i].expected);
                        continue;
                }
                assert_string_equal(diag_first_error(&diag, "-"), table[i].expected);
                assert_int_equal(diag.items[0].line, 12);
        }
}

int main(int argc, char **argv) {
        if (argc > 1)
                spec_folder = argv[1];
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_specification_holds),
                cmocka_unit_test(our_own_cases_hold),
                cmocka_unit_test(values_are_escaped_for_their_sink),
                cmocka_unit_test(a_name_cannot_break_a_header),
                cmocka_unit_test(raw_values_are_seen),
                cmocka_unit_test(errors_have_a_place_and_a_reason),
                cmocka_unit_test(sections_nest_64_deep),
                cmocka_unit_test(a_partial_of_itself_ends),
                cmocka_unit_test(output_and_work_are_bounded),
                cmocka_unit_test(keys_are_expanded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
