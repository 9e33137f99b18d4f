/* SPDX-License-Identifier: Apache-2.0 */

/* The strict reader, the getters that never coerce, and the escaper. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/json.h"

#define S(text) text, sizeof(text) - 1
#define DEEP16 "[[[[[[[[[[[[[[[["
#define SHUT16 "]]]]]]]]]]]]]]]]"

static struct json *parse(const char *text)
{
        struct fault f = { 0 };
        struct json *v = json_parse(text, strlen(text), "body", &f);

        if (!v)
                fail_msg("%s: %s", text, f.text);
        return v;
}

static void documents_accepted(void **state _unused_)
{
        static const struct {
                const char *text;
                size_t n;
        } rows[] = {
                { S("{}") },
                { S("[]") },
                { S(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n") },
                { S("\"x\"") },
                { S("null") },
                { S("true") },
                { S("12") },
                { S("-0") },
                { S("0") },
                { S("0.5e-3") },
                { S("1E+2") },
                { S("18446744073709551615") },
                { S("-9223372036854775808") },
                { S("{\"a\":1,\"A\":2}") }, /* two names as far as JSON goes */
                { S("[{\"a\":1},{\"a\":1}]") },
                { S("{\"a\":{\"a\":1}}") },
                { S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"") },
                { S("\"\\ud83d\\ude00\"") },
                { S("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7f\"") },
                { S("\"\\uFFFF\"") },
                { S(DEEP16 SHUT16) },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct fault f = { 0 };
                struct json *v = json_parse(rows[i].text, rows[i].n, "body", &f);

                if (!v)
                        fail_msg("%s: %s", rows[i].text, f.text);
                json_free(v);
        }
}

static void documents_refused(void **state _unused_)
{
        static const struct {
                const char *text;
                size_t n;
                const char *fault;
        } rows[] = {
                /* one meaning only */
                { S("{\"r\":1, \"r\":2}"), "body: duplicate name \"r\" at byte 8" },
                { S("{\"a\":1,\"\\u0061\":2}"), "body: duplicate name \"a\" at byte 7" },
                { S("[{\"b\":{\"x\":1,\"y\":2,\"x\":3}}]"), "body: duplicate name \"x\" at byte 19" },
                { S("{\"\":1,\"\":2}"), "body: duplicate name \"\" at byte 6" },
                { S("{\"z\":1,\"z\":1,\"a\":1,\"a\":1}"), "body: duplicate name \"z\" at byte 7" },
                { S("{\"ro\\u0000le\":1}"), "body: NUL at byte 4" },
                { S("\"a\\u0000b\""), "body: NUL at byte 2" },
                { S("\"a\0b\""), "body: NUL at byte 2" },
                { S("{\"a\":1}garbage"), "body: unexpected text after the value at byte 7" },
                { S("{\"a\":1}\0{\"b\":2}"), "body: unexpected text after the value at byte 7" },
                { S("{}{}"), "body: unexpected text after the value at byte 2" },
                { S(""), "body: unexpected end at byte 0" },
                { S("   "), "body: unexpected end at byte 3" },
                /* UTF-8 */
                { S("\"\xC0\x80\""), "body: invalid UTF-8 at byte 1" },
                { S("\"\xED\xA0\x80\""), "body: invalid UTF-8 at byte 1" },
                { S("{\"\xFF\":1}"), "body: invalid UTF-8 at byte 2" },
                { S("\"\xC3"), "body: invalid UTF-8 at byte 1" },
                { S("\"\\ud800\""), "body: lone surrogate at byte 1" },
                { S("\"\\ud800\\ud800\""), "body: lone surrogate at byte 1" },
                { S("\"\\ud800x\""), "body: lone surrogate at byte 1" },
                { S("\"\\udc00\""), "body: lone surrogate at byte 1" },
                { S("\"\\u12G4\""), "body: bad \\u escape at byte 5" },
                { S("\"\\u12"), "body: bad \\u escape at byte 5" },
                { S("\"\\x41\""), "body: bad escape at byte 1" },
                { S("\"\\"), "body: bad escape at byte 1" },
                { S("\"a\nb\""), "body: control character in a string at byte 2" },
                { S("\"a\tb\""), "body: control character in a string at byte 2" },
                { S("\"abc"), "body: unfinished string at byte 4" },
                { S("\xEF\xBB\xBF{}"), "body: unexpected character at byte 0" }, /* a byte order mark */
                /* numbers */
                { S("01"), "body: number with a leading zero at byte 0" },
                { S("-"), "body: unexpected character at byte 0" },
                { S("-01"), "body: number with a leading zero at byte 0" },
                { S("+1"), "body: unexpected character at byte 0" },
                { S("1."), "body: number without digits after the point at byte 0" },
                { S(".5"), "body: unexpected character at byte 0" },
                { S("1e"), "body: number without digits in the exponent at byte 0" },
                { S("1e+"), "body: number without digits in the exponent at byte 0" },
                { S("0x10"), "body: unexpected text after the value at byte 1" },
                { S("NaN"), "body: unexpected character at byte 0" },
                { S("-Infinity"), "body: unexpected character at byte 0" },
                { S("18446744073709551616"), "body: number too large at byte 0" },
                { S("-9223372036854775809"), "body: number too large at byte 0" },
                { S("[100000000000000000000000000000000000]"), "body: number too large at byte 1" },
                { S("0.00000000000000000000000000000000000000000000000000000000000000000000001"),
                  "body: number too large at byte 0" },
                /* structure */
                { S("{"), "body: expected a name at byte 1" },
                { S("{a:1}"), "body: expected a name at byte 1" },
                { S("{'a':1}"), "body: expected a name at byte 1" },
                { S("{\"a\"}"), "body: expected ':' at byte 4" },
                { S("{\"a\" 1}"), "body: expected ':' at byte 5" },
                { S("{\"a\":}"), "body: unexpected character at byte 5" },
                { S("{\"a\":1,}"), "body: expected a name at byte 7" },
                { S("{,}"), "body: expected a name at byte 1" },
                { S("[1,]"), "body: unexpected character at byte 3" },
                { S("[1 2]"), "body: expected ',' or a closing bracket at byte 3" },
                { S("[1"), "body: expected ',' or a closing bracket at byte 2" },
                { S("[1}"), "body: expected ',' or a closing bracket at byte 2" },
                { S("]"), "body: unexpected character at byte 0" },
                { S("tru"), "body: unexpected character at byte 0" },
                { S("TRUE"), "body: unexpected character at byte 0" },
                { S("nulll"), "body: unexpected text after the value at byte 4" },
                { S("// no\n1"), "body: unexpected character at byte 0" },
                { S("/* no */1"), "body: unexpected character at byte 0" },
                { S(DEEP16 "[1]" SHUT16), "body: nested deeper than 16 at byte 16" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct fault f = { 0 };
                /* Exactly the bytes, so that a sanitizer sees a read beyond them. */
                _cleanup_free_ char *exact = malloc(rows[i].n ? rows[i].n : 1);
                struct json *v;

                assert_non_null(exact);
                memcpy(exact, rows[i].text, rows[i].n);
                v = json_parse(exact, rows[i].n, "body", &f);
                if (v)
                        fail_msg("accepted: %s", rows[i].text);
                assert_string_equal(f.text, rows[i].fault);
                assert_int_equal(f.kind, FAULT_INVALID);
                assert_string_equal(f.field, "body");
        }
}

/* 4096 names and elements pass, one more does not; and the worst order of names costs no more than any. */
static void members_are_counted(void **state _unused_)
{
        for (int n = JSON_MEMBERS_MAX; n <= JSON_MEMBERS_MAX + 1; n++) {
                _cleanup_text_ struct text t = { 0 };
                struct fault f = { 0 };
                struct json *v;

                text_add(&t, "{");
                for (int i = 0; i < n; i++)
                        text_addf(&t, "%s\"%d\":[]", i ? "," : "", n - i);
                text_add(&t, "}");
                v = json_parse(t.data, t.len, "body", &f);
                assert_int_equal(v != NULL, n == JSON_MEMBERS_MAX);
                if (!v)
                        assert_string_equal(f.text, "body: more than 4096 names and elements");
                json_free(v);
        }
}

static void members_and_elements(void **state _unused_)
{
        _cleanup_(json_freep) struct json *v =
                parse("{\"Image\":\"x\",\"n\":null,\"list\":[1,null,\"c\"],\"IMAGE2\":{}}");
        const struct json *list = json_member(v, "LIST");
        const char *name = NULL;

        assert_true(json_is_object(v));
        assert_true(json_is_string(json_member(v, "image")));
        assert_true(json_is_string(json_member(v, "Image")));
        assert_null(json_member(v, "imag"));
        assert_true(json_is_null(json_member(v, "N")));  /* null is there … */
        assert_false(json_is_null(json_member(v, "m"))); /* … and nothing is not null */
        assert_true(json_is_array(list));
        assert_int_equal(json_array_len(list), 3);
        assert_true(json_is_number(json_array_at(list, 0)));
        assert_true(json_is_null(json_array_at(list, 1)));
        assert_null(json_array_at(list, 3));
        assert_int_equal(json_object_len(v), 4);
        assert_non_null(json_object_at(v, 3, &name));
        assert_string_equal(name, "IMAGE2");
        assert_null(json_object_at(v, 4, &name));
        /* Asking the wrong kind of value is an answer, not a crash. */
        assert_null(json_member(list, "x"));
        assert_null(json_member(NULL, "x"));
        assert_int_equal(json_array_len(v), 0);
        assert_int_equal(json_object_len(NULL), 0);
        assert_null(json_array_at(v, 0));
}

static void null_document(void **state _unused_)
{
        struct json *v = parse(" null ");

        assert_true(json_is_null(v));
        assert_false(json_is_object(v));
        assert_null(json_free(v));
}

static void names_are_checked(void **state _unused_)
{
        static const char *const names[] = { "image", "ports", NULL };
        static const struct {
                const char *text, *path, *field, *fault;
        } rows[] = {
                { "{}", NULL, NULL, NULL },
                { "{\"Image\":1,\"PORTS\":2}", NULL, NULL, NULL },
                { "{\"image\":1,\"prots\":2}", NULL, "prots", "unknown field \"prots\"" },
                { "{\"image\":1,\"Image\":2}", NULL, "Image", "given twice, in different case: \"Image\"" },
                { "{\"x\":1}", "ports[1]", "ports[1].x", "unknown field \"ports[1].x\"" },
                { "{\"a\\nb\":1}", "", "a\nb", "unknown field \"a\\nb\"" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].text);
                struct fault f = { 0 };

                assert_int_equal(json_check_names(v, rows[i].path, names, &f), rows[i].fault ? -EINVAL : 0);
                if (rows[i].fault) {
                        assert_string_equal(f.field, rows[i].field);
                        assert_string_equal(f.text, rows[i].fault);
                }
        }
}

static void integers(void **state _unused_)
{
        static const struct {
                const char *text;
                uint64_t min, max;
                bool ok;
                uint64_t out;
        } rows[] = {
                { "8080", 1, 65535, true, 8080 },
                { "\"4343\"", 1, 65535, true, 4343 },
                { "0", 0, 0, true, 0 },
                { "-0", 0, 9, true, 0 },
                { "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
                { "\"18446744073709551615\"", 0, UINT64_MAX, true, UINT64_MAX },
                { "9223372036854775808", 0, INT64_MAX, false, 0 },
                { "\"9223372036854775808\"", 0, INT64_MAX, false, 0 },
                { "0", 1, 65535, false, 0 },
                { "65536", 1, 65535, false, 0 },
                { "-1", 0, 65535, false, 0 },
                { "-9223372036854775808", 0, UINT64_MAX, false, 0 },
                { "1.0", 0, 65535, false, 0 },
                { "1.5", 0, 65535, false, 0 },
                { "1e3", 0, 65535, false, 0 },
                { "1e400", 0, UINT64_MAX, false, 0 },
                { "true", 0, 65535, false, 0 },
                { "null", 0, 65535, false, 0 },
                { "[]", 0, 65535, false, 0 },
                { "{}", 0, 65535, false, 0 },
                { "\"\"", 0, 65535, false, 0 },
                { "\"8080x\"", 0, 65535, false, 0 },
                { "\" 1\"", 0, 65535, false, 0 },
                { "\"-1\"", 0, 65535, false, 0 },
                { "\"1.0\"", 0, 65535, false, 0 },
                { "\"0x10\"", 0, 65535, false, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].text);
                struct fault f = { 0 };
                uint64_t n = 4711;
                int r = json_get_uint(v, "p", rows[i].min, rows[i].max, &n, &f);

                if ((r == 0) != rows[i].ok || n != (rows[i].ok ? rows[i].out : 4711))
                        fail_msg("%s: %d, %ju", rows[i].text, r, (uintmax_t) n);
                if (r < 0)
                        assert_string_equal(f.field, "p");
        }
}

static void fractions(void **state _unused_)
{
        static const struct {
                const char *text;
                bool ok;
                double out;
        } rows[] = {
                { "0.25", true, 0.25 },  { "\"0.25\"", true, 0.25 }, { "2", true, 2 },
                { "\"2\"", true, 2 },    { "1e0", true, 1 },         { "-1", false, 0 },
                { "1025", false, 0 },    { "1e400", false, 0 },      { "\"1e0\"", false, 0 },
                { "\"nan\"", false, 0 }, { "\"inf\"", false, 0 },    { "\"\"", false, 0 },
                { "\".5\"", false, 0 },  { "\"5.\"", false, 0 },     { "\"1.2.3\"", false, 0 },
                { "\"0x1\"", false, 0 }, { "\" 1\"", false, 0 },     { "\"1,5\"", false, 0 },
                { "true", false, 0 },    { "null", false, 0 },       { "[1]", false, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(json_freep) struct json *v = parse(rows[i].text);
                struct fault f = { 0 };
                double d = 4711;
                int r = json_get_double(v, "cpus", 0.01, 1024, &d, &f);

                if ((r == 0) != rows[i].ok || d < (rows[i].ok ? rows[i].out : 4711) ||
                    d > (rows[i].ok ? rows[i].out : 4711))
                        fail_msg("%s: %d, %g", rows[i].text, r, d);
        }
}

static void strings_and_booleans(void **state _unused_)
{
        _cleanup_(json_freep) struct json *v = parse("[\"abc\",1,true,\"true\",null,0]");
        struct fault f = { 0 };
        const char *s = NULL;
        bool b = false;

        assert_int_equal(json_get_string(json_array_at(v, 0), "p", 3, &s, &f), 0);
        assert_string_equal(s, "abc");
        assert_int_equal(json_get_string(json_array_at(v, 0), "p", 2, &s, &f), -EINVAL);
        assert_string_equal(f.text, "p: longer than 2 bytes");
        assert_int_equal(json_get_string(json_array_at(v, 1), "p", 9, &s, &f), -EINVAL);
        assert_int_equal(json_get_string(json_array_at(v, 4), "p", 9, &s, &f), -EINVAL);
        assert_int_equal(json_get_string(NULL, "p", 9, &s, &f), -EINVAL);
        assert_string_equal(f.text, "p: must be a string");
        assert_int_equal(json_get_bool(json_array_at(v, 2), "p", &b, &f), 0);
        assert_true(b);
        for (size_t i = 3; i < 7; i++)
                assert_int_equal(json_get_bool(json_array_at(v, i), "p", &b, &f), -EINVAL);
        assert_string_equal(f.text, "p: must be true or false");
}

static void written(void **state _unused_)
{
        _cleanup_text_ struct text t = { 0 };

        text_addc(&t, '{');
        json_put(&t, "a", "q\"\\/\b\f\n\r\t\x01\x7f");
        json_put(&t, "none", NULL);
        json_putu(&t, "n", UINT64_MAX);
        json_putb(&t, "b", true);
        json_name(&t, "o");
        text_addc(&t, '{');
        json_putb(&t, "{", false);
        text_add(&t, "}}");
        assert_string_equal(t.data, "{\"a\":\"q\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\",\"none\":null,"
                                    "\"n\":18446744073709551615,\"b\":true,\"o\":{\"{\":false}}");
        text_reset(&t);
        json_out(&t, "\xC3\xA9\xFF\xF0\x9F\x98\x80");
        assert_string_equal(t.data, "\"\xC3\xA9\xEF\xBF\xBD\xF0\x9F\x98\x80\"");
        text_reset(&t);
        json_out_ascii(&t, "\xC3\xA9\xFF\xF0\x9F\x98\x80");
        assert_string_equal(t.data, "\"\\u00e9\\ufffd\\ud83d\\ude00\"");
}

/* Bytes from a fixed seed; every third string is a run of valid multi-byte text with a flaw now and then. */
static size_t some_bytes(uint64_t *seed, unsigned char *ret, size_t max)
{
        static const char *const pieces[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                              "\"",       "\\",           "\n",
                                              "x" };
        size_t n = 0, want;

        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        want = (*seed >> 33) % max;
        while (n < want) {
                *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
                if ((want % 3) == 0 && (*seed >> 60) != 0) {
                        const char *piece = pieces[(*seed >> 33) % ARRAY_SIZE(pieces)];

                        for (; *piece && n < want; piece++)
                                ret[n++] = (unsigned char) *piece;
                } else {
                        ret[n++] = (unsigned char) (*seed >> 40);
                }
        }
        return n;
}

static const char python[] = "python3 -c '\n"
                             "import codecs, json, sys\n"
                             "codecs.register_error(\"each\", lambda e: (\"\\ufffd\", e.start + 1))\n"
                             "cases = 0\n"
                             "for line in sys.stdin.buffer:\n"
                             "    raw, *written = line.rstrip(b\"\\n\").split(b\"\\t\")\n"
                             "    want = bytes.fromhex(raw.decode()).decode(\"utf-8\", \"each\")\n"
                             "    for w in written:\n"
                             "        assert json.loads(w) == want, (raw, w)\n"
                             "    cases += 1\n"
                             "assert cases == 3000, cases\n"
                             "'";

/* Another reader understands what we write, for any bytes. */
static void python_reads_it_back(void **state _unused_)
{
        FILE *reader = popen(python, "w");
        uint64_t seed = 20260101;

        assert_non_null(reader);
        for (int i = 0; i < 3000; i++) {
                _cleanup_text_ struct text t = { 0 };
                unsigned char bytes[200];
                size_t n = some_bytes(&seed, bytes, sizeof bytes - 1);

                bytes[n] = 0;
                for (size_t j = 0; j < n; j++)
                        text_addf(&t, "%02x", bytes[j]);
                text_addc(&t, '\t');
                json_outn(&t, bytes, n);
                if (strlen((char *) bytes) == n) {
                        text_addc(&t, '\t');
                        json_out_ascii(&t, (char *) bytes);
                }
                text_addc(&t, '\n');
                assert_int_equal(fwrite(t.data, 1, t.len, reader), t.len);
        }
        assert_int_equal(pclose(reader), 0);
}

/* What we write, we read. */
static void own_reader_reads_it_back(void **state _unused_)
{
        uint64_t seed = 4711;

        for (int i = 0; i < 2000; i++) {
                _cleanup_text_ struct text t = { 0 };
                _cleanup_(json_freep) struct json *v = NULL;
                unsigned char bytes[200];
                struct fault f = { 0 };
                const char *back;
                size_t n = some_bytes(&seed, bytes, sizeof bytes - 1);

                bytes[n] = 0;
                if (!utf8_valid(bytes, n))
                        continue;
                json_out_ascii(&t, (char *) bytes);
                v = json_parse(t.data, t.len, "it", &f);
                assert_non_null(v);
                assert_int_equal(json_get_string(v, "it", sizeof bytes, &back, &f), 0);
                assert_string_equal(back, (char *) bytes);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents_accepted),
                cmocka_unit_test(documents_refused),
                cmocka_unit_test(members_are_counted),
                cmocka_unit_test(members_and_elements),
                cmocka_unit_test(null_document),
                cmocka_unit_test(names_are_checked),
                cmocka_unit_test(integers),
                cmocka_unit_test(fractions),
                cmocka_unit_test(strings_and_booleans),
                cmocka_unit_test(written),
                cmocka_unit_test(python_reads_it_back),
                cmocka_unit_test(own_reader_reads_it_back),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
