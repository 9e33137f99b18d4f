/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a container's processes use, as their own cgroup counts it. */

#include "core/gear.h"

struct usage {
        uint64_t memory;   /* bytes; UINT64_MAX unknown */
        uint64_t cpu_usec; /* since its start; UINT64_MAX unknown */
};

/* At most one look a second and gear: what is asked for more often gets the last one. */
void usage_of(struct gear *gear, uint64_t now_usec, struct usage *ret);
