/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The last lines that the container of a job wrote, for the record of what became of it. */

#include "daemon.h"

struct job_output;

/* journald may have the last lines a moment later than systemd knows of the end. */
#define JOB_OUTPUT_LAG_USEC (150 * USEC_PER_MSEC)

/*
 * since_usec: when the run began, of several; 0: there was but one.  after_usec: begins so much later. Answers once,
 * later, with at most JOB_OUTPUT_MAX bytes of whole lines ("" where there are none, or the journal cannot be read).
 * NULL when out of memory.
 */
struct job_output *job_output_read(struct daemon *d, const struct job *job, uint64_t since_usec, uint64_t after_usec,
                                   void (*done)(void *arg, const char *lines), void *arg);
struct job_output *job_output_cancel(struct job_output *o);
