/* SPDX-License-Identifier: Apache-2.0 */

/* Environments: the three forms in, the file that docker reads, and faults that keep secrets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/environ.h"

#define SECRET "hunter2"

static struct json *parse(const char *text)
{
        struct fault f = { 0 };
        struct json *v = json_parse(text, strlen(text), "body", &f);

        if (!v)
                fail_msg("%s: %s", text, f.text);
        return v;
}

static void accepted(void **state _unused_)
{
        static const struct {
                const char *in, *file;
        } rows[] = {
                { "{}", "" },
                { "[]", "" },
                { "{\"A\":\"1\",\"b_2\":\"\",\"_\":\"x=y\"}", "A=1\nb_2=\n_=x=y\n" },
                { "{\"A\":\"1\",\"a\":\"2\"}", "A=1\na=2\n" }, /* two variables */
                { "[\"A=1\",\"B=\",\"C=a=b\"]", "A=1\nB=\nC=a=b\n" },
                { "[{\"name\":\"A\",\"value\":\"1\"},{\"VALUE\":\"2\",\"Name\":\"B\"}]", "A=1\nB=2\n" },
                { "[\"A=1\",{\"name\":\"B\",\"value\":\"2\"}]", "A=1\nB=2\n" },
                { "{\"A\":\"  blanks \\t \"}", "A=  blanks \t \n" },
                { "{\"A\":\"#'\\\"$%\\\\;é\"}", "A=#'\"$%\\;\xC3\xA9\n" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].in);
                _cleanup_(environ_reset) struct environ e = { 0 }, back = { 0 };
                _cleanup_text_ struct text file = { 0 }, json = { 0 };
                struct fault f = { 0 };

                if (environ_from_json(v, "env", &e, &f) < 0)
                        fail_msg("%s: %s", rows[i].in, f.text);
                text_add(&file, "");
                environ_to_file(&e, &file);
                assert_string_equal(file.data, rows[i].file);
                assert_int_equal(environ_from_file(file.data, &back), 0);
                assert_true(environ_equal(&e, &back));

                json_free(v);
                environ_to_json(&e, &json);
                v = parse(json.data);
                environ_reset(&back);
                assert_int_equal(environ_from_json(v, "env", &back, &f), 0);
                assert_true(environ_equal(&e, &back));
        }
}

static void refused(void **state _unused_)
{
        static const struct {
                const char *in, *field, *says;
        } rows[] = {
                { "\"A=1\"", "env", "must be an object" },
                { "null", "env", "must be an object" },
                { "5", "env", "must be an object" },
                { "{\"A\":1}", "env.A", "must be a string" },
                { "{\"A\":null}", "env.A", "must be a string" },
                { "{\"A\":[\"" SECRET "\"]}", "env.A", "must be a string" },
                { "{\"A\":\"" SECRET "\\n\"}", "env.A", "without newline" },
                { "{\"A\":\"" SECRET "\\r\"}", "env.A", "without newline" },
                { "{\"A B\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "{\"\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "{\"1A\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "{\"A=" SECRET "\":\"\"}", "env", "the name of a variable" },
                { "{\"#A\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "{\"é\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "{\"BASH_FUNC_x%%\":\"" SECRET "\"}", "env", "the name of a variable" },
                { "[\"" SECRET "\"]", "env[0]", "must be \"NAME=value\"" },
                { "[\"A=1\",\"=" SECRET "\"]", "env[1]", "the name of a variable" },
                { "[\"A=1\",\"p@" SECRET "=x\"]", "env[1]", "the name of a variable" },
                { "[\"A=1\",\"A=" SECRET "\"]", "env[1]", "A is given twice" },
                { "[\"A=" SECRET "\\n\"]", "env[0]", "without newline" },
                { "[7]", "env[0]", "must be a string" },
                { "[[]]", "env[0]", "must be a string" },
                { "[{\"name\":\"A\"}]", "env[0]", "must be a string" },
                { "[{\"value\":\"" SECRET "\"}]", "env[0]", "must be a string" },
                { "[{\"name\":\"A\",\"value\":\"" SECRET "\",\"x\":1}]", "env[0].x", "unknown field" },
                { "[{\"name\":\"A B\",\"value\":\"" SECRET "\"}]", "env[0]", "the name of a variable" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].in);
                struct environ e = { 0 };
                struct fault f = { 0 };

                if (environ_from_json(v, "env", &e, &f) != -EINVAL)
                        fail_msg("accepted: %s", rows[i].in);
                if (!streq(f.field, rows[i].field) || !strstr(f.text, rows[i].says))
                        fail_msg("%s: [%s] %s", rows[i].in, f.field, f.text);
                if (strstr(f.text, SECRET) || strstr(f.field, SECRET))
                        fail_msg("%s: tells: [%s] %s", rows[i].in, f.field, f.text);
                assert_null(e.entries);
        }
}

/* Each limit, at it and one beyond. */
static void limits(void **state _unused_)
{
        static const struct {
                size_t variables, name, value;
                bool ok;
        } rows[] = {
                { 1, 128, 1, true },  { 1, 129, 1, false },  { 1, 1, 32768, true },  { 1, 1, 32769, false },
                { 1024, 8, 1, true }, { 1025, 8, 1, false }, { 31, 8, 32768, true }, { 32, 8, 32768, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };
                _cleanup_(json_freep) struct json *v = NULL;
                _cleanup_(environ_reset) struct environ e = { 0 };
                struct fault f = { 0 };

                text_addc(&t, '{');
                for (size_t n = 0; n < rows[i].variables; n++) {
                        text_addf(&t, "%s\"", n ? "," : "");
                        if (rows[i].name == 8)
                                text_addf(&t, "VAR_%04zu", n);
                        else
                                for (size_t c = 0; c < rows[i].name; c++)
                                        text_addc(&t, 'N');
                        text_add(&t, "\":\"");
                        for (size_t c = 0; c < rows[i].value; c++)
                                text_addc(&t, 'v');
                        text_addc(&t, '"');
                }
                text_addc(&t, '}');
                v = json_parse(t.data, t.len, "body", &f);
                assert_non_null(v);
                if ((environ_from_json(v, "env", &e, &f) == 0) != rows[i].ok)
                        fail_msg("row %zu: %s", i, f.text);
        }
}

static void patched(void **state _unused_)
{
        static const struct {
                const char *patch, *file, *says; /* says: the fault, file as it was */
        } rows[] = {
                { "{}", "A=1\nB=2\n", NULL },
                { "{\"C\":\"3\"}", "A=1\nB=2\nC=3\n", NULL },
                { "{\"A\":\"9\"}", "A=9\nB=2\n", NULL },
                { "{\"A\":null}", "B=2\n", NULL },
                { "{\"Z\":null}", "A=1\nB=2\n", NULL },
                { "{\"A\":null,\"B\":null}", "", NULL },
                { "{\"a\":null}", "A=1\nB=2\n", NULL },
                { "{\"A\":\"9\",\"B\":7}", "A=1\nB=2\n", "env.B: must be a string" },
                { "{\"A\":\"9\",\"b c\":\"" SECRET "\"}", "A=1\nB=2\n", "the name of a variable" },
                { "[\"A=9\"]", "A=1\nB=2\n", "must be an object" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].patch);
                _cleanup_(environ_reset) struct environ e = { 0 };
                _cleanup_text_ struct text file = { 0 };
                struct fault f = { 0 };

                assert_int_equal(environ_from_file("A=1\nB=2\n", &e), 0);
                assert_int_equal(environ_patch(&e, v, "env", &f), rows[i].says ? -EINVAL : 0);
                if (rows[i].says)
                        assert_non_null(strstr(f.text, rows[i].says));
                text_add(&file, "");
                environ_to_file(&e, &file);
                assert_string_equal(file.data, rows[i].file);
        }
}

/* Whatever environ_to_file() does not write is no file of ours. */
static void files_refused(void **state _unused_)
{
        static const char *const rows[] = {
                "A=1",      /* no newline at the end */
                "A\n",      /* docker would import its own */
                "A\nB=1\n", /* the '=' of the next line */
                "\n",
                "A=1\n\nB=2\n",
                "#A=1\n",
                " A=1\n",
                "A =1\n",
                "=1\n",
                "1A=1\n",
                "A=1\r\n",
                "A=1\nA=2\n",
                "A=\xFF\n",
                "\357\273\277A=1\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct environ e = { 0 };

                if (environ_from_file(rows[i], &e) != -EBADMSG)
                        fail_msg("row %zu", i);
                assert_null(e.entries);
        }
}

static void equality(void **state _unused_)
{
        static const struct {
                const char *a, *b;
                bool equal;
        } rows[] = {
                { "", "", true },
                { "A=1\nB=2\n", "B=2\nA=1\n", true },
                { "A=1\n", "A=2\n", false },
                { "A=1\n", "B=1\n", false },
                { "A=1\n", "A=1\nB=2\n", false },
                { "A=1\n", "", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(environ_reset) struct environ a = { 0 }, b = { 0 };

                assert_int_equal(environ_from_file(rows[i].a, &a), 0);
                assert_int_equal(environ_from_file(rows[i].b, &b), 0);
                assert_int_equal(environ_equal(&a, &b), rows[i].equal);
                assert_int_equal(environ_equal(&b, &a), rows[i].equal);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepted), cmocka_unit_test(refused),       cmocka_unit_test(limits),
                cmocka_unit_test(patched),  cmocka_unit_test(files_refused), cmocka_unit_test(equality),
        };

        return cmocka_run_group_tests_name("environ", tests, NULL, NULL);
}
