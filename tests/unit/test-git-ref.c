/* SPDX-License-Identifier: Apache-2.0 */

/* Refs, the rules of git check-ref-format among them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/git-ref.h"

static void accepted(void **state _unused_)
{
        static const char *const refs[] = {
                "main", "HEAD", "a/b", "release/1.0", "v1.2.3-rc1", "feature/x_y", "0", "a@b", "a+b", "100%", "#1",
                "refs/heads/main", "2c45c1bb5d1cb5e40bd4a6fb9bd0d1e4bd0f5b1d", "\xc3\xa9t\xc3\xa9", "a-", "a.b", "lock",
        };

        for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
                if (!git_ref_valid(refs[i]))
                        fail_msg("%s is refused", refs[i]);
}

static void refused(void **state _unused_)
{
        static const char *const refs[] = {
                "", "-x", "--output=/etc/cron.d/x", "-l", "--remote=ext::x", "..", "a..b", "../a", "a/../b", "/", "/a", "a/", "a//b",
                ".a", "a/.b", "a.", "a.lock", "a.lock/b", "@", "@{-1}", "a@{1}", "a^", "a^{tree}", "a~1", "HEAD:../x", "a:b", "a b",
                "a\tb", "a\nb", "a\x7f", "a?", "a*", "a[b", "a\\b", "\xff", "\xed\xa0\x80",
        };

        for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
                if (git_ref_valid(refs[i]))
                        fail_msg("%s is accepted", refs[i]);
}

static void length(void **state _unused_)
{
        char ref[GIT_REF_MAX + 2];

        memset(ref, 'a', sizeof ref);
        ref[GIT_REF_MAX] = '\0';
        assert_true(git_ref_valid(ref));
        ref[GIT_REF_MAX] = 'a';
        ref[GIT_REF_MAX + 1] = '\0';
        assert_false(git_ref_valid(ref));
}

static void branches(void **state _unused_)
{
        assert_true(git_branch_valid("main"));
        assert_true(git_branch_valid("head"));
        assert_false(git_branch_valid("HEAD"));
        assert_false(git_branch_valid("-x"));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(accepted), cmocka_unit_test(refused),
                                            cmocka_unit_test(length), cmocka_unit_test(branches) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
