/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What jobs have on the disk, below the state directory:
 *
 *   jobs/NAME.env          the environment of one that waits, runs, or is scheduled; 0600
 *   units/job-ID.timer     of one with a schedule: when it is due …
 *   units/job-ID.service   … what is run then, and the record of it
 *
 * Whether there is such a job, and which, its service tells: it is written last, and
 * removed first.  All of these may block, and answer 0 or a negative errno.
 */

#include "core/environ.h"

/* root: the state directory. name: see job_env_name(). */
int job_env_write(const char *root, const char *name, const struct environ *env);
int job_env_read(const char *root, const char *name, struct environ *ret);
/* One that is missing is as removed as can be. */
int job_env_remove(const char *root, const char *name);
/* All that were made for schedules of this job, but for keep, which may be NULL. */
int job_env_remove_others(const char *root, const char *id, const char *keep);
/* Every name that there is. Ends when entry() answers other than 0, and answers that. */
int job_env_each(const char *root, int (*entry)(void *arg, const char *name), void *arg);

int job_units_write(const char *root, const char *id, const char *service, const char *timer);
/* Writes the timer if it is another one. */
int job_units_write_timer(const char *root, const char *id, const char *timer);
/* The text of the service. */
int job_units_read(const char *root, const char *id, char **ret);
/* Of one of the two: "job-1.timer". Does not block. */
void job_units_path(const char *root, const char *unit, char *ret, size_t size);
int job_units_remove(const char *root, const char *id);
/* Every id that has a service. What has none is removed. */
int job_units_each(const char *root, int (*entry)(void *arg, const char *id), void *arg);
