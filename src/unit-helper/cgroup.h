/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The control group in which the container of a job is, and nothing else: it
 * remembers how much memory that took, when the container's own is gone.
 */

#include "util/base.h"

struct sd_bus;

/* path: from the root of the hierarchy, "/gear.slice/…". False: nobody knows. */
bool cgroup_peak_memory(const char *path, uint64_t *ret);
/* Whoever made it: the engine, or systemd on its behalf, as a slice. */
void cgroup_remove(const char *path, struct sd_bus *bus);
