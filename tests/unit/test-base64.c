/* SPDX-License-Identifier: Apache-2.0 */

#include "util/base64.h"

#include "util/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_decode(void **state _unused_)
{
        static const struct {
                const char *encoded;
                const char *bytes; /* NULL: refused */
        } rows[] = {
                { "", "" },         { "Zg==", "f" },    { "Zm8=", "fo" },     { "Zm9v", "foo" },
                { "Zm9vYg==", "foob" }, { "+/+/", "\xfb\xff\xbf" }, { "Z", NULL }, { "Zg", NULL },
                { "Zg=", NULL },    { "Zg===", NULL },  { "=", NULL },        { "====", NULL },
                { "Zh==", NULL },   { "Zm9=", NULL },   { "Zm 9v", NULL },    { "Zm9v\n", NULL },
                { "Zm-_", NULL },   { "Z=9v", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text t = { 0 };
                int r = base64_decode(rows[i].encoded, &t);

                assert_int_equal(r, rows[i].bytes ? 0 : -EBADMSG);
                if (rows[i].bytes) {
                        assert_int_equal(t.len, strlen(rows[i].bytes));
                        assert_memory_equal(t.len ? t.data : "", rows[i].bytes, t.len);
                }
        }
}

static void test_decode_url(void **state _unused_)
{
        static const struct {
                const char *encoded;
                const char *bytes; /* NULL: refused */
        } rows[] = {
                { "", "" },         { "Zg", "f" },      { "Zm8", "fo" },    { "Zm9v", "foo" },
                { "Zm9vYg", "foob" }, { "-_-_", "\xfb\xff\xbf" }, { "Z", NULL }, { "Zm9vY", NULL },
                { "Zg==", NULL },   { "Zm8=", NULL },   { "=", NULL },      { "QR", NULL },
                { "Zm9", NULL },    { "Zm 9v", NULL },  { "Zm9v\n", NULL }, { " Zm9v", NULL },
                { "Zm+/", NULL },   { "+/+/", NULL },   { "Zm9v%3d", NULL }, { "Zm\xc3\xa9", NULL },
        };
        unsigned char *decoded;
        size_t n;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                int r = base64url_decode(rows[i].encoded, strlen(rows[i].encoded), &decoded, &n);

                assert_int_equal(r, rows[i].bytes ? 0 : -EBADMSG);
                if (r < 0)
                        continue;
                assert_int_equal(n, strlen(rows[i].bytes));
                assert_string_equal((char *) decoded, rows[i].bytes);
                free(decoded);
        }
        assert_int_equal(base64url_decode("AA\0A", 4, &decoded, &n), -EBADMSG);
}

/* Of all texts of up to three digits, each is what an encoder writes or refused. */
static void test_one_text_per_bytes(void **state _unused_)
{
        for (unsigned value = 0; value < 1U << 24; value += 251) {
                const char text[] = { (char) (value & 0xff), (char) (value >> 8 & 0xff),
                                      (char) (value >> 16) };

                for (size_t len = 1; len <= sizeof text; len++) {
                        _cleanup_free_ unsigned char *decoded = NULL;
                        _cleanup_text_ struct text again = { 0 };
                        size_t n;

                        if (base64url_decode(text, len, &decoded, &n) < 0)
                                continue;
                        base64url_add(&again, decoded, n);
                        assert_int_equal(again.len, len);
                        assert_memory_equal(again.data, text, len);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_decode_url),
                cmocka_unit_test(test_one_text_per_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
