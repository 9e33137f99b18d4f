/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* How a change went, for who asked for it. */
extern const struct route_table requests_routes;
