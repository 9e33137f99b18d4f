/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/call.h"

/* The gear that a call is about (see call_gear_id), which must be there: else MISSING. */
int lookup_gear(struct call *call, struct gear **ret, struct fault *f);
