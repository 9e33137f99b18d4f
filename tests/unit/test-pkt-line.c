/* SPDX-License-Identifier: Apache-2.0 */

#include "core/pkt-line.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OLD "0000000000000000000000000000000000000000"
#define NEW "89abcdef0123456789abcdef0123456789abcdef"

/* A line framed as git does. */
static void add_lines(struct text *t, const char *const *lines)
{
        for (; *lines; lines++)
                text_addf(t, "%04zx%s", strlen(*lines) + 4, *lines);
        text_add(t, "0000");
}

static void add_command(struct text *t, const char *line, const char *capabilities)
{
        text_addf(t, "%04zx%s", strlen(line) + strlen(capabilities) + 5, line);
        text_addn(t, "", 1);
        text_add(t, capabilities);
}

static void add_banded(struct text *t, const char *bytes, size_t n, size_t step)
{
        for (size_t at = 0; at < n; at += step) {
                size_t k = n - at < step ? n - at : step;

                text_addf(t, "%04zx\1", k + 5);
                text_addn(t, bytes + at, k);
                text_add(t, "0009\2busy"); /* progress, between */
        }
        text_add(t, "0000");
}

/* What is told of it, given in pieces of each size. */
static void assert_told(const struct text *asked, const struct text *told, const char *expected)
{
        for (size_t step = 1; step < 100; step++) {
                struct push_story s = { 0 };
                _cleanup_text_ struct text t = { 0 };

                for (size_t at = 0; at < asked->len; at += step)
                        push_story_asked(&s, asked->data + at, asked->len - at < step ? asked->len - at : step);
                for (size_t at = 0; at < told->len; at += step)
                        push_story_told(&s, told->data + at, told->len - at < step ? told->len - at : step);
                push_story_tell(&s, &t);
                assert_string_equal(t.data ? t.data : "", expected);
                push_story_reset(&s);
        }
}

static const char *const report[] = { "unpack ok\n", "ok refs/heads/main\n", "ng refs/heads/x non-fast-forward\n", NULL };
#define REPORT_TOLD "updated refs/heads/main; refused refs/heads/x (non-fast-forward)"

static void in_bands(void **state _unused_)
{
        for (size_t step = 1; step < 80; step += 3) {
                _cleanup_text_ struct text asked = { 0 }, inner = { 0 }, told = { 0 };

                add_command(&asked, OLD " " NEW " refs/heads/main", " report-status side-band-64k agent=git/2");
                add_lines(&asked, (const char *const[]){ OLD " " NEW " refs/heads/x", NULL });
                text_add(&asked, "PACK0009no line");
                add_lines(&inner, report);
                add_banded(&told, inner.data, inner.len, step);
                assert_told(&asked, &told, REPORT_TOLD);
        }
}

static void plain(void **state _unused_)
{
        _cleanup_text_ struct text asked = { 0 }, told = { 0 };

        add_command(&asked, OLD " " NEW " refs/heads/main", " report-status");
        text_add(&asked, "0000");
        add_lines(&told, report);
        assert_told(&asked, &told, REPORT_TOLD);
}

static void many(void **state _unused_)
{
        _cleanup_text_ struct text asked = { 0 }, told = { 0 };

        add_command(&asked, OLD " " NEW " refs/heads/0", "");
        text_add(&asked, "0000");
        for (int i = 0; i < 10; i++)
                text_addf(&told, "0014ok refs/heads/%d\n", i);
        assert_told(&asked, &told,
                    "updated refs/heads/0, refs/heads/1, refs/heads/2, refs/heads/3, refs/heads/4, refs/heads/5, "
                    "refs/heads/6, refs/heads/7 and 2 more");
}

static void what_is_none(void **state _unused_)
{
        static const char *const rows[] = { "", "x", "0001", "zzzzabc", "0003abc", "-005a", "ffff", "0000" };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_text_ struct text asked = { 0 }, told = { 0 };

                text_add(&asked, rows[i]);
                text_add(&told, rows[i]);
                assert_told(&asked, &told, "");
        }
}

/* In capitals, and with nothing said of it, it is a push all the same. */
static void no_push_goes_unseen(void **state _unused_)
{
        _cleanup_text_ struct text asked = { 0 }, told = { 0 }, long_name = { 0 };

        add_lines(&asked, (const char *const[]){ "shallow " NEW, OLD " 89ABCDEF0123456789ABCDEF0123456789ABCDEF refs/heads/x",
                                                 NULL });
        assert_told(&asked, &told, "asked for refs/heads/x");
        text_truncate(&asked, 0);
        text_add(&long_name, OLD " " NEW " ");
        for (int i = 0; i < 50; i++)
                text_add(&long_name, "0123456789");
        add_lines(&asked, (const char *const[]){ long_name.data, OLD " " NEW " refs/heads/y", NULL });
        assert_told(&asked, &told,
                    "asked for 01234567890123456789012345678901234567890123456789"
                    "01234567890123456789012345678901234567890123456789, refs/heads/y");
}

static void certificates_are_noticed(void **state _unused_)
{
        _cleanup_text_ struct text asked = { 0 };
        struct push_story s = { 0 };

        add_command(&asked, "push-cert", " side-band-64k");
        push_story_asked(&s, asked.data, asked.len);
        assert_true(s.sealed && s.banded);
        push_story_reset(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(in_bands),
                cmocka_unit_test(plain),
                cmocka_unit_test(many),
                cmocka_unit_test(what_is_none),
                cmocka_unit_test(no_push_goes_unseen),
                cmocka_unit_test(certificates_are_noticed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
