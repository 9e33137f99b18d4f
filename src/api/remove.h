/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* Deletes a gear that is in the index. request NULL: a delete that a crash cut short. */
void remove_submit(struct daemon *d, struct request *request, const char *id, bool volumes);

extern const struct route_table remove_routes;
