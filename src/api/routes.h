/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All calls there are, resource by resource. */

#include "http/route.h"

#define API_TABLES 16

void api_routes(struct route_table ret[static API_TABLES]);
