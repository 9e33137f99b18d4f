/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A create or replacement that a crash cut short: if it came to a start, it goes
 * on from there; else it is undone, and what it was to replace brought back.
 */

#include "daemon.h"

/* request: the one that it was begun for, or NULL when nobody knows. */
void resolve_submit(struct daemon *d, struct gear *gear, struct request *request);
