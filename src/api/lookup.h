/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* The gear that a call is about (see call_gear_id), which must be there: else MISSING. */
int lookup_gear(struct call *call, struct gear **ret, struct fault *f);

/* As its unit file says; also in the worker's thread. A file that cannot be understood is a CONFLICT. */
int lookup_spec(const struct daemon *d, const char *id, struct spec *ret, struct fault *f);
