/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a token may grant: rights by name or by family, and names of gears by
 * themselves or by prefix.  Both are questions of one list covering one word.
 */

#include "util/base.h"

/* A right, or `family.*'. */
bool right_known(const char *right);

/*
 * Does the list hold this right, or its family?  "gear.*" covers every right of
 * gears but gear.host, which is always named.  A family is covered only by
 * itself, never by a list of its members: it may grow.
 */
bool rights_grant(char *const *rights, const char *right);
bool rights_cover(char *const *rights, char *const *others);

/* What a token without `a' grants: what the first program's tokens did. */
char *const *rights_of_seed(void);

/*
 * Does a list of exact names, and of prefixes with a trailing `*', cover this
 * name?  A pattern in place of the name is covered when all it matches is.
 */
bool pattern_covers(char *const *patterns, const char *name);
bool patterns_cover(char *const *patterns, char *const *others);
