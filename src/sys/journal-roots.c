/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/journal-roots.h"

#include <sys/stat.h>

static const char *const roots[] = { "/var/log/journal", "/run/log/journal" };

void journal_roots_look(struct journal_roots *ret)
{
        struct stat st;

        *ret = (struct journal_roots){ 0 };
        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                if (stat(roots[i], &st) == 0) {
                        ret->at[i].device = st.st_dev;
                        ret->at[i].inode = st.st_ino;
                }
}

bool journal_roots_same(const struct journal_roots *a, const struct journal_roots *b)
{
        for (size_t i = 0; i < ARRAY_SIZE(a->at); i++)
                if (a->at[i].device != b->at[i].device || a->at[i].inode != b->at[i].inode)
                        return false;
        return true;
}

int journal_roots_missing(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
                if (access(roots[i], R_OK | X_OK) < 0 && errno == EACCES)
                        return -EACCES;
        return -EAGAIN;
}
