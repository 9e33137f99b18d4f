/* SPDX-License-Identifier: Apache-2.0 */

#include "api/usage.h"

#include "util/file.h"
#include "util/text.h"

#include <stdio.h>

#define FRESH_USEC ((uint64_t) 1000000)
#define PATH_LEN 1024

/*
 * The path in /proc/<pid>/cgroup of one v1 controller, or of the v2 hierarchy
 * (controller ""). Never composed from names: drivers and versions differ.
 */
static bool cgroup_path(const char *listing, const char *controller, char ret[static PATH_LEN])
{
        for (const char *line = listing, *end; *line; line = *end ? end + 1 : end) {
                const char *names = strchr(line, ':'), *path;
                size_t n = strlen(controller);

                end = strchrnul(line, '\n');
                path = names ? strchr(names + 1, ':') : NULL;
                if (!path || path > end)
                        continue;
                names++;
                for (const char *name = names; name <= path; name += strcspn(name, ",:") + 1) {
                        if (strcspn(name, ",:") == n && strncmp(name, controller, n) == 0) {
                                (void) snprintf(ret, PATH_LEN, "%.*s", (int) (end - path - 1), path + 1);
                                return true;
                        }
                        if (name + strcspn(name, ",:") >= path)
                                break;
                }
        }
        return false;
}

static uint64_t read_number(const char *file, const char *key)
{
        _cleanup_free_ char *text = NULL;
        const char *at;
        uint64_t value;
        size_t n;

        if (file_read(file, 65536, &text, &n) < 0)
                return UINT64_MAX;
        at = text;
        if (key && !(at = strstr(text, key)))
                return UINT64_MAX;
        if (key)
                at += strlen(key);
        text[(at - text) + strcspn(at, "\n")] = '\0';
        return parse_u64(at, UINT64_MAX - 1, &value) ? value : UINT64_MAX;
}

static void look(struct gear *gear)
{
        _cleanup_free_ char *listing = NULL;
        char proc[64], path[PATH_LEN], file[PATH_LEN + 128];
        uint64_t nsec;
        size_t n;

        gear->memory = gear->cpu_usec = UINT64_MAX;
        (void) snprintf(proc, sizeof proc, "/proc/%d/cgroup", gear->pid);
        if (gear->pid <= 0 || file_read(proc, 65536, &listing, &n) < 0)
                return;
        if (cgroup_path(listing, "memory", path)) {
                (void) snprintf(file, sizeof file, "/sys/fs/cgroup/memory%s/memory.usage_in_bytes", path);
                gear->memory = read_number(file, NULL);
        } else if (cgroup_path(listing, "", path)) {
                (void) snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.current", path);
                gear->memory = read_number(file, NULL);
        }
        if (cgroup_path(listing, "cpuacct", path)) {
                (void) snprintf(file, sizeof file, "/sys/fs/cgroup/cpuacct%s/cpuacct.usage", path);
                nsec = read_number(file, NULL);
                gear->cpu_usec = nsec == UINT64_MAX ? nsec : nsec / 1000;
        } else if (cgroup_path(listing, "", path)) {
                (void) snprintf(file, sizeof file, "/sys/fs/cgroup%s/cpu.stat", path);
                gear->cpu_usec = read_number(file, "usage_usec ");
        }
}

void usage_of(struct gear *gear, uint64_t now_usec, struct usage *ret)
{
        if (gear->looked_usec == 0 || now_usec - gear->looked_usec >= FRESH_USEC) {
                gear->looked_usec = now_usec;
                look(gear);
        }
        *ret = (struct usage){ .memory = gear->memory, .cpu_usec = gear->cpu_usec };
}
