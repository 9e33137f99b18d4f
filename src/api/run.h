/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One run of a gear: told from the one before it, and found again by the next
 * life of geard when it is over by then.
 */

#include "api/work.h"

/*
 * The names that the engine and systemd gave it; by its time it could not be
 * told, since clocks are set back.  Empty: none.
 */
struct run {
        char container[sizeof(((struct gear *) 0)->container)];
        char invocation[GEAR_INVOCATION_LEN + 1];
};

/* The run that a job follows which is asked for now: none, when the start joins one that is there. */
void run_before(const struct gear *gear, enum systemd_job job, struct run *ret);

/* A good end is as good as running: the command does its work once. */
bool run_may_end(const struct spec *spec);

/* Asks for a start or restart of the work's gear; what is asked for may be found by run_ended_well(). */
struct systemd_op *run_ask(struct work *w, const struct spec *spec, enum systemd_job job,
                           systemd_job_done *done, void *arg);

/* What a run was asked for; of its own, so that the worker's thread can hold it. */
struct run_wish {
        char gear[GEAR_ID_MAX + 1];
        char request[REQUEST_ID_LEN + 1];
        char principal[DATABASE_PRINCIPAL_MAX + 1];
};
void run_wish_of(const struct work *w, struct run_wish *ret); /* its request must be there */

/*
 * Did an earlier life ask for the run, and has it come to a good end by itself?
 * Reads the journal: in the worker's thread.
 */
bool run_ended_well(const struct run_wish *wish);
