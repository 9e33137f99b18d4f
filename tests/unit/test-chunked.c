/* SPDX-License-Identifier: Apache-2.0 */

#include "http/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* All of it in steps of at most so many bytes; what is left, or -EBADMSG. */
static ssize_t take(const char *bytes, size_t n, size_t step, char *ret, size_t *ret_n)
{
        struct chunked c = { 0 };

        *ret_n = 0;
        while (n > 0 && !chunked_ended(&c)) {
                const char *data = NULL;
                size_t n_data;
                ssize_t used = chunked_read(&c, bytes, n < step ? n : step, &data, &n_data);

                if (used < 0)
                        return used;
                assert_true(used > 0 && (size_t) used <= n && n_data <= (size_t) used);
                memcpy(ret + *ret_n, data ? data : "", n_data);
                *ret_n += n_data;
                bytes += used;
                n -= (size_t) used;
        }
        return chunked_ended(&c) ? (ssize_t) n : -EAGAIN;
}

static ssize_t take_text(const char *text, size_t step, char ret[static 256])
{
        size_t n;
        ssize_t r = take(text, strlen(text), step, ret, &n);

        ret[n] = '\0';
        return r;
}

static void bodies(void **state _unused_)
{
        static const struct {
                const char *bytes, *body;
                ssize_t left;
        } rows[] = {
                { "0\r\n\r\n", "", 0 },
                { "000\r\n\r\nGET", "", 3 },
                { "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
                { "5\r\nhello\r\n06\r\n world\r\n0\r\n\r\nx", "hello world", 1 },
                { "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0 },
                { "9\r\n\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", "\r\n0\r\n\r\n0\r", 0 },
                { "000000000000001\r\nx\r\n0\r\n\r\n", "x", 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t step = 1; step < 40; step++) {
                        char body[256];

                        assert_int_equal(take_text(rows[i].bytes, step, body), rows[i].left);
                        assert_string_equal(body, rows[i].body);
                }
}

static void none(void **state _unused_)
{
        static const char *const rows[] = {
                "\r\n", "\n", "x\r\n", "5;a=b\r\nhello\r\n", "5 \r\nhello\r\n", " 5\r\n", "\t5\r\n", "+5\r\n", "-1\r\n",
                "0x5\r\n", "5\nhello\r\n", "5\r\nhello\n", "5\r\nhello!\r\n", "5\rhello", "0\r\n\n", "0\r\nA: b\r\n\r\n",
                "0\n\r\n", "0000000000000000\r\n\r\n", "fffffffffffffffff\r\n", "5\r\nhello\r\n\r\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t step = 1; step < 20; step++) {
                        char body[256];

                        assert_int_equal(take_text(rows[i], step, body), -EBADMSG);
                }
}

static void more_is_wanted(void **state _unused_)
{
        static const char whole[] = "5\r\nhello\r\n0\r\n\r\n";
        char body[256];
        size_t n_body;

        for (size_t n = 0; n < sizeof whole - 1; n++)
                assert_int_equal(take(whole, n, 3, body, &n_body), -EAGAIN);
}

static void a_size_may_be_large(void **state _unused_)
{
        static const char head[] = "fffffffffffffff\r\n";
        struct chunked c = { 0 };
        const char *data;
        size_t n_data;

        for (size_t i = 0; i < sizeof head - 1; i++)
                assert_int_equal(chunked_read(&c, head + i, 1, &data, &n_data), 1);
        assert_int_equal(chunked_read(&c, "abc", 3, &data, &n_data), 3);
        assert_int_equal(n_data, 3);
        assert_true(c.left == UINT64_C(0xfffffffffffffff) - 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bodies),
                cmocka_unit_test(none),
                cmocka_unit_test(more_is_wanted),
                cmocka_unit_test(a_size_may_be_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
