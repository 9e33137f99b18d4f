/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A call that changes something: given its request id, de-duplicated, joined
 * or replayed; then its work goes on without the client, who gets the outcome,
 * a 202 when it takes too long, or a stream of progress.
 */

#include "api/call.h"

/*
 * Settles the id (claim, header, or made), compares with what is known, and
 * makes the caller's reply listen.  Returns the request when it is new and the
 * work is to be started; NULL when the call has been answered or will be.
 * call->reply is taken over in every case.
 */
struct request *change_begin(struct call *call);

/* Ends it, counts it, logs it. Takes the outcome's strings. */
void change_end(struct daemon *d, struct request *request, struct outcome *outcome, const char *gear);
void change_fail(struct daemon *d, struct request *request, const struct fault *fault, const char *gear);

extern const struct route_table change_routes; /* GET /requests/{id} */
