/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Names of branches, tags and commits, as git has them, and nothing that it reads as more than a name. */

#include "util/base.h"

#define GIT_REF_MAX 250

/* How gear-git ends where what was asked for is not there. */
#define GIT_NO_REF 66  /* EX_NOINPUT */
#define GIT_NO_PATH 65 /* EX_DATAERR */
#define GIT_NOT_THERE 127

/* "main", "release/1.0", "v1", "HEAD" or a commit: no option, no range, no path, no @{…}. */
bool git_ref_valid(const char *ref);

/* What git makes a branch of; none that it has is called HEAD. */
bool git_branch_valid(const char *name);
