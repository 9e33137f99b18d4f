/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "daemon.h"

/* An edit that a crash cut short: tells whether it was made. */
void environment_recall(struct daemon *d, struct request *request, const char *id);

extern const struct route_table environment_routes;
