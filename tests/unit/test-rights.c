/* SPDX-License-Identifier: Apache-2.0 */

/* Which right is granted by which list, and which name is covered by which patterns. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rights.h"
#include "util/text.h"

/* "a b c" */
static char **words(const char *s)
{
        char **v = NULL;

        assert_int_equal(shell_split(s, &v), 0);
        return v;
}

static void known(void **state _unused_)
{
        static const char *const good[] = {
                "gear.read", "gear.create", "gear.state", "gear.delete", "gear.env", "gear.host",
                "log.read",  "repo.read",   "repo.write", "job.run",     "ops.read", "audit.read",
                "gear.*",    "log.*",       "repo.*",     "job.*",       "ops.*",    "audit.*",
                "service.*", "app.*",       "node.*",
        };
        static const char *const bad[] = {
                "",          "*",          ".*",     "gear",     "gear.",      "gear.r*", "gear.reads",
                "Gear.read", "gea.*",      "g.*",    "gear.*.*", "gear.read ", "service", "service.read",
                "*.read",    "gear.read*", "gear**", "unknown",  "gear.*x",    "gear-*",
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!right_known(good[i]))
                        fail_msg("\"%s\" is not known", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (right_known(bad[i]))
                        fail_msg("\"%s\" is known", bad[i]);
}

static void granted(void **state _unused_)
{
        static const struct {
                const char *list, *right;
                bool granted;
        } rows[] = {
                { "gear.read", "gear.read", true },
                { "gear.read", "gear.env", false },
                { "log.read gear.env", "gear.env", true },
                { "gear.*", "gear.read", true },
                { "gear.*", "gear.delete", true },
                { "gear.*", "gear.*", true },
                { "gear.*", "gear.host", false },
                { "gear.* gear.host", "gear.host", true },
                { "gear.host", "gear.host", true },
                { "gear.host", "gear.read", false },
                { "gear.host", "gear.*", false },
                { "gear.read gear.create gear.state gear.delete gear.env gear.host", "gear.*", false },
                { "gear.*", "log.read", false },
                { "gear.*", "gearx.read", false },
                { "service.*", "service.scale", true },
                { "service.*", "app.new", false },
                { "", "gear.read", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strv_ char **list = words(rows[i].list);

                if (rights_grant(list, rows[i].right) != rows[i].granted)
                        fail_msg("%s of {%s}", rows[i].right, rows[i].list);
        }
        assert_false(rights_grant(NULL, "gear.read"));
}

static void lists_of_rights(void **state _unused_)
{
        _cleanup_strv_ char **all = words("gear.* log.read"), **some = words("gear.read log.read"),
                            **host = words("gear.read gear.host");

        assert_true(rights_cover(all, some));
        assert_true(rights_cover(all, all));
        assert_false(rights_cover(some, all));
        assert_false(rights_cover(all, host));
        assert_true(rights_cover(some, NULL));
        assert_false(rights_cover(NULL, some));
}

/* Every call of the first program, and nothing that it could not do. */
static void of_the_seed(void **state _unused_)
{
        static const char *const granted[] = { "gear.create", "gear.state", "log.read", "repo.read",
                                               "repo.write" };
        static const char *const other[] = {
                "gear.read", "gear.delete", "gear.env",  "gear.host", "job.run",
                "ops.read",  "audit.read",  "service.x", "app.x",     "node.x"
        };

        for (size_t i = 0; i < ARRAY_SIZE(granted); i++)
                assert_true(rights_grant(rights_of_seed(), granted[i]));
        for (size_t i = 0; i < ARRAY_SIZE(other); i++)
                assert_false(rights_grant(rights_of_seed(), other[i]));
        for (char *const *right = rights_of_seed(); *right; right++)
                assert_true(right_known(*right));
}

static void patterns(void **state _unused_)
{
        static const struct {
                const char *patterns, *name;
                bool covered;
        } rows[] = {
                { "web-1", "web-1", true },   { "web-1", "web-10", false }, { "web-1", "web-", false },
                { "web-*", "web-1", true },   { "web-*", "web-", true },    { "web-*", "web", false },
                { "web-*", "Web-1", false },  { "'*'", "anything", true },  { "a b-* c", "b-2", true },
                { "a b-* c", "d", false },    { "", "a", false },           { "web-*", "web-*", true },
                { "web-*", "web-a*", true },  { "web-*", "web*", false },   { "web-*", "*", false },
                { "web-1", "web-1*", false }, { "web-1", "web-*", false },  { "'*'", "*", true },
                { "'*'", "web-*", true },     { "a* b*", "*", false },      { "a* b*", "bc*", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strv_ char **list = words(rows[i].patterns);

                if (pattern_covers(list, rows[i].name) != rows[i].covered)
                        fail_msg("%s by {%s}", rows[i].name, rows[i].patterns);
        }
        assert_false(pattern_covers(NULL, "a"));
}

/* A pattern is covered only if every name it matches is, over all short names of a small alphabet. */
static void patterns_by_exhaustion(void **state _unused_)
{
        static const char *const names[] = { "a",   "b",   "aa",  "ab",  "ba",  "bb",  "aaa",
                                             "aab", "aba", "abb", "baa", "bab", "bba", "bbb" };
        static const char *const all[] = { "*", "a*", "b*", "aa*", "ab*", "ba*", "bb*", "a",
                                           "b", "aa", "ab", "ba",  "bb",  "aab", "bba" };

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
                        char *outer[] = { (char *) all[i], NULL }, *inner[] = { (char *) all[j], NULL };
                        bool within = true;

                        for (size_t k = 0; k < ARRAY_SIZE(names); k++)
                                within = within && (!pattern_covers(inner, names[k]) ||
                                                    pattern_covers(outer, names[k]));
                        if (pattern_covers(outer, all[j]) != within)
                                fail_msg("{%s} over %s", all[i], all[j]);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known),           cmocka_unit_test(granted),
                cmocka_unit_test(lists_of_rights), cmocka_unit_test(of_the_seed),
                cmocka_unit_test(patterns),        cmocka_unit_test(patterns_by_exhaustion),
        };

        return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
