/* SPDX-License-Identifier: Apache-2.0 */

/* The list of rights, and the one rule by which patterns cover names. */

#include "core/rights.h"

#define HOST "gear.host"

/* Families without members here are granted whole. */
static const char *const rights_known[] = {
        "gear.read", "gear.create", "gear.state", "gear.delete", "gear.env",
        HOST,        "log.read",    "repo.read",  "repo.write",  "job.run",
        "service.*", "app.*",       "node.*",     "ops.read",    "audit.read",
};

static bool covers(const char *pattern, const char *name)
{
        size_t n = strlen(pattern);

        if (n > 0 && pattern[n - 1] == '*')
                return strncmp(name, pattern, n - 1) == 0;
        return streq(name, pattern);
}

bool right_known(const char *right)
{
        size_t n = strlen(right);
        bool family = ends_with(right, ".*");

        for (size_t i = 0; i < ARRAY_SIZE(rights_known); i++)
                if (streq(right, rights_known[i]) || (family && strncmp(rights_known[i], right, n - 1) == 0))
                        return true;
        return false;
}

bool rights_grant(char *const *rights, const char *right)
{
        for (; rights && *rights; rights++)
                if (streq(*rights, right) || (covers(*rights, right) && !streq(right, HOST)))
                        return true;
        return false;
}

bool rights_cover(char *const *rights, char *const *others)
{
        for (; others && *others; others++)
                if (!rights_grant(rights, *others))
                        return false;
        return true;
}

char *const *rights_of_seed(void)
{
        static char *const seed[] = {
                (char *) "gear.create", (char *) "gear.state", (char *) "log.read",
                (char *) "repo.read",   (char *) "repo.write", NULL,
        };

        return seed;
}

bool pattern_covers(char *const *patterns, const char *name)
{
        for (; patterns && *patterns; patterns++)
                if (covers(*patterns, name))
                        return true;
        return false;
}

bool patterns_cover(char *const *patterns, char *const *others)
{
        for (; others && *others; others++)
                if (!pattern_covers(patterns, *others))
                        return false;
        return true;
}
