/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/route.h"

extern const struct route_table service_log_routes;
