/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is in repositories, as archives. */

#include "daemon.h"

extern const struct route_table content_routes;
