/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A job with a schedule comes about, changes, and goes.  It is two unit files, and
 * systemd's from then on: it runs with geard or without.
 */

#include "api/job-run.h"

struct job_run;
struct schedule_change;

/* The run has its spec and its request, and ends by itself. */
void job_schedule_begin(struct job_run *run);
/* One that is in the index: an earlier life has written its files, and perhaps no more than that. */
void job_schedule_go_on(struct job_run *run);
/* Somebody waits for its end. */
void job_schedule_hurry(struct job_run *run);
struct schedule_change *schedule_change_new(void);
struct schedule_change *schedule_change_free(struct schedule_change *s);

/* The request of a DELETE. */
void job_unschedule(struct daemon *d, struct request *request, const char *id);
