/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a job needs on the disk while it waits and runs: jobs/ID.env below the state
 * directory, its environment, 0600.  All of these may block, and answer 0 or a
 * negative errno.
 */

#include "core/environ.h"

/* root: the state directory. */
int job_files_write(const char *root, const char *id, const struct environ *env);
/* One that is missing is as removed as can be. */
int job_files_remove(const char *root, const char *id);
/* Every id that has any. Ends when entry() answers other than 0, and answers that. */
int job_files_each(const char *root, int (*entry)(void *arg, const char *id), void *arg);
