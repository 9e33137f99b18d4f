/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The client who asked for a change: gets its answer, a 202 when that takes too
 * long, or a stream of progress with the outcome at its end.  A stream's head
 * waits until it is known whether the request is new.
 */

#include "api/call.h"

/* What the query says of waiting, or else the configuration. */
int waiter_time(const struct call *call, uint64_t *ret_usec, struct fault *f);

/* The caller's reply listens to the request, and is taken over unless this fails. */
int waiter_listen(struct call *call, struct request *request, uint64_t wait_usec, struct fault *f);

/* An outcome that is known already, in the form that was asked for. Ends the reply. */
void waiter_replay(struct call *call, const struct outcome *outcome);
