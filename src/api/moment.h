/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Moments as callers give them, and as we show them. */

#include "api/call.h"

/*
 * The query parameter: seconds since 1970, a time in UTC, or how long ago.
 * Absent, it leaves *ret_usec as it is.
 */
int moment_param(const struct call *call, const char *name, uint64_t *ret_usec, struct fault *f);

/* 2031-12-31T23:59:59, in UTC, with so many digits behind the second, and Z. */
void moment_add(struct text *t, uint64_t usec, int digits);
