/* SPDX-License-Identifier: Apache-2.0 */

#include "core/git-ref.h"

#include "util/text.h"

static bool part_valid(const char *part, size_t n)
{
        static const char lock[] = ".lock";

        return n > 0 && part[0] != '.' && part[n - 1] != '.' &&
               !(n >= strlen(lock) && memcmp(part + n - strlen(lock), lock, strlen(lock)) == 0);
}

bool git_ref_valid(const char *ref)
{
        size_t n = strlen(ref);

        if (n == 0 || n > GIT_REF_MAX || ref[0] == '-' || streq(ref, "@") || has_control(ref) || !utf8_valid(ref, n) ||
            strpbrk(ref, " ~^:?*[\\") || strstr(ref, "..") || strstr(ref, "@{"))
                return false;
        for (const char *part = ref;;) {
                size_t len = strcspn(part, "/");

                if (!part_valid(part, len))
                        return false;
                if (!part[len])
                        return true;
                part += len + 1;
        }
}

bool git_branch_valid(const char *name)
{
        return git_ref_valid(name) && !streq(name, "HEAD");
}
