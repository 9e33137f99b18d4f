/* SPDX-License-Identifier: Apache-2.0 */

#include "git-helper/quarantine.h"

#include "util/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

#define LEFT "tmp_objdir-"

static void remove_tree(char *path)
{
        char *const roots[] = { path, NULL };
        FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        FTSENT *entry;

        while (tree && (entry = fts_read(tree)))
                if (entry->fts_info == FTS_DP)
                        (void) rmdir(entry->fts_accpath);
                else if (entry->fts_info != FTS_D)
                        (void) unlink(entry->fts_accpath);
        if (tree)
                (void) fts_close(tree);
}

static void remove_left(const char *objects)
{
        DIR *d = opendir(objects);
        struct dirent *entry;

        while (d && (entry = readdir(d))) {
                char path[PATH_MAX];
                int n = snprintf(path, sizeof path, "%s/%s", objects, entry->d_name);

                if (starts_with(entry->d_name, LEFT) && n < (int) sizeof path)
                        remove_tree(path);
        }
        if (d)
                (void) closedir(d);
}

int quarantine_enter(const char *dir)
{
        char objects[PATH_MAX];
        int fd;

        if (snprintf(objects, sizeof objects, "%s/objects", dir) >= (int) sizeof objects)
                return -ENAMETOOLONG;
        fd = open(objects, O_RDONLY | O_DIRECTORY); /* and stays open: git and its children hold the lock */
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                remove_left(objects);
        return flock(fd, LOCK_SH) < 0 ? -errno : 0;
}
