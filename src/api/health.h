/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Health probes of kind http and tcp, which the engine cannot make itself:
 * while such a gear runs, its container's own address is asked periodically,
 * with interval, timeout, retries and start_period as Docker means them.
 */

#include "daemon.h"

/* The index changed: starts, goes on with or ends the probing, and sets gear->health. */
void health_look(struct daemon *d, struct gear *gear);

/* Before the gear leaves the index. */
void health_forget(struct gear *gear);
