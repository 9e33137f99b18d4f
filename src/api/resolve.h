/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A create or replacement that a crash cut short: done, if what it made runs;
 * else undone, and what it was to replace brought back.
 */

#include "daemon.h"

void resolve_submit(struct daemon *d, struct gear *gear);
