/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ?plan=yes: the unit, the argv, what differs from what is installed, and what would restart. */

#include "api/call.h"

/* Answers the call; nothing is written, leased or pulled. May settle the spec's open ports. */
void plan_answer(struct call *call, const char *id, struct spec *spec);
