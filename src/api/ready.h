/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Waiting until a gear that was started is ready in the sense of its spec:
 * its container runs, is healthy, answers on a port, or wrote a certain line.
 */

#include "daemon.h"

struct ready;
struct run;

enum ready_result {
        READY_YES,
        READY_ENDED,     /* it ran, and came to a good end already (restart: no) */
        READY_DIED,      /* its run came to an end first */
        READY_LATE,      /* the time is over */
        READY_STOPPED,   /* somebody stopped it */
};

/*
 * Answers once, later, unless cancelled.  The gear must be in the index; the run
 * that is waited for is one that follows `former'.  NULL: out of memory.
 */
struct ready *ready_wait(struct daemon *d, struct gear *gear, const struct spec *spec, const struct run *former,
                         void (*done)(void *arg, enum ready_result result), void *arg);
struct ready *ready_cancel(struct ready *r);

/* The index changed. */
void ready_look(struct gear *gear);
