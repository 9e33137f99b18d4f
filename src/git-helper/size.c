/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/size.h"

#include <fts.h>
#include <sys/stat.h>

uint64_t size_on_disk(const char *dir)
{
        _cleanup_free_ char *root = strdup(dir);
        char *const roots[] = { root, NULL };
        FTS *tree = root ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
        FTSENT *entry;
        uint64_t size = 0;

        if (!tree)
                return 0;
        while ((entry = fts_read(tree)))
                if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS)
                        size += (uint64_t) entry->fts_statp->st_blocks * 512;
        (void) fts_close(tree);
        return size;
}
