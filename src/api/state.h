/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon.h"

/*
 * A turn that a crash cut short goes on; verb is as for its intent: of
 * a create of what was there, the gear only has to run.  A restart that has happened is not repeated.
 */
void state_recall(struct daemon *d, struct request *request, const char *id, const char *verb);

extern const struct route_table state_routes;
