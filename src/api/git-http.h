/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon.h"

extern const struct route_table git_routes;

/* Ends what goes on without its client, when geard ends. */
void git_calls_free(struct daemon *d);
