/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/route.h"

/* PUT, GET and DELETE of jobs, and their logs. */
extern const struct route_table job_routes;
