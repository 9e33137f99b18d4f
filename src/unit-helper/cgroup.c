/* SPDX-License-Identifier: Apache-2.0 */

#include "unit-helper/cgroup.h"

#include "unit-helper/manager.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#define ROOT "/sys/fs/cgroup"

static bool read_number(const char *path, uint64_t *ret)
{
        FILE *file = fopen(path, "re");
        bool ok;

        if (!file)
                return false;
        ok = fscanf(file, "%" SCNu64, ret) == 1;
        (void) fclose(file);
        return ok;
}

bool cgroup_peak_memory(const char *path, uint64_t *ret)
{
        char file[PATH_MAX];

        (void) snprintf(file, sizeof file, ROOT "%s/memory.peak", path);
        if (read_number(file, ret))
                return true;
        (void) snprintf(file, sizeof file, ROOT "/memory%s/memory.max_usage_in_bytes", path);
        return read_number(file, ret);
}

/* Of version 1 there is a hierarchy for each controller. */
static void remove_directories(const char *path)
{
        char directory[PATH_MAX];
        struct dirent *entry;
        DIR *root;

        (void) snprintf(directory, sizeof directory, ROOT "%s", path);
        (void) rmdir(directory);
        root = opendir(ROOT);
        while (root && (entry = readdir(root))) {
                (void) snprintf(directory, sizeof directory, ROOT "/%s%s", entry->d_name, path);
                if (entry->d_name[0] != '.')
                        (void) rmdir(directory);
        }
        if (root)
                (void) closedir(root);
}

void cgroup_remove(const char *path, struct sd_bus *bus)
{
        const char *slash = strrchr(path, '/');

        if (bus && slash)
                (void) manager_stop_if_active(bus, slash + 1);
        remove_directories(path);
}
