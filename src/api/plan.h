/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ?plan=yes: the unit, the argv, what differs from what is installed, and what would restart. */

#include "api/call.h"

/* Answers the call; nothing is written, leased or pulled. May settle the spec's open ports. */
void plan_answer(struct call *call, const char *id, struct spec *spec);

/*
 * The same of a call that leaves the unit as it is: it would start, stop or
 * restart the gear, change its environment, or do nothing, which is the verdict.
 */
void plan_answer_kept(struct call *call, const char *id, const char *verdict, bool restarts);
