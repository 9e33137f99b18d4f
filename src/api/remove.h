/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* Deletes a gear that is in the index. */
void remove_submit(struct daemon *d, struct request *request, const char *id, bool volumes);
/* One that a crash cut short. request NULL: nobody waits for it. */
void remove_go_on(struct daemon *d, const struct gear *gear, struct request *request);

extern const struct route_table remove_routes;
