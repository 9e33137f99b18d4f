/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon.h"

extern const struct route_table git_routes;

/* Is one under way?  It may have no client any more, for whom one would wait. */
bool git_calls_push(const struct daemon *d);
/* Is this intent that of one under way? */
bool git_calls_intend(const struct daemon *d, const char *id);
/* Ends what goes on without its client, when geard ends. */
void git_calls_free(struct daemon *d);
