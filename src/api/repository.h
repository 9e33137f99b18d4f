/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Git repositories: made, cloned, told of and removed, each by a job of its own. */

#include "daemon.h"

extern const struct route_table repository_routes;
