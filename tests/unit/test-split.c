/* SPDX-License-Identifier: Apache-2.0 */

/* Streams cut into lines and into the elements of an array, wherever their pieces end. */

#include "sys/split.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bool note_line(void *arg, const char *line, size_t len)
{
        char *said = arg;

        (void) snprintf(said + strlen(said), 64 - strlen(said), "[%.*s]", (int) len, line);
        return !(len == 4 && memcmp(line, "stop", 4) == 0);
}

static void lines_are_the_same_wherever_the_pieces_end(_unused_ void **state)
{
        static const char stream[] = "one\n\ntwo\r\nthree\nhe";

        for (size_t cut = 0; cut < sizeof stream; cut++) {
                struct line_splitter s = { .max = 8 };
                char said[64] = "";

                assert_int_equal(lines_feed(&s, stream, cut, note_line, said), 0);
                assert_int_equal(lines_feed(&s, stream + cut, sizeof stream - 1 - cut, note_line, said), 0);
                assert_string_equal(said, "[one][][two\r][three]");
                assert_int_equal(s.held.len, 2);
                text_reset(&s.held);
        }
}

static void lines_are_bounded_and_can_be_stopped(_unused_ void **state)
{
        struct line_splitter s = { .max = 4 };
        char said[64] = "";

        assert_int_equal(lines_feed(&s, "1234\n", 5, note_line, said), 0);
        assert_int_equal(lines_feed(&s, "12345\n", 6, note_line, said), -EMSGSIZE);
        assert_int_equal(lines_feed(&s, "123", 3, note_line, said), 0);
        assert_int_equal(lines_feed(&s, "45\n", 3, note_line, said), -EMSGSIZE);
        text_reset(&s.held);
        assert_int_equal(lines_feed(&s, "stop\nmore\n", 10, note_line, said), SPLIT_STOPPED);
        assert_string_equal(said, "[1234][stop]");
        text_reset(&s.held);
}

static void elements_are_the_same_wherever_the_pieces_end(_unused_ void **state)
{
        static const char stream[] = " [{\"a\":\"}\\\"]\"} ,\n[1,[2]],7,\"{\",{}]\n";

        for (size_t cut = 0; cut < sizeof stream; cut++) {
                struct element_splitter s = { .max = 16 };
                char said[64] = "";

                assert_int_equal(elements_feed(&s, stream, cut, note_line, said), 0);
                assert_int_equal(elements_feed(&s, stream + cut, sizeof stream - 1 - cut, note_line, said),
                                 0);
                assert_string_equal(said, "[{\"a\":\"}\\\"]\"}][[1,[2]]][{}]");
                assert_true(s.ended);
                text_reset(&s.held);
        }
}

static void what_is_no_array_has_no_elements(_unused_ void **state)
{
        static const struct {
                const char *stream;
                int result;
                bool ended;
        } rows[] = {
                { "[]", 0, true },
                { "[{}", 0, false },
                { "", 0, false },
                { "{\"a\":{}}", -EBADMSG, false },
                { "]", -EBADMSG, false },
                { "}", -EBADMSG, false },
                { "[}", -EBADMSG, false },
                { "[][]", -EBADMSG, true },
                { "[{\"0123456789abcdef\":1}]", -EMSGSIZE, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct element_splitter s = { .max = 16 };
                char said[64] = "";

                assert_int_equal(elements_feed(&s, rows[i].stream, strlen(rows[i].stream), note_line, said),
                                 rows[i].result);
                assert_int_equal(s.ended, rows[i].ended);
                text_reset(&s.held);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_are_the_same_wherever_the_pieces_end),
                cmocka_unit_test(lines_are_bounded_and_can_be_stopped),
                cmocka_unit_test(elements_are_the_same_wherever_the_pieces_end),
                cmocka_unit_test(what_is_no_array_has_no_elements),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
