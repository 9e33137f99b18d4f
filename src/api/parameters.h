/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The query parameters of every call: what /openapi.json describes, and all that is taken. */

#include "api/call.h"

struct parameter {
        const char *name, *text;
};

/* Is the pattern this call, in either spelling?  The call is a pattern without its {id}. */
bool pattern_is_call(const char *pattern, const char *call);

/* The n-th of the route, where claims may stand in the query those, too; NULL behind the last one. */
const struct parameter *parameters_of(const struct route *route, bool claimed, size_t n);

/*
 * Only the parameters of the route, and the claims where they may stand beside a
 * token: INVALID otherwise, naming the first that is not one.  Who misspells
 * plan= does not want the change itself, and who misspells since= not the lines
 * that come without it.
 */
int parameters_check(const struct call *call, struct fault *f);
