/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

extern const struct route_table list_routes;
