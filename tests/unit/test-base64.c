/* SPDX-License-Identifier: Apache-2.0 */

#include "util/base64.h"

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

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_decode) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
