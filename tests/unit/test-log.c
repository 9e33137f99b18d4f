/* SPDX-License-Identifier: Apache-2.0 */

/* The log as it arrives on a stderr that is no journal: one event, one line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/log.h"

#include <fcntl.h>

/* Writes one event with stderr in a pipe, and gives back what came out of it. */
static void logged(int max, int level, const char *text, char *ret, size_t size)
{
        int saved = dup(STDERR_FILENO), ends[2];
        ssize_t n;

        assert_true(saved >= 0);
        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
        log_open("test", max);
        log_at(level, LOG_FIELDS("GEAR_ID", "1", "NONE", NULL), "%s", text);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        n = read(ends[0], ret, size - 1);
        ret[n > 0 ? n : 0] = '\0';
        (void) close(saved);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void lines(void **state _unused_)
{
        static const struct {
                int max, level;
                const char *text, *out;
        } rows[] = {
                { LOG_INFO, LOG_INFO, "hello", "<6>hello\n" },
                { LOG_INFO, LOG_ERR, "bad", "<3>bad\n" },
                { LOG_INFO, LOG_DEBUG, "quiet", "" },
                { LOG_DEBUG, LOG_DEBUG, "loud", "<7>loud\n" },
                { LOG_INFO, LOG_INFO, "", "<6>\n" },
                { LOG_INFO, LOG_INFO, "a\n<0>b\r\x1b[2J\x7f", "<6>a\\x0a<0>b\\x0d\\x1b[2J\\x7f\n" },
                { LOG_INFO, LOG_INFO, "%n%s%1$*2$d", "<6>%n%s%1$*2$d\n" },
                { LOG_INFO, LOG_INFO, "\xC3\xA9\xFF", "<6>\xC3\xA9\xFF\n" },
        };
        char out[256];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                logged(rows[i].max, rows[i].level, rows[i].text, out, sizeof out);
                assert_string_equal(out, rows[i].out);
        }
}

static void long_text_is_cut(void **state _unused_)
{
        char text[20000], out[30000];

        memset(text, '\n', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        logged(LOG_INFO, LOG_INFO, text, out, sizeof out);
        assert_in_range(strlen(out), 4000, 4100);
        assert_true(ends_with(out, "\\x0a\n"));
        assert_int_equal(strcspn(out, "\n"), strlen(out) - 1);
}

/* A stale $JOURNAL_STREAM, inherited by somebody whose stderr is another, is not believed. */
static void journal_stream_must_be_ours(void **state _unused_)
{
        char out[64];

        assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
        logged(LOG_INFO, LOG_INFO, "hello", out, sizeof out);
        assert_string_equal(out, "<6>hello\n");
        assert_int_equal(setenv("JOURNAL_STREAM", "nonsense", 1), 0);
        logged(LOG_INFO, LOG_INFO, "hello", out, sizeof out);
        assert_string_equal(out, "<6>hello\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines),
                cmocka_unit_test(long_text_is_cut),
                cmocka_unit_test(journal_stream_must_be_ours),
        };

        return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
