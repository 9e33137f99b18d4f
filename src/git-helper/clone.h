/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/base.h"

struct clone {
        const char *url;
        bool public_only;  /* from hosts on the Internet only */
        uint64_t size_max; /* of what comes of it */
};

/*
 * A bare copy in this empty directory, of which every object is what it says it is
 * and may be in a repository. An exit status, after what git said on standard error.
 */
int clone_into(const char *dir, const struct clone *c);
