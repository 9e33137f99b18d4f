/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Moments as callers give them. */

#include "api/call.h"
#include "core/moment.h"

/*
 * The query parameter, in any of the spellings of core/moment. Absent, it leaves *ret_usec as it is.
 */
int moment_param(const struct call *call, const char *name, uint64_t *ret_usec, struct fault *f);
